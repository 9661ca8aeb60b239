//! The process: its log, its files, its supervisor, its clock.

use crate::config::choices::{FACILITY, Field, OOM_SCORE};
use crate::config::format::{Format, INT, TEXT};
use crate::config::parameter::Change::{AnyTime, AtStart, Protected};
use crate::config::parameter::{Access, Parameter, directive, field, kept};
use crate::config::words;

const SUPERVISED: Format = Format::Choice(&[("systemd", 1), ("auto", 2), ("no", 0)]);
const NO_TITLE: &str = "the title of the process is its command line";
const NO_PINNING: &str = "ae-server does not pin itself to processors: start it with taskset";

pub const DIRECTIVES: &[Parameter] = &[
    directive(
        "dir",
        Protected,
        Access::Words { several: false, get: words::dir, set: words::set_dir, lines: words::dir_lines },
        "PATH",
        "the working directory",
    ),
    directive("logfile", AtStart, field!(process.log_file, TEXT), "PATH", "log into this file, not to standard output"),
    directive("syslog-enabled", AtStart, field!(process.syslog, Format::Switch), "yes|no", "log to syslog too (no)"),
    directive("syslog-ident", AtStart, field!(process.syslog_ident, TEXT), "NAME", "the name there (redis)"),
    directive(
        "syslog-facility",
        AtStart,
        field!(process.syslog_facility, FACILITY),
        "NAME",
        "user or local0 (the default) to local7",
    ),
    directive("pidfile", AtStart, field!(process.pid_file, TEXT), "PATH", "write the process id into this file"),
    directive(
        "daemonize",
        AtStart,
        field!(process.daemonize, Format::Switch),
        "yes|no",
        "serve in the background, once everything is ready (no)",
    ),
    directive(
        "supervised",
        AtStart,
        field!(process.supervised, SUPERVISED),
        "no|systemd|auto",
        "tell systemd when it is ready (no)",
    ),
    // Redis takes any and sees to the limits itself.
    directive(
        "hz",
        AnyTime,
        Access::Field { format: INT, get: |c| c.hz.value(), set: |c, hz| c.hz = hz.number().clamp(1, 500) as u32 },
        "N",
        "runs of the cron per second (10)",
    ),
    directive(
        "oom-score-adj",
        AnyTime,
        field!(process.oom_score, OOM_SCORE),
        "no|relative|absolute",
        "change the kernel's inclination to kill it (no)",
    ),
    directive(
        "oom-score-adj-values",
        AnyTime,
        Access::Words {
            several: true,
            get: words::oom_score_values,
            set: words::set_oom_score_values,
            lines: |c| vec![words::oom_score_values(c)],
        },
        "PRIMARY REPLICA CHILD",
        "by how much; the first counts (0 200 800)",
    ),
    kept("dynamic-hz", AnyTime, Format::Switch, "yes", "the cron runs hz times a second, whatever it has to do"),
    kept("set-proc-title", AtStart, Format::Switch, "yes", NO_TITLE),
    kept(
        "proc-title-template",
        AnyTime,
        Format::Text(words::title_template),
        "{title} {listen-addr} {server-mode}",
        NO_TITLE,
    ),
    kept("server_cpulist", AtStart, TEXT, "", NO_PINNING),
    kept("bio_cpulist", AtStart, TEXT, "", NO_PINNING),
    kept("aof_rewrite_cpulist", AtStart, TEXT, "", NO_PINNING),
    kept("bgsave_cpulist", AtStart, TEXT, "", NO_PINNING),
    directive("shutdown-timeout", AnyTime, field!(replication.shutdown_timeout, INT), "", ""),
    directive(
        "shutdown-on-sigint",
        AnyTime,
        field!(process.on_sigint, words::SHUTDOWN),
        "default|save|nosave|force",
        "how SIGINT ends it: save in any case, or never; even if that fails",
    ),
    directive(
        "shutdown-on-sigterm",
        AnyTime,
        field!(process.on_sigterm, words::SHUTDOWN),
        "default|save|nosave|force",
        "the same for SIGTERM",
    ),
];
