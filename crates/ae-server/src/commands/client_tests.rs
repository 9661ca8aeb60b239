use super::*;
use crate::testing::Session;

#[test]
fn names() {
    let special = "-ERR Client names cannot contain spaces, newlines or special characters.";
    Session::new().expect(&[
        ("CLIENT GETNAME", "$-1"),
        ("CLIENT SETNAME me", "+OK"),
        ("CLIENT GETNAME", "$2 me"),
        ("CLIENT SETNAME \"a b\"", special),
        ("CLIENT SETNAME \"a\\n\"", special),
        ("CLIENT SETNAME \"\"", "+OK"),
        ("CLIENT GETNAME", "$-1"),
        ("CLIENT SETINFO LIB-NAME lib", "+OK"),
        ("CLIENT SETINFO lib-ver 1.2", "+OK"),
        ("CLIENT SETINFO lib-ver \"1 2\"", "-ERR lib-ver cannot contain spaces, newlines or special characters."),
        ("CLIENT SETINFO other x", "-ERR Unrecognized option 'other'"),
    ]);
}

#[test]
fn description() {
    let mut session = Session::new();
    session.run("CLIENT SETNAME me");
    session.run("CLIENT SETINFO LIB-NAME lib");
    session.run("SELECT 3");
    session.wait(2500);
    let id = session.client.id;
    let info = session.run("CLIENT INFO");
    assert_eq!(
        session.run("CLIENT LIST").replace("client|list", "client|info").split_once(' ').unwrap().1.len(),
        info.split_once(' ').unwrap().1.len()
    );
    for part in
        [&format!("id={id} "), " name=me age=2 idle=2 flags=N db=3 ", "cmd=client|info", "lib-name=lib lib-ver="]
    {
        assert!(info.contains(part), "{part} in {info}");
    }
    // Somebody sets the clock back by a day.
    session.server.now -= 86_400_000;
    assert!(session.run("CLIENT INFO").contains(" age=2 idle=2 "));
    assert_eq!(session.run("CLIENT ID"), format!(":{id}"));
    let twice = session.run(&format!("CLIENT LIST ID {id} 999 {id}"));
    assert_eq!(twice.matches(&format!("id={id} ")).count(), 2, "{twice}");
    session.expect(&[
        ("CLIENT LIST ID 999999", "$0 "),
        ("CLIENT LIST TYPE pubsub", "$0 "),
        ("CLIENT LIST TYPE x", "-ERR Unknown client type 'x'"),
        ("CLIENT LIST ID x", "-ERR Invalid client ID"),
        ("CLIENT LIST ID", "-ERR syntax error"),
        ("CLIENT LIST ID -1 0", "$0 "),
        ("CLIENT LIST x", "-ERR syntax error"),
    ]);
}

#[test]
fn one_pause_does_not_end_another() {
    let mut session = Session::new();
    session.server.begin_pause(Purpose::Failover, Paused::Writes, 1_000_000_000_000_000);
    session.expect(&[("CLIENT PAUSE 0 ALL", "+OK")]);
    session.server.end_pause_in_time();
    session.expect(&[
        ("GET k", "$-1"),
        ("CLIENT PAUSE 100000 WRITE", "+OK"),
        ("CLIENT UNPAUSE", "+OK"),
        ("SET k v", ""),
    ]);
    session.client.postponed = None;
    assert!(session.server.databases.frozen);
    session.server.unpause(Purpose::Failover);
    assert!(!session.server.databases.frozen);
    session.expect(&[("SET k v", "+OK")]);
}

#[test]
fn the_arguments_of_the_running_request_are_told() {
    let mut session = Session::new();
    let mut other = session.other();
    session.run_as(&mut other, "SET k value");
    let list = session.run("client list");
    // Of this request alone: "client" and "list".
    assert_eq!((list.matches("argv-mem=10 ").count(), list.matches("argv-mem=0 ").count()), (1, 1), "{list}");
    session.expect(&[("MULTI", "+OK"), ("CLIENT INFO", "+QUEUED")]);
    assert!(session.run("EXEC").contains(" argv-mem=4 "));
}

