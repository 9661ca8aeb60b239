//! Checks peers' certificates with webpki, and accepts two things that webpki refuses but Redis's users have:
//! certificates of X.509 version 1, which `openssl x509 -req` makes when no extension is asked for, and a peer whose
//! own certificate is the one that was named as CA.

use super::der::{contents, seconds};
use pkcs8::der::asn1::BitStringRef;
use pkcs8::der::{Decode, Reader, Result as DerResult, SliceReader, Tag};
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{verify_server_cert_signed_by_trust_anchor, verify_server_name};
use rustls::crypto::{WebPkiSupportedAlgorithms, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::{AlgorithmIdentifier, CertificateDer, ServerName, SignatureVerificationAlgorithm, UnixTime};
use rustls::server::ParsedCertificate;
use rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use rustls::{CertificateError, DigitallySignedStruct, DistinguishedName, Error, RootCertStore, SignatureScheme};
use std::sync::Arc;

/// Whom to trust, and the signatures that can be checked.
#[derive(Debug)]
pub(super) struct Trust {
    pub(super) roots: RootCertStore,
    pub(super) certificates: Vec<CertificateDer<'static>>,
    pub(super) algorithms: WebPkiSupportedAlgorithms,
}

/// Checks servers.
#[derive(Debug)]
pub(super) struct Servers {
    pub(super) trust: Arc<Trust>,
    pub(super) check_name: bool,
    pub(super) check_certificate: bool,
}

/// Checks clients: `webpki` does, except for what it refuses.
#[derive(Debug)]
pub(super) struct Clients {
    pub(super) trust: Arc<Trust>,
    pub(super) webpki: Arc<dyn ClientCertVerifier>,
}

impl ServerCertVerifier for Servers {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        if !self.check_certificate {
            return Ok(ServerCertVerified::assertion());
        }
        if let Some(plain) = Plain::of_version_1(end_entity) {
            if self.check_name {
                // Names are in an extension, and version 1 has none.
                let expected = server_name.to_owned();
                return Err(CertificateError::NotValidForNameContext { expected, presented: Vec::new() }.into());
            }
            self.trust.check_plain(&plain, now)?;
            return Ok(ServerCertVerified::assertion());
        }
        let parsed = ParsedCertificate::try_from(end_entity)?;
        let trust = &self.trust;
        let algorithms = trust.algorithms.all;
        verify_server_cert_signed_by_trust_anchor(&parsed, &trust.roots, intermediates, now, algorithms)
            .or_else(|error| trust.is_itself_trusted(end_entity, now, error))?;
        if self.check_name {
            verify_server_name(&parsed, server_name)?;
        }
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.trust.check_tls12_signature(message, cert, dss)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.trust.check_tls13_signature(message, cert, dss)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.trust.algorithms.supported_schemes()
    }
}

impl ClientCertVerifier for Clients {
    fn offer_client_auth(&self) -> bool {
        self.webpki.offer_client_auth()
    }

    fn client_auth_mandatory(&self) -> bool {
        self.webpki.client_auth_mandatory()
    }

    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        self.webpki.root_hint_subjects()
    }

    fn verify_client_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        now: UnixTime,
    ) -> Result<ClientCertVerified, Error> {
        if let Some(plain) = Plain::of_version_1(end_entity) {
            self.trust.check_plain(&plain, now)?;
            return Ok(ClientCertVerified::assertion());
        }
        self.webpki.verify_client_cert(end_entity, intermediates, now).or_else(|error| {
            self.trust.is_itself_trusted(end_entity, now, error).map(|()| ClientCertVerified::assertion())
        })
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.trust.check_tls12_signature(message, cert, dss)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.trust.check_tls13_signature(message, cert, dss)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.webpki.supported_verify_schemes()
    }
}

impl Trust {
    /// A certificate that webpki refused because it is a CA's own, but one of those that were named as trusted.
    fn is_itself_trusted(&self, end_entity: &CertificateDer<'_>, now: UnixTime, error: Error) -> Result<(), Error> {
        if !self.certificates.iter().any(|trusted| trusted == end_entity) {
            return Err(error);
        }
        let plain = Plain::decode(end_entity).map_err(|_| CertificateError::BadEncoding)?;
        plain.check_time(now)
    }

