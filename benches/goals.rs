//! The goals of the program's speed and size, measured against what else does the same work.
//!
//! ```text
//! cargo bench                      all goals
//! cargo bench -- P3 P5             some of them
//! cargo bench -- --quick           fewer runs, 1 000 machines only
//! cargo bench -- --large           100 000 machines too (kubectl needs a minute and five gigabytes for each run)
//! cargo bench -- --markdown        the table as Markdown
//! cargo bench -- --strict          fails when a goal is not met
//! cargo bench --profile quick      during work: builds in a third of the time, runs nearly as fast
//! ```
//!
//! Both sides of a ratio run in the same run, in turn, against the same server with the same objects, and their medians
//! are compared: the machine may be busy. What the program itself does stands in `own.rs`.
//!
//! P14 needs a real API server and is run by hand: `goals p14 KUBECONFIG`.
//!
//! This binary is also the server (`goals serve COUNT KINDS`, see `cluster.rs`), its own subject under callgrind, and
//! (`goals watch-program TEXT SECONDS PROGRAM …`) tells the figures of any program in a terminal.
#![allow(dead_code, unreachable_pub, clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod cluster;
mod console;
mod documents;
mod filled;
mod own;
mod process;
mod pty;

use cluster::{Cluster, Served};
use std::collections::HashMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};
use v9s::demo::fleet::{Fleet, FleetKind};

/// One line of the table: something measured and what was asked of it.
pub struct Figure {
    /// What was measured.
    pub what: String,
    /// What was asked; empty where the figure only stands for comparison.
    pub asked: String,
    /// What came out.
    pub measured: String,
    /// Whether it is what was asked.
    pub verdict: Verdict,
}

/// Whether a figure is what was asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It is.
    Met,
    /// It is not.
    Missed,
    /// Nothing was asked: a floor, or another program's figure.
    Noted,
    /// Not measured: something it needs is missing.
    Skipped,
}

/// All figures of one goal.
#[derive(Default)]
pub struct Outcome {
    /// In the order of the table.
    pub figures: Vec<Figure>,
}

impl Outcome {
    /// A figure without a goal.
    pub fn note(&mut self, what: impl Into<String>, measured: impl Into<String>) {
        self.add(what, "", measured, Verdict::Noted);
    }

    /// Something that could not be measured, and why.
    pub fn skip(&mut self, what: impl Into<String>, why: impl Into<String>) {
        self.add(what, "", why, Verdict::Skipped);
    }

    /// A figure that is to be at most so much.
    pub fn at_most(&mut self, what: impl Into<String>, limit: f64, measured: f64, unit: &str) {
        let verdict = if measured <= limit { Verdict::Met } else { Verdict::Missed };
        self.add(what, format!("≤ {}{unit}", plain(limit)), format!("{}{unit}", plain(measured)), verdict);
    }

    /// A figure that is to be at least so much.
    pub fn at_least(&mut self, what: impl Into<String>, limit: f64, measured: f64, unit: &str) {
        let verdict = if measured >= limit { Verdict::Met } else { Verdict::Missed };
        self.add(what, format!("≥ {}{unit}", plain(limit)), format!("{}{unit}", plain(measured)), verdict);
    }

    /// Any figure.
    pub fn add(
        &mut self,
        what: impl Into<String>,
        asked: impl Into<String>,
        measured: impl Into<String>,
        verdict: Verdict,
    ) {
        let figure = Figure { what: what.into(), asked: asked.into(), measured: measured.into(), verdict };
        self.figures.push(figure);
    }
}

/// One goal and how it is measured.
pub struct Goal {
    /// `P1`, `P2`, …
    pub id: &'static str,
    /// What it asks, in a line.
    pub text: &'static str,
    /// Measures it.
    pub measure: fn(&mut Bench) -> Outcome,
}

