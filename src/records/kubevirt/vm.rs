//! VirtualMachine.

use bitflags::bitflags;
use serde::Deserialize;

use crate::model::{Key, Time, Word};
use crate::records::values::{Length, Told, Trouble};
use crate::records::wire::{Bytes, Fold, Folded, Nullable, Str, WireMeta, versioned};
use crate::records::{Keys, Kind, KindInfo, Meta, Record, name_key};

/// A VirtualMachine: what it should be, and what its controller says of it.
#[derive(Debug, Default, PartialEq)]
pub struct Vm {
    /// What every object has.
    pub meta: Meta,
    /// `status.printableStatus`: the controller's one word; empty before the controller saw it.
    pub status: Word,
    /// `spec.instancetype.name`.
    pub instancetype: Word,
    /// `spec.preference.name`.
    pub preference: Word,
    /// The first image of its volumes that is a disk itself (`containerDisk`).
    pub image: Word,
    /// The Secret that its first volume of that sort comes from: most machines have one, for cloud-init.
    secret: Option<Key>,
    /// DataVolumes and claims of its volumes, by name.
    pub disks: Keys,
    /// Why it cannot be started, while that is so.
    pub failure: Option<Box<StartFailure>>,
    /// Since when it is ready or not.
    pub ready_since: Option<Time>,
    /// Memory of the guest in MiB; 0 where an instance type decides.
    pub memory: u32,
    /// Virtual processors; 0 where an instance type decides.
    pub cpus: u16,
    /// What should run when.
    pub strategy: RunStrategy,
    /// Yes-or-no facts.
    pub flags: VmFlags,
}

/// Trouble in starting a VirtualMachine.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct StartFailure {
    /// Reason of the condition `Failure`; empty if that is not True.
    pub reason: Word,
    /// Its message on one line of at most 300 characters.
    pub message: Box<str>,
    /// Since when it is True.
    pub since: Option<Time>,
    /// Starts in a row that never reached Running (`status.startFailure.consecutiveFailCount`).
    pub count: u32,
    /// No new start before this moment.
    pub retry_at: Option<Time>,
}

impl Vm {
    /// The Secrets that it names.
    pub fn secrets(&self) -> impl Iterator<Item = Key> + '_ {
        self.secret.into_iter().chain(self.meta.uses())
    }
}

bitflags! {
    /// Yes-or-no facts about a VirtualMachine.
    #[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
    pub struct VmFlags: u16 {
        /// A VirtualMachineInstance exists (`status.created`).
        const CREATED = 1;
        /// The guest is ready (`status.ready`).
        const READY = 1 << 1;
        /// The guest's processors are stopped.
        const PAUSED = 1 << 2;
        /// A change of the template waits for a restart.
        const RESTART_REQUIRED = 1 << 3;
        /// The guest agent answers.
        const AGENT = 1 << 4;
        /// Condition `LiveMigratable` is True.
        const MIGRATABLE = 1 << 5;
        /// Condition `LiveMigratable` is False.
        const NOT_MIGRATABLE = 1 << 6;
        /// A start is asked for and not yet done.
        const START_ASKED = 1 << 7;
        /// A stop is asked for and not yet done.
        const STOP_ASKED = 1 << 8;
        /// A snapshot is being taken.
        const SNAPSHOT = 1 << 9;
        /// A restore is under way.
        const RESTORE = 1 << 10;
        /// Its instance type is one of its own namespace, not of the cluster.
        const OWN_INSTANCETYPE = 1 << 11;
        /// Its template gives it a GPU.
        const GPU = 1 << 12;
        /// Its template gives it another device of the host.
        const HOST_DEVICE = 1 << 13;
        /// Its preference is one of its own namespace, not of the cluster.
        const OWN_PREFERENCE = 1 << 14;
    }
}

/// `spec.runStrategy`, or what `spec.running` means.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum RunStrategy {
    /// Not given, or a word that this program does not know.
    #[default]
    Unknown,
    /// Always running.
    Always,
    /// Never running.
    Halted,
    /// Started and stopped by hand.
    Manual,
    /// Started again only after a failure.
    RerunOnFailure,
    /// Run once.
    Once,
    /// Waits for a migration from another cluster.
    WaitAsReceiver,
}

