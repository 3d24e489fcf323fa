//! A list answer, read while it arrives.
//!
//! Objects are cut out of the stream one by one, so that a server which ignores `limit` costs no more memory than one
//! which does not. In lists of custom resources the continue token stands behind the objects, in others before them.

use std::marker::PhantomData;

use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::error::Category;

use crate::cluster::watch::LONGEST_LINE;
use crate::records::wire::{Nullable, Str};
use crate::records::{BadObject, Record, Records, TableColumn, salvage};

/// What a page says besides its objects.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PageEnd {
    /// The token for the next page; `None` on the last one.
    pub next: Option<String>,
    /// `metadata.resourceVersion`: where a watch goes on.
    pub version: String,
    /// How many objects come after this page, where the server says so.
    pub remaining: Option<usize>,
    /// The columns of a table.
    pub columns: Option<Vec<TableColumn>>,
    /// How many objects were on the page.
    pub count: usize,
    /// How many of them could not even be named.
    pub lost: usize,
}

#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
struct ListMeta<'a> {
    #[serde(borrow, rename = "continue")]
    next: Str<'a>,
    #[serde(borrow)]
    resource_version: Str<'a>,
    remaining_item_count: Option<i64>,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Place {
    Start,
    Keys,
    Objects,
    End,
}

/// Reads one page of records of type `R`.
pub struct PageReader<R> {
    buffer: Vec<u8>,
    /// Where the unread part of the buffer begins.
    at: usize,
    /// No use in trying again before the buffer has this many unread bytes.
    enough: usize,
    /// So many unread bytes are no object any more.
    longest: usize,
    place: Place,
    end: PageEnd,
    record: PhantomData<R>,
}

/// The value at the start of `bytes` and its length; `None` if it is not all there.
fn value<'a, T: Deserialize<'a>>(bytes: &'a [u8]) -> Result<Option<(T, usize)>, serde_json::Error> {
    let mut values = serde_json::Deserializer::from_slice(bytes).into_iter::<T>();
    match values.next() {
        None => Ok(None),
        Some(Err(error)) if error.classify() == Category::Eof => Ok(None),
        Some(Err(error)) => Err(error),
        Some(Ok(value)) => {
            let length = values.byte_offset();
            // A number or a word could go on behind what is there.
            let delimited = matches!(bytes[length - 1], b'}' | b']' | b'"');
            Ok((delimited || length < bytes.len()).then_some((value, length)))
        }
    }
}

