//! Commands with secrets, which no history keeps.

/// Whether a password may be among these words.
pub(super) fn are_in(args: &[Vec<u8>]) -> bool {
    let is = |index: usize, word: &str| args.get(index).is_some_and(|arg| arg.eq_ignore_ascii_case(word.as_bytes()));
    let any_from = |first: usize, words: &[&str]| (first..args.len()).any(|at| words.iter().any(|word| is(at, word)));
    if is(0, "auth") || (is(0, "acl") && is(1, "setuser")) {
        return true;
    }
    if is(0, "config") && is(1, "set") {
        // Any of the names may be one of these; a value that looks like it costs one line of history.
        return any_from(
            2,
            &["masterauth", "masteruser", "requirepass", "tls-key-file-pass", "tls-client-key-file-pass"],
        );
    }
    if is(0, "hello") {
        return any_from(2, &["auth"]);
    }
    if is(0, "migrate") {
        let keys = (6..args.len()).find(|at| is(*at, "keys")).unwrap_or(args.len());
        return (6..keys).any(|at| is(at, "auth") || is(at, "auth2"));
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    fn secret(line: &str) -> bool {
        are_in(&resp::words::split(line.as_bytes()).unwrap())
    }

    #[test]
    fn passwords_are_found() {
        for line in [
            "AUTH x",
            "auth user x",
            "ACL SETUSER a >x",
            "config set requirepass x",
            "CONFIG SET maxmemory 1 masterauth x",
            "HELLO 3 AUTH default x",
            "HELLO 3 SETNAME n AUTH default x",
            "MIGRATE h 1 k 0 5 COPY AUTH x",
            "MIGRATE h 1 \"\" 0 5 AUTH2 u x KEYS a",
        ] {
            assert!(secret(line), "{line}");
        }
    }

    #[test]
    fn other_commands_have_none() {
        for line in ["GET auth", "ACL LIST", "CONFIG GET requirepass", "HELLO 3", "MIGRATE h 1 \"\" 0 5 KEYS auth"] {
            assert!(!secret(line), "{line}");
        }
    }
}
