//! KubeVirt: machines, templates of machines, and what is done with them.

pub(in crate::rules::catalogue) mod changes;
pub(in crate::rules::catalogue) mod compute;
pub(in crate::rules::catalogue) mod devices;
pub(in crate::rules::catalogue) mod machine;
pub(in crate::rules::catalogue) mod network;
pub(in crate::rules::catalogue) mod operations;
pub(in crate::rules::catalogue) mod templates;
pub(in crate::rules::catalogue) mod volumes;

pub(super) const MACHINE: &str = "
apiVersion: kubevirt.io/v1
kind: VirtualMachine
metadata:
  name: web
  namespace: shop
spec:
  runStrategy: Halted
  template:
    spec:
      domain:
        memory:
          guest: 1Gi
        devices:
          disks:
          - name: root
            disk: {bus: virtio}
          interfaces:
          - name: default
            masquerade: {}
      networks:
      - name: default
        pod: {}
      volumes:
      - name: root
        containerDisk: {image: 'quay.io/containerdisks/debian:13'}
";

pub(super) const INSTANCE: &str = "
apiVersion: kubevirt.io/v1
kind: VirtualMachineInstance
metadata:
  name: web
  namespace: shop
spec:
  domain:
    memory:
      guest: 1Gi
    devices:
      disks:
      - name: root
        disk: {bus: virtio}
  volumes:
  - name: root
    containerDisk: {image: 'quay.io/containerdisks/debian:13'}
";

pub(super) const POOL: &str = "
apiVersion: pool.kubevirt.io/v1beta1
kind: VirtualMachinePool
metadata:
  name: kiosk
  namespace: shop
spec:
  replicas: 3
  selector:
    matchLabels: {pool: kiosk}
  virtualMachineTemplate:
    metadata:
      labels: {pool: kiosk}
    spec:
      runStrategy: RerunOnFailure
      template:
        spec:
          domain:
            memory:
              guest: 1Gi
            devices:
              disks:
              - name: root
                disk: {bus: virtio}
              interfaces:
              - name: default
                masquerade: {}
          networks:
          - name: default
            pod: {}
          volumes:
          - name: root
            containerDisk: {image: 'quay.io/containerdisks/debian:13'}
";

pub(super) const MIGRATION: &str = "
apiVersion: kubevirt.io/v1
kind: VirtualMachineInstanceMigration
metadata:
  name: move
  namespace: shop
spec:
  vmiName: web
";

pub(super) const SNAPSHOT: &str = "
apiVersion: snapshot.kubevirt.io/v1beta1
kind: VirtualMachineSnapshot
metadata:
  name: before
  namespace: shop
spec:
  source: {apiGroup: kubevirt.io, kind: VirtualMachine, name: web}
";

pub(super) const RESTORE: &str = "
apiVersion: snapshot.kubevirt.io/v1beta1
kind: VirtualMachineRestore
metadata:
  name: back
  namespace: shop
spec:
  target: {apiGroup: kubevirt.io, kind: VirtualMachine, name: web}
  virtualMachineSnapshotName: before
";

macro_rules! eight_times {
    ($text:expr) => {
        concat!($text, $text, $text, $text, $text, $text, $text, $text)
    };
}

/// A case with user data of 2 064 bytes.
const LONG_USER_DATA: &str = concat!(
    "@guest.volumes[0]: {name: root, cloudInitNoCloud: {userData: '#cloud-config ",
    eight_times!(eight_times!("a text of thirty-two characters ")),
    "'}}\nat @guest.volumes[0].cloudInitNoCloud.userData"
);
