//! A small Linux with a serial console: it boots, asks who is there, has a shell, and goes down.

use std::time::Duration;

use serde_json::Value;

use super::program::Program;
use super::shell::{self, Editor, Typed};

/// How a guest came to its end by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// Its user shut it down.
    PoweredOff,
    /// Its kernel gave up.
    Crashed,
}

/// What a guest knows of itself.
#[derive(Clone, Debug, Default)]
pub struct Identity {
    pub(super) host: String,
    pub(super) system: String,
    pub(super) kernel: String,
    pub(super) address: String,
    pub(super) processors: u64,
    pub(super) memory: String,
}

impl Identity {
    /// What an instance says of its guest.
    pub fn of(instance: &Value) -> Self {
        let text = |pointers: &[&str]| {
            let mut found = pointers.iter().filter_map(|pointer| instance.pointer(pointer)?.as_str());
            found.find(|text| !text.is_empty()).unwrap_or_default().to_owned()
        };
        let or = |text: String, otherwise: &str| if text.is_empty() { otherwise.to_owned() } else { text };
        let count = |part: &str| {
            let asked = instance.pointer(&format!("/spec/domain/cpu/{part}"));
            asked.and_then(Value::as_u64).unwrap_or(1)
        };
        Self {
            host: or(text(&["/spec/hostname", "/metadata/name"]), "localhost"),
            system: or(text(&["/status/guestOSInfo/prettyName"]), "Linux"),
            kernel: or(text(&["/status/guestOSInfo/kernelRelease"]), "6.12.0"),
            address: or(text(&["/status/interfaces/0/ipAddress"]), "127.0.0.1"),
            processors: ["sockets", "cores", "threads"].map(count).into_iter().fold(1, u64::saturating_mul),
            memory: or(text(&["/status/memory/guestCurrent", "/spec/domain/memory/guest"]), "1Gi"),
        }
    }

    /// What a machine of Virtink says of its guest.
    pub fn of_virtink(machine: &Value) -> Self {
        let text = |pointer: &str| machine.pointer(pointer).and_then(Value::as_str).map(str::to_owned);
        let count = |part: &str| {
            let asked = machine.pointer(&format!("/spec/instance/cpu/{part}"));
            asked.and_then(Value::as_u64).unwrap_or(1)
        };
        let host = text("/metadata/name").unwrap_or_default();
        let memory = text("/spec/instance/memory/size").unwrap_or_else(|| "1Gi".into());
        Self {
            host,
            memory,
            system: "Linux".into(),
            kernel: "6.12.0".into(),
            // What its side of a masquerade has where nothing else is said.
            address: "10.0.2.2".into(),
            processors: count("sockets").saturating_mul(count("coresPerSocket")),
        }
    }
}

/// Lines and when they come, in tenths of a second.
type Script = &'static [(u64, &'static str)];

pub(super) const BOOT: Script = &[
    (0, "SeaBIOS (version 1.16.3-4.el9)"),
    (2, "Booting from Hard Disk..."),
    (5, "[    0.000000] Linux version {kernel}"),
    (5, "[    0.000000] Hypervisor detected: KVM"),
    (7, "[    0.214731] smpboot: Allowing {processors} CPUs, 0 hotplug CPUs"),
    (9, "[    0.731846] virtio_blk virtio2: [vda] 20971520 512-byte logical blocks"),
    (12, "[    1.093311] systemd[1]: Detected virtualization kvm."),
    (12, "[    1.094020] systemd[1]: Hostname set to <{host}>."),
    (15, "[\x1b[0;32m  OK  \x1b[0m] Reached target \x1b[0;1;39mbasic.target\x1b[0m - Basic System."),
    (
        18,
        "[\x1b[0;32m  OK  \x1b[0m] Started \x1b[0;1;39msystemd-networkd.service\x1b[0m - Network Configuration.",
    ),
    (22, "[\x1b[0;32m  OK  \x1b[0m] Started \x1b[0;1;39msshd.service\x1b[0m - OpenSSH server daemon."),
    (
        26,
        "[\x1b[0;32m  OK  \x1b[0m] Reached target \x1b[0;1;39mmulti-user.target\x1b[0m - Multi-User System.",
    ),
];

const HALT: Script = &[
    (0, ""),
    (1, "[\x1b[0;32m  OK  \x1b[0m] Stopped target \x1b[0;1;39mmulti-user.target\x1b[0m - Multi-User System."),
    (3, "[\x1b[0;32m  OK  \x1b[0m] Stopped \x1b[0;1;39msshd.service\x1b[0m - OpenSSH server daemon."),
    (6, "[\x1b[0;32m  OK  \x1b[0m] Unmounted \x1b[0;1;39mboot.mount\x1b[0m - /boot."),
];

