//! The README says what the program does: its tables are made from the program's own, its picture is what the program
//! draws, and everything that lies beside it loads.
//!
//! `V9S_WRITE_DOCS=1 cargo test docs` writes tables and picture anew.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use ratatui::style::{Color, Style};
use v9s::store::Health;
use v9s::ui::theme::{Look, Theme};
use v9s::views::{Open, Shown, VIEWS};

#[test]
fn the_keys_are_those_of_the_program() {
    use v9s::ui::command::{Binding, EVERYWHERE, LIST, OBJECT, START};
    use v9s::ui::panes::{console, detail, text::keys};
    let tables: [(&str, &[Binding]); 10] = [
        ("Where there is no cluster", START),
        ("In a list", LIST),
        ("About the object under the cursor, or that a pane shows", OBJECT),
        ("Everywhere", EVERYWHERE),
        ("In the details of an object", detail::DETAIL),
        ("In a description", &keys::DESCRIBE),
        ("In YAML", &keys::YAML),
        ("In logs", &keys::LOGS),
        ("In the menu of a console, which ctrl-] opens", console::MENU),
        ("While one reads what a console has written", console::READING),
    ];
    let mut all = String::new();
    for (about, bindings) in tables {
        let _ = write!(all, "{about}:\n\n| Key | Does |\n|---|---|\n");
        // Keys that do the same with another number stand in one line.
        for same in bindings.chunk_by(|one, other| one.doc == other.doc) {
            let keys: Vec<String> =
                same.iter().flat_map(|binding| binding.keys).map(|key| format!("`{key}`")).collect();
            let _ = writeln!(all, "| {} | {} |", keys.join(" "), same[0].doc);
        }
        all.push('\n');
    }
    let table = all.trim_end().to_owned() + "\n";
    readme_has("keys", &table);
}

#[test]
fn the_views_are_those_of_the_program() {
    let mut table =
        String::from("| View | Also | Columns | In the wide form | `enter` |\n|---|---|---|---|---|\n");
    for view in VIEWS {
        let titles = |wide: bool| {
            let headings = (0..view.width()).map(|column| view.heading(column));
            let titles = headings.filter(|heading| (heading.shown == Shown::Wide) == wide);
            titles.map(|heading| heading.title.into_owned()).collect::<Vec<_>>().join(", ")
        };
        let opens = match view.open() {
            Open::Nothing => String::new(),
            Open::Detail => "shows everything about it".to_owned(),
            Open::Rows { view, .. } => format!("shows its {view}"),
            Open::Context => "connects to the context".to_owned(),
            Open::Namespace => "shows what is in it".to_owned(),
        };
        let aliases: Vec<String> = view.aliases().iter().map(|alias| format!("`{alias}`")).collect();
        let name = format!("`{}`", view.name());
        let row = [name, aliases.join(" "), titles(false), titles(true), opens];
        let _ = writeln!(table, "| {} |", row.join(" | "));
    }
    readme_has("views", &table);
}

#[test]
fn the_keys_of_the_config_are_those_of_the_program() {
    readme_has("config", &v9s::config::keys::table());
    same_as_asset("config.yaml", &v9s::config::keys::example());
}

#[test]
fn the_command_line_is_that_of_the_program() {
    let help = text_of(&v9s(&["--help"]).stdout);
    let mut documented: Vec<String> = block(&readme(), "commands")
        .lines()
        .filter_map(|line| line.strip_prefix("| `v9s "))
        .filter_map(|rest| rest.split(['`', ' ']).next().map(str::to_owned))
        .filter(|word| word.starts_with(|c: char| c.is_ascii_lowercase()))
        .collect();
    documented.dedup();
    let known = subcommands(&help);
    assert_eq!(documented, known, "the subcommands in README.md and in v9s --help");

    // Every flag that is written down belongs to some command, and every flag of a command is written down.
    let mut helps = help;
    for subcommand in known {
        let output = v9s(&[&subcommand, "--help"]);
        assert_eq!(output.status.code(), Some(0), "v9s {subcommand} --help");
        let own = text_of(&output.stdout);
        for below in subcommands(&own) {
            helps.push_str(&text_of(&v9s(&[&subcommand, &below, "--help"]).stdout));
        }
        helps.push_str(&own);
    }
    let written = flags(&block(&readme(), "commands"));
    let missing: Vec<String> = flags(&helps).into_iter().filter(|flag| !written.contains(flag)).collect();
    assert!(missing.is_empty(), "README.md leaves out {missing:?}");
    let wrong: Vec<String> = written.into_iter().filter(|flag| !flags(&helps).contains(flag)).collect();
    assert!(wrong.is_empty(), "README.md has {wrong:?}, the program has not");
}

#[test]
fn every_cause_is_told() {
    let readme = readme();
    for cause in v9s::demo::platform::play::CAUSES {
        let row = format!("| `{}` | {} |", cause.name, cause.about);
        assert!(readme.contains(&row), "README.md leaves out {row}");
    }
}

/// The subcommands that a help lists.
fn subcommands(help: &str) -> Vec<String> {
    let listed = help.split("Commands:").nth(1).and_then(|rest| rest.split("\n\n").next());
    let words = listed.unwrap_or_default().lines().filter_map(|line| line.split_whitespace().next());
    words.filter(|word| *word != "help").map(str::to_owned).collect()
}

#[test]
fn the_picture_is_what_the_program_draws() {
    let recording = asset("examples/fleet.ndjson");
    let recording = recording.to_str().unwrap();
    let drawn = v9s(&["frame", "vms", "--recording", recording, "--size", "120x32", "--format", "svg"]);
    assert_eq!((drawn.status.code(), text_of(&drawn.stderr)), (Some(0), String::new()));
    same_as_asset("vms.svg", &text_of(&drawn.stdout));
}

