//! No operation on a large keyspace gets or frees much memory at once, counted by the allocator: what is as large as the
//! table, or as the value, is never moved, cleared or given back in one request.

use stats_alloc::{INSTRUMENTED_SYSTEM, Region, StatsAlloc};
use std::alloc::System;
use store::types::hash::Hash;
use store::types::list::{End, List};
use store::types::set::Set;
use store::types::stream::{NewId, Stream};
use store::types::zset::{Score, SortedSet};
use store::{Keyspace, Value};

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

const KEYS: u32 = 100_000;
const ELEMENTS: u32 = 50_000;
/// What one operation may get and free. The list of pages alone comes in pieces of 48 KiB.
const MOST: usize = 96 * 1024;

/// Fails if `operation` gets or frees too much.
fn bounded<T>(what: &str, number: u32, operation: impl FnOnce() -> T) -> T {
    let region = Region::new(ALLOCATOR);
    let result = operation();
    let change = region.change();
    let bytes = change.bytes_allocated.max(change.bytes_deallocated);
    assert!(bytes <= MOST, "{what} {number}: {bytes} bytes at once");
    result
}

fn keyspace_grows_and_shrinks() {
    let mut keyspace = Keyspace::new();
    let key = |number: u32| number.to_le_bytes();
    for number in 0..KEYS {
        bounded("set", number, || match number % 4 {
            0 => _ = keyspace.set(&key(number), Hash::new().into(), false),
            1 => {
                let id = keyspace.set_string(&key(number), b"value", false);
                keyspace.set_deadline(id, i64::from(number.wrapping_mul(2_654_435_769)));
            }
            _ => _ = keyspace.set_string(&key(number), b"value", false),
        });
    }
    let mut cursor = 0;
    for step in 0.. {
        cursor = bounded("scan", step, || keyspace.scan(cursor, |_, _, _| ()));
        if cursor == 0 {
            break;
        }
    }
    for number in 0..KEYS {
        bounded("delete", number, || keyspace.find(&key(number)).map(|id| drop(keyspace.delete(id))));
    }
    assert!(keyspace.is_empty());
}

/// Adds an element with this number.
type Add = fn(&mut Value, &[u8], u32);

fn element_of<K: store::Kind>(value: &mut Value) -> &mut K {
    value.of_mut().expect("is of this type")
}

fn values_grow_and_are_freed() {
    let types: [(&str, Value, Add); 5] = [
        ("list", List::new().into(), |value, text, _| {
            element_of::<List>(value).push(End::Tail, text, Default::default());
        }),
        ("set", Set::new().into(), |value, text, _| _ = element_of::<Set>(value).add(text, &Default::default())),
        ("hash", Hash::new().into(), |value, text, _| {
            element_of::<Hash>(value).set(text, text, &Default::default());
        }),
        ("sorted set", SortedSet::new().into(), |value, text, number| {
            let score = Score::new(f64::from(number.wrapping_mul(2_654_435_769))).expect("is a number");
            element_of::<SortedSet>(value).insert(text, score, &Default::default());
        }),
        ("stream", Stream::default().into(), |value, text, _| {
            let added = element_of::<Stream>(value).log_mut().add(NewId::Auto, 1, &[text, text], &Default::default());
            assert!(added.is_ok());
        }),
    ];
    for (what, mut value, add) in types {
        for number in 0..ELEMENTS {
            let text = format!("an element that is not short: {number}");
            bounded(what, number, || add(&mut value, text.as_bytes(), number));
        }
        assert_eq!(value.elements(), ELEMENTS as usize);
        // In slices as a server frees them; the last one with what is left of the value itself.
        let mut slices = 0;
        while bounded(what, slices, || value.free_some(8)) {
            slices += 1;
        }
        assert!(slices > 20, "{what}: {slices} slices");
        bounded(what, slices, || drop(value));
    }
}

// One test, since the allocator counts what all threads do.
#[test]
fn no_operation_pays_for_all() {
    keyspace_grows_and_shrinks();
    values_grow_and_are_freed();
}
