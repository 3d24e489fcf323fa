//! The cluster on screen: the connection, what the server has, and which feeds are open for the view that is shown.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::message::{Effect, Timer};
use crate::cluster::connect::ConnectionInfo;
use crate::cluster::discovery::{Discovery, ServerVersion};
use crate::cluster::error::Failure;
use crate::cluster::feed::Target;
use crate::cluster::gate::ContextId;
use crate::model::{Now, Word};
use crate::records::{Kind, Origin, Records};
use crate::store::{Batch, Coverage, Freshness, Namespaces, Selection, Store, Summary, Touched};
use crate::views::AnyView;
use crate::{dispatch, dispatch_arms};

/// How long feeds go on that nobody looks at.
const LINGER: Duration = Duration::from_secs(120);
/// How often the server is asked whether it has a kind by now that the view on screen needs.
pub(super) const REDISCOVER: Duration = Duration::from_secs(10);

/// The same for kinds that only add to its rows.
const REDISCOVER_PARTNERS: Duration = Duration::from_secs(300);

/// Where the connection stands.
#[derive(Clone, Debug, PartialEq)]
pub enum Link {
    /// The kubeconfig is being read, or a connection made.
    Connecting,
    /// There is one. Whether the server answers, the feeds say.
    Up,
    /// There is none, and why.
    Down(Failure),
    /// None is needed: the store was filled from a recording, up to this moment of it in seconds.
    Recorded(f64),
}

/// What the view on screen needs of a kind.
#[derive(Clone, Debug)]
struct Want {
    kind: Kind,
    selection: Selection,
    /// Whether its records are the rows; the others wait until rows have come.
    rows: bool,
}

/// The cluster on screen.
#[derive(Debug)]
pub struct Session {
    /// The number of the connection.
    pub id: ContextId,
    /// Where it stands.
    pub link: Link,
    /// What it is, once it stands.
    pub info: Option<ConnectionInfo>,
    /// What the server has, once it has said so.
    pub discovery: Option<Arc<Discovery>>,
    /// What the server is, once it has said so.
    pub version: Option<ServerVersion>,
    /// Whether asking for it has failed.
    pub discovery_failed: bool,
    /// What the last line was given to say of that.
    pub discovery_said: Option<String>,
    /// How often the server has said what it has.
    discoveries: u32,
    /// What that number was when a kind was asked for last.
    asked_at: BTreeMap<Kind, u32>,
    wants: Vec<Want>,
    /// What panes over the list look at besides.
    also: Vec<Want>,
    /// What the header sums up, as far as it is asked for now.
    measured: Vec<Want>,
    /// Whether the header is there to sum up anything.
    pub measures: bool,
    /// Whether this user may not read what the header sums up; then it is asked for no more.
    unmeasured: bool,
    namespace: Option<Word>,
    /// Namespaces that this user may be able to read where the whole cluster is refused.
    homes: BTreeSet<Word>,
    /// Kinds whose cluster-wide list was refused.
    narrow: BTreeSet<Kind>,
    /// Kinds that are fed and not wanted any more, since when.
    idle: BTreeMap<Kind, Instant>,
    /// The resource of the server's table that is shown.
    table: Option<Target>,
}

impl Session {
    /// A session that has not begun.
    pub fn new(id: ContextId) -> Self {
        Self {
            id,
            link: Link::Connecting,
            info: None,
            discovery: None,
            version: None,
            discovery_failed: false,
            discovery_said: None,
            discoveries: 0,
            asked_at: BTreeMap::new(),
            wants: Vec::new(),
            also: Vec::new(),
            measured: Vec::new(),
            measures: false,
            unmeasured: false,
            namespace: None,
            homes: BTreeSet::new(),
            narrow: BTreeSet::new(),
            idle: BTreeMap::new(),
            table: None,
        }
    }

    /// Notes what the server has.
    pub fn discovered(&mut self, discovery: Arc<Discovery>) {
        self.version = Some(discovery.version.clone());
        self.discovery = Some(discovery);
        self.discoveries = self.discoveries.saturating_add(1);
    }

    /// Names a namespace that this user may be able to read.
    pub fn add_home(&mut self, namespace: Word) {
        if !namespace.is_empty() {
            self.homes.insert(namespace);
        }
    }