const REBOOT: Script = &[(2, "[   71.508123] reboot: Restarting system")];
const POWER_OFF: Script = &[(2, "[   71.508123] reboot: Power down")];
const PANIC: Script = &[
    (0, "[   64.120771] sysrq: Trigger a crash"),
    (0, "[   64.121002] Kernel panic - not syncing: sysrq triggered crash"),
    (1, "[   64.121437] CPU: 0 PID: 1042 Comm: sh Kdump: loaded Not tainted {kernel}"),
    (2, "[   64.122910] ---[ end Kernel panic - not syncing: sysrq triggered crash ]---"),
];

/// The most that is said in one go, in bytes; a flood comes in such pieces.
const PIECE: usize = 32 << 10;

enum Mode {
    /// Lines come by themselves; then something else does.
    Says {
        script: Script,
        next: usize,
        began: Duration,
        then: Then,
    },
    Login,
    Password {
        user: String,
    },
    Shell {
        user: String,
    },
    Runs {
        user: String,
        program: Program,
    },
    /// Says so many bytes more.
    Floods {
        user: String,
        left: usize,
    },
    Over(End),
}

#[derive(Clone, Copy)]
enum Then {
    Login,
    Boot,
    End(End),
    Say(Script, &'static Self),
}

/// A guest. Times are what has passed since any moment, the same for all of them.
pub struct Guest {
    pub(super) identity: Identity,
    mode: Mode,
    editor: Editor,
    /// When its kernel started.
    pub(super) booted: Duration,
    /// Rows and columns that its terminal is said to have.
    pub(super) size: (u16, u16),
    out: Vec<u8>,
}

impl Guest {
    /// A guest that was switched on at that time, of which nobody has read anything yet.
    pub fn new(identity: Identity, switched_on: Duration, now: Duration) -> Self {
        let mut guest = Self {
            identity,
            mode: Mode::Says { script: BOOT, next: 0, began: switched_on, then: Then::Login },
            editor: Editor::default(),
            booted: switched_on,
            size: (24, 80),
            out: Vec::new(),
        };
        guest.tick(now);
        // A serial line keeps nothing for who comes later.
        guest.out.clear();
        guest
    }

    /// What it has said since it was asked last.
    pub fn said(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.out)
    }

    /// When it says more by itself.
    pub fn next(&self) -> Option<Duration> {
        match &self.mode {
            Mode::Says { script, next, began, .. } => {
                let tenths = script.get(*next).map_or(0, |(tenths, _)| *tenths);
                Some(*began + Duration::from_millis(100 * tenths))
            }
            Mode::Floods { .. } => Some(Duration::ZERO),
            Mode::Runs { program, .. } => program.next(),
            _ => None,
        }
    }

    /// How it ended, if it has.
    pub fn end(&self) -> Option<End> {
        match self.mode {
            Mode::Over(end) => Some(end),
            _ => None,
        }
    }

    /// The power button: it shuts itself down.
    pub fn press_power_button(&mut self, now: Duration) {
        if !matches!(self.mode, Mode::Says { .. } | Mode::Over(_)) {
            self.go_down(now, &Then::Say(POWER_OFF, &Then::End(End::PoweredOff)));
        }
    }

    fn go_down(&mut self, now: Duration, then: &Then) {
        self.mode = Mode::Says { script: HALT, next: 0, began: now, then: *then };
    }

    fn begin(&mut self, then: Then, now: Duration) {
        match then {
            Then::Login => self.ask_who(),
            Then::Boot => {
                self.booted = now;
                self.mode = Mode::Says { script: BOOT, next: 0, began: now, then: Then::Login };
            }
            Then::End(end) => self.mode = Mode::Over(end),
            Then::Say(script, then) => self.mode = Mode::Says { script, next: 0, began: now, then: *then },
        }
    }

