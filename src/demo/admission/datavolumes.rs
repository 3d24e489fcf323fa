//! What CDI refuses. It tells one thing at a time; it writes the names of fields in its own way.

use serde_json::Value;

use super::machines::SOURCES;
use super::place::{Causes, Spot};
use super::quantity::Quantity;
use super::said::Said;
use crate::demo::server::Review;

const CDI: &str = "cdi.kubevirt.io";
const MODES: [&str; 4] = ["ReadOnlyMany", "ReadWriteMany", "ReadWriteOnce", "ReadWriteOncePod"];

/// The least disk there is: 1 MiB.
const LEAST: i128 = 1 << 20;

/// Sources that are read from a URL: their field, and how CDI writes it.
const FROM_URL: [(&str, &str); 5] =
    [("http", "HTTP"), ("s3", "S3"), ("gcs", "GCS"), ("imageio", "ImageIO"), ("vddk", "VDDK")];

/// Checksums: algorithm and length in hexadecimal digits.
const CHECKSUMS: [(&str, usize); 4] = [("md5", 32), ("sha1", 40), ("sha256", 64), ("sha512", 128)];

/// Before a new DataVolume is filled in, CDI looks at the DataSource that it names.
pub(super) fn mutate(review: &Review<'_>, volume: &mut Value) -> Result<(), Said> {
    let reference = Spot::new(volume, "").get("spec.sourceRef");
    let name = reference.get("name").text();
    if reference.get("kind").text() != "DataSource" || name.is_empty() {
        return Ok(());
    }
    let namespace = match reference.get("namespace").text() {
        "" => review.namespace,
        other => other,
    };
    match review.around.get(CDI, "datasources", namespace, name) {
        Some(_) => Ok(()),
        None => Err(Said::error(format!("datasources.cdi.kubevirt.io {name:?} not found"))),
    }
}

/// The answer about a DataVolume.
pub(super) fn validate(review: &Review<'_>, volume: &Value) -> Result<Vec<String>, Said> {
    let root = Spot::new(volume, "");
    let spec = root.get("spec");
    let mut causes = Causes::default();
    match review.old {
        Some(old) if changed(old, volume) => {
            causes.duplicate("DataVolume.Spec", "Cannot update DataVolume Spec");
        }
        None if taken(review, &root) => {
            let text = format!(
                "Destination PVC {}/{} already exists",
                review.namespace,
                root.get("metadata.name").text()
            );
            causes.duplicate("DataVolume.Name", text);
        }
        _ => {
            let _ = content(&spec, &mut causes);
        }
    }
    Said::cdi(causes).map(|()| Vec::new())
}

/// Whether more has changed than the checkpoints of an import in stages.
fn changed(old: &Value, new: &Value) -> bool {
    let staged = new["spec"]["checkpoints"].as_array().is_some_and(|list| !list.is_empty())
        && ["vddk", "imageio"].iter().any(|source| !new["spec"]["source"][*source].is_null());
    if !staged {
        return old["spec"] != new["spec"];
    }
    let rest = |object: &Value| {
        let mut spec = object["spec"].as_object().cloned().unwrap_or_default();
        spec.retain(|field, _| !matches!(field.as_str(), "checkpoints" | "finalCheckpoint"));
        spec
    };
    rest(old) != rest(new)
}

/// Whether a claim of this name is there that is not the DataVolume's.
fn taken(review: &Review<'_>, volume: &Spot<'_>) -> bool {
    let name = volume.get("metadata.name").text();
    let adopts = volume.get("metadata.annotations").value.get("cdi.kubevirt.io/allowClaimAdoption");
    let Some(claim) = review.around.get("", "persistentvolumeclaims", review.namespace, name) else {
        return false;
    };
    let metadata = &claim["metadata"];
    let populated = metadata["annotations"]["cdi.kubevirt.io/storage.populatedFor"] == name;
    let owned = metadata["ownerReferences"]
        .as_array()
        .into_iter()
        .flatten()
        .any(|owner| owner["controller"] == true && owner["kind"] == "DataVolume");
    !populated && !owned && adopts.is_none_or(|adopts| adopts != "true")
}

/// The first thing that is wrong ends it.
type Found = Option<()>;

