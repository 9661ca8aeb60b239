use super::*;
use crate::testing::Session;

#[test]
fn the_first_overlap_of_prefixes_is_found() {
    let parts: [Box<[u8]>; 6] = ["", "a", "ab", "abc", "b", "ba"].map(|part| part.as_bytes().into());
    for code in 0..6_usize.pow(4) {
        let new: Vec<_> = (0..4).map(|at| parts[code / 6_usize.pow(at) % 6].clone()).collect();
        let expected = (0..4).find(|&at| new[at + 1..].iter().any(|other| overlap(&new[at], other)));
        assert_eq!(without_overlaps(&new).1, expected, "{new:?}");
    }
}

/// Comparing each with each would take hours.
#[test]
fn an_overlap_behind_a_million_prefixes() {
    let mut new: Vec<Box<[u8]>> = (0..1_000_000).map(|at| format!("{at:07}").into_bytes().into()).collect();
    new.push(new[999_999].clone());
    let Err(error) = checked_prefixes(new, &BTreeSet::new()) else { panic!("they overlap") };
    assert!(error.0.starts_with(b"ERR Prefix '0999999' overlaps with another provided prefix '0999999'."));
}

#[test]
fn a_reader_is_told_once() {
    let mut session = Session::new();
    let mut other = session.other();
    session.run_as(&mut other, "HELLO 3");
    session.run_as(&mut other, "CLIENT TRACKING ON");
    session.run_as(&mut other, "MGET a b");
    session.expect(&[("SET a 1", "+OK"), ("SET a 2", "+OK"), ("SET c 1", "+OK")]);
    assert_eq!(session.received(&mut other), ">2 $10 invalidate *1 $1 a");
    session.expect(&[("FLUSHALL", "+OK")]);
    assert_eq!(session.received(&mut other), ">2 $10 invalidate _");
    session.expect(&[("SET b 1", "+OK")]);
    assert_eq!(session.received(&mut other), "");
}

#[test]
fn what_changes_while_nobody_tracks_is_forgotten() {
    let mut session = Session::new();
    session.run("HELLO 3");
    for change in ["SET a 1", "FLUSHALL"] {
        session.expect(&[("CLIENT TRACKING ON", "+OK"), ("GET a", "_"), ("CLIENT TRACKING OFF", "+OK")]);
        assert!(session.run("INFO stats").contains("tracking_total_keys:1 tracking_total_items:1"));
        session.run(change);
        assert!(session.run("INFO stats").contains("tracking_total_keys:0 tracking_total_items:0"));
        assert!(session.server.tracking.is_empty());
        session.expect(&[("CLIENT TRACKING ON", "+OK"), ("SET a 2", "+OK"), ("DEL a", ":1")]);
        session.run("CLIENT TRACKING OFF");
    }
}

#[test]
fn its_own_changes_come_after_the_reply() {
    let mut session = Session::new();
    session.run("HELLO 3");
    session.expect(&[
        ("CLIENT TRACKING ON", "+OK"),
        ("GET a", "_"),
        ("SET a 1", "+OK >2 $10 invalidate *1 $1 a"),
        ("CLIENT TRACKING ON NOLOOP", "+OK"),
        ("GET a", "$1 1"),
        ("SET a 1", "+OK"),
    ]);
}

#[test]
fn what_a_transaction_reads_is_not_what_it_changed_before() {
    let mut session = Session::new();
    session.run("HELLO 3");
    session.expect(&[
        ("CLIENT TRACKING ON", "+OK"),
        ("MULTI", "+OK"),
        ("SET a 1", "+QUEUED"),
        ("GET a", "+QUEUED"),
        ("EXEC", "*2 +OK $1 1"),
        ("SET a 2", "+OK >2 $10 invalidate *1 $1 a"),
    ]);
}

