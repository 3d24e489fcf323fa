//! Questions about rights and about oneself, which store nothing.

use http::{HeaderMap, Method, StatusCode, header};
use serde_json::{Value, json};

use super::request::{Asked, Objects, What};
use super::{User, rbac};
use crate::demo::server::Server;
use crate::demo::server::http::Answer;
use crate::demo::server::meta::time;
use crate::demo::server::protobuf;
use crate::demo::server::refusal::Refusal;

/// Which question.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Review {
    /// May I do this?
    Access,
    /// What may I do in this namespace?
    Rules,
    /// Who am I?
    Me,
}

impl Review {
    /// The question that is asked at a path.
    pub(crate) fn at(path: &[&str]) -> Option<Self> {
        match path {
            ["apis", "authorization.k8s.io", "v1", "selfsubjectaccessreviews"] => Some(Self::Access),
            ["apis", "authorization.k8s.io", "v1", "selfsubjectrulesreviews"] => Some(Self::Rules),
            ["apis", "authentication.k8s.io", "v1", "selfsubjectreviews"] => Some(Self::Me),
            _ => None,
        }
    }

    fn kind(self) -> &'static str {
        match self {
            Self::Access => "SelfSubjectAccessReview",
            Self::Rules => "SelfSubjectRulesReview",
            Self::Me => "SelfSubjectReview",
        }
    }

    fn api_version(self) -> &'static str {
        match self {
            Self::Access | Self::Rules => "authorization.k8s.io/v1",
            Self::Me => "authentication.k8s.io/v1",
        }
    }

    /// Answers the question; for whether it may be asked, see [`super::authorize`].
    pub(crate) fn answer(
        self,
        server: &Server,
        user: &User,
        method: &Method,
        headers: &HeaderMap,
        body: &[u8],
    ) -> Result<Answer, Refusal> {
        if method != Method::POST {
            return Err(Refusal::method_not_allowed());
        }
        let review = self.read(headers, body)?;
        let (metadata, spec, status) = match self {
            Self::Access => {
                (json!({}), without_empty(&review["spec"]), self.access(server, user, &review["spec"])?)
            }
            Self::Rules => (json!({}), json!({}), rules(server, user, &review["spec"])?),
            Self::Me => {
                let status = json!({"userInfo": {"username": user.name, "groups": user.groups}});
                (json!({"creationTimestamp": time(server.now())}), Value::Null, status)
            }
        };
        let mut answer = json!({"kind": self.kind(), "apiVersion": self.api_version(), "metadata": metadata});
        if !spec.is_null() {
            answer["spec"] = spec;
        }
        answer["status"] = status;
        Ok(Answer::json(StatusCode::CREATED, &answer))
    }

    fn read(self, headers: &HeaderMap, body: &[u8]) -> Result<Value, Refusal> {
        let media =
            headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
        let kind = self.kind();
        let wrong = |why: &str| {
            let message = format!("the object provided is unrecognized (must be of type {kind}): {why}");
            Refusal::bad_request(message)
        };
        let review: Value = match media.split(';').next().unwrap_or_default().trim() {
            "application/json" | "" => {
                let parsed = serde_json::from_slice(body);
                parsed.map_err(|why| wrong(&format!("couldn't get version/kind; json parse error: {why}")))?
            }
            "application/vnd.kubernetes.protobuf" => {
                protobuf::to_json(body).ok_or_else(|| wrong("it is not such a message"))?
            }
            _ => {
                return Err(Refusal::unsupported_media_type(
                    "the body of the request was in an unknown format - accepted media types include: application/json, \
                     application/vnd.kubernetes.protobuf",
                ));
            }
        };
        let text = |field: &str| review[field].as_str().unwrap_or_default();
        let (api_version, named) = (text("apiVersion"), text("kind"));
        let fits = [("", ""), (self.api_version(), kind)].contains(&(api_version, named));
        if !fits || !review.is_object() {
            let message = format!("{named} in version {api_version:?} cannot be handled as a {kind}");
            return Err(Refusal::bad_request(message));
        }
        Ok(review)
    }

    fn access(self, server: &Server, user: &User, spec: &Value) -> Result<Value, Refusal> {
        let (objects, path) = (&spec["resourceAttributes"], &spec["nonResourceAttributes"]);
        let text = |value: &Value, field: &str| value[field].as_str().unwrap_or_default().to_owned();
        let asked = match (objects.is_object(), path.is_object()) {
            (true, false) => Asked {
                verb: text(objects, "verb"),
                what: What::Objects(Objects {
                    group: text(objects, "group"),
                    resource: text(objects, "resource"),
                    subresource: text(objects, "subresource"),
                    namespace: text(objects, "namespace"),
                    name: text(objects, "name"),
                }),
            },
            (false, true) => Asked { verb: text(path, "verb"), what: What::Path(text(path, "path")) },
            (true, true) => {
                let why = "cannot be specified in combination with resourceAttributes";
                return Err(invalid("spec.nonResourceAttributes", why));
            }
            (false, false) => {
                let why = "exactly one of nonResourceAttributes or resourceAttributes must be specified";
                return Err(invalid("spec.resourceAttributes", why));
            }
        };
        let decision = rbac::decide(server, user, &asked);
        let mut status = json!({"allowed": decision.allowed});
        for (field, text) in [("reason", decision.reason), ("evaluationError", decision.trouble)] {
            if let Some(text) = text {
                status[field] = text.into();
            }
        }
        Ok(status)
    }
}

/// The question as it is repeated in the answer: what is empty was not asked.
fn without_empty(spec: &Value) -> Value {
    let mut spec = spec.clone();
    for attributes in spec.as_object_mut().into_iter().flat_map(serde_json::Map::values_mut) {
        if let Some(attributes) = attributes.as_object_mut() {
            attributes.retain(|_, value| value != "");
        }
    }
    spec
}

fn rules(server: &Server, user: &User, spec: &Value) -> Result<Value, Refusal> {
    let namespace = spec["namespace"].as_str().unwrap_or_default();
    if namespace.is_empty() {
        return Err(Refusal::bad_request("no namespace on request"));
    }
    let grants = rbac::Grants::of(server, user, namespace);
    let list = |paths: bool| {
        let mut list = Vec::new();
        for rule in grants.list.iter().flat_map(|grant| &grant.rules) {
            // What everybody has may be stored in roles besides.
            if rule.paths.is_empty() != paths && !list.contains(&rule) {
                list.push(rule);
            }
        }
        list
    };
    let mut status =
        json!({"resourceRules": list(false), "nonResourceRules": list(true), "incomplete": false});
    if let Some(trouble) = grants.trouble() {
        status["incomplete"] = true.into();
        status["evaluationError"] = trouble.into();
    }
    Ok(status)
}

fn invalid(field: &str, why: &str) -> Refusal {
    let why = format!("Invalid value: null: {why}");
    let causes = json!([{"reason": "FieldValueInvalid", "message": why, "field": field}]);
    let message = format!(".authorization.k8s.io \"\" is invalid: {field}: {why}");
    Refusal::new(StatusCode::UNPROCESSABLE_ENTITY, "Invalid", message)
        .with(json!({"group": "authorization.k8s.io", "causes": causes}))
}
