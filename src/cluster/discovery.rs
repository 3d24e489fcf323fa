//! What an API server offers: its kinds with their names and versions, and its own version.
//!
//! Two requests suffice where the server knows aggregated discovery (1.26 on); otherwise one for every group and
//! version, eight at a time. A group whose server is away is noted and the rest is used: one broken metrics adapter must
//! not hide the virtual machines.

mod parse;
mod resolve;
#[cfg(test)]
mod tests;

use std::time::Duration;

use futures::{StreamExt as _, stream};
use serde::Deserialize;

use super::connect::Connection;
use super::error::{Failure, FailureKind};
use crate::text::one_line;
use parse::{GroupVersion, Parsed, parse_document, parse_group};
pub use resolve::Resolved;

/// Asks for the aggregated form in both of its versions, and takes the plain one.
const ACCEPT: &str = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,\
    application/json;g=apidiscovery.k8s.io;v=v2beta1;as=APIGroupDiscoveryList,application/json";

/// How long one document may take.
const LIMIT: Duration = Duration::from_secs(10);

/// How many documents of the plain form are asked for at once.
const AT_ONCE: usize = 8;

/// A kind that a server offers.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Resource {
    /// The API group; empty for the core group.
    pub group: String,
    /// The version that the server prefers for this kind.
    pub version: String,
    /// All versions that serve it, the preferred one first.
    pub versions: Vec<String>,
    /// The kind, `VirtualMachine`.
    pub kind: String,
    /// The plural, which stands in URLs, `virtualmachines`.
    pub plural: String,
    /// The singular, `virtualmachine`; may be empty.
    pub singular: String,
    /// The short names, `vm`, `vms`.
    pub short_names: Vec<String>,
    /// The categories, `all`.
    pub categories: Vec<String>,
    /// Whether its objects live in namespaces.
    pub namespaced: bool,
    /// The verbs that can be used, `list`, `watch`; empty where the server lists none.
    pub verbs: Vec<String>,
}

/// A group or version that could not be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Absent {
    /// The API group.
    pub group: String,
    /// Its version; empty if the whole group could not be read.
    pub version: String,
    /// Why, for people.
    pub reason: String,
}

/// All that a server offers at a moment. Kinds that are installed later are found by discovering again.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Discovery {
    /// The kinds, in the server's order.
    pub resources: Vec<Resource>,
    /// Groups whose own server does not answer at the moment: their kinds are missing here or out of date.
    pub stale_groups: Vec<String>,
    /// Groups that could not be read.
    pub absent: Vec<Absent>,
    /// The server's version.
    pub version: ServerVersion,
}

/// The version of an API server.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ServerVersion {
    /// As the server writes it, `v1.36.3+k3s1`; made safe; empty if it does not say.
    pub git_version: String,
    /// Major and minor, if that can be understood. Builds without a version (`v0.0.0-master+…`) have none.
    pub parsed: Option<(u32, u32)>,
}

/// Which of the projects that v9s knows are installed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Features {
    /// KubeVirt, `kubevirt.io`.
    pub kubevirt: bool,
    /// The Containerized Data Importer, `cdi.kubevirt.io`.
    pub cdi: bool,
    /// Volume snapshots, `snapshot.storage.k8s.io`.
    pub snapshots: bool,
    /// Virtink, `virt.virtink.smartx.com`.
    pub virtink: bool,
    /// Kairos' builder, `build.kairos.io`.
    pub kairos: bool,
    /// Cluster API, `cluster.x-k8s.io`.
    pub cluster_api: bool,
    /// Our own kinds, `v9s.dev`.
    pub own: bool,
}

impl Resource {
    /// Returns whether the verb can be used on it.
    pub fn can(&self, verb: &str) -> bool {
        self.verbs.iter().any(|known| known == verb)
    }

    /// Returns `group/version`, or the version alone for the core group.
    pub fn api_version(&self) -> String {
        match self.group.as_str() {
            "" => self.version.clone(),
            group => format!("{group}/{}", self.version),
        }
    }
}

impl ServerVersion {
    /// Reads what a server says of its version.
    pub fn parse(git_version: &str) -> Self {
        let number = |text: &str| text.parse::<u32>().ok();
        let parsed = || {
            let mut parts = git_version.trim().strip_prefix('v')?.split(['.', '-', '+']);
            let (major, minor) = (number(parts.next()?)?, number(parts.next()?)?);
            ((major, minor) != (0, 0)).then_some((major, minor))
        };
        Self { git_version: one_line(git_version, 80), parsed: parsed() }
    }
}

