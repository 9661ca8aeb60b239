//! The library's table.

use crate::libraries::json::settings::{Settings, at_most, integer, invalid_numbers, switch};
use crate::libraries::json::{reader, writer};
use crate::libraries::parameters::{Arguments, add};
use mlua::{Function, IntoLuaMulti, Lua, Table, Value};
use std::cell::Cell;
use std::rc::Rc;

/// A table with settings of its own.
pub fn library(lua: &Lua) -> mlua::Result<Table> {
    let library = lua.create_table()?;
    let settings = Rc::new(Cell::new(Settings::default()));
    let shared = Rc::clone(&settings);
    let next: Function = lua.globals().get("next")?;
    add(lua, &library, "encode", move |lua, arguments| {
        one_argument(&arguments)?;
        lua.create_string(writer::write(lua, &next, shared.get(), arguments.get(1).unwrap_or(&Value::Nil))?)
    })?;
    let shared = Rc::clone(&settings);
    add(lua, &library, "decode", move |lua, arguments| {
        one_argument(&arguments)?;
        reader::read(lua, shared.get(), &arguments.string(1)?.as_bytes())
    })?;
    add(lua, &library, "new", |lua, _| self::library(lua))?;
    add_setting(lua, &library, "encode_sparse_array", 3, &settings, |_, arguments, settings| {
        let convert = switch(arguments, 1, &mut settings.sparse_convert)?;
        let ratio = integer(arguments, 2, &mut settings.sparse_ratio, 0, i32::MAX)?;
        let safe = integer(arguments, 3, &mut settings.sparse_safe, 0, i32::MAX)?;
        Ok((convert, ratio, safe))
    })?;
    add_setting(lua, &library, "encode_max_depth", 1, &settings, |_, arguments, settings| {
        integer(arguments, 1, &mut settings.write_depth, 1, i32::MAX)
    })?;
    add_setting(lua, &library, "decode_max_depth", 1, &settings, |_, arguments, settings| {
        integer(arguments, 1, &mut settings.read_depth, 1, i32::MAX)
    })?;
    add_setting(lua, &library, "encode_number_precision", 1, &settings, |_, arguments, settings| {
        integer(arguments, 1, &mut settings.precision, 1, 14)
    })?;
    add_setting(lua, &library, "encode_keep_buffer", 1, &settings, |_, arguments, settings| {
        switch(arguments, 1, &mut settings.keep_buffer)
    })?;
    add_setting(lua, &library, "encode_invalid_numbers", 1, &settings, |lua, arguments, settings| {
        invalid_numbers(lua, arguments, &mut settings.write_invalid)
    })?;
    add_setting(lua, &library, "decode_invalid_numbers", 1, &settings, |_, arguments, settings| {
        switch(arguments, 1, &mut settings.read_invalid)
    })?;
    library.raw_set("null", Value::NULL)?;
    library.raw_set("_NAME", "cjson")?;
    library.raw_set("_VERSION", "2.1.0")?;
    Ok(library)
}

fn one_argument(arguments: &Arguments) -> mlua::Result<()> {
    if arguments.count() == 1 { Ok(()) } else { Err(arguments.error(1, "expected 1 argument")) }
}

/// Adds a function that changes settings. What it has set stays set if it fails later on.
fn add_setting<R: IntoLuaMulti>(
    lua: &Lua,
    library: &Table,
    name: &str,
    count: usize,
    settings: &Rc<Cell<Settings>>,
    set: impl Fn(&Lua, &Arguments, &mut Settings) -> mlua::Result<R> + 'static,
) -> mlua::Result<()> {
    let shared = Rc::clone(settings);
    add(lua, library, name, move |lua, mut arguments| {
        at_most(&arguments, count)?;
        arguments.fill(count);
        let mut settings = shared.get();
        let result = set(lua, &arguments, &mut settings);
        shared.set(settings);
        result
    })
}
