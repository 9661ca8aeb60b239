use crate::log::{Level, heard};
use crate::scripting::running::Running;
use crate::server::loading::LoadOptions;
use crate::testing::Session;

/// What INFO says of a command.
fn counted(session: &mut Session, command: &str) -> String {
    let counts = session.info(&format!("cmdstat_{command}"));
    counts.split(',').filter(|field| !field.starts_with("usec")).collect::<Vec<_>>().join(" ")
}

/// What a browser sends for a web page.
#[test]
fn the_operator_is_told_who_speaks_http() {
    let mut session = Session::new();
    let mut browser = session.other();
    heard::take();
    session.run_as(&mut browser, "POST / HTTP/1.1");
    heard::told(Level::Verbose, "closed a connection from ?:0 that speaks HTTP");
}

#[test]
fn what_is_refused_is_no_failure_of_the_next_one() {
    let mut session = Session::new();
    session.expect(&[("GET", "-ERR wrong number of arguments for 'get' command"), ("PING", "+PONG")]);
    assert_eq!(counted(&mut session, "ping"), "calls=1 rejected_calls=0 failed_calls=0");
    assert_eq!(counted(&mut session, "get"), "calls=0 rejected_calls=1 failed_calls=0");
}

/// The rights may go while somebody waits.
#[test]
fn who_may_no_longer_have_what_it_waits_for_is_refused() {
    let mut session = Session::new();
    session.expect(&[("ACL SETUSER u on nopass +@all ~*", "+OK")]);
    let mut waits = session.other();
    session.run_as(&mut waits, "AUTH u x");
    assert_eq!(session.run_as(&mut waits, "BLPOP l 0"), "");
    session.expect(&[("ACL SETUSER u -blpop", "+OK"), ("RPUSH l a", ":1")]);
    session.wait(0);
    assert!(session.received(&mut waits).starts_with("-NOPERM "));
    assert_eq!(counted(&mut session, "blpop"), "calls=1 rejected_calls=1 failed_calls=0");
}

#[test]
fn a_command_that_does_not_exist_is_none_in_the_list_of_clients() {
    let mut session = Session::new();
    let mut other = session.other();
    for (request, shown) in [
        ("PING", " cmd=ping "),
        ("NOSUCH", " cmd=NULL "),
        ("CONFIG GET hz", " cmd=config|get "),
        ("CONFIG NOSUCH", " cmd=NULL "),
    ] {
        session.run_as(&mut other, request);
        let list = session.run("CLIENT LIST");
        assert!(list.contains(shown), "{request}: {list}");
    }
}

#[test]
fn an_error_shows_the_beginning_of_a_long_request() {
    let mut session = Session::new();
    let request: Vec<Vec<u8>> =
        std::iter::once(b"nosuch".to_vec()).chain((0..100).map(|_| b"argument".to_vec())).collect();
    let error = String::from_utf8(session.request(&request)).unwrap();
    assert_eq!(error.matches("'argument'").count(), 11, "{error}");
    assert!(error.len() < 250, "{error}");
}

#[test]
fn reading_needs_no_right_to_write_but_removing_does() {
    let mut session = Session::new();
    session.expect(&[("ACL SETUSER u on nopass +@all %R~* ~w", "+OK"), ("MSET r 1 w 1", "+OK"), ("AUTH u x", "+OK")]);
    let refused = "-NOPERM this user has no permissions to access one of the keys used as arguments";
    session.expect(&[
        ("GET r", "$1 1"),
        ("DEL r", refused),
        ("UNLINK r", refused),
        ("GETDEL r", refused),
        ("RENAME r w", refused),
        ("DEL w", ":1"),
    ]);
}

/// Nobody else could tell how far a replica is, and a primary does not wait.
#[test]
fn neither_replicas_nor_the_primary_are_paused() {
    let mut session = Session::new();
    let mut primary = session.other();
    let (mut replica, _) = session.replica("REPLCONF capa psync2");
    session.server.clients.get_same(primary).unwrap().is_primary = true;
    session.expect(&[("CLIENT PAUSE 1000", "+OK"), ("PING", "")]);
    assert_eq!(session.run_as(&mut replica, "PING"), "+PONG");
    assert_eq!(session.run_as(&mut primary, "PING"), "+PONG");
}

#[test]
fn who_waits_forever_has_no_time_limit() {
    let mut session = Session::new();
    let mut waits = session.other();
    session.run_as(&mut waits, "BLPOP l 0");
    session.wait(100_000_000);
    assert_eq!(session.received(&mut waits), "");
    session.expect(&[("RPUSH l a", ":1")]);
    assert_eq!(session.received(&mut waits), "*2 $1 l $1 a");
    assert_eq!(session.server.clients.unblocked, [waits], "its next requests run");
}

/// What is served is what can end it; nothing goes for that.
#[test]
fn while_a_script_takes_long_little_is_served() {
    let mut session = Session::new();
    session.expect(&[("SET k v", "+OK"), ("CONFIG SET maxmemory-policy allkeys-random", "+OK")]);
    let started = session.server.clock.mark();
    session.server.scripting.running = Some(Running { is_slow: true, ..Running::new(false, b"", started) });
    session.server.config.memory.max = 1;
    assert!(session.run("GET k").starts_with("-BUSY "));
    session.expect(&[("SCRIPT KILL", "+OK")]);
    assert_eq!(session.server.databases[0].len(), 1);
}

/// What has to do with all data waits for those that come.
#[test]
fn what_is_refused_while_other_data_are_loaded_aside() {
    let mut session = Session::new();
    session.expect(&[("SET k v", "+OK")]);
    let options = LoadOptions { aside: true, ..LoadOptions::default() };
    session.server.begin_loading_stream(options, Box::new(|_, _| ())).unwrap();
    for request in ["SAVE", "BGSAVE", "BGREWRITEAOF", "REPLICAOF NO ONE", "PSYNC ? -1"] {
        assert!(session.run(request).starts_with("-LOADING "), "{request}");
    }
    session.expect(&[("GET k", "$1 v"), ("SET k w", "+OK")]);
}

#[test]
fn who_has_been_paused_goes_on_when_the_pause_ends() {
    let mut session = Session::new();
    let mut waits = session.other();
    session.expect(&[("CLIENT PAUSE 1000 WRITE", "+OK")]);
    session.run_as(&mut waits, "SET k v");
    assert!(session.server.clients.unblocked.is_empty());
    session.expect(&[("CLIENT UNPAUSE", "+OK")]);
    assert_eq!(session.server.clients.unblocked, [waits]);
}

/// About as much as Redis repeats.
#[test]
fn an_unknown_command_s_arguments_are_repeated_up_to_a_length() {
    let long = "x".repeat(125);
    let expected = format!("-ERR unknown command 'nosuch', with args beginning with: '{long}' ");
    assert_eq!(Session::new().run(&format!("nosuch {long} y")), expected);
    let expected = format!("-ERR unknown command 'nosuch', with args beginning with: '{}' '' ", &long[..124]);
    assert_eq!(Session::new().run(&format!("nosuch {} y", &long[..124])), expected.replace("''", "'y'"));
}
