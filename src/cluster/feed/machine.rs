//! What a feed does next. Pure: errors, answers and the end of waiting go in, requests come out.
//!
//! ```text
//! Listing ──last page──▶ Watching ──error──▶ Waiting ──▶ Watching, or Listing when the version is lost
//!    │ 403 ─▶ Denied (asks again now and then)   │ 410 ─▶ Listing: a new round, rows stay until it is complete
//!    │ 404 ─▶ Absent
//! ```

use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::cluster::error::{Failure, FailureKind};
use crate::store::Freshness;

use super::PageEnd;

/// Objects on the first page: what a screen shows.
pub(super) const FIRST_PAGE: u32 = 50;
/// Objects on every other page.
pub(super) const PAGE: u32 = 500;
/// How long until a refused list is tried again: rights may be given meanwhile.
const ASK_AGAIN: Duration = Duration::from_secs(120);
/// How often a refusal is not quite believed, and how long until the next question: a server that has just started
/// refuses everybody until it has read who may do what. Rows that are there stay meanwhile.
const DOUBTS: u32 = 2;
const DOUBT: Duration = Duration::from_secs(3);
const FIRST_PAUSE: Duration = Duration::from_millis(250);
const LONGEST_PAUSE: Duration = Duration::from_secs(30);
/// The longest pause that a server gets when it asks for one: whoever sits in front of the screen waits, too.
const LONGEST_WISH: Duration = Duration::from_secs(120);
/// A watch that ends sooner than this without a word counts as a failure.
const TOO_SOON: Duration = Duration::from_secs(1);

/// What happened.
#[derive(Debug)]
pub enum Input {
    /// A page has come, all its records are on their way to the store.
    Page(PageEnd),
    /// The watch is open.
    Open,
    /// The watch told of a version: by an event or by a bookmark.
    Version(String),
    /// The server ended the watch in order.
    Ended,
    /// A list or a watch failed.
    Failed(Failure),
    /// The pause is over.
    Timer,
}

/// What to do.
#[derive(Clone, Debug, PartialEq)]
pub enum Action {
    /// Ask for a page.
    List {
        /// How many objects at most.
        limit: u32,
        /// The token of the page before.
        token: Option<String>,
    },
    /// Watch from this version.
    Watch {
        /// `metadata.resourceVersion`.
        version: String,
    },
    /// Do nothing for at least this long; the driver adds to it so that a fleet of clients does not come back at once.
    Pause(Duration),
    /// Tell the store where the feed stands.
    Tell(Freshness),
    /// The feed is over.
    End,
}

#[derive(Clone, Debug, PartialEq)]
enum State {
    Listing { token: Option<String>, seen: usize },
    Watching { since: Instant, heard: bool },
    Waiting,
    Over,
}

/// One feed.
#[derive(Debug)]
pub struct Machine {
    /// The server's URL, for sentences.
    server: String,
    state: State,
    /// Which list this is; rows that a complete list has not seen are gone.
    round: u8,
    /// Where a watch may go on; none before the first list is complete or after the server forgot it.
    version: Option<String>,
    /// Failures since something last went well.
    failures: u32,
    /// Since when the rows may be old, and why.
    stale: Option<(Instant, Arc<str>)>,
    /// Whether some list was complete, so that there may be rows.
    complete: bool,
    /// How often in a row the list was refused.
    refused: u32,
    /// Whether the server forgot the version, and has told of nothing since.
    forgotten: bool,
}

impl Machine {
    /// A feed that has asked a server for nothing yet.
    pub fn new(server: &str) -> Self {
        let state = State::Listing { token: None, seen: 0 };
        Self {
            server: server.to_owned(),
            state,
            round: 0,
            version: None,
            failures: 0,
            stale: None,
            complete: false,
            refused: 0,
            forgotten: false,
        }
    }

    /// The number of the list that goes on or was the last one.
    pub fn round(&self) -> u8 {
        self.round
    }

    /// The first thing to do.
    pub fn start(&self) -> Vec<Action> {
        vec![Action::Tell(Freshness::Syncing { seen: 0 }), Action::List { limit: FIRST_PAGE, token: None }]
    }

