//! The pod in which a guest runs.

use std::time::Duration;

use serde_json::{Value, json};

use super::super::copies::has_left;
use super::super::edit::{annotate, label, new_object, own};
use super::super::kind::Kind;
use super::super::nodes::program::{Program, Progress};
use super::super::object::Object;
use super::super::view::View;
use super::{PLAY, cause, console, disks, is_final};
use crate::model::parse_bytes;

/// The image of launchers.
pub(in super::super) const IMAGE: &str = "quay.io/kubevirt/virt-launcher:v1.9.0";

/// The readiness gate through which a paused guest leaves its services.
pub(in super::super) const UNPAUSED: &str = "kubevirt.io/virtual-machine-unpaused";

/// Annotations of an instance that are not those of its pod.
const OWN: &[&str] = &[
    "kubevirt.io/latest-observed-api-version",
    "kubevirt.io/storage-observed-api-version",
    "kubectl.kubernetes.io/last-applied-configuration",
];

const MIB: u64 = 1 << 20;

/// How many processors an instance has.
pub(in super::super) fn processors(vmi: &Object) -> i64 {
    let number = |field: &str| vmi.number(&format!("/spec/domain/cpu/{field}")).unwrap_or(1).max(1);
    number("cores").saturating_mul(number("sockets")).saturating_mul(number("threads"))
}

/// The bytes of memory of an instance's guest.
pub(in super::super) fn memory(vmi: &Object) -> u64 {
    let places = ["/spec/domain/memory/guest", "/spec/domain/resources/requests/memory"];
    places.iter().find_map(|place| parse_bytes(vmi.text(place))).unwrap_or(MIB)
}

/// The bytes of memory that it takes to run a guest, beside the guest's own.
pub(in super::super) fn overhead(vmi: &Object) -> u64 {
    let processors = u64::try_from(processors(vmi)).unwrap_or(1);
    let tables = memory(vmi) / 512;
    (278 * MIB + processors * 8 * MIB + tables).div_ceil(MIB) * MIB
}

/// How long a guest is given to shut down, in seconds.
pub(in super::super) fn grace(vmi: &Object) -> i64 {
    vmi.number("/spec/terminationGracePeriodSeconds").unwrap_or(30).max(0)
}

/// The name of an instance's host, as its pod and its guest bear it.
fn host_name(vmi: &Object) -> String {
    let given = vmi.text("/spec/hostname");
    let name = if given.is_empty() { vmi.name() } else { given };
    let name = name.split('.').next().unwrap_or_default();
    name.get(..63).unwrap_or(name).to_owned()
}

/// Whether what a guest writes to its serial console is kept.
pub(super) fn logs_console(vmi: &Object) -> bool {
    let devices = vmi.at("/spec/domain/devices");
    devices["autoattachSerialConsole"] != false && devices["logSerialConsole"] != false
}

/// The pod of an instance.
pub(in super::super) fn pod(view: &View<'_>, vmi: &Object) -> Value {
    let name = format!("virt-launcher-{}-", vmi.name());
    // A generated name has five letters more, and 63 in all.
    let name = match name.get(..58) {
        Some(short) => format!("{}-", short.trim_end_matches('-')),
        None => name,
    };
    let mut pod = new_object(Kind::Pod, vmi.namespace(), "");
    pod["metadata"] = json!({
        "generateName": name, "namespace": vmi.namespace(),
        "labels": vmi.at("/metadata/labels"), "annotations": vmi.at("/metadata/annotations"),
    });
    for key in OWN {
        if let Some(annotations) = pod["metadata"]["annotations"].as_object_mut() {
            annotations.remove(*key);
        }
    }
    describe(view, vmi, &mut pod);
    own(&mut pod, vmi);
    pod["spec"] = spec(view, vmi);
    pod
}

