//! A replica of a primary that the test plays.

use crate::{limit_files, number, start};
use rdb::{Compression, Entry, FileOptions, FileWriter};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::time::{Duration, Instant};
use store::{StringValue, Value};
use testkit::{PATIENCE, Server, eventually};

pub const HISTORY: &str = "0123456789abcdef0123456789abcdef01234567";
/// What comes first in a stream that begins behind offset 100, and ends with offset 130.
pub const SET: &str = "*3\r\n$3\r\nSET\r\n$4\r\nmore\r\n$1\r\n1\r\n";

pub struct Primary(TcpListener);

impl Primary {
    pub fn new() -> Primary {
        Primary(TcpListener::bind("127.0.0.1:0").unwrap())
    }

    pub fn replica(&self, options: &[&str]) -> Server {
        start(&[&["--replicaof", &format!("127.0.0.1 {}", self.port())], options].concat())
    }

    pub fn port(&self) -> u16 {
        self.0.local_addr().unwrap().port()
    }

    /// The replica connects, for the first time or again.
    pub fn accept(&self) -> Link {
        loop {
            let (stream, _) = self.0.accept().unwrap();
            stream.set_read_timeout(Some(PATIENCE)).unwrap();
            stream.set_write_timeout(Some(PATIENCE)).unwrap();
            let mut link = Link(BufReader::new(stream));
            // Unless it has gone meanwhile.
            if let Some(request) = link.request() {
                assert_eq!(request, ["PING"]);
                return link;
            }
        }
    }

    /// The next link, with a copy that ends at an offset.
    pub fn give(&self, offset: u64, file: &[u8]) -> Link {
        let mut link = self.accept();
        link.introduced().unwrap();
        link.send(copy(offset, file)).unwrap();
        link
    }

    /// Says something, and nothing more until the replica goes. On a slow machine it may go before.
    fn is_left_after(&self, say: impl Fn(&mut Link) -> Option<()>) {
        loop {
            let mut link = self.accept();
            if say(&mut link).is_some() {
                return link.expect_end();
            }
        }
    }
}

pub struct Link(BufReader<TcpStream>);

impl Link {
    pub fn send(&mut self, bytes: impl AsRef<[u8]>) -> Option<()> {
        self.0.get_mut().write_all(bytes.as_ref()).ok()
    }

    pub fn line(&mut self) -> Option<String> {
        let mut line = String::new();
        let len = self.0.read_line(&mut line).ok()?;
        (len > 0).then(|| line.trim_end().to_string())
    }

    /// None when the replica has gone.
    pub fn request(&mut self) -> Option<Vec<String>> {
        let mut count = self.line()?;
        while count.is_empty() {
            count = self.line()?;
        }
        let count = count.strip_prefix('*').expect("a request").parse().unwrap();
        (0..count)
            .map(|_| {
                assert!(self.line()?.starts_with('$'));
                self.line()
            })
            .collect()
    }

    /// Answers up to PSYNC, which is returned.
    pub fn introduced(&mut self) -> Option<Vec<String>> {
        self.send("+PONG\r\n")?;
        loop {
            let request = self.request()?;
            if request[0] == "PSYNC" {
                return Some(request);
            }
            assert_eq!(request[0], "REPLCONF");
            self.send("+OK\r\n")?;
        }
    }

    /// Sends an end, and goes on reading.
    pub fn finish_sending(&self) {
        self.0.get_ref().shutdown(Shutdown::Write).unwrap();
    }

    /// The replica has closed the connection.
    pub fn expect_end(mut self) {
        let end = self.0.read_to_end(&mut Vec::new());
        assert!(end.is_ok() || end.is_err_and(|error| error.kind() == std::io::ErrorKind::ConnectionReset));
    }
}

/// A file with so many keys of this length.
pub fn file(keys: usize, length: usize) -> Vec<u8> {
    let mut writer = FileWriter::new(FileOptions { compression: Compression::Off, checksum: true });
    writer.database(0, keys as u64, 0);
    let value = Value::from(StringValue::new(&vec![b'v'; length][..]));
    for key in 0..keys {
        let key = format!("key:{key}");
        writer.entry(&Entry { key: key.as_bytes(), value: value.view(), deadline: None, usage: None });
    }
    writer.finish();
    writer.take()
}

