//! Error types of the user's own, across the boundary and back.

use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use loop_runtime::plugin::Plugin;
use loop_runtime::testing::Faults as _;
use loop_runtime::{Code, Error, LoopError, LoopMessage, Result, loop_service, with_timeout};

use crate::peer::{Peer, both, refused};

/// Where, in a file.
#[derive(Clone, Debug, PartialEq, LoopMessage)]
pub(crate) struct Place {
    #[wire(1)]
    line: u32,
    #[wire(2)]
    parent: Option<Box<Place>>,
}

/// Why a transaction was not taken.
#[derive(Debug, LoopError, thiserror::Error)]
#[message(package = "shapes.errors")]
pub(crate) enum SubmitError {
    #[error("{needed} needed, {available} available")]
    #[wire(1, code = FailedPrecondition)]
    InsufficientFunds {
        #[wire(1)]
        needed: u64,
        #[wire(2)]
        available: u64,
    },
    #[error("no such account")]
    #[wire(2, code = NotFound)]
    UnknownAccount,
    #[error("{0}")]
    #[wire(3)]
    Rejected(String),
    #[error("line {}", .0.line)]
    #[wire(4, code = InvalidArgument)]
    Malformed(Place),
    #[error(transparent)]
    #[wire(transport)]
    Boundary(Error),
}

/// An older version, with one of its variants.
#[derive(Debug, LoopError, thiserror::Error)]
#[message(package = "shapes.errors", name = "SubmitError")]
enum OldSubmitError {
    #[error("no such account")]
    #[wire(2, code = NotFound)]
    UnknownAccount,
    #[error("the boundary says: {0}")]
    #[wire(transport)]
    Boundary(Error),
}

/// Takes transactions.
#[loop_service(package = "shapes.errors")]
pub(crate) trait Ledger {
    /// Takes one.
    #[rpc(idempotent)]
    async fn submit(&self, account: &str) -> Result<u64, SubmitError>;
    /// The same without a type for the error.
    async fn submit_untyped(&self, account: &str) -> Result<u64>;
    /// The same with a reply that is the message.
    #[rpc(whole)]
    async fn place(&self, account: &str) -> Result<Place, SubmitError>;
}

/// As an older host knows it.
#[loop_service(package = "shapes.errors", name = "Ledger")]
trait OldLedger {
    /// Takes one.
    async fn submit(&self, account: &str) -> Result<u64, OldSubmitError>;
    /// Was never there.
    async fn missing(&self) -> Result<u64, OldSubmitError>;
}

/// Has a ledger.
#[loop_service(package = "shapes.errors")]
pub(crate) trait Bank {
    /// The ledger.
    fn ledger(&self) -> Arc<dyn Ledger>;
    /// Has another ledger take one.
    async fn ask(&self, other: Arc<dyn Ledger>, account: &str) -> Result<u64, SubmitError>;
    /// Opens a ledger.
    async fn open(&self, account: &str) -> Result<Arc<dyn Ledger>, SubmitError>;
    /// Before it is served.
    #[rpc(start)]
    async fn start(&self) -> Result<(), SubmitError> {
        Ok(())
    }
}

struct Vault;

fn place() -> Place {
    Place { line: 7, parent: Some(Box::new(Place { line: 3, parent: None })) }
}

impl Ledger for Vault {
    async fn submit(&self, account: &str) -> Result<u64, SubmitError> {
        Err(match account {
            "good" => return Ok(1),
            "poor" => SubmitError::InsufficientFunds { needed: 9, available: 2 },
            "nobody" => SubmitError::UnknownAccount,
            "rejected" => SubmitError::Rejected("100 % grüße".to_owned()),
            "malformed" => SubmitError::Malformed(place()),
            "plain" => SubmitError::Boundary(Error::new(Code::DataLoss, "the disk is gone")),
            "panic" => panic!("at home"),
            _ => std::future::pending().await,
        })
    }

    async fn submit_untyped(&self, account: &str) -> Result<u64> {
        Ok(self.submit(account).await?)
    }

    async fn place(&self, account: &str) -> Result<Place, SubmitError> {
        self.submit(account).await?;
        Ok(place())
    }
}

