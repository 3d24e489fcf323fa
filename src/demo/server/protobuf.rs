//! Objects in protobuf, which kubectl sends where it knows a kind itself. Answers are JSON, which it takes as well.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use jiff::Timestamp;
use serde_json::{Map, Value, json};

use super::schema::{Field, Type, messages};

/// What such a body begins with.
const MAGIC: &[u8] = b"k8s\0";

/// How deep messages may stand in one another.
const DEPTH: usize = 50;

/// A field of a message as it stands in the bytes.
#[derive(Clone, Copy)]
enum Wire<'a> {
    Number(u64),
    /// A number of a fixed length.
    Fixed(u64),
    Bytes(&'a [u8]),
}

/// The JSON form of a body; none if it is not one, or of a kind whose messages are not known.
pub(crate) fn to_json(body: &[u8]) -> Option<Value> {
    let (mut about, mut raw) = (&[][..], &[][..]);
    for (number, wire) in parts(body.strip_prefix(MAGIC)?)? {
        match (number, wire) {
            (1, Wire::Bytes(bytes)) => about = bytes,
            (2, Wire::Bytes(bytes)) => raw = bytes,
            _ => {}
        }
    }
    let (mut api_version, mut kind) = ("", "");
    for (number, wire) in parts(about)? {
        match (number, wire) {
            (1, Wire::Bytes(bytes)) => api_version = std::str::from_utf8(bytes).ok()?,
            (2, Wire::Bytes(bytes)) => kind = std::str::from_utf8(bytes).ok()?,
            _ => {}
        }
    }
    let mut object = message(raw, messages::parts(kind)?, DEPTH)?;
    object.insert("apiVersion".into(), api_version.into());
    object.insert("kind".into(), kind.into());
    Some(Value::Object(object))
}

fn message(bytes: &[u8], fields: &[Field], depth: usize) -> Option<Map<String, Value>> {
    let mut found = Map::new();
    let depth = depth.checked_sub(1)?;
    for (number, wire) in parts(bytes)? {
        let Some(field) = fields.iter().find(|field| field.number == number) else { continue };
        match &field.of {
            Type::List(item) => {
                let list = found.entry(&*field.name).or_insert_with(|| json!([]));
                if let (Value::Array(list), Some(value)) = (list, value(wire, item, depth)?) {
                    list.push(value);
                }
            }
            Type::Map(of) => {
                let Wire::Bytes(bytes) = wire else { return None };
                let (key, value) = entry(bytes, of, depth)?;
                let map = found.entry(&*field.name).or_insert_with(|| json!({}));
                map.as_object_mut()?.insert(key, value);
            }
            Type::Message(name) if field.inline => {
                let Wire::Bytes(bytes) = wire else { return None };
                found.extend(message(bytes, messages::parts(name)?, depth)?);
            }
            of => {
                let Some(value) = value(wire, of, depth)? else { continue };
                // What cannot be absent is sent even when there is nothing to say.
                if field.pointer || !is_zero(&value) {
                    found.insert(field.name.clone().into_owned(), value);
                }
            }
        }
    }
    Some(found)
}

fn is_zero(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Bool(truth) => !truth,
        Value::Number(number) => number.as_f64() == Some(0.0),
        Value::String(text) => text.is_empty(),
        Value::Array(list) => list.is_empty(),
        Value::Object(map) => map.is_empty(),
    }
}

/// An entry of a map.
fn entry(bytes: &[u8], of: &Type, depth: usize) -> Option<(String, Value)> {
    let (mut key, mut found) = (String::new(), None);
    for (number, wire) in parts(bytes)? {
        match (number, wire) {
            (1, Wire::Bytes(bytes)) => key = std::str::from_utf8(bytes).ok()?.to_owned(),
            (2, wire) => found = value(wire, of, depth)?,
            _ => {}
        }
    }
    Some((key, found.unwrap_or_else(|| empty(of))))
}

/// What an entry has that says nothing.
fn empty(of: &Type) -> Value {
    match of {
        Type::Text | Type::Bytes => json!(""),
        Type::Quantity => json!("0"),
        Type::Bool => json!(false),
        Type::Int | Type::Long | Type::Double | Type::Word => json!(0),
        Type::Message(_) | Type::Fields(_) | Type::Map(_) => json!({}),
        Type::List(_) => json!([]),
        Type::Time | Type::MicroTime | Type::Any => Value::Null,
    }
}

