//! Replies, in the protocol that the client speaks.

use super::output::Output;
use resp::Protocol;
use resp::writer::{self, Place};
use store::types::Element;
use store::types::zset::{Score, ScoreText};
use store::{Digits, StringRef};

/// Where a command writes its reply to.
pub struct Reply<'a> {
    output: &'a mut Output,
    protocol: Protocol,
}

impl<'a> Reply<'a> {
    pub fn new(output: &'a mut Output, protocol: Protocol) -> Reply<'a> {
        Reply { output, protocol }
    }

    pub fn protocol(&self) -> Protocol {
        self.protocol
    }

    /// For the functions of [`writer`] that have no method here.
    pub fn out(&mut self) -> &mut Vec<u8> {
        self.output.open()
    }

    /// Whether more waits than may, so that whatever else is written is dropped: a long reply need not be finished.
    pub fn is_full(&self) -> bool {
        self.output.dropped() > 0
    }

    /// Whether there is a limit to how long a reply may be.
    pub fn is_limited(&self) -> bool {
        self.output.is_limited()
    }

    pub fn ok(&mut self) {
        self.out().extend_from_slice(b"+OK\r\n");
    }

    /// A status. `text` is the server's own.
    pub fn simple(&mut self, text: &str) {
        writer::simple(self.out(), text);
    }

    pub fn error(&mut self, text: &[u8]) {
        writer::error(self.out(), text);
    }

    pub fn integer(&mut self, value: i64) {
        writer::integer(self.out(), value);
    }

    /// A count.
    pub fn count(&mut self, value: usize) {
        self.integer(value as i64);
    }

    pub fn bulk(&mut self, data: impl AsRef<[u8]>) {
        writer::bulk(self.out(), data.as_ref());
    }

    pub fn bulk_integer(&mut self, value: i64) {
        writer::bulk_integer(self.out(), value);
    }

    pub fn element(&mut self, element: Element<'_>) {
        writer::bulk(self.out(), element.as_slice(&mut Digits::new()));
    }

    /// A string value; a long one is not copied.
    pub fn string(&mut self, value: StringRef<'_>) {
        match value {
            StringRef::Integer(value) => self.bulk_integer(value),
            StringRef::Shared(content) => {
                writer::bulk_head(self.out(), content.len());
                self.output.attach(content.clone());
                writer::bulk_end(self.out());
            }
            value => self.bulk(value.as_slice(&mut Digits::new())),
        }
    }

    /// A score: a string in RESP2.
    pub fn score(&mut self, score: Score) {
        let protocol = self.protocol;
        writer::double(self.out(), protocol, ScoreText::new().of(score));
    }

    /// A number with a fraction, as `text` spells it: a string in RESP2.
    pub fn double(&mut self, text: &[u8]) {
        let protocol = self.protocol;
        writer::double(self.out(), protocol, text);
    }

    pub fn boolean(&mut self, value: bool) {
        let protocol = self.protocol;
        writer::boolean(self.out(), protocol, value);
    }

    pub fn null(&mut self) {
        let protocol = self.protocol;
        writer::null(self.out(), protocol);
    }

    pub fn null_array(&mut self) {
        let protocol = self.protocol;
        writer::null_array(self.out(), protocol);
    }

    /// Text for people.
    pub fn text(&mut self, text: &[u8]) {
        let protocol = self.protocol;
        writer::text(self.out(), protocol, text);
    }

    pub fn array(&mut self, len: usize) {
        writer::array(self.out(), len);
    }

    pub fn map(&mut self, len: usize) {
        let protocol = self.protocol;
        writer::map(self.out(), protocol, len);
    }

    pub fn set(&mut self, len: usize) {
        let protocol = self.protocol;
        writer::set(self.out(), protocol, len);
    }

    pub fn push(&mut self, len: usize) {
        let protocol = self.protocol;
        writer::push(self.out(), protocol, len);
    }

    /// An array of strings.
    pub fn strings<T: AsRef<[u8]>>(&mut self, texts: &[T]) {
        self.array(texts.len());
        texts.iter().for_each(|text| self.bulk(text));
    }

    /// Leaves a place for the head of a collection whose length is not known yet.
    pub fn place(&mut self) -> Place {
        writer::place(&self.output.bytes)
    }

    pub fn put_array(&mut self, place: Place, len: usize) {
        self.put_head(place, |out| writer::array(out, len));
    }

    pub fn put_set(&mut self, place: Place, len: usize) {
        let protocol = self.protocol;
        self.put_head(place, |out| writer::set(out, protocol, len));
    }

    pub fn put_map(&mut self, place: Place, len: usize) {
        let protocol = self.protocol;
        self.put_head(place, |out| writer::map(out, protocol, len));
    }

    fn put_head(&mut self, place: Place, head: impl FnOnce(&mut Vec<u8>)) {
        // What was dropped has no place any more.
        if !self.is_full() {
            writer::put_head(&mut self.output.bytes, place, head);
        }
    }

    /// The version of the protocol as a number.
    pub fn version(&self) -> i64 {
        if self.protocol == Protocol::Resp2 { 2 } else { 3 }
    }
}
