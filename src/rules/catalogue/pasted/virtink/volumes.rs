//! Volumes of Virtink's machines and cloud-init.

use super::super::kubevirt::volumes::{decoded, is_user_data};
use super::super::{chosen, named, namespace};
use super::{VIRTINK, VIRTINK_WARNING, absent};
use crate::rules::known::Lookup;
use crate::rules::rule::{Needs, Rule};

const SOURCES: &[&str] =
    &["containerDisk", "cloudInit", "containerRootfs", "persistentVolumeClaim", "dataVolume"];

/// The rows.
pub(in crate::rules::catalogue) const RULES: &[Rule] = &[
    Rule {
        id: "virtink-volume-source",
        path: "spec.volumes[]",
        text: "a volume has exactly one of containerDisk, cloudInit, containerRootfs, persistentVolumeClaim and dataVolume, found {}",
        check: |c| {
            let found = chosen(&c.at, SOURCES).len();
            let other = c.at.entries().any(|(_, entry)| absent(&entry).is_some());
            if c.at.is_map() && found != 1 && !other {
                c.report(&[&found]);
            }
        },
        bad: &["spec.volumes[0]: {name: root}"],
        good: &["spec.volumes[0]: {name: root, dataVolume: {volumeName: a}}"],
        ..VIRTINK
    },
    Rule {
        id: "virtink-volume-name",
        path: "spec.volumes[]",
        text: "the volume does not say what it takes: {} is missing",
        check: |c| {
            for (key, spot) in [
                ("containerDisk", c.at.get("containerDisk.image")),
                ("containerRootfs", c.at.get("containerRootfs.image")),
                ("containerRootfs", c.at.get("containerRootfs.size")),
                ("persistentVolumeClaim", c.at.get("persistentVolumeClaim.claimName")),
                ("dataVolume", c.at.get("dataVolume.volumeName")),
            ] {
                if c.at.entry(key).is_some_and(|entry| entry.is_map()) && spot.blank() {
                    let path = spot.path();
                    c.report_at(&spot, &[&path.rsplit('.').next().unwrap_or_default()]);
                }
            }
        },
        bad: &["spec.volumes[0]: {name: root, dataVolume: {}}\nat spec.volumes[0].dataVolume.volumeName"],
        good: &["spec.volumes[0]: {name: root, dataVolume: {volumeName: a}}"],
        ..VIRTINK
    },
    Rule {
        id: "virtink-waits-for-consumer",
        path: "spec.volumes[].dataVolume.volumeName",
        text: "DataVolume \"{}\" waits for a pod, and Virtink makes none before it is filled; annotate it with cdi.kubevirt.io/storage.bind.immediate.requested: \"true\"",
        needs: Needs::Cluster,
        check: |c| {
            let Some(name) = c.text() else { return };
            let Some(volume) = c.known.data_volume(name, namespace(c)) else { return };
            let class = c.known.storage_class(volume.storage_class.as_deref());
            if !volume.immediate && class.is_some_and(|class| class.waits) {
                c.report(&[&name]);
            }
        },
        bad: &[
            "spec.volumes[0]: {name: root, dataVolume: {volumeName: a}}\nknown: {dataVolumes: [{name: a}], storageClasses: [{name: local, default: true, waits: true}]}\nat spec.volumes[0].dataVolume.volumeName",
        ],
        good: &[
            "spec.volumes[0]: {name: root, dataVolume: {volumeName: a}}\nknown: {dataVolumes: [{name: a, immediate: true}], storageClasses: [{name: local, default: true, waits: true}]}",
            "spec.volumes[0]: {name: root, dataVolume: {volumeName: a}}\nknown: {dataVolumes: [{name: a, storageClass: fast}], storageClasses: [{name: fast}]}",
        ],
        ..VIRTINK
    },
    Rule {
        id: "virtink-claim-missing",
        path: "spec.volumes[].persistentVolumeClaim.claimName",
        text: "there is no claim \"{}\"; the machine is not started, and that is tried again and again",
        needs: Needs::Cluster,
        check: |c| {
            if let Some(name) = c.text()
                && c.known.storage_claim(name, namespace(c)) == Lookup::Absent
            {
                c.report(&[&name]);
            }
        },
        bad: &[
            "spec.volumes[0]: {name: root, persistentVolumeClaim: {claimName: gone}}\nknown: {storageClaims: []}\nat spec.volumes[0].persistentVolumeClaim.claimName",
        ],
        good: &[
            "spec.volumes[0]: {name: root, persistentVolumeClaim: {claimName: a}}\nknown: {storageClaims: [{name: a}]}",
        ],
        ..VIRTINK
    },
    Rule {
        id: "virtink-not-raw",
        path: "spec.volumes[].dataVolume.volumeName",
        text: "DataVolume \"{}\" holds the files of an archive; Virtink starts from a raw disk.img only",
        check: |c| {
            if let Some(name) = c.text()
                && c.known.data_volume(name, namespace(c)).is_some_and(|volume| volume.archive)
            {
                c.report(&[&name]);
            }
        },
        bad: &[ARCHIVE],
        good: &["spec.volumes[0]: {name: root, dataVolume: {volumeName: a}}"],
        ..VIRTINK
    },
    Rule {
        id: "virtink-container-disk",
        path: "spec.volumes[].containerDisk.image",
        text: "\"{}\" is a disk for KubeVirt; Virtink's have another layout and do not start from it",
        check: |c| c.text_must(|image| !image.contains("/containerdisks/")),
        bad: &["spec.volumes[0].containerDisk.image: quay.io/containerdisks/ubuntu:22.04"],
        good: &["spec.volumes[0].containerDisk.image: registry.example.net/ubuntu:1"],
        ..VIRTINK
    },
    Rule {
        id: "virtink-rootfs-kernel",
        path: "spec.instance.disks[0].name",
        text: "the first disk boots, and a containerRootfs needs instance.kernel for that",
        check: |c| {
            let name = c.text().unwrap_or_default();
            let volume = named(&c.root().get("spec.volumes"), name);
            let kernel = c.root().get("spec.instance.kernel");
            if kernel.missing() && volume.is_some_and(|volume| volume.get("containerRootfs").exists()) {
                c.report(&[]);
            }
        },
        bad: &[
            "spec.volumes[0]: {name: root, containerRootfs: {image: 'a/b:1', size: 4Gi}}\nat spec.instance.disks[0].name",
        ],
        good: &["spec.runPolicy: Manual"],
        ..VIRTINK
    },
    Rule {
        id: "virtink-boot-disk",
        path: "spec.instance.disks[0].name",
        text: "the first disk boots; cloud-init must stand behind it",
        check: |c| {
            let volume = named(&c.root().get("spec.volumes"), c.text().unwrap_or_default());
            let kernel = c.root().get("spec.instance.kernel");
            if kernel.missing() && volume.is_some_and(|volume| volume.get("cloudInit").exists()) {
                c.report(&[]);
            }
        },
        bad: &[
            "spec.volumes[0]: {name: root, cloudInit: {userData: '#cloud-config'}}\nat spec.instance.disks[0].name",
        ],
        good: &["spec.runPolicy: Manual"],
        ..VIRTINK
    },
    Rule {
        id: "virtink-cloud-init-twice",
        path: "spec.volumes[].cloudInit",
        text: "{} is the second source of the same data; keep one",
        check: |c| {
            for keys in [
                ["userData", "userDataBase64", "userDataSecretName"],
                ["networkData", "networkDataBase64", "networkDataSecretName"],
            ] {
                if let [_, second, ..] = chosen(&c.at, &keys).as_slice() {
                    c.report_key(second, &[&second.key().unwrap_or_default()]);
                }
            }
        },
        bad: &[
            "spec.volumes[1]: {name: i, cloudInit: {userData: '#!/bin/sh', userDataSecretName: a}}\nspec.instance.disks[1]: {name: i}\nat spec.volumes[1].cloudInit.userDataSecretName",
        ],
        good: &["spec.volumes[1]: {name: i, cloudInit: {userData: '#!/bin/sh', networkData: 'version: 2'}}"],
        ..VIRTINK
    },
    Rule {
        id: "virtink-network-secret",
        path: "spec.volumes[].cloudInit.networkDataSecretName",
        text: "Virtink cannot read network data from a Secret; write it into networkData",
        check: |c| c.unused(),
        bad: &[
            "spec.volumes[1]: {name: i, cloudInit: {networkDataSecretName: a}}\nspec.instance.disks[1]: {name: i}\nat spec.volumes[1].cloudInit.networkDataSecretName",
        ],
        good: &["spec.runPolicy: Manual"],
        ..VIRTINK
    },
    Rule {
        id: "virtink-secret-twice",
        path: "spec.volumes",
        text: "only one cloud-init volume can come from a Secret",
        check: |c| {
            let secrets = c.at.items().map(|volume| volume.get("cloudInit.userDataSecretName"));
            if let Some(second) = secrets.filter(|spot| !spot.blank()).nth(1) {
                c.report_key(&second, &[]);
            }
        },
        bad: &[
            "spec.volumes[1]: {name: i, cloudInit: {userDataSecretName: a}}\nspec.volumes[2]: {name: j, cloudInit: {userDataSecretName: b}}\nspec.instance.disks: [{name: root}, {name: i}, {name: j}]\nat spec.volumes[2].cloudInit.userDataSecretName",
        ],
        good: &["spec.runPolicy: Manual"],
        ..VIRTINK
    },
    Rule {
        id: "virtink-secret-key",
        path: "spec.volumes[].cloudInit.userDataSecretName",
        text: "secret \"{}\" has no key value, the only one that Virtink reads",
        needs: Needs::Cluster,
        check: |c| {
            if let Some(name) = c.text()
                && let Lookup::Here(secret) = c.known.secret(name, namespace(c))
                && secret.keys.as_ref().is_some_and(|keys| !keys.iter().any(|key| key == "value"))
            {
                c.report(&[&name]);
            }
        },
        bad: &[
            "spec.volumes[1]: {name: i, cloudInit: {userDataSecretName: a}}\nspec.instance.disks[1]: {name: i}\nat spec.volumes[1].cloudInit.userDataSecretName\nknown: {secrets: [{name: a, keys: [userdata]}]}",
        ],
        good: &[
            "spec.volumes[1]: {name: i, cloudInit: {userDataSecretName: a}}\nspec.instance.disks[1]: {name: i}\nknown: {secrets: [{name: a, keys: [value]}]}",
        ],
        ..VIRTINK
    },
    Rule {
        id: "virtink-inline-secret",
        path: "spec.volumes[].cloudInit.userData",
        text: "the text has {} in it, and everybody who may read pods reads it; put it into a Secret",
        check: |c| {
            let words = ["password", "passwd", "PRIVATE KEY", "token"];
            let text = c.text().unwrap_or_default();
            if let Some(word) = words.iter().find(|word| text.contains(**word)) {
                c.report(&[word]);
            }
        },
        bad: &[
            "spec.volumes[1]: {name: i, cloudInit: {userData: '#cloud-config {password: x}'}}\nspec.instance.disks[1]: {name: i}\nat spec.volumes[1].cloudInit.userData",
        ],
        good: &["spec.volumes[1]: {name: i, cloudInit: {userData: '#cloud-config'}}"],
        ..VIRTINK_WARNING
    },
    Rule {
        id: "virtink-cloud-init-header",
        path: "spec.volumes[].cloudInit.{userData,userDataBase64}",
        text: "the first line is no header of cloud-init; the guest ignores the rest. Begin with #cloud-config or #!",
        check: |c| {
            let Some(text) = c.text() else { return };
            let bytes = if c.at.key() == Some("userDataBase64") { decoded(text) } else { Some(text.into()) };
            if bytes.is_none_or(|bytes| !bytes.is_empty() && !is_user_data(&bytes)) {
                c.report(&[]);
            }
        },
        bad: &[
            "spec.volumes[1]: {name: i, cloudInit: {userData: 'packages: [vim]'}}\nspec.instance.disks[1]: {name: i}\nat spec.volumes[1].cloudInit.userData",
        ],
        good: &["spec.volumes[1]: {name: i, cloudInit: {userData: '#cloud-config'}}"],
        ..VIRTINK_WARNING
    },
];

/// A machine on files.
const ARCHIVE: &str = "---
apiVersion: cdi.kubevirt.io/v1beta1
kind: DataVolume
metadata: {name: disk, namespace: shop}
spec:
  contentType: archive
  source: {http: {url: 'https://images.example.net/a.tar'}}
  storage: {resources: {requests: {storage: 5Gi}}}
---
apiVersion: virt.virtink.smartx.com/v1alpha1
kind: VirtualMachine
metadata: {name: web, namespace: shop}
spec:
  runPolicy: Always
  resources: {requests: {memory: 1280Mi}}
  instance:
    memory: {size: 1Gi}
    disks: [{name: root}]
    interfaces: [{name: pod, masquerade: {}}]
  networks: [{name: pod, pod: {}}]
  volumes:
  - name: root
    dataVolume:
      volumeName: disk # here
";
