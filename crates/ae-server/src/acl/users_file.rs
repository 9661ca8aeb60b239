//! The file of users: a line `user NAME RULES` each.

use super::fault::Fault;
use super::rights::{Rights, merged};
use super::selector::has_spaces;
use crate::config::format::reason;
use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

/// The largest file that is read, in bytes.
const FILE_MAX: u64 = 64 << 20;

pub type Named = (Box<[u8]>, Rights);

/// The users of a file. The error names every line that is wrong; `name` is the file's name there.
pub fn read(path: &Path, name: &str, all_channels: bool) -> Result<Vec<Named>, Vec<u8>> {
    let failed =
        |error: &io::Error| format!("Error loading ACLs, opening file '{name}': {}", reason(error)).into_bytes();
    let file = File::open(path).map_err(|error| failed(&error))?;
    let mut text = Vec::new();
    file.take(FILE_MAX + 1).read_to_end(&mut text).map_err(|error| failed(&error))?;
    if text.len() as u64 > FILE_MAX {
        return Err(format!("Error loading ACLs, file '{name}' has more than {FILE_MAX} bytes").into());
    }
    parse(&text, name, all_channels)
}

fn parse(text: &[u8], file: &str, all_channels: bool) -> Result<Vec<Named>, Vec<u8>> {
    let mut users: Vec<Named> = Vec::new();
    let mut errors: Vec<u8> = Vec::new();
    for (at, line) in text.split(|c| *c == b'\n').enumerate() {
        let line = line.trim_ascii();
        if line.is_empty() {
            continue;
        }
        let place = format!("{file}:{}", at + 1);
        let mut add = |parts: &[&[u8]]| errors.extend(parts.concat());
        let words: Vec<Vec<u8>> = line.split(|c| *c == b' ').map(<[u8]>::to_vec).collect();
        let [user, name, rules @ ..] = &words[..] else {
            add(&[place.as_bytes(), b" should start with user keyword followed by the username. "]);
            continue;
        };
        if user != b"user" {
            add(&[place.as_bytes(), b" should start with user keyword followed by the username. "]);
            continue;
        }
        if has_spaces(name) {
            add(&[b"'", place.as_bytes(), b": username '", name, b"' contains invalid characters. "]);
            continue;
        }
        if users.iter().any(|(other, _)| **other == **name) {
            add(&[b"WARNING: Duplicate user '", name, format!("' found on line {}. ", at + 1).as_bytes()]);
            continue;
        }
        let Ok(rules) = merged(rules) else {
            add(&[place.as_bytes(), b": Unmatched parenthesis in selector definition."]);
            continue;
        };
        let mut rights = Rights::none(all_channels);
        let mut told = false;
        for rule in &rules {
            let rule = rule.trim_ascii();
            match rights.apply(rule, all_channels) {
                Ok(()) => {}
                Err(fault @ Fault::Unknown) => {
                    let text = fault.text().as_bytes();
                    add(&[place.as_bytes(), b": Error in applying operation '", rule, b"': ", text, b". "]);
                }
                // A later one may be a consequence. The rule may be a password, so it is not shown.
                Err(fault) if !told => {
                    told = true;
                    add(&[place.as_bytes(), b": ", fault.text().as_bytes(), b". "]);
                }
                Err(_) => {}
            }
        }
        users.push((name.as_slice().into(), rights));
    }
    if errors.is_empty() {
        return Ok(users);
    }
    errors.extend(b"WARNING: ACL errors detected, no change to the previously active ACL rules was performed");
    Err(errors)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines() {
        let text = b"\n user a on >p +get ~x\r\n\nuser b  off (+set ~y)\nuser default on nopass +@all ~* &*\n";
        let users = parse(text, "f", false).unwrap();
        assert_eq!(users.len(), 3);
        assert!(users[0].1.accepts(b"p") && users[1].1.selectors.len() == 2 && users[2].1.is_unrestricted());
    }

    #[test]
    fn every_wrong_line_is_named() {
        let warning = "WARNING: ACL errors detected, no change to the previously active ACL rules was performed";
        for (text, error) in [
            ("\nusr a on", "f:2 should start with user keyword followed by the username. "),
            ("user", "f:1 should start with user keyword followed by the username. "),
            ("user a on\nuser a off", "WARNING: Duplicate user 'a' found on line 2. "),
            ("user a (+get", "f:1: Unmatched parenthesis in selector definition."),
            ("user a\tb on", "'f:1: username 'a\tb' contains invalid characters. "),
            (
                "user a +x foo bar +y",
                "f:1: Error in applying operation '+x': Unknown command or category name in ACL. f:1: Syntax error. \
                 f:1: Error in applying operation '+y': Unknown command or category name in ACL. ",
            ),
        ] {
            let found = String::from_utf8(parse(text.as_bytes(), "f", false).unwrap_err()).unwrap();
            assert_eq!(found, format!("{error}{warning}"));
        }
        let missing = read(Path::new("/nonexistent/f"), "f", false).unwrap_err();
        assert_eq!(missing, b"Error loading ACLs, opening file 'f': No such file or directory");
    }

    #[test]
    fn a_user_of_a_file_has_the_channels_that_are_the_default() {
        for all_channels in [false, true] {
            let users = parse(b"user u on", "f", all_channels).unwrap();
            assert_eq!(users[0].1.selectors[0].all_channels, all_channels);
        }
    }

    #[test]
    fn a_file_is_not_too_long_and_its_lines_begin_in_lower_case() {
        assert!(parse(b"USER u on", "f", false).is_err());
        let file = tempfile::NamedTempFile::new().unwrap();
        file.as_file().set_len(FILE_MAX + 1).unwrap();
        let refused = read(file.path(), "f", false).unwrap_err();
        assert_eq!(refused, b"Error loading ACLs, file 'f' has more than 67108864 bytes");
    }
}
