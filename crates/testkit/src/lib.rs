//! What the workspace's tests share: free ports, a server as a process, a client that talks to it.
#![forbid(unsafe_code)]

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::os::linux::net::SocketAddrExt;
use std::os::unix::net::{self as unix, UnixListener};
use std::process::{Child, ChildStderr, ChildStdout, Command, ExitStatus, Stdio};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

/// Longer than anything here takes on a busy machine.
pub const PATIENCE: Duration = Duration::from_secs(120);

/// A port on which nobody listens. The system gives none below 32768 to a socket that asks for any, the suites of forks use
/// none from 30000 on, and the other tests' processes are told, by an abstract unix socket: so nobody is on it a moment
/// later. (tools/testkit/ports.py does the same.)
pub fn free_port() -> u16 {
    static CALLS: AtomicU32 = AtomicU32::new(0);
    static TAKEN: Mutex<Vec<UnixListener>> = Mutex::new(Vec::new());
    loop {
        let number = (std::process::id() * 7 + CALLS.fetch_add(1, Ordering::Relaxed)) % 2_700;
        let port = 30_000 + u16::try_from(number).unwrap();
        let name = unix::SocketAddr::from_abstract_name(format!("libae-test-port-{port}")).unwrap();
        let Ok(taken) = UnixListener::bind_addr(&name) else { continue };
        if TcpListener::bind(("127.0.0.1", port)).is_ok() {
            TAKEN.lock().unwrap().push(taken);
            return port;
        }
    }
}

/// A running server; ended when dropped.
pub struct Server {
    child: Child,
    stdout: BufReader<ChildStdout>,
    stderr: Option<ChildStderr>,
    /// The first line that it wrote.
    pub ready_line: String,
    /// Where it listens.
    pub port: u16,
}

impl Server {
    /// Starts a program with these options, on a free port of the loopback interface unless they say otherwise.
    pub fn start(mut command: Command, options: &[&str]) -> Server {
        let port = free_port();
        let text = port.to_string();
        let mut args = vec!["--port", &text];
        if !options.contains(&"--bind") {
            args.extend(["--bind", "127.0.0.1"]);
        }
        args.extend(options);
        Server::spawn(command.args(args), port)
    }

    /// Starts it with a command that says it all, and waits for its first line.
    pub fn spawn(command: &mut Command, port: u16) -> Server {
        let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let mut stdout = BufReader::new(child.stdout.take().unwrap());
        let mut ready_line = String::new();
        stdout.read_line(&mut ready_line).unwrap();
        let mut stderr = child.stderr.take();
        if ready_line.is_empty() {
            let mut error = String::new();
            stderr.take().unwrap().read_to_string(&mut error).unwrap();
            panic!("the server did not start: {error}");
        }
        Server { child, stdout, stderr, ready_line: ready_line.trim_end().into(), port }
    }

    /// A new client.
    pub fn connect(&self) -> Client {
        Client::to(([127, 0, 0, 1], self.port).into())
    }

    /// The process.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Sends a signal, named without SIG.
    pub fn signal(&self, name: &str) {
        let sent = Command::new("kill").args([&format!("-{name}"), &self.pid().to_string()]).status().unwrap();
        assert!(sent.success());
    }

    /// Whether it has not ended.
    pub fn is_running(&mut self) -> bool {
        self.child.try_wait().unwrap().is_none()
    }

    /// Whether its main thread is in this system call.
    pub fn is_in(&self, call: libc::c_long) -> bool {
        let state = std::fs::read_to_string(format!("/proc/{}/syscall", self.pid())).unwrap();
        state.split_whitespace().next() == Some(&call.to_string())
    }

    /// Its standard error, to be read while it runs.
    pub fn stderr(&mut self) -> ChildStderr {
        self.stderr.take().unwrap()
    }

    /// Waits for its end without reading what it writes.
    pub fn status(mut self) -> ExitStatus {
        eventually("the server ends", || self.child.try_wait().unwrap())
    }

