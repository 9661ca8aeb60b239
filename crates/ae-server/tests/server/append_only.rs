//! The append-only file: over kills, and with redis-server's files.

use crate::{command, limit_files};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Stdio};
use testkit::{Client, Server, redis_server};

pub fn start(at: &Path, options: &[&str]) -> Server {
    let fixed = ["--dir", at.to_str().unwrap(), "--appendonly", "yes", "--save", "", "--enable-debug-command", "yes"];
    Server::start(command(), &[&fixed[..], options].concat())
}

fn redis(at: &Path) -> Option<Server> {
    redis_server(&["--dir", at.to_str().unwrap(), "--appendonly", "yes", "--enable-debug-command", "yes"])
}

pub fn digest(server: &Server) -> String {
    digest_by(&mut server.connect())
}

pub fn digest_by(client: &mut Client) -> String {
    String::from_utf8(client.ask(&["DEBUG", "DIGEST"])).unwrap()
}

/// A server that would take minutes to load its data, and a client of it.
pub fn start_slowly(at: &Path, append_only: &str) -> (Child, Client) {
    let port = testkit::free_port();
    let text = port.to_string();
    let fixed = ["--bind", "127.0.0.1", "--port", &text, "--save", "", "--dir", at.to_str().unwrap()];
    let more = ["--appendonly", append_only, "--key-load-delay", "500000", "--enable-debug-command", "yes"];
    let child = command().args(fixed).args(more).stdout(Stdio::piped()).spawn().unwrap();
    testkit::eventually("it listens", || TcpStream::connect(("127.0.0.1", port)).ok());
    (child, Client::to(([127, 0, 0, 1], port).into()))
}

pub fn fill(server: &Server) {
    let mut client = server.connect();
    for line in [
        "SET a 1",
        "INCR a",
        "SET e v PXAT 99999999999999",
        "RPUSH l a b c 1 2 3",
        "LPOP l",
        "HSET h f v g 2",
        "ZADD z 1.5 a 2 b",
        "SADD s 1 2 3",
        "SADD t a b",
        "DEL x",
        "XADD x 1-1 f v",
        "XADD x 1-2 f v",
        "XGROUP CREATE x g 0",
        "SELECT 3",
        "MULTI",
        "INCR n",
        "PFADD p a b c",
        "EXEC",
    ] {
        let reply = client.ask(&line.split(' ').collect::<Vec<_>>());
        assert!(!reply.starts_with(b"-"), "{line}: {}", String::from_utf8_lossy(&reply));
    }
}

pub fn rewrite(server: &Server) {
    let mut client = server.connect();
    assert!(client.ask(&["BGREWRITEAOF"]).starts_with(b"+Background append only file rewriting started"));
    testkit::eventually("the rewrite ends", || {
        let info = client.bulk("INFO persistence");
        let done = info.contains("aof_rewrite_in_progress:0") && info.contains("aof_rewrite_scheduled:0");
        assert!(info.contains("aof_last_bgrewrite_status:ok"), "{info}");
        done.then_some(())
    });
}

#[test]
fn redis_server_loads_it_and_the_other_way_round() {
    for preamble in ["yes", "no"] {
        let at = tempfile::tempdir().unwrap();
        let ours = start(at.path(), &["--aof-use-rdb-preamble", preamble, "--appendfsync", "always"]);
        fill(&ours);
        let expected = digest(&ours);
        drop(ours);
        let Some(theirs) = redis(at.path()) else { return };
        assert_eq!(digest(&theirs), expected);
        fill(&theirs);
        rewrite(&theirs);
        fill(&theirs);
        let expected = digest(&theirs);
        theirs.signal("TERM");
        theirs.wait();
        let ours = start(at.path(), &["--aof-use-rdb-preamble", preamble]);
        assert_eq!(digest(&ours), expected);
        fill(&ours);
        rewrite(&ours);
        fill(&ours);
        let expected = digest(&ours);
        ours.signal("TERM");
        ours.wait();
        let Some(theirs) = redis(at.path()) else { return };
        assert_eq!(digest(&theirs), expected);
    }
}

