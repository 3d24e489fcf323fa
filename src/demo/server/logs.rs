//! What the containers of pods say, and those who listen.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::io;
use std::sync::{Mutex, MutexGuard, PoisonError};

use bytes::{BufMut as _, Bytes, BytesMut};
use futures::{StreamExt as _, stream};
use http::StatusCode;
use jiff::{SignedDuration, Timestamp};
use serde_json::Value;
use tokio::sync::watch;

use super::Server;
use super::http::{Answer, Call};
use super::kinds::Kind;
use super::read;
use super::refusal::Refusal;
use super::storage::Key;

/// How many bytes of lines are kept of a container.
const KEPT: usize = 256 << 10;

/// What a line costs beside its text, in bytes.
const LINE: usize = 64;

/// How many bytes are sent at a time.
const PIECE: usize = 64 << 10;

/// One line, without its end.
#[derive(Clone, Debug)]
struct Line {
    at: Timestamp,
    text: Bytes,
}

/// The lines of a container.
#[derive(Debug, Default)]
struct Log {
    lines: VecDeque<Line>,
    bytes: usize,
    /// How many lines came before those that are kept.
    forgotten: u64,
    /// How often its container was started again, as far as has been noticed.
    restarts: u64,
    /// The numbers of the first lines of its run, and of the one before.
    begin: u64,
    before: Option<u64>,
}

impl Log {
    fn append(&mut self, at: Timestamp, text: &str) {
        let text = Bytes::copy_from_slice(&text.as_bytes()[..text.len().min(KEPT)]);
        self.bytes += text.len() + LINE;
        self.lines.push_back(Line { at, text });
        while self.bytes > KEPT && self.lines.len() > 1 {
            let Some(oldest) = self.lines.pop_front() else { return };
            self.bytes -= oldest.text.len() + LINE;
            self.forgotten += 1;
        }
    }

    /// Notices that its container was started again: what follows is another run.
    fn run(&mut self, restarts: u64) {
        if restarts > self.restarts {
            self.restarts = restarts;
            self.before = Some(self.begin);
            self.begin = self.end();
        }
    }

    /// How many lines there have been.
    fn end(&self) -> u64 {
        self.forgotten + self.lines.len() as u64
    }
}

type Pods = HashMap<Key, BTreeMap<String, Log>>;

/// The logs of all pods.
#[derive(Debug)]
pub(crate) struct Logs {
    pods: Mutex<Pods>,
    changed: watch::Sender<()>,
}

impl Default for Logs {
    fn default() -> Self {
        Self { pods: Mutex::default(), changed: watch::Sender::new(()) }
    }
}

impl Logs {
    fn lock(&self) -> MutexGuard<'_, Pods> {
        self.pods.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Drops the lines of a pod that is gone.
    pub(crate) fn forget(&self, pod: &Key) {
        self.lock().remove(pod);
    }

    /// Whether there are lines of a pod of that name.
    #[cfg(test)]
    pub(crate) fn knows(&self, pod: &str) -> bool {
        self.lock().keys().any(|key| key.name == pod)
    }
}

impl Server {
    /// Appends what a container of a pod says, line by line, at the time of the server's clock. Of each container the
    /// last 256 KiB are kept, until the pod is gone; what a pod says that is not there is lost. It is for those who play
    /// the pod.
    pub fn append_log(&self, namespace: &str, pod: &str, container: &str, text: &str) {
        let now = self.now();
        let key = Key::new(namespace, pod);
        let Some(kind) = Kind::of_plural("", "pods") else { return };
        // Under the lock of the storage, so that the lines do not outlive a pod that goes meanwhile.
        self.storage().with(|state| {
            let Some(found) = state.get(kind, &key) else { return };
            let restarts = restarts_of(&found.value(kind.stored_version()), container);
            let mut pods = self.logs().lock();
            let log = pods.entry(key).or_default().entry(container.to_owned()).or_default();
            log.run(restarts);
            for line in text.lines() {
                log.append(now, line);
            }
        });
        self.logs().changed.send_replace(());
    }
}

/// What of a log is asked for.
#[derive(Clone, Debug)]
struct Asked {
    container: String,
    follow: bool,
    timestamps: bool,
    previous: bool,
    tail: Option<u64>,
    since: Option<Timestamp>,
    /// How many bytes are still to be sent at most.
    left: usize,
}

