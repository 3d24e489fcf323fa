//! Documents of KubeVirt, CDI, Virtink and others, as people paste them. One file per project, or a folder.

pub(super) mod cdi;
pub(super) mod common;
pub(super) mod kubevirt;

use super::super::rule::{Cel, Check, ERROR, Rule, WARNING};
use super::super::source::Spot;
use super::super::subject::Subject;

/// Why no rule of ours in the API server looks at these documents.
const NOT_OURS: Cel = Cel::No("it is a kind of somebody else");

/// What rows take over: an error in a machine of KubeVirt, in a template of machines, or in an instance.
const GUEST_ERROR: Rule = Rule {
    on: &[Subject::VirtualMachine, Subject::VirtualMachinePool, Subject::VirtualMachineInstance],
    cel: NOT_OURS,
    ..ERROR
};
const GUEST_WARNING: Rule = Rule { on: GUEST_ERROR.on, ..WARNING };

/// The same for what only machines and their templates have.
const MACHINE_ERROR: Rule =
    Rule { on: &[Subject::VirtualMachine, Subject::VirtualMachinePool], ..GUEST_ERROR };
const MACHINE_WARNING: Rule = Rule { on: MACHINE_ERROR.on, ..WARNING };

/// The specification of the guest that the document describes.
fn guest<'a>(c: &Check<'a>) -> Spot<'a> {
    let root = c.root();
    match root.document().subject() {
        Subject::VirtualMachinePool => root.get("spec.virtualMachineTemplate.spec.template.spec"),
        Subject::VirtualMachineInstance => root.get("spec"),
        _ => root.get("spec.template.spec"),
    }
}

/// The specification of the machine that the document describes.
fn machine<'a>(c: &Check<'a>) -> Spot<'a> {
    let root = c.root();
    match root.document().subject() {
        Subject::VirtualMachinePool => root.get("spec.virtualMachineTemplate.spec"),
        _ => root.get("spec"),
    }
}

/// The namespace of the document, or the one that was asked for; empty where nobody said.
fn namespace<'a>(c: &Check<'a>) -> &'a str {
    c.root().document().gvc().or(c.options.gvc.as_deref()).unwrap_or_default()
}

/// The item of a list that has this name.
fn named<'a>(list: &Spot<'a>, name: &str) -> Option<Spot<'a>> {
    list.items().find(|item| item.get("name").text() == Some(name))
}

/// How many of these keys a map has.
fn chosen<'a>(map: &Spot<'a>, keys: &[&str]) -> Vec<Spot<'a>> {
    map.entries()
        .filter(|(key, entry)| keys.contains(key) && !entry.missing())
        .map(|(_, entry)| entry)
        .collect()
}

/// A row that says something when an object is not there. Nobody has looked unless the list is known.
fn absent_name(list: Option<&[String]>, name: &str) -> bool {
    list.is_some_and(|list| !list.iter().any(|one| one == name))
}

/// The smallest good document of a kind.
pub(super) fn minimal(subject: Subject) -> Option<&'static str> {
    Some(match subject {
        Subject::VirtualMachine => kubevirt::MACHINE,
        Subject::VirtualMachineInstance => kubevirt::INSTANCE,
        Subject::VirtualMachinePool => kubevirt::POOL,
        Subject::MachineMigration => kubevirt::MIGRATION,
        Subject::MachineSnapshot => kubevirt::SNAPSHOT,
        Subject::MachineRestore => kubevirt::RESTORE,
        Subject::DataVolume => cdi::DATA_VOLUME,
        Subject::DataSource => cdi::DATA_SOURCE,
        Subject::DataImportCron => cdi::CRON,
        _ => return None,
    })
}

#[cfg(test)]
mod tests;
