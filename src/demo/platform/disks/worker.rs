//! The pods in which CDI works: importers and upload servers.

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::super::edit::{annotate, label, new_object, own, time};
use super::super::kind::Kind;
use super::super::object::Object;
use super::super::view::View;
use super::super::write::Write;
use super::class::{self, bytes, inflated};

/// Labels on everything CDI makes.
pub(super) const LABELS: [(&str, &str); 3] = [
    ("app", "containerized-data-importer"),
    ("app.kubernetes.io/component", "storage"),
    ("app.kubernetes.io/managed-by", "cdi-controller"),
];

/// Keeps backups away from what is there for a while only.
pub(super) const NO_BACKUP: (&str, &str) = ("velero.io/exclude-from-backup", "true");

/// Keeps service meshes away from CDI's pods.
pub(super) const NO_MESH: [(&str, &str); 2] =
    [("linkerd.io/inject", "disabled"), ("sidecar.istio.io/inject", "false")];

/// How long an upload server waits for its upload.
const UPLOAD_DEADLINE: SignedDuration = SignedDuration::from_hours(12);

const CIPHERS: &str = "TLS_AES_128_GCM_SHA256,TLS_AES_256_GCM_SHA384,TLS_CHACHA20_POLY1305_SHA256,\
     ECDHE-ECDSA-AES128-GCM-SHA256,ECDHE-RSA-AES128-GCM-SHA256,ECDHE-ECDSA-AES256-GCM-SHA384,ECDHE-RSA-AES256-GCM-SHA384,\
     ECDHE-ECDSA-CHACHA20-POLY1305,ECDHE-RSA-CHACHA20-POLY1305";

/// A name that Kubernetes takes, however long what it is made of is.
pub(super) fn name_of(prefix: &str, rest: &str) -> String {
    let name = format!("{prefix}{rest}");
    if name.len() <= 253 { name } else { name.chars().take(253).collect() }
}

/// What an importer shall do besides of what its claim says.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Import {
    pub(super) scratch: bool,
    /// Past the page cache, after it was killed for its memory.
    pub(super) direct: bool,
}

/// What is done instead of a worker's work: the claim goes, or waits for its first consumer. Nothing where it is the worker's turn.
pub(super) fn instead(view: &View<'_>, claim: &Object, pod: &str) -> Option<Vec<Write>> {
    if claim.is_ending() {
        // The claim cannot go before its pod does.
        return Some(of(view, claim, pod).and_then(Write::delete).into_iter().collect());
    }
    let alone = claim.controller().is_none_or(|owner| owner["kind"] != "PersistentVolumeClaim");
    let waits = alone && claim.phase() != "Bound" && super::status::waits(view, claim);
    waits.then(Vec::new)
}

/// A claim's pod of that name.
pub(super) fn of<'a>(view: &'a View<'_>, claim: &Object, name: &str) -> Option<&'a Object> {
    view.get(Kind::Pod, claim.namespace(), name).filter(|pod| pod.is_owned_by(claim))
}

fn is_block(claim: &Object) -> bool {
    claim.text("/spec/volumeMode") == "Block"
}

fn size(claim: &Object) -> String {
    bytes(claim.at("/spec/resources/requests/storage")).unwrap_or_default().to_string()
}

fn overhead(view: &View<'_>, claim: &Object) -> String {
    if is_block(claim) {
        return "0".to_owned();
    }
    class::overhead(view, claim.text("/spec/storageClassName")).to_string()
}

/// Where a worker finds the volume it fills.
fn data(container: &mut Value, claim: &Object) {
    if is_block(claim) {
        container["volumeDevices"] = json!([{"name": "cdi-data-vol", "devicePath": "/dev/cdi-block-volume"}]);
    } else {
        mount(container, json!({"name": "cdi-data-vol", "mountPath": "/data"}));
    }
}

fn mount(container: &mut Value, mount: Value) {
    match container["volumeMounts"].as_array_mut() {
        Some(mounts) => mounts.push(mount),
        None => container["volumeMounts"] = json!([mount]),
    }
}

