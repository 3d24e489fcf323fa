//! What a DataVolume is filled from.

use serde_json::Value;

use super::super::kind::Kind;
use super::super::object::Object;
use super::super::world::World;
use super::class::bytes;

/// How a DataVolume is filled.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) enum Source {
    /// From somewhere else, or with nothing: the name of the source as in `spec.source`.
    Import(String),
    /// By somebody who sends it.
    Upload,
    /// From a claim.
    Claim { namespace: String, name: String },
    /// From a volume snapshot.
    Snapshot { namespace: String, name: String },
}

/// What a DataVolume is filled from; nothing where it does not say, or points to a DataSource that does not.
pub(super) fn of(world: &World, dv: &Object) -> Option<Source> {
    let spec = dv.at("/spec/source");
    if spec.is_object() {
        return read(spec, dv.namespace());
    }
    let reference = dv.at("/spec/sourceRef");
    let namespace = reference["namespace"].as_str().unwrap_or(dv.namespace());
    let source = world.get(Kind::DataSource, namespace, reference["name"].as_str()?)?;
    resolve(world, source)
}

/// What a DataSource points to; another one at most once.
pub(super) fn resolve(world: &World, source: &Object) -> Option<Source> {
    let spec = source.at("/spec/source");
    match spec["dataSource"]["name"].as_str() {
        Some(name) => {
            let other = world.get(Kind::DataSource, source.namespace(), name)?;
            read(other.at("/spec/source"), other.namespace())
        }
        None => read(spec, source.namespace()),
    }
}

fn read(spec: &Value, namespace: &str) -> Option<Source> {
    let place = |of: &Value| {
        let text = |field: &str| of[field].as_str().map(str::to_owned);
        Some((text("namespace").unwrap_or_else(|| namespace.to_owned()), text("name")?))
    };
    let (kind, value) = spec.as_object()?.iter().find(|(_, value)| !value.is_null())?;
    match kind.as_str() {
        "upload" => Some(Source::Upload),
        "pvc" => place(value).map(|(namespace, name)| Source::Claim { namespace, name }),
        "snapshot" => place(value).map(|(namespace, name)| Source::Snapshot { namespace, name }),
        other => Some(Source::Import(other.to_owned())),
    }
}

impl Source {
    /// The object it is copied from.
    pub(super) fn object<'a>(&self, world: &'a World) -> Option<&'a Object> {
        match self {
            Self::Claim { namespace, name } => world.get(Kind::PersistentVolumeClaim, namespace, name),
            Self::Snapshot { namespace, name } => world.get(Kind::VolumeSnapshot, namespace, name),
            Self::Import(_) | Self::Upload => None,
        }
    }

    /// How many bytes what it is copied from has.
    pub(super) fn size(&self, world: &World) -> Option<u64> {
        let object = self.object(world)?;
        match self {
            Self::Claim { .. } => bytes(object.at("/status/capacity/storage"))
                .or_else(|| bytes(object.at("/spec/resources/requests/storage"))),
            _ => bytes(object.at("/status/restoreSize")),
        }
    }
}
