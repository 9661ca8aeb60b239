//! The workspace's other packages use the library's safe API alone.

use crate::layers::LAYERS;
use crate::mentions::mentions;
use crate::source::{packages, parsed, repository, rust_files, words_of};

/// Packages that no product contains: they may use sockets of the standard library's, as a client of a server does.
const FOR_TESTS: [&str; 1] = ["testkit"];

/// Packages without input and output, and those of ours that they are built on.
const PURE: [(&str, &[&str]); 4] = [("resp", &[]), ("store", &[]), ("rdb", &["store"]), ("lua", &["resp"])];

/// The packages' input and output is the library's.
const NOT_IN_PACKAGES: [&str; 7] =
    ["libc", "nix", "TcpListener", "TcpStream", "UdpSocket", "UnixListener", "UnixStream"];

/// What a file of a package does that it may not.
fn violations(text: &str, is_root: bool) -> Vec<String> {
    let mut found = Vec::new();
    for mention in mentions(&parsed(text)) {
        let path = &mention.path;
        if path[0] == "ae" && path.get(1).is_some_and(|first| LAYERS.iter().any(|(module, _)| module == first)) {
            found.push(format!("only the safe API may be used, not `{}`", path.join("::")));
        }
    }
    for word in words_of(text) {
        if NOT_IN_PACKAGES.contains(&word.as_str()) {
            found.push(format!("only libae may use `{word}`"));
        }
    }
    if is_root && !text.contains("#![forbid(unsafe_code)]") {
        found.push("`#![forbid(unsafe_code)]` is missing".into());
    }
    found
}

#[test]
fn packages_use_the_safe_api() {
    let mut found = Vec::new();
    let mut roots = 0;
    for package in &packages()[1..] {
        let name = package.file_name().and_then(|name| name.to_str()).expect("a name in UTF-8");
        if FOR_TESTS.contains(&name) {
            continue;
        }
        let src = package.join("src");
        for file in rust_files(&src) {
            let is_root = ["lib.rs", "main.rs"].iter().any(|root| file == src.join(root));
            roots += usize::from(is_root);
            let text = std::fs::read_to_string(&file).expect("a source");
            found.extend(violations(&text, is_root).into_iter().map(|text| format!("  {}: {text}", file.display())));
        }
    }
    assert!(roots > 3, "only {roots} roots were seen");
    assert!(found.is_empty(), "packages go around the library:\n{}", found.join("\n"));
}

/// The packages of ours that a manifest names, except for tests.
fn ours(manifest: &str) -> Vec<&str> {
    let dependencies = manifest.split("\n[").filter(|section| section.starts_with("dependencies]"));
    let lines = dependencies.flat_map(str::lines).filter(|line| line.contains("path ="));
    lines.filter_map(|line| line.split_whitespace().next()).collect()
}

#[test]
fn pure_packages_are_built_on_few() {
    for (name, expected) in PURE {
        let manifest = repository().join("crates").join(name).join("Cargo.toml");
        assert_eq!(ours(&std::fs::read_to_string(manifest).expect("a manifest")), expected, "{name}");
    }
}

#[test]
fn samples() {
    let of_tests = "[dev-dependencies]\nd = { path = \"../d\" }\n";
    let manifest = format!("[package]\n\n[dependencies]\nb = {{ path = \"../b\" }}\nc = \"1\"\n\n{of_tests}");
    assert_eq!(ours(&manifest), ["b"]);
    let main = "#![forbid(unsafe_code)]\n";
    let refused = |text: &str| assert!(!violations(&format!("{main}{text}"), true).is_empty(), "{text}");
    refused("use ae::event_loop::create;");
    refused("use ae::{EventLoop, ffi::ae};");
    refused("use std::net::TcpStream;");
    refused("fn f() { libc::getpid() }");
    refused("fn f() { println!(\"{}\", ae::sys::fd::close(3)) }");
    assert!(!violations("fn main() {}", true).is_empty());
    assert_eq!(violations("use ae::{EventLoop, Listener};", false), Vec::<String>::new());
    assert_eq!(violations("#![forbid(unsafe_code)]\nuse std::net::IpAddr;", true), Vec::<String>::new());
}
