//! WAIT: for replicas to have the client's writes.

use crate::clients::blocked::OnTimeout;
use crate::command::context::{Context, Wait};
use crate::command::error::Outcome;
use resp::number;

/// Replies with how many replicas have what the client has written so far, as soon as there are enough.
pub fn wait(ctx: &mut Context<'_>) -> Outcome {
    if ctx.server.replication.link.is_some() {
        return Err(
            "ERR WAIT cannot be used with replica instances. Please also note that since Redis 4.0 if a replica \
                    is configured to be writable (which is not the default) writes to replicas are just local and are \
                    not propagated."
                .into(),
        );
    }
    let wanted = ctx.integer(1)?;
    let timeout = number::parse(ctx.arg(2)).ok_or("ERR timeout is not an integer or out of range")?;
    if timeout < 0 {
        return Err("ERR timeout is negative".into());
    }
    let acknowledged = ctx.server.count_acknowledged(ctx.client.write_offset, Some(ctx.client)) as i64;
    if acknowledged >= wanted || ctx.wait == Wait::Never {
        return ctx.reply_integer(acknowledged);
    }
    ctx.server.replication.waiting.push(ctx.client.reference());
    ctx.server.replication.asks_for_acks = true;
    ctx.wait_for(std::iter::empty(), timeout, OnTimeout::Integer(acknowledged))
}

#[cfg(test)]
mod tests {
    use crate::testing::Session;

    #[test]
    fn without_replicas() {
        let mut session = Session::new();
        let mut other = session.other();
        assert_eq!(session.run_as(&mut other, "WAIT 1 100"), "");
        session.wait(99);
        assert_eq!(session.received(&mut other), "");
        session.wait(1);
        assert_eq!(session.received(&mut other), ":0");
        session.expect(&[
            ("WAIT 0 100", ":0"),
            ("WAIT -1 0", ":0"),
            ("WAIT x 0", "-ERR value is not an integer or out of range"),
            ("WAIT 1 x", "-ERR timeout is not an integer or out of range"),
            ("WAIT 1 -1", "-ERR timeout is negative"),
            ("WAIT 0 9223372036854775807", ":0"),
            ("MULTI", "+OK"),
            ("WAIT 1 0", "+QUEUED"),
            ("EXEC", "*1 :0"),
        ]);
    }

    #[test]
    fn for_a_transaction_that_does_not_wait_no_replica_is_asked() {
        let mut session = Session::new();
        let (mut replica, _) = session.replica("REPLCONF capa psync2");
        session.expect(&[("SET k v", "+OK"), ("MULTI", "+OK"), ("WAIT 1 0", "+QUEUED"), ("EXEC", "*1 :0")]);
        session.server.ask_for_acks();
        let told = session.fed(&mut replica);
        assert!(told.contains("$1 k") && !told.contains("GETACK"), "{told}");
    }
}
