//! From the environment to the handshake line and back.

use std::ffi::OsStr;

use super::*;
use crate::transport::{Offer, OfferError, Security, TlsMode, answer};

/// Two sides that have agreed, and the field that the plugin wrote.
fn agreed() -> (Security, Security, String) {
    let offer = TlsMode::Tls.offer().unwrap();
    let (plugin, field) = answer(offer.client_certificate().map(OsStr::new)).unwrap();
    (offer.settle(&field).unwrap(), plugin, field)
}

async fn meet(dialler: &Security, acceptor: &Security) -> io::Result<(Stream, Stream)> {
    let dir = tempfile::tempdir()?;
    let listener = crate::transport::Listener::bind_in(dir.path()).unwrap().secured(acceptor.clone());
    let dial = async { dialler.connect(Stream::connect(&listener.address()).await?).await };
    tokio::try_join!(dial, async { listener.accept().await?.establish().await })
}

#[tokio::test]
async fn either_side_may_dial() {
    let (host, plugin, _) = agreed();
    for (dialler, acceptor) in [(&host, &plugin), (&plugin, &host)] {
        let (dialled, accepted) = meet(dialler, acceptor).await.unwrap();
        assert_connected(dialled, accepted).await;
    }
}

#[tokio::test]
async fn each_launch_has_certificates_of_its_own() {
    let ((host, plugin, field), (other_host, other_plugin, other_field)) = (agreed(), agreed());
    assert_ne!(field, other_field);
    // An earlier process's certificate is of no use to a later one.
    for (dialler, acceptor) in [(&host, &other_plugin), (&other_plugin, &host), (&plugin, &other_host)] {
        meet(dialler, acceptor).await.unwrap_err();
    }
}

#[test]
fn the_host_says_what_is_wrong_with_the_answer() {
    let (asked, plain) = (TlsMode::Tls.offer().unwrap(), TlsMode::Nothing.offer().unwrap());
    let (_, field) = answer(asked.client_certificate().map(OsStr::new)).unwrap();
    let padded = format!("{field}=");
    let said = |offer: &Offer, field: &str| offer.settle(field).unwrap_err();

    assert!(matches!(said(&plain, &field), OfferError::Unasked));
    assert!(matches!(said(&asked, ""), OfferError::Missing));
    for (field, says) in [
        ("abc!", "base64"),
        (padded.as_str(), "base64"),
        ("YWJj", "X.509"),
        (&field[..400], "X.509"),
        (&expired().field(), "has expired"),
        (&not_yet().field(), "not valid yet"),
    ] {
        let error = said(&asked, field);
        assert!(matches!(&error, OfferError::Invalid(_)) && error.to_string().contains(says), "{field}: {error}");
    }
}

#[test]
fn the_plugin_says_what_is_wrong_with_the_environment() {
    let identity = Identity::generate().unwrap();
    let two = identity.pem().repeat(2);
    let cut = &identity.pem()[..400];
    let damaged = identity.pem().replacen("MII", "MI!", 1);
    let other = identity.pem().replace("CERTIFICATE", "PRIVATE KEY");
    let expired = expired();
    for (pem, says) in [
        ("certificate", "0 certificates"),
        (&other, "0 certificates"),
        (&two, "2 certificates"),
        (cut, "not PEM"),
        (&damaged, "not PEM"),
        ("-----BEGIN CERTIFICATE-----\nYWJj\n-----END CERTIFICATE-----\n", "X.509"),
        (expired.pem(), "has expired"),
    ] {
        let error = answer(Some(OsStr::new(pem))).unwrap_err().to_string();
        assert!(error.contains(says), "{pem}: {error}");
    }
    let (security, field) = answer(Some(OsStr::new(""))).unwrap();
    assert!(matches!(security, Security::None) && field.is_empty(), "empty is unset");
}

#[test]
fn a_certificate_has_the_profile_of_go_plugin() {
    use x509_cert::der::{Decode as _, asn1::Ia5StringRef};
    use x509_cert::ext::pkix;

    let identity = Identity::generate().unwrap();
    let parsed = x509_cert::Certificate::from_der(&identity.key().cert[0]).unwrap();
    let body = parsed.tbs_certificate();
    assert_eq!(body.subject().to_string(), "CN=localhost");
    assert_eq!(body.issuer(), body.subject());
    let (_, names) = body.get_extension::<pkix::SubjectAltName>().unwrap().unwrap();
    assert_eq!(names.0, [pkix::name::GeneralName::DnsName(Ia5StringRef::new("localhost").unwrap().into())]);
    let (critical, basic) = body.get_extension::<pkix::BasicConstraints>().unwrap().unwrap();
    assert!(critical && basic.ca && basic.path_len_constraint.is_none());
    let (_, usage) = body.get_extension::<pkix::KeyUsage>().unwrap().unwrap();
    assert!(usage.digital_signature() && usage.key_encipherment() && usage.key_agreement() && usage.key_cert_sign());
    let (_, extended) = body.get_extension::<pkix::ExtendedKeyUsage>().unwrap().unwrap();
    assert_eq!(extended.0.len(), 2);

    let lifetime = body.validity().not_after.to_unix_duration() - body.validity().not_before.to_unix_duration();
    assert!(lifetime > Duration::from_secs(262_980 * 3600), "{lifetime:?}");
    let ago = UnixTime::now().as_secs() - body.validity().not_before.to_unix_duration().as_secs();
    assert!((30..60).contains(&ago), "valid since {ago} s ago");
    let pem = Certificate::from_pem(identity.pem().as_bytes()).unwrap();
    assert!(pem.is(&identity.key().cert[0]));
    assert!(identity.pem().ends_with("-----END CERTIFICATE-----\n") && !identity.pem().contains('\r'));
}
