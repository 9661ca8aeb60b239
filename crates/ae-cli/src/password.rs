//! Asks for a password, which the terminal does not show.

use rustix::io::{Errno, read};
use rustix::termios::{LocalModes, OptionalActions, SpecialCodeIndex, Termios, tcgetattr, tcsetattr};
use signal_hook::consts::{SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGTSTP};
use signal_hook::iterator::Signals;
use signal_hook::low_level::{emulate_default_handler, raise};
use std::io::{self, BufRead, Write};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

/// Asks for it; it ends with the line. None if the input ends before one begins.
pub fn ask(question: &str) -> io::Result<Option<Vec<u8>>> {
    let silence = tcgetattr(io::stdin()).ok().map(Silence::begin).transpose()?;
    io::stderr().write_all(question.as_bytes())?;
    let password = match &silence {
        Some(silence) => typed(silence),
        None => line(&mut io::stdin().lock()),
    };
    io::stderr().write_all(b"\n")?;
    password
}

/// A line without its end: spaces may belong to the password.
fn line(input: &mut impl BufRead) -> io::Result<Option<Vec<u8>>> {
    let mut line = Vec::new();
    if input.read_until(b'\n', &mut line)? == 0 {
        return Ok(None);
    }
    for end in [b'\n', b'\r'] {
        if line.last() == Some(&end) {
            line.pop();
        }
    }
    Ok(Some(line))
}

const CTRL_D: u8 = 0x04;
const CTRL_U: u8 = 0x15;
const BACKSPACE: u8 = 0x08;
const DELETE: u8 = 0x7f;
/// Ctrl-C, Ctrl-Z and Ctrl-\: the terminal makes no signals of them, so that it can be put right before.
const SIGNALS: [(u8, i32); 3] = [(0x03, SIGINT), (0x1a, SIGTSTP), (0x1c, SIGQUIT)];

/// What is typed, key for key.
fn typed(silence: &Silence) -> io::Result<Option<Vec<u8>>> {
    let mut password = Vec::new();
    loop {
        let mut key = [0];
        match read(io::stdin(), &mut key) {
            Err(Errno::INTR) => continue,
            Err(error) => return Err(error.into()),
            Ok(0) => return Ok(Some(password).filter(|typed| !typed.is_empty())),
            Ok(_) => {}
        }
        match key[0] {
            b'\r' | b'\n' => return Ok(Some(password)),
            CTRL_D if password.is_empty() => return Ok(None),
            CTRL_U => password.clear(),
            BACKSPACE | DELETE => erase(&mut password),
            key => match SIGNALS.iter().find(|(other, _)| *other == key) {
                Some((_, signal)) => silence.act_on(*signal)?,
                None => password.push(key),
            },
        }
    }
}

/// Takes the last character, which may have several bytes.
fn erase(text: &mut Vec<u8>) {
    let continues = |byte: &u8| byte & 0b1100_0000 == 0b1000_0000;
    while text.pop().is_some_and(|byte| continues(&byte)) {}
}

/// A terminal that shows nothing, until this is dropped or the program ends.
struct Silence {
    silent: Termios,
    /// What it was before; none when that is in force again.
    before: Arc<Mutex<Option<Termios>>>,
}

impl Silence {
    fn begin(before: Termios) -> io::Result<Silence> {
        let mut silent = before.clone();
        silent.local_modes.remove(LocalModes::ECHO | LocalModes::ICANON | LocalModes::ISIG);
        silent.special_codes[SpecialCodeIndex::VMIN] = 1;
        let silence = Silence { silent, before: Arc::new(Mutex::new(Some(before))) };
        // Those that others send. Afterwards they do what they always do.
        let mut signals = Signals::new([SIGTERM, SIGHUP])?;
        let shared = silence.before.clone();
        thread::spawn(move || {
            for signal in signals.forever() {
                show(&shared);
                let _ = emulate_default_handler(signal);
            }
        });
        tcsetattr(io::stdin(), OptionalActions::Flush, &silence.silent)?;
        Ok(silence)
    }

    /// Does what a signal does, which is to end or stop the program, with a terminal as it was.
    fn act_on(&self, signal: i32) -> io::Result<()> {
        let before = show(&self.before);
        io::stderr().write_all(b"\n")?;
        raise(signal)?;
        *self.before.lock().unwrap_or_else(PoisonError::into_inner) = before;
        Ok(tcsetattr(io::stdin(), OptionalActions::Flush, &self.silent)?)
    }
}

impl Drop for Silence {
    fn drop(&mut self) {
        show(&self.before);
    }
}

/// Puts a terminal right; what was put into force.
fn show(before: &Mutex<Option<Termios>>) -> Option<Termios> {
    let before = before.lock().unwrap_or_else(PoisonError::into_inner).take()?;
    let _ = tcsetattr(io::stdin(), OptionalActions::Flush, &before);
    Some(before)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_end_of_the_line_is_cut_off() {
        for (given, password) in
            [(" a b \n", " a b "), ("a\r\n", "a"), ("a\r\r\n", "a\r"), ("a", "a"), ("\n", ""), ("a\t\nb\n", "a\t")]
        {
            assert_eq!(line(&mut given.as_bytes()).unwrap().as_deref(), Some(password.as_bytes()), "{given:?}");
        }
        assert_eq!(line(&mut b"".as_slice()).unwrap(), None);
    }

    #[test]
    fn a_character_is_erased_whole() {
        let mut text = "aé€".as_bytes().to_vec();
        for left in ["aé", "a", "", ""] {
            erase(&mut text);
            assert_eq!(text, left.as_bytes());
        }
    }
}
