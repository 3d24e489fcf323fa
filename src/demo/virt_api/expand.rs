//! What a machine becomes when its instance type and its preference are written out.
//!
//! An instance type says what is so; a machine that says otherwise is refused. A preference fills in what nobody has said.

use serde_json::{Map, Value, json};

use super::refusal::Refusal;

/// What a machine means that names no kind.
pub(super) const CLUSTER_INSTANCETYPE: &str = "VirtualMachineClusterInstancetype";
/// See [`CLUSTER_INSTANCETYPE`].
pub(super) const CLUSTER_PREFERENCE: &str = "VirtualMachineClusterPreference";

/// Fields of an instance type, and of the spec of a guest. Amounts of processors are a matter of their own.
const SIZES: [(&str, &str); 14] = [
    ("/cpu/model", "/domain/cpu/model"),
    ("/cpu/maxSockets", "/domain/cpu/maxSockets"),
    ("/cpu/dedicatedCPUPlacement", "/domain/cpu/dedicatedCpuPlacement"),
    ("/cpu/isolateEmulatorThread", "/domain/cpu/isolateEmulatorThread"),
    ("/cpu/numa", "/domain/cpu/numa"),
    ("/cpu/realtime", "/domain/cpu/realtime"),
    ("/memory/guest", "/domain/memory/guest"),
    ("/memory/maxGuest", "/domain/memory/maxGuest"),
    ("/memory/hugepages", "/domain/memory/hugepages"),
    ("/ioThreadsPolicy", "/domain/ioThreadsPolicy"),
    ("/launchSecurity", "/domain/launchSecurity"),
    ("/gpus", "/domain/devices/gpus"),
    ("/hostDevices", "/domain/devices/hostDevices"),
    ("/schedulerName", "/schedulerName"),
];

/// Fields of a preference, and of the spec of a guest.
const TASTES: [(&str, &str); 25] = [
    ("/machine/preferredMachineType", "/domain/machine/type"),
    ("/cpu/preferredCPUFeatures", "/domain/cpu/features"),
    ("/clock/preferredTimer", "/domain/clock/timer"),
    ("/firmware/preferredEfi", "/domain/firmware/bootloader/efi"),
    ("/features/preferredAcpi", "/domain/features/acpi"),
    ("/features/preferredApic", "/domain/features/apic"),
    ("/features/preferredHyperv", "/domain/features/hyperv"),
    ("/features/preferredKvm", "/domain/features/kvm"),
    ("/features/preferredPvspinlock", "/domain/features/pvspinlock"),
    ("/features/preferredSmm", "/domain/features/smm"),
    ("/devices/preferredAutoattachGraphicsDevice", "/domain/devices/autoattachGraphicsDevice"),
    ("/devices/preferredAutoattachInputDevice", "/domain/devices/autoattachInputDevice"),
    ("/devices/preferredAutoattachMemBalloon", "/domain/devices/autoattachMemBalloon"),
    ("/devices/preferredAutoattachPodInterface", "/domain/devices/autoattachPodInterface"),
    ("/devices/preferredAutoattachSerialConsole", "/domain/devices/autoattachSerialConsole"),
    ("/devices/preferredBlockMultiQueue", "/domain/devices/blockMultiQueue"),
    ("/devices/preferredDisableHotplug", "/domain/devices/disableHotplug"),
    ("/devices/preferredNetworkInterfaceMultiQueue", "/domain/devices/networkInterfaceMultiqueue"),
    ("/devices/preferredUseVirtioTransitional", "/domain/devices/useVirtioTransitional"),
    ("/devices/preferredRng", "/domain/devices/rng"),
    ("/devices/preferredTPM", "/domain/devices/tpm"),
    ("/preferredSubdomain", "/subdomain"),
    ("/preferredTerminationGracePeriodSeconds", "/terminationGracePeriodSeconds"),
    ("/preferredArchitecture", "/architecture"),
    ("/preferredLaunchSecurity", "/domain/launchSecurity"),
];

/// The whole machine. `types` are its instance type and its preference, as far as they could be read.
pub(super) fn expand(machine: &Value, types: [Option<&Value>; 2]) -> Result<Value, Refusal> {
    let [size, taste] = ["instancetype", "preference"].map(|field| &machine["spec"][field]);
    for (matcher, kind, found) in
        [(size, CLUSTER_INSTANCETYPE, types[0]), (taste, CLUSTER_PREFERENCE, types[1])]
    {
        if !matcher.is_null() && found.is_none() {
            let kind = matcher["kind"].as_str().unwrap_or(kind).to_lowercase();
            let name = matcher["name"].as_str().unwrap_or_default();
            let plural = if kind.ends_with('s') { kind } else { format!("{kind}s") };
            return Err(Refusal::internal(format!("{plural}.instancetype.kubevirt.io {name:?} not found")));
        }
    }
    let mut whole = machine.clone();
    let preference = types[1].map_or(&Value::Null, |found| &found["spec"]);
    let Some(spec) = whole.pointer_mut("/spec/template/spec") else {
        return Err(Refusal::internal("the machine has no template"));
    };
    if let Some(size) = types[0] {
        self::size(spec, &size["spec"], preference)?;
    }
    fill(spec, preference);
    for kind in types.into_iter().flatten() {
        annotate(&mut whole, kind);
    }
    if let Some(spec) = whole["spec"].as_object_mut() {
        spec.remove("instancetype");
        spec.remove("preference");
    }
    Ok(whole)
}

