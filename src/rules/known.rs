//! What else there is besides the document: objects of the cluster, abilities of its parts, options of the command.
//!
//! Everything is optional. What is not known is never a mistake: a rule that needs it says nothing.

pub mod objects;

use serde::Deserialize;

use super::source::{Document, Spot};
use super::subject::Subject;

/// What the command line says.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub struct Options {
    /// The GVC (namespace) that was asked for.
    pub gvc: Option<String>,
    /// The moment to judge by, where a rule is about a time: seconds since 1970.
    pub now: Option<i64>,
}

/// What is known of a cluster.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub struct Known {
    /// The name of the organisation.
    pub org: Option<String>,
    /// The name of the location that is this cluster.
    pub location: Option<String>,
    /// All volume sets.
    pub volume_sets: Option<Vec<VolumeSet>>,
    /// All secrets.
    pub secrets: Option<Vec<Secret>>,
    /// All identities.
    pub identities: Option<Vec<Identity>>,
    /// All storage classes.
    pub storage_classes: Option<Vec<StorageClass>>,
    /// All DataSources of CDI.
    pub data_sources: Option<Vec<DataSource>>,
    /// All images.
    pub images: Option<Vec<Image>>,
    /// All namespaces.
    pub namespaces: Option<Vec<String>>,
    /// All DataVolumes of CDI.
    pub data_volumes: Option<Vec<DataVolume>>,
    /// All claims for storage.
    pub storage_claims: Option<Vec<StorageClaim>>,
    /// All virtual machines of KubeVirt.
    pub machines: Option<Vec<Machine>>,
    /// All snapshots of virtual machines.
    pub machine_snapshots: Option<Vec<MachineSnapshot>>,
    /// The names of all instance types, those of namespaces and those of the cluster.
    pub instancetypes: Option<Vec<String>>,
    /// The names of all preferences, likewise.
    pub preferences: Option<Vec<String>>,
    /// The names of the host's devices that KubeVirt may hand out.
    pub devices: Option<Vec<String>>,
    /// The feature gates of KubeVirt that are open.
    pub gates: Option<Vec<String>>,
    /// Whether the importer compares checksums (CDI 1.65 and later).
    pub verifies_checksums: Option<bool>,
    /// Whether SMBIOS strings can be set for one machine.
    pub sets_smbios: Option<bool>,
    /// Whether the network policy knows host names.
    pub enforces_host_names: Option<bool>,
    /// DataVolumes of the stream.
    #[serde(skip)]
    pub written_volumes: Vec<DataVolume>,
    /// Images of the stream.
    #[serde(skip)]
    pub written_images: Vec<Image>,
    /// DataSources of the stream.
    #[serde(skip)]
    pub written_sources: Vec<DataSource>,
    /// Names and namespaces of DataSources that machines of the stream take disks from.
    #[serde(skip)]
    pub used_sources: Vec<(String, String)>,
    /// What the workloads of the stream make of volume sets, in the order of the stream.
    #[serde(skip)]
    pub claims: Vec<Claim>,
}

/// A volume set that a workload names.
#[derive(Clone, Debug, PartialEq)]
pub struct Claim {
    /// The name of the volume set.
    pub volume_set: String,
    /// The GVC of both; empty: any.
    pub gvc: String,
    /// The name of the workload.
    pub workload: String,
}

/// A volume set of the cluster.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub struct VolumeSet {
    /// Its name.
    pub name: String,
    /// The GVC that it is in; empty: any.
    pub gvc: String,
    /// The workload that uses it.
    pub used_by: Option<String>,
    /// Its file system; `shared` is one.
    pub file_system_type: String,
    /// Its performance class.
    pub performance_class: String,
    /// Its volumes.
    pub volumes: Vec<Volume>,
}

/// A volume of a volume set.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub struct Volume {
    /// Its index.
    pub index: i64,
    /// Its size in GiB.
    pub size: f64,
    /// The command that runs on it.
    pub busy_with: Option<String>,
    /// Its storage class.
    pub storage_class: Option<String>,
    /// Its snapshots and whether they are ready.
    pub snapshots: Vec<Snapshot>,
}

