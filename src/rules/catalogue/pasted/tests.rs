//! The answers of KubeVirt's own admission, and documents as people paste them.

use crate::rules::example::{Example, example};
use crate::rules::known::{Known, Options};
use crate::rules::{Dialect, Level, Rule, Source, Subject, judge, mend};

const VM: Subject = Subject::VirtualMachine;
const VOLUME: &str = "{source: {blank: {}}, storage: {resources: {requests: {storage: 1Gi}}}}";

/// What KubeVirt refuses, and what it takes in silence though it comes to nothing: a change of a good document, the rule
/// that finds it, and whether it is an error.
#[rustfmt::skip]
const ANSWERS: &[(Subject, &str, &str, Level)] = &[
    (VM, "@guest.domain.devices.disks[1]: {name: data, disk: {bus: virtio}}\nat @guest.domain.devices.disks[1].name", "kubevirt-disk-without-volume", Level::Error),
    (VM, "@guest.domain.devices.disks[1]: {name: root, disk: {bus: virtio}}\nat @guest.domain.devices.disks[1].name", "kubevirt-disk-name-twice", Level::Error),
    (VM, "@guest.domain.devices.disks[0].disk.bus: nvme", "kubevirt-disk-bus", Level::Error),
    (VM, "@guest.domain.devices.disks[0].disk.bus: ide", "kubevirt-disk-bus", Level::Error),
    (VM, "@guest.domain.devices.disks[0].cdrom: {bus: sata}\nat @guest.domain.devices.disks[0].disk", "kubevirt-disk-target", Level::Error),
    (VM, "@guest.domain.devices.disks[0].bootOrder: 0", "kubevirt-boot-order", Level::Error),
    (VM, "@guest.domain.devices.disks[0].bootOrder: 1\n@guest.domain.devices.interfaces[0].bootOrder: 1\nat @guest.domain.devices.interfaces[0].bootOrder", "kubevirt-boot-order-twice", Level::Error),
    (VM, "@guest.domain.devices.disks[0].serial: LONG", "kubevirt-disk-serial", Level::Error),
    (VM, "@guest.domain.devices.disks[0].cache: fast", "kubevirt-disk-cache", Level::Error),
    (VM, "!@guest.networks\nat @guest.domain.devices.interfaces[0].name", "kubevirt-interface-without-network", Level::Error),
    (VM, "@guest.networks[1]: {name: x, multus: {networkName: lan}}\nat @guest.networks[1].name", "kubevirt-network-without-interface", Level::Error),
    (VM, "@guest.networks[1]: {name: x, pod: {}}\n@guest.domain.devices.interfaces[1]: {name: x, masquerade: {}}\nat @guest.networks[1].pod", "kubevirt-pod-network-twice", Level::Error),
    (VM, "@guest.domain.devices.interfaces[0].bridge: {}\nat @guest.domain.devices.interfaces[0]", "kubevirt-interface-binding", Level::Error),
    (VM, "@guest.domain.devices.interfaces[0].macAddress: 'zz:00'", "kubevirt-mac", Level::Error),
    (VM, "@guest.domain.devices.interfaces[0].model: virtio-fast", "kubevirt-interface-model", Level::Error),
    (VM, "@guest.domain.devices.interfaces[0].ports: [{port: 0}]\nat @guest.domain.devices.interfaces[0].ports[0].port", "kubevirt-port", Level::Error),
    (VM, "@guest.domain.devices.interfaces[0].ports: [{name: a, port: 1}, {name: a, port: 2}]\nat @guest.domain.devices.interfaces[0].ports[1].name", "kubevirt-port-name-twice", Level::Error),
    (VM, "@guest.domain.devices.interfaces[0]: {name: default, slirp: {}}\nat @guest.domain.devices.interfaces[0].slirp", "kubevirt-binding-gone", Level::Error),
    (VM, "@guest.domain.memory.guest: lots", "kubevirt-quantity", Level::Error),
    (VM, "@guest.domain.resources: {requests: {memory: 2Gi}, limits: {memory: 1Gi}}\nat @guest.domain.resources.requests.memory", "kubevirt-request-above-limit", Level::Error),
    (VM, "@guest.domain.memory: {hugepages: {pageSize: 3Mi}}\nat @guest.domain.memory.hugepages.pageSize", "kubevirt-hugepages", Level::Error),
    (VM, "@guest.domain.memory.maxGuest: 512Mi", "kubevirt-max-guest", Level::Error),
    (VM, "@guest.domain.cpu: {cores: two}\nat @guest.domain.cpu.cores", "pasted-wrong-type", Level::Error),
    (VM, "@guest.domain.resources: {requests: {cpu: -1}}\nat @guest.domain.resources.requests.cpu", "kubevirt-negative-amount", Level::Error),
    (VM, "@guest.domain.cpu: {dedicatedCpuPlacement: true, cores: 2}\n@guest.domain.resources: {requests: {cpu: 1500m}, limits: {cpu: 1500m}}\nat @guest.domain.resources.requests.cpu", "kubevirt-dedicated-cpu", Level::Error),
    (VM, "@guest.domain.cpu: {sockets: 4, maxSockets: 2}\nat @guest.domain.cpu.sockets", "kubevirt-max-sockets", Level::Error),
    (VM, "@guest.domain.cpu: {numa: {guestMappingPassthrough: {}}}\nat @guest.domain.cpu.numa.guestMappingPassthrough", "kubevirt-numa", Level::Error),
    (VM, "@guest.domain.firmware: {bootloader: {efi: {}}}\nat @guest.domain.firmware.bootloader.efi", "kubevirt-secure-boot-smm", Level::Error),
    (VM, "@guest.domain.firmware: {bootloader: {efi: {}, bios: {}}}\nat @guest.domain.firmware.bootloader", "kubevirt-bootloader-both", Level::Error),
    (VM, "@guest.domain.machine: {type: pc-i440fx-99}\nat @guest.domain.machine.type", "kubevirt-machine-type", Level::Error),
    (VM, "@guest.domain.firmware: {kernelBoot: {kernelArgs: quiet}}\nat @guest.domain.firmware.kernelBoot.kernelArgs", "kubevirt-kernel-args", Level::Error),
    (VM, "@guest.volumes[0]: {name: root, cloudInitNoCloud: {userData: LONG}}\nat @guest.volumes[0].cloudInitNoCloud.userData", "kubevirt-cloud-init-long", Level::Error),
    (VM, "@guest.volumes[0]: {name: root, cloudInitNoCloud: {}}\nat @guest.volumes[0].cloudInitNoCloud", "kubevirt-cloud-init-empty", Level::Error),
    (VM, "@guest.volumes[0]: {name: root, cloudInitNoCloud: {userData: '#!/bin/sh', userDataBase64: IyE=}}\nat @guest.volumes[0].cloudInitNoCloud.userDataBase64", "kubevirt-cloud-init-twice", Level::Error),
    (VM, "@guest.volumes[0]: {name: root, cloudInitNoCloud: {userDataBase64: '!!'}}\nat @guest.volumes[0].cloudInitNoCloud.userDataBase64", "kubevirt-cloud-init-base64", Level::Error),
    (VM, "@guest.volumes[0].emptyDisk: {capacity: 1Gi}\nat @guest.volumes[0]", "kubevirt-volume-source", Level::Error),
    (VM, "@guest.volumes[0]: {name: root}", "kubevirt-volume-source", Level::Error),
    (VM, "@guest.volumes[0].containerDisk.path: disk/a.img", "kubevirt-container-disk-path", Level::Error),
    (VM, "@guest.volumes[0].name: LONG", "kubevirt-volume-name", Level::Error),
    (VM, "spec.runStrategy: Sometimes", "kubevirt-run-strategy", Level::Error),
    (VM, "spec.running: true", "kubevirt-running-both", Level::Error),
    (VM, "!spec.runStrategy", "kubevirt-run-strategy-missing", Level::Error),
    (VM, "!spec.template", "kubevirt-template-missing", Level::Error),
    (VM, "spec.dataVolumeTemplates: [{metadata: {name: d}, spec: VOLUME}]\nat spec.dataVolumeTemplates[0].metadata.name", "kubevirt-template-unused", Level::Error),
    (VM, "spec.dataVolumeTemplates: [{metadata: {}, spec: VOLUME}]\nat spec.dataVolumeTemplates[0].metadata.name", "kubevirt-template-name", Level::Error),
    (VM, "@guest.domain.memorry: {}", "pasted-unknown-field", Level::Error),
    (VM, "@guest.domain.devices.disks: root", "pasted-wrong-type", Level::Error),
    (VM, "@guest.evictionStrategy: Maybe", "kubevirt-eviction-strategy", Level::Error),
    (VM, "@guest.readinessProbe: {periodSeconds: 5}", "kubevirt-probe-handler", Level::Error),
    (VM, "@guest.affinity: {nodeAffinity: {requiredDuringSchedulingIgnoredDuringExecution: {nodeSelectorTerms: []}}}\nat @guest.affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms", "kubevirt-node-selector-terms", Level::Error),
    (VM, "@guest.dnsPolicy: None", "kubevirt-dns-config", Level::Error),
    (VM, "@guest.accessCredentials: [{sshPublicKey: {source: {secret: {secretName: k}}, propagationMethod: {qemuGuestAgent: {users: []}}}}]\nat @guest.accessCredentials[0].sshPublicKey.propagationMethod.qemuGuestAgent.users", "kubevirt-credential-users", Level::Error),
    (VM, "@guest.accessCredentials: [{sshPublicKey: {source: {secret: {secretName: k}}, propagationMethod: {noCloud: {}}}}]\nat @guest.accessCredentials[0].sshPublicKey.propagationMethod.noCloud", "kubevirt-credential-volume", Level::Error),
    (VM, "@guest.domain.devices.hostDevices: [{name: a, deviceName: b}]\nknown: {gates: []}", "kubevirt-host-device-gate", Level::Error),
    (VM, "@guest.domain.devices.inputs: [{name: a, type: keyboard}]\nat @guest.domain.devices.inputs[0].type", "kubevirt-input", Level::Error),
    (VM, "metadata.name: Web", "pasted-name", Level::Error),
    (VM, "metadata.namespace: nowhere\nknown: {namespaces: [shop]}", "pasted-namespace", Level::Error),
    (VM, "@guest.hostname: LONG", "kubevirt-hostname", Level::Error),
    (VM, "@guest.subdomain: a_b", "kubevirt-subdomain", Level::Error),
    (VM, "@guest.volumes[0]: {name: root, emptyDisk: {capacity: 1X}}\nat @guest.volumes[0].emptyDisk.capacity", "kubevirt-quantity", Level::Error),
    (Subject::MachineMigration, "spec.vmiName: gone\nknown: {machines: []}", "kubevirt-migration-missing", Level::Error),
    (Subject::MachineMigration, "!spec.vmiName", "kubevirt-migration-name", Level::Error),
    (Subject::MachineMigration, "spec.vmiName: a\nknown: {machines: [{name: a, running: true, notMigratable: a disk is not shared}]}", "kubevirt-migration-impossible", Level::Error),
    (Subject::MachineMigration, "spec.vmiName: a\nknown: {machines: [{name: a, running: true, migration: b}]}", "kubevirt-migration-impossible", Level::Error),
    (Subject::MachineSnapshot, "spec.source.kind: Pod", "kubevirt-snapshot-kind", Level::Error),
    (Subject::VirtualMachineInstance, "old spec.domain.memory.guest: 2Gi\nat spec", "kubevirt-instance-change", Level::Error),
    (Subject::VirtualMachinePool, "spec.selector.matchLabels: {pool: b}\nat spec.selector.matchLabels.pool", "kubevirt-pool-selector", Level::Error),
    (Subject::VirtualMachinePool, "spec.replicas: -1", "kubevirt-pool-replicas", Level::Error),
    (Subject::VirtualMachinePool, "!spec.selector", "kubevirt-pool-selector", Level::Error),
    (Subject::VirtualMachinePool, "apiVersion: pool.kubevirt.io/v1alpha1\n!spec.selector\nat spec.selector", "kubevirt-pool-selector", Level::Error),
    // In silence.
    (VM, "@guest.volumes[1]: {name: data, persistentVolumeClaim: {claimName: x}}\nat @guest.volumes[1].name", "kubevirt-volume-without-disk", Level::Warning),
    (VM, "@guest.domain.devices.disks[0].disk: {}", "kubevirt-disk-bus-default", Level::Warning),
    (VM, "!@guest.domain.memory\nat @guest.domain.memory.guest", "kubevirt-memory-missing", Level::Error),
    (VM, "@guest.domain.memory.guest: -1Gi", "kubevirt-negative-amount", Level::Error),
    (VM, "@guest.domain.resources: {limits: {memory: 512Mi}}\nat @guest.domain.memory.guest", "kubevirt-guest-above-limit", Level::Error),
    (VM, "@guest.volumes[0]: {name: root, cloudInitNoCloud: {userData: '#!/bin/sh'}}\n@guest.volumes[1]: {name: b, cloudInitConfigDrive: {userData: '#!/bin/sh'}}\nat @guest.volumes[1].cloudInitConfigDrive", "kubevirt-cloud-init-both", Level::Warning),
    (VM, "spec.dataVolumeTemplates: [{metadata: {name: d}, spec: {sourceRef: {kind: DataSource, name: gone}, storage: {}}}]\n@guest.volumes[0]: {name: root, dataVolume: {name: d}}\nknown: {dataSources: []}\nat spec.dataVolumeTemplates[0].spec.sourceRef.name", "kubevirt-source-missing", Level::Error),
    (VM, "spec.instancetype: {name: gone}\n!@guest.domain.memory\nknown: {instancetypes: []}\nat spec.instancetype.name", "kubevirt-instancetype-missing", Level::Error),
    (VM, "spec.instancetype: {name: gone}\n!@guest.domain.memory\n@guest.domain.cpu: {cores: 2}\nat @guest.domain.cpu", "kubevirt-instancetype-conflict", Level::Error),
    (VM, "spec.preference: {name: gone}\nknown: {preferences: []}\nat spec.preference.name", "kubevirt-preference-missing", Level::Error),
    (VM, "@guest.evictionStrategy: LiveMigrate\nspec.dataVolumeTemplates: [{metadata: {name: d}, spec: {source: {blank: {}}, pvc: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 1Gi}}}}}]", "kubevirt-live-migrate-rwo", Level::Warning),
    (VM, "@guest.terminationGracePeriodSeconds: -1", "kubevirt-grace-period", Level::Error),
    (VM, "@guest.domain.devices.gpus: [{name: a, deviceName: gone}]\nknown: {devices: []}\nat @guest.domain.devices.gpus[0].deviceName", "kubevirt-device-unknown", Level::Error),
    (VM, "@guest.domain.devices.watchdog: {name: a, i6300esb: {}}\nat @guest.domain.devices.watchdog.i6300esb", "kubevirt-watchdog-action", Level::Warning),
    (VM, "metadata.name: LONG", "kubevirt-name-long", Level::Warning),
    (VM, "metadata.name: web.shop", "kubevirt-name-dots", Level::Warning),
    (VM, "@guest.domain.clock: {timezone: Europe/Paris, utc: {}}", "kubevirt-clock-both", Level::Warning),
    (VM, "@guest.domain.clock: {timezone: Middle/Earth}\nat @guest.domain.clock.timezone", "kubevirt-timezone", Level::Error),
    (VM, "@guest.domain.devices.tpm: {persistent: true}\nat @guest.domain.devices.tpm.persistent", "kubevirt-tpm-persistent", Level::Warning),
    (Subject::MachineMigration, "spec.vmiName: a\nknown: {machines: [{name: a, running: true, scheduling: true}]}", "kubevirt-migration-waits", Level::Warning),
    (Subject::MachineMigration, "spec.vmiName: a\nknown: {machines: [{name: a, running: true, paused: true}]}", "kubevirt-migration-paused", Level::Warning),
    (Subject::MachineSnapshot, "spec.source.name: gone\nknown: {machines: []}", "kubevirt-snapshot-missing", Level::Error),
    (Subject::MachineSnapshot, "spec.failureDeadline: -5m", "kubevirt-snapshot-deadline", Level::Error),
    (Subject::MachineRestore, "spec.target.name: a\nknown: {machines: [{name: a, running: true}]}", "kubevirt-restore-running", Level::Warning),
    (Subject::MachineRestore, "spec.virtualMachineSnapshotName: gone\nknown: {machineSnapshots: []}", "kubevirt-restore-snapshot", Level::Error),
    (Subject::MachineRestore, "spec.virtualMachineSnapshotName: a\nknown: {machineSnapshots: [{name: a}]}", "kubevirt-restore-not-ready", Level::Warning),
    (VM, "@guest.domain.cpu: {cores: 4}\nold @guest.domain.cpu: {cores: 2}\nat @guest.domain.cpu.cores", "kubevirt-restart-required", Level::Warning),
    (VM, "@guest.domain.memory.guest: 64Gi\nold @guest.domain.memory.guest: 1Gi", "kubevirt-memory-change", Level::Warning),
    (VM, "@guest.domain.memory.guest: 1Gi\nold @guest.domain.memory.guest: 2Gi", "kubevirt-memory-change", Level::Warning),
    (VM, "@guest.domain.devices.disks: []\n@guest.volumes: []\nold metadata.labels: {}", "kubevirt-last-disk", Level::Error),
    (VM, "spec.runStrategy: Manual\nold spec.runStrategy: Always", "kubevirt-strategy-change", Level::Warning),
    (VM, "spec.instancetype: {name: gone}\n!@guest.domain.memory\nold spec.runStrategy: Always\nknown: {instancetypes: [a]}\nat spec.instancetype.name", "kubevirt-instancetype-missing", Level::Error),
    (VM, "apiVersion: kubevirt.io/v1alpha3", "kubevirt-version-old", Level::Warning),
];

