//! `math.random`, in place of Lua's own.

use crate::libraries::parameters::{Arguments, add};
use crate::libraries::raise;
use crate::shared::Shared;
use mlua::{Lua, Table};
use std::rc::Rc;

/// Adds it: numbers of a sequence that a script can begin anew. A call that fails takes one, too.
pub fn add_random(lua: &Lua, table: &Table, shared: &Rc<Shared>) -> mlua::Result<()> {
    let shared = shared.clone();
    add(lua, table, "random", move |lua, args| {
        let number = shared.random.next();
        let (low, high) = match args.count() {
            0 => return Ok(number),
            1 => (1, int(&args, 1)?),
            2 => (int(&args, 1)?, int(&args, 2)?),
            _ => return Err(raise::error(lua, "wrong number of arguments")),
        };
        if low > high {
            return Err(args.error(args.count(), "interval is empty"));
        }
        Ok((number * (f64::from(high) - f64::from(low) + 1.0)).floor() + f64::from(low))
    })
}

/// An argument as C's `int`.
fn int(args: &Arguments, number: usize) -> mlua::Result<i32> {
    args.integer(number).map(|number| number as i32)
}
