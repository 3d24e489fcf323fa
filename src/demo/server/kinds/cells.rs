//! Cells of Kubernetes' own kinds, but for pods.

use std::collections::BTreeSet;

use jiff::Timestamp;
use serde_json::Value;

use super::age::age;
use super::values::{NONE, each, fields, flag, found, number, or, text, time};

const UNKNOWN: &str = "<unknown>";
const UNSET: &str = "<unset>";

/// Where an older version kept the name of a storage class.
const OLD_CLASS: &str = "volume.beta.kubernetes.io/storage-class";

fn since(when: Option<Timestamp>, now: Timestamp) -> Value {
    when.map_or_else(|| UNKNOWN.to_owned(), |when| age(when, now)).into()
}

fn joined<'a>(texts: impl Iterator<Item = &'a str>, between: &str) -> String {
    texts.collect::<Vec<_>>().join(between)
}

pub(super) fn name(object: &Value, _: Timestamp) -> Value {
    text(object, "metadata.name").into()
}

pub(super) fn created(object: &Value, now: Timestamp) -> Value {
    since(time(object, "metadata.creationTimestamp"), now)
}

pub(super) fn created_at(object: &Value, _: Timestamp) -> Value {
    text(object, "metadata.creationTimestamp").into()
}

pub(super) fn phase(object: &Value, _: Timestamp) -> Value {
    text(object, "status.phase").into()
}

/// The phase of what goes only when nobody uses it any more.
pub(super) fn phase_until_gone(object: &Value, _: Timestamp) -> Value {
    let going = found(object, "metadata.deletionTimestamp").is_some();
    if going { "Terminating" } else { text(object, "status.phase") }.into()
}

pub(super) fn node_status(node: &Value, _: Timestamp) -> Value {
    let ready = each(node, "status.conditions").find(|one| text(one, "type") == "Ready");
    let mut words = vec![match ready.map(|ready| text(ready, "status")) {
        Some("True") => "Ready",
        Some(_) => "NotReady",
        None => "Unknown",
    }];
    if flag(node, "spec.unschedulable") {
        words.push("SchedulingDisabled");
    }
    words.join(",").into()
}

pub(super) fn node_roles(node: &Value, _: Timestamp) -> Value {
    let roles: BTreeSet<&str> = fields(node, "metadata.labels")
        .filter_map(|(label, value)| match label.strip_prefix("node-role.kubernetes.io/") {
            None if label == "kubernetes.io/role" => value.as_str(),
            role => role,
        })
        .filter(|role| !role.is_empty())
        .collect();
    or(&joined(roles.into_iter(), ","), NONE).into()
}

pub(super) fn node_version(node: &Value, _: Timestamp) -> Value {
    text(node, "status.nodeInfo.kubeletVersion").into()
}

fn node_address(node: &Value, kind: &str) -> Value {
    let found = each(node, "status.addresses").find(|one| text(one, "type") == kind);
    found.map_or(NONE, |found| text(found, "address")).into()
}

pub(super) fn node_internal(node: &Value, _: Timestamp) -> Value {
    node_address(node, "InternalIP")
}

pub(super) fn node_external(node: &Value, _: Timestamp) -> Value {
    node_address(node, "ExternalIP")
}

pub(super) fn node_image(node: &Value, _: Timestamp) -> Value {
    or(text(node, "status.nodeInfo.osImage"), UNKNOWN).into()
}

pub(super) fn node_kernel(node: &Value, _: Timestamp) -> Value {
    match (text(node, "status.nodeInfo.kernelVersion"), text(node, "status.nodeInfo.architecture")) {
        ("", _) => UNKNOWN.into(),
        (kernel, "") => kernel.into(),
        (kernel, machine) => format!("{kernel} ({machine})").into(),
    }
}

pub(super) fn node_runtime(node: &Value, _: Timestamp) -> Value {
    or(text(node, "status.nodeInfo.containerRuntimeVersion"), UNKNOWN).into()
}

fn first_seen(event: &Value) -> Option<Timestamp> {
    time(event, "firstTimestamp").or_else(|| time(event, "eventTime"))
}

pub(super) fn event_first(event: &Value, now: Timestamp) -> Value {
    since(first_seen(event), now)
}

pub(super) fn event_last(event: &Value, now: Timestamp) -> Value {
    let path = if found(event, "series").is_some() { "series.lastObservedTime" } else { "lastTimestamp" };
    since(time(event, path).or_else(|| first_seen(event)), now)
}

