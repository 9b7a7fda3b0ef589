//! Writes the two crates: the same methods on the same messages.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use crate::Outcome;

const METHODS: usize = 60;

/// The crate with a trait of this runtime.
pub(crate) fn ours(directory: &Path) -> Outcome<()> {
    let runtime = Path::new(env!("CARGO_MANIFEST_DIR")).with_file_name("loop-runtime");
    manifest(
        directory,
        "ours",
        &format!("loop-runtime = {{ path = {runtime:?} }}\ntokio = {{ version = \"1\", features = [\"rt\"] }}\n"),
    )?;
    let mut source = String::from(
        "use std::future::Future;\nuse std::pin::Pin;\nuse std::process::ExitCode;\nuse std::sync::Arc;\n\n\
         use loop_runtime::prelude::*;\n\n",
    );
    let (mut methods, mut answers, mut calls) = (String::new(), String::new(), String::new());
    for n in 0..METHODS {
        writeln!(
            source,
            "#[derive(Clone, Default, LoopMessage)]\npub struct Item{n} {{\n    #[wire(1)]\n    pub id: String,\n    \
             #[wire(2)]\n    pub count: u64,\n    #[wire(3)]\n    pub data: Vec<u8>,\n    #[wire(4)]\n    \
             pub tags: Vec<String>,\n    #[wire(5)]\n    pub on: bool,\n}}\n"
        )?;
        writeln!(
            methods,
            "    async fn method{n}(&self, name: &str, amount: u64, data: &[u8], item: &Item{n}) -> Result<Item{n}>;"
        )?;
        writeln!(
            answers,
            "    async fn method{n}(&self, _: &str, amount: u64, _: &[u8], item: &Item{n}) -> Result<Item{n}> {{\n        \
             Ok(Item{n} {{ count: amount, ..item.clone() }})\n    }}"
        )?;
        writeln!(calls, "        sum += big.method{n}(\"name\", {n}, b\"data\", &Item{n}::default()).await?.count;")?;
    }
    write!(
        source,
        "#[loop_service(package = \"bench.big.v1\")]\npub trait Big {{\n{methods}}}\n\n\
         pub struct Worker;\n\nimpl Big for Worker {{\n{answers}}}\n\n\
         pub fn serve() -> Pin<Box<dyn Future<Output = ExitCode>>> {{\n    \
         let handshake = Handshake::new(\"BIG\", \"big\");\n    \
         Box::pin(Plugin::new(handshake).serve::<dyn Big>(Arc::new(Worker)))\n}}\n\n\
         pub fn call(big: Arc<dyn Big>) -> Pin<Box<dyn Future<Output = Result<u64>> + Send>> {{\n    \
         Box::pin(async move {{\n        let mut sum = 0;\n{calls}        Ok(sum)\n    }})\n}}\n"
    )?;
    Ok(fs::write(directory.join("src/lib.rs"), source)?)
}

/// The crate with tonic-build's code.
pub(crate) fn tonic(directory: &Path) -> Outcome<()> {
    manifest(
        directory,
        "tonic",
        "prost = \"0.14\"\ntonic = { version = \"0.14\", default-features = false, features = [\"codegen\", \"channel\", \
         \"router\", \"server\"] }\ntonic-prost = \"0.14\"\n",
    )?;
    let mut proto = String::from("syntax = \"proto3\";\npackage bench.big.v1;\n\n");
    let (mut methods, mut answers, mut calls) = (String::new(), String::new(), String::new());
    for n in 0..METHODS {
        writeln!(
            proto,
            "message Item{n} {{\n  string id = 1;\n  uint64 count = 2;\n  bytes data = 3;\n  repeated string tags = 4;\n  \
             bool on = 5;\n}}\n\
             message Method{n}Request {{\n  string name = 1;\n  uint64 amount = 2;\n  bytes data = 3;\n  \
             Item{n} item = 4;\n}}\nmessage Method{n}Reply {{\n  Item{n} value = 1;\n}}\n"
        )?;
        writeln!(methods, "  rpc Method{n}(Method{n}Request) returns (Method{n}Reply);")?;
        writeln!(
            answers,
            "    async fn method{n}(&self, request: Request<Method{n}Request>) -> Result<Response<Method{n}Reply>, Status> \
             {{\n        let request = request.into_inner();\n        \
             let item = request.item.ok_or_else(|| Status::invalid_argument(\"item is missing\"))?;\n        \
             Ok(Response::new(Method{n}Reply {{ value: Some(Item{n} {{ count: request.amount, ..item }}) }}))\n    }}"
        )?;
        writeln!(
            calls,
            "        let request = Method{n}Request {{ name: \"name\".into(), amount: {n}, data: b\"data\".to_vec(), \
             item: Some(Item{n}::default()) }};\n        \
             let value = client.method{n}(request).await?.into_inner().value;\n        \
             sum += value.ok_or_else(|| Status::internal(\"value is missing\"))?.count;"
        )?;
    }
    write!(proto, "service Big {{\n{methods}}}\n")?;
    let file = directory.join("big.proto");
    fs::write(&file, proto)?;
    let descriptors = protox::compile([&file], [directory])?;
    tonic_prost_build::configure().out_dir(directory.join("src")).compile_fds(descriptors)?;
    let source = format!(
        "use std::future::Future;\nuse std::pin::Pin;\n\nuse tonic::transport::{{Channel, Server}};\n\
         use tonic::{{Request, Response, Status}};\n\ninclude!(\"bench.big.v1.rs\");\n\n\
         use self::big_client::BigClient;\nuse self::big_server::{{Big, BigServer}};\n\n\
         pub struct Worker;\n\n#[tonic::async_trait]\nimpl Big for Worker {{\n{answers}}}\n\n\
         type Served = Result<(), tonic::transport::Error>;\n\n\
         pub fn serve() -> Pin<Box<dyn Future<Output = Served>>> {{\n    \
         Box::pin(Server::builder().add_service(BigServer::new(Worker)).serve(([127, 0, 0, 1], 0).into()))\n}}\n\n\
         pub fn call(mut client: BigClient<Channel>) -> Pin<Box<dyn Future<Output = Result<u64, Status>> + Send>> {{\n    \
         Box::pin(async move {{\n        let mut sum = 0;\n{calls}        Ok(sum)\n    }})\n}}\n"
    );
    Ok(fs::write(directory.join("src/lib.rs"), source)?)
}

/// A package that is a workspace of its own, with this one's versions of everything.
fn manifest(directory: &Path, name: &str, dependencies: &str) -> Outcome<()> {
    fs::create_dir_all(directory.join("src"))?;
    let text = format!(
        "[package]\nname = \"bench-build-{name}\"\nversion = \"0.0.0\"\nedition = \"2024\"\n\n\
         [dependencies]\n{dependencies}\n[workspace]\n\n[profile.dev]\ndebug = \"line-tables-only\"\n\n\
         [profile.dev.package.\"*\"]\ndebug = false\n"
    );
    fs::write(directory.join("Cargo.toml"), text)?;
    fs::copy(Path::new(env!("CARGO_MANIFEST_DIR")).with_file_name("Cargo.lock"), directory.join("Cargo.lock"))?;
    Ok(())
}
