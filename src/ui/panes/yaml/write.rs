//! An object as the YAML that kubectl writes: the same document when it is read again, and safe to show.

use serde_json::{Map, Value};

use super::hide::HIDDEN;
use crate::text;
use crate::ui::panes::text::{Ink, Line};

/// These come first, in this order, and `status` last.
const FIRST: [&str; 3] = ["apiVersion", "kind", "metadata"];
const LAST: &str = "status";

/// Writes an object.
pub(super) fn lines(object: &Value) -> Vec<Line> {
    let mut writer = Writer::default();
    match object {
        Value::Object(fields) => {
            let rank = |key: &str| match FIRST.iter().position(|first| *first == key) {
                Some(place) => place,
                None if key == LAST => FIRST.len() + 1,
                None => FIRST.len(),
            };
            let mut sorted: Vec<(&String, &Value)> = fields.iter().collect();
            sorted.sort_by_key(|(key, _)| rank(key));
            for (key, value) in sorted {
                writer.entry(key, value, 0, Line::default());
            }
        }
        other => writer.item(other, 0, Line::default()),
    }
    writer.lines
}

#[derive(Default)]
struct Writer {
    lines: Vec<Line>,
}

impl Writer {
    fn map(&mut self, fields: &Map<String, Value>, indent: usize, mut start: Line) {
        for (key, value) in fields {
            let mut line = std::mem::take(&mut start);
            line.pad(indent);
            self.entry(key, value, indent, line);
        }
    }

    /// A field; `line` is what stands before it.
    fn entry(&mut self, key: &str, value: &Value, indent: usize, mut line: Line) {
        line.push(&scalar(key), Ink::Field);
        line.push(":", Ink::Sign);
        match value {
            Value::Object(fields) if !fields.is_empty() => {
                self.lines.push(line);
                self.map(fields, indent + 2, Line::default());
            }
            // Items stand as far left as the name of their list.
            Value::Array(items) if !items.is_empty() => {
                self.lines.push(line);
                self.list(items, indent, Line::default());
            }
            other => {
                line.push(" ", Ink::Sign);
                self.item(other, indent, line);
            }
        }
    }

    fn list(&mut self, items: &[Value], indent: usize, mut start: Line) {
        for item in items {
            let mut line = std::mem::take(&mut start);
            line.pad(indent);
            line.push("- ", Ink::Sign);
            match item {
                Value::Object(fields) if !fields.is_empty() => self.map(fields, indent + 2, line),
                Value::Array(items) if !items.is_empty() => self.list(items, indent + 2, line),
                other => self.item(other, indent, line),
            }
        }
    }

    /// What fits on the line that was begun, or follows it as a block.
    fn item(&mut self, value: &Value, indent: usize, mut line: Line) {
        match value {
            Value::String(text) if is_block(text) => {
                let body = text.trim_end_matches('\n');
                line.push(
                    match text.len() - body.len() {
                        0 => "|-",
                        1 => "|",
                        _ => "|+",
                    },
                    Ink::Sign,
                );
                self.lines.push(line);
                let shown = if text.len() - body.len() > 1 { &text[..text.len() - 1] } else { body };
                for part in shown.split('\n') {
                    let mut line = Line::default();
                    if !part.is_empty() {
                        line.pad(indent + 2);
                        line.push(part, Ink::Value);
                    }
                    self.lines.push(line);
                }
            }
            Value::String(text) => {
                let ink = if text.starts_with(HIDDEN) { Ink::Quiet } else { Ink::Value };
                line.push(&scalar(text), ink);
                self.lines.push(line);
            }
            other => {
                // Numbers, truth values, nothing and what is empty: as JSON has them.
                line.push(&other.to_string(), Ink::Value);
                self.lines.push(line);
            }
        }
    }
}

/// Whether a text is written line by line, as it is.
fn is_block(text: &str) -> bool {
    let plain = |line: &str| {
        matches!(text::clean(line), std::borrow::Cow::Borrowed(_)) && !line.ends_with([' ', '\t'])
    };
    text.trim_end_matches('\n').contains('\n')
        && !text.starts_with([' ', '\n', '\t'])
        && text.split('\n').all(plain)
}

/// A text on one line, in quotes where it would be read as something else.
fn scalar(text: &str) -> String {
    if is_plain(text) { text.to_owned() } else { quoted(text) }
}

