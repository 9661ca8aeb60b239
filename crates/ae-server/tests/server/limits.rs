//! What one client, or many, cannot do to the others.

use crate::{number, start};
use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::time::Duration;
use testkit::{Client, Server, eventually, request};

const MIB: u64 = 1024 * 1024;

#[test]
fn maxclients() {
    let server = start(&["--maxclients", "3"]);
    let mut clients: Vec<Client> = (0..3).map(|_| server.connect()).collect();
    for client in &mut clients {
        client.call("PING", "+PONG");
    }
    let mut refused = server.connect();
    assert_eq!(String::from_utf8(refused.rest()).unwrap(), "-ERR max number of clients reached\r\n");
    assert!(clients[0].bulk("INFO stats").contains("rejected_connections:1"));
    clients.pop();
    eventually("there is room again", || {
        let mut client = server.connect();
        client.stream.write_all(b"PING\r\n").ok()?;
        (client.line() == "+PONG").then_some(())
    });
    clients[0].call("CONFIG SET maxclients 1000", "+OK");
    let mut more: Vec<Client> = (0..500).map(|_| server.connect()).collect();
    more.iter_mut().for_each(|client| client.call("PING", "+PONG"));
}

#[test]
fn many_clients_come_and_go() {
    let server = start(&[]);
    for _ in 0..3 {
        let mut clients: Vec<Client> = (0..700).map(|_| server.connect()).collect();
        for client in &mut clients {
            client.send("INCR n\r\n");
        }
        clients.iter_mut().for_each(|client| assert!(client.line().starts_with(':')));
    }
    let mut client = server.connect();
    client.call("GET n", "$4\r\n2100");
    eventually("the others are gone", || client.bulk("INFO clients").contains("connected_clients:1\r\n").then_some(()));
}

/// A client that is never idle too long, since it waits for messages, and may ask for anything.
fn listening(server: &Server) -> Client {
    let mut client = server.connect();
    client.send("HELLO 3\r\nSUBSCRIBE c\r\nPING\r\n");
    while !client.line().contains("PONG") {}
    client
}

/// Whenever the limit is set.
#[test]
fn idle_clients_are_closed() {
    let server = start(&[]);
    let mut other = listening(&server);
    for _ in 0..2 {
        let mut idle = server.connect();
        idle.call("PING", "+PONG");
        other.call("CONFIG SET timeout 1", "+OK");
        idle.expect_end();
        other.call("CONFIG SET timeout 0", "+OK");
    }
}

#[test]
fn who_waits_for_a_key_is_not_idle() {
    let server = start(&["--timeout", "3"]);
    // From then on the cron looks at those alone that it was told of.
    server.connect().expect_end();
    let (mut waits, mut idle) = (server.connect(), server.connect());
    waits.send("BLPOP k 0\r\n");
    idle.call("PING", "+PONG");
    idle.expect_end();
    listening(&server).call("RPUSH k v", ":1");
    waits.expect("*2\r\n$1\r\nk\r\n$1\r\nv\r\n");
}

#[test]
fn idle_clients_that_came_while_a_script_ran_are_closed() {
    let server = start(&["--timeout", "1", "--busy-reply-threshold", "1"]);
    server.connect().expect_end();
    let (mut script, mut other) = (server.connect(), server.connect());
    script.send(request(&["EVAL", "while true do end", "0"]));
    eventually("the script is slow", || other.ask(&["GET", "k"]).starts_with(b"-BUSY").then_some(()));
    let mut came = server.connect();
    assert!(came.ask(&["GET", "k"]).starts_with(b"-BUSY"));
    other.call("SCRIPT KILL", "+OK");
    assert!(script.line().starts_with('-'));
    came.expect_end();
}

#[test]
fn passwords() {
    let server = start(&["--requirepass", "secret"]);
    let mut client = server.connect();
    client.call("GET k", "-NOAUTH Authentication required.");
    client.call("AUTH wrong", "-WRONGPASS invalid username-password pair or user is disabled.");
    client.call("AUTH secret", "+OK");
    client.call("GET k", "$-1");
    for (input, error) in
        [("*11\r\n", "unauthenticated multibulk length"), ("*2\r\n$16385\r\n", "unauthenticated bulk length")]
    {
        let mut client = server.connect();
        client.send(input);
        assert_eq!(String::from_utf8(client.rest()).unwrap(), format!("-ERR Protocol error: {error}\r\n"));
    }
    // The limits end with the authentication, within a pipeline too.
    let value = "v".repeat(20_000);
    let mut client = server.connect();
    client.send([request(&["AUTH", "secret"]), request(&["SET", "k", &value])].concat());
    client.expect("+OK\r\n+OK\r\n");
}

