//! Which fields the objects of a kind have.

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::LazyLock;

use serde_json::Value;

use super::messages::message;
use super::{Field, Object, Owned, Type};
use crate::demo::server::kinds::Kind;
use crate::model::crd;
use crate::rules::{Subject, fields};

/// Kinds of others whose specifications are known whole: group, kind, and whose list of fields it is.
const LISTED: [(&str, &str, Subject); 12] = [
    ("kubevirt.io", "VirtualMachine", Subject::VirtualMachine),
    ("kubevirt.io", "VirtualMachineInstance", Subject::VirtualMachineInstance),
    ("pool.kubevirt.io", "VirtualMachinePool", Subject::VirtualMachinePool),
    ("kubevirt.io", "VirtualMachineInstanceMigration", Subject::MachineMigration),
    ("snapshot.kubevirt.io", "VirtualMachineSnapshot", Subject::MachineSnapshot),
    ("snapshot.kubevirt.io", "VirtualMachineRestore", Subject::MachineRestore),
    ("cdi.kubevirt.io", "DataVolume", Subject::DataVolume),
    ("cdi.kubevirt.io", "DataSource", Subject::DataSource),
    ("cdi.kubevirt.io", "DataImportCron", Subject::DataImportCron),
    ("snapshot.storage.k8s.io", "VolumeSnapshot", Subject::VolumeSnapshot),
    ("virt.virtink.smartx.com", "VirtualMachine", Subject::VirtinkMachine),
    ("build.kairos.io", "OSArtifact", Subject::OsArtifact),
];

static KINDS: LazyLock<HashMap<Kind, Type>> =
    LazyLock::new(|| Kind::all().map(|kind| (kind, made(kind))).collect());

/// The objects of a kind.
pub(crate) fn of(kind: Kind) -> &'static Type {
    const ANY: &Type = &Type::Any;
    KINDS.get(&kind).unwrap_or(ANY)
}

fn made(kind: Kind) -> Type {
    let row = kind.row();
    if row.builtin { whole(row.kind) } else { Type::Fields(object(kind)) }
}

/// An object of a kind of others, or of our own.
fn object(kind: Kind) -> Object {
    let row = kind.row();
    let mut fields = vec![Field::new("apiVersion", Type::Text), Field::new("kind", Type::Text)];
    fields.push(Field::new("metadata", Type::Message("ObjectMeta")));
    let listed = LISTED.iter().find(|(group, name, _)| (row.group, row.kind) == (group, name));
    if let Some(spec) = listed.and_then(|(.., subject)| fields::specification(*subject)) {
        let of = Type::Fields(Object { name: row.kind, ..listed_object(row.kind, spec) });
        fields.extend([Field::new("spec", of), Field::new("status", Type::Any)]);
        return Object { fields, name: row.kind, ..Object::default() };
    }
    let own = crd::KINDS.iter().find(|own| row.group == crd::GROUP && own.kind == row.kind);
    let Some(own) = own else {
        fields.extend(["spec", "status"].map(|part| Field::new(part, Type::Any)));
        return Object { fields, open: true, name: row.kind, ..Object::default() };
    };
    let schema = schema_object(&crd::schema(*own));
    fields.extend(schema.fields.into_iter().filter(|field| matches!(&*field.name, "spec" | "status")));
    Object { fields, name: row.kind, ..Object::default() }
}

/// Objects of Kubernetes' own, stored or not: the fields of their message, and what says which it is.
pub(crate) fn whole(name: &'static str) -> Type {
    let mut fields = vec![Field::new("apiVersion", Type::Text), Field::new("kind", Type::Text)];
    let own = message(name);
    fields.extend(own.into_iter().flat_map(|message| message.fields.iter().cloned()));
    Type::Fields(Object { fields, open: own.is_none(), name, ..Object::default() })
}

/// A map with the fields of a list of [`crate::rules`], in objects of this kind.
fn listed_object(kind: &str, field: &'static fields::Field) -> Object {
    let list = field.below.iter().map(|one| Field {
        owned: exception(kind, field.name, one.name),
        ..Field::new(one.name, listed_type(kind, one))
    });
    Object { fields: list.collect(), ..Object::default() }
}

/// How fields of others' kinds are owned that are not owned as their types are: kinds (empty: all), the field above, the
/// field. In KubeVirt's and CDI's definitions these are `x-kubernetes-map-type` and `x-kubernetes-list-type` outside of lists,
/// which are owned as a whole there.
const EXCEPTIONS: [(&str, &str, &str, Owned); 13] = [
    ("", "pvc", "dataSource", Owned::Whole),
    ("", "pvc", "selector", Owned::Whole),
    ("", "storage", "dataSource", Owned::Whole),
    ("", "storage", "selector", Owned::Whole),
    ("", "nodeAffinity", "requiredDuringSchedulingIgnoredDuringExecution", Owned::Whole),
    ("", "spec", "topologySpreadConstraints", Owned::Items(Cow::Borrowed("topologyKey,whenUnsatisfiable"))),
    ("", "spec", "resourceClaims", Owned::Items(Cow::Borrowed("name"))),
    ("", "spec", "utilityVolumes", Owned::Items(Cow::Borrowed("name"))),
    ("VirtualMachinePool", "spec", "selector", Owned::Whole),
    ("VirtualMachineSnapshot", "spec", "source", Owned::Whole),
    ("VirtualMachineRestore", "spec", "target", Owned::Whole),
    ("OSArtifact", "spec", "dockerfileTemplateValuesFrom", Owned::Whole),
    ("OSArtifact", "volume", "selector", Owned::Whole),
];

