//! The append-only file: what a start and DEBUG LOADAOF make of it.

use crate::append_only::{digest, digest_by, fill, info, rewrite, start, start_slowly};
use crate::command;
use std::io::Write;
use testkit::Server;

#[test]
fn it_is_loaded_again_while_running() {
    let at = tempfile::tempdir().unwrap();
    let server = start(at.path(), &[]);
    fill(&server);
    let expected = digest(&server);
    server.connect().call("SAVE", "+OK");
    server.connect().call("DEBUG LOADAOF", "+OK");
    assert_eq!(digest(&server), expected);
    assert_eq!(info(&mut server.connect(), "rdb_changes_since_last_save"), 0);
    fill(&server);
    let expected = digest(&server);
    server.signal("TERM");
    server.wait();
    assert_eq!(digest(&start(at.path(), &[])), expected);
}

#[test]
fn it_is_loaded_although_nothing_is_written_to_it() {
    let at = tempfile::tempdir().unwrap();
    let server = start(at.path(), &["--appendonly", "no"]);
    fill(&server);
    let expected = digest(&server);
    let mut client = server.connect();
    client.call("BGREWRITEAOF", "+Background append only file rewriting started");
    testkit::eventually("the rewrite ends", || {
        let info = client.bulk("INFO persistence");
        (info.contains("aof_rewrite_in_progress:0") && info.contains("aof_rewrite_scheduled:0")).then_some(())
    });
    client.call("SET more 1", "+OK");
    client.call("DEBUG LOADAOF", "+OK");
    assert_eq!(digest(&server), expected);
}

#[test]
fn what_cannot_be_loaded_ends_the_server_with_file_and_offset() {
    let at = tempfile::tempdir().unwrap();
    let server = start(at.path(), &["--appendfsync", "always"]);
    server.connect().call("SET a 1", "+OK");
    drop(server);
    let path = at.path().join("appendonlydir/appendonly.aof.1.incr.aof");
    let len = std::fs::metadata(&path).unwrap().len();
    let mut file = std::fs::OpenOptions::new().append(true).open(&path).unwrap();
    file.write_all(b"garbage\r\n").unwrap();
    let output = command()
        .args(["--port", "0", "--unixsocket", "s", "--dir", at.path().to_str().unwrap(), "--appendonly", "yes"])
        .output()
        .unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(said.contains(path.to_str().unwrap()) && said.contains(&format!("offset {len}:")), "{said}");
    let tool =
        |args: &[&str]| command().arg("--check-aof").args(args).stdin(std::process::Stdio::null()).output().unwrap();
    let manifest = at.path().join("appendonlydir/appendonly.aof.manifest");
    let checked = tool(&[manifest.to_str().unwrap()]);
    assert_eq!(checked.status.code(), Some(1));
    assert!(String::from_utf8(checked.stdout).unwrap().contains("Use the --fix option"));
    let manifest = manifest.to_str().unwrap();
    for fix in [["--fix", manifest], [manifest, "--fix"]] {
        let asked = tool(&fix);
        assert_eq!(asked.status.code(), Some(1), "nobody says yes");
        assert!(String::from_utf8(asked.stdout).unwrap().contains("This will shrink the AOF"));
    }
}

/// It is cut off only if whoever calls the tool says yes.
#[test]
fn the_tool_cuts_off_what_cannot_be_loaded() {
    let at = tempfile::tempdir().unwrap();
    let log = at.path().join("log.aof");
    let (first, second) = (testkit::request(&["SET", "a", "1"]), testkit::request(&["SET", "b", "2"]));
    let good = [b"#TS:100\r\n", &first[..], b"#TS:200\r\n", &second[..]].concat();
    let until_100 = b"#TS:100\r\n".len() + first.len();
    let bad = [&good[..], b"garbage\r\n"].concat();
    let path = log.to_str().unwrap();
    for (content, options, answer, left) in [
        (&bad, [&["--fix", path][..], &[path, "--fix"]], "n\n", bad.len()),
        (&bad, [&["--fix", path], &[path, "--fix"]], "Y\n", good.len()),
        (&good, [&["--truncate-to-timestamp", "150", path], &[path, "--truncate-to-timestamp", "150"]], "", until_100),
    ] {
        for args in options {
            std::fs::write(&log, content).unwrap();
            let mut tool = command();
            tool.arg("--check-aof").args(args).stdin(std::process::Stdio::piped()).stdout(std::process::Stdio::piped());
            let mut tool = tool.spawn().unwrap();
            tool.stdin.take().unwrap().write_all(answer.as_bytes()).unwrap();
            let output = tool.wait_with_output().unwrap();
            let said = String::from_utf8_lossy(&output.stdout);
            assert_eq!(std::fs::read(&log).unwrap(), content[..left], "{args:?} {answer:?}: {said}");
        }
    }
}

