//! Records by UID, what they are parts of, how fresh they are, and their states. Pure: no client, no clock.
//!
//! Feeds send [`Batch`]es, [`Store::apply`] takes them in and says which rows were *touched*: the changed ones and, along
//! the links from part to whole, everything that may look different because of them. That one rule serves every view.

mod at;
mod feeds;
mod groups;
mod index;
mod links;
mod order;
mod partners;
pub mod recording;
mod state;
mod table;
mod text_index;

use crate::model::{Key, Now, Time, Uid, Word};
use crate::records::{Kind, Meta, Records, TableColumns};
use crate::with_kinds;

pub use at::{At, Part, Row};
pub use feeds::{Coverage, FeedId, FeedPlan, Freshness, Namespaces, Scope, Selection, Summary};
pub use order::{Dir, Level, Marks, SortKey, natural, repair, sort};
pub use state::{CauseId, Health, State, StateFn};
pub use table::Stored;
pub use text_index::TextIndex;

use feeds::{Feeds, Missing, Stamp};
use groups::Groups;
use index::Index;
use links::Links;
use state::States;
use table::Tables;

/// The place of a record in the store: its kind and the slot in that kind's table. Good until the record goes; across
/// batches use the UID.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Id(u32);

impl Id {
    const SLOT_BITS: u32 = 26;
    /// The most records of one kind: 67 million.
    const SLOTS: usize = 1 << Self::SLOT_BITS;

    fn new(kind: Kind, slot: usize) -> Self {
        debug_assert!(slot < Self::SLOTS);
        #[expect(clippy::cast_possible_truncation, reason = "tables refuse to grow beyond SLOTS")]
        Self((kind as u32) << Self::SLOT_BITS | slot as u32)
    }

    /// The kind of the record.
    pub fn kind(self) -> Kind {
        Kind::ALL[(self.0 >> Self::SLOT_BITS) as usize]
    }

    /// The slot in the table of its kind.
    pub fn slot(self) -> usize {
        (self.0 & ((1 << Self::SLOT_BITS) - 1)) as usize
    }
}

impl std::fmt::Debug for Id {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:?}#{}", self.kind(), self.slot())
    }
}

/// What a feed has to say: at most a few hundred records, and where it stands.
#[derive(Debug)]
pub struct Batch {
    /// Who says it.
    pub feed: FeedId,
    /// Which list of this feed it belongs to: each new list starts a round, and what a round has not seen by its end is gone.
    pub round: u8,
    /// New and changed records.
    pub records: Records,
    /// Records that went.
    pub gone: Vec<Uid>,
    /// Where the feed stands now, if that changed.
    pub freshness: Option<Freshness>,
    /// How many records are still to come, where the server says so.
    pub remaining: Option<usize>,
    /// The columns of a server's table.
    pub columns: Option<TableColumns>,
}

impl Batch {
    /// A batch of records and nothing else.
    pub fn of(feed: FeedId, round: u8, records: impl Into<Records>) -> Self {
        Self {
            feed,
            round,
            records: records.into(),
            gone: Vec::new(),
            freshness: None,
            remaining: None,
            columns: None,
        }
    }

    /// The same with a new standing of the feed.
    pub fn and(mut self, freshness: Freshness) -> Self {
        self.freshness = Some(freshness);
        self
    }
}

/// Room that is kept from one batch for the next, in records.
const SCRATCH: usize = 64;

/// Rows that may look different after a batch.
#[derive(Debug, Default)]
pub struct Touched {
    /// The rows; one may stand there more than once.
    pub ids: Vec<Id>,
    /// Whether a kind has just become known, so that rows anywhere may read differently.
    pub all: bool,
}

impl Touched {
    /// Empties it for the next turn.
    pub fn clear(&mut self) {
        self.ids.clear();
        self.all = false;
    }
}

