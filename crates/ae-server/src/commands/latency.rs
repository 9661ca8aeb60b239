//! LATENCY: pauses of the server, and how long commands take.

use crate::command::context::Context;
use crate::command::error::Outcome;
use crate::observe::{doctor, graph};
use crate::record::commands::Calls;

pub fn latest(ctx: &mut Context<'_>) -> Outcome {
    let Context { server, client, .. } = ctx;
    let latest: Vec<_> =
        server.latencies.iter().filter_map(|(event, found)| Some((event, found, found.last()?))).collect();
    let mut reply = client.reply();
    reply.array(latest.len());
    for (event, history, last) in latest {
        reply.array(4);
        reply.bulk(event);
        reply.integer(last.time);
        reply.integer(last.millis as i64);
        reply.integer(history.longest as i64);
    }
    Ok(())
}

pub fn history(ctx: &mut Context<'_>) -> Outcome {
    let Context { server, client, args, .. } = ctx;
    let mut reply = client.reply();
    let Some(history) = server.latencies.of(&args[2]) else {
        reply.array(0);
        return Ok(());
    };
    reply.array(history.samples().len());
    for sample in history.samples() {
        reply.array(2);
        reply.integer(sample.time);
        reply.integer(sample.millis as i64);
    }
    Ok(())
}

pub fn reset(ctx: &mut Context<'_>) -> Outcome {
    if ctx.args.len() == 2 {
        let count = ctx.server.latencies.forget_all();
        return ctx.reply_count(count);
    }
    let mut count = 0;
    for event in ctx.args.from(2) {
        count += usize::from(ctx.server.latencies.forget(event));
    }
    ctx.reply_count(count)
}

pub fn graph(ctx: &mut Context<'_>) -> Outcome {
    let event = String::from_utf8_lossy(ctx.arg(2)).into_owned();
    let Some(history) = ctx.server.latencies.of(ctx.arg(2)) else {
        return Err(format!("ERR No samples available for event '{event}'").into());
    };
    let drawn = graph::draw(&event, history, ctx.server.now / 1000);
    ctx.reply_text(drawn.as_bytes())
}

pub fn doctor(ctx: &mut Context<'_>) -> Outcome {
    let advice = doctor::of_latency(ctx.server);
    ctx.reply_text(advice.as_bytes())
}