pub(super) fn event_type(event: &Value, _: Timestamp) -> Value {
    text(event, "type").into()
}

pub(super) fn event_reason(event: &Value, _: Timestamp) -> Value {
    text(event, "reason").into()
}

pub(super) fn event_object(event: &Value, _: Timestamp) -> Value {
    let kind = text(event, "involvedObject.kind").to_lowercase();
    match text(event, "involvedObject.name") {
        "" => kind,
        name => format!("{kind}/{name}"),
    }
    .into()
}

pub(super) fn event_part(event: &Value, _: Timestamp) -> Value {
    text(event, "involvedObject.fieldPath").into()
}

pub(super) fn event_source(event: &Value, _: Timestamp) -> Value {
    let component = or(text(event, "source.component"), text(event, "reportingComponent"));
    match or(text(event, "source.host"), text(event, "reportingInstance")) {
        "" => component.into(),
        host => format!("{component}, {host}").into(),
    }
}

pub(super) fn event_message(event: &Value, _: Timestamp) -> Value {
    text(event, "message").trim().into()
}

pub(super) fn event_count(event: &Value, _: Timestamp) -> Value {
    let path = if found(event, "series").is_some() { "series.count" } else { "count" };
    number(event, path).max(1).into()
}

pub(super) fn config_count(map: &Value, _: Timestamp) -> Value {
    (fields(map, "data").count() + fields(map, "binaryData").count()).into()
}

pub(super) fn secret_type(secret: &Value, _: Timestamp) -> Value {
    text(secret, "type").into()
}

pub(super) fn secret_count(secret: &Value, _: Timestamp) -> Value {
    fields(secret, "data").count().into()
}

pub(super) fn service_type(service: &Value, _: Timestamp) -> Value {
    text(service, "spec.type").into()
}

pub(super) fn service_address(service: &Value, _: Timestamp) -> Value {
    let first = each(service, "spec.clusterIPs").find_map(Value::as_str);
    or(first.unwrap_or_else(|| text(service, "spec.clusterIP")), NONE).into()
}

pub(super) fn service_external(service: &Value, _: Timestamp) -> Value {
    let external = || each(service, "spec.externalIPs").filter_map(Value::as_str);
    match text(service, "spec.type") {
        "ExternalName" => text(service, "spec.externalName").into(),
        "LoadBalancer" => {
            let ingress = each(service, "status.loadBalancer.ingress");
            let balancers: BTreeSet<&str> =
                ingress.map(|one| or(text(one, "ip"), text(one, "hostname"))).collect();
            or(&joined(balancers.into_iter().chain(external()), ","), "<pending>").into()
        }
        _ => or(&joined(external(), ","), NONE).into(),
    }
}

pub(super) fn service_ports(service: &Value, _: Timestamp) -> Value {
    let ports: Vec<String> = each(service, "spec.ports")
        .map(|port| {
            let protocol = or(text(port, "protocol"), "TCP");
            match (number(port, "port"), number(port, "nodePort")) {
                (port, 0) => format!("{port}/{protocol}"),
                (port, node) => format!("{port}:{node}/{protocol}"),
            }
        })
        .collect();
    or(&ports.join(","), NONE).into()
}

fn labels(object: &Value, path: &str) -> Value {
    let labels: Vec<String> = fields(object, path)
        .map(|(label, value)| format!("{label}={}", value.as_str().unwrap_or_default()))
        .collect();
    or(&labels.join(","), NONE).into()
}

pub(super) fn service_selector(service: &Value, _: Timestamp) -> Value {
    labels(service, "spec.selector")
}

/// Access modes in short, in the order in which Kubernetes tells them.
fn modes(object: &Value, path: &str) -> Value {
    const MODES: [(&str, &str); 4] = [
        ("ReadWriteOnce", "RWO"),
        ("ReadOnlyMany", "ROX"),
        ("ReadWriteMany", "RWX"),
        ("ReadWriteOncePod", "RWOP"),
    ];
    let has = |mode: &str| each(object, path).any(|one| one == mode);
    joined(MODES.into_iter().filter(|(mode, _)| has(mode)).map(|(_, short)| short), ",").into()
}

fn class(object: &Value) -> Value {
    let old =
        found(object, "metadata.annotations").and_then(|all| all.get(OLD_CLASS)).and_then(Value::as_str);
    old.unwrap_or_else(|| text(object, "spec.storageClassName")).into()
}

