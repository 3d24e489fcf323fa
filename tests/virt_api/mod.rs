//! KubeVirt's aggregated API, played, behind both API servers: behind the embedded one in this process, behind a real one
//! with TLS, certificates and an APIService. Machines are put into their states by hand; nobody plays the controllers.

mod actors;
mod ask;
mod behind_real;
pub mod rows;
mod states;
mod streams;
mod wire;
mod writes;

use jiff::Timestamp;
use kube::Client;
use v9s::demo::aggregate::serve_in_place;
use v9s::demo::virt_api::{Aggregated, FrontProxy, Registration, VirtApi, register};

use actors::Actors;

use crate::support::apiserver::ApiServer;
use crate::support::cluster::runtime;
use crate::support::embedded::Embedded;
use crate::support::suite::{self, Case};

/// The service, with guests that do what a case needs.
fn api(client: Client) -> VirtApi {
    VirtApi::with(client.clone(), Actors::new(client), Box::new(Timestamp::now))
}

/// All cases; none needs more than the addresses and the users of a server.
fn cases() -> Vec<Case> {
    [states::CASES, writes::CASES, streams::CASES, wire::CASES].concat()
}

#[test]
fn behind_the_embedded_server() {
    let server = Embedded::new();
    let cluster = server.cluster();
    let client = cluster.client();
    serve_in_place(server.server(), move || Some(api(client.clone())));
    suite::run("the embedded server", cluster, Some(&server.kubeconfig("admin")), &cases());
}

#[test]
fn behind_the_real_server() {
    let Some(real) = Real::new() else { return };
    let kubeconfig = real.server.kubeconfig("admin");
    suite::run(&real.server.title(), real.server.cluster(), Some(&kubeconfig), &cases());
    behind_real::nobody_forges_who_asks(&real);
    behind_real::what_is_used_is_told(&real);
    behind_real::what_was_registered_goes_away(real);
}

/// A real API server of its own, with the service behind it: a group more would be seen by the tests that share one.
struct Real {
    // In the order in which they are to end.
    registration: Registration,
    listening: Aggregated,
    server: ApiServer,
}

impl Real {
    fn new() -> Option<Self> {
        let server = ApiServer::own()?;
        super::cluster::define(server.cluster());
        let client = server.cluster().client();
        let (registration, listening) = runtime().block_on(async {
            let proxy = FrontProxy::of(&client).await.expect("the proxy's authority");
            let listening = api(client.clone()).listen(proxy).await.expect("a port");
            let registered = register(client, listening.address.port(), &listening.authority).await;
            let registration = registered.expect("a registration");
            let wait = tokio::time::timeout(
                crate::support::stretched(std::time::Duration::from_secs(60)),
                registration.available(),
            );
            wait.await.expect("the group in time").expect("the group");
            (registration, listening)
        });
        Some(Self { registration, listening, server })
    }
}
