//! The program's own data path on a real connection: feeds that fill a store.
//!
//! A [`Live`] takes batches one at a time, as the main loop does, until what a
//! test waits for has come, and keeps in mind how many rows there were and where
//! the feeds stood after each of them.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::Path;
use std::sync::Arc;

use tokio::sync::mpsc::{self, Receiver, Sender};
use tokio::time::{Instant, timeout_at};
use v9s::cluster::connect::{Connection, connect};
use v9s::cluster::discovery::{Discovery, Resolved, discover};
use v9s::cluster::error::Failure;
use v9s::cluster::feed::{Feed, Target, Timing, start};
use v9s::cluster::gate::{ContextId, Gate};
use v9s::cluster::kubeconfig::{self, Flags};
use v9s::explain::STATES;
use v9s::model::{Now, Word};
use v9s::records::{Kind, Records, name_key};
use v9s::store::{
    Batch, Coverage, FeedPlan, Freshness, Id, Namespaces, Selection, Store, Stored, Summary, Touched,
};

use super::cluster::runtime;
use super::{deadline, poll};

/// How many batches may wait; the main loop has room for as many.
const ROOM: usize = 32;

/// Everything of a kind.
#[must_use]
pub fn everywhere() -> Coverage {
    Coverage::all(Namespaces::All)
}

/// Everything of a kind in some namespaces.
#[must_use]
pub fn within(namespaces: &[&str]) -> Coverage {
    let namespaces: BTreeSet<Word> = namespaces.iter().map(|name| Word::new(name)).collect();
    Coverage::all(Namespaces::Only(namespaces))
}

/// Connects as the program does, to the current context of a kubeconfig. The
/// server is not asked anything yet.
///
/// # Errors
///
/// As `v9s::cluster::kubeconfig::load` and `v9s::cluster::connect::connect`.
pub fn connection(kubeconfig: &Path) -> Result<Connection, Failure> {
    let flags = Flags { kubeconfig: Some(kubeconfig.to_owned()), ..Flags::default() };
    let configuration = kubeconfig::load(&flags, &|_| None, None)?;
    let gate = Gate::new(false);
    runtime().block_on(connect(&configuration, None, &flags, ContextId(1), &gate))
}

/// Connects and asks what the server offers, which is the first that the
/// program asks it.
///
/// # Errors
///
/// What keeps a person from seeing the cluster.
pub fn discovery(kubeconfig: &Path) -> Result<Discovery, Failure> {
    let connection = connection(kubeconfig)?;
    runtime().block_on(discover(&connection))
}

/// What was so after a batch.
#[derive(Debug)]
pub struct Moment {
    /// The kind that the batch was about.
    pub kind: Kind,
    /// How many records it brought.
    pub records: usize,
    /// How many records it took away.
    pub gone: usize,
    /// What it said of its feed.
    pub freshness: Option<Freshness>,
    /// How many rows may look different because of it.
    pub touched: usize,
    /// How many rows of the kind there were then.
    pub rows: usize,
}

/// A store that is filled from a server.
pub struct Live {
    /// The store.
    pub store: Store,
    /// What the server offered at the beginning.
    pub discovery: Discovery,
    connection: Connection,
    timing: Timing,
    sink: Sender<Batch>,
    batches: Receiver<Batch>,
    feeds: Vec<Feed>,
    opened: Vec<Kind>,
    history: Vec<Moment>,
}

impl Live {
    /// Connects to the current context of a kubeconfig and discovers.
    ///
    /// # Panics
    ///
    /// When that fails.
    #[must_use]
    pub fn new(kubeconfig: &Path) -> Self {
        let connection = connection(kubeconfig).unwrap_or_else(|failure| panic!("{failure}"));
        let discovery = runtime().block_on(discover(&connection));
        let discovery = discovery.unwrap_or_else(|failure| panic!("{failure}"));
        let (sink, batches) = mpsc::channel(ROOM);
        Self {
            store: Store::new(STATES),
            discovery,
            connection,
            timing: Timing::default(),
            sink,
            batches,
            feeds: Vec::new(),
            opened: Vec::new(),
            history: Vec::new(),
        }
    }

