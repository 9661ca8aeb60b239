//! Tests of the list.

use super::*;
use crate::types::packed::Packed;
use proptest::prelude::*;

const TWO: Limits = Limits { listpack_size: 2 };
const KIB4: Limits = Limits { listpack_size: -1 };

fn texts(list: &List) -> Vec<Vec<u8>> {
    list.iter().map(|element| element.to_vec()).collect()
}

fn list_of(texts: &[&str], limits: Limits) -> List {
    let mut list = List::new();
    for text in texts {
        list.push(End::Tail, text.as_bytes(), limits);
    }
    list
}

fn lengths(list: &List) -> Vec<usize> {
    list.nodes(0).map(NodeRef::len).collect()
}

/// Neighbours of which little is left become one, if they fill half of a node at most: from both ends.
#[test]
fn what_removal_leaves_is_joined() {
    let limits = Limits { listpack_size: 8 };
    for (kept, joined) in [(1, vec![2]), (2, vec![4]), (3, vec![3, 3])] {
        for count in [0, 100, -100] {
            let node = [vec!["x"; 8 - kept], vec!["kept"; kept]].concat();
            let mut list = list_of(&[node.clone(), node].concat(), limits);
            assert_eq!(list.remove(b"x", count, limits), 2 * (8 - kept));
            assert_eq!(lengths(&list), joined, "{kept} kept, {count}");
            check(&list, limits);
        }
    }
}

#[test]
fn what_removal_leaves_is_joined_if_half_of_the_bytes_will_do() {
    let (kept_text, gone) = ("k".repeat(500), "x".repeat(500));
    for (kept, joined) in [(2, vec![4]), (3, vec![3, 3])] {
        let node = [vec![gone.as_str(); 8 - kept], vec![&kept_text; kept]].concat();
        let mut list = list_of(&[node.clone(), node].concat(), KIB4);
        assert_eq!(lengths(&list), [8, 8]);
        assert_eq!(list.remove(gone.as_bytes(), 0, KIB4), 2 * (8 - kept));
        assert_eq!(lengths(&list), joined, "{kept} kept");
    }
}

#[test]
fn a_longer_element_that_fits_stays_in_its_node() {
    let long = "x".repeat(1000);
    let mut list = list_of(&[long.as_str(); 4], KIB4);
    assert_eq!(lengths(&list), [4]);
    assert!(list.set(1, "y".repeat(1010).as_bytes(), KIB4));
    assert_eq!(lengths(&list), [4]);
    assert!(list.set(1, "y".repeat(1500).as_bytes(), KIB4));
    assert!(lengths(&list).len() > 1);
    check(&list, KIB4);
}

#[test]
fn a_copy_is_another_list() {
    let mut list = List::new();
    for i in 0..40 {
        list.push(End::Tail, i.to_string().as_bytes(), TWO);
    }
    let before = texts(&list);
    let mut copy = list.clone();
    check(&copy, TWO);
    copy.push(End::Head, b"new", TWO);
    assert!(copy.set(7, b"another", TWO));
    check(&copy, TWO);
    assert_eq!((texts(&list), copy.len()), (before, 41));
}

/// What is true of every list whose nodes it has made itself.
fn check(list: &List, limits: Limits) {
    let (mut len, mut bytes) = (0, 0);
    for node in list.nodes(0) {
        assert!(!node.is_empty());
        match node {
            NodeRef::Packed(packed) => {
                assert_eq!(packed.len(), node.len());
                assert!(node.len() == 1 || limits.allow(packed.size(), node.len()), "{}", packed.size());
                assert!(packed.allocated() <= 16_384.max(4 * packed.size() + 64));
            }
            NodeRef::Plain(text) => assert!(limits.is_large(text.len()) && node.len() == 1),
        }
        len += node.len();
        bytes += node.allocated();
    }
    assert_eq!(len, list.len());
    assert!(list.allocated() >= bytes);
}

