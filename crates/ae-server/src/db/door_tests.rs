use super::*;
use crate::config::events::Events;
use store::types::set::{Limits, Set};

const KEY: &[u8] = b"k";

/// A database with all notifications on.
fn databases() -> Databases {
    let mut databases = Databases::new(2, 1);
    databases.observers.set_events(Events::parse(b"KEAnm").unwrap());
    databases
}

/// The events since the last call.
fn events(databases: &mut Databases) -> Vec<&'static str> {
    databases.observers.notices.drain(..).map(|notice| notice.event.name).collect()
}

fn add(databases: &mut Databases, member: &[u8]) -> bool {
    let mut set = databases.db(0, 0).edit_or_create::<Set>(KEY, Event::set("sadd")).unwrap();
    let added = set.add(member, &Limits::default());
    set.changes(added.into());
    added
}

fn remove(databases: &mut Databases, member: &[u8]) {
    let mut set = databases.db(0, 0).edit::<Set>(KEY, Event::set("srem")).unwrap().unwrap();
    let removed = set.remove(member);
    set.changes(removed.into());
}

#[test]
fn a_collection_comes_and_goes_with_its_members() {
    let mut databases = databases();
    assert!(add(&mut databases, b"a"));
    assert_eq!(events(&mut databases), ["new", "sadd"]);
    assert!(!add(&mut databases, b"a"));
    remove(&mut databases, b"x");
    assert_eq!((events(&mut databases), databases.dirty), (vec![], 1));
    remove(&mut databases, b"a");
    assert_eq!(events(&mut databases), ["srem", "del"]);
    assert_eq!((databases[0].len(), databases.dirty), (0, 2));
}

#[test]
fn what_is_created_and_not_changed_goes_again() {
    let mut databases = databases();
    drop(databases.db(0, 0).edit_or_create::<Set>(KEY, Event::set("sadd")).unwrap());
    drop(databases.db(0, 0).edit_or_create::<store::StringValue>(KEY, Event::SET).unwrap());
    assert_eq!((events(&mut databases), databases[0].len(), databases.dirty), (vec![], 0, 0));
}

#[test]
fn an_edit_that_says_nothing_counts_as_one_change() {
    let mut databases = databases();
    let mut set = databases.db(0, 0).edit_or_create::<Set>(KEY, Event::set("sadd")).unwrap();
    set.add(b"a", &Limits::default());
    drop(set);
    assert_eq!((events(&mut databases), databases.dirty), (vec!["new", "sadd"], 1));
}

#[test]
fn an_edit_can_be_told_without_a_count() {
    let mut databases = databases();
    let mut set = databases.db(0, 0).edit_or_create::<Set>(KEY, Event::set("sadd")).unwrap();
    set.add(b"a", &Limits::default());
    set.told(0);
    drop(set);
    assert_eq!((events(&mut databases), databases.dirty), (vec!["new", "sadd"], 0));
}

#[test]
fn watchers_and_those_who_wait_learn_of_every_change() {
    type Change = fn(&mut Databases);
    let changes: [(&str, Change); 8] = [
        ("set", |databases| databases.db(0, 0).set_string(KEY, b"", Ttl::Clear, Event::SET)),
        ("edit", |databases| _ = add(databases, b"b")),
        ("remove", |databases| _ = databases.db(0, 0).remove(KEY, Event::DEL)),
        ("deadline", |databases| _ = databases.db(0, 0).set_deadline(KEY, 5)),
        ("expired", |databases| _ = databases.db(0, 1000).exists(KEY)),
        ("rename", |databases| databases.db(0, 0).rename(KEY, b"other")),
        ("flush", |databases| _ = databases.take()),
        ("swap", |databases| databases.db(1, 0).swap(0)),
    ];
    for (name, change) in changes {
        let mut databases = databases();
        add(&mut databases, b"a");
        databases.db(0, 0).set_deadline(KEY, 100);
        let version = databases.observers.watched.watch(0, KEY);
        let client = crate::clients::client::ClientRef { fd: 1, id: 1 };
        databases.observers.waiting.add(0, KEY, 1, client, false);
        change(&mut databases);
        assert_ne!(databases.observers.watched.version(0, KEY), version, "{name}");
        assert!(databases.observers.waiting.has_ready(), "{name}");
    }
}

#[test]
fn expired_keys_are_not_there() {
    let mut databases = databases();
    add(&mut databases, b"a");
    databases.db(0, 0).set_deadline(KEY, 100);
    events(&mut databases);
    assert!(databases.db(0, 101).read::<Set>(KEY).unwrap().is_none());
    assert_eq!(events(&mut databases), ["expired", "keymiss"]);
    assert_eq!((databases.stats.expired, databases.stats.misses), (1, 1));
}

