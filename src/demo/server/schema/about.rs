//! What fields are for, in sentences of our own, for those that people ask for most.

use std::collections::HashMap;
use std::sync::LazyLock;

use crate::demo::server::kinds::Kind;

/// In `about.txt` a line without indentation names a message or a kind with its group; below it stand paths, each with its
/// sentence. The path `.` is the whole.
static ABOUT: LazyLock<HashMap<(&'static str, &'static str), &'static str>> = LazyLock::new(|| {
    let mut of = "";
    let mut all = HashMap::new();
    for line in include_str!("about.txt").lines() {
        match line.strip_prefix(' ').map(|line| line.split_once(' ').unwrap_or((line, ""))) {
            Some((path, about)) => _ = all.insert((of, path), about),
            None => of = line,
        }
    }
    all
});

/// Places where the whole of something else stands.
const SAME: [(&str, &str, &str, &str); 4] = [
    ("VirtualMachine.kubevirt.io", "spec.template.spec", "VirtualMachineInstance.kubevirt.io", "spec"),
    ("VirtualMachine.kubevirt.io", "spec.dataVolumeTemplates.spec", "DataVolume.cdi.kubevirt.io", "spec"),
    (
        "VirtualMachinePool.pool.kubevirt.io",
        "spec.virtualMachineTemplate.spec",
        "VirtualMachine.kubevirt.io",
        "spec",
    ),
    ("DataImportCron.cdi.kubevirt.io", "spec.template.spec", "DataVolume.cdi.kubevirt.io", "spec"),
];

/// A field of something.
#[derive(Clone, Debug, Default)]
pub(super) struct Place {
    of: String,
    path: String,
}

impl Place {
    /// The objects of a kind.
    pub(super) fn of(kind: Kind) -> Self {
        if kind.row().builtin { Self::new(kind.row().kind) } else { Self::new(&kind.qualified_kind()) }
    }

    /// A message.
    pub(super) fn new(of: &str) -> Self {
        Self { of: of.to_owned(), path: String::new() }
    }

    pub(super) fn below(&self, name: &str) -> Self {
        let path = if self.path.is_empty() { name.to_owned() } else { format!("{}.{name}", self.path) };
        match SAME.iter().find(|(of, at, ..)| self.of == *of && path == *at) {
            Some((.., of, path)) => Self { of: (*of).to_owned(), path: (*path).to_owned() },
            None => Self { of: self.of.clone(), path },
        }
    }

    /// The sentence about it.
    pub(super) fn about(&self) -> Option<&'static str> {
        let path = if self.path.is_empty() { "." } else { &self.path };
        let own = ABOUT.get(&(self.of.as_str(), path));
        // What every object has.
        own.or_else(|| ABOUT.get(&("*", path))).copied()
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Type, message, of};
    use super::*;

    #[test]
    fn every_sentence_is_about_a_field() {
        for (name, path) in ABOUT.keys().filter(|(name, _)| *name != "*") {
            let kind = Kind::all().find(|kind| kind.qualified_kind() == *name);
            let start =
                message(name).map(|_| Type::Message(name)).or_else(|| kind.map(|kind| of(kind).clone()));
            let mut at = start.unwrap_or_else(|| panic!("{name}"));
            for part in path.split('.').filter(|part| !part.is_empty()) {
                if let Type::List(item) | Type::Map(item) = at {
                    at = *item;
                }
                let field = at.object().and_then(|object| object.field(part));
                at = field.unwrap_or_else(|| panic!("{name} {path}: {part}")).of.clone();
            }
            assert!(ABOUT[&(*name, *path)].ends_with('.'), "{name} {path}");
        }
        assert!(ABOUT.len() > 100, "{}", ABOUT.len());
    }

    #[test]
    fn a_machine_in_a_pool_is_a_machine() {
        let pool = Kind::of_object("pool.kubevirt.io/v1beta1", "VirtualMachinePool").unwrap();
        let path = "spec.virtualMachineTemplate.spec.template.spec.domain";
        let place = path.split('.').fold(Place::of(pool), |place, name| place.below(name));
        assert!(place.about().is_some_and(|about| about.contains("hardware")), "{place:?}");
    }
}
