//! What a user notices of copies, on a server with a platform.

mod migration;
mod pool;
mod snapshot;