/// A snapshot of a volume.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub struct Snapshot {
    /// Its name.
    pub name: String,
    /// Whether it can be restored.
    pub ready: bool,
}

/// A secret of the cluster.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub struct Secret {
    /// Its name.
    pub name: String,
    /// The GVC that it is in; empty: any.
    pub gvc: String,
    /// Its keys, where they are known. Never their values.
    pub keys: Option<Vec<String>>,
}

/// An identity of the cluster.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub struct Identity {
    /// Its name.
    pub name: String,
    /// The GVC that it is in; empty: any.
    pub gvc: String,
    /// The secrets that it may reveal, where that is known.
    pub reveals: Option<Vec<String>>,
}

/// A storage class of the cluster.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub struct StorageClass {
    /// Its name.
    pub name: String,
    /// Whether a claim without a class gets it.
    pub default: bool,
    /// Whether its volumes are bound only when somebody uses them.
    pub waits: bool,
    /// Whether its volumes can grow.
    pub expands: bool,
    /// Whether its volumes can have snapshots.
    pub snapshots: bool,
}

/// A virtual machine of KubeVirt.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub struct Machine {
    /// Its name.
    pub name: String,
    /// The namespace that it is in; empty: any.
    pub gvc: String,
    /// Whether it has an instance that runs or starts.
    pub running: bool,
    /// Whether its instance is not placed on a node yet.
    pub scheduling: bool,
    /// Whether its guest is paused.
    pub paused: bool,
    /// The claims that are its disks.
    pub claims: Vec<String>,
    /// Why it cannot migrate, where it cannot.
    pub not_migratable: Option<String>,
    /// The migration that is under way.
    pub migration: Option<String>,
}

/// A claim for storage.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub struct StorageClaim {
    /// Its name.
    pub name: String,
    /// The namespace that it is in; empty: any.
    pub gvc: String,
}

/// A DataVolume of CDI.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub struct DataVolume {
    /// Its name.
    pub name: String,
    /// The namespace that it is in; empty: any.
    pub gvc: String,
    /// Its storage class; none is the default one.
    pub storage_class: Option<String>,
    /// Whether its claim is bound without waiting for somebody who uses it.
    pub immediate: bool,
    /// Whether it is filled with the files of an archive instead of a disk.
    pub archive: bool,
}

/// A snapshot of a virtual machine.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub struct MachineSnapshot {
    /// Its name.
    pub name: String,
    /// The namespace that it is in; empty: any.
    pub gvc: String,
    /// Whether it can be restored.
    pub ready: bool,
}

/// A DataSource of CDI.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub struct DataSource {
    /// Its name.
    pub name: String,
    /// The namespace that it is in; empty: any.
    pub gvc: String,
    /// The download that somebody wrote into it, which it cannot do.
    pub http: Option<serde_json::Value>,
}

/// An Image of v9s.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub struct Image {
    /// Its name.
    pub name: String,
    /// Whether new machines may not use it.
    pub disabled: bool,
    /// Whether its checks went well, where that is known.
    pub verified: Option<bool>,
    /// What it is for; empty: any.
    pub purpose: String,
    /// The Kubernetes version in it.
    pub kubernetes: Option<String>,
    /// The network plug-in whose containers are in it.
    pub cni: Option<String>,
}

/// The answer to a question for an object.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Lookup<'k, T> {
    /// There is one.
    Here(&'k T),
    /// There is none.
    Absent,
    /// Nobody looked.
    Unknown,
}

