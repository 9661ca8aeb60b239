//! The same results as redis-server's, error texts and the order of tables included.

use crate::interpreter::{SHOW, interpreter, run, run_redis};
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;
use testkit::redis_server;

/// Function bodies, one a line.
const BODIES: [(&str, &str); 5] = [
    ("bit", include_str!("expressions/bits.lua")),
    ("cjson", include_str!("expressions/json.lua")),
    ("cmsgpack", include_str!("expressions/msgpack.lua")),
    ("struct", include_str!("expressions/structs.lua")),
    ("errors", include_str!("expressions/errors.lua")),
];

#[test]
fn fixed_expressions() {
    let Some(redis) = redis_server(&[]) else { return };
    let mut client = redis.connect();
    let lua = interpreter();
    let mut differences = Vec::new();
    for (library, bodies) in BODIES {
        for body in bodies.lines().filter(|line| !line.is_empty() && !line.starts_with("--")) {
            let script = format!("{SHOW}\nreturn shown(function() {body} end)");
            let (ours, theirs) = (run(&lua, &script, &[]), run_redis(&mut client, &script, &[]));
            if ours != theirs {
                let (ours, theirs) = (String::from_utf8_lossy(&ours), String::from_utf8_lossy(&theirs));
                differences.push(format!("{library}: {body}\n    ours {ours:.300}\n    theirs {theirs:.300}"));
            }
        }
    }
    assert!(differences.is_empty(), "{}", differences.join("\n"));
}

/// Texts that are JSON, nearly.
fn nearly_json() -> impl Strategy<Value = Vec<u8>> {
    let pieces = [
        "{",
        "}",
        "[",
        "]",
        ",",
        ":",
        "\"a\"",
        "\"b\"",
        "\"\\u00e9\\n\\/\"",
        "\"\\ud83d\\ude00\"",
        "\"\\ud83d\"",
        "\"\\u12g4\"",
        "\"\\q\"",
        "\"",
        "\\",
        "1",
        "-0",
        "01",
        "1.5e3",
        "1e400",
        "-1e-400",
        "0x1p-3",
        "0x",
        "1.",
        ".5",
        "-",
        "+1",
        "+",
        "inf",
        "-Infinity",
        "nan",
        "-nan",
        "nan(12)",
        "true",
        "false",
        "null",
        "tru",
        "nul",
        " ",
        "\t",
        "\0",
        "\u{7f}",
        "é",
        "'",
        "{\"k\":",
        "[1,",
        "\"x\":1,",
        "]}",
        "2]",
    ];
    let whole = prop::collection::vec(prop::sample::select(pieces.to_vec()), 1..12);
    whole.prop_map(|pieces| pieces.concat().into_bytes())
}

/// Bytes that are MessagePack, nearly.
fn nearly_msgpack() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop_oneof![
        prop::collection::vec(any::<u8>(), 1..4),
        (0xc0..=0xdf_u8, prop::collection::vec(0..4_u8, 0..9)).prop_map(|(first, rest)| [vec![first], rest].concat()),
        (0x80..=0x9f_u8, prop::collection::vec(0..0x80_u8, 0..16))
            .prop_map(|(first, rest)| [vec![first & 0xf3], rest].concat()),
        Just(b"\xa3abc".to_vec()),
    ];
    prop::collection::vec(piece, 1..6).prop_map(|pieces| pieces.concat())
}

fn formats() -> impl Strategy<Value = Vec<u8>> {
    let pieces = [
        "b",
        "B",
        "h",
        "H",
        "l",
        "L",
        "T",
        "i",
        "I",
        "i3",
        "I5",
        "i8",
        "I8",
        "i9",
        "i16",
        "I32",
        "i33",
        "i0",
        "f",
        "d",
        "s",
        "x",
        "c0",
        "c1",
        "c3",
        "<",
        ">",
        "!",
        "!2",
        "!4",
        "!3",
        " ",
        "z",
        "5",
        "c99999999999",
        "\u{e9}",
    ];
    prop::collection::vec(prop::sample::select(pieces.to_vec()), 1..8).prop_map(|pieces| pieces.concat().into_bytes())
}

fn doubles() -> impl Strategy<Value = f64> {
    prop_oneof![
        any::<f64>(),
        any::<i64>().prop_map(|integer| integer as f64),
        any::<u64>().prop_map(|integer| integer as f64),
        any::<i32>().prop_map(f64::from),
        (-1000..1000).prop_map(f64::from),
        any::<f32>().prop_map(f64::from),
        (any::<i32>(), 0..40).prop_map(|(integer, power)| f64::from(integer) / f64::from(power).exp2()),
        (any::<u32>(), -20..20).prop_map(|(integer, power)| f64::from(integer) * 10f64.powi(power)),
    ]
}