fn container(view: &View<'_>, name: &str, image: &str) -> Value {
    let resources = match class::config(view, "/status/defaultPodResourceRequirements") {
        Value::Null => json!({
            "limits": {"cpu": "750m", "memory": "600M"}, "requests": {"cpu": "100m", "memory": "60M"},
        }),
        set => set.clone(),
    };
    json!({
        "name": name, "image": image, "imagePullPolicy": "IfNotPresent", "args": ["-v=1"],
        "resources": resources,
        "securityContext": {
            "allowPrivilegeEscalation": false, "capabilities": {"drop": ["ALL"]}, "runAsNonRoot": true,
            "runAsUser": 107, "seccompProfile": {"type": "RuntimeDefault"},
        },
        "terminationMessagePath": "/dev/termination-log", "terminationMessagePolicy": "FallbackToLogsOnError",
    })
}

fn pod(claim: &Object, name: &str, container: &Value, volumes: &[Value]) -> Value {
    let mut pod = new_object(Kind::Pod, claim.namespace(), name);
    for (key, value) in claim.at("/metadata/labels").as_object().into_iter().flatten() {
        if key != NO_BACKUP.0 {
            label(&mut pod, key, value.as_str().unwrap_or_default());
        }
    }
    for (key, value) in LABELS {
        label(&mut pod, key, value);
    }
    for (key, value) in NO_MESH {
        annotate(&mut pod, key, value);
    }
    own(&mut pod, claim);
    let mut security = json!({"seccompProfile": {"type": "RuntimeDefault"}});
    let in_a_file_system = |volume: &Value| volume["name"] == "cdi-scratch-vol" || !is_block(claim);
    if volumes.iter().any(in_a_file_system) {
        security["fsGroup"] = 107.into();
    }
    let account = match claim.annotation("cdi.kubevirt.io/storage.pod.serviceAccountName") {
        "" => "default",
        account => account,
    };
    let tolerations: Vec<Value> = ["not-ready", "unreachable"]
        .iter()
        .map(|taint| {
            json!({
                "key": format!("node.kubernetes.io/{taint}"), "operator": "Exists", "effect": "NoExecute",
                "tolerationSeconds": 300,
            })
        })
        .collect();
    pod["spec"] = json!({
        "containers": [container], "volumes": volumes, "restartPolicy": "OnFailure", "enableServiceLinks": false,
        "securityContext": security, "terminationGracePeriodSeconds": 30, "dnsPolicy": "ClusterFirst",
        "schedulerName": "default-scheduler", "serviceAccountName": account, "serviceAccount": account,
        "priority": 0, "preemptionPolicy": "PreemptLowerPriority",
        "tolerations": tolerations,
    });
    let node = claim.annotation(super::bind::SELECTED_NODE);
    if !node.is_empty() {
        pod["spec"]["nodeName"] = node.into();
    }
    pod
}

fn claim_volume(name: &str, claim: &str) -> Value {
    json!({"name": name, "persistentVolumeClaim": {"claimName": claim}})
}

