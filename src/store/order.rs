//! Rows in order: sorted by value once, repaired after changes.

use std::cmp::Ordering;

use super::Id;

/// What a column sorts by. Never made by formatting.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum SortKey<'a> {
    /// Sorts before everything else: no value.
    Nothing,
    /// A number, a time, a size.
    Number(i64),
    /// Text in natural order: `a2` before `a10`.
    Text(&'a str),
}

/// Which way a column is sorted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Dir {
    /// Smallest first.
    #[default]
    Up,
    /// Largest first.
    Down,
}

/// The keys of a row: the sorted column, then name and namespace, which make the order total but for equal names.
pub type RowKey<'a> = [SortKey<'a>; 3];

/// Numbers beyond this are told apart by the full comparison; sizes in bytes and times are far below.
const LARGE: i64 = 1 << 60;

impl SortKey<'_> {
    fn compare(self, other: Self) -> Ordering {
        match (self, other) {
            (SortKey::Text(a), SortKey::Text(b)) => natural(a, b),
            (SortKey::Number(a), SortKey::Number(b)) => a.cmp(&b),
            (a, b) => a.rank().cmp(&b.rank()),
        }
    }

    fn rank(self) -> u8 {
        match self {
            SortKey::Nothing => 0,
            SortKey::Number(_) => 1,
            SortKey::Text(_) => 2,
        }
    }

    /// A number that never contradicts `compare`: equal numbers need the full comparison.
    fn prefix(self) -> u64 {
        match self {
            SortKey::Nothing => 0,
            SortKey::Number(n) => 1 << 62 | (n.clamp(-LARGE, LARGE) + LARGE).cast_unsigned(),
            SortKey::Text(text) => 1 << 63 | u64::from_be_bytes(natural_prefix(text)) >> 1,
        }
    }
}

fn compare(a: &RowKey<'_>, b: &RowKey<'_>, dir: Dir) -> Ordering {
    let order = a.iter().zip(b).map(|(a, b)| a.compare(*b)).find(|order| order.is_ne());
    let order = order.unwrap_or(Ordering::Equal);
    if dir == Dir::Down { order.reverse() } else { order }
}

/// Sorts `ids` by what `key` says of each.
pub fn sort<'a>(ids: &mut [Id], dir: Dir, key: impl Fn(Id) -> RowKey<'a>) {
    let mut packed: Vec<(u128, u32)> = ids
        .iter()
        .enumerate()
        .map(|(at, &id)| {
            let [first, second, _] = key(id);
            let packed = u128::from(first.prefix()) << 64 | u128::from(second.prefix());
            (packed, u32::try_from(at).unwrap_or(u32::MAX))
        })
        .collect();
    let before = ids.to_vec();
    let at = |place: u32| before[place as usize];
    packed.sort_unstable();
    for ties in packed.chunk_by_mut(|a, b| a.0 == b.0) {
        if ties.len() > 1 {
            ties.sort_by(|a, b| {
                compare(&key(at(a.1)), &key(at(b.1)), Dir::Up).then_with(|| at(a.1).cmp(&at(b.1)))
            });
        }
    }
    // A tie in the first prefix may hide a difference that the second prefix decided first.
    fix_first_ties(&mut packed, |place| key(at(place)));
    for (place, &(_, from)) in packed.iter().enumerate() {
        ids[place] = at(from);
    }
    if dir == Dir::Down {
        ids.reverse();
    }
}

/// Where keys of the first column are longer than their prefix, rows with equal prefixes are ordered by the full keys.
fn fix_first_ties<'a>(packed: &mut [(u128, u32)], key: impl Fn(u32) -> RowKey<'a>) {
    for ties in packed.chunk_by_mut(|a, b| a.0 >> 64 == b.0 >> 64) {
        let Some(&(_, first)) = ties.first() else { continue };
        let first = key(first)[0];
        if ties.len() > 1 && !ties.iter().all(|&(_, place)| key(place)[0] == first) {
            ties.sort_by(|a, b| compare(&key(a.1), &key(b.1), Dir::Up));
        }
    }
}

