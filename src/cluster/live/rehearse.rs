//! A dry run: the server does all that it would do with an object, but stores nothing.

use std::collections::HashSet;
use std::time::Duration;

use http::{HeaderMap, Request, header};
use serde_json::Value;

use crate::cluster::connect::Connection;
use crate::cluster::discovery::Discovery;
use crate::cluster::error::{Failure, FailureKind};
use crate::cluster::feed::Target;
use crate::cluster::watch::escape;
use crate::records::KindInfo;
use crate::text;

/// How long one request may take; webhooks have their say in it.
const LIMIT: Duration = Duration::from_secs(40);

/// What is asked for: nothing is stored, unknown fields are named and do not hide what else is wrong.
const QUERY: &str = "dryRun=All&fieldValidation=Warn&fieldManager=v9s";

/// What would become of a document.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Rehearsal {
    /// The object as it is now, if there is one.
    pub before: Option<Value>,
    /// What the server has to say.
    pub complaints: Vec<Complaint>,
}

/// One thing that a server says about a document. Its texts are safe to show.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Complaint {
    /// The field, as the server writes it; empty where it names none.
    pub field: String,
    /// What it says.
    pub text: String,
    /// Whether it refuses the document for that.
    pub refuses: bool,
}

impl Rehearsal {
    pub(super) fn refused(field: &str, text: String) -> Self {
        let complaint = Complaint { field: field.to_owned(), text, refuses: true };
        Self { before: None, complaints: vec![complaint] }
    }

    fn and(mut self, complaints: Vec<Complaint>) -> Self {
        self.complaints.extend(complaints);
        self
    }
}

/// Asks the server what it would do with an object. `coming` are namespaces that the same documents make.
pub(super) async fn rehearse(
    connection: &Connection,
    discovery: &Discovery,
    mut object: Value,
    home: &str,
    coming: &HashSet<String>,
) -> Result<Rehearsal, Failure> {
    let text = |path: &str| object.pointer(path).and_then(Value::as_str).unwrap_or_default().to_owned();
    let (api, kind, name) = (text("/apiVersion"), text("/kind"), text("/metadata/name"));
    let (group, version) = api.split_once('/').unwrap_or(("", &api));
    let known = discovery.resources.iter().find(|resource| {
        resource.group == group && resource.kind == kind && resource.versions.iter().any(|one| one == version)
    });
    let Some(resource) = known else {
        let how = KindInfo::command_for(group).map_or_else(String::new, |command| format!("; {command}"));
        let why = format!("this cluster does not serve {kind} of {api}{how}");
        return Ok(Rehearsal::refused("apiVersion", text::one_line(&why, 300)));
    };
    let target = Target {
        group: group.to_owned(),
        version: version.to_owned(),
        plural: resource.plural.clone(),
        namespaced: resource.namespaced,
    };
    let named = text("/metadata/namespace");
    let namespace = if named.is_empty() { home.to_owned() } else { named };
    if target.namespaced && coming.contains(&namespace) {
        // Where it goes is not there yet, so the server could say nothing else.
        return Ok(Rehearsal::default());
    }
    if target.namespaced {
        object["metadata"]["namespace"] = namespace.as_str().into();
    }
    let list = target.path(Some(&namespace));
    let path = format!("{list}/{}", escape(&name));
    let before = if name.is_empty() { None } else { existing(connection, &path).await? };
    let rehearsal = Rehearsal { before, ..Rehearsal::default() };
    // A dry run is a request that changes, as far as the gate can tell.
    if connection.info().readonly {
        return Ok(rehearsal);
    }
    let request = match rehearsal.before {
        None => Request::post(format!("{list}?{QUERY}")).header(header::CONTENT_TYPE, "application/json"),
        Some(_) => Request::patch(format!("{path}?{QUERY}"))
            .header(header::CONTENT_TYPE, "application/merge-patch+json"),
    };
    let request = request.header(header::ACCEPT, "application/json").body(object.to_string().into_bytes());
    let request =
        request.map_err(|why| Failure::new(FailureKind::Config, format!("{path} is no path: {why}.")))?;
    match connection.change(request, LIMIT).await {
        Ok(answer) => Ok(rehearsal.and(warnings(answer.headers()))),
        Err(failure) => Ok(rehearsal.and(refusal(failure)?)),
    }
}

