//! Strategic merge patches: merge patches that know which items of two lists are the same.
//!
//! Beside fields a patch may have directives:
//!
//! | Directive | In | Says |
//! |---|---|---|
//! | `$patch: replace` | a map, or an item of a list | the map (the whole list) takes the place of the old one |
//! | `$patch: delete` | a map, or an item of a list | the map is emptied, the items with its key go |
//! | `$retainKeys` | a map | other keys than these go |
//! | `$deleteFromPrimitiveList/NAME` | beside a list | values that go |
//! | `$setElementOrder/NAME` | beside a list | the order of its items |

use std::collections::{HashMap, HashSet};

use serde_json::{Map, Value};

use super::go_text;
use crate::demo::server::schema::{Field, Merge, Type};

const PATCH: &str = "$patch";
const RETAIN: &str = "$retainKeys";
const DELETE: &str = "$deleteFromPrimitiveList";
const ORDER: &str = "$setElementOrder";

/// Why a patch cannot be applied.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Bad {
    /// It has not the form of one.
    Form(&'static str),
    /// Lists stand in lists.
    Lists,
    /// Anything else, in a sentence.
    Other(String),
}

type Fields = Map<String, Value>;

/// What a patch makes of an object of this type.
pub(super) fn merge(original: Fields, patch: Fields, of: &Type) -> Result<Fields, Bad> {
    merge_maps(original, patch, of)
}

fn merge_maps(mut original: Fields, mut patch: Fields, of: &Type) -> Result<Fields, Bad> {
    match patch.get(PATCH).map(|directive| directive.as_str().unwrap_or_default()) {
        None => {}
        Some("replace") => {
            patch.remove(PATCH);
            return Ok(patch);
        }
        Some("delete") => return Ok(Map::new()),
        Some(_) => return Err(unknown_directive(&patch)),
    }
    retain(&mut original, &mut patch)?;
    put_in_order(&mut original, &mut patch, of)?;
    for (key, value) in patch {
        let (key, deletes) = match named(&key, DELETE, "invalid patch format of primitive list")? {
            Some(list) => (list.to_owned(), true),
            None => (key, false),
        };
        if value.is_null() {
            original.remove(&key);
            continue;
        }
        let old = original.get_mut(&key).map(Value::take);
        let new = match (old, value) {
            (old, _) if old.is_none() && deletes => None,
            (Some(Value::Object(old)), Value::Object(new)) => {
                let of = field(of, &key)?.map_or(&Type::Any, |field| &field.of);
                let of = if let Type::Map(inside) = of { inside } else { of };
                Some(Value::Object(merge_maps(old, new, of)?))
            }
            (Some(Value::Array(old)), Value::Array(new)) => {
                let list = List::of(of, &key)?;
                Some(Value::Array(match list.merge {
                    Merge::Replace if !deletes => new,
                    _ => list.merge(old, new, deletes)?,
                }))
            }
            (Some(old), _) if deletes => Some(old),
            (_, new) => plain(new),
        };
        match new {
            Some(new) => _ = original.insert(key, new),
            None => _ = original.remove(&key),
        }
    }
    Ok(original)
}

fn unknown_directive(map: &Fields) -> Bad {
    let directive = map.get(PATCH).map(go_text).unwrap_or_default();
    Bad::Other(format!("unknown patch type: {directive} in map: {}", go_text(&Value::Object(map.clone()))))
}

/// The list that a directive is about, if it is that directive.
fn named<'a>(key: &'a str, directive: &str, wrong: &'static str) -> Result<Option<&'a str>, Bad> {
    match key.strip_prefix(directive) {
        None => Ok(None),
        Some(rest) => rest.strip_prefix('/').map(Some).ok_or(Bad::Form(wrong)),
    }
}

fn field<'a>(of: &'a Type, key: &str) -> Result<Option<&'a Field>, Bad> {
    let Some(object) = of.object() else { return Ok(None) };
    let missing = || {
        let of = object.name;
        Bad::Other(format!("unable to find api field in struct {of} for the json field {key:?}"))
    };
    object.field(key).map(Some).ok_or_else(missing)
}

