use super::*;
use crate::config::choices::{Allowed, Share};
use proptest::prelude::*;
use std::collections::HashSet;

fn set(name: &str, value: &str) -> Result<String, String> {
    let mut config = Config::default();
    let (_, parameter) = find(name.as_bytes()).unwrap();
    parameter.set_text(&mut config, value.as_bytes())?;
    Ok(String::from_utf8(parameter.get(&config)).unwrap())
}

fn refused(name: &str, value: &str) -> String {
    set(name, value).expect_err(value)
}

#[test]
fn every_default_can_be_set_again_and_warns_of_nothing() {
    // To stop being a replica takes two words, as in Redis.
    for parameter in parameters().filter(|parameter| parameter.name != "replicaof") {
        let mut config = Config::default();
        let value = parameter.get(&config);
        parameter.set_text(&mut config, &value).unwrap_or_else(|error| panic!("{}: {error}", parameter.name));
        assert_eq!(parameter.get(&config), value, "{}", parameter.name);
        assert_eq!(parameter.warning(&config), None);
    }
}

#[test]
fn every_name_is_there_once() {
    let mut seen = HashSet::new();
    for (name, _) in names() {
        assert!(seen.insert(name), "{name} is there twice");
    }
}

#[test]
fn every_directive_that_is_kept_says_why() {
    let mut config = Config::default();
    config.obsolete.push("lua-replicate-commands");
    for (name, value) in [("io-threads", "4"), ("lazyfree-lazy-expire", "yes"), ("replica-lazy-flush", "yes")] {
        find(name.as_bytes()).unwrap().1.set_text(&mut config, value.as_bytes()).unwrap();
    }
    let expected = [
        "lazyfree-lazy-expire has no effect: large values are always freed piece by piece",
        "replica-lazy-flush has no effect: large values are always freed piece by piece, and whole databases in a thread",
        "lua-replicate-commands has no effect: it is obsolete",
    ];
    let warnings: Vec<_> = warnings(&config).collect();
    assert_eq!(warnings[0], "io-threads has no effect: one thread does all input and output");
    assert_eq!(warnings[1..], expected);
}

#[test]
fn numbers() {
    assert_eq!(refused("port", "65536"), "argument must be between 0 and 65535 inclusive");
    assert_eq!(refused("port", "x"), "argument couldn't be parsed into an integer");
    assert_eq!(refused("PORT", "07"), "argument couldn't be parsed into an integer");
    assert_eq!(refused("timeout", "-1"), "argument must be between 0 and 2147483647 inclusive");
    assert_eq!(set("slowlog-log-slower-than", "-1").unwrap(), "-1");
    assert_eq!(set("list-max-ziplist-size", "-5").unwrap(), "-5");
    assert_eq!(set("unixsocketperm", "770").unwrap(), "770");
    assert_eq!(refused("unixsocketperm", "888"), "argument couldn't be parsed as an octal number");
    assert_eq!(refused("unixsocketperm", "1000"), "argument must be between 0 and 777 inclusive");
}

#[test]
fn bytes() {
    assert_eq!(set("proto-max-bulk-len", "2mb").unwrap(), "2097152");
    assert_eq!(set("client-query-buffer-limit", "5GB").unwrap(), "5368709120");
    assert_eq!(set("proto-max-bulk-len", "9223372036854775807b").unwrap(), "9223372036854775807");
    let range = "argument must be between 1048576 and 9223372036854775807 inclusive";
    for bad in ["", "1", "mb", "9223372036854775808", "99999999999999999999gb"] {
        assert_eq!(refused("proto-max-bulk-len", bad), range, "{bad}");
    }
    for bad in ["x", "-1", "1.5mb", "1 mb", "1tb", "\u{e9}"] {
        assert_eq!(refused("proto-max-bulk-len", bad), "argument must be a memory value", "{bad}");
    }
    assert_eq!(set("maxmemory-clients", "5%").unwrap(), "5%");
    assert_eq!(set("maxmemory-clients", "1k").unwrap(), "1000");
    assert_eq!(refused("maxmemory-clients", "101%"), "percentage argument must be less or equal to 100");
    assert_eq!(refused("maxmemory-clients", "-5%"), "argument must be a memory or percent value");
}

