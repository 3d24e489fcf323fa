//! A `VirtualMachineInstance`, as text.

use super::SYNTHETIC_LABEL;
use super::disk::access;
use super::machine::{HYPERV, Machine, managed, manager, node_name};
use super::text::{Put, put, stamp};
use super::words::State;

pub(super) fn write_instance(m: &Machine<'_>, out: &mut Vec<u8>) {
    const API: &str = "kubevirt.io/v1";
    let on_node = m.state.on_node();
    let node = node_name(m.node);
    let pod = m.pod(m.moment.pods);
    put!(out; r#"{"annotations":{"kubevirt.io/latest-observed-api-version":"v1","kubevirt.io/storage-observed-api-version":"v1","kubevirt.io/vm-generation":"2","#);
    m.template_annotations(out);
    put!(out; r#","creationTimestamp":""#, stamp(m.started), "\",");
    let leaving = matches!(m.state, State::Terminating | State::Stopping);
    let guarded = leaving || m.fleet.guarded();
    if leaving {
        put!(out; r#""deletionGracePeriodSeconds":180,"deletionTimestamp":""#, stamp(m.changed), "\",");
    }
    if guarded {
        put!(out; r#""finalizers":["kubevirt.io/virtualMachineControllerFinalize","foregroundDeleteVirtualMachine"],"#);
    }
    put!(out; r#""generation":18,"labels":{"app":""#, m.app, r#"","kubevirt.io/domain":""#, m.name, "\",");
    if on_node {
        put!(out; r#""kubevirt.io/nodeName":""#, node, "\",");
    }
    put!(out; r#""kubevirt.io/size":""#, m.size.name, r#"","network.kubevirt.io/headlessService":"headless""#, SYNTHETIC_LABEL, r#"},"managedFields":["#);
    managed(API, out);
    put!(out; r#""f:metadata":{"f:annotations":{".":{},"f:kubevirt.io/latest-observed-api-version":{},"f:kubevirt.io/storage-observed-api-version":{},"f:kubevirt.io/vm-generation":{},"f:vm.kubevirt.io/flavor":{},"f:vm.kubevirt.io/os":{},"f:vm.kubevirt.io/workload":{}},"f:labels":{".":{},"f:app":{},"f:kubevirt.io/domain":{},"#,
        if on_node { r#""f:kubevirt.io/nodeName":{},"# } else { "" },
        r#""f:kubevirt.io/size":{},"f:network.kubevirt.io/headlessService":{}},"f:ownerReferences":{".":{},"k:{\"uid\":\""#,
        m.vm_uid, r#"\"}":{}}},"f:spec":{"f:affinity":{".":{},"f:podAntiAffinity":{".":{},"f:preferredDuringSchedulingIgnoredDuringExecution":{}}},"f:architecture":{},"f:domain":{".":{},"f:cpu":{".":{},"f:cores":{},"f:maxSockets":{},"f:model":{},"f:sockets":{},"f:threads":{}},"f:devices":{".":{},"f:autoattachPodInterface":{},"f:disks":{},"f:interfaces":{},"f:networkInterfaceMultiqueue":{},"f:rng":{}},"f:features":{".":{},"f:acpi":{".":{},"f:enabled":{}},"#);
    if m.windows() {
        put!(out; r#""f:hyperv":{".":{}"#);
        for feature in HYPERV {
            put!(out; r#","f:"#, feature, r#"":{".":{},"f:enabled":{}}"#);
        }
        put!(out; "},");
    }
    put!(out; r#""f:smm":{".":{},"f:enabled":{}}},"f:firmware":{".":{},"f:bootloader":{".":{},"f:efi":{".":{},"f:secureBoot":{}}},"f:serial":{},"f:uuid":{}},"f:machine":{".":{},"f:type":{}},"f:memory":{".":{},"f:guest":{},"f:maxGuest":{}},"f:resources":{".":{},"f:requests":{".":{},"f:memory":{}}}},"f:evictionStrategy":{},"f:networks":{},"f:terminationGracePeriodSeconds":{},"f:volumes":{}}"#);
    manager("virt-controller", "Update", false, m.started, out);
    put!(out; ",");
    if guarded {
        managed(API, out);
        put!(out; r#""f:metadata":{"f:finalizers":{".":{},"v:\"foregroundDeleteVirtualMachine\"":{},"v:\"kubevirt.io/virtualMachineControllerFinalize\"":{}}}"#);
        manager("virt-controller", "Update", false, m.started + 2, out);
        put!(out; ",");
    }
    managed(API, out);
    if on_node {
        put!(out; r#""f:status":{"f:guestOSInfo":{"#,
            if m.agent() {
                r#"".":{},"f:id":{},"f:kernelRelease":{},"f:kernelVersion":{},"f:machine":{},"f:name":{},"f:prettyName":{},"f:version":{},"f:versionId":{}"#
            } else { "" },
            r#"},"f:interfaces":{},"f:machine":{".":{},"f:type":{}},"f:memory":{".":{},"f:guestAtBoot":{},"f:guestCurrent":{},"f:guestRequested":{}},"f:migrationMethod":{},"#);
        if m.migration() {
            put!(out; r#""f:migrationState":{".":{},"f:completed":{},"#,
                if m.state == State::Migrating { "" } else { r#""f:endTimestamp":{},"# },
                r#""f:migrationConfiguration":{".":{},"f:allowAutoConverge":{},"f:allowPostCopy":{},"f:bandwidthPerMigration":{},"f:completionTimeoutPerGiB":{},"f:nodeDrainTaintKey":{},"f:parallelMigrationsPerCluster":{},"f:parallelOutboundMigrationsPerNode":{},"f:progressTimeout":{},"f:unsafeMigrationOverride":{}},"f:migrationUid":{},"f:mode":{},"f:sourceNode":{},"f:sourcePod":{},"f:startTimestamp":{},"f:targetDirectMigrationNodePorts":{".":{},"f:35401":{},"f:39173":{},"f:46123":{}},"f:targetNode":{},"f:targetNodeAddress":{},"f:targetNodeDomainDetected":{},"f:targetPod":{}},"#);
        }
        put!(out; r#""f:phase":{},"f:selinuxContext":{},"f:volumeStatus":{}}"#);
    } else {
        put!(out; r#""f:status":{"f:guestOSInfo":{},"f:memory":{".":{},"f:guestAtBoot":{},"f:guestCurrent":{},"f:guestRequested":{}},"f:phase":{}}"#);
    }
    manager("virt-handler", "Update", false, m.changed, out);
    put!(out; ",");
    managed(API, out);
    put!(out; r#""f:status":{"#);
    if on_node {
        put!(out; r#""f:activePods":{".":{},"f:"#, pod.uid, r#"":{}},"#);
    }
    put!(out; r#""f:conditions":{},"f:phaseTransitionTimestamps":{},"f:qosClass":{},"f:runtimeUser":{},"f:virtualMachineRevisionName":{}}"#);
    manager("virt-controller", "Update", false, m.changed, out);
    put!(out; r#"],"name":""#, m.name, r#"","namespace":""#, m.namespace, "\",");
    m.owner(API, "VirtualMachine", "", &m.vm_uid, out);
    put!(out; r#""resourceVersion":""#, m.resource_version, r#"","uid":""#, m.instance_uid, r#""},"spec":"#);
    m.affinity(out);
    m.domain(true, out);
    m.spec_tail(out);

    put!(out; r#","status":{"#);
    if on_node {
        put!(out; r#""activePods":{""#, pod.uid, r#"":""#, node, r#""},"#);
    }
    put!(out; r#""conditions":["#);
    m.conditions(true, out);
    put!(out; r#"],"currentCPUTopology":{"cores":1,"sockets":"#, m.size.cpus, r#","threads":1},"guestOSInfo":{"#);
    if on_node {
        let windows = m.windows();
        if m.agent() {
            put!(out; r#""id":""#, if windows { "mswindows" } else { m.os.family }, r#"","kernelRelease":""#, m.os.kernel,
                r#"","kernelVersion":""#, if windows { "" } else { "#1 SMP PREEMPT_DYNAMIC 2024-01-01T00:00:00Z" },
                r#"","machine":"x86_64","name":""#, m.os.name, r#"","prettyName":""#, m.os.name, " ", m.os.version,
                r#"","version":""#, m.os.version, r#"","versionId":""#, m.os.version_id, "\"");
        }
        let agent = if m.agent() { ", guest-agent" } else { "" };
        put!(out; r#"},"interfaces":[{"infoSource":"domain"#, agent, r#"","interfaceName":""#,
            if windows { "Ethernet" } else { "eth0" }, r#"","ipAddress":""#, m.ip, r#"","ipAddresses":[""#, m.ip,
            r#"","fd10:0:2::"#, format!("{:x}", m.index + 2), r#""],"linkState":"up","mac":""#, m.mac,
            r#"","name":"default","podInterfaceName":"eth0","queueCount":"#, m.size.cpus, "}");
        if m.two_nics {
            let second = format!("172.21.{}.{}", m.index >> 8 & 255, m.index & 255);
            put!(out; r#",{"infoSource":"domain"#, agent, r#", multus-status","interfaceName":"eth1","ipAddress":""#, second,
                r#"","ipAddresses":[""#, second, r#""],"linkState":"up","mac":""#);
            out.extend_from_slice(&m.mac[..16]);
            put!(out; r#"f","name":"storage-net","podInterfaceName":"pod16477688c0e","queueCount":"#, m.size.cpus, "}");
        }
        put!(out; r#"],"launcherContainerImageVersion":"registry.example.com/kubevirt/virt-launcher@sha256:9c1f0e4bd2a83b7755a6f1c40d8e92369c1f0e4bd2a83b7755a6f1c40d8e9236","machine":{"type":"pc-q35-rhel9.6.0"},"memory":{"guestAtBoot":""#);
    } else {
        put!(out; r#"},"memory":{"guestAtBoot":""#);
    }
    m.memory(out);
    put!(out; r#"","guestCurrent":""#);
    m.memory(out);
    put!(out; r#"","guestRequested":""#);
    m.memory(out);
    put!(out; "\"},");
    if on_node {
        put!(out; r#""migrationMethod":""#, if m.shared { "LiveMigration" } else { "BlockMigration" }, "\",");
        if m.migration() {
            let done = m.state != State::Migrating;
            put!(out; r#""migrationState":{"completed":"#, if done { "true" } else { "false" });
            if done {
                put!(out; r#","endTimestamp":""#, stamp(m.changed), "\"");
            }
            let yes = if done { "true" } else { "false" };
            let [(from, source), (to, target)] = m.route();
            put!(out; r#","migrationConfiguration":{"allowAutoConverge":false,"allowPostCopy":false,"bandwidthPerMigration":"0","completionTimeoutPerGiB":150,"nodeDrainTaintKey":"kubevirt.io/drain","parallelMigrationsPerCluster":5,"parallelOutboundMigrationsPerNode":2,"progressTimeout":150,"unsafeMigrationOverride":false},"migrationUid":""#,
                m.serial, r#"","mode":"PreCopy","sourceNode":""#, node_name(from), r#"","sourcePod":"virt-launcher-"#,
                m.name, "-", source.suffix, r#"","startTimestamp":""#, stamp(if done { m.changed - 41 } else { m.changed }),
                r#"","targetDirectMigrationNodePorts":{"35401":0,"39173":49152,"46123":49153},"targetNode":""#,
                node_name(to), r#"","targetNodeAddress":"10.129."#, to % 250, r#".17","targetNodeDomainDetected":"#, yes,
                r#","targetPod":"virt-launcher-"#, m.name, "-", target.suffix, "\"},");
        }
        put!(out; r#""migrationTransport":"Unix","nodeName":""#, node, "\",");
    }
    put!(out; r#""phase":""#, m.phase(), r#"","phaseTransitionTimestamps":["#);
    let phases: &[&str] = if m.phase() == "Running" {
        &["Pending", "Scheduling", "Scheduled", "Running"]
    } else {
        &["Pending", "Scheduling"]
    };
    for (n, phase) in phases.iter().enumerate() {
        put!(out; if n == 0 { "" } else { "," }, r#"{"phase":""#, phase, r#"","phaseTransitionTimestamp":""#,
            stamp(m.started + n as u64), "\"}");
    }
    put!(out; r#"],"qosClass":"Burstable","runtimeUser":107,"#);
    if on_node {
        put!(out; r#""selinuxContext":"system_u:object_r:container_file_t:s0:c"#, m.index % 1024, ",c", m.index / 7 % 1024, "\",");
    }
    put!(out; r#""virtualMachineRevisionName":"revision-start-vm-"#, m.vm_uid, "-2\"");
    if on_node {
        let volume = |name: &str, claim: &str, target: &str, out: &mut Vec<u8>| {
            put!(out; r#",{"name":""#, name, r#"","persistentVolumeClaimInfo":{"accessModes":[""#, access(m),
                r#""],"capacity":{"storage":""#, m.disk, r#"Gi"},"claimName":""#, m.name, claim,
                r#"","requests":{"storage":""#, m.disk << 30, r#""},"volumeMode":""#, m.mode, r#""},"target":""#, target, "\"}");
        };
        put!(out; r#","volumeStatus":[{"name":"cloudinitdisk","size":1048576,"target":"vdc"}"#);
        if m.data_disk {
            volume("datadisk", "-data", "vdb", out);
        }
        volume("rootdisk", "-rootdisk", "vda", out);
        put!(out; "]");
    }
    put!(out; "}}");
}
