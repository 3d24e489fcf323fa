//! An API server of ready-made pages, in a process of its own, so that its work and memory are not the program's.
//!
//! It renders everything before it says where it listens. A list page is then one slice of memory between a head and a
//! tail, so it answers faster than any real server: what is measured against it is the client.
//!
//! It knows version, discovery, the lists, watches, tables and single objects of the four kinds of [`FleetKind`]; lists
//! of anything else are empty, access reviews say yes. `limit` is ignored for `resourceVersion=0`, as by many versions
//! of the real one. Commands come by standard input, answers go to standard output, one JSON line each.
#![allow(dead_code, unreachable_pub, clippy::unwrap_used, clippy::expect_used)]

use crate::fleet::{Change, Dice, Fleet, FleetKind, metadata_of};
use std::collections::{BTreeMap, VecDeque};
use std::io::{self, BufRead, BufReader, IoSlice, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

// ------------------------------------------------------------------------------------------------ the near side

/// What is to be served.
#[derive(Clone, Debug)]
pub struct Served {
    /// Machines.
    pub count: usize,
    /// Of the [`Fleet`].
    pub seed: u64,
    /// Kinds with objects; the others are empty.
    pub kinds: Vec<FleetKind>,
    /// Whether every machine runs.
    pub running: bool,
    /// Waited before each answer, as a network would.
    pub delay: Duration,
}

impl Served {
    /// Machines in mixed states, objects of these kinds, no delay.
    pub fn new(count: usize, kinds: &[FleetKind]) -> Self {
        Self { count, seed: 1, kinds: kinds.to_vec(), running: false, delay: Duration::ZERO }
    }

    /// The fleet behind it.
    pub fn fleet(&self) -> Fleet {
        let fleet = Fleet::new(self.seed, self.count);
        if self.running { fleet.running() } else { fleet }
    }
}

/// What a server has done so far.
#[derive(Clone, Copy, Debug, Default, serde::Deserialize)]
pub struct Stats {
    /// All requests.
    pub requests: u64,
    /// Bytes of answers, heads included.
    pub bytes_out: u64,
    /// Lists among the requests, tables too.
    pub list_requests: u64,
    /// Watches open now.
    pub watch_open: u64,
}

/// A server in a process of its own. It ends when this is dropped.
pub struct Pages {
    child: Child,
    commands: Option<ChildStdin>,
    answers: BufReader<ChildStdout>,
    early: VecDeque<(String, serde_json::Value)>,
    /// `http://127.0.0.1:PORT`
    pub url: String,
    /// What it serves.
    pub served: Served,
}

impl Pages {
    /// Starts this program once more as the server and waits until it listens.
    pub fn start(served: Served) -> io::Result<Self> {
        let kinds: Vec<&str> = served.kinds.iter().map(|kind| kind.short()).collect();
        let mut command = Command::new(std::env::current_exe()?);
        command.arg("serve");
        command.args(["--count", &served.count.to_string(), "--seed", &served.seed.to_string()]);
        command.args(["--kinds", &kinds.join(","), "--delay-ms", &served.delay.as_millis().to_string()]);
        if served.running {
            command.arg("--running");
        }
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

    /// Sends `count` MODIFIED events to the open watches of a kind, at `rate` a second or (0) as fast as they take
    /// them. Returns when they are rendered and the sending begins.
    pub fn begin_events(&mut self, kind: FleetKind, count: u64, rate: u64) {
        self.tell(&format!("events {} {count} {rate}", kind.short()));
        self.answer("begun");
    }

    /// Waits for the last event to be written; gives the time since the first.
    pub fn end_events(&mut self) -> Duration {
        Duration::from_secs_f64(self.answer("sent").as_f64().expect("seconds"))
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

impl Drop for Pages {
    fn drop(&mut self) {
        self.commands.take();
        let _ = self.child.wait();
    }
}

// ------------------------------------------------------------------------------------------------ the far side

/// The items of one kind in the order of a list, separated by commas: any page is one slice.
struct Shelf {
    kind: FleetKind,
    fleet: Fleet,
    bytes: Vec<u8>,
    items: Vec<Item>,
    /// Place of machine `i` in `items`.
    places: Vec<u32>,
}

#[derive(Clone, Copy)]
struct Item {
    start: usize,
    end: usize,
    metadata_end: usize,
    index: u32,
}

impl Shelf {
    fn new(kind: FleetKind, fleet: &Fleet, filled: bool) -> Self {
        let order = if filled { fleet.order(kind) } else { Vec::new() };
        let mut bytes = Vec::with_capacity(order.len() * 6000);
        let mut items = Vec::with_capacity(order.len());
        let mut places = vec![u32::MAX; fleet.count()];
        for index in order {
            if !items.is_empty() {
                bytes.push(b',');
            }
            let start = bytes.len();
            fleet.write_item(kind, index as usize, 0, &mut bytes);
            let metadata_end = start + metadata_of(kind, true, &bytes[start..]).end;
            places[index as usize] = items.len() as u32;
            items.push(Item { start, end: bytes.len(), metadata_end, index });
        }
        bytes.shrink_to_fit();
        Self { kind, fleet: fleet.clone(), bytes, items, places }
    }

    fn metadata(&self, item: &Item) -> &[u8] {
        &self.bytes[item.start + self.kind.item_head().len()..item.metadata_end]
    }

    /// The whole object, with kind and version.
    fn object(&self, item: &Item, out: &mut Vec<u8>) {
        out.extend_from_slice(self.kind.head().as_bytes());
        out.extend_from_slice(&self.bytes[item.start + self.kind.item_head().len()..item.end]);
    }

    fn row(&self, item: &Item, out: &mut Vec<u8>) {
        self.fleet.row(self.kind, item.index as usize, 0, self.metadata(item), out);
    }
}

/// Rows of a table are rendered too, but only once a table is asked for: few clients do.
type Rows = (Vec<u8>, Vec<(usize, usize)>);

struct Watch {
    kind: Option<FleetKind>,
    table: bool,
    bookmarks: bool,
    stream: Mutex<TcpStream>,
    closed: AtomicBool,
}

struct Server {
    shelves: Vec<Shelf>,
    rows: [std::sync::OnceLock<Rows>; 4],
    fleet: Fleet,
    delay: Duration,
    requests: AtomicU64,
    bytes_out: AtomicU64,
    list_requests: AtomicU64,
    /// The newest resource version, for bookmarks.
    newest: AtomicU64,
    watches: Mutex<Vec<Arc<Watch>>>,
}

/// The server's whole life: `serve --count N [--seed S] [--kinds vm,vmi,dv,pvc] [--running] [--delay-ms D] [--port P]`.
pub fn serve(arguments: &[String]) -> io::Result<()> {
    let value = |name: &str| {
        arguments.iter().position(|a| a == name).and_then(|at| arguments.get(at + 1)).map(String::as_str)
    };
    let number =
        |name: &str, default: u64| value(name).map_or(default, |text| text.parse().expect("a number"));
    let kinds: Vec<FleetKind> = value("--kinds")
        .unwrap_or("vm,vmi,dv,pvc")
        .split(',')
        .filter(|text| !text.is_empty())
        .map(|text| FleetKind::parse(text).expect("vm, vmi, dv or pvc"))
        .collect();
    let fleet = Fleet::new(number("--seed", 1), number("--count", 1000) as usize);
    let fleet = if arguments.iter().any(|a| a == "--running") { fleet.running() } else { fleet };
    let server = Arc::new(Server {
        shelves: FleetKind::ALL.map(|kind| Shelf::new(kind, &fleet, kinds.contains(&kind))).into(),
        rows: Default::default(),
        newest: fleet.list_revision().into(),
        fleet,
        delay: Duration::from_millis(number("--delay-ms", 0)),
        requests: 0.into(),
        bytes_out: 0.into(),
        list_requests: 0.into(),
        watches: Mutex::default(),
    });
    let listener = TcpListener::bind(("127.0.0.1", number("--port", 0) as u16))?;
    println!("listening http://{}", listener.local_addr()?);
    let accepting = Arc::clone(&server);
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let server = Arc::clone(&accepting);
            std::thread::spawn(move || server.connection(stream));
        }
    });
    let marking = Arc::clone(&server);
    std::thread::spawn(move || {
        loop {
            std::thread::sleep(Duration::from_secs(60));
            marking.bookmarks();
        }
    });
    for line in io::stdin().lines() {
        let line = line?;
        let words: Vec<&str> = line.split_whitespace().collect();
        match *words {
            ["stats"] => println!(
                r#"{{"stats":{{"requests":{},"bytes_out":{},"list_requests":{},"watch_open":{}}}}}"#,
                server.requests.load(Relaxed),
                server.bytes_out.load(Relaxed),
                server.list_requests.load(Relaxed),
                server.watches.lock().unwrap().len()
            ),
            ["watches", kind] => {
                let kind = FleetKind::parse(kind);
                let open = server.watches.lock().unwrap().iter().filter(|w| w.kind == kind).count();
                println!(r#"{{"watches":{open}}}"#);
            }
            ["events", kind, count, rate] => {
                let kind = FleetKind::parse(kind).expect("vm, vmi, dv or pvc");
                let (count, rate) = (count.parse().expect("a number"), rate.parse().expect("a number"));
                let server = Arc::clone(&server);
                std::thread::spawn(move || server.events(kind, count, rate));
            }
            [] => {}
            _ => println!(r#"{{"error":"events KIND N RATE, watches KIND, or stats"}}"#),
        }
    }
    Ok(())
}

struct Request {
    method: String,
    path: String,
    query: BTreeMap<String, String>,
    accept: String,
    body: Vec<u8>,
}

fn read_request(reader: &mut BufReader<TcpStream>) -> Option<Request> {
    let mut line = String::new();
    reader.read_line(&mut line).ok().filter(|n| *n > 0)?;
    let mut words = line.split_whitespace();
    let (method, target) = (words.next()?.to_owned(), words.next()?.to_owned());
    let (path, query) = target.split_once('?').unwrap_or((&target, ""));
    let query = query
        .split('&')
        .filter_map(|pair| pair.split_once('='))
        .map(|(k, v)| (k.to_owned(), v.to_owned()))
        .collect();
    let (mut accept, mut length) = (String::new(), 0);
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).ok().filter(|n| *n > 0)?;
        let Some((name, value)) = line.trim_end().split_once(':') else {
            break;
        };
        match name.to_ascii_lowercase().as_str() {
            "accept" => accept = value.trim().to_owned(),
            "content-length" => length = value.trim().parse().ok()?,
            _ => {}
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    Some(Request { method, path: path.to_owned(), query, accept, body })
}

fn write_all(stream: &mut TcpStream, parts: &[&[u8]]) -> io::Result<u64> {
    let mut slices: Vec<IoSlice<'_>> = parts.iter().map(|part| IoSlice::new(part)).collect();
    let mut left = &mut slices[..];
    let mut total = 0;
    while left.iter().any(|part| !part.is_empty()) {
        let written = stream.write_vectored(left)?;
        total += written as u64;
        IoSlice::advance_slices(&mut left, written);
    }
    Ok(total)
}

impl Server {
    fn shelf(&self, kind: FleetKind) -> &Shelf {
        self.shelves.iter().find(|shelf| shelf.kind == kind).expect("one for each")
    }

    fn connection(&self, stream: TcpStream) {
        let _ = stream.set_nodelay(true);
        let Ok(mut writer) = stream.try_clone() else {
            return;
        };
        let mut reader = BufReader::new(stream);
        while let Some(request) = read_request(&mut reader) {
            self.requests.fetch_add(1, Relaxed);
            if !self.delay.is_zero() {
                std::thread::sleep(self.delay);
            }
            match self.answer(&request, &mut writer) {
                Ok(true) => {}
                Ok(false) | Err(_) => return,
            }
        }
    }

    fn send(&self, writer: &mut TcpStream, status: &str, kind: &str, parts: &[&[u8]]) -> io::Result<bool> {
        let length: usize = parts.iter().map(|part| part.len()).sum();
        let head = format!("HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {length}\r\n\r\n");
        let mut all = vec![head.as_bytes()];
        all.extend_from_slice(parts);
        let sent = write_all(writer, &all)?;
        self.bytes_out.fetch_add(sent, Relaxed);
        Ok(true)
    }

    fn json(&self, writer: &mut TcpStream, body: &str) -> io::Result<bool> {
        self.send(writer, "200 OK", "application/json", &[body.as_bytes()])
    }

    /// `false` when the connection has ended with the answer.
    fn answer(&self, request: &Request, writer: &mut TcpStream) -> io::Result<bool> {
        let path: Vec<&str> = request.path.split('/').filter(|part| !part.is_empty()).collect();
        if request.method == "POST" && request.path.contains("/selfsubject") {
            let status = if request.path.ends_with("rulesreviews") {
                r#"{"resourceRules":[{"verbs":["*"],"apiGroups":["*"],"resources":["*"]}],"nonResourceRules":[{"verbs":["*"],"nonResourceURLs":["*"]}],"incomplete":false}"#
            } else {
                r#"{"allowed":true}"#
            };
            let mut review: serde_json::Value = serde_json::from_slice(&request.body).unwrap_or_default();
            if !review.is_object() {
                // Sent as protobuf: its kind is in the path, and of the answer only the status is read.
                let kind = if request.path.ends_with("rulesreviews") { "Rules" } else { "Access" };
                let kind = format!("SelfSubject{kind}Review");
                review =
                    serde_json::json!({"apiVersion": "authorization.k8s.io/v1", "kind": kind, "spec": {}});
            }
            if let Some(map) = review.as_object_mut() {
                map.insert("status".to_owned(), serde_json::from_str(status).expect("written here"));
            }
            return self.send(writer, "201 Created", "application/json", &[review.to_string().as_bytes()]);
        }
        match *path {
            ["version"] => self.json(
                writer,
                r#"{"major":"1","minor":"33","gitVersion":"v1.33.1","gitCommit":"8adc0f041b8e7ad1d30e29cc59c6ae7a15e19828","gitTreeState":"clean","buildDate":"2025-05-15T08:19:08Z","goVersion":"go1.24.2","compiler":"gc","platform":"linux/amd64"}"#,
            ),
            ["healthz" | "livez" | "readyz"] => self.send(writer, "200 OK", "text/plain", &[b"ok"]),
            ["api"] | ["apis"] => self.discovery(path[0] == "api", &request.accept, writer),
            ["api", version] => self.resources("", version, writer),
            ["apis", group] if GROUPS.iter().any(|(g, ..)| *g == group) => self.group(group, writer),
            ["apis", group, version] => self.resources(group, version, writer),
            ["api", _, plural] | ["apis", _, _, plural] => self.list(plural, request, writer),
            ["api", _, "namespaces", namespace, plural, name]
            | ["apis", _, _, "namespaces", namespace, plural, name] => {
                self.get(plural, namespace, name, writer)
            }
            ["api", _, "namespaces", _, _] | ["apis", _, _, "namespaces", _, _] => {
                self.list("", request, writer)
            }
            _ => self.missing(writer),
        }
    }

    fn missing(&self, writer: &mut TcpStream) -> io::Result<bool> {
        let body = br#"{"kind":"Status","apiVersion":"v1","metadata":{},"status":"Failure","message":"the server could not find the requested resource","reason":"NotFound","details":{},"code":404}"#;
        self.send(writer, "404 Not Found", "application/json", &[body])
    }

    fn get(&self, plural: &str, namespace: &str, name: &str, writer: &mut TcpStream) -> io::Result<bool> {
        let found = FleetKind::parse(plural).and_then(|kind| {
            let shelf = self.shelf(kind);
            let digits = name.trim_end_matches("-rootdisk").rsplit('-').next()?;
            let index: usize = digits.parse().ok()?;
            let item = shelf.items.get(*shelf.places.get(index)? as usize)?;
            (self.fleet.name(index).0 == namespace).then(|| {
                let mut body = Vec::with_capacity(9000);
                shelf.object(item, &mut body);
                body
            })
        });
        match found {
            Some(body) => self.send(writer, "200 OK", "application/json", &[&body]),
            None => self.missing(writer),
        }
    }

    fn list(&self, plural: &str, request: &Request, writer: &mut TcpStream) -> io::Result<bool> {
        let kind = FleetKind::parse(plural);
        let query = |name: &str| request.query.get(name).map(String::as_str);
        let table = request.accept.contains("as=Table");
        if matches!(query("watch"), Some("true" | "1")) {
            return self.watch(kind, table, request, writer);
        }
        self.list_requests.fetch_add(1, Relaxed);
        let revision = self.fleet.list_revision();
        let Some(kind) = kind else {
            if plural == "namespaces" {
                return self.namespaces(writer);
            }
            let name = RESOURCES.iter().find(|(p, ..)| *p == plural).map_or("", |(_, kind, ..)| kind);
            let version = request.path.split('/').skip(2).take(2).collect::<Vec<_>>();
            let version = if request.path.starts_with("/api/") { "v1".to_owned() } else { version.join("/") };
            return self.json(writer, &format!(r#"{{"apiVersion":"{version}","items":[],"kind":"{name}List","metadata":{{"continue":"","resourceVersion":"{revision}"}}}}"#));
        };
        let shelf = self.shelf(kind);
        let start =
            query("continue").and_then(|token| token.strip_prefix("from-")?.parse().ok()).unwrap_or(0_usize);
        let whole = start == 0 && query("resourceVersion") == Some("0");
        let limit = query("limit").and_then(|text| text.parse().ok()).filter(|n| *n > 0 && !whole);
        let start = start.min(shelf.items.len());
        let end = limit.map_or(shelf.items.len(), |limit: usize| shelf.items.len().min(start + limit));
        let left = shelf.items.len() - end;
        let (token, remaining) =
            if left > 0 { (format!("from-{end:09}"), Some(left as u64)) } else { (String::new(), None) };
        if table {
            let rows = self.rows[kind as usize].get_or_init(|| {
                let (mut bytes, mut places) = (Vec::new(), Vec::new());
                for item in &shelf.items {
                    if !places.is_empty() {
                        bytes.push(b',');
                    }
                    let start = bytes.len();
                    shelf.row(item, &mut bytes);
                    places.push((start, bytes.len()));
                }
                (bytes, places)
            });
            let mut meta = format!(r#""resourceVersion":"{revision}""#);
            if let Some(remaining) = remaining {
                meta.push_str(&format!(r#","continue":"{token}","remainingItemCount":{remaining}"#));
            }
            let head = format!(
                r#"{{"kind":"Table","apiVersion":"meta.k8s.io/v1","metadata":{{{meta}}},"columnDefinitions":{},"rows":["#,
                kind.columns()
            );
            let body = rows
                .1
                .get(start..end)
                .filter(|places| !places.is_empty())
                .map_or(&[][..], |places| &rows.0[places[0].0..places[places.len() - 1].1]);
            return self.send(writer, "200 OK", "application/json", &[head.as_bytes(), body, b"]}\n"]);
        }
        let body = shelf
            .items
            .get(start..end)
            .filter(|items| !items.is_empty())
            .map_or(&[][..], |items| &shelf.bytes[items[0].start..items[items.len() - 1].end]);
        let head = kind.list_head(revision, &token, remaining);
        let tail = kind.list_tail(revision, &token, remaining);
        self.send(writer, "200 OK", "application/json", &[head.as_bytes(), body, tail.as_bytes()])
    }

    fn namespaces(&self, writer: &mut TcpStream) -> io::Result<bool> {
        let items: Vec<String> = self
            .fleet
            .namespaces()
            .iter()
            .enumerate()
            .map(|(n, name)| format!(r#"{{"metadata":{{"name":"{name}","uid":"00000000-0000-4000-b000-{n:012}","resourceVersion":"{}","creationTimestamp":"2024-01-01T00:00:00Z","labels":{{"kubernetes.io/metadata.name":"{name}"}}}},"spec":{{"finalizers":["kubernetes"]}},"status":{{"phase":"Active"}}}}"#, 1000 + n))
            .collect();
        self.json(
            writer,
            &format!(
                r#"{{"kind":"NamespaceList","apiVersion":"v1","metadata":{{"resourceVersion":"{}"}},"items":[{}]}}"#,
                self.fleet.list_revision(),
                items.join(",")
            ),
        )
    }

    fn discovery(&self, core: bool, accept: &str, writer: &mut TcpStream) -> io::Result<bool> {
        let groups = || GROUPS.iter().filter(|(group, ..)| group.is_empty() == core);
        let Some(version) =
            ["v2", "v2beta1"].into_iter().find(|v| accept.contains(&format!("g=apidiscovery.k8s.io;v={v}")))
        else {
            if core {
                return self.json(
                    writer,
                    r#"{"kind":"APIVersions","versions":["v1"],"serverAddressByClientCIDRs":[]}"#,
                );
            }
            let groups: Vec<String> =
                groups().map(|(group, version)| group_entry(group, version, "")).collect();
            return self.json(
                writer,
                &format!(r#"{{"kind":"APIGroupList","apiVersion":"v1","groups":[{}]}}"#, groups.join(",")),
            );
        };
        let items: Vec<String> = groups()
            .map(|(group, group_version)| {
                let name = if core { "{}".to_owned() } else { format!(r#"{{"name":"{group}"}}"#) };
                let resources: Vec<String> = RESOURCES
                    .iter()
                    .filter(|(.., of, _)| of == group)
                    .map(|(plural, kind, short, namespaced, ..)| {
                        format!(
                            r#"{{"resource":"{plural}","responseKind":{{"group":"{group}","version":"{group_version}","kind":"{kind}"}},"scope":"{}","singularResource":"{}",{}"verbs":{VERBS}}}"#,
                            if *namespaced { "Namespaced" } else { "Cluster" },
                            kind.to_lowercase(),
                            if short.is_empty() { String::new() } else { format!(r#""shortNames":["{short}"],"#) },
                        )
                    })
                    .collect();
                format!(
                    r#"{{"metadata":{name},"versions":[{{"version":"{group_version}","resources":[{}],"freshness":"Current"}}]}}"#,
                    resources.join(",")
                )
            })
            .collect();
        let body = format!(
            r#"{{"kind":"APIGroupDiscoveryList","apiVersion":"apidiscovery.k8s.io/{version}","metadata":{{}},"items":[{}]}}"#,
            items.join(",")
        );
        let kind = format!("application/json;g=apidiscovery.k8s.io;v={version};as=APIGroupDiscoveryList");
        self.send(writer, "200 OK", &kind, &[body.as_bytes()])
    }

    fn group(&self, group: &str, writer: &mut TcpStream) -> io::Result<bool> {
        let version = GROUPS.iter().find(|(g, _)| *g == group).map_or("", |(_, version)| version);
        self.json(writer, &group_entry(group, version, r#""kind":"APIGroup","apiVersion":"v1","#))
    }

    fn resources(&self, group: &str, version: &str, writer: &mut TcpStream) -> io::Result<bool> {
        if !GROUPS.iter().any(|(g, v)| *g == group && *v == version) {
            return self.missing(writer);
        }
        let resources: Vec<String> = RESOURCES
            .iter()
            .filter(|(.., of, _)| *of == group)
            .map(|(plural, kind, short, namespaced, ..)| {
                format!(
                    r#"{{"name":"{plural}","singularName":"{}","namespaced":{namespaced},"kind":"{kind}",{}"verbs":{VERBS}}}"#,
                    kind.to_lowercase(),
                    if short.is_empty() { String::new() } else { format!(r#""shortNames":["{short}"],"#) },
                )
            })
            .collect();
        let full = if group.is_empty() { version.to_owned() } else { format!("{group}/{version}") };
        self.json(
            writer,
            &format!(
                r#"{{"kind":"APIResourceList","apiVersion":"v1","groupVersion":"{full}","resources":[{}]}}"#,
                resources.join(",")
            ),
        )
    }

    // -------------------------------------------------------------------------------------------- watches

    fn watch(
        &self,
        kind: Option<FleetKind>,
        table: bool,
        request: &Request,
        writer: &mut TcpStream,
    ) -> io::Result<bool> {
        let is = |name: &str| matches!(request.query.get(name).map(String::as_str), Some("true" | "1"));
        let head = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n";
        let mut sent = write_all(writer, &[head])?;
        let watch = Arc::new(Watch {
            kind,
            table,
            bookmarks: is("allowWatchBookmarks"),
            stream: Mutex::new(writer.try_clone()?),
            closed: false.into(),
        });
        // Held while the initial events go out, so that none of the later ones comes before them.
        let stream = watch.stream.lock().unwrap();
        self.watches.lock().unwrap().push(Arc::clone(&watch));
        if let Some(kind) = kind.filter(|_| is("sendInitialEvents")) {
            let shelf = self.shelf(kind);
            let mut batch = Vec::with_capacity(300_000);
            for item in &shelf.items {
                let mut line = Vec::with_capacity(9000);
                line.extend_from_slice(br#"{"type":"ADDED","object":"#);
                if table {
                    line.extend_from_slice(TABLE_EVENT.as_bytes());
                    shelf.row(item, &mut line);
                    line.extend_from_slice(b"]}");
                } else {
                    shelf.object(item, &mut line);
                }
                line.extend_from_slice(b"}\n");
                chunk(&line, &mut batch);
                if batch.len() > 256 * 1024 {
                    sent += write_all(writer, &[&batch])?;
                    batch.clear();
                }
            }
            let mut line = Vec::new();
            Fleet::write_bookmark(kind, self.fleet.list_revision(), true, &mut line);
            chunk(&line, &mut batch);
            sent += write_all(writer, &[&batch])?;
        }
        drop(stream);
        self.bytes_out.fetch_add(sent, Relaxed);
        // The client says nothing more: reading ends when it goes away or the time it asked for is over.
        let seconds = request.query.get("timeoutSeconds").and_then(|text| text.parse().ok());
        writer.set_read_timeout(seconds.filter(|s| *s > 0).map(Duration::from_secs))?;
        let over = matches!(writer.read(&mut [0; 64]), Err(e) if matches!(e.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut));
        self.close(&watch);
        if over {
            let _ = write_all(writer, &[b"0\r\n\r\n"]);
        }
        let _ = writer.shutdown(std::net::Shutdown::Both);
        Ok(false)
    }

    fn close(&self, watch: &Arc<Watch>) {
        watch.closed.store(true, Relaxed);
        self.watches.lock().unwrap().retain(|other| !Arc::ptr_eq(other, watch));
    }

    fn open(&self, kind: FleetKind) -> Vec<Arc<Watch>> {
        self.watches.lock().unwrap().iter().filter(|watch| watch.kind == Some(kind)).cloned().collect()
    }

    fn deliver(&self, watch: &Arc<Watch>, bytes: &[u8]) {
        if watch.closed.load(Relaxed) {
            return;
        }
        let result = write_all(&mut watch.stream.lock().unwrap(), &[bytes]);
        match result {
            Ok(sent) => {
                self.bytes_out.fetch_add(sent, Relaxed);
            }
            Err(_) => self.close(watch),
        }
    }

    fn bookmarks(&self) {
        for kind in FleetKind::ALL {
            let mut line = Vec::new();
            Fleet::write_bookmark(kind, self.newest.load(Relaxed), false, &mut line);
            let mut bytes = Vec::new();
            chunk(&line, &mut bytes);
            for watch in self.open(kind).iter().filter(|watch| watch.bookmarks && !watch.table) {
                self.deliver(watch, &bytes);
            }
        }
    }

    /// Renders up to [`RING`] events, then sends them round and round with ever newer resource versions.
    fn events(&self, kind: FleetKind, count: u64, rate: u64) {
        let shelf = self.shelf(kind);
        let open = self.open(kind);
        let (plain, table) = (open.iter().any(|w| !w.table), open.iter().any(|w| w.table));
        let (mut rings, first) = ([Ring::default(), Ring::default()], self.newest.load(Relaxed));
        let mut dice = Dice::new(first);
        let (mut object, mut line) = (Vec::new(), Vec::new());
        for n in 0..count.min(RING) {
            if shelf.items.is_empty() {
                break;
            }
            let item = &shelf.items[dice.below(shelf.items.len() as u64) as usize];
            object.clear();
            self.fleet.write(kind, item.index as usize, n + 1, &mut object);
            if plain {
                line.clear();
                line.extend_from_slice(
                    format!(r#"{{"type":"{}","object":"#, Change::Modified.text()).as_bytes(),
                );
                line.extend_from_slice(&object);
                line.extend_from_slice(b"}\n");
                rings[0].push(&line);
            }
            if table {
                line.clear();
                line.extend_from_slice(
                    format!(r#"{{"type":"{}","object":{TABLE_EVENT}"#, Change::Modified.text()).as_bytes(),
                );
                let metadata = metadata_of(kind, false, &object);
                self.fleet.row(kind, item.index as usize, n + 1, &object[metadata], &mut line);
                line.extend_from_slice(b"]}}\n");
                rings[1].push(&line);
            }
        }
        let length = rings.iter().map(|ring| ring.places.len()).max().unwrap_or(0);
        println!(r#"{{"begun":{count}}}"#);
        let (started, mut sent) = (Instant::now(), 0_u64);
        while sent < count && length > 0 {
            let due = if rate == 0 {
                count
            } else {
                count.min((started.elapsed().as_secs_f64() * rate as f64) as u64 + 1)
            };
            // In runs of at most sixteen: one write each, and no watch waits long for another.
            while sent < due {
                let at = (sent % length as u64) as usize;
                let run = (due - sent).min(16).min((length - at) as u64) as usize;
                for (n, slot) in (at..at + run).enumerate() {
                    let version = first + (sent + n as u64 + 1) * 11;
                    for ring in &mut rings {
                        ring.stamp(slot, version);
                    }
                }
                for watch in &open {
                    self.deliver(watch, rings[usize::from(watch.table)].slice(at..at + run));
                }
                sent += run as u64;
                self.newest.store(first + sent * 11, Relaxed);
            }
            if sent < count {
                let next = Duration::from_secs_f64(sent as f64 / rate as f64);
                std::thread::sleep(next.saturating_sub(started.elapsed()).max(Duration::from_micros(200)));
            }
        }
        println!(r#"{{"sent":{}}}"#, started.elapsed().as_secs_f64());
    }
}

const RING: u64 = 16_384;
const TABLE_EVENT: &str =
    r#"{"kind":"Table","apiVersion":"meta.k8s.io/v1","metadata":{},"columnDefinitions":null,"rows":["#;

/// Events, each as a chunk of its own: a real server flushes each.
#[derive(Default)]
struct Ring {
    bytes: Vec<u8>,
    /// Start, end, and where the digits of the resource version stand.
    places: Vec<(usize, usize, usize)>,
}

impl Ring {
    fn push(&mut self, line: &[u8]) {
        let start = self.bytes.len();
        chunk(line, &mut self.bytes);
        let key = br#""resourceVersion":""#;
        let digits = memchr::memmem::find(&self.bytes[start..], key).expect("every object has one");
        self.places.push((start, self.bytes.len(), start + digits + key.len()));
    }

    /// Writes another version of as many digits.
    fn stamp(&mut self, slot: usize, version: u64) {
        if let Some((.., digits)) = self.places.get(slot) {
            let text = version.to_string();
            self.bytes[*digits..digits + text.len()].copy_from_slice(text.as_bytes());
        }
    }

    fn slice(&self, slots: std::ops::Range<usize>) -> &[u8] {
        match (self.places.get(slots.start), self.places.get(slots.end - 1)) {
            (Some(first), Some(last)) => &self.bytes[first.0..last.1],
            _ => &[],
        }
    }
}

fn chunk(line: &[u8], out: &mut Vec<u8>) {
    out.extend_from_slice(format!("{:x}\r\n", line.len()).as_bytes());
    out.extend_from_slice(line);
    out.extend_from_slice(b"\r\n");
}

const VERBS: &str = r#"["create","delete","deletecollection","get","list","patch","update","watch"]"#;

const GROUPS: [(&str, &str); 3] = [("", "v1"), ("kubevirt.io", "v1"), ("cdi.kubevirt.io", "v1beta1")];

/// Plural, kind, short name, namespaced, group, and whether it is one of ours.
const RESOURCES: [(&str, &str, &str, bool, &str, bool); 16] = [
    ("namespaces", "Namespace", "ns", false, "", false),
    ("nodes", "Node", "no", false, "", false),
    ("pods", "Pod", "po", true, "", false),
    ("events", "Event", "ev", true, "", false),
    ("services", "Service", "svc", true, "", false),
    ("persistentvolumes", "PersistentVolume", "pv", false, "", false),
    ("persistentvolumeclaims", "PersistentVolumeClaim", "pvc", true, "", true),
    ("virtualmachines", "VirtualMachine", "vm", true, "kubevirt.io", true),
    ("virtualmachineinstances", "VirtualMachineInstance", "vmi", true, "kubevirt.io", true),
    (
        "virtualmachineinstancemigrations",
        "VirtualMachineInstanceMigration",
        "vmim",
        true,
        "kubevirt.io",
        false,
    ),
    ("kubevirts", "KubeVirt", "kv", true, "kubevirt.io", false),
    ("datavolumes", "DataVolume", "dv", true, "cdi.kubevirt.io", true),
    ("datasources", "DataSource", "das", true, "cdi.kubevirt.io", false),
    ("dataimportcrons", "DataImportCron", "dic", true, "cdi.kubevirt.io", false),
    ("storageprofiles", "StorageProfile", "", false, "cdi.kubevirt.io", false),
    ("cdis", "CDI", "", false, "cdi.kubevirt.io", false),
];

fn group_entry(group: &str, version: &str, head: &str) -> String {
    let entry = format!(r#"{{"groupVersion":"{group}/{version}","version":"{version}"}}"#);
    format!(r#"{{{head}"name":"{group}","versions":[{entry}],"preferredVersion":{entry}}}"#)
}
