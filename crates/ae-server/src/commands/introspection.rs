//! COMMAND: what commands there are, for clients that complete, route or check them.

use crate::acl::command_set::find_category;
use crate::clients::reply::Reply;
use crate::command::category;
use crate::command::context::{Command, Context};
use crate::command::error::{Error, Outcome, SYNTAX_ERROR};
use crate::command::flag;
use crate::command::keys::{KeyArg, keys};
use crate::command::spec::{Begin, Find, KeySpec, Spec, key_flag};
use crate::glob::{Case, matches};
use resp::OwnedArgs;

pub fn list_all(ctx: &mut Context<'_>) -> Outcome {
    let commands: Vec<_> = ctx.callable_commands().collect();
    let mut reply = ctx.reply();
    reply.array(commands.len());
    commands.into_iter().for_each(|command| describe(&mut reply, command));
    Ok(())
}

pub fn count(ctx: &mut Context<'_>) -> Outcome {
    ctx.reply_count(ctx.callable_commands().count())
}

pub fn info(ctx: &mut Context<'_>) -> Outcome {
    if ctx.args.len() == 2 {
        return list_all(ctx);
    }
    let commands: Vec<_> = ctx.args.from(2).map(|name| ctx.find_command(name)).collect();
    let mut reply = ctx.reply();
    reply.array(commands.len());
    for command in commands {
        match command {
            Some(command) => describe(&mut reply, command),
            None => reply.null(),
        }
    }
    Ok(())
}

fn describe(reply: &mut Reply<'_>, command: &Command) {
    let spec = command.spec;
    reply.array(10);
    reply.bulk(spec.full_name);
    reply.integer(spec.arity.into());
    names(reply, flag::NAMES.iter().filter(|(bit, _)| spec.is(*bit)).map(|(_, name)| (*name).into()));
    let (first, last, step) = range(spec);
    for position in [first, last, step] {
        reply.integer(position.into());
    }
    let categories = spec.categories();
    let held = category::NAMES.iter().filter(|(bit, _)| categories & bit != 0);
    names(reply, held.map(|(_, name)| format!("@{name}")));
    reply.set(spec.tips.len());
    spec.tips.iter().for_each(|tip| reply.bulk(tip));
    reply.set(spec.keys.len());
    spec.keys.iter().for_each(|keys| describe_keys(reply, keys));
    // A set without members, and else no set, as Redis has it.
    if command.subcommands.is_empty() {
        reply.set(0)
    } else {
        reply.array(command.subcommands.len())
    }
    command.subcommands.iter().for_each(|sub| describe(reply, sub));
}

/// A set of statuses.
fn names(reply: &mut Reply<'_>, names: impl Iterator<Item = String>) {
    let names: Vec<String> = names.collect();
    reply.set(names.len());
    names.iter().for_each(|name| reply.simple(name));
}

/// First key, last key and step, of all key specifications together, as far as such a triple can say it.
fn range(spec: &Spec) -> (i32, i32, i32) {
    let ranges = spec.keys.iter().filter_map(|keys| match (keys.begin, keys.find) {
        (Begin::Index(first), Find::Range { last, step, .. }) => {
            Some((first, if last < 0 { last } else { first + last }, step))
        }
        _ => None,
    });
    let mut found: Option<(i32, i32, i32)> = None;
    for (first, last, step) in ranges {
        found = match found {
            None => Some((first, last, step)),
            // Only what follows without a gap is one range.
            Some((start, end, 1)) if step == 1 && end >= 0 && first == end + 1 => Some((start, last, 1)),
            other => other,
        };
    }
    found.unwrap_or_default()
}

fn describe_keys(reply: &mut Reply<'_>, keys: &KeySpec) {
    reply.map(3);
    reply.bulk("flags");
    flags_of_key(reply, keys.flags);
    reply.bulk("begin_search");
    reply.map(2);
    reply.bulk("type");
    match keys.begin {
        Begin::Index(index) => {
            reply.bulk("index");
            numbers(reply, &[("index", index)]);
        }
        Begin::Keyword(word, from) => {
            reply.bulk("keyword");
            reply.bulk("spec");
            reply.map(2);
            reply.bulk("keyword");
            reply.bulk(word);
            reply.bulk("startfrom");
            reply.integer(from.into());
        }
        Begin::Unknown => {
            reply.bulk("unknown");
            numbers(reply, &[]);
        }
    }
    reply.bulk("find_keys");
    reply.map(2);
    reply.bulk("type");
    match keys.find {
        Find::Range { last, step, limit } => {
            reply.bulk("range");
            numbers(reply, &[("lastkey", last), ("keystep", step), ("limit", limit)]);
        }
        Find::Number { at, first, step } => {
            reply.bulk("keynum");
            numbers(reply, &[("keynumidx", at), ("firstkey", first), ("keystep", step)]);
        }
        Find::Unknown => {
            reply.bulk("unknown");
            numbers(reply, &[]);
        }
    }
}

