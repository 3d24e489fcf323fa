//! The part of JSONPath that columns of custom resources are written in: names, places in lists, and lists filtered by
//! the value of a field.

use serde_json::Value;

/// A path, parsed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Path(Vec<Step>);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Step {
    Name(String),
    /// Counted from the end if negative.
    Place(i64),
    Each,
    /// Those whose field has this text.
    Where(String, String),
}

impl Path {
    /// Reads a path like `.status.conditions[?(@.type=='Ready')].status`; a dot in a name has a backslash before it.
    /// Returns nothing for what is no such path.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let mut steps = Vec::new();
        let mut rest = text;
        while !rest.is_empty() {
            let step;
            (step, rest) = if let Some(after) = rest.strip_prefix('.') {
                name(after)?
            } else {
                let (inside, after) = bracket(rest.strip_prefix('[')?)?;
                (inside, after)
            };
            steps.push(step);
        }
        (!steps.is_empty()).then_some(Self(steps))
    }

    /// The two fields with which it begins, if it begins with two.
    pub(crate) fn beginning(&self) -> Option<(&str, &str)> {
        match self.0.as_slice() {
            [Step::Name(first), Step::Name(second), ..] => Some((first, second)),
            _ => None,
        }
    }

    /// The first value that the path leads to.
    pub(crate) fn first<'a>(&self, value: &'a Value) -> Option<&'a Value> {
        first(&self.0, value)
    }
}

fn name(text: &str) -> Option<(Step, &str)> {
    let mut name = String::new();
    let mut rest = text.char_indices();
    while let Some((at, c)) = rest.next() {
        match c {
            '\\' => name.push(rest.next()?.1),
            '.' | '[' => return (!name.is_empty()).then_some((Step::Name(name), &text[at..])),
            _ => name.push(c),
        }
    }
    (!name.is_empty()).then_some((Step::Name(name), ""))
}

fn bracket(text: &str) -> Option<(Step, &str)> {
    if let Some(filter) = text.strip_prefix("?(@.") {
        let (filter, after) = filter.split_once(")]")?;
        let (field, wanted) = filter.split_once("==")?;
        let wanted = wanted.trim();
        let quoted = |quote: char| wanted.strip_prefix(quote)?.strip_suffix(quote);
        let wanted = quoted('\'').or_else(|| quoted('"'))?;
        return Some((Step::Where(field.trim().to_owned(), wanted.to_owned()), after));
    }
    let (inside, after) = text.split_once(']')?;
    let step = if inside == "*" { Step::Each } else { Step::Place(inside.parse().ok()?) };
    Some((step, after))
}

fn first<'a>(steps: &[Step], value: &'a Value) -> Option<&'a Value> {
    let Some((step, rest)) = steps.split_first() else { return Some(value) };
    match step {
        Step::Name(name) => first(rest, value.get(name)?),
        Step::Place(place) => {
            let list = value.as_array()?;
            let place = if *place < 0 { i64::try_from(list.len()).ok()? + place } else { *place };
            first(rest, list.get(usize::try_from(place).ok()?)?)
        }
        Step::Each => value.as_array()?.iter().find_map(|one| first(rest, one)),
        Step::Where(field, wanted) => {
            let mut chosen = value.as_array()?.iter().filter(|one| one[field] == wanted.as_str());
            chosen.find_map(|one| first(rest, one))
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn paths_lead_to_the_first_match() {
        let object = json!({
            "s": "text", "list": ["x", "y", "z"], "o": {"k": 1, "a.b/c": "dotted"},
            "conditions": [{"type": "Ready", "status": "True"}, {"type": "Paused", "status": "False", "n": 2}],
        });
        for (path, wanted) in [
            (".s", json!("text")),
            (".list[0]", json!("x")),
            (".list[-1]", json!("z")),
            (".list[*]", json!("x")),
            (".list[7]", Value::Null),
            (".o.k", json!(1)),
            (r".o.a\.b/c", json!("dotted")),
            (".conditions[?(@.type=='Paused')].status", json!("False")),
            (".conditions[?(@.type==\"Ready\")].status", json!("True")),
            (".conditions[?(@.type=='Nope')].status", Value::Null),
            (".conditions[1].type", json!("Paused")),
            (".conditions[*].n", json!(2)),
            (".s.x", Value::Null),
            (".s[0]", Value::Null),
            (".missing[0].x", Value::Null),
        ] {
            let found = Path::parse(path).unwrap().first(&object).cloned().unwrap_or_default();
            assert_eq!(found, wanted, "{path}");
        }
    }

    #[test]
    fn what_is_no_path_is_refused() {
        for text in ["", "s", ".", "..s", ".a[", ".a[x]", ".a[?(@.b)]", ".a[?(@.b=='c]", r".a\"] {
            assert_eq!(Path::parse(text), None, "{text}");
        }
    }
}
