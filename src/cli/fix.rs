//! `v9s fix`: documents with the fixes of their findings.

use std::io::{IsTerminal as _, Write as _};
use std::path::Path;
use std::time::Duration;

use clap::Args;
use similar::TextDiff;

use super::validate::{Context, shown};
use super::{ConnectionFlags, FINDINGS, FINE, USAGE, files};
use crate::config::rewrite;
use crate::rules::{Level, Mended, Source, judge, mend};
use crate::text;
use crate::ui::signals::quiet_broken_pipe;

/// Write the fixes of findings into documents; everything else in them stays as it is
#[derive(Debug, Args)]
pub(super) struct Fix {
    /// Files with YAML or JSON; - reads standard input and prints what comes of it
    #[arg(required = true, value_name = "FILE")]
    files: Vec<String>,
    /// Print what would change and write nothing
    #[arg(long)]
    diff: bool,
    #[command(flatten)]
    context: Context,
}

/// How long to look for a short difference.
const PATIENCE: Duration = Duration::from_secs(2);

impl Fix {
    pub(super) fn run(&self, connection: &ConnectionFlags) -> anyhow::Result<u8> {
        let (options, known) = (self.context.options(connection), self.context.known());
        let mut code = FINE;
        for name in &self.files {
            let bytes = match files::read(name) {
                Ok(bytes) => bytes,
                Err(error) => {
                    files::complain(name, &error);
                    code = USAGE;
                    continue;
                }
            };
            // A file that is no text has findings and no fixes.
            let done = match std::str::from_utf8(&bytes) {
                Ok(before) => mend(before, |source| judge(source, &[], &known, &options)),
                Err(_) => {
                    Mended { text: String::new(), fixed: Vec::new(), left: Source::read(&bytes).problems }
                }
            };
            if let Err(error) = self.write(name, &bytes, &done) {
                files::complain(name, &error);
                code = USAGE;
            }
            report(name, &done);
            if code == FINE && done.left.iter().any(|left| left.level == Level::Error) {
                code = FINDINGS;
            }
        }
        Ok(code)
    }

    fn write(&self, name: &str, before: &[u8], done: &Mended) -> std::io::Result<()> {
        let mut out = std::io::stdout().lock();
        let readable = std::str::from_utf8(before).ok();
        if self.diff {
            let Some(before) = readable.filter(|before| *before != done.text) else { return Ok(()) };
            let diff = TextDiff::configure().timeout(PATIENCE).diff_lines(before, &done.text);
            let diff = diff.unified_diff().header(&shown(name), &shown(name)).to_string();
            // On a terminal nothing may act; in a pipe it must be what patch reads.
            let diff = if out.is_terminal() { visible(&diff) } else { diff };
            return quiet_broken_pipe(out.write_all(diff.as_bytes())).map(drop);
        }
        if name == files::STDIN {
            let bytes = if readable.is_some() { done.text.as_bytes() } else { before };
            return quiet_broken_pipe(out.write_all(bytes)).map(drop);
        }
        match readable {
            Some(before) if before != done.text => rewrite(Path::new(name), done.text.as_bytes()),
            _ => Ok(()),
        }
    }
}

/// Each line of a text made safe.
fn visible(text: &str) -> String {
    text.split_inclusive('\n')
        .map(|line| {
            let (line, end) = line.strip_suffix('\n').map_or((line, ""), |line| (line, "\n"));
            format!("{}{end}", text::clean(line))
        })
        .collect()
}

/// Says on standard error what was mended and what is left.
fn report(name: &str, done: &Mended) {
    for fixed in &done.fixed {
        let label = fixed.fix.as_ref().map_or("", |fix| &fix.label);
        eprintln!(
            "{}:{}:{}: fixed[{}]: {}",
            shown(name),
            fixed.line,
            fixed.column,
            fixed.rule,
            text::one_line(label, 100)
        );
    }
    for left in &done.left {
        eprintln!(
            "{}:{}:{}: {}[{}]: {}",
            shown(name),
            left.line,
            left.column,
            left.level.word(),
            left.rule,
            text::clean(&left.text)
        );
    }
}
