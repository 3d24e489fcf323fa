//! The client with the credentials of the moment, made anew when they run out or are refused.
//!
//! One renewal runs at a time and serves everybody who waits for it. A login that fails, or that the server refuses
//! again, is not tried at once by the next request: plugins open browsers.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use jiff::{SignedDuration, Timestamp};
use kube::Client;

use super::error::{Failure, FailureKind, sentence};
use super::plugin::{self, Credential};
use super::settings::Settings;

/// How long before their end credentials are renewed, where they live long enough for that.
const EARLY: SignedDuration = SignedDuration::from_mins(2);

/// How long a failed or useless login is not repeated.
const PAUSE: Duration = Duration::from_secs(15);

/// A client and what renews it.
pub(crate) struct Renewing {
    settings: Settings,
    held: Mutex<Held>,
    /// Held while a renewal runs.
    turn: tokio::sync::Mutex<()>,
}

struct Held {
    client: Client,
    /// Counts clients, so that two requests refused with the same one lead to one renewal.
    generation: u64,
    validity: Validity,
    /// When the last client was made because the server refused the one before.
    refused: Option<Instant>,
    /// The last renewal's failure, and when it was.
    failure: Option<(Instant, Failure)>,
}

/// From when on a credential is renewed, and when it ends.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Validity {
    renew_at: Option<Timestamp>,
    ends: Option<Timestamp>,
}

impl Validity {
    /// Two minutes before the end, but not before four fifths of the lifetime, or a token that lives for a minute
    /// would be renewed with every request. One that has ended on arrival tells of a wrong clock: only a refusal renews it.
    fn of(ends: Option<Timestamp>, now: Timestamp) -> Self {
        let Some(end) = ends else {
            return Self::default();
        };
        let lifetime = end.duration_since(now);
        if lifetime <= SignedDuration::ZERO {
            return Self::default();
        }
        let early = (lifetime / 5).min(EARLY);
        Self { renew_at: end.checked_sub(early).ok(), ends }
    }

    fn is_due(self, now: Timestamp) -> bool {
        self.renew_at.is_some_and(|at| at <= now)
    }

    fn has_ended(self, now: Timestamp) -> bool {
        self.ends.is_some_and(|end| end <= now)
    }
}

/// A client and its number.
pub(crate) struct Numbered {
    pub(crate) client: Client,
    pub(crate) generation: u64,
}

impl Renewing {
    /// Logs in for the first time.
    pub(crate) async fn start(settings: Settings) -> Result<Self, Failure> {
        let (client, validity) = log_in(&settings).await?;
        let held = Held { client, generation: 0, validity, refused: None, failure: None };
        Ok(Self { settings, held: Mutex::new(held), turn: tokio::sync::Mutex::new(()) })
    }

    /// What the client was made from.
    pub(crate) fn settings(&self) -> &Settings {
        &self.settings
    }

    /// Returns the client, renewed before if it is about to run out.
    ///
    /// Credentials that are due but still good are used while somebody else renews them, and when renewing fails.
    pub(crate) async fn current(&self) -> Result<Numbered, Failure> {
        let now = Timestamp::now();
        let (numbered, validity) = self.look();
        if !validity.is_due(now) {
            return Ok(numbered);
        }
        if validity.has_ended(now) {
            return self.renew(numbered.generation, false).await;
        }
        match self.turn.try_lock() {
            Ok(turn) => {
                drop(turn);
                Ok(self.renew(numbered.generation, false).await.unwrap_or(numbered))
            }
            Err(_) => Ok(numbered),
        }
    }

    /// Returns another client than the refused one, or none if no other is to be had.
    pub(crate) async fn after_refusal(&self, refused: u64) -> Result<Option<Numbered>, Failure> {
        if !self.settings.renewable {
            return Ok(None);
        }
        if self.lock().refused.is_some_and(|at| at.elapsed() < PAUSE) && self.look().0.generation == refused {
            return Ok(None);
        }
        self.renew(refused, true).await.map(Some)
    }

    async fn renew(&self, stale: u64, refused: bool) -> Result<Numbered, Failure> {
        let _turn = self.turn.lock().await;
        {
            let held = self.lock();
            if held.generation != stale {
                return Ok(held.numbered());
            }
            if let Some((at, failure)) = &held.failure
                && at.elapsed() < PAUSE
            {
                return Err(failure.clone());
            }
        }
        let result = log_in(&self.settings).await;
        let mut held = self.lock();
        match result {
            Ok((client, validity)) => {
                held.client = client;
                held.generation += 1;
                held.validity = validity;
                held.refused = refused.then(Instant::now);
                held.failure = None;
                Ok(held.numbered())
            }
            Err(failure) => {
                held.failure = Some((Instant::now(), failure.clone()));
                Err(failure)
            }
        }
    }

