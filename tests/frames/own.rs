//! Our own kinds on the screen.

use serde_json::{Value, json};
use v9s::records::{Image, Kind, SupportedVersion, Vm, VolumeSet, Workload};
use v9s::store::Freshness;
use v9s::ui::app::Options;

use super::Stage;
use crate::support::objects::vm;

fn stage(view: &str) -> Stage {
    Stage::new(Options { view: Some(view.into()), all_namespaces: true, ..Options::default() })
}

/// What the demo has of our kinds.
fn own(kind: &str) -> Vec<Value> {
    let all = v9s::demo::tenants::own().unwrap();
    let mut of_kind: Vec<Value> = all.into_iter().filter(|object| object["kind"] == kind).collect();
    for (place, object) in of_kind.iter_mut().enumerate() {
        object["metadata"]["uid"] = format!("{kind}-{place}").into();
        object["metadata"]["creationTimestamp"] = "2026-01-01T00:00:00Z".into();
    }
    of_kind
}

#[test]
fn where_our_kinds_are_missing_the_view_names_the_command() {
    let missing = |view: &str| {
        let mut stage = stage(view);
        let absent = Freshness::Absent;
        match view {
            "images" => {
                let feed = stage.cover(Kind::Image);
                stage.says::<Image>(feed, &[], absent);
            }
            "versions" => {
                let feed = stage.cover(Kind::SupportedVersion);
                stage.says::<SupportedVersion>(feed, &[], absent);
            }
            _ => {
                let feed = stage.cover(Kind::VolumeSet);
                stage.says::<VolumeSet>(feed, &[], absent);
            }
        }
        stage.text(80, 24)
    };
    for (view, plural) in
        [("images", "images"), ("versions", "supportedversions"), ("volumesets", "volumesets")]
    {
        let text = missing(view);
        assert!(text.contains("not installed"), "{text}");
        assert!(text.contains(&format!("This cluster does not serve {plural}.v9s.dev.")), "{text}");
        assert!(text.contains("v9s crds | kubectl apply --server-side -f -"), "{text}");
    }
}

#[test]
fn enter_on_a_workload_shows_its_replicas() {
    let mut stage = stage("workloads");
    let feed = stage.cover(Kind::Workload);
    let workloads = own("Workload");
    stage.says::<Workload>(feed, &workloads, Freshness::Live);
    let list = stage.text(120, 24);
    for row in ["✗ Unhealthy", "● Healthy", "◐ Importing 62%", "○ Stopped"] {
        assert!(list.contains(row), "{row}: {list}");
    }
    let ledger = workloads.iter().find(|one| one["metadata"]["name"] == "ledger").unwrap().clone();
    stage.types("/ledger").press("enter enter").document_is(&ledger);
    let text = stage.text(100, 40);
    assert!(text.contains("REPLICAS"), "{text}");
    assert!(text.contains("ledger-0") && text.contains("Running, worker-2, 10.244.1.202"), "{text}");
    assert!(text.contains("ledger-1") && text.contains("boot disk Importing 62%"), "{text}");
}

#[test]
fn enter_on_a_volume_set_shows_its_volumes() {
    let mut stage = stage("volumesets");
    let feed = stage.cover(Kind::VolumeSet);
    let sets = own("VolumeSet");
    stage.says::<VolumeSet>(feed, &sets, Freshness::Live);
    let set = sets.iter().find(|one| one["metadata"]["name"] == "hello-root").unwrap().clone();
    stage.types("/hello").press("enter enter").document_is(&set);
    let text = stage.text(100, 40);
    assert!(text.contains("replica 2") && text.contains("bound, claim hello-root-2, 20 GiB"), "{text}");
    assert!(text.contains("SNAPSHOTS") && text.contains("nightly-1"), "{text}");
}

/// The machines of a workload are its replicas, whichever comes first.
#[test]
fn replicas_are_folded_into_their_workload() {
    let machines = ["hello-0", "web-0"].map(|name| Value::from(vm("shop", name)));
    let mut hello = own("Workload").into_iter().find(|one| one["metadata"]["name"] == "hello").unwrap();
    hello["metadata"]["namespace"] = machines[0]["metadata"]["namespace"].clone();
    for first in [Kind::Vm, Kind::Workload] {
        let mut stage = stage("workloads");
        let (vms, workloads) = (stage.cover(Kind::Vm), stage.cover(Kind::Workload));
        if first == Kind::Workload {
            stage.says::<Workload>(workloads, &[hello.clone()], Freshness::Live);
        }
        stage.says::<Vm>(vms, &machines, Freshness::Live);
        stage.says::<Workload>(workloads, &[hello.clone()], Freshness::Live);
        let text = stage.text(120, 24);
        assert!(text.contains("workloads(all)[2]"), "{first:?} first: {text}");
        assert!(text.contains("web-0") && !text.contains("hello-0"), "{first:?} first: {text}");
    }
}

#[test]
fn what_nobody_has_looked_at_says_so() {
    let mut stage = stage("volumesets");
    let feed = stage.cover(Kind::VolumeSet);
    let new = json!({
        "apiVersion": "v9s.dev/v1alpha1", "kind": "VolumeSet", "spec": {"initialCapacity": 10},
        "metadata": {"name": "new", "namespace": "shop", "uid": "1", "creationTimestamp": "2026-01-01T00:00:00Z"},
    });
    stage.says::<VolumeSet>(feed, &[new], Freshness::Live);
    let text = stage.text(120, 24);
    assert!(text.contains("○ Unknown") && text.contains("no controller has looked at it yet"), "{text}");
}
