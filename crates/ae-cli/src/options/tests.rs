use super::*;
use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt;
use std::time::Duration;

fn parsed(line: &str) -> Result<Action, String> {
    parse(line.split_whitespace().map(OsString::from), false)
}

fn options(line: &str) -> Options {
    match parsed(line) {
        Ok(Action::Run(options, _)) => *options,
        other => panic!("{line}: {other:?}"),
    }
}

#[test]
fn options_end_at_the_command() {
    let found = options("-h example -p 7 -n 3 -r -1 -i 0.5 --csv GET -x --raw");
    assert_eq!((found.host.as_str(), found.port, found.db, found.repeat), ("example", 7, 3, -1));
    assert_eq!((found.interval, found.output), (Duration::from_millis(500), Output::Csv));
    assert_eq!(found.command, [b"GET".to_vec(), b"-x".to_vec(), b"--raw".to_vec()]);
    assert_eq!(options("GET - --").command, [b"GET".to_vec(), b"-".to_vec(), b"--".to_vec()]);
}

#[test]
fn flags_switch_one_thing() {
    let changed = |flag: &str, change: fn(&mut Options)| {
        let mut wanted = options("");
        change(&mut wanted);
        assert_ne!(wanted, options(""), "{flag}");
        assert_eq!(options(flag), wanted, "{flag}");
    };
    changed("-c", |options| options.cluster = true);
    changed("-e", |options| options.fail_on_error = true);
    changed("-x", |options| options.input = Input::LastArgument);
    changed("--mono", |options| options.mono = true);
    changed("--tls", |options| options.tls.on = true);
    changed("--insecure", |options| options.tls.insecure = true);
    changed("--askpass", |options| options.ask_password = true);
    changed("--no-auth-warning", |options| options.no_auth_warning = true);
    changed("--quoted-input", |options| options.quoted_input = true);
    changed("-2", |options| options.protocol = Protocol::Resp2);
    changed("-3", |options| options.protocol = Protocol::Resp3);
    changed("--no-raw", |options| options.output = Output::Formatted);
    assert_eq!(options("--verbose"), options(""));
}

#[test]
fn values_may_be_attached() {
    let found = options("-p7 --pattern=a* --scan");
    assert_eq!((found.port, found.pattern), (7, Some(b"a*".to_vec())));
    for (line, end) in [("-D=,", "=,"), ("-D,", ","), ("-xD=,", "=,"), ("-D ,", ","), ("-D =,", "=,"), ("-D= GET", "=")]
    {
        assert_eq!(options(line).reply_end, end.as_bytes(), "{line}");
    }
}

#[test]
fn what_is_wrong_is_said_as_redis_cli_says_it() {
    for (line, error) in [
        ("-X", "Unrecognized option or bad number of args for: '-X'"),
        ("--nothing", "Unrecognized option or bad number of args for: '--nothing'"),
        ("-zz GET", "Unrecognized option or bad number of args for: '-zz'"),
        ("--cluster", "Unrecognized option or bad number of args for: '--cluster'"),
        ("-x -X tag", "Options -x and -X are mutually exclusive."),
        ("-2 -3", "Options -2 and -3 are mutually exclusive."),
        ("-c -s /x", "Options -c and -s are mutually exclusive."),
        ("--rdb a --functions-rdb b", "Option --functions-rdb and --rdb are mutually exclusive."),
        ("--bigkeys --memkeys", "Options --bigkeys and --memkeys are mutually exclusive."),
        ("--stat --scan", "Options --stat and --scan are mutually exclusive."),
        ("--rdb a --scan", "Options --rdb and --scan are mutually exclusive."),
        ("--pipe --bigkeys", "Options --pipe and --bigkeys are mutually exclusive."),
        ("--pipe --scan", "Options --pipe and --scan are mutually exclusive."),
        ("--latency --latency-dist", "Options --latency and --latency-dist are mutually exclusive."),
        ("--scan --eval a", "Options --scan and --eval are mutually exclusive."),
        ("--cluster info a:1 --scan", "Options --cluster and --scan are mutually exclusive."),
        ("--memkeys-samples 3 --lru-test 9", "Options --memkeys-samples and --lru-test are mutually exclusive."),
        ("--quoted-pattern \"a", "Invalid quoted string specified for --quoted-pattern."),
        ("-u http://x", "Invalid URI scheme"),
        ("-u redis://%zz@x", "Illegal character in URI encoding"),
        ("-u redis://%1g@x", "Illegal character in URI encoding"),
        ("-u redis://%g1@x", "Illegal character in URI encoding"),
        ("-u redis://%1@x", "Incomplete URI encoding"),
        ("--cluster info a:1 --nothing", "Unrecognized option or bad number of args for: '--nothing'"),
        ("-p 65536", "Invalid server port."),
        ("-p -1", "Invalid server port."),
        ("-u redis://x:65536", "Invalid server port."),
        ("-", "Unrecognized option or bad number of args for: '-'"),
        ("-x - GET", "Unrecognized option or bad number of args for: '-'"),
        ("-- ping", "Unrecognized option or bad number of args for: '--'"),
        ("--raw=x get k", "Unrecognized option or bad number of args for: '--raw=x'"),
        ("-xz get k", "Unrecognized option or bad number of args for: '-xz'"),
        ("--tls -s /x", "Options --tls and -s are mutually exclusive."),
        ("--tls -u unix:///x", "Options --tls and -s are mutually exclusive."),
        ("--tls --cert x", "Options --cert and --key need each other."),
        ("--tls --key x", "Options --cert and --key need each other."),
        (
            "--cluster reshard a:1 --cluster-from x",
            "--cluster reshard: ae-cli changes no cluster; use redis-cli --cluster reshard",
        ),
    ] {
        assert_eq!(parsed(line).unwrap_err(), error, "{line}");
    }
}

