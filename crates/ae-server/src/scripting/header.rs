//! The first line of a script, which may say how it behaves: `#!lua name=library flags=no-writes,allow-oom`.

use resp::words;

/// What a script says of itself.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct Flags {
    /// It has a first line that says so. One without may do anything, and is judged by what it does.
    pub declared: bool,
    pub no_writes: bool,
    pub allow_oom: bool,
    pub allow_stale: bool,
    pub no_cluster: bool,
    pub allow_cross_slot_keys: bool,
}

impl Flags {
    /// Adds a flag; false if there is none of that name.
    pub fn add(&mut self, name: &[u8]) -> bool {
        let flag = match name {
            b"no-writes" => &mut self.no_writes,
            b"allow-oom" => &mut self.allow_oom,
            b"allow-stale" => &mut self.allow_stale,
            b"no-cluster" => &mut self.no_cluster,
            b"allow-cross-slot-keys" => &mut self.allow_cross_slot_keys,
            _ => return false,
        };
        *flag = true;
        true
    }

    /// The names of those that are set.
    pub fn names(self) -> impl Iterator<Item = &'static str> {
        let all = [
            (self.no_writes, "no-writes"),
            (self.allow_oom, "allow-oom"),
            (self.allow_stale, "allow-stale"),
            (self.no_cluster, "no-cluster"),
            (self.allow_cross_slot_keys, "allow-cross-slot-keys"),
        ];
        all.into_iter().filter_map(|(set, name)| set.then_some(name))
    }
}

/// The flags and the name that a first line gives, and what Lua is to compile: without that line, with its end, so that
/// lines keep their numbers.
pub struct Header<'s> {
    pub flags: Flags,
    pub engine: &'s [u8],
    pub name: Option<Vec<u8>>,
    pub code: &'s [u8],
}

/// A script's header.
pub fn of_script(text: &[u8]) -> Result<Header<'_>, String> {
    if !text.starts_with(b"#!") {
        return Ok(Header { flags: Flags::default(), engine: b"lua", name: None, code: text });
    }
    let (engine, options, code) = first_line(text).ok_or("Invalid script shebang")?;
    if engine != b"lua" {
        return Err(format!("Unexpected engine in script shebang: #!{}", String::from_utf8_lossy(engine)));
    }
    let mut flags = Flags { declared: true, ..Flags::default() };
    for option in options {
        let Some(list) = option.strip_prefix(b"flags=") else {
            return Err(format!("Unknown lua shebang option: {}", String::from_utf8_lossy(&option)));
        };
        // An empty list has no flag, and any other no empty one.
        for flag in list.split(|byte| *byte == b',').filter(|_| !list.is_empty()) {
            if !flags.add(flag) {
                return Err(format!("Unexpected flag in script shebang: {}", String::from_utf8_lossy(flag)));
            }
        }
    }
    Ok(Header { flags, engine, name: None, code })
}

/// A library's header, which has to be there.
pub fn of_library(text: &[u8]) -> Result<Header<'_>, String> {
    if !text.starts_with(b"#!") {
        return Err("Missing library metadata".into());
    }
    let (engine, options, code) = first_line(text).ok_or("Invalid library metadata")?;
    let mut name = None;
    for option in options {
        let is_name = option.get(..5).is_some_and(|start| start.eq_ignore_ascii_case(b"name="));
        let Some(given) = option.get(5..).filter(|_| is_name) else {
            return Err(format!("Invalid metadata value given: {}", String::from_utf8_lossy(&option)));
        };
        if name.replace(given.to_vec()).is_some() {
            return Err("Invalid metadata value, name argument was given multiple times".into());
        }
    }
    Ok(Header { flags: Flags::default(), engine, name, code })
}

/// The engine, the options, and what comes after the first line, with that line's end.
type Parts<'s> = (&'s [u8], Vec<Vec<u8>>, &'s [u8]);

fn first_line(text: &[u8]) -> Option<Parts<'_>> {
    let (line, code) = text.split_at(text.iter().position(|byte| *byte == b'\n')?);
    let mut words = words::split(line).ok()?;
    // The first word, without what makes it a header.
    let engine = line.get(2..words.first()?.len())?;
    words.remove(0);
    Some((engine, words, code))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_of_libraries() {
        let name = |text: &str| of_library(text.as_bytes()).map(|header| header.name);
        assert_eq!(name("#!lua name=x\n"), Ok(Some(b"x".to_vec())));
        assert_eq!(name("#!lua NaMe=X\n"), Ok(Some(b"X".to_vec())));
        assert_eq!(name("#!lua nam=x\n"), Err("Invalid metadata value given: nam=x".into()));
    }

    #[test]
    fn headers_of_scripts() {
        let flags = |text: &str| of_script(text.as_bytes()).map(|header| header.flags.names().collect::<Vec<_>>());
        assert_eq!(flags("return 1"), Ok(vec![]));
        assert_eq!(flags("#!lua\nreturn 1"), Ok(vec![]));
        assert_eq!(flags("#!lua flags=no-writes,allow-stale\nreturn 1"), Ok(vec!["no-writes", "allow-stale"]));
        assert_eq!(flags("#!lua flags=bad\n"), Err("Unexpected flag in script shebang: bad".into()));
        assert_eq!(flags("#!lua foo=1\n"), Err("Unknown lua shebang option: foo=1".into()));
        assert_eq!(flags("#!lua name=x\n"), Err("Unknown lua shebang option: name=x".into()));
        assert_eq!(flags("#!js\n"), Err("Unexpected engine in script shebang: #!js".into()));
        assert_eq!(flags("#!lua flags=\n"), Ok(vec![]));
        assert_eq!(flags("#!lua flags=no-writes,\n"), Err("Unexpected flag in script shebang: ".into()));
        assert_eq!(flags("#!lua"), Err("Invalid script shebang".into()));
        assert!(of_script(b"return 1").is_ok_and(|header| !header.flags.declared));
        assert_eq!(of_script(b"#!lua\nreturn 1").map(|header| header.code), Ok(&b"\nreturn 1"[..]));
    }
}
