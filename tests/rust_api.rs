//! The safe Rust API as a program uses it.

use ae::{Connection, Counter, EventLoop, Handler, Interest, Listener, Mptcp, Next, Peer, SocketOptions};
use ae::{exec_with_listeners, inherited_sockets};
use std::cell::{Cell, RefCell};
use std::io::{ErrorKind, IoSlice, Read, Write};
use std::net::{IpAddr, TcpListener, TcpStream};
use std::ops::ControlFlow;
use std::os::fd::{AsFd, AsRawFd};
use std::os::unix::net::{UnixListener, UnixStream};
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::process::{Command, Stdio};
use std::rc::Rc;
use std::time::{Duration, Instant};

const SET_SIZE: usize = 256;

/// A loop that gives up rather than hang.
fn test_loop() -> EventLoop {
    let el = EventLoop::new(SET_SIZE).unwrap();
    el.add_timer(testkit::PATIENCE, |_| panic!("the test hangs")).unwrap();
    el
}

fn run_until(el: &EventLoop, done: impl Fn() -> bool) {
    while !done() {
        el.run_once(true).unwrap();
    }
}

/// Sets a flag when it is dropped.
struct Dropped(Rc<Cell<bool>>);

impl Drop for Dropped {
    fn drop(&mut self) {
        self.0.set(true);
    }
}

#[test]
fn timers_repeat_and_stop() {
    let el = test_loop();
    let runs = Rc::new(Cell::new(0));
    let dropped = Rc::new(Cell::new(false));
    let (counted, guard) = (runs.clone(), Dropped(dropped.clone()));
    let start = Instant::now();
    el.add_timer(Duration::from_millis(2), move |el| {
        let _owned = &guard;
        counted.set(counted.get() + 1);
        if counted.get() < 3 {
            return Next::After(Duration::from_millis(2));
        }
        el.stop();
        Next::Stop
    })
    .unwrap();
    el.run().unwrap();
    assert_eq!(runs.get(), 3);
    assert!(start.elapsed() >= Duration::from_millis(6));
    el.run_once(false).unwrap();
    assert!(dropped.get());
}

#[test]
fn a_cancelled_timer_never_runs() {
    let el = test_loop();
    let id = el.add_timer(Duration::ZERO, |_| panic!("cancelled")).unwrap();
    assert!(el.cancel_timer(id));
    assert!(!el.cancel_timer(id));
    el.run_once(false).unwrap();
}

#[test]
fn the_loop_drops_what_it_owns() {
    let dropped: Vec<_> = (0..5).map(|_| Rc::new(Cell::new(false))).collect();
    let guard = |index: usize| Dropped(dropped[index].clone());
    let (a, _b) = UnixStream::pair().unwrap();
    let el = EventLoop::new(SET_SIZE).unwrap();
    let (timer, before, after, watch, cancelled) = (guard(0), guard(1), guard(2), guard(3), guard(4));
    el.add_timer(Duration::from_secs(1), move |_| {
        let _owned = &timer;
        Next::Stop
    })
    .unwrap();
    let id = el
        .add_timer(Duration::from_secs(1), move |_| {
            let _owned = &cancelled;
            Next::Stop
        })
        .unwrap();
    el.cancel_timer(id);
    el.before_sleep(move |_| _ = &before);
    el.after_sleep(move |_| _ = &after);
    el.watch(a.as_raw_fd(), Interest::READABLE, move |_, _| _ = &watch).unwrap();
    drop(el);
    assert!(dropped.iter().all(|dropped| dropped.get()));
}

#[test]
fn watching_reports_what_fired() {
    let el = test_loop();
    let (a, mut b) = UnixStream::pair().unwrap();
    let fired = Rc::new(RefCell::new(Vec::new()));
    let seen = fired.clone();
    let fd = a.as_raw_fd();
    el.watch(fd, Interest::READABLE | Interest::WRITABLE, move |_, interest| seen.borrow_mut().push(interest)).unwrap();
    el.run_once(true).unwrap();
    b.write_all(b"x").unwrap();
    el.run_once(true).unwrap();
    assert_eq!(*fired.borrow(), [Interest::WRITABLE, Interest::READABLE | Interest::WRITABLE]);

    // Another callback for one of them, and no more than that for the other.
    let seen = fired.clone();
    el.unwatch(fd, Interest::WRITABLE);
    el.watch(fd, Interest::READABLE, move |el, interest| {
        seen.borrow_mut().push(interest);
        el.unwatch(fd, Interest::READABLE);
    })
    .unwrap();
    fired.borrow_mut().clear();
    el.run_once(true).unwrap();
    el.run_once(false).unwrap();
    assert_eq!(*fired.borrow(), [Interest::READABLE]);
}

#[test]
fn readable_and_writable_are_watched_apart() {
    assert!(Interest::READABLE.is_readable() && !Interest::READABLE.is_writable());
    assert!(Interest::WRITABLE.is_writable() && !Interest::WRITABLE.is_readable());
    let el = test_loop();
    let (a, mut b) = UnixStream::pair().unwrap();
    let noted = Rc::new(RefCell::new(Vec::new()));
    let note = |what: &'static str| {
        let noted = noted.clone();
        move |_: &EventLoop, _| noted.borrow_mut().push(what)
    };
    b.write_all(b"x").unwrap();
    el.watch(a.as_raw_fd(), Interest::WRITABLE, note("writable")).unwrap();
    el.watch(a.as_raw_fd(), Interest::READABLE, note("readable")).unwrap();
    el.run_once(false).unwrap();
    assert_eq!(*noted.borrow(), ["readable", "writable"]);
}

#[test]
fn high_priority_goes_first() {
    let el = test_loop();
    let pairs: Vec<_> = (0..3).map(|_| UnixStream::pair().unwrap()).collect();
    let order = Rc::new(RefCell::new(Vec::new()));
    for (index, (own, peer)) in pairs.iter().enumerate() {
        (&*peer).write_all(b"x").unwrap();
        let interest = if index == 2 { Interest::READABLE | Interest::HIGH_PRIORITY } else { Interest::READABLE };
        let order = order.clone();
        el.watch(own.as_raw_fd(), interest, move |_, _| order.borrow_mut().push(index)).unwrap();
    }
    el.run_once(false).unwrap();
    // The others come in the back end's order.
    order.borrow_mut()[1..].sort_unstable();
    assert_eq!(*order.borrow(), [2, 0, 1]);
    el.unwatch(pairs[2].0.as_raw_fd(), Interest::HIGH_PRIORITY);
    order.borrow_mut().clear();
    el.run_once(false).unwrap();
    assert_eq!(order.borrow().len(), 3);
    for (own, _) in &pairs {
        el.unwatch(own.as_raw_fd(), Interest::READABLE);
    }
}

