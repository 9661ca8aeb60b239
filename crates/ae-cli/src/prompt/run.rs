//! Reads lines until their end.

use super::editor::{Editor, Typed};
use super::line::{After, Lines};
use crate::output::{Stop, put};
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
    let mut editor = Editor::open(session)?;
    let mut lines = Lines { preferences: editor.preferences() };
    loop {
        match editor.read(&session.prompt()) {
            Typed::Line(line) => {
                let after = lines.take(session, line.as_bytes(), |line| editor.remember(line))?;
                match after {
                    After::Leave => return Ok(()),
                    After::Clear => editor.clear_screen(),
                    After::Next => {}
                }
                // What Ctrl-C was meant for is over.
                session.take_interrupt();
            }
            Typed::Discarded => {}
            Typed::End => return put(""),
        }
    }
}
