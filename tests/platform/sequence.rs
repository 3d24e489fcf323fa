//! What a watch has seen, made comparable: per object the states it went through, and what was told of it.

use std::collections::BTreeMap;

use regex::Regex;
use serde_json::Value;

/// What a watch said: the plural of a kind, what happened (`ADDED`, `MODIFIED`, `DELETED`) and the object.
#[derive(Clone, Debug)]
pub(super) struct Line {
    pub(super) resource: String,
    pub(super) event: String,
    pub(super) object: Value,
}

/// Per object (`pods/virt-launcher-web-*`, or `events of Pod/…`) what one saw of it, in order, each once in a row.
pub(super) type Sequences = BTreeMap<String, Vec<String>>;

/// Names and texts in which everything is replaced that another run gives otherwise.
struct Words {
    /// Names that were generated, the longest first, with what stands for them.
    generated: Vec<(String, String)>,
    namespace: String,
    uid: Regex,
    address: Regex,
    node: Regex,
    webhook: Regex,
}

impl Words {
    fn of(lines: &[Line]) -> Self {
        let mut generated: Vec<(String, String)> = Vec::new();
        for line in lines {
            let metadata = &line.object["metadata"];
            if let (Some(prefix), Some(name)) = (metadata["generateName"].as_str(), metadata["name"].as_str())
            {
                generated.push((name.to_owned(), format!("{prefix}*")));
            }
        }
        generated.sort_by_key(|(name, _)| std::cmp::Reverse(name.len()));
        generated.dedup();
        let namespace = lines.iter().find_map(|line| line.object["metadata"]["namespace"].as_str());
        let expression = |text: &str| Regex::new(text).expect("an expression");
        Self {
            generated,
            namespace: namespace.unwrap_or_default().to_owned(),
            uid: expression("[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"),
            address: expression(r"\b\d{1,3}\.\d{1,3}\.\d{1,3}\.\d{1,3}\b"),
            node: expression(r"\bnode-\d+\b"),
            // The recordings were made with a configuration of their own.
            webhook: expression("webhook \"[a-z.-]+\""),
        }
    }

    fn normal(&self, text: &str) -> String {
        let mut text = text.to_owned();
        for (name, role) in &self.generated {
            if text.contains(name.as_str()) {
                text = text.replace(name.as_str(), role);
            }
        }
        if !self.namespace.is_empty() {
            text = text.replace(&self.namespace, "NAMESPACE");
        }
        for (expression, word) in
            [(&self.uid, "UID"), (&self.address, "ADDRESS"), (&self.node, "NODE"), (&self.webhook, "WEBHOOK")]
        {
            text = expression.replace_all(&text, word).into_owned();
        }
        text
    }
}

/// Puts what was seen into sequences.
pub(super) fn sequences(lines: &[Line]) -> Sequences {
    let words = Words::of(lines);
    let mut numbers: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let mut all = Sequences::new();
    for line in lines {
        let object = &line.object;
        let text = |pointer: &str| object.pointer(pointer).and_then(Value::as_str).unwrap_or_default();
        if line.resource == "events" {
            let key = format!(
                "events of {}/{}",
                text("/involvedObject/kind"),
                words.normal(text("/involvedObject/name"))
            );
            let told = format!("{} {}: {}", text("/type"), text("/reason"), words.normal(text("/message")));
            let sequence = all.entry(key).or_default();
            if line.event != "DELETED" && !sequence.contains(&told) {
                sequence.push(told);
            }
            continue;
        }
        let role = format!("{}/{}", line.resource, words.normal(text("/metadata/name")));
        // The second object of a role is another one.
        let known = numbers.entry(role.clone()).or_default();
        let uid = text("/metadata/uid").to_owned();
        let number = known.iter().position(|one| *one == uid).unwrap_or_else(|| {
            known.push(uid);
            known.len() - 1
        });
        let key = if number == 0 { role } else { format!("{role} #{}", number + 1) };
        let sequence = all.entry(key).or_default();
        let state = if line.event == "DELETED" { "gone".to_owned() } else { state(object) };
        if sequence.last() != Some(&state) {
            sequence.push(state);
        }
    }
    all
}

/// Phase and conditions.
fn state(object: &Value) -> String {
    let status = &object["status"];
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let phase = match &status["phase"] {
        Value::String(phase) => phase.clone(),
        _ => text(&status["printableStatus"]),
    };
    let mut conditions: Vec<String> = status["conditions"]
        .as_array()
        .into_iter()
        .flatten()
        .map(|one| format!("{}={}/{}", text(&one["type"]), text(&one["status"]), text(&one["reason"])))
        .collect();
    conditions.sort_unstable();
    format!("{phase} {}", conditions.join(" ")).trim().to_owned()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn line(resource: &str, event: &str, object: Value) -> Line {
        Line { resource: resource.into(), event: event.into(), object }
    }

    #[test]
    fn names_that_differ_from_run_to_run_are_replaced_and_states_come_once_in_a_row() {
        let pod = |phase: &str| {
            json!({"metadata": {"name": "virt-launcher-web-abcde", "generateName": "virt-launcher-web-", "uid": "1"},
                "status": {"phase": phase, "conditions": [{"type": "Ready", "status": "True"}]}})
        };
        let told = json!({"metadata": {"name": "e"}, "involvedObject": {"kind": "VirtualMachineInstance", "name": "web"},
            "type": "Normal", "reason": "SuccessfulCreate", "message": "Created virtual machine pod virt-launcher-web-abcde"});
        let seen = sequences(&[
            line("pods", "ADDED", pod("Pending")),
            line("pods", "MODIFIED", pod("Pending")),
            line("events", "ADDED", told),
            line("pods", "MODIFIED", pod("Running")),
            line("pods", "DELETED", pod("Running")),
        ]);
        assert_eq!(seen["pods/virt-launcher-web-*"], ["Pending Ready=True/", "Running Ready=True/", "gone"]);
        assert_eq!(
            seen["events of VirtualMachineInstance/web"],
            ["Normal SuccessfulCreate: Created virtual machine pod virt-launcher-web-*"]
        );
    }
}
