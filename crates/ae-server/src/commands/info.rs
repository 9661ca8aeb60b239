//! INFO: the state of the server. What its sections say is in [`observe::info`](crate::observe::info).

use crate::command::context::Context;
use crate::command::error::Outcome;
use crate::observe::info::SECTIONS;
use std::fmt::Write;

pub fn info(ctx: &mut Context<'_>) -> Outcome {
    let all = ctx
        .args
        .from(1)
        .any(|word| ["default", "all", "everything"].iter().any(|name| word.eq_ignore_ascii_case(name.as_bytes())));
    let mut text = String::new();
    for (name, write) in SECTIONS {
        let asked_for = ctx.args.from(1).any(|word| word.eq_ignore_ascii_case(name.as_bytes()));
        if all || asked_for || ctx.args.len() == 1 {
            if !text.is_empty() {
                text.push_str("\r\n");
            }
            let _ = write!(text, "# {name}\r\n");
            write(ctx.server, &mut text);
        }
    }
    ctx.reply_text(text.as_bytes())
}

#[cfg(test)]
mod tests {
    use crate::testing::Session;

    #[test]
    fn sections() {
        let mut session = Session::new();
        let all = session.run("INFO");
        for name in ["Server", "Clients", "Memory", "Stats", "Replication", "CPU", "Keyspace"] {
            assert!(all.contains(&format!("# {name} ")) || all.ends_with(&format!("# {name}")), "{name} in {all}");
        }
        assert_eq!(session.run("INFO everything").matches("# ").count(), 9);
        let some = session.run("INFO clients CPU nosuch");
        assert!(some.contains("# Clients") && some.contains("# CPU") && !some.contains("# Server"));
        assert_eq!(session.run("INFO nosuch"), "$0 ");
    }

    #[test]
    fn real_values() {
        let mut session = Session::new();
        session.expect(&[("SET a 1", "+OK"), ("SET b 1 PX 2000", "+OK"), ("GET a", "$1 1"), ("GET none", "$-1")]);
        assert!(session.run("INFO keyspace").contains("db0:keys=2,expires=1,avg_ttl=2000"));
        let stats = session.run("INFO stats");
        for line in ["keyspace_hits:1", "keyspace_misses:1", "total_commands_processed:6", "expired_keys:0"] {
            assert!(stats.contains(line), "{line} in {stats}");
        }
        session.wait(2000);
        session.run("GET b");
        assert!(session.run("INFO stats").contains("expired_keys:1"));
        assert!(!session.run("INFO memory").contains("used_memory:0 "));
    }
}
