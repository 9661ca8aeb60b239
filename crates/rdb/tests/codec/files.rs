//! Whole files: round trips, pieces, faults, and redis-server's.

use crate::recipe::{Recipe, content, recipes};
use proptest::prelude::*;
use proptest::test_runner::{Config, TestCaseError, TestRunner};
use rdb::{Compression, Entry, Error, FileOptions, FileReader, FileWriter, Item, Limits, ReadEntry, Usage};
use std::collections::BTreeMap;
use std::io::{self, Read};
use testkit::{Client, redis_server};

/// A database's number, a key, what it holds, when it expires, and what is said of its uses.
type Row = (u64, Vec<u8>, Recipe, Option<i64>, Option<Usage>);

fn usages() -> impl Strategy<Value = Option<Usage>> {
    prop_oneof![
        Just(None),
        any::<u32>().prop_map(|seconds| Some(Usage::Idle(seconds.into()))),
        any::<u8>().prop_map(|frequency| Some(Usage::Frequency(frequency))),
    ]
}

/// Entries, each key once in a database. None has expired.
fn rows(largest: usize) -> impl Strategy<Value = Vec<Row>> {
    const LATE: std::ops::Range<i64> = 4_000_000_000_000..5_000_000_000_000;
    let keys = prop::collection::vec(prop_oneof![0u8..3, any::<u8>()], 0..30);
    let row = (0u64..4, keys, recipes(largest), prop::option::of(LATE), usages());
    prop::collection::vec(row, 0..12).prop_map(|mut rows| {
        let mut seen = std::collections::BTreeSet::new();
        rows.retain(|(db, key, ..)| seen.insert((*db, key.clone())));
        rows
    })
}

fn written(rows: &[Row], options: FileOptions) -> Vec<u8> {
    let mut writer = FileWriter::new(options);
    writer.aux(b"redis-ver", b"7.0.15");
    writer.aux(b"ctime", b"1700000000");
    for db in 0..4 {
        let own = || rows.iter().filter(move |row| row.0 == db);
        if own().next().is_some() {
            writer.database(db, own().count() as u64, own().filter(|row| row.3.is_some()).count() as u64);
        }
        for (_, key, recipe, deadline, usage) in own() {
            let value = recipe.value(&Limits::default());
            writer.entry(&Entry { key, value: value.view(), deadline: *deadline, usage: *usage });
        }
    }
    writer.finish();
    writer.take()
}

/// What a file says, by database and key.
type Content = BTreeMap<(u64, Vec<u8>), (String, Option<i64>, Option<Usage>)>;

fn expected(rows: &[Row]) -> Content {
    let entry = |(db, key, recipe, deadline, usage): &Row| {
        let value = recipe.value(&Limits::default());
        ((*db, key.clone()), (format!("{:?}", content(&value)), *deadline, *usage))
    };
    rows.iter().map(entry).collect()
}

fn read(input: impl Read) -> Result<Content, Error> {
    let mut reader = FileReader::new(input, Limits::default());
    let (mut db, mut all) = (0, Content::new());
    loop {
        match reader.next()? {
            Item::Database(number) => db = number,
            Item::Entry(ReadEntry { key, value, deadline, usage, .. }) => {
                all.insert((db, key.into()), (format!("{:?}", content(&value)), deadline, usage));
            }
            Item::End => return Ok(all),
            Item::Aux(..) | Item::Function(_) | Item::Sizes { .. } => {}
        }
    }
}

/// Input that comes in pieces.
struct Pieces<'a> {
    bytes: &'a [u8],
    sizes: std::iter::Cycle<std::vec::IntoIter<usize>>,
}

