//! The states of nodes, namespaces and Virtink's VirtualMachines.

use super::Explain;
use super::explained::Explained;
use crate::model::Now;
use crate::records::{MoveStep, Namespace, Node, NodeFlags, PowerAction, Truth, VirtinkVm};
use crate::store::{At, Health};

impl Explain for Node {
    fn explain<'a>(at: At<'a, Self>, _: Now) -> Explained<'a> {
        let node = at.record();
        let plain = |word, health| Explained::new(word, health).since(node.ready_since.or(node.meta.created));
        match node.ready {
            Truth::False => return plain("NotReady", Health::Failed),
            Truth::Unknown | Truth::Missing => {
                return plain("NotReady", Health::Failed).because("NodeUnheard", "", Health::Failed);
            }
            Truth::True => {}
        }
        let word = match node.flags.contains(NodeFlags::CORDONED) {
            true => ("SchedulingDisabled", Health::Idle),
            false => ("Ready", Health::Well),
        };
        let plain = plain(word.0, word.1);
        let trouble = [
            (NodeFlags::NO_NETWORK, "NetworkUnavailable"),
            (NodeFlags::MEMORY_PRESSURE, "MemoryPressure"),
            (NodeFlags::DISK_PRESSURE, "DiskPressure"),
            (NodeFlags::PID_PRESSURE, "PIDPressure"),
        ];
        match trouble.into_iter().find(|(flag, _)| node.flags.contains(*flag)) {
            Some((_, reason)) => plain.because(reason, "", Health::Warning),
            None => plain,
        }
    }
}

impl Explain for Namespace {
    fn explain<'a>(at: At<'a, Self>, _: Now) -> Explained<'a> {
        let namespace = at.record();
        let (word, health) = match namespace.phase.as_str() {
            "Terminating" => ("Terminating", Health::Leaving),
            "" => ("Active", Health::Well),
            other => (other, Health::Well),
        };
        Explained::new(word, health).since(namespace.meta.created)
    }
}

/// Looks at its pods.
impl Explain for VirtinkVm {
    fn explain<'a>(at: At<'a, Self>, _: Now) -> Explained<'a> {
        let vm = at.record();
        let word = if vm.phase.is_empty() { "Pending" } else { vm.phase.as_str() };
        let health = match word {
            "Running" => Health::Well,
            "Succeeded" => Health::Idle,
            "Failed" => Health::Failed,
            "Unknown" => Health::Warning,
            _ => Health::Busy,
        };
        let plain = Explained::new(word, health);
        let moving = !matches!(vm.migration, MoveStep::None | MoveStep::Succeeded | MoveStep::Failed);
        match word {
            "Running" if moving => Explained::new("Migrating", Health::Busy).because(
                "Migration",
                vm.migration.as_str(),
                Health::Busy,
            ),
            "Running" if matches!(vm.action, PowerAction::Shutdown | PowerAction::PowerOff) => {
                Explained::new("Stopping", Health::Leaving)
            }
            "Running" if !vm.obstacle.is_empty() => plain.note(vm.obstacle.as_str()),
            _ => plain,
        }
    }
}
