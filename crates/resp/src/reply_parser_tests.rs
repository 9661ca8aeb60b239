use super::*;
use proptest::prelude::*;

fn one(bytes: &[u8]) -> Reply {
    let (len, reply) = ReplyParser::new().advance(bytes).unwrap();
    assert_eq!(len, bytes.len());
    reply.unwrap()
}

fn text(text: &str) -> Vec<u8> {
    text.into()
}

#[test]
fn every_type() {
    for (bytes, reply) in [
        ("+OK\r\n", Reply::Status(text("OK"))),
        ("+\r\n", Reply::Status(text(""))),
        ("-ERR no\r\n", Reply::Error(text("ERR no"))),
        (":-7\r\n", Reply::Integer(-7)),
        ("$3\r\na\r\n\r\n", Reply::Bulk(text("a\r\n"))),
        ("$0\r\n\r\n", Reply::Bulk(text(""))),
        ("$-1\r\n", Reply::Nil),
        ("*-1\r\n", Reply::Nil),
        ("_\r\n", Reply::Nil),
        (",1.50\r\n", Reply::Double(text("1.50"))),
        (",-inf\r\n", Reply::Double(text("-inf"))),
        (",INF\r\n", Reply::Double(text("INF"))),
        ("#t\r\n", Reply::Boolean(true)),
        ("#f\r\n", Reply::Boolean(false)),
        ("#T\r\n", Reply::Boolean(true)),
        ("#F\r\n", Reply::Boolean(false)),
        ("(-123456789012345678901234567890\r\n", Reply::BigNumber(text("-123456789012345678901234567890"))),
        ("=7\r\ntxt:abc\r\n", Reply::Verbatim(text("abc"))),
        ("*0\r\n", Reply::Array(vec![])),
        ("~0\r\n", Reply::Set(vec![])),
        ("%0\r\n", Reply::Map(vec![])),
        ("*2\r\n:1\r\n*1\r\n_\r\n", Reply::Array(vec![Reply::Integer(1), Reply::Array(vec![Reply::Nil])])),
        ("%1\r\n+k\r\n~1\r\n:2\r\n", Reply::Map(vec![(Reply::Status(text("k")), Reply::Set(vec![Reply::Integer(2)]))])),
        (">1\r\n+m\r\n", Reply::Push(vec![Reply::Status(text("m"))])),
        // What is said about a reply is dropped, wherever it stands.
        ("|1\r\n+a\r\n:1\r\n+OK\r\n", Reply::Status(text("OK"))),
        ("*1\r\n|0\r\n|1\r\n+a\r\n*0\r\n:1\r\n", Reply::Array(vec![Reply::Integer(1)])),
    ] {
        assert_eq!(one(bytes.as_bytes()), reply, "{bytes:?}");
    }
}

