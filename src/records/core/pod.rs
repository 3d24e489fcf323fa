//! Pod.

use std::net::IpAddr;

use bitflags::bitflags;
use serde::Deserialize;
use serde::de::IgnoredAny;

use super::pod_status::{InitContainers, PodEvidence, Status};
use crate::model::{Key, Time, Uid, Word};
use crate::records::values::{Address, Length};
use crate::records::wire::{Folded, Nullable, Str, WireMeta, versioned};
use crate::records::{Kind, KindInfo, Meta, Record};

/// A Pod.
#[derive(Debug, Default, PartialEq)]
pub struct Pod {
    /// What every object has.
    pub meta: Meta,
    /// `status.phase`.
    pub phase: Word,
    /// What kubectl shows as STATUS: `Running`, `Init:0/2`, `CrashLoopBackOff`, `Completed`, `Terminating`, ….
    pub reason: Word,
    /// `spec.nodeName`; empty until scheduled.
    pub node: Word,
    /// The migration that this pod is the target of (label `kubevirt.io/migrationJobUID`).
    pub migration: Option<Key>,
    /// How its main container ended last, and why it waits.
    pub evidence: Option<Box<PodEvidence>>,
    /// `status.podIP`.
    address: Address,
    /// When the kubelet took it (`status.startTime`).
    pub started: Option<Time>,
    /// When a container of it ended last and was started again.
    pub restarted: Option<Time>,
    /// Restarts of all containers that kubectl counts.
    pub restarts: u32,
    /// Containers that are ready, sidecars included.
    pub ready: u16,
    /// Containers that should be, sidecars included.
    pub containers: u16,
    /// What it is for.
    pub role: PodRole,
    /// Yes-or-no facts.
    pub flags: PodFlags,
}

/// What a pod is for, as its labels tell.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum PodRole {
    /// Nothing that this program knows.
    #[default]
    Other,
    /// Runs a guest of KubeVirt.
    Launcher,
    /// Holds hot-plugged disks of a launcher pod.
    Hotplug,
    /// CDI: downloads an image.
    Importer,
    /// CDI: takes an upload, or the data of a clone.
    UploadServer,
    /// CDI: reads the source of a clone.
    CloneSource,
    /// CDI: makes the volume of a clone be bound or grow.
    ClonePrepare,
    /// Runs a guest of Virtink.
    Virtink,
}

bitflags! {
    /// Yes-or-no facts about a pod.
    #[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
    pub struct PodFlags: u8 {
        /// Condition `Ready` is True.
        const READY = 1;
        /// No node takes it (`PodScheduled` is False, `Unschedulable`).
        const UNSCHEDULABLE = 1 << 1;
        /// A launcher without a guest, made only to have volumes bound (`kubevirt.io/ephemeral-provisioning`).
        const TEMPORARY = 1 << 2;
    }
}

impl Pod {
    /// `status.podIP`.
    pub fn address(&self) -> Option<IpAddr> {
        self.address.get()
    }
}

#[derive(Deserialize, Default)]
#[serde(default)]
pub struct PodWire<'a> {
    #[serde(borrow)]
    metadata: WireMeta<'a, Labels<'a>, Annotations>,
    #[serde(borrow)]
    spec: Nullable<Spec<'a>>,
    #[serde(borrow)]
    status: Nullable<Status<'a>>,
}
versioned!(PodWire);

#[derive(Deserialize, Default)]
#[serde(default)]
struct Labels<'a> {
    #[serde(borrow, rename = "kubevirt.io")]
    kubevirt: Str<'a>,
    #[serde(borrow, rename = "cdi.kubevirt.io")]
    cdi: Str<'a>,
    #[serde(borrow, rename = "kubevirt.io/migrationJobUID")]
    migration: Str<'a>,
    #[serde(rename = "virtink.io/vm.name")]
    virtink: Option<IgnoredAny>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Annotations {
    #[serde(rename = "kubevirt.io/ephemeral-provisioning")]
    temporary: Option<IgnoredAny>,
}

