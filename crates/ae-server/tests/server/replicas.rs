//! A primary of replicas that the test plays.

use crate::start;

/// A copy may wait for other replicas.
#[test]
fn one_that_waits_for_its_copy_hears_that_the_server_is_alive() {
    let server = start(&["--repl-diskless-sync-delay", "1000"]);
    let mut replica = server.connect();
    replica.call("REPLCONF capa eof capa psync2", "+OK");
    replica.send("PSYNC ? -1\r\n");
    replica.expect("\n\n");
}
