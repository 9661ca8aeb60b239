//! The same values here and in redis-server: as the same bytes, where their order is no accident, and each reads the
//! other's.

use crate::old_forms::Part::{Double, Length, Raw};
use crate::old_forms::{bytes, intset, listpack, text, ziplist};
use crate::recipe::{Recipe, Text, content, recipes};
use crate::stream_forms;
use crate::stream_recipe::Step;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestCaseError, TestRunner};
use rdb::{Compression, Limits, VERSION, code, crc64, dump, restore, type_of};
use store::Value;
use testkit::{Client, Server, redis_server};

fn redis() -> Option<Server> {
    redis_server(&["--enable-debug-command", "yes", "--sanitize-dump-payload", "yes", "--proto-max-bulk-len", "2gb"])
}

/// Makes a value in redis-server and returns its payload.
fn made(client: &mut Client, recipe: &Recipe, key: &str) -> Vec<u8> {
    client.ask(&["DEL", key]);
    for request in recipe.requests(key.as_bytes()) {
        let reply = client.ask(&request);
        assert!(!reply.starts_with(b"-"), "{request:?}: {}", String::from_utf8_lossy(&reply));
    }
    client.ask(&["DUMP", key])
}

/// Gives redis-server a payload of ours for a key.
fn given(client: &mut Client, key: &str, payload: &[u8]) -> String {
    String::from_utf8_lossy(&client.ask(&[&b"RESTORE"[..], key.as_bytes(), b"0", payload, b"REPLACE"])).into_owned()
}

/// What redis-server has under a key, as a digest of its own.
fn digest(client: &mut Client, key: &str) -> String {
    client.send(testkit::request(&["DEBUG", "DIGEST-VALUE", key]));
    assert_eq!(client.line(), "*1");
    client.line()
}

/// Whether nothing about the bytes of a value is by chance: tables are written in the order of their hashes, and groups
/// have the times at which things happened.
fn is_same_bytes(value: &Value) -> bool {
    match value {
        Value::Stream(stream) => stream.groups().len() == 0,
        value => ![code::SET, code::HASH].contains(&type_of(value)),
    }
}

fn compare(client: &mut Client, recipe: &Recipe) -> Result<(), TestCaseError> {
    let value = recipe.value(&Limits::default());
    let theirs = made(client, recipe, "theirs");
    let ours = dump(&value, Compression::Lzf);
    if is_same_bytes(&value) {
        prop_assert_eq!(&ours, &theirs);
    } else {
        // The type is the same, and without the compression of single elements so is the length.
        prop_assert_eq!((ours[0], ours.len()), (theirs[0], theirs.len()));
    }
    let back = restore(&theirs, &Limits::default()).map_err(|error| TestCaseError::fail(error.to_string()))?;
    prop_assert_eq!(content(&back), content(&value));
    prop_assert_eq!(back.encoding(), value.encoding());
    if let Value::Stream(_) = value {
        // Times included.
        prop_assert_eq!(&dump(&back, Compression::Lzf), &theirs);
        prop_assert_eq!(given(client, "ours", &ours), "+OK");
        prop_assert_eq!(client.ask(&["DUMP", "ours"]), ours);
    }
    for compression in [Compression::Lzf, Compression::Off] {
        prop_assert_eq!(given(client, "ours", &dump(&value, compression)), "+OK");
        prop_assert_eq!(digest(client, "ours"), digest(client, "theirs"));
    }
    Ok(())
}

#[test]
fn random_values() {
    let Some(server) = redis() else { return };
    let mut client = server.connect();
    let client = std::cell::RefCell::new(&mut client);
    let mut runner = TestRunner::new(Config { cases: 200, max_shrink_iters: 200, ..Config::with_source_file(file!()) });
    let run = runner.run(&recipes(300), |recipe| compare(&mut client.borrow_mut(), &recipe));
    run.unwrap_or_else(|error| panic!("{error}"));
}

/// Members and scores in random order: some short, some too long for the small form, many with a zero of either sign.
fn zeros() -> impl Strategy<Value = Recipe> {
    let member = prop_oneof![4 => "[a-f]{1,3}", 1 => "[ab]{63,66}"].prop_map(|text| text[..].into());
    let score = prop::sample::select(vec![-1.0, -0.0, 0.0, 1.0, -4.7e63]);
    prop::collection::vec((member, score), 1..12).prop_map(Recipe::SortedSet)
}

