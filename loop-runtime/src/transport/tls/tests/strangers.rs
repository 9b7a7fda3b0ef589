//! Strangers that dial a socket and never authenticate: each costs a task for a while, and no other peer notices.

use std::path::Path;

use tokio::time::Instant;

use super::*;
use crate::transport::security::PROOF;
use crate::transport::{Accepted, Listener, Security};

struct Secured {
    listener: Listener,
    peer: Security,
}

impl Secured {
    fn new(dir: &Path) -> Self {
        let (host, plugin) = (Identity::generate().unwrap(), Identity::generate().unwrap());
        let ours = Security::Tls(Tls::new(&plugin, certificate(&host)).unwrap());
        let peer = Security::Tls(Tls::new(&host, certificate(&plugin)).unwrap());
        Self { listener: Listener::bind_in(dir).unwrap().secured(ours), peer }
    }

    /// A stranger dials, and is accepted at once whatever it sends.
    async fn stranger(&self) -> (Stream, Accepted) {
        let socket = Stream::connect(&self.listener.address()).await.unwrap();
        (socket, self.listener.accept().await.unwrap())
    }

    /// The peer dials and is served.
    async fn peer_is_served(&self) {
        let address = self.listener.address();
        let dial = async { self.peer.connect(Stream::connect(&address).await?).await };
        let (dialled, accepted) = tokio::join!(dial, async { self.listener.accept().await?.establish().await });
        assert_connected(dialled.unwrap(), accepted.unwrap()).await;
    }
}

#[tokio::test]
async fn one_that_says_nothing_holds_up_nobody() {
    let dir = tempfile::tempdir().unwrap();
    let secured = Secured::new(dir.path());
    let (_silent, accepted) = secured.stranger().await;
    let waiting = tokio::spawn(accepted.establish());
    secured.peer_is_served().await;
    assert!(!waiting.is_finished());
    waiting.abort();
}

#[tokio::test(start_paused = true)]
async fn one_that_says_nothing_is_hung_up_on() {
    let dir = tempfile::tempdir().unwrap();
    let (mut silent, accepted) = Secured::new(dir.path()).stranger().await;
    let before = Instant::now();
    let error = accepted.establish().await.unwrap_err();
    assert_eq!((error.kind(), before.elapsed()), (io::ErrorKind::TimedOut, PROOF));
    assert_eq!(silent.read(&mut [0; 9]).await.unwrap(), 0);
}

#[tokio::test(start_paused = true)]
async fn one_that_stops_in_the_middle_is_hung_up_on() {
    let dir = tempfile::tempdir().unwrap();
    let secured = Secured::new(dir.path());
    let (mut slow, accepted) = secured.stranger().await;
    // A TLS handshake record with a length of 512 bytes.
    slow.write_all(&[22, 3, 1, 2, 0, 1, 0, 1, 252]).await.unwrap();
    assert_eq!(accepted.establish().await.unwrap_err().kind(), io::ErrorKind::TimedOut);
    drop(slow);
    secured.peer_is_served().await;
}

#[tokio::test]
async fn one_that_speaks_no_tls_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let secured = Secured::new(dir.path());
    let preface = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0".as_slice();
    for said in [preface, b"GET / HTTP/1.1\r\n\r\n", &[0; 300], &[0xff; 70_000]] {
        let (mut stranger, accepted) = secured.stranger().await;
        let serving = tokio::spawn(accepted.establish());
        // It may be disconnected before it has sent everything.
        let _ = stranger.write_all(said).await;
        let error = serving.await.unwrap().unwrap_err();
        assert!(error.to_string().contains("the TLS handshake failed"), "{error}");
        // At most an alert comes back, then EOF.
        let mut answer = Vec::new();
        let _ = stranger.read_to_end(&mut answer).await;
        assert!(answer.len() < 10, "{answer:?}");
    }
    secured.peer_is_served().await;
}

#[tokio::test]
async fn one_that_goes_away_is_forgotten() {
    let dir = tempfile::tempdir().unwrap();
    let secured = Secured::new(dir.path());
    let (gone, accepted) = secured.stranger().await;
    drop(gone);
    accepted.establish().await.unwrap_err();
    secured.peer_is_served().await;
}