fn exception(kind: &str, above: &str, name: &str) -> Option<Owned> {
    let mut rows = EXCEPTIONS.iter();
    let row =
        rows.find(|(of, at, field, _)| (of.is_empty() || *of == kind) && (*at, *field) == (above, name));
    row.map(|(.., owned)| owned.clone())
}

fn listed_type(kind: &str, field: &'static fields::Field) -> Type {
    let below = || Type::Fields(listed_object(kind, field));
    match field.type_ {
        "text" => Type::Text,
        "int" => Type::Long,
        "number" => Type::Double,
        "bool" => Type::Bool,
        "word" => Type::Word,
        "texts" => Type::List(Box::new(Type::Text)),
        "list" => Type::List(Box::new(below())),
        "map" => below(),
        _ => Type::Any,
    }
}

/// A map as a schema describes it.
fn schema_object(schema: &Value) -> Object {
    let required: Vec<&str> =
        schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    let fields = schema["properties"].as_object().into_iter().flatten().map(|(name, schema)| Field {
        required: required.contains(&name.as_str()),
        about: schema["description"].as_str().map(str::to_owned),
        owned: schema_owned(schema),
        ..Field::new(name.clone(), schema_type(schema))
    });
    let open = schema["x-kubernetes-preserve-unknown-fields"] == true;
    Object { fields: fields.collect(), open, ..Object::default() }
}

/// How a schema says that a value is owned, if it does.
fn schema_owned(schema: &Value) -> Option<Owned> {
    match (schema["x-kubernetes-list-type"].as_str(), schema["x-kubernetes-map-type"].as_str()) {
        (Some("map"), _) => {
            let keys = schema["x-kubernetes-list-map-keys"].as_array().into_iter().flatten();
            let keys: Vec<&str> = keys.filter_map(Value::as_str).collect();
            Some(Owned::Items(keys.join(",").into()))
        }
        (Some("set"), _) => Some(Owned::Values),
        (Some("atomic"), _) | (_, Some("atomic")) => Some(Owned::Whole),
        _ => None,
    }
}

fn schema_type(schema: &Value) -> Type {
    if schema["x-kubernetes-int-or-string"] == true {
        return Type::Word;
    }
    match schema["type"].as_str() {
        Some("string") if schema["format"] == "date-time" => Type::Time,
        Some("string") => Type::Text,
        Some("integer") => Type::Long,
        Some("number") => Type::Double,
        Some("boolean") => Type::Bool,
        Some("array") => Type::List(Box::new(schema_type(&schema["items"]))),
        Some("object") if schema["properties"].is_object() => Type::Fields(schema_object(schema)),
        Some("object") if schema["additionalProperties"].is_object() => {
            Type::Map(Box::new(schema_type(&schema["additionalProperties"])))
        }
        _ => Type::Any,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at<'a>(kind: Kind, path: &str) -> Option<&'a Type> {
        path.split('.').try_fold(of(kind), |of, name| {
            let of = if let Type::List(item) = of { item } else { of };
            of.object()?.field(name).map(|field| &field.of)
        })
    }

    #[test]
    fn kinds_have_their_fields() {
        for (api_version, kind, path) in [
            ("v1", "Pod", "spec.containers.env.valueFrom.secretKeyRef.name"),
            ("v1", "ConfigMap", "binaryData"),
            ("kubevirt.io/v1", "VirtualMachine", "spec.template.spec.domain.devices.disks.bootOrder"),
            ("kubevirt.io/v1", "VirtualMachine", "spec.dataVolumeTemplates.spec.source.http.url"),
            ("kubevirt.io/v1", "VirtualMachineInstance", "spec.domain.cpu.cores"),
            ("cdi.kubevirt.io/v1beta1", "DataVolume", "spec.storage.resources.requests"),
            ("v9s.dev/v1alpha1", "Workload", "spec.vm.bootDisk.source"),
            ("v9s.dev/v1alpha1", "Image", "metadata.labels"),
        ] {
            let kind = Kind::of_object(api_version, kind).unwrap();
            assert!(at(kind, path).is_some(), "{path}");
        }
        let bake = Kind::of_object("v9s.dev/v1alpha1", "Bake").unwrap();
        assert!(of(bake).object().unwrap().open);
    }

    #[test]
    fn every_list_of_fields_has_its_kind() {
        for (group, name, subject) in LISTED {
            let kind = Kind::all().find(|kind| (kind.row().group, kind.row().kind) == (group, name));
            assert!(kind.is_some() && fields::specification(subject).is_some(), "{name}");
        }
    }
}
