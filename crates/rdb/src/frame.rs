//! DUMP's payload: the type, the value, the version of the format and a checksum.

use crate::checksum::crc64;
use crate::decoding::{Limits, Reader, decode};
use crate::encoding::{Compression, Writer, encode, type_of};
use crate::error::{Error, Fault};
use store::{Value, ValueRef};

/// The version that is written: Redis 7.0's.
pub const VERSION: u16 = 10;
/// The newest version of Redis's that is read.
const NEWEST: u16 = 12;
/// The version of Valkey 9's.
const VALKEY: u16 = 80;
const VERSION_SIZE: usize = 2;
const CHECKSUM_SIZE: usize = 8;

/// Whether values of this version of the format are read.
pub fn is_readable(version: u16) -> bool {
    version <= NEWEST || version == VALKEY
}

/// A value as DUMP's payload.
pub fn dump<'a>(value: impl Into<ValueRef<'a>>, compression: Compression) -> Vec<u8> {
    let value = value.into();
    let mut payload = vec![type_of(value)];
    encode(value, &mut Writer::new(&mut payload, compression));
    frame(&mut payload);
    payload
}

/// Adds the version and the checksum.
pub(crate) fn frame(payload: &mut Vec<u8>) {
    payload.extend_from_slice(&VERSION.to_le_bytes());
    let checksum = crc64(0, payload);
    payload.extend_from_slice(&checksum.to_le_bytes());
}

/// The type and the value of a payload whose version can be read and whose checksum is right.
pub fn unframe(payload: &[u8]) -> Result<&[u8], Error> {
    let fail = |offset: usize, fault| Error { offset: offset as u64, fault };
    let (rest, checksum) = payload.split_last_chunk::<CHECKSUM_SIZE>().ok_or(fail(0, Fault::NoFrame))?;
    let (value, version) = rest.split_last_chunk::<VERSION_SIZE>().ok_or(fail(0, Fault::NoFrame))?;
    let version = u16::from_le_bytes(*version);
    if !is_readable(version) {
        return Err(fail(value.len(), Fault::Version(version)));
    }
    if crc64(0, rest) != u64::from_le_bytes(*checksum) {
        return Err(fail(rest.len(), Fault::Checksum));
    }
    Ok(value)
}

/// The value of DUMP's payload. RESTORE tells errors [of the frame](Error::is_of_frame) from others.
pub fn restore(payload: &[u8], limits: &Limits) -> Result<Value, Error> {
    let mut reader = Reader::new(unframe(payload)?);
    let code = reader.byte()?;
    let value = decode(code, &mut reader, limits)?;
    reader.end()?;
    Ok(value)
}

#[cfg(test)]
mod tests {
    use super::*;
    use store::StringValue;

    fn fault(payload: &[u8]) -> Option<(u64, Fault)> {
        restore(payload, &Limits::default()).err().map(|error| (error.offset, error.fault))
    }

    /// A payload with another version, or other bytes of a value.
    fn framed(value: &[u8], version: u16) -> Vec<u8> {
        let mut payload = [value, &version.to_le_bytes()].concat();
        let checksum = crc64(0, &payload);
        payload.extend(checksum.to_le_bytes());
        payload
    }

    #[test]
    fn a_payload_of_redis_s() {
        let payload = b"\x00\xc0\n\n\x00n\x9fWE\x0e\xaec\xbb";
        assert_eq!(fault(payload), None);
        assert_eq!(dump(&Value::from(StringValue::new(b"10")), Compression::Lzf), payload);
        assert_eq!(framed(b"\x00\xc0\n", 10), payload);
    }

    #[test]
    fn versions() {
        for version in [1, 6, 9, 10, 11, 12, 80] {
            assert_eq!(fault(&framed(b"\x00\x01x", version)), None, "{version}");
        }
        for version in [13, 79, 81, u16::MAX] {
            let error = restore(&framed(b"\x00\x01x", version), &Limits::default()).err().unwrap();
            assert_eq!((error.offset, error.fault), (3, Fault::Version(version)));
            assert!(error.is_of_frame());
        }
    }

    #[test]
    fn payloads_that_are_cut_or_changed_are_refused() {
        let payload = dump(&Value::from(StringValue::new(b"hello")), Compression::Lzf);
        for len in 0..payload.len() {
            let error = restore(&payload[..len], &Limits::default()).err().unwrap();
            assert!(error.is_of_frame(), "{error}");
        }
        for at in 0..payload.len() {
            let mut payload = payload.clone();
            payload[at] ^= 0x10;
            assert!(restore(&payload, &Limits::default()).err().unwrap().is_of_frame());
        }
    }

    #[test]
    fn what_is_behind_the_value_is_noticed() {
        assert_eq!(fault(&framed(b"\x00\x01xy", 10)), Some((3, Fault::Trailing)));
        assert_eq!(fault(&framed(b"", 10)), Some((0, Fault::Truncated)));
        assert_eq!(fault(&framed(b"\x00\x05xy", 10)), Some((2, Fault::Truncated)));
    }
}
