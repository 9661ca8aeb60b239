//! Clients that append to lists and read them, count, and run transactions, and note what they are told.

use super::history::{Content, Operation, Step, Time};
use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};
use testkit::{PATIENCE, Server, request};

pub const LISTS: usize = 4;
const CLIENTS: u64 = 4;

/// What a server answers.
#[derive(PartialEq, Eq, Debug)]
enum Reply {
    Line(String),
    Error(String),
    Integer(u64),
    Bulk(Vec<u8>),
    Array(Vec<Reply>),
    Null,
}

/// A connection that may end at any time.
struct Connection {
    stream: TcpStream,
    replies: BufReader<TcpStream>,
}

impl Connection {
    fn to(port: u16) -> io::Result<Connection> {
        let stream = TcpStream::connect(("127.0.0.1", port))?;
        stream.set_read_timeout(Some(PATIENCE))?;
        stream.set_nodelay(true)?;
        Ok(Connection { replies: BufReader::new(stream.try_clone()?), stream })
    }

    fn reply(&mut self) -> io::Result<Reply> {
        let mut line = String::new();
        self.replies.read_line(&mut line)?;
        let line = line.strip_suffix("\r\n").ok_or(io::ErrorKind::UnexpectedEof)?;
        let (kind, rest) = line.split_at(1);
        let number = || rest.parse::<usize>().ok();
        Ok(match (kind, number()) {
            ("+", _) => Reply::Line(rest.into()),
            ("-", _) => Reply::Error(rest.into()),
            (":", Some(number)) => Reply::Integer(number as u64),
            ("$", Some(len)) => {
                let mut bytes = vec![0; len + 2];
                self.replies.read_exact(&mut bytes)?;
                bytes.truncate(len);
                Reply::Bulk(bytes)
            }
            ("*", Some(len)) => Reply::Array((0..len).map(|_| self.reply()).collect::<io::Result<_>>()?),
            _ if rest == "-1" => Reply::Null,
            _ => panic!("not a reply: {line}"),
        })
    }
}

/// The names of what a round uses.
#[derive(Clone, Copy)]
pub struct Keys {
    pub round: u64,
}

impl Keys {
    pub fn list(self, number: usize) -> String {
        format!("list:{}:{number}", self.round)
    }

    pub fn counter(self) -> String {
        format!("counter:{}", self.round)
    }
}

/// A client that works until its connection ends, or until it may no longer write.
struct Worker {
    connection: Connection,
    keys: Keys,
    /// Of a simple generator of random numbers.
    state: u64,
    /// The next value.
    value: u64,
    epoch: Instant,
    habits: Habits,
}

/// How clients work.
#[derive(Clone, Copy, Default)]
pub struct Habits {
    /// Nothing counts that no replica has acknowledged.
    pub waits: bool,
    /// How long they rest after each request.
    pub rest: Duration,
}

impl Worker {
    fn random(&mut self, below: u64) -> u64 {
        self.state ^= self.state << 13;
        self.state ^= self.state >> 7;
        self.state ^= self.state << 17;
        self.state % below
    }

    fn step(&mut self) -> Step {
        let list = self.random(LISTS as u64) as usize;
        match self.random(8) {
            0 | 1 => Step::Read { list, values: None },
            2 => Step::Count { result: None },
            _ => {
                self.value += 1;
                Step::Append { list, value: self.value }
            }
        }
    }

    fn time(&self) -> Time {
        self.epoch.elapsed().as_nanos() as Time
    }

    fn request(&self, step: &Step) -> Vec<u8> {
        match step {
            Step::Append { list, value } => request(&["RPUSH", &self.keys.list(*list), &value.to_string()]),
            Step::Read { list, .. } => request(&["LRANGE", &self.keys.list(*list), "0", "-1"]),
            Step::Count { .. } => request(&["INCR", &self.keys.counter()]),
        }
    }

