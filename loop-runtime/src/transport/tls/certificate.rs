//! The peer's certificate, as received before the first connection.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, UnixTime};
use rustls::server::ParsedCertificate;
use x509_cert::der::Decode as _;

/// A certificate to compare with the one that a connection presents. Its validity period is checked each time.
#[derive(Clone, Debug)]
pub(crate) struct Certificate {
    der: CertificateDer<'static>,
    not_before: Duration,
    not_after: Duration,
}

/// Why something is no certificate, or not valid now.
#[derive(Clone, Debug, thiserror::Error)]
pub(crate) enum CertificateError {
    #[error("it is not base64 as go-plugin writes it, without padding: {0}")]
    Base64(#[from] base64::DecodeError),
    #[error("it is not PEM: {0}")]
    Pem(String),
    #[error("it is {0} certificates instead of one")]
    Count(usize),
    #[error("it is not an X.509 certificate: {0}")]
    X509(String),
    #[error("it has expired")]
    Expired,
    #[error("it is not valid yet; do the clocks agree?")]
    NotYet,
}

impl Certificate {
    /// From the sixth field of a handshake line: DER in standard base64 without padding.
    pub(crate) fn from_field(field: &str) -> Result<Self, CertificateError> {
        Self::from_der(STANDARD_NO_PAD.decode(field)?)
    }

    /// From the value of `PLUGIN_CLIENT_CERT`: one certificate in PEM. Text around it is ignored.
    pub(crate) fn from_pem(pem: &[u8]) -> Result<Self, CertificateError> {
        let all: Result<Vec<CertificateDer<'static>>, _> = CertificateDer::pem_slice_iter(pem).collect();
        let all = all.map_err(|why| CertificateError::Pem(why.to_string()))?;
        match <[_; 1]>::try_from(all) {
            Ok([certificate]) => Self::from_der(certificate.to_vec()),
            Err(all) => Err(CertificateError::Count(all.len())),
        }
    }

    /// From the bytes of the certificate itself.
    pub(crate) fn from_der(der: Vec<u8>) -> Result<Self, CertificateError> {
        let parsed = x509_cert::Certificate::from_der(&der).map_err(|why| CertificateError::X509(why.to_string()))?;
        let validity = parsed.tbs_certificate().validity();
        let (not_before, not_after) = (validity.not_before.to_unix_duration(), validity.not_after.to_unix_duration());
        let der = CertificateDer::from(der);
        // A stricter parser, which every TLS handshake uses again.
        ParsedCertificate::try_from(&der).map_err(|why| CertificateError::X509(why.to_string()))?;
        Ok(Self { der, not_before, not_after })
    }

    /// Whether it is valid at this time.
    pub(crate) fn check_time(&self, now: UnixTime) -> Result<(), CertificateError> {
        let now = Duration::from_secs(now.as_secs());
        if now < self.not_before {
            Err(CertificateError::NotYet)
        } else if now > self.not_after {
            Err(CertificateError::Expired)
        } else {
            Ok(())
        }
    }

    pub(super) fn is(&self, der: &CertificateDer<'_>) -> bool {
        self.der == *der
    }
}
