use super::input::{Act, Code, Held};
use super::search::Needle;
use super::*;

fn fed(bytes: &[u8]) -> (Emulator, Vec<u8>) {
    let mut emulator = Emulator::new(20, 4, 100);
    let answers = emulator.feed(bytes);
    (emulator, answers)
}

/// The rows of the view without blank ones at the end.
fn rows(bytes: &[u8]) -> Vec<String> {
    let mut rows = fed(bytes).0.rows();
    while rows.last().is_some_and(String::is_empty) {
        rows.pop();
    }
    rows
}

#[test]
fn text_and_sequences_make_a_grid() {
    let cases: &[(&[u8], &[&str])] = &[
        (b"login: root\r\n# ", &["login: root", "#"]),
        (b"50%\r60%", &["60%"]),
        (b"a\tb", &["a       b"]),
        (b"abc\x08\x08X", &["aXc"]),
        (b"\x1b[2;3Hx", &["", "  x"]),
        (b"one\x1b[2K\rtwo", &["two"]),
        ("größe 東京".as_bytes(), &["größe 東京"]),
        ("e\u{301}x".as_bytes(), &["e\u{301}x"]),
        // A wide character that does not fit goes to the next line.
        ("0123456789012345678東".as_bytes(), &["0123456789012345678", "東"]),
        // Boxes as installers draw them on a serial line.
        (b"\x1b(0lqk\x1b(B", &["┌─┐"]),
        (b"\x0e\x1b)0lqk\x0f.", &["┌─┐."]),
        (b"not \xff\xfe utf-8", &["not \u{fffd}\u{fffd} utf-8"]),
        (b"\xe2\x82", &[]),
        (b"a\x1b[3bc", &["aaaac"]),
        // A guest cannot hide what it writes behind marks of direction.
        ("a\u{202e}b\u{200b}c".as_bytes(), &["abc"]),
        (b"\x9b31mx", &["31mx"]),
        ("\u{9d}0;title\u{7}x".as_bytes(), &["0;titlex"]),
    ];
    for (bytes, want) in cases {
        assert_eq!(rows(bytes), *want, "{:?}", String::from_utf8_lossy(bytes));
        let mut slowly = Emulator::new(20, 4, 100);
        bytes.iter().for_each(|byte| drop(slowly.feed(&[*byte])));
        assert_eq!(slowly.rows(), fed(bytes).0.rows(), "byte by byte: {:?}", String::from_utf8_lossy(bytes));
    }
}

#[test]
fn strings_of_a_guest_do_nothing() {
    let hostile: &[&[u8]] = &[
        b"\x1b]52;c;ZXZpbA==\x07",
        b"\x1b]52;c;ZXZpbA==\x1b\\",
        b"\x1b]52;c;?\x07",
        b"\x1b]0;title\x07\x1b[22t\x1b[23t\x1b[21t",
        b"\x1bP$qm\x1b\\\x1bP+q544e\x1b\\",
        b"\x1b]4;1;?\x07\x1b]10;?\x07\x1b]11;?\x1b\\",
        b"\x1b]8;;http://evil\x07\x1b]8;;\x07",
        b"\x1b]1337;File=inline=1:AAAA\x07",
        b"\x1b_Ga=T,f=100;AAAA\x1b\\",
        b"\x1b]50;?\x07\x1b[14t\x1b[?u\x1b[>1u",
    ];
    for bytes in hostile {
        let (emulator, answers) = fed(&[*bytes, b"ok"].concat());
        assert_eq!(emulator.rows()[0], "ok", "{:?}", String::from_utf8_lossy(bytes));
        assert!(answers.is_empty(), "{:?} is answered", String::from_utf8_lossy(bytes));
    }
}

#[test]
fn questions_are_answered_to_the_guest_and_not_endlessly() {
    let cases: &[(&[u8], &[u8])] = &[
        (b"\x1b[6n", b"\x1b[1;1R"),
        (b"ab\x1b[6n", b"\x1b[1;3R"),
        (b"\x1b[5n", b"\x1b[0n"),
        (b"\x1b[c", b"\x1b[?6c"),
        (b"\x1b[18t", b"\x1b[8;4;20t"),
    ];
    for (question, want) in cases {
        let (_, answers) = fed(question);
        assert_eq!(answers, *want, "{:?}", String::from_utf8_lossy(question));
    }
    let (_, many) = fed(&b"\x1b[c".repeat(100_000));
    assert!(many.len() <= MOST_ANSWERS && many.len() > 1000, "{}", many.len());
}

