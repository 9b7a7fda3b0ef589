/// A body that a plugin may leave as it is.
#[loop_service(package = "acme.relayer.v1")]
trait Relayer {
    async fn depth(&self) -> Result<u32> {
        Ok(64)
    }
}
