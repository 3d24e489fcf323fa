//! `v9s` without a subcommand: the screen.

use std::env;
use std::ffi::OsString;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use super::{Cli, FINE, USAGE};
use crate::config::settings::Loaded;
use crate::config::{Config, Folders, log, report};
use crate::model::Now;
use crate::store::Health;
use crate::ui::app::{App, Options};
use crate::ui::colour::{self, ColourDepth};
use crate::ui::engine::Source;
use crate::ui::runtime;
use crate::ui::terminal::{self, Terminal};
use crate::ui::theme::{Look, Theme};
use crate::ui::{ascii, skins};

type Reporter = Box<dyn Fn(PathBuf) + Send + Sync>;

pub(super) fn run(cli: &Cli) -> anyhow::Result<u8> {
    open(cli, cli.connection.options(cli.command.clone()), cli.connection.flags())
}

/// Opens the screen on the contexts of a source.
pub(super) fn open(cli: &Cli, options: Options, source: impl Into<Source>) -> anyhow::Result<u8> {
    let folders = Folders::find();
    let chosen = Chosen::find(cli, &folders);
    let depth = ColourDepth::detect(&env);
    let (theme, said) = chosen.theme(cli, depth == ColourDepth::Mono)?;
    let options = Options {
        measures: true,
        keep_skin: cli.look.skin.is_some() || skins::asked(&env).is_some(),
        ..chosen.over(options)
    };
    let mut source: Source = source.into();
    let mouse = options.config.ui.mouse;
    let said: Vec<String> = said.into_iter().chain(chosen.loaded.warnings.iter().cloned()).collect();
    source.flags.config = chosen.loaded;
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
    let terminal = match Terminal::open(terminal::Options { depth, mouse }) {
        Ok(terminal) => terminal,
        Err(error) => {
            eprintln!("v9s: {error}");
            return Ok(USAGE);
        }
    };
    let size = terminal.size();
    let now = Now::read();
    let mut app = App::new(options, theme, (size.width, size.height), now);
    for warning in started.warnings.into_iter().chain(said) {
        tracing::warn!("{warning}");
        app.notice(warning, Health::Warning);
    }
    let install = |tell| *reporter.lock().unwrap_or_else(PoisonError::into_inner) = Some(tell);
    start.run(app, source, terminal, install)?;
    Ok(FINE)
}

fn env(name: &str) -> Option<OsString> {
    env::var_os(name)
}

/// What the user has chosen, by flags, environment and files.
pub(super) struct Chosen {
    pub(super) loaded: Loaded,
    /// What the files say, under what the flags say.
    pub(super) config: Config,
    skin_folders: Vec<PathBuf>,
}

impl Chosen {
    pub(super) fn find(cli: &Cli, folders: &Folders) -> Self {
        let k9s = Folders::of_k9s();
        let skin_folders = skins::folders(folders, k9s.as_ref());
        let loaded = Config::load(folders, k9s);
        Self { config: cli.look.over(loaded.config.clone()), loaded, skin_folders }
    }

    /// The theme, and what there is to say about it.
    pub(super) fn theme(&self, cli: &Cli, monochrome: bool) -> anyhow::Result<(Theme, Option<String>)> {
        let ui = &self.config.ui;
        let look = Look {
            invert: ui.invert,
            monochrome: monochrome || colour::unwanted(&env),
            ascii: ascii::wanted(ui.ascii, &env),
        };
        Ok(skins::first(cli.look.skin.as_deref(), &env, &self.loaded, &self.skin_folders, look)?)
    }

    /// What the command line asks, and where it asks nothing, what the files say.
    fn over(&self, options: Options) -> Options {
        let asked = options.view.is_some() || options.namespace.is_some() || options.all_namespaces;
        let view = Some(&self.config.default_view).filter(|view| !asked && !view.trim().is_empty());
        Options {
            view: options.view.or_else(|| view.cloned()),
            falls_back: true,
            wide: options.wide || self.config.ui.wide,
            config: self.config.clone(),
            skin_folders: self.skin_folders.clone(),
            ..options
        }
    }
}
