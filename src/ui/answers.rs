//! What answers the questions of panes.

use std::time::Duration;

use super::message::{Answer, Question};
use crate::cluster::connect::Connection;
use crate::cluster::feed::Timing;
use crate::cluster::{console, logs, object};

/// How long a single document may take.
const PATIENCE: Duration = Duration::from_secs(20);

/// Answers a question, once or again and again, until `tell` says that nobody listens any more.
pub(super) async fn give<T: Future<Output = bool>>(
    connection: Connection,
    question: Question,
    hands: Option<console::Hands>,
    tell: impl Fn(Answer) -> T,
) {
    match question {
        Question::Document { path } => {
            tell(Answer::Document(connection.get_json(&path, "application/json", PATIENCE).await)).await;
        }
        Question::Objects(wanted) => {
            let mut following = object::follow(connection, wanted, Timing::default());
            while let Some(news) = following.next().await {
                if !tell(Answer::Objects(news)).await {
                    return;
                }
            }
        }
        Question::Console(request) => {
            let Some(hands) = hands else { return };
            let mut console = console::open(connection, request, hands, console::Pace::default());
            while let Some(news) = console.next().await {
                if !tell(Answer::Console(news)).await {
                    return;
                }
            }
        }
        Question::Log(request) => {
            let mut reading = logs::read(connection, request, Timing::default());
            while let Some(news) = reading.next().await {
                if !tell(Answer::Log(news)).await {
                    return;
                }
            }
        }
    }
}
