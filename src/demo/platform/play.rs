//! What goes wrong on purpose: the causes that are played, and how an object asks for one.
//!
//! An object asks by the annotation `v9s.dev/play: CAUSE`, its own or that of an owner, or by the name of the file its disk
//! comes from (`…/http-404.qcow2`). Everything else succeeds.

use serde_json::Value;

use super::kind::Kind;
use super::object::Object;
use super::world::World;

/// The annotation that names a cause.
pub const ANNOTATION: &str = "v9s.dev/play";

/// Which part of the platform plays a cause.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Shows {
    /// The importer's process.
    Importer,
    /// The CSI driver that shall make a volume.
    Provisioning,
    /// CDI, when it works out which claim a disk needs.
    Claim,
    /// The machine.
    Machine,
}

/// Something that goes wrong.
#[derive(Clone, Copy, Debug)]
pub struct Cause {
    /// How it is asked for.
    pub name: &'static str,
    /// Where it shows.
    pub shows: Shows,
    /// What one sees, in a sentence, for README.
    pub about: &'static str,
    /// What the part that fails says: the importer's termination message, or the driver's error; empty where it says nothing.
    /// `{url}` and `{host}` stand for those of the source, `{size}` and `{twice}` for the disk's bytes and twice as many.
    pub says: &'static str,
    /// Whether only scratch space is meant, where it shows at the CSI driver.
    pub scratch_only: bool,
}

const fn row(name: &'static str, shows: Shows, about: &'static str, says: &'static str) -> Cause {
    Cause { name, shows, about, says, scratch_only: false }
}

/// All of them, in the order in which README tells them.
pub const CAUSES: &[Cause] = &[
    row(
        "http-404",
        Shows::Importer,
        "the server of the image does not have it; the importer starts again and again",
        "Unable to process data: Unable to connect to http data source: expected status code 200, got 404. Status: 404 Not Found",
    ),
    row(
        "checksum",
        Shows::Importer,
        "the image is not the one its checksum was made of; CDI gives up",
        "Unable to process data: Unable to transfer source data to scratch space: checksum validation failed: checksum \
         mismatch: expected sha256:4f53cda18c2baa0c0354bb5f9a3ecbe5ed12ab4d8e11ba873c2f11161202b945, calculated \
         sha256:9b871512327c09ce91dd649b3f96a63b7408ef267c8cc5710114e629730cb61f",
    ),
    row(
        "too-small",
        Shows::Importer,
        "the disk in the image is larger than the one that was asked for",
        "Unable to process data: Virtual image size {twice} is larger than the reported available storage {size}. A larger PVC is \
         required.",
    ),
    row(
        "dns",
        Shows::Importer,
        "nobody knows the server of the image",
        "Unable to connect to http data source: Head \"{url}\": dial tcp: lookup {host} on 10.96.0.10:53: no such host",
    ),
    row(
        "tls",
        Shows::Importer,
        "the certificate of the image's server is signed by nobody the importer knows",
        "Unable to connect to http data source: Head \"{url}\": tls: failed to verify certificate: x509: certificate signed by \
         unknown authority",
    ),
    row(
        "registry-auth",
        Shows::Importer,
        "the registry does not give the image to everybody",
        "Unable to process data: Failed to read registry image: unauthorized: access to the requested resource is not authorized",
    ),
    row(
        "importer-oom",
        Shows::Importer,
        "the importer needs more memory than it may have; it is killed, and tried again without the page cache",
        "",
    ),
    Cause {
        scratch_only: true,
        ..row(
            "scratch-pending",
            Shows::Provisioning,
            "there is no room for the importer's scratch space, so its second pod waits",
            "rpc error: code = ResourceExhausted desc = pool blockpool is nearly full, 3 % left",
        )
    },
    row(
        "provisioner-silent",
        Shows::Provisioning,
        "the CSI driver does not answer; the disk stays Pending",
        "",
    ),
    row(
        "first-consumer",
        Shows::Claim,
        "the volume is made where its first consumer runs, and there is none yet",
        "",
    ),
    row(
        "no-default-class",
        Shows::Claim,
        "neither the disk nor the cluster says which storage class to take",
        "PVC spec is missing accessMode and no storageClass to choose profile",
    ),
    row("quota", Shows::Claim, "the namespace may not have that much storage", ""),
    row(
        "datasource-without-source",
        Shows::Claim,
        "the disk is to be a copy of a DataSource that points to nothing; nobody looks after it",
        "",
    ),
    row(
        "migration-fails",
        Shows::Machine,
        "the guest writes faster than its memory is copied; after 150 seconds its migration is given up",
        "",
    ),
    row(
        "uploaded",
        Shows::Importer,
        "of a disk that waits for an upload: somebody sends the image, half a minute after the server is ready",
        "",
    ),
    row(
        "slow-but-fine",
        Shows::Importer,
        "takes its time, with scratch space and a second pod, and succeeds: nothing is wrong here",
        "",
    ),
    row(
        "image-pull",
        Shows::Machine,
        "the registry does not have the image of the machine's container disk; its pod waits, `ErrImagePull` and \
         `ImagePullBackOff` by turns",
        "",
    ),
    row(
        "crash-loop",
        Shows::Machine,
        "the guest ends before it has run; it is tried again later and later, `CrashLoopBackOff`",
        "",
    ),
    row("guest-crashes", Shows::Machine, "the guest runs for a minute and crashes, again and again", ""),
    row("powers-off", Shows::Machine, "the guest runs for a minute and shuts itself down", ""),
    row(
        "no-agent",
        Shows::Machine,
        "the guest runs without an agent: no system, no names of its devices",
        "",
    ),
    row(
        "not-migratable",
        Shows::Machine,
        "after a while the guest cannot be moved to another node any longer: one of its disks is not shared",
        "",
    ),
];

