//! MONITOR: the client sees every request from now on.

use crate::command::context::{Context, Wait};
use crate::command::error::Outcome;

pub fn monitor(ctx: &mut Context<'_>) -> Outcome {
    if ctx.wait == Wait::Never {
        // A transaction's replies have a number.
        return Err("ERR MONITOR isn't allowed for DENY BLOCKING client".into());
    }
    if ctx.client.monitors {
        return Ok(());
    }
    ctx.client.monitors = true;
    ctx.server.monitors.push(ctx.client.reference());
    ctx.reply_ok()
}

#[cfg(test)]
mod tests {
    use crate::testing::Session;

    #[test]
    fn requests_are_shown() {
        let mut session = Session::new();
        let mut watcher = session.other();
        assert_eq!(session.run_as(&mut watcher, "MONITOR"), "+OK");
        session.expect(&[
            ("SET k \"a\\tb\\x00\\\"\"", "+OK"),
            ("CONFIG GET port", "*2 $4 port $4 6379"),
            ("AUTH default secret", "+OK"),
            ("GET", "-ERR wrong number of arguments for 'get' command"),
            ("SELECT 3", "+OK"),
            ("MULTI", "+OK"),
            ("MONITOR", "+QUEUED"),
            ("EXEC", "*1 -ERR MONITOR isn't allowed for DENY BLOCKING client"),
        ]);
        let received = session.received(&mut watcher);
        let shown: Vec<&str> = received.split('+').skip(1).map(|line| line.trim().split_once(' ').unwrap().1).collect();
        assert_eq!(
            shown,
            [
                "[0 ?:0] \"SET\" \"k\" \"a\\tb\\x00\\\"\"",
                "[0 ?:0] \"AUTH\" \"(redacted)\" \"(redacted)\"",
                "[3 ?:0] \"SELECT\" \"3\"",
                "[3 ?:0] \"MULTI\"",
                "[3 ?:0] \"EXEC\"",
            ]
        );
        let time = received[1..].split_once(' ').unwrap().0;
        assert!(time.len() == 17 && time.split_once('.').unwrap().1.len() == 6, "{time}");
    }

    #[test]
    fn who_watches_does_nothing_else() {
        let mut session = Session::new();
        let mut watcher = session.other();
        session.run_as(&mut watcher, "MONITOR");
        // Whoever watches sees its own requests too.
        assert!(session.run_as(&mut watcher, "PING").starts_with("+PONG +"));
        let refused = "-ERR Replica can't interact with the keyspace";
        assert_eq!(session.run_as(&mut watcher, "SET k v"), refused);
        assert_eq!(session.run_as(&mut watcher, "GET k"), refused);
        assert_eq!(session.run_as(&mut watcher, "PUBLISH c m"), refused);
        assert!(session.run_as(&mut watcher, "MONITOR").is_empty());
        assert!(session.run("CLIENT LIST").contains(" flags=O "));
        assert_eq!(session.run_as(&mut watcher, "RESET").split(' ').next(), Some("+RESET"));
        assert_eq!(session.run_as(&mut watcher, "GET k"), "$-1");
        assert!(session.server.monitors.is_empty());
        session.run_as(&mut watcher, "MONITOR");
        assert_eq!(session.run_as(&mut watcher, "QUIT"), "+OK");
    }

    #[test]
    fn who_wants_no_replies_is_shown_nothing() {
        let mut session = Session::new();
        let mut watcher = session.other();
        session.run_as(&mut watcher, "MONITOR");
        for mode in ["OFF", "SKIP"] {
            session.run_as(&mut watcher, &format!("CLIENT REPLY {mode}"));
            session.received(&mut watcher);
            session.expect(&[("PING", "+PONG")]);
            assert_eq!(session.received(&mut watcher), "", "{mode}");
            session.run_as(&mut watcher, "CLIENT REPLY ON");
            session.expect(&[("PING", "+PONG")]);
            assert!(session.received(&mut watcher).ends_with("\"PING\""), "{mode}");
        }
    }

    #[test]
    fn who_watches_is_written_to() {
        let mut session = Session::new();
        let mut watcher = session.other();
        session.run_as(&mut watcher, "MONITOR");
        session.run("PING");
        assert_eq!(session.server.clients.queue.get(0), Some(watcher.fd));
    }
}
