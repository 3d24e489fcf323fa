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
use kube::api::{Api, ApiResource, DynamicObject, Patch, PatchParams};
use kube::runtime::watcher::watch_object;
use serde_json::{Value, json};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _, ReadHalf, WriteHalf};
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep_until};

use super::guest::{End, Guest, Identity};
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

/// The guests of a played KubeVirt. A guest is there from when somebody first looks at it until its instance ends.
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

    /// Where the guest of an instance takes lines. It starts if it does not work yet.
    async fn guest(&self, instance: &Value) -> Result<mpsc::Sender<OpenLine>, String> {
        let text = |pointer: &str| instance.pointer(pointer).and_then(Value::as_str).unwrap_or_default();
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
            None => Behind::Guest(Box::new(guest_of(instance, (self.clock)()))),
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
        let resource = ApiResource {
            group: "kubevirt.io".into(),
            version: "v1".into(),
            api_version: "kubevirt.io/v1".into(),
            kind: "VirtualMachineInstance".into(),
            plural: "virtualmachineinstances".into(),
        };
        let api: Api<DynamicObject> = Api::namespaced_with(self.client.clone(), namespace, &resource);
        let seen = watch_object(api.clone(), name).filter_map(|seen| async { seen.ok() });
        let (name, first) = (name.to_owned(), Instance::of(instance));
        tokio::spawn(async move {
            if let Some(end) = Work::new(behind, first, lines).run(pin!(seen), &uid).await {
                let annotations = json!({"metadata": {"annotations": {GUEST: word(end)}}});
                let patched = api.patch(&name, &PatchParams::default(), &Patch::Merge(annotations)).await;
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
        let this = Self {
            client: self.client.clone(),
            clock: self.clock.clone(),
            consoles: self.consoles.clone(),
            guests: self.guests.clone(),
        };
        async move {
            let guest = this.guest(&instance).await?;
            let (near, far) = tokio::io::duplex(PIPE);
            guest.send(Box::new(far)).await.map_err(|_| "the guest is over".to_owned())?;
            Ok(Box::new(near) as OpenLine)
        }
        .boxed()
    }
}

/// How an end is told to who plays virt-handler.
fn word(end: End) -> &'static str {
    match end {
        End::PoweredOff => "powered-off",
        End::Crashed => "crashed",
    }
}

/// The guest of an instance, as old as that has been running.
fn guest_of(instance: &Value, now: Timestamp) -> Guest {
    let steps = instance.pointer("/status/phaseTransitionTimestamps").and_then(Value::as_array);
    let running = steps.into_iter().flatten().find(|step| step["phase"] == "Running");
    let since = running.and_then(|step| step["phaseTransitionTimestamp"].as_str()?.parse::<Timestamp>().ok());
    let age = since.map_or(Duration::from_secs(3600), |since| {
        Duration::try_from(now.duration_since(since)).unwrap_or_default()
    });
    Guest::new(Identity::of(instance), BEGINNING.saturating_sub(age), BEGINNING)
}

/// What an instance lets its guest do.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Instance {
    node: String,
    paused: bool,
    ending: bool,
    over: bool,
}

impl Instance {
    fn of(instance: &Value) -> Self {
        let status = &instance["status"];
        let conditions = status["conditions"].as_array().into_iter().flatten();
        Self {
            node: status["nodeName"].as_str().unwrap_or_default().to_owned(),
            paused: conditions.into_iter().any(|one| one["type"] == "Paused" && one["status"] == "True"),
            ending: !instance["metadata"]["deletionTimestamp"].is_null(),
            over: matches!(status["phase"].as_str(), Some("Succeeded" | "Failed")),
        }
    }

    /// What a watch saw of the instance with that UID.
    fn seen(object: Option<DynamicObject>, uid: &str) -> Self {
        match object.filter(|object| object.metadata.uid.as_deref() == Some(uid)) {
            Some(object) => Self::of(&serde_json::to_value(object).unwrap_or_default()),
            None => Self { over: true, ..Self::default() },
        }
    }
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
    async fn run(
        mut self,
        mut seen: impl Stream<Item = Option<DynamicObject>> + Unpin,
        uid: &str,
    ) -> Option<End> {
        let (mut typed, mut said) = (vec![0; PIECE], vec![0; PIECE]);
        loop {
            if let Behind::Guest(guest) = &mut self.behind {
                if self.said.is_empty() {
                    self.said = guest.said();
                }
                if let (Some(end), true) = (guest.end(), self.said.is_empty()) {
                    return Some(end);
                }
            }
            if self.to.is_none() {
                // Nobody reads; a serial line keeps nothing.
                self.said.clear();
                if matches!(&self.behind, Behind::Guest(guest) if guest.end().is_some()) {
                    continue;
                }
            }
            match self.next(&mut seen, uid, &mut typed, &mut said).await {
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
        seen: &mut (impl Stream<Item = Option<DynamicObject>> + Unpin),
        uid: &str,
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
            Some(object) = seen.next() => Happened::Seen(Instance::seen(object, uid)),
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
