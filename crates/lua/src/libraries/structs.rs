//! struct: bytes as C lays them out.

use crate::libraries::numbers::to_u64;
use crate::libraries::parameters::{Arguments, MAX_SLOTS, add, to_number};
use crate::libraries::raise;
use mlua::{Error, Lua, MultiValue, Table, Value};

/// The largest integer in bytes.
const MAX_INTEGER: usize = 32;

/// What `!` without a number stands for.
const MAX_ALIGNMENT: usize = 8;

/// Why a format has no room for its results.
const TOO_MANY: &str = "too many results";

/// The library's table.
pub fn library(lua: &Lua) -> mlua::Result<Table> {
    let library = lua.create_table()?;
    add(lua, &library, "pack", |lua, arguments| lua.create_string(pack(lua, arguments)?))?;
    add(lua, &library, "unpack", |lua, arguments| {
        unpack(lua, &arguments).map_err(|error| raise::no_slots_if_so(lua, error, TOO_MANY))
    })?;
    add(lua, &library, "size", |lua, arguments| size(lua, &arguments))?;
    Ok(library)
}

/// A format that is being read.
struct Format<'a> {
    lua: &'a Lua,
    rest: &'a [u8],
    big_endian: bool,
    alignment: usize,
}

impl<'a> Format<'a> {
    fn new(lua: &'a Lua, text: &'a [u8]) -> Format<'a> {
        // As in C, a zero byte ends it.
        let rest = text.split(|&byte| byte == 0).next().unwrap_or_default();
        Format { lua, rest, big_endian: false, alignment: 1 }
    }

    /// The next option and its size in bytes: 0 for those that have none.
    fn next(&mut self) -> mlua::Result<Option<(u8, usize)>> {
        let Some((&option, rest)) = self.rest.split_first() else { return Ok(None) };
        self.rest = rest;
        let size = match option {
            b'b' | b'B' | b'x' => 1,
            b'h' | b'H' => 2,
            b'f' => 4,
            b'l' | b'L' | b'T' | b'd' => 8,
            b'c' => self.number(1)?,
            b'i' | b'I' => {
                let size = self.number(4)?;
                if size > MAX_INTEGER {
                    let message = format!("integral size {size} is larger than limit of {MAX_INTEGER}");
                    return Err(raise::error(self.lua, message));
                }
                size
            }
            _ => 0,
        };
        Ok(Some((option, size)))
    }

    /// A number if there is one; at most C's largest int.
    fn number(&mut self, default: usize) -> mlua::Result<usize> {
        let len = self.rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
        if len == 0 {
            return Ok(default);
        }
        let (digits, rest) = self.rest.split_at(len);
        self.rest = rest;
        digits
            .iter()
            .try_fold(0i32, |number, digit| number.checked_mul(10)?.checked_add(i32::from(digit - b'0')))
            .map(|number| number as usize)
            .ok_or_else(|| raise::error(self.lua, "integral size overflow"))
    }

    /// How many bytes to skip before this option.
    fn padding(&self, position: usize, option: u8, size: usize) -> usize {
        if size == 0 || option == b'c' {
            return 0;
        }
        let mask = size.min(self.alignment) - 1;
        (mask + 1).wrapping_sub(position & mask) & mask
    }

    /// Options that set something.
    fn control(&mut self, option: u8) -> mlua::Result<()> {
        match option {
            b' ' => {}
            b'>' => self.big_endian = true,
            b'<' => self.big_endian = false,
            b'!' => {
                let alignment = self.number(MAX_ALIGNMENT)?;
                if !alignment.is_power_of_two() {
                    let message = format!("alignment {alignment} is not a power of 2");
                    return Err(raise::error(self.lua, message));
                }
                self.alignment = alignment;
            }
            _ => {
                let message = [b"invalid format option '".as_slice(), &[option], b"'"].concat();
                return Err(raise::argument(self.lua, 1, message));
            }
        }
        Ok(())
    }

    /// Bytes between their little-endian order and the one that is set.
    fn order<const N: usize>(&self, mut bytes: [u8; N]) -> [u8; N] {
        if self.big_endian {
            bytes.reverse();
        }
        bytes
    }
}

