//! A primary of replicas that the test plays.

use crate::primaries::{HISTORY, Primary, copy, file};
use crate::{field, limit_files, start};
use std::io::Read;
use testkit::{Client, Server, eventually};

const OTHER: &str = "abcdefabcdefabcdefabcdefabcdefabcdefabcd";
const NONE: &str = "0000000000000000000000000000000000000000";

/// One that has its copy, and what it was told about that.
struct Replica {
    client: Client,
    id: String,
    offset: u64,
}

impl Replica {
    fn of(server: &Server, port: u16) -> Replica {
        let mut client = introduced(server, port);
        client.send("PSYNC ? -1\r\n");
        let told = line(&mut client);
        let mut words = told.strip_prefix("+FULLRESYNC ").unwrap().split(' ');
        let (id, offset) = (words.next().unwrap().into(), words.next().unwrap().parse().unwrap());
        let len = line(&mut client).strip_prefix('$').unwrap().parse().unwrap();
        client.stream.read_exact(&mut vec![0; len]).unwrap();
        Replica { client, id, offset }
    }

    fn acknowledge(&mut self, offset: &str) {
        self.client.send(format!("REPLCONF ACK {offset}\r\n"));
    }
}

fn introduced(server: &Server, port: u16) -> Client {
    let mut client = server.connect();
    client.call(&format!("REPLCONF listening-port {port} capa psync2"), "+OK");
    client
}

/// The next one that is not empty.
fn line(client: &mut Client) -> String {
    client.line().trim_start().into()
}

/// Fields of INFO replication.
fn fields<const N: usize>(client: &mut Client, names: [&str; N]) -> [String; N] {
    let info = client.bulk("INFO replication");
    names.map(|name| field(&info, name).to_string())
}

fn until<const N: usize>(client: &mut Client, names: [&str; N], values: [&str; N]) {
    eventually("it is so", || (fields(client, names) == values).then_some(()));
}

/// A copy may wait for other replicas.
#[test]
fn one_that_waits_for_its_copy_hears_that_the_server_is_alive() {
    let server = start(&["--repl-diskless-sync-delay", "1000"]);
    let mut replica = server.connect();
    replica.call("REPLCONF capa eof capa psync2", "+OK");
    replica.send("PSYNC ? -1\r\n");
    replica.expect("\n\n");
}

/// A server whose target has everything and has been told to take over: the target, and a client that wants to write.
fn handed_over(server: &Server) -> (Primary, Replica, Client) {
    let target = Primary::new();
    let mut replica = Replica::of(server, target.port());
    let (mut client, mut writer) = (server.connect(), server.connect());
    client.call("SET k before", "+OK");
    client.call("FAILOVER", "+OK");
    writer.send("SET k meanwhile\r\n");
    eventually("it is told", || {
        let [offset, role] = fields(&mut client, ["master_repl_offset", "role"]);
        replica.acknowledge(&offset);
        (role == "slave").then_some(())
    });
    assert_eq!(fields(&mut client, ["master_failover_state"]), ["failover-in-progress"]);
    (target, replica, writer)
}

#[test]
fn a_primary_hands_its_role_over() {
    let server = start(&[]);
    let (target, mut replica, mut writer) = handed_over(&server);
    let mut client = server.connect();
    let [offset] = fields(&mut client, ["master_repl_offset"]);
    let next = (offset.parse::<u64>().unwrap() + 1).to_string();
    let mut link = target.accept();
    assert_eq!(link.introduced().unwrap(), ["PSYNC", &replica.id, &next, "FAILOVER"]);
    link.send(format!("+CONTINUE {OTHER}\r\n")).unwrap();
    until(&mut client, ["master_link_status", "master_failover_state"], ["up", "no-failover"]);
    let names = ["master_replid", "master_replid2", "second_repl_offset"];
    assert_eq!(fields(&mut client, names), [OTHER, &replica.id, &next]);
    // The replica comes back and learns of the new history.
    replica.client.rest();
    writer.expect("-READONLY You can't write against a read only replica.\r\n");
    // It takes over once.
    drop(link);
    assert_eq!(target.accept().introduced().unwrap(), ["PSYNC", OTHER, &next]);
}