#[test]
fn a_full_disk_refuses_changes_and_heals() {
    let at = tempfile::tempdir().unwrap();
    for fsync in ["always", "everysec"] {
        // A limit on the size of files in place of a full disk.
        let path = at.path().to_str().unwrap();
        let mut limited = std::process::Command::new("env");
        limited.args([
            "--ignore-signal=XFSZ",
            "prlimit",
            "--fsize=4096:unlimited",
            env!("CARGO_BIN_EXE_ae-server"),
            "--appendonly",
            "yes",
        ]);
        limited.args(["--appendfsync", fsync, "--save", "", "--appenddirname", fsync]);
        let server = Server::start(limited, &["--dir", path]);
        let mut client = server.connect();
        client.call("SET safe 1", "+OK");
        let mut writer = server.connect();
        writer.send(testkit::request(&["SET", "large", &"x".repeat(8000)]));
        // It cannot be told that this is safe if it is not.
        match fsync {
            "always" => writer.expect_end(),
            _ => writer.expect("+OK\r\n"),
        }
        let mut other = server.connect();
        testkit::eventually("changes are refused", || {
            let reply = other.ask(&["SET", "refused", "1"]);
            reply.starts_with(b"-MISCONF Errors writing to the AOF file: File too large").then_some(())
        });
        other.call("GET safe", "$1\r\n1");
        assert!(other.bulk("INFO persistence").contains("aof_last_write_status:err"));
        limit_files(&server, "100000000");
        testkit::eventually("changes are taken again", || (other.ask(&["SET", "later", "1"]) == b"+OK").then_some(()));
        server.signal("KILL");
        drop(server);
        let server = start(at.path(), &["--appenddirname", fsync]);
        let mut client = server.connect();
        client.call("MGET safe later", "*2\r\n$1\r\n1\r\n$1\r\n1");
        client.call("STRLEN large", ":8000");
    }
}

/// CONFIG SET appendonly counts while the data of the start are loaded, too.
#[test]
fn it_is_turned_on_and_off_while_the_server_starts() {
    for (before, settings) in [
        ("no", &["yes"][..]),
        ("no", &["yes", "no"]),
        ("no", &["yes", "no", "yes"]),
        ("yes", &["no"]),
        ("yes", &["no", "yes"]),
        ("yes", &["no", "yes", "no"]),
    ] {
        let at = tempfile::tempdir().unwrap();
        let server = start(at.path(), &["--appendonly", before]);
        fill(&server);
        server.connect().call("SAVE", "+OK");
        server.signal("TERM");
        server.wait();
        let (mut child, mut client) = start_slowly(at.path(), before);
        for on in settings {
            assert_eq!(info(&mut client, "loading"), 1);
            client.call(&format!("CONFIG SET appendonly {on}"), "+OK");
        }
        // That of another setting changes nothing.
        client.call("CONFIG SET key-load-delay 0 hz 20", "+OK");
        testkit::eventually("it has loaded", || (info(&mut client, "loading") == 0).then_some(()));
        let is_on = settings.last() == Some(&"yes");
        assert_eq!(info(&mut client, "aof_enabled"), u64::from(is_on), "{before}, {settings:?}");
        testkit::eventually("there is a base", || {
            let info = client.bulk("INFO persistence");
            (info.contains("aof_rewrite_in_progress:0") && info.contains("aof_rewrite_scheduled:0")).then_some(())
        });
        let loaded = digest_by(&mut client);
        client.call("SET later 1", "+OK");
        let expected = if is_on { digest_by(&mut client) } else { loaded };
        child.kill().unwrap();
        child.wait().unwrap();
        let server = start(at.path(), &["--appendonly", if is_on { "yes" } else { before }]);
        assert_eq!(digest(&server), expected, "{before}, {settings:?}");
    }
}

/// The number in a line of INFO persistence.
pub fn info(client: &mut Client, name: &str) -> u64 {
    let info = client.bulk("INFO persistence");
    info.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':')).unwrap().parse().unwrap()
}

/// What is evicted while a rewrite has still to pass it is in neither part.
#[test]
fn keys_are_evicted_while_it_is_rewritten_as_requests() {
    let at = tempfile::tempdir().unwrap();
    let server = start(at.path(), &["--aof-use-rdb-preamble", "no", "--rdb-key-save-delay", "100000"]);
    let mut client = server.connect();
    client.call("DEBUG POPULATE 2000", "+OK");
    client.call("CONFIG SET maxmemory-policy allkeys-random", "+OK");
    client.call("BGREWRITEAOF", "+Background append only file rewriting started");
    let used = client.bulk("INFO memory");
    let used: u64 = used.lines().find_map(|line| line.strip_prefix("used_memory:")).unwrap().parse().unwrap();
    client.call(&format!("CONFIG SET maxmemory {}", used + 200_000), "+OK");
    let mut overlapped = false;
    for key in 0..2000 {
        let reply = client.ask(&["SET", &format!("new:{key}"), &"x".repeat(300)]);
        // What the rewrite has still to take counts as memory in use.
        assert!(reply == b"+OK" || reply.starts_with(b"-OOM"), "{}", String::from_utf8_lossy(&reply));
        overlapped |= !client.bulk("INFO stats").contains("evicted_keys:0\r")
            && info(&mut client, "aof_rewrite_in_progress") == 1;
    }
    assert!(overlapped, "it has to be under way while keys are evicted");
    client.call("CONFIG SET maxmemory 0", "+OK");
    client.call("CONFIG SET rdb-key-save-delay 0", "+OK");
    testkit::eventually("the rewrite ends", || (info(&mut client, "aof_rewrite_in_progress") == 0).then_some(()));
    assert_eq!(info(&mut client, "aof_rewrites"), 1);
    let (keys, expected) = (client.ask(&["DBSIZE"]), digest(&server));
    server.signal("TERM");
    server.status();
    let server = start(at.path(), &[]);
    assert_eq!((server.connect().ask(&["DBSIZE"]), digest(&server)), (keys, expected.clone()));
    drop(server);
    let Some(theirs) = redis(at.path()) else { return };
    assert_eq!(digest(&theirs), expected);
}

