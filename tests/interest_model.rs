//! Whatever is created, deleted, closed and opened again, inside callbacks or outside: the next iteration fires
//! exactly what a plain table of interests says, on every backend.

use ae::abi::ae::*;
use ae::ffi::ae::*;
use ae::ffi::libae::aeCreateEventLoopWithBackend;
use proptest::prelude::*;
use std::ffi::{CStr, c_int, c_void};
use std::io::Write;
use std::os::fd::AsRawFd;
use std::os::unix::net::UnixStream;
use std::{mem, ptr};

const SOCKETS: usize = 4;
const BACKENDS: [&CStr; 3] = [if cfg!(poller = "kqueue") { c"kqueue" } else { c"epoll" }, c"poll", c"select"];
/// The sockets have numbers from here on, which nothing else gets while they are closed.
const FIRST: c_int = 100;
/// The socket whose handler takes the steps.
const TRIGGER: c_int = FIRST + SOCKETS as c_int;

#[derive(Clone, Debug)]
enum Step {
    Create(usize, c_int),
    Delete(usize, c_int),
    /// The socket is closed without its event being deleted.
    Close(usize),
    /// Another socket takes its number, closing the one before if it is open.
    Open(usize),
    /// A byte arrives.
    Fill(usize),
    Resize(c_int),
}

fn step() -> impl Strategy<Value = Step> {
    let socket = 0..SOCKETS;
    let mask = 1..=(AE_READABLE | AE_WRITABLE);
    prop_oneof![
        8 => (socket.clone(), mask.clone()).prop_map(|(socket, mask)| Step::Create(socket, mask)),
        6 => (socket.clone(), mask).prop_map(|(socket, mask)| Step::Delete(socket, mask)),
        1 => socket.clone().prop_map(Step::Close),
        3 => socket.clone().prop_map(Step::Open),
        2 => socket.prop_map(Step::Fill),
        1 => (64..2000).prop_map(Step::Resize),
    ]
}

/// Steps, and whether they run inside a callback.
fn rounds() -> impl Strategy<Value = Vec<(bool, Vec<Step>)>> {
    proptest::collection::vec((any::<bool>(), proptest::collection::vec(step(), 0..8)), 1..12)
}

#[derive(Default)]
struct Socket {
    /// None when the number is nobody's.
    peer: Option<UnixStream>,
    filled: bool,
    /// What the loop's event says.
    mask: c_int,
    /// What the backend watches the file for that has the number.
    watched: c_int,
    /// The file is another one than when the callback began.
    renewed: bool,
    /// An event was created in this callback.
    created: bool,
    /// Which of the client data the event gets.
    user: usize,
}

/// Client data.
#[derive(Clone, Copy)]
struct User(*mut World);

struct World {
    el: *mut aeEventLoop,
    /// Files are told apart; else it is numbers that are watched, until a poll finds one closed.
    tells_files: bool,
    sockets: [Socket; SOCKETS],
    _trigger: UnixStream,
    /// One would do, except for a number that gets another file between two creates in the same callback: with a
    /// delete in between, too, the loop takes the file for the same unless the user is another.
    users: [User; 2],
    /// The steps are taken in a callback.
    inside: bool,
    pending: Vec<Step>,
    fired: Vec<(c_int, c_int)>,
}

/// A socket under this number; returns its peer.
fn open(number: c_int) -> UnixStream {
    let (own, peer) = UnixStream::pair().unwrap();
    // SAFETY: plain integers. It closes what had the number.
    assert_eq!(unsafe { libc::dup2(own.as_raw_fd(), number) }, number);
    peer
}

impl World {
    fn new(backend: &CStr) -> Box<Self> {
        // SAFETY: a name.
        let el = unsafe { aeCreateEventLoopWithBackend(1024, backend.as_ptr()) };
        assert!(!el.is_null());
        let mut trigger = open(TRIGGER);
        trigger.write_all(b"x").unwrap();
        let mut world = Box::new(Self {
            el,
            tells_files: backend == BACKENDS[0],
            sockets: Default::default(),
            _trigger: trigger,
            users: [User(ptr::null_mut()); 2],
            inside: false,
            pending: Vec::new(),
            fired: Vec::new(),
        });
        world.users = [User(&raw mut *world); 2];
        (0..SOCKETS).for_each(|index| world.take(&Step::Open(index)));
        world
    }

    fn user(&mut self, index: usize) -> *mut c_void {
        (&raw mut self.users[index]).cast()
    }

    /// Forgets what happened in the callback before.
    fn begin(&mut self) {
        for socket in &mut self.sockets {
            (socket.renewed, socket.created) = (false, false);
        }
    }