fn quoted(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\t' => out.push_str("\\t"),
            '\r' => out.push_str("\\r"),
            c if matches!(text::clean(c.encode_utf8(&mut [0; 4])), std::borrow::Cow::Owned(_)) => {
                let code = u32::from(c);
                out.push_str(&match code {
                    0..=0xff => format!("\\x{code:02x}"),
                    0x100..=0xffff => format!("\\u{code:04x}"),
                    _ => format!("\\U{code:08x}"),
                });
            }
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

/// Words that YAML 1.1 or 1.2 read as a truth value or as nothing.
const WORDS: [&str; 11] = ["true", "false", "null", "yes", "no", "on", "off", "y", "n", "~", "nan"];

fn is_plain(text: &str) -> bool {
    let bytes = text.as_bytes();
    let (Some(first), Some(last)) = (bytes.first(), bytes.last()) else { return false };
    let begins = match first {
        b'-' => {
            bytes.get(1).is_some_and(|next| !b" -".contains(next)) || text.starts_with("--") && text.len() > 3
        }
        _ => !b" ?:,[]{}#&*!|>'\"%@`=<\t".contains(first),
    };
    begins
        && !b" :\t".contains(last)
        && !text.starts_with("---")
        && !text.contains(": ")
        && !text.contains(" #")
        && !text.contains('\t')
        && matches!(text::clean(text), std::borrow::Cow::Borrowed(_))
        && !WORDS.iter().any(|word| text.eq_ignore_ascii_case(word))
        && !is_number(text)
}

/// Whether a text could be read as a number, a date or a time of day.
fn is_number(text: &str) -> bool {
    let digits = text.trim_start_matches(['+', '-', '.']);
    let number = |c: char| c.is_ascii_digit() || "_:.eE+-xoTZ".contains(c) || c.is_ascii_hexdigit();
    digits.starts_with(|c: char| c.is_ascii_digit())
        && text.chars().all(number)
        // An address of three dots is neither.
        && text.matches('.').count() < 2
        || [".inf", ".nan"].iter().any(|word| text.trim_start_matches(['+', '-']).eq_ignore_ascii_case(word))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::ui::panes::text::whole;

    fn written(value: &Value) -> String {
        whole(&lines(value)[..])
    }

    #[test]
    fn an_object_reads_as_kubectl_writes_it() {
        let object = json!({
            "status": {"phase": "Running", "conditions": [{"type": "Ready", "status": "True"}]},
            "spec": {"a": [], "b": {}, "c": null, "list": [[1, 2.5], "x"], "args": ["--flag=1", "-v", "- no"]},
            "kind": "Pod", "apiVersion": "v1", "data": {"on": "yes"},
            "metadata": {"name": "web", "labels": {"a.b/c": "1", "empty": ""}},
        });
        insta::assert_snapshot!(written(&object), @r#"
        apiVersion: v1
        kind: Pod
        metadata:
          labels:
            a.b/c: "1"
            empty: ""
          name: web
        data:
          "on": "yes"
        spec:
          a: []
          args:
          - --flag=1
          - -v
          - "- no"
          b: {}
          c: null
          list:
          - - 1
            - 2.5
          - x
        status:
          conditions:
          - status: "True"
            type: Ready
          phase: Running
        "#);
    }

    #[test]
    fn long_texts_are_blocks_and_hostile_ones_are_escaped() {
        let object = json!({
            "a": "one\ntwo", "b": "one\n\n  two\n", "c": "one\n\n", "d": " one\ntwo", "e": "one \ntwo",
            "f": "\u{1b}[2J\n", "g": "\u{202e}\u{e0041}", "h": "50%", "i": "2026-01-01T00:00:00Z", "j": "10.0.0.1",
            "k": "a: b", "l": "a #b", "m": "a:b", "n": "1_000", "o": "0x1f", "p": "cafe", "q": "1e3", "r": ".5", "s": "12:30",
        });
        insta::assert_snapshot!(written(&object), @r#"
        a: |-
          one
          two
        b: |
          one

            two
        c: "one\n\n"
        d: " one\ntwo"
        e: "one \ntwo"
        f: "\x1b[2J\n"
        g: "\u202e\U000e0041"
        h: 50%
        i: "2026-01-01T00:00:00Z"
        j: 10.0.0.1
        k: "a: b"
        l: "a #b"
        m: a:b
        "n": "1_000"
        o: "0x1f"
        p: cafe
        q: "1e3"
        r: ".5"
        s: "12:30"
        "#);
    }

    fn reads_as_itself(value: &Value) {
        let text = written(value);
        let back: Value = serde_saphyr::from_str(&text).unwrap_or_else(|why| panic!("{why}\n{text}"));
        assert_eq!(&back, value, "{text}");
    }

    fn any_value() -> impl proptest::strategy::Strategy<Value = Value> {
        use proptest::prelude::*;
        let text = "[ -~\n]{0,12}|[a-z:#\\-.0-9 \n]{0,8}|(yes|no|on|~|null|0o17|1e5|\\.inf|-|--|---|\u{1b}|東|\u{202e})";
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i32>().prop_map(Value::from),
            text.prop_map(Value::from),
        ];
        leaf.prop_recursive(4, 40, 5, move |inner| {
            prop_oneof![
                proptest::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
                proptest::collection::btree_map(text, inner, 0..4).prop_map(|map| json!(map)),
            ]
        })
    }

    proptest::proptest! {
        #[test]
        fn what_is_written_reads_as_what_it_was(value in any_value()) {
            reads_as_itself(&json!({"spec": value}));
        }
    }

    #[test]
    fn every_object_of_the_recordings_reads_as_itself() {
        let Some(data) = std::env::var_os("V9S_TEST_DATA") else {
            return eprintln!("V9S_TEST_DATA is not set: nothing is checked");
        };
        let folder = std::path::Path::new(&data).join("recordings");
        let mut count = 0;
        for name in ["vm-running", "import-http-404", "vm-migration", "pool-three"] {
            let Ok(text) = std::fs::read_to_string(folder.join(name).with_extension("ndjson")) else {
                continue;
            };
            for line in text.lines().filter(|line| !line.is_empty()) {
                let value: Value = serde_json::from_str(line).unwrap();
                reads_as_itself(&value["object"]);
                count += 1;
            }
        }
        assert!(count > 50, "only {count} objects");
    }
}
