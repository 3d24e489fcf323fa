//! The pod that builds an artifact, step by step in its containers, and what these write.

use std::time::Duration;

use serde_json::{Value, json};

use super::super::edit::new_object;
use super::super::kind::Kind;
use super::super::nodes::program::{Program, Progress};
use super::super::object::Object;
use super::super::view::View;
use super::artifact::{LABEL, belong};
use super::suffix;

const AURORABOOT: &str = "quay.io/kairos/auroraboot:v0.24.0";
const BUILDAH: &str = "quay.io/buildah/stable:v1.43.1";

/// A step of a build.
struct Step {
    /// The container.
    name: &'static str,
    image: &'static str,
    seconds: u64,
    /// What it does, as the shell echoes it.
    does: &'static str,
    /// When there is one.
    when: fn(&Object) -> bool,
    /// Whether it is one of those that come last and run side by side.
    last: bool,
}

const fn row(
    name: &'static str,
    image: &'static str,
    seconds: u64,
    does: &'static str,
    when: fn(&Object) -> bool,
) -> Step {
    Step { name, image, seconds, does, when, last: false }
}

fn is_ready_made(artifact: &Object) -> bool {
    !artifact.text("/spec/image/ref").is_empty() || !artifact.text("/spec/imageName").is_empty()
}

fn is_built(artifact: &Object) -> bool {
    !artifact.at("/spec/image/buildOptions").is_null()
        || !artifact.text("/spec/image/ociSpec/ref/name").is_empty()
}

/// Whether an output is wanted, in either shape of the kind.
fn wants(artifact: &Object, output: &str) -> bool {
    artifact.at("/spec/artifacts")[output] == true || artifact.at("/spec")[output] == true
}

/// All there may be, in the order in which they run.
const STEPS: &[Step] = &[
    row("pull-image-baseimage", AURORABOOT, 12, "luet util unpack \"$IMAGE\" /rootfs", is_ready_made),
    row("buildah-build", BUILDAH, 40, "buildah bud --storage-driver vfs -f /workspace/ociSpec .", is_built),
    row("image-extractor", AURORABOOT, 15, "luet util unpack --local /artifacts/image.tar /rootfs", is_built),
    row("build-iso", AURORABOOT, 25, "auroraboot build-iso --output /artifacts dir:/rootfs", |one| {
        wants(one, "iso") || wants(one, "netboot")
    }),
    row("build-netboot", AURORABOOT, 10, "auroraboot netboot /artifacts/image.iso /artifacts", |one| {
        wants(one, "netboot")
    }),
    Step {
        last: true,
        ..row(
            "build-cloud-image",
            AURORABOOT,
            30,
            "auroraboot --set disk.efi=true --set state_dir=/artifacts",
            |one| wants(one, "cloudImage"),
        )
    },
    Step {
        last: true,
        ..row("build-azure-cloud-image", AURORABOOT, 30, "auroraboot --set disk.vhd=true", |one| {
            wants(one, "azureImage")
        })
    },
    Step {
        last: true,
        ..row("build-gce-cloud-image", AURORABOOT, 30, "auroraboot --set disk.gce=true", |one| {
            wants(one, "gceImage")
        })
    },
];

/// The containers of an artifact's build: those that run one after the other, and those that come last.
pub(super) fn steps(artifact: &Object) -> Vec<&'static str> {
    STEPS.iter().filter(|step| (step.when)(artifact)).map(|step| step.name).collect()
}

/// The pod that builds an artifact.
pub(super) fn pod(view: &View<'_>, artifact: &Object) -> Value {
    let name = format!("{}-{}", artifact.name(), suffix(view, artifact));
    let mut pod = new_object(Kind::Pod, artifact.namespace(), &name);
    pod["metadata"]["generateName"] = format!("{}-", artifact.name()).into();
    for (field, from) in [("labels", "/spec/podLabels"), ("annotations", "/spec/podAnnotations")] {
        if artifact.at(from).is_object() {
            pod["metadata"][field] = artifact.at(from).clone();
        }
    }
    belong(&mut pod, artifact);
    let (mut last, mut first): (Vec<&Step>, Vec<&Step>) =
        STEPS.iter().filter(|step| (step.when)(artifact)).partition(|step| step.last);
    if last.is_empty() {
        last.extend(first.pop());
    }
    let containers = |steps: &[&Step]| -> Vec<Value> { steps.iter().map(|step| container(step)).collect() };
    let claim = match artifact.text("/spec/artifacts/volume") {
        "" => json!({"persistentVolumeClaim": {"claimName": format!("{}-artifacts", artifact.name())}}),
        name => {
            let mut volumes = artifact.list("/spec/volumes").iter();
            volumes.find(|one| one["name"] == name).cloned().unwrap_or_else(|| json!({"emptyDir": {}}))
        }
    };
    let mut artifacts = claim;
    artifacts["name"] = "artifacts".into();
    pod["spec"] = json!({
        "restartPolicy": "Never",
        "automountServiceAccountToken": false,
        "containers": containers(&last),
        "volumes": [
            artifacts,
            {"name": "rootfs", "emptyDir": {}},
            {"name": "config", "configMap": {"name": artifact.name(), "optional": true}},
        ],
    });
    if !first.is_empty() {
        pod["spec"]["initContainers"] = containers(&first).into();
    }
    for field in ["imagePullSecrets", "nodeSelector", "tolerations", "affinity"] {
        if !artifact.at("/spec")[field].is_null() {
            pod["spec"][field] = artifact.at("/spec")[field].clone();
        }
    }
    pod
}

fn container(step: &Step) -> Value {
    json!({
        "name": step.name, "image": step.image, "command": ["/bin/bash", "-cxe"], "args": [step.does],
        "securityContext": {"privileged": step.image == AURORABOOT},
        "volumeMounts": [{"name": "artifacts", "mountPath": "/artifacts"}, {"name": "rootfs", "mountPath": "/rootfs"}],
    })
}

/// What runs in the pods of builds.
pub(super) const PROGRAM: Program =
    Program { of: |pod| !pod.label(LABEL).is_empty(), run: build, says: echo };

fn step_of(container: &str) -> Option<&'static Step> {
    STEPS.iter().find(|step| step.name == container)
}

fn build(view: &View<'_>, pod: &Object, container: &str, _: u32) -> Progress {
    let seconds = step_of(container).map_or(5, |step| step.seconds);
    let over = view.waited(pod, &format!("builds-{container}"), Duration::from_secs(seconds));
    if over || pod.is_ending() { Progress::completed() } else { Progress::Running { ready: true } }
}

fn echo(_: &View<'_>, _: &Object, container: &str, _: u32) -> Vec<(Duration, String)> {
    let Some(step) = step_of(container) else { return Vec::new() };
    let done = Duration::from_secs(step.seconds.saturating_sub(1));
    vec![
        (Duration::ZERO, format!("+ {}", step.does)),
        (done, "+ echo done".to_owned()),
        (done, "done".to_owned()),
    ]
}