/// Puts the changed ids of an ordered list back in their places: those that are in it are taken out, those that `keep`
/// still wants are merged in.
pub fn repair<'a>(
    ids: &mut Vec<Id>,
    changed: &[Id],
    dir: Dir,
    keep: impl Fn(Id) -> bool,
    key: impl Fn(Id) -> RowKey<'a>,
) {
    let mut marks = Marks::default();
    changed.iter().for_each(|&id| marks.set(id));
    ids.retain(|&id| !marks.has(id));
    let mut fresh: Vec<Id> = changed.iter().copied().filter(|&id| marks.take(id) && keep(id)).collect();
    if fresh.len() * 8 > ids.len() {
        ids.append(&mut fresh);
        sort(ids, dir, key);
        return;
    }
    sort(&mut fresh, dir, &key);
    let order = |a: Id, b: Id| {
        let ids = if dir == Dir::Down { b.cmp(&a) } else { a.cmp(&b) };
        compare(&key(a), &key(b), dir).then(ids)
    };
    // From the back, so that nothing moves twice.
    let mut end = ids.len();
    ids.resize(ids.len() + fresh.len(), Id(0));
    let mut to = ids.len();
    for &id in fresh.iter().rev() {
        let at = ids[..end].partition_point(|&known| order(known, id).is_lt());
        to -= end - at;
        ids.copy_within(at..end, to);
        to -= 1;
        ids[to] = id;
        end = at;
    }
}

/// A set of ids as bits, one run per kind.
#[derive(Default)]
struct Marks(Vec<(crate::records::Kind, Vec<u64>)>);

impl Marks {
    fn bits(&mut self, id: Id) -> &mut Vec<u64> {
        let known = self.0.iter().position(|(kind, _)| *kind == id.kind());
        let at = known.unwrap_or_else(|| {
            self.0.push((id.kind(), Vec::new()));
            self.0.len() - 1
        });
        &mut self.0[at].1
    }

    fn set(&mut self, id: Id) {
        let bits = self.bits(id);
        let word = id.slot() / 64;
        if bits.len() <= word {
            bits.resize(word + 1, 0);
        }
        bits[word] |= 1 << (id.slot() % 64);
    }

    fn has(&self, id: Id) -> bool {
        let run = self.0.iter().find(|(kind, _)| *kind == id.kind());
        run.and_then(|(_, bits)| bits.get(id.slot() / 64))
            .is_some_and(|word| word >> (id.slot() % 64) & 1 == 1)
    }

    /// Removes a mark and says whether it was set.
    fn take(&mut self, id: Id) -> bool {
        let set = self.has(id);
        if set {
            self.bits(id)[id.slot() / 64] &= !(1 << (id.slot() % 64));
        }
        set
    }
}

/// Compares texts with their numbers by value: `a2` before `a10`. Equal only for equal texts.
fn natural(a: &str, b: &str) -> Ordering {
    let (mut left, mut right) = (a.as_bytes(), b.as_bytes());
    loop {
        match (left, right) {
            ([], []) => return a.cmp(b),
            ([], _) => return Ordering::Less,
            (_, []) => return Ordering::Greater,
            ([x, ..], [y, ..]) if x.is_ascii_digit() && y.is_ascii_digit() => {
                let (m, rest_left) = number(left);
                let (n, rest_right) = number(right);
                let order = m.len().cmp(&n.len()).then_with(|| m.cmp(n));
                if order.is_ne() {
                    return order;
                }
                (left, right) = (rest_left, rest_right);
            }
            ([x, rest_left @ ..], [y, rest_right @ ..]) => {
                if x != y {
                    return x.cmp(y);
                }
                (left, right) = (rest_left, rest_right);
            }
        }
    }
}

/// The digits at the start without leading zeros (one stays), and the rest.
fn number(text: &[u8]) -> (&[u8], &[u8]) {
    let end = text.iter().position(|c| !c.is_ascii_digit()).unwrap_or(text.len());
    let (digits, rest) = text.split_at(end);
    let zeros = digits.iter().take_while(|&&c| c == b'0').count().min(digits.len().saturating_sub(1));
    (&digits[zeros..], rest)
}

