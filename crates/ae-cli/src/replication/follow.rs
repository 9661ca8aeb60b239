//! Prints what a replica is sent.

use super::snapshot::{Size, Snapshot};
use crate::format::{Style, printed};
use crate::net::{Link, LinkError};
use crate::options::Output;
use crate::output::{Stop, complain, fail, put};
use std::time::Duration;

/// Passes over the snapshot, and prints the writes after it as comma-separated values. Returns after Ctrl-C.
pub fn follow(link: &mut Link) -> Result<(), Stop> {
    let mut snapshot = Snapshot::request(link)?;
    let marked = matches!(snapshot.size, Size::Mark(_));
    match &snapshot.size {
        Size::Mark(_) => complain("SYNC with master, discarding bytes of bulk transfer until EOF marker..."),
        Size::Bytes(len) => complain(format!("SYNC with master, discarding {len} bytes of bulk transfer...")),
    }
    loop {
        match snapshot.next(link) {
            Ok(Some(_)) => {}
            Ok(None) => break,
            Err(LinkError::Interrupted) => return Ok(()),
            Err(_) => return fail("Error reading RDB payload while SYNCing"),
        }
    }
    let note = if marked { format!(" after {} bytes", snapshot.taken) } else { String::new() };
    complain(format!("SYNC done{note}. Logging commands from master."));
    if marked && !start(link)? {
        return Ok(());
    }
    let style = Style { output: Output::Csv, element_end: b"", reply_end: b"" };
    loop {
        match link.receive() {
            Ok(reply) => put(printed(&reply, &style))?,
            Err(error) => return ended(error),
        }
    }
}

/// Before it sends more, the primary waits for a sign of life. One that comes before it has noticed itself that the
/// snapshot is over is lost: so there is one a second, until something arrives. False after Ctrl-C.
fn start(link: &mut Link) -> Result<bool, Stop> {
    complain("sending REPLCONF ACK 0");
    loop {
        link.queue(&["REPLCONF", "ACK", "0"]);
        match link.flush().and_then(|()| link.fill(Some(ACKNOWLEDGE_EVERY))) {
            Ok(()) if link.has_bytes() => return Ok(true),
            Ok(()) => {}
            Err(error) => return ended(error).map(|()| false),
        }
    }
}

const ACKNOWLEDGE_EVERY: Duration = Duration::from_secs(1);

fn ended(error: LinkError) -> Result<(), Stop> {
    match error {
        LinkError::Interrupted => Ok(()),
        error => fail(format!("Error: {error}")),
    }
}