#[test]
fn another_type_is_told() {
    let mut databases = databases();
    databases.db(0, 0).set_string(KEY, b"", Ttl::Clear, Event::SET);
    assert_eq!(databases.db(0, 0).read::<Set>(KEY).err(), Some(WrongType));
    assert!(databases.db(0, 0).edit_or_create::<Set>(KEY, Event::SET).is_err());
}

#[test]
fn moving_takes_the_deadline_along() {
    let mut databases = databases();
    databases.db(0, 0).set_string(KEY, b"v", Ttl::At(50), Event::SET);
    databases.db(0, 0).move_to(KEY, 1);
    assert_eq!(databases.db(0, 0).deadline(KEY), None);
    assert_eq!(databases.db(1, 0).deadline(KEY), Some(Some(50)));
    assert_eq!(events(&mut databases), ["new", "set", "expire", "new", "move_from", "move_to"]);
    assert_eq!(databases.dirty, 2);
}

#[test]
fn what_comes_from_elsewhere_replaces_what_was_there() {
    let mut databases = databases();
    databases.db(0, 0).set_string(KEY, b"v", Ttl::At(50), Event::SET);
    databases.db(1, 0).set_string(b"old", b"x", Ttl::At(70), Event::SET);
    events(&mut databases);
    databases.db(0, 0).copy_to(KEY, 1, b"old");
    assert_eq!(databases.db(0, 0).deadline(KEY), Some(Some(50)));
    assert_eq!(databases.db(1, 0).deadline(b"old"), Some(Some(50)));
    assert_eq!(events(&mut databases), ["new", "copy_to"]);
    databases.db(1, 0).restore(b"old", store::StringValue::new(b"y").into(), None);
    assert_eq!(databases.db(1, 0).deadline(b"old"), Some(None));
    assert_eq!(events(&mut databases), ["new", "restore"]);
    assert_eq!(databases.dirty, 4);
}

#[test]
fn large_values_are_freed_later() {
    let large = || {
        let mut set = Set::new();
        (0..2000).for_each(|i: u32| _ = set.add(&i.to_le_bytes(), &Limits::default()));
        set
    };
    let removals: [fn(&mut Databases); 5] = [
        |databases| _ = databases.db(0, 0).remove(KEY, Event::DEL),
        |databases| databases.db(0, 0).set_string(KEY, b"", Ttl::Clear, Event::SET),
        |databases| databases.db(0, 0).set(KEY, Set::new(), Ttl::Clear, Event::SET),
        |databases| _ = databases.db(0, 101).exists(KEY),
        |databases| {
            databases.db(0, 0).set_string(b"other", b"", Ttl::Clear, Event::SET);
            databases.db(0, 0).rename(b"other", KEY);
        },
    ];
    for removal in removals {
        let mut databases = databases();
        databases.db(0, 0).set(KEY, large(), Ttl::At(100), Event::SET);
        removal(&mut databases);
        assert_eq!(databases.garbage.len(), 1);
        while databases.garbage.free() {}
        assert_eq!(databases.garbage.len(), 0);
    }
}

#[test]
fn an_edit_may_concern_some_alone() {
    use crate::clients::client::ClientRef;
    use crate::db::edit::Audience;

    let mut databases = databases();
    add(&mut databases, b"a");
    databases.observers.waiting.add(0, KEY, 1, ClientRef { fd: 1, id: 1 }, false);
    let mut version = databases.observers.watched.watch(0, KEY);
    for (member, audience, waiting, watching) in [
        (b"b", Audience::Nobody, false, false),
        (b"c", Audience::Waiting, true, false),
        (b"d", Audience::Watching, false, true),
        (b"e", Audience::All, true, true),
    ] {
        let mut set = databases.db(0, 0).edit::<Set>(KEY, Event::set("sadd")).unwrap().unwrap();
        set.set_audience(audience);
        set.add(member, &Limits::default());
        drop(set);
        assert_eq!(databases.observers.waiting.next_ready().is_some(), waiting, "{audience:?}");
        let before = std::mem::replace(&mut version, databases.observers.watched.version(0, KEY));
        assert_eq!(version != before, watching, "{audience:?}");
    }
    assert_eq!(databases.dirty, 5);
    // A new key concerns all.
    databases.observers.waiting.add(0, b"new", 2, ClientRef { fd: 1, id: 1 }, false);
    let mut set = databases.db(0, 0).edit_or_create::<Set>(b"new", Event::set("sadd")).unwrap();
    set.set_audience(Audience::Nobody);
    set.add(b"a", &Limits::default());
    drop(set);
    assert!(databases.observers.waiting.next_ready().is_some());
}

