use serde_json::{Value, json};

use super::super::super::kind::Kind;
use super::super::super::testing::{Stage, namespace};
use super::super::PARTS;

const NS: &str = "lab";

#[allow(clippy::needless_pass_by_value, reason = "it reads better where it is called")]
fn pool(replicas: u32, more: Value) -> Value {
    let mut spec = json!({
        "replicas": replicas,
        "selector": {"matchLabels": {"app": "runner"}},
        "virtualMachineTemplate": {
            "metadata": {"labels": {"app": "runner"}},
            "spec": {
                "runStrategy": "Always",
                "dataVolumeTemplates": [{
                    "metadata": {"name": "root"},
                    "spec": {
                        "source": {"http": {"url": "http://images.example.test/a.qcow2"}},
                        "storage": {"resources": {"requests": {"storage": "1Gi"}}},
                    },
                }],
                "template": {
                    "metadata": {"labels": {"app": "runner"}},
                    "spec": {
                        "domain": {"cpu": {"cores": 1}, "devices": {}, "memory": {"guest": "1Gi"}},
                        "volumes": [{"name": "root", "dataVolume": {"name": "root"}}],
                    },
                },
            },
        },
    });
    for (field, value) in more.as_object().into_iter().flatten() {
        spec[field] = value.clone();
    }
    json!({
        "apiVersion": "pool.kubevirt.io/v1beta1", "kind": "VirtualMachinePool",
        "metadata": {"name": "runners", "namespace": NS}, "spec": spec,
    })
}

async fn stage() -> Stage {
    Stage::with(vec![namespace(NS)], &[PARTS]).await
}

