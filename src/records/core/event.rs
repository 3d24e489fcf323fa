//! Event.

use serde::Deserialize;

use crate::records::wire::{WireMeta, versioned};
use crate::records::{Kind, KindInfo, Meta, Record};

/// A Event.
#[derive(Debug, Default, PartialEq)]
pub struct Event {
    /// What every object has.
    pub meta: Meta,
}

#[derive(Deserialize, Default)]
#[serde(default)]
pub struct EventWire<'a> {
    #[serde(borrow)]
    metadata: WireMeta<'a>,
}
versioned!(EventWire);

impl Record for Event {
    const KIND: Kind = Kind::Event;
    const INFO: KindInfo = KindInfo {
        group: "",
        versions: &["v1"],
        name: "Event",
        plural: "events",
        short: &["ev"],
        namespaced: true,
        partners: &[],
    };
    type Wire<'de> = EventWire<'de>;

    fn fold(wire: EventWire<'_>) -> Self {
        Self { meta: wire.metadata.fold() }
    }

    fn bare(meta: Meta) -> Self {
        Self { meta }
    }

    fn meta(&self) -> &Meta {
        &self.meta
    }
}