pub(super) fn claim_volume(claim: &Value, _: Timestamp) -> Value {
    text(claim, "spec.volumeName").into()
}

pub(super) fn claim_capacity(claim: &Value, _: Timestamp) -> Value {
    match (text(claim, "spec.volumeName"), text(claim, "status.capacity.storage")) {
        ("", _) => "".into(),
        (_, capacity) => or(capacity, "0").into(),
    }
}

pub(super) fn claim_modes(claim: &Value, _: Timestamp) -> Value {
    if text(claim, "spec.volumeName").is_empty() { "".into() } else { modes(claim, "status.accessModes") }
}

pub(super) fn storage_class(object: &Value, _: Timestamp) -> Value {
    class(object)
}

pub(super) fn attributes_class(object: &Value, _: Timestamp) -> Value {
    or(text(object, "spec.volumeAttributesClassName"), UNSET).into()
}

pub(super) fn volume_mode(object: &Value, _: Timestamp) -> Value {
    or(text(object, "spec.volumeMode"), UNSET).into()
}

pub(super) fn volume_capacity(volume: &Value, _: Timestamp) -> Value {
    or(text(volume, "spec.capacity.storage"), "0").into()
}

pub(super) fn volume_modes(volume: &Value, _: Timestamp) -> Value {
    modes(volume, "spec.accessModes")
}

pub(super) fn volume_policy(volume: &Value, _: Timestamp) -> Value {
    text(volume, "spec.persistentVolumeReclaimPolicy").into()
}

pub(super) fn volume_claim(volume: &Value, _: Timestamp) -> Value {
    match found(volume, "spec.claimRef") {
        Some(claim) => format!("{}/{}", text(claim, "namespace"), text(claim, "name")).into(),
        None => "".into(),
    }
}

pub(super) fn volume_reason(volume: &Value, _: Timestamp) -> Value {
    text(volume, "status.reason").into()
}

pub(super) fn class_name(class: &Value, _: Timestamp) -> Value {
    let default =
        ["storageclass.kubernetes.io/is-default-class", "storageclass.beta.kubernetes.io/is-default-class"];
    let is = |mark: &&str| found(class, "metadata.annotations").is_some_and(|all| all[*mark] == "true");
    let name = text(class, "metadata.name");
    if default.iter().any(is) { format!("{name} (default)") } else { name.to_owned() }.into()
}

pub(super) fn class_provisioner(class: &Value, _: Timestamp) -> Value {
    text(class, "provisioner").into()
}

pub(super) fn class_policy(class: &Value, _: Timestamp) -> Value {
    or(text(class, "reclaimPolicy"), "Delete").into()
}

pub(super) fn class_binding(class: &Value, _: Timestamp) -> Value {
    or(text(class, "volumeBindingMode"), "Immediate").into()
}

pub(super) fn class_expansion(class: &Value, _: Timestamp) -> Value {
    flag(class, "allowVolumeExpansion").into()
}

/// What is used of a quota: limits, or all else.
fn used(quota: &Value, limits: bool) -> Value {
    let parts: Vec<String> = fields(quota, "status.hard")
        .filter(|(name, _)| name.starts_with("limits") == limits)
        .map(|(name, hard)| {
            let used = found(quota, "status.used").and_then(|used| used.get(name));
            let amount = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
            format!("{name}: {}/{}", used.map_or_else(|| "0".into(), amount), amount(hard))
        })
        .collect();
    parts.join(", ").into()
}

pub(super) fn quota_requests(quota: &Value, _: Timestamp) -> Value {
    used(quota, false)
}

pub(super) fn quota_limits(quota: &Value, _: Timestamp) -> Value {
    used(quota, true)
}

pub(super) fn binding_role(binding: &Value, _: Timestamp) -> Value {
    format!("{}/{}", text(binding, "roleRef.kind"), text(binding, "roleRef.name")).into()
}

fn subjects<'a>(binding: &'a Value, kind: &'a str) -> impl Iterator<Item = &'a Value> {
    each(binding, "subjects").filter(move |one| text(one, "kind") == kind)
}

pub(super) fn binding_users(binding: &Value, _: Timestamp) -> Value {
    joined(subjects(binding, "User").map(|one| text(one, "name")), ", ").into()
}

pub(super) fn binding_groups(binding: &Value, _: Timestamp) -> Value {
    joined(subjects(binding, "Group").map(|one| text(one, "name")), ", ").into()
}

