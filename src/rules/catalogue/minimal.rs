//! The smallest good document of each kind, from which the cases of rules are made.

use super::super::Subject;

/// The smallest good document of a kind: the seed's form where there is one.
pub(in crate::rules) fn minimal(subject: Subject) -> &'static str {
    match subject {
        Subject::Workload => WORKLOAD,
        Subject::VolumeSet => VOLUME_SET,
        Subject::VolumeCommand => VOLUME_COMMAND,
        Subject::SupportedVersion => SUPPORTED_VERSION,
        other => super::pasted::minimal(other).unwrap_or(OTHER),
    }
}

const WORKLOAD: &str = "
kind: workload
name: web
gvc: shop
spec:
  type: vm
  containers:
  - name: vm
    cpu: 2
    memory: 2Gi
  vm:
    bootDisk:
      source:
        oci:
          image: quay.io/containerdisks/ubuntu:22.04
      persist:
        volumeSet: cpln://volumeset/web-boot
";

const VOLUME_SET: &str = "
kind: volumeset
name: data
gvc: shop
spec:
  initialCapacity: 10
";

const VOLUME_COMMAND: &str = "
apiVersion: v9s.dev/v1alpha1
kind: VolumeCommand
metadata:
  name: data-before
  namespace: shop
spec:
  type: createVolumeSnapshot
  volumeSet: data
  volumeIndex: 0
  snapshotName: before
";

const SUPPORTED_VERSION: &str = "
apiVersion: v9s.dev/v1alpha1
kind: SupportedVersion
metadata:
  name: v1.34.2
spec:
  version: 1.34.2
  controlPlaneImage: cp
  workerImage: worker
";

const OTHER: &str = "
kind: nothing
";