#[test]
fn long_lines_and_endless_sequences_take_no_more_room() {
    let long = vec![b'x'; 10 << 20];
    let (emulator, _) = fed(&long);
    assert_eq!((emulator.lines_above(), emulator.rows()[3].len()), (100, 20));
    let mut endless = b"\x1b[".to_vec();
    endless.extend(b"1;".repeat(1 << 20));
    endless.extend(b"mok");
    assert!(rows(&endless).concat().contains("ok"));
    // Marks without end on one character, also when the cursor comes back to it again and again.
    let mut marks = b"a".to_vec();
    for _ in 0..100_000 {
        marks.extend("\u{301}\x1b[2G\u{301}".as_bytes());
    }
    let (emulator, _) = fed(&marks);
    let most = emulator.term.grid()[Point::new(Line(0), Column(0))].zerowidth().map(<[char]>::len);
    assert_eq!(most, Some(MOST_MARKS));
}

#[test]
fn a_few_bytes_cannot_ask_for_endless_work() {
    let began = std::time::Instant::now();
    let mut emulator = Emulator::new(200, 60, 10_000);
    for hostile in [
        &b"x\x1b[65535b"[..],
        b"\x1b[2J",
        b"\x1b#8",
        b"\x1b[65535S",
        b"\x1b[65535L",
        b"\x1b[?1049h\x1b[?1049l",
    ] {
        emulator.feed(&hostile.repeat((16 << 10) / hostile.len()));
    }
    // Without bounds the first of them alone takes minutes in a build like this.
    assert!(began.elapsed() < std::time::Duration::from_secs(60), "{:?}", began.elapsed());
}

#[test]
fn the_alternate_screen_comes_and_goes() {
    let (mut emulator, _) = fed(b"$ vi\r\n\x1b[?1049h\x1b[2J\x1b[Hfile");
    assert!(emulator.is_alternate());
    assert_eq!(emulator.rows()[0], "file");
    // A line of ours would stand in the middle of the file.
    emulator.note("link lost");
    assert_eq!(emulator.rows(), ["file", "", "", ""]);
    emulator.feed(b"\x1b[?1049l");
    assert_eq!((emulator.is_alternate(), &*emulator.rows()[0]), (false, "$ vi"));
}

#[test]
fn notes_stand_in_lines_of_their_own_and_change_nothing_for_the_guest() {
    let (mut emulator, _) = fed(b"\x1b[31m\x1b(0lq\x1b[");
    emulator.note("attached \x1b[2J");
    emulator.feed(b"q");
    assert_eq!(emulator.rows(), ["┌─", "attached ␛[2J", "─", ""]);
    let cells: Vec<Cell<'_>> = emulator.cells().collect();
    let at = |row: u16| cells.iter().find(|cell| cell.row == row).unwrap();
    assert!(at(1).attributes.dim && !at(2).attributes.dim);
    assert_eq!(at(2).foreground, Colour::Indexed(1));
    // A program that had the screen is gone with its session.
    emulator.feed(b"\x1b[?1049h\x1b[?1000h\x1b[?2004h\x1b[?25l\x1b[2;3r");
    emulator.end_session();
    assert!(!emulator.is_alternate() && !emulator.wants_mouse() && emulator.cursor().is_some());
    assert_eq!(emulator.paste("x"), b"x");
    emulator.note("ended");
    assert_eq!(emulator.rows(), ["attached ␛[2J", "─", "ended", ""]);
}

#[test]
fn what_was_printed_before_is_dimmed_and_harmless() {
    let mut emulator = Emulator::new(40, 4, 100);
    emulator.backlog("\x1b[2J\x1b[1;31mred\x1b[0m and\x1b]0;title\x07 plain\r");
    emulator.backlog("10%\r20%");
    emulator.backlog("\u{202e}abc\u{7}");
    assert_eq!(emulator.rows(), ["red and plain", "20%", "·abc␇", ""]);
    assert!(emulator.cells().all(|cell| cell.attributes.dim));
}