#[test]
fn announced_sizes_take_no_memory() {
    let server = start(&[]);
    let before = server.memory("VmRSS");
    let mut clients: Vec<Client> = (0..50).map(|_| server.connect()).collect();
    for client in &mut clients {
        client.send("*1000000000\r\n$500000000\r\nx");
    }
    server.connect().call("PING", "+PONG");
    std::thread::sleep(Duration::from_millis(100));
    let after = server.memory("VmRSS");
    assert!(after < before + 20 * MIB, "{before} {after}");
}

#[test]
fn query_buffer_limit() {
    let mut server = start(&["--client-query-buffer-limit", "1mb"]);
    let mut client = server.connect();
    client.send("*2\r\n$3\r\nGET\r\n$100000000\r\n");
    let piece = [b'x'; 100_000];
    // The server closes once there is more than 1 MiB of it.
    let mut sent = 0;
    while client.stream.write_all(&piece).is_ok() {
        sent += piece.len();
        assert!(sent < 90_000_000, "nothing stopped the request");
    }
    client.rest();
    server.logged(": query buffer limit of 1048576 bytes");
    // What the server notes of each argument counts, too.
    let mut client = server.connect();
    client.send("*1000000\r\n");
    // It may be closed at any of them.
    let _ = client.stream.write_all(&b"$0\r\n\r\n".repeat(150_000));
    client.rest();
    server.connect().call("PING", "+PONG");
}

/// A client that reads no replies is not answered forever, and gets every reply when it does read.
#[test]
fn a_reader_that_does_not_read() {
    const LEN: usize = 16 * 1024 * 1024;
    const COUNT: usize = 40;
    let server = start(&[]);
    let mut client = server.connect();
    client.call(&format!("SETRANGE k {} x", LEN - 1), &format!(":{LEN}"));
    for i in 0..COUNT {
        client.send(format!("GET k\r\nECHO {i}\r\n"));
    }
    let mut other = server.connect();
    for _ in 0..20 {
        other.call("PING", "+PONG");
        std::thread::sleep(Duration::from_millis(20));
    }
    let memory = server.memory("VmHWM");
    // 256 MiB, what the last reply goes beyond it, and as much again while the buffer grows.
    assert!(memory < 650 * MIB, "{} MiB for a client that does not read", memory / MIB);
    let mut value = vec![0; LEN];
    for i in 0..COUNT {
        client.expect(format!("${LEN}\r\n"));
        client.stream.read_exact(&mut value).unwrap();
        assert!(value[..LEN - 1].iter().all(|&c| c == 0) && value[LEN - 1] == b'x');
        client.expect(format!("\r\n${}\r\n{i}\r\n", i.to_string().len()));
    }
    client.call("PING", "+PONG");
    eventually("the memory is given back", || (server.memory("VmRSS") < 200 * MIB).then_some(()));
}

