//! A `DataVolume` and its claim, as text.

use super::SYNTHETIC_LABEL;
use super::machine::{Machine, managed, manager};
use super::text::{Put, put, stamp};
use super::words::State;

pub(super) fn access(m: &Machine<'_>) -> &'static str {
    if m.shared { "ReadWriteMany" } else { "ReadWriteOnce" }
}

pub(super) fn write_data_volume(m: &Machine<'_>, out: &mut Vec<u8>) {
    const API: &str = "cdi.kubevirt.io/v1beta1";
    let phase = m.filling();
    let (done, busy) = (phase == "Succeeded", phase == "CloneInProgress");
    put!(out; r#"{"annotations":{"cdi.kubevirt.io/allowClaimAdoption":"true","cdi.kubevirt.io/clonePhase":"Succeeded","cdi.kubevirt.io/cloneType":"snapshot","cdi.kubevirt.io/storage.clone.token":""#,
        m.fleet.token, m.suffix, r#"","cdi.kubevirt.io/storage.deleteAfterCompletion":"false","cdi.kubevirt.io/storage.extended.clone.token":""#,
        m.fleet.long_token, m.suffix, r#"","cdi.kubevirt.io/storage.usePopulator":"true"},"creationTimestamp":""#, stamp(m.created),
        r#"","generation":1,"labels":{"app":""#, m.app, r#"","instancetype.kubevirt.io/default-preference":""#, m.os.id,
        r#"","kubevirt.io/created-by":""#, m.vm_uid, "\"", SYNTHETIC_LABEL, r#"},"managedFields":["#);
    managed(API, out);
    put!(out; r#""f:metadata":{"f:annotations":{".":{},"f:cdi.kubevirt.io/allowClaimAdoption":{},"f:cdi.kubevirt.io/clonePhase":{},"f:cdi.kubevirt.io/cloneType":{},"f:cdi.kubevirt.io/storage.clone.token":{},"f:cdi.kubevirt.io/storage.deleteAfterCompletion":{},"f:cdi.kubevirt.io/storage.extended.clone.token":{},"f:cdi.kubevirt.io/storage.usePopulator":{}},"f:labels":{".":{},"f:app":{},"f:instancetype.kubevirt.io/default-preference":{},"f:kubevirt.io/created-by":{}},"f:ownerReferences":{".":{},"k:{\"uid\":\""#,
        m.vm_uid, r#"\"}":{}}},"f:spec":{"f:sourceRef":{".":{},"f:kind":{},"f:name":{},"f:namespace":{}},"f:storage":{".":{},"f:resources":{".":{},"f:requests":{".":{},"f:storage":{}}},"f:storageClassName":{}}}"#);
    manager("virt-controller", "Update", false, m.created, out);
    put!(out; ",");
    managed(API, out);
    put!(out; r#""f:status":{"f:claimName":{},"f:conditions":{},"f:phase":{},"f:progress":{}"#,
        if phase == "Failed" { r#","f:restartCount":{}}"# } else { "}" });
    manager("virt-cdi-controller", "Update", true, m.changed, out);
    put!(out; r#"],"name":""#, m.name, r#"-rootdisk","namespace":""#, m.namespace, "\",");
    m.owner("kubevirt.io/v1", "VirtualMachine", "", &m.vm_uid, out);
    put!(out; r#""resourceVersion":""#, m.resource_version, r#"","uid":""#, m.volume_uid,
        r#""},"spec":{"sourceRef":{"kind":"DataSource","name":""#, m.os.source,
        r#"","namespace":"vm-os-images"},"storage":{"resources":{"requests":{"storage":""#, m.disk,
        r#"Gi"}},"storageClassName":""#, m.class, r#""}},"status":{"claimName":""#, m.name, r#"-rootdisk","conditions":["#);
    let condition = |kind: &str, yes: bool, reason: &str, message: &[&str], out: &mut Vec<u8>| {
        put!(out; r#"{"lastHeartbeatTime":""#, stamp(m.changed), r#"","lastTransitionTime":""#, stamp(m.changed), r#"","message":""#);
        for part in message {
            put!(out; part);
        }
        put!(out; r#"","reason":""#, reason, r#"","status":""#, if yes { "True" } else { "False" }, r#"","type":""#, kind, "\"}");
    };
    if phase == "WaitForFirstConsumer" {
        condition("Bound", false, "Pending", &["PVC ", &m.name, "-rootdisk Pending"], out);
    } else {
        condition("Bound", true, "Bound", &["PVC ", &m.name, "-rootdisk Bound"], out);
    }
    put!(out; ",");
    condition("Ready", done, if done { "" } else { "TransferRunning" }, &[], out);
    put!(out; ",");
    if done {
        condition("Running", false, "Completed", &["Clone Complete"], out);
    } else if phase == "Failed" {
        condition(
            "Running",
            false,
            "Error",
            &["Unable to connect to the source of ", &m.name, "-rootdisk: no space left on device"],
            out,
        );
    } else {
        let message = [
            "Cloning from vm-os-images/",
            m.os.id,
            " into ",
            m.namespace,
            "/",
            &m.name,
            "-rootdisk in progress",
        ];
        condition("Running", busy, "Cloning", &message, out);
    }
    put!(out; r#"],"phase":""#, phase, r#"","progress":""#, m.progress(), "\"",
        if phase == "Failed" { r#","restartCount":4}}"# } else { "}}" });
}

pub(super) fn write_claim(m: &Machine<'_>, out: &mut Vec<u8>) {
    let bound = m.state != State::WaitingForVolumeBinding;
    put!(out; r#"{"name":""#, m.name, r#"-rootdisk","namespace":""#, m.namespace, r#"","uid":""#, m.claim_uid,
        r#"","resourceVersion":""#, m.resource_version, r#"","creationTimestamp":""#, stamp(m.created),
        r#"","labels":{"alerts.k8s.io/KubePersistentVolumeFillingUp":"disabled","app":"containerized-data-importer","app.kubernetes.io/component":"storage","app.kubernetes.io/managed-by":"cdi-controller","app.kubernetes.io/part-of":"hyperconverged-cluster","app.kubernetes.io/version":"4.19.0","instancetype.kubevirt.io/default-preference":""#,
        m.os.id, r#"","kubevirt.io/created-by":""#, m.vm_uid, "\"", SYNTHETIC_LABEL,
        r#"},"annotations":{"cdi.kubevirt.io/allowClaimAdoption":"true","cdi.kubevirt.io/clonePhase":"Succeeded","cdi.kubevirt.io/cloneType":"snapshot","cdi.kubevirt.io/createdForDataVolume":""#,
        m.volume_uid, r#"","cdi.kubevirt.io/dataSourceNamespace":"vm-os-images","cdi.kubevirt.io/storage.clone.token":""#,
        m.fleet.token, m.suffix, r#"","cdi.kubevirt.io/storage.condition.running":"false","cdi.kubevirt.io/storage.condition.running.message":"Clone Complete","cdi.kubevirt.io/storage.condition.running.reason":"Completed","cdi.kubevirt.io/storage.contentType":"kubevirt","cdi.kubevirt.io/storage.pod.phase":"Succeeded","cdi.kubevirt.io/storage.populator.progress":"100.0%","cdi.kubevirt.io/storage.preallocation.requested":"false","cdi.kubevirt.io/storage.usePopulator":"true","#,
        if bound { r#""pv.kubernetes.io/bind-completed":"yes","pv.kubernetes.io/bound-by-controller":"yes","# } else { "" },
        r#""volume.beta.kubernetes.io/storage-provisioner":"openshift-storage.rbd.csi.ceph.com","volume.kubernetes.io/storage-provisioner":"openshift-storage.rbd.csi.ceph.com"},"#);
    m.owner("cdi.kubevirt.io/v1beta1", "DataVolume", "-rootdisk", &m.volume_uid, out);
    out.pop();
    // Unlike custom resources, built-in kinds write their field sets with the struct's order of keys.
    let entry = |name: &str, time: u64, fields: &[&str], status: bool, out: &mut Vec<u8>| {
        put!(out; r#"{"manager":""#, name, r#"","operation":"Update","apiVersion":"v1","time":""#, stamp(time),
            r#"","fieldsType":"FieldsV1","fieldsV1":{"#);
        for part in fields {
            put!(out; part);
        }
        put!(out; "}", if status { r#","subresource":"status"}"# } else { "}" });
    };
    put!(out; if m.fleet.guarded() { r#","finalizers":["kubernetes.io/pvc-protection"]"# } else { "" }, r#","managedFields":["#);
    let uid = str::from_utf8(&m.volume_uid).unwrap_or_default();
    let binding = if bound {
        r#""f:pv.kubernetes.io/bind-completed":{},"f:pv.kubernetes.io/bound-by-controller":{},"#
    } else {
        ""
    };
    let fields = [
        r#""f:metadata":{"f:annotations":{".":{},"f:cdi.kubevirt.io/allowClaimAdoption":{},"f:cdi.kubevirt.io/clonePhase":{},"f:cdi.kubevirt.io/cloneType":{},"f:cdi.kubevirt.io/createdForDataVolume":{},"f:cdi.kubevirt.io/dataSourceNamespace":{},"f:cdi.kubevirt.io/storage.clone.token":{},"f:cdi.kubevirt.io/storage.condition.running":{},"f:cdi.kubevirt.io/storage.condition.running.message":{},"f:cdi.kubevirt.io/storage.condition.running.reason":{},"f:cdi.kubevirt.io/storage.contentType":{},"f:cdi.kubevirt.io/storage.pod.phase":{},"f:cdi.kubevirt.io/storage.populator.progress":{},"f:cdi.kubevirt.io/storage.preallocation.requested":{},"f:cdi.kubevirt.io/storage.usePopulator":{},"#,
        binding,
        r#""f:volume.beta.kubernetes.io/storage-provisioner":{},"f:volume.kubernetes.io/storage-provisioner":{}},"f:labels":{".":{},"f:alerts.k8s.io/KubePersistentVolumeFillingUp":{},"f:app":{},"f:app.kubernetes.io/component":{},"f:app.kubernetes.io/managed-by":{},"f:app.kubernetes.io/part-of":{},"f:app.kubernetes.io/version":{},"f:instancetype.kubevirt.io/default-preference":{},"f:kubevirt.io/created-by":{}},"f:ownerReferences":{".":{},"k:{\"uid\":\""#,
        uid,
        r#"\"}":{}}},"f:spec":{"f:accessModes":{},"f:dataSource":{".":{},"f:apiGroup":{},"f:kind":{},"f:name":{}},"f:dataSourceRef":{".":{},"f:apiGroup":{},"f:kind":{},"f:name":{}},"f:resources":{".":{},"f:requests":{".":{},"f:storage":{}}},"f:storageClassName":{},"f:volumeMode":{}"#,
        if bound { r#","f:volumeName":{}}"# } else { "}" },
    ];
    entry("virt-cdi-controller", m.created, &fields, false, out);
    put!(out; ",");
    if m.fleet.guarded() {
        let fields = [r#""f:metadata":{"f:finalizers":{".":{},"v:\"kubernetes.io/pvc-protection\"":{}}}"#];
        entry("kube-controller-manager", m.created + 2, &fields, false, out);
        put!(out; ",");
    }
    let fields = if bound {
        r#""f:status":{"f:accessModes":{},"f:capacity":{".":{},"f:storage":{}},"f:phase":{}}"#
    } else {
        r#""f:status":{"f:phase":{}}"#
    };
    entry("kube-controller-manager", m.changed, &[fields], true, out);
    put!(out; r#"]},"spec":{"accessModes":[""#, access(m), r#""],"resources":{"requests":{"storage":""#, m.disk << 30, r#""}},"#);
    if bound {
        put!(out; r#""volumeName":"pvc-"#, m.claim_uid, "\",");
    }
    put!(out; r#""storageClassName":""#, m.class, r#"","volumeMode":""#, m.mode, "\",");
    let source = |key: &str, out: &mut Vec<u8>| {
        put!(out; "\"", key, r#"":{"apiGroup":"cdi.kubevirt.io","kind":"VolumeCloneSource","name":"volume-clone-source-"#, m.volume_uid, "\"}");
    };
    source("dataSource", out);
    put!(out; ",");
    source("dataSourceRef", out);
    if bound {
        put!(out; r#"},"status":{"phase":"Bound","accessModes":[""#, access(m), r#""],"capacity":{"storage":""#, m.disk, r#"Gi"}}}"#);
    } else {
        put!(out; r#"},"status":{"phase":"Pending"}}"#);
    }
}
