//! DataSource.

use serde::Deserialize;

use crate::model::{Key, Name, Time, Word};
use crate::records::values::Truth;
use crate::records::wire::{Condition, Fold, Folded, Nullable, Str, WireMeta, versioned};
use crate::records::{Kind, KindInfo, Meta, Record, name_key};

/// A DataSource: a name for the disk that new machines are copied from.
#[derive(Debug, Default, PartialEq)]
pub struct DataSource {
    /// What every object has.
    pub meta: Meta,
    /// Reason of the condition `Ready`: `Ready`, `NoSource`, `NotFound`, a DataVolume's phase, ….
    pub reason: Word,
    /// Name of what `spec.source` points to.
    pub source: Name,
    /// Namespace of what `spec.source` points to; its own if that is left out.
    pub source_namespace: Word,
    /// Label `instancetype.kubevirt.io/default-instancetype`.
    pub instancetype: Word,
    /// Label `instancetype.kubevirt.io/default-preference`.
    pub preference: Word,
    /// When `Ready` changed last.
    pub ready_since: Option<Time>,
    /// Condition `Ready`.
    pub ready: Truth,
    /// What kind of object `spec.source` points to.
    pub source_kind: DataSourceKind,
}

/// What a DataSource points to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum DataSourceKind {
    /// Nothing, or something that the API server dropped (`http` is no source of a DataSource).
    #[default]
    None,
    /// `pvc`.
    Claim,
    /// `snapshot`.
    Snapshot,
    /// `dataSource`: another one.
    DataSource,
}

impl DataSourceKind {
    fn kind(self) -> Option<Kind> {
        match self {
            Self::None => None,
            Self::Claim => Some(Kind::Claim),
            Self::Snapshot => Some(Kind::VolumeSnapshot),
            Self::DataSource => Some(Kind::DataSource),
        }
    }
}

#[derive(Deserialize, Default)]
#[serde(default)]
pub struct DataSourceWire<'a> {
    #[serde(borrow)]
    metadata: WireMeta<'a, Labels<'a>>,
    #[serde(borrow)]
    spec: Nullable<Spec<'a>>,
    status: Nullable<Status>,
}
versioned!(DataSourceWire);

#[derive(Deserialize, Default)]
#[serde(default)]
struct Labels<'a> {
    #[serde(borrow, rename = "instancetype.kubevirt.io/default-instancetype")]
    instancetype: Str<'a>,
    #[serde(borrow, rename = "instancetype.kubevirt.io/default-preference")]
    preference: Str<'a>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Spec<'a> {
    #[serde(borrow)]
    source: Nullable<Sources<'a>>,
}

#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
struct Sources<'a> {
    #[serde(borrow)]
    pvc: Option<Place<'a>>,
    #[serde(borrow)]
    snapshot: Option<Place<'a>>,
    #[serde(borrow)]
    data_source: Option<Place<'a>>,
}

/// The name and namespace of a source.
#[derive(Deserialize, Default)]
#[serde(default)]
pub(super) struct Place<'a> {
    #[serde(borrow)]
    pub(super) name: Str<'a>,
    #[serde(borrow)]
    namespace: Str<'a>,
}

impl Place<'_> {
    /// The namespace it names, or `home`.
    pub(super) fn namespace(&self, home: Word) -> Word {
        if self.namespace.is_empty() { home } else { self.namespace.word() }
    }
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Status {
    conditions: Folded<Ready>,
}

#[derive(Default)]
struct Ready {
    ready: Truth,
    reason: Word,
    since: Option<Time>,
}

impl<'de> Fold<'de> for Ready {
    type Item = Condition<'de>;

    fn add(&mut self, condition: Condition<'de>) {
        if &*condition.name == "Ready" {
            self.ready = Truth::read(&condition.status);
            self.reason = condition.reason.word();
            self.since = condition.since();
        }
    }
}

impl Record for DataSource {
    const KIND: Kind = Kind::DataSource;
    const INFO: KindInfo = KindInfo {
        group: "cdi.kubevirt.io",
        versions: &["v1beta1"],
        name: "DataSource",
        plural: "datasources",
        words: "data sources",
        short: &["das"],
        namespaced: true,
        partners: &[],
    };
    type Wire<'de> = DataSourceWire<'de>;

