//! How much output may wait for a client, by the client's class.

use super::format::{c_integer, memory, write_memory};

/// The limits of a class. 0 is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OutputLimit {
    /// Bytes at which the client is closed at once.
    pub hard: u64,
    /// Bytes at which it is closed after `soft_seconds` without a break.
    pub soft: u64,
    pub soft_seconds: u32,
}

/// The limits of all classes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OutputLimits {
    pub normal: OutputLimit,
    pub replica: OutputLimit,
    pub pubsub: OutputLimit,
}

impl Default for OutputLimits {
    fn default() -> Self {
        const MIB: u64 = super::format::MIB;
        OutputLimits {
            normal: OutputLimit { hard: 0, soft: 0, soft_seconds: 0 },
            replica: OutputLimit { hard: 256 * MIB, soft: 64 * MIB, soft_seconds: 60 },
            pubsub: OutputLimit { hard: 32 * MIB, soft: 8 * MIB, soft_seconds: 60 },
        }
    }
}

impl OutputLimits {
    /// Takes what `client-output-buffer-limit` says, of all classes that it names or of none.
    pub fn set(&mut self, words: &[Vec<u8>]) -> Result<(), String> {
        if !words.len().is_multiple_of(4) {
            return Err("Wrong number of arguments in buffer limit configuration.".into());
        }
        let mut changed = *self;
        for limit in words.chunks_exact(4) {
            let class = match limit[0].to_ascii_lowercase().as_slice() {
                b"normal" => &mut changed.normal,
                b"slave" | b"replica" => &mut changed.replica,
                b"pubsub" => &mut changed.pubsub,
                _ => return Err("Invalid client class specified in buffer limit configuration.".into()),
            };
            let bytes = |word: &[u8]| memory(word).and_then(|bytes| u64::try_from(bytes).ok());
            let seconds = c_integer(&limit[3], 10).and_then(|seconds| u32::try_from(seconds).ok());
            let seconds = seconds.filter(|seconds| i32::try_from(*seconds).is_ok());
            let (Some(hard), Some(soft), Some(soft_seconds)) = (bytes(&limit[1]), bytes(&limit[2]), seconds) else {
                return Err("Error in hard, soft or soft_seconds setting in buffer limit configuration.".into());
            };
            *class = OutputLimit { hard, soft, soft_seconds };
        }
        *self = changed;
        Ok(())
    }

    /// As CONFIG GET replies them.
    pub fn show(&self) -> Vec<u8> {
        let limit = |class, OutputLimit { hard, soft, soft_seconds }: OutputLimit| {
            format!("{class} {hard} {soft} {soft_seconds}")
        };
        [limit("normal", self.normal), limit("slave", self.replica), limit("pubsub", self.pubsub)].join(" ").into()
    }

    /// A file's lines for those that are not the default.
    pub fn lines(&self) -> Vec<Vec<u8>> {
        let default = OutputLimits::default();
        let classes = [
            ("normal", self.normal, default.normal),
            ("replica", self.replica, default.replica),
            ("pubsub", self.pubsub, default.pubsub),
        ];
        let changed = classes.into_iter().filter(|(_, limit, default)| limit != default);
        let line = |(class, limit, _): (&str, OutputLimit, OutputLimit)| {
            let seconds = limit.soft_seconds.to_string();
            [class.as_bytes(), &write_memory(limit.hard), &write_memory(limit.soft), seconds.as_bytes()].join(&b' ')
        };
        changed.map(line).collect()
    }
}
