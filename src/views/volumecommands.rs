//! `volumecommands`: what was asked of volumes, and how far it is.

use super::Column;
use super::column::{age, name, namespace, reason, since, state, text, word};
use super::view::{Open, Related, Road, Sort, View};
use crate::records::{Kind, VolumeCommand};
use crate::store::{Dir, SortKey};

pub(super) static VIEW: View<VolumeCommand> = View {
    name: "volumecommands",
    aliases: &["volumecommand", "vcmd"],
    rows: &[Kind::VolumeCommand],
    partners: &[],
    shown: |_| true,
    state: |command, now| command.state(now),
    columns: &[
        namespace(),
        name(),
        state(),
        reason(),
        Column::<VolumeCommand>::text("COMMAND", 22, |command, _| word(command.what)),
        Column::<VolumeCommand>::text("SET", 40, |command, _| text(&command.record().volume_set)),
        Column::<VolumeCommand>::number("VOLUME", |command, _| SortKey::Number(i64::from(command.index))),
        Column::<VolumeCommand>::text("SNAPSHOT", 40, |command, _| {
            text(command.record().snapshot.as_deref().map_or("", |name| name.as_str()))
        })
        .wide(),
        since(),
        age(),
    ],
    sort: Sort::By("AGE", Dir::Down),
    open: Open::Detail,
    related: &[Related::above(Road::Owner, "volume set", &[Kind::VolumeSet]), Related::events()],
};
