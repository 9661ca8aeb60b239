use super::*;
use crate::observe::digest::Digest;
use crate::testing::Session;
use proptest::prelude::*;
use rdb::{FileOptions, FileReader, Item, Limits};
use std::collections::BTreeMap;
use store::ValueRef;

/// What there is: by database and key, a digest of the value, and when it expires.
type State = BTreeMap<(u64, Vec<u8>), (String, Option<i64>)>;

fn digest(value: ValueRef<'_>) -> String {
    format!("{}: {}", value.type_name(), Digest::of_value(Some((value, false))).to_hex())
}

fn state(databases: &Databases) -> State {
    let mut all = State::new();
    for (db, keyspace) in databases.iter().enumerate() {
        for id in keyspace.ids() {
            let digest = digest(keyspace.value(id).unwrap());
            all.insert((db as u64, keyspace.key(id).to_vec()), (digest, keyspace.deadline(id)));
        }
    }
    all
}

/// What a file says. A key that is there twice fails.
fn content(file: &[u8]) -> State {
    let mut reader = FileReader::new(file, Limits::default());
    let (mut db, mut all, mut sizes) = (0, State::new(), BTreeMap::new());
    loop {
        match reader.next().unwrap() {
            Item::Database(number) => db = number,
            Item::Sizes { keys, volatile } => assert_eq!(sizes.insert(db, (keys, volatile)), None),
            Item::Entry(entry) => {
                let old = all.insert((db, entry.key.to_vec()), (digest(entry.value.view()), entry.deadline));
                assert!(old.is_none(), "{db} {:?} is there twice", entry.key);
            }
            Item::End => break,
            Item::Aux(..) | Item::Function(_) => {}
        }
    }
    for (db, (keys, volatile)) in sizes {
        let own = || all.iter().filter(|((number, _), _)| *number == db);
        assert_eq!(
            (keys, volatile),
            (own().count() as u64, own().filter(|(_, value)| value.1.is_some()).count() as u64)
        );
    }
    all
}

const LONG: Duration = Duration::from_secs(1000);

/// Everything that a request can do to a key, with `K` and `L` as keys and `D` as a database.
const REQUESTS: [&str; 61] = [
    "SET K 1",
    "SET K abc EX 1000",
    "SET K abc KEEPTTL",
    "SETEX K 100 x",
    "GETSET K 2",
    "GETDEL K",
    "GETEX K PERSIST",
    "APPEND K abc",
    "SETRANGE K 3 x",
    "INCR K",
    "INCRBYFLOAT K 1.5",
    "SETBIT K 9 1",
    "BITFIELD K SET u8 0 7",
    "BITOP NOT K L",
    "MSET K 1 L 2",
    "DEL K",
    "UNLINK K L",
    "EXPIRE K 100",
    "PEXPIREAT K 5000000000000",
    "EXPIRE K 0",
    "PERSIST K",
    "RENAME K L",
    "RENAMENX K L",
    "COPY K L REPLACE",
    "COPY K L DB D REPLACE",
    "MOVE K D",
    "SWAPDB 0 D",
    "SELECT D",
    "FLUSHDB",
    "LPUSH K a b c",
    "RPUSH K 1 2",
    "LPOP K",
    "RPOP K 2",
    "LSET K 0 z",
    "LTRIM K 1 2",
    "LINSERT K BEFORE a x",
    "LMOVE K L LEFT RIGHT",
    "SORT K ALPHA STORE L",
    "SADD K a b 1",
    "SREM K a",
    "SPOP K",
    "SMOVE K L a",
    "SUNIONSTORE K K L",
    "HSET K f v g w",
    "HDEL K f",
    "HINCRBY K n 5",
    "ZADD K 1 a 2 b",
    "ZINCRBY K 5 a",
    "ZPOPMIN K",
    "ZRANGESTORE L K 0 -1",
    "PFADD K a b",
    "PFMERGE K L",
    "GEOADD K 13.3 38.1 a",
    "XADD K * f v",
    "XTRIM K MAXLEN 1",
    "XGROUP CREATE K g $ MKSTREAM",
    "XGROUP CREATECONSUMER K g c",
    "XREADGROUP GROUP g d STREAMS K >",
    "RPUSH K 1 22 333 4444 55555 666666 7777777 88888888 999999999",
    "SADD K 1 22 333 4444 55555 666666 7777777 88888888 999999999",
    "ZADD K 1 a 2 bb 3 ccc 4 dddd 5 eeeee 6 ffffff 7 ggggggg 8 hhhhhhhh 9 iiiiiiiii",
];

/// Has collections of a few elements be large: they are written in portions.
const LARGE_SOON: [&str; 5] = [
    "CONFIG SET list-max-listpack-size 1",
    "CONFIG SET set-max-intset-entries 0",
    "CONFIG SET hash-max-listpack-entries 0",
    "CONFIG SET zset-max-listpack-entries 0",
    "CONFIG SET stream-node-max-entries 1",
];

