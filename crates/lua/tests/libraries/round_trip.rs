//! What was written is read again.

use crate::interpreter::interpreter;
use lua::mlua::{Function, Lua, LuaString, MultiValue, Table, Value};
use proptest::prelude::*;
use std::collections::BTreeMap;

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Key {
    Index(i64),
    Text(Vec<u8>),
}

#[derive(Clone, Debug, PartialEq)]
enum Tree {
    Null,
    Boolean(bool),
    Number(f64),
    Text(Vec<u8>),
    Table(BTreeMap<Key, Tree>),
}

impl Tree {
    fn to_lua(&self, lua: &Lua) -> Value {
        match self {
            Tree::Null => Value::NULL,
            Tree::Boolean(boolean) => Value::Boolean(*boolean),
            Tree::Number(number) => Value::Number(*number),
            Tree::Text(text) => Value::String(lua.create_string(text).unwrap()),
            Tree::Table(members) => {
                let table = lua.create_table().unwrap();
                for (key, member) in members {
                    match key {
                        Key::Index(index) => table.raw_set(*index, member.to_lua(lua)),
                        Key::Text(text) => table.raw_set(lua.create_string(text).unwrap(), member.to_lua(lua)),
                    }
                    .unwrap();
                }
                Value::Table(table)
            }
        }
    }

    fn of(value: &Value) -> Tree {
        match value {
            Value::Boolean(boolean) => Tree::Boolean(*boolean),
            Value::Integer(integer) => Tree::Number(*integer as f64),
            Value::Number(number) => Tree::Number(*number),
            Value::String(string) => Tree::Text(string.as_bytes().to_vec()),
            Value::Table(table) => Tree::Table(
                table
                    .pairs::<Value, Value>()
                    .map(|pair| {
                        let (key, member) = pair.unwrap();
                        let key = match key {
                            Value::Integer(index) => Key::Index(index),
                            Value::String(text) => Key::Text(text.as_bytes().to_vec()),
                            other => panic!("{other:?}"),
                        };
                        (key, Tree::of(&member))
                    })
                    .collect(),
            ),
            other if other.is_null() => Tree::Null,
            other => panic!("{other:?}"),
        }
    }
}

fn trees(
    leaf: impl Strategy<Value = Tree> + 'static,
    keys: impl Strategy<Value = Key> + Clone + 'static,
) -> impl Strategy<Value = Tree> {
    leaf.prop_recursive(8, 60, 6, move |inner| {
        let array = prop::collection::vec(inner.clone(), 0..6)
            .prop_map(|members| Tree::Table((1..).map(Key::Index).zip(members).collect()));
        prop_oneof![array, prop::collection::btree_map(keys.clone(), inner, 0..6).prop_map(Tree::Table)]
    })
}

fn texts() -> impl Strategy<Value = Vec<u8>> + Clone {
    prop_oneof![prop::collection::vec(any::<u8>(), 0..40), "[a-z/\"\\\\\u{0}-\u{1f}]{0,8}".prop_map(String::into_bytes)]
}

/// Numbers of at most 14 digits.
fn short_numbers() -> impl Strategy<Value = f64> {
    prop_oneof![
        (-99_999_999_999_999..=99_999_999_999_999i64).prop_map(|integer| integer as f64),
        (-99_999_999..99_999_999i64).prop_map(|integer| integer as f64 / 8.0),
        (-999..1000i64, -300..300).prop_map(|(integer, power)| format!("{integer}e{power}").parse().unwrap()),
    ]
}

fn functions(lua: &Lua, library: &str, names: [&str; 2]) -> [Function; 2] {
    let library: Table = lua.globals().get(library).unwrap();
    names.map(|name| library.get(name).unwrap())
}

fn json_trees() -> impl Strategy<Value = Tree> {
    let leaf = prop_oneof![
        Just(Tree::Null),
        any::<bool>().prop_map(Tree::Boolean),
        short_numbers().prop_map(Tree::Number),
        texts().prop_map(Tree::Text),
    ];
    trees(leaf, texts().prop_map(Key::Text))
}

fn msgpack_trees() -> impl Strategy<Value = Tree> {
    let leaf = prop_oneof![
        any::<bool>().prop_map(Tree::Boolean),
        any::<f64>().prop_filter("comparable", |number| !number.is_nan()).prop_map(Tree::Number),
        any::<i64>().prop_map(|integer| Tree::Number((integer >> 11) as f64)),
        (-70_000..70_000).prop_map(|integer| Tree::Number(f64::from(integer))),
        texts().prop_map(Tree::Text),
    ];
    let keys = prop_oneof![texts().prop_map(Key::Text), (-5..100_000i64).prop_map(Key::Index)];
    trees(leaf, keys)
}

proptest! {
    #[test]
    fn json(tree in json_trees()) {
        let lua = interpreter();
        let [encode, decode] = functions(&lua, "cjson", ["encode", "decode"]);
        let text: LuaString = encode.call(tree.to_lua(&lua)).unwrap();
        prop_assert!(text.as_bytes().iter().all(|byte| *byte >= 32 && *byte != 127));
        let back: Value = decode.call(&text).unwrap();
        prop_assert_eq!(Tree::of(&back), tree);
    }

    #[test]
    fn msgpack(trees in prop::collection::vec(msgpack_trees(), 1..4)) {
        let lua = interpreter();
        let [pack, unpack] = functions(&lua, "cmsgpack", ["pack", "unpack"]);
        let values: MultiValue = trees.iter().map(|tree| tree.to_lua(&lua)).collect();
        let bytes: LuaString = pack.call(values).unwrap();
        let back: MultiValue = unpack.call(&bytes).unwrap();
        prop_assert_eq!(back.iter().map(Tree::of).collect::<Vec<_>>(), trees);
    }

    #[test]
    fn structs(
        signed: i32,
        unsigned: u32,
        short: i16,
        double: f64,
        text in prop::collection::vec(1..=255u8, 0..20),
        order in prop::sample::select(vec!["<", ">", "!>", "!4<", "!2 >"]),
    ) {
        prop_assume!(!double.is_nan());
        let lua = interpreter();
        let [pack, unpack] = functions(&lua, "struct", ["pack", "unpack"]);
        let format = format!("{order}i I h d s B c0 x i7");
        let text = lua.create_string(&text).unwrap();
        let len = text.as_bytes().len();
        let bytes: LuaString =
            pack.call((&*format, signed, unsigned, short, double, &text, len, &text, signed)).unwrap();
        let back: (i32, u32, i16, f64, LuaString, LuaString, i32, usize) = unpack.call((format, &bytes)).unwrap();
        prop_assert_eq!((back.0, back.1, back.2, back.3), (signed, unsigned, short, double));
        prop_assert_eq!((&back.4, &back.5, back.6), (&text, &text, signed));
        prop_assert_eq!(back.7, bytes.as_bytes().len() + 1);
    }
}
