//! One command, or one script.

use crate::help;
use crate::options::{Input, unquoted};
use crate::output::{Stop, fail, put};
use crate::session::{Failed, Session};
use crate::text::system_error;
use std::io::Read;
use std::path::Path;
use std::{fs, io};

/// Sends the command of the command line.
pub fn run(session: &mut Session) -> Result<(), Stop> {
    let mut args = session.options.command.clone();
    if session.options.quoted_input {
        let unquoted: Option<Vec<_>> = args.iter().map(|arg| unquoted(arg)).collect();
        let Some(unquoted) = unquoted else {
            put("Invalid quoted string\n")?;
            return Err(Stop(1));
        };
        args = unquoted;
    }
    match session.options.input.clone() {
        Input::Commands => {}
        Input::LastArgument => args.push(standard_input()?),
        Input::Tagged(tag) => {
            let Some(arg) = args.iter_mut().find(|arg| **arg == tag) else {
                return fail("Using -X option but stdin tag not match.");
            };
            *arg = standard_input()?;
        }
    }
    if help::is_asked(&args) {
        return help::answer(session, &mut help::Known::default(), &args[1..]);
    }
    finished(session.issue(&args, session.options.repeat))
}

/// Sends a script that is in a file, with keys, and arguments behind a comma.
pub fn eval(session: &mut Session, path: &Path) -> Result<(), Stop> {
    session.require()?;
    let script = match fs::read(path) {
        Ok(script) => script,
        Err(error) => return fail(format!("Can't open file '{}': {}", path.display(), system_error(&error))),
    };
    let mut behind = session.options.command.clone();
    let comma = behind.iter().position(|arg| arg == b",");
    let keys = comma.unwrap_or(behind.len());
    if let Some(comma) = comma {
        behind.remove(comma);
    }
    let mut args = vec![b"EVAL".to_vec(), script, keys.to_string().into()];
    args.append(&mut behind);
    finished(session.issue(&args, session.options.repeat))
}

fn finished(result: Result<(), Failed>) -> Result<(), Stop> {
    result.map_err(|failed| match failed {
        Failed::Command => Stop(1),
        Failed::Program(stop) => stop,
    })
}

fn standard_input() -> Result<Vec<u8>, Stop> {
    let mut input = Vec::new();
    match io::stdin().lock().read_to_end(&mut input) {
        Ok(_) => Ok(input),
        Err(error) => fail(format!("Reading from standard input: {}", system_error(&error))),
    }
}
