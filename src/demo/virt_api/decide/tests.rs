//! Every answer of KubeVirt's virt-api that was asked for, and what is written on the way to it.

use http::Method;
use serde_json::{Value, json};

use super::*;
use crate::demo::virt_api::verbs::Route;

#[path = "../../../../tests/virt_api/rows.rs"]
mod rows;

use rows::{ROWS, Row, State, Told, conflicts, has_volume, objects, plug, was_raced};

const NAME: &str = "web-0";
const NOW: &str = "2026-03-04T05:06:07.5Z";

fn target(request: &str) -> Target {
    let (method, path) = request.split_once(' ').unwrap();
    let path = path.replace("NAME", NAME);
    let whole = format!("/apis/subresources.kubevirt.io/v1/namespaces/shop/{path}");
    match Route::of(&method.parse::<Method>().unwrap(), &whole) {
        Ok(Route::Verb(target)) => target,
        other => panic!("{request}: {other:?}"),
    }
}

/// What is seen of a state: nodes are there, claims are not.
fn world(target: &Target, body: &str, [machine, instance]: [Option<Value>; 2]) -> World {
    let uid = |mut object: Value| {
        object["metadata"]["uid"] = "11111111-2222-3333-4444-555555555555".into();
        object
    };
    let mut world = World { machine: machine.map(uid), instance: instance.map(uid), ..World::default() };
    for need in needs(target, body.as_bytes(), &world) {
        if let Need::Node(name) = need {
            world.node = Some(json!({"metadata": {"name": name}, "spec": {}}));
        }
    }
    world
}

fn decided(request: &str, body: &str, objects: [Option<Value>; 2]) -> Result<Decision, Refusal> {
    let target = target(request);
    let world = world(&target, body, objects);
    decide(&target, body.as_bytes(), &world, NOW.parse().unwrap())
}

/// Whether an answer is the one of the table; what it is otherwise.
fn compare(code: u16, told: Told, answer: &Result<Decision, Refusal>) -> Result<(), String> {
    let is = match (told, answer) {
        (Told::Status(reason, text), Err(refusal)) => {
            let status = refusal.object().unwrap_or_default();
            let texts = conflicts(text, NAME);
            refusal.code.as_u16() == code
                && status["reason"] == reason
                && status["code"] == code
                && texts.iter().any(|text| *text == refusal.message())
        }
        (Told::Text(text), Err(refusal)) => {
            let texts = conflicts(text, NAME);
            refusal.code.as_u16() == code
                && refusal.object().is_none()
                && texts.iter().any(|text| *text == refusal.message())
        }
        (Told::Nothing, Ok(done)) => matches!(done.then, Outcome::Empty(is) if is.as_u16() == code),
        (Told::Machine, Ok(done)) => {
            matches!(&done.then, Outcome::Json(machine) if machine["kind"] == "VirtualMachine")
        }
        (Told::Guest, Ok(done)) => match &done.then {
            Outcome::Empty(code) => *code == 200,
            Outcome::Json(_) | Outcome::Stream(_) => true,
        },
        _ => false,
    };
    if is { Ok(()) } else { Err(format!("{answer:?} instead of {code} {told:?}")) }
}

/// A plain GET is as far as the table went with forwarded ports; what is missing is seen after the decision.
fn ends_at_handshake(told: Told) -> bool {
    matches!(told, Told::Status(_, text) if text.starts_with("websocket: "))
}

fn state_of(row: &Row, state: State) -> [Option<Value>; 2] {
    let mut all = objects(state, "shop", NAME, "node-1");
    if let (true, Some(machine)) = (has_volume(row, state), &mut all[0]) {
        plug(machine);
    }
    all
}

