//! The launcher pod of an instance, as text.

use super::SYNTHETIC_LABEL;
use super::machine::{Machine, Pod, node_name};
use super::text::{Put, put, stamp};
use super::words::State;

/// What the launcher pod of this number is called.
pub(super) fn pod_name(m: &Machine<'_>, pod: &Pod) -> String {
    format!("virt-launcher-{}-{}", m.name, String::from_utf8_lossy(&pod.suffix))
}

/// A pod as it stands in a list. `target`: that of the node to which the machine is on its way.
pub(super) fn write_pod(m: &Machine<'_>, target: bool, out: &mut Vec<u8>) {
    let pod = m.pod(m.moment.pods + u32::from(target));
    let node = if target { m.route()[1].0 } else { m.node };
    let begun = if target { m.changed } else { m.moment.pod_made.unwrap_or(m.started) };
    let leaving = matches!(m.state, State::Terminating | State::Stopping);
    put!(out; r#"{"metadata":{"name":""#, pod_name(m, &pod), r#"","generateName":"virt-launcher-"#, m.name,
        r#"-","namespace":""#, m.namespace, r#"","uid":""#, pod.uid, r#"","resourceVersion":""#, m.resource_version,
        r#"","generation":1,"creationTimestamp":""#, stamp(begun), "\"");
    if leaving {
        put!(out; r#","deletionTimestamp":""#, stamp(m.changed + 210), r#"","deletionGracePeriodSeconds":210"#);
    }
    put!(out; r#","labels":{"app":""#, m.app, r#"","kubevirt.io":"virt-launcher","kubevirt.io/created-by":""#,
        m.instance_uid, r#"","kubevirt.io/domain":""#, m.name, r#"","kubevirt.io/nodeName":""#, node_name(node),
        r#"","kubevirt.io/size":""#, m.size.name, "\",");
    if target {
        put!(out; r#""kubevirt.io/migrationJobUID":""#, m.serial, "\",");
    }
    put!(out; r#""network.kubevirt.io/headlessService":"headless""#, SYNTHETIC_LABEL, r#","vm.kubevirt.io/name":""#, m.name,
        r#"","vmi.kubevirt.io/id":""#, m.name,
        r#""},"annotations":{"kubectl.kubernetes.io/default-container":"compute","kubevirt.io/domain":""#, m.name,
        r#"","vm.kubevirt.io/flavor":""#, m.size.name, r#"","vm.kubevirt.io/os":""#, m.os.id,
        r#""},"ownerReferences":[{"apiVersion":"kubevirt.io/v1","kind":"VirtualMachineInstance","name":""#, m.name,
        r#"","uid":""#, m.instance_uid, r#"","controller":true,"blockOwnerDeletion":true}]},"#);
    write_spec(m, node, out);
    let ready = if target || m.state == State::Starting { begun } else { begun + 4 };
    write_status(m, node, [begun, ready], out);
}

/// The image of the launcher.
const IMAGE: &str = "registry.example.com/kubevirt/virt-launcher@sha256:9c1f0e4bd2a83b7755a6f1c40d8e92369c1f0e4bd2a83b7755a6f1c40d8e9236";

/// Its time to end in peace is none, because no kubelet is there to say when it is over.
fn write_spec(m: &Machine<'_>, node: u64, out: &mut Vec<u8>) {
    put!(out; r#""spec":{"volumes":[{"name":"private","emptyDir":{}},{"name":"rootdisk","persistentVolumeClaim":{"claimName":""#,
        m.name, r#"-rootdisk"}}"#);
    if m.data_disk {
        put!(out; r#",{"name":"datadisk","persistentVolumeClaim":{"claimName":""#, m.name, r#"-data"}}"#);
    }
    put!(out; r#"],"containers":[{"name":"compute","image":""#, IMAGE,
        r#"","command":["/usr/bin/virt-launcher-monitor","--name",""#, m.name, r#"","--uid",""#, m.instance_uid,
        r#"","--namespace",""#, m.namespace, r#""],"resources":{"limits":{"devices.kubevirt.io/kvm":"1"},"requests":{"cpu":""#,
        m.size.cpus * 100, r#"m","devices.kubevirt.io/kvm":"1","memory":""#, m.size.mebibytes + 250,
        r#"Mi"}},"terminationMessagePath":"/dev/termination-log","terminationMessagePolicy":"File","imagePullPolicy":"IfNotPresent"},{"name":"guest-console-log","image":""#,
        IMAGE, r#"","command":["/usr/bin/virt-tail"],"resources":{"limits":{"cpu":"15m","memory":"60M"},"requests":{"cpu":"5m","memory":"35M"}},"terminationMessagePath":"/dev/termination-log","terminationMessagePolicy":"File","imagePullPolicy":"IfNotPresent"}],"restartPolicy":"Never","terminationGracePeriodSeconds":0,"dnsPolicy":"ClusterFirst","serviceAccountName":"default","serviceAccount":"default","automountServiceAccountToken":false,"#);
    if m.state != State::ErrorUnschedulable {
        put!(out; r#""nodeName":""#, node_name(node), "\",");
    }
    put!(out; r#""securityContext":{"runAsUser":107,"runAsGroup":107,"runAsNonRoot":true,"fsGroup":107},"hostname":""#,
        m.name, r#"","schedulerName":"default-scheduler","priority":0,"enableServiceLinks":false,"preemptionPolicy":"PreemptLowerPriority"},"#);
}

fn write_status(m: &Machine<'_>, node: u64, [begun, ready]: [u64; 2], out: &mut Vec<u8>) {
    let condition = |kind: &str, yes: bool, time: u64, more: &str, out: &mut Vec<u8>| {
        put!(out; r#"{"type":""#, kind, r#"","status":""#, if yes { "True" } else { "False" },
            r#"","lastProbeTime":null,"lastTransitionTime":""#, stamp(time), "\"", more, "}");
    };
    if m.state == State::ErrorUnschedulable {
        put!(out; r#""status":{"phase":"Pending","conditions":["#);
        let why = format!(
            r#","reason":"Unschedulable","message":"0/{} nodes are available: Insufficient memory.""#,
            m.fleet.nodes
        );
        condition("PodScheduled", false, begun, &why, out);
        put!(out; r#"],"qosClass":"Burstable"}}"#);
        return;
    }
    let runs = m.state != State::Starting;
    put!(out; r#""status":{"phase":""#, if runs { "Running" } else { "Pending" }, r#"","conditions":["#);
    for (n, kind) in ["PodReadyToStartContainers", "Initialized", "Ready", "ContainersReady", "PodScheduled"]
        .into_iter()
        .enumerate()
    {
        put!(out; if n == 0 { "" } else { "," });
        let yes = runs || matches!(kind, "Initialized" | "PodScheduled");
        let why = if yes {
            ""
        } else {
            r#","reason":"ContainersNotReady","message":"containers with unready status: [compute guest-console-log]""#
        };
        condition(kind, yes, if yes && n < 4 { ready } else { begun }, why, out);
    }
    put!(out; r#"],"hostIP":"10.129."#, node % 250, r#".17","#);
    if runs {
        put!(out; r#""podIP":""#, m.ip, r#"","podIPs":[{"ip":""#, m.ip, r#""}],"#);
    }
    put!(out; r#""startTime":""#, stamp(begun), r#"","containerStatuses":["#);
    for (n, name) in ["compute", "guest-console-log"].into_iter().enumerate() {
        put!(out; if n == 0 { "" } else { "," }, r#"{"name":""#, name, r#"","state":{"#);
        if runs {
            put!(out; r#""running":{"startedAt":""#, stamp(ready), "\"}");
        } else {
            put!(out; r#""waiting":{"reason":"ContainerCreating"}"#);
        }
        let yes = if runs { "true" } else { "false" };
        put!(out; r#"},"lastState":{},"ready":"#, yes, r#","restartCount":0,"image":""#, IMAGE,
            r#"","imageID":"","started":"#, yes, "}");
    }
    put!(out; r#"],"qosClass":"Burstable"}}"#);
}