impl Bank for Vault {
    fn ledger(&self) -> Arc<dyn Ledger> {
        Arc::new(Self)
    }

    async fn ask(&self, other: Arc<dyn Ledger>, account: &str) -> Result<u64, SubmitError> {
        // There and back again: `?` decodes the variant from an untyped error.
        Ok(other.submit_untyped(account).await?)
    }

    async fn open(&self, account: &str) -> Result<Arc<dyn Ledger>, SubmitError> {
        self.submit(account).await?;
        Ok(Arc::new(Self))
    }
}

/// A ledger of the host before that of a plugin.
struct Passing(Arc<dyn Ledger>);

impl Ledger for Passing {
    async fn submit(&self, account: &str) -> Result<u64, SubmitError> {
        self.0.submit(account).await
    }

    async fn submit_untyped(&self, account: &str) -> Result<u64> {
        Ok(self.submit(account).await?)
    }

    async fn place(&self, account: &str) -> Result<Place, SubmitError> {
        self.0.place(account).await
    }
}

pub(crate) async fn plugin(plugin: Plugin) -> ExitCode {
    plugin.serve::<dyn Bank>(Arc::new(Vault)).await
}

pub(crate) async fn ledger_plugin(plugin: Plugin) -> ExitCode {
    plugin.serve::<dyn Ledger>(Arc::new(Vault)).await
}

fn bank(case: impl AsyncFn(&Peer, Arc<dyn Bank>)) {
    let case = async |peer: &Peer| case(peer, peer.get().await).await;
    both::<dyn Bank>("errors", || Arc::new(Vault), case);
}

/// Every variant as it was returned, and the plain error that is none.
fn check_all(mut outcome: impl FnMut(&str) -> Result<u64, SubmitError>) {
    use SubmitError::*;
    assert_eq!(outcome("good").unwrap(), 1);
    assert!(matches!(outcome("poor"), Err(InsufficientFunds { needed: 9, available: 2 })));
    assert!(matches!(outcome("nobody"), Err(UnknownAccount)));
    assert!(matches!(outcome("rejected"), Err(Rejected(text)) if text == "100 % grüße"));
    assert!(matches!(outcome("malformed"), Err(Malformed(at)) if at == place()));
    let Err(Boundary(error)) = outcome("plain") else { panic!("not one of the variants") };
    assert_eq!((error.code(), error.message()), (Code::DataLoss, "the disk is gone"));
    let Err(Boundary(error)) = outcome("panic") else { panic!("not one of the variants") };
    assert_eq!(error.code(), Code::Internal);
    assert!(error.message().contains("panicked in") && error.message().ends_with("at home"), "{error}");
}

const ACCOUNTS: [&str; 7] = ["good", "poor", "nobody", "rejected", "malformed", "plain", "panic"];

/// The outcomes of `submit` for all accounts.
async fn all<T>(submit: impl AsyncFn(&str) -> Result<T, SubmitError>) -> Vec<Result<T, SubmitError>> {
    let mut outcomes = Vec::new();
    for account in ACCOUNTS {
        outcomes.push(submit(account).await);
    }
    outcomes
}

#[test]
fn the_caller_gets_the_very_variant() {
    bank(async |_, bank| {
        let ledger = bank.ledger();
        let mut outcomes = all(async |account| ledger.submit(account).await).await.into_iter();
        check_all(|_| outcomes.next().unwrap());
        let whole = all(async |account| ledger.place(account).await.map(|place| u64::from(place.line / 7))).await;
        let mut outcomes = whole.into_iter();
        check_all(|_| outcomes.next().unwrap());
    });
}

#[test]
fn code_and_text_say_it_to_whom_the_type_is_unknown() {
    bank(async |_, bank| {
        let ledger = bank.ledger();
        for (account, code, text) in [
            ("poor", Code::FailedPrecondition, "9 needed, 2 available"),
            ("nobody", Code::NotFound, "no such account"),
            ("rejected", Code::Unknown, "100 % grüße"),
            ("plain", Code::DataLoss, "the disk is gone"),
        ] {
            let error = ledger.submit_untyped(account).await.unwrap_err();
            assert_eq!((error.code(), error.message()), (code, text));
            assert_eq!(error.detail::<SubmitError>().is_some(), account != "plain", "{account}");
        }
    });
}

