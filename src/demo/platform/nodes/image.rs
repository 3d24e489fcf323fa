//! Images: how long they take to come, and why some do not.

use std::time::Duration;

use super::super::kind::Kind;
use super::super::object::Object;
use super::super::view::View;

/// What becomes of an image that is fetched.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) enum Pull {
    /// It comes: when, and how many bytes.
    Comes(Duration, u64),
    /// It does not: what the registry says.
    Fails(String),
}

/// A name that an image which cannot be had bears as the last part of its path, and what is said then; `{image}` stands for the image, `{host}` for its registry.
const FAILURES: &[(&str, &str)] = &[
    (
        "image-pull",
        "rpc error: code = NotFound desc = failed to pull and unpack image \"{image}\": failed to resolve reference \"{image}\": {image}: not found",
    ),
    (
        "image-missing",
        "rpc error: code = NotFound desc = failed to pull and unpack image \"{image}\": failed to resolve reference \"{image}\": {image}: not found",
    ),
    (
        "registry-auth",
        "rpc error: code = Unknown desc = failed to pull and unpack image \"{image}\": failed to resolve reference \"{image}\": unexpected status from HEAD request to https://{host}/v2/: 401 Unauthorized",
    ),
    (
        "registry-dns",
        "rpc error: code = Unknown desc = failed to pull and unpack image \"{image}\": failed to resolve reference \"{image}\": failed to do request: Head \"https://{host}/v2/\": dial tcp: lookup {host} on 10.0.0.10:53: no such host",
    ),
];

/// What becomes of an image that a pod wants.
pub(super) fn pull(pod: &Object, image: &str) -> Pull {
    let told = pod.annotation("v9s.dev/play");
    let known = FAILURES.iter().any(|(name, _)| *name == told) && !image.contains("/virt-launcher:");
    if known { fetch(image, Some(told)) } else { fetch(image, None) }
}

fn fetch(image: &str, told: Option<&str>) -> Pull {
    let (host, path) = split(image);
    let stem = told.unwrap_or_else(|| path.rsplit('/').next().unwrap_or_default());
    // Names under .invalid are known to nobody (RFC 6761).
    let stem = if host.ends_with(".invalid") { "registry-dns" } else { stem };
    match FAILURES.iter().find(|(name, _)| *name == stem) {
        Some((_, text)) => Pull::Fails(text.replace("{image}", image).replace("{host}", host)),
        None => {
            let size = size(image);
            Pull::Comes(Duration::from_millis(600 + size / 200_000), size)
        }
    }
}

/// The registry of an image, and its path without tag and digest.
fn split(image: &str) -> (&str, &str) {
    let image = image.split_once('@').map_or(image, |(name, _)| name);
    let (host, path) = match image.split_once('/') {
        Some((host, path)) if host.contains(['.', ':']) || host == "localhost" => (host, path),
        _ => ("docker.io", image),
    };
    (host, path.rsplit_once(':').map_or(path, |(path, _)| path))
}

/// The size of an image, which is the same each time: 40 to 400 MB.
fn size(image: &str) -> u64 {
    let sum = image.bytes().fold(7u64, |sum, byte| sum.wrapping_mul(31).wrapping_add(byte.into()));
    40_000_000 + sum % 360_000_000
}

/// Whether a node has an image already, since another pod runs it there. One that shall not come is nowhere.
pub(super) fn is_present(view: &View<'_>, pod: &Object, image: &str) -> bool {
    if matches!(pull(pod, image), Pull::Fails(_)) {
        return false;
    }
    let node = pod.text("/spec/nodeName");
    let has = |other: &Object, pointer: &str| {
        other
            .list(pointer)
            .iter()
            .any(|one| one["image"] == image && one["imageID"].as_str().is_some_and(|id| !id.is_empty()))
    };
    view.all(Kind::Pod).any(|other| {
        other.text("/spec/nodeName") == node
            && (has(other, "/status/containerStatuses") || has(other, "/status/initContainerStatuses"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn images_fail_by_their_names() {
        for (image, word) in [
            ("quay.io/containerdisks/fedora:41", ""),
            ("docker.io/library/busybox", ""),
            ("registry.example:5000/disks/image-pull:1", "not found"),
            ("registry.example:5000/disks/registry-auth:1", "401 Unauthorized"),
            ("registry.invalid/fedora:41", "no such host"),
        ] {
            match fetch(image, None) {
                Pull::Comes(..) => assert_eq!(word, "", "{image}"),
                Pull::Fails(text) => assert!(!word.is_empty() && text.contains(word), "{image}: {text}"),
            }
        }
    }
}
