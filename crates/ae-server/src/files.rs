//! The limit on open files, which is one on clients.

use crate::log::{Level, log};
use rlimit::Resource;

/// Descriptors, of those that the limit allows, that are kept from the clients.
const OWN_DESCRIPTORS: u64 = 32;

/// Raises the limit as far as `clients` need it, and connections in their `handshakes` beside them; returns how many
/// clients there is room for.
pub fn make_room(clients: u32, handshakes: usize) -> Result<u32, String> {
    let Ok((soft, hard)) = Resource::NOFILE.get() else {
        return Ok(clients);
    };
    let wanted = u64::from(clients) + handshakes as u64 + OWN_DESCRIPTORS;
    if soft >= wanted {
        return Ok(clients);
    }
    // Above the hard limit only for the privileged.
    let raised = Resource::NOFILE.set(wanted, hard.max(wanted)).or_else(|_| {
        let most = wanted.min(hard);
        Resource::NOFILE.set(most, hard)
    });
    let limit = Resource::NOFILE.get_soft().unwrap_or(soft);
    if limit >= wanted {
        return Ok(clients);
    }
    let reason = raised.err().map_or_else(|| "hard limit".into(), |error| error.to_string());
    // If it must be, at the cost of handshakes, but half of what there is stays for clients.
    let room = limit.saturating_sub(OWN_DESCRIPTORS);
    let room = room.saturating_sub(handshakes as u64).max(room / 2).min(clients.into()) as u32;
    if room == 0 {
        return Err(format!("the limit of {limit} open files leaves no room for clients ({reason})"));
    }
    if room == clients {
        return Ok(clients);
    }
    log(
        Level::Warning,
        format_args!(
            "the limit of {limit} open files cannot be raised ({reason}): maxclients is {room}, not {clients}"
        ),
    );
    Ok(room)
}