/// An importer's pod for a claim that says by its annotations from where it is filled.
pub(super) fn importer(view: &View<'_>, claim: &Object, name: &str, import: Import) -> Value {
    let said = |key: &str| claim.annotation(&format!("cdi.kubevirt.io/storage.import.{key}"));
    let mut env = Vec::new();
    let mut set = |name: &str, value: &str| {
        env.push(if value.is_empty() {
            json!({"name": name})
        } else {
            json!({"name": name, "value": value})
        });
    };
    let owner = claim.controller_uid();
    for (name, value) in [
        ("IMPORTER_SOURCE", said("source")),
        ("IMPORTER_ENDPOINT", said("endpoint")),
        ("IMPORTER_CONTENTTYPE", claim.annotation("cdi.kubevirt.io/storage.contentType")),
        ("IMPORTER_IMAGE_SIZE", &size(claim)),
        ("OWNER_UID", owner),
        ("FILESYSTEM_OVERHEAD", &overhead(view, claim)),
        ("INSECURE_TLS", "false"),
        ("IMPORTER_DISK_ID", said("diskId")),
        ("IMPORTER_UUID", said("uuid")),
        ("IMPORTER_PULL_METHOD", said("registryImportMethod")),
        ("IMPORTER_READY_FILE", ""),
        ("IMPORTER_DONE_FILE", ""),
        ("IMPORTER_BACKING_FILE", said("backingFile")),
        ("IMPORTER_THUMBPRINT", ""),
        ("http_proxy", ""),
        ("https_proxy", ""),
        ("no_proxy", ""),
        ("IMPORTER_CURRENT_CHECKPOINT", ""),
        ("IMPORTER_PREVIOUS_CHECKPOINT", ""),
        ("IMPORTER_FINAL_CHECKPOINT", ""),
        ("PREALLOCATION", claim.annotation("cdi.kubevirt.io/storage.preallocation.requested")),
        ("CACHE_MODE", if import.direct { "TRYNONE" } else { "" }),
        ("IMPORTER_REGISTRY_IMAGE_ARCHITECTURE", ""),
        ("IMPORTER_CHECKSUM", said("checksum")),
    ] {
        set(name, value);
    }
    let secret = said("secretName");
    if !secret.is_empty() {
        for (name, key) in [("IMPORTER_ACCESS_KEY_ID", "accessKeyId"), ("IMPORTER_SECRET_KEY", "secretKey")] {
            env.push(json!({"name": name, "valueFrom": {"secretKeyRef": {"name": secret, "key": key}}}));
        }
    }
    let mut container = container(view, "importer", "cdi-importer");
    container["ports"] = json!([{"name": "metrics", "containerPort": 8443, "protocol": "TCP"}]);
    let mut volumes = vec![claim_volume("cdi-data-vol", claim.name())];
    data(&mut container, claim);
    if import.scratch {
        volumes.push(claim_volume("cdi-scratch-vol", &scratch_name(claim)));
        mount(&mut container, json!({"name": "cdi-scratch-vol", "mountPath": "/scratch"}));
    }
    let certificates = said("certConfigMap");
    if !certificates.is_empty() {
        volumes.push(json!({"name": "cdi-cert-vol", "configMap": {"name": certificates}}));
        mount(&mut container, json!({"name": "cdi-cert-vol", "mountPath": "/certs"}));
        env.push(json!({"name": "IMPORTER_CERT_DIR", "value": "/certs"}));
    }
    container["env"] = env.into();
    let mut pod = pod(claim, name, &container, &volumes);
    label(&mut pod, "cdi.kubevirt.io", "importer");
    label(&mut pod, "prometheus.cdi.kubevirt.io", "true");
    annotate(&mut pod, "cdi.kubevirt.io/storage.createdByController", "yes");
    pod
}

