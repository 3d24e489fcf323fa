//! A filter made ready for the columns of one view.

use std::cell::Cell;
use std::cmp::Ordering;

use memchr::memmem;
use regex::bytes::Regex;

use super::selector::{self, Selector};
use super::{FilterError, Op, Term, What, columns};
use crate::model::{Now, parse_amount, parse_size, parse_span};
use crate::store::{Id, SortKey, Store, TextIndex, natural};
use crate::views::{AnyView, Holds};

/// What rows have to be, column by column.
#[derive(Clone, Debug, Default, PartialEq)]
pub(in crate::views) struct Plan {
    /// Lower-case words that the visible cells have.
    pub words: Vec<String>,
    tests: Vec<Test>,
}

#[derive(Clone, Debug, PartialEq)]
struct Test {
    negated: bool,
    what: Check,
}

#[derive(Clone, Debug)]
enum Check {
    /// The visible cells have this lower-case word.
    Word(String),
    /// The visible cells match.
    Regex(Regex),
    /// Namespace and name have these letters in this order.
    Fuzzy(String),
    Labels(Selector),
    /// The cell has one of these texts.
    Holds(usize, Vec<Piece>),
    /// A word of the cell begins with one of these texts.
    Begins(usize, Vec<Piece>),
    /// The cell is one of these.
    Is(usize, Vec<Want>),
    /// The cell is in this order to a value.
    Order(usize, Op, Want),
    /// The cell says something other than no.
    Fact(usize),
}

impl PartialEq for Check {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Word(a), Self::Word(b)) | (Self::Fuzzy(a), Self::Fuzzy(b)) => a == b,
            (Self::Regex(a), Self::Regex(b)) => a.as_str() == b.as_str(),
            (Self::Labels(a), Self::Labels(b)) => a == b,
            (Self::Holds(a, x), Self::Holds(b, y)) | (Self::Begins(a, x), Self::Begins(b, y)) => {
                (a, x) == (b, y)
            }
            (Self::Is(a, x), Self::Is(b, y)) => (a, x) == (b, y),
            (Self::Order(a, x, v), Self::Order(b, y, w)) => (a, x, v) == (b, y, w),
            (Self::Fact(a), Self::Fact(b)) => a == b,
            _ => false,
        }
    }
}

/// A text to look for in a cell, in lower case, where `*` stands for anything.
#[derive(Clone, Debug, PartialEq)]
struct Piece {
    text: String,
    /// What `*` parts, where there is one.
    parts: Vec<String>,
    /// Whether it asks that there is nothing, or that there is something, in the words of those who write so.
    fact: Option<bool>,
}

impl Piece {
    fn new(value: &str) -> Self {
        let text = value.to_lowercase();
        let parts: Vec<String> = text.split('*').map(str::to_owned).collect();
        let parts = if parts.len() > 1 { parts } else { Vec::new() };
        let fact = match &*text {
            "none" | "false" => Some(false),
            "true" => Some(true),
            _ => None,
        };
        Self { text, parts, fact }
    }

    /// Whether lower-case text has it.
    fn is_in(&self, cell: &str) -> bool {
        let has = |cell: &str, part: &str| memmem::find(cell.as_bytes(), part.as_bytes());
        match &*self.parts {
            [] => has(cell, &self.text).is_some(),
            parts => follow(cell, parts).is_some(),
        }
    }

    /// Whether a word of the text of a state begins with it.
    fn begins(&self, cell: &str) -> bool {
        let (first, rest) =
            self.parts.split_first().map_or((&self.text, &[][..]), |(first, rest)| (first, rest));
        let begins = |here: &str| match here.get(..first.len()) {
            Some(start) if start.is_ascii() => start.eq_ignore_ascii_case(first),
            _ => here.to_lowercase().starts_with(first.as_str()),
        };
        let follows = |here: &str| {
            let lower = here.to_lowercase();
            lower.strip_prefix(first.as_str()).is_some_and(|left| follow(left, rest).is_some())
        };
        cell.char_indices().filter(|&(at, _)| first.is_empty() || word_starts(cell, at)).any(|(at, _)| {
            let here = &cell[at..];
            begins(here) && (rest.is_empty() || follows(here))
        })
    }

    /// Whether it is the whole of lower-case text.
    fn is_all(&self, cell: &str) -> bool {
        let [first, middle @ .., last] = &*self.parts else { return cell == self.text };
        let inside = cell.strip_prefix(first.as_str()).and_then(|left| left.strip_suffix(last.as_str()));
        inside.is_some_and(|inside| follow(inside, middle).is_some())
    }
}

/// What is left of a text behind all of these, one after the other.
fn follow<'a>(text: &'a str, parts: &[String]) -> Option<&'a str> {
    parts.iter().try_fold(text, |left, part| left.find(part.as_str()).map(|at| &left[at + part.len()..]))
}

