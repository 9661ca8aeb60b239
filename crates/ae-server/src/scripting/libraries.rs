//! Libraries of functions.

use super::header::{self, Flags};
use super::interpreter::Interpreter;
use lua::{Host, Interrupted, LogLevel, Registered, Replication, Script};
use resp::{Args, Protocol};
use std::collections::{BTreeMap, HashMap};
use std::rc::Rc;
use std::time::{Duration, Instant};

/// A library that takes longer to register its functions is refused.
const LOAD_MAX: Duration = Duration::from_millis(500);
const BAD_NAME: &str = "Library names can only contain letters, numbers, or underscores(_) and must be at least one \
    character long";

/// A function that FCALL calls.
#[derive(Clone)]
pub struct Function {
    pub script: Script,
    pub flags: Flags,
    pub description: Option<Vec<u8>>,
}

/// Functions that came together.
pub struct Library {
    pub text: Rc<[u8]>,
    pub functions: BTreeMap<Vec<u8>, Function>,
}

/// All libraries, by their names.
#[derive(Default)]
pub struct Libraries {
    pub interpreter: Interpreter,
    libraries: BTreeMap<Vec<u8>, Library>,
    /// All functions, by their names in lower case.
    functions: HashMap<Vec<u8>, Function>,
}

/// What FUNCTION RESTORE does with libraries that are there.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Policy {
    Flush,
    Append,
    Replace,
}

impl Libraries {
    /// Memory beside what the interpreter has.
    pub fn memory(&self) -> usize {
        let of_function = |(name, function): (&Vec<u8>, &Function)| {
            size_of::<Function>() + name.len() + function.description.as_ref().map_or(0, Vec::len)
        };
        let of_library = |(name, library): (&Vec<u8>, &Library)| {
            let functions: usize = library.functions.iter().map(of_function).sum();
            size_of::<Library>() + name.len() + library.text.len() + functions
        };
        self.libraries.iter().map(of_library).sum()
    }

    pub fn iter(&self) -> impl Iterator<Item = (&Vec<u8>, &Library)> {
        self.libraries.iter()
    }

    pub fn len(&self) -> usize {
        self.libraries.len()
    }

    pub fn functions(&self) -> usize {
        self.functions.len()
    }

    /// A function; as in Redis, their names are the same in any case.
    pub fn find(&self, name: &[u8]) -> Option<&Function> {
        self.functions.get(&name.to_ascii_lowercase())
    }

    fn put(&mut self, name: Vec<u8>, library: Library) {
        let functions = library.functions.iter().map(|(name, function)| (name.to_ascii_lowercase(), function.clone()));
        self.functions.extend(functions);
        self.libraries.insert(name, library);
    }

    fn take(&mut self, name: &[u8]) -> Option<Library> {
        let library = self.libraries.remove(name)?;
        library.functions.keys().for_each(|name| _ = self.functions.remove(&name.to_ascii_lowercase()));
        Some(library)
    }

    /// The sources of all of them.
    pub fn texts(&self) -> Vec<Rc<[u8]>> {
        self.libraries.values().map(|library| library.text.clone()).collect()
    }

    /// Adds a library and returns its name. The error is Redis's, without its code; nothing has changed then.
    pub fn load(&mut self, text: &[u8], replace: bool) -> Result<Vec<u8>, String> {
        let header = header::of_library(text)?;
        let name = header.name.ok_or("Library name was not given")?;
        if !is_name(&name) {
            return Err(BAD_NAME.into());
        }
        if !header.engine.eq_ignore_ascii_case(b"lua") {
            return Err(format!("Engine '{}' not found", String::from_utf8_lossy(header.engine)));
        }
        let old = self.take(&name);
        let added = match &old {
            Some(_) if !replace => Err(format!("Library '{}' already exists", String::from_utf8_lossy(&name))),
            _ => self.registered(text, header.code),
        };
        match added {
            Ok(library) => {
                self.put(name.clone(), library);
                Ok(name)
            }
            Err(error) => {
                old.into_iter().for_each(|old| self.put(name.clone(), old));
                Err(error)
            }
        }
    }

    fn registered(&mut self, text: &[u8], code: &[u8]) -> Result<Library, String> {
        let mut host = Loading { functions: BTreeMap::new(), until: Instant::now() + LOAD_MAX };
        self.interpreter.engine()?.load_library(code, &mut host)?;
        if host.functions.is_empty() {
            return Err("No functions registered".into());
        }
        if let Some(name) = host.functions.keys().find(|name| self.find(name).is_some()) {
            return Err(format!("Function {} already exists", String::from_utf8_lossy(name)));
        }
        Ok(Library { text: text.into(), functions: host.functions })
    }

    /// Removes a library; false if there is none of that name.
    pub fn remove(&mut self, name: &[u8]) -> bool {
        self.take(name).is_some()
    }

    pub fn clear(&mut self) {
        (self.libraries, self.functions) = Default::default();
        self.interpreter.reset();
    }

