//! From a request to the command that answers it.

use super::call::{call, serve_ready};
use super::context::{Command, Wait, reply_error, wrong_arity};
use super::error::{Error, OUT_OF_MEMORY, Outcome, c_text, try_help};
use super::flag;
use super::spec::{Effect, Spec};
use super::table::TABLE;
use crate::acl::denials::Origin;
use crate::clients::client::{Client, Closing, Replies};
use crate::log::{Level, log};
use crate::server::pause::Paused;
use crate::server::propagation::Framing;
use crate::server::room::Room;
use crate::server::state::Server;
use resp::{Args, Protocol};

const LOADING: &str = "LOADING Redis is loading the dataset in memory";
const NO_AUTH: &str = "NOAUTH Authentication required.";

/// Answers one request.
pub fn dispatch(server: &mut Server, client: &mut Client, args: Args<'_>) {
    if client.replies == Replies::On {
        answer(server, client, args);
    } else {
        answer_silently(server, client, args);
    }
    server.propagate(framing(client));
    if server.streams.replicas.is_open() {
        client.write_offset = server.replication_offset();
    }
    serve_waiting(server);
    if server.has_news() {
        server.tell_news(Some(client));
    }
    // It may be of another class now.
    client.limit_output(&server.config.output_limits);
}

/// How what the client's last command changed is told.
fn framing(client: &Client) -> Framing {
    let separate = client.last_command.is_some_and(|spec| spec.effect == Effect::Separate);
    if separate { Framing::Separate } else { Framing::Transaction }
}

/// Answers a client that has said CLIENT REPLY OFF or SKIP: it gets no replies, but what it subscribes to and messages.
fn answer_silently(server: &mut Server, client: &mut Client, args: Args<'_>) {
    if client.replies == Replies::SkipNext {
        client.replies = Replies::Skip;
    }
    let (pushed, own) = client.apart(|client| answer(server, client, args));
    // Replies::On: it was CLIENT REPLY ON. A transaction has sent what it replied behind that.
    if pushed || client.replies == Replies::On {
        client.output.open().extend_from_slice(&own.bytes);
    }
    // One that waits is still to be answered.
    if !client.waits() {
        client.end_skip();
    }
}

/// True if the reply is one that is pushed, as messages are.
fn answer(server: &mut Server, client: &mut Client, args: Args<'_>) -> bool {
    let resolved = resolve(server, client, &args);
    if !server.tracking.is_empty() {
        server.shrink_tracking(Some(client));
    }
    // What had to be evicted for this request is no part of what it changes, and the client is told before the reply.
    server.propagate(Framing::Separate);
    if server.has_news() {
        server.tell_news(Some(client));
    }
    let spec = resolved.as_ref().ok().map(|command| command.spec);
    let mut pushed = false;
    match resolved {
        Ok(command) if waits_for_unpause(server, client, command.spec, &args) => {
            client.postponed = Some(args.to_owned());
            server.pause.add(client.reference());
            return false;
        }
        Ok(command) if client.transaction.is_some() && !command.spec.is(flag::UNQUEUED) => {
            queue(client, command, &args);
        }
        Ok(command) => {
            call(server, client, args, command, &TABLE, Wait::Allowed);
            pushed = command.spec.is(flag::SUBSCRIBING);
        }
        Err(error) => refuse(server, client, &args, &error),
    }
    // CLIENT CACHING is about the next request alone, or about a whole transaction.
    if let Some(mode) = client.tracking.as_mut().filter(|mode| mode.caching)
        && spec.is_none_or(|spec| spec.parent != Some("client"))
    {
        mode.caching = client.transaction.is_some();
    }
    pushed
}

/// Replies with the error. A transaction that it belongs to fails; with EXEC itself that is at once.
fn refuse(server: &mut Server, client: &mut Client, args: &Args<'_>, error: &Error) {
    if find(server, &args[0]).is_some_and(|command| is_exec(command.spec)) {
        client.transaction = None;
        server.unwatch(client);
        let reason = error.0.strip_prefix(b"ERR ").unwrap_or(&error.0);
        let text = [b"EXECABORT Transaction discarded because of: ", reason].concat();
        return reply_error(server, client, &text);
    }
    if let Some(transaction) = &mut client.transaction {
        transaction.failed = true;
    }
    if client.closing != Closing::Now {
        reply_error(server, client, &error.0);
    }
}

/// The command that clients call by that name.
fn find(server: &Server, name: &[u8]) -> Option<&'static Command> {
    TABLE.find(server.renames.own_name(name)?)
}

/// While writes are paused, so is whatever may change something here or elsewhere: scripts, but those that say that they do
/// not, also where they would only be queued.
fn waits_for_unpause(server: &Server, client: &Client, spec: &Spec, args: &Args<'_>) -> bool {
    let may_change = |spec: &Spec, args: &Args<'_>| {
        spec.is(flag::WRITE | flag::MAY_REPLICATE) && !server.scripting.only_reads(spec.full_name, args)
    };
    match server.pause.which() {
        None => false,
        _ if client.is_replica() || client.is_primary => false,
        Some(Paused::All) => true,
        Some(Paused::Writes) => {
            let mut queued = client.transaction.iter().flat_map(|transaction| &transaction.queue);
            may_change(spec, args) || (is_exec(spec) && queued.any(|(spec, args)| may_change(spec, &args.as_args())))
        }
    }
}

fn is_exec(spec: &Spec) -> bool {
    spec.full_name == "exec"
}

/// Whether a request is of a kind, or with EXEC one of those that it runs.
fn concerns(client: &Client, spec: &Spec, kind: impl Fn(&Spec) -> bool) -> bool {
    let mut queued = client.transaction.iter().flat_map(|transaction| &transaction.queue);
    kind(spec) || (is_exec(spec) && queued.any(|(spec, _)| kind(spec)))
}

