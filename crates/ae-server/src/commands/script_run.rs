//! Running a script, and what it asks for meanwhile.

use crate::acl::check::Denied;
use crate::acl::denials::Origin;
use crate::clients::client::Client;
use crate::clients::output::Output;
use crate::command::call::{call, remember_keys};
use crate::command::context::{Command, Context, Run, Wait, reply_error};
use crate::command::error::{Error, OUT_OF_MEMORY, Outcome};
use crate::command::flag;
use crate::command::registry::Registry;
use crate::command::spec::Spec;
use crate::log::{Level, log};
use crate::observe::monitor;
use crate::scripting::header::Flags;
use crate::scripting::messages::write_log;
use crate::scripting::running::Running;
use crate::server::room::Room;
use crate::server::state::Server;
use lua::{Engine, Host, Interrupted, Kind, LogLevel, Registered, Replication, Script};
use resp::{Args, Protocol};
use smallvec::SmallVec;
use std::time::Duration;

/// What is run, and how.
pub struct Call<'s> {
    pub script: &'s Script,
    pub kind: Kind,
    /// The script's SHA-1, or the function's name.
    pub name: &'s [u8],
    pub flags: Flags,
    /// How many of the arguments are keys.
    pub keys: usize,
    /// It was called by a command that may not write.
    pub read_only: bool,
}

/// Shows a request that runs a script to those who watch: before the commands that the script calls, and also if it
/// fails.
pub fn show(ctx: &mut Context<'_>) {
    if !ctx.server.monitors.is_empty() {
        monitor::show_any(ctx.server, ctx.client, &ctx.args, ctx.spec);
    }
}

/// Runs a script with the keys and arguments of the request, and replies with its result.
pub fn run(ctx: &mut Context<'_>, engine: &Engine, what: &Call<'_>) -> Outcome {
    let words: SmallVec<[&[u8]; 8]> = ctx.args.from(3).collect();
    let (keys, args) = words.split_at(what.keys);
    let must_obey = ctx.client.is_primary || ctx.client.is_log;
    let limited = ctx.server.config.memory.max > 0 && !ctx.server.is_loading();
    let has_room = !limited || ctx.server.make_room() != Room::None;
    if !must_obey {
        check_before(ctx, what, has_room)?;
    }
    let is_function = what.kind == Kind::Function;
    ctx.server.scripting.running =
        Some(Running { is_ordered: must_obey, ..Running::new(is_function, what.name, ctx.server.clock.mark()) });
    let db = ctx.client.db;
    let earlier = ctx.server.databases.effects.len();
    let mut host = ScriptHost {
        read_only: what.read_only || what.flags.no_writes,
        may_add: has_room || what.flags.allow_oom || must_obey,
        must_obey,
        replication: Replication::ALL,
        request: ctx.args,
        spec: ctx.spec,
        server: ctx.server,
        client: ctx.client,
        commands: ctx.commands,
    };
    let (result, protocol) = engine.run(what.script, what.kind, keys, args, &mut host);
    ctx.client.db = db;
    ctx.server.scripting.running = None;
    // Each of its commands has told its own.
    ctx.no_effect();
    if ctx.server.shutdown && result.is_err() {
        // The server ends in the midst of it: nobody is to have half of what it does.
        ctx.server.databases.effects.limit(earlier, false, false);
    }
    let Context { server, client, .. } = ctx;
    match result {
        Ok(value) => {
            let errors = &mut server.stats.errors;
            let protocols = (client.protocol, protocol);
            let max = server.config.memory.scripts as usize;
            let out = client.output.open();
            let start = out.len();
            let written = lua::write(&value, out, max, protocols, &mut |text, counted| match counted {
                true => errors.note(),
                false => errors.count(text),
            });
            written.map_err(|error| -> Error {
                // Of the result nothing is told.
                client.output.open().truncate(start);
                format!("ERR {}", lua::reason(&error)).into()
            })
        }
        Err(failure) => {
            let mut text = failure.text;
            if let Some((source, line)) = failure.place {
                text.extend_from_slice(b" script: ");
                text.extend_from_slice(what.name);
                text.extend_from_slice(format!(", on {source}:{line}.").as_bytes());
            }
            if failure.counted {
                server.stats.errors.note();
                client.reply().error(&text);
            } else {
                reply_error(server, client, &text);
            }
            Ok(())
        }
    }
}

