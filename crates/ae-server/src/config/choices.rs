//! The types of fields, and how they become values.

use super::format::{Format, Value};
use crate::log::{Facility, Level};
use ae::AuthClients;

/// What a field of the configuration can be.
pub trait Field {
    fn value(&self) -> Value;
    /// Takes a value that the directive's format has let through.
    fn assign(&mut self, value: Value);
}

macro_rules! integers {
    ($($integer:ident)+) => {
        $(impl Field for $integer {
            fn value(&self) -> Value {
                Value::Number(*self as i128)
            }

            fn assign(&mut self, value: Value) {
                if let Value::Number(number) = value {
                    *self = $integer::try_from(number).unwrap_or($integer::MAX);
                }
            }
        })+
    };
}
integers!(u16 u32 u64 usize i32 i64);

impl Field for bool {
    fn value(&self) -> Value {
        Value::Number((*self).into())
    }

    fn assign(&mut self, value: Value) {
        *self = value == Value::Number(1);
    }
}

impl Field for Vec<u8> {
    fn value(&self) -> Value {
        Value::Text(self.clone())
    }

    fn assign(&mut self, value: Value) {
        if let Value::Text(text) = value {
            *self = text;
        }
    }
}

impl Field for String {
    fn value(&self) -> Value {
        Value::Text(self.clone().into())
    }

    fn assign(&mut self, value: Value) {
        if let Value::Text(text) = value {
            *self = String::from_utf8_lossy(&text).into_owned();
        }
    }
}

/// None is written as nothing.
impl<T: Field + Default + PartialEq> Field for Option<T> {
    fn value(&self) -> Value {
        self.as_ref().map_or_else(|| T::default().value(), T::value)
    }

    fn assign(&mut self, value: Value) {
        let mut inner = T::default();
        inner.assign(value);
        *self = Some(inner).filter(|inner| *inner != T::default());
    }
}

macro_rules! choices {
    ($($type:ty: $first:ident $(, $more:ident)*;)+) => {
        $(impl Field for $type {
            fn value(&self) -> Value {
                let all = [<$type>::$first $(, <$type>::$more)*];
                Value::Number(all.iter().position(|one| one == self).unwrap_or(0) as i128)
            }

            fn assign(&mut self, value: Value) {
                let all = [<$type>::$first $(, <$type>::$more)*];
                if let Value::Number(number) = value
                    && let Some(one) = usize::try_from(number).ok().and_then(|at| all.get(at))
                {
                    *self = *one;
                }
            }
        })+
    };
}

choices! {
    Level: Debug, Verbose, Notice, Warning, Nothing;
    AuthClients: No, Yes, Optional;
    Facility: User, Local0, Local1, Local2, Local3, Local4, Local5, Local6, Local7;
    Policy: VolatileLru, VolatileLfu, VolatileRandom, VolatileTtl, AllkeysLru, AllkeysLfu, AllkeysRandom, NoEviction;
    Allowed: No, Yes, Local;
    Supervised: No, Systemd, Auto;
    Channels: All, None;
    OomScore: No, Relative, Absolute;
    DisklessLoad: Disabled, OnEmptyDb, SwapDb;
    Fsync: EverySecond, Always, No;
}

pub const LEVEL: Format =
    Format::Choice(&[("debug", 0), ("verbose", 1), ("notice", 2), ("warning", 3), ("nothing", 4)]);

pub const AUTH_CLIENTS: Format = Format::Choice(&[("no", 0), ("yes", 1), ("optional", 2)]);

pub const FACILITY: Format = Format::Choice(&[
    ("user", 0),
    ("local0", 1),
    ("local1", 2),
    ("local2", 3),
    ("local3", 4),
    ("local4", 5),
    ("local5", 6),
    ("local6", 7),
    ("local7", 8),
]);

pub const DISKLESS_LOAD: Format = Format::Choice(&[("disabled", 0), ("on-empty-db", 1), ("swapdb", 2)]);

/// Whether a replica keeps the copy from its primary in a file while that arrives, or in memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DisklessLoad {
    /// In a file.
    Disabled,
    /// In memory, if there are no keys.
    OnEmptyDb,
    /// In memory; the old keys are there until the new ones are complete.
    SwapDb,
}

/// Which keys are evicted when memory is short.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Policy {
    VolatileLru,
    VolatileLfu,
    VolatileRandom,
    VolatileTtl,
    AllkeysLru,
    AllkeysLfu,
    AllkeysRandom,
    NoEviction,
}

pub const POLICY: Format = Format::Choice(&[
    ("volatile-lru", 0),
    ("volatile-lfu", 1),
    ("volatile-random", 2),
    ("volatile-ttl", 3),
    ("allkeys-lru", 4),
    ("allkeys-lfu", 5),
    ("allkeys-random", 6),
    ("noeviction", 7),
]);

/// Who may use something that is dangerous.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Allowed {
    No,
    Yes,
    /// Clients of the same host.
    Local,
}

pub const ALLOWED: Format = Format::Choice(&[("no", 0), ("yes", 1), ("local", 2)]);

impl Allowed {
    pub fn allows(self, local: bool) -> bool {
        self == Allowed::Yes || (self == Allowed::Local && local)
    }
}

/// Who waits to hear that the server is ready.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Supervised {
    No,
    Systemd,
    /// Systemd, if its variable is in the environment.
    Auto,
}

/// The channels of a new user.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Channels {
    All,
    None,
}

pub const CHANNELS: Format = Format::Choice(&[("allchannels", 0), ("resetchannels", 1)]);

/// What becomes of the kernel's inclination to kill this process when memory is short.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OomScore {
    No,
    /// `oom-score-adj-values` are added to what it was at the start.
    Relative,
    Absolute,
}

pub const OOM_SCORE: Format = Format::Choice(&[("no", 0), ("yes", 1), ("relative", 1), ("absolute", 2)]);

/// When what has been written to the append-only file is synced.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Fsync {
    /// By a thread, once a second.
    #[default]
    EverySecond,
    /// Before any reply leaves.
    Always,
    /// When the system likes to.
    No,
}

pub const FSYNC: Format = Format::Choice(&[("everysec", 0), ("always", 1), ("no", 2)]);

/// A limit in bytes, or in percent of `maxmemory`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Share {
    /// 0 for none.
    Bytes(u64),
    Percent(u8),
}

impl Share {
    /// Bytes, where a percentage is of `whole`; 0 for no limit.
    pub fn of(self, whole: u64) -> u64 {
        match self {
            Share::Bytes(bytes) => bytes,
            Share::Percent(percent) => (u128::from(whole) * u128::from(percent) / 100) as u64,
        }
    }
}

impl Field for Share {
    fn value(&self) -> Value {
        Value::Number(match *self {
            Share::Bytes(bytes) => bytes.into(),
            Share::Percent(percent) => -i128::from(percent),
        })
    }

    fn assign(&mut self, value: Value) {
        if let Value::Number(number) = value {
            *self = match number {
                ..0 => Share::Percent(u8::try_from(-number).unwrap_or(100)),
                _ => Share::Bytes(number as u64),
            };
        }
    }
}