#[test]
fn a_list_can_be_written_in_parts() {
    let list = list_of(&["a", "b", "c", "d", "e", "f", "g", "h", "i", "j", "k"], Limits { listpack_size: 1 });
    assert_eq!(list.node_count(), 11);
    for first in 0..=list.node_count() + 1 {
        let rest: Vec<_> = list.nodes(first).flat_map(|node| node.first().map(|at| node.get(at).to_vec())).collect();
        assert_eq!(rest, texts(&list).split_off(first.min(list.len())), "from {first} on");
    }
    assert_eq!(list.range(9..20).len(), 2);
    assert_eq!(list.range(9..20).next_back(), Some(Element::Text(b"k")));
    assert_eq!(list.range(12..20).len(), 0);
}

#[test]
fn a_range_ends_where_lrange_ends() {
    let list = list_of(&["a", "b", "c", "d", "e", "f", "g"], Limits { listpack_size: 3 });
    let all = texts(&list);
    for start in 0..=all.len() {
        for end in start..=all.len() {
            // The elements at once, and those behind one that has been taken.
            let mut found = Vec::new();
            list.range(start..end).for_each(|element| found.push(element.to_vec()));
            assert_eq!(found, all[start..end]);
            let mut rest = list.range(start..end);
            let mut found: Vec<_> = rest.next().map(|element| element.to_vec()).into_iter().collect();
            rest.for_each(|element| found.push(element.to_vec()));
            assert_eq!(found, all[start..end]);
        }
    }
}

#[test]
fn memory_is_that_of_the_nodes_there_are() {
    let one = Limits { listpack_size: 1 };
    let mut list = List::new();
    let kept = |number: usize| format!("{number}{}", "x".repeat(4000)).into_bytes();
    for number in 0..40 {
        list.push(End::Tail, &if number % 4 == 0 { kept(number) } else { vec![b'y'; 4000] }, one);
    }
    let check = |list: &List| {
        let nodes: usize = list.nodes(0).map(NodeRef::allocated).sum();
        assert!((nodes..nodes * 5 / 4).contains(&list.allocated()), "{} for {nodes}", list.allocated());
    };
    check(&list);
    for number in (0..40).step_by(4) {
        assert!(list.insert(&kept(number), Side::After, &kept(number + 1), one));
    }
    check(&list);
    assert_eq!(list.remove(&[b'y'; 4000], 0, one), 30);
    check(&list);
    let mut list = List::new();
    (0..8).for_each(|_| list.push(End::Tail, &[b'y'; 4000], one));
    list.discard(End::Tail, 3);
    check(&list);
}

#[test]
fn what_a_split_has_made_small_is_joined() {
    let limits = Limits { listpack_size: 4 };
    let mut list = list_of(&["b", "c", "d", "e", "f"], limits);
    list.push(End::Head, b"a", limits);
    assert_eq!(lengths(&list), [1, 4, 1]);
    assert!(list.insert(b"d", Side::Before, b"new", limits));
    // Rather than four nodes; redis-server 7.0.15 has two as well.
    assert_eq!(lengths(&list), [3, 4]);
    assert_eq!(texts(&list), [&b"a"[..], b"b", b"c", b"new", b"d", b"e", b"f"]);
}

#[test]
fn a_full_node_is_followed_by_another() {
    let mut list = list_of(&["a", "b", "c", "d", "e"], TWO);
    assert_eq!(lengths(&list), [2, 2, 1]);
    list.push(End::Head, b"0", TWO);
    assert_eq!(lengths(&list), [1, 2, 2, 1]);
    assert_eq!(list.get(0), Some(Element::Integer(0)));
    assert_eq!(list.get(-1), Some(Element::Text(b"e")));
    assert_eq!((list.get(6), list.get(-7), list.get(i64::MIN), list.get(i64::MAX)), (None, None, None, None));
    assert_eq!(list.encoding(), "quicklist");
}

#[test]
fn nodes_hold_what_redis_s_hold() {
    // As in redis-server 7.0.15 after RPUSH of the same, by what DUMP writes.
    let mut list = List::new();
    for number in 0..10_000 {
        list.push(End::Tail, format!("element-{number}").as_bytes(), Limits::default());
    }
    check(&list, Limits::default());
    assert_eq!(lengths(&list), [637, 610, 584, 584, 584, 584, 584, 584, 584, 584, 584, 584, 584, 584, 584, 584, 577]);
}

