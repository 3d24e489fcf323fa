//! Power: when a VM runs, and how many of it there are.

use super::super::fix::Fix;
use super::super::rule::{ERROR, Rule};
use super::super::source::Spot;

const STRATEGIES: &[&str] = &["Always", "RerunOnFailure", "Manual", "Halted"];

/// The number of replicas in every place that has options, the default ones first. A place that says nothing has one.
fn scales<'a>(root: &Spot<'a>) -> impl Iterator<Item = Spot<'a>> {
    let local = root.get("spec.localOptions").items();
    let local = local.map(|options| options.get("autoscaling.minScale")).filter(|scale| !scale.missing());
    std::iter::once(root.get("spec.defaultOptions.autoscaling.minScale")).chain(local)
}

/// How many replicas there are where most of them are.
pub(super) fn most_replicas(root: &Spot<'_>) -> i64 {
    scales(root).map(|scale| scale.int().unwrap_or(1)).max().unwrap_or(1)
}

/// Writes `minScale: 0` into the default options, with the maps around it that are missing.
fn scale_to_zero(root: &Spot<'_>) -> Option<Fix> {
    let options = root.get("spec.defaultOptions");
    let scaling = options.get("autoscaling");
    let scale = scaling.get("minScale");
    let fix = if scale.exists() {
        Fix::set(&scale, "0")
    } else if scaling.exists() {
        Fix::add(&scaling, "minScale", "0")
    } else if options.exists() {
        Fix::add(&options, "autoscaling", "{\"minScale\": 0}")
    } else {
        Fix::add(&root.get("spec"), "defaultOptions", "{\"autoscaling\": {\"minScale\": 0}}")
    };
    fix.map(|fix| fix.labelled("write minScale 0"))
}

/// The rows.
pub(super) const RULES: &[Rule] = &[
    Rule {
        id: "run-strategy",
        path: "spec.vm.runStrategy",
        text: "runStrategy \"{}\" is not one of Always, RerunOnFailure, Manual, Halted",
        check: |c| c.one_of(STRATEGIES),
        bad: &["spec.vm.runStrategy: Never", "spec.vm.runStrategy: always", "spec.vm.runStrategy: Once"],
        good: &["spec.vm.runStrategy: RerunOnFailure", "spec.vm.runStrategy: Manual"],
        ..ERROR
    },
    Rule {
        id: "halted-needs-zero",
        path: "spec.vm.runStrategy",
        text: "runStrategy Halted needs defaultOptions.autoscaling.minScale 0",
        check: |c| {
            if c.text() != Some("Halted") {
                return;
            }
            let root = c.root();
            for (index, scale) in scales(&root).enumerate() {
                // A place without a number has one replica; a word in its place is another mistake.
                if !(scale.missing() || scale.number().is_some() && scale.int() != Some(0)) {
                    continue;
                }
                match index {
                    0 => c.report(&[]).fix(scale_to_zero(&root)),
                    _ => c.report_at(&scale, &[]).fix(Fix::set(&scale, "0")),
                }
            }
        },
        bad: &[
            "spec.vm.runStrategy: Halted",
            "spec.vm.runStrategy: Halted\nspec.defaultOptions: {timeoutSeconds: 5}",
            "spec.vm.runStrategy: Halted\nspec.defaultOptions: {autoscaling: {maxScale: 1}}",
            "spec.vm.runStrategy: Halted\nspec.defaultOptions.autoscaling: {minScale: 1, maxScale: 1}",
            "spec.vm.runStrategy: Halted\nspec.defaultOptions.autoscaling: {minScale: 0, maxScale: 0}\nspec.localOptions: [{location: here, autoscaling: {minScale: 1, maxScale: 1}}]\nat spec.localOptions[0].autoscaling.minScale\nunseen",
        ],
        good: &[
            "spec.vm.runStrategy: Halted\nspec.defaultOptions.autoscaling: {minScale: 0, maxScale: 0}",
            "spec.vm.runStrategy: Always",
        ],
        ..ERROR
    },
    Rule {
        id: "zero-needs-halted",
        text: "a VM cannot scale to zero; use runStrategy Halted or suspend",
        check: |c| {
            let root = c.root();
            let strategy = root.get("spec.vm.runStrategy");
            // Another word may have been meant to be Halted.
            if strategy.text().is_some_and(|word| word == "Halted" || !STRATEGIES.contains(&word)) {
                return;
            }
            for scale in scales(&root).filter(|scale| scale.int() == Some(0)) {
                let fix = if strategy.exists() {
                    Fix::set(&strategy, "Halted")
                } else {
                    Fix::add(&root.get("spec.vm"), "runStrategy", "Halted")
                };
                c.report_at(&scale, &[]).fix(fix);
            }
        },
        bad: &[
            "spec.defaultOptions.autoscaling: {minScale: 0, maxScale: 1}\nat spec.defaultOptions.autoscaling.minScale",
            "spec.defaultOptions.autoscaling: {minScale: 0, maxScale: 0}\nspec.vm.runStrategy: Manual\nat spec.defaultOptions.autoscaling.minScale",
            "spec.localOptions: [{location: here, autoscaling: {minScale: 0, maxScale: 1}}]\nat spec.localOptions[0].autoscaling.minScale\nunseen",
        ],
        good: &[
            "spec.defaultOptions.autoscaling: {minScale: 0, maxScale: 0}\nspec.vm.runStrategy: Halted",
            "spec.defaultOptions.autoscaling: {minScale: 1, maxScale: 1}",
        ],
        ..ERROR
    },
];
