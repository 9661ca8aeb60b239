use crate::command::renames::Renames;
use crate::config::groups::RenameLine;
use crate::log::{Level, heard};
use crate::testing::{Session, one_line};

fn eval(session: &mut Session, script: &str, rest: &[&str]) -> String {
    let words: Vec<Vec<u8>> = ["EVAL", script].iter().chain(rest).map(|word| word.as_bytes().to_vec()).collect();
    one_line(&session.request(&words))
}

#[test]
fn scripts_call_subcommands() {
    let mut session = Session::new();
    session.run("SET k v");
    assert_eq!(eval(&mut session, "return redis.call('object', 'encoding', KEYS[1])", &["1", "k"]), "$6 embstr");
    let reply = eval(&mut session, "return redis.call('object', 'nosuch', KEYS[1])", &["1", "k"]);
    assert!(reply.starts_with("-ERR Unknown Redis command called from script "), "{reply}");
}

#[test]
fn scripts_write_to_the_log() {
    let mut session = Session::new();
    let levels =
        [("DEBUG", Level::Debug), ("VERBOSE", Level::Verbose), ("NOTICE", Level::Notice), ("WARNING", Level::Warning)];
    for (name, level) in levels {
        let script = format!("redis.log(redis.LOG_{name}, 'it is', 5)");
        assert_eq!(eval(&mut session, &script, &["0"]), "$-1");
        heard::expect(level, &["it is 5"]);
    }
}

#[test]
fn scripts_call_a_command_by_its_new_name() {
    let mut session = Session::new();
    let line = RenameLine { from: "echo".into(), to: "say".into(), place: String::new() };
    session.server.renames = Renames::new(&[line]).unwrap();
    assert_eq!(eval(&mut session, "return redis.call('say', 'hi')", &["0"]), "$2 hi");
    let reply = eval(&mut session, "return redis.call('echo', 'hi')", &["0"]);
    assert!(reply.starts_with("-ERR Unknown Redis command called from script "), "{reply}");
}

#[test]
fn a_script_that_says_that_it_writes_is_not_run_while_nothing_may_be_written() {
    let mut session = Session::new();
    session.run("CONFIG SET save \"3600 1\"");
    session.server.status.last_ok = false;
    for (script, reply) in [("#!lua\nreturn 1", "-MISCONF "), ("#!lua flags=no-writes\nreturn 1", ":1")] {
        let told = eval(&mut session, script, &["0"]);
        assert!(told.starts_with(reply), "{script}: {told}");
    }
}

/// A primary and the append-only file have done it before.
#[test]
fn what_a_script_of_the_append_only_file_writes_is_not_refused() {
    let mut session = Session::new();
    session.run("CONFIG SET min-replicas-to-write 1");
    let script = "return redis.call('set', KEYS[1], 'v')";
    let refused = eval(&mut session, script, &["1", "k"]);
    assert!(refused.starts_with("-NOREPLICAS Not enough good replicas to write."), "{refused}");
    session.client.is_log = true;
    assert_eq!(eval(&mut session, script, &["1", "k"]), "+OK");
}
