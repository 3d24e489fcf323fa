//! What the containers of pods have said.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use jiff::Timestamp;
use tokio::sync::watch;

use super::Server;
use super::storage::Key;

/// How many bytes of lines are kept of a container.
const KEPT: usize = 256 << 10;

/// One line, without its end.
#[derive(Clone, Debug)]
struct Line {
    /// Counts the lines of the container from its first on.
    number: u64,
    at: Timestamp,
    text: Bytes,
}

/// The lines of a container.
#[derive(Debug, Default)]
struct Log {
    lines: VecDeque<Line>,
    bytes: usize,
    next: u64,
}

impl Log {
    fn append(&mut self, at: Timestamp, text: &str) {
        let text = Bytes::copy_from_slice(text.as_bytes());
        self.bytes += text.len();
        self.lines.push_back(Line { number: self.next, at, text });
        self.next += 1;
        while self.bytes > KEPT && self.lines.len() > 1 {
            if let Some(oldest) = self.lines.pop_front() {
                self.bytes -= oldest.text.len();
            }
        }
    }
}

/// The logs of all pods.
#[derive(Debug)]
pub(crate) struct Logs {
    pods: Mutex<HashMap<Key, BTreeMap<String, Log>>>,
    changed: watch::Sender<()>,
}

impl Default for Logs {
    fn default() -> Self {
        Self { pods: Mutex::default(), changed: watch::Sender::new(()) }
    }
}

impl Logs {
    fn lock(&self) -> MutexGuard<'_, HashMap<Key, BTreeMap<String, Log>>> {
        self.pods.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Drops the lines of a pod that is gone.
    pub(crate) fn forget(&self, pod: &Key) {
        self.lock().remove(pod);
        self.changed.send_replace(());
    }
}

impl Server {
    /// Appends what a container of a pod says, line by line, at the time of the server's clock. Of each container the
    /// last 256 KiB are kept, until the pod is gone. It is for those who play the pod.
    pub fn append_log(&self, namespace: &str, pod: &str, container: &str, text: &str) {
        let now = self.now();
        let mut pods = self.logs().lock();
        let log = pods.entry(Key::new(namespace, pod)).or_default().entry(container.to_owned()).or_default();
        for line in text.lines() {
            log.append(now, line);
        }
        drop(pods);
        self.logs().changed.send_replace(());
    }
}
