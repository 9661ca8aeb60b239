//! What a server that is a replica makes of the stream, and who it says it is.

use crate::primaries::{HISTORY, Link, Primary, SET, copy, file};
use crate::{field, number, start};
use rdb::{Compression, Entry, FileOptions, FileWriter};
use std::time::Duration;
use store::{StringValue, Value};
use testkit::{Client, Server, eventually};

#[test]
fn the_stream_goes_on_in_its_database_with_another_primary() {
    let (one, other) = (Primary::new(), Primary::new());
    let replica = one.replica(&[]);
    let mut client = replica.connect();
    client.call("SELECT 1", "+OK");
    let mut writer = FileWriter::new(FileOptions { compression: Compression::Off, checksum: true });
    writer.aux(b"repl-stream-db", b"1");
    writer.finish();
    let mut link = one.give(100, &writer.take());
    link.send(SET).unwrap();
    eventually("the stream", || (client.ask(&["GET", "more"]) == b"1").then_some(()));
    client.call(&format!("REPLICAOF 127.0.0.1 {}", other.port()), "+OK");
    link.expect_end();
    let mut link = other.accept();
    assert_eq!(link.introduced().unwrap(), ["PSYNC", HISTORY, "131"]);
    link.send("+CONTINUE\r\n*2\r\n$4\r\nINCR\r\n$4\r\nmore\r\n").unwrap();
    eventually("the rest", || (client.ask(&["GET", "more"]) == b"2").then_some(()));
}

#[test]
fn a_stream_that_breaks_goes_on_in_its_database() {
    let primary = Primary::new();
    let replica = primary.replica(&[]);
    let mut client = replica.connect();
    client.call("SELECT 3", "+OK");
    let mut link = primary.give(100, &file(1, 1));
    link.send(format!("*2\r\n$6\r\nSELECT\r\n$1\r\n3\r\n{SET}")).unwrap();
    eventually("the stream", || (client.ask(&["GET", "more"]) == b"1").then_some(()));
    drop(link);
    let mut link = primary.accept();
    link.introduced().unwrap();
    link.send("+CONTINUE\r\n*2\r\n$4\r\nINCR\r\n$4\r\nmore\r\n").unwrap();
    eventually("the rest", || (client.ask(&["GET", "more"]) == b"2").then_some(()));
}

/// Its file says where the stream goes on.
#[test]
fn a_replica_connects_when_its_own_data_are_loaded() {
    let at = tempfile::tempdir().unwrap();
    let own = ["--dir", at.path().to_str().unwrap()];
    let primary = Primary::new();
    let mut replica = primary.replica(&own);
    let mut client = replica.connect();
    let _link = primary.give(100, &file(10, 1));
    eventually("the copy", || (client.ask(&["DBSIZE"]) == b":10").then_some(()));
    client.send("SHUTDOWN SAVE\r\n");
    eventually("it ends", || (!replica.is_running()).then_some(()));
    let _replica = primary.replica(&[&own[..], &["--key-load-delay", "20000"]].concat());
    assert_eq!(primary.accept().introduced().unwrap(), ["PSYNC", HISTORY, "101"]);
}

