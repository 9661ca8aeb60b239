//! Payloads that Valkey 9.1.2 has made, which have types that Redis 7.0 does not know.

use crate::recipe::{Content, content};
use rdb::{Fault, Limits, restore};
use store::types::stream::Id;

const SET: &[u8] = b"\x14\x0f\x0f\x00\x00\x00\x03\x00\x81a\x02\x81b\x02\x03\x01\xffP\x00\xb4\xf4\xe6\x94\xa3\x81\x8as";

/// Two entries; a group whose consumer has read the first one.
const STREAM: &[u8] = b"\x15\x01\x10\x00\x00\x00\x00\x00\x00\x00\x01\x00\x00\x00\x00\x00\x00\x00\x01(\
    (\x00\x00\x00\x0f\x00\x02\x01\x00\x01\x01\x01\x81f\x02\x00\x01\x02\x01\x00\x01\x00\x01\x81v\x02\x04\x01\x02\x01\x01\
    \x01\x00\x01\x81w\x02\x04\x01\xff\x02\x02\x01\x01\x01\x00\x00\x02\x01\x01g\x01\x01\x01\x01\x00\x00\x00\x00\x00\x00\
    \x00\x01\x00\x00\x00\x00\x00\x00\x00\x01\xa0\xf7@\x17\xa2\x01\x00\x00\x01\x01\x01c\xa0\xf7@\x17\xa2\x01\x00\x00\xa0\
    \xf7@\x17\xa2\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00\x00\x01\x00\x00\x00\x00\x00\x00\x00\x01P\x00\xb1\xefh\xa1\xcd\
    \x8b1\xa9";

/// A hash with a field that expires.
const HASH: &[u8] = b"\x16\x01\x01f\x01v4\x7fB\x17\xa2\x01\x00\x00P\x00\x04\xa0\xce9\x18D\xd3\xa8";

#[test]
fn they_are_read() {
    let set = restore(SET, &Limits::default()).unwrap();
    assert_eq!(content(&set), Content::Set(["a", "b", "3"].map(|text| text.into()).into()));
    let stream = restore(STREAM, &Limits::default()).unwrap();
    let entry = |ms, value: &str| (Id::new(ms, 1), vec![("f".into(), value.into())]);
    let lines = ["2 2-1 1-1 0-0 2", "group g 1-1 Some(1)", "pending 1-1 c 1", "c 1"].map(String::from);
    assert_eq!(content(&stream), Content::Stream(vec![entry(1, "v"), entry(2, "w")], lines.to_vec()));
}

#[test]
fn or_refused_by_name() {
    let error = restore(HASH, &Limits::default()).err().unwrap();
    assert_eq!((error.offset, error.fault), (1, Fault::Unsupported("a hash whose fields can expire")));
    assert_eq!(error.to_string(), "a hash whose fields can expire is not supported, at byte 1");
}