fn describe(view: &View<'_>, vmi: &Object, pod: &mut Value) {
    let host = host_name(vmi);
    for (key, value) in [
        ("kubevirt.io", "virt-launcher"),
        ("kubevirt.io/created-by", vmi.uid()),
        ("vm.kubevirt.io/name", host.as_str()),
        ("vmi.kubevirt.io/id", host.as_str()),
    ] {
        label(pod, key, value);
    }
    let freeze = |how: &str| {
        json!(["/usr/bin/virt-freezer", how, "--name", vmi.name(), "--namespace", vmi.namespace()])
            .to_string()
    };
    for (key, value) in [
        ("descheduler.alpha.kubernetes.io/request-evict-only", String::new()),
        ("istio.io/reroute-virtual-interfaces", "k6t-eth0".to_owned()),
        ("kubectl.kubernetes.io/default-container", "compute".to_owned()),
        ("kubevirt.io/domain", vmi.name().to_owned()),
        ("kubevirt.io/memory-overhead-bytes", overhead(vmi).to_string()),
        ("kubevirt.io/migrationTransportUnix", "true".to_owned()),
        ("post.hook.backup.velero.io/command", freeze("--unfreeze")),
        ("post.hook.backup.velero.io/container", "compute".to_owned()),
        ("pre.hook.backup.velero.io/command", freeze("--freeze")),
        ("pre.hook.backup.velero.io/container", "compute".to_owned()),
        ("pre.hook.backup.velero.io/timeout", "60s".to_owned()),
        ("traffic.sidecar.istio.io/kubevirtInterfaces", "k6t-eth0".to_owned()),
    ] {
        annotate(pod, key, value);
    }
    let cause = cause(view, vmi);
    if !cause.is_empty() {
        annotate(pod, PLAY, cause);
    }
}

/// What a container of the launcher may not do.
fn harmless() -> Value {
    json!({
        "allowPrivilegeEscalation": false, "capabilities": {"drop": ["ALL"]}, "runAsNonRoot": true,
        "runAsUser": 107, "runAsGroup": 107, "seccompProfile": {"type": "RuntimeDefault"},
    })
}

fn spec(view: &View<'_>, vmi: &Object) -> Value {
    let disks = Disks::of(view, vmi);
    let empty = |name: &str| json!({"name": name, "emptyDir": {}});
    let mut volumes: Vec<Value> =
        ["private", "public", "sockets", "virt-bin-share-dir", "libvirt-runtime", "ephemeral-disks"]
            .into_iter()
            .map(empty)
            .collect();
    volumes.extend(disks.volumes);
    if !disks.containers.is_empty() {
        volumes.push(
            json!({"name": "launcher-volume", "image": {"reference": IMAGE, "pullPolicy": "IfNotPresent"}}),
        );
    }
    volumes.push(empty("hotplug-disks"));
    let mut early = Vec::new();
    if logs_console(vmi) {
        early.push(console_container(vmi));
    }
    early.extend(disks.containers);
    let mut spec = json!({
        "volumes": volumes, "containers": [compute(vmi, disks.mounts, disks.devices)],
        "restartPolicy": "Never", "terminationGracePeriodSeconds": grace(vmi) + 15,
        "nodeSelector": node_selector(vmi), "automountServiceAccountToken": false,
        "securityContext": {"fsGroup": 107, "runAsUser": 107, "runAsGroup": 107, "runAsNonRoot": true, "seccompProfile": {"type": "RuntimeDefault"}},
        "hostname": host_name(vmi), "affinity": affinity(vmi), "enableServiceLinks": false,
        "readinessGates": [{"conditionType": UNPAUSED}],
    });
    if !early.is_empty() {
        spec["initContainers"] = early.into();
    }
    for field in [
        "tolerations",
        "schedulerName",
        "priorityClassName",
        "dnsPolicy",
        "dnsConfig",
        "subdomain",
        "topologySpreadConstraints",
    ] {
        let given = vmi.at(&format!("/spec/{field}"));
        if !given.is_null() {
            spec[field] = given.clone();
        }
    }
    spec
}

fn node_selector(vmi: &Object) -> Value {
    let mut selector = vmi.at("/spec/nodeSelector").clone();
    if !selector.is_object() {
        selector = json!({});
    }
    selector["kubevirt.io/schedulable"] = "true".into();
    selector
}

