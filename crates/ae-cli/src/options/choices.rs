//! The options, with their defaults.

use std::path::PathBuf;
use std::time::Duration;

/// How replies are printed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Output {
    /// For people: with types and numbers.
    Formatted,
    /// As they are.
    Raw,
    /// As comma-separated values.
    Csv,
    /// As JSON.
    Json,
    /// As JSON in ASCII.
    QuotedJson,
}

/// Which version of the protocol to ask for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Protocol {
    /// None: what the server begins with.
    AsItIs,
    /// `-2`: version 2, whatever the output.
    Resp2,
    /// `-3`: version 3, or else no connection.
    Resp3,
    /// Version 3 if the server has it: what JSON is made of.
    PreferResp3,
}

/// What standard input is an argument of.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Input {
    /// Of none.
    Commands,
    /// `-x`: it is the last one.
    LastArgument,
    /// `-X`: it is the one that is called like this.
    Tagged(Vec<u8>),
}

/// How TLS is spoken.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Tls {
    /// Whether it is.
    pub on: bool,
    /// The server's name.
    pub sni: Option<String>,
    /// A file of CAs.
    pub ca_file: Option<String>,
    /// A folder of CAs.
    pub ca_folder: Option<String>,
    /// The client's certificate.
    pub cert: Option<String>,
    /// Its key.
    pub key: Option<String>,
    /// Suites of TLS 1.2.
    pub ciphers: Option<String>,
    /// Suites of TLS 1.3.
    pub ciphersuites: Option<String>,
    /// Whether any certificate will do.
    pub insecure: bool,
}

/// A request to a cluster.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Cluster {
    /// `call`, `info`, `check`.
    pub command: String,
    /// What is behind it.
    pub args: Vec<Vec<u8>>,
    /// Only masters are asked.
    pub only_masters: bool,
    /// Only replicas are asked.
    pub only_replicas: bool,
    /// Slots that several nodes claim are looked for.
    pub search_multiple_owners: bool,
}

impl Cluster {
    /// The subcommands that change a cluster, which are redis-cli's.
    pub const CHANGES: [&str; 9] =
        ["create", "fix", "reshard", "rebalance", "add-node", "del-node", "set-timeout", "import", "backup"];
}

/// What to do instead of sending one command.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Mode {
    /// `--latency`, with `history`: one line an interval.
    Latency {
        /// One line an interval.
        history: bool,
    },
    /// `--latency-dist`.
    LatencyDistribution,
    /// `--intrinsic-latency SECONDS`.
    IntrinsicLatency(u64),
    /// `--replica`.
    Replica,
    /// `--rdb FILE`.
    Rdb(PathBuf),
    /// `--functions-rdb FILE`.
    FunctionsRdb(PathBuf),
    /// `--pipe`.
    Pipe,
    /// `--bigkeys`.
    BigKeys,
    /// `--memkeys`, with the number of elements to sample.
    MemKeys(Option<i64>),
    /// `--hotkeys`.
    HotKeys,
    /// `--stat`.
    Stat,
    /// `--scan`.
    Scan,
    /// `--lru-test KEYS`.
    LruTest(u64),
    /// `--eval FILE`.
    Eval(PathBuf),
    /// `--cluster COMMAND`.
    Cluster(Cluster),
}

/// All of them.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Options {
    /// Where to connect.
    pub host: String,
    /// And to which port.
    pub port: u16,
    /// A unix socket instead.
    pub socket: Option<PathBuf>,
    /// How long to try.
    pub timeout: Option<Duration>,
    /// Who connects.
    pub user: Option<Vec<u8>>,
    /// With which password.
    pub password: Option<Vec<u8>>,
    /// Whether to ask for it.
    pub ask_password: bool,
    /// Whether a password that others can read is worth no warning.
    pub no_auth_warning: bool,
    /// TLS.
    pub tls: Tls,
    /// The database to select.
    pub db: i64,
    /// Which protocol to ask for.
    pub protocol: Protocol,
    /// Follow redirections of a cluster.
    pub cluster: bool,
    /// How often to send a command; below 0: forever.
    pub repeat: i64,
    /// How long to wait in between.
    pub interval: Duration,
    /// Leave with status 1 at an error.
    pub fail_on_error: bool,
    /// What standard input is.
    pub input: Input,
    /// Arguments have quotes and escapes.
    pub quoted_input: bool,
    /// How to print.
    pub output: Output,
    /// Whether messages that answer nothing are printed.
    pub show_pushes: bool,
    /// What stands between the elements of a raw reply.
    pub element_end: Vec<u8>,
    /// What stands behind a raw reply.
    pub reply_end: Vec<u8>,
    /// Which keys.
    pub pattern: Option<Vec<u8>>,
    /// How many keys a call looks at.
    pub count: Option<i64>,
    /// Grey instead of colours.
    pub mono: bool,
    /// How long `--pipe` waits for the last replies; none: forever.
    pub pipe_timeout: Option<Duration>,
    /// What to do.
    pub mode: Option<Mode>,
    /// The command.
    pub command: Vec<Vec<u8>>,
}

impl Options {
    /// The port of a Redis server.
    pub const PORT: u16 = 6379;
    /// What is said of a port that cannot be.
    pub const BAD_PORT: &str = "Invalid server port.";
    /// How long `--pipe` waits.
    pub const PIPE_TIMEOUT: Duration = Duration::from_secs(30);

    /// The request that says who connects, if anybody does.
    pub fn auth(&self) -> Option<Vec<Vec<u8>>> {
        let password = self.password.clone()?;
        Some([Some(b"AUTH".to_vec()), self.user.clone(), Some(password)].into_iter().flatten().collect())
    }

    /// The defaults, which depend on whether standard output is a terminal.
    pub fn new(terminal: bool) -> Options {
        Options {
            host: "127.0.0.1".into(),
            port: Self::PORT,
            socket: None,
            timeout: None,
            user: None,
            password: None,
            ask_password: false,
            no_auth_warning: false,
            tls: Tls::default(),
            db: 0,
            protocol: Protocol::AsItIs,
            cluster: false,
            repeat: 1,
            interval: Duration::ZERO,
            fail_on_error: false,
            input: Input::Commands,
            quoted_input: false,
            output: if terminal { Output::Formatted } else { Output::Raw },
            show_pushes: terminal,
            element_end: b"\n".into(),
            reply_end: b"\n".into(),
            pattern: None,
            count: None,
            mono: false,
            pipe_timeout: Some(Self::PIPE_TIMEOUT),
            mode: None,
            command: Vec::new(),
        }
    }
}
