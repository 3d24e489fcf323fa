//! Guests at work: each has one line to whoever sits at its console, and an instance that says whether it may work.

use std::collections::HashMap;
use std::io;
use std::pin::pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures::future::BoxFuture;
use futures::{FutureExt as _, Stream, StreamExt as _};
use jiff::Timestamp;
use kube::Client;
use kube::api::{Api, DynamicObject, Patch, PatchParams};
use kube::runtime::watcher::watch_object;
use serde_json::{Value, json};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _, ReadHalf, WriteHalf};
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep_until};

use super::guest::{End, Guest};
use super::home::{Home, Instance, KUBEVIRT, resource, running_since};
use super::outside::{Console, Outside};
use crate::demo::platform::GUEST;
use crate::demo::virt_api::{Channel, Echo, Guests, OpenLine};

/// How much may be on its way to or from a guest, in bytes.
const PIPE: usize = 64 << 10;
/// How much is read in one go, in bytes.
const PIECE: usize = 32 << 10;
/// When the time of guests begins: late enough for one that was switched on long ago.
const BEGINNING: Duration = Duration::from_secs(10 * 365 * 24 * 3600);

/// What time it is.
pub(crate) type Clock = Arc<dyn Fn() -> Timestamp + Send + Sync>;

/// The guests of a played KubeVirt, and of Virtink beside it. A guest is there from when somebody first looks at it until its
/// instance ends.
#[derive(Clone)]
pub struct Played {
    client: Client,
    clock: Clock,
    consoles: Vec<Console>,
    /// Where guests take lines, by the UID of their instance.
    guests: Arc<Mutex<HashMap<String, mpsc::Sender<OpenLine>>>>,
}

impl std::fmt::Debug for Played {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Played").field("consoles", &self.consoles).finish_non_exhaustive()
    }
}

impl Played {
    /// Guests on a cluster. The client needs rights to watch and change instances.
    pub fn new(client: Client, clock: Clock, consoles: Vec<Console>) -> Self {
        Self { client, clock, consoles, guests: Arc::default() }
    }

    pub(super) fn client(&self) -> Client {
        self.client.clone()
    }

    /// A line to the guest of an object.
    pub(super) async fn line(&self, home: &'static Home, object: &Value) -> Result<OpenLine, String> {
        let guest = self.guest(home, object).await?;
        let (near, far) = tokio::io::duplex(PIPE);
        guest.send(Box::new(far)).await.map_err(|_| "the guest is over".to_owned())?;
        Ok(Box::new(near) as OpenLine)
    }

    /// Where the guest of an object takes lines. It starts if it does not work yet.
    async fn guest(&self, home: &'static Home, object: &Value) -> Result<mpsc::Sender<OpenLine>, String> {
        let text = |pointer: &str| object.pointer(pointer).and_then(Value::as_str).unwrap_or_default();
        let uid = text("/metadata/uid").to_owned();
        let known = |uid: &str| {
            let guests = self.guests.lock().unwrap_or_else(PoisonError::into_inner);
            guests.get(uid).filter(|lines| !lines.is_closed()).cloned()
        };
        if let Some(lines) = known(&uid) {
            return Ok(lines);
        }
        let (namespace, name) = (text("/metadata/namespace"), text("/metadata/name"));
        let behind = match self.consoles.iter().find(|console| console.is_of(namespace, name)) {
            Some(console) => Behind::outside(console.open().await?),
            None => Behind::Guest(Box::new(guest_of(home, object, (self.clock)()))),
        };
        let (sender, lines) = mpsc::channel(4);
        {
            let mut guests = self.guests.lock().unwrap_or_else(PoisonError::into_inner);
            guests.retain(|_, lines| !lines.is_closed());
            if let Some(lines) = guests.get(&uid) {
                return Ok(lines.clone());
            }
            guests.insert(uid.clone(), sender.clone());
        }
        let api: Api<DynamicObject> =
            Api::namespaced_with(self.client.clone(), namespace, &resource(home.resource));
        let told: Api<DynamicObject> =
            Api::namespaced_with(self.client.clone(), namespace, &resource(home.told));
        let seen = watch_object(api, name).filter_map(|seen| async { seen.ok() });
        let seen = seen.map(move |object| Instance::seen(home, object, &uid));
        let first = (home.read)(object);
        tokio::spawn(async move {
            if let Some((end, name)) = Work::new(behind, first, lines).run(pin!(seen)).await {
                let annotations = json!({"metadata": {"annotations": {GUEST: word(end)}}});
                let patched = told.patch(&name, &PatchParams::default(), &Patch::Merge(annotations)).await;
                if let Err(why) = patched {
                    tracing::debug!(%why, "the end of a guest was not told");
                }
            }
        });
        Ok(sender)
    }
}

