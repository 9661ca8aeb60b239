//! The fields of [`Config`](super::settings::Config) that belong together.

use super::choices::{Allowed, Channels, DisklessLoad, Fsync, OomScore, Policy, Share, Supervised};
use super::format::MIB;
use crate::log::Facility;

/// Limits on memory, what is evicted and expired, and what is freed in the background.
#[derive(Clone, Debug)]
pub struct Memory {
    /// Bytes; 0 for no limit.
    pub max: u64,
    pub policy: Policy,
    pub samples: u32,
    /// From 0 to 100: how long one round of eviction may take.
    pub eviction_tenacity: u32,
    /// For all clients together.
    pub max_clients: Share,
    /// Bytes, for each interpreter of scripts.
    pub scripts: u64,
    pub lfu_log_factor: u32,
    /// Minutes.
    pub lfu_decay_time: u32,
    /// From 1 to 10.
    pub expire_effort: u32,
    pub lazy_user_flush: bool,
}

impl Default for Memory {
    fn default() -> Self {
        Memory {
            max: 0,
            policy: Policy::NoEviction,
            samples: 5,
            eviction_tenacity: 10,
            max_clients: Share::Bytes(0),
            scripts: 1024 * MIB,
            lfu_log_factor: 10,
            lfu_decay_time: 1,
            expire_effort: 1,
            lazy_user_flush: false,
        }
    }
}

/// How values are encoded, beside the limits that their types have.
#[derive(Clone, Default, Debug)]
pub struct Encodings {
    /// Nodes at either end of a list that are not compressed; 0 for no compression.
    pub list_compress_depth: u32,
}

/// What is recorded for whoever looks for slow commands.
#[derive(Clone, Debug)]
pub struct Observation {
    /// Microseconds; -1 for never.
    pub slowlog_slower_than: i64,
    pub slowlog_max_len: u64,
    /// Milliseconds; 0 for never.
    pub latency_threshold: u64,
    pub latency_tracking: bool,
    pub latency_percentiles: Vec<f64>,
    /// Milliseconds after which a script is slow.
    pub busy_reply_threshold: u64,
}

impl Default for Observation {
    fn default() -> Self {
        Observation {
            slowlog_slower_than: 10_000,
            slowlog_max_len: 128,
            latency_threshold: 0,
            latency_tracking: true,
            latency_percentiles: vec![50.0, 99.0, 99.9],
            busy_reply_threshold: 5000,
        }
    }
}

/// How the sockets are made that clients connect to.
#[derive(Clone, Default, Debug)]
pub struct Sockets {
    /// A network interface; empty for any.
    pub device: String,
    /// 0 for none.
    pub mark: u32,
    /// Milliseconds; 0 for the system's.
    pub user_timeout: u32,
    /// How many connections that came with data may wait for the end of their handshake; 0 for none.
    pub fast_open: u32,
    pub mptcp: bool,
    pub reuse_port: bool,
    /// A part of a request is acknowledged at once.
    pub quick_ack: bool,
    /// Of the Unix socket; empty for the process's.
    pub unix_group: String,
}

/// Who may do what.
#[derive(Clone, Debug)]
pub struct Security {
    /// Empty for none.
    pub acl_file: String,
    pub acl_log_max_len: u64,
    pub acl_pubsub_default: Channels,
    pub debug_command: Allowed,
    pub module_command: Allowed,
    pub protected_configs: Allowed,
    /// The `user` lines, in order.
    pub users: Vec<UserLine>,
    /// The `rename-command` lines, in order.
    pub renamed: Vec<RenameLine>,
}

/// A `rename-command` line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RenameLine {
    pub from: Vec<u8>,
    /// Empty takes the command away.
    pub to: Vec<u8>,
    /// Where it is, for messages.
    pub place: String,
}

/// A `user` line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UserLine {
    /// The user's name and the rules.
    pub words: Vec<Vec<u8>>,
    /// Where it is, for the operator.
    pub place: String,
}

impl Default for Security {
    fn default() -> Self {
        Security {
            acl_file: String::new(),
            acl_log_max_len: 128,
            acl_pubsub_default: Channels::None,
            debug_command: Allowed::No,
            module_command: Allowed::No,
            protected_configs: Allowed::No,
            users: Vec::new(),
            renamed: Vec::new(),
        }
    }
}

/// When and how data are saved.
#[derive(Clone, Debug)]
pub struct Saving {
    /// In order.
    pub points: Vec<SavePoint>,
    /// The points are those of the configuration, no longer the default ones: more are added to them.
    pub points_given: bool,
    /// The name of the RDB file.
    pub file: String,
    pub compression: bool,
    pub checksum: bool,
    /// Nothing may be written after a background save has failed.
    pub stop_writes_on_error: bool,
    pub incremental_sync: bool,
    /// For tests: microseconds between two keys.
    pub key_save_delay: i32,
    pub key_load_delay: i32,
}

/// Data are saved when so many seconds have gone by since they last were, and there were so many changes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct SavePoint {
    pub seconds: i64,
    pub changes: i64,
}

