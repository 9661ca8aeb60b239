//! A request that waits for a key.

use super::reply::Reply;
use crate::command::spec::Spec;
use resp::OwnedArgs;

/// What a client waits for.
pub struct Blocked {
    pub spec: &'static Spec,
    pub args: OwnedArgs,
    /// The database of the keys.
    pub db: usize,
    pub keys: Vec<Box<[u8]>>,
    /// Its place in the queues of these keys.
    pub turn: u64,
    /// In the server's ticks; None for forever.
    pub deadline: Option<i64>,
    pub on_timeout: OnTimeout,
}

impl Blocked {
    /// Whether it has to know that a key is gone.
    pub fn minds_removal(&self) -> bool {
        self.spec.full_name == "xreadgroup"
    }
}

/// What a client is told that has waited in vain.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum OnTimeout {
    NullArray,
    Integer(i64),
}

impl OnTimeout {
    pub fn reply(self, reply: &mut Reply<'_>) {
        match self {
            OnTimeout::NullArray => reply.null_array(),
            OnTimeout::Integer(value) => reply.integer(value),
        }
    }
}
