//! Before there is a cluster: the first frame, and what stands there when there will be none.

use serde_json::json;

use super::{Silent, kubeconfig, kubeconfig_of};
use crate::support::apiserver::ApiServer;
use crate::support::poll;
use crate::support::proxy::Proxy;
use crate::support::screen::Screen;

const NONE: [&str; 0] = [];

#[test]
fn without_a_kubeconfig_the_screen_says_what_was_tried() {
    let mut v9s = Screen::open(NONE, 120, 40);
    v9s.wait_for("No kubeconfig was found; looked at").expect("/.kube/config").expect("KUBECONFIG");
    v9s.expect("workloads").expect("not connected").expect(":q").reject(":ctx");
    // The embedded cluster can be had at once; help and hints tell of it.
    v9s.expect("<d>").expect("Demo").expect("d opens a cluster that is inside v9s").reject("Describe");
    v9s.press("?").wait_for("Open the embedded cluster").press("⎋").gone("EVERYWHERE");
    v9s.press("d").wait_for("Context: demo [RW]").wait_for("workloads(all)").wait_for("win-desk");
    v9s.expect("Describe")
        .reject("<d>       Demo")
        .press(":ctx⏎")
        .wait_for("contexts[2]")
        .expect("demo-shop");
    v9s.press(":q⏎");
    assert_eq!(v9s.wait_exit(), 0);
    v9s.terminal_is_restored();
}

#[test]
fn a_kubeconfig_that_is_named_and_missing_is_named_on_the_screen() {
    let mut v9s = Screen::open(["--kubeconfig", "nowhere.yaml"], 80, 24);
    v9s.wait_for("nowhere.yaml").wait_for("does not exist");
    v9s.press("<ctrl-c>");
    assert_eq!(v9s.wait_exit(), 0);
    v9s.terminal_is_restored();
}

#[test]
fn a_broken_kubeconfig_is_named_with_the_line() {
    let broken = "apiVersion: v1\nclusters:\n- name: a\n  cluster: [\n";
    let mut v9s = Screen::builder().file(".kube/config", broken).size(100, 30).open();
    v9s.wait_for(".kube/config").wait_for("line ");
    v9s.reject("panicked");
    v9s.press(":q⏎");
    assert_eq!(v9s.wait_exit(), 0);
}

#[test]
fn a_context_that_is_not_there_is_named_with_those_that_are() {
    let file = kubeconfig(&[("alpha", "https://127.0.0.1:1"), ("beta", "https://127.0.0.1:1")]);
    let mut v9s = Screen::builder().file(".kube/config", file).args(["--context", "delta"]).open();
    v9s.wait_for("delta").wait_for("alpha").wait_for("beta");
    // And one of them can be chosen.
    v9s.press(":ctx⏎").wait_for("contexts[2]").press("j⏎").wait_for("Context: beta");
}

#[test]
fn the_contexts_of_two_files_are_listed_and_one_is_chosen() {
    let silent = Silent::new();
    let mut v9s = Screen::builder()
        .file("one.yaml", kubeconfig(&[("alpha", &silent.url())]))
        .file("two.yaml", kubeconfig(&[("beta", &silent.url()), ("gamma", &silent.url())]))
        .env("KUBECONFIG", "one.yaml:missing.yaml:two.yaml")
        .size(100, 30)
        .open();
    v9s.wait_for("Context: alpha").press(":ctx⏎").wait_for("contexts[3]").expect("alpha(*)");
    v9s.expect("gamma-cluster").expect("gamma-user").expect("gamma-home").expect("live");
    v9s.press("jj⏎").wait_for("Context: gamma").wait_for("workloads(gamma-home)[0]").expect("gamma-cluster");
    v9s.press(":ctx⏎").wait_for("gamma(*)").reject("alpha(*)");
    // By name too, with completion.
    v9s.press(":ctx be⇥⏎").wait_for("Context: beta");
    v9s.press(":ctx delta⏎").wait_for("delta").expect("Context: beta");
}

#[test]
fn the_first_frame_stands_before_the_server_has_said_a_word() {
    let silent = Silent::new();
    let server = Proxy::to(&silent.url());
    server.hold();
    let file = kubeconfig(&[("alpha", &server.url())]);
    let mut v9s = Screen::builder().file(".kube/config", file).size(80, 24).open();
    v9s.wait_for("workloads(").wait_for("Context: alpha").wait_for("workloads(alpha-home)[0]");
    // It listens, too.
    v9s.press(":ctx⏎").wait_for("contexts[1]").press("q").wait_for("workloads(alpha-home)");
    v9s.press(":q⏎");
    assert_eq!(v9s.wait_exit(), 0);
    v9s.terminal_is_restored();
}

