//! The command line: one file per subcommand, all on the same engine as the screen.

mod completions;
mod console;
mod convert;
mod crds;
mod demo;
mod explain_field;
mod files;
mod fix;
mod frame;
mod get;
mod info;
mod screen;
mod validate;

pub use frame::svg;

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use clap::{Args, Parser, Subcommand};

use crate::cluster::kubeconfig::Flags;
use crate::config::Config;
use crate::ui::app::Options;
use crate::ui::runtime::TooLate;

/// Everything is fine.
pub const FINE: u8 = 0;
/// Something was found, or refused.
pub const FINDINGS: u8 = 1;
/// Wrong use.
pub const USAGE: u8 = 2;
/// The cluster cannot be reached.
pub const UNREACHABLE: u8 = 3;

/// A full-screen terminal program for virtual machines on Kubernetes.
#[derive(Debug, Parser)]
#[command(name = "v9s", version, about, max_term_width = 100)]
#[command(after_help = "Exit codes: 0 fine, 1 findings or refused, 2 wrong use, 3 cluster unreachable.")]
pub struct Cli {
    /// View to open: vms, pods, contexts, or any resource of the cluster
    #[arg(short, long, value_name = "VIEW")]
    command: Option<String>,
    #[command(flatten)]
    look: LookFlags,
    #[command(flatten)]
    connection: ConnectionFlags,
    #[command(subcommand)]
    subcommand: Option<Command>,
}

/// How the screen looks, over what the config says.
#[derive(Clone, Debug, Default, Args)]
#[command(next_help_heading = "Look")]
struct LookFlags {
    /// Colours: dark, light, contrast, the name of a skin of k9s, or its file
    #[arg(long, value_name = "NAME|FILE")]
    skin: Option<String>,
    /// Turn light and dark of the skin round
    #[arg(long)]
    invert: bool,
    /// Begin without the header
    #[arg(long)]
    headless: bool,
    /// Begin without the way back
    #[arg(long)]
    crumbsless: bool,
    /// Show no logo
    #[arg(long)]
    logoless: bool,
}

impl LookFlags {
    /// The config as it is with these flags.
    fn over(&self, mut config: Config) -> Config {
        let ui = &mut config.ui;
        ui.invert |= self.invert;
        ui.header &= !self.headless;
        ui.crumbs &= !self.crumbsless;
        ui.logo &= !self.logoless;
        config
    }
}

/// How to reach the cluster, as kubectl has it.
#[derive(Clone, Debug, Default, Args)]
#[command(next_help_heading = "Connection")]
struct ConnectionFlags {
    /// Kubeconfig file, instead of KUBECONFIG and ~/.kube/config
    #[arg(long, value_name = "FILE", global = true)]
    kubeconfig: Option<PathBuf>,
    /// Context of the kubeconfig
    #[arg(long, value_name = "NAME", global = true)]
    context: Option<String>,
    /// Cluster of the kubeconfig
    #[arg(long, value_name = "NAME", global = true)]
    cluster: Option<String>,
    /// User of the kubeconfig
    #[arg(long, value_name = "NAME", global = true)]
    user: Option<String>,
    /// Namespace to show, instead of the context's
    #[arg(short, long, value_name = "NAME", global = true)]
    namespace: Option<String>,
    /// Show all namespaces
    #[arg(short = 'A', long, global = true, conflicts_with = "namespace")]
    all_namespaces: bool,
    /// Act as this user
    #[arg(long = "as", value_name = "USER", global = true)]
    as_user: Option<String>,
    /// Act as a member of this group; may be given several times
    #[arg(long = "as-group", value_name = "GROUP", global = true)]
    as_group: Vec<String>,
    /// Do not check the server's certificate
    #[arg(long, global = true)]
    insecure_skip_tls_verify: bool,
    /// Limit for each request in seconds; 0 keeps the program's own
    #[arg(long, value_name = "SECONDS", global = true)]
    request_timeout: Option<u64>,
    /// Send nothing that changes the cluster
    #[arg(long, global = true)]
    readonly: bool,
}

