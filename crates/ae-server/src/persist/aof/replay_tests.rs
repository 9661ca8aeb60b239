use super::*;
use crate::config::groups::RenameLine;
use crate::config::settings::Config;
use crate::log::heard;
use crate::testing::Session;
use resp::writer;
use std::fs;
use std::time::Duration;
use tempfile::TempDir;

fn session(at: &TempDir) -> Session {
    let mut config = Config { dir: Some(at.path().into()), ..Config::default() };
    config.append_only.on = true;
    config.security.debug_command = crate::config::choices::Allowed::Yes;
    Session::with(config)
}

/// Loads and begins, as the server does at its start.
fn start(at: &TempDir) -> Result<Session, String> {
    start_with(session(at))
}

fn start_with(mut session: Session) -> Result<Session, String> {
    session.server.find_log()?;
    if let Some(mut replay) = Replay::begin(&mut session.server)? {
        while !replay.step(&mut session.server, Instant::now())? {}
        assert_eq!(replay.read, replay.total);
    }
    session.server.begin_log()?;
    Ok(session)
}

fn requests(requests: &[&str]) -> Vec<u8> {
    let mut bytes = Vec::new();
    requests.iter().for_each(|request| writer::request(&mut bytes, &request.split(' ').collect::<Vec<_>>()));
    bytes
}

fn single(at: &TempDir, content: impl AsRef<[u8]>) {
    fs::write(at.path().join("appendonly.aof"), content).unwrap();
}

fn last_file(session: &Session) -> PathBuf {
    let folder = session.server.append_only.folder.as_ref().unwrap();
    folder.path_of(folder.manifest.increments.last().unwrap())
}

fn failure(at: &TempDir) -> String {
    start(at).err().expect("it is refused")
}

#[test]
fn what_was_written_is_there_again() {
    for rdb_preamble in [true, false] {
        let at = tempfile::tempdir().unwrap();
        let mut first = session(&at);
        first.server.config.append_only.rdb_preamble = rdb_preamble;
        let mut first = start_with(first).unwrap();
        for line in ["SET k v", "INCR n", "INCR n", "SELECT 2", "RPUSH l a b c", "LPOP l", "SET gone x PX 1000"] {
            first.run(line);
        }
        assert!(first.server.flush_log());
        let digest = first.run("DEBUG DIGEST");
        // Killed: nothing is finished.
        let mut second = start(&at).unwrap();
        assert_eq!(second.run("DEBUG DIGEST"), digest);
        assert_eq!(second.server.databases.dirty, 0);
        second.expect(&[
            ("SELECT 2", "+OK"),
            ("RPUSH l d", ":3"),
            ("GET n", "$-1"),
            ("SELECT 0", "+OK"),
            ("GET n", "$1 2"),
        ]);
        assert!(second.server.flush_log());
        heard::take();
        let mut third = start(&at).unwrap();
        let last = last_file(&third);
        let len = fs::metadata(&last).unwrap().len();
        heard::told(Level::Notice, &format!("loaded {} ({len} bytes) in ", last.display()));
        heard::told(Level::Notice, "append-only file: 4 keys in ");
        third.expect(&[("SELECT 2", "+OK"), ("LRANGE l 0 -1", "*3 $1 b $1 c $1 d")]);
    }
}

#[test]
fn a_single_file_with_transactions_and_times() {
    let at = tempfile::tempdir().unwrap();
    let content = [
        &b"#TS:1600000000\r\n"[..],
        &requests(&[
            "select 1", "SET a 1", "MULTI", "INCR a", "SELECT 2", "SET b 2", "EXEC", "MULTI", "SET x y", "DISCARD",
            "SET c 3",
        ]),
    ];
    single(&at, content.concat());
    let mut session = start(&at).unwrap();
    session.expect(&[("SELECT 1", "+OK"), ("GET a", "$1 2"), ("SELECT 2", "+OK"), ("GET b", "$1 2"), ("GET x", "$-1")]);
    session.expect(&[("GET c", "$1 3")]);
    assert!(!at.path().join("appendonly.aof").exists());
}

#[test]
fn keys_that_expired_meanwhile_stay_until_the_end() {
    let at = tempfile::tempdir().unwrap();
    single(
        &at,
        requests(&[
            "SET a 1 PXAT 1000",
            "SET b 1",
            "PEXPIREAT b 1000",
            "APPEND b 2",
            "PERSIST b",
            "SADD s m",
            "PEXPIREAT s 1000",
        ]),
    );
    let mut session = start(&at).unwrap();
    session.expect(&[("GET a", "$-1"), ("GET b", "$2 12"), ("EXISTS s", ":0")]);
}

