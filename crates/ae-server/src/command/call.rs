//! Running one command, and those that others waited for.

use super::context::{Command, Context, Run, Wait, reply_error};
use super::flag;
use super::keys::keys;
use super::registry::Registry;
use super::spec::Spec;
use crate::clients::client::Client;
use crate::server::state::Server;
use resp::Args;

/// Runs a command that the client may run.
pub fn call(
    server: &mut Server,
    client: &mut Client,
    args: Args<'_>,
    command: &'static Command,
    commands: &'static Registry<Run>,
    wait: Wait,
) {
    client.last_command = Some(command.spec);
    let (spec, changed, still_waiting) = (command.spec, None, false);
    run(Context { server, client, args, spec, commands, wait, changed, still_waiting }, command);
}

/// True if the command was tried again and waits on; then there is no reply.
fn run(mut context: Context<'_>, command: &'static Command) -> bool {
    let args = context.args;
    let outcome = (command.run)(&mut context);
    let Context { server, client, still_waiting, .. } = context;
    if let Err(error) = outcome {
        reply_error(server, client, &error.0);
    }
    if client.tracking.is_some() {
        remember_keys(server, client, &args, command.spec);
    }
    still_waiting
}

/// Remembers what a client that keeps copies has read.
fn remember_keys(server: &mut Server, client: &mut Client, args: &Args<'_>, spec: &'static Spec) {
    let reference = client.reference();
    let Some(mode) = &mut client.tracking else { return };
    if spec.is(flag::READONLY) && mode.remembers() {
        for key in keys(spec, args).unwrap_or_default() {
            server.tracking.remember(&args[key.at], reference);
        }
    }
    // CLIENT CACHING is about the next request alone, or about a whole transaction.
    if spec.parent != Some("client") && client.transaction.is_none() {
        mode.caching = false;
    }
}

/// Tries the requests again that wait for keys that have changed, in the order of arrival.
pub fn serve_ready(server: &mut Server, commands: &'static Registry<Run>) {
    while let Some(((_, key), waiting)) = server.databases.observers.waiting.next_ready() {
        for reference in waiting {
            if let Some(mut client) = server.clients.take_same(reference) {
                try_again(server, &mut client, &key, commands);
                server.clients.put_back(client);
            }
        }
    }
}

fn try_again(server: &mut Server, client: &mut Client, key: &[u8], commands: &'static Registry<Run>) {
    let Some(blocked) = client.blocked.take() else { return };
    let Some(command) = commands.find_full(blocked.spec.full_name.as_bytes()) else { return };
    let (args, spec, changed) = (blocked.args.as_args(), blocked.spec, Some(key));
    let context = Context { server, client, args, spec, commands, wait: Wait::Again, changed, still_waiting: false };
    let waits_on = run(context, command);
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
                blocked.on_timeout.reply(&mut client.reply());
                server.stop_waiting(&mut client, &blocked);
            }
            server.clients.put_back(client);
        }
    }
}
