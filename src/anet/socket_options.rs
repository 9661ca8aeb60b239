//! How sockets that listen and connect are made.

use super::options::{set_keep_alive, set_mark, set_tcp_no_delay};
use super::{Error, Transport};
use crate::sys::Errno;
use crate::sys::resolve::{Query, resolve};
use crate::sys::socket_options::*;
use core::ffi::{CStr, c_int};
use std::ffi::CString;

/// See `libaeSocketOptions`, which has the same; numbers that are 0 change nothing.
#[derive(Clone, Copy, Default)]
pub(crate) struct SocketOptions<'a> {
    pub(crate) device: Option<&'a CStr>,
    pub(crate) source: Option<&'a CStr>,
    pub(crate) unix_group: Option<&'a CStr>,
    pub(crate) unix_permissions: libc::mode_t,
    pub(crate) backlog: c_int,
    pub(crate) mark: u32,
    pub(crate) user_timeout: c_int,
    pub(crate) keep_alive: c_int,
    pub(crate) no_delay: Option<bool>,
    pub(crate) quick_ack: Option<bool>,
    pub(crate) fast_open: c_int,
    pub(crate) transport: Transport,
    pub(crate) reuse_port: bool,
    pub(crate) dual_stack: bool,
    pub(crate) free_bind: bool,
    pub(crate) blocking: bool,
    pub(crate) keep_on_exec: bool,
}

/// An option that means nothing for this socket is refused.
fn is_unused(name: &'static str, unused: bool) -> Result<(), Error> {
    if unused { Ok(()) } else { Err(Error::new(name, Errno::EINVAL)) }
}

impl SocketOptions<'_> {
    /// The same with other texts, for a socket over TCP that connects.
    fn with_texts<'b>(&self, device: Option<&'b CStr>, source: Option<&'b CStr>) -> SocketOptions<'b> {
        SocketOptions {
            device,
            source,
            unix_group: None,
            unix_permissions: self.unix_permissions,
            backlog: self.backlog,
            mark: self.mark,
            user_timeout: self.user_timeout,
            keep_alive: self.keep_alive,
            no_delay: self.no_delay,
            quick_ack: self.quick_ack,
            fast_open: self.fast_open,
            transport: self.transport,
            reuse_port: self.reuse_port,
            dual_stack: self.dual_stack,
            free_bind: self.free_bind,
            blocking: self.blocking,
            keep_on_exec: self.keep_on_exec,
        }
    }

    /// Prepares a socket that is to be bound and to listen.
    pub(super) fn prepare_listening(&self, fd: c_int, family: c_int) -> Result<(), Error> {
        self.set_for_listening(fd, family).map_err(Error::of_option)
    }

    fn set_for_listening(&self, fd: c_int, family: c_int) -> Result<(), Error> {
        is_unused("source of a socket that listens", self.source.is_none())?;
        is_unused("quick_ack of a socket that listens", self.quick_ack.is_none())?;
        is_unused("backlog", self.backlog >= 0)?;
        is_unused("dual_stack without IPv6", !self.dual_stack || family == libc::AF_INET6)?;
        if family != libc::AF_UNIX {
            is_unused("unix_permissions over TCP", self.unix_permissions == 0)?;
            is_unused("unix_group over TCP", self.unix_group.is_none())?;
        }
        self.prepare(fd, family)?;
        if self.reuse_port {
            set(REUSE_PORT, fd, 1)?;
        }
        if self.fast_open > 0 { set(FAST_OPEN, fd, self.fast_open) } else { Ok(()) }
    }

    /// Prepares a socket that is to be bound to a source, if there is one, and to connect.
    pub(super) fn prepare_connecting(&self, fd: c_int, family: c_int) -> Result<(), Error> {
        self.check_connecting(family)?;
        self.prepare(fd, family)?;
        if let Some(on) = self.quick_ack {
            set_quick_ack(fd, on)?;
        }
        if self.fast_open > 0 { set(FAST_OPEN_CONNECT, fd, 1) } else { Ok(()) }
    }

    /// Whether a socket that connects can have such options.
    fn check_connecting(&self, family: c_int) -> Result<(), Error> {
        is_unused("backlog of a connect", self.backlog == 0)?;
        is_unused("reuse_port of a connect", !self.reuse_port)?;
        is_unused("dual_stack of a connect", !self.dual_stack)?;
        is_unused("unix_permissions of a connect", self.unix_permissions == 0)?;
        is_unused("unix_group of a connect", self.unix_group.is_none())?;
        is_unused("source over a unix socket", self.source.is_none() || family != libc::AF_UNIX)?;
        self.check()
    }

    fn check(&self) -> Result<(), Error> {
        is_unused("user_timeout", self.user_timeout >= 0)?;
        is_unused("fast_open", self.fast_open >= 0)
    }

    fn prepare(&self, fd: c_int, family: c_int) -> Result<(), Error> {
        self.check()?;
        if self.transport == Transport::Mptcp && family == libc::AF_UNIX {
            return Err(Error::new("MPTCP over a unix socket", Errno::EOPNOTSUPP));
        }
        if self.mark != 0 {
            set_given_mark(fd, self.mark)?;
        }
        if let Some(device) = self.device {
            DEVICE.set_text(fd, device).map_err(Error::at(DEVICE.call))?;
        }
        if self.free_bind {
            set(if family == libc::AF_INET6 { FREE_BIND_V6 } else { FREE_BIND }, fd, 1)?;
        }
        if self.user_timeout != 0 {
            set(USER_TIMEOUT, fd, self.user_timeout)?;
        }
        if self.keep_alive != 0 {
            set_keep_alive(fd, self.keep_alive)?;
        }
        self.no_delay.map_or(Ok(()), |on| set_tcp_no_delay(fd, on))
    }
}

/// Options for sockets that are to connect later, over TCP.
pub(crate) struct KeptOptions {
    device: Option<CString>,
    source: Option<CString>,
    /// Without texts.
    others: SocketOptions<'static>,
}

impl KeptOptions {
    /// Keeps options. Those that no such socket can have are refused, as is a source that would have to be looked up,
    /// for which whoever connects would wait.
    pub(crate) fn new(options: &SocketOptions<'_>) -> Result<Self, Error> {
        options.check_connecting(libc::AF_INET)?;
        if let Some(source) = options.source {
            let query = Query { family: libc::AF_UNSPEC, numeric: true, ..Query::default() };
            is_unused("source that is a name", resolve(Some(source), None, query).is_ok())?;
        }
        let kept = |text: Option<&CStr>| text.map(CStr::to_owned);
        let (device, source) = (kept(options.device), kept(options.source));
        Ok(Self { device, source, others: options.with_texts(None, None) })
    }

    /// The options as a socket takes them.
    pub(super) fn get(&self) -> SocketOptions<'_> {
        self.others.with_texts(self.device.as_deref(), self.source.as_deref())
    }
}

fn set(option: SystemOption, fd: c_int, value: c_int) -> Result<(), Error> {
    option.set(fd, value).map_err(Error::at(option.call))
}

/// Marks a socket's packets; `EOPNOTSUPP` where the system has no such mark.
fn set_given_mark(fd: c_int, mark: u32) -> Result<(), Error> {
    if !super::options::HAS_MARK {
        return Err(Error::new("setsockopt SO_MARK", Errno::EOPNOTSUPP));
    }
    set_mark(fd, mark)
}

/// Acknowledges segments at once, or later; the system changes that by itself.
pub(crate) fn set_quick_ack(fd: c_int, on: bool) -> Result<(), Error> {
    set(QUICK_ACK, fd, on.into())
}
