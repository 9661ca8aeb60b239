//! How entries are replied.

use crate::clients::reply::Reply;
use std::io::Write;
use store::types::stream::{Entry, Id};

/// Both numbers of an id, and what is between them.
const ID_LEN: usize = 41;

pub fn reply_id(reply: &mut Reply<'_>, id: Id) {
    let mut text = [0; ID_LEN];
    let mut rest = &mut text[..];
    write!(rest, "{id}").expect("the longest id has room");
    let unused = rest.len();
    reply.bulk(&text[..ID_LEN - unused]);
}

pub fn reply_ids(reply: &mut Reply<'_>, ids: &[Id]) {
    reply.array(ids.len());
    ids.iter().for_each(|id| reply_id(reply, *id));
}

/// The id, and an array of fields and values by turns.
pub fn reply_entry(reply: &mut Reply<'_>, entry: &Entry<'_>) {
    reply.array(2);
    reply_id(reply, entry.id());
    reply.array(2 * entry.len());
    for (field, value) in entry.fields() {
        reply.element(field);
        reply.element(value);
    }
}

/// An array of entries; `each` sees them first.
pub fn reply_entries<'e>(
    reply: &mut Reply<'_>,
    entries: impl Iterator<Item = Entry<'e>>,
    mut each: impl FnMut(&Entry<'e>),
) {
    let place = reply.place();
    let mut count = 0;
    for entry in entries {
        each(&entry);
        reply_entry(reply, &entry);
        count += 1;
    }
    reply.put_array(place, count);
}
