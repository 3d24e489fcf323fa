//! Whether a machine's instance is to be there.

use std::time::Duration;

use serde_json::{Value, json};

use super::super::edit::time;
use super::super::object::Object;
use super::super::view::View;
use super::is_final;

/// What is to be done about a machine's instance.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Want {
    /// It is as it should be.
    Nothing,
    /// It has to be made.
    Start,
    /// It has to go.
    Stop,
}

/// What was decided, and what has to be remembered of it.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Decision {
    pub(super) want: Want,
    /// `status.stateChangeRequests` as they shall be.
    pub(super) requests: Vec<Value>,
    /// `status.startFailure` as it shall be; null for none.
    pub(super) failure: Value,
    /// The run strategy the machine shall have from now on, where that changes.
    pub(super) strategy: Option<&'static str>,
}

/// How a machine is to be run.
pub(super) fn of(vm: &Object) -> &str {
    match (vm.text("/spec/runStrategy"), vm.at("/spec/running").as_bool()) {
        ("", Some(true)) => "Always",
        ("", _) => "Halted",
        (strategy, _) => strategy,
    }
}

/// Decides.
pub(super) fn decide(view: &View<'_>, vm: &Object, vmi: Option<&Object>) -> Decision {
    let requests = pending(vm, vmi);
    let asked = |action: &str| requests.first().is_some_and(|one| one["action"] == action);
    let (start_asked, stop_asked) = (asked("Start"), asked("Stop"));
    let strategy = of(vm);
    let failure = failure(view, vm, vmi, start_asked || stop_asked);
    let over = vmi.is_some_and(is_final);
    let failed = vmi.is_some_and(|vmi| vmi.phase() == "Failed");
    let going = vmi.is_some_and(Object::is_ending);
    let mut new = Decision { want: Want::Nothing, requests: requests.clone(), failure, strategy: None };
    let may_retry = || may_retry(view, vm, &new.failure);
    new.want = match (strategy, vmi.is_some()) {
        ("Always" | "Once" | "WaitAsReceiver" | "RerunOnFailure" | "Manual", true) if going => Want::Nothing,
        ("Always", true) if over || stop_asked => Want::Stop,
        ("Always", false) if may_retry() => Want::Start,
        ("RerunOnFailure", true) if over || stop_asked => {
            if failed && !start_asked {
                new.requests.push(json!({"action": "Start"}));
            }
            Want::Stop
        }
        ("RerunOnFailure", false) if start_asked || vm.text("/status/runStrategy") != strategy => {
            if may_retry() { Want::Start } else { Want::Nothing }
        }
        ("Manual", true) if stop_asked => Want::Stop,
        ("Manual", false) if start_asked => Want::Start,
        ("Halted", true) if !going => Want::Stop,
        ("Halted", false) if start_asked => {
            new.strategy = Some("Always");
            Want::Nothing
        }
        ("Once" | "WaitAsReceiver", false) => Want::Start,
        ("Once", true) if stop_asked => Want::Stop,
        _ => Want::Nothing,
    };
    new
}

/// The requests that are still to be fulfilled: one to stop is, when the instance it names is gone, one to start when there is one.
fn pending(vm: &Object, vmi: Option<&Object>) -> Vec<Value> {
    let mut requests = vm.list("/status/stateChangeRequests").to_vec();
    while let Some(first) = requests.first() {
        let done = match first["action"].as_str() {
            Some("Stop") => {
                let of = first["uid"].as_str().unwrap_or_default();
                vmi.is_none_or(|vmi| !of.is_empty() && vmi.uid() != of)
            }
            _ => vmi.is_some_and(|vmi| !vmi.is_ending() && !is_final(vmi)),
        };
        if !done {
            break;
        }
        requests.remove(0);
    }
    requests
}

/// Counts instances that end without ever having run.
fn failure(view: &View<'_>, vm: &Object, vmi: Option<&Object>, asked: bool) -> Value {
    let old = vm.at("/status/startFailure").clone();
    let Some(vmi) = vmi else { return if asked { Value::Null } else { old } };
    let ran = vmi.list("/status/phaseTransitionTimestamps").iter().any(|one| one["phase"] == "Running");
    if ran || vmi.phase() == "Running" || asked {
        return Value::Null;
    }
    if !is_final(vmi) || old["lastFailedVMIUID"] == vmi.uid() {
        return old;
    }
    let count = old["consecutiveFailCount"].as_i64().unwrap_or_default() + 1;
    let pause = pause(view, vm, count);
    let at = view.time + jiff::SignedDuration::try_from(pause).unwrap_or_default();
    json!({
        "consecutiveFailCount": count, "lastFailedVMIUID": vmi.uid(), "retryAfterTimestamp": time(at),
    })
}

/// Ten seconds times the square of the failures, up to half as long again, five minutes at most.
fn pause(view: &View<'_>, vm: &Object, failures: i64) -> Duration {
    let failures = u32::try_from(failures.clamp(1, 10)).unwrap_or(10);
    let base = Duration::from_secs(10) * failures * failures;
    let extra = view.chance(vm, &format!("retry-{failures}")) / 2.0;
    base.mul_f64(1.0 + extra).min(Duration::from_secs(300))
}

fn may_retry(view: &View<'_>, vm: &Object, failure: &Value) -> bool {
    let Some(count) = failure["consecutiveFailCount"].as_i64() else { return true };
    let last = failure["lastFailedVMIUID"].as_str().unwrap_or_default();
    view.waited(vm, &format!("retry-{last}"), pause(view, vm, count))
}
