//! What KubeVirt's virt-api answers, by request and state of the machine, asked of it behind a real kube-apiserver; and
//! the objects of these states. Used by the tests of the decisions and by those of the whole, on both API servers.

#![allow(unreachable_pub)]

use serde_json::{Value, json};

/// A state of a machine and its VMI.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// Run strategy Halted, no VMI.
    Halted,
    /// Run strategy Manual, no VMI.
    ManualOff,
    /// Run strategy Always, VMI Running, agent connected.
    Running,
    /// Run strategy Always, VMI Scheduling.
    Scheduling,
    /// Run strategy Always, VMI Running and Paused.
    Paused,
    /// Run strategy Always, VMI Running, no agent.
    NoAgent,
    /// VMI Running, serial console and graphics switched off.
    NoSerial,
    /// Run strategy Always, its DataVolume does not exist.
    NoClass,
    /// Run strategy Once, VMI Succeeded.
    OnceDone,
    /// No such machine.
    Missing,
}

use State::{Halted, ManualOff, Missing, NoAgent, NoClass, NoSerial, OnceDone, Paused, Running, Scheduling};

/// What is told. `NAME` stands for the machine, `…` for how conflicts begin.
#[derive(Clone, Copy, Debug)]
pub enum Told {
    /// A Status with this reason and message.
    Status(&'static str, &'static str),
    /// Plain text.
    Text(&'static str),
    Nothing,
    /// The machine.
    Machine,
    /// There was no virt-handler where this was asked: the request goes on to the guest. Ours is played, so it succeeds.
    Guest,
}

/// A request and its answers.
#[derive(Clone, Copy, Debug)]
pub struct Row {
    /// Method and path, with `NAME` for the machine.
    pub request: &'static str,
    pub body: &'static str,
    /// Code, what is told, and in which states.
    pub answers: &'static [(u16, Told, &'static [State])],
}

/// The volume that two of the machines had when its removal was asked for: its addition had been asked for before, and
/// only the machines that were off had it by then.
pub fn has_volume(row: &Row, state: State) -> bool {
    row.request.ends_with("/removevolume") && matches!(state, Halted | ManualOff)
}

/// The removal met a controller that wrote at the same time. KubeVirt hands on what the API server says then.
pub fn was_raced(row: &Row, state: State) -> bool {
    row.request.ends_with("/removevolume") && state == ManualOff
}

/// How a conflict is told in full.
pub fn conflicts(text: &str, name: &str) -> [String; 2] {
    ["virtualmachine", "virtualmachineinstance"].map(|about| {
        let whole = format!("Operation cannot be fulfilled on {about}.kubevirt.io {name:?}:");
        text.replace('…', &whole).replace("NAME", name)
    })
}

/// The machine and its VMI in a state, as far as they are there.
pub fn objects(state: State, namespace: &str, name: &str, node: &str) -> [Option<Value>; 2] {
    if state == Missing {
        return [None, None];
    }
    let strategy = match state {
        Halted => "Halted",
        ManualOff => "Manual",
        OnceDone => "Once",
        _ => "Always",
    };
    let phase = match state {
        Halted | ManualOff | Missing => None,
        Scheduling => Some("Scheduling"),
        NoClass => Some("Pending"),
        OnceDone => Some("Succeeded"),
        Running | Paused | NoAgent | NoSerial => Some("Running"),
    };
    let mut devices = json!({"disks": [{"name": "root", "disk": {"bus": "virtio"}}], "interfaces": [{"name": "default", "masquerade": {}}]});
    if state == NoSerial {
        devices["autoattachSerialConsole"] = false.into();
        devices["autoattachGraphicsDevice"] = false.into();
    }
    let spec = json!({
        "domain": {"devices": devices, "memory": {"guest": "1Gi"}},
        "networks": [{"name": "default", "pod": {}}],
        "volumes": [{"name": "root", "containerDisk": {"image": "quay.io/containerdisks/fedora:41"}}],
    });
    let printable = match state {
        Scheduling => "Starting",
        NoClass => "Provisioning",
        Paused => "Paused",
        Running | NoAgent | NoSerial => "Running",
        _ => "Stopped",
    };
    let machine = json!({
        "apiVersion": "kubevirt.io/v1", "kind": "VirtualMachine",
        "metadata": {"namespace": namespace, "name": name},
        "spec": {"runStrategy": strategy, "template": {"metadata": {}, "spec": spec}},
        "status": {"created": phase.is_some(), "printableStatus": printable, "runStrategy": strategy},
    });
    let instance = phase.map(|phase| {
        let mut conditions = vec![json!({"type": "Ready", "status": if phase == "Running" { "True" } else { "False" }})];
        let mut status = json!({"phase": phase});
        if matches!(phase, "Running" | "Succeeded") {
            status["nodeName"] = node.into();
            status["interfaces"] = json!([{"name": "default", "ipAddress": "10.244.1.7", "ipAddresses": ["10.244.1.7"]}]);
            status["guestOSInfo"] = json!({"id": "fedora", "name": "Fedora Linux", "prettyName": "Fedora Linux 41"});
            if state != NoAgent {
                conditions.push(json!({"type": "AgentConnected", "status": "True"}));
            }
        }
        if state == Paused {
            conditions.push(json!({
                "type": "Paused", "status": "True", "reason": "PausedByUser", "message": "VMI was paused by user",
            }));
        }
        status["conditions"] = conditions.into();
        json!({
            "apiVersion": "kubevirt.io/v1", "kind": "VirtualMachineInstance",
            "metadata": {"namespace": namespace, "name": name}, "spec": spec, "status": status,
        })
    });
    [Some(machine), instance]
}