/// Runs a body with random arguments by both. It is to return `show_all(...)`.
fn compare<T: AsRef<[u8]> + std::fmt::Debug>(body: &str, arguments: impl Strategy<Value = Vec<T>>) {
    let Some(redis) = redis_server(&[]) else { return };
    let mut client = redis.connect();
    let lua = interpreter();
    let script = format!("{SHOW}\n{body}");
    let mut runner = TestRunner::deterministic();
    for _ in 0..rounds() {
        let arguments = arguments.new_tree(&mut runner).unwrap().current();
        let arguments: Vec<&[u8]> = arguments.iter().map(AsRef::as_ref).collect();
        let (ours, theirs) = (run(&lua, &script, &arguments), run_redis(&mut client, &script, &arguments));
        assert!(
            ours == theirs,
            "{:?}\n    ours {:.500}\n    theirs {:.500}",
            arguments.iter().map(|bytes| bytes.escape_ascii().to_string()).collect::<Vec<_>>(),
            String::from_utf8_lossy(&ours),
            String::from_utf8_lossy(&theirs)
        );
    }
}

/// More of them with PROPTEST_CASES.
fn rounds() -> u32 {
    std::env::var("PROPTEST_CASES").ok().and_then(|count| count.parse().ok()).unwrap_or(200)
}

#[test]
fn random_json() {
    let body = "
        local ok, value = pcall(cjson.decode, ARGV[1])
        cjson.decode_invalid_numbers(false)
        local strict_ok, strict = pcall(cjson.decode, ARGV[1])
        cjson.decode_invalid_numbers(true)
        cjson.encode_invalid_numbers(true)
        local again_ok, again = pcall(cjson.encode, value)
        cjson.encode_invalid_numbers(false)
        return show_all(ok, value, strict_ok, strict, again_ok, again)";
    compare(body, nearly_json().prop_map(|text| vec![text]));
}

#[test]
fn random_msgpack() {
    // Maps whose keys are tables are in no order.
    let body = "
        local without_maps = ARGV[1]:gsub('[\\128-\\143\\222\\223]', '\\1')
        return show_all(
            shown(function() return cmsgpack.pack(cmsgpack.unpack(without_maps)) end),
            shown(cmsgpack.unpack, ARGV[1]),
            shown(cmsgpack.unpack_one, ARGV[1], 1),
            shown(cmsgpack.unpack_limit, ARGV[1], 2)
        )";
    compare(body, nearly_msgpack().prop_map(|bytes| vec![bytes]));
}

#[test]
fn random_structs() {
    let body = "
        local values = {}
        for index = 3, #ARGV do values[index - 2] = ARGV[index] end
        return show_all(
            shown(struct.size, ARGV[1]),
            shown(struct.unpack, ARGV[1], ARGV[2]),
            shown(struct.unpack, ARGV[1], ARGV[2], 3),
            shown(struct.pack, ARGV[1], unpack(values))
        )";
    let arguments = (formats(), prop::collection::vec(any::<u8>(), 0..48), prop::collection::vec(doubles(), 0..6));
    compare(
        body,
        arguments.prop_map(|(format, bytes, values)| {
            let values = values.into_iter().map(|value| format!("{value:e}").into_bytes());
            [format, bytes].into_iter().chain(values).collect()
        }),
    );
}

#[test]
fn random_numbers() {
    let body = "
        local value = tonumber(ARGV[1])
        local other = tonumber(ARGV[2])
        cjson.encode_invalid_numbers(true)
        cjson.encode_number_precision(1 + #ARGV[2] % 14)
        local short = cjson.encode({value, other})
        cjson.encode_number_precision(14)
        local all = cjson.encode({[math.min(value, 10)] = other, x = value})
        cjson.encode_invalid_numbers(false)
        local results = {}
        local names = 'tobit tohex bnot band bor bxor lshift rshift arshift rol ror bswap'
        for name in names:gmatch('%w+') do
            results[#results + 1] = shown(bit[name], value, other)
        end
        return show_all(short, all, cjson.decode(ARGV[1]), cmsgpack.pack(value, other), table.concat(results, ' '))";
    // A digit count that redis-server has no memory for is left out.
    let usual = || doubles().prop_filter("a number", |value| value.is_finite() && value.abs() != 2_147_483_648.0);
    let pair = (usual(), usual());
    compare(body, pair.prop_map(|(value, other)| vec![format!("{value:e}"), format!("{other:e}")]));
}
