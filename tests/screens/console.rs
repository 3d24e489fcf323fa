//! Consoles: what the guest writes is on the screen, what is typed reaches the guest, and nothing else happens.

use std::os::unix::fs::PermissionsExt as _;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use futures::FutureExt as _;
use futures::future::BoxFuture;
use jiff::Timestamp;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, DuplexStream, ReadHalf, WriteHalf, split};
use v9s::demo::aggregate::serve_in_place;
use v9s::demo::virt_api::{Channel, Guests, OpenLine, VirtApi};

use crate::support::cluster::runtime;
use crate::support::embedded::Embedded;
use crate::support::objects::{vm, vmi_of};
use crate::support::screen::Screen;
use crate::support::{deadline, poll};

/// Guests that write what the test says, and say what was typed. As with a real one, who comes later throws out who is there.
#[derive(Clone, Default)]
struct Room(Arc<Mutex<Inside>>);

#[derive(Default)]
struct Inside {
    line: Option<WriteHalf<DuplexStream>>,
    typed: Vec<u8>,
    opened: usize,
}

fn lock(room: &Mutex<Inside>) -> MutexGuard<'_, Inside> {
    room.lock().unwrap_or_else(PoisonError::into_inner)
}

async fn hear(room: Room, mut line: ReadHalf<DuplexStream>) {
    let mut piece = [0; 4096];
    while let Ok(count) = line.read(&mut piece).await {
        if count == 0 {
            return;
        }
        lock(&room.0).typed.extend_from_slice(&piece[..count]);
    }
}

impl Guests for Room {
    fn dial(&self, _: Value, _: Channel) -> BoxFuture<'static, Result<OpenLine, String>> {
        let room = self.clone();
        async move {
            let (near, far) = tokio::io::duplex(64 << 10);
            let (reader, writer) = split(far);
            let hearing = tokio::spawn(hear(room.clone(), reader));
            let before = {
                let mut inside = lock(&room.0);
                inside.opened += 1;
                inside.line.replace(writer)
            };
            drop(before);
            drop(hearing);
            Ok(Box::new(near) as OpenLine)
        }
        .boxed()
    }
}

impl Room {
    /// The guest writes something.
    fn write(&self, bytes: &[u8]) {
        let mut line = lock(&self.0).line.take().expect("a console that is open");
        runtime().block_on(line.write_all(bytes)).expect("a guest that is heard");
        lock(&self.0).line = Some(line);
    }

    /// The guest's end of the console ends.
    fn hang_up(&self) {
        let mut line = lock(&self.0).line.take().expect("a console that is open");
        let _ = runtime().block_on(line.shutdown());
    }

    #[track_caller]
    fn await_typed(&self, wanted: &[u8]) {
        let typed = || {
            let mut inside = lock(&self.0);
            let at = inside.typed.windows(wanted.len()).position(|part| part == wanted)?;
            inside.typed.drain(..at + wanted.len());
            Some(())
        };
        let all = String::from_utf8_lossy(&lock(&self.0).typed).into_owned();
        assert!(poll(deadline(), typed).is_some(), "{:?} in {all:?}", String::from_utf8_lossy(wanted));
    }

    fn typed(&self) -> Vec<u8> {
        lock(&self.0).typed.clone()
    }

    fn opened(&self) -> usize {
        lock(&self.0).opened
    }
}

struct Stage {
    embedded: Embedded,
    room: Room,
}

impl Stage {
    /// Machines `web-0` and `web-1` that run, and `off`, which does not.
    fn new() -> Self {
        let embedded = Embedded::new();
        let room = Room::default();
        let (client, guests) = (embedded.cluster().client(), room.clone());
        let make = move || Some(VirtApi::with(client.clone(), guests.clone(), Box::new(Timestamp::now)));
        serve_in_place(embedded.server(), make);
        let stage = Self { embedded, room };
        for name in ["web-0", "web-1"] {
            stage.run(name, |_| {});
        }
        stage.embedded.server().put(Value::from(vm("shop", "off").stored(1))).unwrap();
        stage
    }

    fn run(&self, name: &str, change: impl FnOnce(&mut Value)) {
        let machine = Value::from(vm("shop", name).running().stored(1));
        let mut instance = Value::from(vmi_of(&machine).stored(1));
        change(&mut instance);
        self.embedded.server().put(instance).unwrap();
        self.embedded.server().put(machine).unwrap();
    }

    fn screen(&self, args: &[&str]) -> Screen {
        Screen::builder()
            .kubeconfig(&self.embedded.kubeconfig("admin"))
            .args(["-n", "shop"].iter().chain(args).copied())
            .size(100, 30)
            .open()
    }

