//! One machine: what its objects share.

use super::text::{Dice, Put, hex, put, stamp};
use super::words::{
    APPS, CLASSES, DISKS, NAMESPACES, Os, SIZES, STAGES, STATES, SYSTEMS, Size, State, TEAMS, ZONES,
};
use super::{DAY, Fleet, SYNTHETIC_LABEL};

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Tool {
    Kubectl,
    GitOps,
    Console,
}

/// What has happened to a machine since its fleet was made. Times are seconds since 1970.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Moment {
    /// Something or other; it only has to be another object each time.
    pub(super) revision: u64,
    pub(super) state: Option<State>,
    /// When it came into this state.
    pub(super) at: Option<u64>,
    pub(super) node: Option<u64>,
    /// The other side of its last migration: where it goes to, or has come from.
    pub(super) other_node: Option<u64>,
    /// How often it was started anew, and when last.
    pub(super) starts: u32,
    pub(super) started: Option<u64>,
    /// How many pods it has had before this one.
    pub(super) pods: u32,
    /// When this one was made, if not together with the instance.
    pub(super) pod_made: Option<u64>,
    pub(super) agent_lost: bool,
    /// Hundredths of its disk that are filled.
    pub(super) filled: Option<u64>,
}

/// The launcher pod number so-and-so of a machine.
#[derive(Clone, Copy)]
pub(super) struct Pod {
    pub(super) uid: [u8; 36],
    pub(super) suffix: [u8; 5],
}

/// What the objects of one machine share.
pub(super) struct Machine<'a> {
    pub(super) fleet: &'a Fleet,
    pub(super) index: u64,
    pub(super) moment: Moment,
    pub(super) app: &'static str,
    pub(super) name: String,
    pub(super) namespace: &'a str,
    pub(super) team: &'static str,
    pub(super) stage: &'static str,
    pub(super) zone: &'static str,
    pub(super) size: &'static Size,
    pub(super) os: &'static Os,
    pub(super) disk: u64,
    pub(super) data_disk: bool,
    pub(super) two_nics: bool,
    pub(super) class: &'static str,
    pub(super) shared: bool,
    pub(super) mode: &'static str,
    pub(super) tool: Tool,
    pub(super) vm_uid: [u8; 36],
    pub(super) instance_uid: [u8; 36],
    pub(super) volume_uid: [u8; 36],
    pub(super) claim_uid: [u8; 36],
    pod_uid: [u8; 36],
    pub(super) firmware: [u8; 36],
    pub(super) serial: [u8; 36],
    pub(super) mac: [u8; 17],
    pub(super) suffix: [u8; 5],
    pub(super) ip: String,
    /// When the VM was made.
    pub(super) created: u64,
    /// When its instance was made.
    pub(super) started: u64,
    /// When it came into its state.
    pub(super) changed: u64,
    pub(super) node: u64,
    pub(super) state: State,
    pub(super) resource_version: u64,
}

