//! DEBUG PROTOCOL: a reply of every kind, for whoever writes a client.

use crate::command::context::Context;
use crate::command::error::Outcome;
use resp::{Protocol, writer};

const BIG_NUMBER: &[u8] = b"1234567999999999999999999999999999999";

pub fn protocol(ctx: &mut Context<'_>) -> Outcome {
    let name = ctx.arg(2).to_ascii_lowercase();
    let mut reply = ctx.reply();
    let protocol = reply.protocol();
    match name.as_slice() {
        b"string" => reply.bulk("Hello World"),
        b"integer" => reply.integer(12345),
        b"double" => reply.double(b"3.141"),
        b"bignum" => writer::big_number(reply.out(), protocol, BIG_NUMBER),
        b"null" => reply.null(),
        b"array" => {
            reply.array(3);
            (0..3).for_each(|i| reply.integer(i));
        }
        b"set" => {
            reply.set(3);
            (0..3).for_each(|i| reply.integer(i));
        }
        b"map" => {
            reply.map(3);
            for i in 0..3 {
                reply.integer(i);
                reply.boolean(i == 1);
            }
        }
        b"attrib" => {
            if protocol == Protocol::Resp3 {
                reply.out().extend_from_slice(b"|1\r\n");
                reply.bulk("key-popularity");
                reply.array(2);
                reply.bulk("key:123");
                reply.integer(90);
            }
            reply.bulk("Some real reply following the attribute");
        }
        b"push" if protocol == Protocol::Resp2 => return Err("ERR RESP2 is not supported by this command".into()),
        b"push" => {
            reply.push(2);
            reply.bulk("server-cpu-usage");
            reply.integer(42);
            reply.bulk("Some real reply following the push reply");
        }
        b"verbatim" => reply.text(b"This is a verbatim\nstring"),
        b"true" => reply.boolean(true),
        b"false" => reply.boolean(false),
        _ => {
            return Err("ERR Wrong protocol type name. Please use one of the following: \
                        string|integer|double|bignum|null|array|set|map|attrib|push|verbatim|true|false"
                .into());
        }
    }
    Ok(())
}
