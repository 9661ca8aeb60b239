//! A selector: commands, and the keys and channels that they may be called with.

use super::command_set::CommandSet;
use super::fault::Fault;
use crate::glob::{Case, matches};

/// Reading or writing what a key holds, or both.
pub type Access = u8;
pub const READ: Access = 1;
pub const WRITE: Access = 2;

#[derive(Clone, Debug)]
pub struct Selector {
    pub commands: CommandSet,
    /// Any key; then there are no patterns.
    pub all_keys: bool,
    pub keys: Vec<KeyPattern>,
    /// Any channel; then there are no patterns.
    pub all_channels: bool,
    pub channels: Vec<Box<[u8]>>,
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub struct KeyPattern {
    pub pattern: Box<[u8]>,
    pub access: Access,
}

impl Selector {
    /// One that allows nothing, except all channels if the configuration wants that.
    pub fn new(all_channels: bool) -> Selector {
        Selector { commands: CommandSet::none(), all_keys: false, keys: Vec::new(), all_channels, channels: Vec::new() }
    }

    /// One from rules in parentheses.
    pub fn parse(rules: &[u8], all_channels: bool) -> Result<Selector, Fault> {
        let mut selector = Selector::new(all_channels);
        let words = resp::words::split(rules).map_err(|_| Fault::Syntax)?;
        words.iter().try_for_each(|rule| selector.apply(rule))?;
        Ok(selector)
    }

    /// Whether it allows everything.
    pub fn is_unrestricted(&self) -> bool {
        self.commands.is_all() && self.all_keys && self.all_channels
    }

    /// Does what a rule says.
    pub fn apply(&mut self, rule: &[u8]) -> Result<(), Fault> {
        match rule.to_ascii_lowercase().as_slice() {
            b"allkeys" | b"~*" => self.set_all_keys(true),
            b"resetkeys" => self.set_all_keys(false),
            b"allchannels" | b"&*" => self.set_all_channels(true),
            b"resetchannels" => self.set_all_channels(false),
            b"allcommands" | b"+@all" => self.commands = CommandSet::every(),
            b"nocommands" | b"-@all" => self.commands = CommandSet::none(),
            _ => match rule {
                [b'~', pattern @ ..] => return self.add_keys(pattern, READ | WRITE),
                // As in Redis, which does not look at such a pattern.
                [b'%', ..] if self.all_keys => return Err(Fault::AllKeys),
                [b'%', rest @ ..] => {
                    let (access, pattern) = access(rest)?;
                    return self.add_keys(pattern, access);
                }
                [b'&', pattern @ ..] => return self.add_channels(pattern),
                [b'+' | b'-', ..] => return self.commands.apply(rule),
                _ => return Err(Fault::Syntax),
            },
        }
        Ok(())
    }

    pub fn set_all_keys(&mut self, all: bool) {
        self.all_keys = all;
        self.keys.clear();
    }

    pub fn set_all_channels(&mut self, all: bool) {
        self.all_channels = all;
        self.channels.clear();
    }

    fn add_keys(&mut self, pattern: &[u8], access: Access) -> Result<(), Fault> {
        if self.all_keys {
            return Err(Fault::AllKeys);
        }
        if has_spaces(pattern) {
            return Err(Fault::Syntax);
        }
        match self.keys.iter_mut().find(|known| *known.pattern == *pattern) {
            Some(known) => known.access |= access,
            None => self.keys.push(KeyPattern { pattern: pattern.into(), access }),
        }
        Ok(())
    }

    fn add_channels(&mut self, pattern: &[u8]) -> Result<(), Fault> {
        if self.all_channels {
            return Err(Fault::AllChannels);
        }
        if has_spaces(pattern) {
            return Err(Fault::Syntax);
        }
        if !self.channels.iter().any(|known| **known == *pattern) {
            self.channels.push(pattern.into());
        }
        Ok(())
    }

    pub fn allows_every_key(&self, access: Access) -> bool {
        self.all_keys || self.keys.iter().any(|own| own.access & access == access && *own.pattern == *b"*")
    }

    pub fn allows_key(&self, key: &[u8], access: Access) -> bool {
        let allows = |own: &KeyPattern| own.access & access == access && matches(&own.pattern, key, Case::Sensitive);
        self.all_keys || self.keys.iter().any(allows)
    }

    pub fn allows_channel(&self, name: &[u8], is_pattern: bool) -> bool {
        self.all_channels || channels_allow(self.channels.iter(), name, is_pattern)
    }
}

/// Whether one of the patterns allows a channel. A pattern is allowed only if it is one of them.
pub fn channels_allow<'a>(mut patterns: impl Iterator<Item = &'a Box<[u8]>>, name: &[u8], is_pattern: bool) -> bool {
    patterns.any(|own| if is_pattern { **own == *name } else { matches(own, name, Case::Sensitive) })
}

/// The access in front of a pattern, such as `RW~`, and the pattern.
fn access(text: &[u8]) -> Result<(Access, &[u8]), Fault> {
    let end = text.iter().position(|c| *c == b'~').unwrap_or(text.len());
    let mut access = 0;
    for c in &text[..end] {
        let one = match c.to_ascii_uppercase() {
            b'R' => READ,
            b'W' => WRITE,
            _ => return Err(Fault::Syntax),
        };
        if access & one != 0 {
            return Err(Fault::Syntax);
        }
        access |= one;
    }
    // Redis takes a pattern that is missing altogether for an empty one.
    if access == 0 { Err(Fault::Syntax) } else { Ok((access, text.get(end + 1..).unwrap_or_default())) }
}

/// Whether a name or pattern could not be read back from a line of words.
pub fn has_spaces(text: &[u8]) -> bool {
    text.iter().any(|c| c.is_ascii_whitespace() || *c == 0x0b || *c == 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn selector(rules: &str) -> Selector {
        Selector::parse(rules.as_bytes(), false).unwrap()
    }

    #[test]
    fn keys() {
        let some = selector("~a* %R~b* %w~c %R~d %W~d");
        assert!(some.allows_key(b"a1", READ | WRITE) && some.allows_key(b"b1", READ) && !some.allows_key(b"b1", WRITE));
        assert!(some.allows_key(b"c", WRITE) && !some.allows_key(b"c", READ) && some.allows_key(b"d", READ | WRITE));
        assert!(!some.allows_key(b"e", 0) && some.allows_key(b"c", 0));
        assert!(selector("~a allkeys").allows_key(b"e", WRITE) && !selector("~a resetkeys").allows_key(b"a", 0));
    }

    #[test]
    fn channels() {
        let some = selector("&news* &x");
        assert!(some.allows_channel(b"news1", false) && !some.allows_channel(b"other", false));
        assert!(some.allows_channel(b"news*", true) && !some.allows_channel(b"news1", true));
        assert!(selector("&*").allows_channel(b"*", true) && !selector("&x resetchannels").allows_channel(b"x", false));
    }

    #[test]
    fn what_is_refused() {
        for (rules, fault) in [
            ("%X~a", Fault::Syntax),
            ("%~a", Fault::Syntax),
            ("%RR~a", Fault::Syntax),
            ("'~a b'", Fault::Syntax),
            ("~* ~a", Fault::AllKeys),
            ("~* %X~a", Fault::AllKeys),
            ("&* &a", Fault::AllChannels),
            ("on", Fault::Syntax),
            ("nosuch", Fault::Syntax),
        ] {
            assert_eq!(Selector::parse(rules.as_bytes(), false).unwrap_err(), fault, "{rules}");
        }
    }
}
