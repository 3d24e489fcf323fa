//! Getting one object, and lists of them.

use bytes::{Bytes, BytesMut};
use http::StatusCode;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::Server;
use super::body::Stored;
use super::http::{Answer, Call};
use super::kinds::Kind;
use super::refusal::Refusal;
use super::route::{Format, Target};
use super::selector::Selection;
use super::storage::{Forgotten, Key, State};
use super::table::Columns;

/// How many bytes of a list are made at a time.
const PIECE: usize = 64 << 10;

/// The key of the object that a path names.
pub(crate) fn key_of(target: &Target) -> Key {
    Key::new(target.namespace.as_deref().unwrap_or_default(), target.name.as_deref().unwrap_or_default())
}

/// One object.
pub(crate) fn get(server: &Server, call: &Call) -> Result<Answer, Refusal> {
    let key = key_of(&call.target);
    let found = server.storage().with(|state| state.get(call.target.kind, &key));
    let object = found.ok_or_else(|| Refusal::not_found(call.target.kind, &key.name))?;
    Ok(one(call, StatusCode::OK, &object))
}

/// An answer that is one object, in the format that was asked for.
pub(crate) fn one(call: &Call, code: StatusCode, object: &Stored) -> Answer {
    let version = call.target.version;
    match call.format {
        Format::Table => {
            let list = ListMeta { resource_version: object.resource_version, token: None, remaining: None };
            let columns = Columns::of(call);
            let mut out = BytesMut::new();
            columns.head(&list, true, &mut out);
            columns.row(object, &mut out);
            out.extend_from_slice(b"]}");
            Answer::Json(code, out.freeze())
        }
        Format::Metadata => Answer::json(code, &metadata_only(object, version)),
        Format::Json | Format::Aggregated(_) => {
            let mut out = BytesMut::new();
            object.write_whole(version, &mut out);
            Answer::Json(code, out.freeze())
        }
    }
}

/// `PartialObjectMetadata`
pub(crate) fn metadata_only(object: &Stored, version: &str) -> Value {
    let whole = object.value(version);
    json!({"kind": "PartialObjectMetadata", "apiVersion": "meta.k8s.io/v1", "metadata": whole["metadata"]})
}

/// `metadata` of a list.
pub(crate) struct ListMeta {
    pub(crate) resource_version: u64,
    pub(crate) token: Option<String>,
    pub(crate) remaining: Option<usize>,
}

impl ListMeta {
    pub(crate) fn json(&self) -> Value {
        let mut meta = json!({"resourceVersion": self.resource_version.to_string()});
        if let Some(token) = &self.token {
            meta["continue"] = token.as_str().into();
        }
        if let Some(remaining) = self.remaining {
            meta["remainingItemCount"] = remaining.into();
        }
        meta
    }
}

/// What a token says: where the list goes on, and at which version.
#[derive(Serialize, Deserialize)]
struct Continue {
    rv: u64,
    namespace: String,
    name: String,
    /// How many objects come after it, where that is known.
    left: Option<usize>,
}

impl Continue {
    fn encode(&self) -> String {
        let text = serde_json::to_string(self).unwrap_or_default();
        base64::Engine::encode(&base64::prelude::BASE64_URL_SAFE_NO_PAD, text)
    }

    fn decode(token: &str) -> Option<Self> {
        let text = base64::Engine::decode(&base64::prelude::BASE64_URL_SAFE_NO_PAD, token).ok()?;
        serde_json::from_slice(&text).ok()
    }
}

/// The version that a list is asked for at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum At {
    Newest,
    NotOlderThan(u64),
    Exactly(u64),
}

/// A list, or a page of one.
pub(crate) fn list(server: &Server, call: &Call) -> Result<Answer, Refusal> {
    let selection = Selection::parse(&call.query, &call.target)?;
    let page = collect(server, call, &selection)?;
    Ok(Answer::Parts(Box::new(pieces(call, page))))
}

/// A list of just these objects.
pub(crate) fn of_objects(call: &Call, objects: Vec<Stored>, resource_version: u64) -> Answer {
    let page = Page { meta: ListMeta { resource_version, token: None, remaining: None }, objects };
    Answer::Parts(Box::new(pieces(call, page)))
}

/// Objects of a page, and what stands around them.
struct Page {
    meta: ListMeta,
    objects: Vec<Stored>,
}

