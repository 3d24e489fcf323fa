//! What is known of a cluster, out of its objects.

use std::collections::HashMap;

use serde_json::Value;

use super::{
    DataSource, DataVolume, Identity, Image, Known, Machine, MachineSnapshot, Secret, Snapshot, StorageClaim,
    StorageClass, Volume, VolumeSet,
};
use crate::rules::subject::Subject;

/// A list of objects that rules ask about.
#[derive(Debug)]
pub struct List {
    /// Its API group; empty for the core group.
    pub group: &'static str,
    /// Its name in paths.
    pub plural: &'static str,
    /// Whether only objects in the namespaces of the documents matter.
    pub local: bool,
    /// Whose rules ask.
    pub wanted: &'static [Subject],
    /// Takes out of an object what nobody needs and nobody should have.
    pub strip: fn(&mut Value),
}

const NOTHING: fn(&mut Value) = |_| {};

const WORKLOADS: &[Subject] = &[Subject::Workload, Subject::VolumeCommand];
const MACHINES: &[Subject] = &[
    Subject::VirtualMachine,
    Subject::VirtualMachineInstance,
    Subject::VirtualMachinePool,
    Subject::MachineMigration,
    Subject::MachineSnapshot,
    Subject::MachineRestore,
    Subject::VolumeCommand,
];
const GUESTS: &[Subject] =
    &[Subject::VirtualMachine, Subject::VirtualMachineInstance, Subject::VirtualMachinePool];
const DISKS: &[Subject] = &[
    Subject::VirtualMachine,
    Subject::VirtualMachinePool,
    Subject::DataVolume,
    Subject::DataSource,
    Subject::DataImportCron,
    Subject::VirtinkMachine,
    Subject::VolumeSet,
    Subject::VolumeCommand,
];
const SECRETS: &[Subject] = &[
    Subject::Workload,
    Subject::VirtualMachine,
    Subject::VirtualMachineInstance,
    Subject::VirtualMachinePool,
    Subject::VirtinkMachine,
];

/// Of a Secret nothing but its name and the names of its keys leaves the place where it is read.
fn without_values(secret: &mut Value) {
    for part in ["data", "stringData"] {
        if let Some(values) = secret.get_mut(part).and_then(Value::as_object_mut) {
            values.values_mut().for_each(|value| *value = Value::Null);
        }
    }
    if let Some(metadata) = secret.get_mut("metadata").and_then(Value::as_object_mut) {
        // kubectl's copy of the last applied document is among them.
        metadata.remove("annotations");
    }
}

/// Every list that rules ask about.
pub static LISTS: &[List] = &[
    list("v9s.dev", "volumesets", true, WORKLOADS),
    list("v9s.dev", "images", false, &[Subject::SupportedVersion]),
    List { strip: without_values, ..list("", "secrets", true, SECRETS) },
    list("", "persistentvolumeclaims", true, &[Subject::VirtinkMachine]),
    list("cdi.kubevirt.io", "datavolumes", true, &[Subject::VirtinkMachine]),
    list("", "serviceaccounts", true, &[Subject::Workload]),
    list("", "namespaces", false, DISKS),
    list("storage.k8s.io", "storageclasses", false, DISKS),
    list("snapshot.storage.k8s.io", "volumesnapshotclasses", false, DISKS),
    list("cdi.kubevirt.io", "datasources", false, DISKS),
    list("cdi.kubevirt.io", "cdis", false, DISKS),
    list("kubevirt.io", "kubevirts", false, GUESTS),
    list("kubevirt.io", "virtualmachines", true, MACHINES),
    list("kubevirt.io", "virtualmachineinstances", true, MACHINES),
    list("kubevirt.io", "virtualmachineinstancemigrations", true, MACHINES),
    list("snapshot.kubevirt.io", "virtualmachinesnapshots", true, &[Subject::MachineRestore]),
    list("instancetype.kubevirt.io", "virtualmachineinstancetypes", true, GUESTS),
    list("instancetype.kubevirt.io", "virtualmachineclusterinstancetypes", false, GUESTS),
    list("instancetype.kubevirt.io", "virtualmachinepreferences", true, GUESTS),
    list("instancetype.kubevirt.io", "virtualmachineclusterpreferences", false, GUESTS),
];