#[test]
fn what_is_no_reply_is_refused() {
    for (bytes, error) in [
        ("x", ReplyError::UnknownType(b'x')),
        ("+a\nb\r\n", ReplyError::Line),
        ("-a\rb\r\n", ReplyError::Line),
        ("+a\r\r\n", ReplyError::Line),
        (":a\r\n", ReplyError::Integer),
        (",\r\n", ReplyError::Double),
        (",nan\r\n", ReplyError::Double),
        (",-NaN\r\n", ReplyError::Double),
        (",infinity\r\n", ReplyError::Double),
        (",+inf\r\n", ReplyError::Double),
        (",1e999\r\n", ReplyError::Double),
        (", 1\r\n", ReplyError::Double),
        ("#x\r\n", ReplyError::Boolean),
        ("_x\r\n", ReplyError::Nil),
        ("(1a\r\n", ReplyError::BigNumber),
        ("(-\r\n", ReplyError::BigNumber),
        ("$x\r\n", ReplyError::BulkLength),
        ("$-2\r\n", ReplyError::BulkRange),
        ("$536870913\r\n", ReplyError::BulkRange),
        ("*x\r\n", ReplyError::Length),
        ("*-2\r\n", ReplyError::Range),
        ("*4294967296\r\n", ReplyError::Range),
        ("~4294967296\r\n", ReplyError::Range),
        (">4294967296\r\n", ReplyError::Range),
        ("%4294967296\r\n", ReplyError::Range),
        ("|4294967296\r\n", ReplyError::Range),
        ("*1\r\n*9223372036854775807\r\n", ReplyError::Range),
        ("=3\r\ntxt\r\n", ReplyError::Verbatim),
        ("=7\r\ntxt-abc\r\n", ReplyError::Verbatim),
    ] {
        assert_eq!(ReplyParser::new().advance(bytes.as_bytes()), Err(error), "{bytes:?}");
    }
    assert_eq!(ReplyError::UnknownType(b'"').to_string(), r#"Protocol error, got "\"" as reply type byte"#);
}

#[test]
fn lengths_have_limits() {
    assert_eq!(ReplyParser::new().advance(format!("${BULK_MAX}\r\n").as_bytes()), Ok((0, None)));
    let elements = format!("*{ELEMENTS_MAX}\r\n");
    assert_eq!(ReplyParser::new().advance(elements.as_bytes()), Ok((elements.len(), None)));
    // As after looking through all of it in vain.
    let mut parser = ReplyParser { searched: LINE_MAX, ..ReplyParser::new() };
    let line = vec![b'+'; LINE_MAX + 1];
    assert_eq!(parser.advance(&line[..LINE_MAX]), Ok((0, None)));
    assert_eq!(parser.advance(&line), Err(ReplyError::TooLong));
}

#[test]
fn replies_are_asked_for_what_they_hold() {
    assert_eq!(
        (one(b":7\r\n").integer(), one(b"$2\r\n-7\r\n").integer(), one(b"+x\r\n").integer()),
        (Some(7), Some(-7), None)
    );
    for bytes in ["*1\r\n:1\r\n", "~1\r\n:1\r\n", ">1\r\n:1\r\n"] {
        assert_eq!(one(bytes.as_bytes()).elements(), Some(&[Reply::Integer(1)][..]), "{bytes:?}");
    }
    assert_eq!(one(b"%1\r\n:1\r\n:2\r\n").elements(), None);
    assert_eq!((one(b"-ERR no\r\n").error(), one(b"+OK\r\n").error()), (Some(&b"ERR no"[..]), None));
}

#[test]
fn keys_have_values_in_both_protocols() {
    for head in ["%2", "*4"] {
        let reply = one(format!("{head}\r\n+role\r\n+master\r\n+port\r\n:6379\r\n").as_bytes());
        assert_eq!(reply.get("role").map(Reply::text).as_deref(), Some("master"));
        assert_eq!((reply.get("port").and_then(Reply::integer), reply.get("master")), (Some(6379), None));
        assert_eq!(reply.pairs().len(), 2);
    }
}

#[test]
fn the_next_reply_begins_wherever_reads_end() {
    for first in ["$-1\r\n", "*-1\r\n", "*0\r\n", "%0\r\n", "$5\r\nabcde\r\n", "=5\r\ntxt:a\r\n", ":100\r\n", "+OK\r\n"]
    {
        let bytes = [first.as_bytes(), b"+\r\n"].concat();
        for len in 1..first.len() {
            let mut parser = ReplyParser::new();
            let (mut used, none) = parser.advance(&bytes[..len]).unwrap();
            assert_eq!(none, None);
            for reply in [one(first.as_bytes()), Reply::Status(Vec::new())] {
                let (more, found) = parser.advance(&bytes[used..]).unwrap();
                used += more;
                assert_eq!(found, Some(reply), "{first:?} in pieces of {len} and more bytes");
            }
        }
    }
}

#[test]
fn a_reply_of_which_a_part_was_parsed_is_not_done() {
    let mut parser = ReplyParser::new();
    assert!(parser.is_idle());
    assert_eq!(parser.advance(b"*2\r\n:1\r\n"), Ok((8, None)));
    assert!(!parser.is_idle());
    assert!(parser.advance(b":2\r\n").unwrap().1.is_some());
    assert!(parser.is_idle());
}

#[test]
fn nesting_has_a_limit() {
    let mut parser = ReplyParser::new();
    let deep = "*1\r\n".repeat(NESTED_MAX) + ":1\r\n";
    assert!(parser.advance(deep.as_bytes()).unwrap().1.is_some());
    let deeper = "*1\r\n".repeat(NESTED_MAX + 1);
    assert_eq!(ReplyParser::new().advance(deeper.as_bytes()), Err(ReplyError::TooDeep));
}

#[test]
fn what_was_only_announced_takes_no_memory() {
    let mut parser = ReplyParser::new();
    assert_eq!(parser.advance(b"*1000000000\r\n:1\r\n"), Ok((17, None)));
    assert!(parser.stack[0].found.capacity() < 100);
}

/// Bytes of replies of any shape.
fn wire() -> impl Strategy<Value = Vec<u8>> {
    let leaf = prop_oneof![
        "[+-][ -~]{0,9}\r\n".prop_map(String::into_bytes),
        any::<i64>().prop_map(|value| format!(":{value}\r\n").into_bytes()),
        Just(b"_\r\n#t\r\n".to_vec()).prop_map(|two| two[..3].to_vec()),
        proptest::collection::vec(any::<u8>(), 0..20).prop_map(|content| {
            let mut out = Vec::new();
            crate::writer::bulk(&mut out, &content);
            out
        }),
    ];
    leaf.prop_recursive(5, 40, 6, |inner| {
        (proptest::collection::vec(inner, 0..6), 0..4usize).prop_map(|(mut elements, kind)| {
            if kind == 1 && elements.len() % 2 == 1 {
                elements.pop();
            }
            let len = if kind == 1 { elements.len() / 2 } else { elements.len() };
            let head = format!("{}{len}\r\n", ['*', '%', '~', '>'][kind]);
            [head.into_bytes(), elements.concat()].concat()
        })
    })
}

proptest! {
    #[test]
    fn pieces_make_no_difference(replies in proptest::collection::vec(wire(), 1..4), size in 1usize..9) {
        let bytes = replies.concat();
        let whole: Vec<Reply> = replies.iter().map(|bytes| one(bytes)).collect();
        let (mut parser, mut buf, mut found) = (ReplyParser::new(), Vec::new(), Vec::new());
        for piece in bytes.chunks(size) {
            buf.extend_from_slice(piece);
            loop {
                let (used, reply) = parser.advance(&buf).unwrap();
                buf.drain(..used);
                match reply {
                    Some(reply) => found.push(reply),
                    None => break,
                }
            }
        }
        prop_assert!(buf.is_empty() && parser.is_idle());
        prop_assert_eq!(found, whole);
    }

    #[test]
    fn any_bytes_are_parsed_or_refused(bytes: Vec<u8>) {
        if let Ok((used, _)) = ReplyParser::new().advance(&bytes) {
            prop_assert!(used <= bytes.len());
        }
    }
}