#[test]
fn the_first_frame_stands_while_a_plugin_thinks_and_nothing_of_it_is_on_the_screen() {
    let script = "echo $$ >plugin.pid; echo 'noise of the plugin' >&2; echo 'more noise'; exec sleep 60";
    let user = json!({"exec": {
        "apiVersion": "client.authentication.k8s.io/v1", "command": "sh", "args": ["-c", script],
        "interactiveMode": "Never",
    }});
    let file = kubeconfig_of(&[("alpha", "https://127.0.0.1:1")], &user);
    let mut v9s = Screen::builder().file(".kube/config", file).size(80, 24).open();
    v9s.wait_for("workloads(");
    let pid = v9s.home().join("plugin.pid");
    let started = || std::fs::read_to_string(&pid).ok().filter(|pid| pid.ends_with('\n'));
    let Some(plugin) = poll(crate::support::deadline(), started) else { v9s.fail("no plugin was started") };
    v9s.press(":ctx⏎").wait_for("contexts[1]").reject("noise");
    assert!(!String::from_utf8_lossy(&v9s.raw()).contains("noise"), "written to the terminal");
    // Leaving does not wait for the plugin, nor leave it behind.
    v9s.press(":q⏎");
    assert_eq!(v9s.wait_exit(), 0);
    v9s.terminal_is_restored();
    let process = std::path::PathBuf::from(format!("/proc/{}", plugin.trim()));
    if std::path::Path::new("/proc/self").exists() {
        let gone = || (!process.exists()).then_some(());
        assert!(poll(crate::support::deadline(), gone).is_some(), "the plugin still runs");
    }
}

#[test]
fn what_a_plugin_says_when_it_fails_is_told_in_one_sentence() {
    let script = "echo 'your session \u{1b}[31mhas expired' >&2; exit 7";
    let user = json!({"exec": {
        "apiVersion": "client.authentication.k8s.io/v1", "command": "sh", "args": ["-c", script],
        "interactiveMode": "Never",
    }});
    let file = kubeconfig_of(&[("alpha", "https://127.0.0.1:1")], &user);
    let mut v9s = Screen::builder().file(".kube/config", file).size(100, 30).open();
    v9s.wait_for("has expired").expect(":ctx");
}

#[test]
fn a_server_that_refuses_is_named_and_the_program_stays() {
    // Bound and let go: nobody listens there.
    let url = Silent::new().url();
    let file = kubeconfig(&[("alpha", &url)]);
    let mut v9s = Screen::builder().file(".kube/config", file).size(80, 24).open();
    let address = url.trim_start_matches("https://").to_owned();
    v9s.wait_for(&address).wait_for("Context: alpha").wait_until(|text| text.contains('?'), "a remedy");
    v9s.expect(":ctx").press(":ctx⏎").wait_for("alpha(*)");
    v9s.press("<ctrl-c>");
    assert_eq!(v9s.wait_exit(), 0);
    v9s.terminal_is_restored();
}

#[test]
fn a_wrong_authority_and_a_wrong_token_are_told_with_what_to_do() {
    let Some(server) = ApiServer::shared() else { return };
    let folder = tempfile::tempdir().unwrap();
    let cases = [
        ("authority", server.kubeconfig_of("admin").wrong_authority(), "certificate"),
        ("token", server.kubeconfig_of("token").token("expired"), "Log in again"),
    ];
    for (name, kubeconfig, remedy) in cases {
        let path = kubeconfig.write(folder.path(), name);
        let mut v9s = Screen::builder().kubeconfig(&path).size(80, 24).open();
        v9s.wait_for(remedy).wait_for(":ctx").reject("Error").reject("error trying to connect");
        v9s.press(":q⏎");
        assert_eq!(v9s.wait_exit(), 0, "{name}");
        v9s.terminal_is_restored();
    }
}

#[test]
fn a_broken_config_is_named_with_its_place_and_stops_nothing() {
    let broken = "ui:\n  mouse: perhaps\n";
    let mut v9s = Screen::builder().file("config/v9s/config.yaml", broken).size(120, 30).open();
    v9s.wait_for("config.yaml, line 2, column 10").expect("ui.mouse counts for nothing until it is mended");
    v9s.press(":q⏎");
    assert_eq!(v9s.wait_exit(), 0);
    v9s.terminal_is_restored();
}

