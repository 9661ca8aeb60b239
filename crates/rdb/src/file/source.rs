//! Input that is checksummed, and of which no more is taken than was read.

use crate::checksum::crc64;
use std::io::{self, Read};

/// So much is asked of the input at a time.
const SIZE: usize = 64 * 1024;

/// Buffers its input and computes the checksum of what is read from it.
pub struct Source<R> {
    input: R,
    buffer: Vec<u8>,
    /// What of the buffer is there, and what of it has been read, and is part of the checksum.
    filled: usize,
    read: usize,
    summed: usize,
    checksum: u64,
}

impl<R: Read> Source<R> {
    pub fn new(input: R) -> Source<R> {
        Source { input, buffer: vec![0; SIZE], filled: 0, read: 0, summed: 0, checksum: 0 }
    }

    /// The checksum of everything that has been read.
    pub fn checksum(&mut self) -> u64 {
        self.checksum = crc64(self.checksum, &self.buffer[self.summed..self.read]);
        self.summed = self.read;
        self.checksum
    }

    /// What has been taken from the input but not read, and the input.
    pub fn into_rest(self) -> (Vec<u8>, R) {
        (self.buffer[self.read..self.filled].to_vec(), self.input)
    }
}

impl<R: Read> Read for Source<R> {
    fn read(&mut self, room: &mut [u8]) -> io::Result<usize> {
        if self.read == self.filled {
            self.checksum();
            (self.read, self.summed, self.filled) = (0, 0, 0);
            self.filled = self.input.read(&mut self.buffer)?;
        }
        let len = room.len().min(self.filled - self.read);
        room[..len].copy_from_slice(&self.buffer[self.read..self.read + len]);
        self.read += len;
        Ok(len)
    }

    fn read_exact(&mut self, room: &mut [u8]) -> io::Result<()> {
        // Most reads are of a few bytes that are there.
        if let Some(bytes) = self.buffer[self.read..self.filled].get(..room.len()) {
            room.copy_from_slice(bytes);
            self.read += room.len();
            return Ok(());
        }
        let mut done = 0;
        while done < room.len() {
            match self.read(&mut room[done..]) {
                Ok(0) => return Err(io::ErrorKind::UnexpectedEof.into()),
                Ok(len) => done += len,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_read_is_summed_and_the_rest_is_left() {
        let bytes: Vec<u8> = (0..200_000u32).map(|at| (at.wrapping_mul(at) >> 7) as u8).collect();
        for len in [1, 1000, 70_000, 150_000] {
            let mut source = Source::new(&bytes[..]);
            let mut read = Vec::new();
            while read.len() < 150_000 {
                let mut room = vec![0; len.min(150_000 - read.len())];
                source.read_exact(&mut room).unwrap();
                read.extend(room);
                if read.len() % 3 == 0 {
                    assert_eq!(source.checksum(), crc64(0, &bytes[..read.len()]));
                }
            }
            assert_eq!(read, bytes[..150_000]);
            assert_eq!(source.checksum(), crc64(0, &read));
            let (rest, input) = source.into_rest();
            assert_eq!([&rest[..], input].concat(), bytes[150_000..]);
        }
    }

    /// Is interrupted before each byte.
    struct Interrupted(bool, u8);

    impl Read for Interrupted {
        fn read(&mut self, room: &mut [u8]) -> io::Result<usize> {
            self.0 = !self.0;
            if self.0 {
                return Err(io::ErrorKind::Interrupted.into());
            }
            self.1 += 1;
            room[0] = self.1;
            Ok(1)
        }
    }

    #[test]
    fn an_interrupted_read_is_repeated() {
        let mut room = [0; 3];
        Source::new(Interrupted(false, 0)).read_exact(&mut room).unwrap();
        assert_eq!(room, [1, 2, 3]);
    }

    #[test]
    fn the_end_of_the_input_is_noticed() {
        let mut source = Source::new(&b"abc"[..]);
        assert_eq!(source.read_exact(&mut [0; 4]).unwrap_err().kind(), io::ErrorKind::UnexpectedEof);
    }
}
