//! What scripts do at the border between Lua and the server: whatever values they give to its functions and return, the
//! server answers, and goes on to. The input is read as a program that is always valid Lua and always ends.
#![no_main]

use ae_server::Running;
use libae_fuzz::memory::limited;
use libae_fuzz::serving::{connect, secret, start};
use libfuzzer_sys::fuzz_target;
use std::cell::RefCell;
use std::fmt::Write as _;
use std::io::{ErrorKind, Read, Write};
use std::net::TcpStream;
use tempfile::TempDir;

const CONSTANT: usize = 64 << 20;
/// Statements of a program, arguments of a call, and how deep expressions go.
const STATEMENTS: usize = 12;
const ARGUMENTS: usize = 5;
const DEPTH: usize = 4;
/// What the reply is known to end before.
const MARK: &[u8] = b"$43\r\nwhat-no-script-is-going-to-return-by-chance\r\n";

/// Functions that take anything. No patterns: matching one may not end.
#[rustfmt::skip]
const FUNCTIONS: [&str; 66] = [
    "redis.call", "redis.pcall", "redis.call", "redis.pcall", "redis.error_reply", "redis.status_reply", "redis.sha1hex",
    "redis.log", "redis.setresp", "redis.set_repl", "redis.replicate_commands", "redis.acl_check_cmd",
    "redis.register_function", "cjson.encode", "cjson.decode", "cjson.encode_max_depth", "cjson.decode_max_depth",
    "cjson.encode_sparse_array", "cjson.encode_invalid_numbers", "cjson.decode_array_with_array_mt", "cjson.new",
    "cmsgpack.pack", "cmsgpack.unpack", "cmsgpack.unpack_one", "cmsgpack.unpack_limit", "struct.pack", "struct.unpack",
    "struct.size", "bit.tobit", "bit.tohex", "bit.bnot", "bit.band", "bit.bor", "bit.bxor", "bit.lshift", "bit.rshift",
    "bit.arshift", "bit.rol", "bit.bswap", "string.format", "string.byte", "string.char", "string.sub", "string.reverse",
    "tostring", "tonumber", "type", "select", "unpack", "setmetatable", "getmetatable", "rawset", "rawget", "rawequal",
    "next", "pcall", "xpcall", "error", "assert", "loadstring", "load", "table.concat", "table.insert", "table.remove",
    "math.random", "math.fmod",
];
#[rustfmt::skip]
const COMMANDS: [&str; 30] = [
    "GET", "SET", "DEL", "APPEND", "INCR", "INCRBYFLOAT", "LPUSH", "LRANGE", "SADD", "SMEMBERS", "HSET", "HGETALL", "ZADD",
    "ZRANGE", "XADD", "XRANGE", "EXPIRE", "TYPE", "OBJECT", "SORT", "PUBLISH", "MULTI", "SUBSCRIBE", "BLPOP", "WATCH",
    "COPY", "DUMP", "RESTORE", "INFO", "TIME",
];
#[rustfmt::skip]
const CONSTANTS: [&str; 16] = [
    "nil", "true", "false", "0", "-1", "1", "3", "2^53", "1e308", "1/0", "-1/0", "0/0", "0.5", "KEYS", "ARGV", "redis",
];

/// The input, a byte at a time; 0 when there is none left.
struct Bytes<'a>(&'a [u8]);

