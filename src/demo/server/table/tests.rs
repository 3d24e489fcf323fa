use super::*;
use crate::demo::server::testing::{Api, BEGIN};

/// The cells of an object's row, each as text, at [`BEGIN`].
fn row(api_version: &str, kind: &str, object: &Value) -> Vec<String> {
    let kind = Kind::of_object(api_version, kind).unwrap();
    let now = BEGIN.parse().unwrap();
    let cells = kind.columns().map(|column| Source::of(column).cell(object, now));
    cells.map(|cell| cell.as_str().map_or_else(|| cell.to_string(), str::to_owned)).collect()
}

/// An hour before [`BEGIN`].
const EARLIER: &str = "2026-03-04T04:06:07Z";

fn running(name: &str, ready: bool) -> Value {
    json!({"name": name, "ready": ready, "started": true, "state": {"running": {"startedAt": EARLIER}}})
}

fn waiting(name: &str, reason: &str) -> Value {
    json!({"name": name, "ready": false, "state": {"waiting": {"reason": reason}}})
}

fn ended(name: &str, code: i64, reason: &str, signal: i64) -> Value {
    let end = json!({"exitCode": code, "reason": reason, "signal": signal, "finishedAt": EARLIER});
    json!({"name": name, "ready": code == 0, "state": {"terminated": end}})
}

fn again(mut container: Value, times: i64) -> Value {
    container["restartCount"] = times.into();
    container["lastState"] = json!({"terminated": {"exitCode": 1, "finishedAt": EARLIER}});
    container
}

fn pod(phase: &str, initial: &[Value], containers: &[Value], more: &Value) -> Value {
    let names = |all: &[Value]| -> Value { all.iter().map(|one| json!({"name": one["name"]})).collect() };
    let mut pod = json!({
        "metadata": {"name": "a", "creationTimestamp": EARLIER},
        "spec": {"containers": names(containers), "initContainers": names(initial)},
        "status": {"phase": phase, "initContainerStatuses": initial, "containerStatuses": containers},
    });
    json_patch::merge(&mut pod, more);
    pod
}

