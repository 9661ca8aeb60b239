//! Generates the headers with cbindgen, and the list of the symbols they declare.

use super::profile::{has, resolve_conditions};
use super::{PROFILE, root};
use cbindgen::{Builder, Config, DocumentationStyle, Language, Style};

/// One header and what cbindgen cannot know about it.
struct Header {
    name: &'static str,
    summary: &'static str,
    /// The files whose items it declares; some only under a flag of build.rs, `!` for its absence.
    sources: &'static [(&'static str, &'static str)],
    sys_includes: &'static [&'static str],
    includes: &'static [&'static str],
    /// Structs of other headers, written with their tag so that a fork's own definition does as well.
    tags: &'static [&'static str],
    /// Rust items that C spells by hand, in `by_hand`.
    excluded: &'static [&'static str],
    by_hand: &'static str,
    /// What comes behind everything else.
    trailer: &'static str,
    /// Macros that a program may have defined itself, to the same or another value.
    guarded: &'static [&'static str],
}

const AE: Header = Header {
    name: "ae.h",
    summary: "the event loop",
    sources: &[("src/abi/ae.rs", ""), ("src/ffi/ae.rs", "")],
    sys_includes: &["stdint.h", "unistd.h"],
    includes: &[],
    tags: &[],
    excluded: &[
        "aeFileProc",
        "aeTimeProc",
        "aeTimeResult",
        "AeTimeResult",
        "aeEventFinalizerProc",
        "aeBeforeSleepProc",
        "aeAfterSleepProc",
        "aeCustomPollProc",
    ],
    by_hand: r#"
/** Marks a parameter as unused. */
#define AE_NOTUSED(V) ((void) (V))

#if defined(abi_valkey)
#include <pthread.h>
#include <sys/time.h>
#endif

struct aeEventLoop;

#ifdef __cplusplus
extern "C" {
#endif

/** A file event's callback: the loop, the descriptor, the client data, the events that fired. */
typedef void aeFileProc(struct aeEventLoop *eventLoop, int fd, void *clientData, int mask);
/** A time event's callback; returns milliseconds until the next run, or `AE_NOMORE`. */
#if defined(abi_valkey_8_1)
typedef long long aeTimeProc(struct aeEventLoop *eventLoop, long long id, void *clientData);
#endif
#if !defined(abi_valkey_8_1)
typedef int aeTimeProc(struct aeEventLoop *eventLoop, long long id, void *clientData);
#endif
/** Called once when a deleted time event is freed. */
typedef void aeEventFinalizerProc(struct aeEventLoop *eventLoop, void *clientData);
/** Called before the loop sleeps, or after it wakes. */
typedef void aeBeforeSleepProc(struct aeEventLoop *eventLoop);
#if defined(abi_valkey)
/** Called after the loop slept, with how many descriptors fired. */
typedef void aeAfterSleepProc(struct aeEventLoop *eventLoop, int numevents);
/** Polls in place of the loop; returns how many descriptors fired. */
typedef int aeCustomPollProc(struct aeEventLoop *eventLoop);
#endif

#ifdef __cplusplus
}
#endif
"#,
    trailer: include_str!("before_6_2/ae.h"),
    guarded: &[],
};

const ANET: Header = Header {
    name: "anet.h",
    summary: "socket helpers",
    sources: &[
        ("src/abi/anet.rs", ""),
        ("src/ffi/anet/options.rs", ""),
        ("src/ffi/anet/sockets.rs", ""),
        ("src/ffi/anet/addresses.rs", ""),
        ("src/ffi/anet/pipes.rs", ""),
    ],
    sys_includes: &["stddef.h", "stdint.h", "sys/types.h"],
    includes: &[],
    tags: &[],
    excluded: &[],
    by_hand: "",
    trailer: include_str!("before_6_2/anet.h"),
    guarded: &[],
};

