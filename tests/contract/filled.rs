//! Every method with every field set, and requests and replies that must be refused.

use loop_runtime::Code;
use protox::prost_reflect::prost::Message as _;
use protox::prost_reflect::{DynamicMessage, FieldDescriptor, Kind, MapKey, MessageDescriptor, OneofDescriptor, Value};

use crate::golden_rows::meaning;
use crate::scene::{Call, Scene};

/// How deep expressions are nested.
const DEPTH: usize = 5;

/// Fills messages; no two values of one type are equal, as far as their range allows.
struct Filler(u32);

impl Filler {
    fn message(&mut self, of: &MessageDescriptor, depth: usize) -> DynamicMessage {
        let mut message = DynamicMessage::new(of.clone());
        for field in of.fields() {
            if field.containing_oneof().is_some_and(|oneof| !oneof.is_synthetic()) {
                continue;
            }
            let value = self.field(&field, depth);
            message.set_field(&field, value);
        }
        for oneof in of.oneofs().filter(|oneof| !oneof.is_synthetic()) {
            let case = self.case(&oneof, depth);
            let value = self.field(&case, depth);
            message.set_field(&case, value);
        }
        message
    }

    /// Each case in turn; the first one where nesting must end.
    fn case(&mut self, of: &OneofDescriptor, depth: usize) -> FieldDescriptor {
        self.0 += 1;
        let at = if depth == 0 { 0 } else { self.0 as usize % of.fields().len() };
        of.fields().nth(at).unwrap()
    }

    fn field(&mut self, field: &FieldDescriptor, depth: usize) -> Value {
        match field.kind() {
            Kind::Message(entry) if field.is_map() => {
                let value = entry.map_entry_value_field();
                let entries = (0..3).map(|n| (MapKey::String(format!("key {n}")), self.one(&value, depth)));
                Value::Map(entries.collect())
            }
            _ if field.is_list() => Value::List((0..3).map(|_| self.one(field, depth)).collect()),
            _ => self.one(field, depth),
        }
    }

