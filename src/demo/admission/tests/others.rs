//! Migrations, snapshots, pools; CDI; Virtink.

use serde_json::{Value, json};

use super::{VMIS, api, good, instance, set, told};
use crate::demo::server::testing::Api;

const MIGRATIONS: &str = "/apis/kubevirt.io/v1/namespaces/default/virtualmachineinstancemigrations";
const POOLS: &str = "/apis/pool.kubevirt.io/v1beta1/namespaces/default/virtualmachinepools";
const SNAPSHOTS: &str = "/apis/snapshot.kubevirt.io/v1beta1/namespaces/default/virtualmachinesnapshots";
const RESTORES: &str = "/apis/snapshot.kubevirt.io/v1beta1/namespaces/default/virtualmachinerestores";
const VOLUMES: &str = "/apis/cdi.kubevirt.io/v1beta1/namespaces/default/datavolumes";
const CRONS: &str = "/apis/cdi.kubevirt.io/v1beta1/namespaces/default/dataimportcrons";
const VIRTINK: &str = "/apis/virt.virtink.smartx.com/v1alpha1/namespaces/default/virtualmachines";

fn object(api_version: &str, kind: &str, name: &str, spec: &Value) -> Value {
    json!({"apiVersion": api_version, "kind": kind, "metadata": {"name": name}, "spec": spec})
}

fn migration(name: &str, of: &str) -> Value {
    object("kubevirt.io/v1", "VirtualMachineInstanceMigration", name, &json!({"vmiName": of}))
}

fn from(webhook: &str, text: &str) -> String {
    format!("admission webhook {webhook:?} denied the request: {text}")
}

async fn running(api: &Api, name: &str, status: Value) {
    let mut vmi = instance();
    vmi["metadata"]["name"] = name.into();
    vmi["status"] = status;
    assert_eq!(api.post(VMIS, vmi).await.0, 201);
}

#[tokio::test]
async fn migrations_know_what_they_move() {
    let api = api();
    let fixed = "cannot migrate VMI: PVC web-root is not shared, live migration requires that all PVCs must be shared \
                 (using ReadWriteMany access mode)";
    running(
        &api,
        "fixed",
        json!({"phase": "Running", "conditions": [{"type": "LiveMigratable", "status": "False",
        "reason": "DisksNotLiveMigratable", "message": fixed}]}),
    )
    .await;
    running(&api, "ended", json!({"phase": "Succeeded"})).await;
    running(&api, "scheduling", json!({"phase": "Scheduling"})).await;
    running(
        &api,
        "paused",
        json!({"phase": "Running", "conditions": [{"type": "Paused", "status": "True"}]}),
    )
    .await;
    let webhook = "migration-create-validator.kubevirt.io";
    for (vmi, text) in [
        ("gone", "the VMI \"default/gone\" does not exist".to_owned()),
        ("fixed", format!("Cannot migrate VMI, Reason: DisksNotLiveMigratable, Message: {fixed}")),
        ("ended", "Cannot migrate VMI in finalized state.".to_owned()),
    ] {
        let (code, status) = api.post(MIGRATIONS, migration("a", vmi)).await;
        assert_eq!(told(code, &status), (400, String::new(), vec![], from(webhook, &text)));
    }
    let (code, status) = api
        .post(MIGRATIONS, object("kubevirt.io/v1", "VirtualMachineInstanceMigration", "a", &json!({})))
        .await;
    let missing =
        (422, "Invalid".to_owned(), vec!["spec.vmiName".to_owned()], from(webhook, "vmiName is missing"));
    assert_eq!(told(code, &status), missing);

    let (code, made) = api.post(MIGRATIONS, migration("first", "scheduling")).await;
    assert_eq!(
        (code, &made["metadata"]["labels"]),
        (201, &json!({"kubevirt.io/vmi-name": "scheduling"})),
        "{made}"
    );
    assert_eq!(api.post(MIGRATIONS, migration("paused", "paused")).await.0, 201);
    let (code, status) = api.post(MIGRATIONS, migration("second", "scheduling")).await;
    let text = format!(
        "in-flight migration detected. Active migration job ({}) is currently already in progress for VMI scheduling.",
        made["metadata"]["uid"].as_str().unwrap()
    );
    assert_eq!(told(code, &status), (400, String::new(), vec![], from(webhook, &text)));
    let first = format!("{MIGRATIONS}/first");
    let (code, status) = api.merge(&first, json!({"spec": {"vmiName": "other"}})).await;
    let text =
        from("migration-update-validator.kubevirt.io", "update of Migration object's spec is restricted");
    assert_eq!(told(code, &status), (422, "Invalid".to_owned(), vec![], text));
    let (code, _) = api.merge(&format!("{first}/status"), json!({"status": {"phase": "Failed"}})).await;
    assert_eq!(code, 200);
    assert_eq!(api.post(MIGRATIONS, migration("second", "scheduling")).await.0, 201);
}

