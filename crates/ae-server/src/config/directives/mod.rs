//! The rows of the catalogue, a file a subject.

mod clients;
mod cluster;
mod data;
mod memory;
mod network;
mod observation;
mod persistence;
mod process;
mod replication;
mod security;
mod tls;

use super::parameter::Parameter;

/// In the order of `--help`.
pub const ALL: &[&[Parameter]] = &[
    network::DIRECTIVES,
    tls::DIRECTIVES,
    process::DIRECTIVES,
    security::DIRECTIVES,
    clients::DIRECTIVES,
    memory::DIRECTIVES,
    data::DIRECTIVES,
    observation::DIRECTIVES,
    persistence::DIRECTIVES,
    replication::DIRECTIVES,
    cluster::DIRECTIVES,
];
