use std::collections::BTreeSet;

use palette::Srgb;
use palette::color_difference::Wcag21RelativeContrast as _;
use serde_json::Value;

use super::skin::STOCK;
use super::*;
use crate::config::yaml;
use crate::ui::colour::ColourDepth;
use crate::ui::colour::tests::shown;
use crate::ui::skins;

fn read(yaml: &str) -> Theme {
    Theme::read(yaml, Look::default()).unwrap()
}

fn rgb(digits: u32) -> Color {
    let [_, r, g, b] = digits.to_be_bytes();
    Color::Rgb(r, g, b)
}

/// A skin that sets one key.
fn setting(key: &str, value: &str) -> String {
    let mut yaml = "k9s:\n".to_owned();
    for (depth, part) in key.split('.').enumerate() {
        let last = key.ends_with(&format!(".{part}")) && depth + 1 == key.split('.').count();
        let value = if last { value } else { "" };
        yaml.push_str(&format!("{}{part}: {value}\n", "  ".repeat(depth + 1)));
    }
    yaml
}

#[test]
fn a_broken_skin_is_named_with_its_place() {
    for yaml in ["k9s: [", "k9s:\n  body: {\n", "a: *b", "k9s:\n\tbody: x\n", "%"] {
        assert!(Theme::read(yaml, Look::default()).unwrap_err().place.is_some(), "{yaml}");
    }
}