#[test]
fn sleep_hooks_run_around_the_sleep() {
    let el = test_loop();
    let order = Rc::new(RefCell::new(Vec::new()));
    let (before, after) = (order.clone(), order.clone());
    el.before_sleep(move |_| before.borrow_mut().push("before"));
    el.after_sleep(move |_| after.borrow_mut().push("after"));
    el.add_timer(Duration::ZERO, |_| Next::Stop).unwrap();
    el.run_once(true).unwrap();
    assert_eq!(*order.borrow(), ["before", "after"]);
}

#[test]
fn the_set_size_is_what_it_was_made_for() {
    let el = EventLoop::new(SET_SIZE).unwrap();
    assert_eq!(el.set_size(), SET_SIZE);
    el.resize(2 * SET_SIZE).unwrap();
    assert_eq!(el.set_size(), 2 * SET_SIZE);
}

#[test]
fn a_loop_may_poll_without_waiting() {
    let el = test_loop();
    el.set_dont_wait(true);
    assert_eq!(el.run_once(true).unwrap(), 0);
    assert_eq!(el.timeout(), Some(Duration::ZERO));
    el.set_dont_wait(false);
    assert!(el.timeout() > Some(Duration::from_secs(1)));
}

#[test]
fn files_alone_may_be_polled() {
    let el = test_loop();
    let (a, mut b) = UnixStream::pair().unwrap();
    let read = Rc::new(Cell::new(0));
    let seen = read.clone();
    el.watch(a.as_raw_fd(), Interest::READABLE, move |_, _| seen.set(seen.get() + 1)).unwrap();
    el.before_sleep(|_| panic!("a hook"));
    el.after_sleep(|_| panic!("a hook"));
    el.add_timer(Duration::ZERO, |_| panic!("a timer")).unwrap();
    assert_eq!(el.poll_files().unwrap(), 0);
    b.write_all(b"x").unwrap();
    assert_eq!(el.poll_files().unwrap(), 1);
    assert_eq!(read.get(), 1);
}

#[test]
fn errors_are_io_errors() {
    assert_eq!(EventLoop::new(0).err().unwrap().raw_os_error(), Some(libc::EINVAL));
    assert_eq!(EventLoop::with_backend(1, "carrier pigeon").err().unwrap().raw_os_error(), Some(libc::EINVAL));
    assert_eq!(EventLoop::with_backend(1, "poll").unwrap().backend(), "poll");
    let el = test_loop();
    let watch = |fd| el.watch(fd, Interest::READABLE, |_, _| {}).unwrap_err().raw_os_error();
    assert_eq!(watch(-1), Some(libc::EBADF));
    assert_eq!(watch(SET_SIZE as i32), Some(libc::ERANGE));
}

/// Echoes on every connection of a listener, and closes when the peer does.
fn serve_echo(listener: &Listener) -> Rc<RefCell<Vec<(Connection, Peer)>>> {
    let connections = Rc::new(RefCell::new(Vec::new()));
    let accepted = connections.clone();
    let echo: Handler = Rc::new(|conn: &Connection| {
        let mut buf = [0; 4096];
        match conn.read(&mut buf) {
            Ok(0) => conn.close(),
            Ok(count) => assert_eq!(conn.write_vectored(&[IoSlice::new(&buf[..count])]).unwrap(), count),
            Err(error) => assert_eq!(error.kind(), ErrorKind::WouldBlock),
        }
    });
    listener
        .on_accept(10, move |conn, peer| {
            conn.set_read_handler(Some(echo.clone())).unwrap();
            accepted.borrow_mut().push((conn, peer));
        })
        .unwrap();
    connections
}

#[test]
fn tcp_connections_echo_and_close() {
    let el = test_loop();
    let listener = Listener::tcp(&el, &["127.0.0.1"], 0, 16).unwrap();
    let connections = serve_echo(&listener);
    let address = listener.local_addrs()[0];
    let mut client = TcpStream::connect(address).unwrap();
    client.set_nonblocking(true).unwrap();
    client.write_all(b"hello").unwrap();
    let mut got = Vec::new();
    run_until(&el, || connections.borrow().len() == 1);
    while got.len() < 5 {
        el.run_once(false).unwrap();
        let _ = client.read_to_end(&mut got);
    }
    assert_eq!(got, b"hello");
    {
        let connections = connections.borrow();
        let (conn, peer) = &connections[0];
        assert_eq!(*peer, Peer::Tcp(client.local_addr().unwrap()));
        assert_eq!(conn.peer_addr().unwrap(), client.local_addr().unwrap().to_string());
        assert_eq!(conn.local_addr().unwrap(), address.to_string());
        assert!(conn.is_local());
        assert_eq!(conn.kind(), "tcp");
        conn.set_tcp_no_delay(true).unwrap();
        assert_eq!(option_of(conn, libc::TCP_NODELAY), 1);
        for (interval, seconds) in [(Duration::from_secs(60), 60), (Duration::from_millis(1), 1)] {
            conn.set_keep_alive(interval).unwrap();
            assert_eq!(option_of(conn, libc::TCP_KEEPIDLE), seconds);
        }
    }
    drop(client);
    run_until(&el, || !connections.borrow()[0].0.is_open());
    let conn = connections.borrow_mut().pop().unwrap().0;
    assert_eq!(conn.fd(), -1);
    assert_eq!(conn.write(b"x").unwrap_err().raw_os_error(), Some(libc::EBADF));
}

#[test]
fn a_connection_may_be_closed_where_it_is_accepted() {
    let el = test_loop();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("socket");
    let tcp = Listener::tcp(&el, &["127.0.0.1"], 0, 16).unwrap();
    let unix = Listener::unix(&el, &path, None, 16).unwrap();
    let ends = Rc::new(Cell::new(0));
    for listener in [&tcp, &unix] {
        listener.on_accept(1, |conn, _| conn.close()).unwrap();
    }
    let told = |ends: Rc<Cell<i32>>| {
        move |conn: &Connection, result: std::io::Result<()>| {
            result.unwrap();
            conn.set_read_handler(Some(Rc::new(move |conn| {
                assert_eq!(conn.read(&mut [0; 8]).unwrap(), 0);
                conn.close();
                ends.set(ends.get() + 1);
            })))
            .unwrap();
        }
    };
    let port = tcp.local_addrs()[0].port();
    let _a = Connection::connect_tcp(&el, "127.0.0.1", port, told(ends.clone())).unwrap();
    let _b = Connection::connect_unix(&el, &path, told(ends.clone())).unwrap();
    run_until(&el, || ends.get() == 2);
}

