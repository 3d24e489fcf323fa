//! The states of our own kinds, out of the status that a controller writes.

use super::Explain;
use super::explained::Explained;
use crate::model::{Name, Now};
use crate::records::{
    Image, ImageFlags, SupportedVersion, VolumeCommand, VolumeSet, Workload, WorkloadFlags,
};
use crate::store::{At, Health};

/// What is said of an object that has no status.
const UNSEEN: &str = "no controller has looked at it yet";

fn said(message: Option<&Name>) -> &str {
    message.map_or("", Name::as_str)
}

impl Explain for Workload {
    fn explain<'a>(at: At<'a, Self>, _: Now) -> Explained<'a> {
        let workload = at.record();
        let since = workload.since.or(workload.meta.created);
        let plain = |word, health| Explained::new(word, health).since(since);
        if !workload.flags.contains(WorkloadFlags::SEEN) {
            return plain("Unknown", Health::Idle).because("", UNSEEN, Health::Idle);
        }
        let off = workload.desired == 0 || &*workload.strategy == "Halted";
        let (word, health) = match &*workload.readiness {
            "Deleting" => ("Deleting", Health::Leaving),
            _ if workload.flags.contains(WorkloadFlags::SUSPENDED) => ("Suspended", Health::Idle),
            _ if off && workload.ready == 0 => ("Stopped", Health::Idle),
            "Healthy" => ("Healthy", Health::Well),
            "Loading" if workload.flags.contains(WorkloadFlags::IMPORTING) => ("Importing", Health::Busy),
            "Loading" => ("Loading", Health::Busy),
            "Unhealthy" => ("Unhealthy", Health::Failed),
            _ => ("Unknown", Health::Warning),
        };
        let progress = if word == "Importing" { workload.progress } else { None };
        plain(word, health).progress(progress).because("", said(workload.message.as_deref()), health)
    }
}

impl Explain for VolumeSet {
    fn explain<'a>(at: At<'a, Self>, _: Now) -> Explained<'a> {
        let set = at.record();
        let plain = |word, health| Explained::new(word, health).since(set.since.or(set.meta.created));
        if !set.seen {
            return plain("Unknown", Health::Idle).because("", UNSEEN, Health::Idle);
        }
        let (word, health) = match () {
            () if set.living("repairing") > 0 => ("Repairing", Health::Busy),
            () if set.living("creating") > 0 => ("Creating", Health::Busy),
            () if set.living("bound") > 0 => ("Bound", Health::Well),
            () if set.living("unbound") > 0 => ("Unbound", Health::Idle),
            () => ("Unused", Health::Idle),
        };
        let trouble = if health == Health::Busy { Health::Busy } else { Health::Warning };
        plain(word, health).because(set.reason.as_str(), said(set.message.as_deref()), trouble)
    }
}

impl Explain for VolumeCommand {
    fn explain<'a>(at: At<'a, Self>, _: Now) -> Explained<'a> {
        let command = at.record();
        let (word, health) = match &*command.stage {
            "" | "pending" => ("Pending", Health::Busy),
            "running" => ("Running", Health::Busy),
            "cancellation-requested" => ("Cancelling", Health::Leaving),
            "cancelled" => ("Cancelled", Health::Idle),
            "completed" => ("Completed", Health::Idle),
            "failed" => ("Failed", Health::Failed),
            _ => ("Unknown", Health::Warning),
        };
        let since = command.ended.or(command.started).or(command.meta.created);
        let plain = Explained::new(word, health).since(since);
        match word {
            "Pending" if command.stage.is_empty() => {
                plain.health(Health::Idle).because("", UNSEEN, Health::Idle)
            }
            "Running" => {
                plain.progress(command.progress).because("", said(command.message.as_deref()), health)
            }
            _ => plain.because("", said(command.message.as_deref()), health),
        }
    }
}

impl Explain for Image {
    fn explain<'a>(at: At<'a, Self>, _: Now) -> Explained<'a> {
        let image = at.record();
        let has = |flag| image.flags.contains(flag);
        let plain = |word, health| Explained::new(word, health).since(image.since.or(image.meta.created));
        let message = said(image.message.as_deref());
        match () {
            () if !has(ImageFlags::ENABLED) => {
                plain("Disabled", Health::Idle).because("", message, Health::Idle)
            }
            () if !has(ImageFlags::SEEN) => plain("Unknown", Health::Idle).because("", UNSEEN, Health::Idle),
            () if has(ImageFlags::VERIFIED) => {
                plain("Verified", Health::Well).because("", message, Health::Warning)
            }
            () if message.is_empty() => plain("Unverified", Health::Busy),
            () => plain("Unverified", Health::Warning).because("", message, Health::Warning),
        }
    }
}

