//! A client that waits for nothing.

use std::io::{self, ErrorKind, Read, Write};
use std::net::Shutdown;
use std::os::unix::net::UnixStream;
use std::path::Path;

/// A client of a server's Unix socket, by which what is sent is there at once. Writing ends where the socket is full.
pub struct LocalClient(UnixStream);

impl LocalClient {
    /// Connects to the socket at `path`.
    pub fn connect(path: &Path) -> LocalClient {
        let stream = UnixStream::connect(path).unwrap();
        stream.set_nonblocking(true).unwrap();
        LocalClient(stream)
    }

    /// Sends an end, and goes on reading.
    pub fn finish_sending(&self) {
        self.0.shutdown(Shutdown::Write).unwrap();
    }

    /// Adds what has come; true if the server has closed the connection.
    pub fn receive(&mut self, bytes: &mut Vec<u8>) -> bool {
        match self.0.read_to_end(bytes) {
            Ok(_) => true,
            Err(error) => error.kind() != ErrorKind::WouldBlock,
        }
    }

    /// What has come, on one line; "closed" behind it if the server has closed the connection.
    pub fn received(&mut self) -> String {
        let mut bytes = Vec::new();
        if self.receive(&mut bytes) {
            bytes.extend_from_slice(b"closed");
        }
        String::from_utf8(bytes).unwrap().replace("\r\n", " ").trim_end().into()
    }
}

impl Write for LocalClient {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