impl Guests for Played {
    fn dial(&self, instance: Value, channel: Channel) -> BoxFuture<'static, Result<OpenLine, String>> {
        if channel != Channel::Console {
            return Echo.dial(instance, channel);
        }
        let this = self.clone();
        async move { this.line(&KUBEVIRT, &instance).await }.boxed()
    }
}

/// How an end is told to who plays virt-handler.
fn word(end: End) -> &'static str {
    match end {
        End::PoweredOff => "powered-off",
        End::Crashed => "crashed",
    }
}

/// The guest of an object, as old as that has been running.
fn guest_of(home: &Home, object: &Value, now: Timestamp) -> Guest {
    let age = running_since(object).map_or(Duration::from_secs(3600), |since| {
        Duration::try_from(now.duration_since(since)).unwrap_or_default()
    });
    Guest::new((home.identity)(object), BEGINNING.saturating_sub(age), BEGINNING)
}

/// Who answers on a console.
enum Behind {
    Guest(Box<Guest>),
    Outside {
        from: Option<ReadHalf<OpenLine>>,
        to: WriteHalf<OpenLine>,
        _child: Option<tokio::process::Child>,
    },
}

impl Behind {
    fn outside(outside: Outside) -> Self {
        let (from, to) = tokio::io::split(outside.line);
        Self::Outside { from: Some(from), to, _child: outside._child }
    }

    /// Its own half of a line, if it is something outside.
    fn halves(&mut self) -> (Option<&mut ReadHalf<OpenLine>>, Option<&mut WriteHalf<OpenLine>>) {
        match self {
            Self::Guest(_) => (None, None),
            Self::Outside { from, to, .. } => (from.as_mut(), Some(to)),
        }
    }
}

/// A guest at work.
struct Work {
    behind: Behind,
    instance: Instance,
    lines: mpsc::Receiver<OpenLine>,
    /// The line of who came last; another one's ends when somebody comes.
    from: Option<ReadHalf<OpenLine>>,
    to: Option<WriteHalf<OpenLine>>,
    /// What the guest has said and is not on the line yet, and the other way round.
    said: Vec<u8>,
    typed: Vec<u8>,
    began: Instant,
}

/// What happened.
enum Happened {
    Comes(Option<OpenLine>),
    Seen(Instance),
    Typed(io::Result<usize>),
    Said(io::Result<usize>),
    Delivered(io::Result<usize>),
    Entered(io::Result<usize>),
    Time,
}

impl Work {
    fn new(behind: Behind, instance: Instance, lines: mpsc::Receiver<OpenLine>) -> Self {
        Self {
            behind,
            instance,
            lines,
            from: None,
            to: None,
            said: Vec::new(),
            typed: Vec::new(),
            began: Instant::now(),
        }
    }

    fn now(&self) -> Duration {
        BEGINNING + self.began.elapsed()
    }

    fn hang_up(&mut self) {
        (self.from, self.to) = (None, None);
        self.said.clear();
        self.typed.clear();
    }

