//! What a machine is made from: templates of disks, and the template of machines in a pool.

use super::super::{MACHINE_ERROR, guest, machine, namespace};
use crate::rules::finding::Level;
use crate::rules::fix::Fix;
use crate::rules::known::{DataSource, Lookup};
use crate::rules::rule::{Check, Needs, Rule};
use crate::rules::source::Spot;
use crate::rules::subject::Subject;

/// Fields of the guest that people write one level too high.
const OF_THE_GUEST: &[&str] = &[
    "domain",
    "volumes",
    "networks",
    "accessCredentials",
    "affinity",
    "nodeSelector",
    "tolerations",
    "topologySpreadConstraints",
    "evictionStrategy",
    "terminationGracePeriodSeconds",
    "hostname",
    "subdomain",
    "livenessProbe",
    "readinessProbe",
    "dnsPolicy",
    "dnsConfig",
    "architecture",
    "schedulerName",
    "priorityClassName",
    "startStrategy",
];

/// Whether a field of the guest stands in the specification of the machine.
pub(in crate::rules::catalogue::pasted) fn of_the_guest(spot: &Spot<'_>) -> bool {
    let key = spot.key().unwrap_or_default();
    let level = match spot.document().subject() {
        Subject::VirtualMachine => "spec",
        Subject::VirtualMachinePool => "spec.virtualMachineTemplate.spec",
        _ => return false,
    };
    OF_THE_GUEST.contains(&key) && spot.holder().path() == level
}

fn check_level(c: &mut Check<'_>) {
    let entries: Vec<Spot<'_>> =
        c.at.entries().map(|(_, entry)| entry).filter(|entry| of_the_guest(entry)).collect();
    for (index, entry) in entries.iter().enumerate() {
        let moved = index == 0 && c.at.get("template").missing() && !c.at.get("template").exists();
        let fix = if moved { Fix::deepen(&entries, &["template", "spec"]) } else { None };
        c.report_key(entry, &[&entry.key().unwrap_or_default()]).fix(fix);
    }
}

/// The DataSource that a reference means.
fn meant<'k>(c: &Check<'k>, reference: &Spot<'_>) -> Option<(String, Lookup<'k, DataSource>)> {
    let name = reference.get("name").text()?;
    let namespace = reference.get("namespace").text().unwrap_or(namespace(c));
    Some((name.to_owned(), c.known.data_source(name, namespace)))
}

const REFERENCE: &str = "@machine.dataVolumeTemplates[].spec.sourceRef";

/// A case with one template and the volume that uses it.
macro_rules! with_template {
    ($spec:literal, $rest:literal) => {
        concat!(
            "@machine.dataVolumeTemplates: [{metadata: {name: d}, spec: ",
            $spec,
            "}]\n@guest.volumes[0]: {name: root, dataVolume: {name: d}}\n",
            $rest
        )
    };
}