fn collect(server: &Server, call: &Call, selection: &Selection) -> Result<Page, Refusal> {
    let Target { kind, namespace, .. } = &call.target;
    let limit = call.query.number("limit")?.filter(|limit| *limit > 0);
    let limit = limit.and_then(|limit| usize::try_from(limit).ok()).unwrap_or(usize::MAX);
    let token = match call.query.get("continue") {
        None => None,
        Some(token) => {
            let wrong = || {
                let why = "invalid continue token: continue key is not valid: this server has not made it";
                Refusal::bad_request(why)
            };
            Some(Continue::decode(token).ok_or_else(wrong)?)
        }
    };
    let at = asked_version(call, token.is_some())?;
    let forgotten = |why| expired(why, token.is_some());
    let part = Part {
        kind: *kind,
        namespace: namespace.as_deref(),
        after: token.as_ref().map(|token| Key::new(&token.namespace, &token.name)),
        limit,
        left_before: token.as_ref().and_then(|token| token.left),
    };
    let (version, all) = server.storage().with(|state| {
        let newest = state.newest();
        let version = match (&token, at) {
            (Some(token), _) => token.rv,
            (None, At::Exactly(version)) => version,
            (None, At::Newest | At::NotOlderThan(_)) => newest,
        };
        if let At::NotOlderThan(version) | At::Exactly(version) = at
            && version > newest
        {
            return Err(too_large(version, newest));
        }
        let all = selection.is_everything().then(|| part.all(state, version)).transpose();
        Ok((version, all.map_err(forgotten)?))
    })?;
    let (objects, left) = match all {
        Some(all) => all,
        None => part.chosen(server, selection, version).map_err(forgotten)?,
    };
    // How many are left is told only where it costs nothing to know, as kube-apiserver does.
    let remaining = left.filter(|_| selection.is_everything());
    let last = objects.last().filter(|_| left.is_some());
    let token = last.map(|last| {
        let (namespace, name) = (last.key.namespace.to_string(), last.key.name.to_string());
        Continue { rv: version, namespace, name, left: remaining }.encode()
    });
    Ok(Page { meta: ListMeta { resource_version: version, token, remaining }, objects })
}

/// How many objects are taken from the storage at a time where each has to be looked into, which is not done under its
/// lock.
const LOOK: usize = 500;

/// The part of a list that one page shows.
struct Part<'a> {
    kind: Kind,
    namespace: Option<&'a str>,
    after: Option<Key>,
    limit: usize,
    /// How many objects are there after `after`, if the token says it.
    left_before: Option<usize>,
}

impl Part<'_> {
    /// Its objects, and how many there are after them, if any.
    fn all(&self, state: &State, version: u64) -> Result<(Vec<Stored>, Option<usize>), Forgotten> {
        let mut found = state.list(self.kind, self.namespace, self.after.as_ref(), Some(version))?;
        let objects: Vec<Stored> = found.by_ref().take(self.limit).collect();
        if objects.len() < self.limit || found.next().is_none() {
            return Ok((objects, None));
        }
        // Counting the rest for each page would make the pages of a long list cost its square.
        let everything = self.after.is_none() && self.namespace.is_none() && version == state.newest();
        let left = match self.left_before {
            Some(left) => left.saturating_sub(objects.len()),
            None if everything => state.count(self.kind).saturating_sub(objects.len()),
            None => 1 + found.count(),
        };
        Ok((objects, Some(left.max(1))))
    }

    /// Those of its objects that a selection has, and whether there may be more.
    fn chosen(
        &self,
        server: &Server,
        selection: &Selection,
        version: u64,
    ) -> Result<(Vec<Stored>, Option<usize>), Forgotten> {
        let mut after = self.after.clone();
        let mut objects = Vec::new();
        loop {
            let looked: Vec<Stored> = server.storage().with(|state| {
                Ok(state.list(self.kind, self.namespace, after.as_ref(), Some(version))?.take(LOOK).collect())
            })?;
            let end = looked.len() < LOOK;
            for object in looked {
                after = Some(object.key.clone());
                if selection.has(&object) {
                    if objects.len() >= self.limit {
                        return Ok((objects, Some(1)));
                    }
                    objects.push(object);
                }
            }
            if end {
                return Ok((objects, None));
            }
        }
    }
}

fn asked_version(call: &Call, continued: bool) -> Result<At, Refusal> {
    let text = call.query.get("resourceVersion");
    let rule = call.query.get("resourceVersionMatch");
    if continued && text.is_some_and(|text| text != "0") {
        return Err(Refusal::bad_request("specifying resource version is not allowed when using continue"));
    }
    let forbidden = |why: &str| Refusal::invalid_option("FieldValueForbidden", "resourceVersionMatch", why);
    match (rule, text) {
        (None, _) | (Some("Exact" | "NotOlderThan"), Some(_)) => {}
        (Some("Exact" | "NotOlderThan"), None) => {
            return Err(forbidden(
                "Forbidden: resourceVersionMatch is forbidden unless resourceVersion is provided",
            ));
        }
        (Some(other), _) => {
            let why =
                format!("Unsupported value: {other:?}: supported values: \"Exact\", \"NotOlderThan\", \"\"");
            return Err(Refusal::invalid_option("FieldValueNotSupported", "resourceVersionMatch", &why));
        }
    }
    let number =
        version(call).map_err(|why| Refusal::bad_request(format!("invalid resource version: {why}")))?;
    match (number, rule) {
        (Some(0), Some("Exact")) => {
            Err(forbidden("Forbidden: resourceVersionMatch \"exact\" is forbidden for resourceVersion \"0\""))
        }
        (Some(version), Some("Exact")) => Ok(At::Exactly(version)),
        (None | Some(0), _) => Ok(At::Newest),
        // A page of a list at a version that is not said to be a lower bound is taken at just that version.
        (Some(version), None) if call.query.number("limit")?.is_some_and(|limit| limit > 0) => {
            Ok(At::Exactly(version))
        }
        (Some(version), _) => Ok(At::NotOlderThan(version)),
    }
}

