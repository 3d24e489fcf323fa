//! Watches: what they begin with, what they tell, how they end.

use serde_json::json;

use super::Story;
use super::reads::{MACHINES, made};
use super::step::{Step, TABLE, delete, get, merge};

fn watch(what: &'static str, lines: usize, query: &str) -> Step {
    get(what, format!("{MACHINES}?watch=1&timeoutSeconds=2{query}")).lines(lines)
}

pub(super) const STORIES: &[Story] = &[
    ("watches: what is there", || {
        let mut steps = made();
        let initial = "&sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true";
        steps.extend([
            watch("without a version", 3, ""),
            watch("from any version", 3, "&resourceVersion=0"),
            watch("a list as a watch", 4, initial),
            watch("of a selection", 1, "&labelSelector=tier%3Dfront"),
            watch("of one", 1, "&fieldSelector=metadata.name%3Db"),
            watch("as a table", 3, "").header("accept", TABLE),
            watch("a list as a watch, as a table", 4, initial).header("accept", TABLE),
            get("of the object in the path", format!("{MACHINES}/b?watch=1&timeoutSeconds=2")).lines(1),
            watch("initial events without a rule", 1, "&sendInitialEvents=true"),
            watch("a rule without initial events", 1, "&resourceVersionMatch=NotOlderThan"),
            watch(
                "initial events without bookmarks",
                1,
                "&sendInitialEvents=true&resourceVersionMatch=NotOlderThan",
            ),
            watch("a version that is no number", 1, "&resourceVersion=new"),
            watch("a version that is long gone", 1, "&resourceVersion=1"),
            watch("a broken selector", 1, "&labelSelector=%3D%3D"),
            get("a time limit that is no number", format!("{MACHINES}?watch=1&timeoutSeconds=soon")),
        ]);
        steps
    }),
    ("watches: after changes", || {
        let mut steps = made();
        steps.extend([
            merge("a change", format!("{MACHINES}/b"), &json!({"metadata": {"labels": {"tier": "back"}}})),
            delete("an end", format!("{MACHINES}/a")),
            watch("what is left", 2, ""),
        ]);
        steps
    }),
];
