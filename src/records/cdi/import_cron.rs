//! DataImportCron.

use bitflags::bitflags;
use serde::Deserialize;

use crate::model::{Key, Name, Time, Word};
use crate::records::values::{Few, Number, Truth};
use crate::records::wire::{Condition, Fold, Folded, Nullable, Str, WireMeta, versioned};
use crate::records::{Keys, Kind, KindInfo, Meta, Record, name_key};

/// A DataImportCron: keeps a DataSource up to date with a registry.
#[derive(Debug, Default, PartialEq)]
pub struct ImportCron {
    /// What every object has.
    pub meta: Meta,
    /// `spec.schedule`: cron text; empty means that the source is never polled.
    pub schedule: Word,
    /// `spec.managedDataSource`.
    pub managed: Name,
    /// Reason of the condition `UpToDate`.
    pub fresh_reason: Word,
    /// Reason of the condition `Progressing`.
    pub progress_reason: Word,
    /// What `status.currentImports` made: DataVolumes and, where imports are kept as snapshots, those.
    pub imports: Keys,
    /// `status.lastImportTimestamp`.
    pub last_import: Option<Time>,
    /// `status.lastExecutionTimestamp`: when the source was polled last.
    pub last_poll: Option<Time>,
    /// `spec.importsToKeep`; 3 if nothing is said.
    pub keep: u16,
    /// Condition `UpToDate`.
    pub fresh: Truth,
    /// Yes-or-no facts.
    pub flags: ImportCronFlags,
}

bitflags! {
    /// Yes-or-no facts about a DataImportCron.
    #[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
    pub struct ImportCronFlags: u8 {
        /// An import is under way (condition `Progressing`).
        const PROGRESSING = 1;
        /// Imports are kept as volume snapshots (`status.sourceFormat`).
        const SNAPSHOTS = 1 << 1;
        /// Older imports are never removed (`spec.garbageCollect` is Never).
        const KEEPS_OLD = 1 << 2;
        /// Imports go with it when it is deleted (`spec.retentionPolicy` is None).
        const TAKES_IMPORTS_ALONG = 1 << 3;
    }
}

#[derive(Deserialize, Default)]
#[serde(default)]
pub struct ImportCronWire<'a> {
    #[serde(borrow)]
    metadata: WireMeta<'a>,
    #[serde(borrow)]
    spec: Nullable<Spec<'a>>,
    #[serde(borrow)]
    status: Nullable<Status<'a>>,
}
versioned!(ImportCronWire);

#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
struct Spec<'a> {
    #[serde(borrow)]
    schedule: Str<'a>,
    #[serde(borrow)]
    managed_data_source: Str<'a>,
    imports_to_keep: Option<Number>,
    #[serde(borrow)]
    garbage_collect: Str<'a>,
    #[serde(borrow)]
    retention_policy: Str<'a>,
}

#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
struct Status<'a> {
    #[serde(borrow)]
    current_imports: Folded<Few<Import<'a>, 2>>,
    #[serde(borrow)]
    last_import_timestamp: Str<'a>,
    #[serde(borrow)]
    last_execution_timestamp: Str<'a>,
    #[serde(borrow)]
    source_format: Str<'a>,
    conditions: Folded<Conditions>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Import<'a> {
    #[serde(borrow, rename = "DataVolumeName")]
    name: Str<'a>,
}

#[derive(Default)]
struct Conditions {
    fresh: Truth,
    fresh_reason: Word,
    progressing: bool,
    progress_reason: Word,
}

impl<'de> Fold<'de> for Conditions {
    type Item = Condition<'de>;

    fn add(&mut self, condition: Condition<'de>) {
        match &*condition.name {
            "UpToDate" => {
                self.fresh = Truth::read(&condition.status);
                self.fresh_reason = condition.reason.word();
            }
            "Progressing" => {
                self.progressing = condition.is_true();
                self.progress_reason = condition.reason.word();
            }
            _ => {}
        }
    }
}

impl Status<'_> {
    fn imports(&self, namespace: Word) -> Keys {
        // The DataVolume of an import goes once its snapshot, of the same name, is ready.
        let kinds: &[Kind] = match &*self.source_format {
            "snapshot" => &[Kind::VolumeSnapshot, Kind::DataVolume],
            _ => &[Kind::DataVolume],
        };
        let names = self.current_imports.iter().map(|import| &*import.name);
        names
            .filter(|name| !name.is_empty())
            .flat_map(|name| kinds.iter().map(move |kind| name_key(*kind, namespace, name)))
            .collect()
    }
}

