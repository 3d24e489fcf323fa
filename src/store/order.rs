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

/// Rows are ordered by these, one after the other. It makes the order total but for equal names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Level {
    /// The sorted column.
    Column,
    /// The name.
    Name,
    /// The namespace.
    Namespace,
}

impl Level {
    const ALL: [Self; 3] = [Self::Column, Self::Name, Self::Namespace];
}

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

    /// Whether its prefix tells it apart from every other number.
    fn is_exact(self) -> bool {
        match self {
            SortKey::Nothing => true,
            SortKey::Number(number) => (-LARGE..LARGE).contains(&number),
            SortKey::Text(_) => false,
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
    fn prefix(self) -> u128 {
        match self {
            SortKey::Nothing => 0,
            SortKey::Number(n) => {
                u128::from(1 << 62 | (n.clamp(-LARGE, LARGE) + LARGE).cast_unsigned()) << 64
            }
            SortKey::Text(text) => 1 << 127 | u128::from_be_bytes(natural_prefix(text)) >> 1,
        }
    }
}

/// Orders two rows upwards. Ids make the order total.
fn compare<'a>(a: Id, b: Id, key: &impl Fn(Id, Level) -> SortKey<'a>) -> Ordering {
    let by = |&level: &Level| key(a, level).compare(key(b, level));
    let order = Level::ALL.iter().map(by).find(|order| order.is_ne());
    order.unwrap_or_else(|| a.cmp(&b))
}

/// Sorts `ids`, each of which stands there once, by what `key` says of it.
pub fn sort<'a>(ids: &mut [Id], dir: Dir, key: impl Fn(Id, Level) -> SortKey<'a>) {
    sort_ranking(Ranks::MOST, ids, dir, key);
}

/// The same, where the rows are ranked if their column has at most so many different values.
fn sort_ranking<'a>(most: u16, ids: &mut [Id], dir: Dir, key: impl Fn(Id, Level) -> SortKey<'a>) {
    // Records stand in memory by their ids: read in that order they come at the speed of memory.
    let marks = Marks::of(ids);
    ids.iter_mut().zip(marks.ids()).for_each(|(place, id)| *place = id);
    let keys: Vec<SortKey<'a>> = ids.iter().map(|&id| key(id, Level::Column)).collect();
    let name = |id: Id| key(id, Level::Name).prefix();
    let mut rows: Vec<Packed> = Vec::new();
    match Ranks::of(&keys, most) {
        Some(ranks) => {
            rows.resize(ids.len(), (0, Id(0)));
            let mut ends = ranks.starts();
            for (&id, &rank) in ids.iter().zip(&ranks.of) {
                let end = &mut ends[usize::from(rank)];
                rows[*end] = (name(id), id);
                *end += 1;
            }
            let mut start = 0;
            for end in ends {
                // Servers list by name, so these are nearly in order: a stable sort makes use of that.
                rows[start..end].sort_by_key(|row| row.0);
                tell_apart(&mut rows[start..end], &key);
                start = end;
            }
        }
        None => {
            // What its number does not tell apart goes by the name; names come after the whole of a text only.
            let numbers = keys.iter().all(|key| key.is_exact());
            let pack = |(&id, key): (&Id, &SortKey<'a>)| {
                (key.prefix() | if numbers { name(id) >> 64 } else { 0 }, id)
            };
            rows.extend(ids.iter().zip(&keys).map(pack));
            rows.sort_unstable_by_key(|row| row.0);
            tell_apart(&mut rows, &key);
        }
    }
    for (id, (_, sorted)) in ids.iter_mut().zip(rows) {
        *id = sorted;
    }
    if dir == Dir::Down {
        ids.reverse();
    }
}

/// A row with a number that never contradicts `compare`: equal numbers need the full comparison.
type Packed = (u128, Id);

