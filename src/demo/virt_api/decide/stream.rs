//! Streams to the guest: which one, and whether there is one.

use serde_json::Value;

use super::{
    Decision, Outcome, RUNNING, Refusal, Target, VMI_NOT_RUNNING, World, condition, instance, instance_of,
    phase,
};
use crate::demo::virt_api::refusal::About;
use crate::demo::virt_api::verbs::Action;

/// A way into a guest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Channel {
    /// The first serial port.
    Console,
    /// The screen, in the RFB protocol.
    Vnc {
        /// Whether who is there already may stay: the client's wish.
        preserve: bool,
    },
    /// A port of the guest's network.
    Port {
        /// Its number.
        port: u16,
        /// Whether it is one of UDP instead of TCP.
        udp: bool,
        /// The guest's first address.
        address: String,
    },
}

impl Channel {
    /// The same, as the query of a request wants it.
    pub(in super::super) fn wanted(self, query: &str) -> Self {
        match self {
            Self::Vnc { .. } => {
                let mut all = form_urlencoded::parse(query.as_bytes());
                Self::Vnc { preserve: all.any(|(name, value)| name == "preserveSession" && value == "true") }
            }
            other => other,
        }
    }
}

pub(super) fn open(target: &Target, world: &World) -> Result<Decision, Refusal> {
    let channel = match target.verb.action {
        Action::PortForward => port(target, world)?,
        Action::Vnc => {
            let found =
                attachable(target, world, "autoattachGraphicsDevice", "No graphics devices are present.")?;
            running(found)?;
            Channel::Vnc { preserve: false }
        }
        _ => {
            let found =
                attachable(target, world, "autoattachSerialConsole", "No serial consoles are present.")?;
            if phase(found) == "Failed" {
                return Err(Refusal::conflict(About::Instance, &target.name, "VMI is in failed status"));
            }
            running(found)?;
            Channel::Console
        }
    };
    Ok(Decision::new(Outcome::Stream(channel)))
}

/// The VMI, unless it was made without the device.
fn attachable<'a>(target: &Target, world: &'a World, device: &str, why: &str) -> Result<&'a Value, Refusal> {
    let found = instance(target, world)?;
    if found["spec"]["domain"]["devices"][device] == false {
        Err(Refusal::bad_request(why))
    } else {
        Ok(found)
    }
}

fn running(instance: &Value) -> Result<(), Refusal> {
    if phase(instance) == RUNNING { Ok(()) } else { Err(Refusal::bad_request(VMI_NOT_RUNNING)) }
}

/// The state is looked at as far as KubeVirt looks: a guest that has ended is not refused.
fn port(target: &Target, world: &World) -> Result<Channel, Refusal> {
    let found = instance_of(target, world)?;
    if condition(found, "Paused").is_some() {
        return Err(Refusal::conflict(About::Instance, &target.name, "VMI is paused"));
    }
    let first = found["status"]["interfaces"].as_array().and_then(|all| all.first());
    let Some(first) = first else { return Err(Refusal::bad_request("no network interfaces are present")) };
    let address = first["ipAddress"].as_str().unwrap_or_default();
    check_port(&target.protocol, &target.port, address).map_err(|why| undialable(&why))
}

/// Names of ports that are known by heart.
const SERVICES: [(&str, u16); 3] = [("ssh", 22), ("http", 80), ("https", 443)];

/// Port and protocol, in the words of Go's `net.Dial` where they are none.
fn check_port(protocol: &str, port: &str, address: &str) -> Result<Channel, String> {
    if !matches!(protocol, "tcp" | "udp") {
        return Err(format!("dial {protocol}: unknown network {protocol}"));
    }
    let named = SERVICES.iter().find(|(name, _)| *name == port).map(|(_, number)| *number);
    let number = match named {
        Some(number) => Some(number),
        None if port.bytes().all(|byte| byte.is_ascii_digit()) => {
            Some(port.parse::<u16>().map_err(|_| format!("dial {protocol}: address {port}: invalid port"))?)
        }
        None => None,
    };
    match number {
        None => Err(format!("dial {protocol}: lookup {protocol}/{port}: unknown port")),
        Some(0) if protocol == "tcp" => Err(format!("dial tcp {address}:0: connect: connection refused")),
        Some(port) => Ok(Channel::Port { port, udp: protocol == "udp", address: address.to_owned() }),
    }
}

/// The guest's port cannot be reached.
pub(in super::super) fn undialable(why: &str) -> Refusal {
    Refusal::internal(format!("dialing VM: {why}"))
}
