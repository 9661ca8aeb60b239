//! MEMORY: what memory is used for.

use crate::command::context::Context;
use crate::command::error::{NOT_AN_INTEGER, Outcome, SYNTAX_ERROR};
use crate::observe::doctor;
use crate::observe::memory::Usage;
use resp::number;

/// SAMPLES is checked and makes no difference: values know their size without looking at their elements one by one.
pub fn usage(ctx: &mut Context<'_>) -> Outcome {
    let mut words = ctx.args.from(3);
    while let Some(word) = words.next() {
        if !word.eq_ignore_ascii_case(b"samples") {
            return Err(SYNTAX_ERROR.into());
        }
        let count = words.next().ok_or(SYNTAX_ERROR)?;
        if number::parse(count).ok_or(NOT_AN_INTEGER)? < 0 {
            return Err(SYNTAX_ERROR.into());
        }
    }
    let key = ctx.arg(2);
    match ctx.db().memory(key) {
        Some(bytes) => ctx.reply_count(bytes),
        None => ctx.reply_null(),
    }
}

/// A value of MEMORY STATS.
enum Stat {
    Bytes(i64),
    Ratio(f64),
}

pub fn stats(ctx: &mut Context<'_>) -> Outcome {
    use Stat::{Bytes, Ratio};
    let usage = Usage::of(ctx.server, ctx.client);
    let bytes = |value: u64| Bytes(value as i64);
    let before = [
        ("peak.allocated", bytes(usage.peak)),
        ("total.allocated", bytes(usage.used)),
        ("startup.allocated", bytes(usage.startup)),
        ("replication.backlog", bytes(usage.backlog)),
        ("clients.slaves", bytes(usage.replicas)),
        ("clients.normal", bytes(usage.clients)),
        ("cluster.links", Bytes(0)),
        ("aof.buffer", bytes(ctx.server.log_buffers() as u64)),
        ("lua.caches", bytes(usage.scripts)),
        ("functions.caches", bytes(usage.libraries)),
    ];
    let ratios = |name, difference, (ratio, bytes)| [(name, Ratio(ratio)), (difference, Bytes(bytes))];
    let after = [
        ("overhead.total", bytes(usage.overhead())),
        ("keys.count", bytes(usage.keys)),
        ("keys.bytes-per-key", bytes(usage.bytes_per_key())),
        ("dataset.bytes", bytes(usage.dataset())),
        ("dataset.percentage", Ratio(usage.dataset_percent())),
        ("peak.percentage", Ratio(usage.peak_percent())),
        ("allocator.allocated", bytes(usage.allocator.allocated)),
        ("allocator.active", bytes(usage.allocator.active)),
        ("allocator.resident", bytes(usage.allocator.resident)),
    ];
    let compared = [
        ratios("allocator-fragmentation.ratio", "allocator-fragmentation.bytes", usage.allocator_fragmentation()),
        ratios("allocator-rss.ratio", "allocator-rss.bytes", usage.allocator_rss()),
        ratios("rss-overhead.ratio", "rss-overhead.bytes", usage.rss_overhead()),
        ratios("fragmentation", "fragmentation.bytes", usage.fragmentation()),
    ];
    let mut reply = ctx.reply();
    reply.map(before.len() + usage.tables.len() + after.len() + 2 * compared.len());
    let tables = usage.tables.iter().map(|table| (None, Some(table)));
    let rows = before.into_iter().map(|row| (Some(row), None)).chain(tables);
    let rows = rows.chain(after.into_iter().chain(compared.into_iter().flatten()).map(|row| (Some(row), None)));
    for row in rows {
        match row {
            (Some((name, value)), _) => {
                reply.bulk(name);
                match value {
                    Bytes(bytes) => reply.integer(bytes),
                    Ratio(ratio) => reply.double(ratio.to_string().as_bytes()),
                }
            }
            (None, Some((number, table))) => {
                reply.bulk(format!("db.{number}"));
                reply.map(3);
                for (name, bytes) in [("main", table.main), ("expires", table.deadlines), ("slot-to-keys", 0)] {
                    reply.bulk(format!("overhead.hashtable.{name}"));
                    reply.integer(bytes as i64);
                }
            }
            (None, None) => {}
        }
    }
    Ok(())
}

pub fn doctor(ctx: &mut Context<'_>) -> Outcome {
    let advice = doctor::of_memory(ctx.server, ctx.client);
    ctx.reply_text(advice.as_bytes())
}

pub fn malloc_stats(ctx: &mut Context<'_>) -> Outcome {
    ctx.reply_text(&crate::memory::report())
}

pub fn purge(ctx: &mut Context<'_>) -> Outcome {
    crate::memory::give_back();
    ctx.reply_ok()
}

#[cfg(test)]
mod tests {
    use crate::testing::Session;

