//! A server as a process.

use crate::client::Client;
use crate::ports::Port;
use crate::wait::eventually;
use std::io::{BufRead, BufReader, Read};
use std::process::{Child, ChildStderr, ChildStdout, Command, ExitStatus, Stdio};
use tempfile::TempDir;

/// A running server; ended when dropped.
pub struct Server {
    child: Child,
    stdout: BufReader<ChildStdout>,
    stderr: ChildStderr,
    /// What it wrote to its log before it was ready.
    pub first_log: String,
    /// Where it says that it listens.
    pub ready_line: String,
    /// Where it listens.
    pub port: u16,
    /// That port, if it is this server's choice.
    _taken: Option<Port>,
    /// Where it writes its files, unless its options say it.
    _folder: Option<TempDir>,
}

/// The end of a server that did not start.
#[derive(Debug)]
pub struct End {
    /// None if a signal ended it.
    pub code: Option<i32>,
    /// What it wrote to standard error.
    pub error: String,
}

impl Server {
    /// Starts a program with these options, on a free port of the loopback interface, in a folder of its own and
    /// without saving anything, unless they say otherwise.
    pub fn start(command: Command, options: &[&str]) -> Server {
        Server::try_start(command, options).unwrap_or_else(|end| panic!("the server did not start: {}", end.error))
    }

    /// As [`Server::start`], if it starts.
    pub fn try_start(mut command: Command, options: &[&str]) -> Result<Server, End> {
        let port = Port::take();
        let text = port.number.to_string();
        let mut args = vec!["--port", &text];
        if !options.contains(&"--bind") {
            args.extend(["--bind", "127.0.0.1"]);
        }
        if !options.contains(&"--save") {
            args.extend(["--save", ""]);
        }
        let folder = tempfile::tempdir().unwrap();
        if !options.contains(&"--dir") {
            args.extend(["--dir", folder.path().to_str().unwrap()]);
        }
        args.extend(options);
        let mut server = Server::try_spawn(command.args(args), port.number)?;
        server._taken = Some(port);
        server._folder = Some(folder);
        Ok(server)
    }

    /// Starts it with a command that says it all, and waits until it says that it accepts connections, as redis-server
    /// does, too.
    pub fn spawn(command: &mut Command, port: u16) -> Server {
        Server::try_spawn(command, port).unwrap_or_else(|end| panic!("the server did not start: {}", end.error))
    }

    fn try_spawn(command: &mut Command, port: u16) -> Result<Server, End> {
        let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let mut stdout = BufReader::new(child.stdout.take().unwrap());
        let mut stderr = child.stderr.take().unwrap();
        let (mut first_log, mut ready_line, mut line) = (String::new(), String::new(), String::new());
        while !line.contains("Ready to accept connections") {
            if line.starts_with("ae-server ") {
                ready_line = line.trim_end().into();
            } else {
                first_log.push_str(&line);
            }
            line.clear();
            if stdout.read_line(&mut line).unwrap() == 0 {
                let mut error = String::new();
                stderr.read_to_string(&mut error).unwrap();
                return Err(End { code: child.wait().unwrap().code(), error });
            }
        }
        Ok(Server { child, stdout, stderr, first_log, ready_line, port, _taken: None, _folder: None })
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

    /// The next line of its log; waits until there is one.
    pub fn log_line(&mut self) -> String {
        let mut line = String::new();
        self.stdout.read_line(&mut line).unwrap();
        line
    }

    /// Reads its log up to a line that has this in it.
    pub fn logged(&mut self, part: &str) -> String {
        loop {
            let line = self.log_line();
            assert_ne!(line, "", "it ends without having logged '{part}'");
            if line.contains(part) {
                return line;
            }
        }
    }

    /// Waits for its end without reading what it writes.
    pub fn status(mut self) -> ExitStatus {
        eventually("the server ends", || self.child.try_wait().unwrap())
    }

    /// Waits for its end; returns the status and what it wrote after it was ready, to standard output and to
    /// standard error.
    pub fn wait(mut self) -> (ExitStatus, String, String) {
        let status = eventually("the server ends", || self.child.try_wait().unwrap());
        let (mut out, mut err) = (String::new(), String::new());
        self.stdout.read_to_string(&mut out).unwrap();
        self.stderr.read_to_string(&mut err).unwrap();
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