#[test]
fn a_broken_connection_says_why() {
    let el = test_loop();
    let listener = Listener::tcp(&el, &["127.0.0.1"], 0, 16).unwrap();
    let connections = Rc::new(RefCell::new(Vec::new()));
    let accepted = connections.clone();
    listener.on_accept(1, move |conn, _| accepted.borrow_mut().push(conn)).unwrap();
    let client = TcpStream::connect(listener.local_addrs()[0]).unwrap();
    run_until(&el, || connections.borrow().len() == 1);
    let conn = connections.borrow()[0].clone();
    // With a byte left unread the client's system answers a write with a reset.
    conn.write(b"x").unwrap();
    drop(client);
    run_until(&el, || conn.peer_has_finished());
    let error = conn.read(&mut [0; 8]).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ConnectionReset);
    assert_eq!(conn.last_error(), "Connection reset by peer");
    conn.close();
    assert_eq!(conn.last_error(), "");
    let closed = |error: std::io::Error| error.raw_os_error() == Some(libc::EBADF);
    assert!(conn.set_read_handler(Some(Rc::new(|_| {}))).is_err_and(closed));
    assert!(conn.set_write_handler(Some(Rc::new(|_| {}))).is_err_and(closed));
    assert!(conn.write_vectored(&[IoSlice::new(b"x")]).is_err_and(closed));
}

#[test]
fn connections_connect_over_tcp_and_unix() {
    let el = test_loop();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("socket");
    let unix = Listener::unix(&el, &path, Some(0o600), 16).unwrap();
    let tcp = Listener::tcp(&el, &["127.0.0.1"], 0, 16).unwrap();
    let port = tcp.local_addrs()[0].port();
    let (over_unix, over_tcp) = (serve_echo(&unix), serve_echo(&tcp));

    let got = Rc::new(RefCell::new(Vec::new()));
    let talk = |got: Rc<RefCell<Vec<u8>>>| {
        move |conn: &Connection, result: std::io::Result<()>| {
            result.unwrap();
            conn.write(b"ping").unwrap();
            conn.set_read_handler(Some(Rc::new(move |conn| {
                let mut buf = [0; 16];
                let count = conn.read(&mut buf).unwrap();
                got.borrow_mut().extend_from_slice(&buf[..count]);
            })))
            .unwrap();
        }
    };
    let _a = Connection::connect_unix(&el, &path, talk(got.clone())).unwrap();
    let _b = Connection::connect_tcp(&el, "127.0.0.1", port, talk(got.clone())).unwrap();
    run_until(&el, || got.borrow().len() == 8);
    assert_eq!(*got.borrow(), b"pingping");
    assert_eq!(over_unix.borrow()[0].1, Peer::Unix);
    assert!(matches!(over_tcp.borrow()[0].1, Peer::Tcp(_)));
}

#[test]
fn the_read_handler_runs_before_the_write_handler() {
    let el = test_loop();
    let listener = Listener::tcp(&el, &["127.0.0.1"], 0, 16).unwrap();
    let connections = Rc::new(RefCell::new(Vec::new()));
    let keep = connections.clone();
    listener.on_accept(1, move |conn, _| keep.borrow_mut().push(conn)).unwrap();
    let mut client = TcpStream::connect(listener.local_addrs()[0]).unwrap();
    client.write_all(b"x").unwrap();
    run_until(&el, || !connections.borrow().is_empty());
    let conn = connections.borrow()[0].clone();
    conn.wait_readable(Duration::from_secs(60)).unwrap();
    let noted = Rc::new(RefCell::new(Vec::new()));
    let note = |what: &'static str| -> Option<Handler> {
        let noted = noted.clone();
        Some(Rc::new(move |_| noted.borrow_mut().push(what)))
    };
    conn.set_write_handler(note("write")).unwrap();
    conn.set_read_handler(note("read")).unwrap();
    el.run_once(true).unwrap();
    assert_eq!(*noted.borrow(), ["read", "write"]);
}

#[test]
fn a_socket_that_listens_already_is_taken_over() {
    let el = test_loop();
    let socket = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = socket.local_addr().unwrap();
    let listener = Listener::from_socket(&el, socket.into()).unwrap();
    assert_eq!(listener.local_addrs(), [address]);
    // SAFETY: plain integers.
    let status = unsafe { libc::fcntl(listener.sockets().next().unwrap().as_raw_fd(), libc::F_GETFL) };
    assert_eq!(status & libc::O_NONBLOCK, libc::O_NONBLOCK);
    let (_client, _conn, peer) = accepted_over(&listener, &el, "127.0.0.1", address.port());
    assert!(matches!(peer, Peer::Tcp(_)));
    assert_eq!(listener.path(), None);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a socket");
    let over_unix = Listener::from_socket(&el, UnixListener::bind(&path).unwrap().into()).unwrap();
    assert_eq!(over_unix.path(), Some(path));
    let (a, _b) = UnixStream::pair().unwrap();
    assert_eq!(Listener::from_socket(&el, a.into()).err().unwrap().kind(), ErrorKind::InvalidInput);
}

#[test]
fn a_connect_that_cannot_begin_is_the_systems_error() {
    let el = test_loop();
    let refused = Connection::connect_unix(&el, std::path::Path::new("/nowhere"), |_, _| {});
    assert_eq!(refused.err().unwrap().raw_os_error(), Some(libc::ENOENT));
}

#[test]
fn a_unix_socket_that_somebody_listens_on_is_left_alone() {
    let el = test_loop();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("socket");
    let first = Listener::unix(&el, &path, None, 1).unwrap();
    let again = || Listener::unix(&el, &path, None, 1).map(drop).map_err(|error| error.kind());
    assert_eq!(again(), Err(ErrorKind::AddrInUse));
    // With a full backlog, too.
    let waiting: Vec<_> = (0..4).map_while(|_| Connection::connect_unix(&el, &path, |_, _| {}).ok()).collect();
    assert_eq!(again(), Err(ErrorKind::AddrInUse));
    assert!(path.exists());
    let with_options = || {
        let path = path.to_str().unwrap();
        Listener::with_options(&el, &[path], 0, &SocketOptions::default()).map(drop).map_err(|error| error.kind())
    };
    assert_eq!(with_options(), Err(ErrorKind::AddrInUse));
    assert_eq!(first.path().as_deref(), Some(&*path));
    drop(waiting);
    drop(first);
    assert_eq!(again(), Ok(()));
    assert_eq!(with_options(), Ok(()));
}

/// How many connections may wait for a socket that listens.
fn backlog_of(listener: &Listener) -> u32 {
    // SAFETY: plain integers, of which all zero is one.
    let mut info: libc::tcp_info = unsafe { std::mem::zeroed() };
    let mut size = size_of_val(&info) as libc::socklen_t;
    let fd = listener.sockets().next().unwrap().as_raw_fd();
    // SAFETY: the kernel writes no more than there is room for.
    let result = unsafe { libc::getsockopt(fd, libc::IPPROTO_TCP, libc::TCP_INFO, (&raw mut info).cast(), &mut size) };
    assert_eq!(result, 0);
    info.tcpi_sacked
}

