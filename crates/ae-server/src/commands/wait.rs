//! WAIT: for replicas to have the client's writes.

use crate::clients::blocked::OnTimeout;
use crate::command::context::Context;
use crate::command::error::Outcome;
use resp::number;

/// There are no replicas, so whoever asks for some waits in vain.
pub fn wait(ctx: &mut Context<'_>) -> Outcome {
    const ACKNOWLEDGED: i64 = 0;
    let wanted = ctx.integer(1)?;
    let timeout = number::parse(ctx.arg(2)).ok_or("ERR timeout is not an integer or out of range")?;
    if timeout < 0 {
        return Err("ERR timeout is negative".into());
    }
    if timeout > i64::MAX - ctx.server.now {
        return Err("ERR timeout is out of range".into());
    }
    if wanted <= ACKNOWLEDGED {
        return ctx.reply_integer(ACKNOWLEDGED);
    }
    ctx.wait_for(std::iter::empty(), timeout, OnTimeout::Integer(ACKNOWLEDGED))
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
            ("WAIT 0 9223372036854775807", "-ERR timeout is out of range"),
            ("MULTI", "+OK"),
            ("WAIT 1 0", "+QUEUED"),
            ("EXEC", "*1 :0"),
        ]);
    }
}