impl Asked {
    fn of(call: &Call) -> Result<Self, Refusal> {
        let name = call.target.name.as_deref().unwrap_or_default();
        let number = |field: &str, least: i64| {
            let Some(text) = call.query.get(field) else { return Ok(None) };
            let wrong =
                |_| Refusal::bad_request(format!("strconv.ParseInt: parsing {text:?}: invalid syntax"));
            let number: i64 = text.parse().map_err(wrong)?;
            if number >= least {
                return Ok(Some(number));
            }
            let bound =
                if least == 0 { "must be greater than or equal to 0" } else { "must be greater than 0" };
            let why = format!("Invalid value: {number}: {bound}");
            Err(Refusal::invalid_named("", "PodLogOptions", name, &[("FieldValueInvalid", field, why)]))
        };
        let since_time = match call.query.get("sinceTime") {
            None => None,
            Some(text) => Some(text.parse::<Timestamp>().map_err(|_| {
                Refusal::bad_request(format!(
                    "parsing time {text:?} as \"2006-01-02T15:04:05Z07:00\": cannot parse {text:?} as \"2006\""
                ))
            })?),
        };
        let tail = number("tailLines", 0)?;
        let limit = number("limitBytes", 1)?;
        let since = number("sinceSeconds", 1)?;
        if since.is_some() && since_time.is_some() {
            let why = "Forbidden: at most one of `sinceTime` or `sinceSeconds` may be specified".to_owned();
            let cause = [("FieldValueForbidden", "[]", why)];
            return Err(Refusal::invalid_named("", "PodLogOptions", name, &cause));
        }
        let ago =
            |seconds| call.now.saturating_sub(SignedDuration::from_secs(seconds)).unwrap_or(Timestamp::MIN);
        Ok(Self {
            container: call.query.get("container").unwrap_or_default().to_owned(),
            follow: call.query.flag("follow"),
            timestamps: call.query.flag("timestamps"),
            previous: call.query.flag("previous"),
            tail: tail.and_then(|lines| u64::try_from(lines).ok()),
            since: since_time.or(since.map(ago)),
            left: limit.and_then(|bytes| usize::try_from(bytes).ok()).unwrap_or(usize::MAX),
        })
    }
}

/// The names of containers in a part of a pod's spec.
fn containers<'a>(pod: &'a Value, part: &str) -> impl Iterator<Item = &'a str> {
    pod["spec"][part].as_array().into_iter().flatten().filter_map(|container| container["name"].as_str())
}

/// The container that is meant.
pub(super) fn choose(pod: &Value, name: &str, asked: &str) -> Result<String, Refusal> {
    let all = || {
        ["initContainers", "containers", "ephemeralContainers"]
            .into_iter()
            .flat_map(|part| containers(pod, part))
    };
    if asked.is_empty() {
        let own: Vec<&str> = containers(pod, "containers").collect();
        return match own.as_slice() {
            [one] => Ok((*one).to_owned()),
            [] => Err(Refusal::bad_request(format!("a container name must be specified for pod {name}"))),
            _ => {
                let names: Vec<&str> = all().collect();
                let names = names.join(" ");
                let why =
                    format!("a container name must be specified for pod {name}, choose one of: [{names}]");
                Err(Refusal::bad_request(why))
            }
        };
    }
    if all().any(|container| container == asked) {
        return Ok(asked.to_owned());
    }
    Err(Refusal::bad_request(format!("container {asked} is not valid for pod {name}")))
}

/// The state of a container, and of the one before it.
fn state_of<'a>(pod: &'a Value, container: &str) -> Option<&'a Value> {
    let parts = ["containerStatuses", "initContainerStatuses", "ephemeralContainerStatuses"];
    let all = parts.into_iter().filter_map(|part| pod["status"][part].as_array()).flatten();
    all.into_iter().find(|status| status["name"] == container)
}

/// How often a container was started again.
fn restarts_of(pod: &Value, container: &str) -> u64 {
    state_of(pod, container).and_then(|state| state["restartCount"].as_u64()).unwrap_or_default()
}

/// Refuses what the kubelet would refuse.
fn check_state(pod: &Value, name: &str, asked: &Asked) -> Result<(), Refusal> {
    let container = &asked.container;
    if asked.previous && restarts_of(pod, container) > 0 {
        return Ok(());
    }
    if asked.previous {
        let why = format!("previous terminated container {container:?} in pod {name:?} not found");
        return Err(Refusal::bad_request(why));
    }
    let status = state_of(pod, container);
    let waiting = match status {
        Some(status) if !status["lastState"]["terminated"].is_null() => None,
        Some(status) => status["state"]["waiting"]
            .as_object()
            .map(|waiting| waiting.get("reason").and_then(Value::as_str).unwrap_or("ContainerCreating")),
        None => (pod["status"]["phase"] == "Pending").then_some("ContainerCreating"),
    };
    let Some(reason) = waiting else { return Ok(()) };
    let reason = match reason {
        "ErrImagePull" | "ImagePullBackOff" => "trying and failing to pull image",
        other => other,
    };
    Err(Refusal::bad_request(format!(
        "container {container:?} in pod {name:?} is waiting to start: {reason}"
    )))
}

