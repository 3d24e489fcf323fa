//! What is particular to the consoles of a platform: one row each, and nothing elsewhere.

use serde_json::Value;

use super::super::error::{Failure, FailureKind};
use super::super::stream::Protocol;
use super::super::watch::{escape, with_query};
use super::instance::{self, Instance};

/// Whose machine it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Platform {
    /// KubeVirt: the serial console is a subresource.
    KubeVirt,
    /// Virtink: the console is a terminal in the machine's pod, which a command there reaches.
    Virtink,
}

/// What a console's stream is.
#[derive(Debug)]
enum Line {
    /// The subresource `console` in this group and version.
    Subresource(&'static str),
    /// A command in a container of the machine's pod.
    Exec { container: &'static str, command: &'static [&'static str] },
}

/// How consoles of a platform are reached, and what is said of them.
#[derive(Debug)]
pub(super) struct Row {
    /// Group and version, and the plural, of what is looked at.
    object: [&'static str; 2],
    /// What may be there without the above: a machine that is off.
    pub(super) machine: Option<[&'static str; 2]>,
    /// Reads it.
    pub(super) read: fn(&Value) -> Instance,
    line: Line,
    /// The container whose log is what the guest wrote before.
    pub(super) backlog: &'static str,
    /// What the object is called.
    pub(super) called: &'static str,
    /// What to ask for where the right is missing.
    pub(super) right: &'static str,
    /// What is said, around the machine's name, where a stream ended and the machine has not changed; and in a word or two.
    pub(super) cut: [&'static str; 2],
    pub(super) cut_word: &'static str,
    /// What codes of the command mean.
    pub(super) codes: &'static [(i64, &'static str)],
    /// What opening it does to others.
    others: &'static str,
    /// What to do with a guest that says nothing.
    quiet: &'static str,
}

static KUBEVIRT: Row = Row {
    object: ["kubevirt.io/v1", "virtualmachineinstances"],
    machine: Some(["kubevirt.io/v1", "virtualmachines"]),
    read: Instance::of,
    line: Line::Subresource("subresources.kubevirt.io/v1"),
    backlog: "guest-console-log",
    called: "VirtualMachineInstance",
    right: "the verb get on virtualmachineinstances/console in the group subresources.kubevirt.io",
    cut: [
        "Another client has opened the console of ",
        ", or the network has broken: the machine itself has not changed, and KubeVirt does not say which. enter opens the console \
         again. That ends the session of somebody else.",
    ],
    cut_word: "taken or cut off",
    codes: &[],
    others: "If somebody else has it open, their session ends; KubeVirt does not tell.",
    quiet: "Press enter for its prompt.",
};

/// Cloud Hypervisor tells which terminal in the pod is the guest's `hvc0`. It is raw already, so none is wanted around the command.
const VIRTINK_COMMAND: &str = r#"p=$(ch-remote --api-socket /var/run/virtink/ch.sock info | sed -n 's/.*"console": *{"file": *"\([^"]*\)".*/\1/p')
[ -c "$p" ] || exit 42
cat "$p" &
trap "kill $!" EXIT
cat >"$p""#;

static VIRTINK: Row = Row {
    object: ["virt.virtink.smartx.com/v1alpha1", "virtualmachines"],
    machine: None,
    read: instance::of_virtink,
    line: Line::Exec { container: "cloud-hypervisor", command: &["sh", "-c", VIRTINK_COMMAND] },
    backlog: "cloud-hypervisor",
    called: "VirtualMachine",
    right: "the verbs get and create on pods/exec",
    cut: [
        "The connection to the console of ",
        " has broken: the machine itself has not changed, and nobody takes a line over there. enter opens the console again.",
    ],
    cut_word: "cut off",
    codes: &[(42, "Cloud Hypervisor names no terminal for the guest's hvc0")],
    others: "If somebody else has it open, each gets a part of what the guest writes; Virtink does not tell.",
    quiet: "Press enter for its prompt; where none comes, the guest runs no login on hvc0.",
};

impl Platform {
    pub(super) fn row(self) -> &'static Row {
        match self {
            Self::KubeVirt => &KUBEVIRT,
            Self::Virtink => &VIRTINK,
        }
    }

    /// What opening a console does to others who have it open.
    pub fn others(self) -> &'static str {
        self.row().others
    }

    /// What to do with a console on which the guest has written nothing.
    pub fn quiet(self) -> &'static str {
        self.row().quiet
    }
}

impl Row {
    /// The path of what is looked at.
    pub(super) fn object(&self, namespace: &str, name: &str) -> String {
        path_of(self.object, namespace, name)
    }

    /// The path of the machine, where that is something else.
    pub(super) fn machine(&self, namespace: &str, name: &str) -> Option<String> {
        self.machine.map(|kind| path_of(kind, namespace, name))
    }

    /// The path of the stream, and how bytes go there.
    ///
    /// # Errors
    ///
    /// It leads through the machine's pod, and which that is cannot be told.
    pub(super) fn line(
        &self,
        namespace: &str,
        name: &str,
        pod: Option<&str>,
    ) -> Result<(String, Protocol), Failure> {
        match self.line {
            Line::Subresource(api) => {
                Ok((format!("{}/console", path_of([api, self.object[1]], namespace, name)), Protocol::Plain))
            }
            Line::Exec { container, command } => {
                let pod = pod.filter(|pod| !pod.is_empty()).ok_or_else(|| {
                    let what = format!(
                        "The console of {namespace}/{name} is reached through its pod, and which that is cannot be read."
                    );
                    Failure::new(FailureKind::Config, what)
                })?;
                let path = format!("/api/v1/namespaces/{}/pods/{}/exec", escape(namespace), escape(pod));
                let fixed =
                    [("container", container), ("stdin", "true"), ("stdout", "true"), ("stderr", "true")];
                let words = command.iter().map(|word| ("command", *word));
                Ok((with_query(&path, fixed.into_iter().chain(words)), Protocol::Channels))
            }
        }
    }
}

fn path_of([api, plural]: [&str; 2], namespace: &str, name: &str) -> String {
    format!("/apis/{api}/namespaces/{}/{plural}/{}", escape(namespace), escape(name))
}
