use super::super::range::{LexBound, ScoreBound};
use super::*;
use proptest::collection::vec;
use proptest::prelude::*;
use std::collections::{BTreeMap, HashSet};

const SMALL: Limits = Limits { entries: 12, value: 6 };

fn score(value: f64) -> Score {
    Score::new(value).unwrap()
}

fn content(entries: impl Iterator<Item = (Vec<u8>, f64)>) -> Vec<(String, f64)> {
    entries.map(|(member, score)| (String::from_utf8(member).unwrap(), score)).collect()
}

fn all(entries: Entries<'_>) -> Vec<(Vec<u8>, f64)> {
    entries.map(|entry| (entry.member.to_vec(), entry.score.get())).collect()
}

fn filled(count: usize) -> SortedSet {
    let mut set = SortedSet::new();
    for i in 0..count {
        set.insert(format!("m{i}").as_bytes(), score((i * 7919 % 10_007) as f64), &Limits::default());
    }
    set
}

#[test]
fn grows_at_the_limits_of_redis() {
    let mut set = filled(128);
    assert_eq!((set.len(), set.encoding()), (128, "listpack"));
    set.insert(b"m5", score(-1.0), &Limits::default());
    assert_eq!(set.encoding(), "listpack");
    set.insert(b"one more", score(0.5), &Limits::default());
    assert_eq!((set.len(), set.encoding()), (129, "skiplist"));
    assert_eq!(set.rank(b"m5"), Some((0, score(-1.0))));
    assert_eq!(set.rank(b"one more"), Some((2, score(0.5))));
    set.remove_range(0..128);
    assert_eq!((set.len(), set.encoding()), (1, "skiplist"));

    for (count, encoding) in [(128, "listpack"), (129, "skiplist")] {
        let mut set = SortedSet::new();
        set.extend(filled(count).iter(), &Limits::default());
        assert_eq!((set.len(), set.encoding()), (count, encoding));
        assert_eq!((set.range(count..count + 9).count(), set.range(count + 5..count + 9).count()), (0, 0));
        assert_eq!((set.remove_range(count + 5..count + 9), set.len()), (0, count));
    }

    let mut set = SortedSet::new();
    set.insert(&[b'x'; 64], score(1.0), &Limits::default());
    assert_eq!(set.encoding(), "listpack");
    set.insert(&[b'x'; 65], score(1.0), &Limits::default());
    assert_eq!((set.encoding(), set.as_packed()), ("skiplist", None));
    let mut set = SortedSet::new();
    set.insert(b"", score(1.0), &Limits { entries: 0, value: 64 });
    assert_eq!((set.encoding(), set.score(b"")), ("skiplist", Some(score(1.0))));
}

#[test]
fn different_members_at_random() {
    let mut state = 1u64;
    let mut random = || {
        state = state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        state >> 33
    };
    for set in [SortedSet::new(), filled(1), filled(20), filled(2000)] {
        for count in [0, 1, 7, 600, 700, usize::MAX] {
            let mut picked = HashSet::new();
            set.random_distinct(count, &mut random, |entry| {
                assert!(picked.insert(entry.member.to_vec()));
                assert_eq!(set.score(&entry.member.to_vec()), Some(entry.score));
            });
            assert_eq!(picked.len(), count.min(set.len()));
        }
    }
    let mut picked = HashSet::new();
    for _ in 0..1000 {
        filled(20).random_distinct(2, &mut random, |entry| _ = picked.insert(entry.member.to_vec()));
    }
    assert_eq!(picked.len(), 20);
}

/// The sequence that redis-server 7.0.15 gives to DUMP for these members.
#[test]
fn packed_as_redis_does_it() {
    let mut set = SortedSet::new();
    for (member, value) in [("m", 0.5), ("7", 1e17), ("b", -0.0), ("a", 0.0)] {
        set.insert(member.as_bytes(), score(value), &Limits::default());
    }
    let mut expected = vec![37, 0, 0, 0, 8, 0];
    expected.extend(b"\x81a\x02\x00\x01\x81b\x02\x00\x01\x81m\x02\x830.5\x04");
    expected.extend(b"\x07\x01\xf4\x00\x00\x8a\x5d\x78\x45\x63\x01\x09\xff");
    assert_eq!(set.as_packed().unwrap().as_bytes(), expected);
}

#[test]
fn the_order_is_of_scores_then_of_bytes() {
    for limits in [Limits::default(), Limits { entries: 0, value: 0 }] {
        let mut set = SortedSet::new();
        for (member, value) in [
            ("10", 1.0),
            ("9", 1.0),
            ("", 1.0),
            ("a", f64::INFINITY),
            ("z", f64::NEG_INFINITY),
            ("1x", 1.0),
            ("é", 1.0),
        ] {
            assert_eq!(set.insert(member.as_bytes(), score(value), &limits), Change::Added);
        }
        let members: Vec<String> = content(all(set.iter()).into_iter()).into_iter().map(|(member, _)| member).collect();
        assert_eq!(members, ["z", "", "10", "1x", "9", "é", "a"]);
    }
}

