//! Services as results: constructors, the objects that they return, and their release.

use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use loop_runtime::plugin::Plugin;
use loop_runtime::{Code, ErrorKind, LoopMessage, Result, loop_service};

use crate::journal::{Journal, Lines};
use crate::peer::{Peer, both, refused};

/// What is made.
#[loop_service(package = "shapes.made")]
pub(crate) trait Machine {
    /// Its name.
    #[rpc(idempotent)]
    async fn name(&self) -> Result<String>;
    /// Makes a part, which cannot outlive it.
    async fn new_part(&self, name: &str) -> Result<Arc<dyn Machine>>;
    /// Before it is served.
    #[rpc(start)]
    async fn start(&self) -> Result<()> {
        Ok(())
    }
    /// Nobody needs it any more.
    #[rpc(release)]
    async fn close(&self) -> Result<()>;
}

/// Told with a machine.
#[derive(Clone, Debug, PartialEq, LoopMessage)]
#[message(package = "shapes.made")]
pub(crate) struct Label {
    #[wire(1)]
    weight: u32,
    #[wire(2)]
    colours: Vec<String>,
}

/// Makes machines.
#[loop_service(package = "shapes.made")]
pub(crate) trait Factory {
    /// Makes one.
    async fn make(&self, name: &str, journal: Arc<dyn Journal>) -> Result<Arc<dyn Machine>>;
    /// Makes one, and tells about it.
    async fn make_labelled(&self, name: &str, journal: Arc<dyn Journal>) -> Result<(Arc<dyn Machine>, Label)>;
    /// The same in another order, with a contract's numbers.
    #[rpc(returns(info = 2, machineID = 1, count = 7))]
    async fn make_counted(&self, name: &str, journal: Arc<dyn Journal>) -> Result<(Label, Arc<dyn Machine>, u32)>;
    /// Makes one, or none.
    async fn make_maybe(&self, name: &str, journal: Arc<dyn Journal>) -> Result<Option<Arc<dyn Machine>>>;
    /// Makes one out of several services.
    async fn assemble(
        &self,
        first: Arc<dyn Journal>,
        second: Option<Arc<dyn Journal>>,
        rest: Vec<Arc<dyn Journal>>,
    ) -> Result<Arc<dyn Machine>>;
    /// There is one at a time.
    #[rpc(singleton)]
    async fn the_one(&self, name: &str, journal: Arc<dyn Journal>) -> Result<Arc<dyn Machine>>;
}

struct Plant;

struct Engine {
    name: String,
    journals: Vec<Arc<dyn Journal>>,
    started: AtomicU32,
}

impl Engine {
    fn build(name: &str, journals: Vec<Arc<dyn Journal>>) -> Result<Arc<dyn Machine>> {
        match name {
            "refused" => Err(loop_runtime::Error::new(Code::PermissionDenied, "not this one")),
            _ => Ok(Arc::new(Self { name: name.to_owned(), journals, started: AtomicU32::new(0) })),
        }
    }

    async fn tell(&self, what: &str) -> Result<()> {
        for journal in &self.journals {
            journal.note(&format!("{} {what}", self.name)).await?;
        }
        Ok(())
    }
}

impl Machine for Engine {
    async fn name(&self) -> Result<String> {
        Ok(format!("{}, started {}", self.name, self.started.load(Ordering::Relaxed)))
    }

    async fn new_part(&self, name: &str) -> Result<Arc<dyn Machine>> {
        Self::build(name, self.journals.clone())
    }

    async fn start(&self) -> Result<()> {
        if self.name == "does not start" {
            return Err(loop_runtime::Error::failed_precondition("no fuel"));
        }
        self.started.fetch_add(1, Ordering::Relaxed);
        self.tell("started").await
    }

    async fn close(&self) -> Result<()> {
        self.tell("closed").await?;
        match self.name.as_str() {
            "stubborn" => Err(loop_runtime::Error::failed_precondition("not now")),
            _ => Ok(()),
        }
    }
}

impl Factory for Plant {
    async fn make(&self, name: &str, journal: Arc<dyn Journal>) -> Result<Arc<dyn Machine>> {
        Engine::build(name, vec![journal])
    }

    async fn make_labelled(&self, name: &str, journal: Arc<dyn Journal>) -> Result<(Arc<dyn Machine>, Label)> {
        let label = Label { weight: 3, colours: vec!["red".into(), String::new()] };
        Ok((Engine::build(name, vec![journal])?, label))
    }

    async fn make_counted(&self, name: &str, journal: Arc<dyn Journal>) -> Result<(Label, Arc<dyn Machine>, u32)> {
        let (machine, label) = self.make_labelled(name, journal).await?;
        Ok((label, machine, 11))
    }

