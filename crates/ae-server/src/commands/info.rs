//! INFO: the state of the server. What its sections say is in [`observe::info`](crate::observe::info).

use crate::command::context::Context;
use crate::command::error::Outcome;
use crate::observe::info::{SECTIONS, Section};
use std::fmt::Write;

pub fn info(ctx: &mut Context<'_>) -> Outcome {
    let asked = |word: &str| ctx.args.from(1).any(|arg| arg.eq_ignore_ascii_case(word.as_bytes()));
    let all = asked("all") || asked("everything");
    let default = ctx.args.len() == 1 || asked("default");
    let wanted = |section: &&Section| all || (default && section.by_default) || asked(section.name);
    let mut text = String::new();
    for Section { name, write, .. } in SECTIONS.iter().filter(wanted) {
        if !text.is_empty() {
            text.push_str("\r\n");
        }
        let _ = write!(text, "# {name}\r\n");
        write(ctx.server, ctx.client, &mut text);
    }
    ctx.reply_text(text.as_bytes())
}

#[cfg(test)]
mod tests {
    use crate::clients::input::Input;
    use crate::testing::Session;
    use resp::RequestParser;

    #[test]
    fn sections() {
        let mut session = Session::new();
        assert_eq!(session.run("INFO").matches("# ").count(), 11);
        assert_eq!(session.run("INFO default").matches("# ").count(), 11);
        assert_eq!(session.run("INFO everything").matches("# ").count(), 13);
        let all = session.run("INFO ALL");
        for name in
            ["Server", "Clients", "Memory", "Stats", "Replication", "CPU", "Modules", "Commandstats", "Keyspace"]
        {
            assert!(all.contains(&format!("# {name}")), "{name} in {all}");
        }
        let some = session.run("INFO clients CPU nosuch");
        assert!(some.contains("# Clients") && some.contains("# CPU") && !some.contains("# Server"));
        assert_eq!(session.run("INFO nosuch"), "$0 ");
        let more = session.run("INFO default commandstats");
        assert!(more.contains("# Commandstats") && more.contains("# Server") && !more.contains("# Latencystats"));
    }

    #[test]
    fn replicas_are_no_clients() {
        let mut session = Session::new();
        let mut connected = |connect: fn(&mut Session)| {
            connect(&mut session);
            session.number("connected_clients")
        };
        let before = connected(|_| {});
        assert_eq!(connected(|session| _ = session.other()), before + 1);
        assert_eq!(connected(|session| _ = session.replica("REPLCONF capa eof")), before + 1);
    }

    #[test]
    fn real_values() {
        let mut session = Session::new();
        session.expect(&[("SET a 1", "+OK"), ("SET b 1 PX 2000", "+OK"), ("GET a", "$1 1"), ("GET none", "$-1")]);
        assert!(session.run("INFO keyspace").contains("db0:keys=2,expires=1,avg_ttl=2000"));
        let stats = session.run("INFO stats");
        for line in ["keyspace_hits:1", "keyspace_misses:1", "total_commands_processed:5", "expired_keys:0"] {
            assert!(stats.contains(line), "{line} in {stats}");
        }
        assert_eq!(session.info("rdb_changes_since_last_save"), "2");
        session.wait(2001);
        session.run("GET b");
        assert_eq!(session.info("expired_keys"), "1");
        assert!(!session.run("INFO memory").contains("used_memory:0 "));
        assert_eq!(session.info("blocked_clients"), "0");
        let mut other = session.other();
        session.run_as(&mut other, "BLPOP list 10");
        assert!(
            session.run("INFO clients").contains("blocked_clients:1 tracking_clients:0 clients_in_timeout_table:1")
        );
    }