#[test]
fn what_was_restored_and_expired_meanwhile_may_have_been_told_to_stay() {
    let at = tempfile::tempdir().unwrap();
    let payload = rdb::dump(&store::Value::from(store::StringValue::new(b"v")), rdb::Compression::Off);
    let mut content = requests(&["SET b 1"]);
    for key in [b"a", b"b", b"c"] {
        writer::request(&mut content, &[&b"RESTORE"[..], key, b"1000", &payload, b"ABSTTL", b"REPLACE"]);
    }
    content.extend(requests(&["PERSIST a", "APPEND b w", "PERSIST b"]));
    single(&at, content);
    let mut session = start(&at).unwrap();
    session.expect(&[("GET a", "$1 v"), ("GET b", "$2 vw"), ("GET c", "$-1")]);
}

#[test]
fn a_torn_end_is_cut_off() {
    let at = tempfile::tempdir().unwrap();
    drop(start(&at).unwrap());
    let path = last_file(&start(&at).unwrap());
    let whole = requests(&["SELECT 0", "SET a 1", "SET b 2"]);
    let kept = requests(&["SELECT 0", "SET a 1"]).len();
    for len in kept + 1..whole.len() {
        fs::write(&path, &whole[..len]).unwrap();
        heard::take();
        let mut session = start(&at).unwrap();
        let (shown, cut) = (path.display(), len - kept);
        heard::expect(
            Level::Warning,
            &[&format!(
                "{shown} ends within a request: its last {cut} bytes, from offset {kept} on, have been cut off"
            )],
        );
        session.expect(&[("GET a", "$1 1"), ("GET b", "$-1")]);
        assert_eq!(fs::metadata(&path).unwrap().len(), kept as u64);
    }
    fs::write(&path, &whole[..whole.len() - 1]).unwrap();
    let mut strict = session(&at);
    strict.server.config.append_only.load_truncated = false;
    let error = start_with(strict).err().unwrap();
    assert!(error.contains(&format!("it ends within a request at offset {kept}")), "{error}");
    assert_eq!(fs::metadata(&path).unwrap().len(), whole.len() as u64 - 1, "it is left as it was");
}

#[test]
fn an_unfinished_transaction_is_cut_off() {
    let at = tempfile::tempdir().unwrap();
    let path = last_file(&start(&at).unwrap());
    let kept = requests(&["SELECT 0", "SET a 1"]);
    let mut whole = [&kept[..], &requests(&["MULTI", "SET a 2", "SET b 2"])].concat();
    for _ in 0..2 {
        fs::write(&path, &whole).unwrap();
        let mut session = start(&at).unwrap();
        session.expect(&[("GET a", "$1 1"), ("GET b", "$-1")]);
        assert_eq!(fs::read(&path).unwrap(), kept);
        whole.extend(b"*3\r\n$3\r\nSET");
    }
}

#[test]
fn what_is_corrupt_is_refused_with_file_and_offset() {
    let at = tempfile::tempdir().unwrap();
    let path = last_file(&start(&at).unwrap());
    let (before, after) = (requests(&["SELECT 0", "SET a 1"]), requests(&["SET b 2"]));
    let at_offset = format!("offset {}", before.len());
    for (middle, why) in [
        (&b"garbage\r\n"[..], "neither a request nor a line"),
        (b"\0\0\0\0\0\0", "neither a request nor a line"),
        (b"*3\r\n$3\r\nSET\r\n$1\r\nx\r\n$100000\r\nv\r\n", "the length of a request is wrong"),
        (&requests(&["NOSUCH x"]), "unknown command or wrong number of arguments: NOSUCH"),
        (&requests(&["SET x"]), "unknown command or wrong number of arguments: SET"),
    ] {
        let content = [&before[..], middle, &after].concat();
        fs::write(&path, &content).unwrap();
        let error = failure(&at);
        assert!(error.contains(why) && error.contains(&at_offset), "{error}");
        assert!(error.contains(path.to_str().unwrap()), "{error}");
        assert_eq!(fs::read(&path).unwrap(), content, "it is left as it was");
    }
}

