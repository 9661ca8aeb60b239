use crate::clients::client::ClientRef;
use crate::config::groups::SavePoint;
use crate::config::settings::Config;
use crate::db::door::Ttl;
use crate::db::event::Event;
use crate::log::{Level, heard};
use crate::testing::Session;
use crate::testing::saving::{finish, loaded, loaded_behind, session};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

#[test]
fn how_often_keys_are_used_is_saved() {
    for which in ["allkeys", "volatile"] {
        let lfu = format!("CONFIG SET maxmemory-policy {which}-lfu");
        let (mut session, folder) = session();
        session.expect(&[(&lfu, "+OK"), ("CONFIG SET lfu-log-factor 0", "+OK"), ("SET k v", "+OK")]);
        (0..20).for_each(|_| drop(session.run("GET k")));
        session.expect(&[("OBJECT FREQ k", ":25"), ("SAVE", "+OK")]);
        loaded_behind(folder.path(), &[&lfu]).expect(&[("OBJECT FREQ k", ":25")]);
        // Nobody else asks for it.
        let lru = format!("CONFIG SET maxmemory-policy {which}-lru");
        loaded_behind(folder.path(), &[&lru]).expect(&[("OBJECT IDLETIME k", ":0")]);
    }
}

/// The delay is there to see what happens meanwhile.
#[test]
fn a_delay_for_each_key_makes_a_save_as_slow_as_it_is_to_be() {
    let (mut session, _folder) = session();
    session.expect(&[
        ("CONFIG SET rdb-key-save-delay 1000000000", "+OK"),
        ("MSET a 1 b 2 c 3", "+OK"),
        ("BGSAVE", "+Background saving started"),
    ]);
    for active in [false, true, false] {
        assert!(!session.server.advance_snapshot(active), "it is the cron that goes on");
        assert_eq!(session.info("current_save_keys_processed"), "1");
    }
    assert_eq!(session.info("current_fork_perc"), "33.33");
}

#[test]
fn a_save_that_is_given_up_leaves_the_state_of_the_last_one() {
    let (mut session, folder) = session();
    session.expect(&[("BGSAVE", "+Background saving started"), ("FLUSHALL", "+OK")]);
    assert_eq!(session.info("rdb_last_bgsave_status"), "ok");
    assert_ne!(session.info("rdb_last_bgsave_time_sec"), "-1");
    let blocker = folder.path().join("dump.rdb");
    std::fs::create_dir_all(blocker.join("full")).unwrap();
    session.expect(&[("SET k v", "+OK"), ("BGSAVE", "+Background saving started")]);
    finish(&mut session);
    heard::told(Level::Warning, "Background saving error: cannot rename the file ");
    session.expect(&[("BGSAVE", "+Background saving started"), ("FLUSHALL", "+OK")]);
    heard::expect(Level::Notice, &["Background saving started", "Background saving was given up"]);
    assert_eq!(session.info("rdb_last_bgsave_status"), "err");
    // Any that works will do.
    std::fs::remove_dir_all(&blocker).unwrap();
    session.expect(&[("SAVE", "+OK")]);
    heard::expect(Level::Notice, &["DB saved on disk"]);
    assert_eq!(session.info("rdb_last_bgsave_status"), "ok");
}

#[test]
fn a_save_begins_when_enough_has_changed_for_long_enough() {
    let (mut session, _folder) = session();
    session.server.config.saving.points =
        vec![SavePoint { seconds: 3600, changes: 1 }, SavePoint { seconds: 60, changes: 3 }];
    let saved_at = session.server.status.last_save;
    let begins = |session: &mut Session, seconds: i64| {
        session.server.now = (saved_at + seconds) * 1000;
        session.server.save_when_due();
        session.server.snapshot.is_some()
    };
    session.expect(&[("MSET a 1 b 2", "+OK")]);
    assert_eq!([60, 61, 3600].map(|seconds| begins(&mut session, seconds)), [false; 3]);
    session.expect(&[("SET c 3", "+OK")]);
    heard::take();
    assert_eq!([60, 61].map(|seconds| begins(&mut session, seconds)), [false, true]);
    heard::expect(Level::Notice, &["3 changes in 60 seconds. Saving...", "Background saving started"]);
}

