//! What a user may do, and how one becomes that user.

use super::fault::Fault;
use super::password::Password;
use super::selector::Selector;

#[derive(Clone, Debug)]
pub struct Rights {
    /// Clients can become this user.
    pub enabled: bool,
    /// With any password.
    pub no_password: bool,
    /// Whether payloads of RESTORE are checked whole, if a rule has said so. They always are.
    pub sanitize: Option<bool>,
    pub passwords: Vec<Password>,
    /// The first one is the user's own; the others stand in parentheses.
    pub selectors: Vec<Selector>,
}

impl Rights {
    /// None, except for all channels if the configuration wants that.
    pub fn none(all_channels: bool) -> Rights {
        Rights {
            enabled: false,
            no_password: false,
            sanitize: None,
            passwords: Vec::new(),
            selectors: vec![Selector::new(all_channels)],
        }
    }

    /// All, without a password.
    pub fn all() -> Rights {
        let mut rights = Rights::none(true);
        rights.enabled = true;
        rights.no_password = true;
        rights.selectors[0].set_all_keys(true);
        rights.selectors[0].commands = super::command_set::CommandSet::every();
        rights
    }

    /// Nobody has to say who it is to be this user.
    pub fn is_open(&self) -> bool {
        self.enabled && self.no_password
    }

    pub fn is_unrestricted(&self) -> bool {
        self.selectors.iter().any(Selector::is_unrestricted)
    }

    pub fn accepts(&self, password: &[u8]) -> bool {
        let given = Password::of(password);
        // All are compared, so that the time does not tell which one it was.
        let same = self.passwords.iter().fold(false, |same, own| own.is_same(&given) | same);
        self.enabled && (self.no_password || same)
    }

    /// The names of what is on or off.
    pub fn flags(&self) -> impl Iterator<Item = &'static str> + use<> {
        let switch = if self.enabled { "on" } else { "off" };
        let sanitize = self.sanitize.map(|on| if on { "sanitize-payload" } else { "skip-sanitize-payload" });
        [Some(switch), self.no_password.then_some("nopass"), sanitize].into_iter().flatten()
    }

    /// Does what a rule says. `all_channels` is for new selectors.
    pub fn apply(&mut self, rule: &[u8], all_channels: bool) -> Result<(), Fault> {
        match rule.to_ascii_lowercase().as_slice() {
            b"" => {}
            b"on" => self.enabled = true,
            b"off" => self.enabled = false,
            b"nopass" => self.set_passwords(true),
            b"resetpass" => self.set_passwords(false),
            b"sanitize-payload" => self.sanitize = Some(true),
            b"skip-sanitize-payload" => self.sanitize = Some(false),
            b"clearselectors" => self.selectors.truncate(1),
            b"reset" => *self = Rights { sanitize: Some(true), ..Rights::none(all_channels) },
            _ => match rule {
                [b'>', text @ ..] => self.add_password(Password::of(text)),
                [b'#', hex @ ..] => self.add_password(Password::from_hex(hex).ok_or(Fault::BadHash)?),
                [b'<', text @ ..] => return self.remove_password(&Password::of(text)),
                [b'!', hex @ ..] => return self.remove_password(&Password::from_hex(hex).ok_or(Fault::BadHash)?),
                [b'(', rules @ .., b')'] => self.selectors.push(Selector::parse(rules, all_channels)?),
                _ => return self.selectors[0].apply(rule),
            },
        }
        Ok(())
    }

    /// Forgets all passwords; then any is accepted, or none.
    pub fn set_passwords(&mut self, any: bool) {
        self.no_password = any;
        self.passwords.clear();
    }

    pub fn add_password(&mut self, password: Password) {
        self.no_password = false;
        if !self.passwords.contains(&password) {
            self.passwords.push(password);
        }
    }

    fn remove_password(&mut self, password: &Password) -> Result<(), Fault> {
        let at = self.passwords.iter().position(|own| own == password).ok_or(Fault::NoSuchPassword)?;
        self.passwords.remove(at);
        Ok(())
    }
}

/// Puts the words of a selector that is written with spaces together. The error is where a parenthesis opens that none
/// closes.
pub fn merged(words: &[Vec<u8>]) -> Result<Vec<Vec<u8>>, usize> {
    let mut rules: Vec<Vec<u8>> = Vec::new();
    let mut open: Option<(usize, Vec<u8>)> = None;
    for (at, word) in words.iter().enumerate() {
        match open.take() {
            None if word.starts_with(b"(") && !word.ends_with(b")") => open = Some((at, word.clone())),
            None => rules.push(word.clone()),
            Some((start, text)) => {
                let text = [&text[..], b" ", word].concat();
                if word.ends_with(b")") { rules.push(text) } else { open = Some((start, text)) }
            }
        }
    }
    open.map_or(Ok(rules), |(start, _)| Err(start))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::acl::describe::rules;

    fn rights(words: &str) -> Result<Rights, Fault> {
        let mut rights = Rights::none(false);
        words.split(' ').try_for_each(|rule| rights.apply(rule.as_bytes(), false))?;
        Ok(rights)
    }

    #[test]
    fn passwords() {
        let hash = Password::of(b"x");
        let two = rights(&format!("on >p #{hash}")).unwrap();
        assert!(two.accepts(b"p") && two.accepts(b"x") && !two.accepts(b"y") && !two.accepts(b""));
        assert!(!rights("on").unwrap().accepts(b"") && rights("on nopass").unwrap().accepts(b"any"));
        assert!(!rights("off >p").unwrap().accepts(b"p") && !rights("on nopass resetpass").unwrap().accepts(b""));
        assert!(!rights(&format!("on >p >x <p !{hash}")).unwrap().accepts(b"x"));
        assert_eq!(rights("<p").unwrap_err(), Fault::NoSuchPassword);
        assert_eq!(rights("#p").unwrap_err(), Fault::BadHash);
        assert_eq!(rights("on nopass >p >p").unwrap().passwords.len(), 1);
    }

    #[test]
    fn all_rules_are_kept() {
        for text in [
            "off resetchannels -@all",
            "on nopass ~* &* +@all",
            "on sanitize-payload ~a resetchannels -@all +get (~x* resetchannels &c -@all +set) (%R~y &* -@all +get)",
        ] {
            let mut again = Rights::none(false);
            let words: Vec<Vec<u8>> = text.split(' ').map(|word| word.into()).collect();
            merged(&words).unwrap().iter().for_each(|rule| again.apply(rule, false).unwrap());
            assert_eq!(String::from_utf8(rules(&again)).unwrap(), text);
        }
        assert_eq!(rules(&Rights::all()), b"on nopass ~* &* +@all");
        let reset = rights("on nopass +@all ~* (+get) skip-sanitize-payload reset").unwrap();
        assert_eq!(rules(&reset), b"off sanitize-payload resetchannels -@all");
        assert_eq!(rights("(+get) clearselectors").unwrap().selectors.len(), 1);
    }

    #[test]
    fn selectors_may_have_spaces() {
        let words = |text: &str| text.split(' ').map(|word| word.as_bytes().to_vec()).collect::<Vec<_>>();
        assert_eq!(merged(&words("on (+get ~a) (+set) +x")).unwrap().len(), 4);
        assert_eq!(merged(&words("on (+get ~a")), Err(1));
    }
}
