use std::cell::RefCell;
use std::rc::Rc;

use ratatui::layout::Position;
use ratatui::style::{Color, Style};

use super::*;

const ENTER: &str = "\x1b[?1049h\x1b[?2004h\x1b[?25l";
const ENTER_MOUSE: &str = "\x1b[?1049h\x1b[?2004h\x1b[?1000h\x1b[?1002h\x1b[?1006h\x1b[?25l";
const LEAVE: &str = "\x1b[?2026l\x1b[0m\x1b[?25h\x1b[?2004l\x1b[?1049l";
const LEAVE_MOUSE: &str =
    "\x1b[?2026l\x1b[0m\x1b[?25h\x1b[?1006l\x1b[?1002l\x1b[?1000l\x1b[?2004l\x1b[?1049l";

/// A writer whose content and number of writes the test sees, and that can fail.
#[derive(Clone, Debug, Default)]
struct Out(Rc<RefCell<State>>);

#[derive(Debug, Default)]
struct State {
    bytes: Vec<u8>,
    writes: usize,
    fail: Option<io::ErrorKind>,
}

impl Out {
    fn take(&self) -> String {
        String::from_utf8(std::mem::take(&mut self.0.borrow_mut().bytes)).unwrap()
    }

    fn fail(&self, kind: Option<io::ErrorKind>) {
        self.0.borrow_mut().fail = kind;
    }
}

impl Write for Out {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let mut state = self.0.borrow_mut();
        if let Some(kind) = state.fail {
            // These pass by themselves.
            if matches!(kind, io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted) {
                state.fail = None;
            }
            return Err(kind.into());
        }
        state.bytes.extend_from_slice(bytes);
        state.writes += 1;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn over(options: Options) -> (Out, Terminal<Out>) {
    let out = Out::default();
    let terminal = Terminal::over(out.clone(), Size { width: 10, height: 2 }, options).unwrap();
    (out, terminal)
}

fn word(text: &str, style: Style) -> impl FnOnce(&mut Frame<'_>) {
    move |frame| {
        frame.buffer_mut().set_string(0, 0, text, style);
    }
}

fn plain(text: &str) -> impl FnOnce(&mut Frame<'_>) {
    word(text, Style::new())
}

#[test]
fn what_is_entered_is_left_in_reverse_order() {
    for (mouse, enter, leave) in [(false, ENTER, LEAVE), (true, ENTER_MOUSE, LEAVE_MOUSE)] {
        let (out, mut terminal) = over(Options { mouse, ..Options::default() });
        assert_eq!(out.take(), enter);
        terminal.suspend().unwrap();
        terminal.suspend().unwrap();
        assert_eq!(out.take(), leave, "once");
        terminal.resume().unwrap();
        assert_eq!(out.take(), enter);
        drop(terminal);
        assert_eq!(out.take(), leave);
    }
}

#[test]
fn dropping_while_suspended_writes_nothing() {
    let (out, mut terminal) = over(Options::default());
    terminal.suspend().unwrap();
    out.take();
    assert_eq!(terminal.draw(plain("x")).unwrap(), 0);
    terminal.send(b"x").unwrap();
    drop(terminal);
    assert_eq!(out.take(), "");
}

#[test]
fn the_mouse_comes_and_goes() {
    let (out, mut terminal) = over(Options::default());
    out.take();
    terminal.set_mouse(true).unwrap();
    terminal.set_mouse(true).unwrap();
    assert_eq!(out.take(), "\x1b[?1000h\x1b[?1002h\x1b[?1006h");
    terminal.set_mouse(false).unwrap();
    assert_eq!(out.take(), "\x1b[?1006l\x1b[?1002l\x1b[?1000l");
    drop(terminal);
    assert_eq!(out.take(), LEAVE);
}

#[test]
fn an_equal_frame_writes_nothing() {
    let (out, mut terminal) = over(Options::default());
    out.take();
    let writes = |out: &Out| out.0.borrow().writes;
    let before = writes(&out);
    let sent = terminal.draw(plain("abc")).unwrap();
    assert_eq!(writes(&out) - before, 1, "one write for a frame");
    let text = out.take();
    assert_eq!(text.len(), sent);
    assert!(
        text.starts_with("\x1b[?2026h\x1b[?25l\x1b[0m\x1b[2J") && text.ends_with("\x1b[?2026l"),
        "{text:?}"
    );

    assert_eq!(terminal.draw(plain("abc")).unwrap(), 0);
    assert_eq!((out.take().as_str(), writes(&out) - before), ("", 1));

    terminal.draw(plain("abd")).unwrap();
    assert_eq!(out.take(), "\x1b[?2026h\x1b[1;3Hd\x1b[39m\x1b[49m\x1b[59m\x1b[0m\x1b[?2026l");
}

#[test]
fn the_cursor_is_moved_only_when_it_must() {
    let (out, mut terminal) = over(Options::default());
    let with = |text: &'static str, x: u16| {
        move |frame: &mut Frame<'_>| {
            frame.buffer_mut().set_string(0, 0, text, Style::new());
            frame.set_cursor_position(Position { x, y: 1 });
        }
    };
    terminal.draw(plain("abc")).unwrap();
    out.take();
    terminal.draw(with("abc", 4)).unwrap();
    assert_eq!(out.take(), "\x1b[2;5H\x1b[?25h");
    assert_eq!(terminal.draw(with("abc", 4)).unwrap(), 0);
    terminal.draw(with("abc", 5)).unwrap();
    assert_eq!(out.take(), "\x1b[2;6H");
    terminal.draw(with("abd", 5)).unwrap();
    assert!(out.take().ends_with("\x1b[2;6H\x1b[?2026l"), "painting has moved it");
    terminal.draw(plain("abd")).unwrap();
    assert_eq!(out.take(), "\x1b[?25l");
}