impl Known {
    /// Adds what documents of the same stream will make.
    #[must_use]
    pub fn with(mut self, documents: &[Document]) -> Self {
        for document in documents {
            let (Some(name), root) = (document.name(), document.root()) else { continue };
            let gvc = document.gvc().unwrap_or_default();
            let word = |path| root.get(path).text().unwrap_or_default().to_owned();
            match document.subject() {
                Subject::VolumeSet => add(
                    &mut self.volume_sets,
                    |set| same(&set.name, &set.gvc, name, gvc),
                    || VolumeSet {
                        name: name.to_owned(),
                        gvc: gvc.to_owned(),
                        file_system_type: word("spec.fileSystemType"),
                        performance_class: word("spec.performanceClass"),
                        ..VolumeSet::default()
                    },
                ),
                Subject::Secret => {
                    let keys = ["data", "stringData"].into_iter().flat_map(|part| {
                        root.get(part).entries().map(|(key, _)| key.to_owned()).collect::<Vec<_>>()
                    });
                    add(
                        &mut self.secrets,
                        |secret| same(&secret.name, &secret.gvc, name, gvc),
                        || Secret { name: name.to_owned(), gvc: gvc.to_owned(), keys: Some(keys.collect()) },
                    );
                }
                Subject::Identity => {
                    add(
                        &mut self.identities,
                        |identity| same(&identity.name, &identity.gvc, name, gvc),
                        || Identity { name: name.to_owned(), gvc: gvc.to_owned(), reveals: None },
                    );
                }
                // Unlike the others these count without a cluster: they say what their users get.
                Subject::Image => {
                    let optional = |path| root.get(path).text().map(str::to_owned);
                    self.written_images.push(Image {
                        name: name.to_owned(),
                        disabled: root.get("spec.enabled").truth() == Some(false),
                        verified: None,
                        purpose: optional("spec.purpose").unwrap_or_else(|| "general".to_owned()),
                        kubernetes: optional("spec.kubernetesVersion"),
                        cni: optional("spec.cni"),
                    });
                }
                Subject::DataVolume => {
                    let class = ["spec.storage.storageClassName", "spec.pvc.storageClassName"];
                    let immediate = root.get("metadata.annotations");
                    let immediate = immediate.entry("cdi.kubevirt.io/storage.bind.immediate.requested");
                    self.written_volumes.push(DataVolume {
                        name: name.to_owned(),
                        gvc: gvc.to_owned(),
                        storage_class: class
                            .into_iter()
                            .find_map(|path| root.get(path).text())
                            .map(str::to_owned),
                        immediate: immediate.is_some_and(|value| value.text() != Some("false")),
                        archive: root.get("spec.contentType").text() == Some("archive"),
                    });
                    add(
                        &mut self.storage_claims,
                        |claim| same(&claim.name, &claim.gvc, name, gvc),
                        || StorageClaim { name: name.to_owned(), gvc: gvc.to_owned() },
                    );
                }
                // The same: a DataSource with a download explains its users.
                Subject::DataSource => {
                    let http =
                        Some(root.get("spec.source.http")).filter(Spot::is_map).map(|http| http.json());
                    self.written_sources.push(DataSource {
                        name: name.to_owned(),
                        gvc: gvc.to_owned(),
                        http,
                    });
                }
                Subject::VirtualMachine | Subject::VirtualMachinePool => {
                    let template = if document.subject() == Subject::VirtualMachine {
                        root.get("spec.dataVolumeTemplates")
                    } else {
                        root.get("spec.virtualMachineTemplate.spec.dataVolumeTemplates")
                    };
                    let used = template.items().filter_map(|item| {
                        let source = item.get("spec.sourceRef");
                        let namespace = source.get("namespace").text().unwrap_or(gvc).to_owned();
                        source.get("name").text().map(|name| (name.to_owned(), namespace))
                    });
                    self.used_sources.extend(used);
                }
                Subject::Workload => self.claims.extend(super::catalogue::volume_sets_of(&root).map(|set| {
                    Claim { volume_set: set.to_owned(), gvc: gvc.to_owned(), workload: name.to_owned() }
                })),
                _ => {}
            }
        }
        self
    }

