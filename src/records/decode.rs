//! Bytes of one object → its record.

use serde::Deserialize;
use thiserror::Error;

use super::wire::{Versioned as _, WireMeta};
use super::{Record, Records};
use crate::model::Name;
use crate::text;

/// A record and the version of the object that it was made from.
#[derive(Debug)]
pub struct Decoded<R> {
    /// The record.
    pub record: R,
    /// `metadata.resourceVersion`.
    pub version: Name,
}

/// An object that does not have the shape of its kind.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("{0}")]
pub struct BadObject(pub String);

impl From<serde_json::Error> for BadObject {
    fn from(error: serde_json::Error) -> Self {
        Self(text::one_line(&error.to_string(), 200))
    }
}

/// Decodes one object.
pub fn decode<R: Record>(object: &[u8]) -> Result<Decoded<R>, BadObject>
where
    Records: From<Vec<R>>,
{
    let wire: R::Wire<'_> = serde_json::from_slice(object)?;
    let version = Name::new(wire.version());
    Ok(Decoded { record: R::fold(wire), version })
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct OnlyMeta<'a> {
    #[serde(borrow)]
    metadata: WireMeta<'a>,
}

/// What can be known of an object that could not be decoded: a record with its name and the error. `None` if not even
/// the metadata can be read.
pub fn salvage<R: Record>(object: &[u8], why: &BadObject) -> Option<Decoded<R>>
where
    Records: From<Vec<R>>,
{
    let only: OnlyMeta<'_> = serde_json::from_slice(object).ok()?;
    let mut meta = only.metadata.fold();
    if meta.name.is_empty() {
        return None;
    }
    meta.set_broken(&why.0);
    Some(Decoded { version: Name::new(&*only.metadata.resource_version), record: R::bare(meta) })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::records::{RunStrategy, Vm, VmFlags, Vmi, VmiFlags};

    fn vm(json: &str) -> Vm {
        decode(json.as_bytes()).unwrap().record
    }

    #[test]
    fn a_virtual_machine_keeps_what_its_row_needs() {
        let vm = vm(
            r#"{"apiVersion":"kubevirt.io/v1","kind":"VirtualMachine","metadata":{"annotations":null,
            "creationTimestamp":"2026-11-21T10:49:14Z","name":"web","namespace":"shop","resourceVersion":"17",
            "uid":"3a41f566-fe01-409c-a06c-0a1cd6e317e6","managedFields":[{"fieldsV1":{"f:spec":{}}}]},
            "spec":{"runStrategy":"Always","template":{"metadata":{"creationTimestamp":null},"spec":{
              "domain":{"cpu":{"cores":2,"sockets":2},"memory":{"guest":"2Gi"}},
              "volumes":[{"dataVolume":{"name":"web-root"},"name":"root"},{"name":"ci","cloudInitNoCloud":{"userData":"a\n\u003cb"}},
                {"name":"data","persistentVolumeClaim":{"claimName":"web-data"}}]}}},
            "status":{"printableStatus":"Running","created":true,"ready":true,"conditions":[
              {"lastProbeTime":null,"lastTransitionTime":"2026-11-21T10:50:00Z","status":"True","type":"Ready"},
              {"status":"False","type":"LiveMigratable","reason":"DisksNotLiveMigratable"}]}}"#,
        );
        assert_eq!(vm.meta.name, "web");
        assert_eq!((vm.cpus, vm.memory, vm.strategy), (4, 2048, RunStrategy::Always));
        assert_eq!(vm.flags, VmFlags::CREATED | VmFlags::READY | VmFlags::NOT_MIGRATABLE);
        assert_eq!(&*vm.status, "Running");
        assert_eq!(vm.disks.len(), 2);
        assert!(vm.ready_since > vm.meta.created);
        assert_eq!(vm.failure, None);
    }

    #[test]
    fn null_and_missing_are_the_same() {
        let empty = vm(r#"{"metadata":{"name":"a","uid":"1"}}"#);
        let nulls = vm(
            r#"{"metadata":{"name":"a","uid":"1","labels":null,"ownerReferences":null,"creationTimestamp":null},"spec":null,
            "status":{"conditions":null,"startFailure":null,"printableStatus":null,"created":null,"stateChangeRequests":[null]}}"#,
        );
        assert_eq!(empty, nulls);
        let vmi: Decoded<Vmi> = decode(br#"{"metadata":{"name":"a"},"status":{"interfaces":[null,{"ipAddress":null},{"ipAddress":"10.0.0.7"}],
            "guestOSInfo":{},"migrationState":null,"phaseTransitionTimestamps":null}}"#).unwrap();
        assert_eq!(vmi.record.address().unwrap().to_string(), "10.0.0.7");
        assert_eq!(vmi.record.flags, VmiFlags::empty());
    }

    #[test]
    fn an_object_of_another_shape_becomes_a_row_that_says_so() {
        let json = br#"{"metadata":{"name":"odd","namespace":"shop","uid":"u"},"spec":{"template":["no"]}}"#;
        let why = decode::<Vm>(json).unwrap_err();
        let salvaged = salvage::<Vm>(json, &why).unwrap();
        assert_eq!(salvaged.record.meta.name, "odd");
        assert!(salvaged.record.meta.broken().unwrap().contains("invalid type"), "{why}");
        assert!(salvage::<Vm>(br#"{"metadata":{"name":7}}"#, &why).is_none());
    }

    #[test]
    fn hostile_objects_decode() {
        let labels: String = (0..5000).map(|n| format!(r#""l{n}":"v","#)).collect();
        let name = "n".repeat(253);
        let owners: String = (0..1000).map(|n| format!(r#"{{"uid":"{n}"}},"#)).collect();
        let object = format!(
            r#"{{"metadata":{{"name":"{name}","labels":{{{labels}"z":"v"}},"ownerReferences":[{owners}{{"uid":"x"}}]}},
            "spec":{{"template":{{"spec":{{"domain":{{"cpu":{{"cores":4000000000,"sockets":4000000000}}}}}}}}}},
            "status":{{"printableStatus":"a\u001b]0;x\u0007\u202e{}"}}}}"#,
            "x".repeat(1_400_000)
        );
        let vm = vm(&object);
        assert_eq!((vm.meta.name.len(), vm.cpus, &*vm.status), (253, u16::MAX, "<other>"));
        assert!(vm.meta.owners().count() < 300);
    }

    #[test]
    fn records_stay_narrow() {
        use crate::records as r;
        let sizes = [
            ("Vm", size_of::<Vm>(), 160),
            ("Vmi", size_of::<Vmi>(), 176),
            ("Migration", size_of::<r::Migration>(), 144),
            ("Pool", size_of::<r::Pool>(), 96),
            ("Instancetype", size_of::<r::Instancetype>(), 88),
            ("ClusterInstancetype", size_of::<r::ClusterInstancetype>(), 88),
            ("VmSnapshot", size_of::<r::VmSnapshot>(), 144),
            ("DataVolume", size_of::<r::DataVolume>(), 160),
            ("DataSource", size_of::<r::DataSource>(), 136),
            ("ImportCron", size_of::<r::ImportCron>(), 160),
            ("Claim", size_of::<r::Claim>(), 152),
            ("Pod", size_of::<r::Pod>(), 152),
            ("Event", size_of::<r::Event>(), 176),
            ("Node", size_of::<r::Node>(), 160),
            ("StorageClass", size_of::<r::StorageClass>(), 96),
            ("VolumeSnapshot", size_of::<r::VolumeSnapshot>(), 128),
            ("VirtinkVm", size_of::<r::VirtinkVm>(), 168),
            ("OsArtifact", size_of::<r::OsArtifact>(), 96),
        ];
        let got = sizes.map(|(name, size, _)| (name, size));
        assert_eq!(got, sizes.map(|(name, _, want)| (name, want)));
    }
}
