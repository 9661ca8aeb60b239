//! Every directive: its default, the values that it takes and those that it refuses. One without a row fails.

use crate::config::catalog::{find, names, parameters};
use crate::config::settings::Config;
use crate::log::{Level, heard};
use crate::testing::Session;
use std::collections::{BTreeMap, BTreeSet};
use tempfile::TempDir;

/// Which values a directive takes.
#[derive(Clone, Copy)]
enum Takes {
    YesOrNo,
    /// From the first to the last one.
    Numbers(i128, i128),
    /// As numbers, with a unit or without.
    Bytes(i128, i128),
    OneOf(&'static [&'static str]),
    /// Whatever is UTF-8.
    Text,
    Anything,
    /// Such as the first one, shown as the second; not the third, and why not.
    Such(&'static str, &'static str, &'static str, &'static str),
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum When {
    AnyTime,
    AtStart,
    /// Where `enable-protected-configs` allows it.
    Protected,
    /// Another value than the default needs a certificate.
    WithCertificate,
}

struct Row {
    name: &'static str,
    default: &'static str,
    takes: Takes,
    when: When,
    alias: Option<&'static str>,
    hidden: bool,
}

impl Row {
    const fn at_start(self) -> Row {
        Row { when: When::AtStart, ..self }
    }

    const fn protected(self) -> Row {
        Row { when: When::Protected, ..self }
    }

    const fn with_certificate(self) -> Row {
        Row { when: When::WithCertificate, ..self }
    }

    const fn or(self, alias: &'static str) -> Row {
        Row { alias: Some(alias), ..self }
    }

    const fn hidden(self) -> Row {
        Row { hidden: true, ..self }
    }

    /// Values that it takes, each with what CONFIG GET shows then.
    fn taken(&self) -> Vec<(String, String)> {
        let same = |values: &[&str]| values.iter().map(|value| (value.to_string(), value.to_string())).collect();
        match self.takes {
            Takes::YesOrNo => vec![("YES".into(), "yes".into()), ("no".into(), "no".into())],
            Takes::Numbers(min, max) => same(&[&min.to_string(), &max.to_string()]),
            Takes::Bytes(min, max) => {
                vec![
                    (min.to_string(), min.to_string()),
                    (format!("{max}b"), max.to_string()),
                    ("2GB".into(), GB2.into()),
                ]
            }
            Takes::OneOf(names) => names.iter().map(|name| (name.to_ascii_uppercase(), name.to_string())).collect(),
            Takes::Text | Takes::Anything => same(&["x y", ""]),
            Takes::Such(value, shown, ..) => vec![(value.into(), shown.into())],
        }
    }

    /// Values that it refuses, and why.
    fn refused(&self) -> Vec<(Vec<u8>, String)> {
        let range = |min, max| format!("argument must be between {min} and {max} inclusive");
        match self.takes {
            Takes::YesOrNo => vec![(b"maybe".into(), "argument must be 'yes' or 'no'".into())],
            Takes::Numbers(min, max) => {
                let mut all = vec![(b"1x".to_vec(), "argument couldn't be parsed into an integer".to_string())];
                let outside = [min - 1, max + 1].into_iter().filter(|number| i64::try_from(*number).is_ok());
                all.extend(outside.map(|number| (number.to_string().into(), range(min, max))));
                all
            }
            Takes::Bytes(min, max) => {
                let below = (min > 0).then(|| ((min - 1).to_string().into(), range(min, max)));
                let beyond = ((max + 1).to_string().into(), range(min, max));
                below.into_iter().chain([beyond, (b"1x".into(), "argument must be a memory value".into())]).collect()
            }
            Takes::OneOf(names) => {
                vec![(b"x".into(), format!("argument(s) must be one of the following: {}", names.join(", ")))]
            }
            Takes::Text => vec![(vec![0xff], "argument must be text".into())],
            Takes::Anything => Vec::new(),
            Takes::Such(_, _, wrong, why) => vec![(wrong.into(), why.into())],
        }
    }
}

const GB2: &str = "2147483648";
const INT: i128 = i32::MAX as i128;
const LONG: i128 = i64::MAX as i128;
const MB: i128 = 1 << 20;
const ALLOWED: &[&str] = &["no", "yes", "local"];