#[test]
fn a_new_key_is_announced_before_anything_that_happens_to_it() {
    let mut databases = databases();
    let mut set = databases.db(0, 0).edit_or_create::<Set>(KEY, Event::set("srem")).unwrap();
    set.add(b"a", &Limits::default());
    set.also(Event::set("sadd"));
    drop(set);
    assert_eq!(events(&mut databases), ["new", "sadd", "srem"]);
}

#[test]
fn nothing_goes_by_itself_while_everything_is_frozen() {
    let mut databases = databases();
    for key in [b"a", b"b"] {
        databases.db(0, 0).set_string(key, b"v", Ttl::At(10), Event::SET);
    }
    events(&mut databases);
    databases.frozen = true;
    assert!(!databases.db(0, 20).exists(b"a"));
    assert!(databases.db(0, 20).random_key().is_some());
    databases.db(0, 20).scan(0, |_, value| value.is_none());
    assert_eq!((databases[0].len(), databases.stats.expired), (2, 0));
    databases.frozen = false;
    assert!(!databases.db(0, 20).exists(b"a"));
    assert_eq!((databases[0].len(), events(&mut databases)), (1, vec!["expired"]));
}

#[test]
fn a_key_is_there_until_the_millisecond_of_its_deadline_is_over() {
    let mut databases = databases();
    databases.db(0, 0).set_string(KEY, b"v", Ttl::At(50), Event::SET);
    assert_eq!(databases.db(0, 50).keys().count(), 1);
    assert_eq!(databases.db(0, 51).keys().count(), 0);
    let mut seen = Vec::new();
    databases.db(0, 51).scan(0, |_, value| {
        seen.push(value.is_some());
        false
    });
    assert_eq!(seen, [false]);
    assert!(databases.db(0, 50).random_key().is_some());
    assert!(databases.db(0, 51).random_key().is_none());
}

#[test]
fn what_takes_the_place_of_an_expired_key_is_all_that_is_told() {
    let mut databases = databases();
    databases.db(0, 0).set_string(KEY, b"v", Ttl::At(50), Event::SET);
    events(&mut databases);
    databases.db(0, 100).restore(KEY, store::StringValue::new(b"y").into(), Some(200));
    assert_eq!(events(&mut databases), ["new", "restore"]);
    databases.db(0, 200).store(KEY, Set::new(), Event::set("sinterstore"));
    assert_eq!((events(&mut databases), databases[0].len()), (vec!["del"], 0));
}

#[test]
fn a_replica_picks_no_expired_key_while_there_are_others() {
    let mut databases = databases();
    databases.expiry = Expiry::Hides;
    databases.db(0, 0).set_string(KEY, b"v", Ttl::At(50), Event::SET);
    databases.db(0, 0).set_string(b"live", b"v", Ttl::Clear, Event::SET);
    for _ in 0..20 {
        assert_eq!(databases.db(0, 51).random_key(), Some(&b"live"[..]));
    }
    assert_eq!(databases[0].len(), 2);
}

#[test]
fn questions_about_a_key_are_misses_that_nobody_is_told_of() {
    let mut databases = databases();
    assert_eq!((databases.db(0, 0).idle_time(KEY), databases.db(0, 0).frequency(KEY)), (None, None));
    assert!(databases.db(0, 0).inspect(KEY).is_none());
    assert_eq!((events(&mut databases), databases.stats.misses), (vec![], 3));
    assert!(databases.db(0, 0).look_at(KEY).is_none());
    assert_eq!((events(&mut databases), databases.stats.misses), (vec!["keymiss"], 4));
    assert_eq!(databases.db(0, 0).read_deadline(KEY), None);
    assert_eq!((events(&mut databases), databases.stats.misses), (vec!["keymiss"], 5));
    databases.db(0, 0).set_string(KEY, b"v", Ttl::Clear, Event::SET);
    databases.db(0, 0).set_string(KEY, b"w", Ttl::Clear, Event::SET);
    assert_eq!(events(&mut databases), ["new", "set", "set"]);
}

#[test]
fn arithmetic_on_a_key_that_a_replica_hides_begins_anew() {
    let mut databases = databases();
    databases.db(0, 0).set_string(KEY, b"5", Ttl::At(100), Event::SET);
    databases.expiry = Expiry::Hides;
    let result = databases.db(0, 200).set_integer::<WrongType>(KEY, Event::SET, |before| {
        assert!(before.is_none());
        Ok(1)
    });
    assert_eq!((result, databases.db(0, 200).deadline(KEY)), (Ok(1), Some(None)));
}
