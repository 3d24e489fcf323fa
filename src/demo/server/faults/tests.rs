//! What a client sees of faults, byte by byte.

use std::time::Duration;

use serde_json::json;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, DuplexStream};
use tokio::time::timeout;

use crate::demo::server::{MASTERS, Options, Server, User};

const PODS: &str = "/api/v1/namespaces/shop/pods";

fn server() -> Server {
    let users = vec![("t".to_owned(), User::new("admin", &[MASTERS]))];
    let server = Server::new(Options { users, ..Options::default() });
    pod(&server, "first");
    server
}

fn pod(server: &Server, name: &str) {
    let metadata = json!({"namespace": "shop", "name": name});
    server.put(json!({"apiVersion": "v1", "kind": "Pod", "metadata": metadata})).unwrap();
}

/// A connection with one request on it.
struct Client {
    stream: DuplexStream,
    read: String,
}

impl Client {
    async fn get(server: &Server, path: &str) -> Self {
        let mut stream = server.connect();
        let request = format!("GET {path} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer t\r\n\r\n");
        stream.write_all(request.as_bytes()).await.unwrap();
        Self { stream, read: String::new() }
    }

    /// Reads until there is this text.
    async fn until(&mut self, wanted: &str) -> &mut Self {
        while !self.read.contains(wanted) {
            assert!(self.more(Duration::from_secs(20)).await, "the end instead of {wanted:?}: {}", self.read);
        }
        self
    }

    /// Reads until the connection is closed.
    async fn end(&mut self) -> &str {
        while self.more(Duration::from_secs(20)).await {}
        &self.read
    }

    async fn is_silent(&mut self) -> bool {
        let mut buffer = [0; 4096];
        timeout(Duration::from_millis(80), self.stream.read(&mut buffer)).await.is_err()
    }

    async fn more(&mut self, patience: Duration) -> bool {
        let mut buffer = [0; 4096];
        let read = timeout(patience, self.stream.read(&mut buffer)).await;
        let count = read.unwrap_or_else(|_| panic!("nothing comes after {:?}", self.read)).unwrap_or(0);
        self.read.push_str(&String::from_utf8_lossy(&buffer[..count]));
        count > 0
    }
}

fn ask(server: &Server, spec: &str) {
    server.faults().add(&spec.parse().unwrap());
}

#[tokio::test]
async fn answers_in_place_of_the_real_ones() {
    for (spec, head, words) in [
        ("401", "HTTP/1.1 401 ", "\"reason\":\"Unauthorized\""),
        ("410", "HTTP/1.1 410 ", "\"reason\":\"Expired\""),
        ("429=3s", "HTTP/1.1 429 ", "\"retryAfterSeconds\":3"),
        ("500", "HTTP/1.1 500 ", "\"reason\":\"InternalError\""),
        ("503", "HTTP/1.1 503 ", "\"reason\":\"ServiceUnavailable\""),
    ] {
        let server = server();
        ask(&server, &format!("{spec},times=1"));
        let mut client = Client::get(&server, PODS).await;
        client.until("\"kind\":\"Status\"").await.until(words).await;
        assert!(client.read.starts_with(head), "{spec}: {}", client.read);
        assert_eq!(client.read.contains("retry-after: 3\r\n"), spec == "429=3s", "{spec}: {}", client.read);
        Client::get(&server, PODS).await.until("HTTP/1.1 200 ").await.until("\"first\"").await;
    }
}

#[tokio::test]
async fn lists_are_cut_garbled_and_late() {
    let server = server();
    ask(&server, "cut=30,times=1");
    let mut client = Client::get(&server, PODS).await;
    let text = client.end().await;
    let body = text.split_once("\r\n\r\n").unwrap().1;
    assert!(body.contains("{\"kind\":\"PodList\",\"apiVersion\""), "{text}");
    assert!(body.len() < 50 && !body.contains("first"), "{text}");
    ask(&server, "garbage,times=1");
    Client::get(&server, PODS).await.until("not JSON").await.until("first").await;
    ask(&server, "garbage=http,times=1");
    let mut client = Client::get(&server, PODS).await;
    assert!(client.more(Duration::from_secs(20)).await);
    assert!(!client.read.contains("HTTP"), "{}", client.read);
    ask(&server, "silence,times=1");
    assert!(Client::get(&server, PODS).await.is_silent().await);
    ask(&server, "silence=10,times=1");
    let mut client = Client::get(&server, PODS).await;
    assert!(client.until("{\"kind\":\"P").await.is_silent().await);
    ask(&server, "latency=100ms,times=1");
    let asked = std::time::Instant::now();
    Client::get(&server, PODS).await.until("first").await;
    assert!(asked.elapsed() >= Duration::from_millis(100));
}

#[tokio::test]
async fn open_watches_meet_what_begins() {
    for (spec, wanted) in [
        ("drop", "\r\n0\r\n\r\n"),
        ("503", "\r\n0\r\n\r\n"),
        ("drop,after=50ms", "\r\n0\r\n\r\n"),
        ("410", "{\"type\":\"ERROR\",\"object\":{"),
        ("garbage", "not JSON"),
    ] {
        let server = server();
        let mut client = Client::get(&server, &format!("{PODS}?watch=1")).await;
        client.until("\"first\"").await;
        ask(&server, spec);
        client.until(wanted).await;
        if spec == "garbage" {
            pod(&server, "second");
            client.until("\"second\"").await;
            assert_eq!(client.read.matches("not JSON").count(), 1, "{}", client.read);
        }
    }
    let server = server();
    let mut client = Client::get(&server, &format!("{PODS}?watch=1")).await;
    client.until("\"first\"").await;
    ask(&server, "cut=50");
    assert!(client.is_silent().await, "there is nothing to cut yet");
    pod(&server, "second");
    let text = client.end().await;
    assert!(text.contains("{\"type\":\"ADDED\",\"object\":{\"kind\":\"Pod\",\"apiVer"), "{text}");
    assert!(!text.contains("second") && !text.ends_with("\r\n0\r\n\r\n"), "{text}");

    server.faults().clear();
    let mut client = Client::get(&server, &format!("{PODS}?watch=1")).await;
    client.until("\"second\"").await;
    ask(&server, "silence");
    pod(&server, "third");
    assert!(client.is_silent().await);
    server.faults().clear();
    pod(&server, "fourth");
    assert!(client.is_silent().await, "what has fallen silent stays so");
    Client::get(&server, &format!("{PODS}?watch=1")).await.until("\"fourth\"").await;
}

#[tokio::test]
async fn faults_are_counted_and_taken_away() {
    let server = server();
    let id = server.faults().add(&"500,verb=list,times=2".parse().unwrap());
    for met in [1, 2] {
        Client::get(&server, PODS).await.until("HTTP/1.1 500").await;
        assert_eq!(server.faults().met(id), met);
    }
    Client::get(&server, PODS).await.until("HTTP/1.1 200").await;
    assert_eq!(server.faults().met(id), 2);
    let id = server.faults().add(&"503".parse().unwrap());
    Client::get(&server, PODS).await.until("HTTP/1.1 503").await;
    server.faults().remove(id);
    Client::get(&server, PODS).await.until("HTTP/1.1 200").await;
}
