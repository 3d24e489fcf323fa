//! The guests of the demo, and a real one, through their consoles.

use crate::support::linux::{self, Linux};
use crate::support::screen::Screen;

/// The console of a machine of the demo that runs.
fn console_of(v9s: &mut Screen, name: &str) {
    v9s.wait_for("workloads(all)[").press(":vms shop⏎").wait_for("vms(shop)[").wait_for(name);
    v9s.press(&format!("/name:{name}⏎")).wait_for("[1/").wait_for("● Running").press("s");
    v9s.wait_for(&format!("Console(shop/{name})")).wait_for("live");
}

#[test]
fn a_guest_is_logged_into_its_programs_have_the_screen_and_it_ends_and_comes_again() {
    let mut v9s = Screen::open(["demo"], 100, 30);
    console_of(&mut v9s, "db-0");
    v9s.press("⏎")
        .wait_for("db-0 login:")
        .press("root⏎")
        .wait_for("Password:")
        .press("root⏎")
        .wait_for("[root@db-0 ~]#");
    // A program that draws on the whole screen, and is told every key.
    v9s.press("keys⏎").wait_for("24 rows, 80 columns").wait_for("漢字 コンソール");
    v9s.press("<f5>")
        .wait_for("F5")
        .press("↑")
        .wait_for("up (application)")
        .press("<alt-x>")
        .wait_for("alt-x");
    v9s.paste("pasted").wait_for("a paste begins").wait_for("a paste ends");
    // It goes on while something else is looked at, and another size tears nothing.
    v9s.press("<ctrl-]>").wait_for("Detach: end").press("q").wait_for("1 console").wait_for("vms(shop)[1/");
    v9s.press("s").wait_for("漢字 コンソール").resize(80, 24).wait_for("漢字 コンソール").resize(100, 30);
    v9s.press("q").wait_for("[root@db-0 ~]#").gone("漢字 コンソール");
    // A shell learns the size of the pane from the menu.
    v9s.press("<ctrl-]>").wait_for("Detach: end").press("z").press("⏎").press("stty size⏎").wait_for(" 98");
    // A flood is digested, and a key breaks it off.
    v9s.press("flood 900⏎").wait_for("and no key waits for it").press("<ctrl-c>").wait_for("^C");
    // Detached, and taken up again: the shell is where it was.
    v9s.press("<ctrl-]>")
        .wait_for("Detach: end")
        .press("d")
        .gone("Console(")
        .press("s")
        .wait_for("written nothing yet");
    v9s.press("date⏎").wait_for("UTC 20");
    // It goes down by itself, is started anew, as its run strategy has it, and the console is there again without a key.
    v9s.press("poweroff⏎").wait_for("Open again on").wait_for("rebooted").press("⏎").wait_for("db-0 login:");
    v9s.press("<ctrl-]>").wait_for("Detach: end").press("d").gone("Console(").press(":q⏎");
    assert_eq!(v9s.wait_exit(), 0);
    v9s.terminal_is_restored();
}

#[test]
fn a_real_linux_boots_is_used_and_reboots_in_a_pane() {
    let Some(machine) = Linux::boot() else { return };
    let behind = linux::behind("shop/db-0", &machine.socket());
    let mut v9s = Screen::open(["demo", "--console", &behind], 100, 30);
    console_of(&mut v9s, "db-0");
    v9s.wait_for("Run /init as init process").wait_for("guest login:").press("root⏎").wait_for("/root #");
    v9s.press("uname -m⏎").wait_for("x86_64");
    v9s.press("vi /tmp/note⏎")
        .wait_for("1/1 100%")
        .press("ihello from the pane")
        .wait_for("hello from the pane");
    v9s.press("⎋").wait_for("- /tmp/note [Modified]").press(":wq⏎").wait_for("/root #");
    v9s.press("cat /tmp/note | tr a-z A-Z⏎").wait_for("HELLO FROM THE PANE");
    v9s.press("reboot -f⏎").wait_for("Restarting system").wait_for("guest login:");
    v9s.press("<ctrl-]>").wait_for("Detach: end").press("d").gone("Console(").press(":q⏎");
    assert_eq!(v9s.wait_exit(), 0);
}
