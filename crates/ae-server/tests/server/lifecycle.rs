//! Starting and ending.

use crate::{command, number, run, start};
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan, civil};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::process::Stdio;
use std::time::{Duration, Instant};
use testkit::{Client, PATIENCE, Server, eventually, free_port};

#[test]
fn says_where_it_is_ready() {
    let server = start(&[]);
    let backend = std::env::var("LIBAE_BACKEND").unwrap_or("epoll".into());
    assert_eq!(
        server.ready_line,
        format!(
            "ae-server {} ready on 127.0.0.1:{} ({backend}, PID: {})",
            env!("CARGO_PKG_VERSION"),
            server.port,
            server.pid()
        )
    );
    server.connect().call("PING", "+PONG");
}

/// Test suites of clients that start their own server wait for this line, with the mark of its level.
#[test]
fn says_that_it_is_ready_as_redis_does() {
    let at = tempfile::tempdir().unwrap();
    let options = ["--port", &free_port().to_string(), "--dir", at.path().to_str().unwrap()];
    let mut child = command().args(options).stdout(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let line = lines.nth(1).unwrap().unwrap();
    child.kill().unwrap();
    child.wait().unwrap();
    let beginning = format!("{}:M ", child.id());
    assert!(line.starts_with(&beginning) && line.ends_with(" * Ready to accept connections"), "{line}");
}

/// Log tools for Redis read process, role, time and level; standard error stays empty.
#[test]
fn logs_to_standard_output_as_redis_does() {
    let mut server = start(&["--enable-debug-command", "local"]);
    let mut client = server.connect();
    client.call("DEBUG LOG one", "+OK");
    let line = server.log_line();
    let beginning = format!("{}:M ", server.pid());
    assert!(line.starts_with(&beginning) && line.ends_with(" # DEBUG LOG: one\n"), "{line}");
    client.call("REPLICAOF 127.0.0.1 1", "+OK");
    let line = server.log_line();
    let beginning = format!("{}:S ", server.pid());
    assert!(line.starts_with(&beginning) && line.ends_with(" * is a replica of 127.0.0.1:1\n"), "{line}");
    client.call("REPLICAOF NO ONE", "+OK");
    client.call("DEBUG LOG two", "+OK");
    server.signal("TERM");
    let (_, log, errors) = server.wait();
    assert!(log.lines().any(|line| line.contains(":M ") && line.ends_with(" # DEBUG LOG: two")), "{log}");
    assert_eq!(errors, "");
}

#[test]
fn the_log_has_the_local_time() {
    for (zone, hours) in [("ABC12", -12), ("DEF-14", 14)] {
        let begun = Timestamp::now();
        let mut child = command()
            .args(["--port", &free_port().to_string()])
            .env("TZ", zone)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let line = lines.nth(1).unwrap().unwrap();
        let now = Timestamp::now();
        child.kill().unwrap();
        child.wait().unwrap();
        let time = line.split(' ').skip(1).take(4).collect::<Vec<_>>().join(" ");
        let time = civil::DateTime::strptime("%d %b %Y %H:%M:%S%.f", &time).unwrap();
        let time = time.checked_sub(hours.hours()).unwrap().to_zoned_datetime(TimeZone::UTC).unwrap().timestamp();
        let begun = begun.checked_sub(1.millisecond()).unwrap();
        assert!(begun <= time && time <= now, "{zone}: {line}");
    }
}

#[test]
fn a_replica_says_so_in_its_log_from_the_start() {
    let server = start(&["--replicaof", "127.0.0.1 1"]);
    let first = format!("{}:S ", server.pid());
    assert!(server.first_log.starts_with(&first), "{}", server.first_log);
}

#[test]
fn ends_well_on_sigterm_and_sigint() {
    for name in ["TERM", "INT"] {
        let server = start(&[]);
        let mut client = server.connect();
        client.call("PING", "+PONG");
        server.signal(name);
        let (status, out, err) = server.wait();
        assert_eq!((status.code(), out, err), (Some(0), format!("ae-server stopped by SIG{name}\n"), String::new()));
        client.expect_end();
    }
}

#[test]
fn ends_well_on_shutdown() {
    let server = start(&[]);
    let mut client = server.connect();
    client.send("SHUTDOWN NOSAVE\r\n");
    client.expect_end();
    let (status, out, _) = server.wait();
    assert_eq!((status.code(), out.as_str()), (Some(0), "ae-server stopped by SHUTDOWN\n"));
}

/// It saves, and leaves no socket behind.
#[test]
fn whoever_finds_that_it_listens_may_end_it() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("socket");
    for _ in 0..20 {
        let options = ["--port", "0", "--save", "3600 1", "--unixsocket", path.to_str().unwrap()];
        let mut child = command().current_dir(&folder).args(options).stdout(Stdio::null()).spawn().unwrap();
        while UnixStream::connect(&path).is_err() {
            std::thread::yield_now();
        }
        rustix::process::kill_process(rustix::process::Pid::from_child(&child), rustix::process::Signal::TERM).unwrap();
        assert_eq!(child.wait().unwrap().code(), Some(0));
        assert!(!path.exists() && folder.path().join("dump.rdb").exists());
        std::fs::remove_file(folder.path().join("dump.rdb")).unwrap();
    }
}

