//! TLS through the safe Rust API. The certificates are made with the `openssl` command.
#![cfg(feature = "tls")]

use ae::{AuthClients, Connection, EventLoop, Handler, Listener, TlsConfig};
use std::cell::{Cell, RefCell};
use std::path::Path;
use std::process::Command;
use std::rc::Rc;
use std::time::Duration;

fn openssl(dir: &Path, arguments: &str) {
    let output = Command::new("openssl").current_dir(dir).args(arguments.split(' ')).output().expect("openssl runs");
    assert!(output.status.success(), "openssl {arguments}: {}", String::from_utf8_lossy(&output.stderr));
}

/// A CA, and a certificate of its for localhost.
fn certificates() -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    let at = dir.path();
    std::fs::write(at.join("names"), "subjectAltName=DNS:localhost").unwrap();
    let key = "-newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes";
    openssl(at, &format!("req -x509 {key} -keyout ca.key -out ca.crt -days 2 -subj /CN=ca"));
    openssl(at, &format!("req {key} -keyout server.key -out server.csr -subj /CN=server"));
    openssl(
        at,
        "x509 -req -in server.csr -CA ca.crt -CAkey ca.key -CAcreateserial -days 2 -extfile names -out server.crt",
    );
    dir
}

fn test_loop() -> EventLoop {
    let el = EventLoop::new(64).unwrap();
    el.add_timer(Duration::from_secs(20), |_| panic!("the test hangs")).unwrap();
    el
}

/// One test, since the configuration is the whole process's.
#[test]
fn connections_over_tls() {
    if Command::new("openssl").arg("version").output().is_err() {
        assert!(std::env::var_os("LIBAE_ALL_TOOLS").is_none(), "openssl is not installed");
        return;
    }
    let dir = certificates();
    let path = |name: &str| Some(dir.path().join(name).to_str().unwrap().to_owned());
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
