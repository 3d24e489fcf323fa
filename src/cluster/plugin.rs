//! Runs a credential plugin (the `exec` of a kubeconfig's user) and reads what it says.
//!
//! kube would run it itself, but twice, on the thread that builds the client, and with the plugin's errors on our
//! terminal. Here it runs once, without a terminal: stdin is empty, stdout and stderr are read by us, in a process group
//! of its own, so that neither keys nor ctrl-c reach it. What it prints is secret; of a failure only the exit status
//! and the last line of stderr are told.
//!
//! The protocol is `client.authentication.k8s.io` v1 and v1beta1, as client-go speaks it.

#[cfg(test)]
#[cfg(unix)]
mod tests;

use std::fmt;
use std::io;
use std::path::Path;
use std::pin::pin;
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use jiff::Timestamp;
use kube::config::{ExecAuthCluster, ExecConfig, ExecInteractiveMode};
use secrecy::SecretString;
use serde::Deserialize;
use tokio::io::{AsyncRead, AsyncReadExt as _};
use tokio::process::{Child, Command};
use tokio::time::timeout;

use super::error::{Failure, FailureKind, sentence};
use crate::text::one_line;

/// How long a plugin may take; logging in with a browser takes most of a minute.
pub const LIMIT: Duration = Duration::from_secs(60);

/// How long output is still read after the plugin has ended: a browser that it started may keep the pipe open.
const GRACE: Duration = Duration::from_secs(1);

/// The longest output that is read of a plugin.
const LONGEST_OUTPUT: u64 = 1 << 20;

/// The versions of the protocol that are spoken.
const VERSIONS: [&str; 2] = ["client.authentication.k8s.io/v1", "client.authentication.k8s.io/v1beta1"];

/// What a plugin gave.
#[derive(Clone)]
pub struct Credential {
    /// A bearer token.
    pub token: Option<SecretString>,
    /// A client certificate and its key, both PEM.
    pub certificate: Option<(String, SecretString)>,
    /// When both end, if the plugin says.
    pub expires: Option<Timestamp>,
}

impl fmt::Debug for Credential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Credential")
            .field("token", &self.token.is_some())
            .field("certificate", &self.certificate.is_some())
            .field("expires", &self.expires)
            .finish()
    }
}

/// Runs the plugin and returns its credential.
///
/// `cluster` is passed on if the plugin asks for it (`provideClusterInfo`).
///
/// # Errors
///
/// A [`FailureKind::Plugin`] that names the command: not installed, wants a terminal, failed, took longer than `limit`,
/// or answered something else than a credential; [`FailureKind::Config`] if the kubeconfig's part is incomplete.
pub async fn run(
    exec: &ExecConfig,
    cluster: Option<&ExecAuthCluster>,
    limit: Duration,
) -> Result<Credential, Failure> {
    let program = exec
        .command
        .as_deref()
        .ok_or_else(|| Failure::config("The kubeconfig's credential plugin has no command."))?;
    let name = name(program);
    let version = version(exec, &name)?;
    if exec.interactive_mode == Some(ExecInteractiveMode::Always) {
        return Err(failed(format!(
            "The credential plugin {name} wants to ask questions in a terminal (interactiveMode: Always)."
        ))
        .remedy("Log in outside of v9s first; a kubectl command does it."));
    }
    let info = request(version, cluster.filter(|_| exec.provide_cluster_info))?;
    let child = command(exec, program, &info).spawn().map_err(|why| not_started(exec, &name, &why))?;
    match timeout(limit, finish(child)).await {
        Err(_) => Err(failed(format!(
            "The credential plugin {name} did not end within {} s and was stopped.",
            limit.as_secs()
        ))
        .remedy(LOG_IN)),
        Ok(Err(why)) => {
            Err(failed(format!("The credential plugin {name} failed: {}", sentence(&why.to_string()))))
        }
        Ok(Ok(ended)) if ended.status.success() => parse(&ended.stdout, version, &name),
        Ok(Ok(ended)) => Err(exited(&name, &ended)),
    }
}

const LOG_IN: &str = "Log in outside of v9s first (a kubectl command does it), then try again.";

fn failed(what: String) -> Failure {
    Failure::new(FailureKind::Plugin, what)
}

/// The command as it is shown: without its folder, and never with its arguments, which may hold a secret.
pub(crate) fn name(program: &str) -> String {
    let file = Path::new(program).file_name().and_then(|file| file.to_str());
    one_line(file.unwrap_or(program), 60)
}

fn version<'a>(exec: &'a ExecConfig, name: &str) -> Result<&'a str, Failure> {
    let version = exec.api_version.as_deref().unwrap_or_default();
    if VERSIONS.contains(&version) {
        return Ok(version);
    }
    Err(Failure::config(format!(
        "The kubeconfig asks the credential plugin {name} for the version \"{}\", which does not exist any more.",
        one_line(version, 60)
    ))
    .remedy(format!("Set apiVersion: {} there, or renew the kubeconfig.", VERSIONS[1])))
}

/// The value of `KUBERNETES_EXEC_INFO`.
fn request(version: &str, cluster: Option<&ExecAuthCluster>) -> Result<String, Failure> {
    let mut spec = serde_json::json!({ "interactive": false });
    if let Some(cluster) = cluster {
        spec["cluster"] =
            serde_json::to_value(cluster).map_err(|why| Failure::config(sentence(&why.to_string())))?;
    }
    let request = serde_json::json!({ "apiVersion": version, "kind": "ExecCredential", "spec": spec });
    Ok(request.to_string())
}

