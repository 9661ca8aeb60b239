//! The headers compile, alone and together, in every dialect that users write.

use super::profile::has;
use super::{generate, include_dir};
use std::path::Path;
use std::process::Command;
use tempfile::TempDir;

const C_COMPILERS: [&str; 2] = ["gcc", "clang"];
const CXX_COMPILERS: [&str; 2] = ["g++", "clang++"];
const C_DIALECTS: [&str; 4] = ["c89", "c99", "c11", "c17"];
const CXX_DIALECTS: [&str; 2] = ["c++98", "c++17"];
/// The ABI has `long long`, which the oldest dialects do not: strictly speaking, they cannot take the headers.
const STRICT: [&str; 5] = ["-Wall", "-Wextra", "-Wpedantic", "-Werror", "-Wno-long-long"];
/// What C++ programs warn of as well.
const OF_CXX: &str = "-Wold-style-cast";

/// Those of the compilers that are installed. `make test` sets `LIBAE_ALL_TOOLS`: then all must be.
fn installed(compilers: &[&'static str]) -> Vec<&'static str> {
    let all = std::env::var_os("LIBAE_ALL_TOOLS").is_some();
    let (found, missing): (Vec<_>, Vec<_>) =
        compilers.iter().partition(|name| Command::new(name).arg("--version").output().is_ok());
    if !missing.is_empty() {
        assert!(!all && !found.is_empty(), "not installed: {}", missing.join(", "));
        eprintln!("skipped, not installed: {}", missing.join(", "));
    }
    found
}

/// Runs a compiler on a source text; what it printed when it fails.
pub fn compile(compiler: &str, arguments: &[&str], source: &Path) -> Result<(), String> {
    let output = Command::new(compiler)
        .arg("-I")
        .arg(include_dir())
        .args(arguments)
        .arg(source)
        .output()
        .map_err(|error| format!("{compiler}: {error}"))?;
    if output.status.success() { Ok(()) } else { Err(String::from_utf8_lossy(&output.stderr).into_owned()) }
}

/// Sources that include each header alone (twice), all of them, and all in the opposite order.
fn inclusions() -> Vec<String> {
    let include = |name| format!("#include <{name}>\n");
    let mut sources: Vec<String> = generate::names().map(|name| include(name).repeat(2)).collect();
    let all: Vec<String> = generate::names().map(include).collect();
    sources.push(all.concat());
    sources.push(all.into_iter().rev().collect());
    sources
}

fn check_dialects(compilers: &[&'static str], dialects: &[&str], extension: &str) {
    let dir = TempDir::new().expect("a temporary directory");
    for source in inclusions() {
        let path = dir.path().join(format!("include.{extension}"));
        std::fs::write(&path, format!("{source}int main(void);\nint main(void) {{ return 0; }}\n")).expect("a source");
        for compiler in installed(compilers) {
            for dialect in dialects {
                let standard = format!("-std={dialect}");
                let mut arguments = [&STRICT[..], &[&standard, "-fsyntax-only"]].concat();
                if extension == "cc" {
                    arguments.push(OF_CXX);
                }
                if let Err(messages) = compile(compiler, &arguments, &path) {
                    panic!("{compiler} {standard} refuses\n{source}{messages}");
                }
            }
        }
    }
}

#[test]
fn headers_compile_as_c() {
    check_dialects(&C_COMPILERS, &C_DIALECTS, "c");
}

#[test]
fn headers_compile_as_cxx() {
    check_dialects(&CXX_COMPILERS, &CXX_DIALECTS, "cc");
}

/// Macros are expressions that stand anywhere, in C++ without a cast of C's.
#[test]
fn macros_are_expressions() {
    let source = "#include <ae.h>\n#include <anet.h>\n\
        int f(int a) { AE_NOTUSED(a); AE_NOTUSED(a + 1); return 0 -AE_ERR -AE_NOMORE -AE_DELETED_EVENT_ID -ANET_ERR; }\n\
        struct four { char is[sizeof(char[f_is]) == 4 ? 1 : -1]; };\n"
        .replace("f_is", "0 -AE_ERR -AE_NOMORE -AE_DELETED_EVENT_ID -ANET_ERR");
    // Without parentheses it would be a constant behind an expression: 1 -1.
    let wrong = "#include <ae.h>\nint none = 1 AE_ERR;\n";
    let dir = TempDir::new().expect("a temporary directory");
    for (compilers, dialect, extension) in [(&C_COMPILERS, "-std=c89", "c"), (&CXX_COMPILERS, "-std=c++98", "cc")] {
        let path = dir.path().join(format!("macros.{extension}"));
        for compiler in installed(compilers) {
            let mut arguments = [&STRICT[..], &[dialect, "-fsyntax-only"]].concat();
            if extension == "cc" {
                arguments.push(OF_CXX);
            }
            std::fs::write(&path, &source).expect("a source");
            compile(compiler, &arguments, &path).unwrap_or_else(|messages| panic!("{compiler}: {messages}"));
            std::fs::write(&path, wrong).expect("a source");
            compile(compiler, &arguments, &path).expect_err("a constant without parentheses");
        }
    }
}

/// Upstream's ae.h brings unistd.h along, its connection.h errno.h, stdio.h and string.h: programs rely on it.
#[test]
fn headers_bring_what_upstreams_do() {
    let uses = [
        ("ae.h", "uint64_t now = 0; char byte; return (int)(read(0, &byte, 1) + close(0) + (ssize_t)now);"),
        (
            "connection.h",
            "struct iovec iov; printf(\"%s\", strerror(errno)); memset(&iov, 0, sizeof(iov)); return close(0);",
        ),
    ];
    let dir = TempDir::new().expect("a temporary directory");
    for (header, body) in uses {
        let path = dir.path().join("brings.c");
        std::fs::write(&path, format!("#include <{header}>\nint main(void) {{ {body} }}\n")).expect("a source");
        for compiler in installed(&C_COMPILERS) {
            if let Err(messages) = compile(compiler, &["-Wall", "-Werror", "-std=gnu11", "-fsyntax-only"], &path) {
                panic!("{compiler} misses something of {header}\n{messages}");
            }
        }
    }
}

/// Upstream's users write types with and without `struct`, and define some macros themselves.
#[test]
fn types_and_macros_are_written_as_upstream_has_them() {
    let source = r#"
#define C_OK 0
#define C_ERR -1
#define CONFIG_BINDADDR_MAX 16
#include <anet.h>
#include <connection.h>
#include <libae.h>

#define BOTH(type) extern type *plain_##type; extern struct type *plain_##type
BOTH(aeEventLoop);
BOTH(aeFileEvent);
BOTH(aeFiredEvent);
BOTH(aeTimeEvent);
BOTH(connection);
BOTH(ConnectionType);

static aeFileProc onFile;
static aeTimeProc onTime;
static aeEventFinalizerProc onFinal;
static aeBeforeSleepProc onSleep;
static void onConnection(connection *conn) { (void) conn; }
static ConnectionCallbackFunc callback = onConnection;

static void onFile(aeEventLoop *el, int fd, void *data, int mask) {
    AE_NOTUSED(el);
    AE_NOTUSED(fd);
    AE_NOTUSED(data);
    AE_NOTUSED(mask);
}
#ifdef TIMERS_RETURN_LONG_LONG
static long long onTime(struct aeEventLoop *el, long long id, void *data) {
#else
static int onTime(struct aeEventLoop *el, long long id, void *data) {
#endif
    AE_NOTUSED(el);
    AE_NOTUSED(id);
    AE_NOTUSED(data);
    return AE_NOMORE;
}
static void onFinal(aeEventLoop *el, void *data) { AE_NOTUSED(el); AE_NOTUSED(data); }
static void onSleep(aeEventLoop *el) { AE_NOTUSED(el); }

int main(void) {
    aeFileProc *file = onFile;
    aeTimeProc *timer = onTime;
    aeEventFinalizerProc *final = onFinal;
    aeBeforeSleepProc *sleeper = onSleep;
    monotime now = 0;
    ConnectionState state = CONN_STATE_CONNECTED;
#if defined(LIBAE_ABI_REDIS_6_2) || defined(LIBAE_ABI_REDIS_7_0)
    const char *names[] = { CONN_TYPE_SOCKET != CONN_TYPE_TLS ? LIBAE_VERSION : LIBAE_ABI };
#elif defined(CONN_TYPE_SOCKET)
    const char *names[] = { CONN_TYPE_SOCKET, CONN_TYPE_UNIX, CONN_TYPE_TLS, LIBAE_VERSION };
#else
    const char *names[] = { getConnectionTypeName(CONN_TYPE_SOCKET), LIBAE_VERSION };
#endif
    char error[ANET_ERR_LEN];
    switch (state) {
    case CONN_STATE_NONE:
    case CONN_STATE_CONNECTING:
    case CONN_STATE_ACCEPTING:
    case CONN_STATE_CONNECTED:
    case CONN_STATE_CLOSED:
    case CONN_STATE_ERROR:
        break;
    }
    error[0] = names[0][0];
    return file == NULL || timer == NULL || final == NULL || sleeper == NULL || callback == NULL || now || error[0];
}
"#;
    let dir = TempDir::new().expect("a temporary directory");
    let timers = if has("abi_valkey_8_1") { "#define TIMERS_RETURN_LONG_LONG\n" } else { "" };
    for (compilers, dialect, extension) in [(&C_COMPILERS, "-std=c11", "c"), (&CXX_COMPILERS, "-std=c++17", "cc")] {
        let path = dir.path().join(format!("types.{extension}"));
        std::fs::write(&path, timers.to_owned() + source).expect("a source");
        for compiler in installed(compilers) {
            let arguments = [&STRICT[..], &[dialect, "-fsyntax-only"]].concat();
            if let Err(messages) = compile(compiler, &arguments, &path) {
                panic!("{compiler} {dialect}: {messages}");
            }
        }
    }
}

#[test]
fn a_source_that_does_not_compile_is_noticed() {
    let dir = TempDir::new().expect("a temporary directory");
    let path = dir.path().join("bad.c");
    std::fs::write(&path, "#include <ae.h>\naeNoSuchType *x;\n").expect("a source");
    let messages = compile("cc", &["-fsyntax-only"], &path).expect_err("the type is unknown");
    assert!(messages.contains("aeNoSuchType"), "{messages}");
}

#[test]
fn hooks_are_registered_beside_a_forks_own_headers() {
    let dir = TempDir::new().expect("a temporary directory");
    let path = dir.path().join("host.c");
    let source = "typedef struct aeEventLoop { int maxfd; } aeEventLoop;
        typedef struct connection connection;
        typedef struct connListener { int fd[16]; } connListener;
        #include <libae.h>
        static aeEventLoop *loop(void) { return 0; }
        static void accepted(connection *conn, int flags, char *ip) { (void)conn, (void)flags, (void)ip; }
        static int listen_to_port(connListener *listener) { return listener->fd[0]; }
        const libaeHost host = {.size = sizeof(host), .current_loop = loop, .accepted = accepted, .listen = listen_to_port};\n";
    std::fs::write(&path, source).expect("a source");
    for compiler in installed(&C_COMPILERS) {
        if let Err(messages) = compile(compiler, &[&STRICT[..], &["-std=c11", "-fsyntax-only"]].concat(), &path) {
            panic!("{compiler} refuses\n{source}{messages}");
        }
    }
}
