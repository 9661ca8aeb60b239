//! Another program in the place of this process's, with the listening sockets: the other side of
//! [`super::inherited()`].

use super::is_listening;
use crate::abi::embedding::LIBAE_LISTEN_FDS_START as FIRST;
use crate::sys::signal::ForAnotherProgram;
use crate::sys::{Errno, env, fd};
use core::ffi::c_int;
use core::ops::Range;
use std::os::unix::process::CommandExt;
use std::process::Command;

/// Runs a command in the place of this process's program, with these sockets. Returns only if that fails, and then
/// everything is as before, except what the command itself changes: `EINVAL` for a socket that does not listen, or why
/// the command cannot be run.
pub(crate) fn exec_with_listeners(command: &mut Command, sockets: &[c_int]) -> Errno {
    let places = match Places::take(sockets) {
        Ok(places) => places,
        Err(errno) => return errno,
    };
    command.env("LISTEN_FDS", sockets.len().to_string()).env("LISTEN_PID", env::process_id().to_string());
    let signals = match ForAnotherProgram::new() {
        Ok(signals) => signals,
        Err(errno) => return errno,
    };
    let error = command.env_remove("LISTEN_FDNAMES").exec();
    drop(signals);
    drop(places);
    error.raw_os_error().map_or(Errno::EINVAL, Errno::from_raw)
}

/// Sockets where the next program looks for them. When it is dropped, that is again what it was.
struct Places {
    descriptors: Range<c_int>,
    /// A copy of what was there, with its flags.
    before: Vec<Option<(c_int, c_int)>>,
}

impl Places {
    fn take(sockets: &[c_int]) -> Result<Places, Errno> {
        let end =
            c_int::try_from(sockets.len()).ok().and_then(|count| FIRST.checked_add(count)).ok_or(Errno::EINVAL)?;
        for socket in sockets {
            if !is_listening(*socket)? {
                return Err(Errno::EINVAL);
            }
        }
        let mut places = Places { descriptors: FIRST..end, before: Vec::with_capacity(sockets.len()) };
        // One of the sockets may be where another one is to be.
        let copies = Copies::of(sockets, end)?;
        for (place, copy) in (FIRST..end).zip(&copies.0) {
            let before = match fd::descriptor_flags(place) {
                Ok(flags) => Some((fd::duplicate(place, end)?, flags)),
                Err(_) => None,
            };
            places.before.push(before);
            fd::duplicate_to(*copy, place)?;
        }
        Ok(places)
    }
}

impl Drop for Places {
    fn drop(&mut self) {
        // None of it can fail: every descriptor is open.
        for (place, before) in self.descriptors.clone().zip(&self.before) {
            let _ = match before {
                Some((copy, flags)) => fd::duplicate_to(*copy, place)
                    .and_then(|()| fd::set_descriptor_flags(place, *flags))
                    .and_then(|()| fd::close(*copy)),
                None => fd::close(place),
            };
        }
    }
}

/// Copies of descriptors, closed when they are dropped.
struct Copies(Vec<c_int>);

impl Copies {
    fn of(descriptors: &[c_int], least: c_int) -> Result<Copies, Errno> {
        let mut copies = Copies(Vec::with_capacity(descriptors.len()));
        for descriptor in descriptors {
            copies.0.push(fd::duplicate(*descriptor, least)?);
        }
        Ok(copies)
    }
}

impl Drop for Copies {
    fn drop(&mut self) {
        // They are gone whatever it answers.
        self.0.iter().for_each(|copy| _ = fd::close(*copy));
    }
}
