//! The file that sessions' keys are written to, so that Wireshark and its like can read what was sent.

use crate::abi::host::LIBAE_LOG_WARNING;
use crate::host;
use core::fmt::Write as _;
use rustls::KeyLog;
use std::fs::{File, OpenOptions};
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt;

/// A file in NSS's format, a line for each key.
#[derive(Debug)]
pub(super) struct KeyLogFile {
    file: File,
    path: String,
}

impl KeyLogFile {
    /// Opens the file to append to it; a new one is its owner's alone to read.
    pub(super) fn open(path: &str) -> Result<Self, String> {
        let file = OpenOptions::new().append(true).create(true).mode(0o600).open(path);
        let file = file.map_err(|error| format!("key_log_file: {path}: {error}"))?;
        host::log(LIBAE_LOG_WARNING, format_args!("The keys of TLS sessions are written to {path}"));
        Ok(Self { file, path: path.to_owned() })
    }
}

impl KeyLog for KeyLogFile {
    fn log(&self, label: &str, client_random: &[u8], secret: &[u8]) {
        let mut line = format!("{label} ");
        for (bytes, end) in [(client_random, ' '), (secret, '\n')] {
            bytes.iter().for_each(|byte| _ = write!(line, "{byte:02x}"));
            line.push(end);
        }
        // One write, so that no other thread's or process's line gets between.
        if let Err(error) = (&self.file).write_all(line.as_bytes()) {
            host::log(LIBAE_LOG_WARNING, format_args!("key_log_file: {}: {error}", self.path));
        }
    }
}