#[test]
fn what_left_at_the_top_is_kept_and_can_be_read() {
    let (mut emulator, _) = fed(&(1..=300).map(|n| format!("line {n}\r\n")).collect::<String>().into_bytes());
    assert_eq!(emulator.lines_above(), 100);
    emulator.scroll(Scroll::Lines(2));
    assert_eq!(emulator.rows(), ["line 296", "line 297", "line 298", "line 299"]);
    // What the guest writes does not move what is being read.
    emulator.feed(b"more\r\nand more\r\n");
    assert_eq!(emulator.rows()[0], "line 296");
    emulator.scroll(Scroll::Top);
    let first = emulator.rows()[0].clone();
    emulator.feed(b"\x1b[3J\x1bc");
    emulator.scroll(Scroll::Top);
    assert!(emulator.lines_above() >= 100, "a guest does not take away what was read");
    assert!(first.starts_with("line "));
    emulator.scroll(Scroll::Bottom);
    assert_eq!(emulator.scrolled(), 0);
    assert_eq!(emulator.text().lines().count(), emulator.text().trim_end().lines().count());
    emulator.clear();
    assert_eq!((emulator.lines_above(), emulator.text()), (0, String::new()));
}

#[test]
fn sizes_are_taken_and_lines_joined_again() {
    let (mut emulator, _) = fed(b"0123456789abcdefghijKLMNO\r\nx");
    assert!(emulator.resize(40, 4) && !emulator.resize(40, 4));
    assert_eq!(emulator.rows()[0], "0123456789abcdefghijKLMNO");
    for (columns, rows) in [(0, 0), (1, 1), (2, 1), (65_535, 1), (3, 65_535), (20, 4)] {
        emulator.resize(columns, rows);
        emulator.feed("東\u{301}\t\x1b[999;999Hx\x1b[1;1H".as_bytes());
    }
    assert_eq!(emulator.size(), (20, 4));
}

#[test]
fn text_is_found_and_shown() {
    let lines: String = (1..=50).map(|n| format!("line {n} of Boot\r\n")).collect();
    let (mut emulator, _) = fed(lines.as_bytes());
    let mut needle = Needle::new("boot").unwrap();
    let corner = Place::default();
    assert_eq!(emulator.count(&mut needle, corner), (0, 50), "no hit begins there");
    assert_eq!(emulator.hits(&mut needle).len(), 3);
    let mut exact = Needle::new("BOOT").unwrap();
    assert_eq!(emulator.count(&mut exact, corner), (0, 0));
    let mut ten = Needle::new("line 10 ").unwrap();
    let at = emulator.find(&mut ten, Place { row: 3, column: 0 }, true).unwrap();
    assert!(emulator.rows()[usize::from(at.row)].starts_with("line 10"), "{:?}", emulator.rows());
    let up = emulator.find(&mut needle, at, true).unwrap();
    assert!(emulator.rows()[usize::from(up.row)].starts_with("line 9 "));
    assert_eq!(emulator.count(&mut needle, up), (9, 50));
    let down = emulator.find(&mut needle, up, false).unwrap();
    assert!(emulator.rows()[usize::from(down.row)].starts_with("line 10"));
    assert!(Needle::new("").is_none());
    // What means something in a pattern means itself.
    assert_eq!(emulator.count(&mut Needle::new("l.ne").unwrap(), corner), (0, 0));
}

#[test]
fn selections_become_text() {
    let (mut emulator, _) = fed("one two\r\nthree 東京 x\r\nfour".as_bytes());
    emulator.select_from(Place { row: 0, column: 4 }, false);
    emulator.select_to(Place { row: 1, column: 4 });
    assert_eq!(emulator.selected().unwrap(), "two\nthree");
    // Backwards.
    emulator.select_from(Place { row: 1, column: 4 }, false);
    emulator.select_to(Place { row: 0, column: 4 });
    assert_eq!(emulator.selected().unwrap().lines().next(), Some("two"));
    emulator.select_from(Place { row: 1, column: 9 }, true);
    assert_eq!(emulator.selected().unwrap().trim_end(), "three 東京 x");
    assert!(emulator.cells().any(|cell| cell.selected));
    emulator.select_none();
    assert_eq!(emulator.selected(), None);
    assert_eq!(emulator.text(), "one two\nthree 東京 x\nfour\n");
}

