//! States of objects alone, and what time makes of them.

use crate::explain::{STATES, reason};
use crate::model::{Now, Time};
use crate::records::{
    Claim, DataVolume, Pod, Record, Records, StorageClass, VirtinkVm, Vm, VmRestore, Vmi, decode,
};
use crate::store::{Batch, Coverage, Freshness, Namespaces, Store, Stored, Touched};

/// 2026-01-01T00:00:00Z
const MADE: i64 = 1_767_225_600;

fn put<R: Stored>(store: &mut Store, objects: &[&str])
where
    Records: From<Vec<R>>,
{
    let mut touched = Touched::default();
    let plans = store.cover(R::KIND, Coverage::all(Namespaces::All), &mut touched);
    let records: Vec<R> = objects.iter().map(|object| decode(object.as_bytes()).unwrap().record).collect();
    store.apply(Batch::of(plans[0].id, 0, records).and(Freshness::Live), Now::at(MADE), &mut touched);
}

fn object(rest: &str) -> String {
    format!(
        r#"{{"metadata":{{"name":"web","namespace":"shop","uid":"1","creationTimestamp":"2026-01-01T00:00:00Z"}},{rest}}}"#
    )
}

/// What the first object of the kind says so many seconds after it was made.
fn said<R: Stored>(store: &Store, after: i64) -> String
where
    Records: From<Vec<R>>,
{
    let (id, now) = (store.ids(R::KIND)[0], Now::at(MADE + after));
    let state = store.state(id, now);
    let mut out = format!("{} {:?}: ", state.word, state.health);
    reason(store, id, now, &mut out);
    out
}

#[test]
fn what_takes_too_long_becomes_trouble() {
    let mut store = Store::new(STATES);
    put::<DataVolume>(&mut store, &[&object(r#""spec":{"source":{"blank":{}}}"#)]);
    assert_eq!(said::<DataVolume>(&store, 10), "Pending Busy: ");
    assert_eq!(said::<DataVolume>(&store, 60), "Pending Failed: CDI has not looked at it");

    let class = r#"{"metadata":{"name":"fast","uid":"2"},"volumeBindingMode":"Immediate"}"#;
    put::<StorageClass>(&mut store, &[class]);
    let claim = object(r#""spec":{"storageClassName":"fast"},"status":{"phase":"Pending"}"#);
    put::<Claim>(&mut store, &[&claim]);
    assert_eq!(said::<Claim>(&store, 119), "Pending Busy: ");
    assert_eq!(said::<Claim>(&store, 120), "Pending Warning: takes longer than it should");
    // What waits for its first consumer waits as long as it takes.
    let waits = r#""status":{"phase":"WaitForFirstConsumer","conditions":[]}"#;
    put::<DataVolume>(&mut store, &[&object(waits)]);
    let year = 31_536_000;
    assert_eq!(said::<DataVolume>(&store, year), "WaitForFirstConsumer Idle: waits for its first consumer");

    put::<Vmi>(&mut store, &[]);
    put::<Vm>(&mut store, &[&object(r#""spec":{"runStrategy":"Always"}"#)]);
    assert_eq!(said::<Vm>(&store, 59), "Starting Busy: ");
    assert_eq!(said::<Vm>(&store, 60), "Starting Failed: KubeVirt has not looked at it");
    let leaves =
        object(r#""spec":{}"#).replace(r#""uid""#, r#""deletionTimestamp":"2026-01-01T00:00:00Z","uid""#);
    put::<Vm>(&mut store, &[&leaves]);
    assert_eq!(said::<Vm>(&store, 599), "Terminating Leaving: ");
    assert_eq!(said::<Vm>(&store, 600), "Terminating Warning: its deletion is held up");
}

#[test]
fn states_that_are_kept_are_made_anew_when_their_time_has_come() {
    let mut store = Store::new(STATES);
    store.keep_states(&[DataVolume::KIND], Now::at(MADE));
    put::<DataVolume>(&mut store, &[&object(r#""spec":{"source":{"blank":{}}}"#)]);
    assert_eq!(store.next_recheck(), Time::from_seconds(MADE + 60));
    let mut touched = Touched::default();
    store.recheck(Now::at(MADE + 59), &mut touched);
    assert!(touched.ids.is_empty() && said::<DataVolume>(&store, 1000).starts_with("Pending Busy"));
    store.recheck(Now::at(MADE + 60), &mut touched);
    assert_eq!((touched.ids.len(), store.next_recheck()), (1, None));
    assert!(said::<DataVolume>(&store, 60).starts_with("Pending Failed"));
    // What is no longer so is not waited for.
    put::<DataVolume>(&mut store, &[&object(r#""status":{"phase":"ImportScheduled"}"#)]);
    put::<DataVolume>(&mut store, &[&object(r#""status":{"phase":"Succeeded"}"#)]);
    touched.ids.clear();
    store.recheck(Now::at(MADE + 10_000), &mut touched);
    assert!(touched.ids.is_empty() && store.next_recheck().is_none());
}

#[test]
fn restores_say_what_they_wait_for_and_why_they_failed() {
    let waiting = "Waiting for target VM to be powered off. Please stop the restore target to proceed with restore, or the operation will fail after 5m0s";
    let condition = |kind: &str, status: &str, reason: &str| {
        format!(
            r#""status":{{"complete":false,"conditions":[{{"type":"{kind}","status":"{status}","reason":"{reason}","message":"{reason}"}}]}}"#
        )
    };
    let cases = [
        (
            condition("Progressing", "True", waiting),
            "InProgress Warning: stop the machine, it waits for that",
        ),
        (condition("Progressing", "True", "Creating new PVCs"), "InProgress Busy: Creating new PVCs"),
        (condition("Failure", "True", "the snapshot is gone"), "Failed Failed: the snapshot is gone"),
        (r#""status":{"complete":true}"#.to_owned(), "Succeeded Idle: "),
        (r#""spec":{}"#.to_owned(), "Pending Busy: "),
    ];
    for (rest, want) in cases {
        let mut store = Store::new(STATES);
        put::<VmRestore>(&mut store, &[&object(&rest)]);
        assert_eq!(said::<VmRestore>(&store, 10), want, "{rest}");
    }
}

#[test]
fn machines_of_virtink_say_why_they_failed() {
    let ended = r#""status":{"phase":"Failed","containerStatuses":[{"name":"cloud-hypervisor",
        "state":{"terminated":{"exitCode":137,"reason":"OOMKilled"}}}]}"#;
    let failed = r#""spec":{"runPolicy":"Once"},"status":{"phase":"Failed","vmPodName":"web"}"#;
    let cases = [
        (failed, ended, "Failed Failed: out of memory, killed, exit code 137"),
        (failed, "", "Failed Failed: the guest crashed"),
        (r#""spec":{"runPolicy":"Halted"}"#, "", "Stopped Idle: "),
        (r#""spec":{"runPolicy":"Always"}"#, "", "Pending Busy: "),
    ];
    for (machine, pod, want) in cases {
        let mut store = Store::new(STATES);
        let pods: Vec<String> = (!pod.is_empty()).then(|| object(pod)).into_iter().collect();
        put::<Pod>(&mut store, &pods.iter().map(String::as_str).collect::<Vec<_>>());
        put::<VirtinkVm>(&mut store, &[&object(machine)]);
        assert_eq!(said::<VirtinkVm>(&store, 10), want, "{machine}");
    }
}
