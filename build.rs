//! Chooses the ABI profile and the system's poller.

use std::collections::BTreeSet;

/// The profile of a build that names none.
const DEFAULT_PROFILE: &str = "redis-7.2";

/// The profiles, and what of upstream's changes each has: the `cfg` flags by which `src/abi/` and `src/ffi/` tell
/// them apart. Whatever else goes through the profiles reads this list, too.
///
/// - `abi_v1`: the older connection layer (no registry, no listeners, types as numbers), and addresses by "which
///   end" (0: the peer) in place of "remote" (0: the own end);
/// - `abi_redis_6_2`, `abi_valkey_8_0`: exactly that version;
/// - `abi_redis_8`: loops that grow on demand and have private data, connections that know their loop;
/// - `abi_valkey`: custom polls, protected polls, updates of the state that can be postponed;
/// - `abi_valkey_8_1`, `abi_valkey_9`, `abi_valkey_9_1`, `abi_valkey_9_1_2`: that version and the later ones;
/// - `abi_auth_user`: a client's certificate can name its user; `abi_peer_username`: the type gives the name alone.
const PROFILES: &str = "src/abi/facts/profiles.csv";

/// What was measured of each profile's structs, and of the servers' configuration of TLS.
const LAYOUTS: &str = "src/abi/facts/layouts.csv";
const TLS_CONFIG: &str = "src/abi/facts/tls-config.csv";
/// The same on 32-bit Linux, all in one, with columns for i686 and arm.
const LAYOUTS_32: &str = "src/abi/facts/layouts-32.csv";

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    println!("cargo:rerun-if-env-changed=LIBAE_ABI");
    println!("cargo:rerun-if-env-changed=LIBAE_KQUEUE");
    let wanted = std::env::var("LIBAE_ABI").unwrap_or_else(|_| DEFAULT_PROFILE.into());
    let table = read(PROFILES);
    let profiles: Vec<_> = table.lines().skip(1).map(|row| row.split(',').collect::<Vec<_>>()).collect();
    let has = |row: &&Vec<&str>| row[0] == wanted || row[2].split_whitespace().any(|same| same == wanted);
    let Some(row) = profiles.iter().find(has) else {
        let names: Vec<_> = profiles.iter().flat_map(|row| [row[0], row[2]]).filter(|name| !name.is_empty()).collect();
        eprintln!("error: unknown ABI profile {wanted:?}; there are {}", names.join(" ").replace(' ', ", "));
        std::process::exit(1);
    };
    let (profile, flags) = (row[0], row[1]);
    println!("cargo:rustc-env=LIBAE_ABI_PROFILE={profile}");
    println!("cargo:rustc-env=LIBAE_ABI_FLAGS={flags}");
    write_layout_assertions(profile);
    let all: BTreeSet<_> = profiles.iter().flat_map(|row| row[1].split_whitespace()).collect();
    println!("cargo:rustc-env=LIBAE_ABI_ALL_FLAGS={}", Vec::from_iter(all.iter().copied()).join(" "));
    for flag in all {
        println!("cargo:rustc-check-cfg=cfg({flag})");
    }
    for flag in flags.split_whitespace() {
        println!("cargo:rustc-cfg={flag}");
    }

    // What the system has to wait with, beside poll and select. For tests of kqueue on Linux, LIBAE_KQUEUE has the
    // linker's arguments with which programs get kqueue(2): there it takes the place of epoll.
    let os = std::env::var("CARGO_CFG_TARGET_OS").unwrap_or_default();
    let kqueue_of = std::env::var("LIBAE_KQUEUE").ok().filter(|arguments| os == "linux" && !arguments.is_empty());
    let poller = match os.as_str() {
        "linux" if kqueue_of.is_some() => "kqueue",
        "linux" | "android" => "epoll",
        "freebsd" | "netbsd" | "openbsd" | "dragonfly" | "macos" | "ios" => "kqueue",
        _ => "none",
    };
    println!("cargo:rustc-check-cfg=cfg(poller, values(\"epoll\", \"kqueue\", \"none\"))");
    println!("cargo:rustc-cfg=poller=\"{poller}\"");
    for argument in kqueue_of.iter().flat_map(|arguments| arguments.split_whitespace()) {
        println!("cargo:rustc-link-arg={argument}");
    }
}

/// The text of a file that the build depends on.
fn read(path: &str) -> String {
    println!("cargo:rerun-if-changed={path}");
    std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// Turns the profile's columns of the facts into one assertion for each field and struct.
fn write_layout_assertions(profile: &str) {
    let path = std::path::Path::new(&std::env::var_os("OUT_DIR").expect("cargo sets it")).join("layout.rs");
    let assertions = match std::env::var("CARGO_CFG_TARGET_POINTER_WIDTH").as_deref() {
        Ok("32") => layout_assertions_of_32_bits(profile),
        _ => layout_assertions(profile),
    };
    std::fs::write(path, assertions).expect("the build directory can be written");
}

/// There are none where nothing was measured.
fn layout_assertions_of_32_bits(profile: &str) -> String {
    let processor = match std::env::var("CARGO_CFG_TARGET_ARCH").as_deref() {
        Ok("x86") => "i686",
        Ok("arm") => "arm",
        _ => return String::new(),
    };
    let wanted = format!("{profile} {processor}");
    let layouts = cells(LAYOUTS_32, |heading| heading == wanted);
    layouts.iter().map(|[of, field, value]| assertion(of, field, value)).collect()
}

fn layout_assertions(profile: &str) -> String {
    let layouts = column(LAYOUTS, |version| version == profile);
    let mut assertions: String = layouts.iter().map(|[of, field, value]| assertion(of, field, value)).collect();
    // Point releases have columns of their own there; what holds for the last one is the profile's.
    let is_release =
        |version: &str| version.strip_prefix(profile).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'));
    for [field, _, value] in column(TLS_CONFIG, is_release) {
        if field != "(struct name)" {
            assertions += &assertion("redisTLSContextConfig", &field, &value);
        }
    }
    if profile == "redis-6.2" {
        for [field, _, value] in column(TLS_CONFIG, |version| version == "redis-6.2.0") {
            if field != "(struct name)" {
                assertions += &assertion("WithoutPassphrases", &field, &value);
            }
        }
    }
    assertions
}

/// The first two cells of each row that has a value in the last column of such a version, and the value.
fn column(facts: &str, is_version: impl Fn(&str) -> bool) -> Vec<[String; 3]> {
    cells(facts, |heading| heading.strip_suffix(" offset:size").is_some_and(&is_version))
}

/// The same of the last column with such a heading.
fn cells(facts: &str, is_heading: impl Fn(&str) -> bool) -> Vec<[String; 3]> {
    let text = read(facts);
    let mut rows = text.lines().map(|line| line.split(',').collect::<Vec<_>>());
    let headings = rows.next().expect("a line of headings");
    let column = headings.iter().rposition(|cell| is_heading(cell)).expect("the profile has a column");
    rows.filter(|row| !row[column].is_empty()).map(|row| [row[0], row[1], row[column]].map(String::from)).collect()
}

fn assertion(of: &str, field: &str, value: &str) -> String {
    match value.split_once(':') {
        Some((offset, _)) => {
            let raw = if matches!(field, "type" | "priv") { "r#" } else { "" };
            format!("const_assert_eq!(offset_of!({of}, {raw}{field}), {offset});\n")
        }
        None => format!("const_assert_eq!(size_of::<{of}>(), {value});\n"),
    }
}
