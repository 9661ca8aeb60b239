//! The directives whose values are words of their own kind.

use super::format::{Format, c_integer, c_text, quoted, reason};
use super::groups::SavePoint;
use super::settings::Config;
use ipnet::IpNet;
use std::net::IpAddr;
use std::path::Path;
use store::types::zset::Score;

type Words<'a> = &'a [Vec<u8>];

/// As many addresses as Redis binds at most.
const ADDRESSES_MAX: usize = 16;
const WRONG_NUMBER: &str = "wrong number of arguments";

/// Nothing, or one empty word.
fn are_empty(words: Words<'_>) -> bool {
    words.iter().all(Vec::is_empty) && words.len() <= 1
}

fn joined(words: impl IntoIterator<Item = impl ToString>) -> String {
    words.into_iter().map(|word| word.to_string()).collect::<Vec<_>>().join(" ")
}

pub fn set_bind(config: &mut Config, words: Words<'_>) -> Result<(), String> {
    if words.len() > ADDRESSES_MAX {
        return Err("Too many bind addresses specified.".into());
    }
    let addresses = words.iter().filter(|word| !word.is_empty()).map(|word| super::format::text(word));
    config.bind = addresses.collect::<Result<_, _>>()?;
    Ok(())
}

pub fn bind(config: &Config) -> Vec<u8> {
    joined(&config.bind).into()
}

pub fn bind_lines(config: &Config) -> Vec<Vec<u8>> {
    match config.bind.is_empty() {
        true => vec![quoted(b"")],
        false => vec![bind(config)],
    }
}

/// More would be a mistake: each connection is looked up in all of them.
const PROXY_NETWORKS_MAX: usize = 64;

pub fn set_proxy_networks(config: &mut Config, words: Words<'_>) -> Result<(), String> {
    let words = if are_empty(words) { &[] } else { words };
    if words.len() > PROXY_NETWORKS_MAX {
        return Err(format!("at most {PROXY_NETWORKS_MAX} networks"));
    }
    let network = |word: &Vec<u8>| {
        let text = super::format::text(word)?;
        let whole = text.parse::<IpAddr>().map(IpNet::from);
        whole.or_else(|_| text.parse()).map_err(|_| format!("'{text}' is no network such as 10.0.0.0/8"))
    };
    config.proxy_networks = words.iter().map(network).collect::<Result<_, _>>()?;
    Ok(())
}

pub fn proxy_networks(config: &Config) -> Vec<u8> {
    joined(&config.proxy_networks).into()
}

pub fn proxy_networks_lines(config: &Config) -> Vec<Vec<u8>> {
    match config.proxy_networks.is_empty() {
        true => vec![quoted(b"")],
        false => vec![proxy_networks(config)],
    }
}

/// The first line of a configuration replaces the default points, others add to them, and an empty one takes them all
/// away.
pub fn set_save(config: &mut Config, words: Words<'_>) -> Result<(), String> {
    let words = if are_empty(words) { &[] } else { words };
    let at_least = |word: &[u8], least| c_integer(word, 10).filter(|number| (least..=i64::MAX.into()).contains(number));
    let point = |point: &[Vec<u8>]| {
        let [seconds, changes] = point else { return None };
        let (seconds, changes) = (at_least(seconds, 1)?, at_least(changes, 0)?);
        Some(SavePoint { seconds: seconds as i64, changes: changes as i64 })
    };
    let points = words.chunks(2).map(point).collect::<Option<Vec<_>>>().ok_or("Invalid save parameters")?;
    let saving = &mut config.saving;
    if words.is_empty() || !saving.points_given {
        saving.points.clear();
    }
    saving.points_given = true;
    saving.points.extend(points);
    Ok(())
}

pub fn save(config: &Config) -> Vec<u8> {
    let points = config.saving.points.iter();
    joined(points.map(|SavePoint { seconds, changes }| format!("{seconds} {changes}"))).into()
}

pub fn save_lines(config: &Config) -> Vec<Vec<u8>> {
    let line = save(config);
    vec![if line.is_empty() { quoted(b"") } else { line }]
}

pub fn set_replicaof(config: &mut Config, words: Words<'_>) -> Result<(), String> {
    let [host, port] = words else {
        return Err(WRONG_NUMBER.into());
    };
    if host.eq_ignore_ascii_case(b"no") && port.eq_ignore_ascii_case(b"one") {
        config.replication.primary = None;
        return Ok(());
    }
    let port = c_integer(port, 10).and_then(|port| u16::try_from(port).ok()).ok_or("Invalid master port")?;
    config.replication.primary = Some((super::format::text(host)?, port));
    Ok(())
}

pub fn replicaof(config: &Config) -> Vec<u8> {
    let primary = config.replication.primary.as_ref();
    primary.map(|(host, port)| format!("{host} {port}").into_bytes()).unwrap_or_default()
}

pub fn replicaof_lines(config: &Config) -> Vec<Vec<u8>> {
    let Some((host, port)) = &config.replication.primary else { return Vec::new() };
    let host = host.as_bytes();
    let is_one_word = resp::words::split(host).is_ok_and(|words| words == [host]);
    let host = if is_one_word { host.to_vec() } else { quoted(host) };
    vec![[host, format!(" {port}").into()].concat()]
}