const fn list(group: &'static str, plural: &'static str, local: bool, wanted: &'static [Subject]) -> List {
    List { group, plural, local, wanted, strip: NOTHING }
}

/// Objects by the plural of their kind. A list that is missing could not be read.
#[derive(Debug, Default)]
pub struct Objects(pub HashMap<&'static str, Vec<Value>>);

impl Objects {
    fn all<T>(&self, plural: &str, read: impl Fn(&Value) -> T) -> Option<Vec<T>> {
        self.0.get(plural).map(|objects| objects.iter().map(read).collect())
    }

    fn each<'a>(&'a self, plural: &str) -> impl Iterator<Item = &'a Value> {
        self.0.get(plural).into_iter().flatten()
    }

    /// The names of the objects of two kinds, if both are known.
    fn names(&self, one: &str, other: &str) -> Option<Vec<String>> {
        let mut names = self.all(one, name)?;
        names.extend(self.all(other, name)?);
        Some(names)
    }

    /// Adds to what is known what these objects say.
    #[must_use]
    pub fn tell(&self, known: Known) -> Known {
        let kubevirt = self.each("kubevirts").next();
        let cdi = self.each("cdis").next();
        Known {
            volume_sets: self.all("volumesets", volume_set),
            images: self.all("images", image),
            secrets: self.all("secrets", secret),
            identities: self.all("serviceaccounts", |account| Identity {
                name: name(account),
                gvc: namespace(account),
                reveals: None,
            }),
            storage_classes: self.all("storageclasses", |class| self.storage_class(class)),
            data_sources: self.all("datasources", |source| DataSource {
                name: name(source),
                gvc: namespace(source),
                http: None,
            }),
            namespaces: self.all("namespaces", name),
            data_volumes: self.all("datavolumes", data_volume),
            storage_claims: self.all("persistentvolumeclaims", |claim| StorageClaim {
                name: name(claim),
                gvc: namespace(claim),
            }),
            machines: self.machines(),
            machine_snapshots: self.all("virtualmachinesnapshots", |snapshot| MachineSnapshot {
                name: name(snapshot),
                gvc: namespace(snapshot),
                ready: snapshot.pointer("/status/readyToUse").and_then(Value::as_bool).unwrap_or(false),
            }),
            instancetypes: self.names("virtualmachineinstancetypes", "virtualmachineclusterinstancetypes"),
            preferences: self.names("virtualmachinepreferences", "virtualmachineclusterpreferences"),
            devices: kubevirt.map(devices),
            gates: kubevirt.map(gates),
            verifies_checksums: cdi.and_then(|cdi| {
                let version = text(cdi, "/status/observedVersion").trim_start_matches('v');
                let mut parts = version.split(['.', '-', '+']).map(str::parse::<u32>);
                let (major, minor) = (parts.next()?.ok()?, parts.next()?.ok()?);
                Some((major, minor) >= (1, 65))
            }),
            ..known
        }
    }

    /// The machines, and those that somebody runs without one.
    fn machines(&self) -> Option<Vec<Machine>> {
        let mut machines = self.all("virtualmachines", machine)?;
        for instance in self.0.get("virtualmachineinstances")? {
            let (own, gvc) = (name(instance), namespace(instance));
            let place = machines.iter().position(|one| one.name == own && one.gvc == gvc);
            let place = place.unwrap_or_else(|| {
                machines.push(Machine { claims: claims(instance, "/spec/volumes"), ..machine(instance) });
                machines.len() - 1
            });
            let phase = text(instance, "/status/phase");
            let conditions = list_at(instance, "/status/conditions");
            let stuck = conditions
                .iter()
                .find(|one| text(one, "/type") == "LiveMigratable" && text(one, "/status") == "False");
            let found = &mut machines[place];
            found.running = !matches!(phase, "Succeeded" | "Failed");
            let paused = |one: &Value| text(one, "/type") == "Paused" && text(one, "/status") == "True";
            found.paused = conditions.iter().any(paused);
            found.scheduling = matches!(phase, "" | "Pending" | "Scheduling");
            found.not_migratable = stuck.map(|why| text(why, "/message").to_owned());
        }
        for migration in self.each("virtualmachineinstancemigrations") {
            let gvc = namespace(migration);
            let over = matches!(text(migration, "/status/phase"), "Succeeded" | "Failed");
            let of = text(migration, "/spec/vmiName");
            if let Some(found) = machines.iter_mut().find(|one| !over && one.name == of && one.gvc == gvc) {
                found.migration = Some(name(migration));
            }
        }
        Some(machines)
    }

    fn storage_class(&self, class: &Value) -> StorageClass {
        let driver = text(class, "/provisioner");
        let mut snapshots = self.each("volumesnapshotclasses").map(|one| text(one, "/driver"));
        let default = "/metadata/annotations/storageclass.kubernetes.io~1is-default-class";
        StorageClass {
            name: name(class),
            default: text(class, default) == "true",
            waits: text(class, "/volumeBindingMode") == "WaitForFirstConsumer",
            expands: class.get("allowVolumeExpansion").and_then(Value::as_bool).unwrap_or(false),
            // Nobody could ask is no reason to say that there is none.
            snapshots: !self.0.contains_key("volumesnapshotclasses") || snapshots.any(|one| one == driver),
        }
    }
}