impl Record for ImportCron {
    const KIND: Kind = Kind::ImportCron;
    const INFO: KindInfo = KindInfo {
        group: "cdi.kubevirt.io",
        versions: &["v1beta1"],
        name: "DataImportCron",
        plural: "dataimportcrons",
        words: "import crons",
        short: &["dic", "dics"],
        namespaced: true,
        partners: &[],
    };
    type Wire<'de> = ImportCronWire<'de>;

    fn fold(wire: ImportCronWire<'_>) -> Self {
        let meta = wire.metadata.fold();
        let (spec, status) = (&wire.spec, &wire.status);
        let conditions = &status.conditions;
        let facts = [
            (ImportCronFlags::PROGRESSING, conditions.progressing),
            (ImportCronFlags::SNAPSHOTS, &*status.source_format == "snapshot"),
            (ImportCronFlags::KEEPS_OLD, &*spec.garbage_collect == "Never"),
            (ImportCronFlags::TAKES_IMPORTS_ALONG, &*spec.retention_policy == "None"),
        ];
        let on = facts.into_iter().filter_map(|(flag, on)| on.then_some(flag));
        Self {
            schedule: spec.schedule.word(),
            managed: spec.managed_data_source.name(),
            fresh_reason: conditions.fresh_reason,
            progress_reason: conditions.progress_reason,
            imports: status.imports(meta.namespace),
            last_import: status.last_import_timestamp.time(),
            last_poll: status.last_execution_timestamp.time(),
            keep: spec.imports_to_keep.map_or(3, Number::u16),
            fresh: conditions.fresh,
            flags: on.collect(),
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
        if !self.managed.is_empty() {
            link(name_key(Kind::DataSource, self.meta.namespace, &self.managed));
        }
        self.imports.iter().for_each(link);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::records::decode;

    fn cron(json: &str) -> ImportCron {
        decode(json.as_bytes()).unwrap().record
    }

    #[test]
    fn a_cron_keeps_how_fresh_it_is_and_what_it_made() {
        let cron = cron(
            r#"{"metadata":{"name":"fedora","namespace":"images"},"spec":{"schedule":"0 */12 * * *","managedDataSource":"fedora","importsToKeep":1,
            "garbageCollect":"Outdated","retentionPolicy":"None","template":{"spec":{}}},"status":{"currentImports":[{"DataVolumeName":"fedora-b2","Digest":"sha256:b2"}],
            "lastImportTimestamp":"2026-11-21T10:48:36Z","sourceFormat":"snapshot","conditions":[
            {"type":"Progressing","status":"True","reason":"ImportProgressing"},{"type":"UpToDate","status":"False","reason":"Outdated"}]}}"#,
        );
        assert_eq!((&*cron.schedule, &*cron.managed, cron.keep), ("0 */12 * * *", "fedora", 1));
        assert_eq!(
            (cron.fresh, &*cron.fresh_reason, &*cron.progress_reason),
            (Truth::False, "Outdated", "ImportProgressing")
        );
        let flags =
            ImportCronFlags::PROGRESSING | ImportCronFlags::SNAPSHOTS | ImportCronFlags::TAKES_IMPORTS_ALONG;
        assert_eq!((cron.flags, cron.last_poll), (flags, None));
        let space = Word::new("images");
        let mut links = Vec::new();
        cron.has_parts(&mut |key| links.push(key));
        let want = [
            (Kind::DataSource, "fedora"),
            (Kind::VolumeSnapshot, "fedora-b2"),
            (Kind::DataVolume, "fedora-b2"),
        ];
        assert_eq!(links, want.map(|(kind, name)| name_key(kind, space, name)));
    }

    #[test]
    fn null_and_missing_are_the_same() {
        let nulls = cron(
            r#"{"metadata":{"name":"a"},"spec":{"schedule":null,"importsToKeep":null},"status":{"currentImports":[null,{}],"conditions":null}}"#,
        );
        assert_eq!(nulls, cron(r#"{"metadata":{"name":"a"},"status":null}"#));
        assert_eq!((nulls.keep, nulls.imports.len()), (3, 0));
    }
}
