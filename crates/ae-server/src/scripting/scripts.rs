//! The scripts that EVALSHA knows.

use super::header::Flags;
use lua::Script;
use std::collections::{HashMap, VecDeque};
use std::rc::Rc;

/// Scripts that EVAL brought are forgotten when there are more of them, the oldest first. Those of SCRIPT LOAD stay.
pub const EVALUATED_MAX: usize = 500;

/// 40 hexadecimal digits, in lower case.
pub type Sha = [u8; 40];

/// A script that has been compiled.
#[derive(Clone)]
pub struct Known {
    pub script: Script,
    pub flags: Flags,
    text: Rc<[u8]>,
    loaded: bool,
}

/// All of them.
#[derive(Default)]
pub struct Scripts {
    known: HashMap<Sha, Known, ahash::RandomState>,
    /// Those of EVAL, the oldest first.
    evaluated: VecDeque<Sha>,
    /// Bytes of their texts.
    memory: usize,
}

impl Scripts {
    /// The SHA-1 that a client names, in any case.
    pub fn sha(name: &[u8]) -> Option<Sha> {
        Some(<Sha>::try_from(name).ok()?.map(|digit| digit.to_ascii_lowercase()))
    }

    pub fn get(&self, sha: &Sha) -> Option<&Known> {
        self.known.get(sha)
    }

    /// Remembers a script of EVAL, or of SCRIPT LOAD.
    pub fn add(&mut self, sha: Sha, text: &[u8], script: Script, flags: Flags, loaded: bool) -> Known {
        if !loaded {
            if self.evaluated.len() >= EVALUATED_MAX
                && let Some(oldest) = self.evaluated.pop_front()
            {
                self.forget(&oldest);
            }
            self.evaluated.push_back(sha);
        }
        self.memory += text.len();
        let known = Known { script, flags, text: text.into(), loaded };
        self.known.insert(sha, known.clone());
        known
    }

    fn forget(&mut self, sha: &Sha) {
        if let Some(known) = self.known.remove(sha) {
            self.memory -= known.text.len();
        }
    }

    /// A script that EVAL brought is loaded, too: it stays.
    pub fn keep(&mut self, sha: &Sha) {
        if let Some(known) = self.known.get_mut(sha).filter(|known| !known.loaded) {
            known.loaded = true;
            self.evaluated.retain(|evaluated| evaluated != sha);
        }
    }

    pub fn len(&self) -> usize {
        self.known.len()
    }

    /// Memory beside what the interpreter has.
    pub fn memory(&self) -> usize {
        self.memory + self.known.capacity() * size_of::<(Sha, Known)>() + self.evaluated.capacity() * size_of::<Sha>()
    }

    pub fn clear(&mut self) {
        *self = Scripts::default();
    }
}
