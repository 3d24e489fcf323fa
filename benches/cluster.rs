//! The embedded server in a process of its own, so that its work and memory are not the program's.
//!
//! It listens on the loopback without TLS: what is measured is the client, and packing and unpacking the bytes would be
//! a large part of it on both sides. It lets everybody in, because kubectl sends no token without TLS, and it forgets
//! nothing, because a slow watch is not to be cut off. Its fleet is the same in each run.
//!
//! Commands come by standard input, answers go to standard output, one JSON line each.
#![allow(dead_code, unreachable_pub, clippy::unwrap_used, clippy::expect_used)]

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::io::{self, BufRead, BufReader, Read, Write};
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, ready};
use std::time::{Duration, Instant};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use v9s::demo::fleet::{self, Dice, Fleet, FleetKind, Population};
use v9s::demo::server::{Limits, MASTERS, Options, Server, User};

// ------------------------------------------------------------------------------------------------ the near side

/// What is to be served.
#[derive(Clone, Debug)]
pub struct Served {
    /// Machines.
    pub count: usize,
    /// Kinds with objects; the others are empty.
    pub kinds: Vec<FleetKind>,
}

impl Served {
    /// Machines in mixed states, objects of these kinds.
    pub fn new(count: usize, kinds: &[FleetKind]) -> Self {
        Self { count, kinds: kinds.to_vec() }
    }

    /// The fleet behind it.
    pub fn fleet(&self) -> Fleet {
        Fleet::new(1, self.count)
    }
}

/// What a server has done so far.
#[derive(Clone, Copy, Debug, Default, serde::Deserialize)]
pub struct Stats {
    /// All requests.
    pub requests: u64,
    /// Bytes of answers, heads included.
    pub bytes_out: u64,
}

/// A server in a process of its own. It ends when this is dropped.
pub struct Cluster {
    child: Child,
    commands: Option<ChildStdin>,
    answers: BufReader<ChildStdout>,
    early: VecDeque<(String, serde_json::Value)>,
    /// `http://127.0.0.1:PORT`
    pub url: String,
    /// What it serves.
    pub served: Served,
}

impl Cluster {
    /// Starts this program once more as the server and waits until it listens.
    pub fn start(served: Served) -> io::Result<Self> {
        let kinds: Vec<&str> = served.kinds.iter().map(|kind| kind.short()).collect();
        Self::launch(&kinds.join(","), served)
    }

    /// The same with what `v9s demo --scale` adds: the fleet as it looks today, with pods and nodes. It changes when
    /// it is told to.
    pub fn start_demo(count: usize) -> io::Result<Self> {
        Self::launch(DEMO, Served::new(count, &FleetKind::ALL))
    }

    fn launch(kinds: &str, served: Served) -> io::Result<Self> {
        let mut command = Command::new(std::env::current_exe()?);
        command.args(["serve", &served.count.to_string(), kinds]);
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
        let mut answers = BufReader::new(child.stdout.take().expect("piped"));
        let mut line = String::new();
        answers.read_line(&mut line)?;
        let url = line
            .strip_prefix("listening ")
            .ok_or_else(|| io::Error::other(format!("the server said {line:?}")))?
            .trim()
            .to_owned();
        let commands = child.stdin.take();
        Ok(Self { child, commands, answers, early: VecDeque::new(), url, served })
    }

