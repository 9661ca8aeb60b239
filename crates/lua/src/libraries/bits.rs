//! bit: operations on 32 bits.

use crate::libraries::parameters::{Arguments, add};
use mlua::{Lua, Table};

type Shift = fn(u32, u32) -> u32;
type Combine = fn(u32, u32) -> u32;

/// The library's table.
pub fn library(lua: &Lua) -> mlua::Result<Table> {
    let library = lua.create_table()?;
    add(lua, &library, "tobit", |_, arguments| Ok(number(bits(&arguments, 1)?)))?;
    add(lua, &library, "bnot", |_, arguments| Ok(number(!bits(&arguments, 1)?)))?;
    add(lua, &library, "bswap", |_, arguments| Ok(number(bits(&arguments, 1)?.swap_bytes())))?;
    add(lua, &library, "tohex", |lua, arguments| {
        let bits = bits(&arguments, 1)?;
        lua.create_string(hexadecimal(bits, if arguments.count() < 2 { 8 } else { digits(&arguments)? }))
    })?;
    let combine: [(&str, Combine); 3] = [("band", |a, b| a & b), ("bor", |a, b| a | b), ("bxor", |a, b| a ^ b)];
    for (name, combine) in combine {
        add(lua, &library, name, move |_, arguments| {
            let first = bits(&arguments, 1)?;
            // From the last one on, which decides which wrong argument is named.
            let all = (2..=arguments.count())
                .rev()
                .try_fold(first, |all, next| mlua::Result::Ok(combine(all, bits(&arguments, next)?)))?;
            Ok(number(all))
        })?;
    }
    let shifts: [(&str, Shift); 5] = [
        ("lshift", |bits, by| bits << by),
        ("rshift", |bits, by| bits >> by),
        ("arshift", |bits, by| (bits.cast_signed() >> by).cast_unsigned()),
        ("rol", u32::rotate_left),
        ("ror", u32::rotate_right),
    ];
    for (name, shift) in shifts {
        add(lua, &library, name, move |_, arguments| {
            Ok(number(shift(bits(&arguments, 1)?, bits(&arguments, 2)? & 31)))
        })?;
    }
    Ok(library)
}

/// The low 32 bits of an argument, rounded to an integer by the addition of 2^52 + 2^51, which leaves it in the low
/// bits of the sum.
fn bits(arguments: &Arguments, number: usize) -> mlua::Result<u32> {
    Ok((arguments.number(number)? + 6_755_399_441_055_744.0).to_bits() as u32)
}

fn number(bits: u32) -> f64 {
    f64::from(bits.cast_signed())
}

/// How many digits are wanted; a negative number means upper case.
fn digits(arguments: &Arguments) -> mlua::Result<i32> {
    Ok(bits(arguments, 2)?.cast_signed())
}

/// The lowest digits, at most 8.
fn hexadecimal(bits: u32, digits: i32) -> String {
    let count = digits.unsigned_abs().min(8) as usize;
    let text = if digits < 0 { format!("{bits:08X}") } else { format!("{bits:08x}") };
    text[8 - count..].to_owned()
}
