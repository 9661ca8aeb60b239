//! Commands for what this server does not have. docs/server.md says what to use instead.

use crate::command::context::Context;
use crate::command::error::Outcome;
use crate::log::{Level, log};

pub fn cluster(_: &mut Context<'_>) -> Outcome {
    Err("ERR This instance has cluster support disabled".into())
}

/// As if there were no such file, since none can be loaded. The log says why.
pub fn load_module(ctx: &mut Context<'_>) -> Outcome {
    ctx.server.may_load_modules(ctx.client)?;
    let path = String::from_utf8_lossy(ctx.arg(2));
    log(Level::Warning, format_args!("Module {path} failed to load: this server has no modules"));
    Err("ERR Error loading the extension. Please check the server logs.".into())
}

pub fn unload_module(ctx: &mut Context<'_>) -> Outcome {
    ctx.server.may_load_modules(ctx.client)?;
    Err("ERR Error unloading module: no such module with that name".into())
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
    use crate::config::choices::Allowed;
    use crate::log::{Level, heard};
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
        let refused = "-ERR MODULE command not allowed. If the enable-module-command option is set to \"local\", you can \
                       run it from a local connection, otherwise you need to set this option in the configuration \
                       file, and then restart the server.";
        let mut session = Session::new();
        session.expect(&[("MODULE LIST", "*0"), ("MODULE LOAD m.so", refused), ("MODULE UNLOAD m", refused)]);
        session.server.config.security.module_command = Allowed::Yes;
        let not_loaded = "-ERR Error loading the extension. Please check the server logs.";
        session.expect(&[
            ("MODULE LOAD m.so", not_loaded),
            ("MODULE LOADEX m.so CONFIG a b", not_loaded),
            ("MODULE UNLOAD m", "-ERR Error unloading module: no such module with that name"),
        ]);
        heard::expect(Level::Warning, &["Module m.so failed to load: this server has no modules"; 2]);
    }
}
