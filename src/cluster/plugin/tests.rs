use std::fs;
use std::path::PathBuf;
use std::time::Instant;

use secrecy::ExposeSecret as _;

use super::*;

const V1: &str = VERSIONS[0];

/// A plugin that is a shell script in a folder of its own.
struct Script {
    _folder: tempfile::TempDir,
    exec: ExecConfig,
    path: PathBuf,
}

fn script(body: &str) -> Script {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("login");
    fs::write(&path, body).unwrap();
    // Run by the shell: a script that was just written may not be executable yet (ETXTBSY) while other tests fork.
    let exec = ExecConfig {
        api_version: Some(V1.to_owned()),
        command: Some("sh".to_owned()),
        args: Some(vec![path.to_str().unwrap().to_owned(), "one argument".to_owned()]),
        ..ExecConfig::default()
    };
    Script { _folder: folder, exec, path }
}

const LONG: Duration = Duration::from_secs(30);

#[tokio::test]
async fn a_plugin_gets_its_environment_and_gives_a_token() {
    let mut script = script(
        r#"read line && exit 9   # stdin is empty
printf '%s' "$KUBERNETES_EXEC_INFO" > "$0.info"
echo "Opening browser" >&2
cat <<END
{"kind":"ExecCredential","apiVersion":"client.authentication.k8s.io/v1",
 "status":{"token":" $GREETING-$1\n","expirationTimestamp":"2026-11-21T13:00:00Z"}}
END
"#,
    );
    script.exec.provide_cluster_info = true;
    let pair = [("name", "GREETING"), ("value", "hello")];
    script.exec.env = Some(vec![pair.map(|(k, v)| (k.to_owned(), v.to_owned())).into()]);
    let cluster = ExecAuthCluster {
        server: Some("https://one:6443".to_owned()),
        certificate_authority_data: Some(b"CA".to_vec()),
        config: Some(serde_json::json!({"audience": "x"})),
        ..ExecAuthCluster::default()
    };
    let credential = run(&script.exec, Some(&cluster), LONG).await.unwrap();
    assert_eq!(credential.token.as_ref().unwrap().expose_secret(), "hello-one argument");
    assert_eq!(credential.expires, Some("2026-11-21T13:00:00Z".parse().unwrap()));
    assert!(!format!("{credential:?}").contains("hello"));
    let info = fs::read_to_string(script.path.with_extension("info")).unwrap();
    let info: serde_json::Value = serde_json::from_str(&info).unwrap();
    assert_eq!(
        info,
        serde_json::json!({
            "apiVersion": V1, "kind": "ExecCredential",
            "spec": { "interactive": false, "cluster": {
                "server": "https://one:6443", "certificate-authority-data": "Q0E=", "config": {"audience": "x"} } }
        })
    );
}

#[tokio::test]
async fn a_failing_plugin_is_told_by_its_last_line_only() {
    let script =
        script("echo secret-token; echo first >&2; printf 'please log in\\033[2J\\n\\n' >&2; exit 3");
    let failure = run(&script.exec, None, LONG).await.unwrap_err();
    assert_eq!(failure.kind, FailureKind::Plugin);
    assert_eq!(failure.what, "The credential plugin sh ended with exit status 3: please log in␛[2J.");

    let killed = self::script("kill -9 $$");
    let failure = run(&killed.exec, None, LONG).await.unwrap_err();
    assert_eq!(failure.what, "The credential plugin sh ended with a signal and said nothing.");
}

#[tokio::test]
async fn a_slow_plugin_is_stopped_with_its_children() {
    // The child would outlive a shell that alone is killed. It holds a pipe open, which ends when the child does.
    let script = script("sleep 300 > \"$0.fifo\" & wait");
    let fifo = script.path.with_extension("fifo");
    assert!(std::process::Command::new("mkfifo").arg(&fifo).status().unwrap().success());
    let (send, ended) = tokio::sync::oneshot::channel();
    std::thread::spawn(move || send.send(fs::read(fifo)));
    let failure = run(&script.exec, None, Duration::from_millis(700)).await.unwrap_err();
    assert!(failure.what.contains("did not end within"), "{failure}");
    let ended = timeout(LONG, ended).await.expect("the child lives on").unwrap();
    assert!(ended.unwrap().is_empty());
}

#[tokio::test]
async fn a_child_that_stays_does_not_hold_up_the_answer() {
    let script = script(
        r#"sleep 20 &
echo '{"kind":"ExecCredential","apiVersion":"client.authentication.k8s.io/v1","status":{"token":"t"}}'"#,
    );
    let start = Instant::now();
    run(&script.exec, None, LONG).await.unwrap();
    assert!(start.elapsed() < Duration::from_secs(10));
}

#[tokio::test]
async fn what_cannot_run_says_why() {
    let exec = |command: &str| ExecConfig {
        api_version: Some(VERSIONS[1].to_owned()),
        command: Some(command.to_owned()),
        ..ExecConfig::default()
    };
    let mut missing = exec("/nonexistent/bin/aws-login");
    missing.install_hint = Some("brew install\naws-login".to_owned());
    let failure = run(&missing, None, LONG).await.unwrap_err();
    assert_eq!(
        failure.to_string(),
        "The credential plugin aws-login is not installed. brew install aws-login."
    );

    let mut asking = exec("sh");
    asking.interactive_mode = Some(ExecInteractiveMode::Always);
    let failure = run(&asking, None, LONG).await.unwrap_err();
    assert_eq!(failure.kind, FailureKind::Plugin);
    assert!(failure.remedy.unwrap().starts_with("Log in outside of v9s first"));

    let mut old = exec("sh");
    old.api_version = Some("client.authentication.k8s.io/v1alpha1".to_owned());
    assert_eq!(run(&old, None, LONG).await.unwrap_err().kind, FailureKind::Config);
}

#[test]
fn answers_that_are_none_are_refused_without_being_shown() {
    let head = r#"{"kind":"ExecCredential","apiVersion":"client.authentication.k8s.io/v1""#;
    let cases = [
        ("hunter2".to_owned(), "not an ExecCredential"),
        (format!("{head}}}"), "no status"),
        (format!(r#"{head},"status":{{}}}}"#), "neither a token"),
        (format!(r#"{head},"status":{{"token":" "}}}}"#), "neither a token"),
        (format!(r#"{head},"status":{{"clientKeyData":"hunter2"}}}}"#), "without a certificate"),
        (
            format!(r#"{head},"status":{{"token":"hunter2","expirationTimestamp":"soon"}}}}"#),
            "not an ExecCredential",
        ),
        (r#"{"kind":"Secret","status":{"token":"hunter2"}}"#.to_owned(), "kind"),
        (head.replace("/v1", "/v1beta1") + r#","status":{"token":"hunter2"}}"#, "apiVersion"),
    ];
    for (answer, part) in cases {
        let failure = parse(answer.as_bytes(), V1, "aws").unwrap_err();
        assert!(failure.what.contains(part), "{answer}: {failure}");
        assert!(!failure.to_string().contains("hunter2"));
    }
    let both = format!(r#"{head},"status":{{"clientCertificateData":"C","clientKeyData":"K"}}}}"#);
    let (certificate, key) = parse(both.as_bytes(), V1, "aws").unwrap().certificate.unwrap();
    assert_eq!((certificate.as_str(), key.expose_secret()), ("C", "K"));
}
