//! What a command that is being typed still takes.

use crate::help::Entries;

/// The rest of the command's syntax, to stand behind the line.
pub(super) fn hint(entries: &Entries, line: &str) -> Option<String> {
    let (entry, count, words) = entries.matching(line)?;
    let mut arguments = entry.syntax.iter().map(String::as_str);
    let mut rest = arguments.next().unwrap_or_default();
    for _ in &words[count..] {
        // What is in brackets may come in any order, and stays; so does a choice that is more than a word.
        if rest.starts_with('[') || (rest.contains('|') && rest.contains(' ')) {
            break;
        }
        rest = rest.split_once(' ').map_or_else(|| arguments.next().unwrap_or_default(), |(_, behind)| behind);
    }
    if rest.is_empty() {
        return None;
    }
    let rest = [rest].into_iter().chain(arguments).collect::<Vec<_>>().join(" ");
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
        assert_eq!(hint("lmove a b left"), Some(" LEFT|RIGHT".into()));
        assert!(hint("client kill type normal").unwrap().starts_with(" ip:port|[ID client-id]|[TYPE "));
        assert!(
            hint("geosearch k frommember m ")
                .unwrap()
                .starts_with("FROMMEMBER member|FROMLONLAT longitude latitude BY")
        );
        assert_eq!(hint("xtrim k maxlen 5"), Some(" [=|~] threshold [LIMIT count]".into()));
        assert_eq!(hint("nothing"), None);
    }
}