pub fn set_percentiles(config: &mut Config, words: Words<'_>) -> Result<(), String> {
    let words = if are_empty(words) { &[] } else { words };
    let percentile = |word: &Vec<u8>| {
        let number = Score::parse(word).ok_or("Invalid latency-tracking-info-percentiles parameters")?.get();
        let range = "latency-tracking-info-percentiles parameters should sit between [0.0,100.0]";
        Some(number).filter(|number| (0.0..=100.0).contains(number)).ok_or(range)
    };
    config.observation.latency_percentiles = words.iter().map(percentile).collect::<Result<_, _>>()?;
    Ok(())
}

pub fn percentiles(config: &Config) -> Vec<u8> {
    let show = |percentile: &f64| {
        let text = format!("{percentile:.6}");
        text.trim_end_matches('0').trim_end_matches('.').to_string()
    };
    joined(config.observation.latency_percentiles.iter().map(show)).into()
}

pub fn percentiles_lines(config: &Config) -> Vec<Vec<u8>> {
    let line = percentiles(config);
    vec![if line.is_empty() { quoted(b"") } else { line }]
}

pub fn set_oom_score_values(config: &mut Config, words: Words<'_>) -> Result<(), String> {
    let words: &[Vec<u8>; 3] = words.try_into().map_err(|_| WRONG_NUMBER)?;
    let mut values = [0; 3];
    for (value, word) in values.iter_mut().zip(words) {
        let number = c_integer(word, 10).filter(|number| (-2000..=2000).contains(number));
        let invalid = "Invalid oom-score-adj-values, elements must be between -2000 and 2000.";
        *value = number.ok_or(invalid)? as i32;
    }
    config.process.oom_score_values = values;
    Ok(())
}

pub fn oom_score_values(config: &Config) -> Vec<u8> {
    joined(config.process.oom_score_values).into()
}

/// Takes it if it is there. Whoever serves goes there; other paths of the configuration start from it.
pub fn set_dir(config: &mut Config, words: Words<'_>) -> Result<(), String> {
    let [dir] = words else {
        return Err(WRONG_NUMBER.into());
    };
    let path = config.path(Path::new(&super::format::text(dir)?));
    let path = path.canonicalize().map_err(|error| reason(&error))?;
    if !path.is_dir() {
        return Err("Not a directory".into());
    }
    config.dir = Some(path);
    Ok(())
}

pub fn dir(config: &Config) -> Vec<u8> {
    let dir = config.dir.clone().map_or_else(std::env::current_dir, Ok);
    dir.unwrap_or_default().into_os_string().into_encoded_bytes()
}

pub fn dir_lines(config: &Config) -> Vec<Vec<u8>> {
    config.dir.iter().map(|_| quoted(&dir(config))).collect()
}

pub fn set_keyspace_events(config: &mut Config, words: Words<'_>) -> Result<(), String> {
    let [classes] = words else {
        return Err(WRONG_NUMBER.into());
    };
    let events = super::events::Events::parse(c_text(classes));
    config.keyspace_events = events.ok_or("Invalid event class character. Use 'Ag$lshzxeKEtmdn'.")?;
    Ok(())
}

/// Words on one line, for a message.
pub fn text_of(words: Words<'_>) -> String {
    String::from_utf8_lossy(&words.join(&b' ')).into_owned()
}

/// What a signal adds to the shutdown that it causes.
pub const SHUTDOWN: Format =
    Format::Flags(&[("default", 0), ("save", 1), ("nosave", 2), ("now", 4), ("force", 8)], |flags| {
        let both = flags & 3 == 3;
        if both { Err("shutdown options SAVE and NOSAVE can't be used simultaneously") } else { Ok(()) }
    });

/// Checks the template of the process's title: its variables, in braces, are known, and something is left of it where
/// those that may be empty are.
pub fn title_template(template: &str) -> Result<(), &'static str> {
    const EMPTY: [&str; 4] = ["title", "server-mode", "unixsocket", "config-file"];
    const FULL: [&str; 3] = ["listen-addr", "port", "tls-port"];
    let invalid = "template format is invalid or contains unknown variables";
    let mut rest = template;
    let mut is_full = false;
    while let Some((before, behind)) = rest.split_once('{') {
        is_full |= !before.trim_matches(' ').is_empty();
        if let Some(behind) = behind.strip_prefix('{') {
            (rest, is_full) = (behind, true);
            continue;
        }
        let (name, behind) = behind.split_once('}').ok_or(invalid)?;
        is_full |= FULL.contains(&name);
        if !FULL.contains(&name) && !EMPTY.contains(&name) {
            return Err(invalid);
        }
        rest = behind;
    }
    if is_full || !rest.trim_matches(' ').is_empty() { Ok(()) } else { Err(invalid) }
}

/// A file's name without a folder.
pub fn base_name(name: &str, what: &'static str) -> Result<(), &'static str> {
    if name.contains(['/', '\\']) { Err(what) } else { Ok(()) }
}
