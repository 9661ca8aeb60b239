//! Free ports.

use std::net::TcpListener;
use std::os::linux::net::SocketAddrExt;
use std::os::unix::net::{self as unix, UnixListener};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU32, Ordering};

/// How many there are for tests.
const COUNT: u32 = 2_700;

/// A port on which nobody listens, from 30000 on. The system gives none below 32768 to a socket that asks for
/// any, and the suites of forks use none from 30000 on. Other test processes see by an abstract unix socket that it is
/// taken, so nobody is on it a moment later. (tools/testkit/ports.py does the same.)
pub fn free_port() -> u16 {
    static CALLS: AtomicU32 = AtomicU32::new(0);
    static TAKEN: Mutex<Vec<UnixListener>> = Mutex::new(Vec::new());
    for _ in 0..COUNT {
        let number = (std::process::id() * 7 + CALLS.fetch_add(1, Ordering::Relaxed)) % COUNT;
        let port = 30_000 + u16::try_from(number).unwrap();
        let name = unix::SocketAddr::from_abstract_name(format!("libae-test-port-{port}")).unwrap();
        let Ok(taken) = UnixListener::bind_addr(&name) else { continue };
        if TcpListener::bind(("127.0.0.1", port)).is_ok() {
            TAKEN.lock().unwrap().push(taken);
            return port;
        }
    }
    panic!("all {COUNT} ports of tests are taken");
}
