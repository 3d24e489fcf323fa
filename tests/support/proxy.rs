//! A network that breaks: a TCP proxy on the loopback address whose
//! connections can be cut, held and refused. TLS passes through as it is.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::Instant;

use super::{deadline, lock, poll};

/// A proxy to one server. Dropping it cuts all connections.
pub struct Proxy {
    scheme: String,
    shared: Arc<Shared>,
    port: u16,
    acceptor: Option<JoinHandle<()>>,
}

struct Shared {
    state: Mutex<State>,
    changed: Condvar,
    server: SocketAddr,
}

#[derive(Default)]
struct State {
    held: bool,
    refusing: bool,
    /// How many bytes may go to clients before all is cut.
    left: Option<usize>,
    to_clients: u64,
    accepted: usize,
    links: Vec<Link>,
}

/// A connection: both its sockets, and how many of its directions are open.
struct Link {
    number: usize,
    client: TcpStream,
    server: TcpStream,
    open: u8,
}

impl Link {
    fn cut(&self) {
        let _ = self.client.shutdown(Shutdown::Both);
        let _ = self.server.shutdown(Shutdown::Both);
    }
}

impl State {
    fn cut(&mut self) {
        for link in self.links.drain(..) {
            link.cut();
        }
    }

    fn has(&self, number: usize) -> bool {
        self.links.iter().any(|link| link.number == number)
    }
}

impl Proxy {
    /// Starts a proxy to a server, given as `https://127.0.0.1:6443`, or
    /// without scheme.
    ///
    /// # Panics
    ///
    /// When the address is not one of the loopback interface with a port.
    #[must_use]
    pub fn to(server: &str) -> Self {
        let (scheme, address) = match server.split_once("://") {
            Some((scheme, rest)) => (format!("{scheme}://"), rest.trim_end_matches('/')),
            None => (String::new(), server),
        };
        let address = address.replace("localhost", "127.0.0.1");
        let server: SocketAddr = address.parse().expect("an address and a port");
        assert!(server.ip().is_loopback(), "{server} is not on this machine");

        let shared = Arc::new(Shared { state: Mutex::default(), changed: Condvar::new(), server });
        let listener = listener();
        let port = listener.local_addr().expect("an address").port();
        let mut proxy = Self { scheme, shared, port, acceptor: None };
        proxy.accept_from(listener);
        proxy
    }

    /// Returns the port at which the proxy listens on 127.0.0.1.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Returns the address of the proxy, with the scheme of the server.
    #[must_use]
    pub fn url(&self) -> String {
        format!("{}127.0.0.1:{}", self.scheme, self.port)
    }

    /// Closes all connections. New ones are accepted.
    pub fn cut(&self) {
        self.shared.state().cut();
        self.shared.changed.notify_all();
    }

    /// Moves nothing any more, but keeps all connections open and accepts new
    /// ones: the server seems to be there and to say nothing.
    pub fn hold(&self) {
        self.shared.state().held = true;
    }

    /// Moves on after [`Self::hold`]; nothing was lost.
    pub fn release(&self) {
        self.shared.state().held = false;
        self.shared.changed.notify_all();
    }

    /// Refuses new connections. Those that are open stay so.
    ///
    /// # Panics
    ///
    /// When connections are still accepted at the deadline.
    pub fn refuse(&mut self) {
        assert!(self.close(), "Port {} cannot be closed.", self.port);
    }

    fn close(&mut self) -> bool {
        self.shared.state().refusing = true;
        let Some(acceptor) = self.acceptor.take() else {
            return true;
        };
        // The first connection wakes the acceptor. A process that another
        // thread is just starting can hold the socket a moment longer.
        let refused = || {
            let tried = TcpStream::connect((Ipv4Addr::LOCALHOST, self.port));
            tried.is_err().then_some(())
        };
        let closed = poll(deadline(), refused).is_some();
        let _ = acceptor.join();
        closed
    }