/// Both come in the same turn of the loop.
#[test]
fn a_request_that_comes_with_the_signal_is_answered() {
    let server = start(&[]);
    let mut client = server.connect();
    client.call("PING", "+PONG");
    server.signal("STOP");
    client.send("PING\r\n");
    server.signal("TERM");
    server.signal("CONT");
    client.expect("+PONG\r\n");
    client.expect_end();
    assert_eq!(server.wait().0.code(), Some(0));
}

/// It is not the cron that ends it.
#[test]
fn a_wait_ends_when_its_time_is_up() {
    let server = start(&["--hz", "1", "--dynamic-hz", "no"]);
    let mut client = server.connect();
    let mut wait = || {
        let start = Instant::now();
        client.call("BLPOP k 0.01", "*-1");
        start.elapsed()
    };
    // If the cron ends this one, it takes a second until it comes again.
    wait();
    eventually("a wait is over before that", || (wait() < Duration::from_millis(500)).then_some(()));
}

/// Nor is it the cron that ends a pause.
#[test]
fn a_pause_ends_when_its_time_is_up() {
    let server = start(&["--hz", "1", "--dynamic-hz", "no"]);
    let mut client = server.connect();
    let mut pause = || {
        client.call("CLIENT PAUSE 10 WRITE", "+OK");
        let start = Instant::now();
        client.call("SET k v", "+OK");
        start.elapsed()
    };
    pause();
    eventually("a pause is over before that", || (pause() < Duration::from_millis(500)).then_some(()));
}

#[test]
fn traffic_is_counted() {
    let server = start(&[]);
    let mut client = server.connect();
    client.call("PING", "+PONG");
    let names = [
        "total_connections_received",
        "total_reads_processed",
        "total_writes_processed",
        "total_net_input_bytes",
        "total_net_output_bytes",
    ];
    let mut all = || names.map(|name| number(&mut client, "stats", name));
    let (before, again) = (all(), all());
    // All that happens in between is the looking, the same each time.
    let looks: Vec<i64> = before.iter().zip(again).map(|(before, again)| again - before).collect();
    assert_eq!(looks[..4], [0, 5, 5, 5 * "INFO stats\r\n".len() as i64]);
    assert!(looks[4] > 5 * 1000, "{looks:?}");
    let mut other = server.connect();
    other.call("PING", "+PONG");
    let more: Vec<i64> = again.iter().zip(all()).map(|(again, all)| all - again).collect();
    assert_eq!(more[..4], [1, 6, 6, looks[3] + 6]);
}