#[tokio::test]
async fn snapshots_are_of_machines() {
    let api = api();
    let snapshot = |name: &str, kind: &str| {
        let source = json!({"apiGroup": "kubevirt.io", "kind": kind, "name": "gone"});
        let spec = json!({"source": source, "failureDeadline": "-5m"});
        object("snapshot.kubevirt.io/v1beta1", "VirtualMachineSnapshot", name, &spec)
    };
    let (code, status) = api.post(SNAPSHOTS, snapshot("a", "Pod")).await;
    let text = from("virtualmachinesnapshot-validator.snapshot.kubevirt.io", "invalid kind");
    assert_eq!(told(code, &status), (422, "Invalid".to_owned(), vec!["spec.source.kind".to_owned()], text));
    // The machine need not be there, nor the deadline be one; restores wait for what is not there.
    assert_eq!(api.post(SNAPSHOTS, snapshot("a", "VirtualMachine")).await.0, 201);
    let target = json!({"apiGroup": "kubevirt.io", "kind": "VirtualMachine", "name": "web"});
    let spec = json!({"target": target, "virtualMachineSnapshotName": "gone"});
    let restore = object("snapshot.kubevirt.io/v1beta1", "VirtualMachineRestore", "back", &spec);
    assert_eq!(api.post(RESTORES, restore).await.0, 201);
}

#[tokio::test]
async fn pools_select_what_they_make() {
    let api = api();
    let pool = |change: &[(&str, Value)]| {
        let mut pool = object(
            "pool.kubevirt.io/v1beta1",
            "VirtualMachinePool",
            "p",
            &json!({
                "replicas": 1, "selector": {"matchLabels": {"pool": "p"}},
                "virtualMachineTemplate": {"metadata": {"labels": {"pool": "p"}}, "spec": good()["spec"]},
            }),
        );
        change.iter().for_each(|(path, value)| set(&mut pool, path, value.clone()));
        pool
    };
    let webhook = "virtualmachinepool-validator.kubevirt.io";
    let none = "[spec.selector: Required value, <nil>: Invalid value: null: some validation rules were not checked because \
                the object was invalid; correct the existing errors to complete validation]";
    let below = "[spec.replicas: Invalid value: -1: spec.replicas in body should be greater than or equal to 0, \
                 .spec.replicas: Invalid value: -1: should be a non-negative integer]";
    let invalid = |text: &str| format!("VirtualMachinePool.pool.kubevirt.io \"p\" is invalid: {text}");
    let disk = "spec.virtualMachineTemplate.spec.template.spec.domain.devices.disks[0].disk.bus";
    for (change, fields, text) in [
        (
            ("spec.selector.matchLabels.pool", json!("q")),
            vec!["spec.selector"],
            from(webhook, "selector does not match labels."),
        ),
        (("spec.replicas", json!(-1)), vec!["spec.replicas", ".spec.replicas"], invalid(below)),
        (("spec.selector", Value::Null), vec!["spec.selector", "<nil>"], invalid(none)),
        (
            ("spec.virtualMachineTemplate.spec.template.spec.domain.devices.disks.0.disk.bus", json!("ide")),
            vec![disk],
            from(webhook, "IDE bus is not supported"),
        ),
    ] {
        let (code, status) = api.post(POOLS, pool(&[change])).await;
        let fields: Vec<String> = fields.into_iter().map(str::to_owned).collect();
        assert_eq!(told(code, &status), (422, "Invalid".to_owned(), fields, text));
    }
    let old = [("apiVersion", json!("pool.kubevirt.io/v1alpha1")), ("spec.selector", Value::Null)];
    let (code, status) = api.post(&POOLS.replace("v1beta1", "v1alpha1"), pool(&old)).await;
    assert_eq!((code, told(code, &status).3), (422, invalid(none)));
    assert_eq!(api.post(POOLS, pool(&[])).await.0, 201);
}

