//! `--cluster info` and `--cluster check`.

use super::nodes::{Node, Nodes, SLOTS};
use super::report::{Level, say};
use crate::options::Cluster;
use crate::output::{Stop, put};
use resp::Reply;

/// The masters, and what they hold.
pub(super) fn summary(nodes: &mut Nodes) -> Result<(), Stop> {
    let (mut masters, mut keys) = (0, 0);
    for node in nodes.all.iter_mut().filter(|node| !node.is_replica()) {
        let size = match node.link.call(&["DBSIZE"]) {
            Ok(Reply::Integer(size)) => size,
            Ok(reply) => {
                let text = format!("Node {} replied with error:\n{}\n", node.place(), reply.text());
                return say(Level::Error, &text);
            }
            Err(error) => return say(Level::Error, &format!("Node {}: {error}\n", node.place())),
        };
        let id = node.id.get(..8).unwrap_or(&node.id);
        let (slots, replicas) = (node.slot_count(), node.replicas);
        put(format!("{} ({id}...) -> {size} keys | {slots} slots | {replicas} slaves.\n", node.place()))?;
        masters += 1;
        keys += size;
    }
    say(Level::Good, &format!("[OK] {keys} keys in {masters} masters.\n"))?;
    put(format!("{:.2} keys per slot on average.\n", keys as f64 / SLOTS as f64))
}

/// Whether all is well: status 1 otherwise.
pub(super) fn check(nodes: &mut Nodes, asked: &Cluster) -> Result<(), Stop> {
    let place = nodes.all.first().map(Node::place).unwrap_or_default();
    say(Level::Title, &format!(">>> Performing Cluster Check (using node {place})\n"))?;
    for node in &nodes.all {
        put(described(node))?;
    }
    let mut good = agreement(nodes)?;
    say(Level::Title, ">>> Check for open slots...\n")?;
    good &= open_slots(nodes)?;
    say(Level::Title, ">>> Check slots coverage...\n")?;
    let covered = (0..SLOTS).filter(|slot| nodes.all.iter().any(|node| node.has(*slot))).count();
    if covered == SLOTS {
        say(Level::Good, &format!("[OK] All {SLOTS} slots covered.\n"))?;
    } else {
        say(Level::Error, &format!("[ERR] Not all {SLOTS} slots are covered by nodes.\n\n"))?;
        good = false;
    }
    if asked.search_multiple_owners {
        say(Level::Title, ">>> Check for multiple slot owners...\n")?;
        good &= single_owners(nodes)?;
    }
    if good { Ok(()) } else { Err(Stop(1)) }
}

fn described(node: &Node) -> String {
    let role = if node.is_replica() { "S" } else { "M" };
    let ranges = node.slots.iter().map(|(first, last)| match first == last {
        true => format!("[{first}]"),
        false => format!("[{first}-{last}]"),
    });
    let flags: Vec<_> = node.flags.iter().filter(|flag| *flag != "myself").map(String::as_str).collect();
    let mut text = format!(
        "{role}: {} {}\n   slots:{} ({} slots) {}",
        node.id,
        node.place(),
        ranges.collect::<Vec<_>>().join(","),
        node.slot_count(),
        flags.join(",")
    );
    match &node.master {
        Some(master) => text.push_str(&format!("\n   replicates {master}")),
        None if node.replicas > 0 => text.push_str(&format!("\n   {} additional replica(s)", node.replicas)),
        None => {}
    }
    text + "\n"
}

/// Whether every node sees the same owners of slots.
fn agreement(nodes: &mut Nodes) -> Result<bool, Stop> {
    let mut views = nodes.all.iter_mut().map(|node| {
        let mut view: Vec<(String, Vec<String>)> = Vec::new();
        for line in node.known_nodes()? {
            let mut slots: Vec<_> = line.slots.into_iter().filter(|slot| !slot.starts_with('[')).collect();
            slots.sort();
            if !slots.is_empty() {
                view.push((line.id, slots));
            }
        }
        view.sort();
        Some(view)
    });
    let first = views.next().flatten();
    let agree = first.is_some() && views.all(|view| view == first);
    if agree {
        say(Level::Good, "[OK] All nodes agree about slots configuration.\n")?;
    } else {
        say(Level::Error, "[ERR] Nodes don't agree about configuration!\n")?;
    }
    Ok(agree)
}

/// Whether no slot is on its way from one node to another.
fn open_slots(nodes: &Nodes) -> Result<bool, Stop> {
    let mut open: Vec<&str> = Vec::new();
    for node in &nodes.all {
        for (state, slots) in [("migrating", &node.migrating), ("importing", &node.importing)] {
            if !slots.is_empty() {
                let list = slots.join(",");
                let text = format!("[WARNING] Node {} has slots in {state} state {list}.\n", node.place());
                say(Level::Error, &text)?;
                open.extend(slots.iter().map(String::as_str));
            }
        }
    }
    open.sort_unstable();
    open.dedup();
    if !open.is_empty() {
        say(Level::Error, &format!("[WARNING] The following slots are open: {}.\n", open.join(",")))?;
    }
    Ok(open.is_empty())
}

/// Whether no slot has several masters that own it or have keys of it.
fn single_owners(nodes: &mut Nodes) -> Result<bool, Stop> {
    let mut owners: Vec<Vec<String>> = vec![Vec::new(); SLOTS];
    for node in nodes.all.iter_mut().filter(|node| !node.is_replica()) {
        let requests: Vec<_> =
            (0..SLOTS).map(|slot| vec!["CLUSTER".to_string(), "COUNTKEYSINSLOT".into(), slot.to_string()]).collect();
        let counts = node.link.call_all(&requests).unwrap_or_default();
        for (slot, owners) in owners.iter_mut().enumerate() {
            if node.has(slot) || matches!(counts.get(slot), Some(Reply::Integer(count)) if *count > 0) {
                owners.push(node.place());
            }
        }
    }
    let mut good = true;
    for (slot, owners) in owners.iter().enumerate().filter(|(_, owners)| owners.len() > 1) {
        good = false;
        say(Level::Error, &format!("[WARNING] Slot {slot} has {} owners:\n", owners.len()))?;
        for owner in owners {
            say(Level::Error, &format!("    {owner}\n"))?;
        }
    }
    if good {
        say(Level::Good, "[OK] No multiple owners found.\n")?;
    }
    Ok(good)
}
