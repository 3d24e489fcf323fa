//! Values that are not of the type of their field.
//!
//! Kubernetes' own kinds are read by Go's decoder, which stops at the first of them; those of others are judged by their
//! schemas, which name all. Amounts and whatever may be a number or a text are not looked into.

use serde_json::Value;

use super::Type;

/// A value of the wrong type, in the words of JSON's schemas.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Wrong {
    /// `spec.volumes[0].name`
    pub(crate) field: String,
    pub(crate) is: &'static str,
    pub(crate) must_be: &'static str,
}

/// All values of an object of others' kinds that are not of their types. Null is as good as nothing.
pub(crate) fn wrong(object: &Value, of: &Type) -> Vec<Wrong> {
    let mut found = Vec::new();
    for field in of.object().into_iter().flat_map(|object| &object.fields) {
        if !matches!(&*field.name, "apiVersion" | "kind" | "metadata") {
            look(&object[&*field.name], &field.of, field.name.to_string(), &mut found);
        }
    }
    found
}

fn look(value: &Value, of: &Type, path: String, found: &mut Vec<Wrong>) {
    let must_be = match of {
        Type::Text | Type::Time | Type::MicroTime | Type::Bytes => "string",
        Type::Bool => "boolean",
        Type::Int | Type::Long => "integer",
        Type::Double => "number",
        Type::List(_) => "array",
        Type::Message(_) | Type::Fields(_) | Type::Map(_) => "object",
        Type::Any | Type::Quantity | Type::Word => return,
    };
    let is = match value {
        Value::Null => return,
        Value::Bool(_) => "boolean",
        Value::Number(number) if number.is_f64() => "number",
        Value::Number(_) => "integer",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    };
    if is != must_be && !(is == "integer" && must_be == "number") {
        found.push(Wrong { field: path, is, must_be });
        return;
    }
    match (of, value) {
        (Type::List(item), Value::Array(list)) => {
            for (at, value) in list.iter().enumerate() {
                look(value, item, format!("{path}[{at}]"), found);
            }
        }
        (Type::Map(inside), Value::Object(map)) => {
            for (key, value) in map {
                look(value, inside, format!("{path}.{key}"), found);
            }
        }
        (of, Value::Object(map)) => {
            let object = of.object();
            for (key, value) in map {
                if let Some(field) = object.and_then(|object| object.field(key)) {
                    look(value, &field.of, format!("{path}.{key}"), found);
                }
            }
        }
        _ => {}
    }
}

/// What Go's decoder says of the first value of an object of Kubernetes' own kinds that it cannot take, if there is one.
/// The metadata are not looked into.
pub(crate) fn unreadable(object: &Value, of: &Type) -> Option<String> {
    let own = of.object()?;
    let mut fields =
        own.fields.iter().filter(|field| !matches!(&*field.name, "apiVersion" | "kind" | "metadata"));
    fields.find_map(|field| stuck(&object[&*field.name], &field.of, own.name, &field.name))
}

/// `of` is the type of a value at a path, `inside` the name of the type whose field it is.
fn stuck(value: &Value, of: &Type, inside: &str, path: &str) -> Option<String> {
    match (of, value) {
        (_, Value::Null) | (Type::Any | Type::Quantity | Type::Word | Type::Time | Type::MicroTime, _) => {
            None
        }
        (Type::Text | Type::Bytes, Value::String(_))
        | (Type::Bool, Value::Bool(_))
        | (Type::Double, Value::Number(_)) => None,
        (Type::Int | Type::Long, Value::Number(number)) if !number.is_f64() => None,
        (Type::List(item), Value::Array(list)) => {
            list.iter().find_map(|value| stuck(value, item, inside, path))
        }
        (Type::Map(item), Value::Object(map)) => {
            map.values().find_map(|value| stuck(value, item, inside, path))
        }
        (Type::Message(_) | Type::Fields(_), Value::Object(map)) => {
            let own = of.object()?;
            map.iter().find_map(|(key, value)| {
                let field = own.field(key)?;
                stuck(value, &field.of, own.name, &format!("{path}.{key}"))
            })
        }
        _ => {
            let is = match value {
                Value::Number(number) if matches!(of, Type::Int | Type::Long) => format!("number {number}"),
                value => crate::demo::server::decode::type_name(value).to_owned(),
            };
            Some(format!(
                "json: cannot unmarshal {is} into Go struct field {inside}.{path} of type {}",
                go(of)
            ))
        }
    }
}