fn volume(change: &[(&str, Value)]) -> Value {
    let mut volume = object(
        "cdi.kubevirt.io/v1beta1",
        "DataVolume",
        "d",
        &json!({
            "source": {"http": {"url": "http://images.example.test/a.qcow2"}},
            "storage": {"resources": {"requests": {"storage": "5Gi"}}},
        }),
    );
    change.iter().for_each(|(path, value)| set(&mut volume, path, value.clone()));
    volume
}

#[tokio::test]
async fn disks_are_refused_as_cdi_does() {
    let api = api();
    let pvc = |modes: Value| json!({"accessModes": modes, "resources": {"requests": {"storage": "1Gi"}}});
    let none = ("spec.storage", Value::Null);
    let registry = |spec: Value| ("spec.source", json!({"registry": spec}));
    for (change, text) in [
        (vec![none.clone()], "Missing Data volume PVC"),
        (
            vec![("spec.pvc", pvc(json!(["ReadWriteOnce"])))],
            "Duplicate storage definition, both target storage and target pvc defined",
        ),
        (vec![("spec.storage", json!({}))], "Storage size is missing"),
        (vec![none.clone(), ("spec.pvc", json!({"accessModes": ["ReadWriteOnce"]}))], "PVC size is missing"),
        (
            vec![("spec.storage.resources.requests.storage", json!("0"))],
            "Storage size can't be equal or less than zero",
        ),
        (
            vec![("spec.storage.resources.requests.storage", json!("1k"))],
            "Storage size should be at least 1MiB",
        ),
        (
            vec![none.clone(), ("spec.pvc", pvc(json!([])))],
            "Required value: at least 1 access mode is required",
        ),
        (
            vec![none.clone(), ("spec.pvc", pvc(json!(["ReadWriteOnce", "ReadWriteMany"])))],
            "PVC multiple accessModes",
        ),
        (
            vec![none, ("spec.pvc", pvc(json!(["RWO"])))],
            "Unsupported value: \"RWO\": supported values: \"ReadOnlyMany\", \"ReadWriteMany\", \"ReadWriteOnce\", \"ReadWriteOncePod\"",
        ),
        (
            vec![("spec.source", Value::Null)],
            "Data volume should have either Source or SourceRef, or be externally populated",
        ),
        (vec![("spec.source", json!({"azure": {}}))], "Missing Data volume source"),
        (vec![("spec.source.blank", json!({}))], "Multiple Data volume sources"),
        (
            vec![("spec.source", Value::Null), ("spec.sourceRef", json!({"name": "x"}))],
            "Missing sourceRef kind",
        ),
        (
            vec![("spec.source", Value::Null), ("spec.sourceRef", json!({"kind": "DataSource"}))],
            "Missing sourceRef name",
        ),
        (
            vec![("spec.source", Value::Null), ("spec.sourceRef", json!({"kind": "PVC", "name": "x"}))],
            "Unsupported sourceRef kind PVC, currently only DataSource is supported",
        ),
        (vec![("spec.contentType", json!("iso"))], "ContentType not one of: kubevirt, archive"),
        (
            vec![("spec.source", json!({"blank": {}})), ("spec.contentType", json!("archive"))],
            "SourceType cannot be blank and the contentType be archive",
        ),
        (
            vec![registry(json!({"url": "docker://a"})), ("spec.contentType", json!("archive"))],
            "ContentType must be kubevirt when Source is Registry",
        ),
        (vec![registry(json!({}))], "Source registry should have either URL or ImageStream"),
        (vec![registry(json!({"url": "http://a"}))], "Illegal registry source URL scheme http://a"),
        (
            vec![registry(json!({"url": "docker://a", "pullMethod": "push"}))],
            "ImportMethod push is neither pod, node or \"\"",
        ),
        (
            vec![registry(json!({"imageStream": "a"}))],
            "Source registry ImageStream is supported only with node pull import method",
        ),
        (vec![("spec.source.http.url", json!(""))], "spec.source source URL is empty"),
        (vec![("spec.source.http.url", json!("images"))], "spec.source Invalid source URL: images"),
        (
            vec![("spec.source.http.url", json!("ftp://a/b"))],
            "spec.source Invalid source URL scheme: ftp://a/b",
        ),
        (vec![("spec.source.http.checksum", json!("sha256:xyz"))], "Invalid checksum format: sha256:xyz"),
        (vec![("spec.source", json!({"pvc": {"name": "a"}}))], "spec.source.PVC source PVC is not valid"),
        (
            vec![("spec.source", json!({"snapshot": {"name": "a"}}))],
            "spec.source.Snapshot source snapshot is not valid",
        ),
        (
            vec![("spec.storage.dataSource", json!({"name": "a"}))],
            "External population is incompatible with Source and SourceRef",
        ),
    ] {
        let (code, status) = api.post(VOLUMES, volume(&change)).await;
        let (code, reason, _, message) = told(code, &status);
        // Two blanks: CDI puts one before each of its messages.
        let wanted = from("datavolume-validate.cdi.kubevirt.io", &format!(" {text}"));
        assert_eq!((code, reason.as_str(), message), (422, "", wanted));
        assert_eq!(status["details"]["causes"][0]["message"], text);
    }
    let (code, status) = api
        .post(
            VOLUMES,
            volume(&[
                ("spec.source", Value::Null),
                ("spec.sourceRef", json!({"kind": "DataSource", "name": "gone"})),
            ]),
        )
        .await;
    let text = from("datavolume-mutate.cdi.kubevirt.io", "datasources.cdi.kubevirt.io \"gone\" not found");
    assert_eq!(told(code, &status), (400, String::new(), vec![], text));
}