    /// Runs something. False when there is no more to be done here.
    fn run(&mut self, history: &mut Vec<Operation>) -> bool {
        let count = [1, 1, 2, 4][self.random(4) as usize];
        let mut steps: Vec<Step> = (0..count).map(|_| self.step()).collect();
        let mut bytes: Vec<u8> = steps.iter().flat_map(|step| self.request(step)).collect();
        if count > 1 {
            bytes = [request(&["MULTI"]), bytes, request(&["EXEC"])].concat();
        }
        if self.habits.waits {
            bytes.extend(request(&["WAIT", "1", "0"]));
        }
        let begun = self.time();
        let ended = self.connection.stream.write_all(&bytes).and_then(|()| self.told(&mut steps)).unwrap_or(false);
        history.push(Operation { steps, begun, ended: ended.then(|| self.time()) });
        if !ended {
            history.last_mut().unwrap().forget();
        }
        ended
    }

    /// Reads the replies. False if the server says that it is no longer the right one.
    fn told(&mut self, steps: &mut [Step]) -> io::Result<bool> {
        let replies = if steps.len() > 1 {
            for _ in 0..=steps.len() {
                self.connection.reply()?;
            }
            match self.connection.reply()? {
                Reply::Array(replies) => replies,
                other => return refused(&other),
            }
        } else {
            vec![self.connection.reply()?]
        };
        for (step, reply) in steps.iter_mut().zip(replies) {
            match (step, reply) {
                (Step::Append { .. }, Reply::Integer(_)) => {}
                (Step::Read { values, .. }, Reply::Array(found)) => *values = Some(found.iter().map(value).collect()),
                (Step::Count { result }, Reply::Integer(number)) => *result = Some(number),
                (_, other) => return refused(&other),
            }
        }
        if !self.habits.waits {
            return Ok(true);
        }
        match self.connection.reply()? {
            Reply::Integer(replicas) => Ok(replicas >= 1),
            other => refused(&other),
        }
    }
}

/// A server that has become a replica refuses; nothing else may.
fn refused(reply: &Reply) -> io::Result<bool> {
    let Reply::Error(why) = reply else { panic!("an unexpected reply: {reply:?}") };
    let fine = ["READONLY", "UNBLOCKED", "EXECABORT", "MASTERDOWN", "LOADING", "ERR WAIT cannot be used with replica"];
    assert!(fine.iter().any(|start| why.starts_with(start)), "{why}");
    Ok(false)
}

fn value(reply: &Reply) -> u64 {
    let Reply::Bulk(bytes) = reply else { panic!("not a value: {reply:?}") };
    std::str::from_utf8(bytes).unwrap().parse().unwrap()
}

/// Clients at work.
pub struct Clients(Vec<JoinHandle<Vec<Operation>>>);

impl Clients {
    /// Begins. Each stops when its connection ends.
    pub fn start(port: u16, keys: Keys, epoch: Instant, habits: Habits) -> Clients {
        let start = |number: u64| {
            std::thread::spawn(move || {
                let mut history = Vec::new();
                let Ok(connection) = Connection::to(port) else { return history };
                let state = (keys.round * CLIENTS + number + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
                let mut worker = Worker { connection, keys, state, value: number << 32, epoch, habits };
                while worker.run(&mut history) {
                    std::thread::sleep(habits.rest);
                }
                history
            })
        };
        Clients((1..=CLIENTS).map(start).collect())
    }

    /// What they did.
    pub fn finish(self) -> Vec<Operation> {
        self.0.into_iter().flat_map(|thread| thread.join().unwrap()).collect()
    }
}

/// What a server has.
pub fn content(server: &Server, keys: Keys) -> Content {
    let mut connection = Connection::to(server.port).unwrap();
    let mut ask = |args: &[&str]| {
        connection.stream.write_all(&request(args)).unwrap();
        connection.reply().unwrap()
    };
    let lists = (0..LISTS).map(|number| match ask(&["LRANGE", &keys.list(number), "0", "-1"]) {
        Reply::Array(values) => values.iter().map(value).collect(),
        other => panic!("not a list: {other:?}"),
    });
    let lists = lists.collect();
    let counter = match ask(&["GET", &keys.counter()]) {
        Reply::Null => 0,
        number => value(&number),
    };
    Content { lists, counter }
}
