//! Who lives on the demo's cluster: machines in four namespaces, what they need, and the nodes below them.
//!
//! | Namespace | Is |
//! |---|---|
//! | `shop` | what an operator of one namespace sees: three web servers, a database, and workloads of v9s |
//! | `lab` | one machine for each way in which machines live |
//! | `factory` | where disks are made |
//! | `stuck` | one machine for each cause of an import that does not come to its end |

use serde_json::{Value, json};

use super::platform::PLAYED;
use super::platform::play::ANNOTATION;

/// The namespace of those whose disks do not come to be.
pub const STUCK: &str = "stuck";

/// The documents, as one would apply them.
const DOCUMENTS: [&str; 5] = [
    include_str!("tenants/cluster.yaml"),
    include_str!("tenants/factory.yaml"),
    include_str!("tenants/shop.yaml"),
    include_str!("tenants/lab.yaml"),
    OWN,
];

/// Objects of the kinds of v9s itself, with a status, which no controller writes yet.
const OWN: &str = include_str!("tenants/own.yaml");

/// A node: its name, its zone, how many processors it has, and how many GiB of memory.
const NODES: [(&str, &str, u32, u32); 3] =
    [("worker-1", "a", 32, 128), ("worker-2", "a", 32, 128), ("worker-3", "b", 32, 128)];

/// The machines of `stuck`.
const CAUSES: [&str; 13] = [
    "http-404",
    "checksum",
    "too-small",
    "first-consumer",
    "no-default-class",
    "quota",
    "dns",
    "tls",
    "registry-auth",
    "scratch-pending",
    "importer-oom",
    "datasource-without-source",
    "slow-but-fine",
];

