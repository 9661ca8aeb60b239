//! Makes `commands.rs` of ae-server's table: what HELP and hints say without a server that answers COMMAND DOCS.

use command_table::arguments;
use std::error::Error;
use std::fmt::Write;
use std::path::Path;
use std::{env, fs};

const TABLE: &str = "../ae-server/commands.csv";

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-changed={TABLE}");
    let mut text = "static COMMANDS: &[Known] = &[\n".to_string();
    for row in command_table::read(Path::new(TABLE))? {
        let name = row.name().replace('|', " ").to_ascii_uppercase();
        let syntax = arguments::hints(&arguments::parse(row.get("arguments"))?);
        let (summary, since, group) = (row.get("summary"), row.get("since"), row.get("group"));
        writeln!(
            text,
            "    Known {{ name: {name:?}, syntax: &{syntax:?}, summary: {summary:?}, since: {since:?}, group: {group:?} }},"
        )?;
    }
    text.push_str("];\n");
    fs::write(Path::new(&env::var("OUT_DIR")?).join("commands.rs"), text)?;
    Ok(())
}