const fn row(name: &'static str, default: &'static str, takes: Takes) -> Row {
    Row { name, default, takes, when: When::AnyTime, alias: None, hidden: false }
}

const fn switch(name: &'static str, default: &'static str) -> Row {
    row(name, default, Takes::YesOrNo)
}

const fn number(name: &'static str, default: &'static str, min: i128, max: i128) -> Row {
    row(name, default, Takes::Numbers(min, max))
}

const fn bytes(name: &'static str, default: &'static str, min: i128, max: i128) -> Row {
    row(name, default, Takes::Bytes(min, max))
}

const fn text(name: &'static str, default: &'static str) -> Row {
    row(name, default, Takes::Text)
}

const fn such(
    name: &'static str,
    default: &'static str,
    value: &'static str,
    shown: &'static str,
    wrong: &'static str,
    why: &'static str,
) -> Row {
    row(name, default, Takes::Such(value, shown, wrong, why))
}

const BUFFERS: &str = "normal 0 0 0 slave 268435456 67108864 60 pubsub 33554432 8388608 60";
const LONGER_BUFFERS: &str = "normal 0 0 0 slave 2 1024 3 pubsub 33554432 8388608 60";
const TEMPLATE: &str = "{title} {listen-addr} {server-mode}";
const SHUTDOWN: &str = "argument(s) must be one of the following: default, save, nosave, now, force";
const EVENTS: &str = "Invalid event class character. Use 'Ag$lshzxeKEtmdn'.";
const FACILITIES: &[&str] = &["user", "local0", "local1", "local2", "local3", "local4", "local5", "local6", "local7"];
const POLICIES: &[&str] = &[
    "volatile-lru",
    "volatile-lfu",
    "volatile-random",
    "volatile-ttl",
    "allkeys-lru",
    "allkeys-lfu",
    "allkeys-random",
    "noeviction",
];

