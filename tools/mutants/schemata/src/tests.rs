use crate::conditions::Conditions;
use crate::mutator::{self, Rewritten};
use std::collections::BTreeSet;

const CONDITIONS: &str = "unix\ntarget_os=\"linux\"\n";

fn rewritten(source: &str, excluded: &[usize]) -> Rewritten {
    let excluded = BTreeSet::from_iter(excluded.iter().copied());
    let rewritten = mutator::rewritten(source, &Conditions::new(CONDITIONS), &excluded, &mut 1).expect("a source");
    assert_eq!(rewritten.text.lines().count(), source.lines().count(), "{}", rewritten.text);
    syn::parse_file(&rewritten.text).expect("a source as well");
    rewritten
}

/// `original -> changed` for each mistake.
fn mistakes(source: &str) -> Vec<String> {
    let mistakes = rewritten(source, &[]).mistakes;
    mistakes.iter().map(|one| format!("{} -> {}", one.original, one.changed)).collect()
}

/// As `mistakes`, of what is in a function.
fn within(body: &str) -> Vec<String> {
    mistakes(&format!("fn f(a: A) -> A {{ {body} }}"))
}

#[test]
fn expressions_in_expressions_are_wrapped_from_the_inside_out() {
    assert_eq!(
        rewritten("fn f() -> T { a + 1 }", &[]).text,
        "fn f() -> T { (if crate::mutants::on(1) { a - 1 } else { a + (if crate::mutants::on(2) { 2 } else { 1 }) }) }"
    );
    let text = rewritten("fn f() -> T { a < b }", &[]).text;
    assert_eq!(text.matches("} else {").count(), 2);
    assert!(text.ends_with("else { a < b }) }) }"), "{text}");
}

#[test]
fn places_are_of_the_original_on_whichever_line() {
    let source = "fn f() -> T {\n    a(\n        b == // why\n            c,\n    )\n}\n";
    let rewritten = rewritten(source, &[]);
    let one = &rewritten.mistakes[0];
    assert_eq!((one.place.line, one.place.column), (3, 8));
    assert_eq!((one.original.as_str(), one.changed.as_str()), ("b == // why c", "b != c"));
}

#[test]
fn what_is_excluded_keeps_its_number() {
    let numbers =
        |excluded| rewritten("fn f() -> T { a < b && !c }", excluded).mistakes.into_iter().map(|one| one.number);
    assert_eq!(numbers(&[]).collect::<Vec<_>>(), [1, 2, 3, 4]);
    let without = rewritten("fn f() -> T { a < b && !c }", &[2]);
    assert!(!without.text.contains("on(2)") && without.text.contains("on(3)"));
    assert_eq!(numbers(&[2]).collect::<Vec<_>>(), [1, 3, 4]);
}

#[test]
fn chains_with_let_stay_chains() {
    let source = "if ready() && let Some(x) = y && x > 1 { z }";
    assert_eq!(within(source), ["ready() -> !(ready())", "x > 1 -> x >= 1", "x > 1 -> x <= 1", "1 -> 2"]);
}

#[test]
fn conditions_are_negated() {
    assert_eq!(within("if self.on { z }"), ["self.on -> !(self.on)"]);
    assert_eq!(within("match a { b if c() => d, _ => e }"), ["c() -> !(c())"]);
    assert_eq!(within("a.b() || !c"), ["a.b() || !c -> a.b() && !c", "a.b() -> !(a.b())", "!c -> c"]);
}

#[test]
fn statements_can_be_missing_and_functions_return_at_once() {
    assert_eq!(mistakes("fn f() { g(); }"), ["fn f -> return", "g(); -> "]);
    assert_eq!(mistakes("impl A { fn f() -> bool { g } }"), ["fn f -> return true", "fn f -> return false"]);
    assert_eq!(mistakes("trait A { fn f() -> usize; fn g() -> Option<u8> { h } }"), ["fn g -> return None"]);
    assert_eq!(within("a += b; c = d; e"), ["a += b; -> ", "a += b -> a -= b", "c = d; -> "]);
}

#[test]
fn constants_and_patterns_are_left_alone() {
    for source in [
        "const A: usize = 1 + 1;",
        "static A: usize = 1;",
        "enum E { A = 1 }",
        "const fn f() -> usize { 1 + 1 }",
        "impl A { const B: usize = 1; const fn f() -> usize { 1 } }",
        "trait A { const B: usize = 1; }",
        "struct S { a: [u8; 4] }",
        "fn f(a: [u8; 4]) -> T { let b: [u8; 4] = c::<3>(a); const { 1 + 1 } }",
        "fn f() -> T { const A: usize = 1; [b; 2] }",
        "fn f() -> T { match a { 1 => b, 2..=3 => c, -1 => d, _ => -1 } }",
    ] {
        assert_eq!(mistakes(source), [""; 0], "{source}");
    }
}

#[test]
fn what_the_build_leaves_out_is_left_alone() {
    for source in [
        "#[cfg(test)] mod tests { fn f() -> T { 1 + 1 } }",
        "#[test] fn f() { g(); }",
        "#[cfg(windows)] fn f() { g(); }",
        "impl A { #[cfg(not(unix))] fn f() { g(); } }",
        "#[cfg(all(unix, feature = \"tls\"))] impl A { fn f() { g(); } }",
        "fn f() -> T { #[cfg(target_os = \"macos\")] g(); }",
        "fn f() -> T { #[cfg(feature = \"tls\")] let a = 1; b }",
        "#![cfg(test)] fn f() { g(); }",
    ] {
        assert_eq!(mistakes(source), [""; 0], "{source}");
    }
    assert!(!mistakes("#[cfg(any(windows, target_os = \"linux\"))] fn f() { g(); }").is_empty());
    assert!(!mistakes("#[cfg(not(test))] mod m { fn f() { g(); } }").is_empty());
}
