//! What answers the questions of panes.

use std::time::Duration;

use super::message::{Answer, Question};
use crate::cluster::connect::Connection;

/// How long a single document may take.
const PATIENCE: Duration = Duration::from_secs(20);

/// Answers a question, once or again and again, until `tell` says that nobody listens any more.
pub(super) async fn give<T: Future<Output = bool>>(
    connection: Connection,
    question: Question,
    tell: impl Fn(Answer) -> T,
) {
    match question {
        Question::Document { path } => {
            tell(Answer::Document(connection.get_json(&path, "application/json", PATIENCE).await)).await;
        }
    }
}