/// What one run of this program was asked, and what the goals share in it.
pub struct Bench {
    /// `--quick`
    pub quick: bool,
    /// `--large`
    pub large: bool,
    /// A folder that is gone afterwards: configuration, caches.
    pub folder: tempfile::TempDir,
    servers: HashMap<String, Cluster>,
}

impl Bench {
    /// How often to measure: the middle one of so many counts.
    pub fn runs(&self) -> usize {
        if self.quick { 3 } else { 5 }
    }

    /// How many machines to measure with.
    pub fn counts(&self) -> &'static [usize] {
        match (self.quick, self.large) {
            (true, _) => &[1_000],
            (_, false) => &[1_000, 10_000],
            (_, true) => &[1_000, 10_000, 100_000],
        }
    }

    /// Runs at this many machines: fewer where one takes a minute.
    pub fn runs_at(&self, count: usize) -> usize {
        if count >= 100_000 { 1 } else { self.runs() }
    }

    /// The server with these objects, started when it is first asked for. Servers of other counts end.
    pub fn server(&mut self, count: usize, kinds: &[FleetKind]) -> &mut Cluster {
        let key = format!("{count} {kinds:?}");
        if !self.servers.contains_key(&key) {
            self.servers.clear();
            let server = Cluster::start(Served::new(count, kinds)).expect("a server");
            self.servers.insert(key.clone(), server);
        }
        self.servers.get_mut(&key).expect("just put there")
    }
}

/// The middle one.
pub fn median(values: &mut [f64]) -> f64 {
    values.sort_unstable_by(f64::total_cmp);
    let middle = values.len() / 2;
    match values.len() {
        0 => f64::NAN,
        n if n.is_multiple_of(2) => f64::midpoint(values[middle - 1], values[middle]),
        _ => values[middle],
    }
}

/// Measures several things in turn, so often, and gives the median of each.
pub fn in_turn<const N: usize>(runs: usize, mut measures: [&mut dyn FnMut() -> f64; N]) -> [f64; N] {
    let mut all = [(); N].map(|()| Vec::with_capacity(runs));
    for _ in 0..runs {
        for (values, measure) in all.iter_mut().zip(&mut measures) {
            values.push(measure());
        }
    }
    all.map(|mut values| median(&mut values))
}

/// Nanoseconds of one call; as many calls as take the given time.
pub fn nanoseconds(time: Duration, mut call: impl FnMut()) -> f64 {
    let (started, mut calls) = (Instant::now(), 0_u64);
    while started.elapsed() < time {
        call();
        calls += 1;
    }
    started.elapsed().as_nanos() as f64 / calls as f64
}

/// Four significant digits at most, without an exponent.
pub fn plain(value: f64) -> String {
    match value.abs() {
        v if v >= 1000.0 => format!("{value:.0}"),
        v if v >= 100.0 => format!("{value:.0}"),
        v if v >= 10.0 => format!("{value:.1}").trim_end_matches(".0").to_owned(),
        _ => format!("{value:.2}").trim_end_matches('0').trim_end_matches('.').to_owned(),
    }
}

/// Milliseconds of a duration.
pub fn ms(time: Duration) -> f64 {
    time.as_secs_f64() * 1000.0
}

/// Megabytes (of a million bytes).
pub fn mb(bytes: u64) -> f64 {
    bytes as f64 / 1e6
}

// ------------------------------------------------------------------------------------------------ kubectl

/// What kubectl did with one list or watch: medians.
#[derive(Clone, Copy, Debug)]
pub struct Kubectl {
    /// Seconds to the first byte.
    pub first_byte: f64,
    /// Seconds to its end.
    pub total: f64,
    /// Seconds of processor time.
    pub cpu: f64,
    /// The most bytes of memory.
    pub peak: f64,
}

/// The kubectl to compare with. The one of Google Cloud's tools only asks the server for its version and then becomes
/// the `kubectl.1.33` beside it; that one is taken at once, so that the detour is not counted.
pub fn kubectl_program() -> Option<PathBuf> {
    let found = process::on_path("kubectl")?;
    let real = found.canonicalize().ok()?.with_file_name("kubectl.1.33");
    Some(if real.is_file() { real } else { found })
}

