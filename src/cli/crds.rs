//! `v9s crds`: the CustomResourceDefinitions of our own kinds.

use std::fmt::Write as _;
use std::io::Write as _;

use anyhow::Context as _;
use clap::{Args, ValueEnum};

use super::FINE;
use crate::model::crd;
use crate::ui::signals::quiet_broken_pipe;

/// Print the CustomResourceDefinitions of v9s.dev
///
/// v9s crds | kubectl apply --server-side -f -
#[derive(Debug, Args)]
pub(super) struct Crds {
    /// How to print them; json: one List
    #[arg(short, long, value_enum, value_name = "FORMAT", default_value = "yaml")]
    output: Output,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Output {
    Yaml,
    Json,
}

impl Crds {
    pub(super) fn run(&self) -> anyhow::Result<u8> {
        let definitions = crd::definitions();
        let mut printed = String::new();
        match self.output {
            Output::Yaml => {
                for definition in &definitions {
                    let yaml = serde_saphyr::to_string(definition).context("the definitions as YAML")?;
                    let _ = write!(printed, "---\n{yaml}");
                }
            }
            Output::Json => {
                let list = serde_json::json!({"apiVersion": "v1", "kind": "List", "items": definitions});
                printed = serde_json::to_string_pretty(&list).context("the definitions as JSON")?;
                printed.push('\n');
            }
        }
        quiet_broken_pipe(std::io::stdout().write_all(printed.as_bytes()))?;
        Ok(FINE)
    }
}