fn flags_of_key(reply: &mut Reply<'_>, flags: u16) {
    names(reply, key_flag::NAMES.iter().filter(|(bit, _)| flags & bit != 0).map(|(_, name)| (*name).into()));
}

fn numbers(reply: &mut Reply<'_>, fields: &[(&str, i32)]) {
    reply.bulk("spec");
    reply.map(fields.len());
    for (name, value) in fields {
        reply.bulk(name);
        reply.integer((*value).into());
    }
}

pub fn list(ctx: &mut Context<'_>) -> Outcome {
    let wanted = match ctx.args.len() {
        2 => Box::new(|_: &Spec| true),
        5 if ctx.is_word(2, "filterby") => filter(ctx.arg(3), ctx.arg(4))?,
        _ => return Err(SYNTAX_ERROR.into()),
    };
    let commands = ctx.callable_commands();
    let all = commands.flat_map(|command| [command].into_iter().chain(command.subcommands));
    let names = all.map(|command| command.spec).filter(|spec| wanted(spec)).map(|spec| spec.full_name);
    ctx.reply().strings(&names.collect::<Vec<_>>());
    Ok(())
}

/// Whether a command is wanted.
type Wanted<'a> = Box<dyn Fn(&Spec) -> bool + 'a>;

/// What FILTERBY says. There are no modules, so that none belongs to one.
fn filter<'a>(kind: &[u8], value: &'a [u8]) -> Result<Wanted<'a>, Error> {
    match kind.to_ascii_lowercase().as_slice() {
        b"module" => Ok(Box::new(|_| false)),
        b"aclcat" => {
            let category = find_category(value).unwrap_or(0);
            Ok(Box::new(move |spec| spec.categories() & category != 0))
        }
        b"pattern" => Ok(Box::new(move |spec| matches(value, spec.full_name.as_bytes(), Case::Ignored))),
        _ => Err(SYNTAX_ERROR.into()),
    }
}

pub fn getkeys(ctx: &mut Context<'_>) -> Outcome {
    let keys = keys_of_request(ctx)?;
    let names: Vec<&[u8]> = keys.iter().map(|key| ctx.arg(START + key.at)).collect();
    ctx.reply().strings(&names);
    Ok(())
}

pub fn getkeysandflags(ctx: &mut Context<'_>) -> Outcome {
    let keys = keys_of_request(ctx)?;
    ctx.reply().array(keys.len());
    for key in keys {
        let name = ctx.arg(START + key.at);
        let mut reply = ctx.reply();
        reply.array(2);
        reply.bulk(name);
        flags_of_key(&mut reply, key.flags);
    }
    Ok(())
}

/// Where the request begins that COMMAND GETKEYS is asked about.
const START: usize = 2;

