//! What could be typed next: keys of the view, and values that are there.

use std::cmp::Ordering;
use std::ops::Range;

use super::plan::begins_word;
use super::{Op, columns, parse};
use crate::model::Now;
use crate::store::{SortKey, Store, natural};
use crate::text;
use crate::views::{Holds, List};

/// Something that could stand in the place of what has been begun.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Completion {
    /// Which bytes of the text it replaces.
    pub at: Range<usize>,
    /// What stands there then.
    pub text: String,
    /// On how many rows the value is; nothing for a key, nor where there are too many values to count.
    pub rows: Option<usize>,
}

/// The most completions that are of use.
const MOST: usize = 50;
/// Of more different values than these the first are offered, and nothing is counted: nobody chooses among them.
const MOST_VALUES: usize = 2_000;

/// What could be typed at `cursor`, in bytes. Values come with the most frequent first.
pub fn complete(typed: &str, cursor: usize, list: &List, store: &Store, now: Now) -> Vec<Completion> {
    let typed = &typed[..typed.floor_char_boundary(cursor)];
    let start = term_start(typed);
    let word = &typed[start..];
    let sign = usize::from(word.starts_with(['-', '!']));
    match parse::key_and_op(&word[sign..]) {
        Some((key, op_sign, op)) => {
            let from = start + sign + key.len() + op_sign.len();
            values(typed, from, key, op, Rows { list, store, now })
        }
        None => keys(typed, start + sign, list),
    }
}

/// Where the term begins whose end is the end of `typed`: behind the last blank that is not in quotes.
fn term_start(typed: &str) -> usize {
    behind_last(typed, char::is_whitespace)
}

/// Behind the last character of a sort that is not in quotes, or at the beginning.
fn behind_last(typed: &str, of_sort: impl Fn(char) -> bool) -> usize {
    let (mut start, mut inside, mut escaped) = (0, false, false);
    for (at, c) in typed.char_indices() {
        match c {
            '"' if !escaped => inside = !inside,
            c if of_sort(c) && !inside => start = at + c.len_utf8(),
            _ => {}
        }
        escaped = c == '\\' && inside && !escaped;
    }
    start
}

fn keys(typed: &str, start: usize, list: &List) -> Vec<Completion> {
    let begun = typed[start..].to_lowercase();
    let view = &*list.view;
    let mut all: Vec<String> = columns::keys(view)
        .map(|(column, key)| match view.heading(column).holds {
            Holds::Text | Holds::State | Holds::Reason => format!("{key}:"),
            Holds::Number | Holds::Millis | Holds::Bytes => format!("{key}>"),
            Holds::Age => format!("{key}<"),
        })
        .collect();
    let known = |word: &str| columns::find(view, word).is_some();
    let more = ["state", "why", "ns"].into_iter().filter(|word| known(word)).map(|word| format!("{word}:"));
    let more: Vec<String> = more.filter(|key| !all.contains(key)).collect();
    all.extend(more);
    all.push("has:".to_owned());
    let completion = |text: String| Completion { at: start..typed.len(), text, rows: None };
    all.into_iter().filter(|key| key.starts_with(&begun)).map(completion).collect()
}

/// The rows that values are looked for in.
#[derive(Clone, Copy)]
struct Rows<'a> {
    list: &'a List,
    store: &'a Store,
    now: Now,
}

fn values(typed: &str, from: usize, key: &str, op: Op, rows: Rows<'_>) -> Vec<Completion> {
    let view = &*rows.list.view;
    let start = from + behind_last(&typed[from..], |c| c == ',');
    let begun = typed[start..].trim_start_matches('"').to_lowercase();
    let at = start..typed.len();
    if key.eq_ignore_ascii_case("has") {
        let facts = columns::keys(view).filter(|(_, key)| key.starts_with(&begun));
        return facts.map(|(_, text)| Completion { at: at.clone(), text, rows: None }).collect();
    }
    let Some(column) = columns::find(view, key).filter(|_| matches!(op, Op::Has | Op::Is | Op::IsNot)) else {
        return Vec::new();
    };
    let found = match view.heading(column).holds {
        Holds::Age => return Vec::new(),
        Holds::State => rows.values(column, |value| begins_word(value, &begun)),
        _ => rows.values(column, |value| begun.is_empty() || value.to_lowercase().contains(&begun)),
    };
    let completion = |(value, rows): (String, Option<usize>)| {
        let text = parse::typed_value(&text::clean(&value))?;
        Some(Completion { at: at.clone(), text, rows })
    };
    found.into_iter().filter_map(completion).collect()
}

impl Rows<'_> {
    /// The values of a column that fit, on how many rows each is, and the most frequent first. Where there are too many of them
    /// to choose from, the first ones without their numbers.
    fn values(self, column: usize, fits: impl Fn(&str) -> bool) -> Vec<(String, Option<usize>)> {
        let Self { list, store, now } = self;
        let mut counts: hashbrown::HashMap<String, usize> = hashbrown::HashMap::new();
        let mut cell = String::new();
        let mut too_many = false;
        for &id in list.all() {
            // A state is its word, without how far it is.
            let value = match list.view.key(store, id, column, now) {
                SortKey::Text(text) if !text.is_empty() => text,
                _ => {
                    cell.clear();
                    list.view.cell(store, id, column, now, &mut cell);
                    cell.as_str()
                }
            };
            if let Some(count) = counts.get_mut(value) {
                *count += 1;
            } else if fits(value) {
                if counts.len() == MOST_VALUES {
                    too_many = true;
                    break;
                }
                counts.insert(value.to_owned(), 1);
            }
        }
        let mut found: Vec<(String, usize)> = counts.into_iter().collect();
        let frequent = |a: usize, b: usize| if too_many { Ordering::Equal } else { b.cmp(&a) };
        found.sort_unstable_by(|(a, x), (b, y)| frequent(*x, *y).then_with(|| natural(a, b)));
        found.truncate(MOST);
        found.into_iter().map(|(value, count)| (value, (!too_many).then_some(count))).collect()
    }
}
