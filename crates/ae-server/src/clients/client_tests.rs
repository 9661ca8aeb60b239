//! Tests of what is told of a client.

use super::*;
use crate::acl::users::Users;
use crate::clients::replica::Replica;
use crate::testing::Session;

fn client() -> Client {
    Client::new(1, None, Users::new().default_user(), 1000)
}

/// What the line of CLIENT LIST has under a name.
fn told(client: &Client, name: &str) -> String {
    let line = String::from_utf8(client.describe(61_000, false, 7)).unwrap();
    line.split(' ').find_map(|word| word.strip_prefix(&format!("{name}="))).unwrap_or(&line).into()
}

#[test]
fn every_flag_is_told() {
    let mut client = client();
    assert_eq!(told(&client, "flags"), "N");
    client.replica = Some(Box::new(Replica { phase: Phase::Online, ..Replica::new(0) }));
    client.tracking = Some(Box::new(TrackingMode { broken: true, broadcast: true, ..TrackingMode::default() }));
    client.closing = Closing::AfterReplies;
    client.names_mut().no_evict = true;
    client.names_mut().no_touch = true;
    assert_eq!(told(&client, "flags"), "StRBceT");
    // A monitor is none of the others, although it is sent as much as they are.
    client.monitors = true;
    client.closing = Closing::Now;
    client.executes = Some(2);
    assert_eq!(told(&client, "flags"), "OxtRBAeT");
}

#[test]
fn how_long_it_is_there_and_how_long_it_has_said_nothing() {
    let mut client = client();
    client.last_active = 56_000;
    assert_eq!((told(&client, "age"), told(&client, "idle")), ("60".into(), "5".into()));
}

#[test]
fn requests_that_wait_are_counted() {
    let mut client = client();
    let (before, args) = (client.memory(), OwnedArgs::new(&[b"GET".to_vec(), vec![b'k'; 10_000]]));
    client.postponed = Some(args);
    assert!(client.memory() >= before + 10_000);
    assert!(told(&client, "argv-mem").parse::<usize>().unwrap() >= 10_007);
}

#[test]
fn a_proxy_tells_both_ends() {
    let mut client = client();
    for (from, is_local) in [("[::ffff:127.0.0.1]:5", true), ("[::1]:5", true), ("10.0.0.1:5", false)] {
        client.announced = Some(Box::new((from.parse().unwrap(), "10.0.0.2:6379".parse().unwrap())));
        assert_eq!((client.peer_addr(), client.local_addr()), (from.into(), "10.0.0.2:6379".into()));
        assert_eq!(client.is_local(), is_local, "{from}");
    }
}

#[test]
fn output_that_waits_is_shown() {
    let mut session = Session::new();
    let mut other = session.other();
    session.run_as(&mut other, "SUBSCRIBE c");
    session.received(&mut other);
    let message = "m".repeat(10_000);
    let shown = |session: &mut Session| {
        let list = session.run("CLIENT LIST TYPE pubsub");
        ["obl=", "oll=", "omem="].map(|name| {
            let value = list.split(' ').find_map(|word| word.strip_prefix(name)).unwrap();
            value.parse::<usize>().unwrap()
        })
    };
    session.run(&format!("PUBLISH c {message}"));
    let one = shown(&mut session);
    assert!((10_000..10_100).contains(&one[0]) && one[1..] == [0, 0], "{one:?}");
    for _ in 0..9 {
        session.run(&format!("PUBLISH c {message}"));
    }
    let ten = shown(&mut session);
    assert_eq!(ten, [0, 7, 10 * one[0]]);
}

#[test]
fn what_has_arrived_of_requests_is_told() {
    let mut client = client();
    client.running = 26;
    assert_eq!((told(&client, "qbuf"), told(&client, "qbuf-free")), ("26".into(), "0".into()));
    let mut input = Input::new(resp::RequestParser::new(), &[b'x'; 1000]);
    input.push(b"y");
    client.input = Some(Box::new(input));
    assert_eq!((told(&client, "qbuf"), told(&client, "qbuf-free")), ("1027".into(), "999".into()));
}

#[test]
fn where_a_replica_can_be_reached_has_no_brackets() {
    let mut client = client();
    client.announced = Some(Box::new(("[2001:db8::1]:5".parse().unwrap(), "[::1]:6379".parse().unwrap())));
    assert_eq!(client.replica_ip(), "2001:db8::1");
}

#[test]
fn who_waits_for_others_may_be_idle() {
    for request in ["MONITOR", "SUBSCRIBE c", "PSUBSCRIBE p", "SSUBSCRIBE s", "BLPOP k 0", "PSYNC ? -1", "WAIT 1 0"] {
        let mut session = Session::new();
        assert!(!session.client.may_be_idle());
        session.run(request);
        assert!(session.client.may_be_idle(), "{request}");
    }
    let mut session = Session::new();
    session.expect(&[("CLIENT PAUSE 1000", "+OK"), ("PING", "")]);
    assert!(session.client.waits() && session.client.may_be_idle());
}

#[test]
fn who_is_cut_off_is_told_nothing_more() {
    let mut client = client();
    client.output.bytes.extend(b"+OK");
    client.cut_off();
    assert_eq!((client.output.pending(), client.closing), (0, Closing::Now));
}
