//! PersistentVolumeClaim.

use serde::Deserialize;
use serde::de::IgnoredAny;

use super::claim_values::{AccessModes, ClaimFlags, ClaimPhase, ClaimRole, Volume, WorkerPhase};
use crate::model::{Key, Name, Word};
use crate::records::values::{Number, Truth, message, per_mille};
use crate::records::wire::{Bytes, Condition, Fold, Folded, Nullable, Str, WireMeta, versioned};
use crate::records::{Kind, KindInfo, Meta, Record, name_key};

/// A PersistentVolumeClaim, with what CDI tells of its work on it in annotations.
#[derive(Debug, Default, PartialEq)]
pub struct Claim {
    /// What every object has.
    pub meta: Meta,
    /// `spec.storageClassName`; empty if there is no class yet.
    pub class: Word,
    /// `status.capacity.storage` in bytes; 0 until bound.
    pub capacity: u64,
    /// `spec.resources.requests.storage` in bytes; 0 if nothing is said.
    pub requested: u64,
    /// `spec.volumeName`.
    pub volume: Volume,
    /// Reason of CDI's worker: `cdi.kubevirt.io/storage.condition.running.reason`.
    pub running_reason: Word,
    /// What CDI says while it has no volume, on one line of at most 300 characters: why a clone goes wrong
    /// (`cdi.kubevirt.io/cloneError`), else why its worker does not run (`storage.condition.running.message`), else the
    /// newest of its events (`storage.condition.bound.message`).
    pub waiting: Option<Box<Name>>,
    /// How far CDI's populator is, in thousandths: `cdi.kubevirt.io/storage.populator.progress`.
    pub progress: Option<u16>,
    /// Restarts of CDI's worker: `cdi.kubevirt.io/storage.pod.restarts`.
    pub restarts: u16,
    /// Yes-or-no facts.
    pub flags: ClaimFlags,
    /// `status.phase`.
    pub phase: ClaimPhase,
    /// `spec.accessModes`.
    pub modes: AccessModes,
    /// Phase of CDI's worker pod: `cdi.kubevirt.io/storage.pod.phase`.
    pub worker: WorkerPhase,
    /// Whether CDI's worker runs: `cdi.kubevirt.io/storage.condition.running`.
    pub running: Truth,
    /// What CDI made it for.
    pub role: ClaimRole,
}

#[derive(Deserialize, Default)]
#[serde(default)]
pub struct ClaimWire<'a> {
    #[serde(borrow)]
    metadata: WireMeta<'a, Labels<'a>, Annotations<'a>>,
    #[serde(borrow)]
    spec: Nullable<Spec<'a>>,
    #[serde(borrow)]
    status: Nullable<Status<'a>>,
}
versioned!(ClaimWire);

#[derive(Deserialize, Default)]
#[serde(default)]
struct Labels<'a> {
    #[serde(borrow)]
    app: Str<'a>,
    #[serde(borrow, rename = "cdi.kubevirt.io/OwnedByUID")]
    owned_by: Str<'a>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Annotations<'a> {
    #[serde(borrow, rename = "cdi.kubevirt.io/storage.pod.phase")]
    worker: Str<'a>,
    #[serde(rename = "cdi.kubevirt.io/storage.pod.restarts")]
    restarts: Number,
    #[serde(borrow, rename = "cdi.kubevirt.io/storage.pod.ready")]
    worker_ready: Str<'a>,
    #[serde(borrow, rename = "cdi.kubevirt.io/storage.condition.running")]
    running: Str<'a>,
    #[serde(borrow, rename = "cdi.kubevirt.io/storage.condition.running.reason")]
    running_reason: Str<'a>,
    #[serde(borrow, rename = "cdi.kubevirt.io/storage.condition.running.message")]
    running_message: Str<'a>,
    #[serde(borrow, rename = "cdi.kubevirt.io/storage.condition.bound.message")]
    bound_message: Str<'a>,
    #[serde(borrow, rename = "cdi.kubevirt.io/storage.populator.progress")]
    progress: Str<'a>,
    #[serde(borrow, rename = "cdi.kubevirt.io/storage.populator.kind")]
    populator: Str<'a>,
    #[serde(borrow, rename = "cdi.kubevirt.io/storage.usePopulator")]
    use_populator: Str<'a>,
    #[serde(borrow, rename = "cdi.kubevirt.io/storage.contentType")]
    content: Str<'a>,
    #[serde(rename = "cdi.kubevirt.io/createdForDataVolume")]
    for_data_volume: Option<IgnoredAny>,
    #[serde(borrow, rename = "cdi.kubevirt.io/storage.import.fatalError")]
    fatal: Str<'a>,
    #[serde(borrow, rename = "cdi.kubevirt.io/storage.import.requiresScratch")]
    scratch: Str<'a>,
    #[serde(borrow, rename = "cdi.kubevirt.io/cloneError")]
    clone_error: Str<'a>,
    #[serde(rename = "cdi.kubevirt.io/storage.bind.immediate.requested")]
    bind_now: Option<IgnoredAny>,
    #[serde(borrow, rename = "volume.kubernetes.io/selected-node")]
    node: Str<'a>,
}

