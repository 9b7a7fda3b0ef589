//! Callers at full speed, and the outcome of each call.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use loop_runtime::prelude::*;
use tokio::task::{JoinHandle, JoinSet};

use crate::notes::Notes;
use crate::probe::Probe;

/// Half of them make calls that are not idempotent.
pub(super) const CALLERS: usize = 8;

/// The number of the next job of this process.
fn job() -> u64 {
    static NEXT: AtomicU64 = AtomicU64::new(1);
    NEXT.fetch_add(1, Ordering::Relaxed)
}

/// The record of one call.
#[derive(Debug)]
pub(super) struct Call {
    job: u64,
    idempotent: bool,
    pub(super) outcome: Result<u64>,
}

impl Call {
    pub(super) fn may_have_run_and_is_lost(&self) -> bool {
        self.outcome.as_ref().is_err_and(|error| error.loss().is_some_and(|loss| loss.may_have_run))
    }
}

/// Makes the call.
async fn call(probe: &Arc<dyn Probe>, idempotent: bool, millis: u64) -> Call {
    let job = job();
    let outcome = if idempotent { probe.look(job, millis).await } else { probe.work(job, millis).await };
    Call { job, idempotent, outcome }
}

/// A call that is in flight from now on.
pub(super) async fn hold(probe: &Arc<dyn Probe>) -> JoinHandle<Call> {
    let job = job();
    let call = tokio::spawn({
        let probe = probe.clone();
        async move { Call { job, idempotent: false, outcome: probe.hold(job).await } }
    });
    probe.begun().await.unwrap();
    call
}

/// Callers without a pause.
pub(super) struct Load {
    callers: JoinSet<Vec<Call>>,
    enough: Arc<AtomicBool>,
}

impl Load {
    pub(super) fn start(probe: &Arc<dyn Probe>) -> Self {
        let enough = Arc::new(AtomicBool::new(false));
        let mut callers = JoinSet::new();
        for caller in 0..CALLERS as u64 {
            let (probe, enough) = (probe.clone(), enough.clone());
            callers.spawn(async move {
                let (mut calls, mut lost) = (Vec::new(), 0);
                while !enough.load(Ordering::Relaxed) {
                    let call = call(&probe, caller % 2 == 0, caller / 2).await;
                    lost += u32::from(call.outcome.is_err());
                    assert!(lost <= 3, "every call is lost: {call:?}");
                    calls.push(call);
                }
                calls
            });
        }
        Self { callers, enough }
    }

    /// Lets the callers end, and returns their calls.
    pub(super) async fn stop(self) -> Vec<Call> {
        self.enough.store(true, Ordering::Relaxed);
        self.callers.join_all().await.into_iter().flatten().collect()
    }
}

/// Makes `calls` calls concurrently.
pub(super) async fn at_once(probe: &Arc<dyn Probe>, calls: u64) -> Vec<Call> {
    let mut all = JoinSet::new();
    for n in 0..calls {
        let probe = probe.clone();
        all.spawn(async move { call(&probe, n % 2 == 0, n % 4).await });
    }
    all.join_all().await
}

/// Checks the outcome of each call against the plugin's notes, and returns the lost ones.
///
/// What was answered ran: once, or up to three times if idempotent. What was reported as not run did not run.
/// Idempotent calls are never lost, and no loss is reported as anything else.
pub(super) fn lost<'a>(calls: &'a [Call], notes: &Notes) -> Lost<'a> {
    let (mut jobs, mut lost) = (notes.jobs.clone(), Lost::default());
    for call in calls {
        let times = jobs.remove(&call.job).unwrap_or(0);
        match &call.outcome {
            Ok(job) if call.idempotent => assert!(*job == call.job && (1..=3).contains(&times), "{times}: {call:?}"),
            Ok(job) => assert!(*job == call.job && times == 1, "answered, and has run {times} times: {call:?}"),
            Err(error) => {
                let loss = error.loss().unwrap_or_else(|| panic!("no loss: {call:?}"));
                assert!(!call.idempotent, "it could have been repeated: {call:?}");
                if loss.may_have_run {
                    assert!(times <= 1, "{times}: {call:?}");
                    lost.may_have_run.push(call);
                } else {
                    assert_eq!(times, 0, "it has run: {call:?}");
                    lost.not_run.push(call);
                }
            }
        }
    }
    assert_eq!(jobs, HashMap::new(), "nobody asked for these");
    lost
}

/// Which calls were lost.
#[derive(Debug, Default)]
pub(super) struct Lost<'a> {
    may_have_run: Vec<&'a Call>,
    not_run: Vec<&'a Call>,
}

impl Lost<'_> {
    pub(super) fn is_nothing(&self) {
        self.is_at_most(0);
    }

    /// At most `may_have_run` may have run; every other call was answered.
    pub(super) fn is_at_most(&self, may_have_run: usize) {
        assert!(self.not_run.is_empty() && self.may_have_run.len() <= may_have_run, "{self:#?}");
    }
}
