//! A server in a thread of the calling process, for tests and for programs that contain one.

use super::serving::{Ender, Ending, Serving};
use crate::config::command_line::{Action, parse};
use crate::config::settings::Config;
use ae::{EventLoop, Interest};
use std::io::{self, PipeReader, PipeWriter};
use std::net::{Ipv4Addr, SocketAddr};
use std::os::fd::AsRawFd;
use std::sync::mpsc::{self, Sender};
use std::thread::JoinHandle;

/// A server in this process: one thread, one event loop. Dropping it stops it and waits for its end.
///
/// What belongs to a process is shared by all servers in it: the log, the TLS configuration, the working directory and
/// the limit on open files.
#[derive(Debug)]
pub struct Running {
    address: SocketAddr,
    /// Closing it stops the server.
    stop: Option<PipeWriter>,
    thread: Option<JoinHandle<Result<(), String>>>,
}

/// Starts a server on a port of the loopback interface that the system picks. `options` are those of the command line,
/// such as `["--databases", "4"]`; `--bind` and `--port` are ignored, and nothing is saved unless `--save` says when. When
/// this returns, clients can connect; the error is the line that the program would have printed.
pub fn start(options: &[&str]) -> Result<Running, String> {
    let Action::Serve(mut config) = parse(options.iter().map(ToString::to_string))? else {
        return Err("these options start no server".into());
    };
    if !config.saving.points_given {
        config.saving.points.clear();
    }
    if config.process.daemonize {
        return Err("a server in another program cannot be daemonized".into());
    }
    let config = Config { port: 0, system_port: true, bind: vec![Ipv4Addr::LOCALHOST.to_string()], ..*config };
    let (stopped, stop) = io::pipe().map_err(|error| format!("cannot create a pipe: {error}"))?;
    let (tell_port, port) = mpsc::channel();
    let thread = std::thread::Builder::new()
        .name("ae-server".into())
        .spawn(move || serve(config, stopped, &tell_port))
        .map_err(|error| format!("cannot create a thread: {error}"))?;
    match port.recv() {
        Ok(port) => Ok(Running { address: (Ipv4Addr::LOCALHOST, port).into(), stop: Some(stop), thread: Some(thread) }),
        // It ended before it listened.
        Err(_) => Err(end_of(thread).err().unwrap_or_default()),
    }
}

fn serve(config: Config, stopped: PipeReader, tell_port: &Sender<u16>) -> Result<(), String> {
    let watch = |el: &EventLoop, end: Ender| {
        let watched = stopped.as_raw_fd();
        let on_stop = move |el: &EventLoop, _| {
            // Open for as long as it is watched.
            let _ = &stopped;
            end(el, Ending::Owner);
        };
        el.watch(watched, Interest::READABLE, on_stop).map_err(|error| format!("cannot watch a pipe: {error}"))
    };
    let (serving, ()) = Serving::open(config, watch)?;
    if !serving.load()? {
        return Ok(());
    }
    // Who started it waits for this.
    let _ = tell_port.send(serving.port());
    serving.run().map(drop)
}

fn end_of(thread: JoinHandle<Result<(), String>>) -> Result<(), String> {
    thread.join().unwrap_or_else(|_| Err("the server panicked".into()))
}

impl Running {
    /// Where clients connect to.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Stops it and waits for its end.
    pub fn stop(mut self) -> Result<(), String> {
        self.stop = None;
        self.wait()
    }

    /// Waits for its end: SHUTDOWN.
    pub fn wait(mut self) -> Result<(), String> {
        self.thread.take().map_or(Ok(()), end_of)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.stop = None;
        if let Some(thread) = self.thread.take() {
            // Whoever wants to know calls `stop`.
            let _ = end_of(thread);
        }
    }
}
