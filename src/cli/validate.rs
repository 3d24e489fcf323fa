//! `v9s validate`: what is wrong in documents, with the line.

use std::fmt::Write as _;
use std::io::Write as _;

use clap::{Args, ValueEnum};
use serde_json::{Value, json};

use super::{ConnectionFlags, FINDINGS, FINE, UNREACHABLE, USAGE, files};
use crate::cluster::live::{Answers, Complaint, Rehearsal};
use crate::model::Now;
use crate::rules::known::{Known, Options};
use crate::rules::live::said;
use crate::rules::{Document, Finding, Level, Source, judge};
use crate::text;
use crate::ui::runtime;
use crate::ui::signals::quiet_broken_pipe;

/// Check documents before they are applied, and point at the line
#[derive(Debug, Args)]
pub(super) struct Validate {
    /// Files with YAML or JSON, several documents each; - reads standard input
    #[arg(required = true, value_name = "FILE")]
    files: Vec<String>,
    /// The documents before the change, for rules about what may change
    #[arg(long, value_name = "FILE")]
    against: Option<String>,
    /// Ask the cluster, too: about what is there, and whether it would take the documents; nothing is stored
    #[arg(long)]
    live: bool,
    /// How to print findings; json: one array, an object per finding; github: annotations of a workflow
    #[arg(short, long, value_enum, value_name = "FORMAT", default_value = "text")]
    output: Output,
    /// End with 1 on warnings too
    #[arg(long)]
    deny_warnings: bool,
    #[command(flatten)]
    context: Context,
}

/// What documents leave open and the command says.
#[derive(Debug, Default, Args)]
pub(super) struct Context {
    /// GVC of documents that name none; the namespace does as well
    #[arg(long, value_name = "NAME")]
    gvc: Option<String>,
    /// The organisation, for links to images
    #[arg(long, value_name = "NAME")]
    org: Option<String>,
}

impl Context {
    /// For the rules.
    pub(super) fn options(&self, connection: &ConnectionFlags) -> Options {
        let gvc = self.gvc.clone().or_else(|| connection.namespace.clone());
        Options { gvc, now: Some(Now::read().wall) }
    }

