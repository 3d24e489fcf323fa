//! Plain values: time, identity, words, quantities, what a clock elsewhere shows; the kinds of our own. No client, no clock, no file.

mod clock;
pub mod crd;
pub mod dialect;
mod key;
mod quantity;
mod time;
pub mod tree;
mod uid;
mod word;

pub use clock::Clock;
pub use key::Key;
pub use quantity::{format_bytes, parse_amount, parse_bytes, parse_millis, parse_size};
pub use time::{Age, Now, Time, parse_span};
pub use uid::Uid;
pub use word::Word;

/// A name of an object: inline up to 24 bytes, on the heap beyond.
pub type Name = compact_str::CompactString;