#[test]
fn the_backlog_is_the_callers() {
    let el = test_loop();
    let most: u32 = std::fs::read_to_string("/proc/sys/net/core/somaxconn").unwrap().trim().parse().unwrap();
    let with = |backlog| {
        let options = options(|options| options.backlog = backlog);
        backlog_of(&Listener::with_options(&el, &["127.0.0.1"], 0, &options).unwrap())
    };
    assert_eq!(backlog_of(&Listener::tcp(&el, &["127.0.0.1"], 0, 16).unwrap()), 16.min(most));
    assert_eq!(backlog_of(&Listener::tcp(&el, &["127.0.0.1"], 0, u32::MAX).unwrap()), most);
    assert_eq!((with(7), with(0)), (7.min(most), 511.min(most)));
}

#[test]
fn one_call_accepts_as_many_as_the_caller_says() {
    let el = test_loop();
    let listener = Listener::tcp(&el, &["127.0.0.1"], 0, 16).unwrap();
    let accepted = Rc::new(Cell::new(0));
    let count = accepted.clone();
    listener.on_accept(1, move |_, _| count.set(count.get() + 1)).unwrap();
    let _clients = [0, 1, 2].map(|_| TcpStream::connect(listener.local_addrs()[0]).unwrap());
    el.run_once(true).unwrap();
    assert_eq!(accepted.get(), 1);
    run_until(&el, || accepted.get() == 3);
}

#[test]
fn a_dropped_listener_leaves_nothing_in_the_loop() {
    let el = EventLoop::new(SET_SIZE).unwrap();
    let listener = Listener::tcp(&el, &["127.0.0.1"], 0, 16).unwrap();
    listener.on_accept(1, |_, _| {}).unwrap();
    drop(listener);
    el.set_stop_when_idle(true);
    el.run().unwrap();
}

#[test]
fn reads_to_the_end_of_a_vector() {
    let el = test_loop();
    let listener = Listener::tcp(&el, &["127.0.0.1"], 0, 16).unwrap();
    let accepted = Rc::new(RefCell::new(Vec::new()));
    let keep = accepted.clone();
    listener.on_accept(1, move |conn, _| keep.borrow_mut().push(conn)).unwrap();
    let mut client = TcpStream::connect(listener.local_addrs()[0]).unwrap();
    run_until(&el, || !accepted.borrow().is_empty());
    let conn = accepted.borrow()[0].clone();
    let mut buf = Vec::with_capacity(16);
    buf.extend_from_slice(b"begun ");
    let at = buf.as_ptr();
    assert_eq!(conn.read_to_end_of(&mut buf, 10).unwrap_err().kind(), ErrorKind::WouldBlock);
    assert!(!conn.peer_has_finished());
    client.write_all(b"0123456789abc").unwrap();
    let read = |buf: &mut Vec<u8>, max| loop {
        match conn.read_to_end_of(buf, max) {
            Err(error) if error.kind() == ErrorKind::WouldBlock => {}
            result => break result.unwrap(),
        }
    };
    assert_eq!((read(&mut buf, 4), &buf[..]), (4, &b"begun 0123"[..]));
    assert_eq!((read(&mut buf, 100), &buf[..]), (6, &b"begun 0123456789"[..]));
    assert_eq!((buf.as_ptr(), read(&mut buf, 100)), (at, 0));
    client.shutdown(std::net::Shutdown::Write).unwrap();
    // Though there is more to read.
    run_until(&el, || conn.peer_has_finished());
    buf.clear();
    assert_eq!((read(&mut buf, 100), read(&mut buf, 100)), (3, 0));
    assert_eq!(buf, b"abc");
}

#[test]
fn a_program_may_wait_for_a_connection_without_its_loop() {
    let el = test_loop();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let conn = Connection::connect_tcp_within(&el, "127.0.0.1", port, Duration::from_secs(60)).unwrap();
    let (mut peer, _) = listener.accept().unwrap();
    let mut room = [0; 16];
    assert_eq!(conn.read(&mut room).unwrap_err().kind(), ErrorKind::WouldBlock);
    assert_eq!(conn.wait_readable(Duration::from_micros(1)).unwrap_err().kind(), ErrorKind::TimedOut);
    peer.write_all(b"hello").unwrap();
    conn.wait_readable(Duration::from_secs(60)).unwrap();
    assert_eq!(conn.read(&mut room).unwrap(), 5);
    let start = Instant::now();
    assert_eq!(conn.wait_readable(Duration::from_micros(1500)).unwrap_err().kind(), ErrorKind::TimedOut);
    assert!(start.elapsed() >= Duration::from_micros(1500));
    let data = vec![b'x'; 100_000];
    while conn.write(&data).is_ok() {}
    assert_eq!(conn.wait_writable(Duration::ZERO).unwrap_err().kind(), ErrorKind::TimedOut);
    let reader = std::thread::spawn(move || std::io::copy(&mut peer, &mut std::io::sink()));
    conn.wait_writable(Duration::from_secs(60)).unwrap();
    conn.write(&data).unwrap();
    conn.close();
    assert_eq!(conn.wait_readable(Duration::from_secs(60)).unwrap_err().raw_os_error(), Some(libc::EBADF));
    reader.join().unwrap().unwrap();
    let refused = Connection::connect_tcp_within(&el, "127.0.0.1", testkit::free_port(), Duration::from_secs(60));
    assert_eq!(refused.err().map(|error| error.kind()), Some(ErrorKind::ConnectionRefused));
}

#[test]
fn a_refused_connect_is_told() {
    let el = test_loop();
    let port = testkit::free_port();
    let error = Rc::new(Cell::new(None));
    let told = error.clone();
    let started = Connection::connect_tcp(&el, "127.0.0.1", port, move |_, result| {
        told.set(result.err().map(|error| error.kind()))
    });
    let _conn = started.unwrap();
    let told = error.clone();
    run_until(&el, || told.get().is_some());
    assert_eq!(error.get(), Some(ErrorKind::ConnectionRefused));
}

#[test]
fn dropping_the_last_handle_inside_its_handler_closes() {
    let el = test_loop();
    let listener = Listener::tcp(&el, &["127.0.0.1"], 0, 16).unwrap();
    let slot: Rc<RefCell<Option<Connection>>> = Rc::default();
    let accepted = slot.clone();
    listener
        .on_accept(1, move |conn, _| {
            let owner = accepted.clone();
            conn.set_read_handler(Some(Rc::new(move |conn| {
                drop(owner.borrow_mut().take());
                // The handle we were called with keeps it for the moment.
                assert!(conn.is_open());
            })))
            .unwrap();
            *accepted.borrow_mut() = Some(conn);
        })
        .unwrap();
    let mut client = TcpStream::connect(listener.local_addrs()[0]).unwrap();
    client.write_all(b"x").unwrap();
    run_until(&el, || slot.borrow().is_some());
    run_until(&el, || slot.borrow().is_none());
    // Reset rather than closed, since a byte was left unread.
    assert!(matches!(client.read(&mut [0; 1]), Ok(0) | Err(_)));
}

