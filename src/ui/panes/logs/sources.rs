//! Which containers' logs belong to an object.

use compact_str::{CompactString, format_compact};
use serde_json::Value;

use crate::cluster::logs::LogSource;
use crate::records::{Kind, Pod, PodRole};
use crate::store::{Id, Store};

/// A log that belongs to an object, and what it is called among the others.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Named {
    /// Whose log.
    pub(super) source: LogSource,
    /// In a word.
    pub(super) name: CompactString,
}

/// What the containers are called that do the work in a pod, and in a word.
const CONTAINERS: &[(PodRole, &[(&str, &str)])] = &[
    (PodRole::Launcher, &[("guest-console-log", "guest"), ("compute", "compute")]),
    (PodRole::Importer, &[("importer", "importer")]),
    (PodRole::UploadServer, &[("cdi-upload-server", "upload")]),
    (PodRole::CloneSource, &[("cdi-clone-source", "clone")]),
    (PodRole::Virtink, &[("cloud-hypervisor", "guest")]),
];

/// Whether there may be logs of objects of this kind.
pub fn has_logs(kind: Kind) -> bool {
    matches!(
        kind,
        Kind::Pod | Kind::Vm | Kind::Vmi | Kind::DataVolume | Kind::Claim | Kind::Migration | Kind::VirtinkVm
    ) || is_made_of_machines(kind)
}

/// Whether objects of this kind have logs because the machines or disks that they make have some.
pub(super) fn is_made_of_machines(kind: Kind) -> bool {
    matches!(kind, Kind::Pool | Kind::Workload | Kind::ImportCron)
}

/// The logs of all pods that work for an object, as far as the store knows them: the guest's first, of several of a sort the
/// oldest first.
pub(super) fn of(store: &Store, id: Id) -> Vec<Named> {
    let leads = |kind| matches!(kind, Kind::Vmi | Kind::DataVolume | Kind::Claim | Kind::Pod | Kind::Vm);
    let parts = store.below_through(id, leads);
    let mut pods: Vec<&Pod> = parts.into_iter().filter_map(|id| store.get::<Pod>(id)).collect();
    pods.sort_by_key(|pod| (pod.meta.created, pod.meta.name.clone()));
    let mut found = Vec::new();
    for (role, containers) in CONTAINERS {
        let of_role: Vec<&&Pod> = pods.iter().filter(|pod| pod.role == *role).collect();
        for (container, word) in *containers {
            for pod in &of_role {
                let name = match of_role.len() {
                    1 => CompactString::from(*word),
                    _ => format_compact!("{word}-{}", pod.meta.name.rsplit('-').next().unwrap_or_default()),
                };
                found.push(Named { source: source(&pod.meta.namespace, &pod.meta.name, container), name });
            }
        }
    }
    found
}

fn source(namespace: &str, pod: &str, container: &str) -> LogSource {
    LogSource { namespace: namespace.to_owned(), pod: pod.to_owned(), container: container.to_owned() }
}

