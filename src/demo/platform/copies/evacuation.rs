//! Nodes that are drained: their guests move on, where they may.

use serde_json::{Value, json};

use super::super::edit::{annotate, new_object};
use super::super::kind::Kind;
use super::super::object::Object;
use super::super::view::View;
use super::super::write::Write;
use super::migration::{CONTROLLER, EVACUATION, MOST_IN_CLUSTER, is_final};
use super::suffix;

/// A node with this taint and the effect `NoSchedule` is drained.
const TAINT: &str = "kubevirt.io/drain";

/// What virt-controller does for an instance that should leave its node.
pub(super) fn step(view: &View<'_>, vmi: &Object) -> Vec<Write> {
    let node = vmi.text("/status/nodeName");
    let may_move = matches!(vmi.text("/spec/evictionStrategy"), "LiveMigrate" | "LiveMigrateIfPossible");
    let asked = vmi.text("/status/evacuationNodeName") == node || may_move && is_drained(view, node);
    if node.is_empty() || !asked || vmi.is_ending() || vmi.phase() != "Running" {
        return Vec::new();
    }
    let all = view.list(Kind::VirtualMachineInstanceMigration, vmi.namespace());
    let mut own = all.into_iter().filter(|one| one.text("/spec/vmiName") == vmi.name() && !is_final(one));
    if own.next().is_some() {
        return Vec::new();
    }
    if !vmi.is("LiveMigratable") {
        let message = "VirtualMachineInstance is not migrateable";
        let told = Write::tell(vmi, CONTROLLER, "FailedCreateVirtualMachineInstanceMigration", message);
        return view.is_first(vmi, &format!("cannot leave {node}")).then_some(told).into_iter().collect();
    }
    let active = view.all(Kind::VirtualMachineInstanceMigration).filter(|one| !is_final(one)).count();
    if active >= MOST_IN_CLUSTER {
        view.elapsed(vmi, "evacuation", std::time::Duration::from_secs(5));
        return Vec::new();
    }
    let migration = migration(view, vmi, node);
    let name = migration["metadata"]["name"].as_str().unwrap_or_default();
    let message = format!("Created Migration {name}");
    let told = Write::tell(vmi, CONTROLLER, "SuccessfulCreateVirtualMachineInstanceMigration", message);
    vec![Write::Create(migration), told]
}

fn is_drained(view: &View<'_>, node: &str) -> bool {
    let node = view.get(Kind::Node, "", node);
    let taints = node.map(|node| node.list("/spec/taints")).unwrap_or_default();
    taints.iter().any(|taint| taint["key"] == TAINT && taint["effect"] == "NoSchedule")
}

fn migration(view: &View<'_>, vmi: &Object, node: &str) -> Value {
    // Names must not be used again while older ones are kept.
    let kept = view.list(Kind::VirtualMachineInstanceMigration, vmi.namespace()).count();
    let suffix = suffix(view, vmi, &format!("evacuation-{node}-{}-{kept}", vmi.version()));
    let name = format!("kubevirt-evacuation-{suffix}");
    let mut migration = new_object(Kind::VirtualMachineInstanceMigration, vmi.namespace(), &name);
    migration["metadata"]["generateName"] = "kubevirt-evacuation-".into();
    annotate(&mut migration, EVACUATION, node);
    migration["spec"] = json!({"vmiName": vmi.name()});
    migration
}
