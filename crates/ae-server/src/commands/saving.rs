//! SAVE, BGSAVE, LASTSAVE, and SHUTDOWN, which may save.

use crate::command::context::{Context, Wait};
use crate::command::error::{Outcome, SYNTAX_ERROR};
use crate::server::shutdown::Shutdown;

const IN_PROGRESS: &str = "ERR Background save already in progress";
const ANOTHER_SNAPSHOT: &str = "ERR Another child process is active (AOF?): can't BGSAVE right now. Use BGSAVE SCHEDULE \
    in order to schedule a BGSAVE whenever possible.";
/// The log says more.
const FAILED: &str = "ERR";

pub fn save(ctx: &mut Context<'_>) -> Outcome {
    if ctx.server.is_saving() {
        return Err(IN_PROGRESS.into());
    }
    ctx.server.save().map_err(|_| FAILED)?;
    ctx.reply_ok()
}

pub fn bgsave(ctx: &mut Context<'_>) -> Outcome {
    let schedule = match ctx.args.len() {
        1 => false,
        2 if ctx.is_word(1, "schedule") => true,
        _ => return Err(SYNTAX_ERROR.into()),
    };
    if ctx.server.is_saving() {
        return Err(IN_PROGRESS.into());
    }
    let in_transaction = ctx.wait == Wait::Never;
    if ctx.server.snapshot_purpose().is_some() || in_transaction {
        if !schedule && !in_transaction {
            return Err(ANOTHER_SNAPSHOT.into());
        }
        ctx.server.status.scheduled = true;
        ctx.reply().simple("Background saving scheduled");
        return Ok(());
    }
    ctx.server.begin_saving().map_err(|_| FAILED)?;
    ctx.reply().simple("Background saving started");
    Ok(())
}

pub fn bgrewriteaof(ctx: &mut Context<'_>) -> Outcome {
    let in_transaction = ctx.wait == Wait::Never;
    let begins =
        ctx.server.ask_for_rewrite().map_err(|_| "ERR Background append only file rewriting already in progress")?;
    let when = if begins && !in_transaction { "started" } else { "scheduled" };
    ctx.reply().simple(&format!("Background append only file rewriting {when}"));
    Ok(())
}

pub fn lastsave(ctx: &mut Context<'_>) -> Outcome {
    let last = ctx.server.status.last_save;
    ctx.reply_integer(last)
}

pub fn shutdown(ctx: &mut Context<'_>) -> Outcome {
    let (mut how, mut abort) = (Shutdown::default(), false);
    for word in ctx.args.from(1) {
        let save = match word.to_ascii_lowercase().as_slice() {
            b"save" => true,
            b"nosave" => false,
            b"now" => {
                how.now = true;
                continue;
            }
            b"force" => {
                how.force = true;
                continue;
            }
            b"abort" => {
                abort = true;
                continue;
            }
            _ => return Err(SYNTAX_ERROR.into()),
        };
        if how.save.is_some_and(|before| before != save) {
            return Err(SYNTAX_ERROR.into());
        }
        how.save = Some(save);
    }
    if abort && ctx.args.from(1).any(|word| !word.eq_ignore_ascii_case(b"abort")) {
        return Err(SYNTAX_ERROR.into());
    }
    if abort {
        if !ctx.server.abort_shutdown() {
            return Err("ERR No shutdown in progress.".into());
        }
        return ctx.reply_ok();
    }
    if ctx.server.scripting.is_busy() && how.save != Some(false) {
        return Err(ctx.server.busy_error().into());
    }
    ctx.server.shut_down(how).map_err(|_| "ERR Errors trying to SHUTDOWN. Check logs.".into())
}

#[cfg(test)]
#[path = "saving_tests.rs"]
mod tests;

#[cfg(test)]
#[path = "saving_later_tests.rs"]
mod later_tests;
