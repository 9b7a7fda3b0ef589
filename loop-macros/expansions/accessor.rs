/// A component: no call.
#[loop_service(package = "acme.relayer.v1")]
pub trait Relayer {
    fn keystore(&self) -> Option<Arc<dyn Keystore>>;
}
