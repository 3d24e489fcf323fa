//! One row of the catalogue, and the words its checks are made of.

use std::fmt::Display;

use super::finding::{Finding, Level};
use super::fix::Fix;
use super::known::{Known, Options};
use super::source::{Document, Spot};
use super::subject::Subject;

/// One rule. [`super::catalogue`] shows how a row is written.
#[derive(Debug)]
pub struct Rule {
    /// Its name for ever, in lower case with dashes.
    pub id: &'static str,
    /// What it is about.
    pub on: &'static [Subject],
    /// Which places it looks at: see [`super::paths`]. Paths are those of the seed's form.
    pub path: &'static str,
    /// How grave a finding is.
    pub level: Level,
    /// The sentence; each `{}` is filled in.
    pub text: &'static str,
    /// Whether the API server refuses the same.
    pub cel: Cel,
    /// What must be known to decide.
    pub needs: Needs,
    /// Looks at one place and reports.
    pub check: fn(&mut Check<'_>),
    /// Cases with a finding of this rule and no other: see [`super::example`].
    pub bad: &'static [&'static str],
    /// Cases without one.
    pub good: &'static [&'static str],
    /// Rules that also have a finding in the bad cases, because the mistake is two.
    pub with: &'static [&'static str],
}

/// Whether a CEL rule or the schema of our CustomResourceDefinitions refuses what the rule refuses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cel {
    /// The API server refuses it too.
    Yes,
    /// It does not, because …
    No(&'static str),
}

/// What a rule must know.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Needs {
    /// The document.
    Document,
    /// The document and the one before it.
    Change,
    /// What else there is: [`Known`].
    Cluster,
    /// The command that finds it; it reports the row itself, there is nothing to check in a document.
    Command,
}

/// Nothing to look at in a document: for rows that [`Needs::Command`].
pub(in crate::rules) fn by_the_command(_: &mut Check<'_>) {}

/// What rows take over with `..ERROR`: an error in a workload that the API server refuses as well.
pub(in crate::rules) const ERROR: Rule = Rule {
    id: "",
    on: &[Subject::Workload],
    path: "",
    level: Level::Error,
    text: "",
    cel: Cel::Yes,
    needs: Needs::Document,
    check: by_the_command,
    bad: &[],
    good: &[],
    with: &[],
};

/// What rows take over with `..WARNING`: a warning about a workload.
pub(in crate::rules) const WARNING: Rule =
    Rule { level: Level::Warning, cel: Cel::No("a warning refuses nothing"), ..ERROR };

/// The same two for volume sets.
pub(in crate::rules) const VOLUME_SET_ERROR: Rule = Rule { on: &[Subject::VolumeSet], ..ERROR };
pub(in crate::rules) const VOLUME_SET_WARNING: Rule = Rule { on: &[Subject::VolumeSet], ..WARNING };

/// Reasons why the API server cannot refuse something, in the words that rows share.
pub(in crate::rules) mod because {
    use super::Cel;

    /// Kubernetes has its own rule for names, and no CEL rule sees them all.
    pub(in crate::rules) const METADATA: Cel = Cel::No("CEL does not see this part of metadata");
    /// Only the other document says so.
    pub(in crate::rules) const OTHERS: Cel = Cel::No("other objects decide");
    /// The schema drops what it does not know before any rule sees it.
    pub(in crate::rules) const PRUNED: Cel = Cel::No("the schema drops unknown fields before rules run");
}

/// A place under a rule: what a check gets.
pub struct Check<'a> {
    /// The place that the path of the rule leads to. It may be empty.
    pub at: Spot<'a>,
    /// The document before the change.
    pub old: Option<&'a Document>,
    /// What else is known.
    pub known: &'a Known,
    /// What the command line says.
    pub options: &'a Options,
    pub(super) rule: &'static Rule,
    pub(super) out: &'a mut Vec<Finding>,
    pub(super) most: usize,
}

