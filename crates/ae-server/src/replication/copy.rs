//! A copy of all data for replicas.

use crate::db::databases::Databases;
use rdb::{Compression, Entry, FileOptions, FileWriter};

/// Writes all data as one file, with some words about it.
pub fn whole_copy(databases: &Databases, aux: &[(&str, String)], options: FileOptions) -> Vec<u8> {
    let mut writer = FileWriter::new(options);
    for (name, value) in aux {
        writer.aux(name.as_bytes(), value.as_bytes());
    }
    for (number, keyspace) in databases.iter().enumerate().filter(|(_, keyspace)| !keyspace.is_empty()) {
        writer.database(number as u64, keyspace.len() as u64, keyspace.volatile_len() as u64);
        for (key, deadline) in keyspace.iter() {
            if let Some(value) = keyspace.find(key).and_then(|id| keyspace.value(id)) {
                writer.entry(&Entry { key, value, deadline, usage: None });
            }
        }
    }
    writer.finish();
    writer.take()
}

/// How copies are written.
pub fn options(compresses: bool, checksum: bool) -> FileOptions {
    FileOptions { compression: if compresses { Compression::Lzf } else { Compression::Off }, checksum }
}
