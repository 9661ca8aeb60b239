//! The column `arguments` of `commands.csv`: what a command is called with, for COMMAND DOCS, for clients' hints, and for
//! people as a line.
//!
//! Arguments stand one after the other. Each is a NAME with, where it is no string, a type behind a colon: `key`, `integer`,
//! `double`, `pattern`, `time`, one of several `(a|b)`, or several together `{a b}`. A word that is there as it stands is
//! `'WORD'`, or `name'WORD'` where it is called otherwise. Then, in this order and as there is need: `@2` the key
//! specification that it belongs to, `=WORD` a word before it, `^7.0.0` since when, `!7.0.0` since when it is out of use,
//! `...` may be repeated, `+...` likewise, each time with its word. What may be left out is in brackets.

use std::fmt::Write;

/// What a command is called with, or a part of it.
#[derive(Default, Debug)]
pub struct Argument {
    /// What it is called.
    pub name: String,
    /// What it is.
    pub kind: Kind,
    /// The word before it, or that it is.
    pub word: Option<String>,
    /// The key specification that it belongs to.
    pub key: Option<u8>,
    /// Since when it is there, unless since its command.
    pub since: String,
    /// Since when it is out of use.
    pub deprecated: String,
    /// It may be left out.
    pub optional: bool,
    /// It may be repeated.
    pub repeated: bool,
    /// Each time with its word.
    pub word_repeated: bool,
    /// What it is made of.
    pub parts: Vec<Argument>,
}

/// What an argument is.
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
pub enum Kind {
    /// A string.
    #[default]
    String,
    /// A key.
    Key,
    /// An integer.
    Integer,
    /// A number.
    Double,
    /// A pattern of names.
    Pattern,
    /// Seconds or milliseconds since 1970.
    Time,
    /// A word as it stands.
    Word,
    /// One of its parts.
    OneOf,
    /// All its parts.
    Block,
}

const KINDS: [(&str, Kind); 5] = [
    (":key", Kind::Key),
    (":integer", Kind::Integer),
    (":double", Kind::Double),
    (":pattern", Kind::Pattern),
    (":time", Kind::Time),
];

/// The arguments that a row's text describes.
pub fn parse(text: &str) -> Result<Vec<Argument>, String> {
    let mut rest = text;
    let arguments = list(&mut rest, ' ')?;
    if rest.is_empty() { Ok(arguments) } else { Err(format!("'{rest}' is left of '{text}'")) }
}

/// Those before the next closing bracket.
fn list(rest: &mut &str, separator: char) -> Result<Vec<Argument>, String> {
    let mut found = Vec::new();
    while !rest.is_empty() && !rest.starts_with([')', '}', ']']) {
        found.push(if accept(rest, "[") { optional(rest)? } else { argument(rest)? });
        if let Some(next) = rest.strip_prefix(separator) {
            *rest = next;
        } else {
            break;
        }
    }
    Ok(found)
}

fn optional(rest: &mut &str) -> Result<Argument, String> {
    let inner = Argument { optional: true, ..argument(rest)? };
    expect(rest, "]")?;
    Ok(inner)
}

