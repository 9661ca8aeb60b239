//! FCALL and FUNCTION.

use super::script_run::{Call, key_count, run, show};
use super::scripts::kill_running;
use crate::command::context::Context;
use crate::command::error::{Error, Outcome, c_text};
use crate::glob::{self, Case};
use crate::scripting::libraries::{Library, Policy};
use lua::Kind;

pub fn fcall(ctx: &mut Context<'_>) -> Outcome {
    call(ctx, false)
}

pub fn fcall_ro(ctx: &mut Context<'_>) -> Outcome {
    call(ctx, true)
}

fn call(ctx: &mut Context<'_>, read_only: bool) -> Outcome {
    show(ctx);
    let name = ctx.arg(1);
    let function = ctx.server.scripting.libraries.find(name).cloned().ok_or("ERR Function not found")?;
    ctx.integer(2).map_err(|_| "ERR Bad number of keys provided")?;
    let engine = ctx.server.scripting.libraries.interpreter.engine().map_err(refused)?;
    let (script, flags, keys) = (&function.script, function.flags, key_count(ctx)?);
    let what = Call { script, kind: Kind::Function, name, flags, keys, read_only };
    run(ctx, &engine, &what)
}

fn refused(reason: String) -> Error {
    format!("ERR {reason}").into()
}

pub fn load(ctx: &mut Context<'_>) -> Outcome {
    let mut replace = false;
    for option in ctx.args.from(2).take(ctx.args.len() - 3) {
        if !option.eq_ignore_ascii_case(b"replace") {
            return Err([b"ERR Unknown option given: ", c_text(option, usize::MAX)].concat().into());
        }
        replace = true;
    }
    let text = ctx.arg(ctx.args.len() - 1);
    let name = ctx.server.scripting.libraries.load(text, replace).map_err(refused)?;
    ctx.server.databases.note_change_beside();
    ctx.reply_bulk(&name)
}

pub fn delete(ctx: &mut Context<'_>) -> Outcome {
    if !ctx.server.scripting.libraries.remove(ctx.arg(2)) {
        return Err("ERR Library not found".into());
    }
    ctx.server.databases.note_change_beside();
    ctx.reply_ok()
}

pub fn flush(ctx: &mut Context<'_>) -> Outcome {
    if ctx.args.len() > 3 {
        return Err(ctx.wrong_subcommand());
    }
    let fits = ctx.args.len() == 2 || (ctx.args.len() == 3 && (ctx.is_word(2, "async") || ctx.is_word(2, "sync")));
    if !fits {
        return Err("ERR FUNCTION FLUSH only supports SYNC|ASYNC option".into());
    }
    ctx.server.scripting.libraries.clear();
    // The command is told also if there was none, as in Redis.
    ctx.server.databases.note_change_beside();
    ctx.reply_ok()
}

pub fn dump(ctx: &mut Context<'_>) -> Outcome {
    let payload = rdb::dump_functions(&ctx.server.scripting.libraries.texts());
    ctx.reply_bulk(&payload)
}

pub fn restore(ctx: &mut Context<'_>) -> Outcome {
    let policy = match ctx.args.get(3) {
        None => Policy::Append,
        Some(_) if ctx.args.len() > 4 => return Err(ctx.wrong_subcommand()),
        Some(word) if word.eq_ignore_ascii_case(b"flush") => Policy::Flush,
        Some(word) if word.eq_ignore_ascii_case(b"append") => Policy::Append,
        Some(word) if word.eq_ignore_ascii_case(b"replace") => Policy::Replace,
        Some(_) => {
            return Err("ERR Wrong restore policy given, value should be either FLUSH, APPEND or REPLACE.".into());
        }
    };
    let texts = rdb::restore_functions(ctx.arg(2)).map_err(|error| match error.is_of_frame() {
        true => "ERR DUMP payload version or checksum are wrong",
        false => "ERR failed loading functions",
    })?;
    ctx.server.scripting.libraries.restore(&texts, policy).map_err(|(_, error)| refused(error))?;
    ctx.server.databases.note_change_beside();
    ctx.reply_ok()
}