/// The system asks clients that say nothing whether they are there.
#[test]
#[cfg(target_os = "linux")]
fn connections_are_kept_alive() {
    const KEEPALIVE: &str = "02";
    let server = start(&[]);
    let mut client = server.connect();
    let timer = |client: &Client| {
        let (own, theirs) = (format!(":{:04X}", server.port), client.stream.local_addr().unwrap().port());
        let table = std::fs::read_to_string("/proc/net/tcp").unwrap();
        let words = table.lines().map(|line| line.split_whitespace().collect::<Vec<_>>());
        let is_it = |words: &Vec<&str>| words[1].ends_with(&own) && words[2].ends_with(&format!(":{theirs:04X}"));
        words.skip(1).find(is_it).unwrap()[5][..2].to_string()
    };
    client.call("PING", "+PONG");
    eventually("nothing else is under way", || (timer(&client) == KEEPALIVE).then_some(()));
    client.call("CONFIG SET tcp-keepalive 0", "+OK");
    let mut other = server.connect();
    other.call("PING", "+PONG");
    eventually("nothing is under way", || (timer(&other) == "00").then_some(()));
}

#[test]
fn a_hangup_ends_nothing() {
    let server = start(&[]);
    let mut client = server.connect();
    client.call("PING", "+PONG");
    for _ in 0..3 {
        server.signal("HUP");
        client.call("PING", "+PONG");
    }
    server.signal("TERM");
    assert_eq!(server.wait().0.code(), Some(0));
}

#[test]
fn a_second_signal_ends_a_server_that_is_busy() {
    let mut server = start(&["--enable-debug-command", "local"]);
    let mut client = server.connect();
    client.send("DEBUG SLEEP 600\r\n");
    eventually("it sleeps", || server.is_in(libc::SYS_clock_nanosleep).then_some(()));
    server.signal("TERM");
    std::thread::sleep(Duration::from_millis(200));
    assert!(server.is_running());
    // Sent more than once: while the first is not yet delivered, another makes no difference.
    eventually("it ends", || {
        server.signal("TERM");
        (!server.is_running()).then_some(())
    });
    let (status, ..) = server.wait();
    assert_eq!(status.code(), Some(1));
}

#[test]
fn listens_on_several_addresses_and_a_unix_socket() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("socket");
    let path_text = path.to_str().unwrap();
    let bind = ["--bind", "127.0.0.1", "127.0.0.2", "-::1", "-192.0.2.1"];
    let server = start(&[&bind[..], &["--unixsocket", path_text, "--unixsocketperm", "700"]].concat());
    assert!(server.ready_line.contains(&format!("127.0.0.1:{0}, 127.0.0.2:{0}, ", server.port)));
    assert!(server.ready_line.contains(path_text));
    assert_eq!(path.metadata().unwrap().permissions().mode() & 0o777, 0o700);
    Client::to(([127, 0, 0, 2], server.port).into()).call("SET k v", "+OK");
    if server.ready_line.contains("[::1]") {
        Client::to(([0, 0, 0, 0, 0, 0, 0, 1], server.port).into()).call("GET k", "$1\r\nv");
    }

    let mut stream = UnixStream::connect(&path).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream.write_all(b"GET k\r\nQUIT\r\n").unwrap();
    let mut reply = String::new();
    stream.read_to_string(&mut reply).unwrap();
    assert_eq!(reply, "$1\r\nv\r\n+OK\r\n");

    server.signal("TERM");
    assert_eq!(server.wait().0.code(), Some(0));
    assert!(!path.exists(), "the socket was left behind");
}

#[test]
fn who_comes_over_the_unix_socket_is_told_by_its_path() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("socket");
    let server = start(&["--unixsocket", path.to_str().unwrap()]);
    let mut monitor = server.connect();
    monitor.call("MONITOR", "+OK");
    let mut stream = UnixStream::connect(&path).unwrap();
    stream.write_all(b"GET k\r\n").unwrap();
    let line = monitor.line();
    assert!(line.ends_with(&format!(" [0 unix:{}] \"GET\" \"k\"", path.display())), "{line}");
    let list = server.connect().bulk("CLIENT LIST");
    assert!(list.contains(&format!(" addr={0}:0 laddr={0}:0 ", path.display())), "{list}");
}

