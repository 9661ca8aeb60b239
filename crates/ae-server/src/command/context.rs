//! What a command works on, and how it replies.

use super::error::{Error, NOT_AN_INTEGER, Outcome, try_help};
use super::registry::{Registry, Row};
use super::spec::{Effect, Spec};
use crate::clients::blocked::{Blocked, OnTimeout};
use crate::clients::client::Client;
use crate::clients::reply::Reply;
use crate::config::settings::TypeLimits;
use crate::db::door::Db;
use crate::db::effects::{Concerns, Request};
use crate::db::random::Random;
use crate::long_double::LongDouble;
use crate::server::state::Server;
use resp::{Args, OwnedArgs, number};
use std::ops::{RangeBounds, RangeInclusive};
use store::Content;

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
    /// All commands, for those that tell about others or run them.
    pub commands: &'static Registry<Run>,
    pub wait: Wait,
    /// The key that has changed, for a command that is tried again.
    pub changed: Option<&'a [u8]>,
    /// A command that was tried again waits on.
    pub still_waiting: bool,
}

/// Whether a command may wait for a key.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Wait {
    /// It may.
    Allowed,
    /// It does, and is tried again.
    Again,
    /// It may not: it is part of a transaction, and is told at once that there is nothing.
    Never,
}

/// A text as an integer in a range that an error tells.
pub fn integer_between(text: &[u8], range: RangeInclusive<i64>) -> Result<i64, Error> {
    let value = number::parse(text).ok_or(NOT_AN_INTEGER)?;
    if !range.contains(&value) {
        let (least, most) = (range.start(), range.end());
        return Err(format!("ERR value is out of range, value must between {least} and {most}").into());
    }
    Ok(value)
}