fn argument(rest: &mut &str) -> Result<Argument, String> {
    let mut found = Argument {
        name: take(rest, &["'", "@", "=", "^", "!", "...", "+...", " ", "|", "]", ")", "}", ":(", ":{"]),
        ..Argument::default()
    };
    if accept(rest, "'") {
        let word = take(rest, &["'"]);
        expect(rest, "'")?;
        if found.name.is_empty() {
            found.name = word.to_ascii_lowercase();
        }
        (found.kind, found.word) = (Kind::Word, Some(word));
    } else if accept(rest, ":(") {
        (found.kind, found.parts) = (Kind::OneOf, list(rest, '|')?);
        expect(rest, ")")?;
    } else if accept(rest, ":{") {
        (found.kind, found.parts) = (Kind::Block, list(rest, ' ')?);
        expect(rest, "}")?;
    } else if let Some((name, kind)) = KINDS.iter().find_map(|(end, kind)| Some((found.name.strip_suffix(end)?, *kind)))
    {
        (found.name, found.kind) = (name.into(), kind);
    }
    const ENDS: [&str; 8] = ["=", "^", "!", "...", "+...", " ", "|", "]"];
    let ends: Vec<&str> = ENDS.into_iter().chain([")", "}"]).collect();
    if accept(rest, "@") {
        let number = take(rest, &ends);
        found.key = Some(number.parse().map_err(|_| format!("@{number} is no number"))?);
    }
    if accept(rest, "=") {
        found.word = Some(take(rest, &ends).trim_matches('\'').into());
    }
    if accept(rest, "^") {
        found.since = take(rest, &ends);
    }
    if accept(rest, "!") {
        found.deprecated = take(rest, &ends);
    }
    found.word_repeated = accept(rest, "+...");
    found.repeated = found.word_repeated || accept(rest, "...");
    if found.name.is_empty() { Err(format!("an argument without a name before '{rest}'")) } else { Ok(found) }
}

/// What comes before the first of these.
fn take(rest: &mut &str, ends: &[&str]) -> String {
    let end = ends.iter().filter_map(|end| rest.find(end)).min().unwrap_or(rest.len());
    let (taken, left) = rest.split_at(end);
    *rest = left;
    taken.into()
}

fn accept(rest: &mut &str, text: &str) -> bool {
    rest.strip_prefix(text).map(|left| *rest = left).is_some()
}

fn expect(rest: &mut &str, text: &str) -> Result<(), String> {
    if accept(rest, text) { Ok(()) } else { Err(format!("'{text}' is missing before '{rest}'")) }
}

/// As an expression of Rust.
pub fn expression(arguments: &[Argument]) -> String {
    let mut text = "&[".to_string();
    for argument in arguments {
        let Argument { name, kind, word, key, since, deprecated, optional, repeated, word_repeated, parts } = argument;
        let _ = write!(
            text,
            "Argument {{ name: {name:?}, kind: ArgumentKind::{kind:?}, word: {word:?}, key: {key:?}, since: {since:?}, \
             deprecated: {deprecated:?}, optional: {optional}, repeated: {repeated}, word_repeated: {word_repeated}, \
             parts: {} }}, ",
            expression(parts)
        );
    }
    text + "]"
}

/// As people write it, with choices in angle brackets.
pub fn syntax(arguments: &[Argument]) -> String {
    joined(arguments, " ", true)
}

/// The same as a client shows it while somebody types, without them, and an argument each.
pub fn hints(arguments: &[Argument]) -> Vec<String> {
    let hints_of = |argument: &Argument| {
        let is_just_its_parts =
            argument.kind == Kind::Block && argument.word.is_none() && !argument.repeated && !argument.optional;
        if is_just_its_parts { hints(&argument.parts) } else { vec![argument.syntax(false)] }
    };
    arguments.iter().flat_map(hints_of).collect()
}

fn joined(arguments: &[Argument], separator: &str, angles: bool) -> String {
    arguments.iter().map(|argument| argument.syntax(angles)).collect::<Vec<_>>().join(separator)
}

impl Argument {
    fn syntax(&self, angles: bool) -> String {
        let content = match self.kind {
            Kind::Word => String::new(),
            Kind::OneOf if !angles || (self.optional && self.word.is_none()) => joined(&self.parts, "|", angles),
            Kind::OneOf => format!("<{}>", joined(&self.parts, "|", angles)),
            Kind::Block => joined(&self.parts, " ", angles),
            _ => self.name.clone(),
        };
        let word = self.word.as_ref().map(|word| if word.is_empty() { "\"\"" } else { word });
        let whole = [word.unwrap_or_default(), &content].join(" ").trim().to_string();
        let again = if self.word_repeated || self.kind == Kind::Word { &whole } else { &content };
        let all = if self.repeated { format!("{whole} [{again} ...]") } else { whole };
        if self.optional { format!("[{all}]") } else { all }
    }
}