#[test]
fn a_failed_save_is_tried_again_when_five_seconds_have_passed() {
    let (mut session, _folder) = session();
    session.server.status.last_ok = false;
    session.server.status.last_try = 100;
    let tries = [105_999, 106_000].map(|now| session.server.status.may_try(now));
    assert_eq!(tries, [false, true]);
}

/// A folder with a file that has a key, one that had expired, and the history of a primary.
fn with_a_history() -> (Session, tempfile::TempDir) {
    let (mut session, folder) = session();
    session.replica("REPLCONF capa psync2");
    session.expect(&[("SET live v", "+OK")]);
    session.server.databases.db(0, 0).set_string(b"dead", b"v", Ttl::At(1), Event::SET);
    session.server.save().unwrap();
    (session, folder)
}

/// Whoever goes on with the history has the key, and is told.
#[test]
fn what_has_expired_before_a_start_is_in_the_stream() {
    let (before, folder) = with_a_history();
    let mut after = loaded(folder.path());
    after.expect(&[("DBSIZE", ":1")]);
    let (id, offset) = (&before.server.replication.id, before.server.replication.offset);
    heard::told(Level::Notice, &format!("the history {id} of the data goes on behind offset {offset}"));
    let mut replica: ClientRef = after.other();
    let reply = after.run_as(&mut replica, &format!("PSYNC {id} {}", offset + 1));
    assert_eq!(reply, "+CONTINUE *2 $6 SELECT $1 0 *2 $3 DEL $4 dead");
    assert!(after.run("INFO replication").contains(&format!("second_repl_offset:{}", offset + 1)));
}

#[test]
fn a_replica_leaves_it_to_its_primary_what_has_expired_before_a_start() {
    let (_, folder) = with_a_history();
    let mut after = loaded_behind(folder.path(), &["REPLICAOF 127.0.0.1 1"]);
    after.expect(&[("DBSIZE", ":2"), ("GET dead", "$-1")]);
    assert_eq!(after.info("rdb_last_load_keys_expired"), "0");
}

#[test]
fn libraries_of_a_file_take_the_place_of_those_there_are_if_it_is_merged() {
    if !cfg!(feature = "scripting") {
        return;
    }
    let (mut session, _folder) = session();
    let library = |reply: &str| {
        let text = format!("#!lua name=l\nredis.register_function('f', function() return '{reply}' end)");
        [b"FUNCTION".to_vec(), b"LOAD".to_vec(), b"REPLACE".to_vec(), text.into_bytes()]
    };
    session.request(&library("saved"));
    session.expect(&[("SAVE", "+OK")]);
    session.request(&library("later"));
    session.expect(&[
        ("FCALL f 0", "$5 later"),
        ("DEBUG RELOAD NOSAVE NOFLUSH MERGE", "+OK"),
        ("FCALL f 0", "$5 saved"),
    ]);
}

/// Whoever looks on while a server starts.
#[test]
fn since_when_a_file_is_loaded_and_who_loads_it_is_told() {
    let (mut session, folder) = session();
    session.expect(&[("SET k v", "+OK"), ("SAVE", "+OK")]);
    let config = Config { dir: Some(folder.path().into()), ..Config::default() };
    let mut session = Session::with(config);
    session.server.begin_start().unwrap();
    let now = || SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs() as i64;
    let before = now();
    session.server.loading.as_mut().unwrap().started -= Duration::from_secs(100);
    let started = session.number("loading_start_time");
    // The machine may be busy meanwhile.
    assert!((before - 101..=now() - 100).contains(&started), "{started} {before}");
    assert!(session.run("GET k").starts_with("-LOADING "));
    session.expect(&[("ROLE", "*3 $6 master :0 *0")]);
}

