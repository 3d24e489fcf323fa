//! Events go after a while, as with the `--event-ttl` of kube-apiserver.

use std::sync::Mutex;

use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

use super::Server;
use super::kinds::Kind;

/// How long an event stays after it was written last.
const EVENT_LIFE: SignedDuration = SignedDuration::from_hours(1);

/// How often old ones are looked for, at most.
const PAUSE: SignedDuration = SignedDuration::from_mins(1);

/// When old events are looked for next.
#[derive(Debug, Default)]
pub(crate) struct NextSweep(Mutex<Option<Timestamp>>);

impl NextSweep {
    fn is_due(&self, now: Timestamp) -> bool {
        let mut next = self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let due = next.is_none_or(|next| next <= now);
        if due {
            *next = now.checked_add(PAUSE).ok();
        }
        due
    }
}

/// Removes events that are too old; called when one is created, so that a cluster on which nothing happens costs nothing.
pub(crate) fn sweep(server: &Server, now: Timestamp) {
    let Some(kind) = Kind::of_plural("", "events").filter(|_| server.next_sweep().is_due(now)) else {
        return;
    };
    server.transact(|transaction| {
        let old: Vec<_> = transaction
            .state
            .list(kind, None, None, None)
            .into_iter()
            .flatten()
            .map(|stored| (stored.key.clone(), stored.value(kind.stored_version())))
            .filter(|(_, event)| written(event).is_some_and(|at| now.duration_since(at) > EVENT_LIFE))
            .collect();
        for (key, event) in old {
            transaction.remove(kind, key, event);
        }
    });
}

/// When an event was written last, as far as it says so.
fn written(event: &Value) -> Option<Timestamp> {
    let fields = [&event["lastTimestamp"], &event["eventTime"], &event["metadata"]["creationTimestamp"]];
    fields.into_iter().filter_map(|field| field.as_str()?.parse().ok()).max()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::testing::{Api, BEGIN};
    use super::*;

    #[tokio::test]
    async fn an_event_goes_an_hour_after_it_was_written_last() {
        let api = Api::new().as_admin();
        let tell = async |name: &str, seconds: i64| {
            let at: Timestamp = BEGIN.parse().unwrap();
            let event = json!({
                "apiVersion": "v1", "kind": "Event", "metadata": {"name": name, "namespace": "default"},
                "involvedObject": {"namespace": "default"}, "reason": "Test",
                "lastTimestamp": super::super::time(at + SignedDuration::from_secs(seconds)),
            });
            assert_eq!(api.post("/api/v1/namespaces/default/events", event).await.0, 201);
        };
        let names = async || -> Vec<String> {
            let list = api.get("/api/v1/namespaces/default/events").await.1;
            let items = list["items"].as_array().unwrap().clone();
            items.iter().map(|one| one["metadata"]["name"].as_str().unwrap().to_owned()).collect()
        };
        tell("first", 0).await;
        api.advance(3000);
        tell("second", 3000).await;
        assert_eq!(names().await, ["first", "second"]);
        api.advance(700);
        tell("third", 3700).await;
        assert_eq!(names().await, ["second", "third"]);
    }
}
