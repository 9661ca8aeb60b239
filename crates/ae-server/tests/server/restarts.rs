//! A server that starts again by itself, on the sockets that it has.

use crate::command;
use std::net::{TcpListener, TcpStream};
use std::os::unix::fs::MetadataExt;
use std::os::unix::net::{UnixDatagram, UnixStream};
use std::process::Command;
use testkit::{Certificates, Client, PATIENCE, Server, eventually, free_port};

/// Its command line has names of files that are those of the folder that it was started in, wherever it is now.
#[test]
fn starts_again_as_it_was_started() {
    let folder = tempfile::tempdir().unwrap();
    let (data, port) = (folder.path().join("data"), free_port());
    std::fs::create_dir(&data).unwrap();
    let text = format!("bind 127.0.0.1\nport {port}\ndir data\nenable-debug-command local\n");
    std::fs::write(folder.path().join("ae.conf"), text).unwrap();
    let mut server = Server::spawn(command().arg("ae.conf").current_dir(folder.path()), port);
    let mut client = server.connect();
    client.call("SET k v", "+OK");
    server.signal("USR2");
    client.expect_end();
    server.logged("ae-server starts again after SIGUSR2");
    server.logged("Ready to accept connections");
    let mut client = server.connect();
    client.call("GET k", "$1\r\nv");
    client.send("DEBUG RESTART\r\n");
    client.expect_end();
    server.logged("ae-server starts again after DEBUG RESTART");
    server.logged("Ready to accept connections");
    server.connect().call("GET k", "$1\r\nv");
}

/// What it has taken over is what its configuration has, and is given up with that.
#[test]
fn listens_elsewhere_after_a_restart() {
    let mut server = Server::start(command(), &[]);
    server.signal("USR2");
    server.logged("Ready to accept connections");
    let (old, other) = (server.port, free_port());
    let mut client = server.connect();
    client.call(&format!("CONFIG SET port {other}"), "+OK");
    assert!(TcpStream::connect(("127.0.0.1", other)).is_ok());
    assert!(TcpStream::connect(("127.0.0.1", old)).is_err());
}

#[test]
fn tells_systemd_that_it_will_be_ready_again() {
    let folder = tempfile::tempdir().unwrap();
    let (path, port) = (folder.path().join("notify"), free_port());
    let socket = UnixDatagram::bind(&path).unwrap();
    socket.set_read_timeout(Some(PATIENCE)).unwrap();
    let args = ["--bind", "127.0.0.1", "--save", "", "--supervised", "systemd", "--port", &port.to_string()];
    let server = Server::spawn(command().args(args).env("NOTIFY_SOCKET", &path), port);
    let told = || {
        let mut buf = [0; 200];
        let len = socket.recv(&mut buf).unwrap();
        String::from_utf8_lossy(&buf[..len]).into_owned()
    };
    let ready = "STATUS=Ready to accept connections\nREADY=1\n";
    assert_eq!(told(), ready);
    server.signal("USR2");
    assert_eq!(told(), "RELOADING=1\n");
    assert_eq!(told(), ready);
}

/// Clients that come while it starts again find the Unix socket where it was.
#[test]
fn its_unix_socket_stays_where_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("socket");
    for socket in ["socket", "./socket", path.to_str().unwrap()] {
        let args = ["--save", "", "--port", "0", "--unixsocket", socket];
        let mut server = Server::spawn(command().args(args).current_dir(folder.path()), 0);
        let inode = std::fs::metadata(&path).unwrap().ino();
        server.signal("USR2");
        server.logged("ae-server starts again");
        server.logged(&format!("ready on {socket} ("));
        assert!(UnixStream::connect(&path).is_ok());
        assert_eq!(std::fs::metadata(&path).unwrap().ino(), inode, "it is the same one");
        server.signal("TERM");
        eventually("it ends", || (!server.is_running()).then_some(()));
    }
}

/// What comes to the port for TLS is TLS after a restart, too.
#[test]
fn its_port_for_tls_stays_one() {
    let Some(certificates) = Certificates::make() else { return };
    let (certificate, key, port) = (certificates.path("server.crt"), certificates.path("server.key"), free_port());
    let text = port.to_string();
    let args = ["--tls-port", &text, "--tls-cert-file", &certificate, "--tls-key-file", &key];
    let args = [&args[..], &["--tls-auth-clients", "no"]].concat();
    let mut server = Server::start(command(), &args);
    let place = format!("127.0.0.1:{port} (TLS)");
    assert!(server.ready_line.contains(&place), "{}", server.ready_line);
    server.signal("USR2");
    let ready = server.logged("ae-server 1");
    assert!(ready.contains(&place), "{ready}");
    server.logged("Ready to accept connections");
    // What is no TLS ends the connection.
    let mut plain = Client::to(([127, 0, 0, 1], port).into());
    plain.send("PING\r\nQUIT\r\n");
    assert!(!String::from_utf8_lossy(&plain.rest()).contains("PONG"));
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let used = taken.local_addr().unwrap().port();
    let error = "-ERR CONFIG SET failed (possibly related to argument 'tls-port') - Unable to listen on this port. \
        Check server logs.";
    server.connect().call(&format!("CONFIG SET tls-port {used}"), error);
}

#[test]
fn one_that_cannot_read_its_configuration_again_goes_on() {
    let folder = tempfile::tempdir().unwrap();
    let port = free_port();
    std::fs::write(folder.path().join("conf"), "enable-debug-command yes\n").unwrap();
    let mut shell = Command::new("sh");
    shell.args(["-c", "exec \"$0\" - \"$@\" < conf"]).arg(command().get_program()).current_dir(folder.path());
    let mut server = Server::spawn(shell.args(["--bind", "127.0.0.1", "--port", &port.to_string()]), port);
    server.connect().call("DEBUG RESTART", "-ERR failed to restart the server. Check server logs.");
    server.logged("the configuration came from standard input");
    server.signal("USR2");
    server.logged("the configuration came from standard input");
    server.connect().call("PING", "+PONG");
}

/// Whatever it has opened itself by then.
#[test]
fn sockets_that_it_was_told_of_and_does_not_have_keep_it_from_starting() {
    let mut shell = Command::new("sh");
    let start = "exec 3>&- 4>&- 5>&- 6>&- 7>&-; LISTEN_PID=$$ LISTEN_FDS=5 exec \"$0\" --port 0";
    shell.args(["-c", start]).arg(command().get_program());
    let output = shell.output().unwrap();
    let error = String::from_utf8(output.stderr).unwrap();
    assert_eq!(error, "ae-server: cannot take over the sockets of LISTEN_FDS: Bad file descriptor (os error 9)\n");
    assert_eq!(output.status.code(), Some(1));
}
