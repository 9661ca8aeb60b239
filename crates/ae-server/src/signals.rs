//! SIGTERM, SIGINT and SIGUSR2, as events of the loop; SIGHUP and SIGXFSZ, which end nothing.

use crate::serve::serving::Ending;
use ae::{EventLoop, Interest};
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM, SIGUSR2, SIGXFSZ};
use signal_hook::low_level::pipe;
use std::cell::Cell;
use std::io::{self, Read};
use std::os::fd::AsRawFd;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// Calls `end` at SIGTERM, SIGINT or SIGUSR2, until it says whether the server ends; the cell then has the signal's name.
/// The signal handler only writes to a pipe that the loop watches. A second SIGTERM or SIGINT before `end` has returned
/// ends the process at once, for the case that the loop does not get around to it.
///
/// SIGHUP ends nothing, as with Redis: a server outlives the terminal that it was started from. Nor does SIGXFSZ: a file
/// that may not grow is an error of writing like others. SIGPIPE is ignored from the start of any Rust program.
pub fn watch(
    el: &EventLoop,
    end: impl Fn(&EventLoop, Ending) -> Option<bool> + 'static,
) -> io::Result<Rc<Cell<Option<&'static str>>>> {
    // Handlers of which nobody asks whether they ran; to have the system ignore a signal needs unsafe code.
    signal_hook::flag::register(SIGHUP, Arc::default())?;
    signal_hook::flag::register(SIGXFSZ, Arc::default())?;
    let (stopped_by, end) = (Rc::new(Cell::new(None)), Rc::new(end));
    let signals = [
        (SIGTERM, "SIGTERM", Ending::SigTerm),
        (SIGINT, "SIGINT", Ending::SigInt),
        (SIGUSR2, "SIGUSR2", Ending::Restart),
    ];
    for (signal, name, ending) in signals {
        let seen = Arc::new(AtomicBool::new(false));
        if ending != Ending::Restart {
            signal_hook::flag::register_conditional_shutdown(signal, 1, seen.clone())?;
        }
        signal_hook::flag::register(signal, seen.clone())?;
        let (reader, writer) = io::pipe()?;
        pipe::register(signal, writer)?;
        let (stopped_by, end) = (stopped_by.clone(), end.clone());
        el.watch(reader.as_raw_fd(), Interest::READABLE, move |el, _| {
            let Some(ends) = end(el, ending) else { return };
            // Only to empty the pipe; what was written says nothing.
            let _ = (&reader).read(&mut [0; 64]);
            // The next one is not the second.
            seen.store(false, Ordering::Relaxed);
            if ends {
                stopped_by.set(Some(name));
            }
        })?;
    }
    Ok(stopped_by)
}
