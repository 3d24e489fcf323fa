//! kubectl, pointed at the embedded server with what `v9s demo` shows: it finds what it would find on a cluster.

mod live;

use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::mpsc::channel;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use v9s::demo::aggregate::serve_metrics_in_place;
use v9s::demo::fixtures;
use v9s::demo::metrics_api::MetricsApi;

use crate::support::apiserver::program;
use crate::support::embedded::Embedded;
use crate::support::suite::report;
use crate::support::{deadline, poll};

/// Where a kubectl is, and the words that come first.
struct Program {
    file: PathBuf,
    first: &'static [&'static str],
}

impl Program {
    /// With a home of its own, on the cluster of a kubeconfig.
    fn command(&self, home: &Path, kubeconfig: &Path) -> Command {
        let mut command = Command::new(&self.file);
        command.args(self.first).arg("--kubeconfig").arg(kubeconfig);
        command.arg("--cache-dir").arg(home.join("cache"));
        command.stdin(Stdio::null()).env("HOME", home);
        command
    }
}

/// The one that was built with the API server for the tests, or that of this machine.
fn program_of() -> Option<Program> {
    let own = program().map(|file| Program { file, first: &["kubectl"] });
    let path = std::env::var_os("PATH").unwrap_or_default();
    let installed =
        std::env::split_paths(&path).map(|folder| folder.join("kubectl")).find(|file| file.is_file());
    let found = own.or_else(|| installed.map(|file| Program { file, first: &[] }));
    if found.is_none() {
        let test = std::thread::current().name().unwrap_or("?").to_owned();
        report(&format!("skipped: {test}: no kubectl found"));
    }
    found
}

/// A kubectl, and the server that it is used on.
struct Kubectl {
    program: Program,
    server: Embedded,
}

/// What a run of it left behind.
#[derive(Debug)]
struct Ran {
    code: Option<i32>,
    out: String,
    err: String,
}

/// Who, the words, the exit code, and words that it says and does not say.
type Run = (&'static str, &'static str, i32, &'static [&'static str], &'static [&'static str]);