/// Serves those who wait for keys that have changed.
#[inline]
pub fn serve_waiting(server: &mut Server) {
    // Nobody sees what a script has done before it ends.
    if server.databases.observers.waiting.has_ready() && server.scripting.running.is_none() {
        serve_ready(server, &TABLE);
    }
}

fn queue(client: &mut Client, command: &Command, args: &Args<'_>) {
    if let Some(transaction) = &mut client.transaction {
        transaction.queue.push((command.spec, args.to_owned()));
    }
    client.reply().simple("QUEUED");
}

/// The command that a request names, if the client may call it in this way.
fn resolve(server: &mut Server, client: &mut Client, args: &Args<'_>) -> Result<&'static Command, Error> {
    let Some(mut command) = find(server, &args[0]) else {
        refuse_http(client, &args[0]);
        client.last_command = None;
        return Err(unknown_command(args));
    };
    client.last_command = None;
    if !command.subcommands.is_empty()
        && let Some(name) = args.get(1)
    {
        command = command.subcommand(name).ok_or_else(|| unknown_subcommand(name, &args[0]))?;
    }
    client.last_command = Some(command.spec);
    check(server, client, args, command.spec).inspect_err(|_| server.stats.calls.rejected(command.spec))?;
    Ok(command)
}

/// Whether the client may call the command in this way.
fn check(server: &mut Server, client: &Client, args: &Args<'_>, spec: &Spec) -> Outcome {
    if !spec.fits(args.len()) {
        return Err(wrong_arity(spec));
    }
    if spec.full_name == "debug" {
        server.may_debug(client)?;
    }
    if client.is_primary {
        return Ok(());
    }
    if server.needs_auth(client) && !spec.is(flag::NO_AUTH) {
        return Err(NO_AUTH.into());
    }
    if client.transaction.is_some() && spec.is(flag::NO_MULTI) {
        return Err("ERR Command not allowed inside a transaction".into());
    }
    if !client.user.is_unrestricted() {
        let origin = if client.transaction.is_some() { Origin::Transaction } else { Origin::Client };
        server.check_rights(client, spec, args, origin).map_err(|denied| denied.text(spec))?;
    }
    if server.scripting.is_busy() && !spec.is(flag::ALLOW_BUSY) {
        return Err(server.busy_error().into());
    }
    if client.subscriptions.is_some() && client.protocol == Protocol::Resp2 && !spec.is(flag::FOR_SUBSCRIBERS) {
        let name = spec.full_name;
        return Err(format!(
            "ERR Can't execute '{name}': only (P|S)SUBSCRIBE / (P|S)UNSUBSCRIBE / PING / QUIT / RESET are allowed in \
             this context"
        )
        .into());
    }
    // What a script that is running sees does not go because of others.
    if server.config.memory.max > 0 && !server.is_loading() && server.scripting.running.is_none() {
        check_memory(server, client, spec)?;
    }
    check_disk(server, client, spec)?;
    if server.is_loading() && concerns(client, spec, |spec| !spec.is(flag::LOADING)) {
        return Err(LOADING.into());
    }
    if server.is_loading_aside() && concerns(client, spec, |spec| spec.is(flag::NO_ASYNC_LOADING)) {
        return Err(LOADING.into());
    }
    if (server.replication.link.is_some() || server.config.replication.min_replicas > 0)
        && let Some(reason) = server.refuses(|kind| concerns(client, spec, kind))
    {
        return Err(reason.into());
    }
    if (client.monitors || client.is_replica()) && spec.is(flag::WRITE | flag::READONLY | flag::MAY_REPLICATE) {
        return Err("ERR Replica can't interact with the keyspace".into());
    }
    Ok(())
}

/// Makes room for what the request may add. One that only takes away is served in any case, so that clients can help.
fn check_memory(server: &mut Server, client: &Client, spec: &Spec) -> Result<(), Error> {
    if server.replication.link.is_some() && server.config.replication.ignores_max_memory {
        return Ok(());
    }
    if server.make_room() == Room::None
        && (is_queued_anew(client, spec) || concerns(client, spec, |spec| spec.is(flag::DENYOOM)))
    {
        return Err(OUT_OF_MEMORY.into());
    }
    Ok(())
}

/// Whether a request makes a transaction longer, which takes memory whatever it is.
fn is_queued_anew(client: &Client, spec: &Spec) -> bool {
    const NOT: [&str; 5] = ["exec", "discard", "multi", "quit", "reset"];
    client.transaction.is_some() && !NOT.contains(&spec.full_name)
}

/// Refuses changes that could not be kept, and PING, by which others see that something is wrong.
fn check_disk(server: &Server, client: &Client, spec: &Spec) -> Outcome {
    match server.refusal_of_writes().map(Error::from) {
        Some(refusal) if spec.full_name == "ping" || concerns(client, spec, Spec::is_write) => Err(refusal),
        _ => Ok(()),
    }
}

/// A web page can make a browser send requests here, with commands in their body. The request line and the headers
/// come first, so the connection ends before such a body is read.
fn refuse_http(client: &mut Client, name: &[u8]) {
    if name.eq_ignore_ascii_case(b"post") || name.eq_ignore_ascii_case(b"host:") {
        log(Level::Verbose, format_args!("closed a connection from {} that speaks HTTP", client.peer_addr()));
        client.closing = Closing::Now;
    }
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

fn unknown_subcommand(name: &[u8], command: &[u8]) -> Error {
    try_help("ERR unknown subcommand '", c_text(name, QUOTED_MAX), command)
}

#[cfg(test)]
#[path = "dispatch_tests.rs"]
mod tests;
