//! What becomes of consumer groups elsewhere: others cannot know when an entry was delivered, and to whom.

use crate::command::context::Context;
use crate::db::effects::Request;
use store::types::stream::{Group, Id};

/// The requests that do to a group elsewhere what is done to it here. None is made if nobody wants them.
pub struct GroupEffects<'a> {
    key: &'a [u8],
    group: &'a [u8],
    is_wanted: bool,
    requests: Vec<Request>,
}

impl<'a> GroupEffects<'a> {
    /// Of the group with this name.
    pub fn new(ctx: &Context<'_>, key: &'a [u8], group: &'a [u8]) -> GroupEffects<'a> {
        GroupEffects { key, group, is_wanted: ctx.server.databases.effects.is_wanted(), requests: Vec::new() }
    }

    /// An entry, as `name` names it, is pending as the group has it now; or it is missing, and no longer so after this.
    pub fn pending(&mut self, group: &Group, id: Id, name: impl AsRef<[u8]>) {
        let Some((pending, consumer)) = group.pending(id).and_then(|it| Some((it, group.consumer(it.consumer)?)))
        else {
            return;
        };
        let (time, count) = (pending.delivered, pending.deliveries as i64);
        let last = group.last_id().to_string();
        self.add("XCLAIM", |request, key, group| {
            request.arg(key).arg(group).arg(consumer.name()).arg("0").arg(name).arg("TIME").integer(time);
            request.arg("RETRYCOUNT").integer(count).arg("FORCE").arg("JUSTID").arg("LASTID").arg(last);
        });
    }

    /// The group has read on, without anything being pending for it.
    pub fn position(&mut self, group: &Group) {
        // -1: not known.
        let (last, read) = (group.last_id().to_string(), group.entries_read().unwrap_or(-1));
        self.add("XGROUP", |request, key, group| {
            request.arg("SETID").arg(key).arg(group).arg(last).arg("ENTRIESREAD").integer(read);
        });
    }

    /// The group has got a consumer, for whom nothing is pending.
    pub fn consumer(&mut self, name: &[u8]) {
        self.add("XGROUP", |request, key, group| {
            request.arg("CREATECONSUMER").arg(key).arg(group).arg(name);
        });
    }

    fn add(&mut self, command: &str, write: impl FnOnce(&mut Request, &[u8], &[u8])) {
        if self.is_wanted {
            let mut request = Request::default();
            write(request.arg(command), self.key, self.group);
            self.requests.push(request);
        }
    }

    /// Says that this is all that the command did.
    pub fn tell(self, ctx: &mut Context<'_>) {
        ctx.no_effect();
        for own in self.requests {
            ctx.effect(|request| *request = own);
        }
    }
}
