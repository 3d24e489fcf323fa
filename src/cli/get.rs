//! `v9s get`: the rows of a view as a table or as data.

use std::time::Duration;

use anyhow::{Context as _, bail};
use clap::{Args, ValueEnum};

use super::screen::Chosen;
use super::{Cli, ConnectionFlags, FINDINGS, FINE, Source, UNREACHABLE, USAGE};
use crate::config::{Config, Folders};
use crate::model::Now;
use crate::store::Summary;
use crate::ui::app::{App, Options};
use crate::ui::runtime;
use crate::ui::session::Link;
use crate::ui::signals::quiet_broken_pipe;
use crate::ui::theme::Theme;
use crate::views::{Filter, print};

/// Print the rows of a view
#[derive(Debug, Args)]
pub(super) struct Get {
    /// workloads, vms, pods, nodes, … (README lists them), or any resource of the cluster
    view: String,
    /// How to print them; json: one array, an object per row, keys are the lower-case titles of columns
    #[arg(short, long, value_enum, value_name = "FORMAT")]
    output: Option<Output>,
    #[command(flatten)]
    source: Source,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Output {
    Wide,
    Json,
    Csv,
}

/// How long the lists may take.
const PATIENCE: Duration = Duration::from_secs(300);

impl Get {
    pub(super) fn run(&self, cli: &Cli) -> anyhow::Result<u8> {
        let connection = &cli.connection;
        let mut config = Config::default();
        if Filter::parse(&self.source.filter).names_saved() {
            let chosen = Chosen::find(cli, &Folders::find());
            chosen.loaded.warnings.iter().for_each(|warning| eprintln!("v9s: {warning}"));
            config.filters = chosen.config.filters;
        }
        let options = Options {
            filter: self.source.filter.clone(),
            config,
            wide: self.output == Some(Output::Wide),
            ..connection.options(Some(self.view.clone()))
        };
        let (app, now) = filled(options, connection, &self.source, Theme::default(), (200, 50))?;
        let code = verdict(&app, &self.view);
        if code != FINE && app.pane.list.rows().is_empty() {
            return Ok(code);
        }
        let (list, now) = (&app.pane.list, app.there(now));
        let all: Vec<usize> = (0..list.view.width()).collect();
        let printed = match self.output {
            None | Some(Output::Wide) => print::table(list, &app.store, now),
            Some(Output::Json) => print::json(list, &all, &app.store, now)?,
            Some(Output::Csv) => print::csv(list, &all, &app.store, now)?,
        };
        quiet_broken_pipe(std::io::Write::write_all(&mut std::io::stdout(), printed.as_bytes()))?;
        Ok(code)
    }
}

/// A state with all its rows, from the cluster or from a recording, and the time to show them at.
pub(super) fn filled(
    options: Options,
    connection: &ConnectionFlags,
    source: &Source,
    theme: Theme,
    size: (u16, u16),
) -> anyhow::Result<(App, Now)> {
    let now = Now::read();
    // What is saved is known once the context is.
    let typed = Filter::parse(&source.filter);
    if let Some(error) = typed.error().filter(|_| !typed.names_saved()) {
        bail!("{error}\n{}", error.pointed(&source.filter));
    }
    let (mut app, now) = match &source.recording {
        Some(path) => {
            let lines = std::fs::read(path)
                .with_context(|| format!("The recording {} cannot be read", path.display()))?;
            let at = source.at.unwrap_or(f64::INFINITY);
            // A recording is of one namespace, whatever the kubeconfig says.
            let options = Options { all_namespaces: options.namespace.is_none(), ..options };
            let mut app = App::new(options, theme, size, now);
            let now = app
                .replay(&lines, at)
                .with_context(|| format!("The recording {} cannot be read", path.display()))?;
            (app, now)
        }
        None => {
            let app = App::new(options, theme, size, now);
            let app = runtime::settle(app, connection.flags(), PATIENCE)?;
            (app, Now::read())
        }
    };
    if let Some(error) = app.pane.list.filter_error() {
        bail!("{error}\n{}", error.pointed(&source.filter));
    }
    let there = app.there(now);
    app.pane.list.finish(&app.store, there);
    Ok((app, now))
}

/// That a view's kinds are not served, and how to have them where that can be said.
fn not_served(app: &App, view: &str) -> String {
    let command = app.standing().and_then(|(kind, _)| kind.info().installed_by());
    let how = command.map_or_else(String::new, |command| format!(" It can be installed: {command}"));
    format!("This cluster does not serve {view}.{how}")
}

/// Says on standard error what went wrong, and gives the exit code.
pub(super) fn verdict(app: &App, view: &str) -> u8 {
    let standing = app.standing().map(|(_, standing)| standing);
    let (code, why) = match (&app.session.link, standing) {
        (Link::Down(failure), _) if app.pane.list.total() == 0 => (UNREACHABLE, failure.to_string()),
        (Link::Recorded(_), Some(Summary::Unasked)) => {
            (USAGE, format!("{view} opens as the server's own table, which a recording does not have."))
        }
        (_, Some(Summary::Stale { why, .. })) => (UNREACHABLE, why.to_string()),
        (_, Some(Summary::Denied { why })) => (FINDINGS, why.to_string()),
        (_, Some(Summary::Absent)) => (FINDINGS, not_served(app, view)),
        _ => match &app.flash {
            Some(flash) if flash.health == crate::store::Health::Failed => {
                let unreachable = app.session.discovery.is_none() && app.session.discovery_failed;
                (if unreachable { UNREACHABLE } else { USAGE }, flash.text.clone())
            }
            _ => match app.reason() {
                Some(why) => (FINE, why),
                None => return FINE,
            },
        },
    };
    eprintln!("v9s: {why}");
    code
}
