//! Why a request is refused, as the `Status` object that Kubernetes answers with.

use http::StatusCode;
use serde_json::{Value, json};

use super::kinds::Kind;

const PAGE: &str = "404 page not found\n";

/// A refused request. Texts and reasons are those of kube-apiserver, so that clients that read them find what they expect.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Refusal {
    pub(crate) code: StatusCode,
    reason: &'static str,
    message: String,
    details: Value,
    /// Seconds after which to ask again.
    pub(crate) retry_after: Option<u64>,
    pub(crate) warnings: Vec<String>,
}

impl Refusal {
    pub(crate) fn new(code: StatusCode, reason: &'static str, message: impl Into<String>) -> Self {
        Self {
            code,
            reason,
            message: message.into(),
            details: Value::Null,
            retry_after: None,
            warnings: Vec::new(),
        }
    }

    pub(crate) fn with(mut self, details: Value) -> Self {
        self.details = details;
        self
    }

    /// With `Warning` headers.
    pub(crate) fn warned(mut self, warnings: Vec<String>) -> Self {
        self.warnings.extend(warnings);
        self
    }

    /// The path leads nowhere.
    pub(crate) fn no_such_path() -> Self {
        let message = "the server could not find the requested resource";
        Self::new(StatusCode::NOT_FOUND, "NotFound", message).with(json!({}))
    }

    /// What the path leads to is left to a real server; `why` is a whole sentence.
    pub(crate) fn left_out(why: &str) -> Self {
        Self::new(StatusCode::NOT_FOUND, "NotFound", why).with(json!({}))
    }

    /// The path leads nowhere, not even to a group: that is answered without a `Status`.
    pub(crate) fn no_such_page() -> Self {
        Self::new(StatusCode::NOT_FOUND, "", PAGE)
    }

    /// The whole answer, where it is plain text.
    pub(crate) fn page(&self) -> Option<&'static str> {
        (self.message == PAGE).then_some(PAGE)
    }

    /// There is no object of that name.
    pub(crate) fn not_found(kind: Kind, name: &str) -> Self {
        let message = format!("{} {name:?} not found", kind.qualified());
        Self::new(StatusCode::NOT_FOUND, "NotFound", message).with(kind.details(name))
    }

    /// There is such an object already.
    pub(crate) fn already_exists(kind: Kind, name: &str) -> Self {
        let message = format!("{} {name:?} already exists", kind.qualified());
        Self::new(StatusCode::CONFLICT, "AlreadyExists", message).with(kind.details(name))
    }

    /// The object has changed meanwhile, or a precondition does not hold.
    pub(crate) fn conflict(kind: Kind, name: &str, why: &str) -> Self {
        let message = format!("Operation cannot be fulfilled on {} {name:?}: {why}", kind.qualified());
        Self::new(StatusCode::CONFLICT, "Conflict", message).with(kind.details(name))
    }

    /// The user has no right to that.
    pub(crate) fn forbidden(message: impl Into<String>, details: Value) -> Self {
        Self::new(StatusCode::FORBIDDEN, "Forbidden", message).with(details)
    }

    /// The credentials are not accepted.
    pub(crate) fn unauthorized() -> Self {
        Self::new(StatusCode::UNAUTHORIZED, "Unauthorized", "Unauthorized")
    }

    /// The request makes no sense.
    pub(crate) fn bad_request(message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "BadRequest", message)
    }

    /// The verb is not served here.
    pub(crate) fn method_not_allowed() -> Self {
        let message = "the server does not allow this method on the requested resource";
        Self::new(StatusCode::METHOD_NOT_ALLOWED, "MethodNotAllowed", message).with(json!({}))
    }

    /// None of the formats asked for is served.
    pub(crate) fn not_acceptable() -> Self {
        let message = "only the following media types are accepted: application/json, \
                       application/json;stream=watch, application/json;as=Table;g=meta.k8s.io;v=v1";
        Self::new(StatusCode::NOT_ACCEPTABLE, "NotAcceptable", message)
    }

    /// The format of the body is not read.
    pub(crate) fn unsupported_media_type(message: impl Into<String>) -> Self {
        Self::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "UnsupportedMediaType", message)
    }

    /// The body is longer than the server reads.
    pub(crate) fn too_large(limit: usize) -> Self {
        let message = format!("Request entity too large: limit is {limit}");
        Self::new(StatusCode::PAYLOAD_TOO_LARGE, "RequestEntityTooLarge", message)
    }

    /// The object has fields that may not be so. A cause is (reason, field, message).
    pub(crate) fn invalid(kind: Kind, name: &str, causes: &[(&str, &str, String)]) -> Self {
        Self::invalid_named(kind.row().group, kind.row().kind, name, causes)
    }

    /// The same for what is no kind of the table.
    pub(crate) fn invalid_named(
        group: &str,
        kind: &str,
        name: &str,
        causes: &[(&str, &str, String)],
    ) -> Self {
        let mut texts: Vec<String> = Vec::new();
        for (_, field, message) in causes {
            let text = format!("{field}: {message}");
            if !texts.contains(&text) {
                texts.push(text);
            }
        }
        let text = match texts.as_slice() {
            [one] => one.clone(),
            many => format!("[{}]", many.join(", ")),
        };
        let qualified = if group.is_empty() { kind.to_owned() } else { format!("{kind}.{group}") };
        let causes: Vec<Value> = causes
            .iter()
            .map(|(reason, field, message)| json!({"reason": reason, "field": field, "message": message}))
            .collect();
        let mut details = json!({"causes": causes});
        for (field, text) in [("kind", kind), ("name", name), ("group", group)] {
            if !text.is_empty() {
                details[field] = text.into();
            }
        }
        let message = format!("{qualified} {name:?} is invalid: {text}");
        Self::new(StatusCode::UNPROCESSABLE_ENTITY, "Invalid", message).with(details)
    }

    /// A patch that cannot be applied.
    pub(crate) fn unprocessable() -> Self {
        let message = "the server rejected our request due to an error in our request";
        Self::new(StatusCode::UNPROCESSABLE_ENTITY, "Invalid", message).with(json!({}))
    }

    /// A parameter of a list or a watch that may not be so.
    pub(crate) fn invalid_option(reason: &str, field: &str, message: &str) -> Self {
        let message_of_all = format!("ListOptions.meta.k8s.io \"\" is invalid: {field}: {message}");
        let cause = json!({"reason": reason, "field": field, "message": message});
        let details = json!({"group": "meta.k8s.io", "kind": "ListOptions", "causes": [cause]});
        Self::new(StatusCode::UNPROCESSABLE_ENTITY, "Invalid", message_of_all).with(details)
    }

    /// An error that kube-apiserver gives no reason for.
    pub(crate) fn internal(message: impl Into<String>) -> Self {
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "", message)
    }

    /// A version that is no longer known.
    pub(crate) fn expired(message: impl Into<String>) -> Self {
        Self::new(StatusCode::GONE, "Expired", message)
    }

    /// The `Status` object.
    pub(crate) fn status(&self) -> Value {
        let mut status = json!({
            "kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure",
            "message": self.message, "code": self.code.as_u16(),
        });
        if !self.reason.is_empty() {
            status["reason"] = self.reason.into();
        }
        if !self.details.is_null() {
            status["details"] = self.details.clone();
        }
        if let Some(seconds) = self.retry_after {
            status["details"]["retryAfterSeconds"] = seconds.into();
        }
        status
    }
}
