//! Keys of panes that show text.

use crossterm::event::KeyCode;

use super::Scroll;
use crate::ui::command::{Binding, Command, Hint, binding};
use crate::ui::input::Key;

/// What a key asks for in a pane of text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TextCommand {
    /// Goes somewhere.
    Scroll(Scroll),
    /// Goes to another hit of the search.
    Hit(isize),
    /// Long lines in several rows, or cut.
    Wrap,
    /// Only the text, with nothing around it.
    FullScreen,
    /// All of it into the clipboard.
    Copy,
    /// All of it into a file.
    Save,
    /// Follows the object, or stays as it is.
    Refresh,
    /// What is folded away.
    Fields,
    /// What is hidden.
    Secrets,
    /// The end stays in sight, or not.
    Autoscroll,
    /// When each line was written.
    Times,
    /// All containers of the pod, or its main one.
    AllContainers,
    /// The life of the container before this one.
    Previous,
    /// A line across.
    Mark,
    /// Forgets the lines so far.
    Clear,
    /// From where on, by the number of the key.
    Since(usize),
}

/// A row of a table here.
const fn row(keys: &'static [Key], command: TextCommand, doc: &'static str, hint: Hint) -> Binding {
    binding(keys, Command::Text(command), doc, hint)
}

const MOVES: [Binding; 8] = [
    row(
        &[Key::char('j'), Key::new(KeyCode::Down)],
        TextCommand::Scroll(Scroll::Rows(1)),
        "Down",
        Hint::Quiet,
    ),
    row(&[Key::char('k'), Key::new(KeyCode::Up)], TextCommand::Scroll(Scroll::Rows(-1)), "Up", Hint::Quiet),
    row(
        &[Key::new(KeyCode::PageDown), Key::ctrl('f'), Key::char(' ')],
        TextCommand::Scroll(Scroll::Pages(1)),
        "Page down",
        Hint::Quiet,
    ),
    row(
        &[Key::new(KeyCode::PageUp), Key::ctrl('b')],
        TextCommand::Scroll(Scroll::Pages(-1)),
        "Page up",
        Hint::Quiet,
    ),
    row(&[Key::char('g'), Key::new(KeyCode::Home)], TextCommand::Scroll(Scroll::Top), "Top", Hint::Quiet),
    row(&[Key::char('G'), Key::new(KeyCode::End)], TextCommand::Scroll(Scroll::End), "Bottom", Hint::Quiet),
    row(&[Key::new(KeyCode::Right)], TextCommand::Scroll(Scroll::Columns(8)), "To the right", Hint::Quiet),
    row(
        &[Key::char('h'), Key::new(KeyCode::Left)],
        TextCommand::Scroll(Scroll::Columns(-8)),
        "To the left",
        Hint::Quiet,
    ),
];

const TEXT: [Binding; 6] = [
    row(&[Key::char('n')], TextCommand::Hit(1), "Next match", Hint::Quiet),
    row(&[Key::char('N')], TextCommand::Hit(-1), "Match before", Hint::Quiet),
    row(&[Key::char('w')], TextCommand::Wrap, "Wrap long lines, or not", Hint::Shown("Wrap")),
    row(&[Key::char('f')], TextCommand::FullScreen, "Full screen, or not", Hint::Shown("Full screen")),
    row(&[Key::char('c')], TextCommand::Copy, "Copy all of it", Hint::Shown("Copy")),
    row(&[Key::ctrl('s')], TextCommand::Save, "Save it as a file", Hint::Shown("Save")),
];

const REFRESH: [Binding; 1] =
    [row(&[Key::char('r')], TextCommand::Refresh, "Follow the object, or not", Hint::Shown("Auto-refresh"))];

const HIDDEN: [Binding; 2] = [
    row(
        &[Key::char('m')],
        TextCommand::Fields,
        "Managed fields and defaults, or not",
        Hint::Shown("All fields"),
    ),
    row(&[Key::char('x')], TextCommand::Secrets, "Secrets, or not", Hint::Shown("Secrets")),
];

const LOG: [Binding; 6] = [
    row(&[Key::char('s')], TextCommand::Autoscroll, "Follow the end, or not", Hint::Shown("Autoscroll")),
    row(&[Key::char('t')], TextCommand::Times, "Times, or not", Hint::Shown("Timestamps")),
    row(
        &[Key::char('a')],
        TextCommand::AllContainers,
        "All containers, or not",
        Hint::Shown("All containers"),
    ),
    row(
        &[Key::char('p')],
        TextCommand::Previous,
        "The container before, or this one",
        Hint::Shown("Previous"),
    ),
    row(&[Key::char('m')], TextCommand::Mark, "A line across", Hint::Shown("Mark")),
    row(&[Key::char('C')], TextCommand::Clear, "Forget the lines so far", Hint::Shown("Clear")),
];

const SINCE: [Binding; 7] = [
    row(&[Key::char('0')], TextCommand::Since(0), "The last lines", Hint::Shown("tail")),
    row(&[Key::char('1')], TextCommand::Since(1), "The first lines", Hint::Shown("head")),
    row(&[Key::char('2')], TextCommand::Since(2), "The last minute", Hint::Shown("1m")),
    row(&[Key::char('3')], TextCommand::Since(3), "The last 5 minutes", Hint::Shown("5m")),
    row(&[Key::char('4')], TextCommand::Since(4), "The last 15 minutes", Hint::Shown("15m")),
    row(&[Key::char('5')], TextCommand::Since(5), "The last 30 minutes", Hint::Shown("30m")),
    row(&[Key::char('6')], TextCommand::Since(6), "The last hour", Hint::Shown("1h")),
];

/// Puts tables together.
const fn join<const N: usize>(parts: &[&[Binding]]) -> [Binding; N] {
    let mut all = [MOVES[0]; N];
    let (mut part, mut to) = (0, 0);
    while part < parts.len() {
        let mut from = 0;
        while from < parts[part].len() {
            all[to] = parts[part][from];
            from += 1;
            to += 1;
        }
        part += 1;
    }
    assert!(to == N, "the table has another length");
    all
}

/// Keys of YAML.
pub static YAML: [Binding; 17] = join(&[&HIDDEN, &REFRESH, &TEXT, &MOVES]);
/// Keys of a description.
pub static DESCRIBE: [Binding; 15] = join(&[&REFRESH, &TEXT, &MOVES]);
/// Keys of logs.
pub static LOGS: [Binding; 27] = join(&[&LOG, &SINCE, &TEXT, &MOVES]);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_key_means_two_things() {
        for table in [&YAML[..], &DESCRIBE[..], &LOGS[..]] {
            let mut seen = std::collections::HashSet::new();
            for key in table.iter().flat_map(|binding| binding.keys) {
                assert!(seen.insert(*key), "{key} is bound twice");
            }
        }
    }
}