fn request() -> impl Strategy<Value = String> {
    (prop::sample::select(&REQUESTS[..]), 0..12u8, 0..12u8, 0..4u8).prop_map(|(request, key, other, db)| {
        let words = request.split(' ').map(|word| match word {
            "K" => format!("k{key}"),
            "L" => format!("k{other}"),
            "D" => db.to_string(),
            word => word.into(),
        });
        words.collect::<Vec<_>>().join(" ")
    })
}

/// What happens between two slices of the snapshot.
#[derive(Clone, Debug)]
enum Step {
    Request(String),
    /// Time passes, and keys expire.
    Wait(i64),
    Evict,
    /// So many entries are written, or about so many bytes.
    Slice(u64),
    Bytes(usize),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        12 => request().prop_map(Step::Request),
        1 => (1..200_000i64).prop_map(Step::Wait),
        1 => Just(Step::Evict),
        2 => (0..4u64).prop_map(Step::Slice),
        4 => (1..200usize).prop_map(Step::Bytes),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    /// The file has what there was when the snapshot began, whatever happened while it was written.
    #[test]
    fn a_snapshot_is_of_one_moment(
        before in prop::collection::vec(request(), 0..60),
        meanwhile in prop::collection::vec(step(), 0..60),
        is_large_soon: bool,
    ) {
        let mut session = Session::new();
        LARGE_SOON.iter().filter(|_| is_large_soon).for_each(|line| assert_eq!(session.run(line), "+OK"));
        for request in before {
            session.run(&request);
        }
        let at_start = state(&session.server.databases);
        let now = session.server.now;
        session.server.databases.begin_snapshot(FileWriter::new(FileOptions::default()), Noted::Idle, now);
        let mut file = Vec::new();
        for step in meanwhile {
            match step {
                Step::Request(request) => drop(session.run(&request)),
                Step::Wait(time) => {
                    session.wait(time);
                    session.server.expire();
                }
                Step::Evict => {
                    let now = session.server.now;
                    let policy = crate::config::choices::Policy::AllkeysRandom;
                    if let Some(evicted) = session.server.databases.evict_one(policy, 5, now) {
                        session.server.databases.tell_evicted(evicted);
                    }
                }
                Step::Slice(entries) => _ = session.server.databases.step_snapshot(LONG, usize::MAX, entries),
                Step::Bytes(bytes) => {
                    file.extend(session.server.databases.take_snapshot_bytes().0);
                    session.server.databases.step_snapshot(LONG, bytes, u64::MAX);
                }
            }
        }
        while !session.server.databases.step_snapshot(LONG, usize::MAX, 3) {}
        file.extend(session.server.databases.take_snapshot_bytes().0);
        session.server.databases.end_snapshot();
        prop_assert_eq!(content(&file), at_start);
    }
}

#[test]
fn a_slice_is_bounded() {
    let mut session = Session::new();
    session.run("DEBUG POPULATE 10000");
    let databases = &mut session.server.databases;
    databases.begin_snapshot(FileWriter::new(FileOptions::default()), Noted::Nothing, 0);
    assert!(!databases.step_snapshot(LONG, 1000, u64::MAX));
    let pending = databases.snapshot_pending();
    assert!((1000..1100).contains(&pending), "{pending}");
    assert!(!databases.step_snapshot(LONG, 1000, u64::MAX));
    assert_eq!(databases.snapshot_pending(), pending, "it goes on only when bytes have been taken away");
    databases.take_snapshot_bytes();
    assert!(!databases.step_snapshot(Duration::ZERO, usize::MAX, u64::MAX));
    assert_eq!(databases.snapshot_pending(), 0);
    assert!(databases.step_snapshot(LONG, usize::MAX, u64::MAX));
    let progress = databases.snapshot_progress().unwrap();
    assert_eq!((progress.entries, progress.total), (10_000, 10_000));
}

/// A value of each type that is much larger than a slice, in a database of its own.
fn large_values() -> Session {
    let mut session = Session::new();
    for (db, (request, words)) in
        [("RPUSH k", 1), ("SADD k", 1), ("HSET k", 2), ("ZADD k", 2), ("XADD k * f", 1), ("", 0)]
            .into_iter()
            .enumerate()
    {
        session.run(&format!("SELECT {db}"));
        match words {
            0 => _ = session.request(&[b"SET".to_vec(), b"k".to_vec(), vec![b'x'; 1_200_000]]),
            1 if request.starts_with('X') => {
                (0..400).for_each(|i| _ = session.run(&format!("{request} {i:01000}")));
                session.run("XGROUP CREATE k g 0");
                session.run("XREADGROUP GROUP g one COUNT 300 STREAMS k >");
                session.run("XREADGROUP GROUP g two STREAMS k >");
            }
            _ => {
                let elements: Vec<String> = (0..2000 * words).map(|at| format!("{at:060}")).collect();
                elements.chunks(600).for_each(|some| _ = session.run(&format!("{request} {}", some.join(" "))));
            }
        }
    }
    session.run("SELECT 0");
    session
}

/// Bytes that a slice writes at most: what it may, and the end of a portion.
const SLICE: usize = 10_000 + 9000;

