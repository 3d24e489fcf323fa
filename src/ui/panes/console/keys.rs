//! Keys of consoles.

use crossterm::event::{KeyCode, KeyModifiers};

use crate::emulator::input::{Code, Held};
use crate::ui::command::{Binding, Command, Hint, binding};
use crate::ui::input::Key;

/// What a key asks for in a console.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ConsoleCommand {
    /// Opens the menu.
    Menu,
    /// Back to typing.
    Resume,
    /// Ends the console.
    Detach,
    /// Away from it; it goes on.
    Leave,
    /// Types what was copied last.
    Paste,
    /// Looks for text.
    Search,
    /// Goes to another hit of the search.
    Hit(isize),
    /// Begins or ends a recording.
    Record,
    /// Types the command that tells the guest how large its terminal is.
    Size,
    /// Forgets what was written.
    Clear,
    /// The console alone, or with everything around it.
    FullScreen,
    /// Types ctrl-].
    Literal,
    /// The console so many further.
    Tab(isize),
    /// Reads what was written before.
    Read,
    /// The cursor of the reader goes so many columns and rows.
    Move(i16, i16),
    /// So many screens.
    Page(isize),
    /// The oldest line.
    Top,
    /// The newest line.
    Bottom,
    /// Begins to select; whole lines if true.
    Select(bool),
    /// What is selected into the clipboard.
    Copy,
    /// All of it into a file.
    Save,
}

/// A row of a table here.
const fn row(keys: &'static [Key], command: ConsoleCommand, doc: &'static str, hint: Hint) -> Binding {
    binding(keys, Command::Console(command), doc, hint)
}

/// ctrl-], as plain terminals send it and as others do.
pub(super) const ESCAPE: Key = Key::ctrl(']');

/// While one types: all other keys are the guest's.
pub(super) static TYPING: &[Binding] =
    &[row(&[ESCAPE], ConsoleCommand::Menu, "Menu of the console", Hint::Shown("Menu"))];

/// The menu of ctrl-].
pub static MENU: &[Binding] = &[
    row(
        &[Key::char('q')],
        ConsoleCommand::Leave,
        "Back to the list; the console goes on",
        Hint::Shown("Leave"),
    ),
    row(&[Key::char('d')], ConsoleCommand::Detach, "Detach: end the console", Hint::Shown("Detach")),
    row(
        &[Key::char('['), Key::new(KeyCode::PageUp)],
        ConsoleCommand::Read,
        "Read, select and copy what was written",
        Hint::Shown("Read"),
    ),
    row(&[Key::char('/')], ConsoleCommand::Search, "Search", Hint::Shown("Search")),
    row(&[Key::char('p')], ConsoleCommand::Paste, "Type what was copied last", Hint::Shown("Paste")),
    row(&[Key::char('r')], ConsoleCommand::Record, "Begin or end a recording", Hint::Shown("Record")),
    row(&[Key::char('s')], ConsoleCommand::Save, "Save as text", Hint::Shown("Save")),
    row(
        &[Key::char('z')],
        ConsoleCommand::Size,
        "Type stty with the size of this screen",
        Hint::Shown("Size"),
    ),
    row(&[Key::char('c')], ConsoleCommand::Clear, "Clear", Hint::Shown("Clear")),
    row(&[Key::char('f')], ConsoleCommand::FullScreen, "Whole screen", Hint::Shown("Whole screen")),
    row(&[Key::new(KeyCode::Tab)], ConsoleCommand::Tab(1), "Next console", Hint::Shown("Next console")),
    row(&[Key::new(KeyCode::BackTab)], ConsoleCommand::Tab(-1), "Console before", Hint::Quiet),
    row(&[ESCAPE], ConsoleCommand::Literal, "Type ctrl-]", Hint::Quiet),
    row(&[Key::new(KeyCode::Esc)], ConsoleCommand::Resume, "Back to the guest", Hint::Shown("Back")),
];

