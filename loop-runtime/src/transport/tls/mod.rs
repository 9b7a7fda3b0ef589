//! go-plugin's AutoMTLS: each side makes a certificate at its start, sends it to its peer, and trusts only the peer's.
//!
//! The host's certificate reaches the plugin in its environment, the plugin's comes back in the handshake line; both
//! channels are private to the two processes. From then on every connection, whoever dials it, is TLS with both
//! certificates: byte for byte the exchanged ones, within their validity, and each with a proof of its key.
//!
//! rustls' own verifiers cannot be used: a certificate of Go's is its own CA, which they refuse for an end entity.
//! And aws-lc-rs is the provider because Go's key is on P-521, which ring does not support.

mod certificate;
mod identity;
mod pin;
mod refusal;

use std::fmt;
use std::io;
use std::sync::Arc;

use rustls::client::Resumption;
use rustls::pki_types::ServerName;
use rustls::server::NoServerSessionStorage;
use rustls::sign::SingleCertAndKey;
use rustls::{ClientConfig, CommonState, ServerConfig};
use tokio_rustls::{TlsAcceptor, TlsConnector, TlsStream};

pub(crate) use certificate::{Certificate, CertificateError};
pub(crate) use identity::{Identity, IdentityError};

use super::stream::Stream;
use pin::Pin;
use refusal::{no_http2, refused};

/// gRPC's only protocol. grpc-go refuses a connection without it.
const ALPN: &[u8] = b"h2";

/// The name in every certificate of go-plugin, and the server name that its servers expect.
const SERVER: &str = "localhost";

/// Both roles of one side of one plugin's process. Clones are the same.
#[derive(Clone)]
pub(crate) struct Tls {
    connector: TlsConnector,
    acceptor: TlsAcceptor,
}

impl Tls {
    /// Presents `identity`, and trusts only `peer`.
    ///
    /// # Errors
    ///
    /// The provider rejects its own parameters.
    pub(crate) fn new(identity: &Identity, peer: Certificate) -> Result<Self, rustls::Error> {
        let provider = identity::provider();
        let pin = Arc::new(Pin::new(peer, provider.signature_verification_algorithms));
        let own = Arc::new(SingleCertAndKey::from(identity.key().clone()));

        let mut client = ClientConfig::builder_with_provider(provider.clone())
            .with_safe_default_protocol_versions()?
            .dangerous()
            .with_custom_certificate_verifier(pin.clone())
            .with_client_cert_resolver(own.clone());
        client.alpn_protocols = vec![ALPN.to_vec()];
        // Each connection proves its key, and checks the certificate's validity: none is resumed.
        client.resumption = Resumption::disabled();

        let mut server = ServerConfig::builder_with_provider(provider.clone())
            .with_safe_default_protocol_versions()?
            .with_client_cert_verifier(pin)
            .with_cert_resolver(own);
        server.alpn_protocols = vec![ALPN.to_vec()];
        server.session_storage = Arc::new(NoServerSessionStorage {});
        server.send_tls13_tickets = 0;

        Ok(Self { connector: Arc::new(client).into(), acceptor: Arc::new(server).into() })
    }

    pub(super) async fn connect(&self, socket: Stream) -> io::Result<Stream> {
        let server = ServerName::try_from(SERVER).map_err(io::Error::other)?;
        let stream = self.connector.connect(server, socket).await.map_err(refused)?;
        check_protocol(stream.get_ref().1)?;
        Ok(Stream::Tls(Box::new(TlsStream::Client(stream))))
    }

    pub(super) async fn accept(&self, socket: Stream) -> io::Result<Stream> {
        let stream = self.acceptor.accept(socket).await.map_err(refused)?;
        check_protocol(stream.get_ref().1)?;
        Ok(Stream::Tls(Box::new(TlsStream::Server(stream))))
    }
}

/// Omits the keys.
impl fmt::Debug for Tls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tls").finish_non_exhaustive()
    }
}

fn check_protocol(connection: &CommonState) -> io::Result<()> {
    match connection.alpn_protocol() {
        Some(ALPN) => Ok(()),
        _ => Err(no_http2()),
    }
}

#[cfg(test)]
mod tests;
