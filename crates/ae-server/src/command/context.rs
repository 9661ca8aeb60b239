//! What a command works on, and how it replies.

use super::error::{Error, NOT_AN_INTEGER, Outcome};
use super::registry::{Registry, Row};
use super::spec::Spec;
use crate::clients::client::Client;
use crate::server::state::Server;
use resp::{Args, number, writer};
use store::{Content, EntryId, Keyspace};

/// What runs a command.
pub type Run = fn(&mut Context<'_>) -> Outcome;

pub type Command = Row<Run>;

/// What a command works on, for one request.
pub struct Context<'a> {
    pub server: &'a mut Server,
    pub client: &'a mut Client,
    pub args: Args<'a>,
    /// The command that runs.
    pub spec: &'static Spec,
    /// All commands, for those that tell about others.
    pub commands: &'static Registry<Run>,
}

impl<'a> Context<'a> {
    /// An argument that the arity promises, or empty.
    pub fn arg(&self, index: usize) -> &'a [u8] {
        self.args.get(index).unwrap_or_default()
    }

    /// An argument as the content of a string.
    pub fn content(&self, index: usize) -> Content<'a> {
        self.args.shared(index).map_or(Content::Borrowed(self.arg(index)), Content::Shared)
    }

    pub fn integer(&self, index: usize) -> Result<i64, Error> {
        number::parse(self.arg(index)).ok_or(NOT_AN_INTEGER.into())
    }

    pub fn out(&mut self) -> &mut Vec<u8> {
        &mut self.client.output.bytes
    }

    pub fn db(&mut self) -> &mut Keyspace {
        &mut self.server.databases[self.client.db as usize]
    }

    /// The entry of a key that is there and has not expired.
    pub fn lookup(&mut self, key: &[u8]) -> Option<EntryId> {
        let now = self.server.now;
        self.db().lookup(key, now)
    }

    /// As [`Context::lookup`], for commands that read the value and count as hit or miss.
    pub fn lookup_read(&mut self, key: &[u8]) -> Option<EntryId> {
        let found = self.lookup(key);
        match found {
            Some(_) => self.server.stats.hits += 1,
            None => self.server.stats.misses += 1,
        }
        found
    }

    pub fn reply_ok(&mut self) -> Outcome {
        self.out().extend_from_slice(b"+OK\r\n");
        Ok(())
    }

    pub fn reply_integer(&mut self, value: i64) -> Outcome {
        writer::integer(self.out(), value);
        Ok(())
    }

    pub fn reply_bulk(&mut self, data: &[u8]) -> Outcome {
        writer::bulk(self.out(), data);
        Ok(())
    }

    pub fn reply_null(&mut self) -> Outcome {
        let protocol = self.client.protocol;
        writer::null(self.out(), protocol);
        Ok(())
    }

    pub fn reply_text(&mut self, text: &[u8]) -> Outcome {
        let protocol = self.client.protocol;
        writer::text(self.out(), protocol, text);
        Ok(())
    }

    /// The error for a value that makes no sense as a time to live.
    pub fn invalid_expire(&self) -> Error {
        format!("ERR invalid expire time in '{}' command", self.spec.full_name()).into()
    }
}

/// Replies with an error, and counts it.
pub fn reply_error(server: &mut Server, client: &mut Client, text: &[u8]) {
    server.stats.errors += 1;
    writer::error(&mut client.output.bytes, text);
}