/// `kubectl` against a server of this benchmark, without the user's configuration; discovery is cached in the folder.
pub fn kubectl(url: &str, folder: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(kubectl_program().unwrap_or_else(|| "kubectl".into()));
    command.env("KUBECONFIG", "/dev/null").env("HOME", folder).env_remove("KUBECTL_EXTERNAL_DIFF");
    command.args(["--server", url, "--cache-dir"]).arg(folder.join("kube-cache")).args(arguments);
    command
}

/// Runs `kubectl get virtualmachines -A`, its discovery cache warm, and the program's own side in turn, as often as
/// asked; medians of both. Nothing for kubectl without kubectl.
pub fn beside_kubectl<const N: usize>(
    bench: &mut Bench,
    count: usize,
    mut own: impl FnMut(&mut Cluster, &Path) -> Option<[f64; N]>,
) -> (Option<Kubectl>, Option<[f64; N]>) {
    let (runs, folder) = (bench.runs_at(count), bench.folder.path().to_owned());
    let server = bench.server(count, &[FleetKind::Vm]);
    let url = server.url.clone();
    let kubectl_there = kubectl_program().is_some();
    if kubectl_there {
        // Fills the cache of discovery; names are resolved by it, the answer is thrown away.
        let _ = process::run(&mut kubectl(&url, &folder, &["get", "virtualmachines", "-n", "none", "x"]));
    }
    let mut theirs = [const { Vec::new() }; 4];
    let mut ours = [const { Vec::new() }; N];
    for _ in 0..runs {
        if kubectl_there {
            match kubectl_once(&url, &folder, count) {
                Some(values) => theirs.iter_mut().zip(values).for_each(|(all, value)| all.push(value)),
                None => eprintln!("kubectl did not list {count} machines"),
            }
        }
        // Where kubectl runs once, for a minute, one run of ours is too few.
        for _ in 0..if runs == 1 { 3 } else { 1 } {
            if let Some(values) = own(server, &folder) {
                ours.iter_mut().zip(values).for_each(|(all, value)| all.push(value));
            }
        }
    }
    let kubectl = (!theirs[0].is_empty()).then(|| {
        let [first_byte, total, cpu, peak] = theirs.map(|mut all| median(&mut all));
        Kubectl { first_byte, total, cpu, peak }
    });
    let own = ours.iter().all(|all| !all.is_empty()).then(|| ours.map(|mut all| median(&mut all)));
    (kubectl, own)
}

fn kubectl_once(url: &str, folder: &Path, count: usize) -> Option<[f64; 4]> {
    let run = process::run(&mut kubectl(url, folder, &["get", "virtualmachines", "-A"])).ok()?;
    let complete = run.success && run.lines == count as u64 + 1;
    let first_byte = run.first_byte.filter(|_| complete)?.as_secs_f64();
    Some([first_byte, run.total.as_secs_f64(), run.usage.cpu.as_secs_f64(), run.usage.peak as f64])
}

/// `kubectl get virtualmachineinstances -A --watch` while events come: as fast as it takes them, and at a rate.
#[derive(Clone, Copy, Debug)]
pub struct KubectlWatch {
    /// Events a second of wall time at full speed.
    pub events: f64,
    /// Events a second of processor time at full speed.
    pub events_per_cpu: f64,
    /// Share of a core at 1 000 events a second.
    pub load: f64,
}

