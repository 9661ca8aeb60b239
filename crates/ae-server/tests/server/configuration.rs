//! Starting with a file, rewriting it, and what it says of the process.

use crate::{command, run, start};
use std::io::Write;
use std::net::{TcpListener, TcpStream};
use std::os::unix::net::UnixDatagram;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::Duration;
use tempfile::TempDir;
use testkit::{Client, PATIENCE, Server, eventually, free_port};

/// A folder with a configuration file.
struct Folder {
    folder: TempDir,
    port: u16,
}

impl Folder {
    /// The file listens on a free port of the loopback interface, and saves nothing.
    fn with(text: &str) -> Folder {
        let folder = Folder { folder: tempfile::tempdir().unwrap(), port: free_port() };
        folder.write("redis.conf", &format!("bind 127.0.0.1\nport {}\n{text}save ''\n", folder.port));
        folder
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn write(&self, name: &str, text: &str) {
        std::fs::write(self.path(name), text).unwrap();
    }

    fn read(&self, name: &str) -> String {
        std::fs::read_to_string(self.path(name)).unwrap()
    }

    fn server(&self) -> Server {
        Server::spawn(command().arg(self.path("redis.conf")), self.port)
    }

    fn client(&self) -> Client {
        eventually("the server listens", || std::net::TcpStream::connect(("127.0.0.1", self.port)).ok());
        Client::to(([127, 0, 0, 1], self.port).into())
    }
}

fn get(client: &mut Client, name: &str) -> String {
    client.send(format!("CONFIG GET {name}\r\n"));
    let lines: Vec<_> = (0..5).map(|_| client.line()).collect();
    lines[4].clone()
}

#[test]
fn starts_with_a_file() {
    let folder = Folder::with("# comment\ntimeout 77\ninclude more/*.conf\nio-threads 4\n");
    std::fs::create_dir(folder.path("more")).unwrap();
    folder.write("more/a.conf", "hz 20\nmaxclients 50\n");
    let mut config = command();
    let args = [folder.path("redis.conf").into_os_string(), "--hz".into(), "30".into()];
    // The path of what is included starts where the server does.
    let server = Server::spawn(config.current_dir(folder.folder.path()).args(args), folder.port);
    let mut client = server.connect();
    assert_eq!(get(&mut client, "timeout"), "77");
    assert_eq!(get(&mut client, "maxclients"), "50");
    assert_eq!(get(&mut client, "hz"), "30");
    let file = folder.path("redis.conf");
    assert!(client.bulk("INFO server").contains(&format!("\r\nconfig_file:{}", file.display())));
    let beginning = format!("{}:C ", server.pid());
    let log = &server.first_log;
    assert!(log.starts_with(&beginning) && log.contains(" # io-threads has no effect: "), "{log}");
}

#[test]
fn starts_with_standard_input() {
    let port = free_port();
    let mut child = command()
        .args(["-", "--bind", "127.0.0.1", "--save", ""])
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(format!("port {port}\ntimeout 55").as_bytes()).unwrap();
    eventually("the server listens", || std::net::TcpStream::connect(("127.0.0.1", port)).ok());
    assert_eq!(get(&mut Client::to(([127, 0, 0, 1], port).into()), "timeout"), "55");
    child.kill().unwrap();
    child.wait().unwrap();
}

fn output(folder: &Folder) -> Output {
    command().arg(folder.path("redis.conf")).stdin(Stdio::null()).output().unwrap()
}

#[test]
fn a_bad_line_is_told_with_its_number() {
    for (line, reason) in [
        ("hz x", "argument couldn't be parsed into an integer"),
        ("nosuch 1", "Bad directive or wrong number of arguments"),
        ("save 60", "Invalid save parameters"),
        ("cluster-enabled yes", "ae-server supports only the value 'no': it has no cluster mode"),
    ] {
        let folder = Folder::with(&format!("# a\n{line}\n"));
        let output = output(&folder);
        let error = String::from_utf8(output.stderr).unwrap();
        let place = folder.path("redis.conf");
        assert_eq!(error, format!("ae-server: {}, line 4: '{line}': {reason}\n", place.display()));
        assert_eq!(output.status.code(), Some(1));
    }
}

#[test]
fn users_and_new_names_that_make_no_sense_keep_it_from_starting() {
    for (line, error) in [
        ("user a +x", "{}, line 4: Error in user declaration '+x': Unknown command or category name in ACL"),
        (
            "user a on\naclfile x.acl",
            "{}, line 4: users can be either in the configuration or in the aclfile, not in both",
        ),
        ("aclfile x.acl", "Error loading ACLs, opening file 'x.acl': No such file or directory"),
        ("rename-command nosuch x", "{}, line 4: 'rename-command nosuch x': No such command in rename-command"),
    ] {
        let folder = Folder::with(&format!("# a\n{line}\n"));
        let output = output(&folder);
        let error = error.replace("{}", &folder.path("redis.conf").display().to_string());
        assert_eq!(String::from_utf8(output.stderr).unwrap(), format!("ae-server: {error}\n"));
        assert_eq!(output.status.code(), Some(1));
    }
}

#[test]
fn rewrites_its_file() {
    let folder = Folder::with("# keep\ntimeout 5\n");
    let server = folder.server();
    let mut client = server.connect();
    client.call("CONFIG REWRITE", "+OK");
    let text = folder.read("redis.conf");
    let user = "# Generated by CONFIG REWRITE\nuser default on nopass ~* &* +@all\n";
    assert_eq!(text, format!("bind 127.0.0.1\nport {}\n# keep\ntimeout 5\nsave ''\n{user}", folder.port));
    client.call("CONFIG SET timeout 6 maxmemory-samples 7", "+OK");
    client.call("ACL SETUSER alice on nopass +get ~x", "+OK");
    client.call("CONFIG REWRITE", "+OK");
    let alice = "user alice on nopass ~x resetchannels -@all +get";
    let start = text.replace("timeout 5", "timeout 6").replace("user default on nopass ~* &* +@all\n", "");
    let end = format!("{alice}\nmaxmemory-samples 7\nuser default on nopass ~* &* +@all\n");
    assert_eq!(folder.read("redis.conf"), start + &end);
    drop(server);
    let server = folder.server();
    let mut client = server.connect();
    assert_eq!(get(&mut client, "maxmemory-samples"), "7");
    client.call("AUTH alice x", "+OK");
    client.call("GET y", "-NOPERM this user has no permissions to access one of the keys used as arguments");
}

#[test]
fn a_file_that_cannot_be_rewritten_is_told() {
    let folder = Folder::with("");
    let mut server = folder.server();
    let mut client = server.connect();
    let path = folder.path("redis.conf");
    std::fs::remove_file(&path).unwrap();
    std::fs::create_dir(&path).unwrap();
    client.call("CONFIG REWRITE", "-ERR Rewriting config file: Is a directory");
    server.logged("CONFIG REWRITE failed: Is a directory");
    client.call("PING", "+PONG");
}

#[test]
fn changes_its_directory() {
    let folder = Folder::with("enable-protected-configs local\nunixsocket socket\npidfile pid\n");
    std::fs::create_dir(folder.path("first")).unwrap();
    let first = folder.path("first");
    let server = Server::spawn(command().arg(folder.path("redis.conf")).arg("--dir").arg(&first), folder.port);
    let mut client = server.connect();
    assert_eq!(get(&mut client, "dir"), first.canonicalize().unwrap().to_str().unwrap());
    let target = folder.folder.path().canonicalize().unwrap();
    client.call(&format!("CONFIG SET dir {} hz 20", target.display()), "+OK");
    assert_eq!(get(&mut client, "dir"), target.to_str().unwrap());
    assert_eq!(std::fs::read_link(format!("/proc/{}/cwd", server.pid())).unwrap(), target);
    client.call(
        "CONFIG SET hz 30 dir /nosuch",
        "-ERR CONFIG SET failed (possibly related to argument 'dir') - No such file or directory",
    );
    assert_eq!(get(&mut client, "hz"), "20");
    let used = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = used.local_addr().unwrap().port();
    let error = "possibly related to argument 'port') - Unable to listen on this port. Check server logs.";
    client.call(&format!("CONFIG SET dir / port {port}"), &format!("-ERR CONFIG SET failed ({error}"));
    assert_eq!(std::fs::read_link(format!("/proc/{}/cwd", server.pid())).unwrap(), target);
    // What it has made before is removed where it is.
    let made = || std::fs::read_dir(&first).unwrap().count();
    assert_eq!(made(), 2);
    server.signal("TERM");
    server.wait();
    assert_eq!(made(), 0);
}

#[test]
fn logs_into_a_file() {
    let folder = Folder::with("");
    let (log, pid_file) = (folder.path("log"), folder.path("pid"));
    let mut child = command()
        .arg(folder.path("redis.conf"))
        .args(["--dir", folder.folder.path().to_str().unwrap(), "--logfile", "log", "--pidfile", "pid"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let ready = format!("ready on 127.0.0.1:{}", folder.port);
    eventually("it is ready", || std::fs::read_to_string(&log).is_ok_and(|text| text.contains(&ready)).then_some(()));
    assert_eq!(std::fs::read_to_string(&pid_file).unwrap(), format!("{}\n", child.id()));
    std::process::Command::new("kill").arg(child.id().to_string()).status().unwrap();
    eventually("it ends", || child.try_wait().unwrap());
    let output = child.wait_with_output().unwrap();
    assert_eq!((output.stdout, output.stderr), (Vec::new(), Vec::new()));
    assert!(folder.read("log").ends_with(" * ae-server stopped by SIGTERM\n"));
    assert!(!pid_file.exists());
}

/// A server can do without.
#[test]
fn a_pid_file_that_cannot_be_written_is_told() {
    let server = start(&["--pidfile", "/nosuch/pid"]);
    let log = &server.first_log;
    assert!(log.contains("cannot write the pid file /nosuch/pid: No such file or directory"), "{log}");
}

/// Of clients that nobody accepts there are no more than the system is told to keep.
#[test]
#[cfg(target_os = "linux")]
fn few_clients_wait_to_be_accepted() {
    let come = |backlog: &str| {
        let server = start(&["--tcp-backlog", backlog]);
        server.signal("STOP");
        let address = ([127, 0, 0, 1], server.port).into();
        let clients: Vec<_> = (0..6).map(|_| TcpStream::connect_timeout(&address, Duration::from_secs(1))).collect();
        clients.iter().all(Result::is_ok)
    };
    assert!(!come("1"));
    assert!(come("100"));
}

/// Only an address that the host does not have may be left out.
#[test]
fn an_address_that_is_taken_is_not_left_out() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    let output = run(&["--bind", "-127.0.0.1", "--port", &port]);
    assert_eq!(output.status.code(), Some(1));
    let error = String::from_utf8(output.stderr).unwrap();
    assert!(error.contains(&format!("cannot listen on 127.0.0.1 port {port}: ")), "{error}");
}

/// Several servers may share a port.
#[test]
fn shares_its_port_if_it_is_to() {
    let one = start(&["--reuse-port", "yes"]);
    let port = one.port.to_string();
    let options = ["--bind", "127.0.0.1", "--save", "", "--reuse-port", "yes", "--port", &port];
    let other = Server::spawn(command().args(options), one.port);
    drop(one);
    other.connect().call("PING", "+PONG");
}

#[test]
fn a_log_file_that_cannot_be_opened_keeps_it_from_starting() {
    let folder = Folder::with("logfile /nosuch/log\n");
    let output = output(&folder);
    assert_eq!(output.status.code(), Some(1));
    let error = String::from_utf8(output.stderr).unwrap();
    assert!(error.starts_with("ae-server: cannot open the log file /nosuch/log: No such file"), "{error}");
}

fn is_alive(pid: &str) -> bool {
    Path::new("/proc").join(pid).join("exe").read_link().is_ok()
}

#[test]
fn serves_in_the_background() {
    let folder = Folder::with("daemonize yes\n");
    let pid_file = folder.path("pid");
    let output = command()
        .arg(folder.path("redis.conf"))
        .args(["--pidfile", pid_file.to_str().unwrap(), "-"])
        .stdin(Stdio::from(std::fs::File::open(folder_input(&folder)).unwrap()))
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    // It is ready as soon as the program that started it has ended.
    let pid = std::fs::read_to_string(&pid_file).unwrap().trim().to_string();
    let mut client = folder.client();
    assert_eq!(get(&mut client, "timeout"), "99");
    assert!(client.bulk("INFO server").contains(&format!("\r\nprocess_id:{pid}\r\n")));
    // Its own session, with nothing left of the terminal.
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap();
    let fields: Vec<_> = stat.rsplit_once(") ").unwrap().1.split(' ').collect();
    assert_eq!(fields[3], pid);
    for fd in 0..3 {
        let target = std::fs::read_link(format!("/proc/{pid}/fd/{fd}")).unwrap();
        assert_eq!(target, Path::new("/dev/null"));
    }
    client.send("SHUTDOWN NOSAVE\r\n");
    client.expect_end();
    eventually("it ends", || (!is_alive(&pid)).then_some(()));
    assert!(!pid_file.exists());
}

/// What the server is to read from standard input.
fn folder_input(folder: &Folder) -> PathBuf {
    folder.write("input", "timeout 99\n");
    folder.path("input")
}

#[test]
fn what_keeps_it_from_starting_in_the_background_is_told() {
    let taken = start(&[]);
    let folder = Folder::with(&format!("daemonize yes\nport {}\n", taken.port));
    let output = output(&folder);
    assert_eq!(output.status.code(), Some(1));
    let error = String::from_utf8(output.stderr).unwrap();
    assert!(error.starts_with(&format!("ae-server: cannot listen on 127.0.0.1 port {}: ", taken.port)), "{error}");
}

#[test]
fn tells_systemd_how_it_does() {
    let folder = Folder::with("supervised auto\ndaemonize yes\n");
    let path = folder.path("notify");
    let socket = UnixDatagram::bind(&path).unwrap();
    socket.set_read_timeout(Some(PATIENCE)).unwrap();
    // A supervised server stays in the foreground.
    let server = Server::spawn(command().arg(folder.path("redis.conf")).env("NOTIFY_SOCKET", &path), folder.port);
    let told = || {
        let mut buf = [0; 200];
        let len = socket.recv(&mut buf).unwrap();
        String::from_utf8_lossy(&buf[..len]).into_owned()
    };
    assert_eq!(told(), "STATUS=Ready to accept connections\nREADY=1\n");
    server.signal("TERM");
    assert_eq!(told(), "STOPPING=1\n");
    assert_eq!(server.wait().0.code(), Some(0));
}

/// One that is started by systemd, but not to tell it anything.
#[test]
fn tells_systemd_only_what_it_is_to_tell() {
    let folder = Folder::with("supervised no\n");
    let path = folder.path("notify");
    let socket = UnixDatagram::bind(&path).unwrap();
    let server = Server::spawn(command().arg(folder.path("redis.conf")).env("NOTIFY_SOCKET", &path), folder.port);
    server.signal("TERM");
    assert_eq!(server.wait().0.code(), Some(0));
    socket.set_nonblocking(true).unwrap();
    assert!(socket.recv(&mut [0; 200]).is_err());
}

#[test]
fn one_that_systemd_does_not_supervise_says_so() {
    let folder = Folder::with("supervised systemd\n");
    let server = Server::spawn(command().arg(folder.path("redis.conf")).env("NOTIFY_SOCKET", ""), folder.port);
    let before = server.first_log.clone();
    server.signal("TERM");
    let logged = before + &server.wait().1;
    assert!(logged.contains("supervised systemd: NOTIFY_SOCKET is not in the environment"), "{logged}");
    assert!(!logged.contains("cannot tell systemd"), "{logged}");
}

#[test]
fn changes_how_readily_it_is_killed() {
    // From where whoever starts it has put it.
    let mut shell = Command::new("sh");
    shell.args(["-c", "echo 50 > /proc/self/oom_score_adj && exec \"$0\" \"$@\""]).arg(command().get_program());
    let server = Server::start(shell, &["--oom-score-adj", "relative", "--oom-score-adj-values", "110", "200", "300"]);
    let score = || std::fs::read_to_string(format!("/proc/{}/oom_score_adj", server.pid())).unwrap();
    let mut client = server.connect();
    assert_eq!(score().trim(), "160");
    let used = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = used.local_addr().unwrap().port();
    let cannot = "-ERR CONFIG SET failed (possibly related to argument 'port') - Unable to listen on this port. Check \
        server logs.";
    client.call(&format!("CONFIG SET oom-score-adj absolute port {port}"), cannot);
    assert_eq!(score().trim(), "160", "nothing has changed");
    for (set, expected) in [
        ("oom-score-adj-values \"100 200 300\"", 150),
        ("oom-score-adj-values \"120 200 300\"", 170),
        ("oom-score-adj absolute", 120),
        ("oom-score-adj no", 50),
        ("oom-score-adj relative oom-score-adj-values \"2000 2000 2000\"", 1000),
        ("oom-score-adj no", 50),
    ] {
        client.call(&format!("CONFIG SET {set}"), "+OK");
        assert_eq!(score().trim(), expected.to_string(), "{set}");
    }
}

#[test]
fn listens_elsewhere_while_it_runs() {
    let folder = Folder::with("");
    let mut server = folder.server();
    let mut client = folder.client();
    let (other, used) = (free_port(), TcpListener::bind("127.0.0.1:0").unwrap());
    let used_port = used.local_addr().unwrap().port();
    let is_open = |address: &str, port: u16| TcpStream::connect((address, port)).is_ok();
    let failed = "-ERR CONFIG SET failed (possibly related to argument";

    // What cannot be opened leaves everything as it is.
    let cannot = format!("{failed} 'port') - Unable to listen on this port. Check server logs.");
    client.call(&format!("CONFIG SET timeout 7 port {used_port}"), &cannot);
    server.logged(&format!("cannot listen on 127.0.0.1 port {used_port}: bind: Address already in use"));
    assert_eq!((get(&mut client, "port"), get(&mut client, "timeout")), (folder.port.to_string(), "0".into()));
    assert!(is_open("127.0.0.1", folder.port));
    client.call("CONFIG SET bind 192.0.2.1", &format!("{failed} 'bind') - Failed to bind to specified addresses."));
    assert_eq!(get(&mut client, "bind"), "127.0.0.1");
    assert!(is_open("127.0.0.1", folder.port));

    client.call(&format!("CONFIG SET port {other}"), "+OK");
    assert!(is_open("127.0.0.1", other) && !is_open("127.0.0.1", folder.port));
    assert!(client.bulk("INFO server").contains(&format!("\r\ntcp_port:{other}\r\n")));
    client.call("CONFIG SET bind \"127.0.0.1 127.0.0.2 -192.0.2.1\"", "+OK");
    assert!(is_open("127.0.0.1", other) && is_open("127.0.0.2", other));
    // One address in place of all is in the way of itself, and the other way round.
    client.call("CONFIG SET bind *", "+OK");
    assert!(is_open("127.0.0.1", other) && is_open("127.0.0.2", other));
    client.call(
        "CONFIG SET bind \"127.0.0.2 192.0.2.1\"",
        &format!("{failed} 'bind') - Failed to bind to specified addresses."),
    );
    assert!(is_open("127.0.0.1", other));
    client.call("CONFIG SET bind 127.0.0.2", "+OK");
    assert!(!is_open("127.0.0.1", other) && is_open("127.0.0.2", other));
    client.call("CONFIG SET port 0", "+OK");
    assert!(!is_open("127.0.0.2", other));
    // Who is connected stays so.
    client.call(&format!("CONFIG SET port {} bind 127.0.0.1", folder.port), "+OK");
    assert!(is_open("127.0.0.1", folder.port));
}
