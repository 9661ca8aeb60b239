//! RDB files: from and for redis-server, through failures and kills.

use crate::{command, limit_files, run, start};
use std::fs;
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use tempfile::TempDir;
use testkit::{Client, Server, eventually, redis_server};

fn folder() -> (TempDir, String) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().to_str().unwrap().to_string();
    (folder, path)
}

fn in_folder(dir: &str, options: &[&str]) -> Server {
    start(&[&["--dir", dir, "--enable-debug-command", "local"], options].concat())
}

/// A line of INFO persistence.
fn info(client: &mut Client, name: &str) -> String {
    let info = client.bulk("INFO persistence");
    let line = info.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
    line.unwrap_or_else(|| panic!("no {name}")).into()
}

/// Waits until a background save has ended, and returns how.
fn saved(client: &mut Client) -> String {
    eventually("the save ends", || (info(client, "rdb_bgsave_in_progress") == "0").then_some(()));
    info(client, "rdb_last_bgsave_status")
}

/// The keys of every type, encoding and several sizes, with and without expiry, in several databases.
fn fill(client: &mut Client) {
    let mut ask = |words: &[&str]| {
        let reply = client.ask(words);
        assert!(!reply.starts_with(b"-"), "{words:?}: {}", String::from_utf8_lossy(&reply));
    };
    for db in ["0", "3", "15"] {
        ask(&["SELECT", db]);
        let words = |count: usize, size: usize| (0..count).map(|at| format!("{at:0size$}x")).collect::<Vec<_>>();
        let numbers = |count: usize| (0..count).map(|at| (at * 7919).to_string()).collect::<Vec<_>>();
        for (at, value) in ["", "0", "-1", "127", "70000", "5000000000", "abc", "007"].iter().enumerate() {
            ask(&["SET", &format!("string:{at}"), value]);
        }
        for size in [20, 21, 100, 16_383, 16_384, 100_000] {
            ask(&["SET", &format!("long:{size}"), &"ab".repeat(size)]);
            ask(&["SET", &format!("incompressible:{size}"), &words(size / 8 + 1, 7).concat()]);
        }
        for (name, elements) in [
            ("few", words(5, 3)),
            ("large", words(3, 9000)),
            ("many", words(1500, 10)),
            ("numbers", numbers(40)),
            ("many_numbers", numbers(700)),
        ] {
            for (command, pair) in [("RPUSH", false), ("SADD", false), ("HSET", true), ("ZADD", true)] {
                let mut request = vec![command.to_string(), format!("{command}:{name}")];
                for (at, element) in elements.iter().enumerate() {
                    match (command, pair) {
                        ("ZADD", _) => request.extend([format!("{}", at as f64 / 3.0), element.clone()]),
                        (_, true) => request.extend([element.clone(), format!("v{element}")]),
                        _ => request.push(element.clone()),
                    }
                }
                let request: Vec<&str> = request.iter().map(String::as_str).collect();
                ask(&request);
            }
        }
        for at in 1..300 {
            let id = format!("{at}-7");
            ask(&["XADD", "stream", &id, "field", "value", &format!("f{}", at % 3), &"x".repeat(at)]);
        }
        ask(&["XGROUP", "CREATE", "stream", "group", "0"]);
        ask(&["XDEL", "stream", "5-7"]);
        ask(&["PFADD", "loglog", "a", "b", "c"]);
        ask(&["PEXPIREAT", "string:1", "4000000000001"]);
        ask(&["EXPIREAT", "SADD:many", "4000000000"]);
        ask(&["GEOADD", "geo", "13.361389", "38.115556", "Palermo"]);
    }
    ask(&["SELECT", "0"]);
}

