//! The guests behind the streams of a played KubeVirt: a small system on each serial console, or a program or a machine that
//! somebody puts there.
//!
//! | File | Holds |
//! |---|---|
//! | `guest` | a guest: bytes and time in, bytes out; nothing there waits or talks to anybody |
//! | `shell`, `program` | what its user can do |
//! | `outside` | programs in a pseudo-terminal and sockets in a guest's place |
//! | `home` | the objects that say whether a guest may work |
//! | `exec` | commands in containers, by which Virtink's guests are reached |
//! | `driver` | lines to a guest, one at a time; its pauses, moves and its end |

mod driver;
mod exec;
mod guest;
mod home;
mod outside;
mod program;
mod shell;

pub use driver::Played;
pub use exec::{Body, Containers};
pub use guest::{End, Guest, Identity};
pub use outside::{BadConsole, Console};
