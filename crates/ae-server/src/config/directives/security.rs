//! Who may do what.

use crate::config::choices::{ALLOWED, CHANNELS};
use crate::config::format::{Format, LONG, TEXT};
use crate::config::parameter::Change::{AnyTime, AtStart};
use crate::config::parameter::{Parameter, directive, field};

pub const DIRECTIVES: &[Parameter] = &[
    directive("requirepass", AnyTime, field!(password, Format::Bytes), "PASSWORD", "ask clients for this password"),
    directive(
        "protected-mode",
        AnyTime,
        field!(protected_mode, Format::Switch),
        "yes|no",
        "without a password, serve only this host (yes)",
    ),
    directive("aclfile", AtStart, field!(security.acl_file, TEXT), "PATH", "the file of users"),
    directive("acllog-max-len", AnyTime, field!(security.acl_log_max_len, LONG), "N", "length of ACL LOG (128)"),
    directive(
        "acl-pubsub-default",
        AnyTime,
        field!(security.acl_pubsub_default, CHANNELS),
        "allchannels|resetchannels",
        "channels of a new user (resetchannels)",
    ),
    directive(
        "enable-debug-command",
        AtStart,
        field!(security.debug_command, ALLOWED),
        "no|yes|local",
        "who may use DEBUG (no)",
    ),
    directive(
        "enable-protected-configs",
        AtStart,
        field!(security.protected_configs, ALLOWED),
        "no|yes|local",
        "who may change dir and dbfilename (no)",
    ),
    directive(
        "enable-module-command",
        AtStart,
        field!(security.module_command, ALLOWED),
        "no|yes|local",
        "who may use MODULE LOAD, which finds no module (no)",
    ),
];