    pub(super) fn known(&self) -> Known {
        Known { org: self.org.clone(), ..Known::default() }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Output {
    Text,
    Json,
    Github,
}

impl Validate {
    pub(super) fn run(&self, connection: &ConnectionFlags) -> anyhow::Result<u8> {
        let mut unreadable = false;
        let mut read = |name: &String| match files::read(name) {
            Ok(bytes) => Some((name.clone(), Source::read(&bytes))),
            Err(error) => {
                files::complain(name, &error);
                unreadable = true;
                None
            }
        };
        let old = self.against.as_ref().and_then(&mut read);
        let sources: Vec<(String, Source)> = self.files.iter().filter_map(&mut read).collect();
        if let Some((name, old)) = &old {
            // Rules about a change would say nothing, as if all were well.
            for problem in &old.problems {
                eprintln!("v9s: {}:{}: {}", shown(name), problem.line, text::clean(&problem.text));
                unreadable = true;
            }
        }
        let old: &[Document] = old.as_ref().map_or(&[], |(_, old)| &old.documents);
        let options = self.context.options(connection);
        // What one file makes, another one may use.
        let known =
            sources.iter().fold(self.context.known(), |known, (_, source)| known.with(&source.documents));
        let mut answers = Answers::default();
        if self.live {
            let streams: Vec<&[Document]> =
                sources.iter().map(|(_, source)| source.documents.as_slice()).collect();
            match runtime::ask(&connection.flags(), &streams, options.gvc.as_deref())? {
                Ok(told) => answers = told,
                Err(failure) => {
                    eprintln!("v9s: {failure}");
                    return Ok(UNREACHABLE);
                }
            }
        }
        if answers.only_looked {
            eprintln!("v9s: --readonly: the server was not asked whether it would take them.");
        }
        let known = answers.objects.tell(known);
        let judged: Vec<(&str, &Source, Vec<Finding>)> = sources
            .iter()
            .enumerate()
            .map(|(place, (name, source))| {
                let rehearsals = answers.rehearsals.get(place).map_or(&[][..], Vec::as_slice);
                let before = before(rehearsals);
                let old = if old.is_empty() { &before.documents } else { old };
                let mut found = judge(source, old, &known, &options);
                found.extend(complaints(source, rehearsals));
                found.sort_by_key(|one| (one.document, one.range.start));
                (&**name, source, found)
            })
            .collect();
        let printed = match self.output {
            Output::Text => judged.iter().map(|(name, source, found)| plain(name, source, found)).collect(),
            Output::Json => as_json(&judged)?,
            Output::Github => {
                judged.iter().map(|(name, source, found)| github(name, source, found)).collect()
            }
        };
        quiet_broken_pipe(std::io::stdout().write_all(printed.as_bytes()))?;
        let count =
            |level| judged.iter().flat_map(|(_, _, found)| found).filter(|one| one.level == level).count();
        let (errors, warnings) = (count(Level::Error), count(Level::Warning));
        if self.output == Output::Text && !sources.is_empty() {
            let documents = sources.iter().map(|(_, source)| source.documents.len()).sum();
            eprintln!("{}", summary(documents, errors, warnings));
        }
        Ok(match (unreadable, errors, warnings) {
            (true, _, _) => USAGE,
            (false, 0, 0) => FINE,
            (false, 0, _) if !self.deny_warnings => FINE,
            _ => FINDINGS,
        })
    }
}

/// The objects that documents are about to change, as documents.
fn before(rehearsals: &[Rehearsal]) -> Source {
    let objects: Vec<String> =
        rehearsals.iter().filter_map(|one| one.before.as_ref()).map(Value::to_string).collect();
    Source::read(objects.join("\n---\n").as_bytes())
}

/// What the server has to say, each thing once.
fn complaints(source: &Source, rehearsals: &[Rehearsal]) -> Vec<Finding> {
    let mut findings: Vec<Finding> = Vec::new();
    for (document, rehearsal) in source.documents.iter().zip(rehearsals) {
        for Complaint { field, text, refuses } in &rehearsal.complaints {
            let finding = said(document, field, text, *refuses);
            if !findings.contains(&finding) {
                findings.push(finding);
            }
        }
    }
    findings
}

fn counted(count: usize, word: &str) -> String {
    format!("{count} {word}{}", if count == 1 { "" } else { "s" })
}

fn summary(documents: usize, errors: usize, warnings: usize) -> String {
    let documents = counted(documents, "document");
    match (errors, warnings) {
        (0, 0) => format!("{documents}, no findings"),
        _ => format!("{documents}, {}, {}", counted(errors, "error"), counted(warnings, "warning")),
    }
}

/// A file's name as it may be printed.
pub(super) fn shown(name: &str) -> String {
    text::clean(files::shown(name)).into_owned()
}

/// Most columns of a source line that are shown.
const WIDEST: usize = 120;

/// The findings of one file with source line and caret.
fn plain(name: &str, source: &Source, findings: &[Finding]) -> String {
    let mut out = String::new();
    for finding in findings {
        let Finding { rule, level, line, column, .. } = finding;
        let _ = writeln!(
            out,
            "{}:{line}:{column}: {}[{rule}]: {}",
            shown(name),
            level.word(),
            text::clean(&finding.text)
        );
        out.push_str(&excerpt(source, finding));
        if let Some(fix) = &finding.fix {
            let _ = writeln!(
                out,
                "{:width$} = fix: {}",
                "",
                text::one_line(&fix.label, 100),
                width = digits(*line)
            );
        }
    }
    out
}

fn digits(line: u32) -> usize {
    line.to_string().len()
}

/// The line of a finding and what is meant in it.
fn excerpt(source: &Source, finding: &Finding) -> String {
    let line = source.text.line(finding.line);
    if line.trim().is_empty() {
        return String::new();
    }
    let start: usize =
        line.char_indices().nth(finding.column.saturating_sub(1) as usize).map_or(line.len(), |(at, _)| at);
    let length = finding.range.len().min(line.len() - start);
    let end = start + line.get(start..start + length).map_or(0, str::len);
    // Of a long line, what is around the place.
    let from = line.floor_char_boundary(if end > WIDEST { start.saturating_sub(WIDEST / 3) } else { 0 });
    let to = line.floor_char_boundary((from + WIDEST).min(line.len()));
    let end = end.clamp(start, to.max(start));
    let clean = |range: std::ops::Range<usize>| text::clean(line.get(range).unwrap_or_default()).into_owned();
    let (before, meant, after) = (clean(from..start), clean(start..end), clean(end..to.max(end)));
    let cut = |is: bool| if is { "…" } else { "" };
    let lead = cut(from > 0);
    let carets = "^".repeat(text::width(&meant).max(1));
    let pad = " ".repeat(text::width(lead) + text::width(&before));
    let gutter = digits(finding.line);
    format!(
        "{} | {lead}{before}{meant}{after}{}\n{:gutter$} | {pad}{carets}\n",
        finding.line,
        cut(to < line.len()),
        ""
    )
}

fn as_json(judged: &[(&str, &Source, Vec<Finding>)]) -> anyhow::Result<String> {
    let rows: Vec<Value> = judged
        .iter()
        .flat_map(|(name, _, findings)| findings.iter().map(|finding| row(name, finding)))
        .collect();
    let mut out = String::new();
    for c in serde_json::to_string_pretty(&rows)?.chars() {
        // The same text for who reads it as JSON, and nothing that a terminal would obey.
        let mut buffer = [0; 4];
        let safe = c == '\n' || text::clean(c.encode_utf8(&mut buffer)) == *c.encode_utf8(&mut [0; 4]);
        if safe {
            out.push(c);
        } else {
            for unit in c.encode_utf16(&mut [0; 2]) {
                let _ = write!(out, "\\u{unit:04x}");
            }
        }
    }
    out.push('\n');
    Ok(out)
}

fn row(name: &str, finding: &Finding) -> Value {
    let fix = finding.fix.as_ref().map(|fix| {
        let edits = fix.edits.iter();
        let edits: Vec<Value> = edits
            .map(|edit| json!({"start": edit.range.start, "end": edit.range.end, "text": edit.text}))
            .collect();
        json!({"label": fix.label, "edits": edits})
    });
    json!({
        "file": files::shown(name),
        "document": finding.document,
        "rule": finding.rule,
        "level": finding.level.word(),
        "path": finding.path,
        "line": finding.line,
        "column": finding.column,
        "text": finding.text,
        "fix": fix,
    })
}

/// Annotations as workflows of GitHub read them from the output of a step.
fn github(name: &str, source: &Source, findings: &[Finding]) -> String {
    let data = |text: &str| text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A");
    let property = |text: &str| data(text).replace(':', "%3A").replace(',', "%2C");
    let mut out = String::new();
    for finding in findings {
        let (end_line, end_column) = source.text.position(finding.range.end.max(finding.range.start));
        let _ = writeln!(
            out,
            "::{} file={},line={},col={},endLine={end_line},endColumn={end_column},title={}::{}",
            finding.level.word(),
            property(&shown(name)),
            finding.line,
            finding.column,
            property(finding.rule),
            data(&text::clean(&finding.text)),
        );
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn printed(document: &str) -> String {
        let source = Source::read(document.as_bytes());
        let options = Options { gvc: Some("shop".into()), ..Options::default() };
        let found = judge(&source, &[], &Known::default(), &options);
        plain("a.yaml", &source, &found[..1])
    }

    #[test]
    fn a_caret_stands_under_what_is_meant() {
        let document = "kind: volumeset\nname: größe\nspec: {initialCapacity: 10}\n";
        let want = "a.yaml:2:7: error[name-pattern]: name \"größe\" must start with a letter, use only a-z, 0-9 and dashes, \
                    and not end with a dash\n2 | name: größe\n  |       ^^^^^\n";
        assert_eq!(printed(document), want);
    }

    #[test]
    fn long_lines_are_cut_around_the_place() {
        let document = format!(
            "{{kind: volumeset, name: a, tags: {{a: {}}}, speck: {{}}, spec: {{initialCapacity: 10}}}}",
            "x".repeat(500)
        );
        let out = printed(&document);
        let lines: Vec<&str> = out.lines().collect();
        assert!(lines[1].starts_with("1 | …xxx") && lines[1].contains("speck: {}"), "{out}");
        let caret = lines[2].chars().position(|c| c == '^').unwrap();
        assert_eq!(lines[1].chars().skip(caret).take(5).collect::<String>(), "speck", "{out}");
    }

    #[test]
    fn nothing_that_a_terminal_would_obey_is_printed() {
        let document =
            "kind: volumeset\nname: \"a\\e]0;x\\a\u{9b}31m\u{202e}\"\nspec: {initialCapacity: 10}\n";
        let source = Source::read(document.as_bytes());
        let found = judge(&source, &[], &Known::default(), &Options::default());
        assert!(!found.is_empty());
        let json = as_json(&[("\u{1b}[31m", &source, found.clone())]).unwrap();
        for out in [plain("\u{1b}[31m", &source, &found), github("a\u{9b}", &source, &found), json] {
            let harmful = out.chars().find(|c| *c != '\n' && text::clean(&c.to_string()) != c.to_string());
            assert_eq!(harmful, None, "{out:?}");
        }
    }

    #[test]
    fn annotations_are_escaped() {
        let source = Source::read(b"kind: volumeset\nname: 100%\nspec: {initialCapacity: 10}\ngvc: a\n");
        let found = judge(&source, &[], &Known::default(), &Options::default());
        let out = github("a,b.yaml", &source, &found);
        assert!(
            out.starts_with(
                "::error file=a%2Cb.yaml,line=2,col=7,endLine=2,endColumn=11,title=name-pattern::"
            ),
            "{out}"
        );
        assert!(out.contains("\"100%25\""), "{out}");
    }
}
