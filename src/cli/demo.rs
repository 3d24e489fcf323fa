//! `v9s demo`: the embedded server.

use std::io::Write as _;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::{Cli, FINE, USAGE};
use crate::demo::start::Demo;
use crate::ui::runtime;
use crate::ui::signals::quiet_broken_pipe;

/// Show a cluster that is inside the program
#[derive(Debug, Args)]
pub(super) struct DemoCommand {
    #[command(subcommand)]
    subcommand: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Serve that cluster at a port, for other programs
    Serve(Serve),
}

/// Serve that cluster at a port, for other programs
#[derive(Debug, Args)]
struct Serve {
    /// Address, or address and port
    #[arg(long, value_name = "ADDR", value_parser = address)]
    listen: Option<SocketAddr>,
    /// Kubeconfig file to write and, at the end, to remove; one among the temporary files without it
    #[arg(long, value_name = "FILE")]
    kubeconfig: Option<PathBuf>,
}

fn address(text: &str) -> Result<SocketAddr, String> {
    let ip = |text: &str| match text {
        "localhost" => Ok(Ipv4Addr::LOCALHOST.into()),
        _ => text.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>(),
    };
    if let Ok(address) = text.parse() {
        return Ok(address);
    }
    if let Ok(ip) = ip(text) {
        return Ok(SocketAddr::new(ip, 0));
    }
    let parts = text.rsplit_once(':').and_then(|(host, port)| Some((ip(host).ok()?, port.parse().ok()?)));
    parts
        .map(SocketAddr::from)
        .ok_or_else(|| format!("{text:?} is not an address like 127.0.0.1 or [::1]:6443"))
}

impl DemoCommand {
    pub(super) fn run(&self, cli: &Cli) -> anyhow::Result<u8> {
        let given = cli.connection.given();
        match &self.subcommand {
            Action::Serve(serve) => {
                if let Some(flag) = given.iter().find(|flag| **flag != "--kubeconfig") {
                    eprintln!("v9s: {flag} means nothing to demo serve.");
                    return Ok(USAGE);
                }
                serve.run()
            }
        }
    }
}

impl Serve {
    fn run(&self) -> anyhow::Result<u8> {
        let address = self.listen.unwrap_or_else(|| (Ipv4Addr::LOCALHOST, 0).into());
        let start = runtime::Start::new()?;
        let demo = Demo::new()?;
        start.hold(demo.serve(address, self.kubeconfig.as_deref()), |serving| {
            let path = serving.kubeconfig().display();
            eprintln!("v9s: serving at {}, ctrl-c ends it. To use it: kubectl --kubeconfig {path} get vms", serving.address());
            if !serving.address().ip().is_loopback() {
                eprintln!("v9s: anybody who can reach this address and has a token from that file can use the server.");
            }
            let mut out = std::io::stdout();
            Ok(quiet_broken_pipe(writeln!(out, "{path}").and_then(|()| out.flush()))?)
        })?;
        Ok(FINE)
    }
}

#[cfg(test)]
mod tests {
    use super::address;

    #[test]
    fn addresses_have_a_port_or_none() {
        let is = |text: &str, wanted: &str| assert_eq!(address(text), Ok(wanted.parse().unwrap()), "{text}");
        is("127.0.0.1", "127.0.0.1:0");
        is("127.0.0.1:6443", "127.0.0.1:6443");
        is("localhost", "127.0.0.1:0");
        is("localhost:6443", "127.0.0.1:6443");
        is("::1", "[::1]:0");
        is("[::1]", "[::1]:0");
        is("[::1]:6443", "[::1]:6443");
        for text in ["", ":6443", "6443", "example.org", "127.0.0.1:x", "127.0.0.1:70000"] {
            assert!(address(text).is_err(), "{text}");
        }
    }
}