/// Whether a word begins at this byte of the text of a state: `ErrorUnschedulable` has two.
fn word_starts(text: &str, at: usize) -> bool {
    let before = text[..at].chars().next_back();
    let here = text[at..].chars().next();
    match (before, here) {
        (Some(before), Some(here)) => {
            !before.is_alphanumeric()
                || here.is_uppercase() && !before.is_uppercase()
                || !here.is_alphanumeric()
        }
        _ => true,
    }
}

/// Whether the word of a state is meant by what was begun to be typed, as a filter takes it.
pub(super) fn begins_word(cell: &str, begun: &str) -> bool {
    Piece::new(begun).begins(cell)
}

/// A value to compare a cell with.
#[derive(Clone, Debug, PartialEq)]
enum Want {
    /// A size in bytes.
    Bytes(i64),
    /// A span in seconds.
    Seconds(i64),
    /// A number, and as it was written in lower case.
    Amount(f64, String),
    /// Text.
    Text(Piece),
}

/// Where rows are read while they are looked at.
pub(in crate::views) struct Cells<'a> {
    pub view: &'a dyn AnyView,
    pub store: &'a Store,
    pub now: Now,
    pub index: Option<&'a TextIndex>,
    /// In how many seconds the first of the rows that were looked at passes or does not pass because time goes on.
    pub due: Cell<Option<i64>>,
}

impl Plan {
    /// Finds the columns that the terms name.
    pub(in crate::views) fn new(terms: &[Term], view: &dyn AnyView) -> Result<Self, FilterError> {
        let mut plan = Self::default();
        for term in terms {
            let what = match &term.what {
                What::Text(pattern) => match (pattern.word(), pattern.regex()) {
                    (Some(word), _) if !term.negated => {
                        plan.words.push(word);
                        continue;
                    }
                    (Some(word), _) => Check::Word(word),
                    (None, regex) => match regex {
                        Some(regex) => Check::Regex(regex.clone()),
                        None => continue,
                    },
                },
                What::Fuzzy(letters) => Check::Fuzzy(letters.to_lowercase()),
                What::Labels(selector) => Check::Labels(selector.clone()),
                What::Key { key, op, values } => {
                    let (negated, what) = key_check(term, key, *op, values, view)?;
                    plan.tests.push(Test { negated: term.negated != negated, what });
                    continue;
                }
            };
            plan.tests.push(Test { negated: term.negated, what });
        }
        Ok(plan)
    }

    /// Whether every row passes.
    pub(in crate::views) fn is_empty(&self) -> bool {
        self.words.is_empty() && self.tests.is_empty()
    }

    /// Whether rows have to be more than to have the words.
    pub(in crate::views) fn has_tests(&self) -> bool {
        !self.tests.is_empty()
    }

    /// Whether nothing is looked at but names and labels.
    pub(in crate::views) fn reads_names_only(&self) -> bool {
        let names = |test: &Test| matches!(test.what, Check::Fuzzy(_) | Check::Labels(_));
        self.words.is_empty() && !self.tests.is_empty() && self.tests.iter().all(names)
    }

    /// Whether the text of the visible cells is looked at.
    pub(in crate::views) fn reads_text(&self) -> bool {
        let text = |test: &Test| matches!(test.what, Check::Word(_) | Check::Regex(_));
        !self.words.is_empty() || self.tests.iter().any(text)
    }

    /// Whether every row that passes this one passes `earlier` too.
    pub(in crate::views) fn narrows(&self, earlier: &Self) -> bool {
        let words = || earlier.words.iter().all(|old| self.words.iter().any(|new| new.contains(old)));
        words() && earlier.tests.iter().all(|old| self.tests.iter().any(|new| new.implies(old)))
    }

    /// Whether a row passes.
    pub(in crate::views) fn passes(&self, cells: &Cells<'_>, id: Id, scratch: &mut String) -> bool {
        let words = self.words.is_empty() || cells.index.is_some_and(|index| index.matches(id, &self.words));
        words && self.passes_tests(cells, id, scratch)
    }

    /// Whether a row passes that is known to have the words.
    pub(in crate::views) fn passes_tests(&self, cells: &Cells<'_>, id: Id, scratch: &mut String) -> bool {
        self.tests.iter().all(|test| test.what.is_met(cells, id, scratch) != test.negated)
    }
}

