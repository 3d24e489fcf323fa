//! Each mistake that a real virt-api was asked about, on a good machine with one thing broken.

use serde_json::{Value, json};

use super::{VMS, api, good, set, told};

const VALIDATOR: &str = "virtualmachine-validator.kubevirt.io";
const MUTATOR: &str = "virtualmachines-mutator.kubevirt.io";
const QUANTITY: &str =
    "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'";

/// What is changed (below `spec.template.spec`, or with `/` before it, below the machine), the fields of the causes, and
/// the message. `…` stands for `spec.template.spec.`.
struct Row {
    name: &'static str,
    set: Vec<(&'static str, Value)>,
    fields: Vec<&'static str>,
    text: &'static str,
}

fn row(
    name: &'static str,
    set: &[(&'static str, Value)],
    fields: &[&'static str],
    text: &'static str,
) -> Row {
    Row { name, set: set.to_vec(), fields: fields.to_vec(), text }
}

pub(super) fn changed(set_of: &[(&'static str, Value)]) -> Value {
    let mut vm = good();
    for (path, value) in set_of {
        match path.strip_prefix('/') {
            Some(path) => set(&mut vm, path, value.clone()),
            None => set(&mut vm, &format!("spec.template.spec.{path}"), value.clone()),
        }
    }
    vm
}

fn template(spec: &Value) -> Value {
    json!([{"metadata": {"name": "data"}, "spec": spec}])
}

fn disk() -> Value {
    json!({"source": {"blank": {}}, "storage": {"resources": {"requests": {"storage": "1Gi"}}}})
}

#[rustfmt::skip]
fn refused() -> Vec<Row> {
    let d0 = "domain.devices.disks.0";
    let i0 = "domain.devices.interfaces.0";
    let cloud = |data: Value| json!({"name": "init", "cloudInitNoCloud": data});
    let on = |name: &str| json!({"name": name, "disk": {"bus": "virtio"}});
    let long: &'static str = Box::leak("x".repeat(257).into_boxed_str());
    let name64: &'static str = Box::leak("x".repeat(64).into_boxed_str());
    vec![
        row("disk without volume", &[("domain.devices.disks.1", on("data"))], &["…domain.devices.disks[1].name"], "…domain.devices.disks[1].Name 'data' not found."),
        row("two disks of one name", &[("domain.devices.disks.1", on("root"))], &["…domain.devices.disks[1].name"], "…domain.devices.disks[1] and …domain.devices.disks[0] must not have the same Name."),
        row("unknown bus", &[("domain.devices.disks.0.disk.bus", json!("nvme"))], &["…domain.devices.disks[0].disk.bus"], "…domain.devices.disks[0] is set with an unrecognized bus nvme, must be one of: [virtio scsi sata usb]"),
        row("bus ide on q35", &[("domain.devices.disks.0.disk.bus", json!("ide"))], &["…domain.devices.disks[0].disk.bus"], "IDE bus is not supported"),
        row("disk and cdrom at once", &[("domain.devices.disks.0.cdrom", json!({"bus": "sata"}))], &["…domain.devices.disks[0]"], "…domain.devices.disks[0] can only have a single target type defined"),
        row("boot order 0", &[("domain.devices.disks.0.bootOrder", json!(0))], &["…domain.devices.disks[0].bootOrder"], "…domain.devices.disks[0] must have a boot order > 0, if supplied"),
        row("boot order twice", &[("domain.devices.disks.0.bootOrder", json!(1)), ("domain.devices.interfaces.0.bootOrder", json!(1))], &["…domain.devices.interfaces[0].bootOrder"], "Boot order for …domain.devices.interfaces[0].bootOrder already set for a different device."),
        row("serial too long", &[("domain.devices.disks.0.serial", json!(long))], &["…domain.devices.disks[0].serial"], "…domain.devices.disks[0] must be less than or equal to 256 in length, if specified"),
        row("bad cache", &[("domain.devices.disks.0.cache", json!("fast"))], &["…domain.devices.disks[0].cache"], "…domain.devices.disks[0].cache has invalid value fast"),
        row("interface without network", &[("networks", json!([]))], &["…domain.devices.interfaces[0].name", "…domain.devices.interfaces[0].name"], "Masquerade interface only implemented with pod network, …domain.devices.interfaces[0].name 'default' not found."),
        row("network without interface", &[("networks.1", json!({"name": "x", "multus": {"networkName": "lan"}}))], &["…networks[1].name"], "…networks[1].name 'x' not found."),
        row("two pod networks", &[("networks.1", json!({"name": "x", "pod": {}})), ("domain.devices.interfaces.1", json!({"name": "x", "masquerade": {}}))], &["…interfaces"], "more than one interface is connected to a pod network in …interfaces"),
        row("bridge and masquerade", &[("domain.devices.interfaces.0.bridge", json!({}))], &["…domain.devices.interfaces[0]"], "logical default interface must have exactly one binding method or binding plugin"),
        row("bad mac", &[("domain.devices.interfaces.0.macAddress", json!("zz:00"))], &["…domain.devices.interfaces[0].macAddress"], "interface …domain.devices.interfaces[0].name has malformed MAC address (zz:00)."),
        row("unknown model", &[("domain.devices.interfaces.0.model", json!("virtio-fast"))], &["…domain.devices.interfaces[0].model"], "interface …domain.devices.interfaces[0].name uses model virtio-fast that is not supported."),
        row("port 0", &[("domain.devices.interfaces.0.ports", json!([{"port": 0}]))], &["…domain.devices.interfaces[0].ports[0].port"], "Port field is mandatory."),
        row("port name twice", &[("domain.devices.interfaces.0.ports", json!([{"name": "a", "port": 80}, {"name": "a", "port": 81}]))], &["…domain.devices.interfaces[0].ports[1].name"], "Duplicate name of the port: a"),
        row("slirp", &[(i0, json!({"name": "default", "slirp": {}}))], &["spec.domain.devices.interfaces[0].slirp"], "Slirp interface support has been discontinued since v1.3"),
        row("memory text", &[("domain.memory.guest", json!("lots"))], &[], QUANTITY),
        row("memory request above limit", &[("domain.resources", json!({"requests": {"memory": "2Gi"}, "limits": {"memory": "1Gi"}}))], &["…domain.resources.requests.memory"], "…domain.resources.requests.memory '2Gi' is greater than …domain.resources.limits.memory '1Gi'"),
        row("hugepages odd", &[("domain.memory.hugepages", json!({"pageSize": "3Mi"}))], &["…domain.resources.requests.memory"], "…domain.resources.requests.memory '0' is not a multiple of the page size …domain.memory.hugepages.pageSize '3Mi'"),
        row("max guest below guest", &[("domain.memory.maxGuest", json!("512Mi"))], &["…domain.memory.guest"], "Guest memory is greater than the configured maxGuest memory"),
        row("cpu cores text", &[("domain.cpu.cores", json!("two"))], &[], "…domain.cpu.cores in body must be of type integer: \"string\""),
        row("cpu negative request", &[("domain.resources", json!({"requests": {"cpu": "-1"}}))], &["…domain.resources.requests.cpu"], "…domain.resources.requests.cpu '-1': must be greater than or equal to 0."),
        row("dedicated cpu with fraction", &[("domain.cpu.dedicatedCpuPlacement", json!(true)), ("domain.resources", json!({"requests": {"cpu": "1500m"}, "limits": {"cpu": "1500m"}}))],
            &["…domain.resources.requests.cpu", "…domain.resources.limits.cpu", "…domain.cpu.dedicatedCpuPlacement"],
            "provided resources CPU requests must be an interger, provided resources CPU limits must be an interger, …domain.resources.requests.cpu or …domain.resources.limits.cpu must not be provided at the same time with …domain.cpu.cores when DedicatedCPUPlacement is true "),
        row("max sockets below sockets", &[("domain.cpu", json!({"sockets": 4, "maxSockets": 2}))], &["…domain.cpu.sockets", "…domain.cpu.sockets"], "Number of sockets in CPU topology is greater than the maximum sockets allowed, Number of sockets in CPU topology is greater than the maximum sockets allowed"),
        row("numa without dedicated", &[("domain.cpu.numa", json!({"guestMappingPassthrough": {}}))], &["…domain.cpu.numa.guestMappingPassthrough", "…domain.cpu.numa.guestMappingPassthrough"],
            "…domain.cpu.dedicatedCpuPlacement must be set to true when NUMA topology strategy is set in …domain.cpu.numa.guestMappingPassthrough, …domain.memory.hugepages must be requested when NUMA topology strategy is set in …domain.cpu.numa.guestMappingPassthrough"),
        row("secure boot without smm", &[("domain.firmware", json!({"bootloader": {"efi": {"secureBoot": true}}}))], &["…domain"], "…domain has EFI SecureBoot enabled. SecureBoot requires SMM, which is currently disabled."),
        row("bios and efi", &[("domain.firmware", json!({"bootloader": {"efi": {}, "bios": {}}}))], &["…domain.firmware.bootloader", "…domain"], "…domain.firmware.bootloader has both EFI and BIOS configured, but they are mutually exclusive., …domain has EFI SecureBoot enabled. SecureBoot requires SMM, which is currently disabled."),
        row("unknown machine type", &[("domain.machine", json!({"type": "pc-i440fx-99"}))], &["…domain.machine.type"], "…domain.machine.type is not supported: pc-i440fx-99 (allowed values: [q35* pc-q35*])"),
        row("kernel boot without container", &[("domain.firmware", json!({"kernelBoot": {"kernelArgs": "quiet"}}))], &["…domain.firmware.kernelBoot.kernelArgs"], "kernel arguments cannot be provided without an external kernel"),
        row("cloud-init too long", &[("domain.devices.disks.1", on("init")), ("volumes.1", cloud(json!({"userData": "x".repeat(2049)})))], &["…volumes[1].cloudInitNoCloud"], "…volumes[1].cloudInitNoCloud userdata exceeds 2048 byte limit. Should use UserDataSecretRef for larger data."),
        row("cloud-init empty", &[("domain.devices.disks.1", on("init")), ("volumes.1", cloud(json!({})))], &["…volumes[1].cloudInitNoCloud"], "…volumes[1].cloudInitNoCloud must have at least one userdatasource or one networkdatasource set."),
        row("cloud-init twice the data", &[("domain.devices.disks.1", on("init")), ("volumes.1", cloud(json!({"userData": "a", "userDataBase64": "YQ=="})))], &["…volumes[1].cloudInitNoCloud"], "…volumes[1].cloudInitNoCloud must have only one userdatasource set."),
        row("cloud-init bad base64", &[("domain.devices.disks.1", on("init")), ("volumes.1", cloud(json!({"userDataBase64": "%%%"})))], &["…volumes[1].cloudInitNoCloud.userDataBase64"], "…volumes[1].cloudInitNoCloud.userDataBase64.cloudInitNoCloud.userDataBase64 is not a valid base64 value."),
        row("volume with two sources", &[("volumes.0.emptyDisk", json!({"capacity": "1Gi"}))], &["…volumes[0]"], "…volumes[0] must have exactly one source type set"),
        row("volume with none", &[("volumes.0.containerDisk", Value::Null)], &["…volumes[0]"], "…volumes[0] must have exactly one source type set"),
        row("containerDisk path relative", &[("volumes.0.containerDisk.path", json!("disk/a.img"))], &["…volumes[0].containerDisk"], "…volumes[0].containerDisk must be an absolute path to a file without relative components"),
        row("volume name too long", &[("domain.devices.disks.0.name", json!(name64)), ("volumes.0.name", json!(name64))], &["…domain.devices.disks.domain.devices.disks[0].name"], "must be no more than 63 characters"),
        row("run strategy unknown", &[("/spec.runStrategy", json!("Sometimes"))], &["spec.runStrategy"], "Invalid RunStrategy (Sometimes)"),
        row("running and runStrategy", &[("/spec.running", json!(true))], &["spec.running"], "Running and RunStrategy are mutually exclusive. Note that Running is deprecated, please use RunStrategy instead"),
        row("neither running nor runStrategy", &[("/spec.runStrategy", Value::Null)], &["spec.running"], "RunStrategy must be specified"),
        row("no template", &[("/spec.template", Value::Null)], &[], "spec.template in body is required"),
        row("DataVolume template unused", &[("/spec.dataVolumeTemplates", template(&disk()))], &["spec.dataVolumeTemplate[0]"], "DataVolumeTemplate entry spec.dataVolumeTemplate[0] must be referenced in the VMI template's 'volumes' list"),
        row("DataVolume template without name", &[("/spec.dataVolumeTemplates", json!([{"metadata": {}, "spec": disk()}]))], &["spec.dataVolumeTemplate[0].name"], "'name' field must not be empty for DataVolumeTemplate entry spec.dataVolumeTemplate[0].name."),
        row("wrong type", &[("domain.devices.disks", json!("root"))], &[], "…domain.devices.disks in body must be of type array: \"string\""),
        row("eviction strategy unknown", &[("evictionStrategy", json!("Maybe"))], &["…evictionStrategy"], "…evictionStrategy is set with an unrecognized option: Maybe"),
        row("probe without handler", &[("readinessProbe", json!({"periodSeconds": 5}))], &["…readinessProbe"], "either …readinessProbe.tcpSocket, …readinessProbe.exec or …readinessProbe.httpGet must be set if a …readinessProbe is specified"),
        row("affinity broken", &[("affinity", json!({"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": []}}}))], &["…nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms"], "…nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms: Required value: must have at least one node selector term"),
        row("dns policy None without config", &[("dnsPolicy", json!("None"))], &["…dnsConfig"], "must provide `dnsConfig` when `dnsPolicy` is None"),
        row("access credential without agent", &[("accessCredentials", json!([{"sshPublicKey": {"source": {"secret": {"secretName": "k"}}, "propagationMethod": {"qemuGuestAgent": {"users": []}}}}]))], &["…accessCredentials[0].sshPublicKey.propagationMethod.qemuGuestAgent.users"], "…accessCredentials[0] requires at least one user to be present in the users list"),
        row("access credential noCloud without volume", &[("accessCredentials", json!([{"sshPublicKey": {"source": {"secret": {"secretName": "k"}}, "propagationMethod": {"noCloud": {}}}}]))], &["…accessCredentials[0].sshPublicKey.propagationMethod"], "…accessCredentials[0] requires a noCloud volume to exist when the noCloud propagationMethod is in use."),
        row("host device without gate", &[("domain.devices.hostDevices", json!([{"name": "a", "deviceName": "vendor.example/a"}]))], &["…HostDevices"], "Host Devices feature gate is not enabled in kubevirt-config"),
        row("input bus", &[("domain.devices.inputs", json!([{"name": "a", "type": "keyboard", "bus": "usb"}]))], &["…domain.devices.inputs[0].type"], "Input device can have only tablet type."),
        row("hostname too long", &[("hostname", json!(name64))], &["…hostname"], "…hostname does not conform to the kubernetes DNS_LABEL rules : must be no more than 63 characters"),
        row("subdomain bad", &[("subdomain", json!("Shop_1"))], &["…subdomain"], "…subdomain does not conform to the kubernetes DNS_SUBDOMAIN rules : a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')"),
        row("many disks", &[("domain.devices.disks.1", on("data")), ("volumes.1", json!({"name": "data", "emptyDisk": {"capacity": "1 Gi"}}))], &[], QUANTITY),
        // Not in the table, but of the same kind.
        row("domain without devices", &[("domain.devices", Value::Null)], &[], "…domain.devices in body is required"),
        row("interface without binding", &[("domain.devices.interfaces.0.masquerade", Value::Null)], &["…domain.devices.interfaces[0]"], "logical default interface must have exactly one binding method or binding plugin"),
        row("two sources of one template", &[("/spec.dataVolumeTemplates", template(&json!({"source": {"blank": {}, "upload": {}}, "storage": {}})))], &["spec.dataVolumeTemplate[0].source"], "Multiple dataVolume sources"),
        row("cdrom on virtio", &[(d0, json!({"name": "root", "cdrom": {"bus": "virtio"}}))], &["…domain.devices.disks[0].cdrom.bus"], "Bus type virtio is invalid for CD-ROM device"),
    ]
}

#[tokio::test]
async fn mistakes_are_refused_as_the_real_one_does() {
    let api = api();
    let strict = format!("{VMS}?dryRun=All&fieldValidation=Strict");
    for row in refused() {
        let long = |text: &str| text.replace('…', "spec.template.spec.");
        let (code, status) = api.post(&strict, changed(&row.set)).await;
        let plain = row.text == QUANTITY;
        let webhook = if row.fields.is_empty() { MUTATOR } else { VALIDATOR };
        let wanted = (
            if plain { 400 } else { 422 },
            if plain { "" } else { "Invalid" }.to_owned(),
            row.fields.iter().map(|field| long(field)).collect(),
            format!("admission webhook {webhook:?} denied the request: {}", long(row.text)),
        );
        assert_eq!(told(code, &status), wanted, "{}", row.name);
        assert_eq!(status["details"].is_null(), plain, "{}: {status}", row.name);
    }
}

#[tokio::test]
async fn what_the_api_server_refuses_comes_first() {
    let api = api();
    let unknown = changed(&[("domain.memorry", json!({}))]);
    let (code, status) = api.post(&format!("{VMS}?fieldValidation=Strict"), unknown).await;
    let text = "VirtualMachine in version \"v1\" cannot be handled as a VirtualMachine: strict decoding error: unknown field \
                \"spec.template.spec.domain.memorry\"";
    assert_eq!(told(code, &status), (400, "BadRequest".to_owned(), vec![], text.to_owned()));
    let (code, status) = api.post(VMS, changed(&[("/metadata.name", json!("Web"))])).await;
    let (code, reason, fields, message) = told(code, &status);
    assert_eq!((code, reason.as_str(), fields), (422, "Invalid", vec!["metadata.name".to_owned()]));
    let start = "VirtualMachine.kubevirt.io \"Web\" is invalid: metadata.name: Invalid value: \"Web\": a lowercase RFC 1123 \
                 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an \
                 alphanumeric character";
    assert!(message.starts_with(start), "{message}");
    let (code, status) = api.post(&VMS.replace("default", "nowhere"), good()).await;
    let wanted = (404, "NotFound".to_owned(), vec![], "namespaces \"nowhere\" not found".to_owned());
    assert_eq!(told(code, &status), wanted);
}

#[rustfmt::skip]
fn accepted() -> Vec<(&'static str, Vec<(&'static str, Value)>)> {
    let on = |name: &str| json!({"name": name, "disk": {"bus": "virtio"}});
    let claim = json!({"source": {"blank": {}}, "pvc": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}});
    vec![
        ("a good one", vec![]),
        ("volume without disk", vec![("volumes.1", json!({"name": "x", "persistentVolumeClaim": {"claimName": "x"}}))]),
        ("no bus at all", vec![("domain.devices.disks.0", json!({"name": "root"}))]),
        ("no memory", vec![("domain.memory", Value::Null)]),
        ("memory negative", vec![("domain.memory.guest", json!("-1Gi"))]),
        ("guest memory above limit", vec![("domain.resources", json!({"limits": {"memory": "512Mi"}}))]),
        ("both cloud-init kinds", vec![
            ("domain.devices.disks.1", on("a")), ("domain.devices.disks.2", on("b")),
            ("volumes.1", json!({"name": "a", "cloudInitNoCloud": {"userData": "x"}})),
            ("volumes.2", json!({"name": "b", "cloudInitConfigDrive": {"userData": "x"}})),
        ]),
        ("sourceRef to nothing", vec![
            ("/spec.dataVolumeTemplates", template(&json!({"sourceRef": {"kind": "DataSource", "name": "gone"}, "storage": {}}))),
            ("volumes.0", json!({"name": "root", "dataVolume": {"name": "data"}})),
        ]),
        ("instance type missing", vec![("/spec.instancetype", json!({"name": "gone"})), ("domain.memory", Value::Null), ("domain.cpu", Value::Null)]),
        ("instance type and cpu", vec![("/spec.instancetype", json!({"name": "gone"}))]),
        ("preference missing", vec![("/spec.preference", json!({"name": "gone"}))]),
        ("LiveMigrate on RWO", vec![
            ("/spec.dataVolumeTemplates", template(&claim)), ("volumes.0", json!({"name": "root", "dataVolume": {"name": "data"}})),
            ("evictionStrategy", json!("LiveMigrate")),
        ]),
        ("grace period negative", vec![("terminationGracePeriodSeconds", json!(-5))]),
        ("gpu unknown", vec![("domain.devices.gpus", json!([{"name": "a", "deviceName": "vendor.example/gone"}]))]),
        ("watchdog without action", vec![("domain.devices.watchdog", json!({"name": "dog", "i6300esb": {}}))]),
        ("name 70 long", vec![("/metadata.name", json!("x".repeat(70)))]),
        ("name with dots", vec![("/metadata.name", json!("web.shop"))]),
        ("clock twice", vec![("domain.clock", json!({"utc": {}, "timezone": "Europe/Berlin"}))]),
        ("timezone unknown", vec![("domain.clock", json!({"timezone": "Mars/Base"}))]),
        ("tpm persistent", vec![("domain.devices.tpm", json!({"persistent": true}))]),
        ("empty drive", vec![("domain.devices.disks.1", json!({"name": "drive", "cdrom": {"bus": "sata"}}))]),
        ("secure boot with smm", vec![("domain.firmware", json!({"bootloader": {"efi": {}}})), ("domain.features", json!({"smm": {}}))]),
        ("dedicated processors", vec![("domain.cpu", json!({"cores": 2, "dedicatedCpuPlacement": true}))]),
        ("huge pages", vec![("domain.memory.hugepages", json!({"pageSize": "2Mi"}))]),
    ]
}

#[tokio::test]
async fn what_the_real_one_lets_pass_passes() {
    for (name, set_of) in accepted() {
        let strict = format!("{VMS}?fieldValidation=Strict");
        let (code, made) = api().post(&strict, changed(&set_of)).await;
        assert_eq!(code, 201, "{name}: {made}");
    }
}

#[tokio::test]
async fn a_running_machine_may_be_changed_in_ways_that_need_a_restart() {
    let api = api();
    let (code, made) = api.post(VMS, changed(&[("/spec.runStrategy", json!("Always"))])).await;
    assert_eq!(code, 201, "{made}");
    let guest = |spec: Value| json!({"spec": {"template": {"spec": spec}}});
    for (name, change) in [
        ("change cores", guest(json!({"domain": {"cpu": {"cores": 2}}}))),
        ("raise guest memory", guest(json!({"domain": {"memory": {"guest": "2Gi"}}}))),
        ("lower guest memory", guest(json!({"domain": {"memory": {"guest": "512Mi"}}}))),
        ("remove the only disk", guest(json!({"domain": {"devices": {"disks": []}}, "volumes": []}))),
        ("run strategy to Manual", json!({"spec": {"runStrategy": "Manual"}})),
        ("add an unknown instance type", json!({"spec": {"instancetype": {"name": "gone"}}})),
    ] {
        let (code, status) = api.merge(&format!("{VMS}/web"), change).await;
        assert_eq!(code, 200, "{name}: {status}");
    }
}

#[tokio::test]
async fn an_instance_type_that_is_there_leaves_no_room() {
    let api = api();
    let types = "/apis/instancetype.kubevirt.io/v1beta1/virtualmachineclusterinstancetypes";
    let small = json!({"apiVersion": "instancetype.kubevirt.io/v1beta1", "kind": "VirtualMachineClusterInstancetype",
        "metadata": {"name": "small"}, "spec": {"cpu": {"guest": 1}, "memory": {"guest": "1Gi"}}});
    assert_eq!(api.post(types, small).await.0, 201);
    let of_type = ("/spec.instancetype", json!({"name": "small"}));
    let (code, status) = api.post(VMS, changed(std::slice::from_ref(&of_type))).await;
    let (code, _, fields, message) = told(code, &status);
    let of = ["cpu.cores", "memory.guest"].map(|field| format!("spec.template.spec.domain.{field}"));
    assert_eq!((code, fields), (422, of.to_vec()));
    let texts = of.map(|field| format!("VM field(s) {field} conflicts with selected instance type"));
    assert!(message.ends_with(&format!("denied the request: {}", texts.join(", "))), "{message}");
    let free = [of_type, ("domain.cpu", Value::Null), ("domain.memory", Value::Null)];
    let (code, status) = api.post(VMS, changed(&free)).await;
    assert_eq!(code, 201, "{status}");
}