/// Measures [`KubectlWatch`] with 1 000 machines. Nothing without kubectl.
pub fn kubectl_watch(bench: &mut Bench) -> Option<KubectlWatch> {
    use std::io::BufRead;
    kubectl_program()?;
    let (quick, folder) = (bench.quick, bench.folder.path().to_owned());
    let server = bench.server(1_000, &[FleetKind::Vmi]);
    let listed = server.served.fleet().order(FleetKind::Vmi).len();
    let mut child = kubectl(&server.url, &folder, &["get", "virtualmachineinstances", "-A", "--watch"])
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::null())
        .spawn()
        .ok()?;
    let mut lines = std::io::BufReader::new(child.stdout.take()?).lines();
    let mut read = |count: usize| (0..count).all(|_| matches!(lines.next(), Some(Ok(_))));
    let mut measure = || {
        let longest = Duration::from_secs(20);
        if !read(listed + 1) || !server.await_watches(FleetKind::Vmi, 1, longest) {
            return None;
        }
        let mut burst = |count: u64, rate: u64| {
            let before = process::usage(child.id())?;
            server.begin_events(FleetKind::Vmi, count, rate);
            let begun = Instant::now();
            if !read(count as usize) {
                return None;
            }
            let wall = begun.elapsed().as_secs_f64();
            server.end_events();
            Some((wall, process::usage(child.id())?.since(before).cpu.as_secs_f64()))
        };
        burst(500, 0)?; // warms it up
        let count = if quick { 3_000 } else { 10_000 };
        let (wall, cpu) = burst(count, 0)?;
        let (paced_wall, paced_cpu) = burst(if quick { 2_000 } else { 5_000 }, 1_000)?;
        Some(KubectlWatch {
            events: count as f64 / wall,
            events_per_cpu: count as f64 / cpu,
            load: paced_cpu / paced_wall,
        })
    };
    let result = measure();
    let _ = child.kill();
    let _ = child.wait();
    result
}

// ------------------------------------------------------------------------------------------------ floors

/// So many objects of a kind, one after the other, all of running machines.
pub fn objects(kind: FleetKind, count: usize) -> Vec<Vec<u8>> {
    let fleet = Fleet::new(1, count).running();
    (0..count)
        .map(|i| {
            let mut out = Vec::new();
            fleet.write(kind, i, 0, &mut out);
            out
        })
        .collect()
}

/// What `serde_json` needs at the least: to read an object and keep nothing.
#[inline(never)]
pub fn skip_object(bytes: &[u8]) {
    let _: serde::de::IgnoredAny = serde_json::from_slice(std::hint::black_box(bytes)).expect("valid JSON");
}

/// Nanoseconds of [`skip_object`] for each of these objects.
pub fn skip_floor(objects: &[Vec<u8>], time: Duration) -> f64 {
    nanoseconds(time, || {
        objects.iter().for_each(|object| skip_object(object));
    }) / objects.len() as f64
}

/// Instructions for each object of what `goals under-callgrind WHAT KIND COUNT` does: the difference of two counts, so
/// that neither start-up nor the writing of the objects is in it. Nothing without valgrind.
pub fn instructions_per_object(what: &str, kind: FleetKind) -> Option<f64> {
    let program = std::env::current_exe().ok()?;
    let count = |rounds: u64| {
        let rounds_text = rounds.to_string();
        process::callgrind(&[program.to_str()?, "under-callgrind", what, kind.short(), &rounds_text], None)
    };
    let (few, many) = (count(1)?, count(11)?);
    Some((many - few) as f64 / (10.0 * SUBJECTS as f64))
}

const SUBJECTS: usize = 50;

/// The far side of [`instructions_per_object`]: the same objects, so often.
fn under_callgrind(arguments: &[String]) {
    let [what, kind, rounds] = arguments else { panic!("WHAT KIND ROUNDS") };
    let kind = FleetKind::parse(kind).expect("vm, vmi, dv or pvc");
    let objects = objects(kind, SUBJECTS);
    for _ in 0..rounds.parse::<u64>().expect("a number") {
        for object in &objects {
            match what.as_str() {
                "skip" => skip_object(object),
                other => assert!(own::subject(other, kind, object), "there is no subject {other:?}"),
            }
        }
    }
}

