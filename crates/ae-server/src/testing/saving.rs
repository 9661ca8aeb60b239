//! Servers with an RDB file in a folder of their own, for tests.

use super::Session;
use crate::config::settings::Config;
use std::path::Path;
use tempfile::TempDir;

/// A server whose RDB file is in a folder of its own.
pub fn session() -> (Session, TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let mut config = Config { dir: Some(folder.path().into()), ..Config::default() };
    config.saving.points.clear();
    config.security.debug_command = crate::config::choices::Allowed::Yes;
    (Session::with(config), folder)
}

/// Goes on until the snapshot under way has ended.
pub fn finish(session: &mut Session) {
    while session.server.snapshot.is_some() {
        session.server.advance_snapshot(false);
    }
}

/// What another server has that begins with the file.
pub fn loaded(folder: &Path) -> Session {
    loaded_behind(folder, &[])
}

/// The same, behind these requests.
pub fn loaded_behind(folder: &Path, requests: &[&str]) -> Session {
    let config = Config { dir: Some(folder.into()), ..Config::default() };
    let mut session = Session::with(config);
    session.expect(&requests.iter().map(|request| (*request, "+OK")).collect::<Vec<_>>());
    session.server.begin_start().unwrap();
    while session.server.loading.is_some() {
        session.server.advance_loading();
    }
    assert_eq!(session.server.failure, None);
    session
}
