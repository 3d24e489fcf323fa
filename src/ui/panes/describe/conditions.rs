//! Conditions as a table.

use serde_json::Value;

use super::page::Page;
use super::{ago, text};
use crate::ui::panes::text::Ink;
use crate::ui::theme::symbol;
use crate::views::detail::sense;

/// The conditions of an object.
pub(super) fn table(object: &Value, page: &mut Page) {
    let all = object.pointer("/status/conditions").and_then(Value::as_array);
    let Some(all) = all.filter(|all| !all.is_empty()) else { return };
    page.heading("Conditions");
    let rows: Vec<[(String, Ink); 5]> = all
        .iter()
        .map(|condition| {
            let (name, status) = (text(condition, "/type"), text(condition, "/status"));
            let health = sense(name, status);
            let since = ago(text(condition, "/lastTransitionTime"), page.now);
            [
                (format!("{} {name}", symbol(health)), Ink::Health(health)),
                (status.to_owned(), Ink::Health(health)),
                (since.map_or_else(String::new, |age| age.to_string()), Ink::Quiet),
                (text(condition, "/reason").to_owned(), Ink::Value),
                (crate::text::one_line(text(condition, "/message"), 500), Ink::Value),
            ]
        })
        .collect();
    page.table(&["CONDITION", "STATUS", "SINCE", "REASON", "MESSAGE"], &rows);
}
