/// The names and numbers of a contract that exists.
#[loop_service(package = "acme.relayer.v1", name = "ChainRelayer")]
trait Relayer {
    #[rpc(name = "Details", request = "google.protobuf.Empty", whole)]
    async fn latest_details(&self) -> Result<Details>;
    #[rpc(request = "TxRequest")]
    async fn transact(&self, #[wire(3, name = "fromAddress")] from: &str, #[wire(1)] amount: u64) -> Result<()>;
}