#[test]
fn a_large_element_is_alone() {
    let large = vec![b'x'; 4097];
    let mut list = list_of(&["a", "b"], KIB4);
    list.push(End::Tail, &large, KIB4);
    list.push(End::Tail, b"c", KIB4);
    assert!(list.insert(b"b", Side::Before, &large, KIB4));
    assert_eq!(lengths(&list), [1, 1, 1, 1, 1]);
    assert!(list.set(-2, b"small", KIB4) && list.set(0, &large, KIB4));
    assert_eq!(texts(&list), [&large[..], &large, b"b", b"small", b"c"]);
    assert_eq!(list.positions(&large, -1, 0).collect::<Vec<_>>(), [1, 0]);
    list.rotate(End::Head, KIB4);
    assert!(matches!(list.nodes(0).last(), Some(NodeRef::Plain(text)) if text == large));
    assert_eq!(list.remove(&large, 0, KIB4), 2);
    assert_eq!(texts(&list), [&b"b"[..], b"small", b"c"]);
    check(&list, KIB4);
}

#[test]
fn nodes_from_a_file_stay_as_they_are() {
    let mut packed = Packed::new();
    for number in 0..60_000 {
        packed.push(number.to_string().as_bytes());
    }
    let nodes = [Node::from(Packed::new()), Node::from(packed), Node::from(Box::from(&b"17"[..]))];
    let mut list = List::from_nodes(nodes);
    assert_eq!(lengths(&list), [60_000, 1]);
    assert_eq!((list.len(), list.get(59_999)), (60_001, Some(Element::Integer(59_999))));
    assert_eq!(list.positions(b"17", 1, 0).collect::<Vec<_>>(), [17, 60_000]);
    // What does not make a node larger stays in it, as in Redis.
    assert!(list.set(1000, b"x", TWO) && list.set(1000, b"1000", TWO));
    assert_eq!(lengths(&list), [60_000, 1]);
    assert!(list.insert(b"35000", Side::After, b"here", TWO));
    assert_eq!(lengths(&list), [35_001, 1, 24_999, 1]);
    assert_eq!(list.get(35_001), Some(Element::Text(b"here")));
    assert_eq!(list.nodes(2).map(NodeRef::len).collect::<Vec<_>>(), [24_999, 1]);
    assert_eq!(list.nodes(4).count(), 0);
}

#[test]
fn nodes_that_cannot_tell_their_length_are_split() {
    let mut packed = Packed::new();
    for number in 0..70_000 {
        packed.push(number.to_string().as_bytes());
    }
    let list = List::from_nodes([Node::from(packed)]);
    assert_eq!(lengths(&list), [16_384, 16_384, 16_384, 16_384, 4464]);
    assert!(list.iter().map(|element| element.as_integer()).eq((0..70_000).map(Some)));
}

#[test]
fn sparse_nodes_are_joined() {
    let mut list = List::new();
    for number in 0..2000 {
        list.push(End::Tail, if number % 100 == 0 { b"kept" } else { b"gone" }, Limits { listpack_size: 50 });
    }
    assert_eq!(lengths(&list).len(), 40);
    assert_eq!(list.remove(b"gone", 0, Limits { listpack_size: 50 }), 1980);
    assert!(lengths(&list).len() <= 2, "{:?}", lengths(&list));
}

#[test]
fn spans_are_lrange_s() {
    let list = list_of(&["a", "b", "c"], TWO);
    assert_eq!(list.span(0, -1), 0..3);
    assert_eq!(list.span(-100, 100), 0..3);
    assert_eq!(list.span(-2, -2), 1..2);
    assert!(list.span(2, 1).is_empty() && list.span(3, 5).is_empty() && list.span(0, -4).is_empty());
    assert_eq!(list.span(i64::MIN, i64::MAX), 0..3);
    assert!(list.span(i64::MAX, i64::MIN).is_empty());
    let mut list = list;
    list.trim(1..7);
    assert_eq!(texts(&list), [b"b", b"c"]);
}

