//! Messages on their way to those who have subscribed.

use super::channels::Channels;
use crate::clients::client::{Client, ClientRef};
use crate::clients::subscriptions::Kind;
use crate::clients::table::Clients;
use resp::{Protocol, writer};

/// A message in both protocols, each written when somebody needs it.
#[derive(Default)]
struct Message {
    resp2: Vec<u8>,
    resp3: Vec<u8>,
}

impl Message {
    fn bytes(&mut self, protocol: Protocol, parts: &[&[u8]]) -> &[u8] {
        let bytes = match protocol {
            Protocol::Resp2 => &mut self.resp2,
            Protocol::Resp3 => &mut self.resp3,
        };
        if bytes.is_empty() {
            writer::push(bytes, protocol, parts.len());
            parts.iter().for_each(|part| writer::bulk(bytes, part));
        }
        bytes
    }
}

/// Sends a message to all who have subscribed to a channel, or to a pattern that matches it. `current` is the client
/// whose request is being answered, which is not in the table. Returns how many received it.
pub fn publish(
    channels: &Channels,
    clients: &mut Clients,
    mut current: Option<&mut Client>,
    kind: Kind,
    channel: &[u8],
    message: &[u8],
) -> usize {
    let mut received = 0;
    let mut send = |to: &[ClientRef], parts: &[&[u8]]| {
        let mut bytes = Message::default();
        for &reference in to {
            let client = match &mut current {
                Some(current) if current.reference() == reference => Some(&mut **current),
                _ => clients.get_same(reference),
            };
            let Some(client) = client else { continue };
            let protocol = client.message_protocol();
            client.send_message(bytes.bytes(protocol, parts));
            received += 1;
            clients.wants_to_send(reference);
        }
    };
    let subscribers: Vec<ClientRef> = channels.subscribers(kind, channel).collect();
    let name: &[u8] = if kind == Kind::Shard { b"smessage" } else { b"message" };
    send(&subscribers, &[name, channel, message]);
    if kind == Kind::Channel {
        for (pattern, subscribers) in channels.matching(channel) {
            send(&subscribers, &[b"pmessage", &pattern, channel, message]);
        }
    }
    received
}