pub(super) fn binding_accounts(binding: &Value, _: Timestamp) -> Value {
    let accounts: Vec<String> = subjects(binding, "ServiceAccount")
        .map(|one| format!("{}/{}", text(one, "namespace"), text(one, "name")))
        .collect();
    accounts.join(", ").into()
}

pub(super) fn lease_holder(lease: &Value, _: Timestamp) -> Value {
    text(lease, "spec.holderIdentity").into()
}

/// As `kind.group/name`.
pub(super) fn revision_controller(revision: &Value, _: Timestamp) -> Value {
    let owner = each(revision, "metadata.ownerReferences").find(|one| one["controller"] == true);
    let Some(owner) = owner else { return "<none>".into() };
    let group = text(owner, "apiVersion").split_once('/').map_or("", |(group, _)| group);
    let kind = [text(owner, "kind"), group].join(".");
    format!("{}/{}", kind.trim_end_matches('.').to_lowercase(), text(owner, "name")).into()
}

pub(super) fn revision_number(revision: &Value, _: Timestamp) -> Value {
    number(revision, "revision").into()
}

fn wanted(set: &Value) -> i64 {
    if found(set, "spec.replicas").is_some() { number(set, "spec.replicas") } else { 1 }
}

pub(super) fn deployment_ready(deployment: &Value, _: Timestamp) -> Value {
    format!("{}/{}", number(deployment, "status.readyReplicas"), wanted(deployment)).into()
}

pub(super) fn deployment_updated(deployment: &Value, _: Timestamp) -> Value {
    number(deployment, "status.updatedReplicas").into()
}

pub(super) fn deployment_available(deployment: &Value, _: Timestamp) -> Value {
    number(deployment, "status.availableReplicas").into()
}

pub(super) fn replicas_wanted(set: &Value, _: Timestamp) -> Value {
    wanted(set).into()
}

pub(super) fn replicas(set: &Value, _: Timestamp) -> Value {
    number(set, "status.replicas").into()
}

pub(super) fn replicas_ready(set: &Value, _: Timestamp) -> Value {
    number(set, "status.readyReplicas").into()
}

pub(super) fn daemons_wanted(set: &Value, _: Timestamp) -> Value {
    number(set, "status.desiredNumberScheduled").into()
}

pub(super) fn daemons(set: &Value, _: Timestamp) -> Value {
    number(set, "status.currentNumberScheduled").into()
}

pub(super) fn daemons_ready(set: &Value, _: Timestamp) -> Value {
    number(set, "status.numberReady").into()
}

pub(super) fn daemons_updated(set: &Value, _: Timestamp) -> Value {
    number(set, "status.updatedNumberScheduled").into()
}

pub(super) fn daemons_available(set: &Value, _: Timestamp) -> Value {
    number(set, "status.numberAvailable").into()
}

pub(super) fn daemons_nodes(set: &Value, _: Timestamp) -> Value {
    labels(set, "spec.template.spec.nodeSelector")
}

pub(super) fn template_containers(set: &Value, _: Timestamp) -> Value {
    joined(each(set, "spec.template.spec.containers").map(|one| text(one, "name")), ",").into()
}

pub(super) fn template_images(set: &Value, _: Timestamp) -> Value {
    joined(each(set, "spec.template.spec.containers").map(|one| text(one, "image")), ",").into()
}

pub(super) fn selector(set: &Value, _: Timestamp) -> Value {
    let labels = fields(set, "spec.selector.matchLabels")
        .map(|(label, value)| (label, format!("{label}={}", value.as_str().unwrap_or_default())));
    let expressions = each(set, "spec.selector.matchExpressions").map(|one| {
        let label = text(one, "key");
        let values: BTreeSet<&str> = each(one, "values").filter_map(Value::as_str).collect();
        let values = joined(values.into_iter(), ",");
        let term = match text(one, "operator") {
            "In" => format!("{label} in ({values})"),
            "NotIn" => format!("{label} notin ({values})"),
            "DoesNotExist" => format!("!{label}"),
            _ => label.to_owned(),
        };
        (label, term)
    });
    let mut terms: Vec<(&str, String)> = labels.chain(expressions).collect();
    terms.sort_by_key(|(label, _)| *label);
    or(&joined(terms.iter().map(|(_, term)| term.as_str()), ","), NONE).into()
}