#[test]
fn connections_survive_their_loop() {
    let el = test_loop();
    let listener = Listener::tcp(&el, &["127.0.0.1"], 0, 16).unwrap();
    let connections = serve_echo(&listener);
    let mut client = TcpStream::connect(listener.local_addrs()[0]).unwrap();
    run_until(&el, || !connections.borrow().is_empty());
    let conn = connections.borrow_mut().pop().unwrap().0;
    conn.set_read_handler(None).unwrap();
    drop(el);
    let _another = test_loop(); // It is not theirs.
    assert_eq!(conn.write(b"late").unwrap(), 4);
    let kept = Rc::new(());
    let handler = || -> Option<Handler> {
        let kept = kept.clone();
        Some(Rc::new(move |_| _ = &kept))
    };
    assert!(conn.set_write_handler(handler()).is_err());
    assert!(conn.set_read_handler(handler()).is_err());
    assert_eq!(Rc::strong_count(&kept), 1, "a handler that was refused is kept");
    drop((conn, listener));
    let mut got = String::new();
    client.read_to_string(&mut got).unwrap();
    assert_eq!(got, "late");
}

/// Whether a newer loop is there, or the C functions make sockets that survive an exec.
#[test]
fn connections_stay_with_their_loop_and_their_process() {
    let (el, newer) = (test_loop(), test_loop());
    let listener = Listener::tcp(&el, &["127.0.0.1"], 0, 16).unwrap();
    let connections = serve_echo(&listener);
    let connected = Rc::new(Cell::new(false));
    let done = connected.clone();
    let port = listener.local_addrs()[0].port();
    let client = Connection::connect_tcp(&el, "127.0.0.1", port, move |_, result| {
        result.unwrap();
        done.set(true);
    })
    .unwrap();
    run_until(&el, || connected.get() && connections.borrow().len() == 1);
    assert_eq!(newer.run_once(false).unwrap(), 0);
    for fd in [client.fd(), connections.borrow()[0].0.fd()] {
        // SAFETY: plain integers.
        let (status, descriptor) = unsafe { (libc::fcntl(fd, libc::F_GETFL), libc::fcntl(fd, libc::F_GETFD)) };
        assert_eq!(status & libc::O_NONBLOCK, libc::O_NONBLOCK);
        assert_eq!(descriptor & libc::FD_CLOEXEC, libc::FD_CLOEXEC);
    }
}

#[test]
fn every_address_of_a_listener_listens() {
    let el = test_loop();
    let listener = Listener::tcp(&el, &["127.0.0.1", "-::1", "-192.0.2.1"], 0, 16).unwrap();
    assert!(listener.local_addrs().iter().all(|address| address.ip().is_loopback()));
    assert!(Listener::tcp(&el, &["-192.0.2.1"], 0, 16).is_err());
    let port = listener.local_addrs()[0].port();
    let taken = Listener::tcp(&el, &["127.0.0.1"], port, 16).err().unwrap();
    assert_eq!(taken.kind(), ErrorKind::AddrInUse);
    assert!(taken.to_string().contains("bind"), "{taken}");
}

/// Calls a function when it is dropped.
struct OnDrop<F: Fn()>(F);

impl<F: Fn()> Drop for OnDrop<F> {
    fn drop(&mut self) {
        (self.0)();
    }
}

#[test]
fn a_replaced_hook_may_use_the_loop_when_it_is_dropped() {
    let el = test_loop();
    // Without a descriptor to poll there is no sleep.
    let (quiet, _peer) = UnixStream::pair().unwrap();
    el.watch(quiet.as_raw_fd(), Interest::READABLE, |_, _| {}).unwrap();
    let runs = Rc::new(Cell::new(0));
    let guard = || {
        let el = el.clone();
        OnDrop(move || _ = el.run_once(false).unwrap())
    };
    let count = || {
        let runs = runs.clone();
        move |_: &EventLoop| runs.set(runs.get() + 1)
    };
    let (before, after) = (guard(), guard());
    el.before_sleep(move |_| {
        let _owned = &before;
    });
    el.after_sleep(move |_| {
        let _owned = &after;
    });
    el.before_sleep(count());
    el.after_sleep(count());
    assert_eq!(runs.get(), 3);
}

#[test]
fn replaced_callbacks_may_use_the_loop_when_they_are_dropped() {
    let el = test_loop();
    let (a, _b) = UnixStream::pair().unwrap();
    let (fd, dropped) = (a.as_raw_fd(), Rc::new(Cell::new(0)));
    let guard = || {
        let (el, dropped) = (el.clone(), dropped.clone());
        OnDrop(move || {
            dropped.set(dropped.get() + 1);
            el.unwatch(fd, Interest::READABLE);
            el.unwatch_signal(libc::SIGUSR1);
        })
    };
    let guarded_watch = || {
        let guard = guard();
        el.watch(fd, Interest::WRITABLE, move |_, _| _ = &guard).unwrap();
    };
    guarded_watch();
    guarded_watch();
    assert_eq!(dropped.get(), 1);
    el.unwatch(fd, Interest::WRITABLE);
    assert_eq!(dropped.get(), 2);
    let guarded_signal = || {
        let guard = guard();
        el.watch_signal(libc::SIGUSR2, move |_| _ = &guard).unwrap();
    };
    guarded_signal();
    guarded_signal();
    assert_eq!(dropped.get(), 3);
    assert!(el.unwatch_signal(libc::SIGUSR2));
    assert_eq!(dropped.get(), 4);
}

