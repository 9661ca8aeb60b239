//! COMMAND DOCS: what commands do, and what to use in place of old ones.

use crate::clients::reply::Reply;
use crate::command::context::{Command, Context};
use crate::command::error::Outcome;

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
    let texts = [
        ("summary", spec.summary),
        ("since", spec.since),
        ("group", spec.group),
        ("complexity", complexity),
        ("deprecated_since", spec.deprecated),
        ("replaced_by", replacement.map_or("", |(_, text)| text)),
    ];
    let flags = [(!spec.deprecated.is_empty(), "deprecated"), (OF_THE_SYSTEM.contains(&spec.full_name), "syscmd")];
    let flags: Vec<&str> = flags.into_iter().filter_map(|(set, flag)| set.then_some(flag)).collect();
    let (has_flags, has_subcommands) = (!flags.is_empty(), !command.subcommands.is_empty());
    let fields = texts.iter().filter(|(_, text)| !text.is_empty());
    reply.bulk(spec.full_name);
    reply.map(fields.clone().count() + usize::from(has_flags) + usize::from(has_subcommands));
    for (name, text) in fields {
        reply.bulk(name);
        reply.bulk(text);
    }
    if has_flags {
        reply.bulk("doc_flags");
        reply.set(flags.len());
        flags.iter().for_each(|flag| reply.simple(flag));
    }
    if has_subcommands {
        reply.bulk("subcommands");
        reply.map(command.subcommands.len());
        command.subcommands.iter().for_each(|sub| document(reply, sub));
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
                "*2 $3 get *8 $7 summary $15 Reads a string. $5 since $5 1.0.0 $5 group $6 string $10 complexity $4 O(1)",
            ),
            ("COMMAND DOCS nosuch", "*0"),
        ]);
        let old = session.run("COMMAND DOCS substr");
        for part in ["$9 doc_flags *1 +deprecated", "$16 deprecated_since $5 2.0.0", "$11 replaced_by $10 `GETRANGE`"] {
            assert!(old.contains(part), "{part} in {old}");
        }
        assert!(session.run("COMMAND DOCS debug").contains("$9 doc_flags *1 +syscmd"));
        assert!(session.run("COMMAND DOCS config|get").starts_with("*2 $10 config|get "));
    }

    #[test]
    fn every_deprecated_command_has_a_replacement() {
        for spec in SPECS.iter().filter(|spec| !spec.deprecated.is_empty()) {
            assert!(REPLACEMENTS.iter().any(|(name, _)| *name == spec.full_name), "{}", spec.full_name);
        }
    }
}
