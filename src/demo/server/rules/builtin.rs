//! What is special about Kubernetes' own kinds, as far as a client notices.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use jiff::Timestamp;
use serde_json::{Map, Value, json};

use super::{Causes, edit, names};
use crate::demo::server::decode::type_name;
use crate::demo::server::kinds::Kind;
use crate::demo::server::refusal::Refusal;

/// How much data a ConfigMap or a Secret may hold, in bytes.
const DATA: usize = 1 << 20;

/// What is said of a change to a pod that is not allowed.
const POD_CHANGE: &str = "pod updates may not change fields other than \
     `spec.containers[*].image`,`spec.initContainers[*].image`,`spec.activeDeadlineSeconds`,`spec.tolerations` (only \
     additions to existing tolerations),`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was \
     previously negative)";

/// What is said of a change to a claim that is not allowed.
const CLAIM_CHANGE: &str = "spec is immutable after creation except resources.requests and volumeAttributesClassName for \
     bound claims";

fn name_of(kind: Kind) -> (&'static str, &'static str) {
    (kind.row().group, kind.row().plural)
}

/// Whether the deletion of such an object is answered with the object, not with a `Status`.
pub(crate) fn returned_when_deleted(kind: Kind) -> bool {
    matches!(
        name_of(kind),
        (
            "",
            "namespaces"
                | "pods"
                | "services"
                | "serviceaccounts"
                | "persistentvolumes"
                | "persistentvolumeclaims"
                | "resourcequotas"
        ) | ("storage.k8s.io", "storageclasses")
    )
}

fn default(fields: &mut Map<String, Value>, name: &str, value: impl Into<Value>) {
    let field = fields.entry(name).or_insert(Value::Null);
    if field.is_null() {
        *field = value.into();
    }
}

/// Fills in defaults; `new` is the time of creation of a new object.
pub(super) fn prepare(kind: Kind, object: &mut Value, new: Option<Timestamp>) -> Result<(), Refusal> {
    let created = new.is_some();
    match name_of(kind) {
        ("", "namespaces") => namespace(object, created),
        ("", "pods") => pod(object, created),
        ("", "secrets") => secret(object)?,
        ("", "configmaps") => texts(kind, object, "data")?,
        ("", "services") => service(object, created),
        ("", "persistentvolumeclaims") => {
            edit(object, "spec", |spec| default(spec, "volumeMode", "Filesystem"));
            if created {
                object["status"] = json!({"phase": "Pending"});
            }
        }
        ("", "persistentvolumes") => {
            edit(object, "spec", |spec| {
                default(spec, "persistentVolumeReclaimPolicy", "Retain");
                default(spec, "volumeMode", "Filesystem");
            });
            if created {
                object["status"] = json!({"phase": "Pending"});
            }
        }
        ("", "events") => {
            for (field, value) in [
                ("source", json!({})),
                ("firstTimestamp", Value::Null),
                ("lastTimestamp", Value::Null),
                ("eventTime", Value::Null),
                ("reportingComponent", json!("")),
                ("reportingInstance", json!("")),
            ] {
                if object[field].is_null() {
                    object[field] = value;
                }
            }
        }
        ("apps", "deployments" | "daemonsets" | "replicasets" | "statefulsets") => {
            workload(kind, object, created);
        }
        ("storage.k8s.io", "storageclasses") => {
            for (field, value) in [("reclaimPolicy", "Delete"), ("volumeBindingMode", "Immediate")] {
                if object[field].is_null() {
                    object[field] = value.into();
                }
            }
        }
        ("rbac.authorization.k8s.io", "rolebindings" | "clusterrolebindings") => binding(object),
        _ if created && kind.row().status && object["status"].is_null() => object["status"] = json!({}),
        _ => {}
    }
    Ok(())
}

fn namespace(object: &mut Value, created: bool) {
    let name = object["metadata"]["name"].clone();
    edit(&mut object["metadata"], "labels", |labels| {
        labels.insert("kubernetes.io/metadata.name".into(), name);
    });
    if created {
        object["spec"] = json!({"finalizers": ["kubernetes"]});
        object["status"] = json!({"phase": "Active"});
    }
}