#[test]
fn files_of_ours_load_in_redis_and_the_other_way_round() {
    let (folder, dir) = folder();
    let path = folder.path().join("dump.rdb");
    let ours = in_folder(&dir, &[]);
    let mut client = ours.connect();
    fill(&mut client);
    let digest = client.ask(&["DEBUG", "DIGEST"]);
    for (compression, background) in [("yes", false), ("no", true)] {
        assert_eq!(client.ask(&["CONFIG", "SET", "rdbcompression", compression]), b"+OK");
        if background {
            client.call("BGSAVE", "+Background saving started");
            assert_eq!(saved(&mut client), "ok");
        } else {
            client.call("SAVE", "+OK");
        }
        let Some(theirs) = redis_server(&["--dir", &dir, "--enable-debug-command", "yes"]) else { return };
        let mut their = theirs.connect();
        assert_eq!(their.ask(&["DEBUG", "DIGEST"]), digest);
        assert_eq!(their.bulk("OBJECT ENCODING SADD:numbers"), "intset");
        assert_eq!(info(&mut their, "rdb_last_load_keys_expired"), "0");
        // And back: what redis-server has made of it, in its own encodings.
        their.call("SAVE", "+OK");
        let back = in_folder(&dir, &[]);
        let mut client = back.connect();
        assert_eq!(client.ask(&["DEBUG", "DIGEST"]), digest);
        assert_eq!(info(&mut client, "rdb_last_load_keys_loaded"), info(&mut their, "rdb_last_load_keys_loaded"));
    }
    let report = run(&["--check-rdb", path.to_str().unwrap()]);
    let text = String::from_utf8(report.stdout).unwrap();
    assert!(text.contains("] Checksum OK\n") && text.contains("] \\o/ RDB looks OK! \\o/\n"), "{text}");
    assert!(report.status.success());
    if let Ok(theirs) = Command::new("redis-check-rdb").arg(&path).output() {
        let theirs = String::from_utf8(theirs.stdout).unwrap();
        let lines =
            |text: &str| text.lines().filter(|line| line.starts_with("[info]")).map(String::from).collect::<Vec<_>>();
        assert_eq!(lines(&text), lines(&theirs));
    }
}

#[test]
fn functions_are_kept_for_the_next_file() {
    let (_folder, dir) = folder();
    let Some(theirs) = redis_server(&["--dir", &dir]) else { return };
    let mut their = theirs.connect();
    let library = "#!lua name=lib\nredis.register_function('f', function() return 7 end)";
    assert_eq!(their.ask(&["FUNCTION", "LOAD", library]), b"lib");
    their.call("SAVE", "+OK");
    drop(theirs);
    let ours = in_folder(&dir, &[]);
    ours.connect().call("SAVE", "+OK");
    drop(ours);
    let theirs = redis_server(&["--dir", &dir]).unwrap();
    theirs.connect().call("FCALL f 0", ":7");
}

