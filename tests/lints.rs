//! Names and deprecated items that the user allows where they are written: generated code does not warn again, and all
//! warnings are errors here.

#![deny(warnings, clippy::all, clippy::pedantic)]
#![allow(missing_docs, clippy::unwrap_used, clippy::missing_errors_doc, reason = "a test")]

use std::sync::Arc;

use loop_runtime::testing::Pair;
use loop_runtime::{Error, LoopError, LoopMessage, Result, loop_service};

/// Of a contract that has capitals.
#[allow(non_camel_case_types, non_snake_case)]
#[derive(Clone, Debug, PartialEq, LoopMessage)]
#[message(package = "lints")]
pub enum Kind {
    #[wire(11)]
    of_chain {
        #[wire(1)]
        chainID: u64,
    },
    #[deprecated]
    #[wire(12)]
    Old(u64),
    #[wire(13)]
    New(u64),
}

#[deprecated]
#[derive(Clone, Debug, PartialEq, LoopMessage)]
pub struct Old {
    #[wire(1)]
    height: u64,
}

#[derive(Clone, Debug, PartialEq, LoopMessage)]
pub struct Head {
    #[wire(1)]
    #[allow(deprecated)]
    old: Option<Old>,
    #[deprecated]
    #[wire(2)]
    height: u64,
    #[deprecated]
    #[wire(oneof)]
    kind: Option<Kind>,
    #[deprecated]
    #[wire(skip)]
    local: u64,
}

#[deprecated]
#[derive(Clone, Copy, Debug, PartialEq, LoopMessage)]
pub enum State {
    #[wire(0)]
    None,
    #[deprecated]
    #[wire(1)]
    Some,
    #[wire(unknown)]
    Other(i32),
}

#[deprecated]
#[derive(Clone, Debug, PartialEq, LoopMessage)]
pub struct Digest([u8; 2]);

#[derive(Debug, LoopError)]
#[message(package = "lints")]
pub enum Failure {
    #[deprecated]
    #[wire(1)]
    Gone,
    #[wire(transport)]
    Error(Error),
}

impl std::fmt::Display for Failure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("failed")
    }
}

/// All bounds that a service has anyway.
#[loop_service(package = "lints")]
pub trait Bound: Send + Sync + 'static {
    async fn bound(&self) -> Result<u64>;
}

#[loop_service(package = "lints")]
pub trait Chain: Bound {
    #[allow(non_snake_case)]
    async fn getID(&self, chainID: u64) -> Result<u64>;
    #[allow(non_snake_case)]
    async fn of(&self, chainID: &[u64]) -> Result<u64, Failure>;
    #[allow(deprecated)]
    async fn old(&self, old: &Old, state: State, digest: Digest) -> Result<Old>;
    #[expect(deprecated)]
    async fn older(&self, old: Old) -> Result<()>;
    #[deprecated]
    async fn oldest(&self) -> Result<u64> {
        Ok(1)
    }
    #[rpc(start)]
    async fn begin(&self) -> Result<()> {
        Ok(())
    }
}

struct Local;

impl Bound for Local {
    async fn bound(&self) -> Result<u64> {
        Ok(3)
    }
}

#[allow(non_snake_case, deprecated)]
impl Chain for Local {
    async fn getID(&self, chainID: u64) -> Result<u64> {
        Ok(chainID)
    }

    async fn of(&self, chainID: &[u64]) -> Result<u64, Failure> {
        Ok(chainID.iter().sum())
    }

    async fn old(&self, old: &Old, _: State, _: Digest) -> Result<Old> {
        Ok(old.clone())
    }

    async fn older(&self, _: Old) -> Result<()> {
        Ok(())
    }
}

#[tokio::test]
async fn what_is_allowed_works() {
    let pair = Pair::serve::<dyn Chain>(Arc::new(Local)).await.unwrap();
    let chain: Arc<dyn Chain> = pair.dispense().await.unwrap();
    assert_eq!(chain.getID(7).await.unwrap(), 7);
    assert_eq!(chain.of(&[1, 2]).await.unwrap(), 3);
    assert_eq!(chain.bound().await.unwrap(), 3);
    #[allow(deprecated)]
    {
        let old = Old { height: 1 };
        assert_eq!(chain.old(&old, State::Some, Digest([1, 2])).await.unwrap(), old);
        assert_eq!(chain.oldest().await.unwrap(), 1);
    }
    pair.close().await;
}
