//! The event loop: create, run, delete.
//!
//! The repr(C) structs of [`crate::abi::ae`] are the storage. What is ours alone is `State`, behind `apidata`.
//! Everything starts from a [`Loop`], the handle of a live loop. The rule of this module: no reference to a part of a
//! loop, to a slot or to a timer is alive while a callback runs, since a callback may change or free any of them; every
//! access afterwards starts from the handle again. So the parts come from unsafe functions, which say for how long.
//!
//! Callbacks may be left by `longjmp`, by an exception or by the end of their thread. No destructor runs then in what
//! has called them, which is built with `panic = "abort"`: `nesting` puts right what is left behind.

mod backend;
mod calls;
mod children;
mod dispatch;
mod embedding;
mod file_events;
mod handle;
mod interest;
#[cfg(feature = "tls")]
mod library_timer;
mod lifecycle;
mod looks;
mod nesting;
mod pauses;
mod polling;
mod polls;
mod priority;
mod requests;
mod resolver;
mod run;
mod signals;
mod slots;
mod state;
mod threads;
mod timers;
mod wait;
mod waking;

pub(crate) use children::{create_child_event, delete_child_event};
pub(crate) use embedding::{descriptor, timeout};
pub(crate) use file_events::{create_file_event, delete_file_event, file_event};
pub(crate) use handle::Loop;
#[cfg(feature = "tls")]
pub(crate) use library_timer::LibraryTimer;
pub(crate) use lifecycle::{create, default_backend_name, delete, resize};
pub(crate) use pauses::pause_readable;
pub(crate) use polling::set_stops_when_idle;
#[cfg(abi_valkey)]
pub(crate) use polling::{poll, set_protected};
#[cfg(feature = "tls")]
pub(crate) use requests::keep_alone;
pub(crate) use requests::{Asker, Request, cancel, give_back, keep, resolve};
pub(crate) use resolver::Outcome;
pub(crate) use run::{process_events, run};
pub(crate) use signals::{create_signal_event, delete_signal_event};
#[cfg(feature = "tls")]
pub(crate) use threads::is_used_here;
#[allow(unused_imports)] // Some profiles' listeners ask which loop is watching.
pub(crate) use threads::{LoopId, newest, note_user, thread, watching, with_loop};
pub(crate) use timers::{
    create_periodic_time_event, create_time_event, delete_time_event, delete_time_events, reset_time_event,
};
pub(crate) use wait::wait;
pub(crate) use waking::{breaks_off, post, stop_now, wake};