/// The rows.
pub(in crate::rules::catalogue) const RULES: &[Rule] = &[
    Rule {
        id: "kubevirt-guest-misplaced",
        path: "@machine",
        text: "{} describes the guest and belongs one level deeper, below template.spec",
        check: check_level,
        bad: &[
            "@machine.networks: []",
            "@machine.domain: {cpu: {cores: 1}}\n!@machine.template\nat @machine.domain",
        ],
        good: &["@guest.networks: [{name: default, pod: {}}]"],
        ..MACHINE_ERROR
    },
    Rule {
        id: "kubevirt-template-unused",
        path: "@machine.dataVolumeTemplates[].metadata.name",
        text: "no volume of the guest uses the template \"{}\"",
        check: |c| {
            let Some(name) = c.text().filter(|name| !name.is_empty()) else { return };
            let volumes = guest(c).get("volumes");
            // A guest in the wrong place is said once.
            let misplaced = machine(c).get("volumes").exists();
            let uses = |volume: Spot<'_>| {
                [volume.get("dataVolume.name"), volume.get("persistentVolumeClaim.claimName")]
                    .iter()
                    .any(|spot| spot.text() == Some(name))
            };
            if !misplaced && !volumes.items().any(uses) {
                c.report(&[&name]);
            }
        },
        bad: &[
            "@machine.dataVolumeTemplates: [{metadata: {name: d}, spec: {source: {blank: {}}, storage: {resources: {requests: {storage: 1Gi}}}}}]\nat @machine.dataVolumeTemplates[0].metadata.name",
        ],
        good: &[with_template!(
            "{source: {blank: {}}, storage: {resources: {requests: {storage: 1Gi}}}}",
            ""
        )],
        ..MACHINE_ERROR
    },
    Rule {
        id: "kubevirt-template-name",
        path: "@machine.dataVolumeTemplates[]",
        text: "a template of a disk needs metadata.name",
        check: |c| {
            let name = c.at.get("metadata.name");
            if c.at.is_map() && name.blank() {
                c.report_at(&name, &[]);
            }
        },
        bad: &[
            "@machine.dataVolumeTemplates: [{spec: {source: {blank: {}}, storage: {resources: {requests: {storage: 1Gi}}}}}]\nat @machine.dataVolumeTemplates[0].metadata.name",
        ],
        good: &[with_template!(
            "{source: {blank: {}}, storage: {resources: {requests: {storage: 1Gi}}}}",
            ""
        )],
        ..MACHINE_ERROR
    },
    Rule {
        id: "kubevirt-template-namespace",
        path: "@machine.dataVolumeTemplates[].metadata.namespace",
        text: "a template's disk is made in the namespace of the machine, not in \"{}\"",
        check: |c| {
            let own = c.root().document().gvc();
            if let Some(text) =
                c.text().filter(|text| !text.is_empty() && own.is_some_and(|own| own != *text))
            {
                let at = c.at.clone();
                c.report(&[&text]).fix(Fix::remove(&at));
            }
        },
        bad: &[
            "@machine.dataVolumeTemplates: [{metadata: {name: d, namespace: other}, spec: {source: {blank: {}}, storage: {resources: {requests: {storage: 1Gi}}}}}]\n@guest.volumes[0]: {name: root, dataVolume: {name: d}}\nat @machine.dataVolumeTemplates[0].metadata.namespace",
        ],
        good: &[with_template!(
            "{source: {blank: {}}, storage: {resources: {requests: {storage: 1Gi}}}}",
            ""
        )],
        ..MACHINE_ERROR
    },
    Rule {
        id: "kubevirt-source-downloads",
        path: REFERENCE,
        text: "DataSource \"{}\" has nothing to clone: it cannot download; the machine fails with \"DataVolume sourceRef not supported\". Write the download into source.http here",
        check: |c| {
            if let Some((name, Lookup::Here(DataSource { http: Some(http), .. }))) = meant(c, &c.at) {
                let at = c.at.clone();
                let fix = if c.at.holder().get("source").exists() {
                    None
                } else {
                    Fix::replace(&at, "source", "http", http)
                };
                c.report_key(&at, &[&name]).fix(fix);
            }
        },
        bad: &[
            "---\napiVersion: kubevirt.io/v1\nkind: VirtualMachine\nmetadata: {name: web}\nspec:\n  runStrategy: Always\n  dataVolumeTemplates:\n  - metadata: {name: d}\n    spec:\n      sourceRef: # here\n        kind: DataSource\n        name: web\n      storage: {resources: {requests: {storage: 1Gi}}}\n  template:\n    spec:\n      domain:\n        memory: {guest: 1Gi}\n        devices: {disks: [{name: root, disk: {bus: virtio}}]}\n      volumes: [{name: root, dataVolume: {name: d}}]\n---\napiVersion: cdi.kubevirt.io/v1beta1\nkind: DataSource\nmetadata: {name: web}\nspec:\n  source:\n    http: {url: 'https://images.example.net/a.qcow2'}\n",
        ],
        good: &[with_template!("{sourceRef: {kind: DataSource, name: web}, storage: {}}", "")],
        with: &["cdi-datasource-download"],
        ..MACHINE_ERROR
    },
    Rule {
        id: "kubevirt-source-missing",
        path: REFERENCE,
        text: "there is no DataSource \"{}\" in this namespace; the machine stays Stopped with FailedCreate",
        needs: Needs::Cluster,
        check: |c| {
            if let Some((name, Lookup::Absent)) = meant(c, &c.at) {
                let at = c.at.get("name");
                let elsewhere: Vec<&DataSource> =
                    c.known.data_sources.iter().flatten().filter(|source| source.name == name).collect();
                let fix = match elsewhere.as_slice() {
                    [one] if c.at.get("namespace").missing() => Fix::add(&c.at, "namespace", &one.gvc),
                    _ => None,
                };
                c.report_at(&at, &[&name]).fix(fix);
            }
        },
        bad: &[
            with_template!(
                "{sourceRef: {kind: DataSource, name: gone}, storage: {}}",
                "known: {dataSources: []}\nat @machine.dataVolumeTemplates[0].spec.sourceRef.name"
            ),
            with_template!(
                "{sourceRef: {kind: DataSource, name: web}, storage: {}}",
                "known: {dataSources: [{name: web, gvc: images}]}\nat @machine.dataVolumeTemplates[0].spec.sourceRef.name"
            ),
        ],
        good: &[with_template!(
            "{sourceRef: {kind: DataSource, name: web}, storage: {}}",
            "known: {dataSources: [{name: web, gvc: shop}]}"
        )],
        ..MACHINE_ERROR
    },
    Rule {
        id: "kubevirt-pool-replicas",
        on: &[Subject::VirtualMachinePool],
        path: "spec.replicas",
        text: "{} machines cannot be; write 0 or more",
        check: |c| c.between(0, i64::from(i32::MAX)),
        bad: &["spec.replicas: -1"],
        good: &["spec.replicas: 0"],
        ..MACHINE_ERROR
    },
    Rule {
        id: "kubevirt-pool-template",
        on: &[Subject::VirtualMachinePool],
        path: "spec.virtualMachineTemplate",
        text: "the template of the machines is missing",
        check: |c| {
            if c.at.missing() {
                c.report(&[]);
            }
        },
        bad: &["!spec.virtualMachineTemplate"],
        good: &["spec.replicas: 1"],
        with: &["kubevirt-pool-selector"],
        ..MACHINE_ERROR
    },
    Rule {
        id: "kubevirt-pool-selector",
        on: &[Subject::VirtualMachinePool],
        path: "spec.selector",
        text: "the selector must match the labels of virtualMachineTemplate.metadata",
        check: |c| {
            let labels = c.root().get("spec.virtualMachineTemplate.metadata.labels");
            let wanted = c.at.get("matchLabels");
            let other = wanted
                .entries()
                .find(|(key, value)| labels.entry(key).is_none_or(|label| label.word() != value.word()));
            if c.at.missing() {
                let first = labels.entries().next();
                let value = first.and_then(|(key, value)| {
                    Some(serde_json::json!({"matchLabels": {key: value.word()?}}).to_string())
                });
                let fix = value.and_then(|value| Fix::add(&c.root().get("spec"), "selector", &value));
                c.report(&[]).fix(fix);
            } else if let Some((_, spot)) = other {
                let fix = labels
                    .entry(spot.key().unwrap_or_default())
                    .and_then(|label| Fix::set(&spot, &label.word()?));
                c.report_at(&spot, &[]).fix(fix);
            } else if c.at.is_map() && c.at.count() == 0 {
                c.report(&[]);
            }
        },
        bad: &[
            "!spec.selector",
            "spec.selector.matchLabels: {pool: other}\nat spec.selector.matchLabels.pool",
            "spec.selector: {}",
        ],
        good: &["spec.selector: {matchExpressions: [{key: pool, operator: Exists}]}"],
        ..MACHINE_ERROR
    },
    Rule {
        id: "kubevirt-pool-strategy",
        on: &[Subject::VirtualMachinePool],
        path: "spec.{scaleInStrategy,updateStrategy}",
        text: "a strategy is one of unmanaged, opportunistic and proactive, found {}",
        check: |c| {
            let found = super::super::chosen(&c.at, &["unmanaged", "opportunistic", "proactive"]).len();
            if c.at.is_map() && found > 1 {
                c.report(&[&found]);
            }
        },
        bad: &["spec.updateStrategy: {unmanaged: {}, proactive: {}}"],
        good: &["spec.updateStrategy: {proactive: {}}"],
        ..MACHINE_ERROR
    },
    Rule {
        id: "kubevirt-pool-unavailable",
        on: &[Subject::VirtualMachinePool],
        path: "spec.maxUnavailable",
        text: "maxUnavailable is {}; write a number above 0, or 1% to 100%",
        check: |c| {
            let Some(word) = c.at.word() else { return };
            let good = match word.strip_suffix('%') {
                Some(part) => part.parse::<u8>().is_ok_and(|part| (1..=100).contains(&part)),
                None => c.at.int().is_some_and(|number| number > 0),
            };
            if !good {
                c.report(&[&word]);
            }
        },
        bad: &["spec.maxUnavailable: 0", "spec.maxUnavailable: 120%", "spec.maxUnavailable: '2'"],
        good: &["spec.maxUnavailable: 50%", "spec.maxUnavailable: 2"],
        ..MACHINE_ERROR
    },
    Rule {
        id: "kubevirt-pool-shared-claim",
        on: &[Subject::VirtualMachinePool],
        level: Level::Warning,
        path: "@guest.volumes[].{persistentVolumeClaim,dataVolume}",
        text: "all machines of the pool share \"{}\"; name a template of dataVolumeTemplates",
        check: |c| {
            let name = ["claimName", "name"].into_iter().find_map(|key| c.at.get(key).text());
            let templates = machine(c).get("dataVolumeTemplates");
            let own =
                |name: &str| templates.items().any(|item| item.get("metadata.name").text() == Some(name));
            if let Some(name) = name.filter(|name| !own(name)) {
                c.report(&[&name]);
            }
        },
        bad: &[
            "@guest.volumes[0]: {name: root, persistentVolumeClaim: {claimName: gold}}\nat @guest.volumes[0].persistentVolumeClaim",
        ],
        good: &["spec.replicas: 2"],
        ..MACHINE_ERROR
    },
    Rule {
        id: "kubevirt-pool-autohealing",
        on: &[Subject::VirtualMachinePool],
        level: Level::Warning,
        path: "spec.autohealing",
        text: "autohealing looks at every machine of the namespace and deletes those that fail to start, also strangers, with their disks",
        check: |c| {
            if c.at.exists() && !c.at.missing() {
                let at = c.at.clone();
                c.report_key(&at, &[]);
            }
        },
        bad: &["spec.autohealing: {startUpFailureThreshold: 3}"],
        good: &["spec.replicas: 2"],
        ..MACHINE_ERROR
    },
    Rule {
        id: "kubevirt-template-dropped",
        level: Level::Warning,
        path: "@machine.dataVolumeTemplates[].spec",
        text: "a template of a machine has no \"{}\", and KubeVirt drops it in silence; only a DataVolume of its own has it",
        check: |c| {
            let places = [
                c.at.get("source.http.checksum"),
                c.at.get("source.http.insecureSkipVerify"),
                c.at.get("source.vddk.certConfigMap"),
                c.at.get("serviceAccountName"),
            ];
            for place in places.iter().filter(|place| place.exists() && !place.missing()) {
                c.report_key(place, &[&place.key().unwrap_or_default()]);
            }
        },
        bad: &[
            with_template!(
                "{source: {http: {url: 'https://a.example.net/a', checksum: 'sha256:00'}}, storage: {resources: {requests: {storage: 1Gi}}}}",
                "\nat @machine.dataVolumeTemplates[0].spec.source.http.checksum"
            ),
            with_template!(
                "{source: {http: {url: 'https://a.example.net/a', insecureSkipVerify: true}}, storage: {resources: {requests: {storage: 1Gi}}}}",
                "\nat @machine.dataVolumeTemplates[0].spec.source.http.insecureSkipVerify"
            ),
            with_template!(
                "{source: {blank: {}}, serviceAccountName: a, storage: {resources: {requests: {storage: 1Gi}}}}",
                "\nat @machine.dataVolumeTemplates[0].spec.serviceAccountName"
            ),
        ],
        good: &[with_template!(
            "{source: {http: {url: 'https://a.example.net/a'}}, storage: {resources: {requests: {storage: 1Gi}}}}",
            ""
        )],
        with: &["pasted-unknown-field", "cdi-checksum", "cdi-checksum-format"],
        ..MACHINE_ERROR
    },
    Rule {
        id: "kubevirt-pool-downloads",
        on: &[Subject::VirtualMachinePool],
        level: Level::Warning,
        path: "@machine.dataVolumeTemplates[].spec.source.{http,s3,gcs,registry}",
        text: "every machine of the pool downloads this by itself, and none starts where it does not fit into {}; clone from a DataSource that was filled once",
        check: |c| {
            if !c.at.is_map() {
                return;
            }
            let spec = c.at.holder().holder();
            let size = |key: &'static str| spec.get(key).get("resources.requests.storage").word();
            let size = size("storage").or_else(|| size("pvc")).unwrap_or("its disk".into());
            let at = c.at.clone();
            c.report_key(&at, &[&size]);
        },
        bad: &[with_template!(
            "{source: {http: {url: 'https://a.example.net/a'}}, storage: {resources: {requests: {storage: 10Gi}}}}",
            "\nat @machine.dataVolumeTemplates[0].spec.source.http"
        )],
        good: &[with_template!(
            "{sourceRef: {kind: DataSource, name: a, namespace: images}, storage: {}}",
            ""
        )],
        ..MACHINE_ERROR
    },
    Rule {
        id: "kubevirt-pool-disk-names",
        on: &[Subject::VirtualMachinePool],
        level: Level::Warning,
        path: "@machine.dataVolumeTemplates[].metadata.name",
        text: "the disks of a pool's machines are called {}-0, {}-1 and so on, by their ordinal; there is no random suffix",
        check: |c| {
            let Some(name) = c.text() else { return };
            let text = c.at.document().text();
            let (line, _) = text.position(c.at.range().start);
            let near = line.saturating_sub(2).max(1)..=line.saturating_add(1);
            let comment =
                |line: u32| text.line(line).split_once('#').map(|(_, comment)| comment.to_lowercase());
            if near.filter_map(comment).any(|comment| comment.contains("suffix")) {
                let at = c.at.clone();
                c.report_at(&at, &[&name, &name]);
            }
        },
        bad: &[SUFFIX],
        good: &["spec.replicas: 2"],
        ..MACHINE_ERROR
    },
];

/// A pool with a comment that is copied from page to page.
const SUFFIX: &str = "---
apiVersion: pool.kubevirt.io/v1beta1
kind: VirtualMachinePool
metadata: {name: kiosk, namespace: shop}
spec:
  replicas: 3
  selector: {matchLabels: {pool: kiosk}}
  virtualMachineTemplate:
    metadata: {labels: {pool: kiosk}}
    spec:
      runStrategy: RerunOnFailure
      template:
        spec:
          domain:
            memory: {guest: 1Gi}
            devices: {disks: [{name: root, disk: {bus: virtio}}]}
          volumes: [{name: root, dataVolume: {name: kiosk-root}}]
      dataVolumeTemplates:
      - metadata:
          # each machine gets a unique suffix
          name: kiosk-root # here
        spec:
          sourceRef: {kind: DataSource, name: a, namespace: images}
          storage: {}
";
