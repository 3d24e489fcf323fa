//! The loop: what has changed is looked at, what is to be done is done, until nothing is.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use futures::{FutureExt as _, StreamExt as _};
use jiff::Timestamp;
use tokio::sync::{mpsc, oneshot};
use tokio::time::Instant;

use super::execute::{Executor, Outcome};
use super::feed::{Feeds, News};
use super::kind::Kind;
use super::object::{Object, Reference};
use super::view::{Step, View, Waits};
use super::world::{Read, World};
use super::write::Write;
use super::{Logs, Pace, Reconciler};

/// The longest sleep: there may be waits as long as somebody's grace period says, which no timer takes.
const LONGEST_SLEEP: Duration = Duration::from_secs(24 * 60 * 60);

/// How long a wait on the platform's clock takes, at most [`LONGEST_SLEEP`].
fn pause(wait: Duration, speed: f64) -> Duration {
    Duration::try_from_secs_f64(wait.as_secs_f64() / speed).unwrap_or(LONGEST_SLEEP).min(LONGEST_SLEEP)
}

/// More rounds without an end to them are a mistake of reconcilers that undo one another's work.
const MOST_ROUNDS: u32 = 500;

/// How long a watch may take to show what was written.
const LATE: Duration = Duration::from_secs(10);

/// When something is tried again that could not be sent.
const AGAIN: Duration = Duration::from_secs(1);

/// What can be asked of a running platform.
#[derive(Debug)]
pub(super) enum Command {
    /// Lets the clock run on.
    Advance(Duration, oneshot::Sender<()>),
    /// From now on the clock runs so fast.
    Run(Pace, oneshot::Sender<()>),
    /// Waits until a watch has come to a version.
    Await(Kind, u64, oneshot::Sender<()>),
}

/// Everything a running platform has.
pub(super) struct Driver {
    pub(super) reconcilers: Vec<Reconciler>,
    pub(super) feeds: Feeds,
    pub(super) executor: Executor,
    pub(super) logs: Arc<dyn Logs>,
    pub(super) time: Box<dyn Fn() -> Timestamp + Send + Sync>,
    pub(super) seed: u64,
    pub(super) pace: Pace,
    pub(super) commands: mpsc::Receiver<Command>,
    pub(super) state: State,
}

/// What it knows.
#[derive(Default)]
pub(super) struct State {
    world: World,
    waits: Waits,
    /// What the reconcilers look after, by their numbers.
    of: Vec<Kind>,
    /// Who has to look: something of what they asked has changed.
    changed: BTreeSet<Step>,
    /// What everybody asked when they looked last.
    reads: HashMap<Step, HashSet<Read>>,
    /// Who asked that.
    readers: HashMap<Read, HashSet<Step>>,
    /// The lists that are under way: the uids so far.
    lists: HashMap<Kind, HashSet<String>>,
    /// How far the watches are.
    seen: HashMap<Kind, u64>,
    /// How far they have to come until everything that was written was seen.
    written: HashMap<Kind, u64>,
    /// Objects whose end was asked for and not seen yet.
    ended: HashSet<String>,
    awaited: Vec<(Kind, u64, oneshot::Sender<()>)>,
    now: Duration,
}

