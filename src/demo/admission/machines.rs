//! VirtualMachines and what is like them: instances, pools, sets of instances.

use serde_json::{Map, Value};

use super::place::{Causes, Check, Spot};
use super::said::Said;
use super::{compute, disks, firmware, guest, network, types, volumes};
use crate::demo::server::Review;

/// What is looked at of a guest, in the order of the causes. At `spec` of an instance.
const GUEST: &[Check] = &[
    guest::names,
    compute::memory,
    compute::huge_pages,
    firmware::machine_type,
    firmware::serial,
    compute::processors,
    compute::dedicated,
    compute::numa,
    compute::topology,
    guest::start_strategy,
    guest::affinity,
    network::networks,
    disks::boot_order,
    guest::inputs,
    guest::io_threads,
    guest::probes,
    disks::disks,
    firmware::boot,
    volumes::volumes,
    volumes::container_disks,
    guest::credentials,
    guest::dns,
    guest::eviction,
    guest::host_devices,
    guest::sound,
];

/// What is looked at besides that of an instance itself, which is about to run.
const INSTANCE: &[Check] = &[volumes::unused, compute::some_memory, firmware::architecture];

const STRATEGIES: [&str; 6] = ["Halted", "Manual", "Always", "RerunOnFailure", "Once", "WaitAsReceiver"];

/// Kinds of sources of a DataVolume.
pub(super) const SOURCES: &[&str] =
    &["http", "s3", "gcs", "registry", "pvc", "upload", "blank", "imageio", "vddk", "snapshot"];

/// Users that are parts of KubeVirt: they alone may change the instance of a running guest.
const CONTROLLERS: &str = "system:serviceaccount:kubevirt:kubevirt-";