#[test]
fn pods_say_in_one_word_what_their_containers_do() {
    let is = |condition: &str| json!({"status": {"conditions": [{"type": condition, "status": "True"}]}});
    let stays = |names: &[&str]| -> Value {
        let stays =
            |name: &&str| json!({"name": name, "restartPolicy": (*name == "side").then_some("Always")});
        json!({"spec": {"initContainers": names.iter().map(stays).collect::<Vec<_>>()}})
    };
    let gone = json!({"metadata": {"deletionTimestamp": EARLIER}});
    let none = || json!({});
    let waits = || waiting("c", "PodInitializing");
    for (pod, ready, status, restarts) in [
        (pod("Pending", &[], &[], &none()), "0/0", "Pending", "0"),
        (pod("Running", &[], &[running("c", true), running("d", false)], &none()), "1/2", "Running", "0"),
        (pod("Running", &[], &[again(running("c", true), 3)], &none()), "1/1", "Running", "3 (60m ago)"),
        (
            pod("Running", &[], &[again(waiting("c", "CrashLoopBackOff"), 5)], &none()),
            "0/1",
            "CrashLoopBackOff",
            "5 (60m ago)",
        ),
        (
            pod("Pending", &[], &[waiting("c", "ImagePullBackOff"), waiting("d", "ErrImagePull")], &none()),
            "0/2",
            "ImagePullBackOff",
            "0",
        ),
        (pod("Succeeded", &[], &[ended("c", 0, "Completed", 0)], &none()), "0/1", "Completed", "0"),
        (pod("Succeeded", &[], &[ended("c", 0, "Completed", 0)], &gone), "0/1", "Completed", "0"),
        (pod("Failed", &[], &[ended("c", 3, "", 0)], &none()), "0/1", "ExitCode:3", "0"),
        (pod("Failed", &[], &[ended("c", 137, "", 9)], &none()), "0/1", "Signal:9", "0"),
        (pod("Failed", &[], &[], &json!({"status": {"reason": "Evicted"}})), "0/0", "Evicted", "0"),
        (
            pod("Running", &[], &[running("c", true), ended("d", 0, "Completed", 0)], &is("Ready")),
            "1/2",
            "Running",
            "0",
        ),
        (
            pod("Running", &[], &[ended("c", 0, "Completed", 0), running("d", true)], &none()),
            "1/2",
            "NotReady",
            "0",
        ),
        (pod("Running", &[], &[running("c", true)], &gone), "1/1", "Terminating", "0"),
        (
            pod(
                "Running",
                &[],
                &[running("c", true)],
                &json!({"metadata": gone["metadata"], "status": {"reason": "NodeLost"}}),
            ),
            "1/1",
            "Unknown",
            "0",
        ),
        (
            pod(
                "Pending",
                &[],
                &[],
                &json!({"status": {"conditions": [{"type": "PodScheduled", "reason": "SchedulingGated"}]}}),
            ),
            "0/0",
            "SchedulingGated",
            "0",
        ),
        (
            pod("Pending", &[ended("i", 0, "Completed", 0), running("j", false)], &[waits()], &none()),
            "0/1",
            "Init:1/2",
            "0",
        ),
        (
            pod("Pending", &[again(ended("i", 1, "Error", 0), 2)], &[waits()], &none()),
            "0/1",
            "Init:Error",
            "2 (60m ago)",
        ),
        (pod("Pending", &[ended("i", 4, "", 15)], &[waits()], &none()), "0/1", "Init:Signal:15", "0"),
        (
            pod("Pending", &[waiting("i", "CrashLoopBackOff")], &[waits()], &none()),
            "0/1",
            "Init:CrashLoopBackOff",
            "0",
        ),
        (
            pod(
                "Running",
                &[again(ended("i", 0, "Completed", 0), 2)],
                &[running("c", true)],
                &is("Initialized"),
            ),
            "1/1",
            "Running",
            "0",
        ),
        (
            pod("Running", &[again(running("side", true), 1)], &[running("c", true)], &stays(&["side"])),
            "2/2",
            "Running",
            "1 (60m ago)",
        ),
        (
            pod(
                "Pending",
                &[again(running("side", true), 1), running("j", false)],
                &[waits()],
                &stays(&["side", "j"]),
            ),
            "1/2",
            "Init:1/2",
            "1 (60m ago)",
        ),
    ] {
        assert_eq!(row("v1", "Pod", &pod)[1..5], [ready, status, restarts, "60m"], "{pod}");
    }
}