    fn take(&mut self, step: &Step) {
        let number = |index: usize| FIRST + index as c_int;
        // SAFETY: the loop is live, and so is the world behind its users while the loop runs.
        unsafe {
            match *step {
                Step::Create(index, mask) => {
                    let data = self.user(self.sockets[index].user);
                    let socket = &mut self.sockets[index];
                    socket.created = true;
                    let proc = fired as AeFileProc as *mut aeFileProc;
                    // Every other one is of high priority, which changes nothing here.
                    let flag = if index % 2 == 0 { AE_HIGH_PRIORITY } else { AE_NONE };
                    let created = aeCreateFileEvent(self.el, number(index), mask | flag, proc, data);
                    assert_eq!(created == AE_OK, socket.peer.is_some());
                    if created == AE_OK {
                        socket.mask |= mask;
                    }
                    socket.watched = if created == AE_OK { socket.mask } else { AE_NONE };
                }
                Step::Delete(index, mask) => {
                    let socket = &mut self.sockets[index];
                    aeDeleteFileEvent(self.el, number(index), mask);
                    let before = socket.mask;
                    socket.mask &= !mask;
                    socket.watched &= socket.mask;
                    // The backend finds it closed, unless it is told later.
                    if !self.inside && socket.peer.is_none() && before != socket.mask {
                        socket.watched = AE_NONE;
                    }
                }
                Step::Close(index) => {
                    if self.sockets[index].peer.take().is_some() {
                        libc::close(number(index));
                        self.renew(index);
                    }
                }
                Step::Open(index) => {
                    self.sockets[index].peer = Some(open(number(index)));
                    self.renew(index);
                }
                Step::Fill(index) => {
                    let socket = &mut self.sockets[index];
                    if let Some(peer) = &mut socket.peer {
                        peer.write_all(b"x").unwrap();
                        socket.filled = true;
                    }
                }
                Step::Resize(setsize) => {
                    let maxfd = (*self.el).maxfd;
                    assert_eq!(aeResizeSetSize(self.el, setsize) == AE_OK, maxfd < setsize);
                    // So that whatever comes next fits.
                    assert_eq!(aeResizeSetSize(self.el, 1024), AE_OK);
                }
            }
        }
    }

    fn renew(&mut self, index: usize) {
        let socket = &mut self.sockets[index];
        (socket.filled, socket.renewed) = (false, true);
        socket.user ^= usize::from(mem::take(&mut socket.created));
        if self.tells_files {
            socket.watched = AE_NONE;
        }
    }

    /// What an iteration fires, after which closed numbers are no longer watched.
    fn expected(&mut self) -> Vec<(c_int, c_int)> {
        let mut expected = Vec::new();
        for (socket, number) in self.sockets.iter_mut().zip(FIRST..) {
            let ready = match (&socket.peer, socket.filled) {
                (None, _) => AE_NONE,
                (_, true) => AE_READABLE | AE_WRITABLE,
                (_, false) => AE_WRITABLE,
            };
            if socket.watched & ready != AE_NONE {
                expected.push((number, socket.watched & ready));
            }
            if socket.peer.is_none() {
                socket.watched = AE_NONE;
            }
        }
        expected
    }
}

impl Drop for World {
    fn drop(&mut self) {
        // SAFETY: live until here; the numbers are this world's.
        unsafe {
            aeDeleteEventLoop(self.el);
            (FIRST..=TRIGGER).for_each(|number| _ = libc::close(number));
        }
    }
}

unsafe extern "C" fn fired(_: *mut aeEventLoop, fd: c_int, data: *mut c_void, mask: c_int) {
    // SAFETY: the world outlives its loop, and nothing else borrows it while the loop runs.
    let world = unsafe { &mut *(*data.cast::<User>()).0 };
    let socket = &world.sockets[(fd - FIRST) as usize];
    let is_old = world.tells_files && socket.renewed && socket.watched != AE_NONE;
    assert!(!is_old, "what the old file had ready reaches the new one's handler");
    world.fired.push((fd, mask));
}

unsafe extern "C" fn take_pending(el: *mut aeEventLoop, fd: c_int, data: *mut c_void, mask: c_int) {
    // SAFETY: as above.
    let world = unsafe { &mut *(*data.cast::<User>()).0 };
    for step in mem::take(&mut world.pending) {
        world.take(&step);
    }
    // SAFETY: the loop that calls this.
    unsafe { aeDeleteFileEvent(el, fd, mask) };
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(500))]

    #[test]
    fn fires_what_the_table_says(rounds in rounds()) {
        for backend in BACKENDS {
            let mut world = World::new(backend);
            let world = &raw mut *world;
            for (inside, steps) in &rounds {
                // SAFETY: the loop is live; the world is borrowed by its callbacks alone while it runs.
                unsafe {
                    let el = (*world).el;
                    (*world).begin();
                    (*world).inside = *inside;
                    if *inside {
                        (*world).pending = steps.clone();
                        let proc = take_pending as AeFileProc as *mut aeFileProc;
                        assert_eq!(aeCreateFileEvent(el, TRIGGER, AE_READABLE, proc, (*world).user(0)), AE_OK);
                        aeProcessEvents(el, AE_FILE_EVENTS | AE_DONT_WAIT);
                        prop_assert!((*world).pending.is_empty());
                    } else {
                        for step in steps {
                            (*world).take(step);
                        }
                    }
                    (*world).fired.clear();
                    (*world).begin();
                    aeProcessEvents(el, AE_FILE_EVENTS | AE_DONT_WAIT);
                    let mut got = mem::take(&mut (*world).fired);
                    got.sort_unstable();
                    prop_assert_eq!(got, (*world).expected(), "{:?}", backend);
                }
            }
        }
    }
}
