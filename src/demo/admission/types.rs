//! Types of fields, as the webhooks that fill in machines look at them before they do anything.

use serde_json::Value;

use super::place::{Causes, Spot};
use super::quantity::Quantity;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Type {
    Array,
    Boolean,
    Integer,
    Object,
    String,
    /// Told in another way, and only when everything else has its type.
    Quantity,
}
use Type::{Array, Boolean, Integer, Object, String};

impl Type {
    fn name(self) -> &'static str {
        match self {
            Array => "array",
            Boolean => "boolean",
            Integer => "integer",
            Object => "object",
            String | Self::Quantity => "string",
        }
    }

    fn is_of(self, value: &Value) -> bool {
        match self {
            Array => value.is_array(),
            Boolean => value.is_boolean(),
            Integer => value.is_i64() || value.is_u64(),
            Object => value.is_object(),
            String => value.is_string(),
            Self::Quantity => true,
        }
    }
}

/// Where fields stand, their type, and their names. `[]` stands for every item of a list, `*` for every field.
type Row = (&'static str, Type, &'static str);

const DISK: &str = "domain.devices.disks[]";
const INTERFACE: &str = "domain.devices.interfaces[]";

/// Fields of an instance, below its `spec`.
const INSTANCE: &[Row] = &[
    ("", Object, "domain nodeSelector affinity readinessProbe livenessProbe dnsConfig"),
    ("", Array, "volumes networks tolerations accessCredentials topologySpreadConstraints"),
    ("", String, "hostname subdomain architecture evictionStrategy priorityClassName schedulerName"),
    ("", String, "dnsPolicy startStrategy serviceAccountName"),
    ("", Integer, "terminationGracePeriodSeconds"),
    ("domain", Object, "cpu memory devices firmware machine resources features clock chassis launchSecurity"),
    ("domain", String, "ioThreadsPolicy rebootPolicy"),
    ("domain.cpu", Integer, "cores sockets threads maxSockets"),
    ("domain.cpu", Boolean, "dedicatedCpuPlacement isolateEmulatorThread"),
    ("domain.cpu", String, "model"),
    ("domain.cpu", Array, "features"),
    ("domain.cpu", Object, "numa realtime"),
    ("domain.memory", Type::Quantity, "guest maxGuest reservedOverhead"),
    ("domain.memory", Object, "hugepages"),
    ("domain.memory.hugepages", String, "pageSize"),
    ("domain.machine", String, "type"),
    ("domain.resources", Object, "requests limits"),
    ("domain.resources", Boolean, "overcommitGuestOverhead"),
    ("domain.resources.requests", Type::Quantity, "*"),
    ("domain.resources.limits", Type::Quantity, "*"),
    ("domain.firmware", String, "uuid serial"),
    ("domain.firmware", Object, "bootloader kernelBoot acpi"),
    ("domain.firmware.bootloader", Object, "efi bios"),
    ("domain.firmware.bootloader.efi", Boolean, "secureBoot persistent"),
    ("domain.firmware.bootloader.bios", Boolean, "useSerial"),
    ("domain.firmware.kernelBoot", String, "kernelArgs"),
    ("domain.firmware.kernelBoot", Object, "container"),
    ("domain.features", Object, "acpi apic smm pae kvm hyperv pvspinlock hypervPassthrough"),
    ("domain.features.smm", Boolean, "enabled"),
    ("domain.features.acpi", Boolean, "enabled"),
    ("domain.devices", Array, "disks interfaces inputs gpus hostDevices filesystems"),
    ("domain.devices", Object, "rng tpm watchdog sound video clientPassthrough"),
    ("domain.devices", Boolean, "autoattachGraphicsDevice autoattachSerialConsole autoattachPodInterface"),
    ("domain.devices", Boolean, "autoattachMemBalloon autoattachVSOCK logSerialConsole blockMultiQueue"),
    ("domain.devices", Boolean, "networkInterfaceMultiqueue useVirtioTransitional disableHotplug"),
    ("domain.devices.tpm", Boolean, "enabled persistent"),
    (DISK, String, "name serial cache io errorPolicy tag"),
    (DISK, Object, "disk lun cdrom blockSize"),
    (DISK, Integer, "bootOrder"),
    (DISK, Boolean, "dedicatedIOThread shareable"),
    ("domain.devices.disks[].disk", String, "bus pciAddress"),
    ("domain.devices.disks[].disk", Boolean, "readonly"),
    ("domain.devices.disks[].lun", String, "bus"),
    ("domain.devices.disks[].lun", Boolean, "readonly reservation"),
    ("domain.devices.disks[].cdrom", String, "bus tray"),
    ("domain.devices.disks[].cdrom", Boolean, "readonly"),
    (INTERFACE, String, "name model macAddress pciAddress state tag"),
    (INTERFACE, Object, "bridge masquerade sriov passtBinding binding dhcpOptions"),
    (INTERFACE, Integer, "bootOrder acpiIndex"),
    (INTERFACE, Array, "ports"),
    ("domain.devices.interfaces[].ports[]", Integer, "port"),
    ("domain.devices.interfaces[].ports[]", String, "name protocol"),
    ("domain.devices.inputs[]", String, "name type bus"),
    ("readinessProbe", Integer, "initialDelaySeconds timeoutSeconds periodSeconds successThreshold"),
    ("readinessProbe", Integer, "failureThreshold"),
    ("livenessProbe", Integer, "initialDelaySeconds timeoutSeconds periodSeconds successThreshold"),
    ("livenessProbe", Integer, "failureThreshold"),
    ("dnsConfig", Array, "nameservers searches options"),
    ("networks[]", String, "name"),
    ("networks[]", Object, "pod multus"),
    ("networks[].multus", String, "networkName"),
    ("networks[].multus", Boolean, "default"),
    ("volumes[]", String, "name"),
    ("volumes[]", Object, "containerDisk dataVolume persistentVolumeClaim cloudInitNoCloud secret configMap"),
    ("volumes[]", Object, "cloudInitConfigDrive emptyDisk ephemeral hostDisk sysprep serviceAccount"),
    ("volumes[].containerDisk", String, "image path imagePullPolicy imagePullSecret"),
    ("volumes[].dataVolume", String, "name"),
    ("volumes[].dataVolume", Boolean, "hotpluggable"),
    ("volumes[].persistentVolumeClaim", String, "claimName"),
    ("volumes[].persistentVolumeClaim", Boolean, "hotpluggable readOnly"),
    ("volumes[].cloudInitNoCloud", String, "userData userDataBase64 networkData networkDataBase64"),
    ("volumes[].cloudInitNoCloud", Object, "secretRef networkDataSecretRef"),
    ("volumes[].cloudInitConfigDrive", String, "userData userDataBase64 networkData networkDataBase64"),
    ("volumes[].cloudInitConfigDrive", Object, "secretRef networkDataSecretRef"),
    ("volumes[].emptyDisk", Type::Quantity, "capacity"),
    ("volumes[].hostDisk", Type::Quantity, "capacity"),
];

