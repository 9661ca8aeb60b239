//! Free ports.

use rustix::net::{AddressFamily, SocketFlags, SocketType, bind, socket_with, sockopt};
use std::net::{Ipv4Addr, SocketAddrV4};
use std::os::linux::net::SocketAddrExt;
use std::os::unix::net::{self as unix, UnixListener};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU32, Ordering};

/// How many there are for tests.
const COUNT: u32 = 2_700;

/// A port on which nobody listens, from 30000 on; as long as this lives no other test is given it. The system gives
/// none below 32768 to a socket that asks for any, and the suites of forks use none from 30000 on. Other test processes
/// see by an abstract unix socket that it is taken. (tools/testkit/ports.py does the same.)
pub struct Port {
    pub(crate) number: u16,
    _taken: UnixListener,
}

impl Port {
    pub(crate) fn take() -> Port {
        static CALLS: AtomicU32 = AtomicU32::new(0);
        (0..COUNT)
            .find_map(|_| Port::try_take((std::process::id() * 7 + CALLS.fetch_add(1, Ordering::Relaxed)) % COUNT))
            .unwrap_or_else(|| panic!("all {COUNT} ports of tests are taken"))
    }

    fn try_take(index: u32) -> Option<Port> {
        let number = 30_000 + u16::try_from(index).unwrap();
        let name = unix::SocketAddr::from_abstract_name(format!("libae-test-port-{number}")).unwrap();
        let taken = UnixListener::bind_addr(&name).ok()?;
        can_be_bound_to(number).then_some(Port { number, _taken: taken })
    }
}

/// The socket that asks does not listen: a process that another thread starts meanwhile has it until it is the program
/// that it is to be, and would have connections to the port accepted until then.
fn can_be_bound_to(port: u16) -> bool {
    let asks = || {
        let socket = socket_with(AddressFamily::INET, SocketType::STREAM, SocketFlags::CLOEXEC, None)?;
        sockopt::set_socket_reuseaddr(&socket, true)?;
        bind(&socket, &SocketAddrV4::new(Ipv4Addr::LOCALHOST, port))
    };
    asks().is_ok()
}

/// A port that no other test is given while this process lives.
pub fn free_port() -> u16 {
    static TAKEN: Mutex<Vec<Port>> = Mutex::new(Vec::new());
    let port = Port::take();
    let number = port.number;
    TAKEN.lock().unwrap().push(port);
    number
}
