//! The objects that rules ask about.

use std::collections::HashSet;
use std::time::Duration;

use serde::Deserialize;
use serde_json::Value;

use crate::cluster::connect::Connection;
use crate::cluster::discovery::Discovery;
use crate::cluster::error::{Failure, FailureKind};
use crate::cluster::feed::Target;
use crate::cluster::watch::escape;
use crate::rules::Subject;
use crate::rules::known::objects::{LISTS, List, Objects};

/// How long one page may take.
const LIMIT: Duration = Duration::from_secs(30);
/// How many objects a page has.
const PAGE: usize = 250;
/// With more objects than this a list counts as one that could not be read.
const MOST: usize = 50_000;

#[derive(Deserialize)]
struct Page {
    #[serde(default)]
    metadata: PageMeta,
    #[serde(default)]
    items: Option<Vec<Value>>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct PageMeta {
    #[serde(rename = "continue")]
    next: Option<String>,
}

/// Reads every list that rules about these subjects ask about.
pub(super) async fn survey(
    connection: &Connection,
    discovery: &Discovery,
    namespaces: &[&str],
    subjects: &HashSet<Subject>,
) -> Result<Objects, Failure> {
    let mut objects = Objects::default();
    let wanted = LISTS.iter().filter(|list| list.wanted.iter().any(|subject| subjects.contains(subject)));
    for list in wanted {
        if let Some(found) = read(connection, discovery, namespaces, list).await? {
            objects.0.insert(list.plural, found);
        }
    }
    Ok(objects)
}

/// A list; none if it is not served or not to be read by this user.
async fn read(
    connection: &Connection,
    discovery: &Discovery,
    namespaces: &[&str],
    list: &List,
) -> Result<Option<Vec<Value>>, Failure> {
    let Some(resource) = discovery.served(list.group, list.plural) else { return Ok(None) };
    let target = Target {
        group: resource.group.clone(),
        version: resource.version.clone(),
        plural: resource.plural.clone(),
        namespaced: resource.namespaced,
    };
    let paths: Vec<String> = match list.local {
        true => namespaces.iter().map(|namespace| target.path(Some(namespace))).collect(),
        false => vec![target.path(None)],
    };
    let mut found = Vec::new();
    for path in paths {
        let mut next = String::new();
        loop {
            let token = if next.is_empty() { String::new() } else { format!("&continue={}", escape(&next)) };
            let page = format!("{path}?limit={PAGE}{token}");
            let page: Page = match connection.get_json(&page, "application/json", LIMIT).await {
                Ok(page) => page,
                Err(failure) if is_hidden(&failure) => return Ok(None),
                Err(failure) => return Err(failure),
            };
            let mut items = page.items.unwrap_or_default();
            let next_page = page.metadata.next.filter(|next| !next.is_empty());
            // A server that goes on and brings nothing would never end.
            if items.is_empty() && next_page.is_some() {
                return Ok(None);
            }
            items.iter_mut().for_each(list.strip);
            found.append(&mut items);
            if found.len() > MOST {
                return Ok(None);
            }
            match next_page {
                Some(token) => next = token,
                None => break,
            }
        }
    }
    Ok(Some(found))
}

/// Whether a list cannot be had by this user, or by nobody, while the server as such answers.
fn is_hidden(failure: &Failure) -> bool {
    matches!(
        failure.kind,
        FailureKind::Forbidden
            | FailureKind::NotFound
            | FailureKind::Gone
            | FailureKind::Unavailable { .. }
            | FailureKind::Server(_)
    )
}
