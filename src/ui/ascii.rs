//! ASCII in the place of what a terminal, its font or its locale does not show.

use std::ffi::OsString;

use ratatui::buffer::Buffer;

/// Whether nothing but ASCII is drawn: `V9S_ASCII` says so, or the config, or else the locale.
///
/// A locale that is not set says nothing: containers have none, and the terminals before them show everything.
pub fn wanted(configured: Option<bool>, env: &dyn Fn(&str) -> Option<OsString>) -> bool {
    let get = |name: &str| {
        env(name).map(|value| value.to_string_lossy().to_ascii_lowercase()).filter(|value| !value.is_empty())
    };
    if let Some(asked) = get("V9S_ASCII") {
        return !matches!(asked.as_str(), "0" | "false" | "no" | "off");
    }
    let locale = || ["LC_ALL", "LC_CTYPE", "LANG"].into_iter().find_map(get);
    configured
        .unwrap_or_else(|| locale().is_some_and(|name| !name.contains("utf-8") && !name.contains("utf8")))
}

/// Replaces all that is not ASCII in a frame.
pub fn fold(buffer: &mut Buffer) {
    for cell in &mut buffer.content {
        if !cell.symbol().is_ascii() {
            let first = cell.symbol().chars().next().unwrap_or(' ');
            cell.set_char(plain(first));
        }
    }
}

/// The character of ASCII that comes nearest. Of one with accents that are characters of their own the letter stays; a wide
/// one has a blank behind it already.
fn plain(c: char) -> char {
    match c {
        ' '..='~' => c,
        // The signs of states, as different from each other as the real ones.
        '●' => '*',
        '◐' => '%',
        '○' => 'o',
        '▲' => '!',
        '✗' => 'x',
        '◌' => '-',
        '✓' => '+',
        '…' => '~',
        '↑' => '^',
        '↓' => 'v',
        '›' | '→' | '»' | '▶' | '▸' => '>',
        '‹' | '←' | '«' | '◀' | '◂' => '<',
        '▾' | '▼' => 'v',
        '·' | '•' | '░' => '.',
        '×' => 'x',
        '–' | '—' | '‐' | '−' => '-',
        '‘' | '’' => '\'',
        '“' | '”' => '"',
        '\u{a0}' | '\u{2800}' => ' ',
        // No letter: it stands right behind a word.
        'Δ' => '\'',
        // Lines: across, down, and where they meet.
        '─' | '━' | '┄' | '┅' | '┈' | '┉' | '╌' | '╍' | '═' | '╴' | '╶' | '╸' | '╺' | '╼' | '╾' => {
            '-'
        }
        '│' | '┃' | '┆' | '┇' | '┊' | '┋' | '╎' | '╏' | '║' | '╵' | '╷' | '╹' | '╻' | '╽' | '╿' => {
            '|'
        }
        '\u{2500}'..='\u{257f}' => '+',
        // Blocks of bars and of small charts, by how much they fill.
        '▁' | '▂' | '▃' => '_',
        '▄' | '▅' | '▒' | '▌' | '▍' | '▎' | '▏' => '=',
        '\u{2580}'..='\u{259f}' => '#',
        '\u{2801}'..='\u{28ff}' => ':',
        _ => '?',
    }
}

#[cfg(test)]
mod tests {
    use ratatui::buffer::Cell;
    use ratatui::layout::Rect;

    use super::*;
    use crate::store::Health;
    use crate::ui::theme::{MARK, symbol};

    #[test]
    fn the_environment_the_config_and_the_locale_say_so() {
        type Case<'a> = (&'a [(&'a str, &'a str)], Option<bool>, bool);
        let cases: [Case<'_>; 14] = [
            (&[], None, false),
            (&[("LANG", "")], None, false),
            (&[("LANG", "en_GB.UTF-8")], None, false),
            (&[("LANG", "C.utf8")], None, false),
            (&[("LC_CTYPE", "UTF-8")], None, false),
            (&[("LANG", "C")], None, true),
            (&[("LANG", "de_DE")], None, true),
            (&[("LANG", "de_DE.ISO-8859-1")], None, true),
            (&[("LC_ALL", "POSIX"), ("LANG", "en_GB.UTF-8")], None, true),
            (&[("LC_ALL", ""), ("LC_CTYPE", "C"), ("LANG", "en_GB.UTF-8")], None, true),
            (&[("LANG", "C")], Some(false), false),
            (&[("LANG", "C.UTF-8")], Some(true), true),
            (&[("V9S_ASCII", "0"), ("LANG", "C")], Some(true), false),
            (&[("V9S_ASCII", "1")], Some(false), true),
        ];
        for (env, configured, want) in cases {
            let get =
                |name: &str| env.iter().find(|(key, _)| *key == name).map(|(_, value)| OsString::from(value));
            assert_eq!(wanted(configured, &get), want, "{env:?} {configured:?}");
        }
    }

    #[test]
    fn a_frame_keeps_its_shape() {
        let mut buffer = Buffer::empty(Rect::new(0, 0, 12, 3));
        buffer.set_string(0, 0, "┌─ vms↑ ─┐…›", ratatui::style::Style::new());
        buffer.set_string(0, 1, "│e\u{301} 東京 é ║", ratatui::style::Style::new());
        buffer.set_string(0, 2, "╰──▁▄█░⣿ ┼", ratatui::style::Style::new());
        fold(&mut buffer);
        let lines: Vec<String> =
            buffer.content().chunks(12).map(|row| row.iter().map(Cell::symbol).collect()).collect();
        assert_eq!(lines, ["+- vms^ -+~>", "|e ? ?  ? | ", "+--_=#.: +  "]);
    }

    #[test]
    fn signs_stay_different_from_each_other() {
        let healths =
            [Health::Well, Health::Busy, Health::Idle, Health::Warning, Health::Failed, Health::Leaving];
        let mut signs: Vec<char> = healths.map(symbol).into_iter().chain([MARK]).map(plain).collect();
        let all = signs.len();
        signs.sort_unstable();
        signs.dedup();
        assert!(signs.len() == all && signs.iter().all(char::is_ascii) && !signs.contains(&'?'), "{signs:?}");
    }
}