    /// Its process.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    fn tell(&mut self, command: &str) {
        let commands = self.commands.as_mut().expect("open until dropped");
        writeln!(commands, "{command}").and_then(|()| commands.flush()).expect("the server reads");
    }

    /// The next answer with this name; others that come before it are kept.
    fn answer(&mut self, name: &str) -> serde_json::Value {
        if let Some(at) = self.early.iter().position(|(early, _)| early == name) {
            return self.early.remove(at).expect("found").1;
        }
        loop {
            let mut line = String::new();
            assert!(
                self.answers.read_line(&mut line).expect("the server answers") > 0,
                "the server has ended"
            );
            let answer: BTreeMap<String, serde_json::Value> = serde_json::from_str(&line).expect("JSON");
            for (found, value) in answer {
                if found == name {
                    return value;
                }
                self.early.push_back((found, value));
            }
        }
    }

    /// What it has done so far.
    pub fn stats(&mut self) -> Stats {
        self.tell("stats");
        serde_json::from_value(self.answer("stats")).expect("the shape of stats")
    }

    /// Waits until so many watches of a kind are open.
    pub fn await_watches(&mut self, kind: FleetKind, count: u64, longest: Duration) -> bool {
        let until = Instant::now() + longest;
        loop {
            self.tell(&format!("watches {}", kind.short()));
            if self.answer("watches").as_u64().unwrap_or(0) >= count {
                return true;
            }
            if Instant::now() > until {
                return false;
            }
            std::thread::sleep(Duration::from_millis(2));
        }
    }

    /// Changes `count` objects of a kind, at `rate` a second or (0) as fast as it goes. Returns when it begins.
    pub fn begin_events(&mut self, kind: FleetKind, count: u64, rate: u64) {
        self.tell(&format!("events {} {count} {rate}", kind.short()));
        self.answer("begun");
    }

    /// Waits for the last change; gives the time since the first. The watches may not have told of it yet.
    pub fn end_events(&mut self) -> Duration {
        Duration::from_secs_f64(self.answer("changed").as_f64().expect("seconds"))
    }

    /// Lets the demo's fleet live for so many quarters of a second, as fast as it goes.
    pub fn live(&mut self, steps: u64) -> Duration {
        self.tell(&format!("live {steps}"));
        Duration::from_secs_f64(self.answer("lived").as_f64().expect("seconds"))
    }

    /// The whole answer to a GET, with its head.
    pub fn get(&self, path: &str, accept: &str) -> io::Result<Vec<u8>> {
        let mut stream = std::net::TcpStream::connect(self.url.trim_start_matches("http://"))?;
        write!(
            stream,
            "GET {path} HTTP/1.1\r\nHost: bench\r\nAccept: {accept}\r\nConnection: close\r\n\r\n"
        )?;
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer)?;
        Ok(answer)
    }

    /// Writes a kubeconfig for it into a folder.
    pub fn kubeconfig(&self, folder: &Path) -> PathBuf {
        let path = folder.join("kubeconfig");
        let text = format!(
            "apiVersion: v1\nkind: Config\ncurrent-context: bench\ncontexts:\n- name: bench\n  context: {{cluster: bench, user: bench}}\nclusters:\n- name: bench\n  cluster: {{server: \"{}\"}}\nusers:\n- name: bench\n  user: {{}}\n",
            self.url
        );
        std::fs::write(&path, text).expect("a folder to write to");
        path
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        self.commands.take();
        let _ = self.child.wait();
    }
}

// ------------------------------------------------------------------------------------------------ the far side

/// What clients have asked for, read from the connections as they go by.
#[derive(Default)]
struct Seen {
    requests: AtomicU64,
    bytes_out: AtomicU64,
    /// Watches open, by the plural of their kind.
    watches: Mutex<HashMap<String, u64>>,
}

/// In place of kinds: all that `v9s demo --scale` adds.
const DEMO: &str = "demo";