/// The least time a program in a pseudo-terminal takes: `/bin/true`, in milliseconds.
pub fn true_floor(runs: usize) -> Option<f64> {
    let launch = pty::Launch::new("/bin/true", [""; 0]);
    let mut times = Vec::new();
    for _ in 0..runs * 5 {
        let (time, _) = pty::Session::start(&launch).ok()?.until_end(Duration::from_secs(5))?;
        times.push(ms(time));
    }
    Some(median(&mut times))
}

// ------------------------------------------------------------------------------------------------ the goals

fn p1(bench: &mut Bench) -> Outcome {
    let mut out = Outcome::default();
    let mut times = Vec::new();
    for &count in bench.counts() {
        let own =
            |server: &mut Cluster, folder: &Path| Some([own::first_rows(server, folder)?.as_secs_f64()]);
        let (kubectl, own) = beside_kubectl(bench, count, own);
        match kubectl {
            Some(k) => {
                out.note(
                    format!("kubectl get, first byte, {count}"),
                    format!("{} ms", plain(k.first_byte * 1e3)),
                );
            }
            None => out.skip(format!("kubectl get, {count}"), "no kubectl"),
        }
        let Some([time]) = own else {
            out.skip(format!("first rows, {count}"), own::LATER);
            continue;
        };
        times.push((count, time));
        out.note(format!("first rows, {count}"), format!("{} ms", plain(time * 1e3)));
        if let Some(k) = kubectl {
            let asked = [(100_000, 2_000.0), (10_000, 300.0), (0, 30.0)];
            let asked = asked.iter().find(|(from, _)| count >= *from).expect("0 is the last").1;
            out.at_least(
                format!("sooner than kubectl's first byte, {count}"),
                asked,
                k.first_byte / time,
                " ×",
            );
        }
    }
    if let (Some((1_000, few)), Some((100_000, many))) = (times.first(), times.last()) {
        out.at_most("first rows, 100 000 against 1 000", 1.3, many / few, " ×");
    }
    out
}

fn p2(bench: &mut Bench) -> Outcome {
    let mut out = Outcome::default();
    match true_floor(bench.runs()) {
        Some(floor) => {
            out.note("/bin/true", format!("{} ms", plain(floor)));
            own::first_frame(bench, floor, &mut out);
        }
        None => out.skip("/bin/true", "no pseudo-terminal"),
    }
    out
}

fn p3(bench: &mut Bench) -> Outcome {
    let mut out = Outcome::default();
    let time = Duration::from_millis(if bench.quick { 50 } else { 200 });
    for kind in FleetKind::ALL {
        let objects = objects(kind, 500);
        let mut floors: Vec<f64> = (0..bench.runs()).map(|_| skip_floor(&objects, time)).collect();
        let size = objects.iter().map(Vec::len).sum::<usize>() / objects.len();
        out.note(
            format!("{} ({size} B) with IgnoredAny", kind.short()),
            format!("{} µs", plain(median(&mut floors) / 1000.0)),
        );
        match instructions_per_object("skip", kind) {
            Some(count) => {
                out.note(format!("{}, instructions", kind.short()), format!("{} k", plain(count / 1000.0)));
            }
            None => out.skip(format!("{}, instructions", kind.short()), "no valgrind"),
        }
        own::decode(bench, kind, &objects, &mut out);
    }
    out
}

