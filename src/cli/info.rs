//! `v9s info`: versions, folders, config files, context, what was found.

use std::env;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::Args;

use super::{ConnectionFlags, FINE, UNREACHABLE};
use crate::config::{Config, Folders};
use crate::model::Now;
use crate::ui::app::{App, Options};
use crate::ui::runtime;
use crate::ui::session::Link;
use crate::ui::signals::quiet_broken_pipe;
use crate::ui::skins;
use crate::ui::theme::Theme;

/// Print versions, folders, config files, and what the context offers
#[derive(Debug, Args)]
pub(super) struct Info {}

const PATIENCE: Duration = Duration::from_secs(60);

impl Info {
    pub(super) fn run(&self, connection: &ConnectionFlags) -> anyhow::Result<u8> {
        let folders = Folders::find();
        let mut out = String::new();
        let mut line = |name: &str, value: &str| _ = writeln!(out, "{name:<14}{value}");
        line("v9s", env!("CARGO_PKG_VERSION"));
        line("System", &format!("{} {}", env::consts::OS, env::consts::ARCH));
        let there = |path: &Path| if path.exists() { "" } else { " (not there)" };
        let file = |path: PathBuf| format!("{}{}", path.display(), there(&path));
        line("Config", &file(folders.config.join("config.yaml")));
        line("State", &folders.state.display().to_string());
        line("Contexts", &file(folders.state.join("contexts")));
        line("Cache", &folders.cache.display().to_string());
        line("Data", &folders.data.display().to_string());
        line(
            "Log",
            &format!(
                "{} (V9S_LOG={})",
                folders.state.join("v9s.log").display(),
                env::var("V9S_LOG").unwrap_or_else(|_| "warn".into())
            ),
        );
        let k9s = Folders::of_k9s();
        for folder in skins::folders(&folders, k9s.as_ref()) {
            line("Skins", &file(folder));
        }
        if let Some(k9s) = &k9s {
            line("k9s", &file(k9s.config.join("config.yaml")));
        }
        for warning in Config::load(&folders, k9s).warnings {
            line("Note", &warning);
        }
        let options = Options { view: Some("contexts".into()), ..connection.options(None) };
        let app = App::new(options, Theme::default(), (80, 24), Now::read());
        let app = runtime::settle_discovered(app, connection.flags(), PATIENCE)?;
        for tried in app.tried() {
            line("Kubeconfig", &tried);
        }
        let mut code = FINE;
        match (&app.session.info, &app.session.link) {
            (Some(info), _) => {
                line("Context", &info.context);
                line("Cluster", &format!("{} ({})", info.cluster, info.server));
                line("User", &info.user);
                line("Namespace", &info.namespace);
            }
            (None, Link::Down(failure)) => {
                line("Connection", &failure.to_string());
                code = UNREACHABLE;
            }
            (None, _) => {}
        }
        match (&app.session.discovery, &app.flash) {
            (Some(found), _) => {
                line("Kubernetes", &found.version.git_version);
                let features = found.features();
                for (name, there) in [
                    ("KubeVirt", features.kubevirt),
                    ("CDI", features.cdi),
                    ("Snapshots", features.snapshots),
                    ("Virtink", features.virtink),
                    ("Kairos", features.kairos),
                    ("Cluster API", features.cluster_api),
                    ("v9s.dev", features.own),
                ] {
                    line(name, if there { "found" } else { "not found" });
                }
            }
            (None, Some(flash)) => {
                line("Server", &flash.text);
                code = UNREACHABLE;
            }
            (None, None) => {}
        }
        quiet_broken_pipe(std::io::Write::write_all(&mut std::io::stdout(), out.as_bytes()))?;
        Ok(code)
    }
}