fn pack(lua: &Lua, mut arguments: Arguments) -> mlua::Result<Vec<u8>> {
    let text = arguments.string(1)?;
    let text = text.as_bytes();
    // In Redis, a nil is where the first argument is missing.
    let marked = arguments.count() + 1;
    arguments.fill(marked);
    let mut format = Format::new(lua, &text);
    let mut bytes = Vec::new();
    let mut number = 2;
    while let Some((option, size)) = format.next()? {
        let padding = format.padding(bytes.len(), option, size);
        bytes.resize(bytes.len() + padding, 0);
        match option {
            b'b' | b'B' | b'h' | b'H' | b'l' | b'L' | b'T' | b'i' | b'I' => {
                let value = to_u64(arguments.number(number)?);
                let mut integer = [0; MAX_INTEGER];
                integer[..8].copy_from_slice(&value.to_le_bytes());
                let integer = &mut integer[..size];
                if format.big_endian {
                    integer.reverse();
                }
                bytes.extend_from_slice(integer);
                number += 1;
            }
            b'x' => bytes.push(0),
            b'f' => {
                bytes.extend_from_slice(&format.order((arguments.number(number)? as f32).to_le_bytes()));
                number += 1;
            }
            b'd' => {
                bytes.extend_from_slice(&format.order(arguments.number(number)?.to_le_bytes()));
                number += 1;
            }
            b'c' | b's' => {
                let string = arguments.string(number)?;
                let string = string.as_bytes();
                number += 1;
                let wanted = if size == 0 { string.len() } else { size };
                let Some(start) = string.get(..wanted) else {
                    // Redis names the argument after it.
                    return Err(arguments.error(number, "string too short"));
                };
                bytes.extend_from_slice(start);
                if option == b's' {
                    bytes.push(0);
                }
            }
            _ => format.control(option)?,
        }
    }
    Ok(bytes)
}

fn unpack(lua: &Lua, arguments: &Arguments) -> mlua::Result<MultiValue> {
    let text = arguments.string(1)?;
    let text = text.as_bytes();
    let data = arguments.string(2)?;
    let data = data.as_bytes();
    let start = arguments.integer_or(3, 1)?;
    if start == 0 {
        return Err(arguments.error(3, "offset must be 1 or greater"));
    }
    // Negative ones are beyond the end of every string.
    let mut position = start.cast_unsigned().wrapping_sub(1) as usize;
    let short = || -> Error { arguments.error(2, "data string too short") };
    let mut format = Format::new(lua, &text);
    let mut values = MultiValue::new();
    while let Some((option, mut size)) = format.next()? {
        position = position.wrapping_add(format.padding(position, option, size));
        let mut rest = data.get(position..).ok_or_else(short)?;
        if size > rest.len() {
            return Err(short());
        }
        if arguments.count() + values.len() + 2 > MAX_SLOTS {
            return Err(raise::no_slots(lua, TOO_MANY));
        }
        match option {
            b'b' | b'B' | b'h' | b'H' | b'l' | b'L' | b'T' | b'i' | b'I' => {
                let signed = option.is_ascii_lowercase();
                values.push_back(Value::Number(integer(&rest[..size], format.big_endian, signed)));
            }
            b'x' => {}
            b'f' => {
                let bytes = rest.first_chunk().ok_or_else(short)?;
                values.push_back(Value::Number(f32::from_le_bytes(format.order(*bytes)).into()));
            }
            b'd' => {
                let bytes = rest.first_chunk().ok_or_else(short)?;
                values.push_back(Value::Number(f64::from_le_bytes(format.order(*bytes))));
            }
            b'c' => {
                if size == 0 {
                    let previous = values.pop_back().unwrap_or(Value::Nil);
                    let Some(previous) = to_number(lua, &previous)? else {
                        return Err(raise::error(lua, "format 'c0' needs a previous size"));
                    };
                    size = to_u64(previous) as usize;
                }
                rest = rest.get(..size).ok_or_else(short)?;
                values.push_back(Value::String(lua.create_string(rest)?));
            }
            b's' => {
                let Some(len) = rest.iter().position(|&byte| byte == 0) else {
                    return Err(raise::error(lua, "unfinished string in data"));
                };
                size = len + 1;
                values.push_back(Value::String(lua.create_string(&rest[..len])?));
            }
            _ => format.control(option)?,
        }
        position += size;
    }
    values.push_back(Value::Number((position.wrapping_add(1) as i64) as f64));
    Ok(values)
}

/// An integer of any size as Redis reads it: of those above 8 bytes the lowest 8, and with a sign at the bit that a
/// processor takes for the one that does not exist.
fn integer(bytes: &[u8], big_endian: bool, signed: bool) -> f64 {
    let add = |number: u64, byte: &u8| number << 8 | u64::from(*byte);
    let number = if big_endian { bytes.iter().fold(0, add) } else { bytes.iter().rev().fold(0, add) };
    if !signed {
        return number as f64;
    }
    let above = u64::MAX.wrapping_shl((8 * bytes.len() as u32).wrapping_sub(1));
    let number = if number & above == 0 { number } else { number | above };
    number.cast_signed() as f64
}

fn size(lua: &Lua, arguments: &Arguments) -> mlua::Result<f64> {
    let text = arguments.string(1)?;
    let text = text.as_bytes();
    let mut format = Format::new(lua, &text);
    let mut position = 0usize;
    while let Some((option, size)) = format.next()? {
        position = position.wrapping_add(format.padding(position, option, size));
        match option {
            b's' => return Err(arguments.error(1, "option 's' has no fixed size")),
            b'c' if size == 0 => return Err(arguments.error(1, "option 'c0' has no fixed size")),
            // Unknown letters and digits pass.
            _ if option.is_ascii_alphanumeric() => {}
            _ => format.control(option)?,
        }
        position = position.wrapping_add(size);
    }
    Ok((position as i64) as f64)
}