    /// The screen with the console of `web-0` open, whose guest has said who it is.
    fn open(&self, args: &[&str]) -> Screen {
        let mut v9s = self.screen(args);
        v9s.wait_for("web-0").press("/web-0⏎").gone("web-1").press("s");
        v9s.wait_for("Console(shop/web-0)").wait_for("live");
        self.room.write(b"web-0 login: ");
        v9s.wait_for("web-0 login:");
        v9s
    }
}

#[test]
fn a_console_is_typed_into_left_and_taken_up_again() {
    let stage = Stage::new();
    let mut v9s = stage.open(&[]);
    // It was said before: somebody may have been thrown out by this.
    v9s.expect("KubeVirt does not tell").expect("ctrl-] menu");
    // Keys that mean something elsewhere are the guest's.
    v9s.press("root⏎:q⎋<ctrl-c>↑<f5><alt-x>");
    stage.room.await_typed(b"root\r:q\x1b\x03\x1b[A\x1b[15~\x1bx");
    v9s.paste("two\nlines");
    stage.room.await_typed(b"two\rlines");
    stage.room.write(b"\x1b[?2004h");
    stage.room.write(b"root\r\n# ");
    v9s.wait_for("# ");
    v9s.paste("three");
    stage.room.await_typed(b"\x1b[200~three\x1b[201~");
    // The menu takes a key, and closes.
    v9s.press("<ctrl-]>").wait_for("Detach: end").press("<ctrl-]>").gone("Detach: end");
    stage.room.await_typed(b"\x1d");
    v9s.press("<ctrl-]>").wait_for("Detach: end").press("q").wait_for("1 console").expect("web-0");
    // It goes on, and says so.
    stage.room.write(b"somebody was here");
    v9s.wait_for("1 console ●").reject("somebody was here");
    v9s.press("s").wait_for("somebody was here").expect("web-0 login:");
    assert_eq!(stage.room.opened(), 1);
    v9s.press("<ctrl-]>").wait_for("Detach: end").press("d").gone("Console(").reject("1 console");
    v9s.press(":consoles⏎").wait_for("No console is open").press(":q⏎");
    assert_eq!(v9s.wait_exit(), 0);
    v9s.terminal_is_restored();
}

#[test]
fn a_program_of_a_guest_has_the_whole_pane_and_not_the_terminal() {
    let stage = Stage::new();
    let mut v9s = stage.open(&[]);
    stage
        .room
        .write(b"\x1b]52;c;ZXZpbA==\x07\x1b]0;owned\x07\x1bPq#0\x1b\\\x1b[6n\x1b[5i\x1b[?1049h\x1b[H\x1b[2J");
    stage.room.write("\x1b(0lqqk\x1b(B \x1b[7mMenu\x1b[m 東京\x1b[2;4H".as_bytes());
    v9s.wait_for("┌──┐ Menu 東京");
    // Its question is answered to it alone.
    stage.room.await_typed(b"\x1b[");
    let (x, y) = v9s.place_of("┌──┐");
    let (cursor_x, cursor_y) = v9s.cursor().expect("a cursor");
    assert_eq!((cursor_x, cursor_y), (x + 3, y + 1), "the cursor is where the guest has it");
    assert_eq!((v9s.clipboard(), v9s.title()), (None, None));
    let raw = v9s.raw();
    let passed = |bytes: &[u8]| raw.windows(bytes.len()).any(|part| part == bytes);
    assert!(!passed(b"\x1b]") && !passed(b"\x1bP") && !passed(b"\x1b[5i") && !passed(b"\x1b[6n"));
    // Its mouse is told of, with what is held down beside it: control, then alt and shift.
    stage.room.write(b"\x1b[?1000h\x1b[?1006h\x1b[3;1Hmouse");
    v9s.wait_for("mouse");
    for held in [0, 16, 12] {
        v9s.send(format!("\x1b[<{held};{};{}M", x + 3, y + 1).as_bytes());
        stage.room.await_typed(format!("\x1b[<{held};3;1M").as_bytes());
    }
    stage.room.write(b"\x1b[?1000l");
    // Another size is taken while it runs; it can be told to a shell.
    v9s.resize(80, 24)
        .wait_for("Console(shop/web-0)[78x")
        .press("<ctrl-]>")
        .wait_for("Detach: end")
        .press("z");
    stage.room.await_typed(b"stty rows ");
    stage.room.await_typed(b"cols 78");
    stage.room.write(b"\x1b[?1049l");
    v9s.wait_for("web-0 login:").gone("Menu 東京");
}

