use super::*;
use resp::writer;

#[derive(Default)]
struct Notes {
    said: Vec<String>,
    agrees: bool,
}

impl Operator for Notes {
    fn say(&mut self, text: &str) {
        self.said.push(text.into());
    }

    fn confirm(&mut self, text: &str) -> bool {
        self.said.push(text.into());
        self.agrees
    }
}

fn requests(requests: &[&str]) -> Vec<u8> {
    let mut bytes = Vec::new();
    requests.iter().for_each(|request| writer::request(&mut bytes, &request.split(' ').collect::<Vec<_>>()));
    bytes
}

fn checked(path: &Path, repair: Repair, agrees: bool) -> (Result<(), String>, String) {
    let mut notes = Notes { agrees, ..Notes::default() };
    let result = check(path, repair, 0, &mut notes);
    (result, notes.said.join("\n"))
}

#[test]
fn a_single_file_is_checked_and_fixed() {
    let at = tempfile::tempdir().unwrap();
    let path = at.path().join("file");
    let good = requests(&["SELECT 0", "SET a 1", "MULTI", "SET a 2", "DISCARD"]);
    for (bad, why) in [
        (&b"*3\r\n$3\r\nSET"[..], "it ends within the request"),
        (b"xyz", "neither a request nor a line"),
        (&requests(&["MULTI", "SET a 1"]), "Reached EOF before reading EXEC"),
        (&[&requests(&["MULTI", "SET a 1"])[..], b"*3\r\n$3"].concat(), "it ends within the request"),
        (&requests(&["EXEC"]), "Unexpected EXEC"),
        (&requests(&["MULTI", "MULTI"]), "Unexpected MULTI"),
    ] {
        fs::write(&path, [&good[..], bad].concat()).unwrap();
        let (result, said) = checked(&path, Repair::Nothing, false);
        assert!(result.unwrap_err().contains("is not valid. Use the --fix option"));
        assert!(said.contains(why) && said.contains(&format!("ok_up_to={}, diff={}", good.len(), bad.len())), "{said}");
        assert!(checked(&path, Repair::Fix, false).0.unwrap_err().contains("Aborting"));
        assert_eq!(fs::metadata(&path).unwrap().len() as usize, good.len() + bad.len());
        assert!(checked(&path, Repair::Fix, true).0.is_ok());
        assert_eq!(fs::read(&path).unwrap(), good);
        assert!(checked(&path, Repair::Nothing, false).0.is_ok());
    }
    // All of a file may be torn, but what never was one stays.
    fs::write(&path, "*1\r\n$4\r\nPI").unwrap();
    assert!(checked(&path, Repair::Fix, true).0.is_ok());
    assert!(checked(&path, Repair::Nothing, false).1.contains("is empty"));
    fs::write(&path, "something else").unwrap();
    assert!(checked(&path, Repair::Fix, true).0.unwrap_err().ends_with("is no append-only file. It stays as it is."));
    assert_eq!(fs::read(&path).unwrap(), b"something else");
    assert!(checked(&at.path().join("none"), Repair::Nothing, false).0.unwrap_err().contains("Cannot open file"));
}

/// Whoever wrote it.
#[test]
fn an_rdb_file_may_come_first() {
    let at = tempfile::tempdir().unwrap();
    let path = at.path().join("file");
    for header in ["REDIS0010", "VALKEY080"] {
        let mut base = [header.as_bytes(), b"\x00\x01k\x01v\xff"].concat();
        base.extend_from_slice(&rdb::crc64(0, &base).to_le_bytes());
        let good = [base, requests(&["SET a 1"])].concat();
        fs::write(&path, &good).unwrap();
        let (result, said) = checked(&path, Repair::Nothing, false);
        assert_eq!(result, Ok(()), "{said}");
        fs::write(&path, [&good[..], b"*1"].concat()).unwrap();
        assert_eq!(checked(&path, Repair::Fix, true).0, Ok(()));
        assert_eq!(fs::read(&path).unwrap(), good);
        let mut bad = good;
        bad[10] ^= 1;
        fs::write(&path, &bad).unwrap();
        let (result, said) = checked(&path, Repair::Fix, true);
        assert!(result.unwrap_err().starts_with("RDB preamble of AOF file ") && said.contains("RDB ERROR"), "{said}");
        assert_eq!(fs::read(&path).unwrap(), bad);
    }
}

#[test]
fn the_files_of_a_manifest() {
    let at = tempfile::tempdir().unwrap();
    let manifest = at.path().join("a.manifest");
    fs::write(&manifest, "# kept by hand\nfile base seq 1 type b\nfile one seq 1 type i\nfile two seq 2 type i\n")
        .unwrap();
    let mut base = rdb::FileWriter::new(rdb::FileOptions::default());
    base.finish();
    fs::write(at.path().join("base"), base.take()).unwrap();
    let (one, two) = (at.path().join("one"), at.path().join("two"));
    fs::write(&one, requests(&["SET a 1"])).unwrap();
    fs::write(&two, "*1\r\n").unwrap();
    assert!(checked(&manifest, Repair::Nothing, false).0.is_err());
    let (result, said) = checked(&manifest, Repair::Fix, true);
    assert!(
        result.is_ok() && said.contains("RDB preamble is OK") && said.contains("All AOF files and manifest are valid")
    );
    assert_eq!(fs::read(&two).unwrap(), b"");
    // Only the last file is cut.
    fs::write(&one, "*1\r\n").unwrap();
    assert!(checked(&manifest, Repair::Fix, true).0.unwrap_err().contains("it is not the last file"));
    let later = [&requests(&["SET a 1"])[..], b"#TS:200\r\n", &requests(&["SET a 2"])].concat();
    fs::write(&one, &later).unwrap();
    let refused = checked(&manifest, Repair::CutAt(150), true).0.unwrap_err();
    assert!(refused.contains("because it is not the last file") && fs::read(&one).unwrap() == later, "{refused}");
    fs::remove_file(&one).unwrap();
    assert!(checked(&manifest, Repair::Fix, true).0.unwrap_err().contains("Cannot open file"));
}

#[test]
fn up_to_a_time() {
    let at = tempfile::tempdir().unwrap();
    let path = at.path().join("file");
    let first = [&b"#TS:100\r\n"[..], &requests(&["SET a 1"])].concat();
    let whole = [&first[..], b"#TS:200\r\n", &requests(&["SET a 2"])].concat();
    fs::write(&path, &whole).unwrap();
    assert!(checked(&path, Repair::CutAt(50), true).0.unwrap_err().contains("nothing before timestamp 50"));
    assert!(checked(&path, Repair::CutAt(200), true).0.is_ok());
    assert_eq!(fs::read(&path).unwrap(), whole);
    let (result, said) = checked(&path, Repair::CutAt(150), true);
    assert!(result.is_ok() && said.contains("Successfully truncated"));
    assert_eq!(fs::read(&path).unwrap(), first);
    // A transaction goes as a whole.
    let transaction = [&requests(&["MULTI", "SET b 1"])[..], b"#TS:200\r\n", &requests(&["SET b 2", "EXEC"])].concat();
    fs::write(&path, [&first[..], &transaction].concat()).unwrap();
    assert!(checked(&path, Repair::CutAt(150), true).0.is_ok());
    assert_eq!(fs::read(&path).unwrap(), first);
}
