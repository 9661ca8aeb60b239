//! Redis's glob patterns: `*`, `?`, `[a-z]`, `[^x]`, and `\` for the next character itself.

/// Whether capital letters are others than small ones.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Case {
    /// They are.
    Sensitive,
    /// They are not.
    Ignored,
}

/// Whether `pattern` matches the whole of `text`. As in Redis, the empty text matches the empty pattern alone.
///
/// When a part after a `*` does not fit, only the last `*` is asked to take one character more. That is enough,
/// because an earlier one taking more could not help the rest, and it keeps the time within the product of the
/// lengths; trying every `*` again takes exponential time for patterns like `*a*a*a*b`.
pub fn matches(pattern: &[u8], text: &[u8], case: Case) -> bool {
    if text.is_empty() {
        return pattern.is_empty();
    }
    let (mut p, mut t) = (0, 0);
    // Behind the last `*`, and the text position it was last made to reach.
    let mut retry: Option<(usize, usize)> = None;
    loop {
        if let Some(b'*') = pattern.get(p) {
            p += 1;
            if p == pattern.len() {
                return true;
            }
            retry = Some((p, t));
            continue;
        }
        let step = match (pattern.get(p), text.get(t)) {
            (None, None) => return true,
            (Some(_), None) => return false,
            (None, Some(_)) => None,
            (Some(_), Some(&c)) => one(&pattern[p..], c, case),
        };
        match (step, retry) {
            (Some(len), _) => {
                p += len;
                t += 1;
            }
            (None, Some((after_star, reached))) => {
                retry = Some((after_star, reached + 1));
                p = after_star;
                t = reached + 1;
            }
            (None, None) => return false,
        }
    }
}

/// The length of the first element of `pattern` if it matches `c`. `pattern` is not empty and no `*` is first.
fn one(pattern: &[u8], c: u8, case: Case) -> Option<usize> {
    match *pattern {
        [b'?', ..] => Some(1),
        [b'[', ref class @ ..] => {
            let (matched, len) = in_class(class, c, case);
            matched.then_some(1 + len)
        }
        [b'\\', literal, ..] => (fold(literal, case) == fold(c, case)).then_some(2),
        [literal, ..] => (fold(literal, case) == fold(c, case)).then_some(1),
        [] => None,
    }
}

/// Whether `c` is in the class that `rest` begins with, and the length of the class with its `]`. As in Redis, a
/// class that is not closed ends with the pattern, `[z-a]` is `[a-z]`, and bytes from 128 on come before all others in
/// a range, because C's `char` is signed. Where case is ignored, a range is put in order before its ends become small,
/// and what is escaped keeps its case.
fn in_class(rest: &[u8], c: u8, case: Case) -> (bool, usize) {
    let negated = rest.first() == Some(&b'^');
    let mut at = usize::from(negated);
    let mut found = false;
    loop {
        match *rest.get(at..).unwrap_or_default() {
            [] => break,
            [b']', ..] => {
                at += 1;
                break;
            }
            [b'\\', literal, ..] => {
                found |= literal == c;
                at += 2;
            }
            [from, b'-', to, ..] => {
                let [low, high] = if from as i8 <= to as i8 { [from, to] } else { [to, from] };
                let [low, high, c] = [low, high, c].map(|c| fold(c, case) as i8);
                found |= (low..=high).contains(&c);
                at += 3;
            }
            [literal, ..] => {
                found |= fold(literal, case) == fold(c, case);
                at += 1;
            }
        }
    }
    (found != negated, at)
}

fn fold(c: u8, case: Case) -> u8 {
    if case == Case::Ignored { c.to_ascii_lowercase() } else { c }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn case_sensitive(pattern: &str, text: &str) -> bool {
        matches(pattern.as_bytes(), text.as_bytes(), Case::Sensitive)
    }

    #[test]
    fn patterns_that_match() {
        for (pattern, text) in [
            ("", ""),
            ("*", "anything"),
            ("**", "x"),
            ("h?llo", "hello"),
            ("h*llo", "hllo"),
            ("h*llo", "heeello"),
            ("h[ae]llo", "hallo"),
            ("h[^e]llo", "hallo"),
            ("h[a-c]llo", "hbllo"),
            ("h[c-a]llo", "hbllo"),
            ("a\\*b", "a*b"),
            ("[\\]]", "]"),
            ("[a", "a"),
            ("[^", "x"),
            ("\\", "\\"),
            ("*b*", "abc"),
            ("*ab", "aab"),
            ("a*b?d", "abxbcd"),
        ] {
            assert!(case_sensitive(pattern, text), "{pattern:?} {text:?}");
        }
    }

    #[test]
    fn patterns_that_do_not() {
        for (pattern, text) in [
            ("", "x"),
            ("x", ""),
            ("?", ""),
            ("*", ""),
            ("**", ""),
            ("h?llo", "hllo"),
            ("h[^e]llo", "hello"),
            ("a\\*b", "axb"),
            ("abc", "ABC"),
            ("*b", "abc"),
            ("[", "["),
            ("[]", "x"),
            ("[]a]", "a"),
            ("a*b?d", "abxbc"),
        ] {
            assert!(!case_sensitive(pattern, text), "{pattern:?} {text:?}");
        }
    }

    #[test]
    fn case_can_be_ignored() {
        assert!(matches(b"MAX[A-C]*", b"maxbx", Case::Ignored));
        assert!(!matches(b"[\\A]", b"a", Case::Ignored));
        // In order as `Z` to `a`, and from `z` to `a` when small.
        assert!(!matches(b"[a-Z]", b"m", Case::Ignored) && !matches(b"[Z-a]", b"a", Case::Ignored));
    }

    #[test]
    fn ranges_are_of_signed_characters() {
        for (pattern, inside, outside) in [
            (&b"[\x80-z]"[..], &b"\x80\xff\0az"[..], &b"{\x7f"[..]),
            (b"[z-\x80]", b"\x80\xff\0az", b"{\x7f"),
            (b"[a-\xff]", b"\xff\0a", b"b\x7f\x80\xfe"),
            (b"[\x80-\xff]", b"\x80\xc0\xff", b"\0a\x7f"),
        ] {
            for c in inside {
                assert!(matches(pattern, &[*c], Case::Sensitive), "{pattern:?} {c}");
            }
            for c in outside {
                assert!(!matches(pattern, &[*c], Case::Sensitive), "{pattern:?} {c}");
            }
        }
    }

    #[test]
    fn many_stars_take_no_exponential_time() {
        let pattern = "*a".repeat(1000) + "*b";
        assert!(!case_sensitive(&pattern, &"a".repeat(10_000)));
    }

    /// The definition for a text that is not empty, by plain recursion.
    fn simple(pattern: &[u8], text: &[u8]) -> bool {
        match pattern {
            [] => text.is_empty(),
            [b'*', rest @ ..] => (0..=text.len()).any(|skip| simple(rest, &text[skip..])),
            _ => text.split_first().is_some_and(|(&c, text)| {
                one(pattern, c, Case::Sensitive).is_some_and(|len| simple(&pattern[len..], text))
            }),
        }
    }

    proptest! {
        #[test]
        fn agrees_with_the_definition(pattern in "[ab*?\\[\\]^\\\\-]{0,10}", text in "[ab-]{1,8}") {
            prop_assert_eq!(case_sensitive(&pattern, &text), simple(pattern.as_bytes(), text.as_bytes()));
        }
    }
}
