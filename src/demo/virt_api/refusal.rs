//! Why something is not done, in the words and forms of KubeVirt's virt-api.

use http::StatusCode;
use serde_json::{Value, json};

/// The group that refusals name, which is not that of the sub-resources.
const GROUP: &str = "kubevirt.io";

/// A request that is not done.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Refusal {
    pub(super) code: StatusCode,
    form: Form,
}

/// How it is told.
#[derive(Clone, Debug, PartialEq)]
enum Form {
    Status {
        reason: String,
        message: String,
        details: Value,
    },
    /// Without a `Status`: agent queries, and what has no route.
    Text(String),
    /// A `Status` of the API server, passed on.
    Passed(Value),
}

/// What a refusal is about, in the singular, as virt-api says it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum About {
    Machine,
    Instance,
    Claim,
}

impl About {
    fn word(self) -> &'static str {
        match self {
            Self::Machine => "virtualmachine",
            Self::Instance => "virtualmachineinstance",
            Self::Claim => "persistentvolumeclaim",
        }
    }

    fn details(self, name: &str) -> Value {
        json!({"name": name, "group": GROUP, "kind": self.word()})
    }
}

impl Refusal {
    fn status(code: StatusCode, reason: &str, message: String, details: Value) -> Self {
        Self { code, form: Form::Status { reason: reason.to_owned(), message, details } }
    }

    pub(super) fn not_found(about: About, name: &str) -> Self {
        let message = format!("{}.{GROUP} {name:?} not found", about.word());
        Self::status(StatusCode::NOT_FOUND, "NotFound", message, about.details(name))
    }

    /// The state of the object speaks against it.
    pub(super) fn conflict(about: About, name: &str, why: impl AsRef<str>) -> Self {
        let (word, why) = (about.word(), why.as_ref());
        let message = format!("Operation cannot be fulfilled on {word}.{GROUP} {name:?}: {why}");
        Self::status(StatusCode::CONFLICT, "Conflict", message, about.details(name))
    }

    pub(super) fn forbidden(about: About, name: &str, why: &str) -> Self {
        let message = format!("{}.{GROUP} {name:?} is forbidden: {why}", about.word());
        Self::status(StatusCode::FORBIDDEN, "Forbidden", message, about.details(name))
    }

    pub(super) fn bad_request(message: impl Into<String>) -> Self {
        Self::status(StatusCode::BAD_REQUEST, "BadRequest", message.into(), Value::Null)
    }

    pub(super) fn internal(why: impl AsRef<str>) -> Self {
        let why = why.as_ref();
        let details = json!({"causes": [{"message": why}]});
        let message = format!("Internal error occurred: {why}");
        Self::status(StatusCode::INTERNAL_SERVER_ERROR, "InternalError", message, details)
    }

    /// Plain text, as the router of virt-api and its agent queries answer.
    pub(super) fn text(code: StatusCode, text: impl Into<String>) -> Self {
        Self { code, form: Form::Text(text.into()) }
    }

    /// What the API server said, as it said it.
    pub(super) fn passed(code: StatusCode, status: Value) -> Self {
        Self { code, form: Form::Passed(status) }
    }

    /// The same as agent queries tell it: status 500 and plain text, whatever the cause.
    pub(super) fn of_agent(self) -> Self {
        Self::text(StatusCode::INTERNAL_SERVER_ERROR, self.message().to_owned())
    }

    /// What is said.
    pub(super) fn message(&self) -> &str {
        match &self.form {
            Form::Status { message, .. } => message,
            Form::Text(text) => text,
            Form::Passed(status) => status["message"].as_str().unwrap_or_default(),
        }
    }

    /// The `Status`, unless it is told in plain text.
    pub(super) fn object(&self) -> Option<Value> {
        match &self.form {
            Form::Text(_) => None,
            Form::Passed(status) => Some(status.clone()),
            Form::Status { reason, message, details } => {
                let mut status = json!({
                    "kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure", "message": message,
                    "reason": reason, "code": self.code.as_u16(),
                });
                if !details.is_null() {
                    status["details"] = details.clone();
                }
                Some(status)
            }
        }
    }
}
