//! `--rdb`, `--functions-rdb` and `--replica`.

use crate::output::{Stop, complain, fail, put};
use crate::replication::{self, Size, Snapshot, announce, configure};
use crate::session::Session;
use crate::text::system_error;
use std::fs::File;
use std::io::{self, Write};
use std::path::Path;

/// Prints what a replica is sent.
pub fn replica(session: &mut Session) -> Result<(), Stop> {
    let link = session.require()?;
    announce(link)?;
    configure(link, "rdb-filter-only", "")?;
    replication::follow(link)
}

/// Writes a snapshot into a file, or to standard output if that is called `-`.
pub fn rdb(session: &mut Session, path: &Path, functions_only: bool) -> Result<(), Stop> {
    let link = session.require()?;
    announce(link)?;
    configure(link, "rdb-only", "1")?;
    if functions_only && !configure(link, "rdb-filter-only", "functions")? {
        return fail("Failed requesting functions only RDB from server, aborting");
    }
    let mut snapshot = Snapshot::request(link)?;
    let name = path.display();
    let marked = matches!(snapshot.size, Size::Mark(_));
    match &snapshot.size {
        Size::Mark(_) => {
            complain(format!("SYNC sent to master, writing bytes of bulk transfer until EOF marker to '{name}'"))
        }
        Size::Bytes(len) => complain(format!("SYNC sent to master, writing {len} bytes to '{name}'")),
    }
    let mut file = if path == "-" {
        None
    } else {
        let opened = File::create(path);
        Some(opened.or_else(|error| fail(format!("Error opening '{name}': {}", system_error(&error))))?)
    };
    while let Some(bytes) = snapshot.next(link).or_else(|_| fail("I/O Error reading RDB payload from socket"))? {
        match &mut file {
            None => put(&bytes)?,
            Some(file) => written(file.write_all(&bytes))?,
        }
    }
    if marked {
        complain(format!("Transfer finished with success after {} bytes", snapshot.taken));
    } else {
        complain("Transfer finished with success.");
    }
    match file.map(|file| file.sync_all()) {
        Some(Err(error)) => fail(format!("Fail to fsync '{name}': {}", system_error(&error))),
        _ => Ok(()),
    }
}

fn written(result: io::Result<()>) -> Result<(), Stop> {
    result.or_else(|error| fail(format!("Error writing data to file: {}", system_error(&error))))
}
