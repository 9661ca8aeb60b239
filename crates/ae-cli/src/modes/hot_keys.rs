//! `--hotkeys`: the keys that are used most, where the server counts that.

use super::keys::{Early, quoted, sample};
use crate::output::{Stop, complain, fail, put};
use crate::session::Session;
use resp::Reply;

/// How many are found.
const HOTTEST: usize = 16;

pub(super) fn run(session: &mut Session) -> Result<(), Stop> {
    let mut hottest: Vec<(u64, String)> = Vec::new();
    let progress = sample(session, "hot", |link, keys, progress| {
        let requests: Vec<_> = keys.iter().map(|key| vec![b"OBJECT".as_slice(), b"FREQ", key]).collect();
        let failed = |error| Early::no_reply(&error, format!("Error getting frequencies: {error}"));
        for (key, reply) in keys.iter().zip(link.call_all(&requests).map_err(failed)?) {
            let frequency = match reply {
                Reply::Integer(frequency) => frequency.max(0) as u64,
                Reply::Error(error) => fail([b"Error: ", &error[..]].concat())?,
                _ => {
                    complain(format!("Warning: OBJECT freq on '{}' failed (may have been deleted)", quoted(key)));
                    0
                }
            };
            progress.count()?;
            if is_hot(&mut hottest, frequency, key) {
                let now = &progress.now;
                put(format!("{now} Hot key '{}' found so far with counter {frequency}\n", quoted(key)))?;
            }
        }
        Ok(())
    })?;
    let mut text = progress.summary();
    for (frequency, key) in hottest.iter().rev() {
        text.push_str(&format!("hot key found with counter: {frequency}\tkeyname: {key}\n"));
    }
    put(text)
}

/// Keeps a key if it is among the hottest, which are in order, the coolest first. One that is no hotter than those
/// that are there comes before them.
fn is_hot(hottest: &mut Vec<(u64, String)>, frequency: u64, key: &[u8]) -> bool {
    let hotter_than = hottest.iter().take_while(|(other, _)| frequency > *other).count();
    if frequency == 0 || (hottest.len() == HOTTEST && hotter_than == 0) {
        return false;
    }
    hottest.insert(hotter_than, (frequency, quoted(key)));
    if hottest.len() > HOTTEST {
        hottest.remove(0);
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_hottest_stay() {
        let mut hottest = Vec::new();
        for frequency in [0, 3, 1, 2, 3] {
            is_hot(&mut hottest, frequency, format!("{frequency}").as_bytes());
        }
        assert_eq!(hottest.iter().map(|(frequency, _)| *frequency).collect::<Vec<_>>(), [1, 2, 3, 3]);
        for frequency in 4..30 {
            assert!(is_hot(&mut hottest, frequency, b"k"));
        }
        assert_eq!(hottest.len(), HOTTEST);
        assert_eq!(hottest[0].0, 14);
        assert!(!is_hot(&mut hottest, 14, b"k"));
    }
}