    /// Asks for the whole cluster again where it was refused: rights may have been given.
    pub fn ask_widely(&mut self) {
        self.narrow.clear();
        self.unmeasured = false;
    }

    /// Which namespaces are read instead of all, where the user may not list this kind cluster-wide.
    pub fn narrowed(&self, kind: Kind) -> Option<&BTreeSet<Word>> {
        (self.narrow.contains(&kind) && self.namespace.is_none()).then_some(&self.homes)
    }

    /// Makes a resource the one whose table is shown, and gives its full name (`plural.group`).
    pub fn set_table(&mut self, target: Target) -> String {
        let name = full_name(&target);
        self.table = Some(target);
        name
    }

    /// Whether the resource whose table is shown lives in namespaces.
    pub fn table_namespaced(&self) -> bool {
        self.table.as_ref().is_some_and(|table| table.namespaced)
    }

    /// The resource behind a view of the server's table.
    pub fn table_of(&self, view: &dyn AnyView) -> Option<Target> {
        let Selection::Table(resource) = view.selection() else { return None };
        if let Some(known) = self.table.as_ref().filter(|known| full_name(known) == *resource) {
            return Some(known.clone());
        }
        let discovery = self.discovery.as_ref()?;
        let served =
            discovery.resources.iter().find(|one| *resource == *full_name_of(&one.plural, &one.group))?;
        Some(Target {
            group: served.group.clone(),
            version: served.version.clone(),
            plural: served.plural.clone(),
            namespaced: served.namespaced,
        })
    }

    /// Sets what the view on screen needs, and of which namespace (none: all). `table` is the resource behind
    /// [`Kind::Other`].
    pub fn want(
        &mut self,
        view: &dyn AnyView,
        namespace: Option<Word>,
        table: Option<Target>,
        now: Now,
        effects: &mut Vec<Effect>,
    ) {
        let before = self.wanted();
        let rows = view.rows().iter().map(|&kind| Want { kind, selection: view.selection(), rows: true });
        let beside = |&kind| Want { kind, selection: Selection::beside(kind), rows: false };
        let partners = view.partners().iter().map(beside);
        self.wants = rows.chain(partners).collect();
        // What cluster-wide rows sum up is everywhere.
        self.namespace = namespace.filter(|_| view.namespaced());
        namespace.into_iter().for_each(|namespace| self.add_home(namespace));
        if table.is_some() {
            self.table = table;
        }
        self.retire(&before, now, effects);
    }

    /// Sets what panes over the list look at besides.
    pub fn want_also(&mut self, kinds: impl Iterator<Item = Kind>, now: Now, effects: &mut Vec<Effect>) {
        let before = self.wanted();
        let need = |kind| Want { kind, selection: Selection::Partners, rows: false };
        self.also = kinds.map(need).collect();
        self.retire(&before, now, effects);
    }

    fn wanted(&self) -> BTreeSet<Kind> {
        self.wants.iter().chain(&self.also).chain(&self.measured).map(|want| want.kind).collect()
    }

    /// Lets what is not wanted any more go on for a while.
    fn retire(&mut self, before: &BTreeSet<Kind>, now: Now, effects: &mut Vec<Effect>) {
        let wanted = self.wanted();
        self.idle.retain(|kind, _| !wanted.contains(kind));
        for kind in before.difference(&wanted) {
            self.idle.insert(*kind, now.instant);
            effects.push(Effect::After(LINGER, Timer::Idle));
        }
    }

    /// Opens the feeds that are wanted and not open. Call it whenever something may have changed.
    pub fn feed(&mut self, store: &mut Store, now: Now, touched: &mut Touched, effects: &mut Vec<Effect>) {
        effects.extend(store.take_ended().into_iter().map(Effect::EndFeed));
        if self.link != Link::Up {
            return;
        }
        // The first page of the rows is asked for first and alone.
        let rows_came = self.wants.iter().filter(|want| want.rows).all(|want| {
            !matches!(store.freshness(want.kind), Summary::Unasked | Summary::Syncing { seen: 0 })
        });
        if rows_came {
            self.follow_measured(store, now, effects);
        }
        let mut wants = self.wants.clone();
        for want in self.also.iter().chain(&self.measured) {
            match wants.iter_mut().find(|known| known.kind == want.kind) {
                Some(known) => known.selection = known.selection.clone().or(&want.selection),
                None => wants.push(want.clone()),
            }
        }
        for want in wants {
            if want.rows || rows_came {
                self.cover(&want, store, now, touched, effects);
            }
        }
    }

