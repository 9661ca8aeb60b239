//! What a change is elsewhere, in the append-only file and in replicas: requests that do the same there.

use resp::{number, writer};

/// A request being written.
#[derive(Default)]
pub struct Request {
    count: usize,
    args: Vec<u8>,
}

impl Request {
    pub fn arg(&mut self, arg: impl AsRef<[u8]>) -> &mut Request {
        self.count += 1;
        writer::bulk(&mut self.args, arg.as_ref());
        self
    }

    pub fn args<'a>(&mut self, args: impl IntoIterator<Item = &'a [u8]>) -> &mut Request {
        args.into_iter().for_each(|arg| {
            self.arg(arg);
        });
        self
    }

    pub fn integer(&mut self, value: i64) -> &mut Request {
        self.arg(number::format(&mut [0; number::MAX_LEN], value))
    }

    fn bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(self.args.len() + 3 + number::MAX_LEN);
        writer::array(&mut bytes, self.count);
        bytes.extend_from_slice(&self.args);
        bytes
    }
}

/// Who has to know of an effect.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Concerns {
    Everybody,
    /// It changes no data, or a script said so.
    ReplicasOnly,
    /// A script said so.
    LogOnly,
}

/// A request that does elsewhere what was done here.
pub struct Effect {
    pub db: usize,
    pub concerns: Concerns,
    pub bytes: Vec<u8>,
}

/// What the running unit (a request, a transaction, a round of expiry) has changed so far.
#[derive(Default)]
pub struct Effects {
    wanted: bool,
    list: Vec<Effect>,
    /// The running command has said what it did.
    told: bool,
}

impl Effects {
    /// Says whether anybody wants to know.
    pub fn set_wanted(&mut self, wanted: bool) {
        self.wanted = wanted;
    }

    pub fn is_wanted(&self) -> bool {
        self.wanted
    }

    pub fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    /// A command begins.
    pub fn begin(&mut self) {
        self.told = false;
    }

    /// Whether the running command has said what it did, or that it did nothing that counts.
    pub fn is_told(&self) -> bool {
        self.told
    }

    /// The running command says what it did. Another request than itself does that, or none.
    pub fn tell(&mut self) {
        self.told = true;
    }

    pub fn add(&mut self, db: usize, concerns: Concerns, write: impl FnOnce(&mut Request)) {
        if self.wanted {
            let mut request = Request::default();
            write(&mut request);
            self.list.push(Effect { db, concerns, bytes: request.bytes() });
        }
    }

    /// A key has gone without a request that names it.
    pub(super) fn add_removal(&mut self, db: usize, key: &[u8]) {
        self.add(db, Concerns::Everybody, |request| {
            request.arg("DEL").arg(key);
        });
    }

    /// How many there are by now, for [`Effects::limit`].
    pub fn len(&self) -> usize {
        self.list.len()
    }

    /// Those that came after the first `from` concern nobody else than these.
    pub fn limit(&mut self, from: usize, log: bool, replicas: bool) {
        match (log, replicas) {
            (true, true) => {}
            (false, false) => self.list.truncate(from),
            _ => {
                let only = if log { Concerns::LogOnly } else { Concerns::ReplicasOnly };
                self.list.retain({
                    let mut at = 0;
                    move |effect| {
                        at += 1;
                        at <= from || [Concerns::Everybody, only].contains(&effect.concerns)
                    }
                });
                self.list.iter_mut().skip(from).for_each(|effect| effect.concerns = only);
            }
        }
    }

    /// Puts effects back that were taken in the midst of a unit. The units in between have ended.
    pub fn put_back(&mut self, earlier: Vec<Effect>) {
        debug_assert!(self.list.is_empty());
        self.list = earlier;
    }

    /// What there is, for a unit that ends.
    pub fn take(&mut self) -> Vec<Effect> {
        std::mem::take(&mut self.list)
    }
}
