//! The headers against the facts of `src/abi/facts/`: every offset, size, field type and function signature of the
//! profile, as a C compiler sees them.

use super::compile::compile;
use super::profile::has;
use super::{PROFILE, include_dir, root};
use ae::abi::{connection as conn, host};
use std::fmt::Write as _;
use std::process::Command;
use tempfile::TempDir;

/// Stays with the host, which owns the listeners and the sds type.
const THE_HOSTS: &str = "getListensInfoString";

/// What forks of versions before 6.2 call, and what is global upstream without a prototype.
const WITHOUT_PROTOTYPE_IN_FACTS: [&str; 15] = [
    "anetFormatPeer",
    "anetFormatSock",
    "anetPeerToString",
    "anetRead",
    "anetResolveIP",
    "anetSetBlock",
    "anetSockName",
    "anetTcpConnect",
    "anetTcpKeepAlive",
    "anetTcpNonBlockBindConnect",
    "anetUnixConnect",
    "anetUnixGenericConnect",
    "anetUnixNonBlockConnect",
    "anetWrite",
    "formatAddr",
];

/// Strings and bytes that are only read, which upstream takes as `char *` and the headers as `const char *`: the
/// function, and which of its parameters, from 0. (In the tables of connection types they stay as upstream has them.)
const ONLY_READ: [(&str, usize); 9] = [
    ("anetTcpServer", 2),
    ("anetTcp6Server", 2),
    ("anetUnixServer", 1),
    ("anetUnixServer", 4), // Valkey's: the group
    ("anetResolve", 1),
    ("anetFormatAddr", 2),
    ("anetIsFifo", 0),
    ("connSyncWrite", 1),
    ("formatAddr", 2),
];

/// One row: its cells.
type Row = Vec<String>;

/// Rows of comma separated cells; a cell with a comma is in quotes. No cell has a quote or a line end inside.
fn parse_csv(text: &str) -> Vec<Row> {
    let parse_row = |line: &str| {
        let (mut row, mut quoted) = (vec![String::new()], false);
        for c in line.chars() {
            match c {
                '"' => quoted = !quoted,
                ',' if !quoted => row.push(String::new()),
                _ => row.last_mut().expect("never empty").push(c),
            }
        }
        row
    };
    text.lines().map(parse_row).collect()
}

fn facts(name: &str) -> Vec<Row> {
    let path = root().join("src/abi/facts").join(name);
    parse_csv(&std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display())))
}

/// The profile's layout: struct, field (or "(sizeof)"), "offset:size" (or the size).
fn layout() -> Vec<[String; 3]> {
    let rows = facts("layouts.csv");
    let heading = format!("{PROFILE} offset:size");
    let column = rows[0].iter().position(|cell| *cell == heading).expect("the profile has a column");
    let in_profile = rows[1..].iter().filter(|row| !row[column].is_empty());
    in_profile.map(|row| [row[0].clone(), row[1].clone(), row[column].clone()]).collect()
}

/// The profile's structure with the configuration of TLS, in the same way, and each field's type in C.
fn tls_config() -> (Vec<[String; 3]>, Vec<[String; 3]>) {
    const STRUCT: &str = "redisTLSContextConfig";
    let rows = facts("tls-config.csv");
    // Point releases have columns of their own; the last one's is the profile's.
    let is_profiles = |cell: &String| {
        let rest = cell.strip_suffix(" offset:size").and_then(|version| version.strip_prefix(PROFILE));
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
    };
    let column = rows[0].iter().rposition(is_profiles).expect("the profile has a column");
    let fields: Vec<&Row> =
        rows[1..].iter().filter(|row| !row[column].is_empty() && row[0] != "(struct name)").collect();
    let layout = fields.iter().map(|row| [STRUCT.into(), row[0].clone(), row[column].clone()]).collect();
    let types = fields.iter().filter(|row| row[0] != "(sizeof)");
    (layout, types.map(|row| [STRUCT.into(), row[0].clone(), format!("{} {}", row[1], row[0])]).collect())
}

