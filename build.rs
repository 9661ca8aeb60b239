//! Chooses the ABI profile and the system's poller, and gives the shared library its soname.

/// The profile that `src/abi/` implements, and the other upstream versions whose layout is the same.
const PROFILE: &str = "redis-7.2";
const SAME_AS_PROFILE: [&str; 2] = ["redis-7.4", "valkey-7.2"];

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    println!("cargo:rerun-if-env-changed=LIBAE_ABI");
    let wanted = std::env::var("LIBAE_ABI").unwrap_or_else(|_| PROFILE.into());
    if wanted != PROFILE && !SAME_AS_PROFILE.contains(&wanted.as_str()) {
        eprintln!(
            "error: ABI profile {wanted:?} is not built in; this release has {PROFILE} (the same as {})",
            SAME_AS_PROFILE.join(", ")
        );
        std::process::exit(1);
    }
    println!("cargo:rustc-env=LIBAE_ABI_PROFILE={wanted}");

    // What the system has to wait with, beside poll and select.
    let os = std::env::var("CARGO_CFG_TARGET_OS").unwrap_or_default();
    let poller = match os.as_str() {
        "linux" | "android" => "epoll",
        "freebsd" | "netbsd" | "openbsd" | "dragonfly" | "macos" | "ios" => "kqueue",
        _ => "none",
    };
    println!("cargo:rustc-check-cfg=cfg(poller, values(\"epoll\", \"kqueue\", \"none\"))");
    println!("cargo:rustc-cfg=poller=\"{poller}\"");

    if os == "linux" || os.ends_with("bsd") {
        let major = std::env::var("CARGO_PKG_VERSION_MAJOR").unwrap_or_default();
        println!("cargo:rustc-cdylib-link-arg=-Wl,-soname,libae.so.{major}");
    }
}