/// One value; the inner none is one that is not there, the outer one what is no such value.
#[expect(clippy::option_option, reason = "both are there: nothing sent, and nonsense sent")]
fn value(wire: Wire<'_>, of: &Type, depth: usize) -> Option<Option<Value>> {
    let value = match (of, wire) {
        (Type::Text, Wire::Bytes(bytes)) => std::str::from_utf8(bytes).ok()?.into(),
        (Type::Bytes, Wire::Bytes(bytes)) => BASE64_STANDARD.encode(bytes).into(),
        (Type::Bool, Wire::Number(number)) => (number != 0).into(),
        (Type::Int | Type::Long, Wire::Number(number)) => number.cast_signed().into(),
        (Type::Double, Wire::Fixed(bits)) => f64::from_bits(bits).into(),
        (Type::Message(name), Wire::Bytes(bytes)) => message(bytes, messages::parts(name)?, depth)?.into(),
        (Type::Time | Type::MicroTime, Wire::Bytes(bytes)) => {
            let number = |wanted| number_at(bytes, wanted);
            let (seconds, nanos) = (number(1)?.cast_signed(), number(2)?);
            if bytes.is_empty() {
                return Some(None);
            }
            let nanos = i32::try_from(nanos).ok()?;
            let time = Timestamp::new(seconds, nanos).ok()?;
            let digits = if matches!(of, Type::Time) { 0 } else { 6 };
            format!("{time:.digits$}").into()
        }
        (Type::Quantity, Wire::Bytes(bytes)) => text_at(bytes, 1)?.unwrap_or("0").into(),
        (Type::Word, Wire::Bytes(bytes)) => match number_at(bytes, 1)? {
            0 => number_at(bytes, 2)?.cast_signed().into(),
            _ => text_at(bytes, 3)?.unwrap_or_default().into(),
        },
        // A list in a map is a message of its own.
        (Type::List(item), Wire::Bytes(bytes)) => {
            let items = parts(bytes)?.into_iter().map(|(_, wire)| value(wire, item, depth));
            Value::Array(items.collect::<Option<Vec<_>>>()?.into_iter().flatten().collect())
        }
        (Type::Any, Wire::Bytes(bytes)) => match text_at(bytes, 1)? {
            Some(text) => serde_json::from_str(text).ok()?,
            None => return Some(None),
        },
        _ => return None,
    };
    Some(Some(value))
}

/// A number in a small message; 0 if it is not there.
fn number_at(bytes: &[u8], wanted: u64) -> Option<u64> {
    let found = parts(bytes)?.into_iter().rfind(|(number, _)| *number == wanted);
    match found {
        None => Some(0),
        Some((_, Wire::Number(number))) => Some(number),
        Some(_) => None,
    }
}

/// A text in a small message, if it is there.
#[expect(clippy::option_option, reason = "both are there: nothing sent, and nonsense sent")]
fn text_at(bytes: &[u8], wanted: u64) -> Option<Option<&str>> {
    let found = parts(bytes)?.into_iter().rfind(|(number, _)| *number == wanted);
    match found {
        None => Some(None),
        Some((_, Wire::Bytes(bytes))) => std::str::from_utf8(bytes).ok().map(Some),
        Some(_) => None,
    }
}

