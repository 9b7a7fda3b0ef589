use crate::signing::{self, Key, SignatureError, Signed};

const DIGEST: [u8; 32] = [1; 32];

fn signed() -> Signed<'static> {
    Signed { config_digest: &DIGEST, epoch: 3, round: 2, extra_hash: &[0; 32], report: b"report" }
}

fn network() -> (Vec<Key>, Vec<Vec<u8>>) {
    let keys: Vec<Key> = (0..4).map(|oracle| Key::of(&format!("oracle {oracle}"))).collect();
    let signers = keys.iter().map(|key| key.public().to_vec()).collect();
    (keys, signers)
}

#[test]
fn enough_good_signatures_are_taken() {
    let (keys, signers) = network();
    let sign = |oracle: u8, signed: &Signed<'_>| (oracle, keys[usize::from(oracle)].sign(&signed.message()).to_vec());
    let good = [sign(3, &signed()), sign(0, &signed())];
    assert_eq!(signing::check_report(&signed(), &good, &signers, 1), Ok(()));

    let check = |signatures: &[(u8, Vec<u8>)]| signing::check_report(&signed(), signatures, &signers, 1);
    assert_eq!(check(&good[..1]), Err(SignatureError::TooFew { got: 1, needed: 2 }));
    assert_eq!(check(&[good[0].clone(), good[0].clone()]), Err(SignatureError::Twice(3)));
    assert_eq!(check(&[good[0].clone(), (4, good[1].1.clone())]), Err(SignatureError::Unknown(4)));
    // Somebody else's signature, one of another length, and one bad one beside enough good ones.
    assert_eq!(check(&[good[0].clone(), (1, good[1].1.clone())]), Err(SignatureError::Invalid(1)));
    assert_eq!(check(&[good[0].clone(), (1, vec![0; 63])]), Err(SignatureError::Invalid(1)));
    assert_eq!(check(&[good[0].clone(), good[1].clone(), (2, vec![0; 64])]), Err(SignatureError::Invalid(2)));
}

#[test]
fn every_part_is_signed() {
    let base = signed();
    let others = [
        Signed { config_digest: &[2; 32], ..base },
        Signed { epoch: 4, ..base },
        Signed { round: 3, ..base },
        Signed { extra_hash: &[1; 32], ..base },
        Signed { report: b"Report", ..base },
    ];
    for other in others {
        assert_ne!(other.message(), base.message(), "{other:?}");
    }
}

#[test]
fn a_transaction_is_its_accounts() {
    let (key, other) = (Key::of("chain"), Key::of("other"));
    let transaction = signing::transaction(&signed(), &[(1, vec![7; 64])]);
    let signature = key.sign(&transaction);
    assert_eq!(signing::check_transaction(&key.account(), &transaction, &signature), Ok(()));
    for (account, transaction, signature) in [
        (other.account(), transaction.clone(), signature.to_vec()),
        (key.account(), signing::transaction(&signed(), &[(2, vec![7; 64])]), signature.to_vec()),
        (key.account(), transaction.clone(), vec![]),
        ("no account".to_owned(), transaction.clone(), signature.to_vec()),
        (String::new(), transaction, signature.to_vec()),
    ] {
        let came = signing::check_transaction(&account, &transaction, &signature);
        assert_eq!(came, Err(SignatureError::Transaction), "{account}");
    }
}

#[test]
fn keys_are_the_same_in_every_run() {
    assert_eq!(Key::of("oracle 0").public(), Key::of("oracle 0").public());
    assert_ne!(Key::of("oracle 0").public(), Key::of("oracle 1").public());
}
