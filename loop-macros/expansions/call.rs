/// One call with a borrowed and an owned argument.
#[loop_service(package = "acme.relayer.v1")]
pub trait Relayer {
    /// The newest block.
    #[rpc(idempotent)]
    async fn latest_head(&self, id: &str, depth: u32) -> Result<Head>;
}
