//! The lines containers write, as a kubelet keeps them: the last ones, as long as there is the pod.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};

use jiff::Timestamp;
use serde_json::Value;
use tokio::sync::watch;

use super::super::Logs;
use super::super::object::Object;

/// How many bytes of lines are kept of a container.
const KEPT: usize = 256 << 10;

/// How many bytes are kept of all; those of the pods that have been silent longest go first.
const KEPT_OF_ALL: usize = 64 << 20;

/// What a line costs beside its text, in bytes.
const LINE: usize = 64;

/// One line, without its end.
#[derive(Clone, Debug)]
struct Line {
    at: Timestamp,
    text: Box<str>,
}

/// What a container wrote, and how it is.
#[derive(Debug, Default)]
struct Container {
    lines: VecDeque<Line>,
    bytes: usize,
    /// How many lines came before those that are kept.
    forgotten: u64,
    /// The numbers of the first lines of its run, and of the one before.
    begin: u64,
    before: Option<u64>,
    restarts: i64,
    /// Why it has not begun; empty where it has.
    waiting: String,
    ended: bool,
}

impl Container {
    fn end(&self) -> u64 {
        self.forgotten + self.lines.len() as u64
    }
}

#[derive(Debug, Default)]
struct Pod {
    containers: BTreeMap<String, Container>,
    /// When one of them last wrote, counted in lines of all.
    last: u64,
}

#[derive(Debug, Default)]
struct Pods {
    all: HashMap<(String, String), Pod>,
    bytes: usize,
    written: u64,
}

/// The lines of all containers.
#[derive(Debug)]
pub(super) struct Lines {
    pods: Mutex<Pods>,
    changed: watch::Sender<()>,
}

/// What somebody wants to read.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(super) struct Asked {
    pub(super) follow: bool,
    pub(super) timestamps: bool,
    pub(super) previous: bool,
    pub(super) tail: Option<u64>,
    pub(super) since: Option<Timestamp>,
    /// How many bytes at most.
    pub(super) limit: Option<usize>,
}

/// A place in a container's lines.
#[derive(Clone, Debug)]
pub(super) struct Reader {
    pod: (String, String),
    container: String,
    asked: Asked,
    next: u64,
    /// Where a run that is over ends.
    stop: Option<u64>,
    left: usize,
}

impl Lines {
    pub(super) fn new() -> Self {
        Self { pods: Mutex::default(), changed: watch::Sender::new(()) }
    }

    fn lock(&self) -> MutexGuard<'_, Pods> {
        self.pods.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Tells of every change.
    pub(super) fn subscribe(&self) -> watch::Receiver<()> {
        self.changed.subscribe()
    }

    /// Begins to read.
    ///
    /// # Errors
    ///
    /// What a kubelet says against it, with its HTTP status.
    pub(super) fn read(
        &self,
        namespace: &str,
        pod: &str,
        container: &str,
        asked: Asked,
    ) -> Result<Reader, (u16, String)> {
        let pods = self.lock();
        let key = (namespace.to_owned(), pod.to_owned());
        let Some(known) = pods.all.get(&key) else {
            return Err((404, format!("pod {pod:?} does not exist\n")));
        };
        let Some(of) = known.containers.get(container) else {
            return Err((404, format!("container {container:?} not found in pod {pod:?}\n")));
        };
        if !of.waiting.is_empty() && of.before.is_none() && of.lines.is_empty() {
            let reason = match of.waiting.as_str() {
                "ErrImagePull" | "ImagePullBackOff" => "trying and failing to pull image",
                other => other,
            };
            let why = format!("container {container:?} in pod {pod:?} is waiting to start: {reason}\n");
            return Err((400, why));
        }
        let (begin, stop) = match (asked.previous, of.before) {
            (false, _) => (of.begin, None),
            (true, Some(before)) => (before, Some(of.begin)),
            (true, None) => {
                let why = format!("previous terminated container {container:?} in pod {pod:?} not found\n");
                return Err((400, why));
            }
        };
        let end = stop.unwrap_or_else(|| of.end());
        let next = asked.tail.map_or(begin, |lines| end.saturating_sub(lines).max(begin));
        let left = asked.limit.unwrap_or(usize::MAX);
        Ok(Reader { pod: key, container: container.to_owned(), asked, next, stop, left })
    }

