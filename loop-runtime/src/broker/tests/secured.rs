//! Brokered connections under AutoMTLS, in both directions.

use std::ffi::OsStr;

use super::*;
use crate::transport::{TlsMode, answer};

/// What a host and its plugin agree on at the start.
fn agreed() -> (Security, Security) {
    let offer = TlsMode::Tls.offer().unwrap();
    let (plugin, field) = answer(offer.client_certificate().map(OsStr::new)).unwrap();
    (offer.settle(&field).unwrap(), plugin)
}

/// For what would fail by hanging.
async fn soon<T>(future: impl Future<Output = T>) -> T {
    tokio::time::timeout(Duration::from_secs(10), future).await.expect("it hangs")
}

#[tokio::test]
async fn either_side_dials_what_the_other_announced() {
    let dir = tempfile::tempdir().unwrap();
    let (of_host, of_plugin) = agreed();
    let (host, plugin) = secured_pair(dir.path(), of_host, of_plugin);
    for (acceptor, dialler) in [(&host, &plugin), (&plugin, &host)] {
        let (id, listener) = acceptor.listen().await.unwrap();
        let (dialled, accepted) = tokio::join!(dialler.dial(id), accept(&listener));
        let (dialled, address) = dialled.unwrap();
        assert!(matches!(dialled, Stream::Tls(_)));
        assert_connected(dialled, accepted).await;
        let (again, accepted) = tokio::join!(dialler.redial(&address), accept(&listener));
        assert_connected(again.unwrap(), accepted).await;
    }
}

/// Another process of the same user finds the announced address in the file system and dials it.
#[tokio::test]
async fn a_stranger_who_dials_what_was_announced_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let ((of_host, of_plugin), (_, of_another_plugin)) = (agreed(), agreed());
    let (host, plugin) = secured_pair(dir.path(), of_host, of_plugin);
    for acceptor in [&host, &plugin] {
        for stranger in [&of_another_plugin, &Security::None] {
            let (_id, listener) = acceptor.listen().await.unwrap();
            let dial = async {
                let mut stream = stranger.connect(Stream::connect(&listener.address()).await?).await?;
                stream.write_all(b"hello, are you there?").await?;
                stream.read_exact(&mut [0; 64]).await
            };
            let serve = async { listener.accept().await.unwrap().establish().await.map(drop) };
            let (outcome, accepted) = soon(async { tokio::join!(dial, serve) }).await;
            outcome.unwrap_err();
            let refused = accepted.unwrap_err().to_string();
            assert!(refused.starts_with("the TLS handshake failed"), "{refused}");
        }
    }
}

/// A stranger listens at the announced address.
#[tokio::test]
async fn a_stranger_who_answers_a_dial_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let ((of_host, of_plugin), (of_another_host, _)) = (agreed(), agreed());
    let (host, plugin) = secured_pair(dir.path(), of_host, of_plugin);
    for dialler in [&host, &plugin] {
        let stranger = crate::transport::Listener::bind_in(dir.path()).unwrap().secured(of_another_host.clone());
        dialler.received(at(7, "unix", stranger.address().to_string()));
        let serve = async { stranger.accept().await.unwrap().establish().await };
        let (dialled, accepted) = soon(async { tokio::join!(dialler.dial(7), serve) }).await;
        accepted.unwrap_err();
        let error = dialled.unwrap_err();
        assert!(matches!(error, BrokerError::Connect { .. }), "{error:?}");
        assert!(error.to_string().contains("the TLS handshake failed"), "{error}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_dial_that_nobody_answers_ends_with_the_dial_timeout() {
    let dir = tempfile::tempdir().unwrap();
    let (of_host, of_plugin) = agreed();
    let (host, _plugin) = secured_pair(dir.path(), of_host, of_plugin);
    let silent = crate::transport::Listener::bind_in(dir.path()).unwrap();
    host.received(at(3, "unix", silent.address().to_string()));
    let before = Instant::now();
    let error = host.dial(3).await.unwrap_err();
    assert!(
        matches!(&error, BrokerError::Connect { source, .. } if source.kind() == io::ErrorKind::TimedOut),
        "{error}"
    );
    assert_eq!(before.elapsed(), DIAL_TIMEOUT);
}
