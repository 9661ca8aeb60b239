//! The nodes of a cluster, as one of them knows them.

use super::report::{Level, say};
use crate::net::Link;
use crate::output::{Stop, complain, fail};
use crate::session::Session;
use crate::text;
use resp::Reply;

/// How many slots a cluster has.
pub(super) const SLOTS: usize = 16_384;

/// A node, connected.
pub(super) struct Node {
    pub(super) link: Link,
    pub(super) id: String,
    pub(super) host: String,
    pub(super) port: u16,
    pub(super) flags: Vec<String>,
    /// The master that it replicates.
    pub(super) master: Option<String>,
    /// Ranges of slots, with both ends.
    pub(super) slots: Vec<(usize, usize)>,
    /// Slots that are on their way to another node, and from one.
    pub(super) migrating: Vec<String>,
    pub(super) importing: Vec<String>,
    pub(super) replicas: usize,
}

impl Node {
    pub(super) fn place(&self) -> String {
        format!("{}:{}", self.host, self.port)
    }

    pub(super) fn is_replica(&self) -> bool {
        self.flags.iter().any(|flag| flag == "slave")
    }

    pub(super) fn slot_count(&self) -> usize {
        self.slots.iter().map(|(first, last)| last - first + 1).sum()
    }

    pub(super) fn has(&self, slot: usize) -> bool {
        self.slots.iter().any(|(first, last)| (*first..=*last).contains(&slot))
    }

    /// CLUSTER NODES as this node answers it.
    pub(super) fn known_nodes(&mut self) -> Option<Vec<Line>> {
        match self.link.call(&["CLUSTER", "NODES"]) {
            Ok(reply @ (Reply::Bulk(_) | Reply::Verbatim(_))) => Some(lines(&reply.text())),
            _ => None,
        }
    }
}

/// What a node says of another, or of itself.
pub(super) struct Line {
    pub(super) id: String,
    host: String,
    port: u16,
    pub(super) flags: Vec<String>,
    master: Option<String>,
    /// As they stand: `5`, `0-4`, `[7->-id]`.
    pub(super) slots: Vec<String>,
}

/// The lines of CLUSTER NODES that can be understood.
pub(super) fn lines(text: &str) -> Vec<Line> {
    text.lines().filter_map(line).collect()
}

fn line(text: &str) -> Option<Line> {
    let mut words = text.split(' ').filter(|word| !word.is_empty());
    let mut next = || words.next().map(String::from);
    let (id, address, flags, master) = (next()?, next()?, next()?, next()?);
    let _times = (next()?, next()?, next()?);
    let _state = next()?;
    let (host, port) = address.split(['@', ',']).next()?.rsplit_once(':')?;
    Some(Line {
        id,
        host: host.into(),
        port: text::port(port)?,
        flags: flags.split(',').map(String::from).collect(),
        master: (master != "-").then_some(master),
        slots: words.map(String::from).collect(),
    })
}

/// All of them.
pub(super) struct Nodes {
    pub(super) all: Vec<Node>,
}

impl Nodes {
    /// Those that the node at this place knows, and itself, which comes first.
    pub(super) fn find(session: &Session, host: &str, port: u16) -> Result<Nodes, Stop> {
        let mut first = connect(session, host, port)?;
        let enabled = match first.call(&["INFO", "cluster"]) {
            Ok(reply) if reply.error().is_none() => reply.text().contains("cluster_enabled:1"),
            Ok(reply) => return refused(host, port, &reply),
            Err(error) => return fail(format!("Error: {error}")),
        };
        if !enabled {
            say(Level::Error, &format!("[ERR] Node {host}:{port} is not configured as a cluster node.\n"))?;
            return Err(Stop(1));
        }
        let reply = first.call(&["CLUSTER", "NODES"]).or_else(|error| fail(format!("Error: {error}")))?;
        if reply.error().is_some() {
            return refused(host, port, &reply);
        }
        let known = lines(&reply.text());
        let mut all = Vec::new();
        all.extend(known.iter().find(|line| is(line, "myself")).map(|line| node(first, host, port, line)));
        for other in known.iter().filter(|line| !is(line, "myself")) {
            if is(other, "noaddr") || is(other, "fail") {
                continue;
            }
            // One that cannot be reached has said so, and is left out.
            let Ok(mut link) = connect(session, &other.host, other.port) else { continue };
            let own = link.call(&["CLUSTER", "NODES"]).map(|reply| lines(&reply.text())).unwrap_or_default();
            match own.iter().find(|line| is(line, "myself")) {
                Some(line) => all.push(node(link, &other.host, other.port, line)),
                None => {
                    let text = format!("[ERR] Unable to load info for node {}:{}\n", other.host, other.port);
                    say(Level::Error, &text)?;
                }
            }
        }
        let mut nodes = Nodes { all };
        nodes.count_replicas()?;
        Ok(nodes)
    }