fn text<'a>(object: &'a Value, path: &str) -> &'a str {
    object.pointer(path).and_then(Value::as_str).unwrap_or_default()
}

fn list_at<'a>(object: &'a Value, path: &str) -> &'a [Value] {
    object.pointer(path).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

fn name(object: &Value) -> String {
    text(object, "/metadata/name").to_owned()
}

fn namespace(object: &Value) -> String {
    text(object, "/metadata/namespace").to_owned()
}

fn optional(object: &Value, path: &str) -> Option<String> {
    Some(text(object, path).to_owned()).filter(|text| !text.is_empty())
}

fn volume_set(set: &Value) -> VolumeSet {
    let or = |path: &str, otherwise: &str| optional(set, path).unwrap_or_else(|| otherwise.to_owned());
    let storage_class = optional(set, "/status/storageClass");
    let volume = |volume: &Value| Volume {
        index: volume.get("index").and_then(Value::as_i64).unwrap_or(0),
        size: volume.get("currentSize").and_then(Value::as_f64).unwrap_or(0.0),
        busy_with: optional(volume, "/command"),
        storage_class: storage_class.clone(),
        snapshots: list_at(volume, "/volumeSnapshots")
            .iter()
            .map(|snapshot| Snapshot {
                name: text(snapshot, "/name").to_owned(),
                ready: snapshot.get("ready").and_then(Value::as_bool).unwrap_or(false),
            })
            .collect(),
    };
    let file_system = or("/spec/fileSystemType", "ext4");
    let class = if file_system == "shared" { "shared" } else { "general-purpose-ssd" };
    VolumeSet {
        name: name(set),
        gvc: namespace(set),
        used_by: text(set, "/status/usedByWorkload")
            .rsplit('/')
            .next()
            .map(str::to_owned)
            .filter(|user| !user.is_empty()),
        performance_class: or("/spec/performanceClass", class),
        file_system_type: file_system,
        volumes: list_at(set, "/status/volumes").iter().map(volume).collect(),
    }
}

fn data_volume(volume: &Value) -> DataVolume {
    let class = ["/spec/storage/storageClassName", "/spec/pvc/storageClassName"];
    let immediate = "/metadata/annotations/cdi.kubevirt.io~1storage.bind.immediate.requested";
    DataVolume {
        name: name(volume),
        gvc: namespace(volume),
        storage_class: class.into_iter().find_map(|path| optional(volume, path)),
        immediate: optional(volume, immediate).is_some_and(|value| value != "false"),
        archive: text(volume, "/spec/contentType") == "archive",
    }
}

