//! Keeping within `maxmemory`.

use crate::{field, number, start};
use testkit::{Client, eventually};

const MIB: u64 = 1024 * 1024;

/// Fills with values of 1000 bytes under different keys until a reply is not OK, at most `most` times; returns how many
/// it took and that reply.
fn fill(client: &mut Client, most: usize) -> (usize, String) {
    let value = "v".repeat(1000);
    for i in 0..most {
        let reply = client.ask(&["SET", &format!("key:{i}"), &value]);
        if reply != b"+OK" {
            return (i, String::from_utf8(reply).unwrap());
        }
    }
    (most, String::new())
}

#[test]
fn without_eviction_writes_are_refused() {
    let server = start(&[]);
    let mut client = server.connect();
    let used: u64 = field(&client.bulk("INFO memory"), "used_memory").parse().unwrap();
    client.call(&format!("CONFIG SET maxmemory {}", used + 5 * MIB), "+OK");
    let (count, reply) = fill(&mut client, 20_000);
    assert_eq!(reply, "-OOM command not allowed when used memory > 'maxmemory'.");
    assert!((1000..6000).contains(&count), "{count} keys fitted");
    let over = |client: &mut Client| {
        ["current", "total"].map(|which| number(client, "stats", &format!("{which}_eviction_exceeded_time")))
    };
    eventually("it is over the limit for a while", || (over(&mut client)[0] > 0).then_some(()));
    client.call("CONFIG SET maxmemory 1gb", "+OK");
    client.call("SET k v", "+OK");
    let ended = over(&mut client);
    assert!(ended[0] == 0 && ended[1] > 0, "{ended:?}");
    assert_eq!(over(&mut client), ended);
    client.call(&format!("CONFIG SET maxmemory {}", used + MIB), "+OK");
    client.call("DEL key:0", ":1");
    client.call("CONFIG SET maxmemory 1mb", "+OK");
    client.call("MULTI", "+OK");
    assert!(client.ask(&["SET", "k", "v"]).starts_with(b"-OOM"));
    client.call("EXEC", "-EXECABORT Transaction discarded because of previous errors.");
}

#[test]
fn eviction_keeps_within_the_limit() {
    let server = start(&["--maxmemory-policy", "allkeys-lru"]);
    let mut client = server.connect();
    let used: u64 = field(&client.bulk("INFO memory"), "used_memory").parse().unwrap();
    client.call(&format!("CONFIG SET maxmemory {}", used + 5 * MIB), "+OK");
    assert_eq!(fill(&mut client, 20_000), (20_000, String::new()));
    let info = client.bulk("INFO everything");
    let now: u64 = field(&info, "used_memory").parse().unwrap();
    assert!(now < used + 6 * MIB, "{now} bytes are used");
    let evicted: u64 = field(&info, "evicted_keys").parse().unwrap();
    assert!(evicted > 10_000, "{evicted} keys were evicted");
}

/// A small excess costs few keys: their places count as free, although the allocator has not got them back.
#[test]
fn eviction_removes_no_more_than_it_has_to() {
    let server = start(&["--maxmemory-policy", "allkeys-random", "--maxmemory-eviction-tenacity", "100"]);
    let mut client = server.connect();
    for i in 0..10_000 {
        client.send(format!("SET key:{i} {i:064}\r\n"));
    }
    (0..10_000).for_each(|_| client.expect("+OK\r\n"));
    let used = number(&mut client, "memory", "used_memory");
    client.call(&format!("CONFIG SET maxmemory {}", used - 100_000), "+OK");
    client.call("PING", "+PONG");
    let evicted = number(&mut client, "stats", "evicted_keys");
    assert!((500..5000).contains(&evicted), "{evicted} keys were evicted");
}

