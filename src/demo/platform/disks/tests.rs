//! What a user sees of disks.

use serde_json::{Value, json};

use super::super::kind::Kind;
use super::super::testing::{Stage, namespace};

fn node(name: &str) -> Value {
    json!({
        "apiVersion": "v1", "kind": "Node",
        "metadata": {"name": name, "labels": {"v9s.dev/played": "true", "kubernetes.io/hostname": name}},
        "spec": {}, "status": {},
    })
}

pub(super) fn class(name: &str, provisioner: &str, binding: &str, default: bool) -> Value {
    json!({
        "apiVersion": "storage.k8s.io/v1", "kind": "StorageClass",
        "metadata": {"name": name, "annotations": {"storageclass.kubernetes.io/is-default-class": default.to_string()}},
        "provisioner": provisioner, "reclaimPolicy": "Delete", "volumeBindingMode": binding, "allowVolumeExpansion": true,
    })
}

const CEPH: &str = "rook-ceph.rbd.csi.ceph.com";

/// A cluster with three storage classes: one for everything, one that waits for consumers, one that CDI does not know.
pub(super) async fn stage(more: Vec<Value>) -> Stage {
    let mut objects = vec![
        namespace("shop"),
        node("node-1"),
        class("fast", CEPH, "Immediate", true),
        class("local", CEPH, "WaitForFirstConsumer", false),
        class("odd", "rancher.io/local-path", "Immediate", false),
    ];
    objects.extend(more);
    let stage = Stage::new(objects).await;
    stage.advance(0).await;
    stage
}

#[expect(clippy::needless_pass_by_value, reason = "they are written down where it is called")]
pub(super) fn volume(name: &str, source: Value, storage: Value) -> Value {
    let mut whole = json!({"resources": {"requests": {"storage": "5Gi"}}});
    for (key, value) in storage.as_object().unwrap() {
        whole[key] = value.clone();
    }
    json!({
        "apiVersion": "cdi.kubevirt.io/v1beta1", "kind": "DataVolume",
        "metadata": {"name": name, "namespace": "shop"}, "spec": {"source": source, "storage": whole},
    })
}

fn http(file: &str) -> Value {
    json!({"http": {"url": format!("https://images.example/{file}")}})
}

pub(super) async fn dv(stage: &Stage, name: &str) -> Value {
    stage.get(Kind::DataVolume, "shop", name).await
}

/// `Type=Status/Reason: message` of each condition of a DataVolume.
pub(super) fn conditions(object: &Value) -> Vec<String> {
    let text = |one: &Value, field: &str| one[field].as_str().unwrap_or_default().to_owned();
    let all = object["status"]["conditions"].as_array().cloned().unwrap_or_default();
    let all = all.iter().map(|one| {
        let (of, status) = (text(one, "type"), text(one, "status"));
        format!("{of}={status}/{}: {}", text(one, "reason"), text(one, "message"))
    });
    all.collect()
}

/// Lets seconds go by until a DataVolume has a phase.
pub(super) async fn until(stage: &Stage, name: &str, phase: &str, seconds: u64) -> Value {
    for _ in 0..seconds {
        let now = dv(stage, name).await;
        if now["status"]["phase"] == phase {
            return now;
        }
        stage.advance(1).await;
    }
    let now = dv(stage, name).await;
    panic!("{name} is not {phase} after {seconds} s: {}", now["status"]);
}