impl<'a> Check<'a> {
    /// The outermost value of the document.
    #[must_use]
    pub fn root(&self) -> Spot<'a> {
        self.at.document().root()
    }

    /// The text that stands at the place.
    #[must_use]
    pub fn text(&self) -> Option<&'a str> {
        self.at.text()
    }

    /// Whether so much was found already that nothing more is kept.
    #[must_use]
    pub fn is_full(&self) -> bool {
        self.out.len() >= self.most
    }

    /// Reports the place. `values` fill the text.
    pub fn report(&mut self, values: &[&dyn Display]) -> &mut Self {
        let at = self.at.clone();
        self.report_at(&at, values)
    }

    /// Reports another place than the one that the path led to.
    pub fn report_at(&mut self, at: &Spot<'_>, values: &[&dyn Display]) -> &mut Self {
        let range = at.range();
        self.push(at, range, fill(self.rule.text, values))
    }

    /// Reports a place and points at its key: for what should not be there at all.
    pub fn report_key(&mut self, at: &Spot<'_>, values: &[&dyn Display]) -> &mut Self {
        let range = at.key_range();
        self.push(at, range, fill(self.rule.text, values))
    }

    /// Reports a place and points at a part of it: for a line inside a text.
    pub fn report_in(
        &mut self,
        at: &Spot<'_>,
        range: std::ops::Range<usize>,
        values: &[&dyn Display],
    ) -> &mut Self {
        self.push(at, range, fill(self.rule.text, values))
    }

    fn push(&mut self, at: &Spot<'_>, range: std::ops::Range<usize>, text: String) -> &mut Self {
        if self.is_full() {
            return self;
        }
        let document = at.document();
        let (line, column) = document.text().position(range.start);
        self.out.push(Finding {
            rule: self.rule.id,
            level: self.rule.level,
            document: document.number(),
            path: at.path(),
            line,
            column,
            range,
            text,
            fix: None,
        });
        self
    }

    /// Gives what was just reported a fix.
    pub fn fix(&mut self, fix: Option<Fix>) {
        let rule = self.rule.id;
        if let Some(last) = self.out.last_mut().filter(|last| last.rule == rule) {
            last.fix = fix;
        }
    }

    // The vocabulary: most checks are one of these.

    /// There must be something: reports an empty place.
    pub fn required(&mut self) {
        if self.at.blank() {
            self.report(&[]);
        }
    }

    /// There must be nothing: reports whatever is there, and offers to remove it.
    pub fn forbidden(&mut self) {
        let at = self.at.clone();
        if at.exists() {
            self.report_key(&at, &[&at.key().unwrap_or_default()]).fix(Fix::remove(&at));
        }
    }

    /// The same, but `null` or an empty list or map may stay.
    pub fn unused(&mut self) {
        if !self.at.blank() {
            self.forbidden();
        }
    }

    /// A text must be one of these words; reports it with its value. Offers the closest word.
    pub fn one_of(&mut self, words: &[&str]) {
        if let Some(text) = self.at.text().filter(|text| !words.contains(text)) {
            let near = super::patterns::nearest(text, words.iter().copied());
            let fix = near.and_then(|near| Fix::set(&self.at, near));
            self.report(&[&text]).fix(fix);
        }
    }

    /// Reports a text for which `good` is false, with the text.
    pub fn text_must(&mut self, good: impl FnOnce(&str) -> bool) {
        if let Some(text) = self.at.text().filter(|text| !good(text)) {
            self.report(&[&text]);
        }
    }

    /// A number must be whole and within these limits; reports it with its value.
    pub fn between(&mut self, least: i64, most: i64) {
        if self.at.number().is_some() && !self.at.int().is_some_and(|number| (least..=most).contains(&number))
        {
            let shown = self.at.shown();
            self.report(&[&shown]);
        }
    }

    /// A list or map must not have more parts; reports their number.
    pub fn at_most(&mut self, most: usize) {
        let count = self.at.count();
        if count > most {
            self.report(&[&count]);
        }
    }

    /// A text must not have more characters.
    pub fn shorter_than(&mut self, most: usize) {
        if self.at.text().is_some_and(|text| text.chars().count() > most) {
            let shown = self.at.key().unwrap_or_default();
            self.report(&[&shown]);
        }
    }

    /// Reports each text that stands a second time among `spots`, with the text.
    pub fn no_text_twice(&mut self, spots: impl IntoIterator<Item = Spot<'a>>) {
        let mut seen = std::collections::HashSet::new();
        for spot in spots {
            if let Some(word) = spot.word()
                && !seen.insert(word.clone())
            {
                self.report_at(&spot, &[&word]);
            }
        }
    }
}

/// The text of a rule with its values. What is left of a sentence after `;` goes when its value is missing.
fn fill(text: &str, values: &[&dyn Display]) -> String {
    let mut out = String::with_capacity(text.len() + 32);
    let mut values = values.iter();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("{}") {
        out.push_str(before);
        match values.next() {
            Some(value) => out.push_str(&crate::text::one_line(&value.to_string(), 200)),
            None => {
                out.truncate(out.rfind(';').unwrap_or(out.len()));
                return out;
            }
        }
        rest = after;
    }
    out.push_str(rest);
    out
}
