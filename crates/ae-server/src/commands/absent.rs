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

pub fn migrate(_: &mut Context<'_>) -> Outcome {
    Err("ERR MIGRATE is not supported by this server: DUMP here and RESTORE there do the same".into())
}

#[cfg(test)]
mod tests {
    use crate::testing::Session;

    #[test]
    fn no_modules() {
        let mut session = Session::new();
        session.expect(&[("MODULE LIST", "*0"), ("MODULE LOAD m.so", "-ERR modules are not supported by this server")]);
    }
}
