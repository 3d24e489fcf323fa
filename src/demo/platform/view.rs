//! What a reconciler sees: the cluster, the time, and how long it has waited for something.

use std::cell::RefCell;
use std::collections::{BTreeSet, HashMap};
use std::ops::Deref;
use std::time::Duration;

use jiff::Timestamp;

use super::object::{Object, Reference};
use super::world::{Read, World};

/// A reconciler, by its number, and the object that it looks at.
pub(super) type Step = (Reference, usize);

/// What is waited for: an object's uid, and a word.
type Wait = (String, String);

/// Since when something is waited for, and when somebody has to look again. The clock is that of the platform,
/// which may run faster than time does, or stand still.
#[derive(Debug, Default)]
pub(super) struct Waits {
    since: HashMap<Wait, Duration>,
    counts: HashMap<Wait, usize>,
    /// What was counted since somebody wanted to know that.
    counted: Vec<Read>,
    due: BTreeSet<(Duration, Step)>,
}

impl Waits {
    /// When somebody has to look again.
    pub(super) fn next(&self) -> Option<Duration> {
        self.due.first().map(|(at, _)| *at)
    }

    /// Who has to look now.
    pub(super) fn due(&mut self, now: Duration) -> Vec<Step> {
        let mut due = Vec::new();
        while self.due.first().is_some_and(|(at, _)| *at <= now) {
            due.extend(self.due.pop_first().map(|(_, step)| step));
        }
        due
    }

    /// What was counted since this was called last.
    pub(super) fn take_counted(&mut self) -> Vec<Read> {
        std::mem::take(&mut self.counted)
    }

    /// Forgets what was waited for on objects that are gone.
    pub(super) fn retain(&mut self, known: impl Fn(&str) -> bool) {
        self.since.retain(|(uid, _), _| known(uid));
        self.counts.retain(|(uid, _), _| known(uid));
    }

    /// Has somebody look again later.
    pub(super) fn look_again(&mut self, at: Duration, step: Step) {
        self.due.insert((at, step));
    }

    pub(super) fn len(&self) -> usize {
        self.since.len() + self.counts.len()
    }
}

/// What a reconciler sees. Everything of [`World`] can be asked of it.
#[derive(Debug)]
pub struct View<'a> {
    world: &'a World,
    waits: RefCell<&'a mut Waits>,
    step: &'a Step,
    now: Duration,
    /// The server's time, for everything that is written.
    pub time: Timestamp,
    /// What chance begins with.
    pub seed: u64,
}

impl Deref for View<'_> {
    type Target = World;

    fn deref(&self) -> &World {
        self.world
    }
}

impl<'a> View<'a> {
    pub(super) fn new(
        world: &'a World,
        waits: &'a mut Waits,
        step: &'a Step,
        now: Duration,
        time: Timestamp,
        seed: u64,
    ) -> Self {
        Self { world, waits: RefCell::new(waits), step, now, time, seed }
    }

    /// How long the platform has run, on its own clock.
    pub fn now(&self) -> Duration {
        self.now
    }

    /// Whether so much time has gone by since this was asked first of the object, for that word; if not, the object is
    /// looked at again when it has.
    pub fn waited(&self, object: &Object, word: &str, long: Duration) -> bool {
        let since = self.since(object, word);
        let due = since.saturating_add(long);
        let over = due <= self.now;
        if !over {
            self.look_again(due);
        }
        over
    }

    /// How much time has gone by since this was asked first of the object, for that word; it is looked at again at the end of
    /// the `step` it is in. Steps are counted from the beginning: otherwise every look in between would begin a series of its own.
    pub fn elapsed(&self, object: &Object, word: &str, step: Duration) -> Duration {
        let since = self.since(object, word);
        let elapsed = self.now.saturating_sub(since);
        let steps = elapsed.as_millis() / step.as_millis().max(1) + 1;
        let next = step.saturating_mul(u32::try_from(steps).unwrap_or(u32::MAX));
        self.look_again(since + next.max(elapsed + Duration::from_millis(1)));
        elapsed
    }

    /// Whether this is asked for the first time of the object, for that word: of what is told once, and stands nowhere.
    pub fn is_first(&self, object: &Object, word: &str) -> bool {
        let key = (object.uid().to_owned(), word.to_owned());
        self.waits.borrow_mut().since.insert(key, self.now).is_none()
    }

    /// How much time has gone by since this was asked first of the object, for that word; nobody looks again for it.
    pub fn age(&self, object: &Object, word: &str) -> Duration {
        self.now.saturating_sub(self.since(object, word))
    }

    /// Has somebody look again after some time.
    pub fn look_in(&self, after: Duration) {
        self.look_again(self.now.saturating_add(after));
    }

    /// How many of something were counted on the object, for that word.
    pub fn counted(&self, object: &Object, word: &str) -> usize {
        let key = (object.uid().to_owned(), word.to_owned());
        self.world.note(Read::Counted(key.0.clone(), key.1.clone()));
        self.waits.borrow().counts.get(&key).copied().unwrap_or_default()
    }

    /// Remembers how many of something there were, and says how many it had been: for what leaves no trace in any object,
    /// as lines of a log.
    pub fn count(&self, object: &Object, word: &str, number: usize) -> usize {
        let key = (object.uid().to_owned(), word.to_owned());
        let mut waits = self.waits.borrow_mut();
        let before = waits.counts.insert(key.clone(), number).unwrap_or_default();
        if before != number {
            waits.counted.push(Read::Counted(key.0, key.1));
        }
        before
    }

    /// Begins to wait anew.
    pub fn forget(&self, object: &Object, word: &str) {
        self.waits.borrow_mut().since.remove(&(object.uid().to_owned(), word.to_owned()));
    }

    /// A number that stays the same for an object's name and a word, from 0 up to below 1: chance that a test can foretell.
    pub fn chance(&self, object: &Object, word: &str) -> f64 {
        let mut hash = Fnv::new(self.seed);
        for text in [object.namespace(), object.name(), word] {
            hash.add(text.as_bytes());
        }
        fastrand::Rng::with_seed(hash.0).f64()
    }

    fn since(&self, object: &Object, word: &str) -> Duration {
        let key = (object.uid().to_owned(), word.to_owned());
        *self.waits.borrow_mut().since.entry(key).or_insert(self.now)
    }

    fn look_again(&self, at: Duration) {
        self.waits.borrow_mut().look_again(at, self.step.clone());
    }
}

/// The Fowler-Noll-Vo hash, which is the same on every machine and in every version.
struct Fnv(u64);

impl Fnv {
    fn new(seed: u64) -> Self {
        let mut new = Self(0xcbf2_9ce4_8422_2325);
        new.add(&seed.to_le_bytes());
        new
    }

    fn add(&mut self, bytes: &[u8]) {
        for byte in bytes.iter().chain([&0xff]) {
            self.0 = (self.0 ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
        }
    }
}
