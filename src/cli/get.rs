//! `v9s get`: the rows of a view as a table or as data.

use std::fmt::Write as _;
use std::time::Duration;

use anyhow::Context as _;
use clap::{Args, ValueEnum};
use serde_json::{Map, Value};

use super::{ConnectionFlags, FINDINGS, FINE, Source, UNREACHABLE, USAGE};
use crate::model::{Now, Time};
use crate::store::{SortKey, Summary};
use crate::text;
use crate::ui::app::{App, Options};
use crate::ui::runtime;
use crate::ui::session::Link;
use crate::ui::signals::quiet_broken_pipe;
use crate::ui::theme::Theme;
use crate::views::{Holds, Layout};

/// Print the rows of a view
#[derive(Debug, Args)]
pub(super) struct Get {
    /// vms, pods, namespaces, contexts, or any resource of the cluster
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
    pub(super) fn run(&self, connection: &ConnectionFlags) -> anyhow::Result<u8> {
        let options = Options {
            filter: self.source.filter.clone(),
            wide: self.output == Some(Output::Wide),
            ..connection.options(Some(self.view.clone()))
        };
        let (app, now) = filled(options, connection, &self.source, Theme::default(), (200, 50))?;
        let code = verdict(&app, &self.view);
        if code != FINE && app.pane.list.rows().is_empty() {
            return Ok(code);
        }
        let printed = match self.output {
            None | Some(Output::Wide) => table(&app, now),
            Some(Output::Json) => json(&app, now)?,
            Some(Output::Csv) => csv(&app, now)?,
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
    match &source.recording {
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
            Ok((app, now))
        }
        None => {
            let app = App::new(options, theme, size, now);
            let app = runtime::settle(app, connection.flags(), PATIENCE)?;
            Ok((app, Now::read()))
        }
    }
}

/// Says on standard error what went wrong, and gives the exit code.
pub(super) fn verdict(app: &App, view: &str) -> u8 {
    let kind = app.pane.list.view.rows().first().copied();
    let (code, why) = match (&app.session.link, kind.map(|kind| app.store.freshness(kind))) {
        (Link::Down(failure), _) if kind.is_none_or(|kind| app.store.is_empty(kind)) => {
            (UNREACHABLE, failure.to_string())
        }
        (Link::Recorded(_), Some(Summary::Unasked)) => {
            (USAGE, format!("{view} opens as the server's own table, which a recording does not have."))
        }
        (_, Some(Summary::Stale { why, .. })) => (UNREACHABLE, why.to_string()),
        (_, Some(Summary::Denied { why })) => (FINDINGS, why.to_string()),
        (_, Some(Summary::Absent)) => (FINDINGS, format!("This cluster does not serve {view}.")),
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

fn columns(app: &App) -> Vec<usize> {
    let view = &app.pane.list.view;
    let layout = Layout { wide: app.pane.wide, many: app.pane.list.namespace.is_none(), set: None };
    (0..view.width()).filter(|&column| view.is_visible(&app.store, column, layout)).collect()
}

fn table(app: &App, now: Now) -> String {
    let view = &app.pane.list.view;
    let columns = columns(app);
    let rows = app.pane.list.rows();
    if rows.is_empty() {
        return "No rows.\n".into();
    }
    let titles: Vec<String> = columns.iter().map(|&column| view.heading(column).title.into_owned()).collect();
    let mut lines = vec![titles];
    lines.extend(rows.iter().map(|&id| {
        let cell = |&column: &usize| {
            let mut out = String::new();
            view.cell(&app.store, id, column, now, &mut out);
            out
        };
        columns.iter().map(cell).collect()
    }));
    let widths: Vec<usize> = (0..columns.len())
        .map(|at| lines.iter().map(|line| text::width(&line[at])).max().unwrap_or(0))
        .collect();
    let mut out = String::new();
    for line in lines {
        let start = out.len();
        for (cell, width) in line.iter().zip(&widths) {
            let _ = write!(out, "{cell}{:pad$}", "", pad = width + 3 - text::width(cell).min(width + 3));
        }
        out.truncate(start + out[start..].trim_end().len());
        out.push('\n');
    }
    out
}

fn json(app: &App, now: Now) -> anyhow::Result<String> {
    let view = &app.pane.list.view;
    let rows: Vec<Value> = app
        .pane
        .list
        .rows()
        .iter()
        .map(|&id| {
            let mut row = Map::new();
            if let Some(meta) = app.store.meta(id) {
                row.insert("uid".into(), meta.uid.to_string().into());
            }
            for column in 0..view.width() {
                row.insert(view.heading(column).title.to_lowercase(), value(app, id, column, now));
            }
            Value::Object(row)
        })
        .collect();
    let mut out = serde_json::to_string_pretty(&rows)?;
    out.push('\n');
    Ok(out)
}

/// A cell as data: numbers and times as values, nothing as null.
fn value(app: &App, id: crate::store::Id, column: usize, now: Now) -> Value {
    let view = &app.pane.list.view;
    match (view.key(&app.store, id, column, now), view.heading(column).holds) {
        (SortKey::Nothing, _) => Value::Null,
        (SortKey::Number(seconds), Holds::Age) => {
            Time::from_seconds(seconds).map_or(Value::Null, |time| time.to_string().into())
        }
        (SortKey::Number(number), Holds::Number | Holds::Bytes) => number.into(),
        (SortKey::Text(text), _) => text.into(),
        (SortKey::Number(_), _) => {
            let mut out = String::new();
            view.cell(&app.store, id, column, now, &mut out);
            out.into()
        }
    }
}

fn csv(app: &App, now: Now) -> anyhow::Result<String> {
    let view = &app.pane.list.view;
    let mut writer = csv::Writer::from_writer(Vec::new());
    let titles = (0..view.width()).map(|column| view.heading(column).title.to_lowercase());
    writer.write_record(titles.chain(["uid".to_owned()]))?;
    for &id in app.pane.list.rows() {
        let cells = (0..view.width()).map(|column| match value(app, id, column, now) {
            Value::Null => String::new(),
            Value::String(text) => text,
            other => other.to_string(),
        });
        let uid = app.store.meta(id).map_or(String::new(), |meta| meta.uid.to_string());
        writer.write_record(cells.chain([uid]))?;
    }
    Ok(String::from_utf8(writer.into_inner()?)?)
}
