//! Callbacks that change the loop that has called them, in Rust alone, so that Miri can run them
//! (scripts/check-miri.sh): it notices a reference of the library's that is alive meanwhile, memory that is used after
//! it has been freed, and threads that race. What comes of such callbacks is for `c-tests/` to check; here it is checked
//! as far as it tells that they ran.

use ae::abi::ae::*;
use ae::abi::embedding::*;
use ae::ffi::ae::*;
use ae::ffi::embedding::*;
use ae::{EventLoop, Interest, Next};
use std::cell::{Cell, RefCell};
use std::ffi::{c_int, c_longlong, c_void};
use std::fs::File;
use std::io::{Read, Write};
use std::ops::{ControlFlow, Deref};
use std::os::fd::{AsRawFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::ptr;
use std::rc::Rc;
use std::thread;
use std::time::Duration;

const BOTH: c_int = AE_READABLE | AE_WRITABLE;
const NO_WAIT: c_int = AE_ALL_EVENTS | AE_DONT_WAIT;
const STOP: c_longlong = AE_NOMORE as c_longlong;

type Run = dyn Fn(&Play, c_longlong, c_int) -> c_longlong;
type Plain = dyn Fn(&Play);

/// What a loop has as client data. `run` gets the descriptor or the id, and the mask; its result is a timer's.
struct Callback {
    run: Box<Run>,
    end: Box<Plain>,
}

/// A loop, its callbacks, which live as long as this, and what they have noted. The loop's data leads here.
struct Play {
    el: *mut aeEventLoop,
    callbacks: RefCell<Vec<*mut Callback>>,
    hook: RefCell<Option<Box<Plain>>>,
    notes: RefCell<String>,
    is_deleted: Cell<bool>,
}

/// # Safety
/// A callback's arguments.
unsafe fn called<'a>(el: *mut aeEventLoop, data: *mut c_void) -> (&'a Play, &'a Callback) {
    // SAFETY: both outlive the loop.
    unsafe { (&*aeGetLoopData(el).cast(), &*data.cast()) }
}

unsafe extern "C" fn on_file(el: *mut aeEventLoop, fd: c_int, data: *mut c_void, mask: c_int) {
    // SAFETY: as called.
    let (play, callback) = unsafe { called(el, data) };
    (callback.run)(play, fd.into(), mask);
}

unsafe extern "C" fn on_time(el: *mut aeEventLoop, id: c_longlong, data: *mut c_void) -> AeTimeResult {
    // SAFETY: as called.
    let (play, callback) = unsafe { called(el, data) };
    (callback.run)(play, id, AE_NONE) as AeTimeResult
}

unsafe extern "C" fn on_period(el: *mut aeEventLoop, id: c_longlong, data: *mut c_void) -> c_int {
    // SAFETY: as called.
    let (play, callback) = unsafe { called(el, data) };
    (callback.run)(play, id, AE_NONE) as c_int
}

unsafe extern "C" fn on_post(el: *mut aeEventLoop, data: *mut c_void) {
    // SAFETY: as called.
    let (play, callback) = unsafe { called(el, data) };
    (callback.run)(play, 0, AE_NONE);
}

unsafe extern "C" fn on_end(el: *mut aeEventLoop, data: *mut c_void) {
    // SAFETY: as called.
    let (play, callback) = unsafe { called(el, data) };
    (callback.end)(play);
}

unsafe extern "C" fn before_sleep(el: *mut aeEventLoop) {
    // SAFETY: the play outlives its loop.
    let play: &Play = unsafe { &*aeGetLoopData(el).cast() };
    let hook = play.hook.take();
    if let Some(hook) = hook {
        hook(play);
    }
}

const FILE: *mut aeFileProc = on_file as AeFileProc as *mut aeFileProc;

