//! libae from Rust by bindgen: a timer, an echo server and a client in one loop. It is for programs that use libae as
//! any other C library; the crate `libae` has a safe API.
//!
//!     bindgen --default-macro-constant-type signed --allowlist-function '(ae|anet).*' --allowlist-var '(AE|ANET)_.*' \
//!         wrapper.h -o bindings.rs -- $(pkg-config --cflags libae)
//!     rustc --edition 2021 main.rs $(pkg-config --libs libae)
//!     ./main                             all three; ends by itself
//!     ./main --serve 7000                the server alone, until Ctrl-C

#[allow(dead_code, non_camel_case_types, non_snake_case)]
mod bindings {
    include!("bindings.rs");
}

use bindings::*;
use std::any::Any;
use std::cell::{Cell, RefCell};
use std::ffi::{c_char, c_int, c_longlong, c_void, CStr};
use std::io::{self, Read, Write};
use std::mem::ManuallyDrop;
use std::net::TcpStream;
use std::os::fd::FromRawFd;
use std::panic::{catch_unwind, resume_unwind, AssertUnwindSafe};
use std::ptr::null_mut;

const LOCALHOST: *const c_char = b"127.0.0.1\0".as_ptr().cast();
const SIGINT: c_int = 2;

thread_local! {
    static FAILURE: RefCell<Option<Box<dyn Any + Send>>> = const { RefCell::new(None) };
    static TICKS: Cell<i32> = const { Cell::new(0) };
    static PORT: Cell<c_int> = const { Cell::new(0) };
    static ANSWER: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
}

/// A panic that left a callback would abort the process: it is kept, the loop stops, and `run` goes on with it.
fn guarded<T>(el: *mut aeEventLoop, after_failure: T, call: impl FnOnce() -> T) -> T {
    catch_unwind(AssertUnwindSafe(call)).unwrap_or_else(|failure| {
        FAILURE.with(|kept| _ = kept.borrow_mut().get_or_insert(failure));
        unsafe { aeStopNow(el) };
        after_failure
    })
}

fn run(el: *mut aeEventLoop) {
    unsafe { aeMain(el) };
    if let Some(failure) = FAILURE.with(|kept| kept.borrow_mut().take()) {
        resume_unwind(failure);
    }
}

fn check(result: c_int, what: &str) -> c_int {
    if result == -1 {
        panic!("{what}: {}", io::Error::last_os_error()); // errno, right after the call
    }
    result
}

fn watch(el: *mut aeEventLoop, fd: c_int, mask: c_int, call: aeFileProc) {
    check(unsafe { aeCreateFileEvent(el, fd, mask, call, null_mut()) }, "aeCreateFileEvent");
}

/// The socket, which stays open.
fn socket(fd: c_int) -> ManuallyDrop<TcpStream> {
    ManuallyDrop::new(unsafe { TcpStream::from_raw_fd(fd) })
}

fn close(el: *mut aeEventLoop, fd: c_int) {
    unsafe { aeDeleteFileEvent(el, fd, AE_READABLE | AE_WRITABLE) };
    drop(ManuallyDrop::into_inner(socket(fd)));
}

unsafe extern "C" fn on_accept(el: *mut aeEventLoop, server: c_int, _: *mut c_void, _: c_int) {
    guarded(el, (), || {
        let client = unsafe { anetTcpAccept(null_mut(), server, null_mut(), 0, null_mut()) };
        if client == -1 && io::Error::last_os_error().kind() == io::ErrorKind::WouldBlock {
            return; // it has gone again
        }
        watch(el, check(client, "anetTcpAccept"), AE_READABLE, Some(on_echo));
    })
}

unsafe extern "C" fn on_echo(el: *mut aeEventLoop, fd: c_int, _: *mut c_void, _: c_int) {
    guarded(el, (), || {
        let mut block = [0; 4096];
        let mut client = socket(fd);
        // A client that does not read its answers is closed; examples/c/echo.c waits for it.
        match client.read(&mut block) {
            Ok(count) if count > 0 && client.write(&block[..count]).is_ok_and(|sent| sent == count) => {}
            _ => close(el, fd),
        }
    })
}

unsafe extern "C" fn on_time(el: *mut aeEventLoop, _: c_longlong, _: *mut c_void) -> c_int {
    guarded(el, AE_NOMORE, || {
        TICKS.set(TICKS.get() + 1);
        println!("tick {}", TICKS.get());
        if TICKS.get() < 3 {
            return 20; // again in 20 milliseconds
        }
        let client = unsafe { anetTcpNonBlockConnect(null_mut(), LOCALHOST, PORT.get()) };
        watch(el, check(client, "anetTcpNonBlockConnect"), AE_WRITABLE, Some(on_connected));
        AE_NOMORE
    })
}

unsafe extern "C" fn on_connected(el: *mut aeEventLoop, fd: c_int, _: *mut c_void, _: c_int) {
    guarded(el, (), || {
        socket(fd).write_all(b"hello\n").expect("write");
        unsafe { aeDeleteFileEvent(el, fd, AE_WRITABLE) };
        watch(el, fd, AE_READABLE, Some(on_answer));
    })
}

unsafe extern "C" fn on_answer(el: *mut aeEventLoop, fd: c_int, _: *mut c_void, _: c_int) {
    guarded(el, (), || {
        let mut block = [0; 4096];
        let count = socket(fd).read(&mut block).expect("read");
        let answer = ANSWER.with(|answer| {
            answer.borrow_mut().extend_from_slice(&block[..count]);
            String::from_utf8_lossy(&answer.borrow()).into_owned()
        });
        if count > 0 && !answer.ends_with('\n') {
            return;
        }
        print!("echo: {answer}");
        close(el, fd);
        unsafe { aeStop(el) };
    })
}

unsafe extern "C" fn on_interrupt(el: *mut aeEventLoop, _: c_int, _: *mut c_void) {
    unsafe { aeStop(el) }
}

fn listen(el: *mut aeEventLoop, wanted: c_int) -> c_int {
    let mut err = [0; ANET_ERR_LEN as usize];
    let mut port = 0;
    let server = unsafe { anetTcpServer(err.as_mut_ptr(), wanted, LOCALHOST, 511) };
    if server == -1 {
        eprintln!("{}", unsafe { CStr::from_ptr(err.as_ptr()) }.to_string_lossy());
        std::process::exit(1);
    }
    check(unsafe { anetNonBlock(null_mut(), server) }, "anetNonBlock");
    check(unsafe { anetSockName(server, null_mut(), 0, &mut port) }, "anetSockName");
    watch(el, server, AE_READABLE, Some(on_accept));
    println!("listening on port {port}");
    PORT.set(port);
    server
}

fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    let serve = arguments.len() == 3 && arguments[1] == "--serve";
    let el = unsafe { aeCreateEventLoop(1024) };
    assert!(!el.is_null(), "aeCreateEventLoop: {}", io::Error::last_os_error());
    let server = listen(el, if serve { arguments[2].parse().expect("a port") } else { 0 });
    check(unsafe { aeCreateSignalEvent(el, SIGINT, Some(on_interrupt), null_mut()) }, "aeCreateSignalEvent");
    if !serve {
        let timer = unsafe { aeCreateTimeEvent(el, 20, Some(on_time), null_mut(), None) };
        assert!(timer != -1, "aeCreateTimeEvent: {}", io::Error::last_os_error());
    }
    run(el);
    close(el, server);
    unsafe { aeDeleteEventLoop(el) };
    println!("stopped");
}