/// A whole copy of this history, as a primary sends it.
pub fn copy(offset: u64, file: &[u8]) -> Vec<u8> {
    [format!("+FULLRESYNC {HISTORY} {offset}\r\n${}\r\n", file.len()).as_bytes(), file].concat()
}

#[test]
fn one_that_sends_a_line_without_an_end_is_left_and_tried_again() {
    let primary = Primary::new();
    let _replica = primary.replica(&[]);
    let mut link = primary.accept();
    // As long as a line may be, in two pieces.
    link.send([b'+'; 1000]).unwrap();
    link.send([b'x'; 4096 - 1000]).unwrap();
    link.send("x").unwrap();
    link.expect_end();
    primary.accept();
}

#[test]
fn a_line_may_come_in_pieces() {
    let primary = Primary::new();
    let _replica = primary.replica(&[]);
    let mut link = primary.accept();
    link.send("+PO").unwrap();
    link.send("NG\r\n").unwrap();
    assert_eq!(link.request().unwrap()[..2], ["REPLCONF", "listening-port"]);
}

#[test]
fn one_that_refuses_or_closes_is_tried_again() {
    let primary = Primary::new();
    let mut replica = primary.replica(&[]);
    primary.accept().send("-ERR no\r\n").unwrap();
    drop(primary.accept());
    let mut link = primary.accept();
    assert_eq!(link.introduced().unwrap(), ["PSYNC", "?", "-1"]);
    let mut client = replica.connect();
    assert!(client.bulk("INFO replication").contains("\r\nmaster_link_status:down\r\n"));
    assert!(replica.is_running());
}

#[test]
fn one_that_is_silent_is_left_and_tried_again() {
    let primary = Primary::new();
    let mut replica = primary.replica(&["--repl-timeout", "1"]);
    let file = file(1, 1);
    let copy = format!("+FULLRESYNC {HISTORY} 100\r\n${}\r\n", file.len());
    primary.is_left_after(|_| Some(()));
    primary.is_left_after(|link| link.introduced().map(|_| ()));
    primary.is_left_after(|link| link.introduced().and_then(|_| link.send(&copy)));
    primary.is_left_after(|link| {
        link.introduced()?;
        link.send(&copy)?;
        link.send(&file)?;
        // It has loaded the copy.
        while link.request()? != ["REPLCONF", "ACK", "100"] {}
        Some(())
    });
    replica.logged("the primary has been silent for too long");
    primary.accept();
}

/// An empty line every second, as Redis sends it; also while it waits for more of a copy that it loads as it comes.
#[test]
fn a_replica_that_loads_shows_that_it_is_alive() {
    for load in ["disabled", "swapdb", "on-empty-db"] {
        let primary = Primary::new();
        let _replica = primary.replica(&["--key-load-delay", "150000", "--repl-diskless-load", load]);
        let file = file(10, 1);
        let mut link = primary.accept();
        link.introduced().unwrap();
        let begun = Instant::now();
        link.send(format!("+FULLRESYNC {HISTORY} 100\r\n${}\r\n", file.len())).unwrap();
        let (first, rest) = file.split_at(if load == "disabled" { 0 } else { file.len() / 2 });
        let mut lines = 0;
        if !first.is_empty() {
            link.send(first).unwrap();
            assert_eq!(link.line().unwrap(), "");
            lines += 1;
        }
        link.send(rest).unwrap();
        while link.line().unwrap().is_empty() {
            lines += 1;
        }
        assert!((1..=begun.elapsed().as_secs() + 1).contains(&lines), "{lines}");
    }
}

