use crate::config::groups::SavePoint;
use crate::config::settings::{Config, REDIS_VERSION};
use crate::db::door::Ttl;
use crate::db::event::Event;
use crate::log::{Level, heard};
use crate::server::loading::LoadOptions;
use crate::testing::Session;
use crate::testing::saving::{finish, loaded, session};

#[test]
fn what_is_saved_is_there_again() {
    let (mut session, folder) = session();
    session.expect(&[
        ("SET k v", "+OK"),
        ("SELECT 5", "+OK"),
        ("RPUSH l a b", ":2"),
        ("EXPIREAT l 5000000000", ":1"),
        ("SAVE", "+OK"),
        ("SET after 1", "+OK"),
    ]);
    assert_eq!((session.info("rdb_changes_since_last_save"), session.info("rdb_saves")), ("1".into(), "1".into()));
    let mut other = loaded(folder.path());
    other.expect(&[
        ("GET k", "$1 v"),
        ("SELECT 5", "+OK"),
        ("LRANGE l 0 -1", "*2 $1 a $1 b"),
        ("EXPIRETIME l", ":5000000000"),
        ("DBSIZE", ":1"),
    ]);
    assert_eq!((other.info("rdb_last_load_keys_loaded"), other.info("loading")), ("2".into(), "0".into()));
}

#[test]
fn a_background_save_is_of_the_moment_at_which_it_began() {
    let (mut session, folder) = session();
    session.expect(&[
        ("DEBUG POPULATE 1000", "+OK"),
        ("BGSAVE", "+Background saving started"),
        ("BGSAVE", "-ERR Background save already in progress"),
        ("SAVE", "-ERR Background save already in progress"),
        ("SET key:7 other", "+OK"),
        ("DEL key:8", ":1"),
        ("SET new 1", "+OK"),
    ]);
    assert_eq!(session.info("rdb_bgsave_in_progress"), "1");
    assert_eq!(session.info("current_save_keys_total"), "1000");
    // What Redis would have forked for.
    assert_eq!(session.info("total_forks"), "1");
    finish(&mut session);
    assert_eq!(session.info("rdb_bgsave_in_progress"), "0");
    assert_eq!(session.info("rdb_last_bgsave_status"), "ok");
    assert_ne!(session.info("rdb_last_bgsave_time_sec"), "-1");
    // Three requests since it began.
    assert_eq!(session.info("rdb_changes_since_last_save"), "3");
    let mut other = loaded(folder.path());
    other.expect(&[
        ("DBSIZE", ":1000"),
        ("GET key:7", "$7 value:7"),
        ("GET key:8", "$7 value:8"),
        ("EXISTS new", ":0"),
    ]);
}

#[test]
fn expired_keys_are_saved_and_not_loaded() {
    let (mut session, folder) = session();
    session.run("SET live v");
    session.server.databases.db(0, 0).set_string(b"dead", b"v", Ttl::At(1), Event::SET);
    session.server.save().unwrap();
    heard::take();
    let mut other = loaded(folder.path());
    heard::told(Level::Notice, &format!("Loading RDB produced by version {REDIS_VERSION}"));
    heard::told(Level::Notice, "Done loading RDB, keys loaded: 1, keys expired: 1.");
    other.expect(&[("DBSIZE", ":1"), ("GET live", "$1 v")]);
    let counts = ["keys_loaded", "keys_expired"].map(|name| other.info(&format!("rdb_last_load_{name}")));
    assert_eq!(counts, ["1", "1"]);
}

