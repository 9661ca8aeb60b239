//! HELP.

use super::entry::Entry;
use super::known::Known;
use crate::output::{Stop, colours, put};
use crate::session::Session;

/// Whether these words ask for help, which the client gives.
pub fn is_asked(args: &[Vec<u8>]) -> bool {
    args.first().is_some_and(|name| name.eq_ignore_ascii_case(b"help") || name == b"?")
}

/// Answers HELP, `HELP @group` or `HELP command`.
pub fn answer(session: &mut Session, known: &mut Known, args: &[Vec<u8>]) -> Result<(), Stop> {
    let words: Vec<_> = args.iter().map(|arg| String::from_utf8_lossy(arg)).collect();
    let Some(first) = words.first() else { return put(format!("ae-cli {}\n{GENERAL}", env!("CARGO_PKG_VERSION"))) };
    let entries = known.entries(session);
    let colours = colours();
    let mut text = String::new();
    for entry in entries.iter() {
        let wanted = match first.strip_prefix('@') {
            Some(group) => entry.group.eq_ignore_ascii_case(group),
            None => {
                let mut name = entry.name.split(' ');
                words.iter().all(|word| name.next().is_some_and(|part| part.eq_ignore_ascii_case(word)))
            }
        };
        if wanted {
            text.push_str(&shown(entry, first.starts_with('@'), colours));
        }
    }
    put(text + "\r\n")
}

const GENERAL: &str = "
  help @GROUP          the commands of a group
  help COMMAND         what a command does, and what it is called with
  help <Tab>           what there is help on
  :set hints           show what comes next while you type; \":set nohints\": do not
  COUNT COMMAND...     send a command so often
  connect HOST PORT    go to another server
  clear                clear the screen
  quit                 leave

~/.redisclirc may have lines of \":set\".
";

fn shown(entry: &Entry, in_group: bool, colours: bool) -> String {
    let Entry { name, syntax, summary, since, group } = entry;
    let mut text = format!("\r\n  {} {}\r\n", painted(colours, "1", name), painted(colours, "90", &syntax.join(" ")));
    let mut line = |title: &str, value: &str| {
        text.push_str(&format!("  {} {value}\r\n", painted(colours, "33", title)));
    };
    line("summary:", summary);
    if !since.is_empty() {
        line("since:", since);
    }
    if !in_group {
        line("group:", group);
    }
    text
}

/// Text in a colour, if there are any.
fn painted(colours: bool, code: &str, text: &str) -> String {
    if colours { format!("\x1b[{code}m{text}\x1b[0m") } else { text.into() }
}