const CONNECTION: Header = Header {
    name: "connection.h",
    summary: "connections of any type",
    sources: &[
        ("src/abi/connection_common.rs", ""),
        ("src/abi/connection_v1.rs", "abi_v1"),
        ("src/abi/connection_v2.rs", "!abi_v1"),
        ("src/abi/tls_upstream.rs", ""),
        ("src/ffi/connection/v1.rs", "abi_v1"),
        ("src/ffi/connection/tls_v1.rs", "abi_v1"),
        ("src/ffi/connection/types.rs", "!abi_v1"),
        ("src/ffi/connection/io.rs", ""),
        ("src/ffi/connection/properties.rs", ""),
        ("src/ffi/connection/identity.rs", "!abi_v1"),
        ("src/ffi/connection/peer.rs", "abi_auth_user"),
        ("src/ffi/connection/tls_reload.rs", "abi_valkey_9_1"),
    ],
    sys_includes: &["errno.h", "stddef.h", "stdio.h", "string.h", "sys/types.h", "sys/uio.h"],
    includes: &["ae.h"],
    tags: &["user"],
    excluded: &[
        "user",
        "ConnectionState",
        "CONN_STATE_NONE",
        "CONN_STATE_CONNECTING",
        "CONN_STATE_ACCEPTING",
        "CONN_STATE_CONNECTED",
        "CONN_STATE_CLOSED",
        "CONN_STATE_ERROR",
    ],
    by_hand: r#"
struct connection;
struct ConnectionType;

#if (!defined(abi_v1) && !defined(abi_valkey_9))
/** The name of the built-in type for TCP sockets. */
#define CONN_TYPE_SOCKET "tcp"
/** The name of the built-in type for unix sockets. */
#define CONN_TYPE_UNIX "unix"
/** The name of the TLS type. */
#define CONN_TYPE_TLS "tls"
#endif
#if defined(abi_valkey_9)
/* Upstream's header brings it along. */
#include <stdlib.h>

/** The number of a connection type. */
typedef enum {
    CONN_TYPE_INVALID = -1,
    /** The built-in type for TCP sockets. */
    CONN_TYPE_SOCKET,
    /** The built-in type for unix sockets. */
    CONN_TYPE_UNIX,
    /** The TLS type. */
    CONN_TYPE_TLS,
    /** The RDMA type, which a program can bring. */
    CONN_TYPE_RDMA,
    /** How many types there can be. */
    CONN_TYPE_MAX
} ConnectionTypeId;
#endif
#if defined(abi_valkey_9_1)
/** A user of the program around the library, which only the program looks into. */
struct user;
#endif
#if defined(abi_valkey)
/** Valkey's name of it. */
typedef struct redisTLSContextConfig serverTLSContextConfig;
#endif
#if (defined(abi_valkey_8_1) && !defined(abi_valkey_9))
/** The name of the RDMA type, which a program can bring. */
#define CONN_TYPE_RDMA "rdma"
#endif

/** The state of a connection. */
typedef enum {
    /** Created, not connected yet. */
    CONN_STATE_NONE = 0,
    /** A connect is under way. */
    CONN_STATE_CONNECTING,
    /** Accepted by the listener, `connAccept` not called yet. */
    CONN_STATE_ACCEPTING,
    /** Ready for reading and writing. */
    CONN_STATE_CONNECTED,
    /** The peer closed it. */
    CONN_STATE_CLOSED,
    /** Failed; `last_errno` says why. */
    CONN_STATE_ERROR
} ConnectionState;
"#,
    trailer: "",
    guarded: &[
        "C_OK",
        "C_ERR",
        "CONFIG_BINDADDR_MAX",
        "NET_HOST_STR_LEN",
        "NET_IP_STR_LEN",
        "NET_HOST_PORT_STR_LEN",
        "TLS_CLIENT_FIELD_OFF",
        "TLS_CLIENT_FIELD_CN",
        "TLS_CLIENT_FIELD_URI",
    ],
};

