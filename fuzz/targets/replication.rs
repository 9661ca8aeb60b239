//! What a primary sends to a replica: its replies in the handshake, a copy of the data, the stream. The first byte of the
//! input says how the replica takes a copy.
#![no_main]

use ae_server::Running;
use libae_fuzz::memory::limited;
use libae_fuzz::serving::{ask, connect, secret, start};
use libfuzzer_sys::fuzz_target;
use std::cell::RefCell;
use std::io::{ErrorKind, Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::time::Duration;
use tempfile::TempDir;

const CONSTANT: usize = 64 << 20;
const TIMES: usize = 1000;
/// More than the replica takes to notice an end, and less than what the fuzzer calls a hang.
const PATIENCE: Duration = Duration::from_secs(8);
/// A replica that is not going to say anything is not waited for much longer than one takes that does.
const A_MOMENT: Duration = Duration::from_millis(300);

/// A replica, and what plays its primary.
struct Pair {
    replica: Running,
    client: TcpStream,
    primary: TcpListener,
    _folder: TempDir,
}

impl Pair {
    fn start() -> Pair {
        let folder = tempfile::tempdir().expect("a folder");
        let options = ["--proto-max-bulk-len", "1mb", "--repl-backlog-size", "16kb"];
        let replica = start(folder.path(), &options).expect("a server");
        let client = connect(&replica);
        let primary = TcpListener::bind("127.0.0.1:0").expect("a socket");
        Pair { replica, client, primary, _folder: folder }
    }

    fn ask(&mut self, command: &str, args: &[&str]) {
        let reply = ask(&mut self.client, &[&[command], args].concat());
        assert_eq!(reply, "+OK", "{command}");
    }

    /// The replica connects, gets these bytes and then the end, and is asked whether it still works.
    fn run(&mut self, load: &str, bytes: &[u8]) {
        let port = self.primary.local_addr().expect("an address").port().to_string();
        self.ask(&secret("config"), &["SET", "repl-diskless-load", load]);
        self.ask(&secret("replicaof"), &["127.0.0.1", &port]);
        let (mut stream, _) = self.primary.accept().expect("a replica that connects");
        let mut sink = [0; 4096];
        // It may have closed the connection already.
        let (copy, rest) = bytes.split_at(end_of_copy(bytes));
        if !copy.is_empty() && stream.write_all(copy).is_ok() && !rest.is_empty() {
            // A primary waits until the replica has seen the mark.
            stream.set_read_timeout(Some(A_MOMENT)).expect("a time-out");
            let said_so = |said: &[u8]| said.windows(3).any(|word| word == b"ACK");
            while matches!(stream.read(&mut sink), Ok(len @ 1..) if !said_so(&sink[..len])) {}
        }
        let _ = stream.write_all(rest).and_then(|()| stream.shutdown(Shutdown::Write));
        stream.set_read_timeout(Some(PATIENCE)).expect("a time-out");
        loop {
            match stream.read(&mut sink) {
                Ok(0) => break,
                Ok(_) => {}
                Err(error) if error.kind() == ErrorKind::ConnectionReset => break,
                Err(error) => panic!("the replica does not notice the end: {error}"),
            }
        }
        self.ask(&secret("replicaof"), &["NO", "ONE"]);
        self.ask("FLUSHALL", &[]);
    }
}

/// Where the mark is that ends a copy, if there is one.
fn end_of_copy(bytes: &[u8]) -> usize {
    const BEFORE: &[u8] = b"$EOF:";
    const MARK: usize = 40;
    let find = |wanted: &[u8], from: usize| {
        let at = bytes.get(from..)?.windows(wanted.len()).position(|window| window == wanted)?;
        Some(from + at + wanted.len())
    };
    let begins = find(BEFORE, 0);
    let mark = begins.and_then(|from| bytes.get(from..from + MARK));
    mark.zip(begins).and_then(|(mark, from)| find(mark, from + MARK)).unwrap_or(0)
}

thread_local! {
    static PAIR: RefCell<Option<Pair>> = const { RefCell::new(None) };
}

fuzz_target!(|bytes: &[u8]| {
    let [options, input @ ..] = bytes else { return };
    let load = ["disabled", "on-empty-db", "swapdb"][usize::from(options % 3)];
    PAIR.with_borrow_mut(|pair| {
        let pair = pair.get_or_insert_with(Pair::start);
        limited(CONSTANT + TIMES * input.len(), || pair.run(load, input));
        assert!(pair.replica.address().port() > 0);
    });
});
