//! SUBSCRIBE, PUBLISH and their relatives, PUBSUB.

use crate::clients::subscriptions::{Kind, Name};
use crate::command::context::{Context, Wait};
use crate::command::error::Outcome;
use crate::db::effects::Concerns;
use crate::glob::{Case, matches};

pub fn subscribe(ctx: &mut Context<'_>) -> Outcome {
    subscribe_to(ctx, Kind::Channel, "subscribe")
}

pub fn psubscribe(ctx: &mut Context<'_>) -> Outcome {
    subscribe_to(ctx, Kind::Pattern, "psubscribe")
}

pub fn ssubscribe(ctx: &mut Context<'_>) -> Outcome {
    // Not in a transaction, where SUBSCRIBE may be.
    if ctx.wait == Wait::Never {
        return Err("ERR SSUBSCRIBE isn't allowed for a DENY BLOCKING client".into());
    }
    subscribe_to(ctx, Kind::Shard, "ssubscribe")
}

fn subscribe_to(ctx: &mut Context<'_>, kind: Kind, word: &str) -> Outcome {
    for name in ctx.args.from(1) {
        ctx.server.channels.subscribe(ctx.client, kind, name);
        confirm(ctx, kind, word, Some(name));
    }
    Ok(())
}

pub fn unsubscribe(ctx: &mut Context<'_>) -> Outcome {
    unsubscribe_from(ctx, Kind::Channel, "unsubscribe")
}

pub fn punsubscribe(ctx: &mut Context<'_>) -> Outcome {
    unsubscribe_from(ctx, Kind::Pattern, "punsubscribe")
}

pub fn sunsubscribe(ctx: &mut Context<'_>) -> Outcome {
    unsubscribe_from(ctx, Kind::Shard, "sunsubscribe")
}

/// From what is named, or from everything.
fn unsubscribe_from(ctx: &mut Context<'_>, kind: Kind, word: &str) -> Outcome {
    let mut names: Vec<Name> = ctx.args.from(1).map(Name::from).collect();
    if names.is_empty() {
        names = ctx.client.subscriptions.as_ref().map(|own| own.in_order(kind)).unwrap_or_default();
    }
    if names.is_empty() {
        confirm(ctx, kind, word, None);
    }
    for name in names {
        ctx.server.channels.unsubscribe(ctx.client, kind, &name);
        confirm(ctx, kind, word, Some(&name));
    }
    Ok(())
}

fn confirm(ctx: &mut Context<'_>, kind: Kind, word: &str, name: Option<&[u8]>) {
    let count = ctx.client.subscriptions.as_ref().map_or(0, |own| own.count(kind));
    let mut reply = ctx.reply();
    reply.push(3);
    reply.bulk(word);
    match name {
        Some(name) => reply.bulk(name),
        None => reply.null(),
    }
    reply.count(count);
}

pub fn publish(ctx: &mut Context<'_>) -> Outcome {
    publish_on(ctx, Kind::Channel)
}

pub fn spublish(ctx: &mut Context<'_>) -> Outcome {
    publish_on(ctx, Kind::Shard)
}

fn publish_on(ctx: &mut Context<'_>, kind: Kind) -> Outcome {
    let (channel, message) = (ctx.arg(1), ctx.arg(2));
    if ctx.server.has_news() {
        ctx.server.tell_news_so_far(ctx.client);
    }
    let received = ctx.server.publish(Some(ctx.client), kind, channel, message);
    ctx.tell_request(Concerns::ReplicasOnly);
    ctx.reply_count(received)
}

pub fn pubsub_channels(ctx: &mut Context<'_>) -> Outcome {
    list(ctx, Kind::Channel)
}

pub fn pubsub_shardchannels(ctx: &mut Context<'_>) -> Outcome {
    list(ctx, Kind::Shard)
}

/// The channels that somebody has subscribed to, by pattern.
fn list(ctx: &mut Context<'_>, kind: Kind) -> Outcome {
    if ctx.args.len() > 3 {
        return Err(ctx.wrong_subcommand());
    }
    let pattern = ctx.args.get(2);
    let wanted = |name: &Name| pattern.is_none_or(|pattern| matches(pattern, name, Case::Sensitive));
    let names: Vec<Name> = ctx.server.channels.names(kind).filter(|name| wanted(name)).cloned().collect();
    ctx.reply().strings(&names);
    Ok(())
}

pub fn pubsub_numsub(ctx: &mut Context<'_>) -> Outcome {
    count_subscribers(ctx, Kind::Channel)
}

pub fn pubsub_shardnumsub(ctx: &mut Context<'_>) -> Outcome {
    count_subscribers(ctx, Kind::Shard)
}

fn count_subscribers(ctx: &mut Context<'_>, kind: Kind) -> Outcome {
    let names = ctx.args.from(2);
    let counts: Vec<usize> = names.clone().map(|name| ctx.server.channels.subscribers(kind, name).len()).collect();
    let mut reply = ctx.reply();
    reply.array(2 * counts.len());
    for (name, count) in names.zip(counts) {
        reply.bulk(name);
        reply.count(count);
    }
    Ok(())
}

