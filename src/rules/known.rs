//! What else there is besides the document: objects of the cluster, abilities of its parts, options of the command.
//!
//! Everything is optional. What is not known is never a mistake: a rule that needs it says nothing.

use serde::Deserialize;

use super::source::Document;
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
    /// Whether the importer compares checksums (CDI 1.65 and later).
    pub verifies_checksums: Option<bool>,
    /// Whether SMBIOS strings can be set for one machine.
    pub sets_smbios: Option<bool>,
    /// Whether the network policy knows host names.
    pub enforces_host_names: Option<bool>,
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
    /// Whether its volumes can grow.
    pub expands: bool,
    /// Whether its volumes can have snapshots.
    pub snapshots: bool,
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
                Subject::Workload => self.claims.extend(super::catalogue::volume_sets_of(&root).map(|set| {
                    Claim { volume_set: set.to_owned(), gvc: gvc.to_owned(), workload: name.to_owned() }
                })),
                _ => {}
            }
        }
        self
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
