//! What is done in one turn of the loop, and not left to the next one.

use crate::clients::client::Replies;
use crate::clients::replica;
use crate::config::choices::Fsync;
use crate::log::{Level, heard};
use crate::net::turns::Turns;
use crate::persist::aof::disk::faults::{EIO, Fault};
use crate::replication::link::Phase;
use ae::{EventLoop, Listener};
use std::io::Write;
use std::rc::Rc;

#[test]
fn what_expires_before_a_sleep_is_told_before_it() {
    let turns = Turns::new(|config, _| config.append_only.on = true);
    let (mut client, mut subscriber) = (turns.connect(), turns.connect());
    assert_eq!(turns.ask(&mut client, "CONFIG SET notify-keyspace-events Ex\r\nSET k v EX 100"), "+OK +OK");
    turns.ask(&mut subscriber, "SUBSCRIBE __keyevent@0__:expired");
    turns.net().server.set_streams(true, true);
    let offset = turns.net().server.replication.offset;
    turns.net().server.now += 200_000;
    turns.before_sleep();
    assert_eq!(subscriber.received(), "*3 $7 message $22 __keyevent@0__:expired $1 k");
    assert!(turns.log().contains("DEL\r\n$1\r\nk\r\n"), "{}", turns.log());
    assert!(turns.net().server.replication.offset > offset);
}

/// Both come in slices, so that others get their turn, and go on at once.
#[test]
fn loading_and_saving_go_on_without_a_sleep() {
    let begin = [
        |_: &Turns| (),
        |turns: &Turns| {
            let mut client = turns.connect();
            assert_eq!(turns.ask(&mut client, "DEBUG POPULATE 50000"), "+OK");
            turns.ask(&mut client, "BGSAVE");
        },
    ];
    let saved = {
        let turns = Turns::new(|_, _| ());
        begin[1](&turns);
        let mut at_once = false;
        while turns.net().server.snapshot.is_some() {
            at_once |= turns.before_sleep();
            turns.handle();
        }
        assert!(at_once, "saving");
        std::fs::read(turns.path().join("dump.rdb")).unwrap()
    };
    for log in [false, true] {
        let turns = Turns::new(|config, folder| {
            config.append_only.on = log;
            let path = if log { "appendonly.aof" } else { "dump.rdb" };
            std::fs::write(folder.join(path), &saved).unwrap();
        });
        let mut at_once = 0;
        while turns.net().server.status.starting {
            let goes_on = turns.before_sleep();
            at_once += usize::from(goes_on);
            if log && !turns.net().server.status.starting {
                assert!(goes_on, "whoever waits for the end waits on");
            }
            turns.handle();
        }
        assert!(at_once > 1, "loading {log}");
        assert_eq!(turns.ask(&mut turns.connect(), "DBSIZE"), ":50000");
    }
}

#[test]
fn an_end_does_not_wait_for_another_event() {
    let turns = Turns::new(|_, _| ());
    let mut client = turns.connect();
    assert!(!turns.before_sleep());
    turns.ask(&mut client, "SHUTDOWN NOSAVE");
    assert!(turns.before_sleep());
}

/// One turn in a while is followed by a look instead of a sleep, to see whether that is worth it.
#[test]
fn a_busy_server_polls_if_it_may() {
    for busy_poll in [true, false] {
        let turns = Turns::new(|config, _| config.busy_poll = busy_poll);
        let mut client = turns.connect();
        let mut polls = false;
        for _ in 0..100 {
            assert_eq!(turns.ask(&mut client, "PING"), "+PONG");
            polls |= turns.el.timeout().is_some_and(|timeout| timeout.is_zero());
        }
        assert_eq!(polls, busy_poll);
    }
}

/// Programs that have a server in them may start and end many.
#[test]
fn nothing_is_left_of_a_server_that_has_ended() {
    let other = EventLoop::new(100).unwrap();
    let primary = Listener::tcp(&other, &["127.0.0.1"], 0, 511).unwrap();
    let port = primary.local_addrs()[0].port();
    let turns = Turns::new(|config, _| config.replication.primary = Some(("127.0.0.1".into(), port)));
    let mut client = turns.connect();
    assert_eq!(turns.ask(&mut client, "PING"), "+PONG");
    assert_eq!(turns.net().server.replication.link.as_ref().unwrap().phase, Phase::Connecting);
    let net = Rc::downgrade(&turns.shared.net);
    drop(turns);
    assert!(net.upgrade().is_none());
    assert_eq!(client.received(), "closed");
}

