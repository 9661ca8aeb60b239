//! All directives.

use super::directives::{
    clients, cluster, data, memory, network, observation, persistence, process, replication, security, tls,
};
use super::parameter::Parameter;
use super::settings::Config;

/// The files of rows, in the order of `--help`.
const ALL: &[&[Parameter]] = &[
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

/// Every directive, in the order of `--help`.
pub fn parameters() -> impl Iterator<Item = &'static Parameter> {
    ALL.iter().copied().flatten()
}

/// Every name, with its directive; an alias is a name of its own.
pub fn names() -> impl Iterator<Item = (&'static str, &'static Parameter)> {
    parameters().flat_map(|row| [Some(row.name), row.alias].into_iter().flatten().map(move |name| (name, row)))
}

/// The directive of that name, in any case, and the name as it is in the catalogue.
pub fn find(name: &[u8]) -> Option<(&'static str, &'static Parameter)> {
    names().find(|(other, _)| name.eq_ignore_ascii_case(other.as_bytes()))
}

/// What is in the configuration without effect, and why, one line each.
pub fn warnings(config: &Config) -> impl Iterator<Item = String> {
    let obsolete = config.obsolete.iter().map(|name| format!("{name} has no effect: it is obsolete"));
    parameters().filter_map(|parameter| parameter.warning(config)).chain(obsolete)
}

#[cfg(test)]
#[path = "catalog_tests.rs"]
mod tests;
