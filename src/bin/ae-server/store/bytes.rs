//! An immutable byte string that keeps short contents inside itself.

const INLINE_MAX: usize = 22;

/// 24 bytes like a `Vec`, but up to 22 bytes of content need no allocation, and comparing such a key with another
/// touches no memory beyond the entry itself. Most keys and many values are that short.
pub enum Bytes {
    Inline(u8, [u8; INLINE_MAX]),
    Heap(Box<[u8]>),
}

const _: () = assert!(size_of::<Bytes>() == 24);

impl Bytes {
    pub fn as_slice(&self) -> &[u8] {
        match self {
            Bytes::Inline(len, data) => &data[..usize::from(*len).min(INLINE_MAX)],
            Bytes::Heap(data) => data,
        }
    }

    pub fn len(&self) -> usize {
        match self {
            Bytes::Inline(len, _) => usize::from(*len),
            Bytes::Heap(data) => data.len(),
        }
    }
}

impl From<&[u8]> for Bytes {
    fn from(content: &[u8]) -> Self {
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
    fn every_length_around_the_inline_limit() {
        for len in 0..50 {
            let content: Vec<u8> = (0..len).collect();
            let bytes = Bytes::from(&content[..]);
            assert_eq!(bytes.as_slice(), content);
            assert_eq!(bytes.len(), content.len());
            assert_eq!(matches!(bytes, Bytes::Heap(_)), content.len() > INLINE_MAX);
        }
    }
}
