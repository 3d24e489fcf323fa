//! Which feeds fill which kind, and how fresh what they said is.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Instant;

use crate::model::Word;
use crate::records::Kind;

/// The number of a feed, never used twice in a store.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FeedId(pub u32);

/// Who said last that a record exists: feed and round.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Stamp {
    pub feed: FeedId,
    pub round: u8,
}

/// What one feed asks the server for.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Scope {
    /// The one namespace, or all of them (or a kind that has none).
    pub namespace: Option<Word>,
    /// A label selector.
    pub selector: Option<Arc<str>>,
    /// A field selector.
    pub fields: Option<&'static str>,
}

/// Of which namespaces the records of a kind are wanted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Namespaces {
    /// All, by one cluster-wide request.
    All,
    /// These, by one request each.
    Only(BTreeSet<Word>),
}

/// Which records of a kind are wanted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Selection {
    /// Those that belong to virtual machines (`KindInfo::partners`).
    Partners,
    /// Of those only what tells of trouble, of kinds that can be asked for that; [`Selection::beside`] makes it.
    Trouble,
    /// All.
    All,
    /// The rows of the server's own table of this resource.
    Table(Arc<str>),
}

/// Kinds of which a list needs only what tells of trouble, and the field selector that finds it. None of them has selectors of
/// partners.
const TROUBLES: &[(Kind, &str)] = &[(Kind::Event, "type=Warning")];

/// The field selector that finds what of a kind tells of trouble.
fn troubles(kind: Kind) -> Option<&'static str> {
    TROUBLES.iter().find(|(of, _)| *of == kind).map(|(_, fields)| *fields)
}

impl Selection {
    /// What is wanted of a kind beside the rows of a list.
    pub fn beside(kind: Kind) -> Self {
        if troubles(kind).is_some() { Self::Trouble } else { Self::Partners }
    }

    /// Whether it asks for all that `other` asks for.
    fn includes(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::All, Self::All | Self::Partners | Self::Trouble) | (Self::Partners, Self::Trouble) => true,
            (ours, theirs) => ours == theirs,
        }
    }

    /// The wider one of two.
    pub fn or(self, other: &Self) -> Self {
        if other.includes(&self) { other.clone() } else { self }
    }
}

/// What of a kind is wanted; one per kind at a time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Coverage {
    /// Of which namespaces.
    pub namespaces: Namespaces,
    /// Which records.
    pub selection: Selection,
}

impl Coverage {
    /// Everything of a kind in these namespaces.
    pub fn all(namespaces: Namespaces) -> Self {
        Self { namespaces, selection: Selection::All }
    }

    /// The requests that fetch it.
    pub fn scopes(&self, kind: Kind) -> Vec<Scope> {
        let info = kind.info();
        let namespaces: Vec<Option<Word>> = match &self.namespaces {
            Namespaces::Only(names) if info.namespaced => names.iter().copied().map(Some).collect(),
            _ => vec![None],
        };
        let selectors: Vec<Option<Arc<str>>> = match self.selection {
            Selection::Partners if !info.partners.is_empty() => {
                info.partners.iter().map(|&selector| Some(selector.into())).collect()
            }
            _ => vec![None],
        };
        let fields = troubles(kind).filter(|_| self.selection == Selection::Trouble);
        namespaces
            .iter()
            .flat_map(|&namespace| selectors.iter().map(move |selector| (namespace, selector.clone())))
            .map(|(namespace, selector)| Scope { namespace, selector, fields })
            .collect()
    }

    /// Whether it asks for all that `other` asks for.
    pub fn includes(&self, other: &Self) -> bool {
        let namespaces = match (&self.namespaces, &other.namespaces) {
            (Namespaces::All, _) => true,
            (Namespaces::Only(ours), Namespaces::Only(theirs)) => theirs.is_subset(ours),
            (Namespaces::Only(_), Namespaces::All) => false,
        };
        namespaces && self.selection.includes(&other.selection)
    }
}

