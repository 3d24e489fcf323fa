//! The played KubeVirt's API behind the embedded server, in one process. The two know nothing of each other; this puts
//! them together.

use futures::FutureExt as _;

use super::server::{Backend, Server};
use super::virt_api::{self, VirtApi};

/// Lets the service answer for its group, in place of a port and certificates.
pub fn serve_in_place(server: &Server, api: VirtApi) {
    server.aggregate(Backend {
        group: virt_api::GROUP,
        versions: virt_api::VERSIONS,
        resources: virt_api::VERSIONS.iter().map(|_| virt_api::resources()).collect(),
        ask: Box::new(move |request| {
            let api = api.clone();
            async move { api.answer(request).await }.boxed()
        }),
    });
}