#[test]
fn names_of_choices() {
    assert_eq!(set("protected-mode", "NO").unwrap(), "no");
    assert_eq!(refused("protected-mode", "maybe"), "argument must be 'yes' or 'no'");
    assert_eq!(set("maxmemory-policy", "AllKeys-LRU").unwrap(), "allkeys-lru");
    assert_eq!(set("oom-score-adj", "relative").unwrap(), "yes");
    assert_eq!(set("tls-auth-clients", "optional").unwrap(), "optional");
    assert_eq!(refused("appendfsync", "x"), "argument(s) must be one of the following: everysec, always, no");
    assert_eq!(set("shutdown-on-sigint", "force nosave now").unwrap(), "nosave now force");
    let both = "shutdown options SAVE and NOSAVE can't be used simultaneously";
    assert_eq!(refused("shutdown-on-sigint", "save nosave"), both);
}

#[test]
fn words_of_their_own_kind() {
    assert_eq!(set("bind", "127.0.0.1 -::1").unwrap(), "127.0.0.1 -::1");
    assert_eq!(refused("bind", &"a ".repeat(17)), "Too many bind addresses specified.");
    assert_eq!(set("latency-tracking-info-percentiles", "0.50 1e1 100").unwrap(), "0.5 10 100");
    assert_eq!(set("latency-tracking-info-percentiles", "").unwrap(), "");
    let parameters = "Invalid latency-tracking-info-percentiles parameters";
    assert_eq!(refused("latency-tracking-info-percentiles", "50 nan"), parameters);
    assert_eq!(refused("latency-tracking-info-percentiles", "1e400"), parameters);
    assert_eq!(set("latency-tracking-info-percentiles", "0x10").unwrap(), "16");
    assert_eq!(set("oom-score-adj-values", "-2000 0 2000").unwrap(), "-2000 0 2000");
    assert_eq!(refused("oom-score-adj-values", "1 2"), "wrong number of arguments");
    let range = "Invalid oom-score-adj-values, elements must be between -2000 and 2000.";
    assert_eq!(refused("oom-score-adj-values", "1 2 2001"), range);
    assert_eq!(refused("dir", "/nosuch"), "No such file or directory");
    assert_eq!(refused("dir", "/dev/null"), "Not a directory");
    assert_eq!(set("notify-keyspace-events", "KEA").unwrap(), "AKE");
    assert_eq!(set("proc-title-template", "{title}: {{x}} {port}").unwrap(), "{title}: {{x}} {port}");
    let template = "template format is invalid or contains unknown variables";
    for bad in ["{", "{x}", "{title", "{ title}", "", " {title} "] {
        assert_eq!(refused("proc-title-template", bad), template, "{bad}");
    }
}

#[test]
fn the_units_of_bytes() {
    let units = [("b", 1u64), ("k", 1000), ("kb", 1024), ("m", 1_000_000), ("mb", 1 << 20), ("g", 1_000_000_000)];
    for (unit, bytes) in units {
        assert_eq!(set("maxmemory", &format!("3{unit}")).unwrap(), (3 * bytes).to_string());
    }
}

#[test]
fn the_last_value_that_is_taken() {
    assert_eq!(set("bind", &["a"; 16].join(" ")).unwrap(), ["a"; 16].join(" "));
    assert_eq!(set("cluster-announce-hostname", &"a".repeat(255)).unwrap(), "a".repeat(255));
    assert_eq!(refused("cluster-announce-hostname", &"a".repeat(256)), "Hostnames must be less than 256 characters");
    let limit = |seconds: &str| set("client-output-buffer-limit", &format!("pubsub 2 1 {seconds}"));
    assert!(limit("2147483647").unwrap().ends_with("pubsub 2 1 2147483647"));
    assert!(limit("2147483648").is_err());
}

#[test]
fn what_is_out_of_range_and_taken_is_the_nearest() {
    assert_eq!((set("hz", "0").unwrap(), set("hz", "501").unwrap()), ("1".into(), "500".into()));
    assert_eq!(set("repl-backlog-size", "1").unwrap(), "16384");
}

#[test]
fn nothing_where_there_may_be_nothing() {
    let before = set("client-output-buffer-limit", "").unwrap();
    assert!(before.starts_with("normal 0 0 0 "), "{before}");
    let mut config = Config { unix_socket: Some("redis.sock".into()), ..Config::default() };
    find(b"unixsocket").unwrap().1.set_text(&mut config, b"").unwrap();
    assert_eq!(config.unix_socket, None);
}