/// While one reads.
pub static READING: &[Binding] = &[
    row(
        &[Key::new(KeyCode::Esc), Key::char('q'), Key::char('i')],
        ConsoleCommand::Resume,
        "Back to the guest",
        Hint::Shown("Back"),
    ),
    row(&[ESCAPE], ConsoleCommand::Menu, "Menu of the console", Hint::Shown("Menu")),
    row(&[Key::char('/')], ConsoleCommand::Search, "Search", Hint::Shown("Search")),
    row(&[Key::char('n')], ConsoleCommand::Hit(1), "Hit above", Hint::Shown("Next hit")),
    row(&[Key::char('N')], ConsoleCommand::Hit(-1), "Hit below", Hint::Quiet),
    row(
        &[Key::char('v'), Key::char(' ')],
        ConsoleCommand::Select(false),
        "Select from here",
        Hint::Shown("Select"),
    ),
    row(&[Key::char('V')], ConsoleCommand::Select(true), "Select whole lines", Hint::Quiet),
    row(
        &[Key::char('y'), Key::new(KeyCode::Enter)],
        ConsoleCommand::Copy,
        "Copy what is selected",
        Hint::Shown("Copy"),
    ),
    row(&[Key::char('s'), Key::ctrl('s')], ConsoleCommand::Save, "Save as text", Hint::Shown("Save")),
    row(&[Key::char('j'), Key::new(KeyCode::Down)], ConsoleCommand::Move(0, 1), "Down", Hint::Quiet),
    row(&[Key::char('k'), Key::new(KeyCode::Up)], ConsoleCommand::Move(0, -1), "Up", Hint::Quiet),
    row(&[Key::char('h'), Key::new(KeyCode::Left)], ConsoleCommand::Move(-1, 0), "Left", Hint::Quiet),
    row(&[Key::char('l'), Key::new(KeyCode::Right)], ConsoleCommand::Move(1, 0), "Right", Hint::Quiet),
    row(
        &[Key::char('0'), Key::new(KeyCode::Home)],
        ConsoleCommand::Move(i16::MIN, 0),
        "Begin of the line",
        Hint::Quiet,
    ),
    row(
        &[Key::char('$'), Key::new(KeyCode::End)],
        ConsoleCommand::Move(i16::MAX, 0),
        "End of the line",
        Hint::Quiet,
    ),
    row(&[Key::ctrl('f'), Key::new(KeyCode::PageDown)], ConsoleCommand::Page(1), "Page down", Hint::Quiet),
    row(&[Key::ctrl('b'), Key::new(KeyCode::PageUp)], ConsoleCommand::Page(-1), "Page up", Hint::Quiet),
    row(&[Key::char('g')], ConsoleCommand::Top, "Oldest line", Hint::Quiet),
    row(&[Key::char('G')], ConsoleCommand::Bottom, "Newest line", Hint::Quiet),
];

/// What is held down, as the emulator knows it.
pub(super) fn held(with: KeyModifiers) -> Held {
    Held {
        shift: with.contains(KeyModifiers::SHIFT),
        alt: with.contains(KeyModifiers::ALT),
        control: with.contains(KeyModifiers::CONTROL),
    }
}

/// A key as the emulator knows it.
pub(super) fn code_of(key: Key) -> Option<(Code, Held)> {
    let held = held(key.with);
    let code = match key.code {
        KeyCode::Char(c) => Code::Char(c),
        KeyCode::Enter => Code::Enter,
        KeyCode::Tab => Code::Tab,
        KeyCode::BackTab => Code::BackTab,
        KeyCode::Backspace => Code::Backspace,
        KeyCode::Esc => Code::Escape,
        KeyCode::Up => Code::Up,
        KeyCode::Down => Code::Down,
        KeyCode::Left => Code::Left,
        KeyCode::Right => Code::Right,
        KeyCode::Home => Code::Home,
        KeyCode::End => Code::End,
        KeyCode::PageUp => Code::PageUp,
        KeyCode::PageDown => Code::PageDown,
        KeyCode::Insert => Code::Insert,
        KeyCode::Delete => Code::Delete,
        KeyCode::F(n) => Code::Function(n),
        _ => return None,
    };
    Some((code, held))
}