/// The first eight bytes of a form whose byte order is the natural order: a number becomes the count of its digits and
/// the digits.
fn natural_prefix(text: &str) -> [u8; 8] {
    let mut out = [0; 8];
    let mut at = 0;
    let mut rest = text.as_bytes();
    while let ([first, tail @ ..], true) = (rest, at < 8) {
        if first.is_ascii_digit() {
            let (digits, after) = number(rest);
            // Between '/' and ':', like a digit; longer counts than nine are left to the full comparison.
            out[at] = b'0' + u8::try_from(digits.len().min(9)).unwrap_or(9);
            at += 1;
            if digits.len() >= 9 {
                break;
            }
            for &digit in digits.iter().take(8 - at) {
                out[at] = digit;
                at += 1;
            }
            rest = after;
        } else {
            out[at] = *first;
            at += 1;
            rest = tail;
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::records::Kind;

    #[test]
    fn numbers_in_names_count() {
        let mut names =
            ["a10", "a2", "a1b", "a", "a01", "b", "", "a2c", "10", "9", "a1", "é", "a99999999999999999999"];
        names.sort_by(|a, b| natural(a, b));
        assert_eq!(
            names,
            ["", "9", "10", "a", "a01", "a1", "a1b", "a2", "a2c", "a10", "a99999999999999999999", "b", "é"]
        );
    }

    fn ids(n: usize) -> Vec<Id> {
        (0..n).map(|slot| Id::new(Kind::Vm, slot)).collect()
    }

    proptest! {
        #[test]
        fn a_prefix_never_contradicts_the_comparison(a in "[a-c0-9-]{0,12}", b in "[a-c0-9-]{0,12}") {
            let (x, y) = (SortKey::Text(&a), SortKey::Text(&b));
            prop_assert!(x.prefix().cmp(&y.prefix()).is_eq() || x.prefix().cmp(&y.prefix()) == x.compare(y));
        }

        #[test]
        fn numbers_keep_their_order(a: i64, b: i64) {
            let (x, y) = (SortKey::Number(a), SortKey::Number(b));
            prop_assert!(x.prefix() == y.prefix() || x.prefix().cmp(&y.prefix()) == a.cmp(&b));
        }

        #[test]
        fn sorting_is_what_comparing_says(
            rows in prop::collection::vec(("[ab]{0,10}", "[ab0-9]{1,11}", "[ab]{1,2}"), 0..60), down: bool,
        ) {
            let key = |id: Id| -> RowKey<'_> {
                let (a, b, c) = &rows[id.slot()];
                [SortKey::Text(a), SortKey::Text(b), SortKey::Text(c)]
            };
            let dir = if down { Dir::Down } else { Dir::Up };
            let mut sorted = ids(rows.len());
            sort(&mut sorted, dir, key);
            prop_assert!(sorted.is_sorted_by(|a, b| compare(&key(*a), &key(*b), dir).is_le()));
            let mut all = sorted.clone();
            all.sort();
            prop_assert_eq!(all, ids(rows.len()));
        }

        #[test]
        fn repairing_is_sorting_anew(
            before in prop::collection::vec(0_i64..9, 1..80), changes in prop::collection::vec((0_usize..80, 0_i64..9, any::<bool>()), 0..20),
            down: bool,
        ) {
            let dir = if down { Dir::Down } else { Dir::Up };
            let mut values = before.clone();
            let mut rows = ids(values.len());
            let key = |values: &[i64], id: Id| [SortKey::Number(values[id.slot()]), SortKey::Nothing, SortKey::Nothing];
            sort(&mut rows, dir, |id| key(&values, id));
            let mut gone = Vec::new();
            let mut changed = Vec::new();
            for (slot, value, leaves) in changes {
                let slot = slot % values.len();
                values[slot] = value;
                let id = Id::new(Kind::Vm, slot);
                changed.push(id);
                if leaves { gone.push(id) } else { gone.retain(|other| *other != id) }
            }
            repair(&mut rows, &changed, dir, |id| !gone.contains(&id), |id| key(&values, id));
            let mut anew: Vec<Id> = ids(values.len()).into_iter().filter(|id| !gone.contains(id)).collect();
            sort(&mut anew, dir, |id| key(&values, id));
            prop_assert_eq!(rows, anew);
        }
    }
}