/// Where a feed stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Freshness {
    /// Asked, nothing heard yet; or listing, with how many records so far.
    Syncing {
        /// Records so far.
        seen: usize,
    },
    /// Complete, and told of every change.
    Live,
    /// Was complete; changes since then are not known.
    Stale {
        /// Since when.
        since: Instant,
        /// Why, in one sentence.
        why: Arc<str>,
    },
    /// The user may not list this.
    Denied {
        /// Which right is missing, in one sentence.
        why: Arc<str>,
    },
    /// The server does not have the kind.
    Absent,
}

/// A feed to start.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FeedPlan {
    /// Its number.
    pub id: FeedId,
    /// What it brings.
    pub kind: Kind,
    /// What to ask for.
    pub scope: Scope,
    /// The resource whose table is wanted, for `Kind::Other`.
    pub table: Option<Arc<str>>,
}

/// Where all feeds of a kind stand together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Summary {
    /// Nobody asked for it.
    Unasked,
    /// At least one list is not complete.
    Syncing {
        /// Records so far.
        seen: usize,
    },
    /// All live.
    Live,
    /// The one that has been stale longest.
    Stale {
        /// Since when.
        since: Instant,
        /// Why.
        why: Arc<str>,
    },
    /// Nothing of it may be listed.
    Denied {
        /// Which right is missing.
        why: Arc<str>,
    },
    /// The server does not have the kind.
    Absent,
}

#[derive(Debug)]
struct Feed {
    id: FeedId,
    scope: Scope,
    generation: u32,
    round: u8,
    /// Whether some list of it was complete once.
    complete: bool,
    /// Whether the list of this round was.
    complete_round: bool,
    freshness: Freshness,
}

impl Feed {
    /// What it means that a record which it covers is not in the store.
    fn missing(&self) -> Missing {
        match (&self.freshness, self.complete) {
            (_, true) | (Freshness::Absent, _) => Missing::None,
            (Freshness::Denied { .. }, _) => Missing::Denied,
            _ => Missing::Loading,
        }
    }

    /// Whether nothing more can be expected before its rows may be judged.
    fn settled(&self) -> bool {
        self.missing() != Missing::Loading
    }
}

#[derive(Debug, Default)]
struct OfKind {
    coverage: Option<Coverage>,
    generation: u32,
    feeds: Vec<Feed>,
}

impl OfKind {
    /// What the feeds of one generation know of a record that is not in the store.
    fn missing(&self, generation: u32, namespace: Word) -> Missing {
        let covers = |feed: &&Feed| {
            let here = |only: Word| only == namespace || namespace.is_empty();
            feed.generation == generation && feed.scope.namespace.is_none_or(here)
        };
        let mut covering = self.feeds.iter().filter(covers).peekable();
        if covering.peek().is_none() {
            return Missing::Loading;
        }
        let mut worst = Missing::None;
        for feed in covering {
            match feed.missing() {
                Missing::None => {}
                Missing::Denied => worst = Missing::Denied,
                Missing::Loading => return Missing::Loading,
            }
        }
        worst
    }
}

/// What may be removed after a feed has spoken.
#[derive(Debug, Default)]
pub(super) struct Sweep {
    /// Rows of this feed that the round which has just ended did not see.
    round: Option<Stamp>,
    /// Rows of feeds that ended because a newer generation is complete.
    ended: Vec<FeedId>,
    /// Whether partners of this kind read differently now.
    pub reads_differently: bool,
}

impl Sweep {
    pub(super) fn wanted(&self) -> bool {
        self.round.is_some() || !self.ended.is_empty()
    }

    pub(super) fn takes(&self, stamp: Stamp) -> bool {
        self.round.is_some_and(|ended| stamp.feed == ended.feed && stamp.round != ended.round)
            || self.ended.contains(&stamp.feed)
    }
}

