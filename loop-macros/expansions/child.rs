/// A service that inherits from another one.
#[loop_service(package = "acme.relayer.v1")]
trait Relayer: Lifecycle {
    #[rpc(release)]
    async fn close(&self) -> Result<()>;
}
