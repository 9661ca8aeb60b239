use super::*;
use crate::checksum::crc64;

/// A file of this version with these bytes behind the header, with its end.
fn file(version: &str, content: &[u8]) -> Vec<u8> {
    let mut bytes = [version.as_bytes(), content, &[opcode::END]].concat();
    bytes.extend(crc64(0, &bytes).to_le_bytes());
    bytes
}

/// What is in a file, one line each.
fn read(bytes: &[u8]) -> Result<Vec<String>, (u64, Fault)> {
    let mut reader = FileReader::new(bytes, Limits::default());
    let mut lines = Vec::new();
    let text = |bytes: &[u8]| bytes.escape_ascii().to_string();
    loop {
        lines.push(match reader.next().map_err(|error| (error.offset, error.fault))? {
            Item::Aux(name, value) => format!("{}={}", text(&name), text(&value)),
            Item::Function(source) => format!("function {}", text(&source)),
            Item::Database(number) => format!("database {number}"),
            Item::Sizes { keys, volatile } => format!("sizes {keys} {volatile}"),
            Item::Entry(ReadEntry { key, deadline, usage, offset, .. }) => {
                format!("{offset} {} {deadline:?} {usage:?}", text(&key))
            }
            Item::End => {
                assert_eq!(reader.into_rest().1, b"");
                return Ok(lines);
            }
        });
    }
}

const ENTRY: &[u8] = b"\x00\x01k\x01v";

#[test]
fn a_file_may_have_no_checksum() {
    let with = file("REDIS0010", b"");
    let mut without = with.clone();
    let start = without.len() - 8;
    without[start..].fill(0);
    let mut wrong = with.clone();
    wrong[start] ^= 1;
    let end = |bytes: &[u8]| {
        let mut reader = FileReader::new(bytes, Limits::default());
        reader.next().map(|_| reader.has_checksum()).map_err(|error| error.fault)
    };
    assert_eq!((end(&with), end(&without), end(&wrong)), (Ok(true), Ok(false), Err(Fault::Checksum)));
}

#[test]
fn seconds_before_1970_are_negative() {
    let content = [b"\xfd\xfe\xff\xff\xff", ENTRY].concat();
    assert_eq!(read(&file("REDIS0002", &content)).unwrap()[0], "9 k Some(-2000) None");
}

#[test]
fn what_can_be_in_a_file() {
    let content: [&[u8]; 9] = [
        b"\xfa\x03abc\xc0\x07",
        b"\xf5\x05#!lua",
        b"\xf4\x01\x02\x03",
        b"\xfe\x09",
        b"\xfb\x02\x01",
        b"\xfd\xff\xff\xff\x7f",
        ENTRY,
        b"\xfc\xff\xff\xff\xff\xff\xff\xff\xff\xf8\x05",
        ENTRY,
    ];
    let bytes = file("REDIS0012", &content.concat());
    let expected = [
        "abc=7",
        "function #!lua",
        "database 9",
        "sizes 2 1",
        "32 k Some(2147483647000) None",
        "42 k Some(-1) Some(Idle(5))",
    ];
    assert_eq!(read(&bytes).unwrap(), expected);
}

#[test]
fn every_version_that_is_known_is_read() {
    for version in 1..=12 {
        let bytes = file(&format!("REDIS{version:04}"), &[b"\xf9\x01", ENTRY].concat());
        let end = if version < CHECKSUMS_SINCE { bytes.len() - 8 } else { bytes.len() };
        assert_eq!(read(&bytes[..end]).unwrap(), ["9 k None Some(Frequency(1))"], "{version}");
    }
    assert_eq!(read(&file("VALKEY080", ENTRY)).unwrap(), ["9 k None None"]);
    for (header, offset, fault) in [
        ("REDIS0000", 5, Fault::Version(0)),
        ("REDIS0013", 5, Fault::Version(13)),
        ("REDIS0079", 5, Fault::Version(79)),
        ("REDIS9999", 5, Fault::Version(9999)),
        ("VALKEY010", 6, Fault::Version(10)),
        ("VALKEY081", 6, Fault::Version(81)),
        ("REDIS+010", 5, Fault::Signature),
        ("REDISabcd", 5, Fault::Signature),
        ("*2\r\n$6\r\nS", 0, Fault::Signature),
    ] {
        assert_eq!(read(&file(header, ENTRY)), Err((offset, fault)), "{header}");
    }
}

