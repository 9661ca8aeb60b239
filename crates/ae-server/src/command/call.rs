//! Running one command, and those that others waited for.

use super::context::{Command, Context, Run, Wait, reply_error};
use super::flag;
use super::keys::keys;
use super::registry::Registry;
use super::spec::Spec;
use crate::clients::client::Client;
use crate::server::state::Server;
use resp::Args;

/// Runs a command that the client may run. True if it was tried again and waits on; then there is no reply.
pub fn call(
    server: &mut Server,
    client: &mut Client,
    args: Args<'_>,
    command: &'static Command,
    commands: &'static Registry<Run>,
    wait: Wait,
) -> bool {
    client.last_command = Some(command.spec);
    let mut context = Context { server, client, args, spec: command.spec, commands, wait, still_waiting: false };
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
    while let Some((_, waiting)) = server.databases.observers.waiting.next_ready() {
        for reference in waiting {
            if let Some(mut client) = server.clients.take_same(reference) {
                try_again(server, &mut client, commands);
                server.clients.put_back(client);
            }
        }
    }
}

fn try_again(server: &mut Server, client: &mut Client, commands: &'static Registry<Run>) {
    let Some(blocked) = client.blocked.take() else { return };
    let Some(command) = commands.find_full(blocked.spec.full_name.as_bytes()) else { return };
    let waits_on = call(server, client, blocked.args.as_args(), command, commands, Wait::Again);
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
