//! EVAL, EVALSHA and SCRIPT.

use super::script_run::{Call, key_count, run, show};
use crate::command::context::Context;
use crate::command::error::{Error, Outcome};
use crate::scripting::scripts::{Known, Scripts, Sha};
use lua::Kind;

const NO_SCRIPT: &str = "NOSCRIPT No matching script. Please use EVAL.";
const NOT_BUSY: &str = "NOTBUSY No scripts in execution right now.";
const OF_PRIMARY: &str = "UNKILLABLE The busy script was sent by a master instance in the context of replication and \
    cannot be killed.";
const HAS_WRITTEN: &str = "UNKILLABLE Sorry the script already executed write commands against the dataset. You can \
    either wait the script termination or kill the server in a hard way using the SHUTDOWN NOSAVE command.";

pub fn eval(ctx: &mut Context<'_>) -> Outcome {
    eval_text(ctx, false)
}

pub fn eval_ro(ctx: &mut Context<'_>) -> Outcome {
    eval_text(ctx, true)
}

pub fn evalsha(ctx: &mut Context<'_>) -> Outcome {
    eval_known(ctx, false)
}

pub fn evalsha_ro(ctx: &mut Context<'_>) -> Outcome {
    eval_known(ctx, true)
}

fn eval_text(ctx: &mut Context<'_>, read_only: bool) -> Outcome {
    show(ctx);
    let keys = key_count(ctx)?;
    let text = ctx.arg(1);
    let (sha, known) = ctx.server.scripting.compile(text, false).map_err(refused)?;
    eval_script(ctx, &sha, &known, keys, read_only)
}

fn eval_known(ctx: &mut Context<'_>, read_only: bool) -> Outcome {
    show(ctx);
    let sha = Scripts::sha(ctx.arg(1)).ok_or(NO_SCRIPT)?;
    let keys = key_count(ctx)?;
    let known = ctx.server.scripting.scripts.get(&sha).cloned().ok_or(NO_SCRIPT)?;
    eval_script(ctx, &sha, &known, keys, read_only)
}

fn eval_script(ctx: &mut Context<'_>, sha: &Sha, known: &Known, keys: usize, read_only: bool) -> Outcome {
    let engine = ctx.server.scripting.interpreter.engine().map_err(refused)?;
    let what = Call { script: &known.script, kind: Kind::Script, name: sha, flags: known.flags, keys, read_only };
    run(ctx, &engine, &what)
}

fn refused(reason: String) -> Error {
    format!("ERR {reason}").into()
}

pub fn load(ctx: &mut Context<'_>) -> Outcome {
    let text = ctx.arg(2);
    let (sha, _) = ctx.server.scripting.compile(text, true).map_err(refused)?;
    ctx.reply_bulk(&sha)
}

pub fn exists(ctx: &mut Context<'_>) -> Outcome {
    let names: Vec<&[u8]> = ctx.args.from(2).collect();
    let Context { server, client, .. } = ctx;
    let scripts = &server.scripting.scripts;
    let mut reply = client.reply();
    reply.array(names.len());
    for name in names {
        let known = Scripts::sha(name).is_some_and(|sha| scripts.get(&sha).is_some());
        reply.integer(known.into());
    }
    Ok(())
}

pub fn flush(ctx: &mut Context<'_>) -> Outcome {
    let fits = ctx.args.len() == 2 || (ctx.args.len() == 3 && (ctx.is_word(2, "async") || ctx.is_word(2, "sync")));
    if !fits {
        return Err("ERR SCRIPT FLUSH only support SYNC|ASYNC option".into());
    }
    ctx.server.scripting.flush();
    ctx.reply_ok()
}

pub fn kill(ctx: &mut Context<'_>) -> Outcome {
    kill_running(ctx, false)
}

/// Ends the script or function that runs.
pub fn kill_running(ctx: &mut Context<'_>, function: bool) -> Outcome {
    let busy = ctx.server.busy_error();
    let running = ctx.server.scripting.running.as_mut().ok_or(NOT_BUSY)?;
    if running.is_ordered {
        return Err(OF_PRIMARY.into());
    }
    if running.has_written {
        return Err(HAS_WRITTEN.into());
    }
    if running.is_function != function {
        return Err(busy.into());
    }
    running.killed = true;
    ctx.reply_ok()
}

pub fn debug(ctx: &mut Context<'_>) -> Outcome {
    if ctx.is_word(2, "no") {
        return ctx.reply_ok();
    }
    if ctx.is_word(2, "yes") || ctx.is_word(2, "sync") {
        return Err("ERR this server has no debugger for scripts".into());
    }
    Err("ERR Use SCRIPT DEBUG YES/SYNC/NO".into())
}

#[cfg(test)]
#[path = "scripts_tests.rs"]
mod tests;

#[cfg(test)]
#[path = "busy_scripts_tests.rs"]
mod busy_tests;
