//! DEBUG: what tests need.

use crate::command::context::Context;
use crate::command::error::{Outcome, quoting};
use std::time::Duration;

/// Only clients of the server's own host may use it: some of it disturbs every client.
pub fn debug(ctx: &mut Context<'_>) -> Outcome {
    if !ctx.client.is_local() {
        return Err("ERR DEBUG command not allowed: only clients of the server's own host may use it.".into());
    }
    match ctx.arg(1).to_ascii_lowercase().as_slice() {
        b"sleep" if ctx.args.len() == 3 => sleep(ctx),
        b"help" => help(ctx),
        _ => {
            Err(quoting("ERR unknown subcommand or wrong number of arguments for '", ctx.arg(1), "'. Try DEBUG HELP."))
        }
    }
}

/// Blocks the server for every client.
fn sleep(ctx: &mut Context<'_>) -> Outcome {
    let seconds = std::str::from_utf8(ctx.arg(2)).ok().and_then(|text| text.parse::<f64>().ok());
    let duration = Duration::try_from_secs_f64(seconds.unwrap_or(0.0)).unwrap_or_default();
    std::thread::sleep(duration);
    ctx.server.read_clock();
    ctx.reply_ok()
}

fn help(ctx: &mut Context<'_>) -> Outcome {
    const LINES: [&str; 3] = [
        "DEBUG <subcommand> [<arg> [value] [opt] ...]. Subcommands are:",
        "SLEEP <seconds>",
        "    Does nothing for so many seconds, for anybody.",
    ];
    let mut reply = ctx.reply();
    reply.array(LINES.len());
    LINES.iter().for_each(|line| reply.simple(line));
    Ok(())
}