/// Checks that a file below `assets` is what the program makes, or makes it so.
pub(crate) fn same_as_asset(name: &str, made: &str) {
    let path = asset(name);
    if writes() {
        std::fs::write(&path, made).unwrap();
    }
    let kept = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(kept == made, "assets/{name} is not what the program makes; {HOW}");
}

#[test]
fn the_example_replays_to_any_moment() {
    let states = |at: &str| -> Vec<(String, String)> {
        let recording = asset("examples/fleet.ndjson");
        let arguments = ["get", "vms", "-o", "json", "--recording", recording.to_str().unwrap(), "--at", at];
        let output = v9s(&arguments);
        assert_eq!(output.status.code(), Some(0), "{}", text_of(&output.stderr));
        let rows: Vec<serde_json::Value> = serde_json::from_slice(&output.stdout).unwrap();
        let cell = |row: &serde_json::Value, name: &str| row[name].as_str().unwrap().to_owned();
        rows.iter()
            .map(|row| (format!("{}/{}", cell(row, "namespace"), cell(row, "name")), cell(row, "state")))
            .collect()
    };
    assert_eq!(states("0"), []);
    let last = states("1000");
    let state = |name: &str| last.iter().find(|(row, _)| row == name).map(|(_, state)| state.as_str());
    assert_eq!(last.len(), 14);
    assert_eq!(state("shop/db-0"), Some("Migrating"));
    assert_eq!(state("lab/import-test"), Some("Import failed"));
    assert_eq!(state("lab/rescue"), Some("Running"));
    let early = states("5");
    assert!(early.contains(&("lab/rescue".into(), "Starting".into())), "{early:?}");
}

#[test]
fn every_theme_is_whole() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("themes");
    let files: Vec<PathBuf> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    assert!(files.len() >= 2);
    for path in files {
        let theme = Theme::read(&std::fs::read_to_string(&path).unwrap(), Look::default()).unwrap();
        let mut styles: Vec<Style> = theme.styles().into_iter().map(|(_, style)| style).collect();
        let healths =
            [Health::Well, Health::Busy, Health::Idle, Health::Warning, Health::Failed, Health::Leaving];
        styles.extend(healths.map(|health| theme.row(health)));
        let set = |style: &Style| style.fg.is_some_and(|colour| colour != Color::Reset);
        assert!(styles.iter().all(set), "{} leaves colours out: {theme:?}", path.display());
    }
}

#[test]
fn links_lead_somewhere() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    for page in ["README.md", "ARCHITECTURE.md", "CHANGELOG.md"] {
        let text = std::fs::read_to_string(root.join(page)).unwrap();
        for link in text.split("](").skip(1).filter_map(|rest| rest.split([')', '#']).next()) {
            let elsewhere = link.is_empty() || link.starts_with("https://");
            assert!(elsewhere || root.join(link).exists(), "{page} leads to {link}, which is not there");
        }
    }
}

const HOW: &str = "V9S_WRITE_DOCS=1 cargo test docs writes it anew";

fn writes() -> bool {
    std::env::var("V9S_WRITE_DOCS").as_deref() == Ok("1")
}

fn readme_path() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("README.md")
}

fn readme() -> String {
    std::fs::read_to_string(readme_path()).unwrap()
}

fn asset(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("assets").join(name)
}

/// What stands between `<!-- name -->` and `<!-- /name -->`.
fn block(page: &str, name: &str) -> String {
    let (open, close) = (format!("<!-- {name} -->\n"), format!("<!-- /{name} -->"));
    let inside = page.split_once(&open).and_then(|(_, rest)| rest.split_once(&close));
    inside.unwrap_or_else(|| panic!("README.md has no block {name}")).0.to_owned()
}

/// Compares a block of the README with what it should be, or writes it.
fn readme_has(name: &str, wanted: &str) {
    // Tests run side by side, and each rewrites the whole file.
    static WRITING: std::sync::Mutex<()> = std::sync::Mutex::new(());
    let _alone = WRITING.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    let page = readme();
    let found = block(&page, name);
    if writes() && found != wanted {
        let (open, close) = (format!("<!-- {name} -->\n"), format!("<!-- /{name} -->"));
        let written = page.replace(&format!("{open}{found}{close}"), &format!("{open}{wanted}{close}"));
        std::fs::write(readme_path(), written).unwrap();
        return;
    }
    assert!(found == wanted, "The block {name} of README.md should be the following; {HOW}.\n\n{wanted}");
}

/// Runs the program away from any cluster.
fn v9s(arguments: &[&str]) -> Output {
    let home = tempfile::tempdir().unwrap();
    Command::new(env!("CARGO_BIN_EXE_v9s"))
        .args(arguments)
        .env_clear()
        .env("HOME", home.path())
        .env("V9S_HOME", home.path())
        .output()
        .unwrap()
}

fn text_of(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

/// The long flags in a text, each once.
fn flags(text: &str) -> Vec<String> {
    let starts = text.match_indices("--").map(|(at, _)| at);
    let alone = |at: &usize| !text[..*at].ends_with(|c: char| c.is_alphanumeric() || c == '-');
    let mut flags: Vec<String> = starts
        .filter(alone)
        .map(|at| {
            text[at + 2..].split(|c: char| !(c.is_ascii_lowercase() || c == '-')).next().unwrap_or_default()
        })
        .filter(|name| !name.is_empty() && !name.starts_with('-') && !matches!(*name, "help" | "version"))
        .map(str::to_owned)
        .collect();
    flags.sort();
    flags.dedup();
    flags
}
