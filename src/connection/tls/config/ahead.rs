//! Decrypting ahead of what a read has to give. A record that is bad makes rustls send an alert, behind which nothing
//! can be sent any more. So while a read looks ahead, the ciphers only say that there is something wrong; the next
//! read, which has nothing else to give, finds out what.

use rustls::crypto::cipher::{
    AeadKey, InboundOpaqueMessage, InboundPlainMessage, Iv, KeyBlockShape, MessageDecrypter, MessageEncrypter,
    Tls12AeadAlgorithm, Tls13AeadAlgorithm, UnsupportedOperationError,
};
use rustls::{ConnectionTrafficSecrets, Error};
use std::cell::Cell;

thread_local! {
    static IS_AHEAD: Cell<bool> = const { Cell::new(false) };
}

/// What a bad record is while somebody looks ahead: an error that rustls hands on and does nothing about.
const BAD_RECORD: &str = "a bad record, seen ahead";

pub(in crate::connection::tls) fn is_bad_record(error: &Error) -> bool {
    matches!(error, Error::General(text) if text == BAD_RECORD)
}

/// Runs `body`, in which a bad record is no more than an error.
pub(in crate::connection::tls) fn look<T>(body: impl FnOnce() -> T) -> T {
    IS_AHEAD.set(true);
    let result = body();
    IS_AHEAD.set(false);
    result
}

/// A cipher of the provider's that can be used to look ahead.
pub(super) struct AheadCipher<T: ?Sized + 'static>(pub(super) &'static T);

struct Decrypter(Box<dyn MessageDecrypter>);

impl MessageDecrypter for Decrypter {
    fn decrypt<'a>(
        &mut self,
        message: InboundOpaqueMessage<'a>,
        number: u64,
    ) -> Result<InboundPlainMessage<'a>, Error> {
        let result = self.0.decrypt(message, number);
        if result.is_err() && IS_AHEAD.get() { Err(Error::General(BAD_RECORD.into())) } else { result }
    }
}

impl Tls12AeadAlgorithm for AheadCipher<dyn Tls12AeadAlgorithm> {
    fn encrypter(&self, key: AeadKey, iv: &[u8], extra: &[u8]) -> Box<dyn MessageEncrypter> {
        self.0.encrypter(key, iv, extra)
    }

    fn decrypter(&self, key: AeadKey, iv: &[u8]) -> Box<dyn MessageDecrypter> {
        Box::new(Decrypter(self.0.decrypter(key, iv)))
    }

    fn key_block_shape(&self) -> KeyBlockShape {
        self.0.key_block_shape()
    }

    fn extract_keys(
        &self,
        key: AeadKey,
        iv: &[u8],
        explicit: &[u8],
    ) -> Result<ConnectionTrafficSecrets, UnsupportedOperationError> {
        self.0.extract_keys(key, iv, explicit)
    }

    fn fips(&self) -> bool {
        self.0.fips()
    }
}

impl Tls13AeadAlgorithm for AheadCipher<dyn Tls13AeadAlgorithm> {
    fn encrypter(&self, key: AeadKey, iv: Iv) -> Box<dyn MessageEncrypter> {
        self.0.encrypter(key, iv)
    }

    fn decrypter(&self, key: AeadKey, iv: Iv) -> Box<dyn MessageDecrypter> {
        Box::new(Decrypter(self.0.decrypter(key, iv)))
    }

    fn key_len(&self) -> usize {
        self.0.key_len()
    }

    fn extract_keys(&self, key: AeadKey, iv: Iv) -> Result<ConnectionTrafficSecrets, UnsupportedOperationError> {
        self.0.extract_keys(key, iv)
    }

    fn fips(&self) -> bool {
        self.0.fips()
    }
}
