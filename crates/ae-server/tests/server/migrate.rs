//! Keys that move from server to server.

use crate::start;
use std::io::Write;
use std::net::{Shutdown, TcpListener, TcpStream};
use std::thread::JoinHandle;
use testkit::{Client, Server, free_port};

/// The line that moves keys to a server.
fn to(other: &Server, rest: &str) -> String {
    format!("MIGRATE 127.0.0.1 {} {rest}", other.port)
}

#[test]
fn keys_move_with_their_values_and_times() {
    let (here, there) = (start(&[]), start(&[]));
    let (mut client, mut other) = (here.connect(), there.connect());
    client.call("SET a 1 PX 100000", "+OK");
    client.call("RPUSH l x y", ":2");
    client.call("SET c 3", "+OK");
    client.call(&to(&there, "\"\" 2 1000 KEYS a nothing l"), "+OK");
    client.call("EXISTS a l", ":0");
    other.call("SELECT 2", "+OK");
    assert_eq!(other.bulk("GET a"), "1");
    let left = other.ask(&["PTTL", "a"]);
    assert!((1..=100_000).contains(&str::from_utf8(&left[1..]).unwrap().parse().unwrap()), "{}", left.escape_ascii());
    other.call("LLEN l", ":2");
    other.call("PERSIST a", ":1");
    client.call(&to(&there, "c 2 1000 COPY"), "+OK");
    client.call("EXISTS c", ":1");
    client.call(&to(&there, "nothing 2 1000"), "+NOKEY");
    // A time-out that is none is one second.
    client.call(&to(&there, "c 3 0 COPY"), "+OK");
    client.call(&to(&there, "c 4 -1"), "+OK");
}

#[test]
fn what_the_other_server_refuses_stays() {
    let (here, there) = (start(&[]), start(&["--requirepass", "sesame"]));
    let (mut client, mut other) = (here.connect(), there.connect());
    let refused = |why: &str| format!("-ERR Target instance replied with error: {why}");
    client.call("MSET a 1 b 2 c 3", "+OK");
    client.call(&to(&there, "a 0 1000"), &refused("NOAUTH Authentication required."));
    let wrong = refused("WRONGPASS invalid username-password pair or user is disabled.");
    client.call(&to(&there, "a 0 1000 AUTH2 default wrong"), &wrong);
    other.call("AUTH sesame", "+OK");
    other.call("SET b there", "+OK");
    let busy = refused("BUSYKEY Target key name already exists.");
    client.call(&to(&there, "\"\" 0 1000 AUTH sesame KEYS a b c"), &busy);
    client.call("EXISTS a b c", ":1");
    client.call(&to(&there, "b 99 1000 AUTH sesame"), &refused("ERR DB index is out of range"));
    client.call(&to(&there, "b 0 1000 AUTH sesame REPLACE"), "+OK");
    assert_eq!(other.bulk("GET b"), "2");
}

#[test]
fn keys_stay_when_nobody_answers() {
    let here = start(&[]);
    let mut client = here.connect();
    client.call("SET a 1", "+OK");
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = silent.local_addr().unwrap().port();
    let unread = "-IOERR error or timeout reading to target instance";
    client.call(&format!("MIGRATE 127.0.0.1 {port} a 0 1"), unread);
    // One that goes away in the midst of it.
    let goes = std::thread::spawn(move || drop((silent.accept().unwrap(), silent.accept().unwrap(), silent)));
    client.call(&format!("MIGRATE 127.0.0.1 {port} a 0 60000"), unread);
    goes.join().unwrap();
    let closed = free_port();
    client.call(&format!("MIGRATE 127.0.0.1 {closed} a 0 1000"), "-IOERR error or timeout writing to target instance");
    client.call("MIGRATE no.such.host.invalid 1 a 0 1000", "-IOERR error or timeout connecting to the client");
    client.call("EXISTS a", ":1");
}

#[test]
fn what_is_asked_for_is_checked() {
    let (here, there) = (start(&[]), start(&[]));
    let mut client = here.connect();
    client.call("MSET a 1 b 2", "+OK");
    let beside = "-ERR When using MIGRATE KEYS option, the key argument must be set to the empty string";
    client.call(&to(&there, "a 0 1000 KEYS b"), beside);
    for rest in ["a 0 1000 AUTH", "a 0 1000 AUTH2 default", "a 0 1000 MOVE"] {
        client.call(&to(&there, rest), "-ERR syntax error");
    }
    client.call(&to(&there, "a 0 x"), "-ERR value is not an integer or out of range");
    client.call("EXISTS a b", ":2");
}

/// A server that says this to whoever connects, and no more; with its listener and the connection.
fn says(replies: &'static str) -> (u16, JoinHandle<(TcpListener, TcpStream)>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let said = std::thread::spawn(move || {
        let (mut connection, _) = listener.accept().unwrap();
        connection.write_all(replies.as_bytes()).unwrap();
        (listener, connection)
    });
    (port, said)
}

#[test]
fn a_server_that_no_longer_answers_is_not_asked_again() {
    let here = start(&[]);
    let mut client = here.connect();
    client.call("MSET a 1 b 2", "+OK");
    let (port, said) = says("+OK\r\n+OK\r\n");
    client.call(&format!("MIGRATE 127.0.0.1 {port} a 0 60000"), "+OK");
    let (listener, _connection) = said.join().unwrap();
    // The time-out is this one's, and there is no other connection.
    let unread = "-IOERR error or timeout reading to target instance";
    client.call(&format!("MIGRATE 127.0.0.1 {port} b 0 1"), unread);
    listener.set_nonblocking(true).unwrap();
    assert!(listener.accept().is_err());
    client.call("EXISTS a b", ":1");
}