    /// Sets how long things may take for the feeds that are opened from now on.
    #[must_use]
    pub fn with_timing(mut self, timing: Timing) -> Self {
        self.timing = timing;
        self
    }

    /// Asks the server again what it offers, until it has a resource.
    ///
    /// # Panics
    ///
    /// After the deadline.
    pub fn discover_until(&mut self, resource: &str) {
        let asked = poll(deadline(), || {
            let discovery = runtime().block_on(discover(&self.connection)).ok()?;
            let found = matches!(discovery.resolve(resource), Resolved::One(_));
            found.then_some(discovery)
        });
        self.discovery = asked.unwrap_or_else(|| panic!("{resource} is still not offered"));
    }

    /// Returns the connection.
    #[must_use]
    pub fn connection(&self) -> &Connection {
        &self.connection
    }

    /// Asks for a kind.
    pub fn open(&mut self, kind: Kind, coverage: Coverage) {
        self.open_planned(kind, coverage, |_| {});
    }

    /// Asks for those objects of a kind whose labels a selector wants.
    pub fn open_selected(&mut self, kind: Kind, coverage: Coverage, selector: &str) {
        self.open_planned(kind, coverage, |plan| plan.scope.selector = Some(selector.into()));
    }

    fn open_planned(&mut self, kind: Kind, coverage: Coverage, change: impl Fn(&mut FeedPlan)) {
        let info = kind.info();
        let version = self.discovery.best_version(info.group, info.plural, info.versions);
        let target = Target {
            group: info.group.into(),
            version: version.unwrap_or_else(|| info.versions[0].into()),
            plural: info.plural.into(),
            namespaced: info.namespaced,
        };
        self.start(kind, coverage, &target, change);
    }

    /// Asks for the server's own table of a resource, given as a person would.
    ///
    /// # Panics
    ///
    /// When the server has no such resource.
    pub fn open_table(&mut self, resource: &str, namespaces: Namespaces) {
        let Resolved::One(found) = self.discovery.resolve(resource) else {
            panic!("{resource} is not one resource: {:?}", self.discovery.resolve(resource));
        };
        let target = Target {
            group: found.group.clone(),
            version: found.version.clone(),
            plural: found.plural.clone(),
            namespaced: found.namespaced,
        };
        let coverage = Coverage { namespaces, selection: Selection::Table(resource.into()) };
        self.start(Kind::Other, coverage, &target, |_| {});
    }

    fn start(&mut self, kind: Kind, coverage: Coverage, target: &Target, change: impl Fn(&mut FeedPlan)) {
        let _inside = runtime().enter();
        for mut plan in self.store.cover(kind, coverage, &mut Touched::default()) {
            change(&mut plan);
            let sink = self.sink.clone();
            self.feeds.push(start(self.connection.clone(), target.clone(), plan, self.timing, sink));
        }
        if !self.opened.contains(&kind) {
            self.opened.push(kind);
        }
    }

    /// Takes batches until something is so. Does not wait if it is so already.
    ///
    /// # Panics
    ///
    /// After the deadline, with what has come until then.
    pub fn until(&mut self, what: &str, wanted: impl Fn(&Self) -> bool) {
        let until = Instant::from_std(deadline());
        while !wanted(self) {
            let next = runtime().block_on(async { timeout_at(until, self.batches.recv()).await });
            match next {
                Ok(Some(batch)) => self.take(batch),
                Ok(None) => unreachable!("this end holds a sender, too"),
                Err(_) => panic!("Waited in vain for {what}.\n{}", self.summary()),
            }
        }
    }

    /// Takes batches until all that was asked for of these kinds is complete
    /// and watched.
    pub fn until_live(&mut self, kinds: &[Kind]) {
        let names: Vec<&str> = kinds.iter().map(|kind| kind.info().plural).collect();
        self.until(&format!("{} to be live", names.join(", ")), |live| {
            kinds.iter().all(|&kind| live.store.freshness(kind) == Summary::Live)
        });
    }

