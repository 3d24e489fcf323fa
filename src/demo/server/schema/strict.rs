//! Fields that an object cannot have, and those that it has twice.

use std::collections::HashSet;
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::Value;

use super::{Field, Type};
use crate::demo::server::route::Query;

/// How many faults are told, as with kube-apiserver.
const MOST: usize = 100;

/// How much of a path is told, in bytes.
const LONGEST: usize = 1 << 10;

/// Fields that Kubernetes shows even if there is nothing in them, though they are not required.
const SHOWN_EMPTY: [&str; 4] = ["rules", "sources", "names", "requestMappings"];

/// What becomes of fields that an object cannot have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Validation {
    /// They are dropped.
    Ignore,
    /// They are dropped, and named in headers.
    Warn,
    /// The request is refused.
    Strict,
}

impl Validation {
    /// What a request asks for; values that are not known have been refused before.
    pub(crate) fn of(query: &Query) -> Self {
        match query.get("fieldValidation") {
            Some("Strict") => Self::Strict,
            Some("Ignore") => Self::Ignore,
            _ => Self::Warn,
        }
    }
}

/// What is wrong with the fields of an object, as whole texts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Faults(pub(crate) Vec<String>);

impl Faults {
    /// Those of a body, and of what has been read from it: unknown fields are taken out of that.
    pub(crate) fn take(body: &[u8], object: &mut Value, of: &Type, validation: Validation) -> Self {
        let mut faults = if validation == Validation::Ignore { Self::default() } else { repeated(body) };
        let mut path = Vec::new();
        prune(object, of, &mut path, &mut faults);
        if validation == Validation::Ignore { Self::default() } else { faults }
    }

    /// Why a request is refused that asked for it.
    pub(crate) fn refused(&self, validation: Validation) -> Option<String> {
        let refused = validation == Validation::Strict && !self.0.is_empty();
        refused.then(|| format!("strict decoding error: {}", self.0.join(", ")))
    }

    fn add(&mut self, what: &str, path: &[Step]) {
        if self.0.len() < MOST {
            self.0.push(format!("{what} field \"{}\"", text(path)));
        }
    }
}

/// One step of a path.
enum Step {
    Key(String),
    Item(usize),
}

/// A path as Go's libraries write it.
fn text(path: &[Step]) -> String {
    let mut text = String::new();
    for step in path {
        match step {
            Step::Item(at) => text += &format!("[{at}]"),
            Step::Key(_) if text.len() > LONGEST => break,
            Step::Key(key) => {
                if !text.is_empty() {
                    text.push('.');
                }
                text.extend(key.chars().take(LONGEST));
            }
        }
    }
    text
}

/// Takes out every field that is not known, and of Kubernetes' own kinds what says nothing.
fn prune(value: &mut Value, of: &Type, path: &mut Vec<Step>, faults: &mut Faults) {
    match (of, value) {
        (Type::List(item), Value::Array(list)) => {
            for (at, value) in list.iter_mut().enumerate() {
                path.push(Step::Item(at));
                prune(value, item, path, faults);
                path.pop();
            }
        }
        (Type::Map(inside), Value::Object(map)) if inside.object().is_some() => {
            for (key, value) in map {
                path.push(Step::Key(key.clone()));
                prune(value, inside, path, faults);
                path.pop();
            }
        }
        (of, Value::Object(map)) => {
            let Some(object) = of.object() else { return };
            map.retain(|key, value| {
                path.push(Step::Key(key.clone()));
                let known = object.field(key);
                match known {
                    Some(field) => prune(value, &field.of, path, faults),
                    None if object.open => {}
                    None => faults.add("unknown", path),
                }
                path.pop();
                known.map_or(object.open, |field| !says_nothing(field, value))
            });
        }
        _ => {}
    }
}

/// Whether a field of Kubernetes' own kinds is as good as absent, and so left out.
fn says_nothing(field: &Field, value: &Value) -> bool {
    let own = field.number > 0 && !field.required && !SHOWN_EMPTY.contains(&&*field.name);
    own && match (&field.of, value) {
        (_, Value::Null) => true,
        (Type::List(_), Value::Array(list)) => list.is_empty(),
        (Type::Map(_), Value::Object(map)) => map.is_empty(),
        _ => false,
    }
}

/// The fields that stand twice in a map of a JSON text, in the order of the text.
pub(crate) fn repeated(body: &[u8]) -> Faults {
    let mut faults = Faults::default();
    let mut deserializer = serde_json::Deserializer::from_slice(body);
    // A text that is no JSON is refused elsewhere.
    let _ = Seed { path: &mut Vec::new(), faults: &mut faults }.deserialize(&mut deserializer);
    faults
}

struct Seed<'a> {
    path: &'a mut Vec<Step>,
    faults: &'a mut Faults,
}

impl<'de> DeserializeSeed<'de> for Seed<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

