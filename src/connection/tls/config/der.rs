//! Pieces of DER, for certificates.

use pkcs8::der::asn1::{AnyRef, GeneralizedTime, UtcTime};
use pkcs8::der::{Decode, Result as DerResult, SliceReader, Tag};

/// The contents of an element.
pub(super) fn contents(element: &[u8]) -> DerResult<&[u8]> {
    AnyRef::from_der_partial(element).map(|(any, _)| any.value())
}

/// A time, in seconds since 1970; earlier ones cannot be told.
pub(super) fn seconds(reader: &mut SliceReader<'_>) -> DerResult<u64> {
    let since = match Tag::peek(reader)? {
        Tag::UtcTime => UtcTime::decode(reader)?.to_unix_duration(),
        _ => GeneralizedTime::decode(reader)?.to_unix_duration(),
    };
    Ok(since.as_secs())
}
