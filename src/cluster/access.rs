//! What this user may do, asked of the server, so that the screen can say "why not" before anybody tries.

use std::time::Duration;

use k8s_openapi::api::authorization::v1::{
    ResourceAttributes, ResourceRule, SelfSubjectAccessReview, SelfSubjectAccessReviewSpec,
    SelfSubjectRulesReview, SelfSubjectRulesReviewSpec,
};

use super::connect::Connection;
use super::error::Failure;
use crate::text::one_line;

/// How long the server may take to answer.
const LIMIT: Duration = Duration::from_secs(10);

/// What is to be done, in the words of Kubernetes' authorization.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Question {
    /// `get`, `list`, `create`, `update` and so on.
    pub verb: String,
    /// The API group; empty for the core group.
    pub group: String,
    /// The plural of the kind.
    pub resource: String,
    /// The subresource, or empty.
    pub subresource: String,
    /// The namespace, or empty for all of them and for what has none.
    pub namespace: String,
    /// The object's name, or empty for any.
    pub name: String,
}

/// The server's answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verdict {
    /// Whether it may be done.
    pub allowed: bool,
    /// The server's reason, made safe; often empty.
    pub reason: String,
}

/// Asks whether this user may do something.
///
/// # Errors
///
/// As [`Connection::send`]. An authorizer that fails gives a verdict (not allowed) with its error as the reason.
pub async fn may(connection: &Connection, question: &Question) -> Result<Verdict, Failure> {
    let filled = |text: &str| (!text.is_empty()).then(|| text.to_owned());
    let review = SelfSubjectAccessReview {
        spec: SelfSubjectAccessReviewSpec {
            resource_attributes: Some(ResourceAttributes {
                verb: filled(&question.verb),
                group: filled(&question.group),
                resource: filled(&question.resource),
                subresource: filled(&question.subresource),
                namespace: filled(&question.namespace),
                name: filled(&question.name),
                ..ResourceAttributes::default()
            }),
            ..SelfSubjectAccessReviewSpec::default()
        },
        ..SelfSubjectAccessReview::default()
    };
    let path = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews";
    let answer: SelfSubjectAccessReview = connection.review(path, &review, LIMIT).await?;
    let status = answer.status.unwrap_or_default();
    let reason = [status.reason, status.evaluation_error].into_iter().flatten().find(|text| !text.is_empty());
    Ok(Verdict { allowed: status.allowed, reason: one_line(&reason.unwrap_or_default(), 300) })
}

/// What a user may do in one namespace.
#[derive(Clone, Debug, PartialEq)]
pub struct Rules {
    /// The rules about resources, as the server gave them.
    pub resources: Vec<ResourceRule>,
    /// The server could not list everything (webhook authorizers cannot): absence of a rule proves nothing.
    pub incomplete: bool,
}

impl Rules {
    /// Returns whether a rule for any object of the resource allows the verb; none if the list is incomplete and says nothing.
    pub fn allow(&self, verb: &str, group: &str, resource: &str) -> Option<bool> {
        let covers = |list: Option<&Vec<String>>, wanted: &str| {
            list.is_some_and(|list| list.iter().any(|item| item == "*" || item == wanted))
        };
        let allowed = self.resources.iter().any(|rule| {
            covers(Some(&rule.verbs), verb)
                && covers(rule.api_groups.as_ref(), group)
                && covers(rule.resources.as_ref(), resource)
                && rule.resource_names.as_ref().is_none_or(Vec::is_empty)
        });
        (allowed || !self.incomplete).then_some(allowed)
    }
}

/// Asks what this user may do in a namespace.
///
/// # Errors
///
/// As [`Connection::send`].
pub async fn rules(connection: &Connection, namespace: &str) -> Result<Rules, Failure> {
    let review = SelfSubjectRulesReview {
        spec: SelfSubjectRulesReviewSpec { namespace: Some(namespace.to_owned()) },
        ..SelfSubjectRulesReview::default()
    };
    let path = "/apis/authorization.k8s.io/v1/selfsubjectrulesreviews";
    let answer: SelfSubjectRulesReview = connection.review(path, &review, LIMIT).await?;
    let status = answer.status.unwrap_or_default();
    Ok(Rules { resources: status.resource_rules, incomplete: status.incomplete })
}
