//! Views: what a list shows, as data. One file per view, one line in [`VIEWS`]. No terminal here: the screen and
//! `v9s get` draw from the same values.

mod claims;
mod column;
mod contexts;
mod datasources;
mod datavolumes;
pub mod detail;
mod events;
mod filter;
mod guests;
mod images;
mod importcrons;
mod instancetypes;
mod list;
pub mod machine;
mod made_of;
mod migrations;
mod namespaces;
mod nodes;
mod osartifacts;
mod places;
mod pods;
mod pools;
mod preferences;
pub mod print;
mod secrets;
mod snapshots;
mod storageclasses;
mod table;
mod versions;
mod view;
mod vmis;
mod vmrestores;
mod vms;
mod volumecommands;
mod volumesets;
mod vtvms;
mod within;
mod workloads;

use crate::records::Kind;
use crate::store::{Id, Store};

pub use column::{Column, Heading, Holds, Layout, Sets, Shown, StatePart};
pub use filter::{Completion, Filter, FilterError, Saved, column_of, complete};
pub use list::{Counts, List, Motion};
pub use table::table_view;
pub use view::{AnyView, Belongs, NoRows, Open, Related, RelatedHeading, Road, Sort, View, ViewRef};
pub use within::within;

/// Every view, in the order in which they are offered; the program begins with the first one.
pub static VIEWS: &[&dyn AnyView] = &[
    &workloads::VIEW,
    &vms::VIEW,
    &vmis::VIEW,
    &pools::VIEW,
    &migrations::VIEW,
    &vtvms::VIEW,
    &volumesets::VIEW,
    &volumecommands::VIEW,
    &datavolumes::VIEW,
    &claims::VIEW,
    &snapshots::VIEW,
    &vmrestores::VIEW,
    &datasources::VIEW,
    &importcrons::VIEW,
    &images::VIEW,
    &versions::VIEW,
    &instancetypes::VIEW,
    &preferences::VIEW,
    &storageclasses::VIEW,
    &pods::VIEW,
    &events::VIEW,
    &nodes::VIEW,
    &namespaces::VIEW,
    &contexts::VIEW,
    &secrets::VIEW,
    &osartifacts::VIEW,
];

/// Views without a command, which open from rows of others.
static OPENED: &[&dyn AnyView] = &[&guests::VIEW];

/// The view that rows of others open under this name.
pub fn opened(name: &str) -> Option<&'static dyn AnyView> {
    find(name).or_else(|| OPENED.iter().copied().find(|view| view.name() == name))
}

/// The view with this name or alias.
pub fn find(word: &str) -> Option<&'static dyn AnyView> {
    VIEWS.iter().copied().find(|view| view.name() == word || view.aliases().contains(&word))
}

/// The view of this kind of object: the one with the fewest other kinds.
pub fn of_kind(kind: Kind) -> Option<&'static dyn AnyView> {
    let with_it = VIEWS.iter().copied().filter(|view| view.rows().contains(&kind));
    with_it.min_by_key(|view| view.rows().len())
}

/// Whether the row is a part of the object from which its view was opened.
fn belongs_directly(store: &Store, origin: Id, row: Id) -> bool {
    store.wholes(row).any(|whole| whole == origin)
}