fn content(spec: &Spot<'_>, causes: &mut Causes) -> Found {
    let mut tell = |field: &str, text: &str| -> Found {
        causes.invalid(spec.at(field), text);
        None
    };
    let sources = spec.set_of(&["source", "sourceRef"]);
    let target = match spec.set_of(&["pvc", "storage"]).as_slice() {
        [] => return tell("PVC", "Missing Data volume PVC"),
        [target] => *target,
        _ => {
            return tell(
                "PVC.Storage",
                "Duplicate storage definition, both target storage and target pvc defined",
            );
        }
    };
    let wanted = spec.get(target);
    let outside = !wanted.set_of(&["dataSource", "dataSourceRef"]).is_empty();
    let source = spec.get("source");
    let clones = !source.set_of(&["pvc", "snapshot"]).is_empty() || sources.contains(&"sourceRef");
    storage(&wanted, target, clones || outside, &mut tell)?;
    if outside {
        return if sources.is_empty() {
            Some(())
        } else {
            tell("source", "External population is incompatible with Source and SourceRef")
        };
    }
    match sources.as_slice() {
        ["source"] => {}
        ["sourceRef"] => return reference(&spec.get("sourceRef"), &mut tell),
        _ => {
            let text = "Data volume should have either Source or SourceRef, or be externally populated";
            return tell("source", text);
        }
    }
    match source.set_of(SOURCES).as_slice() {
        [] => tell("source", "Missing Data volume source"),
        [one] => import(spec, one, &mut tell),
        _ => tell("source", "Multiple Data volume sources"),
    }
}

/// Size and ways of access.
fn storage(
    wanted: &Spot<'_>,
    field: &str,
    may_lack: bool,
    tell: &mut impl FnMut(&str, &str) -> Found,
) -> Found {
    let name = if field == "pvc" { "PVC" } else { "Storage" };
    let size = wanted.get("resources.requests.storage");
    let place = format!("{name}.resources.requests.size");
    match (size.is_set(), Quantity::of(size.value)) {
        (false, _) if may_lack && field == "storage" => {}
        (false, _) => return tell(&place, &format!("{name} size is missing")),
        (true, Ok(amount)) if amount <= Quantity::default() => {
            return tell(&place, &format!("{name} size can't be equal or less than zero"));
        }
        (true, Ok(amount)) if amount.whole() < LEAST => {
            return tell(&place, &format!("{name} size should be at least 1MiB"));
        }
        _ => {}
    }
    let modes: Vec<&str> = wanted.get("accessModes").items().map(|mode| mode.text()).collect();
    if field == "pvc" {
        match modes.len() {
            0 => {
                return tell("PVC.accessModes", "Required value: at least 1 access mode is required");
            }
            1 => {}
            _ => return tell("PVC.accessModes", "PVC multiple accessModes"),
        }
    }
    match modes.iter().find(|mode| !MODES.contains(mode)) {
        None => Some(()),
        Some(mode) => {
            let known: Vec<String> = MODES.iter().map(|mode| format!("{mode:?}")).collect();
            let text = format!("Unsupported value: {mode:?}: supported values: {}", known.join(", "));
            tell("PVC.accessModes", &text)
        }
    }
}

fn reference(reference: &Spot<'_>, tell: &mut impl FnMut(&str, &str) -> Found) -> Found {
    match (reference.get("kind").text(), reference.get("name").text()) {
        ("", _) => tell("sourceRef.Kind", "Missing sourceRef kind"),
        ("DataSource", "") => tell("sourceRef.Name", "Missing sourceRef name"),
        ("DataSource", _) => Some(()),
        (other, _) => tell(
            "sourceRef.Kind",
            &format!("Unsupported sourceRef kind {other}, currently only DataSource is supported"),
        ),
    }
}

/// The one source.
fn import(spec: &Spot<'_>, kind: &str, tell: &mut impl FnMut(&str, &str) -> Found) -> Found {
    let source = spec.get("source").get(kind);
    let content = spec.get("contentType").text();
    if !matches!(content, "" | "kubevirt" | "archive") {
        return tell("contentType", "ContentType not one of: kubevirt, archive");
    }
    let lacks = |fields: &[&str]| fields.iter().any(|field| source.get(field).text().is_empty());
    match kind {
        "blank" if content == "archive" => {
            tell("contentType", "SourceType cannot be blank and the contentType be archive")?;
        }
        "registry" if content == "archive" => {
            tell("contentType", "ContentType must be kubevirt when Source is Registry")?;
        }
        "registry" => registry(&source, tell)?,
        "imageio" if lacks(&["secretRef", "diskId"]) => {
            let text = format!("{} source Imageio is not valid", spec.at("source.Imageio"));
            tell("source.Imageio", &text)?;
        }
        "vddk" if lacks(&["secretRef", "uuid", "backingFile", "thumbprint"]) => {
            tell("source.VDDK", &format!("{} source VDDK is not valid", spec.at("source.VDDK")))?;
        }
        "pvc" if lacks(&["namespace", "name"]) => {
            tell("source.PVC", &format!("{} source PVC is not valid", spec.at("source.PVC")))?;
        }
        "snapshot" if lacks(&["namespace", "name"]) => {
            let text = format!("{} source snapshot is not valid", spec.at("source.Snapshot"));
            tell("source.Snapshot", &text)?;
        }
        _ => {}
    }
    if let Some((_, name)) = FROM_URL.iter().find(|(field, _)| *field == kind)
        && let Some(why) = bad_url(source.get("url").text())
    {
        tell(&format!("source.{name}.url"), &format!("{} {why}", spec.at("source")))?;
    }
    let checksum = source.get("checksum").text();
    if kind == "http" && !checksum.is_empty() && !is_checksum(checksum) {
        tell("source.HTTP.checksum", &format!("Invalid checksum format: {checksum}"))?;
    }
    Some(())
}