/// In order, on one server.
const RUNS: &[Run] = &[
    ("admin", "version", 0, &["Server Version: v1."], &[]),
    ("admin", "api-versions", 0, &["kubevirt.io/v1", "cdi.kubevirt.io/v1beta1", "v1"], &[]),
    (
        "admin",
        "api-resources",
        0,
        &[
            "virtualmachines",
            "vm,vms",
            "kubevirt.io/v1",
            "datavolumes",
            "persistentvolumeclaims",
            "VirtualMachineInstance",
        ],
        &["pods/log", "error"],
    ),
    (
        "admin",
        "api-resources --api-group=cdi.kubevirt.io -o name",
        0,
        &["datavolumes.cdi.kubevirt.io"],
        &["virtualmachines"],
    ),
    (
        "admin",
        "get vm -A",
        0,
        &["NAMESPACE", "STATUS", "READY", "web-0", "win-desk", "Running", "Stopped"],
        &[],
    ),
    ("admin", "get vmi -A -o wide", 0, &["PHASE", "IP", "NODENAME", "LIVE-MIGRATABLE"], &[]),
    (
        "admin",
        "get vm,vmi,dv,pvc,pod -n shop",
        0,
        &["virtualmachine.kubevirt.io/web-0", "pod/virt-launcher-web-0"],
        &[],
    ),
    ("admin", "get pods -A -l kubevirt.io=virt-launcher", 0, &["virt-launcher-db-0"], &["virt-api"]),
    ("admin", "get pods -A --field-selector status.phase=Pending", 0, &["Pending"], &["Running"]),
    ("admin", "get vm web-0 -n shop -o jsonpath={.status.printableStatus}", 0, &["Running"], &[]),
    (
        "admin",
        "get vm web-0 -n shop -o yaml",
        0,
        &["apiVersion: kubevirt.io/v1", "kind: VirtualMachine"],
        &[],
    ),
    ("admin", "get nodes -o wide", 0, &["Ready", "SchedulingDisabled", "INTERNAL-IP"], &[]),
    ("admin", "get events -n shop", 0, &["LAST SEEN", "REASON", "virtualmachine"], &[]),
    (
        "admin",
        "get ns,sc,pv",
        0,
        &["namespace/shop", "storageclass.storage.k8s.io/", "persistentvolume/"],
        &[],
    ),
    ("admin", "get --raw /apis/kubevirt.io/v1/namespaces/shop/virtualmachines/web-0", 0, &["\"web-0\""], &[]),
    ("admin", "get vm nobody -n shop", 1, &["virtualmachines.kubevirt.io \"nobody\" not found"], &[]),
    ("admin", "get gadgets", 1, &["the server doesn't have a resource type \"gadgets\""], &[]),
    ("admin", "describe vm web-0 -n shop", 0, &["Name:         web-0", "Printable Status:", "Events:"], &[]),
    ("admin", "describe vmi db-0 -n shop", 0, &["Phase Transition Timestamps", "Events:"], &[]),
    (
        "admin",
        "describe pods -n shop -l kubevirt.io=virt-launcher",
        0,
        &["Containers:", "compute:", "Node:"],
        &[],
    ),
    ("admin", "describe nodes", 0, &["Capacity:", "Allocatable:", "Non-terminated Pods:"], &[]),
    ("admin", "describe pvc -n shop", 0, &["Used By:", "StorageClass:"], &[]),
    ("admin", "describe dv -n shop", 0, &["Phase:", "Progress:"], &[]),
    ("admin", "describe ns shop", 0, &["Status:"], &[]),
    ("admin", "label vm web-0 -n shop tier=front", 0, &["labeled"], &[]),
    ("admin", "get vm -n shop -l tier=front -o name", 0, &["virtualmachine.kubevirt.io/web-0"], &["web-1"]),
    ("admin", "annotate vm web-0 -n shop note=seen", 0, &["annotated"], &[]),
    (
        "admin",
        "patch vm web-0 -n shop --type merge -p {\"spec\":{\"runStrategy\":\"Halted\"}}",
        0,
        &["patched"],
        &[],
    ),
    (
        "admin",
        "patch vm web-0 -n shop --type json -p [{\"op\":\"replace\",\"path\":\"/spec/runStrategy\",\"value\":\"Always\"}]",
        0,
        &["patched"],
        &[],
    ),
    (
        "admin",
        "patch vm web-0 -n shop --type json -p [{\"op\":\"test\",\"path\":\"/spec/runStrategy\",\"value\":\"X\"}]",
        1,
        &[],
        &[],
    ),
    ("admin", "auth can-i list vm -A", 0, &["yes"], &[]),
    ("admin", "auth whoami", 0, &["admin", "system:masters"], &[]),
    ("shop", "auth can-i list vm -n shop", 0, &["yes"], &[]),
    ("shop", "auth can-i list vm -n lab", 1, &["no"], &[]),
    ("shop", "auth can-i delete nodes", 1, &["no"], &[]),
    ("shop", "auth can-i --list -n shop", 0, &["kubevirt.io"], &[]),
    ("shop", "get vm", 0, &["web-0"], &["win-desk"]),
    (
        "shop",
        "get vm -A",
        1,
        &["Forbidden", "cannot list resource \"virtualmachines\"", "at the cluster scope"],
        &[],
    ),
    ("shop", "delete vm win-desk -n lab", 1, &["Forbidden", "in the namespace \"lab\""], &[]),
    ("admin", "get vm -A --as shop-operator", 1, &["Forbidden", "shop-operator"], &[]),
    ("admin", "delete vm web-2 -n shop --timeout=20s", 0, &["deleted"], &[]),
    ("admin", "get vmi,dv,pvc -n shop", 0, &["web-1"], &["web-2"]),
    ("admin", "apply --server-side -f -", 1, &["embedded server", "real"], &[]),
    (
        "shop",
        "explain vm",
        0,
        &["GROUP:      kubevirt.io", "VERSION:    v1", "A virtual machine of KubeVirt", "spec\t<Object>"],
        &[],
    ),
    (
        "admin",
        "explain vm.spec.template.spec.domain",
        0,
        &["FIELD: domain <Object>", "The virtual hardware.", "cpu\t<Object>", "devices\t<Object>"],
        &[],
    ),
    ("admin", "explain dv.spec.source.http.url", 0, &["FIELD: url <string>", "address of the image"], &[]),
    (
        "admin",
        "explain pvc.spec --recursive",
        0,
        &[
            "accessModes\t<[]string>",
            "resources\t<VolumeResourceRequirements>",
            "requests\t<map[string]Quantity>",
        ],
        &[],
    ),
    (
        "admin",
        "explain pod.spec.containers.env",
        0,
        &["FIELD: env <[]EnvVar>", "name\t<string> -required-"],
        &[],
    ),
    (
        "admin",
        "explain workloads.spec.vm.bootDisk",
        0,
        &["GROUP:      v9s.dev", "FIELD: bootDisk <Object>"],
        &[],
    ),
    ("admin", "explain virtualmachines.virt.virtink.smartx.com.spec.instance", 0, &["kernel\t<Object>"], &[]),
    ("admin", "explain vm.spec.nothing", 1, &["field \"nothing\" does not exist"], &[]),
    ("admin", "create ns zoo", 0, &["namespace/zoo created"], &[]),
    ("admin", "create configmap words -n zoo --from-literal=a=b", 0, &["configmap/words created"], &[]),
    ("admin", "create secret generic keys -n zoo --from-literal=a=b", 0, &["secret/keys created"], &[]),
    ("admin", "get secret keys -n zoo -o jsonpath={.data.a}:{.type}", 0, &["Yg==:Opaque"], &[]),
    ("admin", "create sa robot -n zoo", 0, &["serviceaccount/robot created"], &[]),
    ("admin", "create role reader -n zoo --verb=get,list --resource=pods", 0, &["reader created"], &[]),
    (
        "admin",
        "create rolebinding robots -n zoo --role=reader --serviceaccount=zoo:robot",
        0,
        &["robots created"],
        &[],
    ),
    ("admin", "auth can-i list pods -n zoo --as system:serviceaccount:zoo:robot", 0, &["yes"], &[]),
    ("admin", "create quota small -n zoo --hard=pods=3", 0, &["resourcequota/small created"], &[]),
    ("admin", "create deployment front -n zoo --image=a --replicas=2 --port=80", 0, &["front created"], &[]),
    ("admin", "expose deployment front -n zoo --port=80", 0, &["service/front exposed"], &[]),
    ("admin", "scale deployment front -n zoo --replicas=3", 0, &["scaled"], &[]),
    ("admin", "set image deployment/front -n zoo a=b", 0, &["image updated"], &[]),
    ("admin", "set env deployment/front -n zoo A=1", 0, &["env updated"], &[]),
    (
        "admin",
        "get deployment front -n zoo -o jsonpath={.spec.replicas}/{.spec.template.spec.containers}",
        0,
        &[
            "3/[{\"env\":[{\"name\":\"A\",\"value\":\"1\"}],\"image\":\"b\",\"name\":\"a\"",
            "\"containerPort\":80",
        ],
        &[],
    ),
    ("admin", "patch cm words -n zoo -p {\"data\":{\"a\":null,\"c\":\"d\"}}", 0, &["patched"], &[]),
    ("admin", "get cm words -n zoo -o jsonpath={.data}", 0, &["{\"c\":\"d\"}"], &[]),
    (
        "admin",
        "patch cm words -n zoo -p {\"dat\":{}}",
        0,
        &["Warning: unknown field \"dat\"", "patched (no change)"],
        &[],
    ),
    (
        "admin",
        "patch vm web-0 -n shop -p {\"spec\":{\"runStrategy\":\"Always\"}}",
        1,
        &["application/strategic-merge-patch+json is not supported by kubevirt.io/v1"],
        &[],
    ),
    ("admin", "taint nodes -l kubernetes.io/os=linux play=yes:NoSchedule", 0, &["tainted"], &[]),
    ("admin", "taint nodes -l kubernetes.io/os=linux play-", 0, &["untainted"], &[]),
    ("admin", "delete ns zoo --timeout=20s", 0, &["deleted"], &[]),
];

