//! What arrives in place of a TLS handshake: the connection fails, and the loop goes on.
#![no_main]

use ae::{Connection, EventLoop, Listener, TlsConfig};
use libae_fuzz::memory::limited;
use libfuzzer_sys::fuzz_target;
use std::cell::Cell;
use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener};
use std::os::unix::net::UnixStream;
use std::rc::Rc;
use tempfile::TempDir;
use testkit::Certificates;

struct Served {
    el: EventLoop,
    _server: Listener,
    /// Where the server listens.
    folder: TempDir,
    /// What a client connects to.
    hostile: TcpListener,
    /// No two clients in a row connect to the same address: there are not ports enough for that.
    host: Cell<u32>,
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
    let folder = tempfile::tempdir().expect("a folder");
    let el = EventLoop::new(64).expect("a loop");
    let server = Listener::unix(&el, &folder.path().join("socket"), None, 16).and_then(Listener::over_tls);
    let server = server.expect("a listener");
    let (accepted, refused) = (el.clone(), el.clone());
    let stop = move |_: Connection, _| accepted.stop();
    server.on_accept_or(1, stop, move |_, _| refused.stop()).expect("a listener");
    let hostile = TcpListener::bind(("0.0.0.0", 0)).expect("a port");
    Served { el, _server: server, folder, hostile, host: Cell::default() }
}

/// A client that sends the input to a server of the library's.
fn as_client(served: &Served, input: &[u8]) {
    let mut client = UnixStream::connect(served.folder.path().join("socket")).expect("a server that listens");
    let _ = client.write_all(input);
    let _ = client.shutdown(Shutdown::Write);
    served.el.run().expect("a loop");
}

/// A server that sends the input to a client of the library's.
fn as_server(served: &Served, input: &[u8]) {
    let host = served.host.get();
    served.host.set((host + 1) % 0xFE_00_00);
    let address = format!("127.{}.{}.{}", host >> 16, host >> 8 & 255, host & 255 | 1);
    let port = served.hostile.local_addr().expect("an address").port();
    let (told, stop) = (Rc::new(Cell::new(false)), served.el.clone());
    let was_told = told.clone();
    let client = Connection::connect_tls(&served.el, &address, port, move |_, _| {
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
