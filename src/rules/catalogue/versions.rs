//! Supported versions and the images that they are made of.

use super::super::finding::Level;
use super::super::known::{Image, Lookup};
use super::super::rule::{Cel, Check, ERROR, Needs, Rule, because};
use super::super::subject::Subject;

const VERSION: Rule = Rule {
    on: &[Subject::SupportedVersion],
    path: "spec.{controlPlaneImage,workerImage}",
    cel: because::OTHERS,
    needs: Needs::Cluster,
    ..ERROR
};

/// The image that stands at the place, if it is known.
fn image<'a>(c: &Check<'a>) -> Option<&'a Image> {
    match c.known.image(c.text()?) {
        Lookup::Here(image) => Some(image),
        Lookup::Absent | Lookup::Unknown => None,
    }
}

/// Major and minor of `1.34.2` or `v1.34.2-build`.
fn minor(version: &str) -> Option<(u32, u32)> {
    let mut parts = version.trim_start_matches('v').split(['.', '-', '+']);
    Some((parts.next()?.parse().ok()?, parts.next()?.parse().ok()?))
}

/// The rows.
pub(super) const RULES: &[Rule] = &[
    Rule {
        id: "version-image-not-found",
        text: "there is no image \"{}\"",
        check: |c| {
            let Some(name) = c.text() else { return };
            if c.known.image(name) == Lookup::Absent {
                c.report(&[&name]);
            }
        },
        bad: &[
            "known: {images: [{name: worker}]}\nat spec.controlPlaneImage",
            "known: {images: [{name: cp}]}\nat spec.workerImage",
        ],
        good: &["known: {images: [{name: cp}, {name: worker}]}", "spec.workerImage: other"],
        ..VERSION
    },
    Rule {
        id: "version-image-disabled",
        text: "image \"{}\" is disabled; new machines cannot use it",
        check: |c| {
            let ended = matches!(c.root().get("spec.state").text(), Some("Deprecated" | "EndOfLife"));
            if let Some(image) = image(c).filter(|image| image.disabled && !ended) {
                c.report(&[&image.name]);
            }
        },
        bad: &["known: {images: [{name: cp}, {name: worker, disabled: true}]}\nat spec.workerImage"],
        good: &[
            "known: {images: [{name: cp}, {name: worker}]}",
            "spec.state: Deprecated\nknown: {images: [{name: cp}, {name: worker, disabled: true}]}",
        ],
        ..VERSION
    },
    Rule {
        id: "version-image-unverified",
        level: Level::Warning,
        text: "the checks of image \"{}\" have not passed, and the version is {}",
        check: |c| {
            let root = c.root();
            let state =
                root.get("spec.state").text().filter(|state| matches!(*state, "Verified" | "Published"));
            if let (Some(state), Some(image)) = (state, image(c))
                && image.verified == Some(false)
            {
                c.report(&[&image.name, &state]);
            }
        },
        bad: &[
            "spec.state: Published\nknown: {images: [{name: cp, verified: false}, {name: worker, verified: true}]}\nat spec.controlPlaneImage",
        ],
        good: &[
            "spec.state: Published\nknown: {images: [{name: cp}, {name: worker, verified: true}]}",
            "spec.state: Draft\nknown: {images: [{name: cp, verified: false}, {name: worker}]}",
        ],
        ..VERSION
    },
    Rule {
        id: "version-image-purpose",
        text: "image \"{}\" is for {}, not for {}",
        check: |c| {
            let wanted = match c.at.key() {
                Some("controlPlaneImage") => "kubernetes-control-plane",
                _ => "kubernetes-worker",
            };
            if let Some(image) = image(c)
                && !image.purpose.is_empty()
                && image.purpose != wanted
                && image.purpose != "kubernetes-combined"
            {
                c.report(&[&image.name, &image.purpose, &wanted]);
            }
        },
        bad: &[
            "known: {images: [{name: cp, purpose: kubernetes-worker}, {name: worker, purpose: kubernetes-worker}]}\nat spec.controlPlaneImage",
            "known: {images: [{name: cp}, {name: worker, purpose: general}]}\nat spec.workerImage",
        ],
        good: &[
            "known: {images: [{name: cp, purpose: kubernetes-control-plane}, {name: worker, purpose: kubernetes-combined}]}",
        ],
        ..VERSION
    },
    Rule {
        id: "version-image-version",
        text: "image \"{}\" holds Kubernetes {}, not {}",
        check: |c| {
            let root = c.root();
            let version = root.get("spec.version").text();
            if let (Some(version), Some(image)) = (version, image(c))
                && let Some(holds) = image.kubernetes.as_deref().filter(|holds| *holds != version)
            {
                c.report(&[&image.name, &holds, &version]);
            }
        },
        bad: &[
            "known: {images: [{name: cp, kubernetes: 1.34.1}, {name: worker, kubernetes: 1.34.2}]}\nat spec.controlPlaneImage",
        ],
        good: &["known: {images: [{name: cp, kubernetes: 1.34.2}, {name: worker}]}"],
        ..VERSION
    },
    Rule {
        id: "version-skew",
        path: "spec.workerImage",
        text: "the kubelet of {} does not fit a control plane of {}: it may be up to three minor versions older, and never newer",
        check: |c| {
            let root = c.root();
            let plane = root.get("spec.controlPlaneImage").text().map(|name| c.known.image(name));
            if let (Some(Lookup::Here(plane)), Some(worker)) = (plane, image(c))
                && let (Some(above), Some(below)) =
                    (plane.kubernetes.as_deref(), worker.kubernetes.as_deref())
                && let (Some((major, newest)), Some((other, minor))) = (minor(above), minor(below))
                && (major != other || minor > newest || newest - minor > 3)
            {
                c.report(&[&below, &above]);
            }
        },
        bad: &[
            "known: {images: [{name: cp, kubernetes: 1.34.2}, {name: worker, kubernetes: 1.35.0}]}\nat spec.workerImage",
            "known: {images: [{name: cp, kubernetes: 1.34.2}, {name: worker, kubernetes: 1.30.9}]}\nat spec.workerImage",
        ],
        good: &["known: {images: [{name: cp, kubernetes: 1.34.2}, {name: worker, kubernetes: 1.34.2}]}"],
        with: &["version-image-version"],
        ..VERSION
    },
    Rule {
        id: "version-image-cni",
        level: Level::Warning,
        text: "image \"{}\" is made for the network plug-in {}, not for {}",
        check: |c| {
            let root = c.root();
            if let (Some(wanted), Some(image)) = (root.get("spec.cni").text(), image(c))
                && let Some(cni) = image.cni.as_deref().filter(|cni| *cni != wanted)
            {
                c.report(&[&image.name, &cni, &wanted]);
            }
        },
        bad: &[
            "spec.cni: cilium\nknown: {images: [{name: cp, cni: cilium}, {name: worker, cni: calico}]}\nat spec.workerImage",
        ],
        good: &[
            "spec.cni: cilium\nknown: {images: [{name: cp, cni: cilium}, {name: worker}]}",
            "known: {images: [{name: cp, cni: cilium}, {name: worker, cni: calico}]}",
        ],
        ..VERSION
    },
    Rule {
        id: "version-autoscaler",
        level: Level::Warning,
        path: "spec.autoscalerImage",
        text: "the autoscaler is of {}, the clusters are of {}; use one of the same minor version",
        cel: Cel::No("a warning refuses nothing"),
        needs: Needs::Document,
        check: |c| {
            let root = c.root();
            let tag = c.text().and_then(|image| image.rsplit_once(':')).map(|(_, tag)| tag);
            if let (Some(tag), Some(version)) = (tag, root.get("spec.version").text())
                && let (Some(ours), Some(theirs)) = (minor(version), minor(tag))
                && ours != theirs
            {
                c.report(&[&tag, &version]);
            }
        },
        bad: &["spec.autoscalerImage: 'registry.example/cluster-autoscaler:v1.33.6'"],
        good: &[
            "spec.autoscalerImage: 'registry.example/cluster-autoscaler:v1.34.5'",
            "spec.autoscalerImage: 'registry.example/cluster-autoscaler:latest'",
        ],
        ..VERSION
    },
];