#[test]
fn what_was_written_can_be_searched_selected_copied_and_saved() {
    let stage = Stage::new();
    let mut v9s = stage.open(&[]);
    let lines: String = (1..=200).map(|n| format!("\r\nline {n} of the boot")).collect();
    stage.room.write(lines.as_bytes());
    v9s.wait_for("line 200 of").press("<ctrl-]>").wait_for("Detach: end").press("/").wait_for("│/ ");
    v9s.press("line 42 ⏎").wait_for("line 42 of").expect("lines below").reject("line 200 of");
    v9s.expect("[1:1]>").press("/").wait_for("│/ ").press("<ctrl-u>line 4⏎").wait_for("</line 4[11:11]>");
    v9s.press("n").wait_for("</line 4[10:11]>").press("N").wait_for("[11:11]>");
    v9s.press("/").wait_for("│/ ").press("<ctrl-u>nowhere⏎").wait_for("</nowhere[0:0]>");
    v9s.press("/").wait_for("│/ ").press("<ctrl-u>line 42 ⏎").wait_for("[1:1]>");
    v9s.press("vlllllly").wait_for("Copied what was selected");
    assert_eq!(v9s.clipboard().as_deref(), Some("line 42"));
    // Back at what the guest writes now; what was copied can be typed.
    v9s.wait_for("line 200 of").press("<ctrl-]>").wait_for("Detach: end").press("p");
    stage.room.await_typed(b"line 42");
    v9s.press("<ctrl-]>").wait_for("Detach: end").press("s").wait_for("Saved as");
    let saved = std::fs::read_dir(v9s.home().join("state/v9s/screens")).map(|files| {
        files
            .filter_map(Result::ok)
            .map(|file| file.path())
            .find(|path| path.extension().is_some_and(|end| end == "txt"))
    });
    let text = std::fs::read_to_string(saved.expect("a folder").expect("a file")).unwrap();
    assert!(text.contains("line 1 of the boot\n") && text.contains("line 200 of the boot"), "{text}");
}

#[test]
fn a_recording_is_a_private_file_with_a_mark_on_screen() {
    let stage = Stage::new();
    let mut v9s = stage.open(&[]);
    v9s.press("<ctrl-]>").wait_for("Detach: end").press("r").wait_for("● recording").wait_for("Recording to");
    stage.room.write(b"\x1b[1mrecorded\x1b[m");
    v9s.wait_for("recorded").press("<ctrl-]>").wait_for("Detach: end").press("r").wait_for("has ended");
    v9s.gone("● recording");
    let folder = v9s.home().join("state/v9s/screens");
    let cast = std::fs::read_dir(folder).unwrap().filter_map(Result::ok).map(|file| file.path());
    let cast =
        cast.into_iter().find(|path| path.extension().is_some_and(|end| end == "cast")).expect("a file");
    assert_eq!(cast.metadata().unwrap().permissions().mode() & 0o777, 0o600);
    let whole = || {
        let text = std::fs::read_to_string(&cast).ok()?;
        text.contains("recorded").then_some(text)
    };
    let text = poll(deadline(), whole).expect("what was recorded");
    let lines: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(
        (&lines[0]["version"], &lines[1][1], &lines[1][2]),
        (&json!(2), &json!("o"), &json!("\u{1b}[1mrecorded\u{1b}[m"))
    );
}

#[test]
fn who_is_thrown_out_is_told_and_does_not_fight() {
    let stage = Stage::new();
    let mut v9s = stage.open(&[]);
    stage.room.hang_up();
    v9s.wait_for("Another client has opened the console").wait_for("taken or cut off").expect("web-0 login:");
    // Nothing is typed into the void, and nothing opens it again but a key.
    v9s.press("x").settle();
    assert_eq!(stage.room.opened(), 1);
    v9s.press("⏎").wait_for("live");
    stage.room.write(b"again");
    v9s.wait_for("again").expect("web-0 login:");
    assert_eq!(stage.room.opened(), 2);
}

#[test]
fn a_machine_that_is_powered_off_or_moves_says_so() {
    let stage = Stage::new();
    let mut v9s = stage.open(&[]);
    // It moves while the console is open.
    stage.run("web-0", |vmi| vmi["status"]["nodeName"] = json!("node-9"));
    stage.room.hang_up();
    v9s.wait_for("Open again on node-9: migrated");
    stage.room.write(b"there");
    v9s.wait_for("there").expect("web-0 login:");
    stage.run("web-0", |vmi| vmi["status"]["phase"] = json!("Succeeded"));
    stage.room.hang_up();
    v9s.wait_for("was powered off");
}

