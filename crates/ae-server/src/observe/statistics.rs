//! The sections of INFO about commands and errors.

use crate::record::commands::Calls;
use crate::server::state::Server;
use std::fmt::Write;

pub fn commands(server: &Server, out: &mut String) {
    for (spec, calls) in server.stats.calls.iter().filter(|(_, calls)| !calls.is_unused()) {
        let (micros, Calls { count, rejected, failed, .. }) = (calls.micros(), calls);
        let each = if *count == 0 { 0.0 } else { micros as f64 / *count as f64 };
        let _ = write!(
            out,
            "cmdstat_{}:calls={count},usec={micros},usec_per_call={each:.2},rejected_calls={rejected},\
             failed_calls={failed}\r\n",
            spec.full_name
        );
    }
}

pub fn errors(server: &Server, out: &mut String) {
    for (code, count) in server.stats.errors.iter() {
        let _ = write!(out, "errorstat_{}:count={count}\r\n", String::from_utf8_lossy(code));
    }
}

pub fn latencies(server: &Server, out: &mut String) {
    let settings = &server.config.observation;
    let timed = server.stats.calls.iter().filter(|(_, calls)| settings.latency_tracking && calls.is_timed());
    for (spec, calls) in timed {
        let values = settings.latency_percentiles.iter().filter_map(|&percent| {
            let shown = format!("{percent:.6}");
            let shown = shown.trim_end_matches('0').trim_end_matches('.');
            Some(format!("p{shown}={:.3}", calls.percentile(percent)?))
        });
        let values = values.collect::<Vec<_>>().join(",");
        let _ = write!(out, "latency_percentiles_usec_{}:{values}\r\n", spec.full_name);
    }
}
