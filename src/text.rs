//! Hostile text made safe, and how wide text is on the screen.
//!
//! Whatever comes from a cluster, a file or a guest passes [`clean`] before it reaches a record: nothing in it can move
//! the cursor, ring, write to the clipboard or turn the reading direction of what follows.

use std::borrow::Cow;

use unicode_segmentation::UnicodeSegmentation as _;
use unicode_width::UnicodeWidthStr as _;

/// Replaces what a terminal would obey rather than show: control characters become their pictures (`␛`), directional and
/// invisible format characters become `·`. Text that has none is borrowed.
pub fn clean(text: &str) -> Cow<'_, str> {
    if text.bytes().all(|byte| matches!(byte, b' '..=b'~')) {
        return Cow::Borrowed(text);
    }
    match text.char_indices().find(|&(_, c)| harmful(c)) {
        None => Cow::Borrowed(text),
        Some((first, _)) => {
            let mut out = String::with_capacity(text.len() + 8);
            out.push_str(&text[..first]);
            out.extend(text[first..].chars().map(|c| if harmful(c) { picture(c) } else { c }));
            Cow::Owned(out)
        }
    }
}

/// The same with a capital at its beginning.
pub fn capitalised(text: &str) -> String {
    let mut rest = text.chars();
    rest.next().map_or_else(String::new, |first| first.to_uppercase().chain(rest).collect())
}

/// Cuts `text` to at most `columns` columns, with `…` as the last one where something was left out.
pub fn cut(text: &str, columns: usize) -> Cow<'_, str> {
    if text.len() <= columns || width(text) <= columns {
        return Cow::Borrowed(text);
    }
    if columns == 0 {
        return Cow::Borrowed("");
    }
    let mut used = 0;
    let mut end = 0;
    for (at, cluster) in text.grapheme_indices(true) {
        let next = used + cluster.width();
        if next > columns - 1 {
            break;
        }
        used = next;
        end = at + cluster.len();
    }
    Cow::Owned(format!("{}…", &text[..end]))
}

/// Cuts `text` to at most `columns` columns as [`cut`] does, but out of its middle: names of parts often differ in their
/// last letters only.
pub fn cut_middle(text: &str, columns: usize) -> Cow<'_, str> {
    if columns < 5 || text.len() <= columns || width(text) <= columns {
        return cut(text, columns);
    }
    let after = (columns - 1) / 2;
    let mut used = 0;
    let mut start = text.len();
    for (at, cluster) in text.grapheme_indices(true).rev() {
        used += cluster.width();
        if used > after {
            break;
        }
        start = at;
    }
    let before = cut(text, columns - after);
    Cow::Owned(format!("{before}{}", &text[start..]))
}

/// How many columns `text` takes.
pub fn width(text: &str) -> usize {
    if text.is_ascii() { text.len() } else { text.width() }
}

/// One line of at most `most` characters out of a text of any length: for messages of servers and programs.
pub fn one_line(text: &str, most: usize) -> String {
    let mut out = String::new();
    let mut count = 0;
    for word in text.split_whitespace() {
        if !out.is_empty() {
            out.push(' ');
            count += 1;
        }
        for c in word.chars() {
            if count >= most {
                out.push('…');
                return out;
            }
            out.push(if harmful(c) { picture(c) } else { c });
            count += 1;
        }
    }
    out
}

fn harmful(c: char) -> bool {
    match c {
        ' '..='~' => false,
        // The C0 and C1 sets and DEL.
        '\0'..='\u{1f}' | '\u{7f}'..='\u{9f}' => true,
        // Marks, embeddings, overrides and isolates of the writing direction; zero-width and other invisible format characters.
        '\u{61c}'
        | '\u{200b}'..='\u{200f}'
        | '\u{2028}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}'
        | '\u{feff}' => true,
        '\u{fff0}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}' => true,
        _ => false,
    }
}

fn picture(c: char) -> char {
    match c {
        '\0'..='\u{1f}' => char::from_u32(0x2400 + c as u32).unwrap_or('·'),
        '\u{7f}' => '␡',
        _ => '·',
    }
}

/// A text in lines of at most so many columns, broken between words; a longer word is cut.
pub fn wrapped(text: &str, room: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in text.split_whitespace() {
        let Some(line) = lines.last_mut() else { break };
        if line.is_empty() {
            line.push_str(word);
        } else if width(line) + 1 + width(word) <= room {
            line.push(' ');
            line.push_str(word);
        } else {
            lines.push(word.to_owned());
        }
    }
    lines.into_iter().map(|line| cut(&line, room).into_owned()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_terminal_would_obey_is_shown() {
        let cases = [
            ("plain", "plain"),
            ("größe 東京", "größe 東京"),
            ("a\x1b]52;c;eA==\x07", "a␛]52;c;eA==␇"),
            ("a\u{9b}31m", "a·31m"),
            ("tab\tline\n", "tab␉line␊"),
            ("\u{202e}gpj.exe", "·gpj.exe"),
            ("a\u{200b}b\u{feff}", "a·b·"),
            ("\u{7f}", "␡"),
        ];
        for (text, want) in cases {
            assert_eq!(clean(text), want);
        }
    }

    #[test]
    fn cutting_counts_columns() {
        for (text, columns, want) in [
            ("abc", 3, "abc"),
            ("abcd", 3, "ab…"),
            ("東京都", 5, "東京…"),
            ("東京都", 4, "東…"),
            ("abc", 0, ""),
            ("e\u{301}e\u{301}e\u{301}", 2, "e\u{301}…"),
        ] {
            assert_eq!(cut(text, columns), want, "{text} {columns}");
            assert!(width(&cut(text, columns)) <= columns);
        }
    }

    #[test]
    fn both_ends_of_a_name_stay() {
        for (text, columns, want) in [
            ("importer-prime-7fab74c", 22, "importer-prime-7fab74c"),
            ("importer-prime-7fab74c", 13, "import…fab74c"),
            ("importer-prime-7fab74c", 12, "import…ab74c"),
            ("abcdefgh", 4, "abc…"),
            ("東京都東京都東京都", 8, "東京…都"),
            ("", 0, ""),
        ] {
            assert_eq!(cut_middle(text, columns), want, "{text} {columns}");
            assert!(width(&cut_middle(text, columns)) <= columns);
        }
    }

    #[test]
    fn messages_become_one_line() {
        assert_eq!(one_line("  a\n\n b\tc ", 10), "a b c");
        assert_eq!(one_line("abcdef", 3), "abc…");
        assert_eq!(one_line("a\x1bb", 9), "a␛b");
    }
}
