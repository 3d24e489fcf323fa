//! As much of protobuf as kubectl needs to ask what it may do: it sends these questions in no other format.

use serde_json::{Map, Value, json};

/// What such a body begins with.
const MAGIC: &[u8] = b"k8s\0";

/// Which fields of a message are looked at: number, name, and what is in it.
type Fields = &'static [(u64, &'static str, Content)];

#[derive(Clone, Copy)]
enum Content {
    Text,
    Message(Fields),
}

use Content::{Message, Text};

const ENVELOPE: Fields =
    &[(1, "type", Message(&[(1, "apiVersion", Text), (2, "kind", Text)])), (2, "raw", Text)];

const ACCESS_REVIEW: Fields = &[(
    2,
    "spec",
    Message(&[
        (
            1,
            "resourceAttributes",
            Message(&[
                (1, "namespace", Text),
                (2, "verb", Text),
                (3, "group", Text),
                (4, "version", Text),
                (5, "resource", Text),
                (6, "subresource", Text),
                (7, "name", Text),
            ]),
        ),
        (2, "nonResourceAttributes", Message(&[(1, "path", Text), (2, "verb", Text)])),
    ]),
)];

const RULES_REVIEW: Fields = &[(2, "spec", Message(&[(1, "namespace", Text)]))];

/// The JSON form of a review; none if the body is not one.
pub(super) fn to_json(body: &[u8]) -> Option<Value> {
    let envelope = body.strip_prefix(MAGIC)?;
    let about = object(envelope, &ENVELOPE[..1])?;
    let (api_version, kind) = (about["type"]["apiVersion"].as_str()?, about["type"]["kind"].as_str()?);
    let fields = match kind {
        "SelfSubjectAccessReview" => ACCESS_REVIEW,
        "SelfSubjectRulesReview" => RULES_REVIEW,
        _ => &[],
    };
    let raw = parts(envelope)?.into_iter().rfind(|(number, _)| *number == ENVELOPE[1].0);
    let mut review = object(raw.map_or(&[], |(_, bytes)| bytes), fields)?;
    review["apiVersion"] = json!(api_version);
    review["kind"] = json!(kind);
    Some(review)
}

fn object(message: &[u8], fields: Fields) -> Option<Value> {
    let mut found = Map::new();
    for (number, bytes) in parts(message)? {
        let Some((_, name, content)) = fields.iter().find(|(known, ..)| *known == number) else { continue };
        let value = match content {
            Text if bytes.is_empty() => continue,
            Text => std::str::from_utf8(bytes).ok()?.into(),
            Message(fields) => object(bytes, fields)?,
        };
        found.insert((*name).to_owned(), value);
    }
    Some(Value::Object(found))
}

/// The fields of a message that have a length, in order; numbers are passed over.
fn parts(mut message: &[u8]) -> Option<Vec<(u64, &[u8])>> {
    let mut found = Vec::new();
    while !message.is_empty() {
        let tag = number(&mut message)?;
        match tag & 7 {
            0 => _ = number(&mut message)?,
            1 => message = message.get(8..)?,
            2 => {
                let length = usize::try_from(number(&mut message)?).ok()?;
                let (bytes, rest) = message.split_at_checked(length)?;
                found.push((tag >> 3, bytes));
                message = rest;
            }
            5 => message = message.get(4..)?,
            _ => return None,
        }
    }
    Some(found)
}

fn number(message: &mut &[u8]) -> Option<u64> {
    let mut value = 0;
    for shift in (0..64).step_by(7) {
        let (byte, rest) = message.split_first()?;
        *message = rest;
        value |= u64::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            return Some(value);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn field(number: u8, bytes: &[u8]) -> Vec<u8> {
        let mut out = vec![number << 3 | 2, u8::try_from(bytes.len()).unwrap()];
        out.extend_from_slice(bytes);
        out
    }

    fn body(kind: &str, spec: &[u8]) -> Vec<u8> {
        let about = [field(1, b"authorization.k8s.io/v1"), field(2, kind.as_bytes())].concat();
        // Metadata and status are there too, and so is a number of the status.
        let review = [field(1, &field(1, b"")), field(2, spec), field(3, &[8, 0])].concat();
        [MAGIC, &field(1, &about), &field(2, &review), &field(3, b"")].concat()
    }

    #[test]
    fn reviews_are_read() {
        let asked = [field(1, b"shop"), field(2, b"list"), field(5, b"pods"), field(6, b"")].concat();
        let resource = body("SelfSubjectAccessReview", &field(1, &asked));
        assert_eq!(
            to_json(&resource),
            Some(json!({
                "apiVersion": "authorization.k8s.io/v1", "kind": "SelfSubjectAccessReview",
                "spec": {"resourceAttributes": {"namespace": "shop", "verb": "list", "resource": "pods"}}
            }))
        );
        let path = [field(1, b"/version"), field(2, b"get")].concat();
        let path = to_json(&body("SelfSubjectAccessReview", &field(2, &path))).unwrap();
        assert_eq!(path["spec"], json!({"nonResourceAttributes": {"path": "/version", "verb": "get"}}));
        let rules = to_json(&body("SelfSubjectRulesReview", &field(1, b"lab"))).unwrap();
        assert_eq!(rules["spec"], json!({"namespace": "lab"}));
    }

    #[test]
    fn anything_else_is_refused_and_harms_nobody() {
        let good = body("SelfSubjectAccessReview", &field(1, &field(1, b"shop")));
        for length in 0..good.len() {
            // A cut may leave a whole, shorter message; it never reads what is not there.
            let _ = to_json(&good[..length]);
        }
        for bad in ["", "k8s", "{}", "k8s\0\u{7f}", "k8s\0\n\u{7f}abc", "k8s\0\n\u{2}\n\u{7f}"] {
            assert_eq!(to_json(bad.as_bytes()), None, "{bad:?}");
        }
        assert_eq!(to_json(&[MAGIC, &[0xff; 20]].concat()), None);
    }
}
