//! The modules of the program form one total order, and some crates are named in few files only. Read from the sources:
//! what is named in a comment or a text does not count.

use std::path::{Path, PathBuf};

/// The order: a module names those on its own line and those above it.
const ORDER: &[&[&str]] = &[
    &["model", "text", "config"],
    &["emulator"],
    &["records"],
    &["store"],
    &["rules", "explain"],
    &["cluster"],
    &["demo"],
    &["views"],
    &["ui"],
    &["cli"],
];

/// Macros of the Kind table, which `#[macro_export]` puts at the root of the crate.
const MACROS_OF_RECORDS: &[&str] = &["with_kinds", "dispatch", "dispatch_arms"];

/// Crates that have one place, and where that is; a path that ends in `/` means everything below it.
const CONFINED: &[(&str, &[&str])] = &[
    ("alacritty_terminal", &["emulator/"]),
    ("tui_textarea", &["ui/panes/editor.rs"]),
    ("palette", &["ui/colour/", "ui/theme/tests.rs"]),
    ("granit_parser", &["rules/source/"]),
    (
        "kube",
        &[
            "cluster/",
            "model/crd/",
            "demo/beside.rs",
            "demo/guests/",
            "demo/metrics_api.rs",
            "demo/metrics_api/",
            "demo/platform/",
            "demo/virt_api/",
            "demo/start.rs",
        ],
    ),
    ("ratatui", &["ui/", "cli/frame.rs"]),
    ("crossterm", &["ui/", "cli/frame.rs"]),
    ("tokio", &["cluster/", "demo/", "ui/engine.rs", "ui/runtime.rs", "ui/signals.rs", "ui/unix.rs"]),
];

/// The most lines of a file, not counting tests at its end.
const LONGEST: usize = 700;

#[test]
fn modules_name_only_what_stands_above_them() {
    let offences: Vec<String> =
        sources().iter().flat_map(|(path, source)| upward_names(path, source)).collect();
    assert!(offences.is_empty(), "\n{}\n", offences.join("\n"));
}

#[test]
fn crates_stay_in_their_place() {
    let offences: Vec<String> =
        sources().iter().flat_map(|(path, source)| misplaced_crates(path, source)).collect();
    assert!(offences.is_empty(), "\n{}\n", offences.join("\n"));
}

#[test]
fn every_module_has_its_place_in_the_order() {
    let root = std::fs::read_to_string(root().join("lib.rs")).unwrap();
    let plain = without_texts(&root);
    let tokens = tokens(&plain);
    let declared: Vec<&str> = tokens
        .windows(3)
        .filter(|three| three[0].text == "mod" && three[2].text == ";")
        .map(|three| three[1].text)
        .collect();
    let ordered: Vec<&str> = ORDER.concat();
    let lost: Vec<&&str> = declared.iter().filter(|module| !ordered.contains(module)).collect();
    assert!(lost.is_empty(), "tests/layers.rs does not know where these modules stand: {lost:?}");
    let gone: Vec<&&str> = ordered.iter().filter(|module| !declared.contains(module)).collect();
    assert!(gone.is_empty(), "src/lib.rs does not declare {gone:?}");
    // The table for readers says the same.
    let places: Vec<Option<usize>> =
        ordered.iter().map(|module| root.find(&format!("[`{module}`]"))).collect();
    assert!(places.iter().all(Option::is_some) && places.is_sorted(), "the table in src/lib.rs: {places:?}");
}

#[test]
fn files_are_one_thing() {
    let long: Vec<String> = sources()
        .iter()
        .filter(|(path, _)| !path.ends_with("tests.rs") && !path.contains("/tests/"))
        .filter_map(|(path, source)| {
            let lines = lines_before_tests(source);
            (lines > LONGEST).then(|| format!("src/{path} has {lines} lines, more than {LONGEST}"))
        })
        .collect();
    assert!(long.is_empty(), "\n{}\n", long.join("\n"));
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("src")
}

/// The path below `src` and the text of every source file.
fn sources() -> Vec<(String, String)> {
    fn collect(folder: &Path, found: &mut Vec<(String, String)>) {
        let mut entries: Vec<PathBuf> =
            std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
        entries.sort();
        for path in entries {
            if path.is_dir() {
                collect(&path, found);
            } else if path.extension().is_some_and(|end| end == "rs") {
                let below = path.strip_prefix(root()).unwrap().to_string_lossy().replace('\\', "/");
                found.push((below, std::fs::read_to_string(&path).unwrap()));
            }
        }
    }
    let mut found = Vec::new();
    collect(&root(), &mut found);
    assert!(found.len() > 50, "the sources are not where they were");
    found
}

fn level(module: &str) -> Option<usize> {
    let module = if MACROS_OF_RECORDS.contains(&module) { "records" } else { module };
    ORDER.iter().position(|level| level.contains(&module))
}

/// The module path of a file: `ui/panes/mod.rs` is `ui`, `panes`.
fn module_path(path: &str) -> Vec<&str> {
    let path = path.trim_end_matches(".rs");
    let mut parts: Vec<&str> = path.split('/').collect();
    if matches!(parts.last(), Some(&("mod" | "lib" | "main"))) {
        parts.pop();
    }
    parts
}