/// Puts in what an instance type says.
fn size(spec: &mut Value, size: &Value, preference: &Value) -> Result<(), Refusal> {
    let mut wrong = Vec::new();
    let mut said = SIZES
        .iter()
        .filter_map(|(from, to)| Some(((*to).to_owned(), size.pointer(from)?.clone())))
        .collect::<Vec<_>>();
    if let Some(count) = size.pointer("/cpu/guest").and_then(Value::as_u64) {
        let wanted = topology(count, preference["cpu"]["preferredCPUTopology"].as_str().unwrap_or_default());
        for (field, number) in ["sockets", "cores", "threads"].iter().zip(wanted) {
            said.push((format!("/domain/cpu/{field}"), number.into()));
        }
    }
    for (path, value) in said {
        match spec.pointer(&path) {
            Some(present) if !present.is_null() => {
                wrong.push(format!("spec.template.spec{}", path.replace('/', ".")));
            }
            _ => put(spec, &path, value),
        }
    }
    for (name, value) in size["nodeSelector"].as_object().into_iter().flatten() {
        let path = format!("/nodeSelector/{}", name.replace('~', "~0").replace('/', "~1"));
        if spec.pointer(&path).is_none() {
            put(spec, &path, value.clone());
        }
    }
    if wrong.is_empty() {
        return Ok(());
    }
    Err(Refusal::internal(format!("VM field(s) {} conflicts with selected instance type", wrong.join(", "))))
}

/// Processors as sockets, cores and threads of each.
fn topology(count: u64, preferred: &str) -> [u64; 3] {
    match preferred {
        "cores" | "preferCores" => [1, count, 1],
        "threads" | "preferThreads" => [1, 1, count],
        // Two cores for each socket, where it goes up.
        "spread" | "preferSpread" if count.is_multiple_of(2) => [count / 2, 2, 1],
        _ => [count, 1, 1],
    }
}

/// Fills in what a preference says and nobody else has said.
fn fill(spec: &mut Value, preference: &Value) {
    for (from, to) in TASTES {
        if let Some(value) = preference.pointer(from)
            && spec.pointer(to).is_none_or(Value::is_null)
        {
            put(spec, to, value.clone());
        }
    }
    let devices = &preference["devices"];
    for disk in list(spec, "/domain/devices/disks") {
        for (kind, bus) in
            [("disk", "preferredDiskBus"), ("cdrom", "preferredCdromBus"), ("lun", "preferredLunBus")]
        {
            let as_disk = kind == "disk" && disk["cdrom"].is_null() && disk["lun"].is_null();
            if as_disk && disk["disk"].is_null() && !devices[bus].is_null() {
                disk["disk"] = json!({});
            }
            if disk[kind].is_object() {
                default(&mut disk[kind], "bus", &devices[bus]);
            }
        }
        for (field, from) in [
            ("cache", "preferredDiskCache"),
            ("io", "preferredDiskIO"),
            ("dedicatedIOThread", "preferredDiskDedicatedIoThread"),
            ("blockSize", "preferredDiskBlockSize"),
        ] {
            default(disk, field, &devices[from]);
        }
    }
    for interface in list(spec, "/domain/devices/interfaces") {
        default(interface, "model", &devices["preferredInterfaceModel"]);
    }
    for input in list(spec, "/domain/devices/inputs") {
        default(input, "bus", &devices["preferredInputBus"]);
        default(input, "type", &devices["preferredInputType"]);
    }
}

/// The annotations that a type brings along.
fn annotate(machine: &mut Value, kind: &Value) {
    for (name, value) in kind["spec"]["annotations"].as_object().into_iter().flatten() {
        let path =
            format!("/spec/template/metadata/annotations/{}", name.replace('~', "~0").replace('/', "~1"));
        if machine.pointer(&path).is_none() {
            put(machine, &path, value.clone());
        }
    }
}

/// The objects of a list.
fn list<'a>(spec: &'a mut Value, path: &str) -> impl Iterator<Item = &'a mut Value> {
    let list = spec.pointer_mut(path).and_then(Value::as_array_mut);
    list.into_iter().flatten().filter(|one| one.is_object())
}

