//! What of an object is folded away because it says nothing: who manages which field, and defaults.

use serde_json::{Value, json};

/// Fields of a specification that say only what would be so without them, as API servers write them into every object.
fn is_default(key: &str, value: &Value) -> bool {
    match key {
        "creationTimestamp" => value.is_null(),
        "terminationMessagePath" => value == "/dev/termination-log",
        "terminationMessagePolicy" => value == "File",
        "dnsPolicy" => value == "ClusterFirst",
        "schedulerName" => value == "default-scheduler",
        "enableServiceLinks" => value == true,
        "preemptionPolicy" => value == "PreemptLowerPriority",
        "protocol" => value == "TCP",
        "defaultMode" => value == 420,
        "volumeMode" => value == "Filesystem",
        "sessionAffinity" => value == "None",
        "securityContext" | "resources" | "devices" => *value == json!({}),
        _ => false,
    }
}

/// What was folded.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Folded {
    /// Entries of `metadata.managedFields`.
    pub(super) managers: usize,
    /// Fields that say only a default.
    pub(super) defaults: usize,
}

/// Takes away what says nothing.
pub(super) fn fold(object: &mut Value) -> Folded {
    let managed = object.get_mut("metadata").and_then(Value::as_object_mut);
    let managed = managed.and_then(|metadata| metadata.remove("managedFields"));
    let mut folded = Folded {
        managers: managed.as_ref().and_then(Value::as_array).map_or(0, Vec::len),
        ..Folded::default()
    };
    if let Some(spec) = object.get_mut("spec") {
        take_defaults(spec, &mut folded.defaults);
    }
    folded
}

fn take_defaults(value: &mut Value, count: &mut usize) {
    match value {
        Value::Object(fields) => {
            let before = fields.len();
            fields.retain(|key, value| !is_default(key, value));
            *count += before - fields.len();
            fields.values_mut().for_each(|value| take_defaults(value, count));
        }
        Value::Array(items) => items.iter_mut().for_each(|item| take_defaults(item, count)),
        _ => {}
    }
}

impl Folded {
    /// A line that says so, if there is something to say.
    pub(super) fn note(self) -> Option<String> {
        let managers = match self.managers {
            0 => None,
            1 => Some("managedFields (1 entry)".to_owned()),
            count => Some(format!("managedFields ({count} entries)")),
        };
        let defaults = match self.defaults {
            0 => None,
            1 => Some("1 field that says only a default".to_owned()),
            count => Some(format!("{count} fields that say only a default")),
        };
        let parts: Vec<String> = managers.into_iter().chain(defaults).collect();
        (!parts.is_empty()).then(|| format!("# folded: {}", parts.join(", ")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_says_nothing_is_folded_and_counted() {
        let mut pod = json!({
            "metadata": {"name": "web", "managedFields": [{}, {}]},
            "spec": {
                "dnsPolicy": "ClusterFirst", "schedulerName": "mine",
                "containers": [{"name": "app", "terminationMessagePolicy": "File", "resources": {}, "ports": [{"protocol": "TCP"}]}],
                "template": {"metadata": {"creationTimestamp": null}},
            },
            "status": {"protocol": "TCP"},
        });
        let folded = fold(&mut pod);
        assert_eq!(folded, Folded { managers: 2, defaults: 5 });
        assert_eq!(
            pod,
            json!({
                "metadata": {"name": "web"},
                "spec": {
                    "schedulerName": "mine", "containers": [{"name": "app", "ports": [{}]}], "template": {"metadata": {}},
                },
                "status": {"protocol": "TCP"},
            })
        );
        let note = "# folded: managedFields (2 entries), 5 fields that say only a default";
        assert_eq!(folded.note().as_deref(), Some(note));
        assert_eq!(Folded::default().note(), None);
        fold(&mut json!([1]));
    }
}