#[test]
fn a_failed_save_stops_writes_until_one_succeeds() {
    let (mut session, folder) = session();
    session.server.config.saving.points = vec![SavePoint { seconds: 3600, changes: 1_000_000 }];
    // A folder is where the file should be.
    let blocker = folder.path().join("dump.rdb");
    std::fs::create_dir_all(blocker.join("full")).unwrap();
    session.expect(&[
        ("SET k v", "+OK"),
        ("SAVE", "-ERR"),
        ("SET k v", "+OK"),
        ("BGSAVE", "+Background saving started"),
    ]);
    finish(&mut session);
    assert_eq!(session.info("rdb_last_bgsave_status"), "err");
    let refused = |reply: String| assert!(reply.starts_with("-MISCONF Redis is configured to save RDB"), "{reply}");
    for line in ["SET k v", "DEL k", "PING", "LPUSH l a"] {
        refused(session.run(line));
    }
    session.expect(&[("GET k", "$1 v"), ("MULTI", "+OK"), ("GET k", "+QUEUED"), ("EXEC", "*1 $1 v")]);
    session.expect(&[("CONFIG SET stop-writes-on-bgsave-error no", "+OK"), ("SET k w", "+OK")]);
    session.expect(&[("CONFIG SET stop-writes-on-bgsave-error yes", "+OK")]);
    refused(session.run("SET k w"));
    session.expect(&[
        // Whoever wants no saves misses none.
        ("CONFIG SET save ''", "+OK"),
        ("SET k w", "+OK"),
        ("CONFIG SET save '3600 1'", "+OK"),
    ]);
    refused(session.run("SET k w"));
    assert_ne!(session.server.status.last_try, 0);
    let tries_again_after = |session: &mut Session, seconds: i64| {
        let second = session.server.now / 1000;
        (session.server.status.last_save, session.server.status.last_try) = (second - 4000, second - seconds);
        session.server.cron();
        let tries = session.server.snapshot.is_some();
        finish(session);
        tries
    };
    assert!(!tries_again_after(&mut session, -1000));
    assert!(tries_again_after(&mut session, 7));
    session.run("CONFIG SET save '3600 1000000'");
    std::fs::remove_dir_all(&blocker).unwrap();
    session.expect(&[("BGSAVE", "+Background saving started")]);
    finish(&mut session);
    session.expect(&[("SET k x", "+OK"), ("PING", "+PONG")]);
    assert_eq!(session.info("rdb_last_bgsave_status"), "ok");
    loaded(folder.path()).expect(&[("GET k", "$1 w")]);
}

#[test]
fn how_long_keys_have_been_idle_is_saved() {
    let (mut session, folder) = session();
    session.expect(&[("CONFIG SET maxmemory-policy allkeys-lru", "+OK"), ("SET k v", "+OK")]);
    session.wait(1_000_000);
    session.run("SAVE");
    let idle = loaded(folder.path()).run("OBJECT IDLETIME k");
    assert!(idle[1..].parse::<i64>().is_ok_and(|idle| (1000..2000).contains(&idle)), "{idle}");
}

#[test]
fn save_points() {
    let (mut session, folder) = session();
    session.expect(&[
        ("CONFIG SET save '1000 2 10 5'", "+OK"),
        ("CONFIG GET save", "*2 $4 save $11 1000 2 10 5"),
        ("SET a 1", "+OK"),
    ]);
    let begins = |session: &mut Session, seconds: i64| {
        // The cron reads the clock, so that it is the last save that is moved.
        session.server.status.last_save = session.server.now / 1000 - seconds;
        session.server.cron();
        let begins = session.server.snapshot.is_some();
        finish(session);
        begins
    };
    assert!(!begins(&mut session, 2000));
    session.expect(&[("SET b 1", "+OK")]);
    assert!(!begins(&mut session, 900));
    assert!(begins(&mut session, 1010));
    assert!(!begins(&mut session, 2000), "nothing has changed since");
    session.expect(&[("SET a 1", "+OK"), ("SET b 1", "+OK")]);
    assert!(!begins(&mut session, 1000), "more than so many seconds");
    assert!(begins(&mut session, 1001));
    session.expect(&[("MSET c 1 d 1", "+OK"), ("INCR a", ":2"), ("INCR a", ":3"), ("INCR a", ":4"), ("INCR a", ":5")]);
    assert!(begins(&mut session, 20));
    loaded(folder.path()).expect(&[("DBSIZE", ":4"), ("GET a", "$1 5")]);
}

#[test]
fn a_save_in_a_transaction_comes_later() {
    let (mut session, folder) = session();
    session.expect(&[
        ("MULTI", "+OK"),
        ("SET a 1", "+QUEUED"),
        ("BGSAVE", "+QUEUED"),
        ("SAVE", "-ERR Command not allowed inside a transaction"),
        ("DISCARD", "+OK"),
        ("MULTI", "+OK"),
        ("SET a 1", "+QUEUED"),
        ("BGSAVE", "+QUEUED"),
        ("EXEC", "*2 +OK +Background saving scheduled"),
    ]);
    session.server.cron();
    assert!(session.server.is_saving());
    finish(&mut session);
    loaded(folder.path()).expect(&[("GET a", "$1 1")]);
    session.server.cron();
    assert!(!session.server.is_saving(), "once is enough");
}