impl Driver {
    /// Runs until nobody holds the other end of the commands.
    pub(super) async fn run(mut self) {
        let mut last = Instant::now();
        loop {
            self.settle().await;
            let pause = match self.pace {
                Pace::Standing => None,
                Pace::Times(speed) => {
                    let next = self.state.waits.next();
                    next.map(|at| pause(at.saturating_sub(self.state.now), speed))
                }
            };
            let alarm = async {
                match pause {
                    Some(pause) => tokio::time::sleep_until(last + pause).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                news = self.feeds.next() => match news {
                    Some(news) => self.take(news),
                    None => return,
                },
                () = alarm => {}
                command = self.commands.recv() => match command {
                    Some(Command::Advance(by, done)) => {
                        self.advance(by).await;
                        let _ = done.send(());
                    }
                    Some(Command::Run(pace, done)) => {
                        self.pace = pace;
                        last = Instant::now();
                        let _ = done.send(());
                    }
                    Some(Command::Await(kind, version, done)) => self.state.await_version(kind, version, done),
                    None => return,
                },
            }
            if let Pace::Times(speed) = self.pace {
                let now = Instant::now();
                self.state.now += now.duration_since(last).mul_f64(speed);
                last = now;
                self.state.wake_due();
            }
        }
    }

    /// Lets the clock run on, from one thing that is due to the next.
    async fn advance(&mut self, by: Duration) {
        let end = self.state.now + by;
        loop {
            self.settle().await;
            match self.state.waits.next() {
                Some(at) if at <= end => {
                    self.state.now = at.max(self.state.now);
                    self.state.wake_due();
                }
                _ => break,
            }
        }
        self.state.now = end;
    }

    /// Does what there is to do, until all that was written has come back and nothing is left.
    async fn settle(&mut self) {
        let mut rounds = 0;
        loop {
            while let Some(Some(news)) = self.feeds.next().now_or_never() {
                self.take(news);
            }
            if self.state.lists.is_empty() && !self.state.changed.is_empty() {
                rounds += 1;
                if rounds > MOST_ROUNDS {
                    tracing::error!(steps = ?self.state.changed, "the platform does not come to rest");
                    self.state.changed.clear();
                    return;
                }
                for step in std::mem::take(&mut self.state.changed) {
                    self.look(&step).await;
                }
            } else if self.state.is_behind() {
                match tokio::time::timeout(LATE, self.feeds.next()).await {
                    Ok(Some(news)) => self.take(news),
                    Ok(None) => return,
                    Err(_) => {
                        tracing::warn!("a watch of the platform is late");
                        self.state.forget_written();
                        return;
                    }
                }
            } else {
                self.state.tidy();
                return;
            }
        }
    }

    /// Takes in what a watch says.
    fn take(&mut self, news: News) {
        match &news {
            News::Listed(pod) | News::Applied(pod) if pod.kind() == Kind::Pod => self.logs.saw(pod),
            News::Gone(pod) if pod.kind() == Kind::Pod => self.logs.gone(pod.namespace(), pod.name()),
            _ => {}
        }
        self.state.take(news);
    }

    /// Has a reconciler look at an object, and does what it wants done.
    async fn look(&mut self, step: &Step) {
        let (Some(reconciler), Some(object)) =
            (self.reconcilers.get(step.1).copied(), self.state.world.peek(&step.0).cloned())
        else {
            return self.state.forget(step);
        };
        let writes = {
            let state = &mut self.state;
            state.world.take_reads();
            let (now, time) = (state.now, (self.time)());
            let view = View::new(&state.world, &mut state.waits, step, now, time, self.seed);
            (reconciler.step)(&view, &object)
        };
        self.state.note_reads(step);
        for write in writes {
            tracing::trace!(reconciler = reconciler.name, of = %step.0, ?write);
            if !self.execute(step, reconciler.manager, write).await {
                break;
            }
        }
    }

    /// Says whether what was decided together with this may go on.
    async fn execute(&mut self, step: &Step, by: &str, write: Write) -> bool {
        let now = (self.time)();
        let (about, outcome) = match write {
            Write::Create(object) => self.executor.create(by, &object).await,
            Write::Update { before, after } => {
                (Some(before.reference()), self.executor.update(by, &before, &after).await)
            }
            Write::Delete { object, grace } => {
                (Some(object.reference()), self.executor.delete(&object, grace).await)
            }
            Write::Bind { pod, node } => (Some(pod.reference()), self.executor.bind(&pod, &node).await),
            Write::Tell(event) => (None, self.executor.tell(by, &event, now).await),
            Write::Log { pod, container, line } => {
                self.logs.append(&pod.namespace, &pod.name, &container, &line, now);
                (None, Outcome::Done)
            }
        };
        if let Outcome::Is(pod) = &outcome
            && pod.kind() == Kind::Pod
        {
            // Before the lines of what was begun with this.
            self.logs.saw(pod);
        }
        self.state.note(step, about, outcome)
    }
}

impl State {
    /// Takes in what a watch says.
    fn take(&mut self, news: News) {
        match news {
            News::Begin(kind) => {
                self.lists.insert(kind, HashSet::new());
            }
            News::Listed(object) => {
                self.lists.entry(object.kind()).or_default().insert(object.uid().to_owned());
                self.saw(object.kind(), object.version());
                self.apply(&object);
            }
            News::Complete(kind) => {
                let listed = self.lists.remove(&kind).unwrap_or_default();
                for gone in self.world.retain(kind, &listed) {
                    self.wake(&gone.reference(), Some(&gone), None);
                }
                self.ended.retain(|uid| listed.contains(uid));
                self.written.remove(&kind);
            }
            News::Applied(object) => {
                self.saw(object.kind(), object.version());
                self.apply(&object);
            }
            News::Gone(object) => {
                self.saw(object.kind(), object.version());
                self.ended.remove(object.uid());
                let reference = object.reference();
                if self.world.remove(&reference, object.uid()) {
                    self.wake(&reference, Some(&object), None);
                }
            }
        }
    }

    fn apply(&mut self, object: &Object) {
        let reference = object.reference();
        let before = self.world.peek(&reference).cloned();
        if self.world.apply(object.clone()) {
            self.wake(&reference, before.as_ref(), Some(object));
        }
    }

    /// Has everybody look who has asked something that has another answer now.
    fn wake(&mut self, changed: &Reference, before: Option<&Object>, after: Option<&Object>) {
        let kind = changed.kind;
        let mut answers =
            vec![Read::Object(changed.clone()), Read::List(kind, changed.namespace.clone()), Read::All(kind)];
        for object in [before, after].into_iter().flatten() {
            answers.push(Read::Controlled(kind, object.controller_uid().to_owned()));
        }
        for answer in &answers {
            self.changed.extend(self.readers.get(answer).into_iter().flatten().cloned());
        }
        if before.is_none() && after.is_some() {
            let theirs = self.of.iter().enumerate().filter(|(_, of)| **of == kind);
            self.changed.extend(theirs.map(|(number, _)| (changed.clone(), number)));
        }
    }

