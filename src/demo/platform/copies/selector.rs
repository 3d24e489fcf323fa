//! Label selectors, as they stand in objects.

use serde_json::Value;

/// Whether labels are what a `LabelSelector` wants; an empty one wants nothing in particular.
pub(super) fn matches(selector: &Value, labels: &Value) -> bool {
    let equal = selector["matchLabels"].as_object().into_iter().flatten();
    let all_equal = equal.into_iter().all(|(label, value)| labels.get(label) == Some(value));
    all_equal && expressions(selector).iter().all(|one| holds(one, labels))
}

fn expressions(selector: &Value) -> &[Value] {
    selector["matchExpressions"].as_array().map(Vec::as_slice).unwrap_or_default()
}

fn holds(expression: &Value, labels: &Value) -> bool {
    let label = labels.get(expression["key"].as_str().unwrap_or_default());
    let listed =
        || label.is_some_and(|label| expression["values"].as_array().is_some_and(|all| all.contains(label)));
    match expression["operator"].as_str() {
        Some("In") => listed(),
        Some("NotIn") => !listed(),
        Some("Exists") => label.is_some(),
        Some("DoesNotExist") => label.is_none(),
        _ => false,
    }
}

/// A `LabelSelector` in one line, as it is asked of a server: terms in the order of their labels.
pub(super) fn text(selector: &Value) -> String {
    let string = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let mut terms: Vec<(String, String)> = Vec::new();
    for (label, value) in selector["matchLabels"].as_object().into_iter().flatten() {
        terms.push((label.clone(), format!("{label}={}", string(value))));
    }
    for one in expressions(selector) {
        let label = string(&one["key"]);
        let mut values: Vec<String> = one["values"].as_array().into_iter().flatten().map(string).collect();
        values.sort_unstable();
        let values = values.join(",");
        let term = match one["operator"].as_str() {
            Some("In") => format!("{label} in ({values})"),
            Some("NotIn") => format!("{label} notin ({values})"),
            Some("DoesNotExist") => format!("!{label}"),
            _ => label.clone(),
        };
        terms.push((label, term));
    }
    terms.sort();
    terms.into_iter().map(|(_, term)| term).collect::<Vec<_>>().join(",")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn selectors_match_and_read_as_kubernetes_does() {
        let labels = json!({"app": "web", "tier": "front"});
        for (selector, wanted, line) in [
            (json!({"matchLabels": {"tier": "front", "app": "web"}}), true, "app=web,tier=front"),
            (json!({"matchLabels": {"app": "db"}}), false, "app=db"),
            (
                json!({"matchExpressions": [{"key": "app", "operator": "In", "values": ["web", "db"]}]}),
                true,
                "app in (db,web)",
            ),
            (
                json!({"matchExpressions": [{"key": "app", "operator": "NotIn", "values": ["web"]}]}),
                false,
                "app notin (web)",
            ),
            (json!({"matchExpressions": [{"key": "old", "operator": "DoesNotExist"}]}), true, "!old"),
            (json!({"matchExpressions": [{"key": "tier", "operator": "Exists"}]}), true, "tier"),
            (json!({}), true, ""),
        ] {
            assert_eq!(matches(&selector, &labels), wanted, "{selector}");
            assert_eq!(text(&selector), line);
        }
    }
}
