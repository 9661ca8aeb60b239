//! COMMAND DOCS: what commands do, what they are called with, and what to use in place of old ones.

use crate::clients::reply::Reply;
use crate::command::context::{Command, Context};
use crate::command::error::Outcome;
use crate::command::spec::{Argument, ArgumentKind};

/// Commands for Redis itself and its developers.
const OF_THE_SYSTEM: [&str; 5] = ["debug", "pfdebug", "pfselftest", "replconf", "restore-asking"];

/// What to use in place of deprecated commands.
const REPLACEMENTS: [(&str, &str); 17] = [
    ("brpoplpush", "`BLMOVE` with the `RIGHT` and `LEFT` arguments"),
    ("cluster|slaves", "`CLUSTER REPLICAS`"),
    ("cluster|slots", "`CLUSTER SHARDS`"),
    ("georadius", "`GEOSEARCH` and `GEOSEARCHSTORE` with the `BYRADIUS` argument"),
    ("georadius_ro", "`GEOSEARCH` with the `BYRADIUS` argument"),
    ("georadiusbymember", "`GEOSEARCH` and `GEOSEARCHSTORE` with the `BYRADIUS` and `FROMMEMBER` arguments"),
    ("georadiusbymember_ro", "`GEOSEARCH` with the `BYRADIUS` and `FROMMEMBER` arguments"),
    ("getset", "`SET` with the `!GET` argument"),
    ("hmset", "`HSET` with multiple field-value pairs"),
    ("rpoplpush", "`LMOVE` with the `RIGHT` and `LEFT` arguments"),
    ("slaveof", "`REPLICAOF`"),
    ("substr", "`GETRANGE`"),
    ("zrangebylex", "`ZRANGE` with the `BYLEX` argument"),
    ("zrangebyscore", "`ZRANGE` with the `BYSCORE` argument"),
    ("zrevrange", "`ZRANGE` with the `REV` argument"),
    ("zrevrangebylex", "`ZRANGE` with the `REV` and `BYLEX` arguments"),
    ("zrevrangebyscore", "`ZRANGE` with the `REV` and `BYSCORE` arguments"),
];

pub fn docs(ctx: &mut Context<'_>) -> Outcome {
    let wanted: Vec<&Command> = match ctx.args.len() {
        2 => ctx.callable_commands().collect(),
        _ => ctx.args.from(2).filter_map(|name| ctx.find_command(name)).collect(),
    };
    let mut reply = ctx.reply();
    reply.map(wanted.len());
    wanted.into_iter().for_each(|command| document(&mut reply, command));
    Ok(())
}

fn document(reply: &mut Reply<'_>, command: &Command) {
    let spec = command.spec;
    let replacement = REPLACEMENTS.iter().find(|(name, _)| *name == spec.full_name);
    let complexity = match command.subcommands {
        [] => spec.complexity,
        _ => "Depends on subcommand.",
    };
    let before = [("summary", spec.summary), ("since", spec.since), ("group", spec.group), ("complexity", complexity)];
    let after = [("deprecated_since", spec.deprecated), ("replaced_by", replacement.map_or("", |(_, text)| text))];
    let flags = [(!spec.deprecated.is_empty(), "deprecated"), (OF_THE_SYSTEM.contains(&spec.full_name), "syscmd")];
    let flags: Vec<&str> = flags.into_iter().filter_map(|(set, flag)| set.then_some(flag)).collect();
    reply.bulk(spec.full_name);
    let fields = reply.place();
    let mut count = texts(reply, &before);
    if !flags.is_empty() {
        count += 1;
        reply.bulk("doc_flags");
        statuses(reply, &flags);
    }
    count += texts(reply, &after);
    if !spec.history.is_empty() {
        count += 1;
        reply.bulk("history");
        reply.set(spec.history.len());
        spec.history.iter().for_each(|(version, what)| reply.strings(&[version, what]));
    }
    if !spec.arguments.is_empty() {
        count += 1;
        reply.bulk("arguments");
        arguments(reply, spec.arguments);
    }
    if !command.subcommands.is_empty() {
        count += 1;
        reply.bulk("subcommands");
        reply.map(command.subcommands.len());
        command.subcommands.iter().for_each(|sub| document(reply, sub));
    }
    reply.put_map(fields, count);
}

/// The fields that are not empty; returns how many there are.
fn texts(reply: &mut Reply<'_>, fields: &[(&str, &str)]) -> usize {
    let fields = fields.iter().filter(|(_, text)| !text.is_empty());
    fields.clone().for_each(|(name, text)| {
        reply.bulk(name);
        reply.bulk(text);
    });
    fields.count()
}

fn statuses(reply: &mut Reply<'_>, names: &[&str]) {
    reply.set(names.len());
    names.iter().for_each(|name| reply.simple(name));
}

fn arguments(reply: &mut Reply<'_>, arguments: &[Argument]) {
    reply.array(arguments.len());
    arguments.iter().for_each(|argument| document_argument(reply, argument));
}

