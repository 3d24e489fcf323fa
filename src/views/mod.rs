//! Views: what a list shows, as data. One file per view, one line in [`VIEWS`]. No terminal here: the screen and
//! `v9s get` draw from the same values.

mod column;
mod contexts;
pub mod detail;
mod filter;
mod list;
mod namespaces;
mod pods;
pub mod print;
mod table;
mod view;
mod vms;
mod within;

use crate::records::Kind;

pub use column::{
    Column, Heading, Holds, Layout, Sets, Shown, address, age, count, name, namespace, time, word,
};
pub use filter::{Completion, Filter, FilterError, Saved, complete};
pub use list::{Counts, List, Motion};
pub use table::table_view;
pub use view::{AnyView, Belongs, Open, Related, RelatedHeading, Road, Sort, View, ViewRef};
pub use within::within;

/// Every view, in the order in which they are offered.
pub static VIEWS: &[&dyn AnyView] = &[&vms::VIEW, &pods::VIEW, &namespaces::VIEW, &contexts::VIEW];

/// The view with this name or alias.
pub fn find(word: &str) -> Option<&'static dyn AnyView> {
    VIEWS.iter().copied().find(|view| view.name() == word || view.aliases().contains(&word))
}

/// The view of this kind of object: the one with the fewest other kinds.
pub fn of_kind(kind: Kind) -> Option<&'static dyn AnyView> {
    let with_it = VIEWS.iter().copied().filter(|view| view.rows().contains(&kind));
    with_it.min_by_key(|view| view.rows().len())
}