#[test]
fn rows_are_those_of_kubernetes() {
    let named = |mut object: Value| {
        json_patch::merge(&mut object, &json!({"metadata": {"name": "a", "creationTimestamp": EARLIER}}));
        object
    };
    let cases: [(&str, &str, Value, &str); 23] = [
        (
            "v1",
            "Pod",
            json!({"spec": {"nodeName": "n1", "readinessGates": [{"conditionType": "x"}, {"conditionType": "y"}]},
                   "status": {"phase": "Running", "podIPs": [{"ip": "10.0.0.1"}], "conditions": [{"type": "x", "status": "True"}]}}),
            "a;0/0;Running;0;60m;10.0.0.1;n1;<none>;1/2",
        ),
        (
            "v1",
            "Node",
            json!({"metadata": {"labels": {"node-role.kubernetes.io/control-plane": "", "kubernetes.io/role": "worker"}},
                   "spec": {"unschedulable": true},
                   "status": {"conditions": [{"type": "Ready", "status": "Unknown"}],
                              "addresses": [{"type": "InternalIP", "address": "10.0.0.1"}],
                              "nodeInfo": {"kubeletVersion": "v1.36.0", "kernelVersion": "6.1", "architecture": "amd64"}}}),
            "a;NotReady,SchedulingDisabled;control-plane,worker;60m;v1.36.0;10.0.0.1;<none>;<unknown>;6.1 (amd64);<unknown>",
        ),
        (
            "v1",
            "Event",
            json!({"involvedObject": {"kind": "Pod", "name": "p", "fieldPath": "spec.containers{c}"}, "type": "Normal", "reason": "R",
                   "message": " said \n", "firstTimestamp": "2026-03-04T03:06:07Z", "lastTimestamp": EARLIER, "count": 5,
                   "source": {"component": "kubelet", "host": "n1"}}),
            "60m;Normal;R;pod/p;spec.containers{c};kubelet, n1;said;120m;5;a",
        ),
        (
            "v1",
            "Event",
            json!({"involvedObject": {"kind": "VirtualMachine"}, "eventTime": "2026-03-04T03:06:07.000000Z",
                   "reportingComponent": "virt", "series": {"count": 3, "lastObservedTime": "2026-03-04T05:01:07.000000Z"}}),
            "5m;;;virtualmachine;;virt;;120m;3;a",
        ),
        ("v1", "Event", json!({"involvedObject": {}}), "<unknown>;;;;;;;<unknown>;1;a"),
        ("v1", "ConfigMap", json!({"data": {"a": ""}, "binaryData": {"b": ""}}), "a;2;60m"),
        ("v1", "Secret", json!({"type": "Opaque", "data": {"a": ""}}), "a;Opaque;1;60m"),
        (
            "v1",
            "Service",
            json!({"spec": {"type": "ClusterIP", "clusterIP": "10.0.0.1", "selector": {"b": "2", "a": "1"},
                            "ports": [{"port": 80}, {"port": 53, "protocol": "UDP", "nodePort": 30053}]}}),
            "a;ClusterIP;10.0.0.1;<none>;80/TCP,53:30053/UDP;60m;a=1,b=2",
        ),
        (
            "v1",
            "Service",
            json!({"spec": {"type": "LoadBalancer", "clusterIPs": ["10.0.0.1"], "externalIPs": ["9.9.9.9"]},
                   "status": {"loadBalancer": {"ingress": [{"hostname": "h"}, {"ip": "8.8.8.8"}]}}}),
            "a;LoadBalancer;10.0.0.1;8.8.8.8,h,9.9.9.9;<none>;60m;<none>",
        ),
        (
            "v1",
            "Service",
            json!({"spec": {"type": "LoadBalancer"}}),
            "a;LoadBalancer;<none>;<pending>;<none>;60m;<none>",
        ),
        (
            "v1",
            "PersistentVolumeClaim",
            json!({"spec": {"storageClassName": "fast", "volumeName": "pv", "volumeMode": "Block"},
                   "status": {"phase": "Bound", "capacity": {"storage": "1Gi"}, "accessModes": ["ReadWriteMany", "ReadWriteOnce"]}}),
            "a;Bound;pv;1Gi;RWO,RWX;fast;<unset>;60m;Block",
        ),
        (
            "v1",
            "PersistentVolumeClaim",
            json!({"metadata": {"deletionTimestamp": EARLIER, "annotations": {"volume.beta.kubernetes.io/storage-class": "old"}},
                   "status": {"phase": "Pending", "accessModes": ["ReadWriteOnce"]}}),
            "a;Terminating;;;;old;<unset>;60m;<unset>",
        ),
        (
            "v1",
            "PersistentVolume",
            json!({"spec": {"capacity": {"storage": "1Gi"}, "accessModes": ["ReadOnlyMany"], "persistentVolumeReclaimPolicy": "Retain",
                            "claimRef": {"namespace": "shop", "name": "c"}}, "status": {"phase": "Bound"}}),
            "a;1Gi;ROX;Retain;Bound;shop/c;;<unset>;;60m;<unset>",
        ),
        (
            "v1",
            "ResourceQuota",
            json!({"status": {"hard": {"pods": "10", "limits.cpu": "4", "cpu": "2"}, "used": {"pods": "3"}}}),
            "a;cpu: 0/2, pods: 3/10;limits.cpu: 0/4;60m",
        ),
        (
            "storage.k8s.io/v1",
            "StorageClass",
            json!({"metadata": {"annotations": {"storageclass.kubernetes.io/is-default-class": "true"}}, "provisioner": "p"}),
            "a (default);p;Delete;Immediate;false;60m",
        ),
        ("rbac.authorization.k8s.io/v1", "Role", json!({}), "a;2026-03-04T04:06:07Z"),
        (
            "rbac.authorization.k8s.io/v1",
            "RoleBinding",
            json!({"roleRef": {"kind": "Role", "name": "r"}, "subjects": [{"kind": "User", "name": "u"}, {"kind": "User", "name": "v"},
                   {"kind": "ServiceAccount", "name": "s", "namespace": "lab"}]}),
            "a;Role/r;60m;u, v;;lab/s",
        ),
        (
            "apps/v1",
            "Deployment",
            json!({"spec": {"replicas": 3, "template": {"spec": {"containers": [{"name": "c", "image": "i"}, {"name": "d", "image": "j"}]}},
                            "selector": {"matchLabels": {"a": "1"}, "matchExpressions": [
                                {"key": "z", "operator": "DoesNotExist"}, {"key": "y", "operator": "NotIn", "values": ["q", "p"]}]}},
                   "status": {"readyReplicas": 1, "updatedReplicas": 2}}),
            "a;1/3;2;0;60m;c,d;i,j;a=1,y notin (p,q),!z",
        ),
        ("apps/v1", "DaemonSet", json!({"status": {"numberReady": 2}}), "a;0;0;2;0;0;<none>;60m;;;<none>"),
        (
            "kubevirt.io/v1",
            "VirtualMachine",
            json!({"status": {"printableStatus": "Running", "conditions": [{"type": "Paused", "status": "False"},
                   {"type": "Ready", "status": "True"}]}}),
            "a;60m;Running;True",
        ),
        ("kubevirt.io/v1", "VirtualMachine", json!({"status": {"conditions": "?"}}), "a;60m;null;null"),
        ("cdi.kubevirt.io/v1beta1", "CDIConfig", json!({}), "a;60m"),
        (
            "snapshot.kubevirt.io/v1beta1",
            "VirtualMachineRestore",
            json!({"spec": {"target": {"kind": "VirtualMachine", "name": "v"}}, "status": {"complete": true, "restoreTime": "soon"}}),
            "a;VirtualMachine;v;true;<invalid>",
        ),
    ];
    for (version, kind, object, wanted) in cases {
        assert_eq!(row(version, kind, &named(object)).join(";"), wanted, "{kind}");
    }
}