/// A value without nulls and directives, which mean nothing where there is nothing to merge with.
fn plain(value: Value) -> Option<Value> {
    match value {
        Value::Object(map) if map.contains_key(PATCH) => None,
        Value::Object(map) => {
            let kept = map.into_iter().filter(|(_, value)| !value.is_null());
            Some(Value::Object(kept.filter_map(|(key, value)| Some((key, plain(value)?))).collect()))
        }
        Value::Array(list) => Some(Value::Array(list.into_iter().filter_map(plain).collect())),
        other => Some(other),
    }
}

/// Follows `$retainKeys`.
fn retain(original: &mut Fields, patch: &mut Fields) -> Result<(), Bad> {
    const WRONG: Bad = Bad::Form("invalid patch format of retainKeys");
    let Some(keys) = patch.remove(RETAIN) else { return Ok(()) };
    let keys = keys.as_array().ok_or(WRONG)?;
    let keys: HashSet<&str> = keys.iter().filter_map(Value::as_str).collect();
    let directive = |key: &str| key.starts_with(DELETE) || key.starts_with(ORDER);
    if patch.iter().any(|(key, value)| !value.is_null() && !directive(key) && !keys.contains(key.as_str())) {
        return Err(WRONG);
    }
    original.retain(|key, _| keys.contains(key.as_str()));
    Ok(())
}

/// Follows `$setElementOrder/NAME`; the lists that it is about are merged, too.
fn put_in_order(original: &mut Fields, patch: &mut Fields, of: &Type) -> Result<(), Bad> {
    const WRONG: &str = "invalid patch format of setElementOrder list";
    let keys: Vec<String> = patch.keys().filter(|key| key.starts_with(ORDER)).cloned().collect();
    for key in keys {
        let name = named(&key, ORDER, WRONG)?.unwrap_or_default().to_owned();
        let Some(Value::Array(order)) = patch.remove(&key) else { return Err(Bad::Form(WRONG)) };
        let list = List::of(of, &name)?;
        let items = |fields: &mut Fields| match fields.remove(&name) {
            None | Some(Value::Null) => Ok(None),
            Some(Value::Array(items)) => Ok(Some(items)),
            Some(_) => Err(Bad::Form(WRONG)),
        };
        let new = items(patch)?;
        if let Some(new) = &new {
            list.check_order(new, &order)?;
        }
        let (server, merged) = match (items(original)?, new) {
            (None, None) => continue,
            (Some(old), None) => (old.clone(), old),
            (None, Some(new)) => (Vec::new(), new.into_iter().filter_map(plain).collect()),
            (Some(old), Some(new)) if list.merge == Merge::Replace => (old, new),
            (Some(old), Some(new)) => (old.clone(), list.merge(old, new, false)?),
        };
        original.insert(name.clone(), Value::Array(list.in_order(merged, &order, &server)?));
    }
    Ok(())
}

/// A list of a map: what its items are, and which of two lists are the same.
struct List<'a> {
    item: &'a Type,
    merge: Merge,
}

impl<'a> List<'a> {
    fn of(of: &'a Type, key: &str) -> Result<Self, Bad> {
        let Some(field) = field(of, key)? else {
            return Ok(List { item: &Type::Any, merge: Merge::Replace });
        };
        let item = if let Type::List(item) = &field.of { item } else { &Type::Any };
        Ok(List { item, merge: field.merge })
    }

    /// What an item is known by.
    fn id(&self, item: &Value) -> Result<String, Bad> {
        let Merge::By(key) = self.merge else { return Ok(item.to_string()) };
        let found = item.get(key).filter(|value| !value.is_null()).map(Value::to_string);
        found.ok_or_else(|| {
            Bad::Other(format!("map: {} does not contain declared merge key: {key}", go_text(item)))
        })
    }

    /// Where the items of a list stand in it; of equal ones the first counts.
    fn places(&self, list: &[Value]) -> Result<HashMap<String, usize>, Bad> {
        let mut places = HashMap::new();
        for (at, item) in list.iter().enumerate() {
            places.entry(self.id(item)?).or_insert(at);
        }
        Ok(places)
    }