/// What a container of a pod has said, and what it says from now on.
pub(crate) fn answer(server: &Server, call: &Call) -> Result<Answer, Refusal> {
    let kind = call.target.kind;
    let mut asked = Asked::of(call)?;
    let key = read::key_of(&call.target);
    let found = server.storage().with(|state| state.get(kind, &key));
    let pod = found.ok_or_else(|| Refusal::not_found(kind, &key.name))?.value(kind.stored_version());
    asked.container = choose(&pod, &key.name, &asked.container)?;
    if pod["spec"]["nodeName"].as_str().is_none_or(str::is_empty) {
        return Ok(Answer::Text(StatusCode::NO_CONTENT, Bytes::new()));
    }
    check_state(&pod, &key.name, &asked)?;
    let uid = pod["metadata"]["uid"].clone();
    let (changed, newest) = (server.logs().changed.subscribe(), server.storage().subscribe());
    let (mut next, mut stop) = (0, None);
    if let Some(log) = server.logs().lock().get_mut(&key).and_then(|all| all.get_mut(&asked.container)) {
        log.run(restarts_of(&pod, &asked.container));
        next = log.begin;
        if asked.previous {
            (next, stop) = (log.before.unwrap_or(log.begin), Some(log.begin));
        }
        let end = stop.unwrap_or_else(|| log.end());
        next = asked.tail.map_or(next, |lines| end.saturating_sub(lines).max(next));
    }
    // A run that is over says nothing more.
    asked.follow &= !asked.previous;
    let listener =
        Listener { server: server.clone(), key, kind, uid, asked, next, stop, changed, newest, over: false };
    Ok(Answer::TextPieces(stream::unfold(listener, Listener::next).boxed()))
}

/// One reader of a log: a place in it. Nothing is kept for it.
struct Listener {
    server: Server,
    key: Key,
    kind: Kind,
    /// Of the pod, so that one of the same name is not taken for it.
    uid: Value,
    asked: Asked,
    /// The number of the next line.
    next: u64,
    /// The number of the line before which it ends, if that is known.
    stop: Option<u64>,
    changed: watch::Receiver<()>,
    newest: watch::Receiver<u64>,
    over: bool,
}

impl Listener {
    /// The next piece, as soon as there is one.
    async fn next(mut self) -> Option<(io::Result<Bytes>, Self)> {
        let mut out = BytesMut::new();
        while !self.over {
            self.changed.borrow_and_update();
            self.newest.borrow_and_update();
            // Asked for before the lines are read: what a container says last, it says before it ends.
            let ended = !self.asked.follow || self.has_ended();
            let more = self.fill(&mut out);
            self.over = self.asked.left == 0 || ended && !more;
            if !out.is_empty() {
                return Some((Ok(out.freeze()), self));
            }
            if !self.over && !more {
                tokio::select! {
                    changed = self.changed.changed() => changed.ok()?,
                    changed = self.newest.changed() => changed.ok()?,
                }
            }
        }
        None
    }

    /// Whether the container says nothing any more.
    fn has_ended(&self) -> bool {
        let Some(pod) = self.server.storage().with(|state| state.get(self.kind, &self.key)) else {
            return true;
        };
        let pod = pod.value(self.kind.stored_version());
        let state = state_of(&pod, &self.asked.container);
        pod["metadata"]["uid"] != self.uid
            || matches!(pod["status"]["phase"].as_str(), Some("Succeeded" | "Failed"))
            || state.is_some_and(|state| !state["state"]["terminated"].is_null())
    }

    /// Appends lines, up to a piece. Returns whether there are more.
    fn fill(&mut self, out: &mut BytesMut) -> bool {
        let pods = self.server.logs().lock();
        let log = pods.get(&self.key).and_then(|containers| containers.get(&self.asked.container));
        let Some(log) = log else { return false };
        self.next = self.next.max(log.forgotten);
        let end = self.stop.unwrap_or(u64::MAX).min(log.end());
        while self.next < end {
            if out.len() >= PIECE || self.asked.left == 0 {
                return true;
            }
            let place = usize::try_from(self.next - log.forgotten).unwrap_or(usize::MAX);
            let Some(line) = log.lines.get(place) else { return false };
            self.next += 1;
            if self.asked.since.is_some_and(|since| line.at < since) {
                continue;
            }
            let before = out.len();
            if self.asked.timestamps {
                out.put_slice(line.at.strftime("%Y-%m-%dT%H:%M:%S.%9fZ ").to_string().as_bytes());
            }
            out.put_slice(&line.text);
            out.put_u8(b'\n');
            let sent = (out.len() - before).min(self.asked.left);
            out.truncate(before + sent);
            self.asked.left -= sent;
        }
        false
    }
}
