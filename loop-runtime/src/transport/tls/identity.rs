//! This side's certificate and its key.

use std::fmt;
use std::sync::{Arc, LazyLock};
use std::time::{Duration, SystemTime};

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD};
use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa, KeyPair,
    KeyUsagePurpose, PKCS_ECDSA_P256_SHA256,
};
use rustls::crypto::{CryptoProvider, aws_lc_rs};
use rustls::pki_types::PrivateKeyDer;
use rustls::sign::CertifiedKey;

use super::SERVER;

/// Allows for a peer whose clock is a little behind.
const BACKDATED: Duration = Duration::from_secs(30);

/// As long as go-plugin's own; in practice a certificate ends with its process.
const LIFETIME: Duration = Duration::from_secs(262_980 * 60 * 60);

/// A certificate of this process, for one launch, and its key, which never leaves the process. Clones are the same.
#[derive(Clone)]
pub(crate) struct Identity {
    key: Arc<CertifiedKey>,
    pem: String,
}

/// The certificate could not be made.
#[derive(Clone, Debug, thiserror::Error)]
#[error("cannot make a certificate: {0}")]
pub(crate) struct IdentityError(String);

impl Identity {
    /// Makes a key on P-256 and a certificate with go-plugin's profile: self-signed, for `localhost`, for both
    /// roles.
    pub(crate) fn generate() -> Result<Self, IdentityError> {
        let now = SystemTime::now();
        Self::valid(now - BACKDATED, now + LIFETIME)
    }

    pub(super) fn valid(not_before: SystemTime, not_after: SystemTime) -> Result<Self, IdentityError> {
        let failed = |why: &dyn fmt::Display| IdentityError(why.to_string());
        let key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).map_err(|why| failed(&why))?;
        let mut params = CertificateParams::new([SERVER.to_owned()]).map_err(|why| failed(&why))?;
        params.distinguished_name = DistinguishedName::new();
        params.distinguished_name.push(DnType::CommonName, SERVER);
        params.not_before = not_before.into();
        params.not_after = not_after.into();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![
            KeyUsagePurpose::DigitalSignature,
            KeyUsagePurpose::KeyEncipherment,
            KeyUsagePurpose::KeyAgreement,
            KeyUsagePurpose::KeyCertSign,
        ];
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth, ExtendedKeyUsagePurpose::ServerAuth];
        let certificate = params.self_signed(&key).map_err(|why| failed(&why))?;
        let private = PrivateKeyDer::try_from(key.serialize_der()).map_err(|why| failed(&why))?;
        let pem = pem(certificate.der());
        let key = CertifiedKey::from_der(vec![certificate.into()], private, provider()).map_err(|why| failed(&why))?;
        Ok(Self { key: Arc::new(key), pem })
    }

    /// For `PLUGIN_CLIENT_CERT`.
    pub(crate) fn pem(&self) -> &str {
        &self.pem
    }

    /// For the sixth field of the handshake line.
    pub(crate) fn field(&self) -> String {
        self.key.cert.iter().map(|certificate| STANDARD_NO_PAD.encode(certificate)).collect()
    }

    pub(super) fn key(&self) -> &Arc<CertifiedKey> {
        &self.key
    }
}

fn pem(der: &[u8]) -> String {
    /// Characters in a line.
    const WIDTH: usize = 64;
    let mut text = STANDARD.encode(der);
    for at in (1..text.len().div_ceil(WIDTH)).rev() {
        text.insert(at * WIDTH, '\n');
    }
    format!("-----BEGIN CERTIFICATE-----\n{text}\n-----END CERTIFICATE-----\n")
}

/// Omits the key.
impl fmt::Debug for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Identity").finish_non_exhaustive()
    }
}

/// Passed explicitly wherever one is needed: with two of them in a program, rustls' default is a panic.
pub(super) fn provider() -> &'static Arc<CryptoProvider> {
    static PROVIDER: LazyLock<Arc<CryptoProvider>> = LazyLock::new(|| Arc::new(aws_lc_rs::default_provider()));
    &PROVIDER
}
