//! `redis://user:password@host:port/db`, with `rediss` for TLS, and `unix://user:password@/path?db=N`. Names, passwords
//! and paths may be of any bytes.

use super::choices::Options;
use crate::text;
use resp::number;
use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt;

/// Sets what a URI says.
pub fn apply(options: &mut Options, uri: &[u8]) -> Result<(), String> {
    let scheme = |name: &str| {
        let (head, rest) = uri.split_at_checked(name.len())?;
        head.eq_ignore_ascii_case(name.as_bytes()).then_some(rest)
    };
    if let Some(rest) = scheme("unix://") {
        return unix(options, rest);
    }
    let rest = match (scheme("rediss://"), scheme("redis://")) {
        (Some(rest), _) => {
            options.tls.on = true;
            rest
        }
        (None, Some(rest)) => rest,
        (None, None) => return Err("Invalid URI scheme".into()),
    };
    let rest = credentials(options, rest)?;
    let (place, db) = split_once(rest, b'/').unwrap_or((rest, b""));
    if !place.is_empty() {
        let place = str::from_utf8(place).map_err(|_| "-u: the host is not valid UTF-8")?;
        host_and_port(options, place)?;
    }
    if !db.is_empty() {
        options.db = number::leading(db);
    }
    Ok(())
}

fn unix(options: &mut Options, rest: &[u8]) -> Result<(), String> {
    // The path may have an `@` of its own.
    let path_at = rest.iter().position(|byte| *byte == b'/').unwrap_or(rest.len());
    let rest = if rest[..path_at].contains(&b'@') { credentials(options, rest)? } else { rest };
    let (path, query) = split_once(rest, b'?').unwrap_or((rest, b""));
    for pair in query.split(|byte| *byte == b'&') {
        match split_once(pair, b'=') {
            Some((b"db" | b"virtual_db", db)) => options.db = number::leading(db),
            _ if pair.is_empty() => {}
            _ => return Err(format!("Invalid URI: {} is not known", String::from_utf8_lossy(pair))),
        }
    }
    options.socket = Some(OsString::from_vec(percent_decoded(path)?).into());
    Ok(())
}

/// Takes what is before the `@`, if there is one.
fn credentials<'a>(options: &mut Options, rest: &'a [u8]) -> Result<&'a [u8], String> {
    let Some((info, rest)) = split_once(rest, b'@') else { return Ok(rest) };
    let password = match split_once(info, b':') {
        Some((user, password)) => {
            options.user = Some(percent_decoded(user)?).filter(|user| !user.is_empty());
            password
        }
        None => info,
    };
    options.password = Some(percent_decoded(password)?);
    Ok(rest)
}

/// What is before the first of this byte, and what is behind it.
fn split_once(text: &[u8], at: u8) -> Option<(&[u8], &[u8])> {
    let end = text.iter().position(|byte| *byte == at)?;
    Some((&text[..end], &text[end + 1..]))
}

fn host_and_port(options: &mut Options, place: &str) -> Result<(), String> {
    // An IPv6 address has colons of its own, and stands in brackets.
    let (host, port) = match place.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        Some((host, rest)) => (host, rest.strip_prefix(':')),
        None => place.split_once(':').map_or((place, None), |(host, port)| (host, Some(port))),
    };
    options.host = host.into();
    if let Some(port) = port {
        options.port = text::port(port).ok_or(Options::BAD_PORT)?;
    }
    Ok(())
}

fn percent_decoded(text: &[u8]) -> Result<Vec<u8>, String> {
    let (mut out, mut rest) = (Vec::new(), text);
    while let Some((&first, behind)) = rest.split_first() {
        if first != b'%' {
            out.push(first);
            rest = behind;
            continue;
        }
        let [high, low, behind @ ..] = behind else { return Err("Incomplete URI encoding".into()) };
        let digit = |c: &u8| char::from(*c).to_digit(16);
        let (Some(high), Some(low)) = (digit(high), digit(low)) else {
            return Err("Illegal character in URI encoding".into());
        };
        out.push((high * 16 + low) as u8);
        rest = behind;
    }
    Ok(out)
}