const LIBAE: Header = Header {
    name: "libae.h",
    summary: "the version, the host's hooks and what libae has beside upstream",
    sources: &[
        ("src/abi/host.rs", ""),
        ("src/abi/tls.rs", ""),
        ("src/abi/tls_context.rs", ""),
        ("src/abi/embedding.rs", ""),
        ("src/abi/proxy.rs", ""),
        ("src/abi/sockets.rs", ""),
        ("src/ffi/libae.rs", ""),
        ("src/ffi/embedding.rs", ""),
        ("src/ffi/names.rs", ""),
        ("src/ffi/proxy.rs", ""),
        ("src/ffi/sockets.rs", ""),
        ("src/ffi/connection/sockets.rs", ""),
        ("src/ffi/tls_session.rs", ""),
        ("src/ffi/tls_context.rs", ""),
        ("src/ffi/tls_about.rs", ""),
    ],
    sys_includes: &["stddef.h", "sys/types.h"],
    includes: &[],
    tags: &["aeEventLoop", "connection", "connListener"],
    excluded: &[
        "aeLoopProc",
        "AeLoopProc",
        "aePeriodicProc",
        "AePeriodicProc",
        "aeSignalProc",
        "AeSignalProc",
        "aeChildProc",
        "AeChildProc",
        "libaeResolveProc",
        "LibaeResolveProc",
        "libaeConnectProc",
        "LibaeConnectProc",
        "pid_t",
        "uid_t",
        "gid_t",
    ],
    by_hand: concat!(
        "\nstruct aeEventLoop;\nstruct connection;\nstruct connListener;\n\n",
        "#ifdef __cplusplus\nextern \"C\" {\n#endif\n\n",
        "/** Called once with the loop and the data that came with it. */\n",
        "typedef void aeLoopProc(struct aeEventLoop *eventLoop, void *clientData);\n",
        "/** Called at even distances; returns `AE_NOMORE` (-1) to end that, anything else to go on. */\n",
        "typedef int aePeriodicProc(struct aeEventLoop *eventLoop, long long id, void *clientData);\n",
        "/** Called in the loop when a signal has come. */\n",
        "typedef void aeSignalProc(struct aeEventLoop *eventLoop, int signum, void *clientData);\n",
        "/** Called once when a child has ended: its process id, its status as `waitpid` gives it. */\n",
        "typedef void aeChildProc(struct aeEventLoop *eventLoop, pid_t pid, int status, void *clientData);\n",
        "struct libaeResolved;\n",
        "/** Called once with what has come out of `libaeResolve`. */\n",
        "typedef void libaeResolveProc(struct aeEventLoop *eventLoop, const struct libaeResolved *resolved,\n",
        "                              void *clientData);\n",
        "/** Called once with the socket that `libaeConnectName` has connected; or with -1, an errno and what failed. */\n",
        "typedef void libaeConnectProc(struct aeEventLoop *eventLoop, int fd, int error, const char *text,\n",
        "                              void *clientData);\n\n",
        "#ifdef __cplusplus\n}\n#endif\n\n",
        "/** The version of these headers; `libaeVersion` gives that of the library. */\n",
        "#define LIBAE_VERSION \"",
        env!("CARGO_PKG_VERSION"),
        "\"\n#define LIBAE_VERSION_MAJOR ",
        env!("CARGO_PKG_VERSION_MAJOR"),
        "\n#define LIBAE_VERSION_MINOR ",
        env!("CARGO_PKG_VERSION_MINOR"),
        "\n#define LIBAE_VERSION_PATCH ",
        env!("CARGO_PKG_VERSION_PATCH"),
        "\n"
    ),
    trailer: "",
    guarded: &[],
};

const HEADERS: [Header; 4] = [AE, ANET, CONNECTION, LIBAE];

