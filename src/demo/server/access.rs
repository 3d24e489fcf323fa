//! Who asks, and what they may do.

use std::collections::HashMap;

use http::{HeaderMap, header};
use serde_json::json;

use super::Server;
use super::refusal::Refusal;
use super::route::Target;

/// Who makes a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct User {
    /// As in the subjects of a binding.
    pub name: String,
    /// The groups it is in.
    pub groups: Vec<String>,
}

/// The group whose members may do everything.
pub const MASTERS: &str = "system:masters";

impl User {
    /// A user in these groups, and in that of everybody who has logged in.
    pub fn new(name: &str, groups: &[&str]) -> Self {
        let mut groups: Vec<String> = groups.iter().map(ToString::to_string).collect();
        groups.push("system:authenticated".into());
        Self { name: name.to_owned(), groups }
    }
}

/// The users that can log in, by their tokens.
#[derive(Clone, Debug, Default)]
pub(crate) struct Users {
    tokens: HashMap<String, User>,
}

impl Users {
    pub(crate) fn new(users: impl IntoIterator<Item = (String, User)>) -> Self {
        Self { tokens: users.into_iter().collect() }
    }

    /// Who sends a request with these headers.
    pub(crate) fn authenticate(&self, headers: &HeaderMap) -> Result<User, Refusal> {
        let Some(value) = headers.get(header::AUTHORIZATION) else {
            return Ok(self.tokens.get("").cloned().unwrap_or_else(|| User {
                name: "system:anonymous".into(),
                groups: vec!["system:unauthenticated".into()],
            }));
        };
        let token = value.to_str().ok().and_then(|text| text.strip_prefix("Bearer ")).map(str::trim);
        token.and_then(|token| self.tokens.get(token)).cloned().ok_or_else(Refusal::unauthorized)
    }

    /// Whom a request is made as.
    pub(crate) fn impersonated(
        &self,
        server: &Server,
        user: User,
        headers: &HeaderMap,
    ) -> Result<User, Refusal> {
        let _ = (server, headers);
        Ok(user)
    }
}

/// Refuses what a user may not do.
pub(crate) fn authorize(server: &Server, user: &User, verb: &str, target: &Target) -> Result<(), Refusal> {
    let _ = server;
    if user.groups.iter().any(|group| group == MASTERS) {
        return Ok(());
    }
    let row = target.kind.row();
    let message =
        format!("User {:?} cannot {verb} resource {:?} in API group {:?}", user.name, row.plural, row.group);
    Err(Refusal::forbidden(message, json!({"kind": row.plural, "group": row.group})))
}