fn upward_names(path: &str, source: &str) -> Vec<String> {
    let modules = module_path(path);
    // The root declares everything.
    let Some(own) = modules.first() else { return Vec::new() };
    let plain = without_texts(source);
    root_names(&tokens(&plain), modules.len())
        .into_iter()
        .filter_map(|name| match (level(own), level(name.text)) {
            (Some(own), Some(named)) if named <= own => None,
            (Some(_), Some(_)) => {
                Some(format!("src/{path}:{}: {own} names {}, which stands below it", name.line, name.text))
            }
            (None, _) => Some(format!("src/{path}: {own} has no place in the order")),
            (_, None) => Some(format!("src/{path}:{}: {} has no place in the order", name.line, name.text)),
        })
        .collect()
}

fn misplaced_crates(path: &str, source: &str) -> Vec<String> {
    let plain = without_texts(source);
    let tokens = tokens(&plain);
    let mut offences = Vec::new();
    for (at, token) in tokens.iter().enumerate() {
        let Some((name, places)) = CONFINED.iter().find(|(name, _)| *name == token.text) else { continue };
        let allowed = places.iter().any(|place| match place.strip_suffix('/') {
            Some(folder) => path.starts_with(place) || path == format!("{folder}.rs"),
            None => path == *place,
        });
        let before = at.checked_sub(1).map_or("", |before| tokens[before].text);
        let after = tokens.get(at + 1).map_or("", |after| after.text);
        let named = before != "::" && (after == "::" || before == "use" || before == "crate");
        if named && !allowed {
            offences.push(format!("src/{path}:{}: {name} belongs in {}", token.line, places.join(", ")));
        }
    }
    offences
}

fn lines_before_tests(source: &str) -> usize {
    let lines: Vec<&str> = source.lines().collect();
    let begins =
        |two: &[&str]| two[0] == "#[cfg(test)]" && two[1].starts_with("mod ") && two[1].ends_with('{');
    lines.windows(2).position(begins).unwrap_or(lines.len())
}

/// A word or a sign of the source.
#[derive(Clone, Copy, Debug)]
struct Token<'a> {
    text: &'a str,
    line: usize,
}

fn tokens(source: &str) -> Vec<Token<'_>> {
    let word = |c: char| c.is_alphanumeric() || c == '_';
    let mut tokens = Vec::new();
    let mut line = 1;
    let mut rest = source;
    while let Some(c) = rest.chars().next() {
        let length = if word(c) {
            rest.find(|c| !word(c)).unwrap_or(rest.len())
        } else if rest.starts_with("::") {
            2
        } else {
            c.len_utf8()
        };
        if !c.is_whitespace() {
            tokens.push(Token { text: &rest[..length], line });
        }
        line += usize::from(c == '\n');
        rest = &rest[length..];
    }
    tokens
}

/// The names directly below the root of the crate that paths go through: by `crate::`, `$crate::`, or as many `super::`
/// as lead there. `depth` is how deep the file itself is.
fn root_names<'a>(tokens: &[Token<'a>], depth: usize) -> Vec<Token<'a>> {
    let text = |at: usize| tokens.get(at).map_or("", |token| token.text);
    let mut found = Vec::new();
    // For each open brace: whether it is that of a module inside the file.
    let mut open: Vec<bool> = Vec::new();
    let mut at = 0;
    while at < tokens.len() {
        match text(at) {
            "{" => open.push(at >= 2 && text(at - 2) == "mod"),
            "}" => _ = open.pop(),
            "crate" if text(at + 1) == "::" => first_names(tokens, at + 2, &mut found),
            "super" if text(at + 1) == "::" && (at == 0 || text(at - 1) != "::") => {
                let mut up = 0;
                while text(at) == "super" && text(at + 1) == "::" {
                    up += 1;
                    at += 2;
                }
                if up >= depth + open.iter().filter(|module| **module).count() {
                    first_names(tokens, at, &mut found);
                }
                continue;
            }
            _ => {}
        }
        at += 1;
    }
    found
}

/// The first name of a path, or of each path in a group.
fn first_names<'a>(tokens: &[Token<'a>], at: usize, found: &mut Vec<Token<'a>>) {
    if tokens.get(at).is_none_or(|token| token.text != "{") {
        found.extend(tokens.get(at));
        return;
    }
    let mut depth = 0;
    for two in tokens[at..].windows(2) {
        match two[0].text {
            "{" => depth += 1,
            "}" => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return;
        }
        if depth == 1 && matches!(two[0].text, "{" | ",") && two[1].text != "}" {
            found.push(two[1]);
        }
    }
}

/// The source with comments, texts and characters replaced by blanks; lines stay where they are.
fn without_texts(source: &str) -> String {
    let mut out = String::with_capacity(source.len());
    let mut rest = source;
    while !rest.is_empty() {
        let length = text_length(rest, out.chars().next_back());
        if length > 0 {
            out.extend(rest[..length].chars().map(|c| if c == '\n' { '\n' } else { ' ' }));
            rest = &rest[length..];
        } else if let Some(c) = rest.chars().next() {
            out.push(c);
            rest = &rest[c.len_utf8()..];
        }
    }
    out
}

