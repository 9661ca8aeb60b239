//! What is not shown of a request: passwords.

use crate::command::spec::Spec;
use resp::Args;
use std::borrow::Cow;

const INSTEAD: &[u8] = b"(redacted)";
/// Directives whose values are secrets.
const DIRECTIVES: [&[u8]; 5] =
    [b"requirepass", b"masterauth", b"masteruser", b"tls-key-file-pass", b"tls-client-key-file-pass"];

/// The arguments of a request as the operator may see them.
pub fn shown_args<'a>(spec: &Spec, args: &Args<'a>) -> impl Iterator<Item = Cow<'a, [u8]>> {
    args.from(0).enumerate().map(|(index, arg)| Cow::Borrowed(if is_secret(spec, args, index) { INSTEAD } else { arg }))
}

fn is_secret(spec: &Spec, args: &Args<'_>, index: usize) -> bool {
    let is = |at: usize, word: &[u8]| args.get(at).is_some_and(|arg| arg.eq_ignore_ascii_case(word));
    // One of the `count` arguments behind a word, which does not come before `first`.
    let behind = |word: &[u8], first: usize, count: usize| {
        (index.saturating_sub(count).max(first)..index).any(|at| is(at, word))
    };
    match spec.full_name {
        "auth" => index >= 1,
        "hello" => behind(b"auth", 2, 2),
        "acl|setuser" => index >= 2,
        "config|set" => index >= 3 && index % 2 == 1 && DIRECTIVES.iter().any(|name| is(index - 1, name)),
        "migrate" => behind(b"auth", 6, 1) || behind(b"auth2", 6, 2),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::command::spec::SPECS;
    use resp::OwnedArgs;

    fn shown(name: &str, line: &str) -> String {
        let args = OwnedArgs::new(&line.split(' ').map(str::as_bytes).collect::<Vec<_>>());
        let spec = SPECS.iter().find(|spec| spec.full_name == name).unwrap();
        let shown: Vec<_> =
            shown_args(spec, &args.as_args()).map(|arg| String::from_utf8(arg.to_vec()).unwrap()).collect();
        shown.join(" ").replace("(redacted)", "*")
    }

    #[test]
    fn passwords_are_not_shown() {
        for (name, line, expected) in [
            ("auth", "AUTH secret", "AUTH *"),
            ("auth", "auth default secret", "auth * *"),
            ("hello", "HELLO 3 AUTH u secret SETNAME me", "HELLO 3 AUTH * * SETNAME me"),
            ("hello", "HELLO 3 SETNAME me auth u secret", "HELLO 3 SETNAME me auth * *"),
            ("config|set", "CONFIG SET requirepass secret", "CONFIG SET requirepass *"),
            ("config|set", "CONFIG SET hz 10 RequirePass secret port 1", "CONFIG SET hz 10 RequirePass * port 1"),
            ("migrate", "MIGRATE h 1 k 0 9 COPY AUTH secret", "MIGRATE h 1 k 0 9 COPY AUTH *"),
            ("migrate", "MIGRATE h 1 k 0 9 auth2 u secret", "MIGRATE h 1 k 0 9 auth2 * *"),
            ("migrate", "MIGRATE h 1 \"\" 0 9 AUTH secret KEYS a", "MIGRATE h 1 \"\" 0 9 AUTH * KEYS a"),
            ("get", "GET auth", "GET auth"),
        ] {
            assert_eq!(shown(name, line), expected);
        }
    }
}