impl RunStrategy {
    const WORDS: [(&'static str, Self); 6] = [
        ("Always", Self::Always),
        ("Halted", Self::Halted),
        ("Manual", Self::Manual),
        ("RerunOnFailure", Self::RerunOnFailure),
        ("Once", Self::Once),
        ("WaitAsReceiver", Self::WaitAsReceiver),
    ];

    fn read(word: &str, running: Option<bool>) -> Self {
        match (Self::WORDS.iter().find(|(known, _)| *known == word), running) {
            (Some((_, strategy)), _) => *strategy,
            (None, Some(true)) => Self::Always,
            (None, Some(false)) => Self::Halted,
            (None, None) => Self::Unknown,
        }
    }

    /// The word of the API; empty if unknown.
    pub fn as_str(self) -> &'static str {
        Self::WORDS.iter().find(|(_, strategy)| *strategy == self).map_or("", |(word, _)| word)
    }
}

#[derive(Deserialize, Default)]
#[serde(default)]
pub struct VmWire<'a> {
    #[serde(borrow)]
    metadata: WireMeta<'a>,
    #[serde(borrow)]
    spec: Nullable<Spec<'a>>,
    #[serde(borrow)]
    status: Nullable<Status<'a>>,
}
versioned!(VmWire);

#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
struct Spec<'a> {
    #[serde(borrow)]
    run_strategy: Str<'a>,
    running: Option<bool>,
    #[serde(borrow)]
    instancetype: Nullable<TypeRef<'a>>,
    #[serde(borrow)]
    preference: Nullable<TypeRef<'a>>,
    #[serde(borrow)]
    template: Nullable<Template<'a>>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Named<'a> {
    #[serde(borrow)]
    name: Str<'a>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct TypeRef<'a> {
    #[serde(borrow)]
    name: Str<'a>,
    #[serde(borrow)]
    kind: Str<'a>,
}

impl TypeRef<'_> {
    /// Whether it names one of the machine's own namespace; without a kind it names one of the cluster.
    fn is_own(&self) -> bool {
        let own = [
            "virtualmachineinstancetype",
            "virtualmachineinstancetypes",
            "virtualmachinepreference",
            "virtualmachinepreferences",
        ];
        own.iter().any(|own| self.kind.eq_ignore_ascii_case(own))
    }
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Template<'a> {
    #[serde(borrow)]
    spec: Nullable<TemplateSpec<'a>>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct TemplateSpec<'a> {
    domain: Nullable<Domain>,
    #[serde(borrow)]
    volumes: Folded<Volumes<'a>>,
    #[serde(borrow, rename = "accessCredentials")]
    credentials: Folded<Credentials<'a>>,
}

#[derive(Deserialize, Debug, Default)]
#[serde(default)]
pub(super) struct Domain {
    cpu: Nullable<Cpu>,
    memory: Nullable<Memory>,
    resources: Nullable<Resources>,
    devices: Nullable<Devices>,
}

#[derive(Deserialize, Debug, Default)]
#[serde(default, rename_all = "camelCase")]
struct Devices {
    gpus: Folded<Length>,
    host_devices: Folded<Length>,
}

#[derive(Deserialize, Debug, Default)]
#[serde(default)]
struct Cpu {
    cores: Option<u32>,
    sockets: Option<u32>,
    threads: Option<u32>,
}

#[derive(Deserialize, Debug, Default)]
#[serde(default)]
struct Memory {
    guest: Bytes,
}

#[derive(Deserialize, Debug, Default)]
#[serde(default)]
struct Resources {
    requests: Nullable<Amounts>,
    limits: Nullable<Amounts>,
}

#[derive(Deserialize, Debug, Default)]
#[serde(default)]
struct Amounts {
    cpu: crate::records::wire::Millis,
    memory: Bytes,
}

impl Domain {
    /// Virtual processors: the product of the topology, or what is requested, rounded up; 0 if nothing is said.
    pub(super) fn cpus(&self) -> u16 {
        let topology = [self.cpu.cores, self.cpu.sockets, self.cpu.threads];
        let count = if topology.iter().any(Option::is_some) {
            topology.iter().flatten().fold(1_u32, |product, &n| product.saturating_mul(n.max(1)))
        } else {
            let asked = self.resources.limits.cpu.0.or(self.resources.requests.cpu.0);
            asked.map_or(0, |millis| millis.div_ceil(1000))
        };
        u16::try_from(count).unwrap_or(u16::MAX)
    }

    /// Memory of the guest in MiB; 0 if nothing is said.
    pub(super) fn memory(&self) -> u32 {
        let bytes =
            self.memory.guest.0.or(self.resources.requests.memory.0).or(self.resources.limits.memory.0);
        u32::try_from(bytes.unwrap_or(0) >> 20).unwrap_or(u32::MAX)
    }
}

#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct Volume<'a> {
    #[serde(borrow)]
    data_volume: Option<Named<'a>>,
    #[serde(borrow)]
    persistent_volume_claim: Option<Claimed<'a>>,
    #[serde(borrow)]
    container_disk: Option<Imaged<'a>>,
    #[serde(borrow)]
    cloud_init_no_cloud: Option<Seed<'a>>,
    #[serde(borrow)]
    cloud_init_config_drive: Option<Seed<'a>>,
    #[serde(borrow)]
    sysprep: Option<Source<'a>>,
    #[serde(borrow)]
    secret: Option<SecretName<'a>>,
}

