//! Writing a file so that it is there whole, either as it was or as it is to be.

use std::fs::{self, File, Metadata, OpenOptions, Permissions};
use std::io::{self, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::Path;

/// Writes a new file beside the old one, which then takes its place. It keeps the mode; a new file gets `mode`.
pub fn replace_file(path: &Path, text: &[u8], mode: u32) -> io::Result<()> {
    // A link stays a link.
    let path = path.canonicalize().unwrap_or_else(|_| path.to_path_buf());
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let beside = path.with_extension(format!("rewrite-{}", std::process::id()));
    let mode = fs::metadata(&path).as_ref().map_or(mode, |file: &Metadata| file.mode() & 0o7777);
    let written = write_synced(&beside, text, mode);
    let replaced = written.and_then(|()| fs::rename(&beside, &path)).and_then(|()| File::open(folder)?.sync_all());
    if replaced.is_err() {
        // It may not have come into being.
        let _ = fs::remove_file(&beside);
    }
    replaced
}

fn write_synced(path: &Path, text: &[u8], mode: u32) -> io::Result<()> {
    // It may be left from a server that crashed.
    let _ = fs::remove_file(path);
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
    file.set_permissions(Permissions::from_mode(mode))?;
    file.write_all(text)?;
    file.sync_all()
}
