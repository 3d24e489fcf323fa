//! Why a console is not open, and what is said of it.

use super::super::error::{Failure, FailureKind};
use super::super::stream::End;
use super::instance::{Instance, Looked};
use super::platform::Platform;

/// Why a console is not open.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Why {
    /// There is no such object.
    NotThere,
    /// It has not come to run yet; its phase.
    Starting(String),
    /// It has ended before; its phase.
    Ended(String),
    /// It has no serial console.
    NoSerial,
    /// The server refused; in its words.
    Refused(Failure),
    /// The guest was powered off, or has ended by itself.
    PoweredOff,
    /// The machine was started anew.
    Rebooted,
    /// The machine is being moved to another node.
    Migrating,
    /// The machine was moved to another node.
    Migrated {
        /// The node before.
        from: String,
        /// The node now.
        to: String,
    },
    /// It was opened, and ended at once.
    NeverConnected,
    /// Nothing about the machine has changed: somebody else has opened its console, or the network between has broken.
    Taken,
    /// The command that reaches it has ended.
    Exited {
        /// Its code, if it had one.
        code: Option<i64>,
        /// What it or the server said last.
        said: String,
    },
    /// Nobody answered any more.
    Silent,
    /// The API server cannot be reached.
    ServerLost(Failure),
    /// The machine cannot be looked at, so it cannot be told.
    Unknown(Failure),
}

impl Why {
    /// What happened to the console of this machine, and what to do, in one or two sentences.
    pub fn sentence(&self, name: &str, platform: Platform) -> String {
        let row = platform.row();
        const ENTER: &str = "enter opens the console again.";
        match self {
            Self::NotThere => format!(
                "{name} does not run: there is no {} of this name. Start the machine if it is stopped; once it runs, enter opens its \
                 console.",
                row.called
            ),
            Self::Starting(phase) => {
                let phase = if phase.is_empty() { "no phase yet" } else { phase };
                format!("{name} does not run yet ({phase}). Its console opens by itself as soon as it does.")
            }
            Self::Ended(phase) => format!("{name} has ended ({phase}). Start the machine, then press enter."),
            Self::NoSerial => format!(
                "{name} has no serial console: its spec says autoattachSerialConsole: false. Take that out of the template and \
                 restart the machine."
            ),
            Self::Refused(failure) => refusal(failure, row.right),
            Self::PoweredOff => {
                format!(
                    "{name} was powered off. If it starts within five minutes its console opens by itself, later on enter."
                )
            }
            Self::Rebooted => format!("{name} was started anew."),
            Self::Migrating => {
                format!("{name} is being moved to another node. Its console follows by itself.")
            }
            Self::Migrated { from, to } => format!("{name} has moved from {from} to {to}."),
            Self::NeverConnected => format!(
                "The console of {name} opened and ended at once: its node does not reach the guest's serial port. {ENTER}"
            ),
            Self::Taken => {
                let [before, after] = row.cut;
                format!("{before}{name}{after}")
            }
            Self::Exited { code, said } => {
                let known =
                    row.codes.iter().find(|(known, _)| Some(*known) == *code).map(|(_, words)| *words);
                let why = match (known, code) {
                    (Some(words), _) => format!(": {words}"),
                    (None, _) if !said.is_empty() => format!(": {said}"),
                    (None, Some(code)) => format!(" with code {code}"),
                    (None, None) => String::new(),
                };
                format!("The command in the pod of {name} that reaches its console has ended{why}. {ENTER}")
            }
            Self::Silent => {
                format!("The connection to the console of {name} was dead: nobody answered any more. {ENTER}")
            }
            Self::ServerLost(failure) => {
                format!("{} The console opens again by itself once the server answers.", failure.what)
            }
            Self::Unknown(failure) => {
                format!("The console of {name} has ended. Why cannot be told: {} {ENTER}", failure.what)
            }
        }
    }

    /// In a word or two, for a title.
    pub fn word(&self, platform: Platform) -> &'static str {
        match self {
            Self::NotThere | Self::Ended(_) => "not running",
            Self::Starting(_) => "starting",
            Self::NoSerial => "no console",
            Self::Refused(failure) if is_right(failure) => "denied",
            Self::Refused(_) => "refused",
            Self::PoweredOff => "powered off",
            Self::Rebooted => "rebooted",
            Self::Migrating => "migrating",
            Self::Migrated { .. } => "migrated",
            Self::NeverConnected => "not connected",
            Self::Taken => platform.row().cut_word,
            Self::Silent => "link dead",
            Self::ServerLost(_) => "link lost",
            Self::Exited { .. } | Self::Unknown(_) => "ended",
        }
    }
}

fn is_right(failure: &Failure) -> bool {
    matches!(failure.kind, FailureKind::Forbidden | FailureKind::Unauthorized)
}

fn refusal(failure: &Failure, right: &str) -> String {
    match &failure.remedy {
        _ if is_right(failure) => format!("{} Ask for {right}.", failure.what),
        None => format!("{} enter tries again.", failure.what),
        Some(_) => failure.to_string(),
    }
}

/// Why a console ended that was open, by what the machine was before and is now. `heard` is whether anything came.
pub fn why(before: Option<&Instance>, end: &End, heard: bool, now: &Looked) -> Why {
    let now = match now {
        Looked::Gone => return Why::PoweredOff,
        Looked::Failed(failure) if failure.is_transient() => return Why::ServerLost(failure.clone()),
        Looked::Failed(failure) => return Why::Unknown(failure.clone()),
        Looked::Here(now) => now,
    };
    match before {
        Some(before) if before.uid != now.uid => Why::Rebooted,
        _ if now.has_ended() || now.ending => Why::PoweredOff,
        _ if !now.runs() => Why::Starting(now.phase.clone()),
        Some(before) if before.node != now.node => {
            Why::Migrated { from: before.node.clone(), to: now.node.clone() }
        }
        _ if now.migrating => Why::Migrating,
        Some(before) if before.pod != now.pod => Why::Rebooted,
        _ if *end == End::Silent => Why::Silent,
        _ => match end {
            End::Exited(code, said) => Why::Exited { code: *code, said: said.clone() },
            _ if !heard => Why::NeverConnected,
            _ => Why::Taken,
        },
    }
}
