use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::time::Duration;

use crate::support::proxy::Proxy;

/// Starts a server that sends back what it gets, and returns its address.
fn echo() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    std::thread::spawn(move || {
        for client in listener.incoming() {
            let mut client = client.unwrap();
            std::thread::spawn(move || {
                let mut copy = client.try_clone().unwrap();
                let _ = std::io::copy(&mut copy, &mut client);
                let _ = client.shutdown(std::net::Shutdown::Write);
            });
        }
    });
    address
}

fn connect(proxy: &Proxy) -> TcpStream {
    TcpStream::connect(("127.0.0.1", proxy.port())).unwrap()
}

fn exchange(stream: &mut TcpStream, text: &str) -> String {
    stream.write_all(text.as_bytes()).unwrap();
    let mut answer = vec![0; text.len()];
    stream.read_exact(&mut answer).unwrap();
    String::from_utf8(answer).unwrap()
}

#[test]
fn bytes_pass_and_the_end_too() {
    let proxy = Proxy::to(&format!("https://{}/", echo()));
    assert_eq!(proxy.url(), format!("https://127.0.0.1:{}", proxy.port()));
    let mut stream = connect(&proxy);
    assert_eq!(exchange(&mut stream, "hello"), "hello");
    assert_eq!((proxy.connections(), proxy.accepted()), (1, 1));
    stream.write_all(b"rest").unwrap();
    stream.shutdown(std::net::Shutdown::Write).unwrap();
    let mut rest = String::new();
    stream.read_to_string(&mut rest).unwrap();
    assert_eq!(rest, "rest");
    proxy.wait_until("the end", |open, _| open == 0);
    assert_eq!(proxy.bytes_to_clients(), 9);
}

#[test]
fn a_cut_is_seen_and_a_new_connection_works() {
    let proxy = Proxy::to(&echo());
    let mut stream = connect(&proxy);
    exchange(&mut stream, "hello");
    proxy.cut();
    assert_eq!(stream.read(&mut [0; 8]).unwrap_or(0), 0);
    assert_eq!(exchange(&mut connect(&proxy), "again"), "again");
}

#[test]
fn a_held_connection_is_silent_and_loses_nothing() {
    let proxy = Proxy::to(&echo());
    let mut old = connect(&proxy);
    exchange(&mut old, "hello");
    proxy.hold();
    let mut new = connect(&proxy);
    for stream in [&mut old, &mut new] {
        stream.write_all(b"later").unwrap();
        stream.set_read_timeout(Some(Duration::from_millis(50))).unwrap();
        assert!(stream.read(&mut [0; 8]).is_err());
    }
    proxy.release();
    for stream in [&mut old, &mut new] {
        stream.set_read_timeout(None).unwrap();
        let mut answer = [0; 5];
        stream.read_exact(&mut answer).unwrap();
        assert_eq!(&answer, b"later");
    }
}

#[test]
fn a_held_connection_can_be_cut() {
    let proxy = Proxy::to(&echo());
    let mut stream = connect(&proxy);
    exchange(&mut stream, "hello");
    proxy.hold();
    stream.write_all(b"lost").unwrap();
    proxy.cut();
    assert_eq!(stream.read(&mut [0; 8]).unwrap_or(0), 0);
}

#[test]
fn new_connections_are_refused_for_a_while() {
    let mut proxy = Proxy::to(&echo());
    let mut stream = connect(&proxy);
    exchange(&mut stream, "hello");
    proxy.refuse();
    assert!(TcpStream::connect(("127.0.0.1", proxy.port())).is_err());
    assert_eq!(exchange(&mut stream, "still"), "still");
    proxy.accept_again();
    assert_eq!(exchange(&mut connect(&proxy), "again"), "again");
}

#[test]
fn the_connection_ends_after_so_many_bytes() {
    let proxy = Proxy::to(&echo());
    let mut stream = connect(&proxy);
    proxy.limit_bytes(7);
    assert_eq!(exchange(&mut stream, "hello"), "hello");
    stream.write_all(b"world").unwrap();
    let mut rest = Vec::new();
    let _ = stream.read_to_end(&mut rest);
    assert_eq!(rest, b"wo");
    assert_eq!(exchange(&mut connect(&proxy), "no limit any more"), "no limit any more");
}
