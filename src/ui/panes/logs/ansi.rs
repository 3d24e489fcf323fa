//! Colours of a program's output, read out of its escape sequences. All other sequences are shown, never obeyed.

use ratatui::style::{Color, Modifier, Style};

use crate::ui::panes::text::{Ink, Line};

/// Columns between two stops of the tabulator.
const TAB: usize = 8;

/// Reads a line of output.
pub(super) fn read(text: &str) -> Line {
    let mut line = Line::default();
    let mut style = Style::new();
    let ink = |style: Style| if style == Style::new() { Ink::Log } else { Ink::Program(style) };
    let mut rest = text;
    while let Some(at) = rest.find(['\x1b', '\t']) {
        line.push(&rest[..at], ink(style));
        rest = &rest[at..];
        if let Some(after) = rest.strip_prefix('\t') {
            let column = crate::text::width(line.text());
            line.pad(column + TAB - column % TAB);
            rest = after;
            continue;
        }
        match colours(rest) {
            Some((numbers, length)) => {
                style = apply(style, numbers);
                rest = &rest[length..];
            }
            None => {
                line.push(&rest[..1], ink(style));
                rest = &rest[1..];
            }
        }
    }
    line.push(rest, ink(style));
    line
}

/// The numbers of `ESC [ … m` at the beginning of a text, and its length.
fn colours(text: &str) -> Option<(&str, usize)> {
    let body = text.strip_prefix("\x1b[")?;
    let end = body.find(|c: char| !matches!(c, '0'..='9' | ';' | ':'))?;
    body[end..].starts_with('m').then_some((&body[..end], end + 3))
}

fn apply(mut style: Style, numbers: &str) -> Style {
    let mut numbers = numbers.split([';', ':']).map(|number| number.parse::<u8>().unwrap_or(0));
    while let Some(number) = numbers.next() {
        style = match number {
            0 => Style::new(),
            1 => style.add_modifier(Modifier::BOLD),
            2 => style.add_modifier(Modifier::DIM),
            3 => style.add_modifier(Modifier::ITALIC),
            4 => style.add_modifier(Modifier::UNDERLINED),
            7 => style.add_modifier(Modifier::REVERSED),
            9 => style.add_modifier(Modifier::CROSSED_OUT),
            22 => without(style, Modifier::BOLD | Modifier::DIM),
            23 => without(style, Modifier::ITALIC),
            24 => without(style, Modifier::UNDERLINED),
            27 => without(style, Modifier::REVERSED),
            29 => without(style, Modifier::CROSSED_OUT),
            30..=37 => style.fg(Color::Indexed(number - 30)),
            38 => Style { fg: longer(&mut numbers).or(style.fg), ..style },
            39 => Style { fg: None, ..style },
            40..=47 => style.bg(Color::Indexed(number - 40)),
            48 => Style { bg: longer(&mut numbers).or(style.bg), ..style },
            49 => Style { bg: None, ..style },
            90..=97 => style.fg(Color::Indexed(number - 82)),
            100..=107 => style.bg(Color::Indexed(number - 92)),
            // What blinks or hides is shown as it is: nothing in a log is to be overlooked.
            _ => style,
        };
    }
    style
}

fn without(style: Style, modifier: Modifier) -> Style {
    Style { add_modifier: style.add_modifier - modifier, ..style }
}

/// `5;n` or `2;r;g;b`.
fn longer(numbers: &mut impl Iterator<Item = u8>) -> Option<Color> {
    match numbers.next()? {
        5 => numbers.next().map(Color::Indexed),
        2 => Some(Color::Rgb(numbers.next()?, numbers.next()?, numbers.next()?)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The pieces of a line: what stands in each, and its colour.
    fn pieces(text: &str) -> Vec<(String, Ink)> {
        let line = read(text);
        let (mut at, mut out) = (0, Vec::new());
        while at < line.text().len() {
            let (end, ink) = line.piece(at);
            out.push((line.text()[at..end].to_owned(), ink));
            at = end;
        }
        out
    }

    #[test]
    fn colours_are_shown_and_not_passed_on() {
        let program = |style: Style| Ink::Program(style);
        let red = program(Style::new().fg(Color::Indexed(1)));
        let cases: Vec<(&str, Vec<(&str, Ink)>)> = vec![
            ("plain", vec![("plain", Ink::Log)]),
            ("\x1b[31mred\x1b[0m no", vec![("red", red), (" no", Ink::Log)]),
            (
                "\x1b[1;31mx\x1b[22my",
                vec![
                    ("x", program(Style::new().fg(Color::Indexed(1)).add_modifier(Modifier::BOLD))),
                    ("y", red),
                ],
            ),
            ("\x1b[38;5;200mx", vec![("x", program(Style::new().fg(Color::Indexed(200))))]),
            (
                "\x1b[38;2;1;2;3mx\x1b[39my",
                vec![("x", program(Style::new().fg(Color::Rgb(1, 2, 3)))), ("y", Ink::Log)],
            ),
            ("\x1b[96mx\x1b[mx", vec![("x", program(Style::new().fg(Color::Indexed(14)))), ("x", Ink::Log)]),
            ("\x1b[48;9mx", vec![("x", Ink::Log)]),
            ("\x1b[2J\x1b]0;title\x07x", vec![("␛[2J␛]0;title␇x", Ink::Log)]),
            ("\x1b[31", vec![("␛[31", Ink::Log)]),
            ("\x1b", vec![("␛", Ink::Log)]),
            ("a\tb", vec![("a", Ink::Log), ("       ", Ink::Plain), ("b", Ink::Log)]),
            ("50%\r60%", vec![("50%␍60%", Ink::Log)]),
            ("\x1b[999;;8mx\u{202e}", vec![("x·", Ink::Log)]),
        ];
        for (text, want) in cases {
            let got = pieces(text);
            let want: Vec<(String, Ink)> =
                want.into_iter().map(|(text, ink)| (text.to_owned(), ink)).collect();
            assert_eq!(got, want, "{text:?}");
        }
    }

    proptest::proptest! {
        #[test]
        fn any_output_is_safe(text in "(\u{1b}\\[|\u{1b}\\]|[0-9;:mJh]|\t|\r|x|東|\u{9b}|\u{202e}){0,30}") {
            let shown = read(&text);
            let clean = crate::text::clean(shown.text()).into_owned();
            proptest::prop_assert_eq!(shown.text(), clean);
        }
    }
}