/// Nor is what it has taken a part of sent once more.
#[test]
fn a_server_that_takes_no_more_is_given_up() {
    let here = start(&["--rdbcompression", "no"]);
    let mut client = here.connect();
    client.call("SET a 1", "+OK");
    client.call("SETRANGE b 49999999 x", ":50000000");
    let (port, said) = says("+OK\r\n+OK\r\n");
    client.call(&format!("MIGRATE 127.0.0.1 {port} a 0 60000"), "+OK");
    let (listener, _connection) = said.join().unwrap();
    let unwritten = "-IOERR error or timeout writing to target instance";
    client.call(&format!("MIGRATE 127.0.0.1 {port} b 0 100"), unwritten);
    listener.set_nonblocking(true).unwrap();
    assert!(listener.accept().is_err());
    client.call("STRLEN b", ":50000000");
}

#[test]
fn a_connection_with_more_than_the_replies_is_not_used_again() {
    for (replies, kept) in [("+OK\r\n+OK\r\n", "1"), ("+OK\r\n+OK\r\n+OK\r\n", "0")] {
        let here = start(&[]);
        let mut client = here.connect();
        client.call("SET a 1", "+OK");
        let (port, said) = says(replies);
        client.call(&format!("MIGRATE 127.0.0.1 {port} a 0 60000"), "+OK");
        let stats = client.bulk("INFO stats");
        assert!(stats.contains(&format!("\nmigrate_cached_sockets:{kept}\r\n")), "{stats}");
        said.join().unwrap();
    }
}

#[test]
fn what_the_other_server_said_before_it_went_away_is_told() {
    let here = start(&[]);
    let mut client = here.connect();
    client.call("SET a 1", "+OK");
    let (port, said) = says("-ERR no\r\n");
    let ends = std::thread::spawn(move || {
        let (listener, connection) = said.join().unwrap();
        connection.shutdown(Shutdown::Write).unwrap();
        (listener, connection)
    });
    let told = "-ERR Target instance replied with error: ERR no";
    client.call(&format!("MIGRATE 127.0.0.1 {port} a 0 60000"), told);
    ends.join().unwrap();
    client.call("EXISTS a", ":1");
}

/// The connection is kept for the next keys, with what is selected there.
#[test]
fn keys_move_over_the_same_connection() {
    let (here, there) = (start(&[]), start(&["--requirepass", "sesame"]));
    let (mut client, mut other) = (here.connect(), there.connect());
    other.call("AUTH sesame", "+OK");
    let number = |client: &mut Client, name: &str| {
        client.bulk("INFO stats").lines().find_map(|line| line.strip_prefix(name).map(String::from)).unwrap()
    };
    client.call("MSET a 1 b 2 c 3 d 4 e 5", "+OK");
    client.call(&to(&there, "a 3 1000 AUTH sesame"), "+OK");
    let before = number(&mut other, "total_connections_received:");
    client.call(&to(&there, "b 3 1000"), "+OK");
    client.call(&to(&there, "c 4 1000"), "+OK");
    // What it refuses makes the next one select again.
    for _ in 0..2 {
        client.call(&to(&there, "d 99 1000"), "-ERR Target instance replied with error: ERR DB index is out of range");
    }
    client.call(&to(&there, "d 4 1000 REPLACE"), "+OK");
    assert_eq!(number(&mut other, "total_connections_received:"), before);
    assert_eq!(number(&mut client, "migrate_cached_sockets:"), "1");
    other.call("SELECT 3", "+OK");
    other.call("EXISTS a b", ":2");
    other.call("SELECT 4", "+OK");
    other.call("EXISTS c d", ":2");
    // Another server has another one.
    let elsewhere = start(&[]);
    client.call("SET d 5", "+OK");
    client.call(&to(&elsewhere, "d 4 1000"), "+OK");
    assert_eq!(number(&mut client, "migrate_cached_sockets:"), "2");
    elsewhere.connect().call("DBSIZE", ":0");
    assert!(elsewhere.connect().bulk("INFO keyspace").contains("db4:keys=1,"));
    // One that the other server has closed is made again.
    other.call("CLIENT KILL TYPE normal", ":1");
    client.call(&to(&there, "e 4 1000 AUTH sesame"), "+OK");
    other.call("EXISTS e", ":1");
}

#[test]
fn what_has_moved_is_told_as_removed() {
    let at = tempfile::tempdir().unwrap();
    let options = ["--dir", at.path().to_str().unwrap(), "--appendonly", "yes", "--enable-debug-command", "yes"];
    let (here, there) = (start(&options), start(&[]));
    let mut client = here.connect();
    client.call("MSET a 1 b 2", "+OK");
    client.call(&to(&there, "a 0 1000"), "+OK");
    client.call(&to(&there, "b 0 1000 COPY"), "+OK");
    client.call("DEBUG LOADAOF", "+OK");
    client.call("EXISTS a", ":0");
    client.call("EXISTS b", ":1");
    // In a transaction and in a script, too.
    client.call("MULTI", "+OK");
    client.call(&to(&there, "b 1 1000"), "+QUEUED");
    client.call("EXEC", "*1");
    assert_eq!(client.line(), "+OK");
    client.call("SET c 3", "+OK");
    let script = "return redis.call('migrate', ARGV[1], ARGV[2], KEYS[1], 0, 1000)";
    let port = there.port.to_string();
    let reply = client.ask(&["EVAL", script, "1", "c", "127.0.0.1", &port]);
    assert_eq!(reply, b"+OK");
    client.call("DBSIZE", ":0");
}
