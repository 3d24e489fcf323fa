//! Played APIs behind the embedded server, in one process: KubeVirt's, that of metrics, and the containers of pods. They and the server know nothing
//! of each other; this puts them together.

use std::sync::OnceLock;

use bytes::Bytes;
use futures::FutureExt as _;
use futures::future::BoxFuture;
use http::{Request, Response, StatusCode};
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use serde_json::Value;

use super::guests::{Containers, Played};
use super::metrics_api::{self, MetricsApi};
use super::server::{Backend, BackendBody, Server};
use super::virt_api::{self, VirtApi};

/// Lets a service answer for its group, in place of a port and certificates. It is made with the first request, which comes
/// inside a tokio runtime; the group is there at once. Its client must not hold the server itself, which holds the service:
/// see [`Server::downgrade`]. Without it, requests are answered as where nobody can be reached.
pub fn serve_in_place(server: &Server, make: impl Fn() -> Option<VirtApi> + Send + Sync + 'static) {
    serve(server, virt_api::GROUP, virt_api::VERSIONS, virt_api::resources, make, |api, request| {
        async move { api.answer(request).await }.boxed()
    });
}

/// The same for what pods and nodes use.
pub fn serve_metrics_in_place(
    server: &Server,
    make: impl Fn() -> Option<MetricsApi> + Send + Sync + 'static,
) {
    serve(server, metrics_api::GROUP, metrics_api::VERSIONS, metrics_api::resources, make, |api, request| {
        async move { api.answer(request).await }.boxed()
    });
}

/// Lets somebody play the containers that commands are run in. Made as the services above are.
pub fn run_commands_in_place(server: &Server, make: impl Fn() -> Option<Played> + Send + Sync + 'static) {
    server.run_commands(Box::new(move |request, [namespace, pod, container]| match make() {
        Some(played) => {
            async move { Containers::new(played).answer(request, namespace, pod, container).await }.boxed()
        }
        None => async { unavailable() }.boxed(),
    }));
}

fn serve<A: Clone + Send + Sync + 'static>(
    server: &Server,
    group: &'static str,
    versions: &'static [&'static str],
    resources: fn() -> Value,
    make: impl Fn() -> Option<A> + Send + Sync + 'static,
    ask: fn(A, Request<Incoming>) -> BoxFuture<'static, Response<BackendBody>>,
) {
    let made: OnceLock<Option<A>> = OnceLock::new();
    server.aggregate(Backend {
        group,
        versions,
        resources: versions.iter().map(|_| resources()).collect(),
        ask: Box::new(move |request| match made.get_or_init(&make).clone() {
            Some(api) => ask(api, request),
            None => async { unavailable() }.boxed(),
        }),
    });
}

/// What kube-apiserver says when it does not reach an aggregated API.
fn unavailable() -> Response<BackendBody> {
    let text = Full::new(Bytes::from_static(b"service unavailable\n")).map_err(|never| match never {});
    let mut response = Response::new(text.boxed_unsync());
    *response.status_mut() = StatusCode::SERVICE_UNAVAILABLE;
    response
}