    /// Decides what of the sums in the header is asked for. Of those who may not read it nothing is asked again, and nobody is
    /// asked who does not measure: what is in use comes first, and what there is only with it.
    fn follow_measured(&mut self, store: &Store, now: Now, effects: &mut Vec<Effect>) {
        let used = store.freshness(Kind::NodeMetrics);
        let refused = |kind| matches!(store.freshness(kind), Summary::Denied { .. });
        self.unmeasured |= refused(Kind::NodeMetrics) || refused(Kind::Node);
        let asked = self.measures && !self.unmeasured && self.served(Kind::NodeMetrics) == Some(true);
        let both = self.measured.len() > 1 || matches!(used, Summary::Live | Summary::Stale { .. });
        let kinds: &[Kind] = match asked {
            true if both => &[Kind::NodeMetrics, Kind::Node],
            true => &[Kind::NodeMetrics],
            false => &[],
        };
        if self.measured.len() != kinds.len() {
            let before = self.wanted();
            let need = |&kind| Want { kind, selection: Selection::All, rows: false };
            self.measured = kinds.iter().map(need).collect();
            self.retire(&before, now, effects);
        }
    }

    fn cover(
        &mut self,
        want: &Want,
        store: &mut Store,
        now: Now,
        touched: &mut Touched,
        effects: &mut Vec<Effect>,
    ) {
        let kind = want.kind;
        if kind.origin() == Origin::Program {
            return;
        }
        let refused_everywhere = store.refused(kind).any(|(namespace, _)| namespace.is_none());
        let namespaced = match kind.origin() {
            Origin::Table => self.table_namespaced(),
            _ => kind.info().namespaced,
        };
        if refused_everywhere && namespaced && !self.homes.is_empty() {
            self.narrow.insert(kind);
        }
        let namespaces = match self.namespace {
            // What lives in no namespace is the same whichever is shown.
            _ if !namespaced => Namespaces::All,
            Some(only) => Namespaces::Only([only].into()),
            None if self.narrow.contains(&kind) => Namespaces::Only(self.homes.clone()),
            None => Namespaces::All,
        };
        let wanted = Coverage { namespaces, selection: want.selection.clone() };
        let standing = store.freshness(kind);
        let served = self.served(kind);
        let covered = match store.coverage(kind) {
            Some(open) if self.narrow.contains(&kind) => *open == wanted,
            Some(open) => open.includes(&wanted),
            None => false,
        };
        // What the server does not have may come later; what looked absent or refused may be served after all. What it said
        // before it answered 404 counts for nothing: then it is asked once more what it has, in a while.
        let news = self.asked_at.get(&kind).is_none_or(|&asked| asked < self.discoveries);
        let wrong = match (&standing, served) {
            (Summary::Absent, Some(true)) => news,
            (Summary::Denied { .. } | Summary::Stale { .. }, Some(false)) => true,
            _ => false,
        };
        if covered && !wrong {
            if standing == Summary::Absent {
                effects.push(Effect::After(pause(want), Timer::Rediscover));
            }
            return;
        }
        if wrong {
            store.forget(&[kind], now, touched);
            effects.extend(store.take_ended().into_iter().map(Effect::EndFeed));
        }
        let Some(target) = self.target(kind) else { return };
        let plans = store.cover(kind, wanted, touched);
        effects.extend(store.take_ended().into_iter().map(Effect::EndFeed));
        if served == Some(false) {
            for plan in plans {
                let none = dispatch!(kind, R => Records::from(Vec::<R>::new()));
                store.apply(Batch::of(plan.id, 0, none).and(Freshness::Absent), now, touched);
            }
            effects.extend(store.take_ended().into_iter().map(Effect::EndFeed));
            effects.push(Effect::After(pause(want), Timer::Rediscover));
            return;
        }
        self.asked_at.insert(kind, self.discoveries);
        let start = |plan| Effect::StartFeed { id: self.id, target: target.clone(), plan };
        effects.extend(plans.into_iter().map(start));
    }

