//! What is told to replicas is what redis-server tells its own: the same random programs here and there, their streams
//! compared step by step.

use super::player::Player;
use super::programs::{Choice, Program, Step, Words, programs, requests, shown};
use std::collections::HashMap;
use std::io::Read;
use std::time::Duration;
use testkit::{Client, PATIENCE, Server, redis_server, request};

/// A stream as it is compared: without SELECT, each request with its database.
#[derive(Default)]
struct Reader {
    db: Vec<u8>,
}

impl Reader {
    fn read(&mut self, requests: Vec<Words>) -> Vec<(Vec<u8>, Words)> {
        let mut found = Vec::new();
        for words in requests {
            match &words[0][..] {
                b"SELECT" => self.db.clone_from(&words[1]),
                b"PING" => {}
                // They belong to no database.
                b"MULTI" | b"EXEC" => found.push((Vec::new(), words)),
                _ => found.push((self.db.clone(), words)),
            }
        }
        found
    }
}

/// Words are the same, or times that two clocks told one after the other; an entry's id begins with one.
fn same_word(ours: &[u8], theirs: &[u8]) -> bool {
    const LEAST_TIME: i64 = 1_000_000_000_000;
    const LONGEST_STEP: u64 = 10_000;
    let time = |word: &[u8]| {
        let end = word.iter().position(|c| *c == b'-').filter(|at| *at > 0).unwrap_or(word.len());
        resp::number::parse(&word[..end]).filter(|time| *time > LEAST_TIME).map(|time| (time, word[end..].to_vec()))
    };
    let close = |((ours, sequence), (theirs, other)): ((i64, Vec<u8>), (i64, Vec<u8>))| {
        ours.abs_diff(theirs) < LONGEST_STEP && sequence == other
    };
    ours == theirs || time(ours).zip(time(theirs)).is_some_and(close)
}

fn same(ours: &[(Vec<u8>, Words)], theirs: &[(Vec<u8>, Words)]) -> bool {
    ours.len() == theirs.len()
        && ours.iter().zip(theirs).all(|((own_db, own), (other_db, other))| {
            own_db == other_db
                && own.len() == other.len()
                && own.iter().zip(other).all(|(ours, theirs)| same_word(ours, theirs))
        })
}

/// redis-server with a replica, which is this test.
struct Redis {
    server: Server,
    control: Client,
    /// Each with its id.
    connections: HashMap<usize, (Client, String)>,
    replica: Client,
    reader: Reader,
    marks: usize,
}

impl Redis {
    fn start(folder: &str) -> Option<Redis> {
        let server = redis_server(&[
            "--enable-debug-command",
            "yes",
            "--repl-diskless-sync",
            "no",
            "--repl-ping-replica-period",
            "3600",
            "--dir",
            folder,
        ])?;
        let (mut control, mut replica) = (server.connect(), server.connect());
        control.call("DEBUG SET-ACTIVE-EXPIRE 0", "+OK");
        replica.send(request(&["SYNC"]));
        // Line feeds come as long as it is still saving.
        let line = replica.line();
        let size = line.trim_start_matches('\n').strip_prefix('$').and_then(|size| size.parse().ok());
        let mut file = vec![0; size.unwrap_or_else(|| panic!("SYNC is answered by {line}"))];
        replica.stream.read_exact(&mut file).unwrap();
        Some(Redis { server, control, connections: HashMap::new(), replica, reader: Reader::default(), marks: 0 })
    }

    fn connection(&mut self, number: usize) -> &mut Client {
        &mut self.connected(number).0
    }

    fn connected(&mut self, number: usize) -> &mut (Client, String) {
        self.connections.entry(number).or_insert_with(|| {
            let mut client = self.server.connect();
            let id = String::from_utf8(client.ask(&["CLIENT", "ID"])).unwrap();
            (client, id[1..].into())
        })
    }

    fn play(&mut self, step: &Step) {
        match step {
            Step::Run(connection, requests) => {
                let bytes: Vec<u8> = requests.iter().flat_map(|words| request(words)).collect();
                self.run(*connection, &bytes);
            }
            Step::Post(connection, words) => {
                self.free(*connection);
                let (client, id) = self.connected(*connection);
                client.ask(&["CLIENT", "ID"]);
                client.send(request(words));
                let id = id.clone();
                // The last command is this one as soon as it waits, or has been answered.
                while self.control.bulk(&format!("CLIENT LIST ID {id}")).contains("cmd=client|id") {}
            }
            Step::Free(connection) => self.free(*connection),
            Step::Wait(milliseconds) => std::thread::sleep(Duration::from_millis(*milliseconds as u64)),
        }
    }