#[test]
fn what_would_leave_a_hole_is_refused() {
    let unknown = "EVALSHA e0e1f9fabfc9d4800c877a703b823ac0578ff8db 0";
    for script in ["EVAL x 0", unknown, "FCALL x 0", "FUNCTION LOAD x", "FUNCTION DELETE x"] {
        let at = tempfile::tempdir().unwrap();
        let path = last_file(&start(&at).unwrap());
        fs::write(&path, [requests(&["SET a 1"]), requests(&[script]), requests(&["SET b 2"])].concat()).unwrap();
        let error = failure(&at);
        let offset =
            format!("offset {}: {}", requests(&["SET a 1"]).len(), script.to_lowercase().split(' ').next().unwrap());
        assert!(error.contains(&offset) && error.contains(path.to_str().unwrap()), "{error}");
    }
}

#[test]
fn scripts_of_old_files_are_run() {
    let at = tempfile::tempdir().unwrap();
    let script = "EVAL return(redis.call('set',KEYS[1],ARGV[1])) 1 a 1";
    let all = requests(&["SCRIPT LOAD return(1)", script, "MULTI", script, "INCR a", "EXEC"]);
    fs::write(last_file(&start(&at).unwrap()), all).unwrap();
    start(&at).unwrap().expect(&[("GET a", "$1 2")]);
}

#[test]
fn functions_are_there() {
    let library = b"#!lua name=lib\nredis.register_function('f', function() return 5 end)";
    let mut base = rdb::FileWriter::new(rdb::FileOptions::default());
    base.function(library);
    base.finish();
    let mut request = Vec::new();
    writer::request(&mut request, &[&b"FUNCTION"[..], b"LOAD", library]);
    for content in [base.take(), request] {
        let at = tempfile::tempdir().unwrap();
        single(&at, content);
        let mut session = start(&at).unwrap();
        session.expect(&[("FCALL f 0", ":5")]);
        // Also when they are loaded again, as by DEBUG LOADAOF.
        let mut again = Replay::begin(&mut session.server).unwrap().unwrap();
        while !again.step(&mut session.server, Instant::now()).unwrap() {}
        session.expect(&[("FCALL f 0", ":5")]);
    }
}

/// What an approximate trimming has removed is written as clients may not ask for it.
#[test]
fn streams_are_trimmed_as_they_were() {
    let at = tempfile::tempdir().unwrap();
    let mut first = start(&at).unwrap();
    first.run("CONFIG SET stream-node-max-entries 10");
    for i in 0..50 {
        first.run(&format!("XADD s MAXLEN ~ 20 LIMIT 10 {i}-1 f v"));
    }
    assert_ne!(first.run("XLEN s"), ":50");
    assert!(first.server.finish_log());
    start(&at).unwrap().expect(&[("XRANGE s - +", &first.run("XRANGE s - +"))]);
}

#[test]
fn commands_have_the_names_that_clients_call_them_by() {
    let at = tempfile::tempdir().unwrap();
    let renamed = || {
        let mut session = session(&at);
        let line = RenameLine { from: b"set".into(), to: b"put".into(), place: String::new() };
        session.server.config.security.renamed.push(line);
        session.server.load_security().unwrap();
        session
    };
    let mut first = start_with(renamed()).unwrap();
    first.expect(&[("PUT a 1", "+OK"), ("PUT b 1 EX 1000", "+OK"), ("GETSET a 2", "$1 1")]);
    assert!(first.server.finish_log());
    start_with(renamed()).unwrap().expect(&[("GET a", "$1 2"), ("TTL b", ":1000")]);
}

#[test]
fn a_key_in_a_database_that_there_is_not_is_refused() {
    let at = tempfile::tempdir().unwrap();
    let mut base = rdb::FileWriter::new(rdb::FileOptions::default());
    base.database(16, 1, 0);
    let value = store::Value::from(store::StringValue::new(b"v"));
    base.entry(&rdb::Entry { key: b"k", value: value.view(), deadline: None, usage: None });
    base.finish();
    single(&at, base.take());
    assert!(failure(&at).ends_with(": there is no database 16"));
}

