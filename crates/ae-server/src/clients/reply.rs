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
        &mut self.output.bytes
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
        writer::bulk(&mut self.output.bytes, element.as_slice(&mut Digits::new()));
    }

    /// A string value; a long one is not copied.
    pub fn string(&mut self, value: StringRef<'_>) {
        match value {
            StringRef::Integer(value) => self.bulk_integer(value),
            StringRef::Shared(content) => {
                writer::bulk_head(&mut self.output.bytes, content.len());
                self.output.attach(content.clone());
                writer::bulk_end(&mut self.output.bytes);
            }
            value => self.bulk(value.as_slice(&mut Digits::new())),
        }
    }

    /// A score: a string in RESP2.
    pub fn score(&mut self, score: Score) {
        writer::double(&mut self.output.bytes, self.protocol, ScoreText::new().of(score));
    }

    /// A number with a fraction, as `text` spells it: a string in RESP2.
    pub fn double(&mut self, text: &[u8]) {
        writer::double(&mut self.output.bytes, self.protocol, text);
    }

    pub fn boolean(&mut self, value: bool) {
        writer::boolean(&mut self.output.bytes, self.protocol, value);
    }

    pub fn null(&mut self) {
        writer::null(&mut self.output.bytes, self.protocol);
    }

    pub fn null_array(&mut self) {
        writer::null_array(&mut self.output.bytes, self.protocol);
    }

    /// Text for people.
    pub fn text(&mut self, text: &[u8]) {
        writer::text(&mut self.output.bytes, self.protocol, text);
    }

    pub fn array(&mut self, len: usize) {
        writer::array(self.out(), len);
    }

    pub fn map(&mut self, len: usize) {
        writer::map(&mut self.output.bytes, self.protocol, len);
    }

    pub fn set(&mut self, len: usize) {
        writer::set(&mut self.output.bytes, self.protocol, len);
    }

    pub fn push(&mut self, len: usize) {
        writer::push(&mut self.output.bytes, self.protocol, len);
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
        writer::put_head(&mut self.output.bytes, place, |out| writer::array(out, len));
    }

    pub fn put_set(&mut self, place: Place, len: usize) {
        let protocol = self.protocol;
        writer::put_head(&mut self.output.bytes, place, |out| writer::set(out, protocol, len));
    }

    pub fn put_map(&mut self, place: Place, len: usize) {
        let protocol = self.protocol;
        writer::put_head(&mut self.output.bytes, place, |out| writer::map(out, protocol, len));
    }

    /// The version of the protocol as a number.
    pub fn version(&self) -> i64 {
        if self.protocol == Protocol::Resp2 { 2 } else { 3 }
    }
}