/// `resourceVersion` of a request, or why it is none.
pub(crate) fn version(call: &Call) -> Result<Option<u64>, String> {
    let Some(text) = call.query.get("resourceVersion") else { return Ok(None) };
    text.parse().map(Some).map_err(|_| {
        format!(
            "resourceVersion: Invalid value: {text:?}: strconv.ParseUint: parsing {text:?}: invalid syntax"
        )
    })
}

/// A version that is not there yet.
pub(crate) fn too_large(asked: u64, newest: u64) -> Refusal {
    let message = format!("Too large resource version: {asked}, current: {newest}");
    let details = json!({"causes": [{"reason": "ResourceVersionTooLarge", "message": "Too large resource version"}], "retryAfterSeconds": 1});
    let mut refusal =
        Refusal::new(StatusCode::GATEWAY_TIMEOUT, "Timeout", format!("Timeout: {message}")).with(details);
    refusal.retry_after = Some(1);
    refusal
}

fn expired(why: Forgotten, continued: bool) -> Refusal {
    if continued {
        return Refusal::expired(
            "The provided continue parameter is too old to display a consistent list result. You can start a new list \
             without the continue parameter.",
        );
    }
    Refusal::expired(format!("too old resource version: {} ({})", why.asked, why.oldest))
}

/// The text of a list, a piece at a time, so that a long one is never in memory as a whole.
fn pieces(call: &Call, page: Page) -> impl Iterator<Item = Bytes> + Send + 'static {
    let shape = Shape::of(call);
    let mut head = BytesMut::new();
    shape.head(&page.meta, &mut head);
    let mut tail = Some(shape.tail(&page.meta));
    let mut objects = page.objects.into_iter().enumerate();
    let mut next = Some(head);
    std::iter::from_fn(move || {
        let mut out = next.take().unwrap_or_default();
        while out.len() < PIECE {
            let Some((place, object)) = objects.next() else {
                if let Some(tail) = tail.take() {
                    out.extend_from_slice(tail.as_bytes());
                }
                break;
            };
            if place > 0 {
                out.extend_from_slice(b",");
            }
            shape.item(&object, &mut out);
        }
        (!out.is_empty()).then(|| out.freeze())
    })
}

/// How a list is written.
struct Shape {
    kind: Kind,
    version: &'static str,
    format: Format,
    columns: Columns,
}

impl Shape {
    fn of(call: &Call) -> Self {
        let Target { kind, version, .. } = call.target;
        Self { kind, version, format: call.format, columns: Columns::of(call) }
    }

    fn head(&self, meta: &ListMeta, out: &mut BytesMut) {
        let row = self.kind.row();
        let version = self.kind.api_version(self.version);
        let head = match self.format {
            Format::Table => return self.columns.head(meta, true, out),
            Format::Metadata => format!(
                r#"{{"kind":"PartialObjectMetadataList","apiVersion":"meta.k8s.io/v1","metadata":{},"items":["#,
                meta.json()
            ),
            _ if row.builtin => format!(
                r#"{{"kind":"{}List","apiVersion":"{version}","metadata":{},"items":["#,
                row.kind,
                meta.json()
            ),
            _ => format!(r#"{{"apiVersion":"{version}","items":["#),
        };
        out.extend_from_slice(head.as_bytes());
    }

    fn tail(&self, meta: &ListMeta) -> String {
        let row = self.kind.row();
        if self.format == Format::Json && !row.builtin {
            // Such lists always say where they go on.
            let mut meta = meta.json();
            if meta["continue"].is_null() {
                meta["continue"] = "".into();
            }
            format!(r#"],"kind":"{}List","metadata":{meta}}}"#, row.kind)
        } else {
            "]}".to_owned()
        }
    }

    fn item(&self, object: &Stored, out: &mut BytesMut) {
        match self.format {
            Format::Table => self.columns.row(object, out),
            Format::Metadata => {
                out.extend_from_slice(metadata_only(object, self.version).to_string().as_bytes());
            }
            _ => object.write_item(self.version, out),
        }
    }
}