impl Default for Saving {
    fn default() -> Self {
        let points = [(3600, 1), (300, 100), (60, 10_000)];
        Saving {
            points: points.map(|(seconds, changes)| SavePoint { seconds, changes }).into(),
            points_given: false,
            file: "dump.rdb".into(),
            compression: true,
            checksum: true,
            stop_writes_on_error: true,
            incremental_sync: true,
            key_save_delay: 0,
            key_load_delay: 0,
        }
    }
}

/// The server among its replicas, and as a replica itself.
#[derive(Clone, Debug)]
pub struct Replication {
    /// Host and port of the server whose replica this one is.
    pub primary: Option<(String, u16)>,
    /// Empty for none.
    pub primary_user: String,
    pub primary_password: Vec<u8>,
    /// Writes are refused while fewer replicas than this are up to date.
    pub min_replicas: u32,
    /// Seconds since a replica was last heard of until it no longer counts as up to date.
    pub min_replicas_max_lag: u32,
    /// Where a replica says it can be reached; empty and 0 for where its connection comes from.
    pub announce_ip: String,
    pub announce_port: u16,
    pub announced: bool,
    pub priority: u32,
    /// Whether a replica serves what it has while its primary cannot be reached.
    pub serves_stale: bool,
    pub read_only: bool,
    pub ignores_max_memory: bool,
    pub disables_no_delay: bool,
    /// Whether replicas get a copy without its length being known.
    pub diskless: bool,
    /// Seconds to wait for more replicas that want a copy, and how many are enough; 0 for any number.
    pub diskless_delay: u32,
    pub diskless_max_replicas: u32,
    pub diskless_load: DisklessLoad,
    /// Seconds.
    pub timeout: u32,
    pub ping_period: u32,
    pub backlog_size: u64,
    /// Seconds without a replica; 0 for forever.
    pub backlog_ttl: u64,
    /// Connections to the primary use TLS.
    pub tls: bool,
    /// Seconds that a shutdown waits for replicas at most.
    pub shutdown_timeout: u32,
}

impl Default for Replication {
    fn default() -> Self {
        Replication {
            primary: None,
            primary_user: String::new(),
            primary_password: Vec::new(),
            min_replicas: 0,
            min_replicas_max_lag: 10,
            announce_ip: String::new(),
            announce_port: 0,
            announced: true,
            priority: 100,
            serves_stale: true,
            read_only: true,
            ignores_max_memory: true,
            disables_no_delay: false,
            diskless: true,
            diskless_delay: 5,
            diskless_max_replicas: 0,
            diskless_load: DisklessLoad::Disabled,
            timeout: 60,
            ping_period: 10,
            backlog_size: MIB,
            backlog_ttl: 3600,
            tls: false,
            shutdown_timeout: 10,
        }
    }
}

/// How the process behaves among others.
#[derive(Clone, Debug)]
pub struct Process {
    /// Empty for standard output.
    pub log_file: String,
    pub syslog: bool,
    pub syslog_ident: String,
    pub syslog_facility: Facility,
    pub pid_file: Option<String>,
    pub daemonize: bool,
    pub supervised: Supervised,
    pub oom_score: OomScore,
    /// Of a primary, a replica and a process that saves. Only the first kind exists here.
    pub oom_score_values: [i32; 3],
    /// What SIGINT and SIGTERM add to the shutdown that they cause: flags as
    /// [`words::SHUTDOWN`](super::words::SHUTDOWN) has them.
    pub on_sigint: u32,
    pub on_sigterm: u32,
}

impl Default for Process {
    fn default() -> Self {
        Process {
            log_file: String::new(),
            syslog: false,
            syslog_ident: "redis".into(),
            syslog_facility: Facility::Local0,
            pid_file: None,
            daemonize: false,
            supervised: Supervised::No,
            oom_score: OomScore::No,
            oom_score_values: [0, 200, 800],
            on_sigint: 0,
            on_sigterm: 0,
        }
    }
}

/// The append-only file.
#[derive(Clone, Debug)]
pub struct AppendOnly {
    pub on: bool,
    /// What the files' names begin with, and the folder that they are in.
    pub name: String,
    pub folder: String,
    pub fsync: Fsync,
    /// Nothing is synced while a rewrite is running.
    pub no_fsync_on_rewrite: bool,
    /// By how many percent it has grown since the last rewrite when the next one begins; 0 for never.
    pub rewrite_percentage: u32,
    /// How many bytes it has at least then.
    pub rewrite_min_size: u64,
    /// A rewritten base is synced every few megabytes.
    pub incremental_fsync: bool,
    /// A torn end is cut off.
    pub load_truncated: bool,
    /// A base is an RDB file.
    pub rdb_preamble: bool,
    /// The file tells in which second something happened.
    pub timestamps: bool,
    /// Files that have been replaced are kept.
    pub keep_history: bool,
}

impl Default for AppendOnly {
    fn default() -> Self {
        AppendOnly {
            on: false,
            name: "appendonly.aof".into(),
            folder: "appendonlydir".into(),
            fsync: Fsync::EverySecond,
            no_fsync_on_rewrite: false,
            rewrite_percentage: 100,
            rewrite_min_size: 64 << 20,
            incremental_fsync: true,
            load_truncated: true,
            rdb_preamble: true,
            timestamps: false,
            keep_history: false,
        }
    }
}