/// All feeds of the store.
#[derive(Debug, Default)]
pub(super) struct Feeds {
    kinds: Vec<OfKind>,
    next: u32,
    ended: Vec<FeedId>,
}

/// What is known of a partner that is not in the store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Missing {
    /// It does not exist.
    None,
    /// Its list has not come yet.
    Loading,
    /// It may not be read.
    Denied,
}

impl Feeds {
    fn of_mut(&mut self, kind: Kind) -> &mut OfKind {
        if self.kinds.is_empty() {
            self.kinds.resize_with(Kind::ALL.len(), OfKind::default);
        }
        &mut self.kinds[kind as usize]
    }

    fn of(&self, kind: Kind) -> Option<&OfKind> {
        self.kinds.get(kind as usize)
    }

    /// Starts a generation of feeds for a kind. Feeds of the one before go on until the new one is complete.
    pub(super) fn cover(&mut self, kind: Kind, coverage: Coverage) -> Vec<FeedPlan> {
        let mut next = self.next;
        let of = self.of_mut(kind);
        of.generation += 1;
        let table = match &coverage.selection {
            Selection::Table(resource) => Some(resource.clone()),
            _ => None,
        };
        let plans: Vec<FeedPlan> = coverage
            .scopes(kind)
            .into_iter()
            .map(|scope| {
                next += 1;
                FeedPlan { id: FeedId(next), kind, scope, table: table.clone() }
            })
            .collect();
        of.feeds.extend(plans.iter().map(|plan| Feed {
            id: plan.id,
            scope: plan.scope.clone(),
            generation: of.generation,
            round: 0,
            complete: false,
            complete_round: false,
            freshness: Freshness::Syncing { seen: 0 },
        }));
        of.coverage = Some(coverage);
        self.next = next;
        plans
    }

    pub(super) fn coverage(&self, kind: Kind) -> Option<&Coverage> {
        self.of(kind).and_then(|of| of.coverage.as_ref())
    }

    /// Ends all feeds of a kind. Says whether partners of this kind read differently now.
    pub(super) fn end(&mut self, kind: Kind) -> bool {
        let of = self.of_mut(kind);
        of.coverage = None;
        let feeds = std::mem::take(&mut of.feeds);
        self.ended.extend(feeds.iter().map(|feed| feed.id));
        feeds.iter().any(Feed::settled)
    }

    /// Feeds that ended since the last call: those of a kind that is not wanted, those that a newer generation took over from.
    pub(super) fn take_ended(&mut self) -> Vec<FeedId> {
        std::mem::take(&mut self.ended)
    }

    /// The stamp for what a feed says now; `None` if nobody waits for that feed any more.
    pub(super) fn stamp(&mut self, id: FeedId, kind: Kind, round: u8) -> Option<Stamp> {
        let feed = self.of_mut(kind).feeds.iter_mut().find(|feed| feed.id == id)?;
        if feed.round != round {
            feed.round = round;
            feed.complete_round = false;
        }
        Some(Stamp { feed: id, round })
    }

    /// Whether a record with the old stamp gets the new one: feeds of an older generation do not take rows back.
    pub(super) fn restamps(&self, kind: Kind, old: Stamp, new: Stamp) -> bool {
        let generation = |stamp: Stamp| {
            let feeds = self.of(kind).map_or(&[][..], |of| &of.feeds);
            feeds.iter().find(|feed| feed.id == stamp.feed).map(|feed| feed.generation)
        };
        generation(old) <= generation(new)
    }

