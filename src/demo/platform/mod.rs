//! The simulated platform: what KubeVirt, CDI, Virtink, the scheduler, the nodes and the storage of a cluster do,
//! played by an ordinary client of any Kubernetes API server.
//!
//! | File | Holds |
//! |---|---|
//! | `kind`, `object`, `edit` | objects of the watched kinds, read and changed |
//! | `world`, `view` | what was seen; what a reconciler sees, time and chance included |
//! | `write`, `execute` | what is to be done, and how it is sent |
//! | `feed`, `driver` | the watches, and the loop around them |
//! | `guard`, `install` | servers on which nothing may be played; what is put on others beforehand |
//! | `play` | what goes wrong on purpose |
//! | `machines`, `copies` | KubeVirt |
//! | `disks` | CDI and the storage |
//! | `nodes` | nodes, scheduler, kubelet |
//! | `others` | Virtink, Kairos |
//! | `life` | people who restart, move and import things now and then |
//!
//! A reconciler is a pure function from what it sees to what it wants done; it runs for each object of its kind after every
//! change in the object's namespace, until nobody wants anything. Its waits go by the clock of the platform, which may run
//! faster than time; what it writes down as time is the server's.

mod copies;
mod disks;
mod driver;
pub mod edit;
mod execute;
mod feed;
mod guard;
mod install;
pub mod kind;
pub mod life;
mod machines;
mod nodes;
pub mod object;
mod others;
pub mod play;
#[cfg(test)]
mod testing;
#[cfg(test)]
mod tests;
pub mod view;
pub mod world;
pub mod write;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use kube::Client;
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;

pub use feed::SYNTHETIC;
pub use guard::{PLAYED, Refusal, check_address};
pub use install::{NotInstalled, install};
pub use machines::GUEST;
pub use nodes::endpoint::{Endpoint, EndpointError};

use driver::{Command, Driver, State};
use execute::Executor;
use kind::Kind;
use object::Object;
use view::View;
use write::Write;

/// One part of a cluster.
#[derive(Clone, Copy)]
pub struct Reconciler {
    /// What it is called in logs.
    pub name: &'static str,
    /// The program that it is in a cluster, as `managedFields` tell it.
    pub manager: &'static str,
    /// The objects it looks after.
    pub of: Kind,
    /// What it wants done for one of them.
    pub step: fn(&View<'_>, &Object) -> Vec<Write>,
}

impl fmt::Debug for Reconciler {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reconciler").field("name", &self.name).field("of", &self.of).finish_non_exhaustive()
    }
}

/// All parts. Those of one kind come to their turn in this order.
const RECONCILERS: Parts =
    &[copies::PARTS, machines::PARTS, disks::PARTS, nodes::PARTS, others::PARTS, life::PARTS];

/// Reconcilers, in the order of their turns.
type Parts = &'static [&'static [Reconciler]];

/// Where containers write.
pub trait Logs: Send + Sync {
    /// Takes a line, which has no end of its own.
    fn append(&self, namespace: &str, pod: &str, container: &str, line: &str, at: Timestamp);

    /// Takes note of a pod as it is now.
    fn saw(&self, _pod: &Object) {}

    /// Takes note that a pod is gone.
    fn gone(&self, _namespace: &str, _pod: &str) {}
}

/// How fast the clock of the platform runs.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Pace {
    /// Only when somebody advances it.
    Standing,
    /// So many times as fast as time does; more than 0.
    Times(f64),
}

/// How a platform is played.
pub struct Options {
    /// How fast its clock runs.
    pub pace: Pace,
    /// What chance begins with.
    pub seed: u64,
    /// Where containers write.
    pub logs: Arc<dyn Logs>,
    /// The server's time.
    pub time: Box<dyn Fn() -> Timestamp + Send + Sync>,
    /// Whether the server shall refuse objects with fields it does not know.
    pub strict: bool,
}

/// A platform at work. It ends when this is dropped.
#[derive(Debug)]
pub struct Platform {
    commands: mpsc::Sender<Command>,
    task: JoinHandle<()>,
}

impl Drop for Platform {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Platform {
    /// Whether anything may be played on the server of a client.
    ///
    /// # Errors
    ///
    /// As [`Self::start`].
    pub async fn check(client: &Client) -> Result<(), Refusal> {
        guard::playable(client).await.map(drop)
    }

    /// Begins to play on the server of a client, which has to be allowed everything there. Must be called inside a tokio runtime.
    ///
    /// # Errors
    ///
    /// [`Refusal`] where nothing may be played, or the server cannot be asked.
    pub async fn start(client: Client, options: Options) -> Result<Self, Refusal> {
        Self::start_with(client, options, RECONCILERS).await
    }

    async fn start_with(client: Client, options: Options, reconcilers: Parts) -> Result<Self, Refusal> {
        let kinds = guard::playable(&client).await?;
        let (commands, receiver) = mpsc::channel(1);
        let reconcilers: Vec<Reconciler> = reconcilers.iter().copied().flatten().copied().collect();
        let driver = Driver {
            feeds: feed::open(&client, &kinds),
            executor: Executor::new(client, if options.strict { "Strict" } else { "Warn" }),
            logs: options.logs,
            time: options.time,
            seed: options.seed,
            pace: options.pace,
            commands: receiver,
            state: State::new(&kinds, &reconcilers),
            reconcilers,
        };
        Ok(Self { commands, task: tokio::spawn(driver.run()) })
    }

    /// Lets the clock run on, from one thing that is due to the next; returns when all of them were done and what was written for them has
    /// come back through every watch.
    pub async fn advance(&self, by: Duration) {
        let (done, was_done) = oneshot::channel();
        if self.commands.send(Command::Advance(by, done)).await.is_ok() {
            let _ = was_done.await;
        }
    }

    /// From now on the clock runs so fast.
    pub async fn run(&self, pace: Pace) {
        let (done, was_done) = oneshot::channel();
        if self.commands.send(Command::Run(pace, done)).await.is_ok() {
            let _ = was_done.await;
        }
    }

    /// Waits until the platform has seen a version of an object, or a later one: what somebody else wrote.
    pub async fn await_version(&self, kind: Kind, version: u64) {
        let (done, was_done) = oneshot::channel();
        if self.commands.send(Command::Await(kind, version, done)).await.is_ok() {
            let _ = was_done.await;
        }
    }

    /// Waits for the end of the platform, which comes by itself only when something is wrong with it.
    pub async fn ended(&mut self) {
        let _ = (&mut self.task).await;
    }
}
