//! The manifest: which files make up the append-only file, and in what order.
//!
//! One line a file: `file NAME seq NUMBER type LETTER`, in Redis's form, so that either server reads the other's. The
//! letter is `b` for the base (what there was at some time), `i` for an increment (what has changed since), `h` for a file
//! that newer ones have replaced and that is to be removed.

use resp::{number, words};

/// The longest line, with its end.
const LINE_MAX: usize = 1024;

/// A file of the manifest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    pub name: String,
    pub seq: i64,
}

/// What files there are.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Manifest {
    pub base: Option<Entry>,
    /// In the order in which they were written.
    pub increments: Vec<Entry>,
    /// To be removed.
    pub history: Vec<Entry>,
    /// The highest numbers in use.
    pub base_seq: i64,
    pub increment_seq: i64,
}

/// Why a manifest is refused.
#[derive(Debug, PartialEq, Eq)]
pub struct Fault {
    pub reason: &'static str,
    /// The line, and its number from 1; None if it is about the whole.
    pub line: Option<(usize, String)>,
}

impl std::fmt::Display for Fault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match &self.line {
            Some((number, line)) => write!(f, "line {number}, '{line}': {}", self.reason),
            None => f.write_str(self.reason),
        }
    }
}

const INVALID: &str = "Invalid AOF manifest file format";

impl Manifest {
    /// Whether there is nothing to load.
    pub fn is_empty(&self) -> bool {
        self.base.is_none() && self.increments.is_empty()
    }

    /// The files to load, in order.
    pub fn files(&self) -> impl Iterator<Item = &Entry> {
        self.base.iter().chain(&self.increments)
    }

    pub fn parse(text: &[u8]) -> Result<Manifest, Fault> {
        let mut manifest = Manifest::default();
        if text.is_empty() {
            return Err(Fault { reason: "Found an empty AOF manifest", line: None });
        }
        for (at, line) in text.split_inclusive(|c| *c == b'\n').enumerate() {
            manifest.parse_line(line).map_err(|reason| {
                let shown = String::from_utf8_lossy(&line[..line.len().min(LINE_MAX)]);
                Fault { reason, line: Some((at + 1, shown.trim_end().into())) }
            })?;
        }
        Ok(manifest)
    }

    fn parse_line(&mut self, line: &[u8]) -> Result<(), &'static str> {
        if line.starts_with(b"#") {
            return Ok(());
        }
        if line.len() > LINE_MAX || !line.ends_with(b"\n") {
            return Err("The AOF manifest file contains too long line");
        }
        let words = words::split(line.trim_ascii()).map_err(|_| INVALID)?;
        if words.len() < 6 || !words.len().is_multiple_of(2) {
            return Err(INVALID);
        }
        let (mut name, mut seq, mut kind) = (None, 0, None);
        for pair in words.chunks_exact(2) {
            match pair[0].to_ascii_lowercase().as_slice() {
                b"file" => name = Some(String::from_utf8(pair[1].clone()).map_err(|_| INVALID)?),
                b"seq" => seq = number::parse(&pair[1]).unwrap_or(0),
                b"type" => kind = pair[1].first().copied(),
                // Whatever newer servers have to say.
                _ => {}
            }
        }
        let name = name.filter(|name| !name.is_empty()).ok_or(INVALID)?;
        if name.contains(['/', '\\']) {
            return Err("File can't be a path, just a filename");
        }
        let entry = Entry { name, seq };
        match (seq, kind) {
            (..=0, _) | (_, None) => return Err(INVALID),
            (_, Some(b'b')) if self.base.is_some() => return Err("Found duplicate base file information"),
            (_, Some(b'b')) => {
                self.base_seq = seq;
                self.base = Some(entry);
            }
            (_, Some(b'h')) => self.history.push(entry),
            (_, Some(b'i')) if seq <= self.increment_seq => return Err("Found a non-monotonic sequence number"),
            (_, Some(b'i')) => {
                self.increment_seq = seq;
                self.increments.push(entry);
            }
            _ => return Err("Unknown AOF file type"),
        }
        Ok(())
    }

    pub fn to_text(&self) -> Vec<u8> {
        let mut text = Vec::new();
        let lists = [(self.base.as_slice(), 'b'), (&self.history, 'h'), (&self.increments, 'i')];
        for (entry, kind) in lists.into_iter().flat_map(|(list, kind)| list.iter().map(move |entry| (entry, kind))) {
            text.extend(b"file ");
            if needs_quotes(&entry.name) {
                words::quote(&mut text, entry.name.as_bytes());
            } else {
                text.extend(entry.name.bytes());
            }
            text.extend(format!(" seq {} type {kind}\n", entry.seq).bytes());
        }
        text
    }

    /// A new base takes the place of the old one, and of all increments except for the last `keep`.
    pub fn replace_base(&mut self, base: Entry, keep: usize) {
        self.base_seq = base.seq;
        let old = self.base.replace(base);
        let done = self.increments.len().saturating_sub(keep);
        self.history.extend(old);
        self.history.extend(self.increments.drain(..done));
    }

    /// The next increment.
    pub fn add_increment(&mut self, name: String) {
        self.increment_seq += 1;
        self.increments.push(Entry { name, seq: self.increment_seq });
    }
}

