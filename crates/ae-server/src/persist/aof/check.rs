//! Looks into an append-only file without a server, and cuts it, as redis-check-aof does.

use super::disk::Disk;
use super::manifest::Manifest;
use super::records::{Fault, Record, Records};
use crate::persist::check as rdb_check;
use rdb::{FileReader, Item, Limits};
use std::fs::{self, File};
use std::io::{Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

/// What is to be done beside looking.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Repair {
    Nothing,
    /// What is wrong in the last file is cut off, with all behind it.
    Fix,
    /// What happened later than in this second of Unix time is cut off.
    CutAt(i64),
}

/// Whom it tells, and whom it asks.
pub trait Operator {
    fn say(&mut self, text: &str);
    /// Whether to go on.
    fn confirm(&mut self, text: &str) -> bool;
}

/// One file, as far as it was read.
struct Found {
    len: u64,
    /// How much of it is in order.
    good: u64,
    wrong: Option<String>,
    /// Where what is later than the given second begins.
    later: Option<u64>,
}

/// Checks a manifest's files, or a single one; `now` is in Unix milliseconds. The error says what is wrong and stays so.
pub fn check(path: &Path, repair: Repair, now: i64, operator: &mut dyn Operator) -> Result<(), String> {
    let start = start(path).map_err(|error| format!("Cannot open file {}: {error}", path.display()))?;
    let is_manifest = start
        .split(|c| *c == b'\n')
        .find(|line| !line.starts_with(b"#"))
        .is_some_and(|line| line.trim_ascii_start().to_ascii_lowercase().starts_with(b"file "));
    if !is_manifest {
        operator.say("Start checking Old-Style AOF");
        return check_file(path, true, repair, now, operator);
    }
    operator.say("Start checking Multi Part AOF");
    let text = fs::read(path).map_err(|error| format!("Cannot open file {}: {error}", path.display()))?;
    let manifest = Manifest::parse(&text).map_err(|fault| format!("{}: {fault}", path.display()))?;
    let folder = path.parent().unwrap_or(Path::new("."));
    let files: Vec<PathBuf> = manifest.files().map(|entry| folder.join(&entry.name)).collect();
    for (at, file) in files.iter().enumerate() {
        check_file(file, at + 1 == files.len(), repair, now, operator)?;
    }
    operator.say("All AOF files and manifest are valid");
    Ok(())
}

/// How a file begins.
fn start(path: &Path) -> std::io::Result<Vec<u8>> {
    let mut start = Vec::new();
    File::open(path)?.take(1024).read_to_end(&mut start)?;
    Ok(start)
}

fn check_file(path: &Path, is_last: bool, repair: Repair, now: i64, operator: &mut dyn Operator) -> Result<(), String> {
    let shown = path.display();
    let until = if let Repair::CutAt(second) = repair { Some(second) } else { None };
    let found = read(path, until, now, operator)?;
    if found.len == 0 {
        operator.say(&format!("AOF {shown} is empty"));
        return Ok(());
    }
    if let (Some(at), Some(second)) = (found.later, until) {
        if !is_last {
            return Err(format!(
                "Failed to truncate AOF {shown} to timestamp {second} at offset {at} because it is not the last file: take \
                 the files behind it out of the manifest first"
            ));
        }
        if at == 0 {
            return Err(format!("AOF {shown} has nothing before timestamp {second}, aborting..."));
        }
        cut(path, at)?;
        operator.say(&format!("Successfully truncated AOF {shown} to timestamp {second}"));
        return Ok(());
    }
    let Found { len, good, wrong, .. } = found;
    let diff = len - good;
    if let Some(wrong) = &wrong {
        operator.say(wrong);
    }
    operator.say(&format!("AOF analyzed: filename={shown}, size={len}, ok_up_to={good}, diff={diff}"));
    match (wrong, repair) {
        (None, _) => operator.say(&format!("AOF {shown} is valid")),
        (Some(_), Repair::Fix) if is_last => {
            let starts_as_requests = |start: Vec<u8>| start.first().is_some_and(|first| b"*#".contains(first));
            if good == 0 && !start(path).is_ok_and(starts_as_requests) {
                return Err(format!("AOF {shown} is no append-only file. It stays as it is."));
            }
            let ask = format!("This will shrink the AOF {shown} from {len} bytes, with {diff} bytes, to {good} bytes");
            if !operator.confirm(&ask) {
                return Err("Aborting...".into());
            }
            cut(path, good)?;
            operator.say(&format!("Successfully truncated AOF {shown}"));
        }
        (Some(_), Repair::Fix) => {
            return Err(format!("Failed to truncate AOF {shown} because it is not the last file"));
        }
        (Some(_), _) => return Err(format!("AOF {shown} is not valid. Use the --fix option to try fixing it.")),
    }
    Ok(())
}

fn cut(path: &Path, len: u64) -> Result<(), String> {
    Disk::default().cut(path, len).map_err(|error| format!("Failed to truncate AOF {}: {error}", path.display()))
}

/// Reads a file up to its end, to what is wrong, or to what is later.
fn read(path: &Path, until: Option<i64>, now: i64, operator: &mut dyn Operator) -> Result<Found, String> {
    let failed = |error: std::io::Error| format!("Cannot open file {}: {error}", path.display());
    let mut file = File::open(path).map_err(failed)?;
    let len = file.metadata().map_err(failed)?.len();
    let mut records = if rdb::is_start(&start(path).map_err(failed)?) {
        let (report, ok) = rdb_check::check(path, now);
        operator.say(report.trim_end());
        if !ok {
            return Err(format!("RDB preamble of AOF file {} is not sane, aborting.", path.display()));
        }
        operator.say("RDB preamble is OK, proceeding with AOF tail...");
        file.seek(SeekFrom::Start(0)).map_err(failed)?;
        let mut reader = FileReader::new(file, Limits::default());
        while !matches!(reader.next().map_err(|error| error.to_string())?, Item::End) {}
        let at = reader.offset();
        let (rest, file) = reader.into_rest();
        Records::new(file, at, rest, len - at)
    } else {
        Records::new(file, 0, Vec::new(), len)
    };
    // Where the transaction that has not ended began.
    let mut open: Option<u64> = None;
    loop {
        let at = records.offset();
        let found = |good, wrong, later| Ok(Found { len, good, wrong, later });
        match records.next() {
            Ok(Some(Record::Request(args))) => {
                let name = args[0].to_ascii_lowercase();
                match (name.as_slice(), open) {
                    (b"multi", Some(begun)) => {
                        return found(begun, Some(format!("Unexpected MULTI in AOF at offset {at}")), None);
                    }
                    (b"multi", None) => open = Some(at),
                    (b"exec", None) => return found(at, Some(format!("Unexpected EXEC in AOF at offset {at}")), None),
                    (b"exec" | b"discard", Some(_)) => open = None,
                    _ => {}
                }
            }
            Ok(Some(Record::Timestamp(second))) if until.is_some_and(|until| second > until) => {
                return found(at, None, Some(open.unwrap_or(at)));
            }
            Ok(Some(_)) => {}
            Ok(None) => {
                let wrong = open.map(|begun| format!("Reached EOF before reading EXEC for MULTI at offset {begun}"));
                return found(open.unwrap_or(len), wrong, None);
            }
            Err(Fault::Read(error)) => return Err(failed(error)),
            Err(fault) => return found(open.unwrap_or(at), Some(fault.to_string()), None),
        }
    }
}

#[cfg(test)]
#[path = "check_tests.rs"]
mod tests;