/// The fields of a message, in order.
fn parts(mut message: &[u8]) -> Option<Vec<(u64, Wire<'_>)>> {
    let mut found = Vec::new();
    while !message.is_empty() {
        let tag = number(&mut message)?;
        let wire = match tag & 7 {
            0 => Wire::Number(number(&mut message)?),
            1 => {
                let (bytes, rest) = message.split_first_chunk()?;
                message = rest;
                Wire::Fixed(u64::from_le_bytes(*bytes))
            }
            2 => {
                let length = usize::try_from(number(&mut message)?).ok()?;
                let (bytes, rest) = message.split_at_checked(length)?;
                message = rest;
                Wire::Bytes(bytes)
            }
            5 => {
                let (bytes, rest) = message.split_first_chunk()?;
                message = rest;
                Wire::Fixed(u32::from_le_bytes(*bytes).into())
            }
            _ => return None,
        };
        found.push((tag >> 3, wire));
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

    fn varint(mut value: usize) -> Vec<u8> {
        let mut out = Vec::new();
        while value > 0x7f {
            out.push(u8::try_from(value & 0x7f).unwrap() | 0x80);
            value >>= 7;
        }
        out.push(u8::try_from(value).unwrap());
        out
    }

    fn field(number: usize, bytes: &[u8]) -> Vec<u8> {
        [varint(number << 3 | 2), varint(bytes.len()), bytes.to_vec()].concat()
    }

    fn fields(fields: &[(usize, &[u8])]) -> Vec<u8> {
        fields.iter().flat_map(|(number, bytes)| field(*number, bytes)).collect()
    }

    fn body(api_version: &str, kind: &str, message: &[u8]) -> Vec<u8> {
        let about = fields(&[(1, api_version.as_bytes()), (2, kind.as_bytes())]);
        [MAGIC, &field(1, &about), &field(2, message), &field(3, b"")].concat()
    }

    fn review(kind: &str, spec: &[u8]) -> Vec<u8> {
        // Metadata and status are there too, and so is a number of the status.
        let status: &[u8] = if kind == "SelfSubjectAccessReview" { &[8, 0] } else { &[24, 0] };
        body("authorization.k8s.io/v1", kind, &fields(&[(1, &field(1, b"")), (2, spec), (3, status)]))
    }

    #[test]
    fn objects_are_read() {
        let metadata = fields(&[
            (1, b"settings"),
            (2, b""),
            (8, b""),
            (11, &fields(&[(1, b"tier"), (2, b"front")])),
            (14, b"a/b"),
            (14, b"c/d"),
        ]);
        let secret = fields(&[(1, &metadata), (2, &fields(&[(1, b"key"), (2, b"value")])), (3, b"Opaque")]);
        let secret = [secret, vec![5 << 3, 0]].concat();
        let data = BASE64_STANDARD.encode("value");
        assert_eq!(
            to_json(&body("v1", "Secret", &secret)),
            Some(json!({
                "apiVersion": "v1", "kind": "Secret", "data": {"key": data}, "type": "Opaque", "immutable": false,
                "metadata": {"name": "settings", "labels": {"tier": "front"}, "finalizers": ["a/b", "c/d"]},
            }))
        );
        let created = field(8, &[8, 0x87, 0xd6, 0x9e, 0xcd, 6, 16, 0]);
        let port = [fields(&[(1, b"web")]), vec![3 << 3, 80], field(4, &[8, 0, 16, 80, 26, 0])].concat();
        let named = field(4, &[8, 1, 16, 0, 26, 4, b'h', b't', b't', b'p']);
        let spec = fields(&[(1, &port), (1, &named)]);
        let service = to_json(&body("v1", "Service", &fields(&[(1, &created), (2, &spec)]))).unwrap();
        assert_eq!(service["metadata"], json!({"creationTimestamp": "2026-03-04T03:46:15Z"}));
        assert_eq!(
            service["spec"]["ports"],
            json!([{"name": "web", "port": 80, "targetPort": 80}, {"targetPort": "http"}])
        );
    }

    #[test]
    fn what_is_inlined_and_what_has_units_is_read() {
        // A volume from a ConfigMap, whose name is inlined twice over; an empty directory is still one.
        let map = fields(&[(2, &field(19, &field(1, &field(1, b"settings")))), (1, b"a")]);
        let empty = fields(&[(1, b"b"), (2, &field(2, &[]))]);
        let limits = fields(&[(1, b"memory"), (2, &field(1, b"1Gi"))]);
        let container = fields(&[(1, b"c"), (8, &field(1, &limits))]);
        let spec = fields(&[(1, &map), (1, &empty), (2, &container)]);
        let pod = to_json(&body("v1", "Pod", &field(2, &spec))).unwrap();
        assert_eq!(
            pod["spec"],
            json!({
                "volumes": [{"name": "a", "configMap": {"name": "settings"}}, {"name": "b", "emptyDir": {}}],
                "containers": [{"name": "c", "resources": {"limits": {"memory": "1Gi"}}}],
            })
        );
    }

    #[test]
    fn reviews_are_read() {
        let asked = fields(&[(1, b"shop"), (2, b"list"), (5, b"pods"), (6, b"")]);
        let resource = review("SelfSubjectAccessReview", &field(1, &asked));
        let resource = to_json(&resource).unwrap();
        assert_eq!(
            resource["spec"],
            json!({"resourceAttributes": {"namespace": "shop", "verb": "list", "resource": "pods"}})
        );
        let path = fields(&[(1, b"/version"), (2, b"get")]);
        let path = to_json(&review("SelfSubjectAccessReview", &field(2, &path))).unwrap();
        assert_eq!(path["spec"], json!({"nonResourceAttributes": {"path": "/version", "verb": "get"}}));
        let rules = to_json(&review("SelfSubjectRulesReview", &field(1, b"lab"))).unwrap();
        assert_eq!(rules["spec"], json!({"namespace": "lab"}));
    }

    #[test]
    fn anything_else_is_refused_and_harms_nobody() {
        let good = review("SelfSubjectAccessReview", &field(1, &field(1, b"shop")));
        for length in 0..good.len() {
            // A cut may leave a whole, shorter message; it never reads what is not there.
            let _ = to_json(&good[..length]);
        }
        for bad in ["", "k8s", "{}", "k8s\0\u{7f}", "k8s\0\n\u{7f}abc", "k8s\0\n\u{2}\n\u{7f}"] {
            assert_eq!(to_json(bad.as_bytes()), None, "{bad:?}");
        }
        assert_eq!(to_json(&[MAGIC, &[0xff; 20]].concat()), None);
        // A kind that has no messages, a number where a text stands, a moment that there is not.
        assert_eq!(to_json(&body("kubevirt.io/v1", "VirtualMachine", &[])), None);
        assert_eq!(to_json(&body("v1", "Secret", &[3 << 3, 1])), None);
        let never = field(8, &[8, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f]);
        assert_eq!(to_json(&body("v1", "Secret", &field(1, &never))), None);
    }

    proptest::proptest! {
        #[test]
        fn no_bytes_are_trouble(bytes in proptest::collection::vec(proptest::num::u8::ANY, 0..200)) {
            for kind in ["Pod", "Secret", "Deployment", "Event"] {
                let _ = to_json(&body("v1", kind, &bytes[..bytes.len().min(120)]));
            }
            let _ = to_json(&bytes);
        }
    }
}
