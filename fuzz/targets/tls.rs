//! What arrives in place of a TLS handshake: the connection fails, and the loop goes on.
#![no_main]

use ae::{Connection, EventLoop, Listener, TlsConfig};
use libae_fuzz::memory::limited;
use libfuzzer_sys::fuzz_target;
use std::cell::Cell;
use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::rc::Rc;
use testkit::Certificates;

struct Served {
    el: EventLoop,
    /// What a hostile client connects to.
    server: Listener,
    /// What a client of the library's connects to.
    hostile: TcpListener,
    /// No two clients in a row connect to the same address: there are not ports enough for that.
    host: Cell<u32>,
}

impl Served {
    /// Another address of this machine each time.
    fn address(&self) -> String {
        let host = self.host.get();
        self.host.set((host + 1) % 0xFE_00_00);
        format!("127.{}.{}.{}", host >> 16, host >> 8 & 255, host & 255 | 1)
    }
}

thread_local! {
    static SERVED: Served = served();
}

fn served() -> Served {
    let certificates = Certificates::make().expect("openssl");
    let path = |name: &str| Some(certificates.path(name));
    let config = TlsConfig {
        cert_file: path("server.crt"),
        key_file: path("server.key"),
        ca_cert_file: path("ca.crt"),
        ..TlsConfig::default()
    };
    config.apply().expect("a configuration");
    let el = EventLoop::new(64).expect("a loop");
    let server = Listener::tls(&el, &["0.0.0.0"], 0, 16).expect("a listener");
    let (accepted, refused) = (el.clone(), el.clone());
    let stop = move |_: Connection, _| accepted.stop();
    server.on_accept_or(1, stop, move |_, _| refused.stop()).expect("a listener");
    let hostile = TcpListener::bind(("0.0.0.0", 0)).expect("a port");
    Served { el, server, hostile, host: Cell::default() }
}

/// A client that sends the input to a server of the library's.
fn as_client(served: &Served, input: &[u8]) {
    let port = served.server.local_addrs()[0].port();
    let mut client = TcpStream::connect((&*served.address(), port)).expect("a server that listens");
    let _ = client.write_all(input);
    let _ = client.shutdown(Shutdown::Write);
    served.el.run().expect("a loop");
}

/// A server that sends the input to a client of the library's.
fn as_server(served: &Served, input: &[u8]) {
    let port = served.hostile.local_addr().expect("an address").port();
    let (told, stop) = (Rc::new(Cell::new(false)), served.el.clone());
    let was_told = told.clone();
    let client = Connection::connect_tls(&served.el, &served.address(), port, move |_, _| {
        was_told.set(true);
        stop.stop();
    });
    let _client = client.expect("a connection");
    let (mut peer, _) = served.hostile.accept().expect("a client");
    peer.set_nonblocking(true).expect("a socket");
    // It speaks first.
    while !told.get() && peer.read(&mut [0; 1]).is_err() {
        served.el.run_once(false).expect("a loop");
    }
    let _ = peer.write_all(input);
    let _ = peer.shutdown(Shutdown::Write);
    if !told.get() {
        served.el.run().expect("a loop");
    }
}

fuzz_target!(|bytes: &[u8]| {
    let [kind, input @ ..] = bytes else { return };
    SERVED.with(|served| {
        limited((4 << 20) + 100 * input.len(), || match kind % 2 {
            0 => as_client(served, input),
            _ => as_server(served, input),
        });
    });
});