/// The pod that waits for somebody to send a claim's content.
pub(super) fn upload_server(view: &View<'_>, claim: &Object, name: &str, now: Timestamp) -> Value {
    let destination = if is_block(claim) { "/dev/cdi-block-volume" } else { "/data/disk.img" };
    let deadline = time(now.checked_add(UPLOAD_DEADLINE).unwrap_or(now));
    let size = size(claim);
    let overhead = overhead(view, claim);
    let env = [
        ("TLS_KEY_FILE", "/etc/tls/tls.key"),
        ("TLS_CERT_FILE", "/etc/tls/tls.crt"),
        ("CLIENT_CERT_FILE", "/etc/tls/ca.crt"),
        ("FILESYSTEM_OVERHEAD", &overhead),
        ("UPLOAD_IMAGE_SIZE", &size),
        ("CLIENT_NAME", "client.upload-server.cdi.kubevirt.io"),
        ("PREALLOCATION", "false"),
        ("TLS_CIPHERS", CIPHERS),
        ("TLS_MIN_VERSION", "VersionTLS12"),
        ("DEADLINE", &deadline),
        ("DESTINATION", destination),
    ];
    let mut container = container(view, "cdi-upload-server", "cdi-uploadserver");
    container["env"] = env.iter().map(|(name, value)| json!({"name": name, "value": value})).collect();
    container["readinessProbe"] = json!({
        "httpGet": {"path": "/healthz", "port": 8443, "scheme": "HTTPS"}, "initialDelaySeconds": 2,
        "periodSeconds": 5, "timeoutSeconds": 1, "successThreshold": 1, "failureThreshold": 3,
    });
    mount(&mut container, json!({"name": "tls-config", "mountPath": "/etc/tls/"}));
    mount(&mut container, json!({"name": "cdi-scratch-vol", "mountPath": "/scratch"}));
    data(&mut container, claim);
    let volumes = vec![
        json!({"name": "tls-config", "secret": {"secretName": name, "defaultMode": 420}}),
        claim_volume("cdi-data-vol", claim.name()),
        claim_volume("cdi-scratch-vol", &scratch_name(claim)),
    ];
    let mut pod = pod(claim, name, &container, &volumes);
    pod["spec"]["securityContext"]["fsGroup"] = 107.into();
    label(&mut pod, "cdi.kubevirt.io", "cdi-upload-server");
    label(&mut pod, "cdi.kubevirt.io/uploadTarget", claim.uid());
    if name.len() <= 63 {
        label(&mut pod, "service", name);
    }
    annotate(&mut pod, "cdi.kubevirt.io/storage.createdByUploadController", "yes");
    annotate(&mut pod, "k8s.ovn.org/open-default-ports", r#"[{"protocol":"tcp","port":8443}]"#);
    pod
}

/// What a claim's scratch space is called.
pub(super) fn scratch_name(claim: &Object) -> String {
    name_of(claim.name(), "-scratch")
}

/// Scratch space for a worker of a claim, which goes with the worker.
pub(super) fn scratch(view: &View<'_>, claim: &Object, worker: &Object) -> Value {
    let mut scratch = new_object(Kind::PersistentVolumeClaim, claim.namespace(), &scratch_name(claim));
    for (key, value) in LABELS {
        label(&mut scratch, key, value);
    }
    label(&mut scratch, NO_BACKUP.0, NO_BACKUP.1);
    own(&mut scratch, worker);
    let set = class::config(view, "/status/scratchSpaceStorageClass").as_str().unwrap_or_default();
    let class = if set.is_empty() { claim.text("/spec/storageClassName") } else { set };
    let asked = bytes(claim.at("/spec/resources/requests/storage")).unwrap_or_default();
    let taken = if is_block(claim) { inflated(asked, class::overhead(view, class)) } else { asked };
    scratch["spec"] = json!({
        "accessModes": ["ReadWriteOnce"], "volumeMode": "Filesystem",
        "resources": {"requests": {"storage": taken.to_string()}},
    });
    if !class.is_empty() {
        scratch["spec"]["storageClassName"] = class.into();
    }
    scratch
}

/// The pod that reads a claim and sends it to the upload server of its copy.
pub(super) fn clone_source(view: &View<'_>, source: &Object, copy: &Object, name: &str) -> Value {
    let mut container = container(view, "cdi-clone-source", "cdi-cloner");
    container["ports"] = json!([{"name": "metrics", "containerPort": 8443, "protocol": "TCP"}]);
    let content = if is_block(source) { "blockdevice-clone" } else { "filesystem-clone" };
    let url = format!("https://cdi-upload-{}.{}.svc/v1beta1/upload", copy.name(), copy.namespace());
    let bytes = size(source);
    let env = [
        ("CLIENT_NAME", copy.name()),
        ("CDI_CONTENT_TYPE", content),
        ("UPLOAD_BYTES", &bytes),
        ("UPLOAD_URL", &url),
        ("OWNER_UID", copy.uid()),
        ("PREALLOCATION", "false"),
    ];
    container["env"] = env.iter().map(|(name, value)| json!({"name": name, "value": value})).collect();
    data(&mut container, source);
    let mut volume = claim_volume("cdi-data-vol", source.name());
    volume["persistentVolumeClaim"]["readOnly"] = true.into();
    let mut pod = pod(copy, name, &container, &[volume]);
    label(&mut pod, "cdi.kubevirt.io", "cdi-clone-source");
    label(&mut pod, "cdi.kubevirt.io/cloneUniqeId", name);
    label(&mut pod, "prometheus.cdi.kubevirt.io", "true");
    annotate(&mut pod, "cdi.kubevirt.io/storage.createdByController", "yes");
    pod
}