#[test]
fn what_a_slow_sync_has_put_off_is_written_at_the_end() {
    let turns = Turns::new(|config, _| config.append_only.on = true);
    let mut client = turns.connect();
    let disk = turns.net().server.append_only.disk.clone();
    let syncs = disk.faults.hold_syncs();
    for request in ["SET a 1", "SET b 2"] {
        assert_eq!(turns.ask(&mut client, request), "+OK");
        turns.net().server.ticks += 1000;
        assert!(turns.net().server.flush_log());
    }
    assert!(turns.net().server.append_only.log.as_ref().unwrap().pending() > 0);
    drop(syncs);
    turns.shared.close();
    assert!(turns.log().contains("$1\r\nb\r\n$1\r\n2\r\n"), "{}", turns.log());
}

/// By what it has sent as well as by what it has been sent.
#[test]
fn a_client_is_idle_since_there_was_traffic() {
    let turns = Turns::new(|_, _| ());
    let (mut other, mut client) = (turns.connect(), turns.connect());
    let is_idle = |act: &mut dyn FnMut()| {
        turns.change_last_client(|client| client.last_active -= 1_000_000);
        act();
        turns.last_client().last_active < -500_000
    };
    assert!(is_idle(&mut || _ = turns.ask(&mut other, "PING")));
    turns.change_last_client(|client| client.replies = Replies::Off);
    assert!(!is_idle(&mut || _ = turns.ask(&mut client, "PING")));
    assert!(!is_idle(&mut || _ = turns.ask(&mut client, "SUBSCRIBE c")));
    assert!(!is_idle(&mut || _ = turns.ask(&mut other, "PUBLISH c m")));
}

#[test]
fn what_the_append_only_file_lacks_at_the_end_is_told_once() {
    let turns = Turns::new(|config, _| config.append_only.on = true);
    turns.net().server.append_only.disk.faults.plan(0..100, Fault::Error(EIO));
    turns.ask(&mut turns.connect(), "SET k v");
    turns.shared.close();
    heard::told(Level::Warning, "append-only file: the last changes could not be written");
    turns.shared.close();
    heard::expect(Level::Warning, &[""; 0]);
}

/// Nothing that has been answered is lost, whoever's request has changed it.
#[test]
fn changes_are_logged_before_replies_are_written() {
    let turns = Turns::new(|config, _| config.append_only.on = true);
    let (mut other, mut client) = (turns.connect(), turns.connect());
    // Its socket is full, and then it has read all that is there: with its next request it is readable and writable.
    assert_eq!(turns.ask(&mut client, "SETRANGE large 999999 v"), ":1000000");
    client.write_all(b"GET large\r\n").unwrap();
    turns.handle();
    turns.before_sleep();
    assert!(!client.received().ends_with('v'));
    client.write_all(b"SET first v\r\n").unwrap();
    while !client.received().ends_with("+OK") {
        turns.handle();
    }
    assert!(turns.log().contains("first"));
    // One that has ended its requests is answered by another's.
    client.write_all(b"BLPOP list 0\r\n").unwrap();
    turns.handle();
    turns.handle();
    other.write_all(b"RPUSH list last\r\n").unwrap();
    client.finish_sending();
    turns.handle();
    assert_eq!(client.received(), "*2 $4 list $4 last closed");
    assert!(turns.log().contains("last"));
}

/// It cannot be told whether that is safe.
#[test]
fn who_has_changed_what_cannot_be_written_is_disconnected() {
    let turns = Turns::new(|config, _| {
        config.append_only.on = true;
        config.append_only.fsync = Fsync::Always;
    });
    let (mut client, mut silent, mut other) = (turns.connect(), turns.connect(), turns.connect());
    assert_eq!(turns.ask(&mut client, "SET a 1"), "+OK");
    assert_eq!(turns.ask(&mut silent, "CLIENT REPLY OFF"), "");
    let disk = turns.net().server.append_only.disk.clone();
    disk.faults.plan(0..1000, Fault::Error(EIO));
    client.write_all(b"SET a 2\r\n").unwrap();
    silent.write_all(b"SET b 2\r\n").unwrap();
    turns.handle();
    turns.before_sleep();
    assert_eq!([client.received(), silent.received()], ["closed", "closed"]);
    assert_eq!(turns.ask(&mut other, "MGET a b"), "*2 $1 2 $1 2");
}

