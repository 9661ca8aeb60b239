//! Runs commands on buffers, for tests.

use crate::clients::client::Client;
use crate::clients::output::PARTS_MAX;
use crate::command::dispatch::dispatch;
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
        Session::with(Config::default())
    }

    pub fn with(config: Config) -> Session {
        let mut server = Server::new(config);
        let id = server.clients.next_id();
        let client = Client::new(id, None, server.config.password.is_empty(), server.ticks);
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
        let output = std::mem::take(&mut self.client.output);
        let mut parts = [IoSlice::new(&[]); PARTS_MAX];
        let count = output.slices(&mut parts, usize::MAX);
        parts[..count].iter().flat_map(|part| part.iter().copied()).collect()
    }

    /// The reply on one line: `\r\n` as a space, without the last one.
    pub fn run(&mut self, line: &str) -> String {
        let reply = self.raw(line);
        String::from_utf8_lossy(reply.strip_suffix(b"\r\n").unwrap_or(&reply)).replace("\r\n", " ")
    }

    /// Runs each line and compares its reply.
    #[track_caller]
    pub fn expect(&mut self, script: &[(&str, &str)]) {
        for (line, reply) in script {
            assert_eq!(self.run(line), *reply, "{line}");
        }
    }

    /// Lets time pass.
    pub fn wait(&mut self, milliseconds: i64) {
        self.server.now += milliseconds;
        self.server.ticks += milliseconds;
    }
}
