//! A client that is a replica, or is about to become one.

use super::copy_reader::CopyReader;
use super::output::Output;

/// How far a replica is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Phase {
    /// It has said something about itself, and is an ordinary client.
    Introduced,
    /// The copy that it needs has not begun.
    Waits,
    /// It is sent a copy; the stream is held back.
    Copied,
    /// It has been sent a copy whose end only a mark tells, and has not said that it saw that: the stream is held back.
    Settles,
    Online,
}

/// What is known of a replica.
pub struct Replica {
    pub phase: Phase,
    /// Where it says it listens.
    pub port: u16,
    pub announced_ip: String,
    /// It understands a copy whose length is not told, and a new id of the history.
    pub knows_end_mark: bool,
    pub knows_new_ids: bool,
    /// It wants no keys, only functions.
    pub filters_data: bool,
    /// It wants the copy and nothing after it.
    pub copy_only: bool,
    /// The end of its copy is told by a mark, which it has to see before the stream comes.
    pub settles: bool,
    /// All of its copy is in its output, or in the file that is being read for it.
    pub has_all: bool,
    pub reader: Option<CopyReader>,
    /// It never says how far it is.
    pub is_silent: bool,
    /// Up to which offset it has the stream, and when it last said so (in the server's ticks).
    pub acknowledged: u64,
    pub heard_at: i64,
    /// The stream since its copy began, as long as that is held back.
    pub held: Output,
}

impl Replica {
    pub fn new(ticks: i64) -> Replica {
        Replica {
            phase: Phase::Introduced,
            port: 0,
            announced_ip: String::new(),
            knows_end_mark: false,
            knows_new_ids: false,
            filters_data: false,
            copy_only: false,
            settles: false,
            has_all: false,
            reader: None,
            is_silent: false,
            acknowledged: 0,
            heard_at: ticks,
            held: Output::default(),
        }
    }

    /// As INFO has it.
    pub fn state_name(&self) -> &'static str {
        match self.phase {
            Phase::Introduced | Phase::Waits => "wait_bgsave",
            Phase::Copied => "send_bulk",
            Phase::Settles | Phase::Online => "online",
        }
    }

    /// Seconds since it was last heard of; 0 as long as it has nothing to say.
    pub fn lag(&self, ticks: i64) -> i64 {
        if matches!(self.phase, Phase::Settles | Phase::Online) && !self.is_silent {
            (ticks - self.heard_at) / 1000
        } else {
            0
        }
    }

    /// Whether it has the stream up to an offset.
    pub fn has(&self, offset: u64) -> bool {
        self.phase == Phase::Online && self.acknowledged >= offset
    }
}
