//! Which places of a document a rule looks at.
//!
//! A path is keys with dots between them, as in `spec.vm.cpu.sockets`. Besides keys it may have:
//!
//! | Part | Means |
//! |---|---|
//! | `ports[]` | each item of the list |
//! | `ports[0]` | one item |
//! | `*` | each entry of the map |
//! | `{oci,http}` | each of these keys |
//! | empty | the document itself |
//! | `@container` | what [`ALIASES`] says: places that have other paths in other kinds |
//!
//! A rule is asked about a place whose last key is missing as long as there is a map that could hold it. Where something
//! is missing further up, another rule says so.
//!
//! Paths are those of the seed's form: `name`, `gvc`, `description` and `tags` at the top lead to their places in
//! `metadata` when the document has Kubernetes' form.

use super::source::{Dialect, Document, Spot};
use super::subject::Subject;

/// Names for places that differ between kinds.
const ALIASES: &[(&str, &[(Subject, &str)])] = &[
    ("@container", &[(Subject::Workload, "spec.containers[0]")]),
    ("@probe", &[(Subject::Workload, "spec.containers[0].{readinessProbe,livenessProbe}")]),
    // The options of all locations, and those of one.
    ("@options", &[(Subject::Workload, "spec.defaultOptions"), (Subject::Workload, "spec.localOptions[]")]),
    // Texts for cloud-init, in clear or in Base64.
    (
        "@userdata",
        &[
            (Subject::Workload, "spec.vm.cloudInit.{userData,userDataBase64}"),
            (
                Subject::VirtualMachine,
                "spec.template.spec.volumes[].{cloudInitNoCloud,cloudInitConfigDrive}.{userData,userDataBase64}",
            ),
            (
                Subject::VirtualMachinePool,
                "spec.virtualMachineTemplate.spec.template.spec.volumes[].{cloudInitNoCloud,cloudInitConfigDrive}.{userData,userDataBase64}",
            ),
            (
                Subject::VirtualMachineInstance,
                "spec.volumes[].{cloudInitNoCloud,cloudInitConfigDrive}.{userData,userDataBase64}",
            ),
            (Subject::VirtinkMachine, "spec.volumes[].cloudInit.{userData,userDataBase64}"),
            (Subject::Secret, "{data,stringData}.{userdata,userData}"),
        ],
    ),
    // The specification of a VirtualMachine.
    (
        "@machine",
        &[
            (Subject::VirtualMachine, "spec"),
            (Subject::VirtualMachinePool, "spec.virtualMachineTemplate.spec"),
        ],
    ),
    // The specification of the guest.
    (
        "@guest",
        &[
            (Subject::VirtualMachine, "spec.template.spec"),
            (Subject::VirtualMachinePool, "spec.virtualMachineTemplate.spec.template.spec"),
            (Subject::VirtualMachineInstance, "spec"),
        ],
    ),
    // The specification of a DataVolume, also where it is a template.
    (
        "@datavolume",
        &[
            (Subject::DataVolume, "spec"),
            (Subject::VirtualMachine, "spec.dataVolumeTemplates[].spec"),
            (Subject::VirtualMachinePool, "spec.virtualMachineTemplate.spec.dataVolumeTemplates[].spec"),
            (Subject::DataImportCron, "spec.template.spec"),
        ],
    ),
];

/// Fields at the top of the seed's form and the keys that lead to them in Kubernetes' form.
const IN_METADATA: &[(&str, &[&str])] = &[
    ("name", &["metadata", "name"]),
    ("gvc", &["metadata", "namespace"]),
    ("description", &["metadata", "annotations", DESCRIPTION]),
    ("tags", &["metadata", "annotations"]),
];

/// The annotation that holds the description.
pub const DESCRIPTION: &str = "v9s.dev/description";
/// What stands before the key of a tag in annotations.
pub const TAG: &str = "tag.cpln/";

/// The keys that lead to a field of the seed's form in Kubernetes' form, where it is not at the same place.
pub(super) fn in_metadata(field: &str) -> Option<&'static [&'static str]> {
    IN_METADATA.iter().find(|(name, _)| *name == field).map(|(_, keys)| *keys)
}

/// The first place that an alias stands for in a kind; other keys stand for themselves.
pub(super) fn first_place(key: &str, subject: Subject) -> String {
    let places = ALIASES.iter().find(|(name, _)| *name == key).map_or(&[][..], |(_, places)| places);
    let place = places.iter().find(|(of, _)| *of == subject).map_or(key, |(_, place)| place);
    let place = place.replace("[]", "[0]");
    match place.split_once('{') {
        None => place,
        Some((before, keys)) => {
            let (first, _) = keys.split_once(',').unwrap_or((keys, ""));
            let after = keys.split_once('}').map_or("", |(_, after)| after);
            format!("{before}{}{after}", first.trim_end_matches('}'))
        }
    }
}