/// Everything that is known of one cluster.
#[derive(Debug)]
pub struct Store {
    tables: Tables,
    index: Index,
    links: Links,
    groups: Groups,
    feeds: Feeds,
    states: States,
    /// Records that look different because of changed ones in other ways than as their wholes, until the batch is over.
    also_touched: Vec<Id>,
    columns: Option<TableColumns>,
}

impl Store {
    /// An empty store whose states are made by `functions`.
    pub fn new(functions: &'static [(Kind, StateFn)]) -> Self {
        Self {
            tables: Tables::default(),
            index: Index::default(),
            links: Links::default(),
            groups: Groups::default(),
            feeds: Feeds::default(),
            states: States::new(functions),
            also_touched: Vec::new(),
            columns: None,
        }
    }

    // ---- reading

    /// The record at `id`, if it is there and of this type.
    pub fn get<R: Stored>(&self, id: Id) -> Option<&R>
    where
        Records: From<Vec<R>>,
    {
        self.tables.get(id)
    }

    /// What every object has, of the record at `id`.
    pub fn meta(&self, id: Id) -> Option<&Meta> {
        self.tables.meta(id)
    }

    /// The place of the object with this UID. The row of a server's table is found only if there is no record of it.
    pub fn find(&self, uid: Uid) -> Option<Id> {
        self.find_key(Key::uid(uid)).or_else(|| self.find_of(Kind::Other, uid))
    }

    /// The place of the object with this UID among those of a kind.
    pub fn find_of(&self, kind: Kind, uid: Uid) -> Option<Id> {
        self.index.uid(&self.tables, kind, uid)
    }

    /// The place of the object with this key.
    pub fn find_key(&self, key: Key) -> Option<Id> {
        self.index.key(&self.tables, key)
    }

    /// Every record of a kind, in no order.
    pub fn ids(&self, kind: Kind) -> Vec<Id> {
        self.tables.ids(kind).into_iter().map(|(id, _)| id).collect()
    }

    /// How many records of a kind there are.
    pub fn len(&self, kind: Kind) -> usize {
        self.tables.len(kind)
    }

    /// Whether there is none of a kind.
    pub fn is_empty(&self, kind: Kind) -> bool {
        self.len(kind) == 0
    }

