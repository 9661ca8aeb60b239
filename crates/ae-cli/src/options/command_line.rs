//! The command line, as redis-cli takes it: options up to the command's name.

use super::choices::{Cluster, Input, Mode, Options, Output, Protocol};
use super::{help, uri};
use crate::text;
use lexopt::{Arg, Parser, ValueExt};
use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt;
use std::time::Duration;

/// What the arguments ask for.
#[derive(Debug)]
pub enum Action {
    /// To run, after these words on standard error.
    Run(Box<Options>, Option<&'static str>),
    /// To print this and leave.
    Print(String),
}

const PASSWORD_WARNING: &str =
    "Warning: Using a password with '-a' or '-u' option on the command line interface may not be safe.";

/// Reads the arguments behind the program's name. The error is for standard error, before status 1.
pub fn parse(args: impl IntoIterator<Item = OsString>, terminal: bool) -> Result<Action, String> {
    let mut reader = Reader { parser: Parser::from_args(args), options: Options::new(terminal), asked: None };
    if let Some(text) = reader.all()? {
        return Ok(Action::Print(text));
    }
    let mut options = reader.options;
    match reader.asked {
        Some(2) if options.protocol == Protocol::Resp3 => {
            return Err("Options -2 and -3 are mutually exclusive.".into());
        }
        Some(2) => options.protocol = Protocol::Resp2,
        _ => {}
    }
    if options.socket.is_some() && options.cluster {
        return Err("Options -c and -s are mutually exclusive.".into());
    }
    let warned = options.password.is_some() && !options.no_auth_warning;
    Ok(Action::Run(Box::new(options), warned.then_some(PASSWORD_WARNING)))
}

struct Reader {
    parser: Parser,
    options: Options,
    /// `Some(2)` after `-2`.
    asked: Option<u8>,
}

impl Reader {
    /// Reads all; a text if that is all there is to do.
    fn all(&mut self) -> Result<Option<String>, String> {
        loop {
            let raw = self.parser.try_raw_args().and_then(|args| args.peek().map(|arg| arg.to_os_string()));
            let bad = || {
                let raw = raw.as_ref().map(|raw| raw.display().to_string()).unwrap_or_default();
                format!("Unrecognized option or bad number of args for: '{raw}'")
            };
            let arg = match self.parser.next() {
                Ok(Some(arg)) => arg,
                Ok(None) => return Ok(None),
                Err(_) => return Err(bad()),
            };
            let name = match &arg {
                Arg::Short(letter) => format!("-{letter}"),
                Arg::Long(name) => format!("--{name}"),
                Arg::Value(first) => {
                    let first = first.clone().into_vec();
                    if let Some(Mode::Cluster(cluster)) = &mut self.options.mode {
                        cluster.args.push(first);
                        continue;
                    }
                    let rest = self.parser.raw_args().map_err(|_| bad())?.map(OsString::into_vec);
                    self.options.command.push(first);
                    self.options.command.extend(rest);
                    return Ok(None);
                }
            };
            match name.as_str() {
                "--help" => return Ok(Some(help::text())),
                "-v" | "--version" => return Ok(Some(format!("ae-cli {}\n", env!("CARGO_PKG_VERSION")))),
                // The last argument: nothing to connect to.
                "-h" if self.parser.try_raw_args().is_some_and(|args| args.peek().is_none()) => {
                    return Ok(Some(help::text()));
                }
                _ => {}
            }
            if !self.flag(&name)? && !self.valued(&name, bad)? {
                return Err(bad());
            }
        }
    }

    /// An option without a value; false if it is none.
    fn flag(&mut self, name: &str) -> Result<bool, String> {
        let options = &mut self.options;
        match name {
            "-x" => match options.input {
                Input::Tagged(_) => return Err("Options -x and -X are mutually exclusive.".into()),
                _ => options.input = Input::LastArgument,
            },
            "-c" => options.cluster = true,
            "-e" => options.fail_on_error = true,
            "-2" => self.asked = Some(2),
            "-3" => options.protocol = Protocol::Resp3,
            "--raw" => options.output = Output::Raw,
            "--no-raw" => options.output = Output::Formatted,
            "--csv" => options.output = Output::Csv,
            "--json" | "--quoted-json" => {
                options.output = if name == "--json" { Output::Json } else { Output::QuotedJson };
                if options.protocol == Protocol::AsItIs {
                    options.protocol = Protocol::PreferResp3;
                }
            }
            "--quoted-input" => options.quoted_input = true,
            "--no-auth-warning" => options.no_auth_warning = true,
            "--askpass" => options.ask_password = true,
            "--tls" => options.tls.on = true,
            "--insecure" => options.tls.insecure = true,
            "--verbose" => {}
            "--mono" => options.mono = true,
            "--latency" => {
                if !matches!(options.mode, Some(Mode::Latency { .. })) {
                    options.mode = Some(Mode::Latency { history: false });
                }
            }
            "--latency-history" => options.mode = Some(Mode::Latency { history: true }),
            "--latency-dist" => options.mode = Some(Mode::LatencyDistribution),
            "--replica" | "--slave" => options.mode = Some(Mode::Replica),
            "--stat" => options.mode = Some(Mode::Stat),
            "--scan" => options.mode = Some(Mode::Scan),
            "--pipe" => options.mode = Some(Mode::Pipe),
            "--bigkeys" => options.mode = Some(Mode::BigKeys),
            "--memkeys" => {
                if !matches!(options.mode, Some(Mode::MemKeys(_))) {
                    options.mode = Some(Mode::MemKeys(None));
                }
            }
            "--hotkeys" => options.mode = Some(Mode::HotKeys),
            "--ldb" | "--ldb-sync-mode" => {
                return Err(format!("{name}: ae-cli has no Lua debugger; use redis-cli for that"));
            }
            _ => return self.cluster_flag(name),
        }
        Ok(true)
    }

