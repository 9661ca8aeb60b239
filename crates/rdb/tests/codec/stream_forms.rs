//! The three forms of streams, and what is wrong in them.

use crate::old_forms::Part::{self, Length, Raw};
use crate::old_forms::{bytes, read, refused, text};
use crate::recipe::Content;
use rdb::{Fault, code};
use store::types::stream::{EntryLog, Id, Limits, NewId};

const FORMS: [u8; 3] = [code::STREAM_LISTPACKS, code::STREAM_LISTPACKS_2, code::STREAM_LISTPACKS_3];

/// A block with so many entries, of one field each.
fn node(first: u64, count: u64) -> Vec<u8> {
    let mut log = EntryLog::default();
    for ms in first..first + count {
        log.add(NewId::Given(Id::new(ms, 0)), 0, &["f", "v"], &Limits::default()).unwrap();
    }
    log.nodes().next().unwrap().1.as_bytes().to_vec()
}

fn id(ms: u64) -> [u8; 16] {
    Id::new(ms, 0).to_bytes()
}

/// The counters of three entries, of six that were ever added.
fn counters(form: u8) -> Vec<Part<'static>> {
    let mut parts = vec![Length(3), Length(3), Length(0)];
    if form != code::STREAM_LISTPACKS {
        parts.extend([1, 0, 2, 9, 6].map(Length));
    }
    parts
}

/// A group that has read two entries, of which 2-0 is pending, with the consumer that `owner` is.
fn group<'a>(form: u8, pending: &'a [u8; 16], owner: &'a [u8; 16]) -> Vec<Part<'a>> {
    let mut parts = vec![text(b"g"), Length(2), Length(0)];
    if form != code::STREAM_LISTPACKS {
        parts.push(Length(5));
    }
    parts.extend([Length(1), Raw(pending), Raw(&[7, 0, 0, 0, 0, 0, 0, 0]), Length(3)]);
    parts.extend([Length(1), text(b"c"), Raw(&[8, 0, 0, 0, 0, 0, 0, 0])]);
    if form == code::STREAM_LISTPACKS_3 {
        parts.push(Raw(&[9, 0, 0, 0, 0, 0, 0, 0]));
    }
    parts.extend([Length(1), Raw(owner)]);
    parts
}

/// Three entries in two nodes, and a group.
pub fn whole(form: u8) -> Vec<u8> {
    let (one, two, three) = (id(1), id(2), id(3));
    let (first, second) = (node(1, 2), node(3, 1));
    let mut parts = vec![Length(2), text(&one), text(&first), text(&three), text(&second)];
    parts.extend(counters(form));
    parts.push(Length(1));
    parts.extend(group(form, &two, &two));
    bytes(&parts)
}

#[test]
fn all_are_read() {
    for form in FORMS {
        let (encoding, content) = read(form, &[Raw(&whole(form))]);
        let entry = |ms| (Id::new(ms, 0), vec![("f".into(), "v".into())]);
        let lines = match form {
            // As many were added as there are. How many of them were read cannot be told.
            code::STREAM_LISTPACKS => ["3 3-0 1-0 0-0 3", "group g 2-0 None", "pending 2-0 c 3", "c 1"],
            _ => ["3 3-0 1-0 2-9 6", "group g 2-0 Some(5)", "pending 2-0 c 3", "c 1"],
        };
        let lines = lines.map(String::from).to_vec();
        assert_eq!((encoding, content), ("stream", Content::Stream((1..4).map(entry).collect(), lines)));
    }
}

#[test]
fn a_stream_may_be_empty() {
    for form in FORMS {
        let mut parts = vec![Length(0), Length(0), Length(5), Length(6)];
        if form != code::STREAM_LISTPACKS {
            parts.extend([0, 0, 5, 6, 4].map(Length));
        }
        parts.push(Length(0));
        let line = if form == code::STREAM_LISTPACKS { "0 5-6 0-0 0-0 0" } else { "0 5-6 0-0 5-6 4" };
        assert_eq!(read(form, &parts).1, Content::Stream(vec![], vec![line.into()]));
    }
}