    #[test]
    fn usage_grows_with_the_value() {
        let mut session = Session::new();
        let long = "x".repeat(10_000);
        session.expect(&[
            ("SET k v", "+OK"),
            (&format!("SET long {long}"), "+OK"),
            ("MEMORY USAGE none", "$-1"),
            ("MEMORY USAGE k SAMPLES", "-ERR syntax error"),
            ("MEMORY USAGE k x 1", "-ERR syntax error"),
            ("MEMORY USAGE k SAMPLES -1", "-ERR syntax error"),
            ("MEMORY USAGE k SAMPLES x", "-ERR value is not an integer or out of range"),
        ]);
        let mut usage =
            |key: &str| session.run(&format!("MEMORY USAGE {key} SAMPLES 0"))[1..].parse::<usize>().unwrap();
        let (short, long) = (usage("k"), usage("long"));
        assert!((16..200).contains(&short) && (10_000..11_000).contains(&long), "{short} {long}");
    }

    #[test]
    fn statistics_are_a_map() {
        let mut session = Session::new();
        session.expect(&[
            ("SET a 1", "+OK"),
            ("SELECT 2", "+OK"),
            ("SET b 1", "+OK"),
            (
                "HELLO x",
                "-ERR Protocol version \
            is not an integer or out of range",
            ),
        ]);
        let stats = session.run("MEMORY STATS");
        assert!(stats.starts_with("*58 $14 peak.allocated :"), "{stats}");
        assert!(stats.contains("$4 db.0 *6 $23 overhead.hashtable.main :") && stats.contains("$4 db.2 "), "{stats}");
        assert!(stats.contains("$10 keys.count :2 "));
        let of_deadlines = |session: &mut Session| {
            let stats = session.run("MEMORY STATS");
            let found = stats.split("$26 overhead.hashtable.expires :").nth(1).and_then(|rest| rest.split(' ').next());
            found.and_then(|bytes| bytes.parse::<u64>().ok()).unwrap()
        };
        session.run("FLUSHALL");
        session.run("SET k v");
        assert_eq!(of_deadlines(&mut session), 0);
        session.run("EXPIRE k 100");
        assert!(of_deadlines(&mut session) > 0);
        session.run("HELLO 3");
        assert!(session.run("MEMORY STATS").contains("$15 peak.percentage ,"));
    }

    #[test]
    fn the_peak_and_what_the_allocator_holds_are_told() {
        let mut session = Session::new();
        session.server.last_sample.peak_memory = 1 << 50;
        session.server.last_sample.startup_memory = 0;
        session.run("DEBUG POPULATE 1 k 10000000");
        let stats = session.run("MEMORY STATS");
        let of = |name: &str| {
            let value = stats.split(&format!(" {name} ")).nth(1).and_then(|rest| {
                let mut words = rest.split(' ');
                let word = words.next()?;
                // A ratio is text of so many bytes.
                word.strip_prefix(':').or_else(|| words.next())?.parse::<f64>().ok()
            });
            value.unwrap_or_else(|| panic!("{name} in {stats}"))
        };
        assert!(stats.contains(" peak.allocated :1125899906842624 "), "{stats}");
        assert!(of("peak.percentage") < 1.0 && of("dataset.percentage") > 1.0, "{stats}");
        // It has pages for itself, too.
        assert!(of("allocator.resident") > of("allocator.active"), "{stats}");
    }

    #[test]
    fn the_allocator_reports() {
        let mut session = Session::new();
        assert!(session.run("MEMORY MALLOC-STATS").contains("jemalloc statistics"));
        session.expect(&[("MEMORY PURGE", "+OK")]);
        assert!(session.run("MEMORY DOCTOR").starts_with('$'));
    }

    #[test]
    fn what_replicas_and_other_clients_use_is_told_apart() {
        let mut session = Session::new();
        session.run("MSET a 1 b 2 c 3");
        let of = |session: &mut Session, name: &str| {
            let stats = session.run("MEMORY STATS");
            let value = stats.split(&format!(" {name} :")).nth(1).and_then(|rest| rest.split(' ').next());
            value.and_then(|value| value.parse::<usize>().ok()).unwrap_or_else(|| panic!("{name} in {stats}"))
        };
        assert_eq!((of(&mut session, "keys.count"), of(&mut session, "clients.slaves")), (3, 0));
        assert!(of(&mut session, "clients.normal") > 0);
        assert_eq!((of(&mut session, "replication.backlog"), of(&mut session, "aof.buffer")), (0, 0));
        session.replica("REPLCONF capa eof");
        assert!(of(&mut session, "clients.slaves") > 0);
        assert!(of(&mut session, "replication.backlog") > 0);
        session.server.streams.log.bytes.reserve(100_000);
        assert!(of(&mut session, "aof.buffer") >= 100_000);
    }
}