/// The instance's own wishes, and that the node's model of processor is known.
fn affinity(vmi: &Object) -> Value {
    let mut affinity = vmi.at("/spec/affinity").clone();
    let required = "requiredDuringSchedulingIgnoredDuringExecution";
    let expression =
        json!({"key": "node-labeller.kubevirt.io/obsolete-host-model", "operator": "DoesNotExist"});
    let mut terms =
        affinity["nodeAffinity"][required]["nodeSelectorTerms"].as_array().cloned().unwrap_or_default();
    if terms.is_empty() {
        terms.push(json!({}));
    }
    for term in &mut terms {
        let mut all = term["matchExpressions"].as_array().cloned().unwrap_or_default();
        all.push(expression.clone());
        term["matchExpressions"] = all.into();
    }
    if !affinity.is_object() {
        affinity = json!({});
    }
    if !affinity["nodeAffinity"].is_object() {
        affinity["nodeAffinity"] = json!({});
    }
    affinity["nodeAffinity"][required] = json!({"nodeSelectorTerms": terms});
    affinity
}

fn console_container(vmi: &Object) -> Value {
    json!({
        "name": "guest-console-log", "image": IMAGE, "command": ["/usr/bin/virt-tail"],
        "args": ["--logfile", format!("/var/run/kubevirt-private/{}/virt-serial0-log", vmi.uid())],
        "env": [{"name": "VIRT_LAUNCHER_LOG_VERBOSITY", "value": "2"}],
        "resources": {"limits": {"cpu": "15m", "memory": "60M"}, "requests": {"cpu": "5m", "memory": "35M"}},
        "restartPolicy": "Always",
        "volumeMounts": [{"name": "private", "readOnly": true, "mountPath": "/var/run/kubevirt-private"}],
        "terminationMessagePath": "/dev/termination-log", "terminationMessagePolicy": "File",
        "imagePullPolicy": "IfNotPresent", "securityContext": harmless(),
    })
}

fn compute(vmi: &Object, mut mounts: Vec<Value>, devices: Vec<Value>) -> Value {
    let processors = processors(vmi);
    let mut requests = json!({
        "cpu": format!("{}m", processors.saturating_mul(100)), "ephemeral-storage": "50M",
        "memory": format!("{}Mi", (memory(vmi) + overhead(vmi)).div_ceil(MIB)),
    });
    let mut limits = json!({});
    for device in ["kvm", "tun", "vhost-net"] {
        requests[format!("devices.kubevirt.io/{device}")] = "1".into();
        limits[format!("devices.kubevirt.io/{device}")] = "1".into();
    }
    for (pointer, amounts) in [("requests", &mut requests), ("limits", &mut limits)] {
        if let Some(cpu) = vmi.at(&format!("/spec/domain/resources/{pointer}")).get("cpu") {
            amounts["cpu"] = cpu.clone();
        }
    }
    for gpu in ["gpus", "hostDevices"].iter().flat_map(|of| vmi.list(&format!("/spec/domain/devices/{of}"))) {
        if let Some(name) = gpu["deviceName"].as_str() {
            requests[name] = "1".into();
            limits[name] = "1".into();
        }
    }
    let mount = |name: &str, path: &str| json!({"name": name, "mountPath": path});
    let mut all = vec![
        mount("private", "/var/run/kubevirt-private"),
        mount("public", "/var/run/kubevirt"),
        mount("ephemeral-disks", "/var/run/kubevirt-ephemeral-disks"),
        mount("libvirt-runtime", "/var/run/libvirt"),
        mount("sockets", "/var/run/kubevirt/sockets"),
    ];
    all.append(&mut mounts);
    all.push(json!({
        "name": "hotplug-disks", "mountPath": "/var/run/kubevirt/hotplug-disks", "mountPropagation": "HostToContainer",
    }));
    let grace = grace(vmi) + 15;
    let mut container = json!({
        "name": "compute", "image": IMAGE, "command": ["/usr/bin/virt-launcher-monitor"],
        "args": [
            "--qemu-timeout", "287s", "--name", vmi.name(), "--uid", vmi.uid(), "--namespace", vmi.namespace(),
            "--kubevirt-share-dir", "/var/run/kubevirt", "--ephemeral-disk-dir", "/var/run/kubevirt-ephemeral-disks",
            "--container-disk-dir", "/var/run/kubevirt/container-disks", "--grace-period-seconds", grace.to_string(),
            "--hook-sidecars", "0", "--ovmf-path", "/usr/share/OVMF", "--run-as-nonroot",
            "--disk-memory-limit", "2097152000", "--hypervisor", "kvm", "--image-volume",
        ],
        "env": [
            {"name": "XDG_CACHE_HOME", "value": "/var/run/kubevirt-private"},
            {"name": "XDG_CONFIG_HOME", "value": "/var/run/kubevirt-private"},
            {"name": "XDG_RUNTIME_DIR", "value": "/var/run"},
            {"name": "POD_NAME", "valueFrom": {"fieldRef": {"apiVersion": "v1", "fieldPath": "metadata.name"}}},
        ],
        "resources": {"limits": limits, "requests": requests}, "volumeMounts": all,
        "terminationMessagePath": "/dev/termination-log", "terminationMessagePolicy": "FallbackToLogsOnError",
        "imagePullPolicy": "IfNotPresent",
        "securityContext": {
            "allowPrivilegeEscalation": false, "capabilities": {"add": ["NET_BIND_SERVICE"], "drop": ["ALL"]},
            "runAsNonRoot": true, "runAsUser": 107, "runAsGroup": 107, "seccompProfile": {"type": "RuntimeDefault"},
        },
    });
    if !devices.is_empty() {
        container["volumeDevices"] = devices.into();
    }
    container
}

