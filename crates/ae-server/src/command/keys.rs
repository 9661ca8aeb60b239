//! Which arguments of a request are keys.

use super::spec::{Begin, Find, KeySpec, Spec, key_flag};
use resp::{Args, number};

/// A key of a request.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct KeyArg {
    /// Its position; the command's name is at 0.
    pub at: usize,
    /// What the command does to it: a sum of the constants in [`key_flag`].
    pub flags: u16,
}

/// The request has other arguments than its command takes.
#[derive(Debug, PartialEq, Eq)]
pub struct Malformed;

/// The keys of a request, in the order of the key specifications.
pub fn keys(spec: &Spec, args: &Args<'_>) -> Result<Vec<KeyArg>, Malformed> {
    if !spec.fits(args.len()) {
        return Err(Malformed);
    }
    match spec.full_name {
        "sort" => return Ok(keys_of_sort(args)),
        "sort_ro" => return Ok(vec![KeyArg { at: 1, flags: key_flag::RO | key_flag::ACCESS }]),
        _ => {}
    }
    let mut found = Vec::new();
    for keys in key_specs(spec) {
        if add(&mut found, keys, args).is_err() {
            return keys_of_loose_number(spec, args);
        }
    }
    match spec.full_name {
        "set" => correct_set(&mut found, args),
        "bitfield" => correct_bitfield(&mut found, args),
        "migrate" => keys_of_migrate(&mut found, args),
        _ => {}
    }
    Ok(found)
}

fn key_specs(spec: &Spec) -> impl Iterator<Item = &KeySpec> {
    spec.keys.iter().filter(|keys| keys.flags & key_flag::NOT_KEY == 0)
}

fn add(found: &mut Vec<KeyArg>, keys: &KeySpec, args: &Args<'_>) -> Result<(), Malformed> {
    let len = args.len();
    let Some(begin) = begin(keys.begin, args) else { return Ok(()) };
    let (first, last, step) = match keys.find {
        Find::Range { last, step, limit } => {
            let end = if last >= 0 { begin as i64 + i64::from(last) } else { len as i64 + i64::from(last) };
            let end = if last < 0 && limit > 1 {
                begin as i64 + (end - begin as i64 + 1) / i64::from(limit) - 1
            } else {
                end
            };
            (begin as i64, end, step)
        }
        Find::Number { at, first, step } => {
            let count = args.get(begin + at as usize).and_then(resp::number::parse).filter(|count| *count >= 0);
            let count = count.ok_or(Malformed)?;
            let first = begin as i64 + i64::from(first);
            // More keys than arguments cannot be.
            let count = if count > len as i64 { return Err(Malformed) } else { count };
            (first, first + (count - 1) * i64::from(step), step)
        }
        Find::Unknown => return Ok(()),
    };
    if last >= len as i64 || last < first || first >= len as i64 {
        return Err(Malformed);
    }
    let positions = (first..=last).step_by(step.max(1) as usize);
    found.extend(positions.map(|at| KeyArg { at: at as usize, flags: keys.flags }));
    Ok(())
}

/// As in Redis, a number of keys that the command will refuse (`01`, `+1`, `1x`) still says where its keys are: they
/// come before others of the command, and nothing is told of how it uses them.
fn keys_of_loose_number(spec: &Spec, args: &Args<'_>) -> Result<Vec<KeyArg>, Malformed> {
    let (mut counted, mut others) = (Vec::new(), Vec::new());
    for keys in key_specs(spec) {
        let (Begin::Index(begin), Find::Number { at, first, step }) = (keys.begin, keys.find) else {
            add(&mut others, keys, args)?;
            continue;
        };
        let (counted_at, first) = (begin as usize + at as usize, begin as usize + first as usize);
        // C's atoi has the last 32 bits of a large number.
        let count = args.get(counted_at).map_or(0, |text| number::leading(text) as i32);
        let places = (first..args.len()).step_by(step.max(1) as usize);
        if count < 1 || count as usize > places.len() {
            return Err(Malformed);
        }
        counted.extend(places.take(count as usize));
    }
    if counted.is_empty() {
        return Err(Malformed);
    }
    counted.extend(others.into_iter().map(|key: KeyArg| key.at));
    Ok(counted.into_iter().map(|at| KeyArg { at, flags: 0 }).collect())
}

/// The position of the first key, or of what says where the keys are.
fn begin(begin: Begin, args: &Args<'_>) -> Option<usize> {
    let is = |at: usize, word: &str| args.get(at).is_some_and(|arg| arg.eq_ignore_ascii_case(word.as_bytes()));
    match begin {
        Begin::Index(index) => Some(index as usize),
        Begin::Keyword(word, from) if from >= 0 => {
            (from as usize..args.len()).find(|at| is(*at, word)).map(|at| at + 1).filter(|at| *at < args.len())
        }
        Begin::Keyword(word, from) => {
            let last = args.len().checked_sub(from.unsigned_abs() as usize)?;
            (1..=last).rev().find(|at| is(*at, word)).map(|at| at + 1).filter(|at| *at < args.len())
        }
        Begin::Unknown => None,
    }
}

/// The last STORE counts, as for the command.
fn keys_of_sort(args: &Args<'_>) -> Vec<KeyArg> {
    let mut found = vec![KeyArg { at: 1, flags: key_flag::RO | key_flag::ACCESS }];
    let mut store = None;
    let mut at = 2;
    while at < args.len() {
        let word = args[at].to_ascii_lowercase();
        at += match word.as_slice() {
            b"limit" => 3,
            b"get" | b"by" => 2,
            b"store" if at + 1 < args.len() => {
                store = Some(at + 1);
                2
            }
            _ => 1,
        };
    }
    found.extend(store.map(|at| KeyArg { at, flags: key_flag::OW | key_flag::UPDATE }));
    found
}

