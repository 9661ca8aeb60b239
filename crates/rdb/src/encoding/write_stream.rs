//! Streams: the nodes as they are, then the counters, then the groups with what is pending.

use super::budget::Budget;
use super::writer::Writer;
use store::types::stream::{Group, Id, Stream};

/// In place of a number of entries read that is not known.
const UNKNOWN: u64 = u64::MAX;

/// Where the rest of a stream begins.
#[derive(Clone, Copy, Debug)]
pub enum StreamPlace {
    /// With the first node whose id is not smaller.
    Nodes(Id),
    /// With a part of the group of this number.
    Group(usize, GroupPlace),
}

/// Where the rest of a group begins.
#[derive(Clone, Copy, Debug)]
pub enum GroupPlace {
    Start,
    /// With the first entry that is pending and whose id is not smaller.
    Pending(Id),
    /// With the consumer of this number: at its beginning, or with the first of its entries whose id is not smaller.
    Consumer(usize, Option<Id>),
}

/// Writes a stream from a place on, or from its beginning, and returns the place of the rest.
pub fn stream(
    stream: &Stream,
    from: Option<StreamPlace>,
    budget: &mut Budget,
    writer: &mut Writer<'_>,
) -> Option<StreamPlace> {
    let log = stream.log();
    let (first, place) = match from {
        Some(StreamPlace::Group(first, place)) => (first, place),
        nodes => {
            let first = match nodes {
                Some(StreamPlace::Nodes(first)) => first,
                _ => {
                    writer.length(log.node_count() as u64);
                    Id::MIN
                }
            };
            for (id, block) in log.nodes_from(first) {
                writer.string(&id.to_bytes());
                writer.string(block.as_bytes());
                if budget.spend(block.as_bytes().len())
                    && let Some(next) = id.next()
                {
                    return Some(StreamPlace::Nodes(next));
                }
            }
            writer.length(log.len());
            for id in [log.last_id(), log.first_id(), log.max_deleted_id()] {
                two_numbers(id, writer);
            }
            writer.length(log.entries_added());
            writer.length(stream.groups().len() as u64);
            (0, GroupPlace::Start)
        }
    };
    let mut place = Some(place);
    for (number, (name, group)) in stream.groups().enumerate().skip(first) {
        let rest = write_group(name, group, place.take().unwrap_or(GroupPlace::Start), budget, writer);
        if let Some(rest) = rest {
            return Some(StreamPlace::Group(number, rest));
        }
        if budget.spend(name.len()) {
            return Some(StreamPlace::Group(number + 1, GroupPlace::Start));
        }
    }
    None
}

fn write_group(
    name: &[u8],
    group: &Group,
    from: GroupPlace,
    budget: &mut Budget,
    writer: &mut Writer<'_>,
) -> Option<GroupPlace> {
    if let GroupPlace::Start = from {
        writer.string(name);
        two_numbers(group.last_id(), writer);
        writer.length(group.entries_read().map_or(UNKNOWN, |read| read as u64));
        writer.length(group.pending_len() as u64);
    }
    let (first, mut within) = match from {
        GroupPlace::Consumer(first, within) => (first, within),
        pending => {
            let first = if let GroupPlace::Pending(first) = pending { first } else { Id::MIN };
            for (id, pending) in group.pending_range(first, Id::MAX) {
                writer.raw(&id.to_bytes());
                writer.milliseconds(pending.delivered);
                writer.length(pending.deliveries);
                if budget.spend(size_of::<[u64; 4]>())
                    && let Some(next) = id.next()
                {
                    return Some(GroupPlace::Pending(next));
                }
            }
            writer.length(group.consumers().count() as u64);
            (0, None)
        }
    };
    for (number, (consumer_id, consumer)) in group.consumers().enumerate().skip(first) {
        let first = within.take().unwrap_or_else(|| {
            writer.string(consumer.name());
            writer.milliseconds(consumer.seen());
            writer.length(consumer.pending_len() as u64);
            Id::MIN
        });
        for (id, _) in group.pending_range_of(consumer_id, first, Id::MAX) {
            writer.raw(&id.to_bytes());
            if budget.spend(size_of::<[u64; 2]>())
                && let Some(next) = id.next()
            {
                return Some(GroupPlace::Consumer(number, Some(next)));
            }
        }
        if budget.spend(consumer.name().len()) {
            return Some(GroupPlace::Consumer(number + 1, None));
        }
    }
    None
}

/// An id in the form that its parts have as counters.
fn two_numbers(id: Id, writer: &mut Writer<'_>) {
    writer.length(id.ms);
    writer.length(id.seq);
}
