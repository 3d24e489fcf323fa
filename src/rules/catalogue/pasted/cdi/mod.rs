//! CDI: DataVolumes, also as templates, DataSources and DataImportCrons.

pub(in crate::rules::catalogue) mod references;

use super::{NOT_OURS, chosen};
use crate::model::parse_bytes;
use crate::rules::fix::Fix;
use crate::rules::patterns::{is_quantity, nearest};
use crate::rules::rule::{Check, ERROR, Needs, Rule, WARNING};
use crate::rules::source::Spot;
use crate::rules::subject::Subject;

pub(super) const DATA_VOLUME: &str = "
apiVersion: cdi.kubevirt.io/v1beta1
kind: DataVolume
metadata:
  name: gold
  namespace: shop
spec:
  source:
    http:
      url: https://images.example.net/a.qcow2
  storage:
    resources:
      requests:
        storage: 10Gi
";

pub(super) const DATA_SOURCE: &str = "
apiVersion: cdi.kubevirt.io/v1beta1
kind: DataSource
metadata:
  name: gold
  namespace: shop
spec:
  source:
    pvc: {name: gold, namespace: shop}
";

pub(super) const CRON: &str = "
apiVersion: cdi.kubevirt.io/v1beta1
kind: DataImportCron
metadata:
  name: gold
  namespace: shop
spec:
  schedule: 17 3 * * *
  managedDataSource: gold
  template:
    spec:
      source:
        registry: {url: 'docker://quay.io/containerdisks/debian:13'}
      storage:
        resources:
          requests:
            storage: 10Gi
";

const SOURCES: &[&str] =
    &["http", "s3", "gcs", "registry", "pvc", "upload", "blank", "imageio", "vddk", "snapshot"];

/// Whether a DataVolume could have this source.
pub(super) fn is_source(key: &str) -> bool {
    SOURCES.contains(&key)
}

/// Names for certificates in a download that no field has.
const CERTIFICATES: &[&str] = &["certConfig", "caBundle", "cert", "key"];

fn of_certificates(spot: &Spot<'_>) -> bool {
    let above = spot.holder();
    CERTIFICATES.contains(&spot.key().unwrap_or_default())
        && above.key() == Some("http")
        && above.holder().key() == Some("source")
}

/// Keys of a DataVolume that no field has and about which a row here says more.
pub(super) fn said_elsewhere(spot: &Spot<'_>) -> bool {
    let holder = spot.holder();
    let beside = !holder.get("pvc").missing() || !holder.get("storage").missing();
    of_certificates(spot)
        || spot.key() == Some("storageClassName") && beside
        || holder.key() == Some("source")
            && holder.holder().key() == Some("spec")
            && VOLUME.on.contains(&spot.document().subject())
}

/// What a DataVolume takes over with `..VOLUME`: rows for volumes and for templates of them.
const VOLUME: Rule = Rule {
    on: &[Subject::DataVolume, Subject::VirtualMachine, Subject::VirtualMachinePool, Subject::DataImportCron],
    cel: NOT_OURS,
    ..ERROR
};
const VOLUME_WARNING: Rule = Rule { on: VOLUME.on, ..WARNING };

/// Whether a claim says itself where its contents come from.
fn filled_from_outside(spec: &Spot<'_>) -> bool {
    ["storage.dataSource", "storage.dataSourceRef", "pvc.dataSource", "pvc.dataSourceRef"]
        .into_iter()
        .any(|path| !spec.get(path).missing())
}

fn check_size(c: &mut Check<'_>) {
    let size = c.at.get("resources.requests.storage");
    let spec = c.at.holder();
    let clone =
        ["source.pvc", "source.snapshot", "sourceRef"].into_iter().any(|path| !spec.get(path).missing());
    let may_be_absent = c.at.key() == Some("storage") && (clone || filled_from_outside(&spec));
    if c.at.is_map() && size.blank() && !may_be_absent {
        c.report_at(&size, &[]);
    }
}

