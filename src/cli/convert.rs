//! `v9s convert`: documents in their other form.

use std::fmt::Write as _;
use std::io::{Read as _, Write as _};
use std::path::Path;

use anyhow::Context as _;
use clap::{Args, ValueEnum};

use super::{FINDINGS, FINE};
use crate::model::dialect::{self, Form};
use crate::model::tree::Tree;
use crate::rules::known::{Known, Options};
use crate::rules::{self, Dialect, Document, LONGEST, Source};
use crate::text;
use crate::ui::signals::quiet_broken_pipe;

/// Turn documents into the other form: that of Kubernetes, or that of cpln
///
/// No field is lost: what the other form has no place for is kept in the annotation v9s.dev/document or the tag kubernetes/object,
/// so that the way back restores it. Nothing is printed when a document cannot be converted.
#[derive(Debug, Args)]
pub(super) struct Convert {
    /// Files with YAML or JSON, of several documents too; - reads standard input
    #[arg(required = true, value_name = "FILE")]
    files: Vec<String>,
    /// The form to turn into; without it cpln when all documents are in the form of Kubernetes, else kubernetes
    #[arg(long, value_enum, value_name = "FORM")]
    to: Option<To>,
    /// How to print them; json: one array
    #[arg(short, long, value_enum, value_name = "FORMAT", default_value = "yaml")]
    output: Output,
    /// Keep fields that are not known where they stand, instead of refusing them
    #[arg(long)]
    lenient: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum To {
    Kubernetes,
    Cpln,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Output {
    Yaml,
    Json,
}

impl Convert {
    pub(super) fn run(&self) -> anyhow::Result<u8> {
        let mut sources = Vec::new();
        for file in &self.files {
            sources.push((shown(file), Source::read(&bytes(file)?)));
        }
        let documents = || sources.iter().flat_map(|(_, source)| &source.documents);
        let to = match self.to {
            Some(To::Kubernetes) => Form::Kubernetes,
            Some(To::Cpln) => Form::Cpln,
            None if documents().all(|document| document.dialect() == Dialect::Kubernetes) => Form::Cpln,
            None => Form::Kubernetes,
        };
        let mut trees = Vec::new();
        let mut problems = String::new();
        for (file, source) in &sources {
            converted(file, source, to, self.lenient, &mut trees, &mut problems);
        }
        eprint!("{problems}");
        if !problems.is_empty() {
            return Ok(FINDINGS);
        }
        let printed = print(&trees, self.output)?;
        quiet_broken_pipe(std::io::stdout().write_all(printed.as_bytes()))?;
        Ok(FINE)
    }
}

/// What a file is called in messages.
fn shown(file: &str) -> String {
    if file == "-" { "standard input".to_owned() } else { text::one_line(file, 500) }
}

/// The bytes of a file, one more than is read at most, so that a longer one is noticed.
fn bytes(file: &str) -> anyhow::Result<Vec<u8>> {
    let most = LONGEST as u64 + 1;
    let mut bytes = Vec::new();
    if file == "-" {
        std::io::stdin().lock().take(most).read_to_end(&mut bytes).context("reading standard input")?;
    } else {
        let opened =
            std::fs::File::open(Path::new(file)).with_context(|| format!("reading {}", shown(file)))?;
        opened.take(most).read_to_end(&mut bytes).with_context(|| format!("reading {}", shown(file)))?;
    }
    Ok(bytes)
}

/// Converts what a file holds; what stands in the way goes into `problems`, a line each.
fn converted(
    file: &str,
    source: &Source,
    to: Form,
    lenient: bool,
    trees: &mut Vec<Tree>,
    problems: &mut String,
) {
    let known = Known::default();
    let mut findings: Vec<rules::Finding> = source.problems.clone();
    if !lenient {
        let judged = rules::judge(source, &[], &known, &Options::default());
        findings.extend(judged.into_iter().filter(|finding| finding.rule == "unknown-field"));
    }
    for finding in &findings {
        let (rule, text) = (finding.rule, text::one_line(&finding.text, 500));
        let _ = writeln!(problems, "{file}:{}:{}: error[{rule}]: {text}", finding.line, finding.column);
    }
    for document in &source.documents {
        match dialect::convert(&document.root().tree(), to) {
            Ok(tree) => trees.push(tree),
            Err(why) => {
                let (line, column) = document.text().position(start(document));
                let text = text::one_line(&why.to_string(), 500);
                let _ = writeln!(problems, "{file}:{line}:{column}: error: {text}");
            }
        }
    }
}

fn start(document: &Document) -> usize {
    document.root().get("kind").range().start
}

fn print(trees: &[Tree], output: Output) -> anyhow::Result<String> {
    let mut printed = String::new();
    match output {
        Output::Json => {
            anyhow::ensure!(
                trees.iter().all(Tree::finite),
                "JSON cannot say a number that is infinite or none; print YAML"
            );
            printed = serde_json::to_string_pretty(trees).context("the documents as JSON")?;
            printed.push('\n');
        }
        Output::Yaml => {
            for (at, tree) in trees.iter().enumerate() {
                let yaml = serde_saphyr::to_string(tree).context("the documents as YAML")?;
                let line = if at == 0 { "" } else { "---\n" };
                let _ = write!(printed, "{line}{yaml}");
            }
        }
    }
    Ok(printed)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn turned(text: &str, to: Form, lenient: bool) -> Result<String, String> {
        let source = Source::read(text.as_bytes());
        let (mut trees, mut problems) = (Vec::new(), String::new());
        converted("in", &source, to, lenient, &mut trees, &mut problems);
        if problems.is_empty() { Ok(print(&trees, Output::Yaml).unwrap()) } else { Err(problems) }
    }

    const WORKLOAD: &str = "kind: workload
name: web
gvc: shop
tags:
  team: shop
spec:
  type: vm
  containers:
  - name: vm
    cpu: \"2\"
  vm:
    bootDisk:
      source:
        oci:
          image: quay.io/containerdisks/ubuntu:22.04
      persist:
        volumeSet: cpln://volumeset/web-boot
    cloudInit:
      userData: |
        #cloud-config
        packages: [nginx]
";

    #[test]
    fn several_documents_keep_their_order_and_that_of_their_fields() {
        let two = format!(
            "{WORKLOAD}---\nkind: volumeset\nname: web-boot\ngvc: shop\nspec:\n  initialCapacity: 20\n"
        );
        let there = turned(&two, Form::Kubernetes, false).unwrap();
        assert!(
            there.starts_with("apiVersion: v9s.dev/v1alpha1\nkind: Workload\nmetadata:\n  name: web\n"),
            "{there}"
        );
        assert!(there.contains("\n---\napiVersion: v9s.dev/v1alpha1\nkind: VolumeSet\n"), "{there}");
        let spec = |text: &str| text.split("spec:\n").nth(1).unwrap().split("---").next().unwrap().to_owned();
        assert_eq!(spec(&there).trim_end(), spec(WORKLOAD).trim_end());
        let back = turned(&there, Form::Cpln, false).unwrap();
        assert_eq!(turned(&back, Form::Kubernetes, false).unwrap(), there);
    }

    #[test]
    fn an_unknown_field_is_named_with_its_line_or_kept() {
        let text = WORKLOAD.replace("    cpu:", "    cpus: 4\n    cpu:");
        let said = turned(&text, Form::Kubernetes, false).unwrap_err();
        assert!(said.starts_with("in:10:5: error[unknown-field]: unknown field \"cpus\""), "{said}");
        assert!(turned(&text, Form::Kubernetes, true).unwrap().contains("cpus: 4"));
    }

    #[test]
    fn what_is_no_document_is_named_with_its_line() {
        let cases = [
            ("a: [", "in:1:"),
            ("kind: workload\nname: web\n---\nkind: policy\n", "in:4:7: error: kind \"policy\""),
            ("kind: workload\nkind: gvc\n", "in:2:1: error[yaml-duplicate-key]"),
        ];
        for (text, wanted) in cases {
            let said = turned(text, Form::Kubernetes, false).unwrap_err();
            assert!(said.starts_with(wanted), "{said}");
        }
    }

    proptest! {
        #[test]
        fn no_text_makes_it_panic(text in "\\PC{0,80}", lenient in any::<bool>()) {
            for to in [Form::Cpln, Form::Kubernetes] {
                let _ = turned(&text, to, lenient);
            }
        }

        #[test]
        fn texts_come_back_as_they_were(value in ".{0,60}") {
            let quoted = serde_json::to_string(&value).unwrap();
            let text = format!("kind: workload\nname: web\ndescription: {quoted}\nspec: {{vm: {{hostname: {quoted}}}}}\n");
            let there = turned(&text, Form::Kubernetes, true);
            if let Ok(there) = there {
                let back = turned(&there, Form::Cpln, true).unwrap();
                let source = Source::read(back.as_bytes());
                let root = source.documents[0].root();
                prop_assert_eq!(root.get("description").text(), Some(&*value));
                prop_assert_eq!(root.get("spec.vm.hostname").text(), Some(&*value));
            }
        }
    }
}