impl<'a> Context<'a> {
    /// An argument that the arity promises, or empty.
    pub fn arg(&self, index: usize) -> &'a [u8] {
        self.args.get(index).unwrap_or_default()
    }

    /// Whether an argument is a word, in any case.
    pub fn is_word(&self, index: usize, word: &str) -> bool {
        self.args.get(index).is_some_and(|arg| arg.eq_ignore_ascii_case(word.as_bytes()))
    }

    /// An argument as the content of a string.
    pub fn content(&self, index: usize) -> Content<'a> {
        self.args.shared(index).map_or(Content::Borrowed(self.arg(index)), Content::Shared)
    }

    pub fn integer(&self, index: usize) -> Result<i64, Error> {
        number::parse(self.arg(index)).ok_or(NOT_AN_INTEGER.into())
    }

    /// An argument as an integer in `range`; `otherwise` is the error for any other text.
    pub fn integer_in(
        &self,
        index: usize,
        range: impl RangeBounds<i64>,
        otherwise: &'static str,
    ) -> Result<i64, Error> {
        number::parse(self.arg(index)).filter(|value| range.contains(value)).ok_or(otherwise.into())
    }

    /// An argument as the number of a database.
    pub fn database(&self, index: usize) -> Result<u32, Error> {
        let db = integer_between(self.arg(index), i32::MIN.into()..=i32::MAX.into())?;
        let db = u32::try_from(db).ok().filter(|db| *db < self.server.config.databases);
        db.ok_or("ERR DB index is out of range".into())
    }

    /// An argument as how long to wait, in milliseconds from a number of seconds; 0 for forever. As in Redis, more
    /// milliseconds than there are integers are a negative number of them.
    pub fn timeout(&self, index: usize) -> Result<i64, Error> {
        let seconds = LongDouble::parse(self.arg(index)).ok_or("ERR timeout is not a float or out of range")?;
        // What has no place in 64 bits counts as negative in Redis.
        seconds.times_1000_rounded_up().filter(|time| *time >= 0).ok_or("ERR timeout is negative".into())
    }

    /// The command that clients call by that name; a subcommand as `client|list`.
    pub fn find_command(&self, name: &[u8]) -> Option<&'static Command> {
        let mut parts = name.splitn(2, |c| *c == b'|');
        let command = self.commands.find(self.server.renames.own_name(parts.next()?)?)?;
        parts.next().map_or(Some(command), |name| command.subcommand(name))
    }

    /// The command of a request: a subcommand, if the command has some and the request names one.
    pub fn find_request(&self, request: &[&[u8]]) -> Option<&'static Command> {
        let command = self.commands.find(self.server.renames.own_name(request.first()?)?)?;
        match request.get(1) {
            Some(name) if !command.subcommands.is_empty() => command.subcommand(name),
            _ => Some(command),
        }
    }

    /// The commands that clients can call.
    pub fn callable_commands(&self) -> impl Iterator<Item = &'static Command> + use<> {
        let callable: Vec<_> =
            self.commands.all().filter(|command| self.server.renames.shows(command.spec.name)).collect();
        callable.into_iter()
    }

    /// The client's database.
    pub fn db(&mut self) -> Db<'_> {
        self.server.databases.db(self.client.db as usize, self.server.now)
    }

    /// Another database.
    pub fn db_of(&mut self, db: u32) -> Db<'_> {
        self.server.databases.db(db as usize, self.server.now)
    }

    /// The client's database, and where the reply goes, both at once.
    pub fn split(&mut self) -> (Db<'_>, Reply<'_>) {
        let db = self.server.databases.db(self.client.db as usize, self.server.now);
        (db, Reply::new(&mut self.client.output, self.client.protocol))
    }

    /// Says what the command did, as a request that does the same elsewhere; several times for several. For commands
    /// whose effect is their own.
    pub fn effect(&mut self, write: impl FnOnce(&mut Request)) {
        self.no_effect();
        self.server.databases.effects.add(self.client.db as usize, Concerns::Everybody, write);
    }

    /// Says that others have to do what the request says: it would do the same there, whenever it is run.
    pub fn tell_request(&mut self, concerns: Concerns) {
        self.no_effect();
        let args = self.args;
        self.server.databases.effects.add(self.client.db as usize, concerns, |request| _ = request.args(args.iter()));
    }

    /// Says that the command did nothing that has to be done elsewhere.
    pub fn no_effect(&mut self) {
        debug_assert_eq!(self.spec.effect, Effect::Own, "{} says what it did", self.spec.full_name);
        self.server.databases.effects.tell();
    }

    /// Up to which sizes collections are packed.
    pub fn limits(&self) -> TypeLimits {
        self.server.config.types
    }

    /// Random numbers for this request.
    pub fn random(&mut self) -> Random {
        self.server.databases.random.fork()
    }

    /// Where the reply goes.
    pub fn reply(&mut self) -> Reply<'_> {
        self.client.reply()
    }

    pub fn reply_ok(&mut self) -> Outcome {
        self.reply().ok();
        Ok(())
    }

    pub fn reply_integer(&mut self, value: i64) -> Outcome {
        self.reply().integer(value);
        Ok(())
    }

    pub fn reply_count(&mut self, value: usize) -> Outcome {
        self.reply().count(value);
        Ok(())
    }

    pub fn reply_bulk(&mut self, data: &[u8]) -> Outcome {
        self.reply().bulk(data);
        Ok(())
    }

    pub fn reply_null(&mut self) -> Outcome {
        self.reply().null();
        Ok(())
    }

    pub fn reply_text(&mut self, text: &[u8]) -> Outcome {
        self.reply().text(text);
        Ok(())
    }

    /// Has the request wait until one of `keys` changes, and tries it again then; for `timeout` milliseconds at most, 0
    /// for forever. In a transaction it is told at once that there is nothing.
    pub fn wait_for<'k>(
        &mut self,
        keys: impl Iterator<Item = &'k [u8]>,
        timeout: i64,
        on_timeout: OnTimeout,
    ) -> Outcome {
        let args = self.args;
        self.wait_for_with(|| args.to_owned(), keys, timeout, on_timeout)
    }

    /// As [`Context::wait_for`]; the request is tried again with other arguments than it came with.
    pub fn wait_for_with<'k>(
        &mut self,
        args: impl FnOnce() -> OwnedArgs,
        keys: impl Iterator<Item = &'k [u8]>,
        timeout: i64,
        on_timeout: OnTimeout,
    ) -> Outcome {
        match self.wait {
            Wait::Never => on_timeout.reply(&mut self.client.reply()),
            Wait::Again => return self.wait_on(),
            Wait::Allowed => {
                let deadline = (timeout > 0).then(|| self.server.ticks.saturating_add(timeout));
                let blocked = Blocked {
                    spec: self.spec,
                    args: args(),
                    db: self.client.db as usize,
                    keys: keys.map(Box::from).collect(),
                    turn: self.server.databases.observers.waiting.next_turn(),
                    deadline,
                    on_timeout,
                };
                self.server.start_waiting(self.client, blocked);
            }
        }
        Ok(())
    }

    /// Has a request wait on that is tried again in vain.
    pub fn wait_on(&mut self) -> Outcome {
        self.still_waiting = true;
        Ok(())
    }

    /// The error for a subcommand that is called with other arguments than it takes.
    pub fn wrong_subcommand(&self) -> Error {
        try_help("ERR unknown subcommand or wrong number of arguments for '", self.arg(1), self.arg(0))
    }

    /// Those of `keys` that a command looks at which may wait for them: all in the first place, and only the one that has
    /// changed when it is tried again.
    pub fn keys_to_try<K: Iterator<Item = &'a [u8]>>(&self, keys: K) -> impl Iterator<Item = &'a [u8]> + use<'a, K> {
        let changed = self.changed;
        // The client waits for the changed key, so it is one of them.
        let all = if changed.is_none() { Some(keys) } else { None };
        changed.into_iter().chain(all.into_iter().flatten())
    }

    /// The error for a number of arguments that the arity allows and the command does not.
    pub fn wrong_arity(&self) -> Error {
        wrong_arity(self.spec)
    }

    /// The error for a value that makes no sense as a time to live.
    pub fn invalid_expire(&self) -> Error {
        format!("ERR invalid expire time in '{}' command", self.spec.full_name).into()
    }
}

/// The error for a wrong number of arguments.
pub fn wrong_arity(spec: &Spec) -> Error {
    format!("ERR wrong number of arguments for '{}' command", spec.full_name).into()
}

/// Replies with an error, and counts it.
pub fn reply_error(server: &mut Server, client: &mut Client, text: &[u8]) {
    server.stats.errors.count(text);
    client.reply().error(text);
}
