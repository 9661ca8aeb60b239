//! Runs the steps of a program in a session, with several clients.

use super::programs::{Step, Words};
use super::session::Session;
use crate::clients::client::ClientRef;
use crate::command::call::end_overdue;
use crate::command::dispatch::serve_waiting;
use std::collections::HashMap;

pub struct Player {
    pub session: Session,
    clients: HashMap<usize, ClientRef>,
}

impl Player {
    /// With keys that expire only when somebody looks at them.
    pub fn new() -> Player {
        let mut session = Session::new();
        session.run("DEBUG SET-ACTIVE-EXPIRE 0");
        session.server.set_streams(true, true);
        Player { session, clients: HashMap::new() }
    }

    pub fn play(&mut self, step: &Step) {
        match step {
            Step::Run(connection, requests) => {
                for words in requests {
                    self.send(*connection, words);
                    self.end_waiting(*connection);
                }
            }
            Step::Post(connection, words) => {
                self.free(*connection);
                self.send(*connection, words);
            }
            Step::Free(connection) => self.free(*connection),
            Step::Wait(milliseconds) => self.session.wait(*milliseconds),
        }
    }

    fn client(&mut self, connection: usize) -> ClientRef {
        *self.clients.entry(connection).or_insert_with(|| self.session.other())
    }

    fn send(&mut self, connection: usize, words: &Words) {
        let mut client = self.client(connection);
        self.session.request_as(&mut client, words);
    }

    /// Has a client that waits get to the end of its time.
    fn end_waiting(&mut self, connection: usize) {
        let client = self.client(connection);
        let server = &mut self.session.server;
        let Some(blocked) = server.clients.get_same(client).and_then(|client| client.blocked.as_ref()) else { return };
        server.ticks = blocked.deadline.expect("what is run does not wait forever");
        end_overdue(server);
        serve_waiting(server);
    }

    fn free(&mut self, connection: usize) {
        let id = self.client(connection).id;
        self.session.run(&format!("CLIENT UNBLOCK {id}"));
    }
}
