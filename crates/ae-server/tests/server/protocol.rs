//! Requests over real sockets, in all the pieces they may come in.

use crate::start;
use std::time::Duration;
use testkit::request;

#[test]
fn requests_in_pieces_of_any_size() {
    let server = start(&[]);
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
    let server = start(&[]);
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
    let server = start(&[]);
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
fn large_arguments_among_others() {
    let server = start(&[]);
    let large = |seed: usize, len: usize| (0..len).map(|i| ((i * seed) >> 3) as u8).collect::<Vec<u8>>();
    let values = [large(7, 32 * 1024), large(11, 1024 * 1024), b"small".to_vec(), large(13, 100_001)];
    let keys = [&b"a"[..], b"b", b"c", b"d"];
    let pairs = keys.iter().zip(&values).flat_map(|(key, value)| [*key, value]);
    let mut script = request(&[&b"MSET"[..]].into_iter().chain(pairs).collect::<Vec<_>>());
    script.extend(request(&[&b"APPEND"[..], b"new", &values[1]]));
    script.extend(request(&[&b"SET"[..], b"a", &values[1], b"GET"]));
    script.extend(request(&[&b"GETSET"[..], b"b", &values[3]]));
    script.extend(request(&[&b"SETEX"[..], b"e", b"100", &values[3]]));
    script.extend(request(&[&b"SETNX"[..], b"f", &values[3]]));
    script.extend(request(&[&b"SETRANGE"[..], b"c", b"0", &values[0]]));
    script.extend(request(&["MGET", "a", "b", "c", "d", "e", "f", "new"]));
    let bulk = |value: &[u8]| [format!("${}\r\n", value.len()).as_bytes(), value, b"\r\n"].concat();
    let mut replies = format!("+OK\r\n:{}\r\n", values[1].len()).into_bytes();
    replies.extend([bulk(&values[0]), bulk(&values[1])].concat());
    replies.extend(format!("+OK\r\n:1\r\n:{}\r\n*7\r\n", values[0].len()).bytes());
    for at in [1, 3, 0, 3, 3, 3, 1] {
        replies.extend(bulk(&values[at]));
    }
    for piece in [script.len(), 40_000, 1_000_003, 5_000] {
        let mut client = server.connect();
        client.call("FLUSHALL", "+OK");
        let mut sender = client.stream.try_clone().unwrap();
        let pieces: Vec<Vec<u8>> = script.chunks(piece).map(<[u8]>::to_vec).collect();
        let sending = std::thread::spawn(move || {
            pieces.iter().for_each(|bytes| std::io::Write::write_all(&mut sender, bytes).unwrap())
        });
        client.expect(&replies);
        sending.join().unwrap();
    }
}

#[test]
fn replies_come_after_the_client_has_finished_sending() {
    let server = start(&[]);
    let mut client = server.connect();
    client.send("SET k v\r\nGET k\r\n");
    client.finish_sending();
    assert_eq!(client.rest(), b"+OK\r\n$1\r\nv\r\n");
}

/// Also what is more than one write takes.
#[test]
fn a_large_reply_comes_after_the_client_has_finished_sending() {
    const LEN: usize = 1_500_000;
    let server = start(&[]);
    let mut client = server.connect();
    client.call(&format!("SETRANGE k {} x", LEN - 1), &format!(":{LEN}"));
    client.send("GET k\r\n");
    client.finish_sending();
    assert_eq!(client.rest().len(), format!("${LEN}\r\n\r\n").len() + LEN);
}

#[test]
fn quit_answers_and_ends() {
    let server = start(&[]);
    let mut client = server.connect();
    client.send("SET k v\r\nQUIT\r\nSET k w\r\n");
    assert_eq!(client.rest(), b"+OK\r\n+OK\r\n");
    server.connect().call("GET k", "$1\r\nv");
}

#[test]
fn protocol_errors_are_answered_and_end_the_connection() {
    let server = start(&[]);
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
    for byte in [0, b'\n', 0x7f, 0x80, 0xc3, 0xff] {
        let mut client = server.connect();
        client.send([b"*1\r\n", &[byte][..], b"3\r\n"].concat());
        let repeated = if byte == b'\n' { b' ' } else { byte };
        client.expect([b"-ERR Protocol error: expected '$', got '", &[repeated][..], b"'\r\n"].concat());
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
    let server = start(&[]);
    for line in ["POST / HTTP/1.1\r\n", "Host: localhost\r\n"] {
        let mut client = server.connect();
        client.send(format!("{line}Content-Length: 7\r\n\r\nSET k v\r\n"));
        client.rest();
    }
    server.connect().call("GET k", "$-1");
}

#[test]
fn errors_name_what_was_wrong() {
    let server = start(&[]);
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
    let server = start(&["--databases", "2"]);
    let (mut one, mut other) = (server.connect(), server.connect());
    one.call("SELECT 1", "+OK");
    one.call("SET k 1", "+OK");
    other.call("GET k", "$-1");
    other.call("SELECT 2", "-ERR DB index is out of range");
    assert!(one.bulk("INFO keyspace").contains("db1:keys=1,expires=0,avg_ttl=0"));
}

#[test]
fn keys_expire_without_being_asked_for() {
    let server = start(&[]);
    let mut client = server.connect();
    for i in 0..1000 {
        client.send(format!("SET key:{i} v PX {}\r\n", 20 + i % 50));
    }
    client.expect("+OK\r\n".repeat(1000));
    client.call("SET stays v PX 100000", "+OK");
    testkit::eventually("the keys are gone", || {
        client.send("DBSIZE\r\n");
        (client.line() == ":1").then_some(())
    });
    assert!(client.bulk("INFO stats").contains("expired_keys:1000"));
}

#[test]
fn clients_can_be_listed_and_killed() {
    let server = start(&[]);
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

/// Its length is a reply of EXEC, which comes before replies are turned on.
#[test]
fn a_transaction_that_turns_replies_on() {
    let server = start(&[]);
    let mut client = server.connect();
    client.send("CLIENT REPLY OFF\r\nMULTI\r\nPING\r\nCLIENT REPLY ON\r\nEXEC\r\nECHO a\r\n");
    client.expect("+OK\r\n$1\r\na\r\n");
}

#[test]
fn changes_of_keys_with_a_prefix_are_told() {
    let server = start(&[]);
    let (mut reader, mut writer) = (server.connect(), server.connect());
    reader.send("HELLO 3\r\n");
    while reader.line() != "*0" {}
    reader.call("CLIENT TRACKING ON BCAST PREFIX k", "+OK");
    writer.call("MSET k1 v other v", "+OK");
    reader.expect(">2\r\n$10\r\ninvalidate\r\n*1\r\n$2\r\nk1\r\n");
}
