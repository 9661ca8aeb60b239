//! The program ae-server around the server: its command line, its signals, what it says.

use crate::config::command_line::{Action, parse};
use crate::config::settings::Config;
use crate::persist::aof::check::{self as aof, Operator, Repair};
use crate::persist::check::check;
use crate::serve::serving::Serving;
use crate::{daemon, log, process, signals};
use ae::EventLoop;
use std::ffi::OsString;
use std::io::{self, Write};
use std::os::fd::{AsFd, OwnedFd};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::time::{SystemTime, UNIX_EPOCH};

/// The program: reads the command line's arguments, of which the first is its own name, serves until it is told to
/// stop, and says how it ended. Under the name of ae-check-rdb or ae-check-aof, or with `--check-rdb` or `--check-aof`,
/// it looks into files instead.
pub fn main(args: impl Iterator<Item = OsString>) -> ExitCode {
    let mut args = args.peekable();
    let name = args.next().unwrap_or_default();
    let name = Path::new(&name).file_name().unwrap_or_default();
    if name == "ae-check-rdb" || args.next_if(|arg| arg == "--check-rdb").is_some() {
        return check_rdb(&args.collect::<Vec<_>>());
    }
    if name == "ae-check-aof" || args.next_if(|arg| arg == "--check-aof").is_some() {
        return check_aof(&args.collect::<Vec<_>>());
    }
    let args: Result<Vec<String>, _> = args.map(OsString::into_string).collect();
    let parsed = args.map_err(|arg| format!("the argument {} is not valid UTF-8", arg.display())).and_then(parse);
    let config = match parsed {
        Ok(Action::Serve(config)) => *config,
        Ok(Action::Print(text)) => {
            // Somebody may have closed the other end.
            let _ = std::io::stdout().write_all(text.as_bytes());
            return ExitCode::SUCCESS;
        }
        Err(error) => return fail(&error),
    };
    if config.process.daemonize && !process::is_supervised(&config.process) && !daemon::is_one() {
        return daemon::start(&config.input).map_or_else(|error| fail(&error), |()| ExitCode::SUCCESS);
    }
    let program = Program::now();
    let served = serve(config);
    log::flush();
    match served {
        Ok(None) => ExitCode::SUCCESS,
        Ok(Some(sockets)) => fail(&program.run_again(&sockets)),
        Err(error) => fail(&error),
    }
}

/// How this program was started.
struct Program {
    path: io::Result<PathBuf>,
    folder: io::Result<PathBuf>,
}

impl Program {
    fn now() -> Program {
        Program { path: std::env::current_exe(), folder: std::env::current_dir() }
    }

    /// Runs what now has the program's path, in this process, as it was started, with these sockets. Returns only the
    /// reason why that cannot be.
    fn run_again(self, sockets: &[OwnedFd]) -> String {
        let command = self.path.and_then(|path| Ok((Command::new(path), self.folder?)));
        let error = match command {
            Ok((mut command, folder)) => {
                let sockets: Vec<_> = sockets.iter().map(OwnedFd::as_fd).collect();
                command.args(std::env::args_os().skip(1)).current_dir(folder);
                ae::exec_with_listeners(&mut command, &sockets)
            }
            Err(error) => error,
        };
        format!("cannot start again: {error}")
    }
}

/// Looks into the RDB file that the argument names, as redis-check-rdb does.
fn check_rdb(args: &[OsString]) -> ExitCode {
    let [path] = args else {
        let _ = writeln!(std::io::stderr(), "Usage: ae-check-rdb <rdb-file-name>");
        return ExitCode::FAILURE;
    };
    let (report, ok) = check(Path::new(path), unix_milliseconds());
    // Somebody may have closed the other end.
    let _ = std::io::stdout().write_all(report.as_bytes());
    if ok { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Looks into the append-only file that the last argument names, as redis-check-aof does.
fn check_aof(args: &[OsString]) -> ExitCode {
    let seconds = |text: &OsString| text.to_str().and_then(|text| text.parse().ok());
    let (repair, path) = match args {
        [path] if path != "--fix" => (Repair::Nothing, path),
        [option, path] | [path, option] if option == "--fix" => (Repair::Fix, path),
        [option, time, path] | [path, option, time] if option == "--truncate-to-timestamp" => match seconds(time) {
            Some(second) => (Repair::CutAt(second), path),
            None => return fail("--truncate-to-timestamp takes a time in seconds since 1970"),
        },
        _ => {
            let _ = writeln!(
                std::io::stderr(),
                "Usage: ae-check-aof [--fix|--truncate-to-timestamp $timestamp] <file.manifest|file.aof>"
            );
            return ExitCode::FAILURE;
        }
    };
    match aof::check(Path::new(path), repair, unix_milliseconds(), &mut Terminal) {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            Terminal.say(&why);
            ExitCode::FAILURE
        }
    }
}

fn unix_milliseconds() -> i64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |time| time.as_millis() as i64)
}

/// Whoever called a tool.
struct Terminal;

impl Operator for Terminal {
    fn say(&mut self, text: &str) {
        // Somebody may have closed the other end.
        let _ = writeln!(std::io::stdout(), "{text}");
    }

    fn confirm(&mut self, text: &str) -> bool {
        let _ = write!(std::io::stdout(), "{text}\nContinue? [y/N]: ").and_then(|()| std::io::stdout().flush());
        let mut answer = String::new();
        std::io::stdin().read_line(&mut answer).is_ok() && answer.trim().eq_ignore_ascii_case("y")
    }
}

/// Whatever keeps the server from running is told on one line.
fn fail(error: &str) -> ExitCode {
    let _ = writeln!(std::io::stderr(), "ae-server: {}", error.replace('\n', " "));
    ExitCode::FAILURE
}

/// Serves until the end. If the program is to start again: the sockets for it.
fn serve(config: Config) -> Result<Option<Vec<OwnedFd>>, String> {
    let is_repeatable = config.input.is_empty();
    let watch =
        |el: &EventLoop, end| signals::watch(el, end).map_err(|error| format!("cannot watch for signals: {error}"));
    let (serving, stopped_by) = Serving::open(config, watch)?;
    if is_repeatable {
        serving.allow_restart();
    }
    if !serving.load()? {
        log::say(format!("ae-server stopped by {} while loading\n", stopped_by.get().unwrap_or("SHUTDOWN")));
        return Ok(None);
    }
    let (version, backend, pid) = (env!("CARGO_PKG_VERSION"), serving.el.backend(), std::process::id());
    log::say(format!("ae-server {version} ready on {} ({backend}, PID: {pid})\n", serving.places()));
    // Programs that start a redis-server for their tests wait for this line, some for the mark of its level as well.
    log::say_as_line("Ready to accept connections".into());
    if daemon::is_one() {
        log::flush();
        daemon::detach().map_err(|error| format!("cannot detach from the terminal: {error}"))?;
    }
    let sockets = serving.run()?;
    log::say(match (stopped_by.get(), &sockets) {
        (by, Some(_)) => format!("ae-server starts again after {}\n", by.unwrap_or("DEBUG RESTART")),
        (by, None) => format!("ae-server stopped by {}\n", by.unwrap_or("SHUTDOWN")),
    });
    Ok(sockets)
}
