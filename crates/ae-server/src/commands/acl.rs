//! ACL: users and their rights.

use crate::acl::check::{Denied, check};
use crate::acl::command_set::find_category;
use crate::acl::denials::Denial;
use crate::acl::describe;
use crate::acl::selector::{Selector, has_spaces};
use crate::acl::users::DEFAULT;
use crate::clients::reply::Reply;
use crate::command::category;
use crate::command::context::Context;
use crate::command::error::{Error, Outcome, c_text, quoting};
use crate::command::spec::SPECS;
use crate::config::replace::replace_file;
use crate::log::{Level, log};
use resp::OwnedArgs;
use std::path::Path;
use store::types::zset::Score;

/// The most bits that ACL GENPASS makes.
const GENPASS_MAX: i64 = 4096;
/// The longest name of a category that an error repeats.
const QUOTED_MAX: usize = 128;

pub fn whoami(ctx: &mut Context<'_>) -> Outcome {
    let user = ctx.client.user.clone();
    ctx.reply_bulk(&user.name)
}

pub fn users(ctx: &mut Context<'_>) -> Outcome {
    let names: Vec<Box<[u8]>> = ctx.server.users.iter().map(|user| user.name.clone()).collect();
    ctx.reply().strings(&names);
    Ok(())
}

pub fn list(ctx: &mut Context<'_>) -> Outcome {
    let lines: Vec<Vec<u8>> = ctx.server.users.lines().collect();
    ctx.reply().strings(&lines);
    Ok(())
}

pub fn setuser(ctx: &mut Context<'_>) -> Outcome {
    let name = ctx.arg(2);
    if has_spaces(name) {
        return Err("ERR Usernames can't contain spaces or null characters".into());
    }
    let rules: Vec<Vec<u8>> = ctx.args.from(3).map(<[u8]>::to_vec).collect();
    let rights = ctx.server.users.changed(name, &rules, ctx.server.new_users_have_all_channels());
    let rights = rights.map_err(|error| quoting("ERR ", &error, ""))?;
    ctx.server.set_rights(ctx.client, name, rights);
    ctx.reply_ok()
}

pub fn getuser(ctx: &mut Context<'_>) -> Outcome {
    let Some(user) = ctx.server.users.get(ctx.arg(2)).cloned() else {
        return ctx.reply_null();
    };
    let rights = user.rights();
    let mut reply = ctx.reply();
    reply.map(6);
    reply.bulk("flags");
    let flags: Vec<&str> = rights.flags().collect();
    reply.set(flags.len());
    flags.iter().for_each(|flag| reply.bulk(flag));
    reply.bulk("passwords");
    reply.strings(&rights.passwords.iter().map(ToString::to_string).collect::<Vec<_>>());
    reply_selector(&mut reply, &rights.selectors[0]);
    reply.bulk("selectors");
    reply.array(rights.selectors.len() - 1);
    for selector in &rights.selectors[1..] {
        reply.map(3);
        reply_selector(&mut reply, selector);
    }
    Ok(())
}

/// Three fields.
fn reply_selector(reply: &mut Reply<'_>, selector: &Selector) {
    let commands = describe::commands(&selector.commands);
    let fields =
        [("commands", commands), ("keys", describe::keys(selector)), ("channels", describe::channels(selector))];
    for (name, value) in fields {
        reply.bulk(name);
        reply.bulk(value);
    }
}

pub fn deluser(ctx: &mut Context<'_>) -> Outcome {
    let names = ctx.args.from(2);
    if names.clone().any(|name| name == DEFAULT) {
        return Err("ERR The 'default' user cannot be removed".into());
    }
    let removed = names.filter(|name| ctx.server.remove_user(ctx.client, name)).count();
    ctx.reply_count(removed)
}

/// The categories, or the commands of one.
pub fn cat(ctx: &mut Context<'_>) -> Outcome {
    match ctx.args.len() {
        2 => ctx.reply().strings(&category::NAMES.map(|(_, name)| name)),
        3 => {
            let name = ctx.arg(2);
            let unknown = || quoting("ERR Unknown category '", c_text(name, QUOTED_MAX), "'");
            let category = find_category(name).ok_or_else(unknown)?;
            let of_category = SPECS.iter().filter(|spec| spec.categories() & category != 0);
            ctx.reply().strings(&of_category.map(|spec| spec.full_name).collect::<Vec<_>>());
        }
        _ => return Err(ctx.wrong_subcommand()),
    }
    Ok(())
}

