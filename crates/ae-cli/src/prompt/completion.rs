//! What a line that is being typed may go on with.

use crate::help::Entries;

/// Where the completed part begins, and what may stand there.
pub(super) fn candidates(entries: &Entries, line: &str) -> (usize, Vec<String>) {
    let help = line.get(..5).is_some_and(|head| head.eq_ignore_ascii_case("help "));
    let start = if help { line.len() - line[5..].trim_start().len() } else { 0 };
    let typed = &line[start..];
    let begins = |name: &str| name.get(..typed.len()).is_some_and(|head| head.eq_ignore_ascii_case(typed));
    let mut found: Vec<_> = entries.iter().map(|entry| entry.name.clone()).filter(|name| begins(name)).collect();
    if help {
        found.extend(entries.groups().iter().map(|group| format!("@{group}")).filter(|group| begins(group)));
    }
    if !found.is_empty() || help {
        return (start, found);
    }
    words_of_options(entries, line)
}

/// The words that a command takes as they stand: `EX`, `WITHSCORES`.
fn words_of_options(entries: &Entries, line: &str) -> (usize, Vec<String>) {
    let start = line.rfind(char::is_whitespace).map_or(0, |at| at + 1);
    let typed = &line[start..];
    let Some((entry, ..)) = entries.matching(&line[..start]) else { return (start, Vec::new()) };
    let is_word = |word: &&str| word.len() > 1 && !word.bytes().any(|byte| byte.is_ascii_lowercase());
    let syntax = entry.syntax.join(" ");
    let all = syntax.split([' ', '[', ']', '|']).filter(is_word).filter(|word| *word != "...");
    let begins = |word: &&str| word.get(..typed.len()).is_some_and(|head| head.eq_ignore_ascii_case(typed));
    let mut found: Vec<String> = Vec::new();
    for word in all.filter(begins) {
        if !found.iter().any(|other| other == word) {
            found.push(word.into());
        }
    }
    (start, found)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::help::built_in;

    fn complete(line: &str) -> (usize, Vec<String>) {
        candidates(&built_in(), line)
    }

    #[test]
    fn commands_and_subcommands() {
        assert_eq!(complete("getr").1, ["GETRANGE"]);
        assert_eq!(complete("config rese").1, ["CONFIG RESETSTAT"]);
        assert_eq!(complete("help  geta").0, 6);
        assert!(complete("help @st").1.contains(&"@string".to_string()));
        assert_eq!(complete("nothing x"), (8, vec![]));
        assert_eq!(complete("é"), (0, vec![]));
        // There is no help on a word of an option.
        assert_eq!(complete("help set k v ex"), (5, vec![]));
    }

    #[test]
    fn words_of_options() {
        assert_eq!(complete("set k v ex"), (8, vec!["EX".into(), "EXAT".into()]));
        assert!(complete("zrange z 0 -1 ").1.contains(&"WITHSCORES".to_string()));
        assert_eq!(complete("zrange z 0 -1 with"), (14, vec!["WITHSCORES".into()]));
        assert_eq!(complete("é x"), (3, vec![]));
        // A sign is no word, and neither is a name that the program chooses.
        assert_eq!(complete("xtrim k maxlen ").1, ["MAXLEN", "MINID", "LIMIT"]);
        // Where a quote is open there is the text of an argument.
        assert_eq!(complete("set k v \"ex"), (8, vec![]));
        assert_eq!(complete("config e"), (7, vec![]));
        // SORT's GET may be there again.
        assert_eq!(complete("sort k g").1, ["GET"]);
    }
}
