//! Configuration files: lines of words, comments, and what they include.

use super::format::reason;
use super::line::{Fault, apply};
use super::settings::Config;
use glob::MatchOptions;
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

/// The largest file that is read, in bytes.
const FILE_MAX: u64 = 64 << 20;
/// How deep files may include one another; a file that includes itself ends here.
const INCLUDE_DEPTH_MAX: usize = 16;

/// As the shell expands `*`, `?` and `[...]`.
const WILDCARDS: MatchOptions =
    MatchOptions { case_sensitive: true, require_literal_separator: true, require_literal_leading_dot: true };

/// Reads a file into the configuration. The error names the file, the line and the reason.
pub fn load(config: &mut Config, path: &Path) -> Result<(), String> {
    let text = read_file(config, path)?;
    load_lines(config, &path.display().to_string(), &text, 0)
}

/// Reads standard input into the configuration.
pub fn load_input(config: &mut Config, input: &mut dyn Read) -> Result<(), String> {
    let text = read(input).map_err(|error| format!("cannot read the configuration from standard input: {error}"))?;
    load_lines(config, "standard input", &text, 0)?;
    config.input = text;
    Ok(())
}

fn read_file(config: &Config, path: &Path) -> Result<Vec<u8>, String> {
    let text = File::open(config.path(path)).map_err(|error| reason(&error)).and_then(read);
    text.map_err(|error| format!("cannot read the configuration file {}: {error}", path.display()))
}

fn read(source: impl Read) -> Result<Vec<u8>, String> {
    let mut text = Vec::new();
    source.take(FILE_MAX + 1).read_to_end(&mut text).map_err(|error| reason(&error))?;
    if text.len() as u64 > FILE_MAX {
        return Err(format!("it has more than {FILE_MAX} bytes"));
    }
    Ok(text)
}

fn load_lines(config: &mut Config, name: &str, text: &[u8], depth: usize) -> Result<(), String> {
    for (at, line) in text.split(|c| *c == b'\n').enumerate() {
        let line = line.trim_ascii();
        let place = format!("{name}, line {}", at + 1);
        let bad = |reason: String| format!("{place}: '{}': {reason}", String::from_utf8_lossy(line));
        let Some(words) = words(line).map_err(bad)? else {
            continue;
        };
        match &words[..] {
            [name, pattern] if is_include(name) => {
                for path in included(config, pattern).map_err(bad)? {
                    if depth == INCLUDE_DEPTH_MAX {
                        return Err(bad(format!("files include one another more than {INCLUDE_DEPTH_MAX} deep")));
                    }
                    let text = read_file(config, &path).map_err(bad)?;
                    load_lines(config, &path.display().to_string(), &text, depth + 1)?;
                }
            }
            words => apply(config, words, &place).map_err(Fault::text).map_err(bad)?,
        }
    }
    Ok(())
}

/// The words of a line; none in a comment or an empty line.
pub fn words(line: &[u8]) -> Result<Option<Vec<Vec<u8>>>, String> {
    if line.starts_with(b"#") {
        return Ok(None);
    }
    if line.contains(&0) {
        return Err("a zero byte".into());
    }
    let words = resp::words::split(line).map_err(|_| "Unbalanced quotes in configuration line")?;
    Ok(Some(words).filter(|words| !words.is_empty()))
}

pub fn is_include(name: &[u8]) -> bool {
    name.eq_ignore_ascii_case(b"include")
}

/// Reads the files that the command line includes into the configuration.
pub fn load_included(config: &mut Config, pattern: &[u8]) -> Result<(), String> {
    included(config, pattern)?.iter().try_for_each(|path| load(config, path))
}

/// The files that an `include` means: with wildcards those that match, which may be none.
fn included(config: &Config, pattern: &[u8]) -> Result<Vec<PathBuf>, String> {
    let pattern = str::from_utf8(pattern).map_err(|_| "the path is not valid UTF-8")?;
    if !pattern.contains(['*', '?', '[']) {
        return Ok(vec![pattern.into()]);
    }
    let pattern = config.path(Path::new(pattern));
    let paths = glob::glob_with(&pattern.to_string_lossy(), WILDCARDS).map_err(|error| error.to_string())?;
    paths.map(|path| path.map_err(|error| error.to_string())).collect()
}

#[cfg(test)]
#[path = "file_tests.rs"]
mod tests;
