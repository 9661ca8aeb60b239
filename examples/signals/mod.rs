//! Signals as events of the loop: each writes to a pipe, which the loop watches.

use ae::{EventLoop, Interest};
use signal_hook::low_level::pipe;
use std::io::{self, Read};
use std::os::fd::AsRawFd;
use std::rc::Rc;

/// Has `callback` called by the loop for each of the signals that arrives.
pub fn watch(el: &EventLoop, signals: &[i32], callback: impl Fn(&EventLoop, i32) + 'static) -> io::Result<()> {
    let callback = Rc::new(callback);
    for &signal in signals {
        let (reader, writer) = io::pipe()?;
        pipe::register(signal, writer)?;
        let callback = callback.clone();
        // The closure owns the pipe's end, so it stays open as long as it is watched.
        el.watch(reader.as_raw_fd(), Interest::READABLE, move |el, _| {
            let _ = (&reader).read(&mut [0; 64]);
            callback(el, signal);
        })?;
    }
    Ok(())
}