    /// Whether the server has the kind, if it is known.
    fn served(&self, kind: Kind) -> Option<bool> {
        if kind.origin() == Origin::Table {
            return None;
        }
        let info = kind.info();
        self.discovery.as_ref().map(|discovery| discovery.served(info.group, info.plural).is_some())
    }

    /// Where to ask for a kind: the best version that is served, or, before the server has said, the usual one.
    pub fn target(&self, kind: Kind) -> Option<Target> {
        if kind.origin() == Origin::Table {
            return self.table.clone();
        }
        let info = kind.info();
        let served = self.discovery.as_ref();
        let best =
            served.and_then(|discovery| discovery.best_version(info.group, info.plural, info.versions));
        Some(Target {
            group: info.group.to_owned(),
            version: best.or_else(|| info.versions.first().map(|&version| version.to_owned()))?,
            plural: info.plural.to_owned(),
            namespaced: info.namespaced,
        })
    }

    /// How long until the server should be asked again what it has, if the view on screen needs something that it did
    /// not have when last heard of.
    pub fn ask_again(&self, store: &Store) -> Option<Duration> {
        let absent = self.wants.iter().filter(|want| store.freshness(want.kind) == Summary::Absent);
        absent.map(pause).min()
    }

    /// Ends the feeds that nobody has looked at for a while.
    pub fn end_idle(
        &mut self,
        store: &mut Store,
        now: Now,
        touched: &mut Touched,
        effects: &mut Vec<Effect>,
    ) {
        let over: Vec<Kind> = self
            .idle
            .iter()
            .filter(|(_, since)| now.instant.duration_since(**since) >= LINGER)
            .map(|(kind, _)| *kind)
            .collect();
        if !over.is_empty() {
            self.idle.retain(|kind, _| !over.contains(kind));
            store.forget(&over, now, touched);
            effects.extend(store.take_ended().into_iter().map(Effect::EndFeed));
        }
        if let Some(next) = self.idle.values().min() {
            effects
                .push(Effect::After(LINGER.saturating_sub(now.instant.duration_since(*next)), Timer::Idle));
        }
    }

    /// Where all kinds that the view needs stand: whether everything that can come has come.
    pub fn settled(&self, store: &Store) -> bool {
        let local = |want: &Want| want.kind.origin() == Origin::Program;
        if !self.wants.is_empty() && self.wants.iter().all(local) {
            // What the program knows by itself waits for no server, nor for a login.
            let told = |want: &Want| store.freshness(want.kind) == Summary::Live;
            return self.wants.iter().all(told) || matches!(self.link, Link::Down(_));
        }
        match self.link {
            Link::Connecting => false,
            Link::Down(_) => true,
            Link::Recorded(_) => true,
            Link::Up => self.wants.iter().all(|want| {
                local(want)
                    || match store.freshness(want.kind) {
                        // A word that the server has no table for, or did not say whether it has.
                        Summary::Unasked if want.kind.origin() == Origin::Table && self.table.is_none() => {
                            self.discovery.is_some() || self.discovery_failed
                        }
                        Summary::Unasked | Summary::Syncing { .. } => false,
                        // Another version may be served, or the kind not at all: the server has not said yet.
                        Summary::Absent | Summary::Denied { .. } => {
                            self.discovery.is_some() || self.discovery_failed
                        }
                        Summary::Live | Summary::Stale { .. } => true,
                    }
            }),
        }
    }
}

/// How long a kind that the server does not have is left alone.
fn pause(want: &Want) -> Duration {
    if want.rows { REDISCOVER } else { REDISCOVER_PARTNERS }
}

fn full_name(target: &Target) -> String {
    full_name_of(&target.plural, &target.group)
}