/// The server's whole life: `serve COUNT KINDS`.
pub fn serve(arguments: &[String]) -> io::Result<()> {
    let [count, kinds] = arguments else { panic!("COUNT KINDS") };
    let count = count.parse().expect("a number");
    let mut options =
        Options { users: vec![(String::new(), User::new("bench", &[MASTERS]))], ..Options::default() };
    let (server, population, mut trickle);
    if kinds == DEMO {
        server = Server::new(options);
        let demo = fleet::add(&server, count).expect("kinds that the server knows");
        population = demo.population().clone();
        trickle = Some(demo);
    } else {
        let named = kinds.split(',').filter(|text| !text.is_empty());
        let kinds: Vec<FleetKind> =
            named.map(|text| FleetKind::parse(text).expect("vm, vmi, dv or pvc")).collect();
        options.limits = Limits { changes: usize::MAX, bytes: usize::MAX };
        server = Server::new(options);
        let fleet = Served::new(count, &kinds).fleet();
        population = Population::new(&server, fleet, &kinds).expect("kinds that the server knows");
        trickle = None;
    }
    let seen = Arc::new(Seen::default());
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    let listener = runtime.block_on(TcpListener::bind(("127.0.0.1", 0)))?;
    println!("listening http://{}", listener.local_addr()?);
    let counted = Arc::clone(&seen);
    runtime.spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let _ = stream.set_nodelay(true);
            let (server, stream) = (server.clone(), Counted::new(stream, Arc::clone(&counted)));
            tokio::spawn(async move { server.serve(stream).await });
        }
    });
    let mut revision = 0;
    for line in io::stdin().lines() {
        let line = line?;
        let words: Vec<&str> = line.split_whitespace().collect();
        match *words {
            ["stats"] => println!(
                r#"{{"stats":{{"requests":{},"bytes_out":{}}}}}"#,
                seen.requests.load(Relaxed),
                seen.bytes_out.load(Relaxed)
            ),
            ["watches", kind] => {
                let kind = FleetKind::parse(kind).expect("vm, vmi, dv or pvc");
                let open = seen.watches.lock().unwrap().get(kind.plural()).copied().unwrap_or(0);
                println!(r#"{{"watches":{open}}}"#);
            }
            ["events", kind, count, rate] => {
                let kind = FleetKind::parse(kind).expect("vm, vmi, dv or pvc");
                let (count, rate) = (count.parse().expect("a number"), rate.parse().expect("a number"));
                let (population, first) = (population.clone(), revision);
                revision += count;
                std::thread::spawn(move || change(&population, kind, first, count, rate));
            }
            ["live", steps] => {
                let started = Instant::now();
                let demo = trickle.as_mut().expect("the fleet of the demo");
                (0..steps.parse().expect("a number")).for_each(|_: u64| demo.step());
                println!(r#"{{"lived":{}}}"#, started.elapsed().as_secs_f64());
            }
            [] => {}
            _ => println!(r#"{{"error":"events KIND N RATE, watches KIND, live STEPS, or stats"}}"#),
        }
    }
    Ok(())
}

/// Changes objects all over the fleet.
fn change(population: &Population, kind: FleetKind, first: u64, count: u64, rate: u64) {
    println!(r#"{{"begun":{count}}}"#);
    let machines = population.fleet().order(kind);
    let mut dice = Dice::new(first);
    let (started, mut done) = (Instant::now(), 0_u64);
    while done < count && !machines.is_empty() {
        let due = if rate == 0 { count } else { (started.elapsed().as_secs_f64() * rate as f64) as u64 + 1 };
        for n in done..count.min(due) {
            let machine = machines[dice.below(machines.len() as u64) as usize];
            population.change(kind, machine as usize, first + n + 1);
        }
        done = count.min(due);
        if done < count {
            let next = Duration::from_secs_f64(done as f64 / rate as f64);
            std::thread::sleep(next.saturating_sub(started.elapsed()).max(Duration::from_micros(200)));
        }
    }
    println!(r#"{{"changed":{}}}"#, started.elapsed().as_secs_f64());
}

/// A connection with what goes over it counted. A watch is open until the next request or the end.
struct Counted {
    stream: TcpStream,
    seen: Arc<Seen>,
    /// The line that is being received.
    line: Vec<u8>,
    watched: Option<String>,
}

impl Counted {
    fn new(stream: TcpStream, seen: Arc<Seen>) -> Self {
        Self { stream, seen, line: Vec::new(), watched: None }
    }

    fn received(&mut self, bytes: &[u8]) {
        for &byte in bytes {
            if byte == b'\n' {
                let line = std::mem::take(&mut self.line);
                if let Some(target) = line.strip_suffix(b" HTTP/1.1\r") {
                    self.request(&String::from_utf8_lossy(target));
                }
            } else {
                self.line.push(byte);
            }
        }
    }

    fn request(&mut self, target: &str) {
        self.seen.requests.fetch_add(1, Relaxed);
        self.end_watch();
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        if query.split('&').any(|pair| matches!(pair, "watch=1" | "watch=true")) {
            let plural = path.rsplit('/').next().unwrap_or_default().to_owned();
            *self.seen.watches.lock().unwrap().entry(plural.clone()).or_default() += 1;
            self.watched = Some(plural);
        }
    }

    fn end_watch(&mut self) {
        if let Some(plural) = self.watched.take() {
            *self.seen.watches.lock().unwrap().entry(plural).or_default() -= 1;
        }
    }

    fn sent(&self, written: Poll<io::Result<usize>>) -> Poll<io::Result<usize>> {
        if let Poll::Ready(Ok(bytes)) = &written {
            self.seen.bytes_out.fetch_add(*bytes as u64, Relaxed);
        }
        written
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.end_watch();
    }
}

impl AsyncRead for Counted {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        ready!(Pin::new(&mut self.stream).poll_read(context, buffer))?;
        self.received(&buffer.filled()[before..]);
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Counted {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write(context, bytes);
        self.sent(written)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        parts: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write_vectored(context, parts);
        self.sent(written)
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}
