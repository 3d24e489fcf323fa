//! PodMetrics and NodeMetrics: what is used, as `metrics.k8s.io` measures it every so often. That API has no watch and its
//! lists no version, so feeds list it again and again.

use serde::Deserialize;

use crate::model::{Key, Word};
use crate::records::wire::{Bytes, Fold, Folded, Millis, Nullable, WireMeta, versioned};
use crate::records::{Kind, KindInfo, Meta, Record, name_key};

/// Processors and memory in use.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Usage {
    /// Bytes of memory.
    pub memory: u64,
    /// Thousandths of processors.
    pub cpu: u32,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct WireUsage {
    cpu: Millis,
    memory: Bytes,
}

impl WireUsage {
    fn usage(&self) -> Usage {
        Usage { memory: self.memory.0.unwrap_or(0), cpu: self.cpu.0.unwrap_or(0) }
    }
}

/// What a pod uses.
#[derive(Debug, Default, PartialEq)]
pub struct PodMetrics {
    /// What every object has, but for the time: these objects are made when they are asked for.
    pub meta: Meta,
    /// The sum over its containers.
    pub usage: Usage,
}

/// What a node uses.
#[derive(Debug, Default, PartialEq)]
pub struct NodeMetrics {
    /// What every object has, but for the time: these objects are made when they are asked for.
    pub meta: Meta,
    /// Everything that runs on it.
    pub usage: Usage,
}

#[derive(Deserialize, Default)]
#[serde(default)]
pub struct PodMetricsWire<'a> {
    #[serde(borrow)]
    metadata: WireMeta<'a>,
    containers: Folded<Sum>,
}
versioned!(PodMetricsWire, NodeMetricsWire);

#[derive(Deserialize, Default)]
#[serde(default)]
pub struct NodeMetricsWire<'a> {
    #[serde(borrow)]
    metadata: WireMeta<'a>,
    usage: Nullable<WireUsage>,
}

/// Without the time of the measurement, with which every one of them would be a change.
fn timeless(mut meta: Meta) -> Meta {
    meta.created = None;
    meta
}

#[derive(Default)]
struct Sum(Usage);

#[derive(Deserialize, Default)]
#[serde(default)]
struct Container {
    usage: Nullable<WireUsage>,
}

impl Fold<'_> for Sum {
    type Item = Container;

    fn add(&mut self, container: Container) {
        let usage = container.usage.usage();
        self.0.memory = self.0.memory.saturating_add(usage.memory);
        self.0.cpu = self.0.cpu.saturating_add(usage.cpu);
    }
}

impl Record for PodMetrics {
    const KIND: Kind = Kind::PodMetrics;
    const INFO: KindInfo = KindInfo {
        group: "metrics.k8s.io",
        versions: &["v1beta1"],
        name: "PodMetrics",
        plural: "pods",
        words: "measurements of pods",
        short: &[],
        namespaced: true,
        // The labels are those of the pod.
        partners: &["kubevirt.io=virt-launcher", "virtink.io/vm.name"],
    };
    type Wire<'de> = PodMetricsWire<'de>;

    fn fold(wire: PodMetricsWire<'_>) -> Self {
        Self { meta: timeless(wire.metadata.fold()), usage: wire.containers.0.0 }
    }

    fn bare(meta: Meta) -> Self {
        Self { meta, ..Self::default() }
    }

    fn meta(&self) -> &Meta {
        &self.meta
    }

    fn part_of(&self, link: &mut dyn FnMut(Key)) {
        link(name_key(Kind::Pod, self.meta.namespace, &self.meta.name));
    }
}

impl Record for NodeMetrics {
    const KIND: Kind = Kind::NodeMetrics;
    const INFO: KindInfo = KindInfo {
        group: "metrics.k8s.io",
        versions: &["v1beta1"],
        name: "NodeMetrics",
        plural: "nodes",
        words: "measurements of nodes",
        short: &[],
        namespaced: false,
        partners: &[],
    };
    type Wire<'de> = NodeMetricsWire<'de>;

    fn fold(wire: NodeMetricsWire<'_>) -> Self {
        Self { meta: timeless(wire.metadata.fold()), usage: wire.usage.usage() }
    }

    fn bare(meta: Meta) -> Self {
        Self { meta, ..Self::default() }
    }

    fn meta(&self) -> &Meta {
        &self.meta
    }

    fn part_of(&self, link: &mut dyn FnMut(Key)) {
        link(name_key(Kind::Node, Word::default(), &self.meta.name));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::records::decode;

    #[test]
    fn usage_is_read() {
        let pod = |containers: &str| -> Usage {
            let json = format!(
                r#"{{"metadata":{{"name":"p","namespace":"a","creationTimestamp":"2026-01-01T00:00:00Z"}},"timestamp":"2026-01-01T00:00:00Z",
                "window":"15s","containers":{containers}}}"#
            );
            let read: PodMetrics = decode(json.as_bytes()).unwrap().record;
            assert_eq!(read.meta.created, None, "else each measurement is a change");
            read.usage
        };
        let cases = [
            (
                r#"[{"name":"a","usage":{"cpu":"1500000n","memory":"1Mi"}},{"usage":{"cpu":"250m","memory":"1Ki"}}]"#,
                (252, 1_049_600),
            ),
            (r#"[{"usage":null},{"usage":{"cpu":"x","memory":null}}]"#, (0, 0)),
            ("null", (0, 0)),
        ];
        for (containers, (cpu, memory)) in cases {
            assert_eq!(pod(containers), Usage { memory, cpu }, "{containers}");
        }
        let json = br#"{"metadata":{"name":"n"},"usage":{"cpu":"2","memory":"3Gi"}}"#;
        let node: NodeMetrics = decode(json).unwrap().record;
        assert_eq!(node.usage, Usage { memory: 3 << 30, cpu: 2000 });
    }
}