fn image(image: &Value) -> Image {
    Image {
        name: name(image),
        disabled: image.pointer("/spec/enabled").and_then(Value::as_bool) == Some(false),
        verified: image.pointer("/status/verified").and_then(Value::as_bool),
        purpose: optional(image, "/spec/purpose").unwrap_or_else(|| "general".to_owned()),
        kubernetes: optional(image, "/spec/kubernetesVersion"),
        cni: optional(image, "/spec/cni"),
    }
}

fn secret(secret: &Value) -> Secret {
    let keys = ["data", "stringData"].into_iter().filter_map(|part| secret.get(part)?.as_object());
    Secret {
        name: name(secret),
        gvc: namespace(secret),
        keys: Some(keys.flat_map(|values| values.keys().cloned()).collect()),
    }
}

fn machine(machine: &Value) -> Machine {
    Machine {
        name: name(machine),
        gvc: namespace(machine),
        claims: claims(machine, "/spec/template/spec/volumes"),
        ..Machine::default()
    }
}

/// The claims behind volumes; one that CDI fills has the name of its DataVolume.
fn claims(machine: &Value, volumes: &str) -> Vec<String> {
    let claim = |volume: &Value| {
        optional(volume, "/persistentVolumeClaim/claimName").or_else(|| optional(volume, "/dataVolume/name"))
    };
    list_at(machine, volumes).iter().filter_map(claim).collect()
}

fn gates(kubevirt: &Value) -> Vec<String> {
    let gates = list_at(kubevirt, "/spec/configuration/developerConfiguration/featureGates");
    gates.iter().filter_map(Value::as_str).map(str::to_owned).collect()
}