/// The fields that a path leads to in a kind, in Kubernetes' form, for those who ask about a field: without the indexes of
/// lists, every alternative by itself.
pub fn fields(path: &str, subject: Subject) -> Vec<String> {
    let (first, rest) = path.split_once('.').unwrap_or((path, ""));
    let places = ALIASES.iter().find(|(name, _)| *name == first).map_or(&[][..], |(_, places)| places);
    let first = match (places.iter().find(|(of, _)| *of == subject), in_metadata(first)) {
        (Some((_, place)), _) => (*place).to_owned(),
        (None, Some(keys)) => keys.join("."),
        (None, None) => first.to_owned(),
    };
    let mut paths = vec![if rest.is_empty() { first } else { format!("{first}.{rest}") }];
    while let Some(at) = paths.iter().position(|path| path.contains('{')) {
        let path = paths.swap_remove(at);
        let Some((before, after)) = path.split_once('{') else { continue };
        let Some((keys, after)) = after.split_once('}') else { continue };
        paths.extend(keys.split(',').map(|key| format!("{before}{key}{after}")));
    }
    let plain = |path: String| {
        let parts = path.split('.').map(|part| part.split('[').next().unwrap_or_default().to_owned());
        parts.collect::<Vec<_>>().join(".")
    };
    paths.into_iter().map(plain).collect()
}

/// Calls `visit` for each place of `document` that `path` leads to.
pub(super) fn visit<'a>(document: &'a Document, path: &'static str, visit: &mut dyn FnMut(Spot<'a>)) {
    let root = document.root();
    if path.is_empty() {
        return visit(root);
    }
    let (first, rest) = path.split_once('.').unwrap_or((path, ""));
    if first.starts_with('@') {
        let places = ALIASES.iter().find(|(name, _)| *name == first).map_or(&[][..], |(_, places)| places);
        for (_, place) in places.iter().filter(|(subject, _)| *subject == document.subject()) {
            walk(root.clone(), place, &mut |spot| walk(spot, rest, visit));
        }
        return;
    }
    if document.dialect() == Dialect::Kubernetes
        && let Some(keys) = in_metadata(first)
    {
        let mut spot = root;
        for key in keys {
            spot = spot.child(key);
        }
        // Without metadata there is still a place where the name is missing.
        return if rest.is_empty() { visit(spot) } else { walk(spot, rest, visit) };
    }
    walk(root, path, visit);
}

fn walk<'a>(from: Spot<'a>, path: &'static str, visit: &mut dyn FnMut(Spot<'a>)) {
    if path.is_empty() {
        return visit(from);
    }
    let (step, rest) = path.split_once('.').unwrap_or((path, ""));
    if step == "*" {
        return from.entries().for_each(|(_, entry)| walk(entry, rest, visit));
    }
    if let Some(keys) = step.strip_prefix('{').and_then(|step| step.strip_suffix('}')) {
        return keys.split(',').for_each(|key| one(&from, key, rest, visit));
    }
    let Some((key, which)) = step.split_once('[') else { return one(&from, step, rest, visit) };
    let list = from.child(key);
    match which.trim_end_matches(']').parse() {
        Ok(index) => {
            if let Some(item) = list.item(index) {
                walk(item, rest, visit);
            }
        }
        Err(_) => list.items().for_each(|item| walk(item, rest, visit)),
    }
}

fn one<'a>(from: &Spot<'a>, key: &'static str, rest: &'static str, visit: &mut dyn FnMut(Spot<'a>)) {
    let there = from.child(key);
    if there.exists() {
        walk(there, rest, visit);
    } else if rest.is_empty() && from.is_map() {
        visit(there);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::source::Source;

    fn places(text: &str, path: &'static str) -> Vec<String> {
        let source = Source::read(text.as_bytes());
        let mut found = Vec::new();
        visit(&source.documents[0], path, &mut |spot| {
            let there = if spot.exists() { "" } else { "?" };
            found.push(format!("{}{there}", spot.path()));
        });
        found
    }

    const SEED: &str =
        "kind: workload\nname: web\nspec:\n  containers:\n  - {name: vm, ports: [{number: 80}, {}]}\n";
    const OPTIONS: &str = "kind: workload\nspec: {defaultOptions: {}, localOptions: [{}]}\n";
    const KUBERNETES: &str = "apiVersion: v9s.dev/v1alpha1\nkind: Workload\nmetadata: {name: web}\n";

    #[test]
    fn paths_lead_to_places() {
        let cases: &[(&str, &str, &[&str])] = &[
            (SEED, "", &[""]),
            (SEED, "name", &["name"]),
            (SEED, "gvc", &["gvc?"]),
            (SEED, "spec.vm", &["spec.vm?"]),
            (SEED, "spec.vm.bootDisk", &[]),
            (SEED, "@container.name", &["spec.containers[0].name"]),
            (SEED, "@container.{cpu,name}", &["spec.containers[0].cpu?", "spec.containers[0].name"]),
            (
                SEED,
                "@container.ports[].number",
                &["spec.containers[0].ports[0].number", "spec.containers[0].ports[1].number?"],
            ),
            (SEED, "@container.ports[1]", &["spec.containers[0].ports[1]"]),
            (SEED, "spec.*", &["spec.containers"]),
            (SEED, "@guest.domain", &[]),
            (OPTIONS, "@options.debug", &["spec.defaultOptions.debug?", "spec.localOptions[0].debug?"]),
            (KUBERNETES, "name", &["metadata.name"]),
            (KUBERNETES, "gvc", &["metadata.namespace?"]),
            (KUBERNETES, "tags", &["metadata.annotations?"]),
        ];
        for (text, path, want) in cases {
            assert_eq!(places(text, path), *want, "{path}");
        }
    }
}