/// Threads write and read; without a cron nobody else wakes the loop.
#[test]
fn saving_and_loading_go_on_as_soon_as_threads_are_ready() {
    let until = |turns: &Turns, done: fn(&Turns) -> bool| {
        turns.before_sleep();
        while !done(turns) {
            turns.el.run_once(true).unwrap();
            turns.before_sleep();
        }
    };
    let is_saved = |turns: &Turns| turns.net().server.snapshot.is_none();
    let is_loaded = |turns: &Turns| !turns.net().server.status.starting;
    let turns = Turns::new(|config, _| (config.busy_poll, config.saving.compression) = (false, false));
    let mut client = turns.connect();
    // More than may wait for the thread.
    assert_eq!(turns.ask(&mut client, "DEBUG POPULATE 200 key 100000"), "+OK");
    turns.ask(&mut client, "BGSAVE");
    until(&turns, is_saved);
    let file = std::fs::read(turns.path().join("dump.rdb")).unwrap();
    let turns = Turns::new(|config, folder| {
        config.busy_poll = false;
        std::fs::write(folder.join("dump.rdb"), &file).unwrap();
    });
    until(&turns, is_loaded);
    assert_eq!(turns.ask(&mut turns.connect(), "DBSIZE"), ":200");
}

#[test]
fn the_loop_wakes_when_the_first_wait_ends() {
    let turns = Turns::new(|config, _| config.busy_poll = false);
    let (mut client, mut other) = (turns.connect(), turns.connect());
    assert_eq!(turns.el.timeout(), None);
    turns.ask(&mut client, "BLPOP k 1000");
    let sleeps_for = |from, to| (from..=to).contains(&turns.el.timeout().unwrap().as_secs());
    assert!(sleeps_for(100, 1000));
    turns.ask(&mut other, "CLIENT PAUSE 100000 WRITE");
    assert!(sleeps_for(0, 100));
    // For nobody any more.
    turns.ask(&mut other, "CLIENT UNPAUSE");
    turns.ask(&mut other, "RPUSH k v");
    assert_eq!(client.received(), "*2 $1 k $1 v");
    turns.before_sleep();
    // What held a timer that has been cancelled goes.
    turns.el.run_once(false).unwrap();
    assert_eq!(turns.el.timeout(), None);
}

#[test]
fn who_waits_for_a_stream_that_expires_is_told() {
    let turns = Turns::new(|_, _| ());
    let (mut client, mut other) = (turns.connect(), turns.connect());
    assert_eq!(turns.ask(&mut other, "XGROUP CREATE s g $ MKSTREAM\r\nEXPIRE s 100"), "+OK :1");
    assert_eq!(turns.ask(&mut client, "XREADGROUP GROUP g c BLOCK 0 STREAMS s >"), "");
    turns.net().server.now += 200_000;
    turns.before_sleep();
    turns.before_sleep();
    assert!(client.received().starts_with('-'));
}

/// What others are told, too: of keys that have expired, without any request.
#[test]
fn clients_are_closed_for_messages_that_they_do_not_take() {
    let turns = Turns::new(|_, _| ());
    let (mut client, mut subscriber) = (turns.connect(), turns.connect());
    turns.ask(&mut client, "CONFIG SET notify-keyspace-events Ex maxmemory-clients 1000000");
    turns.ask(&mut subscriber, "SUBSCRIBE __keyevent@0__:expired");
    for letter in ["a", "b", "c", "d"] {
        assert_eq!(turns.ask(&mut client, &format!("SET {} v EX 100", letter.repeat(60_000))), "+OK");
    }
    turns.change_last_client(|client| client.output.attach(vec![0; 900_000].into()));
    turns.net().server.now += 200_000;
    turns.before_sleep();
    assert!(subscriber.received().ends_with("closed"));
    assert_eq!(turns.ask(&mut client, "PING"), "+PONG");
}