#[test]
fn kubectl_is_content() {
    let Some(kubectl) = Kubectl::find() else { return };
    let mut failures = Vec::new();
    for (user, words, code, says, not) in RUNS {
        let ran = kubectl.run(user, words);
        let text = format!("{}{}", ran.out, ran.err);
        let missing: Vec<_> = says.iter().filter(|word| !text.contains(**word)).collect();
        let found: Vec<_> = not.iter().filter(|word| text.contains(**word)).collect();
        if ran.code != Some(*code) || !missing.is_empty() || !found.is_empty() {
            failures.push(format!("{user}: {words}\n  missing {missing:?}, unwanted {found:?}\n  {ran:#?}"));
        }
    }
    assert!(failures.is_empty(), "{} of {} failed:\n{}", failures.len(), RUNS.len(), failures.join("\n"));
    report(&format!("kubectl on the embedded server: {} runs", RUNS.len()));
}

#[test]
fn kubectl_tells_what_is_used() {
    let Some(kubectl) = Kubectl::find() else { return };
    let client = kubectl.server.cluster().client();
    serve_metrics_in_place(kubectl.server.server(), move || Some(MetricsApi::new(client.clone())));
    for (user, words, code, says) in [
        ("admin", "top pods -n shop", 0, ["CPU(cores)", "MEMORY(bytes)", "virt-launcher-db-0"]),
        ("admin", "top pods -A --containers", 0, ["NAMESPACE", "compute", "Mi"]),
        ("admin", "top pods -n shop -l kubevirt.io=virt-launcher", 0, ["NAME", "m ", "virt-launcher-web-0"]),
        ("admin", "top nodes", 0, ["CPU(cores)", "node-a", "%"]),
        ("admin", "top pod nobody -n shop", 1, ["NotFound", "podmetrics.metrics.k8s.io", "shop/nobody"]),
        ("shop", "top pods", 0, ["CPU(cores)", "MEMORY(bytes)", "virt-launcher-db-0"]),
        ("shop", "top nodes", 1, ["Forbidden", "nodes", "shop-operator"]),
    ] {
        let ran = kubectl.run(user, words);
        let text = format!("{}{}", ran.out, ran.err);
        assert!(
            ran.code == Some(code) && says.iter().all(|word| text.contains(word)),
            "{user}: {words} {ran:#?}"
        );
    }
}