#[test]
fn a_periodic_timer_drops_its_callback_when_it_ends() {
    let el = test_loop();
    let dropped = Rc::new(Cell::new(false));
    let (guard, mut runs) = (Dropped(dropped.clone()), 0);
    el.add_periodic_timer(Duration::ZERO, Duration::from_millis(1), move |_| {
        let _owned = &guard;
        runs += 1;
        if runs < 2 { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
    })
    .unwrap();
    run_until(&el, || dropped.get());
}

#[test]
fn the_counter_goes_on() {
    // Not every machine has one.
    let Some(counter) = Counter::new() else { return };
    let (clock, before) = (Instant::now(), counter.read());
    while clock.elapsed() < Duration::from_millis(1) {}
    // No processor counts as slowly as a clock in microseconds.
    assert!(counter.read() - before > 1000);
}

#[test]
fn other_threads_post_wake_and_stop() {
    let el = test_loop();
    let waker = el.waker();
    let threads: Vec<_> = (0..4)
        .map(|thread| {
            let waker = waker.clone();
            std::thread::spawn(move || {
                (0..100).for_each(|number| {
                    waker
                        .post(move |el| {
                            LOG.with_borrow_mut(|log| {
                                log.push((thread, number));
                                if log.len() == 400 {
                                    el.stop();
                                }
                            })
                        })
                        .unwrap();
                });
                waker.wake().unwrap();
            })
        })
        .collect();
    thread_local! {
        static LOG: RefCell<Vec<(i32, i32)>> = const { RefCell::new(Vec::new()) };
    }
    el.run().unwrap();
    threads.into_iter().for_each(|thread| thread.join().unwrap());
    for thread in 0..4 {
        let of_this: Vec<i32> =
            LOG.with_borrow(|log| log.iter().filter(|one| one.0 == thread).map(|one| one.1).collect());
        assert!(of_this.into_iter().eq(0..100));
    }
    let stopper = el.waker();
    std::thread::spawn(move || stopper.stop_now().unwrap());
    el.run().unwrap();
}

#[test]
fn a_waker_outlives_its_loop() {
    let el = test_loop();
    let waker = el.waker();
    let dropped = std::sync::Arc::new(());
    let held = dropped.clone();
    waker.post(move |_| drop(held)).unwrap();
    drop(el);
    assert_eq!(std::sync::Arc::strong_count(&dropped), 1, "what was not run is dropped");
    let held = dropped.clone();
    assert_eq!(waker.post(move |_| drop(held)).unwrap_err().raw_os_error(), Some(libc::ECANCELED));
    assert_eq!(std::sync::Arc::strong_count(&dropped), 1);
    assert_eq!(waker.wake().unwrap_err().raw_os_error(), Some(libc::ECANCELED));
    // Another loop, maybe in the same place, is not taken for it.
    let _other = test_loop();
    assert_eq!(waker.stop_now().unwrap_err().raw_os_error(), Some(libc::ECANCELED));
}

#[test]
fn a_loop_runs_inside_another() {
    let (outer, inner) = (test_loop(), EventLoop::new(SET_SIZE).unwrap());
    let ticks = Rc::new(Cell::new(0));
    let counted = ticks.clone();
    assert_eq!(inner.timeout(), None);
    inner
        .add_periodic_timer(Duration::ZERO, Duration::from_millis(1), move |_| {
            counted.set(counted.get() + 1);
            if counted.get() < 3 { std::ops::ControlFlow::Continue(()) } else { std::ops::ControlFlow::Break(()) }
        })
        .unwrap();
    assert!(inner.timeout().is_some_and(|timeout| timeout <= Duration::from_millis(1)));
    let fd = inner.backend_fd().unwrap().as_raw_fd();
    let hosted = inner.clone();
    outer.watch(fd, Interest::READABLE, move |_, _| _ = hosted.run_once(false).unwrap()).unwrap();
    run_until(&outer, || ticks.get() == 3);
    outer.unwatch(fd, Interest::READABLE);
    assert!(inner.add_periodic_timer(Duration::ZERO, Duration::ZERO, |_| unreachable!()).is_err());
}

/// What a panic in a callback says where the loop runs.
fn panic_of(el: &EventLoop) -> String {
    let panic = catch_unwind(AssertUnwindSafe(|| el.run())).expect_err("no panic came out");
    panic.downcast_ref::<&str>().expect("a text").to_string()
}

#[test]
fn a_panic_comes_out_where_the_loop_runs() {
    let el = test_loop();
    let (a, mut b) = UnixStream::pair().unwrap();
    b.write_all(b"x").unwrap();
    let fd = a.as_raw_fd();
    el.watch(fd, Interest::READABLE, |_, _| panic!("in a watcher")).unwrap();
    assert_eq!(panic_of(&el), "in a watcher");
    // The loop is whole, and tells it again.
    assert_eq!(panic_of(&el), "in a watcher");
    el.unwatch(fd, Interest::READABLE);

    el.add_timer(Duration::ZERO, |_| panic!("in a timer")).unwrap();
    assert_eq!(panic_of(&el), "in a timer");
    el.waker().post(|_| panic!("in a post")).unwrap();
    assert_eq!(panic_of(&el), "in a post");
    el.before_sleep(|_| panic!("in a hook"));
    assert_eq!(panic_of(&el), "in a hook");
    el.before_sleep(|_| {});

    let listener = Listener::tcp(&el, &["127.0.0.1"], 0, 8).unwrap();
    listener.on_accept(10, |_, _| panic!("in an accept")).unwrap();
    let client = TcpStream::connect(listener.local_addrs()[0]).unwrap();
    assert_eq!(panic_of(&el), "in an accept");
    drop((client, listener));

    // Nothing is left of it.
    el.add_timer(Duration::ZERO, |el| {
        el.stop();
        Next::Stop
    })
    .unwrap();
    el.run().unwrap();
}

#[test]
fn a_panic_of_an_inner_loop_passes_through_the_outer_one() {
    let (outer, inner) = (test_loop(), test_loop());
    let caught = Rc::new(Cell::new(false));
    let seen = caught.clone();
    inner.add_timer(Duration::ZERO, |_| panic!("inside")).unwrap();
    outer
        .add_timer(Duration::ZERO, move |_| {
            let panic = catch_unwind(AssertUnwindSafe(|| inner.run())).unwrap_err();
            seen.set(true);
            resume_unwind(panic)
        })
        .unwrap();
    assert_eq!(panic_of(&outer), "inside");
    assert!(caught.get());
}

#[test]
fn connections_are_read_and_written_as_std_does() {
    let el = test_loop();
    let listener = Listener::tcp(&el, &["127.0.0.1"], 0, 8).unwrap();
    let accepted = serve_echo(&listener);
    let text = Rc::new(RefCell::new(String::new()));
    let kept = text.clone();
    let port = listener.local_addrs()[0].port();
    let conn = Connection::connect_tcp(&el, "127.0.0.1", port, move |conn, result| {
        result.unwrap();
        write!(&mut &*conn, "{} {}", 6, 7).unwrap();
        (&mut &*conn).flush().unwrap();
        let kept = kept.clone();
        let handler: Handler = Rc::new(move |conn: &Connection| {
            let error = (&mut &*conn).read_to_string(&mut kept.borrow_mut()).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::WouldBlock);
        });
        conn.set_read_handler(Some(handler)).unwrap();
    })
    .unwrap();
    assert!(conn.as_raw_fd() >= 0);
    run_until(&el, || *text.borrow() == "6 7");
    conn.close();
    assert_eq!(conn.as_raw_fd(), -1);
    accepted.borrow_mut().clear();
}

