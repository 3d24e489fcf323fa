//! The server as a process of its own: what idle connections cost it.

use std::io::{BufRead as _, BufReader};
use std::net::{SocketAddr, TcpStream};
use std::process::{Child, Command, Stdio};

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use crate::support::cluster::Cluster;
use crate::support::kubeconfig::Kubeconfig;
use crate::support::{deadline, poll};

/// How many connections there are.
const CONNECTIONS: usize = 2_000;

struct Served {
    child: Child,
    kubeconfig: std::path::PathBuf,
    _folder: tempfile::TempDir,
}

impl Served {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let kubeconfig = folder.path().join("kubeconfig");
        let mut child = Command::new(env!("CARGO_BIN_EXE_v9s"))
            .args(["demo", "serve", "--kubeconfig"])
            .arg(&kubeconfig)
            .env("HOME", folder.path())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        assert_eq!(line.trim(), kubeconfig.to_str().unwrap());
        Self { child, kubeconfig, _folder: folder }
    }

    fn address(&self) -> SocketAddr {
        Kubeconfig::read(&self.kubeconfig).url().trim_start_matches("https://").parse().unwrap()
    }

    /// A number of kilobytes out of the process's status.
    fn kilobytes(&self, name: &str) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap();
        let line = status.lines().find(|line| line.starts_with(name)).unwrap();
        line.split_whitespace().nth(1).unwrap().parse().unwrap()
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn idle_connections_are_few_bytes_and_let_others_in() {
    let limit = getrlimit(Resource::Nofile);
    let _ = setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, maximum: limit.maximum });
    let served = Served::new();
    let cluster = Cluster::from_kubeconfig(&served.kubeconfig);
    cluster.request(http::Method::GET, "/version", None).unwrap();
    let before = served.kilobytes("VmRSS:");
    let idle: Vec<TcpStream> = (0..CONNECTIONS)
        .map(|n| TcpStream::connect(served.address()).unwrap_or_else(|why| panic!("connection {n}: {why}")))
        .collect();
    // Somebody else comes later, and has to be heard all the same.
    let other = Cluster::from_kubeconfig(&served.kubeconfig);
    let answered = poll(deadline(), || other.request(http::Method::GET, "/version", None).ok());
    assert!(answered.is_some(), "nobody else is heard");
    let more = served.kilobytes("VmHWM:").saturating_sub(before);
    assert!(more < 100 << 10, "{more} KiB for {CONNECTIONS} connections");
    drop(idle);
}
