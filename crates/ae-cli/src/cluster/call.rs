//! `--cluster call`: a command to every node.

use super::nodes::Nodes;
use super::report::{Level, say};
use crate::format;
use crate::options::Cluster;
use crate::output::{Stop, put};

pub(super) fn run(mut nodes: Nodes, asked: &Cluster) -> Result<(), Stop> {
    let args = &asked.args[1..];
    say(Level::Title, ">>> Calling")?;
    let words: String = args.iter().map(|arg| format!(" {}", String::from_utf8_lossy(arg))).collect();
    put(words + "\n")?;
    for node in &mut nodes.all {
        if (asked.only_masters && node.master.is_some()) || (asked.only_replicas && node.master.is_none()) {
            continue;
        }
        match node.link.call(args) {
            Ok(reply) => put([format!("{}: ", node.place()).as_bytes(), &format::raw(&reply, b"\n"), b"\n"].concat())?,
            Err(_) => put(format!("{}: Failed!\n", node.place()))?,
        }
    }
    Ok(())
}