    /// Notes where a feed stands now and says which rows that ends.
    pub(super) fn set(&mut self, kind: Kind, id: FeedId, freshness: Freshness) -> Sweep {
        let of = self.of_mut(kind);
        let known_before = of.feeds.iter().all(Feed::settled);
        let mut sweep = Sweep::default();
        let newest = of.generation;
        let mut differs = false;
        if let Some(feed) = of.feeds.iter_mut().find(|feed| feed.id == id) {
            let before = feed.missing();
            if freshness == Freshness::Live && !feed.complete_round {
                feed.complete = true;
                feed.complete_round = true;
                sweep.round = Some(Stamp { feed: id, round: feed.round });
            }
            let gone = matches!(freshness, Freshness::Denied { .. } | Freshness::Absent);
            if gone {
                // Rows that may not be read any more, or whose kind is gone, are not shown as if they were there.
                feed.complete = false;
                sweep.ended.push(id);
            }
            feed.freshness = freshness;
            differs = feed.missing() != before;
        }
        // A generation that was refused altogether takes nothing over from one that is complete: what could be read
        // before still can be.
        let (new, old): (Vec<&Feed>, Vec<&Feed>) =
            of.feeds.iter().partition(|feed| feed.generation == newest);
        let refused = new.iter().all(|feed| matches!(feed.freshness, Freshness::Denied { .. }));
        let keeps_old = refused && old.iter().any(|feed| feed.complete);
        let taken_over = new.iter().all(|feed| feed.settled()) && !keeps_old;
        if taken_over {
            let old = of.feeds.extract_if(.., |feed| feed.generation != newest).map(|feed| feed.id);
            let old: Vec<FeedId> = old.collect();
            sweep.ended.extend(&old);
            self.ended.extend(old);
        }
        // Until the last list has come, each of them would only be the next one to wait for.
        let known = self.of_mut(kind).feeds.iter().all(Feed::settled);
        sweep.reads_differently = known && (differs || !known_before);
        sweep
    }

    /// What it means that a record of this kind in this namespace is not in the store.
    pub(super) fn missing(&self, kind: Kind, namespace: Word) -> Missing {
        let Some(of) = self.of(kind) else { return Missing::Loading };
        let newest = of.missing(of.generation, namespace);
        let mut older = of.feeds.iter().map(|feed| feed.generation).filter(|&one| one != of.generation);
        if newest != Missing::None && older.any(|one| of.missing(one, namespace) == Missing::None) {
            return Missing::None;
        }
        newest
    }

    /// Where the feeds of the newest generation of a kind stand together.
    pub(super) fn summary(&self, kind: Kind) -> Summary {
        let Some(of) = self.of(kind) else { return Summary::Unasked };
        let mut feeds = of.feeds.iter().filter(|feed| feed.generation == of.generation).peekable();
        if feeds.peek().is_none() {
            return Summary::Unasked;
        }
        let (mut syncing, mut stale, mut denied) = (None, None::<(Instant, Arc<str>)>, None);
        let (mut live, mut absent) = (false, false);
        for feed in feeds {
            match &feed.freshness {
                Freshness::Syncing { seen } => *syncing.get_or_insert(0) += seen,
                Freshness::Live => live = true,
                Freshness::Stale { since, why } => {
                    if stale.as_ref().is_none_or(|(longest, _)| since < longest) {
                        stale = Some((*since, why.clone()));
                    }
                }
                Freshness::Denied { why } => denied = Some(why.clone()),
                Freshness::Absent => absent = true,
            }
        }
        match (stale, syncing, denied) {
            (Some((since, why)), ..) => Summary::Stale { since, why },
            (None, Some(seen), _) => Summary::Syncing { seen },
            (None, None, _) if live => Summary::Live,
            (None, None, Some(why)) => Summary::Denied { why },
            (None, None, None) if absent => Summary::Absent,
            (None, None, None) => Summary::Unasked,
        }
    }

    /// Namespaces of this kind that are refused, with why; nothing is all of them at once.
    pub(super) fn refused(&self, kind: Kind) -> impl Iterator<Item = (Option<Word>, &str)> + '_ {
        let feeds = self.of(kind).map_or(&[][..], |of| &of.feeds);
        feeds.iter().filter_map(|feed| match &feed.freshness {
            Freshness::Denied { why } => Some((feed.scope.namespace, &**why)),
            _ => None,
        })
    }
}
