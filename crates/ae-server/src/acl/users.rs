//! All users.

use super::describe::rules;
use super::rights::{Rights, merged};
use super::selector::has_spaces;
use super::user::User;
use crate::config::groups::UserLine;
use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::rc::Rc;

pub const DEFAULT: &[u8] = b"default";

/// As much of a rule as Redis's errors show: they end at a zero byte.
fn quoted(rule: &[u8]) -> &[u8] {
    rule.split(|&c| c == 0).next().unwrap_or_default()
}

/// Users by name. The default one, which new clients are, is always among them.
pub struct Users {
    by_name: BTreeMap<Box<[u8]>, Rc<User>>,
    default: Rc<User>,
}

impl Users {
    pub fn new() -> Users {
        let default = Rc::new(User::new(DEFAULT, Rights::all()));
        Users { by_name: [(DEFAULT.into(), default.clone())].into(), default }
    }

    /// The user that a client is before it says who it is.
    pub fn default_user(&self) -> &Rc<User> {
        &self.default
    }

    pub fn get(&self, name: &[u8]) -> Option<&Rc<User>> {
        self.by_name.get(name)
    }

    /// Every user, by name.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &Rc<User>> {
        self.by_name.values()
    }

    /// Gives a user these rights; a new one if there is none of that name.
    pub fn set(&mut self, name: &[u8], rights: Rights) {
        match self.by_name.entry(name.into()) {
            Entry::Occupied(known) => known.get().set_rights(rights),
            Entry::Vacant(place) => _ = place.insert(Rc::new(User::new(name, rights))),
        }
    }

    /// Removes a user, except the default one.
    pub fn remove(&mut self, name: &[u8]) -> Option<Rc<User>> {
        if name == DEFAULT { None } else { self.by_name.remove(name) }
    }

    /// The password that `requirepass` sets: the default user's only one. Without one it needs none.
    pub fn set_default_password(&self, password: &[u8]) {
        let mut rights = self.default.rights().clone();
        rights.set_passwords(password.is_empty());
        if !password.is_empty() {
            rights.add_password(super::password::Password::of(password));
        }
        self.default.set_rights(rights);
    }

    /// The user, if that is its password.
    pub fn authenticate(&self, name: &[u8], password: &[u8]) -> Option<&Rc<User>> {
        self.get(name).filter(|user| user.rights().accepts(password))
    }

    /// The rights that a user would have with these rules. The error is in Redis's words.
    pub fn changed(&self, name: &[u8], rules: &[Vec<u8>], all_channels: bool) -> Result<Rights, Vec<u8>> {
        let known = self.get(name).map(|user| user.rights().clone());
        let mut rights = known.unwrap_or_else(|| Rights::none(all_channels));
        let rules = merged(rules).map_err(|at| {
            [b"Unmatched parenthesis in acl selector starting at '", quoted(&rules[at]), b"'."].concat()
        })?;
        for rule in &rules {
            rights.apply(rule, all_channels).map_err(|fault| {
                [b"Error in ACL SETUSER modifier '", quoted(rule), b"': ", fault.text().as_bytes()].concat()
            })?;
        }
        Ok(rights)
    }

    /// Takes the `user` lines of a configuration. The error is one line for the operator.
    pub fn load(&mut self, lines: &[UserLine], all_channels: bool) -> Result<(), String> {
        let duplicate = "Duplicate user found. A user can only be defined once in config files";
        for (at, line) in lines.iter().enumerate() {
            let Some((name, words)) = line.words.split_first() else { continue };
            let bad = |word: &[u8], reason: &str| {
                format!("{}: Error in user declaration '{}': {reason}", line.place, String::from_utf8_lossy(word))
            };
            if has_spaces(name) {
                return Err(bad(name, "Spaces not allowed in ACL usernames"));
            }
            if lines[..at].iter().any(|other| other.words.first() == Some(name)) {
                return Err(bad(name, duplicate));
            }
            let rules = merged(words).map_err(|start| bad(&words[start], "Unmatched parenthesis in selector"))?;
            let mut rights = Rights::none(all_channels);
            for rule in &rules {
                rights.apply(rule, all_channels).map_err(|fault| bad(rule, fault.text()))?;
            }
            self.set(name, rights);
        }
        Ok(())
    }

    /// Takes the users of a file in place of all that there are; a file may leave the default one out. Returns those that
    /// are no longer there.
    pub fn replace(&mut self, users: Vec<(Box<[u8]>, Rights)>) -> Vec<Rc<User>> {
        let old = std::mem::replace(&mut self.by_name, [(DEFAULT.into(), self.default.clone())].into());
        self.default.set_rights(Rights::all());
        users.into_iter().for_each(|(name, rights)| self.set(&name, rights));
        old.into_values().filter(|user| *user.name != *DEFAULT).collect()
    }

    /// All users as lines of a file of users.
    pub fn lines(&self) -> impl Iterator<Item = Vec<u8>> {
        self.iter().map(|user| [b"user ", &user.name[..], b" ", &rules(&user.rights())].concat())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(text: &str) -> Vec<Vec<u8>> {
        text.split(' ').map(|word| word.into()).collect()
    }

    fn line(text: &str) -> UserLine {
        UserLine { words: words(text), place: "here".into() }
    }

    #[test]
    fn all_rules_or_none() {
        let mut users = Users::new();
        users.set(b"u", users.changed(b"u", &words("on >p +get"), false).unwrap());
        let error = |rules: &str| String::from_utf8(users.changed(b"u", &words(rules), false).unwrap_err()).unwrap();
        assert_eq!(error("off +x"), "Error in ACL SETUSER modifier '+x': Unknown command or category name in ACL");
        assert_eq!(error("off (+get"), "Unmatched parenthesis in acl selector starting at '(+get'.");
        assert_eq!(error("on ~a\0b"), "Error in ACL SETUSER modifier '~a': Syntax error");
        assert_eq!(error("on (+a\0b"), "Unmatched parenthesis in acl selector starting at '(+a'.");
        assert!(users.authenticate(b"u", b"p").is_some());
        assert!(users.authenticate(b"u", b"x").is_none() && users.authenticate(b"v", b"p").is_none());
        assert!(users.remove(b"u").is_some() && users.remove(b"u").is_none() && users.remove(DEFAULT).is_none());
    }

    #[test]
    fn users_of_a_configuration() {
        let mut users = Users::new();
        users.load(&[line("u on nopass +get"), line("default on >p ~* +@all")], false).unwrap();
        assert!(users.authenticate(b"u", b"").is_some() && users.authenticate(DEFAULT, b"").is_none());
        for (lines, reason) in [
            (&["u +x"][..], "here: Error in user declaration '+x': Unknown command or category name in ACL"),
            (
                &["u on", "u off"],
                "here: Error in user declaration 'u': Duplicate user found. A user can only be defined once in config files",
            ),
            (&["u (on"], "here: Error in user declaration '(on': Unmatched parenthesis in selector"),
        ] {
            let lines: Vec<UserLine> = lines.iter().map(|text| line(text)).collect();
            assert_eq!(Users::new().load(&lines, false).unwrap_err(), reason);
        }
    }

    #[test]
    fn the_default_users_password() {
        let users = Users::new();
        assert!(users.default_user().is_open());
        users.set_default_password(b"p");
        assert!(!users.default_user().is_open() && users.authenticate(DEFAULT, b"p").is_some());
        users.set_default_password(b"");
        assert!(users.default_user().is_open());
    }

    /// As a new file of users says: who is not in it is gone, but the default user only loses what it had.
    #[test]
    fn the_default_user_of_a_file_without_one_may_do_everything() {
        let mut users = Users::new();
        users.load(&[line("u on nopass +get"), line("default off >p +get")], false).unwrap();
        let gone: Vec<_> = users.replace(Vec::new()).iter().map(|user| user.name.clone()).collect();
        assert_eq!(gone, [b"u"[..].into()]);
        assert!(users.default_user().is_open() && users.default_user().is_unrestricted());
    }

    #[test]
    fn a_user_of_a_configuration_has_the_channels_that_are_the_default() {
        for all_channels in [false, true] {
            let mut users = Users::new();
            users.load(&[line("u on")], all_channels).unwrap();
            assert_eq!(users.get(b"u").unwrap().rights().selectors[0].all_channels, all_channels);
        }
        let bad = UserLine { words: vec![b"a b".to_vec()], place: "here".into() };
        let refused = Users::new().load(&[bad], false).unwrap_err();
        assert_eq!(refused, "here: Error in user declaration 'a b': Spaces not allowed in ACL usernames");
    }
}