fn full_name_of(plural: &str, group: &str) -> String {
    if group.is_empty() { plural.to_owned() } else { format!("{plural}.{group}") }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cluster::discovery::Resource;
    use crate::records::Namespace;
    use crate::store::FeedId;
    use crate::views;

    struct World {
        session: Session,
        store: Store,
        effects: Vec<Effect>,
    }

    impl World {
        /// A session that shows namespaces, with their feed started.
        fn new() -> (Self, FeedId) {
            let mut world = Self {
                session: Session::new(ContextId(1)),
                store: Store::new(crate::explain::STATES),
                effects: Vec::new(),
            };
            world.session.link = Link::Up;
            let view = views::find("namespaces").unwrap();
            world.session.want(view, None, None, Now::at(0), &mut world.effects);
            let started = world.feed();
            assert_eq!(started.len(), 1);
            (world, started[0])
        }

        /// Opens what is wanted and gives the feeds that were started.
        fn feed(&mut self) -> Vec<FeedId> {
            self.effects.clear();
            let mut touched = Touched::default();
            self.session.feed(&mut self.store, Now::at(0), &mut touched, &mut self.effects);
            let started = |effect: &Effect| match effect {
                Effect::StartFeed { plan, .. } => Some(plan.id),
                _ => None,
            };
            self.effects.iter().filter_map(started).collect()
        }

        fn says(&mut self, feed: FeedId, freshness: Freshness) {
            let batch = Batch::of(feed, 0, Vec::<Namespace>::new()).and(freshness);
            self.store.apply(batch, Now::at(0), &mut Touched::default());
        }

        fn discovers(&mut self, served: bool) {
            let mut discovery = Discovery::default();
            let resource =
                Resource { version: "v1".into(), plural: "namespaces".into(), ..Resource::default() };
            discovery.resources.extend(served.then_some(resource));
            self.session.discovered(Arc::new(discovery));
        }

        fn asks_again(&self) -> bool {
            self.effects.iter().any(|effect| matches!(effect, Effect::After(_, Timer::Rediscover)))
        }
    }

    #[test]
    fn a_kind_that_went_is_not_asked_for_again_and_again() {
        let (mut world, feed) = World::new();
        world.discovers(true);
        world.says(feed, Freshness::Absent);
        let again = world.feed();
        assert_eq!(again.len(), 1, "the server has said since that it has the kind");
        world.says(again[0], Freshness::Absent);
        for _ in 0..3 {
            assert_eq!(world.feed(), [], "it answers 404, whatever it said before");
            assert!(world.asks_again());
        }
        world.discovers(true);
        assert_eq!(world.feed().len(), 1, "now it says so anew");
    }

    #[test]
    fn a_kind_that_comes_later_is_asked_for() {
        let (mut world, feed) = World::new();
        world.discovers(false);
        world.says(
            feed,
            Freshness::Denied { why: "a user without rights gets 403 for what is not there".into() },
        );
        assert_eq!(world.feed(), []);
        assert_eq!(world.store.freshness(Kind::Namespace), Summary::Absent);
        assert!(world.asks_again());
        world.discovers(true);
        assert_eq!(world.feed().len(), 1);
    }

    #[test]
    fn partners_wait_for_the_first_rows() {
        let (mut world, _) = World::new();
        let view = views::find("vms").unwrap();
        world.session.want(view, None, None, Now::at(0), &mut world.effects);
        assert_eq!(world.feed().len(), view.rows().len());
        let rows = world.store.freshness(Kind::Vm);
        assert_eq!(
            (rows, world.store.freshness(Kind::Vmi)),
            (Summary::Syncing { seen: 0 }, Summary::Unasked)
        );
    }

    #[test]
    fn a_list_asks_for_the_events_that_warn_and_details_for_all() {
        let (mut world, _) = World::new();
        let view = views::find("vms").unwrap();
        world.session.want(view, None, None, Now::at(0), &mut world.effects);
        let rows = world.feed();
        world.store.apply(
            Batch::of(rows[0], 0, Vec::<crate::records::Vm>::new()).and(Freshness::Live),
            Now::at(0),
            &mut Touched::default(),
        );
        let asked = |world: &mut World| -> Vec<Option<&'static str>> {
            world.feed();
            let plans = world.effects.iter().filter_map(|effect| match effect {
                Effect::StartFeed { plan, .. } if plan.kind == Kind::Event => Some(plan.scope.fields),
                _ => None,
            });
            plans.collect()
        };
        assert_eq!(asked(&mut world), [Some("type=Warning")]);
        world.session.want_also([Kind::Event].into_iter(), Now::at(0), &mut world.effects);
        assert_eq!(asked(&mut world), [None]);
        // Nothing is asked again on the way back.
        world.session.want_also(std::iter::empty(), Now::at(0), &mut world.effects);
        assert_eq!(asked(&mut world), []);
    }
}
