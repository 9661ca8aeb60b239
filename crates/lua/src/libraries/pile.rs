//! A stack of Lua values of any height.

use mlua::{FromLua, IntoLua, Lua, Table};

/// So many values stay in Rust. mlua keeps a value that Rust has in a slot, of which there are a few thousand.
const NEAR: usize = 64;

/// A stack of Lua values, whose lower part is in a Lua table if it is high.
pub struct Pile<'a, T> {
    lua: &'a Lua,
    near: Vec<T>,
    far: Option<Table>,
    len: usize,
}

impl<'a, T: IntoLua + FromLua> Pile<'a, T> {
    /// None yet.
    pub fn new(lua: &'a Lua) -> Pile<'a, T> {
        Pile { lua, near: Vec::new(), far: None, len: 0 }
    }

    /// Puts a value on top.
    pub fn push(&mut self, value: T) -> mlua::Result<()> {
        self.len += 1;
        if self.len <= NEAR {
            self.near.push(value);
            return Ok(());
        }
        let far = match self.far.take() {
            Some(far) => far,
            None => self.lua.create_table()?,
        };
        self.far.insert(far).raw_set(self.len, value)
    }

    /// Takes the value on top.
    pub fn pop(&mut self) -> mlua::Result<Option<T>> {
        let height = self.len;
        self.len = height.saturating_sub(1);
        match &self.far {
            Some(far) if height > NEAR => far.raw_get(height).map(Some),
            _ => Ok(self.near.pop()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_come_back_in_reverse() {
        let lua = Lua::new();
        let mut pile = Pile::new(&lua);
        for height in 1..20_000 {
            pile.push(lua.create_string(format!("{height}")).unwrap()).unwrap();
            if height % 3 == 0 {
                assert_eq!(pile.pop().unwrap().unwrap(), format!("{height}"));
                pile.push(lua.create_string(format!("{height}")).unwrap()).unwrap();
            }
        }
        for height in (1..20_000).rev() {
            assert_eq!(pile.pop().unwrap().unwrap(), format!("{height}"));
        }
        assert!(pile.pop().unwrap().is_none());
        assert!(pile.pop().unwrap().is_none());
    }
}
