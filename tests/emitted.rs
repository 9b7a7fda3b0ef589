//! Every kind of method in one crate, under the lints that a strict user has on: what the attribute emits must not
//! set any of them off.

#![deny(
    missing_debug_implementations,
    missing_docs,
    unreachable_pub,
    unused_qualifications,
    elided_lifetimes_in_paths,
    single_use_lifetimes,
    trivial_casts,
    unused_lifetimes,
    clippy::all,
    clippy::pedantic,
    clippy::missing_inline_in_public_items
)]
#![allow(clippy::missing_errors_doc, reason = "the trait's docs say what can fail, not this test's")]

use std::sync::Arc;

use loop_runtime::{LoopMessage, Result, loop_service};

/// A service that is passed around.
#[loop_service(package = "acme.v1")]
pub trait Codec {
    /// Encodes.
    async fn encode(&self, text: &str) -> Result<Vec<u8>>;
}

/// A service that others inherit.
#[loop_service(package = "acme.v1", name = "Service")]
pub trait Lifecycle {
    /// Ends it.
    #[rpc(release, request = "google.protobuf.Empty", reply = "google.protobuf.Empty")]
    async fn close(&self) -> Result<()>;

    /// Before anybody calls.
    #[rpc(start)]
    async fn start(&self) -> Result<()> {
        Ok(())
    }
}

type Head = Result<u64>;
type Shared = Arc<dyn Codec>;

/// A message that is a reply by itself.
#[derive(Debug, LoopMessage)]
#[message(package = "acme.v1")]
pub struct Details {
    /// How many blocks.
    #[wire(3)]
    pub depth: u32,
}

/// Everything. Arguments have the names that generated code would like for itself.
#[loop_service(package = "acme.v1", crate = ::loop_runtime)]
pub trait Relayer: Lifecycle {
    /// Unary, with borrowed and owned data, and an alias as its result.
    #[rpc(idempotent)]
    async fn latest_head(&self, this: &str, out: u64, method: &[u8], call: String) -> Head;

    /// The message is the reply.
    #[rpc(whole, idempotent)]
    async fn details(&self) -> Result<Details>;

    /// Services as arguments and as the result.
    async fn new_codec(
        &self,
        #[wire(2, dial = "Codec")] codec: Arc<dyn Codec>,
        #[wire(1)] from: Option<Arc<dyn Codec>>,
        #[wire(7)] tree: Vec<Arc<dyn Codec>>,
    ) -> Result<Arc<dyn Codec>>;

    /// A service and data.
    #[rpc(returns(codec = 2, size = 1), singleton)]
    async fn open(&self, codec: &Arc<dyn Codec>) -> Result<(Arc<dyn Codec>, u64)>;

    /// An object that is not made again, under another name of its type.
    #[rpc(once, singleton)]
    async fn session(&self) -> Result<Shared>;

    /// Set-up.
    #[rpc(replay)]
    async fn attach(&self, codec: Arc<dyn Codec>) -> Result<()>;

    /// A component.
    fn codec(&self) -> Arc<dyn Codec>;

    /// A component that may be missing.
    fn spare(&self) -> Option<Arc<dyn Codec>>;

    /// A default body.
    #[deprecated = "use `latest_head`"]
    async fn sum(&self, a: u32, b: u32) -> Result<u64> {
        Ok(self.latest_head("", 0, &[], String::new()).await? + u64::from(a + b))
    }

    /// Left out.
    #[cfg(any())]
    async fn missing(&self, nothing: Nothing) -> Result<()>;

    /// Takes the place of the other.
    #[cfg(not(any()))]
    async fn missing(&self) -> Result<()>;

    /// Left out.
    #[cfg(any())]
    fn gone(&self) -> Arc<dyn Gone>;

    /// A raw name.
    async fn r#type(&self, r#in: u32) -> Result<bool>;
}

struct Local;

impl Codec for Local {
    async fn encode(&self, text: &str) -> Result<Vec<u8>> {
        Ok(text.into())
    }
}

impl Lifecycle for Local {
    async fn close(&self) -> Result<()> {
        Ok(())
    }
}

impl Relayer for Local {
    async fn latest_head(&self, _this: &str, out: u64, _method: &[u8], _call: String) -> Result<u64> {
        Ok(out)
    }

    async fn details(&self) -> Result<Details> {
        Ok(Details { depth: 3 })
    }

    async fn new_codec(
        &self,
        codec: Arc<dyn Codec>,
        _from: Option<Arc<dyn Codec>>,
        _tree: Vec<Arc<dyn Codec>>,
    ) -> Result<Arc<dyn Codec>> {
        Ok(codec)
    }

    async fn open(&self, codec: &Arc<dyn Codec>) -> Result<(Arc<dyn Codec>, u64)> {
        Ok((Arc::clone(codec), 1))
    }

    async fn session(&self) -> Result<Shared> {
        Ok(Arc::new(Local))
    }

    async fn attach(&self, _codec: Arc<dyn Codec>) -> Result<()> {
        Ok(())
    }

    fn codec(&self) -> Arc<dyn Codec> {
        Arc::new(Local)
    }

    fn spare(&self) -> Option<Arc<dyn Codec>> {
        None
    }

    async fn missing(&self) -> Result<()> {
        Ok(())
    }

    async fn r#type(&self, r#in: u32) -> Result<bool> {
        Ok(r#in > 1)
    }
}

#[tokio::test]
#[allow(deprecated, reason = "the default body is what is tested")]
async fn a_service_is_an_ordinary_trait() {
    let relayer: Arc<dyn Relayer> = Arc::new(Local);
    assert_eq!(relayer.latest_head("", 7, &[], String::new()).await.unwrap(), 7);
    assert_eq!(relayer.details().await.unwrap().depth, 3);
    assert_eq!(relayer.sum(1, 2).await.unwrap(), 3);
    assert_eq!(relayer.codec().encode("x").await.unwrap(), b"x");
    assert!(relayer.spare().is_none());
    assert!(relayer.r#type(2).await.unwrap());
    let (codec, size) = relayer.open(&relayer.codec()).await.unwrap();
    assert_eq!((codec.encode("y").await.unwrap(), size), (b"y".to_vec(), 1));
    let made = relayer.new_codec(codec, None, Vec::new()).await.unwrap();
    relayer.attach(made).await.unwrap();
    relayer.missing().await.unwrap();
    let parent: Arc<dyn Lifecycle> = relayer;
    parent.start().await.unwrap();
    parent.close().await.unwrap();
}

#[test]
fn the_schema_is_the_contract() {
    let schema = loop_runtime::wire::Schema::of::<dyn Relayer>();
    assert_eq!(schema.conflicts(), []);
    let text = schema.proto("acme.v1");
    for line in [
        "service Relayer {",
        "service Codec {",
        "rpc Close(google.protobuf.Empty) returns (google.protobuf.Empty);",
        "rpc Open(OpenRequest) returns (OpenReply);",
        "rpc Details(DetailsRequest) returns (Details)",
        "option idempotency_level = IDEMPOTENT;",
        "// A service and data.",
        "uint32 codec = 2;",
        "repeated uint32 tree = 7;",
        "uint64 size = 1;",
        "string this = 1;",
    ] {
        assert!(text.contains(line), "{line} in\n{text}");
    }
    assert!(!text.contains("rpc Start"), "{text}");
}
