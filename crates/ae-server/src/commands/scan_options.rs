//! What SCAN, HSCAN, SSCAN and ZSCAN have in common: cursor, options, and the page that they reply.

use crate::clients::reply::Reply;
use crate::command::context::Context;
use crate::command::error::{Error, NOT_AN_INTEGER, Outcome, SYNTAX_ERROR};
use crate::glob::{Case, matches};
use resp::{number, writer};
use store::types::Element;
use store::{Digits, Kind};

pub const INVALID_CURSOR: &str = "ERR invalid cursor";

/// MATCH, COUNT and TYPE.
pub struct ScanOptions<'a> {
    pattern: &'a [u8],
    kind: Option<&'a [u8]>,
    count: i64,
}

/// What one call has found.
#[derive(Default)]
pub struct Page {
    /// How much was looked at, whether it matched or not.
    pub visited: i64,
    elements: Vec<u8>,
    len: usize,
}

impl Page {
    pub fn add(&mut self, element: &[u8]) {
        writer::bulk(&mut self.elements, element);
        self.len += 1;
    }
}

impl<'a> ScanOptions<'a> {
    /// Only keys have types.
    pub fn parse(mut words: impl Iterator<Item = &'a [u8]>, of_keys: bool) -> Result<ScanOptions<'a>, Error> {
        let mut options = ScanOptions { pattern: b"*", kind: None, count: 10 };
        while let Some(word) = words.next() {
            let value = words.next().ok_or(SYNTAX_ERROR)?;
            match word.to_ascii_lowercase().as_slice() {
                b"count" => {
                    options.count = number::parse(value).ok_or(NOT_AN_INTEGER)?;
                    if options.count < 1 {
                        return Err(SYNTAX_ERROR.into());
                    }
                }
                b"match" => options.pattern = value,
                b"type" if of_keys => options.kind = Some(value),
                _ => return Err(SYNTAX_ERROR.into()),
            }
        }
        Ok(options)
    }

    pub fn matches(&self, name: &[u8]) -> bool {
        self.pattern == b"*" || matches(self.pattern, name, Case::Sensitive)
    }

    pub fn wants(&self, type_name: &str) -> bool {
        self.kind.is_none_or(|kind| kind.eq_ignore_ascii_case(type_name.as_bytes()))
    }

    /// Takes steps until enough was looked at, and replies with what was found. COUNT limits the work, so what does not
    /// match counts too; in a table with many empty buckets the buckets set the limit.
    pub fn reply_page(&self, reply: &mut Reply<'_>, mut cursor: u64, mut step: impl FnMut(u64, &mut Page) -> u64) {
        let mut page = Page::default();
        let mut buckets = self.count.saturating_mul(10);
        loop {
            cursor = step(cursor, &mut page);
            buckets -= 1;
            if cursor == 0 || buckets == 0 || page.visited >= self.count {
                break;
            }
        }
        reply.array(2);
        reply.bulk(cursor.to_string());
        reply.array(page.len);
        reply.out().append(&mut page.elements);
    }
}

/// Replies with a page of the collection at a key: members, and what belongs to each if there is something. `step` is
/// the collection's own scan.
pub fn scan_members<K: for<'a> Kind<Ref<'a> = &'a K>>(
    ctx: &mut Context<'_>,
    step: impl Fn(&K, u64, &mut dyn FnMut(Element<'_>, Option<Element<'_>>)) -> u64,
) -> Outcome {
    let cursor = parse_cursor(ctx.arg(2)).ok_or(INVALID_CURSOR)?;
    let (key, words) = (ctx.arg(1), ctx.args.from(3));
    let (db, mut reply) = ctx.split();
    let Some(collection) = db.read::<K>(key)? else {
        reply.array(2);
        reply.bulk("0");
        reply.array(0);
        return Ok(());
    };
    let options = ScanOptions::parse(words, false)?;
    options.reply_page(&mut reply, cursor, |cursor, page| {
        step(collection, cursor, &mut |member, value| {
            page.visited += 1;
            let (mut digits, mut value_digits) = (Digits::new(), Digits::new());
            let member = member.as_slice(&mut digits);
            if options.matches(member) {
                page.add(member);
                value.iter().for_each(|value| page.add(value.as_slice(&mut value_digits)));
            }
        })
    });
    Ok(())
}

/// What C's `strtoul` reads, and so Redis: nothing is 0, a negative number counts from the end of the range, and a zero
/// byte ends the text.
pub fn parse_cursor(text: &[u8]) -> Option<u64> {
    let text = text.split(|c| *c == 0).next().unwrap_or_default();
    let (negative, digits) = match text {
        [] => return Some(0),
        [b'-', digits @ ..] => (true, digits),
        [b'+', digits @ ..] => (false, digits),
        digits => (false, digits),
    };
    // Only digits: no second sign.
    let digits = std::str::from_utf8(digits).ok().filter(|digits| digits.bytes().all(|c| c.is_ascii_digit()))?;
    let value: u64 = digits.parse().ok()?;
    Some(if negative { value.wrapping_neg() } else { value })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::Session;

    /// COUNT bounds the work: a table may have become all but empty.
    #[test]
    fn a_page_ends_with_so_many_elements_or_ten_times_as_many_buckets() {
        let mut session = Session::new();
        for (of_each, buckets) in [(0, 30), (1, 3), (2, 2)] {
            let options = ScanOptions::parse([&b"COUNT"[..], b"3"].into_iter(), true).unwrap_or_else(|_| panic!());
            let mut looked_at = 0;
            options.reply_page(&mut session.client.reply(), 1, |cursor, page| {
                looked_at += 1;
                page.visited += of_each;
                cursor + 1
            });
            assert_eq!(looked_at, buckets);
        }
    }

    #[test]
    fn cursors_are_spelled_as_c_reads_numbers() {
        for (text, cursor) in [
            ("", Some(0)),
            ("12", Some(12)),
            ("+12", Some(12)),
            ("-1", Some(u64::MAX)),
            ("18446744073709551615", Some(u64::MAX)),
            ("12\0x", Some(12)),
            ("18446744073709551616", None),
            ("+-1", None),
            ("--1", None),
            ("+", None),
            ("-", None),
            (" 1", None),
            ("1x", None),
        ] {
            assert_eq!(parse_cursor(text.as_bytes()), cursor, "{text:?}");
        }
    }
}