#[test]
fn flags_and_types() {
    let mut session = Session::new();
    let mut other = session.other();
    let mut flags = |line: &str, name: &str| {
        session.run_as(&mut other, line);
        let list = session.run(&format!("CLIENT LIST ID {}", other.id));
        let from = list.find(&format!(" {name}=")).unwrap() + name.len() + 2;
        list[from..].split(' ').next().unwrap().to_string()
    };
    assert_eq!(flags("WATCH k", "flags"), "N");
    assert_eq!(flags("SET k v", "flags"), "d");
    assert_eq!(flags("MULTI", "flags"), "xd");
    assert_eq!(flags("SET k v", "cmd"), "set");
    assert_eq!((flags("GET k", "multi"), flags("DISCARD", "multi")), ("2".into(), "-1".into()));
    assert_eq!(flags("CLIENT NO-EVICT on", "flags"), "e");
    assert_eq!(flags("HELLO 3", "resp"), "3");
    assert_eq!(flags("CLIENT TRACKING on BCAST", "flags"), "tBe");
    assert_eq!((flags("PING", "redir"), flags("RESET", "redir")), ("0".into(), "-1".into()));
    assert_eq!(flags("CLIENT NO-EVICT off", "flags"), "N");
    assert_eq!(flags("SUBSCRIBE a b", "flags"), "P");
    assert_eq!((flags("PSUBSCRIBE c", "sub"), flags("PING", "psub")), ("2".into(), "1".into()));
    assert_eq!(flags("RESET", "flags"), "N");
    assert_ne!(flags("BLPOP l 0", "argv-mem"), "0");
    let id = format!("id={} ", other.id);
    let with = |list: &str| list.contains(&id);
    assert!(session.run("CLIENT LIST").contains(" flags=b "));
    assert!(with(&session.run("CLIENT LIST TYPE normal")) && !with(&session.run("CLIENT LIST TYPE pubsub")));
    session.run("RPUSH l x");
    session.run_as(&mut other, "SUBSCRIBE a");
    assert!(!with(&session.run("CLIENT LIST TYPE normal")) && with(&session.run("CLIENT LIST TYPE pubsub")));
    session.expect(&[("CLIENT LIST TYPE master", "$0 "), ("CLIENT KILL TYPE pubsub", ":1")]);
    let (replica, _) = session.replica("REPLCONF capa psync2");
    let id = format!("id={} ", replica.id);
    for name in ["replica", "slave", "REPLICA"] {
        let told = session.run(&format!("CLIENT LIST TYPE {name}"));
        assert!(told.contains(&id) && !told.contains(" flags=N "), "{name}: {told}");
    }
}

#[test]
fn killing() {
    let mut session = Session::new();
    let id = session.client.id;
    session.expect(&[
        ("CLIENT KILL 1.2.3.4:5", "-ERR No such client"),
        ("CLIENT KILL ID 0", "-ERR client-id should be greater than 0"),
        ("CLIENT KILL ID 99 x", "-ERR syntax error"),
        (&format!("CLIENT KILL ID {id}"), ":0"),
        ("CLIENT KILL USER nosuch", "-ERR No such user 'nosuch'"),
        (&format!("CLIENT KILL ID {id} USER default SKIPME no"), ":1"),
    ]);
    assert_eq!(session.client.closing, Closing::AfterReplies);
    let mut session = Session::new();
    let (mut one, other) = (session.other(), session.other());
    session.run("ACL SETUSER u on nopass +@all");
    assert_eq!(session.run_as(&mut one, "AUTH u x"), "+OK");
    session.expect(&[("CLIENT KILL USER u", ":1")]);
    assert!(session.server.clients.get_same(one).is_none() && session.server.clients.get_same(other).is_some());
}

#[test]
fn of_who_is_killed_nothing_is_left() {
    let mut session = Session::new();
    let mut other = session.other();
    session.run_as(&mut other, "WATCH k");
    session.run_as(&mut other, "SUBSCRIBE c");
    session.expect(&[
        ("PUBSUB NUMSUB c", "*2 $1 c :1"),
        (&format!("CLIENT KILL ID {}", other.id), ":1"),
        ("PUBSUB NUMSUB c", "*2 $1 c :0"),
        ("PUBLISH c m", ":0"),
    ]);
    assert!(session.server.databases.observers.watched.is_empty());
}

#[test]
fn replies_can_be_left_out() {
    Session::new().expect(&[
        ("CLIENT REPLY SKIP", ""),
        ("PING", ""),
        ("PING", "+PONG"),
        ("CLIENT REPLY SKIP", ""),
        ("CLIENT REPLY SKIP", ""),
        ("PING", ""),
        ("PING", "+PONG"),
        ("CLIENT REPLY SKIP", ""),
        ("CLIENT REPLY ON", "+OK"),
        ("PING", "+PONG"),
        ("CLIENT REPLY OFF", ""),
        ("PING", ""),
        ("SUBSCRIBE c", "*3 $9 subscribe $1 c :1"),
        ("UNSUBSCRIBE c", "*3 $11 unsubscribe $1 c :0"),
        ("CLIENT REPLY SKIP", ""),
        ("PING", ""),
        ("PING", ""),
        ("CLIENT REPLY ON", "+OK"),
        ("PING", "+PONG"),
        ("CLIENT REPLY x", "-ERR syntax error"),
    ]);
}