impl<'a> Machine<'a> {
    pub(super) fn new(fleet: &'a Fleet, index: usize, moment: Moment) -> Self {
        let i = index as u64;
        let mut dice = Dice::new(fleet.seed.wrapping_mul(0x2545_F491_4F6C_DD1D) ^ i.rotate_left(20));
        let app = dice.pick(&APPS);
        // The smaller of two throws, twice: the first namespaces hold many machines and the last ones few.
        let mut throw = || dice.below(NAMESPACES as u64).min(dice.below(NAMESPACES as u64));
        let home = throw().min(throw()) as usize;
        let size = dice.weigh(&SIZES, |size| size.weight);
        let os = dice.weigh(&SYSTEMS, |os| os.weight);
        let (class, shared, mode) = dice.pick(&CLASSES);
        let disk = dice.pick(&DISKS);
        let data_disk = dice.below(100) < 35;
        let two_nics = dice.below(100) < 30;
        let zone = dice.pick(&ZONES);
        let tool = match dice.below(100) {
            0..60 => Tool::Kubectl,
            60..85 => Tool::GitOps,
            _ => Tool::Console,
        };
        let created = fleet.epoch() + dice.below(700 * DAY);
        let mut node = dice.below(fleet.nodes);
        let state = dice.weigh(&STATES, |(.., weight)| *weight).0;
        let mut state = if fleet.mixed { state } else { State::Running };
        let (hardware, suffix) = (dice.bits(), hex(dice.bits()));
        let mut mac = *b"02:00:00:00:00:00";
        for part in 1..6 {
            mac[part * 3..part * 3 + 2].copy_from_slice(&hex::<2>(hardware >> (8 * part)));
        }
        let [vm_uid, mut instance_uid, volume_uid, claim_uid, pod_uid, firmware, serial] =
            [(); 7].map(|()| dice.uid());
        let revision = moment.revision;
        if revision > 0 {
            let mut dice = Dice::new(fleet.seed ^ i.rotate_left(20) ^ revision.rotate_left(44));
            if fleet.mixed && dice.below(100) < 30 {
                state = dice.weigh(&STATES, |(.., weight)| *weight).0;
            }
            if dice.below(100) < 5 {
                node = dice.below(fleet.nodes);
            }
        }
        if moment.starts > 0 {
            instance_uid = Dice::new(fleet.seed ^ i.rotate_left(20) ^ u64::from(moment.starts) << 8).uid();
        }
        let mut machine = Self {
            fleet,
            index: i,
            moment,
            app,
            name: format!("{app}-{i:06}"),
            namespace: &fleet.namespaces[home],
            team: TEAMS[home % TEAMS.len()],
            stage: STAGES[home % STAGES.len()],
            zone,
            size,
            os: if app.starts_with("win") { &SYSTEMS[4] } else { os },
            disk,
            data_disk,
            two_nics,
            class,
            shared,
            mode,
            tool,
            vm_uid,
            instance_uid,
            volume_uid,
            claim_uid,
            pod_uid,
            firmware,
            serial,
            mac,
            suffix,
            ip: format!("10.{}.{}.{}", 128 + (i >> 16 & 3), i >> 8 & 255, i & 255),
            created,
            started: created,
            changed: created + 3600 + revision,
            node: moment.node.unwrap_or(node),
            state,
            resource_version: fleet.resource_version(index, revision),
        };
        if let Some(now) = fleet.born {
            machine.age(now);
        }
        machine.state = moment.state.unwrap_or(machine.state);
        machine.changed = moment.at.unwrap_or(machine.changed);
        machine.started = moment.started.unwrap_or(machine.started);
        machine
    }

    /// Chooses times that suit the state of a machine that is looked at now, and not at some fixed day.
    fn age(&mut self, now: u64) {
        let mut dice =
            Dice::new(self.fleet.seed.wrapping_mul(0x9E6C_63D0_876A_68EE) ^ self.index.rotate_left(20));
        self.changed = match self.state {
            State::Starting | State::Stopping | State::Migrating | State::Terminating => {
                now - 5 - dice.below(60)
            }
            State::Provisioning | State::WaitingForVolumeBinding => now - 5 - dice.below(600),
            State::CrashLoopBackOff | State::ErrorUnschedulable | State::DataVolumeError => {
                now - dice.below(DAY)
            }
            State::Running | State::Stopped | State::Paused => now - dice.below(now - self.created),
        };
        match self.state {
            State::Provisioning | State::WaitingForVolumeBinding => self.created = self.changed - 5,
            State::Starting | State::ErrorUnschedulable => self.started = self.changed,
            _ => self.started = self.changed - dice.below(self.changed - self.created),
        }
    }

    /// Its launcher pod of this number.
    pub(super) fn pod(&self, number: u32) -> Pod {
        if number == 0 {
            return Pod { uid: self.pod_uid, suffix: self.suffix };
        }
        let mut dice = Dice::new(self.fleet.seed ^ self.index.rotate_left(20) ^ u64::from(number) << 40);
        Pod { suffix: hex(dice.bits()), uid: dice.uid() }
    }