/// SET reads the old value only if it is asked to.
fn correct_set(found: &mut [KeyArg], args: &Args<'_>) {
    let reads = args.from(3).any(|arg| arg.eq_ignore_ascii_case(b"get"));
    for key in found {
        key.flags =
            if reads { key_flag::RW | key_flag::ACCESS | key_flag::UPDATE } else { key_flag::OW | key_flag::UPDATE };
    }
}

/// BITFIELD only reads if it has nothing except whole GETs and OVERFLOWs.
fn correct_bitfield(found: &mut [KeyArg], args: &Args<'_>) {
    let mut rest = args.from(2);
    let reads = loop {
        let left = match rest.next() {
            None => break true,
            Some(word) if word.eq_ignore_ascii_case(b"get") => 2,
            Some(word) if word.eq_ignore_ascii_case(b"overflow") => 1,
            Some(_) => break false,
        };
        if rest.by_ref().take(left).count() < left {
            break false;
        }
    };
    for key in found {
        key.flags =
            if reads { key_flag::RO | key_flag::ACCESS } else { key_flag::RW | key_flag::ACCESS | key_flag::UPDATE };
    }
}

/// With an empty key the keys follow the word KEYS.
fn keys_of_migrate(found: &mut Vec<KeyArg>, args: &Args<'_>) {
    if args.get(3).is_some_and(|key| !key.is_empty()) {
        found.truncate(1);
    } else {
        found.retain(|key| key.at != 3);
        // These are all.
        found.iter_mut().for_each(|key| key.flags &= !key_flag::INCOMPLETE);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::command::spec::SPECS;
    use resp::OwnedArgs;

    fn positions(line: &str) -> Result<Vec<usize>, Malformed> {
        let words: Vec<&str> = line.split(' ').collect();
        let name = words[0].to_ascii_lowercase();
        let spec = SPECS.iter().find(|spec| spec.full_name == name).unwrap();
        let args = OwnedArgs::new(&words);
        Ok(keys(spec, &args.as_args())?.iter().map(|key| key.at).collect())
    }

    #[test]
    fn every_way_to_say_where_keys_are() {
        assert_eq!(positions("GET k"), Ok(vec![1]));
        assert_eq!(positions("MSET a 1 b 2"), Ok(vec![1, 3]));
        assert_eq!(positions("DEL a b c"), Ok(vec![1, 2, 3]));
        assert_eq!(positions("BLPOP a b 0"), Ok(vec![1, 2]));
        assert_eq!(positions("PING"), Ok(vec![]));
        assert_eq!(positions("PUBLISH c m"), Ok(vec![]));
        assert_eq!(positions("EVAL script 2 a b c"), Ok(vec![3, 4]));
        assert_eq!(positions("EVAL script 0 a"), Err(Malformed));
        assert_eq!(positions("EVAL script x a"), Err(Malformed));
        assert_eq!(positions("EVAL script 5 a"), Err(Malformed));
        assert_eq!(positions("EVAL script 9223372036854775807 a"), Err(Malformed));
        // The last of several KEYS is the one.
        assert_eq!(positions("MIGRATE h 1  0 9 KEYS KEYS a b"), Ok(vec![8, 9]));
        assert_eq!(positions("MIGRATE h 1 k 0 9"), Ok(vec![3]));
        // With a key, that is a password.
        assert_eq!(positions("MIGRATE h 1 k 0 9 AUTH KEYS COPY"), Ok(vec![3]));
        assert_eq!(positions("SORT k STORE a STORE b"), Ok(vec![1, 5]));
        assert_eq!(positions("SORT k LIMIT 0 STORE STORE d"), Ok(vec![1, 6]));
        assert_eq!(positions("GEORADIUS k 1 1 1 m STOREDIST d STORE e"), Ok(vec![1, 9, 7]));
    }

    #[test]
    fn only_an_option_makes_set_read() {
        for (line, reads) in [("SET k v", false), ("SET k get", false), ("SET k v EX 1 Get", true)] {
            let words: Vec<&str> = line.split(' ').collect();
            let spec = SPECS.iter().find(|spec| spec.full_name == "set").unwrap();
            let found = keys(spec, &OwnedArgs::new(&words).as_args()).unwrap();
            assert_eq!(found[0].flags & key_flag::ACCESS != 0, reads, "{line}");
        }
    }

    #[test]
    fn only_whole_gets_make_bitfield_read() {
        for (line, reads) in [
            ("BITFIELD k", true),
            ("BITFIELD k GET u8 0 get i5 #1", true),
            ("BITFIELD k OVERFLOW SAT GET u8 0", true),
            ("BITFIELD k GET u8 0 SET u8 0 1", false),
            ("BITFIELD k INCRBY u8 0 1", false),
            ("BITFIELD k GET u8", false),
            ("BITFIELD k OVERFLOW", false),
            ("BITFIELD k x y", false),
            ("BITFIELD k GET set 0", true),
        ] {
            let words: Vec<&str> = line.split(' ').collect();
            let spec = SPECS.iter().find(|spec| spec.full_name == "bitfield").unwrap();
            let found = keys(spec, &OwnedArgs::new(&words).as_args()).unwrap();
            assert_eq!(found[0].flags & key_flag::RO != 0, reads, "{line}");
        }
    }
}