pub fn pubsub_numpat(ctx: &mut Context<'_>) -> Outcome {
    ctx.reply_count(ctx.server.channels.count(Kind::Pattern))
}

#[cfg(test)]
mod tests {
    use crate::config::events::Events;
    use crate::testing::Session;

    #[test]
    fn messages_reach_those_who_have_subscribed() {
        let mut session = Session::new();
        let (mut one, mut other) = (session.other(), session.other());
        assert_eq!(session.run_as(&mut one, "SUBSCRIBE a b"), "*3 $9 subscribe $1 a :1 *3 $9 subscribe $1 b :2");
        assert_eq!(session.run_as(&mut other, "PSUBSCRIBE ?"), "*3 $10 psubscribe $1 ? :1");
        session.expect(&[
            ("PUBLISH a hi", ":2"),
            ("PUBLISH long hi", ":0"),
            ("SPUBLISH a hi", ":0"),
            ("PUBSUB CHANNELS a*", "*1 $1 a"),
            ("PUBSUB NUMSUB a x", "*4 $1 a :1 $1 x :0"),
            ("PUBSUB NUMPAT", ":1"),
        ]);
        assert_eq!(session.received(&mut one), "*3 $7 message $1 a $2 hi");
        assert_eq!(session.received(&mut other), "*4 $8 pmessage $1 ? $1 a $2 hi");
        assert_eq!(session.run_as(&mut one, "UNSUBSCRIBE"), "*3 $11 unsubscribe $1 a :1 *3 $11 unsubscribe $1 b :0");
        session.expect(&[("PUBLISH a hi", ":1"), ("PUBSUB CHANNELS", "*0")]);
        assert_eq!(session.received(&mut one), "");
    }

    /// Whoever gets the message may look at once.
    #[test]
    fn what_has_changed_is_told_before_a_message_of_the_same_transaction() {
        let mut session = Session::new();
        session.run("CONFIG SET notify-keyspace-events K$");
        let (mut listener, mut reader) = (session.other(), session.other());
        session.run_as(&mut listener, "SUBSCRIBE __keyspace@0__:k c");
        for line in ["HELLO 3", "SUBSCRIBE c", "CLIENT TRACKING ON", "GET k"] {
            session.run_as(&mut reader, line);
        }
        session.expect(&[("MULTI", "+OK"), ("SET k v", "+QUEUED"), ("PUBLISH c hi", "+QUEUED"), ("EXEC", "*2 +OK :2")]);
        let told = "*3 $7 message $16 __keyspace@0__:k $3 set *3 $7 message $1 c $2 hi";
        assert_eq!(session.received(&mut listener), told);
        assert_eq!(session.received(&mut reader), ">2 $10 invalidate *1 $1 k >3 $7 message $1 c $2 hi");
    }

    #[test]
    fn channels_of_shards_are_others() {
        let mut session = Session::new();
        let (mut one, mut other) = (session.other(), session.other());
        session.run_as(&mut one, "SUBSCRIBE a");
        session.run_as(&mut other, "SSUBSCRIBE s");
        session.expect(&[
            ("PUBSUB CHANNELS", "*1 $1 a"),
            ("PUBSUB SHARDCHANNELS", "*1 $1 s"),
            ("PUBSUB NUMSUB a s", "*4 $1 a :1 $1 s :0"),
            ("PUBSUB SHARDNUMSUB a s", "*4 $1 a :0 $1 s :1"),
            ("PUBLISH s hi", ":0"),
            ("SPUBLISH s hi", ":1"),
        ]);
        assert_eq!(session.received(&mut other), "*3 $8 smessage $1 s $2 hi");
    }

    #[test]
    fn subscriptions_end_in_the_order_in_which_they_began() {
        let mut session = Session::new();
        session.run("PSUBSCRIBE b* a* c*");
        session.run("PUNSUBSCRIBE b*");
        session.run("PSUBSCRIBE b* a*");
        session.expect(&[(
            "PUNSUBSCRIBE",
            "*3 $12 punsubscribe $2 a* :2 *3 $12 punsubscribe $2 c* :1 *3 $12 punsubscribe $2 b* :0",
        )]);
    }

    #[test]
    fn own_messages_come_without_replies_too() {
        let mut session = Session::new();
        session.run("HELLO 3");
        session.expect(&[
            ("SUBSCRIBE c", ">3 $9 subscribe $1 c :1"),
            ("CLIENT REPLY OFF", ""),
            ("PUBLISH c hi", ">3 $7 message $1 c $2 hi"),
            ("PING", ""),
            ("CLIENT REPLY ON", "+OK"),
            ("CLIENT REPLY SKIP", ""),
            ("PUBLISH c hi", ">3 $7 message $1 c $2 hi"),
        ]);
        session.expect(&[("PUBLISH c hi", ">3 $7 message $1 c $2 hi :1")]);
    }

