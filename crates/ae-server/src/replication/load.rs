//! The copy of the data from the primary: where it is kept while it arrives, and how it becomes databases.

use rdb::{FileReader, Item, Limits};
use std::fs::{self, File};
use std::io::{self, Cursor, Read, Seek, Write};
use std::path::Path;
use std::time::Instant;
use store::Keyspace;

/// Things read between two looks at the clock.
const BATCH: usize = 16;

/// A copy, as far as it has arrived.
pub enum Kept {
    /// In a file that has no name any more.
    File(File),
    Memory(Cursor<Vec<u8>>),
}

/// A new file whose name goes at once, so that nothing is left of it whatever happens.
pub fn nameless_file(path: &Path) -> io::Result<File> {
    let file = File::options().read(true).write(true).create_new(true).open(path)?;
    fs::remove_file(path)?;
    Ok(file)
}

impl Kept {
    /// One that is kept in memory.
    pub fn in_memory() -> Kept {
        Kept::Memory(Cursor::default())
    }

    pub fn in_file(path: &Path) -> io::Result<Kept> {
        nameless_file(path).map(Kept::File)
    }

    pub fn push(&mut self, bytes: &[u8]) -> io::Result<()> {
        match self {
            Kept::File(file) => file.write_all(bytes),
            Kept::Memory(memory) => memory.write_all(bytes),
        }
    }

    /// It is complete, and is read from its beginning.
    pub fn rewind(&mut self) -> io::Result<()> {
        match self {
            Kept::File(file) => file.rewind(),
            Kept::Memory(memory) => memory.rewind(),
        }
    }
}

impl Read for Kept {
    fn read(&mut self, room: &mut [u8]) -> io::Result<usize> {
        match self {
            Kept::File(file) => file.read(room),
            Kept::Memory(memory) => memory.read(room),
        }
    }
}

/// Databases that a copy is made into.
pub struct Loader {
    reader: FileReader<Kept>,
    databases: Vec<Keyspace>,
    /// That of the next entry.
    db: usize,
    /// The database of the next request of the stream, if the primary is a replica itself.
    pub stream_db: Option<u32>,
    pub keys: u64,
}

impl Loader {
    /// Makes a complete copy into so many databases.
    pub fn new(mut copy: Kept, databases: usize, limits: Limits) -> io::Result<Loader> {
        copy.rewind()?;
        let databases = (0..databases).map(|_| Keyspace::new()).collect();
        Ok(Loader { reader: FileReader::new(copy, limits), databases, db: 0, stream_db: None, keys: 0 })
    }

    /// Goes on until then. True if everything is there; the error says what is wrong with the copy.
    pub fn load_until(&mut self, end: Instant) -> Result<bool, String> {
        loop {
            for _ in 0..BATCH {
                let item = self.reader.next().map_err(|error| error.to_string())?;
                if matches!(item, Item::End) {
                    return Ok(true);
                }
                self.take_item(item)?;
            }
            if Instant::now() >= end {
                return Ok(false);
            }
        }
    }

    fn take_item(&mut self, item: Item) -> Result<(), String> {
        match item {
            Item::Database(number) => {
                let known = usize::try_from(number).ok().filter(|number| *number < self.databases.len());
                self.db = known.ok_or_else(|| format!("it has a database {number}, which this server has not"))?;
            }
            Item::Entry(entry) => {
                let keyspace = &mut self.databases[self.db];
                if keyspace.find(&entry.key).is_some() {
                    return Err(format!("a key is there twice, at offset {}", entry.offset));
                }
                let id = keyspace.set(&entry.key, entry.value, false);
                if let Some(deadline) = entry.deadline {
                    keyspace.set_deadline(id, deadline);
                }
                self.keys += 1;
            }
            Item::Aux(name, value) if name == b"repl-stream-db" => {
                self.stream_db = std::str::from_utf8(&value).ok().and_then(|value| value.parse().ok());
            }
            Item::Function(_) => return Err("it has functions, which this server has not".into()),
            Item::Aux(..) | Item::Sizes { .. } | Item::End => {}
        }
        Ok(())
    }

    /// What has been loaded.
    pub fn into_databases(self) -> Vec<Keyspace> {
        self.databases
    }
}
