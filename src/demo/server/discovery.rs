//! What there is: versions, groups, resources.

use http::{Method, StatusCode};
use serde_json::json;

use super::access::User;
use super::http::Answer;
use super::refusal::Refusal;
use super::route::Format;

/// `/version`, `/healthz` and the like.
pub(crate) fn plain(user: &User, method: &Method, path: &str) -> Result<Answer, Refusal> {
    let _ = user;
    match (method, path.trim_end_matches('/')) {
        (&Method::GET, "/version") => {
            let version = json!({"major": "1", "minor": "36", "gitVersion": "v1.36.3"});
            Ok(Answer::json(StatusCode::OK, &version))
        }
        (&Method::GET, "/healthz" | "/livez" | "/readyz") => Ok(Answer::Text(StatusCode::OK, "ok".into())),
        _ => Err(Refusal::no_such_path()),
    }
}

/// `/api`, `/apis` and what stands below them.
pub(crate) fn answer(
    user: &User,
    method: &Method,
    parts: &[String],
    format: Format,
) -> Result<Answer, Refusal> {
    let _ = (user, method, parts, format);
    Err(Refusal::no_such_path())
}