fn key_check(
    term: &Term,
    key: &str,
    op: Op,
    values: &[String],
    view: &dyn AnyView,
) -> Result<(bool, Check), FilterError> {
    let wrong = |why: String| {
        let error = FilterError::new(term.at.clone(), why);
        match &term.of {
            Some(name) => error.in_saved(name),
            None => error,
        }
    };
    if key.eq_ignore_ascii_case("has") && matches!(op, Op::Has | Op::Is) {
        let [fact] = values else { return Err(wrong("has: takes one fact, such as has:agent.".into())) };
        let column = columns::find(view, fact);
        return match column {
            Some(column) => Ok((false, Check::Fact(column))),
            None => Err(wrong(format!(
                "There is no column {fact:?} in {}; has: takes {}.",
                view.name(),
                facts(view)
            ))),
        };
    }
    let Some(column) = columns::find(view, key) else {
        if matches!(op, Op::Is | Op::IsNot) && selector::is_key(key) {
            return Ok((false, Check::Labels(Selector::of(key, values, op == Op::IsNot))));
        }
        let near = columns::near(view, key).map(|near| format!("; did you mean {near}?"));
        let plain = || if op == Op::Has { "; in quotes it is plain text." } else { "." }.to_owned();
        let hint = near.unwrap_or_else(plain);
        return Err(wrong(format!("There is no column {key:?} in {}{hint}", view.name())));
    };
    let holds = view.heading(column).holds;
    let read = |value: &String| {
        want(holds, value).ok_or_else(|| {
            let of = match holds {
                Holds::Bytes => "sizes such as 8Gi",
                Holds::Age => "spans of time such as 2h or 3d4h",
                _ => "numbers",
            };
            wrong(format!("{key} is compared with {of}, which {value:?} is not."))
        })
    };
    let by_value = matches!(holds, Holds::Number | Holds::Millis | Holds::Bytes);
    Ok(match op {
        // A number is in the cell when it is the cell: cpu:2 is not 12.
        Op::Has if by_value && values.iter().all(|value| want(holds, value).is_some()) => {
            (false, Check::Is(column, values.iter().filter_map(|value| want(holds, value)).collect()))
        }
        Op::Has => {
            let pieces = values.iter().map(|value| Piece::new(value)).collect();
            let state = holds == Holds::State;
            (false, if state { Check::Begins(column, pieces) } else { Check::Holds(column, pieces) })
        }
        Op::Is | Op::IsNot => {
            (op == Op::IsNot, Check::Is(column, values.iter().map(read).collect::<Result<_, _>>()?))
        }
        op => (false, Check::Order(column, op, read(&values[0])?)),
    })
}

/// The columns that a row may have nothing in, as `has:` takes them.
fn facts(view: &dyn AnyView) -> String {
    let may_lack = |column: &usize| {
        let heading = view.heading(*column);
        !matches!(heading.holds, Holds::State | Holds::Age)
            && !matches!(&*heading.title, "NAME" | "NAMESPACE")
    };
    let known = columns::keys(view).filter(|(column, _)| may_lack(column)).map(|(_, key)| key);
    known.collect::<Vec<_>>().join(", ")
}

fn want(holds: Holds, value: &str) -> Option<Want> {
    match holds {
        Holds::Bytes => parse_size(value).and_then(|bytes| i64::try_from(bytes).ok()).map(Want::Bytes),
        Holds::Age => parse_span(value).map(Want::Seconds),
        Holds::Number | Holds::Millis => {
            amount(value).map(|number| Want::Amount(number, value.to_lowercase()))
        }
        _ => Some(match amount(value) {
            Some(number) => Want::Amount(number, value.to_lowercase()),
            None => Want::Text(Piece::new(value)),
        }),
    }
}

/// A number as people see it: with a suffix of quantities, or a percentage.
fn amount(text: &str) -> Option<f64> {
    parse_amount(text.strip_suffix('%').unwrap_or(text))
}

impl Test {
    /// Whether every row that meets this one meets `other` too.
    fn implies(&self, other: &Self) -> bool {
        let wider = match (&self.what, &other.what) {
            (Check::Word(new), Check::Word(old)) => self.negated && old.contains(new.as_str()),
            (Check::Fuzzy(new), Check::Fuzzy(old)) => !self.negated && new.starts_with(old.as_str()),
            (Check::Holds(a, new), Check::Holds(b, old)) => {
                let inside = |new: &Piece| old.iter().any(|old| new.text.contains(&old.text));
                !self.negated && a == b && new.iter().all(|new| new.fact.is_none() && inside(new))
            }
            (Check::Begins(a, new), Check::Begins(b, old)) => {
                let begun = |new: &Piece| old.iter().any(|old| new.text.starts_with(&old.text));
                !self.negated && a == b && new.iter().all(begun)
            }
            _ => false,
        };
        self.negated == other.negated && (wider || self.what == other.what)
    }
}