/// What shall go wrong with an object in a part of the platform.
pub fn cause(world: &World, object: &Object, shows: Shows) -> Option<&'static Cause> {
    let mut one = object;
    // A pod of a claim of a claim of a data volume of a machine of a pool.
    for _ in 0..8 {
        let asked = CAUSES.iter().find(|cause| cause.shows == shows && is_asked(one, cause.name));
        if asked.is_some() {
            return asked;
        }
        one = owner(world, one)?;
    }
    None
}

fn owner<'a>(world: &'a World, object: &Object) -> Option<&'a Object> {
    let reference = object.controller()?;
    let text = |field: &str| reference[field].as_str().unwrap_or_default();
    let kind = Kind::find(text("apiVersion"), text("kind"))?;
    world.get(kind, object.namespace(), text("name")).filter(|owner| owner.uid() == text("uid"))
}

/// Where an object says from where its disk comes.
const SOURCES: &[&str] =
    &["/spec/source/http/url", "/spec/source/registry/url", "/spec/source/s3/url", "/spec/source/gcs/url"];

fn is_asked(object: &Object, cause: &str) -> bool {
    let annotation = object.annotation(ANNOTATION);
    if !annotation.is_empty() {
        return annotation == cause;
    }
    if object.kind() != Kind::DataVolume {
        return false;
    }
    SOURCES.iter().any(|pointer| stem(object.at(pointer)) == Some(cause))
}

/// `http-404` of `https://images.example/http-404.qcow2` and of `docker://registry.example/http-404:41`.
fn stem(url: &Value) -> Option<&str> {
    let name = url.as_str()?.split(['?', '#']).next()?.rsplit('/').next()?;
    name.split(['.', ':', '@']).next()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn causes_have_different_names_and_say_what_one_sees() {
        for (place, one) in CAUSES.iter().enumerate() {
            assert!(CAUSES[..place].iter().all(|other| other.name != one.name), "{}", one.name);
            assert!(!one.about.is_empty(), "{}", one.name);
        }
    }

    #[test]
    fn a_cause_is_the_name_of_the_image() {
        for (url, expected) in [
            ("https://images.example/http-404.qcow2", "http-404"),
            ("https://images.example/a/tls.qcow2.gz?token=1", "tls"),
            ("docker://registry.example:5000/disks/registry-auth:41", "registry-auth"),
            ("docker://registry.example/dns@sha256:00", "dns"),
        ] {
            assert_eq!(stem(&json!(url)), Some(expected), "{url}");
        }
        assert_eq!(stem(&json!(null)), None);
    }
}
