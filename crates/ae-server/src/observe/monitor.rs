//! MONITOR: clients that see every request.

use super::secrets::shown_args;
use crate::clients::client::{Client, Replies};
use crate::command::flag;
use crate::command::spec::Spec;
use crate::server::state::Server;
use resp::{Args, words};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// Shows a request of `client`, which has been answered, to those who watch. What only administrators do is not shown.
#[cold]
pub fn show(server: &mut Server, client: &mut Client, args: &Args<'_>, spec: &Spec) {
    if !spec.is(flag::SKIP_MONITOR | flag::ADMIN) {
        show_any(server, client, args, spec);
    }
}

/// Shows a request in any case.
pub fn show_any(server: &mut Server, client: &mut Client, args: &Args<'_>, spec: &Spec) {
    let from = match &client.socket_path {
        _ if server.scripting.calls() => "lua".into(),
        Some(path) => format!("unix:{path}"),
        None => client.peer_addr(),
    };
    let line = line(client.db, &from, args, spec);
    for watcher in server.monitors.clone() {
        let own = client.reference() == watcher;
        let other = if own { Some(&mut *client) } else { server.clients.get_same(watcher) };
        // Nothing comes after the reply to QUIT, nor where replies are turned off: these are like replies.
        if let Some(other) = other.filter(|other| other.is_answered() && (own || other.replies == Replies::On)) {
            other.output.open().extend_from_slice(&line);
            server.clients.wants_to_send(watcher);
        }
    }
}

/// Time, database, client and arguments, as a status reply.
fn line(db: u32, from: &str, args: &Args<'_>, spec: &Spec) -> Vec<u8> {
    let now = time(SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default());
    let mut line = format!("+{now} [{db} {from}]").into_bytes();
    for arg in shown_args(spec, args) {
        line.push(b' ');
        words::quote(&mut line, &arg);
    }
    line.extend_from_slice(b"\r\n");
    line
}

/// Unix time in seconds, with microseconds.
fn time(now: Duration) -> String {
    format!("{}.{:06}", now.as_secs(), now.subsec_micros())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_has_six_decimals() {
        assert_eq!(time(Duration::new(1_700_000_000, 42_999)), "1700000000.000042");
    }
}