    async fn make_maybe(&self, name: &str, journal: Arc<dyn Journal>) -> Result<Option<Arc<dyn Machine>>> {
        Ok(if name.is_empty() { None } else { Some(Engine::build(name, vec![journal])?) })
    }

    async fn assemble(
        &self,
        first: Arc<dyn Journal>,
        second: Option<Arc<dyn Journal>>,
        rest: Vec<Arc<dyn Journal>>,
    ) -> Result<Arc<dyn Machine>> {
        let mut journals = vec![first];
        journals.extend(second);
        journals.extend(rest);
        Engine::build("assembled", journals)
    }

    async fn the_one(&self, name: &str, journal: Arc<dyn Journal>) -> Result<Arc<dyn Machine>> {
        journal.note(&format!("making {name}")).await?;
        Engine::build(name, vec![journal])
    }
}

pub(crate) async fn plugin(plugin: Plugin) -> ExitCode {
    plugin.serve::<dyn Factory>(Arc::new(Plant)).await
}

fn factory(case: impl AsyncFn(Arc<dyn Factory>, Lines)) {
    both::<dyn Factory>("made", || Arc::new(Plant), async |peer: &Peer| case(peer.get().await, Lines::new()).await);
}

/// A journal of the host that reports its drop.
struct Witness {
    name: &'static str,
    lines: Lines,
}

impl Witness {
    fn lend(name: &'static str, lines: &Lines) -> Arc<dyn Journal> {
        Arc::new(Self { name, lines: lines.clone() })
    }
}

impl Journal for Witness {
    async fn note(&self, line: &str) -> Result<()> {
        self.lines.add(line);
        Ok(())
    }
}

impl Drop for Witness {
    fn drop(&mut self) {
        self.lines.add(format!("{} dropped", self.name));
    }
}

#[test]
fn a_made_object_is_called_and_its_last_drop_closes_it() {
    factory(async |factory, lines| {
        let machine = factory.make("loom", lines.journal()).await.unwrap();
        assert_eq!(machine.name().await.unwrap(), "loom, started 1");
        let again = machine.clone();
        drop(machine);
        assert_eq!(again.name().await.unwrap(), "loom, started 1");
        assert_eq!(lines.all(), ["loom started"]);
        drop(again);
        lines.has("loom closed").await;
        assert_eq!(lines.all(), ["loom started", "loom closed"]);
    });
}

#[test]
fn data_come_beside_an_object() {
    factory(async |factory, lines| {
        let label = Label { weight: 3, colours: vec!["red".into(), String::new()] };
        let (machine, beside) = factory.make_labelled("a", lines.journal()).await.unwrap();
        assert_eq!((machine.name().await.unwrap().as_str(), beside), ("a, started 1", label.clone()));
        let (beside, machine, count) = factory.make_counted("b", lines.journal()).await.unwrap();
        assert_eq!((machine.name().await.unwrap().as_str(), beside, count), ("b, started 1", label, 11));
    });
}

#[test]
fn an_object_may_be_none() {
    factory(async |factory, lines| {
        assert!(factory.make_maybe("", lines.journal()).await.unwrap().is_none());
        let some = factory.make_maybe("some", lines.journal()).await.unwrap();
        assert_eq!(some.unwrap().name().await.unwrap(), "some, started 1");
    });
}

#[test]
fn an_object_holds_all_that_was_lent_for_it() {
    factory(async |factory, _| {
        let all: Vec<_> = std::iter::repeat_with(Lines::new).take(4).collect();
        let rest = vec![all[2].journal(), all[3].journal()];
        let machine = factory.assemble(all[0].journal(), Some(all[1].journal()), rest).await.unwrap();
        machine.close().await.unwrap();
        for lines in &all {
            assert_eq!(lines.all(), ["assembled started", "assembled closed"]);
        }
        let first = Lines::new();
        drop(factory.assemble(first.journal(), None, vec![]).await.unwrap());
        first.has("assembled closed").await;
    });
}

#[test]
fn a_refusal_makes_nothing_and_gives_back_what_was_lent() {
    factory(async |factory, lines| {
        let refusal = (Code::PermissionDenied, "not this one".to_owned());
        assert_eq!(refused(factory.make("refused", Witness::lend("x", &lines)).await.map(drop)), refusal);
        lines.has("x dropped").await;
        let unstarted = (Code::FailedPrecondition, "no fuel".to_owned());
        assert_eq!(refused(factory.make("does not start", Witness::lend("y", &lines)).await.map(drop)), unstarted);
        lines.has("y dropped").await;
        assert_eq!(lines.all(), ["x dropped", "y dropped"]);
    });
}

