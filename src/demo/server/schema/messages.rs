//! The messages of Kubernetes' own kinds.
//!
//! In the tables of `messages/` a line without indentation names a message; below it stand its fields:
//!
//! ```text
//! Container
//!  1 name! text
//!  6 ports [ContainerPort] merge=containerPort
//!  15 securityContext *SecurityContext
//! ```
//!
//! A field has its number in protobuf, its name (`!`: it is required; `~` alone: its fields stand in its place), its type
//! (`*`: absent and empty are two things; `[…]` a list; `{…}` a map), what a strategic merge does to it, and last, where that
//! does not follow from the rest, how it is owned: whole (`atomic`), part by part (`granular`), value by value (`set`), item
//! by item (`keys=`). A message of which all is owned by one has `atomic` after its name. These are facts of the API of
//! Kubernetes 1.36 as its server tells them; `tests/alike` compares them with a real one.

use std::collections::{HashMap, HashSet};
use std::sync::LazyLock;

use super::{Field, Merge, Object, Owned, Type};

/// The tables, and the package that the messages of each belong to in OpenAPI.
const TABLES: [(&str, &str); 10] = [
    ("io.k8s.apimachinery.pkg.apis.meta.v1", include_str!("messages/meta.txt")),
    ("io.k8s.api.core.v1", include_str!("messages/core.txt")),
    ("io.k8s.api.apps.v1", include_str!("messages/apps.txt")),
    ("io.k8s.api.rbac.v1", include_str!("messages/rbac.txt")),
    ("io.k8s.api.storage.v1", include_str!("messages/storage.txt")),
    ("io.k8s.api.coordination.v1", include_str!("messages/coordination.txt")),
    ("io.k8s.api.authentication.v1", include_str!("messages/authentication.txt")),
    ("io.k8s.api.authorization.v1", include_str!("messages/authorization.txt")),
    ("io.k8s.api.autoscaling.v1", include_str!("messages/autoscaling.txt")),
    ("io.k8s.api.policy.v1", include_str!("messages/policy.txt")),
];

/// After the name of a message of which all is owned by one.
const ATOMIC: &str = " atomic";

/// A message: as protobuf has it, and as JSON has it.
struct Message {
    package: &'static str,
    parts: Vec<Field>,
    object: Object,
}

static MESSAGES: LazyLock<HashMap<&'static str, Message>> = LazyLock::new(read);

/// A message with its fields in JSON.
pub(crate) fn message(name: &str) -> Option<&'static Object> {
    MESSAGES.get(name).map(|message| &message.object)
}

/// The name of a message in OpenAPI.
pub(crate) fn full_name(name: &str) -> String {
    let package = MESSAGES.get(name).map_or("", |message| message.package);
    format!("{package}.{name}")
}

/// The fields of a message in protobuf.
pub(crate) fn parts(name: &str) -> Option<&'static [Field]> {
    MESSAGES.get(name).map(|message| message.parts.as_slice())
}

fn read() -> HashMap<&'static str, Message> {
    let mut all: HashMap<&'static str, (&'static str, Vec<Field>)> = HashMap::new();
    let mut whole = HashSet::new();
    for (package, table) in TABLES {
        let mut name = "";
        for line in table.lines() {
            let own = line.strip_prefix(' ');
            if own.is_none() {
                name = line.trim_end_matches(ATOMIC);
                whole.extend((name.len() < line.len()).then_some(name));
            }
            all.entry(name).or_insert((package, Vec::new())).1.extend(own.and_then(field));
        }
    }
    let messages = all.iter().map(|(name, (package, parts))| {
        let atomic = whole.contains(name);
        let object = Object { fields: flat(parts, &all), open: false, name, atomic };
        (*name, Message { package, parts: parts.clone(), object })
    });
    messages.collect()
}