    fn take(&mut self, batch: Batch) {
        let kind = batch.records.kind();
        let (records, gone, freshness) = (batch.records.len(), batch.gone.len(), batch.freshness.clone());
        let mut touched = Touched::default();
        self.store.apply(batch, Now::read(), &mut touched);
        let ended = self.store.take_ended();
        self.feeds.retain(|feed| !ended.contains(&feed.id));
        let (touched, rows) = (touched.ids.len(), self.store.len(kind));
        self.history.push(Moment { kind, records, gone, freshness, touched, rows });
    }

    /// Returns the record of an object.
    #[must_use]
    pub fn find<R: Stored>(&self, namespace: &str, name: &str) -> Option<&R>
    where
        Records: From<Vec<R>>,
    {
        self.store.get(self.id(R::KIND, namespace, name)?)
    }

    /// Returns the record of an object.
    ///
    /// # Panics
    ///
    /// When it is not in the store.
    #[must_use]
    pub fn row<R: Stored>(&self, namespace: &str, name: &str) -> &R
    where
        Records: From<Vec<R>>,
    {
        self.find(namespace, name).unwrap_or_else(|| panic!("There is no {name}.\n{}", self.summary()))
    }

    /// Returns the place of an object.
    #[must_use]
    pub fn id(&self, kind: Kind, namespace: &str, name: &str) -> Option<Id> {
        self.store.find_key(name_key(kind, Word::new(namespace), name))
    }

    /// Returns whether an object is in the store.
    #[must_use]
    pub fn has(&self, kind: Kind, namespace: &str, name: &str) -> bool {
        self.id(kind, namespace, name).is_some()
    }

    /// Returns the names of all rows of a kind, in order.
    #[must_use]
    pub fn names(&self, kind: Kind) -> Vec<String> {
        let name = |id: Id| self.store.meta(id).map(|meta| meta.name.to_string());
        let mut names: Vec<String> = self.store.ids(kind).into_iter().filter_map(name).collect();
        names.sort();
        names
    }

    /// Returns why a kind is stale or refused at the moment, if it is.
    #[must_use]
    pub fn trouble(&self, kind: Kind) -> Option<Arc<str>> {
        match self.store.freshness(kind) {
            Summary::Stale { why, .. } | Summary::Denied { why } => Some(why),
            _ => None,
        }
    }

    /// Returns a place in the history: what comes from now on.
    #[must_use]
    pub fn mark(&self) -> usize {
        self.history.len()
    }

    /// Returns what there was of a kind since a mark.
    pub fn since(&self, mark: usize, kind: Kind) -> impl Iterator<Item = &Moment> {
        self.history[mark..].iter().filter(move |moment| moment.kind == kind)
    }

    /// Returns how many rows of a kind there were at least at any time since a mark.
    #[must_use]
    pub fn fewest(&self, mark: usize, kind: Kind) -> usize {
        self.since(mark, kind).map(|moment| moment.rows).chain([self.store.len(kind)]).min().unwrap_or(0)
    }

    /// Returns why a kind has been stale since a mark, in order.
    #[must_use]
    pub fn stale(&self, mark: usize, kind: Kind) -> Vec<&str> {
        self.since(mark, kind)
            .filter_map(|moment| match &moment.freshness {
                Some(Freshness::Stale { why, .. }) => Some(&**why),
                _ => None,
            })
            .collect()
    }

    /// Returns what is in the store and what has come, for the message of a failure.
    #[must_use]
    pub fn summary(&self) -> String {
        const SHOWN: usize = 12;
        let mut text = format!("Feeds of {}:\n", self.connection.info().server);
        for &kind in &self.opened {
            let names = self.names(kind);
            let shown = names[..names.len().min(SHOWN)].join(" ");
            let standing = self.store.freshness(kind);
            let _ = writeln!(text, "  {kind:?}: {standing:?}, {} rows: {shown}", names.len());
            for (namespace, why) in self.store.refused(kind) {
                let _ = writeln!(text, "    refused in {namespace:?}: {why}");
            }
        }
        let _ = writeln!(text, "The last of {} batches:", self.history.len());
        for moment in &self.history[self.history.len().saturating_sub(SHOWN)..] {
            let _ = writeln!(text, "  {moment:?}");
        }
        text
    }
}
