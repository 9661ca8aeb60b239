//! What is written is read.

use crate::recipe::{Recipe, Text, content, recipes, small_limits};
use proptest::prelude::*;
use rdb::{Compression, Limits, Reader, Writer, code, crc64, decode, dump, encode, encode_portion, restore, type_of};
use std::io::BufReader;
use store::types::stream::{Id, NewId, Stream};
use store::{StringValue, Value};

fn encoded(value: &Value, compression: Compression) -> Vec<u8> {
    let mut bytes = Vec::new();
    encode(value, &mut Writer::new(&mut bytes, compression));
    bytes
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn a_value_comes_back_as_it_was(recipe in recipes(400), limits in small_limits(), lzf: bool) {
        let compression = if lzf { Compression::Lzf } else { Compression::Off };
        let value = recipe.value(&limits);
        let bytes = encoded(&value, compression);
        // Not one byte more than its own is read.
        let file = [&bytes[..], b"more"].concat();
        let mut reader = Reader::new(BufReader::with_capacity(7, &file[..]));
        let back = decode(type_of(&value), &mut reader, &limits).unwrap();
        prop_assert_eq!(reader.offset(), bytes.len() as u64);
        prop_assert_eq!(content(&back), content(&value));
        prop_assert_eq!(back.encoding(), value.encoding());
        prop_assert_eq!(type_of(&back), type_of(&value));
        let again = encoded(&back, compression);
        prop_assert_eq!(again.len(), bytes.len());
        // Tables have an order of their own. A sorted set that was small on its way has lost the sign of a negative
        // zero.
        if !matches!(type_of(&value), code::SET | code::HASH | code::ZSET_2) {
            prop_assert_eq!(again, bytes);
        }
    }

    #[test]
    fn portions_are_the_whole(recipe in recipes(400), limits in small_limits(), budget in 1..2000usize) {
        let value = recipe.value(&limits);
        let (mut bytes, mut place) = (Vec::new(), None);
        loop {
            place = encode_portion(&value, place, budget, &mut Writer::new(&mut bytes, Compression::Lzf));
            if place.is_none() {
                break;
            }
        }
        prop_assert_eq!(bytes, encoded(&value, Compression::Lzf));
    }

    #[test]
    fn other_limits_make_another_form_of_the_same(recipe in recipes(100), limits in small_limits()) {
        let value = recipe.value(&Limits::default());
        let payload = dump(&value, Compression::Lzf);
        let back = restore(&payload, &limits).unwrap();
        prop_assert_eq!(content(&back), content(&value));
        // As if it had been made under these limits, except that nodes of lists stay as they are.
        prop_assert_eq!(back.encoding(), recipe.value(&limits).encoding());
    }

    #[test]
    fn a_value_that_is_cut_off_is_refused(recipe in recipes(50), limits in small_limits(), cut in 0.0..1.0f64) {
        let value = recipe.value(&limits);
        let bytes = encoded(&value, Compression::Lzf);
        let cut = (cut * bytes.len() as f64) as usize;
        let error = decode(type_of(&value), &mut Reader::new(&bytes[..cut]), &limits).err().unwrap();
        prop_assert_eq!(error.fault, rdb::Fault::Truncated);
        prop_assert!(error.offset <= cut as u64);
    }
}

/// Compressed strings have one form, whoever writes them: as long as they may be, and with matches as far as they reach.
#[test]
fn strings_are_compressed_to_the_bytes_that_redis_writes() {
    let mut texts = Vec::new();
    for (first, again, more) in (1..50).flat_map(|f| (0..40).flat_map(move |a| (0..3).map(move |m| (f, a, m)))) {
        let begin = (33..).take(first).collect::<Vec<u8>>();
        let repeated = begin.iter().cycle().take(again);
        texts.push(begin.iter().chain(repeated).copied().chain((200..).take(more)).collect::<Vec<u8>>());
    }
    let mut number = 1u64;
    let mut next = || {
        number = (number * 1_103_515_245 + 12_345) & 0x7fff_ffff;
        (number >> 16) as u8
    };
    let noise: Vec<u8> = (0..8200).map(|_| next()).collect();
    texts.extend((8190..8196).map(|back| [&noise[..back], &noise[..300]].concat()));
    let checksum = texts.iter().fold(0, |checksum, text| {
        let payload = dump(&Value::from(StringValue::new(&text[..])), Compression::Lzf);
        crc64(checksum, &payload[..payload.len() - 10])
    });
    // That of redis-server 7.0.15's payloads.
    assert_eq!(checksum, 0xe32f_1439_8f20_d3bb);
}

/// Fewer would hold up clients for longer, more would take time of their own.
#[test]
fn portions_are_about_as_large_as_asked_for() {
    let texts: Vec<_> = (0..2000).map(|i| Text::from(format!("{i:0100}").as_str())).collect();
    let each = || texts.iter().cloned();
    for recipe in [
        Recipe::List(each().map(|text| (text, true)).collect()),
        Recipe::Set(each().collect()),
        Recipe::Hash(each().map(|text| (text, Text::from("v"))).collect()),
        Recipe::SortedSet(each().map(|text| (text, 1.0)).collect()),
    ] {
        let value = recipe.value(&Limits::default());
        let (mut bytes, mut place, mut portions) = (Vec::new(), None, 0);
        while portions == 0 || place.is_some() {
            place = encode_portion(&value, place, 20_000, &mut Writer::new(&mut bytes, Compression::Off));
            portions += 1;
        }
        // Of 101 to 110 bytes and 32 for having to be found, or nodes of 8 KiB.
        assert!((7..=15).contains(&portions), "{portions} of a {}", value.encoding());
    }
}

/// Every portion as small as can be: what goes on in the next one begins at every place there is.
#[test]
fn the_groups_of_a_stream_come_one_by_one() {
    let mut stream = Stream::default();
    stream.log_mut().add(NewId::Given(Id::new(1, 0)), 0, &["f", "v"], &Default::default()).unwrap();
    for name in [&b"empty"[..], b"read", b"unread"] {
        stream.create_group(name, Id::MIN, None);
    }
    let (group, log) = stream.group_mut(b"read").unwrap();
    let consumers = [&b"idle"[..], b"owner", b"last"].map(|name| group.create_consumer(name, 5).0);
    group.deliver(log, Id::new(1, 0), Some(consumers[1]), 7);
    let value = Value::from(stream);
    let (mut bytes, mut place, mut portions) = (Vec::new(), None, 0);
    while portions == 0 || place.is_some() {
        place = encode_portion(&value, place, 1, &mut Writer::new(&mut bytes, Compression::Off));
        portions += 1;
    }
    assert_eq!(bytes, encoded(&value, Compression::Off));
    assert!(portions >= 8);
}

#[test]
fn elements_of_a_hash_that_became_a_table_are_all_there() {
    // More than any limit, and with every kind of length.
    let mut hash = store::types::hash::Hash::new();
    let limits = Limits::default();
    for i in 0..3000usize {
        hash.set(format!("field:{i}").as_bytes(), &vec![b'v'; i * 7 % 20_000], &limits.hash);
    }
    let value = Value::from(hash);
    let back = restore(&dump(&value, Compression::Off), &limits).unwrap();
    assert_eq!(content(&back), content(&value));
}
