//! The append-only file, as a start loads it. The input is the manifest, the base and the increment, or only the increment,
//! or only a single old file.
#![no_main]

use libae_fuzz::memory::limited;
use libae_fuzz::serving::{ask, connect, start};
use libfuzzer_sys::fuzz_target;
use std::fs;

/// What is between two files.
const BETWEEN: &[u8] = b"\n--\n";
/// The first byte of an input that is a single file, as before version 7.
const SINGLE: u8 = b'!';
const MANIFEST: &[u8] = b"file appendonly.aof.1.incr.aof seq 1 type i\n";
/// A server has buffers, and tables that begin with some room.
const CONSTANT: usize = 64 << 20;
/// What a byte of a file can cost. A request of a few bytes can make a stream's node or a sparse string.
const TIMES: usize = 1000;

/// Up to three files.
fn parts(mut bytes: &[u8]) -> Vec<&[u8]> {
    let mut found = Vec::new();
    while found.len() < 2
        && let Some(at) = bytes.windows(BETWEEN.len()).position(|window| window == BETWEEN)
    {
        found.push(&bytes[..at]);
        bytes = &bytes[at + BETWEEN.len()..];
    }
    found.push(bytes);
    found
}

fuzz_target!(|bytes: &[u8]| {
    let folder = tempfile::tempdir().expect("a folder");
    let at = folder.path().join("appendonlydir");
    fs::create_dir(&at).expect("a folder");
    let write = |name: &str, bytes: &[u8]| fs::write(at.join(name), bytes).expect("a file");
    match (bytes, &parts(bytes)[..]) {
        ([SINGLE, single @ ..], _) => fs::write(folder.path().join("appendonly.aof"), single).expect("a file"),
        (_, [manifest, base, increment]) => {
            write("appendonly.aof.manifest", manifest);
            write("appendonly.aof.1.base.rdb", base);
            write("appendonly.aof.1.incr.aof", increment);
        }
        _ => {
            write("appendonly.aof.manifest", MANIFEST);
            write("appendonly.aof.1.incr.aof", bytes);
        }
    }
    limited(CONSTANT + TIMES * bytes.len(), || {
        let start = || start(folder.path(), &["--appendonly", "yes", "--proto-max-bulk-len", "1mb"]);
        let Ok(server) = start() else { return };
        let mut client = connect(&server);
        let keys = ask(&mut client, &["DBSIZE"]);
        // A torn end has been cut off. What is left can be loaded again, and is the same.
        server.stop().expect("a server that ends well");
        let again = start().expect("it can be loaded again");
        let again_keys = ask(&mut connect(&again), &["DBSIZE"]);
        assert!(keys.starts_with(':') && (again_keys == keys || has_expiry(bytes)), "{keys}, then {again_keys}");
        again.stop().expect("a server that ends well");
    });
});

/// Whether keys may have gone meanwhile.
fn has_expiry(bytes: &[u8]) -> bool {
    let bytes = bytes.to_ascii_lowercase();
    let has = |word: &[u8]| bytes.windows(word.len()).any(|window| window == word);
    has(b"px") || has(b"ex") || has(b"\xfc") || has(b"\xfd") || has(b"restore")
}
