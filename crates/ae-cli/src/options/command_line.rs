//! The command line, as redis-cli takes it: options up to the command's name.

use super::choices::{Cluster, Input, Mode, Options, Output, Protocol};
use super::{help, uri};
use crate::text;
use lexopt::{Arg, Parser};
use resp::number;
use std::ffi::OsString;
use std::mem::discriminant;
use std::os::unix::ffi::OsStringExt;
use std::path::PathBuf;
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
    let mut reader = Reader {
        parser: Parser::from_args(args),
        options: Options::new(terminal),
        asked: None,
        mode_name: String::new(),
        word: OsString::new(),
    };
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
    if options.socket.is_some() && options.tls.on {
        return Err("Options --tls and -s are mutually exclusive.".into());
    }
    if options.tls.on && options.tls.cert.is_some() != options.tls.key.is_some() {
        return Err("Options --cert and --key need each other.".into());
    }
    let warned = options.password.is_some() && !options.no_auth_warning;
    Ok(Action::Run(Box::new(options), warned.then_some(PASSWORD_WARNING)))
}

struct Reader {
    parser: Parser,
    options: Options,
    /// `Some(2)` after `-2`.
    asked: Option<u8>,
    /// The option that said what to do.
    mode_name: String,
    /// The argument that is being read, as it stands there.
    word: OsString,
}