impl<R: Record> PageReader<R>
where
    Records: From<Vec<R>>,
{
    /// A reader that keeps using `buffer`.
    pub fn new(mut buffer: Vec<u8>) -> Self {
        buffer.clear();
        Self {
            buffer,
            at: 0,
            enough: 0,
            longest: LONGEST_LINE,
            place: Place::Start,
            end: PageEnd::default(),
            record: PhantomData,
        }
    }

    /// Takes more of the answer and adds the records that are complete.
    ///
    /// # Errors
    ///
    /// The answer is not a list, or a part of it is longer than any object.
    pub fn push(&mut self, chunk: &[u8], records: &mut Vec<R>) -> Result<(), BadObject> {
        if self.at > 0 && self.at == self.buffer.len() {
            self.buffer.clear();
            self.at = 0;
        }
        self.buffer.extend_from_slice(chunk);
        if self.buffer.len() - self.at < self.enough {
            return Ok(());
        }
        self.read(records)?;
        // Half as much again, so that one large object is not parsed from its start with every chunk.
        let left = self.buffer.len() - self.at;
        if left > self.longest {
            return Err(BadObject(format!("the list has an object of more than {} MiB", self.longest >> 20)));
        }
        self.enough = if left > (64 << 10) { left + left / 2 } else { 0 };
        if self.at > 0 {
            self.buffer.drain(..self.at);
            self.at = 0;
        }
        Ok(())
    }

    /// The answer is over: gives what it said, and the buffer.
    ///
    /// # Errors
    ///
    /// The answer was cut off or is not a list.
    pub fn finish(mut self, records: &mut Vec<R>) -> Result<(PageEnd, Vec<u8>), BadObject> {
        self.read(records)?;
        if self.place != Place::End {
            return Err(BadObject("the list was cut off".into()));
        }
        Ok((self.end, self.buffer))
    }

    fn read(&mut self, records: &mut Vec<R>) -> Result<(), BadObject> {
        while self.step(records)? {}
        Ok(())
    }

    fn rest(&mut self) -> Option<u8> {
        let skipped =
            self.buffer[self.at..].iter().take_while(|c| c.is_ascii_whitespace() || **c == b',').count();
        self.at += skipped;
        self.buffer.get(self.at).copied()
    }

    /// Reads one thing; `false` if more bytes are needed.
    fn step(&mut self, records: &mut Vec<R>) -> Result<bool, BadObject> {
        let Some(first) = self.rest() else { return Ok(false) };
        match (self.place, first) {
            (Place::Start, b'{') => self.enter(1, Place::Keys),
            (Place::Keys, b'}') => self.enter(1, Place::End),
            (Place::Objects, b']') => self.enter(1, Place::Keys),
            (Place::Keys, b'"') => return self.field(),
            (Place::Objects, _) => return self.object(records),
            (Place::End, _) => self.at = self.buffer.len(),
            _ => return Err(BadObject("the answer is not a list of objects".into())),
        }
        Ok(true)
    }

    fn enter(&mut self, length: usize, place: Place) {
        self.at += length;
        self.place = place;
    }

    fn field(&mut self) -> Result<bool, BadObject> {
        let bytes = &self.buffer[self.at..];
        let Some((key, length)) = value::<Str<'_>>(bytes)? else { return Ok(false) };
        let between = bytes[length..].iter().take_while(|c| c.is_ascii_whitespace() || **c == b':').count();
        let start = length + between;
        let rest = &bytes[start..];
        if rest.is_empty() {
            return Ok(false);
        }
        if *key == *R::LIST_KEY && rest[0] == b'[' {
            self.enter(start + 1, Place::Objects);
            return Ok(true);
        }
        let length = match &*key {
            "metadata" => {
                let Some((Nullable(meta), length)) = value::<Nullable<ListMeta<'_>>>(rest)? else {
                    return Ok(false);
                };
                self.end.next = (!meta.next.is_empty()).then(|| meta.next.0.into_owned());
                self.end.version = meta.resource_version.0.into_owned();
                self.end.remaining = meta.remaining_item_count.and_then(|n| usize::try_from(n).ok());
                length
            }
            "columnDefinitions" => {
                let Some((columns, length)) = value::<Option<Vec<TableColumn>>>(rest)? else {
                    return Ok(false);
                };
                self.end.columns = columns;
                length
            }
            _ => match value::<IgnoredAny>(rest)? {
                Some((_, length)) => length,
                None => return Ok(false),
            },
        };
        self.enter(start + length, Place::Keys);
        Ok(true)
    }

    fn object(&mut self, records: &mut Vec<R>) -> Result<bool, BadObject> {
        let bytes = &self.buffer[self.at..];
        let length = match value::<R::Wire<'_>>(bytes) {
            Ok(None) => return Ok(false),
            Ok(Some((wire, length))) => {
                records.push(R::fold(wire));
                length
            }
            // The object is not as it should be; if it is JSON at all, it becomes a row that says so.
            Err(error) => {
                let Some((_, length)) = value::<IgnoredAny>(bytes)? else { return Ok(false) };
                match salvage::<R>(&bytes[..length], &error.into()) {
                    Some(decoded) => records.push(decoded.record),
                    None => self.end.lost += 1,
                }
                length
            }
        };
        self.at += length;
        self.end.count += 1;
        Ok(true)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::records::{Namespace, Other};

    fn read<R: Record>(text: &str, cuts: &[usize]) -> Result<(Vec<R>, PageEnd), BadObject>
    where
        Records: From<Vec<R>>,
    {
        let mut reader = PageReader::<R>::new(Vec::new());
        let mut records = Vec::new();
        let mut rest = text.as_bytes();
        for &cut in cuts {
            let (chunk, after) = rest.split_at(cut.min(rest.len()));
            reader.push(chunk, &mut records)?;
            rest = after;
        }
        reader.push(rest, &mut records)?;
        let (end, _) = reader.finish(&mut records)?;
        Ok((records, end))
    }

    const BEFORE: &str = r#"{"kind":"List","apiVersion":"v1","metadata":{"resourceVersion":"9","continue":"to\u006ben","remainingItemCount":7},
        "items":[{"metadata":{"name":"a","uid":"1"}}, {"metadata":{"name":"b\"]}","uid":"2"}}]}"#;
    const BEHIND: &str = r#"{"items":[{"metadata":{"name":"a","uid":"1"}},{"metadata":{"name":"b\"]}","uid":"2"}}],"n":12,
        "metadata":{"continue":"token","remainingItemCount":7,"resourceVersion":"9"}} "#;

    #[test]
    fn an_object_without_end_does_not_fill_the_memory() {
        let mut reader = PageReader::<Namespace>::new(Vec::new());
        reader.longest = 1 << 20;
        let mut records = Vec::new();
        reader
            .push(br#"{"items":[{"metadata":{"name":"a","uid":"1"}},{"metadata":{"name":""#, &mut records)
            .unwrap();
        let more = [b'x'; 1 << 16];
        let error = (0..100).find_map(|_| reader.push(&more, &mut records).err()).unwrap();
        assert_eq!((error.0.as_str(), records.len()), ("the list has an object of more than 1 MiB", 1));
        assert!(reader.buffer.len() < 2 << 20);
    }

    #[test]
    fn both_orders_of_metadata_are_read() {
        for text in [BEFORE, BEHIND] {
            let (records, end) = read::<Namespace>(text, &[]).unwrap();
            assert_eq!(records.iter().map(|r| &*r.meta.name).collect::<Vec<_>>(), ["a", "b\"]}"]);
            let want = PageEnd {
                next: Some("token".into()),
                version: "9".into(),
                remaining: Some(7),
                count: 2,
                ..PageEnd::default()
            };
            assert_eq!(end, want);
        }
    }

    #[test]
    fn odd_lists_are_read_and_no_lists_are_refused() {
        let cases: &[(&str, Result<usize, &str>)] = &[
            (r#"{"items":[]}"#, Ok(0)),
            (r#"{"items":null,"metadata":null}"#, Ok(0)),
            (r#"{"metadata":{}}"#, Ok(0)),
            (
                r#"{"items":[{"metadata":{"name":"a"}},{"metadata":{"name":"odd"},"status":[1]},{"metadata":7}]}"#,
                Ok(2),
            ),
            (r#"{"items":[{"metadata":{"name":"a"}}"#, Err("the list was cut off")),
            (r#"{"items":[{"metadata":{"name":"#, Err("the list was cut off")),
            (r#"{"items":[{"metadata" 7}]}"#, Err("expected `:`")),
            ("[1]", Err("not a list")),
            ("<html>", Err("not a list")),
            ("", Err("cut off")),
        ];
        for (text, want) in cases {
            match (read::<Namespace>(text, &[]), want) {
                (Ok((records, _)), Ok(count)) => assert_eq!(records.len(), *count, "{text}"),
                (Err(error), Err(part)) => assert!(error.0.contains(part), "{text}: {error}"),
                (got, _) => panic!("{text}: {got:?}"),
            }
        }
        let (records, end) =
            read::<Namespace>(r#"{"items":[{"metadata":{"name":"odd"},"status":[1]},{"metadata":7}]}"#, &[])
                .unwrap();
        assert!(records[0].meta.broken().is_some());
        assert_eq!(end.lost, 1);
    }

    #[test]
    fn tables_are_read() {
        let text = r#"{"kind":"Table","metadata":{"resourceVersion":"1"},"columnDefinitions":[{"name":"Name","type":"string","format":"name","priority":0}],
            "rows":[{"cells":["a"],"object":{"metadata":{"name":"a","uid":"1"}}}]}"#;
        let (rows, end) = read::<Other>(text, &[]).unwrap();
        assert_eq!((rows.len(), end.columns.unwrap()[0].name.as_str()), (1, "Name"));
    }

    proptest! {
        #[test]
        fn where_the_network_cuts_does_not_matter(cuts in prop::collection::vec(0_usize..40, 0..40)) {
            for text in [BEFORE, BEHIND] {
                prop_assert_eq!(read::<Namespace>(text, &cuts).unwrap(), read::<Namespace>(text, &[]).unwrap());
            }
        }

        #[test]
        fn garbage_never_panics(bytes in prop::collection::vec(any::<u8>(), 0..200), at in 0_usize..150, cut in 0_usize..200) {
            let mut text = BEHIND.as_bytes().to_vec();
            text.splice(at..at + 3, bytes);
            let mut reader = PageReader::<Namespace>::new(Vec::new());
            let mut records = Vec::new();
            let (first, second) = text.split_at(cut.min(text.len()));
            let fed = reader.push(first, &mut records).and_then(|()| reader.push(second, &mut records));
            let _ = fed.and_then(|()| reader.finish(&mut records));
        }
    }
}