    /// Looks for a claim for storage.
    #[must_use]
    pub fn storage_claim(&self, name: &str, gvc: &str) -> Lookup<'_, StorageClaim> {
        look(self.storage_claims.as_deref(), |claim| same(&claim.name, &claim.gvc, name, gvc))
    }

    /// The DataVolume with this name, if it is known; one that is about to be written counts, not what it replaces.
    #[must_use]
    pub fn data_volume(&self, name: &str, gvc: &str) -> Option<&DataVolume> {
        let mut all = self.written_volumes.iter().chain(self.data_volumes.iter().flatten());
        all.find(|volume| same(&volume.name, &volume.gvc, name, gvc))
    }

    /// The storage class of this name, or the default one.
    #[must_use]
    pub fn storage_class(&self, name: Option<&str>) -> Option<&StorageClass> {
        let mut classes = self.storage_classes.iter().flatten();
        classes.find(|class| name.map_or(class.default, |name| class.name == name))
    }

    /// Looks for an image. One that is about to be written counts, not what it replaces.
    #[must_use]
    pub fn image(&self, name: &str) -> Lookup<'_, Image> {
        match self.written_images.iter().find(|image| image.name == name) {
            Some(image) => Lookup::Here(image),
            None => look(self.images.as_deref(), |image| image.name == name),
        }
    }

    /// Looks for a virtual machine of KubeVirt.
    #[must_use]
    pub fn machine(&self, name: &str, gvc: &str) -> Lookup<'_, Machine> {
        look(self.machines.as_deref(), |machine| same(&machine.name, &machine.gvc, name, gvc))
    }

    /// Looks for a snapshot of a virtual machine.
    #[must_use]
    pub fn machine_snapshot(&self, name: &str, gvc: &str) -> Lookup<'_, MachineSnapshot> {
        look(self.machine_snapshots.as_deref(), |snapshot| same(&snapshot.name, &snapshot.gvc, name, gvc))
    }

    /// Looks for a DataSource.
    #[must_use]
    pub fn data_source(&self, name: &str, gvc: &str) -> Lookup<'_, DataSource> {
        let is = |source: &DataSource| same(&source.name, &source.gvc, name, gvc);
        match self.written_sources.iter().find(|source| is(source)) {
            Some(source) => Lookup::Here(source),
            None => look(self.data_sources.as_deref(), is),
        }
    }

    /// Whether a machine of the same stream takes its disk from this DataSource.
    #[must_use]
    pub fn uses_data_source(&self, name: &str, gvc: &str) -> bool {
        self.used_sources.iter().any(|(used, namespace)| same(used, namespace, name, gvc))
    }

    /// The workload that a volume set belongs to: what the cluster says, else the first one of the stream.
    #[must_use]
    pub fn user_of(&self, volume_set: &str, gvc: &str) -> Option<&str> {
        let user = match self.volume_set(volume_set, gvc) {
            Lookup::Here(set) => set.used_by.as_deref(),
            Lookup::Absent | Lookup::Unknown => None,
        };
        let claim = || self.claims.iter().find(|one| same(&one.volume_set, &one.gvc, volume_set, gvc));
        user.or_else(|| claim().map(|claim| claim.workload.as_str()))
    }

    /// Looks for a volume set.
    #[must_use]
    pub fn volume_set(&self, name: &str, gvc: &str) -> Lookup<'_, VolumeSet> {
        look(self.volume_sets.as_deref(), |set| same(&set.name, &set.gvc, name, gvc))
    }

    /// Looks for a secret.
    #[must_use]
    pub fn secret(&self, name: &str, gvc: &str) -> Lookup<'_, Secret> {
        look(self.secrets.as_deref(), |secret| same(&secret.name, &secret.gvc, name, gvc))
    }

    /// Looks for an identity.
    #[must_use]
    pub fn identity(&self, name: &str, gvc: &str) -> Lookup<'_, Identity> {
        look(self.identities.as_deref(), |identity| same(&identity.name, &identity.gvc, name, gvc))
    }
}

/// Whether two names mean one object. Who does not name a GVC means the one at hand.
fn same(name: &str, gvc: &str, other: &str, other_gvc: &str) -> bool {
    name == other && (gvc.is_empty() || other_gvc.is_empty() || gvc == other_gvc)
}

fn look<T>(list: Option<&[T]>, is: impl Fn(&T) -> bool) -> Lookup<'_, T> {
    match list {
        None => Lookup::Unknown,
        Some(list) => list.iter().find(|one| is(one)).map_or(Lookup::Absent, Lookup::Here),
    }
}

/// Documents add to what the cluster is known to have; they never make an unknown list look complete.
fn add<T>(list: &mut Option<Vec<T>>, is: impl Fn(&T) -> bool, new: impl FnOnce() -> T) {
    if let Some(list) = list
        && !list.iter().any(is)
    {
        list.push(new());
    }
}
