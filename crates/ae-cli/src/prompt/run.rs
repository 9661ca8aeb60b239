//! Reads lines until their end.

use super::editor::{Editor, Typed};
use super::line::{After, Lines};
use crate::help::Known;
use crate::output::{Stop, complain, put};
use crate::session::Session;
use std::io::{self, BufRead, IsTerminal};

/// Takes commands from a terminal with a prompt, or as they come.
pub fn run(session: &mut Session) -> Result<(), Stop> {
    session.interactive = true;
    if io::stdin().is_terminal() { from_terminal(session) } else { from_input(session) }
}

fn from_input(session: &mut Session) -> Result<(), Stop> {
    session.connect(false);
    let mut lines = Lines::default();
    let mut input = io::stdin().lock();
    let mut line = Vec::new();
    while input.read_until(b'\n', &mut line).is_ok_and(|count| count > 0) {
        if line.ends_with(b"\n") {
            line.pop();
        }
        if lines.take(session, &line, |_| {})? == After::Leave {
            return Ok(());
        }
        line.clear();
    }
    Ok(())
}

fn from_terminal(session: &mut Session) -> Result<(), Stop> {
    session.watch_interrupts();
    session.connect(false);
    let mut known = Known::default();
    let mut editor = Editor::open(session, &mut known)?;
    let mut lines = Lines { preferences: editor.preferences(), known };
    loop {
        match editor.read(&session.prompt())? {
            Typed::Line(text) => {
                if take_all(session, &mut lines, &mut editor, &text)? == After::Leave {
                    return Ok(());
                }
            }
            Typed::Discarded => {}
            Typed::End => return put(""),
        }
    }
}

/// Takes what was typed: more than a line if it was pasted. Each line is a command of its own.
fn take_all(session: &mut Session, lines: &mut Lines, editor: &mut Editor, text: &str) -> Result<After, Stop> {
    let mut left = text.split(['\r', '\n']).filter(|line| !line.is_empty());
    while let Some(line) = left.next() {
        // What Ctrl-C was meant for is over.
        session.take_interrupt();
        match lines.take(session, line.as_bytes(), |line| editor.remember(line))? {
            After::Leave => return Ok(After::Leave),
            After::Clear => editor.clear_screen(),
            After::Next => {}
            After::Failed => {
                let unsent = left.count();
                if unsent > 0 {
                    complain(format!("{unsent} more pasted line(s) not sent."));
                }
                break;
            }
        }
    }
    Ok(After::Next)
}
