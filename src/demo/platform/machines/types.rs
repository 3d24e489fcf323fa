//! Instance types and preferences: what a machine leaves to others to say.

use serde_json::{Value, json};

use super::super::edit::{annotate, new_object, own, set};
use super::super::kind::Kind;
use super::super::object::Object;
use super::super::view::View;
use super::super::write::Write;
use super::disks;

/// One of the two references a machine may have.
struct Row {
    /// Its field in the machine's specification.
    field: &'static str,
    /// The field of the status that says what was taken.
    taken: &'static str,
    /// The kinds: of the cluster, which is meant where no kind is named, and of the namespace.
    kinds: [Kind; 2],
    /// The reason of the condition when it is not there.
    missing: &'static str,
    /// The label of a volume that names one.
    label: &'static str,
    /// What the instance is annotated with, by kind.
    annotations: [&'static str; 2],
}

const INSTANCETYPE: Row = Row {
    field: "instancetype",
    taken: "instancetypeRef",
    kinds: [Kind::VirtualMachineClusterInstancetype, Kind::VirtualMachineInstancetype],
    missing: "FailedFindInstancetype",
    label: "instancetype.kubevirt.io/default-instancetype",
    annotations: ["kubevirt.io/cluster-instancetype-name", "kubevirt.io/instancetype-name"],
};

const PREFERENCE: Row = Row {
    field: "preference",
    taken: "preferenceRef",
    kinds: [Kind::VirtualMachineClusterPreference, Kind::VirtualMachinePreference],
    missing: "FailedFindPreference",
    label: "instancetype.kubevirt.io/default-preference",
    annotations: ["kubevirt.io/cluster-preference-name", "kubevirt.io/preference-name"],
};

/// Why a machine cannot be started: the reason and the message of its condition Failure.
pub(super) type Trouble = (&'static str, String);

/// What a machine refers to.
#[derive(Debug, Default)]
pub(super) struct Types<'a> {
    instancetype: Option<&'a Object>,
    preference: Option<&'a Object>,
}

/// Looks up what a machine refers to.
pub(super) fn find<'a>(view: &'a View<'_>, vm: &Object) -> Result<Types<'a>, Trouble> {
    Ok(Types { instancetype: look(view, vm, &INSTANCETYPE)?, preference: look(view, vm, &PREFERENCE)? })
}

fn look<'a>(view: &'a View<'_>, vm: &Object, row: &Row) -> Result<Option<&'a Object>, Trouble> {
    let said = |field: &str| vm.text(&format!("/spec/{}/{field}", row.field));
    let (name, kind) = match (said("name"), said("inferFromVolume")) {
        ("", "") => return Ok(None),
        ("", volume) => match infer(view, vm, row, volume) {
            Ok(inferred) => inferred,
            Err(_) if said("inferFromVolumeFailurePolicy") == "Ignore" => return Ok(None),
            Err(why) => return Err((row.missing, why)),
        },
        (name, _) => (name.to_owned(), said("kind").to_owned()),
    };
    let [cluster, namespaced] = row.kinds;
    let wanted = kind.to_lowercase();
    let kind = if wanted == namespaced.row().kind.to_lowercase() { namespaced } else { cluster };
    let namespace = if kind == namespaced { vm.namespace() } else { "" };
    let missing = || {
        let row_of = kind.row();
        (row.missing, format!("{}.{} {name:?} not found", row_of.plural, row_of.group))
    };
    view.get(kind, namespace, &name).map(Some).ok_or_else(missing)
}

/// The name and kind that the labels of a machine's volume give: those of its claim, of its disk, or of what that is a copy of.
fn infer(view: &View<'_>, vm: &Object, row: &Row, volume: &str) -> Result<(String, String), String> {
    let volumes = vm.list("/spec/template/spec/volumes");
    let Some(volume) = volumes.iter().find(|one| one["name"] == volume) else {
        return Err(format!("unable to find volume {volume} to infer defaults"));
    };
    let Some(name) = disks::claim_of(volume) else {
        return Err(format!(
            "unable to infer defaults from volume {} as type is not supported",
            volume["name"]
        ));
    };
    let template = vm.list("/spec/dataVolumeTemplates").iter().find(|one| one["metadata"]["name"] == name);
    let there =
        [Kind::PersistentVolumeClaim, Kind::DataVolume].map(|kind| view.get(kind, vm.namespace(), name));
    let disk = template.or_else(|| there[1].map(Object::value));
    let reference = |pointer: &str, kind: Kind| {
        let of = disk?.pointer(pointer)?;
        let namespace = of["namespace"].as_str().unwrap_or_else(|| vm.namespace());
        view.get(kind, namespace, of["name"].as_str()?)
    };
    let sources = [
        reference("/spec/sourceRef", Kind::DataSource),
        reference("/spec/source/pvc", Kind::PersistentVolumeClaim),
    ];
    let objects = there.into_iter().chain(sources).flatten().map(Object::value);
    let label = |key: &str| {
        let all = template.into_iter().chain(objects.clone());
        let mut found = all.filter_map(|one| one["metadata"]["labels"][key].as_str());
        found.next().unwrap_or_default().to_owned()
    };
    match label(row.label) {
        name if name.is_empty() => Err(format!("unable to find required {} label on the volume", row.label)),
        name => Ok((name, label(&format!("{}-kind", row.label)))),
    }
}

/// The name of the copy that is kept of what a machine refers to.
fn revision_name(vm: &Object, of: &Object) -> String {
    format!("{}-{}-v1beta1-{}-{}", vm.name(), of.name(), of.uid(), of.generation().max(1))
}

impl Types<'_> {
    fn both(&self) -> impl Iterator<Item = (&Row, &Object)> {
        [(&INSTANCETYPE, self.instancetype), (&PREFERENCE, self.preference)]
            .into_iter()
            .filter_map(|(row, of)| of.map(|of| (row, of)))
    }

