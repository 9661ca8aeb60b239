//! The command line: `--name value...` for every parameter, as redis-server takes it.

use super::catalog::{parameter, parameters};
use super::parameter::Change;
use super::settings::Config;

#[derive(Debug)]
pub enum Action {
    Serve(Box<Config>),
    /// Print this and exit with status 0.
    Print(String),
}

/// What the arguments, without the program's name, ask for. The error is one line for the operator.
pub fn parse(args: impl IntoIterator<Item = String>) -> Result<Action, String> {
    let mut config = Config::default();
    let mut args = args.into_iter().peekable();
    while let Some(arg) = args.next() {
        match arg.as_str() {
            "-h" | "--help" => return Ok(Action::Print(help())),
            "-v" | "--version" => return Ok(Action::Print(format!("ae-server {}\n", env!("CARGO_PKG_VERSION")))),
            _ => {}
        }
        let Some(option) = arg.strip_prefix("--") else {
            return Err(format!("unexpected argument '{arg}': options are given as --name value (see --help)"));
        };
        let (name, mut value) = match option.split_once('=') {
            Some((name, value)) => (name, Some(value.to_string())),
            None => (option, None),
        };
        while let Some(word) = args.next_if(|word| !word.starts_with("--")) {
            value = Some(match value {
                Some(before) => format!("{before} {word}"),
                None => word,
            });
        }
        let Some(parameter) = parameter(name.as_bytes()) else {
            return Err(format!("unknown option '--{name}' (see --help)"));
        };
        let Some(value) = value else {
            return Err(format!("option '--{name}' needs a value"));
        };
        (parameter.set)(&mut config, value.as_bytes())
            .map_err(|error| format!("bad value '{value}' for --{name}: {error}"))?;
    }
    if config.port == 0 && config.tls_port == 0 && config.unix_socket.is_none() {
        return Err("nothing to listen on: give --port, --tls-port or --unixsocket".into());
    }
    Ok(Action::Serve(Box::new(config)))
}

fn help() -> String {
    let mut text = String::from("Usage: ae-server [--OPTION VALUE...]...\n\nA Redis-compatible server.\n\n");
    for parameter in parameters().filter(|parameter| parameter.change != Change::Never) {
        let option = format!("--{} {}", parameter.name, parameter.usage);
        text.push_str(&format!("  {option:<36} {}\n", parameter.help));
    }
    text.push_str(&format!("  {:<36} print this\n  {:<36} print the version\n", "-h, --help", "-v, --version"));
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(line: &str) -> Result<Config, String> {
        match parse(line.split_whitespace().map(String::from))? {
            Action::Serve(config) => Ok(*config),
            Action::Print(text) => Err(text),
        }
    }

    #[test]
    fn options_as_redis_takes_them() {
        let config = parsed("--port 7000 --bind 127.0.0.1 -::1 --requirepass=secret --maxclients 5").unwrap();
        assert_eq!((config.port, config.max_clients, &config.password[..]), (7000, 5, &b"secret"[..]));
        assert_eq!(config.bind, ["127.0.0.1", "-::1"]);
        assert_eq!(parsed("").unwrap().bind, ["*", "-::*"]);
        let quiet = ["--save", "", "--appendonly", "no"].map(String::from);
        assert!(matches!(parse(quiet), Ok(Action::Serve(_))));
    }

    #[test]
    fn what_is_wrong_is_one_line() {
        for (line, error) in [
            ("--prot 1", "unknown option '--prot' (see --help)"),
            ("--port", "option '--port' needs a value"),
            ("--port --bind *", "option '--port' needs a value"),
            ("--port x", "bad value 'x' for --port: argument couldn't be parsed into an integer"),
            ("redis.conf", "unexpected argument 'redis.conf': options are given as --name value (see --help)"),
            ("--appendonly yes", "bad value 'yes' for --appendonly: ae-server supports only the value 'no'"),
            ("--port 0", "nothing to listen on: give --port, --tls-port or --unixsocket"),
        ] {
            assert_eq!(parsed(line).unwrap_err(), error);
        }
    }

    #[test]
    fn help_names_every_option() {
        let text = parsed("--help").unwrap_err();
        for parameter in parameters().filter(|parameter| parameter.change != Change::Never) {
            assert!(text.contains(&format!("--{} ", parameter.name)));
        }
        assert!(parsed("-v").unwrap_err().starts_with("ae-server 1."));
    }
}
