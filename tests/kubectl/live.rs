//! kubectl on the demo as it lives, its clock running fast.

use std::io::{BufRead as _, BufReader};
use std::net::{Ipv4Addr, SocketAddr};
use std::process::{Command, Stdio};
use std::time::Duration;

use serde_json::{Value, json};
use tempfile::TempDir;
use v9s::demo::start::{Demo, Serving, Wishes};

use super::{Program, Ran, program_of, ran, ran_within};
use crate::support::cluster::runtime;
use crate::support::{deadline, poll, stretched};

/// How many times as fast as time the platform is.
const SPEED: f64 = 30.0;

/// How long a wait of kubectl's own may take, in seconds.
const PATIENCE: u64 = 60;

struct Live {
    program: Program,
    home: TempDir,
    serving: Serving,
    _demo: Demo,
}

impl Live {
    fn begin() -> Option<Self> {
        let program = program_of()?;
        let demo = Demo::new(Wishes { speed: SPEED, ..Wishes::default() }).unwrap();
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        let serving = runtime().block_on(demo.serve(address, None)).unwrap();
        let home = tempfile::Builder::new().prefix("v9s-live-").tempdir().unwrap();
        Some(Self { program, home, serving, _demo: demo })
    }

    fn command(&self, words: &str) -> Command {
        let mut command = self.program.command(self.home.path(), self.serving.kubeconfig());
        command.args(words.split(' '));
        command
    }

    fn run(&self, words: &str) -> Ran {
        ran(self.command(words), "")
    }

    fn feed(&self, words: &str, object: &Value) -> Ran {
        ran(self.command(words), &object.to_string())
    }

    /// Returns when an object is as a path of JSON says.
    fn wait(&self, object: &str, namespace: &str, is: &str) {
        let patience = stretched(Duration::from_secs(PATIENCE));
        let words =
            format!("wait {object} -n {namespace} --for=jsonpath={is} --timeout={}s", patience.as_secs());
        let waited = ran_within(self.command(&words), "", patience);
        assert_eq!(waited.code, Some(0), "{object} in {namespace} is not {is}: {waited:?}");
    }

    fn says(&self, words: &str, says: &[&str]) -> String {
        let ran = self.run(words);
        let missing: Vec<_> = says.iter().filter(|word| !ran.out.contains(**word)).collect();
        assert!(
            ran.code == Some(0) && missing.is_empty(),
            "{words}\n  missing {missing:?}\n{}{}",
            ran.out,
            ran.err
        );
        ran.out
    }
}

fn machine(strategy: &str) -> Value {
    json!({
        "apiVersion": "kubevirt.io/v1", "kind": "VirtualMachine", "metadata": {"name": "fresh", "namespace": "lab"},
        "spec": {"runStrategy": strategy, "template": {"spec": {
            "domain": {"memory": {"guest": "1Gi"}, "devices": {"disks": [{"name": "root", "disk": {"bus": "virtio"}}]}},
            "volumes": [{"name": "root", "containerDisk": {"image": "quay.io/containerdisks/fedora:41"}}],
        }}},
    })
}

/// One demo for all of it: its past takes its time.
#[test]
fn kubectl_follows_the_life_of_the_demo() {
    let Some(live) = Live::begin() else { return };
    looks(&live);
    applies_and_watches(&live);
    drains(&live);
}

