//! How both sides agree on the security of their connections, before there is one.
//!
//! A host that wants TLS puts its certificate into the plugin's environment; the plugin answers with its own in the
//! handshake line. Neither side knows how the other was built, so each reports what does not match.

use std::ffi::OsStr;

use super::security::Security;
#[cfg(feature = "auto-mtls")]
use super::tls::{Certificate, CertificateError, Identity, IdentityError, Tls};

/// Some third-party plugins put short data of their own in the certificate field.
const CERTIFICATE_MIN: usize = 50;

/// What a host requires of its plugins.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) enum TlsMode {
    #[default]
    Nothing,
    #[cfg(feature = "auto-mtls")]
    Tls,
}

/// What a host offers to one process of a plugin.
#[derive(Clone, Debug, Default)]
pub(crate) enum Offer {
    #[default]
    Nothing,
    /// A certificate made for this launch.
    #[cfg(feature = "auto-mtls")]
    Tls(Identity),
}

/// Why there is no agreement. Whoever reports the error names what the peer sent.
#[derive(Clone, Debug, thiserror::Error)]
pub(crate) enum OfferError {
    /// At the host: a certificate that it did not ask for.
    #[error("the plugin sent a certificate, but this host did not ask for TLS")]
    Unasked,
    /// At a host that asked for a certificate.
    #[cfg(feature = "auto-mtls")]
    #[error("the plugin sent no certificate")]
    Missing,
    /// At either side: what was received is no certificate, or it cannot be used now.
    #[cfg(feature = "auto-mtls")]
    #[error("the certificate of the other side cannot be used: {0}")]
    Invalid(#[from] CertificateError),
    /// Of either side.
    #[cfg(feature = "auto-mtls")]
    #[error(transparent)]
    Identity(#[from] IdentityError),
    /// Of either side.
    #[cfg(feature = "auto-mtls")]
    #[error("TLS cannot be set up: {0}")]
    Tls(#[from] rustls::Error),
    /// At a plugin whose host asks for TLS.
    #[cfg(not(feature = "auto-mtls"))]
    #[error("the host asks for TLS, and this plugin was built without it: loop-runtime's feature `auto-mtls` is off")]
    Unsupported,
}

impl TlsMode {
    /// Makes the offer to the next process.
    pub(crate) fn offer(self) -> Result<Offer, OfferError> {
        match self {
            Self::Nothing => Ok(Offer::Nothing),
            #[cfg(feature = "auto-mtls")]
            Self::Tls => Ok(Offer::Tls(Identity::generate()?)),
        }
    }
}

impl Offer {
    /// The value of `PLUGIN_CLIENT_CERT`, if it is to be set.
    pub(crate) fn client_certificate(&self) -> Option<&str> {
        match self {
            Self::Nothing => None,
            #[cfg(feature = "auto-mtls")]
            Self::Tls(identity) => Some(identity.pem()),
        }
    }

    /// What follows from the plugin's answer, the sixth field of its handshake line.
    pub(crate) fn settle(&self, field: &str) -> Result<Security, OfferError> {
        match self {
            Self::Nothing if is_certificate(field) => Err(OfferError::Unasked),
            Self::Nothing => Ok(Security::None),
            #[cfg(feature = "auto-mtls")]
            Self::Tls(_) if field.is_empty() => Err(OfferError::Missing),
            #[cfg(feature = "auto-mtls")]
            Self::Tls(identity) => secured(identity, Certificate::from_field(field)?),
        }
    }
}

/// A plugin's answer to the value of `PLUGIN_CLIENT_CERT`: its security, and the sixth field of its handshake line.
pub(crate) fn answer(client_certificate: Option<&OsStr>) -> Result<(Security, String), OfferError> {
    match client_certificate.filter(|value| !value.is_empty()) {
        None => Ok((Security::None, String::new())),
        #[cfg(feature = "auto-mtls")]
        Some(pem) => {
            let host = Certificate::from_pem(pem.as_encoded_bytes())?;
            let identity = Identity::generate()?;
            Ok((secured(&identity, host)?, identity.field()))
        }
        #[cfg(not(feature = "auto-mtls"))]
        Some(_) => Err(OfferError::Unsupported),
    }
}

#[cfg(feature = "auto-mtls")]
fn secured(identity: &Identity, peer: Certificate) -> Result<Security, OfferError> {
    peer.check_time(rustls::pki_types::UnixTime::now())?;
    Ok(Security::Tls(Tls::new(identity, peer)?))
}

/// A certificate is DER of more than 255 bytes in base64, and so begins with `MII`.
fn is_certificate(field: &str) -> bool {
    field.len() > CERTIFICATE_MIN
        && field.starts_with("MII")
        && field.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'='))
}