fn needs_quotes(name: &str) -> bool {
    name.bytes().any(|c| b"\\\"'".contains(&c) || !(b'!'..=b'~').contains(&c))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn fault(text: &str) -> String {
        Manifest::parse(text.as_bytes()).unwrap_err().to_string()
    }

    #[test]
    fn redis_writes_this() {
        let text = "file appendonly.aof.2.base.rdb seq 2 type b\nfile appendonly.aof.1.base.rdb seq 1 type h\n\
                    file appendonly.aof.3.incr.aof seq 3 type i\nfile appendonly.aof.4.incr.aof seq 4 type i\n";
        let manifest = Manifest::parse(text.as_bytes()).unwrap();
        assert_eq!((manifest.base_seq, manifest.increment_seq), (2, 4));
        let names: Vec<_> = manifest.files().map(|entry| entry.name.as_str()).collect();
        assert_eq!(names, ["appendonly.aof.2.base.rdb", "appendonly.aof.3.incr.aof", "appendonly.aof.4.incr.aof"]);
        assert_eq!(String::from_utf8(manifest.to_text()).unwrap(), text);
    }

    #[test]
    fn order_case_comments_and_more_words() {
        let text = "# a comment\n  TYPE base Seq 1 File \"a \\x41\" creator x \r\n#\nfile b seq 7 type i\n";
        let manifest = Manifest::parse(text.as_bytes()).unwrap();
        assert_eq!(manifest.base, Some(Entry { name: "a A".into(), seq: 1 }));
        assert_eq!(manifest.increment_seq, 7);
    }

    #[test]
    fn what_is_refused() {
        let long = "x".repeat(LINE_MAX);
        for (text, expected) in [
            ("", "Found an empty AOF manifest"),
            ("\n", "line 1, '': Invalid AOF manifest file format"),
            ("file a seq 1 type b\n\n", "line 2, '': Invalid AOF manifest file format"),
            ("file a seq 1\n", "line 1, 'file a seq 1': Invalid AOF manifest file format"),
            ("file a seq 1 type\n", "line 1, 'file a seq 1 type': Invalid AOF manifest file format"),
            ("file a seq 0 type b\n", "line 1, 'file a seq 0 type b': Invalid AOF manifest file format"),
            ("file 'a seq 1 type b\n", "line 1, 'file 'a seq 1 type b': Invalid AOF manifest file format"),
            ("file x/a seq 1 type b\n", "line 1, 'file x/a seq 1 type b': File can't be a path, just a filename"),
            ("file x\\a seq 1 type b\n", "line 1, 'file x\\a seq 1 type b': File can't be a path, just a filename"),
            ("file a seq 1 type x\n", "line 1, 'file a seq 1 type x': Unknown AOF file type"),
            (
                "file a seq 1 type b\nfile b seq 2 type b\n",
                "line 2, 'file b seq 2 type b': Found duplicate base file information",
            ),
            (
                "file a seq 2 type i\nfile b seq 2 type i\n",
                "line 2, 'file b seq 2 type i': Found a non-monotonic sequence number",
            ),
            ("file a seq 1 type b", "line 1, 'file a seq 1 type b': The AOF manifest file contains too long line"),
            (&format!("{long}\n"), &format!("line 1, '{long}': The AOF manifest file contains too long line")),
            (&long, &format!("line 1, '{long}': The AOF manifest file contains too long line")),
        ] {
            assert_eq!(fault(text), expected);
        }
    }

    #[test]
    fn a_new_base() {
        let mut manifest = Manifest::parse(b"file b seq 1 type b\nfile i seq 1 type i\n").unwrap();
        manifest.add_increment("j".into());
        manifest.replace_base(Entry { name: "c".into(), seq: 2 }, 1);
        let text = "file c seq 2 type b\nfile b seq 1 type h\nfile i seq 1 type h\nfile j seq 2 type i\n";
        assert_eq!(String::from_utf8(manifest.to_text()).unwrap(), text);
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(names in proptest::collection::vec("[^/\\\\]{1,20}", 1..6)) {
            let mut manifest = Manifest::default();
            manifest.replace_base(Entry { name: names[0].clone(), seq: 1 }, 0);
            names[1..].iter().for_each(|name| manifest.add_increment(name.clone()));
            prop_assert_eq!(Manifest::parse(&manifest.to_text()).unwrap(), manifest);
        }

        #[test]
        fn anything_is_read_or_refused(text: Vec<u8>) {
            let _ = Manifest::parse(&text);
        }
    }

    #[test]
    fn a_line_may_be_as_long_as_in_redis() {
        let line = |name: usize| format!("file {} seq 1 type b\n", "x".repeat(name));
        let most = LINE_MAX - line(0).len();
        assert!(Manifest::parse(line(most).as_bytes()).is_ok());
        assert!(Manifest::parse(line(most + 1).as_bytes()).is_err());
    }
}