fn pod(object: &mut Value, created: bool) {
    edit(object, "spec", |spec| {
        for field in ["containers", "initContainers"] {
            for container in spec.get_mut(field).and_then(Value::as_array_mut).into_iter().flatten() {
                let Some(container) = container.as_object_mut() else { continue };
                let image = container.get("image").and_then(Value::as_str).unwrap_or_default();
                let tag = image.rsplit('/').next().and_then(|last| last.split_once(':')).map(|(_, tag)| tag);
                let newest = matches!(tag, None | Some("latest")) && !image.contains('@');
                default(container, "imagePullPolicy", if newest { "Always" } else { "IfNotPresent" });
                default(container, "resources", json!({}));
                default(container, "terminationMessagePath", "/dev/termination-log");
                default(container, "terminationMessagePolicy", "File");
            }
        }
        default(spec, "restartPolicy", "Always");
        default(spec, "terminationGracePeriodSeconds", 30);
        default(spec, "dnsPolicy", "ClusterFirst");
        default(spec, "securityContext", json!({}));
        default(spec, "schedulerName", "default-scheduler");
        default(spec, "enableServiceLinks", true);
        if created {
            default(spec, "priority", 0);
            default(spec, "preemptionPolicy", "PreemptLowerPriority");
            tolerate(spec);
        }
    });
    if created {
        object["metadata"]["generation"] = 1.into();
        object["status"] = json!({"phase": "Pending", "qosClass": quality(&object["spec"])});
    }
}

/// Pods stay for five minutes on a node that is not ready or cannot be reached.
fn tolerate(spec: &mut Map<String, Value>) {
    let tolerations = spec.entry("tolerations").or_insert_with(|| json!([]));
    let Some(list) = tolerations.as_array_mut() else { return };
    for key in ["node.kubernetes.io/not-ready", "node.kubernetes.io/unreachable"] {
        let covered = list.iter().any(|one| {
            let any = one["key"].is_null() && one["operator"] == "Exists";
            (any || one["key"] == key) && (one["effect"].is_null() || one["effect"] == "NoExecute")
        });
        if !covered {
            list.push(
                json!({"key": key, "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": 300}),
            );
        }
    }
}

/// `qosClass`, from what the containers ask for.
fn quality(spec: &Value) -> &'static str {
    let containers = ["containers", "initContainers"].map(|field| spec[field].as_array());
    let mut all: Vec<&Value> =
        containers.into_iter().flatten().flatten().map(|one| &one["resources"]).collect();
    all.retain(|resources| resources.is_object());
    let asks = |resources: &Value, what: &str, of: &str| !resources[what][of].is_null();
    let any = |resources: &&Value| {
        ["requests", "limits"]
            .iter()
            .any(|what| asks(resources, what, "cpu") || asks(resources, what, "memory"))
    };
    let full = |resources: &&Value| {
        ["cpu", "memory"].iter().all(|of| {
            let limit = &resources["limits"][of];
            let request = &resources["requests"][of];
            !limit.is_null() && (request.is_null() || request == limit)
        })
    };
    if !all.iter().any(any) {
        "BestEffort"
    } else if all.iter().all(full) {
        "Guaranteed"
    } else {
        "Burstable"
    }
}

fn cannot(kind: Kind, why: &str) -> Refusal {
    let name = kind.row().kind;
    let version = kind.stored_version();
    Refusal::bad_request(format!("{name} in version {version:?} cannot be handled as a {name}: {why}"))
}

/// Checks that a field maps names to texts.
fn texts(kind: Kind, object: &Value, field: &str) -> Result<(), Refusal> {
    let wrong = |value: &Value, wanted: &str| {
        let of = format!("{}.{field} of type {wanted}", kind.row().kind);
        cannot(kind, &format!("json: cannot unmarshal {} into Go struct field {of}", type_name(value)))
    };
    match &object[field] {
        Value::Null => Ok(()),
        Value::Object(map) => match map.values().find(|value| !value.is_string()) {
            Some(value) => Err(wrong(value, "string")),
            None => Ok(()),
        },
        value => Err(wrong(value, "map[string]string")),
    }
}

