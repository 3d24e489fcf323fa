//! What a user of one namespace may do, and what everybody may ask about themselves.

use serde_json::{Value, json};

use super::Story;
use super::reads::{MACHINES, machine};
use super::step::{delete, get, merge, post};

fn review(attributes: &Value) -> Value {
    json!({
        "apiVersion": "authorization.k8s.io/v1", "kind": "SelfSubjectAccessReview",
        "spec": {"resourceAttributes": attributes},
    })
}

const REVIEWS: &str = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews";

pub(super) const STORIES: &[Story] = &[
    ("rights: what is refused", || {
        vec![
            get("a list elsewhere", MACHINES).by_shop(),
            get("a list everywhere", "/apis/kubevirt.io/v1/virtualmachines").by_shop(),
            get("a watch elsewhere", format!("{MACHINES}?watch=1")).by_shop(),
            get("one elsewhere", format!("{MACHINES}/web")).by_shop(),
            get("nodes", "/api/v1/nodes").by_shop(),
            post("a machine elsewhere", MACHINES, &machine("web", &json!({}))).by_shop(),
            merge("a change elsewhere", format!("{MACHINES}/web"), &json!({})).by_shop(),
            delete("an end elsewhere", format!("{MACHINES}/web")).by_shop(),
            delete("many elsewhere", MACHINES).by_shop(),
            get("a status elsewhere", format!("{MACHINES}/web/status")).by_shop(),
            get("a path that is not there", "/gadgets").by_shop(),
            get("the groups", "/apis/kubevirt.io").by_shop(),
        ]
    }),
    ("rights: what is asked about", || {
        let shop = |verb: &str, group: &str, resource: &str, namespace: &str| {
            review(&json!({"verb": verb, "group": group, "resource": resource, "namespace": namespace}))
        };
        vec![
            post("in the own namespace", REVIEWS, &shop("list", "kubevirt.io", "virtualmachines", "shop"))
                .by_shop(),
            post("elsewhere", REVIEWS, &shop("list", "kubevirt.io", "virtualmachines", "{ns}")).by_shop(),
            post("everywhere", REVIEWS, &shop("list", "kubevirt.io", "virtualmachines", "")).by_shop(),
            post("a secret", REVIEWS, &shop("get", "", "secrets", "shop")).by_shop(),
            post("by the administrator", REVIEWS, &shop("delete", "", "nodes", "")),
            post(
                "without a question",
                REVIEWS,
                &json!({
                    "apiVersion": "authorization.k8s.io/v1", "kind": "SelfSubjectAccessReview", "spec": {},
                }),
            ),
            get("reviews cannot be listed", REVIEWS),
        ]
    }),
];