    /// Lets the time come to `now`.
    pub fn tick(&mut self, now: Duration) {
        loop {
            match &mut self.mode {
                Mode::Says { script, next, began, then } => match script.get(*next) {
                    Some((tenths, _)) if *began + Duration::from_millis(100 * tenths) > now => return,
                    Some((_, line)) => {
                        *next += 1;
                        self.say_line(line);
                    }
                    None => {
                        let then = *then;
                        self.begin(then, now);
                    }
                },
                Mode::Floods { left: 0, .. } => self.prompt_again(),
                Mode::Floods { left, .. } => {
                    const LINE: &[u8] =
                        b"The quick brown fox jumps over the lazy dog, and no key waits for it.\r\n";
                    let now = (*left).min(PIECE - self.out.len().min(PIECE));
                    if now == 0 {
                        return;
                    }
                    *left -= now;
                    self.out.extend(LINE.iter().copied().cycle().take(now));
                    return;
                }
                Mode::Runs { program, .. } => return program.tick(now, self.size, &mut self.out),
                _ => return,
            }
        }
    }

    /// Somebody types.
    pub fn take(&mut self, bytes: &[u8], now: Duration) {
        for &byte in bytes {
            self.take_byte(byte, now);
        }
    }

    fn take_byte(&mut self, byte: u8, now: Duration) {
        match &mut self.mode {
            Mode::Says { .. } | Mode::Over(_) => {}
            Mode::Floods { .. } if byte == 0x03 => {
                self.say("^C");
                self.prompt_again();
            }
            Mode::Floods { .. } => {}
            Mode::Runs { program, .. } => {
                if program.take(byte, self.size, &mut self.out) {
                    self.prompt_again();
                }
            }
            Mode::Login | Mode::Password { .. } | Mode::Shell { .. } => {
                let echo = !matches!(self.mode, Mode::Password { .. });
                let typed = self.editor.take(byte, echo, &mut self.out);
                self.typed(typed, now);
            }
        }
    }

    fn typed(&mut self, typed: Typed, now: Duration) {
        match (typed, std::mem::replace(&mut self.mode, Mode::Login)) {
            (Typed::Line(user), Mode::Login) if !user.trim().is_empty() => {
                self.say("Password: ");
                self.mode = Mode::Password { user: user.trim().to_owned() };
            }
            (Typed::Line(_) | Typed::Broken | Typed::End, Mode::Login) => self.ask_who(),
            (Typed::Line(password), Mode::Password { user }) => {
                if password == user {
                    let host = &self.identity.host;
                    let welcome = format!("Welcome to {} on {host}. Type help.", self.identity.system);
                    self.say_line(&welcome);
                    self.prompt(user);
                } else {
                    self.say("\r\nLogin incorrect\r\n");
                    self.ask_who();
                }
            }
            (Typed::Broken | Typed::End, Mode::Password { .. }) => self.ask_who(),
            (Typed::Line(line), Mode::Shell { user }) => {
                self.editor.remember(&line);
                self.run(&line, user, now);
            }
            (Typed::Broken, Mode::Shell { user }) => self.prompt(user),
            (Typed::End, Mode::Shell { .. }) => {
                self.say("logout\r\n");
                self.ask_who();
            }
            (Typed::Screen, Mode::Shell { user }) => {
                self.say("\x1b[H\x1b[2J");
                self.prompt(user);
            }
            (_, mode) => self.mode = mode,
        }
    }

    fn run(&mut self, line: &str, user: String, now: Duration) {
        use shell::Done;
        match shell::run(line, &user, self, now) {
            Done::Said(text) => {
                self.say(&text);
                self.prompt(user);
            }
            Done::Left => self.ask_who(),
            Done::Program => {
                let program = Program::start(now, self.size, &mut self.out);
                self.mode = Mode::Runs { user, program };
            }
            Done::Flood(bytes) => self.mode = Mode::Floods { user, left: bytes },
            Done::Reboot => self.go_down(now, &Then::Say(REBOOT, &Then::Boot)),
            Done::PowerOff => self.go_down(now, &Then::Say(POWER_OFF, &Then::End(End::PoweredOff))),
            Done::Crash => self.begin(Then::Say(PANIC, &Then::End(End::Crashed)), now),
        }
        self.tick(now);
    }

    fn ask_who(&mut self) {
        self.editor = Editor::default();
        let Identity { host, system, kernel, .. } = &self.identity;
        let text = format!("\r\n{system}\r\nKernel {kernel} on an x86_64 (ttyS0)\r\n\r\n{host} login: ");
        self.say(&text);
        self.mode = Mode::Login;
    }

    fn prompt_again(&mut self) {
        match std::mem::replace(&mut self.mode, Mode::Login) {
            Mode::Runs { user, .. } | Mode::Floods { user, .. } => self.prompt(user),
            mode => self.mode = mode,
        }
    }