/// A password that nobody can guess, in hexadecimal digits.
pub fn genpass(ctx: &mut Context<'_>) -> Outcome {
    let bits = match ctx.args.len() {
        2 => 256,
        3 => ctx.integer(2)?,
        _ => return Err(ctx.wrong_subcommand()),
    };
    if !(1..=GENPASS_MAX).contains(&bits) {
        return Err("ERR ACL GENPASS argument must be the number of bits for the output password, a positive number \
                    up to 4096"
            .into());
    }
    let digits = (bits as usize).div_ceil(4);
    let mut bytes = vec![0; digits.div_ceil(2)];
    getrandom::fill(&mut bytes).map_err(|error| format!("ERR no random numbers: {error}"))?;
    let text: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    ctx.reply_bulk(&text.as_bytes()[..digits])
}

/// What was refused lately, or forgets that.
pub fn log_denials(ctx: &mut Context<'_>) -> Outcome {
    let count = match ctx.args.len() {
        2 => 10,
        3 if ctx.is_word(2, "reset") => {
            ctx.server.denials.clear();
            return ctx.reply_ok();
        }
        3 => usize::try_from(ctx.integer(2)?).unwrap_or(0),
        _ => return Err(ctx.wrong_subcommand()),
    };
    let Context { server, client, .. } = ctx;
    let mut reply = client.reply();
    reply.array(count.min(server.denials.iter().len()));
    server.denials.iter().take(count).for_each(|denial| reply_denial(&mut reply, denial, server.now));
    Ok(())
}

fn reply_denial(reply: &mut Reply<'_>, denial: &Denial, now: i64) {
    reply.map(7);
    reply.bulk("count");
    reply.count(denial.count as usize);
    let texts: [(&str, &[u8]); 4] = [
        ("reason", denial.reason.name().as_bytes()),
        ("context", denial.origin.name().as_bytes()),
        ("object", &denial.object),
        ("username", &denial.user),
    ];
    for (name, text) in texts {
        reply.bulk(name);
        reply.bulk(text);
    }
    reply.bulk("age-seconds");
    let age = Score::new((now - denial.at) as f64 / 1000.0);
    age.into_iter().for_each(|age| reply.score(age));
    reply.bulk("client-info");
    reply.bulk(&denial.client);
}

/// Whether a user might run a request.
pub fn dryrun(ctx: &mut Context<'_>) -> Outcome {
    const START: usize = 3;
    let Some(user) = ctx.server.users.get(ctx.arg(2)).cloned() else {
        return Err(quoting("ERR User '", ctx.arg(2), "' not found"));
    };
    let request: Vec<&[u8]> = ctx.args.from(START).collect();
    let unknown = || quoting("ERR Command '", request[0], "' not found");
    let command = ctx.find_request(&request).ok_or_else(unknown)?;
    let spec = command.spec;
    if !spec.fits(request.len()) {
        return Err(format!("ERR wrong number of arguments for '{}' command", spec.full_name).into());
    }
    let (before, name, after) = match check(&user.rights(), spec, &OwnedArgs::new(&request).as_args()) {
        Ok(()) => return ctx.reply_ok(),
        Err(Denied::Command) => ("run", spec.full_name.as_bytes(), "command"),
        Err(Denied::Key(at)) => ("access", request[at], "key"),
        Err(Denied::Channel(at)) => ("access", request[at], "channel"),
    };
    let text = format!("This user has no permissions to {before} the '");
    ctx.reply_bulk(&[text.as_bytes(), c_text(name, usize::MAX), b"' ", after.as_bytes()].concat())
}

pub fn load(ctx: &mut Context<'_>) -> Outcome {
    needs_file(ctx)?;
    ctx.server.load_users(ctx.client).map_err(|error| quoting("ERR ", &error, ""))?;
    ctx.reply_ok()
}

pub fn save(ctx: &mut Context<'_>) -> Outcome {
    needs_file(ctx)?;
    let text: Vec<u8> = ctx.server.users.lines().flat_map(|line| [line, b"\n".to_vec()]).flatten().collect();
    let config = &ctx.server.config;
    match replace_file(&config.path(Path::new(&config.security.acl_file)), &text, 0o600) {
        Ok(()) => ctx.reply_ok(),
        Err(error) => {
            log(Level::Warning, format_args!("cannot save the users: {error}"));
            Err("ERR There was an error trying to save the ACLs. Please check the server logs for more information"
                .into())
        }
    }
}

fn needs_file(ctx: &Context<'_>) -> Result<(), Error> {
    if !ctx.server.config.security.acl_file.is_empty() {
        return Ok(());
    }
    Err("ERR This Redis instance is not configured to use an ACL file. You may want to specify users via the ACL \
         SETUSER command and then issue a CONFIG REWRITE (assuming you have a Redis configuration file set) in order \
         to store users in the Redis configuration."
        .into())
}

#[cfg(test)]
#[path = "acl_tests.rs"]
mod tests;