/// What a copy is put into while it arrives may fail: there is no folder, or no room.
#[test]
fn a_copy_that_cannot_be_kept_is_asked_for_again() {
    let at = tempfile::tempdir().unwrap();
    let folder = at.path().join("data");
    std::fs::create_dir(&folder).unwrap();
    let file = file(10, 10_000);
    let whole = copy(100, &file);
    for (why, breaks) in [("cannot write", true), ("cannot keep it: File too large", false)] {
        let primary = Primary::new();
        let options = ["--dir", folder.to_str().unwrap(), "--repl-diskless-load", "disabled"];
        let mut replica = primary.replica(&[&options[..], &["--replica-read-only", "no"]].concat());
        replica.connect().call("SET old 1", "+OK");
        let limit = |bytes| limit_files(&replica, bytes);
        if breaks {
            std::fs::remove_dir(&folder).unwrap();
        } else {
            limit("50000");
        }
        primary.is_left_after(|link| link.introduced().and_then(|_| link.send(&whole)));
        if breaks {
            std::fs::create_dir(&folder).unwrap();
        } else {
            limit("unlimited");
        }
        replica.logged(why);
        let mut client = replica.connect();
        client.call("GET old", "$1\r\n1");
        assert_eq!(std::fs::read_dir(&folder).unwrap().count(), 0, "something was left behind");
        let mut link = primary.accept();
        link.introduced().unwrap();
        link.send(&whole).unwrap();
        eventually("the copy", || (client.ask(&["DBSIZE"]) == b":10").then_some(()));
        assert_eq!(std::fs::read_dir(&folder).unwrap().count(), 0, "something was left behind");
    }
}

/// One that is loaded while it comes is not waited for to its end.
#[test]
fn a_copy_that_is_none_is_left_at_once() {
    for load in ["swapdb", "on-empty-db"] {
        let primary = Primary::new();
        let _replica = primary.replica(&["--repl-diskless-load", load, "--repl-timeout", "3600"]);
        primary.is_left_after(|link| {
            link.introduced()?;
            link.send(format!("+FULLRESYNC {HISTORY} 100\r\n$1000000\r\nno such format"))
        });
        assert_eq!(primary.accept().introduced().unwrap(), ["PSYNC", "?", "-1"]);
    }
}

/// The primary has more databases, and its stream is at one that the replica does not have.
#[test]
fn a_stream_at_a_database_that_there_is_not_goes_on_at_the_last_one() {
    let primary = Primary::new();
    let replica = primary.replica(&["--databases", "2"]);
    let mut writer = FileWriter::new(FileOptions { compression: Compression::Off, checksum: true });
    writer.aux(b"repl-stream-db", b"2");
    writer.finish();
    let file = writer.take();
    let mut link = primary.give(100, &file);
    link.send(SET).unwrap();
    let mut client = replica.connect();
    client.call("SELECT 1", "+OK");
    eventually("the stream", || (client.ask(&["GET", "more"]) == b"1").then_some(()));
}

/// Reading stops until what has arrived is loaded, and goes on then.
#[test]
fn a_copy_that_is_loaded_more_slowly_than_it_comes_arrives_whole() {
    let file = file(40, 1 << 20);
    for load in ["swapdb", "on-empty-db", "disabled"] {
        let primary = Primary::new();
        let replica = primary.replica(&["--repl-diskless-load", load, "--key-load-delay", "2000"]);
        let mut link = primary.accept();
        assert_eq!(link.introduced().unwrap(), ["PSYNC", "?", "-1"]);
        link.send(format!("+FULLRESYNC {HISTORY} 100\r\n${}\r\n", file.len())).unwrap();
        link.send(&file).unwrap();
        // Behind the copy comes the stream.
        link.send(SET).unwrap();
        let mut client = replica.connect();
        eventually("the stream", || (client.ask(&["GET", "more"]) == b"1").then_some(()));
        assert_eq!(client.ask(&["DBSIZE"]), b":41");
        assert_eq!(client.ask(&["STRLEN", "key:39"]), b":1048576");
        let info = client.bulk("INFO replication");
        assert!(
            info.contains("\r\nmaster_link_status:up\r\n") && info.contains("\r\nslave_repl_offset:130\r\n"),
            "{info}"
        );
    }
}

