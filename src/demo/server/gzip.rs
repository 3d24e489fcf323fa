//! Packed answers, for clients that ask for them.

use std::io::Write as _;

use flate2::Compression;
use flate2::write::GzEncoder;
use http::{HeaderValue, Response, header};
use http_body_util::{BodyExt as _, Full};

use super::http::AnswerBody;

/// From how many bytes on kube-apiserver packs an answer.
const SMALLEST: u64 = 128 << 10;

/// Packs a long answer that is there as a whole, as kube-apiserver does; lists in pieces and watches go as they are.
pub(crate) async fn maybe(mut response: Response<AnswerBody>, accepted: bool) -> Response<AnswerBody> {
    use hyper::body::Body as _;
    let length = response.body().size_hint().exact();
    if !accepted || length.is_none_or(|length| length < SMALLEST) {
        return response;
    }
    let body = std::mem::take(response.body_mut());
    let Ok(body) = body.collect().await else { return response };
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    let bytes = body.to_bytes();
    let packed = encoder.write_all(&bytes).and_then(|()| encoder.finish());
    let (bytes, is_packed) = match packed {
        Ok(packed) => (packed.into(), true),
        Err(_) => (bytes, false),
    };
    if is_packed {
        response.headers_mut().insert(header::CONTENT_ENCODING, HeaderValue::from_static("gzip"));
        response.headers_mut().insert(header::VARY, HeaderValue::from_static("Accept-Encoding"));
    }
    *response.body_mut() = Full::new(bytes).map_err(|never| match never {}).boxed_unsync();
    response
}
