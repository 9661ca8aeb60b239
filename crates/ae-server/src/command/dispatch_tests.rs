use crate::testing::Session;

/// What INFO says of a command.
fn counted(session: &mut Session, command: &str) -> String {
    let counts = session.info(&format!("cmdstat_{command}"));
    counts.split(',').filter(|field| !field.starts_with("usec")).collect::<Vec<_>>().join(" ")
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
    for (request, shown) in [("PING", " cmd=ping "), ("NOSUCH", " cmd=NULL "), ("CONFIG GET hz", " cmd=config|get ")] {
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
