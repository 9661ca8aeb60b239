//! Which subcommand does what.

use super::nodes::Nodes;
use super::{call, check};
use crate::options::Cluster;
use crate::output::{Stop, fail, put};
use crate::session::Session;
use crate::text;

/// The subcommands, and how many arguments each takes at least.
const SUBCOMMANDS: [(&str, usize); 4] = [("call", 2), ("info", 1), ("check", 1), ("help", 0)];

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
    let Some((_, least)) = SUBCOMMANDS.iter().find(|(known, _)| *known == name) else {
        return fail("Unknown --cluster subcommand");
    };
    if asked.args.len() < *least {
        return fail("[ERR] Wrong number of arguments for specified --cluster sub command");
    }
    match name {
        // Like any call of redis-cli that does nothing to a cluster.
        "help" => put(HELP).and(Err(Stop(1))),
        "call" => {
            let (host, port) = place(&asked.args[..1])?;
            call::run(Nodes::find(session, &host, port)?, asked)
        }
        _ => {
            let (host, port) = place(&asked.args)?;
            let mut nodes = Nodes::find(session, &host, port)?;
            check::summary(&mut nodes)?;
            if name == "info" { Ok(()) } else { check::check(&mut nodes, asked) }
        }
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
        let port = text::port(&port).filter(|port| *port > 0)?;
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
