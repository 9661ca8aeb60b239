//! Rights as rules.

use super::command_set::CommandSet;
use super::rights::Rights;
use super::selector::{READ, Selector, WRITE};
use crate::command::category;
use crate::command::spec::SPECS;

/// The rules that make these rights, on one line.
pub fn rules(rights: &Rights) -> Vec<u8> {
    let mut words: Vec<Vec<u8>> = rights.flags().map(|flag| flag.as_bytes().to_vec()).collect();
    words.extend(rights.passwords.iter().map(|password| format!("#{password}").into_bytes()));
    for (at, selector) in rights.selectors.iter().enumerate() {
        let text = rules_of_selector(selector);
        words.push(if at == 0 { text } else { [b"(", &text[..], b")"].concat() });
    }
    words.join(&b' ')
}

fn rules_of_selector(selector: &Selector) -> Vec<u8> {
    let channels = channels(selector);
    let reset = if selector.all_channels { &b""[..] } else { b"resetchannels" };
    let parts = [&keys(selector), reset, &channels, commands(&selector.commands).as_slice()].map(<[u8]>::to_vec);
    parts.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(&b' ')
}

/// The patterns of keys.
pub fn keys(selector: &Selector) -> Vec<u8> {
    if selector.all_keys {
        return b"~*".into();
    }
    let prefix = |access| match access {
        READ => &b"%R~"[..],
        WRITE => b"%W~",
        _ => b"~",
    };
    let patterns = selector.keys.iter().map(|own| [prefix(own.access), &own.pattern].concat());
    patterns.collect::<Vec<_>>().join(&b' ')
}

/// The patterns of channels.
pub fn channels(selector: &Selector) -> Vec<u8> {
    if selector.all_channels {
        return b"&*".into();
    }
    let patterns = selector.channels.iter().map(|own| [b"&", &own[..]].concat());
    patterns.collect::<Vec<_>>().join(&b' ')
}

/// Rules that make the same set of commands: all or none, then categories for as long as one brings more commands near
/// to what they should be than away from it, then single commands.
pub fn commands(wanted: &CommandSet) -> Vec<u8> {
    let adds = !wanted.is_open();
    let mut made = if adds { CommandSet::none() } else { CommandSet::every() };
    let mut words: Vec<Vec<u8>> = vec![if adds { b"-@all".into() } else { b"+@all".into() }];
    let sign = |adds: bool| if adds { "+" } else { "-" };
    // What no category has covered yet.
    let mut left = wanted.clone();
    let mut unused: Vec<(u32, &str)> = category::NAMES.to_vec();
    while let Some(at) = best_category(&left, &unused, adds) {
        let (category, name) = unused.remove(at);
        made.change_category(category, adds);
        left.change_category(category, !adds);
        words.push(format!("{}@{name}", sign(adds)).into_bytes());
    }
    for spec in &SPECS {
        let allowed = wanted.has(spec);
        if allowed != made.has(spec) {
            made.change(spec, allowed);
            words.push(format!("{}{}", sign(allowed), spec.full_name).into_bytes());
        }
        if !allowed {
            let first_args = wanted.first_args(spec).iter();
            words.extend(first_args.map(|word| [b"+", spec.full_name.as_bytes(), b"|", &word[..]].concat()));
        }
    }
    words.join(&b' ')
}

/// The category that would be right for more commands than wrong: with the fewest that it would be wrong for, then with
/// the most that it would be right for; of equal ones the first.
fn best_category(left: &CommandSet, unused: &[(u32, &str)], adds: bool) -> Option<usize> {
    let mut best: Option<(usize, usize, usize)> = None;
    for (at, (category, _)) in unused.iter().enumerate() {
        let (inside, outside) = left.count(*category);
        let (right, wrong) = if adds { (inside, outside) } else { (outside, inside) };
        let better = best.is_none_or(|(_, most, fewest)| wrong < fewest || (wrong == fewest && right > most));
        if right > wrong && better {
            best = Some((at, right, wrong));
        }
    }
    best.map(|(at, ..)| at)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn described(rules: &str) -> String {
        let selector = Selector::parse(rules.as_bytes(), false).unwrap();
        String::from_utf8(rules_of_selector(&selector)).unwrap()
    }

    #[test]
    fn the_shortest_that_says_the_same() {
        for (rules, text) in [
            ("", "resetchannels -@all"),
            ("~* &* +@all", "~* &* +@all"),
            ("~a* %R~b &c +get", "~a* %R~b resetchannels &c -@all +get"),
            ("+@all -@dangerous +config|get +get", "resetchannels +@all -@dangerous +config|get"),
            ("+@read +@write", "resetchannels -@all +@write +@read"),
            // Both have five commands.
            ("+@transaction +@hyperloglog", "resetchannels -@all +@hyperloglog +@transaction"),
            ("+select|0 +select|1", "resetchannels -@all +select|0 +select|1"),
            ("+client|list", "resetchannels -@all +client|list"),
        ] {
            assert_eq!(described(rules), text, "{rules}");
        }
    }

    proptest! {
        #[test]
        fn it_makes_the_same_set_again(changes in prop::collection::vec((any::<bool>(), any::<bool>(), 0..1000usize), 0..12)) {
            let mut set = CommandSet::none();
            for (allow, of_category, at) in changes {
                match of_category {
                    true => set.change_category(category::NAMES[at % category::NAMES.len()].0, allow),
                    false => set.change(&SPECS[at % SPECS.len()], allow),
                }
            }
            let text = commands(&set);
            let mut again = Selector::new(false);
            for rule in text.split(|c| *c == b' ') {
                again.apply(rule).unwrap();
            }
            for spec in &SPECS {
                prop_assert_eq!(set.has(spec), again.commands.has(spec), "{} in {:?}", spec.full_name, text.clone());
            }
        }
    }
}
