//! OSArtifacts of Kairos. The operator says nothing about a mistake: the object stays Pending.

use super::{NOT_OURS, named};
use crate::rules::rule::{Check, ERROR, Rule, WARNING};
use crate::rules::source::Spot;
use crate::rules::subject::Subject;

pub(super) const ARTIFACT: &str = "
apiVersion: build.kairos.io/v1alpha2
kind: OSArtifact
metadata:
  name: node
  namespace: images
spec:
  image:
    ref: quay.io/kairos/ubuntu:24.04-core
  artifacts:
    arch: amd64
    cloudImage: true
";

const KAIROS: Rule = Rule { on: &[Subject::OsArtifact], cel: NOT_OURS, ..ERROR };

/// Fields of older operators at the top of spec, and where newer ones have them.
const MOVED: &[(&str, &str)] = &[
    ("imageName", "image.ref"),
    ("baseImageName", "image.buildOptions.baseImage"),
    ("baseImageDockerfile", "image.ociSpec.ref"),
    ("iso", "artifacts.iso"),
    ("diskSize", "artifacts.diskSize"),
    ("cloudImage", "artifacts.cloudImage"),
    ("azureImage", "artifacts.azureImage"),
    ("gceImage", "artifacts.gceImage"),
    ("netboot", "artifacts.netboot"),
    ("netbootURL", "artifacts.netbootURL"),
    ("cloudConfigRef", "artifacts.cloudConfigRef"),
    ("grubConfig", "artifacts.grubConfig"),
    ("bundles", "artifacts.bundles"),
    ("osRelease", "artifacts.osRelease"),
    ("kairosRelease", "artifacts.kairosRelease"),
    ("arch", "artifacts.arch"),
    ("cloudConfig", "a Secret and artifacts.cloudConfigRef"),
    ("volumeBindings", "the fields that end in Volume"),
    ("push", "image.push"),
    ("pull", "image.imageCredentialsSecretRef"),
];