fn keys_of_request(ctx: &Context<'_>) -> Result<Vec<KeyArg>, Error> {
    let request: Vec<&[u8]> = ctx.args.from(START).collect();
    let spec = ctx.find_request(&request).ok_or("ERR Invalid command specified")?.spec;
    if spec.keys.iter().all(|keys| keys.flags & key_flag::NOT_KEY != 0) {
        return Err("ERR The command has no key arguments".into());
    }
    if !spec.fits(request.len()) {
        return Err("ERR Invalid number of arguments specified for command".into());
    }
    let found = keys(spec, &OwnedArgs::new(&request).as_args()).unwrap_or_default();
    if found.is_empty() && !spec.is(flag::NO_MANDATORY_KEYS) {
        return Err("ERR Invalid arguments specified for command".into());
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use crate::command::flag;
    use crate::command::spec::SPECS;
    use crate::command::table::TABLE;
    use crate::testing::Session;

    #[test]
    fn descriptions() {
        let total = TABLE.all().count();
        let mut session = Session::new();
        assert_eq!(session.run("COMMAND COUNT"), format!(":{total}"));
        assert!(session.run("COMMAND").starts_with(&format!("*{total} *10 ")));
        session.expect(&[
            (
                "COMMAND INFO get nosuch",
                "*2 *10 $3 get :2 *2 +readonly +fast :1 :1 :1 *3 +@read +@string +@fast *0 *1 *6 $5 flags *2 +RO \
                 +access $12 begin_search *4 $4 type $5 index $4 spec *2 $5 index :1 $9 find_keys *4 $4 type $5 range \
                 $4 spec *6 $7 lastkey :0 $7 keystep :1 $5 limit :0 *0 $-1",
            ),
            ("COMMAND LIST FILTERBY PATTERN get*", "*6 $6 getbit $3 get $6 getdel $5 getex $8 getrange $6 getset"),
            ("COMMAND LIST FILTERBY PATTERN *|resetstat", "*1 $16 config|resetstat"),
            ("COMMAND LIST FILTERBY ACLCAT hyperloglog", "*5 $5 pfadd $7 pfcount $7 pfdebug $7 pfmerge $10 pfselftest"),
            ("COMMAND LIST FILTERBY ACLCAT nosuch", "*0"),
            ("COMMAND LIST FILTERBY x y", "-ERR syntax error"),
            ("COMMAND LIST FILTERBY MODULE x", "*0"),
            ("COMMAND LIST x", "-ERR syntax error"),
            ("COMMAND NOSUCH", "-ERR unknown subcommand 'NOSUCH'. Try COMMAND HELP."),
        ]);
        // The keys that its arguments only hint at.
        let sort = session.run("COMMAND INFO sort");
        for part in ["begin_search", "find_keys"] {
            let part = format!("{part} *4 $4 type $7 unknown $4 spec *0");
            assert!(sort.contains(&part), "{part} in {sort}");
        }
        assert!(session.run("COMMAND INFO client|list").starts_with("*1 *10 $11 client|list :-2"));
        assert!(
            session.run("COMMAND INFO dbsize").contains("*2 $25 request_policy:all_shards $23 response_policy:agg_sum")
        );
        // Subcommands are in an array, none in a set.
        session.run("HELLO 3");
        assert!(session.run("COMMAND INFO memory").contains("~0 ~0 *6 *10 $13 memory|doctor"));
        assert!(session.run("COMMAND INFO ping").ends_with("~0 ~0"));
    }

    /// As redis-server 7.0.15 has them.
    #[test]
    fn first_and_last_key_are_told_of_all_specifications_together() {
        let mut session = Session::new();
        for (command, range) in [
            ("get", (1, 1, 1)),
            ("mset", (1, -1, 2)),
            ("rename", (1, 2, 1)),
            ("lcs", (1, 2, 1)),
            ("pfmerge", (1, -1, 1)),
            ("bitop", (2, -1, 1)),
            ("migrate", (3, 3, 1)),
            ("object|encoding", (2, 2, 1)),
            // Others cannot be said so.
            ("zunionstore", (1, 1, 1)),
            ("georadius", (1, 1, 1)),
            ("sort", (1, 1, 1)),
            ("eval", (0, 0, 0)),
            ("xread", (0, 0, 0)),
        ] {
            let (first, last, step) = range;
            let told = session.run(&format!("COMMAND INFO {command}"));
            assert!(told.contains(&format!(" :{first} :{last} :{step} *")), "{command}: {told}");
        }
    }

    /// As redis-server 7.0.15 has them.
    #[test]
    fn every_way_to_find_keys_is_described() {
        let mut session = Session::new();
        for (command, keys) in [
            (
                "xread",
                "$12 begin_search *4 $4 type $7 keyword $4 spec *4 $7 keyword $7 STREAMS $9 startfrom :1 $9 find_keys \
                 *4 $4 type $5 range $4 spec *6 $7 lastkey :-1 $7 keystep :1 $5 limit :2 *0",
            ),
            (
                "zunionstore",
                "*2 *6 $5 flags *2 +OW +update $12 begin_search *4 $4 type $5 index $4 spec *2 $5 index :1 $9 \
                 find_keys *4 $4 type $5 range $4 spec *6 $7 lastkey :0 $7 keystep :1 $5 limit :0 *6 $5 flags *2 +RO \
                 +access $12 begin_search *4 $4 type $5 index $4 spec *2 $5 index :2 $9 find_keys *4 $4 type $6 keynum \
                 $4 spec *6 $9 keynumidx :0 $8 firstkey :1 $7 keystep :1 *0",
            ),
        ] {
            let told = session.run(&format!("COMMAND INFO {command}"));
            assert!(told.ends_with(keys), "{command}: {told}");
        }
    }

    #[test]
    fn what_a_request_does_with_its_keys() {
        Session::new().expect(&[
            ("COMMAND GETKEYSANDFLAGS SORT k", "*1 *2 $1 k *2 +RO +access"),
            (
                "COMMAND GETKEYSANDFLAGS SORT k BY w GET store LIMIT 0 store STORE d STORE e",
                "*2 *2 $1 k *2 +RO +access *2 $1 e *2 +OW +update",
            ),
            ("COMMAND GETKEYSANDFLAGS SET k v", "*1 *2 $1 k *2 +OW +update"),
            ("COMMAND GETKEYSANDFLAGS SET k v GET", "*1 *2 $1 k *3 +RW +access +update"),
            ("COMMAND GETKEYSANDFLAGS BITFIELD k OVERFLOW SAT GET u8 0", "*1 *2 $1 k *2 +RO +access"),
            ("COMMAND GETKEYSANDFLAGS BITFIELD k GET u8 0 SET u8 0 1", "*1 *2 $1 k *3 +RW +access +update"),
            ("COMMAND GETKEYSANDFLAGS GEORADIUS g 1 1 1 m STORE d", "*2 *2 $1 g *2 +RO +access *2 $1 d *2 +OW +update"),
            ("COMMAND GETKEYSANDFLAGS COPY a b", "*2 *2 $1 a *2 +RO +access *2 $1 b *2 +OW +update"),
            ("COMMAND GETKEYSANDFLAGS MIGRATE h 1 \"\" 0 9 KEYS a", "*1 *2 $1 a *3 +RW +access +delete"),
        ]);
    }

    #[test]
    fn every_flag_is_some_commands() {
        for bit in (0..u32::BITS).map(|at| 1 << at).take_while(|bit| *bit <= flag::FOR_SUBSCRIBERS) {
            assert!(SPECS.iter().any(|spec| spec.is(bit)), "{bit:#x}");
        }
    }

    #[test]
    fn keys_in_requests() {
        Session::new().expect(&[
            ("COMMAND GETKEYS GET k", "*1 $1 k"),
            ("COMMAND GETKEYS MSET a 1 b 2", "*2 $1 a $1 b"),
            ("COMMAND GETKEYS OBJECT ENCODING k", "*1 $1 k"),
            ("COMMAND GETKEYS DEL a b c", "*3 $1 a $1 b $1 c"),
            ("COMMAND GETKEYS EVAL script 0", "*0"),
            ("COMMAND GETKEYS EVAL script 1", "*0"),
            ("COMMAND GETKEYS LMPOP 0 a LEFT", "-ERR Invalid arguments specified for command"),
            ("COMMAND GETKEYS ZUNIONSTORE to 0 a", "-ERR Invalid arguments specified for command"),
            // Numbers that the commands refuse.
            ("COMMAND GETKEYS EVAL script 01 a", "*1 $1 a"),
            ("COMMAND GETKEYS EVAL script +1 a", "*1 $1 a"),
            ("COMMAND GETKEYS EVAL script 1x a", "*1 $1 a"),
            ("COMMAND GETKEYS EVAL script 0x1 a", "*0"),
            ("COMMAND GETKEYS EVAL script -1 a", "*0"),
            ("COMMAND GETKEYS EVAL script +-1 a", "*0"),
            ("COMMAND GETKEYS EVAL script 4294967297 a", "*1 $1 a"),
            ("COMMAND GETKEYS EVAL script -4294967295 a", "*1 $1 a"),
            ("COMMAND GETKEYS EVAL script 99999999999999999999 a", "*0"),
            ("COMMAND GETKEYS EVAL script 02 a", "*0"),
            ("COMMAND GETKEYS ZUNIONSTORE to 01 a", "*2 $1 a $2 to"),
            ("COMMAND GETKEYS ZUNIONSTORE to x a", "-ERR Invalid arguments specified for command"),
            ("COMMAND GETKEYSANDFLAGS ZUNIONSTORE to 01 a", "*2 *2 $1 a *0 *2 $2 to *0"),
            ("COMMAND GETKEYS BLMPOP 0 1.9 a LEFT", "*1 $1 a"),
            ("COMMAND GETKEYS PING x", "-ERR The command has no key arguments"),
            // Its channel is at a key's place.
            ("COMMAND GETKEYS SPUBLISH c m", "-ERR The command has no key arguments"),
            ("COMMAND GETKEYS GET a b", "-ERR Invalid number of arguments specified for command"),
            ("COMMAND GETKEYS NOSUCH x", "-ERR Invalid command specified"),
            ("COMMAND GETKEYS EVAL script 0", "*0"),
            ("COMMAND GETKEYS EVAL script 5 a", "*0"),
            ("COMMAND GETKEYS SORT k BY store STORE d", "*2 $1 k $1 d"),
            ("COMMAND GETKEYS SORT k GET store LIMIT 0 store", "*1 $1 k"),
            ("COMMAND GETKEYS OBJECT NOSUCH", "-ERR Invalid command specified"),
            ("COMMAND GETKEYS OBJECT", "-ERR wrong number of arguments for 'command|getkeys' command"),
        ]);
    }

    #[test]
    fn without_names_all_commands_are_described() {
        let mut session = Session::new();
        assert_eq!(session.run("COMMAND INFO"), session.run("COMMAND"));
    }

    #[test]
    fn commands_are_found_by_a_pattern_in_any_case() {
        Session::new().expect(&[("COMMAND LIST FILTERBY PATTERN XREADG*", "*1 $10 xreadgroup")]);
    }

    #[test]
    fn a_list_has_one_filter() {
        Session::new().expect(&[("COMMAND LIST FILTERBY PATTERN get x", "-ERR syntax error")]);
    }
}