/// One large value is enough, also where it is freed in several rounds.
#[test]
fn eviction_of_large_values_removes_no_more_than_it_has_to() {
    let server = start(&["--maxmemory-policy", "allkeys-random", "--maxmemory-eviction-tenacity", "100"]);
    let mut client = server.connect();
    let evict = |client: &mut Client, excess: i64, evicted: i64| {
        eventually("all is freed of what has gone", || {
            (number(client, "memory", "lazyfree_pending_objects") == 0).then_some(())
        });
        let used = number(client, "memory", "used_memory");
        client.call(&format!("CONFIG SET maxmemory {}", used - excess), "+OK");
        client.call("PING", "+PONG");
        assert_eq!(number(client, "stats", "evicted_keys"), evicted);
        client.call("CONFIG SET maxmemory 0", "+OK");
    };
    for i in 0..20 {
        client.call(&format!("SETRANGE string:{i} 200000 x"), ":200001");
    }
    (1..=5).for_each(|evicted| evict(&mut client, 120_000, evicted));
    client.call("FLUSHALL", "+OK");
    let fields: Vec<String> = (0..50_000).flat_map(|i| [format!("field:{i}"), format!("{i:064}")]).collect();
    for i in 0..4 {
        let hash = format!("hash:{i}");
        let request: Vec<&str> = ["HSET", &hash].into_iter().chain(fields.iter().map(String::as_str)).collect();
        assert_eq!(client.ask(&request), b":50000");
    }
    (6..=8).for_each(|evicted| evict(&mut client, 4_000_000, evicted));
}

/// What clients that track are told of evictions takes memory as well, but causes no further ones at once.
#[test]
fn eviction_does_not_feed_itself() {
    let server = start(&["--maxmemory-policy", "allkeys-random", "--maxmemory-eviction-tenacity", "100"]);
    let mut client = server.connect();
    let mut told = server.connect();
    told.send("CLIENT ID\r\n");
    let id = told.line()[1..].to_string();
    told.send("SUBSCRIBE __redis__:invalidate\r\n");
    let mut trackers: Vec<Client> = (0..10).map(|_| server.connect()).collect();
    for tracker in &mut trackers {
        tracker.call(&format!("CLIENT TRACKING ON REDIRECT {id}"), "+OK");
    }
    for i in 0..1000 {
        let key = format!("{i:02000}");
        assert_eq!(client.ask(&["SET", &key, "v"]), b"+OK");
        for tracker in &mut trackers {
            assert_eq!(tracker.ask(&["STRLEN", &key]), b":1");
        }
    }
    let used = number(&mut client, "memory", "used_memory");
    client.call(&format!("CONFIG SET maxmemory {}", used - 100_000), "+OK");
    let evicted = number(&mut client, "stats", "evicted_keys");
    assert!((10..500).contains(&evicted), "{evicted} keys were evicted");
}

/// FLUSHALL and FLUSHDB free in a thread where they are told so, or else where the configuration says so.
#[test]
fn flushing_in_a_thread() {
    let server = start(&["--enable-debug-command", "yes"]);
    let mut client = server.connect();
    for (by_default, request, in_a_thread) in [
        ("no", "FLUSHALL", false),
        ("no", "FLUSHDB", false),
        ("no", "FLUSHALL ASYNC", true),
        ("no", "FLUSHDB ASYNC", true),
        ("yes", "FLUSHALL", true),
        ("yes", "FLUSHDB", true),
        ("yes", "FLUSHALL SYNC", false),
        ("yes", "FLUSHDB SYNC", false),
    ] {
        client.call(&format!("CONFIG SET lazyfree-lazy-user-flush {by_default}"), "+OK");
        client.call("DEBUG POPULATE 2000", "+OK");
        client.call(request, "+OK");
        eventually("everything is free", || {
            (number(&mut client, "memory", "lazyfree_pending_objects") == 0).then_some(())
        });
        let freed = number(&mut client, "memory", "lazyfreed_objects");
        assert_eq!(freed, if in_a_thread { 2000 } else { 0 }, "{by_default} {request}");
        client.call("CONFIG RESETSTAT", "+OK");
    }
}
