//! What a cluster says about documents before they are applied: the objects that they speak of, the objects that are
//! there already, and whether the server would take the documents (a dry run).

mod rehearse;
mod survey;

use std::collections::HashSet;

use serde_json::Value;

use super::connect::Connection;
use super::discovery::{self, Discovery};
use super::error::Failure;
use crate::rules::known::objects::Objects;
use crate::rules::{Document, Subject};

pub use rehearse::{Complaint, Rehearsal};

/// What a cluster says about the documents of some streams.
#[derive(Debug, Default)]
pub struct Answers {
    /// The objects that rules ask about.
    pub objects: Objects,
    /// What would become of each document, stream by stream.
    pub rehearsals: Vec<Vec<Rehearsal>>,
    /// Whether the server was not asked for a dry run, because the session is read-only.
    pub only_looked: bool,
}

/// Asks a cluster about documents. `namespace` is where those go that name none.
///
/// # Errors
///
/// What the connection failed with. That the user may not read something is no failure: then it is not known.
pub async fn ask(
    connection: &Connection,
    streams: &[&[Document]],
    namespace: Option<&str>,
) -> Result<Answers, Failure> {
    let discovery = discovery::discover(connection).await?;
    let home = namespace.unwrap_or(&connection.info().namespace);
    let all = || streams.iter().copied().flatten();
    let places: HashSet<&str> = all().map(|document| document.gvc().unwrap_or(home)).collect();
    let mut places: Vec<&str> = places.into_iter().filter(|place| !place.is_empty()).collect();
    places.sort_unstable();
    let subjects: HashSet<Subject> = all().map(Document::subject).collect();
    let objects = survey::survey(connection, &discovery, &places, &subjects).await?;
    let mut rehearsals = Vec::new();
    // In the order of the text, as they would be applied.
    let mut coming = HashSet::new();
    for stream in streams {
        let mut of_stream = Vec::new();
        for document in *stream {
            of_stream.push(one(connection, &discovery, document, home, &mut coming).await?);
        }
        rehearsals.push(of_stream);
    }
    Ok(Answers { objects, rehearsals, only_looked: connection.info().readonly })
}

async fn one(
    connection: &Connection,
    discovery: &Discovery,
    document: &Document,
    home: &str,
    coming: &mut HashSet<String>,
) -> Result<Rehearsal, Failure> {
    let object = match document.object() {
        Ok(object) => object,
        Err(why) => return Ok(Rehearsal::refused("", why.to_string())),
    };
    let kind = object["kind"].as_str().unwrap_or_default();
    let name = object.pointer("/metadata/name").and_then(Value::as_str).unwrap_or_default();
    if kind == "Namespace" {
        coming.insert(name.to_owned());
    }
    rehearse::rehearse(connection, discovery, object, home, coming).await
}
