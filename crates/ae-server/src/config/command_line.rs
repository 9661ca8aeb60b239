//! The command line, as redis-server takes it: a file, `-` for standard input, and `--name value...` for every
//! directive, which comes after both.

use super::catalog::{find, parameters};
use super::line::{Fault, apply};
use super::settings::{Config, REDIS_VERSION};
use super::{file, words};
use std::io;
use std::path::Path;

#[derive(Debug)]
pub enum Action {
    Serve(Box<Config>),
    /// Print this and exit with status 0.
    Print(String),
}

/// What the arguments, without the program's name, ask for. The error is one line for the operator.
pub fn parse(args: impl IntoIterator<Item = String>) -> Result<Action, String> {
    parse_with(args, &mut io::stdin())
}

fn parse_with(args: impl IntoIterator<Item = String>, stdin: &mut dyn io::Read) -> Result<Action, String> {
    let args: Vec<String> = args.into_iter().collect();
    match args.first().map(String::as_str) {
        Some("-h" | "--help") => return Ok(Action::Print(help())),
        Some("-v" | "--version") => return Ok(Action::Print(version())),
        _ => {}
    }
    let mut config = Config::default();
    let mut options = &args[..];
    if let Some((path, rest)) = options.split_first()
        && !path.starts_with('-')
    {
        let path = Path::new(path);
        file::load(&mut config, path)?;
        config.file = std::path::absolute(path).ok();
        options = rest;
    }
    // Standard input comes behind the file, wherever it is named, and before the options.
    let mut from_stdin = false;
    if let [first, rest @ ..] = options
        && first == "-"
        && options.len() == args.len()
    {
        (from_stdin, options) = (true, rest);
    }
    if let [rest @ .., last] = options
        && last == "-"
    {
        (from_stdin, options) = (true, rest);
    }
    if from_stdin {
        file::load_input(&mut config, stdin)?;
    }
    load_options(&mut config, options)?;
    Ok(Action::Serve(Box::new(config)))
}

/// An option is a line of a file: its name may have values behind it in the same argument, others follow.
fn load_options(config: &mut Config, args: &[String]) -> Result<(), String> {
    let mut args = args.iter().peekable();
    while let Some(arg) = args.next() {
        // Redis takes the first one behind a file without the dashes, too. Later ones are values.
        let bare = find(arg.as_bytes()).is_some().then_some(arg.as_str());
        let Some(option) = arg.strip_prefix("--").or(bare) else {
            return Err(format!("unexpected argument '{arg}': options are given as --name value (see --help)"));
        };
        let mut line = option_words(option)?;
        // What begins with `--` is a value where the option has none yet, except behind `--save`.
        let empty = line.len() == 1 && line[0].eq_ignore_ascii_case(b"save");
        while let Some(value) = args.next_if(|next| !next.starts_with("--") || (line.len() == 1 && !empty)) {
            line.push(value.clone().into());
        }
        if let [name, pattern] = &line[..]
            && file::is_include(name)
        {
            file::load_included(config, pattern)?;
            continue;
        }
        let name = String::from_utf8_lossy(&line[0]).into_owned();
        let value = words::text_of(&line[1..]);
        apply(config, &line, "the command line").map_err(|fault| match fault {
            Fault::Unknown => format!("unknown option '--{name}' (see --help)"),
            Fault::WrongCount if line.len() == 1 => format!("option '--{name}' needs a value"),
            fault => format!("bad value '{value}' for --{name}: {}", fault.text()),
        })?;
    }
    Ok(())
}

/// The words of one argument: `name`, `name value` or `name=value`.
fn option_words(option: &str) -> Result<Vec<Vec<u8>>, String> {
    if let Some((name, value)) = option.split_once('=')
        && find(name.as_bytes()).is_some()
    {
        return Ok(vec![name.into(), value.into()]);
    }
    let words = resp::words::split(option.as_bytes()).map_err(|_| format!("unbalanced quotes in '--{option}'"))?;
    if words.is_empty() { Err("'--' is no option (see --help)".into()) } else { Ok(words) }
}

/// With Redis's version as redis-server tells it, for programs that look for that.
fn version() -> String {
    format!(
        "ae-server {}, compatible with Redis server v={REDIS_VERSION} bits={}\n",
        env!("CARGO_PKG_VERSION"),
        usize::BITS
    )
}

fn help() -> String {
    let mut text = String::from(
        "Usage: ae-server [FILE] [-] [--OPTION VALUE...]...\n\nA Redis-compatible server. FILE is in the syntax of \
         redis.conf, - stands for standard input.\n\n",
    );
    for parameter in parameters().filter(|parameter| !parameter.usage.is_empty()) {
        let option = format!("--{} {}", parameter.name, parameter.usage);
        text.push_str(&format!("  {option:<36} {}\n", parameter.help));
    }
    text.push_str(&format!("  {:<36} print this\n  {:<36} print the version\n", "-h, --help", "-v, --version"));
    text
}

#[cfg(test)]
#[path = "command_line_tests.rs"]
mod tests;
