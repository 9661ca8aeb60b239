//! The program: arguments, environment, password.

use crate::modes;
use crate::options::{Action, Options, parse};
use crate::output::{complain, put};
use rustix::termios::{LocalModes, OptionalActions, tcgetattr, tcsetattr};
use std::ffi::OsString;
use std::io::{self, BufRead, IsTerminal, Write};
use std::os::unix::ffi::OsStringExt;
use std::process::ExitCode;

/// The program: does what the command line's arguments ask for, of which the first is its own name.
pub fn main(args: impl Iterator<Item = OsString>) -> ExitCode {
    let terminal = io::stdout().is_terminal() || std::env::var_os("FAKETTY").is_some();
    let (mut options, warning) = match parse(args.skip(1), terminal) {
        Ok(Action::Run(options, warning)) => (*options, warning),
        Ok(Action::Print(text)) => {
            let _ = put(text);
            return ExitCode::SUCCESS;
        }
        Err(error) => {
            complain(error);
            return ExitCode::FAILURE;
        }
    };
    if let Some(warning) = warning {
        complain(warning);
    }
    if let Err(error) = find_password(&mut options) {
        complain(format!("Could not read the password: {error}"));
        return ExitCode::FAILURE;
    }
    modes::run(options)
}

fn find_password(options: &mut Options) -> io::Result<()> {
    if options.password.is_none() {
        options.password = std::env::var_os("REDISCLI_AUTH").map(OsString::into_vec);
    }
    if options.ask_password {
        options.password = Some(ask("Please input password: ")?);
    }
    Ok(())
}

/// Reads a line, which a terminal does not show.
fn ask(question: &str) -> io::Result<Vec<u8>> {
    let stdin = io::stdin();
    let mut stderr = io::stderr().lock();
    stderr.write_all(question.as_bytes())?;
    let before = tcgetattr(&stdin).ok();
    if let Some(before) = &before {
        let mut silent = before.clone();
        silent.local_modes.remove(LocalModes::ECHO);
        tcsetattr(&stdin, OptionalActions::Flush, &silent)?;
    }
    let mut line = Vec::new();
    let read = stdin.lock().read_until(b'\n', &mut line);
    if let Some(before) = &before {
        tcsetattr(&stdin, OptionalActions::Flush, before)?;
    }
    stderr.write_all(b"\n")?;
    read?;
    line.truncate(line.trim_ascii_end().len());
    Ok(line)
}
