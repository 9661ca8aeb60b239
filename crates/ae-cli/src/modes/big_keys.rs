//! `--bigkeys` and `--memkeys`: the biggest key of each type.

use super::keys::{Early, Progress, quoted, sample};
use crate::net::{Link, LinkError};
use crate::output::{Stop, complain, fail, put};
use crate::session::Session;
use resp::Reply;

/// What is known of the keys of a type.
struct Kind {
    name: String,
    /// The command that measures them, and what it counts.
    measure: Option<(&'static str, &'static str)>,
    count: u64,
    total: u64,
    biggest: u64,
    biggest_key: Option<String>,
}

const KINDS: [(&str, &str, &str); 6] = [
    ("list", "LLEN", "items"),
    ("hash", "HLEN", "fields"),
    ("string", "STRLEN", "bytes"),
    ("stream", "XLEN", "entries"),
    ("set", "SCARD", "members"),
    ("zset", "ZCARD", "members"),
];

/// How keys are measured.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Measure {
    /// By their elements.
    Elements,
    /// By their memory, looking at so many elements of each.
    Memory(Option<i64>),
}

pub(super) fn run(session: &mut Session, measure: Measure) -> Result<(), Stop> {
    let mut kinds: Vec<Kind> =
        KINDS.iter().map(|(name, command, unit)| Kind::new(name, Some((command, unit)))).collect();
    let mut length = 0;
    let progress = sample(session, "biggest", |link, keys, progress| {
        let types = types(link, keys, &mut kinds)?;
        let sizes = sizes(link, keys, &types, &kinds, measure)?;
        for ((key, kind), size) in keys.iter().zip(types).zip(sizes) {
            // It has gone since.
            let Some(kind) = kind.map(|at| &mut kinds[at]) else { continue };
            kind.total += size;
            kind.count += 1;
            length += key.len() as u64;
            if kind.biggest < size {
                (kind.biggest, kind.biggest_key) = (size, Some(quoted(key)));
                put(format!(
                    "{} Biggest {:<6} found so far '{}' with {size} {}\n",
                    progress.now,
                    kind.name,
                    quoted(key),
                    kind.unit(measure)
                ))?;
            }
            progress.count()?;
        }
        Ok(())
    })?;
    summary(&kinds, measure, &progress, length)
}

impl Kind {
    fn new(name: &str, measure: Option<(&'static str, &'static str)>) -> Kind {
        Kind { name: name.into(), measure, count: 0, total: 0, biggest: 0, biggest_key: None }
    }

    fn unit(&self, measure: Measure) -> &'static str {
        match (measure, self.measure) {
            (Measure::Memory(_), _) => "bytes",
            (Measure::Elements, Some((_, unit))) => unit,
            (Measure::Elements, None) => "?",
        }
    }
}

/// The place of each key's type among the kinds; none if the key has gone.
fn types(link: &mut Link, keys: &[Vec<u8>], kinds: &mut Vec<Kind>) -> Result<Vec<Option<usize>>, Early> {
    let requests: Vec<_> = keys.iter().map(|key| vec![b"TYPE".as_slice(), key]).collect();
    let failed = |error: LinkError| Early::no_reply(&error, format!("Error getting types of keys: {error}"));
    let replies = link.call_all(&requests).map_err(failed)?;
    let place = |reply: Reply| match reply {
        Reply::Status(name) if name == b"none" => Ok(None),
        Reply::Status(name) => {
            let name = String::from_utf8_lossy(&name);
            let known = kinds.iter().position(|kind| kind.name == name);
            Ok(Some(known.unwrap_or_else(|| {
                kinds.push(Kind::new(&name, None));
                kinds.len() - 1
            })))
        }
        Reply::Error(error) => Ok(fail([b"TYPE returned an error: ", &error[..]].concat())?),
        _ => Ok(fail("Invalid reply type for TYPE")?),
    };
    replies.into_iter().map(place).collect()
}

fn sizes(
    link: &mut Link,
    keys: &[Vec<u8>],
    types: &[Option<usize>],
    kinds: &[Kind],
    measure: Measure,
) -> Result<Vec<u64>, Early> {
    let request = |key: &[u8], kind: &Kind| -> Option<Vec<Vec<u8>>> {
        let words = |words: &[&str]| words.iter().map(|word| word.as_bytes().to_vec()).collect::<Vec<_>>();
        match measure {
            Measure::Elements => Some([words(&[kind.measure?.0]), vec![key.into()]].concat()),
            Measure::Memory(samples) => {
                let samples =
                    samples.filter(|samples| *samples != 0).map(|samples| words(&["SAMPLES", &samples.to_string()]));
                Some([words(&["MEMORY", "USAGE"]), vec![key.into()], samples.unwrap_or_default()].concat())
            }
        }
    };
    let asked: Vec<Option<_>> =
        keys.iter().zip(types).map(|(key, kind)| kind.and_then(|at| request(key, &kinds[at]))).collect();
    let requests: Vec<Vec<Vec<u8>>> = asked.iter().flatten().cloned().collect();
    let failed = |error: LinkError| Early::no_reply(&error, format!("Error getting sizes of keys: {error}"));
    let mut replies = link.call_all(&requests).map_err(failed)?.into_iter();
    let mut size = |(key, asked): (&Vec<u8>, Option<Vec<Vec<u8>>>)| {
        let Some(args) = asked else { return 0 };
        match replies.next() {
            Some(Reply::Integer(size)) => size.max(0) as u64,
            _ => {
                let name = if measure == Measure::Elements {
                    String::from_utf8_lossy(&args[0])
                } else {
                    "MEMORY USAGE".into()
                };
                complain(format!("Warning:  {name} on {} failed (may have changed type)", quoted(key)));
                0
            }
        }
    };
    Ok(keys.iter().zip(asked).map(&mut size).collect())
}

fn summary(kinds: &[Kind], measure: Measure, progress: &Progress, length: u64) -> Result<(), Stop> {
    let sampled = progress.sampled;
    let average = |total: u64, count: u64| if count == 0 { 0.0 } else { total as f64 / count as f64 };
    let mut text = progress.summary();
    text.push_str(&format!("Total key length in bytes is {length} (avg len {:.2})\n\n", average(length, sampled)));
    for kind in kinds {
        if let Some(key) = &kind.biggest_key {
            let unit = kind.unit(measure);
            text.push_str(&format!("Biggest {:>6} found '{key}' has {} {unit}\n", kind.name, kind.biggest));
        }
    }
    text.push('\n');
    for kind in kinds {
        let (count, total, unit) = (kind.count, kind.total, kind.unit(measure));
        text.push_str(&format!(
            "{count} {}s with {total} {unit} ({:05.2}% of keys, avg size {:.2})\n",
            kind.name,
            100.0 * average(count, sampled),
            average(total, count)
        ));
    }
    put(text)
}
