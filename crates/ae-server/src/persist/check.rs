//! Looks into an RDB file without a server, as redis-check-rdb does.

use rdb::{Error, FileReader, Item, Limits};
use std::fmt::Write;
use std::fs::File;
use std::path::Path;
use store::has_expired;

/// What was found, for people, and whether the file is in order. `now` is in Unix milliseconds.
pub fn check(path: &Path, now: i64) -> (String, bool) {
    let mut report = format!("[offset 0] Checking RDB file {}\n", path.display());
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) => {
            let _ = writeln!(report, "Cannot open file: {error}");
            return (report, false);
        }
    };
    let mut counts = Counts::default();
    let mut reader = FileReader::new(file, Limits::default());
    let result = read(&mut reader, &mut report, &mut counts, now);
    // Writing into a string does not fail.
    match &result {
        Ok(()) => _ = writeln!(report, "[offset {}] \\o/ RDB looks OK! \\o/", reader.offset()),
        Err(error) => {
            let _ = write!(report, "--- RDB ERROR DETECTED ---\n[offset {}] {}\n", error.offset, error.fault);
            if let Some(key) = counts.last_key {
                let _ = writeln!(report, "[additional info] The last key that could be read: '{}'", key.escape_ascii());
            }
        }
    }
    let Counts { keys, expires, expired, .. } = counts;
    let _ = write!(report, "[info] {keys} keys read\n[info] {expires} expires\n[info] {expired} already expired\n");
    if reader.empty() > 0 {
        let _ = writeln!(report, "[info] {} without any elements, left out", reader.empty());
    }
    (report, result.is_ok())
}

#[derive(Default)]
struct Counts {
    keys: u64,
    expires: u64,
    expired: u64,
    last_key: Option<Box<[u8]>>,
}

fn read(reader: &mut FileReader<File>, report: &mut String, counts: &mut Counts, now: i64) -> Result<(), Error> {
    loop {
        let item = reader.next()?;
        let offset = reader.offset();
        let _ = match item {
            Item::Aux(name, value) => {
                let (name, value) = (name.escape_ascii(), value.escape_ascii());
                writeln!(report, "[offset {offset}] AUX FIELD {name} = '{value}'")
            }
            Item::Function(_) => writeln!(report, "[offset {offset}] A library of functions"),
            Item::Database(number) => writeln!(report, "[offset {offset}] Selecting DB ID {number}"),
            Item::Sizes { .. } => Ok(()),
            Item::Entry(entry) => {
                counts.keys += 1;
                counts.expires += u64::from(entry.deadline.is_some());
                counts.expired += u64::from(entry.deadline.is_some_and(|at| has_expired(at, now)));
                counts.last_key = Some(entry.key);
                Ok(())
            }
            Item::End if reader.version() < 5 => {
                let version = reader.version();
                return told(writeln!(report, "[offset {offset}] RDB version {version} has no checksum"));
            }
            Item::End if reader.has_checksum() => return told(writeln!(report, "[offset {offset}] Checksum OK")),
            Item::End => return told(writeln!(report, "[offset {offset}] RDB file was saved with checksum disabled")),
        };
    }
}

fn told(_: std::fmt::Result) -> Result<(), Error> {
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use rdb::{Entry, FileOptions, FileWriter};
    use store::{StringValue, Value};

    fn checked(bytes: &[u8]) -> (String, bool) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        std::fs::write(&path, bytes).unwrap();
        let (report, ok) = check(&path, 1000);
        let (first, rest) = report.split_once('\n').unwrap();
        assert_eq!(first, format!("[offset 0] Checking RDB file {}", path.display()));
        (rest.into(), ok)
    }

    #[test]
    fn a_file_in_order_and_one_that_is_not() {
        let mut writer = FileWriter::new(FileOptions::default());
        writer.aux(b"redis-ver", b"7.0.15");
        writer.database(0, 2, 2);
        let value = Value::from(StringValue::new(b"v"));
        for at in [999, 1000] {
            let key = at.to_string();
            writer.entry(&Entry { key: key.as_bytes(), value: value.view(), deadline: Some(at), usage: None });
        }
        writer.finish();
        let mut bytes = writer.take();
        let (report, ok) = checked(&bytes);
        let lines = [
            "[offset 27] AUX FIELD redis-ver = '7.0.15'",
            "[offset 29] Selecting DB ID 0",
            "[offset 71] Checksum OK",
            "[offset 71] \\o/ RDB looks OK! \\o/",
            "[info] 2 keys read",
            "[info] 2 expires",
            "[info] 1 already expired",
        ];
        assert_eq!((report.lines().collect::<Vec<_>>(), ok), (lines.to_vec(), true));
        bytes.truncate(55);
        let (report, ok) = checked(&bytes);
        let lines = [
            "--- RDB ERROR DETECTED ---",
            "[offset 48] unexpected end",
            "[additional info] The last key that could be read: '999'",
            "[info] 1 keys read",
        ];
        assert_eq!((report.lines().skip(2).take(4).collect::<Vec<_>>(), ok), (lines.to_vec(), false));
    }

    #[test]
    fn files_have_a_checksum_from_version_5_on() {
        let mut writer = FileWriter::new(FileOptions { checksum: false, ..FileOptions::default() });
        writer.finish();
        let bytes = writer.take();
        for (version, said) in [(4, "RDB version 4 has no checksum"), (5, "RDB file was saved with checksum disabled")]
        {
            let (report, ok) = checked(&[format!("REDIS000{version}").as_bytes(), &bytes[9..]].concat());
            assert!(ok && report.lines().next().unwrap().ends_with(said), "{report}");
        }
    }

    #[test]
    fn no_file() {
        let (report, ok) = check(Path::new("/nosuch/file"), 0);
        assert!(report.ends_with("Cannot open file: No such file or directory (os error 2)\n") && !ok, "{report}");
    }
}