    /// Reads on, up to about so many bytes; nothing where all was read and there will be no more. An empty text means that
    /// there may be more later.
    pub(super) fn more(&self, reader: &mut Reader, most: usize) -> Option<String> {
        let pods = self.lock();
        let of = pods.all.get(&reader.pod)?.containers.get(&reader.container)?;
        let mut out = String::new();
        reader.next = reader.next.max(of.forgotten);
        let end = reader.stop.unwrap_or_else(|| of.end());
        while reader.next < end && out.len() < most && reader.left > 0 {
            let place = usize::try_from(reader.next - of.forgotten).ok()?;
            let line = of.lines.get(place)?;
            reader.next += 1;
            if reader.asked.since.is_some_and(|since| line.at < since) {
                continue;
            }
            let mut text = String::new();
            if reader.asked.timestamps {
                text.push_str(&line.at.strftime("%Y-%m-%dT%H:%M:%S.%9fZ ").to_string());
            }
            text.push_str(&line.text);
            text.push('\n');
            let mut cut = text.len().min(reader.left);
            while !text.is_char_boundary(cut) {
                cut -= 1;
            }
            reader.left = if cut < text.len() { 0 } else { reader.left - cut };
            out.push_str(text.get(..cut).unwrap_or_default());
        }
        let over = reader.next >= end || reader.left == 0;
        let done = over && (!reader.asked.follow || reader.stop.is_some() || of.ended || reader.left == 0);
        if out.is_empty() && done { None } else { Some(out) }
    }
}

impl Pods {
    fn forget(&mut self, key: &(String, String)) {
        let gone = self.all.remove(key);
        let bytes: usize =
            gone.iter().flat_map(|pod| pod.containers.values()).map(|container| container.bytes).sum();
        self.bytes = self.bytes.saturating_sub(bytes);
    }
}

impl Logs for Lines {
    fn append(&self, namespace: &str, pod: &str, container: &str, line: &str, at: Timestamp) {
        let mut cut = line.len().min(KEPT / 2);
        while !line.is_char_boundary(cut) {
            cut -= 1;
        }
        let line = line.get(..cut).unwrap_or_default();
        {
            let mut pods = self.lock();
            let key = (namespace.to_owned(), pod.to_owned());
            pods.written += 1;
            let written = pods.written;
            let of = pods.all.entry(key.clone()).or_default();
            of.last = written;
            let container = of.containers.entry(container.to_owned()).or_default();
            let mut change = line.len() + LINE;
            container.bytes += change;
            container.lines.push_back(Line { at, text: line.into() });
            let mut freed = 0;
            while container.bytes > KEPT {
                let Some(oldest) = container.lines.pop_front() else { break };
                container.forgotten += 1;
                container.bytes -= oldest.text.len() + LINE;
                freed += oldest.text.len() + LINE;
            }
            change += pods.bytes;
            pods.bytes = change.saturating_sub(freed);
            while pods.bytes > KEPT_OF_ALL && pods.all.len() > 1 {
                let oldest =
                    pods.all.iter().filter(|(other, _)| **other != key).min_by_key(|(_, pod)| pod.last);
                let Some(oldest) = oldest.map(|(key, _)| key.clone()) else { break };
                pods.forget(&oldest);
            }
        }
        self.changed.send_replace(());
    }

    fn saw(&self, pod: &Object) {
        {
            let mut pods = self.lock();
            let known = pods.all.entry((pod.namespace().to_owned(), pod.name().to_owned())).or_default();
            for status in ["/status/initContainerStatuses", "/status/containerStatuses"]
                .into_iter()
                .flat_map(|pointer| pod.list(pointer))
            {
                let Some(name) = status["name"].as_str() else { continue };
                let container = known.containers.entry(name.to_owned()).or_default();
                let restarts = status["restartCount"].as_i64().unwrap_or_default();
                if restarts > container.restarts {
                    container.restarts = restarts;
                    container.before = Some(container.begin);
                    container.begin = container.end();
                }
                let reason = status["state"]["waiting"]["reason"].as_str();
                reason.unwrap_or_default().clone_into(&mut container.waiting);
                container.ended = status["state"]["terminated"] != Value::Null;
            }
        }
        self.changed.send_replace(());
    }

    fn gone(&self, namespace: &str, pod: &str) {
        self.lock().forget(&(namespace.to_owned(), pod.to_owned()));
        self.changed.send_replace(());
    }
}