#[rustfmt::skip]
const ROWS: &[Row] = &[
    // Network.
    number("port", "6379", 0, 65535),
    such("bind", "* -::*", "127.0.0.1 -::1", "127.0.0.1 -::1", "a a a a a a a a a a a a a a a a a", "Too many bind addresses specified."),
    such("proxy-protocol-networks", "", "10.0.0.0/8 ::1", "10.0.0.0/8 ::1/128", "10.0.0.0/33", "'10.0.0.0/33' is no network such as 10.0.0.0/8"),
    text("unixsocket", "").at_start(),
    such("unixsocketperm", "0", "777", "777", "1000", "argument must be between 0 and 777 inclusive").at_start(),
    text("unixsocketgroup", "").at_start().hidden(),
    number("tcp-backlog", "511", 0, INT).at_start(),
    number("tcp-keepalive", "300", 0, INT),
    text("backend", "").at_start().hidden(),
    switch("busy-poll", "no"),
    number("tcp-user-timeout", "0", 0, INT).at_start().hidden(),
    switch("tcp-quickack", "no"),
    number("tcp-fastopen", "0", 0, INT).at_start().hidden(),
    switch("mptcp", "no").at_start().hidden(),
    switch("reuse-port", "no").at_start().hidden(),
    text("bind-device", "").at_start().hidden(),
    number("socket-mark-id", "0", 0, u32::MAX as i128).at_start(),
    text("bind-source-addr", ""),
    number("io-threads", "1", 1, 128).at_start(),
    switch("io-threads-do-reads", "no").at_start(),
    // TLS.
    number("tls-port", "0", 0, 65535).with_certificate(),
    text("tls-cert-file", ""),
    text("tls-key-file", ""),
    row("tls-key-file-pass", "", Takes::Anything),
    text("tls-ca-cert-file", ""),
    text("tls-ca-cert-dir", ""),
    row("tls-auth-clients", "yes", Takes::OneOf(&["no", "yes", "optional"])),
    text("tls-protocols", ""),
    text("tls-ciphers", ""),
    text("tls-ciphersuites", ""),
    switch("tls-prefer-server-ciphers", "no"),
    switch("tls-session-caching", "yes"),
    number("tls-session-cache-size", "20480", 0, INT),
    number("tls-session-cache-timeout", "300", 0, INT),
    number("tls-max-handshakes", "1000", 1, INT),
    number("tls-handshake-timeout", "10000", 0, INT),
    such("tls-dh-params-file", "", "", "", "x", "ae-server supports only the value '': there is no key exchange with DH parameters, only with elliptic curves"),
    text("tls-client-cert-file", ""),
    text("tls-client-key-file", ""),
    row("tls-client-key-file-pass", "", Takes::Anything),
    switch("tls-replication", "no").with_certificate(),
    switch("tls-cluster", "no"),
    // The process.
    such("dir", "DIR", ".", "DIR", "/nosuch", "No such file or directory").protected(),
    text("logfile", "").at_start(),
    switch("syslog-enabled", "no").at_start(),
    text("syslog-ident", "redis").at_start(),
    row("syslog-facility", "local0", Takes::OneOf(FACILITIES)).at_start(),
    text("pidfile", "").at_start(),
    switch("daemonize", "no").at_start(),
    row("supervised", "no", Takes::OneOf(&["systemd", "auto", "no"])).at_start(),
    such("hz", "10", "501", "500", "x", "argument couldn't be parsed into an integer"),
    such("oom-score-adj", "no", "relative", "yes", "x", "argument(s) must be one of the following: no, yes, relative, absolute"),
    such("oom-score-adj-values", "0 200 800", "-2000 0 2000", "-2000 0 2000", "0 0 2001", "Invalid oom-score-adj-values, elements must be between -2000 and 2000."),
    switch("dynamic-hz", "yes"),
    switch("set-proc-title", "yes").at_start(),
    such("proc-title-template", TEMPLATE, "{port}", "{port}", "{x}", "template format is invalid or contains unknown variables"),
    text("server_cpulist", "").at_start(),
    text("bio_cpulist", "").at_start(),
    text("aof_rewrite_cpulist", "").at_start(),
    text("bgsave_cpulist", "").at_start(),
    number("shutdown-timeout", "10", 0, INT),
    such("shutdown-on-sigint", "default", "force nosave", "nosave force", "x", SHUTDOWN),
    such("shutdown-on-sigterm", "default", "save now", "save now", "", SHUTDOWN),
    // Security.
    row("requirepass", "", Takes::Anything),
    switch("protected-mode", "yes"),
    text("aclfile", "").at_start(),
    number("acllog-max-len", "128", 0, LONG),
    row("acl-pubsub-default", "resetchannels", Takes::OneOf(&["allchannels", "resetchannels"])),
    row("enable-debug-command", "no", Takes::OneOf(ALLOWED)).at_start(),
    row("enable-protected-configs", "no", Takes::OneOf(ALLOWED)).at_start(),
    row("enable-module-command", "no", Takes::OneOf(ALLOWED)).at_start(),
    // Clients.
    such("maxclients", "10000", "20", "20", "0", "argument must be between 1 and 4294967295 inclusive"),
    number("timeout", "0", 0, INT),
    bytes("proto-max-bulk-len", "536870912", MB, LONG),
    bytes("client-query-buffer-limit", "1073741824", MB, LONG),
    such("client-output-buffer-limit", BUFFERS, "replica 2 1kb 3", LONGER_BUFFERS, "x 0 0 0", "Invalid client class specified in buffer limit configuration."),
    such("maxmemory-clients", "0", "5%", "5%", "101%", "percentage argument must be less or equal to 100"),
    number("tracking-table-max-keys", "1000000", 0, LONG),
    such("notify-keyspace-events", "", "KEg$lshzxetd", "AKE", "Ka", EVENTS),
    // Memory.
    bytes("maxmemory", "0", 0, u64::MAX as i128),
    row("maxmemory-policy", "noeviction", Takes::OneOf(POLICIES)),
    number("maxmemory-samples", "5", 1, INT),
    number("maxmemory-eviction-tenacity", "10", 0, 100),
    bytes("script-memory-limit", "1073741824", MB, LONG),
    number("lfu-log-factor", "10", 0, INT),
    number("lfu-decay-time", "1", 0, INT),
    number("active-expire-effort", "1", 1, 10),
    switch("lazyfree-lazy-eviction", "no"),
    switch("lazyfree-lazy-expire", "no"),
    switch("lazyfree-lazy-server-del", "no"),
    switch("lazyfree-lazy-user-del", "no"),
    switch("lazyfree-lazy-user-flush", "no"),
    switch("activedefrag", "no"),
    bytes("active-defrag-ignore-bytes", "104857600", 1, LONG),
    number("active-defrag-threshold-lower", "10", 0, 1000),
    number("active-defrag-threshold-upper", "100", 0, 1000),
    number("active-defrag-cycle-min", "1", 1, 99),
    number("active-defrag-cycle-max", "25", 1, 99),
    number("active-defrag-max-scan-fields", "1000", 1, LONG),
    switch("jemalloc-bg-thread", "yes"),
    switch("disable-thp", "yes").at_start(),
    switch("activerehashing", "yes"),
    // Data types.
    number("databases", "16", 1, 10_000).at_start(),
    number("hash-max-listpack-entries", "512", 0, LONG).or("hash-max-ziplist-entries"),
    bytes("hash-max-listpack-value", "64", 0, LONG).or("hash-max-ziplist-value"),
    number("list-max-listpack-size", "-2", i32::MIN as i128, INT).or("list-max-ziplist-size"),
    number("list-compress-depth", "0", 0, INT),
    number("set-max-intset-entries", "512", 0, LONG),
    number("zset-max-listpack-entries", "128", 0, LONG).or("zset-max-ziplist-entries"),
    bytes("zset-max-listpack-value", "64", 0, LONG).or("zset-max-ziplist-value"),
    bytes("hll-sparse-max-bytes", "3000", 0, LONG),
    bytes("stream-node-max-bytes", "4096", 0, LONG),
    number("stream-node-max-entries", "100", 0, LONG),
    row("sanitize-dump-payload", "no", Takes::OneOf(&["no", "yes", "clients"])),
    // What is told.
    row("loglevel", "notice", Takes::OneOf(&["debug", "verbose", "notice", "warning", "nothing"])),
    number("slowlog-log-slower-than", "10000", -1, LONG),
    number("slowlog-max-len", "128", 0, LONG),
    number("latency-monitor-threshold", "0", 0, LONG),
    switch("latency-tracking", "yes"),
    such("latency-tracking-info-percentiles", "50 99 99.9", "0 99.99 100", "0 99.99 100", "100.1", "latency-tracking-info-percentiles parameters should sit between [0.0,100.0]"),
    number("busy-reply-threshold", "5000", 0, LONG).or("lua-time-limit"),
    switch("crash-log-enabled", "yes"),
    switch("crash-memcheck-enabled", "yes"),
    switch("use-exit-on-panic", "no").hidden(),
    number("watchdog-period", "0", 0, INT).hidden(),
    text("ignore-warnings", ""),
    switch("always-show-logo", "no").at_start(),
    // Persistence.
    such("save", "3600 1 300 100 60 10000", "900 1 30 0", "900 1 30 0", "0 1", "Invalid save parameters"),
    switch("appendonly", "no"),
    such("dbfilename", "dump.rdb", "x.rdb", "x.rdb", "a/b", "dbfilename can't be a path, just a filename").protected(),
    such("appendfilename", "appendonly.aof", "x", "x", "a/b", "appendfilename can't be a path, just a filename").at_start(),
    such("appenddirname", "appendonlydir", "x", "x", "", "appenddirname can't be empty").at_start(),
    row("appendfsync", "everysec", Takes::OneOf(&["everysec", "always", "no"])),
    number("auto-aof-rewrite-percentage", "100", 0, INT),
    bytes("auto-aof-rewrite-min-size", "67108864", 0, LONG),
    number("rdb-key-save-delay", "0", i32::MIN as i128, INT).hidden(),
    number("key-load-delay", "0", i32::MIN as i128, INT).hidden(),
    number("loading-process-events-interval-bytes", "2097152", 1024, INT).hidden(),
    switch("rdbcompression", "yes"),
    switch("rdbchecksum", "yes").at_start(),
    switch("rdb-del-sync-files", "no"),
    switch("rdb-save-incremental-fsync", "yes"),
    switch("stop-writes-on-bgsave-error", "yes"),
    switch("no-appendfsync-on-rewrite", "no"),
    switch("aof-rewrite-incremental-fsync", "yes"),
    switch("aof-load-truncated", "yes"),
    switch("aof-use-rdb-preamble", "yes"),
    switch("aof-timestamp-enabled", "no"),
    switch("aof-disable-auto-gc", "no"),
    // Replication.
    such("replicaof", "", "h 7", "h 7", "h", "wrong number of arguments").at_start().or("slaveof"),
    number("min-replicas-to-write", "0", 0, INT).or("min-slaves-to-write"),
    number("min-replicas-max-lag", "10", 0, INT).or("min-slaves-max-lag"),
    row("masterauth", "", Takes::Anything),
    text("masteruser", ""),
    text("replica-announce-ip", "").or("slave-announce-ip"),
    number("replica-announce-port", "0", 0, 65535).or("slave-announce-port"),
    number("replica-priority", "100", 0, INT).or("slave-priority"),
    switch("replica-announced", "yes"),
    switch("replica-serve-stale-data", "yes").or("slave-serve-stale-data"),
    switch("replica-read-only", "yes").or("slave-read-only"),
    switch("replica-lazy-flush", "no").or("slave-lazy-flush"),
    switch("replica-ignore-maxmemory", "yes").or("slave-ignore-maxmemory"),
    switch("replica-ignore-disk-write-errors", "no"),
    switch("repl-disable-tcp-nodelay", "no"),
    switch("repl-diskless-sync", "yes"),
    number("repl-diskless-sync-delay", "5", 0, INT),
    number("repl-diskless-sync-max-replicas", "0", 0, INT),
    row("repl-diskless-load", "disabled", Takes::OneOf(&["disabled", "on-empty-db", "swapdb"])),
    number("repl-timeout", "60", 1, INT),
    number("repl-ping-replica-period", "10", 1, INT).or("repl-ping-slave-period"),
    such("repl-backlog-size", "1048576", "16383", "16384", "0", "argument must be between 1 and 9223372036854775807 inclusive"),
    number("repl-backlog-ttl", "3600", 0, LONG),
    row("propagation-error-behavior", "ignore", Takes::OneOf(&["ignore", "panic", "panic-on-replicas"])),
    // Cluster.
    such("cluster-enabled", "no", "no", "no", "yes", "ae-server supports only the value 'no': it has no cluster mode").at_start(),
    text("cluster-config-file", "nodes.conf").at_start(),
    number("cluster-port", "0", 0, 65535).at_start(),
    text("cluster-announce-ip", ""),
    such("cluster-announce-hostname", "", "a-1.b", "a-1.b", "a_1", "Hostnames may only contain alphanumeric characters, hyphens or dots"),
    number("cluster-announce-port", "0", 0, 65535),
    number("cluster-announce-tls-port", "0", 0, 65535),
    number("cluster-announce-bus-port", "0", 0, 65535),
    number("cluster-node-timeout", "15000", 0, LONG),
    number("cluster-migration-barrier", "1", 0, INT),
    number("cluster-replica-validity-factor", "10", 0, INT).or("cluster-slave-validity-factor"),
    bytes("cluster-link-sendbuf-limit", "0", 0, u64::MAX as i128),
    row("cluster-preferred-endpoint-type", "ip", Takes::OneOf(&["ip", "hostname", "unknown-endpoint"])),
    switch("cluster-replica-no-failover", "no").or("cluster-slave-no-failover"),
    switch("cluster-allow-replica-migration", "yes"),
    switch("cluster-require-full-coverage", "yes"),
    switch("cluster-allow-reads-when-down", "no"),
    switch("cluster-allow-pubsubshard-when-down", "yes"),
];

