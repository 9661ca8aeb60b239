//! An immutable byte string that keeps short contents inside itself.

use std::sync::Arc;

const INLINE_MAX: usize = 22;
/// From this length on, passing a value on to a client by reference is cheaper than copying it.
const SHARED_MIN: usize = 16 * 1024;

/// 24 bytes like a `Vec`, but up to 22 bytes of content need no allocation, and comparing such a key with another
/// touches no memory beyond the entry itself. Most keys and many values are that short.
#[derive(Clone)]
pub enum Bytes {
    /// In place: the length, and the bytes.
    Inline(u8, [u8; INLINE_MAX]),
    /// In memory of its own.
    Heap(Box<[u8]>),
    /// Long content, which replies on their way to clients may refer to.
    Shared(Arc<Vec<u8>>),
}

/// What a new string is made of.
#[derive(Clone, Copy)]
pub enum Content<'a> {
    /// To be copied.
    Borrowed(&'a [u8]),
    /// To be kept as it is.
    Shared(&'a Arc<Vec<u8>>),
}

impl<'a> Content<'a> {
    /// The bytes.
    pub fn as_slice(self) -> &'a [u8] {
        match self {
            Content::Borrowed(bytes) => bytes,
            Content::Shared(bytes) => bytes,
        }
    }
}

impl<'a> From<&'a [u8]> for Content<'a> {
    fn from(bytes: &'a [u8]) -> Self {
        Content::Borrowed(bytes)
    }
}

impl<'a, const N: usize> From<&'a [u8; N]> for Content<'a> {
    fn from(bytes: &'a [u8; N]) -> Self {
        Content::Borrowed(bytes)
    }
}

const _: () = assert!(size_of::<Bytes>() == 24);

impl Bytes {
    /// The bytes.
    pub fn as_slice(&self) -> &[u8] {
        match self {
            Bytes::Inline(len, data) => &data[..usize::from(*len).min(INLINE_MAX)],
            Bytes::Heap(data) => data,
            Bytes::Shared(data) => data,
        }
    }

    /// Whether there is nothing.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// How many bytes there are.
    pub fn len(&self) -> usize {
        match self {
            Bytes::Inline(len, _) => usize::from(*len),
            Bytes::Heap(data) => data.len(),
            Bytes::Shared(data) => data.len(),
        }
    }

    /// How many bytes of memory it has besides itself.
    pub fn allocated(&self) -> usize {
        // A shared content's own header: the two counts, and the vector.
        const SHARED: usize = size_of::<[usize; 2]>() + size_of::<Vec<u8>>();
        match self {
            Bytes::Inline(..) => 0,
            Bytes::Heap(data) => data.len(),
            Bytes::Shared(data) => SHARED + data.capacity(),
        }
    }

    /// Becomes `content`, if that has to be copied in the memory that the old content had if it is as long and nobody
    /// else refers to it.
    pub fn assign(&mut self, content: Content<'_>) {
        let memory = match self {
            Bytes::Inline(..) => None,
            Bytes::Heap(data) => Some(&mut data[..]),
            Bytes::Shared(data) => Arc::get_mut(data).map(Vec::as_mut_slice),
        };
        match (memory, content) {
            (Some(old), Content::Borrowed(new)) if old.len() == new.len() => old.copy_from_slice(new),
            _ => *self = Bytes::from(content),
        }
    }
}

impl From<Content<'_>> for Bytes {
    fn from(content: Content<'_>) -> Self {
        let content = match content {
            Content::Shared(content) if content.len() >= SHARED_MIN => return Bytes::Shared(content.clone()),
            Content::Shared(content) => content,
            Content::Borrowed(content) => content,
        };
        if content.len() >= SHARED_MIN {
            return Bytes::Shared(Arc::new(content.to_vec()));
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
            let mut bytes = Bytes::from(Content::Borrowed(&content));
            assert_eq!(bytes.as_slice(), content);
            assert_eq!(bytes.len(), content.len());
            let kind = (matches!(bytes, Bytes::Inline(..)), matches!(bytes, Bytes::Shared(_)));
            assert_eq!(kind, (len <= INLINE_MAX, len >= SHARED_MIN));
            for other in [vec![b'x'; len], vec![b'y'; len + 1]] {
                bytes.assign(Content::Borrowed(&other));
                assert_eq!(bytes.as_slice(), other);
            }
        }
    }

    #[test]
    fn what_others_refer_to_does_not_change() {
        let mut bytes = Bytes::from(Content::from(&[b'x'; SHARED_MIN]));
        let Bytes::Shared(reference) = &bytes else { panic!("not shared") };
        let reference = reference.clone();
        bytes.assign(Content::from(&[b'y'; SHARED_MIN]));
        assert!(reference.iter().all(|&c| c == b'x') && bytes.as_slice().iter().all(|&c| c == b'y'));
    }

    #[test]
    fn short_content_is_not_shared() {
        for (len, is_shared) in [(3, false), (SHARED_MIN - 1, false), (SHARED_MIN, true)] {
            let bytes = Bytes::from(Content::Shared(&Arc::new(vec![b'x'; len])));
            assert_eq!(matches!(bytes, Bytes::Shared(_)), is_shared, "{len}");
        }
    }

    #[test]
    fn what_can_be_kept_is_not_copied() {
        let content = Arc::new(vec![b'x'; SHARED_MIN]);
        let mut bytes = Bytes::from(Content::from(&[b'y'; SHARED_MIN]));
        bytes.assign(Content::Shared(&content));
        assert!(std::ptr::eq(bytes.as_slice(), content.as_slice()));
    }
}