#[test]
fn a_change_says_what_it_did() {
    for limits in [Limits::default(), Limits { entries: 0, value: 0 }] {
        let mut set = SortedSet::new();
        assert_eq!(set.update(b"a", &limits, |old| old), Change::Kept);
        assert_eq!(set.insert(b"a", score(0.0), &limits), Change::Added);
        assert_eq!(set.insert(b"a", score(-0.0), &limits), Change::Kept);
        assert!(set.score(b"a").unwrap().get().is_sign_positive());
        assert_eq!(set.update(b"a", &limits, |old| old?.plus(score(2.5))), Change::Updated);
        assert_eq!(set.update(b"a", &limits, |_| None), Change::Kept);
        assert_eq!((set.score(b"a"), set.score(b"b")), (Some(score(2.5)), None));
        assert_eq!((set.remove(b"b"), set.remove(b"a"), set.len()), (None, Some(score(2.5)), 0));
    }
}

#[test]
fn foreign_sequences_are_checked() {
    let packed = |elements: &[&str]| {
        let mut packed = Packed::new();
        elements.iter().for_each(|element| packed.push(element.as_bytes()));
        packed
    };
    let read = |elements: &[&str]| SortedSet::from_packed(packed(elements), &SMALL).map(|set| set.encoding());
    assert_eq!(read(&[]), Ok("listpack"));
    assert_eq!(read(&["a", "1", "b", "1", "c", "inf"]), Ok("listpack"));
    assert_eq!(read(&["sixsix", "1"]), Ok("listpack"));
    assert_eq!(read(&["too long", "1"]), Ok("skiplist"));
    assert_eq!(read(&["a", "1", "b"]), Err(Invalid(1)));
    assert_eq!(read(&["a", "1", "b", "x"]), Err(Invalid(1)));
    assert_eq!(read(&["a", "nan"]), Err(Invalid(0)));
    assert_eq!(read(&["a", "2", "b", "1"]), Err(Invalid(1)));
    assert_eq!(read(&["b", "1", "a", "1"]), Err(Invalid(1)));
    assert_eq!(read(&["b", "1", "b", "1"]), Err(Invalid(1)));
    assert_eq!(read(&["b", "1", "a", "2", "b", "3"]), Err(Invalid(2)));
    let many: Vec<String> = (10..23).flat_map(|i| [format!("m{i}"), i.to_string()]).collect();
    let many: Vec<&str> = many.iter().map(String::as_str).collect();
    assert_eq!(read(&many[..24]), Ok("listpack"));
    assert_eq!(read(&many), Ok("skiplist"));
}

#[test]
fn any_member_is_reached() {
    for count in [1, 100, 1000] {
        let set = filled(count);
        let mut next = 0;
        let mut seen = HashSet::new();
        for _ in 0..count {
            let entry = set.random(|| {
                next += 1;
                next
            });
            seen.insert(entry.unwrap().member.to_vec());
        }
        assert_eq!(seen.len(), count);
    }
    assert_eq!(SortedSet::new().random(|| 1), None);
}

#[test]
fn a_scan_finds_what_stays() {
    let set = filled(100);
    let mut found = Vec::new();
    assert_eq!(set.scan(0, |member, score| found.push((member.to_vec(), score.to_vec()))), 0);
    assert_eq!(found.len(), 100);
    assert_eq!(found[0], (b"m0".to_vec(), b"0".to_vec()));

    let mut set = filled(3000);
    let (mut cursor, mut seen, mut waves) = (0, HashSet::new(), 0);
    loop {
        cursor = set.scan(cursor, |member, score| {
            let expected = member.to_vec();
            seen.insert((expected, score.as_integer().unwrap()));
        });
        if cursor == 0 {
            break;
        }
        for i in 1000..3000 {
            let name = format!("m{i}");
            if waves % 200 < 100 {
                set.remove(name.as_bytes());
            } else if i % 10 == waves % 10 {
                set.insert(name.as_bytes(), score(1.0), &SMALL);
            }
        }
        waves += 1;
    }
    for i in 0..1000i64 {
        assert!(seen.contains(&(format!("m{i}").into_bytes(), i * 7919 % 10_007)), "{i}");
    }
}

#[test]
fn a_copy_is_another_set() {
    for count in [5, 1000] {
        let set = filled(count);
        let before = all(set.iter());
        let mut copy = set.clone();
        assert_eq!(all(copy.iter()), before);
        copy.remove_range(1..count - 1);
        copy.insert(b"new", score(3.5), &Limits::default());
        assert_eq!((all(set.iter()), copy.len()), (before, 3));
    }
}

