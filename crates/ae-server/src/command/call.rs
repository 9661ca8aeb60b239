//! Running one command, and those that others waited for.

use super::context::{Command, Context, Run, Wait, reply_error};
use super::flag;
use super::keys::keys;
use super::registry::Registry;
use super::spec::{Effect, Spec};
use crate::acl::denials::Origin;
use crate::clients::client::Client;
use crate::db::effects::Concerns;
use crate::observe::monitor;
use crate::observe::secrets::shown_args;
use crate::record::latency::event;
use crate::record::slowlog::{self, SlowRequest};
use crate::server::propagation::Framing;
use crate::server::state::Server;
use resp::Args;
use std::borrow::Cow;
use std::time::Duration;

/// Runs a command that the client may run.
pub fn call(
    server: &mut Server,
    client: &mut Client,
    args: Args<'_>,
    command: &'static Command,
    commands: &'static Registry<Run>,
    wait: Wait,
) {
    let (spec, changed, still_waiting) = (command.spec, None, false);
    run(Context { server, client, args, spec, commands, wait, changed, still_waiting }, command);
}

/// True if the command was tried again and waits on; then there is no reply.
fn run(mut context: Context<'_>, command: &'static Command) -> bool {
    // What was refused since the last call is none of this command's failures.
    context.server.stats.errors.take_new();
    let (started, wait) = (context.server.clock.begin(), context.wait);
    let changes = context.server.databases.dirty;
    context.server.databases.effects.begin();
    context.server.databases.notes_uses = context.client.uses_keys_with(command.spec);
    let outcome = (command.run)(&mut context);
    let Context { server, client, args, still_waiting, .. } = context;
    if let Err(error) = outcome {
        reply_error(server, client, &error.0);
    }
    let took = server.clock.end(started);
    if server.databases.dirty != changes {
        note_effect(server, client, &args, command.spec);
        if server.notes_unlogged() {
            server.unlogged.push(client.reference());
        }
    }
    if !still_waiting {
        note_call(server, client, &args, command.spec, took, wait);
    }
    if !server.tracking.is_empty() {
        server.note_invalidated(Some(client));
    }
    // What a script reads is remembered by the keys of the script's request.
    if client.tracking.is_some() && !server.scripting.calls() {
        note_reading(server, client, &args, command.spec);
    }
    still_waiting
}

/// Tells what a command has changed, unless it did so itself.
fn note_effect(server: &mut Server, client: &Client, args: &Args<'_>, spec: &Spec) {
    let effects = &mut server.databases.effects;
    // A command that forgets to say it is told as it came: better than not at all.
    debug_assert!(spec.effect != Effect::Own || effects.is_told(), "{} has not said what it changed", spec.full_name);
    if spec.effect != Effect::Own || !effects.is_told() {
        effects.add(client.db as usize, Concerns::Everybody, |request| {
            request.args(args.iter());
        });
    }
}

/// Records a call that has replied, or that waits for a key from now on.
fn note_call(
    server: &mut Server,
    client: &mut Client,
    args: &Args<'_>,
    spec: &'static Spec,
    took: Duration,
    wait: Wait,
) {
    let Server { stats, config, .. } = server;
    let settings = &config.observation;
    let (again, waits) = (wait == Wait::Again, client.blocked.is_some());
    stats.calls.worked(spec, took, stats.errors.take_new(), settings.latency_tracking && !waits);
    if !again {
        stats.calls.called(spec);
        stats.commands += 1;
        if !server.monitors.is_empty() {
            monitor::show(server, client, args, spec);
        }
    }
    if !waits && (server.config.observation.latency_threshold != 0 || is_slow(server, took)) {
        note_pause(server, client, args, spec, took, again);
    }
}

fn is_slow(server: &Server, took: Duration) -> bool {
    u64::try_from(server.config.observation.slowlog_slower_than).is_ok_and(|least| took.as_micros() as u64 >= least)
}

