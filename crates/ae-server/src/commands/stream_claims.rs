//! XCLAIM and XAUTOCLAIM: taking over what is pending for others.

use super::stream_effects::GroupEffects;
use super::stream_entries::{reply_entry, reply_id, reply_ids};
use super::stream_group_reads::CONSUMER_CREATED;
use super::stream_options::{first_id, id, integer_or, no_key_or_group};
use crate::clients::reply::Reply;
use crate::command::context::Context;
use crate::command::error::{Error, Outcome, SYNTAX_ERROR, quoting};
use crate::db::edit::Audience;
use crate::db::event::Event;
use store::types::stream::{ConsumerId, Deliveries, Entry, EntryLog, Group, Id, Pending, Stream};

/// How many pending entries XAUTOCLAIM looks at for each one that it may return.
const ATTEMPTS_PER_ENTRY: i64 = 10;
/// The most that XAUTOCLAIM can be asked for.
const MAX_COUNT: i64 = i64::MAX / 16;

/// A consumer that takes entries over, and how.
struct Claim<'a> {
    name: &'a [u8],
    /// Once it is known to be there.
    consumer: Option<ConsumerId>,
    is_new: bool,
    min_idle: i64,
    now: i64,
    delivered: i64,
    deliveries: Deliveries,
    /// Also what is not pending.
    force: bool,
    just_id: bool,
}

impl<'a> Claim<'a> {
    /// By the consumer that the third argument names.
    fn new(ctx: &Context<'a>, min_idle: i64) -> Claim<'a> {
        let now = ctx.server.now;
        Claim {
            name: ctx.arg(3),
            consumer: None,
            is_new: false,
            min_idle: min_idle.max(0),
            now,
            delivered: now,
            deliveries: Deliveries::Increment,
            force: false,
            just_id: false,
        }
    }

    fn set_just_id(&mut self) {
        self.just_id = true;
        self.deliveries = Deliveries::Keep;
    }

    fn is_idle_enough(&self, pending: &Pending) -> bool {
        self.min_idle == 0 || self.now.saturating_sub(pending.delivered) >= self.min_idle
    }

    /// Takes an entry over, if it may. The consumer is created when it gets its first one.
    fn take(&mut self, group: &mut Group, id: Id) -> bool {
        let may = group.pending(id).map_or(self.force, |pending| self.is_idle_enough(pending));
        if !may {
            return false;
        }
        let consumer = self.consumer.unwrap_or_else(|| {
            let (consumer, is_new) = group.create_consumer(self.name, self.now);
            group.see(consumer, self.now);
            self.is_new = is_new;
            consumer
        });
        self.consumer = Some(consumer);
        group.claim(id, consumer, self.delivered, self.deliveries, self.force)
    }

    fn reply(&self, reply: &mut Reply<'_>, entries: &[Entry<'_>]) {
        reply.array(entries.len());
        for entry in entries {
            if self.just_id {
                reply_id(reply, entry.id());
            } else {
                reply_entry(reply, entry);
            }
        }
    }
}

