use crate::support::screen::{Color, Flags, Modes, NamedColor, Screen};

fn sh(script: &str) -> Screen {
    shell(script).open()
}

fn shell(script: &str) -> crate::support::screen::Builder {
    let builder = Screen::builder().program("sh").args(["-c", script]);
    builder.size(40, 10)
}

#[test]
fn what_is_typed_comes_back() {
    let mut cat = Screen::builder().program("cat").size(40, 10).open();
    cat.press("hello⏎").wait_for("hello\nhello");
    cat.expect("hello").reject("world");
    assert_eq!(cat.row_of("hello"), 0);
    assert_eq!(cat.cursor(), Some((0, 2)));
    cat.press("<ctrl-d>");
    assert_eq!(cat.wait_exit(), 0);
}

#[test]
fn esc_is_read_by_itself() {
    let script = "stty raw -echo; echo ready; \
        dd bs=64 count=1 2>/dev/null | od -c; dd bs=64 count=1 2>/dev/null | od -c";
    let mut sh = sh(script);
    sh.wait_for("ready").press("⎋q").wait_for("   q");
    assert!(sh.line_of("033").ends_with("033"), "{}", sh.text());
}

#[test]
fn the_environment_is_clean() {
    let mut sh =
        shell("env | sort; echo end").env("EXTRA", "yes").without_env("COLORTERM").size(200, 40).open();
    sh.wait_for("end").expect("TERM=xterm-256color").expect("EXTRA=yes");
    sh.reject("KUBECONFIG").reject("COLORTERM").reject("CARGO");
    let home = format!("HOME={}", sh.home().display());
    sh.expect(&home);
}

#[test]
fn files_are_there_before_the_program() {
    let mut sh =
        shell("cat $XDG_CONFIG_HOME/v9s/config.yaml").file("config/v9s/config.yaml", "theme: dark\n").open();
    sh.wait_for("theme: dark");
}

#[test]
fn cells_have_styles() {
    let mut sh = sh(r"printf '漢 \033[1;31mred\033[0m'; sleep 60");
    sh.wait_for("red");
    assert_eq!(sh.place_of("red"), (3, 0));
    let cell = sh.cell_of("red");
    assert_eq!((cell.text.as_str(), cell.fg), ("r", Color::Named(NamedColor::Red)));
    assert!(cell.flags.contains(Flags::BOLD));
}

#[test]
fn a_resize_is_seen() {
    let mut sh = sh("trap 'stty size' WINCH; echo ready; while :; do sleep 0.05; done");
    sh.wait_for("ready").resize(60, 20).wait_for("20 60");
    assert_eq!(sh.text().split('\n').count(), 20);
}

#[test]
fn the_terminal_answers() {
    let ask = r"stty raw -echo; printf '\033[3;5H\033[6n'; dd bs=64 count=1 2>/dev/null | od -c; sleep 60";
    sh(ask).wait_for("033   [   3   ;   5   R");
    let mut silent = shell(ask).silent().open();
    silent.settle().reject("033");
}

#[test]
fn what_is_left_switched_on_is_found() {
    let mut tidy = sh(r"printf '\033[?1049h\033[?25l'; stty raw; printf '\033[?1049l\033[?25h'; stty sane");
    assert_eq!(tidy.wait_exit(), 0);
    tidy.terminal_is_restored();

    let mut untidy =
        sh(r"printf '\033[?1049h\033[?25l\033[?1000h\033[?1006h\033[?2004h\033[?1004h'; stty raw");
    untidy.wait_exit();
    let left = Modes {
        alternate_screen: true,
        mouse: true,
        bracketed_paste: true,
        focus: true,
        cursor_visible: false,
        raw: true,
        ..Modes::COOKED
    };
    assert_eq!(untidy.modes(), left);
}

#[test]
fn a_paste_has_brackets_when_they_are_wanted() {
    let mut sh = sh(r"stty -echo; printf '\033[?2004hready\n'; cat -v");
    sh.wait_for("ready").paste("one\n").wait_for("^[[200~one");
}

#[test]
fn a_synchronized_update_comes_at_once() {
    let mut sh =
        sh(r"stty -echo; printf 'old\r\033[?2026hnew'; read line; printf ' text\033[?2026l'; read line");
    sh.wait_for("old").press("⏎").wait_for("new text");
}

#[test]
fn output_is_counted_and_kept() {
    let mut sh = sh("stty -opost; printf 'a\\nb'");
    sh.wait_exit();
    assert_eq!((sh.bytes_so_far(), sh.raw()), (3, b"a\nb".to_vec()));
}

#[test]
fn signals_and_exit_statuses_are_those_of_the_program() {
    assert_eq!(sh("exit 3").wait_exit(), 3);
    let mut sleeping = sh("echo ready; exec sleep 60");
    sleeping.wait_for("ready").signal("TERM");
    assert_eq!(sleeping.wait_exit(), 128 + 15);
    let mut trapping = sh("trap 'echo caught; exit 4' HUP; echo ready; while :; do sleep 0.05; done");
    trapping.wait_for("ready").signal("HUP").wait_for("caught");
    assert_eq!(trapping.wait_exit(), 4);
}

#[test]
fn a_job_stops_and_is_resumed() {
    let script = "trap 'echo back' CONT; echo ready; while :; do read line && echo got $line; done";
    let mut sh = shell(script).job_control().open();
    sh.wait_for("ready");
    assert!(!sh.stopped());
    sh.signal("TSTP").wait_stopped();
    sh.resume().wait_for("back");
    assert!(!sh.stopped());
    sh.press("<ctrl-z>").wait_stopped();
    sh.resume().press("on⏎").wait_for("got on");
    sh.signal("KILL");
    assert_eq!(sh.wait_exit(), 128 + 9);
}

#[test]
#[should_panic(expected = "the program ended; waited for \"never\" to come")]
fn a_wait_ends_with_the_program() {
    sh("echo last words").wait_for("never");
}

#[test]
fn a_program_that_does_not_want_to_end_is_killed() {
    let mut stubborn = sh("trap '' HUP TERM INT; echo ready; sleep 60 & wait; sleep 60");
    stubborn.wait_for("ready");
    let started = std::time::Instant::now();
    drop(stubborn);
    assert!(started.elapsed().as_secs() < 10);
}