impl Play {
    fn begin(setsize: c_int) -> Owner {
        let el = aeCreateEventLoop(setsize);
        assert!(!el.is_null());
        let play = Owner(Rc::new(Self {
            el,
            callbacks: RefCell::default(),
            hook: RefCell::default(),
            notes: RefCell::default(),
            is_deleted: Cell::new(false),
        }));
        // SAFETY: live; what it gets outlives it.
        unsafe {
            aeSetLoopData(el, Rc::as_ptr(&play.0).cast_mut().cast());
            aeSetBeforeSleepProc(el, before_sleep as AeBeforeSleepProc as *mut aeBeforeSleepProc);
        }
        play
    }

    fn keep(
        &self,
        run: impl Fn(&Play, c_longlong, c_int) -> c_longlong + 'static,
        end: impl Fn(&Play) + 'static,
    ) -> *mut c_void {
        let callback = Box::into_raw(Box::new(Callback { run: Box::new(run), end: Box::new(end) }));
        self.callbacks.borrow_mut().push(callback);
        callback.cast()
    }

    fn note(&self, what: &str) {
        self.notes.borrow_mut().push_str(what);
    }

    #[track_caller]
    fn expect(&self, noted: &str) {
        assert_eq!(self.notes.take(), noted);
    }

    fn watch(&self, end: &File, mask: c_int, handler: impl Fn(&Play, c_int, c_int) + 'static) {
        let run = move |play: &Play, fd: c_longlong, mask| {
            handler(play, fd as c_int, mask);
            0
        };
        let data = self.keep(run, |_| {});
        // SAFETY: live, and a function for such data.
        assert_eq!(unsafe { aeCreateFileEvent(self.el, end.as_raw_fd(), mask, FILE, data) }, AE_OK);
    }

    fn unwatch(&self, fd: c_int, mask: c_int) {
        // SAFETY: live.
        unsafe { aeDeleteFileEvent(self.el, fd, mask) };
    }

    /// A timer whose finalizer notes `!`.
    fn time(&self, milliseconds: c_longlong, run: impl Fn(&Play, c_longlong) -> c_longlong + 'static) -> c_longlong {
        self.time_until(milliseconds, run, |play| play.note("!"))
    }

    fn time_until(
        &self,
        milliseconds: c_longlong,
        run: impl Fn(&Play, c_longlong) -> c_longlong + 'static,
        end: impl Fn(&Play) + 'static,
    ) -> c_longlong {
        let data = self.keep(move |play, id, _| run(play, id), end);
        let proc = on_time as AeTimeProc as *mut aeTimeProc;
        let finalizer = on_end as AeEventFinalizerProc as *mut aeEventFinalizerProc;
        // SAFETY: live, and functions for such data.
        let id = unsafe { aeCreateTimeEvent(self.el, milliseconds, proc, data, finalizer) };
        assert!(id >= 0);
        id
    }

    fn periodic(&self, period: c_longlong, run: impl Fn(&Play, c_longlong) -> c_longlong + 'static) -> c_longlong {
        let data = self.keep(move |play, id, _| run(play, id), |play| play.note("!"));
        let (proc, finalizer) = (on_period as AePeriodicProc as *mut aePeriodicProc, on_end as AeLoopProc);
        // SAFETY: live, and functions for such data.
        let id = unsafe { aeCreatePeriodicTimeEvent(self.el, 0, period, proc, data, finalizer as *mut aeLoopProc) };
        assert!(id >= 0);
        id
    }

    fn cancel(&self, id: c_longlong) -> bool {
        // SAFETY: live.
        unsafe { aeDeleteTimeEvent(self.el, id) == AE_OK }
    }

    /// Has something done; when that is dropped it notes `?`.
    fn post(&self, call: impl Fn(&Play) + 'static) {
        let run = move |play: &Play, _, _| {
            call(play);
            0
        };
        let data = self.keep(run, |play| play.note("?"));
        let (proc, drop) = (on_post as AeLoopProc as *mut aeLoopProc, on_end as AeLoopProc as *mut aeLoopProc);
        // SAFETY: live, and functions for such data.
        assert_eq!(unsafe { aePost(self.el, proc, data, drop) }, AE_OK);
    }

