//! Reads the documents of discovery: the aggregated form (`apidiscovery.k8s.io`) and the plain one.
//!
//! Aggregated API servers write these documents themselves and get them wrong: KubeVirt's has `verbs: null` and entries
//! without a kind. So every list may be null, every group is read for itself, and what has no kind is left out.

use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;

use super::{Absent, Resource};
use crate::cluster::error::{sentence, why_no_json};
use crate::text::one_line;

/// A version of a group that has a document of its own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct GroupVersion {
    pub(super) group: String,
    pub(super) version: String,
}

impl GroupVersion {
    pub(super) fn path(&self) -> String {
        match self.group.as_str() {
            "" => format!("/api/{}", self.version),
            group => format!("/apis/{group}/{}", self.version),
        }
    }
}

/// What a document says.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Parsed {
    pub(super) resources: Vec<Resource>,
    pub(super) stale: Vec<String>,
    pub(super) absent: Vec<Absent>,
    /// What has to be asked for one by one.
    pub(super) unread: Vec<GroupVersion>,
}

impl Parsed {
    pub(super) fn absent(what: &GroupVersion, reason: String) -> Self {
        let absent = Absent { group: what.group.clone(), version: what.version.clone(), reason };
        Self { absent: vec![absent], ..Self::default() }
    }
}

/// Takes null for the empty value.
fn or_null<'de, D: Deserializer<'de>, T: Default + Deserialize<'de>>(from: D) -> Result<T, D::Error> {
    Ok(Option::deserialize(from)?.unwrap_or_default())
}

/// Any of the documents at `/api` and `/apis`.
#[derive(Deserialize)]
struct Document {
    #[serde(default, deserialize_with = "or_null")]
    kind: String,
    /// Of an `APIGroupDiscoveryList`.
    #[serde(default, deserialize_with = "or_null")]
    items: Vec<Box<RawValue>>,
    /// Of an `APIGroupList`.
    #[serde(default, deserialize_with = "or_null")]
    groups: Vec<Box<RawValue>>,
    /// Of an `APIVersions`.
    #[serde(default, deserialize_with = "or_null")]
    versions: Vec<String>,
}

/// Reads the document at `/api` or `/apis`, whichever form it has.
pub(super) fn parse_document(text: &str) -> Result<Parsed, String> {
    let document: Document = serde_json::from_str(text).map_err(|why| why_no_json(&why))?;
    let mut parsed = Parsed::default();
    match document.kind.as_str() {
        "APIGroupDiscoveryList" => document.items.iter().for_each(|item| add_group(&mut parsed, item)),
        "APIGroupList" => document.groups.iter().for_each(|group| list_versions(&mut parsed, group)),
        "APIVersions" => parsed.unread.extend(
            document
                .versions
                .into_iter()
                .filter(|version| is_word(version))
                .map(|version| GroupVersion { group: String::new(), version }),
        ),
        other => {
            return Err(format!("it is a \"{}\", not a list of API groups", one_line(other, 40)));
        }
    }
    Ok(parsed)
}

#[derive(Default, Deserialize)]
struct Named {
    #[serde(default, deserialize_with = "or_null")]
    name: String,
}

#[derive(Deserialize)]
struct Group {
    #[serde(default, deserialize_with = "or_null")]
    metadata: Named,
    #[serde(default, deserialize_with = "or_null")]
    versions: Vec<Version>,
}

#[derive(Deserialize)]
struct Version {
    #[serde(default, deserialize_with = "or_null")]
    version: String,
    #[serde(default, deserialize_with = "or_null")]
    resources: Vec<Entry>,
    #[serde(default, deserialize_with = "or_null")]
    freshness: String,
}

/// A resource in the aggregated form.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Entry {
    #[serde(default, deserialize_with = "or_null")]
    resource: String,
    #[serde(default, deserialize_with = "or_null")]
    response_kind: Kind,
    #[serde(default, deserialize_with = "or_null")]
    scope: String,
    #[serde(default, deserialize_with = "or_null")]
    singular_resource: String,
    #[serde(default, deserialize_with = "or_null")]
    verbs: Vec<String>,
    #[serde(default, deserialize_with = "or_null")]
    short_names: Vec<String>,
    #[serde(default, deserialize_with = "or_null")]
    categories: Vec<String>,
}

#[derive(Default, Deserialize)]
struct Kind {
    #[serde(default, deserialize_with = "or_null")]
    kind: String,
}

