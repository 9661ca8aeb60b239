//! What a certificate says of its holder and of itself: read from its DER form, where rustls has checked it already.

#![allow(dead_code)] // Each of these is asked for by some profiles.

use core::fmt::Write as _;
use pkcs8::der::asn1::{AnyRef, ObjectIdentifier, OctetStringRef};
use pkcs8::der::{Decode, Reader, Result as DerResult, SliceReader, Tag};

use super::verify::{contents, seconds};

const COMMON_NAME: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.4.3");
const ALTERNATIVE_NAMES: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.29.17");

/// The first byte of an explicit version, of the extensions, and of a URI among the alternative names.
const VERSION: u8 = 0xa0;
const EXTENSIONS: u8 = 0xa3;
const URI: u8 = 0x86;

/// The fields that are asked for.
pub(in crate::connection::tls) struct Fields<'a> {
    serial: &'a [u8],
    subject: &'a [u8],
    extensions: Option<&'a [u8]>,
    /// In seconds since 1970.
    pub(super) not_after: u64,
}

impl<'a> Fields<'a> {
    pub(in crate::connection::tls) fn of(certificate: &'a [u8]) -> Option<Self> {
        Self::decode(certificate).ok()
    }

    fn decode(certificate: &'a [u8]) -> DerResult<Self> {
        let mut outer = SliceReader::new(contents(certificate)?)?;
        let mut fields = SliceReader::new(contents(outer.tlv_bytes()?)?)?;
        let first = fields.tlv_bytes()?;
        let serial = if first.first() == Some(&VERSION) { fields.tlv_bytes()? } else { first };
        let _algorithm = fields.tlv_bytes()?;
        let _issuer = fields.tlv_bytes()?;
        let mut validity = SliceReader::new(contents(fields.tlv_bytes()?)?)?;
        let (_not_before, not_after) = (seconds(&mut validity)?, seconds(&mut validity)?);
        let subject = contents(fields.tlv_bytes()?)?;
        let _key = fields.tlv_bytes()?;
        let mut extensions = None;
        while !fields.is_finished() {
            let field = fields.tlv_bytes()?;
            if field.first() == Some(&EXTENSIONS) {
                extensions = Some(contents(contents(field)?)?);
            }
        }
        Ok(Self { serial: contents(serial)?, subject, extensions, not_after })
    }

    /// The serial number as OpenSSL prints it: hexadecimal digits in pairs, in capitals.
    pub(super) fn serial(&self) -> String {
        let (sign, magnitude) = match self.serial {
            [first, ..] if *first >= 0x80 => ("-", negated(self.serial)),
            bytes => ("", bytes.to_vec()),
        };
        let start = magnitude.iter().position(|byte| *byte != 0);
        let mut text = String::from(sign);
        for byte in start.map_or(&[][..], |start| &magnitude[start..]) {
            let _ = write!(text, "{byte:02X}");
        }
        if start.is_none() { "0".into() } else { text }
    }

    /// The bytes of the first common name in the subject, as they are encoded.
    pub(in crate::connection::tls) fn common_name(&self) -> Option<&'a [u8]> {
        self.find_common_name().ok().flatten()
    }

    fn find_common_name(&self) -> DerResult<Option<&'a [u8]>> {
        let mut sets = SliceReader::new(self.subject)?;
        while !sets.is_finished() {
            let mut attributes = SliceReader::new(contents(sets.tlv_bytes()?)?)?;
            while !attributes.is_finished() {
                let mut attribute = SliceReader::new(contents(attributes.tlv_bytes()?)?)?;
                if ObjectIdentifier::decode(&mut attribute)? == COMMON_NAME {
                    return Ok(Some(AnyRef::decode(&mut attribute)?.value()));
                }
            }
        }
        Ok(None)
    }

    /// The URIs among the alternative names, in their order.
    pub(in crate::connection::tls) fn uris(&self) -> Vec<&'a [u8]> {
        self.find_uris().unwrap_or_default()
    }

    fn find_uris(&self) -> DerResult<Vec<&'a [u8]>> {
        let mut uris = Vec::new();
        let mut extensions = SliceReader::new(self.extensions.unwrap_or_default())?;
        while !extensions.is_finished() {
            let mut extension = SliceReader::new(contents(extensions.tlv_bytes()?)?)?;
            if ObjectIdentifier::decode(&mut extension)? != ALTERNATIVE_NAMES {
                continue;
            }
            if Tag::peek(&extension)? == Tag::Boolean {
                extension.tlv_bytes()?;
            }
            let value = <&OctetStringRef>::decode(&mut extension)?;
            let mut names = SliceReader::new(contents(value.as_bytes())?)?;
            while !names.is_finished() {
                let name = names.tlv_bytes()?;
                if name.first() == Some(&URI) {
                    uris.push(contents(name)?);
                }
            }
        }
        Ok(uris)
    }
}

/// The magnitude of a negative number in two's complement.
fn negated(bytes: &[u8]) -> Vec<u8> {
    let mut magnitude: Vec<u8> = bytes.iter().map(|byte| !byte).collect();
    for byte in magnitude.iter_mut().rev() {
        let (sum, carries) = byte.overflowing_add(1);
        *byte = sum;
        if !carries {
            break;
        }
    }
    magnitude
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fields<'a>(serial: &'a [u8], subject: &'a [u8]) -> Fields<'a> {
        Fields { serial, subject, extensions: None, not_after: 0 }
    }

    #[test]
    fn serials_are_written_as_openssl_does() {
        for (bytes, text) in [
            (&[0][..], "0"),
            (&[1], "01"),
            (&[0x00, 0xff], "FF"),
            (&[0x0a, 0xbc], "0ABC"),
            (&[0xff], "-01"),
            (&[0x80, 0x00], "-8000"),
        ] {
            assert_eq!(fields(bytes, &[]).serial(), text);
        }
    }

    #[test]
    fn the_first_common_name_counts() {
        let attribute = |oid: u8, value: &[u8]| {
            let mut bytes = vec![0x30, 7 + value.len() as u8, 0x06, 3, 0x55, 4, oid, 0x0c, value.len() as u8];
            bytes.extend(value);
            [vec![0x31, bytes.len() as u8], bytes].concat()
        };
        let subject = [attribute(10, b"org"), attribute(3, b"a\0b"), attribute(3, b"c")].concat();
        assert_eq!(fields(&[1], &subject).common_name(), Some(&b"a\0b"[..]));
        assert_eq!(fields(&[1], &attribute(10, b"org")).common_name(), None);
        assert_eq!(fields(&[1], &subject[..subject.len() - 3]).common_name(), Some(&b"a\0b"[..]));
        assert_eq!(fields(&[1], &subject[..4]).common_name(), None);
    }
}