/// The fields of a message with those of its inlined ones in their place.
fn flat(parts: &[Field], all: &HashMap<&'static str, (&'static str, Vec<Field>)>) -> Vec<Field> {
    let mut fields = Vec::new();
    for part in parts {
        match &part.of {
            Type::Message(name) if part.inline => {
                fields.extend(flat(all.get(name).map_or(&[], |(_, parts)| parts.as_slice()), all));
            }
            _ => fields.push(part.clone()),
        }
    }
    fields
}

fn field(line: &'static str) -> Option<Field> {
    let mut words = line.split(' ');
    let number = words.next()?.parse().ok()?;
    let (name, of) = (words.next()?, words.next()?);
    let (mut strategy, mut owned) = ("", None);
    for word in words {
        match (word, word.strip_prefix("keys=")) {
            (_, Some(keys)) => owned = Some(Owned::Items(keys.into())),
            ("atomic", _) => owned = Some(Owned::Whole),
            ("granular", _) => owned = Some(Owned::Parts),
            ("set", _) => owned = Some(Owned::Values),
            _ => strategy = word,
        }
    }
    let (strategy, key) = strategy.split_once('=').unwrap_or((strategy, ""));
    let merge = match (strategy.starts_with("merge"), key) {
        (false, _) => Merge::Replace,
        (true, "") => Merge::Set,
        (true, key) => Merge::By(key),
    };
    let plain = of.trim_start_matches('*');
    Some(Field {
        number,
        merge,
        strategy,
        owned,
        required: name.ends_with('!'),
        pointer: plain.len() < of.len(),
        inline: name == "~",
        ..Field::new(name.trim_end_matches('!'), type_of(plain))
    })
}

fn type_of(word: &'static str) -> Type {
    let inside = |open, close| word.strip_prefix(open).and_then(|rest| rest.strip_suffix(close));
    if let Some(item) = inside('[', ']') {
        return Type::List(Box::new(type_of(item)));
    }
    if let Some(value) = inside('{', '}') {
        return Type::Map(Box::new(type_of(value)));
    }
    match word {
        "any" => Type::Any,
        "text" => Type::Text,
        "bool" => Type::Bool,
        "int" => Type::Int,
        "long" => Type::Long,
        "double" => Type::Double,
        "time" => Type::Time,
        "microtime" => Type::MicroTime,
        "quantity" => Type::Quantity,
        "word" => Type::Word,
        "bytes" => Type::Bytes,
        message => Type::Message(message),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::demo::server::kinds::Kind;

    fn named(of: &Type) -> Option<&'static str> {
        match of {
            Type::Message(name) => Some(name),
            Type::List(item) | Type::Map(item) => named(item),
            _ => None,
        }
    }

    #[test]
    fn every_line_is_a_field_and_every_message_is_there() {
        let lines = TABLES.iter().flat_map(|(_, table)| table.lines());
        let fields = lines.clone().filter(|line| line.starts_with(' ')).count();
        let read: usize = MESSAGES.values().map(|message| message.parts.len()).sum();
        assert_eq!((fields, lines.count() - fields), (read, MESSAGES.len()));
        for (name, of) in MESSAGES.iter().flat_map(|(name, of)| of.parts.iter().map(move |of| (name, of))) {
            assert!(named(&of.of).is_none_or(|message| parts(message).is_some()), "{name}: {of:?}");
            assert!(of.number > 0 && !of.name.is_empty(), "{name}: {of:?}");
        }
        for kind in Kind::all().filter(|kind| kind.row().builtin) {
            assert!(message(kind.row().kind).is_some(), "{}", kind.row().kind);
        }
    }

    #[test]
    fn what_is_inlined_stands_in_its_place() {
        let volume = message("Volume").unwrap();
        assert!(volume.field("emptyDir").is_some_and(|field| field.pointer));
        assert!(volume.field("name").is_some_and(|field| field.required) && volume.field("~").is_none());
        let ports = message("Container").unwrap().field("ports").unwrap();
        assert_eq!(ports.merge, Merge::By("containerPort"));
        assert_eq!(message("ObjectMeta").unwrap().field("finalizers").unwrap().merge, Merge::Set);
    }
}