#[test]
fn what_is_not_known_to_be_read_stays_so() {
    let mut parts = vec![Length(0)];
    parts.extend([0, 5, 6, 0, 0, 0, 0, 4].map(Length));
    parts.extend([Length(1), text(b"g"), Length(1), Length(0), Length(u64::MAX), Length(0), Length(0)]);
    let Content::Stream(_, lines) = read(code::STREAM_LISTPACKS_2, &parts).1 else { panic!("not a stream") };
    assert_eq!(lines[1], "group g 1-0 None");
}

#[test]
fn what_was_read_is_told_from_the_last_id_where_it_is_not_written() {
    let (one, first) = (id(1), node(1, 3));
    for (last, read_of_group) in [(0, "Some(0)"), (1, "Some(1)"), (2, "None"), (3, "Some(3)")] {
        let mut parts = vec![Length(1), text(&one), text(&first), Length(3), Length(3), Length(0)];
        parts.extend([Length(1), text(b"g"), Length(last), Length(0), Length(0), Length(0)]);
        let Content::Stream(_, lines) = read(code::STREAM_LISTPACKS, &parts).1 else { panic!("not a stream") };
        assert_eq!(lines[1], format!("group g {last}-0 {read_of_group}"));
    }
}

#[test]
fn nodes_that_are_wrong_are_refused() {
    let (one, two, three) = (id(1), id(2), id(3));
    let (first, second) = (node(1, 2), node(3, 1));
    let form = code::STREAM_LISTPACKS_2;
    let node_fault = |at| Fault::Block { format: "node of a stream", at };
    assert_eq!(refused(form, &[Length(1), text(b"short"), text(&first)]), (1, Fault::Length));
    assert_eq!(refused(form, &[Length(1), text(&one), text(b"x")]), (18, node_fault(0)));
    let twice = [Length(2), text(&one), text(&first), text(&two), text(&second)];
    assert_eq!(refused(form, &twice), (18 + 1 + first.len() as u64 + 17, node_fault(0)));
    let mut bad = first.clone();
    bad[6] = 3;
    assert_eq!(refused(form, &[Length(1), text(&one), text(&bad)]), (18, node_fault(6)));
    // Counters that tell of another entry, or of a smaller last id.
    for length in [2, 4] {
        let parts = [Length(2), text(&one), text(&first), text(&three), text(&second), Length(length)];
        let parts = [&parts[..], &[3, 0, 1, 0, 0, 0, 6].map(Length)].concat();
        assert_eq!(refused(form, &parts).1, Fault::Counters);
    }
    let parts = [&[Length(1), text(&one), text(&first)][..], &[2, 1, 9, 1, 0, 0, 0, 2].map(Length)].concat();
    assert_eq!(refused(form, &parts).1, Fault::Counters);
}

#[test]
fn groups_that_are_wrong_are_refused() {
    let (one, two, first, nobody) = (id(1), id(2), node(1, 3), [0; 16]);
    for form in FORMS {
        let mut start = vec![Length(1), text(&one), text(&first)];
        start.extend(counters(form));
        let with = |groups: &[Vec<Part<'_>>]| {
            let all: Vec<_> = [&start[..], &[Length(groups.len() as u64)], &groups.concat()].concat();
            refused(form, &all).1
        };
        let good = group(form, &two, &two);
        assert_eq!(with(&[good.clone(), good.clone()]), Fault::Duplicate);
        // An entry that is not pending, and one that is nobody's.
        assert_eq!(with(&[group(form, &two, &nobody)]), Fault::Pending);
        let before_consumers = good.len() - if form == code::STREAM_LISTPACKS_3 { 6 } else { 5 };
        let mut orphan = good[..before_consumers].to_vec();
        orphan.push(Length(0));
        assert_eq!(with(&[orphan]), Fault::Pending);
        let consumer = &good[before_consumers + 1..];
        let shared = [&good[..before_consumers], &[Length(2)], consumer, &[text(b"d")], &consumer[1..]].concat();
        assert_eq!(with(&[shared]), Fault::Pending);
        let same_name = [&good[..before_consumers], &[Length(2)], consumer, consumer].concat();
        assert_eq!(with(&[same_name]), Fault::Duplicate);
        let pending = &good[before_consumers - 3..before_consumers];
        let twice = [&good[..before_consumers - 4], &[Length(2)], pending, pending].concat();
        assert_eq!(with(&[twice]), Fault::Duplicate);
    }
}