async fn names(stage: &Stage) -> Vec<String> {
    let machines = stage.list(Kind::VirtualMachine, NS).await;
    machines.iter().map(|one| one["metadata"]["name"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn a_pool_makes_machines_with_disks_of_their_own() {
    let stage = stage().await;
    stage.create(pool(3, json!({}))).await;
    assert_eq!(names(&stage).await, Vec::<String>::new(), "it takes a second to look at a new pool");
    stage.advance(2).await;
    assert_eq!(names(&stage).await, ["runners-0", "runners-1", "runners-2"]);

    let machine = stage.get(Kind::VirtualMachine, NS, "runners-1").await;
    assert_eq!(machine["metadata"]["finalizers"], json!(["pool.kubevirt.io/finalizer"]));
    assert_eq!(machine["metadata"]["ownerReferences"][0]["name"], "runners");
    let revision = json!({"app": "runner", "kubevirt.io/vm-pool-revision-name": "runners-1"});
    assert_eq!(machine["metadata"]["labels"], revision);
    assert_eq!(machine["spec"]["template"]["metadata"]["labels"], revision);
    assert_eq!(machine["spec"]["dataVolumeTemplates"][0]["metadata"]["name"], "root-1");
    assert_eq!(machine["spec"]["template"]["spec"]["volumes"][0]["dataVolume"]["name"], "root-1");

    let pool = stage.get(Kind::VirtualMachinePool, NS, "runners").await;
    assert_eq!(pool["status"], json!({"labelSelector": "app=runner", "replicas": 3}));
    let events = stage.events(NS).await;
    for name in ["runners-0", "runners-1", "runners-2"] {
        assert!(events.contains(&format!("SuccessfulCreate: Created VM lab/{name}")), "{events:?}");
    }
}

#[tokio::test]
async fn machines_that_are_ready_are_counted() {
    let stage = stage().await;
    stage.create(pool(2, json!({}))).await;
    stage.advance(2).await;
    let ready = json!({"status": {"conditions": [{"type": "Ready", "status": "True"}]}});
    stage.patch_status(Kind::VirtualMachine, NS, "runners-0", ready).await;
    let pool = stage.get(Kind::VirtualMachinePool, NS, "runners").await;
    assert_eq!(pool["status"]["readyReplicas"], 1);
}

#[tokio::test]
async fn scaling_down_takes_machines_away_in_the_order_that_was_asked_for() {
    for (policy, left) in [("DescendingOrder", "runners-0"), ("AscendingOrder", "runners-2")] {
        let stage = stage().await;
        let strategy = json!({"scaleInStrategy": {"proactive": {"selectionPolicy": {"sortPolicy": policy}}}});
        stage.create(pool(3, strategy)).await;
        stage.advance(2).await;
        stage.patch(Kind::VirtualMachinePool, NS, "runners", json!({"spec": {"replicas": 1}})).await;
        stage.advance(2).await;
        assert_eq!(names(&stage).await, [left], "{policy}");
        let events = stage.events(NS).await;
        let gone = |one: &&String| one.starts_with("SuccessfulDelete: Deleted VM lab/runners-");
        assert_eq!(events.iter().filter(gone).count(), 2, "{events:?}");
        let pool = stage.get(Kind::VirtualMachinePool, NS, "runners").await;
        assert_eq!(pool["status"]["replicas"], 1);
    }
}

#[tokio::test]
async fn a_machine_that_somebody_deletes_comes_back() {
    let stage = stage().await;
    stage.create(pool(2, json!({}))).await;
    stage.advance(2).await;
    let old = stage.get(Kind::VirtualMachine, NS, "runners-0").await["metadata"]["uid"].clone();
    stage.delete(Kind::VirtualMachine, NS, "runners-0").await;
    stage.advance(2).await;
    let new = stage.get(Kind::VirtualMachine, NS, "runners-0").await["metadata"]["uid"].clone();
    assert!(new.is_string() && new != old, "{new} after {old}");
}

#[tokio::test]
async fn a_new_template_reaches_the_machines_and_old_revisions_go() {
    let stage = stage().await;
    stage.create(pool(1, json!({}))).await;
    stage.advance(2).await;
    let cores = json!({"spec": {"virtualMachineTemplate": {"spec": {"template": {"spec": {
        "domain": {"cpu": {"cores": 4}},
    }}}}}});
    stage.patch(Kind::VirtualMachinePool, NS, "runners", cores).await;
    stage.advance(2).await;
    let machine = stage.get(Kind::VirtualMachine, NS, "runners-0").await;
    assert_eq!(machine["spec"]["template"]["spec"]["domain"]["cpu"]["cores"], 4);
    assert_eq!(machine["metadata"]["labels"]["kubevirt.io/vm-pool-revision-name"], "runners-2");
    assert!(stage.events(NS).await.contains(&"SuccessfulUpdate: Updated VM lab/runners-0".to_owned()));
    let revisions = stage.list(Kind::ControllerRevision, NS).await;
    assert_eq!(revisions.len(), 1);
    assert_eq!(revisions[0]["metadata"]["name"], "runners-2");
}

#[tokio::test]
async fn a_paused_pool_says_so_and_waits() {
    let stage = stage().await;
    stage.create(pool(1, json!({"paused": true}))).await;
    stage.advance(2).await;
    assert_eq!(names(&stage).await, Vec::<String>::new());
    let pool = stage.get(Kind::VirtualMachinePool, NS, "runners").await;
    assert_eq!(pool["status"]["conditions"][0]["reason"], "SuccessfulPaused");
    stage.patch(Kind::VirtualMachinePool, NS, "runners", json!({"spec": {"paused": false}})).await;
    stage.advance(2).await;
    assert_eq!(names(&stage).await, ["runners-0"]);
    assert!(stage.events(NS).await.contains(&"SuccessfulResume: Pool is unpaused".to_owned()));
}

#[tokio::test]
async fn a_pool_takes_its_machines_along() {
    let stage = stage().await;
    stage.create(pool(2, json!({}))).await;
    stage.advance(2).await;
    stage.delete(Kind::VirtualMachinePool, NS, "runners").await;
    stage.advance(2).await;
    assert_eq!(names(&stage).await, Vec::<String>::new());
    assert_eq!(stage.list(Kind::VirtualMachinePool, NS).await, Vec::<Value>::new());
}