#[test]
fn a_flush_of_everything_gives_a_save_up_and_is_saved() {
    let (mut session, folder) = session();
    session.expect(&[("SET a 1", "+OK"), ("BGSAVE", "+Background saving started"), ("FLUSHALL", "+OK")]);
    assert!(session.server.snapshot.is_none());
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0, "it has left something");
    assert_eq!(session.info("rdb_last_bgsave_status"), "ok", "nothing has failed");
    session.expect(&[("SET a 1", "+OK"), ("SAVE", "+OK"), ("CONFIG SET save '100 1'", "+OK"), ("FLUSHALL", "+OK")]);
    loaded(folder.path()).expect(&[("DBSIZE", ":0")]);
    session.expect(&[("SET a 1", "+OK"), ("BGSAVE", "+Background saving started"), ("FLUSHDB", "+OK")]);
    finish(&mut session);
    loaded(folder.path()).expect(&[("DBSIZE", ":1")]);
}

#[test]
fn shutdown_saves_if_it_has_to() {
    for (points, request, saves) in [
        (false, "SHUTDOWN", false),
        (true, "SHUTDOWN", true),
        (true, "SHUTDOWN NOSAVE", false),
        (false, "SHUTDOWN SAVE NOW", true),
        (false, "shutdown now force", false),
    ] {
        let (mut session, folder) = session();
        if points {
            session.run("CONFIG SET save '1000 1000'");
        }
        session.expect(&[("SET k v", "+OK"), (request, "")]);
        assert!(session.server.shutdown);
        assert_eq!(folder.path().join("dump.rdb").exists(), saves, "{request}");
    }
    let (mut session, folder) = session();
    std::fs::create_dir_all(folder.path().join("dump.rdb").join("full")).unwrap();
    session.expect(&[("SHUTDOWN SAVE", "-ERR Errors trying to SHUTDOWN. Check logs.")]);
    heard::told(Level::Warning, "Error trying to save the DB, can't exit.");
    session.expect(&[
        ("SHUTDOWN x", "-ERR syntax error"),
        ("SHUTDOWN SAVE NOSAVE", "-ERR syntax error"),
        ("SHUTDOWN ABORT NOW", "-ERR syntax error"),
        ("SHUTDOWN NOW ABORT", "-ERR syntax error"),
        ("SHUTDOWN abort", "-ERR No shutdown in progress."),
    ]);
    assert!(!session.server.shutdown);
    session.expect(&[("SHUTDOWN SAVE FORCE", "")]);
    assert!(session.server.shutdown);
}

#[test]
fn shutdown_waits_for_replicas_unless_it_is_to_be_now() {
    for (request, waits) in [("SHUTDOWN NOSAVE", true), ("SHUTDOWN NOSAVE NOW", false)] {
        let mut session = Session::new();
        let _replica = session.replica("REPLCONF capa psync2");
        session.expect(&[("SET k v", "+OK"), (request, "")]);
        assert_eq!(session.server.waits_for_replicas(), waits, "{request}");
    }
}

#[test]
fn reloading() {
    let (mut session, folder) = session();
    session.expect(&[("SET k v", "+OK"), ("SELECT 1", "+OK"), ("SADD s 1 2 a", ":3"), ("SET i 12345 EX 100", "+OK")]);
    let before = session.run("DEBUG DIGEST");
    session.expect(&[
        ("DEBUG RELOAD", "+OK"),
        ("DEBUG DIGEST", &before),
        ("TTL i", ":100"),
        ("OBJECT ENCODING i", "$3 int"),
        ("SMEMBERS s", "*3 $1 1 $1 2 $1 a"),
        ("SADD s b", ":1"),
        ("DEBUG RELOAD NOSAVE", "+OK"),
        ("SCARD s", ":3"),
        ("DEBUG RELOAD NOSAVE NOFLUSH MERGE", "+OK"),
        ("SCARD s", ":3"),
        ("DEBUG RELOAD NOFLUSH", "-ERR Error trying to load the RDB dump, check server logs."),
        ("DEBUG RELOAD x", "-ERR DEBUG RELOAD only supports the MERGE, NOFLUSH and NOSAVE options."),
        ("SCARD s", ":3"),
    ]);
    assert_eq!(session.info("rdb_changes_since_last_save"), "0");
    std::fs::write(folder.path().join("dump.rdb"), "nothing").unwrap();
    session.expect(&[
        ("DEBUG RELOAD NOSAVE", "-ERR Error trying to load the RDB dump, check server logs."),
        ("SCARD s", ":3"),
    ]);
    let shown = folder.path().join("dump.rdb").display().to_string();
    heard::told(Level::Warning, &format!("DEBUG RELOAD: cannot load {shown}: "));
}