impl Reader {
    /// Reads all; a text if that is all there is to do.
    fn all(&mut self) -> Result<Option<String>, String> {
        loop {
            // None within an argument such as `-xe`.
            if let Some(word) = self.parser.try_raw_args().and_then(|args| args.peek().map(OsString::from)) {
                self.word = word;
            }
            if self.word == "-" || self.word == "--" {
                return Err(self.bad());
            }
            let arg = match self.parser.next() {
                Ok(Some(arg)) => arg,
                Ok(None) => return Ok(None),
                Err(_) => return Err(self.bad()),
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
                    let rest = self.parser.try_raw_args().into_iter().flatten().map(OsString::into_vec);
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
            if !self.flag(&name)? && !self.valued(&name)? {
                return Err(self.bad());
            }
        }
    }

    fn bad(&self) -> String {
        format!("Unrecognized option or bad number of args for: '{}'", self.word.display())
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
                let history = matches!(options.mode, Some(Mode::Latency { history: true }));
                return self.mode(name, Mode::Latency { history });
            }
            "--latency-history" => return self.mode(name, Mode::Latency { history: true }),
            "--latency-dist" => return self.mode(name, Mode::LatencyDistribution),
            "--replica" | "--slave" => return self.mode(name, Mode::Replica),
            "--stat" => return self.mode(name, Mode::Stat),
            "--scan" => return self.mode(name, Mode::Scan),
            "--pipe" => return self.mode(name, Mode::Pipe),
            "--bigkeys" => return self.mode(name, Mode::BigKeys),
            "--memkeys" => {
                let samples = match options.mode {
                    Some(Mode::MemKeys(samples)) => samples,
                    _ => None,
                };
                return self.mode(name, Mode::MemKeys(samples));
            }
            "--hotkeys" => return self.mode(name, Mode::HotKeys),
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
    fn valued(&mut self, name: &str) -> Result<bool, String> {
        match name {
            "-h" => self.options.host = self.text(name)?,
            "-p" => self.options.port = text::port(&self.text(name)?).ok_or(Options::BAD_PORT)?,
            "-s" => self.options.socket = Some(self.path()?),
            "-t" => self.options.timeout = seconds(&self.text(name)?),
            "-a" | "--pass" => self.options.password = Some(self.bytes()?),
            "--user" => self.options.user = Some(self.bytes()?),
            "-u" => {
                let uri = self.bytes()?;
                uri::apply(&mut self.options, &uri)?;
            }
            "-n" => self.options.db = self.integer()?,
            "-r" => self.options.repeat = self.integer()?,
            "-i" => self.options.interval = seconds(&self.text(name)?).unwrap_or_default(),
            "-d" => self.options.element_end = self.bytes()?,
            "-D" => self.options.reply_end = self.bytes()?,
            "-X" => {
                let tag = self.bytes()?;
                match self.options.input {
                    Input::LastArgument => return Err("Options -x and -X are mutually exclusive.".into()),
                    _ => self.options.input = Input::Tagged(tag),
                }
            }
            "--sni" => self.options.tls.sni = Some(self.text(name)?),
            "--cacert" => self.options.tls.ca_file = Some(self.text(name)?),
            "--cacertdir" => self.options.tls.ca_folder = Some(self.text(name)?),
            "--cert" => self.options.tls.cert = Some(self.text(name)?),
            "--key" => self.options.tls.key = Some(self.text(name)?),
            "--tls-ciphers" => self.options.tls.ciphers = Some(self.text(name)?),
            "--tls-ciphersuites" => self.options.tls.ciphersuites = Some(self.text(name)?),
            "--show-pushes" => match self.text(name)?.to_ascii_lowercase() {
                yes if yes.starts_with('y') => self.options.show_pushes = true,
                no if no.starts_with('n') => self.options.show_pushes = false,
                other => return Err(format!("Unknown --show-pushes value '{other}' (valid: '[y]es', '[n]o')")),
            },
            "--pattern" => self.options.pattern = Some(self.bytes()?),
            "--quoted-pattern" => {
                let bad = "Invalid quoted string specified for --quoted-pattern.";
                self.options.pattern = Some(unquoted(&self.bytes()?).ok_or(bad)?);
            }
            "--count" => self.options.count = Some(self.integer()?),
            "--pipe-timeout" => self.options.pipe_timeout = seconds(&self.integer()?.to_string()),
            _ => return self.valued_mode(name),
        }
        Ok(true)
    }

    /// An option that says what to do, with a value; false if it is none.
    fn valued_mode(&mut self, name: &str) -> Result<bool, String> {
        let mode = match name {
            "--lru-test" => Mode::LruTest(self.integer()?.max(1) as u64),
            "--intrinsic-latency" => Mode::IntrinsicLatency(self.integer()?.max(0) as u64),
            "--rdb" | "--functions-rdb" => {
                let path = self.path()?;
                if matches!(self.options.mode, Some(Mode::Rdb(_) | Mode::FunctionsRdb(_))) {
                    return Err("Option --functions-rdb and --rdb are mutually exclusive.".into());
                }
                if name == "--rdb" { Mode::Rdb(path) } else { Mode::FunctionsRdb(path) }
            }
            "--memkeys-samples" => Mode::MemKeys(Some(self.integer()?)),
            "--eval" => Mode::Eval(self.path()?),
            "--cluster" => {
                let command = self.text(name)?;
                if Cluster::CHANGES.contains(&command.as_str()) {
                    // At once: the options behind it are redis-cli's, too.
                    let text =
                        format!("--cluster {command}: ae-cli changes no cluster; use redis-cli --cluster {command}");
                    return Err(text);
                }
                Mode::Cluster(Cluster { command, ..Cluster::default() })
            }
            _ => return Ok(false),
        };
        self.mode(name, mode)
    }

    /// Sets what to do; there is one thing to do.
    fn mode(&mut self, name: &str, mode: Mode) -> Result<bool, String> {
        if self.options.mode.as_ref().is_some_and(|before| discriminant(before) != discriminant(&mode)) {
            return Err(format!("Options {} and {name} are mutually exclusive.", self.mode_name));
        }
        self.options.mode = Some(mode);
        self.mode_name = name.into();
        Ok(true)
    }

    /// The value of the option that was read last. Behind a letter, all that stands there.
    fn bytes(&mut self) -> Result<Vec<u8>, String> {
        let value = self.parser.value().map_err(|_| self.bad())?.into_vec();
        let with_sign = [b"=", &value[..]].concat();
        let word = self.word.as_encoded_bytes();
        let behind_a_letter = !word.starts_with(b"--") && word.len() > 2 && word.ends_with(&with_sign);
        Ok(if behind_a_letter { with_sign } else { value })
    }

    fn path(&mut self) -> Result<PathBuf, String> {
        Ok(OsString::from_vec(self.bytes()?).into())
    }

    fn text(&mut self, name: &str) -> Result<String, String> {
        String::from_utf8(self.bytes()?).map_err(|_| format!("{name}: the value is not valid UTF-8"))
    }

    fn integer(&mut self) -> Result<i64, String> {
        Ok(number::leading(&self.bytes()?))
    }
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