/// The containers of a pod; the first is the one that a person means who names none.
pub(super) fn of_pod(pod: &Value) -> Vec<Named> {
    let text = |pointer: &str| pod.pointer(pointer).and_then(Value::as_str).unwrap_or_default();
    let (namespace, name) = (text("/metadata/namespace"), text("/metadata/name"));
    let chosen = pod["metadata"]["annotations"]["kubectl.kubernetes.io/default-container"].as_str();
    let all = ["containers", "initContainers", "ephemeralContainers"];
    let containers = all.into_iter().filter_map(|part| pod["spec"][part].as_array()).flatten();
    let mut found: Vec<Named> = containers
        .filter_map(|container| container["name"].as_str())
        .map(|container| Named { source: source(namespace, name, container), name: container.into() })
        .collect();
    if let Some(at) = found.iter().position(|one| Some(one.source.container.as_str()) == chosen) {
        found[..=at].rotate_right(1);
    }
    found
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::model::{Now, Uid};
    use crate::records::{Claim, DataVolume, Records, Vm, Vmi, decode};
    use crate::store::{Batch, Coverage, Freshness, Namespaces, Stored, Touched};

    fn put<R: Stored>(store: &mut Store, objects: &[Value])
    where
        Records: From<Vec<R>>,
    {
        let mut touched = Touched::default();
        let feed = store.cover(R::KIND, Coverage::all(Namespaces::All), &mut touched)[0].id;
        let records = objects.iter().map(|object| decode::<R>(object.to_string().as_bytes()).unwrap().record);
        store.apply(
            Batch::of(feed, 0, records.collect::<Vec<R>>()).and(Freshness::Live),
            Now::at(0),
            &mut touched,
        );
    }

    fn uid(number: u32) -> String {
        format!("00000000-0000-4000-8000-{number:012}")
    }

    /// An object with an owner, by number.
    fn object(name: &str, number: u32, owner: u32) -> Value {
        let owners = json!([{"kind": "Owner", "name": "owner", "uid": uid(owner), "controller": true}]);
        json!({
            "metadata": {
                "name": name, "namespace": "shop", "uid": uid(number), "ownerReferences": owners,
                "creationTimestamp": format!("2026-01-01T00:00:{number:02}Z"),
            },
        })
    }

    fn pod(name: &str, number: u32, owner: u32, label: (&str, &str)) -> Value {
        let mut pod = object(name, number, owner);
        pod["metadata"]["labels"] = json!({label.0: label.1});
        pod
    }

    #[test]
    fn the_logs_of_a_machine_are_found_however_far_below_their_pods_are() {
        let mut store = Store::new(crate::explain::STATES);
        let mut machine = object("web", 1, 90);
        machine["spec"] =
            json!({"template": {"spec": {"volumes": [{"name": "root", "dataVolume": {"name": "root"}}]}}});
        put::<Vm>(&mut store, &[machine]);
        put::<Vmi>(&mut store, &[object("web", 2, 1)]);
        put::<DataVolume>(&mut store, &[object("root", 3, 90)]);
        // The importer works on a claim of its own, which belongs to the one that the disk will have.
        put::<Claim>(&mut store, &[object("root", 4, 3), object("prime-4", 5, 4), object("other", 6, 90)]);
        let launcher = ("kubevirt.io", "virt-launcher");
        let importer = ("cdi.kubevirt.io", "importer");
        put::<Pod>(
            &mut store,
            &[
                pod("virt-launcher-web-bbbbb", 21, 2, launcher),
                pod("virt-launcher-web-aaaaa", 20, 2, launcher),
                pod("importer-prime-4", 22, 5, importer),
                pod("importer-other", 23, 6, importer),
                pod("hp-volume-x", 24, 20, ("kubevirt.io", "hotplug-disk")),
            ],
        );
        let id = store.find(Uid::parse(&uid(1))).unwrap();
        let found: Vec<String> =
            of(&store, id).iter().map(|one| format!("{} {}", one.source.pod, one.name)).collect();
        assert_eq!(
            found,
            [
                "virt-launcher-web-aaaaa guest-aaaaa",
                "virt-launcher-web-bbbbb guest-bbbbb",
                "virt-launcher-web-aaaaa compute-aaaaa",
                "virt-launcher-web-bbbbb compute-bbbbb",
                "importer-prime-4 importer",
            ]
        );
        let disk = store.find(Uid::parse(&uid(3))).unwrap();
        assert_eq!(of(&store, disk).len(), 1);
    }

    #[test]
    fn the_main_container_of_a_pod_comes_first() {
        let names = |pod: &Value| of_pod(pod).into_iter().map(|one| one.name).collect::<Vec<_>>();
        let mut pod = json!({
            "metadata": {"name": "web", "namespace": "shop"},
            "spec": {"containers": [{"name": "proxy"}, {"name": "compute"}], "initContainers": [{"name": "init"}]},
        });
        assert_eq!(names(&pod), ["proxy", "compute", "init"]);
        pod["metadata"]["annotations"] = json!({"kubectl.kubernetes.io/default-container": "compute"});
        assert_eq!(names(&pod), ["compute", "proxy", "init"]);
        assert_eq!(of_pod(&pod)[0].source, source("shop", "web", "compute"));
        assert!(names(&json!({"spec": {"containers": 7}})).is_empty());
    }
}