    /// Works until the guest or its instance ends; says how the guest ended if that was its own doing.
    async fn run(mut self, mut seen: impl Stream<Item = Instance> + Unpin) -> Option<(End, String)> {
        let (mut typed, mut said) = (vec![0; PIECE], vec![0; PIECE]);
        loop {
            if let Behind::Guest(guest) = &mut self.behind {
                if self.said.is_empty() {
                    self.said = guest.said();
                }
                if let (Some(end), true) = (guest.end(), self.said.is_empty()) {
                    return Some((end, self.instance.told));
                }
            }
            if self.to.is_none() {
                // Nobody reads; a serial line keeps nothing.
                self.said.clear();
                if matches!(&self.behind, Behind::Guest(guest) if guest.end().is_some()) {
                    continue;
                }
            }
            match self.next(&mut seen, &mut typed, &mut said).await {
                Happened::Comes(None) => return None,
                Happened::Comes(Some(line)) => {
                    self.hang_up();
                    let (from, to) = tokio::io::split(line);
                    (self.from, self.to) = (Some(from), Some(to));
                }
                Happened::Seen(instance) if instance.over => return None,
                Happened::Seen(instance) => {
                    if instance.node != self.instance.node && !self.instance.node.is_empty() {
                        self.hang_up();
                    }
                    let now = self.now();
                    if let (Behind::Guest(guest), true) =
                        (&mut self.behind, instance.ending && !self.instance.ending)
                    {
                        guest.press_power_button(now);
                    }
                    self.instance = instance;
                }
                Happened::Typed(Ok(0) | Err(_)) | Happened::Delivered(Err(_)) => self.hang_up(),
                Happened::Typed(Ok(length)) => {
                    let now = self.now();
                    match &mut self.behind {
                        Behind::Guest(guest) => guest.take(&typed[..length], now),
                        Behind::Outside { .. } => self.typed.extend_from_slice(&typed[..length]),
                    }
                }
                // The program or the machine in the guest's place has ended.
                Happened::Said(Ok(0) | Err(_)) | Happened::Entered(Err(_)) => return None,
                Happened::Said(Ok(length)) => self.said.extend_from_slice(&said[..length]),
                Happened::Delivered(Ok(length)) => drop(self.said.drain(..length)),
                Happened::Entered(Ok(length)) => drop(self.typed.drain(..length)),
                Happened::Time => {
                    let now = self.now();
                    if let Behind::Guest(guest) = &mut self.behind {
                        guest.tick(now);
                    }
                }
            }
        }
    }

    async fn next(
        &mut self,
        seen: &mut (impl Stream<Item = Instance> + Unpin),
        typed: &mut [u8],
        said: &mut [u8],
    ) -> Happened {
        let works = !self.instance.paused;
        let idle = self.said.is_empty();
        let wake = match &self.behind {
            Behind::Guest(guest) => guest.next().map(|at| self.began + at.saturating_sub(BEGINNING)),
            Behind::Outside { .. } => None,
        };
        let (behind_from, behind_to) = self.behind.halves();
        tokio::select! {
            biased;
            line = self.lines.recv() => Happened::Comes(line),
            Some(instance) = seen.next() => Happened::Seen(instance),
            read = read(self.from.as_mut(), typed), if works && self.typed.is_empty() => Happened::Typed(read),
            written = write(self.to.as_mut(), &self.said), if !idle => Happened::Delivered(written),
            read = read(behind_from, said), if works && idle => Happened::Said(read),
            written = write(behind_to, &self.typed), if !self.typed.is_empty() => Happened::Entered(written),
            () = sleep_until(wake.unwrap_or(self.began)), if works && idle && wake.is_some() => Happened::Time,
        }
    }
}

/// Reads if there is anything to read from, else for ever.
async fn read(from: Option<&mut (impl AsyncRead + Unpin)>, piece: &mut [u8]) -> io::Result<usize> {
    match from {
        Some(from) => from.read(piece).await,
        None => std::future::pending().await,
    }
}

async fn write(to: Option<&mut (impl AsyncWrite + Unpin)>, bytes: &[u8]) -> io::Result<usize> {
    match to {
        Some(to) => to.write(bytes).await,
        None => std::future::pending().await,
    }
}
