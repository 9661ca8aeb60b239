//! Which subcommand does what.

use super::nodes::Nodes;
use super::{call, check};
use crate::options::Cluster;
use crate::output::{Stop, fail, put};
use crate::session::Session;
use crate::text;

/// The arguments that a subcommand takes: exactly so many, or at least.
enum Arity {
    Exactly(usize),
    AtLeast(usize),
}

const SUBCOMMANDS: [(&str, Arity); 13] = [
    ("create", Arity::AtLeast(2)),
    ("check", Arity::AtLeast(1)),
    ("info", Arity::AtLeast(1)),
    ("fix", Arity::AtLeast(1)),
    ("reshard", Arity::AtLeast(1)),
    ("rebalance", Arity::AtLeast(1)),
    ("add-node", Arity::Exactly(2)),
    ("del-node", Arity::Exactly(2)),
    ("call", Arity::AtLeast(2)),
    ("set-timeout", Arity::Exactly(2)),
    ("import", Arity::Exactly(1)),
    ("backup", Arity::Exactly(2)),
    ("help", Arity::AtLeast(0)),
];

const HELP: &str = "Cluster subcommands:
  call HOST:PORT COMMAND [ARG...]   sends a command to every node and prints what each answers
                                    --cluster-only-masters, --cluster-only-replicas
  info HOST:PORT                    the masters, with their keys, slots and replicas
  check HOST:PORT                   the same, and whether the nodes agree and every slot has an owner
                                    --cluster-search-multiple-owners
HOST:PORT is any node; the rest is asked for there. What changes a cluster (create, fix, reshard, rebalance, add-node,
del-node, set-timeout, import, backup) is redis-cli's.
";

/// Does what was asked for.
pub fn run(session: &mut Session, asked: &Cluster) -> Result<(), Stop> {
    let name = asked.command.as_str();
    let Some((_, arity)) = SUBCOMMANDS.iter().find(|(known, _)| *known == name) else {
        return fail("Unknown --cluster subcommand");
    };
    let count = asked.args.len();
    let fits = match arity {
        Arity::Exactly(wanted) => count == *wanted,
        Arity::AtLeast(least) => count >= *least,
    };
    if !fits {
        return fail("[ERR] Wrong number of arguments for specified --cluster sub command");
    }
    match name {
        "help" => put(HELP),
        "call" => {
            let (host, port) = place(&asked.args[..1])?;
            call::run(Nodes::find(session, &host, port)?, asked)
        }
        "info" | "check" => {
            let (host, port) = place(&asked.args)?;
            let mut nodes = Nodes::find(session, &host, port)?;
            check::summary(&mut nodes)?;
            if name == "info" { Ok(()) } else { check::check(&mut nodes, asked) }
        }
        _ => fail(format!("--cluster {name}: ae-cli changes no cluster; use redis-cli --cluster {name}")),
    }
}

/// `host:port`, or both as two arguments.
fn place(args: &[Vec<u8>]) -> Result<(String, u16), Stop> {
    let text = |arg: &Vec<u8>| String::from_utf8_lossy(arg).into_owned();
    let found = match args {
        [one] => text(one).split('@').next().and_then(|one| {
            let (host, port) = one.rsplit_once(':')?;
            Some((host.to_string(), port.to_string()))
        }),
        [host, port, ..] => Some((text(host), text(port))),
        [] => None,
    };
    let parsed = found.and_then(|(host, port)| {
        let port = u16::try_from(text::leading_integer(&port)).ok().filter(|port| *port > 0)?;
        Some((host, port)).filter(|(host, _)| !host.is_empty())
    });
    match parsed {
        Some(place) => Ok(place),
        None => fail(
            "[ERR] Invalid arguments: you need to pass either a valid address (ie. 120.0.0.1:7000) or space separated \
             IP and port (ie. 120.0.0.1 7000)",
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places() {
        let place = |args: &[&str]| place(&args.iter().map(|arg| arg.as_bytes().to_vec()).collect::<Vec<_>>()).ok();
        assert_eq!(place(&["a:1"]), Some(("a".into(), 1)));
        assert_eq!(place(&["a", "1"]), Some(("a".into(), 1)));
        assert_eq!(place(&["::1:7@17"]), Some(("::1".into(), 7)));
        for bad in [&["a"][..], &["a:"], &["a:x"], &[":1"], &["a", "x"], &["a:65536"], &[]] {
            assert_eq!(place(bad), None, "{bad:?}");
        }
    }
}