fn document_argument(reply: &mut Reply<'_>, argument: &Argument) {
    let flags =
        [(argument.optional, "optional"), (argument.repeated, "multiple"), (argument.word_repeated, "multiple_token")];
    let flags: Vec<&str> = flags.into_iter().filter_map(|(set, flag)| set.then_some(flag)).collect();
    let fields = reply.place();
    let mut count = texts(reply, &[("name", argument.name), ("type", type_name(argument.kind))]);
    if let Some(key) = argument.key {
        count += 1;
        reply.bulk("key_spec_index");
        reply.integer(key.into());
    }
    if let Some(word) = argument.word {
        count += 1;
        reply.bulk("token");
        reply.bulk(word);
    }
    count += texts(reply, &[("since", argument.since), ("deprecated_since", argument.deprecated)]);
    if !flags.is_empty() {
        count += 1;
        reply.bulk("flags");
        statuses(reply, &flags);
    }
    if !argument.parts.is_empty() {
        count += 1;
        reply.bulk("arguments");
        arguments(reply, argument.parts);
    }
    reply.put_map(fields, count);
}

fn type_name(kind: ArgumentKind) -> &'static str {
    match kind {
        ArgumentKind::String => "string",
        ArgumentKind::Key => "key",
        ArgumentKind::Integer => "integer",
        ArgumentKind::Double => "double",
        ArgumentKind::Pattern => "pattern",
        ArgumentKind::Time => "unix-time",
        ArgumentKind::Word => "pure-token",
        ArgumentKind::OneOf => "oneof",
        ArgumentKind::Block => "block",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::command::spec::SPECS;
    use crate::command::table::TABLE;
    use crate::testing::Session;

    #[test]
    fn documents() {
        let mut session = Session::new();
        assert!(session.run("COMMAND DOCS").starts_with(&format!("*{} ", 2 * TABLE.all().count())));
        session.expect(&[
            (
                "COMMAND DOCS get nosuch",
                "*2 $3 get *10 $7 summary $15 Reads a string. $5 since $5 1.0.0 $5 group $6 string $10 complexity $4 O(1) \
                 $9 arguments *1 *6 $4 name $3 key $4 type $3 key $14 key_spec_index :0",
            ),
            ("COMMAND DOCS nosuch", "*0"),
        ]);
        let old = session.run("COMMAND DOCS substr");
        assert!(old.starts_with("*2 $6 substr *16 "), "eight fields: {old}");
        for part in ["$9 doc_flags *1 +deprecated", "$16 deprecated_since $5 2.0.0", "$11 replaced_by $10 `GETRANGE`"] {
            assert!(old.contains(part), "{part} in {old}");
        }
        let set = session.run("COMMAND DOCS set");
        for part in [
            "$7 history *4 *2 $6 2.6.12 ",
            "*10 $4 name $9 condition $4 type $5 oneof $5 since $6 2.6.12 $5 flags *1 +optional $9 arguments *2 ",
            "*8 $4 name $7 seconds $4 type $7 integer $5 token $2 EX $5 since $6 2.6.12",
        ] {
            assert!(set.contains(part), "{part} in {set}");
        }
        let kill = session.run("COMMAND DOCS client|kill");
        assert!(kill.contains("$4 name $7 ip:port $4 type $6 string $16 deprecated_since $6 2.8.12"), "{kill}");
        assert!(session.run("COMMAND DOCS debug").contains("$9 doc_flags *1 +syscmd"));
        assert!(session.run("COMMAND DOCS config|get").starts_with("*2 $10 config|get "));
    }

    #[test]
    fn every_deprecated_command_has_a_replacement() {
        for spec in SPECS.iter().filter(|spec| !spec.deprecated.is_empty()) {
            assert!(REPLACEMENTS.iter().any(|(name, _)| *name == spec.full_name), "{}", spec.full_name);
        }
    }

    #[test]
    fn in_resp3_there_are_maps_and_sets() {
        let mut session = Session::new();
        session.run("HELLO 3");
        let docs = session.run("COMMAND DOCS object set sort");
        assert!(docs.starts_with("%3 $6 object %5 $7 summary "), "{docs}");
        for part in ["$10 complexity $22 Depends on subcommand. ", "$11 subcommands %5 ", "$7 history ~4 *2 $6 2.6.12 "]
        {
            assert!(docs.contains(part), "{part} in {docs}");
        }
        let get = "$4 name $7 pattern $4 type $7 pattern $14 key_spec_index :1 $5 token $3 GET $5 flags ~3 +optional +multiple \
                   +multiple_token";
        assert!(docs.contains(get), "{docs}");
        assert!(docs.contains("$4 name $2 nx $4 type $10 pure-token $5 token $2 NX "), "{docs}");
        assert!(docs.contains("$10 complexity $"), "{docs}");
    }

    #[test]
    fn how_complex_commands_are() {
        let mut session = Session::new();
        let docs = session.run("COMMAND DOCS get keys");
        assert!(docs.contains("$10 complexity $4 O(1) ") && docs.contains("$10 complexity $4 O(N) "), "{docs}");
    }
}