impl Read for Pieces<'_> {
    fn read(&mut self, room: &mut [u8]) -> io::Result<usize> {
        let size = self.sizes.next().unwrap_or(1).min(room.len());
        self.bytes.read(&mut room[..size])
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn what_is_written_is_read(
        rows in rows(40),
        lzf: bool,
        checksum: bool,
        sizes in prop::collection::vec(1usize..300, 1..8),
    ) {
        let compression = if lzf { Compression::Lzf } else { Compression::Off };
        let bytes = written(&rows, FileOptions { compression, checksum });
        let pieces = Pieces { bytes: &bytes, sizes: sizes.into_iter().cycle() };
        prop_assert_eq!(read(pieces), Ok(expected(&rows)));
    }

    #[test]
    fn no_changed_byte_goes_unnoticed(rows in rows(10), at: prop::sample::Index, bit in 0u8..8) {
        let mut bytes = written(&rows, FileOptions::default());
        let at = at.index(bytes.len());
        bytes[at] ^= 1 << bit;
        // Of a version without checksum, or one that reads other things, anything may come out, but no panic.
        let result = read(&bytes[..]);
        prop_assert!(result.is_err() || at < 9, "{at}");
    }

    #[test]
    fn no_missing_byte_goes_unnoticed(rows in rows(10), at: prop::sample::Index) {
        let bytes = written(&rows, FileOptions::default());
        let error = read(&bytes[..at.index(bytes.len())]).unwrap_err();
        prop_assert!(error.offset <= at.index(bytes.len()) as u64);
    }

    #[test]
    fn random_bytes_do_no_harm(bytes: Vec<u8>) {
        let _ = read(&[b"REDIS0010", &bytes[..]].concat()[..]);
    }
}

/// Entries of every type, with the length of each of them told as more than there can be.
#[test]
fn lengths_cost_no_memory() {
    for code in 0..=255u8 {
        for prefix in [&[code][..], &[code, 1, b'k'], &[code, 1, b'k', 1, b'x'], &[code, 1, b'k', 2, b'x']] {
            let huge = b"\x81\x7f\xff\xff\xff\xff\xff\xff\xff";
            let bytes = [b"REDIS0010", prefix, huge, huge, b"abc"].concat();
            assert!(read(&bytes[..]).is_err(), "{code}");
        }
    }
}

/// What redis-server has, as a digest of its own.
fn digest(client: &mut Client) -> Vec<u8> {
    client.ask(&["DEBUG", "DIGEST"])
}

#[test]
fn functions_are_written_and_read() {
    let mut writer = FileWriter::new(FileOptions::default());
    writer.function(b"#!lua name=one");
    writer.function(b"#!lua name=other");
    writer.finish();
    let bytes = writer.take();
    let mut reader = FileReader::new(&bytes[..], Limits::default());
    for source in [b"#!lua name=one".as_slice(), b"#!lua name=other"] {
        assert!(matches!(reader.next(), Ok(Item::Function(found)) if found[..] == *source));
    }
    assert!(matches!(reader.next(), Ok(Item::End)));
}

#[test]
fn files_of_and_for_redis() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("dump.rdb");
    let dir = folder.path().to_str().unwrap();
    let Some(server) = redis_server(&["--dir", dir, "--enable-debug-command", "yes"]) else { return };
    let client = std::cell::RefCell::new(server.connect());
    let check = |rows: Vec<Row>| {
        let client = &mut client.borrow_mut();
        assert_eq!(client.ask(&["FLUSHALL"]), b"+OK");
        for (db, key, recipe, deadline, _) in &rows {
            assert_eq!(client.ask(&["SELECT", &db.to_string()]), b"+OK");
            for request in recipe.requests(key) {
                client.ask(&request);
            }
            if let Some(at) = deadline {
                client.ask(&[&b"PEXPIREAT"[..], key, at.to_string().as_bytes()]);
            }
        }
        // What Redis writes is what is meant.
        prop_assert_eq!(client.ask(&["SAVE"]), b"+OK");
        let mut theirs = read(std::fs::File::open(&path).unwrap()).map_err(|e| TestCaseError::fail(e.to_string()))?;
        theirs.values_mut().for_each(|(_, _, usage)| *usage = None);
        let mut meant = expected(&rows);
        meant.values_mut().for_each(|(_, _, usage)| *usage = None);
        if !rows.iter().any(|row| matches!(row.2, Recipe::Stream(_))) {
            prop_assert_eq!(&theirs, &meant);
        }
        // And what is written here Redis reads as the same.
        let before = digest(client);
        for compression in [Compression::Lzf, Compression::Off] {
            if rows.iter().any(|row| matches!(row.2, Recipe::Stream(_))) {
                break;
            }
            std::fs::write(&path, written(&rows, FileOptions { compression, checksum: true })).unwrap();
            prop_assert_eq!(client.ask(&["DEBUG", "RELOAD", "NOSAVE"]), b"+OK");
            prop_assert_eq!(digest(client), before.clone());
        }
        Ok(())
    };
    let mut runner = TestRunner::new(Config { cases: 40, max_shrink_iters: 50, ..Config::with_source_file(file!()) });
    runner.run(&rows(200), check).unwrap_or_else(|error| panic!("{error}"));
}