    /// Remembers what somebody asked while looking.
    fn note_reads(&mut self, step: &Step) {
        for counted in self.waits.take_counted() {
            self.changed.extend(self.readers.get(&counted).into_iter().flatten().cloned());
        }
        let mut now = self.world.take_reads();
        now.insert(Read::Object(step.0.clone()));
        let before = self.reads.remove(step).unwrap_or_default();
        for gone in before.difference(&now) {
            self.forget_reader(gone, step);
        }
        for new in now.difference(&before) {
            self.readers.entry(new.clone()).or_default().insert(step.clone());
        }
        self.reads.insert(step.clone(), now);
    }

    fn forget_reader(&mut self, read: &Read, step: &Step) {
        if let Some(readers) = self.readers.get_mut(read) {
            readers.remove(step);
            if readers.is_empty() {
                self.readers.remove(read);
            }
        }
    }

    /// Forgets somebody who has nothing to look at any more.
    fn forget(&mut self, step: &Step) {
        for read in self.reads.remove(step).unwrap_or_default() {
            self.forget_reader(&read, step);
        }
    }

    /// Takes in what became of a write; says whether what was decided together with it may go on.
    fn note(&mut self, step: &Step, about: Option<Reference>, outcome: Outcome) -> bool {
        match (outcome, about) {
            (Outcome::Is(object), _) => {
                let (kind, version) = (object.kind(), object.version());
                // A write that changed nothing has no version of its own, which a watch would show.
                if self.seen.get(&kind).is_none_or(|seen| *seen < version) {
                    let written = self.written.entry(kind).or_default();
                    *written = version.max(*written);
                }
                self.apply(&object);
                true
            }
            (Outcome::Gone, Some(reference)) => {
                if let Some(object) = self.world.peek(&reference).cloned() {
                    self.ended.insert(object.uid().to_owned());
                    self.world.bury(&reference);
                    self.wake(&reference, Some(&object), None);
                }
                true
            }
            (Outcome::Refused(why), Some(reference)) => {
                if self.world.refused(&reference) != Some(&why) {
                    self.wake(&reference, None, None);
                    self.world.refuse(reference, why);
                }
                false
            }
            (Outcome::Again, Some(_)) => {
                self.waits.look_again(self.now + AGAIN, step.clone());
                false
            }
            (Outcome::Done | Outcome::Gone | Outcome::Refused(_) | Outcome::Again, _) => true,
        }
    }

    /// What is known before the first lists are complete: that they are not.
    pub(super) fn new(kinds: &[Kind], reconcilers: &[Reconciler]) -> Self {
        Self {
            lists: kinds.iter().map(|kind| (*kind, HashSet::new())).collect(),
            of: reconcilers.iter().map(|one| one.of).collect(),
            ..Self::default()
        }
    }

    fn saw(&mut self, kind: Kind, version: u64) {
        let seen = self.seen.entry(kind).or_default();
        *seen = version.max(*seen);
        let seen = *seen;
        if self.written.get(&kind).is_some_and(|written| *written <= seen) {
            self.written.remove(&kind);
        }
        let (reached, left) =
            self.awaited.drain(..).partition(|(of, version, _)| *of == kind && *version <= seen);
        self.awaited = left;
        let reached: Vec<_> = reached;
        for (_, _, done) in reached {
            let _ = done.send(());
        }
    }

    fn await_version(&mut self, kind: Kind, version: u64, done: oneshot::Sender<()>) {
        if self.seen.get(&kind).is_some_and(|seen| *seen >= version) {
            let _ = done.send(());
        } else {
            self.awaited.push((kind, version, done));
        }
    }

    fn is_behind(&self) -> bool {
        !self.written.is_empty() || !self.ended.is_empty() || !self.lists.is_empty()
    }

    fn forget_written(&mut self) {
        self.written.clear();
        self.ended.clear();
        self.changed.extend(self.reads.keys().cloned());
    }

    fn wake_due(&mut self) {
        self.changed.extend(self.waits.due(self.now));
    }

    /// Lets go of what belongs to objects that are no more.
    fn tidy(&mut self) {
        if self.waits.len() > 16 * self.world.len() + 64 {
            let uids = self.world.uids();
            self.waits.retain(|uid| uids.contains(uid));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sleep_is_never_longer_than_a_timer_takes() {
        assert_eq!(pause(Duration::from_secs(10), 2.0), Duration::from_secs(5));
        for speed in [0.01, 1.0, 10_000.0] {
            assert_eq!(pause(Duration::MAX, speed), LONGEST_SLEEP, "{speed}");
        }
    }
}
