//! `v9s console`: the console of one machine, and nothing around it.

use clap::Args;

use super::{Cli, USAGE, screen};
use crate::cluster::console::Platform;
use crate::ui::app::{ConsoleOf, Options};

/// Opens the serial console of a virtual machine. ctrl-] opens its menu; d there ends it.
#[derive(Debug, Args)]
pub(super) struct ConsoleCommand {
    /// The machine: NAME, vm/NAME or vmi/NAME; of Virtink NAME or vtvm/NAME
    #[arg(value_name = "MACHINE")]
    machine: String,
}

/// What may stand before the name of a machine, and whose it is then.
const KINDS: [(&[&str], Option<Platform>); 3] = [
    (&[""], None),
    (
        &["vm", "vms", "vmi", "vmis", "virtualmachine", "virtualmachines", "virtualmachineinstance"],
        Some(Platform::KubeVirt),
    ),
    (&["vtvm", "vtvms", "virtink"], Some(Platform::Virtink)),
];

impl ConsoleCommand {
    pub(super) fn run(&self, cli: &Cli) -> anyhow::Result<u8> {
        let (kind, name) = self.machine.split_once('/').unwrap_or(("", &self.machine));
        let Some((_, platform)) = KINDS.iter().find(|(words, _)| words.contains(&kind)) else {
            eprintln!("v9s: {kind:?} has no console; name a machine: NAME, vm/NAME, vmi/NAME or vtvm/NAME");
            return Ok(USAGE);
        };
        let console = ConsoleOf { name: name.to_owned(), platform: *platform };
        // A view that asks the cluster for nothing lies behind it.
        let options = cli.connection.options(Some("contexts".to_owned()));
        screen::open(cli, Options { console: Some(console), ..options }, cli.connection.flags())
    }
}
