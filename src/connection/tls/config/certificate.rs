//! Fields of a certificate, read from its DER form. rustls has checked it already.

#![allow(dead_code)] // Each of these is asked for by some profiles.

use super::der::{contents, seconds};
use core::fmt::Write as _;
use pkcs8::der::asn1::{AnyRef, ObjectIdentifier, OctetStringRef};
use pkcs8::der::{Decode, Reader, Result as DerResult, SliceReader, Tag};

const COMMON_NAME: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.4.3");
const ALTERNATIVE_NAMES: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.29.17");

/// The first byte of an explicit version and of the extensions.
const VERSION: u8 = 0xa0;
const EXTENSIONS: u8 = 0xa3;
/// The first byte of each kind of alternative name.
const EMAIL: u8 = 0x81;
const DNS: u8 = 0x82;
const URI: u8 = 0x86;
const IP: u8 = 0x87;

/// Which names in a certificate are meant.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum NameKind {
    /// The common names in its subject.
    CommonName,
    /// Names of hosts among the alternative names.
    Dns,
    /// Addresses of hosts.
    Ip,
    /// Addresses of e-mail.
    Email,
    /// URIs.
    Uri,
}

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
        self.common_names().first().copied()
    }

    /// Those of all common names up to a place where the subject makes no sense.
    fn common_names(&self) -> Vec<&'a [u8]> {
        let mut names = Vec::new();
        let _ = self.find_common_names(&mut names);
        names
    }

    fn find_common_names(&self, names: &mut Vec<&'a [u8]>) -> DerResult<()> {
        let mut sets = SliceReader::new(self.subject)?;
        while !sets.is_finished() {
            let mut attributes = SliceReader::new(contents(sets.tlv_bytes()?)?)?;
            while !attributes.is_finished() {
                let mut attribute = SliceReader::new(contents(attributes.tlv_bytes()?)?)?;
                if ObjectIdentifier::decode(&mut attribute)? == COMMON_NAME {
                    names.push(AnyRef::decode(&mut attribute)?.value());
                }
            }
        }
        Ok(())
    }

    /// The names of a kind, in their order, as they are encoded.
    pub(in crate::connection::tls) fn names(&self, kind: NameKind) -> Vec<&'a [u8]> {
        match kind {
            NameKind::CommonName => self.common_names(),
            NameKind::Dns => self.alternative_names(DNS),
            NameKind::Ip => self.alternative_names(IP),
            NameKind::Email => self.alternative_names(EMAIL),
            NameKind::Uri => self.alternative_names(URI),
        }
    }

    fn alternative_names(&self, kind: u8) -> Vec<&'a [u8]> {
        self.find_alternative_names(kind).unwrap_or_default()
    }

    fn find_alternative_names(&self, kind: u8) -> DerResult<Vec<&'a [u8]>> {
        let mut found = Vec::new();
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
                if name.first() == Some(&kind) {
                    found.push(contents(name)?);
                }
            }
        }
        Ok(found)
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
