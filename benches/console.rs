//! P13: the console. The emulator alone, and with the pane around it: messages as they come from a stream, a frame each 33 ms, keys
//! in between, and the memory of all of it. And how long a key is on its way to a guest and back, over a WebSocket on loopback,
//! without TLS and without a screen.
#![allow(dead_code, unreachable_pub, clippy::unwrap_used, clippy::expect_used)]

use std::convert::Infallible;
use std::time::{Duration, Instant};

use bytes::Bytes;
use futures::{SinkExt as _, StreamExt as _};
use http::{Request, Response, StatusCode, header};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use serde_json::json;
use tokio::net::TcpListener;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;
use tokio_tungstenite::tungstenite::protocol::Role;
use v9s::cluster::connect::connect;
use v9s::cluster::console::{self, ConsoleInput, ConsoleNews, ConsoleRequest, PIECE, Pace, Platform, State};
use v9s::cluster::gate::{ContextId, Gate};
use v9s::cluster::kubeconfig::{self, Flags};
use v9s::emulator::Emulator;
use v9s::model::Now;
use v9s::ui::input::Key;
use v9s::ui::message::{Answer, Effect, Message, Question};

use crate::filled::Filled;
use crate::process::usage;
use crate::{Bench, Outcome};

/// Frames of a flood come this often.
const FRAME: Duration = Duration::from_millis(33);