    /// What runs before the loop sleeps the next time.
    fn before_sleep(&self, hook: impl Fn(&Play) + 'static) {
        *self.hook.borrow_mut() = Some(Box::new(hook));
    }

    fn process(&self, flags: c_int) -> c_int {
        // SAFETY: live.
        unsafe { aeProcessEvents(self.el, flags) }
    }

    fn run(&self) {
        // SAFETY: live.
        unsafe { aeMain(self.el) };
    }

    fn stop(&self) {
        // SAFETY: live.
        unsafe { aeStop(self.el) };
    }

    fn resize(&self, setsize: c_int) {
        // SAFETY: live.
        assert_eq!(unsafe { aeResizeSetSize(self.el, setsize) }, AE_OK);
    }

    fn delete(&self) {
        assert!(!self.is_deleted.replace(true));
        // SAFETY: live until then.
        unsafe { aeDeleteEventLoop(self.el) };
    }
}

/// Deletes the loop in the end, while finalizers can still use the play.
struct Owner(Rc<Play>);

impl Deref for Owner {
    type Target = Play;

    fn deref(&self) -> &Play {
        &self.0
    }
}

impl Drop for Owner {
    fn drop(&mut self) {
        if !self.is_deleted.get() {
            self.delete();
        }
    }
}

impl Drop for Play {
    fn drop(&mut self) {
        for callback in self.callbacks.take() {
            // SAFETY: from `keep`, and the loop that had it is gone.
            drop(unsafe { Box::from_raw(callback) });
        }
    }
}

/// Two ends of a pair of sockets, to be written and read as files are: Miri knows no other way.
fn pair() -> (File, File) {
    let (own, peer) = UnixStream::pair().unwrap();
    (File::from(OwnedFd::from(own)), File::from(OwnedFd::from(peer)))
}

/// The same with a byte to read at the first.
fn ready_pair() -> (File, File) {
    let (own, mut peer) = pair();
    peer.write_all(b"x").unwrap();
    (own, peer)
}

fn ready_pairs<const N: usize>() -> [(File, File); N] {
    std::array::from_fn(|_| ready_pair())
}

#[test]
fn a_handler_deletes_and_creates_events_of_its_own_and_of_others() {
    let play = Play::begin(64);
    let pairs = ready_pairs::<4>();
    let fds = pairs.each_ref().map(|(own, _)| own.as_raw_fd());
    for (own, _) in &pairs {
        play.watch(own, BOTH, move |play, fd, _| {
            play.note("h");
            for other in fds {
                play.unwatch(other, BOTH);
            }
            // In place of the one that runs.
            let data = play.keep(|_, _, _| 0, |_| {});
            // SAFETY: live, and a function for such data.
            assert_eq!(unsafe { aeCreateFileEvent(play.el, fd, AE_WRITABLE, FILE, data) }, AE_OK);
        });
    }
    assert_eq!(play.process(NO_WAIT), 4);
    play.expect("h");
    assert_eq!(play.process(NO_WAIT), 1);
    play.expect("");
}

#[test]
fn a_handler_closes_others_and_opens_new_ones() {
    let play = Play::begin(64);
    let pairs = Rc::new(RefCell::new(Vec::from(ready_pairs::<3>())));
    for (own, _) in &*pairs.borrow() {
        let pairs = pairs.clone();
        play.watch(own, AE_READABLE, move |play, _, _| {
            play.note("h");
            let old = pairs.take();
            for (own, _) in &old {
                play.unwatch(own.as_raw_fd(), BOTH);
            }
            drop(old);
            // They get the same numbers.
            for (own, peer) in ready_pairs::<3>() {
                play.watch(&own, AE_READABLE, |play, fd, _| {
                    play.note("n");
                    play.unwatch(fd, BOTH);
                });
                pairs.borrow_mut().push((own, peer));
            }
        });
    }
    assert_eq!(play.process(NO_WAIT), 3);
    play.expect("h");
    assert_eq!(play.process(NO_WAIT), 3);
    play.expect("nnn");
    assert_eq!(play.process(NO_WAIT), 0);
}