pub fn list(ctx: &mut Context<'_>) -> Outcome {
    let (mut with_code, mut pattern) = (false, None);
    let mut at = 2;
    while at < ctx.args.len() {
        if !with_code && ctx.is_word(at, "withcode") {
            with_code = true;
        } else if pattern.is_none() && ctx.is_word(at, "libraryname") {
            at += 1;
            pattern = Some(ctx.args.get(at).ok_or("ERR library name argument was not given")?);
        } else {
            return Err([b"ERR Unknown argument ", c_text(ctx.arg(at), usize::MAX)].concat().into());
        }
        at += 1;
    }
    let Context { server, client, .. } = ctx;
    let libraries = &server.scripting.libraries;
    let shown = |name: &[u8]| pattern.is_none_or(|pattern| glob::matches(pattern, name, Case::Ignored));
    let found: Vec<_> = libraries.iter().filter(|(name, _)| shown(name)).collect();
    let mut reply = client.reply();
    reply.array(found.len());
    for (name, library) in found {
        reply.map(if with_code { 4 } else { 3 });
        reply.bulk("library_name");
        reply.bulk(name);
        reply.bulk("engine");
        reply.bulk("LUA");
        reply.bulk("functions");
        reply_functions(&mut reply, library);
        if with_code {
            reply.bulk("library_code");
            reply.bulk(&library.text);
        }
    }
    Ok(())
}

fn reply_functions(reply: &mut crate::clients::reply::Reply<'_>, library: &Library) {
    reply.array(library.functions.len());
    for (name, function) in &library.functions {
        reply.map(3);
        reply.bulk("name");
        reply.bulk(name);
        reply.bulk("description");
        match &function.description {
            Some(text) => reply.bulk(text),
            None => reply.null(),
        }
        reply.bulk("flags");
        let flags: Vec<_> = function.flags.names().collect();
        reply.set(flags.len());
        flags.iter().for_each(|flag| reply.simple(flag));
    }
}

pub fn stats(ctx: &mut Context<'_>) -> Outcome {
    if ctx.server.scripting.running.as_ref().is_some_and(|running| !running.is_function) {
        return Err(ctx.server.busy_error().into());
    }
    let Context { server, client, .. } = ctx;
    let (libraries, mut reply) = (&server.scripting.libraries, client.reply());
    reply.map(2);
    reply.bulk("running_script");
    match &server.scripting.running {
        None => reply.null(),
        Some(running) => {
            reply.map(3);
            reply.bulk("name");
            reply.bulk(&running.name);
            reply.bulk("command");
            reply.strings(&running.request);
            reply.bulk("duration_ms");
            reply.integer(server.clock.since(running.started).as_millis() as i64);
        }
    }
    reply.bulk("engines");
    reply.map(1);
    reply.bulk("LUA");
    reply.map(2);
    reply.bulk("libraries_count");
    reply.count(libraries.len());
    reply.bulk("functions_count");
    reply.count(libraries.functions());
    Ok(())
}

pub fn kill(ctx: &mut Context<'_>) -> Outcome {
    kill_running(ctx, true)
}

#[cfg(test)]
mod tests {
    use crate::testing::Session;

    const LIBRARY: &str = "#!lua name=lib\n\
        redis.register_function('echo', function(k, a) return {k, a} end)\n\
        redis.register_function('set', function(k, a) return redis.call('set', k[1], a[1]) end)\n\
        redis.register_function{function_name='get', callback=function(k) return redis.call('get', k[1]) end, \
        flags={'no-writes'}, description='reads'}\n\
        redis.register_function('bad', function() error('bad') end)";

    fn load(session: &mut Session, words: &[&str]) -> String {
        let request: Vec<Vec<u8>> = words.iter().map(|word| word.as_bytes().to_vec()).collect();
        String::from_utf8_lossy(&session.request(&request)).replace("\r\n", " ").trim_end().into()
    }