#[test]
fn a_file_that_is_missing_or_torn_before_the_last_is_refused() {
    let at = tempfile::tempdir().unwrap();
    let mut first = start(&at).unwrap();
    let path = last_file(&first);
    let folder = first.server.append_only.folder.as_mut().unwrap();
    folder.begin_increment().unwrap();
    fs::write(&path, b"*1\r\n$4\r\nPI").unwrap();
    assert!(failure(&at).contains("is not the last file"));
    fs::remove_file(&path).unwrap();
    assert!(failure(&at).contains("No such file"));
}

#[test]
fn only_changes_are_run() {
    let at = tempfile::tempdir().unwrap();
    single(
        &at,
        requests(&["SHUTDOWN", "SUBSCRIBE c", "CLIENT KILL ID 1", "DEBUG SLEEP 100", "BLPOP none 0", "SET a 1"]),
    );
    let mut session = start(&at).unwrap();
    assert!(!session.server.shutdown);
    session.expect(&[("GET a", "$1 1")]);
}

#[test]
fn requests_that_fail_are_told_as_far_as_they_are_few() {
    for (failing, begins) in [(1, "SELECT 0"), (COMPLAINTS, "MULTI"), (COMPLAINTS + 2, "SELECT 0")] {
        let at = tempfile::tempdir().unwrap();
        let mut lines = vec!["SET s x", begins];
        lines.resize(2 + failing, "INCR s");
        let mut told: Vec<String> = (2..lines.len().min(2 + COMPLAINTS))
            .map(|request| {
                let (at, why) = (requests(&lines[..request]).len(), "ERR value is not an integer or out of range");
                format!("append-only file: incr at offset {at} is left out: {why}")
            })
            .collect();
        told.push(format!("append-only file: {failing} requests have failed. They may come from another server."));
        if begins == "MULTI" {
            lines.push("EXEC");
        }
        single(&at, requests(&lines));
        heard::take();
        drop(start(&at).unwrap());
        heard::expect(Level::Warning, &told);
    }
}

#[test]
fn everything_may_be_done_whatever_the_default_user_may() {
    let at = tempfile::tempdir().unwrap();
    single(&at, requests(&["SET a 1"]));
    let mut restricted = session(&at);
    restricted.run("ACL SETUSER default nocommands");
    let session = start_with(restricted).unwrap();
    assert_eq!(session.server.databases[0].len(), 1);
}

#[test]
fn times_are_written_when_they_are_wanted() {
    let at = tempfile::tempdir().unwrap();
    let mut session = session(&at);
    session.server.config.append_only.timestamps = true;
    let mut session = start_with(session).unwrap();
    session.server.now = 1_700_000_000_500;
    session.run("SET a 1");
    session.server.flush_log();
    session.run("SET a 2");
    session.server.flush_log();
    session.wait(Duration::from_secs(1).as_millis() as i64);
    // Where nothing changes, the file does not grow.
    session.server.flush_log();
    session.wait(Duration::from_secs(1).as_millis() as i64);
    session.run("SET a 3");
    assert!(session.server.finish_log());
    let content = fs::read_to_string(last_file(&session)).unwrap();
    let times: Vec<_> = content.lines().filter(|line| line.starts_with('#')).collect();
    assert_eq!(times, ["#TS:1700000000", "#TS:1700000002"]);
    start(&at).unwrap().expect(&[("GET a", "$1 3")]);
}

#[test]
fn while_nothing_can_be_written_changes_are_refused() {
    use crate::persist::aof::disk::faults::{self, Fault};
    let at = tempfile::tempdir().unwrap();
    for always in [true, false] {
        let mut session = session(&at);
        if always {
            session.server.config.append_only.fsync = crate::config::choices::Fsync::Always;
        }
        let mut session = start_with(session).unwrap();
        session.run("SET a 1");
        session.server.flush_log();
        let mut writer = session.other();
        let mut reader = session.other();
        session.run_as(&mut reader, "SET other 1");
        session.server.flush_log();
        let disk = session.server.append_only.disk.clone();
        disk.faults.plan(0..1_000_000, Fault::Error(faults::ENOSPC));
        session.run_as(&mut writer, "SET a 2");
        session.run_as(&mut reader, "GET a");
        assert_eq!(session.server.flush_log(), !always);
        let closing = |session: &mut Session, client| session.server.clients.get_same(client).unwrap().closing;
        use crate::clients::client::Closing;
        let expected = if always { Closing::Now } else { Closing::No };
        assert_eq!(closing(&mut session, writer), expected, "nobody is told what may be lost");
        assert_eq!(closing(&mut session, reader), Closing::No);
        let refused = "-MISCONF Errors writing to the AOF file: No space left on device";
        session.expect(&[
            ("SET a 3", refused),
            ("PING", refused),
            ("GET a", "$1 2"),
            ("MULTI", "+OK"),
            ("SET a 3", refused),
        ]);
        session.expect(&[("EXEC", "-EXECABORT Transaction discarded because of previous errors.")]);
        assert_eq!(session.info("aof_last_write_status"), "err");
        disk.faults.clear();
        session.wait(1000);
        session.server.flush_log();
        session.expect(&[("PING", "+PONG"), ("SET b 1", "+OK")]);
        assert_eq!(session.info("aof_last_write_status"), "ok");
        session.server.flush_log();
        start(&at).unwrap().expect(&[("GET a", "$1 2"), ("GET b", "$1 1")]);
    }
}