    fn look(&self) -> (Numbered, Validity) {
        let held = self.lock();
        (held.numbered(), held.validity)
    }

    /// Nothing panics while it is held, and what it holds is whole at any time.
    fn lock(&self) -> MutexGuard<'_, Held> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Held {
    fn numbered(&self) -> Numbered {
        Numbered { client: self.client.clone(), generation: self.generation }
    }
}

/// Runs the plugin, if there is one, and makes a client.
async fn log_in(settings: &Settings) -> Result<(Client, Validity), Failure> {
    let credential = match &settings.plugin {
        Some((exec, cluster)) => Some(plugin::run(exec, cluster.as_ref(), plugin::LIMIT).await?),
        None => None,
    };
    let ends = credential.as_ref().and_then(|credential: &Credential| credential.expires);
    let config = settings.config(credential.as_ref())?;
    let settings = settings.clone();
    let client = blocking(move || settings.client(config)).await?;
    Ok((client, Validity::of(ends, Timestamp::now())))
}

/// Runs what may block on the pool for that.
pub(crate) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, Failure> + Send + 'static,
) -> Result<T, Failure> {
    tokio::task::spawn_blocking(work).await.unwrap_or_else(|why| {
        Err(Failure::new(FailureKind::Config, sentence(&format!("Connecting failed: {why}"))))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cluster::kubeconfig::Flags;
    use crate::cluster::settings::prepare;
    use crate::cluster::testing::one_context;

    #[test]
    fn credentials_are_renewed_early_but_not_all_the_time() {
        let now: Timestamp = "2026-11-21T12:00:00Z".parse().unwrap();
        let cases = [
            // lifetime in seconds, renewed after
            (Some(36_000), Some(36_000 - 120)),
            (Some(900), Some(900 - 120)),
            (Some(300), Some(240)),
            (Some(60), Some(48)),
            (Some(0), None),
            (Some(-3600), None),
            (None, None),
        ];
        for (lifetime, expected) in cases {
            let ends = lifetime.map(|seconds| now + SignedDuration::from_secs(seconds));
            let validity = Validity::of(ends, now);
            let expected = expected.map(|seconds| now + SignedDuration::from_secs(seconds));
            assert_eq!(validity.renew_at, expected, "{lifetime:?}");
            assert!(!validity.is_due(now));
        }
        let validity = Validity::of(Some(now + SignedDuration::from_secs(600)), now);
        assert!(validity.is_due(now + SignedDuration::from_secs(500)));
        assert!(!validity.has_ended(now + SignedDuration::from_secs(500)));
        assert!(validity.has_ended(now + SignedDuration::from_secs(600)));
    }

    /// A login whose plugin gives a token while the file beside it exists.
    async fn renewing(folder: &std::path::Path) -> Renewing {
        let answer = r#"{"kind":"ExecCredential","apiVersion":"client.authentication.k8s.io/v1","status":{"token":"t"}}"#;
        let file = folder.join("answer");
        std::fs::write(&file, answer).unwrap();
        let user = format!(
            "exec: {{apiVersion: client.authentication.k8s.io/v1, command: cat, args: ['{}']}}",
            file.display()
        );
        let configuration = one_context(folder, "server: 'http://127.0.0.1:1'", &user);
        let flags = Flags::default();
        let chosen = configuration.choose(None, &flags).unwrap();
        let settings = prepare(&chosen, &flags, &configuration.proxy).unwrap();
        Renewing::start(settings).await.unwrap()
    }

    fn ends_in(seconds: i64) -> Validity {
        let now = Timestamp::now();
        Validity {
            renew_at: Some(now - SignedDuration::from_secs(1)),
            ends: Some(now + SignedDuration::from_secs(seconds)),
        }
    }

    #[tokio::test]
    async fn what_is_due_is_renewed_and_what_is_still_good_is_used_meanwhile() {
        let folder = tempfile::tempdir().unwrap();
        let renewing = renewing(folder.path()).await;
        assert_eq!(renewing.current().await.unwrap().generation, 0, "nothing is due");
        renewing.lock().validity = ends_in(60);
        {
            let _somebody_else = renewing.turn.lock().await;
            assert_eq!(renewing.current().await.unwrap().generation, 0);
        }
        assert_eq!(renewing.current().await.unwrap().generation, 1);

        std::fs::remove_file(folder.path().join("answer")).unwrap();
        renewing.lock().validity = ends_in(60);
        assert_eq!(renewing.current().await.unwrap().generation, 1, "a failed login does no harm yet");
        renewing.lock().validity = ends_in(-1);
        let failure = renewing.current().await.err().unwrap();
        assert_eq!(failure.kind, FailureKind::Plugin);
    }
}
