//! The options of SET and GETEX: conditions, and how long the string lives.

use crate::command::context::Context;
use crate::command::error::{Error, NOT_AN_INTEGER, SYNTAX_ERROR};
use resp::number;

/// How a time is given.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Expire {
    seconds: bool,
    absolute: bool,
}

impl Expire {
    pub const SECONDS: Expire = Expire { seconds: true, absolute: false };
    pub const MILLISECONDS: Expire = Expire { seconds: false, absolute: false };

    fn option(name: &[u8]) -> Option<Expire> {
        match name.to_ascii_lowercase().as_slice() {
            b"ex" => Some(Expire::SECONDS),
            b"px" => Some(Expire::MILLISECONDS),
            b"exat" => Some(Expire { absolute: true, ..Expire::SECONDS }),
            b"pxat" => Some(Expire { absolute: true, ..Expire::MILLISECONDS }),
            _ => None,
        }
    }

    /// The time in Unix milliseconds, which has to be after 1970 and representable.
    pub fn deadline(self, ctx: &Context<'_>, time: &[u8]) -> Result<i64, Error> {
        let time = number::parse(time).ok_or(NOT_AN_INTEGER)?;
        let milliseconds = if self.seconds { time.checked_mul(1000) } else { Some(time) };
        let milliseconds = milliseconds.filter(|time| *time > 0);
        let at =
            if self.absolute { milliseconds } else { milliseconds.and_then(|time| time.checked_add(ctx.server.now)) };
        at.ok_or_else(|| ctx.invalid_expire())
    }
}

/// The options of SET and GETEX.
#[derive(Default)]
pub struct Options<'a> {
    pub not_existing: bool,
    pub existing: bool,
    pub get: bool,
    pub keep_ttl: bool,
    pub persist: bool,
    expire: Option<(Expire, &'a [u8])>,
}

impl<'a> Options<'a> {
    /// Reads them from the argument `first` on.
    pub fn parse(ctx: &Context<'a>, first: usize, for_getex: bool) -> Result<Options<'a>, Error> {
        let mut options = Options::default();
        let mut words = ctx.args.from(first);
        while let Some(word) = words.next() {
            let is = |name: &[u8]| word.eq_ignore_ascii_case(name);
            let ttl_is_open = options.expire.is_none() && !options.persist && !options.keep_ttl;
            if is(b"nx") && !for_getex && !options.existing {
                options.not_existing = true;
            } else if is(b"xx") && !for_getex && !options.not_existing {
                options.existing = true;
            } else if is(b"get") && !for_getex {
                options.get = true;
            } else if is(b"keepttl") && !for_getex && (ttl_is_open || options.keep_ttl) {
                options.keep_ttl = true;
            } else if is(b"persist") && for_getex && (ttl_is_open || options.persist) {
                options.persist = true;
            } else if let Some(unit) = Expire::option(word)
                && (ttl_is_open || options.expire.is_some_and(|(before, _)| before == unit))
                && let Some(time) = words.next()
            {
                options.expire = Some((unit, time));
            } else {
                return Err(SYNTAX_ERROR.into());
            }
        }
        Ok(options)
    }

    /// When the string expires, if the options say so.
    pub fn deadline(&self, ctx: &Context<'_>) -> Result<Option<i64>, Error> {
        self.expire.map(|(unit, time)| unit.deadline(ctx, time)).transpose()
    }
}
