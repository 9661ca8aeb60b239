//! Makes two Rust files of `commands.csv`: what each command is (`SPECS`), and what runs it (`ROWS`).

use command_table::{Row, arguments};
use std::error::Error;
use std::fmt::Write;
use std::path::Path;
use std::{env, fs};

const TABLE: &str = "commands.csv";

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-changed={TABLE}");
    let all = command_table::read(Path::new(TABLE))?;
    let rows = command_table::those_that_run(&all);
    let out = env::var("OUT_DIR")?;
    fs::write(Path::new(&out).join("specs.rs"), specs(&rows))?;
    fs::write(Path::new(&out).join("rows.rs"), table(&rows))?;
    Ok(())
}

fn specs(rows: &[&Row]) -> String {
    let mut text = format!("pub static SPECS: [Spec; {}] = [\n", rows.len());
    for (id, row) in rows.iter().enumerate() {
        let (parent, name) = match row.name().split_once('|') {
            Some((parent, name)) => (format!("Some({parent:?})"), name),
            None => ("None".into(), row.name()),
        };
        let keys: Vec<_> = row.get("keys").split_whitespace().map(key_spec).collect();
        let arguments = arguments::parse(row.get("arguments"));
        let arguments = arguments.unwrap_or_else(|error| panic!("{TABLE}: {}: {error}", row.name()));
        let tips: Vec<_> = row.get("tips").split_whitespace().collect();
        let _ = writeln!(
            text,
            "    Spec {{ id: {id}, name: {name:?}, full_name: {:?}, parent: {parent}, group: {:?}, arity: {}, flags: {}, \
             effect: Effect::{}, listed_categories: {}, tips: &{tips:?}, keys: &[{}], since: {:?}, deprecated: {:?}, \
             history: &[{}], arguments: {}, syntax: {:?}, \
             complexity: {:?}, summary: {:?} }},",
            row.name(),
            row.get("group"),
            row.get("arity"),
            sum(row.get("flags"), "flag"),
            effect(row.get("effect")),
            sum(row.get("categories"), "category"),
            keys.join(", "),
            row.get("since"),
            row.get("deprecated"),
            history(row.get("history")),
            arguments::expression(&arguments),
            arguments::syntax(&arguments),
            row.get("complexity"),
            row.get("summary"),
        );
    }
    text + "];\n"
}

/// Names separated by spaces as a sum of constants.
fn sum(names: &str, module: &str) -> String {
    let constants: Vec<_> =
        names.split_whitespace().map(|name| format!("{module}::{}", name.to_ascii_uppercase())).collect();
    if constants.is_empty() { "0".into() } else { constants.join(" | ") }
}

fn effect(text: &str) -> &str {
    match text {
        "" => "Request",
        "own" => "Own",
        "separate" => "Separate",
        other => panic!("{TABLE}: {other} is no kind of effect"),
    }
}

/// `7.0.0 what is new; 7.2.0 what else`.
fn history(text: &str) -> String {
    let entries = text.split("; ").filter(|entry| !entry.is_empty());
    let entries = entries.map(|entry| entry.split_once(' ').unwrap_or_else(|| panic!("{TABLE}: {entry} says nothing")));
    entries.map(|entry| format!("{entry:?}, ")).collect()
}

/// `RW+access=1/-1:2:0`: flags, where the keys begin (an index, a `KEYWORD@index` or `?`), and which there are
/// (`last:step:limit`, `nINDEX:first:step` for a number of keys in the request, or `?`).
fn key_spec(text: &str) -> String {
    let wrong = || panic!("{TABLE}: {text} is no description of keys");
    let (flags, place) = text.split_once('=').unwrap_or_else(wrong);
    let (begin, find) = place.split_once('/').unwrap_or_else(wrong);
    let flags: Vec<_> = flags.split('+').map(|flag| format!("key_flag::{}", flag.to_ascii_uppercase())).collect();
    let begin = match begin.split_once('@') {
        Some((word, from)) => format!("Begin::Keyword({word:?}, {from})"),
        None if begin == "?" => "Begin::Unknown".into(),
        None => format!("Begin::Index({begin})"),
    };
    let find = match find.strip_prefix('n') {
        Some(find) => {
            format!("Find::Number {{ at: {}, first: {}, step: {} }}", part(find, 0), part(find, 1), part(find, 2))
        }
        None if find == "?" => "Find::Unknown".into(),
        None => format!("Find::Range {{ last: {}, step: {}, limit: {} }}", part(find, 0), part(find, 1), part(find, 2)),
    };
    format!("KeySpec {{ flags: {}, begin: {begin}, find: {find} }}", flags.join(" | "))
}

fn part(text: &str, index: usize) -> i32 {
    let number = text.split(':').nth(index).and_then(|part| part.parse().ok());
    number.unwrap_or_else(|| panic!("{TABLE}: {text} are not three numbers"))
}

fn table(rows: &[&Row]) -> String {
    let commands = rows.iter().filter(|row| row.parent().is_none());
    let mut text = format!("static ROWS: [Command; {}] = [\n", commands.clone().count());
    let id_of = |name: &str| rows.iter().position(|row| row.name() == name).unwrap_or_default();
    let has_scripts = env::var_os("CARGO_FEATURE_SCRIPTING").is_some();
    let run_of = |row: &Row| match row.get("run") {
        _ if row.get("group") == "scripting" && !has_scripts => "absent::scripting".to_string(),
        "" => "help::needs_subcommand".to_string(),
        run => run.to_string(),
    };
    for row in commands {
        let subcommands = rows.iter().filter(|sub| sub.parent() == Some(row.name())).map(|sub| {
            format!("Row {{ spec: &SPECS[{}], run: commands::{}, subcommands: &[] }}", id_of(sub.name()), run_of(sub))
        });
        let subcommands: Vec<_> = subcommands.collect();
        let _ = writeln!(
            text,
            "    Row {{ spec: &SPECS[{}], run: commands::{}, subcommands: &[{}] }},",
            id_of(row.name()),
            run_of(row),
            subcommands.join(", ")
        );
    }
    text + "];\n"
}