#[test]
fn the_set_changes_its_size_between_the_two_handlers_of_a_descriptor() {
    for barrier in [AE_NONE, AE_BARRIER] {
        let play = Play::begin(64);
        let (own, _peer) = ready_pair();
        play.watch(&own, AE_READABLE, |play, _, _| {
            play.note("r");
            play.resize(4096);
        });
        // The data is the writing handler's, for both; only the functions differ in C.
        play.watch(&own, AE_WRITABLE | barrier, |play, fd, mask| {
            play.note(if mask == BOTH { "b" } else { "w" });
            play.resize(2000);
            play.resize(fd + 1);
            play.unwatch(fd, AE_READABLE);
        });
        assert_eq!(play.process(NO_WAIT), 1);
        play.expect("b");
    }
}

fn nest(play: &Play, depth: usize) {
    play.note("(");
    if depth > 0 {
        let flags = [AE_FILE_EVENTS, AE_TIME_EVENTS, AE_ALL_EVENTS | AE_CALL_BEFORE_SLEEP | AE_CALL_AFTER_SLEEP];
        play.before_sleep(|play| play.note("s"));
        play.process(flags[depth % flags.len()] | AE_DONT_WAIT);
    }
    play.note(")");
}

#[test]
fn calls_nest_in_handlers_of_all_kinds() {
    let play = Play::begin(64);
    let pairs = ready_pairs::<3>();
    for ((own, _), depth) in pairs.iter().zip(1..) {
        let left = Cell::new(depth);
        play.watch(own, BOTH, move |play, fd, _| {
            if left.get() == 0 {
                return play.unwatch(fd, BOTH);
            }
            left.set(left.get() - 1);
            nest(play, left.get() + 1);
        });
    }
    for _ in 0..3 {
        play.time(0, |play, _| {
            nest(play, 2);
            STOP
        });
        play.post(|play| nest(play, 1));
    }
    for _ in 0..10 {
        play.process(NO_WAIT);
    }
    let noted = play.notes.take();
    assert_eq!(noted.matches('(').count(), noted.matches(')').count());
    assert_eq!((noted.matches('(').count(), noted.matches('!').count()), (1 + 2 + 3 + 3 + 3, 3), "{noted}");
}

#[test]
fn a_nested_call_closes_what_the_outer_one_has_found() {
    let play = Play::begin(64);
    let pairs = Rc::new(RefCell::new(Vec::from(ready_pairs::<4>())));
    for (own, _) in &*pairs.borrow() {
        let pairs = pairs.clone();
        play.watch(own, AE_READABLE, move |play, _, _| {
            play.note("h");
            // The one whose turn it is, too, may go.
            let last = pairs.borrow_mut().pop();
            if let Some((own, _)) = last {
                play.unwatch(own.as_raw_fd(), AE_READABLE);
                drop(own);
                play.process(AE_FILE_EVENTS | AE_DONT_WAIT);
            }
        });
    }
    play.process(NO_WAIT);
    play.process(NO_WAIT);
    assert!(pairs.borrow().is_empty());
    assert!(play.notes.take().len() <= 4);
}

#[test]
fn timers_delete_themselves_and_others_and_create_new_ones() {
    let play = Play::begin(16);
    let far = play.time(3_600_000, |_, _| STOP);
    let other = Rc::new(Cell::new(0));
    let first = other.clone();
    play.time(0, move |play, id| {
        play.note("a");
        assert!(play.cancel(id) && !play.cancel(id) && play.cancel(far) && play.cancel(first.get()));
        play.process(AE_TIME_EVENTS | AE_DONT_WAIT);
        0
    });
    other.set(play.time(0, |play, _| {
        play.note("never");
        STOP
    }));
    play.time(0, |play, _| {
        play.note("c");
        play.time(0, |play, id| {
            play.note("d");
            // As many that the pool and the index need more room.
            let ids: Vec<_> = (0..200).map(|_| play.time(1000, |_, _| STOP)).collect();
            for id in ids.iter().step_by(2) {
                assert!(play.cancel(*id));
            }
            assert!(play.cancel(id));
            STOP
        });
        STOP
    });
    play.process(NO_WAIT);
    play.process(NO_WAIT);
    play.process(NO_WAIT);
    let noted = play.notes.take();
    assert_eq!(noted.replace('!', ""), "acd");
    assert_eq!(noted.matches('!').count(), 1 + 2 + 1 + 100 + 1);
}

