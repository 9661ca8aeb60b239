//! A copy of the data in a file, on its way to one replica.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::rc::Rc;

/// A complete copy in a file, as far as one replica has got it.
pub struct CopyReader {
    file: Rc<File>,
    at: u64,
    len: u64,
}

impl CopyReader {
    pub fn new(file: Rc<File>, len: u64) -> CopyReader {
        CopyReader { file, at: 0, len }
    }

    /// The next bytes; none at the end.
    pub fn next(&mut self) -> io::Result<Vec<u8>> {
        const SIZE: u64 = 256 * 1024;
        let mut bytes = vec![0; (self.len - self.at).min(SIZE) as usize];
        self.file.read_exact_at(&mut bytes, self.at)?;
        self.at += bytes.len() as u64;
        Ok(bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    #[test]
    fn a_file_is_read_piece_by_piece() {
        let mut file = tempfile::tempfile().unwrap();
        let content: Vec<u8> = (0..600_000u32).map(|i| i as u8).collect();
        file.write_all(&content).unwrap();
        let mut reader = CopyReader::new(Rc::new(file), content.len() as u64);
        let mut read = Vec::new();
        loop {
            let bytes = reader.next().unwrap();
            if bytes.is_empty() {
                break;
            }
            read.extend(bytes);
        }
        assert_eq!(read, content);
    }
}
