//! Replies on their way to a client.

use crate::memory::given_out;
use std::collections::VecDeque;
use std::io::IoSlice;
use std::sync::Arc;

/// Replies that have not been sent: bytes, and between them large values that are not copied but shared with the
/// database.
#[derive(Default)]
pub struct Output {
    /// Where replies are written to.
    pub bytes: Vec<u8>,
    /// How many of `bytes` have been sent, and are still there.
    sent: usize,
    attached: VecDeque<Attachment>,
    /// How much of the first attachment has been sent.
    attachment_sent: usize,
    /// The length of all attachments.
    attached_len: usize,
    /// The memory of those that were gathered here, which nobody else has, and of those that may be shared.
    gathered_memory: usize,
    shared_memory: usize,
    /// From how many bytes on, beyond the fixed buffer, the client is closed; 0 for never.
    limit: usize,
    /// What was dropped because it exceeded the limit. The client is going to be closed.
    dropped: usize,
}

struct Attachment {
    /// How many of `bytes` come before it.
    at: usize,
    value: Arc<Vec<u8>>,
    gathered: bool,
}

/// Parts of the output that one write takes at most.
pub const PARTS_MAX: usize = 64;
/// Replies are taken out of the buffer when so much has been written in a row.
const PART_SIZE: usize = 1024 * 1024;
/// Small parts of a stream are gathered into pieces of this size, one that the allocator has: where they wait for long
/// there is no more memory than bytes.
const PIECE: usize = 16 * 1024;
/// Bytes of replies that Redis keeps in a client's own buffer, and does not count.
pub const FIXED_BUFFER: usize = 16 * 1024;
/// Sent bytes are dropped from the front when they are this many and more than half of all.
const SENT_MAX: usize = 1024 * 1024;

impl Output {
    /// Where the next piece of a reply is written to. Once more waits than may, all of it is dropped, and what comes is
    /// as well: the client is closed, and a reply of any length takes no more memory than the limit.
    pub fn open(&mut self) -> &mut Vec<u8> {
        if self.dropped > 0 {
            self.bytes.clear();
        } else if self.limit > 0 && self.counted() >= self.limit {
            *self = Output { limit: self.limit, dropped: self.pending(), ..Output::default() };
        }
        &mut self.bytes
    }

    pub fn set_limit(&mut self, limit: usize) {
        self.limit = limit;
    }

    pub fn is_limited(&self) -> bool {
        self.limit > 0
    }

    /// What was dropped because more waited than may; 0 as long as nothing was.
    pub fn dropped(&self) -> usize {
        self.dropped
    }

    /// Leaves an empty output in its place, with the same limit.
    pub fn take(&mut self) -> Output {
        let empty = Output { limit: self.limit, dropped: self.dropped, ..Output::default() };
        std::mem::replace(self, empty)
    }

    /// How much is left to send, as it counts for limits: what Redis's fixed buffer would hold is nothing.
    pub fn counted(&self) -> usize {
        Some(self.pending()).filter(|pending| *pending > FIXED_BUFFER).unwrap_or(0)
    }

    /// Appends a value without copying it.
    pub fn attach(&mut self, value: Arc<Vec<u8>>) {
        self.attach_at(self.bytes.len(), value, false);
    }

    fn attach_at(&mut self, at: usize, value: Arc<Vec<u8>>, gathered: bool) {
        if self.dropped > 0 {
            return;
        }
        self.attached_len += value.len();
        *self.memory_of_attached(gathered) += memory_of(&value);
        self.attached.push_back(Attachment { at, value, gathered });
    }

    fn memory_of_attached(&mut self, gathered: bool) -> &mut usize {
        if gathered { &mut self.gathered_memory } else { &mut self.shared_memory }
    }

    /// Appends a part of the stream of changes. It is shared if it is large.
    pub fn append_part(&mut self, part: &Arc<Vec<u8>>) {
        if part.len() >= PIECE {
            return self.attach(part.clone());
        }
        self.bytes.extend_from_slice(part);
        let from = self.part_start();
        while self.bytes.len() - from >= PIECE {
            let piece: Vec<u8> = self.bytes.drain(from..from + PIECE).collect();
            self.attach_at(from, Arc::new(piece), true);
        }
    }

    /// Appends what another has to send, which has sent nothing yet.
    pub fn append(&mut self, other: Output) {
        let start = self.bytes.len();
        self.bytes.extend_from_slice(&other.bytes);
        self.attached_len += other.attached_len;
        self.gathered_memory += other.gathered_memory;
        self.shared_memory += other.shared_memory;
        let moved = other.attached.into_iter().map(|attachment| Attachment { at: start + attachment.at, ..attachment });
        self.attached.extend(moved);
    }