/// The names of the headers, each without those it needs.
pub fn names() -> impl Iterator<Item = &'static str> {
    HEADERS.iter().map(|header| header.name)
}

/// Every header: its name and its text.
pub fn all() -> Vec<(&'static str, String)> {
    HEADERS.iter().map(|header| (header.name, header.generate())).collect()
}

/// The macros that name the profile.
fn profile_macros() -> String {
    let name = PROFILE.to_uppercase().replace(['-', '.'], "_");
    format!(
        "/** The ABI profile of these headers; `libaeAbiProfile` gives that of the library. */\n\
         #define LIBAE_ABI \"{PROFILE}\"\n#define LIBAE_ABI_{name} 1\n\n"
    )
}

impl Header {
    fn config(&self) -> Config {
        let guard = format!("LIBAE_{}", self.name.to_uppercase().replace('.', "_"));
        let mut config = Config {
            language: Language::C,
            cpp_compat: true,
            style: Style::Both,
            documentation_style: DocumentationStyle::Doxy,
            usize_is_size_t: true,
            no_includes: true,
            line_length: 110,
            tab_width: 4,
            header: Some(format!("/** {}: {}. Part of libae, under the MIT licence. */", self.name, self.summary)),
            autogen_warning: Some("/* Generated from src/abi and src/ffi by `make headers`; do not edit. */".into()),
            include_guard: Some(guard),
            sys_includes: self.sys_includes.iter().map(ToString::to_string).collect(),
            includes: self.includes.iter().map(ToString::to_string).collect(),
            trailer: (!self.trailer.is_empty()).then(|| self.trailer.trim().to_owned()),
            after_includes: (!self.by_hand.is_empty()).then(|| self.by_hand.trim_end().to_owned()),
            defines: super::profile::flags().map(|flag| (flag.to_string(), flag.to_string())).collect(),
            ..Config::default()
        };
        // No function of the newer profiles names the first, which goes through `connTypeConfigure`, and only a
        // callback the second.
        config.export.include = vec!["redisTLSContextConfig".to_owned(), "libaeResolved".to_owned()];
        config.export.exclude = self.excluded.iter().map(ToString::to_string).collect();
        for tag in self.tags.iter().chain(&["iovec", "timeval"]) {
            config.export.rename.insert(tag.to_string(), format!("struct {tag}"));
        }
        config
    }

    /// The header's text.
    fn generate(&self) -> String {
        let mut builder = Builder::new().with_config(self.config());
        for (source, condition) in self.sources {
            let holds = match condition.strip_prefix('!') {
                Some(flag) => !has(flag),
                None => condition.is_empty() || has(condition),
            };
            if holds {
                builder = builder.with_src(root().join(source));
            }
        }
        let bindings = builder.generate().unwrap_or_else(|error| panic!("{}: {error}", self.name));
        let mut text = Vec::new();
        bindings.write(&mut text);
        let text = resolve_conditions(&String::from_utf8(text).expect("cbindgen writes UTF-8"));
        let text = guard_macros(&for_all_dialects(&for_c_readers(&text), self.guarded), self.guarded);
        if matches!(self.name, "ae.h" | "anet.h") {
            return with_names_of_its_own(&text);
        }
        if self.name != "libae.h" {
            return text;
        }
        text.replacen("/** The version of these headers", &(profile_macros() + "/** The version of these headers"), 1)
    }
}

/// Lets a program that defines `LIBAE_INSIDE` call the functions by the names that they have in `libae-inside.a`, and
/// puts that in front of the trailer.
fn with_names_of_its_own(text: &str) -> String {
    let profile = PROFILE.replace(['-', '.'], "_");
    let (declarations, trailer) = text.split_at(text.find("#if defined(LIBAE_BEFORE_6_2)").expect("a trailer"));
    let mut text = declarations.to_owned() + "#ifdef LIBAE_INSIDE\n";
    for name in declared_functions(declarations) {
        text += &format!("#pragma redefine_extname {name} libae_{profile}_{name}\n");
    }
    text += "#endif\n\n";
    if declarations.contains("int mptcp") {
        text += "#define LIBAE_ANET_MPTCP 1\n\n";
    }
    text + trailer
}

