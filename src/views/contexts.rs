//! `contexts`: the contexts of the kubeconfig.

use super::Column;
use super::column::{name, word};
use super::view::{Open, Sort, View};
use crate::records::{Context, Kind};
use crate::store::{Health, State};

pub(super) static VIEW: View<Context> = View {
    name: "contexts",
    aliases: &["context", "ctx"],
    rows: &[Kind::Context],
    partners: &[],
    shown: |_| true,
    state: |context, _| {
        let health = if context.current { Health::Busy } else { Health::Well };
        State { health, ..State::default() }
    },
    columns: &[
        name::<Context>().written(|context, _, out| {
            out.push_str(&context.meta.name);
            if context.current {
                out.push_str("(*)");
            }
        }),
        Column::<Context>::text("CLUSTER", 40, |context, _| word(context.cluster)),
        Column::<Context>::text("USER", 40, |context, _| word(context.user)),
        Column::<Context>::text("NAMESPACE", 40, |context, _| word(context.home)),
        Column::<Context>::text("SERVER", 60, |context, _| word(context.server)).wide(),
    ],
    sort: Sort::Name,
    open: Open::Context,
    related: &[],
};