/// Logs of Redis up to 4 have scripts in them: what these change is there already.
#[test]
fn what_is_loaded_again_is_not_written_again() {
    let at = tempfile::tempdir().unwrap();
    drop(start(at.path(), &[]));
    let path = at.path().join("appendonlydir/appendonly.aof.1.incr.aof");
    let content = testkit::request(&["EVAL", "redis.call('INCR', 'n')", "0"]);
    std::fs::write(&path, &content).unwrap();
    let server = start(at.path(), &["--appendfsync", "always"]);
    let mut client = server.connect();
    client.call("DEBUG LOADAOF", "+OK");
    client.call("GET n", "$1\r\n1");
    assert_eq!(std::fs::read(&path).unwrap(), content);
}

/// There is nothing that it could serve then.
#[test]
fn one_that_cannot_be_loaded_again_ends_the_server() {
    let at = tempfile::tempdir().unwrap();
    let server = start(at.path(), &["--appendfsync", "always"]);
    let mut client = server.connect();
    client.call("SET k v", "+OK");
    let path = at.path().join("appendonlydir/appendonly.aof.1.incr.aof");
    std::fs::OpenOptions::new().append(true).open(&path).unwrap().write_all(b"garbage\r\n").unwrap();
    client.send("DEBUG LOADAOF\r\n");
    let (status, _, error) = server.wait();
    assert!(status.code() == Some(1) && error.contains(path.to_str().unwrap()), "{error}");
}

#[test]
fn one_that_cannot_be_gone_on_with_keeps_the_server_from_starting() {
    let at = tempfile::tempdir().unwrap();
    drop(start(at.path(), &[]));
    let folder = at.path().join("appendonlydir");
    std::fs::write(folder.join("appendonly.aof.manifest"), "file appendonly.aof.1.base.rdb seq 1 type b\n").unwrap();
    std::fs::remove_file(folder.join("appendonly.aof.1.incr.aof")).unwrap();
    std::fs::create_dir(folder.join("appendonly.aof.1.incr.aof")).unwrap();
    let Err(end) = Server::try_start(command(), &["--dir", at.path().to_str().unwrap(), "--appendonly", "yes"]) else {
        panic!("it starts")
    };
    assert!(end.code == Some(1) && end.error.contains("cannot open the append-only file: "), "{}", end.error);
}

/// What no write leaves behind is not cut off, even if the file ends there.
#[test]
fn only_a_write_that_was_cut_short_is_cut_off() {
    let good = testkit::request(&["SET", "a", "1"]);
    let line_feeds: Vec<u8> = good.iter().copied().filter(|byte| *byte != b'\r').collect();
    let torn_and_empty = [&good[..10], &[0; 64]].concat();
    let torn = &good[..good.len() - 1];
    for (bad, is_cut) in [(torn, true), (&line_feeds, false), (&torn_and_empty, false), (b"*3X", false)] {
        let at = tempfile::tempdir().unwrap();
        drop(start(at.path(), &[]));
        let path = at.path().join("appendonlydir/appendonly.aof.1.incr.aof");
        let content = [&good[..], bad].concat();
        std::fs::write(&path, &content).unwrap();
        if is_cut {
            drop(start(at.path(), &[]));
            assert_eq!(std::fs::read(&path).unwrap(), good);
            continue;
        }
        let options = ["--dir", at.path().to_str().unwrap(), "--appendonly", "yes"];
        let Err(end) = Server::try_start(command(), &options) else { panic!("it starts") };
        assert!(end.code == Some(1) && end.error.contains(&format!("offset {}:", good.len())), "{}", end.error);
        assert_eq!(std::fs::read(&path).unwrap(), content);
    }
}

#[test]
fn clients_are_told_that_it_loads() {
    let at = tempfile::tempdir().unwrap();
    let server = start(at.path(), &["--appendfsync", "always"]);
    let mut client = server.connect();
    client.call("DEBUG POPULATE 2000", "+OK");
    rewrite(&server);
    (0..100).for_each(|key| client.call(&format!("SET more:{key} 1"), "+OK"));
    let size = info(&mut client, "aof_current_size");
    let expected = digest(&server);
    drop(server);
    let (mut child, mut client) = start_slowly(at.path(), "yes");
    for request in ["GET key:1", "SET key:1 2", "PING", "BGREWRITEAOF"] {
        client.call(request, "-LOADING Redis is loading the dataset in memory");
    }
    let mut read = Vec::new();
    for delay in ["20000", "20000", "500000"] {
        client.call(&format!("CONFIG SET key-load-delay {delay}"), "+OK");
        assert_eq!((info(&mut client, "loading"), info(&mut client, "async_loading")), (1, 0));
        assert_eq!(info(&mut client, "loading_total_bytes"), size);
        let before = info(&mut client, "loading_loaded_bytes");
        if delay != "500000" {
            testkit::eventually("it goes on", || (info(&mut client, "loading_loaded_bytes") > before).then_some(()));
        }
        read.push(before);
    }
    assert!(read.is_sorted() && read[2] <= size, "{read:?} of {size}");
    client.call("CONFIG SET key-load-delay 0", "+OK");
    testkit::eventually("it has loaded", || (info(&mut client, "loading") == 0).then_some(()));
    assert_eq!(digest_by(&mut client), expected);
    assert!(!client.bulk("INFO persistence").contains("loading_total_bytes"));
    client.send("SHUTDOWN NOSAVE\r\n");
    client.expect_end();
    assert!(child.wait().unwrap().success());
}