    fn count_replicas(&mut self) -> Result<(), Stop> {
        for at in 0..self.all.len() {
            let Some(master) = self.all[at].master.clone() else { continue };
            match self.all.iter_mut().find(|node| node.id == master) {
                Some(master) => master.replicas += 1,
                None => {
                    let place = self.all[at].place();
                    let text = format!("*** WARNING: {place} claims to be slave of unknown node ID {master}.\n");
                    say(Level::Warning, &text)?;
                }
            }
        }
        Ok(())
    }
}

fn is(line: &Line, flag: &str) -> bool {
    line.flags.iter().any(|found| found == flag)
}

fn refused<T>(host: &str, port: u16, reply: &Reply) -> Result<T, Stop> {
    say(Level::Error, &format!("Node {host}:{port} replied with error:\n{}\n", reply.text()))?;
    Err(Stop(1))
}

/// Connects as the command line's options say, to another place.
fn connect(session: &Session, host: &str, port: u16) -> Result<Link, Stop> {
    let target = session.target.at(host, port);
    let mut link = match Link::open(&target, None) {
        Ok(link) => link,
        Err(why) => return fail(format!("Could not connect to Redis at {host}:{port}: {why}")),
    };
    let Some(args) = session.options.auth() else { return Ok(link) };
    match link.call(&args) {
        Ok(reply) if reply.error().is_none() => Ok(link),
        Ok(reply) => fail(format!("AUTH failed: {}", reply.text())),
        Err(error) => {
            complain(format!("Error: {error}"));
            Err(Stop(1))
        }
    }
}

fn node(link: Link, host: &str, port: u16, line: &Line) -> Node {
    let open = |mark: &str| -> Vec<String> {
        let moving = line.slots.iter().filter_map(|slot| slot.strip_prefix('[')?.split_once(mark));
        moving.map(|(slot, _)| slot.to_string()).collect()
    };
    Node {
        link,
        id: line.id.clone(),
        host: host.into(),
        port,
        flags: line.flags.clone(),
        master: line.master.clone(),
        slots: line.slots.iter().filter_map(|slot| range(slot)).collect(),
        migrating: open("->-"),
        importing: open("-<-"),
        replicas: 0,
    }
}

/// `5` or `0-4`; none for a slot that is on its way.
fn range(text: &str) -> Option<(usize, usize)> {
    let (first, last) = text.split_once('-').unwrap_or((text, text));
    let range = (first.parse().ok()?, last.parse().ok()?);
    (range.0 <= range.1 && range.1 < SLOTS).then_some(range)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_of_cluster_nodes() {
        let text = "aa 127.0.0.1:1@2,name myself,master - 0 0 1 connected 0-4 7 [9->-bb] [10-<-bb]\n\
                    bb :0@0 slave,noaddr aa 0 0 1 disconnected\nnonsense\n\
                    cc 127.0.0.1:70000@2 master - 0 0 1 connected\n";
        let found = lines(text);
        assert_eq!(found.len(), 2);
        assert_eq!((found[0].host.as_str(), found[0].port), ("127.0.0.1", 1));
        assert_eq!(found[0].slots, ["0-4", "7", "[9->-bb]", "[10-<-bb]"]);
        assert_eq!(found[1].master.as_deref(), Some("aa"));
    }

    #[test]
    fn ranges() {
        assert_eq!(range("0-4"), Some((0, 4)));
        assert_eq!(range("16383"), Some((16383, 16383)));
        for bad in ["16384", "4-0", "x", "[9->-bb]", "-1"] {
            assert_eq!(range(bad), None, "{bad}");
        }
    }
}
