use super::*;
use proptest::prelude::*;
use resp::writer;

fn requests(requests: &[&[&str]]) -> Vec<u8> {
    let mut bytes = Vec::new();
    requests.iter().for_each(|request| writer::request(&mut bytes, request));
    bytes
}

/// What is in a file, one line each, up to its end or to what is wrong.
fn read(bytes: &[u8]) -> (Vec<String>, Result<(), Fault>) {
    let mut records = Records::new(bytes, 0, Vec::new(), bytes.len() as u64);
    let mut found = Vec::new();
    loop {
        match records.next() {
            Ok(Some(Record::Request(args))) => {
                found.push(args.iter().map(String::from_utf8_lossy).collect::<Vec<_>>().join(" "));
            }
            Ok(Some(Record::Timestamp(at))) => found.push(format!("at {at}")),
            Ok(Some(Record::Annotation)) => found.push("#".into()),
            Ok(None) => return (found, Ok(())),
            Err(fault) => return (found, Err(fault)),
        }
    }
}

fn goes_on_behind(bytes: &[u8]) -> bool {
    let mut records = Records::new(bytes, 0, Vec::new(), bytes.len() as u64);
    while let Ok(Some(_)) = records.next() {}
    records.goes_on_behind().unwrap()
}

#[test]
fn requests_and_annotations() {
    let mut bytes = b"#TS:1700000000\r\n".to_vec();
    bytes.extend(requests(&[&["SELECT", "0"], &["SET", "key", "a\r\nb"]]));
    bytes.extend(b"# something\n");
    bytes.extend(requests(&[&["SET", "k", &"v".repeat(2 * CHUNK)], &["PING"]]));
    let (found, end) = read(&bytes);
    assert!(end.is_ok());
    let long = format!("SET k {}", "v".repeat(2 * CHUNK));
    assert_eq!(found, ["at 1700000000", "SELECT 0", "SET key a\r\nb", "#", &long, "PING"]);
}

#[test]
fn a_file_may_end_behind_a_long_request() {
    let value = "v".repeat(2 * CHUNK);
    let whole = requests(&[&["SET", "k", &value]]);
    let (found, end) = read(&whole);
    assert!(end.is_ok() && found.len() == 1);
    let (found, end) = read(&whole[..whole.len() - 1]);
    assert!(matches!(end, Err(Fault::Torn { at: 0 })) && found.is_empty());
}

#[test]
fn a_file_may_end_anywhere() {
    let whole = requests(&[&["SET", "key", "value"], &["SET", "l", "w"]]);
    let first = requests(&[&["SET", "key", "value"]]).len();
    for len in 0..whole.len() {
        let (found, end) = read(&whole[..len]);
        let at = if len < first { 0 } else { first };
        match end {
            Ok(()) => assert!(len == 0 || len == first),
            Err(fault) => assert!(matches!(fault, Fault::Torn { at: torn } if torn == at as u64), "{len}: {fault}"),
        }
        assert_eq!(found.len(), usize::from(len >= first));
        assert!(!goes_on_behind(&whole[..len]));
    }
}

#[test]
fn what_is_no_request_is_told_from_an_end() {
    let good = requests(&[&["SET", "key", "value"]]);
    for (bad, why) in [
        (&b"PING\r\n"[..], "neither a request nor a line"),
        (b"\0\0\0\0", "neither a request nor a line"),
        (b"*0\r\n", "a request without a number"),
        (b"*-1\r\n", "a request without a number"),
        (b"*x\r\n", "a request without a number"),
        (b"*1\r\n+PING\r\n", "expected '$', got '+'"),
        (b"*1\r\n$-1\r\n", "invalid bulk length"),
        (b"*1\r\n$99999999999\r\n", "invalid bulk length"),
        (b"*2\r\n$4\r\nPINGxx$1\r\na\r\n", "without a line end"),
        (b"*1\r\n$3\r\nPING\r\n*1\r\n", "without a line end"),
        (b"*1\rx$4\r\nPING\r\n", "without a line end"),
    ] {
        let (found, end) = read(&[&good[..], bad, &good].concat());
        assert_eq!(found.len(), 1, "{why}");
        let Err(Fault::Corrupt { at, why: said }) = end else { panic!("{why}: {end:?}") };
        assert_eq!(at, good.len() as u64, "{why}");
        assert!(said.contains(why), "{said}");
    }
}

/// No write leaves so long a beginning of a line behind.
#[test]
fn a_line_may_not_be_of_any_length() {
    let torn = [b'#'; resp::INLINE_MAX];
    assert!(matches!(read(&torn).1, Err(Fault::Torn { at: 0 })));
    let (_, end) = read(&[&torn[..], b"#"].concat());
    let Err(Fault::Corrupt { at: 0, why }) = end else { panic!("{end:?}") };
    assert_eq!(why, "a line that does not end");
}

#[test]
fn a_length_that_is_too_long_is_no_torn_end() {
    let good = requests(&[&["SET", "key", "value"]]);
    let text = String::from_utf8(good.clone()).unwrap();
    let longer = text.replace("$5", "$5000000");
    let bytes = [&good[..], longer.as_bytes(), &good, &good].concat();
    assert!(matches!(read(&bytes).1, Err(Fault::Torn { at }) if at == good.len() as u64));
    assert!(goes_on_behind(&bytes));
    // The same at the end is one.
    assert!(!goes_on_behind(&[&good[..], longer.as_bytes()].concat()));
    // As far as it is a number.
    let ends_with = |length: &str| read(&[&good[..], b"*1\r\n$", length.as_bytes()].concat()).1;
    assert!(matches!(ends_with("00000000000000000001"), Err(Fault::Torn { .. })));
    assert!(matches!(ends_with("000000000000000000001"), Err(Fault::Corrupt { .. })));
}

#[test]
fn an_announced_length_costs_nothing() {
    let bytes = b"*2\r\n$3\r\nGET\r\n$4000000000\r\nabc";
    let mut records = Records::new(&bytes[..], 0, Vec::new(), bytes.len() as u64);
    assert!(matches!(records.next(), Err(Fault::Torn { at: 0 })));
    assert!(records.buffer.capacity() < 2 * CHUNK);
}

proptest! {
    #[test]
    fn whatever_is_written_is_read(all in prop::collection::vec(prop::collection::vec(".{0,20}", 1..5), 0..10)) {
        let mut bytes = Vec::new();
        all.iter().for_each(|request| writer::request(&mut bytes, request));
        let (found, end) = read(&bytes);
        prop_assert!(end.is_ok());
        prop_assert_eq!(found, all.iter().map(|request| request.join(" ")).collect::<Vec<_>>());
    }

    #[test]
    fn anything_ends(bytes: Vec<u8>) {
        let _ = read(&bytes);
        goes_on_behind(&bytes);
    }

    #[test]
    fn a_changed_byte_harms_nobody(at in 0usize..70, byte: u8) {
        let mut bytes = requests(&[&["SET", "key", "value"], &["SET", "l", "w"], &["PING"]]);
        if at < bytes.len() {
            bytes[at] = byte;
        }
        let _ = read(&bytes);
        goes_on_behind(&bytes);
    }
}

#[test]
fn what_stands_where_a_length_was_to_be_is_told() {
    for (bytes, at) in [(&b"*2\r\n$3\r\nGET\r\nx"[..], 13), (b"*1\r\n$123456789012345678901", 4)] {
        let Err(Fault::Corrupt { at: 0, why }) = read(bytes).1 else {
            panic!("it is in order: {}", bytes.escape_ascii())
        };
        assert_eq!(why, format!("a length was expected at offset {at}"));
    }
}
