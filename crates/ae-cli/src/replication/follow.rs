//! Prints what a replica is sent.

use super::snapshot::{Size, Snapshot};
use crate::format::{Style, printed};
use crate::net::{Link, LinkError};
use crate::options::Output;
use crate::output::{Stop, complain, fail, put};

/// Passes over the snapshot, and prints the writes after it as comma-separated values. Returns after Ctrl-C.
pub fn follow(link: &mut Link) -> Result<(), Stop> {
    let mut snapshot = Snapshot::request(link)?;
    let marked = matches!(snapshot.size, Size::Mark(_));
    match &snapshot.size {
        Size::Mark(_) => complain("SYNC with master, discarding bytes of bulk transfer until EOF marker..."),
        Size::Bytes(len) => complain(format!("SYNC with master, discarding {len} bytes of bulk transfer...")),
    }
    while snapshot.next(link).or_else(|_| fail("Error reading RDB payload while SYNCing"))?.is_some() {}
    if marked {
        complain(format!("SYNC done after {} bytes. Logging commands from master.", snapshot.taken));
        // The primary waits for a sign of life before it sends more.
        acknowledge(link)?;
    } else {
        complain("SYNC done. Logging commands from master.");
    }
    let style = Style { output: Output::Csv, element_end: b"", reply_end: b"" };
    loop {
        match link.receive() {
            Ok(reply) => put(printed(&reply, &style))?,
            Err(LinkError::Interrupted) => return Ok(()),
            Err(error) => return fail(format!("Error: {error}")),
        }
    }
}

fn acknowledge(link: &mut Link) -> Result<(), Stop> {
    complain("sending REPLCONF ACK 0");
    link.queue(&["REPLCONF", "ACK", "0"]);
    link.flush().or_else(|error| fail(format!("Error: {error}")))
}