#[test]
fn all_that_is_wrong_with_the_files_can_be_read_until_a_key_is_pressed() {
    let silent = Silent::new();
    let config = "ui: {skin: broken, foo: 1, mouse: maybe, wide: true}\nnonsense: 1\n";
    let mut v9s = Screen::builder()
        .file(".kube/config", kubeconfig(&[("alpha", &silent.url())]))
        .file("config/v9s/config.yaml", config)
        .file("config/v9s/skins/broken.yaml", "k9s:\n  body: [\n")
        .file("config/k9s/config.yaml", "k9s:\n  readOnly: true\n bad\n")
        .size(80, 24)
        .open();
    v9s.wait_for("workloads(alpha-home)[0]").wait_for("alpha [R]");
    // Lines are broken between words wherever they end.
    let whole = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
    for said in [
        "skins/broken.yaml cannot be used: line 2, column 9: ",
        "k9s's config.yaml, line ",
        "; it counts for nothing, and nothing is changed until it is mended",
        "config.yaml, line 1, column 35: ",
        "; ui.mouse counts for nothing until it is mended",
        "config.yaml: there is no key nonsense",
        "config.yaml: there is no key ui.foo",
    ] {
        v9s.wait_until(|text| whole(text).contains(said), said);
    }
    v9s.press("j").wait_until(|text| !text.contains("nonsense") && !text.contains("mended"), "they go");
    v9s.press(":q⏎");
    assert_eq!(v9s.wait_exit(), 0);
}

#[test]
fn the_config_says_how_the_screen_begins() {
    let silent = Silent::new();
    let config =
        "readOnly: true\ndefaultView: pods all\nui: {skin: mine, header: false, crumbs: false, wide: true}\n";
    let mut v9s = Screen::builder()
        .file(".kube/config", kubeconfig(&[("alpha", &silent.url())]))
        .file("config/v9s/config.yaml", config)
        .file("config/v9s/skins/mine.yaml", "k9s: {frame: {title: {fgColor: '#010203', bgColor: default}}}")
        .size(100, 30)
        .open();
    v9s.wait_for("pods(all)[0]").wait_for("alpha:alpha-cluster:n/a [R]").reject("Context:").reject("<pods>");
    let title = v9s.cell_of("pods(all)");
    assert_eq!(format!("{:?}", title.fg), "Spec(Rgb { r: 1, g: 2, b: 3 })");
    // The command line has the last word.
    let mut v9s = Screen::builder()
        .file(".kube/config", kubeconfig(&[("alpha", &silent.url())]))
        .file("config/k9s/config.yaml", "k9s: {readOnly: true, ui: {skin: none, headless: false}}")
        .args(["-c", "contexts", "--headless", "--crumbsless", "--logoless", "--invert"])
        .size(100, 30)
        .open();
    v9s.wait_for("contexts[1]")
        .wait_for("alpha:alpha-cluster:n/a [R]")
        .reject("Context:")
        .reject("<contexts>")
        .reject("There is no skin");
}

#[test]
fn the_first_view_is_a_whole_command() {
    let silent = Silent::new();
    let open = |config: &str, args: &[&str]| {
        Screen::builder()
            .file(".kube/config", kubeconfig(&[("alpha", &silent.url())]))
            .file("config/v9s/config.yaml", config)
            .args(args.iter().copied())
            .size(100, 30)
            .open()
    };
    let filter = "filters: {odd: 'cpu>abc'}\n";
    let mut v9s = open(&format!("defaultView: vms all /state:Running\n{filter}"), &[]);
    v9s.wait_for("vms(all)[0] </state:Running>");
    let mut v9s = open(filter, &["-c", "vms shop /@odd"]);
    v9s.wait_for("vms(shop)[0] </@odd>").wait_for("In @odd: cpu is compared with numbers");
}

#[test]
fn a_terminal_that_shows_ascii_gets_nothing_else() {
    let silent = Silent::new();
    let mut v9s = Screen::builder()
        .file(".kube/config", kubeconfig(&[("alpha", &silent.url())]))
        .args(["-c", "contexts"])
        .env("LANG", "C")
        .size(100, 30)
        .open();
    v9s.wait_for("contexts[1]").wait_for("NAME^").press(":con").wait_for("> contexts").settle();
    assert!(v9s.raw().is_ascii(), "{}", v9s.text());
}