#[test]
fn who_serves_one_that_waits_is_told_what_that_one_changes() {
    for mode in ["CLIENT TRACKING ON", "CLIENT TRACKING ON NOLOOP"] {
        let mut session = Session::new();
        let mut waiting = session.other();
        session.run("HELLO 3");
        session.expect(&[(mode, "+OK"), ("EXISTS to", ":0")]);
        session.run_as(&mut waiting, "BLMOVE from to LEFT LEFT 0");
        session.expect(&[("RPUSH from x", ":1 >2 $10 invalidate *1 $2 to")]);
    }
}

#[test]
fn nobody_is_the_author_of_an_expiry() {
    let mut session = Session::new();
    session.run("HELLO 3");
    session.expect(&[("CLIENT TRACKING ON NOLOOP", "+OK"), ("SET a 1 PX 100", "+OK"), ("GET a", "$1 1")]);
    session.wait(101);
    session.expect(&[("GET a", "_ >2 $10 invalidate *1 $1 a")]);
}

#[test]
fn what_is_evicted_for_a_request_is_told_before_its_reply() {
    let mut session = Session::new();
    session.run("HELLO 3");
    session.expect(&[
        ("CLIENT TRACKING ON", "+OK"),
        ("SET a 1", "+OK"),
        ("GET a", "$1 1"),
        ("CONFIG SET maxmemory-policy allkeys-random maxmemory 1", "+OK"),
        ("PING", ">2 $10 invalidate *1 $1 a +PONG"),
    ]);
    // Nobody asked for that, so NOLOOP makes no difference.
    session.expect(&[
        ("CONFIG SET maxmemory 0", "+OK"),
        ("CLIENT TRACKING ON NOLOOP", "+OK"),
        ("SET a 1", "+OK"),
        ("GET a", "$1 1"),
        ("CONFIG SET maxmemory 1", "+OK"),
        ("PING", ">2 $10 invalidate *1 $1 a +PONG"),
    ]);
}

#[test]
fn what_there_is_no_room_for_is_told_before_the_next_reply() {
    let mut session = Session::new();
    session.run("HELLO 3");
    session.expect(&[
        ("CLIENT TRACKING ON", "+OK"),
        ("MGET a b", "*2 _ _"),
        ("CONFIG SET tracking-table-max-keys 1", "+OK"),
    ]);
    let told = session.run("MULTI");
    assert!([">2 $10 invalidate *1 $1 a +OK", ">2 $10 invalidate *1 $1 b +OK"].contains(&told.as_str()), "{told}");
    session.expect(&[("PING", "+QUEUED")]);
}

#[test]
fn opting_in_and_out() {
    let mut session = Session::new();
    session.run("HELLO 3");
    session.expect(&[
        ("CLIENT TRACKING ON", "+OK"),
        ("CLIENT CACHING YES", "-ERR CLIENT CACHING YES is only valid when tracking is enabled in OPTIN mode."),
        ("CLIENT TRACKING ON OPTIN", "+OK"),
        ("GET a", "_"),
        ("SET a 1", "+OK"),
        ("CLIENT CACHING NO", "-ERR CLIENT CACHING NO is only valid when tracking is enabled in OPTOUT mode."),
        ("CLIENT CACHING YES", "+OK"),
        ("GET a", "$1 1"),
        ("GET b", "_"),
        ("SET b 1", "+OK"),
        ("SET a 1", "+OK >2 $10 invalidate *1 $1 a"),
        ("CLIENT CACHING YES", "+OK"),
        ("NOTHING", "-ERR unknown command 'NOTHING', with args beginning with: "),
        ("GET a", "$1 1"),
        ("SET a 1", "+OK"),
        ("CLIENT CACHING YES", "+OK"),
        ("MULTI", "+OK"),
        ("GET a", "+QUEUED"),
        ("GET b", "+QUEUED"),
        ("EXEC", "*2 $1 1 $1 1"),
        ("MSET a 1 b 1", "+OK >2 $10 invalidate *1 $1 a >2 $10 invalidate *1 $1 b"),
        ("GET a", "$1 1"),
        ("SET a 1", "+OK"),
        ("CLIENT CACHING YES", "+OK"),
        ("CLIENT TRACKING ON OPTIN NOLOOP", "+OK"),
        ("CLIENT TRACKING ON OPTIN", "+OK"),
        ("GET a", "$1 1"),
        ("SET a 1", "+OK >2 $10 invalidate *1 $1 a"),
        ("CLIENT TRACKING OFF", "+OK"),
        ("CLIENT TRACKING ON OPTOUT", "+OK"),
        ("CLIENT CACHING NO", "+OK"),
        ("GET a", "$1 1"),
        ("SET a 1", "+OK"),
        ("GET a", "$1 1"),
        ("SET a 1", "+OK >2 $10 invalidate *1 $1 a"),
    ]);
}

