//! The played KubeVirt's API behind the embedded server, in one process. The two know nothing of each other; this puts
//! them together.

use std::sync::OnceLock;

use bytes::Bytes;
use futures::FutureExt as _;
use http::{Response, StatusCode};
use http_body_util::{BodyExt as _, Full};

use super::server::{Backend, BackendBody, Server};
use super::virt_api::{self, VirtApi};

/// Lets a service answer for its group, in place of a port and certificates. It is made with the first request, which comes
/// inside a tokio runtime; the group is there at once. Its client must not hold the server itself, which holds the service:
/// see [`Server::downgrade`]. Without it, requests are answered as where nobody can be reached.
pub fn serve_in_place(server: &Server, make: impl Fn() -> Option<VirtApi> + Send + Sync + 'static) {
    let made: OnceLock<Option<VirtApi>> = OnceLock::new();
    server.aggregate(Backend {
        group: virt_api::GROUP,
        versions: virt_api::VERSIONS,
        resources: virt_api::VERSIONS.iter().map(|_| virt_api::resources()).collect(),
        ask: Box::new(move |request| {
            let api = made.get_or_init(&make).clone();
            async move {
                match api {
                    Some(api) => api.answer(request).await,
                    None => unavailable(),
                }
            }
            .boxed()
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
