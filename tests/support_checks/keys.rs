use crate::support::keys::strokes;

fn bytes(notation: &str) -> String {
    let strokes = strokes(notation, false);
    let bytes = strokes.into_iter().flat_map(|stroke| stroke.bytes);
    String::from_utf8(bytes.collect()).unwrap()
}

#[test]
fn keys_are_written_as_a_terminal_sends_them() {
    for (notation, sent) in [
        (":vm⏎", ":vm\r"),
        ("⎋⇥⌫␣", "\x1b\t\x7f "),
        ("↑↓→←", "\x1b[A\x1b[B\x1b[C\x1b[D"),
        ("⇞⇟⇱⇲", "\x1b[5~\x1b[6~\x1b[H\x1b[F"),
        ("<ctrl-c><ctrl-space>", "\x03\0"),
        ("<shift-left><ctrl-shift-up>", "\x1b[1;2D\x1b[1;6A"),
        ("<f1><f5><f12>", "\x1bOP\x1b[15~\x1b[24~"),
        ("<alt-x><alt-enter>", "\x1bx\x1b\r"),
        ("<shift-tab><del><ins>", "\x1b[Z\x1b[3~\x1b[2~"),
        ("<lt>ü", "<ü"),
        ("f", "f"),
    ] {
        assert_eq!(bytes(notation), sent, "{notation}");
    }
    assert_eq!(strokes("↑", true)[0].bytes, b"\x1bOA");
    assert!(strokes("⎋", false)[0].alone);
}

#[test]
#[should_panic(expected = "There is no key <ctrl-home-run>")]
fn a_key_that_does_not_exist_fails() {
    bytes("<ctrl-home-run>");
}