    /// Source and target of its last migration, or of that under way: nodes and pods.
    pub(super) fn route(&self) -> [(u64, Pod); 2] {
        let other = self.moment.other_node.unwrap_or(self.index % self.fleet.nodes);
        let (here, pods) = ((self.node, self.pod(self.moment.pods)), self.moment.pods);
        if self.state == State::Migrating {
            [here, (other, self.pod(pods + 1))]
        } else {
            [(other, self.pod(pods.checked_sub(1).unwrap_or(u32::MAX))), here]
        }
    }

    pub(super) fn agent(&self) -> bool {
        self.state.on_node() && !self.moment.agent_lost
    }

    pub(super) fn windows(&self) -> bool {
        self.os.family == "windows"
    }

    pub(super) fn halted(&self) -> bool {
        self.state == State::Stopped
    }

    pub(super) fn strategy(&self) -> &'static str {
        match () {
            () if self.halted() => "Halted",
            () if self.index.is_multiple_of(11) => "RerunOnFailure",
            () => "Always",
        }
    }

    pub(super) fn phase(&self) -> &'static str {
        if matches!(self.state, State::Starting | State::ErrorUnschedulable) {
            "Scheduling"
        } else {
            "Running"
        }
    }

    /// The phase of the DataVolume.
    pub(super) fn filling(&self) -> &'static str {
        match self.state {
            State::DataVolumeError => "Failed",
            State::Provisioning => "CloneInProgress",
            State::WaitingForVolumeBinding => "WaitForFirstConsumer",
            _ => "Succeeded",
        }
    }

    pub(super) fn progress(&self) -> String {
        match self.state {
            State::DataVolumeError | State::WaitingForVolumeBinding => "N/A".to_owned(),
            State::Provisioning => {
                let filled = self.moment.filled.unwrap_or(self.index % 100);
                format!("{filled}.{:02}%", self.index % 97)
            }
            _ => "100.0%".to_owned(),
        }
    }

    /// Whether the object of a VM still carries what the migration left.
    pub(super) fn migration(&self) -> bool {
        let done = self.index.is_multiple_of(9) || self.moment.other_node.is_some();
        self.state == State::Migrating || (self.state.on_node() && done)
    }

    pub(super) fn memory(&self, out: &mut Vec<u8>) {
        put!(out; self.size.mebibytes, "Mi");
    }

    pub(super) fn labels(&self, out: &mut Vec<u8>) {
        put!(out; r#"{"app":""#, self.app, r#"","app.kubernetes.io/instance":""#, self.name,
            r#"","app.kubernetes.io/part-of":""#, self.team, r#"","env":""#, self.stage,
            r#"","kubevirt.io/dynamic-credentials-support":"true","topology.example.com/zone":""#, self.zone, "\"",
            SYNTHETIC_LABEL, r#","vm.kubevirt.io/template":""#, self.os.family, "-server-", self.size.short, "\"}");
    }

    /// `expanded`: with what admission and the controllers fill in for an instance.
    pub(super) fn domain(&self, expanded: bool, out: &mut Vec<u8>) {
        let cpus = self.size.cpus;
        if expanded {
            put!(out; r#"{"cpu":{"cores":1,"maxSockets":"#, cpus * 4, r#","model":"host-model","sockets":"#, cpus,
                r#","threads":1},"devices":{"autoattachPodInterface":true,"#);
        } else {
            put!(out; r#"{"cpu":{"cores":"#, cpus, r#","sockets":1,"threads":1},"devices":{"#);
        }
        put!(out; r#""disks":[{"bootOrder":1,"disk":{"bus":"virtio"},"name":"rootdisk"},"#,
            if self.data_disk { r#"{"cache":"none","disk":{"bus":"virtio"},"name":"datadisk"},"# } else { "" },
            r#"{"disk":{"bus":"virtio"},"name":"cloudinitdisk"}],"interfaces":[{"macAddress":""#, self.mac,
            r#"","masquerade":{},"model":"virtio","name":"default"}"#,
            if self.two_nics { r#",{"bridge":{},"model":"virtio","name":"storage-net"}"# } else { "" },
            r#"],"networkInterfaceMultiqueue":"#, if cpus > 1 { "true" } else { "false" }, r#","rng":{}},"#);
        if expanded {
            put!(out; r#""features":{"acpi":{"enabled":true},"#);
            if self.windows() {
                put!(out; r#""hyperv":{"#);
                for (n, feature) in HYPERV.iter().enumerate() {
                    put!(out; if n == 0 { "\"" } else { ",\"" }, feature, r#"":{"enabled":true}"#);
                }
                put!(out; "},");
            }
            put!(out; r#""smm":{"enabled":true}},"firmware":{"bootloader":{"efi":{"secureBoot":"#,
                if self.windows() { "true" } else { "false" }, r#"}},"serial":""#, self.serial, r#"","uuid":""#,
                self.firmware, r#""},"machine":{"type":"q35"},"memory":{"guest":""#);
            self.memory(out);
            put!(out; r#"","maxGuest":""#, self.size.mebibytes * 4, r#"Mi"},"resources":{"requests":{"memory":""#);
            self.memory(out);
            put!(out; "\"}}}");
        } else {
            put!(out; r#""firmware":{"serial":""#, self.serial, r#"","uuid":""#, self.firmware, r#""},"memory":{"guest":""#);
            self.memory(out);
            put!(out; r#""},"resources":{}}"#);
        }
    }

    /// The part of a VM's template and an instance's spec after the domain, which both share.
    pub(super) fn spec_tail(&self, out: &mut Vec<u8>) {
        put!(out; r#","evictionStrategy":"LiveMigrate","networks":[{"name":"default","pod":{}}"#,
            if self.two_nics { r#",{"multus":{"networkName":"vm-networks/storage-vlan-310"},"name":"storage-net"}"# } else { "" },
            r#"],"terminationGracePeriodSeconds":180,"volumes":[{"dataVolume":{"name":""#, self.name,
            r#"-rootdisk"},"name":"rootdisk"},"#);
        if self.data_disk {
            put!(out; r#"{"name":"datadisk","persistentVolumeClaim":{"claimName":""#, self.name, r#"-data"}},"#);
        }
        put!(out; r#"{"cloudInitNoCloud":{"networkData":"version: 2\nethernets:\n  eth0:\n    dhcp4: true\n","secretRef":{"name":""#,
            self.name, r#"-cloudinit"}},"name":"cloudinitdisk"}]}"#);
    }

    pub(super) fn affinity(&self, out: &mut Vec<u8>) {
        put!(out; r#"{"affinity":{"podAntiAffinity":{"preferredDuringSchedulingIgnoredDuringExecution":[{"podAffinityTerm":{"labelSelector":{"matchLabels":{"app":""#,
            self.app, r#""}},"topologyKey":"kubernetes.io/hostname"},"weight":100}]}},"architecture":"amd64","domain":"#);
    }

    pub(super) fn template_annotations(&self, out: &mut Vec<u8>) {
        put!(out; r#""vm.kubevirt.io/flavor":""#, self.size.name, r#"","vm.kubevirt.io/os":""#, self.os.id,
            r#"","vm.kubevirt.io/workload":"server"}"#);
    }

    pub(super) fn owner(&self, api: &str, kind: &str, disk: &str, uid: &[u8; 36], out: &mut Vec<u8>) {
        put!(out; r#""ownerReferences":[{"apiVersion":""#, api, r#"","blockOwnerDeletion":true,"controller":true,"kind":""#,
            kind, r#"","name":""#, self.name, disk, r#"","uid":""#, uid, r#""}],"#);
    }

    pub(super) fn condition(
        &self,
        first: &mut bool,
        kind: &str,
        yes: bool,
        reason: &str,
        message: &[&str],
        out: &mut Vec<u8>,
    ) {
        put!(out; if *first { "" } else { "," }, r#"{"lastProbeTime":null,"lastTransitionTime":""#, stamp(self.changed), "\",");
        *first = false;
        if !message.is_empty() {
            put!(out; r#""message":""#);
            for part in message {
                put!(out; part);
            }
            put!(out; "\",");
        }
        if !reason.is_empty() {
            put!(out; r#""reason":""#, reason, "\",");
        }
        put!(out; r#""status":""#, if yes { "True" } else { "False" }, r#"","type":""#, kind, "\"}");
    }

    pub(super) fn conditions(&self, instance: bool, out: &mut Vec<u8>) {
        let mut first = true;
        let mut add = |kind: &str, yes: bool, reason: &str, message: &[&str]| {
            self.condition(&mut first, kind, yes, reason, message, out);
        };
        let not_running = "Guest VM is not reported as running";
        match self.state {
            State::Running | State::Migrating => add("Ready", true, "", &[]),
            state if state.has_instance() => add("Ready", false, "GuestNotRunning", &[not_running]),
            _ => add("Ready", false, "VMINotExists", &["VMI does not exist"]),
        }
        match self.state {
            State::ErrorUnschedulable => {
                let nodes = self.fleet.nodes;
                let message = format!(
                    "0/{nodes} nodes are available: {} Insufficient memory, 3 node(s) had untolerated taint \
                     {{node-role.kubernetes.io/control-plane: }}. preemption: 0/{nodes} nodes are available: {nodes} No \
                     preemption victims found for incoming pod.",
                    nodes - 3
                );
                add("PodScheduled", false, "Unschedulable", &[&message]);
            }
            State::CrashLoopBackOff => add(
                "Failure",
                true,
                "FailedCreate",
                &[
                    r#"server error. command SyncVMI failed: \"LibvirtError(Code=1, Domain=10, Message='internal error: process exited while connecting to monitor: Could not open disk image')\""#,
                ],
            ),
            _ => {}
        }
        if self.state.on_node() {
            if self.shared {
                add("LiveMigratable", true, "", &[]);
            } else {
                add(
                    "LiveMigratable",
                    false,
                    "DisksNotLiveMigratable",
                    &[
                        "cannot migrate VMI: PVC ",
                        &self.name,
                        "-rootdisk is not shared, live migration requires that all PVCs must be shared (using \
                      ReadWriteMany access mode)",
                    ],
                );
            }
            add("StorageLiveMigratable", true, "", &[]);
            if self.agent() {
                add("AgentConnected", true, "", &[]);
            }
        }
        if self.state == State::Paused {
            add("Paused", true, "PausedByUser", &["VMI was paused by user"]);
        }
        if self.state == State::DataVolumeError {
            add("DataVolumesReady", false, "DataVolumesNotReady", &["Not all of the VMI's DVs are ready"]);
        } else if instance {
            add("DataVolumesReady", true, "AllDVsReady", &["All of the VMI's DVs are bound and ready"]);
        }
    }
}

pub(super) const HYPERV: [&str; 9] =
    ["frequencies", "ipi", "relaxed", "reset", "runtime", "synic", "tlbflush", "vapic", "vpindex"];

/// The beginning of an entry of `managedFields` of a custom resource.
pub(super) fn managed(api: &str, out: &mut Vec<u8>) {
    put!(out; r#"{"apiVersion":""#, api, r#"","fieldsType":"FieldsV1","fieldsV1":{"#);
}

/// The end of it.
pub(super) fn manager(name: &str, operation: &str, status: bool, time: u64, out: &mut Vec<u8>) {
    put!(out; r#"},"manager":""#, name, r#"","operation":""#, operation, "\",",
        if status { r#""subresource":"status","# } else { "" }, r#""time":""#, stamp(time), "\"}");
}

/// What a node of this number is called.
pub(super) fn node_name(number: u64) -> String {
    format!("worker-{number:03}.{}.example.internal", ZONES[(number % 3) as usize])
}
