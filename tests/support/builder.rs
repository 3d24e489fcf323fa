//! How a [`Screen`] comes to be: which program, with which environment, on
//! which terminal.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use alacritty_terminal::tty::{self, Options, Shell};
use rustix::process::Pid;

use super::screen::Screen;
use super::terminal::{Size, Terminal};

/// Runs its arguments as a job of a shell that has job control, and brings the
/// job back whenever a line comes through the fifo `$V9S_JOB/resume`. A program
/// that is alone in its session cannot be stopped by SIGTSTP.
const JOB: &str = r#"
set -m
sh -c 'echo $$ >"$V9S_JOB/new" && mv "$V9S_JOB/new" "$V9S_JOB/pid" && exec "$@"' sh "$@"
code=$?
while [ $code -ge 145 ] && [ $code -le 148 ]; do
    read -r _ <"$V9S_JOB/resume"
    fg %1 >/dev/null
    code=$?
done
exit $code
"#;

/// What a [`Screen`] is to run, and where.
pub struct Builder {
    program: String,
    args: Vec<String>,
    env: BTreeMap<String, String>,
    without: Vec<String>,
    files: Vec<(PathBuf, String)>,
    size: Size,
    silent: bool,
    job: bool,
}

impl Builder {
    pub(super) fn new() -> Self {
        Self {
            program: env!("CARGO_BIN_EXE_v9s").into(),
            args: Vec::new(),
            env: BTreeMap::new(),
            without: Vec::new(),
            files: Vec::new(),
            size: Size { columns: 120, rows: 40 },
            silent: false,
            job: false,
        }
    }

    /// Runs another program than v9s.
    #[must_use]
    pub fn program(mut self, program: impl Into<String>) -> Self {
        self.program = program.into();
        self
    }

    /// Adds arguments.
    #[must_use]
    pub fn args<S: Into<String>>(mut self, args: impl IntoIterator<Item = S>) -> Self {
        self.args.extend(args.into_iter().map(Into::into));
        self
    }

    /// Sets a variable. Nothing is inherited from the environment of the tests but `PATH`.
    #[must_use]
    pub fn env(mut self, name: impl Into<String>, value: impl AsRef<OsStr>) -> Self {
        let value = value.as_ref().to_str().expect("a value in UTF-8");
        self.env.insert(name.into(), value.to_owned());
        self
    }

    /// Leaves out a variable that is set otherwise, like `COLORTERM`.
    #[must_use]
    pub fn without_env(mut self, name: impl Into<String>) -> Self {
        self.without.push(name.into());
        self
    }

    /// Uses a kubeconfig.
    #[must_use]
    pub fn kubeconfig(self, path: &Path) -> Self {
        self.env("KUBECONFIG", path)
    }

    /// Writes a file before the program starts; `path` is below the home
    /// folder, where `config`, `state`, `cache` and `data` are the XDG folders.
    #[must_use]
    pub fn file(mut self, path: impl Into<PathBuf>, content: impl Into<String>) -> Self {
        self.files.push((path.into(), content.into()));
        self
    }

    /// Sets the size of the terminal, which is 120×40 otherwise.
    #[must_use]
    pub fn size(mut self, columns: u16, rows: u16) -> Self {
        self.size = Size { columns, rows };
        self
    }

    /// Makes a terminal that answers no question of the program.
    #[must_use]
    pub fn silent(mut self) -> Self {
        self.silent = true;
        self
    }

    /// Runs the program as a job of a shell, which [`Screen::resume`] brings
    /// back to the foreground when it is stopped. Without this SIGTSTP has no
    /// effect: the kernel does not stop a program that nobody could continue.
    #[must_use]
    pub fn job_control(mut self) -> Self {
        self.job = true;
        self
    }

    /// Starts the program.
    #[must_use]
    pub fn open(self) -> Screen {
        let home = tempfile::Builder::new().prefix("v9s-screen-").tempdir().expect("a home folder");
        let mut env = self.env;
        for (name, folder) in [
            ("HOME", ""),
            ("XDG_CONFIG_HOME", "config"),
            ("XDG_STATE_HOME", "state"),
            ("XDG_CACHE_HOME", "cache"),
            ("XDG_DATA_HOME", "data"),
            ("XDG_RUNTIME_DIR", "run"),
            ("TMPDIR", "tmp"),
            ("V9S_JOB", "job"),
        ] {
            let folder = home.path().join(folder);
            std::fs::create_dir_all(&folder).expect("a folder");
            let folder = folder.into_os_string().into_string().expect("UTF-8");
            env.entry(name.to_owned()).or_insert(folder);
        }
        for (name, value) in
            [("TERM", "xterm-256color"), ("COLORTERM", "truecolor"), ("LANG", "C.UTF-8"), ("TZ", "UTC")]
        {
            env.entry(name.to_owned()).or_insert_with(|| value.into());
        }
        for name in ["PATH", "LLVM_PROFILE_FILE"] {
            if let Ok(value) = std::env::var(name) {
                env.entry(name.to_owned()).or_insert(value);
            }
        }
        env.retain(|name, _| !self.without.contains(name));
        for (path, content) in self.files {
            let path = home.path().join(path);
            std::fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
            std::fs::write(path, content).expect("a file");
        }

        // The emulator's crate can only add to the environment.
        let mut args = vec!["-i".to_owned()];
        args.extend(env.iter().map(|(name, value)| format!("{name}={value}")));
        if self.job {
            let fifo = home.path().join("job/resume");
            let made = std::process::Command::new("mkfifo").arg(fifo).status();
            assert!(made.expect("mkfifo runs").success(), "mkfifo failed");
            args.extend(["sh", "-c", JOB, "sh"].map(String::from));
        }
        args.push(self.program.clone());
        args.extend(self.args);
        let options = Options {
            shell: Some(Shell::new("/usr/bin/env".into(), args)),
            working_directory: Some(home.path().to_owned()),
            ..Options::default()
        };
        let pty = tty::new(&options, self.size.window(), 0).expect("a pseudo-terminal");
        let child = Pid::from_child(pty.child());

        let (terminal, woken) = Terminal::new(self.size, !self.silent);
        let file = pty.file().try_clone().expect("a descriptor");
        let threads = [
            std::thread::spawn({
                let terminal = Arc::clone(&terminal);
                move || terminal.run(file, woken)
            }),
            std::thread::spawn({
                let terminal = Arc::clone(&terminal);
                move || terminal.run_waiter(child)
            }),
        ];
        Screen {
            pty,
            child,
            job: self.job,
            program: self.program,
            terminal,
            threads: Vec::from(threads),
            unsettled: false,
            home,
        }
    }
}
