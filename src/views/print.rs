//! Rows of a list as text: a table for people, data for programs, names for the clipboard.

use std::fmt::Write as _;
use std::io;

use serde_json::{Map, Value};

use super::{Holds, List};
use crate::explain::causes;
use crate::model::{Now, Time};
use crate::store::{Id, SortKey, Store};
use crate::text;

/// The shown rows with the visible columns, aligned.
pub fn table(list: &List, store: &Store, now: Now) -> String {
    let view = &list.view;
    let columns: Vec<usize> = list.columns(store).collect();
    let rows = list.rows();
    if rows.is_empty() {
        return "No rows.\n".into();
    }
    let titles: Vec<String> = columns.iter().map(|&column| view.heading(column).title.into_owned()).collect();
    let mut lines = vec![titles];
    lines.extend(rows.iter().map(|&id| {
        let cell = |&column: &usize| {
            let mut out = String::new();
            view.cell(store, id, column, now, &mut out);
            out
        };
        columns.iter().map(cell).collect()
    }));
    let widths: Vec<usize> = (0..columns.len())
        .map(|at| lines.iter().map(|line| text::width(&line[at])).max().unwrap_or(0))
        .collect();
    let mut out = String::new();
    for line in lines {
        let start = out.len();
        for (cell, width) in line.iter().zip(&widths) {
            let _ = write!(out, "{cell}{:pad$}", "", pad = width + 3 - text::width(cell).min(width + 3));
        }
        out.truncate(start + out[start..].trim_end().len());
        out.push('\n');
    }
    out
}

/// The shown rows as one JSON array: an object per row with its UID and the name of what is wrong with it; keys are the
/// titles of these columns in lower case.
///
/// # Errors
///
/// None that is known.
pub fn json(list: &List, columns: &[usize], store: &Store, now: Now) -> io::Result<String> {
    let row = |&id: &Id| {
        let mut row = Map::new();
        if let Some(meta) = store.meta(id) {
            row.insert("uid".into(), meta.uid.to_string().into());
        }
        row.insert("cause".into(), cause(list, store, id, now).into());
        for &column in columns {
            let title = list.view.heading(column).title.to_lowercase();
            row.insert(title, value(list, store, id, column, now));
        }
        Value::Object(row)
    };
    let rows: Vec<Value> = list.rows().iter().map(row).collect();
    let mut out = serde_json::to_string_pretty(&rows)?;
    out.push('\n');
    Ok(out)
}

/// The shown rows as CSV: a line with the titles of these columns in lower case, then a line per row; the name of what is
/// wrong with it and the UID come last.
///
/// # Errors
///
/// None that is known.
pub fn csv(list: &List, columns: &[usize], store: &Store, now: Now) -> io::Result<String> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    let titles = columns.iter().map(|&column| list.view.heading(column).title.to_lowercase());
    writer.write_record(titles.chain(["cause".to_owned(), "uid".to_owned()]))?;
    for &id in list.rows() {
        let cells = columns.iter().map(|&column| match value(list, store, id, column, now) {
            Value::Null => String::new(),
            Value::String(text) => text,
            other => other.to_string(),
        });
        let uid = store.meta(id).map_or(String::new(), |meta| meta.uid.to_string());
        let cause = cause(list, store, id, now).unwrap_or_default().to_owned();
        writer.write_record(cells.chain([cause, uid]))?;
    }
    let bytes = writer.into_inner().map_err(csv::IntoInnerError::into_error)?;
    String::from_utf8(bytes).map_err(io::Error::other)
}

/// The name under which the table of causes has what is wrong with a row: unlike the words of a cell it stays the same.
fn cause(list: &List, store: &Store, id: Id, now: Now) -> Option<&'static str> {
    list.view.state(store, id, now).cause.map(|cause| causes::of(cause).id)
}

/// A cell as data: numbers and times as values, a reason in words, nothing as null.
fn value(list: &List, store: &Store, id: Id, column: usize, now: Now) -> Value {
    let view = &list.view;
    match (view.key(store, id, column, now), view.heading(column).holds) {
        (SortKey::Nothing, _) => Value::Null,
        (SortKey::Number(seconds), Holds::Age) => {
            Time::from_seconds(seconds).map_or(Value::Null, |time| time.to_string().into())
        }
        (SortKey::Number(number), Holds::Number | Holds::Bytes) => number.into(),
        #[expect(clippy::cast_precision_loss, reason = "no machine has so many processors")]
        (SortKey::Number(millis), Holds::Millis) => (millis as f64 / 1000.0).into(),
        (SortKey::Text(text), holds) if holds != Holds::Reason => text.into(),
        _ => {
            let mut out = String::new();
            view.cell(store, id, column, now, &mut out);
            out.into()
        }
    }
}

/// The names of the marked rows, else of the one under the cursor, a line each.
pub fn names(list: &List, store: &Store) -> String {
    let metas = list.chosen().into_iter().filter_map(|id| store.meta(id));
    metas.map(|meta| meta.name.as_str()).collect::<Vec<_>>().join("\n")
}

/// The namespaces of the marked rows, else of the one under the cursor, each once, a line each.
pub fn namespaces(list: &List, store: &Store) -> String {
    let mut all: Vec<&str> = Vec::new();
    for meta in list.chosen().into_iter().filter_map(|id| store.meta(id)) {
        if !meta.namespace.is_empty() && !all.contains(&meta.namespace.as_str()) {
            all.push(meta.namespace.as_str());
        }
    }
    all.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::records::{Kind, Other, TableColumns, decode};
    use crate::store::{Batch, Coverage, Namespaces, Selection, Touched};
    use crate::views::table_view;

    #[test]
    fn numbers_of_a_servers_table_are_what_it_says() {
        let now = Now::at(0);
        let mut store = Store::new(crate::explain::STATES);
        let coverage = Coverage { namespaces: Namespaces::All, selection: Selection::Table("x".into()) };
        let feed = store.cover(Kind::Other, coverage, &mut Touched::default())[0].id;
        let row = r#"{"cells":["a",3,0.25,7,"many"],"object":{"metadata":{"name":"a","uid":"1"}}}"#;
        let row: Other = decode(row.as_bytes()).unwrap().record;
        store.apply(Batch::of(feed, 0, vec![row]), now, &mut Touched::default());
        let columns = r#"[{"name":"Name","type":"string"},{"name":"Data","type":"integer"},{"name":"Share","type":"number"},
            {"name":"Port","type":"string"},{"name":"Rules","type":"integer"}]"#;
        let columns: TableColumns = serde_json::from_str::<Vec<_>>(columns).unwrap().into();
        let list = List::new(table_view("x", false, Some(&columns)), None, &store, now);
        let uid = store.meta(list.rows()[0]).unwrap().uid.to_string();
        let said: Value = serde_json::from_str(&json(&list, &[1, 2, 3, 4, 5], &store, now).unwrap()).unwrap();
        assert_eq!(
            said,
            serde_json::json!([{"uid": uid, "cause": null, "name": "a", "data": 3, "share": 0.25, "port": "7", "rules": "many"}])
        );
        let said = csv(&list, &[1, 2, 3, 4, 5], &store, now).unwrap();
        assert_eq!(said, format!("name,data,share,port,rules,cause,uid\na,3,0.25,7,many,,{uid}\n"));
    }
}
