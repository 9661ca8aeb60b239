//! What a command that is being typed still takes.

use crate::help::Entries;

/// The rest of the command's syntax, to stand behind the line.
pub(super) fn hint(entries: &Entries, line: &str) -> Option<String> {
    let (entry, count, words) = entries.matching(line)?;
    let mut rest = entry.syntax.as_str();
    for _ in &words[count..] {
        // What is in brackets may come in any order, and stays.
        if rest.starts_with('[') {
            break;
        }
        rest = rest.split_once(' ').map_or("", |(_, behind)| behind);
    }
    if rest.is_empty() {
        return None;
    }
    let space = if line.ends_with(char::is_whitespace) { "" } else { " " };
    Some(format!("{space}{rest}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::help::built_in;

    #[test]
    fn arguments_that_are_missing() {
        let entries = built_in();
        let hint = |line: &str| hint(&entries, line);
        assert_eq!(hint("get"), Some(" key".into()));
        assert_eq!(hint("get "), Some("key".into()));
        assert_eq!(hint("get a"), None);
        assert_eq!(hint("lpush k"), Some(" element [element ...]".into()));
        assert_eq!(hint("lpush k a b c"), Some(" [element ...]".into()));
        assert_eq!(hint("CONFIG GET "), Some("parameter [parameter ...]".into()));
        assert_eq!(hint("nothing"), None);
    }
}
