//! The boot disk: where it comes from and where it lives.

use super::super::fix::Fix;
use super::super::patterns::{Image, Link, volume_set_uri};
use super::super::rule::{Check, ERROR, Needs, Rule, WARNING, because};

/// The scheme and the rest of a URL.
fn scheme(url: &str) -> Option<(&str, &str)> {
    let (scheme, rest) = url.split_once("://")?;
    let good = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'-' | b'.');
    (!scheme.is_empty() && scheme.bytes().all(good)).then_some((scheme, rest))
}

fn is_http(scheme: &str) -> bool {
    scheme.eq_ignore_ascii_case("http") || scheme.eq_ignore_ascii_case("https")
}

/// Whether a URL of the web has a host, and nothing that a URL cannot have.
fn is_url(url: &str) -> bool {
    let Some((_, rest)) = scheme(url) else { return false };
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let host = authority.rsplit('@').next().unwrap_or_default();
    let (name, port) = match host.strip_prefix('[').and_then(|host| host.split_once(']')) {
        Some((name, port)) => (name, port.strip_prefix(':')),
        None => host.split_once(':').map_or((host, None), |(name, port)| (name, Some(port))),
    };
    let letters =
        |c: char| !c.is_whitespace() && !c.is_control() && !matches!(c, '<' | '>' | '"' | '\\' | '^' | '`');
    !name.is_empty()
        && !matches!(name, "." | "..")
        && port.is_none_or(|port| port.parse::<u16>().is_ok())
        && url.chars().all(letters)
        && url.parse::<http::Uri>().is_ok_and(|uri| uri.host().is_some())
}

/// Endings of disk images that the importer reads.
const FORMATS: &[&str] = &["qcow2", "qcow", "img", "raw", "vmdk", "vhd", "vhdx", "vdi", "iso"];

fn looks_like_a_disk(url: &str) -> bool {
    let path = url.split(['?', '#']).next().unwrap_or_default().to_ascii_lowercase();
    let path = path.strip_suffix(".gz").or_else(|| path.strip_suffix(".xz")).unwrap_or(&path);
    path.rsplit_once('.').is_some_and(|(_, ending)| FORMATS.contains(&ending))
}

/// The algorithm of a checksum, how many digits it has, and the digits that are there.
fn checksum(text: &str) -> Option<(&'static str, usize, &str)> {
    let (name, digits) = text.split_once(':')?;
    let known =
        [("sha256", 64), ("sha512", 128)].into_iter().find(|(known, _)| known.eq_ignore_ascii_case(name));
    known.map(|(name, length)| (name, length, digits))
}

/// Removes what is under `source` and puts it where it belongs, if nothing is there.
fn persist_moved(c: &Check<'_>) -> Option<Fix> {
    let disk = c.root().get("spec.vm.bootDisk");
    let removed = Fix::remove(&c.at)?;
    if disk.get("persist").exists() || !c.at.is_map() {
        return Some(removed);
    }
    let set = c.at.get("volumeSet").text()?;
    let value = format!("{{\"volumeSet\": {}}}", serde_json::Value::from(set));
    Some(removed.and(Fix::add(&disk, "persist", &value)?).labelled("move persist to bootDisk"))
}

const IMAGE: &str = "spec.vm.bootDisk.source.oci.image";
const URL: &str = "spec.vm.bootDisk.source.http.url";
const CHECKSUM: &str = "spec.vm.bootDisk.source.http.checksum";