fn devices(kubevirt: &Value) -> Vec<String> {
    let devices = ["pciHostDevices", "mediatedDevices", "usb"].into_iter().flat_map(|kind| {
        list_at(kubevirt, &format!("/spec/configuration/permittedHostDevices/{kind}")).to_vec()
    });
    devices.filter_map(|device| optional(&device, "/resourceName")).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::rules::known::Lookup;

    fn told(lists: &[(&'static str, Value)]) -> Known {
        let lists = lists.iter().map(|(plural, objects)| (*plural, objects.as_array().unwrap().clone()));
        Objects(lists.collect()).tell(Known { org: Some("acme".into()), ..Known::default() })
    }

    #[test]
    fn what_could_not_be_read_is_not_known() {
        let known = told(&[]);
        assert_eq!(known, Known { org: Some("acme".into()), ..Known::default() });
        let known = told(&[("virtualmachines", json!([])), ("virtualmachineinstancetypes", json!([]))]);
        assert_eq!((known.machines, known.instancetypes), (None, None));
    }

    #[test]
    fn secrets_are_known_by_their_keys_alone() {
        let mut object = json!({
            "metadata": {"name": "tls", "namespace": "shop", "annotations": {"last-applied": "geheim"}},
            "data": {"key": "geheim"}, "stringData": {"more": "geheim"},
        });
        let strip = LISTS.iter().find(|list| list.plural == "secrets").unwrap().strip;
        strip(&mut object);
        assert!(!object.to_string().contains("geheim"), "{object}");
        let known = told(&[("secrets", json!([object]))]);
        let Lookup::Here(secret) = known.secret("tls", "shop") else { panic!() };
        assert_eq!(secret.keys.as_deref(), Some(&["key".to_owned(), "more".to_owned()][..]));
        assert_eq!(known.secret("tls", "other"), Lookup::Absent);
    }

    #[test]
    fn machines_are_known_with_what_runs() {
        let known = told(&[
            (
                "virtualmachines",
                json!([
                    {"metadata": {"name": "web", "namespace": "shop"}, "spec": {"template": {"spec": {"volumes": [
                        {"name": "a", "dataVolume": {"name": "web-root"}},
                        {"name": "b", "persistentVolumeClaim": {"claimName": "data"}}, {"name": "c"}]}}}},
                    {"metadata": {"name": "off", "namespace": "shop"}},
                ]),
            ),
            (
                "virtualmachineinstances",
                json!([
                    {"metadata": {"name": "web", "namespace": "shop"}, "status": {"phase": "Running", "conditions": [
                        {"type": "LiveMigratable", "status": "False", "message": "a disk is not shared"}]}},
                    {"metadata": {"name": "alone", "namespace": "lab"}, "status": {"phase": "Scheduling"}},
                ]),
            ),
            (
                "virtualmachineinstancemigrations",
                json!([
                    {"metadata": {"name": "done", "namespace": "shop"}, "spec": {"vmiName": "web"}, "status": {"phase": "Failed"}},
                    {"metadata": {"name": "now", "namespace": "shop"}, "spec": {"vmiName": "web"}, "status": {"phase": "Running"}},
                ]),
            ),
        ]);
        let Lookup::Here(web) = known.machine("web", "shop") else { panic!() };
        assert_eq!(web.claims, ["web-root", "data"]);
        assert_eq!((web.running, web.scheduling), (true, false));
        assert_eq!(web.not_migratable.as_deref(), Some("a disk is not shared"));
        assert_eq!(web.migration.as_deref(), Some("now"));
        assert!(matches!(known.machine("off", "shop"), Lookup::Here(off) if !off.running));
        assert!(
            matches!(known.machine("alone", "lab"), Lookup::Here(alone) if alone.running && alone.scheduling)
        );
    }

    #[test]
    fn the_rest_is_read_where_it_stands() {
        let known = told(&[
            (
                "volumesets",
                json!([{"metadata": {"name": "data", "namespace": "shop"}, "spec": {"fileSystemType": "shared"},
                    "status": {"usedByWorkload": "/org/a/gvc/shop/workload/web", "storageClass": "fast", "volumes": [
                        {"index": 1, "currentSize": 20, "command": "grow", "volumeSnapshots": [{"name": "s", "ready": true}]}]}}]),
            ),
            (
                "storageclasses",
                json!([{"metadata": {"name": "fast", "annotations": {"storageclass.kubernetes.io/is-default-class": "true"}},
                    "provisioner": "csi.a", "allowVolumeExpansion": true}, {"metadata": {"name": "slow"}, "provisioner": "csi.b"}]),
            ),
            ("volumesnapshotclasses", json!([{"metadata": {"name": "s"}, "driver": "csi.a"}])),
            ("cdis", json!([{"status": {"observedVersion": "v1.64.9"}}])),
            (
                "kubevirts",
                json!([{"spec": {"configuration": {"developerConfiguration": {"featureGates": ["HostDevices"]},
                    "permittedHostDevices": {"pciHostDevices": [{"resourceName": "nvidia.com/A10"}]}}}}]),
            ),
            (
                "images",
                json!([{"metadata": {"name": "old"}, "spec": {"enabled": false, "kubernetesVersion": "1.32.8"}}]),
            ),
        ]);
        let Lookup::Here(set) = known.volume_set("data", "shop") else { panic!() };
        assert_eq!((set.used_by.as_deref(), &*set.performance_class), (Some("web"), "shared"));
        assert_eq!(set.volumes[0].snapshots[0], Snapshot { name: "s".into(), ready: true });
        let classes = known.storage_classes.as_deref().unwrap();
        assert_eq!((classes[0].default, classes[0].expands, classes[0].snapshots), (true, true, true));
        assert_eq!((classes[1].default, classes[1].expands, classes[1].snapshots), (false, false, false));
        assert_eq!(known.verifies_checksums, Some(false));
        assert_eq!(known.gates.as_deref(), Some(&["HostDevices".to_owned()][..]));
        assert_eq!(known.devices.as_deref(), Some(&["nvidia.com/A10".to_owned()][..]));
        let Lookup::Here(image) = known.image("old") else { panic!() };
        assert_eq!(
            (image.disabled, image.kubernetes.as_deref(), &*image.purpose),
            (true, Some("1.32.8"), "general")
        );
    }
}
