//! Secrets in an object, hidden until somebody asks for them.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value};

use crate::config::redact::redact;

/// How the text begins that stands in the place of a secret.
pub(super) const HIDDEN: &str = "[hidden";

/// Fields of a VirtualMachine that hold what cloud-init is given: passwords, keys, whole scripts.
const GUEST_DATA: [&str; 2] = ["userData", "userDataBase64"];

/// The whole object as kubectl was given it last, Secrets and guest data included.
const LAST_APPLIED: &str = "kubectl.kubernetes.io/last-applied-configuration";

/// Replaces secrets by what says how long they are; gives how many there were.
pub(in crate::ui::panes) fn hide(object: &mut Value) -> usize {
    let mut hider = Hider { count: 0 };
    let Value::Object(fields) = object else { return 0 };
    if !is_secret(fields) {
        hider.look(object);
        return hider.count;
    }
    // What is hidden as a whole is not looked at again: whatever it says, there is nothing in it to be found.
    let parts = ["data", "stringData"].map(|part| (part, fields.get_mut(part).map(Value::take)));
    if let Some(applied) =
        fields.get_mut("metadata").and_then(|of| of.pointer_mut("/annotations")?.get_mut(LAST_APPLIED))
    {
        hider.whole(applied);
    }
    hider.look(object);
    for (part, mut data) in parts.into_iter().filter_map(|(part, data)| Some((part, data?))) {
        match &mut data {
            Value::Object(values) => values.values_mut().for_each(|value| hider.whole(value)),
            Value::Null => {}
            other => hider.whole(other),
        }
        object[part] = data;
    }
    hider.count
}

/// Decodes the values of a Secret that are text, for somebody who has asked.
pub(super) fn decode(object: &mut Value) {
    let Value::Object(fields) = object else { return };
    if !is_secret(fields) {
        return;
    }
    let Some(Value::Object(data)) = fields.get_mut("data") else { return };
    for value in data.values_mut() {
        let bytes = value.as_str().and_then(|text| STANDARD.decode(text).ok());
        if let Some(text) = bytes.and_then(|bytes| String::from_utf8(bytes).ok()) {
            *value = Value::String(text);
        }
    }
}

fn is_secret(fields: &Map<String, Value>) -> bool {
    fields.get("kind").is_some_and(|kind| kind == "Secret")
        && fields.get("apiVersion").is_some_and(|version| version == "v1")
}

/// Whether a field of this name holds a secret.
fn is_secret_name(name: &str) -> bool {
    !name.is_empty() && redact(&format!("{name}: 'x'")) != format!("{name}: 'x'")
}

struct Hider {
    count: usize,
}

impl Hider {
    fn whole(&mut self, value: &mut Value) {
        let length = match &*value {
            Value::String(text) => text.len(),
            other => other.to_string().len(),
        };
        *value = Value::String(format!("{HIDDEN}, {length} bytes]"));
        self.count += 1;
    }

    fn look(&mut self, value: &mut Value) {
        match value {
            Value::Object(fields) => {
                // An environment variable and the like: the name of the secret is beside it.
                let named = fields.get("name").and_then(Value::as_str).map(str::to_owned);
                for (key, value) in fields.iter_mut() {
                    let holds_guest = |text: &str| GUEST_DATA.iter().any(|name| text.contains(name));
                    match value {
                        Value::String(text) => {
                            let name = match &named {
                                Some(named) if key == "value" => named,
                                _ => key,
                            };
                            let hidden = GUEST_DATA.contains(&key.as_str())
                                || key == LAST_APPLIED && holds_guest(text);
                            if hidden {
                                self.whole(value);
                            } else {
                                self.text(name, value);
                            }
                        }
                        Value::Number(_) if is_secret_name(key) => self.whole(value),
                        other => self.look(other),
                    }
                }
            }
            Value::Array(items) => {
                for item in items {
                    match item {
                        Value::String(_) => self.text("", item),
                        other => self.look(other),
                    }
                }
            }
            _ => {}
        }
    }