/// Has `change` change a group, count the changes and reply.
fn change_group(
    ctx: &mut Context<'_>,
    mut claim: Claim<'_>,
    change: impl FnOnce(&mut Group, &EntryLog, &mut Claim<'_>, &mut Reply<'_>, &mut GroupEffects<'_>) -> usize,
) -> Outcome {
    let (key, name) = (ctx.arg(1), ctx.arg(2));
    let mut effects = GroupEffects::new(ctx, key, name);
    let (db, mut reply) = ctx.split();
    let mut stream = db.edit::<Stream>(key, Event::UNANNOUNCED)?.ok_or_else(|| no_key_or_group(key, name, ""))?;
    stream.set_audience(Audience::Nobody);
    let Some((group, log)) = stream.group_mut(name) else { return Err(no_key_or_group(key, name, "")) };
    let changes = change(group, log, &mut claim, &mut reply, &mut effects);
    stream.changes(changes + usize::from(claim.is_new));
    if claim.is_new {
        stream.set_event(CONSUMER_CREATED);
    }
    drop(stream);
    effects.tell(ctx);
    Ok(())
}

fn find_group(ctx: &mut Context<'_>) -> Outcome {
    let (key, name) = (ctx.arg(1), ctx.arg(2));
    let group = ctx.db().read::<Stream>(key)?.and_then(|stream| stream.group(name));
    group.map(drop).ok_or_else(|| no_key_or_group(key, name, ""))
}

pub fn xclaim(ctx: &mut Context<'_>) -> Outcome {
    find_group(ctx)?;
    let min_idle = integer_or(ctx, 4, "ERR Invalid min-idle-time argument for XCLAIM")?;
    let mut claim = Claim::new(ctx, min_idle);
    let ids: Vec<Id> = (5..ctx.args.len()).map_while(|at| id(ctx, at).ok()).collect();
    let last_id = claim_options(ctx, 5 + ids.len(), &mut claim)?;
    let names = ctx.args.from(5);
    change_group(ctx, claim, |group, log, claim, reply, effects| {
        let is_further = group.raise_last_id(last_id);
        let mut changes = 0;
        let mut claimed = Vec::new();
        for (id, name) in ids.into_iter().zip(names) {
            match log.get(id) {
                Some(entry) if claim.take(group, id) => {
                    effects.pending(group, id, name);
                    claimed.push(entry);
                }
                Some(_) => {}
                None => {
                    // Elsewhere the entry is missing, too.
                    effects.pending(group, id, name);
                    changes += usize::from(group.acknowledge(id));
                }
            }
        }
        claim.reply(reply, &claimed);
        changes += claimed.len();
        // What is claimed tells how far the group has come.
        if is_further && changes == 0 {
            effects.position(group);
            changes = 1;
        }
        changes
    })
}

/// The options that follow the ids, and returns LASTID's.
fn claim_options(ctx: &Context<'_>, from: usize, claim: &mut Claim<'_>) -> Result<Id, Error> {
    let (mut last_id, mut retries, mut delivered) = (Id::MIN, -1, -1);
    let mut at = from;
    while at < ctx.args.len() {
        let has_more = at + 1 < ctx.args.len();
        if ctx.is_word(at, "force") {
            claim.force = true;
        } else if ctx.is_word(at, "justid") {
            claim.set_just_id();
        } else if has_more && ctx.is_word(at, "idle") {
            at += 1;
            let idle = integer_or(ctx, at, "ERR Invalid IDLE option argument for XCLAIM")?;
            delivered = claim.now.wrapping_sub(idle);
        } else if has_more && ctx.is_word(at, "time") {
            at += 1;
            delivered = integer_or(ctx, at, "ERR Invalid TIME option argument for XCLAIM")?;
        } else if has_more && ctx.is_word(at, "retrycount") {
            at += 1;
            retries = integer_or(ctx, at, "ERR Invalid RETRYCOUNT option argument for XCLAIM")?;
        } else if has_more && ctx.is_word(at, "lastid") {
            at += 1;
            last_id = id(ctx, at)?;
        } else {
            return Err(quoting("ERR Unrecognized XCLAIM option '", ctx.arg(at), "'"));
        }
        at += 1;
    }
    // A time that cannot be stands for the present one.
    claim.delivered = if (0..=claim.now).contains(&delivered) { delivered } else { claim.now };
    if let Ok(retries) = u64::try_from(retries) {
        claim.deliveries = Deliveries::Set(retries);
    }
    Ok(last_id)
}

pub fn xautoclaim(ctx: &mut Context<'_>) -> Outcome {
    let min_idle = integer_or(ctx, 4, "ERR Invalid min-idle-time argument for XAUTOCLAIM")?;
    let mut claim = Claim::new(ctx, min_idle);
    let start = first_id(ctx, 5)?;
    let mut count = 100;
    let mut at = 6;
    while at < ctx.args.len() {
        if ctx.is_word(at, "count") && at + 1 < ctx.args.len() {
            at += 1;
            let value = ctx.integer(at).ok().filter(|count| (1..=MAX_COUNT).contains(count));
            count = value.ok_or("ERR COUNT must be > 0")?;
        } else if ctx.is_word(at, "justid") {
            claim.set_just_id();
        } else {
            return Err(SYNTAX_ERROR.into());
        }
        at += 1;
    }
    find_group(ctx)?;
    change_group(ctx, claim, |group, log, claim, reply, effects| {
        let (mut claimed, mut deleted) = (Vec::new(), Vec::new());
        let mut attempts = count.saturating_mul(ATTEMPTS_PER_ENTRY);
        let mut next = group.next_pending(start).map(|(id, _)| id);
        while let Some(id) = next
            && attempts > 0
            && claimed.len() + deleted.len() < count as usize
        {
            attempts -= 1;
            match log.get(id) {
                Some(entry) if claim.take(group, id) => {
                    effects.pending(group, id, id.to_string());
                    claimed.push(entry);
                }
                Some(_) => {}
                None => {
                    effects.pending(group, id, id.to_string());
                    group.acknowledge(id);
                    deleted.push(id);
                }
            }
            next = id.next().and_then(|id| group.next_pending(id)).map(|(id, _)| id);
        }
        reply.array(3);
        reply_id(reply, next.unwrap_or(Id::MIN));
        claim.reply(reply, &claimed);
        reply_ids(reply, &deleted);
        claimed.len() + deleted.len()
    })
}

#[cfg(test)]
#[path = "stream_claims_tests.rs"]
mod tests;