#[test]
fn release_by_hand_closes_the_handle() {
    factory(async |factory, lines| {
        let machine = factory.make("loom", lines.journal()).await.unwrap();
        let other = machine.clone();
        machine.close().await.unwrap();
        assert_eq!(lines.all(), ["loom started", "loom closed"]);
        for error in [machine.name().await.unwrap_err(), other.close().await.unwrap_err()] {
            assert_eq!(*error.kind(), ErrorKind::Closed, "{error}");
            assert!(!error.may_have_run());
        }
        let error = machine.new_part("x").await.map(drop).unwrap_err();
        assert_eq!(*error.kind(), ErrorKind::Closed, "{error}");
        drop((machine, other));
        factory.make("next", lines.journal()).await.unwrap().close().await.unwrap();
        assert_eq!(lines.all(), ["loom started", "loom closed", "next started", "next closed"]);
    });
}

#[test]
fn a_refused_release_is_told_and_closes_all_the_same() {
    factory(async |factory, lines| {
        let machine = factory.make("stubborn", lines.journal()).await.unwrap();
        assert_eq!(refused(machine.close().await), (Code::FailedPrecondition, "not now".to_owned()));
        assert_eq!(*machine.name().await.unwrap_err().kind(), ErrorKind::Closed);
        assert_eq!(lines.all(), ["stubborn started", "stubborn closed"]);
    });
}

#[test]
fn parts_are_closed_before_what_they_are_parts_of() {
    factory(async |factory, lines| {
        let whole = factory.make("whole", lines.journal()).await.unwrap();
        let part = whole.new_part("part").await.unwrap();
        let cog = part.new_part("cog").await.unwrap();
        assert_eq!(cog.name().await.unwrap(), "cog, started 1");
        whole.close().await.unwrap();
        let all = lines.all();
        assert_eq!(all[3..], ["cog closed", "part closed", "whole closed"]);
        assert_eq!(*cog.name().await.unwrap_err().kind(), ErrorKind::Closed);
    });
}

#[test]
fn a_part_keeps_what_it_is_a_part_of() {
    factory(async |factory, lines| {
        let whole = factory.make("whole", lines.journal()).await.unwrap();
        let part = whole.new_part("part").await.unwrap();
        drop(whole);
        assert_eq!(part.name().await.unwrap(), "part, started 1");
        assert_eq!(lines.all(), ["whole started", "part started"]);
        drop(part);
        lines.has("whole closed").await;
        assert_eq!(lines.all()[2..], ["part closed", "whole closed"]);
    });
}

#[test]
fn what_was_lent_is_dropped_after_the_release_in_the_order_of_lending() {
    factory(async |factory, lines| {
        let lend = |name| Witness::lend(name, &lines);
        let machine = factory.assemble(lend("first"), Some(lend("second")), vec![lend("third"), lend("fourth")]);
        let machine = machine.await.unwrap();
        drop(machine);
        lines.has("fourth dropped").await;
        let closed = vec!["assembled closed"; 4];
        let dropped = vec!["first dropped", "second dropped", "third dropped", "fourth dropped"];
        assert_eq!(lines.all()[4..], [closed, dropped].concat());
    });
}

#[test]
fn handles_of_a_singleton_do_not_displace_each_other() {
    factory(async |factory, lines| {
        let older = factory.the_one("older", lines.journal()).await.unwrap();
        let newer = factory.the_one("newer", lines.journal()).await.unwrap();
        // They would replace each other for ever: only a host in Go, which does not name its handles, replaces by calling.
        assert_eq!(older.name().await.unwrap(), "older, started 1");
        assert_eq!(newer.name().await.unwrap(), "newer, started 1");
        older.close().await.unwrap();
        assert_eq!(newer.name().await.unwrap(), "newer, started 1");
        let all = ["making older", "older started", "making newer", "newer started", "older closed"];
        assert_eq!(lines.all(), all);
    });
}

#[test]
fn a_caller_who_goes_away_leaves_no_object_behind() {
    factory(async |factory, lines| {
        let held = Arc::new(Held { lines: lines.clone(), go: tokio::sync::Semaphore::new(0) });
        let call = {
            let (factory, journal) = (factory.clone(), held.clone());
            tokio::spawn(async move { factory.the_one("orphan", journal).await })
        };
        lines.has("making orphan").await;
        call.abort();
        assert!(call.await.is_err_and(|why| why.is_cancelled()));
        held.go.add_permits(1);
        lines.has("orphan closed").await;
        assert_eq!(lines.all(), ["making orphan", "orphan started", "orphan closed"]);
    });
}

/// A journal that blocks the writer of the first line.
struct Held {
    lines: Lines,
    go: tokio::sync::Semaphore,
}

impl Journal for Held {
    async fn note(&self, line: &str) -> Result<()> {
        self.lines.add(line);
        if line.starts_with("making") {
            drop(self.go.acquire().await);
        }
        Ok(())
    }
}
