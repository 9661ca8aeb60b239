//! Reads lines until their end.

use super::editor::{Editor, Typed};
use super::line::{After, Lines};
use crate::help::Known;
use crate::output::{Stop, complain, fail, put};
use crate::session::Session;
use std::io::{self, BufRead, IsTerminal, Read};

/// The longest line of standard input.
const LINE_MAX: u64 = 64 << 20;

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
    while next_line(&mut input, &mut line, LINE_MAX)? {
        if lines.take(session, &line, |_| {})? == After::Leave {
            return Ok(());
        }
    }
    Ok(())
}

/// Reads a line without its end; false if there is none.
fn next_line(input: &mut impl BufRead, line: &mut Vec<u8>, max: u64) -> Result<bool, Stop> {
    line.clear();
    if !input.take(max + 1).read_until(b'\n', line).is_ok_and(|count| count > 0) {
        return Ok(false);
    }
    if line.ends_with(b"\n") {
        line.pop();
    } else if line.len() as u64 > max {
        return fail(format!("A line has more than {max} bytes"));
    }
    Ok(true)
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_have_a_limit() {
        let (mut input, mut line) = (b"1234\n\n123456".as_slice(), Vec::new());
        let mut next = |max| next_line(&mut input, &mut line, max).map(|found| (found, line.len()));
        assert_eq!(next(4), Ok((true, 4)));
        assert_eq!(next(4), Ok((true, 0)));
        assert_eq!(next(4), Err(Stop(1)));
        assert_eq!(next(4), Ok((true, 1)));
        assert_eq!(next(4), Ok((false, 0)));
        assert_eq!(next_line(&mut b"1234".as_slice(), &mut line, 4), Ok(true));
    }
}
