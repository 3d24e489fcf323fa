//! The lines of several logs in one, in the order of their times, in bounded memory.

use std::collections::VecDeque;

use jiff::Timestamp;

use super::ansi;
use crate::cluster::logs::LogLine;
use crate::text;
use crate::ui::panes::text::{Ink, Line, Lines, Pattern};

/// Lines that are kept.
pub const KEPT: usize = 5000;
/// How many times as many while somebody reads further up: what one reads does not go.
const PATIENCE: usize = 4;
/// Bytes that are kept at most, whatever the number of lines.
const MOST_BYTES: usize = 32 << 20;
/// The widest name of a source that is shown whole.
const WIDEST: usize = 24;

#[derive(Debug)]
struct Entry {
    /// The time that it is sorted by.
    at: Timestamp,
    /// The time that was told.
    told: Option<Timestamp>,
    /// The number of its source; none for what the program itself says.
    source: Option<usize>,
    line: Line,
    /// In the order of arrival.
    id: u64,
}

/// What of each line is shown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Columns {
    /// When it was written.
    pub times: bool,
    /// By which source.
    pub sources: bool,
}

/// The lines.
#[derive(Debug)]
pub struct Entries {
    entries: VecDeque<Entry>,
    bytes: usize,
    /// Lines that are not kept any more, or never came.
    pub lost: u64,
    next: u64,
    filter: Option<Pattern>,
    /// The entries that the filter wants, by their arrival, if there is a filter.
    wanted: VecDeque<usize>,
    /// The number of the first line that is shown.
    first: usize,
    /// The number of the first entry.
    base: usize,
    /// The newest time so far.
    newest: Timestamp,
    names: Vec<String>,
    /// What of each line is shown.
    pub columns: Columns,
    kept: usize,
}

impl Default for Entries {
    fn default() -> Self {
        Self::keeping(KEPT)
    }
}

impl Entries {
    /// Keeps so many lines.
    pub fn keeping(kept: usize) -> Self {
        Self {
            entries: VecDeque::new(),
            bytes: 0,
            lost: 0,
            next: 0,
            filter: None,
            wanted: VecDeque::new(),
            first: 0,
            base: 0,
            newest: Timestamp::UNIX_EPOCH,
            names: Vec::new(),
            columns: Columns::default(),
            kept,
        }
    }

    /// Names the sources, by their numbers.
    pub fn set_names(&mut self, names: Vec<String>) {
        self.names = names;
    }

    /// Forgets all lines.
    pub fn clear(&mut self) {
        let (names, columns, filter) = (std::mem::take(&mut self.names), self.columns, self.filter.take());
        *self = Self { names, columns, filter, next: self.next, ..Self::keeping(self.kept) };
    }

    /// Takes lines of a source. `patient`: somebody reads further up, so more is kept. Where lines came between others, gives
    /// the new number of the line that had the number `top`.
    pub fn take(&mut self, source: usize, lines: Vec<LogLine>, patient: bool, top: usize) -> Option<usize> {
        let (before, mut sorted) = (self.id_of(top), true);
        let mut last = None;
        for line in lines {
            // What has no time comes right after what its source said before it.
            let at = line.at.or(last).unwrap_or(self.newest);
            last = Some(at);
            sorted &= at >= self.newest;
            self.newest = self.newest.max(at);
            self.push(Entry {
                at,
                told: line.at,
                source: Some(source),
                line: ansi::read(&line.text),
                id: self.next,
            });
        }
        if !sorted {
            // Two runs, each in order: that is quickly put together.
            self.entries.make_contiguous().sort_by_key(|entry| (entry.at, entry.id));
        }
        self.trim(patient);
        if sorted {
            return None;
        }
        self.sift();
        Some(before.and_then(|id| self.place_of(id)).unwrap_or(top))
    }

    /// Says something between the lines.
    pub fn say(&mut self, text: &str, ink: Ink) {
        let line = Line::of(text, ink);
        self.push(Entry { at: self.newest, told: None, source: None, line, id: self.next });
    }

