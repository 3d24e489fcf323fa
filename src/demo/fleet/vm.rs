//! A `VirtualMachine`, as text.

use super::machine::{Machine, Tool, managed, manager};
use super::text::{Put, put, stamp};
use super::words::State;

pub(super) fn write_vm(m: &Machine<'_>, out: &mut Vec<u8>) {
    const API: &str = "kubevirt.io/v1";
    let revision_names =
        |name: &str, out: &mut Vec<u8>| put!(out; m.name, "-", name, "-v1beta1-", m.suffix, "-1");
    let mut spec = Vec::with_capacity(2600);
    let to = &mut spec;
    put!(to; r#"{"dataVolumeTemplates":[{"metadata":{"creationTimestamp":null,"name":""#, m.name,
        r#"-rootdisk"},"spec":{"sourceRef":{"kind":"DataSource","name":""#, m.os.source,
        r#"","namespace":"vm-os-images"},"storage":{"resources":{"requests":{"storage":""#, m.disk,
        r#"Gi"}},"storageClassName":""#, m.class, r#""}}}],"instancetype":{"kind":"VirtualMachineClusterInstancetype","name":""#,
        m.size.name, r#"","revisionName":""#);
    revision_names(m.size.name, to);
    put!(to; r#""},"preference":{"kind":"VirtualMachineClusterPreference","name":""#, m.os.id, r#"","revisionName":""#);
    revision_names(m.os.id, to);
    put!(to; r#""},"runStrategy":""#, m.strategy(), r#"","template":{"metadata":{"annotations":{"#);
    m.template_annotations(to);
    put!(to; r#","creationTimestamp":null,"labels":{"app":""#, m.app, r#"","kubevirt.io/domain":""#, m.name,
        r#"","kubevirt.io/size":""#, m.size.name, r#"","network.kubevirt.io/headlessService":"headless"}},"spec":"#);
    m.affinity(to);
    m.domain(false, to);
    m.spec_tail(to);
    put!(to; "}}");

    put!(out; r#"{"annotations":{"#);
    match m.tool {
        Tool::Kubectl => {
            let mut applied = Vec::with_capacity(3200);
            let to = &mut applied;
            put!(to; r#"{"apiVersion":"kubevirt.io/v1","kind":"VirtualMachine","metadata":{"annotations":{},"labels":"#);
            m.labels(to);
            put!(to; r#","name":""#, m.name, r#"","namespace":""#, m.namespace, r#""},"spec":"#);
            to.extend_from_slice(&spec);
            put!(to; "}");
            put!(out; r#""kubectl.kubernetes.io/last-applied-configuration":""#);
            escape(&applied, out);
            put!(out; r#"\n","#);
        }
        Tool::GitOps => {
            put!(out; r#""argocd.argoproj.io/tracking-id":""#, m.team, "-vms:kubevirt.io/VirtualMachine:",
            m.namespace, "/", m.name, "\",");
        }
        Tool::Console => {
            put!(out; r#""description":""#, m.app, " server of team ", m.team, " (", m.stage, ")\",");
        }
    }
    put!(out; r#""kubemacpool.io/transaction-timestamp":""#, stamp(m.created),
        r#"","kubevirt.io/latest-observed-api-version":"v1","kubevirt.io/storage-observed-api-version":"v1"},"creationTimestamp":""#,
        stamp(m.created), "\",");
    if m.state == State::Terminating {
        put!(out; r#""deletionGracePeriodSeconds":0,"deletionTimestamp":""#, stamp(m.changed), "\",");
    }
    let guarded = m.fleet.guarded() || m.state == State::Terminating;
    if guarded {
        put!(out; r#""finalizers":["kubevirt.io/virtualMachineControllerFinalize"],"#);
    }
    put!(out; r#""generation":2,"labels":"#);
    m.labels(out);
    put!(out; r#","managedFields":["#);
    managed(API, out);
    let (field, by, operation) = match m.tool {
        Tool::Kubectl => {
            ("f:kubectl.kubernetes.io/last-applied-configuration", "kubectl-client-side-apply", "Update")
        }
        Tool::GitOps => ("f:argocd.argoproj.io/tracking-id", "argocd-controller", "Apply"),
        Tool::Console => ("f:description", "Mozilla", "Update"),
    };
    put!(out; r#""f:metadata":{"f:annotations":{".":{},""#, field,
        r#"":{},"f:kubemacpool.io/transaction-timestamp":{},"f:kubevirt.io/latest-observed-api-version":{},"f:kubevirt.io/storage-observed-api-version":{}},"f:labels":{".":{},"f:app":{},"f:app.kubernetes.io/instance":{},"f:app.kubernetes.io/part-of":{},"f:env":{},"f:kubevirt.io/dynamic-credentials-support":{},"f:topology.example.com/zone":{},"f:vm.kubevirt.io/template":{}}},"f:spec":{"f:dataVolumeTemplates":{},"f:instancetype":{".":{},"f:kind":{},"f:name":{},"f:revisionName":{}},"f:preference":{".":{},"f:kind":{},"f:name":{},"f:revisionName":{}},"f:runStrategy":{},"f:template":{".":{},"f:metadata":{".":{},"f:annotations":{".":{},"f:vm.kubevirt.io/flavor":{},"f:vm.kubevirt.io/os":{},"f:vm.kubevirt.io/workload":{}},"f:creationTimestamp":{},"f:labels":{".":{},"f:app":{},"f:kubevirt.io/domain":{},"f:kubevirt.io/size":{},"f:network.kubevirt.io/headlessService":{}}},"f:spec":{".":{},"f:affinity":{".":{},"f:podAntiAffinity":{".":{},"f:preferredDuringSchedulingIgnoredDuringExecution":{}}},"f:architecture":{},"f:domain":{".":{},"f:cpu":{".":{},"f:cores":{},"f:sockets":{},"f:threads":{}},"f:devices":{".":{},"f:disks":{},"f:interfaces":{},"f:networkInterfaceMultiqueue":{},"f:rng":{}},"f:firmware":{".":{},"f:serial":{},"f:uuid":{}},"f:memory":{".":{},"f:guest":{}},"f:resources":{}},"f:evictionStrategy":{},"f:networks":{},"f:terminationGracePeriodSeconds":{},"f:volumes":{}}}}"#);
    manager(by, operation, false, m.created, out);
    put!(out; ",");
    if guarded {
        managed(API, out);
        put!(out; r#""f:metadata":{"f:finalizers":{".":{},"v:\"kubevirt.io/virtualMachineControllerFinalize\"":{}}}"#);
        manager("virt-controller", "Update", false, m.created + 2, out);
        put!(out; ",");
    }
    managed(API, out);
    put!(out; r#""f:status":{"f:conditions":{},"#, if m.state.has_instance() { r#""f:created":{},"# } else { "" },
        r#""f:desiredGeneration":{},"f:instancetypeRef":{".":{},"f:controllerRevisionRef":{".":{},"f:name":{}},"f:kind":{},"f:name":{}},"f:observedGeneration":{},"f:preferenceRef":{".":{},"f:controllerRevisionRef":{".":{},"f:name":{}},"f:kind":{},"f:name":{}},"f:printableStatus":{},"#,
        if m.state.runs() { r#""f:ready":{},"# } else { "" }, r#""f:runStrategy":{},"#,
        if m.state == State::CrashLoopBackOff {
            r#""f:startFailure":{".":{},"f:consecutiveFailCount":{},"f:lastFailedVMIUID":{},"f:retryAfterTimestamp":{}},"#
        } else { "" },
        r#""f:volumeSnapshotStatuses":{}}"#);
    manager("virt-controller", "Update", true, m.changed, out);
    put!(out; r#"],"name":""#, m.name, r#"","namespace":""#, m.namespace, r#"","resourceVersion":""#, m.resource_version,
        r#"","uid":""#, m.vm_uid, r#""},"spec":"#);
    out.extend_from_slice(&spec);

    put!(out; r#","status":{"conditions":["#);
    m.conditions(false, out);
    put!(out; "],", if m.state.has_instance() { r#""created":true,"# } else { "" },
        r#""desiredGeneration":2,"instancetypeRef":{"controllerRevisionRef":{"name":""#);
    revision_names(m.size.name, out);
    put!(out; r#""},"kind":"virtualmachineclusterinstancetype","name":""#, m.size.name,
        r#""},"observedGeneration":2,"preferenceRef":{"controllerRevisionRef":{"name":""#);
    revision_names(m.os.id, out);
    put!(out; r#""},"kind":"virtualmachineclusterpreference","name":""#, m.os.id, r#""},"printableStatus":""#,
        m.state.text(), "\",", if m.state.runs() { r#""ready":true,"# } else { "" }, r#""runStrategy":""#, m.strategy(), "\",");
    if m.state == State::CrashLoopBackOff {
        put!(out; r#""startFailure":{"consecutiveFailCount":7,"lastFailedVMIUID":""#, m.instance_uid,
            r#"","retryAfterTimestamp":""#, stamp(m.changed + 300), r#""},"#);
    }
    let enabled = if m.shared { r#"{"enabled":true,"name":""# } else { r#"{"enabled":false,"name":""# };
    put!(out; r#""volumeSnapshotStatuses":["#, enabled, r#"rootdisk"},"#);
    if m.data_disk {
        put!(out; enabled, r#"datadisk"},"#);
    }
    put!(out; r#"{"enabled":false,"name":"cloudinitdisk","reason":"Snapshot is not supported for this volumeSource type [cloudinitdisk]"}]}}"#);
}

/// Writes JSON text as the inside of a JSON string.
fn escape(json: &[u8], out: &mut Vec<u8>) {
    let mut rest = json;
    while let Some(at) = memchr::memchr2(b'"', b'\\', rest) {
        out.extend_from_slice(&rest[..at]);
        out.extend_from_slice(&[b'\\', rest[at]]);
        rest = &rest[at + 1..];
    }
    out.extend_from_slice(rest);
}