    /// A certificate of version 1: signed by a trusted CA itself, and neither too new nor too old.
    fn check_plain(&self, plain: &Plain<'_>, now: UnixTime) -> Result<(), Error> {
        plain.check_time(now)?;
        let issuers = self.roots.roots.iter().filter(|root| root.subject.as_ref() == plain.issuer);
        for root in issuers {
            let Ok(key) = PublicKey::decode(&root.subject_public_key_info) else { continue };
            if key.verifies(self.algorithms.all, Some(plain.algorithm), plain.signed, plain.signature) {
                return Ok(());
            }
        }
        Err(CertificateError::UnknownIssuer.into())
    }

    /// The signature with which a peer proves that it has the key of its certificate.
    fn check_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        match Plain::of_version_1(cert) {
            Some(plain) => plain.check_signature(self.algorithms_of(dss.scheme), message, dss.signature()),
            None => verify_tls12_signature(message, cert, dss, &self.algorithms),
        }
    }

    fn check_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        match Plain::of_version_1(cert) {
            Some(plain) => plain.check_signature(self.tls13_algorithms_of(dss.scheme), message, dss.signature()),
            None => verify_tls13_signature(message, cert, dss, &self.algorithms),
        }
    }

    fn algorithms_of(&self, scheme: SignatureScheme) -> &[&dyn SignatureVerificationAlgorithm] {
        self.algorithms.mapping.iter().find(|(other, _)| *other == scheme).map_or(&[], |(_, algorithms)| algorithms)
    }

    /// Without the old padding of RSA, and with the one curve that a scheme's name says; those of TLS 1.2 come behind.
    fn tls13_algorithms_of(&self, scheme: SignatureScheme) -> &[&dyn SignatureVerificationAlgorithm] {
        match scheme {
            SignatureScheme::RSA_PKCS1_SHA256
            | SignatureScheme::RSA_PKCS1_SHA384
            | SignatureScheme::RSA_PKCS1_SHA512 => &[],
            _ => self.algorithms_of(scheme).split_at_checked(1).map_or(&[], |(first, _)| first),
        }
    }
}

/// The parts of a certificate, each as its contents except `signed`.
struct Plain<'a> {
    is_version_1: bool,
    signed: &'a [u8],
    algorithm: &'a [u8],
    signature: &'a [u8],
    issuer: &'a [u8],
    not_before: u64,
    not_after: u64,
    key: &'a [u8],
}

impl<'a> Plain<'a> {
    fn of_version_1(certificate: &'a CertificateDer<'_>) -> Option<Self> {
        Self::decode(certificate).ok().filter(|plain| plain.is_version_1)
    }

    fn decode(certificate: &'a [u8]) -> DerResult<Self> {
        let mut outer = SliceReader::new(contents(certificate)?)?;
        let signed = outer.tlv_bytes()?;
        let algorithm = contents(outer.tlv_bytes()?)?;
        let signature = BitStringRef::decode(&mut outer)?.raw_bytes();
        let mut fields = SliceReader::new(contents(signed)?)?;
        // The version is only there when it is not 1.
        let is_version_1 = Tag::peek(&fields)? == Tag::Integer;
        if !is_version_1 {
            fields.tlv_bytes()?;
        }
        let _serial = fields.tlv_bytes()?;
        let _algorithm = fields.tlv_bytes()?;
        let issuer = contents(fields.tlv_bytes()?)?;
        let mut validity = SliceReader::new(contents(fields.tlv_bytes()?)?)?;
        let (not_before, not_after) = (seconds(&mut validity)?, seconds(&mut validity)?);
        let _subject = fields.tlv_bytes()?;
        let key = contents(fields.tlv_bytes()?)?;
        Ok(Self { is_version_1, signed, algorithm, signature, issuer, not_before, not_after, key })
    }

    fn check_signature(
        &self,
        algorithms: &[&dyn SignatureVerificationAlgorithm],
        message: &[u8],
        signature: &[u8],
    ) -> Result<HandshakeSignatureValid, Error> {
        let key = PublicKey::decode(self.key).map_err(|_| CertificateError::BadEncoding)?;
        if key.verifies(algorithms, None, message, signature) {
            Ok(HandshakeSignatureValid::assertion())
        } else {
            Err(CertificateError::BadSignature.into())
        }
    }