#[test]
fn a_primary_whose_target_refuses_stays_one() {
    let other_data = copy(7, &file(1, 1));
    for answer in [&b"-ERR no\r\n"[..], b"", &other_data] {
        let server = start(&[]);
        let (target, replica, mut writer) = handed_over(&server);
        let mut link = target.accept();
        if !answer.is_empty() {
            link.introduced().unwrap();
            link.send(answer).unwrap();
        }
        drop(link);
        writer.expect("+OK\r\n");
        let mut client = server.connect();
        let names = ["role", "master_failover_state", "master_replid2"];
        assert_eq!(fields(&mut client, names), ["master", "no-failover", &replica.id]);
        client.call("GET k", "$9\r\nmeanwhile");
    }
}

/// Those of a replica: they have its primary's history, and learn when that changes.
#[test]
fn replicas_of_a_replica() {
    let primary = Primary::new();
    let server = primary.replica(&[]);
    let mut client = server.connect();
    let link = primary.give(100, &file(1, 1));
    until(&mut client, ["master_link_status"], ["up"]);
    let mut replica = Replica::of(&server, 1);
    assert_eq!((&replica.id[..], replica.offset), (HISTORY, 100));
    // It goes on where it was, and nobody has to know.
    drop(link);
    let mut link = primary.accept();
    assert_eq!(link.introduced().unwrap(), ["PSYNC", HISTORY, "101"]);
    link.send(format!("+CONTINUE {HISTORY}\r\n*1\r\n$4\r\nPING\r\n")).unwrap();
    replica.client.expect("*1\r\n$4\r\nPING\r\n");
    let names = ["master_replid", "master_replid2", "second_repl_offset", "master_repl_offset"];
    assert_eq!(fields(&mut client, names), [HISTORY, NONE, "-1", "114"]);
    // It goes on under another id.
    drop(link);
    let mut link = primary.accept();
    link.introduced().unwrap();
    link.send(format!("+CONTINUE {OTHER}\r\n")).unwrap();
    replica.client.expect_end();
    until(&mut client, ["master_link_status"], ["up"]);
    assert_eq!(fields(&mut client, names), [OTHER, HISTORY, "115", "114"]);
    let mut replica = introduced(&server, 1);
    replica.send(format!("PSYNC {HISTORY} 115\r\n"));
    replica.expect(format!("+CONTINUE {OTHER}\r\n"));
    // Another copy is another history.
    drop(link);
    let _link = primary.give(500, &file(2, 1));
    replica.expect_end();
    until(&mut client, ["master_link_status"], ["up"]);
    assert_eq!(fields(&mut client, names), [HISTORY, NONE, "-1", "500"]);
    let backlog = ["repl_backlog_first_byte_offset", "repl_backlog_histlen"];
    assert_eq!(fields(&mut client, backlog), ["501", "0"]);
    let mut replica = introduced(&server, 1);
    replica.send(format!("PSYNC {OTHER} 115\r\n"));
    assert_eq!(line(&mut replica), format!("+FULLRESYNC {HISTORY} 500"));
}

/// What changes while the copy is made and sent comes behind it.
#[test]
fn a_copy_and_then_the_stream() {
    const STREAM: &str = "*2\r\n$6\r\nSELECT\r\n$1\r\n0\r\n*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$1\r\nv\r\n";
    for capable in ["psync2", "eof"] {
        let server = start(&[
            "--enable-debug-command",
            "yes",
            "--rdb-key-save-delay",
            "50000",
            "--rdbcompression",
            "no",
            "--repl-diskless-sync-delay",
            "0",
            "--repl-ping-replica-period",
            "3600",
        ]);
        let mut client = server.connect();
        client.call("DEBUG POPULATE 10 key 1000000", "+OK");
        let mut replica = server.connect();
        replica.call(&format!("REPLCONF capa {capable}"), "+OK");
        replica.send("PSYNC ? -1\r\n");
        assert!(line(&mut replica).starts_with("+FULLRESYNC "));
        client.call("SET k v", "+OK");
        let form = line(&mut replica);
        let mut copy = Vec::new();
        match form.strip_prefix("$EOF:") {
            Some(mark) => {
                while !copy.ends_with(mark.as_bytes()) {
                    let mut part = [0; 4096];
                    let len = replica.stream.read(&mut part).unwrap();
                    assert!(len > 0);
                    copy.extend_from_slice(&part[..len]);
                }
                replica.send("REPLCONF ACK 0\r\n");
            }
            None => {
                copy.resize(form[1..].parse().unwrap(), 0);
                replica.stream.read_exact(&mut copy).unwrap();
            }
        }
        assert!(copy.starts_with(b"REDIS") && copy.len() > 10_000_000);
        replica.expect(STREAM);
        client.call("DEL k", ":1");
        replica.expect("*2\r\n$3\r\nDEL\r\n$1\r\nk\r\n");
    }
}