#[test]
fn lpos_s_ranks() {
    let list = list_of(&["a", "b", "c", "1", "2", "3", "c", "c"], TWO);
    let positions = |rank, most| list.positions(b"c", rank, most).collect::<Vec<_>>();
    assert_eq!(positions(1, 0), [2, 6, 7]);
    assert_eq!(positions(2, 0), [6, 7]);
    assert_eq!(positions(-1, 0), [7, 6, 2]);
    assert_eq!(positions(-2, 3), [6]);
    assert_eq!(positions(1, 2), []);
    assert_eq!((positions(4, 0), positions(i64::MIN, 0)), (vec![], vec![]));
}

#[test]
fn memory_is_given_back_in_steps() {
    let mut list = list_of(&["a"; 9], TWO);
    assert!(list.free_some(4));
    assert_eq!(list.len(), 2);
    assert!(!list.free_some(4));
    assert_eq!((list.len(), list.pop(End::Head, |_| ()), list.get(0)), (0, None, None));
    // Large nodes need more steps.
    let mut list = List::new();
    (0..10).for_each(|_| list.push(End::Tail, &[b'x'; 300_000], TWO));
    assert_eq!((0..).take_while(|_| list.free_some(64)).count(), 4);
}

#[test]
fn chance_chooses() {
    let list = list_of(&["a", "b", "c", "d"], TWO);
    assert_eq!(list.random(|| 0), Some(Element::Text(b"a")));
    assert_eq!(list.random(|| u64::MAX), Some(Element::Text(b"d")));
    assert_eq!(List::new().random(|| 7), None);
}

#[derive(Clone, Debug)]
enum Step {
    Push(End, Vec<u8>),
    Pop(End),
    Discard(End, usize),
    Rotate(End),
    Set(i64, Vec<u8>),
    Insert(Vec<u8>, Side, Vec<u8>),
    Remove(Vec<u8>, i64),
    Trim(i64, i64),
    Reload,
}

fn end() -> impl Strategy<Value = End> {
    prop_oneof![Just(End::Head), Just(End::Tail)]
}

/// Few different ones, so that they are found.
fn text() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        12 => (0u8..4).prop_map(|byte| vec![b'a' + byte]),
        4 => (-3i64..3).prop_map(|number| number.to_string().into_bytes()),
        1 => Just(Vec::new()),
        2 => (0usize..4).prop_map(|size| vec![b'y'; 900 + 100 * size]),
        1 => (4090usize..4100).prop_map(|size| vec![b'z'; size]),
    ]
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let side = prop_oneof![Just(Side::Before), Just(Side::After)];
    let step = prop_oneof![
        8 => (end(), text()).prop_map(|(end, text)| Step::Push(end, text)),
        1 => end().prop_map(Step::Pop),
        1 => (end(), 0usize..5).prop_map(|(end, count)| Step::Discard(end, count)),
        1 => end().prop_map(Step::Rotate),
        2 => (-30i64..30, text()).prop_map(|(index, text)| Step::Set(index, text)),
        6 => (text(), side, text()).prop_map(|(pivot, side, text)| Step::Insert(pivot, side, text)),
        1 => (text(), -3i64..4).prop_map(|(text, count)| Step::Remove(text, count)),
        1 => (-40i64..5, -5i64..40).prop_map(|(start, stop)| Step::Trim(start, stop)),
        1 => Just(Step::Reload),
    ];
    prop::collection::vec(step, 0..150)
}

fn limits() -> impl Strategy<Value = Limits> {
    prop_oneof![Just(-1), 0..6].prop_map(|listpack_size| Limits { listpack_size })
}

