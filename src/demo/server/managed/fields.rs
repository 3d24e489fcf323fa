//! Sets of fields, and which fields a write has set and removed.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};

use crate::demo::server::schema::{Field, Owned, Type};

/// Fields of an object, in the form of `fieldsV1`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Fields {
    /// Whether the place itself is one of them, besides what is below it.
    here: bool,
    below: BTreeMap<String, Self>,
}

impl Fields {
    fn here() -> Self {
        Self { here: true, ..Self::default() }
    }

    /// Reads `fieldsV1`; none if it is something else.
    pub(super) fn read(value: &Value) -> Option<Self> {
        let mut fields = Self::default();
        for (key, value) in value.as_object()? {
            if key == "." {
                fields.here = true;
            } else {
                let below = Self::read(value)?;
                let leaf = below.is_empty();
                fields.below.insert(key.clone(), if leaf { Self::here() } else { below });
            }
        }
        Some(fields)
    }

    pub(super) fn json(&self) -> Value {
        let mut map: Map<String, Value> =
            self.below.iter().map(|(key, below)| (key.clone(), below.json())).collect();
        if self.here && !map.is_empty() {
            map.insert(".".into(), json!({}));
        }
        Value::Object(map)
    }

    pub(super) fn is_empty(&self) -> bool {
        !self.here && self.below.is_empty()
    }

    pub(super) fn add(&mut self, other: &Self) {
        self.here |= other.here;
        for (key, below) in &other.below {
            self.below.entry(key.clone()).or_default().add(below);
        }
    }

    pub(super) fn remove(&mut self, other: &Self) {
        self.here &= !other.here;
        for (key, gone) in &other.below {
            if let Some(below) = self.below.get_mut(key) {
                below.remove(gone);
                if below.is_empty() {
                    self.below.remove(key);
                }
            }
        }
    }

    /// Takes out a field with all below it.
    pub(super) fn forget(&mut self, path: &[&str]) {
        let [first, rest @ ..] = path else { return };
        let key = format!("f:{first}");
        let Some(below) = self.below.get_mut(&key) else { return };
        if rest.is_empty() {
            self.below.remove(&key);
            return;
        }
        below.forget(rest);
        if below.is_empty() {
            self.below.remove(&key);
        }
    }

    fn put(&mut self, key: String, below: Self) {
        if !below.is_empty() {
            self.below.insert(key, below);
        }
    }
}

/// What a write has done to the fields of an object.
#[derive(Debug, Default)]
pub(super) struct Difference {
    pub(super) written: Fields,
    pub(super) removed: Fields,
}

impl Difference {
    /// The difference between two values of this type; none where there is no value.
    pub(super) fn of(before: Option<&Value>, after: Option<&Value>, of: &Type) -> Self {
        between(before, after, of, &of.owned())
    }

    pub(super) fn forget(&mut self, path: &[&str]) {
        self.written.forget(path);
        self.removed.forget(path);
    }

    /// The same, but what is below the field stays.
    pub(super) fn forget_only(&mut self, field: &str) {
        let key = format!("f:{field}");
        for fields in [&mut self.written, &mut self.removed] {
            if let Some(mut of) = fields.below.remove(&key) {
                of.here = false;
                fields.put(key.clone(), of);
            }
        }
    }

    fn put(&mut self, key: String, below: Self) {
        self.written.put(key.clone(), below.written);
        self.removed.put(key, below.removed);
    }

    /// The place itself is new, gone or another.
    fn here(before: Option<&Value>, after: Option<&Value>) -> Self {
        Self {
            written: if after.is_some() { Fields::here() } else { Fields::default() },
            removed: if before.is_some() && after.is_none() { Fields::here() } else { Fields::default() },
        }
    }
}