fn p4(bench: &mut Bench) -> Outcome {
    let mut out = Outcome::default();
    for &count in bench.counts() {
        let own = |server: &mut Cluster, folder: &Path| {
            let (time, usage) = own::sync(server, folder)?;
            Some([time.as_secs_f64(), usage.cpu.as_secs_f64(), usage.peak as f64])
        };
        let (kubectl, own) = beside_kubectl(bench, count, own);
        let figures = |time: f64, cpu: f64, peak: f64| {
            format!("{} s, {} s CPU, {} MB", plain(time), plain(cpu), plain(peak / 1e6))
        };
        match kubectl {
            Some(k) => out.note(format!("kubectl get, {count}"), figures(k.total, k.cpu, k.peak)),
            None => out.skip(format!("kubectl get, {count}"), "no kubectl"),
        }
        let Some([time, cpu, peak]) = own else {
            out.skip(format!("sync, {count}"), own::LATER);
            continue;
        };
        out.note(format!("sync, {count}"), figures(time, cpu, peak));
        // Of 1 000 machines nothing is asked: starting is most of it.
        if let Some(k) = kubectl.filter(|_| count >= 10_000) {
            let (faster, smaller) = if count >= 100_000 { (30.0, 100.0) } else { (25.0, 30.0) };
            out.at_least(format!("less time than kubectl, {count}"), faster, k.total / time, " ×");
            out.at_least(format!("less CPU than kubectl, {count}"), faster, k.cpu / cpu, " ×");
            out.at_least(format!("less memory than kubectl, {count}"), smaller, k.peak / peak, " ×");
        }
    }
    out
}

fn p6(bench: &mut Bench) -> Outcome {
    let mut out = Outcome::default();
    match kubectl_watch(bench) {
        Some(k) => {
            out.note(
                "kubectl get --watch, full speed",
                format!("{} events/s, {} per CPU second", plain(k.events), plain(k.events_per_cpu)),
            );
            out.note("kubectl get --watch, 1000 events/s", format!("{} % of a core", plain(k.load * 100.0)));
            own::events(bench, k, &mut out);
        }
        None => out.skip("kubectl get --watch", "no kubectl"),
    }
    out
}

/// Speed of the generator itself: it must never be what is measured.
fn generator(bench: &mut Bench) -> Outcome {
    let mut out = Outcome::default();
    let fleet = Fleet::new(1, 2_000).running();
    let time = Duration::from_millis(if bench.quick { 50 } else { 300 });
    for kind in FleetKind::ALL {
        let mut buffer = Vec::with_capacity(20_000_000);
        let per_object = nanoseconds(time, || {
            buffer.clear();
            (0..fleet.count()).for_each(|i| fleet.write(kind, i, 0, &mut buffer));
        }) / fleet.count() as f64;
        let size = buffer.len() / fleet.count();
        out.note(format!("{} of {size} B", kind.short()), format!("{} µs", plain(per_object / 1000.0)));
        out.at_least(format!("{} a second", kind.short()), 50_000.0, 1e9 / per_object, "");
    }
    out
}

/// The embedded server: it must never be what is measured, and `v9s demo --scale` has goals of its own.
fn server(bench: &mut Bench) -> Outcome {
    let mut out = Outcome::default();
    let counts: &[usize] = if bench.quick { &[10_000] } else { &[10_000, 100_000] };
    for &count in counts {
        let started = Instant::now();
        let mut cluster = Cluster::start_demo(count).expect("a server");
        let ready = started.elapsed().as_secs_f64();
        let resident =
            |cluster: &Cluster| process::usage(cluster.pid()).map_or(0.0, |usage| mb(usage.resident));
        out.at_most(format!("ready with {count} machines"), 20.0, ready, " s");
        out.at_most("resident then", 2_000.0, resident(&cluster), " MB");
        const TABLE: &str = "application/json;as=Table;v=v1;g=meta.k8s.io,application/json";
        let machines = "/apis/kubevirt.io/v1/virtualmachines";
        for (what, path, accept, asked) in [
            ("VMs in pages of 500", machines, "application/json", 50_000.0),
            (
                "instances in pages of 500",
                "/apis/kubevirt.io/v1/virtualmachineinstances",
                "application/json",
                50_000.0,
            ),
            (
                "DataVolumes in pages of 500",
                "/apis/cdi.kubevirt.io/v1beta1/datavolumes",
                "application/json",
                50_000.0,
            ),
            ("claims in pages of 500", "/api/v1/persistentvolumeclaims", "application/json", 50_000.0),
            ("pods in pages of 500", "/api/v1/pods", "application/json", 50_000.0),
            ("VMs as rows in pages of 500", machines, TABLE, 0.0),
        ] {
            let (seen, seconds) = pages(&cluster, path, accept);
            if asked > 0.0 {
                out.at_least(format!("{what}, a second"), asked, seen as f64 / seconds, "");
            } else {
                out.note(format!("{what}, a second"), plain(seen as f64 / seconds));
            }
        }
        let times = [
            ("all VMs at once", machines.to_owned()),
            ("VMs by label", format!("{machines}?labelSelector=app%3Dredis")),
            ("one VM by its name", format!("{machines}?fieldSelector=metadata.name%3Dx")),
        ];
        for (what, path) in times {
            let started = Instant::now();
            let answer = cluster.get(&path, "application/json").expect("an answer");
            out.note(
                format!("{what}, of {count}"),
                format!("{} ms, {} MB", plain(ms(started.elapsed())), plain(mb(answer.len() as u64))),
            );
        }
        out.at_most("resident after these lists", 2_000.0, resident(&cluster), " MB");
        let took = cluster.live(2_400);
        out.note("ten minutes of changes", format!("{} ms", plain(ms(took))));
        out.at_most("resident after them", 2_000.0, resident(&cluster), " MB");
    }
    out
}

