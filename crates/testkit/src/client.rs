//! A client that blocks.

use crate::wait::PATIENCE;
use std::io::{self, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};

const LINE_END: &[u8] = b"\r\n";

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
            match self.read(&mut got[len..]) {
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
        text(self.up_to_line_end().unwrap())
    }

    /// The same; None if the connection ends instead.
    pub fn whole_line(&mut self) -> Option<String> {
        self.up_to_line_end().ok().filter(|line| line.ends_with(LINE_END)).map(text)
    }

    fn up_to_line_end(&mut self) -> io::Result<Vec<u8>> {
        let (mut line, mut byte) = (Vec::new(), [0]);
        while !line.ends_with(LINE_END) && self.read(&mut byte)? == 1 {
            line.push(byte[0]);
        }
        Ok(line)
    }

    /// Reads what comes. A wait with a time limit is interrupted when the process is stopped and goes on.
    fn read(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
        loop {
            match self.stream.read(bytes) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                result => return result,
            }
        }
    }

    /// A bulk reply to an inline command, as text.
    pub fn bulk(&mut self, line: &str) -> String {
        self.send(format!("{line}\r\n"));
        let len: usize = self.line().strip_prefix('$').unwrap().parse().unwrap();
        let mut bytes = vec![0; len + 2];
        self.stream.read_exact(&mut bytes).unwrap();
        text(bytes)
    }

    /// Sends a request and reads its reply: a bulk's bytes, or else the line of one line, as it comes.
    pub fn ask<A: AsRef<[u8]>>(&mut self, args: &[A]) -> Vec<u8> {
        self.send(request(args));
        let line = self.line();
        let Some(len) = line.strip_prefix('$').and_then(|len| len.parse::<usize>().ok()) else {
            return line.into();
        };
        let mut bytes = vec![0; len + 2];
        self.stream.read_exact(&mut bytes).unwrap();
        bytes.truncate(len);
        bytes
    }

    /// Everything up to the end of the connection.
    pub fn rest(&mut self) -> Vec<u8> {
        let mut rest = Vec::new();
        match self.stream.read_to_end(&mut rest) {
            Ok(_) => {}
            // What a close with unread data looks like from here.
            Err(error) => assert_eq!(error.kind(), io::ErrorKind::ConnectionReset),
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

fn text(bytes: Vec<u8>) -> String {
    String::from_utf8(bytes).unwrap().trim_end().into()
}

/// A request as clients send it.
pub fn request<A: AsRef<[u8]>>(args: &[A]) -> Vec<u8> {
    let mut bytes = Vec::new();
    resp::writer::request(&mut bytes, args);
    bytes
}