/// The rows.
pub(super) const RULES: &[Rule] = &[
    Rule {
        id: "boot-disk-required",
        path: "spec.vm.bootDisk",
        text: "a VM needs spec.vm.bootDisk",
        check: |c| {
            if c.at.missing() {
                c.report(&[]);
            }
        },
        bad: &["!spec.vm.bootDisk", "spec.vm.bootDisk: null"],
        good: &["spec.vm.bootDisk.bus: sata"],
        ..ERROR
    },
    Rule {
        id: "boot-source-missing",
        path: "spec.vm.bootDisk.source",
        text: "choose a boot source: source.oci.image or source.http.url",
        check: |c| {
            let none = c.at.get("oci").missing() && c.at.get("http").missing();
            if c.at.missing() || c.at.is_map() && none {
                c.report(&[]);
            }
        },
        bad: &[
            "!spec.vm.bootDisk.source",
            "!spec.vm.bootDisk.source.oci\nat spec.vm.bootDisk.source",
            "spec.vm.bootDisk.source.oci: null\nat spec.vm.bootDisk.source",
        ],
        good: &["spec.vm.bootDisk.source: {http: {url: 'https://images.example.net/a.qcow2'}}"],
        ..ERROR
    },
    Rule {
        id: "boot-source-both",
        path: "spec.vm.bootDisk.source",
        text: "only one boot source is allowed, found oci and http",
        check: |c| {
            if !c.at.get("oci").missing() && !c.at.get("http").missing() {
                c.report(&[]);
            }
        },
        bad: &[
            "spec.vm.bootDisk.source.http: {url: 'https://images.example.net/a.qcow2'}\nat spec.vm.bootDisk.source",
        ],
        good: &["spec.vm.bootDisk.source.http: null"],
        ..ERROR
    },
    Rule {
        id: "boot-source-persist-misplaced",
        path: "spec.vm.bootDisk.source.persist",
        text: "persist belongs to bootDisk, next to source",
        check: |c| {
            if c.at.exists() {
                let (at, fix) = (c.at.clone(), persist_moved(c));
                c.report_key(&at, &[]).fix(fix);
            }
        },
        bad: &[
            "spec.vm.bootDisk.source.persist: {volumeSet: 'cpln://volumeset/a'}",
            "spec.vm.bootDisk.source.persist: {volumeSet: 'cpln://volumeset/a'}\n!spec.vm.bootDisk.persist",
        ],
        good: &["spec.vm.bootDisk.persist: {volumeSet: 'cpln://volumeset/a'}"],
        ..ERROR
    },
    Rule {
        id: "boot-persist-required",
        path: "spec.vm.bootDisk",
        text: "bootDisk.persist.volumeSet is required; the boot disk always lives on a volume set",
        check: |c| {
            let persist = c.at.get("persist");
            let set = c.at.get("persist.volumeSet");
            let here = c.at.is_map() && (persist.missing() || persist.is_map());
            if here && set.blank() && c.at.get("source.persist").missing() {
                c.report_at(&set, &[]);
            }
        },
        bad: &[
            "!spec.vm.bootDisk.persist\nat spec.vm.bootDisk.persist.volumeSet",
            "spec.vm.bootDisk.persist: {}\nat spec.vm.bootDisk.persist.volumeSet",
            "spec.vm.bootDisk.persist.volumeSet: ''",
        ],
        good: &["spec.vm.bootDisk.persist: {volumeSet: 'cpln://volumeset/a'}"],
        ..ERROR
    },
    Rule {
        id: "boot-persist-uri",
        path: "spec.vm.bootDisk.persist.volumeSet",
        text: "\"{}\" must look like cpln://volumeset/<name>",
        check: |c| {
            if let Some(text) = c.text().filter(|text| !text.is_empty() && volume_set_uri(text).is_none()) {
                // A bare name, or a link as other fields have it.
                let name = Link::read(text, "volumeset").map_or(text, |link| link.name);
                let whole = format!("cpln://volumeset/{name}");
                let fix = if volume_set_uri(&whole).is_some() { Fix::set(&c.at, &whole) } else { None };
                c.report(&[&text]).fix(fix);
            }
        },
        bad: &[
            "spec.vm.bootDisk.persist.volumeSet: web-boot",
            "spec.vm.bootDisk.persist.volumeSet: //volumeset/web-boot",
            "spec.vm.bootDisk.persist.volumeSet: cpln://volumeset/",
            "spec.vm.bootDisk.persist.volumeSet: cpln://volumeset/Web",
            "spec.vm.bootDisk.persist.volumeSet: cpln://secret/web",
        ],
        good: &["spec.vm.bootDisk.persist.volumeSet: cpln://volumeset/a"],
        ..ERROR
    },
    Rule {
        id: "oci-image-required",
        path: IMAGE,
        text: "source.oci.image is empty",
        check: |c| c.required(),
        bad: &["!spec.vm.bootDisk.source.oci.image", "spec.vm.bootDisk.source.oci.image: ''"],
        good: &["spec.vm.bootDisk.source.oci.image: ubuntu-disk:v1"],
        ..ERROR
    },
    Rule {
        id: "oci-image-syntax",
        path: IMAGE,
        text: "\"{}\" is not an image reference",
        check: |c| {
            c.text_must(|text| text.is_empty() || scheme(text).is_some() || Image::read(text).is_some());
        },
        bad: &[
            "spec.vm.bootDisk.source.oci.image: Ubuntu Disk",
            "spec.vm.bootDisk.source.oci.image: quay.io/Containerdisks/ubuntu:1",
            "spec.vm.bootDisk.source.oci.image: '//secret/ubuntu'",
            "spec.vm.bootDisk.source.oci.image: 'ubuntu:'",
            "spec.vm.bootDisk.source.oci.image: ubuntu@sha256:12",
        ],
        good: &[
            "spec.vm.bootDisk.source.oci.image: localhost:5000/a/b_c:v1.0",
            "spec.vm.bootDisk.source.oci.image: '//image/ubuntu-disk:v1'",
            "spec.vm.bootDisk.source.oci.image: ubuntu@sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef",
        ],
        ..ERROR
    },
    Rule {
        id: "oci-image-cross-org",
        path: IMAGE,
        text: "image \"{}\" belongs to org \"{}\"; only images of org \"{}\" or public ones are allowed",
        cel: because::OTHERS,
        needs: Needs::Cluster,
        check: |c| {
            if let (Some(text), Some(own)) = (c.text(), c.known.org.as_deref())
                && let Some(Image { org: Some(org), .. }) = Image::read(text)
                && org != own
            {
                c.report(&[&text, &org, &own]);
            }
        },
        bad: &["spec.vm.bootDisk.source.oci.image: /org/other/image/ubuntu:v1\nknown: {org: acme}"],
        good: &[
            "spec.vm.bootDisk.source.oci.image: /org/acme/image/ubuntu:v1\nknown: {org: acme}",
            "spec.vm.bootDisk.source.oci.image: /org/other/image/ubuntu:v1",
        ],
        ..ERROR
    },
    Rule {
        id: "oci-image-scheme",
        path: IMAGE,
        text: "leave out \"{}\" in an image reference",
        check: |c| {
            if let Some((scheme, rest)) = c.text().and_then(scheme) {
                let fix = Image::read(rest).and_then(|_| Fix::set(&c.at, rest));
                c.report(&[&format!("{scheme}://")]).fix(fix);
            }
        },
        bad: &[
            "spec.vm.bootDisk.source.oci.image: docker://quay.io/containerdisks/ubuntu:22.04",
            "spec.vm.bootDisk.source.oci.image: https://quay.io/containerdisks/ubuntu:22.04",
        ],
        good: &["spec.vm.bootDisk.source.oci.image: quay.io/containerdisks/ubuntu:22.04"],
        ..ERROR
    },
    Rule {
        id: "oci-image-link-tag",
        path: IMAGE,
        text: "image link \"{}\" needs a tag, //image/<name>:<tag>",
        check: |c| {
            c.text_must(|text| Image::read(text).is_none_or(|image| !image.link || image.fixed.is_some()));
        },
        bad: &[
            "spec.vm.bootDisk.source.oci.image: '//image/ubuntu'",
            "spec.vm.bootDisk.source.oci.image: /org/acme/image/ubuntu",
        ],
        good: &["spec.vm.bootDisk.source.oci.image: '//image/ubuntu:v1'"],
        ..ERROR
    },
    Rule {
        id: "oci-image-floating",
        path: IMAGE,
        text: "image \"{}\" has no fixed tag; new replicas may differ",
        check: |c| {
            c.text_must(|text| {
                Image::read(text)
                    .is_none_or(|image| image.link || image.fixed.is_some_and(|tag| tag != "latest"))
            });
        },
        bad: &[
            "spec.vm.bootDisk.source.oci.image: quay.io/containerdisks/ubuntu",
            "spec.vm.bootDisk.source.oci.image: quay.io/containerdisks/ubuntu:latest",
        ],
        good: &["spec.vm.bootDisk.source.oci.image: quay.io/containerdisks/ubuntu:22.04"],
        ..WARNING
    },
    Rule {
        id: "http-url-required",
        path: URL,
        text: "source.http.url is empty",
        check: |c| c.required(),
        bad: &[
            "spec.vm.bootDisk.source: {http: {}}\nat spec.vm.bootDisk.source.http.url",
            "spec.vm.bootDisk.source: {http: {url: ''}}\nat spec.vm.bootDisk.source.http.url",
        ],
        good: &["spec.vm.bootDisk.source: {http: {url: 'https://images.example.net/a.qcow2'}}"],
        ..ERROR
    },
    Rule {
        id: "http-url-scheme",
        path: URL,
        text: "\"{}\" is not supported; for s3 or gs use a signed https URL",
        check: |c| {
            if let Some((scheme, _)) = c.text().and_then(scheme).filter(|(scheme, _)| !is_http(scheme)) {
                c.report(&[&format!("{scheme}://")]);
            }
        },
        bad: &[
            "spec.vm.bootDisk.source: {http: {url: 's3://images/a.qcow2'}}\nat spec.vm.bootDisk.source.http.url",
            "spec.vm.bootDisk.source: {http: {url: 'ftp://images.example.net/a.iso'}}\nat spec.vm.bootDisk.source.http.url",
        ],
        good: &["spec.vm.bootDisk.source: {http: {url: 'https://images.example.net/a.qcow2'}}"],
        ..ERROR
    },
    Rule {
        id: "http-url-syntax",
        path: URL,
        text: "\"{}\" is not a URL",
        check: |c| {
            c.text_must(|url| {
                url.is_empty() || is_url(url) || scheme(url).is_some_and(|(scheme, _)| !is_http(scheme))
            });
        },
        bad: &[
            "spec.vm.bootDisk.source: {http: {url: 'images.example.net/a.qcow2'}}\nat spec.vm.bootDisk.source.http.url",
            "spec.vm.bootDisk.source: {http: {url: 'https:///a.qcow2'}}\nat spec.vm.bootDisk.source.http.url",
            "spec.vm.bootDisk.source: {http: {url: 'https://images.example.net/a b.qcow2'}}\nat spec.vm.bootDisk.source.http.url",
            "spec.vm.bootDisk.source: {http: {url: 'https://images.example.net:port/a.qcow2'}}\nat spec.vm.bootDisk.source.http.url",
        ],
        good: &["spec.vm.bootDisk.source: {http: {url: 'https://[2001:db8::1]:8443/a.qcow2?x=1'}}"],
        ..ERROR
    },
    Rule {
        id: "http-url-plain",
        path: URL,
        text: "unencrypted download without a checksum",
        check: |c| {
            let plain =
                c.text().and_then(scheme).is_some_and(|(scheme, _)| scheme.eq_ignore_ascii_case("http"));
            if plain && c.at.holder().get("checksum").blank() {
                c.report(&[]);
            }
        },
        bad: &[
            "spec.vm.bootDisk.source: {http: {url: 'http://images.example.net/a.qcow2'}}\nat spec.vm.bootDisk.source.http.url",
        ],
        good: &["spec.vm.bootDisk.source: {http: {url: 'https://images.example.net/a.qcow2'}}"],
        ..WARNING
    },
    Rule {
        id: "http-url-format",
        path: URL,
        text: "\"{}\" does not look like qcow2, raw, VMDK, VHD(X), VDI or ISO",
        check: |c| {
            let web = |url: &str| is_url(url) && scheme(url).is_some_and(|(scheme, _)| is_http(scheme));
            c.text_must(|url| !web(url) || looks_like_a_disk(url));
        },
        bad: &[
            "spec.vm.bootDisk.source: {http: {url: 'https://images.example.net/a.tar.gz'}}\nat spec.vm.bootDisk.source.http.url",
            "spec.vm.bootDisk.source: {http: {url: 'https://images.example.net/'}}\nat spec.vm.bootDisk.source.http.url",
        ],
        good: &["spec.vm.bootDisk.source: {http: {url: 'https://images.example.net/a.vmdk.xz?signature=x'}}"],
        ..WARNING
    },
    Rule {
        id: "checksum-algorithm",
        path: CHECKSUM,
        text: "checksum must be sha256:<hex> or sha512:<hex>",
        check: |c| {
            if c.text().is_some_and(|text| checksum(text).is_none()) {
                c.report(&[]);
            }
        },
        bad: &[
            "spec.vm.bootDisk.source: {http: {url: 'https://images.example.net/a.iso', checksum: 'md5:0123'}}\nat spec.vm.bootDisk.source.http.checksum",
            "spec.vm.bootDisk.source: {http: {url: 'https://images.example.net/a.iso', checksum: abc}}\nat spec.vm.bootDisk.source.http.checksum",
        ],
        good: &[
            "spec.vm.bootDisk.source: {http: {url: 'https://images.example.net/a.iso', checksum: 'SHA256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef'}}",
        ],
        ..ERROR
    },
    Rule {
        id: "checksum-hex",
        path: CHECKSUM,
        text: "{} needs {} hex digits, found {}",
        check: |c| {
            if let Some((name, length, digits)) = c.text().and_then(checksum) {
                let found = digits.bytes().filter(u8::is_ascii_hexdigit).count();
                if found != length || digits.len() != length {
                    c.report(&[&name, &length, &found]);
                }
            }
        },
        bad: &[
            "spec.vm.bootDisk.source: {http: {url: 'https://images.example.net/a.iso', checksum: 'sha256:0123'}}\nat spec.vm.bootDisk.source.http.checksum",
            "spec.vm.bootDisk.source: {http: {url: 'https://images.example.net/a.iso', checksum: 'sha256:g123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef'}}\nat spec.vm.bootDisk.source.http.checksum",
            "spec.vm.bootDisk.source: {http: {url: 'https://images.example.net/a.iso', checksum: 'sha512:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef'}}\nat spec.vm.bootDisk.source.http.checksum",
        ],
        good: &[
            "spec.vm.bootDisk.source: {http: {url: 'https://images.example.net/a.iso', checksum: 'sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef'}}",
        ],
        ..ERROR
    },
    Rule {
        id: "checksum-unsupported",
        path: CHECKSUM,
        text: "this cluster's importer cannot verify checksums",
        needs: Needs::Cluster,
        check: |c| {
            if !c.at.blank() && c.known.verifies_checksums == Some(false) {
                c.report(&[]);
            }
        },
        bad: &[
            "spec.vm.bootDisk.source: {http: {url: 'https://images.example.net/a.iso', checksum: 'sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef'}}\nat spec.vm.bootDisk.source.http.checksum\nknown: {verifiesChecksums: false}",
        ],
        good: &[
            "spec.vm.bootDisk.source: {http: {url: 'https://images.example.net/a.iso', checksum: 'sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef'}}\nknown: {verifiesChecksums: true}",
            "spec.vm.bootDisk.source: {http: {url: 'https://images.example.net/a.iso'}}\nknown: {verifiesChecksums: false}",
        ],
        ..WARNING
    },
    Rule {
        id: "boot-bus",
        path: "spec.vm.bootDisk.bus",
        text: "bus \"{}\" is not one of virtio, sata, scsi",
        check: |c| c.one_of(&["virtio", "sata", "scsi"]),
        bad: &["spec.vm.bootDisk.bus: nvme", "spec.vm.bootDisk.bus: VirtIO"],
        good: &["spec.vm.bootDisk.bus: scsi"],
        ..ERROR
    },
    Rule {
        id: "boot-boot-order",
        path: "spec.vm.bootDisk.bootOrder",
        text: "bootOrder {} is outside 1 to 16",
        check: |c| c.between(1, 16),
        bad: &["spec.vm.bootDisk.bootOrder: 0", "spec.vm.bootDisk.bootOrder: 17"],
        good: &["spec.vm.bootDisk.bootOrder: 16"],
        ..ERROR
    },
    Rule {
        id: "boot-source-changed",
        path: "spec.vm.bootDisk.source",
        text: "existing boot disks keep their content; the new source is used only for new replicas",
        needs: Needs::Change,
        check: |c| {
            let old = c.old.map(|old| old.root().get("spec.vm.bootDisk.source"));
            if old.is_some_and(|old| !old.missing() && !c.at.missing() && !old.same(&c.at)) {
                c.report(&[]);
            }
        },
        bad: &[
            "spec.vm.bootDisk.source.oci.image: quay.io/containerdisks/ubuntu:24.04\nat spec.vm.bootDisk.source",
        ],
        good: &["spec.vm.bootDisk.bus: sata"],
        ..WARNING
    },
];