#[test]
fn options_that_say_the_same_go_together() {
    for (line, mode) in [
        ("--latency --latency-history", Mode::Latency { history: true }),
        ("--latency-history --latency", Mode::Latency { history: true }),
        ("--memkeys --memkeys-samples 3", Mode::MemKeys(Some(3))),
        ("--memkeys-samples 3 --memkeys", Mode::MemKeys(Some(3))),
        ("--replica --slave", Mode::Replica),
        ("--scan --scan", Mode::Scan),
    ] {
        assert_eq!(options(line).mode, Some(mode), "{line}");
    }
}

#[test]
fn json_prefers_the_third_protocol() {
    assert_eq!(options("--json").protocol, Protocol::PreferResp3);
    assert_eq!(options("--json -3").protocol, Protocol::Resp3);
    assert_eq!(options("-3 --json").protocol, Protocol::Resp3);
    assert_eq!(options("--json -2").protocol, Protocol::Resp2);
}

#[test]
fn uris() {
    let found = options("-u rediss://us%65r:p%40ss@example:7000/5");
    assert!(found.tls.on);
    assert_eq!((found.user, found.password), (Some(b"user".to_vec()), Some(b"p@ss".to_vec())));
    assert_eq!((found.host.as_str(), found.port, found.db), ("example", 7000, 5));
    let found = options("-u redis://secret@[::1]:1");
    assert_eq!(
        (found.user, found.password, found.host.as_str(), found.port),
        (None, Some(b"secret".to_vec()), "::1", 1)
    );
    // What a URI leaves out stays as it was.
    let found = options("-n 3 -h other -p 7 -u redis://");
    assert_eq!((found.host.as_str(), found.port, found.db), ("other", 7, 3));
    let found = options("-n 3 -u REDIS://:secret@x");
    assert_eq!((found.user, found.password, found.db, found.tls.on), (None, Some(b"secret".to_vec()), 3, false));
    let found = options("-u redis:///2");
    assert_eq!((found.host.as_str(), found.port, found.db), ("127.0.0.1", Options::PORT, 2));
    let found = options("-u unix://:secret@/tmp/a%20b?db=4");
    assert_eq!((found.socket, found.password, found.db), (Some("/tmp/a b".into()), Some(b"secret".to_vec()), 4));
    for (line, user, password) in
        [("-u unix:///tmp/a@b", None, None), ("-u unix://me:p%2F@/tmp/a@b", Some("me"), Some("p/"))]
    {
        let found = options(line);
        assert_eq!(found.socket, Some("/tmp/a@b".into()));
        let text = |bytes: Option<Vec<u8>>| bytes.map(|bytes| String::from_utf8(bytes).unwrap());
        assert_eq!((text(found.user).as_deref(), text(found.password).as_deref()), (user, password));
    }
}