#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
struct Spec<'a> {
    access_modes: Folded<AccessModes>,
    resources: Nullable<Resources>,
    #[serde(borrow)]
    storage_class_name: Str<'a>,
    #[serde(borrow)]
    volume_mode: Str<'a>,
    #[serde(borrow)]
    volume_name: Str<'a>,
    #[serde(borrow)]
    data_source: Nullable<Source<'a>>,
    #[serde(borrow)]
    data_source_ref: Nullable<Source<'a>>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Resources {
    requests: Nullable<Amount>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Amount {
    storage: Bytes,
}

#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
struct Source<'a> {
    #[serde(borrow)]
    api_group: Str<'a>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Status<'a> {
    #[serde(borrow)]
    phase: Str<'a>,
    capacity: Nullable<Amount>,
    conditions: Folded<Resizing>,
}

#[derive(Default)]
struct Resizing(bool);

impl<'de> Fold<'de> for Resizing {
    type Item = Condition<'de>;

    fn add(&mut self, condition: Condition<'de>) {
        let resizes = matches!(&*condition.name, "Resizing" | "FileSystemResizePending");
        self.0 |= resizes && condition.is_true();
    }
}

impl ClaimWire<'_> {
    fn waiting(&self) -> Option<Box<Name>> {
        let marks = &self.metadata.annotations;
        let stopped = &*marks.running == "false" && &*marks.running_reason != "Completed";
        let told = match (&marks.clone_error, &marks.running_message) {
            (error, _) if !error.is_empty() => error,
            (_, worker) if stopped && !worker.is_empty() => worker,
            _ => &marks.bound_message,
        };
        if &*self.status.phase == "Bound" { None } else { message(told, 300) }
    }

    fn role(&self) -> ClaimRole {
        let (labels, marks) = (&self.metadata.labels, &self.metadata.annotations);
        let scratch = self.metadata.name.ends_with("-scratch")
            && &*labels.app == "containerized-data-importer"
            && marks.for_data_volume.is_none()
            && marks.content.is_empty();
        if !labels.owned_by.is_empty() {
            ClaimRole::CloneTemporary
        } else if scratch {
            ClaimRole::Scratch
        } else if !marks.populator.is_empty() && self.metadata.name.starts_with("prime-") {
            ClaimRole::Prime
        } else {
            ClaimRole::Own
        }
    }

    fn flags(&self) -> ClaimFlags {
        let (marks, spec) = (&self.metadata.annotations, &self.spec);
        let by_cdi = [&spec.data_source_ref, &spec.data_source]
            .iter()
            .any(|source| &*source.api_group == "cdi.kubevirt.io");
        let facts = [
            (ClaimFlags::BLOCK, &*spec.volume_mode == "Block"),
            (ClaimFlags::POPULATOR, &*marks.use_populator == "true"),
            (ClaimFlags::CDI_SOURCE, by_cdi),
            (ClaimFlags::BIND_NOW, marks.bind_now.is_some()),
            (ClaimFlags::NODE_CHOSEN, !marks.node.is_empty()),
            (ClaimFlags::FATAL, &*marks.fatal == "true"),
            (ClaimFlags::NEEDS_SCRATCH, &*marks.scratch == "true"),
            (ClaimFlags::WORKER_READY, &*marks.worker_ready == "true"),
            (ClaimFlags::RESIZING, self.status.conditions.0.0),
            (ClaimFlags::CLONE_ERROR, !marks.clone_error.is_empty()),
        ];
        facts.into_iter().filter_map(|(flag, on)| on.then_some(flag)).collect()
    }
}

impl Record for Claim {
    const KIND: Kind = Kind::Claim;
    const INFO: KindInfo = KindInfo {
        group: "",
        versions: &["v1"],
        name: "PersistentVolumeClaim",
        plural: "persistentvolumeclaims",
        words: "claims",
        short: &["pvc"],
        namespaced: true,
        partners: &[],
    };
    type Wire<'de> = ClaimWire<'de>;

    fn fold(wire: ClaimWire<'_>) -> Self {
        let (marks, spec) = (&wire.metadata.annotations, &wire.spec);
        Self {
            class: spec.storage_class_name.word(),
            capacity: wire.status.capacity.storage.0.unwrap_or(0),
            requested: spec.resources.requests.storage.0.unwrap_or(0),
            volume: Volume::read(&spec.volume_name),
            running_reason: marks.running_reason.word(),
            waiting: wire.waiting(),
            progress: per_mille(&marks.progress),
            restarts: marks.restarts.u16(),
            flags: wire.flags(),
            phase: ClaimPhase::read(&wire.status.phase),
            modes: spec.access_modes.0,
            worker: WorkerPhase::read(&marks.worker),
            running: Truth::read_small(&marks.running),
            role: wire.role(),
            meta: wire.metadata.fold().serving(&wire.metadata.labels.owned_by),
        }
    }

