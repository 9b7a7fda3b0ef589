//! Both roles against rustls peers with other certificates, fewer, or none.

mod accepting;
mod agreement;
mod dialling;
mod parsers;
mod strangers;

use std::time::{Duration, SystemTime};

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::pki_types::{CertificateDer, UnixTime};
use rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use rustls::sign::CertifiedKey;
use rustls::{DigitallySignedStruct, DistinguishedName, SignatureScheme, SupportedProtocolVersion};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::UnixStream;

use super::*;

/// TLS 1.3 is what peers speak, 1.2 what go-plugin allows.
const VERSIONS: [&SupportedProtocolVersion; 2] = [&rustls::version::TLS13, &rustls::version::TLS12];

/// What a peer presents.
#[derive(Clone)]
struct Peer {
    shows: Option<Arc<CertifiedKey>>,
    version: &'static SupportedProtocolVersion,
    protocols: Vec<Vec<u8>>,
}

impl Peer {
    fn with(identity: &Identity, version: &'static SupportedProtocolVersion) -> Self {
        Self { shows: Some(identity.key().clone()), version, protocols: vec![ALPN.to_vec()] }
    }

    /// Has seen the certificate of `victim`, and signs with a key of its own.
    fn thief(victim: &Identity, version: &'static SupportedProtocolVersion) -> Self {
        let mut stolen = CertifiedKey::clone(Identity::generate().unwrap().key());
        stolen.cert = victim.key().cert.clone();
        Self { shows: Some(Arc::new(stolen)), ..Self::with(victim, version) }
    }

    fn without_certificate(version: &'static SupportedProtocolVersion) -> Self {
        Self { shows: None, version, protocols: vec![ALPN.to_vec()] }
    }

    fn connector(&self) -> TlsConnector {
        let config = ClientConfig::builder_with_provider(identity::provider().clone())
            .with_protocol_versions(&[self.version])
            .unwrap()
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(Anybody));
        let mut config = match &self.shows {
            Some(key) => config.with_client_cert_resolver(Arc::new(SingleCertAndKey::from(key.clone()))),
            None => config.with_no_client_auth(),
        };
        config.alpn_protocols = self.protocols.clone();
        Arc::new(config).into()
    }

    fn acceptor(&self) -> TlsAcceptor {
        let config = ServerConfig::builder_with_provider(identity::provider().clone())
            .with_protocol_versions(&[self.version])
            .unwrap()
            .with_client_cert_verifier(Arc::new(Anybody));
        let mut config = match &self.shows {
            Some(key) => config.with_cert_resolver(Arc::new(SingleCertAndKey::from(key.clone()))),
            None => config.with_cert_resolver(Arc::new(Nothing)),
        };
        config.alpn_protocols = self.protocols.clone();
        Arc::new(config).into()
    }
}

/// Accepts any certificate, so that refusing is up to the other side.
#[derive(Debug)]
struct Anybody;

macro_rules! no_proof {
    () => {
        fn verify_tls12_signature(
            &self,
            _: &[u8],
            _: &CertificateDer<'_>,
            _: &DigitallySignedStruct,
        ) -> Result<HandshakeSignatureValid, rustls::Error> {
            Ok(HandshakeSignatureValid::assertion())
        }

        fn verify_tls13_signature(
            &self,
            _: &[u8],
            _: &CertificateDer<'_>,
            _: &DigitallySignedStruct,
        ) -> Result<HandshakeSignatureValid, rustls::Error> {
            Ok(HandshakeSignatureValid::assertion())
        }

        fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
            identity::provider().signature_verification_algorithms.supported_schemes()
        }
    };
}

impl ServerCertVerifier for Anybody {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    no_proof!();
}

impl ClientCertVerifier for Anybody {
    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        &[]
    }

    fn client_auth_mandatory(&self) -> bool {
        false
    }

    fn verify_client_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: UnixTime,
    ) -> Result<ClientCertVerified, rustls::Error> {
        Ok(ClientCertVerified::assertion())
    }

    no_proof!();
}

/// A server without a certificate.
#[derive(Debug)]
struct Nothing;

impl rustls::server::ResolvesServerCert for Nothing {
    fn resolve(&self, _: rustls::server::ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        None
    }
}

/// Valid from an hour ago, for an hour less a minute.
fn expired() -> Identity {
    let now = SystemTime::now();
    Identity::valid(now - Duration::from_secs(3600), now - Duration::from_secs(60)).unwrap()
}

fn not_yet() -> Identity {
    let now = SystemTime::now();
    Identity::valid(now + Duration::from_secs(60), now + Duration::from_secs(3600)).unwrap()
}

fn certificate(of: &Identity) -> Certificate {
    Certificate::from_field(&of.field()).unwrap()
}

/// Our side, which trusts `peer`.
fn told_of(peer: &Identity) -> Tls {
    Tls::new(&Identity::generate().unwrap(), certificate(peer)).unwrap()
}

fn pair() -> (Stream, UnixStream) {
    let (ours, theirs) = UnixStream::pair().unwrap();
    (Stream::unix(ours).unwrap(), theirs)
}

fn text(outcome: io::Result<Stream>) -> String {
    match outcome {
        Ok(_) => "accepted".to_owned(),
        Err(error) => error.to_string(),
    }
}

/// For what would fail by hanging.
async fn soon<T>(future: impl Future<Output = T>) -> T {
    tokio::time::timeout(Duration::from_secs(10), future).await.expect("it hangs")
}

/// Bytes arrive in both directions.
async fn assert_connected<IO>(mut ours: Stream, mut theirs: IO)
where
    IO: tokio::io::AsyncRead + tokio::io::AsyncWrite + Unpin,
{
    // More than the socket and TLS hold between them.
    let data = b"0123456789abcdef".repeat(1 << 16);
    for _ in 0..2 {
        let send = async {
            ours.write_all(&data).await.unwrap();
            ours.flush().await.unwrap();
        };
        let mut received = vec![0; data.len()];
        let (received, ()) = tokio::join!(
            async {
                theirs.read_exact(&mut received).await.unwrap();
                received
            },
            send
        );
        assert!(received == data);
        theirs.write_all(b"thanks").await.unwrap();
        theirs.flush().await.unwrap();
        let mut answer = [0; 6];
        ours.read_exact(&mut answer).await.unwrap();
        assert_eq!(&answer, b"thanks");
    }
}
