//! What a directive is.

use super::format::{Format, Value};
use super::settings::Config;

/// When a directive can be given another value.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Change {
    AnyTime,
    AtStart,
    /// By CONFIG SET only where `enable-protected-configs` allows it.
    Protected,
}

/// Where the value is, and how it is written.
pub enum Access {
    /// In a field of [`Config`].
    Field { format: Format, get: fn(&Config) -> Value, set: fn(&mut Config, Value) },
    /// In fields of [`Config`], written as words of its own kind.
    Words {
        /// Whether a file may have several words; CONFIG SET then takes them from one value.
        several: bool,
        get: fn(&Config) -> Vec<u8>,
        set: fn(&mut Config, &[Vec<u8>]) -> Result<(), String>,
        /// The values of the lines that a file needs.
        lines: fn(&Config) -> Vec<Vec<u8>>,
    },
    /// Known, checked and kept, though nothing depends on it here.
    Kept { format: Format, default: &'static str },
    /// There is only one value.
    Fixed { format: Format, only: &'static str, why: &'static str },
}

/// A row of the catalogue.
pub struct Parameter {
    pub name: &'static str,
    /// The name that it had in older versions of Redis.
    pub alias: Option<&'static str>,
    pub change: Change,
    pub access: Access,
    /// CONFIG GET replies with it only when it is named, not by pattern.
    pub hidden: bool,
    /// Why a value other than the default makes no difference. None if it does.
    pub no_effect: Option<&'static str>,
    /// What the value looks like, for `--help`; empty for directives not listed there.
    pub usage: &'static str,
    pub help: &'static str,
}

/// The access to a field of [`Config`]: its path, and its format.
macro_rules! field {
    ($($field:ident).+, $format:expr) => {
        $crate::config::parameter::Access::Field {
            format: $format,
            get: |c| $crate::config::choices::Field::value(&c.$($field).+),
            set: |c, value| $crate::config::choices::Field::assign(&mut c.$($field).+, value),
        }
    };
}
pub(super) use field;

/// A directive that does what it says.
pub const fn directive(
    name: &'static str,
    change: Change,
    access: Access,
    usage: &'static str,
    help: &'static str,
) -> Parameter {
    Parameter { name, alias: None, change, access, hidden: false, no_effect: None, usage, help }
}

/// A directive that is accepted, with a warning where its value is not the default.
pub const fn kept(
    name: &'static str,
    change: Change,
    format: Format,
    default: &'static str,
    why: &'static str,
) -> Parameter {
    let parameter = directive(name, change, Access::Kept { format, default }, "", "");
    Parameter { no_effect: Some(why), ..parameter }
}

/// A directive with one value; any other is refused.
pub const fn fixed(
    name: &'static str,
    change: Change,
    format: Format,
    only: &'static str,
    why: &'static str,
) -> Parameter {
    directive(name, change, Access::Fixed { format, only, why }, "", "")
}

impl Parameter {
    pub const fn alias(self, alias: &'static str) -> Parameter {
        Parameter { alias: Some(alias), ..self }
    }

    pub const fn hidden(self) -> Parameter {
        Parameter { hidden: true, ..self }
    }

    /// Its field has the value, but what should read it is still to come.
    pub const fn pending(self) -> Parameter {
        Parameter { no_effect: Some("it is not in force yet"), ..self }
    }

    /// Whether the value is several words in a file.
    pub fn of_words(&self) -> bool {
        match &self.access {
            Access::Field { format, .. } | Access::Kept { format, .. } | Access::Fixed { format, .. } => {
                format.of_words()
            }
            Access::Words { several, .. } => *several,
        }
    }

    /// The value, as CONFIG GET replies it.
    pub fn get(&self, config: &Config) -> Vec<u8> {
        match &self.access {
            Access::Field { format, get, .. } => format.show(&get(config)),
            Access::Words { get, .. } => get(config),
            Access::Kept { format, default } => {
                config.kept.get(self.name).map_or_else(|| default.as_bytes().to_vec(), |value| format.show(value))
            }
            Access::Fixed { only, .. } => only.as_bytes().to_vec(),
        }
    }

    /// The error says what is wrong with the value, in the words of CONFIG SET. Nothing is changed then.
    pub fn set(&self, config: &mut Config, words: &[Vec<u8>]) -> Result<(), String> {
        match &self.access {
            Access::Field { format, set, .. } => set(config, format.parse(words)?),
            Access::Words { set, .. } => set(config, words)?,
            Access::Kept { format, .. } => {
                config.kept.insert(self.name, format.parse(words)?);
            }
            Access::Fixed { format, only, why } => {
                if format.show(&format.parse(words)?) != only.as_bytes() {
                    return Err(format!("ae-server supports only the value '{only}': {why}"));
                }
            }
        }
        Ok(())
    }

    /// Sets a value that is one text, as CONFIG SET has it.
    pub fn set_text(&self, config: &mut Config, value: &[u8]) -> Result<(), String> {
        // Nothing of the value that was there stays.
        config.saving.points_given = false;
        let words = match self.of_words() {
            true if value.is_empty() => Vec::new(),
            true => value.split(|c| *c == b' ').map(<[u8]>::to_vec).collect(),
            false => vec![value.to_vec()],
        };
        self.set(config, &words)
    }

    /// The values of the lines that a file needs for it.
    pub fn lines(&self, config: &Config) -> Vec<Vec<u8>> {
        match &self.access {
            Access::Field { format, get, .. } => vec![format.write(&get(config))],
            Access::Words { lines, .. } => lines(config),
            Access::Kept { format, .. } => {
                config.kept.get(self.name).map(|value| format.write(value)).into_iter().collect()
            }
            Access::Fixed { .. } => Vec::new(),
        }
    }

    /// What to warn of, if the value makes no difference.
    pub fn warning(&self, config: &Config) -> Option<String> {
        let why = self.no_effect?;
        (self.get(config) != self.get(&Config::default())).then(|| format!("{} has no effect: {why}", self.name))
    }
}
