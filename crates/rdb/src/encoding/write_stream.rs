//! Streams: the nodes as they are, then the counters, then the groups with what is pending.

use super::writer::Writer;
use store::types::stream::{Group, Id, Stream};

/// In place of a number of entries read that is not known.
const UNKNOWN: u64 = u64::MAX;

pub fn stream(stream: &Stream, writer: &mut Writer<'_>) {
    let log = stream.log();
    writer.length(log.node_count() as u64);
    for (id, block) in log.nodes() {
        writer.string(&id.to_bytes());
        writer.string(block.as_bytes());
    }
    writer.length(log.len());
    for id in [log.last_id(), log.first_id(), log.max_deleted_id()] {
        two_numbers(id, writer);
    }
    writer.length(log.entries_added());
    writer.length(stream.groups().len() as u64);
    for (name, group) in stream.groups() {
        writer.string(name);
        write_group(group, writer);
    }
}

fn write_group(group: &Group, writer: &mut Writer<'_>) {
    two_numbers(group.last_id(), writer);
    writer.length(group.entries_read().map_or(UNKNOWN, |read| read as u64));
    writer.length(group.pending_len() as u64);
    for (id, pending) in group.pending_range(Id::MIN, Id::MAX) {
        writer.raw(&id.to_bytes());
        writer.milliseconds(pending.delivered);
        writer.length(pending.deliveries);
    }
    writer.length(group.consumers().count() as u64);
    for (id, consumer) in group.consumers() {
        writer.string(consumer.name());
        writer.milliseconds(consumer.seen());
        writer.length(consumer.pending_len() as u64);
        for (id, _) in group.pending_range_of(id, Id::MIN, Id::MAX) {
            writer.raw(&id.to_bytes());
        }
    }
}

/// An id in the form that its parts have as counters.
fn two_numbers(id: Id, writer: &mut Writer<'_>) {
    writer.length(id.ms);
    writer.length(id.seq);
}
