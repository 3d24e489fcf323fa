//! Cases that run on any API server: one test per server, which says at its
//! end how many of them ran.

use std::any::Any;
use std::io::Write;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use tempfile::TempDir;

use super::apiserver::ApiServer;
use super::cluster::Cluster;
use super::kubeconfig::Kubeconfig;
use super::lock;

/// How many cases run at a time.
const PARALLEL: usize = 4;

/// A name in words, and what is to be done.
pub type Case = (&'static str, fn(&Env));

/// What a case gets: a cluster, and a namespace that nobody else uses.
pub struct Env {
    /// The name of the case.
    pub case: &'static str,
    /// The cluster, as its administrator sees it.
    pub cluster: Cluster,
    /// A namespace of its own, which exists and is empty.
    pub namespace: String,
    /// The administrator's kubeconfig, if the server can be reached by others.
    pub kubeconfig: Option<PathBuf>,
    folder: TempDir,
}

impl Env {
    /// Returns the administrator's kubeconfig file.
    ///
    /// # Panics
    ///
    /// When others cannot reach the server.
    #[must_use]
    pub fn admin(&self) -> &Path {
        self.kubeconfig.as_deref().expect("a server that can be reached")
    }

    /// Returns the kubeconfig of a user, to be changed: `admin` may do all,
    /// `shop` only what is in the namespace of that name, `token` comes with a
    /// token. The files of a server lie beside that of its administrator.
    #[must_use]
    pub fn user(&self, name: &str) -> Kubeconfig {
        Kubeconfig::read(&self.admin().with_file_name(format!("{name}.kubeconfig")))
    }

    /// Returns a folder for files of this case.
    #[must_use]
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }
}

/// Runs the cases on the real kube-apiserver, or reports that there is none.
///
/// # Panics
///
/// When a case fails.
pub fn run_real(cases: &[Case]) {
    if let Some(server) = ApiServer::shared() {
        let kubeconfig = server.kubeconfig("admin");
        run(&server.title(), server.cluster(), Some(&kubeconfig), cases);
    }
}

/// Runs the cases on a server, four at a time, each in a namespace of its own.
/// A case that fails does not keep the others from running. `V9S_CASE` chooses
/// the cases whose names contain it.
///
/// # Panics
///
/// At the end, with a list of the cases that have failed.
pub fn run(title: &str, cluster: &Cluster, kubeconfig: Option<&Path>, cases: &[Case]) {
    let chosen = std::env::var("V9S_CASE").unwrap_or_default();
    let (run, skipped): (Vec<Case>, Vec<Case>) = cases.iter().partition(|(name, _)| name.contains(&chosen));
    let next = AtomicUsize::new(0);
    let failures = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for _ in 0..PARALLEL.min(run.len()) {
            scope.spawn(|| {
                while let Some(case) = run.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let started = Instant::now();
                    let result = one(cluster, kubeconfig, *case);
                    announce(title, case.0, started.elapsed(), result.is_err());
                    if let Err(why) = result {
                        lock(&failures).push(format!("{}:\n{why}", case.0));
                    }
                }
            });
        }
    });
    let failures = lock(&failures);
    report(&format!(
        "{title}: {} cases ran, {} failed, {} skipped",
        run.len(),
        failures.len(),
        skipped.len()
    ));
    assert!(
        failures.is_empty(),
        "{} of {} cases failed on {title}:\n\n{}",
        failures.len(),
        run.len(),
        failures.join("\n\n")
    );
}

fn one(cluster: &Cluster, kubeconfig: Option<&Path>, case: Case) -> Result<(), String> {
    let (name, test) = case;
    // Two runs on one server do not meet either.
    let namespace = format!("case-{:08x}", fastrand::u32(..));
    let result = catch_unwind(AssertUnwindSafe(|| {
        cluster.namespace(&namespace);
        test(&Env {
            case: name,
            cluster: cluster.clone(),
            namespace: namespace.clone(),
            kubeconfig: kubeconfig.map(Path::to_owned),
            folder: tempfile::tempdir().expect("a folder"),
        });
    }));
    let deleted = catch_unwind(AssertUnwindSafe(|| cluster.delete_namespace(&namespace)));
    result.and(deleted).map_err(|panic| text_of(&*panic))
}

fn text_of(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(ToString::to_string);
    let text = text.or_else(|| panic.downcast_ref::<String>().cloned());
    text.unwrap_or_else(|| "failed without words".into())
}

fn announce(title: &str, case: &str, took: Duration, failed: bool) {
    let word = if failed { "FAILED" } else { "ok" };
    println!("{title}: {case} ... {word} ({:.2} s)", took.as_secs_f64());
}

/// Says something about the run that must be seen also when all is well: on
/// standard error, past the capturing of the test runner, and as a line in
/// `target/tmp/suites.txt`.
pub fn report(line: &str) {
    let _ = writeln!(std::io::stderr(), "{line}");
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join("suites.txt");
    let file = std::fs::File::options().append(true).create(true).open(path);
    let _ = file.and_then(|mut file| file.write_all(format!("{line}\n").as_bytes()));
}
