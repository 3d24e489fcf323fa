//! One list and watch of one kind, scope and selector, decoded straight into records.
//!
//! `machine` decides, `follow` asks, `driver` knows how: it is the only part that touches the network. `page` and `event` turn bytes into
//! records while they arrive.

mod driver;
mod event;
mod follow;
mod machine;
mod page;

pub use driver::{Feed, Sink, Target, Timing, start};
pub use event::{WatchEvent, read_event};
pub(super) use follow::{Closed, Follow, Stop, run};
pub use machine::{Action, Input, Machine};
pub use page::{PageEnd, PageReader};