    /// Takes what happened and says what to do.
    pub fn step(&mut self, input: Input, now: Instant) -> Vec<Action> {
        match input {
            Input::Page(end) => self.page(end, now),
            Input::Open => self.open(),
            Input::Version(version) => {
                if let State::Watching { heard, .. } = &mut self.state {
                    *heard = true;
                    self.failures = 0;
                    self.forgotten = false;
                }
                if !version.is_empty() {
                    self.version = Some(version);
                }
                Vec::new()
            }
            Input::Ended => self.ended(now),
            Input::Failed(failure) => self.failed(&failure, now),
            Input::Timer => self.resume(now),
        }
    }

    fn page(&mut self, end: PageEnd, now: Instant) -> Vec<Action> {
        let State::Listing { token, seen } = &mut self.state else { return Vec::new() };
        *seen += end.count;
        let seen = *seen;
        self.refused = 0;
        match end.next {
            Some(next) if token.as_ref() == Some(&next) => {
                let why = format!(
                    "The API server {} gives the same page of the list again and again.",
                    self.server
                );
                self.failed(&Failure::new(FailureKind::Garbage, why), now)
            }
            Some(next) => {
                self.failures = 0;
                *token = Some(next.clone());
                let mut actions = vec![Action::List { limit: PAGE, token: Some(next) }];
                if self.stale.is_none() {
                    actions.insert(0, Action::Tell(Freshness::Syncing { seen }));
                }
                actions
            }
            None => {
                self.stale = None;
                self.complete = true;
                self.version = Some(end.version);
                let mut actions = vec![Action::Tell(Freshness::Live)];
                actions.extend(self.watch(now));
                actions
            }
        }
    }

    fn open(&mut self) -> Vec<Action> {
        match self.stale.take() {
            Some(_) => vec![Action::Tell(Freshness::Live)],
            None => Vec::new(),
        }
    }

    fn ended(&mut self, now: Instant) -> Vec<Action> {
        match self.state {
            State::Watching { since, heard } if !heard && now.duration_since(since) < TOO_SOON => {
                let why = format!("The API server {} ends every watch at once.", self.server);
                self.failed(&Failure::new(FailureKind::Disconnected, why), now)
            }
            State::Watching { .. } => self.watch(now),
            _ => Vec::new(),
        }
    }

    fn watch(&mut self, now: Instant) -> Vec<Action> {
        match &self.version {
            Some(version) if !version.is_empty() => {
                let version = version.clone();
                self.state = State::Watching { since: now, heard: false };
                vec![Action::Watch { version }]
            }
            // A list without a version: there is nothing to watch from, so list again after a while.
            _ => {
                self.state = State::Waiting;
                self.version = None;
                vec![Action::Pause(LONGEST_PAUSE)]
            }
        }
    }

    fn failed(&mut self, failure: &Failure, now: Instant) -> Vec<Action> {
        let mut doubt = None;
        match failure.kind {
            FailureKind::Gone => {
                self.version = None;
                if let State::Listing { token, .. } = &mut self.state {
                    *token = None;
                }
            }
            FailureKind::Forbidden if self.is_listing() => {
                let in_doubt = self.refused < DOUBTS;
                self.refused = self.refused.saturating_add(1);
                if in_doubt && self.complete {
                    doubt = Some(DOUBT);
                } else {
                    self.complete = false;
                    self.state = State::Waiting;
                    self.version = None;
                    return vec![
                        Action::Tell(Freshness::Denied { why: failure.to_string().into() }),
                        Action::Pause(if in_doubt { DOUBT } else { ASK_AGAIN }),
                    ];
                }
            }
            FailureKind::NotFound if self.is_listing() => {
                self.state = State::Over;
                return vec![Action::Tell(Freshness::Absent), Action::End];
            }
            // The kind went, or the right to watch: a list says which.
            FailureKind::NotFound | FailureKind::Forbidden => self.version = None,
            _ => {}
        }
        self.failures = self.failures.saturating_add(1);
        let since = self.stale.as_ref().map_or(now, |(since, _)| *since);
        let why: Arc<str> = failure.and_again().into();
        self.stale = Some((since, why.clone()));
        let mut actions = vec![Action::Tell(Freshness::Stale { since, why })];
        // The server answers: no need to wait for as long as it was away. But not twice in a row.
        if failure.kind == FailureKind::Gone && !std::mem::replace(&mut self.forgotten, true) {
            actions.extend(self.list());
        } else {
            if !self.is_listing() {
                self.state = State::Waiting;
            }
            actions.push(Action::Pause(doubt.unwrap_or_else(|| self.pause(failure))));
        }
        actions
    }