    fn cluster_flag(&mut self, name: &str) -> Result<bool, String> {
        let Some(Mode::Cluster(cluster)) = &mut self.options.mode else { return Ok(false) };
        match name {
            "--cluster-only-masters" => cluster.only_masters = true,
            "--cluster-only-replicas" => cluster.only_replicas = true,
            "--cluster-search-multiple-owners" => cluster.search_multiple_owners = true,
            "--cluster-yes" => {}
            _ => return Ok(false),
        }
        Ok(true)
    }

    /// An option with a value; false if it is none.
    fn valued(&mut self, name: &str, bad: impl Fn() -> String) -> Result<bool, String> {
        const NAMES: [&str; 33] = [
            "-h",
            "-p",
            "-s",
            "-t",
            "-a",
            "--pass",
            "--user",
            "-u",
            "-n",
            "-r",
            "-i",
            "-d",
            "-D",
            "-X",
            "--sni",
            "--cacert",
            "--cacertdir",
            "--cert",
            "--key",
            "--tls-ciphers",
            "--tls-ciphersuites",
            "--show-pushes",
            "--pattern",
            "--quoted-pattern",
            "--count",
            "--lru-test",
            "--intrinsic-latency",
            "--rdb",
            "--functions-rdb",
            "--pipe-timeout",
            "--memkeys-samples",
            "--eval",
            "--cluster",
        ];
        if !NAMES.contains(&name) {
            return Ok(false);
        }
        let bytes = self.parser.value().map_err(|_| bad())?;
        let text = || bytes.clone().string().map_err(|_| format!("{name}: the value is not valid UTF-8"));
        let integer = || Ok::<i64, String>(text::leading_integer(&text()?));
        let options = &mut self.options;
        match name {
            "-h" => options.host = text()?,
            "-p" => options.port = port(integer()?)?,
            "-s" => options.socket = Some(text()?),
            "-t" => options.timeout = seconds(&text()?),
            "-a" | "--pass" => options.password = Some(bytes.into_vec()),
            "--user" => options.user = Some(bytes.into_vec()),
            "-u" => uri::apply(options, &text()?)?,
            "-n" => options.db = integer()?,
            "-r" => options.repeat = integer()?,
            "-i" => options.interval = seconds(&text()?).unwrap_or_default(),
            "-d" => options.element_end = bytes.into_vec(),
            "-D" => options.reply_end = bytes.into_vec(),
            "-X" => match options.input {
                Input::LastArgument => return Err("Options -x and -X are mutually exclusive.".into()),
                _ => options.input = Input::Tagged(bytes.into_vec()),
            },
            "--sni" => options.tls.sni = Some(text()?),
            "--cacert" => options.tls.ca_file = Some(text()?),
            "--cacertdir" => options.tls.ca_folder = Some(text()?),
            "--cert" => options.tls.cert = Some(text()?),
            "--key" => options.tls.key = Some(text()?),
            "--tls-ciphers" => options.tls.ciphers = Some(text()?),
            "--tls-ciphersuites" => options.tls.ciphersuites = Some(text()?),
            "--show-pushes" => match text()?.to_ascii_lowercase() {
                yes if yes.starts_with('y') => options.show_pushes = true,
                no if no.starts_with('n') => options.show_pushes = false,
                other => return Err(format!("Unknown --show-pushes value '{other}' (valid: '[y]es', '[n]o')")),
            },
            "--pattern" => options.pattern = Some(bytes.into_vec()),
            "--quoted-pattern" => {
                let bad = "Invalid quoted string specified for --quoted-pattern.";
                options.pattern = Some(unquoted(&bytes.into_vec()).ok_or(bad)?);
            }
            "--count" => options.count = Some(integer()?),
            "--lru-test" => options.mode = Some(Mode::LruTest(integer()?.max(1) as u64)),
            "--intrinsic-latency" => options.mode = Some(Mode::IntrinsicLatency(integer()?.max(0) as u64)),
            "--rdb" | "--functions-rdb" => {
                if matches!(options.mode, Some(Mode::Rdb(_) | Mode::FunctionsRdb(_))) {
                    return Err("Option --functions-rdb and --rdb are mutually exclusive.".into());
                }
                let path = text()?;
                options.mode = Some(if name == "--rdb" { Mode::Rdb(path) } else { Mode::FunctionsRdb(path) });
            }
            "--pipe-timeout" => options.pipe_timeout = seconds(&integer()?.to_string()),
            "--memkeys-samples" => options.mode = Some(Mode::MemKeys(Some(integer()?))),
            "--eval" => options.mode = Some(Mode::Eval(text()?)),
            _ => options.mode = Some(Mode::Cluster(Cluster { command: text()?, ..Cluster::default() })),
        }
        Ok(true)
    }
}

fn port(number: i64) -> Result<u16, String> {
    u16::try_from(number).map_err(|_| "Invalid server port.".into())
}

/// None for nothing or less.
fn seconds(text: &str) -> Option<Duration> {
    Duration::try_from_secs_f64(text::leading_number(text)).ok().filter(|time| !time.is_zero())
}

/// The one word that a quoted text stands for.
pub fn unquoted(text: &[u8]) -> Option<Vec<u8>> {
    let mut words = resp::words::split(text).ok()?;
    if words.len() == 1 { words.pop() } else { None }
}