/// How many of the arguments are keys.
pub fn key_count(ctx: &Context<'_>) -> Result<usize, Error> {
    let count = ctx.integer(2)?;
    if count > ctx.args.len() as i64 - 3 {
        return Err("ERR Number of keys can't be greater than number of args".into());
    }
    Ok(usize::try_from(count).map_err(|_| "ERR Number of keys can't be negative")?)
}

/// Whether it may run at all. One that says that it may write is refused where SET is, and any other where GET is.
fn check_before(ctx: &mut Context<'_>, what: &Call<'_>, has_room: bool) -> Outcome {
    let flags = what.flags;
    let writes = flags.declared && !flags.no_writes;
    if writes && !has_room && !flags.allow_oom {
        return Err(OUT_OF_MEMORY.into());
    }
    if writes && let Some(refusal) = ctx.server.refusal_of_writes() {
        return Err(refusal.into());
    }
    let like = if writes { "set" } else { "get" };
    let concerns = |kind: fn(&Spec) -> bool| ctx.commands.find(like.as_bytes()).is_some_and(|row| kind(row.spec));
    let refusal = if flags.allow_stale { ctx.server.refuses_write(concerns) } else { ctx.server.refuses(concerns) };
    if let Some(reason) = refusal {
        return Err(reason.into());
    }
    if writes && what.read_only {
        return Err("ERR Can not execute a script with write flag using *_ro command.".into());
    }
    Ok(())
}

/// The server, for one run.
struct ScriptHost<'a> {
    server: &'a mut Server,
    client: &'a mut Client,
    commands: &'static Registry<Run>,
    request: Args<'a>,
    /// EVAL, FCALL or another of them.
    spec: &'static Spec,
    read_only: bool,
    /// There is memory for what commands add, or the script may do so in any case.
    may_add: bool,
    /// It came from the primary or the append-only file.
    must_obey: bool,
    replication: Replication,
}

