//! A replica and its primary, whose loops turn only when the test says so: neither does anything regularly.

use crate::clients::client::Client;
use crate::clients::replica;
use crate::config::choices::DisklessLoad;
use crate::config::settings::Config;
use crate::net::turns::Turns;
use crate::replication::link::Phase;
use ae::Listener;
use std::io::Write;
use testkit::eventually;

struct Pair {
    primary: Turns,
    replica: Turns,
    _listener: Listener,
}

impl Pair {
    /// The replica has its copy.
    fn new() -> Pair {
        let pair = Pair::begin("PING", |_| ());
        pair.until("the stream", |pair| pair.replica.net().server.replication.link.as_ref().unwrap().is_up());
        pair
    }

    /// The primary has done what a request asks for, and the replica is going to connect.
    fn begin(request: &str, change: impl FnOnce(&mut Config)) -> Pair {
        let primary = Turns::new(|config, _| {
            config.replication.diskless_delay = 0;
            config.saving.compression = false;
        });
        primary.ask(&mut primary.connect(), request);
        let replica = Turns::new(|config, _| change(config));
        let listener = Listener::tcp(&primary.el, &["127.0.0.1"], 0, 10).unwrap();
        let accepts = primary.shared.clone();
        listener.on_accept(10, move |conn, peer| accepts.with(|net| net.on_accept(conn, peer))).unwrap();
        replica.net().server.become_replica("127.0.0.1", listener.local_addrs()[0].port());
        Pair { primary, replica, _listener: listener }
    }

    fn until(&self, what: &str, reached: impl Fn(&Pair) -> bool) {
        eventually(what, || {
            for turns in [&self.primary, &self.replica] {
                turns.handle();
                turns.before_sleep();
            }
            reached(self).then_some(())
        });
    }
}

/// What has changed meanwhile waits for that.
#[test]
fn a_replica_that_has_its_copy_says_so_at_once() {
    let is_online = |client: &Client| client.replica.as_ref().is_some_and(|it| it.phase == replica::Phase::Online);
    Pair::new().until("it is online", |pair| is_online(&pair.primary.last_client()));
}

#[test]
fn a_primary_is_idle_since_its_stream_came() {
    let pair = Pair::new();
    let mut client = pair.primary.connect();
    let is_idle = |client: &Client| client.is_primary && client.last_active < -500_000;
    pair.replica.change_last_client(|client| client.last_active -= 1_000_000);
    assert!(is_idle(&pair.replica.last_client()));
    assert_eq!(pair.primary.ask(&mut client, "SET k v"), "+OK");
    pair.until("the change", |pair| pair.replica.net().server.databases[0].len() == 1);
    assert!(!is_idle(&pair.replica.last_client()));
}

/// It may have nothing to send when it is read again.
#[test]
fn a_primary_that_is_not_read_is_not_silent() {
    let pair = Pair::begin("DEBUG POPULATE 100 key 100000", |config| {
        config.replication.diskless_load = DisklessLoad::SwapDb;
        config.saving.key_load_delay = 1_000_000_000;
    });
    let is_read = |pair: &Pair| pair.replica.net().primary.as_ref().is_some_and(|link| link.reads);
    let comes = |pair: &Pair| pair.replica.net().server.replication.link.as_ref().unwrap().phase == Phase::Transfer;
    pair.until("there is no room", |pair| comes(pair) && !is_read(pair));
    {
        let server = &mut pair.replica.net().server;
        server.replication.link.as_mut().unwrap().heard_at -= 1_000_000;
        server.config.saving.key_load_delay = 0;
    }
    eventually("it is read again", || {
        pair.replica.before_sleep();
        is_read(&pair).then_some(())
    });
    pair.replica.before_sleep();
    assert!(comes(&pair));
}

/// It sees none of what has come meanwhile.
#[test]
fn a_stream_waits_for_the_end_of_a_script() {
    let pair = Pair::new();
    let (mut writer, mut reader) = (pair.primary.connect(), pair.replica.connect());
    assert_eq!(pair.replica.ask(&mut reader, "CONFIG SET busy-reply-threshold 1"), "+OK");
    // It comes before the stream.
    let script = "EVAL \"for i = 1, 10000000 do end return redis.call('exists', 'k')\" 0\r\n";
    reader.write_all(script.as_bytes()).unwrap();
    assert_eq!(pair.primary.ask(&mut writer, "SET k v"), "+OK");
    assert_eq!(pair.replica.ask(&mut reader, "PING"), ":0 +PONG");
    pair.until("the change", |pair| pair.replica.net().server.databases[0].len() == 1);
}
