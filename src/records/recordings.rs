//! Every object of the recordings of a real control plane becomes a record.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde_json::value::RawValue;

use super::{BadObject, Kind, Origin, Record, Records, decode};
use crate::{dispatch, dispatch_arms};

#[derive(Deserialize)]
struct Line<'a> {
    resource: String,
    #[serde(borrow)]
    object: &'a RawValue,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Head {
    api_version: String,
}

fn kind_of(line: &Line<'_>) -> Option<Kind> {
    let head: Head = serde_json::from_str(line.object.get()).unwrap();
    let group = head.api_version.split_once('/').map_or("", |(group, _)| group);
    Kind::ALL.iter().copied().find(|kind| {
        let info = kind.info();
        kind.origin() == Origin::Server && info.plural == line.resource && info.group == group
    })
}

/// Decodes one object, and again with each field of `spec` and `status` set to null.
fn read<R: Record>(object: &RawValue) -> Result<(), BadObject>
where
    Records: From<Vec<R>>,
{
    let found = decode::<R>(object.get().as_bytes())?;
    assert!(!found.record.meta().name.is_empty() && !found.version.is_empty());
    let again = decode::<R>(object.get().as_bytes())?;
    assert_eq!(found.record, again.record);
    let heap = allocation_counter::measure(|| drop(decode::<R>(object.get().as_bytes())));
    assert!(heap.count_total <= 16, "{heap:?} for {:?}", found.record);
    let whole: serde_json::Value = serde_json::from_str(object.get()).unwrap();
    for part in ["metadata", "spec", "status"] {
        let fields = whole[part].as_object().into_iter().flatten();
        for field in fields.map(|(name, _)| name).filter(|name| *name != "name") {
            let mut holed = whole.clone();
            holed[part][field] = serde_json::Value::Null;
            decode::<R>(&serde_json::to_vec(&holed).unwrap())?;
        }
    }
    Ok(())
}

fn recordings(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder.join("recordings")).unwrap();
    let files = entries.map(|entry| entry.unwrap().path());
    files.filter(|path| path.extension().is_some_and(|end| end == "ndjson")).collect()
}

/// One allocation is serde_json's own stack for what is skipped.
#[test]
fn healthy_objects_take_no_heap() {
    let meta = r#""name":"web-root","namespace":"shop","uid":"3a41f566-fe01-409c-a06c-0a1cd6e317e6","creationTimestamp":"2026-11-21T10:49:14Z",
        "labels":{"app":"web"},"ownerReferences":[{"uid":"31700f0f-886c-48b3-aa77-289578cea65f","controller":true}],"managedFields":[{"f":{}}]"#;
    let pod = r#""spec":{"nodeName":"n1","containers":[{"name":"compute"}],"initContainers":[{"name":"log","restartPolicy":"Always"}]},
        "status":{"phase":"Running","podIP":"10.0.0.1","conditions":[{"type":"Ready","status":"True"}],
        "initContainerStatuses":[{"name":"log","started":true,"ready":true,"state":{"running":{}}}],
        "containerStatuses":[{"name":"compute","ready":true,"state":{"running":{}},"lastState":{}}]}"#;
    let claim = r#""spec":{"accessModes":["ReadWriteMany"],"resources":{"requests":{"storage":"5Gi"}},"storageClassName":"fast",
        "volumeName":"pvc-3d3e1479-dcbf-4edf-a34f-1e6ab5079f53"},"status":{"phase":"Bound","capacity":{"storage":"5Gi"}}"#;
    let volume = r#""spec":{"source":{"http":{"url":"https://x"}},"storage":{"resources":{"requests":{"storage":"5Gi"}}}},
        "status":{"phase":"Succeeded","progress":"100.0%","conditions":[{"type":"Running","status":"False","reason":"Completed","message":"Import Complete"}]}"#;
    for (kind, rest) in [(Kind::Pod, pod), (Kind::Claim, claim), (Kind::DataVolume, volume)] {
        let object = format!(r#"{{"metadata":{{{meta}}},{rest}}}"#);
        dispatch!(kind, R => {
            // The first time words are learned.
            decode::<R>(object.as_bytes()).unwrap();
            let heap = allocation_counter::measure(|| drop(decode::<R>(object.as_bytes())));
            assert!(heap.count_total <= 1, "{kind:?}: {heap:?}");
        });
    }
}

#[test]
fn every_recorded_object_decodes() {
    let Some(folder) = std::env::var_os("V9S_TEST_DATA") else {
        eprintln!("skipped: V9S_TEST_DATA names no folder with recordings/*.ndjson");
        return;
    };
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    let mut bad = Vec::new();
    for path in recordings(Path::new(&folder)) {
        let text = std::fs::read_to_string(&path).unwrap();
        for (at, line) in text.lines().enumerate() {
            let line: Line<'_> = serde_json::from_str(line).unwrap();
            let Some(kind) = kind_of(&line) else {
                *counts.entry(format!("(no record) {}", line.resource)).or_default() += 1;
                continue;
            };
            *counts.entry(format!("{kind:?}")).or_default() += 1;
            if let Err(why) = dispatch!(kind, R => read::<R>(line.object)) {
                bad.push(format!("{}:{}: {kind:?}: {why}", path.display(), at + 1));
            }
        }
    }
    eprintln!("decoded: {counts:?}");
    assert!(counts.len() > 10, "few kinds in {counts:?}");
    assert!(bad.is_empty(), "{}", bad.join("\n"));
}
