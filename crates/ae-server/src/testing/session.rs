//! Runs commands on buffers, for tests.

use crate::clients::client::{Client, ClientRef};
use crate::clients::output::{Output, PARTS_MAX};
use crate::command::call::end_overdue;
use crate::command::dispatch::{dispatch, serve_waiting};
use crate::config::choices::Allowed;
use crate::config::settings::Config;
use crate::server::state::Server;
use resp::{Limits, RequestParser, writer};
use std::io::IoSlice;

/// A server with one client that has no connection.
pub struct Session {
    pub server: Server,
    pub client: Client,
}

impl Session {
    pub fn new() -> Session {
        let mut config = Config::default();
        config.security.debug_command = Allowed::Yes;
        // Nothing is written by itself.
        config.saving.points.clear();
        Session::with(config)
    }

    pub fn with(config: Config) -> Session {
        let mut server = Server::new(config);
        let id = server.clients.next_id();
        let client = Client::new(id, None, server.users.default_user(), server.ticks);
        Session { server, client }
    }

    /// The reply to an inline request, raw.
    pub fn raw(&mut self, line: &str) -> Vec<u8> {
        self.bytes(format!("{line}\n").into_bytes())
    }

    pub fn request(&mut self, args: &[Vec<u8>]) -> Vec<u8> {
        let mut bytes = Vec::new();
        writer::request(&mut bytes, args);
        self.bytes(bytes)
    }

    fn bytes(&mut self, mut bytes: Vec<u8>) -> Vec<u8> {
        let mut parser = RequestParser::new();
        while parser.advance(&mut bytes, &Limits::default()).unwrap() {
            dispatch(&mut self.server, &mut self.client, parser.args(&bytes));
        }
        all_bytes(&self.client.output.take())
    }

    /// The reply on one line: `\r\n` as a space, without the last one.
    pub fn run(&mut self, line: &str) -> String {
        one_line(&self.raw(line))
    }

    /// Runs each line and compares its reply.
    #[track_caller]
    pub fn expect(&mut self, script: &[(&str, &str)]) {
        for (line, reply) in script {
            assert_eq!(self.run(line), *reply, "{line}");
        }
    }

    /// A field of INFO, of whichever section.
    #[track_caller]
    pub fn info(&mut self, name: &str) -> String {
        let info = self.run("INFO everything");
        let field = info.split(' ').find_map(|field| field.strip_prefix(name)?.strip_prefix(':'));
        field.unwrap_or_else(|| panic!("no {name} in {info}")).into()
    }

    /// One that is a whole number.
    #[track_caller]
    pub fn number(&mut self, name: &str) -> i64 {
        self.info(name).parse().unwrap()
    }

    /// Another client, for [`Session::run_as`].
    pub fn other(&mut self) -> ClientRef {
        let id = self.server.clients.next_id();
        let client = Client::new(id, None, self.server.users.default_user(), self.server.ticks);
        let reference = client.reference();
        self.server.clients.add(Box::new(client));
        reference
    }

    /// As [`Session::run`] by another client. Empty when it waits.
    pub fn run_as(&mut self, client: &mut ClientRef, line: &str) -> String {
        self.act_as(client, |session| session.run(line))
    }

    /// As [`Session::request`] by another client.
    pub fn request_as(&mut self, client: &mut ClientRef, args: &[Vec<u8>]) -> Vec<u8> {
        self.act_as(client, |session| session.request(args))
    }

    fn act_as<T>(&mut self, client: &mut ClientRef, act: impl FnOnce(&mut Session) -> T) -> T {
        let other = self.server.clients.take_same(*client).expect("the client is there");
        let own = std::mem::replace(&mut self.client, *other);
        let result = act(self);
        let other = std::mem::replace(&mut self.client, own);
        self.server.clients.put_back(Box::new(other));
        result
    }

    /// What another client has received since the last time, as [`Session::run`] has it.
    pub fn received(&mut self, client: &mut ClientRef) -> String {
        let output = self.server.clients.get_same(*client).map(|client| client.output.take());
        one_line(&output.map(|output| all_bytes(&output)).unwrap_or_default())
    }

    /// A replica that has its copy, and what it was sent.
    pub fn replica(&mut self, settings: &str) -> (ClientRef, String) {
        self.replica_by(settings, "PSYNC ? -1")
    }

    /// One that asks for its copy with this request.
    pub fn replica_by(&mut self, settings: &str, request: &str) -> (ClientRef, String) {
        let mut replica = self.other();
        self.run("CONFIG SET repl-diskless-sync-delay 0");
        self.run_as(&mut replica, settings);
        self.run_as(&mut replica, request);
        self.server.start_copies();
        while self.server.replication.copy.is_some() || self.server.advance_copies() {
            self.server.advance_copies();
            self.server.advance_snapshot(false);
        }
        let sent = self.received(&mut replica);
        self.server.finish_copies();
        (replica, sent)
    }

    /// What a replica is sent of the stream.
    pub fn fed(&mut self, replica: &mut ClientRef) -> String {
        self.server.feed_replicas();
        self.received(replica)
    }

    /// The names of the events that `lines` cause.
    pub fn events(&mut self, lines: &[&str]) -> Vec<String> {
        const CHANNEL: &str = "__keyevent@0__:";
        self.expect(&[("CONFIG SET notify-keyspace-events AE", "+OK")]);
        let mut listener = self.other();
        self.run_as(&mut listener, &format!("PSUBSCRIBE {CHANNEL}*"));
        for line in lines {
            self.run(line);
        }
        let received = self.received(&mut listener);
        received
            .split(' ')
            .filter_map(|word| word.strip_prefix(CHANNEL))
            .filter(|word| *word != "*")
            .map(String::from)
            .collect()
    }

    /// Lets time pass.
    pub fn wait(&mut self, milliseconds: i64) {
        self.server.now += milliseconds;
        self.server.ticks += milliseconds;
        end_overdue(&mut self.server);
        serve_waiting(&mut self.server);
    }
}

fn all_bytes(output: &Output) -> Vec<u8> {
    let mut parts = [IoSlice::new(&[]); PARTS_MAX];
    let count = output.slices(&mut parts, usize::MAX);
    parts[..count].iter().flat_map(|part| part.iter().copied()).collect()
}

fn one_line(reply: &[u8]) -> String {
    String::from_utf8_lossy(reply.strip_suffix(b"\r\n").unwrap_or(reply)).replace("\r\n", " ")
}
