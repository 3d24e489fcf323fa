//! Rules about documents: what is wrong in them, where, and how to mend it.
//!
//! Pure: a text goes in, findings come out. [`Source::read`] makes positioned values of a text, [`judge`] asks every rule of
//! [`catalogue`] about them, and [`apply`] writes fixes into the text. Rules work on values as they were written, so a
//! document that no type could hold is judged like any other. [`catalogue`] says how to add a rule.

pub mod catalogue;
pub mod example;
pub mod fields;
mod finding;
mod fix;
pub mod known;
pub mod live;
mod mend;
pub mod paths;
pub mod patterns;
mod rule;
mod source;
mod subject;

use std::collections::HashMap;
use std::sync::LazyLock;

pub use finding::{Finding, Level};
pub use fix::{Edit, Fix, apply};
use known::{Known, Options};
pub use mend::{Mended, mend};
pub use rule::{Cel, Check, Needs, Rule};
pub use source::{Dialect, Document, LONGEST, MOST_COPIES, MOST_VALUES, Source, Spot, Text};
pub use subject::Subject;

/// The most findings of one document. Who has so many has another problem.
const MOST_FINDINGS: usize = 1000;

/// The rules that look at each kind of document.
static BY_SUBJECT: LazyLock<HashMap<Subject, Vec<&'static Rule>>> = LazyLock::new(|| {
    let mut by_subject: HashMap<Subject, Vec<&'static Rule>> = HashMap::new();
    for rule in catalogue::rules().filter(|rule| rule.needs != Needs::Command) {
        for subject in rule.on {
            by_subject.entry(*subject).or_default().push(rule);
        }
    }
    by_subject
});

/// All findings about a text, in the order of the text. `old` are the documents before the change, if there is one.
#[must_use]
pub fn judge(source: &Source, old: &[Document], known: &Known, options: &Options) -> Vec<Finding> {
    let known = known.clone().with(&source.documents);
    let mut findings = source.problems.clone();
    for document in &source.documents {
        let before = before(document, &source.documents, old);
        judge_document(document, before, &known, options, &mut findings);
    }
    findings.sort_by(|one, other| {
        let key = |finding: &Finding| (finding.document, finding.range.start, finding.rule);
        key(one).cmp(&key(other))
    });
    findings
}

fn judge_document(
    document: &Document,
    old: Option<&Document>,
    known: &Known,
    options: &Options,
    findings: &mut Vec<Finding>,
) {
    let Some(rules) = BY_SUBJECT.get(&document.subject()) else { return };
    let most = findings.len() + MOST_FINDINGS;
    for rule in rules {
        if rule.needs == Needs::Change && old.is_none() {
            continue;
        }
        paths::visit(document, rule.path, &mut |at| {
            let mut check = Check { at, old, known, options, rule, out: findings, most };
            (rule.check)(&mut check);
        });
    }
}

/// The document that `document` is a change of: the one with its name; else the only one of its kind on both sides, renamed.
fn before<'a>(document: &Document, new: &[Document], old: &'a [Document]) -> Option<&'a Document> {
    let subject = document.subject();
    let of_kind = || old.iter().filter(|old| old.subject() == subject);
    let same_gvc =
        |old: &&Document| old.gvc().is_none() || document.gvc().is_none() || old.gvc() == document.gvc();
    let named = || of_kind().filter(|old| old.name() == document.name());
    named().find(same_gvc).or_else(|| named().next()).or_else(|| {
        let alone = new.iter().filter(|new| new.subject() == subject).count() == 1;
        if alone && of_kind().count() == 1 { of_kind().next() } else { None }
    })
}

#[cfg(test)]
mod tests;