#[test]
fn finalizers_delete_and_create_timers() {
    let play = Play::begin(16);
    let other = play.time(1000, |_, _| STOP);
    let first = play.time_until(
        1000,
        |_, _| STOP,
        move |play| {
            play.note("e");
            assert!(play.cancel(other));
            let again = play.time_until(1000, |_, _| STOP, |play| play.note("f"));
            play.process(NO_WAIT);
            play.cancel(again);
        },
    );
    play.cancel(first);
    for _ in 0..4 {
        play.process(NO_WAIT);
    }
    play.expect("e!f");
    let last = play.time_until(
        1000,
        |_, _| STOP,
        |play| {
            play.note("g");
            let id = play.time(1000, |_, _| STOP);
            play.cancel(id);
        },
    );
    play.cancel(last);
    play.delete();
    play.expect("g!");
}

#[test]
fn timers_are_moved_and_periodic() {
    let play = Play::begin(16);
    let far = play.time(3_600_000, |play, _| {
        play.note("f");
        play.stop();
        STOP
    });
    let runs = Cell::new(0);
    play.periodic(1, move |play, id| {
        play.note("p");
        // SAFETY: live. One that runs is not moved.
        assert_eq!(unsafe { aeResetTimeEvent(play.el, id, 5) }, AE_ERR);
        runs.set(runs.get() + 1);
        if runs.get() < 3 {
            return 0;
        }
        // SAFETY: live.
        assert_eq!(unsafe { aeResetTimeEvent(play.el, far, 0) }, AE_OK);
        STOP
    });
    play.run();
    play.expect("ppp!f");
    let id = play.periodic(1, |play, id| {
        play.cancel(id);
        0
    });
    play.process(NO_WAIT);
    assert!(!play.cancel(id));
    play.delete();
    play.expect("!!");
}

#[test]
fn a_loop_is_deleted_in_each_kind_of_callback() {
    for way in 0..6 {
        let play = Play::begin(64);
        let pairs = ready_pairs::<2>();
        play.time(3_600_000, |_, _| STOP);
        let delete = move |play: &Play| {
            if !play.is_deleted.get() {
                play.delete();
                play.note("d");
                // It is there until its call returns, but nobody is called any more.
                play.process(NO_WAIT);
            }
        };
        match way {
            0 | 1 => {
                for (own, _) in &pairs {
                    play.watch(own, BOTH, move |play, fd, _| {
                        play.unwatch(fd, BOTH);
                        if way == 1 && !play.is_deleted.get() {
                            play.post(delete);
                            play.process(NO_WAIT);
                        }
                        delete(play);
                    });
                }
            }
            2 => _ = (play.time(0, move |play, _| (delete(play), 0).1), play.time(0, |_, _| panic!("deleted"))),
            3 => _ = (play.post(delete), play.post(|_| panic!("deleted"))),
            4 => play.before_sleep(delete),
            _ => {
                let id = play.time_until(1000, |_, _| STOP, delete);
                play.cancel(id);
            }
        }
        play.run();
        assert!(play.notes.take().starts_with('d'));
    }
}

#[test]
fn a_hook_changes_what_the_loop_is_about_to_poll() {
    let play = Play::begin(64);
    let (own, peer) = ready_pair();
    let fd = own.as_raw_fd();
    play.watch(&own, AE_READABLE, |play, _, _| play.note("old"));
    play.before_sleep(move |play| {
        play.unwatch(fd, AE_READABLE);
        play.watch(&own, AE_READABLE, |play, _, _| play.note("new"));
        play.watch(&peer, AE_WRITABLE, |play, fd, _| {
            play.note("w");
            play.unwatch(fd, AE_WRITABLE);
        });
        play.resize(3000);
        play.process(AE_FILE_EVENTS | AE_DONT_WAIT);
    });
    assert_eq!(play.process(NO_WAIT | AE_CALL_BEFORE_SLEEP), 0);
    let noted = play.notes.take();
    assert!(noted == "neww" || noted == "wnew", "{noted}");
}

