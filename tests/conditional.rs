//! Options of a service behind conditions, and from fragments of `macro_rules!`.

#![allow(clippy::unwrap_used, reason = "a test")]

use std::sync::Arc;

use loop_runtime::testing::Pair;
use loop_runtime::wire::Schema;
use loop_runtime::{__private::Service, Result, loop_service};

macro_rules! service {
    ($name:ident, $number:literal, $rpc:literal, $value:ident) => {
        /// A service from fragments.
        #[loop_service(package = "conditional")]
        trait $name {
            #[rpc(name = $rpc, returns($value = $number))]
            async fn get(&self, #[wire($number)] n: u64) -> Result<u64>;
        }
    };
}

service!(Fragments, 7, "Fetch", found);

/// Some of it holds, some does not.
#[loop_service(package = "conditional")]
trait Conditional {
    #[cfg_attr(not(any()), rpc(idempotent, name = "Held"))]
    #[cfg_attr(any(), rpc(request = "NotHeld"))]
    async fn one(&self, #[cfg_attr(not(any()), wire(4, name = "first"))] n: u64) -> Result<u64>;
    #[cfg_attr(any(), rpc(idempotent))]
    async fn two(&self) -> Result<u64>;
}

struct Local;

impl Fragments for Local {
    async fn get(&self, n: u64) -> Result<u64> {
        Ok(n)
    }
}

impl Conditional for Local {
    async fn one(&self, n: u64) -> Result<u64> {
        Ok(n)
    }

    async fn two(&self) -> Result<u64> {
        Ok(2)
    }
}

#[test]
fn the_schema_has_what_holds() {
    let mut schema = Schema::new();
    <dyn Conditional as Service>::schema(&mut schema);
    <dyn Fragments as Service>::schema(&mut schema);
    let proto = schema.proto("conditional");
    for expected in [
        "rpc Held(HeldRequest) returns (HeldReply) {\n    option idempotency_level = IDEMPOTENT;",
        "message HeldRequest {\n  uint64 first = 4;\n}",
        "rpc Two(TwoRequest) returns (TwoReply);",
        "message FetchReply {\n  uint64 found = 7;\n}",
        "message FetchRequest {\n  uint64 n = 7;\n}",
    ] {
        assert!(proto.contains(expected), "{expected} in {proto}");
    }
    assert!(!proto.contains("NotHeld"));
}

#[tokio::test]
async fn methods_behind_conditions_are_called() {
    let pair = Pair::serve::<dyn Conditional>(Arc::new(Local)).await.unwrap();
    let conditional: Arc<dyn Conditional> = pair.dispense().await.unwrap();
    assert_eq!(conditional.one(3).await.unwrap(), 3);
    assert_eq!(conditional.two().await.unwrap(), 2);
    pair.close().await;
    let pair = Pair::serve::<dyn Fragments>(Arc::new(Local)).await.unwrap();
    assert_eq!(pair.dispense::<dyn Fragments>().await.unwrap().get(9).await.unwrap(), 9);
    pair.close().await;
}
