//! Servers on which nothing may be played: a tunnel to a live cluster is on loopback, too.

use std::net::IpAddr;
use std::time::Duration;

use http::{Request, Uri};
use kube::Client;
use serde_json::Value;

use super::execute::collection;
use super::feed::SYNTHETIC;
use super::kind::{Kind, Row};

/// How often a server that is busy is asked again, and after what time.
const TRIES: u32 = 20;
const PAUSE: Duration = Duration::from_millis(500);

/// The label of objects that stand for parts of a cluster and were made by a simulated platform.
pub const PLAYED: &str = "v9s.dev/played";

/// Why nothing is played.
#[derive(Debug, thiserror::Error)]
pub enum Refusal {
    /// It may be anybody's.
    #[error("{0} is not on this machine; a platform is played on loopback addresses only")]
    NotLoopback(String),
    /// It belongs to a cluster that is at work.
    #[error(
        "the server has {what} which no simulated platform made, so it may be a live cluster; nothing is played there"
    )]
    Live {
        /// The object.
        what: String,
    },
    /// There are no machines without their definitions.
    #[error("the server does not know {0}; apply the CustomResourceDefinitions of KubeVirt and CDI first")]
    Missing(String),
    /// The server cannot be asked.
    #[error("the server cannot be asked what it has: {0}")]
    Unreachable(String),
}

impl From<kube::Error> for Refusal {
    fn from(why: kube::Error) -> Self {
        Self::Unreachable(match why {
            kube::Error::Api(status) => status.message,
            other => innermost(&other),
        })
    }
}

const CDIS: Row = Row {
    group: "cdi.kubevirt.io",
    version: "v1beta1",
    kind: "CDI",
    plural: "cdis",
    namespaced: false,
    status: true,
};

/// What was wrong in the first place; what is around it repeats it.
fn innermost(why: &dyn std::error::Error) -> String {
    why.source().map_or_else(|| why.to_string(), innermost)
}

/// What a live cluster has: where it is looked for, and with which labels.
fn signs() -> [(Row, &'static str); 5] {
    [
        (Kind::KubeVirt.row(), ""),
        (CDIS, ""),
        (Kind::Node.row(), ""),
        (Kind::Pod.row(), "kubevirt.io in (virt-operator,virt-controller,virt-api,virt-handler)"),
        (Kind::Pod.row(), "cdi.kubevirt.io in (cdi-operator,cdi-deployment,cdi-apiserver)"),
    ]
}

/// Refuses an address that is not on this machine.
///
/// # Errors
///
/// [`Refusal::NotLoopback`]
pub fn check_address(server: &Uri) -> Result<(), Refusal> {
    let host = server.host().unwrap_or_default().trim_matches(['[', ']']);
    let here = host == "localhost" || host.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback());
    if here { Ok(()) } else { Err(Refusal::NotLoopback(server.to_string())) }
}

/// The kinds that can be watched there, if anything may be played at all.
pub(super) async fn playable(client: &Client) -> Result<Vec<Kind>, Refusal> {
    let mut kinds = Vec::new();
    for kind in Kind::ALL {
        let row = kind.row();
        if has(client, &row).await? {
            kinds.push(*kind);
        } else if matches!(row.group, "kubevirt.io" | "cdi.kubevirt.io") {
            return Err(Refusal::Missing(format!("{}.{}", row.plural, row.group)));
        }
    }
    for (row, labels) in signs() {
        if let Some(what) = foreign(client, &row, labels).await? {
            return Err(Refusal::Live { what });
        }
    }
    Ok(kinds)
}

async fn has(client: &Client, row: &Row) -> Result<bool, kube::Error> {
    let root = if row.group.is_empty() { "/api".to_owned() } else { format!("/apis/{}", row.group) };
    match get(client, &format!("{root}/{}", row.version)).await {
        Ok(list) => {
            let resources = list["resources"].as_array().map(Vec::as_slice).unwrap_or_default();
            Ok(resources.iter().any(|one| one["name"] == row.plural))
        }
        Err(kube::Error::Api(status)) if status.code == 404 => Ok(false),
        Err(why) => Err(why),
    }
}

/// An object of a kind that no platform made.
async fn foreign(client: &Client, row: &Row, labels: &str) -> Result<Option<String>, kube::Error> {
    let labels = [labels, &format!("!{PLAYED},!{SYNTHETIC}")]
        .into_iter()
        .filter(|one| !one.is_empty())
        .collect::<Vec<_>>()
        .join(",");
    let labels: String = form_urlencoded::byte_serialize(labels.as_bytes()).collect();
    let list = match get(client, &format!("{}?limit=1&labelSelector={labels}", collection(row, ""))).await {
        Err(kube::Error::Api(status)) if status.code == 404 => return Ok(None),
        answer => answer?,
    };
    let name = list.pointer("/items/0/metadata/name").and_then(Value::as_str);
    Ok(name.map(|name| format!("the {} {name:?}", row.kind)))
}

async fn get(client: &Client, path: &str) -> Result<Value, kube::Error> {
    let mut tries = 0;
    loop {
        let request = Request::get(path).body(Vec::new()).map_err(kube::Error::HttpError)?;
        match client.request(request).await {
            // As a server says when definitions are new to it.
            Err(kube::Error::Api(status)) if status.code == 429 && tries < TRIES => tries += 1,
            answer => return answer,
        }
        tokio::time::sleep(PAUSE).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_addresses_of_this_machine_are_played_on() {
        for (server, allowed) in [
            ("https://127.0.0.1:6443", true),
            ("https://localhost", true),
            ("https://[::1]:8443/k8s", true),
            ("https://10.0.0.1:6443", false),
            ("https://localhost.example.com", false),
            ("https://127.0.0.1.example.com", false),
        ] {
            let uri: Uri = server.parse().unwrap();
            assert_eq!(check_address(&uri).is_ok(), allowed, "{server}");
        }
    }
}
