//! Requests that nobody would send in earnest: each is answered or ends its connection, and costs bounded memory.
//!
//! Client and server share a thread, so that what one counts of allocations is what both of them used.

use std::future::Future;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::time::Duration;

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, DuplexStream};
use v9s::demo::server::{Limits, MASTERS, Options, Server, User};

use crate::support::embedded::Embedded;
use crate::support::stretched;

const PODS: &str = "/api/v1/namespaces/shop/pods";
const MIB: u64 = 1 << 20;

fn server(limits: Limits) -> Server {
    let users = vec![("t".to_owned(), User::new("admin", &[MASTERS]))];
    let server = Server::new(Options { users, limits, ..Options::default() });
    server.put(json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "shop"}})).unwrap();
    put_pod(&server, "a", "");
    put_pod(&server, "b", "");
    server
}

fn put_pod(server: &Server, name: &str, text: &str) {
    let metadata = json!({"namespace": "shop", "name": name, "annotations": {"text": text}});
    let spec = json!({"containers": [{"name": "main", "image": "none"}]});
    server.put(json!({"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec})).unwrap();
}

/// Runs on this thread alone.
fn run<T>(work: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let limited = async { tokio::time::timeout(stretched(Duration::from_secs(60)), work).await };
    runtime.block_on(limited).expect("the server took too long")
}

/// The most bytes that were allocated at a time.
fn most_bytes(work: impl FnOnce()) -> u64 {
    allocation_counter::measure(work).bytes_max
}

/// What was answered, and how much of what was to be sent was taken.
struct Answer {
    text: String,
    taken: usize,
}

impl Answer {
    fn code(&self) -> &str {
        self.text.strip_prefix("HTTP/1.1 ").and_then(|rest| rest.get(..3)).unwrap_or("none")
    }

    /// The `Status` in the body.
    fn status(&self) -> Value {
        let body = self.text.split_once("\r\n\r\n").map(|(_, body)| body).unwrap_or_default();
        let status: Value = serde_json::from_str(body).unwrap_or_default();
        assert_eq!(status["kind"], "Status", "{}", self.text);
        assert_eq!(status["code"].to_string(), self.code(), "{}", self.text);
        assert!(status["message"].as_str().is_some_and(|text| text.len() < 2_000), "{}", self.text);
        status
    }
}

/// Sends pieces for as long as they are taken, and reads until the server closes the connection.
async fn exchange(server: &Server, pieces: impl IntoIterator<Item = Vec<u8>>) -> Answer {
    talk(server, pieces, false).await
}

/// The same, but there is nobody at this end of the connection after that.
async fn leave(server: &Server, bytes: &[u8]) -> Answer {
    talk(server, [bytes.to_vec()], true).await
}

async fn talk(server: &Server, pieces: impl IntoIterator<Item = Vec<u8>>, leaves: bool) -> Answer {
    let (mut reader, mut writer) = tokio::io::split(server.connect());
    let write = async {
        let mut taken = 0;
        for piece in pieces {
            if writer.write_all(&piece).await.is_err() {
                return taken;
            }
            taken += piece.len();
        }
        if leaves {
            let _ = writer.shutdown().await;
        }
        taken
    };
    let read = async {
        let mut bytes = Vec::new();
        let _ = reader.read_to_end(&mut bytes).await;
        String::from_utf8_lossy(&bytes).into_owned()
    };
    let (taken, text) = tokio::join!(write, read);
    Answer { text, taken }
}

fn head(method: &str, path: &str, more: &str) -> Vec<u8> {
    format!(
        "{method} {path} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer t\r\nconnection: close\r\n{more}\r\n"
    )
    .into_bytes()
}

async fn get(server: &Server, path: &str) -> Answer {
    exchange(server, [head("GET", path, "")]).await
}

async fn send(server: &Server, method: &str, path: &str, media: &str, body: &[u8]) -> Answer {
    let more = format!("content-type: {media}\r\ncontent-length: {}\r\n", body.len());
    exchange(server, [head(method, path, &more), body.to_vec()]).await
}

/// The server is well: it shows what there is.
async fn assert_well(server: &Server) {
    let answer = get(server, PODS).await;
    assert_eq!(answer.code(), "200", "{}", answer.text);
    assert!(answer.text.contains("\"name\":\"a\""), "{}", answer.text);
}

#[test]
fn half_a_request_ends_with_its_connection() {
    run(async {
        let server = server(Limits::default());
        for half in ["", "G", "GET /api/v1/po", "GET / HTTP/1.1\r\nhost:", "GET / HTTP/1.1\r\nhost: x\r\n"] {
            let answer = leave(&server, half.as_bytes()).await;
            assert!(matches!(answer.code(), "none" | "400"), "{half:?}: {}", answer.text);
        }
        let half = [&head("POST", PODS, "content-length: 100\r\n"), &b"{\"kind\":"[..]].concat();
        let answer = leave(&server, &half).await;
        assert!(matches!(answer.code(), "none" | "400"), "{}", answer.text);
        assert_well(&server).await;
    });
}

#[test]
fn a_body_of_a_hundred_megabytes_is_refused_before_it_is_read() {
    let mut announced = None;
    let mut chunked = None;
    let bytes = most_bytes(|| {
        run(async {
            let server = server(Limits::default());
            let parts = || std::iter::repeat_with(|| vec![b'x'; 64 << 10]).take(1_600);
            let begin = head("POST", PODS, "content-length: 104857600\r\n");
            announced = Some(exchange(&server, std::iter::once(begin).chain(parts())).await);
            let begin = head("POST", PODS, "transfer-encoding: chunked\r\n");
            let chunks = parts().map(|part| [b"10000\r\n", &part[..], b"\r\n"].concat());
            chunked = Some(exchange(&server, std::iter::once(begin).chain(chunks)).await);
            assert_well(&server).await;
        });
    });
    for (answer, most) in [(announced.unwrap(), MIB), (chunked.unwrap(), 6 * MIB)] {
        assert_eq!(answer.status()["reason"], "RequestEntityTooLarge");
        assert_eq!(answer.code(), "413");
        assert!(answer.taken as u64 <= most, "{} bytes were read", answer.taken);
    }
    assert!(bytes < 24 * MIB, "{bytes}");
}

#[test]
fn heads_that_are_too_long_are_refused() {
    let bytes = most_bytes(|| {
        run(async {
            let server = server(Limits::default());
            let answer = get(&server, &format!("{PODS}/{}", "n".repeat(20_000))).await;
            assert_eq!(answer.code(), "414");
            answer.status();
            let path = format!("{PODS}/{}", "n".repeat(100 << 10));
            let answer = get(&server, &path).await;
            assert!(matches!(answer.code(), "414" | "431"), "{}", answer.text);
            let answer = get(&server, &format!("{PODS}?labelSelector={}", "a,".repeat(50_000))).await;
            assert!(matches!(answer.code(), "414" | "431"), "{}", answer.text);
            let lines: String = (0..5_000).map(|n| format!("x-line-{n}: {n}\r\n")).collect();
            let answer = exchange(&server, [head("GET", PODS, &lines)]).await;
            assert_eq!(answer.code(), "431", "{}", answer.text);
            let line = format!("authorization: Bearer {}\r\n", "t".repeat(1 << 20));
            let answer = exchange(&server, [head("GET", PODS, &line)]).await;
            assert_eq!(answer.code(), "431", "{}", answer.text);
            assert_well(&server).await;
        });
    });
    assert!(bytes < 16 * MIB, "{bytes}");
}

#[test]
fn watches_that_never_read_cost_nothing_but_their_position() {
    const WATCHES: usize = 20;
    let mut late = String::new();
    let bytes = most_bytes(|| {
        run(async {
            let server = server(Limits { changes: 1_000, bytes: 2 << 20 });
            let mut watches: Vec<DuplexStream> = Vec::new();
            for _ in 0..WATCHES {
                let mut stream = server.connect();
                stream.write_all(&head("GET", &format!("{PODS}?watch=1"), "")).await.unwrap();
                watches.push(stream);
            }
            // 160 MB go by.
            let text = "x".repeat(8_000);
            for n in 0..20_000 {
                put_pod(&server, "a", &text);
                if n % 16 == 0 {
                    tokio::task::yield_now().await;
                }
            }
            for mut stream in watches {
                let mut bytes = Vec::new();
                let mut buffer = vec![0; 64 << 10];
                while !bytes.ends_with(b"\r\n0\r\n\r\n") {
                    let count = stream.read(&mut buffer).await.unwrap();
                    assert_ne!(count, 0, "cut off");
                    bytes.extend_from_slice(&buffer[..count]);
                }
                late = String::from_utf8_lossy(&bytes[bytes.len() - 1_000..]).into_owned();
                assert!(late.contains("\"type\":\"ERROR\"") && late.contains("\"code\":410"), "{late}");
            }
            assert_well(&server).await;
        });
    });
    // A pipe holds a quarter of a megabyte, and a piece is on its way to it.
    assert!(bytes < 24 * MIB, "{bytes}");
}

#[test]
fn garbage_is_answered_or_ends_its_connection() {
    run(async {
        let server = server(Limits::default());
        let noise: Vec<u8> = (0..200_000_u32).map(|n| (n.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
        let garbage: [&[u8]; 7] = [
            b"\r\n\r\n\r\n",
            b"hello\r\n\r\n",
            b"GET\r\n\r\n",
            b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
            b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
            b"GET /api\xff\xfe\x00 HTTP/1.1\r\nhost: x\r\n\r\n",
            &noise,
        ];
        for bytes in garbage {
            let answer = leave(&server, bytes).await;
            assert!(answer.code() == "none" || answer.code().starts_with('4'), "{}", answer.text);
        }
        for lines in [
            "content-length: -5\r\n",
            "content-length: 5\r\ncontent-length: 6\r\n",
            "transfer-encoding: x\r\n",
        ] {
            let answer = exchange(&server, [head("POST", PODS, lines), b"12345".to_vec()]).await;
            assert!(answer.code() == "none" || answer.code().starts_with('4'), "{lines}: {}", answer.text);
        }
        assert_well(&server).await;
    });
}

#[test]
fn paths_that_name_nothing_are_answered() {
    run(async {
        let server = server(Limits::default());
        for name in
            ["%", "%z", "%zz", "%ff%fe", "%00", "a%00b", "%2e%2e", "a%2fb", "%e2%80%ae", "%1b[31m", "..", "*"]
        {
            let answer = get(&server, &format!("{PODS}/{name}")).await;
            assert_eq!(answer.code(), "404", "{name}: {}", answer.text);
            answer.status();
            let answer = get(&server, &format!("/api/v1/namespaces/{name}/pods")).await;
            assert!(matches!(answer.code(), "200" | "400" | "404"), "{name}: {}", answer.text);
            assert!(!answer.text.contains(['\0', '\u{1b}']), "{name}: {:?}", answer.text);
            for path in [format!("/apis/{name}/v1/pods"), format!("/api/{name}/pods"), format!("/{name}")] {
                let answer = get(&server, &path).await;
                assert_eq!(answer.code(), "404", "{path}: {}", answer.text);
            }
        }
        let many = format!("/api/v1{}", "/namespaces/shop".repeat(500));
        assert_eq!(get(&server, &many).await.code(), "404");
        assert_well(&server).await;
    });
}

#[test]
fn bodies_that_are_no_objects_are_refused() {
    let bytes = most_bytes(|| {
        run(async {
            let server = server(Limits::default());
            let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
            let maps = format!("{}1{}", "{\"a\":".repeat(100_000), "}".repeat(100_000));
            let inside = format!(
                "{{\"apiVersion\":\"v1\",\"kind\":\"Pod\",\"metadata\":{{\"name\":\"c\",\"annotations\":{deep}}}}}"
            );
            let bodies: [&[u8]; 16] = [
                b"",
                b"null",
                b"7",
                b"[]",
                b"\"text\"",
                b"{",
                b"{}",
                b"{\"metadata\":7}",
                b"{\"metadata\":[]}",
                b"{\"metadata\":{\"name\":7}}",
                b"{\"metadata\":{\"name\":\"c\",\"ownerReferences\":\"x\",\"labels\":[7]}}",
                b"{\"metadata\":{\"name\":\"c\"},\"spec\":{\"x\":1e999}}",
                b"\xff\xfe{}",
                deep.as_bytes(),
                maps.as_bytes(),
                inside.as_bytes(),
            ];
            for body in bodies {
                let shown = String::from_utf8_lossy(&body[..body.len().min(80)]).into_owned();
                for (method, path, media) in [
                    ("POST", PODS.to_owned(), "application/json"),
                    ("PUT", format!("{PODS}/a"), "application/json"),
                    ("PATCH", format!("{PODS}/a"), "application/json-patch+json"),
                    ("DELETE", format!("{PODS}/missing"), "application/json"),
                    ("POST", format!("{PODS}/a/binding"), "application/json"),
                    (
                        "POST",
                        "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews".into(),
                        "application/json",
                    ),
                    (
                        "POST",
                        "/apis/kubevirt.io/v1/namespaces/shop/virtualmachines".into(),
                        "application/json",
                    ),
                ] {
                    let answer = send(&server, method, &path, media, body).await;
                    // An empty JSON patch is one.
                    let nothing = method == "PATCH" && body == b"[]" && answer.code() == "200";
                    let refused = answer.code().starts_with('4') || answer.code().starts_with('2');
                    assert!(nothing || refused, "{method} {path} {shown}: {}", answer.text);
                    if answer.code().starts_with('4') {
                        answer.status();
                    }
                }
            }
            assert_well(&server).await;
        });
    });
    assert!(bytes < 64 * MIB, "{bytes}");
}

#[test]
fn numbers_out_of_range_are_answered() {
    run(async {
        let server = server(Limits::default());
        let numbers = [
            "-1",
            "1e99",
            "0x10",
            "NaN",
            "99999999999999999999999",
            "18446744073709551615",
            "9223372036854775807",
            "9223372036854775808",
            "4294967296",
            "",
            "%00",
            "1.5",
        ];
        for number in numbers {
            for name in ["limit", "resourceVersion", "timeoutSeconds"] {
                let answer = get(&server, &format!("{PODS}?{name}={number}")).await;
                let code = answer.code();
                assert!(
                    code == "200" || code.starts_with('4') || code == "504",
                    "{name}={number}: {}",
                    answer.text
                );
                if code != "200" {
                    answer.status();
                }
            }
            // A watch is answered, or open.
            for name in ["resourceVersion", "timeoutSeconds"] {
                let mut stream = server.connect();
                let request = head("GET", &format!("{PODS}?watch=1&{name}={number}"), "");
                stream.write_all(&request).await.unwrap();
                let mut begin = [0; 12];
                stream.read_exact(&mut begin).await.unwrap();
                assert!(begin.starts_with(b"HTTP/1.1 "), "{name}={number}");
            }
            let options = format!("{{\"gracePeriodSeconds\":{number}}}");
            let answer =
                send(&server, "DELETE", &format!("{PODS}/none"), "application/json", options.as_bytes())
                    .await;
            assert!(answer.code().starts_with('4'), "{number}: {}", answer.text);
        }
        assert_well(&server).await;
    });
}

#[test]
fn made_up_tokens_continue_nothing() {
    run(async {
        let server = server(Limits::default());
        let encode = |text: &str| BASE64_URL_SAFE_NO_PAD.encode(text);
        let tokens = [
            ("x", "400"),
            ("%ff", "400"),
            ("!!!!", "400"),
            (&encode("not JSON"), "400"),
            (&encode("[]"), "400"),
            (&encode("{}"), "400"),
            (&encode(&"[".repeat(10_000)), "400"),
            (&encode("{\"rv\":-1,\"namespace\":\"\",\"name\":\"\"}"), "400"),
        ];
        for (token, wanted) in tokens {
            let answer = get(&server, &format!("{PODS}?limit=1&continue={token}")).await;
            assert_eq!(answer.code(), wanted, "{token}: {}", answer.text);
            answer.status();
        }
        for text in [
            "{\"rv\":18446744073709551615,\"namespace\":\"shop\",\"name\":\"a\"}",
            "{\"rv\":0,\"namespace\":\"shop\",\"name\":\"\"}",
            "{\"rv\":1,\"namespace\":\"zzz\",\"name\":\"\\u0000\"}",
            "{\"v\":\"meta.k8s.io/v1\",\"rv\":1,\"start\":\"../../secrets\"}",
        ] {
            let answer = get(&server, &format!("{PODS}?continue={}", encode(text))).await;
            assert!(matches!(answer.code(), "200" | "400" | "410"), "{text}: {}", answer.text);
        }
        assert_well(&server).await;
    });
}

#[test]
fn patches_that_grow_are_refused() {
    let bytes = most_bytes(|| {
        run(async {
            let server = server(Limits::default());
            let path = format!("{PODS}/a");
            let patch = |body: String| {
                let (server, path) = (&server, &path);
                async move { send(server, "PATCH", path, "application/json-patch+json", body.as_bytes()).await }
            };
            let one = r#"{"op":"add","path":"/metadata/labels","value":{}}"#;
            let answer = patch(format!("[{}]", vec![one; 100_000].join(","))).await;
            assert!(matches!(answer.code(), "400" | "413" | "422"), "{}", answer.text);
            answer.status();
            // Each step doubles what is there.
            let mut steps = vec![
                r#"{"op":"add","path":"/metadata/annotations","value":{"a":"aaaaaaaaaaaaaaaa"}}"#.to_owned(),
            ];
            steps.extend(
                (0..60).map(|n| format!(r#"{{"op":"copy","from":"/metadata","path":"/metadata/x{n}"}}"#)),
            );
            let answer = patch(format!("[{}]", steps.join(","))).await;
            assert!(matches!(answer.code(), "400" | "413" | "422"), "{}", answer.text);
            answer.status();
            for path in [
                "/a".repeat(500_000),
                "/metadata/99999999999999999999999".into(),
                "/spec/containers/18446744073709551615".into(),
                "/spec/containers/-1".into(),
                "/spec/containers/-".into(),
                "no slash".into(),
                "/metadata/~2~".into(),
                "/\u{0}".into(),
            ] {
                let op = json!([{"op": "remove", "path": path}]).to_string();
                let answer = patch(op).await;
                assert!(matches!(answer.code(), "400" | "413" | "422"), "{}", answer.text);
                answer.status();
            }
            assert_well(&server).await;
        });
    });
    assert!(bytes < 128 * MIB, "{bytes}");
}

#[test]
fn garbage_in_the_place_of_tls_ends_its_connection() {
    let embedded = Embedded::new();
    for garbage in [&b"GET / HTTP/1.1\r\n\r\n"[..], &[0; 100_000], b"\x16\x03\x01\xff\xff", &[0xff; 7]] {
        let mut stream = TcpStream::connect(embedded.address()).unwrap();
        stream.set_read_timeout(Some(stretched(Duration::from_secs(20)))).unwrap();
        let _ = stream.write_all(garbage);
        let _ = stream.shutdown(std::net::Shutdown::Write);
        let mut answer = Vec::new();
        let end = stream.read_to_end(&mut answer);
        assert!(!matches!(&end, Err(why) if why.kind() == std::io::ErrorKind::WouldBlock), "still open");
        assert!(answer.len() < 100, "{answer:?}");
    }
    let version = embedded.cluster().request(http::Method::GET, "/version", None);
    assert!(version.is_ok(), "{version:?}");
}
