use super::*;
use crate::mlua::Value;
use crate::{Engine, Failure, Kind};
use resp::{Protocol, writer};

/// A server that notes what it is asked, and knows every command except `fail`.
#[derive(Default)]
struct Notes {
    calls: Vec<(String, Protocol)>,
    lines: Vec<(LogLevel, String)>,
    told: Vec<(bool, bool)>,
}

impl Host for Notes {
    fn call(&mut self, args: Args<'_>, protocol: Protocol, reply: &mut Vec<u8>) -> bool {
        let words: Vec<_> = args.iter().map(String::from_utf8_lossy).collect();
        self.calls.push((words.join(" "), protocol));
        let worked = args[0] != *b"fail";
        if worked {
            writer::simple(reply, "OK")
        } else {
            writer::error(reply, "ERR failed")
        }
        worked
    }

    fn may_run(&mut self, _: Args<'_>) -> Option<bool> {
        None
    }

    fn log(&mut self, level: LogLevel, text: &[u8]) {
        self.lines.push((level, String::from_utf8_lossy(text).into_owned()));
    }

    fn replicate(&mut self, to: Replication) {
        self.told.push((to.log, to.replicas));
    }

    fn interrupt(&mut self) -> Interrupted {
        Interrupted::GoesOn
    }

    fn register(&mut self, _: Registered) -> Result<(), String> {
        Ok(())
    }
}

fn run(script: &str) -> (Notes, Result<Value, Failure>) {
    let mut notes = Notes::default();
    let engine = Engine::new(&[], &[]).unwrap();
    let script = engine.compile(script.as_bytes()).unwrap();
    let (result, _) = engine.run(&script, Kind::Script, &[], &[], &mut notes);
    (notes, result)
}

#[test]
fn numbers_are_arguments_with_all_their_digits() {
    let (notes, _) = run("redis.call('echo', 0.1, 1e15, -0.5) redis.setresp(3) redis.call('echo', 2^53)");
    let expected = [
        ("echo 0.10000000000000001 1000000000000000 -0.5".to_string(), Protocol::Resp2),
        ("echo 9007199254740992".to_string(), Protocol::Resp3),
    ];
    assert_eq!(notes.calls, expected);
}

#[test]
fn lines_for_the_log_have_a_level_and_every_word() {
    let (notes, _) = run("redis.log(redis.LOG_DEBUG, 'a') redis.log(redis.LOG_VERBOSE, 'b', 1.5) \
         redis.log(redis.LOG_NOTICE, 'c', {}, 'd') redis.log(redis.LOG_WARNING, 'e')");
    let lines: Vec<_> = notes.lines.iter().map(|(level, text)| (*level, text.as_str())).collect();
    let expected =
        [(LogLevel::Debug, "a"), (LogLevel::Verbose, "b 1.5"), (LogLevel::Notice, "c d"), (LogLevel::Warning, "e")];
    assert_eq!(lines, expected);
}

/// As Lua itself takes them.
#[test]
fn texts_are_numbers_where_numbers_are_wanted() {
    let (notes, _) = run("redis.log('2', 'a') redis.log(' 0x3 ', 'b') redis.setresp(' 3 ') redis.set_repl('0x1') \
         redis.call('echo')");
    assert_eq!(notes.lines, [(LogLevel::Notice, "a".into()), (LogLevel::Warning, "b".into())]);
    assert_eq!((notes.told, notes.calls), (vec![(true, false)], vec![("echo".into(), Protocol::Resp3)]));
}

#[test]
fn a_script_says_who_is_told_of_its_changes() {
    let (notes, _) = run("for _, to in ipairs({'NONE', 'AOF', 'SLAVE', 'REPLICA', 'ALL'}) do \
         redis.set_repl(redis['REPL_' .. to]) end redis.set_repl('what is no number')");
    let (nobody, replicas) = ((false, false), (false, true));
    assert_eq!(notes.told, [nobody, (true, false), replicas, replicas, (true, true), nobody]);
    for flags in ["4", "7", "256", "-1"] {
        let (notes, result) = run(&format!("redis.set_repl({flags})"));
        let told = result.unwrap_err().text;
        assert!(told.starts_with(b"ERR Invalid replication flags."), "{flags}");
        assert!(notes.told.is_empty());
    }
}

/// The server counts errors of commands, and those that scripts fail with.
#[test]
fn an_error_of_a_command_is_counted_once() {
    for (script, counted) in [
        ("redis.call('fail')", true),
        ("redis.call()", false),
        ("redis.call({})", false),
        ("redis.log(1)", false),
        ("redis.setresp(9)", false),
        ("error('x')", false),
        ("error({err = 'x', ignore_error_stats_update = false})", false),
    ] {
        assert_eq!(run(script).1.unwrap_err().counted, counted, "{script}");
    }
    for (value, expected) in [
        ("redis.pcall('fail')", &[("ERR failed", true)][..]),
        ("redis.pcall()", &[("ERR Please specify at least one argument for this redis lib call", false)]),
        ("redis.error_reply('x')", &[("ERR x", false)]),
        ("{{err = 'MY x'}, {err = 'MY y', ignore_error_stats_update = false}}", &[("MY x", false), ("MY y", false)]),
        ("(function() local t = {} t[1] = t return t end)()", &[("ERR reached lua stack limit", false)]),
    ] {
        let engine = Engine::new(&[], &[]).unwrap();
        let script = engine.compile(format!("local value = {value} return value").as_bytes()).unwrap();
        let (result, _) = engine.run(&script, Kind::Script, &[], &[], &mut Notes::default());
        let mut told = Vec::new();
        let mut tell = |text: &[u8], counted| told.push((String::from_utf8_lossy(text).into_owned(), counted));
        crate::write(&result.unwrap(), &mut Vec::new(), usize::MAX, (Protocol::Resp2, Protocol::Resp2), &mut tell)
            .unwrap();
        let told: Vec<_> = told.iter().map(|(text, counted)| (text.as_str(), *counted)).collect();
        assert_eq!(told, expected, "{value}");
    }
}