/// How long the comment, text or character is that `rest` begins with; 0 if it begins with none.
fn text_length(rest: &str, before: Option<char>) -> usize {
    let whole = rest.len();
    let in_word = before.is_some_and(|c| c.is_alphanumeric() || c == '_');
    if rest.starts_with("//") {
        return rest.find('\n').unwrap_or(whole);
    }
    if rest.starts_with("/*") {
        let mut depth = 0;
        let mut at = 0;
        while at < whole {
            match &rest.as_bytes()[at..(at + 2).min(whole)] {
                b"/*" => (depth, at) = (depth + 1, at + 2),
                b"*/" => (depth, at) = (depth - 1, at + 2),
                _ => at += 1,
            }
            if depth == 0 {
                return at;
            }
        }
        return whole;
    }
    let prefix = if in_word { 0 } else { rest.find(|c| !matches!(c, 'b' | 'c' | 'r')).unwrap_or(0).min(2) };
    let (prefix, body) = rest.split_at(prefix);
    if prefix.ends_with('r') {
        let hashes = body.len() - body.trim_start_matches('#').len();
        if body[hashes..].starts_with('"') {
            let end = format!("\"{}", &body[..hashes]);
            let found = body[hashes + 1..].find(&end);
            return found.map_or(whole, |at| prefix.len() + hashes + 1 + at + end.len());
        }
        return 0;
    }
    let quote = match body.chars().next() {
        Some('"') => '"',
        // A character, not a lifetime: an escape, or one character and a quote.
        Some('\'') if body[1..].starts_with('\\') || body.chars().nth(2) == Some('\'') => '\'',
        _ => return 0,
    };
    let mut escaped = false;
    for (at, c) in body.char_indices().skip(1) {
        if !escaped && c == quote {
            return prefix.len() + at + 1;
        }
        escaped = !escaped && c == '\\';
    }
    whole
}

#[test]
fn the_reader_of_sources_sees_names_and_no_texts() {
    let offences = |path: &str, source: &str| {
        let mut all = upward_names(path, source);
        all.extend(misplaced_crates(path, source));
        all.join("; ")
    };
    let cases: &[(&str, &str, &[&str])] = &[
        (
            "store/mod.rs",
            "use crate::records::Vm;\nuse crate::ui::app::App;",
            &["src/store/mod.rs:2: store names ui"],
        ),
        (
            "store/mod.rs",
            "use crate::{\n    model::{Now, ui},\n    views::{self},\n    dispatch,\n};",
            &[":3: store names views"],
        ),
        ("model/key.rs", "fn f() -> $crate::store::Id {}", &["model names store"]),
        ("model/key.rs", "use crate::dispatch;", &["model names dispatch"]),
        ("text.rs", "use super::cluster::error;", &["text names cluster"]),
        ("text.rs", "mod tests { use super::*; use super::super::cluster; }", &["text names cluster"]),
        ("ui/panes/list.rs", "use super::super::super::cli::Cli;", &["ui names cli"]),
        ("ui/panes/list.rs", "use super::super::app::App; use crate::views;", &[]),
        ("text.rs", "use crate::model::Name; pub(crate) use x; pub(super) fn f() {}", &[]),
        (
            "text.rs",
            "// crate::ui\n/* crate::ui /* */ crate::ui */ const A: &str = \"crate::ui \\\" crate::cli\";",
            &[],
        ),
        (
            "text.rs",
            "const A: &str = r#\"crate::ui \" \"#; const B: char = '\"'; fn f<'a>() { crate::cli::main() }",
            &["text names cli"],
        ),
        (
            "text.rs",
            "const B: &[u8] = br\"crate::ui\"; const C: char = '\\''; use crate::ui;",
            &["text names ui"],
        ),
        ("text.rs", "use crate::*;", &["* has no place"]),
        ("dance.rs", "use crate::text;", &["dance has no place"]),
        ("views/list.rs", "use ratatui::style::Color;", &["ratatui belongs in ui/, cli/frame.rs"]),
        ("ui/panes/list.rs", "use ratatui::crossterm::event; fn f(kube: u8) { kube; }", &[]),
        ("store/mod.rs", "async fn f() { tokio::spawn(async {}) }", &["tokio belongs in cluster/"]),
        ("ui/app.rs", "use kube; use palette::Oklch;", &["kube belongs", "palette belongs"]),
        ("cluster/mod.rs", "use kube::Client; use tokio::sync;", &[]),
    ];
    for (path, source, wanted) in cases {
        let found = offences(path, source);
        let count = found.split("; ").filter(|offence| !offence.is_empty()).count();
        assert_eq!(count, wanted.len(), "{source}: {found}");
        assert!(wanted.iter().all(|wanted| found.contains(wanted)), "{source}: {found}");
    }
    assert_eq!(lines_before_tests("a\n#[cfg(test)]\nmod tests;\nb\n#[cfg(test)]\nmod tests {\nc\n}"), 4);
}
