//! What happens outside is seen here.

use std::time::Duration;

use serde_json::json;
use v9s::cluster::feed::Timing;
use v9s::records::{Kind, Pod, RunStrategy, Vm, VmFlags, Vmi};
use v9s::store::Summary;

use crate::support::live::{Live, within};
use crate::support::objects::{data_volume, launcher_pod, pod, vm, vmi_of};
use crate::support::suite::Case;

pub(super) const CASES: &[Case] = &[
    ("watch: a machine is made, changed and deleted", |env| {
        let ns = env.namespace.as_str();
        let mut live = Live::new(env.admin());
        live.open(Kind::Vm, within(&[ns]));
        live.until_live(&[Kind::Vm]);
        let machine = env.cluster.create(vm(ns, "web"));
        live.until("the new machine", |live| {
            live.find::<Vm>(ns, "web").is_some_and(|row| &*row.status == "Stopped")
        });
        assert_eq!(live.row::<Vm>(ns, "web").strategy, RunStrategy::Halted);
        env.cluster.patch(&machine, json!({"spec": {"runStrategy": "Always"}}));
        live.until("its strategy", |live| live.row::<Vm>(ns, "web").strategy == RunStrategy::Always);
        let status = json!({"status": {"printableStatus": "Running", "created": true, "ready": true}});
        env.cluster.patch(&machine, status);
        live.until("its state", |live| &*live.row::<Vm>(ns, "web").status == "Running");
        assert!(live.row::<Vm>(ns, "web").flags.contains(VmFlags::CREATED | VmFlags::READY));
        env.cluster.delete(&machine);
        live.until("its end", |live| live.store.is_empty(Kind::Vm));
        assert_eq!(live.store.freshness(Kind::Vm), Summary::Live);
        assert!(live.stale(0, Kind::Vm).is_empty());
    }),
    ("watch: one that is on its way out says so until it is gone", |env| {
        let ns = env.namespace.as_str();
        let held = json!(["example.test/hold"]);
        let machine = env.cluster.create(vm(ns, "web").with("metadata.finalizers", held));
        let mut live = Live::new(env.admin());
        live.open(Kind::Vm, within(&[ns]));
        live.until_live(&[Kind::Vm]);
        env.cluster.delete(&machine);
        live.until("its leaving", |live| live.row::<Vm>(ns, "web").meta.deleted().is_some());
        env.cluster.patch(&machine, json!({"metadata": {"finalizers": null}}));
        live.until("its end", |live| live.store.is_empty(Kind::Vm));
    }),
    ("watch: another object of the same name is another row", |env| {
        let ns = env.namespace.as_str();
        let first = env.cluster.create(vm(ns, "web"));
        let mut live = Live::new(env.admin());
        live.open(Kind::Vm, within(&[ns]));
        live.until_live(&[Kind::Vm]);
        let before = live.row::<Vm>(ns, "web").meta.uid;
        env.cluster.delete(&first);
        env.cluster.create(vm(ns, "web"));
        live.until("the second one", |live| {
            live.find::<Vm>(ns, "web").is_some_and(|row| row.meta.uid != before)
        });
        assert_eq!(live.names(Kind::Vm), ["web"]);
        assert_eq!(live.store.find(before), None);
    }),
    ("watch: machine, instance, pod and disk are linked in whatever order they come", |env| {
        let ns = env.namespace.as_str();
        let mut live = Live::new(env.admin());
        let kinds = [Kind::Vm, Kind::Vmi, Kind::Pod, Kind::DataVolume];
        kinds.iter().for_each(|&kind| live.open(kind, within(&[ns])));
        live.until_live(&kinds);
        env.cluster.create(data_volume(ns, "web-root"));
        let volumes = json!([{"name": "root", "dataVolume": {"name": "web-root"}}]);
        let machine = vm(ns, "web").running().with("spec.template.spec.volumes", volumes);
        let machine = env.cluster.create(machine);
        let instance = env.cluster.create(vmi_of(&machine));
        let launcher = env.cluster.create(launcher_pod(&instance));
        let pod_name = launcher["metadata"]["name"].as_str().unwrap();
        live.until("all of them", |live| {
            live.has(Kind::Vm, ns, "web")
                && live.has(Kind::Vmi, ns, "web")
                && live.has(Kind::Pod, ns, pod_name)
                && live.has(Kind::DataVolume, ns, "web-root")
        });
        let at = |live: &Live, kind, name| live.id(kind, ns, name).unwrap();
        let ids = kinds.map(|kind| match kind {
            Kind::Pod => at(&live, kind, pod_name),
            Kind::DataVolume => at(&live, kind, "web-root"),
            _ => at(&live, kind, "web"),
        });
        let [vm_id, vmi_id, pod_id, disk_id] = ids;
        assert!(live.store.wholes(pod_id).any(|whole| whole == vmi_id));
        assert!(live.store.wholes(vmi_id).any(|whole| whole == vm_id));
        assert!(live.store.parts(vm_id).any(|part| part == disk_id));

        // A change below touches what stands above.
        let mark = live.mark();
        env.cluster.patch(&instance, json!({"status": {"phase": "Failed"}}));
        live.until("the phase", |live| &*live.row::<Vmi>(ns, "web").phase == "Failed");
        let touched = live.since(mark, Kind::Vmi).map(|moment| moment.touched).max();
        assert_eq!(touched, Some(2), "{}", live.summary());
        env.cluster.delete(&instance);
        live.until("the end of the instance", |live| live.store.is_empty(Kind::Vmi));
        assert!(live.store.parts(vm_id).all(|part| part == disk_id));
    }),
    ("watch: a change that shows nowhere touches nothing", |env| {
        let ns = env.namespace.as_str();
        let machine = env.cluster.create(vm(ns, "web"));
        let mut live = Live::new(env.admin());
        live.open(Kind::Vm, within(&[ns]));
        live.until_live(&[Kind::Vm]);
        let mark = live.mark();
        // A new version with other annotations and managed fields, and nothing else.
        let quiet = env.cluster.patch(&machine, json!({"metadata": {"annotations": {"a": "b"}}}));
        assert_ne!(quiet["metadata"]["resourceVersion"], machine["metadata"]["resourceVersion"]);
        live.until("the quiet change", |live| live.since(mark, Kind::Vm).any(|moment| moment.records == 1));
        assert!(live.since(mark, Kind::Vm).all(|moment| moment.touched == 0), "{}", live.summary());
        let mark = live.mark();
        env.cluster.patch(&machine, json!({"status": {"printableStatus": "Starting"}}));
        live.until("the visible change", |live| live.mark() > mark);
        assert_eq!(live.since(mark, Kind::Vm).map(|moment| moment.touched).sum::<usize>(), 1);
    }),
    ("watch: a flood that nobody takes for a while is all there in the end", |env| {
        const MANY: usize = 250;
        let ns = env.namespace.as_str();
        let mut live = Live::new(env.admin());
        live.open(Kind::Pod, within(&[ns]));
        live.until_live(&[Kind::Pod]);
        // More batches than the channel has room for: the feed waits for the screen.
        let pods = (0..MANY).map(|n| pod(ns, &format!("pod-{n}")).running());
        env.cluster.create_many(pods);
        live.until("all of them in their last state", |live| {
            live.store.len(Kind::Pod) == MANY
                && live
                    .store
                    .ids(Kind::Pod)
                    .into_iter()
                    .all(|id| live.store.get::<Pod>(id).is_some_and(|pod| &*pod.phase == "Running"))
        });
        assert!(live.since(0, Kind::Pod).all(|moment| moment.records <= 500));
        assert_eq!(live.store.freshness(Kind::Pod), Summary::Live);
    }),
    ("watch: it goes on when the server ends it in order", |env| {
        let ns = env.namespace.as_str();
        env.cluster.create(pod(ns, "first"));
        let watch = Duration::from_secs(1);
        let mut live = Live::new(env.admin()).with_timing(Timing { watch, ..Timing::default() });
        live.open(Kind::Pod, within(&[ns]));
        live.until_live(&[Kind::Pod]);
        let began = std::time::Instant::now();
        // Long enough for two ends: each second something comes through another watch.
        let mut count = 0;
        while began.elapsed() < 2 * watch + watch / 2 {
            let name = format!("later-{count}");
            count += 1;
            env.cluster.create(pod(ns, &name));
            live.until("a new pod", |live| live.find::<Pod>(ns, &name).is_some());
        }
        assert_eq!(live.store.len(Kind::Pod), count + 1);
        assert_eq!(live.stale(0, Kind::Pod), [""; 0]);
    }),
];
