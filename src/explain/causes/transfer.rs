//! A worker of CDI cannot get the content of a disk, or cannot write it.

use super::Cause;
use crate::store::Health::{Busy, Failed};

pub(super) const CAUSES: &[Cause] = &[
    Cause {
        id: "scratch-space-asked",
        health: Busy,
        says: r#"scratch space required|^(Error: )?\{"scratchSpaceRequired":true"#,
        short: "",
        about: "",
        cases: &[
            (r#"Error: {"scratchSpaceRequired":true}"#, ""),
            ("Scratch space required: scratch space required and none found", ""),
        ],
    },
    Cause {
        id: "http-404",
        health: Failed,
        says: r"expected status code 200, got (?<code>404|410)",
        short: "HTTP {code}",
        about: "The server does not have the image under this address (any more): correct the URL.",
        cases: &[(
            "Error: Unable to process data: Unable to connect to http data source: expected status code 200, got 404. Status: 404 Not Found",
            "HTTP 404",
        )],
    },
];
