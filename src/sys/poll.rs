//! poll and select.

use super::Errno;
use core::ffi::c_int;
use core::ptr;
use core::time::Duration;
use libc::pollfd;

pub(crate) const READ: i16 = libc::POLLIN;
pub(crate) const WRITE: i16 = libc::POLLOUT;
pub(crate) const ERROR: i16 = libc::POLLERR;
pub(crate) const HANGUP: i16 = libc::POLLHUP;
/// The peer has closed the connection, or its sending half.
#[cfg(target_os = "linux")]
pub(crate) const PEER_FINISHED: i16 = libc::POLLRDHUP;
/// A hangup is always reported; nothing tells of one half.
#[cfg(not(target_os = "linux"))]
pub(crate) const PEER_FINISHED: i16 = 0;
/// The descriptor is not open.
pub(crate) const INVALID: i16 = libc::POLLNVAL;

/// Milliseconds for the calls that take an `int`, rounded up so that nothing is early; -1 for no limit.
pub(crate) fn milliseconds(timeout_us: Option<u64>) -> c_int {
    timeout_us.map_or(-1, |us| us.div_ceil(1000).try_into().unwrap_or(c_int::MAX))
}

/// Waits for at most `milliseconds` (-1: forever); returns how many entries have something in `revents`.
pub(crate) fn poll(entries: &mut [pollfd], milliseconds: c_int) -> Result<usize, Errno> {
    // SAFETY: the slice is as long as said.
    let count = unsafe { libc::poll(entries.as_mut_ptr(), entries.len() as libc::nfds_t, milliseconds) };
    Errno::result(count).map(|count| count as usize)
}

/// A set of descriptors for [`select`], of any size: the kernel reads as many bits as it is told, not only
/// the `FD_SETSIZE` that the C macros know.
#[derive(Clone, Default)]
pub(crate) struct FdSet {
    words: Vec<libc::c_ulong>,
}

impl FdSet {
    const BITS: usize = libc::c_ulong::BITS as usize;

    /// Makes room for descriptors below `setsize`, and never less than a C `fd_set`.
    pub(crate) fn resize(&mut self, setsize: usize) -> Result<(), Errno> {
        let words = setsize.max(libc::FD_SETSIZE).div_ceil(Self::BITS);
        self.words.try_reserve_exact(words.saturating_sub(self.words.len())).map_err(|_| Errno::ENOMEM)?;
        self.words.resize(words, 0);
        Ok(())
    }

    /// Makes room for one more descriptor.
    pub(crate) fn make_room(&mut self, fd: usize) -> Result<(), Errno> {
        self.resize((fd + 1).max(self.words.len() * Self::BITS))
    }

    pub(crate) fn set(&mut self, fd: usize, on: bool) {
        let bit = 1 << (fd % Self::BITS);
        if on {
            self.words[fd / Self::BITS] |= bit;
        } else {
            self.words[fd / Self::BITS] &= !bit;
        }
    }

    pub(crate) fn contains(&self, fd: usize) -> bool {
        self.words[fd / Self::BITS] & (1 << (fd % Self::BITS)) != 0
    }

    /// Takes over the bits for descriptors below `count`, without growing.
    pub(crate) fn copy_from(&mut self, other: &FdSet, count: usize) {
        let words = count.div_ceil(Self::BITS);
        self.words[..words].copy_from_slice(&other.words[..words]);
    }
}

/// Waits until one of the descriptors below `count` is ready, for at most `timeout` (None: forever); the
/// sets then hold those that are.
pub(crate) fn select(
    count: usize,
    read: &mut FdSet,
    write: &mut FdSet,
    timeout: Option<Duration>,
) -> Result<usize, Errno> {
    debug_assert!(count <= read.words.len() * FdSet::BITS && count <= write.words.len() * FdSet::BITS);
    let mut limit = timeout.map(|timeout| libc::timeval {
        tv_sec: timeout.as_secs().try_into().unwrap_or(libc::time_t::MAX),
        tv_usec: timeout.subsec_micros() as libc::suseconds_t,
    });
    let limit = limit.as_mut().map_or(ptr::null_mut(), ptr::from_mut);
    // SAFETY: both sets have at least `count` bits, the kernel touches no more; the limit outlives the call.
    let ready = unsafe {
        libc::select(
            count as c_int,
            read.words.as_mut_ptr().cast(),
            write.words.as_mut_ptr().cast(),
            ptr::null_mut(),
            limit,
        )
    };
    Errno::result(ready).map(|ready| ready as usize)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn timeouts_round_up() {
        assert_eq!(milliseconds(None), -1);
        assert_eq!(milliseconds(Some(0)), 0);
        assert_eq!(milliseconds(Some(1)), 1);
        assert_eq!(milliseconds(Some(1000)), 1);
        assert_eq!(milliseconds(Some(1001)), 2);
        assert_eq!(milliseconds(Some(u64::MAX)), c_int::MAX);
    }

    #[test]
    fn sets_are_of_any_size() {
        let (mut set, mut copy) = (FdSet::default(), FdSet::default());
        let size = libc::FD_SETSIZE + 1;
        set.resize(size).unwrap();
        copy.resize(size).unwrap();
        set.set(size - 1, true);
        copy.copy_from(&set, size - 1);
        assert!(!copy.contains(size - 1));
        copy.copy_from(&set, size);
        assert!(copy.contains(size - 1));
        set.set(size - 1, false);
        assert!(!set.contains(size - 1) && copy.contains(size - 1));
    }

    #[test]
    fn sets_have_room_for_one_more() {
        let mut set = FdSet::default();
        for fd in [libc::FD_SETSIZE, libc::FD_SETSIZE + 64, 0] {
            set.make_room(fd).unwrap();
            set.set(fd, true);
        }
        assert!(set.contains(libc::FD_SETSIZE) && set.contains(libc::FD_SETSIZE + 64));
    }
}