    fn merge(&self, original: Vec<Value>, patch: Vec<Value>, deletes: bool) -> Result<Vec<Value>, Bad> {
        let Some(first) = original.first().or(patch.first()) else { return Ok(original) };
        if first.is_array() {
            return Err(Bad::Lists);
        }
        let kind = std::mem::discriminant(first);
        if original.iter().chain(&patch).any(|item| std::mem::discriminant(item) != kind) {
            let lists = [Value::Array(original), Value::Array(patch)].map(|list| go_text(&list)).join(" ");
            return Err(Bad::Other(format!("list element types are not identical: [{lists}]")));
        }
        if !first.is_object() {
            let values = |list: &[Value]| list.iter().map(Value::to_string).collect::<HashSet<_>>();
            if deletes {
                let gone = values(&patch);
                return Ok(original.into_iter().filter(|one| !gone.contains(&one.to_string())).collect());
            }
            let mut seen = HashSet::new();
            let both = original.iter().chain(&patch).filter(|one| seen.insert(one.to_string()));
            let merged = both.cloned().collect();
            return self.in_order(merged, &patch, &original);
        }
        if !matches!(self.merge, Merge::By(_)) {
            return Err(Bad::Other("cannot merge lists without merge key".to_owned()));
        }
        let (original, patch) = self.follow(original, patch)?;
        let mut places = self.places(&original)?;
        let mut merged = original.clone();
        for item in &patch {
            let at = *places.entry(self.id(item)?).or_insert(merged.len());
            match (merged.get_mut(at), item) {
                (Some(Value::Object(old)), Value::Object(new)) => {
                    *old = merge_maps(std::mem::take(old), new.clone(), self.item)?;
                }
                _ => merged.extend(plain(item.clone())),
            }
        }
        self.in_order(merged, &patch, &original)
    }

    /// Follows the directives among the items of a patch.
    fn follow(&self, mut original: Vec<Value>, patch: Vec<Value>) -> Result<(Vec<Value>, Vec<Value>), Bad> {
        let (mut rest, mut gone, mut replaces) = (Vec::new(), HashSet::new(), false);
        for item in patch {
            match item.get(PATCH).map(|directive| directive.as_str().unwrap_or_default()) {
                None => rest.push(item),
                Some("delete") => _ = gone.insert(self.id(&item)?),
                Some("replace") => replaces = true,
                Some("merge") => {
                    return Err(Bad::Other("merging lists cannot yet be specified in the patch".to_owned()));
                }
                Some(_) => return Err(unknown_directive(item.as_object().unwrap_or(&Map::new()))),
            }
        }
        if replaces {
            return Ok((rest, Vec::new()));
        }
        if !gone.is_empty() {
            // An item without a key is nobody's.
            original.retain(|item| self.id(item).map_or(true, |id| !gone.contains(&id)));
        }
        Ok((original, rest))
    }

    /// Puts items that are in `order` into that order; the others keep their places among those that were on the server.
    fn in_order(&self, items: Vec<Value>, order: &[Value], server: &[Value]) -> Result<Vec<Value>, Bad> {
        let (order, server) = (self.places(order)?, self.places(server)?);
        let mut sorted = Vec::new();
        let mut others = Vec::new();
        for item in items {
            let id = self.id(&item)?;
            let on_server = server.get(&id).copied();
            match order.get(&id) {
                Some(place) => sorted.push((*place, on_server, item)),
                None => others.push((on_server, item)),
            }
        }
        sorted.sort_by_key(|(place, ..)| *place);
        others.sort_by_key(|(place, _)| place.unwrap_or(usize::MAX));
        let mut merged = Vec::new();
        let mut others = others.into_iter().peekable();
        for (_, place, item) in sorted {
            while let Some((_, other)) = others
                .next_if(|(other, _)| matches!((other, place), (Some(other), Some(place)) if *other < place))
            {
                merged.push(other);
            }
            merged.push(item);
        }
        merged.extend(others.map(|(_, item)| item));
        Ok(merged)
    }

    /// Refuses an order that is not that of the items which the patch brings.
    fn check_order(&self, items: &[Value], order: &[Value]) -> Result<(), Bad> {
        if items.is_empty() || order.is_empty() {
            return Ok(());
        }
        let mut left = order.iter();
        for item in items.iter().filter(|item| item.get(PATCH).is_none()) {
            let id = self.id(item)?;
            let mut found = false;
            for one in left.by_ref() {
                found = self.id(one)? == id;
                if found {
                    break;
                }
            }
            if !found {
                let [items, order] = [items, order].map(|list| go_text(&Value::Array(list.to_vec())));
                let why =
                    format!("The order in patch list:\n{items}\n doesn't match {ORDER} list:\n{order}\n");
                return Err(Bad::Other(why));
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