/// The names in a folder, sorted.
fn names(folder: &Path) -> Vec<String> {
    let mut names: Vec<_> =
        fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

#[test]
fn a_kill_during_a_save_leaves_the_old_file() {
    let (folder, dir) = folder();
    let path = folder.path().join("dump.rdb");
    let server = in_folder(&dir, &["--rdb-key-save-delay", "1000"]);
    let mut client = server.connect();
    client.call("SET k old", "+OK");
    client.call("SAVE", "+OK");
    let old = fs::read(&path).unwrap();
    client.call("DEBUG POPULATE 100000", "+OK");
    client.call("SET k new", "+OK");
    client.call("BGSAVE", "+Background saving started");
    eventually("the new file is there", || (names(folder.path()).len() == 2).then_some(()));
    server.signal("KILL");
    server.status();
    assert_eq!(fs::read(&path).unwrap(), old);
    let server = in_folder(&dir, &[]);
    let mut client = server.connect();
    client.call("GET k", "$3\r\nold");
    client.call("DBSIZE", ":1");
}

#[test]
fn a_save_under_load_is_of_one_moment() {
    let (_folder, dir) = folder();
    let server = in_folder(&dir, &[]);
    let mut client = server.connect();
    client.call("DEBUG POPULATE 20000", "+OK");
    let digest = client.ask(&["DEBUG", "DIGEST"]);
    client.call("BGSAVE", "+Background saving started");
    for at in (0..20_000).rev() {
        client.send(match at % 4 {
            0 => format!("APPEND key:{at} x\r\n"),
            1 => format!("DEL key:{at}\r\n"),
            2 => format!("SET new:{at} x\r\n"),
            _ => format!("EXPIRE key:{at} 1000\r\n"),
        });
        client.line();
    }
    assert_eq!(saved(&mut client), "ok");
    assert_ne!(client.ask(&["DEBUG", "DIGEST"]), digest);
    let other = in_folder(&dir, &[]);
    assert_eq!(other.connect().ask(&["DEBUG", "DIGEST"]), digest);
}

#[test]
fn a_full_disk_stops_writes_until_there_is_room() {
    let (folder, dir) = folder();
    let server = in_folder(&dir, &["--save", "3600", "1000000"]);
    let mut client = server.connect();
    client.call("DEBUG POPULATE 10000", "+OK");
    let limit = |bytes| limit_files(&server, bytes);
    limit("10000");
    client.call("BGSAVE", "+Background saving started");
    assert_eq!(saved(&mut client), "err");
    client.send("SET k v\r\n");
    let refusal = client.line();
    assert!(
        refusal.starts_with("-MISCONF Redis is configured to save RDB snapshots, but it's currently unable"),
        "{refusal}"
    );
    client.call("GET key:1", "$7\r\nvalue:1");
    assert_eq!(names(folder.path()), [""; 0], "something was left behind");
    limit("unlimited");
    client.call("BGSAVE", "+Background saving started");
    assert_eq!(saved(&mut client), "ok");
    client.call("SET k v", "+OK");
}

#[test]
fn a_signal_saves_if_there_are_save_points() {
    let (folder, dir) = folder();
    let path = folder.path().join("dump.rdb");
    let server = in_folder(&dir, &[]);
    server.connect().call("SET k v", "+OK");
    server.signal("TERM");
    assert_eq!(server.wait().0.code(), Some(0));
    assert!(!path.exists());
    let server = in_folder(&dir, &["--save", "3600", "1"]);
    server.connect().call("SET k v", "+OK");
    server.signal("TERM");
    assert_eq!(server.wait().0.code(), Some(0));
    let server = in_folder(&dir, &["--save", "3600", "1"]);
    server.connect().call("GET k", "$1\r\nv");
}

#[test]
fn a_signal_that_cannot_save_ends_nothing() {
    let (folder, dir) = folder();
    let blocker = folder.path().join("dump.rdb").join("full");
    let mut server = in_folder(&dir, &["--save", "3600", "1"]);
    let mut client = server.connect();
    fs::create_dir_all(&blocker).unwrap();
    for _ in 0..2 {
        let before: u64 = info(&mut client, "rdb_saves").parse().unwrap();
        server.signal("TERM");
        eventually("it has tried", || (info(&mut client, "rdb_saves").parse::<u64>().unwrap() > before).then_some(()));
    }
    assert!(server.is_running());
    // What ended it is what is told at the end.
    client.send("SHUTDOWN NOSAVE\r\n");
    client.expect_end();
    let (status, log, _) = server.wait();
    assert_eq!(status.code(), Some(0));
    assert!(log.ends_with("ae-server stopped by SHUTDOWN\n"), "{log}");
}

/// A server that listens, but has its data only in some minutes; and where it listens.
fn one_that_loads_for_minutes(dir: &str) -> (Child, SocketAddr) {
    let server = in_folder(dir, &[]);
    let mut client = server.connect();
    client.call("DEBUG POPULATE 1000", "+OK");
    client.call("SAVE", "+OK");
    drop(server);
    let port = testkit::free_port();
    let text = port.to_string();
    let args = ["--bind", "127.0.0.1", "--port", &text, "--save", "", "--dir", dir, "--key-load-delay", "500000"];
    let child = command().args(args).stdout(Stdio::piped()).spawn().unwrap();
    let address: SocketAddr = ([127, 0, 0, 1], port).into();
    eventually("it listens", || TcpStream::connect(address).ok());
    (child, address)
}

#[test]
fn a_signal_ends_a_server_that_loads() {
    let (_folder, dir) = folder();
    let (child, address) = one_that_loads_for_minutes(&dir);
    Client::to(address).call("PING", "-LOADING Redis is loading the dataset in memory");
    assert!(Command::new("kill").arg(child.id().to_string()).status().unwrap().success());
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(0));
    let log = String::from_utf8(output.stdout).unwrap();
    assert!(log.ends_with("ae-server stopped by SIGTERM while loading\n") && !log.contains("Ready"), "{log}");
}

#[test]
fn clients_are_told_that_it_loads() {
    let (_folder, dir) = folder();
    let (mut child, address) = one_that_loads_for_minutes(&dir);
    let mut client = Client::to(address);
    client.call("GET key:1", "-LOADING Redis is loading the dataset in memory");
    client.call("PING", "-LOADING Redis is loading the dataset in memory");
    assert_eq!(info(&mut client, "loading"), "1");
    assert!(info(&mut client, "loading_total_bytes").parse::<u64>().unwrap() > 1000);
    client.call("CONFIG SET key-load-delay 0", "+OK");
    eventually("it has loaded", || (info(&mut client, "loading") == "0").then_some(()));
    client.call("GET key:1", "$7\r\nvalue:1");
    client.send("SHUTDOWN\r\n");
    client.expect_end();
    assert!(child.wait().unwrap().success());
}

