//! A new instance, as its machine describes it.

use serde_json::{Value, json};

use super::super::edit::{annotate, finalize, new_object, own, set};
use super::super::kind::Kind;
use super::super::object::Object;
use super::super::view::View;
use super::super::write::Write;
use super::types::{Trouble, Types};
use super::{CONTROLLER, strategy};
use crate::demo::admission::{default_instance, refuse_instance};

/// Keeps an instance until its machine has seen its end.
pub(super) const FINALIZER: &str = "kubevirt.io/virtualMachineControllerFinalize";

/// The generation of its machine that an instance was made from.
pub(super) const GENERATION: &str = "kubevirt.io/vm-generation";

/// Which copy of a machine's specification belongs to an instance.
fn revision_name(vm: &Object) -> String {
    format!("revision-start-vm-{}-{}", vm.uid(), vm.generation())
}

/// The copy of its machine's specification from which an instance was made.
pub(super) fn revision_of<'a>(view: &'a View<'_>, vmi: &Object) -> Option<&'a Object> {
    view.get(Kind::ControllerRevision, vmi.namespace(), vmi.text("/status/virtualMachineRevisionName"))
}

/// The copy that is kept of what an instance is made from; older ones go.
pub(super) fn revisions(view: &View<'_>, vm: &Object) -> Vec<Write> {
    let name = revision_name(vm);
    let of = view.controlled(Kind::ControllerRevision, vm);
    let theirs = of.filter(|one| one.name().starts_with("revision-start-vm-"));
    let (now, old): (Vec<&Object>, Vec<&Object>) = theirs.partition(|one| one.name() == name);
    let mut writes: Vec<Write> = old.into_iter().filter_map(Write::delete).collect();
    if now.is_empty() {
        let mut revision = new_object(Kind::ControllerRevision, vm.namespace(), &name);
        own(&mut revision, vm);
        revision["data"] = json!({"spec": vm.at("/spec")});
        revision["revision"] = vm.generation().into();
        writes.push(Write::Create(revision));
    }
    writes
}

/// The instance of a machine.
pub(super) fn instance(view: &View<'_>, vm: &Object, types: &Types<'_>) -> Value {
    let mut vmi = new_object(Kind::VirtualMachineInstance, vm.namespace(), vm.name());
    for field in ["labels", "annotations"] {
        let given = vm.at(&format!("/spec/template/metadata/{field}"));
        if given.is_object() {
            vmi["metadata"][field] = given.clone();
        }
    }
    annotate(&mut vmi, GENERATION, vm.generation().to_string());
    finalize(&mut vmi, FINALIZER);
    own(&mut vmi, vm);
    vmi["spec"] = vm.at("/spec/template/spec").clone();
    let paused = vm.list("/status/stateChangeRequests").iter().any(|one| one["data"]["paused"] == "true");
    if paused {
        set(&mut vmi, "/spec/startStrategy", "Paused");
    }
    if strategy::of(vm) == "WaitAsReceiver" {
        annotate(&mut vmi, "kubevirt.io/create-migration-target", "true");
    }
    types.apply(&mut vmi);
    let of_cluster = view.all(Kind::KubeVirt).next();
    let eviction = of_cluster.map_or("", |one| one.text("/spec/configuration/evictionStrategy"));
    if vmi["spec"]["evictionStrategy"].is_null() && !eviction.is_empty() {
        vmi["spec"]["evictionStrategy"] = eviction.into();
    }
    default_instance(&mut vmi);
    vmi["status"] = json!({
        "guestOSInfo": {}, "runtimeUser": 107, "virtualMachineRevisionName": revision_name(vm),
    });
    vmi
}

/// Why an instance would not be taken by KubeVirt's webhook, whether the server has that or not.
pub(super) fn against(vmi: &Value) -> Option<Trouble> {
    refuse_instance(vmi).map(|why| ("FailedCreate", why))
}

/// That an instance was made.
pub(super) fn announce(vm: &Object) -> Write {
    let text =
        format!("Started the virtual machine by creating the new virtual machine instance {}", vm.name());
    Write::tell(vm, CONTROLLER, "SuccessfulCreate", text)
}
