//! The recorded calls of Go's processes and their replies: `golden/loop-recorded-calls.jsonl`, and the intended
//! deviations, `golden/refused-on-purpose.jsonl`.

#![allow(dead_code, reason = "each test binary uses its part")]

use std::path::{Path, PathBuf};

use loop_runtime::Code;
use protox::prost_reflect::{DescriptorPool, DynamicMessage, FieldDescriptor, Kind, MessageDescriptor, Value};
use serde::Deserialize;

/// A reply, or a code and its text.
pub(crate) type Answer = Result<Vec<u8>, (Code, String)>;

/// One call. Without a reply it was refused; without a request it was refused before decoding.
#[derive(Clone, Deserialize)]
pub(crate) struct Row {
    pub(crate) method: String,
    pub(crate) request: Option<String>,
    pub(crate) reply: Option<String>,
    pub(crate) code: Option<String>,
    pub(crate) message: Option<String>,
    /// Who answered: the arguments of the helper's process; `libocr`, the numerical median; `host`; `proxied`, what the
    /// host forwarded.
    pub(crate) at: Vec<String>,
}

/// A call that is answered differently here.
#[derive(Deserialize)]
pub(crate) struct Deviation {
    pub(crate) method: String,
    pub(crate) request: String,
    pub(crate) code: String,
    pub(crate) message: String,
    pub(crate) why: String,
}

/// What Go's adapters refuse, so that no implementation sees it, begins so.
const BY_ADAPTER: [&str; 4] =
    ["invalid ConfigDigest len ", "invalid ExtraHash len ", "expected uint8 ", "invalid uuid bytes "];

/// What else is refused by Go's LOOP or by its gRPC, in words that peers may read, begins so.
const BY_FRAMEWORK: [&str; 5] =
    ["failed to dial ", "unknown service ", "unknown method ", "method Name not ", "provider type not supported: "];

/// The rows, in the order in which they were recorded.
pub(crate) fn rows() -> Vec<Row> {
    lines("loop-recorded-calls.jsonl")
}

/// The intended deviations.
pub(crate) fn deviations() -> Vec<Deviation> {
    lines("refused-on-purpose.jsonl")
}

/// The root of the repository, from any of its packages.
pub(crate) fn repository() -> PathBuf {
    let mut above = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors();
    above.find(|dir| dir.join("tests/golden").is_dir()).unwrap_or_else(|| panic!("no tests/golden")).to_owned()
}

fn lines<T: for<'a> Deserialize<'a>>(name: &str) -> Vec<T> {
    let path = repository().join("tests/golden").join(name);
    let text = std::fs::read_to_string(&path).unwrap_or_else(|why| panic!("{}: {why}", path.display()));
    text.lines().map(|line| serde_json::from_str(line).unwrap_or_else(|why| panic!("{line}: {why}"))).collect()
}

pub(crate) fn bytes(hex: &str) -> Vec<u8> {
    (0..hex.len()).step_by(2).map(|at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap()).collect()
}

pub(crate) fn code(name: &str) -> Code {
    let mut all = (1..=16).map(Code::from_i32);
    all.find(|code| format!("{code:?}") == name).unwrap_or_else(|| panic!("no code {name}"))
}

impl Row {
    pub(crate) fn body(&self) -> Vec<u8> {
        bytes(self.request.as_deref().unwrap_or_default())
    }

    pub(crate) fn answer(&self) -> Answer {
        match (&self.reply, &self.code, &self.message) {
            (Some(reply), None, None) => Ok(bytes(reply)),
            (None, Some(name), Some(message)) => Err((code(name), message.clone())),
            _ => panic!("{}: neither a reply nor a refusal", self.method),
        }
    }

    /// `loop.Keystore` of `loop.Keystore/Sign`.
    pub(crate) fn service(&self) -> &str {
        self.method.split_once('/').unwrap().0
    }

    /// Whether the service is LOOP's, and neither gRPC's nor go-plugin's own.
    pub(crate) fn is_of_loop(&self) -> bool {
        !self.method.starts_with("grpc.") && !self.method.starts_with("plugin.")
    }

    pub(crate) fn refused_by_adapter(&self) -> bool {
        self.refused_with(&BY_ADAPTER)
    }

    /// Whether the text of the refusal is part of the contract, and not one of an implementation.
    pub(crate) fn text_matters(&self) -> bool {
        self.refused_by_adapter() || self.refused_with(&BY_FRAMEWORK)
    }

    fn refused_with(&self, texts: &[&str]) -> bool {
        self.message.as_ref().is_some_and(|message| texts.iter().any(|text| message.starts_with(text)))
    }

    /// The broker id that was lent and not announced.
    pub(crate) fn not_announced(&self) -> Option<u32> {
        let id = self.message.as_ref()?.strip_prefix("failed to dial ")?.split("client connection ").nth(1)?;
        id.split(':').next()?.parse().ok()
    }

    pub(crate) fn is(&self, deviation: &Deviation) -> bool {
        (deviation.method.as_str(), Some(deviation.request.as_str())) == (self.method.as_str(), self.request.as_deref())
    }
}

/// What protobuf's compiler makes of the schema in `proto/`.
pub(crate) fn compiled() -> DescriptorPool {
    let proto = repository().join("proto");
    let mut files = Vec::new();
    files_below(&proto, &mut files);
    let mut compiler = protox::Compiler::new([&proto]).unwrap();
    compiler.include_imports(true);
    compiler.open_files(files).unwrap_or_else(|why| panic!("{why:?}"));
    compiler.descriptor_pool()
}

pub(crate) fn files_below(dir: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files_below(&path, found);
        } else {
            found.push(path);
        }
    }
}

/// The descriptors of a method's request and reply.
pub(crate) fn messages(pool: &DescriptorPool, method: &str) -> (MessageDescriptor, MessageDescriptor) {
    let (service, name) = method.split_once('/').unwrap();
    let service = pool.get_service_by_name(service).unwrap_or_else(|| panic!("no service of {method}"));
    let found = service.methods().find(|known| known.name() == name).unwrap_or_else(|| panic!("no {method}"));
    (found.input(), found.output())
}

/// The broker ids in a message.
pub(crate) fn ids(of: &MessageDescriptor, body: &[u8]) -> Vec<u32> {
    let Ok(message) = DynamicMessage::decode(of.clone(), body) else { return Vec::new() };
    message.fields().filter(|(field, _)| is_id(field)).filter_map(|(_, value)| value.as_u32()).collect()
}

fn is_id(field: &FieldDescriptor) -> bool {
    field.name().ends_with("ID") && matches!(field.kind(), Kind::Uint32)
}

/// The message, with 1 for every broker id: the ids depend on earlier calls.
pub(crate) fn meaning(of: &MessageDescriptor, body: &[u8]) -> DynamicMessage {
    let mut message = DynamicMessage::decode(of.clone(), body).unwrap();
    let ids: Vec<_> = message.fields().filter(|(field, _)| is_id(field)).map(|(field, _)| field).collect();
    ids.iter().for_each(|field| message.set_field(field, Value::U32(1)));
    message
}
