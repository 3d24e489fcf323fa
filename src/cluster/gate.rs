//! The gate that every changing request passes, below anything a screen decides.
//!
//! Two rules: a read-only session sends nothing that changes a cluster, and nothing is changed in a context other than
//! the one on screen. A stream into a guest or a pod is asked for with GET but lets the user type into it, so it passes
//! the gate too; a serial console may be listened to in a read-only session. There are three doors and no other: `Connection::send` for reads, `Connection::open` for streams,
//! `Connection::change` for the rest.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use http::Method;

use super::error::{Failure, FailureKind};
use crate::text::one_line;

/// The number of a connected context, given out by whoever keeps the connections. Zero is no context.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ContextId(pub u32);

/// What decides whether a change may be sent. Clones share what is on screen.
#[derive(Clone, Debug)]
pub struct Gate {
    readonly: bool,
    on_screen: Arc<AtomicU32>,
}

impl Gate {
    /// Makes the gate of a session; no context is on screen yet.
    pub fn new(readonly: bool) -> Self {
        Self { readonly, on_screen: Arc::new(AtomicU32::new(0)) }
    }

    /// Says which context is on screen from now on.
    pub fn show(&self, context: ContextId) {
        self.on_screen.store(context.0, Ordering::SeqCst);
    }

    /// Returns the context on screen.
    pub fn on_screen(&self) -> ContextId {
        ContextId(self.on_screen.load(Ordering::SeqCst))
    }

    /// Returns whether the session is read-only.
    pub fn is_readonly(&self) -> bool {
        self.readonly
    }

    /// Returns the same gate, closed to changes if `readonly` or if it was so already.
    #[must_use]
    pub(crate) fn narrowed(&self, readonly: bool) -> Self {
        Self { readonly: self.readonly || readonly, on_screen: Arc::clone(&self.on_screen) }
    }

    /// Takes down what decides at this moment.
    pub(crate) fn state<'a>(&self, here: ContextId, context: &'a str) -> GateState<'a> {
        GateState { readonly: self.readonly, here, on_screen: self.on_screen(), context }
    }
}

/// What [`allow`] decides by.
#[derive(Clone, Copy, Debug)]
pub struct GateState<'a> {
    /// The session is read-only.
    pub readonly: bool,
    /// The context of the connection that is to send.
    pub here: ContextId,
    /// The context on screen.
    pub on_screen: ContextId,
    /// The name of the connection's context, for the message.
    pub context: &'a str,
}

/// What a request does to the cluster, as far as method and path tell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effect {
    /// It only reads: GET, HEAD, and the reviews that ask what this user may do.
    Read,
    /// It opens a byte stream to a port: nothing is typed, what happens is between the user's program and the guest.
    Tunnel,
    /// It opens the serial console of a guest: a read-only session may listen, and what it types is sent nowhere
    /// ([`super::stream::Typing`]).
    Console,
    /// It opens a stream that can be typed or clicked into, and where looking alone may change something: exec, attach, VNC, USB.
    Session,
    /// It changes something, or may.
    Change,
}

/// POSTs that store nothing.
const REVIEWS: [&str; 2] = [
    "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews",
    "/apis/authorization.k8s.io/v1/selfsubjectrulesreviews",
];

/// Returns what a request does. `path` is without the query.
pub fn effect(method: &Method, path: &str) -> Effect {
    if method == Method::POST && REVIEWS.contains(&path) {
        return Effect::Read;
    }
    if method != Method::GET && method != Method::HEAD {
        return Effect::Change;
    }
    match subresource(path) {
        Some("portforward" | "vsock") => Effect::Tunnel,
        Some("console") => Effect::Console,
        Some("exec" | "attach" | "vnc" | "usbredir") => Effect::Session,
        // `proxy` hands the request to a program in a pod, and a GET there can do anything.
        Some("proxy") => Effect::Change,
        // The server decodes what is percent-encoded, so an encoded name could be any of those above.
        Some(encoded) if encoded.contains('%') => Effect::Change,
        _ => Effect::Read,
    }
}

/// The subresource that a path names, if it names one.
fn subresource(path: &str) -> Option<&str> {
    let mut parts = path.split('/').filter(|part| !part.is_empty()).peekable();
    match parts.next()? {
        "api" => parts.next()?,
        "apis" => parts.nth(1)?,
        _ => return None,
    };
    if parts.peek() == Some(&"namespaces") {
        parts.nth(1)?;
    }
    // resource, name, subresource
    parts.nth(2)
}

