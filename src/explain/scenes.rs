//! What rows say of objects that stand together as real controllers leave them, in scenes that take longer or are rarer than
//! those of a recording.

use std::collections::BTreeMap;

use crate::dispatch_arms;
use crate::explain::{STATES, reason};
use crate::model::Now;
use crate::records::{Kind, Record, Records, decode};
use crate::store::{Batch, Coverage, Freshness, Namespaces, Store, Stored, Touched};

/// 2026-01-01T00:00:00Z
const MADE: i64 = 1_767_225_600;

/// Objects by kind; each list is complete.
#[derive(Default)]
struct Scene(BTreeMap<Kind, Vec<String>>);

/// `metadata` of an object whose UID is its name with that of its kind, and what it belongs to.
fn object<R: Record>(name: &str, owner: &str, rest: &str) -> String
where
    Records: From<Vec<R>>,
{
    let uid = format!("{}-{name}", R::INFO.plural);
    let owners = match owner {
        "" => String::new(),
        owner => format!(r#","ownerReferences":[{{"uid":"{owner}","controller":true}}]"#),
    };
    format!(
        r#"{{"metadata":{{"name":"{name}","namespace":"shop","uid":"{uid}","creationTimestamp":"2026-01-01T00:00:00Z"{owners}}},{rest}}}"#
    )
}

impl Scene {
    fn with<R: Record>(mut self, name: &str, owner: &str, rest: &str) -> Self
    where
        Records: From<Vec<R>>,
    {
        self.0.entry(R::KIND).or_default().push(object::<R>(name, owner, rest));
        self
    }

    /// An event about an object, first seen a second after it was made.
    fn event(self, about: &str, kind: &str, reason: &str, message: &str) -> Self {
        let rest = format!(
            r#""type":"{kind}","reason":"{reason}","message":"{message}","involvedObject":{{"uid":"{about}"}},
            "firstTimestamp":"2026-01-01T00:00:01Z","lastTimestamp":"2026-01-01T00:00:05Z""#
        );
        let name = format!("{reason}-{}", self.0.get(&Kind::Event).map_or(0, Vec::len));
        self.with::<crate::records::Event>(&name, "", &rest)
    }

    /// The same without a kind, as to somebody who may not see it.
    fn store(&self) -> Store {
        fn put<R: Stored>(store: &mut Store, objects: &[String])
        where
            Records: From<Vec<R>>,
        {
            let mut touched = Touched::default();
            let plans = store.cover(R::KIND, Coverage::all(Namespaces::All), &mut touched);
            let records: Vec<R> =
                objects.iter().map(|object| decode(object.as_bytes()).expect(object).record).collect();
            store.apply(Batch::of(plans[0].id, 0, records).and(Freshness::Live), Now::at(MADE), &mut touched);
        }
        let mut store = Store::new(STATES);
        for (kind, objects) in &self.0 {
            crate::dispatch!(*kind, R => put::<R>(&mut store, objects));
        }
        store
    }

    /// What the first row of a kind says so many seconds after the objects were made.
    #[track_caller]
    fn says<R: Record>(&self, after: i64, want: &str)
    where
        Records: From<Vec<R>>,
    {
        let store = self.store();
        let (id, now) = (store.ids(R::KIND)[0], Now::at(MADE + after));
        let state = store.state(id, now);
        let mut said = format!("{} {:?}: ", state.word, state.health);
        reason(&store, id, now, &mut said);
        assert_eq!(said, want, "after {after} s");
    }
}

mod machines {
    use super::*;
    use crate::records::{Claim, Pod, Pool, VirtinkVm, Vm, Vmi};

    /// A machine with its instance, and the launcher pod of that.
    fn machine(vm: &str, vmi: &str, pod: &str) -> Scene {
        let scene = Scene::default()
            .with::<Vm>("web", "", vm)
            .with::<Vmi>("web", "virtualmachines-web", vmi)
            .with::<Claim>("other", "", r#""status":{"phase":"Bound"}"#);
        match pod {
            "" => scene,
            pod => scene.with::<Pod>("virt-launcher-web-1", "virtualmachineinstances-web", pod),
        }
    }

    fn deleted(object: &str, at: &str) -> String {
        object.replacen(r#""uid""#, &format!(r#""deletionTimestamp":"2026-01-01T00:00:{at}Z","uid""#), 1)
    }

    const ALWAYS: &str = r#""spec":{"runStrategy":"Always"},"status":{"printableStatus":"Stopping"}"#;

    #[test]
    fn a_guest_that_was_ended_because_it_did_not_heed_its_stop_has_not_crashed() {
        let failed = r#""status":{"phase":"Failed","phaseTransitionTimestamps":[
            {"phase":"Failed","phaseTransitionTimestamp":"2026-01-01T00:00:40Z"}]}"#;
        let crashed = machine(ALWAYS, failed, "");
        crashed.says::<Vm>(50, "Stopping Failed: the guest crashed");
        crashed.says::<Vmi>(50, "Failed Failed: the guest crashed");

        // Its controller deletes what has ended by itself.
        let mut removed = machine(ALWAYS, failed, "");
        let instance = &mut removed.0.get_mut(&Kind::Vmi).unwrap()[0];
        *instance = deleted(instance, "40");
        removed.says::<Vm>(50, "Stopping Failed: the guest crashed");

        // Deleted first, and ended when its grace period was over.
        let mut stopped = machine(ALWAYS, failed, "");
        let instance = &mut stopped.0.get_mut(&Kind::Vmi).unwrap()[0];
        *instance = deleted(instance, "10");
        stopped.says::<Vm>(50, "Stopping Leaving: ");
        let halted = r#""spec":{"runStrategy":"Halted"},"status":{"printableStatus":"Stopping"}"#;
        let mut halted = machine(halted, failed, "");
        let instance = &mut halted.0.get_mut(&Kind::Vmi).unwrap()[0];
        *instance = deleted(instance, "40");
        halted.says::<Vm>(50, "Stopping Leaving: ");
    }

    #[test]
    fn what_ended_a_guest_is_told_where_somebody_knows() {
        let failed = r#""status":{"phase":"Failed"}"#;
        let lost = r#""status":{"phase":"Failed","reason":"NodeUnresponsive"}"#;
        let killed = r#""status":{"phase":"Failed","containerStatuses":[{"name":"compute",
            "state":{"terminated":{"exitCode":137,"reason":"OOMKilled"}}}]}"#;
        let ended = r#""status":{"phase":"Failed","containerStatuses":[{"name":"compute",
            "state":{"terminated":{"exitCode":1,"reason":"Error"}}}]}"#;
        let evicted = r#""status":{"phase":"Failed","reason":"Evicted","message":"The node was low on resource: memory."}"#;
        let launcher = |pod: &str| {
            format!(r#""spec":{{}},{pod}"#).replace(r#""spec":{},"#, r#""spec":{"nodeName":"n"},"#)
        };
        for (vmi, pod, want) in [
            (failed, "", "the guest crashed"),
            (failed, ended, "the guest crashed"),
            (failed, killed, "out of memory, killed"),
            (failed, evicted, "evicted: the node is short of memory"),
            (lost, "", "its node does not answer"),
        ] {
            let mut scene = machine(ALWAYS, vmi, &if pod.is_empty() { String::new() } else { launcher(pod) });
            for pod in scene.0.get_mut(&Kind::Pod).into_iter().flatten() {
                *pod = pod.replacen(r#""uid""#, r#""labels":{"kubevirt.io":"virt-launcher"},"uid""#, 1);
            }
            scene.says::<Vm>(5, &format!("Stopping Failed: {want}"));
        }
    }

    #[test]
    fn conflicts_of_writers_are_no_refusal() {
        let conflict = r#""spec":{"runStrategy":"Always"},"status":{"printableStatus":"Stopped","conditions":[{"type":"Failure",
            "status":"True","reason":"FailedCreate","message":"Operation cannot be fulfilled on virtualmachines: the object has been modified"}]}"#;
        let alone = Scene::default().with::<Vm>("web", "", conflict);
        let mut alone = alone.with::<Vmi>("other", "", r#""status":{}"#);
        alone.says::<Vm>(5, "Starting Busy: ");
        alone.0.remove(&Kind::Vmi);
        alone.says::<Vm>(5, "Stopped Idle: ");
        let running = r#""status":{"phase":"Running"}"#;
        let running = machine(&conflict.replace("Stopped", "Running"), running, "");
        running.says::<Vm>(5, "Running Well: ");
    }

    #[test]
    fn what_passes_by_itself_is_not_called_an_error() {
        let unbound = r#""status":{"phase":"Scheduling","conditions":[{"type":"PodScheduled","status":"False","reason":"Unschedulable",
            "message":"0/3 nodes are available: pod has unbound immediate PersistentVolumeClaims."}]}"#;
        let vm = r#""spec":{"runStrategy":"Always"},"status":{"printableStatus":"ErrorUnschedulable"}"#;
        let scene = machine(vm, unbound, "");
        scene.says::<Vm>(5, "Starting Busy: waits for its claims to be bound");
        let named = r#""spec":{"runStrategy":"Always","template":{"spec":{"volumes":[{"name":"a","persistentVolumeClaim":{"claimName":"data"}}]}}},
            "status":{"printableStatus":"ErrorUnschedulable"}"#;
        let scene = machine(named, unbound, "")
            .with::<Claim>("data", "", r#""status":{"phase":"Pending"}"#)
            .event(
                "persistentvolumeclaims-data",
                "Warning",
                "ProvisioningFailed",
                r#"failed to provision volume with StorageClass \"fast\": rpc error: code = Internal desc = the pool is read-only"#,
            );
        scene.says::<Vm>(5, "Starting Failed: fast: the pool is read-only");
    }

    #[test]
    fn a_volume_that_cannot_be_mounted_is_told_by_events_alone() {
        let vm = r#""spec":{"runStrategy":"Always"},"status":{"printableStatus":"Starting"}"#;
        let creating = r#""spec":{"containers":[{}]},"status":{"phase":"Pending","containerStatuses":[{"name":"compute",
            "state":{"waiting":{"reason":"ContainerCreating"}}}]}"#;
        let scheduling = r#""status":{"phase":"Scheduling"}"#;
        let mount = |message: &str| {
            machine(vm, scheduling, creating).event(
                "pods-virt-launcher-web-1",
                "Warning",
                "FailedMount",
                message,
            )
        };
        let secret = mount(r#"MountVolume.SetUp failed for volume \"ci\" : secret \"web-ci\" not found"#);
        secret.says::<Vm>(5, "Starting Failed: no secret web-ci");
        secret.says::<Vmi>(5, "Scheduling Failed: no secret web-ci");
        secret.says::<Pod>(5, "ContainerCreating Failed: no secret web-ci");
        // What comes a moment later is no trouble.
        let cache = mount("failed to sync configmap cache: timed out waiting for the condition");
        let said =
            "volume cannot be mounted: failed to sync configmap cache: timed out waiting for the condition";
        cache.says::<Vm>(5, &format!("Starting Busy: {said}"));
        cache.says::<Vm>(30, &format!("Starting Warning: {said}"));
        // A pod that is at work has got over it.
        let running = r#""spec":{"containers":[{}]},"status":{"phase":"Running"}"#;
        let over = machine(vm, r#""status":{"phase":"Running"}"#, running).event(
            "pods-virt-launcher-web-1",
            "Warning",
            "FailedMount",
            "no",
        );
        over.says::<Vm>(5, "Running Well: ");
    }

    #[test]
    fn a_running_guest_whose_volume_is_gone_is_no_healthy_one() {
        let named = r#""spec":{"runStrategy":"Always","template":{"spec":{"volumes":[{"name":"a","persistentVolumeClaim":{"claimName":"data"}}]}}},
            "status":{"printableStatus":"Running"}"#;
        let scene = machine(named, r#""status":{"phase":"Running"}"#, "").with::<Claim>(
            "data",
            "",
            r#""status":{"phase":"Lost"}"#,
        );
        scene.says::<Vm>(5, "Running Failed: its volume is gone (data)");
    }

    #[test]
    fn a_stop_that_is_held_up_becomes_trouble() {
        let mut scene = machine(ALWAYS, r#""status":{"phase":"Running"}"#, "");
        let instance = &mut scene.0.get_mut(&Kind::Vmi).unwrap()[0];
        *instance = deleted(instance, "10");
        scene.says::<Vm>(60, "Stopping Leaving: ");
        scene.says::<Vm>(700, "Stopping Warning: its stop is held up");
    }

    #[test]
    fn a_machine_of_virtink_that_could_not_be_moved_says_so_and_runs_on() {
        let status = |phase: &str| {
            format!(
                r#""spec":{{"runPolicy":"Always"}},"status":{{"phase":"Running","migration":{{"phase":"{phase}"}}}}"#
            )
        };
        let scene = |phase: &str| Scene::default().with::<VirtinkVm>("web", "", &status(phase));
        scene("Failed").says::<VirtinkVm>(60, "Running Well: last migration failed");
        scene("Succeeded").says::<VirtinkVm>(60, "Running Well: ");
    }

    #[test]
    fn pools_tell_what_holds_up_their_machines() {
        let pool = r#""spec":{"replicas":2},"status":{"replicas":2,"readyReplicas":1}"#;
        let refused = r#""spec":{"runStrategy":"Always"},"status":{"printableStatus":"Stopped","conditions":[{"type":"Failure",
            "status":"True","reason":"FailedCreate","message":"the moon is in the wrong phase"}]}"#;
        let scene = Scene::default()
            .with::<Pool>("runners", "", pool)
            .with::<Vmi>("other", "", r#""status":{}"#)
            .with::<Vm>("runners-0", "virtualmachinepools-runners", refused);
        scene.says::<Pool>(5, "Progressing Failed: the moon is in the wrong phase");
        let failed = r#""spec":{"replicas":2},"status":{"conditions":[{"type":"ReplicaFailure","status":"True","reason":"FailedCreate",
            "message":"virtualmachines is forbidden: somebody says no"}]}"#;
        let scene = Scene::default().with::<Pool>("runners", "", failed);
        scene.says::<Pool>(5, "ReplicaFailure Failed: virtualmachines is forbidden: somebody says no");
    }
}

