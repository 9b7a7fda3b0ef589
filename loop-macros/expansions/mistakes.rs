/// All mistakes at once, and what is left of the trait.
#[loop_service(package = "acme.relayer.v1")]
trait Relayer {
    async fn submit(&mut self, count: usize, job: Job) -> Result<()>;
}