#[test]
fn kubectl_watches() {
    let Some(kubectl) = Kubectl::find() else { return };
    let mut child = kubectl.command("shop", "get vm -w").stdout(Stdio::piped()).spawn().unwrap();
    let (sender, lines) = channel();
    let out = BufReader::new(child.stdout.take().unwrap());
    std::thread::spawn(move || out.lines().map_while(Result::ok).try_for_each(|line| sender.send(line)));
    let wait = |what: &str| {
        let until = deadline();
        loop {
            let left = until.saturating_duration_since(Instant::now());
            let line = lines.recv_timeout(left).unwrap_or_else(|_| panic!("no line with {what}"));
            if line.contains(what) {
                return;
            }
        }
    };
    wait("web-0");
    let machine = json!({"apiVersion": "kubevirt.io/v1", "kind": "VirtualMachine", "metadata": {"namespace": "shop", "name": "web-0"}});
    kubectl.server.cluster().patch(&machine, json!({"status": {"printableStatus": "Migrating"}}));
    wait("Migrating");
    child.kill().unwrap();
    child.wait().unwrap();
}

#[test]
fn kubectl_reads_logs() {
    let Some(kubectl) = Kubectl::find() else { return };
    let launcher = kubectl.run("admin", "get pods -n shop -o name -l vm.kubevirt.io/name=db-0").out;
    let launcher = launcher.trim().to_owned();
    assert!(launcher.starts_with("pod/virt-launcher-db-0"), "{launcher}");
    let all = kubectl.run("admin", &format!("logs -n shop {launcher} -c guest-console-log"));
    assert!(all.code == Some(0) && all.out.lines().count() > 3, "{all:?}");
    let last = kubectl.run("admin", &format!("logs -n shop {launcher} -c guest-console-log --tail 1"));
    assert_eq!(last.out.lines().last(), all.out.lines().last());
    let timed =
        kubectl.run("admin", &format!("logs -n shop {launcher} -c guest-console-log --tail 1 --timestamps"));
    assert!(timed.out.starts_with("20") && timed.out.trim_end().ends_with(last.out.trim_end()), "{timed:?}");
    let wrong = kubectl.run("admin", &format!("logs -n shop {launcher} -c nobody"));
    assert!(wrong.code == Some(1) && wrong.err.contains("container nobody is not valid"), "{wrong:?}");

    let follow = format!("logs -f -n shop {launcher} -c guest-console-log --tail 1");
    let mut child = kubectl.command("admin", &follow).stdout(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    assert_eq!(lines.next().unwrap().unwrap().trim_end(), last.out.trim_end());
    let pod = launcher.trim_start_matches("pod/");
    kubectl.server.server().append_log("shop", pod, "guest-console-log", "a line that came later");
    assert_eq!(lines.next().unwrap().unwrap(), "a line that came later");
    child.kill().unwrap();
    child.wait().unwrap();
}

#[test]
fn kubectl_creates_and_applies() {
    let Some(kubectl) = Kubectl::find() else { return };
    let map = |value: &str| {
        json!({
            "apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "settings", "namespace": "lab"}, "data": {"key": value},
        })
    };
    let made = kubectl.feed("admin", "create -f -", &map("a"));
    assert!(made.out.contains("configmap/settings created"), "{made:?}");
    let again = kubectl.feed("admin", "create -f -", &map("a"));
    assert!(again.code == Some(1) && again.err.contains("AlreadyExists"), "{again:?}");
    let replaced = kubectl.feed("admin", "replace -f -", &map("b"));
    assert!(replaced.out.contains("replaced"), "{replaced:?}");
    let got = kubectl.run("admin", "get cm settings -n lab -o jsonpath={.data.key}");
    assert_eq!(got.out, "b");
    let gone = kubectl.run("admin", "delete cm settings -n lab");
    assert!(gone.out.contains("deleted"), "{gone:?}");
}

/// A machine, a container in a set of pods, and a map: each is created, applied again, changed, and refused with a field
/// that it cannot have.
#[test]
fn kubectl_applies_what_has_changed() {
    let Some(kubectl) = Kubectl::find() else { return };
    let machine = |memory: &str| {
        json!({
            "apiVersion": "kubevirt.io/v1", "kind": "VirtualMachine", "metadata": {"name": "applied", "namespace": "lab"},
            "spec": {"runStrategy": "Halted", "template": {"spec": {
                "domain": {"memory": {"guest": memory}, "devices": {"disks": [{"name": "root", "disk": {"bus": "virtio"}}]}},
                "volumes": [{"name": "root", "containerDisk": {"image": "a"}}],
            }}},
        })
    };
    let pods = |image: &str| {
        json!({
            "apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "applied", "namespace": "lab"},
            "spec": {"selector": {"matchLabels": {"a": "b"}}, "template": {"metadata": {"labels": {"a": "b"}}, "spec": {
                "containers": [{"name": "a", "image": image, "env": [{"name": "X", "value": image}]}, {"name": "b", "image": "i"}],
            }}},
        })
    };
    let map = |value: &str| {
        json!({
            "apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "applied", "namespace": "lab"}, "data": {"key": value},
        })
    };
    let cases: [(&str, Value, Value, &str, &str); 3] = [
        (
            "virtualmachine.kubevirt.io/applied",
            machine("1Gi"),
            machine("2Gi"),
            "/spec/template/spec/domain",
            "spec.template.spec.domain.tpyo",
        ),
        (
            "deployment.apps/applied",
            pods("1"),
            pods("2"),
            "/spec/template/spec/containers/0",
            "spec.template.spec.containers[0].tpyo",
        ),
        ("configmap/applied", map("1"), map("2"), "", "tpyo"),
    ];
    for (name, first, second, place, path) in cases {
        for (object, said) in
            [(&first, "created"), (&first, "unchanged"), (&second, "configured"), (&second, "unchanged")]
        {
            let ran = kubectl.feed("admin", "apply -f -", object);
            assert!(ran.code == Some(0) && ran.out == format!("{name} {said}\n"), "{name} {said}: {ran:?}");
        }
        let mut wrong = second.clone();
        wrong.pointer_mut(place).unwrap()["tpyo"] = 1.into();
        let unknown = format!("unknown field \"{path}\"");
        for command in ["create -f -", "replace -f -"] {
            let ran = kubectl.feed("admin", command, &wrong);
            assert!(
                ran.code == Some(1) && ran.err.contains(&format!("strict decoding error: {unknown}")),
                "{ran:?}"
            );
        }
        let ran = kubectl.feed("admin", "replace --validate=warn -f -", &wrong);
        assert!(ran.code == Some(0) && ran.err.contains(&format!("Warning: {unknown}")), "{ran:?}");
        let ran = kubectl.feed("admin", "replace --validate=ignore -f -", &wrong);
        assert!(ran.code == Some(0) && ran.err.is_empty(), "{ran:?}");
    }
    let left = "get deployment applied -n lab -o jsonpath={.spec.template.spec.containers[*].image}";
    assert_eq!(kubectl.run("admin", left).out, "2 i");
}

#[test]
fn kubectl_edits() {
    let Some(kubectl) = Kubectl::find() else { return };
    for (what, from, to, said) in [
        ("virtualmachines.kubevirt.io web-1 -n shop", "runStrategy: .*", "runStrategy: Manual", "edited"),
        ("ns lab", "labels:", "labels:\\n    edited: yes-it-is", "edited"),
    ] {
        let mut command = kubectl.command("admin", &format!("edit {what}"));
        command.env("KUBE_EDITOR", format!("sed -i 's/{from}/{to}/'"));
        let ran = ran(command, "");
        assert!(ran.code == Some(0) && ran.out.contains(said), "{what}: {ran:?}");
    }
    let got =
        kubectl.run("admin", "get virtualmachines.kubevirt.io web-1 -n shop -o jsonpath={.spec.runStrategy}");
    assert_eq!(got.out, "Manual");
    assert!(kubectl.run("admin", "get ns -l edited -o name").out.contains("namespace/lab"));
}

#[test]
fn kubectl_shows_what_kubevirt_refuses() {
    let Some(kubectl) = Kubectl::find() else { return };
    let machine = |bus: &str, strategy: &str| {
        json!({
            "apiVersion": "kubevirt.io/v1", "kind": "VirtualMachine", "metadata": {"name": "refused", "namespace": "lab"},
            "spec": {"runStrategy": strategy, "template": {"spec": {
                "domain": {"memory": {"guest": "1Gi"}, "devices": {"disks": [{"name": "root", "disk": {"bus": bus}}]}},
                "volumes": [{"name": "root", "containerDisk": {"image": "quay.io/containerdisks/fedora:41"}}],
            }}},
        })
    };
    // One with a place, and the same before anything is stored.
    let place = "spec.template.spec.domain.devices.disks[0]";
    for words in ["create -f -", "create --dry-run=server -f -"] {
        let refused = kubectl.feed("admin", words, &machine("nvme", "Halted"));
        let wanted = format!(
            "The request is invalid: {place}.disk.bus: {place} is set with an unrecognized bus nvme, must be one of: [virtio \
             scsi sata usb]"
        );
        assert!(refused.code == Some(1) && refused.err.contains(&wanted), "{refused:?}");
    }
    let made = kubectl.feed("admin", "create -f -", &machine("virtio", "Halted"));
    assert!(made.out.contains("virtualmachine.kubevirt.io/refused created"), "{made:?}");
    let replaced = kubectl.feed("admin", "replace -f -", &machine("virtio", "Sometimes"));
    let wanted = "The request is invalid: spec.runStrategy: Invalid RunStrategy (Sometimes)";
    assert!(replaced.err.contains(wanted), "{replaced:?}");
    let move_nothing = json!({
        "apiVersion": "kubevirt.io/v1", "kind": "VirtualMachineInstanceMigration",
        "metadata": {"name": "move", "namespace": "lab"}, "spec": {"vmiName": "gone"},
    });
    let refused = kubectl.feed("admin", "create -f -", &move_nothing);
    let wanted = "admission webhook \"migration-create-validator.kubevirt.io\" denied the request: the VMI \"lab/gone\" does \
                  not exist";
    assert!(refused.err.contains(wanted), "{refused:?}");
    let old = json!({"apiVersion": "kubevirt.io/v1alpha3", "kind": "VirtualMachine", "metadata": {"name": "old", "namespace": "lab"},
        "spec": machine("virtio", "Halted")["spec"]});
    let made = kubectl.feed("admin", "create -f -", &old);
    let wanted = "Warning: kubevirt.io/v1alpha3 is now deprecated and will be removed in a future release.";
    assert!(made.code == Some(0) && made.err.contains(wanted), "{made:?}");
}

impl Kubectl {
    fn find() -> Option<Self> {
        let program = program_of()?;
        let server = Embedded::with_webhooks();
        fixtures::fill(server.server()).unwrap();
        Some(Self { program, server })
    }

    fn command(&self, user: &str, words: &str) -> Command {
        let mut command = self.program.command(self.server.dir(), &self.server.kubeconfig(user));
        command.args(words.split(' '));
        command
    }

    fn run(&self, user: &str, words: &str) -> Ran {
        if words.ends_with("-f -") {
            return self.feed(
                user,
                words,
                &json!({
                    "apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "x", "namespace": "lab"},
                }),
            );
        }
        ran(self.command(user, words), "")
    }

    fn feed(&self, user: &str, words: &str, object: &Value) -> Ran {
        ran(self.command(user, words), &object.to_string())
    }
}

/// Runs it to its end, which must come in time.
fn ran(command: Command, input: &str) -> Ran {
    ran_within(command, input, Duration::ZERO)
}

/// The same, with so much more time.
fn ran_within(mut command: Command, input: &str, more: Duration) -> Ran {
    let mut child =
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("kubectl");
    child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    let read = |mut from: Box<dyn std::io::Read + Send>| {
        std::thread::spawn(move || {
            let mut text = String::new();
            let _ = from.read_to_string(&mut text);
            text
        })
    };
    let (out, err) =
        (read(Box::new(child.stdout.take().unwrap())), read(Box::new(child.stderr.take().unwrap())));
    let until: Instant = deadline() + more;
    let status = poll(until, || child.try_wait().unwrap());
    if status.is_none() {
        let _ = child.kill();
        let _ = child.wait();
    }
    Ran { code: status.and_then(|status| status.code()), out: out.join().unwrap(), err: err.join().unwrap() }
}