    /// Accepts connections after [`Self::refuse`], at the same port.
    pub fn accept_again(&mut self) {
        if self.acceptor.is_none() {
            let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, self.port));
            self.shared.state().refusing = false;
            self.accept_from(listener.expect("the same port again"));
        }
    }

    fn accept_from(&mut self, listener: TcpListener) {
        let shared = Arc::clone(&self.shared);
        self.acceptor = Some(std::thread::spawn(move || shared.accept(&listener)));
    }

    /// Cuts all connections when `bytes` more bytes have gone to clients, once.
    pub fn limit_bytes(&self, bytes: usize) {
        self.shared.state().left = Some(bytes);
    }

    /// Returns how many connections are open.
    #[must_use]
    pub fn connections(&self) -> usize {
        self.shared.state().links.len()
    }

    /// Returns how many connections there have been.
    #[must_use]
    pub fn accepted(&self) -> usize {
        self.shared.state().accepted
    }

    /// Returns how many bytes have gone to clients.
    #[must_use]
    pub fn bytes_to_clients(&self) -> u64 {
        self.shared.state().to_clients
    }

    /// Waits until the proxy is as `wanted`, given the number of connections
    /// that are open and of those that have ever been.
    ///
    /// # Panics
    ///
    /// After the deadline.
    pub fn wait_until(&self, what: &str, wanted: impl Fn(usize, usize) -> bool) {
        let deadline = deadline();
        let mut state = self.shared.state();
        while !wanted(state.links.len(), state.accepted) {
            let left = deadline.saturating_duration_since(Instant::now());
            assert!(
                !left.is_zero(),
                "The proxy waited in vain for {what}: {} of {} connections are open.",
                state.links.len(),
                state.accepted
            );
            state = self.shared.changed.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner).0;
        }
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.close();
        self.release();
        self.cut();
    }
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        lock(&self.state)
    }

    fn accept(self: &Arc<Self>, listener: &TcpListener) {
        for client in listener.incoming() {
            if self.state().refusing {
                return;
            }
            let Ok(client) = client else { continue };
            // Without a server the client is dropped: it sees the end at once.
            let Ok(server) = TcpStream::connect(self.server) else {
                continue;
            };
            let _ = (client.set_nodelay(true), server.set_nodelay(true));
            let copies = [&client, &server, &client, &server].map(TcpStream::try_clone);
            let [Ok(from), Ok(to), Ok(kept_client), Ok(kept_server)] = copies else {
                continue;
            };
            let number = {
                let mut state = self.state();
                state.accepted += 1;
                let number = state.accepted;
                state.links.push(Link { number, client: kept_client, server: kept_server, open: 2 });
                number
            };
            self.changed.notify_all();
            for (from, to, to_client) in [(from, to, false), (server, client, true)] {
                let shared = Arc::clone(self);
                std::thread::spawn(move || shared.pump(number, from, to, to_client));
            }
        }
    }

    /// Moves bytes in one direction of a connection, until its end.
    fn pump(&self, number: usize, mut from: TcpStream, mut to: TcpStream, to_client: bool) {
        let mut buffer = vec![0; 1 << 16];
        loop {
            let read = from.read(&mut buffer).unwrap_or(0);
            let Some((passed, last)) = self.pass(number, read, to_client) else {
                return;
            };
            if read == 0 || to.write_all(&buffer[..passed]).is_err() {
                break;
            }
            if last {
                self.state().cut();
                self.changed.notify_all();
                return;
            }
        }
        // The other direction may go on.
        let _ = to.shutdown(Shutdown::Write);
        let mut state = self.state();
        if let Some(link) = state.links.iter_mut().find(|link| link.number == number) {
            link.open -= 1;
        }
        state.links.retain(|link| {
            if link.open == 0 {
                link.cut();
            }
            link.open > 0
        });
        drop(state);
        self.changed.notify_all();
    }

    /// Waits while connections are held. Returns how many of the bytes may
    /// pass, and whether they are the last; `None` when the connection was cut.
    fn pass(&self, number: usize, bytes: usize, to_client: bool) -> Option<(usize, bool)> {
        let mut state = self.state();
        while state.held && state.has(number) {
            state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        if !state.has(number) {
            return None;
        }
        if !to_client {
            return Some((bytes, false));
        }
        let passed = state.left.map_or(bytes, |left| left.min(bytes));
        state.to_clients += passed as u64;
        state.left = state.left.map(|left| left - passed);
        let last = state.left == Some(0);
        if last {
            state.left = None;
        }
        Some((passed, last))
    }
}

/// Listens on a port below those that systems choose for outgoing connections:
/// nobody gets it by chance while the proxy refuses.
fn listener() -> TcpListener {
    let tries = std::iter::repeat_with(|| fastrand::u16(30_000..32_700));
    tries.take(100).find_map(|port| TcpListener::bind((Ipv4Addr::LOCALHOST, port)).ok()).expect("a free port")
}
