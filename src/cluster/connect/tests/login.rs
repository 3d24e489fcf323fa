//! Credentials that are renewed: plugins and token files, against a server that is picky about tokens.

use std::path::Path;

use super::*;

/// A plugin that counts its runs in a file beside it and gives `token-N` with N the number of the run.
fn counting_plugin(folder: &Path, lifetime: &str) -> String {
    let path = folder.join("login.sh");
    let script = format!(
        "echo run >> \"$0.runs\"\nn=$(wc -l < \"$0.runs\" | tr -d ' ')\n\
         test -e \"$0.fail\" && {{ echo 'session over' >&2; exit 1; }}\n\
         echo '{{\"kind\":\"ExecCredential\",\"apiVersion\":\"client.authentication.k8s.io/v1beta1\",\"status\":{{{lifetime}\"token\":\"token-'$n'\"}}}}'\n"
    );
    fs::write(&path, script).unwrap();
    format!(
        "exec: {{apiVersion: client.authentication.k8s.io/v1beta1, command: sh, args: ['{}']}}",
        path.display()
    )
}

fn runs(folder: &Path) -> usize {
    fs::read_to_string(folder.join("login.sh.runs")).unwrap().lines().count()
}

/// Accepts only the tokens that `good` names.
async fn picky(good: &'static [&'static str]) -> Server {
    Server::start(move |seen| {
        let token = seen.all("authorization").concat();
        match good.iter().any(|good| token == format!("Bearer {good}")) {
            true => say(200, "{}"),
            false => say(401, "Unauthorized"),
        }
    })
    .await
}

async fn with_plugin(server: &Server, folder: &Path, lifetime: &str) -> Connection {
    let user = counting_plugin(folder, lifetime);
    let configuration = one_context(folder, &format!("server: '{}'", server.url), &user);
    connect_to(&configuration, &Flags::default()).await.unwrap()
}

#[tokio::test]
async fn a_plugin_runs_once_for_many_requests() {
    let (server, folder) = (picky(&["token-1"]).await, tempfile::tempdir().unwrap());
    let connection = with_plugin(&server, folder.path(), "").await;
    assert_eq!(connection.info().auth, AuthKind::Plugin("sh".into()));
    for _ in 0..3 {
        connection.send(get("/version"), LONG).await.unwrap();
    }
    assert_eq!(runs(folder.path()), 1);
}

#[tokio::test]
async fn a_refused_token_is_renewed_once_for_all_who_wait() {
    let (server, folder) = (picky(&["token-2"]).await, tempfile::tempdir().unwrap());
    let connection = with_plugin(&server, folder.path(), "").await;
    let all = futures::future::join_all((0..8).map(|_| connection.send(get("/version"), LONG))).await;
    assert!(all.iter().all(Result::is_ok), "{all:?}");
    assert_eq!(runs(folder.path()), 2);
}

#[tokio::test]
async fn a_login_that_does_not_help_is_not_repeated_by_every_request() {
    let (server, folder) = (picky(&[]).await, tempfile::tempdir().unwrap());
    let connection = with_plugin(&server, folder.path(), "").await;
    for _ in 0..4 {
        let failure = connection.send(get("/version"), LONG).await.unwrap_err();
        assert_eq!(failure.kind, FailureKind::Unauthorized);
    }
    assert_eq!(runs(folder.path()), 2);
}

#[tokio::test]
async fn a_login_that_fails_is_not_repeated_by_every_request() {
    let (server, folder) = (picky(&[]).await, tempfile::tempdir().unwrap());
    let connection = with_plugin(&server, folder.path(), "").await;
    fs::write(folder.path().join("login.sh.fail"), "").unwrap();
    for _ in 0..4 {
        let failure = connection.send(get("/version"), LONG).await.unwrap_err();
        assert_eq!(failure.kind, FailureKind::Plugin);
        assert!(failure.what.contains("session over"));
    }
    assert_eq!(runs(folder.path()), 2);
}

#[tokio::test]
async fn tokens_that_ended_on_arrival_are_still_tried() {
    let (server, folder) = (picky(&["token-1"]).await, tempfile::tempdir().unwrap());
    let past = "\"expirationTimestamp\":\"2001-01-01T00:00:00Z\",";
    let connection = with_plugin(&server, folder.path(), past).await;
    for _ in 0..3 {
        connection.send(get("/version"), LONG).await.unwrap();
    }
    assert_eq!(runs(folder.path()), 1, "the clock may be wrong; the server knows");
}

#[tokio::test]
async fn a_rotated_token_file_is_read_again_when_refused() {
    let (server, folder) = (picky(&["new"]).await, tempfile::tempdir().unwrap());
    fs::write(folder.path().join("token"), "old").unwrap();
    let configuration = one_context(folder.path(), &format!("server: '{}'", server.url), "tokenFile: token");
    let connection = connect_to(&configuration, &Flags::default()).await.unwrap();
    fs::write(folder.path().join("token"), "new").unwrap();
    connection.send(get("/version"), LONG).await.unwrap();
    assert_eq!(server.seen().len(), 2);
}

#[tokio::test]
async fn a_fixed_token_that_is_refused_is_not_sent_twice() {
    let server = picky(&[]).await;
    let connection = to(&server, "token: old", &Flags::default()).await;
    let failure = connection.send(get("/version"), LONG).await.unwrap_err();
    assert_eq!(failure.kind, FailureKind::Unauthorized);
    assert_eq!(server.seen().len(), 1);
}