#[test]
fn who_watches_or_waits_for_a_key_learns_that_it_was_loaded_again() {
    let (mut session, _folder) = session();
    session.expect(&[("RPUSH list v", ":1"), ("SET k v", "+OK"), ("SET l v", "+OK"), ("SAVE", "+OK")]);
    session.expect(&[("DEL list l", ":2")]);
    let (mut one, mut other, mut waits) = (session.other(), session.other(), session.other());
    session.run_as(&mut one, "WATCH k");
    // There is none, and one comes.
    session.run_as(&mut other, "WATCH l");
    assert_eq!(session.run_as(&mut waits, "BLPOP list 0"), "");
    session.expect(&[("DEBUG RELOAD NOSAVE", "+OK")]);
    session.wait(0);
    assert_eq!(session.received(&mut waits), "*2 $4 list $1 v");
    for watches in [&mut one, &mut other] {
        session.run_as(watches, "MULTI");
        assert_eq!(session.run_as(watches, "EXEC"), "*-1");
    }
}

#[test]
fn keys_whose_time_has_come_are_not_loaded_again() {
    let (mut session, _folder) = session();
    session.expect(&[("SET k v PX 100", "+OK"), ("SET l v", "+OK"), ("SAVE", "+OK")]);
    session.wait(101);
    session.expect(&[("DEBUG RELOAD NOSAVE", "+OK"), ("DBSIZE", ":1")]);
}

#[test]
fn requests_are_refused_while_loading() {
    let (mut session, _folder) = session();
    session.expect(&[("CONFIG SET maxmemory 1", "+OK")]);
    session.server.status.starting = true;
    let loading = "-LOADING Redis is loading the dataset in memory";
    session.expect(&[
        ("GET k", loading),
        ("SET k v", loading),
        ("PING", loading),
        ("BGSAVE", loading),
        ("SAVE", loading),
    ]);
    assert_eq!(session.info("loading"), "1");
    session.expect(&[
        ("MULTI", "+OK"),
        ("GET k", loading),
        ("EXEC", "-EXECABORT Transaction discarded because of previous errors."),
    ]);
    session.expect(&[("SHUTDOWN SAVE", "")]);
    assert!(session.server.shutdown);
}

#[test]
fn files_that_cannot_be_loaded() {
    let (session, folder) = session();
    let path = folder.path().join("dump.rdb");
    let (mut session, shown) = (session, path.display().to_string());
    session.expect(&[("SET k v", "+OK"), ("SAVE", "+OK")]);
    let good = std::fs::read(&path).unwrap();
    let mut cut = good.clone();
    cut.truncate(good.len() - 12);
    let mut foreign = good.clone();
    foreign[..9].copy_from_slice(b"REDIS0099");
    let mut changed = good.clone();
    changed[good.len() - 10] ^= 1;
    for (bytes, reason) in [
        (cut, format!("unexpected end, at byte {}", good.len() - 12)),
        (foreign, "RDB version 99 is not supported, at byte 5".into()),
        (changed, format!("wrong checksum, at byte {}", good.len() - 8)),
        (b"*1\r\n$4\r\nPING\r\n".to_vec(), "not an RDB file, at byte 0".into()),
    ] {
        std::fs::write(&path, &bytes).unwrap();
        let config = Config { dir: Some(folder.path().into()), ..Config::default() };
        let mut other = Session::with(config);
        other.server.begin_start().unwrap();
        while other.server.loading.is_some() {
            other.server.advance_loading();
        }
        assert_eq!(other.server.failure, Some(format!("cannot load {shown}: {reason}")));
        assert_eq!(std::fs::read(&path).unwrap(), bytes);
    }
}

/// Loads a stream that comes in pieces, and returns what came of it: the bytes that are behind the file.
fn load_stream(session: &mut Session, options: LoadOptions, bytes: &[u8]) -> Result<Vec<u8>, String> {
    let outcome = std::rc::Rc::new(std::cell::RefCell::new(None));
    let told = outcome.clone();
    let done = move |_: &mut crate::server::state::Server,
                     result: Result<crate::server::loading::LoadedFile, String>| {
        *told.borrow_mut() = Some(result.map(|file| file.rest));
    };
    session.server.begin_loading_stream(options, Box::new(done)).unwrap();
    let mut pieces = bytes.chunks(7);
    // It may have ended before all that is behind the file is there.
    while session.server.loading.is_some()
        && let Some(piece) = pieces.next()
    {
        assert!(session.server.loading_room() > 0);
        session.server.feed_loading(piece.to_vec());
        session.server.advance_loading();
    }
    session.server.end_loading_stream();
    while session.server.loading.is_some() {
        session.server.advance_loading();
    }
    outcome.take().unwrap().map(|rest| [rest, pieces.flatten().copied().collect()].concat())
}