/// The words as they are, of which some are no text.
fn of_bytes(line: &[u8]) -> Result<Action, String> {
    let words = line.split(|byte| *byte == b' ').map(|word| OsString::from_vec(word.into()));
    parse(words, false)
}

#[test]
fn values_may_be_of_any_bytes() {
    let found = |line| match of_bytes(line) {
        Ok(Action::Run(options, _)) => *options,
        other => panic!("{}: {other:?}", line.escape_ascii()),
    };
    let path = || OsString::from_vec(b"/\xff".into()).into();
    assert_eq!(found(b"-s /\xff").socket, Some(path()));
    assert_eq!(found(b"--rdb /\xff").mode, Some(Mode::Rdb(path())));
    assert_eq!(found(b"--functions-rdb /\xff").mode, Some(Mode::FunctionsRdb(path())));
    assert_eq!(found(b"--eval /\xff").mode, Some(Mode::Eval(path())));
    assert_eq!(found(b"-n 3\xff").db, 3);
    let uri = found(b"-u redis://\xfe:\xff@example:7/2\xff");
    assert_eq!((uri.user, uri.password), (Some(b"\xfe".to_vec()), Some(b"\xff".to_vec())));
    assert_eq!((uri.host.as_str(), uri.port, uri.db), ("example", 7, 2));
    for uri in [&b"-u unix:///\xff?db=4"[..], b"-u unix:///%ff?db=4"] {
        assert_eq!((found(uri).socket, found(uri).db), (Some(path()), 4), "{}", uri.escape_ascii());
    }
}

/// Missing, bad and unusual values of the options that have one.
#[test]
fn values_of_every_kind() {
    for option in [
        "-p",
        "-s",
        "-t",
        "-a",
        "--pass",
        "--user",
        "-u",
        "-n",
        "-r",
        "-i",
        "-d",
        "-D",
        "-X",
        "--sni",
        "--cacert",
        "--cacertdir",
        "--cert",
        "--key",
        "--tls-ciphers",
        "--tls-ciphersuites",
        "--show-pushes",
        "--pattern",
        "--quoted-pattern",
        "--count",
        "--pipe-timeout",
        "--lru-test",
        "--intrinsic-latency",
        "--rdb",
        "--functions-rdb",
        "--memkeys-samples",
        "--eval",
        "--cluster",
    ] {
        let missing = format!("Unrecognized option or bad number of args for: '{option}'");
        assert_eq!(parsed(option).unwrap_err(), missing);
    }
    // What is no number is 0, and what follows a number does not count.
    assert_eq!((options("-p 7x").port, options("-p x").port, options("-n x").db), (7, 0, 0));
    assert_eq!((options("-r 2x").repeat, options("--count -3").count), (2, Some(-3)));
    for (line, time) in
        [("-t 1.5", Some(1500)), ("-t 0", None), ("-t -1", None), ("-t x", None), ("-t .25s", Some(250))]
    {
        assert_eq!(options(line).timeout, time.map(Duration::from_millis), "{line}");
    }
    for (line, time) in [("-i 0.25", 250), ("-i 0", 0), ("-i -1", 0), ("-i x", 0)] {
        assert_eq!(options(line).interval, Duration::from_millis(time), "{line}");
    }
    for (line, time) in [("--pipe-timeout 2", Some(2)), ("--pipe-timeout 0", None), ("--pipe-timeout -1", None)] {
        assert_eq!(options(line).pipe_timeout, time.map(Duration::from_secs), "{line}");
    }
    for (line, shown) in [("y", true), ("Yes", true), ("yup", true), ("n", false), ("NO", false)] {
        assert_eq!(options(&format!("--show-pushes {line}")).show_pushes, shown, "{line}");
    }
    assert!(!options("").show_pushes);
    assert_eq!(
        parsed("--show-pushes maybe").unwrap_err(),
        "Unknown --show-pushes value 'maybe' (valid: '[y]es', '[n]o')"
    );
    for (line, mode) in [
        ("--lru-test 0", Mode::LruTest(1)),
        ("--lru-test -5", Mode::LruTest(1)),
        ("--lru-test 7", Mode::LruTest(7)),
        ("--intrinsic-latency -5", Mode::IntrinsicLatency(0)),
        ("--intrinsic-latency 5", Mode::IntrinsicLatency(5)),
    ] {
        assert_eq!(options(line).mode, Some(mode), "{line}");
    }
    assert_eq!(options("--quoted-pattern \"a\\x41*\"").pattern, Some(b"aA*".to_vec()));
    let two = [OsString::from("--quoted-pattern"), "a b".into()];
    assert_eq!(parse(two, false).unwrap_err(), "Invalid quoted string specified for --quoted-pattern.");
}