/// Types and amounts, before anything is filled in. `look` is for the kind.
pub(super) fn readable(
    look: fn(&Spot<'_>, &mut Causes) -> Result<(), &'static str>,
    object: &Value,
) -> Result<(), Said> {
    let mut causes = Causes::default();
    let amounts = look(&Spot::new(object, "").get("spec"), &mut causes);
    Said::causes(causes)?;
    amounts.map_err(Said::error)
}

/// What is wrong with a machine, at its `spec`.
pub(super) fn machine(spec: &Spot<'_>, causes: &mut Causes) {
    let template = spec.get("template.spec");
    GUEST.iter().for_each(|check| check(&template, causes));
    templates(spec, causes);
    run_strategy(spec, causes);
    compute::growth(&template, causes);
}

/// The answer about a VirtualMachine.
pub(super) fn validate(review: &Review<'_>, vm: &Value) -> Result<Vec<String>, Said> {
    if !vm["metadata"]["deletionTimestamp"].is_null() {
        return Ok(Vec::new());
    }
    let root = Spot::new(vm, "");
    let spec = root.get("spec");
    Said::check(&spec, |spec, causes| instance_type(review, spec, causes))?;
    if review.old.is_none() {
        // The real one looks for them at `spec` of an instance, not at that of the template.
        let guest = Spot { path: "spec".into(), ..spec.get("template.spec") };
        Said::check(&guest, network::discontinued)?;
    }
    Said::check(&spec, machine)?;
    Said::check(&spec, |spec, causes| namespaces(review, spec, causes))?;
    if let Some(old) = review.old {
        Said::check(&root, |root, causes| busy(old, root, causes))?;
    }
    let deprecated = spec.get("running").is_set();
    let warning = || "spec.running is deprecated, please use spec.runStrategy instead.".to_owned();
    Ok(deprecated.then(warning).into_iter().collect())
}

/// Fields that an instance type sets, where it is there.
fn instance_type(review: &Review<'_>, spec: &Spot<'_>, causes: &mut Causes) {
    let wanted = spec.get("instancetype");
    let (plural, namespace) = match wanted.get("kind").text().to_lowercase().as_str() {
        "virtualmachineinstancetype" | "virtualmachineinstancetypes" => {
            ("virtualmachineinstancetypes", review.namespace)
        }
        _ => ("virtualmachineclusterinstancetypes", ""),
    };
    let name = wanted.get("name").text();
    if name.is_empty() || review.around.get("instancetype.kubevirt.io", plural, namespace, name).is_none() {
        return;
    }
    let domain = spec.get("template.spec.domain");
    for field in ["cpu.sockets", "cpu.cores", "cpu.threads", "memory.guest", "memory.hugepages"] {
        let spot = domain.get(field);
        if spot.is_set() && spot.value != &Value::from(0) {
            let text = format!("VM field(s) {} conflicts with selected instance type", spot.path);
            causes.invalid(&spot.path, text);
        }
    }
}

/// Templates of disks. The real one calls their list `dataVolumeTemplate`.
fn templates(spec: &Spot<'_>, causes: &mut Causes) {
    let volumes = spec.get("template.spec.volumes");
    for (place, template) in spec.get("dataVolumeTemplates").items().enumerate() {
        let template = Spot { path: format!("{}.dataVolumeTemplate[{place}]", spec.path), ..template };
        if template_alone(&template, causes) {
            continue;
        }
        let name = template.get("metadata.name").text();
        let used = volumes.items().any(|volume| {
            ["persistentVolumeClaim.claimName", "dataVolume.name"]
                .iter()
                .any(|field| volume.get(field).text() == name)
        });
        if !used {
            let at = &template.path;
            let text = format!(
                "DataVolumeTemplate entry {at} must be referenced in the VMI template's 'volumes' list"
            );
            causes.required(at, text);
        }
    }
}

/// Whether anything is wrong with a template by itself.
fn template_alone(template: &Spot<'_>, causes: &mut Causes) -> bool {
    let spec = template.get("spec");
    let (field, text) = match (
        template.get("metadata.name").text().is_empty(),
        spec.set_of(&["pvc", "storage"]).as_slice(),
        spec.set_of(&["source", "sourceRef"]).len(),
    ) {
        (true, _, _) => {
            let at = template.at("name");
            let text = format!("'name' field must not be empty for DataVolumeTemplate entry {at}.");
            causes.required(at, text);
            return true;
        }
        (_, [], _) => ("PVC.Storage", "Missing Data volume PVC or Storage"),
        (_, [_, _, ..], _) => {
            ("PVC.Storage", "Duplicate storage definition, both target storage and target pvc defined")
        }
        (_, [target], sources) => {
            let outside = !spec.get(target).set_of(&["dataSource", "dataSourceRef"]).is_empty();
            match (outside, sources, spec.get("source").set_of(SOURCES).len()) {
                (true, 1.., _) => ("source", "External population is incompatible with Source and SourceRef"),
                (false, 0, _) => (
                    "source.sourceRef",
                    "Data volume should have either Source, SourceRef, or be externally populated",
                ),
                (_, _, 0) if spec.get("source").is_set() => ("source", "Missing dataVolume valid source"),
                (_, _, 2..) => ("source", "Multiple dataVolume sources"),
                _ => return false,
            }
        }
    };
    causes.invalid(template.at(field), text);
    true
}

fn run_strategy(spec: &Spot<'_>, causes: &mut Causes) {
    let (running, strategy) = (spec.get("running"), spec.get("runStrategy"));
    match (running.is_set(), strategy.is_set()) {
        (true, true) => causes.invalid(
            &running.path,
            "Running and RunStrategy are mutually exclusive. Note that Running is deprecated, please use RunStrategy \
             instead",
        ),
        (false, false) => causes.invalid(&running.path, "RunStrategy must be specified"),
        _ => {}
    }
    if strategy.is_set() && !STRATEGIES.contains(&strategy.text()) {
        causes.invalid(&strategy.path, format!("Invalid RunStrategy ({})", strategy.text()));
    }
}

/// Disks of another namespace than the machine's.
fn namespaces(review: &Review<'_>, spec: &Spot<'_>, causes: &mut Causes) {
    for template in spec.get("dataVolumeTemplates").items() {
        let namespace = template.get("metadata.namespace").text();
        if !namespace.is_empty() && namespace != review.namespace {
            let text = format!(
                "Embedded DataVolume namespace {namespace} differs from VM namespace {}",
                review.namespace
            );
            causes.invalid(&template.path, text);
        }
    }
}

/// Changes that a snapshot or a restore has to end before.
fn busy(old: &Value, vm: &Spot<'_>, causes: &mut Causes) {
    let old = Spot::new(old, "");
    let changed = |fields: &[&str]| fields.iter().any(|field| old.get(field).value != vm.get(field).value);
    let strategy = ["spec.runStrategy", "spec.running"];
    let parts = [
        "spec.runStrategy",
        "spec.running",
        "spec.template.spec.volumes",
        "spec.template.spec.domain.devices.disks",
    ];
    let snapshot = vm.get("status.snapshotInProgress");
    if snapshot.is_set() && changed(&parts) {
        let text = format!("Cannot update VM spec until snapshot {:?} completes", snapshot.text());
        causes.unsupported("spec", text);
    }
    let restore = vm.get("status.restoreInProgress");
    let starts = vm.get("spec.runStrategy").text() != "Halted" && !vm.get("spec.running").value.eq(&false);
    if restore.is_set() && changed(&strategy) && starts {
        causes.unsupported("spec", format!("Cannot start VM until restore {:?} completes", restore.text()));
    }
}

/// The answer about a new instance.
pub(super) fn validate_instance(_: &Review<'_>, vmi: &Value) -> Result<Vec<String>, Said> {
    let spec = Spot::new(vmi, "").get("spec");
    Said::check(&spec, |spec, causes| {
        GUEST.iter().chain(INSTANCE).for_each(|check| check(spec, causes));
    })?;
    Ok(Vec::new())
}

/// The answer about a changed instance.
pub(super) fn validate_instance_update(review: &Review<'_>, vmi: &Value) -> Result<Vec<String>, Said> {
    let same = review.old.is_none_or(|old| old["spec"] == vmi["spec"]);
    if same || review.user.starts_with(CONTROLLERS) {
        return Ok(Vec::new());
    }
    let mut causes = Causes::default();
    causes.unsupported("", "update of VMI object is restricted");
    Said::causes(causes).map(|()| Vec::new())
}

/// The answer about a pool.
pub(super) fn validate_pool(_: &Review<'_>, pool: &Value) -> Result<Vec<String>, Said> {
    let spec = Spot::new(pool, "").get("spec");
    Said::check(&spec, |spec, causes| {
        machine(&spec.get("virtualMachineTemplate.spec"), causes);
        selector(spec, "virtualMachineTemplate", causes);
    })?;
    Ok(Vec::new())
}

/// The answer about a set of instances.
pub(super) fn validate_set(_: &Review<'_>, set: &Value) -> Result<Vec<String>, Said> {
    let spec = Spot::new(set, "").get("spec");
    Said::check(&spec, |spec, causes| {
        GUEST.iter().for_each(|check| check(&spec.get("template.spec"), causes));
        selector(spec, "template", causes);
    })?;
    Ok(Vec::new())
}

/// A selector that does not select what is made.
fn selector(spec: &Spot<'_>, template: &str, causes: &mut Causes) {
    let labels = spec.get(template).get("metadata.labels");
    let none = Map::new();
    let has = labels.value.as_object().unwrap_or(&none);
    let wanted = spec.get("selector.matchLabels");
    let equal =
        wanted.value.as_object().into_iter().flatten().all(|(key, value)| has.get(key) == Some(value));
    let matches = spec.get("selector.matchExpressions").items().all(|expression| {
        let value = has.get(expression.get("key").text());
        let among = expression.get("values").items().any(|one| Some(one.value) == value);
        match expression.get("operator").text() {
            "In" => among,
            "NotIn" => !among,
            "Exists" => value.is_some(),
            "DoesNotExist" => value.is_none(),
            _ => false,
        }
    });
    if !equal || !matches {
        causes.invalid(spec.at("selector"), "selector does not match labels.");
    }
}

/// Types of fields of machines, instances.
pub(super) fn readable_machine(vm: &Value) -> Result<(), Said> {
    readable(types::machine, vm)
}

/// The same of instances.
pub(super) fn readable_instance(vmi: &Value) -> Result<(), Said> {
    readable(types::instance, vmi)
}