/// No more is read of it than there is room for.
#[test]
fn a_copy_that_nobody_loads_does_not_arrive() {
    for load in ["swapdb", "on-empty-db"] {
        let primary = Primary::new();
        let _replica = primary.replica(&["--repl-diskless-load", load, "--key-load-delay", "1000000000"]);
        let file = file(60, 1 << 20);
        let mut link = primary.accept();
        link.introduced().unwrap();
        link.0.get_ref().set_write_timeout(Some(Duration::from_secs(1))).unwrap();
        assert_eq!(link.send(copy(100, &file)), None);
    }
}

/// What clients change before the next one comes has nothing to do with what is in the file.
#[test]
fn an_append_only_file_stays_as_it_was_if_a_copy_cannot_be_loaded() {
    let at = tempfile::tempdir().unwrap();
    let own = ["--dir", at.path().to_str().unwrap(), "--appendonly", "yes"];
    let primary = Primary::new();
    let mut replica = primary.replica(&[&own[..], &["--replica-read-only", "no"]].concat());
    let mut client = replica.connect();
    client.call("SET old 1", "+OK");
    let mut broken = file(1000, 1);
    *broken.last_mut().unwrap() ^= 1;
    let _link = primary.give(100, &broken);
    replica.logged("cannot load the copy");
    client.call("SET new 1", "+OK");
    assert_eq!(number(&mut client, "persistence", "aof_enabled"), 0);
    drop(replica);
    let server = start(&own);
    let mut client = server.connect();
    assert_eq!([client.ask(&["GET", "old"]), client.ask(&["DBSIZE"])], [&b"1"[..], b":1"]);
}

#[test]
fn a_stream_that_breaks_goes_on_where_it_was() {
    let primary = Primary::new();
    let replica = primary.replica(&[]);
    let file = file(1, 1);
    let mut link = primary.give(100, &file);
    link.send(SET).unwrap();
    let mut client = replica.connect();
    eventually("the stream", || (client.ask(&["GET", "more"]) == b"1").then_some(()));
    drop(link);
    let mut link = primary.accept();
    assert_eq!(link.introduced().unwrap(), ["PSYNC", HISTORY, "131"]);
    link.send("+CONTINUE\r\n*2\r\n$4\r\nINCR\r\n$4\r\nmore\r\n").unwrap();
    eventually("the rest", || (client.ask(&["GET", "more"]) == b"2").then_some(()));
    assert_eq!(client.ask(&["DBSIZE"]), b":2");
}

#[test]
fn what_a_replica_says_about_itself() {
    let primary = Primary::new();
    let own = primary.replica(&["--repl-timeout", "3600"]);
    let port = own.port.to_string();
    let announced = ["--replica-announce-ip", "10.0.0.9", "--replica-announce-port", "7777"];
    let said = || {
        let mut link = primary.accept();
        link.send("+PONG\r\n").unwrap();
        let said = [link.request().unwrap(), link.request().unwrap()];
        said.map(|request| request[1..].join(" "))
    };
    assert_eq!(said(), [format!("listening-port {port}"), "capa eof capa psync2".into()]);
    drop(own);
    let other = primary.replica(&announced);
    assert_eq!(said(), ["listening-port 7777", "ip-address 10.0.0.9"]);
    drop(other);
    let third = primary.replica(&["--masteruser", "one", "--masterauth", "secret"]);
    assert_eq!(said(), ["one secret".into(), format!("listening-port {}", third.port)]);
}

#[test]
fn one_that_refuses_is_tried_again_once_a_second() {
    let primary = Primary::new();
    let _replica = primary.replica(&[]);
    let begun = Instant::now();
    for _ in 0..3 {
        drop(primary.accept());
    }
    // Twice a second: the server's clock counts whole milliseconds.
    assert!(begun.elapsed() > Duration::from_millis(1900));
}