fn looks(live: &Live) {
    live.wait("vm/web-0", "shop", "{.status.printableStatus}=Running");
    live.says(
        "get vm,vmi,dv,pvc,pod -n shop",
        &["virtualmachine.kubevirt.io/web-0", "pod/virt-launcher-web-0"],
    );
    live.says(
        "describe vm web-0 -n shop",
        &["Printable Status:", "SuccessfulCreate", "virtualmachine-controller"],
    );
    live.says("describe dv web-0-root -n shop", &["Progress:", "Events:", "ImportSucceeded"]);
    let pod =
        live.says("get pods -n shop -o name -l vm.kubevirt.io/name=web-0", &["pod/virt-launcher-web-0"]);
    live.says(
        &format!("describe -n shop {}", pod.trim()),
        &["Scheduled", "default-scheduler", "Started", "kubelet"],
    );
    live.says("top pod -n shop", &["CPU(cores)", "virt-launcher-web-0"]);
    // One that has just been started again has not met the answer yet.
    let words = "logs -n stuck -l cdi.kubevirt.io=importer --tail=50 --prefix --ignore-errors";
    let told = || Some(live.run(words).out).filter(|logs| logs.contains("404") && logs.lines().count() > 5);
    poll(deadline(), told).unwrap_or_else(|| panic!("{words}\n{:?}", live.run(words)));
    let managed =
        live.says("get vm web-0 -n shop -o yaml --show-managed-fields", &["manager: virt-controller"]);
    assert!(
        managed.contains("manager: kubectl-create") && managed.contains("subresource: status"),
        "{managed}"
    );
}

fn applies_and_watches(live: &Live) {
    for (strategy, word) in [("Halted", "created"), ("Halted", "unchanged")] {
        let applied = live.feed("apply -f -", &machine(strategy));
        assert!(applied.out.contains(&format!("virtualmachine.kubevirt.io/fresh {word}")), "{applied:?}");
    }
    live.wait("vm/fresh", "lab", "{.status.printableStatus}=Stopped");
    let mut watch = live.command("get vm fresh -n lab -w").stdout(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(watch.stdout.take().unwrap()).lines().map_while(Result::ok);
    let mut until = |word: &str| {
        lines.by_ref().find(|line| line.contains(word)).unwrap_or_else(|| panic!("nothing of {word}"));
    };
    until("Stopped");
    let applied = live.feed("apply -f -", &machine("Always"));
    assert!(applied.out.contains("virtualmachine.kubevirt.io/fresh configured"), "{applied:?}");
    // Whoever waits for lines that do not come is woken by the end of the watch.
    live.wait("vm/fresh", "lab", "{.status.printableStatus}=Running");
    until("Starting");
    until("Running");
    watch.kill().unwrap();
    watch.wait().unwrap();
    live.says("delete vm fresh -n lab --timeout=60s", &["deleted"]);
    let gone = live.run("get vm,vmi -n lab -o name");
    assert!(!gone.out.contains("/fresh"), "{gone:?}");
}

fn drains(live: &Live) {
    live.wait("vm/db-0", "shop", "{.status.printableStatus}=Running");
    live.wait("vmi/db-0", "shop", "{.status.conditions[?(@.type==\"LiveMigratable\")].status}=True");
    let node = live.says("get vmi db-0 -n shop -o jsonpath={.status.nodeName}", &["worker-"]);
    let patience = Duration::from_secs(2 * PATIENCE);
    let drain = format!(
        "drain {node} --ignore-daemonsets --delete-emptydir-data --force --timeout={}s",
        stretched(patience).as_secs()
    );
    let drained = ran_within(live.command(&drain), "", stretched(patience));
    assert!(drained.code == Some(0) && drained.out.contains(&format!("{node} drained")), "{drained:?}");
    assert!(drained.err.contains("Eviction triggered evacuation of VMI \"shop/db-0\""), "{drained:?}");
    live.says("get nodes", &["SchedulingDisabled"]);
    let moved = live.says("get vmim -n shop", &["kubevirt-evacuation-", "db-0"]);
    assert!(moved.contains("Succeeded") || moved.contains("Running"), "{moved}");
    live.wait("vmi/db-0", "shop", "{.status.migrationState.completed}=true");
    let now = live.says("get vmi db-0 -n shop -o jsonpath={.status.nodeName}", &["worker-"]);
    assert_ne!(now, node);
    let left =
        live.run(&format!("get pods -A -o name --field-selector spec.nodeName={node},status.phase=Running"));
    assert_eq!(left.out, "", "{left:?}");
    live.says(&format!("uncordon {node}"), &["uncordoned"]);
}
