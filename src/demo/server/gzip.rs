//! Packed answers, for clients that ask for them: long lists and long documents, never watches.

use std::io::{self, Write as _};

use bytes::{Bytes, BytesMut};
use flate2::Compression;
use flate2::write::GzEncoder;

/// From how many bytes on kube-apiserver packs an answer.
const SMALLEST: usize = 128 << 10;

/// The text of an answer, a piece at a time.
pub(crate) type Parts = Box<dyn Iterator<Item = Bytes> + Send>;

/// An answer that is made a piece at a time, and how it leaves.
pub(crate) enum Packed {
    /// So short that it goes as a whole, as it is.
    Whole(Bytes),
    /// As it is.
    Plain(Parts),
    /// In gzip.
    Gzip(Parts),
}

/// Packs an answer if the client can read that and it is long. Of a long one no more than what is needed to know that it
/// is long is made here.
pub(crate) fn pack(mut parts: Parts, accepted: bool) -> Packed {
    let mut begun = BytesMut::new();
    while begun.len() < SMALLEST {
        let Some(part) = parts.next() else { return Packed::Whole(begun.freeze()) };
        begun.extend_from_slice(&part);
    }
    let parts = Box::new(std::iter::once(begun.freeze()).chain(parts));
    if accepted {
        let encoder = GzEncoder::new(Vec::new(), Compression::fast());
        Packed::Gzip(Box::new(Gzip { parts, encoder: Some(encoder) }))
    } else {
        Packed::Plain(parts)
    }
}

struct Gzip {
    parts: Parts,
    /// Gone after the end of the text.
    encoder: Option<GzEncoder<Vec<u8>>>,
}

impl Gzip {
    /// The next packed bytes; writing into memory does not fail.
    fn advance(&mut self) -> io::Result<Option<Bytes>> {
        while let Some(encoder) = &mut self.encoder {
            let Some(part) = self.parts.next() else { break };
            encoder.write_all(&part)?;
            let packed = std::mem::take(encoder.get_mut());
            if !packed.is_empty() {
                return Ok(Some(packed.into()));
            }
        }
        self.encoder.take().map(GzEncoder::finish).transpose().map(|last| last.map(Bytes::from))
    }
}

impl Iterator for Gzip {
    type Item = Bytes;

    fn next(&mut self) -> Option<Bytes> {
        self.advance().ok().flatten()
    }
}

#[cfg(test)]
mod tests {
    use std::io::Read as _;

    use serde_json::{Value, json};

    use crate::demo::server::testing::Api;

    #[tokio::test]
    async fn long_lists_and_documents_are_packed_for_those_who_ask() {
        let api = Api::new().as_admin();
        let maps = "/api/v1/namespaces/default/configmaps";
        let map = |name: &str, long: usize| {
            let data = json!({"text": "0123456789".repeat(long / 10)});
            json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}, "data": data})
        };
        assert_eq!(api.post(maps, map("short", 100)).await.0, 201);
        let packing = api.with_header("accept-encoding", "gzip");
        let short = packing.send(http::Method::GET, maps, "").await;
        assert!(
            !short.headers.contains_key("content-encoding") && short.headers.contains_key("content-length")
        );
        for n in 0..20 {
            assert_eq!(api.post(maps, map(&format!("map-{n}"), 200_000)).await.0, 201);
        }
        for path in [maps.to_owned(), format!("{maps}?limit=3"), format!("{maps}/map-7")] {
            let plain = api.send(http::Method::GET, &path, "").await;
            assert!(!plain.headers.contains_key("content-encoding"), "{path}");
            let reply = packing.send(http::Method::GET, &path, "").await;
            assert_eq!(reply.headers["content-encoding"], "gzip", "{path}");
            assert!(reply.body.len() < plain.body.len() / 10, "{path}: {} bytes", reply.body.len());
            let mut text = String::new();
            flate2::read::GzDecoder::new(&reply.body[..]).read_to_string(&mut text).unwrap();
            let (unpacked, plain): (Value, Value) = (serde_json::from_str(&text).unwrap(), plain.json());
            assert_eq!(unpacked, plain, "{path}");
        }
    }
}