/// Puts rows with equal numbers in order.
fn tell_apart<'a>(rows: &mut [Packed], key: &impl Fn(Id, Level) -> SortKey<'a>) {
    for ties in rows.chunk_by_mut(|a, b| a.0 == b.0) {
        if ties.len() > 1 {
            ties.sort_unstable_by(|a, b| compare(a.1, b.1, key));
        }
    }
}

/// The rank of each row in a column of few different values, such as namespaces and states.
struct Ranks {
    of: Vec<u16>,
    /// How many ranks there are.
    count: usize,
}

/// A value by identity: texts are the same if they stand in the same place.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
enum Value {
    Nothing,
    Number(i64),
    Text(usize, usize),
}

impl Value {
    fn of(key: SortKey<'_>) -> Self {
        match key {
            SortKey::Nothing => Self::Nothing,
            SortKey::Number(number) => Self::Number(number),
            SortKey::Text(text) => Self::Text(text.as_ptr() as usize, text.len()),
        }
    }
}

impl Ranks {
    /// The most values that are worth ranking.
    const MOST: u16 = 1024;

    /// The rank of each key; none if they have more different values than `most`.
    fn of(keys: &[SortKey<'_>], most: u16) -> Option<Self> {
        let mut known = hashbrown::HashMap::new();
        let mut few: Vec<SortKey<'_>> = Vec::new();
        // First which of the values it is, then its rank.
        let mut ranks = Vec::with_capacity(keys.len());
        let mut last = None;
        for &key in keys {
            let value = Value::of(key);
            let place = match last {
                Some((same, place)) if same == value => place,
                _ => *known.entry(value).or_insert_with(|| {
                    few.push(key);
                    few.len() - 1
                }),
            };
            last = Some((value, place));
            ranks.push(u16::try_from(place).ok().filter(|&place| place < most)?);
        }
        let mut places: Vec<usize> = (0..few.len()).collect();
        places.sort_unstable_by(|&a, &b| few[a].compare(few[b]));
        let mut rank_of = vec![0; few.len()];
        let mut rank = 0;
        for (at, &place) in places.iter().enumerate() {
            // Equal texts may stand in several places.
            rank += u16::from(at > 0 && few[places[at - 1]].compare(few[place]).is_ne());
            rank_of[place] = rank;
        }
        ranks.iter_mut().for_each(|rank| *rank = rank_of[usize::from(*rank)]);
        Some(Self { of: ranks, count: usize::from(rank) + 1 })
    }

    /// Where the rows of each rank begin once those of a rank stand together.
    fn starts(&self) -> Vec<usize> {
        let mut starts = vec![0; self.count];
        self.of.iter().for_each(|&rank| starts[usize::from(rank)] += 1);
        let mut sum = 0;
        for start in &mut starts {
            sum += std::mem::replace(start, sum);
        }
        starts
    }
}

/// Puts the changed ids of an ordered list back in their places: those that `keep` does not want any more go, those that
/// are out of order are taken out, and what is wanted and not there is merged in.
pub fn repair<'a>(
    ids: &mut Vec<Id>,
    changed: &[Id],
    dir: Dir,
    keep: impl Fn(Id) -> bool,
    key: impl Fn(Id, Level) -> SortKey<'a>,
) {
    let mut missing = Marks::of(changed);
    let in_order = |a: Id, b: Id| {
        let order = compare(a, b, &key);
        if dir == Dir::Down { order.is_gt() } else { order.is_lt() }
    };
    let (mut kept, mut next) = (0, 0);
    for at in 0..ids.len() {
        let id = ids[at];
        if missing.has(id) {
            // Most changes are not in the column of the order.
            next = next.max(at + 1);
            while ids.get(next).is_some_and(|&id| missing.has(id)) {
                next += 1;
            }
            let stays = keep(id)
                && (kept == 0 || in_order(ids[kept - 1], id))
                && ids.get(next).is_none_or(|&next| in_order(id, next));
            if !stays {
                continue;
            }
            missing.take(id);
        }
        ids[kept] = id;
        kept += 1;
    }
    ids.truncate(kept);
    let mut fresh: Vec<Id> = changed.iter().copied().filter(|&id| missing.take(id) && keep(id)).collect();
    sort(&mut fresh, dir, &key);
    let before = |known: Id, new: &Fresh<'a>| {
        let order = new.compare(known, &key).reverse();
        if dir == Dir::Down { order.is_gt() } else { order.is_lt() }
    };
    let Some(&first) = fresh.first() else { return };
    if ids.last().is_none_or(|&last| before(last, &Fresh::of(first, &key))) {
        ids.append(&mut fresh);
        return;
    }
    if fresh.len() * 8 > ids.len() {
        ids.append(&mut fresh);
        sort(ids, dir, key);
        return;
    }
    let mut places = vec![0; fresh.len()];
    find_places(ids, 0, &fresh, &mut places, &before, &key);
    // From the back, so that nothing moves twice.
    let mut end = ids.len();
    ids.resize(ids.len() + fresh.len(), Id(0));
    let mut to = ids.len();
    for (&id, &at) in fresh.iter().zip(&places).rev() {
        to -= end - at;
        ids.copy_within(at..end, to);
        to -= 1;
        ids[to] = id;
        end = at;
    }
}

