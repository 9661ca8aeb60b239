//! What a line of a configuration says: the words behind the directive's name, into the configuration.

use super::catalog;
use super::groups::{RenameLine, UserLine};
use super::settings::Config;

/// Directives of older versions, without effect in Redis too.
const OBSOLETE: [&str; 3] = ["list-max-ziplist-entries", "list-max-ziplist-value", "lua-replicate-commands"];

/// What is wrong with a line.
#[derive(Debug, PartialEq, Eq)]
pub enum Fault {
    /// There is no such directive, or not with so many words.
    Unknown,
    WrongCount,
    /// The value is wrong, and why.
    Value(String),
}

impl Fault {
    /// In Redis's words.
    pub fn text(self) -> String {
        match self {
            Fault::Unknown => "Bad directive or wrong number of arguments".into(),
            Fault::WrongCount => "wrong number of arguments".into(),
            Fault::Value(reason) => reason,
        }
    }
}

/// Puts what a line says into the configuration. `place` is where it is, for later messages. The line has a name at
/// least; `include` is not for here.
pub fn apply(config: &mut Config, words: &[Vec<u8>], place: &str) -> Result<(), Fault> {
    let (name, values) = words.split_first().ok_or(Fault::Unknown)?;
    if let Some((_, parameter)) = catalog::find(name) {
        if !parameter.of_words() && values.len() != 1 {
            return Err(Fault::WrongCount);
        }
        // A single word may be several in quotes.
        let split = match values {
            [value] if parameter.of_words() && !value.is_empty() => resp::words::split(value).ok(),
            _ => None,
        };
        return parameter.set(config, split.as_deref().unwrap_or(values)).map_err(Fault::Value);
    }
    let refused = |reason: &str| Err(Fault::Value(reason.into()));
    match (name.to_ascii_lowercase().as_slice(), values) {
        (b"rename-command", [from, to]) => {
            config.security.renamed.push(RenameLine { from: from.clone(), to: to.clone(), place: place.into() });
        }
        (b"user", [_, ..]) => {
            config.security.users.push(UserLine { words: values.to_vec(), place: place.into() });
        }
        (b"loadmodule", [_, ..]) => return refused("ae-server has no modules"),
        (b"sentinel", _) => return refused("sentinel directive while not in sentinel mode"),
        (name, [_, ..]) if name.contains(&b'.') => {
            return refused("ae-server has no modules, and so none of their directives");
        }
        (name, [_]) => match OBSOLETE.iter().find(|obsolete| name == obsolete.as_bytes()) {
            Some(obsolete) => config.obsolete.push(obsolete),
            None => return Err(Fault::Unknown),
        },
        _ => return Err(Fault::Unknown),
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn applied(line: &str) -> Result<Config, String> {
        let mut config = Config::default();
        let words = resp::words::split(line.as_bytes()).unwrap();
        apply(&mut config, &words, "here").map_err(Fault::text)?;
        Ok(config)
    }

    #[test]
    fn directives_of_files_alone() {
        let config = applied("Rename-Command CONFIG \"\"").unwrap();
        let line = RenameLine { from: b"CONFIG".to_vec(), to: Vec::new(), place: "here".into() };
        assert_eq!(config.security.renamed, [line]);
        let config = applied("user alice on +@all").unwrap();
        let words = ["alice", "on", "+@all"].map(|word| word.as_bytes().to_vec()).to_vec();
        assert_eq!(config.security.users, [UserLine { words, place: "here".into() }]);
        assert_eq!(applied("lua-replicate-commands yes").unwrap().obsolete, ["lua-replicate-commands"]);
    }

    #[test]
    fn several_words() {
        assert_eq!(applied("bind 127.0.0.1 -::1").unwrap().bind, ["127.0.0.1", "-::1"]);
        assert_eq!(applied("bind '127.0.0.1  -::1'").unwrap().bind, ["127.0.0.1", "-::1"]);
        assert_eq!(applied("bind ''").unwrap().bind, [""; 0]);
        let limit = applied("client-output-buffer-limit normal 1mb 2kb 3 slave 0 0 0").unwrap().output_limits;
        assert_eq!((limit.normal.hard, limit.normal.soft, limit.normal.soft_seconds), (1 << 20, 2048, 3));
        assert_eq!((limit.replica.hard, limit.pubsub.hard), (0, 32 << 20));
    }

    #[test]
    fn what_is_refused() {
        for (line, reason) in [
            ("nosuch 1", "Bad directive or wrong number of arguments"),
            ("rename-command a", "Bad directive or wrong number of arguments"),
            ("port", "wrong number of arguments"),
            ("port 1 2", "wrong number of arguments"),
            ("notify-keyspace-events K E", "wrong number of arguments"),
            ("port x", "argument couldn't be parsed into an integer"),
            ("loadmodule x.so", "ae-server has no modules"),
            ("graph.x 1", "ae-server has no modules, and so none of their directives"),
            ("sentinel monitor", "sentinel directive while not in sentinel mode"),
            ("appendonly x", "argument must be 'yes' or 'no'"),
            ("save 0 1", "Invalid save parameters"),
            ("save 60", "Invalid save parameters"),
            ("slaveof h x", "Invalid master port"),
        ] {
            assert_eq!(applied(line).unwrap_err(), reason, "{line}");
        }
    }
}