/// Served by the host's own code, forwarded undecoded, and returned by code of the host that knows the type.
#[test]
fn it_passes_through_other_processes() {
    bank(async |_, bank| {
        let ledgers: [Arc<dyn Ledger>; 3] = [Arc::new(Vault), bank.ledger(), Arc::new(Passing(bank.ledger()))];
        for ledger in ledgers {
            let mut outcomes = all(async |account| bank.ask(ledger.clone(), account).await).await.into_iter();
            check_all(|_| outcomes.next().unwrap());
        }
    });
}

#[test]
fn a_constructor_is_refused_with_it() {
    bank(async |_, bank| {
        let opened = all(async |account| bank.open(account).await).await;
        let ledger = opened[0].as_ref().unwrap().clone();
        assert_eq!(ledger.submit("good").await.unwrap(), 1);
        let mut outcomes = opened.into_iter().map(|opened| opened.map(|_| 1));
        check_all(|_| outcomes.next().unwrap());
    });
}

#[test]
fn what_the_boundary_says_is_in_its_own_variant() {
    bank(async |peer, bank| {
        let ledger = bank.ledger();
        let late = with_timeout(Duration::from_millis(50), ledger.submit("slow")).await;
        let Err(SubmitError::Boundary(error)) = late else { panic!("{late:?}") };
        assert_eq!(error.code(), Code::DeadlineExceeded);
        if let Peer::Process(plugin) = peer {
            let (place, ()) = tokio::join!(ledger.place("slow"), async {
                // The call is in flight once another one, sent after it, was answered.
                ledger.submit("good").await.unwrap();
                plugin.kill().unwrap();
            });
            let Err(SubmitError::Boundary(error)) = place else { panic!("{place:?}") };
            assert!(error.loss().is_some_and(|loss| loss.may_have_run), "{error:?}");
            assert!(matches!(ledger.submit("nobody").await, Err(SubmitError::UnknownAccount)), "and it goes on");
        }
    });
}

#[test]
fn a_variant_that_the_caller_does_not_know_is_a_plain_error() {
    both::<dyn Ledger>(
        "errors: ledger",
        || Arc::new(Vault),
        async |peer: &Peer| {
            let old: Arc<dyn OldLedger> = peer.get().await;
            assert!(matches!(old.submit("nobody").await, Err(OldSubmitError::UnknownAccount)));
            let Err(OldSubmitError::Boundary(error)) = old.submit("poor").await else { panic!("a variant") };
            assert_eq!((error.code(), error.message()), (Code::FailedPrecondition, "9 needed, 2 available"));
            // The next peer may know the type.
            let on = Error::from(OldSubmitError::Boundary(error));
            assert!(matches!(SubmitError::from(on), SubmitError::InsufficientFunds { needed: 9, .. }));
            let Err(OldSubmitError::Boundary(error)) = old.missing().await else { panic!("a variant") };
            assert_eq!(error.code(), Code::Unimplemented);
        },
    );
}

#[test]
fn the_schema_has_it() {
    let schema = loop_runtime::wire::Schema::of::<dyn Ledger>();
    assert!(schema.conflicts().is_empty(), "{:?}", schema.conflicts());
    let text: String = schema.files().map(|(_, text)| text).collect();
    for part in [
        "// Why a transaction was not taken.\nmessage SubmitError {\n  oneof kind {",
        "SubmitErrorInsufficientFunds insufficient_funds = 1;",
        "google.protobuf.Empty unknown_account = 2;",
        "string rejected = 3;",
        "Place malformed = 4;",
    ] {
        assert!(text.contains(part), "{part}\n{text}");
    }
    assert!(!text.to_lowercase().contains("boundary"), "{text}");
}

#[test]
fn refusals_read_alike_with_and_without_a_type() {
    bank(async |_, bank| {
        let ledger = bank.ledger();
        let typed = ledger.submit("malformed").await.map_err(Error::from);
        assert_eq!(refused(typed), refused(ledger.submit_untyped("malformed").await));
    });
}
