//! A task that runs at fixed times, and signals that arrive as events: SIGHUP begins to count again, SIGINT and SIGTERM
//! end the program.
//!
//!     cargo run --example periodic -- 1000        milliseconds between two runs

mod signals;

use ae::{EventLoop, Next};
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use std::cell::Cell;
use std::error::Error;
use std::rc::Rc;
use std::time::{Duration, Instant};

fn main() -> Result<(), Box<dyn Error>> {
    let interval = std::env::args().nth(1).and_then(|text| text.parse().ok()).filter(|&number| number > 0);
    let interval = Duration::from_millis(interval.ok_or("usage: periodic MILLISECONDS")?);
    let el = EventLoop::new(64)?;
    let runs = Rc::new(Cell::new(0));

    // The loop counts from the end of the call. Counting from when the call was due keeps the task from drifting; runs
    // that were missed, as on a suspended machine, are left out.
    let mut due = Instant::now() + interval;
    let counted = runs.clone();
    el.add_timer(interval, move |_| {
        counted.set(counted.get() + 1);
        println!("run {}", counted.get());
        let now = Instant::now();
        while due <= now {
            due += interval;
        }
        Next::After(due - now)
    })?;

    signals::watch(&el, &[SIGHUP, SIGINT, SIGTERM], move |el, signal| {
        if signal == SIGHUP {
            println!("counting again");
            runs.set(0);
        } else {
            println!("stopped after {} runs", runs.get());
            el.stop();
        }
    })?;
    el.run()?;
    Ok(())
}
