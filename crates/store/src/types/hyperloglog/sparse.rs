//! Registers as runs: most of them are 0 while elements are few.

use super::layout::{Corrupt, REGISTERS};

/// The largest value that a run can have.
pub(super) const VALUE_MAX: u8 = 32;
const VALUE_RUN_MAX: usize = 4;
const ZERO_RUN_MAX: usize = 64;
/// How many runs are looked at for two that can be one, after a change.
const JOIN_LOOKS: usize = 5;

/// A run of registers.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Run {
    /// Up to 64 that are 0, in one byte: `00nnnnnn`, the length less one.
    Zero(usize),
    /// Up to 16384 that are 0, in two bytes: `01nnnnnn nnnnnnnn`.
    LongZero(usize),
    /// Up to 4 that have the same value up to 32, in one byte: `1vvvvvnn`, both less one.
    Value(u8, usize),
}

impl Run {
    fn read(bytes: &[u8]) -> Option<Run> {
        let first = *bytes.first()?;
        Some(match first >> 6 {
            0 => Run::Zero(usize::from(first) + 1),
            1 => Run::LongZero((usize::from(first & 0x3f) << 8 | usize::from(*bytes.get(1)?)) + 1),
            _ => Run::Value((first >> 2 & 0x1f) + 1, usize::from(first & 3) + 1),
        })
    }

    /// The shortest for registers that are 0.
    fn of_zeros(length: usize) -> Run {
        if length > ZERO_RUN_MAX { Run::LongZero(length) } else { Run::Zero(length) }
    }

    fn write(self, bytes: &mut Vec<u8>) {
        match self {
            Run::Zero(length) => bytes.push(length as u8 - 1),
            Run::LongZero(length) => bytes.extend_from_slice(&(0x4000 | (length - 1) as u16).to_be_bytes()),
            Run::Value(value, length) => bytes.push(0x80 | (value - 1) << 2 | (length as u8 - 1)),
        }
    }

    /// How many bytes it takes.
    fn size(self) -> usize {
        if matches!(self, Run::LongZero(_)) { 2 } else { 1 }
    }

    /// How many registers it is of.
    pub fn length(self) -> usize {
        match self {
            Run::Zero(length) | Run::LongZero(length) | Run::Value(_, length) => length,
        }
    }

    /// The value of each of its registers.
    pub fn value(self) -> u8 {
        match self {
            Run::Zero(_) | Run::LongZero(_) => 0,
            Run::Value(value, _) => value,
        }
    }
}

/// The runs from `at` on, whether they are of all registers or not. One that is cut off ends with a zero.
pub(super) fn listed(bytes: &[u8], mut at: usize) -> impl Iterator<Item = Run> {
    std::iter::from_fn(move || {
        let rest = bytes.get(at..).filter(|rest| !rest.is_empty())?;
        let run = Run::read(rest).or_else(|| Run::read(&[rest[0], 0]))?;
        at += run.size();
        Some(run)
    })
}

/// Calls `each` with every run and its first register, `at` being where they begin. Refused if they are not of all
/// registers; those in front of the mistake have been seen then.
pub(super) fn runs(bytes: &[u8], at: usize, mut each: impl FnMut(usize, Run)) -> Result<(), Corrupt> {
    let (mut at, mut first) = (at, 0);
    while at < bytes.len() {
        let run = Run::read(&bytes[at..]).filter(|run| first + run.length() <= REGISTERS).ok_or(Corrupt(at))?;
        each(first, run);
        first += run.length();
        at += run.size();
    }
    if first == REGISTERS { Ok(()) } else { Err(Corrupt(at)) }
}

/// What has become of a register.
pub(super) enum Set {
    /// It had this value or a larger one.
    Kept,
    Changed,
    /// The runs cannot tell the value, or would be longer than they may be. Nothing has changed.
    Full,
}

/// Raises a register to `value`; the runs are what is in `bytes` from `start` on.
pub(super) fn set(
    bytes: &mut Vec<u8>,
    start: usize,
    register: usize,
    value: u8,
    size_max: usize,
) -> Result<Set, Corrupt> {
    if value > VALUE_MAX {
        return Ok(Set::Full);
    }
    let (mut at, mut first, mut before) = (start, 0, start);
    let run = loop {
        let run = Run::read(bytes.get(at..).unwrap_or_default()).ok_or(Corrupt(at))?;
        if register < first + run.length() {
            break run;
        }
        before = at;
        at += run.size();
        first += run.length();
    };
    if run.value() >= value {
        return Ok(Set::Kept);
    }
    let part = |length: usize| match run {
        Run::Value(value, _) => Run::Value(value, length),
        _ => Run::of_zeros(length),
    };
    let mut new = Vec::with_capacity(5);
    let (left, right) = (register - first, first + run.length() - 1 - register);
    if left > 0 {
        part(left).write(&mut new);
    }
    Run::Value(value, 1).write(&mut new);
    if right > 0 {
        part(right).write(&mut new);
    }
    if new.len() > run.size() && bytes.len() + new.len() - run.size() > size_max {
        return Ok(Set::Full);
    }
    bytes.splice(at..at + run.size(), new);
    join(bytes, before);
    Ok(Set::Changed)
}

/// Makes one of two runs of the same value beside each other, near `at`.
fn join(bytes: &mut Vec<u8>, mut at: usize) {
    for _ in 0..JOIN_LOOKS {
        let Some(run) = bytes.get(at..).and_then(Run::read) else { return };
        match (run, Run::read(&bytes[at + run.size()..])) {
            (Run::Value(value, one), Some(Run::Value(other, two))) if value == other && one + two <= VALUE_RUN_MAX => {
                // Looked at again, with what follows now.
                bytes.remove(at);
                bytes[at] = 0x80 | (value - 1) << 2 | ((one + two) as u8 - 1);
            }
            _ => at += run.size(),
        }
    }
}
