//! `versions`: the Kubernetes versions that clusters can be made of.

use super::Column;
use super::column::{age, name, reason, since, state, text, word};
use super::view::{Open, Related, Sort, View};
use crate::records::{Kind, SupportedVersion};
use crate::store::SortKey;

pub(super) static VIEW: View<SupportedVersion> = View {
    name: "versions",
    aliases: &["version", "supportedversions", "supportedversion", "sv"],
    rows: &[Kind::SupportedVersion],
    partners: &[],
    shown: |_| true,
    state: |version, now| version.state(now),
    columns: &[
        name(),
        state(),
        reason(),
        Column::<SupportedVersion>::text("VERSION", 12, |version, _| word(version.version)),
        Column::<SupportedVersion>::text("CONTROL PLANE", 40, |version, _| {
            text(&version.record().control_plane)
        }),
        Column::<SupportedVersion>::text("WORKER", 40, |version, _| text(&version.record().worker)),
        Column::<SupportedVersion>::number("CLUSTERS", |version, _| {
            version.clusters.map_or(SortKey::Nothing, |clusters| SortKey::Number(i64::from(clusters)))
        }),
        Column::<SupportedVersion>::text("CNI", 12, |version, _| word(version.cni)).wide(),
        since().wide(),
        age(),
    ],
    sort: Sort::Name,
    open: Open::Detail,
    related: &[Related::below("images", &[Kind::Image]), Related::events()],
};