fn remove_from(model: &mut Vec<Vec<u8>>, text: &[u8], count: i64) -> usize {
    let mut at: Vec<usize> = (0..model.len()).filter(|at| model[*at] == text).collect();
    if count < 0 {
        at.reverse();
    }
    at.truncate(if count == 0 { usize::MAX } else { count.unsigned_abs() as usize });
    at.sort();
    for at in at.iter().rev() {
        model.remove(*at);
    }
    at.len()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 80, ..ProptestConfig::default() })]

    #[test]
    fn it_is_a_sequence(steps in steps(), limits in limits()) {
        let mut list = List::new();
        let mut model: Vec<Vec<u8>> = Vec::new();
        for step in steps {
            let place = |end, len| if end == End::Head { 0 } else { len };
            match step {
                Step::Push(end, text) => {
                    list.push(end, &text, limits);
                    model.insert(place(end, model.len()), text);
                }
                Step::Pop(end) => {
                    let popped = list.pop(end, |element| element.to_vec());
                    let len = model.len();
                    let expected = (len > 0).then(|| model.remove(place(end, len - 1)));
                    prop_assert_eq!(popped, expected);
                }
                Step::Discard(end, count) => {
                    list.discard(end, count);
                    let count = count.min(model.len());
                    let start = place(end, model.len() - count);
                    model.drain(start..start + count);
                }
                Step::Rotate(from) => {
                    list.rotate(from, limits);
                    match (from, model.is_empty()) {
                        (_, true) => (),
                        (End::Head, _) => model.rotate_left(1),
                        (End::Tail, _) => model.rotate_right(1),
                    }
                }
                Step::Set(index, text) => {
                    let at = if index < 0 { index + model.len() as i64 } else { index };
                    let there = (0..model.len() as i64).contains(&at);
                    prop_assert_eq!(list.set(index, &text, limits), there);
                    if there {
                        model[at as usize] = text;
                    }
                }
                Step::Insert(pivot, side, text) => {
                    let at = model.iter().position(|other| *other == pivot);
                    prop_assert_eq!(list.insert(&pivot, side, &text, limits), at.is_some());
                    if let Some(at) = at {
                        model.insert(at + usize::from(side == Side::After), text);
                    }
                }
                Step::Remove(text, count) => {
                    prop_assert_eq!(list.remove(&text, count, limits), remove_from(&mut model, &text, count));
                }
                Step::Trim(start, stop) => {
                    let mut rest = list.trim(list.span(start, stop));
                    check(&rest, limits);
                    prop_assert!(rest.len() + list.len() <= model.len());
                    while rest.free_some(1) {}
                    let len = model.len() as i64;
                    let start = (if start < 0 { start + len } else { start }).clamp(0, len);
                    let stop = (if stop < 0 { stop + len } else { stop }).min(len - 1);
                    model = model[start as usize..(stop + 1).max(start) as usize].to_vec();
                }
                Step::Reload => {
                    let nodes: Vec<Node> = list.nodes(0).map(|node| match node {
                        NodeRef::Packed(packed) => packed.clone().into(),
                        NodeRef::Plain(element) => Box::<[u8]>::from(element).into(),
                    }).collect();
                    list = List::from_nodes(nodes);
                }
            }
            check(&list, limits);
            prop_assert_eq!(texts(&list), &model[..]);
        }
        let backwards: Vec<_> = list.iter().rev().map(|element| element.to_vec()).collect();
        prop_assert!(backwards.iter().eq(model.iter().rev()));
        for start in 0..model.len() {
            prop_assert_eq!(list.get(start as i64).unwrap().to_vec(), &model[start][..]);
            prop_assert_eq!(list.get(start as i64 - model.len() as i64).unwrap().to_vec(), &model[start][..]);
            let found: Vec<_> = list.positions(&model[start], -1, 0).collect();
            let there: Vec<_> = (0..model.len()).rev().filter(|at| model[*at] == model[start]).collect();
            prop_assert_eq!(found, there);
            let mut both = list.range(start..model.len());
            prop_assert_eq!(both.len(), model.len() - start);
            prop_assert_eq!(both.next_back().unwrap().to_vec(), &model[model.len() - 1][..]);
            prop_assert_eq!(both.next().map(|element| element.to_vec()), model[..model.len() - 1].get(start).cloned());
        }
    }
}