/// The small form turns a negative zero into 0, and the large one keeps it: which one it was decides, not the order in
/// which members are read.
#[test]
fn negative_zeros() {
    let Some(server) = redis() else { return };
    let mut client = server.connect();
    let (long, short) = (Text(vec![0; 65]), Text::from("-18034973246"));
    for members in [
        vec![(long.clone(), -4.7e63), (short.clone(), -0.0)],
        vec![(short.clone(), -0.0), (long.clone(), -4.7e63)],
        vec![(long.clone(), 1.0), (short.clone(), -0.0)],
        vec![(short, -0.0)],
    ] {
        let recipe = Recipe::SortedSet(members);
        compare(&mut client, &recipe).unwrap_or_else(|error| panic!("{recipe:?}: {error}"));
    }
    let client = std::cell::RefCell::new(&mut client);
    let mut runner = TestRunner::new(Config { cases: 60, max_shrink_iters: 200, ..Config::with_source_file(file!()) });
    let run = runner.run(&zeros(), |recipe| compare(&mut client.borrow_mut(), &recipe));
    run.unwrap_or_else(|error| panic!("{error}"));
}

/// A text that LZF finds much in, but not only.
fn prose(seed: u64, length: usize) -> Text {
    const WORDS: [&str; 12] =
        ["the ", "socket ", "is ", "read ", "until ", "it ", "would ", "block", ", ", "and ", "then ", "again. "];
    let mut state = seed;
    let mut text: Vec<u8> = Vec::new();
    while text.len() < length {
        state = state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        let word = WORDS[(state >> 33) as usize % WORDS.len()];
        text.extend_from_slice(word.as_bytes());
        if state >> 60 == 0 {
            text.extend_from_slice(&state.to_be_bytes());
        }
    }
    text.truncate(length);
    text.into()
}

#[test]
fn compressed_strings_are_the_same_bytes() {
    let Some(server) = redis() else { return };
    let mut client = server.connect();
    let lengths = (18..80).chain([100, 263, 264, 265, 266, 267, 1000, 8191, 8192, 8193, 20_000, 300_000, 1 << 20]);
    for length in lengths {
        let zeros = vec![0; length];
        let counted: Vec<u8> = (0..length).map(|at| (at / 7) as u8).collect();
        let mixed: Vec<u8> = (0..length as u64).map(|at| ((at * at * 7919) >> 11) as u8).collect();
        for text in [prose(length as u64, length).0, zeros, counted, mixed] {
            compare(&mut client, &Recipe::String(text.into())).unwrap_or_else(|error| panic!("{length}: {error}"));
        }
    }
}

#[test]
fn large_collections() {
    let Some(server) = redis() else { return };
    let mut client = server.connect();
    let text = |at: usize| Text::from(&format!("element:{at}")[..]);
    for recipe in [
        Recipe::List((0..5000).map(|at| (text(at), at % 3 > 0)).collect()),
        Recipe::List((0..100).map(|at| (prose(at, 50 * at as usize), true)).collect()),
        Recipe::Set((0..512).map(|at| Text::from(&(at * 70_000).to_string()[..])).collect()),
        Recipe::Set((0..513).map(|at| Text::from(&at.to_string()[..])).collect()),
        Recipe::Hash((0..512).map(|at| (text(at), text(at + 1))).collect()),
        Recipe::Hash((0..2000).map(|at| (text(at), text(at + 1))).collect()),
        Recipe::SortedSet((0..128).map(|at| (text(at), at as f64 / 3.0)).collect()),
        Recipe::SortedSet((0..3000).map(|at| (text(at), (at * 7919 % 3000) as f64 / 7.0)).collect()),
        Recipe::SortedSet((0..3000).map(|at| (text(at), (at % 3) as f64)).collect()),
        Recipe::Stream((0..350).map(|_| Step::Add(1, vec![("field".into(), "value".into())])).collect()),
    ] {
        compare(&mut client, &recipe).unwrap();
    }
}

#[test]
fn an_element_that_is_a_node_of_its_own_is_understood() {
    let Some(server) = redis() else { return };
    let mut client = server.connect();
    // Redis 7.0 makes such nodes from a gigabyte on, later versions as here.
    let recipe = Recipe::List(vec![("a".into(), true), (prose(1, 10_000), true), ("12".into(), true)]);
    let value = recipe.value(&Limits::default());
    let Value::List(list) = &value else { unreachable!() };
    assert_eq!(list.nodes(0).count(), 3);
    made(&mut client, &recipe, "theirs");
    assert_eq!(given(&mut client, "ours", &dump(&value, Compression::Lzf)), "+OK");
    assert_eq!(digest(&mut client, "ours"), digest(&mut client, "theirs"));
    // And such a node of theirs is read.
    assert_eq!(client.ask(&["DEBUG", "QUICKLIST-PACKED-THRESHOLD", "100b"]), b"+OK");
    let theirs = made(&mut client, &recipe, "theirs");
    assert_eq!(content(&restore(&theirs, &Limits::default()).unwrap()), content(&value));
    assert_eq!(theirs, dump(&value, Compression::Lzf));
}

