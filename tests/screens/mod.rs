//! The built program in a pseudo-terminal: keys in, screen out.

mod command_line;
mod console;
mod demo;
mod faults;
mod fleet;
mod guest;
mod keys;
mod morning;
mod rights;
mod rows;
mod server;
mod sizes;
mod start;
mod terminal;

use std::net::TcpListener;

use serde_json::{Value, json};

use crate::support::builder::Builder;
use crate::support::crds::OpenCrd;
use crate::support::screen::Screen;

/// What the screens need where the real definitions are not at hand.
const DEFINITIONS: [OpenCrd; 3] = [
    OpenCrd {
        group: "kubevirt.io",
        version: "v1",
        kind: "VirtualMachine",
        plural: "virtualmachines",
        singular: "virtualmachine",
        short_names: &["vm", "vms"],
        namespaced: true,
        status_subresource: true,
    },
    OpenCrd {
        group: "kubevirt.io",
        version: "v1",
        kind: "VirtualMachineInstance",
        plural: "virtualmachineinstances",
        singular: "virtualmachineinstance",
        short_names: &["vmi", "vmis"],
        namespaced: true,
        status_subresource: false,
    },
    OpenCrd {
        group: "cdi.kubevirt.io",
        version: "v1beta1",
        kind: "DataVolume",
        plural: "datavolumes",
        singular: "datavolume",
        short_names: &["dv", "dvs"],
        namespaced: true,
        status_subresource: true,
    },
];

/// A server that takes connections and says nothing, as one behind a firewall that drops packets seems to do.
struct Silent(TcpListener);

impl Silent {
    fn new() -> Self {
        Self(TcpListener::bind("127.0.0.1:0").unwrap())
    }

    fn url(&self) -> String {
        format!("https://{}", self.0.local_addr().unwrap())
    }
}

/// The text of a kubeconfig with these contexts, as (name, URL of the server); the first one is the current one.
fn kubeconfig(contexts: &[(&str, &str)]) -> String {
    kubeconfig_of(contexts, &json!({ "token": "t" }))
}

fn kubeconfig_of(contexts: &[(&str, &str)], user: &Value) -> String {
    let list = |of: &dyn Fn(&str, &str) -> Value| contexts.iter().map(|(name, url)| of(name, url)).collect();
    let named = |name: &str, what: &str| format!("{name}-{what}");
    let clusters: Vec<Value> =
        list(&|name, url| json!({"name": named(name, "cluster"), "cluster": {"server": url}}));
    let users: Vec<Value> = list(&|name, _| json!({"name": named(name, "user"), "user": user}));
    let contexts_: Vec<Value> = list(&|name, _| {
        json!({"name": name, "context": {
            "cluster": named(name, "cluster"), "user": named(name, "user"), "namespace": named(name, "home"),
        }})
    });
    json!({
        "apiVersion": "v1", "kind": "Config", "current-context": contexts[0].0,
        "clusters": clusters, "users": users, "contexts": contexts_,
    })
    .to_string()
}

/// A screen on the list of the contexts `alpha`, `beta` and `gamma`, whose servers say nothing.
fn contexts(silent: &Silent) -> Builder {
    let url = silent.url();
    let text = kubeconfig(&[("alpha", &url), ("beta", &url), ("gamma", &url)]);
    Screen::builder().file("kubeconfig", text).env("KUBECONFIG", "kubeconfig").args(["-c", "contexts"])
}