impl Discovery {
    /// Returns a kind by group and plural.
    pub fn served(&self, group: &str, plural: &str) -> Option<&Resource> {
        self.resources.iter().find(|resource| resource.group == group && resource.plural == plural)
    }

    /// Returns the first of the wanted versions that is served, else the one that the server prefers; none if the kind
    /// is not served at all.
    pub fn best_version(&self, group: &str, plural: &str, wanted: &[&str]) -> Option<String> {
        let resource = self.served(group, plural)?;
        let best = wanted.iter().find(|wanted| resource.versions.iter().any(|served| served == *wanted));
        Some(best.map_or_else(|| resource.version.clone(), |version| (*version).to_owned()))
    }

    /// Returns which projects are installed. A group counts while its server is away, too.
    pub fn features(&self) -> Features {
        Features {
            kubevirt: self.has_group("kubevirt.io"),
            cdi: self.has_group("cdi.kubevirt.io"),
            snapshots: self.has_group("snapshot.storage.k8s.io"),
            virtink: self.has_group("virt.virtink.smartx.com"),
            kairos: self.has_group("build.kairos.io"),
            cluster_api: self.has_group("cluster.x-k8s.io"),
            own: self.has_group("v9s.dev"),
        }
    }

    /// Returns whether the server knows a group.
    pub fn has_group(&self, group: &str) -> bool {
        self.resources.iter().any(|resource| resource.group == group)
            || self.stale_groups.iter().any(|stale| stale == group)
            || self.absent.iter().any(|absent| absent.group == group)
    }

    /// Returns whether another discovery found something else: kinds, versions, names, or who is away.
    pub fn differs(&self, other: &Self) -> bool {
        self.resources != other.resources
            || self.stale_groups != other.stale_groups
            || self.version != other.version
    }

    fn add(&mut self, parsed: Parsed) {
        for resource in parsed.resources {
            // The kinds of a group stand together, so that only those are looked through.
            let known = self
                .resources
                .iter_mut()
                .rev()
                .take_while(|known| known.group == resource.group)
                .find(|known| known.plural == resource.plural);
            match known {
                Some(known) => {
                    for version in resource.versions {
                        if !known.versions.contains(&version) {
                            known.versions.push(version);
                        }
                    }
                }
                None => self.resources.push(resource),
            }
        }
        for group in parsed.stale {
            if !self.stale_groups.contains(&group) {
                self.stale_groups.push(group);
            }
        }
        self.absent.extend(parsed.absent);
    }
}

#[derive(Deserialize)]
struct VersionDocument {
    #[serde(rename = "gitVersion")]
    git_version: Option<String>,
}

/// Asks a server what it offers.
///
/// # Errors
///
/// As [`Connection::get_json`], if the lists of groups cannot be read. A single group that cannot be read is in
/// [`Discovery::absent`]; a version that cannot be read is empty.
pub async fn discover(connection: &Connection) -> Result<Discovery, Failure> {
    let (core, groups, version) = futures::join!(
        connection.get_text("/api", ACCEPT, LIMIT),
        connection.get_text("/apis", ACCEPT, LIMIT),
        connection.get_json::<VersionDocument>("/version", "application/json", LIMIT),
    );
    // A server without the core group is one without pods, but a server.
    let core = match core {
        Err(failure) if failure.kind == FailureKind::NotFound => None,
        other => Some(other?),
    };
    let server = &connection.info().server;
    let mut discovery = Discovery::default();
    for document in [core, Some(groups?)].into_iter().flatten() {
        let mut parsed = parse_document(&document).map_err(|why| Failure::garbage(server, &why))?;
        let singly = read_singly(connection, std::mem::take(&mut parsed.unread)).await;
        discovery.add(parsed);
        for parsed in singly {
            discovery.add(parsed);
        }
    }
    if let Ok(document) = version {
        discovery.version = ServerVersion::parse(&document.git_version.unwrap_or_default());
    }
    Ok(discovery)
}

/// Reads the plain form, one document for each group and version, in order.
async fn read_singly(connection: &Connection, unread: Vec<GroupVersion>) -> Vec<Parsed> {
    stream::iter(unread)
        .map(|wanted| async move {
            let path = wanted.path();
            match connection.get_text(&path, "application/json", LIMIT).await {
                Ok(document) => parse_group(&document, &wanted),
                Err(failure) => Parsed::absent(&wanted, failure.to_string()),
            }
        })
        .buffered(AT_ONCE)
        .collect()
        .await
}
