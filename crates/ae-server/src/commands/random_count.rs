//! The count of HRANDFIELD, SRANDMEMBER and ZRANDMEMBER.

use crate::clients::reply::Reply;
use crate::command::context::integer_between;
use crate::command::error::Error;

/// How many members are picked at random.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Count {
    /// Different ones, at most as many as there are.
    Distinct(usize),
    /// Each out of all, from a negative count.
    Repeated(usize),
}

pub const OUT_OF_RANGE: &str = "ERR value is out of range";
/// Repeated members replied to at a time.
const AT_A_TIME: usize = 10_000;
/// What the protocol puts around a member, at most.
const FRAME: u64 = 32;

impl Count {
    pub fn parse(text: &[u8]) -> Result<Count, Error> {
        let count = integer_between(text, -i64::MAX..=i64::MAX)?;
        let size = count.unsigned_abs() as usize;
        Ok(if count < 0 { Count::Repeated(size) } else { Count::Distinct(size) })
    }

    /// As many as were asked for.
    pub fn asked(self) -> usize {
        match self {
            Count::Distinct(count) | Count::Repeated(count) => count,
        }
    }

    /// Has `some` reply to so many at a time, until all are replied to or more waits for the client than may.
    pub fn in_turn(count: usize, reply: &mut Reply<'_>, mut some: impl FnMut(&mut Reply<'_>, usize)) {
        let mut left = count;
        while left > 0 && !reply.is_full() {
            let now = left.min(AT_A_TIME);
            some(reply, now);
            left -= now;
        }
    }

    /// What can be replied to it by a collection of `len` members that has `allocated` bytes. With repetition only the
    /// request bounds the reply, so one that may exceed `max_bytes` is refused, unless there is a limit to what may wait for the
    /// client, at which it ends. `longest` finds the length of the longest
    /// member.
    pub fn limited(
        self,
        reply: &Reply<'_>,
        max_bytes: u64,
        len: usize,
        allocated: usize,
        longest: impl FnOnce() -> usize,
    ) -> Result<Count, Error> {
        match self {
            Count::Distinct(count) => Ok(Count::Distinct(count.min(len))),
            Count::Repeated(_) if reply.is_limited() => Ok(self),
            Count::Repeated(count) => {
                let fits = |length: usize| {
                    (count as u64).checked_mul(length as u64 + FRAME).is_some_and(|bytes| bytes <= max_bytes)
                };
                if fits(allocated) || fits(longest()) { Ok(self) } else { Err(OUT_OF_RANGE.into()) }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clients::output::Output;
    use resp::Protocol;

    #[test]
    fn repetition_is_bounded_by_the_longest_member() {
        let mut output = Output::default();
        let reply = Reply::new(&mut output, Protocol::Resp2);
        let limited = |count: &[u8], longest| {
            Count::parse(count).ok().unwrap().limited(&reply, 1000, 3, 1 << 20, || longest).ok()
        };
        assert_eq!(limited(b"-10", 68), Some(Count::Repeated(10)));
        assert_eq!(limited(b"-10", 69), None);
        assert_eq!(limited(b"-9223372036854775807", 1), None);
        assert_eq!(limited(b"9223372036854775807", 1), Some(Count::Distinct(3)));
    }
}
