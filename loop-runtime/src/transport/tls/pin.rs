//! The verifier that pins the peer's certificate.

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{WebPkiSupportedAlgorithms, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use rustls::{CertificateError, DigitallySignedStruct, DistinguishedName, Error, OtherError, SignatureScheme};

use super::certificate::{self, Certificate};

/// Accepts one certificate, in either role, while it is valid, from a peer that proves its key.
#[derive(Debug)]
pub(super) struct Pin {
    peer: Certificate,
    algorithms: WebPkiSupportedAlgorithms,
}

/// Another certificate than the pinned one.
#[derive(Debug, thiserror::Error)]
#[error("not the certificate that the other side announced")]
pub(super) struct Stranger;

impl Pin {
    pub(super) fn new(peer: Certificate, algorithms: WebPkiSupportedAlgorithms) -> Self {
        Self { peer, algorithms }
    }

    /// The exchange named one certificate, so chain, name and key usage are not checked.
    fn check(&self, shown: &CertificateDer<'_>, now: UnixTime) -> Result<(), Error> {
        if !self.peer.is(shown) {
            return Err(CertificateError::Other(OtherError(std::sync::Arc::new(Stranger))).into());
        }
        self.peer.check_time(now).map_err(|why| match why {
            certificate::CertificateError::NotYet => CertificateError::NotValidYet.into(),
            _ => CertificateError::Expired.into(),
        })
    }
}

/// The proof that the peer has the key, without which a certificate is only public bytes.
macro_rules! verify_signatures {
    () => {
        fn verify_tls12_signature(
            &self,
            message: &[u8],
            cert: &CertificateDer<'_>,
            signature: &DigitallySignedStruct,
        ) -> Result<HandshakeSignatureValid, Error> {
            verify_tls12_signature(message, cert, signature, &self.algorithms)
        }

        fn verify_tls13_signature(
            &self,
            message: &[u8],
            cert: &CertificateDer<'_>,
            signature: &DigitallySignedStruct,
        ) -> Result<HandshakeSignatureValid, Error> {
            verify_tls13_signature(message, cert, signature, &self.algorithms)
        }

        fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
            self.algorithms.supported_schemes()
        }
    };
}

impl ServerCertVerifier for Pin {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        self.check(end_entity, now).map(|()| ServerCertVerified::assertion())
    }

    verify_signatures!();
}

/// Client certificates are requested and mandatory, the defaults of the trait.
impl ClientCertVerifier for Pin {
    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        &[]
    }

    fn verify_client_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        now: UnixTime,
    ) -> Result<ClientCertVerified, Error> {
        self.check(end_entity, now).map(|()| ClientCertVerified::assertion())
    }

    verify_signatures!();
}