/// The object as it is; none if there is none, or none that this user may see.
async fn existing(connection: &Connection, path: &str) -> Result<Option<Value>, Failure> {
    match connection.get_json(path, "application/json", LIMIT).await {
        Ok(object) => Ok(Some(object)),
        Err(failure) if matches!(failure.kind, FailureKind::NotFound | FailureKind::Forbidden) => Ok(None),
        Err(failure) => Err(failure),
    }
}

/// What a refusal says of the document; a failure that is about something else stays one.
fn refusal(failure: Failure) -> Result<Vec<Complaint>, Failure> {
    let about_it = matches!(
        failure.kind,
        FailureKind::Forbidden
            | FailureKind::NotFound
            | FailureKind::Conflict
            | FailureKind::Server(400..=499)
            | FailureKind::Server(500)
    );
    if !about_it {
        return Err(failure);
    }
    if failure.causes.is_empty() {
        let field = field_in(&failure.what);
        return Ok(vec![Complaint { field, text: failure.what, refuses: true }]);
    }
    let complaint = |cause: &crate::cluster::error::Cause| Complaint {
        field: cause.field.clone(),
        text: cause.message.clone(),
        refuses: true,
    };
    Ok(failure.causes.iter().map(complaint).collect())
}

/// The first word of a text that looks like a field.
fn field_in(words: &str) -> String {
    let trimmed = words
        .split([' ', '"', '\''])
        .map(|word| word.trim_matches(|c: char| matches!(c, ':' | ',' | '.' | ';' | '(' | ')')));
    let is_field = |word: &&str| ["spec.", "metadata."].iter().any(|start| word.starts_with(start));
    trimmed.into_iter().find(is_field).unwrap_or_default().to_owned()
}

/// What the server warns of, out of its headers: `299 - "unknown field \"spec.a\""`.
fn warnings(headers: &HeaderMap) -> Vec<Complaint> {
    let texts = headers.get_all(header::WARNING).iter().filter_map(|value| value.to_str().ok());
    let quoted = texts.filter_map(|text| {
        let (_, quoted) = text.split_once('"')?;
        let quoted = quoted.rsplit_once('"').map_or(quoted, |(inside, _)| inside);
        Some(text::one_line(&quoted.replace("\\\"", "\"").replace("\\\\", "\\"), 300))
    });
    quoted
        .map(|text| {
            let unknown = text.strip_prefix("unknown field ").map(|field| field.trim_matches('"').to_owned());
            let field = unknown.unwrap_or_else(|| match text.contains("deprecated") {
                true => "apiVersion".to_owned(),
                false => field_in(&text),
            });
            Complaint { field, text, refuses: false }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_found_in_what_a_server_says() {
        for (words, field) in [
            (
                "admission webhook \"a\" denied the request: spec.template in body is required",
                "spec.template",
            ),
            ("spec.domain.cpu: must be whole", "spec.domain.cpu"),
            ("unknown field \"spec.a[0].b\"", "spec.a[0].b"),
            ("the VMI \"shop/gone\" does not exist", ""),
            ("", ""),
        ] {
            assert_eq!(field_in(words), field, "{words}");
        }
    }

    #[test]
    fn warnings_come_from_headers() {
        let mut headers = HeaderMap::new();
        for text in [
            r#"299 - "unknown field \"spec.memorry\"""#,
            r#"299 - "kubevirt.io/v1alpha3 VirtualMachine is deprecated""#,
            "nonsense",
        ] {
            headers.append(header::WARNING, text.parse().unwrap());
        }
        let told: Vec<_> = warnings(&headers).into_iter().map(|one| (one.field, one.text)).collect();
        assert_eq!(
            told,
            [
                ("spec.memorry".to_owned(), "unknown field \"spec.memorry\"".to_owned()),
                ("apiVersion".to_owned(), "kubevirt.io/v1alpha3 VirtualMachine is deprecated".to_owned()),
            ]
        );
    }

    #[test]
    fn failures_of_the_connection_are_no_findings() {
        for (kind, about_it) in [
            (FailureKind::Server(422), true),
            (FailureKind::Forbidden, true),
            (FailureKind::Refused, false),
            (FailureKind::Unauthorized, false),
            (FailureKind::ReadOnly, false),
            (FailureKind::Timeout, false),
        ] {
            assert_eq!(refusal(Failure::new(kind, "spec.a: no")).is_ok(), about_it, "{kind:?}");
        }
    }
}
