//! A test that frees the number of a descriptor for a moment: in a process of its own, so that no other test gets it.

use ae::{EventLoop, Listener};
use std::cell::Cell;
use std::mem::ManuallyDrop;
use std::net::{TcpListener, TcpStream};
use std::os::fd::{FromRawFd, RawFd};
use std::rc::Rc;

const SET_SIZE: usize = 256;

/// The sockets of a listener that cannot be given to another callback must not lead to the one before.
#[test]
fn a_failed_on_accept_leaves_no_socket_with_a_dropped_callback() {
    let el = EventLoop::new(SET_SIZE).unwrap();
    let listener = Listener::tcp(&el, &["127.0.0.1", "127.0.0.1"], 0, 16).unwrap();
    let called = Rc::new(Cell::new(false));
    let owned = called.clone();
    listener.on_accept(10, move |_, _| owned.set(true)).unwrap();
    let addresses = listener.local_addrs();
    let first = (3..SET_SIZE as RawFd)
        .find(|fd| {
            // SAFETY: never dropped, so the descriptor stays its owner's; one of another kind has no address.
            let socket = ManuallyDrop::new(unsafe { TcpListener::from_raw_fd(*fd) });
            socket.local_addr().is_ok_and(|own| own == addresses[0])
        })
        .unwrap();
    // What closes it stands for whatever keeps the loop from watching it.
    // SAFETY: plain integers.
    let copy = unsafe { libc::dup(first) };
    // SAFETY: plain integers; the descriptor is put back below.
    unsafe { libc::close(first) };
    assert!(listener.on_accept(10, |_, _| {}).is_err());
    assert_eq!(Rc::strong_count(&called), 1, "the callback before is dropped");
    // SAFETY: plain integers.
    unsafe { (libc::dup2(copy, first), libc::close(copy)) };
    let _client = TcpStream::connect(addresses[1]).unwrap();
    for _ in 0..3 {
        el.run_once(false).unwrap();
    }
    assert!(!called.get(), "a dropped callback was called");
}
