//! Why a TLS handshake failed, worded for a log line.

use std::io;

use rustls::{CertificateError, Error};

use super::pin::Stranger;

/// The same error with a readable text.
pub(super) fn refused(error: io::Error) -> io::Error {
    let inner = error.get_ref().and_then(|inner| inner.downcast_ref::<Error>());
    let why = inner.and_then(words).unwrap_or_else(|| error.to_string());
    io::Error::new(error.kind(), format!("the TLS handshake failed: {why}"))
}

/// ALPN did not select HTTP/2.
pub(super) fn no_http2() -> io::Error {
    refused(io::Error::new(io::ErrorKind::InvalidData, Error::NoApplicationProtocol))
}

fn words(error: &Error) -> Option<String> {
    let words = match error {
        Error::NoCertificatesPresented => "the peer shows no certificate",
        Error::InvalidCertificate(CertificateError::Expired) => "the peer's certificate has expired",
        Error::InvalidCertificate(CertificateError::NotValidYet) => "the peer's certificate is not valid yet",
        Error::InvalidCertificate(CertificateError::BadSignature) => "the peer does not have its certificate's key",
        Error::InvalidCertificate(CertificateError::Other(other)) if other.0.is::<Stranger>() => {
            "the peer's certificate is not the one that the other side announced at its start"
        }
        Error::InvalidMessage(_) => "the peer does not speak TLS",
        Error::NoApplicationProtocol => "the peer does not offer HTTP/2 (ALPN `h2`)",
        Error::AlertReceived(alert) => return Some(format!("the peer gave up ({alert:?})")),
        _ => return None,
    };
    Some(words.to_owned())
}
