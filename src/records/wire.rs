//! Building blocks of the borrowed structs that objects are decoded with.
//!
//! The API server writes `null` where Go has nil, and leaves out what is empty: everything here reads both as the default.

use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;
use std::ops::Deref;

use serde::de::{self, Deserialize, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;

use super::Meta;
use super::labels::{Labels, Value};
use super::values::Number;
use crate::model::{Key, Name, Time, Uid, Word, parse_bytes, parse_millis};
use crate::text;

/// Objects that know their `metadata.resourceVersion`.
pub trait Versioned {
    /// The version, good for equality and for requests only.
    fn version(&self) -> &str;
}

/// Implements [`Versioned`] for structs with a `metadata` field.
macro_rules! versioned {
    ($($wire:ident),*) => {
        $(impl $crate::records::wire::Versioned for $wire<'_> {
            fn version(&self) -> &str {
                &self.metadata.resource_version
            }
        })*
    };
}
pub(crate) use versioned;

/// Text borrowed from the answer unless it has escapes; `null` is empty. (`Option<Cow<str>>` would copy.)
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Str<'a>(pub Cow<'a, str>);

impl Deref for Str<'_> {
    type Target = str;

    fn deref(&self) -> &str {
        &self.0
    }
}

impl Str<'_> {
    /// As a word shared by many objects.
    pub fn word(&self) -> Word {
        Word::new(self)
    }

    /// As a name that is safe to show.
    pub fn name(&self) -> Name {
        Name::new(text::clean(self))
    }

    /// As a moment.
    pub fn time(&self) -> Option<Time> {
        if self.is_empty() { None } else { Time::parse(self) }
    }
}

struct StrVisitor;

impl<'de> Visitor<'de> for StrVisitor {
    type Value = Str<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("text or null")
    }

    fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Str<'de>, E> {
        Ok(Str(Cow::Borrowed(text)))
    }

    fn visit_str<E>(self, text: &str) -> Result<Str<'de>, E> {
        Ok(Str(Cow::Owned(text.to_owned())))
    }

    fn visit_unit<E>(self) -> Result<Str<'de>, E> {
        Ok(Str::default())
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Str<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(StrVisitor)
    }
}

/// A field that may be missing or `null`, which both mean its default.
#[derive(Debug, Default)]
pub struct Nullable<T>(pub T);

impl<T> Deref for Nullable<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0
    }
}

impl<'de, T: Deserialize<'de> + Default> Deserialize<'de> for Nullable<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Option::<T>::deserialize(deserializer).map(|value| Self(value.unwrap_or_default()))
    }
}

/// `metadata` of any object; `L` and `A` pick the labels and annotations that a record needs.
#[derive(serde::Deserialize, Debug, Default)]
#[serde(
    default,
    rename_all = "camelCase",
    bound = "'de: 'a, L: Deserialize<'de> + Default, A: Deserialize<'de> + Default"
)]
pub struct WireMeta<'a, L = IgnoredAny, A = IgnoredAny> {
    /// `metadata.name`.
    pub name: Str<'a>,
    /// `metadata.namespace`.
    pub namespace: Str<'a>,
    uid: Str<'a>,
    /// `metadata.resourceVersion`.
    pub resource_version: Str<'a>,
    creation_timestamp: Str<'a>,
    deletion_timestamp: Str<'a>,
    deletion_grace_period_seconds: Number,
    owner_references: Folded<Owners>,
    /// The labels; those asked for can be read.
    #[serde(borrow)]
    pub labels: Labelled<'a, L>,
    /// The annotations asked for.
    pub annotations: Nullable<A>,
}

/// All labels as they are written, and what was picked from them.
#[derive(Debug, Default)]
pub struct Labelled<'a, L> {
    all: Option<&'a RawValue>,
    picked: L,
}

impl<L> Deref for Labelled<'_, L> {
    type Target = L;

    fn deref(&self) -> &L {
        &self.picked
    }
}

impl<'de: 'a, 'a, L: Deserialize<'de> + Default> Deserialize<'de> for Labelled<'a, L> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let all = Option::<&'de RawValue>::deserialize(deserializer)?;
        let picked = match all {
            // Nothing is picked, so it need not be read twice.
            Some(all) if size_of::<L>() > 0 => serde_json::from_str(all.get()).map_err(de::Error::custom)?,
            _ => L::default(),
        };
        Ok(Self { all, picked })
    }
}

/// Labels while they are read: each goes where the function says.
struct Each<F>(F);

impl<'de, F: FnMut(&str, &str)> Visitor<'de> for Each<F> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("labels")
    }

    fn visit_map<M: MapAccess<'de>>(mut self, mut map: M) -> Result<(), M::Error> {
        while let Some((key, value)) = map.next_entry::<Str<'de>, Str<'de>>()? {
            (self.0)(&key, &value);
        }
        Ok(())
    }
}