    fn push(&mut self, entry: Entry) {
        self.next += 1;
        self.bytes += entry.line.bytes();
        let number = self.base + self.entries.len();
        if self.filter.is_some() && self.wants(&entry) {
            self.wanted.push_back(number);
        }
        self.entries.push_back(entry);
    }

    fn wants(&self, entry: &Entry) -> bool {
        let Some(filter) = &self.filter else { return true };
        entry.source.is_none() || filter.wants(entry.line.text())
    }

    fn trim(&mut self, patient: bool) {
        let most = if patient { self.kept * PATIENCE } else { self.kept };
        while self.entries.len() > most || self.bytes > MOST_BYTES && self.entries.len() > 1 {
            let Some(oldest) = self.entries.pop_front() else { return };
            self.bytes -= oldest.line.bytes();
            self.lost += 1;
            if self.filter.is_none() {
                self.first += 1;
            } else if self.wanted.front() == Some(&self.base) {
                self.wanted.pop_front();
                self.first += 1;
            }
            self.base += 1;
        }
    }

    /// Shows only what a pattern wants; gives where the line that had the number `top` is, or the next one that is shown.
    pub fn set_filter(&mut self, filter: Option<Pattern>, top: usize) -> usize {
        let before = self.entry_number(top);
        self.filter = filter;
        self.first = self.base;
        self.sift();
        match (&self.filter, before) {
            (None, Some(number)) => number,
            (Some(_), Some(number)) => self.first + self.wanted.partition_point(|&wanted| wanted < number),
            (_, None) => top,
        }
    }

    /// What is shown of the lines.
    pub fn filter(&self) -> Option<&Pattern> {
        self.filter.as_ref()
    }

    fn sift(&mut self) {
        let mut wanted = std::mem::take(&mut self.wanted);
        wanted.clear();
        if self.filter.is_some() {
            let numbered = self.entries.iter().enumerate();
            wanted.extend(numbered.filter(|(_, entry)| self.wants(entry)).map(|(at, _)| self.base + at));
        }
        self.wanted = wanted;
    }

    /// The number of the entry that is shown as a line.
    fn entry_number(&self, line: usize) -> Option<usize> {
        match self.filter {
            None => Some(line),
            Some(_) => self.wanted.get(line.checked_sub(self.first)?).copied(),
        }
    }

    fn entry(&self, line: usize) -> Option<&Entry> {
        self.entries.get(self.entry_number(line)?.checked_sub(self.base)?)
    }

    fn id_of(&self, line: usize) -> Option<u64> {
        self.entry(line).map(|entry| entry.id)
    }

    fn place_of(&self, id: u64) -> Option<usize> {
        let number = self.base + self.entries.iter().position(|entry| entry.id == id)?;
        match self.filter {
            None => Some(number),
            Some(_) => Some(self.first + self.wanted.partition_point(|&wanted| wanted < number)),
        }
    }

    fn name_width(&self) -> usize {
        self.names.iter().map(|name| text::width(name)).max().unwrap_or(0).min(WIDEST)
    }
}

impl Lines for Entries {
    fn first(&self) -> usize {
        self.first
    }

    fn end(&self) -> usize {
        self.first + if self.filter.is_some() { self.wanted.len() } else { self.entries.len() }
    }

