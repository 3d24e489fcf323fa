use std::fs;
use std::path::Path;

use super::*;

/// A home with folders of ours and of k9s.
struct Home {
    top: tempfile::TempDir,
}

impl Home {
    fn new() -> Self {
        Self { top: tempfile::tempdir().unwrap() }
    }

    fn ours(&self) -> Folders {
        Folders::under(&self.top.path().join("v9s"))
    }

    fn k9s(&self) -> Folders {
        Folders::under(&self.top.path().join("k9s"))
    }

    fn has(&self, path: &str, text: &str) -> &Self {
        let path = self.top.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
        self
    }

    fn load(&self) -> Loaded {
        Config::load(&self.ours(), Some(self.k9s()))
    }
}

const OURS: &str = "v9s/config/config.yaml";
const THEIRS: &str = "k9s/config/config.yaml";

#[test]
fn without_files_there_are_the_defaults_and_no_word() {
    let loaded = Home::new().load();
    assert_eq!((loaded.config, loaded.warnings), (Config::default(), Vec::new()));
    assert!(loaded.skin_of_k9s);
}

#[test]
fn the_example_says_what_is_the_case_without_it() {
    let example = keys::example();
    let home = Home::new();
    let loaded = home.has(OURS, &example).load();
    assert_eq!((loaded.config, loaded.warnings), (Config::default(), Vec::<String>::new()), "{example}");
    // Every key is in it, and with the default that is written down.
    let mut paths: Vec<String> = Vec::new();
    leaves(&serde_json::to_value(Config::default()).unwrap(), "", &mut paths);
    let mut written: Vec<&str> = keys::KEYS.iter().map(|key| key.path).collect();
    paths.sort();
    written.sort_unstable();
    assert_eq!(paths, written);
    for key in keys::KEYS {
        let default: Value = yaml::read(key.default).unwrap();
        let config = serde_json::to_value(Config::default()).unwrap();
        let value = config.pointer(&format!("/{}", key.path.replace('.', "/"))).unwrap();
        // Read without its type, an empty map of filters is nothing.
        assert_eq!(value, &default, "{}", key.path);
    }
}

fn leaves(value: &Value, at: &str, found: &mut Vec<String>) {
    match value {
        Value::Object(fields) if !fields.is_empty() => {
            for (name, below) in fields {
                leaves(below, &if at.is_empty() { name.clone() } else { format!("{at}.{name}") }, found);
            }
        }
        _ => found.push(at.to_owned()),
    }
}

#[test]
fn every_key_counts() {
    let text = "
readOnly: true
defaultView: pods all
ui: {skin: light, invert: true, ascii: false, mouse: true, header: false, crumbs: no, logo: off, wide: true, columnSet: storage}
logs: {tail: 7, buffer: 70, wrap: true, timestamps: true}
console: {scrollback: 700, backlog: 7}
namespaces: {favourites: [shop, lab], learn: false}
filters:
  broken: state:Failed age<2h
";
    let loaded = Home::new().has(OURS, text).load();
    let want = Config {
        read_only: true,
        default_view: "pods all".into(),
        ui: Ui {
            skin: "light".into(),
            invert: true,
            ascii: Some(false),
            mouse: true,
            header: false,
            crumbs: false,
            logo: false,
            wide: true,
            side: true,
            column_set: "storage".into(),
        },
        logs: Logs { tail: 7, buffer: 70, wrap: true, timestamps: true },
        console: Console { scrollback: 700, backlog: 7 },
        namespaces: Namespaces { favourites: vec!["shop".into(), "lab".into()], learn: false },
        filters: BTreeMap::from([("broken".into(), "state:Failed age<2h".into())]),
    };
    assert_eq!((loaded.config, loaded.warnings), (want, Vec::new()));
}

#[test]
fn a_key_that_there_is_not_is_named_and_the_rest_counts() {
    let text = "ui: {mouse: true, skinn: nord}\nreadonly: true\nfilters: {mine: a}\nlogs: {buffer: 4000000000}\nconsole: {scrollback: 4000000000}\n";
    let loaded = Home::new().has(OURS, text).load();
    assert!(loaded.config.ui.mouse && !loaded.config.read_only);
    assert_eq!((loaded.config.logs.buffer, loaded.config.console.scrollback), (1_000_000, 100_000));
    let said = loaded.warnings.join("\n");
    for wanted in [
        "config.yaml: there is no key ui.skinn",
        "no key readonly",
        "logs.buffer is 1000000 at most",
        "console.scrollback is 100000 at most",
    ] {
        assert!(said.contains(wanted), "{wanted}: {said}");
    }
    assert_eq!(loaded.warnings.len(), 4, "{said}");
}

