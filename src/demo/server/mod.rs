//! A Kubernetes API server for a fixed set of kinds, faithful in what kubectl and v9s use of it.
//!
//! | File | Holds |
//! |---|---|
//! | `listen`, `tls`, `http` | connections, requests, answers |
//! | `route`, `selector`, `refusal` | what a request says; what a refusal says |
//! | `kinds` | the table of kinds |
//! | `storage`, `body` | objects, versions, changes |
//! | `read`, `watch`, `table` | looking |
//! | `decode`, `protobuf`, `write`, `patch`, `delete`, `subresource` | changing |
//! | `schema` | which fields objects have, for checks, merges and OpenAPI |
//! | `admission` | what may change or refuse it before it is stored |
//! | `quota` | what a namespace may have |
//! | `rules`, `meta` | what objects have to be like; what the server writes into them |
//! | `managed` | who has set which of their fields |
//! | `synthetic` | objects that are made when somebody looks at them |
//! | `garbage`, `expiry` | changes, and what follows from them; what goes by itself |
//! | `logs` | what containers say |
//! | `access`, `discovery` | rights; what there is |
//! | `behind` | groups that others answer for |
//! | `faults` | what goes wrong on request |

mod access;
mod admission;
mod behind;
mod body;
mod decode;
mod delete;
mod discovery;
mod exec;
mod expiry;
mod faults;
#[cfg(test)]
mod fuzz;
mod garbage;
mod gzip;
mod http;
mod kinds;
mod listen;
mod logs;
mod managed;
mod meta;
mod patch;
mod protobuf;
mod quota;
mod read;
mod refusal;
mod route;
mod rules;
mod schema;
mod selector;
mod storage;
mod subresource;
mod synthetic;
mod table;
#[cfg(test)]
pub(crate) mod testing;
mod tls;
mod watch;
mod write;

use std::fmt;
use std::sync::{Arc, RwLock};

use jiff::Timestamp;

pub use access::{MASTERS, User};
pub use admission::{Admission, Cause, Denial, Kept, Lookup, Review};
pub use behind::{Ask, Backend, BackendBody};
pub use body::{Address, Synthesis};
pub use exec::Exec;
pub use faults::{BadFault, Fault, FaultId, Faults};
pub use listen::{Listening, WeakServer};
pub use meta::BadObject;
pub(crate) use meta::{new_uid, time};
pub use storage::Limits;
pub use tls::{Identity, IdentityError, new_token};

use access::Users;
use logs::Logs;
use storage::Storage;

/// The API server. Clones share everything.
#[derive(Clone)]
pub struct Server {
    inner: Arc<Inner>,
}

struct Inner {
    storage: Storage,
    users: Users,
    faults: Faults,
    logs: Logs,
    backends: RwLock<behind::Backends>,
    executor: exec::Executor,
    next_sweep: expiry::NextSweep,
    clock: Clock,
    admission: Option<Box<dyn Admission>>,
}

/// What time it is.
pub type Clock = Box<dyn Fn() -> Timestamp + Send + Sync>;

/// What a server begins with.
pub struct Options {
    /// Who can log in: tokens and whose they are. An empty token is that of requests without one.
    pub users: Vec<(String, User)>,
    /// How much of the past is kept.
    pub limits: Limits,
    /// What time it is.
    pub clock: Clock,
    /// The admission webhooks that the cluster has.
    pub admission: Option<Box<dyn Admission>>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            users: Vec::new(),
            limits: Limits::default(),
            clock: Box::new(Timestamp::now),
            admission: None,
        }
    }
}

impl fmt::Debug for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Server").finish_non_exhaustive()
    }
}

impl Server {
    /// An empty cluster, but for the namespaces that every cluster has.
    pub fn new(options: Options) -> Self {
        let inner = Inner {
            storage: Storage::new(options.limits),
            users: Users::new(options.users),
            faults: Faults::default(),
            logs: Logs::default(),
            backends: RwLock::default(),
            executor: exec::Executor::default(),
            next_sweep: expiry::NextSweep::default(),
            clock: options.clock,
            admission: options.admission,
        };
        let server = Self { inner: Arc::new(inner) };
        meta::begin(&server);
        server
    }

    /// The faults of this server, to be asked for.
    pub fn faults(&self) -> &Faults {
        &self.inner.faults
    }

    /// Forgets all versions of objects but the present ones: lists and watches from an older one are answered with 410.
    pub fn compact(&self) {
        self.inner.storage.with(storage::State::compact);
    }

    pub(crate) fn storage(&self) -> &Storage {
        &self.inner.storage
    }

    pub(crate) fn next_sweep(&self) -> &expiry::NextSweep {
        &self.inner.next_sweep
    }

    pub(crate) fn logs(&self) -> &Logs {
        &self.inner.logs
    }

    pub(crate) fn users(&self) -> &Users {
        &self.inner.users
    }

    pub(crate) fn admission(&self) -> Option<&dyn Admission> {
        self.inner.admission.as_deref()
    }

    pub(crate) fn now(&self) -> Timestamp {
        (self.inner.clock)()
    }
}