    #[test]
    fn functions_are_called() {
        let mut session = Session::new();
        assert_eq!(load(&mut session, &["FUNCTION", "LOAD", LIBRARY]), "$3 lib");
        session.expect(&[
            ("FCALL echo 1 k a", "*2 *1 $1 k *1 $1 a"),
            ("FCALL set 1 k v", "+OK"),
            ("FCALL_RO set 1 k v", "-ERR Can not execute a script with write flag using *_ro command."),
            ("FCALL_RO get 1 k", "$1 v"),
            ("FCALL bad 0", "-ERR user_function:5: bad script: bad, on @user_function:5."),
            ("FCALL nosuch 0", "-ERR Function not found"),
            ("FCALL echo x", "-ERR Bad number of keys provided"),
            ("FCALL echo -1", "-ERR Number of keys can't be negative"),
            ("FCALL echo 3 a", "-ERR Number of keys can't be greater than number of args"),
            ("SCRIPT FLUSH", "+OK"),
            ("FCALL get 1 k", "$1 v"),
            ("FUNCTION KILL", "-NOTBUSY No scripts in execution right now."),
            (
                "FUNCTION STATS",
                "*4 $14 running_script $-1 $7 engines *2 $3 LUA *4 $15 libraries_count :1 $15 functions_count :4",
            ),
            ("FUNCTION LIST foo", "-ERR Unknown argument foo"),
            (r#"FUNCTION LIST "x\x00y""#, "-ERR Unknown argument x"),
            ("FUNCTION LIST LIBRARYNAME", "-ERR library name argument was not given"),
            ("FUNCTION LIST LIBRARYNAME x*", "*0"),
            ("FUNCTION DELETE x", "-ERR Library not found"),
            ("FUNCTION FLUSH x", "-ERR FUNCTION FLUSH only supports SYNC|ASYNC option"),
            ("FUNCTION DELETE lib", "+OK"),
            ("FCALL get 1 k", "-ERR Function not found"),
            ("FUNCTION FLUSH SYNC", "+OK"),
            ("FUNCTION FLUSH async", "+OK"),
        ]);
    }

    /// As in Redis, where only scripts of EVAL have them.
    #[test]
    fn functions_find_nothing_of_debugging() {
        let mut session = Session::new();
        let library = "#!lua name=lib\n\
            redis.register_function('missing', function()\n\
            return {redis.breakpoint == nil, redis.debug == nil, redis.replicate_commands == nil, redis.log ~= nil} end)\n\
            redis.register_function('bad', function() redis.breakpoint() end)";
        assert_eq!(load(&mut session, &["FUNCTION", "LOAD", library]), "$3 lib");
        session.expect(&[
            ("FCALL missing 0", "*4 :1 :1 :1 :1"),
            (
                "FCALL bad 0",
                "-ERR user_function:4: attempt to call field 'breakpoint' (a nil value) script: bad, on @user_function:4.",
            ),
            ("EVAL 'return redis.breakpoint()' 0", "$-1"),
        ]);
    }

    /// As in Lua, where a number will do for a string.
    #[test]
    fn a_description_may_be_a_number() {
        let mut session = Session::new();
        let library =
            "#!lua name=l\nredis.register_function{function_name='f', callback=function() end, description=7}";
        assert_eq!(load(&mut session, &["FUNCTION", "LOAD", library]), "$1 l");
        let list = session.run("FUNCTION LIST");
        assert!(list.contains("$11 description $1 7"), "{list}");
    }

    #[test]
    fn libraries_are_dumped_and_restored() {
        let mut session = Session::new();
        load(&mut session, &["FUNCTION", "LOAD", LIBRARY]);
        let dumped = session.raw("FUNCTION DUMP");
        let start = dumped.windows(2).position(|pair| pair == b"\r\n").unwrap() + 2;
        let payload = dumped[start..dumped.len() - 2].to_vec();
        let restore = |session: &mut Session, policy: &str| {
            let mut request = vec![b"FUNCTION".to_vec(), b"RESTORE".to_vec(), payload.clone()];
            request.extend((!policy.is_empty()).then(|| policy.as_bytes().to_vec()));
            String::from_utf8(session.request(&request)).unwrap()
        };
        assert_eq!(restore(&mut session, ""), "-ERR Library lib already exists\r\n");
        assert_eq!(restore(&mut session, "replace"), "+OK\r\n");
        session.run("FUNCTION FLUSH");
        assert_eq!(restore(&mut session, ""), "+OK\r\n");
        session.expect(&[
            ("FCALL set 1 k v", "+OK"),
            ("FUNCTION RESTORE abc", "-ERR DUMP payload version or checksum are wrong"),
            (
                "FUNCTION RESTORE abc FOO",
                "-ERR Wrong restore policy given, value should be either FLUSH, APPEND or REPLACE.",
            ),
        ]);
    }

    #[test]
    fn loading_is_told_to_others() {
        let mut session = Session::new();
        session.server.set_streams(true, true);
        load(&mut session, &["FUNCTION", "LOAD", LIBRARY]);
        session.run("FUNCTION DELETE lib");
        let log = String::from_utf8_lossy(&session.server.streams.log.bytes).into_owned();
        assert!(log.contains("LOAD") && log.contains("DELETE"), "{log}");
    }

    #[test]
    fn flushing_and_restoring_are_told_to_others() {
        let mut session = Session::new();
        load(&mut session, &["FUNCTION", "LOAD", LIBRARY]);
        let payload = rdb::dump_functions(&session.server.scripting.libraries.texts());
        session.server.set_streams(true, true);
        session.run("FUNCTION FLUSH");
        session.request(&[b"FUNCTION".to_vec(), b"RESTORE".to_vec(), payload]);
        let log = String::from_utf8_lossy(&session.server.streams.log.bytes).into_owned();
        assert!(log.contains("FLUSH") && log.contains("RESTORE"), "{log}");
    }

    #[test]
    fn libraries_are_found_by_a_pattern_in_any_case() {
        let mut session = Session::new();
        load(&mut session, &["FUNCTION", "LOAD", LIBRARY]);
        assert!(session.run("FUNCTION LIST LIBRARYNAME LI*").contains("library_name $3 lib"));
        session.expect(&[("FUNCTION LIST LIBRARYNAME x*", "*0")]);
    }

    #[test]
    fn a_flush_has_one_option_at_most() {
        let reply = Session::new().run("FUNCTION FLUSH SYNC SYNC");
        assert!(reply.starts_with("-ERR unknown subcommand or wrong number of arguments for 'FLUSH'"), "{reply}");
    }

    const READER: &str = "#!lua name=l\nredis.register_function{function_name='F', callback=function() return 1 end, \
                           flags={'no-writes'}}";

    #[test]
    fn a_function_that_only_reads_may_run_while_writes_are_paused() {
        let mut session = Session::new();
        assert_eq!(load(&mut session, &["FUNCTION", "LOAD", READER]), "$1 l");
        session.expect(&[("CLIENT PAUSE 100000 WRITE", "+OK"), ("FCALL f 0", ":1")]);
        let mut other = session.other();
        assert_eq!(session.run_as(&mut other, "SET k v"), "");
    }

    #[test]
    fn libraries_are_listed_with_their_code_if_asked_for() {
        let mut session = Session::new();
        let option = "-ERR Unknown option given: replacing";
        assert_eq!(load(&mut session, &["FUNCTION", "LOAD", "replacing", READER]), option);
        assert_eq!(load(&mut session, &["FUNCTION", "LOAD", "REPLACE", READER]), "$1 l");
        session.run("HELLO 3");
        assert!(session.run("FUNCTION LIST").starts_with("*1 %3 $12 library_name $1 l "));
        let with_code = session.run("FUNCTION LIST WITHCODE LIBRARYNAME L");
        assert!(with_code.starts_with("*1 %4 $12 library_name $1 l "), "{with_code}");
        assert!(with_code.contains(&format!("$12 library_code ${} #!lua name=l", READER.len())), "{with_code}");
        session.expect(&[
            ("FUNCTION LIST LIBRARYNAME none", "*0"),
            ("FUNCTION LIST LIBRARYNAME a LIBRARYNAME b", "-ERR Unknown argument LIBRARYNAME"),
            ("FUNCTION LIST WITHCODE WITHCODE", "-ERR Unknown argument WITHCODE"),
        ]);
    }

    /// Names of functions have no case.
    #[test]
    fn a_name_is_free_again_when_its_library_has_gone() {
        let mut session = Session::new();
        for _ in 0..2 {
            assert_eq!(load(&mut session, &["FUNCTION", "LOAD", READER]), "$1 l");
            session.expect(&[
                ("FCALL f 0", ":1"),
                ("FUNCTION DELETE l", "+OK"),
                ("FCALL f 0", "-ERR Function not found"),
            ]);
        }
    }

    #[test]
    fn what_is_restored_takes_the_place_of_all_where_it_says_so() {
        let mut session = Session::new();
        load(&mut session, &["FUNCTION", "LOAD", READER]);
        let payload = rdb::dump_functions(&session.server.scripting.libraries.texts());
        session.run("FUNCTION FLUSH");
        load(&mut session, &["FUNCTION", "LOAD", LIBRARY]);
        let mut restore = |more: &[&[u8]]| {
            let words = [&[&b"FUNCTION"[..], b"RESTORE", &payload], more].concat();
            let reply = session.request(&words.iter().map(|word| word.to_vec()).collect::<Vec<_>>());
            (String::from_utf8(reply).unwrap(), session.server.scripting.libraries.len())
        };
        let wrong = "-ERR unknown subcommand or wrong number of arguments for 'RESTORE'. Try FUNCTION HELP.\r\n";
        assert_eq!(restore(&[b"FLUSH", b"x"]), (wrong.into(), 1));
        assert_eq!(restore(&[b"APPEND"]), ("+OK\r\n".into(), 2));
        assert_eq!(restore(&[b"FLUSH"]), ("+OK\r\n".into(), 1));
        let list = session.run("FUNCTION LIST");
        assert!(list.contains("$4 name $1 F $11 description $-1 $5 flags *1 +no-writes"), "{list}");
    }

    #[test]
    fn functions_that_are_flushed_leave_no_memory() {
        let mut session = Session::new();
        let text = b"#!lua name=l\nredis.register_function('f', function() end)";
        session.request(&[b"FUNCTION".into(), b"LOAD".into(), text.to_vec()]);
        let before = session.number("used_memory_vm_functions");
        session.expect(&[("FUNCTION FLUSH", "+OK")]);
        assert!(before > 0 && session.number("used_memory_vm_functions") == 0);
    }
}
