//! What COMMAND DOCS answers.

use super::entry::Entry;
use command_table::arguments::{Argument, Kind, hints};
use resp::Reply;

/// The most blocks of arguments in each other.
const NESTED_MAX: usize = 32;

/// None if the reply is not what was asked for.
pub(super) fn entries(reply: &Reply) -> Option<Vec<Entry>> {
    let mut found = Vec::new();
    for (name, docs) in reply.pairs() {
        add(&mut found, &name.text(), docs);
        for (name, docs) in docs.get("subcommands").map(Reply::pairs).unwrap_or_default() {
            add(&mut found, &name.text().replacen('|', " ", 1), docs);
        }
    }
    (!found.is_empty()).then_some(found)
}

fn add(found: &mut Vec<Entry>, name: &str, docs: &Reply) {
    let field = |name| plain(&docs.get(name).map(Reply::text).unwrap_or_default());
    found.push(Entry {
        name: plain(&name.to_uppercase()),
        syntax: hints(&arguments(docs, NESTED_MAX)).iter().map(|argument| plain(argument)).collect(),
        summary: field("summary"),
        since: field("since"),
        group: field("group"),
    });
}

/// Text that cannot command a terminal: the server may be anybody's.
fn plain(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}

fn arguments(of: &Reply, nested: usize) -> Vec<Argument> {
    let list = of.get("arguments").and_then(Reply::elements).filter(|_| nested > 0).unwrap_or_default();
    list.iter().map(|argument| self::argument(argument, nested - 1)).collect()
}

fn argument(of: &Reply, nested: usize) -> Argument {
    let flags = of.get("flags").and_then(Reply::elements).unwrap_or_default();
    let has = |flag: &str| flags.iter().any(|found| found.bytes() == Some(flag.as_bytes()));
    let kind = match of.get("type").map(Reply::text).unwrap_or_default().as_str() {
        "pure-token" => Kind::Word,
        "oneof" => Kind::OneOf,
        "block" => Kind::Block,
        _ => Kind::String,
    };
    Argument {
        name: of.get("name").map(Reply::text).unwrap_or_default(),
        kind,
        word: of.get("token").map(Reply::text),
        optional: has("optional"),
        repeated: has("multiple"),
        word_repeated: has("multiple_token"),
        parts: arguments(of, nested),
        ..Argument::default()
    }
}