#[test]
fn signals_and_children_are_events() {
    let el = test_loop();
    let signals = Rc::new(Cell::new(0));
    let seen = signals.clone();
    el.watch_signal(libc::SIGUSR1, move |_| seen.set(seen.get() + 1)).unwrap();
    let other = test_loop();
    assert_eq!(other.watch_signal(libc::SIGUSR1, |_| ()).unwrap_err().raw_os_error(), Some(libc::EBUSY));
    // SAFETY: it has a handler.
    unsafe { libc::kill(libc::getpid(), libc::SIGUSR1) };
    run_until(&el, || signals.get() == 1);
    assert!(el.unwatch_signal(libc::SIGUSR1) && !el.unwatch_signal(libc::SIGUSR1));
    assert_eq!(Rc::strong_count(&signals), 1);

    let mut child = Command::new("sh").args(["-c", "exit 7"]).spawn().unwrap();
    let status = Rc::new(Cell::new(None));
    let seen = status.clone();
    el.watch_child(child.id(), move |_, status| seen.set(status)).unwrap();
    run_until(&el, || status.get().is_some());
    assert_eq!(status.get().unwrap().code(), Some(7));
    assert!(!el.unwatch_child(child.id()));
    assert_eq!(child.wait().unwrap_err().raw_os_error(), Some(libc::ECHILD), "the loop has waited for it");
    assert_eq!(el.watch_child(0, |_, _| ()).unwrap_err().kind(), ErrorKind::InvalidInput);
    assert!(!el.unwatch_child(u32::MAX), "there is no such process");

    let mut child = Command::new("cat").stdin(Stdio::piped()).spawn().unwrap();
    el.watch_child(child.id(), |_, _| panic!("the loop waits for it no more")).unwrap();
    assert!(el.unwatch_child(child.id()) && !el.unwatch_child(child.id()));
    assert!(child.wait().unwrap().success(), "it is the program's to wait for again");
    el.run_once(false).unwrap();
}

#[test]
fn nothing_fires_that_is_watched_no_more() {
    let el = test_loop();
    let (ours, mut theirs) = UnixStream::pair().unwrap();
    el.watch(ours.as_raw_fd(), Interest::READABLE, |_, _| ()).unwrap();
    theirs.write_all(b"x").unwrap();
    assert_eq!(el.poll_files().unwrap(), 1);
    el.unwatch(ours.as_raw_fd(), Interest::READABLE);
    assert_eq!(el.poll_files().unwrap(), 0);
}

#[test]
fn names_are_looked_up() {
    let el = test_loop();
    let found = Rc::new(RefCell::new(None));
    let kept = found.clone();
    el.resolve("127.0.0.1", move |_, addresses| *kept.borrow_mut() = Some(addresses.unwrap())).unwrap();
    assert!(found.borrow().is_none(), "not before the loop goes on");
    run_until(&el, || found.borrow().is_some());
    assert_eq!(found.take().unwrap(), [IpAddr::from([127, 0, 0, 1])]);
}

#[test]
fn names_are_connected_to() {
    let el = test_loop();
    let port = testkit::free_port();
    let _listener = Listener::tcp(&el, &["127.0.0.1"], port, 8).unwrap();
    let stream = Rc::new(RefCell::new(None));
    let kept = stream.clone();
    el.connect_name("127.0.0.1", port, move |_, result| *kept.borrow_mut() = Some(result.unwrap())).unwrap();
    run_until(&el, || stream.borrow().is_some());
    assert_eq!(stream.borrow().as_ref().unwrap().peer_addr().unwrap().port(), port);

    let error = Rc::new(RefCell::new(None));
    let kept = error.clone();
    el.connect_name("127.0.0.1", testkit::free_port(), move |_, result| *kept.borrow_mut() = result.err()).unwrap();
    run_until(&el, || error.borrow().is_some());
    assert_eq!(error.borrow().as_ref().unwrap().kind(), ErrorKind::ConnectionRefused);

    // What is cancelled, and what a loop that goes has not told, is dropped.
    let told = Rc::new(());
    let was_told = Rc::new(Cell::new(false));
    let ask = || {
        let (kept, was_told) = (told.clone(), was_told.clone());
        el.resolve("127.0.0.1", move |_, _| _ = (&kept, was_told.set(true))).unwrap()
    };
    let id = ask();
    assert!(el.cancel(id) && !el.cancel(id));
    assert_eq!(Rc::strong_count(&told), 1);
    ask();
    assert!(el.resolve("a\0b", |_, _| ()).is_err());
    drop(el);
    assert_eq!(Rc::strong_count(&told), 1);
    assert!(!was_told.get());
}

#[test]
fn connections_connect_to_names() {
    let el = test_loop();
    let port = testkit::free_port();
    let _listener = Listener::tcp(&el, &["127.0.0.1"], port, 8).unwrap();
    let connect = |port| {
        let told = Rc::new(RefCell::new(None));
        let kept = told.clone();
        let options = SocketOptions::default();
        let connected = move |_: &Connection, result| *kept.borrow_mut() = Some(result);
        (Connection::connect_name(&el, "127.0.0.1", port, &options, connected).unwrap(), told)
    };
    let (conn, told) = connect(port);
    assert!(conn.is_open() && conn.fd() == -1 && told.borrow().is_none());
    conn.set_read_handler(Some(Rc::new(|_: &Connection| ()))).unwrap();
    run_until(&el, || told.borrow().is_some());
    told.take().unwrap().unwrap();
    assert_eq!(conn.peer_addr().unwrap(), format!("127.0.0.1:{port}"));

    let (_conn, told) = connect(testkit::free_port());
    run_until(&el, || told.borrow().is_some());
    assert_eq!(told.take().unwrap().unwrap_err().kind(), ErrorKind::ConnectionRefused);

    // One that is closed is told nothing, and lets go of its closure; one whose loop goes is told that.
    let (conn, told) = connect(port);
    conn.close();
    assert_eq!(Rc::strong_count(&told), 1);
    let (_conn, told) = connect(port);
    drop(el);
    assert_eq!(told.take().unwrap().unwrap_err().raw_os_error(), Some(libc::ECANCELED));
}

#[test]
fn timers_move() {
    let el = test_loop();
    let ran = Rc::new(Cell::new(false));
    let set = ran.clone();
    let id = el
        .add_timer(Duration::from_secs(3600), move |_| {
            set.set(true);
            Next::Stop
        })
        .unwrap();
    assert!(el.reset_timer(id, Duration::ZERO).unwrap());
    run_until(&el, || ran.get());
    assert!(!el.reset_timer(id, Duration::ZERO).unwrap());
}

fn options(set: impl FnOnce(&mut SocketOptions)) -> SocketOptions {
    let mut options = SocketOptions::default();
    set(&mut options);
    options
}