#[test]
fn an_example_of_a_skin_is_read() {
    let theme = read(
        "
ink: &ink \"#d8dee9\"
night: &night default
k9s:
  body: {fgColor: *ink, bgColor: *night, logoColor: \"#88c0d0\"}
  prompt:
    fgColor: *ink
    bgColor: *night
    suggestColor: slategray
    border: {command: \"#88c0d0\", default: \"#a3be8c\"}
  info: {fgColor: \"#81a1c1\", sectionColor: *ink}
  frame:
    menu: {fgColor: *ink, fgStyle: normal, keyColor: \"#88c0d0\", numKeyColor: \"#b48ead\"}
    status: {newColor: *ink, errorColor: \"#bf616a\", pendingColor: orange}
  views:
    table:
      fgColor: *ink
      bgColor: *night
      header: {fgColor: white, bgColor: *night, sorterColor: \"#ebcb8b\"}
    xray: {showIcons: false}
    charts:
      resourceColors:
        cpu: [\"#88c0d0\", \"#5e81ac\"]
",
    );
    let ink = rgb(0xd8_dee9);
    let (plain, bold) = (Style::new(), Style::new().add_modifier(Modifier::BOLD));
    assert_eq!(theme.body, plain.fg(ink).bg(Color::Reset));
    assert_eq!(theme.logo, bold.fg(rgb(0x88_c0d0)));
    assert_eq!(theme.suggestion, plain.fg(rgb(0x70_8090)).bg(Color::Reset));
    assert_eq!(
        (theme.prompt_command.fg, theme.prompt_filter.fg),
        (Some(rgb(0x88_c0d0)), Some(rgb(0xa3_be8c)))
    );
    assert_eq!((theme.label, theme.value), (plain.fg(rgb(0x81_a1c1)), bold.fg(ink)));
    assert_eq!((theme.hint, theme.number_key), (plain.fg(ink), bold.fg(rgb(0xb4_8ead))));
    assert_eq!(theme.row(Health::Well), plain.fg(ink));
    assert_eq!(theme.row(Health::Failed), plain.fg(rgb(0xbf_616a)));
    assert_eq!(theme.row(Health::Busy), plain.fg(rgb(0xff_a500)));
    assert_eq!(theme.sorted, bold.fg(rgb(0xeb_cb8b)).bg(Color::Reset));
    // What it leaves out is stock.
    assert_eq!(theme.row(Health::Leaving), plain.fg(rgb(0x93_70db)));
    assert_eq!(theme.crumb, bold.fg(rgb(0)).bg(rgb(0x00_ffff)));
    assert_eq!(theme.yaml_key, plain.fg(rgb(0x46_82b4)));
}

#[test]
fn what_is_misspelled_or_of_another_type_is_not_set() {
    let stock = read("");
    let cases = [
        "k9s: 7",
        "k9s: [body]",
        "k9s:",
        "skin: {body: {fgColor: red}}",
        "k9s: {body: red, frame: [], views: ~}",
        "k9s: {body: {fgcolor: red, fgColour: red, FgColor: red}}",
        "k9s: {frame: {status: {highlightcolor: red, colorColor: red}}, views: {table: {cursorBfColor: red}}}",
        "k9s: {body: {fgColor: 7, bgColor: [red], logoColor: {a: red}, logoColorMsg: true, logoColorInfo: ~}}",
        "k9s: {body: {fgColor: 1.5, bgColor: .nan}}",
        "k9s: {body: {fgColor: #ff0000\n}}",
        "k9s: {views: {help: {fgColor: red}, xray: {showIcons: false}}, frame: {border: {bgColor: red}}}",
        "1: 2\ntrue: x\nk9s: {1: 2}",
    ];
    for yaml in cases {
        assert_eq!(read(yaml), stock, "{yaml}");
    }
    // A word that is no colour is a value, though: the terminal's own.
    for value in ["nothing", "default", "'-'", "''", "\"#12345é\"", "\"#fff\"", "Red", "cyan"] {
        let theme = read(&format!("k9s: {{body: {{fgColor: {value}}}}}"));
        assert_eq!(theme.body.fg, Some(Color::Reset), "{value}");
    }
    // Of a key that is there twice the last one counts, and anchors may stand anywhere.
    let theme =
        read("a: &x {fgColor: red}\nk9s: {body: *x, prompt: {<<: *x, bgColor: blue}, body: {fgColor: lime}}");
    assert_eq!((theme.body.fg, theme.prompt.fg), (Some(rgb(0x00_ff00)), Some(rgb(0xff_0000))));
    assert_eq!(theme.prompt.bg, Some(rgb(0x00_00ff)));
}

#[test]
fn every_key_shows() {
    let stock = read("");
    for (key, value) in STOCK {
        if *key == "frame.menu.fgStyle" {
            continue;
        }
        assert_ne!(crate::ui::colour::named(value), Color::Reset, "{key}");
        assert_ne!(read(&setting(key, "\"#010203\"")), stock, "{key}");
    }
    for (style, modifier) in [
        ("normal", Modifier::empty()),
        ("bold", Modifier::BOLD),
        ("dim", Modifier::DIM),
        ("wild", Modifier::DIM),
    ] {
        assert_eq!(read(&setting("frame.menu.fgStyle", style)).hint.add_modifier, modifier);
    }
}

#[test]
fn our_themes_set_every_key_with_a_colour_and_no_other() {
    let known: BTreeSet<&str> =
        STOCK.iter().map(|(key, _)| *key).chain(["views.table.cursorBgColor"]).collect();
    for (name, text) in skins::OURS {
        let document: Value = yaml::read(text).unwrap();
        let mut set = Vec::new();
        leaves(&document["k9s"], "", &mut set);
        assert_eq!(set.iter().map(|(key, _)| key.as_str()).collect::<BTreeSet<_>>(), known, "{name}");
        for (key, value) in set {
            let ground = key.ends_with("bgColor") && value == "default";
            let style = key == "frame.menu.fgStyle";
            assert!(
                ground || style || crate::ui::colour::named(&value) != Color::Reset,
                "{name}: {key}: {value}"
            );
        }
    }
}

fn leaves(value: &Value, at: &str, found: &mut Vec<(String, String)>) {
    match value {
        Value::Object(fields) => {
            for (name, below) in fields {
                leaves(below, &if at.is_empty() { name.clone() } else { format!("{at}.{name}") }, found);
            }
        }
        value => found.push((at.to_owned(), value.as_str().unwrap_or_default().to_owned())),
    }
}

/// The contrast of two colours as WCAG 2.1 reckons it, from 1 to 21.
fn contrast(a: Color, b: Color) -> f32 {
    let [a, b] = [a, b].map(|colour| {
        let Color::Rgb(r, g, b) = colour else { panic!("{colour:?}") };
        Srgb::new(r, g, b).into_format::<f32>()
    });
    a.relative_contrast(b)
}

/// The grounds that a theme is made for: its own, or those that terminals have.
fn grounds(name: &str) -> &'static [u32] {
    match name {
        "dark" => &[0x00_0000, 0x1b_1d2b, 0x1e_1e1e, 0x28_2c34],
        "light" => &[0xff_ffff],
        _ => &[0x00_0000],
    }
}

/// Text and ground of a style as they are seen on this ground.
fn seen(style: Style, ground: Color) -> (Color, Color) {
    let set = |colour: Option<Color>| colour.filter(|&colour| colour != Color::Reset);
    let (text, behind) = (set(style.fg).expect("a text colour"), set(style.bg).unwrap_or(ground));
    if style.add_modifier.contains(Modifier::REVERSED) { (behind, text) } else { (text, behind) }
}

/// All that is written in a theme, with its name.
fn written(theme: &Theme) -> Vec<(String, Style)> {
    let mut styles: Vec<(String, Style)> =
        theme.styles().into_iter().map(|(name, style)| (name.to_owned(), style)).collect();
    for health in [Health::Well, Health::Busy, Health::Idle, Health::Warning, Health::Failed, Health::Leaving]
    {
        styles.push((format!("row {health:?}"), theme.row(health)));
        styles.push((format!("cursor on {health:?}"), theme.cursor(theme.row(health))));
    }
    styles.push(("cursor on a marked row".to_owned(), theme.cursor(theme.marked)));
    styles.extend(
        (0..theme.sources.len()).map(|number| (format!("source {number}"), theme.log_source(number))),
    );
    styles
}

#[test]
fn our_themes_can_be_read() {
    for (name, text) in skins::OURS {
        for &ground in grounds(name) {
            for (what, style) in written(&read(text)) {
                let (text, behind) = seen(style, rgb(ground));
                let least = match what.as_str() {
                    "border" | "border_quiet" | "prompt_command" | "prompt_filter" => 3.0,
                    _ if name == "contrast" => 7.0,
                    _ => 4.5,
                };
                let found = contrast(text, behind);
                assert!(found >= least, "{name}: {what} has {found:.2} on {ground:06x}");
            }
        }
    }
}

#[test]
fn our_themes_can_be_read_with_fewer_colours() {
    for (name, text) in skins::OURS {
        let theme = read(text);
        let own = |colour: Option<Color>| colour.filter(|&colour| colour != Color::Reset);
        for (what, style) in written(&theme) {
            let (text, behind) = (own(style.fg).unwrap(), own(style.bg).or(own(theme.body.bg)));
            for depth in [ColourDepth::Palette16, ColourDepth::Palette256, ColourDepth::True] {
                // As it leaves the program: a terminal turns round by itself what is reversed.
                let (text, on) = depth.pair(text, behind.unwrap_or(Color::Reset));
                let on = if behind.is_some() { on } else { rgb(grounds(name)[0]) };
                let found = contrast(shown(text), shown(on));
                assert!(found >= 3.0, "{name}: {what} has {found:.2} in {depth:?}: {text} on {on}");
            }
        }
    }
}

/// What a colour is called by whoever looks at it.
fn hue(colour: Color) -> &'static str {
    match ColourDepth::Palette16.nearest(colour) {
        Color::Red | Color::LightRed => "red",
        Color::Yellow | Color::LightYellow => "yellow",
        Color::Cyan | Color::LightCyan => "cyan",
        Color::Magenta | Color::LightMagenta => "magenta",
        Color::Blue | Color::LightBlue => "blue",
        Color::DarkGray => "dark grey",
        Color::Gray | Color::White => "plain",
        other => panic!("{other}"),
    }
}

#[test]
fn rows_look_like_what_they_say_with_as_many_colours_as_there_are() {
    for (name, text) in skins::OURS {
        let (well, idle) = match name {
            "light" => ("blue", "dark grey"),
            "contrast" => ("plain", "plain"),
            _ => ("plain", "dark grey"),
        };
        let wanted = [
            (Health::Well, well),
            (Health::Busy, "cyan"),
            (Health::Idle, idle),
            (Health::Warning, "yellow"),
            (Health::Failed, "red"),
            (Health::Leaving, "magenta"),
        ];
        let theme = read(text);
        let behind = theme.body.bg.unwrap();
        let ground = ColourDepth::Palette16.nearest(behind);
        let own = match name {
            "light" => Color::White,
            "contrast" => Color::Black,
            _ => Color::Reset,
        };
        assert_eq!(ground, own, "{name}");
        for depth in [ColourDepth::Palette16, ColourDepth::Palette256, ColourDepth::True] {
            let of = |health| theme.row(health).fg.map(|colour| depth.pair(colour, behind).0);
            for (at, (health, hue_of_it)) in wanted.into_iter().enumerate() {
                let colour = of(health).unwrap();
                // The colour cube has no soft greys: what is well or idle may have a touch of blue there.
                let soft = depth == ColourDepth::Palette256 && matches!(health, Health::Well | Health::Idle);
                // On white yellow and cyan cannot be read where there are no dark ones of them.
                let hue_of_it = match (hue_of_it, name, depth) {
                    ("yellow", "light", ColourDepth::Palette16) => "red",
                    ("cyan", "light", ColourDepth::Palette16) => "blue",
                    _ => hue_of_it,
                };
                assert!(soft || hue(colour) == hue_of_it, "{name}: {health:?} is {colour} of {depth:?}");
                let before = wanted[..at].iter().find(|(other, _)| of(*other) == Some(colour));
                assert_eq!(before, None, "{name}: {health:?} is {colour} of {depth:?}, too");
            }
        }
    }
    // The skin of somebody else keeps its word, and its faults are red as well.
    let stock = read("");
    assert_eq!(stock.row(Health::Warning).fg, Some(rgb(0x00_ffff)));
    assert_eq!(hue(stock.row(Health::Failed).fg.unwrap()), "red");
}

#[test]
fn without_colours_nothing_is_lost() {
    for yaml in skins::OURS.map(|(_, text)| text).into_iter().chain(["", "k9s: {body: {fgColor: -}}"]) {
        let Ok(theme) = Theme::read(yaml, Look { monochrome: true, ..Look::default() }) else { continue };
        for (what, style) in theme.styles() {
            assert_eq!((style.fg, style.bg, style.underline_color), (None, None, None), "{what}");
        }
        let has = |style: Style, modifier| style.add_modifier.contains(modifier);
        let row = theme.row(Health::Failed);
        assert_eq!(row, theme.row(Health::Well), "signs and words tell states apart");
        let reversed = [
            theme.cursor(row),
            theme.cursor(theme.marked),
            theme.filter,
            theme.crumb_here,
            theme.search_match,
            theme.search_here,
            theme.dialog_button_here,
        ];
        assert!(reversed.into_iter().all(|style| has(style, Modifier::REVERSED)));
        assert!(!has(theme.dialog_button, Modifier::REVERSED));
        assert!(has(theme.suggestion, Modifier::DIM) && !has(theme.prompt, Modifier::DIM));
        let apart = [
            (theme.search_match, theme.search_here),
            (theme.log_on, theme.log_off),
            (theme.yaml_key, theme.yaml_value),
            (theme.help_key, theme.help_text),
            (theme.marked, row),
            (theme.border, theme.border_quiet),
            (theme.column_chosen, theme.column),
        ];
        assert!(apart.into_iter().all(|(one, other)| one.add_modifier != other.add_modifier));
    }
}

#[test]
fn a_dark_theme_becomes_a_light_one() {
    let turned = Theme::read(DARK, Look { invert: true, ..Look::default() }).unwrap();
    assert_eq!(turned.body.bg, Some(Color::Reset));
    for (what, style) in
        turned.styles().into_iter().filter(|(_, style)| style.bg.is_none_or(|bg| bg == Color::Reset))
    {
        let (text, behind) = seen(style, rgb(0xff_ffff));
        assert!(contrast(text, behind) >= 2.5, "{what}: {}", contrast(text, behind));
    }
}

#[test]
fn sources_of_a_log_differ_as_long_as_there_are_colours() {
    for (name, text) in skins::OURS {
        let theme = read(text);
        let first: Vec<Style> = (0..6).map(|number| theme.log_source(number)).collect();
        let distinct = first.iter().enumerate().all(|(at, style)| !first[..at].contains(style));
        assert!(distinct && theme.log_source(usize::MAX).fg.is_some(), "{name}: {first:?}");
    }
    let plain = Theme::read(DARK, Look { monochrome: true, ..Look::default() }).unwrap();
    assert_eq!(plain.log_source(0), plain.log_source(5));
}
