//! Commands for keys of any type: DEL, EXISTS, RENAME, TYPE, OBJECT.

use crate::command::context::{Command, Context};
use crate::command::declare::{command, help, subcommand};
use crate::command::error::{Error, Outcome, WRONG_TYPE};
use crate::command::flag::{FAST, READONLY, WRITE};
use crate::command::spec::{ALL_KEYS, NO_KEYS, ONE_KEY};
use resp::writer;
use store::Value;

pub const COMMANDS: &[Command] = &[
    command("del", -2, WRITE, ALL_KEYS, "1.0.0", "Deletes keys.", del),
    command("unlink", -2, WRITE | FAST, ALL_KEYS, "4.0.0", "Deletes keys; their memory may be freed later.", del),
    command("exists", -2, READONLY | FAST, ALL_KEYS, "1.0.0", "Counts the keys that exist.", exists),
    command("touch", -2, READONLY | FAST, ALL_KEYS, "3.2.1", "Counts the keys that exist, as a use of them.", exists),
    command("type", 2, READONLY | FAST, ONE_KEY, "1.0.0", "Returns what kind of value a key holds.", type_of),
    command("rename", 3, WRITE, (1, 2, 1), "1.0.0", "Renames a key, over another if need be.", rename),
    command("renamenx", 3, WRITE | FAST, (1, 2, 1), "1.0.0", "Renames a key to a name not in use.", renamenx),
    command("randomkey", 1, READONLY, NO_KEYS, "1.0.0", "Returns some key.", randomkey),
    command("object", -2, READONLY, NO_KEYS, "2.2.3", "How a value is stored.", |_| Ok(())).with_subcommands(OBJECT),
];

const OBJECT: &[Command] = &[
    subcommand("object", "encoding", 3, READONLY, "2.2.3", "Returns the form a value is stored in.", encoding)
        .with_keys((2, 2, 1)),
    subcommand("object", "refcount", 3, READONLY, "2.2.3", "Returns 1: values are not shared.", refcount)
        .with_keys((2, 2, 1)),
    help("object"),
];

fn del(ctx: &mut Context<'_>) -> Outcome {
    let mut count = 0;
    for key in ctx.args.from(1) {
        if let Some(id) = ctx.lookup(key) {
            ctx.db().remove(id);
            count += 1;
        }
    }
    ctx.reply_integer(count)
}

fn exists(ctx: &mut Context<'_>) -> Outcome {
    let mut count = 0;
    for key in ctx.args.from(1) {
        count += i64::from(ctx.lookup_read(key).is_some());
    }
    ctx.reply_integer(count)
}

fn type_of(ctx: &mut Context<'_>) -> Outcome {
    let name = match ctx.lookup_read(ctx.arg(1)) {
        Some(id) => ctx.db().value(id).map_or("none", Value::type_name),
        None => "none",
    };
    writer::simple(ctx.out(), name);
    Ok(())
}

fn rename(ctx: &mut Context<'_>) -> Outcome {
    rename_key(ctx, false)?;
    ctx.reply_ok()
}

fn renamenx(ctx: &mut Context<'_>) -> Outcome {
    let renamed = rename_key(ctx, true)?;
    ctx.reply_integer(renamed.into())
}

fn rename_key(ctx: &mut Context<'_>, only_to_new: bool) -> Result<bool, Error> {
    let (from, to) = (ctx.arg(1), ctx.arg(2));
    let id = ctx.lookup(from).ok_or("ERR no such key")?;
    if from == to {
        return Ok(!only_to_new);
    }
    if only_to_new && ctx.lookup(to).is_some() {
        return Ok(false);
    }
    let db = ctx.db();
    let deadline = db.deadline(id);
    if let Some(value) = db.remove(id) {
        let id = db.set(to, value, false);
        if let Some(at) = deadline {
            db.set_deadline(id, at);
        }
    }
    Ok(true)
}

fn randomkey(ctx: &mut Context<'_>) -> Outcome {
    let (db, now) = (ctx.client.db as usize, ctx.server.now);
    let Some(id) = ctx.server.databases.random_key(db, now) else {
        return ctx.reply_null();
    };
    let Context { server, client, .. } = ctx;
    writer::bulk(&mut client.output.bytes, server.databases[db].key(id));
    Ok(())
}

fn encoding(ctx: &mut Context<'_>) -> Outcome {
    let Some(id) = ctx.lookup(ctx.arg(2)) else {
        return ctx.reply_null();
    };
    let name = ctx.db().value(id).and_then(Value::as_string).ok_or(WRONG_TYPE)?.encoding();
    ctx.reply_bulk(name.as_bytes())
}

fn refcount(ctx: &mut Context<'_>) -> Outcome {
    match ctx.lookup(ctx.arg(2)) {
        Some(_) => ctx.reply_integer(1),
        None => ctx.reply_null(),
    }
}

#[cfg(test)]
mod tests {
    use crate::testing::Session;

    #[test]
    fn deleting_and_counting() {
        Session::new().expect(&[
            ("MSET a 1 b 2 c 3", "+OK"),
            ("EXISTS a b none a", ":3"),
            ("DEL a none a", ":1"),
            ("UNLINK b c", ":2"),
            ("DBSIZE", ":0"),
            ("DEL", "-ERR wrong number of arguments for 'del' command"),
        ]);
    }

    #[test]
    fn types_and_encodings() {
        Session::new().expect(&[
            ("TYPE k", "+none"),
            ("SET k v", "+OK"),
            ("TYPE k", "+string"),
            ("OBJECT ENCODING k", "$6 embstr"),
            ("SET k 12", "+OK"),
            ("OBJECT ENCODING k", "$3 int"),
            ("APPEND k 3", ":3"),
            ("OBJECT ENCODING k", "$3 raw"),
            ("OBJECT ENCODING none", "$-1"),
            ("OBJECT REFCOUNT k", ":1"),
            ("OBJECT NOSUCH k", "-ERR unknown subcommand 'NOSUCH'. Try OBJECT HELP."),
        ]);
    }

    #[test]
    fn renaming() {
        Session::new().expect(&[
            ("RENAME a b", "-ERR no such key"),
            ("SET a 1 EX 100", "+OK"),
            ("SET b 2 EX 10", "+OK"),
            ("RENAME a b", "+OK"),
            ("MGET a b", "*2 $-1 $1 1"),
            ("TTL b", ":100"),
            ("RENAME b b", "+OK"),
            ("RENAMENX b b", ":0"),
            ("SET c 3", "+OK"),
            ("RENAMENX b c", ":0"),
            ("RENAMENX b d", ":1"),
            ("RENAME c d", "+OK"),
            ("TTL d", ":-1"),
            ("RENAME none none", "-ERR no such key"),
        ]);
    }

    #[test]
    fn some_key() {
        Session::new().expect(&[("RANDOMKEY", "$-1"), ("SET k v", "+OK"), ("RANDOMKEY", "$1 k")]);
    }
}