/// An instance's volumes as its pod has them.
#[derive(Default)]
struct Disks {
    volumes: Vec<Value>,
    mounts: Vec<Value>,
    devices: Vec<Value>,
    containers: Vec<Value>,
}

impl Disks {
    fn of(view: &View<'_>, vmi: &Object) -> Self {
        let mut all = Self::default();
        let mut images = 0;
        for volume in vmi.list("/spec/volumes") {
            let name = volume["name"].as_str().unwrap_or_default();
            if let Some(claim) = disks::claim_of(volume) {
                let source =
                    if volume["dataVolume"].is_object() { "dataVolume" } else { "persistentVolumeClaim" };
                if volume[source]["hotpluggable"] == true {
                    continue;
                }
                all.volumes.push(json!({"name": name, "persistentVolumeClaim": {"claimName": claim}}));
                let block = view
                    .get(Kind::PersistentVolumeClaim, vmi.namespace(), claim)
                    .is_some_and(|claim| claim.text("/spec/volumeMode") == "Block");
                if block {
                    all.devices.push(json!({"name": name, "devicePath": format!("/dev/{name}")}));
                } else {
                    let path = format!("/var/run/kubevirt-private/vmi-disks/{name}");
                    all.mounts.push(json!({"name": name, "mountPath": path}));
                }
            } else if let Some(image) = volume["containerDisk"]["image"].as_str() {
                let policy = volume["containerDisk"]["imagePullPolicy"].as_str().unwrap_or("IfNotPresent");
                all.volumes.push(json!({"name": name, "image": {"reference": image, "pullPolicy": policy}}));
                let path = format!("/var/run/kubevirt-image-volume/disk_{images}");
                all.mounts.push(json!({"name": name, "readOnly": true, "mountPath": path}));
                all.containers.push(disk_container(name, image, policy));
                images += 1;
            } else if let Some((source, of, path)) = projection(volume) {
                all.volumes.push(json!({"name": name, source: of}));
                all.mounts
                    .push(json!({"name": name, "readOnly": true, "mountPath": format!("{path}/{name}")}));
            }
            for part in ["secretRef", "networkDataSecretRef"] {
                let cloud = ["cloudInitNoCloud", "cloudInitConfigDrive"].into_iter();
                for secret in cloud.filter_map(|kind| volume[kind][part]["name"].as_str()) {
                    let named = format!("{name}-{}", if part == "secretRef" { "udata" } else { "ndata" });
                    all.volumes.push(json!({"name": named, "secret": {"secretName": secret}}));
                    let path = format!("/var/run/kubevirt-private/secret/{name}/{named}");
                    all.mounts.push(json!({"name": named, "readOnly": true, "mountPath": path}));
                }
            }
        }
        all
    }
}

