//! From a word that a person types to a kind.
//!
//! KubeVirt's and Virtink's VirtualMachine both claim `vm` and `vms`. The server lists the groups in an order of its own, so a
//! word that several groups claim is decided by the group: those that this program is about come first.

use super::{Discovery, Resource};

/// What a word means.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Resolved<'a> {
    /// This kind.
    One(&'a Resource),
    /// Any of these, and nothing tells which is meant.
    Ambiguous(Vec<&'a Resource>),
    /// No kind that is served.
    None,
}

/// The place of a group in the order of preference; lower is better.
fn rank(group: &str) -> u8 {
    match group {
        "kubevirt.io" => 0,
        "cdi.kubevirt.io" => 2,
        "snapshot.storage.k8s.io" => 3,
        "" => 4,
        "apps" => 5,
        // Nothing can be listed there; the kinds it names are kubevirt.io's.
        "subresources.kubevirt.io" => 7,
        group if group.ends_with(".kubevirt.io") => 1,
        _ => 6,
    }
}

/// How well a name fits a kind: 0 the plural, 1 the singular or the kind, 2 a short name; none if it does not.
fn fit(resource: &Resource, name: &str) -> Option<u8> {
    if resource.plural.eq_ignore_ascii_case(name) {
        Some(0)
    } else if resource.singular.eq_ignore_ascii_case(name) || resource.kind.eq_ignore_ascii_case(name) {
        Some(1)
    } else {
        let short = resource.short_names.iter().any(|short| short.eq_ignore_ascii_case(name));
        short.then_some(2)
    }
}

/// A word taken apart.
#[derive(Clone, Copy, Debug)]
struct Word<'a> {
    name: &'a str,
    group: Option<&'a str>,
    version: Option<&'a str>,
}

impl Discovery {
    /// Finds the kind that a word means: its plural, singular, kind or a short name (in small or capital letters),
    /// alone or as `name.group`, `name.version.group`, `group/version/name` or `version/name` for the core group.
    ///
    /// A name alone that several groups claim means kubevirt.io's; then the groups below kubevirt.io, CDI's, snapshots,
    /// the core group, `apps`. Two others are ambiguous.
    pub fn resolve(&self, word: &str) -> Resolved<'_> {
        for word in readings(word.trim()) {
            match self.find(word) {
                Resolved::None => {}
                found => return found,
            }
        }
        Resolved::None
    }

    fn find(&self, word: Word<'_>) -> Resolved<'_> {
        let mut found: Vec<(u8, u8, &Resource)> = self
            .resources
            .iter()
            .filter(|resource| word.group.is_none_or(|group| resource.group.eq_ignore_ascii_case(group)))
            .filter(|resource| {
                word.version.is_none_or(|version| resource.versions.iter().any(|v| v == version))
            })
            .filter_map(|resource| Some((rank(&resource.group), fit(resource, word.name)?, resource)))
            .collect();
        let Some(best) = found.iter().map(|(rank, fit, _)| (*rank, *fit)).min() else {
            return Resolved::None;
        };
        found.retain(|(rank, fit, _)| (*rank, *fit) == best);
        match found.as_slice() {
            [(_, _, resource)] => Resolved::One(resource),
            _ => Resolved::Ambiguous(found.into_iter().map(|(_, _, resource)| resource).collect()),
        }
    }
}

/// The ways to read a word, the likeliest first. `a.b.c` may be name, version and group or a name and the group `b.c`.
fn readings(word: &str) -> Vec<Word<'_>> {
    let reading = |name, group, version| Word { name, group, version };
    match word.split('/').collect::<Vec<_>>().as_slice() {
        [group, version, name] => return vec![reading(*name, Some(*group), Some(*version))],
        [version, name] => return vec![reading(*name, Some(""), Some(*version))],
        [_] => {}
        _ => return Vec::new(),
    }
    let mut readings = vec![reading(word, None, None)];
    if let Some((name, rest)) = word.split_once('.') {
        readings.push(reading(name, Some(rest), None));
        match rest.split_once('.') {
            Some((version, group)) => readings.push(reading(name, Some(group), Some(version))),
            None => readings.push(reading(name, Some(""), Some(rest))),
        }
    }
    readings
}
