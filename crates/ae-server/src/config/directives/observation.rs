//! What the server tells about itself.

use crate::config::choices::LEVEL;
use crate::config::format::{Format, INT, LONG, TEXT};
use crate::config::parameter::Change::{AnyTime, AtStart};
use crate::config::parameter::{Access, Parameter, directive, field, kept};
use crate::config::words;

const FROM_MINUS_1: Format = Format::Integer { min: -1, max: i64::MAX as i128 };
const NO_REPORT: &str = "there is no report of crashes";

pub const DIRECTIVES: &[Parameter] = &[
    directive(
        "loglevel",
        AnyTime,
        field!(log_level, LEVEL),
        "LEVEL",
        "debug, verbose, notice (the default), warning or nothing",
    ),
    directive(
        "slowlog-log-slower-than",
        AnyTime,
        field!(observation.slowlog_slower_than, FROM_MINUS_1),
        "MICROSECONDS",
        "what SLOWLOG calls slow (10000); -1 for nothing",
    ),
    directive("slowlog-max-len", AnyTime, field!(observation.slowlog_max_len, LONG), "N", "its length (128)"),
    directive(
        "latency-monitor-threshold",
        AnyTime,
        field!(observation.latency_threshold, LONG),
        "MILLISECONDS",
        "what LATENCY records (0: nothing)",
    ),
    directive(
        "latency-tracking",
        AnyTime,
        field!(observation.latency_tracking, Format::Switch),
        "yes|no",
        "keep the distribution of every command's time (yes)",
    ),
    directive(
        "latency-tracking-info-percentiles",
        AnyTime,
        Access::Words {
            several: true,
            get: words::percentiles,
            set: words::set_percentiles,
            lines: words::percentiles_lines,
        },
        "PERCENT...",
        "those that INFO has (50 99 99.9)",
    ),
    directive(
        "busy-reply-threshold",
        AnyTime,
        field!(observation.busy_reply_threshold, LONG),
        "MILLISECONDS",
        "after which others get errors while a script runs (5000)",
    )
    .alias("lua-time-limit"),
    kept("crash-log-enabled", AnyTime, Format::Switch, "yes", NO_REPORT),
    kept("crash-memcheck-enabled", AnyTime, Format::Switch, "yes", NO_REPORT),
    kept("use-exit-on-panic", AnyTime, Format::Switch, "no", NO_REPORT).hidden(),
    kept("watchdog-period", AnyTime, INT, "0", "there is no software watchdog").hidden(),
    kept("ignore-warnings", AnyTime, TEXT, "", "no warning can be turned off by its name"),
    kept("always-show-logo", AtStart, Format::Switch, "no", "there is no logo"),
];