/// Older versions of Redis could write such, and later ones leave them out.
#[test]
fn keys_without_elements_are_left_out() {
    let empty: [&[u8]; 7] = [
        b"\x01\x01l\x00",
        b"\x02\x01s\x00",
        b"\xfd\x01\x00\x00\x00\x04\x01h\x00",
        b"\xf9\x05\x05\x01z\x00",
        b"\x12\x01l\x01\x02\x07\x07\x00\x00\x00\x00\x00\xff",
        b"\x0d\x01h\x0b\x0b\x00\x00\x00\x0a\x00\x00\x00\x00\x00\xff",
        b"\x11\x01z\x07\x07\x00\x00\x00\x00\x00\xff",
    ];
    for content in empty {
        let bytes = file("REDIS0010", &[ENTRY, content, b"\x00\x01l\x01v", content].concat());
        let behind = 9 + ENTRY.len() + content.len();
        assert_eq!(read(&bytes).unwrap(), ["9 k None None".to_string(), format!("{behind} l None None")]);
        let mut reader = FileReader::new(&bytes[..], Limits::default());
        while !matches!(reader.next(), Ok(Item::End)) {}
        assert_eq!(reader.empty(), 2);
    }
    // Redis takes neither of these for empty.
    let integers = b"\x0b\x01i\x08\x02\x00\x00\x00\x00\x00\x00\x00";
    assert_eq!(read(&file("REDIS0010", integers)), Err((12, Fault::Block { format: "intset", at: 0 })));
    let node = b"\x12\x01l\x02\x01\x00\x01\x01a";
    assert_eq!(read(&file("REDIS0010", node)), Err((14, Fault::Block { format: "list node", at: 0 })));
}

#[test]
fn what_is_not_supported_is_refused_by_its_name() {
    let id = b"\x81\x6b\x92\x57\x58\x91\x28\x28\x01";
    let module = Fault::Module(*b"a5JXWJEoK");
    for (content, offset, fault) in [
        ([b"\xf7", &id[..]].concat(), 10, module),
        ([b"\x07\x01k", &id[..]].concat(), 12, module),
        ([b"\x06\x01k", &id[..]].concat(), 12, module),
        (b"\xf6".to_vec(), 9, Fault::Unsupported("a preliminary form of functions")),
        (b"\xf3".to_vec(), 9, Fault::Unsupported("an import of slots")),
        (b"\x18\x01k".to_vec(), 12, Fault::Unsupported("a hash whose fields can expire")),
        (b"\x1a\x01k".to_vec(), 12, Fault::Type(26)),
        (b"\xf2\x01k".to_vec(), 12, Fault::Type(0xf2)),
        (b"\xf9\x01\xfe\x01".to_vec(), 11, Fault::Opcode(opcode::DATABASE)),
    ] {
        assert_eq!(read(&file("REDIS0010", &content)), Err((offset, fault)), "{content:?}");
    }
}

#[test]
fn the_checksum_counts_unless_it_is_0() {
    let bytes = file("REDIS0010", ENTRY);
    let (content, _) = bytes.split_last_chunk::<8>().unwrap();
    assert_eq!(read(&[content, &[1; 8]].concat()), Err((15, Fault::Checksum)));
    assert_eq!(read(&[content, &[0; 8]].concat()).unwrap().len(), 1);
    let first = [b"REDIS0005", &content[9..], &[1; 8]].concat();
    assert_eq!(read(&first), Err((15, Fault::Checksum)), "the first version that has one");
    // Before version 5 there is none, and what follows is not the file's.
    let old = [b"REDIS0004", ENTRY, &[opcode::END]].concat();
    assert_eq!(read(&old).unwrap().len(), 1);
}

#[test]
fn nothing_behind_the_file_is_lost() {
    let bytes = [&file("REDIS0010", ENTRY)[..], b"behind"].concat();
    let mut reader = FileReader::new(&bytes[..], Limits::default());
    assert!(matches!(reader.next(), Ok(Item::Entry(_))));
    assert!(matches!(reader.next(), Ok(Item::End)));
    assert_eq!((reader.offset(), reader.version(), reader.has_checksum()), (bytes.len() as u64 - 6, 10, true));
    let (rest, input) = reader.into_rest();
    assert_eq!([&rest[..], input].concat(), b"behind");
}
