//! Listening sockets whose connections are given settings of their own. The function that accepts is told nothing but
//! the socket, so a table tells the settings.

#![allow(dead_code)] // Up to redis-7.0 the host accepts.

use super::config::contexts::OwnContext;
use crate::sys::shared::Shared;
use crate::sys::{Errno, fd};
use core::ffi::c_int;
use core::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::collections::BTreeMap;
use std::sync::Arc;

/// By descriptor: which socket it was, and the settings.
type Chosen = BTreeMap<c_int, (fd::Identity, Arc<OwnContext>)>;

static CHOSEN: Shared<Chosen> = Shared::new(BTreeMap::new());
/// Whether the table has ever held something.
static IN_USE: AtomicBool = AtomicBool::new(false);

/// Gives a listening socket its settings, or for None the process's.
pub(crate) fn choose_for_listener(listening: c_int, context: Option<Arc<OwnContext>>) -> Result<(), Errno> {
    let identity = fd::identity(listening)?;
    match context {
        Some(context) => {
            IN_USE.store(true, Relaxed);
            CHOSEN.lock().insert(listening, (identity, context));
        }
        None => _ = CHOSEN.lock().remove(&listening),
    }
    Ok(())
}

/// The settings that a listening socket has been given.
pub(crate) fn of_listener(listening: c_int) -> Option<Arc<OwnContext>> {
    if !IN_USE.load(Relaxed) {
        return None;
    }
    let mut chosen = CHOSEN.lock();
    let (identity, context) = chosen.get(&listening)?;
    if fd::identity(listening).is_ok_and(|now| now == *identity) {
        return Some(context.clone());
    }
    // That socket has been closed; this is another one with its number.
    chosen.remove(&listening);
    None
}
