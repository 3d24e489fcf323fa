//! `v9s console`: the console of one machine, and nothing around it.

use clap::Args;

use super::{Cli, USAGE, screen};
use crate::ui::app::Options;

/// Opens the serial console of a virtual machine. ctrl-] opens its menu; d there ends it.
#[derive(Debug, Args)]
pub(super) struct ConsoleCommand {
    /// The machine: NAME, vm/NAME or vmi/NAME
    #[arg(value_name = "MACHINE")]
    machine: String,
}

impl ConsoleCommand {
    pub(super) fn run(&self, cli: &Cli) -> anyhow::Result<u8> {
        let name = match self.machine.split_once('/') {
            None => self.machine.as_str(),
            Some(("vm" | "vmi" | "virtualmachine" | "virtualmachineinstance", name)) => name,
            Some((other, _)) => {
                eprintln!("v9s: {other:?} has no console; name a machine: NAME, vm/NAME or vmi/NAME");
                return Ok(USAGE);
            }
        };
        // A view that asks the cluster for nothing lies behind it.
        let options = cli.connection.options(Some("contexts".to_owned()));
        screen::open(cli, Options { console: Some(name.to_owned()), ..options }, cli.connection.flags())
    }
}
