//! Databases, and how values are encoded.

use crate::config::format::{BYTES, Format, INT, LONG};
use crate::config::parameter::Change::{AnyTime, AtStart};
use crate::config::parameter::{Parameter, directive, field, kept};

/// An empty database costs little, but every run of the cron visits all of them.
const DATABASES: Format = Format::Integer { min: 1, max: 10_000 };
const LIST_SIZE: Format = Format::Integer { min: i32::MIN as i128, max: i32::MAX as i128 };

macro_rules! limit {
    ($name:literal, $($field:ident).+, $format:expr, $usage:literal, $help:literal) => {
        directive($name, AnyTime, field!($($field).+, $format), $usage, $help)
    };
}

pub const DIRECTIVES: &[Parameter] = &[
    directive("databases", AtStart, field!(databases, DATABASES), "N", "number of databases (16)"),
    limit!("hash-max-listpack-entries", types.hash.max_packed_entries, LONG, "N", "fields of a packed hash (512)")
        .alias("hash-max-ziplist-entries"),
    limit!("hash-max-listpack-value", types.hash.max_packed_value, BYTES, "BYTES", "its longest field or value (64)")
        .alias("hash-max-ziplist-value"),
    limit!(
        "list-max-listpack-size",
        types.list.listpack_size,
        LIST_SIZE,
        "N",
        "elements of a list's node; -1 to -5 for 4 to 64 KiB (-2)"
    )
    .alias("list-max-ziplist-size"),
    limit!(
        "list-compress-depth",
        encodings.list_compress_depth,
        INT,
        "N",
        "nodes at each end of a list that stay uncompressed (0: all)"
    )
    .pending(),
    limit!("set-max-intset-entries", types.set.max_intset_entries, LONG, "N", "members of a packed set (512)"),
    limit!("zset-max-listpack-entries", types.zset.entries, LONG, "N", "members of a packed sorted set (128)")
        .alias("zset-max-ziplist-entries"),
    limit!("zset-max-listpack-value", types.zset.value, BYTES, "BYTES", "its longest member (64)")
        .alias("zset-max-ziplist-value"),
    limit!(
        "hll-sparse-max-bytes",
        types.hyperloglog.sparse_max_bytes,
        BYTES,
        "BYTES",
        "size of a sparse HyperLogLog (3000)"
    ),
    limit!("stream-node-max-bytes", types.stream.node_max_bytes, BYTES, "BYTES", "size of a stream's node (4kb)"),
    limit!("stream-node-max-entries", types.stream.node_max_entries, LONG, "N", "entries of a stream's node (100)"),
    kept(
        "sanitize-dump-payload",
        AnyTime,
        Format::Choice(&[("no", 0), ("yes", 1), ("clients", 2)]),
        "no",
        "payloads are always checked in full",
    ),
];