fn registry(source: &Spot<'_>, tell: &mut impl FnMut(&str, &str) -> Found) -> Found {
    let (url, stream, method) = (source.get("url"), source.get("imageStream"), source.get("pullMethod"));
    if url.is_set() == stream.is_set() {
        return tell("source.Registry", "Source registry should have either URL or ImageStream");
    }
    if url.is_set() {
        let scheme = url.text().split_once("://").map_or("", |(scheme, _)| scheme);
        if !matches!(scheme, "docker" | "oci-archive") {
            let text = format!("Illegal registry source URL scheme {}", url.text());
            return tell("source.Registry.URL", &text);
        }
    }
    if method.is_set() && !matches!(method.text(), "pod" | "node") {
        let text = format!("ImportMethod {} is neither pod, node or \"\"", method.text());
        return tell("source.Registry.importMethod", &text);
    }
    if stream.is_set() && stream.text().is_empty() {
        return tell("source.Registry.importMethod", "Source registry ImageStream is not valid");
    }
    if stream.is_set() && method.text() != "node" {
        let text = "Source registry ImageStream is supported only with node pull import method";
        return tell("source.Registry.importMethod", text);
    }
    Some(())
}

fn bad_url(url: &str) -> Option<String> {
    if url.is_empty() {
        return Some("source URL is empty".into());
    }
    let parsed = url.parse::<http::Uri>().ok().filter(|_| url.contains("://") || url.starts_with('/'));
    match parsed {
        None => Some(format!("Invalid source URL: {url}")),
        Some(parsed) if !matches!(parsed.scheme_str(), Some("http" | "https" | "gs")) => {
            Some(format!("Invalid source URL scheme: {url}"))
        }
        Some(_) => None,
    }
}

fn is_checksum(text: &str) -> bool {
    let Some((algorithm, digits)) = text.split_once(':') else { return false };
    let length = CHECKSUMS.iter().find(|(name, _)| *name == algorithm).map(|(_, length)| *length);
    length == Some(digits.len()) && digits.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// The answer about a DataImportCron.
pub(super) fn validate_cron(review: &Review<'_>, cron: &Value) -> Result<Vec<String>, Said> {
    let spec = Spot::new(cron, "").get("spec");
    let mut causes = Causes::default();
    if let Some(old) = review.old {
        if old["spec"] != cron["spec"] {
            causes.duplicate("DataImportCron.Spec", "Cannot update DataImportCron Spec");
        }
        return Said::cdi(causes).map(|()| Vec::new());
    }
    let template = spec.get("template.spec");
    let words = spec.get("schedule").text().split_whitespace().count();
    let unsettable = ["sourceRef", "contentType", "checkpoints", "finalCheckpoint"];
    let wrong = if template.get("source").set_of(&["registry", "pvc"]).len() != 1 {
        Some(("template.spec.source", "Missing source"))
    } else if unsettable.iter().any(|field| template.get(field).is_set()) {
        let text = "Unsettable fields: SourceRef, ContentType, Checkpoints, FinalCheckpoint";
        Some(("template.spec", text))
    } else if !matches!(words, 0 | 5) && !spec.get("schedule").text().starts_with('@') {
        Some(("schedule", "Illegal cron schedule"))
    } else if spec.get("importsToKeep").number() < 0 {
        Some(("importsToKeep", "Illegal ImportsToKeep value"))
    } else if !matches!(spec.get("garbageCollect").text(), "" | "Outdated" | "Never") {
        Some(("garbageCollect", "Illegal GarbageCollect value"))
    } else if spec.get("managedDataSource").text().is_empty() {
        Some(("managedDataSource", "Illegal ManagedDataSource value"))
    } else {
        None
    };
    if let Some((field, text)) = wrong {
        causes.invalid(spec.at(field), text);
    }
    Said::cdi(causes).map(|()| Vec::new())
}

/// The answer about what fills a claim: its spec stays.
pub(super) fn validate_populator(review: &Review<'_>, source: &Value) -> Result<Vec<String>, Said> {
    let kind = source["kind"].as_str().unwrap_or_default();
    let mut causes = Causes::default();
    if review.old.is_some_and(|old| old["spec"] != source["spec"]) {
        causes.duplicate(format!("{kind}.Spec"), format!("Cannot update {kind} Spec"));
    }
    Said::cdi(causes).map(|()| Vec::new())
}