    fn check_time(&self, now: UnixTime) -> Result<(), Error> {
        if now.as_secs() < self.not_before {
            Err(CertificateError::NotValidYet.into())
        } else if now.as_secs() > self.not_after {
            Err(CertificateError::Expired.into())
        } else {
            Ok(())
        }
    }
}

/// A public key and what kind of key it is.
struct PublicKey<'a> {
    kind: &'a [u8],
    bits: &'a [u8],
}

impl<'a> PublicKey<'a> {
    fn decode(key: &'a [u8]) -> DerResult<Self> {
        let mut fields = SliceReader::new(key)?;
        let kind = contents(fields.tlv_bytes()?)?;
        Ok(Self { kind, bits: BitStringRef::decode(&mut fields)?.raw_bytes() })
    }

    /// Whether it has made the signature, with one of the algorithms, which is that one if a certificate names it.
    fn verifies(
        &self,
        algorithms: &[&dyn SignatureVerificationAlgorithm],
        named: Option<&[u8]>,
        message: &[u8],
        signature: &[u8],
    ) -> bool {
        let is = |id: AlgorithmIdentifier, bytes: &[u8]| id.as_ref() == bytes;
        algorithms
            .iter()
            .filter(|algorithm| is(algorithm.public_key_alg_id(), self.kind))
            .filter(|algorithm| named.is_none_or(|named| is(algorithm.signature_alg_id(), named)))
            .any(|algorithm| algorithm.verify_signature(self.bits, message, signature).is_ok())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rustls::crypto::aws_lc_rs;
    use rustls::pki_types::InvalidSignature;

    /// An algorithm by which nothing but "good" is a signature.
    #[derive(Debug)]
    struct OnlyGood {
        key: &'static [u8],
        signature: &'static [u8],
    }

    impl SignatureVerificationAlgorithm for OnlyGood {
        fn verify_signature(&self, _key: &[u8], _message: &[u8], signature: &[u8]) -> Result<(), InvalidSignature> {
            if signature == b"good" { Ok(()) } else { Err(InvalidSignature) }
        }

        fn public_key_alg_id(&self) -> AlgorithmIdentifier {
            AlgorithmIdentifier::from_slice(self.key)
        }

        fn signature_alg_id(&self) -> AlgorithmIdentifier {
            AlgorithmIdentifier::from_slice(self.signature)
        }
    }

    #[test]
    fn a_key_signs_by_algorithms_of_its_kind_and_by_the_one_that_is_named() {
        let algorithm = OnlyGood { key: b"rsa", signature: b"rsa with sha256" };
        for (kind, named, signature, verifies) in [
            ("rsa", None, "good", true),
            ("rsa", None, "bad", false),
            ("ec", None, "good", false),
            ("rsa", Some("rsa with sha256"), "good", true),
            ("rsa", Some("rsa with sha1"), "good", false),
        ] {
            let key = PublicKey { kind: kind.as_bytes(), bits: b"" };
            let found = key.verifies(&[&algorithm], named.map(str::as_bytes), b"message", signature.as_bytes());
            assert_eq!(found, verifies, "{kind}, {named:?}, {signature}");
        }
    }

    #[test]
    fn tls13_takes_fewer_signatures() {
        let algorithms = aws_lc_rs::default_provider().signature_verification_algorithms;
        let trust = Trust { roots: RootCertStore::empty(), certificates: Vec::new(), algorithms };
        let counts = |scheme| (trust.algorithms_of(scheme).len(), trust.tls13_algorithms_of(scheme).len());
        for scheme in trust.algorithms.supported_schemes() {
            let (of_12, of_13) = counts(scheme);
            assert!(of_12 > 0);
            assert_eq!(of_13, usize::from(!format!("{scheme:?}").starts_with("RSA_PKCS1")), "{scheme:?}");
        }
        assert!(counts(SignatureScheme::ECDSA_NISTP256_SHA256).0 > 1);
        assert_eq!(counts(SignatureScheme::RSA_PKCS1_SHA1), (0, 0));
    }
}
