//! The table of causes: what keeps an object from being as it should be, or what it waits for, how to recognise it, and
//! how to say it. Rows only; everything that knows what to do with them is below.
//!
//! Evidence is a line `reason: message` (one of them may be missing), as a condition, a container, an annotation or an
//! event tells it. The first row whose expression matches wins. What no row knows is shown as it was said.

mod claim;
mod content;
mod guest;
mod moving;
mod source;
mod start;
mod transfer;
mod worker;

use std::sync::{LazyLock, OnceLock};

use regex::{Regex, RegexSet};

use crate::model::{Word, format_bytes};
use crate::store::{CauseId, Health};

/// Something that keeps an object from being as it should be, or that it waits for.
#[derive(Debug)]
pub struct Cause {
    /// Its name, in small letters and hyphens.
    pub id: &'static str,
    /// How well an object is that shows it.
    pub health: Health,
    /// A regular expression that its evidence matches.
    pub says: &'static str,
    /// What stands in a row: a few words, the most telling first. `{name}` is what the group of that name caught, written
    /// as an amount of memory if the name ends in `bytes` and the text is a number. Empty: noise, which is not told.
    pub short: &'static str,
    /// What it means and what to do, in a sentence; `{name}` as in `short`.
    pub about: &'static str,
    /// Evidence as it was seen, and what is to stand in the row then.
    pub cases: &'static [(&'static str, &'static str)],
}

/// All rows, in the order in which they are tried.
const TABLES: &[&[Cause]] = &[
    guest::CAUSES,
    moving::CAUSES,
    start::CAUSES,
    worker::CAUSES,
    content::CAUSES,
    claim::CAUSES,
    source::CAUSES,
    transfer::CAUSES,
];

/// A row.
const fn cause(
    id: &'static str,
    health: Health,
    says: &'static str,
    short: &'static str,
    about: &'static str,
    cases: &'static [(&'static str, &'static str)],
) -> Cause {
    Cause { id, health, says, short, about, cases }
}

/// Every cause, in the order of the table.
pub fn all() -> impl Iterator<Item = &'static Cause> {
    TABLES.iter().copied().flatten()
}

/// The cause of this number.
pub fn of(id: CauseId) -> &'static Cause {
    TABLE.causes[id.place()]
}

/// The name of a cause as a word.
pub fn word(id: CauseId) -> Word {
    TABLE.words[id.place()]
}

/// The cause that a condition, a container or an event tells of, if the table knows it.
pub fn recognise(reason: &str, message: &str) -> Option<CauseId> {
    let first = TABLE.patterns.matches(&evidence(reason, message)).iter().next()?;
    CauseId::new(first)
}

/// The line that the expressions are tried on.
fn evidence(reason: &str, message: &str) -> String {
    match (reason, message) {
        ("", one) | (one, "") => one.to_owned(),
        (reason, message) => format!("{reason}: {message}"),
    }
}

struct Table {
    causes: Vec<&'static Cause>,
    words: Vec<Word>,
    patterns: RegexSet,
    /// The expressions one by one, for what they catch; made when a text is first shown.
    groups: Vec<OnceLock<Option<Regex>>>,
}

#[allow(clippy::expect_used, reason = "the rows are ours, and a test reads all of them")]
static TABLE: LazyLock<Table> = LazyLock::new(|| Table {
    causes: all().collect(),
    words: all().map(|cause| Word::new(cause.id)).collect(),
    patterns: RegexSet::new(all().map(|cause| cause.says)).expect("every row has a valid expression"),
    groups: all().map(|_| OnceLock::new()).collect(),
});

impl Cause {
    /// Whether it is something that healthy objects show as well.
    pub fn is_noise(&self) -> bool {
        self.short.is_empty()
    }
}

/// What keeps a guest from being moved while it runs, by the reason of the condition that says so; the reason itself where
/// the table does not know it.
pub fn held_by(reason: Word) -> &'static str {
    let known = HELD_BY.iter().find(|(known, _)| *known == reason);
    known.map_or(reason.as_str(), |(_, short)| short)
}