#[test]
fn a_file_that_cannot_be_loaded_keeps_it_from_starting() {
    let (folder, dir) = folder();
    let path = folder.path().join("dump.rdb");
    let server = in_folder(&dir, &[]);
    let mut client = server.connect();
    client.call("SET key value", "+OK");
    client.call("SAVE", "+OK");
    drop(server);
    let good = fs::read(&path).unwrap();
    let mut changed = good.clone();
    changed[good.len() - 12] ^= 1;
    let options = ["--bind", "127.0.0.1", "--port", &testkit::free_port().to_string(), "--dir", &dir];
    for (bytes, reason) in [
        (changed, format!("wrong checksum, at byte {}", good.len() - 8)),
        (good[..good.len() - 9].to_vec(), format!("unexpected end, at byte {}", good.len() - 9)),
        (b"REDIS0081".to_vec(), "RDB version 81 is not supported, at byte 5".into()),
    ] {
        fs::write(&path, &bytes).unwrap();
        let output = run(&options);
        let error = String::from_utf8(output.stderr).unwrap();
        let shown = path.display();
        assert_eq!(error.lines().last().unwrap(), format!("ae-server: cannot load {shown}: {reason}"));
        let log = String::from_utf8(output.stdout).unwrap();
        assert!(log.contains(&format!(" # cannot load {shown}: {reason}\n")), "{log}");
        assert_eq!((output.status.code(), fs::read(&path).unwrap()), (Some(1), bytes));
        let output = run(&["--check-rdb", path.to_str().unwrap()]);
        assert_eq!(output.status.code(), Some(1));
        assert!(String::from_utf8(output.stdout).unwrap().contains("--- RDB ERROR DETECTED ---\n"));
    }
    fs::remove_file(&path).unwrap();
    fs::create_dir(&path).unwrap();
    assert_eq!(run(&options).status.code(), Some(1));
}

#[test]
fn a_damaged_library_is_refused_with_its_offset() {
    let (folder, dir) = folder();
    let path = folder.path().join("dump.rdb");
    let server = in_folder(&dir, &["--rdbchecksum", "no", "--rdbcompression", "no"]);
    let mut client = server.connect();
    for name in ["one", "two"] {
        let code = format!("#!lua name={name}\nredis.register_function('{name}', function() return 1 end)");
        assert_eq!(client.ask(&["FUNCTION", "LOAD", &code]), name.as_bytes());
    }
    client.call("SAVE", "+OK");
    drop(server);
    let mut bytes = fs::read(&path).unwrap();
    let place = bytes.windows(8).position(|window| window == b"name=two").unwrap();
    let code = bytes[place..].windows(8).position(|window| window == b"register").unwrap();
    bytes[place + code] = b'R';
    fs::write(&path, &bytes).unwrap();
    let output = run(&["--bind", "127.0.0.1", "--port", &testkit::free_port().to_string(), "--dir", &dir]);
    let error = String::from_utf8(output.stderr).unwrap();
    // Before the text are an opcode, its length (of one byte or two) and `#!lua `.
    let offsets = [place - 8, place - 9].map(|at| format!("a library of functions, at byte {at}: "));
    assert_eq!(output.status.code(), Some(1));
    assert!(offsets.iter().any(|offset| error.contains(offset)), "{error}");
}

#[test]
fn the_tool_under_its_own_name() {
    let (folder, _) = folder();
    let tool = folder.path().join("ae-check-rdb");
    std::os::unix::fs::symlink(command().get_program(), &tool).unwrap();
    let output = Command::new(&tool).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(String::from_utf8(output.stderr).unwrap(), "Usage: ae-check-rdb <rdb-file-name>\n");
    let file = folder.path().join("file");
    fs::write(&file, b"REDIS0010\xff\0\0\0\0\0\0\0\0").unwrap();
    let output = Command::new(&tool).arg(&file).output().unwrap();
    assert!(output.status.success());
    assert!(String::from_utf8(output.stdout).unwrap().contains("[offset 18] \\o/ RDB looks OK! \\o/\n"));
}