/// A volume that is a file from elsewhere: its source, what stands there, and where it is mounted.
fn projection(volume: &Value) -> Option<(&'static str, Value, &'static str)> {
    let text = |kind: &str, field: &str| volume[kind][field].as_str().map(str::to_owned);
    if let Some(name) = text("secret", "secretName") {
        return Some(("secret", json!({"secretName": name}), "/var/run/kubevirt-private/secret"));
    }
    if let Some(name) = text("sysprep", "secret") {
        return Some(("secret", json!({"secretName": name}), "/var/run/kubevirt-private/sysprep"));
    }
    let name = text("configMap", "name")?;
    Some(("configMap", json!({"name": name}), "/var/run/kubevirt-private/config-map"))
}

fn disk_container(name: &str, image: &str, policy: &str) -> Value {
    json!({
        "name": format!("volume{name}"), "image": image,
        "command": ["/container-disk-binary/usr/bin/container-disk"], "args": ["--no-op"],
        "resources": {
            "limits": {"cpu": "10m", "memory": "40M"},
            "requests": {"cpu": "1m", "ephemeral-storage": "50M", "memory": "1M"},
        },
        "volumeMounts": [{"name": "launcher-volume", "readOnly": true, "mountPath": "/container-disk-binary"}],
        "terminationMessagePath": "/dev/termination-log", "terminationMessagePolicy": "File",
        "imagePullPolicy": policy, "securityContext": harmless(),
    })
}

/// Whether a pod is the launcher of a guest.
pub(in super::super) fn is_launcher(pod: &Object) -> bool {
    pod.label("kubevirt.io") == "virt-launcher" && pod.annotation(super::claims::TEMPORARY).is_empty()
}

/// The instance whose guest runs in a pod.
pub(super) fn instance_of<'a>(view: &'a View<'_>, pod: &Object) -> Option<&'a Object> {
    let vmi =
        view.get(Kind::VirtualMachineInstance, pod.namespace(), pod.annotation("kubevirt.io/domain"))?;
    (vmi.uid() == pod.label("kubevirt.io/created-by")).then_some(vmi)
}

/// Said of a pod whose guest came to a bad end.
pub(super) const CRASHED: &str = "guest-crashed";

/// How long the monitor lives on when its guest is no more.
const AFTERWARDS: Duration = Duration::from_secs(2);

/// What runs in launcher pods: the monitor lives as long as the guest does, or could.
pub(super) const PROGRAM: Program = Program { of: is_launcher, run, says: console::lines };

fn run(view: &View<'_>, pod: &Object, container: &str, _: u32) -> Progress {
    match container {
        "compute" => {
            let crashed = || Progress::Exited { code: 1, reason: String::new(), message: String::new() };
            let bad = view.counted(pod, CRASHED) > 0;
            let Some(vmi) = instance_of(view, pod) else {
                return if bad { crashed() } else { Progress::completed() };
            };
            // Somebody who is about to delete the pod comes first.
            if is_final(vmi) && !pod.is_ending() && !view.waited(pod, "guest-over", AFTERWARDS) {
                return Progress::Running { ready: true };
            }
            let moved = vmi.flag("/status/migrationState/completed")
                && vmi.text("/status/migrationState/targetPod") != pod.name()
                && vmi.text("/status/nodeName") != pod.text("/spec/nodeName")
                && vmi.phase() == "Running";
            let never_ran = pod.is_ending() && matches!(vmi.phase(), "" | "Pending" | "Scheduling");
            match vmi.phase() {
                "Failed" => crashed(),
                "Succeeded" => Progress::completed(),
                _ if moved || never_ran || has_left(view, pod) => Progress::completed(),
                _ => Progress::Running { ready: true },
            }
        }
        // It has only to put its program into a volume.
        _ if container.starts_with("volume") => Progress::completed(),
        _ => Progress::Running { ready: true },
    }
}
