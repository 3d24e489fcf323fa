//! Shapes of texts that rules ask about.

/// Lower-case letters, digits and dashes, at least one of them.
#[must_use]
pub fn is_lower_dashed(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-'))
}

/// A DNS label: lower-case letters, digits and inner dashes, at most 63.
#[must_use]
pub fn is_dns_label(text: &str) -> bool {
    is_lower_dashed(text) && text.len() <= 63 && !text.starts_with('-') && !text.ends_with('-')
}

/// What a text becomes as a DNS label, where that takes no more than other letters.
#[must_use]
pub fn as_dns_label(text: &str) -> Option<String> {
    let label = text.trim().to_lowercase().replace(['_', '.', ' '], "-");
    is_dns_label(&label).then_some(label)
}

/// A name of the seed: starts with a letter, then lower-case letters, digits and dashes, no dash at the end.
#[must_use]
pub fn is_name(text: &str) -> bool {
    is_lower_dashed(text) && text.starts_with(|c: char| c.is_ascii_lowercase()) && !text.ends_with('-')
}

/// A whole quantity: a number with one of the suffixes of Kubernetes.
#[must_use]
pub fn is_quantity(text: &str) -> bool {
    crate::model::parse_bytes(text).is_some() && text.trim() == text && !text.is_empty()
}

/// Ports that the platform keeps for itself.
pub const RESERVED_PORTS: &[i64] = &[8012, 8022, 9090, 9091, 15000, 15001, 15006, 15020, 15021, 15090, 41000];

/// Whether a VM may listen on a port for others.
#[must_use]
pub fn is_port(port: i64) -> bool {
    (80..=65535).contains(&port) && !RESERVED_PORTS.contains(&port)
}

/// The name in `cpln://<kind>/<name>`.
#[must_use]
pub fn cpln_uri<'a>(text: &'a str, kind: &str) -> Option<&'a str> {
    text.strip_prefix("cpln://")?.strip_prefix(kind)?.strip_prefix('/')
}

/// The name of a volume set in `cpln://volumeset/<name>`, where it is one that a volume set can have.
#[must_use]
pub fn volume_set_uri(text: &str) -> Option<&str> {
    let good = |name: &&str| is_lower_dashed(name) && name.len() <= 64 && !name.starts_with('-');
    cpln_uri(text, "volumeset").filter(good)
}

/// A link to an object of a kind: `//secret/<name>` or `/org/<org>/secret/<name>`, with `gvc/<gvc>` between where the kind
/// is of a GVC.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Link<'a> {
    /// The organisation, where it is named.
    pub org: Option<&'a str>,
    /// The GVC, where it is named.
    pub gvc: Option<&'a str>,
    /// The name of the object.
    pub name: &'a str,
}

impl<'a> Link<'a> {
    /// Reads a link to an object of `kind`.
    #[must_use]
    pub fn read(text: &'a str, kind: &str) -> Option<Self> {
        let (org, rest) = match text.strip_prefix("//") {
            Some(rest) => (None, rest),
            None => {
                let (org, rest) = text.strip_prefix("/org/")?.split_once('/')?;
                (Some(org), rest)
            }
        };
        let (gvc, rest) = match rest.strip_prefix("gvc/") {
            None => (None, rest),
            Some(rest) => {
                let (gvc, rest) = rest.split_once('/')?;
                (Some(gvc), rest)
            }
        };
        let name = rest.strip_prefix(kind)?.strip_prefix('/')?;
        let whole = |part: &str| !part.is_empty() && !part.contains('/');
        let good = whole(name) && org.is_none_or(whole) && gvc.is_none_or(whole);
        good.then_some(Self { org, gvc, name })
    }
}

/// A reference to an image: public, or a link to one of an organisation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Image<'a> {
    /// `//image/…` or `/org/<org>/image/…`.
    pub link: bool,
    /// The organisation, where it is named.
    pub org: Option<&'a str>,
    /// The registry, the path and the name, without tag and digest.
    pub name: &'a str,
    /// The digest; without one the tag.
    pub fixed: Option<&'a str>,
}

impl<'a> Image<'a> {
    /// Reads a reference.
    #[must_use]
    pub fn read(text: &'a str) -> Option<Self> {
        let (link, org, rest) = if text.starts_with('/') {
            let link = Link::read(text, "image").filter(|link| link.gvc.is_none())?;
            (true, link.org, link.name)
        } else {
            (false, None, text)
        };
        let (rest, digest) = rest.split_once('@').map_or((rest, None), |(rest, digest)| (rest, Some(digest)));
        if !digest.is_none_or(is_digest) {
            return None;
        }
        // A colon before the last slash belongs to the port of a registry.
        let last = rest.rfind('/').map_or(0, |at| at + 1);
        let (name, tag) = match rest.get(last..)?.split_once(':') {
            Some((_, tag)) => (rest.get(..rest.len() - tag.len() - 1)?, Some(tag)),
            None => (rest, None),
        };
        let good = tag.is_none_or(is_tag) && is_image_name(name);
        good.then_some(Self { link, org, name, fixed: digest.or(tag) })
    }
}

fn is_digest(digest: &str) -> bool {
    let hex = digest.strip_prefix("sha256:");
    hex.is_some_and(|hex| {
        hex.len() == 64 && hex.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
    })
}

fn is_tag(tag: &str) -> bool {
    let word = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    (1..=128).contains(&tag.len())
        && tag.bytes().all(|byte| word(byte) || matches!(byte, b'.' | b'-'))
        && tag.bytes().next().is_some_and(word)
}

