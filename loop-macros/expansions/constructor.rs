/// A service as an argument, and one as a result.
#[loop_service(package = "acme.relayer.v1")]
pub trait Relayer {
    #[rpc(returns(reader_id = 2, info = 1))]
    async fn new_reader(&self, keys: Arc<dyn Keystore>) -> Result<(Arc<dyn Reader>, Info)>;
}
