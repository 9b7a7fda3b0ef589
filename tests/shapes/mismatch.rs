//! Two sides that do not match: other methods, other services, values that do not fit, bytes that are no message.

use std::sync::Arc;

use loop_runtime::{Code, LoopMessage, Result, loop_service};

use crate::peer::{Peer, both, refused};

/// What the plugin has.
#[loop_service(package = "shapes.mismatch")]
pub(crate) trait Narrow {
    /// Small numbers.
    async fn small(&self, #[wire(1)] n: u8, #[wire(2, text = "expected {n} to be less than 256")] m: u8) -> Result<u8>;
    /// A message that must come.
    async fn needed(&self, inner: &Inner) -> Result<u32>;
    /// A text.
    async fn text(&self, text: &str) -> Result<String>;
    /// One in another, that often.
    #[rpc(idempotent)]
    async fn nested(&self, depth: u32) -> Result<Nested>;
    /// A service.
    async fn lent(&self, #[wire(1, dial = "Helper")] it: Arc<dyn Narrow>) -> Result<()>;
}

/// A message.
#[derive(Clone, Debug, LoopMessage)]
#[message(package = "shapes.mismatch")]
pub(crate) struct Inner {
    #[wire(1)]
    n: u32,
}

/// A message that nests in itself.
#[derive(Clone, Debug, Default, LoopMessage)]
#[message(package = "shapes.mismatch")]
pub(crate) struct Nested {
    #[wire(1)]
    inner: Option<Box<Nested>>,
}

fn nested(depth: u32) -> Nested {
    (0..depth).fold(Nested::default(), |inner, _| Nested { inner: Some(Box::new(inner)) })
}

/// The same service as a newer host sees it.
#[loop_service(package = "shapes.mismatch", name = "Narrow")]
pub(crate) trait Wide {
    /// Numbers.
    async fn small(&self, n: u64, m: u64) -> Result<u64>;
    /// A message that may be missing.
    async fn needed(&self, inner: &Option<Inner>) -> Result<u32>;
    /// Bytes.
    async fn text(&self, text: &[u8]) -> Result<String>;
    /// A number that nobody announced.
    async fn lent(&self, it: u32) -> Result<()>;
    /// A method that the plugin does not have.
    async fn newer(&self) -> Result<()>;
}

/// The same again, further off.
#[loop_service(package = "shapes.mismatch", name = "Narrow")]
pub(crate) trait Wrong {
    /// A number, as if it were a text.
    async fn text(&self, text: u64) -> Result<String>;
    /// A reply of another kind.
    #[rpc(name = "Small")]
    async fn small_text(&self, n: u32) -> Result<String>;
}

/// A service that the plugin does not have.
#[loop_service(package = "shapes.mismatch")]
pub(crate) trait Nowhere {
    /// A method.
    #[rpc(idempotent)]
    async fn anything(&self) -> Result<()>;
}

struct Plain;

impl Narrow for Plain {
    async fn small(&self, n: u8, _: u8) -> Result<u8> {
        Ok(n)
    }

    async fn needed(&self, inner: &Inner) -> Result<u32> {
        Ok(inner.n)
    }

    async fn text(&self, text: &str) -> Result<String> {
        Ok(text.to_owned())
    }

    async fn nested(&self, depth: u32) -> Result<Nested> {
        Ok(nested(depth))
    }

    async fn lent(&self, _: Arc<dyn Narrow>) -> Result<()> {
        Ok(())
    }
}

pub(crate) async fn plugin(plugin: loop_runtime::plugin::Plugin) -> std::process::ExitCode {
    plugin.serve::<dyn Narrow>(Arc::new(Plain)).await
}

fn wide(case: impl AsyncFn(&Peer, Arc<dyn Wide>)) {
    both::<dyn Narrow>("mismatch", || Arc::new(Plain), async |peer: &Peer| case(peer, peer.get().await).await);
}

#[test]
fn unknown_services_and_methods_are_told_apart_in_the_words_of_grpc_go() {
    wide(async |peer, wide| {
        let method = "unknown method Newer for service shapes.mismatch.Narrow";
        assert_eq!(refused(wide.newer().await), (Code::Unimplemented, method.to_owned()));
        let nowhere: Arc<dyn Nowhere> = peer.get().await;
        let service = "unknown service shapes.mismatch.Nowhere";
        assert_eq!(refused(nowhere.anything().await), (Code::Unimplemented, service.to_owned()));
    });
}

#[test]
fn what_does_not_fit_is_refused_with_its_path_or_the_contracts_text() {
    wide(async |_, wide| {
        assert_eq!(wide.small(255, 255).await.unwrap(), 255);
        assert_eq!(refused(wide.small(256, 0).await), (Code::InvalidArgument, "n: 256 does not fit `u8`".into()));
        assert_eq!(refused(wide.small(0, 300).await), (Code::Unknown, "expected 300 to be less than 256".into()));
        assert_eq!(refused(wide.needed(&None).await), (Code::InvalidArgument, "inner: required, and missing".into()));
        assert_eq!(wide.needed(&Some(Inner { n: 0 })).await.unwrap(), 0);
    });
}

#[test]
fn a_result_that_is_nested_too_deep_is_an_internal_error_of_a_plugin_that_lives() {
    both::<dyn Narrow>(
        "mismatch",
        || Arc::new(Plain),
        async |peer: &Peer| {
            let narrow: Arc<dyn Narrow> = peer.get().await;
            assert!(narrow.nested(99).await.is_ok());
            for depth in [100, 2_000] {
                let (code, text) = refused(narrow.nested(depth).await);
                assert_eq!(code, Code::Internal, "{text}");
                assert!(text.starts_with("the reply cannot be sent: value.inner.inner."), "{text}");
            }
            assert!(narrow.nested(0).await.is_ok());
        },
    );
}

#[test]
fn bytes_that_are_no_message_are_an_internal_error() {
    wide(async |peer, wide| {
        assert_eq!(wide.text(b"fine").await.unwrap(), "fine");
        assert_eq!(refused(wide.text(b"\xff").await).0, Code::Internal);
        let wrong: Arc<dyn Wrong> = peer.get().await;
        assert_eq!(refused(wrong.text(7).await).0, Code::Internal);
        assert_eq!(refused(wrong.small_text(7).await).0, Code::Internal, "and so is a reply");
        assert_eq!(wide.text(b"fine").await.unwrap(), "fine");
    });
}

#[test]
fn a_number_that_nobody_announced_is_named() {
    wide(async |_, wide| {
        let (code, text) = refused(wide.lent(0).await);
        assert_eq!(code, Code::Unknown, "{text}");
        assert!(text.starts_with("failed to dial Helper client connection 0: "), "{text}");
    });
}