#[test]
fn every_answer_is_that_of_kubevirt() {
    let (mut wrong, mut count) = (Vec::new(), 0);
    for row in ROWS {
        for (code, told, states) in row.answers {
            for state in *states {
                count += 1;
                let answer = decided(row.request, row.body, state_of(row, *state));
                let checked = if was_raced(row, *state) {
                    compare(202, Told::Nothing, &answer)
                } else if ends_at_handshake(*told) {
                    compare(101, Told::Guest, &answer)
                } else {
                    compare(*code, *told, &answer)
                };
                if let Err(why) = checked {
                    wrong.push(format!("{} {} {state:?}: {why}", row.request, row.body));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{} of {count}:\n{}", wrong.len(), wrong.join("\n"));
    assert_eq!(count, ROWS.len() * 10, "each request in each state");
}

/// Applies patches as the API server does.
fn patched(object: &Value, operations: &[Value]) -> Option<Value> {
    let mut object = object.clone();
    for operation in operations {
        let path = operation["path"].as_str().unwrap();
        if operation["op"] == "test" && operation["value"].is_null() && object.pointer(path).is_none() {
            continue;
        }
        let patch: json_patch::Patch = serde_json::from_value(json!([operation])).unwrap();
        json_patch::patch(&mut object, &patch).ok()?;
    }
    Some(object)
}

fn only_patch(decision: &Decision) -> (&Of, bool, &[Value]) {
    let mut patches = decision.writes.iter().filter_map(|write| match write {
        Write::Patch { of, status, operations } => Some((of, *status, operations.as_slice())),
        _ => None,
    });
    let first = patches.next().unwrap();
    assert!(patches.next().is_none(), "{decision:?}");
    first
}

#[test]
fn a_removal_that_meets_another_writer_fails_at_its_tests() {
    let row = ROWS.iter().find(|row| row.request.ends_with("/removevolume")).unwrap();
    let all = state_of(row, State::ManualOff);
    let mut machine = all[0].clone().unwrap();
    let decision = decided(row.request, row.body, all).unwrap();
    let (_, status, operations) = only_patch(&decision);
    assert!(!status && decision.race == Race::Told);
    assert!(patched(&machine, operations).is_some());
    machine["spec"]["template"]["spec"]["volumes"][0]["name"] = "other".into();
    assert_eq!(patched(&machine, operations), None);
}

/// What becomes of the machine.
fn after(
    request: &str,
    body: &str,
    mut all: [Option<Value>; 2],
    change: impl FnOnce(&mut [Option<Value>; 2]),
) -> Value {
    change(&mut all);
    let machine = all[0].clone().unwrap();
    let decision = decided(request, body, all).unwrap();
    let (of, _, operations) = only_patch(&decision);
    assert_eq!(*of, Of::Machine);
    patched(&machine, operations).unwrap()
}

#[test]
fn starts_and_stops_go_by_the_run_strategy() {
    const UID: &str = "11111111-2222-3333-4444-555555555555";
    let all = |state| objects(state, "shop", NAME, "node-1");
    let strategy = |wanted: &'static str| {
        move |all: &mut [Option<Value>; 2]| all[0].as_mut().unwrap()["spec"]["runStrategy"] = wanted.into()
    };
    let requests = |machine: &Value| machine["status"]["stateChangeRequests"].clone();
    let (start, stop) = ("PUT virtualmachines/NAME/start", "PUT virtualmachines/NAME/stop");
    let restart = "PUT virtualmachines/NAME/restart";
    let none = |_: &mut [Option<Value>; 2]| {};

    assert_eq!(after(start, "", all(State::Halted), none)["spec"]["runStrategy"], "Always");
    let paused = after(start, "{\"paused\":true}", all(State::Halted), none);
    assert_eq!(paused["spec"]["runStrategy"], "Halted");
    assert_eq!(requests(&paused), json!([{"action": "Start", "data": {"paused": "true"}}]));
    for by_request in ["Manual", "RerunOnFailure"] {
        let started = after(start, "", all(State::ManualOff), strategy(by_request));
        assert_eq!(
            (&started["spec"]["runStrategy"], requests(&started)),
            (&json!(by_request), json!([{"action": "Start"}]))
        );
        let stopped = after(stop, "", all(State::Running), strategy(by_request));
        assert_eq!(requests(&stopped), json!([{"action": "Stop", "uid": UID}]));
    }
    assert_eq!(after(stop, "", all(State::Running), none)["spec"]["runStrategy"], "Halted");
    assert_eq!(after(stop, "", all(State::OnceDone), none)["spec"]["runStrategy"], "Halted");
    let restarted = after(restart, "", all(State::Running), none);
    assert_eq!(requests(&restarted), json!([{"action": "Stop", "uid": UID}, {"action": "Start"}]));
    // A finished guest of a manual machine is taken away first.
    let again = after(start, "", all(State::OnceDone), strategy("Manual"));
    assert_eq!(requests(&again), json!([{"action": "Stop", "uid": UID}, {"action": "Start"}]));
    // The old field stays in use.
    let old = after(start, "", all(State::Halted), |all| {
        let spec = all[0].as_mut().unwrap()["spec"].as_object_mut().unwrap();
        spec.remove("runStrategy");
        spec.insert("running".into(), false.into());
    });
    assert_eq!((&old["spec"]["running"], &old["spec"]["runStrategy"]), (&json!(true), &Value::Null));
    // What failed before counts no longer.
    let fresh = after(start, "", all(State::ManualOff), |all| {
        all[0].as_mut().unwrap()["status"]["startFailure"] = json!({"consecutiveFailCount": 2});
    });
    assert_eq!(fresh["status"]["startFailure"], Value::Null);
    // The machine of a fresh cluster has no status at all.
    let bare = after(start, "", all(State::ManualOff), |all| all[0].as_mut().unwrap()["status"] = json!({}));
    assert_eq!(bare["status"], json!({"stateChangeRequests": [{"action": "Start"}]}));
    // A stop takes the place of what waits; nothing else does.
    let waiting = |all: &mut [Option<Value>; 2]| {
        all[0].as_mut().unwrap()["spec"]["runStrategy"] = "Manual".into();
        all[0].as_mut().unwrap()["status"]["stateChangeRequests"] = json!([{"action": "Start"}]);
    };
    let replaced = after(stop, "", all(State::Running), waiting);
    assert_eq!(requests(&replaced), json!([{"action": "Stop", "uid": UID}]));
    let mut busy = all(State::Running);
    waiting(&mut busy);
    let refusal = decided(restart, "", busy).unwrap_err();
    assert_eq!(
        refusal.message(),
        "Internal error occurred: unable to complete request: stop/start already underway"
    );
}

#[test]
fn less_time_to_end_is_written_first() {
    let all = || objects(State::Running, "shop", NAME, "node-1");
    for (request, body, seconds) in [
        ("PUT virtualmachines/NAME/stop", "{\"gracePeriod\":0}", 0),
        ("PUT virtualmachines/NAME/restart", "{\"gracePeriodSeconds\":0}", 1),
    ] {
        let decision = decided(request, body, all()).unwrap();
        let [Write::Patch { of: Of::Instance, operations, .. }, Write::Patch { of: Of::Machine, .. }] =
            decision.writes.as_slice()
        else {
            panic!("{decision:?}");
        };
        let instance = patched(&all()[1].clone().unwrap(), operations).unwrap();
        assert_eq!(instance["spec"]["terminationGracePeriodSeconds"], seconds);
    }
    // A halted machine whose guest is still there can only be hurried.
    let ending = |grace: i64| {
        let mut all = all();
        all[0].as_mut().unwrap()["spec"]["runStrategy"] = "Halted".into();
        all[1].as_mut().unwrap()["spec"]["terminationGracePeriodSeconds"] = 30.into();
        decided("PUT virtualmachines/NAME/stop", &json!({"gracePeriod": grace}).to_string(), all)
    };
    assert!(ending(5).is_ok());
    let refusal = ending(30).unwrap_err();
    assert!(
        refusal.message().ends_with("Halted only supports manual stop requests with a shorter graceperiod")
    );
}

#[test]
fn guests_are_paused_and_frozen_in_their_status() {
    let all = |state| objects(state, "shop", NAME, "node-1");
    let after = |request: &str, objects: [Option<Value>; 2]| {
        let instance = objects[1].clone().unwrap();
        let decision = decided(request, "{}", objects).unwrap();
        let (of, status, operations) = only_patch(&decision);
        assert!(*of == Of::Instance && !status);
        patched(&instance, operations).unwrap()
    };
    let paused = after("PUT virtualmachineinstances/NAME/pause", all(State::Running));
    assert_eq!(
        *condition(&paused, "Paused").unwrap(),
        json!({
            "type": "Paused", "status": "True", "reason": "PausedByUser", "message": "VMI was paused by user",
            "lastTransitionTime": "2026-03-04T05:06:07Z",
        })
    );
    let unpaused = after("PUT virtualmachineinstances/NAME/unpause", all(State::Paused));
    assert!(condition(&unpaused, "Paused").is_none() && condition(&unpaused, "Ready").is_some());
    let frozen = after("PUT virtualmachineinstances/NAME/freeze", all(State::Running));
    assert_eq!(frozen["status"]["fsFreezeStatus"], "frozen");
    let [machine, _] = all(State::Running);
    let thawed = after("PUT virtualmachineinstances/NAME/unfreeze", [machine, Some(frozen)]);
    assert_eq!(thawed["status"]["fsFreezeStatus"], Value::Null);
    for request in ["pause", "unpause"] {
        let state = if request == "pause" { State::Running } else { State::Paused };
        let request = format!("PUT virtualmachineinstances/NAME/{request}");
        let dry = decided(&request, "{\"dryRun\":[\"All\"]}", all(state)).unwrap();
        assert_eq!(dry.writes, [], "{request}");
    }
}

#[test]
fn migrations_have_the_names_of_kubevirt() {
    let request = "PUT virtualmachines/NAME/migrate";
    let mut all = objects(State::Running, "shop", NAME, "node-1");
    let body = "{\"addedNodeSelector\":{\"zone\":\"a\"}}";
    let decision = decided(request, body, all.clone()).unwrap();
    let [Write::Migration(migration)] = decision.writes.as_slice() else { panic!("{decision:?}") };
    assert_eq!(migration["metadata"]["generateName"], "kubevirt-migrate-vm-");
    assert_eq!(migration["spec"], json!({"vmiName": NAME, "addedNodeSelector": {"zone": "a"}}));
    let instance = all[1].as_mut().unwrap();
    let not = json!({"type": "LiveMigratable", "status": "False", "reason": "DisksNotLiveMigratable", "message": "why"});
    instance["status"]["conditions"].as_array_mut().unwrap().push(not);
    let refusal = decided(request, "", all).unwrap_err();
    assert_eq!(refusal.code, 500);
    assert!(
        refusal.message().ends_with("Cannot migrate VMI, Reason: DisksNotLiveMigratable, Message: why"),
        "{refusal:?}"
    );
}

#[test]
fn volumes_are_plugged_into_what_a_machine_is_made_from() {
    let all = objects(State::Running, "shop", NAME, "node-1");
    let machine = all[0].clone().unwrap();
    let body = r#"{"name":"x","disk":{"disk":{"bus":"scsi"}},"volumeSource":{"dataVolume":{"name":"d"}}}"#;
    let decision = decided("PUT virtualmachines/NAME/addvolume", body, all).unwrap();
    let (_, _, operations) = only_patch(&decision);
    let plugged = patched(&machine, operations).unwrap();
    let spec = &plugged["spec"]["template"]["spec"];
    assert_eq!(spec["volumes"][1], json!({"name": "x", "dataVolume": {"name": "d", "hotpluggable": true}}));
    assert_eq!(spec["domain"]["devices"]["disks"][1], json!({"name": "x", "disk": {"bus": "scsi"}}));
    let refused = |body: &str, machine: &Value, verb: &str| {
        let refusal =
            decided(&format!("PUT virtualmachines/NAME/{verb}"), body, [Some(machine.clone()), None]);
        refusal.unwrap_err().message().to_owned()
    };
    for (verb, body, text) in [
        ("addvolume", body, "because volume with that name already exists"),
        (
            "addvolume",
            &body.replace("\"x\"", "\"y\""),
            "Unable to add volume source [d] because it already exists",
        ),
        ("addvolume", "{}", "AddVolumeOptions requires name to be set"),
        ("addvolume", "{\"name\":\"y\"}", "AddVolumeOptions requires disk to not be nil"),
        ("addvolume", "{\"name\":\"y\",\"disk\":{}}", "AddVolumeOptions requires VolumeSource to not be nil"),
        ("removevolume", "{}", "RemoveVolumeOptions requires name to be set"),
        (
            "removevolume",
            "{\"name\":\"root\"}",
            "Unable to remove volume [root] because it is not hotpluggable",
        ),
    ] {
        let told = refused(body, &plugged, verb);
        assert!(told.ends_with(text), "{verb} {body}: {told}");
    }
    let decision =
        decided("PUT virtualmachines/NAME/removevolume", "{\"name\":\"d\"}", [Some(plugged.clone()), None]);
    let decision = decision.unwrap();
    let (_, _, operations) = only_patch(&decision);
    assert_eq!(patched(&plugged, operations).unwrap()["spec"], machine["spec"]);
    // The guest of a machine is not changed past it.
    let mut own = objects(State::Running, "shop", NAME, "node-1");
    own[1].as_mut().unwrap()["metadata"]["ownerReferences"] =
        json!([{"kind": "VirtualMachine", "name": NAME, "controller": true}]);
    let refusal = decided("PUT virtualmachineinstances/NAME/addvolume", body, own).unwrap_err();
    assert_eq!((refusal.code.as_u16(), refusal.message()), (400, "VMI shop/web-0 is owned by a VM"));
}

#[test]
fn memory_goes_into_a_claim_that_is_large_enough() {
    let request = target("PUT virtualmachines/NAME/memorydump");
    let body = "{\"claimName\":\"dump\"}";
    let dump = |claim: Value| {
        let mut world = world(&request, body, objects(State::Running, "shop", NAME, "node-1"));
        assert_eq!(needs(&request, body.as_bytes(), &world), [Need::Claim("dump".into())]);
        world.claim = Some(json!({"metadata": {"name": "dump"}, "spec": claim}));
        decide(&request, body.as_bytes(), &world, NOW.parse().unwrap())
    };
    let sized =
        |size: &str| json!({"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": size}}});
    let decision = dump(sized("2Gi")).unwrap();
    let (_, status, operations) = only_patch(&decision);
    assert!(status);
    assert_eq!(operations[1]["value"], json!({"claimName": "dump", "phase": "Associating"}));
    let begin = "Operation cannot be fulfilled on persistentvolumeclaim.kubevirt.io \"dump\": ";
    for (claim, text) in [
        (sized("1Gi"), "pvc size [1Gi] should be bigger then [1.1Gi]"),
        (json!({"volumeMode": "Block"}), "pvc should be filesystem pvc"),
        (json!({"accessModes": ["ReadOnlyMany"]}), "pvc access mode can't be read only"),
    ] {
        assert_eq!(dump(claim).unwrap_err().message(), format!("{begin}{text}"));
    }
    let none =
        decided("PUT virtualmachines/NAME/removememorydump", "", objects(State::Running, "shop", NAME, "n"));
    assert!(none.unwrap_err().message().ends_with("no association found"));
}

#[test]
fn ports_are_said_as_go_dials_them() {
    let port = |path: &str| {
        let request = format!("GET virtualmachines/NAME/portforward/{path}");
        decided(&request, "", objects(State::Running, "shop", NAME, "node-1"))
    };
    let is = |path: &str, port_number: u16, udp: bool| {
        let channel = Channel::Port { port: port_number, udp, address: "10.244.1.7".into() };
        assert_eq!(port(path).unwrap().then, Outcome::Stream(channel), "{path}");
    };
    is("22", 22, false);
    is("53/udp", 53, true);
    is("http", 80, false);
    for (path, text) in [
        ("22/sctp", "dial sctp: unknown network sctp"),
        ("0", "dial tcp 10.244.1.7:0: connect: connection refused"),
        ("70000", "dial tcp: address 70000: invalid port"),
        ("gopherspace", "dial tcp: lookup tcp/gopherspace: unknown port"),
    ] {
        let refusal = port(path).unwrap_err();
        assert_eq!(refusal.message(), format!("Internal error occurred: dialing VM: {text}"), "{path}");
    }
}

#[test]
fn whatever_objects_say_nothing_falls_over() {
    let odd = [
        json!(null),
        json!([]),
        json!({}),
        json!("x"),
        json!(-1),
        json!({"status": [], "spec": 7}),
        json!({
            "metadata": [], "spec": {"template": [], "runStrategy": {}, "running": "x"}, "status": {"conditions": {}, "phase": [],
            "stateChangeRequests": "x", "interfaces": [[]], "created": true, "memoryDumpRequest": [], "migrationState": 7},
        }),
    ];
    let bodies = [
        "",
        "{}",
        "[]",
        "{\"name\":\"x\",\"disk\":{},\"volumeSource\":{}}",
        "{\"claimName\":\"x\"}",
        "\u{0}",
    ];
    for row in ROWS {
        let target = target(row.request);
        for (machine, instance) in odd.iter().flat_map(|a| odd.iter().map(move |b| (a, b))) {
            for body in bodies {
                let world = World {
                    machine: Some(machine.clone()),
                    instance: Some(instance.clone()),
                    claim: Some(machine.clone()),
                    node: Some(instance.clone()),
                    instancetype: Some(machine.clone()),
                    preference: Some(instance.clone()),
                };
                let _ = needs(&target, body.as_bytes(), &world);
                let _ = decide(&target, body.as_bytes(), &world, NOW.parse().unwrap());
            }
        }
    }
}
