use super::*;
use proptest::prelude::*;
use std::fs;

/// Loads the file `main` of a folder with these files.
fn loaded(files: &[(&str, &str)]) -> Result<Config, String> {
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in files {
        let path = folder.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    let mut config = Config { dir: Some(folder.path().into()), ..Config::default() };
    load(&mut config, Path::new("main")).map(|()| config)
}

#[test]
fn lines_comments_and_quotes() {
    let text =
        "# comment\n\n  PORT 7000\r\n\trequirepass \"a\\x20b'c\"\n   # another\nbind 127.0.0.1\t-::1\nmaxmemory 2GB";
    let config = loaded(&[("main", text)]).unwrap();
    assert_eq!((config.port, &config.password[..]), (7000, &b"a b'c"[..]));
    assert_eq!(config.bind, ["127.0.0.1", "-::1"]);
    assert_eq!(config.memory.max, 2 << 30);
}

#[test]
fn the_last_line_counts() {
    assert_eq!(loaded(&[("main", "port 1\nport 2\n")]).unwrap().port, 2);
}

#[test]
fn files_are_included_where_they_are_named() {
    let config = loaded(&[
        ("main", "port 1\ninclude more\ninclude conf.d/*.conf\ninclude nosuch/*\nhz 20\n"),
        ("more", "port 2\nhz 30\ntimeout 1"),
        ("conf.d/a.conf", "timeout 2"),
        ("conf.d/b.conf", "timeout 3"),
        ("conf.d/.hidden.conf", "timeout 4"),
    ]);
    let config = config.unwrap();
    assert_eq!((config.port, config.hz, config.timeout), (2, 20, 3));
}

#[test]
fn what_is_wrong_is_told_with_its_place() {
    for (text, error) in [
        ("\nport x\n", "main, line 2: 'port x': argument couldn't be parsed into an integer"),
        ("port \"1", "main, line 1: 'port \"1': Unbalanced quotes in configuration line"),
        ("nosuch 1 2", "main, line 1: 'nosuch 1 2': Bad directive or wrong number of arguments"),
        (
            "include none",
            "main, line 1: 'include none': cannot read the configuration file none: No such file or directory",
        ),
        ("include a b", "main, line 1: 'include a b': Bad directive or wrong number of arguments"),
        ("include bad", "bad, line 1: 'hz': wrong number of arguments"),
        ("port\0 1", "main, line 1: 'port\0 1': a zero byte"),
    ] {
        assert_eq!(loaded(&[("main", text), ("bad", "hz")]).unwrap_err(), error);
    }
    let own = loaded(&[("main", "include main")]).unwrap_err();
    assert_eq!(own, "main, line 1: 'include main': files include one another more than 16 deep");
}

#[test]
fn files_include_one_another_sixteen_deep() {
    let chain = |deep: usize| {
        let name = |at: usize| if at == 0 { "main".into() } else { format!("f{at}") };
        let line = |at: usize| if at == deep { "hz 7".into() } else { format!("include f{}", at + 1) };
        let files: Vec<(String, String)> = (0..=deep).map(|at| (name(at), line(at))).collect();
        loaded(&files.iter().map(|(name, text)| (&**name, &**text)).collect::<Vec<_>>()).map(|config| config.hz)
    };
    assert_eq!(chain(16), Ok(7));
    assert!(chain(17).is_err_and(|error| error.ends_with("files include one another more than 16 deep")));
}

#[test]
fn a_question_mark_stands_for_one_character() {
    let config = loaded(&[("main", "include more?.conf"), ("more1.conf", "hz 7"), ("more.conf", "port 7")]).unwrap();
    assert_eq!((config.hz, config.port), (7, 6379));
}

/// As in Redis, though CONFIG SET takes it.
#[test]
fn limits_of_output_may_not_be_empty_in_a_file() {
    let error = loaded(&[("main", "client-output-buffer-limit \"\"")]).unwrap_err();
    assert!(error.ends_with("Wrong number of arguments in buffer limit configuration."), "{error}");
}

#[test]
fn what_has_no_end_is_not_read_whole() {
    let error = load(&mut Config::default(), Path::new("/dev/zero")).unwrap_err();
    assert_eq!(error, "cannot read the configuration file /dev/zero: it has more than 67108864 bytes");
}

proptest! {
    #[test]
    fn any_text_is_loaded_or_refused(text in proptest::collection::vec(any::<u8>(), 0..200)) {
        let mut config = Config::default();
        if let Err(error) = load_lines(&mut config, "text", &text, 0) {
            prop_assert!(error.starts_with("text, line "));
        }
    }

    #[test]
    fn any_password_can_be_written(password in proptest::collection::vec(any::<u8>(), 0..20)) {
        let mut line = b"requirepass ".to_vec();
        resp::words::quote(&mut line, &password);
        let mut config = Config::default();
        load_lines(&mut config, "text", &line, 0).unwrap();
        prop_assert_eq!(config.password, password);
    }
}

#[test]
fn names_have_no_case_and_a_user_needs_no_rules() {
    let folder = tempfile::tempdir().unwrap();
    let (path, included) = (folder.path().join("redis.conf"), folder.path().join("users.conf"));
    std::fs::write(&included, "USER u\n").unwrap();
    std::fs::write(&path, format!("Include {}\n", included.display())).unwrap();
    let mut config = Config::default();
    load(&mut config, &path).unwrap();
    assert_eq!(config.security.users[0].words, [b"u"]);
}