/// Reads a list page by page: how many objects came, and how many seconds it took.
fn pages(cluster: &Cluster, path: &str, accept: &str) -> (usize, f64) {
    let (mut token, mut seen, started) = (String::new(), 0, Instant::now());
    loop {
        let answer = cluster.get(&format!("{path}?limit=500&continue={token}"), accept).expect("an answer");
        seen += memchr::memmem::find_iter(&answer, br#""creationTimestamp":"2"#).count();
        let key = br#""continue":""#;
        let Some(at) = memchr::memmem::rfind(&answer, key) else { break };
        let rest = &answer[at + key.len()..];
        let end = memchr::memchr(b'"', rest).expect("the end of a text");
        token = String::from_utf8_lossy(&rest[..end]).into_owned();
        // Lists of custom resources always have one; that of the last page is empty.
        if token.is_empty() {
            break;
        }
    }
    (seen, started.elapsed().as_secs_f64())
}

/// `goals watch-program TEXT SECONDS PROGRAM [ARGUMENT…]`: any program's figures until the text stands on its screen, and
/// over the seconds after it. For comparing with others by hand.
fn watch_program(arguments: &[String]) {
    let [text, seconds, program, rest @ ..] = arguments else { panic!("TEXT SECONDS PROGRAM [ARGUMENT…]") };
    let launch = pty::Launch::new(program, rest);
    let mut session = pty::Session::start(&launch).expect("a program that starts");
    let shown = session.until_text(text, Duration::from_secs(120));
    let (usage, bytes) = (session.usage(), session.bytes());
    println!("first byte {:?}, shown {shown:?}, {bytes} bytes, {usage:?}", session.first_byte());
    if shown.is_none() {
        println!("{}", session.screen());
    }
    session.rest(Duration::from_secs_f64(seconds.parse().expect("a number")));
    println!("then {} bytes, {:?}", session.bytes() - bytes, session.usage().since(usage));
}

/// All goals, in the order of the table.
const GOALS: &[Goal] = &[
    Goal { id: "G", text: "the objects of the benchmark are written fast", measure: generator },
    Goal { id: "S", text: "the embedded server: ready, small, fast", measure: server },
    Goal { id: "P1", text: "first rows far sooner than kubectl's first byte", measure: p1 },
    Goal {
        id: "P2",
        text: "first frame ≤ 3 × /bin/true + 2 ms; own share of first rows ≤ 10 ms",
        measure: p2,
    },
    Goal { id: "P3", text: "decode near what skipping costs", measure: p3 },
    Goal { id: "P4", text: "sync in a fraction of kubectl's time, CPU and memory", measure: p4 },
    Goal { id: "P5", text: "bytes kept for each record", measure: own::memory },
    Goal { id: "P6", text: "events through to the frame", measure: p6 },
    Goal { id: "P7", text: "key to bytes at 100 000 rows", measure: own::keys },
    Goal { id: "P8", text: "filters over 100 000 rows", measure: own::filters },
    Goal { id: "P9", text: "1 000 changes re-ordered", measure: own::reorder },
    Goal { id: "P10", text: "one frame of 200×60", measure: own::frame },
    Goal { id: "P11", text: "bytes written to the terminal", measure: own::terminal_bytes },
    Goal { id: "P12", text: "idle costs nothing", measure: own::idle },
    Goal { id: "P13", text: "a guest that writes as fast as it can", measure: console::console },
    Goal { id: "P15", text: "1 000 documents judged in half a second", measure: documents::judged },
];

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.first().map(String::as_str) {
        Some("serve") => return cluster::serve(&arguments[1..]).expect("a port to listen on"),
        Some("under-callgrind") => return under_callgrind(&arguments[1..]),
        Some("p14") => return own::real_server(Path::new(&arguments[1])),
        Some("watch-program") => return watch_program(&arguments[1..]),
        _ => {}
    }
    let has = |flag: &str| arguments.iter().any(|a| a == flag);
    // Everything that does not look like an option is the number of a goal; cargo adds `--bench`.
    let wanted: Vec<String> =
        arguments.iter().filter(|a| !a.starts_with('-')).map(|a| a.to_uppercase()).collect();
    if let Some(unknown) = wanted.iter().find(|id| GOALS.iter().all(|goal| goal.id != *id)) {
        eprintln!("there is no goal {unknown}");
        std::process::exit(2);
    }
    let mut bench = Bench {
        quick: has("--quick"),
        large: has("--large"),
        folder: tempfile::tempdir().expect("a folder"),
        servers: HashMap::new(),
    };
    if !cfg!(target_os = "linux") {
        println!("figures of processes (CPU, memory, wake-ups) are read on Linux only and are 0 here");
    }
    let mut missed = 0;
    let mut table = vec![["goal", "what", "asked", "measured", ""].map(str::to_owned)];
    for goal in GOALS.iter().filter(|goal| wanted.is_empty() || wanted.iter().any(|id| id == goal.id)) {
        eprintln!("{}: {}", goal.id, goal.text);
        for figure in (goal.measure)(&mut bench).figures {
            let verdict = match figure.verdict {
                Verdict::Met => "met",
                Verdict::Missed => "NOT MET",
                Verdict::Noted => "",
                Verdict::Skipped => "skipped",
            };
            missed += usize::from(figure.verdict == Verdict::Missed);
            table.push([goal.id.to_owned(), figure.what, figure.asked, figure.measured, verdict.to_owned()]);
        }
    }
    print!("{}", render(&table, has("--markdown")));
    if missed > 0 && has("--strict") {
        std::process::exit(1);
    }
}

fn render(table: &[[String; 5]], markdown: bool) -> String {
    let mut out = String::new();
    let width = |column: usize| table.iter().map(|row| row[column].chars().count()).max().unwrap_or(0);
    let widths: [usize; 5] = std::array::from_fn(width);
    for (n, row) in table.iter().enumerate() {
        if markdown {
            let _ = writeln!(out, "| {} |", row.join(" | "));
            if n == 0 {
                out.push_str("|---|---|---|---|---|\n");
            }
            continue;
        }
        let mut line = String::new();
        for (cell, width) in row.iter().zip(widths) {
            let _ = write!(line, "{cell:width$}  ");
        }
        let _ = writeln!(out, "{}", line.trim_end());
        if n == 0 {
            let _ = writeln!(out, "{}", "─".repeat(widths.iter().sum::<usize>() + 8));
        }
    }
    out
}