/// It is kept in a file for replicas that have to know its length first.
#[test]
fn replicas_whose_copy_cannot_be_kept_are_sent_away() {
    let folder = tempfile::tempdir().unwrap();
    let server =
        start(&["--dir", folder.path().to_str().unwrap(), "--rdbcompression", "no", "--enable-debug-command", "yes"]);
    server.connect().call("DEBUG POPULATE 100 key 10000", "+OK");
    let limit = |bytes| limit_files(&server, bytes);
    limit("50000");
    let mut replica = introduced(&server, 1);
    replica.send("PSYNC ? -1\r\n");
    let told = String::from_utf8(replica.rest()).unwrap();
    assert!(told.trim_start().starts_with("+FULLRESYNC ") && !told.contains('$'), "{told}");
    limit("unlimited");
    Replica::of(&server, 1);
    assert_eq!(std::fs::read_dir(&folder).unwrap().count(), 0, "something was left behind");
}

#[test]
fn replicas_are_asked_how_far_they_are_for_those_who_wait_for_them() {
    let server = start(&["--repl-diskless-sync-delay", "0"]);
    let mut replica = Replica::of(&server, 1);
    let mut client = server.connect();
    client.call("SET k v", "+OK");
    client.send("WAIT 1 0\r\n");
    let stream = "*2\r\n$6\r\nSELECT\r\n$1\r\n0\r\n*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$1\r\nv\r\n";
    replica.client.expect(format!("{stream}*3\r\n$8\r\nREPLCONF\r\n$6\r\nGETACK\r\n$1\r\n*\r\n"));
    replica.acknowledge(&(replica.offset + stream.len() as u64).to_string());
    client.expect(":1\r\n");
}

/// What has been written goes to the replicas before the server ends: `begin` asks for that, and `meanwhile` is what
/// happens while it waits.
fn ends_when_replicas_have_everything(begin: impl FnOnce(&Server, &mut Client), meanwhile: impl FnOnce(&Server)) {
    let server = start(&["--repl-diskless-sync-delay", "0", "--shutdown-timeout", "3600"]);
    let mut replica = Replica::of(&server, 1);
    let (mut client, mut other) = (server.connect(), server.connect());
    until(&mut client, ["connected_slaves"], ["1"]);
    let offset = replica.offset.to_string();
    replica.acknowledge(&offset);
    client.call("SET k v", "+OK");
    begin(&server, &mut client);
    let told = || other.bulk("INFO server").contains("\r\nshutdown_in_milliseconds:").then_some(());
    eventually("it waits", told);
    meanwhile(&server);
    for _ in 0..10 {
        other.call("PING", "+PONG");
    }
    let [offset] = fields(&mut other, ["master_repl_offset"]);
    replica.acknowledge(&offset);
    assert_eq!(server.wait().0.code(), Some(0));
}

#[test]
fn an_end_waits_for_replicas() {
    ends_when_replicas_have_everything(|_, client| client.send("SHUTDOWN NOSAVE\r\n"), |_| ());
}

/// Who wants it to end does not want it to run again.
#[test]
fn a_server_that_was_to_restart_ends_if_it_is_told_so_meanwhile() {
    ends_when_replicas_have_everything(|server, _| server.signal("USR2"), |server| server.signal("TERM"));
}