/// A server in a folder of its own, where it may have an append-only file.
fn session(folder: &TempDir) -> Session {
    let dir = folder.path().canonicalize().unwrap();
    Session::with(Config { dir: Some(dir), ..Config::default() })
}

/// The value of each name, as CONFIG GET shows it.
fn all(session: &Session) -> BTreeMap<&'static str, String> {
    let value = |row: &crate::config::parameter::Parameter| row.get(&session.server.config);
    names().map(|(name, row)| (name, String::from_utf8_lossy(&value(row)).into_owned())).collect()
}

fn set(session: &mut Session, name: &str, value: &[u8]) -> String {
    let request = [b"CONFIG".to_vec(), b"SET".to_vec(), name.into(), value.into()];
    String::from_utf8_lossy(&session.request(&request)).trim_end().into()
}

fn failed(name: &str, why: &str) -> String {
    format!("-ERR CONFIG SET failed (possibly related to argument '{name}') - {why}")
}

#[test]
fn every_directive_has_a_row() {
    let rows: BTreeSet<_> = ROWS.iter().flat_map(|row| [Some(row.name), row.alias].into_iter().flatten()).collect();
    let known: BTreeSet<_> = names().map(|(name, _)| name).collect();
    assert_eq!(&known - &rows, BTreeSet::new(), "without a row");
    assert_eq!(&rows - &known, BTreeSet::new(), "no directives");
    for row in ROWS {
        let hidden = parameters().any(|parameter| parameter.name == row.name && parameter.hidden);
        assert_eq!(hidden, row.hidden, "{}", row.name);
    }
}