#[test]
fn a_new_size_or_an_unknown_screen_is_drawn_whole() {
    let (out, mut terminal) = over(Options::default());
    terminal.draw(plain("abc")).unwrap();
    out.take();
    terminal.resize(Size { width: 5, height: 1 });
    terminal.draw(plain("abc")).unwrap();
    let text = out.take();
    assert!(text.contains("\x1b[2J") && text.contains("abc"), "{text:?}");
    terminal.redraw();
    terminal.draw(plain("abc")).unwrap();
    assert!(out.take().contains("abc"));
    terminal.suspend().unwrap();
    terminal.resume().unwrap();
    out.take();
    terminal.draw(plain("abc")).unwrap();
    assert!(out.take().contains("abc"));
    terminal.resize(Size { width: 1, height: 1 });
    terminal.draw(plain("a")).unwrap();
    terminal.resize(Size { width: 0, height: 0 });
    terminal.draw(|_| {}).unwrap();
}

#[test]
fn a_terminal_that_has_gone_is_an_error_and_no_more() {
    let (out, mut terminal) = over(Options::default());
    out.fail(Some(io::ErrorKind::BrokenPipe));
    let error = terminal.draw(plain("abc")).unwrap_err();
    assert!(super::super::signals::terminal_gone(&error));
    out.fail(None);
    out.take();
    terminal.draw(plain("abc")).unwrap();
    assert!(out.take().contains("abc"), "drawn again, though ratatui believes it is there");
    out.fail(Some(io::ErrorKind::BrokenPipe));
    drop(terminal);
}

#[test]
fn writes_that_would_block_are_repeated() {
    let (out, mut terminal) = over(Options::default());
    for kind in [io::ErrorKind::WouldBlock, io::ErrorKind::Interrupted] {
        out.fail(Some(kind));
        terminal.redraw();
        terminal.draw(plain("abc")).unwrap();
        assert!(out.take().contains("abc"));
    }
}

#[test]
fn only_colours_of_the_terminal_leave() {
    let style = Style::new().fg(Color::Rgb(30, 144, 255)).bg(Color::Red).bold();
    for (depth, want) in [
        (ColourDepth::True, "\x1b[1m\x1b[38;2;30;144;255;48;5;1mabc"),
        (ColourDepth::Palette256, "\x1b[1m\x1b[38;5;33;48;5;1mabc"),
        (ColourDepth::Palette16, "\x1b[1m\x1b[38;5;12;48;5;1mabc"),
        (ColourDepth::Mono, "\x1b[1mabc"),
    ] {
        let (out, mut terminal) = over(Options { depth, mouse: false });
        terminal.draw(word("abc", style)).unwrap();
        let text = out.take();
        assert!(text.contains(want), "{depth:?} {text:?}");
        assert_eq!(terminal.draw(word("abc", style)).unwrap(), 0);
    }
}

#[test]
fn a_panic_while_drawing_leaves_the_terminal() {
    let (out, mut terminal) = over(Options::default());
    let caught = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        let _ = terminal.draw(|frame| {
            frame.buffer_mut()[(99, 99)].reset();
        });
    }));
    assert!(caught.is_err());
    drop(terminal);
    assert!(out.take().ends_with(LEAVE));
}

#[test]
fn restoring_without_a_terminal_does_nothing() {
    restore();
    assert_eq!(ON.load(Ordering::SeqCst), 0);
    let text = OpenError::NotATerminal.to_string();
    assert_eq!(text, "v9s needs a terminal; use \"v9s get\" or \"v9s frame\" in scripts");
}