/// A type as Go calls it.
fn go(of: &Type) -> String {
    match of {
        Type::Text => "string".to_owned(),
        Type::Bool => "bool".to_owned(),
        Type::Int => "int32".to_owned(),
        Type::Long => "int64".to_owned(),
        Type::Double => "float64".to_owned(),
        Type::Bytes => "[]uint8".to_owned(),
        Type::Quantity => "resource.Quantity".to_owned(),
        Type::List(item) => format!("[]{}", go(item)),
        Type::Map(inside) => format!("map[string]{}", go(inside)),
        Type::Message(name) => format!("v1.{name}"),
        Type::Fields(object) => format!("v1.{}", object.name),
        Type::Any | Type::Word | Type::Time | Type::MicroTime => "interface {}".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::demo::server::kinds::Kind;
    use crate::demo::server::schema;

    #[test]
    fn wrong_values_are_named_with_their_place() {
        let machine = schema::of(Kind::of_object("kubevirt.io/v1", "VirtualMachine").unwrap());
        let object = |spec: Value| json!({"apiVersion": "kubevirt.io/v1", "metadata": 7, "spec": spec});
        for (spec, places) in [
            (json!({"running": true, "template": {"spec": {"domain": {"memory": {"guest": 1}}}}}), &[][..]),
            (json!({"running": null, "dataVolumeTemplates": null}), &[]),
            (json!({"running": "yes"}), &[("spec.running", "string", "boolean")]),
            (json!(3), &[("spec", "integer", "object")]),
            (
                json!({"template": {"spec": {"domain": {"cpu": {"cores": 1.5}}, "volumes": [{"name": "a"}, {"name": 1}]}}}),
                &[
                    ("spec.template.spec.domain.cpu.cores", "number", "integer"),
                    ("spec.template.spec.volumes[1].name", "integer", "string"),
                ],
            ),
        ] {
            let found = wrong(&object(spec.clone()), machine);
            let found: Vec<_> = found.iter().map(|one| (&*one.field, one.is, one.must_be)).collect();
            assert_eq!(found, places, "{spec}");
        }
    }

    #[test]
    fn what_go_cannot_read_is_said_in_its_words() {
        let pod = schema::of(Kind::of_object("v1", "Pod").unwrap());
        for (spec, why) in [
            (
                json!({"containers": [{"name": "a", "ports": [{"containerPort": 80}], "resources": {"limits": {"cpu": 1}}}]}),
                None,
            ),
            (
                json!({"containers": [{"name": "a", "image": 7}]}),
                Some(
                    "json: cannot unmarshal number into Go struct field Container.spec.containers.image of type string",
                ),
            ),
            (
                json!({"containers": {}}),
                Some(
                    "json: cannot unmarshal object into Go struct field PodSpec.spec.containers of type []v1.Container",
                ),
            ),
            (
                json!({"hostNetwork": "yes"}),
                Some(
                    "json: cannot unmarshal string into Go struct field PodSpec.spec.hostNetwork of type bool",
                ),
            ),
            (
                json!({"nodeSelector": {"a": true}}),
                Some(
                    "json: cannot unmarshal bool into Go struct field PodSpec.spec.nodeSelector of type string",
                ),
            ),
        ] {
            assert_eq!(unreadable(&json!({"spec": spec}), pod).as_deref(), why);
        }
    }
}