/// The Secrets that a guest's cloud-init comes from.
#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
struct Seed<'a> {
    #[serde(borrow)]
    secret_ref: Nullable<Named<'a>>,
    #[serde(borrow)]
    network_data_secret_ref: Nullable<Named<'a>>,
}

/// A Secret, by the name that answer files and credentials give it.
#[derive(Deserialize, Default)]
#[serde(default)]
struct Source<'a> {
    #[serde(borrow)]
    secret: Nullable<SecretName<'a>>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct SecretName<'a> {
    #[serde(borrow, alias = "secretName")]
    name: Str<'a>,
}

/// Keys and passwords that the guest's agent brings into it.
#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
struct Credential<'a> {
    #[serde(borrow)]
    ssh_public_key: Nullable<From<'a>>,
    #[serde(borrow)]
    user_password: Nullable<From<'a>>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct From<'a> {
    #[serde(borrow)]
    source: Nullable<Source<'a>>,
}

#[derive(Default)]
struct Credentials<'a>(Vec<Str<'a>>);

impl<'de: 'a, 'a> Fold<'de> for Credentials<'a> {
    type Item = Credential<'a>;

    fn add(&mut self, credential: Credential<'a>) {
        let all = [credential.ssh_public_key.0, credential.user_password.0];
        self.0.extend(all.into_iter().map(|from| from.source.0.secret.0.name));
    }
}

#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
struct Claimed<'a> {
    #[serde(borrow)]
    claim_name: Str<'a>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Imaged<'a> {
    #[serde(borrow)]
    image: Str<'a>,
}

/// The names of disks, kept until the namespace is known. Most machines have one or two.
#[derive(Default)]
pub(super) struct Volumes<'a> {
    first: [Option<(Kind, Str<'a>)>; 3],
    more: Vec<(Kind, Str<'a>)>,
    secret: Option<Str<'a>>,
    more_secrets: Vec<Str<'a>>,
    image: Option<Str<'a>>,
}

impl<'de: 'a, 'a> Fold<'de> for Volumes<'a> {
    type Item = Volume<'a>;

    fn add(&mut self, volume: Volume<'a>) {
        let seeds = [volume.cloud_init_no_cloud, volume.cloud_init_config_drive].into_iter().flatten();
        let seeds = seeds.flat_map(|seed| [seed.secret_ref.0.name, seed.network_data_secret_ref.0.name]);
        let secrets = seeds
            .chain(volume.sysprep.map(|sysprep| sysprep.secret.0.name))
            .chain(volume.secret.map(|secret| secret.name));
        for name in secrets.filter(|name| !name.is_empty()) {
            match &self.secret {
                None => self.secret = Some(name),
                Some(_) => self.more_secrets.push(name),
            }
        }
        if let (None, Some(imaged)) = (&self.image, volume.container_disk) {
            self.image = Some(imaged.image);
        }
        let disk = match (volume.data_volume, volume.persistent_volume_claim) {
            (Some(named), _) => (Kind::DataVolume, named.name),
            (None, Some(claimed)) => (Kind::Claim, claimed.claim_name),
            (None, None) => return,
        };
        match self.first.iter_mut().find(|place| place.is_none()) {
            Some(free) => *free = Some(disk),
            None => self.more.push(disk),
        }
    }
}

impl Volumes<'_> {
    pub(super) fn image(&self) -> Word {
        self.image.as_ref().map(Str::word).unwrap_or_default()
    }

    pub(super) fn keys(&self, namespace: Word) -> Keys {
        self.first
            .iter()
            .flatten()
            .chain(&self.more)
            .map(|(kind, name)| name_key(*kind, namespace, name))
            .collect()
    }
}

#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
struct Status<'a> {
    #[serde(borrow)]
    printable_status: Str<'a>,
    created: Nullable<bool>,
    ready: Nullable<bool>,
    conditions: Folded<Conditions>,
    start_failure: Nullable<FailCount>,
    state_change_requests: Folded<Requests>,
    #[serde(borrow)]
    snapshot_in_progress: Str<'a>,
    #[serde(borrow)]
    restore_in_progress: Str<'a>,
}

#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
struct FailCount {
    consecutive_fail_count: Nullable<u32>,
    retry_after_timestamp: Moment,
}

#[derive(Default)]
struct Moment(Option<Time>);

