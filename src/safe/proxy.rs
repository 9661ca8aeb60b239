//! The PROXY protocol.

use super::arguments::io_error;
use crate::anet::proxy_header;
use std::io;
use std::net::SocketAddr;

/// The header by which a proxy tells whose connection it passes on, in version 1 or 2 of the PROXY protocol.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ProxyHeader {
    /// Who connected to the proxy; None when it does not tell, or the connection is its own.
    pub source: Option<SocketAddr>,
    /// Where the proxy was reached; None likewise.
    pub destination: Option<SocketAddr>,
    /// How many bytes the header has. The connection's own begin behind it.
    pub len: usize,
}

impl ProxyHeader {
    /// The header that `data` starts with; None when it is not all there yet. Fails when it is none (`EPROTO`), or has
    /// more than 4096 bytes.
    ///
    /// ```
    /// use ae::ProxyHeader;
    ///
    /// let header = ProxyHeader::parse(b"PROXY TCP4 192.0.2.1 192.0.2.9 4321 6379\r\nPING\r\n")?.unwrap();
    /// assert_eq!(header.source.unwrap().to_string(), "192.0.2.1:4321");
    /// assert_eq!(header.len, 42);
    /// assert!(ProxyHeader::parse(b"PROXY TCP4 192.0")?.is_none());
    /// assert!(ProxyHeader::parse(b"PING\r\n").is_err());
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn parse(data: &[u8]) -> io::Result<Option<Self>> {
        let found = proxy_header(data).map_err(io_error)?;
        Ok(found.map(|header| {
            let (source, destination) = header.ends.unzip();
            Self { source, destination, len: header.len }
        }))
    }
}
