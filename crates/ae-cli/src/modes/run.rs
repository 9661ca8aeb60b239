//! Which mode does what.

use super::big_keys::{self, Measure};
use super::{command, distribution, hot_keys, intrinsic, keys, latency, lru, pipe, stat, transfer};
use crate::cluster;
use crate::options::{Mode, Options, Output};
use crate::output::Stop;
use crate::prompt;
use crate::session::Session;
use std::process::ExitCode;

/// Does what the options ask for.
pub fn run(options: Options) -> ExitCode {
    let mut session = Session::new(options);
    match run_in(&mut session) {
        Ok(()) => ExitCode::SUCCESS,
        Err(Stop(status)) => ExitCode::from(status),
    }
}

fn run_in(session: &mut Session) -> Result<(), Stop> {
    match session.options.mode.clone() {
        None if session.options.command.is_empty() => prompt::run(session),
        None => command::run(session),
        Some(Mode::Pipe) => pipe::run(session),
        Some(Mode::Replica) => transfer::replica(session),
        Some(Mode::Rdb(path)) => transfer::rdb(session, &path, false),
        Some(Mode::FunctionsRdb(path)) => transfer::rdb(session, &path, true),
        Some(Mode::Eval(path)) => command::eval(session, &path),
        Some(Mode::Latency { history }) => latency::run(session, history),
        Some(Mode::LatencyDistribution) => distribution::run(session),
        Some(Mode::IntrinsicLatency(seconds)) => intrinsic::run(session, seconds),
        Some(Mode::BigKeys) => big_keys::run(session, Measure::Elements),
        Some(Mode::MemKeys(samples)) => big_keys::run(session, Measure::Memory(samples)),
        Some(Mode::HotKeys) => hot_keys::run(session),
        Some(Mode::Stat) => stat::run(session),
        Some(Mode::Scan) => keys::scan(session, session.options.output == Output::Formatted),
        Some(Mode::LruTest(keys)) => lru::run(session, keys),
        Some(Mode::Cluster(asked)) => cluster::run(session, &asked),
    }
}