#[tokio::test]
async fn a_disk_stays_as_it_is_and_takes_no_other_claim() {
    let api = api();
    let (code, made) = api.post(VOLUMES, volume(&[])).await;
    assert_eq!(code, 201, "{made}");
    let url = json!({"spec": {"source": {"http": {"url": "http://images.example.test/b.qcow2"}}}});
    let (code, status) = api.merge(&format!("{VOLUMES}/d"), url).await;
    let text = from("datavolume-validate.cdi.kubevirt.io", " Cannot update DataVolume Spec");
    assert_eq!(told(code, &status), (422, String::new(), vec!["DataVolume.Spec".to_owned()], text));
    assert_eq!(api.merge(&format!("{VOLUMES}/d"), json!({"metadata": {"labels": {"a": "b"}}})).await.0, 200);

    let claims = "/api/v1/namespaces/default/persistentvolumeclaims";
    let claim = |name: &str, of: Value| {
        json!({"metadata": {"name": name, "annotations": of}, "spec": {
        "accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}})
    };
    let (code, made) = api.post(claims, claim("taken", json!({}))).await;
    assert_eq!(code, 201, "{made}");
    let (code, status) = api.post(VOLUMES, volume(&[("metadata.name", json!("taken"))])).await;
    let text = from("datavolume-validate.cdi.kubevirt.io", " Destination PVC default/taken already exists");
    assert_eq!(told(code, &status), (422, String::new(), vec!["DataVolume.Name".to_owned()], text));
    let adopts = json!({"cdi.kubevirt.io/allowClaimAdoption": "true"});
    let (code, _) = api
        .post(VOLUMES, volume(&[("metadata.name", json!("taken")), ("metadata.annotations", adopts)]))
        .await;
    assert_eq!(code, 201);
    let own = json!({"cdi.kubevirt.io/storage.populatedFor": "own"});
    assert_eq!(api.post(claims, claim("own", own)).await.0, 201);
    assert_eq!(api.post(VOLUMES, volume(&[("metadata.name", json!("own"))])).await.0, 201);
    for (name, source) in [
        ("clone", json!({"source": {"pvc": {"namespace": "default", "name": "taken"}}, "storage": {}})),
        (
            "upload",
            json!({"source": {"upload": {}}, "pvc": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}}),
        ),
        (
            "outside",
            json!({"pvc": {"dataSource": {"name": "a"}, "accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}}),
        ),
        (
            "registry",
            json!({"source": {"registry": {"url": "docker://quay.io/a/b", "pullMethod": "node"}}, "storage": {"resources": {"requests": {"storage": "1Gi"}}}}),
        ),
    ] {
        let (code, status) =
            api.post(VOLUMES, object("cdi.kubevirt.io/v1beta1", "DataVolume", name, &source)).await;
        assert_eq!(code, 201, "{name}: {status}");
    }
}

#[tokio::test]
async fn crons_take_few_sources() {
    let api = api();
    let cron = |source: Value, schedule: &str| {
        object(
            "cdi.kubevirt.io/v1beta1",
            "DataImportCron",
            "c",
            &json!({
        "schedule": schedule, "managedDataSource": "fedora", "template": {"spec": {"source": source,
            "storage": {"resources": {"requests": {"storage": "5Gi"}}}}}}),
        )
    };
    let image = json!({"registry": {"url": "docker://quay.io/a/b"}});
    for (cron, text) in [
        (cron(json!({"http": {"url": "http://a/b"}}), "0 1 * * *"), "Missing source"),
        (cron(image.clone(), "sometimes"), "Illegal cron schedule"),
    ] {
        let (code, status) = api.post(CRONS, cron).await;
        let wanted = from("dataimportcron-validate.cdi.kubevirt.io", &format!(" {text}"));
        assert_eq!((code, told(code, &status).3), (422, wanted));
    }
    assert_eq!(api.post(CRONS, cron(image, "0 1 * * *")).await.0, 201);
    let (code, status) = api.merge(&format!("{CRONS}/c"), json!({"spec": {"schedule": "0 2 * * *"}})).await;
    assert_eq!(
        (code, &status["details"]["causes"][0]["message"]),
        (422, &json!("Cannot update DataImportCron Spec"))
    );
}

#[tokio::test]
async fn virtink_fills_in_and_refuses() {
    let api = api();
    let vm = |instance: Value, volumes: Value| {
        object(
            "virt.virtink.smartx.com/v1alpha1",
            "VirtualMachine",
            "v",
            &json!({
        "instance": instance, "volumes": volumes, "networks": [{"name": "pod", "pod": {}}]}),
        )
    };
    let root = json!([{"name": "root", "containerDisk": {"image": "a"}}]);
    let webhook = "validate.virtualmachine.v1alpha1.virt.virtink.smartx.com";
    for (vm, text) in [
        (
            vm(json!({"disks": [{"name": "a"}, {"name": "a"}]}), root.clone()),
            "spec.instance.disks[1].name: Duplicate value: \"a\"",
        ),
        (
            vm(json!({}), json!([{"name": "root"}])),
            "spec.volumes[0]: Required value: at least 1 volume source is required",
        ),
        (
            vm(json!({"kernel": {}}), root.clone()),
            "[spec.instance.kernel.image: Required value, spec.instance.kernel.cmdline: Required value]",
        ),
        (
            vm(json!({"interfaces": [{"name": "pod", "bridge": {}, "sriov": {}}]}), root.clone()),
            "spec.instance.interfaces[0].sriov: Forbidden: may not specify more than 1 binding method",
        ),
    ] {
        let (code, status) = api.post(VIRTINK, vm).await;
        assert_eq!(told(code, &status), (403, "Forbidden".to_owned(), vec![], from(webhook, text)));
    }
    let (code, made) = api.post(VIRTINK, vm(json!({"interfaces": [{"name": "pod"}]}), root)).await;
    assert_eq!(code, 201, "{made}");
    let instance = &made["spec"]["instance"];
    assert_eq!((&made["spec"]["runPolicy"], &instance["memory"]["size"]), (&json!("Once"), &json!("1Gi")));
    assert_eq!(instance["cpu"], json!({"sockets": 1, "coresPerSocket": 1}));
    assert_eq!(instance["interfaces"][0]["bridge"], json!({}));
    let mac = instance["interfaces"][0]["mac"].as_str().unwrap_or_default();
    assert!(mac.starts_with("52:54:00:") && mac.len() == 17, "{mac}");
    let path = format!("{VIRTINK}/v");
    assert_eq!(api.merge(&path, json!({"spec": {"runPolicy": "Halted"}})).await.0, 200);
    let (code, status) = api.merge(&path, json!({"spec": {"instance": {"cpu": {"sockets": 2}}}})).await;
    let text = "spec: Forbidden: VM spec may not be updated except runPolicy, volumes, instance.disks";
    assert_eq!((code, told(code, &status).3), (403, from(webhook, text)));
}