mod disks {
    use super::*;
    use crate::records::{Claim, DataVolume, Event, ImportCron, Pod, StorageClass, VolumeSnapshot};

    /// A disk with its claim, which CDI fills by way of another.
    fn disk(status: &str) -> Scene {
        let own = r#""spec":{"dataSourceRef":{"apiGroup":"cdi.kubevirt.io"}},"status":{"phase":"Pending"}"#;
        Scene::default()
            .with::<DataVolume>(
                "root",
                "",
                &format!(r#""spec":{{"source":{{"http":{{}}}}}},"status":{status}"#),
            )
            .with::<Claim>("root", "datavolumes-root", own)
    }

    /// The same with the claim that CDI works on.
    fn filled(status: &str, prime: &str) -> Scene {
        let mut scene = disk(status).with::<Claim>("prime-1", "persistentvolumeclaims-root", prime);
        let claim = &mut scene.0.get_mut(&Kind::Claim).unwrap()[1];
        let marks = r#""annotations":{"cdi.kubevirt.io/storage.populator.kind":"VolumeImportSource"},"uid""#;
        *claim = claim.replacen(r#""uid""#, marks, 1);
        scene
    }

    fn importer(scene: Scene, status: &str) -> Scene {
        let mut scene = scene.with::<Pod>(
            "importer-prime-1",
            "persistentvolumeclaims-prime-1",
            &format!(r#""spec":{{"containers":[{{}}]}},"status":{status}"#),
        );
        let pod = &mut scene.0.get_mut(&Kind::Pod).unwrap()[0];
        *pod = pod.replacen(r#""uid""#, r#""labels":{"cdi.kubevirt.io":"importer"},"uid""#, 1);
        scene
    }

    const BOUND: &str = r#""status":{"phase":"Bound"}"#;

    #[test]
    fn an_importer_that_cannot_mount_is_told() {
        let creating = r#"{"phase":"Pending","containerStatuses":[{"name":"importer","state":{"waiting":{"reason":"ContainerCreating"}}}]}"#;
        let scene = importer(filled(r#"{"phase":"ImportScheduled"}"#, BOUND), creating).event(
            "pods-importer-prime-1",
            "Warning",
            "FailedMount",
            r#"MountVolume.SetUp failed for volume \"cdi-cert-vol\" : configmap \"ca\" not found"#,
        );
        scene.says::<DataVolume>(5, "ImportScheduled Failed: no ConfigMap ca");
    }

    #[test]
    fn a_failure_that_nobody_knows_is_shown_as_it_was_said() {
        let text = "Unable to process data: the flux capacitor is empty";
        let failing = format!(
            r#"{{"phase":"Running","containerStatuses":[{{"name":"importer","restartCount":2,"state":{{"waiting":{{"reason":"CrashLoopBackOff"}}}},
            "lastState":{{"terminated":{{"exitCode":1,"reason":"Error","message":"{text}","finishedAt":"2026-01-01T00:00:05Z"}}}}}}]}}"#
        );
        let scene = importer(filled(r#"{"phase":"ImportInProgress"}"#, BOUND), &failing);
        scene.says::<DataVolume>(6, &format!("Import failed Failed: {text}, 2 restarts"));
    }

    #[test]
    fn a_worker_that_has_been_at_work_for_long_has_got_over_it() {
        let again = r#"{"phase":"Running","containerStatuses":[{"name":"importer","ready":true,"restartCount":1,"state":{"running":{}},
            "lastState":{"terminated":{"exitCode":1,"reason":"Error","message":"unexpected EOF","finishedAt":"2026-01-01T00:00:05Z"}}}]}"#;
        let status = r#"{"phase":"ImportInProgress","progress":"12.0%"}"#;
        let scene = importer(filled(status, BOUND), again);
        scene.says::<DataVolume>(60, "Importing Warning: unexpected EOF, 1 restart");
        scene.says::<DataVolume>(700, "Importing Busy: ");
    }

    #[test]
    fn a_driver_that_makes_no_volume_holds_up_its_disk() {
        let scene = filled(r#"{"phase":"Pending"}"#, r#""status":{"phase":"Pending"}"#).event(
            "persistentvolumeclaims-prime-1",
            "Normal",
            "ExternalProvisioning",
            "Waiting for a volume to be created either by the external provisioner 'fast.csi' or manually by the system administrator.",
        );
        scene.says::<DataVolume>(60, "Pending Busy: waits for fast.csi");
        scene.says::<DataVolume>(130, "Pending Warning: waits for fast.csi");
    }

    #[test]
    fn a_disk_that_waits_for_its_consumer_waits_as_long_as_it_takes() {
        let class = r#""volumeBindingMode":"WaitForFirstConsumer","provisioner":"local""#;
        let waits = r#""spec":{"storageClassName":"local"},"status":{"phase":"Pending"}"#;
        let mut scene = Scene::default()
            .with::<Claim>("data", "", waits)
            .with::<StorageClass>("local", "", class)
            .with::<DataVolume>("data", "", r#""status":{"phase":"WaitForFirstConsumer"}"#);
        let class = &mut scene.0.get_mut(&Kind::StorageClass).unwrap()[0];
        *class = class.replace(r#""namespace":"shop","#, "");
        scene.says::<Claim>(86_400, "Pending Idle: waits for its first consumer");
        // Neither its events nor its class are known.
        scene.0.remove(&Kind::StorageClass);
        scene.says::<Claim>(86_400, "Pending Busy: ");
        scene.says::<DataVolume>(86_400, "WaitForFirstConsumer Idle: waits for its first consumer");
    }

    #[test]
    fn an_upload_that_nobody_begins_is_told_after_a_while() {
        let ready = r#"{"phase":"UploadReady","conditions":[{"type":"Running","status":"True","lastTransitionTime":"2026-01-01T00:00:10Z"}]}"#;
        let scene = disk(ready);
        scene.says::<DataVolume>(60, "UploadReady Idle: waits until somebody uploads");
        scene.says::<DataVolume>(1000, "UploadReady Warning: not uploaded yet");
    }

    #[test]
    fn what_goes_wrong_on_the_way_of_a_copy_is_told() {
        let cloning = r#"{"phase":"SnapshotForSmartCloneInProgress","conditions":[{"type":"Running","status":"True","reason":"Populator is running"}]}"#;
        let serving = |mut scene: Scene, kind: Kind| {
            let last = scene.0.get_mut(&kind).unwrap().last_mut().unwrap();
            let marks = r#""labels":{"cdi.kubevirt.io/OwnedByUID":"persistentvolumeclaims-root"},"uid""#;
            *last = last.replacen(r#""uid""#, marks, 1);
            scene
        };
        let clone = || disk(&cloning.replace("http", "pvc"));
        let failed = r#""spec":{"source":{"persistentVolumeClaimName":"src"}},"status":{"readyToUse":false,"error":{"message":"pool is read-only"}}"#;
        let snapshot =
            serving(clone().with::<VolumeSnapshot>("tmp-snapshot-1", "", failed), Kind::VolumeSnapshot);
        snapshot.says::<DataVolume>(5, "Cloning Failed: pool is read-only");

        let pending =
            serving(clone().with::<Claim>("tmp-pvc-1", "", r#""status":{"phase":"Pending"}"#), Kind::Claim);
        pending.says::<DataVolume>(5, "Cloning Busy: SnapshotForSmartCloneInProgress");
        let pending = pending.event(
            "persistentvolumeclaims-tmp-pvc-1",
            "Warning",
            "ProvisioningFailed",
            r#"failed to provision volume with StorageClass \"fast\": rpc error: code = Internal desc = the pool is read-only"#,
        );
        pending.says::<DataVolume>(6, "Cloning Failed: fast: the pool is read-only");

        let used = clone().event(
            "persistentvolumeclaims-root",
            "Warning",
            "CloneSourceInUse",
            "pod shop/virt-launcher-db-1 using PersistentVolumeClaim src",
        );
        used.says::<DataVolume>(5, "Cloning Busy: SnapshotForSmartCloneInProgress");
        used.says::<DataVolume>(30, "Cloning Warning: src is in use by shop/virt-launcher-db-1");
        used.says::<Claim>(30, "Pending Warning: src is in use by shop/virt-launcher-db-1");
        // Something else was said of it since then.
        let rest = r#""type":"Normal","reason":"Provisioning","message":"goes on","involvedObject":{"uid":"persistentvolumeclaims-root"},
            "lastTimestamp":"2026-01-01T00:00:20Z""#;
        let over = used.with::<Event>("over", "", rest);
        over.says::<DataVolume>(30, "Cloning Busy: SnapshotForSmartCloneInProgress");
    }

    #[test]
    fn snapshots_tell_errors_and_not_what_passes() {
        let snapshot = |why: &str| {
            let rest = format!(r#""status":{{"readyToUse":false,"error":{{"message":"{why}"}}}}"#);
            Scene::default().with::<VolumeSnapshot>("s", "", &rest)
        };
        snapshot("the pool is read-only").says::<VolumeSnapshot>(5, "Error Failed: the pool is read-only");
        let passing = "snapshot controller failed to update s: the object has been modified";
        snapshot(passing).says::<VolumeSnapshot>(5, "Pending Busy: ");
    }

    #[test]
    fn crons_tell_what_their_import_waits_for() {
        let cron = |reason: &str| {
            format!(
                r#""spec":{{"managedDataSource":"fedora"}},"status":{{"currentImports":[{{"DataVolumeName":"root","Digest":"sha256:a"}}],
                "conditions":[{{"type":"UpToDate","status":"False","reason":"Outdated"}},
                {{"type":"Progressing","status":"False","reason":"{reason}"}}]}}"#
            )
        };
        let refused = r#"{"conditions":[{"type":"Bound","status":"False","reason":"ErrExceededQuota","message":"somebody says no"}]}"#;
        let scene = disk(refused).with::<ImportCron>("fedora", "", &cron("Pending"));
        scene.says::<ImportCron>(5, "Outdated Failed: the quota leaves no room");
        let scene = disk("{}").with::<ImportCron>("fedora", "", &cron("NotAuthorized"));
        scene.says::<ImportCron>(5, "Outdated Failed: may not copy from namespace");
    }
}
