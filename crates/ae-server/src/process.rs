//! The process among others: its working directory, its pid file, its supervisor, the kernel's inclination to kill it.

use crate::config::choices::{OomScore, Supervised};
use crate::config::groups::Process;
use crate::config::settings::Config;
use crate::log::{Level, log};
use sd_notify::NotifyState;
use std::fs;
use std::path::PathBuf;
use std::sync::OnceLock;

const OOM_SCORE: &str = "/proc/self/oom_score_adj";
/// What it was at the start.
static OOM_SCORE_BEFORE: OnceLock<i32> = OnceLock::new();

/// Goes where the configuration says.
pub fn enter(config: &Config) -> Result<(), String> {
    let Some(dir) = &config.dir else { return Ok(()) };
    std::env::set_current_dir(dir).map_err(|error| format!("cannot change to the directory {}: {error}", dir.display()))
}

/// Puts `oom-score-adj` in force.
pub fn apply_oom_score(process: &Process) -> Result<(), String> {
    let read = || fs::read_to_string(OOM_SCORE).ok().and_then(|text| text.trim().parse().ok()).unwrap_or(0);
    // Nobody else may have set it, so nothing is touched as long as it is not asked for.
    if process.oom_score == OomScore::No && OOM_SCORE_BEFORE.get().is_none() {
        return Ok(());
    }
    let before = *OOM_SCORE_BEFORE.get_or_init(read);
    let [value, ..] = process.oom_score_values;
    let wanted = match process.oom_score {
        OomScore::No => before,
        OomScore::Relative => before + value,
        OomScore::Absolute => value,
    };
    fs::write(OOM_SCORE, wanted.clamp(-1000, 1000).to_string()).map_err(|error| {
        log(Level::Warning, format_args!("cannot write {wanted} to {OOM_SCORE}: {error}"));
        "Failed to set current oom_score_adj. Check server logs.".into()
    })
}

/// A pid file, removed when dropped.
pub struct PidFile(PathBuf);

impl PidFile {
    /// Writes it. A server can do without, so a failure is only logged, as with Redis.
    pub fn write(process: &Process) -> Option<PidFile> {
        let path = process.pid_file.as_ref()?;
        // The working directory may change until it is removed.
        let written = std::path::absolute(path).and_then(|path| {
            fs::write(&path, format!("{}\n", std::process::id()))?;
            Ok(PidFile(path))
        });
        written.inspect_err(|error| log(Level::Warning, format_args!("cannot write the pid file {path}: {error}"))).ok()
    }
}

impl Drop for PidFile {
    fn drop(&mut self) {
        // Somebody may have removed it already.
        let _ = fs::remove_file(&self.0);
    }
}

fn is_started_by_systemd() -> bool {
    std::env::var_os("NOTIFY_SOCKET").is_some_and(|socket| !socket.is_empty())
}

/// Whether systemd wants to be told how the server does.
pub fn is_supervised(process: &Process) -> bool {
    process.supervised != Supervised::No && is_started_by_systemd()
}

/// Tells systemd that the server is ready.
pub fn tell_ready(process: &Process) {
    if process.supervised == Supervised::Systemd && !is_started_by_systemd() {
        log(Level::Warning, format_args!("supervised systemd: NOTIFY_SOCKET is not in the environment"));
    }
    tell(process, &[NotifyState::Status("Ready to accept connections"), NotifyState::Ready]);
}

/// Tells systemd that the server ends, or that it will be ready again.
pub fn tell_stopping(process: &Process, restarts: bool) {
    tell(process, &[if restarts { NotifyState::Reloading } else { NotifyState::Stopping }]);
}

fn tell(process: &Process, state: &[NotifyState<'_>]) {
    if is_supervised(process)
        && let Err(error) = sd_notify::notify(state)
    {
        log(Level::Warning, format_args!("cannot tell systemd: {error}"));
    }
}