impl Bytes<'_> {
    fn next(&mut self) -> usize {
        let Some((first, rest)) = self.0.split_first() else { return 0 };
        self.0 = rest;
        (*first).into()
    }

    fn one_of<'t>(&mut self, texts: &[&'t str]) -> &'t str {
        texts[self.next() % texts.len()]
    }

    /// A string of the input's own bytes.
    fn string(&mut self) -> String {
        let len = self.next().min(self.0.len());
        let (bytes, rest) = self.0.split_at(len);
        self.0 = rest;
        let mut text = String::from("\"");
        bytes.iter().for_each(|byte| write!(text, "\\{byte:03}").expect("a string"));
        text + "\""
    }

    fn expression(&mut self, variables: usize, depth: usize) -> String {
        match self.next() % if depth == 0 { 5 } else { 9 } {
            0 => self.one_of(&CONSTANTS).into(),
            1 | 2 => self.string(),
            3 => format!("'{}'", self.one_of(&COMMANDS)),
            4 => format!("v{}", self.next() % (variables + 1)),
            5 | 6 => self.table(variables, depth - 1),
            _ => self.call(variables, depth - 1),
        }
    }

    fn table(&mut self, variables: usize, depth: usize) -> String {
        let mut text = String::from("{");
        for _ in 0..self.next() % ARGUMENTS {
            let value = self.expression(variables, depth);
            match self.next() % 6 {
                0 => write!(text, "['ok']={value},"),
                1 => write!(text, "['err']={value},"),
                2 => write!(text, "[{}]={value},", self.string()),
                3 => write!(
                    text,
                    "['{}']={value},",
                    self.one_of(&["map", "set", "double", "big_number", "format", "__index"])
                ),
                _ => write!(text, "{value},"),
            }
            .expect("a string");
        }
        text + "}"
    }

    fn call(&mut self, variables: usize, depth: usize) -> String {
        let name = self.one_of(&FUNCTIONS);
        let arguments: Vec<String> = (0..self.next() % ARGUMENTS).map(|_| self.expression(variables, depth)).collect();
        format!("{name}({})", arguments.join(","))
    }

    fn program(&mut self) -> String {
        let mut text = String::from("local v0 = ARGV[1]\n");
        let count = 1 + self.next() % STATEMENTS;
        for number in 1..=count {
            let value = self.expression(number - 1, DEPTH);
            // What a table or another value is compared with raises an error too.
            writeln!(text, "local ok, v{number} = pcall(function() return {value} end)").expect("a string");
        }
        text + "return " + &self.expression(count, DEPTH)
    }
}

struct Served {
    client: TcpStream,
    _server: Running,
    _folder: TempDir,
}

thread_local! {
    static SERVED: RefCell<Option<Served>> = const { RefCell::new(None) };
}

fn served() -> Served {
    let folder = tempfile::tempdir().expect("a folder");
    let server =
        start(folder.path(), &["--proto-max-bulk-len", "1mb", "--script-memory-limit", "16mb"]).expect("a server");
    Served { client: connect(&server), _server: server, _folder: folder }
}

/// Sends a request, and one behind whose reply nothing comes.
fn run(client: &mut TcpStream, args: &[&[u8]]) {
    let mut request = Vec::new();
    resp::writer::request(&mut request, args);
    resp::writer::request(&mut request, &[b"ECHO".as_slice(), &MARK[5..MARK.len() - 2]]);
    client.write_all(&request).expect("a server that reads");
    let (mut reply, mut room) = (Vec::new(), [0; 4096]);
    while !reply.ends_with(MARK) {
        match client.read(&mut room) {
            Ok(0) => panic!("the server has closed the connection"),
            Ok(count) => reply.extend_from_slice(&room[..count]),
            // The fuzzer has signals of its own.
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => panic!("no reply: {error}"),
        }
    }
}

fuzz_target!(|input: &[u8]| {
    let mut bytes = Bytes(input);
    let options = bytes.next();
    let program = bytes.program();
    SERVED.with_borrow_mut(|slot| {
        let served = slot.get_or_insert_with(served);
        let (eval, protocol) = (secret("eval"), if options & 1 == 0 { "2" } else { "3" });
        limited(CONSTANT, || {
            run(&mut served.client, &[b"HELLO", protocol.as_bytes()]);
            run(&mut served.client, &[eval.as_bytes(), program.as_bytes(), b"1", b"key", b"argument"]);
            run(&mut served.client, &[b"FLUSHALL"]);
        });
    });
});