impl ConnectionFlags {
    fn flags(&self) -> Flags {
        Flags {
            kubeconfig: self.kubeconfig.clone(),
            context: self.context.clone(),
            cluster: self.cluster.clone(),
            user: self.user.clone(),
            namespace: self.namespace.clone(),
            all_namespaces: self.all_namespaces,
            as_user: self.as_user.clone(),
            as_group: self.as_group.clone(),
            insecure_skip_tls_verify: self.insecure_skip_tls_verify,
            request_timeout: self.request_timeout.map(Duration::from_secs),
            readonly: self.readonly,
            ..Flags::default()
        }
    }

    /// The flags that were given, by their names.
    fn given(&self) -> Vec<&'static str> {
        let Self { kubeconfig, context, cluster, user, namespace, all_namespaces, .. } = self;
        let Self { as_user, as_group, insecure_skip_tls_verify, request_timeout, readonly, .. } = self;
        let flags = [
            ("--kubeconfig", kubeconfig.is_some()),
            ("--context", context.is_some()),
            ("--cluster", cluster.is_some()),
            ("--user", user.is_some()),
            ("--namespace", namespace.is_some()),
            ("--all-namespaces", *all_namespaces),
            ("--as", as_user.is_some()),
            ("--as-group", !as_group.is_empty()),
            ("--insecure-skip-tls-verify", *insecure_skip_tls_verify),
            ("--request-timeout", request_timeout.is_some()),
            ("--readonly", *readonly),
        ];
        flags.into_iter().filter(|(_, given)| *given).map(|(name, _)| name).collect()
    }

    fn options(&self, view: Option<String>) -> Options {
        Options {
            view,
            context: self.context.clone(),
            namespace: self.namespace.clone(),
            all_namespaces: self.all_namespaces,
            ..Options::default()
        }
    }
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Show a cluster that is inside the program
    Demo(demo::DemoCommand),
    /// Print the rows of a view
    Get(get::Get),
    /// Open the serial console of a virtual machine
    Console(console::ConsoleCommand),
    /// Draw one frame of a view and end
    Frame(frame::Frame),
    /// Turn documents into the other form: that of Kubernetes, or that of cpln
    Convert(convert::Convert),
    /// Print the CustomResourceDefinitions of v9s.dev
    Crds(crds::Crds),
    /// Say what a field of our kinds means, what it may hold, and which rules speak of it
    ExplainField(explain_field::ExplainField),
    /// Check documents before they are applied, and point at the line
    Validate(validate::Validate),
    /// Write the fixes of findings into documents
    Fix(fix::Fix),
    /// Print versions, folders, config files, and what the context offers
    Info(info::Info),
    /// Print completions for a shell
    Completions(completions::Completions),
}

/// Where rows come from when they do not come from a cluster.
#[derive(Debug, Args)]
struct Source {
    /// Only rows that pass this filter, as behind / on the screen: words, state:Running, cpu>2, -l app=web, @saved
    #[arg(long, value_name = "EXPR", default_value = "", allow_hyphen_values = true)]
    filter: String,
    /// Show the rows that a recording of watches leads to, without a cluster
    #[arg(long, value_name = "FILE")]
    recording: Option<PathBuf>,
    /// Show the recording as it stood after this many seconds
    #[arg(long, value_name = "SECONDS", requires = "recording")]
    at: Option<f64>,
}

/// Runs what the command line says.
pub fn main() -> ExitCode {
    let cli = Cli::parse();
    let done = match &cli.subcommand {
        None => screen::run(&cli),
        Some(Command::Demo(demo)) => demo.run(&cli),
        Some(Command::Console(console)) => console.run(&cli),
        Some(Command::Get(get)) => get.run(&cli),
        Some(Command::Frame(frame)) => frame.run(&cli),
        Some(Command::Convert(convert)) => convert.run(),
        Some(Command::Crds(crds)) => crds.run(),
        Some(Command::ExplainField(field)) => field.run(),
        Some(Command::Validate(validate)) => validate.run(&cli.connection),
        Some(Command::Fix(fix)) => fix.run(&cli.connection),
        Some(Command::Info(info)) => info.run(&cli.connection),
        Some(Command::Completions(completions)) => completions.run(),
    };
    match done {
        Ok(code) => ExitCode::from(code),
        Err(error) => {
            eprintln!("v9s: {error:#}");
            ExitCode::from(if error.is::<TooLate>() { UNREACHABLE } else { USAGE })
        }
    }
}
