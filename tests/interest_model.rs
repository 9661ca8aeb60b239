//! Whatever is created, deleted, closed and opened again, inside callbacks or outside: the next iteration fires
//! exactly what a plain table of interests says, on every backend.

use ae::abi::ae::*;
use ae::ffi::ae::*;
use ae::ffi::libae::aeCreateEventLoopWithBackend;
use proptest::prelude::*;
use std::ffi::{CStr, c_int, c_longlong, c_void};
use std::io::Write;
use std::os::fd::AsRawFd;
use std::os::unix::net::UnixStream;
use std::ptr;

const SOCKETS: usize = 4;
const BACKENDS: [&CStr; 3] = [c"epoll", c"poll", c"select"];

#[derive(Clone, Debug)]
enum Step {
    Create(usize, c_int),
    Delete(usize, c_int),
    /// The socket is closed without its event being deleted, and another one takes its number.
    Reopen(usize),
    /// A byte arrives.
    Fill(usize),
    Resize(c_int),
}

fn step() -> impl Strategy<Value = Step> {
    let socket = 0..SOCKETS;
    let mask = 1..=(AE_READABLE | AE_WRITABLE);
    prop_oneof![
        6 => (socket.clone(), mask.clone()).prop_map(|(socket, mask)| Step::Create(socket, mask)),
        5 => (socket.clone(), mask).prop_map(|(socket, mask)| Step::Delete(socket, mask)),
        1 => socket.clone().prop_map(Step::Reopen),
        2 => socket.prop_map(Step::Fill),
        1 => (64..2000).prop_map(Step::Resize),
    ]
}

/// Steps, and whether they run inside a callback.
fn rounds() -> impl Strategy<Value = Vec<(bool, Vec<Step>)>> {
    proptest::collection::vec((any::<bool>(), proptest::collection::vec(step(), 0..8)), 1..12)
}

struct Socket {
    watched: UnixStream,
    peer: UnixStream,
    mask: c_int,
    filled: bool,
}

struct World {
    el: *mut aeEventLoop,
    sockets: Vec<Socket>,
    pending: Vec<Step>,
    fired: Vec<(c_int, c_int)>,
}

impl World {
    fn new(backend: &CStr) -> Self {
        // SAFETY: a name.
        let el = unsafe { aeCreateEventLoopWithBackend(1024, backend.as_ptr()) };
        assert!(!el.is_null());
        let sockets = (0..SOCKETS).map(|_| {
            let (watched, peer) = UnixStream::pair().unwrap();
            Socket { watched, peer, mask: AE_NONE, filled: false }
        });
        Self { el, sockets: sockets.collect(), pending: Vec::new(), fired: Vec::new() }
    }

    fn take(&mut self, step: &Step, data: *mut c_void) {
        // SAFETY: the loop is live, and so is the world behind `data` while the loop runs.
        unsafe {
            match *step {
                Step::Create(socket, mask) => {
                    let socket = &mut self.sockets[socket];
                    let proc = fired as AeFileProc as *mut aeFileProc;
                    assert_eq!(aeCreateFileEvent(self.el, socket.watched.as_raw_fd(), mask, proc, data), AE_OK);
                    socket.mask |= mask;
                }
                Step::Delete(socket, mask) => {
                    let socket = &mut self.sockets[socket];
                    aeDeleteFileEvent(self.el, socket.watched.as_raw_fd(), mask);
                    socket.mask &= !mask;
                }
                Step::Reopen(socket) => {
                    let socket = &mut self.sockets[socket];
                    let number = socket.watched.as_raw_fd();
                    let (watched, peer) = UnixStream::pair().unwrap();
                    // dup2 closes what had the number.
                    assert_eq!(libc::dup2(watched.as_raw_fd(), number), number);
                    drop(watched);
                    socket.peer = peer;
                    socket.filled = false;
                    // As a user who forgot the old events and registers the new ones.
                    let mask = std::mem::replace(&mut socket.mask, AE_NONE);
                    if mask != AE_NONE {
                        let proc = fired as AeFileProc as *mut aeFileProc;
                        assert_eq!(aeCreateFileEvent(self.el, number, mask, proc, data), AE_OK);
                        socket.mask = mask;
                    }
                }
                Step::Fill(socket) => {
                    self.sockets[socket].peer.write_all(b"x").unwrap();
                    self.sockets[socket].filled = true;
                }
                Step::Resize(setsize) => {
                    let fits = self
                        .sockets
                        .iter()
                        .all(|socket| socket.mask == AE_NONE || socket.watched.as_raw_fd() < setsize);
                    assert_eq!(aeResizeSetSize(self.el, setsize) == AE_OK, fits);
                    if !fits || setsize < 256 {
                        assert_eq!(aeResizeSetSize(self.el, 1024), AE_OK);
                    }
                }
            }
        }
    }

    fn expected(&self) -> Vec<(c_int, c_int)> {
        let ready = |socket: &Socket| if socket.filled { AE_READABLE | AE_WRITABLE } else { AE_WRITABLE };
        let mut expected: Vec<_> = self.sockets.iter().map(|s| (s.watched.as_raw_fd(), s.mask & ready(s))).collect();
        expected.retain(|(_, mask)| *mask != AE_NONE);
        expected.sort_unstable();
        expected
    }
}

impl Drop for World {
    fn drop(&mut self) {
        // SAFETY: live until here.
        unsafe { aeDeleteEventLoop(self.el) };
    }
}

unsafe extern "C" fn fired(_: *mut aeEventLoop, fd: c_int, data: *mut c_void, mask: c_int) {
    // SAFETY: the world outlives its loop, and nothing else borrows it while the loop runs.
    unsafe { (*data.cast::<World>()).fired.push((fd, mask)) };
}

unsafe extern "C" fn take_pending(_: *mut aeEventLoop, _: c_longlong, data: *mut c_void) -> c_int {
    // SAFETY: as above.
    let world = unsafe { &mut *data.cast::<World>() };
    for step in std::mem::take(&mut world.pending) {
        world.take(&step, data);
    }
    AE_NOMORE
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn fires_what_the_table_says(rounds in rounds()) {
        for backend in BACKENDS {
            let mut world = World::new(backend);
            let data: *mut c_void = ptr::from_mut(&mut world).cast();
            for (inside, steps) in &rounds {
                // SAFETY: the loop is live; the world is borrowed by its callbacks alone while it runs.
                unsafe {
                    let world = data.cast::<World>();
                    let el = (*world).el;
                    if *inside {
                        (*world).pending = steps.clone();
                        let proc = take_pending as AeTimeProc as *mut aeTimeProc;
                        assert!(aeCreateTimeEvent(el, 0, proc, data, ptr::null_mut()) >= 0);
                        aeProcessEvents(el, AE_TIME_EVENTS);
                    } else {
                        for step in steps {
                            (*world).take(step, data);
                        }
                    }
                    (*world).fired.clear();
                    aeProcessEvents(el, AE_FILE_EVENTS | AE_DONT_WAIT);
                    let mut got = std::mem::take(&mut (*world).fired);
                    got.sort_unstable();
                    prop_assert_eq!(got, (*world).expected(), "{:?}", backend);
                }
            }
        }
    }
}
