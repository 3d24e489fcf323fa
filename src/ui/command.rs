//! Every action once: its keys, its name, when it is offered. Hints and help are made from this table.

use crossterm::event::KeyCode;

use super::input::Key;

/// Something that a key asks for in a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Command {
    /// Opens the command prompt.
    Prompt,
    /// Opens the filter prompt.
    Filter,
    /// Opens the row.
    Open,
    /// Clears the filter, then goes back a view.
    Back,
    /// The view before this one.
    Last,
    /// Ends the program.
    Quit,
    /// Shows the objects of all namespaces.
    AllNamespaces,
    /// Shows the objects of the row's namespace.
    ThisNamespace,
    /// More columns.
    Wide,
    /// Draws everything anew.
    Redraw,
    /// The cursor goes so many rows.
    Move(isize),
    /// The cursor goes so many screens.
    Page(isize),
    /// The first row.
    First,
    /// The last row.
    End,
    /// Scrolls the columns.
    Scroll(isize),
    /// Sorts by the next column in this direction.
    SortNext(isize),
    /// Sorts by the column with this title.
    SortBy(&'static str),
    /// Stops the program until the shell continues it.
    Suspend,
    /// The header on or off.
    Header,
}

/// When a hint for a command is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hint {
    /// Only in the help.
    Quiet,
    /// In the header, with this text.
    Shown(&'static str),
    /// In the header where a row can be opened.
    Opens,
    /// In the header where objects have namespaces.
    Namespaced(&'static str),
}

/// A line of the table.
#[derive(Debug)]
pub struct Binding {
    /// The keys; the first is the one that is shown.
    pub keys: &'static [Key],
    /// What they do.
    pub command: Command,
    /// What the help says.
    pub doc: &'static str,
    /// What the header says.
    pub hint: Hint,
}

const fn binding(keys: &'static [Key], command: Command, doc: &'static str, hint: Hint) -> Binding {
    Binding { keys, command, doc, hint }
}

/// Keys that work in a list.
pub static LIST: &[Binding] = &[
    binding(&[Key::new(KeyCode::Enter)], Command::Open, "Open the row", Hint::Opens),
    binding(&[Key::char(':')], Command::Prompt, "Command", Hint::Shown("Command")),
    binding(&[Key::char('/')], Command::Filter, "Filter", Hint::Shown("Filter")),
    binding(
        &[Key::new(KeyCode::Esc), Key::char('q')],
        Command::Back,
        "Clear the filter, then back",
        Hint::Shown("Back"),
    ),
    binding(&[Key::char('-')], Command::Last, "Last view", Hint::Quiet),
    binding(&[Key::char('0')], Command::AllNamespaces, "All namespaces", Hint::Namespaced("All namespaces")),
    binding(
        &[Key::char('w')],
        Command::ThisNamespace,
        "Only this namespace",
        Hint::Namespaced("This namespace"),
    ),
    binding(&[Key::char('N')], Command::SortBy("NAME"), "Sort by name", Hint::Quiet),
    binding(&[Key::char('A')], Command::SortBy("AGE"), "Sort by age", Hint::Quiet),
    binding(&[Key::char('S')], Command::SortBy("STATE"), "Sort by state", Hint::Quiet),
    binding(&[Key::char('P')], Command::SortBy("NAMESPACE"), "Sort by namespace", Hint::Quiet),
    binding(&[Key::shift(KeyCode::Right)], Command::SortNext(1), "Sort by the next column", Hint::Quiet),
    binding(&[Key::shift(KeyCode::Left)], Command::SortNext(-1), "Sort by the column before", Hint::Quiet),
    binding(&[Key::ctrl('w')], Command::Wide, "Wide columns", Hint::Shown("Wide")),
    binding(&[Key::ctrl('e')], Command::Header, "Header on or off", Hint::Shown("Header")),
    binding(&[Key::ctrl('r')], Command::Redraw, "Ask again, draw anew", Hint::Quiet),
    binding(&[Key::char('j'), Key::new(KeyCode::Down)], Command::Move(1), "Down", Hint::Quiet),
    binding(&[Key::char('k'), Key::new(KeyCode::Up)], Command::Move(-1), "Up", Hint::Quiet),
    binding(&[Key::ctrl('f'), Key::new(KeyCode::PageDown)], Command::Page(1), "Page down", Hint::Quiet),
    binding(&[Key::ctrl('b'), Key::new(KeyCode::PageUp)], Command::Page(-1), "Page up", Hint::Quiet),
    binding(&[Key::char('g'), Key::new(KeyCode::Home)], Command::First, "Top", Hint::Quiet),
    binding(&[Key::char('G'), Key::new(KeyCode::End)], Command::End, "Bottom", Hint::Quiet),
    binding(
        &[Key::char('l'), Key::new(KeyCode::Right)],
        Command::Scroll(1),
        "Columns to the right",
        Hint::Quiet,
    ),
    binding(
        &[Key::char('h'), Key::new(KeyCode::Left)],
        Command::Scroll(-1),
        "Columns to the left",
        Hint::Quiet,
    ),
    binding(&[Key::ctrl('z')], Command::Suspend, "Suspend", Hint::Quiet),
    binding(&[Key::ctrl('c')], Command::Quit, "Quit", Hint::Shown("Quit")),
];

/// The command of a key in a list.
pub fn of(key: Key) -> Option<Command> {
    LIST.iter().find(|binding| binding.keys.contains(&key)).map(|binding| binding.command)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_key_means_two_things() {
        let mut seen = std::collections::HashSet::new();
        for key in LIST.iter().flat_map(|binding| binding.keys) {
            assert!(seen.insert(*key), "{key} is bound twice");
        }
    }
}
