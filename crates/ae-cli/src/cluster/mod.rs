//! `--cluster`: asks the nodes of a cluster.

mod call;
mod check;
mod nodes;
mod report;
mod run;

pub use run::run;