impl<'de> Deserialize<'de> for Moment {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Str::deserialize(deserializer).map(|text| Self(text.time()))
    }
}

#[derive(Default)]
struct Conditions {
    flags: VmFlags,
    ready_since: Option<Time>,
    failure: Option<Box<Trouble>>,
}

impl<'de> Fold<'de> for Conditions {
    type Item = Told<'de>;

    fn add(&mut self, condition: Told<'de>) {
        let yes = &*condition.status == "True";
        match &*condition.name {
            "Ready" => self.ready_since = condition.last_transition_time.time(),
            "Failure" if yes => self.failure = Some(condition.keep()),
            "Paused" => self.flags.set(VmFlags::PAUSED, yes),
            "RestartRequired" => self.flags.set(VmFlags::RESTART_REQUIRED, yes),
            "AgentConnected" => self.flags.set(VmFlags::AGENT, yes),
            "LiveMigratable" => {
                self.flags.set(VmFlags::MIGRATABLE, yes);
                self.flags.set(VmFlags::NOT_MIGRATABLE, &*condition.status == "False");
            }
            _ => {}
        }
    }
}

#[derive(Default)]
struct Requests(VmFlags);

#[derive(Deserialize, Default)]
#[serde(default)]
struct Request<'a> {
    #[serde(borrow)]
    action: Str<'a>,
}

impl<'de> Fold<'de> for Requests {
    type Item = Request<'de>;

    fn add(&mut self, request: Request<'de>) {
        match &*request.action {
            "Start" => self.0 |= VmFlags::START_ASKED,
            "Stop" => self.0 |= VmFlags::STOP_ASKED,
            _ => {}
        }
    }
}

impl Record for Vm {
    const KIND: Kind = Kind::Vm;
    const INFO: KindInfo = KindInfo {
        group: "kubevirt.io",
        versions: &["v1", "v1alpha3"],
        name: "VirtualMachine",
        plural: "virtualmachines",
        words: "virtual machines",
        short: &["vm", "vms"],
        namespaced: true,
        partners: &[],
    };
    type Wire<'de> = VmWire<'de>;

    fn fold(wire: VmWire<'_>) -> Self {
        let mut meta = wire.metadata.fold();
        let (spec, mut status) = (&wire.spec, wire.status.0);
        let conditions = &mut status.conditions.0;
        let mut flags = conditions.flags | status.state_change_requests.0.0;
        flags.set(VmFlags::CREATED, *status.created);
        flags.set(VmFlags::READY, *status.ready);
        flags.set(VmFlags::OWN_INSTANCETYPE, spec.instancetype.is_own());
        flags.set(VmFlags::OWN_PREFERENCE, spec.preference.is_own());
        flags.set(VmFlags::SNAPSHOT, !status.snapshot_in_progress.is_empty());
        flags.set(VmFlags::RESTORE, !status.restore_in_progress.is_empty());
        let count = *status.start_failure.consecutive_fail_count;
        let told = conditions.failure.take();
        let failure = (told.is_some() || count > 0).then(|| {
            let retry_at = status.start_failure.retry_after_timestamp.0;
            let Trouble { reason, message, since } = told.map(|told| *told).unwrap_or_default();
            Box::new(StartFailure { reason, message, since, count, retry_at })
        });
        let template = &spec.template.spec;
        let volumes = &template.volumes.0;
        let secret = volumes.secret.as_ref().map(|name| name_key(Kind::Secret, meta.namespace, name));
        let more = volumes.more_secrets.iter().chain(&template.credentials.0.0);
        more.for_each(|name| meta.add_secret(name));
        let devices = &template.domain.devices;
        flags.set(VmFlags::GPU, devices.gpus.0.0 > 0);
        flags.set(VmFlags::HOST_DEVICE, devices.host_devices.0.0 > 0);
        Self {
            image: volumes.image(),
            secret,
            disks: template.volumes.keys(meta.namespace),
            meta,
            status: status.printable_status.word(),
            instancetype: spec.instancetype.name.word(),
            preference: spec.preference.name.word(),
            failure,
            ready_since: conditions.ready_since,
            memory: template.domain.memory(),
            cpus: template.domain.cpus(),
            strategy: RunStrategy::read(&spec.run_strategy, spec.running),
            flags,
        }
    }

    fn bare(meta: Meta) -> Self {
        Self { meta, ..Self::default() }
    }

    fn meta(&self) -> &Meta {
        &self.meta
    }

    fn has_parts(&self, link: &mut dyn FnMut(Key)) {
        self.disks.iter().for_each(link);
    }

    fn member_of(&self) -> Option<Key> {
        Some(name_key(Kind::Namespace, Word::default(), &self.meta.namespace))
    }
}