#[cold]
fn note_pause(server: &mut Server, client: &Client, args: &Args<'_>, spec: &Spec, took: Duration, again: bool) {
    let event = match (again, spec.is(flag::FAST)) {
        (true, _) => event::COMMAND_UNBLOCKING,
        (false, true) => event::FAST_COMMAND,
        (false, false) => event::COMMAND,
    };
    server.latencies.note(event, took, server.config.observation.latency_threshold, server.now);
    if is_slow(server, took) && !spec.is(flag::SKIP_SLOWLOG) {
        let shown: Vec<Cow<'_, [u8]>> = shown_args(spec, args).collect();
        // What a script calls comes from nowhere, as in Redis.
        let (address, name) = match server.scripting.calls() {
            true => ("?:0".into(), Vec::new()),
            false => (client.peer_addr(), client.name().to_vec()),
        };
        let slow = SlowRequest {
            id: 0,
            time: server.now / 1000,
            micros: took.as_micros() as u64,
            args: slowlog::trimmed(shown.iter().map(|arg| &**arg)),
            address,
            name,
        };
        server.slow_log.add(slow, server.config.observation.slowlog_max_len);
    }
}

/// Remembers the keys of a request, for a client that keeps copies of what it has read.
pub fn remember_keys(server: &mut Server, client: &Client, args: &Args<'_>, spec: &Spec) {
    if client.tracking.as_ref().is_some_and(|mode| mode.remembers()) {
        for key in keys(spec, args).unwrap_or_default() {
            server.tracking.remember(&args[key.at], client.reference());
        }
    }
}

fn note_reading(server: &mut Server, client: &Client, args: &Args<'_>, spec: &Spec) {
    if spec.is(flag::READONLY) && spec.group != "scripting" {
        remember_keys(server, client, args, spec);
    }
}

/// Tries the requests again that wait for keys that have changed, in the order of arrival, for as long as there is
/// something left for them: what one takes wakes one, however many wait.
pub fn serve_ready(server: &mut Server, commands: &'static Registry<Run>) {
    server.clock.pass();
    while let Some((db, key)) = server.databases.observers.waiting.next_ready() {
        let mut last = 0;
        loop {
            let gone = !server.databases.db(db, server.now).exists(&key);
            // If its time had come, that is no part of what anybody gets.
            server.propagate(Framing::Transaction);
            let next = server.databases.observers.waiting.next_client(db, &key, last, gone);
            let Some((turn, reference)) = next else { break };
            last = turn;
            if let Some(mut client) = server.clients.take_same(reference) {
                try_again(server, &mut client, &key, commands);
                server.propagate(Framing::Transaction);
                server.clients.put_back(client);
            }
        }
    }
}

fn try_again(server: &mut Server, client: &mut Client, key: &[u8], commands: &'static Registry<Run>) {
    let Some(blocked) = client.blocked.take() else { return };
    let Some(command) = commands.find_full(blocked.spec.full_name.as_bytes()) else { return };
    let (args, spec, changed) = (blocked.args.as_args(), blocked.spec, Some(key));
    // The user's rights may have changed since the client began to wait.
    if let Err(denied) = server.check_rights(client, spec, &args, Origin::Client) {
        server.stats.calls.rejected(spec);
        client.reply_late(|client| reply_error(server, client, denied.text(spec).as_bytes()));
        return server.stop_waiting(client, &blocked);
    }
    let waits_on = client.reply_late(|client| {
        let context =
            Context { server, client, args, spec, commands, wait: Wait::Again, changed, still_waiting: false };
        run(context, command)
    });
    if waits_on {
        client.blocked = Some(blocked);
    } else {
        server.stop_waiting(client, &blocked);
    }
}

/// Replies to the clients that have waited long enough.
pub fn end_overdue(server: &mut Server) {
    let ticks = server.ticks;
    while let Some(reference) = server.timeouts.take_due(ticks) {
        if let Some(mut client) = server.clients.take_same(reference) {
            if let Some(blocked) = client.blocked.take() {
                client.reply_late(|client| blocked.on_timeout.reply(&mut client.reply()));
                server.stop_waiting(&mut client, &blocked);
            }
            server.clients.put_back(client);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::is_slow;
    use crate::testing::Session;
    use std::time::Duration;

    #[test]
    fn which_requests_are_slow() {
        let mut session = Session::new();
        for (least, micros, slow) in
            [(10_000, 9_999, false), (10_000, 10_000, true), (0, 0, true), (-1, 9_999_999, false)]
        {
            session.server.config.observation.slowlog_slower_than = least;
            assert_eq!(is_slow(&session.server, Duration::from_micros(micros)), slow, "{least} {micros}");
        }
    }
}
