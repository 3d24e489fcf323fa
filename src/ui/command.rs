//! Every action once: its keys, its name, when it is offered. Hints and help are made from this table.

use crossterm::event::KeyCode;

use super::input::Key;
use super::panes::console::ConsoleCommand;
use super::panes::text::TextCommand;
use crate::views::Road;

/// Something that a key asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Command {
    /// Opens the command prompt.
    Prompt,
    /// Opens the prompt to filter or to search.
    Filter,
    /// Opens the row.
    Open,
    /// Clears the filter, then goes back a view.
    Back,
    /// The view before this one.
    Last,
    /// The command before in the history, or the one after.
    History(isize),
    /// Keys that work here.
    Help,
    /// Commands with their other names.
    Aliases,
    /// Ends the program.
    Quit,
    /// Shows the object as YAML.
    Yaml,
    /// Opens the embedded cluster.
    Demo,
    /// Describes the object.
    Describe,
    /// Shows the logs of the object.
    Logs,
    /// Opens the serial console of the object.
    OpenConsole,
    /// Goes to the consoles that are open.
    Consoles,
    /// Goes along one of the object's roads.
    Go(Road),
    /// Saves what is shown.
    Save,
    /// Copies the name of the object, or of those that are marked.
    CopyName,
    /// Copies its namespace.
    CopyNamespace,
    /// The favourite namespace with this number, from 1 on.
    Favourite(u8),
    /// The related object so many further.
    NextLink(isize),
    /// Asks again for what is shown.
    Refresh,
    /// The line of crumbs on or off.
    Crumbs,
    /// Shows the objects of all namespaces.
    AllNamespaces,
    /// Shows the objects of the row's namespace.
    ThisNamespace,
    /// More columns.
    Wide,
    /// So many sets of columns on.
    NextSet(isize),
    /// Marks the row, or takes its mark away.
    Mark,
    /// Marks the rows from the nearest mark to the cursor.
    MarkRange,
    /// Takes all marks away.
    ClearMarks,
    /// Only rows with a fault, or all again.
    Faults,
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
    /// The details beside the list on or off.
    Side,
    /// Something that only panes of text know.
    Text(TextCommand),
    /// Something that only consoles know.
    Console(ConsoleCommand),
}

