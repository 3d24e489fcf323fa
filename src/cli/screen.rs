//! `v9s` without a subcommand: the screen.

use std::env;
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::Context as _;

use super::{Cli, FINE, USAGE};
use crate::config::{Folders, log, report};
use crate::model::Now;
use crate::store::Health;
use crate::ui::app::{App, Options};
use crate::ui::colour::ColourDepth;
use crate::ui::runtime::{self, Source};
use crate::ui::terminal::{self, Terminal};
use crate::ui::theme::Theme;

type Reporter = Box<dyn Fn(std::path::PathBuf) + Send + Sync>;

pub(super) fn run(cli: &Cli) -> anyhow::Result<u8> {
    open(cli, cli.connection.options(cli.command.clone()), cli.connection.flags())
}

/// Opens the screen on the contexts of a source.
pub(super) fn open(cli: &Cli, options: Options, source: impl Into<Source>) -> anyhow::Result<u8> {
    let theme = theme(cli)?;
    let folders = Folders::find();
    let started = log::start(&folders, env::var("V9S_LOG").ok().as_deref());
    // The hook is needed before there is anybody to tell of a report.
    let reporter: Arc<Mutex<Option<Reporter>>> = Arc::default();
    let told = reporter.clone();
    report::install_hook(
        &folders,
        terminal::restore,
        Box::new(move |crash| {
            if let (Ok(path), Some(tell)) =
                (crash.report, &*told.lock().unwrap_or_else(PoisonError::into_inner))
            {
                tell(path);
            }
        }),
    );
    let start = runtime::Start::new()?;
    let depth = ColourDepth::detect(&|name| env::var_os(name));
    let terminal = match Terminal::open(terminal::Options { depth, ..terminal::Options::default() }) {
        Ok(terminal) => terminal,
        Err(error) => {
            eprintln!("v9s: {error}");
            return Ok(USAGE);
        }
    };
    let size = terminal.size();
    let now = Now::read();
    let mut app = App::new(options, theme, (size.width, size.height), now);
    for warning in started.warnings {
        app.say(warning, Health::Warning, now);
    }
    let install = |tell| *reporter.lock().unwrap_or_else(PoisonError::into_inner) = Some(tell);
    start.run(app, source, terminal, install)?;
    Ok(FINE)
}

/// The theme that the command line names, or the program's own.
pub(super) fn theme(cli: &Cli) -> anyhow::Result<Theme> {
    let Some(path) = &cli.skin else { return Ok(Theme::default()) };
    let skin = std::fs::read_to_string(path)
        .with_context(|| format!("The skin {} cannot be read", path.display()))?;
    Theme::read(&skin, false).with_context(|| format!("The skin {} cannot be used", path.display()))
}
