use super::built_in;
use super::from_server;
use resp::ReplyParser;

#[test]
fn commands_are_known_without_a_server() {
    let entries = built_in::entries();
    let (entry, words, _) = entries.matching("config get x").unwrap();
    assert_eq!((entry.name.as_str(), words), ("CONFIG GET", 2));
    let (entry, words, typed) = entries.matching("set \"a b").unwrap();
    assert_eq!((entry.name.as_str(), words, typed.len()), ("SET", 1, 3));
    assert_eq!(entry.syntax[..4], ["key", "value", "[NX|XX]", "[GET]"]);
    assert!(entries.matching("nothing").is_none());
    let groups = entries.groups();
    assert!(groups.contains(&"sorted-set"));
    assert!(groups.is_sorted_by(|a, b| a < b), "{groups:?}");
}

#[test]
fn blocks_in_blocks_are_read_to_a_depth() {
    let block = |inner: &str| format!("*1\r\n*6\r\n+name\r\n+b\r\n+type\r\n+block\r\n+arguments\r\n{inner}");
    let word = "*1\r\n*6\r\n+name\r\n+w\r\n+type\r\n+pure-token\r\n+token\r\n+DEEP\r\n";
    for (depth, seen) in [(0, true), (31, true), (32, false), (33, false)] {
        let arguments = (0..depth).fold(word.to_string(), |inner, _| block(&inner));
        let docs = format!("*2\r\n+foo\r\n*2\r\n+arguments\r\n{arguments}");
        let reply = ReplyParser::new().advance(docs.as_bytes()).unwrap().1.unwrap();
        let syntax = from_server::entries(&reply).unwrap()[0].syntax.join(" ");
        assert_eq!(syntax.contains("DEEP"), seen, "{depth}: {syntax}");
    }
}

#[test]
fn what_a_server_says_is_read() {
    let argument =
        "*6\r\n$4\r\nname\r\n$3\r\nkey\r\n$4\r\ntype\r\n$3\r\nkey\r\n$5\r\nflags\r\n*2\r\n+optional\r\n+multiple\r\n";
    let docs = format!(
        "*2\r\n$3\r\nfoo\r\n*4\r\n$9\r\narguments\r\n*1\r\n{argument}$11\r\nsubcommands\r\n*2\r\n$7\r\nfoo|bar\r\n*0\r\n"
    );
    let reply = ReplyParser::new().advance(docs.as_bytes()).unwrap().1.unwrap();
    let entries = from_server::entries(&reply).unwrap();
    assert_eq!((entries[0].name.as_str(), entries[0].syntax.join(" ")), ("FOO", "[key [key ...]]".to_string()));
    assert_eq!(entries[1].name, "FOO BAR");
    let evil = "*2\r\n+foo\r\n*4\r\n$7\r\nsummary\r\n$7\r\na\x1b]0;b\x07\r\n$5\r\ngroup\r\n$4\r\n\u{9b}5n\r\n";
    let reply = ReplyParser::new().advance(evil.as_bytes()).unwrap().1.unwrap();
    let entry = &from_server::entries(&reply).unwrap()[0];
    assert_eq!((entry.summary.as_str(), entry.group.as_str()), ("a ]0;b ", " 5n"));
    let error = ReplyParser::new().advance(b"-ERR unknown\r\n").unwrap().1.unwrap();
    assert_eq!(from_server::entries(&error), None);
}