impl Explain for SupportedVersion {
    fn explain<'a>(at: At<'a, Self>, _: Now) -> Explained<'a> {
        let version = at.record();
        let health = match &*version.state {
            "Published" => Health::Well,
            "Draft" | "Verified" => Health::Busy,
            "Deprecated" | "EndOfLife" => Health::Idle,
            _ => Health::Warning,
        };
        let plain =
            Explained::new(version.state.as_str(), health).since(version.since.or(version.meta.created));
        plain.because("", said(version.warning.as_deref()), Health::Warning)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::explain::{STATES, reason};
    use crate::records::{Records, decode};
    use crate::store::{Batch, Coverage, Freshness, Namespaces, Store, Stored, Touched};

    /// What stands in the row of an object: its state, how well that is, and why.
    fn told<R: Stored>(json: &str) -> String
    where
        Records: From<Vec<R>>,
    {
        let mut store = Store::new(STATES);
        let mut touched = Touched::default();
        let plans = store.cover(R::KIND, Coverage::all(Namespaces::All), &mut touched);
        let json = format!(r#"{{"metadata":{{"name":"a","namespace":"shop","uid":"1"}},{json}}}"#);
        let record = decode::<R>(json.as_bytes()).unwrap().record;
        let batch = Batch::of(plans[0].id, 0, vec![record]).and(Freshness::Live);
        store.apply(batch, Now::at(0), &mut touched);
        let id = store.ids(R::KIND)[0];
        let state = store.state(id, Now::at(0));
        let mut why = String::new();
        reason(&store, id, Now::at(0), &mut why);
        let progress = state.progress.map_or_else(String::new, |progress| format!(" {}%", progress / 10));
        format!("{}{progress} {:?} {why}", state.word, state.health)
    }

    fn workload(spec: &str, status: &str) -> String {
        told::<Workload>(&format!(r#""spec":{{{spec}}},"status":{status}"#))
    }

    #[test]
    fn workloads_say_what_their_status_says() {
        let health = |word: &str| format!(r#"{{"readyReplicas":1,"health":{{"readiness":"{word}"}}}}"#);
        let import = r#"{"health":{"readiness":"Loading"},"replicaStatuses":[{"index":0,"name":"a-0",
            "bootDisk":{"phase":"Importing","percent":62}}]}"#;
        let failed = r#"{"health":{"readiness":"Unhealthy"},"message":"the image is not there"}"#;
        let idle = r#"{"health":{"readiness":"Healthy"},"readyReplicas":0}"#;
        for (spec, status, want) in [
            ("", "null".to_owned(), format!("Unknown Idle {UNSEEN}")),
            ("", health("Healthy"), "Healthy Well ".into()),
            ("", health("Loading"), "Loading Busy ".into()),
            ("", import.into(), "Importing 62% Busy ".into()),
            ("", failed.into(), "Unhealthy Failed the image is not there".into()),
            ("", health("Deleting"), "Deleting Leaving ".into()),
            ("", health("Odd"), "Unknown Warning ".into()),
            (r#""vm":{"runStrategy":"Halted"}"#, idle.into(), "Stopped Idle ".into()),
            (r#""vm":{"runStrategy":"Halted"}"#, health("Healthy"), "Healthy Well ".into()),
            (r#""defaultOptions":{"suspend":true}"#, health("Healthy"), "Suspended Idle ".into()),
        ] {
            assert_eq!(workload(spec, &status), want, "{spec} {status}");
        }
    }

    #[test]
    fn volume_sets_say_what_their_volumes_do() {
        let volumes = |lives: &[&str]| {
            let volumes: Vec<String> = lives
                .iter()
                .enumerate()
                .map(|(at, life)| format!(r#"{{"index":{at},"lifecycle":"{life}"}}"#))
                .collect();
            told::<VolumeSet>(&format!(r#""spec":{{}},"status":{{"volumes":[{}]}}"#, volumes.join(",")))
        };
        for (lives, want) in [
            (&[][..], "Unused Idle "),
            (&["unused"], "Unused Idle "),
            (&["bound", "unbound"], "Bound Well "),
            (&["unbound", "deleted"], "Unbound Idle "),
            (&["bound", "creating"], "Creating Busy "),
            (&["bound", "repairing", "creating"], "Repairing Busy "),
        ] {
            assert_eq!(volumes(lives), want, "{lives:?}");
        }
        assert_eq!(told::<VolumeSet>(r#""spec":{}"#), format!("Unknown Idle {UNSEEN}"));
        let lost = r#""spec":{},"status":{"conditions":[{"type":"Ready","status":"False","message":"no class fits"}]}"#;
        assert_eq!(told::<VolumeSet>(lost), "Unused Warning no class fits");
    }

    #[test]
    fn commands_say_how_far_they_are() {
        for (status, want) in [
            ("null", format!("Pending Idle {UNSEEN}")),
            (r#"{"stage":"pending"}"#, "Pending Busy ".into()),
            (r#"{"stage":"running","percent":40}"#, "Running 40% Busy ".into()),
            (r#"{"stage":"cancellation-requested"}"#, "Cancelling Leaving ".into()),
            (r#"{"stage":"completed","percent":100}"#, "Completed Idle ".into()),
            (r#"{"stage":"failed","message":"too small"}"#, "Failed Failed too small".into()),
        ] {
            assert_eq!(told::<VolumeCommand>(&format!(r#""spec":{{}},"status":{status}"#)), want, "{status}");
        }
    }

    #[test]
    fn images_and_versions_say_whether_they_can_be_used() {
        for (spec, status, want) in [
            ("", "null", format!("Unknown Idle {UNSEEN}")),
            ("", r#"{"verified":true}"#, "Verified Well ".into()),
            ("", r#"{"verified":false}"#, "Unverified Busy ".into()),
            ("", r#"{"message":"no boot loader"}"#, "Unverified Warning no boot loader".into()),
            (r#""enabled":false"#, r#"{"verified":true}"#, "Disabled Idle ".into()),
        ] {
            assert_eq!(told::<Image>(&format!(r#""spec":{{{spec}}},"status":{status}"#)), want, "{status}");
        }
        for (spec, status, want) in [
            ("", "null", "Draft Busy "),
            (r#""state":"Published""#, r#"{"clusters":3}"#, "Published Well "),
            (r#""state":"Published""#, r#"{"warnings":["skew"]}"#, "Published Warning skew"),
            (r#""state":"EndOfLife""#, "{}", "EndOfLife Idle "),
        ] {
            assert_eq!(
                told::<SupportedVersion>(&format!(r#""spec":{{{spec}}},"status":{status}"#)),
                want,
                "{status}"
            );
        }
    }
}