/// The functions that a header declares: the word in front of the first parenthesis of a line that begins with a
/// letter.
fn declared_functions(text: &str) -> impl Iterator<Item = &str> {
    let declarations =
        text.lines().filter(|line| line.starts_with(char::is_alphabetic) && !line.starts_with("typedef"));
    declarations.filter_map(|line| line.split_once('(')?.0.rsplit([' ', '*']).next())
}

/// Rust's "# Safety" paragraphs as a C programmer would say it, and comments of one line on one line.
fn for_c_readers(text: &str) -> String {
    let text = text.replace(" * # Safety\n * ", " * Requires: ");
    let lines: Vec<&str> = text.lines().collect();
    let mut short = String::new();
    let mut at = 0;
    while at < lines.len() {
        match lines[at..] {
            [open, comment, close, ..] if open.trim() == "/**" && close.trim() == "*/" => {
                let indent = &open[..open.len() - open.trim_start().len()];
                let comment = comment.trim_start().trim_start_matches("* ");
                short.push_str(&format!("{indent}/** {comment} */\n"));
                at += 3;
            }
            _ => {
                short.push_str(lines[at]);
                short.push('\n');
                at += 1;
            }
        }
    }
    short
}

/// Comments as C had them before 1999, and negative constants in parentheses, except for those that a program may
/// define as well: preprocessors warn of a second definition that differs from the first.
fn for_all_dialects(text: &str, as_upstream_has_them: &[&str]) -> String {
    let dialect = |line: &str| {
        if let Some((code, comment)) = line.split_once(" // ").filter(|_| line.starts_with(['#', '}'])) {
            return format!("{} /* {comment} */\n", code.trim_end());
        }
        let constant = line.strip_prefix("#define ").and_then(|definition| definition.split_once(" -"));
        match constant {
            Some((name, value)) if !name.contains(' ') && !as_upstream_has_them.contains(&name) => {
                format!("#define {name} (-{value})\n")
            }
            _ => format!("{line}\n"),
        }
    };
    text.lines().map(dialect).collect()
}

/// Wraps the definitions of some macros, with their comments, so that a program's own come first.
fn guard_macros(text: &str, names: &[&str]) -> String {
    let mut text = text.to_owned();
    for name in names {
        // A profile may lack it.
        let Some(at) = text.find(&format!("#define {name} ")) else { continue };
        let end = at + text[at..].find('\n').expect("a definition ends its line") + 1;
        text.insert_str(end, "#endif\n");
        text.insert_str(at, &format!("#ifndef {name}\n"));
    }
    text
}

#[test]
fn nothing_of_rust_is_left_in_the_comments() {
    for (path, text) in all() {
        for rust in ["# Safety", "](", "[`", "::", "Option<", "None", "Some(", "Rust"] {
            let found = text.lines().find(|line| line.contains(rust));
            assert_eq!(found, None, "{path}: {rust:?} means nothing to a C programmer");
        }
    }
}

#[test]
fn constants_stand_in_parentheses() {
    let text = "#define A -1\n#define B -1\n#define C 2\n#define F(x) g(x, -1)\n#endif  // X\nint a; /* http://x */\n";
    let expected =
        "#define A (-1)\n#define B -1\n#define C 2\n#define F(x) g(x, -1)\n#endif /* X */\nint a; /* http://x */\n";
    assert_eq!(for_all_dialects(text, &["B"]), expected);
}

#[test]
fn guards_surround_the_definition() {
    assert_eq!(
        guard_macros("/** x */\n#define A 1\nint b;\n", &["A"]),
        "/** x */\n#ifndef A\n#define A 1\n#endif\nint b;\n"
    );
}
