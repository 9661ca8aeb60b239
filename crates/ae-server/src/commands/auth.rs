//! AUTH, and the part of HELLO that does the same.

use crate::acl::denials::Origin;
use crate::acl::users::DEFAULT;
use crate::command::context::{Context, Wait};
use crate::command::error::{Outcome, SYNTAX_ERROR};

pub fn auth(ctx: &mut Context<'_>) -> Outcome {
    match ctx.args.len() {
        2 => {
            if ctx.server.users.default_user().rights().no_password {
                return Err("ERR AUTH <password> called without any password configured for the default user. \
                            Are you sure your configuration is correct?"
                    .into());
            }
            authenticate(ctx, DEFAULT, ctx.arg(1))?;
        }
        3 => authenticate(ctx, ctx.arg(1), ctx.arg(2))?,
        _ => return Err(SYNTAX_ERROR.into()),
    }
    ctx.reply_ok()
}

/// The client becomes the user, if that is the user's password.
pub fn authenticate(ctx: &mut Context<'_>, user: &[u8], password: &[u8]) -> Outcome {
    let origin = if ctx.wait == Wait::Never { Origin::Transaction } else { Origin::Client };
    let command = ctx.arg(0);
    match ctx.server.authenticate(ctx.client, (user, password), command, origin) {
        true => Ok(()),
        false => Err("WRONGPASS invalid username-password pair or user is disabled.".into()),
    }
}