/// When a hint for a command is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hint {
    /// Only in the help.
    Quiet,
    /// In the header, with this text.
    Shown(&'static str),
    /// In the header where rows are objects of the server, with this text.
    Object(&'static str),
    /// In the header where a row can be opened, with what that is.
    Opens,
    /// In the header where objects have namespaces.
    Namespaced(&'static str),
    /// In the header where the object has logs.
    Logs,
    /// In the header where the object has a console.
    Console,
    /// In the header where the object has such a road, with this text.
    Road(Road, &'static str),
}

/// A line of the table.
#[derive(Clone, Copy, Debug)]
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

/// A line of a table.
pub const fn binding(keys: &'static [Key], command: Command, doc: &'static str, hint: Hint) -> Binding {
    Binding { keys, command, doc, hint }
}

/// Keys that work where there is no cluster, before those of a list.
pub const START: &[Binding] =
    &[binding(&[Key::char('d')], Command::Demo, "Open the embedded cluster", Hint::Shown("Demo"))];

/// Keys that work in a list.
pub const LIST: &[Binding] = &[
    binding(&[Key::new(KeyCode::Enter)], Command::Open, "Open the row", Hint::Opens),
    binding(&[Key::char('w')], Command::ThisNamespace, "Only this namespace", Hint::Namespaced("Namespace")),
    binding(&[Key::char('N')], Command::SortBy("NAME"), "Sort by name", Hint::Quiet),
    binding(&[Key::char('A')], Command::SortBy("AGE"), "Sort by age", Hint::Quiet),
    binding(&[Key::char('S')], Command::SortBy("STATE"), "Sort by state", Hint::Quiet),
    binding(&[Key::char('P')], Command::SortBy("NAMESPACE"), "Sort by namespace", Hint::Quiet),
    binding(&[Key::shift(KeyCode::Right)], Command::SortNext(1), "Sort by the next column", Hint::Quiet),
    binding(&[Key::shift(KeyCode::Left)], Command::SortNext(-1), "Sort by the column before", Hint::Quiet),
    binding(&[Key::char(' ')], Command::Mark, "Mark, or unmark", Hint::Quiet),
    binding(&[Key::ctrl(' '), Key::alt(' ')], Command::MarkRange, "Mark up to here", Hint::Quiet),
    binding(&[Key::ctrl('\\'), Key::alt('\\')], Command::ClearMarks, "Take all marks away", Hint::Quiet),
    binding(&[Key::ctrl('s')], Command::Save, "Save as CSV", Hint::Quiet),
    binding(&[Key::ctrl('z')], Command::Faults, "Only rows with a fault", Hint::Shown("Faults")),
    binding(&[Key::ctrl('w')], Command::Wide, "Wide columns", Hint::Shown("Wide")),
    binding(&[Key::char('b')], Command::Side, "Details beside the list", Hint::Quiet),
    binding(&[Key::new(KeyCode::Tab)], Command::NextSet(1), "Next set of columns", Hint::Quiet),
    binding(&[Key::new(KeyCode::BackTab)], Command::NextSet(-1), "Set of columns before", Hint::Quiet),
    binding(&[Key::char('j'), Key::new(KeyCode::Down)], Command::Move(1), "Down", Hint::Quiet),
    binding(&[Key::char('k'), Key::new(KeyCode::Up)], Command::Move(-1), "Up", Hint::Quiet),
    binding(&[Key::ctrl('f'), Key::new(KeyCode::PageDown)], Command::Page(1), "Page down", Hint::Quiet),
    binding(&[Key::ctrl('b'), Key::new(KeyCode::PageUp)], Command::Page(-1), "Page up", Hint::Quiet),
    binding(&[Key::char('g'), Key::new(KeyCode::Home)], Command::First, "Top", Hint::Quiet),
    binding(&[Key::char('G'), Key::new(KeyCode::End)], Command::End, "Bottom", Hint::Quiet),
    binding(
        &[Key::char('h'), Key::new(KeyCode::Left)],
        Command::Scroll(-1),
        "Columns to the left",
        Hint::Quiet,
    ),
    binding(&[Key::new(KeyCode::Right)], Command::Scroll(1), "Columns to the right", Hint::Quiet),
];

/// Keys about an object: the row under the cursor, or the one that a pane shows.
pub const OBJECT: &[Binding] = &[
    binding(&[Key::char('d')], Command::Describe, "Describe", Hint::Object("Describe")),
    binding(&[Key::char('y')], Command::Yaml, "YAML", Hint::Object("YAML")),
    binding(&[Key::char('l')], Command::Logs, "Logs", Hint::Logs),
    binding(&[Key::char('s')], Command::OpenConsole, "Serial console", Hint::Console),
    binding(&[Key::char('J')], Command::Go(Road::Owner), "Owner", Hint::Road(Road::Owner, "Owner")),
    binding(&[Key::char('o')], Command::Go(Road::Node), "Node", Hint::Road(Road::Node, "Node")),
    binding(&[Key::char('u')], Command::Go(Road::UsedBy), "Used by", Hint::Road(Road::UsedBy, "Used by")),
    binding(&[Key::char('c')], Command::CopyName, "Copy the name", Hint::Quiet),
    binding(&[Key::char('n')], Command::CopyNamespace, "Copy the namespace", Hint::Quiet),
];

/// Keys that work wherever nothing else wants them.
pub const EVERYWHERE: &[Binding] = &[
    binding(&[Key::char(':')], Command::Prompt, "Command", Hint::Shown("Command")),
    binding(&[Key::char('/')], Command::Filter, "Filter or search", Hint::Shown("Filter")),
    binding(
        &[Key::new(KeyCode::Esc), Key::char('q')],
        Command::Back,
        "Clear the filter, then back",
        Hint::Shown("Back"),
    ),
    binding(&[Key::char('?')], Command::Help, "Help", Hint::Shown("Help")),
    binding(&[Key::ctrl('a')], Command::Aliases, "All commands", Hint::Quiet),
    binding(&[Key::char('-')], Command::Last, "Last view", Hint::Quiet),
    binding(&[Key::char('[')], Command::History(-1), "Command before", Hint::Quiet),
    binding(&[Key::char(']')], Command::History(1), "Command after", Hint::Quiet),
    binding(&[Key::char('0')], Command::AllNamespaces, "All namespaces", Hint::Quiet),
    binding(&[Key::char('1')], Command::Favourite(1), "Favourite namespace", Hint::Quiet),
    binding(&[Key::char('2')], Command::Favourite(2), "Favourite namespace", Hint::Quiet),
    binding(&[Key::char('3')], Command::Favourite(3), "Favourite namespace", Hint::Quiet),
    binding(&[Key::char('4')], Command::Favourite(4), "Favourite namespace", Hint::Quiet),
    binding(&[Key::char('5')], Command::Favourite(5), "Favourite namespace", Hint::Quiet),
    binding(&[Key::char('6')], Command::Favourite(6), "Favourite namespace", Hint::Quiet),
    binding(&[Key::char('7')], Command::Favourite(7), "Favourite namespace", Hint::Quiet),
    binding(&[Key::char('8')], Command::Favourite(8), "Favourite namespace", Hint::Quiet),
    binding(&[Key::char('9')], Command::Favourite(9), "Favourite namespace", Hint::Quiet),
    binding(&[Key::ctrl('e')], Command::Header, "Header on or off", Hint::Quiet),
    binding(&[Key::ctrl('g')], Command::Crumbs, "Crumbs on or off", Hint::Quiet),
    binding(&[Key::ctrl('r')], Command::Redraw, "Ask again, draw anew", Hint::Quiet),
    binding(&[Key::ctrl('c')], Command::Quit, "Quit", Hint::Quiet),
];

/// What a word typed after `:` does, unless it names a view or a resource.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Does {
    /// Ends the program.
    Quit,
    /// What the key of this command does.
    Key(Command),
    /// Connects to the context that is named, or lists them.
    Context,
    /// Shows the namespace that is named, or lists them.
    Namespace,
    /// Lets the mouse be used, or leaves it to the terminal.
    Mouse,
    /// Saves what is shown in a format.
    Save,
    /// Another theme, or which there are.
    Skin,
    /// Gives the filter a name, or takes one away.
    Filter,
}

/// A word that can be typed after `:`.
#[derive(Debug)]
pub struct Word {
    /// The word and its other forms.
    pub names: &'static [&'static str],
    /// How it is written with what may follow.
    pub usage: &'static str,
    /// What the help says.
    pub doc: &'static str,
    /// What it does.
    pub does: Does,
}

const fn word(names: &'static [&'static str], usage: &'static str, doc: &'static str, does: Does) -> Word {
    Word { names, usage, doc, does }
}