pub(super) async fn names(stage: &Stage, kind: Kind) -> Vec<String> {
    let all = stage.list(kind, "shop").await;
    all.iter().map(|one| one["metadata"]["name"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn an_image_is_imported_into_a_claim_that_is_bound_in_the_end() {
    let stage = stage(vec![]).await;
    stage.create(volume("web", http("jammy.qcow2"), json!({}))).await;
    let running = until(&stage, "web", "ImportInProgress", 10).await;
    assert_eq!(
        conditions(&running),
        [
            "Bound=False/Pending: PVC web Pending",
            "Ready=False/TransferRunning: ",
            "Running=True/Pod is running: "
        ]
    );
    stage.advance(6).await;
    let progress = dv(&stage, "web").await["status"]["progress"].as_str().unwrap().to_owned();
    let percent: f64 = progress.trim_end_matches('%').parse().unwrap();
    assert!((5.0..80.0).contains(&percent), "{progress}");

    let done = until(&stage, "web", "Succeeded", 120).await;
    assert_eq!(done["status"]["progress"], "100.0%");
    stage.advance(20).await;
    assert_eq!(
        conditions(&dv(&stage, "web").await),
        ["Bound=True/Bound: PVC web Bound", "Ready=True/: ", "Running=False/Completed: Import Complete"]
    );
    assert_eq!(names(&stage, Kind::PersistentVolumeClaim).await, ["web"]);
    assert_eq!(names(&stage, Kind::Pod).await, Vec::<String>::new());
    let claim = stage.get(Kind::PersistentVolumeClaim, "shop", "web").await;
    assert_eq!(claim["status"]["phase"], "Bound");
    assert_eq!(claim["spec"]["accessModes"], json!(["ReadWriteMany"]));
    assert_eq!(claim["spec"]["volumeMode"], "Block");
    let lines = stage.lines.all();
    assert!(lines.iter().any(|line| line.ends_with("New phase: Convert")), "{lines:?}");

    stage.delete(Kind::DataVolume, "shop", "web").await;
    stage.advance(20).await;
    assert_eq!(names(&stage, Kind::PersistentVolumeClaim).await, Vec::<String>::new());
    assert_eq!(stage.list(Kind::PersistentVolume, "").await, Vec::<Value>::new());
    assert_eq!(stage.list(Kind::VolumeImportSource, "shop").await, Vec::<Value>::new());
}

#[tokio::test]
async fn a_blank_disk_is_there_soon() {
    let stage = stage(vec![]).await;
    stage.create(volume("data", json!({"blank": {}}), json!({}))).await;
    until(&stage, "data", "Succeeded", 10).await;
}

#[tokio::test]
async fn a_class_that_cdi_does_not_know_is_filled_without_populators() {
    let stage = stage(vec![]).await;
    let storage = json!({"storageClassName": "odd", "accessModes": ["ReadWriteOnce"]});
    stage.create(volume("web", http("jammy.qcow2"), storage)).await;
    until(&stage, "web", "ImportInProgress", 10).await;
    let claim = stage.get(Kind::PersistentVolumeClaim, "shop", "web").await;
    assert_eq!(claim["spec"]["dataSourceRef"], Value::Null);
    assert_eq!(claim["spec"]["resources"]["requests"]["storage"], "5691670528");
    assert_eq!(names(&stage, Kind::Pod).await, ["importer-web"]);
    until(&stage, "web", "Succeeded", 120).await;
}

#[tokio::test]
async fn what_goes_wrong_on_purpose_is_told_where_a_real_cluster_tells_it() {
    let stage = stage(vec![]).await;
    let cases = [
        (
            "http-404",
            "Running=False/Error: Unable to process data: Unable to connect to http data source: expected status code 200, got 404. Status: 404 Not Found",
        ),
        ("too-small", "Running=False/Error: DataVolume too small to contain image"),
        (
            "dns",
            "Running=False/Error: Unable to connect to http data source: Head \"https://images.example/dns.qcow2\": dial tcp: lookup images.example on 10.96.0.10:53: no such host",
        ),
        (
            "no-default-class",
            "Bound=False/ErrClaimNotValid: PVC spec is missing accessMode and no storageClass to choose profile",
        ),
        (
            "quota",
            "Bound=False/ErrExceededQuota: persistentvolumeclaims \"quota\" is forbidden: exceeded quota: storage, requested: requests.storage=5368709120, used: requests.storage=0, limited: requests.storage=1Gi",
        ),
        ("first-consumer", "Bound=False/Pending: PVC first-consumer Pending"),
        ("provisioner-silent", "Bound=False/Pending: PVC provisioner-silent Pending"),
        ("checksum", "Running=False/ChecksumError: "),
        ("importer-oom", "Running=False/OOMKilled: "),
    ];
    for (cause, _) in cases {
        stage.create(volume(cause, http(&format!("{cause}.qcow2")), json!({}))).await;
    }
    let mut seen: Vec<Vec<String>> = vec![Vec::new(); cases.len()];
    for _ in 0..90 {
        stage.advance(1).await;
        for (place, (cause, _)) in cases.iter().enumerate() {
            seen[place].extend(conditions(&dv(&stage, cause).await));
        }
    }
    for ((cause, expected), seen) in cases.iter().zip(&seen) {
        let mut seen = seen.clone();
        seen.dedup();
        assert!(seen.iter().any(|one| one.starts_with(expected)), "{cause}: {seen:#?}");
    }
    let phases = [
        ("checksum", "Failed"),
        ("first-consumer", "PendingPopulation"),
        ("quota", "Pending"),
        ("http-404", "ImportInProgress"),
    ];
    for (name, phase) in phases {
        assert_eq!(dv(&stage, name).await["status"]["phase"], phase, "{name}");
    }
    assert!(dv(&stage, "http-404").await["status"]["restartCount"].as_i64().unwrap() >= 2);
}

#[tokio::test]
async fn an_importer_whose_scratch_space_is_not_made_waits() {
    let stage = stage(vec![]).await;
    stage.create(volume("scratch-pending", http("scratch-pending.qcow2"), json!({}))).await;
    stage.advance(30).await;
    let claims = names(&stage, Kind::PersistentVolumeClaim).await;
    assert!(claims.iter().any(|name| name.ends_with("-scratch")), "{claims:?}");
    let events = stage.events("shop").await;
    let told = "ProvisioningFailed: failed to provision volume with StorageClass \"fast\": rpc error";
    assert!(events.iter().any(|event| event.starts_with(told)), "{events:#?}");
    assert_eq!(
        conditions(&dv(&stage, "scratch-pending").await)[2],
        "Running=False/Unschedulable: Importer pod cannot be scheduled"
    );
}

#[tokio::test]
async fn a_disk_that_takes_its_time_gets_there() {
    let stage = stage(vec![]).await;
    stage.create(volume("slow", http("slow-but-fine.qcow2"), json!({}))).await;
    stage.advance(120).await;
    assert_eq!(dv(&stage, "slow").await["status"]["phase"], "ImportInProgress");
    stage.advance(600).await;
    assert_eq!(dv(&stage, "slow").await["status"]["phase"], "Succeeded");
}

#[tokio::test]
async fn a_claim_gets_a_volume_that_goes_with_it_and_grows_with_it() {
    let stage = stage(vec![]).await;
    let claim = json!({
        "apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": {"name": "data", "namespace": "shop"},
        "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}},
    });
    stage.create(claim).await;
    stage.advance(3).await;
    let bound = stage.get(Kind::PersistentVolumeClaim, "shop", "data").await;
    assert_eq!(bound["status"]["phase"], "Bound");
    assert_eq!(bound["spec"]["storageClassName"], "fast");
    let wanted = json!({"spec": {"resources": {"requests": {"storage": "2Gi"}}}});
    stage.patch(Kind::PersistentVolumeClaim, "shop", "data", wanted).await;
    stage.advance(10).await;
    let grown = stage.get(Kind::PersistentVolumeClaim, "shop", "data").await;
    assert_eq!(grown["status"]["capacity"]["storage"], "2Gi");
    stage.delete(Kind::PersistentVolumeClaim, "shop", "data").await;
    stage.advance(5).await;
    assert_eq!(stage.list(Kind::PersistentVolume, "").await, Vec::<Value>::new());
}

#[tokio::test]
async fn an_upload_waits_for_its_sender() {
    let stage = stage(vec![]).await;
    stage.create(volume("iso", json!({"upload": {}}), json!({}))).await;
    let ready = until(&stage, "iso", "UploadReady", 20).await;
    assert_eq!(ready["status"]["progress"], "N/A");
    assert_eq!(conditions(&ready)[2], "Running=True/Pod is running: ");
    let claims = names(&stage, Kind::PersistentVolumeClaim).await;
    assert!(claims.iter().any(|name| name.ends_with("-scratch")), "{claims:?}");
    stage.delete(Kind::DataVolume, "shop", "iso").await;
    stage.advance(60).await;
    assert_eq!(names(&stage, Kind::PersistentVolumeClaim).await, Vec::<String>::new());
    assert_eq!(names(&stage, Kind::Pod).await, Vec::<String>::new());
    assert_eq!(stage.list(Kind::PersistentVolume, "").await, Vec::<Value>::new());
}

#[tokio::test]
async fn an_upload_comes_to_its_end_when_somebody_sends() {
    let stage = stage(vec![]).await;
    let mut sent = volume("iso", json!({"upload": {}}), json!({}));
    sent["metadata"]["annotations"] = json!({"v9s.dev/play": "uploaded"});
    stage.create(sent).await;
    until(&stage, "iso", "UploadReady", 20).await;
    let done = until(&stage, "iso", "Succeeded", 60).await;
    assert_eq!(done["status"]["progress"], "N/A", "CDI never says how much of an upload is there");
    assert_eq!(conditions(&done)[2], "Running=False/Completed: Upload Complete");
    assert_eq!(stage.get(Kind::PersistentVolumeClaim, "shop", "iso").await["status"]["phase"], "Bound");
    let events = stage.events("shop").await;
    assert!(events.contains(&"UploadSucceeded: Successfully uploaded into iso".to_owned()), "{events:#?}");
    stage.advance(30).await;
    assert_eq!(names(&stage, Kind::Pod).await, Vec::<String>::new(), "its server is gone");
}

fn copy_of(name: &str, namespace: &str, source: &str, storage: Value) -> Value {
    let mut volume = volume(name, json!({"pvc": {"namespace": "shop", "name": source}}), storage);
    volume["metadata"]["namespace"] = namespace.into();
    volume
}

/// The phases a DataVolume goes through in so many seconds.
async fn phases(stage: &Stage, namespace: &str, name: &str, seconds: u64) -> Vec<String> {
    let mut phases: Vec<String> = Vec::new();
    for _ in 0..seconds * 5 {
        let now = stage.get(Kind::DataVolume, namespace, name).await;
        let phase = now["status"]["phase"].as_str().unwrap_or_default().to_owned();
        if phases.last() != Some(&phase) {
            phases.push(phase);
        }
        stage.platform.advance(std::time::Duration::from_millis(200)).await;
    }
    phases
}

fn snapshots() -> Value {
    json!({
        "apiVersion": "snapshot.storage.k8s.io/v1", "kind": "VolumeSnapshotClass", "metadata": {"name": "fast-snap"},
        "driver": CEPH, "deletionPolicy": "Delete",
    })
}

#[tokio::test]
async fn disks_are_copied_in_the_way_their_storage_can() {
    let stage = stage(vec![
        namespace("lab"),
        snapshots(),
        class("slow", "linstor.csi.linbit.com", "Immediate", false),
    ])
    .await;
    stage.create(volume("gold", json!({"blank": {}}), json!({}))).await;
    stage.create(volume("lead", json!({"blank": {}}), json!({"storageClassName": "slow"}))).await;
    until(&stage, "gold", "Succeeded", 20).await;
    until(&stage, "lead", "Succeeded", 20).await;

    stage.create(copy_of("by-driver", "shop", "gold", json!({}))).await;
    let seen = phases(&stage, "shop", "by-driver", 15).await;
    assert_eq!(seen.last().unwrap(), "Succeeded", "{seen:?}");
    assert!(seen.contains(&"CSICloneInProgress".to_owned()), "{seen:?}");

    stage.create(copy_of("elsewhere", "lab", "gold", json!({}))).await;
    let seen = phases(&stage, "lab", "elsewhere", 15).await;
    assert_eq!(seen.last().unwrap(), "Succeeded", "{seen:?}");

    stage.create(copy_of("by-hand", "shop", "gold", json!({"storageClassName": "slow"}))).await;
    let seen = phases(&stage, "shop", "by-hand", 40).await;
    assert_eq!(seen.last().unwrap(), "Succeeded", "{seen:?}");
    assert!(seen.contains(&"CloneInProgress".to_owned()), "{seen:?}");

    let odd = json!({"storageClassName": "odd", "accessModes": ["ReadWriteOnce"]});
    stage.create(copy_of("by-itself", "shop", "gold", odd)).await;
    let seen = phases(&stage, "shop", "by-itself", 40).await;
    assert_eq!(seen.last().unwrap(), "Succeeded", "{seen:?}");
    assert!(seen.contains(&"CloneInProgress".to_owned()), "{seen:?}");

    stage.advance(10).await;
    let left = names(&stage, Kind::PersistentVolumeClaim).await;
    assert_eq!(left, ["by-driver", "by-hand", "by-itself", "gold", "lead"]);
    assert_eq!(names(&stage, Kind::Pod).await, Vec::<String>::new());
    assert_eq!(stage.list(Kind::PersistentVolume, "").await.len(), 6);
}

#[tokio::test]
async fn a_copy_of_something_that_is_not_there_says_so() {
    let stage = stage(vec![]).await;
    stage.create(copy_of("copy", "shop", "gone", json!({}))).await;
    let told = "CloneWithoutSource: The source pvc gone doesn't exist";
    assert_eq!(conditions(&dv(&stage, "copy").await)[0], format!("Bound=False/{told}"));
    assert_eq!(stage.events("shop").await, [told]);
}

#[expect(clippy::needless_pass_by_value, reason = "it is written down where it is called")]
fn data_source(name: &str, spec: Value) -> Value {
    json!({
        "apiVersion": "cdi.kubevirt.io/v1beta1", "kind": "DataSource",
        "metadata": {"name": name, "namespace": "shop"}, "spec": {"source": spec},
    })
}

#[tokio::test]
async fn data_sources_say_whether_there_is_something_to_copy() {
    let stage = stage(vec![]).await;
    let of = |name: &str| json!({"pvc": {"namespace": "shop", "name": name}});
    stage.create(data_source("nothing", json!({}))).await;
    stage.create(data_source("gone", of("gone"))).await;
    stage.create(data_source("gold", of("gold"))).await;
    stage.create(data_source("other", json!({"dataSource": {"name": "gold", "namespace": "shop"}}))).await;
    stage.create(volume("gold", json!({"blank": {}}), json!({}))).await;
    until(&stage, "gold", "Succeeded", 20).await;
    stage.advance(1).await;
    for (name, expected) in [
        ("nothing", "Ready=False/NoSource: No source PVC set"),
        ("gone", "Ready=False/NotFound: PVC not found"),
        ("gold", "Ready=True/Ready: DataSource is ready to be consumed"),
        ("other", "Ready=True/Ready: DataSource is ready to be consumed"),
    ] {
        let seen = stage.get(Kind::DataSource, "shop", name).await;
        assert_eq!(conditions(&seen), [expected], "{name}");
    }
    let mut disk = volume("disk", json!({}), json!({}));
    disk["spec"].as_object_mut().unwrap().remove("source");
    disk["spec"]["sourceRef"] = json!({"kind": "DataSource", "name": "gold"});
    stage.create(disk).await;
    until(&stage, "disk", "Succeeded", 20).await;
}

#[tokio::test]
async fn a_cron_imports_what_is_new_and_lets_go_of_what_is_old() {
    let stage = stage(vec![snapshots()]).await;
    stage.advance(1).await;
    stage
        .create(json!({
            "apiVersion": "cdi.kubevirt.io/v1beta1", "kind": "DataImportCron",
            "metadata": {"name": "fedora", "namespace": "shop"},
            "spec": {
                "managedDataSource": "fedora", "schedule": "0 */12 * * *", "importsToKeep": 1,
                "template": {"spec": {
                    "source": {"registry": {"url": "docker://quay.io/containerdisks/fedora:41"}},
                    "storage": {"resources": {"requests": {"storage": "5Gi"}}},
                }},
            },
        }))
        .await;
    let ready = |source: &Value| source["status"]["conditions"][0]["status"] == "True";
    stage.advance(90).await;
    let source = stage.get(Kind::DataSource, "shop", "fedora").await;
    assert!(ready(&source), "{}", source["status"]);
    let first = names(&stage, Kind::VolumeSnapshot).await;
    assert_eq!(first.len(), 1);
    assert_eq!(names(&stage, Kind::DataVolume).await, Vec::<String>::new());

    stage.advance(4 * 12 * 3600).await;
    let later = names(&stage, Kind::VolumeSnapshot).await;
    assert_eq!(later.len(), 1);
    assert_ne!(first, later);
    let source = stage.get(Kind::DataSource, "shop", "fedora").await;
    assert_eq!(source["spec"]["source"]["snapshot"]["name"], later[0].as_str());
}

#[tokio::test]
async fn a_quota_is_kept_and_says_what_is_used() {
    let quota = json!({
        "apiVersion": "v1", "kind": "ResourceQuota", "metadata": {"name": "storage", "namespace": "shop"},
        "spec": {"hard": {"requests.storage": "11Gi", "odd.storageclass.storage.k8s.io/requests.storage": "0"}},
    });
    let stage = stage(vec![quota]).await;
    let claim = json!({
        "apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": {"name": "data", "namespace": "shop"},
        "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "7Gi"}}},
    });
    stage.create(claim).await;
    stage.create(volume("web", http("jammy.qcow2"), json!({}))).await;
    stage.advance(1).await;
    let why = "persistentvolumeclaims \"web\" is forbidden: exceeded quota: storage, requested: requests.storage=5368709120, \
               used: requests.storage=7516192768, limited: requests.storage=11Gi";
    let seen = dv(&stage, "web").await;
    assert_eq!(seen["status"]["phase"], "Pending");
    assert_eq!(conditions(&seen)[0], format!("Bound=False/ErrExceededQuota: {why}"));
    let path = "/api/v1/namespaces/shop/resourcequotas/storage";
    let request = ::http::Request::get(path).body(Vec::new()).unwrap();
    let quota: Value = stage.client.request(request).await.unwrap();
    assert_eq!(quota["status"]["used"]["requests.storage"], "7516192768");

    // When there is room, the disk is made after all.
    stage.delete(Kind::PersistentVolumeClaim, "shop", "data").await;
    until(&stage, "web", "ImportInProgress", 40).await;
}

#[tokio::test]
async fn an_importer_waits_for_its_credentials() {
    let stage = stage(vec![]).await;
    let source = json!({"http": {"url": "https://images.example/jammy.qcow2", "secretRef": "login"}});
    stage.create(volume("web", source, json!({}))).await;
    stage.advance(8).await;
    assert_eq!(
        conditions(&dv(&stage, "web").await)[2],
        "Running=False/CreateContainerConfigError: secret \"login\" not found"
    );
    let login = json!({
        "apiVersion": "v1", "kind": "Secret", "metadata": {"name": "login", "namespace": "shop"},
        "data": {"accessKeyId": "ZGVtbw==", "secretKey": "ZGVtbw=="},
    });
    stage.create(login).await;
    until(&stage, "web", "Succeeded", 90).await;
}
