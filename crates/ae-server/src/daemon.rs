//! A server in the background: the program runs itself again, detached from the terminal, and waits until it is ready.
//!
//! No fork, which would need unsafe code and a process without threads. The child says that it is ready by a line on its
//! standard output; errors before that come out on the standard error of whoever started it.

use rustix::process::setsid;
use rustix::stdio::{dup2_stderr, dup2_stdin, dup2_stdout};
use std::fs::OpenOptions;
use std::io::{self, Read, Write};
use std::process::{Command, Stdio};

/// In the environment of the program that runs in the background.
const MARK: &str = "AE_SERVER_DAEMON";
const READY: &str = "ae-server daemon ready\n";

/// Whether this process is to detach itself.
pub fn is_one() -> bool {
    std::env::var_os(MARK).is_some()
}

/// Runs this program again with the same arguments and waits until it is ready. `input` is what was read from standard
/// input, for the child to read it too.
pub fn start(input: &[u8]) -> Result<(), String> {
    let failed = |error: io::Error| format!("cannot start in the background: {error}");
    let mut child = Command::new(std::env::current_exe().map_err(failed)?)
        .args(std::env::args_os().skip(1))
        .env(MARK, "1")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .map_err(failed)?;
    if let Some(mut stdin) = child.stdin.take() {
        // The child may have ended; its status tells.
        let _ = stdin.write_all(input);
    }
    let mut said = String::new();
    if let Some(mut stdout) = child.stdout.take() {
        stdout.read_to_string(&mut said).map_err(failed)?;
    }
    if said.contains(READY) {
        return Ok(());
    }
    let status = child.wait().map_err(failed)?;
    Err(format!("it did not start in the background ({status})"))
}

/// Leaves the terminal and whoever started this process, and tells the latter that all is ready.
pub fn detach() -> io::Result<()> {
    // Fails where this process has a session of its own already.
    let _ = setsid();
    let nowhere = OpenOptions::new().read(true).write(true).open("/dev/null")?;
    io::stdout().write_all(READY.as_bytes())?;
    io::stdout().flush()?;
    dup2_stdin(&nowhere)?;
    dup2_stdout(&nowhere)?;
    dup2_stderr(&nowhere)?;
    Ok(())
}
