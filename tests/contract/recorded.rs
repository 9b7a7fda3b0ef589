//! The recorded calls of Go's processes, and their replies.

use std::collections::BTreeSet;
use std::sync::Arc;

use loop_runtime::{Code, wire};
use loop_services::RelayArgs;
use tokio::task::JoinSet;

use crate::golden_rows::{self, Deviation, Row, code, meaning};
use crate::scene::{Call, Scene};

/// The calls of the services that are declared here. A call that was refused before decoding has no recorded request.
fn rows() -> Vec<Row> {
    let all = golden_rows::rows().into_iter();
    all.filter(|row| row.request.is_some() && row.is_of_loop()).collect()
}

fn call(row: &Row) -> Call {
    Call { method: row.method.clone(), request: row.body(), answer: row.answer() }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_recorded_call_is_answered_alike() {
    let rows = rows();
    let deviations = golden_rows::deviations();
    let scene = Arc::new(Scene::new().await);
    let (mut wrong, mut waiting) = (Vec::new(), JoinSet::new());
    for row in &rows {
        let deviation = deviations.iter().find(|deviation| row.is(deviation));
        if let (Some(missing), None) = (row.not_announced(), deviation) {
            // Takes as long as the announcement timeout: meanwhile the others run.
            let (scene, call) = (scene.clone(), call(row));
            waiting.spawn(async move {
                let answer = scene.play_without(missing, &call.method, &call.request).await;
                (answer != call.answer).then(|| format!("{}: answered {answer:?}, not {:?}", call.method, call.answer))
            });
            continue;
        }
        let problems = differences(&scene, row, deviation).await;
        wrong.extend(
            problems
                .into_iter()
                .map(|what| format!("{} {}: {what}", row.method, row.request.as_deref().unwrap_or_default())),
        );
    }
    wrong.extend(waiting.join_all().await.into_iter().flatten());
    assert!(wrong.is_empty(), "{} of {}:\n{}", wrong.len(), rows.len(), wrong.join("\n"));
    for deviation in &deviations {
        assert!(rows.iter().any(|row| row.is(deviation)), "{}: no such call was recorded", deviation.request);
    }
}

/// Differences from the recording that are not intended deviations.
async fn differences(scene: &Scene, row: &Row, deviation: Option<&Deviation>) -> Vec<String> {
    let call = call(row);
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
    let rows = rows();
    let answered: BTreeSet<_> = rows.iter().filter(|row| row.reply.is_some()).map(|row| &row.method).collect();
    let refused = rows.iter().filter(|row| row.refused_by_adapter()).count();
    let dials = rows.iter().filter(|row| row.not_announced().is_some()).count();
    assert!(answered.len() >= 35 && refused >= 20 && dials >= 3, "{} methods, {refused}, {dials}", answered.len());
}

#[test]
fn provider_types_are_refused_in_gos_words() {
    let rows = rows();
    let relay_args = wire::FieldSpec::new(1, "relayArgs");
    let (mut unknown, mut median) = (0, 0);
    for row in rows.iter().filter(|row| row.method == "loop.Relayer/NewPluginProvider") {
        let Ok(args) = wire::take::<RelayArgs>(&row.body().into(), &relay_args) else { continue };
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
