//! Writes Rust sources anew, so that every mistake that it can think of is there at once, each behind a switch:
//! `crate::mutants::on(N)`. Lines stay where they are.
//!
//! `schemata ROOT CONDITIONS EXCLUDED FILE...` changes the files in the folder ROOT and prints a line for each mistake:
//! its number, file, line, column, what is there, what is there with the mistake, with tabs between. The file
//! CONDITIONS has what `rustc --print cfg` prints. Numbers in the file EXCLUDED are of mistakes that are not to be
//! there, since they do not compile; the others keep their numbers.

mod conditions;
mod mutator;
#[cfg(test)]
mod tests;

use conditions::Conditions;
use std::collections::BTreeSet;
use std::path::Path;
use std::{env, error, fs, process};

fn main() {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let [root, conditions, excluded, files @ ..] = &arguments[..] else {
        eprintln!("usage: schemata ROOT CONDITIONS EXCLUDED FILE...");
        process::exit(2);
    };
    if let Err(reason) = rewrite(Path::new(root), conditions, excluded, files) {
        eprintln!("schemata: {reason}");
        process::exit(1);
    }
}

fn rewrite(root: &Path, conditions: &str, excluded: &str, files: &[String]) -> Result<(), Box<dyn error::Error>> {
    let conditions = Conditions::new(&fs::read_to_string(conditions)?);
    let excluded: BTreeSet<usize> =
        fs::read_to_string(excluded)?.split_whitespace().map(str::parse).collect::<Result<_, _>>()?;
    let mut next = 1;
    for file in files {
        let source = fs::read_to_string(root.join(file)).map_err(|error| format!("{file}: {error}"))?;
        let rewritten = mutator::rewritten(&source, &conditions, &excluded, &mut next)
            .map_err(|error| format!("{file}:{}: {error}", error.span().start().line))?;
        fs::write(root.join(file), rewritten.text)?;
        for mistake in rewritten.mistakes {
            let (place, original, changed) = (mistake.place, mistake.original, mistake.changed);
            println!("{}\t{file}\t{}\t{}\t{original}\t{changed}", mistake.number, place.line, place.column + 1);
        }
    }
    Ok(())
}
