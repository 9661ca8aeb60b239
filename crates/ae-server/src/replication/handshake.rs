//! What a replica says to its primary before the data, line by line.

use resp::writer;
use std::collections::VecDeque;

/// What a replica says about itself, and what it has.
pub struct Introduction {
    /// Empty for none.
    pub user: Vec<u8>,
    pub password: Vec<u8>,
    pub port: u16,
    /// Empty for where the connection comes from.
    pub ip: String,
    /// The version of Redis whose behaviour it has.
    pub version: &'static str,
    /// The history of its data and the offset of the byte that comes next, if the stream can go on there.
    pub history: Option<(String, u64)>,
    /// The primary is to hand over its role.
    pub takes_over: bool,
}

/// A request that waits for its reply.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Asked {
    Ping,
    Auth,
    Port,
    Ip,
    Capabilities,
    Version,
    Psync,
}

/// What follows from a reply.
#[derive(PartialEq, Eq, Debug)]
pub enum Step {
    Wait,
    Send(Vec<u8>),
    /// A copy of the data comes next, and then the stream. A primary that knows neither history nor offset says
    /// nothing about them.
    Copy {
        history: Option<(String, u64)>,
        send: Vec<u8>,
    },
    /// The stream goes on, under a new id if there is one.
    Continue(Option<String>),
    /// Not now.
    Later(String),
    Fail(String),
}

/// The replies that are still to come.
pub struct Handshake {
    introduction: Introduction,
    asked: VecDeque<Asked>,
}

fn request(out: &mut Vec<u8>, args: &[&[u8]]) {
    writer::request(out, args);
}

fn text(line: &[u8]) -> String {
    String::from_utf8_lossy(line).into_owned()
}

/// Whether this is an id of a history.
pub fn is_id(id: &[u8]) -> bool {
    id.len() == 40 && id.iter().all(u8::is_ascii_alphanumeric)
}

impl Handshake {
    /// Begins it, with the first bytes to send.
    pub fn begin(introduction: Introduction) -> (Handshake, Vec<u8>) {
        let mut out = Vec::new();
        request(&mut out, &[b"PING"]);
        (Handshake { introduction, asked: VecDeque::from([Asked::Ping]) }, out)
    }

    /// The primary has sent a line. Empty ones only show that it is alive.
    pub fn line(&mut self, line: &[u8]) -> Step {
        if line.is_empty() {
            return Step::Wait;
        }
        let Some(asked) = self.asked.pop_front() else {
            return Step::Fail(format!("an unexpected line: {}", text(line)));
        };
        let refused = line[0] == b'-';
        match asked {
            Asked::Ping => {
                let fine = [&b"+"[..], b"-NOAUTH", b"-NOPERM", b"-ERR operation not permitted"];
                if !fine.iter().any(|start| line.starts_with(start)) {
                    return Step::Fail(format!("error reply to PING: {}", text(line)));
                }
                Step::Send(self.introduce())
            }
            Asked::Auth if refused => Step::Fail(format!("Unable to AUTH to MASTER: {}", text(line))),
            // A primary that does not know an option can do without.
            Asked::Auth | Asked::Port | Asked::Ip | Asked::Capabilities => Step::Wait,
            Asked::Version => Step::Send(self.psync()),
            Asked::Psync => self.psync_reply(line),
        }
    }

    fn introduce(&mut self) -> Vec<u8> {
        let Introduction { user, password, port, ip, version, .. } = &self.introduction;
        let mut out = Vec::new();
        if !password.is_empty() {
            let all: [&[u8]; 3] = [b"AUTH", user, password];
            let args: Vec<&[u8]> = all.into_iter().filter(|arg| !arg.is_empty()).collect();
            request(&mut out, &args);
            self.asked.push_back(Asked::Auth);
        }
        request(&mut out, &[b"REPLCONF", b"listening-port", port.to_string().as_bytes()]);
        self.asked.push_back(Asked::Port);
        if !ip.is_empty() {
            request(&mut out, &[b"REPLCONF", b"ip-address", ip.as_bytes()]);
            self.asked.push_back(Asked::Ip);
        }
        request(&mut out, &[b"REPLCONF", b"capa", b"eof", b"capa", b"psync2"]);
        request(&mut out, &[b"REPLCONF", b"version", version.as_bytes()]);
        self.asked.extend([Asked::Capabilities, Asked::Version]);
        out
    }

