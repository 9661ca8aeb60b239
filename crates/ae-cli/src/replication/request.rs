//! What a replica says before it asks for the data.

use crate::net::Link;
use crate::output::{Stop, complain, fail};

/// Says what this replica understands.
pub fn announce(link: &mut Link) -> Result<(), Stop> {
    configure(link, "capa", "eof").map(|_| ())
}

/// REPLCONF; false if the server does not know it.
pub fn configure(link: &mut Link, name: &str, value: &str) -> Result<bool, Stop> {
    complain(format!("sending REPLCONF {name} {value}"));
    match link.call(&["REPLCONF", name, value]) {
        Err(_) => fail("\nI/O error"),
        Ok(reply) => match reply.error() {
            Some(text) => {
                complain([format!("REPLCONF {name} error: ").as_bytes(), text].concat());
                Ok(false)
            }
            None => Ok(true),
        },
    }
}
