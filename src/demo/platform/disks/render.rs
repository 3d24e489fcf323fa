//! Which claim a DataVolume needs, worked out of what it says, its storage class and CDI's profile of that.

use serde_json::{Value, json};

use super::super::kind::Kind;
use super::super::object::Object;
use super::super::play::{self, Shows};
use super::super::view::View;
use super::class::{self, bytes, inflated, waits_for_consumer};

/// A claim's specification.
#[derive(Debug)]
pub(super) struct Rendered<'a> {
    pub(super) spec: Value,
    pub(super) class: Option<&'a Object>,
}

/// Why none can be made.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Invalid {
    /// What is told at once.
    pub(super) warning: String,
    /// What stands in the conditions.
    pub(super) message: String,
}

impl Invalid {
    fn new(warning: impl Into<String>, message: impl Into<String>) -> Self {
        Self { warning: warning.into(), message: message.into() }
    }
}

/// Works out the claim of a DataVolume.
pub(super) fn render<'a>(view: &'a View<'_>, dv: &Object) -> Result<Rendered<'a>, Invalid> {
    if !dv.at("/spec/pvc").is_null() {
        let mut spec = dv.at("/spec/pvc").clone();
        if let Some(size) = bytes(dv.at("/spec/pvc/resources/requests/storage")) {
            spec["resources"]["requests"]["storage"] = size.to_string().into();
        }
        let class = match spec["storageClassName"].as_str() {
            Some(name) => class::find(view, name),
            None => class::default(view, false),
        };
        if spec["storageClassName"].is_null()
            && let Some(class) = class
        {
            spec["storageClassName"] = class.name().into();
        }
        return Ok(Rendered { spec, class });
    }
    let asked = dv.at("/spec/storage");
    let class = class_of(view, dv, asked);
    let (modes, volume_mode) = modes(view, asked, class)?;
    let Some(size) = size(view, dv, asked) else {
        let text = "PVC Spec is not valid - missing storage size";
        return Err(Invalid::new(text, text));
    };
    let files = volume_mode != "Block";
    if !files && dv.text("/spec/contentType") == "archive" {
        let text = "ContentType Archive cannot have block volumeMode";
        return Err(Invalid::new(text, text));
    }
    let name = class.map(Object::name).or(asked["storageClassName"].as_str());
    let size = if files { inflated(size, class::overhead(view, name.unwrap_or_default())) } else { size };
    let mut spec = json!({
        "accessModes": modes, "volumeMode": volume_mode, "resources": {"requests": {"storage": size.to_string()}},
    });
    if let Some(name) = name {
        spec["storageClassName"] = name.into();
    }
    if asked["selector"].is_object() {
        spec["selector"] = asked["selector"].clone();
    }
    Ok(Rendered { spec, class })
}

fn class_of<'a>(view: &'a View<'_>, dv: &Object, asked: &Value) -> Option<&'a Object> {
    if let Some(name) = asked["storageClassName"].as_str() {
        return class::find(view, name);
    }
    match play::cause(view, dv, Shows::Claim).map(|cause| cause.name) {
        Some("no-default-class") => None,
        Some("first-consumer") => {
            let mut classes = view.list(Kind::StorageClass, "");
            classes.find(|class| waits_for_consumer(class)).or_else(|| class::default(view, true))
        }
        _ => class::default(view, dv.text("/spec/contentType") != "archive"),
    }
}

/// Access modes and volume mode.
fn modes(view: &View<'_>, asked: &Value, class: Option<&Object>) -> Result<(Vec<Value>, String), Invalid> {
    let wanted = asked["accessModes"].as_array().cloned().unwrap_or_default();
    let mode = asked["volumeMode"].as_str().filter(|mode| *mode != "FromStorageProfile");
    let sets = class.map(|class| class::sets(view, class)).unwrap_or_default();
    let modes_of = |set: &Value| set["accessModes"].as_array().cloned().unwrap_or_default();
    let volume_mode_of = |set: &Value| set["volumeMode"].as_str().unwrap_or("Filesystem").to_owned();
    if !wanted.is_empty() {
        let fitting = || sets.iter().find(|set| wanted.iter().any(|mode| modes_of(set).contains(mode)));
        let found = mode.map(str::to_owned).or_else(|| fitting().map(volume_mode_of));
        return Ok((wanted, found.unwrap_or_else(|| "Filesystem".to_owned())));
    }
    let Some(class) = class else {
        let text = "PVC spec is missing accessMode and no storageClass to choose profile";
        return Err(Invalid::new(text, text));
    };
    let name = class.name();
    let found = sets.iter().find(|set| mode.is_none_or(|mode| volume_mode_of(set) == mode));
    if let Some(set) = found.filter(|set| !modes_of(set).is_empty()) {
        return Ok((modes_of(set), volume_mode_of(set)));
    }
    let warning = match mode {
        None => {
            format!(
                "Spec is missing accessMode and volumeMode, cannot get access mode from StorageProfile {name}"
            )
        }
        Some(_) => {
            format!("Spec is missing accessMode and cannot get access mode from StorageProfile {name}")
        }
    };
    let message = match sets.is_empty() {
        true => format!("no accessMode specified in StorageProfile {name}"),
        false => format!("no matching accessMode specified in StorageProfile {name}"),
    };
    Err(Invalid::new(warning, message))
}

/// How many bytes are asked for: as many as the source has where a copy does not say.
fn size(view: &View<'_>, dv: &Object, asked: &Value) -> Option<u64> {
    let said = bytes(&asked["resources"]["requests"]["storage"]);
    said.or_else(|| super::source::of(view, dv).and_then(|source| source.size(view)))
}