#[test]
fn values_of_another_type_are_left_out() {
    let now = BEGIN.parse().unwrap();
    for (kind, value, wanted) in [
        ("string", json!(5), json!("5")),
        ("string", json!({"b": 1, "a": "x"}), json!(r#"{"a":"x","b":1}"#)),
        ("string", Value::Null, json!("<no value>")),
        ("integer", json!(1.5), json!(1)),
        ("integer", json!("7"), Value::Null),
        ("number", json!(1.5), json!(1.5)),
        ("boolean", json!("true"), Value::Null),
        ("date", json!(EARLIER), json!("60m")),
        ("date", json!(5), Value::Null),
        ("date", Value::Null, Value::Null),
    ] {
        assert_eq!(of_type(&value, kind, now), wanted, "{kind} {value}");
    }
}

#[tokio::test]
async fn a_table_holds_what_is_asked_for() {
    let api = Api::new().as_admin();
    for name in ["a", "b"] {
        let map = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name, "namespace": "shop"}, "data": {"k": ""}});
        api.server().put(map).unwrap();
    }
    let table = api.with_header("accept", "application/json;as=Table;v=v1;g=meta.k8s.io,application/json");
    let path = "/api/v1/namespaces/shop/configmaps";
    let (_, whole) = table.get(&format!("{path}?includeObject=Object")).await;
    assert_eq!(whole["kind"], "Table");
    assert_eq!(whole["rows"][0]["object"]["data"], json!({"k": ""}));
    let (_, without) = table.get(&format!("{path}?includeObject=None&limit=1")).await;
    assert_eq!(without["rows"], json!([{"cells": ["a", 1, "0s"], "object": null}]));
    assert_eq!(without["metadata"]["remainingItemCount"], 1);
    let token = without["metadata"]["continue"].as_str().unwrap();
    let (_, rest) = table.get(&format!("{path}?limit=1&continue={token}")).await;
    assert_eq!(rest["rows"][0]["object"]["kind"], "PartialObjectMetadata");
    assert_eq!(rest["rows"][0]["object"]["metadata"]["name"], "b");
    assert_eq!(rest["metadata"]["continue"], Value::Null);
    let (_, one) = table.get(&format!("{path}/b")).await;
    assert_eq!(one["rows"].as_array().map(Vec::len), Some(1));
    assert_eq!(one["columnDefinitions"][0]["format"], "name");
    let (code, refused) = table.get(&format!("{path}?includeObject=All")).await;
    assert_eq!(code, 400, "{refused}");
    assert_eq!(api.get(&format!("{path}?includeObject=All")).await.0, 200, "no table was asked for");
}