fn command(exec: &ExecConfig, program: &str, info: &str) -> Command {
    let mut command = Command::new(program);
    command.args(exec.args.iter().flatten());
    for pair in exec.env.iter().flatten() {
        if let (Some(name), Some(value)) = (pair.get("name"), pair.get("value")) {
            command.env(name, value);
        }
    }
    command
        .env("KUBERNETES_EXEC_INFO", info)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true);
    // A group of its own is not the terminal's foreground group: reading the terminal stops it instead of eating keys.
    #[cfg(unix)]
    command.process_group(0);
    command
}

fn not_started(exec: &ExecConfig, name: &str, why: &io::Error) -> Failure {
    if why.kind() != io::ErrorKind::NotFound {
        return failed(format!("The credential plugin {name} cannot be run: {}", sentence(&why.to_string())));
    }
    let hint = exec.install_hint.as_deref().map(sentence);
    failed(format!("The credential plugin {name} is not installed."))
        .remedy(hint.unwrap_or_else(|| "Install it, or correct PATH.".to_owned()))
}

struct Ended {
    status: ExitStatus,
    stdout: Vec<u8>,
    stderr: Vec<u8>,
}

/// Waits for the plugin's end. Dropping this future stops the plugin and what it started.
async fn finish(mut child: Child) -> io::Result<Ended> {
    let leash = Leash::of(&child);
    let (out, err) = (child.stdout.take(), child.stderr.take());
    let mut stdout = Vec::new();
    let mut stderr = Vec::new();
    let status = {
        let mut reading = pin!(async { tokio::join!(read(out, &mut stdout), read(err, &mut stderr)) });
        tokio::select! {
            biased;
            _ = &mut reading => child.wait().await?,
            status = child.wait() => {
                let status = status?;
                // What came until now counts, whether the pipes are closed or not.
                let _ = timeout(GRACE, reading).await;
                status
            }
        }
    };
    leash.let_go();
    Ok(Ended { status, stdout, stderr })
}

/// Reads at most [`LONGEST_OUTPUT`]; the rest is thrown away, so that the plugin does not block on a full pipe.
async fn read(pipe: Option<impl AsyncRead + Unpin>, into: &mut Vec<u8>) {
    let Some(mut pipe) = pipe else { return };
    // A pipe that breaks has said all it will say.
    let _ = (&mut pipe).take(LONGEST_OUTPUT).read_to_end(into).await;
    let _ = tokio::io::copy(&mut pipe, &mut tokio::io::sink()).await;
}

/// Stops the plugin's process group when dropped. `kill_on_drop` alone would stop a shell and leave what it runs.
struct Leash {
    #[cfg(unix)]
    group: Option<rustix::process::Pid>,
}

impl Leash {
    #[cfg(unix)]
    fn of(child: &Child) -> Self {
        let id = child.id().and_then(|id| i32::try_from(id).ok());
        Self { group: id.and_then(rustix::process::Pid::from_raw) }
    }

    #[cfg(not(unix))]
    fn of(_: &Child) -> Self {
        Self {}
    }

    /// The plugin ended by itself; a browser that it opened may live on.
    fn let_go(self) {
        std::mem::forget(self);
    }
}

#[cfg(unix)]
impl Drop for Leash {
    fn drop(&mut self) {
        if let Some(group) = self.group {
            // It may have ended in this moment.
            let _ = rustix::process::kill_process_group(group, rustix::process::Signal::KILL);
        }
    }
}

fn exited(name: &str, ended: &Ended) -> Failure {
    const SHOWN: usize = 200;
    let text = String::from_utf8_lossy(&ended.stderr);
    let last = text.lines().rev().map(|line| one_line(line, SHOWN)).find(|line| !line.is_empty());
    let status = match ended.status.code() {
        Some(code) => format!("exit status {code}"),
        None => "a signal".to_owned(),
    };
    let what = match last {
        Some(line) => format!("The credential plugin {name} ended with {status}: {}", sentence(&line)),
        None => format!("The credential plugin {name} ended with {status} and said nothing."),
    };
    failed(what).remedy(LOG_IN)
}

#[derive(Deserialize)]
struct Answer {
    kind: Option<String>,
    #[serde(rename = "apiVersion")]
    api_version: Option<String>,
    status: Option<AnswerStatus>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct AnswerStatus {
    expiration_timestamp: Option<Timestamp>,
    token: Option<String>,
    client_certificate_data: Option<String>,
    client_key_data: Option<String>,
}

/// Reads the plugin's answer. Messages name what is missing, never what is there.
fn parse(stdout: &[u8], version: &str, name: &str) -> Result<Credential, Failure> {
    let garbage = |why: &str| {
        failed(format!("The credential plugin {name} gave no usable answer: {why}."))
            .remedy("Run it in a terminal to see what it prints.")
    };
    let answer: Answer =
        serde_json::from_slice(stdout).map_err(|_| garbage("it is not an ExecCredential in JSON"))?;
    if answer.kind.as_deref() != Some("ExecCredential") {
        return Err(garbage("its kind is not ExecCredential"));
    }
    if answer.api_version.as_deref() != Some(version) {
        return Err(garbage("its apiVersion is not the one that the kubeconfig asks for"));
    }
    let status = answer.status.ok_or_else(|| garbage("it has no status"))?;
    let filled = |value: Option<String>| value.filter(|text| !text.trim().is_empty());
    let token = filled(status.token);
    let certificate = match (filled(status.client_certificate_data), filled(status.client_key_data)) {
        (Some(certificate), Some(key)) => Some((certificate, key.into())),
        (None, None) => None,
        _ => {
            return Err(garbage("it has a client certificate without a key, or a key without a certificate"));
        }
    };
    if token.is_none() && certificate.is_none() {
        return Err(garbage("it has neither a token nor a client certificate"));
    }
    Ok(Credential {
        token: token.map(|token| token.trim().to_owned().into()),
        certificate,
        expires: status.expiration_timestamp,
    })
}