/// All keys, sorted.
fn keys(server: &Server) -> Vec<String> {
    let mut client = server.connect();
    let found = client.ask(&["EVAL", "return table.concat(redis.call('keys', '*'), ' ')", "0"]);
    let mut found: Vec<String> = String::from_utf8(found).unwrap().split_whitespace().map(String::from).collect();
    found.sort();
    found
}

/// A replica with a file of old data, which has the data of `primary` but cannot write them as the file's base, because
/// there is a folder where it would be written. Returns that folder, too.
fn replica_without_a_base(at: &Path, primary: &Server) -> (Server, std::path::PathBuf) {
    let replica = start(at, &["--appendfsync", "always"]);
    let mut client = replica.connect();
    client.call("SET old 1", "+OK");
    let blocks = at.join("appendonlydir/temp-rewrite-appendonly.aof");
    std::fs::create_dir_all(blocks.join("x")).unwrap();
    client.call(&format!("REPLICAOF 127.0.0.1 {}", primary.port), "+OK");
    testkit::eventually("the rewrite has failed", || {
        let failed = client.bulk("INFO persistence").contains("aof_last_bgrewrite_status:err");
        (failed && client.bulk("INFO replication").contains("master_link_status:up")).then_some(())
    });
    (replica, blocks)
}

#[test]
fn a_replica_does_not_mix_what_it_had_with_what_comes() {
    let (one, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let primary = start(one.path(), &["--repl-diskless-sync-delay", "0"]);
    primary.connect().call("SET copied 1", "+OK");
    let (replica, blocks) = replica_without_a_base(other.path(), &primary);
    let mut client = primary.connect();
    client.call("SET streamed 1", "+OK");
    client.call("WAIT 1 10000", ":1");
    assert_eq!(keys(&replica), ["copied", "streamed"]);
    replica.signal("KILL");
    drop(replica);
    std::fs::remove_dir_all(&blocks).unwrap();
    let replica = start(other.path(), &[]);
    assert_eq!(keys(&replica), ["old"]);
}

#[test]
fn a_replica_goes_on_trying_to_write_the_new_base() {
    let (one, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let primary = start(one.path(), &["--repl-diskless-sync-delay", "0"]);
    primary.connect().call("SET copied 1", "+OK");
    let (replica, blocks) = replica_without_a_base(other.path(), &primary);
    let mut client = replica.connect();
    client.call("REPLICAOF NO ONE", "+OK");
    client.call("SHUTDOWN", "-ERR Errors trying to SHUTDOWN. Check logs.");
    std::fs::remove_dir_all(&blocks).unwrap();
    client.call("SET new 1", "+OK");
    // After several failures it would wait for a minute.
    client.send("BGREWRITEAOF\r\n");
    client.line();
    testkit::eventually("the rewrite ends", || {
        client.bulk("INFO persistence").contains("aof_last_bgrewrite_status:ok").then_some(())
    });
    client.call("SET newer 1", "+OK");
    replica.signal("KILL");
    drop(replica);
    assert_eq!(keys(&start(other.path(), &[])), ["copied", "new", "newer"]);
}

#[test]
fn a_rewrite_moves_it_to_the_new_working_directory() {
    let at = tempfile::tempdir().unwrap();
    let new = at.path().join("new");
    std::fs::create_dir(&new).unwrap();
    let server = start(at.path(), &["--appendfsync", "always", "--enable-protected-configs", "yes"]);
    let mut client = server.connect();
    client.call("SET before 1", "+OK");
    client.call(&format!("CONFIG SET dir {}", new.display()), "+OK");
    client.call("SET between 1", "+OK");
    rewrite(&server);
    client.call("SET after 1", "+OK");
    server.signal("KILL");
    drop(server);
    assert_eq!(keys(&start(&new, &[])), ["after", "before", "between"]);
    assert_eq!(keys(&start(at.path(), &[])), ["before", "between"]);
}

#[test]
fn it_stays_where_it_is_if_it_cannot_be_moved() {
    let at = tempfile::tempdir().unwrap();
    let new = at.path().join("new");
    std::fs::create_dir(&new).unwrap();
    std::fs::write(new.join("appendonlydir"), "").unwrap();
    let server = start(at.path(), &["--appendfsync", "always", "--enable-protected-configs", "yes"]);
    let mut client = server.connect();
    client.call(&format!("CONFIG SET dir {}", new.display()), "+OK");
    client.send("BGREWRITEAOF\r\n");
    client.line();
    testkit::eventually("the rewrite fails", || {
        client.bulk("INFO persistence").contains("aof_last_bgrewrite_status:err").then_some(())
    });
    client.call("SET after 1", "+OK");
    server.signal("TERM");
    assert!(server.wait().0.success());
    assert_eq!(keys(&start(at.path(), &[])), ["after"]);
}
