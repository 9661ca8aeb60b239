//! Commands that the client treats in their own way.

/// Whether this argument is this word.
pub fn is(args: &[Vec<u8>], index: usize, word: &str) -> bool {
    args.get(index).is_some_and(|arg| arg.eq_ignore_ascii_case(word.as_bytes()))
}

/// Whether the reply is a report that people read as it is.
pub fn is_report(args: &[Vec<u8>]) -> bool {
    let pair = |name, words: &[&str]| is(args, 0, name) && words.iter().any(|word| is(args, 1, word));
    is(args, 0, "info")
        || is(args, 0, "lolwut")
        || pair("debug", &["htstats", "htstats-key", "client-eviction"])
        || pair("memory", &["malloc-stats", "doctor"])
        || (args.len() == 2 && pair("cluster", &["nodes", "info"]))
        || pair("client", &["list", "info"])
        || (args.len() == 3 && pair("latency", &["graph"]))
        || (args.len() == 2 && pair("latency", &["doctor"]))
        || pair("proxy", &["info"])
}

/// What a server keeps for the connection after this command.
pub fn keeps(args: &[Vec<u8>]) -> Option<&'static str> {
    let client = ["setname", "tracking", "reply", "no-evict"].iter().any(|word| is(args, 1, word));
    let kept = [("auth", "AUTH"), ("multi", "MULTI"), ("watch", "WATCH"), ("readonly", "READONLY")];
    match () {
        () if is(args, 0, "hello") && args.len() > 1 => Some("HELLO"),
        () if is(args, 0, "client") && client => Some("CLIENT"),
        () => kept.iter().find(|(name, _)| is(args, 0, name)).map(|(_, name)| *name),
    }
}

/// And what it no longer keeps.
pub fn ends(args: &[Vec<u8>]) -> &'static [&'static str] {
    let ended: [(&str, &[&str]); 5] = [
        ("exec", &["MULTI", "WATCH"]),
        ("discard", &["MULTI", "WATCH"]),
        ("unwatch", &["WATCH"]),
        ("readwrite", &["READONLY"]),
        ("reset", &["AUTH", "CLIENT", "HELLO", "MULTI", "READONLY", "WATCH"]),
    ];
    ended.iter().find(|(name, _)| is(args, 0, name)).map_or(&[], |(_, names)| names)
}

/// What follows the reply of a command.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Stream {
    /// Nothing.
    None,
    /// Every command that the server runs.
    Monitor,
    /// Messages.
    Messages,
    /// The primary's writes.
    Replication,
}

/// What follows the reply.
pub fn stream(args: &[Vec<u8>]) -> Stream {
    let any = |names: &[&str]| names.iter().any(|name| is(args, 0, name));
    if any(&["monitor"]) {
        Stream::Monitor
    } else if any(&["subscribe", "psubscribe", "ssubscribe"]) {
        Stream::Messages
    } else if any(&["sync", "psync"]) {
        Stream::Replication
    } else {
        Stream::None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(line: &str) -> Vec<Vec<u8>> {
        line.split(' ').map(|word| word.as_bytes().to_vec()).collect()
    }

    #[test]
    fn reports() {
        for line in [
            "INFO",
            "info all",
            "LOLWUT",
            "lolwut version 5",
            "CLIENT LIST",
            "client info",
            "client list type normal",
            "cluster nodes",
            "CLUSTER INFO",
            "latency graph x",
            "latency doctor",
            "memory doctor",
            "memory malloc-stats",
            "debug htstats 0",
            "debug htstats-key k",
            "debug client-eviction",
            "proxy info",
        ] {
            assert!(is_report(&words(line)), "{line}");
        }
        for line in [
            "GET info",
            "get lolwut",
            "CLIENT ID",
            "cluster nodes x",
            "cluster slots",
            "latency graph",
            "latency graph x y",
            "latency doctor x",
            "memory usage k",
            "debug object k",
            "proxy list",
        ] {
            assert!(!is_report(&words(line)), "{line}");
        }
    }

    #[test]
    fn streams() {
        assert_eq!(stream(&words("Monitor")), Stream::Monitor);
        assert_eq!(stream(&words("SSUBSCRIBE a")), Stream::Messages);
        assert_eq!(stream(&words("PSYNC ? -1")), Stream::Replication);
        assert_eq!(stream(&words("UNSUBSCRIBE")), Stream::None);
    }
}