#[test]
fn listens_on_a_unix_socket_alone() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("socket");
    let server = Server::spawn(command().args(["--save", "", "--port", "0", "--unixsocket"]).arg(&path), 0);
    assert!(server.ready_line.contains(&format!("ready on {} (", path.display())));
    assert!(UnixStream::connect(&path).is_ok());
}

#[test]
fn replaces_the_socket_of_a_server_that_crashed() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("socket");
    let args = ["--save", "", "--port", "0", "--unixsocket", path.to_str().unwrap()];
    drop(Server::spawn(command().args(args), 0));
    assert!(path.exists());
    let _server = Server::spawn(command().args(args), 0);
    assert!(UnixStream::connect(&path).is_ok());
}

fn answers(path: &Path) -> bool {
    let mut stream = UnixStream::connect(path).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream.write_all(b"PING\r\n").unwrap();
    let mut reply = [0; 7];
    stream.read_exact(&mut reply).unwrap();
    &reply == b"+PONG\r\n"
}

#[test]
fn leaves_the_socket_of_a_server_that_runs() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("socket");
    let args = ["--save", "", "--port", "0", "--unixsocket", path.to_str().unwrap()];
    let server = Server::spawn(command().args(args), 0);
    let output = run(&args);
    assert_eq!(output.status.code(), Some(1));
    let stderr = String::from_utf8(output.stderr).unwrap();
    let expected = format!("cannot listen on the Unix socket {}: another process listens on it", path.display());
    assert_eq!(stderr, format!("ae-server: {expected}\n"));
    assert!(answers(&path));
    server.signal("TERM");
    assert_eq!(server.wait().0.code(), Some(0));
    assert!(!path.exists());
}

/// A Unix socket whose name begins so is no file.
#[test]
fn leaves_a_file_with_the_name_of_an_abstract_socket() {
    let folder = tempfile::tempdir().unwrap();
    let name = format!("@libae-test-{}", std::process::id());
    std::fs::write(folder.path().join(&name), "own").unwrap();
    let args = ["--save", "", "--port", "0", "--unixsocket", &name];
    let server = Server::spawn(command().args(args).current_dir(folder.path()), 0);
    server.signal("TERM");
    assert_eq!(server.wait().0.code(), Some(0));
    assert!(folder.path().join(&name).exists());
}

#[test]
fn removes_no_socket_but_its_own() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("socket");
    let args = ["--save", "", "--port", "0", "--unixsocket", path.to_str().unwrap()];
    let first = Server::spawn(command().args(args), 0);
    // Kept from being reused for the second socket.
    std::fs::rename(&path, folder.path().join("moved")).unwrap();
    let _second = Server::spawn(command().args(args), 0);
    first.signal("TERM");
    assert_eq!(first.wait().0.code(), Some(0));
    assert!(answers(&path));
}

/// Each is one line on standard error and exit code 1.
#[test]
fn what_keeps_it_from_starting() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    let folder = tempfile::tempdir().unwrap();
    let missing = folder.path().join("missing/socket");
    let long = folder.path().join("x".repeat(200));
    let free = free_port().to_string();
    let cases: &[(&[&str], &str)] = &[
        (
            &["--bind", "127.0.0.1", "--port", &port],
            &format!("cannot listen on 127.0.0.1 port {port}: bind: Address already in use"),
        ),
        (&["--nosuch", "1"], "unknown option '--nosuch' (see --help)"),
        (&["--port", "70000"], "bad value '70000' for --port: argument must be between 0 and 65535 inclusive"),
        (&["--port", "7\n0"], "bad value '7 0' for --port: argument couldn't be parsed into an integer"),
        (&["--port"], "option '--port' needs a value"),
        (&["nosuch.conf"], "cannot read the configuration file nosuch.conf: No such file or directory"),
        (&["--port", "0", "--unixsocket", missing.to_str().unwrap()], "cannot listen on the Unix socket"),
        (&["--port", "0", "--unixsocket", long.to_str().unwrap()], "cannot listen on the Unix socket"),
        (&["--port", &free, "--bind", "192.0.2.1"], &format!("cannot listen on 192.0.2.1 port {free}")),
        (&["--port", &free, "--bind", "-192.0.2.1"], "none of the addresses to listen on is available: -192.0.2.1"),
        (&["--port", &free, "--backend", "nosuch"], "cannot create the event loop with backend 'nosuch'"),
        (&["--port", "0"], "nothing to listen on"),
    ];
    for (args, error) in cases {
        let output = run(args);
        let stderr = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(1), "{args:?}: {stderr}");
        assert!(stderr.starts_with(&format!("ae-server: {error}")), "{args:?}: {stderr}");
        assert_eq!((stderr.matches('\n').count(), output.stdout.len()), (1, 0), "{args:?}: {stderr}");
    }
}

