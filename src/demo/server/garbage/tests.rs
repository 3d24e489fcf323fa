//! What follows from a change, where it cannot be seen from one object alone.

use std::sync::Arc;

use serde_json::{Value, json};

use crate::demo::server::body::{Address, Synthesis};
use crate::demo::server::kinds::Kind;
use crate::demo::server::storage::Key;
use crate::demo::server::testing::Api;

/// Machines `m-0`, `m-1`, … and of each an instance, which it owns.
struct Machines {
    instances: bool,
}

impl Synthesis for Machines {
    fn write(&self, number: u32, resource_version: u64, out: &mut Vec<u8>) {
        let uid = |of: &str| format!("00000000-0000-4000-8000-{of}{number:011}");
        let mut metadata = json!({
            "name": format!("m-{number}"), "namespace": "default", "resourceVersion": resource_version.to_string(),
            "uid": uid(if self.instances { "b" } else { "a" }),
        });
        if self.instances {
            metadata["ownerReferences"] = json!([{
                "apiVersion": "kubevirt.io/v1", "kind": "VirtualMachine", "name": format!("m-{number}"), "uid": uid("a"),
            }]);
        }
        let kind = if self.instances { "VirtualMachineInstance" } else { "VirtualMachine" };
        let object = json!({"apiVersion": "kubevirt.io/v1", "kind": kind, "metadata": metadata, "spec": {}});
        out.extend_from_slice(object.to_string().as_bytes());
    }

    fn dependents(&self, namespace: &str, name: &str) -> Vec<Address> {
        let one = Address {
            group: "kubevirt.io",
            plural: "virtualmachineinstances",
            namespace: namespace.to_owned(),
            name: name.to_owned(),
        };
        if self.instances { vec![one] } else { Vec::new() }
    }
}

#[tokio::test]
async fn made_up_objects_go_with_their_owners() {
    let api = Api::new().as_admin();
    let paths = ["virtualmachines", "virtualmachineinstances"]
        .map(|plural| format!("/apis/kubevirt.io/v1/namespaces/default/{plural}"));
    for (instances, plural) in [(false, "virtualmachines"), (true, "virtualmachineinstances")] {
        let kind = Kind::of_plural("kubevirt.io", plural).unwrap();
        let source: Arc<dyn Synthesis> = Arc::new(Machines { instances });
        let objects = (0..4).map(|number| (Key::new("default", &format!("m-{number}")), number));
        api.server().storage().with(|state| state.fill(kind, &source, objects));
    }
    let [vms, vmis] = &paths;
    assert_eq!(api.delete(&format!("{vms}/m-0")).await.0, 200);
    // Written before, so that they are made up no more.
    assert_eq!(api.merge(&format!("{vms}/m-1"), json!({"spec": {"x": 1}})).await.0, 200);
    assert_eq!(api.merge(&format!("{vmis}/m-1"), json!({"spec": {"x": 1}})).await.0, 200);
    assert_eq!(api.delete(&format!("{vms}/m-1")).await.0, 200);
    // No longer owned.
    assert_eq!(
        api.merge(&format!("{vmis}/m-2"), json!({"metadata": {"ownerReferences": null}})).await.0,
        200
    );
    assert_eq!(api.delete(&format!("{vms}/m-2")).await.0, 200);
    assert_eq!(api.names(vms).await, ["m-3"]);
    assert_eq!(api.names(vmis).await, ["m-2", "m-3"]);
}

#[tokio::test]
async fn owners_in_a_long_row_and_in_a_ring_go_together() {
    let api = Api::new().as_admin();
    let maps = "/api/v1/namespaces/default/configmaps";
    let owned = |name: &str, owner: &Value| {
        json!({"metadata": {"name": name, "ownerReferences": [{
            "apiVersion": "v1", "kind": "ConfigMap", "name": owner["metadata"]["name"], "uid": owner["metadata"]["uid"],
        }]}})
    };
    let (_, first) = api.post(maps, json!({"metadata": {"name": "c-0"}})).await;
    let mut last = first.clone();
    for number in 1..300 {
        last = api.post(maps, owned(&format!("c-{number}"), &last)).await.1;
    }
    let ring = owned("c-0", &last)["metadata"]["ownerReferences"].clone();
    assert_eq!(
        api.merge(&format!("{maps}/c-0"), json!({"metadata": {"ownerReferences": ring}})).await.0,
        200
    );
    assert_eq!(api.names(maps).await.len(), 300);
    assert_eq!(api.delete(&format!("{maps}/c-7")).await.0, 200);
    assert!(api.names(maps).await.is_empty());
}

#[tokio::test]
async fn an_owner_that_the_server_cannot_know_is_believed() {
    let api = Api::new().as_admin();
    let maps = "/api/v1/namespaces/default/configmaps";
    let owner = json!([{"apiVersion": "example.com/v1", "kind": "Thing", "name": "x", "uid": "y"}]);
    api.post(maps, json!({"metadata": {"name": "a", "ownerReferences": owner}})).await;
    assert_eq!(api.names(maps).await, ["a"]);
}