impl Check {
    fn is_met(&self, cells: &Cells<'_>, id: Id, scratch: &mut String) -> bool {
        let text = || cells.index.and_then(|index| index.text(id)).unwrap_or_default();
        match self {
            Self::Word(word) => memmem::find(text().as_bytes(), word.as_bytes()).is_some(),
            Self::Regex(regex) => regex.is_match(text().as_bytes()),
            Self::Fuzzy(letters) => cells.store.meta(id).is_some_and(|meta| {
                let namespace = meta.namespace.bytes().chain(*b"/");
                let mut place = namespace.chain(meta.name.bytes()).map(|byte| byte.to_ascii_lowercase());
                letters.bytes().all(|letter| place.any(|byte| byte == letter))
            }),
            Self::Labels(selector) => {
                let meta = cells.store.meta(id);
                meta.is_some_and(|meta| selector.matches(|key, value| meta.has_label(key, value)))
            }
            Self::Holds(column, values) => {
                cells.text(id, *column, scratch);
                values.iter().any(|value| {
                    value.is_in(scratch) || value.fact.is_some_and(|fact| fact == cells.has(id, *column))
                })
            }
            Self::Begins(column, values) => {
                scratch.clear();
                cells.view.cell(cells.store, id, *column, cells.now, scratch);
                values.iter().any(|value| value.begins(scratch))
            }
            Self::Is(column, wants) => wants.iter().any(|want| cells.is(id, *column, want, scratch)),
            Self::Order(column, op, want) => {
                let order = cells.compare(id, *column, want, scratch);
                order.is_some_and(|order| match op {
                    Op::Over => order.is_gt(),
                    Op::From => order.is_ge(),
                    Op::Under => order.is_lt(),
                    _ => order.is_le(),
                })
            }
            Self::Fact(column) => cells.has(id, *column),
        }
    }
}

impl Cells<'_> {
    /// Writes a cell in lower case.
    fn text(&self, id: Id, column: usize, out: &mut String) {
        out.clear();
        self.view.cell(self.store, id, column, self.now, out);
        if out.is_ascii() {
            out.make_ascii_lowercase();
        } else {
            *out = out.to_lowercase();
        }
    }

    /// Whether a cell says something other than no.
    fn has(&self, id: Id, column: usize) -> bool {
        match self.view.key(self.store, id, column, self.now) {
            SortKey::Nothing => false,
            SortKey::Number(number) => number != 0,
            SortKey::Text(text) => !matches!(text, "" | "-" | "no" | "No" | "false" | "False" | "none"),
        }
    }

    fn is(&self, id: Id, column: usize, want: &Want, scratch: &mut String) -> bool {
        let written = match want {
            Want::Text(piece) if !piece.parts.is_empty() => {
                self.text(id, column, scratch);
                return piece.is_all(scratch);
            }
            Want::Text(Piece { text, .. }) | Want::Amount(_, text) => text,
            Want::Bytes(_) | Want::Seconds(_) => {
                return self.compare(id, column, want, scratch).is_some_and(Ordering::is_eq);
            }
        };
        if let SortKey::Text(key) = self.view.key(self.store, id, column, self.now)
            && (key.eq_ignore_ascii_case(written) || key.to_lowercase() == *written)
        {
            return true;
        }
        self.text(id, column, scratch);
        let same = |number: f64| amount(scratch).is_some_and(|cell| cell.total_cmp(&number).is_eq());
        scratch == written || matches!(want, Want::Amount(number, _) if same(*number))
    }

    /// How a cell is to a value; nothing where one of them has none.
    fn compare(&self, id: Id, column: usize, want: &Want, scratch: &mut String) -> Option<Ordering> {
        let key = self.view.key(self.store, id, column, self.now);
        match (want, key) {
            (_, SortKey::Nothing) => None,
            (Want::Bytes(wanted), SortKey::Number(bytes)) => Some(bytes.cmp(wanted)),
            (Want::Seconds(wanted), SortKey::Number(moment)) => {
                let age = self.now.wall - moment;
                // A second later it is more than that.
                if age <= *wanted {
                    let left = wanted - age + i64::from(age == *wanted);
                    self.due.set(Some(self.due.get().map_or(left, |due| due.min(left))));
                }
                Some(age.cmp(wanted))
            }
            (Want::Bytes(_) | Want::Seconds(_), SortKey::Text(_)) => None,
            (Want::Amount(wanted, written), _) => {
                self.text(id, column, scratch);
                match amount(scratch) {
                    Some(number) => number.partial_cmp(wanted),
                    None => match key {
                        SortKey::Text(_) => Some(natural(scratch, written)),
                        _ => None,
                    },
                }
            }
            (Want::Text(wanted), _) => {
                self.text(id, column, scratch);
                Some(natural(scratch, &wanted.text))
            }
        }
    }
}