    /// Where in `bytes` that begins which no attachment follows.
    fn part_start(&self) -> usize {
        self.attached.back().map_or(self.sent, |last| last.at)
    }

    /// Takes replies that have grown large out of `bytes`, as a part of their own: a buffer of hundreds of megabytes
    /// would be copied over and over while it grows.
    pub fn divide(&mut self) {
        let from = self.part_start();
        if self.bytes.len() - from >= PART_SIZE {
            let part = self.bytes.split_off(from);
            self.attach(Arc::new(part));
        }
    }

    /// How much is left to send.
    pub fn pending(&self) -> usize {
        if self.dropped > 0 {
            return 0;
        }
        self.bytes.len() - self.sent + self.attached_len - self.attachment_sent
    }

    /// An empty output that writes into this memory.
    pub fn of(mut bytes: Vec<u8>) -> Output {
        bytes.clear();
        Output { bytes, ..Output::default() }
    }

    /// Everything that there is to send.
    pub fn into_bytes(self) -> Vec<u8> {
        if self.attached.is_empty() && self.sent == 0 {
            return self.bytes;
        }
        let mut bytes = Vec::with_capacity(self.pending());
        let mut from = self.sent;
        for attachment in &self.attached {
            bytes.extend_from_slice(&self.bytes[from..attachment.at]);
            bytes.extend_from_slice(&attachment.value);
            from = attachment.at;
        }
        bytes.extend_from_slice(&self.bytes[from..]);
        bytes
    }

    /// What there is to send, all in one piece.
    pub fn as_slice(&self) -> Option<&[u8]> {
        self.attached.is_empty().then(|| &self.bytes[self.sent..])
    }

    /// What there is to send: up to `max` bytes, in pieces. Fills `parts` and returns how many there are.
    pub fn slices<'a>(&'a self, parts: &mut [IoSlice<'a>; PARTS_MAX], max: usize) -> usize {
        let mut count = 0;
        let mut left = max;
        let mut add = |part: &'a [u8]| {
            let part = &part[..part.len().min(left)];
            if !part.is_empty() {
                parts[count] = IoSlice::new(part);
                count += 1;
                left -= part.len();
            }
            left > 0 && count < PARTS_MAX
        };
        let (mut from, mut skip) = (self.sent, self.attachment_sent);
        for attachment in &self.attached {
            if !add(&self.bytes[from..attachment.at]) || !add(&attachment.value[skip..]) {
                return count;
            }
            (from, skip) = (attachment.at, 0);
        }
        add(&self.bytes[from..]);
        count
    }

    /// Notes that the first `len` pending bytes have been sent.
    pub fn advance(&mut self, mut len: usize) {
        while let Some(first) = self.attached.front() {
            let (gathered, memory) = (first.gathered, memory_of(&first.value));
            let before = first.at - self.sent;
            if len < before {
                break;
            }
            let left = first.value.len() - self.attachment_sent;
            self.sent = first.at;
            len -= before;
            if len < left {
                self.attachment_sent += len;
                return;
            }
            len -= left;
            self.attached_len -= first.value.len();
            self.attachment_sent = 0;
            self.attached.pop_front();
            *self.memory_of_attached(gathered) -= memory;
        }
        self.sent += len;
        if self.sent >= SENT_MAX && self.sent > self.bytes.len() / 2 {
            self.bytes.drain(..self.sent);
            self.attached.iter_mut().for_each(|attachment| attachment.at -= self.sent);
            self.sent = 0;
        }
    }

    /// Memory of a stream: this one's alone, and what others may share.
    pub fn stream_memory(&self) -> (usize, usize) {
        let list = self.attached.capacity() * size_of::<Attachment>();
        (self.bytes.capacity() + list + self.gathered_memory, self.shared_memory)
    }

    /// Memory that is this client's alone.
    pub fn memory(&self) -> usize {
        let own = self.attached.iter().filter(|attachment| Arc::strong_count(&attachment.value) == 1);
        self.bytes.capacity()
            + self.attached.capacity() * size_of::<Attachment>()
            + own.map(|attachment| attachment.value.capacity()).sum::<usize>()
    }
}