fn add_group(parsed: &mut Parsed, item: &RawValue) {
    let group: Group = match serde_json::from_str(item.get()) {
        Ok(group) => group,
        Err(why) => return parsed.absent.push(unreadable(group_name(item), &why)),
    };
    let name = group.metadata.name;
    if !name.is_empty() && !is_word(&name) {
        return;
    }
    for version in group.versions.into_iter().filter(|version| is_word(&version.version)) {
        if version.freshness == "Stale" {
            parsed.stale.push(name.clone());
        }
        for entry in version.resources {
            let resource = Resource {
                group: name.clone(),
                version: version.version.clone(),
                versions: vec![version.version.clone()],
                kind: entry.response_kind.kind,
                plural: entry.resource,
                singular: entry.singular_resource,
                short_names: entry.short_names,
                categories: entry.categories,
                namespaced: entry.scope == "Namespaced",
                verbs: entry.verbs,
            };
            parsed.resources.extend(usable(resource));
        }
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct PlainGroup {
    #[serde(default, deserialize_with = "or_null")]
    name: String,
    #[serde(default, deserialize_with = "or_null")]
    versions: Vec<PlainVersion>,
    #[serde(default, deserialize_with = "or_null")]
    preferred_version: PlainVersion,
}

#[derive(Default, Deserialize)]
struct PlainVersion {
    #[serde(default, deserialize_with = "or_null")]
    version: String,
}

fn list_versions(parsed: &mut Parsed, group: &RawValue) {
    let group: PlainGroup = match serde_json::from_str(group.get()) {
        Ok(group) => group,
        Err(why) => return parsed.absent.push(unreadable(group_name(group), &why)),
    };
    if !is_word(&group.name) {
        return;
    }
    let mut versions: Vec<String> = Vec::new();
    let preferred = std::iter::once(group.preferred_version.version);
    for version in preferred.chain(group.versions.into_iter().map(|version| version.version)) {
        if is_word(&version) && !versions.contains(&version) {
            versions.push(version);
        }
    }
    parsed
        .unread
        .extend(versions.into_iter().map(|version| GroupVersion { group: group.name.clone(), version }));
}

#[derive(Deserialize)]
struct PlainList {
    #[serde(default, deserialize_with = "or_null")]
    resources: Vec<PlainEntry>,
}

/// A resource in the plain form; its group and version, where set, are those of its kind and not of its URL.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct PlainEntry {
    #[serde(default, deserialize_with = "or_null")]
    name: String,
    #[serde(default, deserialize_with = "or_null")]
    singular_name: String,
    #[serde(default, deserialize_with = "or_null")]
    namespaced: bool,
    #[serde(default, deserialize_with = "or_null")]
    kind: String,
    #[serde(default, deserialize_with = "or_null")]
    verbs: Vec<String>,
    #[serde(default, deserialize_with = "or_null")]
    short_names: Vec<String>,
    #[serde(default, deserialize_with = "or_null")]
    categories: Vec<String>,
}

/// Reads the plain document of one group and version.
pub(super) fn parse_group(text: &str, of: &GroupVersion) -> Parsed {
    let list: PlainList = match serde_json::from_str(text) {
        Ok(list) => list,
        Err(why) => return Parsed::absent(of, sentence(&why.to_string())),
    };
    let resources = list.resources.into_iter().filter_map(|entry| {
        usable(Resource {
            group: of.group.clone(),
            version: of.version.clone(),
            versions: vec![of.version.clone()],
            kind: entry.kind,
            plural: entry.name,
            singular: entry.singular_name,
            short_names: entry.short_names,
            categories: entry.categories,
            namespaced: entry.namespaced,
            verbs: entry.verbs,
        })
    });
    Parsed { resources: resources.collect(), ..Parsed::default() }
}

/// Leaves out subresources (`pods/log`), what has no kind, and names that no API server would allow: they become parts
/// of URLs and text on the screen.
fn usable(mut resource: Resource) -> Option<Resource> {
    if !is_word(&resource.plural) || !is_word(&resource.kind) {
        return None;
    }
    if !is_word(&resource.singular) {
        resource.singular = resource.kind.to_lowercase();
    }
    for names in [&mut resource.short_names, &mut resource.categories, &mut resource.verbs] {
        names.retain(|name| is_word(name) || name == "*");
    }
    Some(resource)
}

/// Letters, digits, dots and hyphens.
fn is_word(text: &str) -> bool {
    !text.is_empty()
        && text.len() <= 253
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'.')
}

/// The name of a group of which something else cannot be read.
fn group_name(item: &RawValue) -> String {
    let value: serde_json::Value = serde_json::from_str(item.get()).unwrap_or_default();
    let name = value["metadata"]["name"].as_str().or(value["name"].as_str());
    one_line(name.unwrap_or_default(), 80)
}

fn unreadable(group: String, why: &serde_json::Error) -> Absent {
    Absent { group, version: String::new(), reason: sentence(&why.to_string()) }
}