    /// What the record is a part of.
    pub fn wholes(&self, part: Id) -> impl Iterator<Item = Id> + '_ {
        self.links.wholes(part)
    }

    /// The parts of the record.
    pub fn parts(&self, whole: Id) -> impl Iterator<Item = Id> + '_ {
        self.links.parts(whole)
    }

    /// Whether `part` says of itself that `whole` owns it.
    pub fn owns(&self, whole: Id, part: Id) -> bool {
        let owner = self.meta(whole).map(|meta| Key::uid(meta.uid));
        self.meta(part).is_some_and(|meta| meta.owners().any(|key| Some(key) == owner))
    }

    /// What the record is a part of, directly or by way of others, the nearest first: all of it, but for a hostile number.
    pub fn above(&self, id: Id) -> Vec<Id> {
        groups::closure(id, |id| self.wholes(id))
    }

    /// What is a part of the record, directly or by way of others, the nearest first: all of it, but for a hostile number.
    pub fn below(&self, id: Id) -> Vec<Id> {
        groups::closure(id, |id| self.parts(id))
    }

    /// The same by way of parts of some kinds only.
    pub fn below_through(&self, id: Id, leads: impl Fn(Kind) -> bool) -> Vec<Id> {
        groups::closure(id, |id| self.parts(id).filter(|part| leads(part.kind())))
    }

    /// The records of a kind that the record at `id` sums up ([`member_of`](crate::records::Record::member_of)), in the order of their places.
    pub fn members(&self, kind: Kind, id: Id) -> &[Id] {
        let Some(key) = self.tables.key(id) else { return &[] };
        self.groups.members(kind, key, || self.tables.members(kind))
    }

    /// The state of the record: kept for the kinds on screen, made anew for others.
    pub fn state(&self, id: Id, now: Now) -> State {
        let made = || self.states.function(id.kind()).map(|function| function(self, id, now));
        self.states.get(id).or_else(made).unwrap_or_default()
    }

    /// Whether all records of a kind in a namespace are known.
    pub fn known(&self, kind: Kind, namespace: Word) -> Part<()> {
        match self.feeds.missing(kind, namespace) {
            Missing::None => Part::Here(()),
            Missing::Loading => Part::Loading,
            Missing::Denied => Part::Denied,
        }
    }

    /// The columns of the server's table whose rows are kept as [`Kind::Other`].
    pub fn columns(&self) -> Option<&TableColumns> {
        self.columns.as_ref()
    }

    /// Where all feeds of a kind stand together.
    pub fn freshness(&self, kind: Kind) -> Summary {
        self.feeds.summary(kind)
    }

    /// What is asked for of a kind.
    pub fn coverage(&self, kind: Kind) -> Option<&Coverage> {
        self.feeds.coverage(kind)
    }

    /// The requests of a kind that are refused, by namespace (nothing is all of them at once), with why.
    pub fn refused(&self, kind: Kind) -> impl Iterator<Item = (Option<Word>, &str)> + '_ {
        self.feeds.refused(kind)
    }

    // ---- feeds

    /// Asks for more or less of a kind: a new generation of feeds, which takes the rows over. Gives the feeds to start.
    pub fn cover(&mut self, kind: Kind, coverage: Coverage, touched: &mut Touched) -> Vec<FeedPlan> {
        let other_table = |old: &Coverage| {
            matches!(old.selection, Selection::Table(_)) && old.selection != coverage.selection
        };
        if self.feeds.coverage(kind).is_some_and(other_table) {
            // Rows of another resource are no rows of this one, neither old ones nor what its feeds still bring.
            self.feeds.end(kind);
            self.drop_rows(kind, touched);
            self.columns = None;
        }
        self.feeds.cover(kind, coverage)
    }

    /// Forgets these kinds, and ends their feeds.
    pub fn forget(&mut self, kinds: &[Kind], now: Now, touched: &mut Touched) {
        let from = touched.ids.len();
        let mut reads_differently = false;
        for &kind in kinds {
            reads_differently |= self.feeds.end(kind);
            self.drop_rows(kind, touched);
            self.tables.shrink(kind);
        }
        if reads_differently {
            self.refresh_all(now);
        }
        self.settle(from, now, touched);
    }

    fn drop_rows(&mut self, kind: Kind, touched: &mut Touched) {
        for (id, _) in self.tables.ids(kind) {
            self.remove(id, &mut touched.ids);
        }
        touched.all = true;
    }

    /// Feeds of which nothing is wanted any more since the last call: to be ended.
    pub fn take_ended(&mut self) -> Vec<FeedId> {
        self.feeds.take_ended()
    }

    /// Begins to keep the states of these kinds, which are on screen now, and of no others.
    pub fn keep_states(&mut self, kinds: &[Kind], now: Now) {
        let before = self.states.kinds();
        self.states.keep(kinds);
        for kind in self.states.kinds() {
            if !before.contains(&kind) {
                self.states.reserve(kind, self.tables.len(kind));
                self.refresh(kind, now);
            }
        }
    }

    fn refresh(&mut self, kind: Kind, now: Now) {
        let Some(function) = self.states.function(kind) else { return };
        for (id, _) in self.tables.ids(kind) {
            let state = function(self, id, now);
            self.states.set(id, state);
        }
    }

    fn refresh_all(&mut self, now: Now) {
        for kept in self.states.kinds() {
            self.refresh(kept, now);
        }
    }

    /// Makes the state of a record anew, if it is kept.
    fn remake(&mut self, id: Id, now: Now) {
        let function = self.states.function(id.kind()).filter(|_| self.states.keeps(id.kind()));
        let Some(function) = function else { return };
        let state = function(self, id, now);
        // What is due by now would be due again and again.
        let recheck = state.recheck.filter(|at| at.seconds() > now.wall);
        self.states.set(id, State { recheck, ..state });
    }

    /// Adds to `touched` what looks different because of its entries from `from` on, and makes the states of all these anew.
    fn settle(&mut self, from: usize, now: Now, touched: &mut Touched) {
        touched.ids.append(&mut self.also_touched);
        self.also_touched.shrink_to(SCRATCH);
        self.links.spread(&mut touched.ids, from);
        for &id in &touched.ids[from..] {
            self.remake(id, now);
        }
    }

    /// When a kept state reads differently although nothing happens; then comes [`Store::recheck`].
    pub fn next_recheck(&self) -> Option<Time> {
        self.states.next_recheck()
    }

    /// Makes the states anew whose time has come, and adds to `touched` every record that may look different now.
    pub fn recheck(&mut self, now: Now, touched: &mut Touched) {
        let Some(time) = Time::from_seconds(now.wall) else { return };
        let from = touched.ids.len();
        while let Some(id) = self.states.take_due(time) {
            self.remake(id, now);
            touched.ids.push(id);
        }
        // A whole may have been due before the parts whose states it reads.
        self.settle(from, now, touched);
    }

    // ---- changes

    /// Takes a batch in and adds to `touched` every record that may look different now.
    pub fn apply(&mut self, batch: Batch, now: Now, touched: &mut Touched) {
        let from = touched.ids.len();
        let kind = batch.records.kind();
        let Some(stamp) = self.feeds.stamp(batch.feed, kind, batch.round) else { return };
        if batch.columns.is_some() {
            self.columns = batch.columns;
            touched.all = true;
        }
        if let Some(remaining) = batch.remaining {
            self.reserve(kind, remaining + batch.records.len());
        }
        self.take_in(batch.records, stamp, &mut touched.ids);
        for uid in batch.gone {
            let known = self.find_of(kind, uid);
            // Another feed of this kind has seen it since: it is still there.
            if let Some(id) =
                known.filter(|&id| self.tables.stamp(id).is_some_and(|last| last.feed == stamp.feed))
            {
                self.remove(id, &mut touched.ids);
            }
        }
        if let Some(freshness) = batch.freshness {
            let sweep = self.feeds.set(kind, batch.feed, freshness);
            if sweep.wanted() {
                for (id, last) in self.tables.ids(kind) {
                    if sweep.takes(last) {
                        self.remove(id, &mut touched.ids);
                    }
                }
            }
            if sweep.reads_differently {
                self.tables.shrink(kind);
                self.links.shrink();
                touched.all = true;
                self.refresh_all(now);
            }
        }
        self.settle(from, now, touched);
    }

    fn reserve(&mut self, kind: Kind, more: usize) {
        // A hostile server can say any number.
        let more = more.min(1 << 20);
        self.tables.reserve(kind, more);
        self.links.reserve(kind, more);
        self.states.reserve(kind, more);
        self.index.reserve(&self.tables, more);
    }

    fn take_in(&mut self, records: Records, stamp: Stamp, touched: &mut Vec<Id>) {
        macro_rules! each {
            ([] $($kind:ident),* $(,)?) => {
                match records { $(Records::$kind(records) => self.upsert_all(records, stamp, touched)),* }
            };
        }
        with_kinds!(each);
    }

    fn upsert_all<R: Stored>(&mut self, records: Vec<R>, stamp: Stamp, touched: &mut Vec<Id>)
    where
        Records: From<Vec<R>>,
    {
        for record in records {
            let id = match self.find_of(R::KIND, record.meta().uid) {
                Some(id) => self.update(id, record, stamp),
                None => self.insert(record, stamp),
            };
            touched.extend(id);
        }
    }

    fn update<R: Stored>(&mut self, id: Id, record: R, stamp: Stamp) -> Option<Id>
    where
        Records: From<Vec<R>>,
    {
        let table = R::table_mut(&mut self.tables);
        let old = table.stamp(id.slot())?;
        let unchanged = table.get(id.slot()).is_some_and(|known| *known == record);
        if old != stamp && self.feeds.restamps(R::KIND, old, stamp) {
            table.set_stamp(id.slot(), stamp);
        }
        if unchanged {
            return None;
        }
        let groups = [table.get(id.slot()).map_or([None; 2], table::groups_of), table::groups_of(&record)];
        let (mut before, mut after) = (Vec::new(), Vec::new());
        table::targets_of(&record, &mut after);
        if let Some(old) = R::table_mut(&mut self.tables).replace(id.slot(), record) {
            table::targets_of(&old, &mut before);
        }
        if before != after {
            before.iter().for_each(|target| self.links.stop_waiting(target.key, id));
            self.links.cut_own(id);
            // Those that it no longer names are parts of nothing now.
            let freed = before.iter().filter(|target| !target.whole);
            let freed: Vec<Id> = freed.filter_map(|target| self.find_key(target.key)).collect();
            self.also_touched.extend(freed);
            self.link(id, &after);
        }
        self.touch_groups(R::KIND, groups, groups[0] != groups[1]);
        Some(id)
    }

    /// Notes that records which sum up this kind may look different.
    fn touch_groups(&mut self, kind: Kind, groups: [table::GroupKeys; 2], moved: bool) {
        if moved {
            self.groups.forget(kind);
        }
        for key in groups.into_iter().flatten().flatten() {
            self.also_touched.extend(self.find_key(key));
        }
    }

    fn insert<R: Stored>(&mut self, record: R, stamp: Stamp) -> Option<Id>
    where
        Records: From<Vec<R>>,
    {
        let mut targets = Vec::new();
        table::targets_of(&record, &mut targets);
        let keys = [Key::uid(record.meta().uid), record.key()];
        let groups = table::groups_of(&record);
        let slot = R::table_mut(&mut self.tables).insert(record, stamp)?;
        let id = Id::new(R::KIND, slot);
        self.index.insert(&self.tables, id);
        self.touch_groups(R::KIND, [groups, [None; 2]], true);
        self.link(id, &targets);
        for key in keys {
            for waiting in self.links.waiting_for(key) {
                self.relink(waiting);
                // Being a part of something may decide whether a record is a row.
                self.also_touched.push(waiting);
            }
        }
        Some(id)
    }

    /// Links a record to those targets that are there; it waits for the others.
    fn link(&mut self, id: Id, targets: &[table::Target]) {
        for target in targets {
            match self.find_key(target.key) {
                Some(other) if target.whole => self.links.link(id, other, false),
                Some(other) => {
                    self.links.link(other, id, true);
                    self.also_touched.push(other);
                }
                None => self.links.wait(target.key, id),
            }
        }
    }

    fn relink(&mut self, id: Id) {
        let mut targets = Vec::new();
        self.tables.targets(id, &mut targets);
        targets.iter().for_each(|target| self.links.stop_waiting(target.key, id));
        self.links.cut_own(id);
        self.link(id, &targets);
    }

    /// Removes a record; what it was a part of and its own parts are touched, and who had named it waits for it again.
    fn remove(&mut self, id: Id, touched: &mut Vec<Id>) {
        let mut targets = Vec::new();
        self.tables.targets(id, &mut targets);
        targets.iter().for_each(|target| self.links.stop_waiting(target.key, id));
        touched.push(id);
        touched.extend(self.links.wholes(id));
        touched.extend(self.links.parts(id));
        let groups = self.tables.groups_of(id);
        self.touch_groups(id.kind(), [groups, [None; 2]], true);
        self.index.remove(&self.tables, id);
        let askers = self.links.cut_all(id);
        self.tables.remove(id);
        for asker in askers {
            self.relink(asker);
            touched.push(asker);
        }
    }
}

#[cfg(test)]
mod tests;