    fn bare(meta: Meta) -> Self {
        Self { meta, ..Self::default() }
    }

    fn meta(&self) -> &Meta {
        &self.meta
    }

    fn member_of(&self) -> Option<Key> {
        (!self.class.is_empty()).then(|| name_key(Kind::StorageClass, Word::default(), &self.class))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::records::decode;

    fn claim(json: &str) -> Claim {
        decode(json.as_bytes()).unwrap().record
    }

    #[test]
    fn a_claim_that_cdi_fills_keeps_the_evidence() {
        let claim = claim(
            r#"{"metadata":{"name":"root","labels":{"app":"containerized-data-importer"},"annotations":{
            "cdi.kubevirt.io/storage.usePopulator":"true","cdi.kubevirt.io/storage.pod.phase":"Running","cdi.kubevirt.io/storage.pod.restarts":"3",
            "cdi.kubevirt.io/storage.populator.progress":"45.32%","cdi.kubevirt.io/storage.condition.running":"false",
            "cdi.kubevirt.io/storage.condition.running.reason":"Error","cdi.kubevirt.io/storage.bind.immediate.requested":"",
            "cdi.kubevirt.io/storage.contentType":"kubevirt","cdi.kubevirt.io/createdForDataVolume":"1"}},
            "spec":{"accessModes":["ReadWriteMany","ReadWriteOnce","Odd",null],"resources":{"requests":{"storage":"5Gi"}},"storageClassName":"fast",
            "volumeMode":"Block","dataSourceRef":{"apiGroup":"cdi.kubevirt.io","kind":"VolumeImportSource","name":"x"}},
            "status":{"phase":"Pending"}}"#,
        );
        assert_eq!((claim.phase, claim.role), (ClaimPhase::Pending, ClaimRole::Own));
        assert_eq!((claim.requested, claim.capacity), (5 << 30, 0));
        assert_eq!(claim.modes.to_string(), "RWO,RWX");
        assert_eq!((claim.progress, claim.restarts), (Some(453), 3));
        assert_eq!((claim.worker, claim.running), (WorkerPhase::Running, Truth::False));
        assert_eq!((&*claim.running_reason, &*claim.class), ("Error", "fast"));
        let flags = ClaimFlags::BLOCK | ClaimFlags::POPULATOR | ClaimFlags::CDI_SOURCE | ClaimFlags::BIND_NOW;
        assert_eq!(claim.flags, flags);
    }

    #[test]
    fn roles_are_told_apart() {
        let app = r#""labels":{"app":"containerized-data-importer"}"#;
        let prime = r#""annotations":{"cdi.kubevirt.io/storage.populator.kind":"VolumeImportSource","cdi.kubevirt.io/storage.contentType":"kubevirt"}"#;
        let cases = [
            (format!(r#""name":"prime-1",{app},{prime}"#), ClaimRole::Prime),
            (format!(r#""name":"prime-1-scratch",{app}"#), ClaimRole::Scratch),
            (format!(r#""name":"prime-1",{app}"#), ClaimRole::Own),
            (r#""name":"my-scratch""#.into(), ClaimRole::Own),
            (
                format!(
                    r#""name":"my-scratch",{app},"annotations":{{"cdi.kubevirt.io/createdForDataVolume":"1"}}"#
                ),
                ClaimRole::Own,
            ),
            (
                format!(r#""name":"tmp-pvc-1","labels":{{"cdi.kubevirt.io/OwnedByUID":"1"}},{prime}"#),
                ClaimRole::CloneTemporary,
            ),
        ];
        for (meta, want) in cases {
            assert_eq!(claim(&format!(r#"{{"metadata":{{{meta}}}}}"#)).role, want, "{meta}");
        }
    }

    #[test]
    fn null_missing_and_numbers_are_borne() {
        let nulls = claim(
            r#"{"metadata":{"name":"a","annotations":null,"labels":null},"spec":{"accessModes":null,"resources":null,"storageClassName":null,
            "dataSource":null,"dataSourceRef":null},"status":{"phase":null,"capacity":null,"conditions":null}}"#,
        );
        assert_eq!(nulls, claim(r#"{"metadata":{"name":"a"},"spec":null}"#));
        let numbers = claim(
            r#"{"metadata":{"name":"a","annotations":{"cdi.kubevirt.io/storage.pod.restarts":"99999999"}},
            "spec":{"resources":{"requests":{"storage":1024}},"volumeName":"pv-7"},"status":{"capacity":{"storage":"1Ki"},"phase":"Bound",
            "conditions":[{"type":"FileSystemResizePending","status":"True"}]}}"#,
        );
        assert_eq!((numbers.restarts, numbers.requested, numbers.capacity), (u16::MAX, 1024, 1024));
        assert_eq!((numbers.flags, numbers.phase.as_str()), (ClaimFlags::RESIZING, "Bound"));
        assert_eq!(numbers.volume.to_string(), "pv-7");
    }
}