#[test]
fn a_slice_of_a_large_value_is_bounded() {
    let mut session = large_values();
    let at_start = state(&session.server.databases);
    let databases = &mut session.server.databases;
    databases.begin_snapshot(FileWriter::new(FileOptions::default()), Noted::Nothing, 0);
    let (mut file, mut slices) = (Vec::new(), 0);
    while !databases.step_snapshot(LONG, 10_000, u64::MAX) {
        let (bytes, _) = databases.take_snapshot_bytes();
        assert!(bytes.len() < SLICE, "{} bytes in a slice", bytes.len());
        file.extend(bytes);
        slices += 1;
    }
    file.extend(databases.take_snapshot_bytes().0);
    assert!(slices > 130, "{slices}");
    assert_eq!(content(&file), at_start);
}

/// What can happen to a large value of each type.
const CHANGES: [[&str; 6]; 3] = [
    ["LSET k 1999 x", "SADD k x", "HSET k x y", "ZADD k 0 x", "XACK k g 0-1", "APPEND k x"],
    ["DEL k", "UNLINK k", "EXPIRE k 0", "SET k x", "FLUSHDB", "SET k y"],
    ["RENAME k l", "SWAPDB 1 9", "PERSIST k", "FLUSHALL", "XDEL k 0-1", "DEL k"],
];

#[test]
fn a_large_value_that_changes_in_the_middle_is_as_it_was() {
    for changes in CHANGES {
        for (db, change) in changes.into_iter().enumerate() {
            for slices in [0, 3] {
                let mut session = large_values();
                let at_start = state(&session.server.databases);
                // The database that comes first is the one in which something happens.
                session.run(&format!("SWAPDB 0 {db}"));
                let at_start = match db {
                    0 => at_start,
                    _ => state(&session.server.databases),
                };
                session.server.databases.begin_snapshot(FileWriter::new(FileOptions::default()), Noted::Nothing, 0);
                let mut file = Vec::new();
                for _ in 0..slices {
                    session.server.databases.step_snapshot(LONG, 10_000, u64::MAX);
                    file.extend(session.server.databases.take_snapshot_bytes().0);
                }
                session.run(change);
                session.run("SET new x");
                if matches!(
                    change.split(' ').next(),
                    Some("DEL" | "UNLINK" | "EXPIRE" | "SET" | "FLUSHDB" | "FLUSHALL")
                ) {
                    let pending = session.server.databases.snapshot_pending();
                    assert!(pending < SLICE, "{change}: {pending} bytes at once");
                }
                while !session.server.databases.step_snapshot(LONG, 10_000, u64::MAX) {
                    file.extend(session.server.databases.take_snapshot_bytes().0);
                }
                file.extend(session.server.databases.take_snapshot_bytes().0);
                session.server.databases.end_snapshot();
                assert!(content(&file) == at_start, "{change} after {slices} slices");
            }
        }
    }
}

#[test]
fn a_snapshot_that_is_given_up_in_the_middle_of_a_value_leaves_nothing() {
    let mut session = large_values();
    session.server.databases.begin_snapshot(FileWriter::new(FileOptions::default()), Noted::Nothing, 0);
    session.server.databases.step_snapshot(LONG, 10_000, u64::MAX);
    session.run("DEL k");
    session.run("SELECT 1");
    session.run("DEL k");
    assert_eq!(session.server.databases.garbage.len(), 0);
    session.server.databases.end_snapshot();
    assert_eq!(session.server.databases.garbage.len(), 2);
}

#[test]
fn everything_at_once() {
    let mut session = Session::new();
    for line in ["SET a 1", "SELECT 3", "RPUSH l x y", "SADD s 1 a", "EXPIRE s 100", "XADD x * f v"] {
        session.run(line);
    }
    let databases = &session.server.databases;
    let (mut writer, mut file) = (FileWriter::new(FileOptions::default()), Vec::new());
    let drain = |writer: &mut FileWriter| {
        file.extend(writer.take());
        Ok::<(), ()>(())
    };
    databases.write_all(&mut writer, Noted::Frequency, 0, drain).unwrap();
    assert_eq!(content(&file), state(databases));
    assert_eq!(databases.write_all(&mut FileWriter::new(FileOptions::default()), Noted::Idle, 0, |_| Err(7)), Err(7));
}

#[test]
fn what_was_emptied_is_kept_as_long_as_it_is_needed() {
    let mut session = Session::new();
    session.run("SET a 1");
    let databases = &mut session.server.databases;
    databases.begin_snapshot(FileWriter::new(FileOptions::default()), Noted::Nothing, 0);
    assert!(databases.take().iter().all(Keyspace::is_empty));
    assert!(databases.step_snapshot(LONG, usize::MAX, u64::MAX));
    let (file, discarded) = databases.take_snapshot_bytes();
    assert_eq!(content(&file).len(), 1);
    assert_eq!(discarded.iter().map(Keyspace::len).sum::<usize>(), 1);
    assert!(databases.end_snapshot().is_empty());
}
