//! Objects that a server stores although nobody would write them.

use serde_json::{Map, Value, json};
use v9s::model::{Name, Now};
use v9s::records::{DataVolume, Event, Kind, Other, Pod, RunStrategy, TableCell, Vm, VmFlags, Vmi};

use super::define;
use super::lists::config_map;
use crate::support::crds::Definitions;
use crate::support::live::{Live, within};
use crate::support::objects::{Object, data_volume, pod, vm, vmi_of};
use crate::support::suite::Case;

/// Sequences that a terminal would obey, a direction turned round, and wide letters.
const HOSTILE: &str = "Run\u{1b}[2J\u{1b}]0;title\u{7}\u{9b}31m\u{202e}gnin\u{200b}東京\r\n";

pub(super) const CASES: &[Case] = &[
    ("hostile: the longest names", |env| {
        let ns = env.namespace.as_str();
        let name = format!("{}.{}", "n".repeat(126), "m".repeat(126));
        env.cluster.create_many([vm(ns, &name).with("metadata.labels", json!({}))]);
        env.cluster.create(config_map(ns, &name));
        let mut live = Live::new(env.admin());
        live.open(Kind::Vm, within(&[ns]));
        live.open_table("cm", within(&[ns]).namespaces);
        live.until_live(&[Kind::Vm, Kind::Other]);
        assert_eq!(live.names(Kind::Vm), [name.as_str()]);
        assert_eq!(live.row::<Other>(ns, &name).cells[0], TableCell::Text(Name::new(&name)));
    }),
    ("hostile: as many labels and annotations as fit", |env| {
        let ns = env.namespace.as_str();
        let labels: Map<String, Value> =
            (0..5_000).map(|n| (format!("example.test/label-{n}"), json!(format!("v{n}")))).collect();
        let note = "\u{202e}\u{1b}[31m'\"\\東".repeat(12_000);
        assert!(note.len() < 250_000);
        let machine = vm(ns, "web").with("metadata.labels", labels).annotation("example.test/note", &note);
        env.cluster.create(machine);
        let mut live = Live::new(env.admin());
        live.open(Kind::Vm, within(&[ns]));
        live.until_live(&[Kind::Vm]);
        live.until("the machine", |live| &*live.row::<Vm>(ns, "web").status == "Stopped");
        env.cluster.patch(&vm(ns, "web"), json!({"status": {"printableStatus": "Running"}}));
        live.until("a change of it", |live| &*live.row::<Vm>(ns, "web").status == "Running");
        assert_eq!(live.row::<Vm>(ns, "web").meta.broken(), None);
    }),
    ("hostile: words that a terminal would obey", |env| {
        let ns = env.namespace.as_str();
        env.cluster.create(vm(ns, "listed").with("status.printableStatus", HOSTILE));
        let mut live = Live::new(env.admin());
        live.open(Kind::Vm, within(&[ns]));
        live.open_table("virtualmachines", within(&[ns]).namespaces);
        live.until_live(&[Kind::Vm, Kind::Other]);
        env.cluster.create(vm(ns, "watched").with("status.printableStatus", HOSTILE));
        live.until("the status of the second", |live| {
            live.find::<Vm>(ns, "watched").is_some_and(|row| !row.status.is_empty())
                && live.has(Kind::Other, ns, "watched")
        });
        for name in ["listed", "watched"] {
            let status = live.row::<Vm>(ns, name).status;
            assert_eq!(&*status, "Run␛[2J␛]0;title␇·31m·gnin·東京␍␊");
        }
        let is_safe = |text: &str| !text.chars().any(|c| c.is_control() || "\u{202e}\u{200b}".contains(c));
        let cells = &live.row::<Other>(ns, "listed").cells;
        for cell in cells {
            assert!(!matches!(cell, TableCell::Text(text) if !is_safe(text)), "{cell:?}");
        }
        // Open definitions have no column for it.
        if matches!(define(&env.cluster), Definitions::Real(_)) {
            let shown = |cell: &TableCell| matches!(cell, TableCell::Text(text) if text.contains("␛[2J"));
            assert!(cells.iter().any(shown), "{cells:?}");
        }
    }),
    ("hostile: such words in every place that is kept", |env| {
        let ns = env.namespace.as_str();
        let condition = json!({"type": "Ready", "status": "False", "reason": HOSTILE, "message": HOSTILE});
        let waiting = json!({
            "name": "main", "image": HOSTILE, "imageID": HOSTILE, "ready": false, "restartCount": 7,
            "state": {"waiting": {"reason": HOSTILE, "message": HOSTILE}},
            "lastState": {"terminated": {"exitCode": 1, "reason": HOSTILE, "message": HOSTILE}},
        });
        let machine = env.cluster.create(vm(ns, "web").with("status.printableStatus", HOSTILE));
        let running =
            |of: &str| json!({"type": of, "status": "False", "reason": HOSTILE, "message": HOSTILE});
        let volume = data_volume(ns, "web")
            .with("status.phase", HOSTILE)
            .with("status.progress", HOSTILE)
            .with("status.conditions", json!([running("Running"), running("Bound"), running("Ready")]));
        let instance = vmi_of(&machine)
            .with("status.phase", HOSTILE)
            .with("status.nodeName", HOSTILE)
            .with("status.guestOSInfo", json!({"prettyName": HOSTILE, "name": HOSTILE}))
            .with("status.interfaces", json!([{"ipAddress": HOSTILE, "name": HOSTILE}]));
        let about = pod(ns, "web").with(
            "status",
            json!({
                "phase": "Pending", "reason": HOSTILE, "message": HOSTILE, "conditions": [condition],
                "containerStatuses": [waiting],
            }),
        );
        let event = Object(json!({
            "apiVersion": "v1", "kind": "Event", "metadata": {"namespace": ns, "name": "web"},
            "involvedObject": {"kind": HOSTILE, "namespace": ns, "name": HOSTILE},
            "reason": HOSTILE, "message": HOSTILE, "type": HOSTILE,
            "source": {"component": HOSTILE},
        }));
        env.cluster.create_many([volume, instance, about, event]);
        let mut live = Live::new(env.admin());
        let kinds = [Kind::Vm, Kind::Vmi, Kind::DataVolume, Kind::Pod, Kind::Event];
        kinds.iter().for_each(|&kind| live.open(kind, within(&[ns])));
        live.until_live(&kinds);
        let texts = [
            format!("{:?}", live.row::<Vm>(ns, "web")),
            format!("{:?}", live.row::<Vmi>(ns, "web")),
            format!("{:?}", live.row::<DataVolume>(ns, "web")),
            format!("{:?}", live.row::<Pod>(ns, "web")),
            format!("{:?}", live.row::<Event>(ns, "web")),
        ];
        for text in texts {
            // The words came through, and nothing that has to be escaped.
            assert!(text.contains("[2J"), "{text}");
            assert!(!text.contains("\\u{") && !text.contains("\\r") && !text.contains("\\n"), "{text}");
        }
        // What is made of them all for the screen.
        for kind in kinds {
            let state = live.store.state(live.id(kind, ns, "web").unwrap(), Now::read());
            let text = format!("{state:?}");
            assert!(!text.contains("\\u{"), "{text}");
        }
    }),
    ("hostile: a status longer than any word", |env| {
        let ns = env.namespace.as_str();
        env.cluster.create(vm(ns, "web").with("status.printableStatus", "x".repeat(100_000)));
        let mut live = Live::new(env.admin());
        live.open(Kind::Vm, within(&[ns]));
        live.until_live(&[Kind::Vm]);
        assert_eq!(&*live.row::<Vm>(ns, "web").status, "<other>");
    }),
    ("hostile: owners in a circle", |env| {
        let ns = env.namespace.as_str();
        let first = env.cluster.create(vm(ns, "a"));
        let second = env.cluster.create(vm(ns, "b").owned_by(&first));
        let circle = Object(json!({"metadata": {}})).owned_by(&second);
        let first = env.cluster.patch(&first, circle.into());
        // One that owns itself, too.
        let own = env.cluster.create(pod(ns, "own"));
        env.cluster.patch(&own, Object(json!({"metadata": {}})).owned_by(&own).into());
        let mut live = Live::new(env.admin());
        live.open(Kind::Vm, within(&[ns]));
        live.open(Kind::Pod, within(&[ns]));
        live.until_live(&[Kind::Vm, Kind::Pod]);
        let [a, b] = ["a", "b"].map(|name| live.id(Kind::Vm, ns, name).unwrap());
        assert_eq!(live.store.wholes(a).collect::<Vec<_>>(), [b]);
        assert_eq!(live.store.wholes(b).collect::<Vec<_>>(), [a]);
        let mark = live.mark();
        env.cluster.patch(&first, json!({"status": {"printableStatus": "Starting"}}));
        live.until("a change in the circle", |live| &*live.row::<Vm>(ns, "a").status == "Starting");
        assert_eq!(live.since(mark, Kind::Vm).map(|moment| moment.touched).max(), Some(2));
        env.cluster.delete(&own);
        live.until("the end of the pod", |live| live.store.is_empty(Kind::Pod));
    }),
    ("hostile: objects as large as the server takes", |env| {
        let ns = env.namespace.as_str();
        let script = "#!/bin/sh\necho \"\\\" }]\" # \u{1f4a3}\n".repeat(40_000);
        // etcd takes one and a half million bytes.
        assert_eq!(json!(script).to_string().len(), 1_440_002);
        let volumes = json!([{"name": "init", "cloudInitNoCloud": {"userData": script}}]);
        let machine = vm(ns, "big").with("spec.template.spec.volumes", volumes);
        env.cluster.create(machine.with("spec.template.spec.domain.devices", json!({})));
        env.cluster.create(config_map(ns, "big").with("data", json!({"text": "x".repeat(1_000_000)})));
        let mut live = Live::new(env.admin());
        live.open(Kind::Vm, within(&[ns]));
        live.open_table("configmaps", within(&[ns]).namespaces);
        live.until_live(&[Kind::Vm, Kind::Other]);
        assert_eq!(&*live.row::<Vm>(ns, "big").status, "Stopped");
        assert_eq!(live.row::<Other>(ns, "big").cells[1], TableCell::Number(1.0));
        // The same in one line of a watch.
        env.cluster.patch(&vm(ns, "big"), json!({"spec": {"runStrategy": "Always"}}));
        live.until("a change of it", |live| live.row::<Vm>(ns, "big").strategy == RunStrategy::Always);
        assert!(live.stale(0, Kind::Vm).is_empty());
    }),
    ("hostile: hardly anything is said", |env| {
        let ns = env.namespace.as_str();
        let bare = |kind: &str, spec: Value| {
            json!({
                "apiVersion": "kubevirt.io/v1", "kind": kind,
                "metadata": {"namespace": ns, "name": "bare", "labels": null, "annotations": null},
                "spec": spec,
            })
        };
        let nothing = json!({"domain": {"devices": {}}});
        let template = json!({"metadata": {"creationTimestamp": null}, "spec": nothing});
        env.cluster.create(bare("VirtualMachine", json!({"template": template})));
        env.cluster.create(bare("VirtualMachineInstance", nothing));
        let mut live = Live::new(env.admin());
        live.open(Kind::Vm, within(&[ns]));
        live.open(Kind::Vmi, within(&[ns]));
        live.until_live(&[Kind::Vm, Kind::Vmi]);
        let row = live.row::<Vm>(ns, "bare");
        assert_eq!((row.cpus, row.memory, row.strategy), (0, 0, RunStrategy::Unknown));
        assert_eq!((&*row.status, row.flags, row.meta.broken()), ("", VmFlags::empty(), None));
        let row = live.row::<Vmi>(ns, "bare");
        assert_eq!((&*row.phase, row.address(), row.meta.broken()), ("", None, None));
        // A status that says nothing, and one that takes back what it said.
        let emptied = json!({"status": {"conditions": null, "printableStatus": "", "startFailure": null}});
        env.cluster.patch(&vm(ns, "bare"), json!({"status": {"printableStatus": "Running"}}));
        live.until("a status", |live| &*live.row::<Vm>(ns, "bare").status == "Running");
        env.cluster.patch(&vm(ns, "bare"), emptied);
        live.until("its end", |live| live.row::<Vm>(ns, "bare").status.is_empty());
    }),
];