/// Its primary removes them, and says so.
#[test]
fn a_replica_removes_nothing_that_its_file_lets_expire() {
    let at = tempfile::tempdir().unwrap();
    single(&at, requests(&["SET a 1 PXAT 1000", "SET b 1", "PEXPIREAT b 1000"]));
    let mut session = session(&at);
    session.server.become_replica("127.0.0.1", 1);
    let mut session = start_with(session).unwrap();
    session.server.expire();
    session.expect(&[("GET a", "$-1"), ("DBSIZE", ":2")]);
}

/// As Redis, which writes what a PFCOUNT has found into the value, and the request into the file.
#[test]
fn a_count_that_is_kept_in_a_value_is_in_the_file() {
    let at = tempfile::tempdir().unwrap();
    single(&at, requests(&["PFADD h a b c", "PFCOUNT h"]));
    let mut counted = Session::new();
    counted.expect(&[("PFADD h a b c", ":1"), ("PFCOUNT h", ":3")]);
    assert_eq!(start(&at).unwrap().run("DEBUG DIGEST"), counted.run("DEBUG DIGEST"));
}

/// Whoever has lost the base goes on with what there is.
#[test]
fn increments_without_a_base_are_gone_on_with() {
    let at = tempfile::tempdir().unwrap();
    let folder = at.path().join("appendonlydir");
    fs::create_dir(&folder).unwrap();
    fs::write(folder.join("appendonly.aof.manifest"), "file appendonly.aof.1.incr.aof seq 1 type i\n").unwrap();
    fs::write(folder.join("appendonly.aof.1.incr.aof"), requests(&["SET a 1"])).unwrap();
    for _ in 0..2 {
        start(&at).unwrap().expect(&[("GET a", "$1 1")]);
    }
}

/// Whoever looks on while it is loaded.
#[test]
fn how_much_has_been_loaded_counts_all_files() {
    let at = tempfile::tempdir().unwrap();
    let mut first = start(&at).unwrap();
    for request in ["SET a 1", "SET b 2", "BGREWRITEAOF"] {
        first.run(request);
    }
    while first.server.append_only.rewrites.scheduled || first.server.is_rewriting() {
        first.server.begin_scheduled_rewrite();
        first.server.advance_snapshot(false);
    }
    first.expect(&[("SET c 3", "+OK"), ("SET d 4", "+OK")]);
    assert!(first.server.finish_log());
    let mut session = session(&at);
    // So that there is a stop behind each.
    session.server.config.saving.key_load_delay = 1;
    session.server.find_log().unwrap();
    let mut replay = Replay::begin(&mut session.server).unwrap().unwrap();
    let mut told = Vec::new();
    while !replay.step(&mut session.server, Instant::now()).unwrap() {
        told.push(session.number("loading_loaded_bytes"));
    }
    let total = replay.total as i64;
    assert!(told.is_sorted() && *told.last().unwrap() == total, "{told:?} of {total}");
    assert!(!session.run("INFO persistence").contains("loading_loaded_bytes"), "nothing is loaded any more");
}

/// There are other data in the RDB file, which somebody may want back.
#[test]
fn a_flush_in_the_file_saves_nothing() {
    let at = tempfile::tempdir().unwrap();
    single(&at, requests(&["SET a 1", "FLUSHALL", "SET b 2"]));
    let mut session = session(&at);
    assert!(!session.server.config.saving.points.is_empty());
    session.server.status.starting = true;
    start_with(session).unwrap();
    assert!(!at.path().join("dump.rdb").exists());
}
