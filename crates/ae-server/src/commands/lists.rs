//! Lists: pushing and popping.

use crate::clients::blocked::OnTimeout;
use crate::command::context::Context;
use crate::command::error::Outcome;
use crate::db::event::Event;
use store::types::list::{End, List};

pub fn lpush(ctx: &mut Context<'_>) -> Outcome {
    push(ctx, End::Head)
}

pub fn rpush(ctx: &mut Context<'_>) -> Outcome {
    push(ctx, End::Tail)
}

fn push(ctx: &mut Context<'_>, end: End) -> Outcome {
    let (key, elements, limits) = (ctx.arg(1), ctx.args.from(2), ctx.limits().list);
    let event = Event::list(if end == End::Head { "lpush" } else { "rpush" });
    let mut list = ctx.db().edit_or_create::<List>(key, event)?;
    list.changes(elements.len());
    elements.for_each(|element| list.push(end, element, limits));
    let len = list.len();
    drop(list);
    ctx.reply_count(len)
}

pub fn blpop(ctx: &mut Context<'_>) -> Outcome {
    pop_or_wait(ctx, End::Head)
}

pub fn brpop(ctx: &mut Context<'_>) -> Outcome {
    pop_or_wait(ctx, End::Tail)
}

/// Pops from the first of the lists that is there. The last argument says how long to wait for one.
fn pop_or_wait(ctx: &mut Context<'_>, end: End) -> Outcome {
    let timeout = ctx.timeout(ctx.args.len() - 1)?;
    let event = Event::list(if end == End::Head { "lpop" } else { "rpop" });
    let keys = ctx.args.from(1).take(ctx.args.len() - 2);
    for key in keys.clone() {
        let (db, mut reply) = ctx.split();
        if let Some(mut list) = db.edit::<List>(key, event)? {
            reply.array(2);
            reply.bulk(key);
            list.pop(end, |element| reply.element(element));
            return Ok(());
        }
    }
    ctx.wait_for(keys, timeout, OnTimeout::NullArray)
}

#[cfg(test)]
mod tests {
    use crate::testing::Session;

    #[test]
    fn whoever_waits_longest_is_served_first() {
        let mut session = Session::new();
        let (mut first, mut second) = (session.other(), session.other());
        session.run_as(&mut first, "BLPOP a b 0");
        session.run_as(&mut second, "BRPOP b 0.5");
        session.expect(&[("RPUSH b 1 2 3", ":3"), ("LPUSH b x", ":2")]);
        assert_eq!(session.received(&mut first), "*2 $1 b $1 1");
        assert_eq!(session.received(&mut second), "*2 $1 b $1 3");
    }

    #[test]
    fn a_wait_ends() {
        let mut session = Session::new();
        let mut other = session.other();
        session.run_as(&mut other, "BLPOP k 0.5");
        session.wait(499);
        assert_eq!(session.received(&mut other), "");
        session.wait(1);
        assert_eq!(session.received(&mut other), "*-1");
        session.expect(&[("RPUSH k 1", ":1")]);
        assert_eq!(session.received(&mut other), "");
    }

    #[test]
    fn a_transaction_does_not_wait_and_wakes_others_at_its_end() {
        let mut session = Session::new();
        let mut other = session.other();
        session.run_as(&mut other, "BLPOP k 0");
        session.expect(&[
            ("MULTI", "+OK"),
            ("BLPOP none 0", "+QUEUED"),
            ("RPUSH k 1", "+QUEUED"),
            ("LPUSH k 2", "+QUEUED"),
            ("EXEC", "*3 *-1 :1 :2"),
        ]);
        assert_eq!(session.received(&mut other), "*2 $1 k $1 2");
    }

    #[test]
    fn timeouts_are_checked() {
        Session::new().expect(&[
            ("BLPOP k x", "-ERR timeout is not a float or out of range"),
            ("BLPOP k -1", "-ERR timeout is negative"),
            ("BLPOP k 1e300", "-ERR timeout is out of range"),
        ]);
    }
}