#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
struct Spec<'a> {
    #[serde(borrow)]
    node_name: Str<'a>,
    #[serde(borrow)]
    init_containers: Folded<InitContainers<'a>>,
    containers: Folded<Length>,
}

impl Labels<'_> {
    fn role(&self) -> PodRole {
        match (&*self.kubevirt, &*self.cdi) {
            ("virt-launcher", _) => PodRole::Launcher,
            ("hotplug-disk", _) => PodRole::Hotplug,
            (_, "importer") => PodRole::Importer,
            (_, "cdi-upload-server") => PodRole::UploadServer,
            (_, "cdi-clone-source") => PodRole::CloneSource,
            (_, "cdi-populator-prep") => PodRole::ClonePrepare,
            _ if self.virtink.is_some() => PodRole::Virtink,
            _ => PodRole::Other,
        }
    }
}

impl Record for Pod {
    const KIND: Kind = Kind::Pod;
    const INFO: KindInfo = KindInfo {
        group: "",
        versions: &["v1"],
        name: "Pod",
        plural: "pods",
        short: &["po"],
        namespaced: true,
        partners: &[
            "kubevirt.io in (virt-launcher,hotplug-disk)",
            "cdi.kubevirt.io in (importer,cdi-upload-server,cdi-clone-source,cdi-populator-prep)",
            "virtink.io/vm.name",
        ],
    };
    type Wire<'de> = PodWire<'de>;

    fn fold(wire: PodWire<'_>) -> Self {
        let meta = wire.metadata.fold();
        let labels = &wire.metadata.labels;
        let (spec, mut status) = (&wire.spec.0, wire.status.0);
        let sum = status.sum_up(
            spec.containers.0.0,
            &spec.init_containers.0,
            meta.deleted().is_some(),
        );
        let mut flags = PodFlags::empty();
        flags.set(PodFlags::READY, status.conditions.ready);
        flags.set(PodFlags::UNSCHEDULABLE, status.conditions.unschedulable);
        let temporary = wire.metadata.annotations.temporary.is_some();
        flags.set(PodFlags::TEMPORARY, temporary);
        let job = &labels.migration;
        Self {
            phase: status.phase.word(),
            reason: sum.reason,
            node: spec.node_name.word(),
            migration: (!job.is_empty()).then(|| Key::uid(Uid::parse(job))),
            evidence: sum.evidence,
            address: Address::read(&status.ip),
            started: status.start_time.time(),
            restarted: sum.restarts.last,
            restarts: sum.restarts.count,
            ready: sum.ready,
            containers: sum.containers,
            role: labels.role(),
            flags,
            meta,
        }
    }

    fn bare(meta: Meta) -> Self {
        Self {
            meta,
            ..Self::default()
        }
    }

    fn meta(&self) -> &Meta {
        &self.meta
    }

