//! TLS through the safe Rust API.
#![cfg(feature = "tls")]

use ae::{AuthClients, Connection, EventLoop, Handler, Listener, NameKind, TlsConfig, TlsContext, TlsInfo};
use std::cell::{Cell, RefCell};
use std::rc::Rc;
use testkit::Certificates;

fn test_loop() -> EventLoop {
    let el = EventLoop::new(64).unwrap();
    el.add_timer(testkit::PATIENCE, |_| panic!("the test hangs")).unwrap();
    el
}

/// One test of what is configured for the whole process.
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

/// Connects, and returns what the client and the server know of the session once both handshakes are over and the
/// client has read a byte, and so the server's tickets.
fn connect(el: &EventLoop, listener: &Listener, context: &TlsContext) -> (TlsInfo, TlsInfo) {
    let told = Rc::new(RefCell::new(None));
    let tell = told.clone();
    listener
        .on_accept(10, move |conn, _| {
            conn.write(b"x").unwrap();
            *tell.borrow_mut() = Some(conn);
        })
        .unwrap();
    let read = Rc::new(Cell::new(false));
    let done = read.clone();
    let port = listener.local_addrs()[0].port();
    let client = Connection::connect_tls_with(el, context, "localhost", port, move |conn, result| {
        result.unwrap();
        let reader = move |conn: &Connection| done.set(conn.read(&mut [0; 8]).is_ok());
        conn.set_read_handler(Some(Rc::new(reader))).unwrap();
    })
    .unwrap();
    assert_eq!(client.tls(), None);
    while !read.get() {
        el.run_once(true).unwrap();
    }
    let server = told.borrow_mut().take().unwrap();
    (client.tls().unwrap(), server.tls().unwrap())
}

/// Without one of the process's, which the other test has.
#[test]
fn configurations_of_their_own() {
    let Some(certificates) = Certificates::make() else { return };
    certificates.issue("other", "DNS:localhost,IP:127.0.0.1,IP:::1");
    certificates.issue("client", "URI:urn:alice,URI:urn:carol,DNS:host");
    let config = |name: &str| TlsConfig {
        cert_file: Some(certificates.path(&format!("{name}.crt"))),
        key_file: Some(certificates.path(&format!("{name}.key"))),
        ca_cert_file: Some(certificates.path("ca.crt")),
        alpn_protocols: vec!["one".into(), "two".into()],
        ..TlsConfig::default()
    };
    let wrong = TlsContext::new(&TlsConfig { max_handshakes: Some(1), ..config("server") }).unwrap_err();
    assert!(wrong.starts_with("max_handshakes: "), "{wrong}");
    let server = TlsContext::new(&TlsConfig { auth_clients: AuthClients::Yes, ..config("server") }).unwrap();
    let of_client = TlsContext::new(&TlsConfig { alpn_protocols: vec!["two".into()], ..config("client") }).unwrap();
    let without = TlsContext::new(&TlsConfig { cert_file: None, key_file: None, ..config("server") }).unwrap();

    let el = test_loop();
    let listener = || Listener::tls(&el, &["127.0.0.1"], 0, 16).unwrap();
    assert!(listener().with_context(&without).is_err());
    let listener = listener().with_context(&server).unwrap();
    let (client_info, server_info) = connect(&el, &listener, &of_client);
    assert_eq!(server_info.version, "TLSv1.3");
    assert!(client_info.cipher.starts_with("TLS_"), "{client_info:?}");
    assert_eq!(client_info.alpn_protocol.as_deref(), Some(&b"two"[..]));
    assert_eq!(server_info.server_name.as_deref(), Some("localhost"));
    assert_eq!(client_info.peer_names(NameKind::CommonName), ["server"]);
    assert_eq!(server_info.peer_names(NameKind::Uri), ["urn:alice", "urn:carol"]);
    assert_eq!(server_info.peer_names(NameKind::Dns), ["host"]);
    assert!(!client_info.resumed && !server_info.resumed);
    let (client_info, server_info) = connect(&el, &listener, &of_client);
    assert!(client_info.resumed && server_info.resumed);

    // Another one for the name, then none, and everything read anew.
    let other = TlsContext::new(&config("other")).unwrap();
    assert!(server.set_name("no name", Some(&other)).is_err());
    server.set_name("localhost", Some(&other)).unwrap();
    let (client_info, server_info) = connect(&el, &listener, &of_client);
    assert_eq!(client_info.peer_names(NameKind::CommonName), ["other"]);
    assert_eq!(client_info.peer_names(NameKind::Ip), ["127.0.0.1", "::1"]);
    assert_eq!(server_info.peer_certificate, None);
    server.set_name("localhost", None).unwrap();
    server.reload().unwrap();
    let (client_info, _) = connect(&el, &listener, &of_client);
    assert_eq!(client_info.peer_names(NameKind::CommonName), ["server"]);
    assert!(!client_info.resumed);
}