    /// Adds several libraries, or none: then the error says which cannot be added, and why.
    pub fn restore(&mut self, texts: &[Vec<u8>], policy: Policy) -> Result<(), (usize, String)> {
        let mut next = Libraries { interpreter: self.interpreter.clone(), ..Libraries::default() };
        if policy != Policy::Flush {
            std::mem::swap(&mut next, self);
        }
        let old = next.texts();
        let replaces = policy == Policy::Replace;
        let mut load = |text: &Vec<u8>| {
            let name = header::of_library(text)?.name.unwrap_or_default();
            if !replaces && next.libraries.contains_key(&name) {
                return Err(format!("Library {} already exists", String::from_utf8_lossy(&name)));
            }
            next.load(text, replaces).map(drop)
        };
        let mut numbered = texts.iter().enumerate();
        let loaded = numbered.try_for_each(|(which, text)| load(text).map_err(|error| (which, error)));
        if let Err(error) = loaded {
            if policy != Policy::Flush {
                // They were loaded before, so they load again.
                (next.libraries, next.functions) = Default::default();
                old.iter().for_each(|text| _ = next.load(text, true));
                *self = next;
            }
            return Err(error);
        }
        *self = next;
        Ok(())
    }
}

fn is_name(name: &[u8]) -> bool {
    !name.is_empty() && name.iter().all(|byte| byte.is_ascii_alphanumeric() || *byte == b'_')
}

/// Who a library registers its functions with.
struct Loading {
    functions: BTreeMap<Vec<u8>, Function>,
    until: Instant,
}

impl Host for Loading {
    fn call(&mut self, _: Args<'_>, _: Protocol, reply: &mut Vec<u8>) -> bool {
        resp::writer::error(reply, "ERR a library calls no commands while it is loaded");
        false
    }

    fn may_run(&mut self, _: Args<'_>) -> Option<bool> {
        None
    }

    fn log(&mut self, level: LogLevel, text: &[u8]) {
        super::messages::write_log(level, text);
    }

    fn replicate(&mut self, _: Replication) {}

    fn interrupt(&mut self) -> Interrupted {
        if Instant::now() < self.until { Interrupted::GoesOn } else { Interrupted::Ends("FUNCTION LOAD timeout") }
    }

    fn register(&mut self, function: Registered) -> Result<(), String> {
        if !is_name(&function.name) {
            return Err(format!("ERR {BAD_NAME}"));
        }
        let mut flags = Flags { declared: true, ..Flags::default() };
        if !function.flags.iter().all(|flag| flags.add(flag)) {
            return Err("ERR unknown flag given".into());
        }
        let added = Function { script: function.script, flags, description: function.description };
        if self.functions.insert(function.name, added).is_some() {
            return Err("ERR Function already exists in the library".into());
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ONE: &[u8] = b"#!lua name=one\nredis.register_function('f', function() return 1 end)";

    #[test]
    fn what_is_refused_changes_nothing() {
        let mut libraries = Libraries::default();
        assert_eq!(libraries.load(ONE, false), Ok(b"one".to_vec()));
        for (text, error) in [
            ("return 1", "Missing library metadata"),
            ("#!lua\nreturn 1", "Library name was not given"),
            ("#!lua name=x\nreturn 1", "No functions registered"),
            ("#!js name=x\nreturn 1", "Engine 'js' not found"),
            ("#!lua name=a-b\n", BAD_NAME),
            ("#!lua name=x foo=1\n", "Invalid metadata value given: foo=1"),
            ("#!lua name=x name=y\n", "Invalid metadata value, name argument was given multiple times"),
            ("#!lua name=one\nredis.register_function('g', function() end)", "Library 'one' already exists"),
            ("#!lua name=two\nredis.register_function('f', function() end)", "Function f already exists"),
            (
                "#!lua name=x\nredis.register_function('a-b', function() end)",
                "Error registering functions: ERR Library names can only contain letters, numbers, or underscores(_) and \
                 must be at least one character long",
            ),
            (
                "#!lua name=x\nlocal function f() end redis.register_function('z', f) redis.register_function('z', f)",
                "Error registering functions: ERR Function already exists in the library",
            ),
            (
                "#!lua name=x\nredis.register_function{function_name='z', callback=function() end, flags={'bad'}}",
                "Error registering functions: ERR unknown flag given",
            ),
            ("#!lua name=x\nwhile true do end", "Error registering functions: ERR FUNCTION LOAD timeout"),
        ] {
            assert_eq!(libraries.load(text.as_bytes(), false).err().as_deref(), Some(error), "{text}");
            assert_eq!((libraries.len(), libraries.functions()), (1, 1), "{text}");
        }
        assert!(libraries.load(b"#!lua name=one\nerror()", true).is_err());
        assert!(libraries.find(b"f").is_some() && libraries.find(b"F").is_some());
        assert_eq!(
            libraries.load(b"#!lua name=one\nredis.register_function('g', function() end)", true),
            Ok(b"one".to_vec())
        );
        assert!(libraries.find(b"f").is_none() && libraries.find(b"g").is_some());
        assert!(libraries.memory() > 0 && libraries.remove(b"one") && !libraries.remove(b"one"));
    }

    #[test]
    fn all_are_restored_or_none() {
        let two = b"#!lua name=two\nredis.register_function('g', function() return 2 end)";
        let mut libraries = Libraries::default();
        libraries.load(ONE, false).unwrap();
        assert!(libraries.restore(&[two.to_vec(), ONE.to_vec()], Policy::Append).is_err());
        assert_eq!(libraries.len(), 1);
        assert_eq!(libraries.restore(&[two.to_vec(), ONE.to_vec()], Policy::Replace), Ok(()));
        assert_eq!(libraries.len(), 2);
        assert!(libraries.restore(&[b"bad".to_vec()], Policy::Flush).is_err());
        assert_eq!(libraries.len(), 2);
        assert_eq!(libraries.restore(&[two.to_vec()], Policy::Flush), Ok(()));
        assert!(libraries.len() == 1 && libraries.find(b"g").is_some());
    }
}