#[test]
fn a_read_only_session_looks_on() {
    let stage = Stage::new();
    let mut v9s = stage.open(&["--readonly"]);
    v9s.expect("live, read-only").press("reboot⏎").wait_for("what is typed goes nowhere");
    v9s.paste("reboot\n").settle();
    stage.room.write(b"\r\nstill here\x1b[6n");
    v9s.wait_for("still here").settle();
    assert_eq!(stage.room.typed(), b"", "nothing at all is typed, no answer either");
}

#[test]
fn what_has_no_console_is_told_in_a_sentence() {
    let stage = Stage::new();
    stage.run("web-1", |vmi| vmi["spec"]["domain"]["devices"]["autoattachSerialConsole"] = json!(false));
    let mut v9s = stage.screen(&["-c", "vms"]);
    v9s.wait_for("web-0").press("/off⏎").gone("web-0").press("s");
    v9s.wait_for("shop/off does not run").expect("Start the machine").press("⎋").gone("Console(");
    v9s.press("⎋").wait_for("web-1").press("/web-1⏎").gone("web-0").press("s");
    v9s.wait_for("has no serial console").expect("autoattachSerialConsole").press("⎋").gone("Console(");
    assert_eq!(stage.room.opened(), 0);
}

#[test]
fn a_machine_of_virtink_has_a_console_of_its_own_kind() {
    let stage = Stage::new();
    for (name, status) in [("asleep", json!({})), ("lost", json!({"phase": "Running", "nodeName": "node-1"}))]
    {
        let machine = json!({
            "apiVersion": "virt.virtink.smartx.com/v1alpha1", "kind": "VirtualMachine",
            "metadata": {"namespace": "shop", "name": name, "uid": name}, "spec": {}, "status": status,
        });
        stage.embedded.server().put(machine).unwrap();
    }
    let mut v9s = stage.screen(&["-c", "virtink"]);
    v9s.wait_for("lost").press("/asleep⏎").gone("lost").press("s").wait_for("Console(shop/asleep)");
    v9s.wait_for("has ended (Stopped)").expect("Virtink does not tell").reject("KubeVirt does not");
    v9s.press("⎋").gone("Console(").press("⎋").wait_for("lost").press("/lost⏎").gone("asleep").press("s");
    v9s.wait_for("is reached through its pod").press("⎋").gone("Console(");
}

#[test]
fn a_pause_while_it_is_open_is_told() {
    let stage = Stage::new();
    let mut v9s = stage.open(&[]);
    stage.run("web-0", |vmi| {
        vmi["status"]["conditions"] = json!([{"type": "Paused", "status": "True"}]);
    });
    v9s.wait_for("shop/web-0 is paused").expect("── Paused.").expect("paused · ctrl-]");
    stage.run("web-0", |_| {});
    v9s.wait_for("── Resumed.").gone("is paused").expect("live · ctrl-]");
    assert_eq!(stage.room.opened(), 1);
}

#[test]
fn several_consoles_are_tabs() {
    let stage = Stage::new();
    let mut v9s = stage.open(&[]);
    v9s.press("<ctrl-]>").wait_for("Detach: end").press("q").wait_for("1 console").press("⎋");
    v9s.wait_for("web-1")
        .press("/web-1⏎")
        .gone("web-0 ")
        .press("s")
        .wait_for("Console(shop/web-1)")
        .wait_for("live");
    v9s.expect("1 shop/web-0").expect("2 shop/web-1");
    v9s.press("<ctrl-]>")
        .wait_for("Detach: end")
        .press("⇥")
        .wait_for("Console(shop/web-0)")
        .wait_for("web-0 login:");
    v9s.press("<ctrl-]>").wait_for("Detach: end").press("2").wait_for("Console(shop/web-1)");
    v9s.press("<ctrl-]>")
        .wait_for("Detach: end")
        .press("d")
        .wait_for("Console(shop/web-0)")
        .gone("2 shop/web-1");
    // A menu without room for its lines has its keys in a word each.
    v9s.resize(40, 10).press("<ctrl-]>").wait_for("<d> Detach").expect("<esc> Back").expect("<z> Size");
    v9s.press("⎋").gone("<d> Detach").wait_for("web-0 login:");
}

#[test]
fn a_console_can_be_all_there_is() {
    let stage = Stage::new();
    let mut v9s = stage.screen(&["console", "vm/web-0"]);
    v9s.wait_for("Console(shop/web-0)").wait_for("live").reject("Context:");
    stage.room.write(b"web-0 login: ");
    v9s.wait_for("web-0 login:").press("root⏎");
    stage.room.await_typed(b"root\r");
    v9s.press("<ctrl-]>").wait_for("Detach: end").press("d");
    assert_eq!(v9s.wait_exit(), 0);
    v9s.terminal_is_restored();
}
