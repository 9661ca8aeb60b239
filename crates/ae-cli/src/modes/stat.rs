//! `--stat`: a line of figures again and again.

use crate::output::{Stop, fail, put};
use crate::session::Session;
use std::thread;
use std::time::Duration;

const HEAD: &str = "------- data ------ --------------------- load -------------------- - child -\nkeys       mem      clients blocked requests            connections          \n";
/// So many lines stand below it.
const LINES: u64 = 20;

pub(super) fn run(session: &mut Session) -> Result<(), Stop> {
    let interval = Some(session.options.interval).filter(|time| !time.is_zero()).unwrap_or(Duration::from_secs(1));
    session.require()?;
    let mut before = None;
    for line in 0u64.. {
        let reply = session.insist(&["INFO"])?;
        if let Some(error) = reply.error() {
            return fail([b"ERROR: ", error].concat());
        }
        if line % LINES == 0 {
            put(HEAD)?;
        }
        let info = reply.text();
        put(figures(&info, before))?;
        before = Some(field(&info, "total_commands_processed"));
        thread::sleep(interval);
    }
    Ok(())
}

fn figures(info: &str, before: Option<i64>) -> String {
    let keys: i64 = info.lines().filter(|line| line.starts_with("db")).map(keys_of).sum();
    let requests = field(info, "total_commands_processed");
    let requests =
        format!("{requests} (+{})", before.filter(|before| *before != 0).map_or(0, |before| requests - before));
    let children = [("SAVE", "rdb_bgsave_in_progress"), ("AOF", "aof_rewrite_in_progress"), ("LOAD", "loading")];
    let children = children.iter().filter(|(_, name)| field(info, name) > 0).map(|(name, _)| *name);
    format!(
        "{keys:<11}{:<8} {:<8}{:<8}{requests:<19} {:<12}{}\n",
        human(field(info, "used_memory")),
        field(info, "connected_clients"),
        field(info, "blocked_clients"),
        field(info, "total_connections_received"),
        children.collect::<Vec<_>>().join("+"),
    )
}

/// A field of INFO; 0 if there is none.
fn field(info: &str, name: &str) -> i64 {
    let value = info.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
    value.and_then(|value| value.trim().parse().ok()).unwrap_or_default()
}

/// `db0:keys=3,expires=0,avg_ttl=0`
fn keys_of(line: &str) -> i64 {
    let count = line.split_once(":keys=").and_then(|(_, rest)| rest.split(',').next()?.parse().ok());
    count.unwrap_or_default()
}

/// Bytes as people read them.
fn human(bytes: i64) -> String {
    let (sign, size) = (if bytes < 0 { "-" } else { "" }, bytes.unsigned_abs());
    if size < 1024 {
        return format!("{sign}{size}B");
    }
    let (mut value, mut units) = (size as f64 / 1024.0, "KMGTP".chars());
    let mut unit = units.next();
    while value >= 1024.0 {
        value /= 1024.0;
        unit = units.next();
    }
    format!("{sign}{value:.2}{}", unit.unwrap_or('E'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_of_info() {
        let info = "used_memory:1572864\r\nused_memory_rss:9\r\nconnected_clients:3\r\nblocked_clients:1\r\nloading:0\r\n\
                    rdb_bgsave_in_progress:1\r\naof_rewrite_in_progress:1\r\ntotal_commands_processed:70\r\n\
                    total_connections_received:5\r\ndb0:keys=2,expires=0\r\ndb31:keys=5,expires=1\r\n";
        let first = figures(info, None);
        assert_eq!(first, "7          1.50M    3       1       70 (+0)             5           SAVE+AOF\n");
        assert!(figures(info, Some(60)).contains("70 (+10)"));
        // The first request cannot have been the last one: nothing was known before.
        assert!(figures(info, Some(0)).contains("70 (+0)"));
        assert!(figures("loading_start_time:5\r\nloading:1\r\n", None).trim_end().ends_with(" LOAD"));
        assert!(!figures("loading_start_time:5\r\nloading:0\r\n", None).contains("LOAD"));
    }

    #[test]
    fn sizes_for_people() {
        for (bytes, text) in [(0, "0B"), (1023, "1023B"), (1024, "1.00K"), (1 << 20, "1.00M"), (1 << 41, "2.00T")] {
            assert_eq!(human(bytes), text);
        }
    }
}