fn secret(object: &mut Value) -> Result<(), Refusal> {
    let Some(kind) = Kind::of_plural("", "secrets") else { return Ok(()) };
    texts(kind, object, "data")?;
    texts(kind, object, "stringData")?;
    let given = object.as_object_mut().and_then(|fields| fields.remove("stringData"));
    if let Some(Value::Object(given)) = given {
        edit(object, "data", |data| {
            for (key, value) in given {
                data.insert(key, BASE64_STANDARD.encode(value.as_str().unwrap_or_default()).into());
            }
        });
    }
    for value in object["data"].as_object().into_iter().flat_map(|data| data.values()) {
        use base64::DecodeError::{InvalidByte, InvalidLastSymbol};
        if let Err(why) = BASE64_STANDARD.decode(value.as_str().unwrap_or_default()) {
            let place = match why {
                InvalidByte(place, _) | InvalidLastSymbol(place, _) => place,
                _ => value.as_str().unwrap_or_default().len(),
            };
            return Err(cannot(kind, &format!("illegal base64 data at input byte {place}")));
        }
    }
    if object["type"].is_null() {
        object["type"] = "Opaque".into();
    }
    Ok(())
}

fn service(object: &mut Value, created: bool) {
    edit(object, "spec", |spec| {
        default(spec, "type", "ClusterIP");
        default(spec, "sessionAffinity", "None");
        for port in spec.get_mut("ports").and_then(Value::as_array_mut).into_iter().flatten() {
            let Some(port) = port.as_object_mut() else { continue };
            default(port, "protocol", "TCP");
            let number = port.get("port").cloned().unwrap_or_default();
            default(port, "targetPort", number);
        }
        if spec["type"] != "ExternalName" && created {
            let address = format!("10.96.{}.{}", fastrand::u8(..), fastrand::u8(1..255));
            default(spec, "clusterIP", address);
            let address = spec["clusterIP"].clone();
            default(spec, "clusterIPs", json!([address]));
            default(spec, "ipFamilies", json!(["IPv4"]));
            default(spec, "ipFamilyPolicy", "SingleStack");
            default(spec, "internalTrafficPolicy", "Cluster");
        }
    });
    if created {
        object["status"] = json!({"loadBalancer": {}});
    }
}

fn workload(kind: Kind, object: &mut Value, created: bool) {
    edit(object, "spec", |spec| {
        if kind.row().plural != "daemonsets" {
            default(spec, "replicas", 1);
        }
        if kind.row().plural == "deployments" {
            default(spec, "revisionHistoryLimit", 10);
            default(spec, "progressDeadlineSeconds", 600);
            let rolling = json!({"maxUnavailable": "25%", "maxSurge": "25%"});
            default(spec, "strategy", json!({"type": "RollingUpdate", "rollingUpdate": rolling}));
        }
    });
    if created {
        object["metadata"]["generation"] = 1.into();
        object["status"] = json!({});
    }
}

fn binding(object: &mut Value) {
    const GROUP: &str = "rbac.authorization.k8s.io";
    if object["roleRef"].is_object() {
        edit(object, "roleRef", |role| default(role, "apiGroup", GROUP));
    }
    for subject in object["subjects"].as_array_mut().into_iter().flatten() {
        let Some(subject) = subject.as_object_mut() else { continue };
        if subject.get("kind").and_then(Value::as_str).is_some_and(|kind| kind != "ServiceAccount") {
            default(subject, "apiGroup", GROUP);
        }
    }
}

