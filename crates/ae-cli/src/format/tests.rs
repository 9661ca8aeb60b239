use super::*;
use crate::options::Output;
use resp::{Reply, ReplyParser};

fn shown(wire: &str, output: Output) -> String {
    let reply = ReplyParser::new().advance(wire.as_bytes()).unwrap().1.unwrap();
    let style = Style { output, element_end: b"\n", reply_end: b"\n" };
    String::from_utf8(printed(&reply, &style)).unwrap()
}

#[test]
fn maps_in_lists_in_maps() {
    let wire = "%2\r\n+a\r\n*2\r\n:1\r\n%1\r\n+b\r\n~1\r\n#t\r\n+c\r\n*1\r\n*0\r\n";
    let lines = ["1# a => ", "   1) (integer) 1", "   2) 1# b => 1~ (true)", "2# c => 1) (empty array)", ""];
    assert_eq!(shown(wire, Output::Formatted), lines.join("\n"));
    assert_eq!(shown(wire, Output::Raw), "a 1\nb (true)\nc \n");
    assert_eq!(shown(wire, Output::Csv), "\"a\",1,\"b\",true,\"c\",\n");
    assert_eq!(shown(wire, Output::Json), "{\"a\":[1,{\"b\":[true]}],\"c\":[[]]}\n");
}

#[test]
fn numbers_are_aligned() {
    let wire = format!("*10\r\n{}", ":7\r\n".repeat(10));
    let text = shown(&wire, Output::Formatted);
    assert!(text.starts_with(" 1) (integer) 7\n 2)") && text.ends_with("10) (integer) 7\n"), "{text}");
}

#[test]
fn strings_in_json() {
    assert_eq!(shown("$5\r\n\u{e9}\"\\\n\r\n", Output::Json), "\"\u{e9}\\\"\\\\\\n\"\n");
    for byte in (0..=0x1fu8).filter(|byte| !b"\x08\t\n\x0c\r".contains(byte)) {
        let wire = format!("$1\r\n{}\r\n", char::from(byte));
        assert_eq!(shown(&wire, Output::Json), format!("\"\\u{byte:04x}\"\n"));
    }
    assert_eq!(shown("$2\r\n\u{e9}\r\n", Output::QuotedJson), "\"\\\\xc3\\\\xa9\"\n");
    assert_eq!(shown("%1\r\n:1\r\n_\r\n", Output::Json), "{\"1\":null}\n");
}

#[test]
fn integers_without_limit_are_printed() {
    for (output, text) in [(Output::Formatted, "123\n"), (Output::Raw, "123\n"), (Output::Json, "123\n")] {
        assert_eq!(shown("(123\r\n", output), text);
    }
}

#[test]
fn invalidations() {
    let keys = Reply::Array(vec![Reply::Bulk(b"a".into()), Reply::Bulk(b"b".into())]);
    let push = |kind: &str| Reply::Push(vec![Reply::Bulk(kind.into()), keys.clone()]);
    assert_eq!(invalidation(&push("invalidate")), Some(b"-> invalidate: 'a', 'b'\n".to_vec()));
    assert_eq!(invalidation(&push("message")), None);
}