#[test]
fn freed_in_slices() {
    let mut set = filled(1000);
    let mut slices = 1;
    while set.free_some(100) {
        slices += 1;
        assert_eq!(set.len(), 1000 - (slices - 1) * 100);
    }
    assert_eq!(slices, 10);
    assert!(!filled(5).free_some(1));
    assert!(!SortedSet::new().free_some(1));
}

#[test]
fn long_members_are_counted_in_and_out() {
    let mut set = SortedSet::new();
    let empty = Ranked::new().allocated();
    for size in [10, 22, 23, 1000, 20_000] {
        set.insert(&vec![b'x'; size], score(size as f64), &SMALL);
    }
    let more = set.allocated() - empty;
    assert!((21_023..21_200 + 256 * 48).contains(&more), "{more}");
    assert_eq!(set.remove_range(0..5), 5);
    assert_eq!(set.allocated(), empty);
}

#[derive(Clone, Debug)]
enum Step {
    Set(String, f64),
    Add(String, f64),
    Remove(String),
    RemoveRanks(usize, usize),
}

fn member() -> impl Strategy<Value = String> {
    prop_oneof![
        8 => (0u32..40).prop_map(|i| i.to_string()),
        8 => (0u32..40).prop_map(|i| format!("m{i}")),
        2 => "[a-c]{0,4}",
        1 => (0u32..5).prop_map(|i| format!("a member that is long {i}")),
    ]
}

fn value() -> impl Strategy<Value = f64> {
    prop_oneof![
        (-3i32..3).prop_map(f64::from),
        (-3i32..3).prop_map(|i| f64::from(i) / 10.0),
        prop::sample::select(vec![0.0, -0.0, 1e17, -5e18, f64::INFINITY, f64::NEG_INFINITY, f64::MIN_POSITIVE]),
        -1e9..1e9,
    ]
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        8 => (member(), value()).prop_map(|(member, value)| Step::Set(member, value)),
        3 => (member(), value()).prop_map(|(member, value)| Step::Add(member, value)),
        4 => member().prop_map(Step::Remove),
        1 => (0usize..50, 0usize..5).prop_map(|(start, count)| Step::RemoveRanks(start, start + count)),
    ];
    vec(step, 0..300)
}

fn sorted(model: &BTreeMap<String, f64>) -> Vec<(String, f64)> {
    let mut pairs: Vec<_> = model.iter().map(|(member, value)| (member.clone(), *value)).collect();
    pairs.sort_by(|one, other| one.1.partial_cmp(&other.1).unwrap().then_with(|| one.0.cmp(&other.0)));
    pairs
}

