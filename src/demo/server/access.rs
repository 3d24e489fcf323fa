//! Who asks, and what they may do.

mod rbac;
mod request;
mod review;
#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::fmt;

use http::{HeaderMap, header};

use super::Server;
use super::refusal::Refusal;
pub(crate) use request::Asked;
use request::{Objects, What};
pub(crate) use review::Review;

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

/// The group of everybody who has logged in, and that of all others.
const AUTHENTICATED: &str = "system:authenticated";
const UNAUTHENTICATED: &str = "system:unauthenticated";

/// Who has not logged in.
const ANONYMOUS: &str = "system:anonymous";

impl User {
    /// A user in these groups, and in that of everybody who has logged in.
    pub fn new(name: &str, groups: &[&str]) -> Self {
        let mut groups: Vec<String> = groups.iter().map(ToString::to_string).collect();
        groups.push(AUTHENTICATED.into());
        Self { name: name.to_owned(), groups }
    }

    fn anonymous() -> Self {
        Self { name: ANONYMOUS.into(), groups: vec![UNAUTHENTICATED.into()] }
    }

    pub(crate) fn is_in(&self, group: &str) -> bool {
        self.groups.iter().any(|one| one == group)
    }
}

/// The users that can log in, by their tokens.
#[derive(Clone, Default)]
pub(crate) struct Users {
    tokens: HashMap<String, User>,
}

impl fmt::Debug for Users {
    /// Without the tokens.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.tokens.values()).finish()
    }
}

impl Users {
    pub(crate) fn new(users: impl IntoIterator<Item = (String, User)>) -> Self {
        Self { tokens: users.into_iter().collect() }
    }

    /// Who sends a request with these headers. Nobody is, too, who logs in in another way than with a token.
    pub(crate) fn authenticate(&self, headers: &HeaderMap) -> Result<User, Refusal> {
        let value = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
        let mut words = value.unwrap_or_default().split_whitespace();
        match (words.next(), words.next()) {
            (Some(scheme), Some(token)) if scheme.eq_ignore_ascii_case("bearer") => {
                self.tokens.get(token).cloned().ok_or_else(Refusal::unauthorized)
            }
            _ => Ok(self.tokens.get("").cloned().unwrap_or_else(User::anonymous)),
        }
    }
}

/// Whom a request is made as: the user, or whom it asks to be taken for.
pub(crate) fn impersonate(
    server: &Server,
    user: User,
    headers: &HeaderMap,
    asked: &Asked,
) -> Result<User, Refusal> {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).filter(|v| !v.is_empty());
    let groups: Vec<&str> =
        headers.get_all("impersonate-group").iter().filter_map(|value| value.to_str().ok()).collect();
    let uid = text("impersonate-uid");
    let extras: Vec<&str> =
        headers.keys().filter_map(|name| name.as_str().strip_prefix("impersonate-extra-")).collect();
    let Some(name) = text("impersonate-user") else {
        if groups.is_empty() && uid.is_none() && extras.is_empty() {
            return Ok(user);
        }
        return Err(Refusal::bad_request(
            "groups, a UID or more of a user cannot be impersonated without impersonating a user name",
        ));
    };
    let account = name.strip_prefix("system:serviceaccount:").and_then(|rest| rest.split_once(':'));
    let about = |group: &str, resource: &str, subresource: &str, namespace: &str, name: &str| Asked {
        verb: "impersonate".into(),
        what: What::Objects(Objects {
            group: group.into(),
            resource: resource.into(),
            subresource: subresource.into(),
            namespace: namespace.into(),
            name: name.into(),
        }),
    };
    let mut needed = vec![match account {
        Some((namespace, name)) => about("", "serviceaccounts", "", namespace, name),
        None => about("", "users", "", "", name),
    }];
    const AUTHENTICATION: &str = "authentication.k8s.io";
    needed.extend(groups.iter().map(|group| about("", "groups", "", "", group)));
    needed.extend(uid.map(|uid| about(AUTHENTICATION, "uids", "", "", uid)));
    needed.extend(extras.iter().map(|key| about(AUTHENTICATION, "userextras", key, "", "")));
    if !needed.iter().all(|needed| rbac::decide(server, &user, needed).allowed) {
        // What is told is the newer and narrower way to impersonate, which is looked for first.
        let whom = if account.is_some() { "serviceaccount" } else { "user-info" };
        let told = Asked { verb: format!("impersonate-on:{whom}:{}", asked.verb), what: asked.what.clone() };
        return Err(told.refused(&user.name, None));
    }
    Ok(taken_for(name, account.map(|(namespace, _)| namespace), &groups))
}

/// A user that somebody else asks to be taken for. Groups that are not named are those that every such user is in.
fn taken_for(name: &str, account_of: Option<&str>, groups: &[&str]) -> User {
    let mut groups: Vec<String> = groups.iter().map(ToString::to_string).collect();
    if let (Some(namespace), true) = (account_of, groups.is_empty()) {
        groups = vec!["system:serviceaccounts".into(), format!("system:serviceaccounts:{namespace}")];
    }
    let everybody = if name == ANONYMOUS { UNAUTHENTICATED } else { AUTHENTICATED };
    if !groups.iter().any(|group| [AUTHENTICATED, UNAUTHENTICATED].contains(&group.as_str())) {
        groups.push(everybody.into());
    }
    User { name: name.to_owned(), groups }
}

/// Refuses what a user may not do.
pub(crate) fn authorize(server: &Server, user: &User, asked: &Asked) -> Result<(), Refusal> {
    let decision = rbac::decide(server, user, asked);
    if decision.allowed { Ok(()) } else { Err(asked.refused(&user.name, decision.trouble.as_deref())) }
}
