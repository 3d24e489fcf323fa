//! `v9s demo`: the embedded server.

use std::io::Write as _;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::sync::Arc;

use clap::{Args, Subcommand};
use http::Uri;

use super::{Cli, FINE, USAGE, screen};
use crate::cluster::settings::ungated;
use crate::demo::beside;
use crate::demo::guests::Console;
use crate::demo::platform::play::{self, Shows};
use crate::demo::platform::{Pace, check_address};
use crate::demo::server::Fault;
use crate::demo::start::{self, Demo};
use crate::ui::app::Options;
use crate::ui::engine::{self, Source};
use crate::ui::runtime;
use crate::ui::signals::quiet_broken_pipe;

/// Show a cluster that is inside the program
#[derive(Debug, Args)]
#[command(after_help = Fault::HELP)]
pub(super) struct DemoCommand {
    /// View to open: vms, pods, contexts, or any resource of the cluster
    #[arg(short, long, value_name = "VIEW")]
    command: Option<String>,
    #[command(flatten)]
    wishes: Wishes,
    #[command(subcommand)]
    subcommand: Option<Action>,
}

/// What the cluster shall be like.
#[derive(Debug, Args)]
struct Wishes {
    /// Add so many virtual machines with their instances, disks and pods; some of them change every second
    #[arg(long, value_name = "N", global = true, value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    scale: Option<u32>,
    /// Let something go wrong, like 429=2s,verb=list,times=3; may be given several times
    #[arg(long, value_name = "SPEC", global = true)]
    fault: Vec<Fault>,
    /// What chance begins with: the same number gives the same course of events
    #[arg(long, value_name = "N", global = true, default_value_t = 1)]
    seed: u64,
    /// How many times as fast as time things happen
    #[arg(long, value_name = "X", global = true, default_value = "1", value_parser = speed)]
    speed: f64,
    /// Add a machine whose disk does not come to be for this cause, like http-404; may be given several times
    #[arg(long, value_name = "CAUSE", global = true, value_parser = cause)]
    stuck: Vec<String>,
    /// Put a command or a socket behind a machine's serial console; may be given several times
    #[arg(long, value_name = "NS/VM=exec:COMMAND|unix:PATH", global = true)]
    console: Vec<Console>,
}

fn cause(text: &str) -> Result<String, String> {
    let names: Vec<&str> =
        play::CAUSES.iter().filter(|one| one.shows != Shows::Machine).map(|one| one.name).collect();
    if names.contains(&text) {
        return Ok(text.to_owned());
    }
    Err(format!("there is no cause {text:?}; there are {}", names.join(", ")))
}

fn speed(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(speed) if (0.01..=10_000.0).contains(&speed) => Ok(speed),
        _ => Err(format!("{text:?} is not a number from 0.01 to 10000")),
    }
}

impl Wishes {
    fn wishes(&self) -> start::Wishes {
        start::Wishes {
            seed: self.seed,
            speed: self.speed,
            stuck: self.stuck.clone(),
            consoles: self.console.clone(),
        }
    }

    fn demo(&self) -> anyhow::Result<Demo> {
        let demo = Demo::new(self.wishes())?;
        if let Some(count) = self.scale {
            demo.add_machines(count as usize)?;
        }
        for fault in &self.fault {
            demo.server().faults().add(fault);
        }
        Ok(demo)
    }
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Serve that cluster at a port, for other programs
    Serve(Serve),
    /// Play KubeVirt, CDI and the nodes on an API server of this machine that has their definitions
    Platform(Beside),
}

/// Play KubeVirt, CDI and the nodes on an API server of this machine that has their definitions
#[derive(Debug, Args)]
struct Beside {
    /// Put the machines of the demo there, too
    #[arg(long)]
    fleet: bool,
}

/// Serve that cluster at a port, for other programs
#[derive(Debug, Args)]
#[command(after_help = Fault::HELP)]
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
            Some(Action::Serve(serve)) => {
                if let Some(flag) = given.iter().find(|flag| **flag != "--kubeconfig") {
                    eprintln!("v9s: {flag} means nothing to demo serve.");
                    return Ok(USAGE);
                }
                serve.run(&self.wishes)
            }
            Some(Action::Platform(beside)) => beside.run(&self.wishes, cli),
            None if given.contains(&"--kubeconfig") => {
                eprintln!("v9s: --kubeconfig means nothing to demo, which has its own contexts.");
                Ok(USAGE)
            }
            None => self.screen(cli),
        }
    }

    fn screen(&self, cli: &Cli) -> anyhow::Result<u8> {
        let connection = &cli.connection;
        let view = self.command.clone().or_else(|| cli.command.clone());
        // Who comes to look around is shown everything.
        let all_namespaces = connection.context.is_none() && connection.namespace.is_none();
        let options = connection.options(view);
        let options = Options { all_namespaces: all_namespaces || options.all_namespaces, ..options };
        let source = Source::given(self.wishes.demo()?.configuration(), connection.flags());
        screen::open(cli, options, source)
    }
}

impl Serve {
    fn run(&self, wishes: &Wishes) -> anyhow::Result<u8> {
        let address = self.listen.unwrap_or_else(|| (Ipv4Addr::LOCALHOST, 0).into());
        let start = runtime::Start::new()?;
        let demo = wishes.demo()?;
        start.hold(demo.serve(address, self.kubeconfig.as_deref()), |serving| {
            let path = serving.kubeconfig().display();
            eprintln!("v9s: serving at {}, ctrl-c ends it. To use it: kubectl --kubeconfig {path} get vms", serving.address());
            if !serving.address().ip().is_loopback() {
                eprintln!("v9s: anybody who can reach this address and has a token from that file can use the server.");
            }
            let mut out = std::io::stdout();
            Ok(quiet_broken_pipe(writeln!(out, "{path}").and_then(|()| out.flush()))?)
        }, async |serving| {
            drop(serving);
            Ok(())
        })?;
        Ok(FINE)
    }
}

impl Beside {
    fn run(&self, wishes: &Wishes, cli: &Cli) -> anyhow::Result<u8> {
        let nothing = [("--scale", wishes.scale.is_some()), ("--fault", !wishes.fault.is_empty())];
        if let Some((flag, _)) = nothing.iter().find(|(_, given)| *given) {
            eprintln!("v9s: {flag} means nothing to demo platform, which has no API server of its own.");
            return Ok(USAGE);
        }
        let flags = cli.connection.flags();
        let start = runtime::Start::new()?;
        let pace = Pace::Times(wishes.speed);
        let make = async {
            let configuration = engine::configure(Arc::new(flags.clone())).await?;
            let (client, server) = ungated(configuration, flags).await?;
            check_address(&server)?;
            let beside = beside::Beside::start(client, &wishes.wishes(), pace, self.fleet).await?;
            anyhow::Ok((beside, server))
        };
        let tell = |(_, server): &(beside::Beside, Uri)| {
            eprintln!("v9s: playing on {server}, ctrl-c ends it.");
            Ok(())
        };
        start.hold(make, tell, async |(beside, _)| Ok(beside.end().await?))?;
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