#[test]
fn an_argument_that_is_no_text_is_told() {
    use std::os::unix::ffi::OsStrExt;
    let output = command().arg(std::ffi::OsStr::from_bytes(b"--port=\xff")).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(stderr.contains("is not valid UTF-8") && stderr.lines().count() == 1, "{stderr}");
}

#[test]
fn help_and_version() {
    let help = run(&["--help"]);
    assert!(help.status.success());
    assert!(String::from_utf8(help.stdout).unwrap().contains("--unixsocket PATH"));
    let version = run(&["--version"]);
    let expected = format!("ae-server {}, compatible with Redis server v=7.0.15 bits=", env!("CARGO_PKG_VERSION"));
    assert!(String::from_utf8(version.stdout).unwrap().starts_with(&expected));
}

#[test]
fn runs_on_every_backend() {
    for backend in ["epoll", "poll", "select"] {
        let server = start(&["--backend", backend]);
        assert!(server.ready_line.contains(&format!("({backend}, ")));
        let mut client = server.connect();
        client.call("SET k v", "+OK");
        client.call("GET k", "$1\r\nv");
        assert!(client.bulk("INFO server").contains(&format!("multiplexing_api:{backend}")));
    }
}

#[test]
fn nobody_needs_to_read_its_output() {
    let port = free_port();
    let text = port.to_string();
    let mut child = command()
        .args(["--bind", "127.0.0.1", "--loglevel", "verbose", "--save", "", "--port", &text])
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    drop((child.stdout.take(), child.stderr.take()));
    eventually("the server listens", || std::net::TcpStream::connect(("127.0.0.1", port)).ok());
    let mut client = Client::to(([127, 0, 0, 1], port).into());
    client.send("*x\r\n");
    client.rest();
    Client::to(([127, 0, 0, 1], port).into()).call("PING", "+PONG");
    child.kill().unwrap();
    child.wait().unwrap();
}

#[test]
fn output_that_nobody_takes_stops_nothing() {
    // More than a pipe and the server's own queue hold.
    const MESSAGES: usize = 5000;
    let mut server = start(&["--loglevel", "verbose"]);
    for _ in 0..MESSAGES {
        let mut client = server.connect();
        client.send("*x\r\n");
        client.rest();
    }
    let mut client = server.connect();
    client.call("PING", "+PONG");
    let mut told = 0;
    // The note comes with the next message that there is room for.
    let missing: usize = loop {
        let line = server.log_line();
        if let Some(note) = line.strip_suffix(" messages are missing here: nobody read them\n") {
            break note.rsplit(' ').next().unwrap().parse().unwrap();
        }
        assert!(line.contains("closed 127.0.0.1"), "{line}");
        told += 1;
        let mut client = server.connect();
        client.send("*x\r\n");
        client.rest();
    };
    assert!(told > 1000 && missing > 1000, "{told} {missing}");
    server.signal("TERM");
    assert_eq!(server.wait().0.code(), Some(0));
}

#[test]
fn ends_though_nobody_takes_its_output() {
    let server = start(&["--loglevel", "verbose"]);
    for _ in 0..5000 {
        let mut client = server.connect();
        client.send("*x\r\n");
        client.rest();
    }
    server.signal("TERM");
    assert_eq!(server.status().code(), Some(0));
}
