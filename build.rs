//! Chooses the ABI profile and the system's poller.

/// The profile of a build that names none.
const DEFAULT_PROFILE: &str = "redis-7.2";

/// The profiles, and what of upstream's changes each has: the `cfg` flags by which `src/abi/` and `src/ffi/` tell
/// them apart.
///
/// - `abi_v1`: the older connection layer (no registry, no listeners, types as numbers), and addresses by "which
///   end" (0: the peer) in place of "remote" (0: the own end);
/// - `abi_redis_6_2`, `abi_valkey_8_0`, `abi_valkey_8_1`: exactly that version;
/// - `abi_redis_8`: loops that grow on demand and have private data, connections that know their loop;
/// - `abi_valkey`: custom polls, protected polls, updates of the state that can be postponed.
const PROFILES: [(&str, &[&str]); 6] = [
    ("redis-6.2", &["abi_v1", "abi_redis_6_2"]),
    ("redis-7.0", &["abi_v1"]),
    (DEFAULT_PROFILE, &[]),
    ("redis-8.0", &["abi_redis_8"]),
    ("valkey-8.0", &["abi_valkey", "abi_valkey_8_0"]),
    ("valkey-8.1", &["abi_valkey", "abi_valkey_8_1"]),
];
const FLAGS: [&str; 6] = ["abi_v1", "abi_redis_6_2", "abi_redis_8", "abi_valkey", "abi_valkey_8_0", "abi_valkey_8_1"];

/// Other upstream versions whose ABI is a profile's.
const SAME: [(&str, &str); 2] = [("redis-7.4", DEFAULT_PROFILE), ("valkey-7.2", DEFAULT_PROFILE)];

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    println!("cargo:rerun-if-env-changed=LIBAE_ABI");
    let wanted = std::env::var("LIBAE_ABI").unwrap_or_else(|_| DEFAULT_PROFILE.into());
    let profile = SAME.iter().find(|(name, _)| *name == wanted).map_or(wanted.as_str(), |(_, profile)| profile);
    let Some((_, flags)) = PROFILES.iter().find(|(name, _)| *name == profile) else {
        let names = PROFILES.iter().map(|(name, _)| *name).chain(SAME.iter().map(|(name, _)| *name));
        eprintln!("error: unknown ABI profile {wanted:?}; there are {}", names.collect::<Vec<_>>().join(", "));
        std::process::exit(1);
    };
    println!("cargo:rustc-env=LIBAE_ABI_PROFILE={profile}");
    write_layout_assertions(profile);
    println!("cargo:rustc-env=LIBAE_ABI_FLAGS={}", flags.join(" "));
    for flag in FLAGS {
        println!("cargo:rustc-check-cfg=cfg({flag})");
    }
    for flag in *flags {
        println!("cargo:rustc-cfg={flag}");
    }

    // What the system has to wait with, beside poll and select.
    let os = std::env::var("CARGO_CFG_TARGET_OS").unwrap_or_default();
    let poller = match os.as_str() {
        "linux" | "android" => "epoll",
        "freebsd" | "netbsd" | "openbsd" | "dragonfly" | "macos" | "ios" => "kqueue",
        _ => "none",
    };
    println!("cargo:rustc-check-cfg=cfg(poller, values(\"epoll\", \"kqueue\", \"none\"))");
    println!("cargo:rustc-cfg=poller=\"{poller}\"");
}

/// Turns the profile's column of the facts into one assertion for each field and struct.
fn write_layout_assertions(profile: &str) {
    const FACTS: &str = "src/abi/facts/layouts.csv";
    println!("cargo:rerun-if-changed={FACTS}");
    let facts = std::fs::read_to_string(FACTS).unwrap_or_else(|error| panic!("{FACTS}: {error}"));
    let mut rows = facts.lines().map(|line| line.split(',').collect::<Vec<_>>());
    let heading = format!("{profile} offset:size");
    let headings = rows.next().expect("a line of headings");
    let column = headings.iter().position(|cell| *cell == heading).expect("the profile has a column");
    let mut assertions = String::new();
    for row in rows.filter(|row| !row[column].is_empty()) {
        let (of, field, value) = (row[0], row[1], row[column]);
        assertions += &match value.split_once(':') {
            Some((offset, _)) => {
                let raw = if matches!(field, "type" | "priv") { "r#" } else { "" };
                format!("const_assert_eq!(offset_of!({of}, {raw}{field}), {offset});\n")
            }
            None => format!("const_assert_eq!(size_of::<{of}>(), {value});\n"),
        };
    }
    let path = std::path::Path::new(&std::env::var_os("OUT_DIR").expect("cargo sets it")).join("layout.rs");
    std::fs::write(path, assertions).expect("the build directory can be written");
}
