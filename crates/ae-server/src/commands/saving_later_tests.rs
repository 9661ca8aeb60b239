//! Saves and shutdowns that something else holds up.

use crate::scripting::running::Running;
use crate::server::rewriting::tests::round;
use crate::testing::saving::session;

/// SHUTDOWN NOSAVE does not wait for it, since it may never end.
#[test]
fn a_busy_script_holds_up_only_a_shutdown_that_may_save() {
    let (mut session, _folder) = session();
    let started = session.server.clock.mark();
    session.server.scripting.running = Some(Running { is_slow: true, ..Running::new(false, b"sha", started) });
    let busy = "-BUSY Redis is busy running a script. You can only call SCRIPT KILL or SHUTDOWN NOSAVE.";
    session.expect(&[("SHUTDOWN", busy), ("SHUTDOWN SAVE", busy), ("SHUTDOWN NOW", busy)]);
    assert!(!session.server.shutdown);
    session.expect(&[("SHUTDOWN NOSAVE NOSAVE", "")]);
    assert!(session.server.shutdown);
}

#[test]
fn a_transaction_leaves_what_forks_in_redis_to_the_time_behind_it() {
    let (mut session, _folder) = session();
    session.expect(&[
        ("MULTI", "+OK"),
        ("BGSAVE", "+QUEUED"),
        ("BGREWRITEAOF", "+QUEUED"),
        ("EXEC", "*2 +Background saving scheduled +Background append only file rewriting scheduled"),
    ]);
    assert!(session.server.status.scheduled && session.server.snapshot.is_none());
}

#[test]
fn a_save_may_wait_for_a_rewrite() {
    let (mut session, _folder) = session();
    ["SET k v", "CONFIG SET appendonly yes"].iter().for_each(|request| _ = session.run(request));
    round(&mut session);
    session.expect(&[
        (
            "BGSAVE",
            "-ERR Another child process is active (AOF?): can't BGSAVE right now. Use BGSAVE SCHEDULE in order to schedule \
             a BGSAVE whenever possible.",
        ),
        ("BGSAVE Schedule", "+Background saving scheduled"),
        ("BGSAVE x", "-ERR syntax error"),
    ]);
    session.server.status.last_save = 7;
    session.expect(&[("LASTSAVE", ":7")]);
}