#[test]
fn descriptors_of_high_priority_are_looked_at_between_handlers() {
    let play = Play::begin(64);
    let pairs = ready_pairs::<12>();
    let (high, peer) = pair();
    let peer = Rc::new(peer);
    for (own, _) in &pairs {
        let peer = peer.clone();
        play.watch(own, AE_READABLE, move |play, fd, _| {
            play.unwatch(fd, AE_READABLE);
            (&*peer).write_all(b"x").unwrap();
        });
    }
    let high = Rc::new(high);
    let own = high.clone();
    play.watch(&high, AE_READABLE | AE_HIGH_PRIORITY, move |play, _, _| {
        play.note("h");
        let _ = (&*own).read(&mut [0; 64]);
        play.resize(3000);
    });
    play.process(NO_WAIT);
    play.expect("hh");
}

#[test]
fn posts_post_and_stop() {
    let play = Play::begin(64);
    play.post(|play| {
        play.note("a");
        play.post(|play| play.note("c"));
        // SAFETY: live.
        assert_eq!(unsafe { aeStopNow(play.el) }, AE_OK);
    });
    play.post(|play| play.note("b"));
    play.run();
    play.expect("a");
    play.process(NO_WAIT);
    play.expect("bc");
    play.post(|play| play.note("d"));
    play.post(|play| play.delete());
    play.post(|play| play.note("e"));
    play.run();
    play.expect("d?");
}

/// Lets a loop's pointer go to another thread.
#[derive(Clone, Copy)]
struct Shared(*mut aeEventLoop);

// SAFETY: that thread does with it what any thread may.
unsafe impl Send for Shared {}

unsafe extern "C" fn count(_: *mut aeEventLoop, data: *mut c_void) {
    // SAFETY: a counter that outlives the loop.
    let counter: &Cell<u32> = unsafe { &*data.cast() };
    counter.set(counter.get() + 1);
}

struct Counter(*mut c_void);

// SAFETY: the loop's thread alone follows it.
unsafe impl Send for Counter {}

#[test]
fn other_threads_wake_post_and_stop() {
    const THREADS: u32 = 2;
    const POSTS: u32 = 5;
    let play = Play::begin(64);
    let counter = Cell::new(0_u32);
    let workers: Vec<_> = (0..THREADS)
        .map(|_| {
            let (shared, counter) = (Shared(play.el), Counter(ptr::from_ref(&counter).cast_mut().cast()));
            thread::spawn(move || {
                let (Shared(el), Counter(counter)) = ({ shared }, { counter });
                for _ in 0..POSTS {
                    let proc = count as AeLoopProc as *mut aeLoopProc;
                    // SAFETY: live until this thread has been joined, and a function for such data.
                    unsafe {
                        assert_eq!(aePost(el, proc, counter, ptr::null_mut()), AE_OK);
                        assert_eq!(aeWakeup(el), AE_OK);
                    }
                }
            })
        })
        .collect();
    while counter.get() < THREADS * POSTS {
        play.process(AE_ALL_EVENTS);
    }
    workers.into_iter().for_each(|worker| worker.join().unwrap());
    for now in [true, false] {
        let shared = Shared(play.el);
        let stopper = thread::spawn(move || {
            let Shared(el) = { shared };
            // SAFETY: live until this thread has been joined.
            unsafe {
                if now {
                    assert_eq!(aeStopNow(el), AE_OK);
                } else {
                    aeStop(el);
                    assert_eq!(aeWakeup(el), AE_OK);
                }
            }
        });
        if now {
            play.run();
        } else {
            // A stop that comes before the loop runs is forgotten.
            stopper.join().unwrap();
            play.process(AE_ALL_EVENTS);
            continue;
        }
        stopper.join().unwrap();
    }
}