/// Words that are no views.
pub static WORDS: &[Word] = &[
    word(&["quit", "q", "q!", "qa", "Q", "exit"], "quit", "End the program", Does::Quit),
    word(&["help", "h", "?"], "help", "Keys that work here", Does::Key(Command::Help)),
    word(&["aliases", "alias", "a"], "aliases", "All commands", Does::Key(Command::Aliases)),
    word(&["ctx", "context", "contexts"], "ctx NAME", "Connect to another context", Does::Context),
    word(&["ns", "namespace", "namespaces"], "ns NAME", "Show what is in a namespace", Does::Namespace),
    word(&["consoles", "console"], "consoles", "The consoles that are open", Does::Key(Command::Consoles)),
    word(&["save"], "save csv|json", "Save what is shown", Does::Save),
    word(
        &["filter", "filters"],
        "filter save NAME",
        "Keep the filter under a name, for /@NAME",
        Does::Filter,
    ),
    word(&["skin", "theme"], "skin NAME", "Another theme; without a name, which there are", Does::Skin),
    word(&["details"], "details", "Details of the row beside the list", Does::Key(Command::Side)),
    word(&["mouse"], "mouse", "The mouse on or off; also mouse on, mouse off", Does::Mouse),
    word(&["suspend"], "suspend", "Back to the shell, until fg", Does::Key(Command::Suspend)),
];

/// The word that goes by this name.
pub fn word_of(name: &str) -> Option<&'static Word> {
    WORDS.iter().find(|word| word.names.contains(&name))
}

/// Keys under what they are about.
pub type Table = (&'static str, &'static [Binding]);

/// The command of a key in these tables, of which the first has the first word.
pub fn of(key: Key, tables: &[Table]) -> Option<Command> {
    let mut all = tables.iter().flat_map(|(_, bindings)| *bindings);
    all.find(|binding| binding.keys.contains(&key)).map(|binding| binding.command)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_key_means_two_things() {
        for table in [LIST, OBJECT, EVERYWHERE] {
            let mut seen = std::collections::HashSet::new();
            for key in table.iter().flat_map(|binding| binding.keys) {
                assert!(seen.insert(*key), "{key} is bound twice");
            }
        }
        let keys = |table: &'static [Binding]| table.iter().flat_map(|binding| binding.keys);
        for key in keys(LIST).chain(keys(OBJECT)) {
            assert!(keys(EVERYWHERE).all(|other| other != key), "{key} has a meaning everywhere");
            let both = keys(LIST).chain(keys(OBJECT)).filter(|other| *other == key);
            assert_eq!(both.count(), 1, "{key} means two things in a list");
        }
    }
}
