//! From a request to the command that answers it.

use crate::clients::client::Client;
use crate::commands;
use crate::server::state::Server;
use resp::{Args, number, writer};
use std::borrow::Cow;
use store::{Content, EntryId, Keyspace};

/// An error reply, with its code and without the `-`.
pub struct Error(pub Cow<'static, [u8]>);

pub type Outcome = Result<(), Error>;

impl From<&'static str> for Error {
    fn from(text: &'static str) -> Error {
        Error(Cow::Borrowed(text.as_bytes()))
    }
}

impl From<String> for Error {
    fn from(text: String) -> Error {
        Error(Cow::Owned(text.into_bytes()))
    }
}

impl From<Vec<u8>> for Error {
    fn from(text: Vec<u8>) -> Error {
        Error(Cow::Owned(text))
    }
}

pub const SYNTAX_ERROR: &str = "ERR syntax error";
pub const NOT_AN_INTEGER: &str = "ERR value is not an integer or out of range";
pub const WRONG_TYPE: &str = "WRONGTYPE Operation against a key holding the wrong kind of value";
const NO_AUTH: &str = "NOAUTH Authentication required.";

/// A command, or a subcommand of one.
pub struct Command {
    /// In lower case; a subcommand's without its parent's.
    pub name: &'static str,
    pub parent: Option<&'static str>,
    /// The number of arguments with the name; negative for "at least".
    pub arity: i32,
    /// A sum of the constants in [`flag`].
    pub flags: u16,
    /// Positions of the first and the last key (negative: from the end) and the step between keys; 0 for none.
    pub keys: (i8, i8, i8),
    /// The version of Redis that brought it.
    pub since: &'static str,
    pub summary: &'static str,
    pub run: Run,
    pub subcommands: &'static [Command],
}

pub mod flag {
    pub const WRITE: u16 = 1;
    pub const READONLY: u16 = 2;
    pub const DENYOOM: u16 = 4;
    pub const ADMIN: u16 = 8;
    pub const NOSCRIPT: u16 = 16;
    pub const LOADING: u16 = 32;
    pub const STALE: u16 = 64;
    pub const FAST: u16 = 128;
    /// Open to clients that have not authenticated.
    pub const NO_AUTH: u16 = 256;
    pub const ALLOW_BUSY: u16 = 512;
    /// Not a command that anybody should know of.
    pub const HIDDEN: u16 = 1024;

    pub const NAMES: [(u16, &str); 10] = [
        (WRITE, "write"),
        (READONLY, "readonly"),
        (DENYOOM, "denyoom"),
        (ADMIN, "admin"),
        (NOSCRIPT, "noscript"),
        (LOADING, "loading"),
        (STALE, "stale"),
        (FAST, "fast"),
        (NO_AUTH, "no_auth"),
        (ALLOW_BUSY, "allow_busy"),
    ];
}

/// Keys of a command: none, the first argument, all arguments.
pub const NO_KEYS: (i8, i8, i8) = (0, 0, 0);
pub const ONE_KEY: (i8, i8, i8) = (1, 1, 1);
pub const ALL_KEYS: (i8, i8, i8) = (1, -1, 1);