#[test]
fn a_primary_that_says_nothing_is_given_up_after_the_time_out_and_tried_again() {
    let other = EventLoop::new(100).unwrap();
    let primary = Listener::tcp(&other, &["127.0.0.1"], 0, 511).unwrap();
    let port = primary.local_addrs()[0].port();
    let turns = Turns::new(|config, _| {
        config.replication.primary = Some(("127.0.0.1".into(), port));
        config.replication.timeout = 60;
    });
    let later = |millis: i64| {
        turns.net().server.ticks += millis;
        turns.before_sleep();
        turns.net().server.replication.link.as_ref().unwrap().phase
    };
    // Nobody has heard of it for long.
    assert_eq!(later(1_000_000), Phase::Connecting);
    assert_eq!(later(60_000), Phase::Connecting);
    while later(0) == Phase::Connecting {
        turns.handle();
    }
    heard::take();
    let phases = [later(60_000), later(1), later(999), later(1)];
    heard::told(Level::Warning, &format!("replication from 127.0.0.1:{port}: a time-out"));
    assert_eq!(phases, [Phase::Handshake, Phase::Connect, Phase::Connect, Phase::Connecting]);
}

#[test]
fn who_is_closed_by_the_clock_is_told() {
    let turns = Turns::new(|_, _| ());
    let mut idle = turns.connect();
    let mut has_been_idle_for = |millis: i64, timeout: u32| {
        turns.change_last_client(|client| client.last_active -= millis);
        turns.net().server.config.timeout = timeout;
        heard::take();
        turns.net().cron();
        idle.received()
    };
    // Less than the time-out by as long as this test may take.
    assert_eq!(has_been_idle_for(60_000, 3600), "");
    assert_eq!(has_been_idle_for(1, 60), "closed");
    heard::told(Level::Verbose, "closed idle client ");

    let mut replica = turns.connect();
    replica.write_all(b"PSYNC ? -1\r\n").unwrap();
    turns.handle();
    turns.change_last_client(|client| {
        let replica = client.replica.as_mut().unwrap();
        (replica.phase, replica.heard_at) = (replica::Phase::Online, replica.heard_at - 61_000);
    });
    turns.net().server.replication.looked_at -= 1000;
    turns.net().cron();
    heard::told(Level::Warning, "closed the replica ");
    assert!(replica.received().ends_with("closed"));
}

/// The copy and the stream, to each replica; not what other clients are sent.
#[test]
fn what_replicas_are_sent_is_counted() {
    let turns = Turns::new(|config, _| config.replication.diskless_delay = 0);
    let (mut other, mut replicas) = (turns.connect(), [(); 2].map(|()| turns.connect()));
    let before = turns.net().server.stats.bytes_out;
    for replica in &mut replicas {
        replica.write_all(b"PSYNC ? -1\r\n").unwrap();
    }
    let mut received = [const { Vec::new() }; 2];
    let mut take = |part: &[u8]| {
        while !received.iter().all(|bytes| bytes.windows(part.len()).any(|window| window == part)) {
            turns.handle();
            turns.before_sleep();
            turns.net().cron();
            received.iter_mut().zip(&mut replicas).for_each(|(bytes, replica)| _ = replica.receive(bytes));
        }
        received.iter().map(|bytes| bytes.len() as u64).sum::<u64>()
    };
    take(b"REDIS");
    assert_eq!(turns.ask(&mut other, "SET k v"), "+OK");
    let sent = take(b"\r\n$3\r\nSET\r\n$1\r\nk\r\n$1\r\nv\r\n");
    let stats = &turns.net().server.stats;
    assert_eq!((stats.repl_bytes_out, stats.bytes_out - before), (sent, sent + 5));
}

/// It may only be slow, and so may the server.
#[test]
fn who_has_sent_all_and_takes_nothing_is_given_up_after_some_looks_and_two_seconds() {
    let turns = Turns::new(|_, _| ());
    let mut client = turns.connect();
    turns.change_last_client(|client| client.output.attach(vec![0; 10_000_000].into()));
    client.write_all(b"QUIT\r\n").unwrap();
    client.finish_sending();
    turns.handle();
    turns.before_sleep();
    let gone = |ticks: i64| {
        let net = &mut *turns.net();
        net.unread.gone(&net.server.clients, ticks)
    };
    for ticks in [1000, 9000, 2999, 2999, 2999, 2999, 2999, 2999, 2999, 2999, 2999] {
        assert_eq!(gone(ticks), [], "{ticks}");
    }
    assert_eq!(gone(3000), [turns.last_client().fd()]);
    assert_eq!(gone(3000), []);
}
