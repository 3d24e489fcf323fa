//! Namespace.

use serde::Deserialize;

use crate::model::{Name, Uid, Word};
use crate::records::wire::{Nullable, Str, WireMeta, versioned};
use crate::records::{Kind, KindInfo, Meta, Record};
use crate::text;

/// A Namespace.
#[derive(Debug, Default, PartialEq)]
pub struct Namespace {
    /// What every object has.
    pub meta: Meta,
    /// `status.phase`: Active or Terminating.
    pub phase: Word,
}

impl Namespace {
    /// The phase of one that no server has confirmed.
    pub const UNCONFIRMED: &str = "Unconfirmed";

    /// One that somebody has named and no server has confirmed.
    pub fn unconfirmed(name: &str) -> Self {
        let mut namespace = Self { phase: Word::new(Self::UNCONFIRMED), ..Self::default() };
        namespace.meta.uid = Uid::hashed(name.as_bytes());
        namespace.meta.name = Name::new(text::clean(name));
        namespace
    }
}

#[derive(Deserialize, Default)]
#[serde(default)]
pub struct NamespaceWire<'a> {
    #[serde(borrow)]
    metadata: WireMeta<'a>,
    #[serde(borrow)]
    status: Nullable<Status<'a>>,
}
versioned!(NamespaceWire);

#[derive(Deserialize, Default)]
#[serde(default)]
struct Status<'a> {
    #[serde(borrow)]
    phase: Str<'a>,
}

impl Record for Namespace {
    const KIND: Kind = Kind::Namespace;
    const INFO: KindInfo = KindInfo {
        group: "",
        versions: &["v1"],
        name: "Namespace",
        plural: "namespaces",
        words: "namespaces",
        short: &["ns"],
        namespaced: false,
        partners: &[],
    };
    type Wire<'de> = NamespaceWire<'de>;

    fn fold(wire: NamespaceWire<'_>) -> Self {
        Self { meta: wire.metadata.fold(), phase: wire.status.phase.word() }
    }

    fn bare(meta: Meta) -> Self {
        Self { meta, ..Self::default() }
    }

    fn meta(&self) -> &Meta {
        &self.meta
    }
}