/// One that is loaded elsewhere would go on with a stream that does not say yet that everything has gone.
#[test]
fn a_file_of_nothing_has_no_history() {
    let (mut session, folder) = session();
    let _replica = session.replica("REPLCONF capa psync2");
    session.expect(&[("SET k v", "+OK"), ("CONFIG SET save \"3600 1\"", "+OK"), ("FLUSHALL", "+OK")]);
    assert!(loaded(folder.path()).server.replication.backlog.is_none());
}

#[test]
fn a_file_says_whether_it_is_the_base_of_a_log() {
    let (mut session, folder) = session();
    session.expect(&[("CONFIG SET appendonly yes", "+OK")]);
    session.server.begin_scheduled_rewrite();
    finish(&mut session);
    session.expect(&[("SAVE", "+OK")]);
    let base = folder.path().join("appendonlydir/appendonly.aof.1.base.rdb");
    for (file, is_base) in [(folder.path().join("dump.rdb"), 0), (base, 1)] {
        let (report, ok) = crate::persist::check::check(&file, 0);
        assert!(ok && report.contains(&format!("AUX FIELD aof-base = '{is_base}'")), "{report}");
    }
}

#[test]
fn a_file_says_when_it_was_written_and_what_memory_that_took() {
    let (mut session, folder) = session();
    session.server.now = 1_234_567_890_123;
    session.expect(&[("SET k v", "+OK"), ("SAVE", "+OK")]);
    let (report, _) = crate::persist::check::check(&folder.path().join("dump.rdb"), 0);
    assert!(report.contains("AUX FIELD ctime = '1234567890'"), "{report}");
    let used = report.split_once("AUX FIELD used-mem = '").unwrap().1;
    assert!(used.split('\'').next().unwrap().parse::<u64>().unwrap() > 10_000, "{report}");
}

/// A file may say anything.
#[test]
fn keys_that_are_not_there_take_no_memory() {
    let folder = tempfile::tempdir().unwrap();
    let keys = [b"\xfe\x00\xfb\x81", &(1u64 << 50).to_be_bytes()[..], b"\x00\x00\x01k\x01v\xff"].concat();
    // The checksum 0 is none.
    let file = [b"REDIS0010", &keys[..], &[0; 8]].concat();
    std::fs::write(folder.path().join("dump.rdb"), file).unwrap();
    loaded(folder.path()).expect(&[("DBSIZE", ":1"), ("GET k", "$1 v")]);
}

/// What is written goes on its way while the snapshot is under way.
#[test]
fn little_of_a_snapshot_waits_here() {
    let (mut session, _folder) = session();
    session.expect(&[("DEBUG POPULATE 20000 key 100", "+OK"), ("CONFIG SET rdbcompression no", "+OK")]);
    session.expect(&[("BGSAVE", "+Background saving started")]);
    while session.server.snapshot.is_some() {
        session.server.advance_snapshot(true);
        assert!(session.server.databases.snapshot_pending() < 16 * 1024);
    }
}

#[test]
fn what_keeps_a_file_from_being_loaded_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file");
    std::fs::write(&file, "").unwrap();
    // It is in no folder.
    let config = Config { dir: Some(file), ..Config::default() };
    let error = Session::with(config).server.begin_start().unwrap_err();
    assert!(error.starts_with("cannot load ") && error.ends_with("Not a directory (os error 20)"), "{error}");
}