    #[test]
    fn calls_and_errors_are_counted() {
        let mut session = Session::new();
        session.expect(&[
            ("LPUSH l a", ":1"),
            ("GET l", "-WRONGTYPE Operation against a key holding the wrong kind of value"),
            ("GET", "-ERR wrong number of arguments for 'get' command"),
            ("NOSUCH", "-ERR unknown command 'NOSUCH', with args beginning with: "),
            ("CONFIG", "-ERR wrong number of arguments for 'config' command"),
            ("CONFIG NOSUCH", "-ERR unknown subcommand 'NOSUCH'. Try CONFIG HELP."),
            ("MULTI", "+OK"),
            ("INCR l", "+QUEUED"),
            ("CLIENT ID", "+QUEUED"),
            ("EXEC", "*2 -WRONGTYPE Operation against a key holding the wrong kind of value :1"),
        ]);
        assert_eq!(
            session.run("INFO errorstats"),
            "$66 # Errorstats errorstat_ERR:count=4 errorstat_WRONGTYPE:count=2 "
        );
        let calls = session.run("INFO commandstats");
        let counts = |name: &str| {
            let line = calls.split(' ').find_map(|line| line.strip_prefix(&format!("cmdstat_{name}:"))).expect(name);
            let counted = |part: &&str| !part.starts_with("usec");
            line.split(',').filter(counted).collect::<Vec<_>>().join(",")
        };
        for (name, expected) in [
            ("get", "calls=1,rejected_calls=1,failed_calls=1"),
            ("config", "calls=0,rejected_calls=1,failed_calls=0"),
            ("client|id", "calls=1,rejected_calls=0,failed_calls=0"),
            ("incr", "calls=1,rejected_calls=0,failed_calls=1"),
            ("exec", "calls=1,rejected_calls=0,failed_calls=0"),
        ] {
            assert_eq!(counts(name), expected, "{name} in {calls}");
        }
        session.expect(&[("CONFIG SET latency-tracking-info-percentiles \"50 100\"", "+OK")]);
        let times = session.run("INFO latencystats");
        assert!(times.contains("latency_percentiles_usec_client|id:p50=") && times.contains(",p100="), "{times}");
        session.expect(&[("CONFIG SET latency-tracking no", "+OK"), ("INFO latencystats", "$16 # Latencystats ")]);
        session.expect(&[("CONFIG RESETSTAT", "+OK"), ("INFO errorstats", "$14 # Errorstats ")]);
        let calls = session.run("INFO commandstats");
        assert!(calls.contains("cmdstat_config|resetstat:calls=1") && !calls.contains("cmdstat_get"), "{calls}");
    }

    #[test]
    fn a_client_that_is_paused_is_blocked() {
        let mut session = Session::new();
        let mut other = session.other();
        session.expect(&[("CLIENT PAUSE 100000 WRITE", "+OK")]);
        session.run_as(&mut other, "SET k v");
        assert_eq!(session.info("blocked_clients"), "1");
        session.expect(&[("CLIENT UNPAUSE", "+OK")]);
    }

    #[test]
    fn before_anything_has_happened() {
        let mut session = Session::new();
        (session.server.stats.reads, session.server.stats.writes) = (3, 7);
        let stats = session.run("INFO stats");
        assert!(stats.contains("total_reads_processed:3") && stats.contains("total_writes_processed:7"), "{stats}");
        assert_eq!(session.info("aof_last_bgrewrite_status"), "ok");
        for (lag, told) in [("10", true), ("1", true), ("0", false)] {
            session.expect(&[("CONFIG SET min-replicas-to-write 1", "+OK")]);
            session.expect(&[(&format!("CONFIG SET min-replicas-max-lag {lag}"), "+OK")]);
            assert_eq!(session.run("INFO replication").contains("min_slaves_good_slaves:0"), told);
        }
    }

    #[test]
    fn what_clients_have_sent_of_their_requests_takes_memory() {
        let mut session = Session::new();
        let others = [session.other(), session.other()];
        assert_eq!(session.number("client_recent_max_input_buffer"), 0);
        for (client, len) in others.into_iter().zip([1000, 10]) {
            let mut input = Input::new(RequestParser::new(), &vec![b'x'; len]);
            // There is room for more.
            input.push(b"y");
            session.server.clients.get_same(client).unwrap().input = Some(Box::new(input));
        }
        assert_eq!(session.number("client_recent_max_input_buffer"), 2000);
    }

    #[test]
    fn a_waiting_request_is_one_call() {
        let mut session = Session::new();
        let mut other = session.other();
        session.run_as(&mut other, "BLPOP l 0");
        session.run("RPUSH l a");
        assert_eq!(session.received(&mut other), "*2 $1 l $1 a");
        let calls = session.run("INFO commandstats");
        assert!(calls.contains("cmdstat_blpop:calls=1,"), "{calls}");
    }

    #[test]
    fn in_resp3_it_is_a_text() {
        let mut session = Session::new();
        session.run("HELLO 3");
        assert!(session.run("INFO cluster").starts_with("=34 txt:# Cluster cluster_enabled:0"));
    }
}