/// How many calls took up to 1, 2, 4 ... microseconds. Of a command with subcommands, those of all.
pub fn histogram(ctx: &mut Context<'_>) -> Outcome {
    let wanted: Vec<&[u8]> = ctx.args.from(2).collect();
    // In the order asked for.
    let mut names: Vec<&'static str> = Vec::new();
    for name in &wanted {
        if let Some(command) = ctx.commands.find_full(name) {
            let own = [command].into_iter().chain(command.subcommands);
            names.extend(own.map(|command| command.spec.full_name));
        }
    }
    let Context { server, client, .. } = ctx;
    let timed = |calls: &Calls| calls.is_timed();
    let calls = &server.stats.calls;
    let found: Vec<_> = if wanted.is_empty() {
        calls.iter().filter(|(_, calls)| timed(calls)).collect()
    } else {
        let named = |name: &&str| calls.iter().find(|(spec, _)| spec.full_name == *name);
        names.iter().filter_map(named).filter(|(_, calls)| timed(calls)).collect()
    };
    let mut reply = client.reply();
    reply.map(found.len());
    for (spec, calls) in found {
        let distribution = calls.distribution();
        reply.bulk(spec.full_name);
        reply.map(2);
        reply.bulk("calls");
        reply.integer(calls.timed() as i64);
        reply.bulk("histogram_usec");
        reply.map(distribution.len());
        for (micros, count) in distribution {
            reply.integer(micros as i64);
            reply.integer(count as i64);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use crate::record::latency::event;
    use crate::testing::Session;
    use std::time::Duration;

    fn with_pauses() -> Session {
        let mut session = Session::new();
        for (event, millis, time) in [
            (event::COMMAND, 300, 1_700_000_000),
            (event::COMMAND, 100, 1_700_000_001),
            (event::EXPIRE_CYCLE, 7, 1_700_000_002),
        ] {
            session.server.latencies.note(event, Duration::from_millis(millis), 1, time * 1000);
        }
        session
    }

    #[test]
    fn pauses_are_listed() {
        with_pauses().expect(&[
            ("LATENCY LATEST", "*2 *4 $7 command :1700000001 :100 :300 *4 $12 expire-cycle :1700000002 :7 :7"),
            ("LATENCY HISTORY command", "*2 *2 :1700000000 :300 *2 :1700000001 :100"),
            ("LATENCY HISTORY nosuch", "*0"),
            ("LATENCY GRAPH nosuch", "-ERR No samples available for event 'nosuch'"),
            ("LATENCY RESET nosuch expire-cycle", ":1"),
            ("LATENCY RESET", ":1"),
            ("LATENCY LATEST", "*0"),
        ]);
        with_pauses().expect(&[("LATENCY RESET", ":2"), ("LATENCY LATEST", "*0"), ("LATENCY RESET", ":0")]);
    }

    #[test]
    fn slow_commands_are_noted() {
        let mut session = Session::new();
        session.expect(&[
            ("DEBUG SLEEP 0.002", "+OK"),
            ("LATENCY LATEST", "*0"),
            ("CONFIG SET latency-monitor-threshold 1", "+OK"),
            ("DEBUG SLEEP 0.002", "+OK"),
        ]);
        assert!(session.run("LATENCY LATEST").starts_with("*1 *4 $7 command :"));
    }

    /// A request that takes long when it is served is not one that its client has just sent.
    #[test]
    fn what_a_request_that_waited_takes_is_an_event_of_its_own() {
        let mut session = Session::new();
        let mut waits = session.other();
        session.run_as(&mut waits, "BLMPOP 0 1 l LEFT COUNT 100000");
        session.expect(&[("CONFIG SET latency-monitor-threshold 1", "+OK")]);
        let elements = std::iter::repeat_n("x".into(), 100_000);
        session.request(&["RPUSH".into(), "l".into()].into_iter().chain(elements).collect::<Vec<_>>());
        assert!(session.received(&mut waits).starts_with("*2 $1 l *100000 $1 x"));
        assert!(session.run("LATENCY HISTORY command-unblocking").starts_with("*1 *2 :"));
    }

    #[test]
    fn distributions() {
        let mut session = Session::new();
        session.expect(&[("SET k v", "+OK"), ("CLIENT ID", ":1"), ("LATENCY HISTOGRAM nosuch", "*0")]);
        let set = session.run("LATENCY HISTOGRAM set get");
        assert!(set.starts_with("*2 $3 set *4 $5 calls :1 $14 histogram_usec *2 :") && set.ends_with(" :1"), "{set}");
        // A command stands for its subcommands, and can be one.
        for name in ["client", "client|id"] {
            let calls = session.run(&format!("LATENCY HISTOGRAM {name}"));
            assert!(calls.starts_with("*2 $9 client|id *4 $5 calls :1 "), "{calls}");
        }
        assert!(session.run("LATENCY HISTOGRAM").starts_with("*"));
    }

    #[test]
    fn a_request_is_timed_when_it_is_served_not_when_it_begins_to_wait() {
        let mut session = Session::new();
        let mut other = session.other();
        session.run_as(&mut other, "BLPOP l 0");
        session.expect(&[("LATENCY HISTOGRAM blpop", "*0"), ("RPUSH l a", ":1")]);
        assert!(session.run("LATENCY HISTOGRAM blpop").starts_with("*2 $5 blpop *4 $5 calls :1 "));
    }

    #[test]
    fn a_graph_has_a_column_for_each_pause() {
        let mut session = with_pauses();
        session.server.now = 1_700_000_065_000;
        let graph = session.run("LATENCY GRAPH command");
        let title = "command - high 300 ms, low 100 ms (all time high 300 ms)";
        assert!(graph.contains(title) && graph.contains("\n11\nmm\n"), "{graph}");
    }

    #[test]
    fn only_what_was_timed_is_in_a_distribution() {
        let mut session = Session::new();
        session.expect(&[
            ("CONFIG SET latency-tracking no", "+OK"),
            ("SET k v", "+OK"),
            ("LATENCY HISTOGRAM set", "*0"),
            ("CONFIG SET latency-tracking yes", "+OK"),
            ("SET k v", "+OK"),
        ]);
        assert!(session.run("LATENCY HISTOGRAM set").starts_with("*2 $3 set *4 $5 calls :1 $14 histogram_usec *2 "));
        session.run("HELLO 3");
        let all = session.run("LATENCY HISTOGRAM set nosuch hello");
        assert!(all.starts_with("%2 $3 set %2 $5 calls :1 $14 histogram_usec %1 :"), "{all}");
    }
}