/// Fields of a machine, below its `spec`.
const MACHINE: &[Row] = &[
    ("", Object, "template instancetype preference"),
    ("", String, "runStrategy updateVolumesStrategy"),
    ("", Boolean, "running"),
    ("", Array, "dataVolumeTemplates"),
    ("template", Object, "metadata spec"),
    ("template.metadata", Object, "labels annotations"),
    ("instancetype", String, "name kind revisionName inferFromVolume"),
    ("preference", String, "name kind revisionName inferFromVolume"),
    ("dataVolumeTemplates[]", Object, "metadata spec"),
    ("dataVolumeTemplates[].spec", Object, "source sourceRef pvc storage"),
    ("dataVolumeTemplates[].spec.pvc.resources.requests", Type::Quantity, "*"),
    ("dataVolumeTemplates[].spec.storage.resources.requests", Type::Quantity, "*"),
];

/// What is missing or has another type; then what of the amounts cannot be read. At `spec` of an instance.
pub(super) fn instance(spec: &Spot<'_>, causes: &mut Causes) -> Result<(), &'static str> {
    if !spec.value.is_object() {
        causes.plain(missing_or_wrong(spec));
    } else if !spec.get("domain").is_set() {
        causes.plain(format!("{} in body is required", spec.at("domain")));
    } else if spec.get("domain").value.is_object() && !spec.get("domain.devices").is_set() {
        causes.plain(format!("{} in body is required", spec.at("domain.devices")));
    }
    look(spec, INSTANCE, causes)
}

/// The same at `spec` of a machine.
pub(super) fn machine(spec: &Spot<'_>, causes: &mut Causes) -> Result<(), &'static str> {
    if !spec.value.is_object() {
        causes.plain(missing_or_wrong(spec));
        return Ok(());
    }
    let template = spec.get("template");
    if !template.is_set() {
        causes.plain(format!("{} in body is required", template.path));
    }
    let own = look(spec, MACHINE, causes);
    if template.value.is_object() && template.get("spec").is_set() {
        own.and(instance(&template.get("spec"), causes))
    } else {
        own
    }
}

fn missing_or_wrong(spot: &Spot<'_>) -> std::string::String {
    if spot.is_set() { wrong(spot, Object) } else { format!("{} in body is required", spot.path) }
}

fn look(root: &Spot<'_>, rows: &[Row], causes: &mut Causes) -> Result<(), &'static str> {
    let mut amounts = Ok(());
    for (path, wanted, names) in rows {
        each(root, path, &mut |parent| {
            let Some(fields) = parent.value.as_object() else { return };
            let all = fields.keys().map(std::string::String::as_str).filter(|_| *names == "*");
            for name in all.chain(names.split(' ').filter(|name| *name != "*")) {
                let Some(value) = fields.get(name).filter(|value| !value.is_null()) else { continue };
                if *wanted == Type::Quantity {
                    amounts = amounts.and(Quantity::of(value).map(|_| ()));
                } else if !wanted.is_of(value) {
                    causes.plain(wrong(&Spot::new(value, &parent.at(name)), *wanted));
                }
            }
        });
    }
    amounts
}

/// Every spot that a path leads to.
fn each(spot: &Spot<'_>, path: &str, found: &mut dyn FnMut(&Spot<'_>)) {
    match path.split_once("[]") {
        _ if path.is_empty() => found(spot),
        None => found(&spot.get(path)),
        Some((list, rest)) => {
            let rest = rest.strip_prefix('.').unwrap_or(rest);
            spot.get(list).items().for_each(|item| each(&item, rest, found));
        }
    }
}

fn wrong(spot: &Spot<'_>, wanted: Type) -> std::string::String {
    let is = match spot.value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(number) if number.is_f64() => "number",
        Value::Number(_) => "integer",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    };
    format!("{} in body must be of type {}: \"{is}\"", spot.path, wanted.name())
}