    /// A script has a protocol of its own, in which its commands reply.
    #[test]
    fn messages_of_a_script_come_in_the_protocol_of_the_client() {
        let mut session = Session::new();
        let mut client = session.other();
        session.run_as(&mut client, "HELLO 3");
        session.run_as(&mut client, "SUBSCRIBE c");
        let calls = b"redis.call('PUBLISH', 'c', 'hi')".to_vec();
        let reply = session.request_as(&mut client, &[b"EVAL".to_vec(), calls, b"0".to_vec()]);
        assert_eq!(String::from_utf8(reply).unwrap(), ">3\r\n$7\r\nmessage\r\n$1\r\nc\r\n$2\r\nhi\r\n_\r\n");
        session.run_as(&mut client, "HELLO 2");
        session.expect(&[("PUBLISH c hi", ":1")]);
        assert_eq!(session.received(&mut client), "*3 $7 message $1 c $2 hi");
    }

    #[test]
    fn in_resp2_a_subscriber_can_do_little_else() {
        let refused = "-ERR Can't execute 'get': only (P|S)SUBSCRIBE / (P|S)UNSUBSCRIBE / PING / QUIT / RESET are \
                       allowed in this context";
        Session::new().expect(&[
            ("UNSUBSCRIBE", "*3 $11 unsubscribe $-1 :0"),
            ("SSUBSCRIBE s", "*3 $10 ssubscribe $1 s :1"),
            ("SUBSCRIBE a", "*3 $9 subscribe $1 a :1"),
            ("GET k", refused),
            ("PING", "*2 $4 pong $0 "),
            ("PING x", "*2 $4 pong $1 x"),
            ("RESET", "+RESET"),
            ("PUBSUB SHARDCHANNELS", "*0"),
            ("GET k", "$-1"),
        ]);
    }

    #[test]
    fn in_a_transaction_only_shard_channels_are_refused() {
        Session::new().expect(&[
            ("MULTI", "+OK"),
            ("SSUBSCRIBE s", "+QUEUED"),
            ("SUBSCRIBE a", "+QUEUED"),
            ("EXEC", "*2 -ERR SSUBSCRIBE isn't allowed for a DENY BLOCKING client *3 $9 subscribe $1 a :1"),
        ]);
    }

    #[test]
    fn in_resp3_it_can_do_everything() {
        let mut session = Session::new();
        session.run("HELLO 3");
        session.expect(&[
            ("SUBSCRIBE a", ">3 $9 subscribe $1 a :1"),
            ("PUBLISH a hi", ">3 $7 message $1 a $2 hi :1"),
            ("PING", "+PONG"),
        ]);
    }

    #[test]
    fn channels_are_told_of_events() {
        let mut session = Session::new();
        let mut other = session.other();
        session.server.databases.observers.set_events(Events::parse(b"KEA").unwrap());
        session.run_as(&mut other, "PSUBSCRIBE *");
        session.expect(&[("SET k v PX 100", "+OK")]);
        let received = session.received(&mut other);
        for part in ["__keyspace@0__:k $3 set", "__keyevent@0__:set $1 k", "__keyevent@0__:expire $1 k"] {
            assert!(received.contains(part), "{part} in {received}");
        }
        session.wait(101);
        session.expect(&[("GET k", "$-1")]);
        assert!(session.received(&mut other).contains("__keyevent@0__:expired $1 k"));
    }

    #[test]
    fn who_stays_still_gets_what_is_published() {
        let mut session = Session::new();
        let (mut one, mut other) = (session.other(), session.other());
        for line in ["SUBSCRIBE c", "PSUBSCRIBE c*", "SSUBSCRIBE c"] {
            session.run_as(&mut one, line);
            session.run_as(&mut other, line);
        }
        for line in ["UNSUBSCRIBE c", "PUNSUBSCRIBE c*", "SUNSUBSCRIBE c"] {
            session.run_as(&mut one, line);
        }
        session.expect(&[("PUBLISH c m", ":2"), ("SPUBLISH c m", ":1"), ("PUBSUB NUMPAT", ":1")]);
        assert_eq!(session.received(&mut one), "");
        assert_eq!(
            session.received(&mut other),
            "*3 $7 message $1 c $1 m *4 $8 pmessage $2 c* $1 c $1 m *3 $8 smessage $1 c $1 m"
        );
        assert_eq!(session.server.clients.queue.get(0), Some(other.fd), "it is written to");
    }

    #[test]
    fn questions_are_checked() {
        let wrong = "-ERR unknown subcommand or wrong number of arguments for 'CHANNELS'. Try PUBSUB HELP.";
        Session::new().expect(&[("PUBSUB CHANNELS a b", wrong)]);
    }

    #[test]
    fn channels_are_found_by_a_pattern_in_their_own_case() {
        let mut session = Session::new();
        let mut other = session.other();
        session.run_as(&mut other, "SUBSCRIBE news");
        session.expect(&[("PUBSUB CHANNELS n*", "*1 $4 news"), ("PUBSUB CHANNELS N*", "*0")]);
    }

    #[test]
    fn a_subscriber_s_ping_has_one_argument_at_most() {
        Session::new().expect(&[
            ("SUBSCRIBE c", "*3 $9 subscribe $1 c :1"),
            ("PING", "*2 $4 pong $0 "),
            ("PING a", "*2 $4 pong $1 a"),
            ("PING a b", "-ERR wrong number of arguments for 'ping' command"),
        ]);
    }
}