    fn one(&mut self, field: &FieldDescriptor, depth: usize) -> Value {
        self.0 += 1;
        let n = self.0;
        match field.kind() {
            // Many are `u8` in Rust.
            Kind::Uint32 => Value::U32(1 + n % 255),
            Kind::Uint64 => Value::U64(u64::from(n) << 40),
            Kind::Int32 => Value::I32(1 + (n % 1000) as i32),
            Kind::Int64 => Value::I64(i64::from(n) << 40),
            Kind::Double => Value::F64(f64::from(n) / 4.0),
            Kind::Bool => Value::Bool(true),
            Kind::String => Value::String(format!("text {n}")),
            Kind::Bytes => {
                let length = match field.name() {
                    "configDigest" | "extraHash" => 32,
                    "externalJobID" => 16,
                    _ => 3,
                };
                Value::Bytes((0..length).map(|at| (n + at) as u8 | 1).collect())
            }
            Kind::Enum(of) => Value::EnumNumber(of.values().last().unwrap().number()),
            Kind::Message(of) => Value::Message(self.message(&of, depth.saturating_sub(1))),
            other => panic!("no service has a {other:?}"),
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_field_of_every_method_arrives() {
    let scene = Scene::new().await;
    let mut filler = Filler(0);
    let methods: Vec<_> = scene.pool.services().flat_map(|service| service.methods().collect::<Vec<_>>()).collect();
    assert!(methods.len() >= 59, "{} methods", methods.len());
    for method in methods {
        let name = format!("{}/{}", method.parent_service().full_name(), method.name());
        let request = filler.message(&method.input(), DEPTH).encode_to_vec();
        let reply = filler.message(&method.output(), DEPTH).encode_to_vec();
        let played =
            scene.play(&Call { method: name.clone(), request: request.clone(), answer: Ok(reply.clone()) }).await;
        let came = played.answer.unwrap_or_else(|(code, message)| panic!("{name}: {code:?}: {message}"));
        let seen = played.seen.unwrap_or_else(|| panic!("{name}: never arrived"));
        assert_eq!(meaning(&method.input(), &seen), meaning(&method.input(), &request), "{name}: the request");
        assert_eq!(meaning(&method.output(), &came), meaning(&method.output(), &reply), "{name}: the reply");
    }
}

/// Requests in which a message is missing. Go's plugins crash on these.
#[tokio::test(flavor = "multi_thread")]
async fn a_missing_message_is_refused() {
    let scene = Scene::new().await;
    for (method, missing) in [
        ("loop.ReportingPluginFactory/NewReportingPlugin", "reportingPluginConfig"),
        ("loop.ReportingPlugin/Query", "reportTimestamp"),
        ("loop.Relayer/NewPluginProvider", "relayArgs"),
        ("loop.Relayer/NewConfigProvider", "relayArgs"),
        ("loop.Relayer/NewCCIPProvider", "ccipProviderArgs"),
        ("loop.OnchainConfigCodec/Encode", "onchainConfig"),
        ("loop.OffchainConfigDigester/ConfigDigest", "contractConfig"),
        ("loop.ContractTransmitter/Transmit", "reportContext"),
        ("loop.DataSource/Observe", "reportTimestamp"),
        ("loop.ContractReader/GetLatestValue", "params"),
        ("codec.Codec/GetEncoding", "params"),
    ] {
        let call = Call { method: method.to_owned(), request: Vec::new(), answer: Ok(Vec::new()) };
        let played = scene.play(&call).await;
        let refused = Err((Code::InvalidArgument, format!("{missing}: required, and missing")));
        assert_eq!((played.answer, played.seen), (refused, None), "{method}");
    }
    // What Go reads as nil arrives as absent.
    for method in ["loop.Relayer/Transact", "loop.Relayer/Replay"] {
        let call = Call { method: method.to_owned(), request: Vec::new(), answer: Ok(Vec::new()) };
        let played = scene.play(&call).await;
        assert_eq!((played.answer, played.seen), (Ok(Vec::new()), Some(Vec::new())), "{method}");
    }
}

/// Of some requests and replies no field is read, but malformed bytes are refused there too.
#[tokio::test(flavor = "multi_thread")]
async fn malformed_bytes_are_refused_where_nothing_is_read_too() {
    let scene = Scene::new().await;
    let methods: Vec<_> = scene.pool.services().flat_map(|service| service.methods().collect::<Vec<_>>()).collect();
    let (mut requests, mut replies) = (0, 0);
    for method in methods {
        let name = format!("{}/{}", method.parent_service().full_name(), method.name());
        let bad = vec![0xff; 3];
        if method.input().fields().len() == 0 {
            requests += 1;
            let call = Call { method: name.clone(), request: bad.clone(), answer: Ok(Vec::new()) };
            let played = scene.play(&call).await;
            assert_eq!(played.answer.map_err(|(code, _)| code), Err(Code::Internal), "{name}");
            assert_eq!(played.seen, None, "{name}");
        } else if method.output().fields().len() == 0 && Filler(0).message(&method.input(), 0).encoded_len() > 0 {
            replies += 1;
            let request = Filler(0).message(&method.input(), DEPTH).encode_to_vec();
            let played = scene.play(&Call { method: name.clone(), request, answer: Ok(bad) }).await;
            assert_eq!(played.answer.map_err(|(code, _)| code), Err(Code::Internal), "{name}");
            assert!(played.seen.is_some(), "{name}");
        }
    }
    assert!(requests > 10 && replies > 3, "{requests} requests, {replies} replies");
}

/// Replies that a caller must not accept as values, with the errors of a Go caller.
#[tokio::test(flavor = "multi_thread")]
async fn bad_replies_are_refused_in_gos_words() {
    let scene = Scene::new().await;
    let digest = |length: u8| [&[0x0a, length][..], &vec![7; length.into()]].concat();
    let second_digest = |length: u8| [&[0x12, length][..], &vec![7; length.into()]].concat();
    let config = |fields: &[u8]| [&[0x0a, fields.len() as u8][..], fields].concat();
    // A field 3, a field 5 of 256.
    let (round, f) = ([0x18, 0x80, 0x02], [0x28, 0x80, 0x02]);
    let epoch_zero = [0x2a, 0x00];
    for (method, reply, text) in [
        ("loop.OffchainConfigDigester/ConfigDigest", digest(31), "invalid ConfigDigest len 31: must be 32"),
        (
            "loop.ContractConfigTracker/LatestConfigDetails",
            second_digest(33),
            "invalid ConfigDigest len 33: must be 32",
        ),
        ("loop.ContractConfigTracker/LatestConfig", config(&digest(1)), "invalid ConfigDigest len 1: must be 32"),
        (
            "loop.ContractConfigTracker/LatestConfig",
            config(&[&digest(32)[..], &f].concat()),
            "expected uint8 F (max 255) but got 256",
        ),
        ("loop.ContractTransmitter/LatestConfigDigestAndEpoch", Vec::new(), "invalid ConfigDigest len 0: must be 32"),
        ("loop.MedianContract/LatestRoundRequested", digest(31), "expected ConfigDigest length 32 but got 31"),
        (
            "loop.MedianContract/LatestRoundRequested",
            [&digest(32)[..], &round].concat(),
            "expected uint8 Round (max 255) but got 256",
        ),
        (
            "loop.MedianContract/LatestTransmissionDetails",
            [&digest(31)[..], &epoch_zero].concat(),
            "expected ConfigDigest length 32 but got 31",
        ),
        (
            "loop.MedianContract/LatestTransmissionDetails",
            [&digest(32)[..], &round, &epoch_zero].concat(),
            "expected uint8 Round (max 255) but got 256",
        ),
    ] {
        // These requests have no required fields.
        let request = match method {
            "loop.OffchainConfigDigester/ConfigDigest" => config(&digest(32)),
            _ => Vec::new(),
        };
        let call = Call { method: method.to_owned(), request, answer: Ok(reply) };
        let played = scene.play(&call).await;
        assert!(played.seen.is_some(), "{method}");
        assert_eq!(played.answer, Err((Code::Unknown, text.to_owned())), "{method}");
    }
}
