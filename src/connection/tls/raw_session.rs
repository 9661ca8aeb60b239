//! A client's session without a connection or a loop of ours: the program connects and watches the descriptor.

use super::config::contexts::OwnContext;
use super::config::upstream::configure_from_host;
use super::failure::Failure;
use super::session::{Handshake, Session};
use crate::abi::ae::{AE_NONE, AE_READABLE, AE_WRITABLE};
use crate::sys::Errno;
use core::ffi::{CStr, c_int};
use std::ffi::CString;

pub(crate) struct RawSession {
    session: Box<Session>,
    fd: c_int,
    established: bool,
    /// The peer has been told that nothing more comes.
    shut: bool,
    /// What ended the session.
    failed: Option<Errno>,
    /// The text of `failed`.
    error: Option<CString>,
}

impl RawSession {
    /// A session with these settings, or those in force. The name of the server is also looked for in its certificate,
    /// if the settings ask for that.
    pub(crate) fn new(fd: c_int, server_name: &CStr, context: Option<&OwnContext>) -> Result<Self, (Errno, String)> {
        configure_from_host();
        let session = Session::client(server_name, context).map_err(|failure| (Errno::EINVAL, failure.to_string()))?;
        Ok(Self { session, fd, established: false, shut: false, failed: None, error: None })
    }

    /// Continues the handshake. Returns `AE_READABLE` or `AE_WRITABLE` for what it waits for, `AE_NONE` when it is
    /// over.
    pub(crate) fn handshake(&mut self) -> Result<c_int, Errno> {
        let established = self.established;
        let waits =
            self.attempt(|session, fd| if established { Ok(Handshake::Done) } else { session.handshake(fd) })?;
        self.established = waits == Handshake::Done;
        Ok(match waits {
            Handshake::Read => AE_READABLE,
            Handshake::Write => AE_WRITABLE,
            Handshake::Done => AE_NONE,
        })
    }

    pub(crate) fn read(&mut self, out: &mut [u8]) -> Result<usize, Errno> {
        self.transfer(|session, fd| if out.is_empty() { Ok(0) } else { session.read(fd, out) })
    }

    pub(crate) fn write(&mut self, data: &[u8]) -> Result<usize, Errno> {
        self.transfer(|session, fd| session.write(fd, &[data]))
    }

    /// Whether a read would return something that no poll of the descriptor will announce.
    pub(crate) fn has_pending(&self) -> bool {
        let usable = self.established && !self.shut && self.failed.is_none();
        usable && (self.session.has_plain() || self.session.has_record())
    }

    pub(crate) fn shut_down(&mut self) {
        if self.failed.is_none() && !self.shut {
            self.shut = true;
            self.session.close(self.fd);
        }
    }

    /// What ended the session, in words.
    pub(crate) fn error(&self) -> Option<&CStr> {
        self.error.as_deref()
    }

    fn transfer(&mut self, body: impl FnOnce(&mut Session, c_int) -> Result<usize, Failure>) -> Result<usize, Errno> {
        match self.failed {
            None if self.shut => Err(Errno::EPIPE),
            None if !self.established => Err(Errno::ENOTCONN),
            _ => self.attempt(body),
        }
    }

    /// Runs `body`, unless the session has failed. A failure other than `EAGAIN` and `EINTR` is kept.
    fn attempt<T>(&mut self, body: impl FnOnce(&mut Session, c_int) -> Result<T, Failure>) -> Result<T, Errno> {
        if let Some(errno) = self.failed {
            return Err(errno);
        }
        let failure = match body(&mut self.session, self.fd) {
            Ok(value) => return Ok(value),
            Err(failure) => failure,
        };
        let errno = match failure {
            Failure::System(errno @ (Errno::EAGAIN | Errno::EINTR)) => return Err(errno),
            Failure::System(errno) => errno,
            Failure::Tls(_) | Failure::Other(_) => Errno::EPROTO,
        };
        self.failed = Some(errno);
        self.error = CString::new(failure.to_string()).ok();
        Err(errno)
    }
}
