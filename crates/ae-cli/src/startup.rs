//! The program: arguments, environment, password.

use crate::modes;
use crate::options::{Action, Options, parse};
use crate::output::{Stop, complain, put};
use crate::password;
use std::ffi::OsString;
use std::io::{self, IsTerminal};
use std::os::unix::ffi::OsStringExt;
use std::process::ExitCode;

/// The program: does what the command line's arguments ask for, of which the first is its own name.
pub fn main(args: impl Iterator<Item = OsString>) -> ExitCode {
    let terminal = io::stdout().is_terminal() || std::env::var_os("FAKETTY").is_some();
    let (mut options, warning) = match parse(args.skip(1), terminal) {
        Ok(Action::Run(options, warning)) => (*options, warning),
        Ok(Action::Print(text)) => {
            return match put(text) {
                Ok(()) => ExitCode::SUCCESS,
                Err(Stop(status)) => ExitCode::from(status),
            };
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
        options.password = password::ask("Please input password: ")?;
    }
    Ok(())
}