    fn psync(&mut self) -> Vec<u8> {
        let (id, offset) = match &self.introduction.history {
            Some((id, offset)) => (id.clone(), offset.to_string()),
            None => ("?".into(), "-1".into()),
        };
        let mut args: Vec<&[u8]> = vec![b"PSYNC", id.as_bytes(), offset.as_bytes()];
        if self.introduction.takes_over {
            args.push(b"FAILOVER");
        }
        let mut out = Vec::new();
        request(&mut out, &args);
        self.asked.push_back(Asked::Psync);
        out
    }

    fn psync_reply(&self, line: &[u8]) -> Step {
        let mut words = line.split(|c| *c == b' ').filter(|word| !word.is_empty());
        match words.next().unwrap_or_default() {
            b"+FULLRESYNC" => {
                let id = words.next().filter(|id| is_id(id)).map(text);
                let offset = words.next().and_then(|word| text(word).parse().ok());
                match id.zip(offset) {
                    Some(history) => Step::Copy { history: Some(history), send: Vec::new() },
                    None => Step::Fail(format!("a wrong reply to PSYNC: {}", text(line))),
                }
            }
            b"+CONTINUE" => match words.next() {
                None => Step::Continue(None),
                Some(id) if is_id(id) => Step::Continue(Some(text(id))),
                Some(_) => Step::Fail(format!("a wrong reply to PSYNC: {}", text(line))),
            },
            b"-NOMASTERLINK" | b"-LOADING" => Step::Later(text(&line[1..])),
            _ if self.introduction.takes_over => Step::Fail(format!("the failover was refused: {}", text(line))),
            b"-ERR" => {
                let mut send = Vec::new();
                request(&mut send, &[b"SYNC"]);
                Step::Copy { history: None, send }
            }
            _ => Step::Fail(format!("an unexpected reply to PSYNC: {}", text(line))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: &str = "0123456789abcdef0123456789abcdef01234567";

    fn introduction(history: Option<(String, u64)>) -> Introduction {
        Introduction {
            user: Vec::new(),
            password: b"secret".to_vec(),
            port: 7000,
            ip: String::new(),
            version: "7.0.15",
            history,
            takes_over: false,
        }
    }

    /// A handshake that waits for the reply to PSYNC, and all that was sent, as words.
    fn up_to_psync(introduction: Introduction) -> (Handshake, String) {
        let (mut handshake, mut sent) = Handshake::begin(introduction);
        for reply in ["+PONG", "+OK", "", "+OK", "-ERR Unrecognized REPLCONF option: capa", "+OK"] {
            if let Step::Send(bytes) = handshake.line(reply.as_bytes()) {
                sent.extend(bytes);
            }
        }
        let lines = text(&sent);
        let words: Vec<&str> =
            lines.strip_suffix("\r\n").unwrap().split("\r\n").filter(|word| !word.starts_with(['*', '$'])).collect();
        (handshake, words.join(" "))
    }

    #[test]
    fn what_a_replica_says() {
        let (mut handshake, sent) = up_to_psync(introduction(None));
        assert_eq!(
            sent,
            "PING AUTH secret REPLCONF listening-port 7000 REPLCONF capa eof capa psync2 REPLCONF version 7.0.15 \
             PSYNC ? -1"
        );
        let reply = format!("+FULLRESYNC {ID} 17");
        assert_eq!(handshake.line(reply.as_bytes()), Step::Copy { history: Some((ID.into(), 17)), send: Vec::new() });
        let (mut handshake, sent) = up_to_psync(introduction(Some((ID.into(), 18))));
        assert!(sent.ends_with(&format!("PSYNC {ID} 18")), "{sent}");
        assert_eq!(handshake.line(b"+CONTINUE"), Step::Continue(None));
    }

    #[test]
    fn what_a_primary_may_answer() {
        for (reply, expected) in [
            (format!("+CONTINUE {ID}"), Step::Continue(Some(ID.into()))),
            ("-LOADING wait".into(), Step::Later("LOADING wait".into())),
            ("-NOMASTERLINK no".into(), Step::Later("NOMASTERLINK no".into())),
            ("+FULLRESYNC x 1".into(), Step::Fail("a wrong reply to PSYNC: +FULLRESYNC x 1".into())),
            (
                format!("+CONTINUE -{}", &ID[1..]),
                Step::Fail(format!("a wrong reply to PSYNC: +CONTINUE -{}", &ID[1..])),
            ),
            ("+WHAT".into(), Step::Fail("an unexpected reply to PSYNC: +WHAT".into())),
            (
                "-ERR unknown command 'PSYNC'".into(),
                Step::Copy { history: None, send: b"*1\r\n$4\r\nSYNC\r\n".to_vec() },
            ),
        ] {
            let (mut handshake, _) = up_to_psync(introduction(None));
            assert_eq!(handshake.line(reply.as_bytes()), expected, "{reply}");
        }
        let (mut handshake, _) = Handshake::begin(introduction(None));
        assert!(matches!(handshake.line(b"-WRONGTYPE"), Step::Fail(_)));
        let (mut handshake, _) = Handshake::begin(introduction(None));
        handshake.line(b"-NOAUTH Authentication required.");
        assert!(matches!(handshake.line(b"-WRONGPASS"), Step::Fail(_)));
    }

    #[test]
    fn a_replica_may_announce_its_address() {
        let (mut handshake, _) = Handshake::begin(Introduction { ip: "10.0.0.1".into(), ..introduction(None) });
        let Step::Send(sent) = handshake.line(b"+PONG") else { panic!("it says nothing about itself") };
        assert!(text(&sent).contains("$10\r\nip-address\r\n$8\r\n10.0.0.1\r\n"));
        // To each of its requests there is a reply, and only then it asks for data.
        for _ in 0..text(&sent).matches('*').count() - 1 {
            assert_eq!(handshake.line(b"+OK"), Step::Wait);
        }
        let Step::Send(sent) = handshake.line(b"+OK") else { panic!("it asks for nothing") };
        assert!(text(&sent).ends_with("$5\r\nPSYNC\r\n$1\r\n?\r\n$2\r\n-1\r\n"));
    }

    #[test]
    fn a_password_may_have_a_user() {
        let (_, sent) = up_to_psync(Introduction { user: b"u".to_vec(), ..introduction(None) });
        assert!(sent.starts_with("PING AUTH u secret REPLCONF"), "{sent}");
    }

    #[test]
    fn a_primary_may_want_a_password_first() {
        for reply in ["-NOAUTH Authentication required.", "-NOPERM no", "-ERR operation not permitted"] {
            let (mut handshake, _) = Handshake::begin(introduction(None));
            assert!(matches!(handshake.line(reply.as_bytes()), Step::Send(_)), "{reply}");
        }
    }

    #[test]
    fn who_takes_over_says_so_and_is_told_whether_it_may() {
        let history = Some((ID.to_string(), 18));
        let begin = || up_to_psync(Introduction { takes_over: true, ..introduction(history.clone()) });
        let (mut handshake, sent) = begin();
        assert!(sent.ends_with(&format!("PSYNC {ID} 18 FAILOVER")), "{sent}");
        assert_eq!(handshake.line(b"+CONTINUE"), Step::Continue(None));
        let (mut handshake, _) = begin();
        assert_eq!(handshake.line(b"-ERR no"), Step::Fail("the failover was refused: -ERR no".into()));
    }
}
