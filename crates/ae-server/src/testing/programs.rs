//! Random programs of `tools/conformance`, for tests that run them on their own.

use super::session::Session;
use resp::{Limits, RequestParser};
use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

/// The words of a request.
pub type Words = Vec<Vec<u8>>;

/// What happens next.
#[derive(Clone, Debug)]
pub enum Step {
    /// A connection sends requests that are answered.
    Run(usize, Vec<Words>),
    /// A connection sends a request that waits for something.
    Post(usize, Words),
    /// A connection no longer waits.
    Free(usize),
    /// Milliseconds pass.
    Wait(i64),
}

impl Step {
    /// As people can read it.
    pub fn text(&self) -> String {
        match self {
            Step::Run(connection, requests) => {
                requests.iter().map(|words| format!("\n    ({connection}) {}", shown(words))).collect()
            }
            Step::Post(connection, words) => format!("\n    ({connection}, waits) {}", shown(words)),
            other => format!("\n    {other:?}"),
        }
    }
}

pub struct Program {
    pub name: String,
    pub steps: Vec<Step>,
}

/// What is drawn.
pub struct Choice<'a> {
    pub programs: usize,
    pub steps: usize,
    /// Commands that are left out, with commas.
    pub without: &'a str,
}

/// The programs with the numbers from 0 on; more of them, or from another one on, if `AE_PROGRAMS` and
/// `AE_FIRST_PROGRAM` say so. None without Python, which fails the test where every tool has to be there.
pub fn programs(choice: &Choice<'_>) -> Option<Vec<Program>> {
    let number = |name, default| std::env::var(name).map_or(default, |text| text.parse::<usize>().expect(name));
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tools/conformance/print_programs.py");
    let mut command = Command::new("python3");
    command.arg(script).args(["--time", "--without", choice.without]);
    for (option, value) in [
        ("--programs", number("AE_PROGRAMS", choice.programs)),
        ("--first", number("AE_FIRST_PROGRAM", 0)),
        ("--steps", choice.steps),
    ] {
        command.args([option, &value.to_string()]);
    }
    let Ok(mut printer) = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn() else {
        assert!(std::env::var_os("LIBAE_ALL_TOOLS").is_none(), "python3 is not installed");
        eprintln!("not tested: python3 is not installed");
        return None;
    };
    printer.stdin.take().unwrap().write_all(payloads().as_bytes()).unwrap();
    let output = printer.wait_with_output().unwrap();
    assert!(output.status.success(), "the programs cannot be printed");
    Some(parsed(requests(&output.stdout)))
}

/// Values of all kinds as RESTORE takes them, in hexadecimal.
fn payloads() -> String {
    let mut session = Session::new();
    let mut text = String::new();
    for line in [
        "SET k 12",
        "SET k hello",
        "RPUSH k a b 1",
        "SADD k 1 2 70000",
        "SADD k a",
        "HSET k f v g 1",
        "ZADD k 1 a 2.5 b",
        "XADD k 1-1 f v",
        "PFADD k a b c",
    ] {
        session.run("FLUSHALL");
        session.run(line);
        let reply = session.raw("DUMP k");
        let start = reply.iter().position(|c| *c == b'\n').unwrap() + 1;
        let payload = &reply[start..reply.len() - 2];
        text.extend(payload.iter().map(|byte| format!("{byte:02x}")));
        text.push('\n');
    }
    text
}

/// The requests in a stream of them.
pub fn requests(bytes: &[u8]) -> Vec<Words> {
    let (mut bytes, mut parser, mut found) = (bytes.to_vec(), RequestParser::new(), Vec::new());
    while parser.advance(&mut bytes, &Limits::default()).unwrap() {
        found.push(parser.args(&bytes).iter().map(<[u8]>::to_vec).collect());
    }
    found
}

fn parsed(lines: Vec<Words>) -> Vec<Program> {
    let mut programs: Vec<Program> = Vec::new();
    let mut lines = lines.into_iter();
    while let Some(head) = lines.next() {
        let number = |at: usize| std::str::from_utf8(&head[at]).unwrap().parse::<usize>().unwrap();
        let mut following = |count| lines.by_ref().take(count).collect::<Vec<_>>();
        let step = match &head[0][..] {
            b"program" => {
                let name = String::from_utf8_lossy(&head[1]).into();
                programs.push(Program { name, steps: Vec::new() });
                continue;
            }
            b"run" => Step::Run(number(1), following(number(2))),
            b"post" => Step::Post(number(1), following(1).remove(0)),
            b"free" => Step::Free(number(1)),
            b"wait" => Step::Wait(number(1) as i64),
            other => panic!("{other:?}"),
        };
        programs.last_mut().unwrap().steps.push(step);
    }
    programs
}

/// A request as people can read it.
pub fn shown(words: &Words) -> String {
    words.iter().map(|word| word.escape_ascii().to_string()).collect::<Vec<_>>().join(" ")
}
