//! An immutable byte string that keeps short contents inside itself.

use std::sync::Arc;

const INLINE_MAX: usize = 22;
/// From this length on, passing a value on to a client by reference is cheaper than copying it.
const SHARED_MIN: usize = 16 * 1024;

/// 24 bytes like a `Vec`, but up to 22 bytes of content need no allocation, and comparing such a key with another
/// touches no memory beyond the entry itself. Most keys and many values are that short.
pub enum Bytes {
    Inline(u8, [u8; INLINE_MAX]),
    Heap(Box<[u8]>),
    /// Long content, which replies on their way to clients may refer to.
    Shared(Arc<[u8]>),
}

const _: () = assert!(size_of::<Bytes>() == 24);

impl Bytes {
    pub fn as_slice(&self) -> &[u8] {
        match self {
            Bytes::Inline(len, data) => &data[..usize::from(*len).min(INLINE_MAX)],
            Bytes::Heap(data) => data,
            Bytes::Shared(data) => data,
        }
    }

    pub fn len(&self) -> usize {
        match self {
            Bytes::Inline(len, _) => usize::from(*len),
            Bytes::Heap(data) => data.len(),
            Bytes::Shared(data) => data.len(),
        }
    }

    /// Becomes `content`, in the memory that the old content had if it is as long and nobody else refers to it.
    pub fn assign(&mut self, content: &[u8]) {
        let memory = match self {
            Bytes::Inline(..) => None,
            Bytes::Heap(data) => Some(&mut data[..]),
            Bytes::Shared(data) => Arc::get_mut(data),
        };
        match memory {
            Some(old) if old.len() == content.len() => old.copy_from_slice(content),
            _ => *self = Bytes::from(content),
        }
    }
}

impl From<&[u8]> for Bytes {
    fn from(content: &[u8]) -> Self {
        if content.len() >= SHARED_MIN {
            return Bytes::Shared(content.into());
        }
        if content.len() > INLINE_MAX {
            return Bytes::Heap(content.into());
        }
        let mut data = [0; INLINE_MAX];
        data[..content.len()].copy_from_slice(content);
        Bytes::Inline(content.len() as u8, data)
    }
}

impl PartialEq<[u8]> for Bytes {
    fn eq(&self, other: &[u8]) -> bool {
        self.as_slice() == other
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_length_around_the_limits() {
        for len in (0..50).chain(SHARED_MIN - 2..SHARED_MIN + 2) {
            let content: Vec<u8> = (0..len).map(|i| i as u8).collect();
            let mut bytes = Bytes::from(&content[..]);
            assert_eq!(bytes.as_slice(), content);
            assert_eq!(bytes.len(), content.len());
            let kind = (matches!(bytes, Bytes::Inline(..)), matches!(bytes, Bytes::Shared(_)));
            assert_eq!(kind, (len <= INLINE_MAX, len >= SHARED_MIN));
            for other in [vec![b'x'; len], vec![b'y'; len + 1]] {
                bytes.assign(&other);
                assert_eq!(bytes.as_slice(), other);
            }
        }
    }

    #[test]
    fn what_others_refer_to_does_not_change() {
        let mut bytes = Bytes::from(&[b'x'; SHARED_MIN][..]);
        let Bytes::Shared(reference) = &bytes else { panic!("not shared") };
        let reference = reference.clone();
        bytes.assign(&[b'y'; SHARED_MIN]);
        assert!(reference.iter().all(|&c| c == b'x') && bytes.as_slice().iter().all(|&c| c == b'y'));
    }
}
