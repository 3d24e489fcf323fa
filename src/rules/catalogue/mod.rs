//! The catalogue: every rule as one row.
//!
//! A row names its id, the places it looks at, the sentence, and a check that is asked about each place:
//!
//! ```ignore
//! Rule {
//!     id: "volume-bus",
//!     path: "@container.volumes[].bus",
//!     text: "bus \"{}\" is not one of virtio, sata, scsi",
//!     check: |c| c.one_of(&["virtio", "sata", "scsi"]),
//!     bad: &["@container.volumes: [{name: a, uri: 'cpln://volumeset/a', bus: nvme}]\nat @container.volumes[0].bus"],
//!     good: &["@container.volumes: [{name: a, uri: 'cpln://volumeset/a', bus: sata}]"],
//!     ..ERROR
//! },
//! ```
//!
//! - `path` is explained in [`super::paths`], `bad` and `good` in [`super::example`].
//! - `..ERROR` fills in what most rows share: an error in a workload that the API server refuses too (`cel: Cel::Yes`), decided by
//!   the document alone. `..WARNING`, `..VOLUME_SET_ERROR` and `..VOLUME_SET_WARNING` are beside it in `super::rule`. Other
//!   kinds are named: `on: &[Subject::DataVolume]`.
//! - The check's vocabulary is [`super::Check`]: `c.required()`, `c.forbidden()`, `c.one_of(…)`, `c.between(…)`,
//!   `c.text_must(…)`, `c.at_most(…)`, `c.no_text_twice(…)`. Where none fits, it looks around with [`super::Spot`]
//!   (`c.at.get("a.b")`, `.items()`, `.int()`, `c.root()`) and reports with `c.report(&[&value])` or
//!   `c.report_at(&spot, &[…])`; each value fills one `{}`. `.fix(…)` behind a report attaches a [`super::Fix`].
//! - A check says nothing about what another row reports: a value of the wrong type is `wrong-type`'s, a missing parent
//!   is its own row's.
//! - A rule about a change has `needs: Needs::Change` and looks at `c.old`; one about other objects has `needs: Needs::Cluster`
//!   and asks `c.known`, where everything that is not known is `None`.
//! - Two rows may share an id when they are about different kinds and have different sentences.
//!
//! A test walks all rows in both forms: each bad case must have a finding of this rule at the line of the place that was
//! changed (or that `at` names) and of no other rule (or only those of `with`); no good case may have one.

mod boot_disk;
mod cloud_init;
mod commands;
mod container;
mod credentials;
mod env;
mod envelope;
mod firewall;
mod minimal;
mod options;
mod pasted;
mod ports;
mod power;
#[cfg(test)]
pub(super) mod promised;
mod references;
mod topology;
mod user_data;
mod versions;
mod volume_set;
mod volumes;

use super::Rule;

pub(super) use minimal::minimal;
pub(super) use references::volume_sets_of;

/// The tables, in the order of a document.
const SECTIONS: &[&[Rule]] = &[
    envelope::RULES,
    container::RULES,
    ports::RULES,
    volumes::RULES,
    env::RULES,
    references::RULES,
    boot_disk::RULES,
    topology::RULES,
    cloud_init::RULES,
    user_data::RULES,
    credentials::RULES,
    power::RULES,
    options::RULES,
    firewall::RULES,
    volume_set::RULES,
    commands::RULES,
    versions::RULES,
    pasted::common::RULES,
    pasted::kubevirt::machine::RULES,
    pasted::kubevirt::compute::RULES,
    pasted::kubevirt::devices::RULES,
    pasted::kubevirt::network::RULES,
    pasted::kubevirt::volumes::RULES,
    pasted::kubevirt::templates::RULES,
    pasted::kubevirt::changes::RULES,
    pasted::kubevirt::operations::RULES,
    pasted::cdi::RULES,
    pasted::cdi::references::RULES,
    pasted::snapshot::RULES,
    pasted::virtink::RULES,
    pasted::virtink::volumes::RULES,
    pasted::kairos::RULES,
    pasted::secret::RULES,
];

/// All rules.
pub fn rules() -> impl Iterator<Item = &'static Rule> {
    SECTIONS.iter().copied().flatten()
}

/// The rule with this id; the first where several kinds share it.
#[must_use]
pub fn find(id: &str) -> Option<&'static Rule> {
    rules().find(|rule| rule.id == id)
}
