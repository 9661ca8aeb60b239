//! What other versions write, and what is wrong in each form.

use crate::recipe::{Content, Text, content};
use rdb::{Compression, Fault, Limits, Reader, Writer, code, decode};
use store::Value;
use store::types::packed::Packed;

/// A part of a value.
#[derive(Clone, Copy)]
pub enum Part<'a> {
    Length(u64),
    Text(&'a [u8]),
    Double(f64),
    Raw(&'a [u8]),
}

use Part::{Double, Length, Raw};

/// A string.
pub fn text(bytes: &[u8]) -> Part<'_> {
    Part::Text(bytes)
}

pub fn bytes(parts: &[Part<'_>]) -> Vec<u8> {
    let mut out = Vec::new();
    let mut writer = Writer::new(&mut out, Compression::Off);
    for part in parts {
        match part {
            Part::Length(length) => writer.length(*length),
            Part::Text(text) => writer.string(text),
            Part::Double(double) => writer.double(*double),
            Part::Raw(bytes) => writer.raw(bytes),
        }
    }
    out
}

/// What a value is read as: the encoding and the content.
#[track_caller]
pub fn read(code: u8, parts: &[Part<'_>]) -> (&'static str, Content) {
    let bytes = bytes(parts);
    let mut reader = Reader::new(&bytes[..]);
    let value = decode(code, &mut reader, &Limits::default()).unwrap_or_else(|error| panic!("{error}"));
    reader.end().unwrap();
    (value.encoding(), content(&value))
}

/// Why a value is refused, and where.
#[track_caller]
pub fn refused(code: u8, parts: &[Part<'_>]) -> (u64, Fault) {
    let bytes = bytes(parts);
    let error = decode(code, &mut Reader::new(&bytes[..]), &Limits::default()).err().expect("an error");
    assert!(!error.is_of_frame() && error.to_string().ends_with(&format!(", at byte {}", error.offset)));
    (error.offset, error.fault)
}

pub fn listpack(texts: &[&[u8]]) -> Vec<u8> {
    let mut packed = Packed::new();
    texts.iter().for_each(|text| packed.push(text));
    packed.as_bytes().to_vec()
}

/// A ziplist of short texts.
pub fn ziplist(texts: &[&[u8]]) -> Vec<u8> {
    let mut bytes = vec![0; 10];
    let (mut last, mut size) = (10, 0);
    for text in texts {
        last = bytes.len();
        bytes.extend([size, text.len() as u8]);
        bytes.extend_from_slice(text);
        size = 2 + text.len() as u8;
    }
    bytes.push(0xff);
    let length = bytes.len() as u8;
    bytes[0] = length;
    bytes[4] = last as u8;
    bytes[8] = texts.len() as u8;
    bytes
}

pub fn intset(integers: &[i16]) -> Vec<u8> {
    let mut bytes = vec![2, 0, 0, 0, integers.len() as u8, 0, 0, 0];
    integers.iter().for_each(|integer| bytes.extend(integer.to_le_bytes()));
    bytes
}

fn texts<C: FromIterator<Text>>(texts: &[&str]) -> C {
    texts.iter().map(|text| Text::from(*text)).collect()
}

fn pairs<C: FromIterator<(Text, Text)>>(pairs: &[(&str, &str)]) -> C {
    pairs.iter().map(|(one, other)| (Text::from(*one), Text::from(*other))).collect()
}

#[test]
fn lists() {
    let abc = ("quicklist", Content::List(texts(&["a", "b", "10"])));
    assert_eq!(read(code::LIST, &[Length(3), text(b"a"), text(b"b"), text(b"10")]), abc);
    assert_eq!(read(code::LIST_ZIPLIST, &[text(&ziplist(&[b"a", b"b", b"10"]))]), abc);
    let (two, none, one) = (ziplist(&[b"a", b"b"]), ziplist(&[]), ziplist(&[b"10"]));
    assert_eq!(read(code::LIST_QUICKLIST, &[Length(3), text(&two), text(&none), text(&one)]), abc);
    let (none, one) = (listpack(&[]), listpack(&[b"b"]));
    let nodes =
        [Length(4), Length(1), text(b"a"), Length(2), text(&one), Length(2), text(&none), Length(1), text(b"10")];
    assert_eq!(read(code::LIST_QUICKLIST_2, &nodes), abc);

    assert_eq!(refused(code::LIST, &[Length(0)]), (0, Fault::Empty));
    assert_eq!(refused(code::LIST_ZIPLIST, &[text(&ziplist(&[]))]), (0, Fault::Empty));
    assert_eq!(refused(code::LIST_ZIPLIST, &[text(b"a")]), (0, Fault::Block { format: "ziplist", at: 0 }));
    assert_eq!(refused(code::LIST_QUICKLIST, &[Length(1), text(&ziplist(&[]))]), (0, Fault::Empty));
    assert_eq!(refused(code::LIST_QUICKLIST_2, &[Length(1), Length(2), text(&none)]), (0, Fault::Empty));
    assert_eq!(
        refused(code::LIST_QUICKLIST_2, &[Length(1), Length(1), text(b"")]).1,
        Fault::Block { format: "list node", at: 0 }
    );
    assert_eq!(refused(code::LIST_QUICKLIST_2, &[Length(1), Length(3), text(b"")]), (1, Fault::Node(3)));
    let mut bad = listpack(&[b"a", b"b"]);
    bad[7] = b'x';
    bad[8] = 9;
    assert_eq!(
        refused(code::LIST_QUICKLIST_2, &[Length(1), Length(2), text(&bad)]),
        (2, Fault::Block { format: "listpack", at: 8 })
    );
    assert_eq!(refused(code::LIST, &[Length(u64::MAX), text(b"a")]), (11, Fault::Truncated));
}

#[test]
fn sets() {
    let abc = ("hashtable", Content::Set(texts(&["a", "b", "10"])));
    assert_eq!(read(code::SET, &[Length(3), text(b"a"), text(b"b"), text(b"10")]), abc);
    assert_eq!(read(code::SET_LISTPACK, &[text(&listpack(&[b"a", b"b", b"10"]))]), abc);
    let integers = ("intset", Content::Set(texts(&["-1", "3"])));
    assert_eq!(read(code::SET, &[Length(2), text(b"3"), text(b"-1")]), integers);
    assert_eq!(read(code::SET_LISTPACK, &[text(&listpack(&[b"3", b"-1"]))]), integers);
    assert_eq!(read(code::SET_INTSET, &[text(&intset(&[-1, 3]))]), integers);

    assert_eq!(refused(code::SET, &[Length(0)]), (0, Fault::Empty));
    assert_eq!(refused(code::SET, &[Length(2), text(b"a"), text(b"a")]), (3, Fault::Duplicate));
    assert_eq!(refused(code::SET_LISTPACK, &[text(&listpack(&[]))]), (0, Fault::Empty));
    assert_eq!(refused(code::SET_LISTPACK, &[text(&listpack(&[b"1", b"1"]))]), (0, Fault::Duplicate));
    assert_eq!(refused(code::SET_INTSET, &[text(&intset(&[]))]).1, Fault::Block { format: "intset", at: 0 });
    let unordered = Fault::Block { format: "intset", at: 10 };
    assert_eq!(refused(code::SET_INTSET, &[text(&intset(&[3, -1]))]), (0, unordered));
}

#[test]
fn hashes() {
    let hash = ("listpack", Content::Hash(pairs(&[("a", "1"), ("b", "")])));
    assert_eq!(read(code::HASH, &[Length(2), text(b"a"), text(b"1"), text(b"b"), text(b"")]), hash);
    assert_eq!(read(code::HASH_LISTPACK, &[text(&listpack(&[b"a", b"1", b"b", b""]))]), hash);
    assert_eq!(read(code::HASH_ZIPLIST, &[text(&ziplist(&[b"a", b"1", b"b", b""]))]), hash);
    assert_eq!(read(code::HASH_ZIPMAP, &[text(b"\x02\x01a\x01\x021..\x01b\x00\x00\xff")]), hash);
    let long = [b'v'; 65];
    let (encoding, _) = read(code::HASH_LISTPACK, &[text(&listpack(&[b"a", &long]))]);
    assert_eq!(encoding, "hashtable");

    assert_eq!(refused(code::HASH, &[Length(0)]), (0, Fault::Empty));
    let fields = [Length(2), text(b"a"), text(b"1"), text(b"a"), text(b"2")];
    assert_eq!(refused(code::HASH, &fields), (5, Fault::Duplicate));
    let block = |format, at| (0, Fault::Block { format, at });
    for texts in [&[&b"a"[..], b"1", b"a", b"2"][..], &[b"a"]] {
        assert_eq!(refused(code::HASH_LISTPACK, &[text(&listpack(texts))]), block("hash", 4));
        assert_eq!(refused(code::HASH_ZIPLIST, &[text(&ziplist(texts))]), block("hash", 4));
    }
    assert_eq!(refused(code::HASH_ZIPMAP, &[text(b"\x02\x01a\x00\x00\x01a\x00\x00\xff")]), block("hash", 4));
    assert_eq!(refused(code::HASH_ZIPMAP, &[text(b"\x01\x01a\xff")]), block("zipmap", 3));
    assert_eq!(refused(code::HASH_ZIPMAP, &[text(b"\x00\xff")]), (0, Fault::Empty));
    assert_eq!(refused(code::HASH_ZIPLIST, &[text(&ziplist(&[]))]), (0, Fault::Empty));
    assert_eq!(refused(code::HASH_LISTPACK, &[text(&listpack(&[]))]), (0, Fault::Empty));
}

/// A member and its score.
fn pair(text: &str) -> (Text, String) {
    let (member, score) = text.split_once(' ').unwrap();
    (member.into(), score.into())
}

#[test]
fn sorted_sets() {
    let set = Content::SortedSet(["a -inf", "b 1.5", "c inf"].map(pair).into());
    let set = ("listpack", set);
    let ascii = [Length(3), text(b"c"), Raw(&[254]), text(b"b"), Raw(b"\x031.5"), text(b"a"), Raw(&[255])];
    assert_eq!(read(code::ZSET, &ascii), set);
    let binary =
        [Length(3), text(b"b"), Double(1.5), text(b"a"), Double(f64::NEG_INFINITY), text(b"c"), Double(f64::INFINITY)];
    assert_eq!(read(code::ZSET_2, &binary), set);
    let sorted = [&b"a"[..], b"-inf", b"b", b"1.5", b"c", b"inf"];
    assert_eq!(read(code::ZSET_ZIPLIST, &[text(&ziplist(&sorted))]), set);
    assert_eq!(read(code::ZSET_LISTPACK, &[text(&listpack(&sorted))]), set);

    // As many as a small one may have, and one more.
    for (count, encoding) in [(128, "listpack"), (129, "skiplist")] {
        let names: Vec<String> = (0..count).map(|at| at.to_string()).collect();
        let members = names.iter().flat_map(|name| [text(name.as_bytes()), Double(1.0)]);
        let parts: Vec<_> = [Length(count)].into_iter().chain(members).collect();
        assert_eq!(read(code::ZSET_2, &parts).0, encoding);
    }

    let zeros: Vec<_> = (0..200).map(|at: i32| pair(&format!("{at:03} -0"))).collect();
    let members = zeros.iter().rev().flat_map(|(member, _)| [text(member), Double(-0.0)]);
    let parts: Vec<_> = [Length(200)].into_iter().chain(members).collect();
    assert_eq!(read(code::ZSET_2, &parts), ("skiplist", Content::SortedSet(zeros)));
    // Redis writes the highest score first: the member that makes it large comes last.
    let long = "z".repeat(65);
    let late = [Length(2), text(b"a"), Double(-0.0), text(long.as_bytes()), Double(-1.0)];
    let both = [pair(&format!("{long} -1")), pair("a -0")];
    assert_eq!(read(code::ZSET_2, &late), ("skiplist", Content::SortedSet(both.into())));
    let short = read(code::ZSET_2, &[Length(1), text(b"a"), Double(-0.0)]);
    assert_eq!(short, ("listpack", Content::SortedSet([pair("a 0")].into())));

    assert_eq!(refused(code::ZSET, &[Length(1), text(b"a"), Raw(&[253])]), (3, Fault::Score));
    assert_eq!(refused(code::ZSET, &[Length(1), text(b"a"), Raw(b"\x03nan")]), (3, Fault::Score));
    assert_eq!(refused(code::ZSET, &[Length(1), text(b"a"), Raw(&[0])]), (3, Fault::Score));
    assert_eq!(refused(code::ZSET_2, &[Length(1), text(b"a"), Double(f64::NAN)]), (3, Fault::Score));
    let twice = [Length(2), text(b"a"), Double(1.0), text(b"a"), Double(2.0)];
    assert_eq!(refused(code::ZSET_2, &twice), (11, Fault::Duplicate));
    assert_eq!(refused(code::ZSET_2, &[Length(0)]), (0, Fault::Empty));
    for (texts, pair) in [
        (&[&b"b"[..], b"2", b"a", b"1"][..], 1),
        (&[b"a", b"1", b"a", b"2"], 1),
        (&[b"a", b"nan"], 0),
        (&[b"a", b"x"], 0),
        (&[b"a"], 0),
    ] {
        assert_eq!(refused(code::ZSET_LISTPACK, &[text(&listpack(texts))]), (0, Fault::Pair(pair)));
        assert_eq!(refused(code::ZSET_ZIPLIST, &[text(&ziplist(texts))]), (0, Fault::Pair(pair)));
    }
    assert_eq!(refused(code::ZSET_LISTPACK, &[text(&listpack(&[]))]), (0, Fault::Empty));
}

/// As if they had been made by commands.
#[test]
fn what_others_write_has_the_form_that_the_configuration_says() {
    let mut limits = Limits::default();
    (limits.set.max_intset_entries, limits.hash.max_packed_entries, limits.zset.entries) = (1, 1, 1);
    limits.list.listpack_size = 1;
    let numbers = listpack(&[b"1", b"2"]);
    let ascii = [Length(2), text(b"a"), Raw(b"\x011"), text(b"b"), Raw(b"\x012")];
    let binary = [Length(2), text(b"a"), Double(1.0), text(b"b"), Double(2.0)];
    let two = [Length(2), text(b"1"), text(b"2")];
    let fields = [Length(2), text(b"1"), text(b"2"), text(b"3"), text(b"4")];
    for (code, parts, encoding) in [
        (code::SET, &two[..], "hashtable"),
        (code::SET_LISTPACK, &[text(&numbers)], "hashtable"),
        (code::SET_INTSET, &[text(&intset(&[1, 2]))], "hashtable"),
        (code::HASH, &fields, "hashtable"),
        (code::HASH_ZIPLIST, &[text(&ziplist(&[b"a", b"1", b"b", b"2"]))], "hashtable"),
        (code::HASH_ZIPMAP, &[text(b"\x02\x01a\x01\x001\x01b\x01\x002\xff")], "hashtable"),
        (code::ZSET, &ascii, "skiplist"),
        (code::ZSET_2, &binary, "skiplist"),
        (code::ZSET_ZIPLIST, &[text(&ziplist(&[b"a", b"1", b"b", b"2"]))], "skiplist"),
    ] {
        let bytes = bytes(parts);
        let value = decode(code, &mut Reader::new(&bytes[..]), &limits).unwrap();
        assert_eq!(value.encoding(), encoding, "{code}");
    }
    let bytes = bytes(&two);
    let Ok(Value::List(list)) = decode(code::LIST, &mut Reader::new(&bytes[..]), &limits) else { panic!("no list") };
    assert_eq!(list.node_count(), 2);
}

#[test]
fn types_that_are_not_read_are_refused_by_name() {
    for code in [code::MODULE, code::MODULE_2] {
        assert_eq!(refused(code, &[]), (0, Fault::Unsupported("a value of a module")));
    }
    for code in 22..=25 {
        assert_eq!(refused(code, &[]), (0, Fault::Unsupported("a hash whose fields can expire")));
    }
    for code in [8, 26, 255] {
        assert_eq!(refused(code, &[]), (0, Fault::Type(code)));
    }
}