impl<L, A> WireMeta<'_, L, A> {
    /// The part that every record keeps.
    pub fn fold(&self) -> Meta {
        let mut meta = self.owner_references.0.0.clone();
        meta.name = self.name.name();
        meta.namespace = self.namespace.word();
        // Only rows that a server made up have no UID; their place is their identity.
        meta.uid = if self.uid.is_empty() {
            Uid::hashed(format!("{}/{}", &*self.namespace, &*self.name).as_bytes())
        } else {
            Uid::parse(&self.uid)
        };
        meta.created = self.creation_timestamp.time();
        // The moment in the object is when its grace period ends.
        let grace = i64::from(self.deletion_grace_period_seconds.u32());
        let asked = |ends: Time| Time::from_seconds(ends.seconds().saturating_sub(grace));
        meta.set_deleted(self.deletion_timestamp.time().and_then(asked));
        if let Some(all) = self.labels.all {
            meta.labels = Labels::read(|take| {
                // Labels that are none are as good as missing.
                let _ = serde_json::Deserializer::from_str(all.get()).deserialize_map(Each(
                    |key: &str, value: &str| {
                        take(key, Value::of(&meta, value));
                    },
                ));
            });
        }
        meta
    }
}

/// Something that is made from the elements of an array while they are read.
pub trait Fold<'de>: Default {
    /// One element.
    type Item: Deserialize<'de>;

    /// Takes the next element.
    fn add(&mut self, item: Self::Item);
}

/// An array folded into `F` without ever being a vector; `null` is empty.
#[derive(Debug, Default)]
pub struct Folded<F>(pub F);

impl<F> Deref for Folded<F> {
    type Target = F;

    fn deref(&self) -> &F {
        &self.0
    }
}

impl<'de, F: Fold<'de>> Deserialize<'de> for Folded<F> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Elements<F>(PhantomData<F>);

        impl<'de, F: Fold<'de>> Visitor<'de> for Elements<F> {
            type Value = Folded<F>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an array or null")
            }

            fn visit_seq<S: SeqAccess<'de>>(self, mut elements: S) -> Result<Folded<F>, S::Error> {
                let mut folded = F::default();
                while let Some(Nullable(item)) = elements.next_element::<Nullable<Option<F::Item>>>()? {
                    if let Some(item) = item {
                        folded.add(item);
                    }
                }
                Ok(Folded(folded))
            }

            fn visit_unit<E>(self) -> Result<Folded<F>, E> {
                Ok(Folded(F::default()))
            }
        }

        deserializer.deserialize_any(Elements(PhantomData))
    }
}

#[derive(serde::Deserialize, Debug, Default)]
#[serde(default)]
struct WireOwner<'a> {
    #[serde(borrow)]
    uid: Str<'a>,
    controller: Nullable<bool>,
}

/// Owner references, folded into an otherwise empty [`Meta`].
#[derive(Debug, Default)]
struct Owners(Meta);

impl<'de> Fold<'de> for Owners {
    type Item = WireOwner<'de>;

    fn add(&mut self, owner: WireOwner<'de>) {
        if !owner.uid.is_empty() {
            self.0.add_owner(Key::uid(Uid::parse(&owner.uid)), *owner.controller);
        }
    }
}

/// One entry of `status.conditions`, of any kind that has them.
#[derive(serde::Deserialize, Debug, Default)]
#[serde(default, rename_all = "camelCase")]
pub struct Condition<'a> {
    /// `type`.
    #[serde(borrow, rename = "type")]
    pub name: Str<'a>,
    /// `True`, `False` or `Unknown`.
    #[serde(borrow)]
    pub status: Str<'a>,
    /// `reason`: usually a word, sometimes a sentence.
    #[serde(borrow)]
    pub reason: Str<'a>,
    #[serde(borrow)]
    last_transition_time: Str<'a>,
}

impl Condition<'_> {
    /// Whether its status is `True`.
    pub fn is_true(&self) -> bool {
        &*self.status == "True"
    }

    /// Whether its status is `False`.
    pub fn is_false(&self) -> bool {
        &*self.status == "False"
    }

    /// When its status changed last; KubeVirt often leaves it out.
    pub fn since(&self) -> Option<Time> {
        self.last_transition_time.time()
    }
}

/// An amount of memory or storage in bytes, written as text or as a number.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Bytes(pub Option<u64>);

/// An amount of processors in thousandths, written as text or as a number.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Millis(pub Option<u32>);

struct Amount<T>(fn(&str) -> T);

impl<T> Visitor<'_> for Amount<T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a quantity")
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<T, E> {
        Ok((self.0)(text))
    }

    fn visit_u64<E: de::Error>(self, number: u64) -> Result<T, E> {
        self.visit_str(&number.to_string())
    }

    fn visit_i64<E: de::Error>(self, number: i64) -> Result<T, E> {
        self.visit_str(&number.to_string())
    }

    fn visit_f64<E: de::Error>(self, number: f64) -> Result<T, E> {
        self.visit_str(&number.to_string())
    }

    fn visit_unit<E: de::Error>(self) -> Result<T, E> {
        self.visit_str("")
    }
}

impl<'de> Deserialize<'de> for Bytes {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Amount(|text| Self(parse_bytes(text))))
    }
}

impl<'de> Deserialize<'de> for Millis {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Amount(|text| Self(parse_millis(text))))
    }
}
