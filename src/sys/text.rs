//! Text without allocation: reporting that memory ran out must not need memory.

use core::ffi::{CStr, c_char, c_int};
use core::fmt::{self, Write};
use core::mem::MaybeUninit;
use core::net::IpAddr;
use nix::errno::Errno;

/// Enough for every error text of the C libraries we know.
pub(crate) const ERROR_TEXT_LEN: usize = 128;

/// Text in a buffer of its own, cut to what fits with a NUL behind it.
pub(crate) struct Text<const N: usize> {
    bytes: [u8; N],
    len: usize,
}

impl<const N: usize> Text<N> {
    pub(crate) fn new(text: fmt::Arguments<'_>) -> Self {
        let mut this = Self { bytes: [0; N], len: 0 };
        // It never fails: it cuts.
        let _ = this.write_fmt(text);
        this
    }

    /// Lets `fill` write a terminated text into the buffer; it gets the buffer's address and size.
    fn filled(fill: impl FnOnce(*mut c_char, usize)) -> Self {
        let mut this = Self { bytes: [0; N], len: 0 };
        fill(this.bytes.as_mut_ptr().cast(), N);
        this.len = this.bytes[..N - 1].iter().position(|byte| *byte == 0).unwrap_or(N - 1);
        this.bytes[this.len] = 0;
        this
    }

    pub(crate) fn as_str(&self) -> &str {
        let text = &self.bytes[..self.len];
        match core::str::from_utf8(text) {
            Ok(text) => text,
            // Cut in the middle of a character, or in another encoding: the part that is valid.
            Err(error) => core::str::from_utf8(&text[..error.valid_up_to()]).unwrap_or_default(),
        }
    }

    /// For C functions that take a `char *` and only read it, or write within it.
    #[cfg_attr(abi_v1, allow(dead_code))] // Listeners need it, which came with redis-7.2.
    pub(crate) fn as_mut_ptr(&mut self) -> *mut c_char {
        self.bytes.as_mut_ptr().cast()
    }

    pub(crate) fn as_c_str(&self) -> &CStr {
        CStr::from_bytes_until_nul(&self.bytes).unwrap_or_default()
    }
}

impl<const N: usize> Write for Text<N> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let room = &mut self.bytes[self.len..N - 1];
        let count = text.len().min(room.len());
        room[..count].copy_from_slice(&text.as_bytes()[..count]);
        self.len += count;
        Ok(())
    }
}

impl<const N: usize> fmt::Display for Text<N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.as_str().fmt(f)
    }
}

/// Writes the C library's text for an errno value, terminated, into `buf`.
pub(crate) fn error_text_into(errno: c_int, buf: &mut [c_char; ERROR_TEXT_LEN]) -> &CStr {
    // SAFETY: the buffer is as long as said; libc binds the POSIX strerror_r, which writes to it alone.
    let failed = unsafe { libc::strerror_r(errno, buf.as_mut_ptr(), buf.len()) } != 0;
    if failed && buf[0] == 0 {
        for (to, from) in buf.iter_mut().zip(b"Unknown error\0") {
            *to = *from as c_char;
        }
    }
    buf[ERROR_TEXT_LEN - 1] = 0;
    // SAFETY: the last byte is a NUL.
    unsafe { CStr::from_ptr(buf.as_ptr()) }
}

/// The C library's text for an errno value.
pub(crate) fn error_text(errno: Errno) -> Text<ERROR_TEXT_LEN> {
    Text::filled(|buf, _| {
        // SAFETY: the buffer has that length, and the reference ends here.
        error_text_into(errno as c_int, unsafe { &mut *buf.cast() });
    })
}

/// The resolver's text for one of its error codes.
pub(crate) fn resolver_text(code: c_int) -> &'static str {
    // SAFETY: gai_strerror returns a static string for every code.
    unsafe { CStr::from_ptr(libc::gai_strerror(code)) }.to_str().unwrap_or("Unknown resolver error")
}

unsafe extern "C" {
    // POSIX; the libc crate does not bind it on every platform.
    fn inet_ntop(
        family: c_int,
        address: *const core::ffi::c_void,
        text: *mut c_char,
        len: libc::socklen_t,
    ) -> *const c_char;
}

/// Enough for any address that `inet_ntop` writes, with its NUL.
pub(crate) const IP_TEXT_LEN: usize = 46;

/// An address as C programs write it; Rust writes IPv4-compatible ones in another way.
///
/// # Safety
/// `address` is an `in_addr` or `in6_addr`, as `family` says.
pub(crate) unsafe fn ip_text(family: c_int, address: *const core::ffi::c_void) -> Text<IP_TEXT_LEN> {
    Text::filled(|buf, len| {
        // SAFETY: an address of the family; the buffer is as long as said, and large enough for any.
        unsafe { inet_ntop(family, address, buf, len as libc::socklen_t) };
    })
}

/// The same of an address of Rust's.
pub(crate) fn text_of_ip(ip: IpAddr) -> Text<IP_TEXT_LEN> {
    match ip {
        // SAFETY: the bytes are those of an `in_addr`.
        IpAddr::V4(v4) => unsafe { ip_text(libc::AF_INET, v4.octets().as_ptr().cast()) },
        // SAFETY: the bytes are those of an `in6_addr`.
        IpAddr::V6(v6) => unsafe { ip_text(libc::AF_INET6, v6.octets().as_ptr().cast()) },
    }
}

/// Room for a text that a C caller gave. What is written there is always terminated, except when the room is empty.
pub(crate) struct TextRoom<'a>(&'a mut [MaybeUninit<u8>]);

