//! Objects and logs as somebody who has opened them gets them.

use std::path::Path;

use tokio::time::{Instant, timeout_at};
use v9s::cluster::feed::Timing;
use v9s::cluster::logs::{self, LogNews, LogRequest, LogState, Reading};
use v9s::cluster::object::{self, Following, News, Wanted};
use v9s::store::Freshness;

use super::cluster::runtime;
use super::deadline;
use super::live::connection;

/// Waits for news until the deadline.
fn wait<N>(
    what: &str,
    until: Instant,
    news: impl Future<Output = Option<N>>,
    seen: impl Fn() -> String,
) -> N {
    match runtime().block_on(async { timeout_at(until, news).await }) {
        Ok(Some(news)) => news,
        Ok(None) => panic!("Waited in vain for {what}: nothing more comes.\n{}", seen()),
        Err(_) => panic!("Waited in vain for {what}.\n{}", seen()),
    }
}

/// Followed objects.
pub struct OpenedObjects {
    /// As they are now.
    pub objects: Vec<serde_json::Value>,
    /// Where the following stands.
    pub freshness: Option<Freshness>,
    /// How often a whole answer has come.
    pub answers: usize,
    /// How often it was stale or refused.
    pub troubles: usize,
    following: Following,
}

impl OpenedObjects {
    /// Opens them as the user of a kubeconfig.
    ///
    /// # Panics
    ///
    /// When the kubeconfig cannot be used.
    #[must_use]
    pub fn new(kubeconfig: &Path, wanted: Wanted, timing: Timing) -> Self {
        let connection = connection(kubeconfig).unwrap_or_else(|failure| panic!("{failure}"));
        let _inside = runtime().enter();
        let following = object::follow(connection, wanted, timing);
        Self { objects: Vec::new(), freshness: None, answers: 0, troubles: 0, following }
    }

    fn take(&mut self, news: News) {
        let uid = |object: &serde_json::Value| object["metadata"]["uid"].as_str().unwrap().to_owned();
        if news.whole {
            self.objects.clear();
            self.answers += 1;
        }
        self.objects
            .retain(|old| !news.gone.contains(&uid(old)) && news.here.iter().all(|new| uid(new) != uid(old)));
        self.objects.extend(news.here.iter().map(|object| (**object).clone()));
        if news.freshness.is_some() {
            self.freshness = news.freshness;
            self.troubles += usize::from(self.trouble().is_some());
        }
    }

    /// Why they are not what they should be.
    #[must_use]
    pub fn trouble(&self) -> Option<&str> {
        match &self.freshness {
            Some(Freshness::Stale { why, .. } | Freshness::Denied { why }) => Some(why),
            _ => None,
        }
    }

    /// Waits until something is so.
    pub fn until(&mut self, what: &str, wanted: impl Fn(&Self) -> bool) {
        let until = Instant::from_std(deadline());
        while !wanted(self) {
            let seen = || format!("{:?}\n{:?}", self.freshness, self.objects);
            let news = wait(what, until, self.following.next(), seen);
            self.take(news);
        }
    }
}

/// A log that is read.
pub struct OpenedLog {
    /// The lines so far.
    pub lines: Vec<String>,
    /// How many lines were dropped.
    pub dropped: u64,
    /// All that was said of it, in order.
    pub states: Vec<LogState>,
    /// The most lines that came at a time.
    pub largest: usize,
    reading: Reading,
}

impl OpenedLog {
    /// Opens it as the user of a kubeconfig.
    ///
    /// # Panics
    ///
    /// When the kubeconfig cannot be used.
    #[must_use]
    pub fn new(kubeconfig: &Path, request: LogRequest, timing: Timing) -> Self {
        let connection = connection(kubeconfig).unwrap_or_else(|failure| panic!("{failure}"));
        let _inside = runtime().enter();
        let reading = logs::read(connection, request, timing);
        Self { lines: Vec::new(), dropped: 0, states: Vec::new(), largest: 0, reading }
    }

    fn take(&mut self, news: LogNews) {
        self.largest = self.largest.max(news.lines.len());
        self.dropped += news.dropped;
        self.lines.extend(news.lines.into_iter().map(|line| String::from(line.text)));
        self.states.extend(news.state);
    }

    /// Waits until something is so.
    pub fn until(&mut self, what: &str, wanted: impl Fn(&Self) -> bool) {
        let until = Instant::from_std(deadline());
        while !wanted(self) {
            let seen = || format!("{:?}\n{:?}", self.states, self.lines);
            let news = wait(what, until, self.reading.next(), seen);
            self.take(news);
        }
    }

    /// Waits until so many lines are there, and returns them.
    pub fn lines(&mut self, count: usize) -> &[String] {
        self.until(&format!("{count} lines"), |log| log.lines.len() >= count);
        &self.lines
    }
}