#[test]
fn the_late_reply_of_a_request_that_waits_is_left_out() {
    let mut session = Session::new();
    let mut other = session.other();
    session.run_as(&mut other, "CLIENT REPLY SKIP");
    session.run_as(&mut other, "BLPOP l 0");
    session.expect(&[("RPUSH l a", ":1"), ("EXISTS l", ":0")]);
    assert_eq!(session.received(&mut other), "");
    assert_eq!(session.run_as(&mut other, "PING"), "+PONG");
}

#[test]
fn pausing_writes() {
    let mut session = Session::new();
    session.expect(&[
        ("CLIENT PAUSE x", "-ERR timeout is not an integer or out of range"),
        ("CLIENT PAUSE -1", "-ERR timeout is negative"),
        ("CLIENT PAUSE 1 x", "-ERR CLIENT PAUSE mode must be WRITE or ALL"),
        // It would end after the end of time, and does not begin.
        ("CLIENT PAUSE 9223372036854775807", "+OK"),
        ("DEL k", ":0"),
        ("CLIENT PAUSE 1000 WRITE", "+OK"),
        // The longer one counts.
        ("CLIENT PAUSE 10 WRITE", "+OK"),
        ("GET k", "$-1"),
        ("SET k v", ""),
    ]);
    session.wait(500);
    session.server.end_pause_in_time();
    assert!(session.server.pause.which().is_some());
    assert!(session.client.postponed.is_some());
    session.client.postponed = None;
    // Replicas are told of it.
    session.expect(&[("PUBLISH c m", "")]);
    session.client.postponed = None;
    session.expect(&[("MULTI", "+OK"), ("GET k", "+QUEUED"), ("SET k v", "")]);
    session.client.postponed = None;
    session.expect(&[("EXEC", "*1 $-1"), ("CLIENT UNPAUSE", "+OK"), ("MULTI", "+OK"), ("SET k v", "+QUEUED")]);
    let mut other = session.other();
    assert_eq!(session.run_as(&mut other, "CLIENT PAUSE 1000 WRITE"), "+OK");
    session.expect(&[("EXEC", "")]);
    session.client.postponed = None;
    session.expect(&[("DISCARD", "+OK"), ("CLIENT UNPAUSE", "+OK"), ("SET k v", "+OK")]);
    session.expect(&[("SET e 1 PX 50", "+OK"), ("CLIENT PAUSE 100", "+OK"), ("GET k", "")]);
    session.client.postponed = None;
    session.wait(100);
    session.server.end_pause_in_time();
    session.expect(&[("GET k", "$1 v"), ("EXISTS e", ":0"), ("DBSIZE", ":1")]);
}

#[test]
fn unblocking() {
    let mut session = Session::new();
    let mut other = session.other();
    let id = other.id;
    let error = "-UNBLOCKED client unblocked via CLIENT UNBLOCK";
    for (how, reply) in [("", "*-1"), (" TIMEOUT", "*-1"), (" ERROR", error)] {
        session.run_as(&mut other, "BLPOP k 0");
        session.expect(&[(&format!("CLIENT UNBLOCK {id}{how}"), ":1"), (&format!("CLIENT UNBLOCK {id}"), ":0")]);
        assert_eq!(session.received(&mut other), reply);
    }
    // The error counts as a failure of the command that waited.
    assert!(session.run("INFO errorstats").contains("errorstat_UNBLOCKED:count=1"));
    let stats = session.run("INFO commandstats");
    let of_who_waited = stats.split(' ').find(|line| line.starts_with("cmdstat_blpop:")).unwrap();
    assert!(of_who_waited.contains("rejected_calls=0,failed_calls=1"), "{stats}");
    session.expect(&[
        ("CLIENT UNBLOCK 999", ":0"),
        ("CLIENT UNBLOCK 1 x", "-ERR CLIENT UNBLOCK reason should be TIMEOUT or ERROR"),
    ]);
}

#[test]
fn a_client_may_say_that_it_uses_no_keys_except_with_touch() {
    let mut session = Session::new();
    let mut other = session.other();
    session.expect(&[("SET k v", "+OK"), ("CLIENT NO-TOUCH ON", "+OK")]);
    session.wait(10_000);
    for request in ["GET k", "APPEND k w", "EVAL \"redis.call('get', 'k')\" 0", "MULTI\nGET k\nEXEC"] {
        session.run(request);
        session.expect(&[("OBJECT IDLETIME k", ":10")]);
    }
    session.expect(&[("TOUCH k", ":1"), ("OBJECT IDLETIME k", ":0")]);
    session.wait(10_000);
    session.run("EVAL \"redis.call('touch', 'k')\" 0");
    session.expect(&[("OBJECT IDLETIME k", ":0")]);
    session.wait(10_000);
    session.run_as(&mut other, "GET k");
    session.expect(&[("OBJECT IDLETIME k", ":0")]);
    session.wait(10_000);
    session.expect(&[("CLIENT NO-TOUCH OFF", "+OK"), ("STRLEN k", ":2"), ("OBJECT IDLETIME k", ":0")]);
}