    fn part_of(&self, link: &mut dyn FnMut(Key)) {
        self.migration.into_iter().for_each(link);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::records::decode;

    fn pod(meta: &str, spec: &str, status: &str) -> Pod {
        let json = format!(
            r#"{{"metadata":{{"name":"p"{meta}}},"spec":{{{spec}}},"status":{{{status}}}}}"#
        );
        decode(json.as_bytes()).unwrap().record
    }

    const TWO: &str = r#""containers":[{"name":"a"},{"name":"b"}]"#;
    const SIDECAR: &str = r#""containers":[{"name":"a"}],"initContainers":[{"name":"log","restartPolicy":"Always"},{"name":"i"}]"#;
    const DELETED: &str = r#","deletionTimestamp":"2026-11-21T10:46:57Z""#;

    #[test]
    fn the_word_is_the_one_that_kubectl_shows() {
        let cases: &[(&str, &str, &str, &str, &str)] = &[
            ("", TWO, r#""phase":"Pending""#, "Pending", "0/2"),
            (
                "",
                TWO,
                r#""phase":"Pending","conditions":[{"type":"PodScheduled","status":"False","reason":"SchedulingGated"}]"#,
                "SchedulingGated",
                "0/2",
            ),
            (
                "",
                TWO,
                r#""phase":"Failed","reason":"Evicted","message":"low on disk""#,
                "Evicted",
                "0/2",
            ),
            (
                "",
                TWO,
                r#""phase":"Running","containerStatuses":[{"name":"a","ready":true,"state":{"running":{}}},
                {"name":"b","state":{"waiting":{"reason":"CrashLoopBackOff"}}}]"#,
                "CrashLoopBackOff",
                "1/2",
            ),
            (
                "",
                TWO,
                r#""phase":"Running","containerStatuses":[{"state":{"waiting":{"reason":"ErrImagePull"}}},{"state":{"terminated":{"exitCode":3}}}]"#,
                "ErrImagePull",
                "0/2",
            ),
            (
                "",
                TWO,
                r#""phase":"Running","containerStatuses":[{"state":{"terminated":{"exitCode":137}}}]"#,
                "ExitCode:137",
                "0/2",
            ),
            (
                "",
                TWO,
                r#""phase":"Running","containerStatuses":[{"state":{"terminated":{"exitCode":0,"signal":9}}}]"#,
                "Signal:9",
                "0/2",
            ),
            (
                "",
                TWO,
                r#""phase":"Succeeded","containerStatuses":[{"state":{"terminated":{"exitCode":0,"reason":"Completed"}}}]"#,
                "Completed",
                "0/2",
            ),
            (
                "",
                TWO,
                r#""phase":"Running","conditions":[{"type":"Ready","status":"True"}],"containerStatuses":[
                {"state":{"terminated":{"reason":"Completed"}}},{"ready":true,"state":{"running":{}}}]"#,
                "Running",
                "1/2",
            ),
            (
                "",
                TWO,
                r#""phase":"Running","containerStatuses":[{"state":{"terminated":{"reason":"Completed"}}},{"ready":true,"state":{"running":{}}}]"#,
                "NotReady",
                "1/2",
            ),
            (
                "",
                SIDECAR,
                r#""phase":"Pending","initContainerStatuses":[{"name":"log","started":true,"ready":true,"state":{"running":{}}},
                {"name":"i","started":true,"state":{"running":{}}}]"#,
                "Init:1/2",
                "1/2",
            ),
            (
                "",
                SIDECAR,
                r#""phase":"Pending","initContainerStatuses":[{"name":"log","state":{"waiting":{"reason":"PodInitializing"}}}]"#,
                "Init:0/2",
                "0/2",
            ),
            (
                "",
                SIDECAR,
                r#""phase":"Pending","initContainerStatuses":[{"name":"i","state":{"waiting":{"reason":"CrashLoopBackOff"}}}]"#,
                "Init:CrashLoopBackOff",
                "0/2",
            ),
            (
                "",
                SIDECAR,
                r#""phase":"Pending","initContainerStatuses":[{"name":"i","state":{"terminated":{"exitCode":2}}}]"#,
                "Init:ExitCode:2",
                "0/2",
            ),
            (
                "",
                SIDECAR,
                r#""phase":"Pending","initContainerStatuses":[{"name":"i","state":{"terminated":{"exitCode":2,"reason":"Error"}}}]"#,
                "Init:Error",
                "0/2",
            ),
            (
                "",
                SIDECAR,
                r#""phase":"Running","initContainerStatuses":[{"name":"log","started":true,"ready":true,"state":{"running":{}}},
                {"name":"i","state":{"terminated":{"exitCode":0}}}],"containerStatuses":[{"name":"a","ready":true,"state":{"running":{}}}]"#,
                "Running",
                "2/2",
            ),
            (DELETED, TWO, r#""phase":"Running""#, "Terminating", "0/2"),
            (DELETED, TWO, r#""phase":"Succeeded""#, "Succeeded", "0/2"),
            (
                DELETED,
                TWO,
                r#""phase":"Running","reason":"NodeLost""#,
                "Unknown",
                "0/2",
            ),
            (
                "",
                "",
                r#""phase":null,"conditions":null,"containerStatuses":[null,{"state":null,"lastState":null,"ready":null}]"#,
                "",
                "0/0",
            ),
        ];
        for (meta, spec, status, reason, ready) in cases {
            let pod = pod(meta, spec, status);
            assert_eq!(&*pod.reason, *reason, "{status}");
            assert_eq!(
                format!("{}/{}", pod.ready, pod.containers),
                *ready,
                "{status}"
            );
        }
    }