#[test]
fn every_directive_has_its_default() {
    let folder = tempfile::tempdir().unwrap();
    let mut session = session(&folder);
    let dir = session.server.config.dir.clone().unwrap();
    for row in ROWS {
        let default = row.default.replace("DIR", dir.to_str().unwrap());
        for name in [Some(row.name), row.alias].into_iter().flatten() {
            let (len, count) = (name.len(), default.len());
            let expected = format!("*2 ${len} {name} ${count} {default}");
            assert_eq!(session.run(&format!("CONFIG GET {name}")), expected);
        }
    }
}

#[test]
fn a_directive_that_is_set_and_has_no_effect_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let mut session = session(&folder);
    for (value, told) in
        [("100", &["CONFIG SET: watchdog-period has no effect: there is no software watchdog"][..]), ("0", &[])]
    {
        heard::take();
        assert_eq!(set(&mut session, "watchdog-period", value.as_bytes()), "+OK");
        heard::expect(Level::Warning, told);
    }
}

/// By CONFIG SET, which changes nothing else, or at the start alone.
#[test]
fn every_directive_takes_its_values() {
    for row in ROWS {
        for (value, shown) in row.taken() {
            let folder = tempfile::tempdir().unwrap();
            let mut session = session(&folder);
            let dir = session.server.config.dir.clone().unwrap();
            let (before, what) = (all(&session), format!("{} {value}", row.name));
            let reply = set(&mut session, row.name, value.as_bytes());
            match row.when {
                When::AtStart => assert_eq!(reply, failed(row.name, "can't set immutable config"), "{what}"),
                When::Protected => {
                    assert_eq!(reply, failed(row.name, "can't set protected config"), "{what}");
                    session.server.config.security.protected_configs = crate::config::choices::Allowed::Yes;
                    assert_eq!(set(&mut session, row.name, value.as_bytes()), "+OK", "{what}");
                    session.server.config.security.protected_configs = crate::config::choices::Allowed::No;
                }
                When::WithCertificate if shown != row.default => {
                    let why = "Unable to update TLS configuration: No tls-cert-file configured!";
                    assert_eq!(reply, failed("tls-cert-file", why), "{what}");
                }
                _ => assert_eq!(reply, "+OK", "{what}"),
            }
            let mut expected = before.clone();
            let names = [Some(row.name), row.alias].into_iter().flatten();
            let shown = shown.replace("DIR", dir.to_str().unwrap());
            if reply == "+OK" || row.when == When::Protected {
                expected.extend(names.map(|name| (name, shown.clone())));
            }
            assert_eq!(all(&session), expected, "{what}");
            let mut config = session.server.config.clone();
            let parameter = find(row.name.as_bytes()).unwrap().1;
            assert_eq!(parameter.set_text(&mut config, value.as_bytes()), Ok(()), "{what}");
            assert_eq!(parameter.get(&config), shown.as_bytes(), "{what}");
        }
    }
}

#[test]
fn every_directive_refuses_what_it_does_not_take() {
    let folder = tempfile::tempdir().unwrap();
    for row in ROWS {
        let mut session = session(&folder);
        session.server.config.security.protected_configs = crate::config::choices::Allowed::Yes;
        let before = all(&session);
        for (value, why) in row.refused() {
            let what = format!("{} {}", row.name, String::from_utf8_lossy(&value));
            if row.when != When::AtStart {
                assert_eq!(set(&mut session, row.name, &value), failed(row.name, &why), "{what}");
            }
            assert_eq!(all(&session), before, "{what}");
            let parameter = find(row.name.as_bytes()).unwrap().1;
            assert_eq!(parameter.set_text(&mut Config::default(), &value), Err(why), "{what}");
        }
    }
}
