//! One line of a watch.

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::model::{Name, Uid};
use crate::records::wire::{Nullable, Str, WireMeta};
use crate::records::{BadObject, Decoded, Record, Records, salvage};

/// What a line of a watch says.
#[derive(Debug)]
pub enum WatchEvent<R> {
    /// The object is there, as it is now.
    Here(Decoded<R>),
    /// The object went, or does not match the selector any more.
    Gone {
        /// Which.
        uid: Uid,
        /// The version of its last state.
        version: Name,
    },
    /// Nothing happened up to this version.
    Bookmark {
        /// `metadata.resourceVersion`.
        version: Name,
    },
    /// The watch failed; the server ends it.
    Failed {
        /// The HTTP code it would have been.
        code: u16,
        /// The whole `Status`, for the text.
        status: Box<[u8]>,
    },
}

#[derive(Deserialize)]
struct Envelope<'a> {
    #[serde(borrow, rename = "type")]
    what: Str<'a>,
    #[serde(borrow)]
    object: &'a RawValue,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct OnlyMeta<'a> {
    #[serde(borrow)]
    metadata: WireMeta<'a>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct OnlyCode {
    code: Nullable<u16>,
}

/// `{"type":"MODIFIED","object":{…}}` as every API server writes it, taken apart without parsing the object twice.
fn usual_form(line: &[u8]) -> Option<(&str, &[u8])> {
    let rest = line.strip_prefix(br#"{"type":""#)?;
    let end = rest.iter().take(16).position(|&c| c == b'"')?;
    let object = rest[end..].strip_prefix(br#"","object":"#)?.strip_suffix(b"}")?;
    Some((std::str::from_utf8(&rest[..end]).ok()?, object))
}

/// Reads one line of a watch.
///
/// # Errors
///
/// The line is no watch event. An event whose object has not the shape of its kind is a row that says so.
pub fn read_event<R: Record>(line: &[u8]) -> Result<WatchEvent<R>, BadObject>
where
    Records: From<Vec<R>>,
{
    let line = line.trim_ascii();
    let envelope;
    let (what, object) = match usual_form(line) {
        Some(parts) => parts,
        None => {
            envelope = serde_json::from_slice::<Envelope<'_>>(line)
                .map_err(|_| BadObject("a line of the watch is no event".into()))?;
            (&*envelope.what, envelope.object.get().as_bytes())
        }
    };
    match what {
        "ADDED" | "MODIFIED" | "DELETED" => {
            let decoded = R::decode_event(object).or_else(|why| salvage::<R>(object, &why).ok_or(why))?;
            Ok(match what {
                "DELETED" => WatchEvent::Gone { uid: decoded.record.meta().uid, version: decoded.version },
                _ => WatchEvent::Here(decoded),
            })
        }
        "BOOKMARK" => {
            let only: OnlyMeta<'_> = serde_json::from_slice(object)?;
            Ok(WatchEvent::Bookmark { version: Name::new(&*only.metadata.resource_version) })
        }
        "ERROR" => {
            let only: OnlyCode = serde_json::from_slice(object)?;
            Ok(WatchEvent::Failed { code: *only.code, status: object.into() })
        }
        other => Err(BadObject(format!(
            "a watch event of the unknown type {:?}",
            crate::text::one_line(other, 40)
        ))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::records::{Namespace, Other};

    fn said(line: &str) -> String {
        match read_event::<Namespace>(line.as_bytes()) {
            Ok(WatchEvent::Here(d)) => {
                let broken = d.record.meta.broken().map_or("", |_| " broken");
                format!("here {} {}{broken}", d.record.meta.name, d.version)
            }
            Ok(WatchEvent::Gone { version, .. }) => format!("gone {version}"),
            Ok(WatchEvent::Bookmark { version }) => format!("bookmark {version}"),
            Ok(WatchEvent::Failed { code, .. }) => format!("failed {code}"),
            Err(why) => format!("bad: {why}"),
        }
    }

    #[test]
    fn lines_are_read() {
        let cases = [
            (r#"{"type":"ADDED","object":{"metadata":{"name":"a","resourceVersion":"3"}}}"#, "here a 3"),
            (
                "{\"type\":\"MODIFIED\",\"object\":{\"metadata\":{\"name\":\"a\",\"resourceVersion\":\"4\"}}}\r",
                "here a 4",
            ),
            (
                r#" { "object": {"metadata":{"name":"a","resourceVersion":"5"}}, "type": "DELETED" }"#,
                "gone 5",
            ),
            (
                r#"{"type":"BOOKMARK","object":{"kind":"Namespace","metadata":{"resourceVersion":"8","creationTimestamp":null}}}"#,
                "bookmark 8",
            ),
            (
                r#"{"type":"ERROR","object":{"kind":"Status","code":410,"reason":"Expired","message":"too old"}}"#,
                "failed 410",
            ),
            (r#"{"type":"ERROR","object":{"kind":"Status"}}"#, "failed 0"),
            (
                r#"{"type":"ADDED","object":{"metadata":{"name":"odd","resourceVersion":"6"},"status":7}}"#,
                "here odd 6 broken",
            ),
            (r#"{"type":"DANCED","object":{}}"#, "bad: a watch event of the unknown type \"DANCED\""),
        ];
        for (line, want) in cases {
            assert_eq!(said(line), want, "{line}");
        }
        for line in
            ["", "{", "null", r#"{"type":"ADDED","object":{"metadata"}"#, r#"{"type":"ADDED"}"#, "\u{0}"]
        {
            assert!(said(line).starts_with("bad"), "{line}");
        }
    }

    #[test]
    fn rows_of_tables_are_read() {
        let line = br#"{"type":"ADDED","object":{"kind":"Table","columnDefinitions":null,"rows":[{"cells":["a",3],"object":{"metadata":{"name":"a","uid":"1","resourceVersion":"7"}}}]}}"#;
        let Ok(WatchEvent::Here(decoded)) = read_event::<Other>(line) else { panic!() };
        assert_eq!(
            (&*decoded.record.meta.name, &*decoded.version, decoded.record.cells.len()),
            ("a", "7", 2)
        );
    }
}
