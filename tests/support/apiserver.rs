//! The real control plane: etcd, kube-apiserver and kube-controller-manager
//! in one program, which `tests/apiserver/build` makes. Tests never build it;
//! where it is missing they are skipped, and say so.

use std::fs::File;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::sync::{Mutex, Once, OnceLock};
use std::time::{Duration, Instant};

use serde_json::Value;

use super::cluster::Cluster;
use super::kubeconfig::Kubeconfig;
use super::{lock, poll, stretched, suite};

/// A control plane of its own processes and data.
pub struct ApiServer {
    child: Child,
    input: Option<ChildStdin>,
    answers: Mutex<Receiver<Value>>,
    dir: PathBuf,
    facts: Value,
    cluster: OnceLock<Cluster>,
}

impl ApiServer {
    /// Returns the control plane that all tests of this process share, started
    /// at first use; it ends with the process. Tests must not disturb it.
    /// `None` if there is no program, which is reported as a skipped test.
    ///
    /// # Panics
    ///
    /// When the program does not start, or is missing although
    /// `V9S_REQUIRE_APISERVER` is set to 1.
    pub fn shared() -> Option<&'static Self> {
        static SHARED: OnceLock<Option<ApiServer>> = OnceLock::new();
        let shared = SHARED.get_or_init(Self::start_new).as_ref();
        if shared.is_none() {
            report_missing();
        }
        shared
    }

    /// Starts a control plane that a test may stop and kill. `None` and panics
    /// as for [`Self::shared`].
    #[must_use]
    pub fn own() -> Option<Self> {
        let own = Self::start_new();
        if own.is_none() {
            report_missing();
        }
        own
    }

    fn start_new() -> Option<Self> {
        let program = program()?;
        let dir = new_dir();
        let log = File::create(dir.join("serve.log")).expect("a log file");
        let mut child = Command::new(&program)
            .args(["serve", "--dir"])
            .arg(&dir)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(log)
            .spawn()
            .unwrap_or_else(|error| panic!("{}: {error}", program.display()));
        let output = BufReader::new(child.stdout.take().expect("its output"));
        let (sender, answers) = channel();
        std::thread::spawn(move || {
            for line in output.lines().map_while(Result::ok) {
                let answer = serde_json::from_str(&line).unwrap_or(Value::String(line));
                if sender.send(answer).is_err() {
                    return;
                }
            }
        });
        let mut server = Self {
            input: child.stdin.take(),
            child,
            answers: Mutex::new(answers),
            dir,
            facts: Value::Null,
            cluster: OnceLock::new(),
        };
        server.facts = server.answer("ready");
        Some(server)
    }

    /// Waits for the next answer and returns it.
    fn answer(&self, wanted: &str) -> Value {
        let answer = lock(&self.answers).recv_timeout(stretched(Duration::from_secs(120)));
        match answer {
            Ok(answer) if answer[wanted] == true => answer,
            Ok(answer) => self.fail(&format!("said {answer} instead of {wanted}")),
            Err(RecvTimeoutError::Timeout) => self.fail(&format!("is not {wanted} in time")),
            Err(RecvTimeoutError::Disconnected) => self.fail("has ended"),
        }
    }

    fn fail(&self, why: &str) -> ! {
        let mut logs = String::new();
        for entry in std::fs::read_dir(&self.dir).into_iter().flatten().flatten() {
            let path = entry.path();
            if path.extension().is_some_and(|end| end == "log")
                && let Ok(log) = std::fs::read_to_string(&path)
            {
                let lines: Vec<_> = log.lines().collect();
                let end = lines[lines.len().saturating_sub(15)..].join("\n");
                logs.push_str(&format!("--- {}\n{end}\n", path.display()));
            }
        }
        panic!("The control plane {why}.\n{logs}");
    }

    fn command(&mut self, command: &str, wanted: &str) -> Value {
        let written = self.input.as_mut().is_some_and(|input| writeln!(input, "{command}").is_ok());
        if !written {
            self.fail("does not listen");
        }
        self.answer(wanted)
    }

    /// Stops kube-apiserver in good order. The data stay.
    pub fn stop(&mut self) {
        self.command("stop", "stopped");
    }

    /// Kills kube-apiserver. The data stay.
    pub fn kill(&mut self) {
        self.command("kill", "stopped");
    }

    /// Starts kube-apiserver again, at the same address, and waits until it is ready.
    pub fn start(&mut self) {
        self.command("start", "ready");
    }

    /// Forgets all versions of objects but the present ones: an older watch
    /// cannot be continued.
    pub fn compact(&mut self) {
        self.command("compact", "compacted");
    }

    fn fact(&self, name: &str) -> &str {
        self.facts[name]
            .as_str()
            .unwrap_or_else(|| panic!("The control plane did not say its {name}: {}", self.facts))
    }

    /// Returns the address, like `https://127.0.0.1:6443`.
    #[must_use]
    pub fn url(&self) -> &str {
        self.fact("url")
    }

    /// Returns the version, like `v1.36.3`.
    #[must_use]
    pub fn version(&self) -> &str {
        self.fact("version")
    }

    /// Returns what it is called in reports.
    #[must_use]
    pub fn title(&self) -> String {
        format!("real kube-apiserver {}", self.version())
    }

    /// Returns the kubeconfig of a user: `admin` may do all, `shop` only what
    /// is in one namespace, `token` comes with a token.
    #[must_use]
    pub fn kubeconfig(&self, user: &str) -> PathBuf {
        self.fact(user).into()
    }

    /// Returns the kubeconfig of a user, to be changed.
    #[must_use]
    pub fn kubeconfig_of(&self, user: &str) -> Kubeconfig {
        Kubeconfig::read(&self.kubeconfig(user))
    }

    /// Returns the cluster as the administrator sees it.
    pub fn cluster(&self) -> &Cluster {
        self.cluster.get_or_init(|| Cluster::from_kubeconfig(&self.kubeconfig("admin")))
    }

    /// Returns the cluster as another user sees it.
    #[must_use]
    pub fn cluster_of(&self, user: &str) -> Cluster {
        Cluster::from_kubeconfig(&self.kubeconfig(user))
    }

    /// Returns the folder with data, credentials and logs.
    #[must_use]
    pub fn dir(&self) -> &Path {
        &self.dir
    }
}

