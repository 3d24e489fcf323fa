use super::*;
use crate::records::decode;

fn pod(meta: &str, spec: &str, status: &str) -> Pod {
    let json = format!(r#"{{"metadata":{{"name":"p"{meta}}},"spec":{{{spec}}},"status":{{{status}}}}}"#);
    decode(json.as_bytes()).unwrap().record
}

const TWO: &str = r#""containers":[{"name":"a"},{"name":"b"}]"#;
const SIDECAR: &str =
    r#""containers":[{"name":"a"}],"initContainers":[{"name":"log","restartPolicy":"Always"},{"name":"i"}]"#;
const DELETED: &str = r#","deletionTimestamp":"2026-11-21T10:46:57Z""#;

/// More metadata, spec, status; STATUS and READY.
const SHOWN: &[(&str, &str, &str, &str, &str)] = &[
    ("", TWO, r#""phase":"Pending""#, "Pending", "0/2"),
    (
        "",
        TWO,
        r#""phase":"Pending","conditions":[{"type":"PodScheduled","status":"False","reason":"SchedulingGated"}]"#,
        "SchedulingGated",
        "0/2",
    ),
    ("", TWO, r#""phase":"Failed","reason":"Evicted","message":"low on disk""#, "Evicted", "0/2"),
    (
        "",
        TWO,
        r#""phase":"Running","containerStatuses":[{"name":"a","ready":true,"state":{"running":{}}},
            {"name":"b","state":{"waiting":{"reason":"CrashLoopBackOff"}}}]"#,
        "CrashLoopBackOff",
        "1/2",
    ),
    (
        "",
        TWO,
        r#""phase":"Running","containerStatuses":[{"state":{"waiting":{"reason":"ErrImagePull"}}},{"state":{"terminated":{"exitCode":3}}}]"#,
        "ErrImagePull",
        "0/2",
    ),
    (
        "",
        TWO,
        r#""phase":"Running","containerStatuses":[{"state":{"terminated":{"exitCode":137}}}]"#,
        "ExitCode:137",
        "0/2",
    ),
    (
        "",
        TWO,
        r#""phase":"Running","containerStatuses":[{"state":{"terminated":{"exitCode":0,"signal":9}}}]"#,
        "Signal:9",
        "0/2",
    ),
    (
        "",
        TWO,
        r#""phase":"Succeeded","containerStatuses":[{"state":{"terminated":{"exitCode":0,"reason":"Completed"}}}]"#,
        "Completed",
        "0/2",
    ),
    (
        "",
        TWO,
        r#""phase":"Running","conditions":[{"type":"Ready","status":"True"}],"containerStatuses":[
            {"state":{"terminated":{"reason":"Completed"}}},{"ready":true,"state":{"running":{}}}]"#,
        "Running",
        "1/2",
    ),
    (
        "",
        TWO,
        r#""phase":"Running","containerStatuses":[{"state":{"terminated":{"reason":"Completed"}}},{"ready":true,"state":{"running":{}}}]"#,
        "NotReady",
        "1/2",
    ),
    (
        "",
        SIDECAR,
        r#""phase":"Pending","initContainerStatuses":[{"name":"log","started":true,"ready":true,"state":{"running":{}}},
            {"name":"i","started":true,"state":{"running":{}}}]"#,
        "Init:1/2",
        "1/2",
    ),
    (
        "",
        SIDECAR,
        r#""phase":"Pending","initContainerStatuses":[{"name":"log","state":{"waiting":{"reason":"PodInitializing"}}}]"#,
        "Init:0/2",
        "0/2",
    ),
    (
        "",
        SIDECAR,
        r#""phase":"Pending","initContainerStatuses":[{"name":"i","state":{"waiting":{"reason":"CrashLoopBackOff"}}}]"#,
        "Init:CrashLoopBackOff",
        "0/2",
    ),
    (
        "",
        SIDECAR,
        r#""phase":"Pending","initContainerStatuses":[{"name":"i","state":{"terminated":{"exitCode":2}}}]"#,
        "Init:ExitCode:2",
        "0/2",
    ),
    (
        "",
        SIDECAR,
        r#""phase":"Pending","initContainerStatuses":[{"name":"i","state":{"terminated":{"exitCode":2,"reason":"Error"}}}]"#,
        "Init:Error",
        "0/2",
    ),
    (
        "",
        SIDECAR,
        r#""phase":"Running","initContainerStatuses":[{"name":"log","started":true,"ready":true,"state":{"running":{}}},
            {"name":"i","state":{"terminated":{"exitCode":0}}}],"containerStatuses":[{"name":"a","ready":true,"state":{"running":{}}}]"#,
        "Running",
        "2/2",
    ),
    (DELETED, TWO, r#""phase":"Running""#, "Terminating", "0/2"),
    (DELETED, TWO, r#""phase":"Succeeded""#, "Succeeded", "0/2"),
    (DELETED, TWO, r#""phase":"Running","reason":"NodeLost""#, "Unknown", "0/2"),
    (
        "",
        "",
        r#""phase":null,"conditions":null,"containerStatuses":[null,{"state":null,"lastState":null,"ready":null}]"#,
        "",
        "0/0",
    ),
];

#[test]
fn the_word_is_the_one_that_kubectl_shows() {
    for (meta, spec, status, reason, ready) in SHOWN {
        let pod = pod(meta, spec, status);
        assert_eq!(&*pod.reason, *reason, "{status}");
        assert_eq!(format!("{}/{}", pod.ready, pod.containers), *ready, "{status}");
    }
}

#[test]
fn restarts_are_counted_as_kubectl_does() {
    let init = r#"{"name":"log","restartCount":2,"started":true,"state":{"running":{}},"lastState":{"terminated":{"finishedAt":"2026-11-21T10:00:00Z"}}},
        {"name":"i","restartCount":5,"state":{"terminated":{"exitCode":0}}}"#;
    let main = r#"{"name":"a","restartCount":99999999999,"state":{"running":{}},"lastState":{"terminated":{"exitCode":1,"finishedAt":"2026-11-21T11:00:00Z"}}}"#;
    let running =
        pod("", SIDECAR, &format!(r#""initContainerStatuses":[{init}],"containerStatuses":[{main}]"#));
    assert_eq!((running.restarts, running.restarted), (u32::MAX, Time::parse("2026-11-21T11:00:00Z")));
    let sidecar_only = pod("", SIDECAR, &format!(r#""initContainerStatuses":[{init}]"#));
    assert_eq!((sidecar_only.restarts, sidecar_only.restarted), (2, Time::parse("2026-11-21T10:00:00Z")));
}

#[test]
fn the_importers_last_words_are_kept() {
    let pod = pod(
        r#","labels":{"cdi.kubevirt.io":"importer"}"#,
        r#""nodeName":"n1","containers":[{},{}]"#,
        r#""phase":"Running","podIP":"10.1.2.3","containerStatuses":[{"name":"server","state":{"terminated":{"exitCode":0,"reason":"Completed"}}},
        {"name":"importer","restartCount":3,"state":{"waiting":{"reason":"CrashLoopBackOff","message":"back-off 40s"}},
        "lastState":{"terminated":{"exitCode":1,"reason":"Error","message":"expected status code 200,\n got 404"}}}]"#,
    );
    assert_eq!((pod.role, &*pod.node, pod.restarts), (PodRole::Importer, "n1", 3));
    assert_eq!(pod.address().unwrap().to_string(), "10.1.2.3");
    let evidence = pod.evidence.unwrap();
    let ended = evidence.ended.unwrap();
    assert_eq!((&*ended.container, ended.code, ended.now), ("importer", 1, false));
    assert_eq!(&*ended.message, "expected status code 200, got 404");
    assert_eq!(**evidence.message.unwrap(), *"back-off 40s");
}

#[test]
fn a_launcher_that_finds_no_node_says_why() {
    let pod = pod(
        r#","labels":{"kubevirt.io":"virt-launcher","kubevirt.io/migrationJobUID":"u"},"annotations":{"kubevirt.io/ephemeral-provisioning":"true"}"#,
        TWO,
        r#""phase":"Pending","conditions":[{"type":"PodScheduled","status":"False","reason":"Unschedulable","message":"0/3 nodes"}]"#,
    );
    assert_eq!((pod.role, &*pod.reason), (PodRole::Launcher, "Pending"));
    assert_eq!(pod.flags, PodFlags::UNSCHEDULABLE | PodFlags::TEMPORARY);
    assert_eq!(**pod.evidence.as_ref().unwrap().message.as_ref().unwrap(), *"0/3 nodes");
    let mut links = Vec::new();
    pod.part_of(&mut |key| links.push(key));
    assert_eq!(links, [Key::uid(Uid::parse("u"))]);
    assert_eq!(self::pod("", "", "").evidence, None);
}