    /// Waits for its end; returns the status and what it wrote after the first line.
    pub fn wait(mut self) -> (ExitStatus, String, String) {
        let status = eventually("the server ends", || self.child.try_wait().unwrap());
        let (mut out, mut err) = (String::new(), String::new());
        self.stdout.read_to_string(&mut out).unwrap();
        if let Some(mut stderr) = self.stderr.take() {
            stderr.read_to_string(&mut err).unwrap();
        }
        (status, out, err)
    }

    /// A line of /proc/PID/status, in bytes.
    pub fn memory(&self, name: &str) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.pid())).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix(name)).unwrap();
        let kibibytes: u64 = line.trim_start_matches(':').split_whitespace().next().unwrap().parse().unwrap();
        kibibytes * 1024
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Asks again until there is an answer.
pub fn eventually<T>(what: &str, mut answer: impl FnMut() -> Option<T>) -> T {
    let start = Instant::now();
    loop {
        if let Some(answer) = answer() {
            return answer;
        }
        assert!(start.elapsed() < PATIENCE, "waited in vain: {what}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// A connection to a server. What it waits for too long fails the test.
pub struct Client {
    /// The socket, for what the methods do not do.
    pub stream: TcpStream,
}

impl Client {
    /// Connects.
    pub fn to(address: SocketAddr) -> Client {
        let stream = TcpStream::connect(address).unwrap();
        stream.set_nodelay(true).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        stream.set_write_timeout(Some(PATIENCE)).unwrap();
        Client { stream }
    }

    /// Sends these bytes.
    pub fn send(&mut self, bytes: impl AsRef<[u8]>) {
        self.stream.write_all(bytes.as_ref()).unwrap();
    }

    /// Reads exactly this.
    #[track_caller]
    pub fn expect(&mut self, reply: impl AsRef<[u8]>) {
        let reply = reply.as_ref();
        let mut got = vec![0; reply.len()];
        let mut len = 0;
        while len < got.len() {
            match self.stream.read(&mut got[len..]) {
                Ok(0) | Err(_) => break,
                Ok(more) => len += more,
            }
        }
        assert!(
            got[..len] == *reply,
            "got {:.300?}, not {:.300?}",
            String::from_utf8_lossy(&got[..len]),
            String::from_utf8_lossy(reply)
        );
    }

    /// Sends an inline command and reads this reply, less its line end.
    #[track_caller]
    pub fn call(&mut self, line: &str, reply: &str) {
        self.send(format!("{line}\r\n"));
        self.expect(format!("{reply}\r\n"));
    }

    /// A reply of one line, as it comes.
    pub fn line(&mut self) -> String {
        let mut line = Vec::new();
        let mut byte = [0];
        while !line.ends_with(b"\r\n") && self.stream.read(&mut byte).unwrap() == 1 {
            line.push(byte[0]);
        }
        String::from_utf8(line).unwrap().trim_end().into()
    }

    /// A bulk reply to an inline command, as text.
    pub fn bulk(&mut self, line: &str) -> String {
        self.send(format!("{line}\r\n"));
        let len: usize = self.line().strip_prefix('$').unwrap().parse().unwrap();
        let mut text = vec![0; len + 2];
        self.stream.read_exact(&mut text).unwrap();
        String::from_utf8(text).unwrap().trim_end().into()
    }

    /// Everything up to the end of the connection.
    pub fn rest(&mut self) -> Vec<u8> {
        let mut rest = Vec::new();
        match self.stream.read_to_end(&mut rest) {
            Ok(_) => {}
            // What a close with unread data looks like from here.
            Err(error) => assert_eq!(error.kind(), std::io::ErrorKind::ConnectionReset),
        }
        rest
    }

    /// Fails unless the connection ends without another byte.
    #[track_caller]
    pub fn expect_end(&mut self) {
        assert_eq!(String::from_utf8_lossy(&self.rest()), "");
    }

    /// Sends an end, and goes on reading.
    pub fn finish_sending(&self) {
        self.stream.shutdown(Shutdown::Write).unwrap();
    }
}

/// A request as clients send it.
pub fn request<A: AsRef<[u8]>>(args: &[A]) -> Vec<u8> {
    let mut bytes = Vec::new();
    resp::writer::request(&mut bytes, args);
    bytes
}