type Run = fn(&mut Context<'_>) -> Outcome;

/// A line of a command table.
pub const fn command(
    name: &'static str,
    arity: i32,
    flags: u16,
    keys: (i8, i8, i8),
    since: &'static str,
    summary: &'static str,
    run: Run,
) -> Command {
    Command { name, parent: None, arity, flags, keys, since, summary, run, subcommands: &[] }
}

/// A line of a table of subcommands. The arity counts the command's name too.
pub const fn subcommand(
    parent: &'static str,
    name: &'static str,
    arity: i32,
    flags: u16,
    since: &'static str,
    summary: &'static str,
    run: Run,
) -> Command {
    Command { name, parent: Some(parent), arity, flags, keys: NO_KEYS, since, summary, run, subcommands: &[] }
}

impl Command {
    pub const fn with_subcommands(mut self, subcommands: &'static [Command]) -> Command {
        self.subcommands = subcommands;
        self
    }

    pub const fn with_keys(mut self, keys: (i8, i8, i8)) -> Command {
        self.keys = keys;
        self
    }

    /// `client|list` for a subcommand.
    pub fn full_name(&self) -> String {
        match self.parent {
            Some(parent) => format!("{parent}|{}", self.name),
            None => self.name.into(),
        }
    }

    pub fn fits(&self, args: usize) -> bool {
        if self.arity < 0 { args >= self.arity.unsigned_abs() as usize } else { args == self.arity as usize }
    }
}

/// What a command works on.
pub struct Context<'a> {
    pub server: &'a mut Server,
    pub client: &'a mut Client,
    pub args: Args<'a>,
    pub command: &'static Command,
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
        format!("ERR invalid expire time in '{}' command", self.command.full_name()).into()
    }
}

/// Answers one request.
pub fn dispatch(server: &mut Server, client: &mut Client, args: Args<'_>) {
    server.stats.commands += 1;
    let outcome = match resolve(server, client, &args) {
        Ok(command) => {
            client.last_command = Some(command);
            (command.run)(&mut Context { server, client, args, command })
        }
        Err(error) => Err(error),
    };
    if let Err(error) = outcome {
        reply_error(server, client, &error.0);
    }
}

pub fn reply_error(server: &mut Server, client: &mut Client, text: &[u8]) {
    server.stats.errors += 1;
    writer::error(&mut client.output.bytes, text);
}

/// The command that a request names, if the client may call it like that.
fn resolve(server: &Server, client: &Client, args: &Args<'_>) -> Result<&'static Command, Error> {
    let Some(mut command) = commands::find(&args[0]) else {
        return Err(unknown_command(args));
    };
    if !command.subcommands.is_empty()
        && let Some(name) = args.get(1)
    {
        let found = command.subcommands.iter().find(|sub| name.eq_ignore_ascii_case(sub.name.as_bytes()));
        command = found.ok_or_else(|| unknown_subcommand(name, command))?;
    }
    if !command.fits(args.len()) {
        return Err(format!("ERR wrong number of arguments for '{}' command", command.full_name()).into());
    }
    if !client.authenticated && !server.config.password.is_empty() && command.flags & flag::NO_AUTH == 0 {
        return Err(NO_AUTH.into());
    }
    Ok(command)
}

/// The longest name, and about the longest list of arguments, that an error repeats.
const QUOTED_MAX: usize = 128;

fn unknown_command(args: &Args<'_>) -> Error {
    let mut text = b"ERR unknown command '".to_vec();
    text.extend_from_slice(c_text(&args[0], QUOTED_MAX));
    text.extend_from_slice(b"', with args beginning with: ");
    let start = text.len();
    for arg in args.from(1) {
        let used = text.len() - start;
        if used >= QUOTED_MAX {
            break;
        }
        text.push(b'\'');
        text.extend_from_slice(c_text(arg, QUOTED_MAX - used));
        text.extend_from_slice(b"' ");
    }
    text.into()
}

fn unknown_subcommand(name: &[u8], command: &Command) -> Error {
    let mut text = b"ERR unknown subcommand '".to_vec();
    text.extend_from_slice(c_text(name, QUOTED_MAX));
    text.extend_from_slice(format!("'. Try {} HELP.", command.name.to_ascii_uppercase()).as_bytes());
    text.into()
}

/// An error that repeats what a client sent, as Redis prints it.
pub fn quoting(before: &str, word: &[u8], after: &str) -> Error {
    [before.as_bytes(), c_text(word, usize::MAX), after.as_bytes()].concat().into()
}

/// As much of `bytes` as C's `%.*s` prints, and so Redis's errors.
fn c_text(bytes: &[u8], max: usize) -> &[u8] {
    let end = bytes.iter().take(max).position(|&c| c == 0).unwrap_or(bytes.len().min(max));
    &bytes[..end]
}