    fn prompt(&mut self, user: String) {
        let sign = if user == "root" { '#' } else { '$' };
        // As a shell of today says it: a terminal may mark what is pasted.
        let text = format!("\x1b[?2004h[{user}@{} ~]{sign} ", self.identity.host);
        self.say(&text);
        self.mode = Mode::Shell { user };
    }

    fn say(&mut self, text: &str) {
        self.out.extend_from_slice(text.as_bytes());
    }

    fn say_line(&mut self, line: &str) {
        let Identity { host, kernel, processors, .. } = &self.identity;
        let processors = processors.to_string();
        let words = [("{host}", host), ("{kernel}", kernel), ("{processors}", &processors)];
        let line = words.iter().fold(line.to_owned(), |line, (word, value)| line.replace(word, value));
        self.say(&line);
        self.say("\r\n");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn identity() -> Identity {
        Identity {
            host: "web".into(),
            system: "Fedora".into(),
            kernel: "6.11".into(),
            processors: 2,
            ..Identity::default()
        }
    }

    const fn at(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    fn text(guest: &mut Guest) -> String {
        String::from_utf8(guest.said()).unwrap()
    }

    fn logged_in() -> Guest {
        let mut guest = Guest::new(identity(), at(0), at(60));
        guest.take(b"root\rroot\r", at(60));
        guest.said();
        guest
    }

    #[test]
    fn who_comes_while_it_boots_reads_the_rest_and_is_asked_for_a_name() {
        let mut guest = Guest::new(identity(), at(10), at(11));
        assert_eq!(text(&mut guest), "", "what was said before is gone");
        while let Some(next) = guest.next() {
            guest.tick(next);
        }
        let said = text(&mut guest);
        assert!(!said.contains("SeaBIOS") && said.contains("Hostname set to <web>"), "{said}");
        assert!(said.ends_with("web login: "), "{said}");
    }

    #[test]
    fn only_who_knows_the_password_gets_a_shell() {
        let mut guest = Guest::new(identity(), at(0), at(60));
        assert_eq!(text(&mut guest), "", "a login that waits says nothing");
        guest.take(b"\r", at(60));
        assert!(text(&mut guest).ends_with("web login: "));
        guest.take(b"fedora\rwrong\r", at(60));
        let said = text(&mut guest);
        assert!(
            said.contains("Password: ") && !said.contains("wrong") && said.contains("Login incorrect"),
            "{said}"
        );
        guest.take(b"fedora\rfedora\r", at(60));
        assert!(text(&mut guest).ends_with("[fedora@web ~]$ "));
        guest.take(b"\x04", at(60));
        assert!(text(&mut guest).ends_with("login: "));
    }

    #[test]
    fn it_reboots_powers_off_and_crashes() {
        for (command, end, last) in [
            ("reboot", None, "web login: "),
            ("poweroff", Some(End::PoweredOff), "reboot: Power down\r\n"),
            ("crash", Some(End::Crashed), "sysrq triggered crash ]---\r\n"),
        ] {
            let mut guest = logged_in();
            guest.take(format!("{command}\r").as_bytes(), at(61));
            while let Some(next) = guest.next() {
                guest.tick(next);
            }
            assert_eq!(guest.end(), end, "{command}");
            let said = text(&mut guest);
            assert!(said.ends_with(last), "{command}: {said}");
        }
    }

    #[test]
    fn a_flood_comes_in_pieces_and_can_be_broken_off() {
        let mut guest = logged_in();
        guest.take(b"flood 1\r", at(61));
        let mut many = 0;
        while let Some(next) = guest.next() {
            guest.tick(next);
            let piece = guest.said().len();
            assert!(piece <= PIECE + 100, "{piece}");
            many += piece;
        }
        assert!((1_000_000..1_100_000).contains(&many), "{many}");
        guest.take(b"flood 100\r", at(61));
        guest.said();
        guest.take(b"\x03", at(61));
        assert!(text(&mut guest).ends_with("# ") && guest.next().is_none());
    }

    #[test]
    fn no_bytes_are_any_trouble() {
        let mut random = fastrand::Rng::with_seed(8);
        let mut guest = logged_in();
        for _ in 0..200_000 {
            let byte = if random.bool() {
                random.u8(..)
            } else {
                random.choice(*b"\r\x1b[ABk;3MO~help keys q").unwrap_or(b'q')
            };
            guest.take(&[byte], at(61));
            if guest.end().is_some() || matches!(guest.mode, Mode::Says { .. } | Mode::Floods { .. }) {
                guest = logged_in();
            }
            guest.said();
        }
    }
}