#[test]
fn what_admission_answers_is_said_before() {
    // Of what a real admission was asked, so many mistakes are refused, and so many taken in silence.
    assert_eq!(ANSWERS.len(), 70 + 33);
    let mut failures = Vec::new();
    for (subject, case, rule, level) in ANSWERS {
        let on: &'static [Subject] = Box::leak(Box::new([*subject]));
        let row = Rule { on, ..super::GUEST_ERROR };
        let size = if rule.starts_with("kubevirt-cloud") {
            2100
        } else if rule.contains("serial") {
            260
        } else {
            70
        };
        let case = case.replace("LONG", &"a".repeat(size)).replace("VOLUME", VOLUME);
        let Example { text, old, known, options, path, line, .. } =
            example(&row, &case, Dialect::Kubernetes).unwrap_or_else(|why| panic!("{case}: {why}"));
        let (source, old) = (Source::read(text.as_bytes()), Source::read(old.as_bytes()));
        let found = judge(&source, &old.documents, &known, &options);
        let hit = found.iter().any(|one| {
            one.rule == *rule
                && one.level == *level
                && Some(&one.path) == path.as_ref()
                && Some(one.line) == line
        });
        if !hit {
            failures.push(format!("{case}\n{rule} at {path:?} line {line:?}, but {found:?}\n{text}"));
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n\n"));
}

/// A machine, a template of machines and a download, each with the mistakes that are copied from page to page.
const COPIED: &str = "\
apiVersion: kubevirt.io/v1
kind: VirtualMachine
metadata:
  name: till
spec:
  runStrategy: RerunOnFailure
  template:
    metadata:
      labels:
        app: till
      annotations:
        kubevirt.io/allow-pod-bridge-network-live-migration: \"true\"
    spec:
      domain:
        cpu:
          cores: 1
        memory:
          guest: 2Gi
        devices:
          disks:
            - name: root
              disk:
                bus: virtio
          interfaces:
            - name: default
              masquerade: {}
      volumes:
        - name: root
          dataVolume:
            name: till-root
      networks:
        - name: default
          pod: {}
  dataVolumeTemplates:
    - metadata:
        name: till-root
      spec:
        sourceRef:
          kind: DataSource
          name: images
          apiGroup: cdi.kubevirt.io
        pvc:
          accessModes:
            - ReadWriteOnce
          resources:
            requests:
              storage: 8Gi # as large as the image
---
apiVersion: kubevirt.io/v1alpha1
kind: VirtualMachinePool
metadata:
  name: tills
spec:
  replicas: 3
  selector:
    matchLabels:
      app: tills
  virtualMachineTemplate:
    metadata:
      labels:
        app: tills
    spec:
      runStrategy: RerunOnFailure
      domain: # the guest
        cpu:
          cores: 1
        memory:
          guest: 2Gi
        devices:
          disks:
            - name: root
              disk:
                bus: virtio
          interfaces:
            - name: default
              masquerade: {}
      volumes:
        - name: root
          dataVolume:
            name: tills-root
      networks:
        - name: default
          pod: {}
      dataVolumeTemplates:
        - metadata:
            name: tills-root
          spec:
            sourceRef:
              kind: DataSource
              name: images
              apiGroup: cdi.kubevirt.io
            storage:
              resources:
                requests:
                  storage: 8Gi
---
apiVersion: cdi.kubevirt.io/v1beta1
kind: DataSource
metadata:
  name: images
spec:
  source:
    http:
      url: \"https://images.example.net/till.qcow2\"
";

fn look(source: &Source) -> Vec<crate::rules::Finding> {
    judge(source, &[], &Known::default(), &Options::default())
}

#[test]
fn copied_documents_are_explained() {
    let found = look(&Source::read(COPIED.as_bytes()));
    let mut rules: Vec<(usize, u32, &str)> =
        found.iter().map(|one| (one.document, one.line, one.rule)).collect();
    rules.sort_unstable();
    let want = [
        (1, 12, "kubevirt-bridge-annotation"),
        (1, 38, "kubevirt-source-downloads"),
        (1, 41, "cdi-source-ref-group"),
        (1, 43, "cdi-pvc-fixed-modes"),
        (2, 49, "pasted-api-version"),
        (2, 64, "kubevirt-guest-misplaced"),
        (2, 77, "kubevirt-guest-misplaced"),
        (2, 81, "kubevirt-guest-misplaced"),
        (2, 88, "kubevirt-source-downloads"),
        (2, 91, "cdi-source-ref-group"),
        (3, 103, "cdi-datasource-download"),
    ];
    assert_eq!(rules, want);
}

#[test]
fn copied_documents_are_mended() {
    let done = mend(COPIED, look);
    let left: Vec<&str> = done.left.iter().map(|one| one.rule).collect();
    assert_eq!(left, ["cdi-pvc-fixed-modes", "kubevirt-pool-downloads"], "{}", done.text);
    let source = Source::read(done.text.as_bytes());
    let kinds: Vec<Subject> = source.documents.iter().map(crate::rules::Document::subject).collect();
    assert_eq!(kinds, [Subject::VirtualMachine, Subject::VirtualMachinePool], "{}", done.text);
    let pool = source.documents[1].root();
    let machine = pool.get("spec.virtualMachineTemplate.spec");
    assert_eq!(pool.get("apiVersion").text(), Some("pool.kubevirt.io/v1beta1"));
    for (path, want) in [("template.spec.domain.memory.guest", "2Gi"), ("runStrategy", "RerunOnFailure")] {
        assert_eq!(machine.get(path).text(), Some(want), "{}", done.text);
    }
    for machine in [source.documents[0].root().get("spec"), machine] {
        let spec = machine.get("dataVolumeTemplates").item(0).unwrap().get("spec");
        assert_eq!(spec.get("source.http.url").text(), Some("https://images.example.net/till.qcow2"));
        assert!(spec.get("sourceRef").missing(), "{}", done.text);
    }
    // What people wrote beside it stays.
    assert!(
        done.text.contains("storage: 8Gi # as large as the image")
            && done.text.contains("domain: # the guest")
    );
}