/// A row whose place is looked for, with its keys.
struct Fresh<'a> {
    id: Id,
    keys: [SortKey<'a>; Level::ALL.len()],
}

impl<'a> Fresh<'a> {
    fn of(id: Id, key: &impl Fn(Id, Level) -> SortKey<'a>) -> Self {
        Self { id, keys: Level::ALL.map(|level| key(id, level)) }
    }

    /// How this row is to another one, upwards. No more keys of that one are read than it takes.
    fn compare(&self, other: Id, key: &impl Fn(Id, Level) -> SortKey<'a>) -> Ordering {
        let keys = self.keys.iter().zip(Level::ALL);
        let order = keys.map(|(own, level)| own.compare(key(other, level))).find(|order| order.is_ne());
        order.unwrap_or_else(|| self.id.cmp(&other))
    }
}

/// Where each of `fresh` belongs in `ids`, the first of which has the place `base`. The one in the middle is looked for
/// first: it halves the range of all others.
fn find_places<'a>(
    ids: &[Id],
    base: usize,
    fresh: &[Id],
    places: &mut [usize],
    before: &impl Fn(Id, &Fresh<'a>) -> bool,
    key: &impl Fn(Id, Level) -> SortKey<'a>,
) {
    let middle = fresh.len() / 2;
    let Some(&id) = fresh.get(middle) else { return };
    let new = Fresh::of(id, key);
    let at = ids.partition_point(|&known| before(known, &new));
    places[middle] = base + at;
    find_places(&ids[..at], base, &fresh[..middle], &mut places[..middle], before, key);
    find_places(&ids[at..], base + at, &fresh[middle + 1..], &mut places[middle + 1..], before, key);
}

/// A set of ids as bits, one run per kind.
#[derive(Clone, Debug, Default)]
pub struct Marks(Vec<(crate::records::Kind, Vec<u64>)>);

impl Marks {
    /// These ids.
    pub fn of(ids: &[Id]) -> Self {
        let mut marks = Self::default();
        ids.iter().for_each(|&id| marks.set(id));
        marks
    }

    /// All ids, those of a kind by their slots.
    pub fn ids(&self) -> impl Iterator<Item = Id> {
        self.0.iter().flat_map(|&(kind, ref words)| {
            words.iter().enumerate().flat_map(move |(at, &word)| {
                let mut rest = word;
                std::iter::from_fn(move || {
                    let bit = rest.trailing_zeros() as usize;
                    rest &= rest.checked_sub(1)?;
                    Some(Id::new(kind, at * 64 + bit))
                })
            })
        })
    }