/// A mistake in a document of this program.
#[derive(Debug, thiserror::Error)]
#[error("a document of the demo cannot be read: {0}")]
pub struct BadDocument(#[from] serde_saphyr::Error);

/// Everything, in the order in which it is to be created. `kubelet` is the port at which the logs of the nodes' containers are had.
///
/// # Errors
///
/// [`BadDocument`], which tests rule out.
pub fn all(kubelet: u16) -> Result<Vec<Value>, BadDocument> {
    let mut all = nodes(kubelet);
    for text in DOCUMENTS {
        all.extend(read(text)?);
    }
    all.extend(stuck());
    Ok(all)
}

/// The nodes alone, with what lies below machines: enough for a platform without tenants.
///
/// # Errors
///
/// [`BadDocument`], which tests rule out.
pub fn cluster(kubelet: u16) -> Result<Vec<Value>, BadDocument> {
    Ok([nodes(kubelet), read(DOCUMENTS[0])?].concat())
}

/// The objects of the kinds of v9s itself.
///
/// # Errors
///
/// [`BadDocument`], which tests rule out.
pub fn own() -> Result<Vec<Value>, BadDocument> {
    read(OWN)
}

fn read(text: &str) -> Result<Vec<Value>, BadDocument> {
    Ok(serde_saphyr::from_multiple(text)?)
}

fn nodes(kubelet: u16) -> Vec<Value> {
    let node = |(index, (name, zone, processors, memory)): (usize, &(&str, &str, u32, u32))| {
        let amounts = |processors: String, memory: u32| {
            json!({
                "cpu": processors, "memory": format!("{}Ki", u64::from(memory) << 20), "pods": "250",
                "ephemeral-storage": "479079112Ki", "hugepages-2Mi": "0", "devices.kubevirt.io/kvm": "1k",
                "devices.kubevirt.io/tun": "1k", "devices.kubevirt.io/vhost-net": "1k",
            })
        };
        json!({
            "apiVersion": "v1", "kind": "Node",
            "metadata": {
                "name": name,
                "labels": {
                    PLAYED: "true", "kubernetes.io/arch": "amd64", "kubernetes.io/hostname": name, "kubernetes.io/os": "linux",
                    "kubevirt.io/schedulable": "true", "node-role.kubernetes.io/worker": "", "topology.kubernetes.io/zone": zone,
                    "cpu-vendor.node.kubevirt.io/Intel": "true", "host-model-cpu.node.kubevirt.io/Cascadelake-Server": "true",
                    "cpu-model.node.kubevirt.io/Skylake-Server": "true",
                },
            },
            "spec": {"podCIDR": format!("10.244.{index}.0/24"), "podCIDRs": [format!("10.244.{index}.0/24")]},
            "status": {
                // A host name would be looked up first, in vain.
                "addresses": [{"type": "InternalIP", "address": "127.0.0.1"}],
                "capacity": amounts(processors.to_string(), *memory),
                "allocatable": amounts(format!("{}m", processors * 1000 - 500), memory - 2),
                "daemonEndpoints": {"kubeletEndpoint": {"Port": kubelet}},
                "conditions": [
                    {"type": "MemoryPressure", "status": "False", "reason": "KubeletHasSufficientMemory",
                        "message": "kubelet has sufficient memory available"},
                    {"type": "DiskPressure", "status": "False", "reason": "KubeletHasNoDiskPressure",
                        "message": "kubelet has no disk pressure"},
                    {"type": "PIDPressure", "status": "False", "reason": "KubeletHasSufficientPID",
                        "message": "kubelet has sufficient PID available"},
                    {"type": "Ready", "status": "True", "reason": "KubeletReady", "message": "kubelet is posting ready status"},
                ],
                "nodeInfo": {
                    "architecture": "amd64", "bootID": format!("b0070000-0000-4000-8000-00000000000{index}"),
                    "containerRuntimeVersion": "containerd://2.2.1", "kernelVersion": "6.12.43-demo", "kubeProxyVersion": "",
                    "kubeletVersion": "v1.36.0", "machineID": format!("d3400000000040008000000000000d0{index}"),
                    "operatingSystem": "linux", "osImage": "Demo Linux 13",
                    "systemUUID": format!("5e500000-0000-4000-8000-00000000000{index}"),
                },
            },
        })
    };
    NODES.iter().enumerate().map(node).collect()
}

/// One machine for each cause of which a disk does not come to be.
fn stuck() -> Vec<Value> {
    let quota = json!({
        "apiVersion": "v1", "kind": "ResourceQuota", "metadata": {"name": "limited-storage", "namespace": STUCK},
        "spec": {"hard": {"limited.storageclass.storage.k8s.io/requests.storage": "1Gi"}},
    });
    let source = json!({
        "apiVersion": "cdi.kubevirt.io/v1beta1", "kind": "DataSource",
        "metadata": {"name": "without-source", "namespace": STUCK}, "spec": {"source": {}},
    });
    [stuck_namespace(), quota, source].into_iter().chain(CAUSES.iter().map(|cause| stuck_by(cause))).collect()
}

/// Where those live whose disks do not come to be.
pub fn stuck_namespace() -> Value {
    json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": STUCK}})
}

/// A machine whose disk has the fate of that name.
pub fn stuck_by(name: &str) -> Value {
    let mut storage = json!({"resources": {"requests": {"storage": "5Gi"}}});
    let mut spec = match name {
        "registry-auth" => {
            json!({"source": {"registry": {"url": format!("docker://registry.demo.internal/private/{name}:1")}}})
        }
        "uploaded" => json!({"source": {"upload": {}}}),
        "datasource-without-source" => json!({"sourceRef": {"kind": "DataSource", "name": "without-source"}}),
        _ => json!({"source": {"http": {"url": format!("https://images.demo.internal/{name}.qcow2")}}}),
    };
    let class = match name {
        "first-consumer" => Some("local"),
        "quota" => Some("limited"),
        _ => None,
    };
    if let Some(class) = class {
        storage["storageClassName"] = class.into();
    }
    spec["storage"] = storage;
    // What waits for its first consumer comes to its end as soon as there is one.
    let run_strategy = if name == "first-consumer" { "Halted" } else { "Always" };
    let mut machine = json!({
        "apiVersion": "kubevirt.io/v1", "kind": "VirtualMachine",
        "metadata": {"name": name, "namespace": STUCK},
        "spec": {
            "runStrategy": run_strategy,
            "dataVolumeTemplates": [{"metadata": {"name": name}, "spec": spec}],
            "template": {"spec": {
                "domain": {
                    "cpu": {"cores": 1}, "memory": {"guest": "1Gi"},
                    "devices": {
                        "disks": [{"name": "root", "disk": {"bus": "virtio"}}],
                        "interfaces": [{"name": "default", "masquerade": {}}],
                    },
                },
                "networks": [{"name": "default", "pod": {}}],
                "volumes": [{"name": "root", "dataVolume": {"name": name}}],
            }},
        },
    });
    if name == "uploaded" {
        // An upload has no source whose name could say it.
        machine["metadata"]["annotations"] = json!({ANNOTATION: name});
    }
    machine
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_document_is_an_object_and_says_where_it_lives() {
        let all = all(10250).unwrap();
        assert!(all.len() > 45, "{}", all.len());
        for object in &all {
            for field in ["apiVersion", "kind"] {
                assert!(object[field].is_string(), "{object}");
            }
            assert!(object["metadata"]["name"].is_string(), "{object}");
        }
        let namespaces: Vec<&Value> = all.iter().filter(|one| one["kind"] == "Namespace").collect();
        for object in all.iter().filter(|one| one["metadata"]["namespace"].is_string()) {
            let there =
                namespaces.iter().any(|one| one["metadata"]["name"] == object["metadata"]["namespace"]);
            assert!(there, "{object}");
        }
    }
}
