//! What has arrived of the stream of the server's own primary.

use resp::RequestParser;

/// What has arrived of the stream.
#[derive(Default)]
pub struct PrimaryStream {
    pub parser: RequestParser,
    /// What has not run.
    pub bytes: Vec<u8>,
    /// What has run, but belongs to a transaction that is not complete.
    pub unfinished: Vec<u8>,
}

impl PrimaryStream {
    /// Another one begins, with these bytes.
    pub fn begin(&mut self, bytes: Vec<u8>) {
        *self = PrimaryStream { bytes, ..PrimaryStream::default() };
    }

    /// Takes away what is done with: all up to the position `applied` of what was there before.
    pub fn take_applied(&mut self, applied: usize) -> Vec<u8> {
        let done = self.parser.rebase();
        let before = self.unfinished.len();
        self.unfinished.extend(self.bytes.drain(..done));
        if applied == 0 {
            return Vec::new();
        }
        let rest = self.unfinished.split_off(before + applied);
        std::mem::replace(&mut self.unfinished, rest)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use resp::Limits;

    #[test]
    fn transactions_are_passed_on_whole() {
        let mut stream = PrimaryStream::default();
        let limits = Limits::default();
        stream.begin(b"*1\r\n$4\r\nPING\r\n*1\r\n$5\r\nMULTI\r\n*1\r".to_vec());
        assert!(stream.parser.advance(&mut stream.bytes, &limits).unwrap());
        let applied = stream.parser.parsed();
        assert!(stream.parser.advance(&mut stream.bytes, &limits).unwrap());
        assert!(!stream.parser.advance(&mut stream.bytes, &limits).unwrap());
        assert_eq!(stream.take_applied(applied), b"*1\r\n$4\r\nPING\r\n");
        stream.bytes.extend_from_slice(b"\n$4\r\nEXEC\r\n");
        assert!(stream.parser.advance(&mut stream.bytes, &limits).unwrap());
        let applied = stream.parser.parsed();
        assert_eq!(stream.take_applied(applied), b"*1\r\n$5\r\nMULTI\r\n*1\r\n$4\r\nEXEC\r\n");
        assert_eq!((stream.bytes.len(), stream.unfinished.len()), (0, 0));
    }
}
