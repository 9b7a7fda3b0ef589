//! What Go's processes were asked, and what they answered.

use std::collections::BTreeSet;
use std::sync::Arc;

use loop_runtime::{Code, wire};
use loop_services::RelayArgs;
use serde::Deserialize;
use tokio::task::JoinSet;

use crate::golden;
use crate::scene::{Call, Scene, meaning};

/// One call. Without a reply it was refused.
#[derive(Deserialize)]
struct Row {
    method: String,
    request: String,
    reply: Option<String>,
    code: Option<String>,
    message: Option<String>,
}

/// A call that is answered in another way here.
#[derive(Deserialize)]
struct Deviation {
    method: String,
    request: String,
    code: String,
    message: String,
    why: String,
}

/// What Go's adapters refuse, so that no implementation sees it, begins so.
const BY_ADAPTER: [&str; 4] =
    ["invalid ConfigDigest len ", "invalid ExtraHash len ", "expected uint8 ", "invalid uuid bytes "];

fn lines<T: for<'a> Deserialize<'a>>(name: &str) -> Vec<T> {
    golden(name).lines().map(|line| serde_json::from_str(line).unwrap_or_else(|why| panic!("{line}: {why}"))).collect()
}

fn bytes(hex: &str) -> Vec<u8> {
    (0..hex.len()).step_by(2).map(|at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap()).collect()
}

fn code(name: &str) -> Code {
    let mut all = (1..=16).map(Code::from_i32);
    all.find(|code| format!("{code:?}") == name).unwrap_or_else(|| panic!("no code {name}"))
}

impl Row {
    fn call(&self) -> Call {
        let answer = match (&self.reply, &self.code, &self.message) {
            (Some(reply), None, None) => Ok(bytes(reply)),
            (None, Some(name), Some(message)) => Err((code(name), message.clone())),
            _ => panic!("{}: neither a reply nor a refusal", self.method),
        };
        Call { method: self.method.clone(), request: bytes(&self.request), answer }
    }

    fn refused_by_adapter(&self) -> bool {
        self.message.as_ref().is_some_and(|message| BY_ADAPTER.iter().any(|text| message.starts_with(text)))
    }

    /// The number that was lent and not announced.
    fn not_announced(&self) -> Option<u32> {
        let id = self.message.as_ref()?.strip_prefix("failed to dial ")?.split("client connection ").nth(1)?;
        id.split(':').next()?.parse().ok()
    }

    fn is(&self, deviation: &Deviation) -> bool {
        (&deviation.method, &deviation.request) == (&self.method, &self.request)
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_recorded_call_is_answered_alike() {
    let rows: Vec<Row> = lines("loop-recorded-calls.jsonl");
    let deviations: Vec<Deviation> = lines("refused-on-purpose.jsonl");
    let scene = Arc::new(Scene::new().await);
    let (mut wrong, mut waiting) = (Vec::new(), JoinSet::new());
    for row in &rows {
        let deviation = deviations.iter().find(|deviation| row.is(deviation));
        if let (Some(missing), None) = (row.not_announced(), deviation) {
            // Takes as long as an announcement may take: meanwhile the others.
            let (scene, call) = (scene.clone(), row.call());
            waiting.spawn(async move {
                let answer = scene.play_without(missing, &call.method, &call.request).await;
                (answer != call.answer).then(|| format!("{}: answered {answer:?}, not {:?}", call.method, call.answer))
            });
            continue;
        }
        let problems = differences(&scene, row, deviation).await;
        wrong.extend(problems.into_iter().map(|what| format!("{} {}: {what}", row.method, row.request)));
    }
    wrong.extend(waiting.join_all().await.into_iter().flatten());
    assert!(wrong.is_empty(), "{} of {}:\n{}", wrong.len(), rows.len(), wrong.join("\n"));
    for deviation in &deviations {
        assert!(rows.iter().any(|row| row.is(deviation)), "{}: no such call was recorded", deviation.request);
    }
}

/// What is not as it was recorded, or as it is on purpose.
async fn differences(scene: &Scene, row: &Row, deviation: Option<&Deviation>) -> Vec<String> {
    let call = row.call();
    let played = scene.play(&call).await;
    let mut wrong = Vec::new();
    if let Some(Deviation { code: name, message, why, .. }) = deviation {
        let wanted = Err((code(name), message.clone()));
        if played.answer != wanted || played.seen.is_some() {
            wrong.push(format!("{:?}, and on purpose {wanted:?}, because {why}", played.answer));
        }
        if call.answer == wanted {
            wrong.push("is no deviation".to_owned());
        }
        return wrong;
    }
    let (request, reply) = scene.messages(&row.method);
    match (&call.answer, &played.answer) {
        (Ok(wanted), Ok(came)) if meaning(&reply, came) == meaning(&reply, wanted) => {}
        (Err(wanted), Err(came)) if came == wanted => {}
        (wanted, came) => wrong.push(format!("answered {came:?}, not {wanted:?}")),
    }
    match played.seen {
        Some(_) if row.refused_by_adapter() => wrong.push("was not refused before the implementation".to_owned()),
        None if !row.refused_by_adapter() => wrong.push("never reached the implementation".to_owned()),
        Some(seen) if meaning(&request, &seen) != meaning(&request, &call.request) => {
            wrong.push(format!("arrived as {}", meaning(&request, &seen)));
        }
        _ => {}
    }
    wrong
}

#[test]
fn calls_of_every_kind_were_recorded() {
    let rows: Vec<Row> = lines("loop-recorded-calls.jsonl");
    let answered: BTreeSet<_> = rows.iter().filter(|row| row.reply.is_some()).map(|row| &row.method).collect();
    let refused = rows.iter().filter(|row| row.refused_by_adapter()).count();
    let dials = rows.iter().filter(|row| row.not_announced().is_some()).count();
    assert!(answered.len() >= 35 && refused >= 20 && dials >= 3, "{} methods, {refused}, {dials}", answered.len());
}

#[test]
fn provider_types_are_refused_in_gos_words() {
    let rows: Vec<Row> = lines("loop-recorded-calls.jsonl");
    let relay_args = wire::FieldSpec::new(1, "relayArgs");
    let (mut unknown, mut median) = (0, 0);
    for row in rows.iter().filter(|row| row.method == "loop.Relayer/NewPluginProvider") {
        let Ok(args) = wire::take::<RelayArgs>(&bytes(&row.request).into(), &relay_args) else { continue };
        match row.message.as_deref() {
            Some(text) if text.starts_with("provider type not supported") => {
                let refused = args.require_median().unwrap_err();
                assert_eq!((refused.code(), refused.message()), (Code::Unknown, text));
                assert_eq!(args.not_supported().message(), text);
                unknown += 1;
            }
            _ if args.provider_type == "median" => {
                args.require_median().unwrap();
                let refused = args.not_supported();
                assert_eq!((refused.code(), refused.message()), (Code::Unimplemented, "median not supported"));
                median += 1;
            }
            _ => assert_eq!(args.require_median().unwrap_err().code(), Code::Unimplemented, "{}", args.provider_type),
        }
    }
    assert!(unknown >= 2 && median >= 2, "{unknown} unknown types, {median} medians");
}