/// Whoever knows no password takes no memory with replies that it does not read.
#[test]
fn a_reader_that_does_not_read_and_has_no_password() {
    const COUNT: usize = 400_000;
    let server = start(&["--requirepass", "secret"]);
    let mut client = server.connect();
    let mut stream = client.stream.try_clone().unwrap();
    let sender = std::thread::spawn(move || stream.write_all(&b"GET k\r\n".repeat(COUNT)).unwrap());
    let mut other = server.connect();
    other.call("AUTH secret", "+OK");
    for _ in 0..20 {
        let clients = other.bulk("CLIENT LIST");
        let memory = clients.split("tot-mem=").skip(1).map(|rest| rest.split(' ').next().unwrap());
        for memory in memory {
            assert!(memory.parse::<u64>().unwrap() < MIB, "{clients}");
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    for _ in 0..COUNT / 1000 {
        client.expect("-NOAUTH Authentication required.\r\n".repeat(1000));
    }
    sender.join().unwrap();
    client.call("AUTH secret", "+OK");
    client.call("GET k", "$-1");
}

/// Reading is off for such a client, so that no read tells that it has gone.
#[test]
fn a_client_that_has_gone_with_replies_unread_is_noticed() {
    let server = start(&[]);
    let mut other = server.connect();
    other.call(&format!("SETRANGE k {} x", 16 * MIB - 1), &format!(":{}", 16 * MIB));
    let requests = [b"GET k\r\n".repeat(40), b"GET k\r\nQUIT\r\n".to_vec()];
    let gone: Vec<Client> = requests
        .iter()
        .map(|requests| {
            let mut client = server.connect();
            client.call("PING", "+PONG");
            client.send(requests);
            client.finish_sending();
            client
        })
        .collect();
    eventually("they are gone", || other.bulk("INFO clients").contains("connected_clients:1\r\n").then_some(()));
    drop(gone);
}

/// One that has only finished sending gets them.
#[test]
fn a_client_that_reads_late_gets_its_replies() {
    const LEN: usize = 16 * 1024 * 1024;
    let server = start(&[]);
    let mut client = server.connect();
    client.call(&format!("SETRANGE k {} x", LEN - 1), &format!(":{LEN}"));
    client.send("GET k\r\nQUIT\r\n");
    client.finish_sending();
    let len = client.rest().len();
    assert_eq!(len, format!("${LEN}\r\n\r\n+OK\r\n").len() + LEN);
}

/// One that reads nothing for long may read it later: only one that will send nothing more either has gone.
#[test]
fn a_client_that_may_still_send_is_waited_for() {
    const LEN: usize = 16 * 1024 * 1024;
    let server = start(&[]);
    let (mut patient, mut gone) = (server.connect(), server.connect());
    patient.call(&format!("SETRANGE k {} x", LEN - 1), &format!(":{LEN}"));
    [&mut patient, &mut gone].into_iter().for_each(|client| client.send("GET k\r\nQUIT\r\n"));
    gone.finish_sending();
    let mut other = server.connect();
    eventually("it has gone", || other.bulk("INFO clients").contains("connected_clients:2\r\n").then_some(()));
    assert_eq!(patient.rest().len(), format!("${LEN}\r\n\r\n+OK\r\n").len() + LEN);
}

/// As long as it reads a little now and then, it gets everything.
#[test]
fn a_client_that_reads_slowly_gets_its_replies() {
    const LEN: usize = 40 * 1024 * 1024;
    const PIECES: usize = 30;
    let server = start(&[]);
    let mut client = server.connect();
    client.call(&format!("SETRANGE k {} x", LEN - 1), &format!(":{LEN}"));
    client.send("GET k\r\nQUIT\r\n");
    client.finish_sending();
    let mut piece = vec![0; 1024 * 1024];
    for _ in 0..PIECES {
        client.stream.read_exact(&mut piece).unwrap();
        std::thread::sleep(Duration::from_millis(100));
    }
    assert_eq!(client.rest().len(), format!("${LEN}\r\n\r\n+OK\r\n").len() + LEN - PIECES * piece.len());
}

#[test]
fn what_comes_behind_replies_that_are_too_many_is_not_run() {
    let server = start(&["--client-output-buffer-limit", "normal 100kb 0 0"]);
    let mut other = server.connect();
    other.call("SETRANGE k 199999 x", ":200000");
    let mut client = server.connect();
    client.send("GET k\r\nGET k\r\nSET behind 1\r\n");
    client.rest();
    other.call("GET behind", "$-1");
}

/// The cron looks at it, since nothing else may happen.
#[test]
fn a_subscriber_that_reads_too_slowly_is_closed() {
    let server = start(&["--client-output-buffer-limit", "pubsub 0 100kb 1"]);
    let mut subscriber = server.connect();
    subscriber.call("SUBSCRIBE c", "*3\r\n$9\r\nsubscribe\r\n$1\r\nc\r\n:1");
    let mut publisher = server.connect();
    assert_eq!(publisher.ask(&["PUBLISH", "c", &"m".repeat(30_000_000)]), b":1");
    eventually("it is closed", || publisher.bulk("INFO clients").contains("connected_clients:1\r\n").then_some(()));
}

/// Memory that holds a large value once, not twice.
#[test]
fn a_large_value_is_read_to_where_it_stays() {
    const LEN: usize = 48 * 1024 * 1024;
    let server = start(&[]);
    let value = vec![b'x'; LEN];
    let before = server.memory("VmHWM");
    let mut client = server.connect();
    client.send(request(&[&b"SET"[..], b"k", &value]));
    client.expect("+OK\r\n");
    let peak = server.memory("VmHWM") - before;
    assert!(peak < LEN as u64 + 8 * MIB, "{peak} bytes for {LEN}");
    client.call("STRLEN k", &format!(":{LEN}"));
}

#[test]
fn memory_is_given_back() {
    let server = start(&[]);
    let before = server.memory("VmRSS");
    let mut client = server.connect();
    let mut fill = |prefix: &str, count: usize, len: usize| {
        for i in 0..count {
            client.send(request(&["SET", &format!("{prefix}:{i}"), &"v".repeat(len + i % 7)]));
        }
        client.expect("+OK\r\n".repeat(count));
    };
    fill("large", 40, MIB as usize);
    fill("small", 100_000, 100);
    fill("middle", 10_000, 3000);
    // What is still there is spread over what has been freed.
    client.call("SELECT 1", "+OK");
    client.send(b"SET stays v\r\nSET stays:too v\r\n");
    client.expect("+OK\r\n+OK\r\n");
    let full = server.memory("VmRSS");
    assert!(full > before + 80 * MIB, "{before} {full}");
    let used = |client: &mut Client| {
        let text = client.bulk("INFO memory");
        let line = text.lines().find_map(|line| line.strip_prefix("used_memory:")).unwrap();
        line.parse::<u64>().unwrap()
    };
    let used_before = used(&mut client);
    assert!(used_before > 80 * MIB, "{used_before}");
    client.call("FLUSHALL", "+OK");
    let used_after = used(&mut client);
    assert!(used_after < 10 * MIB, "{used_after}");
    eventually("the system has the memory", || (server.memory("VmRSS") < before + 20 * MIB).then_some(()));
}

#[test]
fn a_client_with_much_to_read_does_not_hold_up_others() {
    let server = start(&[]);
    let mut greedy = server.connect();
    greedy.call("SETRANGE k 49999999 x", ":50000000");
    greedy.send("GET k\r\nGET k\r\nGET k\r\n");
    let reader = greedy.stream.try_clone().unwrap().take(3 * 50_000_013);
    let reading = std::thread::spawn(move || io::copy(&mut { reader }, &mut io::sink()).unwrap());
    let mut other = server.connect();
    for _ in 0..100 {
        other.call("PING", "+PONG");
    }
    assert_eq!(reading.join().unwrap(), 3 * 50_000_013);
}

#[test]
fn clients_that_vanish_in_the_middle() {
    let server = start(&[]);
    for i in 0..200 {
        let mut stream = TcpStream::connect(("127.0.0.1", server.port)).unwrap();
        match i % 4 {
            0 => {}
            1 => stream.write_all(b"*2\r\n$3\r\nGET\r\n$100\r\nxx").unwrap(),
            2 => stream.write_all(&b"PING\r\n".repeat(10_000)).unwrap(),
            _ => stream.write_all(b"GET k").unwrap(),
        }
    }
    let mut client = server.connect();
    eventually("they are gone", || client.bulk("INFO clients").contains("connected_clients:1\r\n").then_some(()));
}

/// A subscriber that reads nothing is closed once so much waits for it; the publisher is not held up.
#[test]
fn a_subscriber_that_does_not_read_is_closed() {
    let server = start(&["--client-output-buffer-limit", "pubsub 1mb 0 0"]);
    let mut subscriber = server.connect();
    subscriber.send("SUBSCRIBE c\r\n");
    assert_eq!(subscriber.line(), "*3");
    let mut publisher = server.connect();
    // What the sockets' buffers hold is not waiting here.
    let message = "m".repeat(100_000);
    let closed = (0..2000).any(|_| publisher.ask(&["PUBLISH", "c", &message]) == b":0");
    assert!(closed, "200 MB were kept for a subscriber");
}

#[test]
fn clients_that_use_too_much_memory_are_closed() {
    let server = start(&["--maxmemory-clients", "1mb"]);
    let (mut small, mut large) = (server.connect(), server.connect());
    large.call("MULTI", "+OK");
    let request = request(&["PING", &"m".repeat(100_000)]);
    for _ in 0..50 {
        // It may be closed at any of them.
        if large.stream.write_all(&request).is_err() {
            break;
        }
    }
    let mut replies = Vec::new();
    // The end, or a reset.
    let _ = large.stream.read_to_end(&mut replies);
    assert!(replies.len() < 50 * "+QUEUED\r\n".len(), "5 MB were queued");
    small.call("PING", "+PONG");
    assert_eq!(number(&mut small, "stats", "evicted_clients"), 1);
}

#[test]
fn a_client_may_ask_to_be_kept_whatever_memory_it_uses() {
    let server = start(&["--maxmemory-clients", "1mb"]);
    let mut large = server.connect();
    large.call("CLIENT NO-EVICT ON", "+OK");
    large.call("MULTI", "+OK");
    for _ in 0..20 {
        assert_eq!(large.ask(&["PING", &"m".repeat(100_000)]), b"+QUEUED");
    }
    // It does not keep others.
    let mut other = server.connect();
    // It may be closed at any of them.
    let _ = write!(other.stream, "*2\r\n$4\r\nPING\r\n$1000000\r\n{}", "m".repeat(900_000));
    other.rest();
    large.call("DISCARD", "+OK");
    assert_eq!(number(&mut large, "stats", "evicted_clients"), 1);
}

/// A client that sets the limit too low can set it right again.
#[test]
fn the_least_limit_of_clients_memory_leaves_room_for_one() {
    let server = start(&["--maxmemory-clients", "1"]);
    let mut client = server.connect();
    client.call("PING", "+PONG");
    client.call("CONFIG SET maxmemory-clients 0", "+OK");
}