impl Drop for ApiServer {
    fn drop(&mut self) {
        // The end of its input is what it ends at, as by `quit`.
        drop(self.input.take());
        let until = Instant::now() + Duration::from_secs(10);
        let ended = poll(until, || self.child.try_wait().is_ok_and(|s| s.is_some()).then_some(()));
        if ended.is_none() {
            let _ = self.child.kill();
            let _ = self.child.wait();
        }
        let _ = std::fs::remove_dir_all(&self.dir);
    }
}

/// Says that a test is skipped, or fails if it must not be.
fn report_missing() {
    let test = std::thread::current().name().unwrap_or("?").to_owned();
    let why = "no kube-apiserver found: run tests/apiserver/build";
    assert!(
        std::env::var("V9S_REQUIRE_APISERVER").as_deref() != Ok("1"),
        "V9S_REQUIRE_APISERVER is set, but there is {why}."
    );
    suite::report(&format!("skipped: {test}: {why}"));
}

/// Returns the program, if it is there: `V9S_APISERVER`, or what
/// `tests/apiserver/build` has left for the present sources.
#[must_use]
pub fn program() -> Option<PathBuf> {
    if let Some(path) = std::env::var_os("V9S_APISERVER") {
        let path = PathBuf::from(path);
        assert!(path.is_file(), "V9S_APISERVER: no file {}", path.display());
        return Some(path);
    }
    let var = |name| std::env::var_os(name).filter(|value| !value.is_empty());
    let cache = match (var("V9S_APISERVER_CACHE"), var("XDG_CACHE_HOME")) {
        (Some(cache), _) => PathBuf::from(cache),
        (None, Some(caches)) => Path::new(&caches).join("v9s-tests"),
        (None, None) => Path::new(&var("HOME")?).join(".cache/v9s-tests"),
    };
    let program = cache.join(format!("apiserver-{}", sources_hash()?));
    program.is_file().then_some(program)
}

/// What the script calls the program after: its sources, in the order of their names.
fn sources_hash() -> Option<String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/apiserver");
    let mut names: Vec<_> = std::fs::read_dir(&folder)
        .ok()?
        .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
        .filter(|name| {
            !name.starts_with('.') && name.ends_with(".go") || name == "go.mod" || name == "go.sum"
        })
        .collect();
    names.sort();
    let mut sources = Vec::new();
    for name in names {
        sources.extend(std::fs::read(folder.join(name)).ok()?);
    }
    let hash = |program: &str, args: &[&str]| {
        let mut child = Command::new(program)
            .args(args)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .ok()?;
        child.stdin.take()?.write_all(&sources).ok()?;
        let output = String::from_utf8(child.wait_with_output().ok()?.stdout).ok()?;
        output.get(..16).map(str::to_owned)
    };
    hash("sha256sum", &[]).or_else(|| hash("shasum", &["-a", "256"]))
}

/// Makes a folder for one control plane, and removes those that earlier runs
/// have left. A control plane that still runs holds the lock in its folder.
fn new_dir() -> PathBuf {
    static CLEANED: Once = Once::new();
    let parent = Path::new(env!("CARGO_TARGET_TMPDIR")).join("apiservers");
    std::fs::create_dir_all(&parent).expect("a folder");
    CLEANED.call_once(|| {
        for entry in std::fs::read_dir(&parent).into_iter().flatten().flatten() {
            let lock = File::open(entry.path().join("lock"));
            if lock.is_ok_and(|lock| lock.try_lock().is_ok()) {
                let _ = std::fs::remove_dir_all(entry.path());
            }
        }
    });
    tempfile::Builder::new().prefix("apiserver-").tempdir_in(&parent).expect("a folder").keep()
}
