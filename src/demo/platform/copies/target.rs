//! The launcher pod a guest migrates to: that of its source once more, for another node, and not run by root.

use serde_json::{Map, Value, json};

use super::super::edit::{annotate, label, list, map_at, new_object, set};
use super::super::kind::Kind;
use super::super::object::Object;
use super::super::view::View;
use super::migration::JOB;
use super::suffix;

/// The user launchers run as.
const USER: u32 = 107;

/// What a program that is not root needs for files of its own.
const HOMES: [(&str, &str); 3] = [
    ("XDG_CACHE_HOME", "/var/run/kubevirt-private"),
    ("XDG_CONFIG_HOME", "/var/run/kubevirt-private"),
    ("XDG_RUNTIME_DIR", "/var/run"),
];

/// What the pod of a migration is called.
pub(super) fn name(view: &View<'_>, migration: &Object, vmi: &Object) -> String {
    format!("{}{}", prefix(vmi), suffix(view, migration, "target"))
}

fn prefix(vmi: &Object) -> String {
    format!("virt-launcher-{}-", vmi.name())
}

/// The pod a migration needs, after that in which the guest is.
pub(super) fn target_pod(view: &View<'_>, migration: &Object, vmi: &Object, source: &Object) -> Value {
    let mut pod = new_object(Kind::Pod, vmi.namespace(), &name(view, migration, vmi));
    pod["metadata"]["generateName"] = prefix(vmi).into();
    for field in ["labels", "annotations", "ownerReferences"] {
        pod["metadata"][field] = source.at("/metadata")[field].clone();
    }
    if let Some(annotations) = pod["metadata"]["annotations"].as_object_mut() {
        annotations.retain(|key, _| {
            key != "kubevirt.io/migration-target-ready-timestamp" && !key.starts_with("v9s.dev/")
        });
    }
    label(&mut pod, JOB, migration.uid());
    annotate(&mut pod, "kubevirt.io/migrationJobName", migration.name());
    annotate(&mut pod, "kubevirt.io/nonroot", "true");
    pod["spec"] = source.at("/spec").clone();
    without_traces(&mut pod);
    elsewhere(&mut pod, vmi);
    let wanted = migration.at("/spec/addedNodeSelector").as_object().cloned().unwrap_or_default();
    let selector = map_at(&mut pod, "/spec/nodeSelector");
    for (key, value) in wanted {
        selector.entry(key).or_insert(value);
    }
    not_as_root(&mut pod);
    pod
}

/// Takes away what the server or the scheduler have put in.
fn without_traces(pod: &mut Value) {
    let Some(spec) = pod["spec"].as_object_mut() else { return };
    for field in ["nodeName", "serviceAccount", "serviceAccountName", "priority", "preemptionPolicy"] {
        spec.remove(field);
    }
}

/// No two launchers of a guest may be on one node.
fn elsewhere(pod: &mut Value, vmi: &Object) {
    let apart = json!({
        "labelSelector": {"matchLabels": {"kubevirt.io/created-by": vmi.uid()}},
        "topologyKey": "kubernetes.io/hostname",
    });
    let terms = list(pod, "/spec/affinity/podAntiAffinity/requiredDuringSchedulingIgnoredDuringExecution");
    if !terms.contains(&apart) {
        terms.push(apart);
    }
}

fn not_as_root(pod: &mut Value) {
    let context = map_at(pod, "/spec/securityContext");
    let whose: Map<String, Value> = Map::from_iter([
        ("runAsUser".to_owned(), USER.into()),
        ("runAsGroup".to_owned(), USER.into()),
        ("runAsNonRoot".to_owned(), true.into()),
        ("fsGroup".to_owned(), USER.into()),
    ]);
    context.extend(whose);
    let containers = pod.pointer_mut("/spec/containers").and_then(Value::as_array_mut);
    let compute = containers.into_iter().flatten().find(|one| one["name"] == "compute");
    let Some(compute) = compute else { return };
    set(
        compute,
        "/securityContext",
        json!({
            "allowPrivilegeEscalation": false,
            "capabilities": {"add": ["NET_BIND_SERVICE"], "drop": ["ALL"]},
            "runAsUser": USER, "runAsGroup": USER, "runAsNonRoot": true,
        }),
    );
    let env = list(compute, "/env");
    for (index, (name, value)) in HOMES.into_iter().enumerate() {
        if !env.iter().any(|one| one["name"] == name) {
            env.insert(index.min(env.len()), json!({"name": name, "value": value}));
        }
    }
    let arguments = list(compute, "/args");
    if !arguments.iter().any(|one| one == "--run-as-nonroot") {
        let after = arguments.iter().position(|one| one == "kvm").map_or(arguments.len(), |place| place + 1);
        arguments.insert(after, "--run-as-nonroot".into());
    }
}
