//! Whatever a peer sends is parsed as a certificate or refused.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use proptest::prelude::*;

use super::*;

fn der() -> &'static [u8] {
    static DER: std::sync::LazyLock<Vec<u8>> =
        std::sync::LazyLock::new(|| Identity::generate().unwrap().key().cert[0].to_vec());
    &DER
}

proptest! {
    #[test]
    fn a_damaged_certificate_is_another_one_or_none(at in any::<prop::sample::Index>(), to in any::<u8>(), end in any::<prop::sample::Index>()) {
        let (at, end) = (at.index(der().len()), end.index(der().len()));
        let mut damaged = der().to_vec();
        damaged[at] = to;
        if let Ok(read) = Certificate::from_der(damaged.clone()) {
            prop_assert_eq!(read.is(&CertificateDer::from(der())), damaged == der());
        }
        prop_assert!(Certificate::from_der(der()[..end].to_vec()).is_err());
        damaged.push(to);
        prop_assert!(Certificate::from_der(damaged).is_err(), "nothing may follow it");
    }

    #[test]
    fn any_field_is_read_or_refused(field in "[A-Za-z0-9+/=_-]{0,80}|\\PC{0,40}", prefix in 0..80_usize) {
        prop_assert!(Certificate::from_field(&field).is_err());
        let whole = STANDARD_NO_PAD.encode(der());
        prop_assert!(Certificate::from_field(&whole).is_ok());
        let cut = whole[..prefix].to_owned() + &field;
        prop_assert!(Certificate::from_field(&cut).is_err());
    }

    #[test]
    fn any_pem_is_read_or_refused(body in "[A-Za-z0-9+/=\n -]{0,200}", before in "\\PC{0,20}") {
        let pem = format!("{before}\n-----BEGIN CERTIFICATE-----\n{body}\n-----END CERTIFICATE-----\n");
        prop_assert!(Certificate::from_pem(pem.as_bytes()).is_err());
        prop_assert!(Certificate::from_pem(body.as_bytes()).is_err());
    }
}