macro_rules! passed_over {
    ($($visit:ident: $of:ty),*) => {
        $(fn $visit<E>(self, _: $of) -> Result<(), E> {
            Ok(())
        })*
    };
}

impl<'de> Visitor<'de> for Seed<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    passed_over!(visit_bool: bool, visit_i64: i64, visit_u64: u64, visit_f64: f64, visit_str: &str);

    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<(), A::Error> {
        let mut at = 0;
        loop {
            self.path.push(Step::Item(at));
            let item = items.next_element_seed(Seed { path: self.path, faults: self.faults });
            self.path.pop();
            if item?.is_none() {
                return Ok(());
            }
            at += 1;
        }
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<(), A::Error> {
        let mut seen = HashSet::new();
        let mut told = HashSet::new();
        while let Some(key) = entries.next_key::<String>()? {
            self.path.push(Step::Key(key.clone()));
            let again = seen.contains(&key);
            if again && told.insert(key.clone()) {
                self.faults.add("duplicate", self.path);
            }
            let value = if again {
                // What is in it has been told, or will not count.
                entries.next_value::<IgnoredAny>().map(drop)
            } else {
                entries.next_value_seed(Seed { path: self.path, faults: self.faults })
            };
            self.path.pop();
            value?;
            seen.insert(key);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::of;
    use super::*;
    use crate::demo::server::kinds::Kind;

    #[test]
    fn unknown_fields_are_taken_out_and_named() {
        let pod = Kind::of_object("v1", "Pod").unwrap();
        let machine = Kind::of_object("kubevirt.io/v1", "VirtualMachine").unwrap();
        let other = Kind::of_object("kubevirt.io/v1", "KubeVirt").unwrap();
        for (kind, object, faults) in [
            (pod, json!({"spec": {"containers": [{"name": "a", "env": [{"name": "x"}]}]}}), &[][..]),
            (
                pod,
                json!({"foo": 1, "spec": {"containers": [{"name": "a"}, {"nope": 1, "env": [{"valu": "y"}]}]}}),
                &["foo", "spec.containers[1].env[0].valu", "spec.containers[1].nope"],
            ),
            (pod, json!({"metadata": {"labels": {"any": "thing"}, "lables": {}}}), &["metadata.lables"]),
            (pod, json!({"spec": 7, "metadata": [], "status": {"conditions": {"a": 1}}}), &[]),
            (machine, json!({"spec": {"template": {"metadata": {"any": 1}}}, "status": {"any": 1}}), &[]),
            (
                machine,
                json!({"spec": {"foo": 1, "template": {"spec": {"domain": {"devices": {"disks": [{"bot": 1}]}}}}}}),
                &["spec.foo", "spec.template.spec.domain.devices.disks[0].bot"],
            ),
            (
                other,
                json!({"anything": 1, "spec": {"goes": true}, "metadata": {"foo": 1}}),
                &["metadata.foo"],
            ),
        ] {
            let mut pruned = object.clone();
            let found = Faults::take(b"{}", &mut pruned, of(kind), Validation::Warn);
            let wanted: Vec<String> = faults.iter().map(|path| format!("unknown field \"{path}\"")).collect();
            assert_eq!(found.0, wanted);
            assert_eq!(pruned == object, wanted.is_empty());
            assert_eq!(Faults::take(b"{}", &mut pruned, of(kind), Validation::Strict), Faults::default());
        }
    }

    #[test]
    fn repeated_fields_are_named_once() {
        for (text, paths) in [
            (r#"{"a": 1, "b": {"a": 1}, "c": [{"a": 1}, {"a": 2}]}"#, &[][..]),
            (r#"{"a": 1, "a": 2, "a": 3}"#, &["a"]),
            (r#"{"a": {"b": [0, {"c": 1, "d": 2, "c": 3}]}, "e": 1, "e": {}}"#, &["a.b[1].c", "e"]),
            (r#"{"a": 1, "a": "#, &["a"]),
            ("nonsense", &[]),
        ] {
            let wanted: Vec<String> =
                paths.iter().map(|path| format!("duplicate field \"{path}\"")).collect();
            assert_eq!(repeated(text.as_bytes()).0, wanted, "{text}");
        }
    }

    #[test]
    fn what_is_told_has_an_end() {
        let deep = format!("{}{}", "{\"a\":".repeat(5000), "}".repeat(5000));
        assert_eq!(repeated(deep.as_bytes()).0.len(), 0);
        let key = "k".repeat(1 << 20);
        let long = format!("{{\"{key}\": {{{}}}}}", "\"a\":1,".repeat(100_000) + "\"a\":1");
        assert!(repeated(long.as_bytes()).0.iter().map(String::len).sum::<usize>() < 4 << 10);
        let mut many = json!({});
        for at in 0..1000 {
            many[format!("field{at}")] = at.into();
        }
        let pod = Kind::of_object("v1", "Pod").unwrap();
        assert_eq!(Faults::take(b"", &mut many, of(pod), Validation::Strict).0.len(), MOST);
    }
}