/// What a value that is attached takes.
fn memory_of(value: &Arc<Vec<u8>>) -> usize {
    given_out(value.capacity()) + given_out(size_of::<Vec<u8>>() + 2 * size_of::<usize>())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[derive(Clone, Debug)]
    enum Step {
        Write(usize),
        Attach(usize),
        /// Of a stream: so many parts of one length, gathered elsewhere first or not.
        Parts(usize, usize, bool),
        Send(usize, usize),
    }

    fn steps() -> impl Strategy<Value = Vec<Step>> {
        // Large enough for the front to be dropped now and then.
        let len = prop_oneof![0usize..50, Just(700_000)];
        let step = prop_oneof![
            len.clone().prop_map(Step::Write),
            len.prop_map(Step::Attach),
            (0usize..200, prop_oneof![1usize..300, Just(PIECE - 1), Just(PIECE)], any::<bool>())
                .prop_map(|(count, len, elsewhere)| Step::Parts(count, len, elsewhere)),
            (0usize..1_500_000, 1usize..1_000_000).prop_map(|(max, taken)| Step::Send(max, taken)),
            (0usize..30, 1usize..30).prop_map(|(max, taken)| Step::Send(max, taken)),
        ];
        prop::collection::vec(step, 0..60)
    }

    #[test]
    fn the_buffer_stays_small() {
        let mut output = Output::default();
        for _ in 0..10_000 {
            output.bytes.extend_from_slice(&[b'v'; 1000]);
            output.divide();
        }
        assert_eq!(output.pending(), 10_000_000);
        assert!(output.bytes.capacity() <= 2 * PART_SIZE);
        assert!((10_000_000..2 * 10_000_000).contains(&output.memory()));
        output.advance(10_000_000);
        assert_eq!(output.pending(), 0);
    }

    #[test]
    fn what_exceeds_the_limit_is_dropped_while_it_is_written() {
        let mut output = Output::default();
        output.set_limit(100_000);
        for _ in 0..100_000 {
            output.open().extend_from_slice(&[b'v'; 1000]);
            assert!(output.pending() <= 101_000);
        }
        assert!((100_000..120_000).contains(&output.dropped()));
        output.attach(Arc::new(vec![0; 1000]));
        assert_eq!((output.pending(), output.memory() < 10_000), (0, true));
        assert!(output.take().bytes.len() <= 1000 && output.dropped() > 0);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(60))]

        #[test]
        fn everything_is_sent_once_and_in_order(steps in steps()) {
            let mut output = Output::default();
            let (mut written, mut received) = (Vec::new(), Vec::new());
            let mut next = 0u8;
            let mut content = |len: usize| -> Vec<u8> {
                next = next.wrapping_add(1);
                let block: Vec<u8> = (0..=u8::MAX).map(|i| next.wrapping_mul(31) ^ i).collect();
                let mut bytes = block.repeat(len.div_ceil(block.len()));
                bytes.truncate(len);
                bytes
            };
            for step in steps {
                match step {
                    Step::Write(len) => {
                        let bytes = content(len);
                        written.extend_from_slice(&bytes);
                        output.bytes.extend_from_slice(&bytes);
                        output.divide();
                    }
                    Step::Attach(len) => {
                        let bytes = content(len);
                        written.extend_from_slice(&bytes);
                        output.attach(Arc::new(bytes));
                    }
                    Step::Parts(count, len, elsewhere) => {
                        let mut held = Output::default();
                        for _ in 0..count {
                            let bytes = content(len);
                            written.extend_from_slice(&bytes);
                            let to = if elsewhere { &mut held } else { &mut output };
                            to.append_part(&Arc::new(bytes));
                        }
                        output.append(held);
                    }
                    Step::Send(max, taken) => {
                        let mut parts = [IoSlice::new(&[]); PARTS_MAX];
                        let count = output.slices(&mut parts, max);
                        let offered = parts[..count].iter().map(|part| &**part).collect::<Vec<_>>().concat();
                        prop_assert!(offered.len() <= max);
                        prop_assert!(!offered.is_empty() || max == 0 || output.pending() == 0);
                        let taken = taken.min(offered.len());
                        received.extend_from_slice(&offered[..taken]);
                        output.advance(taken);
                    }
                }
                prop_assert_eq!(output.pending(), written.len() - received.len());
                let attached = output.attached.iter().map(|attachment| memory_of(&attachment.value)).sum::<usize>();
                prop_assert_eq!(output.gathered_memory + output.shared_memory, attached);
                if let Some(rest) = output.as_slice() {
                    prop_assert_eq!(rest, &written[received.len()..]);
                }
            }
        }
    }

    /// Redis's clients have a buffer that counts as nothing.
    #[test]
    fn a_short_reply_exceeds_no_limit() {
        let mut output = Output::default();
        output.set_limit(100);
        output.open().extend_from_slice(&[b'v'; FIXED_BUFFER]);
        assert_eq!((output.open().len(), output.dropped()), (FIXED_BUFFER, 0));
        output.open().push(b'v');
        output.open();
        assert_eq!(output.dropped(), FIXED_BUFFER + 1);
    }

    #[test]
    fn what_the_database_has_too_is_not_a_clients_memory() {
        let (mut output, value) = (Output::default(), Arc::new(vec![b'v'; 100_000]));
        output.attach(value.clone());
        assert!(output.memory() < 100_000);
        drop(value);
        assert!(output.memory() >= 100_000);
    }
}