fn between(before: Option<&Value>, after: Option<&Value>, of: &Type, owned: &Owned) -> Difference {
    if before == after {
        return Difference::default();
    }
    let mut difference = match (owned, before, after) {
        (Owned::Parts, None | Some(Value::Object(_)), None | Some(Value::Object(_))) => {
            parts(before.and_then(Value::as_object), after.and_then(Value::as_object), of)
        }
        (Owned::Values | Owned::Items(_), None | Some(Value::Array(_)), None | Some(Value::Array(_))) => {
            let item = if let Type::List(item) = of { item } else { &Type::Any };
            match (keyed(before, owned), keyed(after, owned)) {
                (Some(before), Some(after)) => items(&before, &after, item),
                _ => return Difference::here(before, after),
            }
        }
        _ => return Difference::here(before, after),
    };
    difference.written.here = before.is_none();
    difference.removed.here = after.is_none();
    difference
}

/// The differences of the fields or entries of two maps, of which one may be missing.
fn parts(before: Option<&Map<String, Value>>, after: Option<&Map<String, Value>>, of: &Type) -> Difference {
    let mut difference = Difference::default();
    let keys: BTreeSet<&String> = [before, after].into_iter().flatten().flat_map(Map::keys).collect();
    for key in keys {
        let field = of.object().and_then(|object| object.field(key));
        let [had, has] = [before, after].map(|side| side.map(|map| value_of(map, key, field)));
        let (had, has) = (had.unwrap_or_default(), has.unwrap_or_default());
        let below = match (field, of) {
            (Some(field), _) => between(had, has, &field.of, &field.owned()),
            (None, Type::Map(inside)) => between(had, has, inside, &inside.owned()),
            (None, _) => between(had, has, &Type::Any, &Owned::Parts),
        };
        difference.put(format!("f:{key}"), below);
    }
    difference
}

/// The value of a field in a map that is there. In Kubernetes' own kinds a field without a pointer is never missing, but for
/// lists and maps that may be, and null is nothing.
fn value_of<'a>(map: &'a Map<String, Value>, key: &str, field: Option<&Field>) -> Option<&'a Value> {
    static NOTHING: [Value; 3] = [Value::Null, Value::Bool(false), Value::String(String::new())];
    static EMPTY: std::sync::LazyLock<[Value; 3]> =
        std::sync::LazyLock::new(|| [json!({}), json!([]), json!(0)]);
    let value = map.get(key);
    let Some(field) = field.filter(|field| field.number > 0) else { return value };
    let [_, no, no_text] = &NOTHING;
    let [no_map, no_list, zero] = &*EMPTY;
    let missing = match &field.of {
        _ if field.pointer => None,
        Type::Message(_) => Some(no_map),
        Type::Text => Some(no_text),
        Type::Bool => Some(no),
        Type::Int | Type::Long => Some(zero),
        Type::List(_) if field.required => Some(no_list),
        Type::Map(_) if field.required => Some(no_map),
        _ => None,
    };
    value.filter(|value| !value.is_null()).or(missing)
}

/// The items of a list by what they are known by; none when that is missing or not one's own.
fn keyed<'a>(list: Option<&'a Value>, owned: &Owned) -> Option<BTreeMap<String, &'a Value>> {
    let list = list.and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
    let key = |item: &Value| match owned {
        Owned::Items(keys) => {
            let keys = keys.split(',').map(|key| Some((key.to_owned(), item.get(key)?.clone())));
            let keys: Option<Map<String, Value>> = keys.collect();
            Some(format!("k:{}", Value::Object(keys?)))
        }
        _ => Some(format!("v:{item}")),
    };
    let keyed: Option<BTreeMap<String, &Value>> = list.iter().map(|item| Some((key(item)?, item))).collect();
    keyed.filter(|keyed| keyed.len() == list.len())
}

