//! Requests over real sockets, in all the pieces they may come in.

use crate::support::{Server, request};
use std::time::Duration;

#[test]
fn requests_in_pieces_of_any_size() {
    let server = Server::start(&[]);
    let mut script = request(&["SET", "key", "va\r\nlue"]);
    script.extend(b"GET key\r\n\r\n*0\r\n");
    script.extend(request(&["APPEND", "key", ""]));
    script.extend(b"set other \"quoted \\x41\"\n");
    script.extend(request(&["GET", "other"]));
    let replies = b"+OK\r\n$7\r\nva\r\nlue\r\n:7\r\n+OK\r\n$8\r\nquoted A\r\n";
    for piece in [1, 2, 3, 7, 19, script.len()] {
        let mut client = server.connect();
        for bytes in script.chunks(piece) {
            client.send(bytes);
            if piece < 4 {
                // Long enough for the server to see most pieces by themselves.
                std::thread::sleep(Duration::from_micros(300));
            }
        }
        client.expect(replies);
    }
}

#[test]
fn a_long_pipeline() {
    let server = Server::start(&[]);
    let mut client = server.connect();
    let (mut script, mut replies) = (Vec::new(), Vec::new());
    for i in 0..50_000 {
        let value = i.to_string().repeat(i % 7);
        script.extend(request(&["SET", "k", &value]));
        script.extend(request(&["GET", "k"]));
        replies.extend(b"+OK\r\n");
        replies.extend(format!("${}\r\n{value}\r\n", value.len()).bytes());
    }
    let mut sender = client.stream.try_clone().unwrap();
    let sending = std::thread::spawn(move || std::io::Write::write_all(&mut sender, &script));
    client.expect(replies);
    sending.join().unwrap().unwrap();
}

#[test]
fn a_large_value_in_many_pieces() {
    let server = Server::start(&[]);
    let value: Vec<u8> = (0..20_000_000u32).map(|i| ((i * 7) >> 3) as u8).collect();
    let mut client = server.connect();
    let script = request(&[&b"SET"[..], b"k", &value]);
    let mut other = server.connect();
    for bytes in script.chunks(3_000_000) {
        client.send(bytes);
        other.call("PING", "+PONG");
    }
    client.expect("+OK\r\n");
    client.send(request(&["GET", "k"]));
    client.expect("$20000000\r\n");
    client.expect([&value[..], b"\r\n"].concat());
    client.call("STRLEN k", ":20000000");
}

#[test]
fn replies_come_after_the_client_has_finished_sending() {
    let server = Server::start(&[]);
    let mut client = server.connect();
    client.send("SET k v\r\nGET k\r\n");
    client.finish_sending();
    assert_eq!(client.rest(), b"+OK\r\n$1\r\nv\r\n");
}

#[test]
fn quit_answers_and_ends() {
    let server = Server::start(&[]);
    let mut client = server.connect();
    client.send("SET k v\r\nQUIT\r\nSET k w\r\n");
    assert_eq!(client.rest(), b"+OK\r\n+OK\r\n");
    server.connect().call("GET k", "$1\r\nv");
}

#[test]
fn protocol_errors_are_answered_and_end_the_connection() {
    let server = Server::start(&[]);
    let long = "x".repeat(70_000);
    for (input, error) in [
        ("*abc\r\n", "invalid multibulk length"),
        ("*2147483648\r\n", "invalid multibulk length"),
        ("*1\r\n$-1\r\n", "invalid bulk length"),
        ("*1\r\n$536870913\r\n", "invalid bulk length"),
        ("*1\r\n:4\r\n", "expected '$', got ':'"),
        ("GET \"k\r\n", "unbalanced quotes in request"),
        (&long, "too big inline request"),
        (&format!("*{long}"), "too big mbulk count string"),
        (&format!("*1\r\n${long}"), "too big bulk count string"),
    ] {
        let mut client = server.connect();
        client.send("PING\r\n");
        client.expect("+PONG\r\n");
        client.send(input);
        client.expect(format!("-ERR Protocol error: {error}\r\n"));
        client.expect_end();
    }
    // Replies to what came before the error are not lost.
    let mut client = server.connect();
    client.send("SET k v\r\nGET k\r\n*x\r\nSET k w\r\n");
    client.expect("+OK\r\n$1\r\nv\r\n-ERR Protocol error: invalid multibulk length\r\n");
    client.expect_end();
    server.connect().call("GET k", "$1\r\nv");
}

#[test]
fn a_web_browser_is_sent_away() {
    let server = Server::start(&[]);
    for line in ["POST / HTTP/1.1\r\n", "Host: localhost\r\n"] {
        let mut client = server.connect();
        client.send(format!("{line}Content-Length: 7\r\n\r\nSET k v\r\n"));
        client.rest();
    }
    server.connect().call("GET k", "$-1");
}

#[test]
fn errors_name_what_was_wrong() {
    let server = Server::start(&[]);
    let mut client = server.connect();
    client.call("NOSUCH a b", "-ERR unknown command 'NOSUCH', with args beginning with: 'a' 'b' ");
    client.call("GET", "-ERR wrong number of arguments for 'get' command");
    client.call("CLIENT NOSUCH", "-ERR unknown subcommand 'NOSUCH'. Try CLIENT HELP.");
    client.call("SELECT 16", "-ERR DB index is out of range");
    client.send(request(&["x\r\n+OK"]));
    client.expect("-ERR unknown command 'x  +OK', with args beginning with: \r\n");
}

#[test]
fn databases_belong_to_the_connection() {
    let server = Server::start(&["--databases", "2"]);
    let (mut one, mut other) = (server.connect(), server.connect());
    one.call("SELECT 1", "+OK");
    one.call("SET k 1", "+OK");
    other.call("GET k", "$-1");
    other.call("SELECT 2", "-ERR DB index is out of range");
    assert!(one.bulk("INFO keyspace").contains("db1:keys=1,expires=0,avg_ttl=0"));
}

#[test]
fn keys_expire_without_being_asked_for() {
    let server = Server::start(&[]);
    let mut client = server.connect();
    for i in 0..1000 {
        client.send(format!("SET key:{i} v PX {}\r\n", 20 + i % 50));
    }
    client.expect("+OK\r\n".repeat(1000));
    client.call("SET stays v PX 100000", "+OK");
    crate::support::eventually("the keys are gone", || {
        client.send("DBSIZE\r\n");
        (client.line() == ":1").then_some(())
    });
    assert!(client.bulk("INFO stats").contains("expired_keys:1000"));
}

#[test]
fn clients_can_be_listed_and_killed() {
    let server = Server::start(&[]);
    let (mut one, mut other) = (server.connect(), server.connect());
    one.call("CLIENT SETNAME one", "+OK");
    other.call("CLIENT SETNAME other", "+OK");
    let list = one.bulk("CLIENT LIST");
    assert_eq!(list.lines().count(), 2);
    assert!(list.lines().next().unwrap().contains(" name=one "), "{list}");
    let addr = other.stream.local_addr().unwrap().to_string();
    assert!(list.lines().nth(1).unwrap().contains(&format!(" addr={addr} laddr=127.0.0.1:{} ", server.port)));
    one.call(&format!("CLIENT KILL {addr}"), "+OK");
    other.expect_end();
    one.call("CLIENT KILL TYPE normal", ":0");
    one.send("CLIENT KILL TYPE normal SKIPME no\r\n");
    assert_eq!(one.rest(), b":1\r\n");
}