#[test]
fn switches_and_errors() {
    Session::new().expect(&[
        ("CLIENT NO-EVICT on", "+OK"),
        ("CLIENT NO-EVICT x", "-ERR syntax error"),
        ("CLIENT NO-TOUCH off", "+OK"),
        ("CLIENT", "-ERR wrong number of arguments for 'client' command"),
        ("CLIENT SETNAME", "-ERR wrong number of arguments for 'client|setname' command"),
        ("CLIENT NOSUCH", "-ERR unknown subcommand 'NOSUCH'. Try CLIENT HELP."),
    ]);
    assert!(Session::new().run("CLIENT HELP").contains("SETNAME"));
}

#[test]
fn a_library_is_named_with_its_version() {
    let mut session = Session::new();
    session.expect(&[("CLIENT SETINFO lib-name lib", "+OK"), ("CLIENT SETINFO lib-ver 1.2", "+OK")]);
    let line = session.run("CLIENT INFO");
    assert!(line.contains(" lib-name=lib lib-ver=1.2"), "{line}");
}

#[test]
fn clients_of_an_address_of_the_server_are_killed() {
    let mut session = Session::new();
    let at = |peer: &str, local: &str| Some(Box::new((peer.parse().unwrap(), local.parse().unwrap())));
    let (one, other) = (session.other(), session.other());
    session.server.clients.get_same(one).unwrap().announced = at("10.0.0.1:1000", "10.0.0.9:6379");
    session.server.clients.get_same(other).unwrap().announced = at("10.0.0.9:6379", "10.0.0.8:6379");
    session.expect(&[("CLIENT KILL LADDR 10.0.0.1:1000", ":0"), ("CLIENT KILL LADDR 10.0.0.9:6379", ":1")]);
    assert!(session.server.clients.get_same(one).is_none());
    session.expect(&[("CLIENT KILL ADDR 10.0.0.8:6379", ":0"), ("CLIENT KILL 10.0.0.9:6379", "+OK")]);
    assert!(session.server.clients.get_same(other).is_none());
    // The old form spares nobody.
    session.client.announced = at("10.0.0.5:1000", "10.0.0.9:6379");
    session.expect(&[("CLIENT KILL ADDR 10.0.0.5:1000", ":0"), ("CLIENT KILL 10.0.0.5:1000", "+OK")]);
    assert_eq!(session.client.closing, Closing::AfterReplies);
}

#[test]
fn what_kill_and_list_select_is_checked() {
    for filter in ["ID 99", "ADDR a:1", "LADDR a:1", "TYPE normal", "USER default", "SKIPME yes"] {
        let (name, _) = filter.split_once(' ').unwrap();
        let request = format!("CLIENT KILL {filter} {name}");
        Session::new().expect(&[(&request, "-ERR syntax error")]);
    }
    let mut session = Session::new();
    session.expect(&[("CLIENT LIST TYPE normal x", "-ERR syntax error"), ("CLIENT LIST TYPE", "-ERR syntax error")]);
    session.replica("REPLCONF capa psync2");
    session.expect(&[("CLIENT LIST TYPE master", "$0 "), ("CLIENT KILL TYPE master", ":0")]);
}

#[test]
fn who_was_unblocked_waits_no_longer() {
    let mut session = Session::new();
    let mut other = session.other();
    session.run_as(&mut other, "BLPOP l 10");
    session.expect(&[(&format!("CLIENT UNBLOCK {}", other.id), ":1")]);
    assert!(session.run("INFO clients").contains("blocked_clients:0 tracking_clients:0 clients_in_timeout_table:0"));
    session.expect(&[("RPUSH l a", ":1"), ("LLEN l", ":1")]);
    assert_eq!(session.received(&mut other), "*-1");
}

/// It is about the request behind EXEC, and what the transaction says is answered.
#[test]
fn a_transaction_skips_the_reply_behind_it() {
    Session::new().expect(&[
        ("MULTI", "+OK"),
        ("CLIENT REPLY SKIP", "+QUEUED"),
        ("PING", "+QUEUED"),
        ("EXEC", "*2 +PONG"),
        ("PING", ""),
        ("PING", "+PONG"),
    ]);
}

#[test]
fn replies_that_are_off_are_not_on_again_behind_a_skipped_one() {
    Session::new().expect(&[
        ("MULTI", "+OK"),
        ("CLIENT REPLY SKIP", "+QUEUED"),
        ("CLIENT REPLY OFF", "+QUEUED"),
        ("EXEC", "*2"),
        ("PING", ""),
        ("PING", ""),
        ("CLIENT REPLY ON", "+OK"),
        ("PING", "+PONG"),
    ]);
}
