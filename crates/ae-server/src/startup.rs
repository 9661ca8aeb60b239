//! The program ae-server around the server: its command line, its signals, what it says.

use crate::config::command_line::{Action, parse};
use crate::config::settings::Config;
use crate::persist::check::check;
use crate::serve::serving::Serving;
use crate::{daemon, log, process, signals};
use std::ffi::OsString;
use std::io::Write;
use std::path::Path;
use std::process::ExitCode;
use std::time::{SystemTime, UNIX_EPOCH};

/// The program: reads the command line's arguments, of which the first is its own name, serves until it is told to stop, and says how it ended.
/// Under the name of ae-check-rdb, or with `--check-rdb`, it looks into a file instead.
pub fn main(args: impl Iterator<Item = OsString>) -> ExitCode {
    let mut args = args.peekable();
    let name = args.next().unwrap_or_default();
    let is_tool = Path::new(&name).file_name().is_some_and(|name| name == "ae-check-rdb");
    if is_tool || args.next_if(|arg| arg == "--check-rdb").is_some() {
        return check_rdb(&args.collect::<Vec<_>>());
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
    let served = serve(config);
    log::flush();
    match served {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => fail(&error),
    }
}

/// Looks into the RDB file that the argument names, as redis-check-rdb does.
fn check_rdb(args: &[OsString]) -> ExitCode {
    let [path] = args else {
        let _ = writeln!(std::io::stderr(), "Usage: ae-check-rdb <rdb-file-name>");
        return ExitCode::FAILURE;
    };
    let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |time| time.as_millis() as i64);
    let (report, ok) = check(Path::new(path), now);
    // Somebody may have closed the other end.
    let _ = std::io::stdout().write_all(report.as_bytes());
    if ok { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Whatever keeps the server from running is told on one line.
fn fail(error: &str) -> ExitCode {
    let _ = writeln!(std::io::stderr(), "ae-server: {}", error.replace('\n', " "));
    ExitCode::FAILURE
}

fn serve(config: Config) -> Result<(), String> {
    let serving = Serving::open(config)?;
    let stopped_by =
        signals::watch(&serving.el, serving.ender()).map_err(|error| format!("cannot watch for signals: {error}"))?;
    if !serving.load()? {
        log::say(format!("ae-server stopped by {} while loading\n", stopped_by.get().unwrap_or("SHUTDOWN")));
        return Ok(());
    }
    let (version, backend, pid) = (env!("CARGO_PKG_VERSION"), serving.el.backend(), std::process::id());
    log::say(format!("ae-server {version} ready on {} ({backend}, pid {pid})\n", serving.places()));
    log::say("Ready to accept connections\n".into());
    if daemon::is_one() {
        log::flush();
        daemon::detach().map_err(|error| format!("cannot detach from the terminal: {error}"))?;
    }
    serving.run()?;
    log::say(format!("ae-server stopped by {}\n", stopped_by.get().unwrap_or("SHUTDOWN")));
    Ok(())
}