/// However they came.
#[test]
fn the_data_of_a_copy_are_in_the_append_only_file() {
    for load in ["disabled", "on-empty-db", "swapdb"] {
        let at = tempfile::tempdir().unwrap();
        let own = ["--dir", at.path().to_str().unwrap(), "--appendonly", "yes", "--repl-diskless-load", load];
        let primary = Primary::new();
        let replica = primary.replica(&[&own[..], &["--replica-read-only", "no"]].concat());
        let mut client = replica.connect();
        client.call("SET old 1", "+OK");
        let _link = primary.give(100, &file(10, 1));
        eventually("a base", || (number(&mut client, "persistence", "aof_rewrites") == 1).then_some(()));
        drop(replica);
        let server = start(&own);
        let mut client = server.connect();
        assert_eq!(client.ask(&["DBSIZE"]), b":10", "{load}");
        assert_eq!(client.ask(&["EXISTS", "old"]), b":0", "{load}");
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

/// Its primary may have the same data, if it was its replica.
#[test]
fn a_server_that_becomes_a_replica_asks_for_its_own_history_as_long_as_it_has_the_data() {
    let server = start(&["--repl-diskless-load", "on-empty-db"]);
    let mut client = server.connect();
    let info = client.bulk("INFO replication");
    let (one, other) = (Primary::new(), Primary::new());
    client.call(&format!("REPLICAOF 127.0.0.1 {}", one.port()), "+OK");
    let mut link = one.accept();
    assert_eq!(link.introduced().unwrap(), ["PSYNC", field(&info, "master_replid"), "1"]);
    let file = file(10, 1000);
    link.send(&copy(100, &file)[..5000]).unwrap();
    eventually("it is loaded", || client.ask(&["GET", "k"]).starts_with(b"-LOADING").then_some(()));
    drop(link);
    drop(one.accept());
    eventually("it is not loaded", || (client.ask(&["DBSIZE"]) == b":0").then_some(()));
    client.call(&format!("REPLICAOF 127.0.0.1 {}", other.port()), "+OK");
    assert_eq!(other.accept().introduced().unwrap(), ["PSYNC", "?", "-1"]);
}

#[test]
fn a_primary_that_knows_no_psync_is_asked_otherwise() {
    let primary = Primary::new();
    let replica = primary.replica(&[]);
    let mut client = replica.connect();
    let before = client.bulk("INFO replication");
    let mut link = primary.accept();
    link.introduced().unwrap();
    link.send("-ERR unknown command 'PSYNC'\r\n").unwrap();
    assert_eq!(link.request().unwrap(), ["SYNC"]);
    let file = file(1, 1);
    link.send([format!("${}\r\n", file.len()).as_bytes(), &file, SET.as_bytes()].concat()).unwrap();
    eventually("the stream", || (client.ask(&["GET", "more"]) == b"1").then_some(()));
    let info = client.bulk("INFO replication");
    assert_eq!(field(&info, "slave_repl_offset"), "30");
    assert_ne!(field(&info, "master_replid"), field(&before, "master_replid"));
}

#[test]
fn what_has_arrived_is_counted_and_acknowledged() {
    let primary = Primary::new();
    let replica = primary.replica(&[]);
    let mut client = replica.connect();
    let whole = copy(100, &file(10, 1000));
    let mut link = primary.accept();
    link.introduced().unwrap();
    link.send(&whole).unwrap();
    while link.request().unwrap() != ["REPLCONF", "ACK", "100"] {}
    link.send(SET).unwrap();
    while link.request().unwrap() != ["REPLCONF", "ACK", "130"] {}
    let counted = number(&mut client, "stats", "total_net_repl_input_bytes") as usize;
    let sent = whole.len() + SET.len();
    // With what was said before.
    assert!((sent..sent + 100).contains(&counted), "{counted}");
    let list = client.bulk("CLIENT LIST TYPE master");
    assert!(list.contains(" flags=M ") && list.lines().count() == 1, "{list}");
    // The stream is read as requests are, and is a part of all that is.
    let input = number(&mut client, "stats", "total_net_input_bytes") as usize;
    assert!(input >= counted, "{input}");
    link.send(SET.repeat(1000)).unwrap();
    while link.request().unwrap() != ["REPLCONF", "ACK", "30130"] {}
    let input = number(&mut client, "stats", "total_net_input_bytes") as usize - input;
    assert!((30_000..31_000).contains(&input), "{input}");
}

#[test]
fn the_log_tells_how_the_replication_goes() {
    let primary = Primary::new();
    let mut replica = primary.replica(&[]);
    let of_primary = format!("the primary 127.0.0.1:{}", primary.port());
    replica.logged(&format!("connects to {of_primary}"));
    let link = primary.give(100, &file(2, 1));
    replica.logged("gets a copy of the data");
    replica.logged("Done loading RDB, keys loaded: 2, keys expired: 0.");
    replica.logged("has loaded the data of the primary");
    drop(link);
    replica.logged(&format!("lost the connection with {of_primary}"));
    let mut link = primary.accept();
    link.introduced().unwrap();
    link.send("+CONTINUE\r\n").unwrap();
    replica.logged("the stream of the primary goes on");
}

#[test]
fn the_log_says_what_the_server_is() {
    let primary = Primary::new();
    let mut server = primary.replica(&[]);
    let mut client = server.connect();
    assert!(server.logged("connects to the primary").contains(":S "));
    client.call("REPLICAOF NO ONE", "+OK");
    assert!(server.logged("is a primary").contains(":M "));
    client.call("REPLICAOF 127.0.0.1 1", "+OK");
    assert!(server.logged("is a replica").contains(":S "));
}

/// A primary sends on while the copy is loaded, which may take longer than either would wait for the other.
#[test]
fn what_comes_while_a_copy_is_loaded_is_not_lost() {
    let primary = Primary::new();
    let replica =
        primary.replica(&["--repl-timeout", "1", "--key-load-delay", "200000", "--repl-diskless-load", "disabled"]);
    let whole = copy(100, &file(15, 1));
    // On a slow machine it may go before.
    let mut begin = || {
        let mut link = primary.accept();
        link.introduced()?;
        link.send(&whole)?;
        link.line().is_some_and(|line| line.is_empty()).then_some(link)
    };
    let mut link = eventually("the copy is loaded", &mut begin);
    link.send(SET).unwrap();
    let mut acknowledged = link.request();
    while acknowledged.as_ref().is_some_and(|request| request[2] == "100") {
        acknowledged = link.request();
    }
    assert_eq!(acknowledged.expect("it is still there")[2], "130");
    replica.connect().call("GET more", "$1\r\n1");
}

/// What arrives shows that the primary is there, however slowly it comes.
#[test]
fn a_slow_copy_is_no_time_out() {
    let primary = Primary::new();
    let replica = primary.replica(&["--repl-timeout", "2"]);
    let whole = copy(100, &file(30, 1));
    // On a slow machine it may go before.
    eventually("the copy", || {
        let mut link = primary.accept();
        link.introduced()?;
        for part in whole.chunks(whole.len() / 20) {
            link.send(part)?;
            std::thread::sleep(Duration::from_millis(200));
        }
        while link.request()? != ["REPLCONF", "ACK", "100"] {}
        Some(())
    });
    replica.connect().call("DBSIZE", ":30");
}

/// Clients of the replica need a password; its primary does not.
#[test]
fn a_stream_needs_no_password() {
    let primary = Primary::new();
    let replica = primary.replica(&["--requirepass", "secret"]);
    let mut link = primary.give(100, &file(1, 1));
    link.send(SET).unwrap();
    let mut client = replica.connect();
    client.call("AUTH secret", "+OK");
    eventually("the stream", || (client.ask(&["GET", "more"]) == b"1").then_some(()));
}

/// The file does not mix a replica's earlier data with its primary's.
#[test]
fn the_append_only_file_of_a_replica_has_its_primarys_data() {
    let at = tempfile::tempdir().unwrap();
    let options = ["--dir", at.path().to_str().unwrap(), "--appendonly", "yes", "--appendfsync", "always"];
    let server = start(&options);
    let mut client = server.connect();
    client.call("SET old 1", "+OK");
    let primary = Primary::new();
    client.call(&format!("REPLICAOF 127.0.0.1 {}", primary.port()), "+OK");
    let mut link = primary.give(100, &file(10, 1));
    link.send(SET).unwrap();
    eventually("it is written", || {
        let info = client.bulk("INFO persistence");
        let written = field(&info, "aof_enabled") == "1" && field(&info, "aof_rewrites") == "1";
        (written && client.ask(&["GET", "more"]) == b"1").then_some(())
    });
    server.signal("KILL");
    drop(server);
    let server = start(&options);
    let mut client = server.connect();
    client.call("EXISTS old", ":0");
    client.call("GET more", "$1\r\n1");
    client.call("DBSIZE", ":11");
}

/// It would have other data than the file is to have.
#[test]
fn a_save_under_way_is_given_up_for_a_copy() {
    let primary = Primary::new();
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path().to_str().unwrap();
    let server = start(&["--dir", dir, "--rdb-key-save-delay", "1000000000"]);
    let mut client = server.connect();
    client.call("MSET a 1 b 2 c 3", "+OK");
    client.call("BGSAVE", "+Background saving started");
    client.call(&format!("REPLICAOF 127.0.0.1 {}", primary.port()), "+OK");
    let _link = primary.give(100, &file(10, 1000));
    eventually("the copy", || (client.ask(&["DBSIZE"]) == b":10").then_some(()));
    assert_eq!(number(&mut client, "persistence", "rdb_bgsave_in_progress"), 0);
    assert!(!folder.path().join("dump.rdb").exists());
}

/// The stream of a replica that has taken in the first of it, and a client of the replica.
fn followed(primary: &Primary, replica: &Server) -> (Link, Client) {
    let mut client = replica.connect();
    let mut link = primary.give(100, &file(1, 1));
    link.send(SET).unwrap();
    eventually("the stream", || (client.ask(&["GET", "more"]) == b"1").then_some(()));
    (link, client)
}

/// Nobody knows what it should have been.
#[test]
fn a_stream_that_is_broken_is_not_gone_on_with() {
    for broken in ["*1\r\n+wrong\r\n", "SET more 2\r\n"] {
        let primary = Primary::new();
        let mut replica = primary.replica(&[]);
        let (mut link, mut client) = followed(&primary, &replica);
        link.send(broken).unwrap();
        link.expect_end();
        replica.logged("the stream of the primary is broken: ");
        assert_eq!(primary.accept().introduced().unwrap(), ["PSYNC", "?", "-1"]);
        client.call("GET more", "$1\r\n1");
    }
}

#[test]
fn a_primary_that_has_ended_its_stream_is_asked_for_the_rest() {
    let primary = Primary::new();
    let _replica = primary.replica(&[]);
    let mut link = primary.give(100, &file(1, 1));
    while link.request().unwrap() != ["REPLCONF", "ACK", "100"] {}
    link.finish_sending();
    link.expect_end();
    assert_eq!(primary.accept().introduced().unwrap(), ["PSYNC", HISTORY, "101"]);
}

/// What the primary has accepted, however long, is accepted.
#[test]
fn the_stream_has_no_longest_argument() {
    let primary = Primary::new();
    let replica = primary.replica(&[]);
    let (mut link, mut client) = followed(&primary, &replica);
    let mut arrived = || number(&mut client, "stats", "total_net_repl_input_bytes");
    let before = arrived();
    link.send("*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$600000000\r\nv").unwrap();
    eventually("its beginning", || (arrived() > before).then_some(()));
    assert_eq!(field(&client.bulk("INFO replication"), "master_link_status"), "up");
}

#[test]
fn a_request_of_the_primary_that_fails_is_told_to_the_operator() {
    let primary = Primary::new();
    let mut replica = primary.replica(&[]);
    let mut link = primary.give(100, &file(1, 1));
    link.send(format!("{SET}*3\r\n$5\r\nLPUSH\r\n$4\r\nmore\r\n$1\r\nv\r\n")).unwrap();
    replica.logged("a request of the primary failed: LPUSH");
}

/// What has come of it is not done, and nobody has it.
#[test]
fn a_transaction_that_breaks_off_is_asked_for_again() {
    let primary = Primary::new();
    let replica = primary.replica(&[]);
    let mut link = primary.give(100, &file(1, 1));
    link.send(format!("*1\r\n$5\r\nMULTI\r\n{SET}")).unwrap();
    drop(link);
    let mut link = primary.accept();
    assert_eq!(link.introduced().unwrap(), ["PSYNC", HISTORY, "101"]);
    link.send(format!("+CONTINUE\r\n*1\r\n$5\r\nMULTI\r\n{SET}*1\r\n$4\r\nEXEC\r\n")).unwrap();
    let mut client = replica.connect();
    eventually("all of it", || (client.ask(&["GET", "more"]) == b"1").then_some(()));
}

/// The primary's copy has another value for what one of the replica's own clients has let expire.
#[test]
fn what_clients_of_a_replica_let_expire_is_forgotten_with_a_copy() {
    let primary = Primary::new();
    let replica = primary.replica(&["--replica-read-only", "no"]);
    let mut link = primary.give(100, &file(1, 1));
    while link.request().unwrap() != ["REPLCONF", "ACK", "100"] {}
    let mut client = replica.connect();
    client.call("SET k own PX 1000000", "+OK");
    drop(link);
    let mut writer = FileWriter::new(FileOptions { compression: Compression::Off, checksum: true });
    let value = Value::from(StringValue::new(&b"v"[..]));
    writer.entry(&Entry { key: b"k", value: value.view(), deadline: Some(1000), usage: None });
    writer.finish();
    let mut link = primary.give(200, &writer.take());
    while link.request().unwrap() != ["REPLCONF", "ACK", "200"] {}
    // Twice: what is due goes before the loop sleeps.
    client.call("DBSIZE", ":1");
    client.call("DBSIZE", ":1");
}