/// What guests write: a boot log with colours, and a program that draws its whole screen again and again.
fn streams() -> [(&'static str, Vec<u8>); 2] {
    let mut log = Vec::new();
    for n in 0..2_000 {
        log.extend_from_slice(
            format!(
                "[{:>5}.{n:06}] systemd[1]: \x1b[0;32mStarted\x1b[0m \x1b[1mUnit {n} of the boot\x1b[0m.\r\n",
                n / 9
            )
            .as_bytes(),
        );
    }
    let mut screen = Vec::new();
    for n in 0..40 {
        screen.extend_from_slice(b"\x1b[H");
        for row in 0..40 {
            screen.extend_from_slice(
                format!(
                    "\x1b[{};1H\x1b[3{}m{:>5}\x1b[m root {:>3}.{} \x1b[1m/usr/bin/process-{n}\x1b[m\x1b[K",
                    row + 1,
                    row % 8,
                    n * row,
                    n,
                    row
                )
                .as_bytes(),
            );
        }
    }
    [("a boot log", log), ("a full-screen program", screen)]
}

fn megabytes_a_second(bytes: usize, time: Duration) -> f64 {
    bytes as f64 / 1e6 / time.as_secs_f64()
}

/// What a pane costs while its guest floods it.
struct Flood {
    /// Megabytes a second.
    speed: f64,
    /// The longest time from a key to what is sent for it, in milliseconds: the step that was under way when it came, and its own.
    longest: f64,
    /// Bytes of memory that came to it after the first tenth.
    grown: f64,
}

/// Measures it.
pub fn console(bench: &mut Bench) -> Outcome {
    let mut out = Outcome::default();
    let wanted = if bench.quick { 10_000_000 } else { 100_000_000 };
    for (name, stream) in streams() {
        let rounds = wanted / stream.len() + 1;
        let mut emulator = Emulator::new(120, 40, 10_000);
        let began = Instant::now();
        for _ in 0..rounds {
            for piece in stream.chunks(PIECE) {
                emulator.feed(piece);
            }
        }
        let speed = megabytes_a_second(rounds * stream.len(), began.elapsed());
        out.at_least(format!("the emulator alone, {name}"), 60.0, speed, " MB/s");
    }
    for (name, stream) in streams() {
        match through_the_pane(&stream, wanted) {
            Some(Flood { speed, longest, grown }) => {
                out.at_least(format!("through the pane, {name}"), 20.0, speed, " MB/s");
                out.at_most(format!("the longest a key waits meanwhile, {name}"), 16.7, longest, " ms");
                let what =
                    format!("memory that the last nine tenths of {} MB added, {name}", wanted / 1_000_000);
                out.at_most(what, 4.0, grown / 1e6, " MB");
            }
            None => out.skip(format!("through the pane, {name}"), "no console was asked for"),
        }
    }
    match echoes(if bench.quick { 200 } else { 2_000 }) {
        Some(mut times) => {
            times.sort_unstable();
            let milliseconds = |at: usize| times[at].as_secs_f64() * 1e3;
            out.at_most(
                "a key and its echo over a WebSocket, the median",
                1.0,
                milliseconds(times.len() / 2),
                " ms",
            );
            out.note("the same, 99 of 100 within", format!("{:.3} ms", milliseconds(times.len() * 99 / 100)));
        }
        None => out.skip("a key and its echo over a WebSocket", "the console did not open"),
    }
    out
}

/// A server with one machine, whose guest says what it is told.
async fn serve(listener: TcpListener) {
    while let Ok((stream, _)) = listener.accept().await {
        let _ = stream.set_nodelay(true);
        let service = service_fn(|request| async move { Ok::<_, Infallible>(answer(request)) });
        let served = http1::Builder::new().serve_connection(TokioIo::new(stream), service).with_upgrades();
        tokio::spawn(async move { served.await.ok() });
    }
}

fn answer(mut request: Request<Incoming>) -> Response<Full<Bytes>> {
    if !request.uri().path().ends_with("/console") {
        let instance = json!({
            "metadata": {"namespace": "default", "name": "echo", "uid": "echo"},
            "status": {"phase": "Running", "nodeName": "node-1"},
        });
        return Response::new(Full::new(instance.to_string().into()));
    }
    let key = request.headers().get(header::SEC_WEBSOCKET_KEY).map(|key| derive_accept_key(key.as_bytes()));
    let upgraded = hyper::upgrade::on(&mut request);
    tokio::spawn(async move {
        let Ok(upgraded) = upgraded.await else { return };
        let mut socket = WebSocketStream::from_raw_socket(TokioIo::new(upgraded), Role::Server, None).await;
        while let Some(Ok(message)) = socket.next().await {
            if message.is_binary() && socket.send(message).await.is_err() {
                return;
            }
        }
    });
    let mut response = Response::new(Full::default());
    *response.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
    for (name, value) in [
        (header::UPGRADE, "websocket".to_owned()),
        (header::CONNECTION, "Upgrade".to_owned()),
        (header::SEC_WEBSOCKET_ACCEPT, key.unwrap_or_default()),
    ] {
        response.headers_mut().insert(name, value.parse().expect("a value"));
    }
    response
}

/// How long keys took to a guest that says what it is told, and back.
fn echoes(count: usize) -> Option<Vec<Duration>> {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().ok()?;
    runtime.block_on(async {
        let listener = TcpListener::bind("127.0.0.1:0").await.ok()?;
        let kubeconfig = json!({
            "apiVersion": "v1", "kind": "Config", "current-context": "bench",
            "clusters": [{"name": "bench", "cluster": {"server": format!("http://{}", listener.local_addr().ok()?)}}],
            "users": [{"name": "bench", "user": {}}],
            "contexts": [{"name": "bench", "context": {"cluster": "bench", "user": "bench"}}],
        });
        tokio::spawn(serve(listener));
        let folder = tempfile::tempdir().ok()?;
        let file = folder.path().join("kubeconfig");
        std::fs::write(&file, kubeconfig.to_string()).ok()?;
        let flags = Flags { kubeconfig: Some(file), ..Flags::default() };
        let configuration = kubeconfig::load(&flags, &|_| None, None).ok()?;
        let gate = Gate::new(false);
        gate.show(ContextId(1));
        let connection = connect(&configuration, None, &flags, ContextId(1), &gate).await.ok()?;
        let (keyboard, hands) = console::keyboard();
        let request = ConsoleRequest {
            platform: Platform::KubeVirt,
            or: None,
            namespace: "default".into(),
            name: "echo".into(),
            backlog: 0,
        };
        let mut console = console::open(connection, request, hands, Pace::default());
        loop {
            match console.next().await? {
                ConsoleNews::State(State::Live { .. }) => break,
                ConsoleNews::State(State::Closed(_)) => return None,
                _ => {}
            }
        }
        let mut times = Vec::with_capacity(count);
        while times.len() < count {
            let began = Instant::now();
            keyboard.put(ConsoleInput::Typed(Bytes::from_static(b"x"))).ok()?;
            while !matches!(console.next().await?, ConsoleNews::Bytes(_)) {}
            times.push(began.elapsed());
        }
        Some(times)
    })
}

/// Floods a pane.
fn through_the_pane(stream: &[u8], wanted: usize) -> Option<Flood> {
    let mut filled = Filled::new(10);
    let mut effects = Vec::new();
    filled.app.update(Message::Key(Key::char('s')), Now::read(), &mut effects);
    let ticket = effects.iter().find_map(|effect| match effect {
        Effect::Ask { ticket, question: Question::Console(_), .. } => Some(*ticket),
        _ => None,
    })?;
    let tell = |filled: &mut Filled, news: ConsoleNews| {
        filled.app.update(Message::Answer(ticket, Answer::Console(news)), Now::read(), &mut Vec::new());
    };
    tell(&mut filled, ConsoleNews::State(State::Live { node: "node-1".into(), paused: false, after: None }));
    filled.draw();
    let pieces: Vec<Bytes> = stream.chunks(PIECE).map(Bytes::copy_from_slice).collect();
    let rounds = wanted / stream.len() + 1;
    let resident = || usage(std::process::id()).map_or(0.0, |usage| usage.resident as f64);
    let (began, mut drawn, mut longest) = (Instant::now(), Instant::now(), Duration::ZERO);
    let mut settled = None;
    for round in 0..rounds {
        if round * 10 >= rounds && settled.is_none() {
            settled = Some(resident());
        }
        for piece in &pieces {
            // A key comes at the worst moment: just as a piece and a frame are begun.
            let step = Instant::now();
            tell(&mut filled, ConsoleNews::Bytes(piece.clone()));
            if drawn.elapsed() >= FRAME {
                filled.draw();
                drawn = Instant::now();
            }
            let mut sent = Vec::new();
            filled.app.update(Message::Key(Key::char('x')), Now::read(), &mut sent);
            assert!(sent.iter().any(|effect| matches!(effect, Effect::Tell(..))), "the key is sent at once");
            longest = longest.max(step.elapsed());
        }
    }
    let speed = megabytes_a_second(rounds * stream.len(), began.elapsed());
    let grown = resident() - settled.unwrap_or_default();
    Some(Flood { speed, longest: longest.as_secs_f64() * 1e3, grown })
}