/// Whether a declaration that holds from `since` ("redis-7.0+") on may hold in the profile.
fn holds(since: &str) -> bool {
    let parse = |version: &str| {
        let (family, number) = version.split_once('-')?;
        let numbers: Result<Vec<u32>, _> = number.split('.').map(str::parse).collect();
        Some((family.to_owned(), numbers.ok()?))
    };
    let since = parse(since.trim_end_matches('+')).expect("a version");
    let profile = parse(PROFILE).expect("a version");
    // Valkey parted from Redis at 7.2.
    let latest = if since.0 == profile.0 { profile } else { ("redis".to_owned(), vec![7, 2]) };
    since.0 == latest.0 && since <= latest
}

/// The profile's field types: struct, field, declaration. Of several that hold, the newest, which comes last.
fn field_types() -> Vec<[String; 3]> {
    let rows = facts("field-types.csv");
    let declaration = |of: &str, field: &str| {
        let found = rows[1..].iter().rev().find(|row| row[0] == of && row[1] == field && holds(&row[2]));
        found.map(|row| row[3].clone()).unwrap_or_else(|| panic!("{of}.{field} has no type"))
    };
    let fields = layout().into_iter().filter(|[_, field, _]| field != "(sizeof)");
    fields.map(|[of, field, _]| [of.clone(), field.clone(), declaration(&of, &field)]).collect()
}

/// The profile's functions: header, name, return type, parameters in parentheses.
fn functions() -> Vec<[String; 4]> {
    let rows = facts("functions.csv");
    let in_profile =
        rows[1..].iter().filter(|row| row[4].split(' ').any(|version| version == PROFILE) && row[1] != THE_HOSTS);
    in_profile
        .map(|row| {
            let (header, name, signature) = (row[0].clone(), row[1].clone(), row[3].as_str());
            if let Some(rest) = signature.trim_start().strip_prefix("(*") {
                // A function that returns a function pointer stands under its return type.
                let (name, parameters) = rest.split_once(' ').expect("a name");
                let parameters = parameters.strip_suffix(')').expect("a closing parenthesis");
                return [header, name.to_owned(), format!("{} *", row[1]), parameters.to_owned()];
            }
            let (result, parameters) = signature.split_once('(').expect("parameters");
            let parameters = with_const(&name, parameters.strip_suffix(')').expect("a closing parenthesis"));
            [header, name, result.to_owned(), format!("({parameters})")]
        })
        .collect()
}

/// The fact's parameters with the `const` that the headers add.
fn with_const(name: &str, parameters: &str) -> String {
    let mut each: Vec<String> = parameters.split(", ").map(str::to_owned).collect();
    for (_, which) in ONLY_READ.iter().filter(|(function, _)| *function == name) {
        if let Some(parameter) = each.get_mut(*which) {
            assert!(parameter.starts_with("char *"), "upstream's {name} has '{parameter}'");
            parameter.insert_str(0, "const ");
        }
    }
    each.join(", ")
}

const PROBE_START: &str =
    "#include <anet.h>\n#include <connection.h>\n#include <libae.h>\n#include <stdio.h>\ntypedef char *sds;\n";

