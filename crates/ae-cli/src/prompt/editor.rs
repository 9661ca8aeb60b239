//! The line editor: history, completion and hints around rustyline.

use super::history::{History, LINES_MAX};
use super::preferences::Preferences;
use super::{completion, hints};
use crate::help::{Entries, Known};
use crate::output::{Stop, complain, fail, no_color, put};
use crate::session::Session;
use rustix::termios::{QueueSelector, tcflush};
use rustyline::completion::{Completer, Pair};
use rustyline::error::ReadlineError;
use rustyline::highlight::Highlighter;
use rustyline::hint::{Hint, Hinter};
use rustyline::history::MemHistory;
use rustyline::validate::Validator;
use rustyline::{ColorMode, CompletionType, Config, Context, Helper};
use std::borrow::Cow;
use std::cell::Cell;
use std::io;
use std::rc::Rc;

/// What somebody typed.
pub(super) enum Typed {
    Line(String),
    /// A line that Ctrl-C ended.
    Discarded,
    /// Ctrl-D, or Ctrl-C on an empty line.
    End,
}

/// The editor of the prompt.
pub(super) struct Editor {
    inner: rustyline::Editor<Advice, MemHistory>,
    history: History,
}

impl Editor {
    /// With the history and the preferences of the files, and what the server says of its commands.
    pub(super) fn open(session: &mut Session, known: &mut Known) -> Result<Editor, Stop> {
        let (preferences, complaints) = Preferences::load();
        put(complaints)?;
        let (history, lines) = History::load();
        let config = Config::builder()
            .max_history_size(LINES_MAX)
            .map(|config| {
                config
                    .completion_type(CompletionType::Circular)
                    .color_mode(if no_color() { ColorMode::Disabled } else { ColorMode::Enabled })
                    .build()
            })
            .or_else(|error| fail(error.to_string()))?;
        let empty = MemHistory::with_config(&config);
        let mut inner = rustyline::Editor::with_history(config, empty).or_else(|error| fail(error.to_string()))?;
        for line in lines {
            let _ = inner.add_history_entry(line);
        }
        inner.set_helper(Some(Advice { entries: known.entries(session), preferences, empty: Cell::new(true) }));
        Ok(Editor { inner, history })
    }

    /// What `:set` changes.
    pub(super) fn preferences(&self) -> Preferences {
        self.inner.helper().map(|helper| helper.preferences.clone()).unwrap_or_default()
    }

    /// The next line.
    pub(super) fn read(&mut self, prompt: &str) -> Result<Typed, Stop> {
        loop {
            let read = self.inner.readline(prompt);
            let was_empty = self.inner.helper().is_some_and(|helper| helper.empty.replace(true));
            match read {
                Ok(line) => return Ok(Typed::Line(line)),
                Err(ReadlineError::Io(error)) if error.kind() == io::ErrorKind::InvalidData => {
                    // What is left of the line, if it was pasted, is another command.
                    let _ = tcflush(io::stdin(), QueueSelector::IFlush);
                    complain("Invalid UTF-8: the line is not sent.");
                    return Ok(Typed::Discarded);
                }
                Err(ReadlineError::Signal(_)) => {}
                Err(ReadlineError::Interrupted) if !was_empty => return Ok(Typed::Discarded),
                Err(ReadlineError::Interrupted | ReadlineError::Eof) => return Ok(Typed::End),
                Err(error) => return fail(format!("Reading from the terminal: {error}")),
            }
        }
    }

    /// Keeps a line.
    pub(super) fn remember(&mut self, line: &[u8]) {
        let line = String::from_utf8_lossy(line);
        let _ = self.inner.add_history_entry(line.as_ref());
        self.history.add(&line);
    }

    pub(super) fn clear_screen(&mut self) {
        let _ = self.inner.clear_screen();
    }
}

/// What the editor shows beside what is typed.
struct Advice {
    entries: Rc<Entries>,
    preferences: Preferences,
    /// Whether the line was empty when it was last drawn.
    empty: Cell<bool>,
}

impl Helper for Advice {}
impl Validator for Advice {}

impl Completer for Advice {
    type Candidate = Pair;

    fn complete(&self, line: &str, pos: usize, _: &Context<'_>) -> rustyline::Result<(usize, Vec<Pair>)> {
        let (start, found) = completion::candidates(&self.entries, &line[..pos]);
        Ok((start, found.into_iter().map(|name| Pair { display: name.clone(), replacement: name }).collect()))
    }
}

/// A hint is only shown, and never becomes part of the line.
struct Shown(String);

impl Hint for Shown {
    fn display(&self) -> &str {
        &self.0
    }

    fn completion(&self) -> Option<&str> {
        None
    }
}

impl Hinter for Advice {
    type Hint = Shown;

    fn hint(&self, line: &str, pos: usize, _: &Context<'_>) -> Option<Shown> {
        self.empty.set(line.is_empty());
        // Without a style of its own a hint looks like what was typed.
        let shown = self.preferences.hints.get() && !no_color() && pos == line.len();
        shown.then(|| hints::hint(&self.entries, line)).flatten().map(Shown)
    }
}

impl Highlighter for Advice {
    fn highlight_hint<'h>(&self, hint: &'h str) -> Cow<'h, str> {
        Cow::Owned(format!("\x1b[90m{hint}\x1b[0m"))
    }
}
