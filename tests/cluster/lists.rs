//! Lists: all of them, and what is kept of each object.

use serde_json::json;
use v9s::model::{Key, Time, Uid};
use v9s::records::{
    BindingMode, Claim, DataVolume, Event, Kind, Namespace, Node, Other, Pod, RunStrategy, StorageClass,
    TableCell, Vm, VmFlags, Vmi, VmiFlags,
};
use v9s::store::{Coverage, Freshness, Namespaces, Selection, Summary};

use super::discovery::widgets;
use crate::support::live::{Live, everywhere, within};
use crate::support::objects::{
    NODE, Object, TIME, claim, data_volume, fleet_in, launcher_pod, pod, vm, vmi_of,
};
use crate::support::suite::Case;

pub(super) const CASES: &[Case] = &[
    ("list: seven hundred machines come in pages", |env| {
        const MANY: usize = 700;
        let ns = env.namespace.as_str();
        let mut machines = fleet_in(&[ns], MANY);
        // One request for each is enough here.
        machines.iter_mut().for_each(|machine| drop(machine.0.as_object_mut().unwrap().remove("status")));
        let created = env.cluster.create_many(machines);
        let mut live = Live::new(env.admin());
        live.open(Kind::Vm, within(&[ns]));
        live.until("the first page", |live| !live.store.is_empty(Kind::Vm));
        assert_eq!(live.store.len(Kind::Vm), 50, "a screen is full before the rest is there");
        live.until_live(&[Kind::Vm]);
        let seen: Vec<usize> = live
            .since(0, Kind::Vm)
            .filter_map(|moment| match moment.freshness {
                Some(Freshness::Syncing { seen }) => Some(seen),
                _ => None,
            })
            .collect();
        assert_eq!(seen, [0, 50, 550]);
        assert!(live.since(0, Kind::Vm).all(|moment| moment.records <= 500));
        let mut wanted: Vec<&str> =
            created.iter().map(|machine| machine["metadata"]["name"].as_str().unwrap()).collect();
        wanted.sort_unstable();
        assert_eq!(live.names(Kind::Vm), wanted);
    }),
    ("list: a kind that has no objects is live and empty", |env| {
        let mut live = Live::new(env.admin());
        assert_eq!(live.store.freshness(Kind::Vm), Summary::Unasked);
        live.open(Kind::Vm, within(&[&env.namespace]));
        assert_eq!(live.store.freshness(Kind::Vm), Summary::Syncing { seen: 0 });
        live.until_live(&[Kind::Vm]);
        assert!(live.store.is_empty(Kind::Vm));
    }),
    ("list: what is kept of a machine and its instance", |env| {
        let ns = env.namespace.as_str();
        let machine = vm(ns, "web")
            .running()
            .with("spec.template.spec.domain.cpu", json!({"cores": 2, "sockets": 3, "threads": 1}))
            .with("spec.template.spec.domain.memory.guest", "1536Mi")
            .with(
                "spec.template.spec.volumes",
                json!([
                    {"name": "root", "dataVolume": {"name": "web-root"}},
                    {"name": "data", "persistentVolumeClaim": {"claimName": "web-data"}},
                ]),
            );
        let machine = env.cluster.create(machine);
        let instance = env.cluster.create(vmi_of(&machine));
        let mut live = Live::new(env.admin());
        live.open(Kind::Vm, within(&[ns]));
        live.open(Kind::Vmi, within(&[ns]));
        live.until_live(&[Kind::Vm, Kind::Vmi]);

        let row = live.row::<Vm>(ns, "web");
        assert_eq!(row.meta.uid, uid(&machine));
        assert_eq!(&*row.meta.namespace, ns);
        assert_eq!(row.meta.created, time(&machine["metadata"]["creationTimestamp"]));
        assert_eq!((row.cpus, row.memory, row.strategy), (6, 1536, RunStrategy::Always));
        assert_eq!(&*row.status, "Running");
        assert_eq!(row.flags, VmFlags::CREATED | VmFlags::READY | VmFlags::MIGRATABLE);
        assert_eq!(row.ready_since, Time::parse(TIME));
        assert_eq!(row.disks.len(), 2);
        assert_eq!((row.meta.owner, row.meta.deleted(), row.meta.broken()), (None, None, None));

        let row = live.row::<Vmi>(ns, "web");
        assert_eq!(row.meta.uid, uid(&instance));
        assert_eq!(row.meta.owner, Some(Key::uid(uid(&machine))));
        assert_eq!((&*row.phase, &*row.node, &*row.guest_os), ("Running", NODE, "Fedora Linux 41"));
        assert_eq!(row.address().unwrap().to_string(), "10.244.1.7");
        let all = VmiFlags::READY | VmiFlags::AGENT | VmiFlags::MIGRATABLE | VmiFlags::ADDRESS_OF_GUEST;
        assert_eq!(row.flags, all);
        assert_eq!((row.cpus, row.memory), (6, 1536));
    }),
    ("list: what is kept of other kinds", |env| {
        let ns = env.namespace.as_str();
        let event = Object(json!({
            "apiVersion": "v1", "kind": "Event",
            "metadata": {"namespace": ns, "name": "web.1"},
            "involvedObject": {"apiVersion": "v1", "kind": "Pod", "namespace": ns, "name": "web"},
            "reason": "FailedScheduling", "message": "no node", "type": "Warning",
            "firstTimestamp": TIME, "lastTimestamp": TIME, "count": 3,
        }));
        let volume = data_volume(ns, "root").phase("ImportInProgress", "42.50%");
        let objects = [pod(ns, "web").running(), claim(ns, "root").bound(), volume, event];
        let objects = env.cluster.create_many(objects);
        let class = Object(json!({
            "apiVersion": "storage.k8s.io/v1", "kind": "StorageClass", "metadata": {"name": ns},
            "provisioner": "disks.example.test", "volumeBindingMode": "WaitForFirstConsumer",
        }));
        let node = Object(json!({
            "apiVersion": "v1", "kind": "Node",
            "metadata": {"name": ns, "labels": {"node-role.kubernetes.io/worker": ""}},
            "status": {"capacity": {"cpu": "4", "memory": "8Gi"}},
        }));
        let wide = env.cluster.create_many([class, node]);
        let kinds = [Kind::Pod, Kind::Claim, Kind::DataVolume, Kind::Event];
        let wide_kinds = [Kind::Namespace, Kind::StorageClass, Kind::Node];
        let mut live = Live::new(env.admin());
        kinds.iter().for_each(|&kind| live.open(kind, within(&[ns])));
        wide_kinds.iter().for_each(|&kind| live.open(kind, everywhere()));
        live.until_live(&kinds);
        live.until_live(&wide_kinds);

        let pod = live.row::<Pod>(ns, "web");
        assert_eq!((&*pod.phase, &*pod.reason, &*pod.node), ("Running", "Running", NODE));
        assert_eq!((pod.ready, pod.containers, pod.started), (1, 1, Time::parse(TIME)));
        let claim = live.row::<Claim>(ns, "root");
        assert_eq!((&*claim.class, claim.capacity, claim.requested), ("fast", 5 << 30, 5 << 30));
        let volume = live.row::<DataVolume>(ns, "root");
        assert_eq!((&*volume.phase, volume.progress), ("ImportInProgress", Some(425)));
        assert_eq!(volume.requested, 5 << 30);
        let event = live.row::<Event>(ns, "web.1");
        assert_eq!((&*event.reason, &*event.message), ("FailedScheduling", "no node"));
        assert_eq!((&*event.object_kind, &*event.object_name), ("Pod", "web"));
        assert_eq!((event.count, event.warning, event.first_seen), (3, true, Time::parse(TIME)));
        assert_eq!(event.last_seen, event.meta.created, "the newest of all times counts");
        let namespace = live.row::<Namespace>("", ns);
        assert_eq!((&*namespace.phase, &*namespace.meta.namespace), ("Active", ""));
        let class = live.row::<StorageClass>("", ns);
        assert_eq!(&*class.provisioner, "disks.example.test");
        assert_eq!((&*class.reclaim, class.binding), ("Delete", BindingMode::FirstConsumer));
        let node = live.row::<Node>("", ns);
        assert_eq!((&*node.roles, node.cpu, node.memory), ("worker", 4_000, 8 << 30));

        let metas = [&pod.meta, &claim.meta, &volume.meta, &event.meta, &class.meta, &node.meta];
        for (meta, object) in metas.iter().zip(objects.iter().chain(&wide)) {
            assert_eq!(meta.uid, uid(object));
            assert_eq!(meta.created, time(&object["metadata"]["creationTimestamp"]));
            assert!(meta.created.is_some() && meta.broken().is_none(), "{meta:?}");
        }
        wide.iter().for_each(|object| env.cluster.delete(object));
        live.until("the end of both", |live| {
            !live.has(Kind::StorageClass, "", ns) && !live.has(Kind::Node, "", ns)
        });
    }),
    ("list: an object in two lists is one row in each", |env| {
        // Both kinds of events are the same objects.
        let ns = env.namespace.as_str();
        let event = |name: &str| {
            json!({
                "apiVersion": "v1", "kind": "Event", "metadata": {"namespace": ns, "name": name},
                "involvedObject": {"apiVersion": "v1", "kind": "Namespace", "namespace": ns, "name": ns},
                "reason": "Tested", "type": "Normal", "count": 1,
            })
        };
        env.cluster.create(event("one"));
        let mut live = Live::new(env.admin());
        live.open_table("events.events.k8s.io", within(&[ns]).namespaces);
        live.until_live(&[Kind::Other]);
        live.open(Kind::Event, within(&[ns]));
        live.until_live(&[Kind::Event]);
        env.cluster.patch(&event("one"), json!({"count": 2}));
        live.until("the change", |live| live.row::<Event>(ns, "one").count == 2);
        env.cluster.create(event("two"));
        live.until("the second in both", |live| {
            live.has(Kind::Event, ns, "two") && live.has(Kind::Other, ns, "two")
        });
        for kind in [Kind::Event, Kind::Other] {
            assert_eq!(live.names(kind), ["one", "two"]);
        }
        env.cluster.delete(&event("one"));
        live.until("the end of the first in both", |live| {
            live.names(Kind::Event) == ["two"] && live.names(Kind::Other) == ["two"]
        });
    }),
    ("list: pods that belong to machines, by several selectors at once", |env| {
        let ns = env.namespace.as_str();
        let labelled = |name: &str, key: &str, value: &str| pod(ns, name).label(key, value);
        let launcher = labelled("launcher", "kubevirt.io", "virt-launcher");
        env.cluster.create_many([
            launcher.clone(),
            labelled("importer", "cdi.kubevirt.io", "importer"),
            // Two selectors want this one.
            labelled("both", "kubevirt.io", "virt-launcher").label("cdi.kubevirt.io", "importer"),
            pod(ns, "other"),
        ]);
        let partners = Coverage { selection: Selection::Partners, ..within(&[ns]) };
        let mut live = Live::new(env.admin());
        live.open(Kind::Pod, partners.clone());
        live.until_live(&[Kind::Pod]);
        assert_eq!(live.names(Kind::Pod), ["both", "importer", "launcher"]);
        env.cluster.patch(&pod(ns, "both"), json!({"metadata": {"labels": {"cdi.kubevirt.io": null}}}));
        env.cluster.delete(&pod(ns, "importer"));
        live.until("the importer to go", |live| !live.has(Kind::Pod, ns, "importer"));
        live.until("the one that keeps a label", |live| live.names(Kind::Pod) == ["both", "launcher"]);

        // Every pod, and back: the launcher is there all the time.
        let mark = live.mark();
        live.open(Kind::Pod, within(&[ns]));
        live.until_live(&[Kind::Pod]);
        assert_eq!(live.names(Kind::Pod), ["both", "launcher", "other"]);
        live.open(Kind::Pod, partners);
        live.until_live(&[Kind::Pod]);
        assert_eq!(live.names(Kind::Pod), ["both", "launcher"]);
        assert!(live.fewest(mark, Kind::Pod) >= 2);
        env.cluster.delete(&launcher);
        live.until("the launcher to go", |live| live.names(Kind::Pod) == ["both"]);
    }),
    ("list: the server's own table of a kind that has no record", |env| {
        let ns = env.namespace.as_str();
        for (name, count) in [("one", 1), ("three", 3)] {
            let data: serde_json::Map<_, _> = (0..count).map(|n| (n.to_string(), json!("x"))).collect();
            env.cluster.create(config_map(ns, name).with("data", data));
        }
        let mut live = Live::new(env.admin());
        let only = within(&[ns]).namespaces;
        live.open_table("configmaps", only.clone());
        live.until_live(&[Kind::Other]);
        let titles: Vec<&str> =
            live.store.columns().unwrap().iter().map(|column| column.name.as_str()).collect();
        assert_eq!(titles, ["Name", "Data", "Age"]);
        let row = live.row::<Other>(ns, "three");
        assert_eq!(row.cells[..2], [TableCell::Text("three".into()), TableCell::Number(3.0)]);
        assert_eq!(row.cells.len(), 3);

        // Its changes come as tables of one row.
        env.cluster.patch(&config_map(ns, "one"), json!({"data": {"b": "x"}}));
        live.until("the second entry", |live| {
            live.row::<Other>(ns, "one").cells[1] == TableCell::Number(2.0)
        });
        env.cluster.delete(&config_map(ns, "one"));
        live.until("the end of the first", |live| !live.has(Kind::Other, ns, "one"));

        // Another resource takes the place of this one; its rows are no rows of that.
        let mark = live.mark();
        live.open_table("secrets", only);
        assert!(live.store.is_empty(Kind::Other) && live.store.columns().is_none());
        live.until_live(&[Kind::Other]);
        assert!(live.store.is_empty(Kind::Other), "{}", live.summary());
        assert_eq!(live.store.columns().unwrap()[1].name, "Type");
        assert!(live.since(mark, Kind::Other).all(|moment| moment.rows == 0));
    }),
    ("list: a table of a kind without namespaces", |env| {
        let mut live = Live::new(env.admin());
        live.open_table("clusterroles", Namespaces::All);
        live.until_live(&[Kind::Other]);
        assert!(live.has(Kind::Other, "", "cluster-admin"));
    }),
    ("list: a kind of somebody else goes while its table is watched, and comes again", |env| {
        let ns = env.namespace.as_str();
        let group: &'static str = Box::leak(format!("{ns}.example.test").into_boxed_str());
        let widget = json!({
            "apiVersion": format!("{group}/v1"), "kind": "Widget",
            "metadata": {"namespace": ns, "name": "one"},
        });
        env.cluster.apply_open(&[widgets(group)]);
        env.cluster.create(widget.clone());
        let mut live = Live::new(env.admin());
        let resource = format!("widgets.{group}");
        live.discover_until(&resource);
        live.open_table(&resource, within(&[ns]).namespaces);
        live.until_live(&[Kind::Other]);
        assert_eq!(live.names(Kind::Other), ["one"]);
        env.cluster.delete(&widgets(group).json());
        live.until("the kind to be absent", |live| live.store.freshness(Kind::Other) == Summary::Absent);
        assert!(live.store.is_empty(Kind::Other));
        env.cluster.wait_gone(&widgets(group).json());
        env.cluster.apply_open(&[widgets(group)]);
        env.cluster.create(widget);
        live.open_table(&resource, within(&[ns]).namespaces);
        live.until_live(&[Kind::Other]);
        assert_eq!(live.names(Kind::Other), ["one"]);
        env.cluster.delete(&widgets(group).json());
    }),
    ("list: only what a selector wants", |env| {
        let ns = env.namespace.as_str();
        let machine = env.cluster.create(vm(ns, "web").running());
        let instance = env.cluster.create(vmi_of(&machine));
        let launcher = env.cluster.create(launcher_pod(&instance));
        env.cluster.create(pod(ns, "other"));
        let mut live = Live::new(env.admin());
        live.open_selected(Kind::Pod, within(&[ns]), "kubevirt.io=virt-launcher");
        live.until_live(&[Kind::Pod]);
        let name = launcher["metadata"]["name"].as_str().unwrap();
        assert_eq!(live.names(Kind::Pod), [name]);

        // What comes to wear the label comes; what takes it off goes.
        env.cluster
            .patch(&pod(ns, "other"), json!({"metadata": {"labels": {"kubevirt.io": "virt-launcher"}}}));
        live.until("the pod that is labelled now", |live| live.has(Kind::Pod, ns, "other"));
        env.cluster.patch(&launcher, json!({"metadata": {"labels": {"kubevirt.io": null}}}));
        live.until("the other one to go", |live| !live.has(Kind::Pod, ns, name));
        assert_eq!(live.names(Kind::Pod), ["other"]);
    }),
    ("list: a wider coverage keeps the rows", |env| {
        let ns = env.namespace.as_str();
        let other = format!("{ns}-b");
        env.cluster.create_many([vm(ns, "web"), vm(ns, "db"), vm(&other, "web")]);
        let mut live = Live::new(env.admin());
        live.open(Kind::Vm, within(&[ns]));
        live.until_live(&[Kind::Vm]);
        let mark = live.mark();
        live.open(Kind::Vm, within(&[ns, &other]));
        live.until_live(&[Kind::Vm]);
        assert_eq!((live.fewest(mark, Kind::Vm), live.store.len(Kind::Vm)), (2, 3));
        // The first feed has ended, and the new one tells of changes.
        env.cluster.patch(&vm(ns, "db"), json!({"status": {"printableStatus": "Starting"}}));
        live.until("the change", |live| &*live.row::<Vm>(ns, "db").status == "Starting");
        // A narrower one takes away what it does not cover.
        live.open(Kind::Vm, within(&[&other]));
        live.until_live(&[Kind::Vm]);
        assert_eq!(live.names(Kind::Vm), ["web"]);
        assert!(live.has(Kind::Vm, &other, "web"));
        env.cluster.delete_namespace(&other);
    }),
];

pub(super) fn config_map(namespace: &str, name: &str) -> Object {
    Object(json!({
        "apiVersion": "v1", "kind": "ConfigMap", "metadata": {"namespace": namespace, "name": name},
    }))
}

fn uid(object: &serde_json::Value) -> Uid {
    Uid::parse(object["metadata"]["uid"].as_str().unwrap())
}

fn time(text: &serde_json::Value) -> Option<Time> {
    Time::parse(text.as_str().unwrap())
}