impl ScriptHost<'_> {
    fn find(&self, args: &Args<'_>) -> Option<&'static Command> {
        let command = self.commands.find(self.server.renames.own_name(args.get(0)?)?)?;
        match args.get(1) {
            Some(name) if !command.subcommands.is_empty() => command.subcommand(name),
            _ => Some(command),
        }
    }

    /// The command that is called, if the script may call it in this way.
    fn checked(&mut self, args: &Args<'_>) -> Result<&'static Command, Error> {
        let command = self.find(args).ok_or("ERR Unknown Redis command called from script")?;
        let spec = command.spec;
        self.check(args, command).inspect_err(|_| self.server.stats.calls.rejected(spec))?;
        Ok(command)
    }

    fn check(&mut self, args: &Args<'_>, command: &Command) -> Outcome {
        let spec = command.spec;
        if !spec.fits(args.len()) {
            return Err("ERR Wrong number of args calling Redis command from script".into());
        }
        if spec.is(flag::NOSCRIPT) && !self.server.scripting.allows_all {
            return Err("ERR This Redis command is not allowed from script".into());
        }
        if let Err(denied) = self.server.check_rights(self.client, spec, args, Origin::Script) {
            let what = match denied {
                Denied::Command => "can't run this command or subcommand",
                Denied::Key(_) => "can't access at least one of the keys mentioned in the command arguments",
                Denied::Channel(_) => "can't publish to the channel mentioned in the command",
            };
            return Err(format!("ERR The user executing the script {what}").into());
        }
        if self.server.is_stale() && !spec.is(flag::STALE) {
            return Err("ERR Can not execute the command on a stale replica".into());
        }
        // What may be told to replicas counts, so that such a script can run while writes are paused.
        if self.read_only && spec.is(flag::WRITE | flag::MAY_REPLICATE) {
            return Err("ERR Write commands are not allowed from read-only scripts.".into());
        }
        if spec.is_write() && !self.must_obey {
            let refusal = self.server.refusal_of_writes().map(Error::from);
            let refusal = refusal.or_else(|| Some(self.server.refuses(|kind| kind(spec))?.into()));
            refusal.map_or(Ok(()), Err)?;
        }
        let has_written = self.server.scripting.running.as_ref().is_some_and(|running| running.has_written);
        if spec.is(flag::DENYOOM) && !self.may_add && !has_written {
            return Err(OUT_OF_MEMORY.into());
        }
        Ok(())
    }
}

impl Host for ScriptHost<'_> {
    fn call(&mut self, args: Args<'_>, protocol: Protocol, reply: &mut Vec<u8>) -> bool {
        let command = match self.checked(&args) {
            Ok(command) => command,
            Err(error) => {
                self.server.stats.errors.count(&error.0);
                // It is the called command's, not the script's.
                self.server.stats.errors.take_new();
                resp::writer::error(reply, &error.0);
                return false;
            }
        };
        let running = self.server.scripting.running.as_mut();
        running.into_iter().for_each(|running| {
            running.calls = true;
            running.has_written |= command.spec.is_write();
        });
        let earlier = self.server.databases.effects.len();
        let (server, commands, own) = (&mut *self.server, self.commands, Output::of(std::mem::take(reply)));
        let own = self.client.apart_for_script(protocol, own, |client| {
            call(server, client, args, command, commands, Wait::Never);
        });
        *reply = own.into_bytes();
        if command.spec.is(flag::READONLY) {
            remember_keys(self.server, self.client, &self.request, self.spec);
        }
        self.server.databases.effects.limit(earlier, self.replication.log, self.replication.replicas);
        if let Some(running) = &mut self.server.scripting.running {
            running.calls = false;
        }
        reply.first() != Some(&b'-')
    }

    fn may_run(&mut self, args: Args<'_>) -> Option<bool> {
        let command = self.find(&args)?;
        Some(crate::acl::check::check(&self.client.user.rights(), command.spec, &args).is_ok())
    }

    fn log(&mut self, level: LogLevel, text: &[u8]) {
        write_log(level, text);
    }

    fn replicate(&mut self, to: Replication) {
        self.replication = to;
    }

    fn interrupt(&mut self) -> Interrupted {
        let threshold = self.server.config.observation.busy_reply_threshold;
        let Some(running) = &mut self.server.scripting.running else { return Interrupted::GoesOn };
        let elapsed = self.server.clock.since(running.started);
        // Zero is forever.
        if threshold == 0 || elapsed < Duration::from_millis(threshold) {
            return Interrupted::GoesOn;
        }
        if !running.is_slow {
            running.is_slow = true;
            running.request = self.request.iter().map(<[u8]>::to_vec).collect();
            let name = String::from_utf8_lossy(&running.name);
            log(
                Level::Warning,
                format_args!(
                    "Slow script detected: still in execution after {} milliseconds. You can kill it with the {} KILL \
                     command. Its name: {name}",
                    elapsed.as_millis(),
                    if running.is_function { "FUNCTION" } else { "SCRIPT" },
                ),
            );
        }
        self.server.serve_others();
        let Some(running) = &self.server.scripting.running else { return Interrupted::GoesOn };
        if running.killed {
            // In Redis a function's error is the same.
            Interrupted::Ends("Script killed by user with SCRIPT KILL...")
        } else if self.server.shutdown {
            Interrupted::Ends("the server ends")
        } else {
            Interrupted::GoesOn
        }
    }

    fn register(&mut self, _: Registered) -> Result<(), String> {
        Err("ERR redis.register_function can only be called on FUNCTION LOAD command".into())
    }
}

#[cfg(test)]
#[path = "script_run_tests.rs"]
mod tests;
