//! Commands with secrets, which no history keeps.

/// What stands before a password.
const BEFORE: [&str; 12] = [
    "auth",
    "auth2",
    "setuser",
    "masterauth",
    "masteruser",
    "requirepass",
    "tls-key-file-pass",
    "tls-client-key-file-pass",
    "auth-pass",
    "auth-user",
    "sentinel-pass",
    "sentinel-user",
];

/// Whether a password may be in a line that cannot be split into words: it is then not known which command it is.
pub(super) fn may_be_in(line: &[u8]) -> bool {
    let mut words = line.split(|byte| byte.is_ascii_whitespace() || matches!(byte, b'"' | b'\''));
    words.any(|word| BEFORE.iter().any(|before| word.eq_ignore_ascii_case(before.as_bytes())))
}

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
    if is(0, "sentinel") {
        let set = is(1, "set") && any_from(3, &["auth-pass", "auth-user"]);
        return set || (is(1, "config") && is(2, "set") && any_from(3, &["sentinel-pass", "sentinel-user"]));
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
            "SENTINEL SET m auth-pass x",
            "sentinel set m quorum 2 AUTH-USER u",
            "sentinel config set sentinel-pass x",
        ] {
            assert!(secret(line), "{line}");
            assert!(may_be_in(line.as_bytes()), "{line}");
        }
    }

    #[test]
    fn passwords_are_found_behind_a_quote_that_is_open() {
        for line in ["auth \"hunter2", "\"AUTH\" 'x", "3 auth 'x", "config set requirepass \"x y", "acl setuser a \">x"]
        {
            assert!(resp::words::split(line.as_bytes()).is_err(), "{line}");
            assert!(may_be_in(line.as_bytes()), "{line}");
        }
        assert!(!may_be_in(b"get 'author"));
    }

    #[test]
    fn other_commands_have_none() {
        for line in [
            "GET auth",
            "ACL LIST",
            "CONFIG GET requirepass",
            "HELLO 3",
            "MIGRATE h 1 k 0 5 COPY REPLACE",
            "MIGRATE h 1 auth 0 5",
            "MIGRATE h 1 \"\" 0 5 KEYS auth",
            "SENTINEL SET m quorum 2",
            "SENTINEL CONFIG GET sentinel-pass",
        ] {
            assert!(!secret(line), "{line}");
        }
    }
}
