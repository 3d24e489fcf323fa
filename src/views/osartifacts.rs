//! `osartifacts`: images that Kairos builds.

use super::Column;
use super::column::{age, name, namespace, reason, since, state, text};
use super::view::{Open, Related, Sort, View};
use crate::records::{Kind, OsArtifact, OsArtifactDialect};

pub(super) static VIEW: View<OsArtifact> = View {
    name: "osartifacts",
    aliases: &["osartifact", "osa"],
    rows: &[Kind::OsArtifact],
    partners: &[],
    shown: |_| true,
    state: |artifact, now| artifact.state(now),
    columns: &[
        namespace(),
        name(),
        state(),
        reason()
            .written(|artifact, _, out| artifact.message.iter().for_each(|message| out.push_str(message))),
        since().wide(),
        Column::<OsArtifact>::text("WRITTEN FOR", 14, |artifact, _| text(dialect(artifact.dialect))),
        age(),
    ],
    sort: Sort::Name,
    open: Open::Detail,
    related: &[Related::below("pods", &[Kind::Pod]), Related::events()],
};

fn dialect(dialect: OsArtifactDialect) -> &'static str {
    match dialect {
        OsArtifactDialect::Unknown => "",
        OsArtifactDialect::TwoStage => "two stages",
        OsArtifactDialect::Flat => "one stage",
        OsArtifactDialect::Alpha1 => "alpha1",
    }
}