/// What is wrong with an object.
pub(super) fn validate(kind: Kind, object: &Value, causes: &mut Causes) {
    match name_of(kind) {
        ("", "pods") => {
            let containers = object["spec"]["containers"].as_array();
            let containers = containers.filter(|list| !list.is_empty());
            if containers.is_none() {
                causes.required("spec.containers", "");
            }
            for (place, container) in containers.into_iter().flatten().enumerate() {
                for field in ["name", "image"] {
                    if container[field].as_str().unwrap_or_default().is_empty() {
                        causes.required(format!("spec.containers[{place}].{field}"), "");
                    }
                }
            }
        }
        ("", "persistentvolumeclaims") => {
            if object["spec"]["accessModes"].as_array().is_none_or(Vec::is_empty) {
                causes.required("spec.accessModes", "at least 1 access mode is required");
            }
            if object["spec"]["resources"]["requests"]["storage"].is_null() {
                causes.required("spec.resources[storage]", "");
            }
        }
        ("", "configmaps" | "secrets") => {
            let mut size = 0;
            for field in ["data", "binaryData"] {
                for (key, value) in object[field].as_object().into_iter().flatten() {
                    size += value.as_str().unwrap_or_default().len();
                    for fault in names::config_key(key) {
                        causes.invalid(format!("{field}[{key}]"), key, &fault);
                    }
                }
            }
            if kind.row().plural == "secrets" {
                size = size / 4 * 3;
            }
            if size > DATA {
                let field = if kind.row().plural == "secrets" { "data" } else { "" };
                causes.0.push((
                    "FieldValueTooLong",
                    field.into(),
                    format!("Too long: may not be more than {DATA} bytes"),
                ));
            }
        }
        ("", "events") => {
            let about = object["involvedObject"]["namespace"].as_str().unwrap_or_default();
            let own = object["metadata"]["namespace"].as_str().unwrap_or_default();
            if about != own && !(about.is_empty() && own == "default") {
                causes.invalid("involvedObject.namespace", about, "does not match event.namespace");
            }
        }
        _ => {}
    }
}

/// What may not be changed.
pub(super) fn validate_update(kind: Kind, old: &Value, new: &Value, causes: &mut Causes) {
    match name_of(kind) {
        ("", "configmaps" | "secrets") => frozen(kind, old, new, causes),
        ("", "pods")
            if comparable_pod(&old["spec"]) != comparable_pod(&new["spec"])
                || loses_tolerations(old, new) =>
        {
            causes.forbidden("spec", POD_CHANGE);
        }
        ("", "persistentvolumeclaims") if comparable_claim(old, old) != comparable_claim(old, new) => {
            causes.forbidden("spec", CLAIM_CHANGE);
        }
        ("rbac.authorization.k8s.io", "rolebindings" | "clusterrolebindings")
            if old["roleRef"] != new["roleRef"] =>
        {
            causes.invalid_json("roleRef", &new["roleRef"], "cannot change roleRef");
        }
        ("apps", _) if old["spec"]["selector"] != new["spec"]["selector"] => {
            causes.invalid_json("spec.selector", &new["spec"]["selector"], "field is immutable");
        }
        _ => {}
    }
}

fn frozen(kind: Kind, old: &Value, new: &Value, causes: &mut Causes) {
    if kind.row().plural == "secrets" && old["type"] != new["type"] {
        causes.invalid("type", new["type"].as_str().unwrap_or_default(), "field is immutable");
    }
    if old["immutable"] != true {
        return;
    }
    for field in ["immutable", "data", "binaryData"] {
        if old[field] != new[field] {
            causes.forbidden(field, "field is immutable when `immutable` is set");
        }
    }
}

/// The part of a pod that may not be changed.
fn comparable_pod(spec: &Value) -> Value {
    let mut spec = spec.clone();
    for field in ["containers", "initContainers"] {
        for container in spec[field].as_array_mut().into_iter().flatten() {
            if let Some(container) = container.as_object_mut() {
                container.remove("image");
            }
        }
    }
    if let Some(fields) = spec.as_object_mut() {
        for field in ["activeDeadlineSeconds", "tolerations", "ephemeralContainers"] {
            fields.remove(field);
        }
        fields.retain(|_, value| !value.is_null());
    }
    spec
}

fn loses_tolerations(old: &Value, new: &Value) -> bool {
    let list = |pod: &Value| pod["spec"]["tolerations"].as_array().cloned().unwrap_or_default();
    let now = list(new);
    list(old).iter().any(|one| !now.contains(one))
}

/// The part of a claim that may not be changed: a claim gets its volume once, and may grow when it has one.
fn comparable_claim(old: &Value, claim: &Value) -> Value {
    let mut spec = claim["spec"].clone();
    let Some(fields) = spec.as_object_mut() else { return spec };
    let had = |field: &str| old["spec"][field].as_str().is_some_and(|text| !text.is_empty());
    for field in ["volumeName", "storageClassName"] {
        if !had(field) {
            fields.remove(field);
        }
    }
    if old["status"]["phase"] == "Bound" {
        fields.remove("volumeAttributesClassName");
        if let Some(resources) = fields.get_mut("resources").and_then(Value::as_object_mut) {
            resources.remove("requests");
        }
    }
    spec
}
