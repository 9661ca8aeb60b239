//! Commands that pop from the first of several keys that is there.

use crate::clients::blocked::OnTimeout;
use crate::command::context::{Context, Wait};
use crate::command::error::{Error, Outcome, SYNTAX_ERROR};
use crate::db::door::WrongType;
use store::Kind;

/// What LMPOP and ZMPOP pop from: `numkeys key [key ...] WHERE [COUNT count]`.
pub struct Several<W> {
    /// The index of the first key.
    first: usize,
    keys: usize,
    /// From where in the value.
    pub place: W,
    pub count: usize,
}

impl<W> Several<W> {
    /// Reads it from the argument `index` on; `place` reads WHERE.
    fn parse(
        ctx: &Context<'_>,
        index: usize,
        place: impl FnOnce(&Context<'_>, usize) -> Result<W, Error>,
    ) -> Result<Several<W>, Error> {
        let keys = ctx.integer_in(index, 1.., "ERR numkeys should be greater than 0")? as usize;
        let first = index + 1;
        let place_at = first.saturating_add(keys);
        let place = place(ctx, place_at)?;
        let (mut count, mut options) = (1, ctx.args.len() - place_at - 1);
        if options >= 2 && ctx.is_word(place_at + 1, "count") {
            count = ctx.integer_in(place_at + 2, 1.., "ERR count should be greater than 0")? as usize;
            options -= 2;
        }
        if options > 0 {
            return Err(SYNTAX_ERROR.into());
        }
        Ok(Several { first, keys, place, count })
    }

    fn keys<'a>(&self, ctx: &Context<'a>) -> impl Iterator<Item = &'a [u8]> + use<'a, W> {
        ctx.args.from(self.first).take(self.keys)
    }
}

/// Pops by `pop` from the first of the keys that holds a value of type `K`. One that `may_wait` has the time to do so
/// as its first argument.
pub fn pop_several<K: Kind, W>(
    ctx: &mut Context<'_>,
    may_wait: bool,
    place: impl FnOnce(&Context<'_>, usize) -> Result<W, Error>,
    pop: impl FnOnce(&mut Context<'_>, &[u8], Several<W>) -> Outcome,
) -> Outcome {
    let from = Several::parse(ctx, 1 + usize::from(may_wait), place)?;
    let timeout = may_wait.then(|| ctx.timeout(1)).transpose()?;
    match (first_with::<K>(ctx, from.keys(ctx))?, timeout) {
        (Some(key), _) => pop(ctx, key, from),
        (None, Some(timeout)) => ctx.wait_for(from.keys(ctx), timeout, OnTimeout::NullArray),
        (None, None) => {
            ctx.reply().null_array();
            Ok(())
        }
    }
}

/// The first of the keys that holds a value of type `K`. One with something else is an error, but of no interest to a
/// request that waits: the type that it waits for may come yet.
pub fn first_with<'a, K: Kind>(
    ctx: &mut Context<'a>,
    keys: impl Iterator<Item = &'a [u8]>,
) -> Result<Option<&'a [u8]>, Error> {
    for key in ctx.keys_to_try(keys) {
        match ctx.db().peek::<K>(key).map(|value| value.is_some()) {
            Ok(true) => return Ok(Some(key)),
            Ok(false) => {}
            Err(WrongType) if ctx.wait == Wait::Again => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok(None)
}
