//! Whatever a script passes, there is a result or an error, and no more memory than the input asks for.

use crate::interpreter::{check, interpreter};
use lua::mlua::{Function, Lua, MultiValue, Table, Value};
use proptest::prelude::*;

const LIBRARIES: [&str; 4] = ["bit", "cjson", "cmsgpack", "struct"];

/// Memory for a byte of input: an empty table has 64 bytes, with room for an element more than 100.
const MEMORY: usize = 300;

/// A value for an argument, by a number and some bytes.
fn value(lua: &Lua, kind: u8, bytes: &[u8]) -> Value {
    let number = i64::from_le_bytes(std::array::from_fn(|at| bytes.get(at).copied().unwrap_or(0)));
    match kind {
        0 => Value::Nil,
        1 => Value::Boolean(bytes.len().is_multiple_of(2)),
        2 => Value::Number(f64::from_bits(number.cast_unsigned())),
        3 => Value::Number((number >> 56) as f64),
        4 => Value::NULL,
        5 => Value::Table(lua.create_sequence_from(bytes.iter().copied()).unwrap()),
        6 => {
            let table = lua.create_table().unwrap();
            table.set(1, &table).unwrap();
            Value::Table(table)
        }
        7 => lua.globals().get("next").unwrap(),
        _ => Value::String(lua.create_string(bytes).unwrap()),
    }
}

fn arguments() -> impl Strategy<Value = Vec<(u8, Vec<u8>)>> {
    let text = prop_oneof![
        prop::collection::vec(any::<u8>(), 0..30),
        "[bBhHlLTiIcsfdx<>! 0-9]{0,12}".prop_map(String::into_bytes),
        "[\\[\\]{},:\"0-9enu\\\\+.-]{0,20}".prop_map(String::into_bytes),
    ];
    prop::collection::vec((0..12u8, text), 0..5)
}

/// What a function says to arguments.
fn call(function: &Function, arguments: impl Into<MultiValue>) -> Result<MultiValue, String> {
    function.call::<MultiValue>(arguments.into()).map_err(|error| error.to_string())
}

proptest! {
    #[test]
    fn any_arguments(arguments in arguments()) {
        let lua = interpreter();
        for library in LIBRARIES {
            let library: Table = lua.globals().get(library).unwrap();
            for pair in library.pairs::<String, Value>() {
                // Settings would have an effect on what comes after.
                if let (name, Value::Function(function)) = pair.unwrap()
                    && !name.contains("code_")
                {
                    let values: Vec<Value> = arguments.iter().map(|(kind, bytes)| value(&lua, *kind, bytes)).collect();
                    let _ = call(&function, MultiValue::from_vec(values));
                }
            }
        }
        prop_assert!(lua.used_memory() < 2_000_000);
    }

    #[test]
    fn any_bytes(bytes in prop::collection::vec(any::<u8>(), 0..2_000)) {
        let lua = interpreter();
        let readers = [("cjson", "decode"), ("cmsgpack", "unpack")];
        for (library, name) in readers {
            let function: Function = lua.globals().get::<Table>(library).unwrap().get(name).unwrap();
            lua.gc_collect().unwrap();
            let before = lua.used_memory();
            let _ = call(&function, MultiValue::from_iter([Value::String(lua.create_string(&bytes).unwrap())]));
            let after = lua.used_memory();
            prop_assert!(after < before + MEMORY * bytes.len() + 20_000, "{} bytes", after - before);
        }
    }
}

#[test]
fn declared_lengths_take_no_memory() {
    let lua = interpreter();
    lua.set_memory_limit(2_000_000).unwrap();
    for bytes in
        ["\\221\\255\\255\\255\\255", "\\223\\255\\255\\255\\255", "\\219\\255\\255\\255\\255", "\\220\\255\\255"]
    {
        check(&lua, &format!("cmsgpack.unpack('{bytes}')"), "script:1: Missing bytes in input.");
    }
    check(&lua, "struct.unpack('c2147483647', '')", "script:1: bad argument #2 to 'unpack' (data string too short)");
    check(
        &lua,
        "struct.unpack('dc0', struct.pack('d', 2^40))",
        "script:1: bad argument #2 to 'unpack' (data string too short)",
    );
    check(&lua, "#struct.pack('!1073741824 b i32 b', 1, 1, 1)", "65");
}

#[test]
fn nesting_has_an_end() {
    let lua = interpreter();
    let in_array = "script:1: stack overflow (in function mp_decode_to_lua_array)";
    let too_many = "script:1: stack overflow (too many return values at once; use unpack_one or unpack_limit instead.)";
    let nests = [("'\\145'", in_array), ("'\\129\\1'", too_many), ("'\\129'", too_many), ("'\\129\\145'", too_many)];
    for (nested, expected) in nests {
        let expression = format!("cmsgpack.unpack(({nested}):rep(1000000))");
        check(&lua, &expression, expected);
    }
    check(
        &lua,
        "cjson.decode(('['):rep(1000000))",
        "script:1: Found too many nested data structures (1001) at character 1001",
    );
    check(
        &lua,
        "(function() local t = {} t[1] = t return cjson.encode(t) end)()",
        "script:1: Cannot serialise, excessive nesting (1001)",
    );
    check(&lua, "#(function() local t = {} t[1] = t return cmsgpack.pack(t) end)()", "17");
}

/// Only those in each other are counted.
#[test]
fn tables_beside_each_other_have_no_end() {
    let lua = interpreter();
    for (value, len) in [("[1]", 40_001), ("{\"a\":1}", 80_001)] {
        let json = format!("'[' .. ('{value},'):rep(9999) .. '{value}]'");
        check(&lua, &format!("#cjson.decode({json})"), "10000");
        check(&lua, &format!("#cjson.encode(cjson.decode({json}))"), &len.to_string());
        check(&lua, &format!("#cmsgpack.unpack(cmsgpack.pack(cjson.decode({json})))"), "10000");
    }
}

#[test]
fn memory_that_is_not_there_is_an_error() {
    let lua = interpreter();
    lua.set_memory_limit(lua.used_memory() + 200_000).unwrap();
    check(&lua, "cjson.decode('[' .. ('[],'):rep(20000) .. '1]')", "not enough memory");
    check(&lua, "cmsgpack.unpack('\\220\\120\\0' .. ('\\144'):rep(30000))", "not enough memory");
}
