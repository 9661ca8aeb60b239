//! The interpreter, and what it has compiled.

use super::header;
use super::interpreter::Interpreter;
use super::libraries::Libraries;
use super::running::Running;
use super::scripts::{Known, Scripts, Sha};
use resp::Args;
use sha1::{Digest, Sha1};

/// Scripts: what is known, and what runs.
#[derive(Default)]
pub struct Scripting {
    pub interpreter: Interpreter,
    pub scripts: Scripts,
    pub libraries: Libraries,
    pub running: Option<Running>,
    /// For tests: scripts may call every command.
    pub allows_all: bool,
}

impl Scripting {
    /// Limits the memory of each interpreter, in bytes.
    pub fn limit_memory(&mut self, bytes: usize) {
        self.interpreter.limit_memory(bytes);
        self.libraries.interpreter.limit_memory(bytes);
    }

    /// Compiles a script, unless it is known. The error is Redis's, without its code.
    pub fn compile(&mut self, text: &[u8], loaded: bool) -> Result<(Sha, Known), String> {
        let sha = sha_of(text);
        if let Some(known) = self.scripts.get(&sha).cloned() {
            if loaded {
                self.scripts.keep(&sha);
            }
            return Ok((sha, known));
        }
        let header = header::of_script(text)?;
        let engine = self.interpreter.engine()?;
        let script =
            engine.compile(header.code).map_err(|error| format!("Error compiling script (new function): {error}"))?;
        Ok((sha, self.scripts.add(sha, text, script, header.flags, loaded)))
    }

    /// Forgets all scripts, and what they have left in the interpreter.
    pub fn flush(&mut self) {
        self.scripts.clear();
        self.interpreter.reset();
    }

    /// A script runs a command.
    pub fn calls(&self) -> bool {
        self.running.as_ref().is_some_and(|running| running.calls)
    }

    /// Whether a request runs a script, or a function, that says that it writes nothing.
    pub fn only_reads(&self, command: &str, args: &Args<'_>) -> bool {
        let Some(what) = args.get(1) else { return false };
        let flags = match command {
            "eval" => header::of_script(what).ok().map(|header| header.flags),
            "evalsha" => Scripts::sha(what).and_then(|sha| self.scripts.get(&sha)).map(|known| known.flags),
            "fcall" => self.libraries.find(what).map(|function| function.flags),
            _ => None,
        };
        flags.is_some_and(|flags| flags.no_writes)
    }

    /// Others get errors: a script has taken too long already.
    pub fn is_busy(&self) -> bool {
        self.running.as_ref().is_some_and(|running| running.is_slow)
    }
}

/// The SHA-1 of a script, in hexadecimal digits.
pub fn sha_of(text: &[u8]) -> Sha {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let mut sha = [0; 40];
    for (at, byte) in Sha1::digest(text).into_iter().enumerate() {
        sha[2 * at] = DIGITS[usize::from(byte >> 4)];
        sha[2 * at + 1] = DIGITS[usize::from(byte & 15)];
    }
    sha
}