fn is_image_name(name: &str) -> bool {
    let mut parts = name.split('/').peekable();
    let registry = |part: &str| part.contains(['.', ':']) || part == "localhost";
    let several = name.contains('/');
    if several && parts.peek().is_some_and(|first| registry(first)) {
        let (host, port) = parts.next().map_or(("", None), |first| {
            first.split_once(':').map_or((first, None), |(host, port)| (host, Some(port)))
        });
        let label = |label: &str| {
            !label.is_empty() && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
        };
        if !host.split('.').all(label) || port.is_some_and(|port| port.parse::<u16>().is_err()) {
            return false;
        }
    }
    name.len() <= 255 && parts.all(is_image_part)
}

/// Lower-case letters and digits, with single dots, up to two underscores or some dashes between them.
fn is_image_part(part: &str) -> bool {
    let letter = |byte: u8| matches!(byte, b'a'..=b'z' | b'0'..=b'9');
    let ends = part.bytes().next().is_some_and(letter) && part.bytes().next_back().is_some_and(letter);
    let separator =
        |run: &str| run == "." || run == "_" || run == "__" || run.bytes().all(|byte| byte == b'-');
    ends && part.split(|c: char| c.is_ascii_lowercase() || c.is_ascii_digit()).all(separator)
}

/// The word that `text` was probably meant to be: at most two letters away, or one for short words.
pub fn nearest<'w>(text: &str, words: impl IntoIterator<Item = &'w str>) -> Option<&'w str> {
    if text.len() > 40 {
        return None;
    }
    let most = if text.len() < 5 { 1 } else { 2 };
    let lower = text.to_lowercase();
    let near = words.into_iter().map(|word| (distance(&lower, &word.to_lowercase()), word));
    near.filter(|(distance, word)| *distance <= most && *distance < word.len())
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, word)| word)
}

/// How many letters must be written, left out, changed or swapped with the next.
fn distance(one: &str, other: &str) -> usize {
    let one: Vec<char> = one.chars().collect();
    let other: Vec<char> = other.chars().collect();
    let width = other.len() + 1;
    let mut rows: Vec<usize> = vec![0; (one.len() + 1) * width];
    for (at, row) in rows.iter_mut().take(width).enumerate() {
        *row = at;
    }
    for i in 1..=one.len() {
        rows[i * width] = i;
        for j in 1..=other.len() {
            let change = usize::from(one[i - 1] != other[j - 1]);
            let mut best = (rows[(i - 1) * width + j] + 1)
                .min(rows[i * width + j - 1] + 1)
                .min(rows[(i - 1) * width + j - 1] + change);
            if i > 1 && j > 1 && one[i - 1] == other[j - 2] && one[i - 2] == other[j - 1] {
                best = best.min(rows[(i - 2) * width + j - 2] + 1);
            }
            rows[i * width + j] = best;
        }
    }
    rows.last().copied().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn near_words_are_found() {
        for (text, want) in [
            ("virtoi", Some("virtio")),
            ("VIRTIO", Some("virtio")),
            ("vritio", Some("virtio")),
            ("nvme", None),
            ("scis", Some("scsi")),
            ("", None),
            ("a-very-long-word-that-nobody-could-have-meant", None),
        ] {
            assert_eq!(nearest(text, ["virtio", "sata", "scsi"]), want, "{text}");
        }
    }

    #[test]
    fn links_are_read() {
        let plain = Link { org: None, gvc: None, name: "s" };
        for (text, want) in [
            ("//secret/s", Some(plain)),
            ("/org/o/secret/s", Some(Link { org: Some("o"), ..plain })),
            ("//gvc/g/secret/s", Some(Link { gvc: Some("g"), ..plain })),
            ("/org/o/gvc/g/secret/s", Some(Link { org: Some("o"), gvc: Some("g"), name: "s" })),
            ("//identity/s", None),
            ("//secret/", None),
            ("//secret/a/b", None),
            ("cpln://secret/s", None),
            ("/org//secret/s", None),
        ] {
            assert_eq!(Link::read(text, "secret"), want, "{text}");
        }
    }

    #[test]
    fn images_are_read() {
        let name = |text| Image::read(text).map(|image| (image.name, image.fixed, image.link));
        for (text, want) in [
            ("ubuntu", Some(("ubuntu", None, false))),
            ("quay.io/a/b:1", Some(("quay.io/a/b", Some("1"), false))),
            ("localhost:5000/b", Some(("localhost:5000/b", None, false))),
            ("a/b__c/d--e.f:v1", Some(("a/b__c/d--e.f", Some("v1"), false))),
            ("//image/b:1", Some(("b", Some("1"), true))),
            ("/org/o/image/b", Some(("b", None, true))),
            ("b:", None),
            ("b:-1", None),
            ("", None),
            ("a//b", None),
            ("a_-b", None),
            ("-a", None),
            ("a@sha256:00", None),
            ("//gvc/g/image/b:1", None),
        ] {
            assert_eq!(name(text), want, "{text}");
        }
    }

    #[test]
    fn names_have_their_shapes() {
        for (text, name, label) in [
            ("web", true, true),
            ("1a", false, true),
            ("a-", false, false),
            ("A", false, false),
            ("", false, false),
        ] {
            assert_eq!((is_name(text), is_dns_label(text)), (name, label), "{text}");
        }
        for (text, want) in [("My_Web 1", Some("my-web-1")), ("_a", None), ("", None), ("ä", None)] {
            assert_eq!(as_dns_label(text).as_deref(), want, "{text}");
        }
        assert_eq!(volume_set_uri("cpln://volumeset/data"), Some("data"));
        assert_eq!(volume_set_uri("cpln://volumeset/"), None);
        assert_eq!(volume_set_uri("cpln://volumeset/Data"), None);
    }
}
