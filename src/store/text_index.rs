//! The text of the shown rows, lower-cased in one run of bytes, so that a filter is one scan at the speed of memory.

use memchr::memmem;

use super::Id;
use crate::records::Kind;

/// One line of text per row. Changed rows get a new line at the end; the old ones are thrown out when they are many.
#[derive(Debug, Default)]
pub struct TextIndex {
    text: String,
    /// Where each line starts, and whose it is; `None` for a line that was replaced.
    lines: Vec<(u32, Option<Id>)>,
    /// The line of each row.
    places: Vec<(Kind, Vec<u32>)>,
    dead: usize,
}

const NOWHERE: u32 = u32::MAX;
/// The most text that places of four bytes can name.
const MOST_TEXT: usize = u32::MAX as usize - (1 << 20);

impl TextIndex {
    /// Sets the text of a row. Texts longer than 64 KiB are cut.
    pub fn set(&mut self, id: Id, text: &str) {
        self.remove(id);
        if self.dead > 1024 && self.dead * 2 > self.lines.len() {
            self.compact();
        }
        if self.text.len() >= MOST_TEXT {
            return;
        }
        let line = self.lines.len();
        *self.place(id) = u32::try_from(line).unwrap_or(NOWHERE);
        self.lines.push((u32::try_from(self.text.len()).unwrap_or(NOWHERE), Some(id)));
        let end = text.floor_char_boundary(1 << 16);
        for c in text[..end].chars() {
            match c {
                '\n' => self.text.push(' '),
                c if c.is_ascii() => self.text.push(c.to_ascii_lowercase()),
                c => self.text.extend(c.to_lowercase()),
            }
        }
        self.text.push('\n');
    }

    /// Takes the text of a row out.
    pub fn remove(&mut self, id: Id) {
        let place = std::mem::replace(self.place(id), NOWHERE);
        if let Some(line) = self.lines.get_mut(place as usize) {
            line.1 = None;
            self.dead += 1;
        }
    }

    /// How many rows have a text.
    pub fn len(&self) -> usize {
        self.lines.len() - self.dead
    }

    /// Whether no row has one.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// How many bytes it holds.
    pub fn bytes(&self) -> usize {
        let places: usize = self.places.iter().map(|(_, places)| places.capacity() * 4).sum();
        self.text.capacity() + self.lines.capacity() * size_of::<(u32, Option<Id>)>() + places
    }

    /// Whether a row has a text.
    pub fn has(&self, id: Id) -> bool {
        self.line_of(id) != NOWHERE
    }

    fn line_of(&self, id: Id) -> u32 {
        let place = self.places.iter().find(|(kind, _)| *kind == id.kind());
        place.and_then(|(_, places)| places.get(id.slot())).copied().unwrap_or(NOWHERE)
    }

    /// The text of a row, in lower case.
    pub fn text(&self, id: Id) -> Option<&str> {
        self.line(self.line_of(id) as usize).map(|line| line.trim_end_matches('\n'))
    }

    /// Whether the row's text has all of `terms`, which are lower-case.
    pub fn matches(&self, id: Id, terms: &[String]) -> bool {
        let Some(text) = self.text(id) else { return false };
        terms.iter().all(|term| memmem::find(text.as_bytes(), term.as_bytes()).is_some())
    }

    /// Calls `hit` with each row whose text has all of `terms`, which are lower-case and not empty.
    pub fn search(&self, terms: &[String], mut hit: impl FnMut(Id)) {
        // Lines end with a new line, so a term with one would match over the end of a row.
        let Some((first, others)) =
            terms.split_first().filter(|_| !terms.iter().any(|term| term.contains('\n')))
        else {
            return;
        };
        let finder = memmem::Finder::new(first);
        let bytes = self.text.as_bytes();
        let mut from = 0;
        let mut line = 0;
        while let Some(at) = finder.find(&bytes[from..]) {
            let at = from + at;
            line += self.lines[line..].partition_point(|&(start, _)| start as usize <= at) - 1;
            let end = self.lines.get(line + 1).map_or(bytes.len(), |&(start, _)| start as usize);
            if let Some(id) = self.lines[line].1
                && others.iter().all(|term| {
                    memmem::find(&bytes[self.lines[line].0 as usize..end], term.as_bytes()).is_some()
                })
            {
                hit(id);
            }
            from = end;
        }
    }

    fn line(&self, line: usize) -> Option<&str> {
        let &(start, _) = self.lines.get(line)?;
        let end = self.lines.get(line + 1).map_or(self.text.len(), |&(next, _)| next as usize);
        self.text.get(start as usize..end)
    }

    fn place(&mut self, id: Id) -> &mut u32 {
        let known = self.places.iter().position(|(kind, _)| *kind == id.kind());
        let at = known.unwrap_or_else(|| {
            self.places.push((id.kind(), Vec::new()));
            self.places.len() - 1
        });
        let places = &mut self.places[at].1;
        if places.len() <= id.slot() {
            places.resize(id.slot() + 1, NOWHERE);
        }
        &mut places[id.slot()]
    }

    fn compact(&mut self) {
        let old = std::mem::take(self);
        self.text.reserve(old.text.len());
        for (line, &(_, id)) in old.lines.iter().enumerate() {
            if let (Some(id), Some(text)) = (id, old.line(line)) {
                *self.place(id) = u32::try_from(self.lines.len()).unwrap_or(NOWHERE);
                self.lines.push((u32::try_from(self.text.len()).unwrap_or(NOWHERE), Some(id)));
                self.text.push_str(text);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(slot: usize) -> Id {
        Id::new(Kind::Vm, slot)
    }

    fn hits(index: &TextIndex, terms: &[&str]) -> Vec<usize> {
        let terms: Vec<String> = terms.iter().map(|term| (*term).to_owned()).collect();
        let mut hits = Vec::new();
        index.search(&terms, |id| hits.push(id.slot()));
        for slot in 0..10 {
            assert_eq!(hits.contains(&slot), index.matches(id(slot), &terms), "{slot}");
        }
        hits
    }

    #[test]
    fn rows_are_found_by_all_terms() {
        let mut index = TextIndex::default();
        for (slot, text) in
            ["web-0 Running", "web-1 stopped", "db-0 running\nweb", "GRÖSSE"].iter().enumerate()
        {
            index.set(id(slot), text);
        }
        assert_eq!(hits(&index, &["web"]), [0, 1, 2]);
        assert_eq!(hits(&index, &["web", "running"]), [0, 2]);
        assert_eq!(hits(&index, &["größe"]), Vec::<usize>::new());
        assert_eq!(hits(&index, &["grösse"]), [3]);
        assert_eq!(hits(&index, &["ed\ndb"]), Vec::<usize>::new(), "no match over the end of a row");
    }

    #[test]
    fn changed_and_removed_rows_are_not_found_by_their_old_text() {
        let mut index = TextIndex::default();
        (0..3).for_each(|slot| index.set(id(slot), "old"));
        index.set(id(1), "new");
        index.remove(id(2));
        assert_eq!(hits(&index, &["old"]), [0]);
        assert_eq!(hits(&index, &["new"]), [1]);
        for _ in 0..5000 {
            index.set(id(0), "old");
        }
        assert!(index.bytes() < 100_000);
        assert_eq!((index.len(), hits(&index, &["old"])), (2, vec![0]));
    }
}
