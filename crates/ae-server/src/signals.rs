//! SIGTERM and SIGINT, as events of the loop; SIGHUP, which is ignored.

use ae::{EventLoop, Interest};
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::low_level::pipe;
use std::cell::Cell;
use std::io::{self, Read};
use std::os::fd::AsRawFd;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

/// Stops the loop at the first SIGTERM or SIGINT; the cell then has its name. The signal handler only writes to a
/// pipe that the loop watches. A second signal of the kind ends the process at once, for the case that the loop does
/// not get around to it.
///
/// SIGHUP ends nothing, as with Redis: a server outlives the terminal that it was started from. SIGPIPE is ignored from
/// the start of any Rust program.
pub fn watch(el: &EventLoop) -> io::Result<Rc<Cell<Option<&'static str>>>> {
    // A handler of which nobody asks whether it ran; to have the system ignore a signal needs unsafe code.
    signal_hook::flag::register(SIGHUP, Arc::default())?;
    let stopped_by = Rc::new(Cell::new(None));
    for (signal, name) in [(SIGTERM, "SIGTERM"), (SIGINT, "SIGINT")] {
        let seen = Arc::new(AtomicBool::new(false));
        signal_hook::flag::register_conditional_shutdown(signal, 1, seen.clone())?;
        signal_hook::flag::register(signal, seen)?;
        let (reader, writer) = io::pipe()?;
        pipe::register(signal, writer)?;
        let stopped_by = stopped_by.clone();
        el.watch(reader.as_raw_fd(), Interest::READABLE, move |el, _| {
            // Only to empty the pipe; what was written says nothing.
            let _ = (&reader).read(&mut [0; 64]);
            stopped_by.set(Some(name));
            el.stop();
        })?;
    }
    Ok(stopped_by)
}
