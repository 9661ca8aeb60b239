//! Commands for what this server does not have. docs/server.md says what to use instead.

use crate::command::context::Context;
use crate::command::error::Outcome;

pub fn cluster(_: &mut Context<'_>) -> Outcome {
    Err("ERR This instance has cluster support disabled".into())
}

pub fn modules(_: &mut Context<'_>) -> Outcome {
    Err("ERR modules are not supported by this server".into())
}

/// There are none; clients look for them when they connect.
pub fn module_list(ctx: &mut Context<'_>) -> Outcome {
    ctx.reply().array(0);
    Ok(())
}

/// EVAL, FCALL and the others in a build without the feature `scripting`.
#[cfg(not(feature = "scripting"))]
pub fn scripting(_: &mut Context<'_>) -> Outcome {
    Err("ERR this server was built without scripts".into())
}

#[cfg(test)]
mod tests {
    use crate::testing::Session;

    /// `scripts/check-no-scripting.sh` runs it.
    #[cfg(not(feature = "scripting"))]
    #[test]
    fn no_scripts() {
        let mut session = Session::new();
        for request in [
            "EVAL \"return 1\" 0",
            "EVALSHA_RO 0123456789012345678901234567890123456789 0",
            "FCALL f 0",
            "SCRIPT LOAD x",
            "SCRIPT EXISTS x",
            "FUNCTION LIST",
            "FUNCTION STATS",
        ] {
            session.expect(&[(request, "-ERR this server was built without scripts")]);
        }
        let info = session.run("INFO memory");
        for truth in ["used_memory_lua:0 ", "number_of_cached_scripts:0 ", "number_of_libraries:0 "] {
            assert!(info.contains(truth), "{info}");
        }
        // They are known, so that rights and clients' tables are the same.
        assert_eq!(session.run("COMMAND GETKEYS EVAL x 1 k"), "*1 $1 k");
        session.expect(&[("EVAL x", "-ERR wrong number of arguments for 'eval' command")]);
        let library = b"#!lua name=l\nredis.register_function('f', function() end)";
        let loaded = session.server.scripting.libraries.load(library, false);
        assert_eq!(loaded, Err("this server was built without scripts".into()), "as in a file");
    }

    #[test]
    fn no_modules() {
        let mut session = Session::new();
        session.expect(&[("MODULE LIST", "*0"), ("MODULE LOAD m.so", "-ERR modules are not supported by this server")]);
    }
}
