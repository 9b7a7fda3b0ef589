//! A crate that forbids lints: what is generated must not allow them.

#![forbid(unused, deprecated, non_snake_case, non_camel_case_types, unreachable_code)]

use std::sync::Arc;

use loop_runtime::testing::Pair;
use loop_runtime::{Error, LoopError, LoopMessage, Result, loop_service};

#[derive(Clone, Debug, PartialEq, LoopMessage)]
struct Nothing;

#[derive(Clone, Debug, PartialEq, LoopMessage)]
struct Head {
    #[wire(1)]
    height: u64,
    #[wire(oneof)]
    kind: Option<Kind>,
}

#[derive(Clone, Debug, PartialEq, LoopMessage)]
enum Kind {
    #[wire(2)]
    Named {
        #[wire(1)]
        name: String,
    },
}

#[derive(Debug, LoopError)]
#[message(package = "forbidden")]
enum Failure {
    #[wire(transport)]
    Error(Error),
}

impl std::fmt::Display for Failure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("failed")
    }
}

#[loop_service(package = "forbidden")]
trait Parent {
    #[rpc(start)]
    async fn begin(&self) -> Result<()> {
        Ok(())
    }
}

#[loop_service(package = "forbidden")]
trait Chain: Parent {
    async fn head(&self, nothing: &Nothing) -> Result<Head, Failure>;
}

struct Local;

impl Parent for Local {}

impl Chain for Local {
    async fn head(&self, _: &Nothing) -> Result<Head, Failure> {
        Ok(Head { height: 1, kind: Some(Kind::Named { name: "a".to_owned() }) })
    }
}

#[test]
fn it_works_all_the_same() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(run());
}

async fn run() {
    let pair = Pair::serve::<dyn Chain>(Arc::new(Local)).await.unwrap();
    let chain: Arc<dyn Chain> = pair.dispense().await.unwrap();
    assert_eq!(chain.head(&Nothing).await.unwrap().height, 1);
    pair.close().await;
}
