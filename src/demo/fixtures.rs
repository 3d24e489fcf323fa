//! What the embedded cluster holds until something plays it: a small fleet, and one machine for each state in which
//! machines are found, with everything that real controllers would have left behind.
//!
//! | File | Holds |
//! |---|---|
//! | `world` | references, UIDs, times, events: what all others are made with |
//! | `machine`, `spec`, `instance`, `guest` | a machine as one row of a table, and what follows from it |
//! | `volume`, `worker` | a disk, and whatever fills it |
//! | `cluster`, `platform`, `images` | nodes and storage; the controllers; images to start from |
//! | `fleet` | machines that are well |
//! | `troubles`, `stuck` | one machine for each state of its own, and of its disks |
//! | `copies`, `others` | snapshots and a restore; Virtink and Kairos |
//! | `own` | the kinds of v9s |
//! | `logs` | what consoles and importers have said |
//!
//! Nothing plays them: times stand still relative to the start, and a machine that is being deleted stays so. Finalizers
//! are on those only that show what it looks like to wait for one, since nothing would ever remove them.

mod cluster;
mod copies;
mod fleet;
mod guest;
mod images;
mod instance;
mod logs;
mod machine;
mod others;
mod own;
mod platform;
mod spec;
mod stuck;
mod troubles;
mod volume;
mod worker;
mod world;

use jiff::Timestamp;
use serde_json::Value;

use super::server::{BadObject, Server};
pub use logs::Log;
use world::World;

/// Fills a server with the fixtures.
///
/// # Errors
///
/// [`BadObject`], if the server does not know a kind.
pub fn fill(server: &Server) -> Result<(), BadObject> {
    let world = world(server.now());
    world.objects.into_iter().try_for_each(|object| server.put(object))?;
    for log in world.logs {
        let lines: Vec<&str> = log.lines.iter().map(|(_, line)| line.as_str()).collect();
        server.append_log(log.namespace, &log.pod, log.container, &lines.join("\n"));
    }
    Ok(())
}

/// The fixtures as they are at that time, in the order in which they came to be.
pub fn objects(now: Timestamp) -> Vec<Value> {
    world(now).objects
}

/// What their containers have said by then.
pub fn logs(now: Timestamp) -> Vec<Log> {
    world(now).logs
}

fn world(now: Timestamp) -> World {
    let mut world = World::new(now);
    cluster::write(&mut world);
    images::write(&mut world);
    fleet::write(&mut world);
    troubles::write(&mut world);
    stuck::write(&mut world);
    others::write(&mut world);
    own::write(&mut world);
    world
}

#[cfg(test)]
mod tests;