    /// Sends requests and reads everything that comes up to the reply to a last one.
    fn run(&mut self, connection: usize, requests: &[u8]) {
        self.marks += 1;
        let mark = format!("~{}~", self.marks);
        let client = self.connection(connection);
        client.send([requests, &request(&["PING", &mark])].concat());
        read_to(client, format!("{mark}\r\n").as_bytes());
    }

    /// Has a client wait no longer, if it does, and reads what it has got.
    fn free(&mut self, connection: usize) {
        let id = self.connected(connection).1.clone();
        self.control.ask(&["CLIENT", "UNBLOCK", &id]);
        self.run(connection, b"");
    }

    /// What the replica has received up to now.
    fn told(&mut self) -> Vec<(Vec<u8>, Words)> {
        self.marks += 1;
        let mark = format!("~{}~", self.marks);
        self.control.ask(&["PUBLISH", "~mark~", &mark]);
        let end = format!("{mark}\r\n");
        let bytes = read_to(&mut self.replica, end.as_bytes());
        let mut found = self.reader.read(requests(&bytes));
        found.retain(|(_, words)| words.get(1).is_none_or(|word| word != b"~mark~"));
        found
    }
}

/// Reads up to bytes with which something ends.
fn read_to(client: &mut Client, end: &[u8]) -> Vec<u8> {
    let (mut bytes, mut part) = (Vec::new(), vec![0; 1 << 16]);
    client.stream.set_read_timeout(Some(PATIENCE)).unwrap();
    while !bytes.ends_with(end) {
        let count = client.stream.read(&mut part).expect("what was sent is answered");
        assert!(count > 0, "the connection has ended");
        bytes.extend_from_slice(&part[..count]);
    }
    bytes
}

/// Redis does not tell of some changes: that BITFIELD has made a string longer although nothing fits, and what PFADD
/// has added before it came upon a part that is corrupt. Here they are told, as the data elsewhere would differ
/// otherwise.
fn without_what_is_told_here_alone(ours: &[(Vec<u8>, Words)]) -> Vec<(Vec<u8>, Words)> {
    let is_told_here_alone = |words: &Words| {
        let fails = words.iter().any(|word| word.eq_ignore_ascii_case(b"fail"));
        let name = words[0].to_ascii_uppercase();
        name == b"PFADD" || (name == b"BITFIELD" && fails)
    };
    let mut others: Vec<_> = ours.iter().filter(|(_, words)| !is_told_here_alone(words)).cloned().collect();
    if others.len() == 3 && others[0].1[0] == b"MULTI" {
        others = vec![others.remove(1)];
    }
    others
}

/// The first step after which different things are told.
fn difference(redis: &mut Redis, program: &Program) -> Option<String> {
    redis.connections.clear();
    let mut player = Player::new();
    let mut reader = Reader::default();
    redis.control.call("FLUSHALL", "+OK");
    redis.control.call("FUNCTION FLUSH", "+OK");
    redis.told();
    for (at, step) in program.steps.iter().enumerate() {
        player.session.server.read_clock();
        redis.play(step);
        player.play(step);
        let ours = reader.read(requests(&std::mem::take(&mut player.session.server.streams.replicas.bytes)));
        let theirs = redis.told();
        if !same(&ours, &theirs) && !same(&without_what_is_told_here_alone(&ours), &theirs) {
            let show = |told: &[(Vec<u8>, Words)]| -> String {
                told.iter().map(|(db, words)| format!("\n    {} {}", db.escape_ascii(), shown(words))).collect()
            };
            let before = program.steps[at.saturating_sub(3)..at].iter().map(Step::text).collect::<String>();
            return Some(format!(
                "program {}, step {at}: {}\n  before:{before}\n  ours:{}\n  theirs:{}",
                program.name,
                step.text(),
                show(&ours),
                show(&theirs)
            ));
        }
    }
    None
}

#[test]
fn replicas_are_told_what_redis_tells_them() {
    let folder = tempfile::tempdir().unwrap();
    let Some(mut redis) = Redis::start(folder.path().to_str().unwrap()) else { return };
    let choice = Choice { programs: 8, steps: 250, without: "WATCH,SCAN,RANDOMKEY" };
    let Some(programs) = programs(&choice) else { return };
    let found: Vec<String> = programs.iter().filter_map(|program| difference(&mut redis, program)).collect();
    let count = found.len();
    assert!(found.is_empty(), "{count} of {} programs differ:\n{}", programs.len(), found.join("\n\n"));
}
