//! What struct and cmsgpack make and read, byte for byte as redis-server does.

use crate::interpreter::{check, interpreter};

#[test]
fn bytes_at_the_borders_of_formats() {
    let lua = interpreter();
    for (expression, expected) in [
        ("struct.pack('>h<h', 1, 1)", "00010100"),
        ("struct.pack('h', -2)", "feff"),
        ("struct.pack('b', -1.5)", "ff"),
        ("struct.pack('i16', -2)", "feffffffffffffff0000000000000000"),
        ("struct.pack('l', -2^62)", "00000000000000c0"),
        ("struct.pack('l', -1e300)", "0000000000000080"),
        // The text's own zero byte is not its end.
        ("struct.pack('s', '')", "00"),
        ("struct.pack('s', 'a\\0')", "610000"),
        ("cmsgpack.pack(0 * -1)", "00"),
        ("cmsgpack.pack(-2^63)", "d38000000000000000"),
        ("cmsgpack.pack(2^63)", "ca5f000000"),
        ("cmsgpack.pack(1/0)", "ca7f800000"),
        ("cmsgpack.pack(-1/0)", "caff800000"),
        // Arrays begin with 1.
        ("cmsgpack.pack({[0] = 1})", "810001"),
        ("cmsgpack.pack({[0] = 1, [2] = 3})", "8200010203"),
    ] {
        let hexadecimal = "'.', function(byte) return string.format('%02x', string.byte(byte)) end";
        check(&lua, &format!("string.gsub({expression}, {hexadecimal})"), expected);
    }
}

#[test]
fn a_part_of_what_is_packed_is_unpacked() {
    let lua = interpreter();
    let shown = |call: &str| format!("table.concat({{cmsgpack.{call}}}, ' ')");
    for (call, expected) in [
        ("unpack('\\1\\2\\3')", "1 2 3"),
        ("unpack_one('\\1\\2\\3')", "1 1"),
        ("unpack_one('\\1\\2\\3', 2)", "-1 3"),
        ("unpack_limit('\\1\\2\\3', 2)", "2 1 2"),
        ("unpack_limit('\\1\\2\\3', 5, 1)", "-1 2 3"),
        ("unpack_limit('\\1\\2\\3', 0, 1)", "1"),
    ] {
        check(&lua, &shown(call), expected);
    }
}

#[test]
fn more_results_than_there_is_room_for_are_refused() {
    let expression = "select('#', struct.unpack(('b'):rep(7998), ('a'):rep(7998)))";
    check(&interpreter(), expression, "script:1: stack overflow (too many results)");
    let many = "select('#', struct.unpack(('b'):rep(7900), ('a'):rep(7900)))";
    check(&interpreter(), many, "7901");
    let many = "unpack((function() local t = {} for i = 1, 4001 do t[i] = i end return t end)())";
    let refused = "to 'pack' (Too many arguments for MessagePack pack.)";
    check(&interpreter(), &format!("cmsgpack.pack({many})"), &format!("script:1: bad argument #0 {refused}"));
    check(&interpreter(), &format!("cmsgpack:pack({many})"), &format!("script:1: bad argument #-1 {refused}"));
}
