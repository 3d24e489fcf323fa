use std::fs;

use secrecy::ExposeSecret as _;

use super::*;
use crate::cluster::error::FailureKind;

const ONE: &str = "
current-context: \"\"
contexts:
- name: a
  context: {cluster: c1, user: u1, namespace: ns1}
- name: lost
  context: {cluster: nowhere, user: nobody}
clusters:
- name: c1
  cluster: {server: https://one:6443, certificate-authority: pki/ca.crt, certificate-authority-data: \"\"}
users:
- name: u1
  user:
    client-certificate: pki/u.crt
    client-key: /abs/u.key
    tokenFile: token
    exec: {apiVersion: client.authentication.k8s.io/v1, command: ./bin/login}
";

const TWO: &str = "
current-context: b
contexts:
- name: a
  context: {cluster: other, user: other}
- name: b
  context: {cluster: c2, user: u2}
clusters:
- name: c2
  cluster: {server: https://two:6443}
users:
- name: u2
  user: {token: abc, exec: {apiVersion: client.authentication.k8s.io/v1, command: aws}}
";

fn kubeconfig_variable(paths: &[PathBuf]) -> OsString {
    std::env::join_paths(paths).unwrap()
}

fn nowhere() -> PathBuf {
    PathBuf::from("/nonexistent/serviceaccount")
}

#[test]
fn several_files_are_joined_and_the_first_wins() {
    let folder = tempfile::tempdir().unwrap();
    let (one, two) = (folder.path().join("one"), folder.path().join("two"));
    let missing = folder.path().join("missing");
    fs::write(&one, ONE).unwrap();
    fs::write(&two, TWO).unwrap();
    let list = kubeconfig_variable(&[one.clone(), missing.clone(), PathBuf::new(), two.clone()]);
    let env = |name: &str| (name == "KUBECONFIG").then(|| list.clone());
    let configuration = load_with(&Flags::default(), &env, None, &nowhere()).unwrap();

    let names: Vec<_> =
        configuration.contexts.iter().map(|c| (c.name.as_str(), c.server.as_deref())).collect();
    assert_eq!(names, [("a", Some("https://one:6443")), ("lost", None), ("b", Some("https://two:6443"))]);
    assert_eq!(configuration.current.as_deref(), Some("b"), "an empty current-context is none");
    assert_eq!(configuration.tried[1], Tried { path: missing, outcome: Outcome::Missing });
    assert_eq!(configuration.tried[2].outcome, Outcome::Read { contexts: 2 });

    let a = configuration.choose(Some("a"), &Flags::default()).unwrap();
    let inside = |path: &str| Some(folder.path().join(path).to_str().unwrap().to_owned());
    assert_eq!(a.cluster.certificate_authority, inside("pki/ca.crt"));
    assert_eq!(a.cluster.certificate_authority_data, None);
    assert_eq!(a.user.client_certificate, inside("pki/u.crt"));
    assert_eq!(a.user.client_key.as_deref(), Some("/abs/u.key"));
    assert_eq!(a.user.token_file, inside("token"));
    assert_eq!(a.user.exec.unwrap().command, inside("./bin/login"));

    let b = configuration.choose(None, &Flags::default()).unwrap();
    assert_eq!(b.user.exec.unwrap().command.as_deref(), Some("aws"), "a bare command is looked for in PATH");
    assert_eq!(b.user.token.unwrap().expose_secret(), "abc");
}

#[test]
fn flags_choose_parts_and_the_namespace_has_an_order() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("config");
    fs::write(&path, format!("{ONE}- name: u3\n  user: {{token: xyz}}\n")).unwrap();
    let file = |flags: Flags| Flags { kubeconfig: Some(path.clone()), ..flags };
    let account = folder.path().join("sa");
    fs::create_dir(&account).unwrap();
    fs::write(account.join("namespace"), "pod-ns\n").unwrap();
    let configuration = load_with(&file(Flags::default()), &|_| None, None, &account).unwrap();

    let flags = file(Flags { user: Some("u3".into()), context: Some("a".into()), ..Flags::default() });
    let chosen = configuration.choose(None, &flags).unwrap();
    assert_eq!((chosen.user_name.as_str(), chosen.namespace.as_str()), ("u3", "ns1"));
    let flags = file(Flags { namespace: Some("mine".into()), ..Flags::default() });
    assert_eq!(configuration.namespace(Some("a"), &flags), "mine");
    assert_eq!(configuration.namespace(Some("lost"), &Flags::default()), "pod-ns");
    let configuration = load_with(&file(Flags::default()), &|_| None, None, &nowhere()).unwrap();
    assert_eq!(configuration.namespace(Some("lost"), &Flags::default()), "default");

    let wrong = |flags: Flags, context: Option<&str>| {
        configuration.choose(context, &flags).err().unwrap().to_string()
    };
    assert_eq!(
        wrong(Flags::default(), None),
        "The kubeconfig sets no current context. Choose one with --context: a, lost."
    );
    assert!(wrong(Flags::default(), Some("zzz")).starts_with("There is no context named zzz."));
    assert!(wrong(Flags::default(), Some("lost")).contains("the cluster nowhere, which is not defined"));
    let flags = Flags { cluster: Some("c1".into()), ..Flags::default() };
    assert!(wrong(flags, Some("lost")).contains("the user nobody, which is not defined"));
}

#[test]
fn broken_and_missing_files_are_named_without_their_secrets() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("broken");
    fs::write(&path, "contexts: []\nusers:\n- name: u\n  user: {token: hunter2, ]\n").unwrap();
    let flags = Flags { kubeconfig: Some(path.clone()), ..Flags::default() };
    let failure = load_with(&flags, &|_| None, None, &nowhere()).unwrap_err();
    assert_eq!(failure.kind, FailureKind::Config);
    let text = failure.to_string();
    assert!(text.contains(path.to_str().unwrap()) && text.contains("line 4, column"), "{text}");
    assert!(!text.contains("hunter2"), "{text}");

    fs::write(&path, "users: [{name: u, user: {token: [hunter2]}}]").unwrap();
    let text = load_with(&flags, &|_| None, None, &nowhere()).unwrap_err().to_string();
    assert!(text.contains("broken") && !text.contains("hunter2"), "{text}");

    fs::write(&path, [0xff, 0xfe, 0x00, 0xd8]).unwrap();
    let text = load_with(&flags, &|_| None, None, &nowhere()).unwrap_err().to_string();
    assert!(text.contains("is not text"), "{text}");

    let flags = Flags { kubeconfig: Some(folder.path().join("none")), ..Flags::default() };
    let text = load_with(&flags, &|_| None, None, &nowhere()).unwrap_err().to_string();
    assert!(text.contains("does not exist"), "{text}");

    let failure = load_with(&Flags::default(), &|_| None, Some(folder.path()), &nowhere()).unwrap_err();
    let home = folder.path().join(".kube/config");
    assert_eq!(
        failure.to_string(),
        format!(
            "No kubeconfig was found; looked at {}, /nonexistent/serviceaccount. Give one with --kubeconfig or KUBECONFIG.",
            home.display()
        )
    );
}

