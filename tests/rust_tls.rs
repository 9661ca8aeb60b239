//! TLS through the safe Rust API.
#![cfg(feature = "tls")]

use ae::{AuthClients, Connection, EventLoop, Handler, Listener, TlsConfig};
use std::cell::{Cell, RefCell};
use std::rc::Rc;
use testkit::Certificates;

fn test_loop() -> EventLoop {
    let el = EventLoop::new(64).unwrap();
    el.add_timer(testkit::PATIENCE, |_| panic!("the test hangs")).unwrap();
    el
}

/// One test, since the configuration is the whole process's.
#[test]
fn connections_over_tls() {
    let Some(certificates) = Certificates::make() else { return };
    let path = |name: &str| Some(certificates.path(name));
    let config = TlsConfig {
        cert_file: path("server.crt"),
        key_file: path("server.key"),
        ca_cert_file: path("ca.crt"),
        server_name: Some("localhost".into()),
        ..TlsConfig::default()
    };

    let wrong = TlsConfig { key_file: path("ca.key"), ..config.clone() }.apply().unwrap_err();
    assert!(wrong.starts_with("tls-key-file: ") && wrong.contains("is not the key of"), "{wrong}");
    config.apply().unwrap();

    let el = test_loop();
    let listener = Listener::tls(&el, &["127.0.0.1"], 0, 16).unwrap();
    let port = listener.local_addrs()[0].port();
    let (clients, refused) = (Rc::new(RefCell::new(Vec::new())), Rc::new(RefCell::new(Vec::new())));
    let echo: Handler = Rc::new(|conn: &Connection| {
        let mut buf = [0; 64];
        if let Ok(count) = conn.read(&mut buf) {
            conn.write(&buf[..count]).unwrap();
        }
    });
    let (kept, told) = (clients.clone(), refused.clone());
    listener
        .on_accept_or(
            10,
            move |conn, _| {
                conn.set_read_handler(Some(echo.clone())).unwrap();
                kept.borrow_mut().push(conn);
            },
            move |why, _| told.borrow_mut().push(why.to_owned()),
        )
        .unwrap();

    let answer = Rc::new(RefCell::new(Vec::new()));
    let got = answer.clone();
    let _client = Connection::connect_tls(&el, "127.0.0.1", port, move |conn, result| {
        result.unwrap();
        conn.write(b"hello").unwrap();
        let got = got.clone();
        let read = move |conn: &Connection| {
            let mut buf = [0; 64];
            match conn.read(&mut buf) {
                Ok(count) => got.borrow_mut().extend_from_slice(&buf[..count]),
                // The server's tickets are no data.
                Err(error) => assert_eq!(error.kind(), std::io::ErrorKind::WouldBlock),
            }
        };
        conn.set_read_handler(Some(Rc::new(read))).unwrap();
    })
    .unwrap();
    while answer.borrow().len() < 5 {
        el.run_once(true).unwrap();
    }
    assert_eq!(*answer.borrow(), b"hello");
    assert_eq!(clients.borrow()[0].kind(), "tls");
    assert!(refused.borrow().is_empty());

    // Without a CA nobody vouches for the server, and only a client that does not ask connects.
    let without_ca = TlsConfig { ca_cert_file: None, ..config.clone() };
    without_ca.apply().unwrap();
    assert!(Connection::connect_tls(&el, "127.0.0.1", port, |_, _| {}).is_err());
    TlsConfig { any_certificate: true, ..without_ca }.apply().unwrap();
    let connected = Rc::new(Cell::new(false));
    let told = connected.clone();
    let other = Connection::connect_tls(&el, "127.0.0.1", port, move |_, result| {
        result.unwrap();
        told.set(true);
    });
    while !connected.get() || clients.borrow().len() < 2 {
        el.run_once(true).unwrap();
    }
    drop(other);
    clients.borrow_mut().truncate(1);

    // Now clients have to show a certificate, which this one's settings do not have, and another name is expected.
    let asking = TlsConfig { auth_clients: AuthClients::Yes, server_name: Some("example.org".into()), ..config };
    asking.apply().unwrap();
    let error = Rc::new(Cell::new(None));
    let told = error.clone();
    let _client = Connection::connect_tls(&el, "127.0.0.1", port, move |conn, result| {
        result.unwrap_err();
        told.set(Some(conn.last_error()));
    })
    .unwrap();
    while refused.borrow().is_empty() {
        el.run_once(true).unwrap();
    }
    let error = error.take().unwrap();
    assert!(error.contains("not valid for name \"example.org\""), "{error}");
    assert!(refused.borrow()[0].contains("the peer"), "{:?}", refused.borrow());
    assert_eq!(clients.borrow().len(), 1);
}