#[test]
fn a_loop_goes_from_thread_to_thread() {
    let play = Play::begin(64);
    let runs = Rc::new(Cell::new(0));
    let el = EventLoop::new(64).unwrap();
    let waker = el.waker();
    let counted = runs.clone();
    el.add_timer(Duration::ZERO, move |el| {
        counted.set(counted.get() + 1);
        el.stop();
        Next::Stop
    })
    .unwrap();
    el.run().unwrap();
    drop(el);
    assert!(waker.post(|_| panic!("it is gone")).is_err());
    let shared = Shared(play.el);
    thread::spawn(move || {
        let Shared(el) = { shared };
        // SAFETY: nobody else uses it meanwhile.
        unsafe { aeProcessEvents(el, NO_WAIT) }
    })
    .join()
    .unwrap();
    assert_eq!(runs.get(), 1);
}

/// Steps of all kinds, as a generator of numbers says, in callbacks of all kinds.
struct Steps {
    random: Cell<u64>,
    pairs: RefCell<Vec<Option<(File, File)>>>,
    timers: RefCell<Vec<c_longlong>>,
    left: Cell<u32>,
    depth: Cell<u32>,
}

impl Steps {
    fn below(&self, limit: usize) -> usize {
        let random = self.random.get().wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        self.random.set(random);
        (random >> 33) as usize % limit
    }

    fn act(self: &Rc<Self>, play: &Play) {
        for _ in 0..1 + self.below(3) {
            if self.left.get() == 0 || play.is_deleted.get() {
                return;
            }
            self.left.set(self.left.get() - 1);
            self.step(play);
        }
    }

    fn step(self: &Rc<Self>, play: &Play) {
        let index = self.below(self.pairs.borrow().len());
        let fd = self.pairs.borrow()[index].as_ref().map(|(own, _)| own.as_raw_fd());
        match (self.below(12), fd) {
            (0..=2, Some(_)) => {
                let mask = (1 + self.below(3) as c_int) | [AE_NONE, AE_BARRIER, AE_HIGH_PRIORITY][self.below(3)];
                let steps = self.clone();
                let data = play.keep(
                    move |play, fd, mask| {
                        steps.act(play);
                        if steps.below(2) == 0 && !play.is_deleted.get() {
                            play.unwatch(fd as c_int, mask);
                        }
                        0
                    },
                    |_| {},
                );
                // SAFETY: live, and a function for such data.
                assert_eq!(unsafe { aeCreateFileEvent(play.el, fd.unwrap(), mask, FILE, data) }, AE_OK);
            }
            (3, Some(fd)) => play.unwatch(fd, 1 + self.below(7) as c_int),
            (4, Some(fd)) => {
                play.unwatch(fd, BOTH);
                let pair = self.pairs.borrow_mut()[index].take();
                drop(pair);
            }
            (0..=4, _) => self.pairs.borrow_mut()[index] = Some(ready_pair()),
            (5 | 6, _) => {
                let (steps, again) = (self.clone(), [STOP, 0, 1][self.below(3)]);
                let ended = self.clone();
                let run = move |play: &Play, _| {
                    steps.act(play);
                    if steps.left.get() == 0 { STOP } else { again }
                };
                let id = play.time_until(self.below(2) as c_longlong, run, move |play| ended.act(play));
                self.timers.borrow_mut().push(id);
            }
            (7, _) => {
                let which = self.below(1000);
                let timers = self.timers.borrow();
                let id = timers.get(which % timers.len().max(1)).copied();
                drop(timers);
                id.map(|id| play.cancel(id));
            }
            (8, _) if self.depth.get() < 4 => {
                self.depth.set(self.depth.get() + 1);
                let flags = [AE_FILE_EVENTS, AE_TIME_EVENTS, AE_ALL_EVENTS, AE_ALL_EVENTS | AE_CALL_BEFORE_SLEEP];
                play.process(flags[self.below(4)] | AE_DONT_WAIT);
                self.depth.set(self.depth.get() - 1);
            }
            (9, _) => {
                // SAFETY: live.
                let least = unsafe { (*play.el).maxfd } + 1;
                play.resize(least + 1 + self.below(100) as c_int);
                play.resize(256);
            }
            (10, _) => {
                let steps = self.clone();
                play.before_sleep(move |play| steps.act(play));
            }
            _ => {
                let steps = self.clone();
                play.post(move |play| steps.act(play));
            }
        }
    }
}