/// Accepts one connection of a client that connects to `address`.
fn accepted_over(listener: &Listener, el: &EventLoop, address: &str, port: u16) -> (Connection, Connection, Peer) {
    let accepted = serve_echo(listener);
    let result = Rc::new(Cell::new(None));
    let told = result.clone();
    let client = Connection::connect_with(el, address, port, &SocketOptions::default(), move |_, result| {
        told.set(Some(result.is_ok()));
    });
    let client = client.unwrap();
    run_until(el, || result.get().is_some() && !accepted.borrow().is_empty());
    assert_eq!(result.get(), Some(true));
    let (conn, peer) = accepted.borrow_mut().pop().unwrap();
    (client, conn, peer)
}

/// A number that is an option of a connection over TCP.
fn option_of(conn: &Connection, option: i32) -> i32 {
    let (mut value, mut size) = (-1, size_of::<i32>() as libc::socklen_t);
    // SAFETY: the kernel writes no more than there is room for.
    let result = unsafe { libc::getsockopt(conn.fd(), libc::IPPROTO_TCP, option, (&raw mut value).cast(), &mut size) };
    assert_eq!(result, 0);
    value
}

#[test]
fn listeners_and_connects_have_options() {
    let el = test_loop();
    let both = options(|options| {
        options.user_timeout = Some(Duration::from_millis(2500));
        options.keep_alive = Some(Duration::from_millis(2));
        options.no_delay = Some(true);
        options.mptcp = Mptcp::No;
    });
    let listener = Listener::with_options(&el, &["127.0.0.1"], 0, &both).unwrap();
    let port = listener.local_addrs()[0].port();
    let (client, conn, peer) = accepted_over(&listener, &el, "127.0.0.1", port);
    assert!(matches!(peer, Peer::Tcp(_)));
    assert_eq!(client.peer_credentials().unwrap_err().raw_os_error(), Some(libc::EOPNOTSUPP));
    conn.set_quick_ack(true).unwrap();
    assert_eq!(option_of(&conn, libc::TCP_USER_TIMEOUT), 2500);
    assert_eq!(option_of(&conn, libc::TCP_KEEPIDLE), 1, "less than a second is one");
    let least = options(|options| options.user_timeout = Some(Duration::from_nanos(1)));
    let shortest = Connection::connect_with(&el, "127.0.0.1", port, &least, |_, _| ()).unwrap();
    assert_eq!(option_of(&shortest, libc::TCP_USER_TIMEOUT), 1, "less than a millisecond is one");
    let socket = SocketOptions::default().connect("127.0.0.1", port).unwrap();
    // SAFETY: plain integers.
    let (status, descriptor) =
        unsafe { (libc::fcntl(socket.as_raw_fd(), libc::F_GETFL), libc::fcntl(socket.as_raw_fd(), libc::F_GETFD)) };
    assert_eq!(status & libc::O_NONBLOCK, libc::O_NONBLOCK);
    assert_eq!(descriptor & libc::FD_CLOEXEC, libc::FD_CLOEXEC);

    // Several listen on the port once all of them want to.
    let shared = options(|options| options.reuse_port = true);
    let error = Listener::with_options(&el, &["127.0.0.1"], port, &shared).err().unwrap();
    assert_eq!(error.kind(), ErrorKind::AddrInUse);
    let first = Listener::with_options(&el, &["127.0.0.1"], 0, &shared).unwrap();
    Listener::with_options(&el, &["127.0.0.1"], first.local_addrs()[0].port(), &shared).unwrap();
}

#[test]
fn abstract_unix_sockets_tell_who_connects() {
    let el = test_loop();
    let name = format!("@libae-rust-{}", std::process::id());
    let listener = Listener::with_options(&el, &[&name], 0, &SocketOptions::default()).unwrap();
    assert_eq!(listener.path(), None);
    let (_client, conn, peer) = accepted_over(&listener, &el, &name, 0);
    assert_eq!((peer, conn.kind()), (Peer::Unix, "unix"));
    assert_eq!(conn.peer_credentials().unwrap().process, Some(std::process::id()));
    let again = Listener::with_options(&el, &[&name], 0, &SocketOptions::default()).err().unwrap();
    assert_eq!(again.kind(), ErrorKind::AddrInUse);
    let two = [format!("{name}-1"), format!("{name}-2")];
    let listener = Listener::with_options(&el, &two, 0, &SocketOptions::default()).unwrap();
    for name in two {
        assert_eq!(accepted_over(&listener, &el, &name, 0).1.kind(), "unix");
    }
}

/// This test three times over: it starts itself, which hands a socket over to itself.
#[test]
fn the_next_program_takes_the_listening_sockets_over() {
    const STEP: &str = "LIBAE_TEST_STEP";
    const DONE: i32 = 7;
    let myself = |step: &str| {
        let mut command = Command::new(std::env::current_exe().unwrap());
        command.args(["--exact", "the_next_program_takes_the_listening_sockets_over"]).env(STEP, step);
        command
    };
    match std::env::var(STEP).as_deref() {
        Err(_) => assert_eq!(myself("hand over").status().unwrap().code(), Some(DONE)),
        Ok("hand over") => {
            let socket = TcpListener::bind("127.0.0.1:0").unwrap();
            let not_there = exec_with_listeners(&mut Command::new("/not/there"), &[socket.as_fd()]);
            assert_eq!(not_there.kind(), ErrorKind::NotFound);
            panic!("{}", exec_with_listeners(&mut myself("take over"), &[socket.as_fd()]));
        }
        Ok(_) => {
            let el = test_loop();
            let mut sockets = inherited_sockets().unwrap();
            assert!(inherited_sockets().unwrap().is_empty(), "they are given away once");
            let listener = Listener::from_socket(&el, sockets.pop().unwrap()).unwrap();
            assert!(sockets.is_empty());
            let port = listener.local_addrs()[0].port();
            accepted_over(&listener, &el, "127.0.0.1", port);
            std::process::exit(DONE);
        }
    }
}

#[test]
fn a_refused_option_is_named() {
    let el = test_loop();
    let wrong = options(|options| options.source = Some("127.0.0.1".into()));
    let error = Listener::with_options(&el, &["127.0.0.1"], 0, &wrong).err().unwrap();
    assert_eq!(error.kind(), ErrorKind::InvalidInput);
    assert!(error.to_string().contains("source"), "{error}");
    let wrong = options(|options| options.backlog = 1);
    let error = Connection::connect_with(&el, "127.0.0.1", 1, &wrong, |_, _| unreachable!()).err().unwrap();
    assert!(error.to_string().contains("backlog"), "{error}");
    let mixed = Listener::with_options(&el, &["127.0.0.1", "@libae"], 0, &SocketOptions::default()).err().unwrap();
    assert_eq!(mixed.kind(), ErrorKind::InvalidInput);
}
