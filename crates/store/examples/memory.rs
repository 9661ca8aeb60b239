//! What keys take in memory, and how much work the longest operation is while a keyspace grows and shrinks.
//!
//! `cargo run --release -p store --example memory [KEYS [ttl]]`; a process measures one case, since memory that was used
//! before may be used again.

use nix::time::{ClockId, clock_gettime};
use std::fs;
use std::time::Duration;
use store::Keyspace;

const VALUE: &[u8; 16] = b"sixteen bytes...";
const FIRST_DEADLINE: i64 = 1_800_000_000_000;

/// Resident memory of this process, in bytes.
fn resident() -> usize {
    let status = fs::read_to_string("/proc/self/statm").unwrap_or_default();
    let pages: usize = status.split(' ').nth(1).and_then(|pages| pages.parse().ok()).unwrap_or_default();
    pages * 4096
}

/// The processor time of this thread, which others on the machine do not change.
fn time() -> Duration {
    clock_gettime(ClockId::CLOCK_THREAD_CPUTIME_ID).map(Duration::from).unwrap_or_default()
}

/// How often an operation took up to so long, by powers of two of microseconds.
#[derive(Default)]
struct Histogram {
    counts: [u64; 32],
    longest: Duration,
    sum: Duration,
}

impl Histogram {
    fn time<T>(&mut self, operation: impl FnOnce() -> T) -> T {
        let start = time();
        let result = operation();
        let taken = time().saturating_sub(start);
        self.counts[(taken.as_micros() as u32 + 1).ilog2() as usize] += 1;
        self.longest = self.longest.max(taken);
        self.sum += taken;
        result
    }

    fn print(&self, what: &str) {
        let operations = self.counts.iter().sum::<u64>().max(1);
        let mean = self.sum.as_nanos() as u64 / operations;
        println!("{what}: {operations} operations, {mean} ns each with the clock, the longest {:?}", self.longest);
        for (power, count) in self.counts.iter().enumerate().filter(|(_, count)| **count > 0) {
            println!("  up to {:>6} us: {count}", (1u64 << (power + 1)) - 1);
        }
    }
}

fn key(number: u64) -> Vec<u8> {
    format!("key:{number:012}").into_bytes()
}

fn set(keyspace: &mut Keyspace, number: u64, key: &[u8], ttl: bool) {
    let id = keyspace.set_string(key, VALUE, false);
    if ttl {
        keyspace.set_deadline(id, FIRST_DEADLINE + number as i64 / 100);
    }
}

fn timed(what: &str, numbers: impl Iterator<Item = u64>, mut operation: impl FnMut(u64, &[u8])) {
    let mut times = Histogram::default();
    for number in numbers {
        let key = key(number);
        times.time(|| operation(number, &key));
    }
    times.print(what);
}

fn main() {
    let mut args = std::env::args().skip(1);
    let keys: u64 = args.next().and_then(|text| text.parse().ok()).unwrap_or(1_000_000);
    let ttl = args.next().is_some_and(|text| text == "ttl");
    let before = resident();
    let per_key = || (resident() as f64 - before as f64) / keys as f64;
    let mut keyspace = Keyspace::new();
    timed("set", 0..keys, |number, key| set(&mut keyspace, number, key, ttl));
    let (table, deadlines) = keyspace.allocated();
    let each = |bytes: usize| bytes as f64 / keys as f64;
    println!(
        "{:.1} bytes a key resident; allocated {:.1}, and {:.1} for deadlines",
        per_key(),
        each(table),
        each(deadlines)
    );
    let scattered = (0..keys).map(|number| number.wrapping_mul(7_368_787) % keys);
    timed("get", scattered, |_, key| _ = keyspace.find(key).and_then(|id| keyspace.value(id)).is_some());
    timed("set again", 0..keys, |number, key| set(&mut keyspace, number, key, ttl));
    let half = (0..keys).filter(|number| number.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 63 == 0);
    timed("delete half", half, |_, key| _ = keyspace.find(key).and_then(|id| keyspace.delete(id)));
    timed("fill up", 0..keys, |number, key| set(&mut keyspace, number, key, ttl));
    println!("{:.1} bytes a key resident", per_key());
    timed("delete all", 0..keys, |_, key| _ = keyspace.find(key).and_then(|id| keyspace.delete(id)));
    println!("{:.1} bytes a key resident", per_key());
    timed("set", 0..keys, |number, key| set(&mut keyspace, number, key, ttl));
    let mut times = Histogram::default();
    let old = times.time(|| keyspace.take());
    times.print("take all");
    let mut times = Histogram::default();
    times.time(|| drop(old));
    times.print("drop all");
}