#[test]
fn prefixes_are_told_before_the_loop_sleeps() {
    let mut session = Session::new();
    let mut other = session.other();
    session.run_as(&mut other, "HELLO 3");
    session.run_as(&mut other, "CLIENT TRACKING ON BCAST PREFIX a PREFIX b");
    session.expect(&[("SET a1 1", "+OK"), ("SET c1 1", "+OK"), ("SET a2 1", "+OK")]);
    session.server.tell_broadcasts();
    assert_eq!(session.received(&mut other), ">2 $10 invalidate *2 $2 a1 $2 a2");
}

#[test]
fn keys_read_before_do_not_count_with_prefixes() {
    let mut session = Session::new();
    session.run("HELLO 3");
    session.expect(&[
        ("CLIENT TRACKING ON", "+OK"),
        ("GET a", "_"),
        ("CLIENT TRACKING OFF", "+OK"),
        ("CLIENT TRACKING ON BCAST PREFIX b", "+OK"),
        ("SET a 1", "+OK"),
    ]);
}

#[test]
fn another_client_is_told_in_its_place() {
    let mut session = Session::new();
    let mut other = session.other();
    let id = other.id;
    session.run_as(&mut other, "SUBSCRIBE __redis__:invalidate");
    session.expect(&[
        (&format!("CLIENT TRACKING ON REDIRECT {id}"), "+OK"),
        ("CLIENT GETREDIR", &format!(":{id}")),
        ("GET k", "$-1"),
        ("SET k 1", "+OK"),
    ]);
    assert_eq!(session.received(&mut other), "*3 $7 message $20 __redis__:invalidate *1 $1 k");
    session.run("FLUSHALL");
    assert_eq!(session.received(&mut other), "*3 $7 message $20 __redis__:invalidate $-1");
}

/// With RESP2 it would take that for a reply.
#[test]
fn who_has_not_subscribed_is_told_nothing_in_the_place_of_another() {
    let mut session = Session::new();
    let mut other = session.other();
    session.expect(&[
        (&format!("CLIENT TRACKING ON REDIRECT {}", other.id), "+OK"),
        ("GET k", "$-1"),
        ("SET k 1", "+OK"),
    ]);
    assert_eq!(session.received(&mut other), "");
    session.run_as(&mut other, "HELLO 3");
    session.expect(&[("GET k", "$1 1"), ("SET k 2", "+OK")]);
    assert_eq!(session.received(&mut other), ">2 $10 invalidate *1 $1 k");
}

#[test]
fn whoever_is_told_in_its_place_may_leave() {
    let mut session = Session::new();
    session.run("HELLO 3");
    let other = session.other();
    session.expect(&[(&format!("CLIENT TRACKING ON REDIRECT {}", other.id), "+OK"), ("GET k", "_")]);
    assert!(!session.run("CLIENT TRACKINGINFO").contains("broken_redirect"));
    let mut client = session.server.clients.take_same(other).unwrap();
    session.server.release(&mut client);
    session.expect(&[("SET k 1", &format!("+OK >2 $21 tracking-redir-broken :{}", other.id))]);
    assert!(session.run("CLIENT TRACKINGINFO").contains("broken_redirect"));
}

