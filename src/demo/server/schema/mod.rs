//! What objects look like: their fields, and what may stand in each.
//!
//! | File | Holds |
//! |---|---|
//! | `messages` | Kubernetes' own kinds, with what protobuf and strategic merges need to know of them |
//! | `kinds` | which table a kind has: that of its messages, the field lists of [`crate::rules`], the schemas of our own kinds |
//! | `strict` | fields that an object cannot have, or has twice |
//! | `values` | values that are not of their field's type |
//! | `openapi`, `about` | the same told to clients, with descriptions |
//!
//! A map is closed only where all its fields are known; otherwise unknown ones pass.

mod about;
mod kinds;
pub(crate) mod messages;
mod openapi;
mod strict;
mod values;

use std::borrow::Cow;

pub(crate) use kinds::{of, whole};
pub(crate) use messages::message;
pub(crate) use openapi::{answer as openapi, described};
pub(crate) use strict::{Faults, Validation, repeated};
pub(crate) use values::{unreadable, wrong};

/// What may stand in a place.
#[derive(Clone, Debug)]
pub(crate) enum Type {
    /// Not looked into.
    Any,
    Text,
    Bool,
    Int,
    Long,
    Double,
    /// A moment in whole seconds, as text.
    Time,
    /// A moment in microseconds, as text.
    MicroTime,
    /// An amount, such as `500m`.
    Quantity,
    /// A number or a text.
    Word,
    /// Base64 in JSON.
    Bytes,
    /// A map with the fields of a message.
    Message(&'static str),
    /// A map with these fields.
    Fields(Object),
    List(Box<Self>),
    /// A map from any names to such values.
    Map(Box<Self>),
}

/// A map with fields.
#[derive(Clone, Debug, Default)]
pub(crate) struct Object {
    pub(crate) fields: Vec<Field>,
    /// Whether it may have others, too.
    pub(crate) open: bool,
    /// What it is called in a refusal; empty for most.
    pub(crate) name: &'static str,
    /// Whether it is owned as a whole.
    pub(crate) atomic: bool,
}

/// A field.
#[derive(Clone, Debug)]
pub(crate) struct Field {
    pub(crate) name: Cow<'static, str>,
    pub(crate) of: Type,
    pub(crate) required: bool,
    /// Its number in protobuf; 0 where the kind is not sent so.
    pub(crate) number: u64,
    /// Whether to be absent and to be empty are two things.
    pub(crate) pointer: bool,
    /// Whether its own fields stand in the place of it in JSON.
    pub(crate) inline: bool,
    /// How a strategic merge treats a list.
    pub(crate) merge: Merge,
    /// The same in the words of OpenAPI, with what else clients are told; empty for most.
    pub(crate) strategy: &'static str,
    /// How it is owned, where that does not follow from its type and merge.
    pub(crate) owned: Option<Owned>,
    pub(crate) about: Option<String>,
}

/// What a strategic merge does to a list.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Merge {
    /// The new one takes the place of the old one.
    #[default]
    Replace,
    /// Values are added that are not there yet.
    Set,
    /// Items are the same that have the same value in this field.
    By(&'static str),
}

/// How a value is owned by those who set it, as `managedFields` tell it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Owned {
    /// By one.
    Whole,
    /// Each field or entry by its own.
    Parts,
    /// Each value of a list.
    Values,
    /// Each item of a list, and its parts; it is known by these of its fields, with commas between them.
    Items(Cow<'static, str>),
}

impl Field {
    /// How its value is owned.
    pub(crate) fn owned(&self) -> Owned {
        match (&self.owned, &self.of, self.merge) {
            (Some(owned), ..) => owned.clone(),
            (None, Type::List(_), Merge::By(key)) => Owned::Items(key.into()),
            (None, Type::List(_), Merge::Set) => Owned::Values,
            (None, of, _) => of.owned(),
        }
    }

    pub(crate) fn new(name: impl Into<Cow<'static, str>>, of: Type) -> Self {
        Self {
            name: name.into(),
            of,
            required: false,
            number: 0,
            pointer: false,
            inline: false,
            merge: Merge::Replace,
            strategy: "",
            owned: None,
            about: None,
        }
    }
}

impl Type {
    /// How such a value is owned where nothing else is said.
    pub(crate) fn owned(&self) -> Owned {
        match self {
            Self::Message(_) | Self::Fields(_) if self.object().is_some_and(|object| object.atomic) => {
                Owned::Whole
            }
            Self::Message(_) | Self::Fields(_) | Self::Map(_) | Self::Any => Owned::Parts,
            _ => Owned::Whole,
        }
    }

    /// The fields of a map that has some.
    pub(crate) fn object(&self) -> Option<&Object> {
        match self {
            Self::Message(name) => message(name),
            Self::Fields(object) => Some(object),
            _ => None,
        }
    }
}

impl Object {
    pub(crate) fn field(&self, name: &str) -> Option<&Field> {
        self.fields.iter().find(|field| field.name == name)
    }
}

#[cfg(test)]
mod tests;