fn moved(spot: &Spot<'_>) -> Option<&'static str> {
    let here = spot.holder().path() == "spec";
    MOVED.iter().find(|(old, _)| here && spot.key() == Some(old)).map(|(_, new)| *new)
}

/// Keys that no field has and about which a row here says more.
pub(super) fn said_elsewhere(spot: &Spot<'_>) -> bool {
    moved(spot).is_some()
}

/// Whether the document has the form of older operators, about which the other rows say nothing.
fn is_flat(c: &Check<'_>) -> bool {
    let spec = c.root().get("spec");
    spec.get("image").missing() && spec.entries().any(|(_, entry)| moved(&entry).is_some())
}

const RESERVED: &[&str] = &["artifacts", "rootfs", "config", "ocispec", "cloudconfig"];
const OUTPUTS: &[&str] = &["iso", "cloudImage", "azureImage", "gceImage", "netboot"];

/// The rows.
pub(in crate::rules::catalogue) const RULES: &[Rule] = &[
    Rule {
        id: "kairos-old-field",
        path: "spec.*",
        text: "{} is a field of older operators; newer ones have {}",
        check: |c| {
            if let Some(new) = moved(&c.at) {
                let at = c.at.clone();
                c.report_key(&at, &[&at.key().unwrap_or_default(), &new]);
            }
        },
        bad: &["spec: {imageName: 'a/b:1', iso: true}\nat spec.imageName"],
        good: &["spec.artifacts.iso: true"],
        ..Rule { on: KAIROS.on, ..WARNING }
    },
    Rule {
        id: "kairos-volume-name",
        path: "spec.volumes[]",
        text: "a volume needs a name that is not one of artifacts, rootfs, config, ocispec, cloudconfig",
        check: |c| {
            let name = c.at.get("name");
            if c.at.is_map() && (name.blank() || name.text().is_some_and(|name| RESERVED.contains(&name))) {
                c.report_at(&name, &[]);
            }
        },
        bad: &[
            "spec.volumes: [{name: rootfs, emptyDir: {}}]\nat spec.volumes[0].name",
            "spec.volumes: [{emptyDir: {}}]\nat spec.volumes[0].name",
        ],
        good: &["spec.volumes: [{name: keys, emptyDir: {}}]"],
        ..KAIROS
    },
    Rule {
        id: "kairos-volume-twice",
        path: "spec.volumes",
        text: "volume \"{}\" is there twice",
        check: |c| {
            let names: Vec<Spot<'_>> = c.at.items().map(|volume| volume.get("name")).collect();
            c.no_text_twice(names);
        },
        bad: &["spec.volumes: [{name: a, emptyDir: {}}, {name: a, emptyDir: {}}]\nat spec.volumes[1].name"],
        good: &["spec.volumes: [{name: a, emptyDir: {}}, {name: b, emptyDir: {}}]"],
        ..KAIROS
    },
    Rule {
        id: "kairos-volume-reference",
        path: "spec",
        text: "there is no volume \"{}\" in spec.volumes",
        check: |c| {
            let volumes = c.at.get("volumes");
            for path in [
                "image.ociSpec.buildContextVolume",
                "image.caCertificatesVolume",
                "artifacts.overlayISOVolume",
                "artifacts.overlayRootfsVolume",
                "artifacts.volume",
                "artifacts.uki.keysVolume",
            ] {
                let spot = c.at.get(path);
                if let Some(name) =
                    spot.text().filter(|name| !name.is_empty() && named(&volumes, name).is_none())
                {
                    c.report_at(&spot, &[&name]);
                }
            }
        },
        bad: &["spec.artifacts.overlayISOVolume: files\nat spec.artifacts.overlayISOVolume"],
        good: &["spec.artifacts.overlayISOVolume: files\nspec.volumes: [{name: files, emptyDir: {}}]"],
        ..KAIROS
    },
    Rule {
        id: "kairos-image-both",
        path: "spec.image.buildImage",
        text: "buildImage names what is built; with ref nothing is built",
        check: |c| {
            if !c.at.missing() && !c.at.holder().get("ref").blank() {
                let at = c.at.clone();
                c.report_key(&at, &[]);
            }
        },
        bad: &["spec.image.buildImage: {registry: a.example.net, repository: b, tag: c}"],
        good: &["spec.artifacts.iso: true"],
        ..KAIROS
    },
    Rule {
        id: "kairos-build-image",
        path: "spec.image.buildImage",
        text: "buildImage needs registry, repository and tag",
        check: |c| {
            if c.at.is_map() {
                for spot in ["registry", "repository", "tag"].map(|key| c.at.get(key)) {
                    if spot.blank() {
                        c.report_at(&spot, &[]);
                    }
                }
            }
        },
        bad: &[
            "spec.image: {buildOptions: {version: v4.0.0, baseImage: 'ubuntu:24.04'}, buildImage: {registry: a, tag: c}}\nat spec.image.buildImage.repository",
        ],
        good: &[
            "spec.image: {buildOptions: {version: v4.0.0, baseImage: 'ubuntu:24.04'}, buildImage: {registry: a, repository: b, tag: c}}",
        ],
        ..KAIROS
    },
    Rule {
        id: "kairos-artifacts-missing",
        path: "spec",
        text: "a ready image is there to make artifacts of it; say which ones",
        check: |c| {
            if !c.at.get("image.ref").blank() && c.at.get("artifacts").missing() {
                let artifacts = c.at.get("artifacts");
                c.report_at(&artifacts, &[]);
            }
        },
        bad: &["!spec.artifacts\nat spec.artifacts"],
        good: &["spec.artifacts.iso: true"],
        ..KAIROS
    },
    Rule {
        id: "kairos-image-missing",
        path: "spec",
        text: "say what image it is: image.ref, image.buildOptions or image.ociSpec.ref",
        check: |c| {
            let image = c.at.get("image");
            let none = image.get("ref").blank()
                && image.get("buildOptions").missing()
                && image.get("ociSpec.ref").missing();
            if c.at.is_map() && none && !is_flat(c) {
                c.report_at(&image, &[]);
            }
        },
        bad: &["spec.image: {}", "!spec.image"],
        good: &["spec: {imageName: 'a/b:1', iso: true}"],
        ..KAIROS
    },
    Rule {
        id: "kairos-push",
        path: "spec.image.push",
        text: "nothing can be pushed without a whole buildImage",
        check: |c| {
            if c.at.truth() == Some(true) && c.at.holder().get("buildImage").missing() {
                c.report(&[]);
            }
        },
        bad: &["spec.image.push: true"],
        good: &["spec.image.push: false"],
        ..KAIROS
    },
    Rule {
        id: "kairos-build-options",
        path: "spec.image.buildOptions",
        text: "buildOptions needs version and baseImage",
        check: |c| {
            if c.at.is_map() && c.at.holder().get("ref").blank() {
                for spot in ["version", "baseImage"].map(|key| c.at.get(key)) {
                    if spot.blank() {
                        c.report_at(&spot, &[]);
                    }
                }
            }
        },
        bad: &["spec.image: {buildOptions: {version: v4.0.0}}\nat spec.image.buildOptions.baseImage"],
        good: &["spec.image: {buildOptions: {version: v4.0.0, baseImage: 'ubuntu:24.04'}}"],
        ..KAIROS
    },
    Rule {
        id: "kairos-artifacts-none",
        path: "spec.artifacts",
        text: "no artifact is enabled; iso, cloudImage, azureImage, gceImage, netboot and uki are there to choose",
        check: |c| {
            let on = |spot: Spot<'_>| spot.truth() == Some(true);
            let any = OUTPUTS.iter().any(|key| on(c.at.child(key)))
                || ["uki.iso", "uki.container", "uki.efi"].into_iter().any(|path| on(c.at.get(path)));
            if c.at.is_map() && !any {
                c.report(&[]);
            }
        },
        bad: &["spec.artifacts: {arch: amd64}"],
        good: &["spec.artifacts: {netboot: true}"],
        ..KAIROS
    },
    Rule {
        id: "kairos-uki-keys",
        path: "spec.artifacts.uki",
        text: "signed outputs need keysVolume",
        check: |c| {
            let keys = c.at.get("keysVolume");
            if c.at.is_map() && keys.blank() {
                c.report_at(&keys, &[]);
            }
        },
        bad: &["spec.artifacts.uki: {iso: true}\nat spec.artifacts.uki.keysVolume"],
        good: &[
            "spec.artifacts.uki: {iso: true, keysVolume: keys}\nspec.volumes: [{name: keys, emptyDir: {}}]",
        ],
        ..KAIROS
    },
    Rule {
        id: "kairos-arch",
        path: "spec.artifacts.arch",
        text: "arch \"{}\" is neither amd64 nor arm64",
        check: |c| c.one_of(&["amd64", "arm64"]),
        bad: &["spec.artifacts.arch: x86_64"],
        good: &["spec.artifacts.arch: arm64"],
        ..KAIROS
    },
    Rule {
        id: "kairos-disk-size",
        path: "spec.artifacts.diskSize",
        text: "diskSize \"{}\" must be a number of megabytes without a unit",
        check: |c| c.text_must(|text| text.is_empty() || text.parse::<u32>().is_ok_and(|size| size > 0)),
        bad: &["spec.artifacts.diskSize: 32G"],
        good: &["spec.artifacts.diskSize: '32000'"],
        ..KAIROS
    },
    Rule {
        id: "kairos-cloud-config-key",
        path: "spec.artifacts.cloudConfigRef",
        text: "name the key of the Secret as well; it is used as a path",
        check: |c| {
            let key = c.at.get("key");
            if c.at.is_map() && key.blank() {
                c.report_at(&key, &[]);
            }
        },
        bad: &["spec.artifacts.cloudConfigRef: {name: init}\nat spec.artifacts.cloudConfigRef.key"],
        good: &["spec.artifacts.cloudConfigRef: {name: init, key: userdata}"],
        ..Rule { on: KAIROS.on, ..WARNING }
    },
];
