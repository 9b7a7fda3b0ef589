//! What travels with a call: metadata, the deadline, and cancellation.

use std::process::ExitCode;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use loop_runtime::plugin::Plugin;
use loop_runtime::{Call, CallOptions, Code, ErrorKind, Result, loop_service, with_deadline};

use crate::journal::{Journal, Lines};
use crate::peer::{Peer, both};

/// Tells what came along.
#[loop_service(package = "shapes.travel")]
pub(crate) trait Traveller {
    /// Where notes go, also of calls that have ended.
    #[rpc(replay)]
    async fn open(&self, journal: Arc<dyn Journal>) -> Result<()>;
    /// The metadata of this name.
    #[rpc(idempotent)]
    async fn metadata(&self, name: &str) -> Result<Option<String>>;
    /// How many milliseconds are left.
    #[rpc(idempotent)]
    async fn left(&self) -> Result<Option<u64>>;
    /// Asks `other` for both.
    async fn ask(&self, other: Arc<dyn Traveller>, name: &str) -> Result<(Option<String>, Option<u64>)>;
    /// Never answers; notes its beginning and its end.
    async fn wait(&self, name: &str) -> Result<()>;
    /// Waits for `other`, who never answers.
    async fn wait_for(&self, other: Arc<dyn Traveller>, name: &str) -> Result<()>;
}

#[derive(Default)]
pub(crate) struct Tourist(Mutex<Option<Arc<dyn Journal>>>);

impl Tourist {
    pub(crate) fn with(lines: &Lines) -> Arc<dyn Traveller> {
        Arc::new(Self(Mutex::new(Some(lines.journal()))))
    }

    fn journal(&self) -> Result<Arc<dyn Journal>> {
        Ok(self.0.lock().unwrap().clone().ok_or("not opened")?)
    }
}

/// Notes its end.
struct Ending(Arc<dyn Journal>, String);

impl Drop for Ending {
    fn drop(&mut self) {
        let (journal, line) = (self.0.clone(), format!("{} ended", self.1));
        tokio::spawn(async move { journal.note(&line).await });
    }
}

impl Traveller for Tourist {
    async fn open(&self, journal: Arc<dyn Journal>) -> Result<()> {
        *self.0.lock().unwrap() = Some(journal);
        Ok(())
    }

    async fn metadata(&self, name: &str) -> Result<Option<String>> {
        Ok(Call::current().metadata(name).map(str::to_owned))
    }

    async fn left(&self) -> Result<Option<u64>> {
        Ok(Call::current().deadline().map(|at| at.saturating_duration_since(Instant::now()).as_millis() as u64))
    }

    async fn ask(&self, other: Arc<dyn Traveller>, name: &str) -> Result<(Option<String>, Option<u64>)> {
        Ok((other.metadata(name).await?, other.left().await?))
    }

    async fn wait(&self, name: &str) -> Result<()> {
        let journal = self.journal()?;
        let _ending = Ending(journal.clone(), name.to_owned());
        journal.note(&format!("{name} began")).await?;
        std::future::pending().await
    }

    async fn wait_for(&self, other: Arc<dyn Traveller>, name: &str) -> Result<()> {
        let _ending = Ending(self.journal()?, format!("{name}, outer"));
        other.wait(name).await
    }
}

pub(crate) async fn plugin(plugin: Plugin) -> ExitCode {
    plugin.serve::<dyn Traveller>(Arc::<Tourist>::default()).await
}

fn traveller(case: impl AsyncFn(Arc<dyn Traveller>, Lines)) {
    both::<dyn Traveller>(
        "travel",
        || Arc::<Tourist>::default(),
        async |peer: &Peer| {
            let (traveller, lines) = (peer.get::<dyn Traveller>().await, Lines::new());
            traveller.open(lines.journal()).await.unwrap();
            case(traveller, lines).await;
        },
    );
}

#[test]
fn metadata_reach_the_callee_and_whom_it_calls() {
    traveller(async |traveller, _| {
        let ours: Arc<dyn Traveller> = Arc::<Tourist>::default();
        assert_eq!(traveller.metadata("traceparent").await.unwrap(), None);
        let traced = CallOptions::new().metadata("traceparent", "00-1").unwrap();
        let named = CallOptions::new().metadata("x-b", "2").unwrap();
        let asking = async {
            assert_eq!(traveller.metadata("traceparent").await.unwrap().as_deref(), Some("00-1"));
            assert_eq!(traveller.ask(ours.clone(), "traceparent").await.unwrap().0.as_deref(), Some("00-1"));
            let inner = named.scope(traveller.ask(ours.clone(), "x-b")).await;
            assert_eq!(inner.unwrap().0.as_deref(), Some("2"));
            assert_eq!(traveller.metadata("x-b").await.unwrap(), None);
        };
        traced.scope(asking).await;
        assert_eq!(traveller.ask(ours, "traceparent").await.unwrap().0, None);
    });
}

#[test]
fn metadata_of_calls_at_the_same_time_are_kept_apart() {
    traveller(async |traveller, _| {
        let mut calls = tokio::task::JoinSet::new();
        for n in 0..200 {
            let traveller = traveller.clone();
            calls.spawn(async move {
                let value = n.to_string();
                let options = CallOptions::new().metadata("x-n", &value).unwrap();
                let came = options.scope(traveller.metadata("x-n")).await.unwrap();
                came.as_deref() == Some(&value)
            });
        }
        assert!(calls.join_all().await.into_iter().all(|right| right));
    });
}

#[test]
fn the_deadline_reaches_the_callee_and_whom_it_calls() {
    traveller(async |traveller, _| {
        let ours: Arc<dyn Traveller> = Arc::<Tourist>::default();
        assert_eq!(traveller.left().await.unwrap(), None);
        assert_eq!(traveller.ask(ours.clone(), "x").await.unwrap().1, None);
        let hour = Instant::now() + Duration::from_secs(3600);
        with_deadline(hour, async {
            let (direct, nested) = (traveller.left().await.unwrap(), traveller.ask(ours, "x").await.unwrap().1);
            for left in [direct, nested] {
                let left = left.expect("a deadline");
                assert!((3_400_000..=3_600_000).contains(&left), "{left} ms left");
            }
        })
        .await;
    });
}

#[test]
fn a_deadline_ends_the_call_on_both_sides() {
    traveller(async |traveller, lines| {
        let soon = Instant::now() + Duration::from_millis(300);
        let error = with_deadline(soon, traveller.wait("call")).await.unwrap_err();
        assert_eq!(error.code(), Code::DeadlineExceeded, "{error}");
        assert!(error.may_have_run());
        assert!(Instant::now() >= soon);
        lines.has("call ended").await;
        let error = with_deadline(soon, traveller.wait("too late")).await.unwrap_err();
        assert_eq!(*error.kind(), ErrorKind::Deadline { may_have_run: false });
        assert_eq!(lines.all(), ["call began", "call ended"]);
    });
}

#[test]
fn a_caller_who_goes_away_ends_the_call() {
    traveller(async |traveller, lines| {
        let call = tokio::spawn(async move { traveller.wait("call").await });
        lines.has("call began").await;
        assert_eq!(lines.all(), ["call began"]);
        call.abort();
        lines.has("call ended").await;
    });
}

#[test]
fn a_caller_who_goes_away_ends_nested_calls() {
    traveller(async |traveller, lines| {
        let home = Lines::new();
        let ours = Tourist::with(&home);
        let call = tokio::spawn(async move { traveller.wait_for(ours, "call").await });
        home.has("call began").await;
        call.abort();
        home.has("call ended").await;
        lines.has("call, outer ended").await;
    });
}