    /// The copies that have to be kept.
    pub(super) fn copies(&self, view: &View<'_>, vm: &Object) -> Vec<Write> {
        let missing = self.both().filter_map(|(_, of)| {
            let name = revision_name(vm, of);
            view.get(Kind::ControllerRevision, vm.namespace(), &name).is_none().then(|| {
                let mut revision = new_object(Kind::ControllerRevision, vm.namespace(), &name);
                for (label, value) in [
                    ("instancetype.kubevirt.io/object-generation", of.generation().max(1).to_string()),
                    ("instancetype.kubevirt.io/object-kind", of.kind().row().kind.to_owned()),
                    ("instancetype.kubevirt.io/object-name", of.name().to_owned()),
                    ("instancetype.kubevirt.io/object-uid", of.uid().to_owned()),
                    ("instancetype.kubevirt.io/object-version", "v1beta1".to_owned()),
                ] {
                    super::super::edit::label(&mut revision, label, value);
                }
                own(&mut revision, vm);
                revision["data"] = json!({
                    "apiVersion": of.kind().api_version(), "kind": of.kind().row().kind,
                    "metadata": {"name": of.name(), "uid": of.uid()}, "spec": of.at("/spec"),
                });
                revision["revision"] = 0.into();
                Write::Create(revision)
            })
        });
        missing.collect()
    }

    /// Says in a machine's status what was taken.
    pub(super) fn note(&self, vm: &Object, new: &mut Value) {
        for (row, of) in self.both() {
            let mut taken = json!({
                "name": of.name(), "kind": of.kind().row().kind,
                "controllerRevisionRef": {"name": revision_name(vm, of)},
            });
            for field in ["inferFromVolume", "inferFromVolumeFailurePolicy"] {
                let said = vm.text(&format!("/spec/{}/{field}", row.field));
                if !said.is_empty() {
                    taken[field] = said.into();
                }
            }
            set(new, &format!("/status/{}", row.taken), taken);
        }
    }

    /// Fills in an instance.
    pub(super) fn apply(&self, vmi: &mut Value) {
        for (row, of) in self.both() {
            let place = usize::from(of.kind() == row.kinds[1]);
            annotate(vmi, row.annotations[place], of.name());
        }
        let preferred = |pointer: &str| self.preference.map(|of| of.at(pointer).clone()).unwrap_or_default();
        if let Some(of) = self.instancetype {
            if let Some(guest) = of.number("/spec/cpu/guest") {
                let topology = preferred("/spec/cpu/preferredCPUTopology");
                let spread = match topology.as_str().unwrap_or("sockets") {
                    "cores" | "preferCores" => json!({"cores": guest, "sockets": 1, "threads": 1}),
                    "threads" | "preferThreads" => json!({"cores": 1, "sockets": 1, "threads": guest}),
                    _ => json!({"cores": 1, "sockets": guest, "threads": 1}),
                };
                for field in ["cores", "sockets", "threads"] {
                    set(vmi, &format!("/spec/domain/cpu/{field}"), spread[field].clone());
                }
            }
            if !of.at("/spec/memory/guest").is_null() {
                set(vmi, "/spec/domain/memory/guest", of.at("/spec/memory/guest").clone());
            }
        }
        let bus = preferred("/spec/devices/preferredDiskBus");
        let model = preferred("/spec/devices/preferredInterfaceModel");
        let machine = preferred("/spec/machine/preferredMachineType");
        let devices = &mut vmi["spec"]["domain"]["devices"];
        for disk in devices["disks"].as_array_mut().into_iter().flatten() {
            if bus.is_string() && disk["disk"].is_object() && disk["disk"]["bus"].is_null() {
                disk["disk"]["bus"] = bus.clone();
            }
        }
        for interface in devices["interfaces"].as_array_mut().into_iter().flatten() {
            if model.is_string() && interface["model"].is_null() {
                interface["model"] = model.clone();
            }
        }
        if machine.is_string() {
            set(vmi, "/spec/domain/machine/type", machine);
        }
    }
}
