//! Headers of the PROXY protocol, by which a proxy tells whose connection it passes on.

use crate::abi::proxy::LIBAE_PROXY_HEADER_MAX;
use crate::sys::Errno;
use core::ffi::c_int;
use core::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

/// What a header says.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct ProxyHeader {
    pub(crate) version: u8,
    /// Who connected to the proxy, and where; None when it names no addresses, or none of the Internet's.
    pub(crate) ends: Option<(SocketAddr, SocketAddr)>,
    /// How many bytes it has.
    pub(crate) len: usize,
}

impl ProxyHeader {
    /// The addresses' family, `AF_UNSPEC` without any.
    pub(crate) fn family(&self) -> c_int {
        match self.ends {
            Some((SocketAddr::V4(_), _)) => libc::AF_INET,
            Some((SocketAddr::V6(_), _)) => libc::AF_INET6,
            None => libc::AF_UNSPEC,
        }
    }
}

const V1: &[u8] = b"PROXY ";
/// With the line's end.
const V1_MAX: usize = 107;
const V2: &[u8] = b"\r\n\r\n\0\r\nQUIT\n";
const V2_FIXED: usize = 16;

/// Reads the header that `data` starts with; None when it is not all there yet. `EPROTO` when it is none.
pub(crate) fn proxy_header(data: &[u8]) -> Result<Option<ProxyHeader>, Errno> {
    let begins = |signature: &[u8]| data.iter().zip(signature).all(|(one, other)| one == other);
    if begins(V2) {
        if data.len() < V2_FIXED { Ok(None) } else { version_2(data) }
    } else if begins(V1) {
        version_1(data)
    } else {
        Err(Errno::EPROTO)
    }
}

fn version_1(data: &[u8]) -> Result<Option<ProxyHeader>, Errno> {
    let window = &data[..data.len().min(V1_MAX)];
    let Some(end) = window.iter().position(|byte| *byte == b'\n') else {
        return if data.len() < V1_MAX { Ok(None) } else { Err(Errno::EPROTO) };
    };
    let line = window[..end].strip_suffix(b"\r").and_then(|line| line.strip_prefix(V1)).ok_or(Errno::EPROTO)?;
    let line = core::str::from_utf8(line).map_err(|_| Errno::EPROTO)?;
    let header = |ends| Ok(Some(ProxyHeader { version: 1, ends, len: end + 1 }));
    let mut words = line.split(' ');
    let family = words.next();
    if family == Some("UNKNOWN") {
        // Whatever follows is to be passed over.
        return header(None);
    }
    let mut next = || words.next().ok_or(Errno::EPROTO);
    let (source, destination, source_port, destination_port) = (next()?, next()?, next()?, next()?);
    let rest = words.next();
    let address = |text: &str| match family {
        Some("TCP4") => text.parse().map(IpAddr::V4).map_err(|_| Errno::EPROTO),
        Some("TCP6") => text.parse().map(IpAddr::V6).map_err(|_| Errno::EPROTO),
        _ => Err(Errno::EPROTO),
    };
    let ends = (
        SocketAddr::new(address(source)?, port(source_port)?),
        SocketAddr::new(address(destination)?, port(destination_port)?),
    );
    if rest.is_some() { Err(Errno::EPROTO) } else { header(Some(ends)) }
}

/// A port as the protocol writes it: digits, without zeros in front.
fn port(text: &str) -> Result<u16, Errno> {
    let is_plain = text.bytes().all(|byte| byte.is_ascii_digit()) && (text == "0" || !text.starts_with('0'));
    text.parse().ok().filter(|_| is_plain).ok_or(Errno::EPROTO)
}

fn version_2(data: &[u8]) -> Result<Option<ProxyHeader>, Errno> {
    let (command, family) = (data[12], data[13]);
    let len = V2_FIXED + usize::from(u16::from_be_bytes([data[14], data[15]]));
    if command >> 4 != 2 || command & 15 > 1 || len > LIBAE_PROXY_HEADER_MAX as usize {
        return Err(Errno::EPROTO);
    }
    let Some(addresses) = data.get(V2_FIXED..len) else { return Ok(None) };
    // What a proxy sends for itself counts for the connection alone.
    let ends = if command & 15 == 0 { None } else { ends_of(family, addresses)? };
    Ok(Some(ProxyHeader { version: 2, ends, len }))
}

/// The two ends in an address block, behind which more may come that nobody here asks for.
fn ends_of(family: u8, block: &[u8]) -> Result<Option<(SocketAddr, SocketAddr)>, Errno> {
    fn ip<const N: usize>(bytes: &[u8]) -> [u8; N] {
        core::array::from_fn(|index| bytes[index])
    }
    let port = |bytes: &[u8]| u16::from_be_bytes([bytes[0], bytes[1]]);
    let (size, is_v6) = match family {
        0x11 | 0x12 => (12, false),
        0x21 | 0x22 => (36, true),
        // Unix sockets' paths, of which none is an address here.
        0x31 | 0x32 if block.len() >= 216 => return Ok(None),
        0x00 => return Ok(None),
        _ => return Err(Errno::EPROTO),
    };
    let block = block.get(..size).ok_or(Errno::EPROTO)?;
    let address = |bytes: &[u8]| {
        if is_v6 { IpAddr::V6(Ipv6Addr::from(ip::<16>(bytes))) } else { IpAddr::V4(Ipv4Addr::from(ip::<4>(bytes))) }
    };
    let width = (size - 4) / 2;
    let (source, rest) = block.split_at(width);
    let (destination, ports) = rest.split_at(width);
    Ok(Some((SocketAddr::new(address(source), port(ports)), SocketAddr::new(address(destination), port(&ports[2..])))))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        /// Whatever comes, in whatever pieces: a header is whole from the same byte on, and what is behind it changes
        /// nothing.
        #[test]
        fn pieces_are_the_whole(kind in 0..3, bytes in proptest::collection::vec(any::<u8>(), 0..300), behind in 0usize..20) {
            let mut data = match kind {
                0 => V1.to_vec(),
                1 => [V2, &[0x21, 0x11, 0, 12]].concat(),
                _ => Vec::new(),
            };
            data.extend(&bytes);
            let whole = proxy_header(&data);
            for cut in 0..data.len() {
                match proxy_header(&data[..cut]) {
                    Ok(Some(header)) => prop_assert_eq!(Ok(Some(header)), whole),
                    Ok(None) => prop_assert!(whole.is_err() || whole == Ok(None) || whole.is_ok_and(|found| found.is_some_and(|header| cut < header.len))),
                    Err(_) => prop_assert!(whole.is_err()),
                }
            }
            if let Ok(Some(header)) = whole {
                data.truncate(header.len);
                data.extend(vec![b'x'; behind]);
                prop_assert_eq!(proxy_header(&data), whole);
            }
        }
    }
}