    /// A text under a name: hidden if the name or the text look like a secret.
    fn text(&mut self, name: &str, value: &mut Value) {
        let Value::String(text) = &*value else { return };
        if is_secret_name(name) && !text.is_empty() {
            self.whole(value);
        } else if let std::borrow::Cow::Owned(safe) = redact(text) {
            *value = Value::String(safe);
            self.count += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn hidden(mut value: Value) -> Value {
        hide(&mut value);
        value
    }

    #[test]
    fn a_secret_says_only_how_long_its_values_are() {
        let secret = json!({
            "apiVersion": "v1", "kind": "Secret", "type": "Opaque",
            "metadata": {"name": "s", "annotations": {LAST_APPLIED: "{\"data\":{\"a\":\"aGk=\"}}", "b": "c"}},
            "data": {"a": "aGk=", "b": ""}, "stringData": {"c": "plain"},
        });
        let mut copy = secret.clone();
        assert_eq!(hide(&mut copy), 4);
        assert_eq!(copy["data"], json!({"a": "[hidden, 4 bytes]", "b": "[hidden, 0 bytes]"}));
        assert_eq!(copy["stringData"]["c"], "[hidden, 5 bytes]");
        assert_eq!(copy["metadata"]["annotations"][LAST_APPLIED], "[hidden, 21 bytes]");
        assert_eq!(copy["metadata"]["annotations"]["b"], "c");
        let mut shown = secret;
        decode(&mut shown);
        assert_eq!(shown["data"], json!({"a": "hi", "b": ""}));
    }

    #[test]
    fn a_secret_that_looks_hidden_is_hidden() {
        let secret = json!({
            "apiVersion": "v1", "kind": "Secret", "metadata": {"annotations": {"example.test/token": "[hidden] not"}},
            "data": {"token": "[hidden"}, "stringData": "[hidden",
        });
        let shown = hidden(secret);
        assert_eq!(
            (&shown["data"]["token"], &shown["stringData"]),
            (&json!("[hidden, 7 bytes]"), &json!("[hidden, 7 bytes]"))
        );
        assert_eq!(shown["metadata"]["annotations"]["example.test/token"], "[hidden, 12 bytes]");
    }

    #[test]
    fn what_cloud_init_is_given_is_hidden() {
        let volumes = json!([{"name": "ci", "cloudInitNoCloud": {
            "userData": "#cloud-config\npassword: x", "userDataBase64": "eA==", "networkData": "version: 2",
            "secretRef": {"name": "creds"},
        }}]);
        let applied = json!({"spec": volumes}).to_string();
        let machine = hidden(json!({
            "kind": "VirtualMachine", "metadata": {"annotations": {LAST_APPLIED: applied}},
            "spec": {"template": {"spec": {"volumes": volumes}}},
        }));
        let shown = &machine["spec"]["template"]["spec"]["volumes"][0]["cloudInitNoCloud"];
        assert_eq!(shown["userData"], "[hidden, 25 bytes]");
        assert_eq!(shown["userDataBase64"], "[hidden, 4 bytes]");
        assert_eq!(
            (&shown["networkData"], &shown["secretRef"]["name"]),
            (&json!("version: 2"), &json!("creds"))
        );
        let applied = machine["metadata"]["annotations"][LAST_APPLIED].as_str().unwrap();
        assert!(applied.starts_with(HIDDEN), "{applied}");
    }

    #[test]
    fn values_whose_names_tell_are_hidden() {
        let object = hidden(json!({
            "spec": {
                "password": "it's", "pin_password": 1234, "automountToken": true, "tokenFile": "/run/token", "token": "", "args": ["--token=abc", "-v"],
                "env": [{"name": "DB_PASSWORD", "value": "x"}, {"name": "HOME", "value": "/root"}],
                "url": "https://me:secret@host/", "count": 3,
            },
        }));
        assert_eq!(
            object["spec"],
            json!({
                "password": "[hidden, 4 bytes]", "pin_password": "[hidden, 4 bytes]", "automountToken": true, "tokenFile": "/run/token", "token": "",
                "args": ["--token=[hidden]", "-v"],
                "env": [{"name": "DB_PASSWORD", "value": "[hidden, 1 bytes]"}, {"name": "HOME", "value": "/root"}],
                "url": "https://me:[hidden]@host/", "count": 3,
            })
        );
    }

    #[test]
    fn an_object_without_secrets_stays_as_it_is() {
        let object = json!({"kind": "ConfigMap", "data": {"a": "b"}, "list": [1, "x", null, [true]]});
        assert_eq!(hidden(object.clone()), object);
    }
}
