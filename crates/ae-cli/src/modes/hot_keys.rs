//! `--hotkeys`: the keys that are used most, where the server counts that.

use super::keys::{Walk, database_size, progress, quoted};
use crate::output::{Stop, complain, fail, put};
use crate::session::Session;
use resp::Reply;
use std::thread;

/// How many are found.
const HOTTEST: usize = 16;
const REPORT_EVERY: u64 = 1_000_000;
const PAUSE_EVERY: u64 = 100;

pub(super) fn run(session: &mut Session) -> Result<(), Stop> {
    session.watch_interrupts();
    let interval = session.options.interval;
    let mut walk = Walk::new(&session.options);
    let total = database_size(session.require()?)?;
    put("\n# Scanning the entire keyspace to find hot keys as well as\n# average sizes per key type.  You can use \
         -i 0.1 to sleep 0.1 sec\n# per 100 SCAN commands (not usually needed).\n\n")?;
    let mut hottest: Vec<(u64, String)> = Vec::new();
    let (mut sampled, mut loops, mut interrupted) = (0, 0, String::new());
    loop {
        let now = progress(sampled, total);
        let Some(link) = session.link() else { return fail("\nI/O error") };
        let Some(keys) = walk.next(link)? else { break };
        loops += 1;
        let requests: Vec<_> = keys.iter().map(|key| vec![b"OBJECT".as_slice(), b"FREQ", key]).collect();
        let replies = link.call_all(&requests).or_else(|error| fail(format!("Error getting frequencies: {error}")))?;
        for (key, reply) in keys.iter().zip(replies) {
            let frequency = match reply {
                Reply::Integer(frequency) => frequency.max(0) as u64,
                Reply::Error(error) => return fail([b"Error: ", &error[..]].concat()),
                _ => {
                    complain(format!("Warning: OBJECT freq on '{}' failed (may have been deleted)", quoted(key)));
                    0
                }
            };
            sampled += 1;
            if sampled % REPORT_EVERY == 0 {
                put(format!("{now} Sampled {sampled} keys so far\n"))?;
            }
            if is_hot(&mut hottest, frequency, key) {
                put(format!("{now} Hot key '{}' found so far with counter {frequency}\n", quoted(key)))?;
            }
        }
        if !interval.is_zero() && loops % PAUSE_EVERY == 0 {
            thread::sleep(interval);
        }
        if session.take_interrupt() {
            interrupted = format!("{now} ");
            break;
        }
    }
    let mut text = format!("\n-------- summary -------\n\n{interrupted}Sampled {sampled} keys in the keyspace!\n");
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
