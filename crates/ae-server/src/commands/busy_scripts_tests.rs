//! What others see of a script or function that takes long.

use crate::clients::client::Client;
use crate::log::{Level, heard};
use crate::scripting::running::Running;
use crate::server::state::{ServeOthers, Server};
use crate::testing::{Session, answer, one_line};
use std::cell::RefCell;
use std::rc::Rc;
use std::time::Instant;

/// Another client, whose requests arrive while the script runs.
struct Others {
    client: Client,
    requests: Vec<&'static str>,
    replies: Rc<RefCell<Vec<String>>>,
}

impl ServeOthers for Others {
    fn serve(&mut self, server: &mut Server) {
        // None of them has ended it.
        if self.requests.is_empty() {
            server.scripting.running.as_mut().unwrap().killed = true;
        }
        for request in std::mem::take(&mut self.requests) {
            let reply = answer(server, &mut self.client, format!("{request}\n").into());
            self.replies.borrow_mut().push(one_line(&reply));
        }
    }
}

/// The reply to a request that takes long, and those to the others' requests meanwhile.
fn meanwhile(session: &mut Session, request: &[&str], requests: &[&'static str]) -> (String, Vec<String>) {
    let replies = Rc::new(RefCell::new(Vec::new()));
    let id = session.server.clients.next_id();
    let client = Client::new(id, None, session.server.users.default_user(), session.server.ticks);
    session.server.others = Some(Box::new(Others { client, requests: requests.into(), replies: replies.clone() }));
    let request: Vec<Vec<u8>> = request.iter().map(|word| word.as_bytes().to_vec()).collect();
    let reply = one_line(&session.request(&request));
    session.server.others = None;
    (reply, replies.take())
}

const BUSY: &str = "-BUSY Redis is busy running a script. You can only call SCRIPT KILL or SHUTDOWN NOSAVE.";
const BUSY_FUNCTION: &str = "-BUSY Redis is busy running a script. You can only call FUNCTION KILL or SHUTDOWN NOSAVE.";

#[test]
fn a_busy_script_is_ended() {
    let mut session = Session::new();
    session.run("CONFIG SET busy-reply-threshold 1");
    let requests = ["GET k", "FUNCTION STATS", "FUNCTION KILL", "SCRIPT KILL", "GET k"];
    let (reply, others) = meanwhile(&mut session, &["EVAL", "while true do end", "0"], &requests);
    assert_eq!(others, [BUSY, BUSY, BUSY, "+OK", BUSY]);
    heard::told(Level::Warning, "You can kill it with the SCRIPT KILL command. Its name: ");
    assert!(reply.contains("Script killed by user with SCRIPT KILL..."), "{reply}");
    session.expect(&[("GET k", "$-1"), ("SCRIPT KILL", "-NOTBUSY No scripts in execution right now.")]);
}

#[test]
fn a_busy_script_of_the_primary_is_not_killed() {
    let mut session = Session::new();
    session.run("CONFIG SET busy-reply-threshold 1");
    session.client.is_primary = true;
    let (_, others) = meanwhile(&mut session, &["EVAL", "while true do end", "0"], &["SCRIPT KILL"]);
    let text = "-UNKILLABLE The busy script was sent by a master instance in the context of replication and cannot be \
                killed.";
    assert_eq!(others, [text]);
}

#[test]
fn a_busy_function_is_told_and_ended() {
    let mut session = Session::new();
    let library = "#!lua name=l\nredis.register_function('f', function() while true do end end)";
    session.request(&["FUNCTION", "LOAD", library].map(|word| word.as_bytes().to_vec()));
    session.run("CONFIG SET busy-reply-threshold 1");
    let requests = ["GET k", "FUNCTION STATS", "SCRIPT KILL", "FUNCTION KILL"];
    let called = Instant::now();
    let (reply, others) = meanwhile(&mut session, &["FCALL", "f", "1", "k"], &requests);
    let in_all = called.elapsed().as_millis();
    let stats = "*4 $14 running_script *6 $4 name $1 f $7 command *4 $5 FCALL $1 f $1 1 $1 k $11 duration_ms :";
    let duration = others[1].strip_prefix(stats).and_then(|rest| rest.split(' ').next()?.parse().ok());
    assert!(duration.is_some_and(|duration| (1..=in_all).contains(&duration)), "{} in {in_all} ms", others[1]);
    assert_eq!([&others[0], &others[2], &others[3]], [BUSY_FUNCTION, BUSY_FUNCTION, "+OK"]);
    heard::told(Level::Warning, "You can kill it with the FUNCTION KILL command. Its name: f");
    assert!(reply.starts_with("-ERR ") && reply.contains("Script killed by user"), "{reply}");
}

#[test]
fn a_busy_script_that_has_written_goes_on_until_the_server_ends() {
    let mut session = Session::new();
    let (mut replica, _) = session.replica("REPLCONF capa psync2");
    session.run("CONFIG SET busy-reply-threshold 1");
    let script = "redis.call('set', 'k', 'v') redis.call('get', 'k') while true do end";
    let requests = ["SCRIPT KILL", "SHUTDOWN", "SHUTDOWN NOSAVE"];
    let (reply, others) = meanwhile(&mut session, &["EVAL", script, "0"], &requests);
    assert!(reply.contains("the server ends"), "{reply}");
    assert!(others[0].starts_with("-UNKILLABLE Sorry the script already executed write commands"), "{}", others[0]);
    assert_eq!(others[1..], [BUSY, ""]);
    assert!(session.server.shutdown);
    // Nobody gets half of what it does.
    let told = session.fed(&mut replica);
    assert!(!told.contains("set"), "{told}");
}

#[test]
fn without_a_threshold_nobody_is_served_meanwhile() {
    let mut session = Session::new();
    session.run("CONFIG SET busy-reply-threshold 0");
    let script = "for i = 1, 1000000 do end return 1";
    assert_eq!(meanwhile(&mut session, &["EVAL", script, "0"], &["GET k"]), (":1".into(), Vec::new()));
}

/// They are not the script's.
#[test]
fn requests_of_others_are_shown_as_theirs() {
    let mut session = Session::new();
    let mut watcher = session.other();
    session.run_as(&mut watcher, "MONITOR");
    session.run("CONFIG SET busy-reply-threshold 1");
    let script = "redis.call('get', 'k') while true do end";
    let (_, others) = meanwhile(&mut session, &["EVAL", script, "0"], &["MULTI", "DISCARD", "SCRIPT KILL"]);
    assert_eq!(others, ["+OK", "+OK", "+OK"]);
    let seen = session.received(&mut watcher);
    assert!(seen.contains("[0 lua] \"get\" \"k\"") && seen.contains("[0 ?:0] \"MULTI\""), "{seen}");
}

/// What it does has no end then: neither the file nor replicas have half of it.
#[test]
fn what_a_script_has_done_that_the_server_ends_in_is_told_to_nobody() {
    let mut session = Session::new();
    let (mut replica, _) = session.replica("REPLCONF capa psync2");
    session.expect(&[("CONFIG SET busy-reply-threshold 1", "+OK"), ("SET before 1", "+OK")]);
    let script = "redis.call('SET', 'k', 'v'); while true do end";
    let (reply, _) = meanwhile(&mut session, &["EVAL", script, "1", "k"], &["SHUTDOWN NOSAVE"]);
    assert!(reply.starts_with('-') && session.server.shutdown, "{reply}");
    let sent = session.fed(&mut replica);
    assert!(sent.contains("before") && !sent.contains("$1 k"), "{sent}");
}

/// What it has pushed may be gone when it ends.
#[test]
fn who_waits_for_a_key_is_served_when_a_script_has_ended() {
    let mut session = Session::new();
    let mut waiting = session.other();
    session.run_as(&mut waiting, "BLPOP l 0");
    let started = session.server.clock.mark();
    session.server.scripting.running = Some(Running::new(false, b"", started));
    session.expect(&[("RPUSH l a b", ":2")]);
    assert_eq!(session.received(&mut waiting), "");
    session.server.scripting.running = None;
    session.expect(&[("LPOP l", "$1 a")]);
    assert_eq!(session.received(&mut waiting), "*2 $1 l $1 b");
}
