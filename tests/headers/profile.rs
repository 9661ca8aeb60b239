//! The profile that the library was built with, and what cbindgen leaves of the others.

/// Every flag of build.rs; a name of another in a header would be left as it is, and C compilers would take it for
/// undefined.
pub fn flags() -> impl Iterator<Item = &'static str> {
    env!("LIBAE_ABI_ALL_FLAGS").split(' ')
}

/// Whether the profile has a flag of build.rs.
pub fn has(flag: &str) -> bool {
    assert!(flags().any(|known| known == flag), "build.rs has no flag {flag}");
    env!("LIBAE_ABI_FLAGS").split(' ').any(|of_profile| of_profile == flag)
}

/// Decides the conditions over flags, which cbindgen writes as `#if defined(FLAG)`, and leaves all others alone.
pub fn resolve_conditions(text: &str) -> String {
    let mut resolved = String::new();
    // For each condition that is open: whether what it says holds, None for one that stays.
    let mut open: Vec<Option<bool>> = Vec::new();
    for line in text.lines() {
        if let Some(condition) = line.strip_prefix("#if") {
            let holds = condition.strip_prefix(' ').filter(|condition| condition.contains("abi_")).map(evaluate);
            open.push(holds);
            if holds.is_some() {
                continue;
            }
        } else if (line.trim_end() == "#endif" || line.starts_with("#endif "))
            && open.pop().expect("an open condition").is_some()
        {
            continue;
        }
        if open.contains(&Some(false)) {
            continue;
        }
        if line.trim() == ";" {
            // cbindgen's end of a field with a condition: for one that is left, and for one that is not.
            if !resolved.trim_end().ends_with([';', '{', '/']) {
                resolved.truncate(resolved.trim_end().len());
                resolved.push_str(";\n");
            }
            continue;
        }
        resolved.push_str(line);
        resolved.push('\n');
    }
    collapse_blank_lines(&resolved)
}

/// `defined(FLAG)`, `!defined(FLAG)`, and such joined by `&&` or `||` in parentheses.
fn evaluate(condition: &str) -> bool {
    let condition = condition.trim();
    if let Some(inner) = condition.strip_prefix('(').and_then(|inner| inner.strip_suffix(')')) {
        if inner.contains(" || ") {
            return inner.split(" || ").any(evaluate);
        }
        return inner.split(" && ").all(evaluate);
    }
    let (wanted, name) = match condition.strip_prefix('!') {
        Some(name) => (false, name),
        None => (true, condition),
    };
    let flag = name.strip_prefix("defined(").and_then(|name| name.strip_suffix(')'));
    has(flag.unwrap_or_else(|| panic!("{condition} is no condition over a flag"))) == wanted
}

/// What was left out leaves no gaps.
fn collapse_blank_lines(text: &str) -> String {
    let mut collapsed = String::new();
    let mut blank = false;
    for line in text.lines() {
        if !(line.is_empty() && blank) {
            collapsed.push_str(line);
            collapsed.push('\n');
        }
        blank = line.is_empty();
    }
    collapsed
}

#[test]
fn conditions_over_flags_are_decided() {
    let v1 = has("abi_v1");
    let text = "#ifdef X\na\n#if defined(abi_v1)\nold\n#endif\n#if !defined(abi_v1)\nnew\n#endif\n#endif  // X\nb\n";
    let expected = format!("#ifdef X\na\n{}\n#endif  // X\nb\n", if v1 { "old" } else { "new" });
    assert_eq!(resolve_conditions(text), expected);
    let field = "struct {\n#if defined(abi_v1)\n int old\n#endif\n ;\n#if !defined(abi_v1)\n int new\n#endif\n ;\n};\n";
    assert_eq!(resolve_conditions(field), format!("struct {{\n int {};\n}};\n", if v1 { "old" } else { "new" }));
    assert!(evaluate("(defined(abi_v1) || !defined(abi_v1))"));
    assert!(!evaluate("(defined(abi_v1) && !defined(abi_v1))"));
}