#[test]
fn keys_are_what_the_guest_expects() {
    let none = Held::default();
    let held =
        |text: &str| Held { shift: text.contains('s'), alt: text.contains('a'), control: text.contains('c') };
    let (plain, _) = fed(b"");
    let (application, _) = fed(b"\x1b[?1h\x1b=\x1b[20h");
    let cases: &[(Code, &str, &str)] = &[
        (Code::Char('a'), "", "a"),
        (Code::Char('ü'), "", "ü"),
        (Code::Char('c'), "c", "\x03"),
        (Code::Char('C'), "c", "\x03"),
        (Code::Char(']'), "c", "\x1d"),
        (Code::Char(' '), "c", "\0"),
        (Code::Char('\\'), "c", "\x1c"),
        (Code::Char('x'), "a", "\x1bx"),
        (Code::Char('x'), "ac", "\x1b\x18"),
        (Code::Enter, "", "\r"),
        (Code::Enter, "a", "\x1b\r"),
        (Code::Tab, "", "\t"),
        (Code::BackTab, "", "\x1b[Z"),
        (Code::Backspace, "", "\x7f"),
        (Code::Escape, "", "\x1b"),
        (Code::Up, "", "\x1b[A"),
        (Code::Left, "c", "\x1b[1;5D"),
        (Code::Right, "s", "\x1b[1;2C"),
        (Code::Home, "", "\x1b[H"),
        (Code::Delete, "", "\x1b[3~"),
        (Code::PageUp, "sa", "\x1b[5;4~"),
        (Code::Function(1), "", "\x1bOP"),
        (Code::Function(4), "s", "\x1b[1;2S"),
        (Code::Function(5), "", "\x1b[15~"),
        (Code::Function(12), "", "\x1b[24~"),
        (Code::Function(12), "c", "\x1b[24;5~"),
        (Code::Function(60), "", ""),
        (Code::Function(0), "", ""),
    ];
    for (code, with, want) in cases {
        let bytes = plain.key(*code, held(with));
        assert_eq!(String::from_utf8(bytes).unwrap(), *want, "{code:?} {with}");
    }
    assert_eq!(application.key(Code::Up, none), b"\x1bOA");
    assert_eq!(application.key(Code::Enter, none), b"\r\n");
    assert_eq!(application.key(Code::Up, held("c")), b"\x1b[1;5A");
}

#[test]
fn a_paste_cannot_end_itself() {
    let (plain, _) = fed(b"");
    let (brackets, _) = fed(b"\x1b[?2004h");
    let text = "ls\r\nrm\n\x1b[201~\u{3}x\tü\u{9b}";
    assert_eq!(plain.paste(text), "ls\rrm\r[201~x\tü".as_bytes());
    assert_eq!(brackets.paste(text), "\x1b[200~ls\rrm\r[201~x\tü\x1b[201~".as_bytes());
}

#[test]
fn the_mouse_is_told_of_where_it_is_wanted() {
    let place = Place { row: 1, column: 9 };
    let told = |modes: &[u8], act: Act, place: Place| {
        let answer = fed(modes).0.mouse(act, place, Held::default());
        answer.map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
    };
    let some = |text: &str| Some(text.to_owned());
    assert_eq!(told(b"", Act::Press(0), place), None);
    assert_eq!(told(b"", Act::WheelUp, place), None);
    assert_eq!(told(b"\x1b[?1049h", Act::WheelUp, place), some("\x1b[A\x1b[A\x1b[A"));
    assert_eq!(told(b"\x1b[?1000h\x1b[?1006h", Act::Press(0), place), some("\x1b[<0;10;2M"));
    assert_eq!(told(b"\x1b[?1000h\x1b[?1006h", Act::Release(2), place), some("\x1b[<2;10;2m"));
    assert_eq!(told(b"\x1b[?1000h\x1b[?1006h", Act::Drag(0), place), some(""));
    assert_eq!(told(b"\x1b[?1002h\x1b[?1006h", Act::Drag(0), place), some("\x1b[<32;10;2M"));
    assert_eq!(told(b"\x1b[?1000h\x1b[?1006h", Act::WheelDown, place), some("\x1b[<65;10;2M"));
    let held = Held { shift: true, alt: true, control: true };
    let all = fed(b"\x1b[?1000h\x1b[?1006h").0.mouse(Act::WheelUp, place, held);
    assert_eq!(all.as_deref(), Some(&b"\x1b[<92;10;2M"[..]));
    assert_eq!(told(b"\x1b[?1000h", Act::Press(0), place), some("\x1b[M *\""));
    assert_eq!(told(b"\x1b[?1000h", Act::Release(0), place), some("\x1b[M#*\""));
    assert_eq!(told(b"\x1b[?1000h", Act::Press(0), Place { row: 0, column: 300 }), None);
}

#[test]
fn notes_are_broken_between_words_and_lines_of_a_guest_are_kept_whole() {
    let mut emulator = Emulator::new(20, 6, 10);
    emulator.note("── Virtink does not tell who else is there.");
    assert_eq!(&emulator.rows()[..3], ["── Virtink does not", "tell who else is", "there."]);
    emulator.backlog("a line of twenty-four  c.");
    assert_eq!(emulator.rows()[3..5].concat(), "a line of twenty-four  c.");
}
