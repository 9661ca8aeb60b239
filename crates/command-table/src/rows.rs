//! The rows.

use std::collections::BTreeSet;
use std::path::Path;

/// A command or a subcommand.
pub struct Row {
    fields: csv::StringRecord,
    columns: csv::StringRecord,
}

impl Row {
    /// The text of a column.
    pub fn get(&self, column: &str) -> &str {
        let at = self.columns.iter().position(|name| name == column);
        at.and_then(|at| self.fields.get(at)).unwrap_or_else(|| panic!("the table has no column {column}"))
    }

    /// `get`, or `config|get`.
    pub fn name(&self) -> &str {
        self.get("name")
    }

    /// The name of the command that this is a subcommand of.
    pub fn parent(&self) -> Option<&str> {
        self.name().split_once('|').map(|(parent, _)| parent)
    }
}

/// All rows of a file.
pub fn read(path: &Path) -> Result<Vec<Row>, csv::Error> {
    let mut reader = csv::Reader::from_path(path)?;
    let columns = reader.headers()?.clone();
    reader.records().map(|fields| Ok(Row { fields: fields?, columns: columns.clone() })).collect()
}

/// A row whose function begins with `-` is of a command that there is not yet; a command that has only subcommands is
/// there with its subcommands.
pub fn those_that_run(all: &[Row]) -> Vec<&Row> {
    let there = |row: &Row| !row.get("run").is_empty() && !row.get("run").starts_with('-');
    let parents: BTreeSet<&str> =
        all.iter().filter(|row| there(row) && !row.name().ends_with("|help")).filter_map(Row::parent).collect();
    let kept = |row: &&Row| match (row.get("run"), row.parent()) {
        ("", None) => parents.contains(row.name()),
        (_, Some(parent)) => there(row) && parents.contains(parent),
        _ => there(row),
    };
    all.iter().filter(kept).collect()
}