#[test]
fn a_broken_file_is_named_with_its_place_and_counts_for_nothing() {
    let cases = [
        ("ui: {mouse: true}\nlogs: [", "config.yaml, line 2", false),
        ("ui:\n  mouse: perhaps\n", "config.yaml, line 2, column 10", false),
        ("ui:\n  skin: [dark]\n", "line 2, column 9", false),
        ("logs:\n  tail: -1\n", "config.yaml, line 2, column 9", false),
        ("ui: dark\n", "config.yaml, line 1, column 5", false),
        ("- ui\n", "config.yaml, line 1, column 1", false),
        // Who may have asked for this gets it, whatever else is wrong.
        ("readOnly: true\nui: [", "config.yaml, line 2", true),
        ("readOnly: yess\n", "config.yaml, line 1, column 11", true),
        ("- readOnly: true\n", "config.yaml, line 1, column 1", true),
    ];
    for (text, place, careful) in cases {
        let loaded = Home::new().has(OURS, text).load();
        let want = Config { read_only: careful, ..Config::default() };
        assert_eq!(loaded.config, want, "{text}");
        let [said] = &loaded.warnings[..] else { panic!("{text}: {:?}", loaded.warnings) };
        assert!(said.contains(place) && said.contains("nothing is changed") == careful, "{text}: {said}");
        assert!(said.contains("counts for nothing") && said.lines().count() == 1, "{said}");
        assert!(!said.contains('␊'), "{said}");
    }
}

#[test]
fn what_can_be_read_counts_and_what_cannot_is_named() {
    let text = "readOnly: true\nui:\n  mouse: maybe\n  skin: nord\n  wide: yes\nlogs: none\n\
                console: {backlog: few, scrollback: 7}\nfilters: {mine: 'state:Failed'}\nnonsense: 1\n";
    let loaded = Home::new().has(OURS, text).load();
    let want = Config {
        read_only: true,
        ui: Ui { skin: "nord".into(), wide: true, ..Ui::default() },
        console: Console { scrollback: 7, ..Console::default() },
        filters: BTreeMap::from([("mine".into(), "state:Failed".into())]),
        ..Config::default()
    };
    assert_eq!(loaded.config, want);
    let starts = [
        "config.yaml, line 3, column 10: ",
        "config.yaml, line 6, column 7: ",
        "config.yaml, line 7, column 20: ",
        "config.yaml: there is no key nonsense",
    ];
    let ends = ["; ui.mouse counts", "; logs counts", "; console.backlog counts", ""];
    assert_eq!(loaded.warnings.len(), 4, "{:?}", loaded.warnings);
    for ((said, start), end) in loaded.warnings.iter().zip(starts).zip(ends) {
        assert!(said.starts_with(start) && said.contains(end), "{said}");
    }
    // A name that looks like a number is a name.
    let loaded = Home::new().has(OURS, "ui: {skin: 16}\n").load();
    assert_eq!((&*loaded.config.ui.skin, loaded.warnings), ("16", Vec::<String>::new()));
}

#[test]
fn a_broken_file_of_k9s_that_speaks_of_read_only_is_obeyed() {
    let broken = "k9s:\n  readOnly: true\n bad\n";
    let home = Home::new();
    let loaded = home.has(THEIRS, broken).load();
    assert!(loaded.config.read_only);
    let said = &loaded.warnings[0];
    assert!(
        said.starts_with("k9s's config.yaml, line ") && said.contains("nothing is changed until"),
        "{said}"
    );
    // Our own file has the last word.
    assert!(!home.has(OURS, "readOnly: false\n").load().config.read_only);
    let home = Home::new();
    home.has("k9s/data/clusters/c/x/config.yaml", broken);
    let (config, warnings) = home.load().in_context("c", "x");
    assert!(config.read_only && warnings.len() == 1, "{warnings:?}");
    assert!(!home.load().in_context("c", "other").0.read_only);
}