    fn fold(wire: DataSourceWire<'_>) -> Self {
        let meta = wire.metadata.fold();
        let (labels, sources) = (&wire.metadata.labels, &wire.spec.source);
        let ready = &wire.status.conditions;
        let (source_kind, place) = match (&sources.pvc, &sources.snapshot, &sources.data_source) {
            (Some(place), ..) => (DataSourceKind::Claim, Some(place)),
            (_, Some(place), _) => (DataSourceKind::Snapshot, Some(place)),
            (.., Some(place)) => (DataSourceKind::DataSource, Some(place)),
            (None, None, None) => (DataSourceKind::None, None),
        };
        Self {
            reason: ready.reason,
            source: place.map(|place| place.name.name()).unwrap_or_default(),
            source_namespace: place.map(|place| place.namespace(meta.namespace)).unwrap_or_default(),
            instancetype: labels.instancetype.word(),
            preference: labels.preference.word(),
            ready_since: ready.since,
            ready: ready.ready,
            source_kind,
            meta,
        }
    }

    fn bare(meta: Meta) -> Self {
        Self { meta, ..Self::default() }
    }

    fn meta(&self) -> &Meta {
        &self.meta
    }

    fn has_parts(&self, link: &mut dyn FnMut(Key)) {
        if let Some(kind) = self.source_kind.kind() {
            link(name_key(kind, self.source_namespace, &self.source));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::records::decode;

    #[test]
    fn sources_are_found_here_and_elsewhere() {
        let (own, other) = (Word::new("shop"), Word::new("images"));
        let cases = [
            (
                r#"{"pvc":{"name":"f","namespace":"images"}}"#,
                DataSourceKind::Claim,
                Some(name_key(Kind::Claim, other, "f")),
            ),
            (
                r#"{"pvc":null,"snapshot":{"name":"f","namespace":null}}"#,
                DataSourceKind::Snapshot,
                Some(name_key(Kind::VolumeSnapshot, own, "f")),
            ),
            (
                r#"{"dataSource":{"name":"f"}}"#,
                DataSourceKind::DataSource,
                Some(name_key(Kind::DataSource, own, "f")),
            ),
            (r#"{"http":{"url":"x"}}"#, DataSourceKind::None, None),
            ("null", DataSourceKind::None, None),
        ];
        for (source, kind, want) in cases {
            let json =
                format!(r#"{{"metadata":{{"name":"a","namespace":"shop"}},"spec":{{"source":{source}}}}}"#);
            let found: DataSource = decode(json.as_bytes()).unwrap().record;
            assert_eq!(found.source_kind, kind, "{source}");
            let mut links = Vec::new();
            found.has_parts(&mut |key| links.push(key));
            assert_eq!(links, Vec::from_iter(want), "{source}");
        }
    }

    #[test]
    fn readiness_and_defaults() {
        let json = r#"{"metadata":{"name":"a","labels":{"instancetype.kubevirt.io/default-instancetype":"u1.small","instancetype.kubevirt.io/default-preference":"fedora"}},
            "status":{"conditions":[{"type":"Other","status":"True"},{"type":"Ready","status":"False","reason":"NoSource","lastTransitionTime":"2026-11-21T10:48:40Z"}]}}"#;
        let found: DataSource = decode(json.as_bytes()).unwrap().record;
        assert_eq!((found.ready, &*found.reason), (Truth::False, "NoSource"));
        assert_eq!((&*found.instancetype, &*found.preference), ("u1.small", "fedora"));
        assert_eq!(found.ready_since, Time::parse("2026-11-21T10:48:40Z"));
        let nulls: DataSource =
            decode(br#"{"metadata":{"name":"a","labels":null},"spec":null,"status":{"conditions":null}}"#)
                .unwrap()
                .record;
        assert_eq!((nulls.ready, &*nulls.reason), (Truth::Missing, ""));
    }
}