    fn bits(&mut self, id: Id) -> &mut Vec<u64> {
        let known = self.0.iter().position(|(kind, _)| *kind == id.kind());
        let at = known.unwrap_or_else(|| {
            self.0.push((id.kind(), Vec::new()));
            self.0.len() - 1
        });
        &mut self.0[at].1
    }

    /// Adds an id.
    pub fn set(&mut self, id: Id) {
        let bits = self.bits(id);
        let word = id.slot() / 64;
        if bits.len() <= word {
            bits.resize(word + 1, 0);
        }
        bits[word] |= 1 << (id.slot() % 64);
    }

    /// Whether an id was added.
    pub fn has(&self, id: Id) -> bool {
        let run = self.0.iter().find(|(kind, _)| *kind == id.kind());
        run.and_then(|(_, bits)| bits.get(id.slot() / 64))
            .is_some_and(|word| word >> (id.slot() % 64) & 1 == 1)
    }

    /// Removes an id and says whether it was there.
    pub fn take(&mut self, id: Id) -> bool {
        let set = self.has(id);
        if set {
            self.bits(id)[id.slot() / 64] &= !(1 << (id.slot() % 64));
        }
        set
    }
}

/// Compares texts with their numbers by value: `a2` before `a10`. Equal only for equal texts.
pub fn natural(a: &str, b: &str) -> Ordering {
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

const PREFIX: usize = 16;

/// The first sixteen bytes of a form whose byte order is the natural order: a number becomes the count of its digits and
/// the digits.
fn natural_prefix(text: &str) -> [u8; PREFIX] {
    let mut out = [0; PREFIX];
    let mut at = 0;
    let mut rest = text.as_bytes();
    while let ([first, tail @ ..], true) = (rest, at < PREFIX) {
        if first.is_ascii_digit() {
            let (digits, after) = number(rest);
            // Between '/' and ':', like a digit; longer counts than nine are left to the full comparison.
            out[at] = b'0' + u8::try_from(digits.len().min(9)).unwrap_or(9);
            at += 1;
            if digits.len() >= 9 {
                break;
            }
            for &digit in digits.iter().take(PREFIX - at) {
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
            rows in prop::collection::vec(("[ab]{0,10}", "[ab0-9]{1,11}", "[ab]{1,2}"), 0..60),
            down: bool, ranks: bool, numbers: bool,
        ) {
            let key = |id: Id, level: Level| {
                let (a, b, c) = &rows[id.slot()];
                SortKey::Text(match level {
                    Level::Column if numbers => return SortKey::Number(a.len() as i64),
                    Level::Column => a,
                    Level::Name => b,
                    Level::Namespace => c,
                })
            };
            let dir = if down { Dir::Down } else { Dir::Up };
            let mut sorted = ids(rows.len());
            sort_ranking(if ranks { Ranks::MOST } else { 0 }, &mut sorted, dir, key);
            let in_order = |a: &Id, b: &Id| {
                let order = compare(*a, *b, &key);
                if down { order.is_ge() } else { order.is_le() }
            };
            prop_assert!(sorted.is_sorted_by(in_order));
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
            let key = |values: &[i64], id: Id, level| match level {
                Level::Column => SortKey::Number(values[id.slot()]),
                Level::Name | Level::Namespace => SortKey::Nothing,
            };
            sort(&mut rows, dir, |id, level| key(&values, id, level));
            let mut gone = Vec::new();
            let mut changed = Vec::new();
            for (slot, value, leaves) in changes {
                let slot = slot % values.len();
                values[slot] = value;
                let id = Id::new(Kind::Vm, slot);
                changed.push(id);
                if leaves { gone.push(id) } else { gone.retain(|other| *other != id) }
            }
            repair(&mut rows, &changed, dir, |id| !gone.contains(&id), |id, level| key(&values, id, level));
            let mut anew: Vec<Id> = ids(values.len()).into_iter().filter(|id| !gone.contains(id)).collect();
            sort(&mut anew, dir, |id, level| key(&values, id, level));
            prop_assert_eq!(rows, anew);
        }
    }
}