fn is_checksum(text: &str) -> bool {
    let Some((name, digits)) = text.split_once(':') else { return false };
    let length = match name {
        "md5" => 32,
        "sha1" => 40,
        "sha256" => 64,
        "sha512" => 128,
        _ => return false,
    };
    digits.len() == length && digits.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// The scheme of a URL in lower case.
fn scheme(url: &str) -> Option<String> {
    url.split_once("://").map(|(scheme, _)| scheme.to_ascii_lowercase())
}

const MODES: &[&str] = &["ReadWriteOnce", "ReadWriteMany", "ReadOnlyMany", "ReadWriteOncePod"];

/// The rows.
pub(in crate::rules::catalogue) const RULES: &[Rule] = &[
    Rule {
        id: "cdi-storage-missing",
        path: "@datavolume",
        text: "where does the data go? storage with a size is missing",
        check: |c| {
            if c.at.is_map() && c.at.get("storage").missing() && c.at.get("pvc").missing() {
                let storage = c.at.get("storage");
                c.report_at(&storage, &[]);
            }
        },
        bad: &["!@datavolume.storage"],
        good: &["@datavolume.storage.storageClassName: fast"],
        ..VOLUME
    },
    Rule {
        id: "cdi-storage-both",
        path: "@datavolume.pvc",
        text: "storage and pvc are both there; keep one of them",
        check: |c| {
            if !c.at.missing() && !c.at.holder().get("storage").missing() {
                let at = c.at.clone();
                c.report_key(&at, &[]);
            }
        },
        bad: &["@datavolume.pvc: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 1Gi}}}"],
        good: &["@datavolume.storage.storageClassName: fast"],
        with: &["cdi-pvc-fixed-modes"],
        ..VOLUME
    },
    Rule {
        id: "cdi-size-missing",
        path: "@datavolume.{storage,pvc}",
        text: "the size is missing: resources.requests.storage",
        check: check_size,
        bad: &["@datavolume.storage: {}\nat @datavolume.storage.resources.requests.storage"],
        good: &["@datavolume.storage: {}\n@datavolume.source: {pvc: {name: a, namespace: shop}}"],
        ..VOLUME
    },
    Rule {
        id: "cdi-size",
        path: "@datavolume.{storage,pvc}.resources.requests.storage",
        text: "\"{}\" is no size; write 1Mi or more, such as 10Gi",
        check: |c| {
            let Some(word) = c.at.word().filter(|word| !word.is_empty()) else { return };
            if !is_quantity(&word) || parse_bytes(&word).is_none_or(|bytes| bytes < 1 << 20) {
                c.report(&[&word]);
            }
        },
        bad: &[
            "@datavolume.storage.resources.requests.storage: ten",
            "@datavolume.storage.resources.requests.storage: 10",
            "@datavolume.storage.resources.requests.storage: -1Gi",
        ],
        good: &["@datavolume.storage.resources.requests.storage: 1Mi"],
        ..VOLUME
    },
    Rule {
        id: "cdi-access-modes",
        path: "@datavolume.{storage,pvc}.accessModes",
        text: "access mode \"{}\" is not one of ReadWriteOnce, ReadWriteMany, ReadOnlyMany, ReadWriteOncePod",
        check: |c| {
            for mode in c.at.items() {
                if let Some(text) = mode.text().filter(|text| !MODES.contains(text)) {
                    let short = [("RWO", MODES[0]), ("RWX", MODES[1]), ("ROX", MODES[2]), ("RWOP", MODES[3])];
                    let long = short.into_iter().find(|(short, _)| *short == text).map(|(_, long)| long);
                    let near = long.or_else(|| nearest(text, MODES.iter().copied()));
                    let fix = near.and_then(|near| Fix::set(&mode, near));
                    c.report_at(&mode, &[&text]).fix(fix);
                }
            }
        },
        bad: &["@datavolume.storage.accessModes: [RWX]\nat @datavolume.storage.accessModes[0]"],
        good: &["@datavolume.storage.accessModes: [ReadWriteMany]"],
        ..VOLUME
    },
    Rule {
        id: "cdi-pvc-access-mode",
        path: "@datavolume.pvc",
        text: "pvc needs exactly one access mode, found {}",
        check: |c| {
            let modes = c.at.get("accessModes");
            if c.at.is_map() && modes.count() != 1 && (modes.missing() || modes.is_list()) {
                c.report_at(&modes, &[&modes.count()]);
            }
        },
        bad: &[
            "!@datavolume.storage\n@datavolume.pvc: {resources: {requests: {storage: 1Gi}}}\nat @datavolume.pvc.accessModes",
        ],
        good: &[
            "!@datavolume.storage\n@datavolume.pvc: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 1Gi}}}",
        ],
        ..VOLUME
    },
    Rule {
        id: "cdi-pvc-fixed-modes",
        path: "@datavolume.pvc.accessModes",
        text: "pvc fixes the access mode; with storage CDI chooses one that the class can do, as live migration needs",
        check: |c| {
            if c.at.items().any(|mode| mode.text() == Some("ReadWriteOnce")) {
                let at = c.at.clone();
                c.report_key(&at, &[]);
            }
        },
        bad: &[
            "!@datavolume.storage\n@datavolume.pvc: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 1Gi}}}\nat @datavolume.pvc.accessModes",
        ],
        good: &["@datavolume.storage.accessModes: [ReadWriteOnce]"],
        ..VOLUME_WARNING
    },
    Rule {
        id: "cdi-storage-class-misplaced",
        path: "@datavolume.storageClassName",
        text: "storageClassName belongs into storage or pvc; here it is dropped and the default class is taken",
        check: |c| {
            if !c.at.exists() || !said_elsewhere(&c.at) {
                return;
            }
            let (at, spec) = (c.at.clone(), c.at.holder());
            let target = ["storage", "pvc"].into_iter().map(|key| spec.get(key)).find(Spot::is_map);
            let added = target
                .filter(|target| target.get("storageClassName").missing())
                .and_then(|target| Fix::add(&target, "storageClassName", &at.word()?));
            let fix = added.and_then(|added| Some(Fix::remove(&at)?.and(added)));
            c.report_key(&at, &[]).fix(fix.map(|fix| fix.labelled("move storageClassName")));
        },
        bad: &["@datavolume.storageClassName: fast"],
        good: &["@datavolume.storage.storageClassName: fast"],
        ..VOLUME
    },
    Rule {
        id: "cdi-source-missing",
        path: "@datavolume",
        text: "where does the data come from? write source or sourceRef",
        check: |c| {
            let none = c.at.get("source").missing() && c.at.get("sourceRef").missing();
            if c.at.is_map() && none && !filled_from_outside(&c.at) {
                c.report(&[]);
            }
        },
        bad: &["!@datavolume.source\nat @datavolume"],
        good: &["!@datavolume.source\n@datavolume.sourceRef: {kind: DataSource, name: gold}"],
        ..VOLUME
    },
    Rule {
        id: "cdi-source-both",
        path: "@datavolume.sourceRef",
        text: "source and sourceRef are both there; keep one of them",
        check: |c| {
            if !c.at.missing() && !c.at.holder().get("source").missing() {
                let at = c.at.clone();
                c.report_key(&at, &[]);
            }
        },
        bad: &["@datavolume.sourceRef: {kind: DataSource, name: gold}"],
        good: &["@datavolume.storage.storageClassName: fast"],
        with: &["cdi-cron-unsettable"],
        ..VOLUME
    },
    Rule {
        id: "cdi-source-outside",
        path: "@datavolume",
        text: "the claim names its own data source; source and sourceRef must go",
        check: |c| {
            if filled_from_outside(&c.at)
                && let Some(spot) =
                    ["source", "sourceRef"].into_iter().map(|key| c.at.get(key)).find(Spot::exists)
            {
                c.report_key(&spot, &[]);
            }
        },
        bad: &["@datavolume.storage.dataSource: {kind: VolumeSnapshot, name: a}\nat @datavolume.source"],
        good: &["@datavolume.storage.dataSource: {kind: VolumeSnapshot, name: a}\n!@datavolume.source"],
        ..VOLUME
    },
    Rule {
        id: "cdi-source-choice",
        path: "@datavolume.source",
        text: "a source is exactly one of http, s3, gcs, registry, pvc, snapshot, blank, upload, imageio, vddk, found {}",
        check: |c| {
            let found: Vec<&str> = c.at.entries().map(|(key, _)| key).collect();
            if c.at.is_map() && (found.len() != 1 || !is_source(found[0])) {
                let shown = if found.is_empty() { "none".to_owned() } else { found.join(", ") };
                let near = match found.as_slice() {
                    [one] => nearest(one, SOURCES.iter().copied()),
                    _ => None,
                };
                let only = c.at.entries().next().map(|(_, entry)| entry);
                let fix = near.and_then(|near| Fix::rename(&only?, near));
                c.report(&[&shown]).fix(fix);
            }
        },
        bad: &[
            "@datavolume.source: {}",
            "@datavolume.source: {azure: {url: 'https://a.example.net/a'}}",
            "@datavolume.source.blank: {}\nat @datavolume.source",
        ],
        good: &["@datavolume.source: {blank: {}}"],
        ..VOLUME
    },
    Rule {
        id: "cdi-source-ref-kind",
        path: "@datavolume.sourceRef.kind",
        text: "sourceRef must name a DataSource; write kind: DataSource",
        check: |c| {
            if c.at.text() != Some("DataSource") {
                let fix =
                    Fix::set(&c.at, "DataSource").or_else(|| Fix::add(&c.at.holder(), "kind", "DataSource"));
                c.report(&[]).fix(fix);
            }
        },
        bad: &[
            "!@datavolume.source\n@datavolume.sourceRef: {kind: PersistentVolumeClaim, name: gold}\nat @datavolume.sourceRef.kind",
            "!@datavolume.source\n@datavolume.sourceRef: {name: gold}\nat @datavolume.sourceRef.kind",
        ],
        good: &["!@datavolume.source\n@datavolume.sourceRef: {kind: DataSource, name: gold}"],
        ..VOLUME
    },
    Rule {
        id: "cdi-source-ref-name",
        path: "@datavolume.sourceRef.name",
        text: "sourceRef does not say which DataSource",
        check: |c| c.required(),
        bad: &[
            "!@datavolume.source\n@datavolume.sourceRef: {kind: DataSource}\nat @datavolume.sourceRef.name",
        ],
        good: &["!@datavolume.source\n@datavolume.sourceRef: {kind: DataSource, name: gold}"],
        ..VOLUME
    },
    Rule {
        id: "cdi-source-ref-group",
        path: "@datavolume.sourceRef.apiGroup",
        text: "sourceRef has kind, name and namespace only; remove {}",
        check: |c| c.forbidden(),
        bad: &[
            "!@datavolume.source\n@datavolume.sourceRef: {kind: DataSource, name: gold, apiGroup: cdi.kubevirt.io}\nat @datavolume.sourceRef.apiGroup",
        ],
        good: &["!@datavolume.source\n@datavolume.sourceRef: {kind: DataSource, name: gold}"],
        ..VOLUME
    },
    Rule {
        id: "cdi-content-type",
        path: "@datavolume.contentType",
        text: "contentType \"{}\" is neither kubevirt nor archive",
        check: |c| c.one_of(&["kubevirt", "archive", ""]),
        bad: &["@datavolume.contentType: iso"],
        good: &["@datavolume.contentType: archive"],
        ..VOLUME
    },
    Rule {
        id: "cdi-archive-source",
        path: "@datavolume.contentType",
        text: "a {} source cannot be an archive",
        check: |c| {
            let source = c.at.holder().get("source");
            let odd = chosen(&source, &["blank", "registry"]);
            if let Some(odd) = odd.first().filter(|_| c.text() == Some("archive")) {
                c.report(&[&odd.key().unwrap_or_default()]);
            }
        },
        bad: &["@datavolume.contentType: archive\n@datavolume.source: {blank: {}}"],
        good: &["@datavolume.contentType: archive"],
        ..VOLUME
    },
    Rule {
        id: "cdi-url-missing",
        path: "@datavolume.source.{http,s3,gcs,imageio,vddk}.url",
        text: "the source has no url",
        check: |c| c.required(),
        bad: &["@datavolume.source: {http: {}}\nat @datavolume.source.http.url"],
        good: &["@datavolume.source: {http: {url: 'http://a.example.net/a'}}"],
        ..VOLUME
    },
    Rule {
        id: "cdi-url",
        path: "@datavolume.source.{http,s3,gcs,imageio,vddk}.url",
        text: "\"{}\" is no address that can be fetched; write http://, https:// or gs://",
        check: |c| {
            c.text_must(|url| {
                url.is_empty()
                    || scheme(url).is_some_and(|scheme| matches!(scheme.as_str(), "http" | "https" | "gs"))
                        && !url.contains(char::is_whitespace)
            });
        },
        bad: &[
            "@datavolume.source.http.url: ftp://a.example.net/a",
            "@datavolume.source.http.url: a.example.net/a",
            "@datavolume.source.http.url: s3://bucket/a",
        ],
        good: &["@datavolume.source: {gcs: {url: 'gs://bucket/a'}}"],
        ..VOLUME
    },
    Rule {
        id: "cdi-checksum",
        path: "@datavolume.source.http.checksum",
        text: "\"{}\" is no checksum; write md5:, sha1:, sha256: or sha512: and all its hexadecimal digits",
        check: |c| c.text_must(|text| text.is_empty() || is_checksum(text)),
        bad: &[
            "@datavolume.source.http.checksum: sha256:12",
            "@datavolume.source.http.checksum: 0123456789abcdef0123456789abcdef",
        ],
        good: &["@datavolume.source.http.checksum: md5:0123456789abcdef0123456789abcdef"],
        ..VOLUME
    },
    Rule {
        id: "cdi-http-certificates",
        path: "@datavolume.source.http.{certConfig,caBundle,cert,key}",
        text: "there is no field {}: put the CA into a ConfigMap and name it in certConfigMap; client certificates are not supported",
        check: |c| {
            if c.at.exists() {
                let at = c.at.clone();
                c.report_key(&at, &[&at.key().unwrap_or_default()]);
            }
        },
        bad: &["@datavolume.source.http.certConfig: {caBundle: abc}"],
        good: &["@datavolume.source.http.certConfigMap: internal-ca"],
        ..VOLUME
    },
    Rule {
        id: "cdi-registry",
        path: "@datavolume.source.registry",
        text: "a registry source has either url or imageStream",
        check: |c| {
            if c.at.is_map() && c.at.get("url").blank() == c.at.get("imageStream").blank() {
                c.report(&[]);
            }
        },
        bad: &["@datavolume.source: {registry: {}}\nat @datavolume.source.registry"],
        good: &["@datavolume.source: {registry: {url: 'docker://a.example.net/a:1'}}"],
        ..VOLUME
    },
    Rule {
        id: "cdi-registry-url",
        path: "@datavolume.source.registry.url",
        text: "\"{}\" must begin with docker:// or oci-archive://",
        check: |c| {
            let good = |url: &str| matches!(scheme(url).as_deref(), Some("docker" | "oci-archive"));
            if let Some(url) = c.text().filter(|url| !url.is_empty() && !good(url)) {
                let fix =
                    if scheme(url).is_none() { Fix::set(&c.at, &format!("docker://{url}")) } else { None };
                c.report(&[&url]).fix(fix);
            }
        },
        bad: &[
            "@datavolume.source: {registry: {url: 'quay.io/containerdisks/debian:13'}}\nat @datavolume.source.registry.url",
            "@datavolume.source: {registry: {url: 'https://quay.io/containerdisks/debian:13'}}\nat @datavolume.source.registry.url",
        ],
        good: &["@datavolume.source: {registry: {url: 'oci-archive://a.example.net/a:1'}}"],
        ..VOLUME
    },
    Rule {
        id: "cdi-registry-pull",
        path: "@datavolume.source.registry",
        text: "pullMethod is pod or node, and an imageStream needs node",
        check: |c| {
            let method = c.at.get("pullMethod");
            let odd = method.text().is_some_and(|text| !matches!(text, "" | "pod" | "node"));
            if odd || !c.at.get("imageStream").blank() && method.text() != Some("node") {
                c.report_at(&method, &[]);
            }
        },
        bad: &[
            "@datavolume.source: {registry: {url: 'docker://a/b:1', pullMethod: fast}}\nat @datavolume.source.registry.pullMethod",
            "@datavolume.source: {registry: {imageStream: a}}\nat @datavolume.source.registry.pullMethod",
        ],
        good: &["@datavolume.source: {registry: {imageStream: a, pullMethod: node}}"],
        ..VOLUME
    },
    Rule {
        id: "cdi-clone-name",
        path: "@datavolume.source.{pvc,snapshot}",
        text: "a clone names its source with name and namespace",
        check: |c| clone_names(c),
        bad: &[
            "@datavolume.source: {pvc: {name: gold}}\nat @datavolume.source.pvc.namespace",
            "@datavolume.source: {snapshot: {namespace: a}}\nat @datavolume.source.snapshot.name",
        ],
        good: &["@datavolume.source: {pvc: {name: gold, namespace: shop}}"],
        with: &["cdi-cron-source"],
        ..VOLUME
    },
    Rule {
        id: "cdi-vddk",
        path: "@datavolume.source.vddk",
        text: "vddk needs {}",
        check: |c| {
            if c.at.is_map() {
                for spot in ["secretRef", "uuid", "backingFile", "thumbprint"].map(|key| c.at.get(key)) {
                    if spot.blank() {
                        let path = spot.path();
                        c.report_at(&spot, &[&path.rsplit('.').next().unwrap_or_default()]);
                    }
                }
            }
        },
        bad: &[
            "@datavolume.source: {vddk: {url: 'https://v.example.net', secretRef: a, uuid: b, backingFile: c}}\nat @datavolume.source.vddk.thumbprint",
        ],
        good: &[
            "@datavolume.source: {vddk: {url: 'https://v.example.net', secretRef: a, uuid: b, backingFile: c, thumbprint: d}}",
        ],
        ..VOLUME
    },
    Rule {
        id: "cdi-spec-change",
        on: &[Subject::DataVolume],
        path: "spec",
        text: "a DataVolume cannot be changed; delete it and create it again",
        needs: Needs::Change,
        check: |c| {
            let old = c.old.map(|old| old.root().get("spec"));
            if old.is_some_and(|old| !old.same(&c.at)) && c.at.get("checkpoints").missing() {
                let at = c.at.clone();
                c.report_key(&at, &[]);
            }
        },
        bad: &["old spec.source.http.url: https://images.example.net/b.qcow2\nat spec"],
        good: &["old metadata.labels: {a: b}"],
        ..VOLUME
    },
];

/// What is cloned has a name and a namespace.
fn clone_names(c: &mut Check<'_>) {
    if c.at.is_map() {
        for spot in ["name", "namespace"].map(|key| c.at.get(key)) {
            if spot.blank() {
                c.report_at(&spot, &[]);
            }
        }
    }
}
