//! `redis://user:password@host:port/db`, with `rediss` for TLS, and `unix://user:password@/path?db=N`.

use super::choices::Options;
use crate::text;
use resp::number;

/// Sets what a URI says.
pub fn apply(options: &mut Options, uri: &str) -> Result<(), String> {
    let scheme = |name: &str| {
        let head = uri.get(..name.len())?;
        head.eq_ignore_ascii_case(name).then(|| &uri[name.len()..])
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
    let (place, db) = rest.split_once('/').map_or((rest, ""), |(place, db)| (place, db));
    if !place.is_empty() {
        host_and_port(options, place)?;
    }
    if !db.is_empty() {
        options.db = number::leading(db.as_bytes());
    }
    Ok(())
}

fn unix(options: &mut Options, rest: &str) -> Result<(), String> {
    // The path may have an `@` of its own.
    let path_at = rest.find('/').unwrap_or(rest.len());
    let rest = if rest[..path_at].contains('@') { credentials(options, rest)? } else { rest };
    let (path, query) = rest.split_once('?').unwrap_or((rest, ""));
    for pair in query.split('&') {
        match pair.split_once('=') {
            Some(("db" | "virtual_db", db)) => options.db = number::leading(db.as_bytes()),
            _ if pair.is_empty() => {}
            _ => return Err(format!("Invalid URI: {pair} is not known")),
        }
    }
    options.socket = Some(String::from_utf8_lossy(&percent_decoded(path)?).into_owned());
    Ok(())
}

/// Takes what is before the `@`, if there is one.
fn credentials<'a>(options: &mut Options, rest: &'a str) -> Result<&'a str, String> {
    let Some((info, rest)) = rest.split_once('@') else { return Ok(rest) };
    let password = match info.split_once(':') {
        Some((user, password)) => {
            options.user = Some(percent_decoded(user)?).filter(|user| !user.is_empty());
            password
        }
        None => info,
    };
    options.password = Some(percent_decoded(password)?);
    Ok(rest)
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

fn percent_decoded(text: &str) -> Result<Vec<u8>, String> {
    let (mut out, mut rest) = (Vec::new(), text.as_bytes());
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