fn items(before: &BTreeMap<String, &Value>, after: &BTreeMap<String, &Value>, of: &Type) -> Difference {
    let mut difference = Difference::default();
    let keys: BTreeSet<&String> = before.keys().chain(after.keys()).collect();
    for key in keys {
        let below = between(before.get(key).copied(), after.get(key).copied(), of, &of.owned());
        difference.put(key.clone(), below);
    }
    difference
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::demo::server::kinds::Kind;
    use crate::demo::server::schema;

    fn fields(value: &Value) -> Fields {
        Fields::read(value).unwrap()
    }

    #[test]
    fn sets_are_read_added_and_removed() {
        let mut set = fields(&json!({"f:a": {".": {}, "f:b": {}}, "f:c": {}}));
        assert_eq!(set.json(), json!({"f:a": {".": {}, "f:b": {}}, "f:c": {}}));
        set.add(&fields(&json!({"f:a": {"f:d": {}}})));
        set.remove(&fields(&json!({"f:a": {".": {}, "f:b": {}}, "f:e": {}})));
        assert_eq!(set.json(), json!({"f:a": {"f:d": {}}, "f:c": {}}));
        set.remove(&fields(&json!({"f:a": {"f:d": {}}})));
        set.forget(&["c"]);
        assert!(set.is_empty());
        assert_eq!(Fields::read(&json!({"f:a": 1})), None);
    }

    #[test]
    fn what_was_written_is_told_as_deep_as_it_is_owned() {
        for (kind, before, after, written, removed) in [
            // A map of another's kind is new with all in it; lists in it are one.
            (
                "VirtualMachine",
                json!({}),
                json!({"spec": {"running": true, "template": {"spec": {"volumes": [{"name": "a"}]}}}}),
                json!({"f:spec": {".": {}, "f:running": {}, "f:template": {".": {}, "f:spec": {".": {}, "f:volumes": {}}}}}),
                json!({}),
            ),
            (
                "VirtualMachine",
                json!({"spec": {"running": true, "template": {"metadata": {"labels": {"a": "b", "c": "d"}}}}}),
                json!({"spec": {"running": false, "template": {"metadata": {"labels": {"a": "b"}, "x": null}}}}),
                json!({"f:spec": {"f:running": {}, "f:template": {"f:metadata": {"f:x": {}}}}}),
                json!({"f:spec": {"f:template": {"f:metadata": {"f:labels": {"f:c": {}}}}}}),
            ),
            // Parts of Kubernetes' own kinds that are never missing are not new.
            (
                "Pod",
                json!({}),
                json!({"metadata": {"finalizers": ["a/b"], "labels": {"a": "b"}}, "spec": {
                    "nodeSelector": {"a": "b"}, "containers": [{"name": "a", "ports": [{"containerPort": 1, "protocol": "TCP"}]}],
                }}),
                json!({
                    "f:metadata": {"f:finalizers": {".": {}, "v:\"a/b\"": {}}, "f:labels": {".": {}, "f:a": {}}},
                    "f:spec": {"f:nodeSelector": {}, "f:containers": {"k:{\"name\":\"a\"}": {".": {}, "f:name": {}, "f:ports": {
                        ".": {}, "k:{\"containerPort\":1,\"protocol\":\"TCP\"}": {".": {}, "f:containerPort": {}, "f:protocol": {}},
                    }}}},
                }),
                json!({}),
            ),
            (
                "Pod",
                json!({"status": {"conditions": [{"type": "Ready", "status": "False"}, {"type": "Old", "status": "True"}]}}),
                json!({"status": {"conditions": [{"type": "Ready", "status": "True"}]}}),
                json!({"f:status": {"f:conditions": {"k:{\"type\":\"Ready\"}": {"f:status": {}}}}}),
                json!({"f:status": {"f:conditions": {"k:{\"type\":\"Old\"}": {".": {}, "f:status": {}, "f:type": {}}}}}),
            ),
            // Items that cannot be told apart are one list.
            (
                "Pod",
                json!({"spec": {"containers": [{"name": "a"}]}}),
                json!({"spec": {"containers": [{"name": "a"}, {"name": "a", "image": "i"}]}}),
                json!({"f:spec": {"f:containers": {}}}),
                json!({}),
            ),
        ] {
            let of = schema::of(Kind::all().find(|one| one.row().kind == kind).unwrap());
            let difference = Difference::of(Some(&before), Some(&after), of);
            assert_eq!(difference.written.json(), written, "{after}");
            assert_eq!(difference.removed.json(), removed, "{after}");
        }
    }
}