#[test]
fn utf16_files_of_powershell_are_read() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("config");
    let mut bytes = vec![0xff, 0xfe];
    bytes.extend(TWO.encode_utf16().flat_map(u16::to_le_bytes));
    fs::write(&path, bytes).unwrap();
    let flags = Flags { kubeconfig: Some(path), ..Flags::default() };
    assert_eq!(load(&flags, &|_| None, None).unwrap().current.as_deref(), Some("b"));
}

#[test]
fn secrets_are_not_printed() {
    for (url, shown) in [
        ("https://u:hunter2@api:6443/x@y", "https://api:6443/x@y"),
        ("https://api/a@b", "https://api/a@b"),
        ("u:hunter2@api", "api"),
        ("https://u:hunter/2@api:6443/x", "https://api:6443/x"),
        ("https://[::1]:6443/a@b", "https://[::1]:6443/a@b"),
        ("", ""),
    ] {
        assert_eq!(without_password(url), shown);
    }
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("config");
    let provider = "{auth-provider: {name: oidc, config: {refresh-token: hunter2}}}";
    fs::write(&path, format!("{ONE}- name: u9\n  user: {provider}\n")).unwrap();
    let flags = Flags { kubeconfig: Some(path), ..Flags::default() };
    let configuration = load(&flags, &|_| None, None).unwrap();
    assert!(!format!("{configuration:?}").contains("hunter2"));
}

#[test]
fn a_pod_uses_its_service_account() {
    let folder = tempfile::tempdir().unwrap();
    let env = |name: &str| match name {
        "KUBERNETES_SERVICE_HOST" => Some(OsString::from("fd00::1")),
        "KUBERNETES_SERVICE_PORT" => Some(OsString::from("443")),
        _ => None,
    };
    assert!(load_with(&Flags::default(), &env, None, folder.path()).is_err(), "no token yet");
    fs::write(folder.path().join("token"), "t").unwrap();
    fs::write(folder.path().join("namespace"), "vms").unwrap();
    let configuration = load_with(&Flags::default(), &env, None, folder.path()).unwrap();
    let chosen = configuration.choose(None, &Flags::default()).unwrap();
    assert_eq!(chosen.cluster.server.as_deref(), Some("https://[fd00::1]:443"));
    assert_eq!((chosen.context.as_str(), chosen.namespace.as_str()), ("in-cluster", "vms"));
    assert!(chosen.user.token_file.unwrap().ends_with("token"));
}
