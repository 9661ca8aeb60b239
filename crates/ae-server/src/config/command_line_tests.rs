use super::*;

fn parsed_with(args: &[&str], input: &str) -> Result<Config, String> {
    match parse_with(args.iter().map(ToString::to_string), &mut input.as_bytes())? {
        Action::Serve(config) => Ok(*config),
        Action::Print(text) => Err(text),
    }
}

fn parsed(line: &str) -> Result<Config, String> {
    parsed_with(&line.split_whitespace().collect::<Vec<_>>(), "")
}

#[test]
fn options_as_redis_takes_them() {
    let config = parsed("--port 7000 --bind 127.0.0.1 -::1 --requirepass=secret --maxclients 5").unwrap();
    assert_eq!((config.port, config.max_clients, &config.password[..]), (7000, 5, &b"secret"[..]));
    assert_eq!(config.bind, ["127.0.0.1", "-::1"]);
    assert_eq!(parsed("").unwrap().bind, ["*", "-::*"]);
    assert!(parsed_with(&["--save", "", "--appendonly", "no"], "").is_ok());
    assert_eq!(parsed_with(&["--port 7000", "--hz", "20"], "").unwrap().port, 7000);
    assert_eq!(parsed_with(&["--bind", "127.0.0.1 -::1"], "").unwrap().bind, ["127.0.0.1", "-::1"]);
}

#[test]
fn behind_a_file_standard_input_comes_last() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("redis.conf");
    std::fs::write(&file, "port 7000\n").unwrap();
    let file = file.to_str().unwrap();
    assert_eq!(parsed_with(&[file, "--hz", "20", "-"], "timeout 5").unwrap().timeout, 5);
    assert!(parsed_with(&[file, "-", "--hz", "20"], "timeout 5").is_err());
}

#[test]
fn a_value_may_look_like_an_option() {
    assert_eq!(parsed("--requirepass --x --port 7000").unwrap().password, b"--x");
    assert_eq!(parsed("--requirepass -x").unwrap().password, b"-x");
    // Scripts that leave out an empty value.
    assert_eq!(parsed("--save --port 7000").unwrap().port, 7000);
    assert!(parsed("--save").is_ok());
}

#[test]
fn options_come_behind_the_file_and_standard_input() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("redis.conf");
    std::fs::write(&path, "port 1\nhz 20\ntimeout 30\n").unwrap();
    let path = path.to_str().unwrap();
    let included = parsed_with(&["--hz", "10", "--include", path, "--port", "3"], "").unwrap();
    assert_eq!((included.port, included.hz, included.timeout, included.file), (3, 20, 30, None));
    let config = parsed_with(&[path, "--port", "3", "-"], "port 2\nhz 21").unwrap();
    assert_eq!((config.port, config.hz, config.timeout), (3, 21, 30));
    assert_eq!(config.file.as_deref(), Some(Path::new(path)));
    assert_eq!(config.input, b"port 2\nhz 21");
    let config = parsed_with(&[path, "hz", "25", "--port 5"], "").unwrap();
    assert_eq!((config.port, config.hz), (5, 25));
    let refused = parsed_with(&[path, "--port", "5", "x", "hz"], "").unwrap_err();
    assert_eq!(refused, "bad value '5 x hz' for --port: wrong number of arguments");
    let config = parsed_with(&["-", "--hz", "22"], "port 2\nhz 21").unwrap();
    assert_eq!((config.port, config.hz, config.file), (2, 22, None));
    assert_eq!(parsed_with(&["-"], "hz 21").unwrap().hz, 21);
}

#[test]
fn what_is_wrong_is_one_line() {
    for (line, error) in [
        ("--prot 1", "unknown option '--prot' (see --help)"),
        ("--port", "option '--port' needs a value"),
        ("--port --bind *", "bad value '--bind *' for --port: wrong number of arguments"),
        ("--port x", "bad value 'x' for --port: argument couldn't be parsed into an integer"),
        ("--port 1 x", "bad value '1 x' for --port: wrong number of arguments"),
        ("--", "'--' is no option (see --help)"),
        ("-x", "unexpected argument '-x': options are given as --name value (see --help)"),
        ("--appendonly x", "bad value 'x' for --appendonly: argument must be 'yes' or 'no'"),
        ("nosuch.conf", "cannot read the configuration file nosuch.conf: No such file or directory"),
    ] {
        assert_eq!(parsed(line).unwrap_err(), error);
    }
    assert_eq!(
        parsed_with(&["-"], "hz 1\nhz x").unwrap_err(),
        "standard input, line 2: 'hz x': argument couldn't be parsed into an integer"
    );
}

#[test]
fn help_names_every_option() {
    let text = parsed("--help").unwrap_err();
    for parameter in parameters().filter(|parameter| parameter.no_effect.is_none() && !parameter.usage.is_empty()) {
        assert!(text.contains(&format!("--{} ", parameter.name)));
    }
    assert!(parsed("-v").unwrap_err().starts_with("ae-server 1."));
}

/// Wherever the server goes later, CONFIG REWRITE finds it.
#[test]
fn a_file_is_known_by_its_whole_path() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("redis.conf");
    std::fs::write(&path, "hz 7\n").unwrap();
    let relative = format!("{}{}", "../".repeat(40), path.to_str().unwrap().trim_start_matches('/'));
    let Ok(Action::Serve(config)) = parse([relative]) else { panic!("it is not there") };
    assert!(config.hz == 7 && config.file.unwrap().is_absolute());
}
