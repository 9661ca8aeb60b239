//! `libae.h`: the PROXY protocol.

use super::args::{call, non_null};
use crate::abi::ae::AE_ERR;
use crate::abi::proxy::{LIBAE_PROXY_ADDRESS_LEN, libaeProxy};
use crate::anet;
use crate::sys::text::text_of_ip;
use core::ffi::{c_char, c_int, c_void};
use core::mem::offset_of;
use core::net::SocketAddr;
use nix::errno::Errno;

/// Reads the header of the PROXY protocol (version 1 or 2) that a connection starts with, into `proxy`, whose member
/// `size` is set. A server asks this of connections from proxies that it trusts alone, and of these always: anybody else
/// could say what they like. What comes behind the header is the connection's.
///
/// Returns the header's length in bytes; 0 when it is not all there yet: ask again with more; -1 with errno `EPROTO` (it is
/// none, or longer than `LIBAE_PROXY_HEADER_MAX`: close the connection) or `EINVAL` (a NULL pointer, a `size` that is none).
///
/// # Safety
/// `data` is NULL or has `len` bytes; `proxy` is NULL or has as many as its member `size` says.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn libaeParseProxy(data: *const c_void, len: usize, proxy: *mut libaeProxy) -> c_int {
    call(AE_ERR, || {
        let (data, proxy) = (non_null(data.cast_mut())?, non_null(proxy)?);
        // SAFETY: every version of the structure has it.
        let size = unsafe { (*proxy).size };
        if size < offset_of!(libaeProxy, destination) + LIBAE_PROXY_ADDRESS_LEN {
            return Err(Errno::EINVAL);
        }
        // SAFETY: there are so many bytes.
        let data = unsafe { core::slice::from_raw_parts(data.cast::<u8>(), len) };
        let Some(header) = anet::proxy_header(data)? else { return Ok(0) };
        let (source, destination) = header.ends.unzip();
        let written = libaeProxy {
            size,
            version: header.version.into(),
            family: header.family(),
            source_port: source.map_or(0, |end| end.port().into()),
            destination_port: destination.map_or(0, |end| end.port().into()),
            source: address(source),
            destination: address(destination),
        };
        // SAFETY: it has room for all members that this version knows.
        unsafe { proxy.write(written) };
        Ok(header.len as c_int)
    })
}

fn address(end: Option<SocketAddr>) -> [c_char; LIBAE_PROXY_ADDRESS_LEN] {
    let mut room = [0; LIBAE_PROXY_ADDRESS_LEN];
    if let Some(end) = end {
        let text = text_of_ip(end.ip());
        room.iter_mut().zip(text.as_str().bytes()).for_each(|(to, byte)| *to = byte as c_char);
    }
    room
}
