//! The states of nodes, namespaces and Virtink's VirtualMachines.

use super::Explain;
use super::explained::Explained;
use super::pod;
use crate::model::{Now, Time};
use crate::records::{
    DataVolume, Event, MoveStep, Namespace, Node, NodeFlags, PowerAction, RunPolicy, Truth, VirtinkVm,
};
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
            (NodeFlags::NOT_VIRT, "TakesNoMachines"),
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
            Self::UNCONFIRMED => (Self::UNCONFIRMED, Health::Idle),
            other => (other, Health::Well),
        };
        Explained::new(word, health).since(namespace.meta.created)
    }
}

/// So many seconds may a guest of Virtink take to be started.
const STARTS: i64 = 300;

/// Looks at its pod, its disks and its events.
impl Explain for VirtinkVm {
    fn explain<'a>(at: At<'a, Self>, now: Now) -> Explained<'a> {
        let vm = at.record();
        let off = matches!(vm.policy, RunPolicy::Halted | RunPolicy::Manual);
        let word = match vm.phase.as_str() {
            "" if off && vm.action != PowerAction::PowerOn => "Stopped",
            "" => "Pending",
            phase => phase,
        };
        let health = match word {
            "Running" => Health::Well,
            "Succeeded" | "Stopped" => Health::Idle,
            "Failed" => Health::Failed,
            "Unknown" => Health::Warning,
            _ => Health::Busy,
        };
        let plain = Explained::new(word, health).since(since(at, word));
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
            "Running" => {
                let failed = vm.migration == MoveStep::Failed;
                let told = plain.because(if failed { "LastMigrationFailed" } else { "" }, "", Health::Well);
                if vm.obstacle.is_empty() { told } else { told.note(vm.obstacle.as_str()) }
            }
            "Failed" => failed(at, plain),
            "Pending" | "Scheduling" => {
                let filling = at.parts::<DataVolume>().map(|disk| DataVolume::explain(disk, now));
                let worst =
                    filling.filter(|disk| disk.state.health == Health::Failed).find_map(Explained::told);
                let told = worst.or_else(|| launching(at, plain, now)).or_else(|| said(at, plain));
                told.unwrap_or(plain).within(STARTS, vm.meta.created, "TakesLong", now)
            }
            _ => plain,
        }
    }
}

/// Since when a machine is in the state of this word, as its pod tells: Virtink itself does not.
fn since(vm: At<'_, VirtinkVm>, word: &str) -> Option<Time> {
    let pod = vm.present_pod().here()?.record();
    match word {
        "Running" => pod.started,
        "Failed" | "Succeeded" => pod.evidence.as_deref()?.ended.as_ref()?.at,
        "Scheduling" | "Scheduled" => pod.meta.created,
        _ => None,
    }
}

/// What its pod tells of its end; else what the controller said last; else that nobody says why.
fn failed<'a>(vm: At<'a, VirtinkVm>, plain: Explained<'a>) -> Explained<'a> {
    let ended = vm.present_pod().here().and_then(|pod| pod.record().evidence.as_deref()?.ended.as_ref());
    let told = ended.filter(|ended| ended.code != 0).and_then(|ended| {
        let told = plain.because(&ended.reason, &ended.message, Health::Failed).told()?;
        Some(if ended.message.is_empty() { told.exit(ended.code) } else { told })
    });
    told.or_else(|| said(vm, plain)).unwrap_or_else(|| plain.because("GuestFailed", "", Health::Failed))
}

/// What its pod waits for.
fn launching<'a>(vm: At<'a, VirtinkVm>, plain: Explained<'a>, now: Now) -> Option<Explained<'a>> {
    pod::waiting(vm.present_pod().here()?, plain, now)
}

/// The last warning of its controller.
fn said<'a>(vm: At<'a, VirtinkVm>, plain: Explained<'a>) -> Option<Explained<'a>> {
    let warnings = vm.parts::<Event>().map(At::record).filter(|event| event.warning);
    let last = warnings.max_by_key(|event| event.last_seen)?;
    plain.because(&last.reason, &last.message, Health::Failed).told()
}
