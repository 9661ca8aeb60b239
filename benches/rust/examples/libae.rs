//! libae by its safe Rust API: a closure for each descriptor and for each timer.

#![allow(non_upper_case_globals)]

use ae::{EventLoop, Interest, Next, TimerId};
use std::cell::{Cell, OnceCell, RefCell};
use std::ffi::{c_int, c_long};
use std::time::Duration;

#[unsafe(no_mangle)]
static engine_name: [u8; 11] = *b"libae-rust\0";

struct Loop {
    el: EventLoop,
    timers: RefCell<Vec<Option<TimerId>>>,
    wake_fd: OnceCell<c_int>,
}

thread_local! {
    static LOOP: Cell<Option<&'static Loop>> = const { Cell::new(None) };
}

fn current() -> &'static Loop {
    LOOP.get().expect("engine_open comes first")
}

#[unsafe(no_mangle)]
extern "C" fn engine_open(setsize: c_int) {
    let el = EventLoop::new(setsize as usize).expect("a loop");
    LOOP.set(Some(Box::leak(Box::new(Loop { el, timers: RefCell::default(), wake_fd: OnceCell::new() }))));
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
    current().el.watch(fd, Interest::READABLE, move |_, _| bench::readable(fd)).expect("watch");
}

#[unsafe(no_mangle)]
extern "C" fn engine_unwatch(fd: c_int) {
    current().el.unwatch(fd, Interest::READABLE);
}

#[unsafe(no_mangle)]
extern "C" fn engine_iterate(wait: c_int) {
    current().el.run_once(wait != 0).expect("an iteration");
}

#[unsafe(no_mangle)]
extern "C" fn engine_toggle(fd: c_int, pairs: c_long) {
    let el = &current().el;
    for _ in 0..pairs {
        el.watch(fd, Interest::WRITABLE, |_, _| ()).expect("watch");
        el.unwatch(fd, Interest::WRITABLE);
    }
}

#[unsafe(no_mangle)]
extern "C" fn engine_timer_room(count: c_int) {
    current().timers.replace(vec![None; count as usize]);
}

#[unsafe(no_mangle)]
extern "C" fn engine_timer_add(index: c_int, milliseconds: c_int) {
    let run = move |_: &EventLoop| {
        bench::due(index);
        Next::Stop
    };
    let id = current().el.add_timer(Duration::from_millis(milliseconds as u64), run).expect("a timer");
    current().timers.borrow_mut()[index as usize] = Some(id);
}

#[unsafe(no_mangle)]
extern "C" fn engine_timer_delete(index: c_int) {
    let id = current().timers.borrow_mut()[index as usize].take().expect("a timer that was added");
    current().el.cancel_timer(id);
}

#[unsafe(no_mangle)]
extern "C" fn engine_timer_again(index: c_int, milliseconds: c_int) {
    engine_timer_delete(index);
    engine_timer_add(index, milliseconds);
}

/// A loop has no way of its own to be woken: a program watches an eventfd.
#[unsafe(no_mangle)]
extern "C" fn engine_wake() {
    let fd = *current().wake_fd.get_or_init(watched_eventfd);
    let one = 1u64.to_ne_bytes();
    // SAFETY: eight bytes of ours.
    let written = unsafe { libc::write(fd, one.as_ptr().cast(), one.len()) };
    assert_eq!(written, 8, "write to the eventfd");
}

fn watched_eventfd() -> c_int {
    // SAFETY: takes no pointers.
    let fd = unsafe { libc::eventfd(0, libc::EFD_NONBLOCK | libc::EFD_CLOEXEC) };
    assert!(fd >= 0, "eventfd");
    let woken = move |_: &EventLoop, _| {
        let mut count = [0u8; 8];
        // SAFETY: room for eight bytes.
        if unsafe { libc::read(fd, count.as_mut_ptr().cast(), count.len()) } == 8 {
            bench::woken();
        }
    };
    current().el.watch(fd, Interest::READABLE, woken).expect("watch");
    fd
}