    fn is_listing(&self) -> bool {
        matches!(self.state, State::Listing { .. })
    }

    /// The server's own wish, or twice as long with every failure, up to half a minute.
    fn pause(&self, failure: &Failure) -> Duration {
        let wished = match failure.kind {
            FailureKind::TooManyRequests { retry_after } | FailureKind::Unavailable { retry_after } => {
                retry_after
            }
            _ => None,
        };
        let doubled = FIRST_PAUSE * 2_u32.saturating_pow(self.failures.saturating_sub(1).min(10));
        match wished {
            Some(wished) => wished.min(LONGEST_WISH),
            None => doubled.min(LONGEST_PAUSE),
        }
    }

    fn list(&mut self) -> Vec<Action> {
        self.round = self.round.wrapping_add(1);
        self.state = State::Listing { token: None, seen: 0 };
        vec![Action::List { limit: PAGE, token: None }]
    }

    fn resume(&mut self, now: Instant) -> Vec<Action> {
        match &self.state {
            // Tokens of lists live for minutes: go on with the page that failed, if it has not failed too often.
            State::Listing { token: Some(token), .. } if self.failures <= 3 => {
                vec![Action::List { limit: PAGE, token: Some(token.clone()) }]
            }
            State::Waiting if self.version.is_some() => self.watch(now),
            State::Listing { .. } | State::Waiting => self.list(),
            State::Watching { .. } | State::Over => Vec::new(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cluster::error::ASKED_AGAIN;

    struct Feed {
        machine: Machine,
        now: Instant,
    }

    impl Feed {
        fn new() -> Self {
            let machine = Machine::new("https://server");
            assert_eq!(say(&machine.start()), "syncing 0, list 50");
            Self { machine, now: Instant::now() }
        }

        fn live() -> Self {
            let mut feed = Self::new();
            assert_eq!(feed.page(3, None, "10"), "live, watch 10");
            feed
        }

        fn then(&mut self, input: Input) -> String {
            say(&self.machine.step(input, self.now))
        }

        fn page(&mut self, count: usize, next: Option<&str>, version: &str) -> String {
            let end = PageEnd {
                count,
                next: next.map(str::to_owned),
                version: version.into(),
                ..PageEnd::default()
            };
            self.then(Input::Page(end))
        }

        fn fails(&mut self, kind: FailureKind) -> String {
            self.then(Input::Failed(Failure::new(kind, "no")))
        }

        fn after(&mut self, seconds: u64) -> &mut Self {
            self.now += Duration::from_secs(seconds);
            self
        }
    }

    fn say(actions: &[Action]) -> String {
        let one = |action: &Action| match action {
            Action::List { limit, token: None } => format!("list {limit}"),
            Action::List { limit, token: Some(token) } => format!("list {limit} from {token}"),
            Action::Watch { version } => format!("watch {version}"),
            Action::Pause(pause) => format!("pause {}", pause.as_millis()),
            Action::End => "end".into(),
            Action::Tell(Freshness::Syncing { seen }) => format!("syncing {seen}"),
            Action::Tell(Freshness::Live) => "live".into(),
            Action::Tell(Freshness::Stale { why, .. }) => {
                format!("stale: {}", why.trim_end_matches(ASKED_AGAIN).trim_end())
            }
            Action::Tell(Freshness::Denied { .. }) => "denied".into(),
            Action::Tell(Freshness::Absent) => "absent".into(),
        };
        actions.iter().map(one).collect::<Vec<_>>().join(", ")
    }

    const AWAY: FailureKind = FailureKind::Unavailable { retry_after: None };

    #[test]
    fn pages_are_followed_to_the_end_and_then_the_watch_begins() {
        let mut feed = Feed::new();
        assert_eq!(feed.page(50, Some("a"), "9"), "syncing 50, list 500 from a");
        assert_eq!(
            feed.page(0, Some("b"), "9"),
            "syncing 50, list 500 from b",
            "an empty page with a token is no end"
        );
        assert_eq!(feed.page(7, None, "9"), "live, watch 9");
        assert_eq!(feed.then(Input::Open), "");
    }

    #[test]
    fn a_list_that_does_not_move_is_given_up() {
        let mut feed = Feed::new();
        feed.page(50, Some("a"), "9");
        assert!(
            feed.page(50, Some("a"), "9")
                .starts_with("stale: The API server https://server gives the same page")
        );
    }

    #[test]
    fn a_watch_that_the_server_ends_goes_on_from_the_last_version() {
        let mut feed = Feed::live();
        feed.then(Input::Open);
        assert_eq!(feed.then(Input::Version("12".into())), "");
        assert_eq!(feed.then(Input::Ended), "watch 12", "it had something to say");
        assert_eq!(
            feed.after(290).then(Input::Ended),
            "watch 12",
            "nothing happened, and that was long enough"
        );
        assert_eq!(
            feed.then(Input::Ended),
            "stale: The API server https://server ends every watch at once., pause 250"
        );
    }

    #[test]
    fn failures_of_the_watch_wait_longer_each_time_and_come_back_live() {
        let mut feed = Feed::live();
        assert_eq!(feed.fails(AWAY), "stale: no, pause 250");
        assert_eq!(feed.then(Input::Timer), "watch 10");
        assert_eq!(feed.fails(AWAY), "stale: no, pause 500");
        for pause in [1000, 2000, 4000, 8000, 16000, 30000, 30000] {
            assert_eq!(feed.then(Input::Timer), "watch 10");
            assert_eq!(feed.fails(AWAY), format!("stale: no, pause {pause}"));
        }
        assert_eq!(feed.then(Input::Timer), "watch 10");
        assert_eq!(feed.then(Input::Open), "live");
        feed.then(Input::Version("11".into()));
        assert_eq!(feed.fails(AWAY), "stale: no, pause 250", "one event is enough to forget the failures");
    }

    #[test]
    fn stale_counts_from_the_first_failure() {
        let mut feed = Feed::live();
        let first = feed.now;
        feed.fails(AWAY);
        feed.after(60).then(Input::Timer);
        let actions = feed.machine.step(Input::Failed(Failure::new(AWAY, "still no")), feed.now);
        let Action::Tell(Freshness::Stale { since, why }) = &actions[0] else { panic!("{actions:?}") };
        assert_eq!((*since, &**why), (first, "still no v9s asks again by itself."));
    }

    #[test]
    fn the_server_may_say_how_long_to_wait_but_not_for_ever() {
        let mut feed = Feed::live();
        let wish = |seconds| FailureKind::TooManyRequests { retry_after: Some(Duration::from_secs(seconds)) };
        assert_eq!(feed.fails(wish(3)), "stale: no, pause 3000");
        feed.then(Input::Timer);
        assert_eq!(feed.fails(wish(45)), "stale: no, pause 45000");
        feed.then(Input::Timer);
        assert_eq!(feed.fails(wish(86_400)), "stale: no, pause 120000");
    }

    #[test]
    fn a_forgotten_version_lists_anew_in_a_new_round_without_losing_rows() {
        let mut feed = Feed::live();
        let round = feed.machine.round();
        assert_eq!(feed.fails(FailureKind::Gone), "stale: no, list 500");
        assert_eq!(feed.machine.round(), round + 1);
        assert_eq!(feed.page(500, Some("a"), "20"), "list 500 from a", "stale until the list is complete");
        assert_eq!(feed.page(1, None, "20"), "live, watch 20");
    }

    #[test]
    fn a_token_that_expired_in_the_middle_of_a_list_begins_again() {
        let mut feed = Feed::new();
        feed.page(50, Some("a"), "9");
        assert_eq!(feed.fails(FailureKind::Gone), "stale: no, list 500");
        assert_eq!(feed.fails(FailureKind::Gone), "stale: no, pause 500", "not in a hurry the second time");
        assert_eq!(feed.then(Input::Timer), "list 500");
    }

    #[test]
    fn a_page_that_failed_is_asked_for_again_a_few_times() {
        let mut feed = Feed::new();
        feed.page(50, Some("a"), "9");
        for _ in 0..3 {
            assert!(feed.fails(AWAY).starts_with("stale"));
            assert_eq!(feed.then(Input::Timer), "list 500 from a");
        }
        feed.fails(AWAY);
        assert_eq!(feed.then(Input::Timer), "list 500");
        assert_eq!(feed.page(2, None, "9"), "live, watch 9");
    }

    #[test]
    fn what_may_not_be_listed_is_denied_and_asked_for_again_later() {
        let mut feed = Feed::new();
        for pause in [3000, 3000, 120_000, 120_000] {
            assert_eq!(feed.fails(FailureKind::Forbidden), format!("denied, pause {pause}"));
            assert_eq!(feed.then(Input::Timer), "list 500");
        }
        assert_eq!(feed.page(1, None, "5"), "live, watch 5");
        assert_eq!(feed.fails(FailureKind::Forbidden), "stale: no, pause 250", "may it still be listed?");
        for _ in 0..2 {
            assert_eq!(feed.then(Input::Timer), "list 500");
            assert_eq!(feed.fails(FailureKind::Forbidden), "stale: no, pause 3000", "is that so?");
        }
        assert_eq!(feed.then(Input::Timer), "list 500");
        assert_eq!(feed.fails(FailureKind::Forbidden), "denied, pause 120000");
        assert_eq!(feed.then(Input::Timer), "list 500");
        assert_eq!(feed.fails(FailureKind::Forbidden), "denied, pause 120000", "there are no rows to keep");
    }

    #[test]
    fn a_server_that_refuses_while_it_starts_takes_no_rows_away() {
        let mut feed = Feed::live();
        for _ in 0..3 {
            assert_eq!(feed.fails(AWAY).split(',').next(), Some("stale: no"));
            feed.then(Input::Timer);
        }
        assert_eq!(feed.fails(FailureKind::Forbidden), "stale: no, pause 2000");
        assert_eq!(feed.then(Input::Timer), "list 500");
        assert_eq!(feed.fails(FailureKind::Forbidden), "stale: no, pause 3000");
        assert_eq!(feed.then(Input::Timer), "list 500");
        assert_eq!(feed.page(3, None, "20"), "live, watch 20");
    }

    #[test]
    fn a_version_that_was_forgotten_during_a_long_outage_is_listed_at_once() {
        let mut feed = Feed::live();
        for _ in 0..9 {
            feed.fails(AWAY);
            feed.then(Input::Timer);
        }
        assert_eq!(feed.fails(FailureKind::Gone), "stale: no, list 500");
        assert_eq!(feed.page(3, None, "20"), "live, watch 20");
        assert_eq!(feed.fails(FailureKind::Gone), "stale: no, pause 30000", "it forgets too fast");
        assert_eq!(feed.then(Input::Timer), "list 500");
        feed.page(3, None, "30");
        feed.then(Input::Version("31".into()));
        assert_eq!(feed.fails(FailureKind::Gone), "stale: no, list 500");
    }

    #[test]
    fn a_kind_that_is_not_served_ends_the_feed() {
        let mut feed = Feed::new();
        assert_eq!(feed.fails(FailureKind::NotFound), "absent, end");
        assert_eq!(feed.then(Input::Timer), "");
        let mut feed = Feed::live();
        assert_eq!(feed.fails(FailureKind::NotFound), "stale: no, pause 250");
        assert_eq!(feed.then(Input::Timer), "list 500", "the kind was removed while it was watched");
        assert_eq!(feed.fails(FailureKind::NotFound), "absent, end");
    }

    #[test]
    fn a_list_without_a_version_is_listed_again() {
        let mut feed = Feed::new();
        assert_eq!(feed.page(1, None, ""), "live, pause 30000");
        assert_eq!(feed.then(Input::Timer), "list 500");
    }

    #[test]
    fn inputs_out_of_turn_do_nothing() {
        let mut feed = Feed::live();
        assert_eq!(feed.page(1, Some("x"), "3"), "");
        assert_eq!(feed.then(Input::Timer), "");
        assert_eq!(Feed::new().then(Input::Ended), "");
    }
}
