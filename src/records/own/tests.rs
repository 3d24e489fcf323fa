use crate::model::{Key, Word};
use crate::records::{
    Image, ImageFlags, Kind, Record, Records, SupportedVersion, VolumeCommand, VolumeSet, Workload,
    WorkloadFlags, decode, name_key,
};

fn read<R: Record>(json: &str) -> R
where
    Records: From<Vec<R>>,
{
    decode(json.as_bytes()).unwrap().record
}

fn parts<R: Record>(record: &R) -> Vec<Key>
where
    Records: From<Vec<R>>,
{
    let mut keys = Vec::new();
    record.has_parts(&mut |key| keys.push(key));
    keys
}

#[test]
fn workloads_are_read() {
    let workload: Workload = read(
        r#"{"metadata":{"name":"hello","namespace":"shop"},"spec":{"type":"vm",
            "containers":[{"name":"guest","cpu":"1500m","memory":"2Gi","volumes":[
                {"uri":"cpln://volumeset/data","name":"data"},{"uri":"cpln://secret/s","name":"s"}]}],
            "vm":{"runStrategy":"Manual","bootDisk":{"persist":{"volumeSet":"cpln://volumeset/root"}}},
            "defaultOptions":{"suspend":true,"autoscaling":{"minScale":3}}},
            "status":{"readyReplicas":1,"endpoint":"https://hello.demo","health":{"readiness":"Loading"},
            "replicaStatuses":[
                {"index":0,"name":"hello-0","bootDisk":{"phase":"Importing","percent":62.5}},
                {"index":1,"name":"hello-1","bootDisk":{"phase":"Importing","percent":1e99}},
                {"index":2,"bootDisk":{"phase":"Pending","message":"waits\nfor storage"}}],
            "conditions":[{"type":"Ready","status":"False","lastTransitionTime":"2026-01-01T00:00:00Z"}]}}"#,
    );
    assert_eq!((&*workload.readiness, &*workload.strategy), ("Loading", "Manual"));
    assert_eq!((workload.desired, workload.ready, workload.disks), (3, 1, 3));
    assert_eq!((workload.cpus, workload.memory), (2, 2 << 30));
    assert_eq!(workload.progress, Some(625));
    assert_eq!(workload.message.as_deref().map(|text| &**text), Some("waits for storage"));
    assert!(workload.since.is_some());
    assert_eq!(workload.flags, WorkloadFlags::SUSPENDED | WorkloadFlags::IMPORTING | WorkloadFlags::SEEN);
    let shop = Word::new("shop");
    let named = |kind, name| name_key(kind, shop, name);
    assert_eq!(
        parts(&workload),
        [
            named(Kind::VolumeSet, "root"),
            named(Kind::VolumeSet, "data"),
            named(Kind::Vm, "hello-0"),
            named(Kind::Vm, "hello-1")
        ]
    );
}

#[test]
fn what_nobody_has_looked_at_is_known_as_such() {
    let workload: Workload = read(r#"{"metadata":{"name":"a"},"spec":{"containers":null,"vm":null}}"#);
    assert_eq!((&*workload.readiness, &*workload.strategy, workload.desired), ("", "Always", 1));
    assert_eq!(workload.flags, WorkloadFlags::empty());
    let set: VolumeSet = read(r#"{"metadata":{"name":"a"},"spec":{"initialCapacity":10}}"#);
    assert_eq!((set.size, &*set.file_system, set.seen), (10 << 30, "ext4", false));
    let image: Image = read(r#"{"metadata":{"name":"a"},"spec":{"source":{"url":"https://a/b"}}}"#);
    assert_eq!(image.flags, ImageFlags::ENABLED | ImageFlags::CLOUD_INIT);
    assert_eq!((&*image.purpose, &*image.interface), ("general", "virtio"));
    let version: SupportedVersion = read(r#"{"metadata":{"name":"a"},"spec":{},"status":null}"#);
    assert_eq!((&*version.state, version.clusters), ("Draft", None));
    let command: VolumeCommand = read(r#"{"metadata":{"name":"a"},"spec":null}"#);
    assert_eq!((&*command.stage, command.progress), ("", None));
}

#[test]
fn volume_sets_and_their_commands_are_read() {
    let set: VolumeSet = read(
        r#"{"metadata":{"name":"root","namespace":"shop"},"spec":{"initialCapacity":1.5,"fileSystemType":"xfs",
            "performanceClass":"general-purpose-ssd","snapshots":{"schedule":"0 3 * * *"}},
            "status":{"usedByWorkload":"/org/acme/gvc/shop/workload/hello","volumeCount":2,"storageClass":"fast",
            "volumes":[{"index":0,"lifecycle":"bound","claim":"root-0","currentSize":10,
                "volumeSnapshots":[{"name":"a"},{"name":"b"}]},
                {"index":1,"lifecycle":"creating","currentSize":-1},{"index":2,"lifecycle":"deleted"}]}}"#,
    );
    assert_eq!((&*set.used_by, set.volumes, set.snapshots), ("hello", 2, 2));
    assert_eq!((set.size, set.total), (3 << 29, 10 << 30));
    assert_eq!((set.living("bound"), set.living("creating"), set.living("unheard")), (1, 1, 0));
    assert_eq!(parts(&set), [name_key(Kind::Claim, Word::new("shop"), "root-0")]);
    let command: VolumeCommand = read(
        r#"{"metadata":{"name":"grow","namespace":"shop"},"spec":{"type":"expandVolume","volumeSet":"root",
            "volumeIndex":1},"status":{"stage":"running","percent":40,"startedAt":"2026-01-01T00:00:00Z"}}"#,
    );
    assert_eq!((&*command.what, &*command.stage, command.index), ("expandVolume", "running", 1));
    assert_eq!((command.progress, command.started.is_some()), (Some(400), true));
    let mut wholes = Vec::new();
    command.part_of(&mut |key| wholes.push(key));
    assert_eq!(wholes, [set.key()]);
}

#[test]
fn images_and_versions_are_read() {
    let image: Image = read(
        r#"{"metadata":{"name":"worker"},"spec":{"title":"Worker","enabled":false,"public":true,"cloudInit":false,
            "source":{"snapshot":{"namespace":"images","name":"w"}},"purpose":"kubernetes-worker",
            "golden":{"kind":"DataSource","namespace":"images","name":"w"}},
            "status":{"verified":true,"size":"12Gi","verifiedAt":"2026-01-01T00:00:00Z"}}"#,
    );
    assert_eq!(image.flags, ImageFlags::PUBLIC | ImageFlags::VERIFIED | ImageFlags::SEEN);
    assert_eq!(image.source.as_deref().map(|text| &**text), Some("VolumeSnapshot images/w"));
    assert_eq!(image.size, 12 << 30);
    assert_eq!(parts(&image), [name_key(Kind::DataSource, Word::new("images"), "w")]);
    let version: SupportedVersion = read(
        r#"{"metadata":{"name":"v1.34.2"},"spec":{"version":"1.34.2","state":"Published","controlPlaneImage":"cp",
            "workerImage":"worker"},"status":{"clusters":3,"warnings":["the worker is of 1.33"]}}"#,
    );
    assert_eq!((&*version.state, version.clusters), ("Published", Some(3)));
    assert_eq!(version.warning.as_deref().map(|text| &**text), Some("the worker is of 1.33"));
    assert_eq!(parts(&version)[1], image.key());
}
