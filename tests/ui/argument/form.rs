use loop_runtime::{Result, loop_service};

#[loop_service(package = "acme.v1")]
pub trait Thermometer {
    async fn calibrate(&self, #[wire(1, name = "offset")] by: i64) -> Result<()>;
    async fn set(&self, #[wire(1, sint)] degrees: i64) -> Result<()>;
}

fn main() {}