#[test]
fn wrong_options() {
    Session::new().expect(&[
        ("CLIENT TRACKING x", "-ERR syntax error"),
        ("CLIENT TRACKING ON REDIRECT", "-ERR syntax error"),
        ("CLIENT TRACKING ON BCAST PREFIX", "-ERR syntax error"),
        ("CLIENT TRACKING ON PREFIX a", "-ERR PREFIX option requires BCAST mode to be enabled"),
        ("CLIENT TRACKING ON OPTIN OPTOUT", "-ERR You can't specify both OPTIN mode and OPTOUT mode"),
        ("CLIENT TRACKING ON BCAST OPTIN", "-ERR OPTIN and OPTOUT are not compatible with BCAST"),
        ("CLIENT TRACKING ON REDIRECT 999", "-ERR The client ID you want redirect to does not exist"),
        (
            "CLIENT TRACKING ON BCAST PREFIX ab PREFIX a",
            "-ERR Prefix 'ab' overlaps with another provided prefix 'a'. Prefixes for a single client must not \
             overlap.",
        ),
        ("CLIENT TRACKINGINFO", "*6 $5 flags *1 $3 off $8 redirect :-1 $8 prefixes *0"),
        ("CLIENT TRACKING ON BCAST PREFIX a", "+OK"),
        ("CLIENT TRACKINGINFO", "*6 $5 flags *2 $2 on $5 bcast $8 redirect :0 $8 prefixes *1 $1 a"),
        (
            "CLIENT TRACKING ON BCAST PREFIX b PREFIX a",
            "-ERR Prefix 'a' overlaps with an existing prefix 'a'. Prefixes for a single client must not overlap.",
        ),
        ("CLIENT TRACKING ON BCAST", "+OK"),
        ("CLIENT TRACKINGINFO", "*6 $5 flags *2 $2 on $5 bcast $8 redirect :0 $8 prefixes *2 $0  $1 a"),
    ]);
}

#[test]
fn what_is_said_for_the_next_request_is_told() {
    let info = |flags: &str| format!("*6 $5 flags {flags} $8 redirect :0 $8 prefixes *0");
    for (mode, word, flags, said) in [
        ("OPTIN", "YES", "*2 $2 on $5 optin", "*3 $2 on $5 optin $11 caching-yes"),
        ("OPTOUT", "NO", "*2 $2 on $6 optout", "*3 $2 on $6 optout $10 caching-no"),
    ] {
        Session::new().expect(&[
            (&format!("CLIENT TRACKING ON {mode}"), "+OK"),
            ("CLIENT TRACKINGINFO", &info(flags)),
            (&format!("CLIENT CACHING {word}"), "+OK"),
            // CLIENT itself is not that request.
            ("CLIENT TRACKINGINFO", &info(said)),
            ("PING", "+PONG"),
            ("CLIENT TRACKINGINFO", &info(flags)),
        ]);
    }
}

#[test]
fn modes_that_exclude_one_another() {
    let mut session = Session::new();
    let starts = |session: &mut Session, line: &str, text: &str| {
        let reply = session.run(line);
        assert!(reply.starts_with(text), "{line}: {reply}");
    };
    starts(&mut session, "CLIENT TRACKING ON BCAST OPTOUT", "-ERR OPTIN and OPTOUT are not compatible with BCAST");
    starts(&mut session, "CLIENT TRACKING ON OPTIN OPTOUT", "-ERR You can't specify both OPTIN mode and OPTOUT mode");
    starts(&mut session, "CLIENT TRACKING ON REDIRECT 1 REDIRECT 1", "-ERR A client can only redirect to a single");
    session.expect(&[("CLIENT TRACKING ON OPTIN", "+OK")]);
    starts(&mut session, "CLIENT TRACKING ON OPTOUT", "-ERR You can't switch OPTIN/OPTOUT mode before");
    starts(&mut session, "CLIENT TRACKING ON BCAST", "-ERR You can't switch BCAST mode on/off before");
    session.expect(&[("CLIENT TRACKING OFF", "+OK"), ("CLIENT TRACKING ON BCAST", "+OK")]);
    starts(&mut session, "CLIENT TRACKING ON", "-ERR You can't switch BCAST mode on/off before");
}