/// A column is sorted by it: the reasons that are known by name, without an expression to try.
static HELD_BY: LazyLock<Vec<(Word, &'static str)>> = LazyLock::new(|| {
    let rows =
        moving::CAUSES.iter().filter_map(|cause| Some((cause, cause.short.strip_prefix(moving::CANNOT)?)));
    let fixed = rows.filter(|(_, short)| !short.contains('{'));
    fixed
        .flat_map(|(cause, short)| cause.cases.iter().map(move |(case, _)| (Word::new(case), short)))
        .collect()
});

/// Writes what stands in a row for this cause and its evidence.
pub(super) fn write_short(id: CauseId, reason: &str, message: &str, out: &mut String) {
    write(id, of(id).short, reason, message, out);
}

/// Writes the sentence for this cause and its evidence.
pub(super) fn write_about(id: CauseId, reason: &str, message: &str, out: &mut String) {
    write(id, of(id).about, reason, message, out);
}

/// Writes a text of the table with what the expression of its row caught.
fn write(id: CauseId, text: &str, reason: &str, message: &str, out: &mut String) {
    if !text.contains('{') {
        return out.push_str(text);
    }
    let evidence = evidence(reason, message);
    let groups = TABLE.groups[id.place()].get_or_init(|| Regex::new(of(id).says).ok());
    let caught = groups.as_ref().and_then(|groups| groups.captures(&evidence));
    let mut rest = text;
    while let Some((before, behind)) = rest.split_once('{') {
        out.push_str(before);
        let (name, after) = behind.split_once('}').unwrap_or((behind, ""));
        let value = caught.as_ref().and_then(|caught| caught.name(name)).map_or("", |found| found.as_str());
        match value.parse() {
            Ok(bytes) if name.ends_with("bytes") => format_bytes(bytes, out),
            _ => out.push_str(value),
        }
        rest = after;
    }
    out.push_str(rest);
    // A group that caught nothing leaves its separator behind.
    out.truncate(out.trim_end_matches([' ', ':', ',']).len());
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What stands in a row for this evidence; `-` where nothing does.
    fn short(evidence: &str) -> String {
        match recognise("", evidence) {
            None => "?".into(),
            Some(id) if of(id).is_noise() => "-".into(),
            Some(id) => {
                let mut out = String::new();
                write_short(id, "", evidence, &mut out);
                out
            }
        }
    }

    #[test]
    fn every_row_is_found_by_its_own_evidence() {
        let mut wrong = String::new();
        for cause in all() {
            if cause.cases.is_empty() {
                wrong.push_str(&format!("{} has no case\n", cause.id));
            }
            for (evidence, want) in cause.cases {
                let found = recognise("", evidence).map_or("nothing", |id| of(id).id);
                let said = short(evidence);
                let want = if cause.is_noise() { "-" } else { want };
                if found != cause.id || said != want {
                    wrong.push_str(&format!("{}: {evidence:?}\n  is {found}, {said:?}\n", cause.id));
                }
            }
        }
        assert!(wrong.is_empty(), "\n{wrong}");
    }

    #[test]
    fn what_holds_a_guest_is_said_by_its_reason() {
        let cases = [
            ("DisksNotLiveMigratable", "disk not shared"),
            ("CPUModeLiveMigratable", "CPU of its node"),
            ("VolumeNotMigratable", "disk from a container"),
            ("MoonNotLiveMigratable", "MoonNotLiveMigratable"),
            ("", ""),
        ];
        for (reason, want) in cases {
            assert_eq!(held_by(Word::new(reason)), want);
        }
    }

    #[test]
    fn rows_are_written_as_others_are() {
        let mut names = std::collections::BTreeSet::new();
        for cause in all() {
            let id = cause.id;
            assert!(names.insert(id), "{id} stands there twice");
            assert!(
                id.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-'),
                "{id}"
            );
            let groups = Regex::new(cause.says).unwrap();
            for text in [cause.short, cause.about] {
                for place in text.split('{').skip(1) {
                    let name = place.split_once('}').expect(id).0;
                    assert!(groups.capture_names().flatten().any(|group| group == name), "{id}: {name}");
                }
            }
            let closed = cause.about.ends_with('.');
            assert!(cause.is_noise() || closed, "{id}: {:?} is no sentence", cause.about);
            // Its own words leave room for those of the cluster.
            let own: String = cause.short.split('{').map(|part| part.rsplit('}').next().unwrap()).collect();
            assert!(crate::text::width(&own) <= 44, "{id}: {own:?} is too long for a row");
        }
    }
}
