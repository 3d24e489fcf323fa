//! `v9s completions`.

use clap::{Args, CommandFactory as _};
use clap_complete::Shell;

use super::{Cli, FINE};
use crate::ui::signals::quiet_broken_pipe;

/// Print completions for a shell
#[derive(Debug, Args)]
pub(super) struct Completions {
    /// The shell
    shell: Shell,
}

impl Completions {
    pub(super) fn run(&self) -> anyhow::Result<u8> {
        let mut script = Vec::new();
        clap_complete::generate(self.shell, &mut Cli::command(), "v9s", &mut script);
        quiet_broken_pipe(std::io::Write::write_all(&mut std::io::stdout(), &script))?;
        Ok(FINE)
    }
}