/// Gives a machine the volume `x`, as one that was plugged in.
pub fn plug(machine: &mut Value) {
    let spec = &mut machine["spec"]["template"]["spec"];
    let volume = json!({"name": "x", "persistentVolumeClaim": {"claimName": "gone", "hotpluggable": true}});
    let disk = json!({"name": "x", "disk": {"bus": "scsi"}});
    spec["volumes"].as_array_mut().expect("volumes").push(volume);
    spec["domain"]["devices"]["disks"].as_array_mut().expect("disks").push(disk);
}

#[rustfmt::skip]
pub const ROWS: &[Row] = &[
    Row {
        request: "GET virtualmachineinstances/NAME/console",
        body: r#""#,
        answers: &[
            (404, Told::Status("NotFound", "virtualmachineinstance.kubevirt.io \"NAME\" not found"), &[Halted, ManualOff, Missing]),
            (400, Told::Guest, &[Running, Paused, NoAgent]),
            (400, Told::Status("BadRequest", "VMI is not running"), &[Scheduling, NoClass, OnceDone]),
            (400, Told::Status("BadRequest", "No serial consoles are present."), &[NoSerial]),
        ],
    },
    Row {
        request: "GET virtualmachineinstances/NAME/vnc",
        body: r#""#,
        answers: &[
            (404, Told::Status("NotFound", "virtualmachineinstance.kubevirt.io \"NAME\" not found"), &[Halted, ManualOff, Missing]),
            (400, Told::Guest, &[Running, Paused, NoAgent]),
            (400, Told::Status("BadRequest", "VMI is not running"), &[Scheduling, NoClass, OnceDone]),
            (400, Told::Status("BadRequest", "No graphics devices are present."), &[NoSerial]),
        ],
    },
    Row {
        request: "GET virtualmachineinstances/NAME/portforward/22",
        body: r#""#,
        answers: &[
            (404, Told::Status("NotFound", "virtualmachineinstance.kubevirt.io \"NAME\" not found"), &[Halted, ManualOff, Missing]),
            (400, Told::Status("BadRequest", "websocket: the client is not using the websocket protocol: 'upgrade' token not found in 'Connection' header"), &[Running, NoAgent, NoSerial, OnceDone]),
            (400, Told::Status("BadRequest", "no network interfaces are present"), &[Scheduling, NoClass]),
            (409, Told::Status("Conflict", "… VMI is paused"), &[Paused]),
        ],
    },
    Row {
        request: "GET virtualmachineinstances/NAME/guestosinfo",
        body: r#""#,
        answers: &[
            (500, Told::Text("virtualmachineinstance.kubevirt.io \"NAME\" not found"), &[Halted, ManualOff, Missing]),
            (500, Told::Guest, &[Running, Paused, NoSerial]),
            (500, Told::Text("… VMI is not running"), &[Scheduling, NoClass, OnceDone]),
            (500, Told::Text("… VMI does not have guest agent connected"), &[NoAgent]),
        ],
    },
    Row {
        request: "GET virtualmachineinstances/NAME/userlist",
        body: r#""#,
        answers: &[
            (500, Told::Text("virtualmachineinstance.kubevirt.io \"NAME\" not found"), &[Halted, ManualOff, Missing]),
            (500, Told::Guest, &[Running, Paused, NoSerial]),
            (500, Told::Text("… VMI is not running"), &[Scheduling, NoClass, OnceDone]),
            (500, Told::Text("… VMI does not have guest agent connected"), &[NoAgent]),
        ],
    },
    Row {
        request: "GET virtualmachineinstances/NAME/filesystemlist",
        body: r#""#,
        answers: &[
            (500, Told::Text("virtualmachineinstance.kubevirt.io \"NAME\" not found"), &[Halted, ManualOff, Missing]),
            (500, Told::Guest, &[Running, Paused, NoSerial]),
            (500, Told::Text("… VMI is not running"), &[Scheduling, NoClass, OnceDone]),
            (500, Told::Text("… VMI does not have guest agent connected"), &[NoAgent]),
        ],
    },
    Row {
        request: "PUT virtualmachineinstances/NAME/unpause",
        body: r#"{}"#,
        answers: &[
            (404, Told::Status("NotFound", "virtualmachineinstance.kubevirt.io \"NAME\" not found"), &[Halted, ManualOff, Missing]),
            (409, Told::Status("Conflict", "… VMI is not paused"), &[Running, NoAgent, NoSerial]),
            (409, Told::Status("Conflict", "… VMI is not running"), &[Scheduling, NoClass, OnceDone]),
            (400, Told::Guest, &[Paused]),
        ],
    },
    Row {
        request: "PUT virtualmachineinstances/NAME/pause",
        body: r#"{}"#,
        answers: &[
            (404, Told::Status("NotFound", "virtualmachineinstance.kubevirt.io \"NAME\" not found"), &[Halted, ManualOff, Missing]),
            (400, Told::Guest, &[Running, NoAgent, NoSerial]),
            (409, Told::Status("Conflict", "… VM is not running"), &[Scheduling, NoClass, OnceDone]),
            (409, Told::Status("Conflict", "… VMI is already paused"), &[Paused]),
        ],
    },
    Row {
        request: "PUT virtualmachineinstances/NAME/freeze",
        body: r#"{}"#,
        answers: &[
            (404, Told::Status("NotFound", "virtualmachineinstance.kubevirt.io \"NAME\" not found"), &[Halted, ManualOff, Missing]),
            (400, Told::Guest, &[Running, Paused, NoAgent, NoSerial]),
            (409, Told::Status("Conflict", "… VM is not running"), &[Scheduling, NoClass, OnceDone]),
        ],
    },
    Row {
        request: "PUT virtualmachineinstances/NAME/softreboot",
        body: r#""#,
        answers: &[
            (404, Told::Status("NotFound", "virtualmachineinstance.kubevirt.io \"NAME\" not found"), &[Halted, ManualOff, Missing]),
            (400, Told::Guest, &[Running, NoAgent, NoSerial]),
            (409, Told::Status("Conflict", "… VM is not running"), &[Scheduling, NoClass, OnceDone]),
            (409, Told::Status("Conflict", "… VMI is paused"), &[Paused]),
        ],
    },
    Row {
        request: "PUT virtualmachineinstances/NAME/reset",
        body: r#""#,
        answers: &[
            (404, Told::Status("NotFound", "virtualmachineinstance.kubevirt.io \"NAME\" not found"), &[Halted, ManualOff, Missing]),
            (400, Told::Guest, &[Running, Paused, NoAgent, NoSerial]),
            (400, Told::Status("BadRequest", "Failed to reset non-running VMI with phase Scheduling: Unable to connect to VirtualMachineInstance because phase is Scheduling instead of Running or Scheduled"), &[Scheduling]),
            (400, Told::Status("BadRequest", "Failed to reset non-running VMI with phase Pending: Unable to connect to VirtualMachineInstance because phase is Pending instead of Running or Scheduled"), &[NoClass]),
            (400, Told::Status("BadRequest", "Failed to reset non-running VMI with phase Succeeded: Unable to connect to VirtualMachineInstance because phase is Succeeded instead of Running or Scheduled"), &[OnceDone]),
        ],
    },
    Row {
        request: "GET virtualmachines/NAME/expand-spec",
        body: r#""#,
        answers: &[
            (200, Told::Machine, &[Halted, ManualOff, Running, Scheduling, Paused, NoAgent, NoSerial, NoClass, OnceDone]),
            (404, Told::Status("NotFound", "virtualmachine.kubevirt.io \"NAME\" not found"), &[Missing]),
        ],
    },
    Row {
        request: "PUT virtualmachines/NAME/addvolume",
        body: r#"{"name":"x","disk":{"disk":{"bus":"scsi"}},"volumeSource":{"persistentVolumeClaim":{"claimName":"gone"}}}"#,
        answers: &[
            (202, Told::Nothing, &[Halted, ManualOff, Running, Scheduling, Paused, NoAgent, NoSerial, NoClass, OnceDone]),
            (404, Told::Status("NotFound", "virtualmachine.kubevirt.io \"NAME\" not found"), &[Missing]),
        ],
    },
    Row {
        request: "PUT virtualmachines/NAME/removevolume",
        body: r#"{"name":"x"}"#,
        answers: &[
            (202, Told::Nothing, &[Halted]),
            (422, Told::Status("Invalid", "the server rejected our request due to an error in our request"), &[ManualOff]),
            (409, Told::Status("Conflict", "… Unable to remove volume [x] because it does not exist"), &[Running, Scheduling, Paused, NoAgent, NoSerial, NoClass, OnceDone]),
            (404, Told::Status("NotFound", "virtualmachine.kubevirt.io \"NAME\" not found"), &[Missing]),
        ],
    },
    Row {
        request: "PUT virtualmachines/NAME/memorydump",
        body: r#"{"claimName":"gone"}"#,
        answers: &[
            (404, Told::Status("NotFound", "virtualmachineinstance.kubevirt.io \"NAME\" not found"), &[Halted, ManualOff]),
            (404, Told::Status("NotFound", "persistentvolumeclaim.kubevirt.io \"gone\" not found"), &[Running, Paused, NoAgent, NoSerial]),
            (409, Told::Status("Conflict", "… VMI is not running"), &[Scheduling, NoClass, OnceDone]),
            (404, Told::Status("NotFound", "virtualmachine.kubevirt.io \"NAME\" not found"), &[Missing]),
        ],
    },
    Row {
        request: "PUT virtualmachines/NAME/start",
        body: r#"{"dryRun":["All"]}"#,
        answers: &[
            (202, Told::Nothing, &[Halted, ManualOff]),
            (409, Told::Status("Conflict", "… VM is already running"), &[Running, Scheduling, Paused, NoAgent, NoSerial, NoClass]),
            (409, Told::Status("Conflict", "… Once does not support manual start requests"), &[OnceDone]),
            (404, Told::Status("NotFound", "virtualmachine.kubevirt.io \"NAME\" not found"), &[Missing]),
        ],
    },
    Row {
        request: "PUT virtualmachines/NAME/stop",
        body: r#"{"dryRun":["All"]}"#,
        answers: &[
            (409, Told::Status("Conflict", "… VM is not running"), &[Halted, ManualOff]),
            (202, Told::Nothing, &[Running, Scheduling, Paused, NoAgent, NoSerial, NoClass, OnceDone]),
            (404, Told::Status("NotFound", "virtualmachine.kubevirt.io \"NAME\" not found"), &[Missing]),
        ],
    },
    Row {
        request: "PUT virtualmachines/NAME/restart",
        body: r#"{"dryRun":["All"]}"#,
        answers: &[
            (409, Told::Status("Conflict", "… RunStategy Halted does not support manual restart requests"), &[Halted]),
            (409, Told::Status("Conflict", "… VM is not running: Halted"), &[ManualOff]),
            (202, Told::Nothing, &[Running, Scheduling, Paused, NoAgent, NoSerial, NoClass]),
            (409, Told::Status("Conflict", "… RunStategy Once does not support manual restart requests"), &[OnceDone]),
            (404, Told::Status("NotFound", "virtualmachine.kubevirt.io \"NAME\" not found"), &[Missing]),
        ],
    },
    Row {
        request: "PUT virtualmachines/NAME/restart",
        body: r#"{"gracePeriodSeconds":0,"dryRun":["All"]}"#,
        answers: &[
            (409, Told::Status("Conflict", "… RunStategy Halted does not support manual restart requests"), &[Halted]),
            (409, Told::Status("Conflict", "… VM is not running: Halted"), &[ManualOff]),
            (202, Told::Nothing, &[Running, Scheduling, Paused, NoAgent, NoSerial, NoClass]),
            (409, Told::Status("Conflict", "… RunStategy Once does not support manual restart requests"), &[OnceDone]),
            (404, Told::Status("NotFound", "virtualmachine.kubevirt.io \"NAME\" not found"), &[Missing]),
        ],
    },
    Row {
        request: "PUT virtualmachines/NAME/restart",
        body: r#"{"gracePeriodSeconds":5,"dryRun":["All"]}"#,
        answers: &[
            (400, Told::Status("BadRequest", "For force restart, only gracePeriod=0 is supported for now"), &[Halted, ManualOff, Running, Scheduling, Paused, NoAgent, NoSerial, NoClass, OnceDone, Missing]),
        ],
    },
    Row {
        request: "PUT virtualmachines/NAME/stop",
        body: r#"{"gracePeriod":0,"dryRun":["All"]}"#,
        answers: &[
            (409, Told::Status("Conflict", "… VM is not running"), &[Halted, ManualOff]),
            (202, Told::Nothing, &[Running, Scheduling, Paused, NoAgent, NoSerial, NoClass, OnceDone]),
            (404, Told::Status("NotFound", "virtualmachine.kubevirt.io \"NAME\" not found"), &[Missing]),
        ],
    },
    Row {
        request: "PUT virtualmachines/NAME/migrate",
        body: r#"{"dryRun":["All"]}"#,
        answers: &[
            (404, Told::Status("NotFound", "virtualmachineinstance.kubevirt.io \"NAME\" not found"), &[Halted, ManualOff]),
            (202, Told::Nothing, &[Running, Paused, NoAgent, NoSerial]),
            (409, Told::Status("Conflict", "… VM is not running"), &[Scheduling, NoClass, OnceDone]),
            (404, Told::Status("NotFound", "virtualmachine.kubevirt.io \"NAME\" not found"), &[Missing]),
        ],
    },
    Row {
        request: "PUT virtualmachines/NAME/start",
        body: r#"{"paused":true,"dryRun":["All"]}"#,
        answers: &[
            (202, Told::Nothing, &[Halted, ManualOff]),
            (409, Told::Status("Conflict", "… VM is already running"), &[Running, Scheduling, Paused, NoAgent, NoSerial, NoClass]),
            (409, Told::Status("Conflict", "… Once does not support manual start requests"), &[OnceDone]),
            (404, Told::Status("NotFound", "virtualmachine.kubevirt.io \"NAME\" not found"), &[Missing]),
        ],
    },
    Row {
        request: "PUT virtualmachines/NAME/start",
        body: r#"{"bad""#,
        answers: &[
            (400, Told::Status("BadRequest", "Can not unmarshal Request body to struct, error: unexpected EOF"), &[Halted, ManualOff, OnceDone]),
            (409, Told::Status("Conflict", "… VM is already running"), &[Running, Scheduling, Paused, NoAgent, NoSerial, NoClass]),
            (404, Told::Status("NotFound", "virtualmachine.kubevirt.io \"NAME\" not found"), &[Missing]),
        ],
    },
    Row {
        request: "PUT virtualmachines/NAME/evacuate/cancel",
        body: r#"{"dryRun":["All"]}"#,
        answers: &[
            (409, Told::Status("Conflict", "… VMI is not started"), &[Halted, ManualOff]),
            (200, Told::Nothing, &[Running, Paused, NoAgent, NoSerial, OnceDone]),
            (500, Told::Status("InternalError", "Internal error occurred: resource name may not be empty"), &[Scheduling, NoClass]),
            (404, Told::Status("NotFound", "virtualmachine.kubevirt.io \"NAME\" not found"), &[Missing]),
        ],
    },
];
