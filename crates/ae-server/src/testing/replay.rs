//! What is told does elsewhere what was done here: random programs run in one session, what they tell in another, and
//! both have the same data then.

use super::player::Player;
use super::programs::{Choice, Program, Step, Words, programs, requests, shown};
use super::session::Session;
use crate::config::choices::Policy;
use crate::observe::digest::Digest;
use crate::server::propagation::Framing;
use crate::server::state::Server;
use std::collections::BTreeMap;
use store::types::stream::{Id, Stream};
use store::{ValueRef, has_expired};

/// Every key that has not expired: what it holds, its deadline, and what the digest of a stream leaves out.
type State = BTreeMap<(usize, Vec<u8>), (Digest, Option<i64>, String)>;

fn state(server: &Server, now: i64) -> State {
    let mut found = State::new();
    for (db, keyspace) in server.databases.iter().enumerate() {
        for (key, deadline) in keyspace.iter().filter(|(_, deadline)| deadline.is_none_or(|at| !has_expired(at, now))) {
            let value = keyspace.find(key).and_then(|id| keyspace.value(id)).unwrap();
            let more = if let ValueRef::Stream(stream) = value { details(stream) } else { String::new() };
            found.insert((db, key.to_vec()), (Digest::of_value(Some((value, false))), deadline, more));
        }
    }
    found
}

/// As in Redis 7.0, nobody is told how often and when a consumer has read what it had got before, that it came and got
/// nothing, and how many entries a group has read.
fn details(stream: &Stream) -> String {
    let log = stream.log();
    let mut text = format!("{} {} {}", log.last_id(), log.entries_added(), log.max_deleted_id());
    for (name, group) in stream.groups() {
        text += &format!("; {} {}", name.escape_ascii(), group.last_id());
        for (id, pending) in group.pending_range(Id::MIN, Id::MAX) {
            let consumer = group.consumer(pending.consumer).unwrap().name().escape_ascii();
            text += &format!(" {id}={consumer}");
        }
    }
    text
}

/// Whether a request means the same to every server, although it changes no data.
fn is_setting(words: &Words) -> bool {
    words[0] == b"CONFIG"
}

/// The first step after which the data are not the same. They are compared after so many steps each time.
fn difference(program: &Program, number: usize, interval: usize) -> Option<String> {
    let mut player = Player::new();
    let mut other = Session::new();
    other.client.is_log = true;
    other.run("DEBUG SET-ACTIVE-EXPIRE 0");
    // What is told must not depend on when it is run: to every second one it is always 1970.
    let lives_in_the_past = number % 2 == 1;
    for (at, step) in program.steps.iter().enumerate() {
        player.play(step);
        if at % 40 == 39 {
            let server = &mut player.session.server;
            if let Some(evicted) = server.databases.evict_one(Policy::AllkeysRandom, 5, server.now) {
                server.databases.tell_evicted(evicted);
            }
            server.propagate(Framing::Separate);
        }
        other.server.now = if lives_in_the_past { 1 } else { player.session.server.now };
        if let Step::Run(_, requests) = step {
            requests.iter().filter(|words| is_setting(words)).for_each(|words| _ = other.request(words));
        }
        let log = std::mem::take(&mut player.session.server.streams.log.bytes);
        player.session.server.streams.replicas.bytes.clear();
        let told: Vec<Words> = requests(&log);
        let refused = told.iter().find_map(|words| {
            let reply = other.request(words);
            reply.starts_with(b"-").then(|| String::from_utf8_lossy(&reply).into_owned())
        });
        if refused.is_none() && (at + 1) % interval != 0 && at + 1 != program.steps.len() {
            continue;
        }
        let now = player.session.server.now;
        let (ours, theirs) = (state(&player.session.server, now), state(&other.server, now));
        if refused.is_some() || ours != theirs {
            let changed: Vec<_> = ours.iter().filter(|(key, value)| theirs.get(key) != Some(value)).collect();
            let more: Vec<_> = theirs.iter().filter(|(key, value)| ours.get(key) != Some(value)).collect();
            let told: String = told.iter().map(|words| format!("\n    {}", shown(words))).collect();
            let (name, step) = (&program.name, step.text());
            return Some(format!(
                "program {name}, step {at}:{step}\n  told:{told}\n  refused: {refused:?}\n  here: {changed:?}\n  there: {more:?}"
            ));
        }
    }
    None
}

#[test]
fn what_is_told_makes_the_same_data_elsewhere() {
    let choice = Choice { programs: 12, steps: 250, without: "" };
    let Some(programs) = programs(&choice) else { return };
    let found = programs.iter().enumerate().filter_map(|(number, program)| {
        let roughly = difference(program, number, 50);
        // Which step it is, if it is not by chance.
        roughly.map(|found| difference(program, number, 1).unwrap_or(found))
    });
    let found: Vec<String> = found.collect();
    let count = found.len();
    assert!(found.is_empty(), "{count} of {} programs differ:\n{}", programs.len(), found.join("\n\n"));
}