/// As redis-server 7.0.15 finds them, where the order is not the members'.
#[test]
fn ranges_of_members_with_several_scores() {
    let mut set = SortedSet::new();
    for (member, at) in ["b", "a", "d", "c"].into_iter().zip(1..) {
        set.insert(member.as_bytes(), score(f64::from(at)), &SMALL);
    }
    for (min, max, ranks) in [
        ("[a", "[b", 0..2),
        ("[b", "[c", 0..2),
        ("[c", "+", 2..4),
        ("[d", "+", 0..0),
        ("-", "[a", 0..0),
        ("[d", "[e", 0..0),
    ] {
        let range = LexRange::parse(min.as_bytes(), max.as_bytes()).unwrap();
        assert_eq!(set.ranks_by_lex(&range), ranks, "{min} {max}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(100))]

    #[test]
    fn behaves_like_a_sorted_list(
        steps in steps(),
        limits in prop::sample::select(vec![SMALL, Limits::default(), Limits { entries: 0, value: 0 }]),
        ends in vec((value(), any::<bool>(), value(), any::<bool>()), 10),
        windows in vec((-60i64..60, -60i64..60), 10),
    ) {
        let mut set = SortedSet::new();
        let mut model: BTreeMap<String, f64> = BTreeMap::new();
        let mut large = false;
        for step in steps {
            match step {
                Step::Set(member, value) => {
                    let change = set.insert(member.as_bytes(), score(value), &limits);
                    let expected = match model.get(&member) {
                        None => Change::Added,
                        Some(old) if *old == value => Change::Kept,
                        Some(_) => Change::Updated,
                    };
                    prop_assert_eq!(change, expected);
                    if expected == Change::Added {
                        large |= model.len() == limits.entries || member.len() > limits.value;
                    }
                    if expected != Change::Kept {
                        model.insert(member, value);
                    }
                }
                Step::Add(member, value) => {
                    set.update(member.as_bytes(), &limits, |old| old?.plus(score(value)));
                    if let Some(old) = model.get_mut(&member) && !(*old + value).is_nan() {
                        *old += value;
                    }
                }
                Step::Remove(member) => {
                    prop_assert_eq!(set.remove(member.as_bytes()), model.remove(&member).map(score));
                }
                Step::RemoveRanks(start, end) => {
                    let order = sorted(&model);
                    let gone = &order[start.min(order.len())..end.min(order.len())];
                    prop_assert_eq!(set.remove_range(start..end), gone.len());
                    gone.iter().for_each(|(member, _)| { model.remove(member); });
                }
            }
            prop_assert_eq!(set.len(), model.len());
            prop_assert_eq!(set.encoding(), if large { "skiplist" } else { "listpack" });
        }
        let order = sorted(&model);
        prop_assert_eq!(content(all(set.iter()).into_iter()), order.clone());
        let backwards: Vec<_> = set.iter().rev().map(|entry| (entry.member.to_vec(), entry.score.get())).collect();
        prop_assert_eq!(content(backwards.into_iter().rev()), order.clone());
        for (rank, (member, value)) in order.iter().enumerate() {
            prop_assert_eq!(set.rank(member.as_bytes()), Some((rank, score(*value))));
            prop_assert_eq!(set.score(member.as_bytes()), Some(score(*value)));
            prop_assert_eq!(set.get(rank).unwrap().member.to_vec(), member.as_bytes());
        }
        prop_assert_eq!(set.get(order.len()), None);
        for (min, min_exclusive, max, max_exclusive) in ends {
            let range = ScoreRange {
                min: ScoreBound { score: score(min), exclusive: min_exclusive },
                max: ScoreBound { score: score(max), exclusive: max_exclusive },
            };
            let inside: Vec<_> = order
                .iter()
                .filter(|(_, value)| *value > min || *value == min && !min_exclusive)
                .filter(|(_, value)| *value < max || *value == max && !max_exclusive)
                .cloned()
                .collect();
            prop_assert_eq!(content(all(set.range(set.ranks_by_score(&range))).into_iter()), inside);
        }
        for (start, stop) in windows {
            let at = |rank: i64| if rank < 0 { rank + order.len() as i64 } else { rank };
            let window = (0..order.len() as i64).filter(|rank| (at(start)..=at(stop)).contains(rank));
            let expected: Vec<_> = window.map(|rank| order[rank as usize].clone()).collect();
            prop_assert_eq!(content(all(set.range(set.ranks(start, stop))).into_iter()), expected);
        }
        if let Some(packed) = set.as_packed() {
            let again = SortedSet::from_packed(packed.clone(), &limits).unwrap();
            prop_assert_eq!(content(all(again.iter()).into_iter()), order);
        }
    }

    #[test]
    fn ranges_of_members(
        members in prop::collection::btree_set("[a-c0-9]{0,3}", 0..60),
        ends in vec((member(), member(), 0u8..4, 0u8..4), 20),
        limits in prop::sample::select(vec![SMALL, Limits { entries: 1000, value: 64 }]),
    ) {
        let mut set = SortedSet::new();
        for member in &members {
            set.insert(member.as_bytes(), score(7.0), &limits);
        }
        for (min, max, min_kind, max_kind) in &ends {
            let bound = |text: &str, kind: u8| match kind {
                0 => "-".to_string(),
                1 => "+".to_string(),
                2 => format!("[{text}"),
                _ => format!("({text}"),
            };
            let (min_text, max_text) = (bound(min, *min_kind), bound(max, *max_kind));
            let range = LexRange::parse(min_text.as_bytes(), max_text.as_bytes()).unwrap();
            prop_assert_eq!(range.min == LexBound::Highest, *min_kind == 1);
            let inside: Vec<String> = members
                .iter()
                .filter(|member| match min_kind { 0 => true, 1 => false, 2 => *member >= min, _ => *member > min })
                .filter(|member| match max_kind { 0 => false, 1 => true, 2 => *member <= max, _ => *member < max })
                .cloned()
                .collect();
            let found = content(all(set.range(set.ranks_by_lex(&range))).into_iter());
            prop_assert_eq!(found.into_iter().map(|(member, _)| member).collect::<Vec<_>>(), inside);
        }
    }

    /// From both ends at once, with leaps.
    #[test]
    fn iteration_from_both_ends(count in 0usize..400, moves in vec(0u8..4, 0..400)) {
        let set = filled(count);
        let mut entries = set.iter();
        let order = all(set.iter());
        let mut model = order.iter();
        for kind in moves {
            let (found, expected) = match kind {
                0 => (entries.next(), model.next()),
                1 => (entries.next_back(), model.next_back()),
                2 => (entries.nth(3), model.nth(3)),
                _ => (entries.nth(70), model.nth(70)),
            };
            prop_assert_eq!(found.map(|entry| (entry.member.to_vec(), entry.score.get())), expected.cloned());
            prop_assert_eq!(entries.len(), model.len());
        }
    }
}
