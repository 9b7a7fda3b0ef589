use loop_runtime::loop_service;

#[loop_service(package = "acme.relayer.v1")]
mod relayer {
    pub fn height() -> u64 {
        7
    }
}

fn caller() -> u64 {
    relayer::height()
}

fn main() {}