/// Compiles a C probe, runs it and returns what it printed, or the compiler's complaint.
fn run_probe(source: &str) -> Result<String, String> {
    let dir = TempDir::new().expect("a temporary directory");
    let (path, program) = (dir.path().join("probe.c"), dir.path().join("probe"));
    std::fs::write(&path, source).expect("a source");
    let output = program.to_str().expect("a path in UTF-8");
    compile("cc", &["-std=gnu11", "-Wall", "-Werror", "-o", output], &path)?;
    let output = Command::new(&program).output().map_err(|error| error.to_string())?;
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

#[test]
fn layout_is_the_profiles() {
    let rows = [layout(), tls_config().0].concat();
    assert!(rows.len() > 60, "only {} rows: were the facts read?", rows.len());
    let mut source = format!("{PROBE_START}int main(void) {{\n");
    for [of, field, _] in &rows {
        if field == "(sizeof)" {
            writeln!(source, "printf(\"{of},{field},%zu\\n\", sizeof({of}));").unwrap();
        } else {
            let size = format!("sizeof((({of} *) 0)->{field})");
            writeln!(source, "printf(\"{of},{field},%zu:%zu\\n\", offsetof({of}, {field}), {size});").unwrap();
        }
    }
    source.push_str("return 0;\n}\n");
    let expected: Vec<String> = rows.iter().map(|row| row.join(",")).collect();
    let printed = run_probe(&source).unwrap_or_else(|messages| panic!("{messages}"));
    for (printed, expected) in printed.lines().zip(&expected) {
        assert_eq!(printed, expected, "the header's layout is not {PROFILE}'s");
    }
    assert_eq!(printed.lines().count(), expected.len());
}

/// On 32-bit systems, as far as there is a clang, which compiles for others as well. build.rs has the library's own
/// layout compared with the same facts.
#[test]
fn layout_on_32_bits_is_in_the_facts() {
    const TARGETS: [(&str, &str); 2] = [("i686", "i686-linux-gnu"), ("arm", "armv7-linux-gnueabihf")];
    const LIBC: &str = "/usr/include/x86_64-linux-gnu";
    if Command::new("clang").arg("--version").output().is_err() || !std::path::Path::new(LIBC).exists() {
        assert!(std::env::var_os("LIBAE_ALL_TOOLS").is_none(), "there is no clang, or no {LIBC}");
        return eprintln!("skipped: there is no clang, or no {LIBC}");
    }
    let rows = facts("layouts-32.csv");
    for (processor, target) in TARGETS {
        let heading = format!("{PROFILE} {processor}");
        let column = rows[0].iter().position(|cell| *cell == heading).expect("the profile has a column");
        let mut source = PROBE_START.to_owned();
        for row in rows[1..].iter().filter(|row| !row[column].is_empty()) {
            let (of, field) = (&row[0], &row[1]);
            let is = match row[column].split_once(':') {
                Some((offset, size)) => {
                    format!("offsetof({of}, {field}) == {offset} && sizeof((({of} *) 0)->{field}) == {size}")
                }
                None => format!("sizeof({of}) == {}", row[column]),
            };
            writeln!(source, "_Static_assert({is}, \"{of}.{field}\");").unwrap();
        }
        assert!(source.lines().count() > 60, "{processor}: were the facts read?");
        let dir = TempDir::new().expect("a temporary directory");
        // The C library's headers of 64-bit x86 know 32 bits, but ask for these.
        std::fs::create_dir(dir.path().join("gnu")).expect("a directory");
        for name in ["stubs-32.h", "stubs-soft.h", "stubs-hard.h"] {
            std::fs::write(dir.path().join("gnu").join(name), "").expect("a header");
        }
        let (path, stubs) = (dir.path().join("probe.c"), dir.path().to_str().expect("a path in UTF-8"));
        std::fs::write(&path, source).expect("a source");
        let target = format!("--target={target}");
        let arguments =
            [&target, "-I", stubs, "-isystem", LIBC, "-D__regparm__(count)=unused", "-std=gnu11", "-fsyntax-only"];
        compile("clang", &arguments, &path).unwrap_or_else(|messages| panic!("{processor}: {messages}"));
    }
}

/// A probe that compiles when the field has the declared type.
fn field_assertion(of: &str, field: &str, declaration: &str) -> String {
    format!(
        "struct expected_{of}_{field} {{ {declaration}; }};\n\
         _Static_assert(__builtin_types_compatible_p(__typeof__((({of} *) 0)->{field}),\n\
         __typeof__(((struct expected_{of}_{field} *) 0)->{field})), \"{of}.{field} is not: {declaration}\");\n"
    )
}

/// A probe that compiles when the function is declared so.
fn function_assertion(name: &str, result: &str, parameters: &str) -> String {
    format!(
        "typedef {result} expected_{name} {parameters};\n_Static_assert(__builtin_types_compatible_p(\
         __typeof__({name}), expected_{name}), \"{name} is not: {result} {parameters}\");\n"
    )
}

fn check_assertions(assertions: &str) -> Result<(), String> {
    run_probe(&format!("{PROBE_START}{assertions}int main(void) {{ return 0; }}\n")).map(drop)
}

#[test]
fn field_types_are_the_profiles() {
    let rows = [field_types(), tls_config().1].concat();
    assert!(rows.len() > 60, "only {} rows: were the facts read?", rows.len());
    let assertions: String =
        rows.iter().map(|[of, field, declaration]| field_assertion(of, field, declaration)).collect();
    check_assertions(&assertions).unwrap_or_else(|messages| panic!("{messages}"));
}

#[test]
fn signatures_are_the_profiles() {
    let rows = functions();
    assert!(rows.len() > 60, "only {} rows: were the facts read?", rows.len());
    let assertions: String =
        rows.iter().map(|[_, name, result, parameters]| function_assertion(name, result, parameters)).collect();
    check_assertions(&assertions).unwrap_or_else(|messages| panic!("{messages}"));
}

#[test]
fn functions_stand_in_upstreams_header() {
    for [header, name, _, _] in functions() {
        let path = include_dir().join(&header);
        let text = std::fs::read_to_string(path).expect("the header");
        assert!(text.contains(&format!("{name}(")), "{header} does not declare {name}");
    }
}

#[test]
fn functions_of_other_versions_are_declared() {
    let assertions: String = WITHOUT_PROTOTYPE_IN_FACTS
        .iter()
        .filter(|name| **name != "formatAddr" || !has("abi_v1"))
        .map(|name| format!("_Static_assert(sizeof(&{name}) == sizeof(void (*)(void)), \"\");\n"))
        .collect();
    check_assertions(&assertions).unwrap_or_else(|messages| panic!("{messages}"));
}

/// What the headers spell by hand, and our own structs, have the values and sizes of the Rust side.
#[test]
fn hand_written_parts_agree_with_the_library() {
    let values = [
        ("CONN_STATE_NONE", i64::from(conn::CONN_STATE_NONE)),
        ("CONN_STATE_CONNECTING", i64::from(conn::CONN_STATE_CONNECTING)),
        ("CONN_STATE_ACCEPTING", i64::from(conn::CONN_STATE_ACCEPTING)),
        ("CONN_STATE_CONNECTED", i64::from(conn::CONN_STATE_CONNECTED)),
        ("CONN_STATE_CLOSED", i64::from(conn::CONN_STATE_CLOSED)),
        ("CONN_STATE_ERROR", i64::from(conn::CONN_STATE_ERROR)),
        ("sizeof(ConnectionState)", size_of::<conn::ConnectionState>() as i64),
        ("sizeof(libaeHost)", size_of::<host::libaeHost>() as i64),
        ("sizeof(libaeAllocator)", size_of::<host::libaeAllocator>() as i64),
        ("offsetof(libaeHost, allocator)", std::mem::offset_of!(host::libaeHost, allocator) as i64),
    ];
    let assertions: String =
        values.map(|(name, value)| format!("_Static_assert({name} == {value}, \"{name} is not {value}\");\n")).concat();
    check_assertions(&assertions).unwrap_or_else(|messages| panic!("{messages}"));
}

#[test]
fn wrong_facts_are_noticed() {
    let refused = |assertion: String| check_assertions(&assertion).expect_err("the assertion is wrong");
    assert!(refused(field_assertion("aeEventLoop", "maxfd", "long maxfd")).contains("aeEventLoop.maxfd is not"));
    assert!(refused(field_assertion("aeFiredEvent", "fd", "int fd[15]")).contains("aeFiredEvent.fd is not"));
    assert!(refused(function_assertion("aeWait", "int", "(int, int, long)")).contains("aeWait is not"));
    assert!(refused(function_assertion("aeNone", "int", "(int)")).contains("aeNone"));
}

#[test]
fn the_newest_declaration_that_holds_is_taken() {
    let [_, _, get_type] = field_types().into_iter().find(|row| row[1] == "get_type").expect("a field");
    let expected = match (has("abi_v1"), has("abi_valkey_9")) {
        (true, _) => "int (*get_type)(struct connection *)",
        (_, true) => "int (*get_type)(void)",
        _ => "const char *(*get_type)(struct connection *)",
    };
    assert_eq!(get_type, expected);
    let [_, _, aftersleep] = field_types().into_iter().find(|row| row[1] == "aftersleep").expect("a field");
    assert_eq!(aftersleep.starts_with("aeAfterSleepProc"), has("abi_valkey"));
}