    #[test]
    fn restarts_are_counted_as_kubectl_does() {
        let init = r#"{"name":"log","restartCount":2,"started":true,"state":{"running":{}},"lastState":{"terminated":{"finishedAt":"2026-11-21T10:00:00Z"}}},
            {"name":"i","restartCount":5,"state":{"terminated":{"exitCode":0}}}"#;
        let main = r#"{"name":"a","restartCount":99999999999,"state":{"running":{}},"lastState":{"terminated":{"exitCode":1,"finishedAt":"2026-11-21T11:00:00Z"}}}"#;
        let running = pod(
            "",
            SIDECAR,
            &format!(r#""initContainerStatuses":[{init}],"containerStatuses":[{main}]"#),
        );
        assert_eq!(
            (running.restarts, running.restarted),
            (u32::MAX, Time::parse("2026-11-21T11:00:00Z"))
        );
        let sidecar_only = pod("", SIDECAR, &format!(r#""initContainerStatuses":[{init}]"#));
        assert_eq!(
            (sidecar_only.restarts, sidecar_only.restarted),
            (2, Time::parse("2026-11-21T10:00:00Z"))
        );
    }

    #[test]
    fn the_importers_last_words_are_kept() {
        let pod = pod(
            r#","labels":{"cdi.kubevirt.io":"importer"}"#,
            r#""nodeName":"n1","containers":[{},{}]"#,
            r#""phase":"Running","podIP":"10.1.2.3","containerStatuses":[{"name":"server","state":{"terminated":{"exitCode":0,"reason":"Completed"}}},
            {"name":"importer","restartCount":3,"state":{"waiting":{"reason":"CrashLoopBackOff","message":"back-off 40s"}},
            "lastState":{"terminated":{"exitCode":1,"reason":"Error","message":"expected status code 200,\n got 404"}}}]"#,
        );
        assert_eq!(
            (pod.role, &*pod.node, pod.restarts),
            (PodRole::Importer, "n1", 3)
        );
        assert_eq!(pod.address().unwrap().to_string(), "10.1.2.3");
        let evidence = pod.evidence.unwrap();
        let ended = evidence.ended.unwrap();
        assert_eq!(
            (&*ended.container, ended.code, ended.now),
            ("importer", 1, false)
        );
        assert_eq!(&*ended.message, "expected status code 200, got 404");
        assert_eq!(**evidence.message.unwrap(), *"back-off 40s");
    }

    #[test]
    fn a_launcher_that_finds_no_node_says_why() {
        let pod = pod(
            r#","labels":{"kubevirt.io":"virt-launcher","kubevirt.io/migrationJobUID":"u"},"annotations":{"kubevirt.io/ephemeral-provisioning":"true"}"#,
            TWO,
            r#""phase":"Pending","conditions":[{"type":"PodScheduled","status":"False","reason":"Unschedulable","message":"0/3 nodes"}]"#,
        );
        assert_eq!((pod.role, &*pod.reason), (PodRole::Launcher, "Pending"));
        assert_eq!(pod.flags, PodFlags::UNSCHEDULABLE | PodFlags::TEMPORARY);
        assert_eq!(
            **pod.evidence.as_ref().unwrap().message.as_ref().unwrap(),
            *"0/3 nodes"
        );
        let mut links = Vec::new();
        pod.part_of(&mut |key| links.push(key));
        assert_eq!(links, [Key::uid(Uid::parse("u"))]);
        assert_eq!(self::pod("", "", "").evidence, None);
    }
}
