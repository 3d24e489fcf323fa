//! Whether a pod fits on a node, in the words of the scheduler's plugins.

use std::collections::BTreeMap;

use serde_json::Value;

use super::super::kind::Kind;
use super::super::object::Object;
use super::super::view::View;
use crate::model::{parse_bytes, parse_millis};

/// Amounts by resource: processors in thousandths, everything else in whole units.
pub(super) type Amounts = BTreeMap<String, u64>;

/// Why a pod cannot be on a node.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Reason {
    /// As the scheduler says it, after the number of nodes.
    pub(super) text: String,
    /// Whether it would help to take pods of lower priority away.
    pub(super) preemptible: bool,
}

impl Reason {
    fn lasting(text: impl Into<String>) -> Self {
        Self { text: text.into(), preemptible: false }
    }
}

/// An amount of a resource as a number.
fn amount(resource: &str, quantity: &Value) -> u64 {
    let text = match quantity {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    if resource == "cpu" {
        parse_millis(&text).unwrap_or_default().into()
    } else {
        parse_bytes(&text).unwrap_or_default()
    }
}

/// The resources of a map of quantities.
pub(super) fn amounts(quantities: &Value) -> Amounts {
    let entries = quantities.as_object().into_iter().flatten();
    entries.map(|(name, quantity)| (name.clone(), amount(name, quantity))).collect()
}

fn add(to: &mut Amounts, more: &Amounts) {
    for (name, number) in more {
        *to.entry(name.clone()).or_default() += number;
    }
}

fn at_least(to: &mut Amounts, other: &Amounts) {
    for (name, number) in other {
        let now = to.entry(name.clone()).or_default();
        *now = (*now).max(*number);
    }
}

/// What a pod asks for: its containers together with the side-cars, or its greediest init container.
pub(super) fn requests(pod: &Object) -> Amounts {
    let of = |container: &Value| amounts(&container["resources"]["requests"]);
    let mut sum = Amounts::new();
    for container in pod.list("/spec/containers") {
        add(&mut sum, &of(container));
    }
    let mut sidecars = Amounts::new();
    let mut most = Amounts::new();
    for container in pod.list("/spec/initContainers") {
        if container["restartPolicy"] == "Always" {
            add(&mut sidecars, &of(container));
            at_least(&mut most, &sidecars);
        } else {
            let mut now = of(container);
            add(&mut now, &sidecars);
            at_least(&mut most, &now);
        }
    }
    add(&mut sum, &sidecars);
    at_least(&mut sum, &most);
    add(&mut sum, &amounts(pod.at("/spec/overhead")));
    sum
}

/// What the pods of a node have taken.
pub(super) fn taken(view: &View<'_>, node: &str) -> Amounts {
    let mut sum = Amounts::new();
    let pods = view.all(Kind::Pod).filter(|pod| pod.text("/spec/nodeName") == node);
    for pod in pods.filter(|pod| !matches!(pod.phase(), "Succeeded" | "Failed")) {
        add(&mut sum, &requests(pod));
        *sum.entry("pods".to_owned()).or_default() += 1;
    }
    sum
}

/// Why a pod cannot be on a node: everything that the first plugin says which is against it; nothing where it fits.
pub(super) fn against(view: &View<'_>, pod: &Object, node: &Object) -> Vec<Reason> {
    let lasting = |bad: bool, text: &str| if bad { vec![Reason::lasting(text)] } else { Vec::new() };
    let plugins: [&dyn Fn() -> Vec<Reason>; 6] = [
        &|| {
            let bad = node.flag("/spec/unschedulable")
                && !tolerates(pod, "node.kubernetes.io/unschedulable", "", "NoSchedule");
            lasting(bad, "node(s) were unschedulable")
        },
        &|| untolerated(pod, node).into_iter().collect(),
        &|| lasting(!affine(pod, node), "node(s) didn't match Pod's node affinity/selector"),
        &|| lacking(view, pod, node),
        &|| {
            lasting(
                !reaches_volumes(view, pod, node),
                "node(s) didn't match PersistentVolume's node affinity",
            )
        },
        &|| stands_apart(view, pod, node),
    ];
    plugins.iter().map(|plugin| plugin()).find(|reasons| !reasons.is_empty()).unwrap_or_default()
}

fn untolerated(pod: &Object, node: &Object) -> Option<Reason> {
    let taint = node.list("/spec/taints").iter().find(|taint| {
        let text = |field: &str| taint[field].as_str().unwrap_or_default();
        matches!(text("effect"), "NoSchedule" | "NoExecute")
            // The scheduler speaks of cordoned nodes in other words.
            && text("key") != "node.kubernetes.io/unschedulable"
            && !tolerates(pod, text("key"), text("value"), text("effect"))
    })?;
    let text = |field: &str| taint[field].as_str().unwrap_or_default();
    Some(Reason::lasting(format!("node(s) had untolerated taint {{{}: {}}}", text("key"), text("value"))))
}

fn tolerates(pod: &Object, key: &str, value: &str, effect: &str) -> bool {
    pod.list("/spec/tolerations").iter().any(|toleration| {
        let text = |field: &str| toleration[field].as_str().unwrap_or_default();
        let named = match text("key") {
            "" => text("operator") == "Exists",
            other => other == key && (text("operator") == "Exists" || text("value") == value),
        };
        named && (text("effect").is_empty() || text("effect") == effect)
    })
}

/// Whether a node is one that the pod wants: by selector, and by what its affinity requires.
fn affine(pod: &Object, node: &Object) -> bool {
    let labels = node.at("/metadata/labels");
    let selected = pod.at("/spec/nodeSelector").as_object().into_iter().flatten();
    if selected.into_iter().any(|(key, value)| labels.get(key) != Some(value)) {
        return false;
    }
    let terms = pod
        .list("/spec/affinity/nodeAffinity/requiredDuringSchedulingIgnoredDuringExecution/nodeSelectorTerms");
    terms.is_empty() || matches_terms(terms, node)
}

/// Whether a node matches one of the terms of a node selector.
fn matches_terms(terms: &[Value], node: &Object) -> bool {
    let list = |value: &Value| value.as_array().cloned().unwrap_or_default();
    terms.iter().any(|term| {
        let (expressions, fields) = (list(&term["matchExpressions"]), list(&term["matchFields"]));
        let by_label = |one: &Value| {
            let key = one["key"].as_str().unwrap_or_default();
            matches_expression(one, node.at("/metadata/labels").get(key).and_then(Value::as_str))
        };
        !(expressions.is_empty() && fields.is_empty())
            && expressions.iter().all(by_label)
            && fields.iter().all(|one| matches_expression(one, Some(node.name())))
    })
}

/// Whether a label's value, or the lack of it, satisfies an expression of a selector.
fn matches_expression(expression: &Value, value: Option<&str>) -> bool {
    let values = expression["values"].as_array().map(Vec::as_slice).unwrap_or_default();
    let listed = || value.is_some_and(|value| values.iter().any(|one| one == value));
    let number = |text: Option<&str>| text.and_then(|text| text.parse::<i64>().ok());
    let bound = number(values.first().and_then(Value::as_str));
    match expression["operator"].as_str().unwrap_or_default() {
        "In" => listed(),
        "NotIn" => !listed(),
        "Exists" => value.is_some(),
        "DoesNotExist" => value.is_none(),
        "Gt" => number(value).zip(bound).is_some_and(|(value, bound)| value > bound),
        "Lt" => number(value).zip(bound).is_some_and(|(value, bound)| value < bound),
        _ => false,
    }
}

/// The resources of which a node has too little left.
fn lacking(view: &View<'_>, pod: &Object, node: &Object) -> Vec<Reason> {
    let has = amounts(node.at("/status/allocatable"));
    let taken = taken(view, node.name());
    let of = |amounts: &Amounts, name: &str| amounts.get(name).copied().unwrap_or_default();
    let mut reasons = Vec::new();
    if of(&taken, "pods") + 1 > of(&has, "pods") {
        reasons.push(Reason { text: "Too many pods".to_owned(), preemptible: true });
    }
    for (name, wanted) in requests(pod) {
        if wanted > 0 && of(&taken, &name) + wanted > of(&has, &name) {
            // Nothing makes room for what the whole node does not have.
            reasons.push(Reason {
                text: format!("Insufficient {name}"),
                preemptible: wanted <= of(&has, &name),
            });
        }
    }
    reasons
}

/// Whether the volumes of a pod can be had on a node.
fn reaches_volumes(view: &View<'_>, pod: &Object, node: &Object) -> bool {
    claims(pod).all(|name| {
        let Some(claim) = view.get(Kind::PersistentVolumeClaim, pod.namespace(), name) else { return true };
        let selected = claim.annotation(super::scheduler::SELECTED_NODE);
        if !is_bound(claim) {
            return selected.is_empty() || selected == node.name();
        }
        let Some(volume) = view.get(Kind::PersistentVolume, "", claim.text("/spec/volumeName")) else {
            return true;
        };
        let terms = volume.list("/spec/nodeAffinity/required/nodeSelectorTerms");
        terms.is_empty() || matches_terms(terms, node)
    })
}

/// The claims a pod uses.
pub(super) fn claims(pod: &Object) -> impl Iterator<Item = &str> {
    pod.list("/spec/volumes")
        .iter()
        .filter_map(|volume| volume["persistentVolumeClaim"]["claimName"].as_str())
}

/// Whether a claim has its volume.
pub(super) fn is_bound(claim: &Object) -> bool {
    claim.phase() == "Bound" || !claim.text("/spec/volumeName").is_empty() && claim.phase() != "Lost"
}

/// What the pod's own rules about its neighbours say against a node.
fn stands_apart(view: &View<'_>, pod: &Object, node: &Object) -> Vec<Reason> {
    let neighbours = |term: &Value| {
        let key = term["topologyKey"].as_str().unwrap_or_default();
        let place = |node: &Object| node.label(key).to_owned();
        let here = place(node);
        view.list(Kind::Pod, pod.namespace())
            .filter(|other| other.uid() != pod.uid() && !matches!(other.phase(), "Succeeded" | "Failed"))
            .filter(|other| selects(&term["labelSelector"], other))
            .filter_map(|other| view.get(Kind::Node, "", other.text("/spec/nodeName")))
            .any(|of| !here.is_empty() && place(of) == here)
    };
    let rule = |name: &str| {
        pod.list(&format!("/spec/affinity/{name}/requiredDuringSchedulingIgnoredDuringExecution")).to_vec()
    };
    if rule("podAntiAffinity").iter().any(neighbours) {
        let text = "node(s) didn't match pod anti-affinity rules".to_owned();
        return vec![Reason { text, preemptible: true }];
    }
    // The first of a group whose members want to be together may be anywhere.
    let alone = |term: &&Value| !selects(&term["labelSelector"], pod) && !neighbours(term);
    if rule("podAffinity").iter().any(|term| alone(&term)) {
        return vec![Reason::lasting("node(s) didn't match pod affinity rules")];
    }
    Vec::new()
}

/// Whether a label selector selects an object.
fn selects(selector: &Value, object: &Object) -> bool {
    let labels = selector["matchLabels"].as_object().into_iter().flatten();
    let expressions = selector["matchExpressions"].as_array().into_iter().flatten();
    let value = |key: &str| object.at("/metadata/labels").get(key).and_then(Value::as_str);
    labels.into_iter().all(|(key, wanted)| value(key) == wanted.as_str())
        && expressions
            .into_iter()
            .all(|one| matches_expression(one, value(one["key"].as_str().unwrap_or_default())))
}
