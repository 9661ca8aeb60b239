//! mio has no callbacks and no timers. What a program puts around it at least is here: a table of what to call for each
//! token. It is edge-triggered: an event tells of what came since the last one. The harness answers each message once
//! and reads all there is of it, so no event is missing, as long as one call of `poll` has room for all that is ready.

#![allow(non_upper_case_globals)]

use mio::unix::SourceFd;
use mio::{Events, Interest, Poll, Token, Waker};
use std::cell::{Cell, OnceCell, RefCell};
use std::ffi::c_int;
use std::time::Duration;

const EVENTS: usize = 16384;
const WAKE: Token = Token(usize::MAX);

#[unsafe(no_mangle)]
static engine_name: [u8; 4] = *b"mio\0";

struct Loop {
    poll: RefCell<Poll>,
    events: RefCell<Events>,
    waker: OnceCell<Waker>,
}

thread_local! {
    static LOOP: Cell<Option<&'static Loop>> = const { Cell::new(None) };
    static CALLBACKS: [Cell<fn(c_int)>; bench::MAX_FD] = const { [const { Cell::new(unexpected as fn(c_int)) }; bench::MAX_FD] };
}

fn unexpected(fd: c_int) {
    panic!("an event for descriptor {fd}, which nobody watches");
}

fn current() -> &'static Loop {
    LOOP.get().expect("engine_open comes first")
}

#[unsafe(no_mangle)]
extern "C" fn engine_open(_setsize: c_int) {
    let made = Loop {
        poll: RefCell::new(Poll::new().expect("epoll_create1")),
        events: RefCell::new(Events::with_capacity(EVENTS)),
        waker: OnceCell::new(),
    };
    LOOP.set(Some(Box::leak(Box::new(made))));
}

#[unsafe(no_mangle)]
extern "C" fn engine_close() {
    if let Some(old) = LOOP.take() {
        // SAFETY: leaked by engine_open, and no callback runs.
        drop(unsafe { Box::from_raw(std::ptr::from_ref(old).cast_mut()) });
    }
}

#[unsafe(no_mangle)]
extern "C" fn engine_watch(fd: c_int) {
    CALLBACKS.with(|table| table[fd as usize].set(bench::readable));
    let poll = current().poll.borrow();
    poll.registry().register(&mut SourceFd(&fd), Token(fd as usize), Interest::READABLE).expect("register");
}

#[unsafe(no_mangle)]
extern "C" fn engine_unwatch(fd: c_int) {
    current().poll.borrow().registry().deregister(&mut SourceFd(&fd)).expect("deregister");
    CALLBACKS.with(|table| table[fd as usize].set(unexpected));
}

#[unsafe(no_mangle)]
extern "C" fn engine_iterate(wait: c_int) {
    let current = current();
    let mut events = current.events.borrow_mut();
    let timeout = if wait != 0 { None } else { Some(Duration::ZERO) };
    current.poll.borrow_mut().poll(&mut events, timeout).expect("epoll_wait");
    for event in events.iter() {
        match event.token() {
            WAKE => bench::woken(),
            Token(fd) => CALLBACKS.with(|table| table[fd].get())(fd as c_int),
        }
    }
}

#[unsafe(no_mangle)]
extern "C" fn engine_toggle(fd: c_int, pairs: std::ffi::c_long) {
    let poll = current().poll.borrow();
    let (mut source, token) = (SourceFd(&fd), Token(fd as usize));
    for _ in 0..pairs {
        poll.registry().reregister(&mut source, token, Interest::READABLE | Interest::WRITABLE).expect("reregister");
        poll.registry().reregister(&mut source, token, Interest::READABLE).expect("reregister");
    }
}

#[unsafe(no_mangle)]
extern "C" fn engine_wake() {
    let current = current();
    let waker = current.waker.get_or_init(|| Waker::new(current.poll.borrow().registry(), WAKE).expect("eventfd"));
    waker.wake().expect("write to the eventfd");
}