    fn line<T>(&self, number: usize, with: impl FnOnce(&Line) -> T) -> Option<T> {
        let entry = self.entry(number)?;
        let Some(source) = entry.source.filter(|_| self.columns != Columns::default()) else {
            return Some(with(&entry.line));
        };
        let mut line = Line::default();
        if self.columns.times {
            let told = entry.told.map(|at| at.strftime("%Y-%m-%dT%H:%M:%S%.3fZ").to_string());
            line.push(&told.unwrap_or_else(|| " ".repeat(24)), Ink::Time);
            line.push(" ", Ink::Time);
        }
        if self.columns.sources {
            let name = self.names.get(source).map_or("", String::as_str);
            let column = text::width(line.text()) + self.name_width() + 1;
            line.push(&text::cut(name, WIDEST), Ink::Source(source));
            line.pad(column);
        }
        line.append(&entry.line);
        Some(with(&line))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ui::panes::text::whole;

    fn line(second: i64, text: &str) -> LogLine {
        LogLine { at: Timestamp::from_second(second).ok(), text: text.into() }
    }

    fn loose(text: &str) -> LogLine {
        LogLine { at: None, text: text.into() }
    }

    fn shown(entries: &Entries) -> Vec<String> {
        whole(entries).lines().map(str::to_owned).collect()
    }

    #[test]
    fn lines_of_several_sources_stand_in_the_order_of_their_times() {
        let mut entries = Entries::default();
        entries.take(0, vec![line(1, "a"), line(5, "b"), loose("b, too")], false, 0);
        let top = entries.take(1, vec![line(2, "x"), line(5, "y"), line(9, "z")], false, 1);
        assert_eq!(shown(&entries), ["a", "x", "b", "b, too", "y", "z"]);
        assert_eq!(top, Some(2), "what was in the first row is there still");
        entries.set_names(vec!["compute".into(), "guest".into()]);
        entries.columns = Columns { times: true, sources: true };
        assert_eq!(
            shown(&entries)[1..4],
            [
                "1970-01-01T00:00:02.000Z guest   x",
                "1970-01-01T00:00:05.000Z compute b",
                "                         compute b, too"
            ]
        );
    }

    #[test]
    fn the_oldest_go_when_there_are_too_many_and_later_while_somebody_reads() {
        let mut entries = Entries::keeping(3);
        let many = |from: i64, to: i64| (from..to).map(|n| line(n, &n.to_string())).collect::<Vec<_>>();
        entries.take(0, many(0, 5), false, 0);
        assert_eq!(
            (shown(&entries), entries.lost, entries.first()),
            (vec!["2".into(), "3".into(), "4".into()], 2, 2)
        );
        entries.take(0, many(5, 9), true, 2);
        assert_eq!((entries.end() - entries.first(), entries.lost), (7, 2));
        entries.take(0, many(9, 10), false, 2);
        assert_eq!((shown(&entries).len(), entries.lost), (3, 7));
        let long = "x".repeat(MOST_BYTES / 2 + 1);
        entries.take(0, vec![line(11, &long), line(12, &long)], true, 0);
        assert_eq!(shown(&entries).len(), 1);
    }

    #[test]
    fn a_filter_hides_lines_and_loses_none() {
        let mut entries = Entries::keeping(6);
        entries.take(
            0,
            vec![line(1, "error a"), line(2, "fine"), line(3, "fine"), line(4, "Error b")],
            false,
            0,
        );
        let top = entries.set_filter(Pattern::parse("error"), 2);
        assert_eq!((shown(&entries), top), (vec!["error a".into(), "Error b".into()], 1));
        entries.take(0, vec![line(5, "error c"), line(6, "no")], false, 0);
        entries.say("--- mark", Ink::Quiet);
        assert_eq!(shown(&entries), ["error a", "Error b", "error c", "--- mark"]);
        entries.take(0, vec![line(7, "no")], false, 0);
        assert_eq!(shown(&entries), ["Error b", "error c", "--- mark"], "the oldest went");
        entries.set_filter(Pattern::parse("!error"), 0);
        assert_eq!(shown(&entries), ["fine", "no", "--- mark", "no"]);
        entries.take(1, vec![line(3, "late"), line(3, "late error")], false, 0);
        assert_eq!(shown(&entries), ["no", "--- mark", "no"], "what comes late may be too old at once");
        entries.set_filter(None, 0);
        assert_eq!(entries.end() - entries.first(), 6);
        entries.clear();
        assert_eq!(shown(&entries), [""; 0]);
    }
}
