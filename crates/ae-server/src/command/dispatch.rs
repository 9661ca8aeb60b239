//! From a request to the command that answers it.

use super::context::{Command, Context, reply_error};
use super::error::{Error, c_text};
use super::flag;
use super::spec::Spec;
use super::table::TABLE;
use crate::clients::client::Client;
use crate::server::state::Server;
use resp::Args;

const NO_AUTH: &str = "NOAUTH Authentication required.";

/// Answers one request.
pub fn dispatch(server: &mut Server, client: &mut Client, args: Args<'_>) {
    server.stats.commands += 1;
    let outcome = match resolve(server, client, &args) {
        Ok(Command { spec, run, .. }) => {
            client.last_command = Some(spec);
            run(&mut Context { server, client, args, spec, commands: &TABLE })
        }
        Err(error) => Err(error),
    };
    if let Err(error) = outcome {
        reply_error(server, client, &error.0);
    }
}

/// The command that a request names, if the client may call it in this way.
fn resolve(server: &Server, client: &Client, args: &Args<'_>) -> Result<&'static Command, Error> {
    let Some(mut command) = TABLE.find(&args[0]) else {
        return Err(unknown_command(args));
    };
    if !command.subcommands.is_empty()
        && let Some(name) = args.get(1)
    {
        command = command.subcommand(name).ok_or_else(|| unknown_subcommand(name, &command.spec))?;
    }
    let spec = &command.spec;
    if !spec.fits(args.len()) {
        return Err(format!("ERR wrong number of arguments for '{}' command", spec.full_name()).into());
    }
    if !client.authenticated && !server.config.password.is_empty() && spec.flags & flag::NO_AUTH == 0 {
        return Err(NO_AUTH.into());
    }
    Ok(command)
}

/// The longest name, and about the longest list of arguments, that an error repeats.
const QUOTED_MAX: usize = 128;

fn unknown_command(args: &Args<'_>) -> Error {
    let mut text = b"ERR unknown command '".to_vec();
    text.extend_from_slice(c_text(&args[0], QUOTED_MAX));
    text.extend_from_slice(b"', with args beginning with: ");
    let start = text.len();
    for arg in args.from(1) {
        let used = text.len() - start;
        if used >= QUOTED_MAX {
            break;
        }
        text.push(b'\'');
        text.extend_from_slice(c_text(arg, QUOTED_MAX - used));
        text.extend_from_slice(b"' ");
    }
    text.into()
}

fn unknown_subcommand(name: &[u8], command: &Spec) -> Error {
    let mut text = b"ERR unknown subcommand '".to_vec();
    text.extend_from_slice(c_text(name, QUOTED_MAX));
    text.extend_from_slice(format!("'. Try {} HELP.", command.name.to_ascii_uppercase()).as_bytes());
    text.into()
}
