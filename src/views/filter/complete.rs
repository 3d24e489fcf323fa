//! What could be typed next: keys of the view, and values that are there.

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
    /// On how many rows the value is; nothing for a key.
    pub rows: Option<usize>,
}

/// The most completions that are of use.
const MOST: usize = 50;
/// Values beyond so many different ones are not told apart: nobody chooses among them.
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
            values(typed, from, key, op, list, store, now)
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

fn values(
    typed: &str,
    from: usize,
    key: &str,
    op: Op,
    list: &List,
    store: &Store,
    now: Now,
) -> Vec<Completion> {
    let view = &*list.view;
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
    if view.heading(column).holds == Holds::Age {
        return Vec::new();
    }
    let mut counts: hashbrown::HashMap<String, usize> = hashbrown::HashMap::new();
    let mut cell = String::new();
    for &id in list.all() {
        // A state is its word, without how far it is.
        let value = match view.key(store, id, column, now) {
            SortKey::Text(text) if !text.is_empty() => text,
            _ => {
                cell.clear();
                view.cell(store, id, column, now, &mut cell);
                cell.as_str()
            }
        };
        if let Some(count) = counts.get_mut(value) {
            *count += 1;
        } else if counts.len() < MOST_VALUES {
            counts.insert(value.to_owned(), 1);
        }
    }
    let state = view.heading(column).holds == Holds::State;
    let fits = |value: &str| match state {
        true => begins_word(value, &begun),
        false => value.to_lowercase().contains(&begun),
    };
    let mut found: Vec<(String, usize)> = counts.into_iter().filter(|(value, _)| fits(value)).collect();
    found.sort_unstable_by(|(a, x), (b, y)| y.cmp(x).then_with(|| natural(a, b)));
    found.truncate(MOST);
    let completion = |(value, count): (String, usize)| {
        let text = parse::typed_value(&text::clean(&value))?;
        Some(Completion { at: at.clone(), text, rows: Some(count) })
    };
    found.into_iter().filter_map(completion).collect()
}