#[test]
fn the_log_says_each_second_how_far_loading_is() {
    const LONG: Duration = Duration::from_secs(3600);
    let (mut session, folder) = session();
    session.expect(&[("MSET a 1 b 2", "+OK"), ("SAVE", "+OK")]);
    let mut config = Config { dir: Some(folder.path().into()), ..Config::default() };
    config.saving.key_load_delay = 60_000_000;
    let mut session = Session::with(config);
    session.server.begin_start().unwrap();
    testkit::eventually("a key is there", || {
        session.server.advance_loading();
        let loading = session.server.loading.as_mut().unwrap();
        loading.next = if loading.loaded == 1 { Instant::now() + LONG } else { Instant::now() };
        (loading.loaded == 1).then_some(())
    });
    let told = ["Loading: 100 %, 1 keys so far"];
    for (reported, told) in [(Instant::now() + LONG, &[][..]), (Instant::now() - Duration::from_secs(1), &told)] {
        session.server.loading.as_mut().unwrap().reported = reported;
        heard::take();
        session.server.advance_loading();
        heard::expect(Level::Notice, told);
    }
}

#[test]
fn an_append_only_file_that_is_turned_on_meanwhile_begins_when_the_data_are_there() {
    let (mut session, folder) = session();
    session.expect(&[("SET k v", "+OK"), ("SAVE", "+OK")]);
    let mut session = Session::with(Config { dir: Some(folder.path().into()), ..Config::default() });
    session.server.begin_start().unwrap();
    session.expect(&[("CONFIG SET appendonly yes", "+OK")]);
    assert_eq!(session.number("aof_rewrite_scheduled"), 0);
    while session.server.loading.is_some() {
        session.server.advance_loading();
    }
    assert_eq!(session.number("aof_rewrite_scheduled"), 1);
}

#[test]
fn a_file_with_more_databases_than_there_are_is_refused_whatever_it_is_to_replace() {
    let (mut session, folder) = session();
    session.expect(&[("SELECT 5", "+OK"), ("SET k v", "+OK"), ("SAVE", "+OK")]);
    let mut config = Config { dir: Some(folder.path().into()), databases: 2, ..Config::default() };
    config.security.debug_command = crate::config::choices::Allowed::Yes;
    let reply = Session::with(config).run("DEBUG RELOAD NOSAVE NOFLUSH MERGE");
    assert!(reply.starts_with("-ERR Error trying to load the RDB dump"), "{reply}");
}

#[test]
fn a_file_tells_only_of_databases_that_have_keys() {
    let (mut session, folder) = session();
    session.expect(&[("SELECT 3", "+OK"), ("SET k v", "+OK"), ("SAVE", "+OK")]);
    let (report, _) = crate::persist::check::check(&folder.path().join("dump.rdb"), 0);
    assert_eq!(report.matches("Selecting DB ID").count(), 1, "{report}");
    assert!(report.contains("Selecting DB ID 3"), "{report}");
}

/// Whoever begins with the file and goes on with the stream does not know which one it is.
#[test]
fn behind_a_save_the_stream_names_its_database_again() {
    let (mut session, _folder) = session();
    let (mut replica, _) = session.replica("REPLCONF capa psync2");
    session.expect(&[("SET a 1", "+OK"), ("SAVE", "+OK"), ("SET b 2", "+OK")]);
    let set = |key: &str, value: &str| format!("*2 $6 SELECT $1 0 *3 $3 SET $1 {key} $1 {value}");
    assert_eq!(session.fed(&mut replica), format!("{} {}", set("a", "1"), set("b", "2")));
}

/// It may take long.
#[test]
fn a_save_was_when_it_has_ended() {
    for request in ["SAVE", "BGSAVE"] {
        let (mut session, _folder) = session();
        session.server.now = 5_000;
        session.run(request);
        finish(&mut session);
        assert!(session.number("rdb_last_save_time") > 5);
    }
}

#[test]
fn what_an_end_saves_and_gives_up_is_told() {
    let (mut session, _folder) = session();
    session.expect(&[("SET k v", "+OK"), ("BGSAVE", "+Background saving started"), ("SHUTDOWN SAVE", "")]);
    heard::told(Level::Warning, "There is a snapshot under way. Giving it up!");
    let rest = ["Background saving was given up", "Saving the final RDB snapshot before exiting.", "DB saved on disk"];
    heard::expect(Level::Notice, &rest);
}
