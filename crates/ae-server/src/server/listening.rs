//! What CONFIG SET asks of those who open sockets.

use crate::config::settings::Config;
use std::io;
use std::os::fd::OwnedFd;

/// Opens and closes the sockets that clients connect to.
pub trait Listen {
    /// Listens on what the new configuration says in place of what the old one says. If that fails, it is as before; the
    /// error is the directive's name and what is wrong.
    fn change(&mut self, old: &Config, new: &Config) -> Result<(), (&'static str, String)>;

    /// Copies of its sockets, for the program that goes on listening.
    fn copies(&self) -> io::Result<Vec<OwnedFd>>;
}
