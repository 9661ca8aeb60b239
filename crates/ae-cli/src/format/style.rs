//! Which format, and what ends a reply in it.

use super::{csv, formatted, json, raw};
use crate::options::{Options, Output};
use resp::Reply;

/// How replies are printed.
#[derive(Clone, Copy, Debug)]
pub struct Style<'a> {
    /// The format.
    pub output: Output,
    /// What stands between raw elements.
    pub element_end: &'a [u8],
    /// What stands behind raw replies.
    pub reply_end: &'a [u8],
}

impl<'a> Style<'a> {
    /// As the options say.
    pub fn of(options: &'a Options) -> Self {
        Style { output: options.output, element_end: &options.element_end, reply_end: &options.reply_end }
    }
}

/// A reply as it is printed.
pub fn printed(reply: &Reply, style: &Style<'_>) -> Vec<u8> {
    let mut out = Vec::new();
    match style.output {
        Output::Formatted => formatted::write(&mut out, reply, &mut Vec::new()),
        Output::Raw => {
            raw::write(&mut out, reply, style.element_end);
            out.extend_from_slice(style.reply_end);
        }
        Output::Csv => {
            csv::write(&mut out, reply);
            out.push(b'\n');
        }
        Output::Json | Output::QuotedJson => {
            json::write(&mut out, reply, style.output == Output::QuotedJson);
            out.push(b'\n');
        }
    }
    out
}