#[test]
fn what_k9s_was_told_counts_where_our_file_says_nothing() {
    let theirs = "
k9s:
  refreshRate: 2
  readOnly: true
  defaultView: deploy
  ui: {enableMouse: true, headless: true, crumbsless: true, logoless: false, skin: nord, invert: true, reactive: false}
  logger: {tail: 200, buffer: 500, sinceSeconds: -1, textWrap: true, showTime: true}
";
    let home = Home::new();
    let loaded = home.has(THEIRS, theirs).load();
    assert_eq!(loaded.warnings, Vec::<String>::new());
    let ui =
        Ui { skin: "nord".into(), invert: true, mouse: true, header: false, crumbs: false, ..Ui::default() };
    assert_eq!(loaded.config.ui, ui);
    assert_eq!(loaded.config.logs, Logs { tail: 200, buffer: 500, wrap: true, timestamps: true });
    assert_eq!(
        (loaded.config.read_only, &*loaded.config.default_view, loaded.skin_of_k9s),
        (true, "deploy", true)
    );

    home.has(OURS, "readOnly: false\nui: {header: true, skin: light}\n");
    let loaded = home.load();
    assert_eq!((loaded.config.read_only, loaded.skin_of_k9s), (false, false));
    assert_eq!(loaded.config.ui, Ui { header: true, skin: "light".into(), ..ui });
}

#[test]
fn values_of_k9s_with_another_type_are_as_good_as_none() {
    let theirs = "k9s:\n  readOnly: 7\n  ui: [skin]\n  logger: {tail: -1, buffer: many, textWrap: true}\n";
    let loaded = Home::new().has(THEIRS, theirs).load();
    let want = Config { logs: Logs { wrap: true, ..Logs::default() }, ..Config::default() };
    assert_eq!((loaded.config, loaded.warnings), (want, Vec::new()));
    let loaded = Home::new().has(THEIRS, "k9s: [").load();
    assert_eq!(loaded.config, Config::default());
    assert!(loaded.warnings[0].starts_with("k9s's config.yaml, line 1"), "{:?}", loaded.warnings);
}

#[test]
fn a_context_of_k9s_has_a_word_of_its_own() {
    let home = Home::new();
    home.has(THEIRS, "k9s: {readOnly: false, ui: {skin: nord}}").has(
        "k9s/data/clusters/arn-aws-eks-eu-1-cluster-x/admin-x/config.yaml",
        "k9s: {readOnly: true, skin: dracula, namespace: {active: shop, favorites: [shop, lab, 7], lockFavorites: true}}",
    );
    let (cluster, context) = ("arn:aws:eks:eu:1:cluster/x", "admin/x");
    let loaded = home.load();
    assert!(!loaded.config.read_only);
    let (config, warnings) = loaded.in_context(cluster, context);
    assert_eq!((config.read_only, &*config.ui.skin, warnings), (true, "dracula", Vec::<String>::new()));
    assert_eq!(config.namespaces, Namespaces { favourites: vec!["shop".into(), "lab".into()], learn: false });
    let (elsewhere, _) = loaded.in_context(cluster, "other");
    assert_eq!(elsewhere, loaded.config);

    home.has(OURS, "readOnly: false\nnamespaces: {favourites: []}\n");
    let (config, _) = home.load().in_context(cluster, context);
    assert_eq!(
        (config.read_only, config.namespaces.favourites, config.namespaces.learn),
        (false, vec![], false)
    );
}

#[test]
fn hostile_files_are_no_danger() {
    let home = Home::new();
    let bomb = "a: &a [x,x,x,x,x,x,x,x,x]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a]\nc: &c [*b,*b,*b,*b,*b,*b,*b,*b,*b]\n\
                d: &d [*c,*c,*c,*c,*c,*c,*c,*c,*c]\ne: &e [*d,*d,*d,*d,*d,*d,*d,*d,*d]\nf: [*e,*e,*e,*e,*e,*e,*e,*e,*e]\n";
    let deep = "[".repeat(100_000);
    for text in [bomb, &deep, "\u{1b}]0;x\u{7}: 1", "ui: {\"\\e]0;x\\a\": 1}", "? [a]\n: b\n", "\u{0}"] {
        let loaded = home.has(OURS, text).load();
        assert_eq!(loaded.config, Config::default());
        assert!(
            !loaded.warnings.is_empty()
                && loaded.warnings.iter().all(|said| !said.contains(char::is_control))
        );
    }
    assert!(Path::new(&home.ours().config).exists());
}