#[test]
fn which_nodes_of_a_cluster() {
    for (line, (masters, replicas, owners)) in [
        ("", (false, false, false)),
        ("--cluster-only-masters", (true, false, false)),
        ("--cluster-only-replicas", (false, true, false)),
        ("--cluster-search-multiple-owners", (false, false, true)),
        ("--cluster-yes", (false, false, false)),
    ] {
        let Some(Mode::Cluster(asked)) = options(&format!("--cluster call a:1 {line} ping")).mode else { panic!() };
        assert_eq!(
            (asked.only_masters, asked.only_replicas, asked.search_multiple_owners),
            (masters, replicas, owners)
        );
        assert_eq!(asked.args, [b"a:1".to_vec(), b"ping".to_vec()]);
        assert!(line.is_empty() || parsed(&format!("{line} ping")).is_err(), "{line} is of no use without --cluster");
    }
}

#[test]
fn what_has_to_be_text_is_said() {
    for option in ["-h", "-p", "-t", "-i", "--sni", "--cacert", "--cacertdir", "--cert", "--key", "--show-pushes"] {
        let line = [option.as_bytes(), b" \xff"].concat();
        assert_eq!(of_bytes(&line).unwrap_err(), format!("{option}: the value is not valid UTF-8"));
    }
    assert_eq!(of_bytes(b"-u redis://\xff").unwrap_err(), "-u: the host is not valid UTF-8");
}

#[test]
fn a_password_is_warned_of() {
    assert!(matches!(parsed("-a x"), Ok(Action::Run(_, Some(_)))));
    assert!(matches!(parsed("-a x --no-auth-warning"), Ok(Action::Run(_, None))));
}

#[test]
fn help_fits_a_screen() {
    for line in ["--help", "-h", "-p 1 --help"] {
        let Ok(Action::Print(text)) = parsed(line) else { panic!("{line}") };
        assert!(text.lines().count() <= 40, "{} lines", text.lines().count());
        assert!(text.lines().all(|line| line.chars().count() <= 120));
    }
}

/// The options that the help names.
fn named() -> Vec<String> {
    let Ok(Action::Print(text)) = parsed("--help") else { panic!("no help") };
    let is_option = |word: &str| word.len() > 1 && word.starts_with('-') && word != "--";
    let words = text.split([' ', '\n', '(', ')', ';', ',', ':']).filter(|word| is_option(word));
    words.filter(|word| word[1..].starts_with(|c: char| c == '-' || c.is_alphanumeric())).map(String::from).collect()
}

#[test]
fn what_help_names_is_an_option_and_is_documented() {
    let page = include_str!("../../man/ae-cli.1").replace("\\-", "-").replace("\\fR, \\fP", " ");
    let shells = [
        ("bash", include_str!("../../completions/ae-cli.bash")),
        ("zsh", include_str!("../../completions/_ae-cli")),
        ("fish", include_str!("../../completions/ae-cli.fish")),
    ];
    let found = named();
    assert!(found.len() > 50, "{found:?}");
    for option in found.iter().filter(|option| *option != "-1") {
        let line = format!("{option} 1");
        let refused = parsed(&line).err().filter(|error| error.starts_with("Unrecognized"));
        assert_eq!(refused, None, "{option}");
        let word = |text: &str| text.split(|c: char| !c.is_alphanumeric() && c != '-').any(|word| word == option);
        let bare = option.trim_start_matches('-');
        assert!(["--help", "--version"].contains(&option.as_str()) || word(&page), "{option} is not in the man page");
        for (shell, text) in shells {
            let fish = text.contains(&format!("-s {bare} ")) || text.contains(&format!("-l {bare} "));
            assert!(word(text) || (shell == "fish" && fish), "{option} is not in the completion of {shell}");
        }
    }
}