#[test]
fn how_far_a_copy_is() {
    let primary = Primary::new();
    let replica = primary.replica(&[]);
    let mut client = replica.connect();
    let mut progress = |read: usize, left: usize| {
        eventually("it has arrived", || {
            let info = client.bulk("INFO replication");
            info.contains(&format!("\r\nmaster_sync_read_bytes:{read}\r\n")).then_some(info)
        })
        .contains(&format!("\r\nmaster_sync_left_bytes:{left}\r\n"))
    };
    // The second one begins at nothing.
    for keys in [20, 10] {
        let file = file(keys, 1000);
        let whole = copy(100, &file);
        let mut link = primary.accept();
        link.introduced().unwrap();
        let (first, rest) = whole.split_at(whole.len() - file.len() + 3000);
        link.send(first).unwrap();
        assert!(progress(3000, file.len() - 3000));
        link.send(&rest[..2000]).unwrap();
        assert!(progress(5000, file.len() - 5000));
    }
}

/// What is there is served until the copy is, unless there is nothing.
#[test]
fn what_a_replica_has_while_a_copy_comes_and_when_it_breaks_off() {
    let file = file(100, 10_000);
    for (load, old) in [("disabled", true), ("swapdb", true), ("on-empty-db", true), ("on-empty-db", false)] {
        let primary = Primary::new();
        let replica = primary.replica(&["--repl-diskless-load", load, "--replica-read-only", "no"]);
        let mut client = replica.connect();
        if old {
            client.call("SET old 1", "+OK");
        }
        let mut link = primary.accept();
        link.introduced().unwrap();
        link.send(&copy(100, &file)[..500_000]).unwrap();
        if old {
            eventually("it comes", || {
                (number(&mut client, "replication", "master_sync_in_progress") == 1).then_some(())
            });
            client.call("GET old", "$1\r\n1");
        } else {
            eventually("it is loaded", || client.bulk("INFO keyspace").contains("db0:keys=").then_some(()));
        }
        drop(link);
        let mut link = primary.accept();
        client.call("DBSIZE", &format!(":{}", u8::from(old)));
        link.introduced().unwrap();
        link.send(copy(100, &file)).unwrap();
        eventually("the copy", || (client.ask(&["DBSIZE"]) == b":100").then_some(()));
        client.call("EXISTS old", ":0");
    }
}

/// The primary says when a key goes, so that both have the same keys at the same offset.
#[test]
fn a_key_of_a_copy_whose_time_has_come_stays_until_the_primary_removes_it() {
    let mut writer = FileWriter::new(FileOptions { compression: Compression::Off, checksum: true });
    let value = Value::from(StringValue::new(&b"v"[..]));
    writer.database(0, 1, 1);
    writer.entry(&Entry { key: b"k", value: value.view(), deadline: Some(1000), usage: None });
    writer.finish();
    let file = writer.take();
    for load in ["disabled", "swapdb", "on-empty-db"] {
        let primary = Primary::new();
        let replica = primary.replica(&["--repl-diskless-load", load]);
        let mut link = primary.give(100, &file);
        link.send(SET).unwrap();
        let mut client = replica.connect();
        eventually("the stream", || (client.ask(&["GET", "more"]) == b"1").then_some(()));
        client.call("GET k", "$-1");
        client.call("DBSIZE", ":2");
        link.send("*2\r\n$7\r\nPERSIST\r\n$1\r\nk\r\n").unwrap();
        eventually("it stays", || (client.ask(&["GET", "k"]) == b"v").then_some(()));
    }
}

#[test]
fn one_that_is_replaced_meanwhile_is_left() {
    let file = file(10, 1000);
    let whole = copy(100, &file);
    for sent in [None, Some(500), Some(whole.len())] {
        let (one, other) = (Primary::new(), Primary::new());
        let replica = one.replica(&["--repl-diskless-load", "disabled"]);
        let mut client = replica.connect();
        let mut link = one.accept();
        if let Some(len) = sent {
            link.introduced().unwrap();
            link.send(&whole[..len]).unwrap();
            if len == whole.len() {
                eventually("the copy", || (client.ask(&["DBSIZE"]) == b":10").then_some(()));
            }
        }
        client.call(&format!("REPLICAOF 127.0.0.1 {}", other.port()), "+OK");
        link.expect_end();
        let mut link = other.accept();
        assert_eq!(link.introduced().unwrap()[0], "PSYNC");
        link.send(&whole[..sent.unwrap_or(0).min(500)]).unwrap();
        client.call("REPLICAOF NO ONE", "+OK");
        link.expect_end();
    }
}