fn default(object: &mut Value, field: &str, value: &Value) {
    if !value.is_null() && object[field].is_null() {
        object[field] = value.clone();
    }
}

/// Puts a value at a JSON pointer, with the objects on the way to it. What is no object on the way stays as it is.
fn put(object: &mut Value, path: &str, value: Value) {
    let mut place = object;
    for part in path.split('/').skip(1) {
        let part = part.replace("~1", "/").replace("~0", "~");
        if place.is_null() {
            *place = Value::Object(Map::new());
        }
        let Some(fields) = place.as_object_mut() else { return };
        place = fields.entry(part).or_insert(Value::Null);
    }
    *place = value;
}

#[cfg(test)]
mod tests {
    use super::*;

    fn machine() -> Value {
        json!({
            "apiVersion": "kubevirt.io/v1", "kind": "VirtualMachine", "metadata": {"name": "a"},
            "spec": {
                "instancetype": {"name": "u1.medium"}, "preference": {"name": "fedora"}, "runStrategy": "Always",
                "template": {"spec": {"domain": {"devices": {
                    "disks": [{"name": "root"}, {"name": "old", "disk": {"bus": "sata"}}, {"name": "cd", "cdrom": {}}],
                    "interfaces": [{"name": "default", "masquerade": {}}],
                }}}},
            },
        })
    }

    #[allow(clippy::needless_pass_by_value, reason = "it reads better where it is called")]
    fn kind(spec: Value) -> Value {
        json!({"metadata": {"name": "x"}, "spec": spec})
    }

    #[test]
    fn types_are_written_out() {
        let size = kind(json!({
            "cpu": {"guest": 4, "dedicatedCPUPlacement": true}, "memory": {"guest": "4Gi"}, "nodeSelector": {"a/b": "c"},
            "annotations": {"of/size": "1"},
        }));
        let taste = kind(json!({
            "cpu": {"preferredCPUTopology": "cores"},
            "devices": {"preferredDiskBus": "virtio", "preferredCdromBus": "sata", "preferredInterfaceModel": "virtio"},
            "machine": {"preferredMachineType": "q35"}, "preferredTerminationGracePeriodSeconds": 60,
        }));
        let whole = expand(&machine(), [Some(&size), Some(&taste)]).unwrap();
        assert!(whole["spec"]["instancetype"].is_null() && whole["spec"]["preference"].is_null());
        assert_eq!(whole["spec"]["runStrategy"], "Always");
        assert_eq!(
            whole["spec"]["template"],
            json!({
                "metadata": {"annotations": {"of/size": "1"}},
                "spec": {
                    "terminationGracePeriodSeconds": 60, "nodeSelector": {"a/b": "c"},
                    "domain": {
                        "cpu": {"sockets": 1, "cores": 4, "threads": 1, "dedicatedCpuPlacement": true},
                        "memory": {"guest": "4Gi"}, "machine": {"type": "q35"},
                        "devices": {
                            "disks": [
                                {"name": "root", "disk": {"bus": "virtio"}}, {"name": "old", "disk": {"bus": "sata"}},
                                {"name": "cd", "cdrom": {"bus": "sata"}},
                            ],
                            "interfaces": [{"name": "default", "masquerade": {}, "model": "virtio"}],
                        },
                    },
                },
            })
        );
    }

    #[test]
    fn what_speaks_against_the_size_is_named() {
        let mut own = machine();
        own["spec"]["template"]["spec"]["domain"]["cpu"] = json!({"cores": 2});
        own["spec"]["preference"] = Value::Null;
        let size = kind(json!({"cpu": {"guest": 4}, "memory": {"guest": "4Gi"}}));
        let refusal = expand(&own, [Some(&size), None]).unwrap_err();
        assert_eq!(
            refusal.message(),
            "Internal error occurred: VM field(s) spec.template.spec.domain.cpu.cores conflicts with selected instance type"
        );
    }

    #[test]
    fn a_type_that_is_not_there_is_an_error() {
        let refusal = expand(&machine(), [None, None]).unwrap_err();
        let text = "virtualmachineclusterinstancetypes.instancetype.kubevirt.io \"u1.medium\" not found";
        assert_eq!(
            (refusal.code.as_u16(), refusal.message()),
            (500, format!("Internal error occurred: {text}").as_str())
        );
    }

    #[test]
    fn processors_have_a_topology() {
        for (count, preferred, wanted) in [
            (4, "", [4, 1, 1]),
            (4, "sockets", [4, 1, 1]),
            (4, "preferCores", [1, 4, 1]),
            (2, "threads", [1, 1, 2]),
            (6, "spread", [3, 2, 1]),
            (3, "spread", [3, 1, 1]),
        ] {
            assert_eq!(topology(count, preferred), wanted, "{count} {preferred}");
        }
    }
}