#[test]
fn payloads_that_redis_refuses_are_refused() {
    let Some(server) = redis() else { return };
    let mut client = server.connect();
    let payload = made(&mut client, &Recipe::List(vec![("abc".into(), true)]), "key");
    let wrong = "-ERR DUMP payload version or checksum are wrong";
    for at in 0..payload.len() {
        let mut payload = payload.clone();
        payload[at] ^= 1;
        assert_eq!(given(&mut client, "ours", &payload), wrong);
        assert!(restore(&payload, &Limits::default()).err().unwrap().is_of_frame());
        assert_eq!(given(&mut client, "ours", &payload[..at]), wrong);
        assert!(restore(&payload[..at], &Limits::default()).err().unwrap().is_of_frame());
    }
}

#[test]
fn old_forms_are_understood_alike() {
    let Some(server) = redis() else { return };
    let mut client = server.connect();
    let texts = |count: usize| (0..count).map(|at| format!("{at:02}x").into_bytes()).collect::<Vec<_>>();
    let few = texts(6);
    let few: Vec<&[u8]> = few.iter().map(Vec::as_slice).collect();
    let scores = [&b"a"[..], b"-inf", b"b", b"-1", b"c", b"0.5", b"d", b"17", b"e", b"inf"];
    let many = texts(90);
    let elements: Vec<_> = many.iter().map(|element| text(element)).collect();
    let doubles = elements.iter().flat_map(|member| [*member, Double(-0.25)]);
    let ascii = elements.iter().flat_map(|member| [*member, Raw(b"\x041e-7")]);
    let zipmap = b"\x02\x01a\x01\x021..\x01b\x00\x00\xff";
    let (scored_ziplist, scored_listpack) = (ziplist(&scores), listpack(&scores));
    let (ziplist, listpack) = (ziplist(&few), listpack(&few));
    let integers = intset(&[-5, 0, 1000]);
    let streams = [code::STREAM_LISTPACKS, code::STREAM_LISTPACKS_2].map(stream_forms::whole);
    for (code, parts) in [
        (code::LIST, [&[Length(90)], &elements[..]].concat()),
        (code::LIST_ZIPLIST, vec![text(&ziplist)]),
        (code::LIST_QUICKLIST, vec![Length(2), text(&ziplist), text(&ziplist)]),
        (code::LIST_QUICKLIST_2, vec![Length(2), Length(2), text(&listpack), Length(1), text(b"one")]),
        (code::SET, [&[Length(90)], &elements[..]].concat()),
        (code::SET_INTSET, vec![text(&integers)]),
        (code::HASH, [&[Length(45)], &elements[..]].concat()),
        (code::HASH_ZIPMAP, vec![text(zipmap)]),
        (code::HASH_ZIPLIST, vec![text(&ziplist)]),
        (code::HASH_LISTPACK, vec![text(&listpack)]),
        (code::ZSET, [Length(90)].into_iter().chain(ascii).collect()),
        (code::ZSET_2, [Length(90)].into_iter().chain(doubles).collect()),
        (code::ZSET_ZIPLIST, vec![text(&scored_ziplist)]),
        (code::ZSET_LISTPACK, vec![text(&scored_listpack)]),
        (code::STREAM_LISTPACKS, vec![Raw(&streams[0])]),
        (code::STREAM_LISTPACKS_2, vec![Raw(&streams[1])]),
    ] {
        let mut payload = [&[code][..], &bytes(&parts), &VERSION.to_le_bytes()].concat();
        payload.extend(crc64(0, &payload).to_le_bytes());
        assert_eq!(given(&mut client, "theirs", &payload), "+OK", "{code}");
        let value = restore(&payload, &Limits::default()).unwrap();
        assert_eq!(given(&mut client, "ours", &dump(&value, Compression::Lzf)), "+OK", "{code}");
        assert_eq!(digest(&mut client, "ours"), digest(&mut client, "theirs"), "{code}");
        if is_same_bytes(&value) || matches!(value, Value::Stream(_)) {
            assert_eq!(client.ask(&["DUMP", "theirs"]), dump(&value, Compression::Lzf), "{code}");
        }
    }
}