#[test]
fn no_limit_on_what_tls_keeps() {
    for name in ["tls-handshake-timeout", "tls-session-cache-size"] {
        assert_eq!(set(name, "0").unwrap(), "0", "{name}");
    }
    let mut config = Config::default();
    find(b"tls-session-cache-size").unwrap().1.set_text(&mut config, b"0").unwrap();
    assert_eq!(config.tls.session_cache_size, Some(usize::MAX));
    find(b"tls-handshake-timeout").unwrap().1.set_text(&mut config, b"0").unwrap();
    assert_eq!(config.tls.handshake_timeout, Some(std::time::Duration::MAX));
}

#[test]
fn a_share_is_one_of_the_whole() {
    assert_eq!(Share::Percent(50).of(150), 75);
    assert_eq!(Share::Percent(100).of(u64::MAX), u64::MAX);
    assert_eq!(Share::Bytes(7).of(150), 7);
}

#[test]
fn bytes_are_written_with_their_unit() {
    let mut config = Config::default();
    for name in ["maxmemory", "maxmemory-clients"] {
        let (_, parameter) = find(name.as_bytes()).unwrap();
        for (value, line) in [("3221225472", "3gb"), ("1048576", "1mb"), ("1000", "1000"), ("0", "0")] {
            parameter.set_text(&mut config, value.as_bytes()).unwrap();
            assert_eq!(parameter.lines(&config), [line.as_bytes()], "{name}");
        }
    }
}

#[test]
fn replication_over_tls_takes_a_certificate() {
    let mut config = Config::default();
    assert_eq!(config.apply_tls(), Ok(()));
    config.replication.tls = true;
    assert_eq!(config.apply_tls(), Err("No tls-cert-file configured!".into()));
}

#[test]
fn save_points_are_set_anew() {
    let mut config = Config::default();
    let (_, save) = find(b"save").unwrap();
    save.set(&mut config, &[b"60".to_vec(), b"1".to_vec()]).unwrap();
    save.set(&mut config, &[b" 70".to_vec(), b"2".to_vec()]).unwrap();
    assert_eq!(save.get(&config), b"60 1 70 2");
    save.set(&mut config, &[Vec::new()]).unwrap();
    assert_eq!(save.get(&config), b"");
    save.set(&mut config, &[b"80".to_vec(), b"3".to_vec()]).unwrap();
    // CONFIG SET says all of them.
    save.set_text(&mut config, b"90 4").unwrap();
    assert_eq!(save.get(&config), b"90 4");
}

#[test]
fn who_may_use_what_only_local_clients_may() {
    let allowed = [Allowed::No, Allowed::Yes, Allowed::Local].map(|it| (it.allows(false), it.allows(true)));
    assert_eq!(allowed, [(false, false), (true, true), (false, true)]);
}

proptest! {
    #[test]
    fn what_a_file_is_given_sets_the_same_value(
        at in 0..parameters().count(),
        value in "[0-9]{1,5}|yes|no|[a-z%/ ]{0,8}",
    ) {
        let parameter = parameters().nth(at).unwrap();
        let mut config = Config::default();
        if parameter.set_text(&mut config, value.as_bytes()).is_ok() {
            let mut again = Config::default();
            for line in parameter.lines(&config) {
                let words = resp::words::split(&line).unwrap();
                parameter.set(&mut again, &words).unwrap();
            }
            prop_assert_eq!(parameter.get(&again), parameter.get(&config), "{}", parameter.name);
        }
    }
}

/// As C sees a value: it ends at a zero byte, and a number may have a sign.
#[test]
fn values_as_c_reads_them() {
    for (name, value, shown) in [
        ("protected-mode", "no\0x", "no"),
        ("notify-keyspace-events", "KEA\0x", "AKE"),
        ("oom-score-adj-values", "+1 -1 0", "1 -1 0"),
        ("replicaof", "No One", ""),
        // Something is left of these where a server has no title, file and socket.
        ("proc-title-template", "x{title}", "x{title}"),
        ("proc-title-template", "{title}{{", "{title}{{"),
    ] {
        assert_eq!(set(name, value).unwrap(), shown, "{name} {value}");
    }
    assert_eq!(refused("dbfilename", "a\\b"), "dbfilename can't be a path, just a filename");
}