/// Decides whether a request may be sent.
///
/// Reads are always allowed.
///
/// # Errors
///
/// [`FailureKind::ReadOnly`] for a change or a session when the session is read-only, and
/// [`FailureKind::OtherContext`] for anything but a read when the connection is not the one on screen.
pub fn allow(method: &Method, path: &str, state: GateState<'_>) -> Result<(), Failure> {
    let effect = effect(method, path);
    if effect == Effect::Read {
        return Ok(());
    }
    if state.readonly && !matches!(effect, Effect::Tunnel | Effect::Console) {
        return Err(Failure::new(
            FailureKind::ReadOnly,
            "This session is read-only (--readonly); nothing was sent.",
        ));
    }
    if state.here != state.on_screen || state.here == ContextId::default() {
        return Err(Failure::new(
            FailureKind::OtherContext,
            format!("{} is not the context on screen; nothing was sent.", one_line(state.context, 80)),
        ));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    const VMS: &str = "/apis/kubevirt.io/v1/namespaces/a/virtualmachines";
    const CONSOLE: &str = "/apis/subresources.kubevirt.io/v1/namespaces/a/virtualmachineinstances/x/console";
    const FORWARD: &str =
        "/apis/subresources.kubevirt.io/v1/namespaces/a/virtualmachineinstances/x/portforward/22/tcp";
    const EXEC: &str = "/api/v1/namespaces/a/pods/x/exec";

    #[test]
    fn method_and_path_tell_the_effect() {
        use Effect::{Change, Console, Read, Session, Tunnel};
        let cases = [
            ("GET", VMS, Read),
            ("HEAD", VMS, Read),
            ("GET", "/version", Read),
            ("POST", VMS, Change),
            ("PUT", VMS, Change),
            ("PATCH", VMS, Change),
            ("DELETE", VMS, Change),
            ("OPTIONS", VMS, Change),
            ("BREW", VMS, Change),
            ("GET", CONSOLE, Console),
            ("GET", FORWARD, Tunnel),
            ("GET", EXEC, Session),
            ("GET", "/api/v1/namespaces/a/pods/x/attach", Session),
            ("GET", "/api/v1/namespaces/a/pods/x/%65xec", Change),
            ("GET", "/api/v1/namespaces/a//pods/x/exec", Session),
            ("GET", "/api/v1/namespaces/a/pods/x/log", Read),
            ("GET", "/api/v1/namespaces/a/services/x/proxy/shutdown", Change),
            ("GET", "/api/v1/nodes/x/proxy/run", Change),
            ("GET", "/api/v1/namespaces/a/configmaps/exec", Read),
            ("GET", "/api/v1/namespaces/exec", Read),
            ("POST", REVIEWS[0], Read),
            ("POST", REVIEWS[1], Read),
            ("PUT", REVIEWS[0], Change),
            ("POST", "/apis/authorization.k8s.io/v1/subjectaccessreviews", Change),
            ("POST", "/api/v1/namespaces/a/serviceaccounts/x/token", Change),
        ];
        for (method, path, expected) in cases {
            let method = Method::from_bytes(method.as_bytes()).unwrap();
            assert_eq!(effect(&method, path), expected, "{method} {path}");
        }
    }

    #[test]
    fn the_gate_decides_by_read_only_and_screen() {
        let ok = None;
        let readonly = Some(FailureKind::ReadOnly);
        let other = Some(FailureKind::OtherContext);
        // method, path, then: open gate, read-only, another context on screen, none on screen
        let cases = [
            ("GET", VMS, [ok, ok, ok, ok]),
            ("POST", REVIEWS[0], [ok, ok, ok, ok]),
            ("POST", VMS, [ok, readonly, other, other]),
            ("DELETE", VMS, [ok, readonly, other, other]),
            ("GET", CONSOLE, [ok, ok, other, other]),
            ("GET", EXEC, [ok, readonly, other, other]),
            ("GET", FORWARD, [ok, ok, other, other]),
        ];
        for (method, path, expected) in cases {
            let method = Method::from_bytes(method.as_bytes()).unwrap();
            let states = [(false, 1, 1), (true, 1, 1), (false, 1, 2), (false, 0, 0)];
            for ((readonly, here, on_screen), expected) in states.into_iter().zip(expected) {
                let state = GateState {
                    readonly,
                    here: ContextId(here),
                    on_screen: ContextId(on_screen),
                    context: "prod",
                };
                let kind = allow(&method, path, state).err().map(|failure| failure.kind);
                assert_eq!(kind, expected, "{method} {path} {state:?}");
            }
        }
    }

    #[test]
    fn clones_share_the_screen() {
        let gate = Gate::new(false);
        let other = gate.narrowed(true);
        gate.show(ContextId(7));
        assert_eq!(other.on_screen(), ContextId(7));
        assert!(other.is_readonly() && !gate.is_readonly());
    }
}