impl TextRoom<'_> {
    /// None for NULL: the caller does not want the text.
    ///
    /// # Safety
    /// `buf` is NULL or has room for `len` bytes, which nobody else uses while this lives.
    pub(crate) unsafe fn new(buf: *mut c_char, len: usize) -> Option<Self> {
        if buf.is_null() {
            return None;
        }
        // SAFETY: not NULL, and the room is this one's alone, by this function's own contract; uninitialised bytes are
        // fine. No object is larger than the limit.
        Some(Self(unsafe { core::slice::from_raw_parts_mut(buf.cast(), len.min(isize::MAX as usize)) }))
    }

    /// Writes as much of the text as fits. Returns the length of the whole.
    pub(crate) fn write(&mut self, text: fmt::Arguments<'_>) -> usize {
        self.write_with(|cut| _ = cut.write_fmt(text)) // It never fails: it cuts.
    }

    /// Writes as much of the bytes as fits.
    pub(crate) fn write_bytes(&mut self, parts: &[&[u8]]) {
        self.write_with(|cut| parts.iter().for_each(|part| cut.push(part)));
    }

    /// Writes the whole text, or fails with `ENOSPC` and leaves an empty one.
    pub(crate) fn write_whole(&mut self, text: &str) -> Result<(), Errno> {
        let fits = text.len() < self.0.len();
        self.write(format_args!("{}", if fits { text } else { "" }));
        if fits { Ok(()) } else { Err(Errno::ENOSPC) }
    }

    fn write_with(&mut self, body: impl FnOnce(&mut Cut<'_>)) -> usize {
        // A byte is kept for the NUL.
        let most = self.0.len().saturating_sub(1);
        let mut cut = Cut { left: &mut self.0[..most], whole: 0 };
        body(&mut cut);
        let (end, whole) = (most - cut.left.len(), cut.whole);
        if let Some(nul) = self.0.get_mut(end) {
            nul.write(0);
        }
        whole
    }
}

/// Takes as much of a text as fits, and counts the whole.
struct Cut<'a> {
    left: &'a mut [MaybeUninit<u8>],
    whole: usize,
}

impl Cut<'_> {
    fn push(&mut self, bytes: &[u8]) {
        let count = bytes.len().min(self.left.len());
        let (now, left) = core::mem::take(&mut self.left).split_at_mut(count);
        for (to, from) in now.iter_mut().zip(bytes) {
            to.write(*from);
        }
        self.left = left;
        self.whole += bytes.len();
    }
}

impl Write for Cut<'_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.push(text.as_bytes());
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_cut_and_terminated() {
        let text = Text::<8>::new(format_args!("{}-{}", "abc", 12345));
        assert_eq!((text.as_str(), text.as_c_str()), ("abc-123", c"abc-123"));
        assert_eq!(Text::<4>::new(format_args!("aäb")).as_str(), "aä");
        assert_eq!(Text::<3>::new(format_args!("aäb")).as_str(), "a");
        assert_eq!(Text::<8>::new(format_args!("a\0b")).as_c_str(), c"a");
        // SAFETY: there is room for so many.
        let filled = |count| Text::<4>::filled(|to, _| unsafe { to.write_bytes(b'x', count) });
        assert_eq!((filled(2).as_str(), filled(2).as_c_str()), ("xx", c"xx"));
        assert_eq!((filled(4).as_str(), filled(4).as_c_str()), ("xxx", c"xxx"));
    }

    #[test]
    fn error_texts_are_the_systems() {
        assert_eq!(error_text(Errno::ENOENT).as_str(), "No such file or directory");
    }

    /// What `write` does with the first `len` bytes as its room.
    fn written<T>(buf: &mut [u8; 8], len: usize, write: impl FnOnce(&mut TextRoom<'_>) -> T) -> T {
        // SAFETY: there is room for eight bytes.
        write(&mut unsafe { TextRoom::new(buf.as_mut_ptr().cast(), len) }.unwrap())
    }

    #[test]
    fn given_room_is_kept_to() {
        let mut buf = [b'#'; 8];
        let mut whole = |len| (written(&mut buf, len, |room| room.write(format_args!("{}{}", 123, 45))), buf);
        assert_eq!(whole(0), (5, *b"########"));
        assert_eq!(whole(1), (5, *b"\0#######"));
        assert_eq!(whole(3), (5, *b"12\0#####"));
        assert_eq!(whole(8), (5, *b"12345\0##"));
    }

    #[test]
    fn bytes_are_cut_between_and_within_parts() {
        let mut buf = [b'#'; 8];
        written(&mut buf, 5, |room| room.write_bytes(&[b"abc", b"def"]));
        assert_eq!(buf, *b"abcd\0###");
        written(&mut buf, 8, |room| room.write_bytes(&[b"xyz", b":0"]));
        assert_eq!(buf, *b"xyz:0\0##");
    }

    #[test]
    fn a_text_that_does_not_fit_leaves_none() {
        let mut buf = [b'#'; 8];
        assert_eq!(written(&mut buf, 5, |room| room.write_whole("12345")), Err(Errno::ENOSPC));
        assert_eq!(buf, *b"\0#######");
        assert_eq!(written(&mut buf, 6, |room| room.write_whole("12345")), Ok(()));
        assert_eq!(buf, *b"12345\0##");
        assert_eq!(written(&mut buf, 0, |room| room.write_whole("")), Err(Errno::ENOSPC));
        // SAFETY: NULL.
        assert!(unsafe { TextRoom::new(core::ptr::null_mut(), 8) }.is_none());
    }
}
