//! `--intrinsic-latency`: how long the system keeps a program waiting that waits for nothing.

use crate::output::{Stop, put};
use crate::session::Session;
use std::hint::black_box;
use std::time::{Duration, Instant};

pub(super) fn run(session: &mut Session, seconds: u64) -> Result<(), Stop> {
    session.watch_interrupts();
    let duration = Duration::from_secs(seconds);
    let begun = Instant::now();
    let (mut runs, mut worst) = (0u64, 0);
    loop {
        let start = Instant::now();
        black_box(work());
        let took = start.elapsed().as_micros();
        runs += 1;
        if took > worst {
            worst = took;
            put(format!("Max latency so far: {worst} microseconds.\n"))?;
        }
        if begun.elapsed() > duration || session.take_interrupt() {
            let average = begun.elapsed().as_secs_f64() * 1e6 / runs as f64;
            return put(format!(
                "\n{runs} total runs (avg latency: {average:.4} microseconds / {:.2} nanoseconds per run).\n\
                 Worst run took {:.0}x longer than the average latency.\n",
                average * 1e3,
                worst as f64 / average
            ));
        }
    }
}

/// Some microseconds of arithmetic.
fn work() -> u64 {
    (0..2_000u64).fold(1, |state, step| black_box(state ^ step).wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(7))
}