#[test]
fn random_steps_in_callbacks_of_all_kinds() {
    let (seeds, steps) = if cfg!(miri) { (3, 50) } else { (200, 200) };
    for seed in 1..=seeds {
        let play = Play::begin(256);
        let steps = Rc::new(Steps {
            random: Cell::new(seed),
            pairs: RefCell::new((0..4).map(|_| Some(ready_pair())).collect()),
            timers: RefCell::default(),
            left: Cell::new(steps),
            depth: Cell::new(0),
        });
        while steps.left.get() > 0 {
            steps.act(&play);
            play.process(NO_WAIT | AE_CALL_BEFORE_SLEEP);
        }
    }
}

/// A closure's destructor may use the loop as well.
struct Ends(EventLoop, Rc<Cell<u32>>);

impl Drop for Ends {
    fn drop(&mut self) {
        self.1.set(self.1.get() + 1);
        self.0.unwatch(0, Interest::READABLE);
        self.0.stop();
    }
}

#[test]
fn closures_replace_and_end_themselves() {
    let el = EventLoop::new(64).unwrap();
    let dropped = Rc::new(Cell::new(0));
    let (own, _peer) = ready_pair();
    let fd = own.as_raw_fd();
    let count = dropped.clone();
    el.watch(fd, Interest::READABLE | Interest::WRITABLE, move |el, _| {
        let ends = Ends(el.clone(), count.clone());
        el.watch(fd, Interest::READABLE, move |el, _| {
            let _owned = &ends;
            el.unwatch(fd, Interest::READABLE | Interest::WRITABLE);
        })
        .unwrap();
    })
    .unwrap();
    el.run_once(false).unwrap();
    el.run_once(false).unwrap();
    assert_eq!(dropped.get(), 1);
    let (id, count) = (Rc::new(Cell::new(None)), dropped.clone());
    let (own_id, guard) = (id.clone(), Ends(el.clone(), count));
    id.set(Some(
        el.add_timer(Duration::ZERO, move |el| {
            let _owned = &guard;
            assert!(el.cancel_timer(own_id.get().unwrap()));
            el.run_once(false).unwrap();
            Next::After(Duration::ZERO)
        })
        .unwrap(),
    ));
    let mut ticks = 0;
    el.add_periodic_timer(Duration::ZERO, Duration::from_millis(1), move |el| {
        ticks += 1;
        el.before_sleep(|el| el.before_sleep(|_| {}));
        el.after_sleep(|el| el.after_sleep(|_| {}));
        if ticks == 3 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    })
    .unwrap();
    for _ in 0..5 {
        el.run_once(false).unwrap();
    }
    assert_eq!(dropped.get(), 2);
}

#[test]
fn a_panic_comes_out_where_the_loop_runs() {
    let el = EventLoop::new(64).unwrap();
    let pairs = ready_pairs::<3>();
    for (own, _) in &pairs {
        let fd = own.as_raw_fd();
        el.watch(fd, Interest::READABLE, move |el, _| {
            el.unwatch(fd, Interest::READABLE);
            el.add_timer(Duration::ZERO, |_| panic!("in a timer")).unwrap();
            el.run_once(false).unwrap();
        })
        .unwrap();
    }
    let panic = catch_unwind(AssertUnwindSafe(|| el.run())).unwrap_err();
    assert!(panic.downcast_ref::<&str>().is_some_and(|text| *text == "in a timer"));
}
