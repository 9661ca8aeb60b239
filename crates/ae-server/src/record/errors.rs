//! Error replies by their code.

use std::collections::BTreeMap;

/// How many codes are told apart. The server's own are a few dozen; only scripts and tests can bring others.
const CODES_MAX: usize = 1024;
/// The longest code: what comes after is text.
const CODE_MAX: usize = 64;

/// Counts error replies.
#[derive(Default)]
pub struct Errors {
    pub total: u64,
    /// What `total` was when somebody last asked whether there were new ones.
    seen: u64,
    by_code: BTreeMap<Box<[u8]>, u64>,
}

impl Errors {
    /// Counts an error reply, without its `-`.
    pub fn count(&mut self, text: &[u8]) {
        self.total += 1;
        let code = text.split(|c| *c == b' ').next().unwrap_or_default();
        let code = &code[..code.len().min(CODE_MAX)];
        if let Some(count) = self.by_code.get_mut(code) {
            *count += 1;
        } else if self.by_code.len() < CODES_MAX {
            self.by_code.insert(code.into(), 1);
        }
    }

    /// There was an error that has been counted already.
    pub fn note(&mut self) {
        self.seen = self.total.wrapping_sub(1);
    }

    /// Whether there were errors since this was last asked.
    pub fn take_new(&mut self) -> bool {
        std::mem::replace(&mut self.seen, self.total) != self.total
    }

    /// The codes, in order, each with its count.
    pub fn iter(&self) -> impl Iterator<Item = (&[u8], u64)> {
        self.by_code.iter().map(|(code, count)| (&**code, *count))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_bounded() {
        let mut errors = Errors::default();
        for text in [&b"ERR no such key"[..], b"WRONGTYPE x", b"ERR syntax error"] {
            errors.count(text);
        }
        assert_eq!([errors.take_new(), errors.take_new()], [true, false]);
        errors.note();
        assert_eq!([errors.take_new(), errors.take_new()], [true, false]);
        assert_eq!(errors.iter().collect::<Vec<_>>(), [(&b"ERR"[..], 2), (b"WRONGTYPE", 1)]);
        errors.count(&[b'Z'; 1000]);
        assert_eq!(errors.iter().last(), Some((&[b'Z'; CODE_MAX][..], 1)));
        (0..2 * CODES_MAX).for_each(|i| errors.count(format!("X{i} {}", "y".repeat(1000)).as_bytes()));
        assert_eq!((errors.iter().count(), errors.total), (CODES_MAX, 3 + 2 * CODES_MAX as u64 + 1));
        assert!(errors.iter().all(|(code, _)| code.len() <= CODE_MAX));
    }
}