#[test]
fn a_prefix_is_forgotten_with_its_last_client() {
    let mut session = Session::new();
    let mut other = session.other();
    let count = |session: &mut Session| session.server.tracking.counts().2;
    session.expect(&[("CLIENT TRACKING ON BCAST PREFIX a", "+OK")]);
    session.run_as(&mut other, "CLIENT TRACKING ON BCAST PREFIX a");
    session.expect(&[("CLIENT TRACKING OFF", "+OK")]);
    assert_eq!(count(&mut session), 1);
    session.run_as(&mut other, "CLIENT TRACKING OFF");
    assert_eq!(count(&mut session), 0);
}

#[test]
fn the_last_who_changes_a_key_is_who_changed_it() {
    let mut session = Session::new();
    let mut tracker = session.other();
    session.run_as(&mut tracker, "HELLO 3");
    session.run_as(&mut tracker, "CLIENT TRACKING ON BCAST NOLOOP");
    session.run_as(&mut tracker, "SET k 1");
    session.run("SET k 2");
    session.run("SET l 2");
    session.run_as(&mut tracker, "SET l 1");
    session.server.tell_broadcasts();
    assert_eq!(session.received(&mut tracker), ">2 $10 invalidate *1 $1 k");
}

#[test]
fn whoever_wants_no_own_changes_is_told_nothing_of_them() {
    let mut session = Session::new();
    let mut other = session.other();
    session.run_as(&mut other, "HELLO 3");
    session.run_as(&mut other, "CLIENT TRACKING ON BCAST NOLOOP");
    assert_eq!(session.run_as(&mut other, "SET k v"), "+OK");
    session.server.tell_broadcasts();
    assert_eq!(session.received(&mut other), "");
    session.run("SET k w");
    session.server.tell_broadcasts();
    assert_eq!(session.received(&mut other), ">2 $10 invalidate *1 $1 k");
}

#[test]
fn options_are_checked_though_tracking_ends() {
    Session::new().expect(&[("CLIENT TRACKING OFF nosuch", "-ERR syntax error"), ("CLIENT TRACKING OFF", "+OK")]);
}

#[test]
fn a_prefix_takes_its_memory_once() {
    let mut session = Session::new();
    session.expect(&[("CLIENT TRACKING ON BCAST", "+OK")]);
    let memory = session.client.memory();
    session.expect(&[("CLIENT TRACKING ON BCAST", "+OK")]);
    assert_eq!(session.client.memory(), memory);
}

/// It would come between the replies of its own transaction.
#[test]
fn whoever_is_told_in_the_place_of_another_is_told_after_its_reply() {
    let mut session = Session::new();
    let (mut reader, mut told) = (session.other(), session.other());
    session.run_as(&mut told, "HELLO 3");
    assert_eq!(session.run_as(&mut reader, &format!("CLIENT TRACKING ON REDIRECT {}", told.id)), "+OK");
    session.run_as(&mut reader, "GET a");
    for request in ["MULTI", "SET a 1", "PUBLISH c m"] {
        session.run_as(&mut told, request);
    }
    assert_eq!(session.run_as(&mut told, "EXEC"), "*2 +OK :0 >2 $10 invalidate *1 $1 a");
}

/// A server that is given less room needs no request to forget.
#[test]
fn keys_beyond_the_limit_are_forgotten_by_and_by() {
    let mut session = Session::new();
    session.run("HELLO 3");
    session.expect(&[("CLIENT TRACKING ON", "+OK"), ("MGET a b c", "*3 _ _ _")]);
    session.server.config.tracking_max_keys = 1;
    session.server.cron();
    assert!(session.server.tracking.excess(1).is_none());
}

#[test]
fn who_is_told_of_prefixes_is_not_remembered_for_what_it_reads() {
    let mut session = Session::new();
    session.run("HELLO 3");
    session.expect(&[("CLIENT TRACKING ON BCAST PREFIX p", "+OK"), ("GET k", "_")]);
    assert_eq!(session.info("tracking_total_keys"), "0");
}