#[test]
fn a_stream_is_loaded_in_place_or_aside() {
    let (mut session, folder) = session();
    session.expect(&[("SET k new", "+OK"), ("SAVE", "+OK"), ("SET k old", "+OK"), ("SET other 1", "+OK")]);
    let file = std::fs::read(folder.path().join("dump.rdb")).unwrap();
    let aside = LoadOptions { aside: true, ..LoadOptions::default() };
    // A stream that ends early leaves everything as it was.
    let error = load_stream(&mut session, aside, &file[..file.len() - 3]).unwrap_err();
    assert!(error.starts_with("unexpected end, at byte "), "{error}");
    session.expect(&[("GET k", "$3 old"), ("WATCH k", "+OK"), ("MULTI", "+OK"), ("PING", "+QUEUED")]);
    assert!(!session.server.is_loading());
    assert_eq!(load_stream(&mut session, aside, &[&file[..], b"and more"].concat()).unwrap(), b"and more");
    session.expect(&[("EXEC", "*-1"), ("GET k", "$3 new"), ("EXISTS other", ":0")]);
    // In place it is for whoever begins to make room.
    let error = load_stream(&mut session, LoadOptions::default(), &file).unwrap_err();
    assert!(error.starts_with("duplicated key, at byte "), "{error}");
    session.server.databases.take();
    assert_eq!(load_stream(&mut session, LoadOptions::default(), &file), Ok(Vec::new()));
    session.expect(&[("GET k", "$3 new")]);
}

#[test]
fn changes_are_counted_by_element() {
    let (mut session, _folder) = session();
    for (line, changes) in [
        ("RPUSH l a b c d e", 5),
        ("LTRIM l 0 1", 3),
        ("LPOP l 2", 2),
        ("HSET h a 1 b 2", 2),
        ("HSET h a 1", 1),
        ("HSETNX h a 1", 0),
        ("HDEL h a b none", 2),
        ("SADD s 1 2 3 4 1", 4),
        ("SADD t 1", 1),
        ("SMOVE s t 1", 1),
        ("SMOVE s t 2", 2),
        ("SPOP s 2", 2),
        ("ZADD z 1 a 2 b 3 c", 3),
        ("ZADD z 1 a 4 b", 1),
        ("ZPOPMIN z 2", 2),
        ("ZREM z none b", 1),
        ("ZADD w inf a 1 b 2 c", 3),
        ("ZINCRBY w -inf a", 0),
        ("ZREMRANGEBYRANK w 0 1", 2),
        ("DEL w", 1),
        ("MSET x 1 y 2", 2),
        ("DEL x y none", 2),
        ("XADD q 1 f v", 1),
        ("XGROUP CREATE q g 0", 1),
        ("XGROUP CREATECONSUMER q g c", 1),
        ("XGROUP CREATECONSUMER q g c", 0),
        ("FLUSHDB", 2),
    ] {
        let before = session.server.databases.dirty;
        session.run(line);
        assert_eq!(session.server.databases.dirty - before, changes, "{line}");
    }
}

#[test]
fn what_debug_does_is_no_change() {
    let (mut session, _folder) = session();
    session.expect(&[
        ("SET key:1 own", "+OK"),
        ("DEBUG POPULATE 3", "+OK"),
        ("GET key:1", "$3 own"),
        ("GET key:2", "$7 value:2"),
        ("SAVE", "+OK"),
        ("DEBUG RELOAD NOSAVE", "+OK"),
    ]);
    assert_eq!(session.info("rdb_changes_since_last_save"), "0");
}

#[test]
fn what_is_loaded_again_is_what_was_saved() {
    let (mut session, _folder) = session();
    session.expect(&[("SAVE", "+OK"), ("SET k v", "+OK"), ("DEBUG RELOAD NOSAVE", "+OK"), ("GET k", "$-1")]);
    assert_eq!(session.info("rdb_changes_since_last_save"), "0");
}

#[test]
fn a_transaction_is_refused_if_what_it_writes_would_be() {
    let (mut session, folder) = session();
    session.server.config.saving.points = vec![SavePoint { seconds: 3600, changes: 1_000_000 }];
    std::fs::create_dir_all(folder.path().join("dump.rdb").join("full")).unwrap();
    let mut other = session.other();
    session.expect(&[("MULTI", "+OK"), ("SET k v", "+QUEUED")]);
    session.run_as(&mut other, "SET k w");
    session.run_as(&mut other, "BGSAVE");
    finish(&mut session);
    let reply = session.run("EXEC");
    assert!(reply.starts_with("-EXECABORT Transaction discarded because of: MISCONF "), "{reply}");
}
